-- The outbox: one row a letter, written in the transaction that made it necessary.
CREATE TABLE letters (
    id uuid PRIMARY KEY,
    person_id uuid REFERENCES persons (id),
    studio_id uuid REFERENCES studios (id),
    booking_id uuid,
    session_id uuid,
    -- Letters about one booking leave in this order.
    nth bigint NOT NULL DEFAULT 0,
    kind text NOT NULL,
    -- Where to, if not to the person's address of the moment it is sent.
    to_email text,
    locale text NOT NULL,
    -- What it tells; erased with the words when their time is over.
    facts jsonb,
    -- RFC 5545: present when the letter carries a calendar part.
    sequence bigint,
    sealed_code bytea,
    -- Two letters with one key are one letter.
    dedupe_key text COLLATE "C" UNIQUE,
    state text NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'retrying', 'failed', 'bounced', 'obsolete')),
    created_at timestamptz NOT NULL,
    -- When staff last had it sent again: patience counts from there.
    retried_at timestamptz,
    -- When the next attempt is due; NULL when there is none.
    due_at timestamptz,
    useful_until timestamptz,
    attempts bigint NOT NULL DEFAULT 0,
    lease uuid,
    leased_until timestamptz,
    subject text,
    body_text text,
    body_html text,
    sent_at timestamptz,
    -- The last failure, or why it is obsolete; no addresses.
    error text,
    CHECK ((state = 'sending') = (lease IS NOT NULL)),
    CHECK ((state IN ('queued', 'retrying')) = (due_at IS NOT NULL)),
    CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
    CHECK (facts IS NOT NULL OR state IN ('sent', 'failed', 'bounced', 'obsolete')),
    CHECK (sealed_code IS NULL OR state IN ('queued', 'sending', 'retrying'))
);
CREATE INDEX letters_due ON letters (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX letters_leased ON letters (leased_until) WHERE lease IS NOT NULL;
CREATE INDEX letters_booking ON letters (booking_id, nth) WHERE booking_id IS NOT NULL;
CREATE INDEX letters_person ON letters (person_id, id);
CREATE INDEX letters_studio ON letters (studio_id, id);
-- Those that want somebody's eye or hand, few among the many that were sent.
CREATE INDEX letters_unsettled ON letters (state, studio_id, id)
    WHERE state IN ('queued', 'sending', 'retrying', 'failed', 'bounced');
CREATE INDEX letters_to_erase ON letters (created_at) WHERE facts IS NOT NULL;
