-- What somebody shows besides their password: an authenticator app, or a passkey.
CREATE TABLE second_factors (
    id BLOB NOT NULL PRIMARY KEY,
    person_id BLOB NOT NULL REFERENCES persons (id),
    kind TEXT NOT NULL,
    name TEXT,
    -- An authenticator app's secret, sealed by the deployment's key together with the row's id.
    sealed_secret BLOB,
    created_at TEXT NOT NULL,
    -- When the first code of it was shown; before, it counts for nothing.
    confirmed_at TEXT,
    -- Wrong codes that were shown to confirm it.
    tries INTEGER NOT NULL DEFAULT 0,
    -- The last step of 30 seconds whose code was taken: none is taken twice, nor one of before.
    last_step INTEGER,
    last_used_at TEXT,
    -- A passkey: the authenticator's name for it, and its public key with what is known of it.
    credential_id BLOB UNIQUE,
    passkey TEXT,
    -- What its authenticator was asked, as long as it is not confirmed.
    asked TEXT,
    CHECK (kind <> 'totp' OR sealed_secret IS NOT NULL),
    CHECK (kind <> 'totp' OR confirmed_at IS NULL OR last_step IS NOT NULL),
    CHECK (kind <> 'passkey' OR confirmed_at IS NULL OR (passkey IS NOT NULL AND credential_id IS NOT NULL))
) STRICT;
CREATE INDEX second_factors_person ON second_factors (person_id);

-- Codes for whoever has lost the rest, each good for once.
CREATE TABLE recovery_codes (
    id BLOB NOT NULL PRIMARY KEY,
    person_id BLOB NOT NULL REFERENCES persons (id),
    code_hash BLOB NOT NULL,
    created_at TEXT NOT NULL,
    used_at TEXT
) STRICT;
CREATE UNIQUE INDEX recovery_codes_person ON recovery_codes (person_id, code_hash);

-- A device whose password was right, and which has still to show a second factor, is not signed in. What it was given to come back with is
-- the challenge; as a refresh token it is worth nothing.
ALTER TABLE devices ADD COLUMN awaits_factor INTEGER NOT NULL DEFAULT FALSE;
ALTER TABLE devices ADD COLUMN factor_tries INTEGER NOT NULL DEFAULT 0;

-- What its person's authenticator was last asked on it, to show a passkey, and when.
ALTER TABLE devices ADD COLUMN passkey_asked TEXT;
ALTER TABLE devices ADD COLUMN passkey_asked_at TEXT;

-- Wrong codes on an account, whatever the device, and since when they are counted.
ALTER TABLE accounts ADD COLUMN factor_refused INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN factor_refused_since TEXT;

-- Whether the studio's admins must have one.
ALTER TABLE studios ADD COLUMN second_factor_required INTEGER NOT NULL DEFAULT FALSE;
