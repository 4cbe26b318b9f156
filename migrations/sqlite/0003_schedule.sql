CREATE TABLE class_types (
    id BLOB NOT NULL PRIMARY KEY,
    studio_id BLOB NOT NULL REFERENCES studios (id),
    name TEXT NOT NULL,
    description TEXT,
    level TEXT NOT NULL,
    minutes INTEGER NOT NULL CHECK (minutes BETWEEN 1 AND 1440),
    credits INTEGER NOT NULL CHECK (credits BETWEEN 0 AND 1000),
    version INTEGER NOT NULL DEFAULT 1,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX class_types_studio ON class_types (studio_id);

-- One scheduled class. The counts are kept by the desk in the transaction that changes them; the check is the last word against overselling.
CREATE TABLE sessions (
    id BLOB NOT NULL PRIMARY KEY,
    studio_id BLOB NOT NULL REFERENCES studios (id),
    class_type_id BLOB NOT NULL REFERENCES class_types (id),
    room_id BLOB NOT NULL REFERENCES rooms (id),
    instructor_id BLOB NOT NULL REFERENCES persons (id),
    starts_at TEXT NOT NULL,
    ends_at TEXT NOT NULL,
    local_date TEXT NOT NULL,
    local_minute INTEGER NOT NULL CHECK (local_minute BETWEEN 0 AND 1439),
    local_weekday INTEGER NOT NULL CHECK (local_weekday BETWEEN 1 AND 7),
    capacity INTEGER NOT NULL CHECK (capacity BETWEEN 0 AND 10000),
    taken INTEGER NOT NULL DEFAULT 0 CHECK (taken >= 0),
    held INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),
    waiting INTEGER NOT NULL DEFAULT 0 CHECK (waiting >= 0),
    -- The next waitlist entry's place in the order; what goes before the head gets one below first_queue_key.
    next_queue_key INTEGER NOT NULL DEFAULT 1,
    credits INTEGER NOT NULL CHECK (credits BETWEEN 0 AND 1000),
    status TEXT NOT NULL CHECK (status IN ('draft', 'scheduled', 'cancelled')),
    booking_opens_at TEXT NOT NULL,
    booking_closes_at TEXT NOT NULL,
    free_cancel_until TEXT NOT NULL,
    promote_until TEXT NOT NULL,
    -- When no way in is left: who still waits is told so.
    waiting_ends_at TEXT NOT NULL,
    waitlist_cap INTEGER,
    changed TEXT NOT NULL,
    cancelled_at TEXT,
    cancel_reason TEXT CHECK (cancel_reason IN ('illness', 'weather', 'premises', 'too_few', 'other')),
    cancel_note TEXT,
    -- RFC 5545 SEQUENCE: rises with each change that calendars must take.
    sequence INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 1,
    created_at TEXT NOT NULL,
    CONSTRAINT sessions_never_oversold CHECK (taken + held <= capacity),
    CHECK (starts_at < ends_at),
    CHECK ((status = 'cancelled') = (cancelled_at IS NOT NULL))
) STRICT;
CREATE INDEX sessions_schedule ON sessions (studio_id, local_date, starts_at, id);
CREATE INDEX sessions_instructor ON sessions (instructor_id, starts_at);
CREATE INDEX sessions_room ON sessions (room_id, starts_at);
CREATE INDEX sessions_waited_for ON sessions (waiting_ends_at) WHERE waiting > 0;
