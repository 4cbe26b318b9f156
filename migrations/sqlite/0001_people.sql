-- Everybody whom a studio knows. A person has an account, or was entered by a front desk, or both.
CREATE TABLE persons (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT,
    -- Who is known by this address: it was verified, or a desk entered it. An account not yet verified stands in accounts alone.
    email_key TEXT UNIQUE,
    phone TEXT,
    locale TEXT,
    verified_at TEXT,
    is_owner INTEGER NOT NULL DEFAULT FALSE,
    created_at TEXT NOT NULL,
    deletion_asked_at TEXT,
    deletion_due_at TEXT,
    deleted_at TEXT,
    CHECK (deleted_at IS NULL OR (email IS NULL AND email_key IS NULL AND phone IS NULL))
) STRICT;
CREATE INDEX persons_deletion_due ON persons (deletion_due_at) WHERE deletion_due_at IS NOT NULL;

-- What a person signs in with.
CREATE TABLE accounts (
    person_id BLOB NOT NULL PRIMARY KEY REFERENCES persons (id),
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    verified_at TEXT,
    policy_version TEXT,
    policy_accepted_at TEXT,
    created_at TEXT NOT NULL
) STRICT;
