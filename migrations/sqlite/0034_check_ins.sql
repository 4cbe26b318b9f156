-- Devices at a studio's door: each may check members in there and do nothing else. Whoever has the token is the device; here stands its
-- hash. A device that is taken away is deleted.
CREATE TABLE kiosks (
    id BLOB NOT NULL PRIMARY KEY,
    studio_id BLOB NOT NULL REFERENCES studios (id),
    name TEXT NOT NULL,
    token_hash BLOB NOT NULL UNIQUE,
    added_at TEXT NOT NULL,
    added_by BLOB NOT NULL,
    -- Written at most every few minutes.
    last_seen_at TEXT
) STRICT;
CREATE INDEX kiosks_studio ON kiosks (studio_id, id);

-- Codes that were shown at the door and counted, each under the id that its device chose: shown again under the same id it is answered as
-- it was, and changes nothing. Refusals are not remembered. After some days the device does not ask again, and the row goes.
CREATE TABLE check_ins (
    id BLOB NOT NULL PRIMARY KEY,
    studio_id BLOB NOT NULL REFERENCES studios (id),
    booking_id BLOB NOT NULL REFERENCES bookings (id),
    by_person BLOB,
    by_kiosk BLOB,
    decided_at TEXT NOT NULL,
    -- What was answered.
    arrived_at TEXT NOT NULL,
    first_visit INTEGER NOT NULL,
    already INTEGER NOT NULL,
    CHECK ((by_person IS NULL) <> (by_kiosk IS NULL))
) STRICT;
CREATE INDEX check_ins_age ON check_ins (decided_at);

-- Staff looked for the member, and they were not there. The booking stays booked; that its session was gone through is known by it.
ALTER TABLE bookings ADD COLUMN seen_absent_at TEXT;
ALTER TABLE bookings ADD COLUMN seen_absent_by BLOB;
