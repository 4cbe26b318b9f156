-- The audit trail reads a studio's events by their time, the newest first.
CREATE INDEX events_studio_at ON events (studio_id, at, number);

-- A file that an admin looks at before it is imported: one for each who sends one, for a day.
CREATE TABLE import_files (
    person_id uuid PRIMARY KEY REFERENCES persons (id),
    studio_id uuid NOT NULL REFERENCES studios (id),
    -- By which it is carried out.
    import_id uuid NOT NULL,
    name text NOT NULL,
    file bytea NOT NULL,
    -- How it is to be read.
    how jsonb NOT NULL,
    at timestamptz NOT NULL,
    -- When it was begun to carry it out.
    begun_at timestamptz,
    -- Why that was refused, by its type.
    refused text
);
CREATE INDEX import_files_at ON import_files (at);

-- Whether a pass is still sold; whoever has one keeps it.
ALTER TABLE pass_types ADD COLUMN on_sale boolean NOT NULL DEFAULT TRUE;
