-- What staff note of a member: for those who serve them, and for the member who asks for all that is stored.
ALTER TABLE members ADD COLUMN note TEXT;
