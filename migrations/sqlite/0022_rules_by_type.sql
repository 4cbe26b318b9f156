-- What a class type or a pass type changes about its studio's house rules: an object of the same rules, most of them left out. NULL: nothing.
ALTER TABLE class_types ADD COLUMN rules TEXT;
ALTER TABLE class_types ADD COLUMN rules_version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE pass_types ADD COLUMN rules TEXT;
ALTER TABLE pass_types ADD COLUMN rules_version INTEGER NOT NULL DEFAULT 1;
CREATE INDEX class_types_rules ON class_types (studio_id) WHERE rules IS NOT NULL;
CREATE INDEX pass_types_rules ON pass_types (id) WHERE rules IS NOT NULL;
