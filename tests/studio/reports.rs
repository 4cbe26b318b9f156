//! Reports: each beside a slow count of what was written down, and beside each other; who was turned away; what a spreadsheet gets.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike as _, Days, NaiveDate, TimeDelta, Utc};
use releve::db::Wide;
use releve::schedule::rules;
use releve::zones;
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use crate::house::House;
use crate::speech::Reply;

/// The days that the made-up year has.
const YEAR_DAYS: u64 = 364;
const PEOPLE: usize = 24;

/// Chance that is the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % sides as u64).unwrap()
    }
}

/// A class of the made-up year.
#[derive(Clone, Debug)]
struct Class {
    id: Uuid,
    date: NaiveDate,
    minute: i64,
    capacity: i64,
    cancelled: bool,
    class_type: usize,
    room: usize,
    instructor: usize,
    starts_at: DateTime<Utc>,
    minutes: i64,
}

/// A booking of the made-up year.
#[derive(Clone, Debug)]
struct Made {
    class: usize,
    person: usize,
    status: &'static str,
    unrecorded: bool,
    released: bool,
    had_place: bool,
    ended_by: Option<&'static str>,
    waited_minutes: Option<i64>,
    source: &'static str,
}

/// The made-up year: what was written, kept in the test's own memory.
struct Year {
    first_day: NaiveDate,
    types: Vec<Uuid>,
    rooms: Vec<Uuid>,
    instructors: Vec<Uuid>,
    classes: Vec<Class>,
    bookings: Vec<Made>,
    /// Class and person; somebody may be turned away on several days.
    turned_away: Vec<(usize, usize)>,
}

/// Of a time of the week: sessions, waited, the most of a session, minutes waited, turned away, unmet.
type Slot = (i64, i64, i64, Vec<i64>, i64, i64);

/// Sessions, places, and what became of the bookings: `[sessions, capacity, booked, attended, unrecorded, late_cancelled, cancelled, no_show,
/// waitlisted]`.
type Counted = [i64; 9];

const NAMES: [&str; 9] =
    ["sessions", "capacity", "booked", "attended", "unrecorded", "late_cancelled", "cancelled", "no_show", "waitlisted"];

fn counted(line: &Value) -> Counted {
    NAMES.map(|name| line[name].as_i64().unwrap_or(0))
}

impl Made {
    fn counted(&self) -> Counted {
        let is = |yes: bool| i64::from(yes);
        let booked = ["booked", "offered", "attended", "no_show"].contains(&self.status) && !self.released;
        let cancelled = self.status == "cancelled";
        [
            0,
            0,
            is(booked),
            is(self.status == "attended"),
            is(self.unrecorded),
            is(self.status == "late_cancelled"),
            is(cancelled && self.had_place),
            is(self.status == "no_show"),
            is(self.status == "waitlisted" || (cancelled && !self.had_place)),
        ]
    }
}

fn plus(sum: &mut Counted, other: Counted) {
    sum.iter_mut().zip(other).for_each(|(sum, other)| *sum += other);
}

impl Year {
    /// The classes of `days`, one after another, with their bookings.
    fn of_days(&self, (from, to): (NaiveDate, NaiveDate)) -> impl Iterator<Item = (usize, &Class, Vec<&Made>)> {
        let within = self.classes.iter().enumerate().filter(move |(_, class)| from <= class.date && class.date < to);
        within.map(|(n, class)| (n, class, self.bookings.iter().filter(|made| made.class == n).collect()))
    }

    /// Attendance by whatever a class has.
    fn by<K: Ord>(&self, days: (NaiveDate, NaiveDate), key: impl Fn(&Class) -> K) -> BTreeMap<K, Counted> {
        let mut groups: BTreeMap<K, Counted> = BTreeMap::new();
        for (_, class, bookings) in self.of_days(days) {
            let sum = groups.entry(key(class)).or_default();
            if !class.cancelled {
                plus(sum, [1, class.capacity, 0, 0, 0, 0, 0, 0, 0]);
            }
            bookings.iter().for_each(|made| plus(sum, made.counted()));
        }
        groups
    }

