-- Who books and cancels for whom: the other has confirmed it, or has no account and is answered for. Until then it is an address that
-- somebody wrote down. What ends is deleted.
CREATE TABLE family_links (
    id uuid PRIMARY KEY,
    holder_id uuid NOT NULL REFERENCES persons (id),
    -- For whom; NULL until it is confirmed.
    person_id uuid REFERENCES persons (id),
    -- Who is asked.
    email text,
    email_key text,
    kind text NOT NULL CHECK (kind IN ('child', 'parent', 'partner', 'other')),
    made_at timestamptz NOT NULL,
    confirmed_at timestamptz,
    CHECK ((person_id IS NULL) = (confirmed_at IS NULL)),
    CHECK ((person_id IS NULL) = (email_key IS NOT NULL)),
    CHECK (person_id IS NULL OR person_id <> holder_id)
);
CREATE UNIQUE INDEX family_links_once ON family_links (holder_id, person_id) WHERE person_id IS NOT NULL;
CREATE UNIQUE INDEX family_links_asked_once ON family_links (holder_id, email_key) WHERE email_key IS NOT NULL;
CREATE INDEX family_links_person ON family_links (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX family_links_asked ON family_links (email_key) WHERE email_key IS NOT NULL;
