-- Who did what, when, on what, from which request. Ids only: no names, no addresses.
CREATE TABLE audit_log (
    id BLOB NOT NULL PRIMARY KEY,
    at TEXT NOT NULL,
    actor_id BLOB,
    action TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id BLOB,
    studio_id BLOB,
    request_id TEXT,
    details TEXT
) STRICT;
CREATE INDEX audit_log_subject ON audit_log (subject_id, at);

-- Facts about this database: the demo's mark, when the nightly sweep last ran.
CREATE TABLE house_facts (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