    /// Local dates on which each person came, guests left out.
    fn visits(&self) -> BTreeMap<usize, Vec<NaiveDate>> {
        let mut visits: BTreeMap<usize, Vec<NaiveDate>> = BTreeMap::new();
        for made in self.bookings.iter().filter(|made| made.status == "attended" && made.source != "guest") {
            visits.entry(made.person).or_default().push(self.classes[made.class].date);
        }
        visits.values_mut().for_each(|dates| dates.sort());
        visits
    }
}

impl House {
    async fn report(&self, path: &str) -> Reply {
        self.get(format!("/v1/studios/{}/reports/{path}", self.studio.id)).by(&self.studio.admin).await.expect(200)
    }

    /// Writes a year of classes and bookings past everything that guards them.
    async fn made_up_year(&self) -> Year {
        let mut dice = Dice(7);
        let now = self.clock.now();
        let first_day = self.today() - Days::new(YEAR_DAYS);
        let mut people = Vec::new();
        for n in 0..PEOPLE {
            people.push(self.stranger(&format!("Person {n}")).await.id);
        }
        let other = self.colleague("Mei").await.id;
        let (types, rooms) = (vec![self.studio.class_type, self.new_id()], vec![self.studio.room, self.new_id()]);
        let instructors = vec![self.studio.instructor.id, other];
        let mut year = Year { first_day, types, rooms, instructors, classes: Vec::new(), bookings: Vec::new(), turned_away: Vec::new() };
        let (mut sessions, mut rows, mut away) = (Vec::new(), Vec::new(), Vec::new());
        let family = (people[0], people[1]);
        for n in 0..YEAR_DAYS as usize {
            // At hours that are another day in London, and one within the hour that some others share.
            let minute = [7 * 60, 12 * 60 + 15, 18 * 60 + 30, 23 * 60][dice.below(4)];
            let date = first_day + Days::new(n as u64);
            let wall = date.and_hms_opt((minute / 60) as u32, (minute % 60) as u32, 0).unwrap();
            let starts_at = zones::instant(wall, self.studio.zone);
            let class = Class {
                id: self.new_id(),
                date,
                minute,
                capacity: 4 + dice.below(5) as i64,
                cancelled: dice.below(12) == 0,
                class_type: dice.below(2),
                room: dice.below(2),
                instructor: dice.below(2),
                starts_at,
                minutes: [45, 55][dice.below(2)],
            };
            let on = rules::local(starts_at, self.studio.zone);
            assert_eq!((on.date, on.minute), (date, minute));
            let ends_at = starts_at + TimeDelta::minutes(class.minutes);
            sessions.push(Wide((
                (class.id, self.studio.id, year.types[class.class_type], year.rooms[class.room], year.instructors[class.instructor]),
                (starts_at, ends_at, on.date, on.minute, on.weekday, class.capacity, 1_i64),
                (if class.cancelled { "cancelled" } else { "scheduled" }, class.cancelled.then_some(starts_at), starts_at, starts_at),
                (starts_at, starts_at, starts_at, Json(json!([])), now),
            )));
            let first = dice.below(PEOPLE);
            let mut host: Option<Uuid> = None;
            for nth in 0..dice.below(8) {
                let (person, id) = ((first + nth) % PEOPLE, self.new_id());
                let statuses: &[&str] = if class.cancelled { &["cancelled"] } else { &STATUSES };
                let status = statuses[dice.below(statuses.len())];
                let mut made = Made {
                    class: n,
                    person,
                    status,
                    unrecorded: status == "attended" && dice.below(6) == 0,
                    released: status == "no_show" && dice.below(3) == 0,
                    had_place: status != "waitlisted" && (status != "cancelled" || dice.below(2) == 0),
                    ended_by: None,
                    waited_minutes: None,
                    source: ["app", "app", "app", "desk", "family", "door", "guest"][dice.below(7)],
                };
                if status == "cancelled" || status == "late_cancelled" {
                    let waited = status == "cancelled" && !made.had_place && !class.cancelled;
                    made.ended_by = Some(if waited { ["waitlist_closed", "offer_expired", "member"][dice.below(3)] } else { "member" });
                }
                // Those who act for somebody act for one; a guest needs who brings them; nobody stands at the door to wait or to cancel.
                match made.source {
                    "family" if (people[person]) != family.1 => made.source = "app",
                    "guest" if host.is_none() || !["booked", "attended", "no_show"].contains(&status) => made.source = "app",
                    "door" if !["attended"].contains(&status) => made.source = "desk",
                    _ => {}
                }
                if ["booked", "attended"].contains(&status) && ["app", "desk"].contains(&made.source) && dice.below(5) == 0 {
                    made.waited_minutes = Some(10 + dice.below(2_000) as i64);
                }
                let created = starts_at - TimeDelta::days(3);
                let asked_by = match made.source {
                    "family" => family.0,
                    "desk" | "door" => self.studio.desk.id,
                    _ => people[person],
                };
                let over = status == "cancelled" || status == "late_cancelled";
                rows.push(Wide((
                    (id, class.id, self.studio.id, people[person], status, starts_at, ends_at, created, asked_by),
                    (false, made.source == "door", (status == "waitlisted").then_some(nth as i64 + 1), made.had_place.then_some(starts_at)),
                    (over.then_some(created), made.ended_by, made.waited_minutes.map(|minutes| created + TimeDelta::minutes(minutes))),
                    (made.unrecorded, made.released.then_some(starts_at), if made.source == "guest" { host } else { None }),
                )));
                if made.source != "guest" && ["booked", "attended"].contains(&status) {
                    host = Some(id);
                }
                year.bookings.push(made);
            }
            for nth in 0..dice.below(3) {
                let person = (first + nth * 5) % PEOPLE;
                year.turned_away.push((n, person));
                for days in 0..=dice.below(2) as u64 {
                    away.push((class.id, people[person], date - Days::new(days), starts_at));
                }
            }
            year.classes.push(class);
        }
        let (studio, room, class_type, link) = (self.studio.id, year.rooms[1], year.types[1], self.new_id());
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO rooms (id, studio_id, name, capacity, created_at) VALUES ($1, $2, $3, $4, $5)";
                tx.run(sql, (room, studio, "=1+1", 20_i64, now)).await?;
                let sql =
                    "INSERT INTO class_types (id, studio_id, name, level, minutes, credits, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
                tx.run(sql, (class_type, studio, Json(json!({"en": "Ballet", "zh-Hans": "芭蕾"})), "open", 45_i64, 1_i64, now)).await?;
                let sql = "INSERT INTO family_links (id, holder_id, person_id, kind, made_at, confirmed_at) VALUES ($1, $2, $3, 'child', $4, $4)";
                tx.run(sql, (link, family.0, family.1, now)).await?;
                let sql = "INSERT INTO sessions (id, studio_id, class_type_id, room_id, instructor_id, starts_at, ends_at, local_date, \
                           local_minute, local_weekday, capacity, credits, status, cancelled_at, booking_opens_at, booking_closes_at, \
                           free_cancel_until, promote_until, waiting_ends_at, changed, created_at) VALUES #";
                tx.rows(sql, sessions).await?;
                let sql = "INSERT INTO bookings (id, session_id, studio_id, person_id, status, starts_at, ends_at, created_at, asked_by, \
                           asked_waitlist, asked_standby, queue_key, free_cancel_until, ended_at, ended_by, promoted_at, unrecorded, \
                           released_at, guest_of) VALUES #";
                tx.rows(sql, rows).await?;
                tx.rows("INSERT INTO turn_aways (session_id, person_id, on_date, at) VALUES #", away).await
            })
        })
        .await;
        year
    }
}

