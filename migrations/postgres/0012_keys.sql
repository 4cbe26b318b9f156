-- By what people are found and told apart is made by the program: names without accents and in every reading of a Chinese character, an
-- address with its domain in letters. TRUE: made by an older version, and to be made anew (`people::keys`). That is the default, for an
-- older process may still be at work beside a newer one.
ALTER TABLE members ADD COLUMN key_stale BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE persons ADD COLUMN key_stale BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE accounts ADD COLUMN key_stale BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE invitations ADD COLUMN key_stale BOOLEAN NOT NULL DEFAULT TRUE;
CREATE INDEX members_stale ON members (studio_id, person_id) WHERE key_stale;
CREATE INDEX persons_stale ON persons (id) WHERE key_stale;
CREATE INDEX accounts_stale ON accounts (person_id) WHERE key_stale;
CREATE INDEX invitations_stale ON invitations (id) WHERE key_stale;

-- The key of an address that a person shares with somebody else, who is known by it: letters go there, nobody signs in as this person.
ALTER TABLE persons ADD COLUMN contact_key text COLLATE "C" CHECK (contact_key IS NULL OR (email_key IS NULL AND deleted_at IS NULL));
CREATE INDEX persons_contact ON persons (contact_key) WHERE contact_key IS NOT NULL;
