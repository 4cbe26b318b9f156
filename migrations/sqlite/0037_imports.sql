-- What a studio brought over from another program: one file each, all of it or nothing.
CREATE TABLE imports (
    -- Chosen by the app, so that a call may be repeated.
    id BLOB NOT NULL PRIMARY KEY,
    studio_id BLOB NOT NULL REFERENCES studios (id),
    kind TEXT NOT NULL CHECK (kind IN ('members', 'passes', 'bookings')),
    -- Of the file and of how it was to be read: a repeat is compared with it.
    digest BLOB NOT NULL,
    by_person BLOB NOT NULL REFERENCES persons (id),
    at TEXT NOT NULL,
    lines INTEGER NOT NULL CHECK (lines >= 0),
    made INTEGER NOT NULL CHECK (made >= 0),
    -- What was there already.
    known INTEGER NOT NULL CHECK (known >= 0),
    skipped INTEGER NOT NULL CHECK (skipped >= 0),
    -- The lines that were left out, each with the reason, for some days.
    skipped_lines TEXT,
    -- When its people were invited, and how many an hour.
    invited_at TEXT,
    invited_per_hour INTEGER CHECK (invited_per_hour > 0),
    CHECK ((invited_at IS NULL) = (invited_per_hour IS NULL))
) STRICT;
CREATE INDEX imports_studio ON imports (studio_id, id);
CREATE INDEX imports_to_erase ON imports (at) WHERE skipped_lines IS NOT NULL;

-- By what the other program called it: the same line twice makes nothing twice.
CREATE TABLE brought_over (
    studio_id BLOB NOT NULL REFERENCES studios (id),
    kind TEXT NOT NULL CHECK (kind IN ('members', 'passes', 'bookings')),
    key TEXT NOT NULL,
    -- The member, the pass, the booking.
    row_id BLOB NOT NULL,
    import_id BLOB NOT NULL REFERENCES imports (id),
    -- FALSE: it was there before.
    made INTEGER NOT NULL,
    PRIMARY KEY (studio_id, kind, key)
) STRICT;
CREATE INDEX brought_over_row ON brought_over (row_id);
CREATE INDEX brought_over_import ON brought_over (import_id);

-- One more reason: the credits that a pass had in the other program.
ALTER TABLE ledger ADD COLUMN reason_now TEXT NOT NULL DEFAULT 'sold' CHECK (reason_now IN ('sold', 'booked', 'promoted', 'cancelled', 'session_cancelled', 'returned_by_staff', 'removed', 'forgiven', 'waived', 'gift', 'extended', 'begun', 'frozen', 'unfrozen', 'transferred', 'refunded', 'brought_over'));
UPDATE ledger SET reason_now = reason;
ALTER TABLE ledger DROP COLUMN reason;
ALTER TABLE ledger RENAME COLUMN reason_now TO reason;

-- Whose everything is that was theirs: they stood among the members twice.
ALTER TABLE persons ADD COLUMN merged_into BLOB REFERENCES persons (id);