const STATUSES: [&str; 9] =
    ["attended", "attended", "attended", "booked", "no_show", "late_cancelled", "cancelled", "cancelled", "waitlisted"];

both_engines! {
    async fn each_report_beside_a_slow_count(house: House) {
        // What was written has neither counts in its sessions nor letters nor passes.
        house.audit_may_be_dirty();
        let year = house.made_up_year().await;
        let end = year.first_day + Days::new(YEAR_DAYS);
        let quarter = (year.first_day + Days::new(90), year.first_day + Days::new(181));
        for days in [(year.first_day, end), quarter] {
            attendance(&house, &year, days).await;
            demand(&house, &year, days).await;
            pay(&house, &year, days).await;
            retention(&house, &year, days).await;
        }
        monday(&house, &year).await;
    }

    async fn who_finds_no_place_is_counted(house: House) {
        house.rules(json!({"waitlist_cap_percent": 0, "waitlist_cap_min": 1})).await;
        let people = house.members(5).await;
        let [ana, bea, cleo, dan, eve] = [0, 1, 2, 3, 4].map(|n| &people[n]);
        let (full, other) = (house.session("2026-12-03 18:30", 1).await, house.session("2026-12-04 18:30", 5).await);
        let taken = house.book(ana, &full).await.expect_booked();
        // Twice on one day is once; the next day is another row, and the same person.
        house.book(bea, &full).await.expect_refused(409, "session-full");
        house.book(bea, &full).await.expect_refused(409, "session-full");
        house.book(cleo, &full).or_wait().await.expect_waitlisted(1);
        house.book(dan, &full).or_wait().await.expect_refused(409, "waitlist-full");
        house.book(eve, &full).sent_by(&house.studio.desk).await.expect_refused(409, "session-full");
        house.book(ana, &full).await.expect_refused(409, "already-booked");
        house.book(bea, &other).await.expect_booked();
        let rows = async || house.count("SELECT COUNT(*) FROM turn_aways WHERE session_id = $1", full.id).await;
        assert_eq!(rows().await, 3, "Bea, Dan and Eve");
        house.advance(TimeDelta::days(1));
        house.book(bea, &full).await.expect_refused(409, "session-full");
        assert_eq!(rows().await, 4);
        // Dan gets in after all.
        house.cancel(&taken).await.expect(200);
        let cleos: Uuid = house.get("/v1/me/bookings").by(cleo).await["bookings"][0]["id"].as_str().unwrap().parse().unwrap();
        house.put(format!("/v1/bookings/{cleos}/cancellation")).by(cleo).json(&json!({})).await.expect(200);
        house.book(dan, &full).await.expect_booked();
        let report = house.report("demand?from=2026-12-03&to=2026-12-05").await;
        let slots = report["slots"].as_array().unwrap();
        let shown = |slot: &Value| ["weekday", "sessions", "waited", "promoted", "turned_away", "unmet"].map(|what| slot[what].as_i64().unwrap());
        assert_eq!(slots.iter().map(shown).collect::<Vec<_>>(), [[4, 1, 1, 1, 3, 2], [5, 1, 0, 0, 0, 0]], "{report}", report = report.body);
        assert_eq!((&slots[0]["start"], &slots[0]["minutes_to_promotion"]), (&json!("18:30"), &json!(24 * 60)));
        // After 13 months nobody knows any more who they were.
        house.advance(TimeDelta::days(401));
        releve::sweeps::retention(&house.app).await.unwrap();
        assert_eq!(rows().await, 0);
        house.letters_may_stay();
    }

    async fn money_and_letters(house: House) {
        let (ana, bea) = (house.stranger("Ana").await, house.stranger("Bea").await);
        let path = format!("/v1/studios/{}/members/{}/passes", house.studio.id, ana.id);
        let sale = json!({"pass_type_id": house.studio.pack_type, "paid": {"amount_minor": 98_001, "currency": "CNY", "method": "cash"}});
        house.post_to(path).by(&house.studio.desk).header("Idempotency-Key", house.new_id()).json(&sale).await.expect(201);
        house.sell_pack(&bea).await.expect(201);
        let session = house.session("2026-12-03 18:30", 5).await;
        house.book(&ana, &session).await.expect_booked();
        house.post().await;

        // Ten credits cost 980.01; one is used, and costs 98.00.
        let credits = house.report("credits").await;
        assert_eq!((&credits["passes"], &credits["credits"]), (&json!(2), &json!(19)));
        assert_eq!(credits["worth"], json!([{"amount_minor": 98_001 - 9_800, "currency": "CNY"}]));
        let credits = house.report("credits?format=csv").await;
        assert_eq!(credits.text.lines().next(), Some("pass_type,passes,credits,worth_minor,currency,pass_type_id"));
        assert_eq!(credits.text.lines().count(), 3, "paid and unpaid apart: {}", credits.text);

        let letters = house.report("letters?from=2026-11-30&to=2026-12-01").await;
        let written = house.count("SELECT COUNT(*) FROM letters WHERE studio_id = $1", house.studio.id).await;
        assert!(written > 0);
        assert_eq!((&letters["totals"]["written"], &letters["totals"]["sent"]), (&json!(written), &json!(written)));
        let sum: i64 = letters["lines"].as_array().unwrap().iter().map(|line| line["written"].as_i64().unwrap()).sum();
        assert_eq!(sum, written);

        // The next Monday this week is last week.
        house.it_is("2026-12-07 09:00");
        let monday = house.report("monday").await;
        assert_eq!(monday["week"]["takings"], json!([{"amount_minor": 98_001, "currency": "CNY"}]));
        assert_eq!((&monday["week"]["from"], &monday["week"]["bookings"]), (&json!("2026-11-30"), &json!(1)));
        assert_eq!((&monday["week_before"]["takings"], &monday["year_before"]["from"]), (&json!([]), &json!("2025-12-01")));
        assert_eq!(monday["unrecorded"].as_array().unwrap().len(), 1, "nobody was marked");
        assert_eq!(monday["passes_ending"], json!([]));
        // Their last day is 90 days after the sale.
        house.it_is("2027-02-20 09:00");
        let monday = house.report("monday").await;
        assert_eq!(monday["passes_ending_count"], 2);
        // Both end on one day, in no order that is told.
        let seen = async || {
            let monday = house.report("monday").await;
            let ending = monday["passes_ending"].as_array().unwrap().clone();
            ending.into_iter().find(|pass| pass["member"]["name"] == "Ana").unwrap()["member"]["email"].clone()
        };
        assert_eq!(seen().await, json!(ana.email));
        // An address that the studio was never told is not its to read, as in its list of members.
        let id = ana.id;
        house.write(move |tx| Box::pin(async move {
            tx.run("UPDATE members SET knows_address = FALSE, given_at = NULL WHERE person_id = $1", (id,)).await
        })).await;
        assert_eq!(seen().await, Value::Null);
        house.letters_may_stay();
        house.audit_may_be_dirty();
    }

    async fn what_a_spreadsheet_gets(house: House) {
        house.audit_may_be_dirty();
        house.made_up_year().await;
        let days = format!("from={}&to={}", house.today() - Days::new(YEAR_DAYS), house.today());
        for (report, head) in [
            ("attendance", "date,start,class"),
            ("demand", "weekday,start,sessions"),
            ("letters", "kind,written"),
            ("pay", "instructor,date,start"),
            ("retention", "month,people"),
        ] {
            let plain = house.report(&format!("{report}?{days}&format=csv")).await;
            assert!(plain.text.starts_with(head), "{}", plain.text.lines().next().unwrap());
            assert_eq!(plain.header("content-type"), "text/csv; charset=utf-8");
            assert!(plain.header("content-disposition").contains(report));
            let marked = house.report(&format!("{report}?{days}&format=csv&bom=true")).await;
            assert_eq!(marked.text.trim_start_matches('\u{feff}'), plain.text);
            assert!(marked.text.starts_with('\u{feff}'));
            for line in csv::Reader::from_reader(plain.text.as_bytes()).records() {
                let line = line.unwrap();
                assert!(line.iter().all(|cell| !cell.starts_with(['=', '+', '@'])), "{line:?}");
            }
        }
        let rooms = house.report(&format!("attendance?{days}&by=room&format=csv")).await;
        assert!(rooms.text.contains("\r\n'=1+1,,,,"), "{}", rooms.text);
        let json = house.report(&format!("attendance?{days}&by=class_type")).await;
        assert_eq!(json["groups"][0]["name"], "Ballet");
        let path = format!("/v1/studios/{}/reports/attendance?{days}&by=class_type", house.studio.id);
        let chinese = house.get(path).by(&house.studio.admin).header("Accept-Language", "zh-CN").await.expect(200);
        assert!(chinese["groups"].as_array().unwrap().iter().any(|group| group["name"] == "芭蕾"));
        assert!(chinese["counts"].as_str().unwrap().contains("当地日期"));
        let page = house.report("monday?format=csv").await;
        assert!(page.text.starts_with("section,what,week"), "{}", page.text);
    }
}

