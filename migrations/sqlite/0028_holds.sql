-- Places of a session that are kept back, for whom or why: until an instant, or as long as the session stands. `sessions.held` is the sum
-- of those that run.
CREATE TABLE holds (
    -- Chosen by the app, so that a call may be repeated.
    id BLOB NOT NULL PRIMARY KEY,
    studio_id BLOB NOT NULL REFERENCES studios (id),
    session_id BLOB NOT NULL REFERENCES sessions (id),
    kind TEXT NOT NULL CHECK (kind IN ('guest', 'brand', 'partner', 'staff', 'broken')),
    places INTEGER NOT NULL CHECK (places BETWEEN 1 AND 10000),
    -- From then on the places are free again, and from the start at the latest. NULL: they are not given to anybody by the clock.
    until TEXT,
    note TEXT,
    made_at TEXT NOT NULL,
    made_by BLOB NOT NULL,
    ended_at TEXT,
    -- NULL with `ended_at`: not a person's doing.
    ended_by BLOB,
    outcome TEXT CHECK (outcome IN ('released', 'expired', 'session_cancelled')),
    CHECK ((outcome IS NULL) = (ended_at IS NULL)),
    CHECK (ended_by IS NULL OR ended_at IS NOT NULL)
) STRICT;
CREATE INDEX holds_session ON holds (session_id);
CREATE INDEX holds_due ON holds (until) WHERE ended_at IS NULL AND until IS NOT NULL;
