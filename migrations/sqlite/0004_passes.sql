CREATE TABLE pass_types (
    id BLOB NOT NULL PRIMARY KEY,
    studio_id BLOB NOT NULL REFERENCES studios (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('pack', 'membership')),
    credits INTEGER,
    per_week INTEGER,
    valid_days INTEGER NOT NULL CHECK (valid_days BETWEEN 1 AND 36500),
    price_minor INTEGER,
    currency TEXT,
    class_type_ids TEXT,
    studio_ids TEXT,
    version INTEGER NOT NULL DEFAULT 1,
    created_at TEXT NOT NULL,
    CHECK ((kind = 'pack') = (credits IS NOT NULL)),
    CHECK (credits > 0),
    CHECK (per_week > 0),
    CHECK ((price_minor IS NULL) = (currency IS NULL))
) STRICT;
CREATE INDEX pass_types_studio ON pass_types (studio_id);

-- What a member books with. A pack's balance is the sum of its ledger, kept in the same transaction.
CREATE TABLE passes (
    id BLOB NOT NULL PRIMARY KEY,
    studio_id BLOB NOT NULL REFERENCES studios (id),
    person_id BLOB NOT NULL REFERENCES persons (id),
    pass_type_id BLOB NOT NULL REFERENCES pass_types (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('pack', 'membership')),
    credits_left INTEGER,
    per_week INTEGER,
    expires_on TEXT NOT NULL,
    class_type_ids TEXT,
    studio_ids TEXT NOT NULL,
    sold_at TEXT NOT NULL,
    sold_by BLOB REFERENCES persons (id),
    CONSTRAINT passes_never_below_zero CHECK (credits_left >= 0),
    CHECK ((kind = 'pack') = (credits_left IS NOT NULL))
) STRICT;
CREATE INDEX passes_person ON passes (person_id, expires_on);

-- Append-only: credits and money that a pass gained or lost, and why.
CREATE TABLE ledger (
    id BLOB NOT NULL PRIMARY KEY,
    pass_id BLOB NOT NULL REFERENCES passes (id),
    at TEXT NOT NULL,
    credits INTEGER NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN ('sold', 'booked', 'promoted', 'cancelled', 'session_cancelled', 'returned_by_staff', 'removed')),
    booking_id BLOB,
    amount_minor INTEGER,
    currency TEXT,
    method TEXT,
    reference TEXT,
    by_person BLOB
) STRICT;
CREATE INDEX ledger_pass ON ledger (pass_id, at, id);

-- The answer to a creating call that moves credits or money, so that it may be sent again.
CREATE TABLE idempotency_keys (
    person_id BLOB NOT NULL REFERENCES persons (id),
    key TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    result_id BLOB NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (person_id, key)
) STRICT;
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