async fn attendance(house: &House, year: &Year, days: (NaiveDate, NaiveDate)) {
    let asked = |by: &str| format!("attendance?from={}&to={}&by={by}", days.0, days.1);
    let all = year.by(days, |_| ()).remove(&()).unwrap();
    let named = |report: &Reply| -> BTreeMap<Uuid, Counted> {
        let groups = report["groups"].as_array().unwrap().iter();
        groups.map(|group| (group["id"].as_str().unwrap().parse().unwrap(), counted(group))).collect()
    };
    for (by, expected) in [
        ("class_type", year.by(days, |class| year.types[class.class_type])),
        ("room", year.by(days, |class| year.rooms[class.room])),
        ("instructor", year.by(days, |class| year.instructors[class.instructor])),
    ] {
        let report = house.report(&asked(by)).await;
        assert_eq!(named(&report), expected, "by {by}");
        assert_eq!(counted(&report["totals"]), all, "by {by}");
    }
    let report = house.report(&asked("weekday_hour")).await;
    let groups = report["groups"].as_array().unwrap().iter();
    let hours: BTreeMap<(i64, i64), Counted> =
        groups.map(|group| ((group["weekday"].as_i64().unwrap(), group["hour"].as_i64().unwrap()), counted(group))).collect();
    assert_eq!(hours, year.by(days, |class| (i64::from(class.date.weekday().number_from_monday()), class.minute / 60)));

    let report = house.report(&asked("session")).await;
    let lines = report["sessions"].as_array().unwrap();
    let mut sum = [0; 9];
    for ((_, class, bookings), line) in year.of_days(days).zip(lines) {
        assert_eq!(line["session"]["id"], json!(class.id));
        let mut expected = [0; 9];
        bookings.iter().for_each(|made| plus(&mut expected, made.counted()));
        assert_eq!(counted(line)[2..], expected[2..]);
        plus(&mut sum, counted(line));
    }
    assert_eq!(lines.len(), year.of_days(days).count());
    assert_eq!((sum[2..].to_vec(), counted(&report["totals"])), (all[2..].to_vec(), all));
    let fill = (all[2] * 10_000 / all[1]) as f64 / 10_000.0;
    assert_eq!(report["totals"]["fill"], json!(fill), "no cancelled class has a booking that takes a place");

    let report = house.report(&asked("source")).await;
    let mut expected: BTreeMap<&str, (BTreeSet<usize>, Counted)> = BTreeMap::new();
    for (n, class, bookings) in year.of_days(days) {
        for made in bookings {
            let (classes, sum) = expected.entry(made.source).or_default();
            plus(sum, made.counted());
            if !class.cancelled {
                classes.insert(n);
            }
        }
    }
    assert_eq!(report["groups"].as_array().unwrap().len(), expected.len());
    let mut sum = [0; 9];
    for group in report["groups"].as_array().unwrap() {
        let (classes, expected) = &expected[group["source"].as_str().unwrap()];
        assert_eq!(counted(group)[2..], expected[2..], "{group}");
        assert_eq!(group["sessions"], json!(classes.len()));
        plus(&mut sum, counted(group));
    }
    assert_eq!(sum[2..], all[2..]);
}

