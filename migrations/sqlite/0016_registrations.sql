-- A code shows whose the mailbox is, not who chose the password. Whoever registers has from now on an account of their own that waits for
-- its address to be confirmed, with a code of its own and a secret that its app keeps: several may wait for one address, and none of them
-- touches another. Confirmed, an address is one account's, as before.
CREATE TABLE accounts_new (
    person_id BLOB NOT NULL PRIMARY KEY REFERENCES persons (id),
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    verified_at TEXT,
    policy_version TEXT,
    policy_accepted_at TEXT,
    created_at TEXT NOT NULL,
    key_stale INTEGER NOT NULL DEFAULT TRUE,
    -- Of the secret that the answer to the registration gave.
    registration_hash BLOB
) STRICT;
INSERT INTO accounts_new (person_id, email, email_key, password_hash, verified_at, policy_version, policy_accepted_at, created_at, key_stale)
    SELECT person_id, email, email_key, password_hash, verified_at, policy_version, policy_accepted_at, created_at, key_stale FROM accounts;
DROP TABLE accounts;
ALTER TABLE accounts_new RENAME TO accounts;
CREATE UNIQUE INDEX accounts_address ON accounts (email_key) WHERE verified_at IS NOT NULL;
CREATE INDEX accounts_email ON accounts (email_key);
CREATE INDEX accounts_stale ON accounts (person_id) WHERE key_stale;

-- A code for another address of an account is of a kind of its own: it counts only for who is signed in to that account.
CREATE TABLE codes_new (
    id BLOB NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL CHECK (purpose IN ('address', 'change', 'password', 'deletion')),
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    -- Whose account it acts on; NULL: nobody's, no code fits.
    person_id BLOB REFERENCES persons (id),
    code_hash BLOB NOT NULL,
    -- The how-many-eth for this address and purpose: a new code ends those before it, whatever the clocks say.
    nth INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    used_at TEXT,
    -- Wrong codes of people who did not show which registration they meant: they end nothing for who does.
    blind_tries INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO codes_new (id, purpose, email, email_key, person_id, code_hash, nth, created_at, expires_at, tries, used_at)
    SELECT id, purpose, email, email_key, person_id, code_hash, nth, created_at, expires_at, tries, used_at FROM codes;
DROP TABLE codes;
ALTER TABLE codes_new RENAME TO codes;
UPDATE codes SET purpose = 'change'
    WHERE purpose = 'address' AND EXISTS (SELECT 1 FROM accounts a WHERE a.person_id = codes.person_id AND a.email_key <> codes.email_key);
CREATE INDEX codes_address ON codes (email_key, purpose, created_at);
CREATE INDEX codes_person ON codes (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX codes_age ON codes (created_at);
