-- Who did what, when, on what, from which request. Ids only: no names, no addresses.
CREATE TABLE audit_log (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    actor_id uuid,
    action text NOT NULL,
    subject_kind text NOT NULL,
    subject_id uuid,
    studio_id uuid,
    request_id text,
    details jsonb
);
CREATE INDEX audit_log_subject ON audit_log (subject_id, at);

-- Facts about this database: the demo's mark, when the nightly sweep last ran.
CREATE TABLE house_facts (
    name text PRIMARY KEY,
    value text NOT NULL
);