async fn demand(house: &House, year: &Year, days: (NaiveDate, NaiveDate)) {
    let report = house.report(&format!("demand?from={}&to={}", days.0, days.1)).await;
    let mut expected: BTreeMap<(i64, String), Slot> = BTreeMap::new();
    for (n, class, bookings) in year.of_days(days) {
        let at = (i64::from(class.date.weekday().number_from_monday()), format!("{:02}:{:02}", class.minute / 60, class.minute % 60));
        let slot = expected.entry(at).or_default();
        slot.0 += i64::from(!class.cancelled);
        let waited = bookings.iter().filter(|made| made.waited_minutes.is_some() || made.counted()[8] == 1);
        let waited = waited.filter(|made| made.source != "door");
        let count = waited.clone().count() as i64;
        slot.1 += count;
        slot.2 = slot.2.max(count);
        slot.3.extend(waited.filter_map(|made| made.waited_minutes));
        let away: BTreeSet<usize> = year.turned_away.iter().filter(|(class, _)| *class == n).map(|(_, person)| *person).collect();
        slot.4 += away.len() as i64;
        if class.cancelled {
            continue;
        }
        let in_vain = |made: &&&Made| made.status == "waitlisted" || made.ended_by.is_some_and(|by| by != "member");
        let mut wanted: BTreeSet<usize> = bookings.iter().filter(in_vain).map(|made| made.person).collect();
        wanted.extend(away);
        // A guest's place is not the place of whoever brings them.
        let had = |person: usize| bookings.iter().any(|made| made.person == person && made.had_place && made.source != "guest");
        slot.5 += wanted.into_iter().filter(|person| !had(*person)).count() as i64;
    }
    let slots = report["slots"].as_array().unwrap();
    assert_eq!(slots.len(), expected.len());
    let mut sums = [0; 4];
    for slot in slots {
        let number = |name: &str| slot[name].as_i64().unwrap();
        let (sessions, waited, most, mut minutes, away, unmet) =
            expected[&(number("weekday"), slot["start"].as_str().unwrap().to_owned())].clone();
        minutes.sort_unstable();
        let middle = minutes.get((minutes.len().max(1) - 1) / 2);
        let got = ["sessions", "waited", "waited_max", "promoted", "turned_away", "unmet"].map(number);
        assert_eq!(got, [sessions, waited, most, minutes.len() as i64, away, unmet], "{slot}");
        assert_eq!(slot["minutes_to_promotion"], json!(middle), "{slot}");
        sums.iter_mut().zip([got[0], got[1], got[4], got[5]]).for_each(|(sum, of)| *sum += of);
    }
    assert_eq!(["sessions", "waited", "turned_away", "unmet"].map(|name| report["totals"][name].as_i64().unwrap()), sums);
    assert!(sums.iter().all(|sum| *sum > 0), "{sums:?}");
}

