-- Since when whoever holds a pass lets their family pay with it; NULL: it pays for them alone.
ALTER TABLE passes ADD COLUMN shared_at TIMESTAMPTZ;
-- What a pass paid for, whoever came.
CREATE INDEX bookings_paid ON bookings (pass_id, starts_at) WHERE pass_id IS NOT NULL;
