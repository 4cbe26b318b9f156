-- Who comes by a partner (an app for many studios, a hotel, a brand) and has no account: a person without a name, under the booking's id,
-- stands for them. Their name is `guest_name`; it and the number are forgotten some time after the session, who sent them is not.
ALTER TABLE bookings ADD COLUMN visitor_source text CHECK (visitor_source IS NULL OR (guest_of IS NULL AND status NOT IN ('waitlisted', 'offered', 'standby')));
ALTER TABLE bookings ADD COLUMN visitor_phone text;

-- Whether who acts for somebody also gets the letters about what they booked for them.
ALTER TABLE family_links ADD COLUMN copies boolean NOT NULL DEFAULT FALSE;
