-- What a person is in from now on is found by bookings_person as well, as a session lasts a day at most; an index on random people costs
-- a page for each booking of a rush.
DROP INDEX bookings_ahead;