async fn pay(house: &House, year: &Year, days: (NaiveDate, NaiveDate)) {
    let report = house.report(&format!("pay?from={}&to={}", days.0, days.1)).await;
    let mut expected: BTreeMap<Uuid, [i64; 6]> = BTreeMap::new();
    for (_, class, bookings) in year.of_days(days).filter(|(_, class, _)| !class.cancelled) {
        let sum = expected.entry(year.instructors[class.instructor]).or_default();
        assert!(class.starts_at + TimeDelta::minutes(class.minutes) <= house.clock.now());
        let mut counts = [0; 9];
        bookings.iter().for_each(|made| plus(&mut counts, made.counted()));
        let line = [1, class.minutes, counts[2], counts[3], counts[5], counts[7]];
        sum.iter_mut().zip(line).for_each(|(sum, line)| *sum += line);
    }
    let taught =
        |line: &Value| ["sessions", "minutes", "booked", "attended", "late_cancelled", "no_show"].map(|name| line[name].as_i64().unwrap());
    let of = |line: &Value| -> Uuid { line["instructor_id"].as_str().unwrap().parse().unwrap() };
    let got: BTreeMap<Uuid, [i64; 6]> = report["instructors"].as_array().unwrap().iter().map(|line| (of(line), taught(line))).collect();
    assert_eq!(got, expected);
    let mut lines: BTreeMap<Uuid, [i64; 6]> = BTreeMap::new();
    for line in report["lines"].as_array().unwrap() {
        lines.entry(of(line)).or_default().iter_mut().zip(taught(line)).for_each(|(sum, line)| *sum += line);
    }
    assert_eq!(lines, expected, "class by class");
    // What was taught is what was attended: one report beside the other.
    let attended = house.report(&format!("attendance?from={}&to={}&by=instructor", days.0, days.1)).await;
    assert_eq!(attended["totals"]["attended"], report["totals"]["attended"]);
}

