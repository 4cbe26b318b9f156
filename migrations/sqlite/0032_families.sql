-- Who books and cancels for whom: the other has confirmed it, or has no account and is answered for. Until then it is an address that
-- somebody wrote down. What ends is deleted.
CREATE TABLE family_links (
    id BLOB NOT NULL PRIMARY KEY,
    holder_id BLOB NOT NULL REFERENCES persons (id),
    -- For whom; NULL until it is confirmed.
    person_id BLOB REFERENCES persons (id),
    -- Who is asked.
    email TEXT,
    email_key TEXT,
    kind TEXT NOT NULL CHECK (kind IN ('child', 'parent', 'partner', 'other')),
    made_at TEXT NOT NULL,
    confirmed_at TEXT,
    CHECK ((person_id IS NULL) = (confirmed_at IS NULL)),
    CHECK ((person_id IS NULL) = (email_key IS NOT NULL)),
    CHECK (person_id IS NULL OR person_id <> holder_id)
) STRICT;
CREATE UNIQUE INDEX family_links_once ON family_links (holder_id, person_id) WHERE person_id IS NOT NULL;
CREATE UNIQUE INDEX family_links_asked_once ON family_links (holder_id, email_key) WHERE email_key IS NOT NULL;
CREATE INDEX family_links_person ON family_links (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX family_links_asked ON family_links (email_key) WHERE email_key IS NOT NULL;
