-- Valid for days or for months, which keep their day: one of the two.
ALTER TABLE pass_types ADD COLUMN valid_days_now bigint CHECK (valid_days_now BETWEEN 1 AND 36500);
UPDATE pass_types SET valid_days_now = valid_days;
ALTER TABLE pass_types DROP COLUMN valid_days;
ALTER TABLE pass_types RENAME COLUMN valid_days_now TO valid_days;
ALTER TABLE pass_types ADD COLUMN valid_months bigint CHECK (valid_months BETWEEN 1 AND 120) CHECK ((valid_days IS NULL) <> (valid_months IS NULL));
-- From when that counts, and by when a pass that counts from the first class must have begun.
ALTER TABLE pass_types ADD COLUMN valid_from text NOT NULL DEFAULT 'sale' CHECK (valid_from IN ('sale', 'first_attended'));
ALTER TABLE pass_types ADD COLUMN activate_within_days bigint CHECK (activate_within_days BETWEEN 1 AND 36500);
-- To whom it is sold, and what a member may buy after it.
ALTER TABLE pass_types ADD COLUMN new_members_only boolean NOT NULL DEFAULT FALSE;
ALTER TABLE pass_types ADD COLUMN once_per_person boolean NOT NULL DEFAULT FALSE;
ALTER TABLE pass_types ADD COLUMN followed_by uuid REFERENCES pass_types (id);
-- What whoever holds one may do with it.
ALTER TABLE pass_types ADD COLUMN freeze_days_max bigint NOT NULL DEFAULT 0 CHECK (freeze_days_max BETWEEN 0 AND 3660);
ALTER TABLE pass_types ADD COLUMN transferable boolean NOT NULL DEFAULT FALSE;

-- The first day on which it pays, if that was named when it was sold.
ALTER TABLE passes ADD COLUMN starts_on date;
-- How long it is valid from the first class attended; NULL: it counts from the sale.
ALTER TABLE passes ADD COLUMN valid_days bigint;
ALTER TABLE passes ADD COLUMN valid_months bigint;
-- Such a pass begins with a class until this day, which is its last until it has begun.
ALTER TABLE passes ADD COLUMN begin_by date;
ALTER TABLE passes ADD COLUMN begun_on date;
-- As its type was when it was sold.
ALTER TABLE passes ADD COLUMN freeze_days_max bigint NOT NULL DEFAULT 0;
ALTER TABLE passes ADD COLUMN transferable boolean NOT NULL DEFAULT FALSE;
-- The latest freeze, first and last day, and how many days it was frozen in all.
ALTER TABLE passes ADD COLUMN frozen_from date;
ALTER TABLE passes ADD COLUMN frozen_until date CHECK ((frozen_from IS NULL) = (frozen_until IS NULL)) CHECK (frozen_from <= frozen_until);
ALTER TABLE passes ADD COLUMN frozen_days bigint NOT NULL DEFAULT 0 CHECK (frozen_days >= 0);
-- Days that the studio gave besides.
ALTER TABLE passes ADD COLUMN extended_days bigint NOT NULL DEFAULT 0 CHECK (extended_days >= 0);
-- It was refunded, or transferred: then to another pass.
ALTER TABLE passes ADD COLUMN ended_at timestamptz;
ALTER TABLE passes ADD COLUMN moved_to uuid REFERENCES passes (id) CHECK (moved_to IS NULL OR ended_at IS NOT NULL);
-- When it is looked at next, to tell its end ahead.
ALTER TABLE passes ADD COLUMN notice_at timestamptz;
UPDATE passes SET notice_at = sold_at;
CREATE INDEX passes_notice ON passes (notice_at) WHERE notice_at IS NOT NULL;

-- Why in words, as staff wrote it.
ALTER TABLE ledger ADD COLUMN note text;
ALTER TABLE ledger ADD COLUMN reason_now text NOT NULL DEFAULT 'sold' CHECK (reason_now IN ('sold', 'booked', 'promoted', 'cancelled', 'session_cancelled', 'returned_by_staff', 'removed', 'forgiven', 'waived', 'gift', 'extended', 'begun', 'frozen', 'unfrozen', 'transferred', 'refunded'));
UPDATE ledger SET reason_now = reason;
ALTER TABLE ledger DROP COLUMN reason;
ALTER TABLE ledger RENAME COLUMN reason_now TO reason;
