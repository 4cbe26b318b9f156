-- Everybody whom a studio knows. A person has an account, or was entered by a front desk, or both.
CREATE TABLE persons (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    email text,
    -- Who is known by this address: it was verified, or a desk entered it. An account not yet verified stands in accounts alone.
    email_key text COLLATE "C" UNIQUE,
    phone text,
    locale text,
    verified_at timestamptz,
    is_owner boolean NOT NULL DEFAULT FALSE,
    created_at timestamptz NOT NULL,
    deletion_asked_at timestamptz,
    deletion_due_at timestamptz,
    deleted_at timestamptz,
    CHECK (deleted_at IS NULL OR (email IS NULL AND email_key IS NULL AND phone IS NULL))
);
CREATE INDEX persons_deletion_due ON persons (deletion_due_at) WHERE deletion_due_at IS NOT NULL;

-- What a person signs in with.
CREATE TABLE accounts (
    person_id uuid PRIMARY KEY REFERENCES persons (id),
    email text NOT NULL,
    email_key text COLLATE "C" NOT NULL UNIQUE,
    password_hash text NOT NULL,
    verified_at timestamptz,
    policy_version text,
    policy_accepted_at timestamptz,
    created_at timestamptz NOT NULL
);
