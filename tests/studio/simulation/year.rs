//! A year of ten studios in many zones, each with house rules of its own, and of hundreds of members, of whom some go to two studios. It is
//! lived in memory and checked after every command; what came of it is then written into a database, where the audit reads every row.
//!
//! `RELEVE_YEARS=10` lives ten of them one after the other.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use releve::db::{Engine, Error, Sql, Tx};
use releve::studios::house_rules::{Finest, HouseRules, Overrides};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::{Cast, InMemory, Lived, Made, Month, Neighbour, Rows, Said, Seen, write_families};
use crate::house::{House, run};

/// Commands of a year. On PostgreSQL it is what stands in the database that is to be seen, and fewer are enough.
const COMMANDS: usize = 100_000;
const COMMANDS_ON_POSTGRES: usize = 20_000;
/// After so many commands of two neighbours what is over is put away …
const TIDIED_EVERY: usize = 200;
/// … and everything that ever was is looked at.
const LOOKED_BACK_EVERY: usize = 2_000;
/// Members of one studio alone, and of it and its neighbour.
const MEMBERS: usize = 24;
const MEMBERS_OF_BOTH: usize = 8;
const YEAR: TimeDelta = TimeDelta::days(365);

/// What a real studio does: its rules, what its workshops change, and what its dearer membership does.
struct Plan {
    zone: Tz,
    rules: Value,
    workshops: Value,
    gold: Value,
}

/// Two and two are neighbours.
fn plans() -> Vec<Plan> {
    let plan = |zone, rules| Plan { zone, rules, workshops: json!({}), gold: json!({}) };
    let days: Vec<String> = (1..=28).step_by(3).flat_map(|day| [1, 7, 10].map(|month| format!("2027-{month:02}-{day:02}"))).collect();
    vec![
        plan(chrono_tz::Asia::Shanghai, json!({"after_cutoff": "offers", "promotion_until_min": 4_320, "bookings_ahead_max": 5})),
        // "3 warnings in 90 days → 3 weeks".
        plan(
            chrono_tz::Asia::Taipei,
            json!({"after_cutoff": "notify_all", "late_cancels_forgiven": 0, "strikes_max": 3, "strike_lapse_days": 90,
                "strike_consequence_days": 21, "strike_ahead_hours": 0}),
        ),
        // "Morning classes by 22:00 the night before, afternoon classes 2 h before", longer quiet hours, no grace, fees.
        Plan {
            workshops: json!({"after_cutoff": "open", "free_cancel_min": 1_440}),
            ..plan(
                chrono_tz::Europe::Paris,
                json!({"after_cutoff": "offers", "free_cancel_min": 120, "free_cancel_morning_until": "22:00", "quiet_hours_from": "21:00",
                    "quiet_hours_until": "09:00", "grace_promotion_min": 0, "offer_min": 15, "offers_until_min": 60,
                    "promotion_until_min": 2_880, "late_cancel_fee_minor": 1_000, "no_show_fee_minor": 2_000, "fee_currency": "EUR"}),
            )
        },
        // "More than 3 h before: automatic; less: held for who checks in", three a week from Sunday, one more from the list.
        plan(
            chrono_tz::Africa::Casablanca,
            json!({"after_cutoff": "staff", "promotion_until_min": 180, "bookings_per_week_max": 3, "week_starts_on": 7, "promoted_extra": 1,
                "free_cancel_min": 360}),
        ),
        // "More than two late cancels a month → 30 days", and never quiet.
        plan(
            chrono_tz::America::New_York,
            json!({"strikes_for": "late_cancels", "strikes_by_month": true, "strikes_max": 1, "late_cancels_forgiven": 2,
                "strike_consequence_days": 30, "strike_ahead_hours": 0, "quiet_hours_from": "07:00", "quiet_hours_until": "07:00",
                "free_cancel_min": 1_440}),
        ),
        // "The list closes 8 h before", one a day, days without penalties.
        plan(
            chrono_tz::America::Sao_Paulo,
            json!({"after_cutoff": "offers", "waitlist_closes_min": 480, "promotion_until_min": 1_440, "bookings_per_day_max": 1,
                "penalty_free_days": days, "booking_opens_days": 3}),
        ),
        // Workshops have rules and a cap of their own.
        Plan {
            workshops: json!({"after_cutoff": "notify_all", "free_cancel_min": 2_880, "promotion_until_min": 4_320, "waitlist_unlimited": true,
                "bookings_per_week_max": 2}),
            ..plan(chrono_tz::Australia::Sydney, json!({"after_cutoff": "offers", "late_cancels_forgiven": 2, "grace_promotion_min": 60}))
        },
        // "Cancel 30 min before".
        plan(
            chrono_tz::Australia::Lord_Howe,
            json!({"free_cancel_min": 30, "promotion_until_min": 2_880, "after_cutoff": "offers", "offer_min": 20}),
        ),
        // A tier that books earlier, with caps of its own; eight a month, two more from the list.
        Plan {
            gold: json!({"booking_opens_days": 30, "free_cancel_min": 60, "bookings_ahead_max": 4}),
            ..plan(
                chrono_tz::Europe::London,
                json!({"bookings_per_month_max": 8, "promoted_extra": 2, "after_cutoff": "offers", "promotion_until_min": 4_320,
                    "booking_opens_days": 4}),
            )
        },
        plan(
            chrono_tz::Asia::Kathmandu,
            json!({"after_cutoff": "notify_all", "promotion_until_min": 4_320, "guests_max": 2, "overlapping_waitlists": false,
                "strikes_max": 2, "strikes_for": "no_shows", "booking_closes_min": 60, "free_cancel_min": 120}),
        ),
    ]
}

