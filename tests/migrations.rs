//! The migrations of both engines make the same database: same numbers and names, same tables, columns, nullability, unique rules, indexes
//! and references; what one refuses, the other refuses; and they run, in order, on a database in use.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "support/postgres.rs"]
#[allow(dead_code, reason = "each test binary uses what it needs")]
mod postgres;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::path::Path;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use releve::db::{Db, Engine, Error, Options, POSTGRES_MIGRATIONS, SQLITE_MIGRATIONS, Sql, Tx};
use releve::people::search_keys;
use releve::search::name_key;
use serde_json::json;
use sqlx::types::Json;
use tempfile::TempDir;
use uuid::Uuid;

use crate::postgres::Cluster;

/// An empty database of either engine, as long as this lives.
struct Empty {
    url: String,
    _directory: TempDir,
}

impl Empty {
    async fn of(engine: Engine) -> Option<Self> {
        let directory = TempDir::new().unwrap();
        let url = match engine {
            Engine::Sqlite => format!("sqlite:{}", directory.path().join("releve.db").display()),
            Engine::Postgres => Cluster::shared()?.empty_database().await.1,
        };
        Some(Self { url, _directory: directory })
    }

    async fn open(&self) -> Db {
        Db::open(&self.url, Options { connections: 2, ..Options::default() }).await.unwrap()
    }

    /// Runs the migrations up to this one.
    async fn migrate_to(&self, version: i64) {
        use sqlx::Connection as _;
        if self.url.starts_with("sqlite:") {
            let mut connection = sqlx::SqliteConnection::connect(&format!("{}?mode=rwc", self.url)).await.unwrap();
            SQLITE_MIGRATIONS.run_to(version, &mut connection).await.unwrap();
            connection.close().await.unwrap();
        } else {
            let mut connection = sqlx::PgConnection::connect(&self.url).await.unwrap();
            POSTGRES_MIGRATIONS.run_to(version, &mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
    }
}

async fn on_both<T: Future<Output = ()>>(test: impl Fn(Empty) -> T) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        if let Some(empty) = Empty::of(engine).await {
            test(empty).await;
        }
    }
}

// The shape of the house.

/// A table as both engines can tell it.
#[derive(Debug, Default, PartialEq)]
struct Table {
    columns: Vec<Column>,
    primary_key: Vec<String>,
    /// The name is empty where the engine chose it.
    indexes: BTreeSet<Index>,
    references: BTreeSet<(String, String)>,
    checks: usize,
}

