-- Who comes as the guest of the booking that `guest_of` names, as the host wrote them down; forgotten some time after the session.
ALTER TABLE bookings ADD COLUMN guest_name text;
ALTER TABLE bookings ADD COLUMN guest_email text;
CREATE INDEX bookings_guests ON bookings (ends_at) WHERE guest_name IS NOT NULL;
