CREATE TABLE studios (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    address TEXT,
    time_zone TEXT NOT NULL,
    locale TEXT NOT NULL,
    contact TEXT,
    rules_text TEXT,
    privacy_url TEXT,
    shop_url TEXT,
    house_rules TEXT NOT NULL,
    house_rules_version INTEGER NOT NULL DEFAULT 1,
    version INTEGER NOT NULL DEFAULT 1,
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE rooms (
    id BLOB NOT NULL PRIMARY KEY,
    studio_id BLOB NOT NULL REFERENCES studios (id),
    name TEXT NOT NULL,
    capacity INTEGER NOT NULL CHECK (capacity BETWEEN 1 AND 10000),
    version INTEGER NOT NULL DEFAULT 1,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX rooms_studio ON rooms (studio_id);

-- Roles are held per studio; the owner's is the deployment's and stands with the person.
CREATE TABLE staff (
    studio_id BLOB NOT NULL REFERENCES studios (id),
    person_id BLOB NOT NULL REFERENCES persons (id),
    role TEXT NOT NULL CHECK (role IN ('instructor', 'front_desk', 'admin')),
    since TEXT NOT NULL,
    PRIMARY KEY (studio_id, person_id, role)
) STRICT;
CREATE INDEX staff_person ON staff (person_id);

-- Whom a studio knows as a member, by the name and phone that this studio wrote down.
CREATE TABLE members (
    studio_id BLOB NOT NULL REFERENCES studios (id),
    person_id BLOB NOT NULL REFERENCES persons (id),
    name TEXT NOT NULL,
    name_search TEXT NOT NULL,
    phone TEXT,
    joined_at TEXT NOT NULL,
    PRIMARY KEY (studio_id, person_id)
) STRICT;
CREATE INDEX members_person ON members (person_id);
CREATE INDEX members_by_name ON members (studio_id, name_search, person_id);