/// Two studios that share members.
struct Neighbours {
    casts: [Cast; 2],
    said: [Said; 2],
}

/// Writes two studios with all who go there, under ids that come from the seed alone.
async fn found(house: &House, seed: u64, pair: usize, plans: &[Plan]) -> Neighbours {
    let mut last = (0xCA57_u128 << 96) | (u128::from(seed) << 64) | ((pair as u128) << 32);
    let mut id = || {
        last += 1;
        Uuid::from_u128(last)
    };
    let shared: Vec<Uuid> = (0..MEMBERS_OF_BOTH).map(|_| id()).collect();
    let studios = [id(), id()];
    let mut neighbours = Vec::new();
    for (studio, plan) in studios.into_iter().zip(plans) {
        let (class, workshop) = (id(), id());
        let mut members: Vec<Uuid> = (0..MEMBERS).map(|_| id()).collect();
        members.extend(&shared);
        let cast = Cast {
            studio,
            admin: id(),
            class_types: vec![class, class, workshop],
            rooms: [id(), id()],
            instructors: [id(), id()],
            sells: (0..6).map(|_| id()).collect(),
            families: vec![(members[1], members[2]), (members[MEMBERS], members[3])],
            members,
        };
        let rules = |value: &Value| value.as_object().is_some_and(|rules| !rules.is_empty()).then(|| value.clone());
        HouseRules::parse(plan.rules.as_object().unwrap().clone()).unwrap();
        Overrides::parse(plan.workshops.as_object().unwrap().clone(), Finest::ClassType).unwrap();
        Overrides::parse(plan.gold.as_object().unwrap().clone(), Finest::PassType).unwrap();
        let said = Said {
            zone: plan.zone,
            house: plan.rules.clone(),
            of_class_type: rules(&plan.workshops).map(|rules| (workshop, rules)).into_iter().collect(),
            of_pass_type: rules(&plan.gold).map(|rules| (cast.sells[3], rules)).into_iter().collect(),
        };
        neighbours.push((cast, said));
    }
    for (n, (cast, said)) in neighbours.iter().enumerate() {
        let (cast, said, now) = (cast.clone(), said.clone(), house.clock.now());
        // Who goes to both is written down once.
        let new = if n == 0 { cast.members.clone() } else { cast.members[..MEMBERS].to_vec() };
        house.write(move |tx| Box::pin(async move { write_studio(tx, &cast, &said, new, studios, now).await })).await;
    }
    let [(first, of_first), (second, of_second)] = <[_; 2]>::try_from(neighbours).ok().unwrap();
    Neighbours { casts: [first, second], said: [of_first, of_second] }
}

