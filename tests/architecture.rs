//! The house's own rules, read off its sources: pure `rules.rs`, SQL where SQL belongs, arrows that never run backwards.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A source file: where it is below `src/`, and its code without comments and without its tests.
struct Source {
    path: String,
    code: String,
}

impl Source {
    fn of(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), code: without_comments(without_tests(text)) }
    }

    /// `desk` of `desk/batch.rs` and of `desk.rs`.
    fn slice(&self) -> &str {
        self.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    find(&root, &mut files);
    let read = |file: &PathBuf| {
        let path = file.strip_prefix(&root).unwrap().to_str().unwrap();
        Source::of(path, &fs::read_to_string(file).unwrap())
    };
    // `booking/rules/tests.rs` is no code of the house.
    let all: Vec<Source> = files.iter().map(read).filter(|source| source.name() != "tests.rs").collect();
    assert!(all.len() > 20, "the sources are found");
    all
}

fn find(directory: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// The house's way is one `mod tests` at the end of a file.
fn without_tests(text: &str) -> &str {
    text.find("#[cfg(test)]\nmod tests").map_or(text, |at| &text[..at])
}

/// Line comments away; what stands in string literals stays, `//` of a URL too.
fn without_comments(text: &str) -> String {
    let mut code = String::new();
    for line in text.lines() {
        let end = line.match_indices("//").find(|(at, _)| line[..*at].matches('"').count() % 2 == 0).map_or(line.len(), |(at, _)| at);
        code.push_str(&line[..end]);
        code.push('\n');
    }
    code
}

fn words(code: &str) -> BTreeSet<&str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').collect()
}

/// What a pure file must not name: I/O, async, clocks, chance.
const IMPURE: [&str; 15] = [
    "sqlx",
    "axum",
    "async",
    "await",
    "tokio",
    "Clock",
    "Instant",
    "SystemTime",
    "Utc_now",
    "Tx",
    "Db",
    "reqwest",
    "rand",
    "getrandom",
    "fs",
];

fn impure_names(source: &Source) -> Vec<String> {
    if source.name() != "rules.rs" && !source.path.contains("/rules/") {
        return Vec::new();
    }
    // `Utc` is the zone of every instant; only asking it for the time is impure.
    let code = source.code.replace("Utc::now", "Utc_now");
    let words = words(&code);
    IMPURE.iter().filter(|name| words.contains(*name)).map(|name| format!("src/{} names {name}", source.path)).collect()
}

/// Whether a file may hold SQL.
fn may_hold_sql(source: &Source) -> bool {
    let path = &source.path;
    source.name() == "store.rs"
        || path.contains("/store/")
        || path.starts_with("db/")
        || path.starts_with("audit/")
        || path == "letters/outbox.rs"
}

/// String literals of the code that read like SQL.
fn sql_in(source: &Source) -> Vec<String> {
    if may_hold_sql(source) {
        return Vec::new();
    }
    let code = source.code.replace("'\"'", "").replace("\\\"", "");
    let found = code.split('"').skip(1).step_by(2).filter(|literal| is_sql(literal));
    found.map(|literal| format!("src/{} holds SQL: {literal}", source.path)).collect()
}

fn is_sql(literal: &str) -> bool {
    let literal = literal.split_whitespace().collect::<Vec<_>>().join(" ");
    let has = |what: &str| literal.contains(what);
    (has("SELECT ") && (has(" FROM ") || literal.starts_with("SELECT ")))
        || has("INSERT INTO ")
        || has("DELETE FROM ")
        || (has("UPDATE ") && has(" SET "))
        || has("CREATE TABLE")
        || has("CREATE INDEX")
        || has("ALTER TABLE")
        || literal.starts_with("PRAGMA ")
        || literal.starts_with("VACUUM")
}

