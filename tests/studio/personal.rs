//! Nothing is left of who leaves: every column that says something of a person is on one list, by which it is told and erased.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use chrono::{DateTime, TimeDelta, Utc};
use releve::db::{Engine, Error, Sql, Tx};
use releve::people::store::personal::{Left, Personal, REGISTRY, Rows, Told};
use releve::settings::Settings;
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use crate::accounts::{PASSWORD, another};
use crate::house::House;
use crate::seed::Person;
use crate::speech::Reply;

/// What stands nowhere but where this test wrote it.
const MARK: &str = "zqmark";

/// The columns that say nothing of anybody, each by its name: ids, instants, counts, states, and what a studio says of itself.
const HARMLESS: [(&str, &str); 43] = [
    ("family_links", "id holder_id person_id made_at confirmed_at copies"),
    ("accounts", "person_id verified_at policy_accepted_at created_at key_stale factor_refused factor_refused_since"),
    ("availability", "studio_id person_id version updated_at"),
    (
        "bookings",
        "id session_id studio_id person_id status starts_at ends_at created_at asked_by asked_pass_id asked_waitlist asked_unpaid pass_id \
         credits visit_week free_cancel_until queue_key passed_over told_free_at promoted_at arrived_at arrived_by seen_absent_at seen_absent_by \
         ended_at ended_by credits_returned provisional sequence letters spot_id guest_of penalty_terms asked_replaces replaced_by asked_conditions \
         conditions asked_standby released_at unrecorded remind_at visitor_source",
    ),
    ("calendar_feeds", "id person_id kind studio_id created_at last_read_at revoked_at"),
    ("check_ins", "id studio_id booking_id by_person by_kiosk decided_at arrived_at first_visit already"),
    ("class_types", "id studio_id name description level minutes credits version created_at minimum rules rules_version"),
    ("closing_days", "studio_id closed_on note created_at"),
    ("codes", "id purpose person_id nth created_at expires_at tries used_at blind_tries asked_by"),
    // How often somebody tried, under keyed hashes, until it has run out.
    ("counts", "key account empty_at"),
    ("devices", "id person_id replaced_at created_at used_at ended_at signed_out awaits_factor factor_tries passkey_asked_at"),
    ("event_numbers", "studio_id last"),
    // An event carries no free text and no name; its request's id is made by the server or by a proxy.
    ("events", "id at actor_id action subject_kind subject_id studio_id request_id details number"),
    ("holds", "id studio_id session_id kind places until made_at made_by ended_at ended_by outcome"),
    ("house_facts", "name value"),
    ("idempotency_keys", "person_id result_id created_at"),
    ("invitations", "id studio_id invited_by created_at expires_at accepted_at accepted_by key_stale"),
    ("ledger", "id pass_id at credits reason booking_id amount_minor currency by_person"),
    // A device of the studio's, and what lets it in.
    ("kiosks", "id studio_id name token_hash added_at added_by last_seen_at"),
    (
        "letters",
        "id person_id studio_id booking_id session_id nth kind locale sequence dedupe_key state created_at retried_at due_at useful_until \
         attempts lease leased_until sent_at",
    ),
    ("members", "studio_id person_id joined_at key_stale given_at knows_address"),
    // Keyed hashes: without the deployment's key they say nothing, and after 90 days they are gone.
    ("security_events", "id kind at last_at count person_id by_id studio_id bucket"),
    ("offers", "id booking_id queue_key made_at clock_starts_at expires_at outcome ended_at"),
    (
        "pass_types",
        "id studio_id name kind credits per_week valid_days price_minor currency class_type_ids studio_ids version created_at rules \
         rules_version valid_months valid_from activate_within_days new_members_only once_per_person followed_by freeze_days_max \
         transferable on_sale",
    ),
    (
        "passes",
        "id studio_id person_id pass_type_id name kind credits_left per_week expires_on class_type_ids studio_ids sold_at sold_by \
         starts_on valid_days valid_months begin_by begun_on freeze_days_max transferable frozen_from frozen_until frozen_days \
         extended_days ended_at moved_to notice_at shared_at",
    ),
    (
        "penalties",
        "id studio_id person_id booking_id kind at month strike fee_minor fee_currency forgiven waived_at waived_by paid_at paid_by",
    ),
    (
        "persons",
        "id verified_at is_owner created_at deletion_asked_at deletion_due_at deleted_at key_stale longer_offers quiet_hours \
     wants_reminder_24h wants_reminder_2h wants_passes_ending wants_places_free merged_into",
    ),
    ("recovery_codes", "id person_id created_at used_at"),
    ("rooms", "id studio_id name capacity version created_at"),
    ("second_factors", "id person_id kind created_at confirmed_at tries last_step last_used_at"),
    ("series", "id studio_id rule starts_on until_on count_max except_dates draft next_date make_at version created_by created_at"),
    ("series_gaps", "series_id series_date reason other_session_id"),
    ("series_parts", "series_id from_date class_type_id room_id instructor_id capacity local_minute shift_days"),
    (
        "sessions",
        "id studio_id class_type_id room_id instructor_id starts_at ends_at local_date local_minute local_weekday capacity taken held \
         waiting next_queue_key credits status booking_opens_at booking_closes_at free_cancel_until promote_until waiting_ends_at \
         waitlist_cap changed cancelled_at cancel_reason sequence version created_at series_id series_date by_hand skipped_minute was_draft \
         minimum too_few_exempt too_few_at too_few_due_at too_few_warned offers_until kept_until absent_from attendance_due_at",
    ),
    ("imports", "id studio_id kind digest by_person at lines made known skipped invited_at invited_per_hour"),
    ("import_files", "person_id studio_id import_id how at begun_at refused"),
    ("brought_over", "studio_id kind row_id import_id made"),
    ("staff", "studio_id person_id since"),
    (
        "studios",
        "id name address time_zone locale contact rules_text privacy_url shop_url house_rules house_rules_version version created_at \
         second_factor_required",
    ),
    ("substitute_requests", "id studio_id session_id asked_by state claimed_by claimed_at due_at told_admins_at created_at ended_at"),
    ("teaches", "studio_id person_id"),
    // That somebody once wanted a place, for 13 months.
    ("turn_aways", "session_id person_id on_date at"),
    ("withdrawn_bookings", "person_id until"),
];

