CREATE TABLE pass_types (
    id uuid PRIMARY KEY,
    studio_id uuid NOT NULL REFERENCES studios (id),
    name jsonb NOT NULL,
    kind text NOT NULL CHECK (kind IN ('pack', 'membership')),
    credits bigint,
    per_week bigint,
    valid_days bigint NOT NULL CHECK (valid_days BETWEEN 1 AND 36500),
    price_minor bigint,
    currency text,
    class_type_ids jsonb,
    studio_ids jsonb,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    CHECK ((kind = 'pack') = (credits IS NOT NULL)),
    CHECK (credits > 0),
    CHECK (per_week > 0),
    CHECK ((price_minor IS NULL) = (currency IS NULL))
);
CREATE INDEX pass_types_studio ON pass_types (studio_id);

-- What a member books with. A pack's balance is the sum of its ledger, kept in the same transaction.
CREATE TABLE passes (
    id uuid PRIMARY KEY,
    studio_id uuid NOT NULL REFERENCES studios (id),
    person_id uuid NOT NULL REFERENCES persons (id),
    pass_type_id uuid NOT NULL REFERENCES pass_types (id),
    name jsonb NOT NULL,
    kind text NOT NULL CHECK (kind IN ('pack', 'membership')),
    credits_left bigint,
    per_week bigint,
    expires_on date NOT NULL,
    class_type_ids jsonb,
    studio_ids jsonb NOT NULL,
    sold_at timestamptz NOT NULL,
    sold_by uuid REFERENCES persons (id),
    CONSTRAINT passes_never_below_zero CHECK (credits_left >= 0),
    CHECK ((kind = 'pack') = (credits_left IS NOT NULL))
);
CREATE INDEX passes_person ON passes (person_id, expires_on);

-- Append-only: credits and money that a pass gained or lost, and why.
CREATE TABLE ledger (
    id uuid PRIMARY KEY,
    pass_id uuid NOT NULL REFERENCES passes (id),
    at timestamptz NOT NULL,
    credits bigint NOT NULL,
    reason text NOT NULL CHECK (reason IN ('sold', 'booked', 'promoted', 'cancelled', 'session_cancelled', 'returned_by_staff', 'removed')),
    booking_id uuid,
    amount_minor bigint,
    currency text,
    method text,
    reference text,
    by_person uuid
);
CREATE INDEX ledger_pass ON ledger (pass_id, at, id);

-- The answer to a creating call that moves credits or money, so that it may be sent again.
CREATE TABLE idempotency_keys (
    person_id uuid NOT NULL REFERENCES persons (id),
    key text COLLATE "C" NOT NULL,
    body_hash text NOT NULL,
    result_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (person_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
