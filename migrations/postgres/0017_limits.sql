-- How often something was tried or asked for, in the whole deployment and over restarts: buckets that leak with time.
CREATE TABLE counts (
    -- A keyed hash of what is counted and of whom: neither addresses nor networks stand here.
    key bytea PRIMARY KEY,
    -- A keyed hash of the address whose account it guards: a mailed code empties them all. NULL: no account's.
    account bytea,
    -- When it will have leaked empty; then the row may go.
    empty_at timestamptz NOT NULL
);
CREATE INDEX counts_account ON counts (account) WHERE account IS NOT NULL;
CREATE INDEX counts_age ON counts (empty_at);

-- A keyed hash of the person or the network that asked for a code. Others may ask too, and try: neither is held against who asked.
ALTER TABLE codes ADD COLUMN asked_by bytea;

-- It was signed out on the device itself: whoever holds it is still known as no stranger. Ended otherwise it may be a thief's.
ALTER TABLE devices ADD COLUMN signed_out boolean NOT NULL DEFAULT FALSE CHECK (ended_at IS NOT NULL OR NOT signed_out);
