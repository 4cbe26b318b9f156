-- What a late cancellation or an absence came to: one row a booking, also where it was forgiven. What was taken from a pass is in its
-- ledger; here are the strike and the fee, and who took them back.
CREATE TABLE penalties (
    id uuid PRIMARY KEY,
    studio_id uuid NOT NULL REFERENCES studios (id),
    person_id uuid NOT NULL REFERENCES persons (id),
    booking_id uuid NOT NULL REFERENCES bookings (id),
    kind text NOT NULL CHECK (kind IN ('late_cancel', 'no_show')),
    at timestamptz NOT NULL,
    -- The first day of the calendar month in which it happened, by the studio's clock.
    month date NOT NULL,
    strike boolean NOT NULL,
    fee_minor bigint CHECK (fee_minor > 0),
    fee_currency text,
    -- Why nothing was taken: one of those that are forgiven each month, or a day without penalties.
    forgiven text CHECK (forgiven IN ('month', 'day')),
    waived_at timestamptz,
    -- NULL with `waived_at`: the studio cancelled the session.
    waived_by uuid,
    waived_reason text,
    paid_at timestamptz,
    paid_by uuid,
    paid_method text,
    paid_reference text,
    CHECK ((fee_minor IS NULL) = (fee_currency IS NULL)),
    CHECK (forgiven IS NULL OR (NOT strike AND fee_minor IS NULL)),
    CHECK (paid_at IS NULL OR fee_minor IS NOT NULL)
);
CREATE UNIQUE INDEX penalties_booking ON penalties (booking_id);
CREATE INDEX penalties_person ON penalties (person_id, at);

-- What a late cancellation or an absence costs besides what was paid, as it was when the place was given. NULL: nothing.
ALTER TABLE bookings ADD COLUMN penalty_terms jsonb;

-- One more reason why a waiting member was passed over.
ALTER TABLE bookings ADD COLUMN passed_over_now text
    CHECK (passed_over_now IN ('no_pass', 'overlap', 'too_many_bookings', 'turned_down', 'suspended'));
UPDATE bookings SET passed_over_now = passed_over WHERE passed_over IS NOT NULL;
ALTER TABLE bookings DROP COLUMN passed_over;
ALTER TABLE bookings RENAME COLUMN passed_over_now TO passed_over;

-- Two more reasons why a credit comes back.
ALTER TABLE ledger ADD COLUMN reason_now text NOT NULL DEFAULT 'sold' CHECK (reason_now IN
    ('sold', 'booked', 'promoted', 'cancelled', 'session_cancelled', 'returned_by_staff', 'removed', 'forgiven', 'waived'));
UPDATE ledger SET reason_now = reason;
ALTER TABLE ledger DROP COLUMN reason;
ALTER TABLE ledger RENAME COLUMN reason_now TO reason;
