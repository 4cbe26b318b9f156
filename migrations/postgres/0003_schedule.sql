CREATE TABLE class_types (
    id uuid PRIMARY KEY,
    studio_id uuid NOT NULL REFERENCES studios (id),
    name jsonb NOT NULL,
    description jsonb,
    level text NOT NULL,
    minutes bigint NOT NULL CHECK (minutes BETWEEN 1 AND 1440),
    credits bigint NOT NULL CHECK (credits BETWEEN 0 AND 1000),
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL
);
CREATE INDEX class_types_studio ON class_types (studio_id);

-- One scheduled class. The counts are kept by the desk in the transaction that changes them; the check is the last word against overselling.
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    studio_id uuid NOT NULL REFERENCES studios (id),
    class_type_id uuid NOT NULL REFERENCES class_types (id),
    room_id uuid NOT NULL REFERENCES rooms (id),
    instructor_id uuid NOT NULL REFERENCES persons (id),
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    local_date date NOT NULL,
    local_minute bigint NOT NULL CHECK (local_minute BETWEEN 0 AND 1439),
    local_weekday bigint NOT NULL CHECK (local_weekday BETWEEN 1 AND 7),
    capacity bigint NOT NULL CHECK (capacity BETWEEN 0 AND 10000),
    taken bigint NOT NULL DEFAULT 0 CHECK (taken >= 0),
    held bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
    waiting bigint NOT NULL DEFAULT 0 CHECK (waiting >= 0),
    -- The next waitlist entry's place in the order; what goes before the head gets one below first_queue_key.
    next_queue_key bigint NOT NULL DEFAULT 1,
    credits bigint NOT NULL CHECK (credits BETWEEN 0 AND 1000),
    status text NOT NULL CHECK (status IN ('draft', 'scheduled', 'cancelled')),
    booking_opens_at timestamptz NOT NULL,
    booking_closes_at timestamptz NOT NULL,
    free_cancel_until timestamptz NOT NULL,
    promote_until timestamptz NOT NULL,
    -- When no way in is left: who still waits is told so.
    waiting_ends_at timestamptz NOT NULL,
    waitlist_cap bigint,
    changed jsonb NOT NULL,
    cancelled_at timestamptz,
    cancel_reason text CHECK (cancel_reason IN ('illness', 'weather', 'premises', 'too_few', 'other')),
    cancel_note text,
    -- RFC 5545 SEQUENCE: rises with each change that calendars must take.
    sequence bigint NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    CONSTRAINT sessions_never_oversold CHECK (taken + held <= capacity),
    CHECK (starts_at < ends_at),
    CHECK ((status = 'cancelled') = (cancelled_at IS NOT NULL))
);
CREATE INDEX sessions_schedule ON sessions (studio_id, local_date, starts_at, id);
CREATE INDEX sessions_instructor ON sessions (instructor_id, starts_at);
CREATE INDEX sessions_room ON sessions (room_id, starts_at);
CREATE INDEX sessions_waited_for ON sessions (waiting_ends_at) WHERE waiting > 0;
