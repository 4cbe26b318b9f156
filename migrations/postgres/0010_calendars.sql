-- Private addresses that calendars subscribe to. Whoever knows the secret reads the feed; here stands its hash.
CREATE TABLE calendar_feeds (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES persons (id),
    -- A member's bookings, what an instructor teaches, or a studio's published schedule.
    kind text NOT NULL CHECK (kind IN ('bookings', 'teaching', 'studio')),
    studio_id uuid REFERENCES studios (id),
    secret_hash bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    -- Written at most once an hour.
    last_read_at timestamptz,
    revoked_at timestamptz,
    CHECK ((kind = 'studio') = (studio_id IS NOT NULL))
);
CREATE INDEX calendar_feeds_person ON calendar_feeds (person_id, id);
