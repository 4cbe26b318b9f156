CREATE TABLE studios (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    address text,
    time_zone text NOT NULL,
    locale text NOT NULL,
    contact text,
    rules_text text,
    privacy_url text,
    shop_url text,
    house_rules jsonb NOT NULL,
    house_rules_version bigint NOT NULL DEFAULT 1,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL
);

CREATE TABLE rooms (
    id uuid PRIMARY KEY,
    studio_id uuid NOT NULL REFERENCES studios (id),
    name text NOT NULL,
    capacity bigint NOT NULL CHECK (capacity BETWEEN 1 AND 10000),
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL
);
CREATE INDEX rooms_studio ON rooms (studio_id);

-- Roles are held per studio; the owner's is the deployment's and stands with the person.
CREATE TABLE staff (
    studio_id uuid NOT NULL REFERENCES studios (id),
    person_id uuid NOT NULL REFERENCES persons (id),
    role text NOT NULL CHECK (role IN ('instructor', 'front_desk', 'admin')),
    since timestamptz NOT NULL,
    PRIMARY KEY (studio_id, person_id, role)
);
CREATE INDEX staff_person ON staff (person_id);

-- Whom a studio knows as a member, by the name and phone that this studio wrote down.
CREATE TABLE members (
    studio_id uuid NOT NULL REFERENCES studios (id),
    person_id uuid NOT NULL REFERENCES persons (id),
    name text NOT NULL,
    name_search text COLLATE "C" NOT NULL,
    phone text,
    joined_at timestamptz NOT NULL,
    PRIMARY KEY (studio_id, person_id)
);
CREATE INDEX members_person ON members (person_id);
CREATE INDEX members_by_name ON members (studio_id, name_search, person_id);
