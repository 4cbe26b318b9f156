-- Private addresses that calendars subscribe to. Whoever knows the secret reads the feed; here stands its hash.
CREATE TABLE calendar_feeds (
    id BLOB NOT NULL PRIMARY KEY,
    person_id BLOB NOT NULL REFERENCES persons (id),
    -- A member's bookings, what an instructor teaches, or a studio's published schedule.
    kind TEXT NOT NULL CHECK (kind IN ('bookings', 'teaching', 'studio')),
    studio_id BLOB REFERENCES studios (id),
    secret_hash BLOB NOT NULL UNIQUE,
    created_at TEXT NOT NULL,
    -- Written at most once an hour.
    last_read_at TEXT,
    revoked_at TEXT,
    CHECK ((kind = 'studio') = (studio_id IS NOT NULL))
) STRICT;
CREATE INDEX calendar_feeds_person ON calendar_feeds (person_id, id);
