-- What happened at the door: sign-ins, codes, locks, changed passwords and roles, refused rights, exports, deletions. Unlike the log of
-- events it is kept for 90 days, and what was refused is counted, not listed: nobody fills it by knocking.
CREATE TABLE security_events (
    id BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    at TEXT NOT NULL,
    -- The last of as many as `count` says.
    last_at TEXT NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0),
    -- Whose account it is about; NULL where nobody has that account.
    person_id BLOB,
    -- Who did it, if not that person.
    by_id BLOB,
    studio_id BLOB,
    device_id BLOB,
    -- Keyed hashes of the network it came from, and of an address that has no account.
    network BLOB,
    address BLOB,
    request_id TEXT,
    -- What counts together: one kind, one hour, one account or address, one network. NULL: it is told one by one.
    bucket TEXT UNIQUE,
    CHECK (count = 1 OR bucket IS NOT NULL)
) STRICT;
CREATE INDEX security_events_person ON security_events (person_id, id);
CREATE INDEX security_events_studio ON security_events (studio_id, id);
CREATE INDEX security_events_age ON security_events (last_at);