async fn retention(house: &House, year: &Year, days: (NaiveDate, NaiveDate)) {
    let report = house.report(&format!("retention?from={}&to={}", days.0, days.1)).await;
    let month = |date: &NaiveDate| date.year() * 12 + date.month0() as i32;
    let mut expected: BTreeMap<String, (i64, i64, Vec<i64>)> = BTreeMap::new();
    for dates in year.visits().values().filter(|dates| days.0 <= dates[0] && dates[0] < days.1) {
        let cohort = expected.entry(dates[0].format("%Y-%m").to_string()).or_insert_with(|| (0, 0, vec![0; 12]));
        cohort.0 += 1;
        cohort.1 += i64::from(dates.len() > 1);
        for n in 1..=12 {
            cohort.2[n - 1] += i64::from(dates.iter().any(|date| month(date) == month(&dates[0]) + n as i32));
        }
    }
    let got: BTreeMap<String, (i64, i64, Vec<i64>)> = report["cohorts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            let came = line["came_in"].as_array().unwrap().iter().map(|came| came.as_i64().unwrap()).collect();
            (line["month"].as_str().unwrap().to_owned(), (line["people"].as_i64().unwrap(), line["came_again"].as_i64().unwrap(), came))
        })
        .collect();
    assert_eq!(got, expected);
    assert_eq!(report["people"], json!(expected.values().map(|cohort| cohort.0).sum::<i64>()));
}

