-- Devices at a studio's door: each may check members in there and do nothing else. Whoever has the token is the device; here stands its
-- hash. A device that is taken away is deleted.
CREATE TABLE kiosks (
    id uuid PRIMARY KEY,
    studio_id uuid NOT NULL REFERENCES studios (id),
    name text NOT NULL,
    token_hash bytea NOT NULL UNIQUE,
    added_at timestamptz NOT NULL,
    added_by uuid NOT NULL,
    -- Written at most every few minutes.
    last_seen_at timestamptz
);
CREATE INDEX kiosks_studio ON kiosks (studio_id, id);

-- Codes that were shown at the door and counted, each under the id that its device chose: shown again under the same id it is answered as
-- it was, and changes nothing. Refusals are not remembered. After some days the device does not ask again, and the row goes.
CREATE TABLE check_ins (
    id uuid PRIMARY KEY,
    studio_id uuid NOT NULL REFERENCES studios (id),
    booking_id uuid NOT NULL REFERENCES bookings (id),
    by_person uuid,
    by_kiosk uuid,
    decided_at timestamptz NOT NULL,
    -- What was answered.
    arrived_at timestamptz NOT NULL,
    first_visit boolean NOT NULL,
    already boolean NOT NULL,
    CHECK ((by_person IS NULL) <> (by_kiosk IS NULL))
);
CREATE INDEX check_ins_age ON check_ins (decided_at);

-- Staff looked for the member, and they were not there. The booking stays booked; that its session was gone through is known by it.
ALTER TABLE bookings ADD COLUMN seen_absent_at timestamptz;
ALTER TABLE bookings ADD COLUMN seen_absent_by uuid;
