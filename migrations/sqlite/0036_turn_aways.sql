-- Who wanted a place on a day of the studio's calendar and was refused because none was left: once, however often they tried.
CREATE TABLE turn_aways (
    session_id BLOB NOT NULL REFERENCES sessions (id),
    person_id BLOB NOT NULL REFERENCES persons (id),
    on_date TEXT NOT NULL,
    -- When first; after 13 months it is forgotten.
    at TEXT NOT NULL,
    PRIMARY KEY (session_id, person_id, on_date)
) STRICT;
CREATE INDEX turn_aways_age ON turn_aways (at);

-- What reports look for: visits, what a studio has sold, what was paid and what is owed.
CREATE INDEX bookings_attended ON bookings (studio_id, person_id, starts_at) WHERE status = 'attended' AND guest_of IS NULL AND visitor_source IS NULL;
CREATE INDEX passes_studio ON passes (studio_id, expires_on);
CREATE INDEX ledger_money ON ledger (at) WHERE amount_minor IS NOT NULL;
CREATE INDEX penalties_paid ON penalties (studio_id, paid_at) WHERE paid_at IS NOT NULL;
CREATE INDEX penalties_due ON penalties (studio_id, at) WHERE fee_minor IS NOT NULL AND paid_at IS NULL AND waived_at IS NULL;
