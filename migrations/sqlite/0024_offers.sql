-- A place that is kept for somebody who waits until they take it or its time is over. While it runs, the booking is `offered` and out of
-- the queue; the offer keeps its place there, to which it returns if the offer is withdrawn.
CREATE TABLE offers (
    id BLOB NOT NULL PRIMARY KEY,
    booking_id BLOB NOT NULL REFERENCES bookings (id),
    queue_key INTEGER NOT NULL,
    made_at TEXT NOT NULL,
    -- Its clock runs from here: the end of quiet hours, if it was made in them.
    clock_starts_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    outcome TEXT CHECK (outcome IN ('accepted', 'declined', 'expired', 'withdrawn')),
    ended_at TEXT,
    CHECK (made_at <= clock_starts_at AND clock_starts_at < expires_at),
    CHECK ((outcome IS NULL) = (ended_at IS NULL))
) STRICT;
CREATE UNIQUE INDEX offers_running ON offers (booking_id) WHERE outcome IS NULL;
CREATE INDEX offers_due ON offers (expires_at) WHERE outcome IS NULL;
CREATE INDEX offers_booking ON offers (booking_id);

-- Who gave back the place that the waitlist had given or offered them is not moved in again by itself.
CREATE INDEX bookings_turned_down ON bookings (session_id, person_id) WHERE promoted_at IS NOT NULL AND ended_by = 'member';

-- After the promotion cut-off and until this, a free place is offered to those who wait, or kept for them. NULL: it is public at once.
ALTER TABLE sessions ADD COLUMN offers_until TEXT;
-- Until then the free places are kept for those who wait: the first of them who takes one has it, or staff decide.
ALTER TABLE sessions ADD COLUMN kept_until TEXT;
CREATE INDEX sessions_kept ON sessions (kept_until) WHERE kept_until IS NOT NULL;

-- One more reason why a waiting member was passed over.
ALTER TABLE bookings ADD COLUMN passed_over_now TEXT CHECK (passed_over_now IN ('no_pass', 'overlap', 'too_many_bookings', 'turned_down'));
UPDATE bookings SET passed_over_now = passed_over WHERE passed_over IS NOT NULL;
ALTER TABLE bookings DROP COLUMN passed_over;
ALTER TABLE bookings RENAME COLUMN passed_over_now TO passed_over;

-- Offers to this person run twice as long, if there is time for it.
ALTER TABLE persons ADD COLUMN longer_offers INTEGER NOT NULL DEFAULT FALSE;

-- Why staff moved the booking up, past those who had waited longer: they read it.
ALTER TABLE bookings ADD COLUMN moved_up_reason TEXT;
