-- Changing class: the booking whose place this one takes over, as it was asked for; a repeat of the PUT is compared with it. The old booking
-- says which one took over, once that has happened.
ALTER TABLE bookings ADD COLUMN asked_replaces BLOB;
ALTER TABLE bookings ADD COLUMN replaced_by BLOB CHECK (replaced_by IS NULL OR ended_by = 'replaced');

-- On what terms a waiting member wants to be moved in by themselves: as the PUT said, and as they are now.
ALTER TABLE bookings ADD COLUMN asked_conditions TEXT;
ALTER TABLE bookings ADD COLUMN conditions TEXT;

-- A person's own quiet hours, by the wall of the studio in question.
ALTER TABLE persons ADD COLUMN quiet_hours TEXT;

-- More reasons why a waiting member was passed over.
ALTER TABLE bookings ADD COLUMN passed_over_now TEXT CHECK (passed_over_now IN ('no_pass', 'overlap', 'too_many_bookings', 'turned_down', 'suspended', 'not_free', 'short_notice', 'too_late', 'one_a_day', 'quiet_hours', 'pair'));
UPDATE bookings SET passed_over_now = passed_over WHERE passed_over IS NOT NULL;
ALTER TABLE bookings DROP COLUMN passed_over;
ALTER TABLE bookings RENAME COLUMN passed_over_now TO passed_over;
