-- A code shows whose the mailbox is, not who chose the password. Whoever registers has from now on an account of their own that waits for
-- its address to be confirmed, with a code of its own and a secret that its app keeps: several may wait for one address, and none of them
-- touches another. Confirmed, an address is one account's, as before.
ALTER TABLE accounts DROP CONSTRAINT accounts_email_key_key;
-- Of the secret that the answer to the registration gave.
ALTER TABLE accounts ADD COLUMN registration_hash bytea;
-- Made anew, as SQLite has to, which knows no other way to take a rule from a column.
DROP INDEX accounts_stale;
CREATE UNIQUE INDEX accounts_address ON accounts (email_key) WHERE verified_at IS NOT NULL;
CREATE INDEX accounts_email ON accounts (email_key);
CREATE INDEX accounts_stale ON accounts (person_id) WHERE key_stale;

-- A code for another address of an account is of a kind of its own: it counts only for who is signed in to that account.
ALTER TABLE codes DROP CONSTRAINT codes_purpose_check;
ALTER TABLE codes ADD CHECK (purpose IN ('address', 'change', 'password', 'deletion'));
-- Wrong codes of people who did not show which registration they meant: they end nothing for who does.
ALTER TABLE codes ADD COLUMN blind_tries bigint NOT NULL DEFAULT 0;
UPDATE codes SET purpose = 'change'
    WHERE purpose = 'address' AND EXISTS (SELECT 1 FROM accounts a WHERE a.person_id = codes.person_id AND a.email_key <> codes.email_key);
DROP INDEX codes_address, codes_person, codes_age;
CREATE INDEX codes_address ON codes (email_key, purpose, created_at);
CREATE INDEX codes_person ON codes (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX codes_age ON codes (created_at);