async fn write_studio(tx: &mut Tx, cast: &Cast, said: &Said, new: Vec<Uuid>, both: [Uuid; 2], now: DateTime<Utc>) -> Result<(), Error> {
    let (id, name) = (cast.studio, Json(json!({"en": "It"})));
    let sql = "INSERT INTO studios (id, name, address, time_zone, locale, contact, house_rules, created_at) VALUES #";
    let zone = said.zone.name();
    tx.rows(sql, vec![(id, "A studio", "1 Nanjing Road", zone, "en", "front@releve.test", Json(said.house.clone()), now)]).await?;
    let rooms = cast.rooms.map(|room| (room, id, room.to_string(), 6_i64, now)).to_vec();
    tx.rows("INSERT INTO rooms (id, studio_id, name, capacity, created_at) VALUES #", rooms).await?;
    let types: BTreeSet<Uuid> = cast.class_types.iter().copied().collect();
    let rules = |of: &std::collections::BTreeMap<Uuid, Value>, id: &Uuid| of.get(id).cloned().map(Json);
    let types = types.iter().map(|class| (*class, id, name.clone(), "open", 55_i64, 1_i64, now, rules(&said.of_class_type, class)));
    let sql = "INSERT INTO class_types (id, studio_id, name, level, minutes, credits, created_at, rules) VALUES #";
    tx.rows(sql, types.collect()).await?;
    // Packs: a short one, one for both studios, one that counts from the first class. Memberships: a dear one without end in the week, one
    // of two visits a week, one for classes alone that may be handed on.
    let class = Json(json!([cast.class_types[0]]));
    let passes = cast.sells.iter().enumerate().map(|(n, pass)| {
        let (kind, credits, a_week) = [
            ("pack", Some(3_i64), None),
            ("pack", Some(6), None),
            ("pack", Some(3), None),
            ("membership", None, None),
            ("membership", None, Some(2_i64)),
            ("membership", None, Some(3)),
        ][n];
        let (from, within) = if n == 2 { ("first_attended", Some(30_i64)) } else { ("sale", None) };
        let days = [40_i64, 90, 20, 14, 30, 30][n];
        let (only, at) = ((n == 5).then(|| class.clone()), (n == 1).then(|| Json(json!(both))));
        let rules = said.of_pass_type.get(pass).cloned().map(Json);
        (*pass, id, name.clone(), kind, credits, a_week, days, now, from, within, only, at, rules, n == 0 || n == 5)
    });
    let sql = "INSERT INTO pass_types (id, studio_id, name, kind, credits, per_week, valid_days, created_at, valid_from, activate_within_days, \
               class_type_ids, studio_ids, rules, transferable) VALUES #";
    tx.rows(sql, passes.collect()).await?;
    let people: Vec<Uuid> = new.iter().chain(&cast.instructors).chain([&cast.admin]).copied().collect();
    let people = people.into_iter().map(|person| {
        let email = format!("{}@releve.test", person.simple());
        (person, "Somebody", email.clone(), email, "en", now, false, now, false)
    });
    let sql = "INSERT INTO persons (id, name, email, email_key, locale, verified_at, is_owner, created_at, wants_reminder_24h) VALUES #";
    tx.rows(sql, people.collect()).await?;
    let (naps, quiet) = (cast.members[0], Json(json!({"from": "13:00", "until": "15:00"})));
    tx.run("UPDATE persons SET quiet_hours = $2 WHERE id = $1", (naps, quiet)).await?;
    let key = releve::search::name_key("Somebody");
    let members = cast.members.iter().map(|member| (id, *member, "Somebody", key.clone(), now)).collect();
    tx.rows("INSERT INTO members (studio_id, person_id, name, name_search, joined_at) VALUES #", members).await?;
    let mut staff = vec![(id, cast.admin, "admin", now)];
    staff.extend(cast.instructors.map(|instructor| (id, instructor, "instructor", now)));
    tx.rows("INSERT INTO staff (studio_id, person_id, role, since) VALUES #", staff).await?;
    write_families(tx, &cast.families, now).await
}

