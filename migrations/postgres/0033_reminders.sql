-- Which letters a person wants, of those that may be switched off.
ALTER TABLE persons ADD COLUMN wants_reminder_24h boolean NOT NULL DEFAULT TRUE;
ALTER TABLE persons ADD COLUMN wants_reminder_2h boolean NOT NULL DEFAULT FALSE;
ALTER TABLE persons ADD COLUMN wants_passes_ending boolean NOT NULL DEFAULT TRUE;
ALTER TABLE persons ADD COLUMN wants_places_free boolean NOT NULL DEFAULT TRUE;

-- When it is looked at next whether the member is to be reminded of their place. NULL: they have none, or were.
ALTER TABLE bookings ADD COLUMN remind_at timestamptz;
CREATE INDEX bookings_remind ON bookings (remind_at) WHERE remind_at IS NOT NULL;
