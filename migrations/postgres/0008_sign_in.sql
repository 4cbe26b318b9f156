-- Where a person is signed in. A refresh token is the device's id, the secret of its family and a secret of its own; here stand hashes.
CREATE TABLE devices (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES persons (id),
    name text,
    -- What all refresh tokens of this device have in common: who knows it holds one of them, if only an old one.
    family_hash bytea NOT NULL,
    -- The refresh token that works,
    current_hash bytea NOT NULL,
    -- and the one it replaced, which works a while longer as long as the current one has not been used.
    previous_hash bytea,
    replaced_at timestamptz,
    created_at timestamptz NOT NULL,
    used_at timestamptz NOT NULL,
    ended_at timestamptz,
    CHECK ((previous_hash IS NULL) = (replaced_at IS NULL))
);
CREATE INDEX devices_person ON devices (person_id, used_at);
CREATE INDEX devices_age ON devices (used_at);

-- Codes that were mailed, and rows like them for addresses that nobody has: a request for one leaves as much behind as for the other.
CREATE TABLE codes (
    id uuid PRIMARY KEY,
    purpose text NOT NULL CHECK (purpose IN ('address', 'password', 'deletion')),
    email text NOT NULL,
    email_key text COLLATE "C" NOT NULL,
    -- Whose account it acts on; NULL: nobody's, no code fits.
    person_id uuid REFERENCES persons (id),
    code_hash bytea NOT NULL,
    -- The how-many-eth for this address and purpose: a new code ends those before it, whatever the clocks say.
    nth bigint NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    tries bigint NOT NULL DEFAULT 0,
    used_at timestamptz
);
CREATE INDEX codes_address ON codes (email_key, purpose, created_at);
CREATE INDEX codes_person ON codes (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX codes_age ON codes (created_at);

-- Invitations to join a studio's staff.
CREATE TABLE invitations (
    id uuid PRIMARY KEY,
    studio_id uuid NOT NULL REFERENCES studios (id),
    email text NOT NULL,
    email_key text COLLATE "C" NOT NULL,
    roles jsonb NOT NULL,
    code_hash bytea NOT NULL UNIQUE,
    invited_by uuid NOT NULL REFERENCES persons (id),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    accepted_at timestamptz,
    accepted_by uuid REFERENCES persons (id),
    CHECK ((accepted_at IS NULL) = (accepted_by IS NULL))
);
CREATE INDEX invitations_studio ON invitations (studio_id, email_key);
CREATE INDEX invitations_age ON invitations (expires_at);