/// What became of a booking: the same in every year of one seed.
type Fate = (Uuid, releve::booking::BookingStatus, i64, Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// Lives a year from this seed with so many commands, checks it, and leaves it in the house's database.
async fn live(house: &House, seed: u64, commands: usize) -> (Seen, Vec<Fate>) {
    let (mut seen, mut fates) = (Seen::default(), Vec::new());
    let began = house.clock.now();
    for (pair, plans) in plans().chunks(2).enumerate() {
        let Neighbours { casts, said } = found(house, seed, pair, plans).await;
        let mut lived = Lived::in_memory(house, &casts).await;
        let seeds = [2 * pair as u64, 2 * pair as u64 + 1].map(|n| 1_000 + 10 * seed + n);
        let mut begin = seeds.into_iter().zip(said).zip(casts).map(|((seed, said), cast)| {
            let mut month = Month::begin(seed, said, cast, began);
            month.of_a_year = true;
            month
        });
        let mut studios = [begin.next().unwrap(), begin.next().unwrap()];
        let mut dice = SmallRng::seed_from_u64(seeds[0] ^ seed);
        let steps = commands / 5;
        for n in 0..steps {
            let which = dice.random_range(0..2);
            let due = began + YEAR * i32::try_from(n).unwrap() / i32::try_from(steps).unwrap();
            let now = studios[0].now.max(studios[1].now);
            let time_passes = now + TimeDelta::days(1) < due || (now < due && dice.random_bool(0.3));
            let [one, other] = &mut studios;
            let (here, there) = if which == 0 { (one, other) } else { (other, one) };
            // Every command has an instant of its own, and so its ids have an order.
            here.now = now + TimeDelta::seconds(1);
            if time_passes {
                here.let_time_pass();
            }
            here.neighbour = there.beside();
            // A second may be enough for something to fall due.
            here.step(&mut lived, 1, true).await;
            if time_passes {
                there.now = here.now + TimeDelta::seconds(1);
                there.neighbour = here.beside();
                there.step(&mut lived, 0, true).await;
            }
            if n % LOOKED_BACK_EVERY == 0 {
                for studio in &studios {
                    studio.check(&lived.rows(studio, true).await);
                }
            }
            if n % TIDIED_EVERY == 0 {
                for studio in &mut studios {
                    studio.tidy(&lived.rows(studio, false).await);
                }
            }
        }
        let end = began + YEAR + TimeDelta::hours(2);
        for n in [0, 1] {
            studios[n].now = end;
            studios[n].neighbour = studios[1 - n].beside();
            studios[n].step(&mut lived, 0, true).await;
        }
        for studio in &mut studios {
            let rows = lived.rows(studio, true).await;
            studio.check(&rows);
            studio.sum_up(&rows);
            fates.extend(rows.bookings.iter().map(|b| (b.id, b.status, b.credits, b.promoted_at, b.ended_at)));
            seen.month(studio);
        }
        let Lived::Memory(memory) = lived else { unreachable!() };
        memory.write_down(house, end).await;
        house.clock.set(end);
        house.audit_is_clean().await;
        house.clock.set(began);
    }
    house.clock.set(began + YEAR + TimeDelta::hours(2));
    fates.sort_unstable_by_key(|fate| fate.0);
    (seen, fates)
}

impl Month {
    /// What a neighbour sees of it.
    fn beside(&self) -> Neighbour {
        Neighbour {
            bookings: self.bookings.iter().map(|made| made.id).collect(),
            past: self.away.since(self.now).collect(),
            passes: self.passes.values().copied().collect(),
            families: self.cast.families.clone(),
        }
    }

    /// What is over by now is put away.
    fn tidy(&mut self, Rows { sessions, passes, .. }: &Rows<'_>) {
        let over: BTreeSet<Uuid> = sessions.iter().filter(|s| s.ends_at + TimeDelta::days(3) < self.now).map(|s| s.id).collect();
        let today = self.said.day(self.now);
        let gone = passes.iter().filter(|pass| pass.ended_at.is_some() || pass.expires_on + TimeDelta::days(8) < today);
        let gone: BTreeSet<Uuid> = gone.filter(|pass| pass.studio_id == self.cast.studio).map(|pass| pass.id).collect();
        self.away.sessions.extend(self.sessions.extract_if(.., |id| over.contains(id)));
        let (past, ahead): (Vec<Made>, Vec<Made>) =
            std::mem::take(&mut self.bookings).into_iter().partition(|b| over.contains(&b.session_id));
        self.away.bookings.extend(past);
        self.bookings = ahead;
        self.holds.retain(|(_, session_id)| !over.contains(session_id));
        let (past, ahead) = std::mem::take(&mut self.passes).into_iter().partition(|(_, id)| gone.contains(id));
        self.passes = ahead;
        self.away.passes.extend(std::collections::BTreeMap::<String, Uuid>::into_values(past));
    }
}

impl InMemory {
    /// Writes every row of it into the house's database. Which row refers to which is not asked meanwhile: they come all at once.
    async fn write_down(self: Box<Self>, house: &House, now: DateTime<Utc>) {
        let Self { mut set, mut ledger, events, .. } = *self;
        set.ledger().append(&mut ledger);
        set.events = events;
        let unasked = Sql::Each { sqlite: "PRAGMA defer_foreign_keys = ON", postgres: "SET LOCAL session_replication_role = replica" };
        house
            .write(move |tx| {
                Box::pin(async move {
                    tx.run(unasked, ()).await?;
                    set.write(tx, now).await?;
                    // Nobody reads the letters of a year: they are not kept.
                    tx.run("UPDATE bookings SET letters = 0", ()).await?;
                    // A year that came at once: in a studio's life the engine learns on the way how much there is.
                    tx.run("ANALYZE", ()).await
                })
            })
            .await;
    }
}

fn years() -> u64 {
    std::env::var("RELEVE_YEARS").ok().map_or(1, |years| years.parse().expect("RELEVE_YEARS is a number"))
}

/// What must have happened often in a year: one in how many commands. The counts come from the seed alone, and are several times as high.
const OFTEN: [(&str, usize); 22] = [
    ("share_pass", 2_000),
    ("paid by the family", 5_000),
    ("book", 50),
    ("cancel", 100),
    ("promoted", 1_000),
    ("offered", 2_000),
    ("offered in quiet hours", 5_000),
    ("offer expired", 2_000),
    ("kept for those who wait", 5_000),
    ("cancelled late", 1_000),
    ("forgiven", 1_000),
    ("absent", 1_000),
    ("unrecorded", 200),
    ("check_in", 500),
    ("waited in vain", 200),
    ("sell_pass", 100),
    ("transfer_pass", 2_000),
    ("freeze_pass", 1_000),
    ("give_credits", 1_000),
    ("waive_penalty", 2_000),
    ("set_hold", 2_000),
    ("hold expired", 5_000),
];
/// The same, where there are enough commands for what is rarer.
const OFTEN_IN_A_FULL_YEAR: [(&str, usize); 11] = [
    ("suspended", 1_000),
    ("too-many-bookings", 10_000),
    ("waitlist-full", 500),
    ("changed class", 1_000),
    ("changed class by promotion", 25_000),
    ("brought a guest", 5_000),
    ("move_up", 5_000),
    ("offer accepted", 5_000),
    ("offer declined", 5_000),
    ("released at the door", 25_000),
    ("let go by a move", 50_000),
];

both_engines! {
    async fn a_year_of_ten_studios_keeps_every_promise(house: House) {
        let commands = if house.db.engine() == Engine::Postgres { COMMANDS_ON_POSTGRES } else { COMMANDS };
        for seed in 0..years() {
            let (seen, _) = live(&house, seed, commands).await;
            seen.often(&OFTEN, commands);
            if commands == COMMANDS {
                seen.often(&OFTEN_IN_A_FULL_YEAR, commands);
            }
        }
    }
}

/// The same seed, the same year: so that what failed once can be looked at again.
#[tokio::test]
async fn a_year_comes_from_its_seed_alone() {
    let years = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    for _ in 0..2 {
        let years = std::sync::Arc::clone(&years);
        run(Engine::Sqlite, async move |house: House| {
            let (_, fates) = live(&house, 7, 5_000).await;
            years.lock().unwrap().push(fates);
        })
        .await;
    }
    let years = years.lock().unwrap();
    assert!(years[0].len() > 500);
    assert!(years[0] == years[1], "two years of one seed differ");
}
