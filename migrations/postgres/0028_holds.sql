-- Places of a session that are kept back, for whom or why: until an instant, or as long as the session stands. `sessions.held` is the sum
-- of those that run.
CREATE TABLE holds (
    -- Chosen by the app, so that a call may be repeated.
    id uuid PRIMARY KEY,
    studio_id uuid NOT NULL REFERENCES studios (id),
    session_id uuid NOT NULL REFERENCES sessions (id),
    kind text NOT NULL CHECK (kind IN ('guest', 'brand', 'partner', 'staff', 'broken')),
    places bigint NOT NULL CHECK (places BETWEEN 1 AND 10000),
    -- From then on the places are free again, and from the start at the latest. NULL: they are not given to anybody by the clock.
    until timestamptz,
    note text,
    made_at timestamptz NOT NULL,
    made_by uuid NOT NULL,
    ended_at timestamptz,
    -- NULL with `ended_at`: not a person's doing.
    ended_by uuid,
    outcome text CHECK (outcome IN ('released', 'expired', 'session_cancelled')),
    CHECK ((outcome IS NULL) = (ended_at IS NULL)),
    CHECK (ended_by IS NULL OR ended_at IS NOT NULL)
);
CREATE INDEX holds_session ON holds (session_id);
CREATE INDEX holds_due ON holds (until) WHERE ended_at IS NULL AND until IS NOT NULL;
