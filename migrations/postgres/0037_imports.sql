-- What a studio brought over from another program: one file each, all of it or nothing.
CREATE TABLE imports (
    -- Chosen by the app, so that a call may be repeated.
    id uuid PRIMARY KEY,
    studio_id uuid NOT NULL REFERENCES studios (id),
    kind text NOT NULL CHECK (kind IN ('members', 'passes', 'bookings')),
    -- Of the file and of how it was to be read: a repeat is compared with it.
    digest bytea NOT NULL,
    by_person uuid NOT NULL REFERENCES persons (id),
    at timestamptz NOT NULL,
    lines bigint NOT NULL CHECK (lines >= 0),
    made bigint NOT NULL CHECK (made >= 0),
    -- What was there already.
    known bigint NOT NULL CHECK (known >= 0),
    skipped bigint NOT NULL CHECK (skipped >= 0),
    -- The lines that were left out, each with the reason, for some days.
    skipped_lines text,
    -- When its people were invited, and how many an hour.
    invited_at timestamptz,
    invited_per_hour bigint CHECK (invited_per_hour > 0),
    CHECK ((invited_at IS NULL) = (invited_per_hour IS NULL))
);
CREATE INDEX imports_studio ON imports (studio_id, id);
CREATE INDEX imports_to_erase ON imports (at) WHERE skipped_lines IS NOT NULL;

-- By what the other program called it: the same line twice makes nothing twice.
CREATE TABLE brought_over (
    studio_id uuid NOT NULL REFERENCES studios (id),
    kind text NOT NULL CHECK (kind IN ('members', 'passes', 'bookings')),
    key text COLLATE "C" NOT NULL,
    -- The member, the pass, the booking.
    row_id uuid NOT NULL,
    import_id uuid NOT NULL REFERENCES imports (id),
    -- FALSE: it was there before.
    made boolean NOT NULL,
    PRIMARY KEY (studio_id, kind, key)
);
CREATE INDEX brought_over_row ON brought_over (row_id);
CREATE INDEX brought_over_import ON brought_over (import_id);

-- One more reason: the credits that a pass had in the other program.
ALTER TABLE ledger ADD COLUMN reason_now text NOT NULL DEFAULT 'sold' CHECK (reason_now IN ('sold', 'booked', 'promoted', 'cancelled', 'session_cancelled', 'returned_by_staff', 'removed', 'forgiven', 'waived', 'gift', 'extended', 'begun', 'frozen', 'unfrozen', 'transferred', 'refunded', 'brought_over'));
UPDATE ledger SET reason_now = reason;
ALTER TABLE ledger DROP COLUMN reason;
ALTER TABLE ledger RENAME COLUMN reason_now TO reason;

-- Whose everything is that was theirs: they stood among the members twice.
ALTER TABLE persons ADD COLUMN merged_into uuid REFERENCES persons (id);
