-- Where a person is signed in. A refresh token is the device's id, the secret of its family and a secret of its own; here stand hashes.
CREATE TABLE devices (
    id BLOB NOT NULL PRIMARY KEY,
    person_id BLOB NOT NULL REFERENCES persons (id),
    name TEXT,
    -- What all refresh tokens of this device have in common: who knows it holds one of them, if only an old one.
    family_hash BLOB NOT NULL,
    -- The refresh token that works,
    current_hash BLOB NOT NULL,
    -- and the one it replaced, which works a while longer as long as the current one has not been used.
    previous_hash BLOB,
    replaced_at TEXT,
    created_at TEXT NOT NULL,
    used_at TEXT NOT NULL,
    ended_at TEXT,
    CHECK ((previous_hash IS NULL) = (replaced_at IS NULL))
) STRICT;
CREATE INDEX devices_person ON devices (person_id, used_at);
CREATE INDEX devices_age ON devices (used_at);

-- Codes that were mailed, and rows like them for addresses that nobody has: a request for one leaves as much behind as for the other.
CREATE TABLE codes (
    id BLOB NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL CHECK (purpose IN ('address', 'password', 'deletion')),
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
    used_at TEXT
) STRICT;
CREATE INDEX codes_address ON codes (email_key, purpose, created_at);
CREATE INDEX codes_person ON codes (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX codes_age ON codes (created_at);

-- Invitations to join a studio's staff.
CREATE TABLE invitations (
    id BLOB NOT NULL PRIMARY KEY,
    studio_id BLOB NOT NULL REFERENCES studios (id),
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    roles TEXT NOT NULL,
    code_hash BLOB NOT NULL UNIQUE,
    invited_by BLOB NOT NULL REFERENCES persons (id),
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    accepted_at TEXT,
    accepted_by BLOB REFERENCES persons (id),
    CHECK ((accepted_at IS NULL) = (accepted_by IS NULL))
) STRICT;
CREATE INDEX invitations_studio ON invitations (studio_id, email_key);
CREATE INDEX invitations_age ON invitations (expires_at);
