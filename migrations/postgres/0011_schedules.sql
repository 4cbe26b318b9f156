-- Schedules as studios run them: series, drafts, too few, closing days, notes, substitutes.

ALTER TABLE class_types ADD COLUMN minimum bigint CHECK (minimum BETWEEN 1 AND 10000);

CREATE TABLE series (
    id uuid PRIMARY KEY,
    studio_id uuid NOT NULL REFERENCES studios (id),
    -- RFC 5545 without UNTIL and COUNT, in the studio's wall time: it yields dates.
    rule text NOT NULL,
    starts_on date NOT NULL,
    -- Its last date, inclusive.
    until_on date,
    count_max bigint CHECK (count_max > 0),
    except_dates jsonb NOT NULL,
    draft boolean NOT NULL DEFAULT false,
    -- The first date of which no session has been made; NULL: there is none.
    next_date date,
    -- When that session is due to be made.
    make_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_by uuid REFERENCES persons (id),
    created_at timestamptz NOT NULL,
    CHECK ((next_date IS NULL) = (make_at IS NULL))
);
CREATE INDEX series_due ON series (make_at) WHERE make_at IS NOT NULL;
CREATE INDEX series_of_studio ON series (studio_id, id);

-- What holds from a date of the series on: where, with whom, when, until the next part begins.
CREATE TABLE series_parts (
    series_id uuid NOT NULL REFERENCES series (id),
    from_date date NOT NULL,
    class_type_id uuid NOT NULL REFERENCES class_types (id),
    room_id uuid NOT NULL REFERENCES rooms (id),
    instructor_id uuid NOT NULL REFERENCES persons (id),
    capacity bigint CHECK (capacity BETWEEN 1 AND 10000),
    local_minute bigint NOT NULL CHECK (local_minute BETWEEN 0 AND 1439),
    -- Held so many days after the date that the rule gives.
    shift_days bigint NOT NULL DEFAULT 0 CHECK (shift_days BETWEEN -6 AND 6),
    PRIMARY KEY (series_id, from_date)
);

-- Dates of which no session could be made, and why.
CREATE TABLE series_gaps (
    series_id uuid NOT NULL REFERENCES series (id),
    series_date date NOT NULL,
    reason text NOT NULL CHECK (reason IN ('instructor_busy', 'room_busy', 'closed', 'past', 'no_instructor')),
    other_session_id uuid REFERENCES sessions (id),
    PRIMARY KEY (series_id, series_date)
);

ALTER TABLE sessions ADD COLUMN series_id uuid REFERENCES series (id);
-- The date that the rule gave, whatever day it is held on.
ALTER TABLE sessions ADD COLUMN series_date date;
-- What somebody changed by hand: edits of the series leave that alone.
ALTER TABLE sessions ADD COLUMN by_hand jsonb NOT NULL DEFAULT '[]';
-- The series' minute of the day, where a change of the clocks skipped it and the session begins later.
ALTER TABLE sessions ADD COLUMN skipped_minute bigint CHECK (skipped_minute BETWEEN 0 AND 1439);
-- Cancelled before members could see it: they never do.
ALTER TABLE sessions ADD COLUMN was_draft boolean NOT NULL DEFAULT false;
ALTER TABLE sessions ADD COLUMN minimum bigint CHECK (minimum BETWEEN 1 AND 10000);
ALTER TABLE sessions ADD COLUMN too_few_exempt boolean NOT NULL DEFAULT false;
-- When it is decided whether enough have booked, and when the next step towards it is due.
ALTER TABLE sessions ADD COLUMN too_few_at timestamptz;
ALTER TABLE sessions ADD COLUMN too_few_due_at timestamptz;
-- The instructor was told that too few had booked.
ALTER TABLE sessions ADD COLUMN too_few_warned boolean NOT NULL DEFAULT false;
ALTER TABLE sessions ADD COLUMN team_note text;
ALTER TABLE sessions ADD COLUMN member_note text;
-- Two processes that make sessions at once make each one once.
CREATE UNIQUE INDEX sessions_of_series ON sessions (series_id, series_date) WHERE series_id IS NOT NULL;
CREATE INDEX sessions_too_few ON sessions (too_few_due_at) WHERE too_few_due_at IS NOT NULL;

CREATE TABLE closing_days (
    studio_id uuid NOT NULL REFERENCES studios (id),
    closed_on date NOT NULL,
    note text,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (studio_id, closed_on)
);

-- What an instructor says she teaches in a studio, and when she could stand in for another.
CREATE TABLE teaches (
    studio_id uuid NOT NULL REFERENCES studios (id),
    person_id uuid NOT NULL REFERENCES persons (id),
    class_type_id uuid NOT NULL REFERENCES class_types (id),
    PRIMARY KEY (studio_id, person_id, class_type_id)
);
CREATE TABLE availability (
    studio_id uuid NOT NULL REFERENCES studios (id),
    person_id uuid NOT NULL REFERENCES persons (id),
    -- [{"weekday": 1, "from": "18:00", "until": "21:00"}]
    weekly jsonb NOT NULL,
    -- [{"date": "2026-12-01", "available": false, "from": null, "until": null}]
    exceptions jsonb NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (studio_id, person_id)
);

CREATE TABLE substitute_requests (
    id uuid PRIMARY KEY,
    studio_id uuid NOT NULL REFERENCES studios (id),
    session_id uuid NOT NULL REFERENCES sessions (id),
    asked_by uuid NOT NULL REFERENCES persons (id),
    note text,
    state text NOT NULL CHECK (state IN ('open', 'claimed', 'filled', 'withdrawn', 'expired')),
    claimed_by uuid REFERENCES persons (id),
    claimed_at timestamptz,
    -- When a step is due: it goes to the admin, then it expires.
    due_at timestamptz,
    told_admins_at timestamptz,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    CHECK ((state IN ('claimed', 'filled')) = (claimed_by IS NOT NULL)),
    CHECK ((state IN ('open', 'claimed')) = (ended_at IS NULL)),
    CHECK (due_at IS NULL OR ended_at IS NULL)
);
CREATE UNIQUE INDEX substitute_requests_one_open ON substitute_requests (session_id) WHERE ended_at IS NULL;
CREATE INDEX substitute_requests_due ON substitute_requests (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX substitute_requests_of_studio ON substitute_requests (studio_id, id);