/// The page of a week in the middle of the year, and what it says of today.
async fn monday(house: &House, year: &Year) {
    let asked = year.first_day + Days::new(200);
    let from = asked - Days::new(u64::from(asked.weekday().num_days_from_monday()));
    let page = house.report(&format!("monday?week={asked}")).await;
    for (which, from) in [("week", from), ("week_before", from - Days::new(7)), ("year_before", from - Days::new(364))] {
        let days = (from, from + Days::new(7));
        let all = year.by(days, |_| ()).remove(&()).unwrap_or_default();
        let week = &page[which];
        assert_eq!((&week["bookings"], &week["attended"]), (&json!(all[2]), &json!(all[3])), "{which}");
        let firsts: Vec<Vec<NaiveDate>> = year.visits().into_values().filter(|dates| days.0 <= dates[0] && dates[0] < days.1).collect();
        let again = firsts.iter().filter(|dates| dates.len() > 1).count();
        assert_eq!((&week["first_visits"], &week["came_again"]), (&json!(firsts.len()), &json!(again)), "{which}");
    }
    let days = (from, from + Days::new(7));
    let unmarked = year
        .of_days(days)
        .filter(|(_, class, bookings)| !class.cancelled && bookings.iter().any(|made| made.unrecorded || made.status == "booked"));
    assert_eq!(page["unrecorded"].as_array().unwrap().len(), unmarked.count());
    // Sums of the page are those of the other reports.
    let of_week = format!("from={}&to={}", days.0, days.1);
    let pay = house.report(&format!("pay?{of_week}")).await;
    assert_eq!(page["pay"], pay["instructors"]);
    let demand = house.report(&format!("demand?{of_week}")).await;
    let unmet: Vec<Value> = demand["slots"].as_array().unwrap().iter().filter(|slot| slot["unmet"].as_i64() > Some(0)).cloned().collect();
    assert_eq!(page["unmet"], json!(unmet));
    let missed = year.visits().into_values().filter(|dates| *dates.last().unwrap() <= house.today() - Days::new(21));
    assert_eq!(page["unseen_count"], json!(missed.count()));
}