/// Whom the code of each slice must not name.
const BACKWARDS: [(&str, &[&str]); 7] = [
    ("booking", &["desk"]),
    ("attendance", &["desk"]),
    ("schedule", &["desk", "booking"]),
    ("passes", &["desk", "booking"]),
    ("people", &["desk", "booking"]),
    ("studios", &["desk", "booking"]),
    ("db", &["desk", "booking", "attendance", "schedule", "passes", "people", "studios", "sign_in", "letters", "audit"]),
];

/// Handlers (an `api.rs`, or one split by verb), pages and sweeps of any slice may hand the desk a command.
fn may_point_anywhere(source: &Source) -> bool {
    let name = source.name();
    name == "pages.rs" || name == "api.rs" || name.starts_with("sweep") || source.code.contains("#[utoipa::path")
}

fn arrows_backwards(source: &Source) -> Vec<String> {
    if may_point_anywhere(source) {
        return Vec::new();
    }
    let Some((_, forbidden)) = BACKWARDS.iter().find(|(slice, _)| *slice == source.slice()) else { return Vec::new() };
    let named = modules_named(&source.code);
    forbidden.iter().filter(|slice| named.contains(**slice)).map(|slice| format!("src/{} names crate::{slice}", source.path)).collect()
}

/// The modules of the crate that the code names, `crate::a` and `crate::{a, b::c}` alike.
fn modules_named(code: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0_i32;
            let mut name = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        named.insert(first_name(&name));
                        name.clear();
                        continue;
                    }
                    _ => {}
                }
                name.push(c);
            }
            named.insert(first_name(&name));
        } else {
            named.insert(first_name(rest));
        }
    }
    named
}

fn first_name(path: &str) -> String {
    path.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn nothing(found: Vec<String>) {
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn rules_are_pure() {
    nothing(sources().iter().flat_map(impure_names).collect());
}

#[test]
fn sql_stands_in_stores() {
    nothing(sources().iter().flat_map(sql_in).collect());
}

#[test]
fn no_arrow_runs_backwards() {
    nothing(sources().iter().flat_map(arrows_backwards).collect());
}

#[test]
fn only_the_seam_knows_the_two_engines() {
    let names_an_engine = |source: &&Source| {
        words(&source.code).iter().any(|word| ["PgPool", "SqlitePool", "PgConnection", "SqliteConnection"].contains(word))
    };
    let found = sources()
        .iter()
        .filter(|source| !source.path.starts_with("db/"))
        .filter(names_an_engine)
        .map(|source| source.path.clone())
        .collect();
    nothing(found);
}

#[test]
fn what_is_wrong_is_found() {
    let found = |path, text| {
        let source = Source::of(path, text);
        let all = [impure_names(&source), sql_in(&source), arrows_backwards(&source)].concat();
        all.len()
    };
    // Each of these breaks one rule.
    assert_eq!(found("booking/rules.rs", "use sqlx::Row;"), 1);
    assert_eq!(found("booking/rules.rs", "let now = Utc::now();"), 1);
    assert_eq!(found("booking/rules.rs", "async fn decide() {}"), 1);
    assert_eq!(found("booking/api.rs", "db.all(\"SELECT id FROM bookings\", ())"), 1);
    assert_eq!(found("booking/api.rs", "let sql = \"UPDATE bookings \\\n  SET credits = 0\";"), 1);
    assert_eq!(found("booking/mod.rs", "use crate::desk::Desk;"), 1);
    assert_eq!(found("schedule/store.rs", "use crate::{app::{App, Parts}, booking::Booking};"), 1);
    assert_eq!(found("studios/rules.rs", "fn f(b: crate::booking::Status) {}"), 1);
    // And these break none.
    assert_eq!(found("booking/rules.rs", "// async, sqlx\nuse chrono::{DateTime, Utc};"), 0);
    assert_eq!(found("booking/store.rs", "db.all(\"SELECT id FROM bookings\", ())"), 0);
    assert_eq!(found("booking/api.rs", "use crate::desk::Command; let s = \"Select a class\";"), 0);
    assert_eq!(found("booking/mod.rs", "use crate::{passes, schedule::rules};\n#[cfg(test)]\nmod tests { use crate::desk; }"), 0);
}