/// Columns that cannot hold a mark, as the tables allow certain words or ids alone; whether their rows go is looked at all the same.
const UNMARKED: [(&str, &str); 14] = [
    ("family_links", "kind"),
    ("persons", "locale"),
    // Who has an account is not known by somebody else's address: below it is looked at by somebody who has none.
    ("persons", "contact_key"),
    ("staff", "role"),
    ("invitations", "roles"),
    ("teaches", "class_type_id"),
    ("availability", "weekly"),
    ("availability", "exceptions"),
    ("withdrawn_bookings", "booking_id"),
    ("security_events", "device_id"),
    // Read as what an authenticator says, and nothing else fits in.
    ("second_factors", "passkey"),
    ("second_factors", "asked"),
    ("devices", "passkey_asked"),
    // It is there if and only if a refresh token was replaced.
    ("devices", "previous_hash"),
];

/// What SQL is made of here lives as long as the test.
fn sql(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

impl House {
    /// Every column of every table, with its type as the engine calls it.
    async fn columns(&self) -> BTreeMap<String, BTreeMap<String, String>> {
        let all = Sql::Each {
            sqlite: "SELECT m.name, c.name, c.type FROM sqlite_master m JOIN pragma_table_info(m.name) c \
                     WHERE m.type = 'table' AND m.name NOT LIKE '!_%' ESCAPE '!' AND m.name NOT LIKE 'sqlite%'",
            postgres: "SELECT CAST(r.relname AS TEXT), CAST(a.attname AS TEXT), format_type(a.atttypid, a.atttypmod) \
                       FROM pg_class r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped \
                       WHERE r.relkind = 'r' AND r.relnamespace = 'public'::regnamespace AND left(r.relname, 1) <> '_'",
        };
        let rows: Vec<(String, String, String)> = self.db.all(all, ()).await.unwrap();
        let mut tables: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (table, column, kind) in rows {
            tables.entry(table).or_default().insert(column, kind);
        }
        tables
    }

    /// The columns of every table in which this stands, whatever it is in.
    async fn where_it_stands(&self, what: &str) -> Vec<String> {
        let hex: String = what.bytes().map(|byte| format!("{byte:02x}")).collect();
        let mut found = Vec::new();
        for (table, columns) in self.columns().await {
            for (column, _) in columns {
                let text = match self.db.engine() {
                    Engine::Sqlite => format!("SELECT COUNT(*) FROM {table} WHERE LOWER(CAST({column} AS TEXT)) LIKE '%{what}%'"),
                    // Bytes are shown in hexadecimal.
                    Engine::Postgres => format!(
                        "SELECT COUNT(*) FROM {table} WHERE CAST({column} AS TEXT) ILIKE '%{what}%' OR CAST({column} AS TEXT) LIKE '%{hex}%'"
                    ),
                };
                if self.how_many(sql(text)).await > 0 {
                    found.push(format!("{table}.{column}"));
                }
            }
        }
        found
    }

    /// Rows of the list that are this person's.
    async fn rows_of(&self, one: &Personal, and: &str, person: Uuid) -> i64 {
        let text = format!("SELECT COUNT(*) FROM {} WHERE ({}) {and}", one.table, one.whose);
        let (text, now) = (sql(text), self.clock.now());
        let (count,): (i64,) = match one.whose.contains("$2") {
            true => self.db.one(text, (person, now)).await.unwrap(),
            false => self.db.one(text, (person,)).await.unwrap(),
        };
        count
    }

    /// Writes a mark into every column of the list that can hold one, and answers them: table and column, and the mark.
    async fn mark(&self, person: Uuid) -> Vec<(&'static Personal, &'static str, Told, String)> {
        let schema = self.columns().await;
        let mut marks = Vec::new();
        for one in REGISTRY {
            assert!(self.rows_of(one, "", person).await > 0, "nobody has a row of this: {one:?}");
        }
        for (nth, one) in REGISTRY.iter().enumerate() {
            for column in one.columns {
                if UNMARKED.contains(&(one.table, column.name)) || column.name == "email_key" {
                    continue;
                }
                let mark = format!("{MARK}-{nth}-{}-{}", one.table, column.name).replace('_', "-");
                // A code stands in a letter that is still to be sent, and nowhere else.
                let and = if column.name == "sealed_code" { " AND state = 'queued'" } else { "" };
                // The numbers of the binds follow each other, with or without the time.
                let bind = if one.whose.contains("$2") { "$3" } else { "$2" };
                let text = sql(format!("UPDATE {} SET {} = {bind} WHERE ({}){and}", one.table, column.name, one.whose));
                self.set(text, one, person, &mark, &schema[one.table][column.name]).await;
                marks.push((one, column.name, column.told, mark));
            }
        }
        marks
    }

    async fn set(&self, text: &'static str, one: &'static Personal, person: Uuid, mark: &str, kind: &str) {
        let with_time = one.whose.contains("$2");
        let (now, mark, kind) = (self.clock.now(), mark.to_owned(), kind.to_owned());
        let written = self
            .write(move |tx| {
                Box::pin(async move {
                    match kind.as_str() {
                        "BLOB" | "bytea" => marked(tx, text, person, with_time.then_some(now), mark.into_bytes()).await,
                        "jsonb" => marked(tx, text, person, with_time.then_some(now), Json(json!({ "mark": mark }))).await,
                        _ => marked(tx, text, person, with_time.then_some(now), mark).await,
                    }
                })
            })
            .await;
        assert!(written > 0, "{text}");
    }

    /// Asks for the account's deletion by a code, as somebody does who is signed in and forgot the password.
    pub async fn ask_deletion(&self, person: &Person) -> Reply {
        self.post_to("/v1/me/deletion/codes").by(person).await.expect(202);
        let code = self.code_to(&person.email).await;
        self.put("/v1/me/deletion").by(person).json(&json!({ "code": code })).await
    }

    fn erase(&self, person: impl Display, by: &Person) -> crate::speech::Call {
        self.put(self.of_studio(&format!("members/{person}/erasure"))).by(by)
    }
}

async fn marked<V: releve::db::Bind>(
    tx: &mut Tx,
    text: &'static str,
    person: Uuid,
    now: Option<DateTime<Utc>>,
    mark: V,
) -> Result<u64, Error> {
    match now {
        Some(now) => tx.run(text, (person, now, mark)).await,
        None => tx.run(text, (person, mark)).await,
    }
}

/// Somebody who has a row in every table in which a person can have one: a member, an instructor, invited, asked for, written to.
async fn everywhere(house: &House) -> Person {
    let ana = house.member("Ana").await;
    let studio = house.studio.clone();
    let taught = house.plan("2026-12-01 10:30", 5).taught_by(&ana).await;
    let attended = house.session("2026-12-01 18:30", 5).await;
    let booking = house.book(&ana, &attended).await.expect_booked();
    house.post_to("/v1/me/calendars").by(&ana).json(&json!({ "kind": "bookings" })).await.expect(201);
    let (id, now, email) = (ana.id, house.clock.now(), ana.email.clone());
    let ids: Vec<Uuid> = (0..8).map(|_| house.new_id()).collect();
    let (class, desk, of) = (studio.class_type, studio.desk.id, booking.id);
    house
        .write(move |tx| {
            Box::pin(async move {
                let member = "INSERT INTO staff (studio_id, person_id, role, since) VALUES ($1, $2, 'instructor', $3)";
                tx.run(member, (studio.id, id, now)).await?;
                tx.run("INSERT INTO teaches (studio_id, person_id, class_type_id) VALUES ($1, $2, $3)", (studio.id, id, class)).await?;
                let stated = "INSERT INTO availability (studio_id, person_id, weekly, exceptions, updated_at) VALUES ($1, $2, $3, $3, $4)";
                tx.run(stated, (studio.id, id, Json(json!([])), now)).await?;
                let code = "INSERT INTO codes (id, purpose, email, email_key, person_id, code_hash, nth, created_at, expires_at) \
                            VALUES ($1, 'password', $2, $2, $3, $4, $5, $6, $6)";
                tx.run(code, (ids[0], email.clone(), Some(id), vec![1_u8], 1_i64, now)).await?;
                tx.run(code, (ids[1], email.clone(), None::<Uuid>, vec![2_u8], 2_i64, now)).await?;
                let invitation = "INSERT INTO invitations (id, studio_id, email, email_key, key_stale, roles, code_hash, invited_by, \
                                  created_at, expires_at, accepted_at, accepted_by) VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, $8, $8, $9)";
                let roles = Json(json!(["instructor"]));
                tx.run(invitation, (ids[2], studio.id, email.clone(), false, roles, vec![3_u8], desk, now, id)).await?;
                let request = "INSERT INTO substitute_requests (id, studio_id, session_id, asked_by, note, state, created_at, ended_at) \
                               VALUES ($1, $2, $3, $4, 'ill', 'withdrawn', $5, $5)";
                tx.run(request, (ids[3], studio.id, taught.id, id, now)).await?;
                let (pass,): (Uuid,) = tx.one("SELECT id FROM passes WHERE person_id = $1", (id,)).await?;
                let key = "INSERT INTO idempotency_keys (person_id, key, body_hash, result_id, created_at) VALUES ($1, $2, 'x', $3, $4)";
                tx.run(key, (desk, "sold to Ana", pass, now)).await?;
                tx.run(key, (id, "by Ana", ids[4], now)).await?;
                let withdrawn = "INSERT INTO withdrawn_bookings (booking_id, person_id, until) VALUES ($1, $2, $3)";
                tx.run(withdrawn, (ids[5], id, now + TimeDelta::days(30))).await?;
                let nobodys = "INSERT INTO letters (id, studio_id, kind, to_email, locale, state, created_at, sent_at) \
                               VALUES ($1, $2, 'invitation', $3, 'en', 'sent', $4, $4)";
                tx.run(nobodys, (ids[6], studio.id, email.to_uppercase(), now)).await?;
                let link = "INSERT INTO family_links (id, holder_id, email, email_key, kind, made_at) VALUES ($1, $2, $3, $3, 'child', $4)";
                tx.run(link, (ids[7], id, "kid@example.test", now)).await?;
                let to_guest = "INSERT INTO letters (id, studio_id, booking_id, kind, to_email, locale, state, created_at, sent_at) \
                                VALUES ($1, $2, $3, 'guest_booked', 'mum@example.test', 'en', 'sent', $4, $4)";
                tx.run(to_guest, (ids[7], studio.id, of, now)).await?;
                let factor = "INSERT INTO second_factors (id, person_id, kind, name, sealed_secret, created_at, confirmed_at, last_step) \
                              VALUES ($1, $2, 'totp', 'phone', $3, $4, $4, 1)";
                tx.run(factor, (ids[7], id, vec![4_u8], now)).await?;
                let penalty = "INSERT INTO penalties (id, studio_id, person_id, booking_id, kind, at, month, strike) \
                               VALUES ($1, $2, $3, $4, 'no_show', $5, $6, $7)";
                tx.run(penalty, (ids[7], studio.id, id, of, now, now.date_naive(), false)).await?;
                tx.run("UPDATE bookings SET status = 'no_show' WHERE id = $1", (of,)).await?;
                let hold = "INSERT INTO holds (id, studio_id, session_id, kind, places, note, made_at, made_by, ended_at, outcome) \
                            VALUES ($1, $2, $3, 'guest', 1, 'for a friend', $4, $5, $4, 'released')";
                tx.run(hold, (ids[7], studio.id, attended.id, now, id)).await?;
                let import = "INSERT INTO imports (id, studio_id, kind, digest, by_person, at, lines, made, known, skipped) \
                              VALUES ($1, $2, 'members', $3, $4, $5, 1, 1, 0, 0)";
                tx.run(import, (ids[7], studio.id, vec![6_u8], desk, now)).await?;
                let waiting = "INSERT INTO import_files (person_id, studio_id, import_id, name, file, how, at) VALUES ($1, $2, $3, 'x', $4, $5, $6)";
                tx.run(waiting, (id, studio.id, ids[7], vec![7_u8], Json(json!({})), now)).await?;
                let brought = "INSERT INTO brought_over (studio_id, kind, key, row_id, import_id, made) VALUES ($1, 'members', '17', $2, $3, $4)";
                tx.run(brought, (studio.id, id, ids[7], true)).await?;
                let recovery = "INSERT INTO recovery_codes (id, person_id, code_hash, created_at) VALUES ($1, $2, $3, $4)";
                tx.run(recovery, (ids[7], id, vec![5_u8], now)).await
            })
        })
        .await;
    assert_eq!(booking.person.id, ana.id);
    ana
}

both_engines! {
    async fn every_column_is_on_one_of_two_lists(house: House) {
        let mut known: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for one in REGISTRY {
            for column in one.columns {
                // A table may be looked at twice, by two ways to whom a row belongs.
                known.entry(one.table).or_default().insert(column.name);
            }
        }
        for (table, columns) in HARMLESS {
            for column in columns.split_whitespace() {
                assert!(known.entry(table).or_default().insert(column), "{table}.{column} cannot be both");
            }
        }
        let schema = house.columns().await;
        let schema: BTreeMap<&str, BTreeSet<&str>> =
            schema.iter().map(|(table, columns)| (table.as_str(), columns.keys().map(String::as_str).collect())).collect();
        for (table, columns) in &schema {
            let named = known.get(table).cloned().unwrap_or_default();
            let left: Vec<_> = columns.difference(&named).collect();
            assert!(
                left.is_empty(),
                "{table}: {left:?} stand on no list. What says something of a person belongs into src/people/store/personal.rs, where it is \
                 said what becomes of it; what says nothing of anybody, into HARMLESS."
            );
        }
        assert_eq!(schema, known, "a list names what is not there");
    }

    async fn nothing_is_left_of_who_leaves_and_they_are_told_all_before(house: House) {
        let ana = everywhere(&house).await;
        house.advance(TimeDelta::days(2));
        house.ask_deletion(&ana).await.expect(200);
        // A letter that is on its way to nobody: its code is sealed in its row.
        let (letter, id, now) = (house.new_id(), ana.id, house.clock.now());
        house.write(move |tx| Box::pin(async move {
            let sql = "INSERT INTO letters (id, person_id, kind, locale, facts, state, created_at, due_at) \
                       VALUES ($1, $2, 'password_code', 'en', $3, 'queued', $4, $5)";
            tx.run(sql, (letter, id, Json(json!({ "kind": "password_code" })), now, now + TimeDelta::days(30))).await
        })).await;
        // Its address in other letters; and two people of the same first name, whose own must stay.
        let bo = house.member("Bo").await;
        let marks = house.mark(ana.id).await;
        assert!(house.where_it_stands(MARK).await.len() > 30);

        let export = house.get("/v1/me/export").by(&ana).await.expect(200);
        for (one, column, told, mark) in &marks {
            let told_under = |name: &str| export[name].to_string().contains(mark);
            match told {
                // An address is told as the account has it.
                Told::Under("profile") if *column == "email" && one.table != "accounts" => {}
                Told::Under(name) => assert!(told_under(name), "{}.{column} is not told under {name}: {}", one.table, export[*name]),
                Told::Not(_) => assert!(!export.text.contains(mark), "{}.{column} is told", one.table),
            }
        }

        house.advance(TimeDelta::days(7));
        house.sweep().await;
        let gone = house.how_many("SELECT COUNT(*) FROM persons WHERE deleted_at IS NOT NULL").await;
        assert_eq!(gone, 1);
        assert_eq!(house.where_it_stands(MARK).await, Vec::<String>::new(), "this is left of who left");
        assert_eq!(house.where_it_stands("ana@releve").await, Vec::<String>::new(), "this is left of the address");
        for one in REGISTRY {
            match one.rows {
                Rows::Go => assert_eq!(house.rows_of(one, "", ana.id).await, 0, "{one:?}"),
                Rows::Stay(_) => {
                    for column in one.columns {
                        let says = if column.left == Left::Nothing { "IS NOT NULL" } else { "<> ''" };
                        assert_eq!(house.rows_of(one, &format!("AND {} {says}", column.name), ana.id).await, 0, "{one:?}");
                    }
                }
            }
        }
        // What was booked and paid stays, and so does everybody else.
        assert_eq!(house.count("SELECT COUNT(*) FROM bookings WHERE person_id = $1", ana.id).await, 1);
        assert_eq!(house.count("SELECT COUNT(*) FROM ledger l JOIN passes p ON p.id = l.pass_id WHERE p.person_id = $1", ana.id).await, 2);
        assert_eq!(house.get("/v1/me").by(&bo).await.expect(200)["name"], "Bo");
        assert_eq!(house.roster_names(&house.studio.desk).await, ["Bo"]);
    }

    async fn a_deletion_is_asked_for_by_who_knows_the_password_or_reads_the_letters(house: House) {
        let tokens = house.join_up("ana@example.test").await;
        let ask = |body: Value| house.put("/v1/me/deletion").token(&tokens.access).json(&body);
        ask(json!({})).await.expect_refused(422, "invalid-fields").naming("password");
        house.put("/v1/me/deletion").token(&tokens.access).await.expect_client_error();
        ask(json!({ "password": "not the password" })).await.expect_refused(422, "invalid-fields").naming("password");
        ask(json!({ "code": "12345678" })).await.expect_refused(422, "code-refused");
        ask(json!({ "password": PASSWORD, "code": "12345678" })).await.expect_refused(422, "invalid-fields").naming("code");
        assert_eq!(house.me(&tokens).await.expect(200)["deletion_due_at"], Value::Null);
        assert!(!house.mails_to("ana@example.test").await.iter().any(|mail| mail.contains("will be deleted")));

        house.post_to("/v1/me/deletion/codes").await.expect_refused(401, "sign-in-required");
        house.post_to("/v1/me/deletion/codes").token(&tokens.access).await.expect(202);
        let code = house.code_to("ana@example.test").await;
        ask(json!({ "code": another(&code) })).await.expect_refused(422, "code-refused");
        // A code of one's own lets nobody else's account be deleted.
        let bo = house.join_up("bo@example.test").await;
        house.put("/v1/me/deletion").token(&bo.access).json(&json!({ "code": code })).await.expect_refused(422, "code-refused");
        let asked = ask(json!({ "code": code })).await.expect(200);
        house.delete("/v1/me/deletion").token(&tokens.access).await.expect(204);

        house.advance(TimeDelta::minutes(1));
        let again = ask(json!({ "password": PASSWORD })).await.expect(200);
        assert_ne!(asked["due_at"], again["due_at"]);
        assert_eq!(ask(json!({ "password": PASSWORD })).await.expect(200).body, again.body);
        // A letter for each time that it was asked for, and none for the repeat.
        let told: Vec<String> = house.mails_to("ana@example.test").await;
        let told: Vec<&String> = told.iter().filter(|mail| mail.starts_with("Your account will be deleted")).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[1].contains("If this was not you"), "{}", told[1]);
    }

    async fn an_admin_erases_who_has_no_account(house: House) {
        let (desk, admin) = (&house.studio.desk, &house.studio.admin);
        let enter = |body: Value| house.post_to(house.of_studio("members")).by(desk).json(&body);
        let nina = enter(json!({ "name": "Zqmark Nina", "phone": "138 zqmark" })).await.expect(201)["person_id"].as_str().unwrap().to_owned();
        let kid = enter(json!({ "name": "Zqmark Kid", "email": "zqmark-mum@example.test", "link": false })).await.expect(201)["person_id"].as_str().unwrap().to_owned();
        let session = house.session("2026-12-02 18:30", 1).await;
        house.patch(house.of_studio(&format!("members/{nina}"))).by(desk).json(&json!({ "note": "zqmark's knee" })).await.expect(200);
        let pass = house.post_to(house.of_studio(&format!("members/{nina}/passes"))).by(desk).header("Idempotency-Key", "zqmark-1");
        let sold = json!({ "pass_type_id": house.studio.pack_type, "paid": { "amount_minor": 1, "currency": "CNY", "method": "zqmark", "reference": "zqmark 7" } });
        let pass = pass.json(&sold).await.expect(201).id();
        house.put(format!("/v1/bookings/{}", house.new_id())).by(desk).json(&json!({ "session_id": session.id, "person_id": nina })).await.expect(201);
        let bo = house.member("Bo").await;
        let waiting = house.book(&bo, &session).or_wait().await.expect_waitlisted(1);

        // Not everybody may, and not everybody can be erased.
        house.erase(&nina, desk).await.expect_refused(403, "not-allowed");
        house.erase(&nina, &bo).await.expect_refused(403, "not-allowed");
        house.erase(bo.id, admin).await.expect_refused(409, "has-account");
        house.erase(house.new_id(), admin).await.expect_refused(404, "not-found");
        // Whom another studio knows too, only somebody erases who runs that as well.
        let brooklyn = house.second_studio().await;
        house.erase(&nina, &brooklyn.admin).await.expect_refused(403, "not-allowed");
        let elsewhere = format!("/v1/studios/{}/members/{nina}/erasure", brooklyn.id);
        house.put(elsewhere).by(&brooklyn.admin).await.expect_refused(404, "not-found");

        house.erase(&nina, admin).await.expect(204);
        house.erase(&nina, admin).await.expect(204);
        // The place went to who waited, and the books are in order.
        assert_eq!(house.now(&waiting).await["status"], "booked");
        assert_eq!(house.count("SELECT credits_left FROM passes WHERE id = $1", pass).await, 10);
        assert_eq!(house.roster_names(desk).await, ["Bo", "Zqmark Kid"]);
        let left = house.where_it_stands("138 zqmark").await;
        assert!(left.is_empty(), "{left:?}");

        // A child has no account either, and the letters to the parent's address go with them.
        house.post().await;
        assert!(!house.where_it_stands(MARK).await.is_empty());
        house.erase(&kid, admin).await.expect(204);
        assert_eq!(house.where_it_stands(MARK).await, Vec::<String>::new());
        let events = house.how_many("SELECT COUNT(*) FROM events WHERE action = 'member.erased'").await;
        assert_eq!(events, 2);
    }

    async fn who_is_known_in_two_studios_is_erased_by_who_runs_both(house: House) {
        let brooklyn = house.second_studio().await;
        let body = json!({ "name": "Nina", "email": "nina@example.test" });
        let nina = house.post_to(house.of_studio("members")).by(&house.studio.desk).json(&body).await.expect(201);
        house.post_to(format!("/v1/studios/{}/members", brooklyn.id)).by(&brooklyn.desk).json(&body).await.expect(201);
        let nina = nina["person_id"].as_str().unwrap();
        house.erase(nina, &house.studio.admin).await.expect_refused(403, "not-allowed");
        house.erase(nina, &house.studio.owner).await.expect(204);
    }
}

impl House {
    async fn roster_names(&self, by: &Person) -> Vec<String> {
        let found = self.get(self.of_studio("members")).by(by).await.expect(200);
        found["members"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_in_files_go_with_their_person() {
    let files = |settings: &mut Settings| settings.letters.transport = "file:".into();
    let house = House::open_with(Engine::Sqlite, files).await.unwrap();
    let enter = |name: &str, email: &str| {
        let body = json!({ "name": name, "email": email, "link": false });
        house.post_to(house.of_studio("members")).by(&house.studio.desk).json(&body)
    };
    let kid = enter("Kid", "mum@example.test").await.expect(201)["person_id"].as_str().unwrap().to_owned();
    enter("Bo", "dad@example.test").await.expect(201);
    house.post().await;
    let texts = || -> Vec<String> {
        let files = std::fs::read_dir(house.directory.join("letters")).unwrap();
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    };
    house.worker().tidy().await;
    assert_eq!(texts().len(), 2);
    house.erase(&kid, &house.studio.admin).await.expect(204);
    house.worker().tidy().await;
    let left = texts();
    assert_eq!(left.len(), 1);
    assert!(left[0].contains("dad@example.test"), "{left:?}");
    house.close().await;
}