#[derive(Debug, PartialEq)]
struct Column {
    name: String,
    kind: &'static str,
    nullable: bool,
    has_default: bool,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Index {
    name: String,
    columns: String,
    unique: bool,
    partial: bool,
}

async fn tables_of_sqlite(db: &Db) -> BTreeMap<String, Table> {
    let mut tables = BTreeMap::new();
    let all: Vec<(String, String)> = db
        .all("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '!_%' ESCAPE '!' AND name NOT LIKE 'sqlite%'", ())
        .await
        .unwrap();
    for (name, text) in all {
        assert!(text.trim_end().ends_with("STRICT"), "{name} is not STRICT");
        let mut table = Table { checks: checks_in(&text).len(), ..Table::default() };
        let columns: Vec<(String, String, bool, Option<String>, i64)> = db
            .all(r#"SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info($1) ORDER BY cid"#, (name.clone(),))
            .await
            .unwrap();
        let mut key = BTreeMap::new();
        for (column, kind, not_null, default, pk) in columns {
            if pk > 0 {
                key.insert(pk, column.clone());
            }
            let kind = ["BLOB", "TEXT", "INTEGER", "REAL"].into_iter().find(|known| *known == kind).expect("a known type");
            table.columns.push(Column { name: column, kind, nullable: !not_null, has_default: default.is_some() });
        }
        table.primary_key = key.into_values().collect();
        let indexes: Vec<(String, bool, String, bool)> =
            db.all(r#"SELECT name, "unique", origin, partial FROM pragma_index_list($1)"#, (name.clone(),)).await.unwrap();
        for (index, unique, origin, partial) in indexes {
            if origin == "pk" {
                continue;
            }
            let columns: Vec<(Option<String>,)> =
                db.all("SELECT name FROM pragma_index_info($1) ORDER BY seqno", (index.clone(),)).await.unwrap();
            let columns = columns.into_iter().map(|(name,)| name.expect("no index on an expression")).collect::<Vec<_>>().join(",");
            let name = if origin == "c" { index } else { String::new() };
            table.indexes.insert(Index { name, columns, unique, partial });
        }
        let references: Vec<(String, String)> =
            db.all(r#"SELECT "from", "table" FROM pragma_foreign_key_list($1)"#, (name.clone(),)).await.unwrap();
        table.references = references.into_iter().collect();
        tables.insert(name, table);
    }
    tables
}

async fn tables_of_postgres(db: &Db) -> BTreeMap<String, Table> {
    let mut tables = BTreeMap::new();
    let all: Vec<(String,)> =
        db.all("SELECT CAST(relname AS TEXT) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND left(relname, 1) <> '_'", ()).await.unwrap();
    for (name,) in all {
        let mut table = Table::default();
        let columns: Vec<(String, String, bool, bool)> = db
            .all(
                "SELECT CAST(attname AS TEXT), format_type(atttypid, atttypmod), attnotnull, atthasdef FROM pg_attribute \
                 WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                (name.clone(),),
            )
            .await
            .unwrap();
        for (column, kind, not_null, has_default) in columns {
            let kind = match kind.as_str() {
                "uuid" | "bytea" => "BLOB",
                "text" | "timestamp with time zone" | "date" | "jsonb" => "TEXT",
                "bigint" | "boolean" => "INTEGER",
                "double precision" => "REAL",
                other => panic!("{name}.{column} is {other}, which SQLite has no word for"),
            };
            table.columns.push(Column { name: column, kind, nullable: !not_null, has_default });
        }
        let indexes: Vec<(String, String, bool, bool, bool, bool)> = db
            .all(
                "SELECT CAST(i.relname AS TEXT), \
                   (SELECT string_agg(CAST(a.attname AS TEXT), ',' ORDER BY k.n) FROM unnest(x.indkey) WITH ORDINALITY AS k(attnum, n) \
                    JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum), \
                   x.indisunique, x.indpred IS NOT NULL, x.indisprimary, EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = x.indexrelid AND c.contype IN ('u', 'p')) \
                 FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = to_regclass($1)",
                (name.clone(),),
            )
            .await
            .unwrap();
        for (index, columns, unique, partial, primary, constraint) in indexes {
            if primary {
                table.primary_key = columns.split(',').map(str::to_owned).collect();
                continue;
            }
            let name = if constraint { String::new() } else { index };
            table.indexes.insert(Index { name, columns, unique, partial });
        }
        let references: Vec<(String, String)> = db
            .all(
                "SELECT CAST(a.attname AS TEXT), CAST(f.relname AS TEXT) FROM pg_constraint c JOIN pg_class f ON f.oid = c.confrelid \
                 JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] WHERE c.contype = 'f' AND c.conrelid = to_regclass($1)",
                (name.clone(),),
            )
            .await
            .unwrap();
        table.references = references.into_iter().collect();
        let (checks,): (i64,) =
            db.one("SELECT COUNT(*) FROM pg_constraint WHERE contype = 'c' AND conrelid = to_regclass($1)", (name.clone(),)).await.unwrap();
        table.checks = usize::try_from(checks).unwrap();
        tables.insert(name, table);
    }
    tables
}

#[tokio::test]
async fn both_engines_have_the_same_tables() {
    let sqlite = Empty::of(Engine::Sqlite).await.unwrap();
    let Some(postgres) = Empty::of(Engine::Postgres).await else { return };
    let (sqlite_db, postgres_db) = (sqlite.open().await, postgres.open().await);
    assert_eq!(sqlite_db.migrate().await.unwrap(), postgres_db.migrate().await.unwrap());
    let (left, right) = (tables_of_sqlite(&sqlite_db).await, tables_of_postgres(&postgres_db).await);
    assert_eq!(left.keys().collect::<Vec<_>>(), right.keys().collect::<Vec<_>>());
    assert!(left.len() > 10, "the tables are found");
    for (name, table) in &left {
        assert_eq!(Some(table), right.get(name), "table {name}: SQLite left, PostgreSQL right");
    }
    sqlite_db.close().await;
    postgres_db.close().await;
}

// The texts: what the catalogues tell each in its own words.

/// `number_name.sql` to its text without comments, single-spaced.
fn texts(engine: &str) -> BTreeMap<String, String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(engine);
    let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let read = |file: std::path::PathBuf| {
        let text = std::fs::read_to_string(&file).unwrap();
        (file.file_name().unwrap().to_str().unwrap().to_owned(), plain(&text))
    };
    files.map(read).collect()
}

fn plain(text: &str) -> String {
    let code = text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join(" ");
    code.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every `CHECK (…)`, with what stands in its brackets.
fn checks_in(text: &str) -> Vec<String> {
    let text = plain(text);
    let mut found = Vec::new();
    for (at, _) in text.match_indices("CHECK (") {
        let mut depth = 0;
        let end = text[at..].char_indices().find_map(|(offset, c)| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            (c == ')' && depth == 0).then_some(at + offset)
        });
        found.push(text[at..end.expect("brackets close")].to_owned());
    }
    found
}

fn indexes_in(text: &str) -> Vec<&str> {
    text.split(';').map(str::trim).filter(|statement| statement.starts_with("CREATE") && statement.contains("INDEX")).collect()
}

#[test]
fn numbers_and_names_are_the_same() {
    let (sqlite, postgres) = (texts("sqlite"), texts("postgres"));
    assert_eq!(sqlite.keys().collect::<Vec<_>>(), postgres.keys().collect::<Vec<_>>());
    let told =
        |migrator: &'static sqlx::migrate::Migrator| migrator.iter().map(|one| (one.version, one.description.clone())).collect::<Vec<_>>();
    assert_eq!(told(&SQLITE_MIGRATIONS), told(&POSTGRES_MIGRATIONS));
    assert_eq!(SQLITE_MIGRATIONS.iter().count(), sqlite.len(), "every file is embedded");
}

#[test]
fn checks_and_indexes_are_the_same_text() {
    let postgres = texts("postgres");
    for (name, text) in texts("sqlite") {
        let other = &postgres[&name];
        assert_eq!(checks_in(&text), checks_in(other), "{name}: SQLite left, PostgreSQL right");
        assert_eq!(indexes_in(&text), indexes_in(other), "{name}: SQLite left, PostgreSQL right");
    }
}

// A house that people live in.

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn now() -> DateTime<Utc> {
    "2026-11-30T02:00:00.123456Z".parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

const ANA: u128 = 0xa0;
const LIN: u128 = 0xa1;
const STUDIO: u128 = 0xb0;
const ROOM: u128 = 0xb1;
const CLASS: u128 = 0xc0;
const SESSION: u128 = 0xc1;
const SERIES: u128 = 0xc2;
const PASS_TYPE: u128 = 0xd0;
const PASS: u128 = 0xd1;
const BOOKED: u128 = 0xe0;
const WAITING: u128 = 0xe1;

/// What people had in the tables of each migration before the next one came. Never changed once a version has been in use: a later
/// migration must cope with it.
async fn live(tx: &mut Tx, version: i64) -> Result<(), Error> {
    match version {
        1 => people(tx).await,
        2 => studios(tx).await,
        3 => schedule(tx).await,
        4 => passes(tx).await,
        5 => bookings(tx).await,
        6 => letters(tx).await,
        7 => audit(tx).await,
        8 => sign_in(tx).await,
        // It makes no table.
        9 => Ok(()),
        10 => calendars(tx).await,
        11 => plans(tx).await,
        12 => shared_addresses(tx).await,
        15 => events(tx).await,
        16 => registrations(tx).await,
        17 => limits(tx).await,
        18 => come_by_themselves(tx).await,
        20 => security(tx).await,
        21 => second_factors(tx).await,
        22 => rules_by_type(tx).await,
        24 => offers(tx).await,
        25 => penalties(tx).await,
        26 => passes_that_differ(tx).await,
        27 => waiting(tx).await,
        28 => holds(tx).await,
        29 => {
            let sql = "UPDATE bookings SET guest_name = 'Mum', guest_email = 'mum@example.test' WHERE id = $1";
            tx.run(sql, (id(BOOKED),)).await.map(drop)
        }
        32 => {
            let sql =
                "INSERT INTO family_links (id, holder_id, person_id, kind, made_at, confirmed_at) VALUES ($1, $2, $3, 'child', $4, $4)";
            tx.run(sql, (id(0xfa), id(ANA), id(LIN), now())).await.map(drop)
        }
        30 => absences(tx).await,
        33 => reminders(tx).await,
        34 => check_ins(tx).await,
        37 => imported(tx).await,
        36 => {
            let sql = "INSERT INTO turn_aways (session_id, person_id, on_date, at) VALUES ($1, $2, $3, $4)";
            tx.run(sql, (id(SESSION), id(ANA), day("2026-12-01"), now())).await.map(drop)
        }
        35 => visitors(tx).await,
        38 => tx.run("UPDATE passes SET shared_at = $1", (now(),)).await.map(drop),
        // What is sought, and nothing that anybody had.
        39 | 43 => Ok(()),
        44 => notes(tx).await,
        41 => {
            let sql = "INSERT INTO import_files (person_id, studio_id, import_id, name, file, how, at) \
                       VALUES ($1, $2, $3, 'members.csv', $4, $5, $6)";
            let how = sqlx::types::Json(serde_json::json!({}));
            tx.run(sql, (id(LIN), id(STUDIO), id(0x411), b"name,email\n".to_vec(), how, now())).await.map(drop)
        }
        other => panic!("migration {other:04} has no sample of what people had: add one here"),
    }
}

/// A file of members that came from another program, and the credits of a pass.
async fn imported(tx: &mut Tx) -> Result<(), Error> {
    let sql = "INSERT INTO imports (id, studio_id, kind, digest, by_person, at, lines, made, known, skipped, skipped_lines) \
               VALUES ($1, $2, 'members', $3, $4, $5, 2, 1, 0, 1, 'name,reason')";
    tx.run(sql, (id(0x371), id(STUDIO), vec![1_u8], id(LIN), now())).await?;
    let sql = "INSERT INTO brought_over (studio_id, kind, key, row_id, import_id, made) VALUES ($1, 'members', '17', $2, $3, $4)";
    tx.run(sql, (id(STUDIO), id(ANA), id(0x371), true)).await?;
    tx.run("INSERT INTO ledger (id, pass_id, at, credits, reason) SELECT $1, id, $2, 0, 'brought_over' FROM passes", (id(0x372), now()))
        .await
        .map(drop)
}

/// Somebody without an account, and their place; a parent who reads of what they book.
async fn visitors(tx: &mut Tx) -> Result<(), Error> {
    tx.run("UPDATE family_links SET copies = TRUE WHERE id = $1", (id(0xfa),)).await?;
    let sql = "INSERT INTO persons (id, name, key_stale, created_at) VALUES ($1, '', FALSE, $2)";
    tx.run(sql, (id(0x35), now())).await?;
    let sql = "INSERT INTO bookings (id, session_id, studio_id, person_id, status, starts_at, ends_at, created_at, asked_by, asked_waitlist, \
               asked_unpaid, guest_name, visitor_source, visitor_phone) SELECT $1, session_id, studio_id, $1, 'attended', starts_at, ends_at, \
               created_at, asked_by, FALSE, TRUE, 'Vi Sitor', 'ClassPass', '+86 21 5555 0100' FROM bookings WHERE id = $2";
    tx.run(sql, (id(0x35), id(BOOKED))).await.map(drop)
}

/// Somebody whose place went to another at the door, and a correction.
async fn absences(tx: &mut Tx) -> Result<(), Error> {
    tx.run("UPDATE sessions SET absent_from = starts_at, attendance_due_at = ends_at WHERE id = $1", (id(SESSION),)).await?;
    let sql = "INSERT INTO penalties (id, studio_id, person_id, booking_id, kind, at, month, strike, waived_at) \
               SELECT $1, studio_id, person_id, booking_id, 'no_show', at, month, strike, at FROM penalties";
    tx.run(sql, (id(0x30),)).await.map(drop)
}

async fn people(tx: &mut Tx) -> Result<(), Error> {
    for (who, name, email) in [(ANA, "Ana Ruíz", "ana@example.test"), (LIN, "林月", "lin@example.test")] {
        let sql = "INSERT INTO persons (id, name, email, email_key, phone, locale, verified_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        tx.run(sql, (id(who), name, email, email, None::<String>, "en", Some(now()), now())).await?;
        let sql =
            "INSERT INTO accounts (person_id, email, email_key, password_hash, verified_at, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
        tx.run(sql, (id(who), email, email, "$argon2id$", now(), now())).await?;
    }
    Ok(())
}

async fn studios(tx: &mut Tx) -> Result<(), Error> {
    let sql = "INSERT INTO studios (id, name, time_zone, locale, house_rules, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    tx.run(sql, (id(STUDIO), "Jing'an", "Asia/Shanghai", "zh-Hans", Json(json!({})), now())).await?;
    let sql = "INSERT INTO rooms (id, studio_id, name, capacity, created_at) VALUES ($1, $2, $3, $4, $5)";
    tx.run(sql, (id(ROOM), id(STUDIO), "Studio A", 1_i64, now())).await?;
    let sql = "INSERT INTO staff (studio_id, person_id, role, since) VALUES ($1, $2, $3, $4)";
    tx.run(sql, (id(STUDIO), id(LIN), "instructor", now())).await?;
    let sql = "INSERT INTO members (studio_id, person_id, name, name_search, joined_at) VALUES ($1, $2, $3, $4, $5)";
    tx.run(sql, (id(STUDIO), id(ANA), "Ana Ruíz", "ana ruíz", now())).await?;
    Ok(())
}

async fn schedule(tx: &mut Tx) -> Result<(), Error> {
    let sql = "INSERT INTO class_types (id, studio_id, name, level, minutes, credits, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    tx.run(sql, (id(CLASS), id(STUDIO), Json(json!({"en": "Barre Sculpt"})), "open", 55_i64, 1_i64, now())).await?;
    let starts = now() + TimeDelta::days(1);
    let sql = "INSERT INTO sessions (id, studio_id, class_type_id, room_id, instructor_id, starts_at, ends_at, local_date, local_minute, \
               local_weekday, capacity, taken, waiting, credits, status, booking_opens_at, booking_closes_at, free_cancel_until, \
               promote_until, waiting_ends_at, changed, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 600, 2, 1, 1, 1, 1, 'scheduled', $9, $6, $10, $10, $6, $11, $9)";
    let binds = (
        id(SESSION),
        id(STUDIO),
        id(CLASS),
        id(ROOM),
        id(LIN),
        starts,
        starts + TimeDelta::minutes(55),
        day("2026-12-01"),
        now(),
        starts - TimeDelta::hours(12),
        Json(json!([])),
    );
    tx.run(sql, binds).await?;
    Ok(())
}

async fn plans(tx: &mut Tx) -> Result<(), Error> {
    let sql = "INSERT INTO series (id, studio_id, rule, starts_on, except_dates, next_date, make_at, created_at) \
               VALUES ($1, $2, 'FREQ=WEEKLY', $3, $4, $3, $5, $5)";
    tx.run(sql, (id(SERIES), id(STUDIO), day("2026-12-01"), Json(json!([])), now())).await?;
    let sql = "INSERT INTO series_parts (series_id, from_date, class_type_id, room_id, instructor_id, local_minute) \
               VALUES ($1, $2, $3, $4, $5, 600)";
    tx.run(sql, (id(SERIES), day("2026-12-01"), id(CLASS), id(ROOM), id(LIN))).await?;
    let sql = "INSERT INTO series_gaps (series_id, series_date, reason, other_session_id) VALUES ($1, $2, 'room_busy', $3)";
    tx.run(sql, (id(SERIES), day("2026-12-08"), id(SESSION))).await?;
    let sql = "INSERT INTO closing_days (studio_id, closed_on, note, created_at) VALUES ($1, $2, 'Repairs', $3)";
    tx.run(sql, (id(STUDIO), day("2026-12-24"), now())).await?;
    tx.run("INSERT INTO teaches (studio_id, person_id, class_type_id) VALUES ($1, $2, $3)", (id(STUDIO), id(LIN), id(CLASS))).await?;
    let sql = "INSERT INTO availability (studio_id, person_id, weekly, exceptions, updated_at) VALUES ($1, $2, $3, $3, $4)";
    tx.run(sql, (id(STUDIO), id(LIN), Json(json!([])), now())).await?;
    let sql = "INSERT INTO substitute_requests (id, studio_id, session_id, asked_by, state, due_at, created_at) \
               VALUES ($1, $2, $3, $4, 'open', $5, $5)";
    tx.run(sql, (id(0xc9), id(STUDIO), id(SESSION), id(LIN), now())).await.map(drop)
}

async fn passes(tx: &mut Tx) -> Result<(), Error> {
    let sql = "INSERT INTO pass_types (id, studio_id, name, kind, credits, valid_days, created_at) VALUES ($1, $2, $3, 'pack', 10, 90, $4)";
    tx.run(sql, (id(PASS_TYPE), id(STUDIO), Json(json!({"en": "Ten classes"})), now())).await?;
    let sql = "INSERT INTO passes (id, studio_id, person_id, pass_type_id, name, kind, credits_left, expires_on, studio_ids, sold_at) \
               VALUES ($1, $2, $3, $4, $5, 'pack', 9, $6, $7, $8)";
    let name = Json(json!({"en": "Ten classes"}));
    tx.run(sql, (id(PASS), id(STUDIO), id(ANA), id(PASS_TYPE), name, day("2027-02-28"), Json(json!([id(STUDIO)])), now())).await?;
    let sql = "INSERT INTO ledger (id, pass_id, at, credits, reason, booking_id) VALUES ($1, $2, $3, $4, $5, $6)";
    tx.run(sql, (id(0xd2), id(PASS), now(), 10_i64, "sold", None::<Uuid>)).await?;
    tx.run(sql, (id(0xd3), id(PASS), now(), -1_i64, "booked", Some(id(BOOKED)))).await?;
    let sql = "INSERT INTO idempotency_keys (person_id, key, body_hash, result_id, created_at) VALUES ($1, $2, $3, $4, $5)";
    tx.run(sql, (id(LIN), "sale-1", "abc", id(PASS), now())).await?;
    Ok(())
}

async fn bookings(tx: &mut Tx) -> Result<(), Error> {
    let sql = "INSERT INTO bookings (id, session_id, studio_id, person_id, status, starts_at, ends_at, created_at, asked_by, \
               asked_waitlist, pass_id, credits, queue_key) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $4, $9, $10, $11, $12)";
    let (starts, ends) = (now() + TimeDelta::days(1), now() + TimeDelta::days(1) + TimeDelta::minutes(55));
    let (session, studio) = (id(SESSION), id(STUDIO));
    tx.run(sql, (id(BOOKED), session, studio, id(ANA), "booked", starts, ends, now(), false, Some(id(PASS)), 1_i64, None::<i64>)).await?;
    tx.run(sql, (id(WAITING), session, studio, id(LIN), "waitlisted", starts, ends, now(), true, None::<Uuid>, 0_i64, Some(1_i64))).await?;
    let sql = "INSERT INTO withdrawn_bookings (booking_id, person_id, until) VALUES ($1, $2, $3)";
    tx.run(sql, (id(0xe2), id(ANA), now() + TimeDelta::days(1))).await?;
    Ok(())
}

async fn letters(tx: &mut Tx) -> Result<(), Error> {
    let sql = "INSERT INTO letters (id, person_id, studio_id, booking_id, session_id, nth, kind, locale, facts, dedupe_key, state, created_at, due_at) \
               VALUES ($1, $2, $3, $4, $5, 1, 'password_changed', 'en', $6, $7, 'queued', $8, $8)";
    let facts = Json(json!({"kind": "password_changed", "at": now()}));
    tx.run(sql, (id(0xf0), id(ANA), id(STUDIO), id(BOOKED), id(SESSION), facts, Some("once"), now())).await?;
    Ok(())
}

async fn audit(tx: &mut Tx) -> Result<(), Error> {
    let sql = "INSERT INTO audit_log (id, at, actor_id, action, subject_kind, subject_id, studio_id, details) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let unpaid = json!({"unpaid": "a first class"});
    for (nth, action, details) in [(0xf1, "booking.booked", Some(Json(unpaid))), (0xf8, "booking.checked_in", None)] {
        tx.run(sql, (id(nth), now(), id(ANA), action, "booking", id(BOOKED), Some(id(STUDIO)), details)).await?;
    }
    tx.run(sql, (id(0xf9), now(), id(ANA), "person.changed", "person", id(ANA), None::<Uuid>, None::<Json<serde_json::Value>>)).await?;
    tx.run("INSERT INTO house_facts (name, value) VALUES ($1, $2)", ("swept_at", "2026-11-30")).await?;
    Ok(())
}

async fn events(tx: &mut Tx) -> Result<(), Error> {
    let sql =
        "INSERT INTO events (id, at, actor_id, action, subject_kind, subject_id, studio_id, number) VALUES ($1, $2, $3, $4, $5, $6, $7, 3)";
    tx.run(sql, (id(0xfa), now(), id(ANA), "booking.told_free", "booking", id(BOOKED), id(STUDIO))).await?;
    tx.run("UPDATE event_numbers SET last = 3 WHERE studio_id = $1", (id(STUDIO),)).await.map(drop)
}

async fn sign_in(tx: &mut Tx) -> Result<(), Error> {
    let sql = "INSERT INTO devices (id, person_id, family_hash, current_hash, created_at, used_at) VALUES ($1, $2, $3, $4, $5, $5)";
    tx.run(sql, (id(0xf2), id(ANA), vec![1_u8; 32], vec![2_u8; 32], now())).await?;
    let sql = "INSERT INTO codes (id, purpose, email, email_key, person_id, code_hash, nth, created_at, expires_at) VALUES ($1, $2, $3, $3, $4, $5, 1, $6, $7)";
    tx.run(sql, (id(0xf3), "address", "ana@example.test", Some(id(ANA)), vec![3_u8; 32], now(), now() + TimeDelta::minutes(15))).await?;
    let sql = "INSERT INTO invitations (id, studio_id, email, email_key, roles, code_hash, invited_by, created_at, expires_at) \
               VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8)";
    let roles = Json(json!(["front_desk"]));
    tx.run(sql, (id(0xf4), id(STUDIO), "bea@example.test", roles, vec![4_u8; 32], id(LIN), now(), now() + TimeDelta::days(7))).await?;
    Ok(())
}

async fn calendars(tx: &mut Tx) -> Result<(), Error> {
    let sql = "INSERT INTO calendar_feeds (id, person_id, kind, studio_id, secret_hash, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    tx.run(sql, (id(0xf5), id(ANA), "studio", id(STUDIO), vec![5_u8; 32], now())).await?;
    Ok(())
}

async fn security(tx: &mut Tx) -> Result<(), Error> {
    let sql =
        "INSERT INTO security_events (id, kind, at, last_at, count, person_id, network, bucket) VALUES ($1, $2, $3, $3, $4, $5, $6, $7)";
    tx.run(sql, (id(0xf6), "sign_in_refused", now(), 3_i64, id(ANA), vec![6_u8; 12], "a bucket")).await?;
    Ok(())
}

async fn offers(tx: &mut Tx) -> Result<(), Error> {
    let sql = "INSERT INTO offers (id, booking_id, queue_key, made_at, clock_starts_at, expires_at, outcome, ended_at) \
               VALUES ($1, $2, 1, $3, $3, $4, 'withdrawn', $4)";
    tx.run(sql, (id(0xe3), id(WAITING), now(), now() + TimeDelta::minutes(30))).await?;
    tx.run("UPDATE bookings SET passed_over = 'turned_down' WHERE id = $1", (id(WAITING),)).await.map(drop)
}

async fn passes_that_differ(tx: &mut Tx) -> Result<(), Error> {
    tx.run("UPDATE pass_types SET freeze_days_max = 30, followed_by = id, transferable = $1", (true,)).await?;
    let sql = "UPDATE passes SET frozen_from = $2, frozen_until = $2, frozen_days = 1, starts_on = $2 WHERE id = $1";
    tx.run(sql, (id(PASS), day("2027-01-01"))).await?;
    let sql = "INSERT INTO ledger (id, pass_id, at, credits, reason, note) VALUES ($1, $2, $3, 0, 'frozen', 'ill')";
    tx.run(sql, (id(0xd4), id(PASS), now())).await.map(drop)
}

async fn penalties(tx: &mut Tx) -> Result<(), Error> {
    let sql = "INSERT INTO penalties (id, studio_id, person_id, booking_id, kind, at, month, strike, fee_minor, fee_currency) \
               VALUES ($1, $2, $3, $4, 'late_cancel', $5, $6, $7, 500, 'CNY')";
    tx.run(sql, (id(0xe4), id(STUDIO), id(ANA), id(BOOKED), now(), day("2026-11-01"), true)).await?;
    tx.run("UPDATE bookings SET passed_over = 'suspended' WHERE id = $1", (id(WAITING),)).await.map(drop)
}

async fn holds(tx: &mut Tx) -> Result<(), Error> {
    let sql = "INSERT INTO holds (id, studio_id, session_id, kind, places, until, note, made_at, made_by, ended_at, ended_by, outcome) \
               VALUES ($1, $2, $3, 'brand', 2, $4, 'for a photograph', $4, $5, $4, $5, 'released')";
    tx.run(sql, (id(0xf4), id(STUDIO), id(SESSION), now(), id(LIN))).await.map(drop)
}

async fn reminders(tx: &mut Tx) -> Result<(), Error> {
    tx.run("UPDATE persons SET wants_reminder_24h = FALSE, wants_reminder_2h = TRUE WHERE id = $1", (id(ANA),)).await?;
    tx.run("UPDATE bookings SET remind_at = $2 WHERE id = $1", (id(BOOKED), now())).await.map(drop)
}

async fn check_ins(tx: &mut Tx) -> Result<(), Error> {
    let sql = "INSERT INTO kiosks (id, studio_id, name, token_hash, added_at, added_by, last_seen_at) VALUES ($1, $2, 'Entrance', $3, $4, $5, $4)";
    tx.run(sql, (id(0xf5), id(STUDIO), vec![5_u8; 32], now(), id(LIN))).await?;
    let sql = "INSERT INTO check_ins (id, studio_id, booking_id, by_kiosk, decided_at, arrived_at, first_visit, already) \
               VALUES ($1, $2, $3, $4, $5, $5, $6, $6)";
    tx.run(sql, (id(0xf6), id(STUDIO), id(BOOKED), id(0xf5), now(), false)).await?;
    tx.run("UPDATE bookings SET seen_absent_at = $2, seen_absent_by = $3 WHERE id = $1", (id(BOOKED), now(), id(LIN))).await.map(drop)
}

async fn waiting(tx: &mut Tx) -> Result<(), Error> {
    let sql = "UPDATE bookings SET asked_replaces = $2, asked_conditions = $3, conditions = $3, passed_over = 'one_a_day' WHERE id = $1";
    tx.run(sql, (id(WAITING), id(BOOKED), Json(json!({"one_a_day": true})))).await?;
    let sql = "UPDATE persons SET quiet_hours = $2 WHERE id = $1";
    tx.run(sql, (id(ANA), Json(json!({"from": "23:00", "until": "08:30"})))).await.map(drop)
}

async fn shared_addresses(tx: &mut Tx) -> Result<(), Error> {
    let sql = "INSERT INTO persons (id, name, email, contact_key, key_stale, created_at) VALUES ($1, $2, $3, $3, $4, $5)";
    tx.run(sql, (id(0xa2), "Ana's brother", "ana@example.test", false, now())).await?;
    Ok(())
}

async fn registrations(tx: &mut Tx) -> Result<(), Error> {
    for n in [0xab, 0xac] {
        tx.run("INSERT INTO persons (id, name, created_at) VALUES ($1, 'Mia', $2)", (id(n), now())).await?;
        let sql = "INSERT INTO accounts (person_id, email, email_key, password_hash, created_at, registration_hash) VALUES ($1, $2, $2, '$argon2id$', $3, $4)";
        tx.run(sql, (id(n), "mia@example.test", now(), vec![7_u8; 32])).await?;
    }
    Ok(())
}

async fn come_by_themselves(tx: &mut Tx) -> Result<(), Error> {
    let sql = "INSERT INTO members (studio_id, person_id, name, name_search, phone, joined_at, given_at, knows_address) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    tx.run(sql, (id(STUDIO), id(LIN), "林月", "lin yue", Some("138"), now(), None::<DateTime<Utc>>, false)).await?;
    Ok(())
}

async fn notes(tx: &mut Tx) -> Result<(), Error> {
    tx.run("UPDATE members SET note = 'A weak knee' WHERE person_id = $1", (id(LIN),)).await?;
    Ok(())
}

async fn rules_by_type(tx: &mut Tx) -> Result<(), Error> {
    tx.run("UPDATE class_types SET rules = $1, rules_version = 2", (Json(json!({"free_cancel_min": 120})),)).await?;
    tx.run("UPDATE pass_types SET rules = $1, rules_version = 2", (Json(json!({"booking_opens_days": 30})),)).await?;
    Ok(())
}

async fn limits(tx: &mut Tx) -> Result<(), Error> {
    let sql = "INSERT INTO counts (key, account, empty_at) VALUES ($1, $2, $3)";
    tx.run(sql, (vec![8_u8; 16], Some(vec![9_u8; 16]), now() + TimeDelta::minutes(1))).await?;
    let sql = "INSERT INTO codes (id, purpose, email, email_key, person_id, code_hash, nth, created_at, expires_at, asked_by) \
               VALUES ($1, $2, $3, $3, $4, $5, 1, $6, $7, $8)";
    let (code, minutes) = (vec![3_u8; 32], TimeDelta::minutes(15));
    tx.run(sql, (id(0xfa), "address", "mia@example.test", Some(id(0xab)), code, now(), now() + minutes, vec![8_u8; 16])).await?;
    let sql = "INSERT INTO devices (id, person_id, family_hash, current_hash, created_at, used_at, ended_at, signed_out) VALUES ($1, $2, $3, $4, $5, $5, $5, $6)";
    tx.run(sql, (id(0xfb), id(ANA), vec![1_u8; 32], vec![2_u8; 32], now(), true)).await?;
    Ok(())
}

async fn second_factors(tx: &mut Tx) -> Result<(), Error> {
    let sql = "INSERT INTO second_factors (id, person_id, kind, sealed_secret, created_at, confirmed_at, last_step) \
               VALUES ($1, $2, 'totp', $3, $4, $4, 7)";
    tx.run(sql, (id(0xfb), id(ANA), vec![6_u8; 60], now())).await?;
    let sql = "INSERT INTO recovery_codes (id, person_id, code_hash, created_at) VALUES ($1, $2, $3, $4)";
    tx.run(sql, (id(0xfc), id(ANA), vec![7_u8; 32], now())).await.map(drop)
}

/// A database on which every migration ran while people lived in it.
async fn lived_in(empty: &Empty) -> Db {
    for version in SQLITE_MIGRATIONS.iter().map(|one| one.version) {
        empty.migrate_to(version).await;
        let db = empty.open().await;
        db.write("sample", move |tx| Box::pin(live(tx, version))).await.unwrap_or_else(|error| panic!("{version:04}: {error}"));
        db.close().await;
    }
    let db = empty.open().await;
    assert!(db.is_current().await.unwrap());
    db
}

#[tokio::test]
async fn migrations_run_on_a_lived_in_house() {
    on_both(|empty| async move {
        let db = lived_in(&empty).await;
        let tables = match db.engine() {
            Engine::Sqlite => tables_of_sqlite(&db).await,
            Engine::Postgres => tables_of_postgres(&db).await,
        };
        for name in tables.keys() {
            // The names come from the catalogue itself.
            let text: &'static str = Box::leak(format!("SELECT COUNT(*) FROM {name}").into_boxed_str());
            let (rows,): (i64,) = db.one(text, ()).await.unwrap();
            assert!(rows > 0, "nobody lived in {name}: add a sample to the migration that made it");
        }
        let (balance, spent): (i64, i64) = db
            .one("SELECT p.credits_left, CAST(SUM(l.credits) AS BIGINT) FROM passes p JOIN ledger l ON l.pass_id = p.id GROUP BY p.id", ())
            .await
            .unwrap();
        assert_eq!(balance, spent);
        let (at,): (DateTime<Utc>,) = db.one("SELECT created_at FROM persons WHERE id = $1", (id(ANA),)).await.unwrap();
        assert_eq!(at, now(), "to the microsecond");
        // The audit log became the log of events: numbered, and without the words that staff wrote.
        let sql = "SELECT number, details FROM events WHERE studio_id = $1 ORDER BY number";
        let events: Vec<(i64, Option<Json<serde_json::Value>>)> = db.all(sql, (id(STUDIO),)).await.unwrap();
        assert_eq!(events, [(1, Some(Json(json!({})))), (2, None), (3, None)]);
        let (last,): (i64,) = db.one("SELECT last FROM event_numbers WHERE studio_id = $1", (id(STUDIO),)).await.unwrap();
        assert_eq!(last, 3);
        let (reason,): (String,) = db.one("SELECT unpaid_reason FROM bookings WHERE id = $1", (id(BOOKED),)).await.unwrap();
        assert_eq!(reason, "a first class");
        assert!(db.migrate().await.unwrap().is_empty(), "twice is once");
        db.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_code_for_another_address_becomes_one_of_its_own_kind() {
    on_both(|empty| async move {
        for version in SQLITE_MIGRATIONS.iter().map(|one| one.version).filter(|version| *version < 16) {
            empty.migrate_to(version).await;
            let db = empty.open().await;
            db.write("sample", move |tx| Box::pin(live(tx, version))).await.unwrap();
            db.close().await;
        }
        let db = empty.open().await;
        db.write("sample", move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO codes (id, purpose, email, email_key, person_id, code_hash, nth, created_at, expires_at, tries) \
                           VALUES ($1, $2, $3, $3, $4, $5, 1, $6, $6, 2)";
                for (n, purpose, email, person) in [
                    (0xc4, "address", "ana@new.test", Some(id(ANA))),
                    (0xc5, "password", "ana@example.test", Some(id(ANA))),
                    (0xc6, "address", "bo@example.test", None),
                ] {
                    tx.run(sql, (id(n), purpose, email, person, vec![4_u8; 32], now())).await?;
                }
                Ok::<_, Error>(())
            })
        })
        .await
        .unwrap();
        db.migrate().await.unwrap();
        let codes: Vec<(String, String, i64, i64)> =
            db.all("SELECT email, purpose, tries, blind_tries FROM codes ORDER BY email, purpose", ()).await.unwrap();
        let codes: Vec<_> = codes.iter().map(|(email, purpose, tries, blind)| (email.as_str(), purpose.as_str(), *tries, *blind)).collect();
        let kept = [("ana@example.test", "address", 0, 0), ("ana@example.test", "password", 2, 0), ("ana@new.test", "change", 2, 0)];
        assert_eq!(codes, [kept[0], kept[1], kept[2], ("bo@example.test", "address", 2, 0)]);
        let (accounts,): (i64,) = db.one("SELECT COUNT(*) FROM accounts WHERE verified_at IS NOT NULL", ()).await.unwrap();
        assert_eq!(accounts, 2);
        db.close().await;
    })
    .await;
}

/// What was booked before there were reminders is looked at; not what is over, what was brought over or what is somebody else's to bring.
#[tokio::test]
async fn what_was_booked_before_there_were_reminders_is_looked_at() {
    on_both(|empty| async move {
        for version in SQLITE_MIGRATIONS.iter().map(|one| one.version).filter(|version| *version < 39) {
            empty.migrate_to(version).await;
            let db = empty.open().await;
            db.write("sample", move |tx| Box::pin(live(tx, version))).await.unwrap();
            db.close().await;
        }
        let db = empty.open().await;
        let later: DateTime<Utc> = "2190-01-01T10:00:00Z".parse().unwrap();
        db.write("sample", move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO bookings (id, session_id, studio_id, person_id, status, starts_at, ends_at, created_at, asked_by, \
                           asked_waitlist, guest_of, remind_at) SELECT $1, session_id, studio_id, person_id, $2, $3, $4, created_at, asked_by, \
                           asked_waitlist, $5, $6 FROM bookings WHERE id = $7";
                let over: DateTime<Utc> = "2020-01-01T10:00:00Z".parse().unwrap();
                tx.run("DROP INDEX bookings_once", ()).await?;
                for (n, status, starts, guest_of, remind_at) in [
                    (0x391, "booked", later, None, None),
                    (0x392, "booked", later, None, None),
                    (0x393, "booked", later, Some(id(0x391)), None),
                    (0x394, "booked", over, None, None),
                    (0x395, "attended", later, None, None),
                    (0x396, "booked", later, None, Some(over)),
                ] {
                    tx.run(sql, (id(n), status, starts, starts + TimeDelta::minutes(55), guest_of, remind_at, id(BOOKED))).await?;
                }
                let sql = "INSERT INTO brought_over (studio_id, kind, key, row_id, import_id, made) VALUES ($1, 'bookings', '18', $2, $3, $4)";
                tx.run(sql, (id(STUDIO), id(0x392), id(0x371), true)).await
            })
        })
        .await
        .unwrap();
        db.migrate().await.unwrap();
        let mut planned = Vec::new();
        for n in 0x391..=0x396 {
            let (at,): (Option<DateTime<Utc>>,) = db.one("SELECT remind_at FROM bookings WHERE id = $1", (id(n),)).await.unwrap();
            planned.push(at.map(|at| at == DateTime::UNIX_EPOCH));
        }
        assert_eq!(planned, [Some(true), None, None, None, None, Some(false)]);
        db.close().await;
    })
    .await;
}

/// Before names had keys without accents, and a domain in Punycode was the same as in letters.
async fn people_of_older_versions(tx: &mut Tx) -> Result<(), Error> {
    for (n, name, key) in [(0xa3, "Anna Dürr", "anna dürr"), (0xa4, "单雨", "单雨 dan yu danyu"), (0xa5, "Éloïse", "éloïse")] {
        tx.run("INSERT INTO persons (id, name, created_at) VALUES ($1, $2, $3)", (id(n), name, now())).await?;
        let sql = "INSERT INTO members (studio_id, person_id, name, name_search, joined_at) VALUES ($1, $2, $3, $4, $5)";
        tx.run(sql, (id(STUDIO), id(n), name, key, now())).await?;
    }
    let addresses = [
        (0xa6, "Mia@xn--mnchen-3ya.de", "mia@xn--mnchen-3ya.de"),
        (0xa7, "Bo@münchen.de", "bo@münchen.de"),
        (0xa8, "bo@xn--mnchen-3ya.de", "bo@xn--mnchen-3ya.de"),
        (0xa9, "both@例子。cn", "both@例子。cn"),
        (0xaa, "both@xn--fsqu00a.cn", "both@xn--fsqu00a.cn"),
    ];
    for (n, email, key) in addresses {
        let sql = "INSERT INTO persons (id, name, email, email_key, verified_at, created_at) VALUES ($1, $2, $3, $4, $5, $5)";
        tx.run(sql, (id(n), email, email, key, now())).await?;
        let sql =
            "INSERT INTO accounts (person_id, email, email_key, password_hash, verified_at, created_at) VALUES ($1, $2, $3, $4, $5, $5)";
        tx.run(sql, (id(n), email, key, "$argon2id$", now())).await?;
    }
    let sql = "INSERT INTO invitations (id, studio_id, email, email_key, roles, code_hash, invited_by, created_at, expires_at) \
               VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $7)";
    let roles = Json(json!(["front_desk"]));
    tx.run(sql, (id(0xfa), id(STUDIO), "new@xn--mnchen-3ya.de", roles, vec![9_u8; 32], id(LIN), now())).await?;
    Ok(())
}

#[tokio::test]
async fn keys_of_older_versions_are_made_anew() {
    on_both(|empty| async move {
        for version in 1..=11 {
            empty.migrate_to(version).await;
            let db = empty.open().await;
            db.write("sample", move |tx| Box::pin(live(tx, version))).await.unwrap();
            db.close().await;
        }
        let db = empty.open().await;
        db.write("sample", move |tx| Box::pin(people_of_older_versions(tx))).await.unwrap();
        // More than a slice.
        db.write("sample", move |tx| {
            Box::pin(async move {
                let people = (0x1000..0x1200).map(|n| (id(n), format!("Zoë {n}"), now())).collect::<Vec<_>>();
                let members =
                    people.iter().map(|(person, name, at)| (id(STUDIO), *person, name.clone(), name.to_lowercase(), *at)).collect();
                tx.rows("INSERT INTO persons (id, name, created_at) VALUES #", people).await?;
                tx.rows("INSERT INTO members (studio_id, person_id, name, name_search, joined_at) VALUES #", members).await
            })
        })
        .await
        .unwrap();
        db.migrate().await.unwrap();
        let broken = async |db: &Db| -> Vec<String> {
            let report = releve::audit::check(db, now()).await.unwrap();
            report.findings.into_iter().find(|finding| finding.promise.contains("in every spelling")).unwrap().rows
        };
        assert!(broken(&db).await.len() > 8, "the audit sees them");

        // Two processes begin at once.
        let other = empty.open().await;
        let (one, two) = tokio::join!(search_keys::renew(&db), search_keys::renew(&other));
        let (one, two) = (one.unwrap(), two.unwrap());
        assert!(one.looked_at + two.looked_at >= 8 + 0x200, "{one:?} {two:?}");

        for (n, key) in
            [(0xa3, name_key("Anna Dürr")), (0xa4, name_key("单雨")), (0xa5, name_key("Éloïse")), (0x11ff, name_key("Zoë 4607"))]
        {
            let (found,): (String,) = db.one("SELECT name_search FROM members WHERE person_id = $1", (id(n),)).await.unwrap();
            assert_eq!(found, key);
        }
        // Whose address was free has the new key; of two who had one address in two spellings, one keeps the old.
        let keys_of = async |n: u128| -> (String, String) {
            let sql = "SELECT p.email_key, a.email_key FROM persons p JOIN accounts a ON a.person_id = p.id WHERE p.id = $1";
            db.one(sql, (id(n),)).await.unwrap()
        };
        let twice = |key: &str| (key.to_owned(), key.to_owned());
        assert_eq!(keys_of(0xa6).await, twice("mia@münchen.de"));
        assert_eq!(keys_of(0xa7).await, twice("bo@münchen.de"));
        assert_eq!(keys_of(0xa8).await, twice("bo@xn--mnchen-3ya.de"));
        assert_eq!(keys_of(0xa9).await, twice("both@例子.cn"));
        assert_eq!(keys_of(0xaa).await, twice("both@xn--fsqu00a.cn"));
        let (invited,): (String,) = db.one("SELECT email_key FROM invitations WHERE id = $1", (id(0xfa),)).await.unwrap();
        assert_eq!(invited, "new@münchen.de");
        let rows = broken(&db).await;
        assert_eq!(rows.len(), 2, "{rows:?}");
        for (n, other) in [(0xa8, 0xa7), (0xaa, 0xa9)] {
            let named = format!("{}: has the address of {} in another spelling", id(n), id(other));
            assert_eq!(rows.iter().filter(|row| **row == named).count(), 1, "{rows:?}");
        }
        // Once more: only those that could not be settled, and nothing changes.
        let again = search_keys::renew(&db).await.unwrap();
        assert_eq!((again.looked_at, again.contested), (4, 4));
        other.close().await;
        db.close().await;
    })
    .await;
}

/// What no version of Relevé may ever write, however wrong its code: the database is the last word. Each is one statement on the
/// lived-in house; `$1` is a new id.
const REFUSED: &[(&str, &str)] = &[
    ("oversold", "UPDATE sessions SET taken = capacity + 1"),
    ("oversold by holds", "UPDATE sessions SET held = 1"),
    ("fewer than none taken", "UPDATE sessions SET taken = -1"),
    ("ends before it starts", "UPDATE sessions SET ends_at = starts_at"),
    ("cancelled without when", "UPDATE sessions SET status = 'cancelled'"),
    ("an unknown status", "UPDATE sessions SET status = 'perhaps'"),
    ("an unknown reason", "UPDATE sessions SET cancel_reason = 'mood'"),
    ("a minute of no day", "UPDATE sessions SET local_minute = 1440"),
    ("a room of another house", "UPDATE sessions SET room_id = $1"),
    ("a balance below zero", "UPDATE passes SET credits_left = -1"),
    ("a pack without credits", "UPDATE passes SET credits_left = NULL"),
    ("a membership with credits", "UPDATE passes SET kind = 'membership'"),
    ("a price without currency", "UPDATE pass_types SET price_minor = 100"),
    ("an unknown ledger reason", "UPDATE ledger SET reason = 'because'"),
    ("a fee below zero", "UPDATE penalties SET fee_minor = -1"),
    ("a fee without a currency", "UPDATE penalties SET fee_currency = NULL"),
    ("forgiven, and yet a strike", "UPDATE penalties SET forgiven = 'month'"),
    ("paid, and nothing was owed", "UPDATE penalties SET fee_minor = NULL, fee_currency = NULL, paid_at = at"),
    (
        "one booking, two penalties",
        "INSERT INTO penalties (id, studio_id, person_id, booking_id, kind, at, month, strike) \
         SELECT $1, studio_id, person_id, booking_id, kind, at, month, strike FROM penalties",
    ),
    ("a place given away of somebody who is in", "UPDATE bookings SET released_at = created_at"),
    ("unrecorded, and not attended", "UPDATE bookings SET unrecorded = TRUE"),
    ("waiting without a place in the queue", "UPDATE bookings SET status = 'waitlisted' WHERE queue_key IS NULL"),
    ("booked with a place in the queue", "UPDATE bookings SET status = 'booked' WHERE queue_key IS NOT NULL"),
    ("a credit taken while waiting", "UPDATE bookings SET pass_id = NULL, credits = 1 WHERE status = 'waitlisted'"),
    ("cancelled without when", "UPDATE bookings SET status = 'cancelled', queue_key = NULL"),
    ("credits without a pass", "UPDATE bookings SET pass_id = NULL WHERE status = 'booked'"),
    ("a visitor who waits", "UPDATE bookings SET visitor_source = 'X' WHERE status = 'waitlisted'"),
    ("a booking of nobody", "UPDATE bookings SET person_id = $1"),
    (
        "twice in one session",
        "INSERT INTO bookings (id, session_id, studio_id, person_id, status, starts_at, ends_at, created_at, asked_by, asked_waitlist) \
         SELECT $1, session_id, studio_id, person_id, 'booked', starts_at, ends_at, created_at, asked_by, asked_waitlist FROM bookings WHERE queue_key IS NULL",
    ),
    (
        "two in one place of the queue",
        "INSERT INTO bookings (id, session_id, studio_id, person_id, status, starts_at, ends_at, created_at, asked_by, asked_waitlist, queue_key, guest_of) \
         SELECT $1, session_id, studio_id, person_id, 'waitlisted', starts_at, ends_at, created_at, asked_by, asked_waitlist, queue_key, id FROM bookings WHERE queue_key IS NOT NULL",
    ),
    (
        "one address, two persons",
        "INSERT INTO persons (id, name, email_key, created_at) SELECT $1, name, email_key, created_at FROM persons WHERE name = '林月'",
    ),
    ("one address, two accounts", "UPDATE accounts SET email_key = 'ana@example.test'"),
    ("known by an address that is somebody else's", "UPDATE persons SET contact_key = email_key"),
    ("a person without a name", "UPDATE persons SET name = NULL"),
    ("deleted, yet with an address", "UPDATE persons SET deleted_at = created_at"),
    ("an unknown role", "UPDATE staff SET role = 'queen'"),
    ("a room for nobody", "UPDATE rooms SET capacity = 0"),
    ("sent without when", "UPDATE letters SET state = 'sent', due_at = NULL"),
    ("in the air without a lease", "UPDATE letters SET state = 'sending', due_at = NULL"),
    ("queued and never due", "UPDATE letters SET due_at = NULL"),
    ("to be sent with nothing to tell", "UPDATE letters SET facts = NULL"),
    ("replaced without when", "UPDATE devices SET previous_hash = current_hash"),
    ("a device of nobody", "UPDATE devices SET person_id = $1"),
    ("a calendar of nothing", "UPDATE calendar_feeds SET kind = 'weather'"),
    ("a studio's calendar without the studio", "UPDATE calendar_feeds SET studio_id = NULL"),
    ("a calendar of nobody", "UPDATE calendar_feeds SET person_id = $1"),
    (
        "one secret, two calendars",
        "INSERT INTO calendar_feeds (id, person_id, kind, studio_id, secret_hash, created_at) \
         SELECT $1, person_id, kind, studio_id, secret_hash, created_at FROM calendar_feeds",
    ),
    ("one address confirmed for two", "UPDATE accounts SET verified_at = created_at WHERE email_key = 'mia@example.test'"),
    ("a code for nothing", "UPDATE codes SET purpose = 'fun'"),
    ("a right that nobody confirmed", "UPDATE family_links SET confirmed_at = NULL"),
    ("acting for oneself", "UPDATE family_links SET person_id = holder_id"),
    ("an unknown kind of family", "UPDATE family_links SET kind = 'neighbour'"),
    ("accepted by nobody", "UPDATE invitations SET accepted_at = created_at"),
    ("an import of nothing known", "UPDATE imports SET kind = 'moods'"),
    ("invited at no pace", "UPDATE imports SET invited_at = at"),
    ("brought over by no import", "UPDATE brought_over SET import_id = $1"),
    ("a hold of nothing", "UPDATE holds SET places = 0"),
    ("held for nobody knows whom", "UPDATE holds SET kind = 'mood'"),
    ("a hold that ended without when", "UPDATE holds SET ended_at = NULL, ended_by = NULL"),
    ("a hold of no session", "UPDATE holds SET session_id = $1"),
    ("turned away from no session", "UPDATE turn_aways SET session_id = $1"),
    (
        "turned away twice a day",
        "INSERT INTO turn_aways (session_id, person_id, on_date, at) SELECT session_id, person_id, on_date, at FROM turn_aways",
    ),
    (
        "one letter twice",
        "INSERT INTO letters (id, kind, locale, facts, dedupe_key, state, created_at, due_at) SELECT $1, kind, locale, facts, dedupe_key, state, created_at, due_at FROM letters",
    ),
];

#[tokio::test]
async fn what_breaks_a_promise_is_refused() {
    on_both(|empty| async move {
        let db = lived_in(&empty).await;
        for &(what, statement) in REFUSED {
            let refused: Result<(), Error> = db
                .write("refused", move |tx| {
                    Box::pin(async move {
                        let sql = Sql::from(statement);
                        let touched = if statement.contains("$1") { tx.run(sql, (id(0xff),)).await? } else { tx.run(sql, ()).await? };
                        panic!("{what}: {touched} rows written by {statement}");
                    })
                })
                .await;
            let error = refused.expect_err(what).to_string();
            assert!(error.contains("constraint"), "{:?}, {what}: {error}", db.engine());
        }
        db.close().await;
    })
    .await;
}

/// Who came to a studio by themselves before that was written down, and what of another studio's plans stood where it should not.
#[tokio::test]
async fn who_has_come_by_themselves_is_told_from_what_happened() {
    on_both(|empty| async move {
        empty.migrate_to(15).await;
        let db = empty.open().await;
        let (other, room, class, draft, seen) = (id(0xb2), id(0xb3), id(0xb4), id(0xb5), id(0xb6));
        db.write("sample", move |tx| {
            Box::pin(async move {
                for version in [1, 2, 3, 4, 5, 6] {
                    live(tx, version).await?;
                }
                live(tx, 11).await?;
                let member = "INSERT INTO members (studio_id, person_id, name, name_search, joined_at) VALUES ($1, $2, $3, $3, $4)";
                let event = "INSERT INTO events (id, at, action, subject_kind, subject_id, studio_id) VALUES ($1, $2, $3, 'person', $4, $5)";
                for (nth, name, actions) in [
                    (0x10, "entered", vec!["member.entered"]),
                    (0x20, "linked", vec!["member.linked"]),
                    (0x30, "linked, then joined", vec!["member.linked", "member.joined"]),
                    (0x40, "imported", vec![]),
                ] {
                    let sql = "INSERT INTO persons (id, name, created_at) VALUES ($1, $2, $3)";
                    tx.run(sql, (id(nth), name, now())).await?;
                    tx.run(member, (id(STUDIO), id(nth), name, now())).await?;
                    for (n, action) in (1..).zip(actions) {
                        tx.run(event, (id(nth + n), now(), action, id(nth), id(STUDIO))).await?;
                    }
                }
                // Ana was entered, and booked by herself.
                tx.run(event, (id(0x50), now(), "member.entered", id(ANA), id(STUDIO))).await?;
                let sql = "INSERT INTO studios (id, name, time_zone, locale, house_rules, created_at) VALUES ($1, 'Elsewhere', 'UTC', 'en', $2, $3)";
                tx.run(sql, (other, Json(json!({})), now())).await?;
                let sql = "INSERT INTO rooms (id, studio_id, name, capacity, created_at) VALUES ($1, $2, 'A', 5, $3)";
                tx.run(sql, (room, other, now())).await?;
                let sql = "INSERT INTO class_types (id, studio_id, name, level, minutes, credits, created_at) VALUES ($1, $2, $3, 'open', 55, 1, $4)";
                tx.run(sql, (class, other, Json(json!({"en": "Barre"})), now())).await?;
                for (session, status, date) in [(draft, "draft", "2026-12-15"), (seen, "scheduled", "2026-12-22")] {
                    let sql = "INSERT INTO sessions (id, studio_id, class_type_id, room_id, instructor_id, starts_at, ends_at, local_date, \
                               local_minute, local_weekday, capacity, credits, status, booking_opens_at, booking_closes_at, free_cancel_until, \
                               promote_until, waiting_ends_at, changed, created_at) \
                               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 600, 2, 1, 1, $9, $6, $6, $6, $6, $6, $10, $6)";
                    let ends = now() + TimeDelta::minutes(55);
                    tx.run(sql, (session, other, class, room, id(LIN), now(), ends, day(date), status, Json(json!([])))).await?;
                    let sql = "INSERT INTO series_gaps (series_id, series_date, reason, other_session_id) VALUES ($1, $2, 'instructor_busy', $3)";
                    tx.run(sql, (id(SERIES), day(date), session)).await?;
                }
                Ok::<_, Error>(())
            })
        })
        .await
        .unwrap();
        db.close().await;
        empty.migrate_to(18).await;
        let db = empty.open().await;
        let sql = "SELECT name FROM members WHERE given_at IS NULL ORDER BY name";
        let not_come: Vec<(String,)> = db.all(sql, ()).await.unwrap();
        assert_eq!(not_come, [("entered".to_owned(),), ("linked".to_owned(),)]);
        let sql = "SELECT series_date, other_session_id FROM series_gaps ORDER BY series_date";
        let gaps: Vec<(NaiveDate, Option<Uuid>)> = db.all(sql, ()).await.unwrap();
        assert_eq!(gaps, [(day("2026-12-08"), Some(id(SESSION))), (day("2026-12-15"), None), (day("2026-12-22"), Some(seen))]);
        db.close().await;
    })
    .await;
}
