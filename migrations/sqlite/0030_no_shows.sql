-- From then on who is not marked as having come is an absence for now. NULL: the session was over before absences were followed up.
ALTER TABLE sessions ADD COLUMN absent_from TEXT;
-- When its attendance is looked at next: at its end, when absences become final, and when what nobody marked counts as attended. NULL:
-- nothing is open any more.
ALTER TABLE sessions ADD COLUMN attendance_due_at TEXT;
CREATE INDEX sessions_attendance_due ON sessions (attendance_due_at) WHERE attendance_due_at IS NOT NULL AND status = 'scheduled';
-- Sessions that were still to end when the last thing happened here are followed up too; what was over before stays as it is.
UPDATE sessions SET absent_from = ends_at, attendance_due_at = ends_at WHERE status <> 'cancelled' AND ends_at > (SELECT MAX(at) FROM events);

-- Asked for by staff at the door: a repeat of the PUT is compared with it.
ALTER TABLE bookings ADD COLUMN asked_standby INTEGER NOT NULL DEFAULT FALSE;
-- The place was given to somebody at the door, since the member had not come: it is not theirs any more.
ALTER TABLE bookings ADD COLUMN released_at TEXT CHECK (released_at IS NULL OR status = 'no_show');
-- Nobody was marked in the session, so it counts as attended.
ALTER TABLE bookings ADD COLUMN unrecorded INTEGER NOT NULL DEFAULT FALSE CHECK (NOT unrecorded OR status = 'attended');

-- An absence that is corrected may turn out to be one after all: of a booking's penalties at most one is not taken back.
DROP INDEX penalties_booking;
CREATE UNIQUE INDEX penalties_in_force ON penalties (booking_id) WHERE waived_at IS NULL;
CREATE INDEX penalties_booking ON penalties (booking_id);
