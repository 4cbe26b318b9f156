-- A person's place in a session, or her place in its queue. The id is chosen by her app.
CREATE TABLE bookings (
    id BLOB NOT NULL PRIMARY KEY,
    session_id BLOB NOT NULL REFERENCES sessions (id),
    studio_id BLOB NOT NULL REFERENCES studios (id),
    person_id BLOB NOT NULL REFERENCES persons (id),
    status TEXT NOT NULL CHECK (status IN ('booked', 'waitlisted', 'offered', 'standby', 'cancelled', 'late_cancelled', 'attended', 'no_show')),
    -- The session's time, copied: her overlaps and her bookings ahead are found by index.
    starts_at TEXT NOT NULL,
    ends_at TEXT NOT NULL,
    created_at TEXT NOT NULL,
    -- Who sent the PUT, and what it said after defaults: a repeat is compared with these.
    asked_by BLOB NOT NULL REFERENCES persons (id),
    asked_pass_id BLOB,
    asked_waitlist INTEGER NOT NULL,
    asked_unpaid INTEGER NOT NULL DEFAULT FALSE,
    pass_id BLOB REFERENCES passes (id),
    -- Credits taken now; 0 while she waits, when a membership pays, and after they came back.
    credits INTEGER NOT NULL DEFAULT 0 CHECK (credits >= 0),
    -- Monday of the week in which a membership's visit counts.
    visit_week TEXT,
    free_cancel_until TEXT,
    queue_key INTEGER,
    passed_over TEXT CHECK (passed_over IN ('no_pass', 'overlap', 'too_many_bookings')),
    -- When the one letter "a place is free" was written.
    told_free_at TEXT,
    promoted_at TEXT,
    arrived_at TEXT,
    arrived_by BLOB,
    ended_at TEXT,
    ended_by TEXT CHECK (ended_by IN ('member', 'staff', 'studio', 'offer_expired', 'waitlist_closed', 'replaced')),
    ended_reason TEXT,
    credits_returned INTEGER NOT NULL DEFAULT 0 CHECK (credits_returned >= 0),
    provisional INTEGER NOT NULL DEFAULT FALSE,
    -- RFC 5545 SEQUENCE of the calendar part.
    sequence INTEGER NOT NULL DEFAULT 0,
    -- How many letters were written about it: their order.
    letters INTEGER NOT NULL DEFAULT 0,
    spot_id BLOB,
    guest_of BLOB REFERENCES bookings (id),
    CHECK ((status = 'waitlisted') = (queue_key IS NOT NULL)),
    CHECK ((status IN ('cancelled', 'late_cancelled')) = (ended_at IS NOT NULL)),
    CHECK (status <> 'waitlisted' OR (credits = 0 AND visit_week IS NULL)),
    CHECK (pass_id IS NOT NULL OR (credits = 0 AND visit_week IS NULL))
) STRICT;
-- A person is in a session at most once; a guest's place is her host's.
CREATE UNIQUE INDEX bookings_once ON bookings (session_id, person_id)
    WHERE guest_of IS NULL AND status IN ('booked', 'waitlisted', 'offered', 'standby', 'attended', 'no_show');
-- One queue, one order.
CREATE UNIQUE INDEX bookings_queue ON bookings (session_id, queue_key) WHERE queue_key IS NOT NULL;
CREATE INDEX bookings_person ON bookings (person_id, starts_at, id);
CREATE INDEX bookings_ahead ON bookings (person_id, ends_at)
    WHERE status IN ('booked', 'waitlisted', 'offered', 'standby', 'attended', 'no_show');
CREATE INDEX bookings_visits ON bookings (pass_id, visit_week) WHERE visit_week IS NOT NULL;
-- Roster, report, and the late cancels whose credits a session that the studio cancels gives back.
CREATE INDEX bookings_session ON bookings (session_id, status);

-- Ids that were cancelled before they were ever seen: a delayed PUT must not book behind her back.
CREATE TABLE withdrawn_bookings (
    booking_id BLOB NOT NULL,
    person_id BLOB NOT NULL REFERENCES persons (id),
    until TEXT NOT NULL,
    PRIMARY KEY (booking_id, person_id)
) STRICT;
CREATE INDEX withdrawn_bookings_age ON withdrawn_bookings (until);
