-- What happened, as events: the audit log becomes their table and keeps its rows. They are numbered per studio in the order of commits,
-- without a gap, so that whoever follows a studio may read on from the last number that they know.
ALTER TABLE audit_log RENAME TO events;
ALTER INDEX audit_log_pkey RENAME TO events_pkey;
DROP INDEX audit_log_subject;
CREATE INDEX events_subject ON events (subject_id, at);
ALTER TABLE events ADD COLUMN number bigint CHECK (number > 0);
UPDATE events SET number = n.number
    FROM (SELECT id, row_number() OVER (PARTITION BY studio_id ORDER BY at, id) AS number FROM events WHERE studio_id IS NOT NULL) n
    WHERE n.id = events.id;
CREATE UNIQUE INDEX events_number ON events (studio_id, number);

-- The last number of each studio.
CREATE TABLE event_numbers (
    studio_id uuid PRIMARY KEY,
    last bigint NOT NULL CHECK (last > 0)
);
INSERT INTO event_numbers (studio_id, last) SELECT studio_id, MAX(number) FROM events WHERE studio_id IS NOT NULL GROUP BY studio_id;

-- Events carry no free text: why staff gave a place for nothing stands with the booking, as why they ended it does already.
ALTER TABLE bookings ADD COLUMN unpaid_reason text;
UPDATE bookings SET unpaid_reason = e.details ->> 'unpaid'
    FROM events e
    WHERE e.subject_id = bookings.id AND e.action = 'booking.booked' AND e.details ->> 'unpaid' IS NOT NULL;
UPDATE events SET details = details - 'unpaid' - 'reason'
    WHERE action IN ('booking.booked', 'booking.cancelled', 'booking.late_cancelled') AND details IS NOT NULL;
