-- Schedules as studios run them: series, drafts, too few, closing days, notes, substitutes.

ALTER TABLE class_types ADD COLUMN minimum INTEGER CHECK (minimum BETWEEN 1 AND 10000);

CREATE TABLE series (
    id BLOB NOT NULL PRIMARY KEY,
    studio_id BLOB NOT NULL REFERENCES studios (id),
    -- RFC 5545 without UNTIL and COUNT, in the studio's wall time: it yields dates.
    rule TEXT NOT NULL,
    starts_on TEXT NOT NULL,
    -- Its last date, inclusive.
    until_on TEXT,
    count_max INTEGER CHECK (count_max > 0),
    except_dates TEXT NOT NULL,
    draft INTEGER NOT NULL DEFAULT 0,
    -- The first date of which no session has been made; NULL: there is none.
    next_date TEXT,
    -- When that session is due to be made.
    make_at TEXT,
    version INTEGER NOT NULL DEFAULT 1,
    created_by BLOB REFERENCES persons (id),
    created_at TEXT NOT NULL,
    CHECK ((next_date IS NULL) = (make_at IS NULL))
) STRICT;
CREATE INDEX series_due ON series (make_at) WHERE make_at IS NOT NULL;
CREATE INDEX series_of_studio ON series (studio_id, id);

-- What holds from a date of the series on: where, with whom, when, until the next part begins.
CREATE TABLE series_parts (
    series_id BLOB NOT NULL REFERENCES series (id),
    from_date TEXT NOT NULL,
    class_type_id BLOB NOT NULL REFERENCES class_types (id),
    room_id BLOB NOT NULL REFERENCES rooms (id),
    instructor_id BLOB NOT NULL REFERENCES persons (id),
    capacity INTEGER CHECK (capacity BETWEEN 1 AND 10000),
    local_minute INTEGER NOT NULL CHECK (local_minute BETWEEN 0 AND 1439),
    -- Held so many days after the date that the rule gives.
    shift_days INTEGER NOT NULL DEFAULT 0 CHECK (shift_days BETWEEN -6 AND 6),
    PRIMARY KEY (series_id, from_date)
) STRICT;

-- Dates of which no session could be made, and why.
CREATE TABLE series_gaps (
    series_id BLOB NOT NULL REFERENCES series (id),
    series_date TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN ('instructor_busy', 'room_busy', 'closed', 'past', 'no_instructor')),
    other_session_id BLOB REFERENCES sessions (id),
    PRIMARY KEY (series_id, series_date)
) STRICT;

ALTER TABLE sessions ADD COLUMN series_id BLOB REFERENCES series (id);
-- The date that the rule gave, whatever day it is held on.
ALTER TABLE sessions ADD COLUMN series_date TEXT;
-- What somebody changed by hand: edits of the series leave that alone.
ALTER TABLE sessions ADD COLUMN by_hand TEXT NOT NULL DEFAULT '[]';
-- The series' minute of the day, where a change of the clocks skipped it and the session begins later.
ALTER TABLE sessions ADD COLUMN skipped_minute INTEGER CHECK (skipped_minute BETWEEN 0 AND 1439);
-- Cancelled before members could see it: they never do.
ALTER TABLE sessions ADD COLUMN was_draft INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN minimum INTEGER CHECK (minimum BETWEEN 1 AND 10000);
ALTER TABLE sessions ADD COLUMN too_few_exempt INTEGER NOT NULL DEFAULT 0;
-- When it is decided whether enough have booked, and when the next step towards it is due.
ALTER TABLE sessions ADD COLUMN too_few_at TEXT;
ALTER TABLE sessions ADD COLUMN too_few_due_at TEXT;
-- The instructor was told that too few had booked.
ALTER TABLE sessions ADD COLUMN too_few_warned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN team_note TEXT;
ALTER TABLE sessions ADD COLUMN member_note TEXT;
-- Two processes that make sessions at once make each one once.
CREATE UNIQUE INDEX sessions_of_series ON sessions (series_id, series_date) WHERE series_id IS NOT NULL;
CREATE INDEX sessions_too_few ON sessions (too_few_due_at) WHERE too_few_due_at IS NOT NULL;

CREATE TABLE closing_days (
    studio_id BLOB NOT NULL REFERENCES studios (id),
    closed_on TEXT NOT NULL,
    note TEXT,
    created_at TEXT NOT NULL,
    PRIMARY KEY (studio_id, closed_on)
) STRICT;

-- What an instructor says she teaches in a studio, and when she could stand in for another.
CREATE TABLE teaches (
    studio_id BLOB NOT NULL REFERENCES studios (id),
    person_id BLOB NOT NULL REFERENCES persons (id),
    class_type_id BLOB NOT NULL REFERENCES class_types (id),
    PRIMARY KEY (studio_id, person_id, class_type_id)
) STRICT;
CREATE TABLE availability (
    studio_id BLOB NOT NULL REFERENCES studios (id),
    person_id BLOB NOT NULL REFERENCES persons (id),
    -- [{"weekday": 1, "from": "18:00", "until": "21:00"}]
    weekly TEXT NOT NULL,
    -- [{"date": "2026-12-01", "available": false, "from": null, "until": null}]
    exceptions TEXT NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (studio_id, person_id)
) STRICT;

CREATE TABLE substitute_requests (
    id BLOB NOT NULL PRIMARY KEY,
    studio_id BLOB NOT NULL REFERENCES studios (id),
    session_id BLOB NOT NULL REFERENCES sessions (id),
    asked_by BLOB NOT NULL REFERENCES persons (id),
    note TEXT,
    state TEXT NOT NULL CHECK (state IN ('open', 'claimed', 'filled', 'withdrawn', 'expired')),
    claimed_by BLOB REFERENCES persons (id),
    claimed_at TEXT,
    -- When a step is due: it goes to the admin, then it expires.
    due_at TEXT,
    told_admins_at TEXT,
    created_at TEXT NOT NULL,
    ended_at TEXT,
    CHECK ((state IN ('claimed', 'filled')) = (claimed_by IS NOT NULL)),
    CHECK ((state IN ('open', 'claimed')) = (ended_at IS NULL)),
    CHECK (due_at IS NULL OR ended_at IS NULL)
) STRICT;
CREATE UNIQUE INDEX substitute_requests_one_open ON substitute_requests (session_id) WHERE ended_at IS NULL;
CREATE INDEX substitute_requests_due ON substitute_requests (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX substitute_requests_of_studio ON substitute_requests (studio_id, id);
