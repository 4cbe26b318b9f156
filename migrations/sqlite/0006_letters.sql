-- The outbox: one row a letter, written in the transaction that made it necessary.
CREATE TABLE letters (
    id BLOB NOT NULL PRIMARY KEY,
    person_id BLOB REFERENCES persons (id),
    studio_id BLOB REFERENCES studios (id),
    booking_id BLOB,
    session_id BLOB,
    -- Letters about one booking leave in this order.
    nth INTEGER NOT NULL DEFAULT 0,
    kind TEXT NOT NULL,
    -- Where to, if not to the person's address of the moment it is sent.
    to_email TEXT,
    locale TEXT NOT NULL,
    -- What it tells; erased with the words when their time is over.
    facts TEXT,
    -- RFC 5545: present when the letter carries a calendar part.
    sequence INTEGER,
    sealed_code BLOB,
    -- Two letters with one key are one letter.
    dedupe_key TEXT UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'retrying', 'failed', 'bounced', 'obsolete')),
    created_at TEXT NOT NULL,
    -- When staff last had it sent again: patience counts from there.
    retried_at TEXT,
    -- When the next attempt is due; NULL when there is none.
    due_at TEXT,
    useful_until TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    lease BLOB,
    leased_until TEXT,
    subject TEXT,
    body_text TEXT,
    body_html TEXT,
    sent_at TEXT,
    -- The last failure, or why it is obsolete; no addresses.
    error TEXT,
    CHECK ((state = 'sending') = (lease IS NOT NULL)),
    CHECK ((state IN ('queued', 'retrying')) = (due_at IS NOT NULL)),
    CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
    CHECK (facts IS NOT NULL OR state IN ('sent', 'failed', 'bounced', 'obsolete')),
    CHECK (sealed_code IS NULL OR state IN ('queued', 'sending', 'retrying'))
) STRICT;
CREATE INDEX letters_due ON letters (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX letters_leased ON letters (leased_until) WHERE lease IS NOT NULL;
CREATE INDEX letters_booking ON letters (booking_id, nth) WHERE booking_id IS NOT NULL;
CREATE INDEX letters_person ON letters (person_id, id);
CREATE INDEX letters_studio ON letters (studio_id, id);
-- Those that want somebody's eye or hand, few among the many that were sent.
CREATE INDEX letters_unsettled ON letters (state, studio_id, id)
    WHERE state IN ('queued', 'sending', 'retrying', 'failed', 'bounced');
CREATE INDEX letters_to_erase ON letters (created_at) WHERE facts IS NOT NULL;
