//! What there is in a demo. Pure: the same day gives the same plan, with the same ids, so that a later start finds what it made.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use sqlx::types::Json;
use uuid::Uuid;

use crate::booking::{Booking, EndedBy, NewBooking, Place};
use crate::language::{Language, Texts};
use crate::passes::rules::{Payment, sale};
use crate::passes::{LedgerEntry, LedgerReason, Pass, PassKind, PassType, Sale, ValidFrom};
use crate::penalties::rules::PenaltyTerms;
use crate::reports::TurnAway;
use crate::schedule::rules::local;
use crate::schedule::{ClassType, NewSession, Session, SessionNames, SessionRow};
use crate::studios::{HouseRules, Room, Studio};
use crate::zones::instant;

/// Days before and after today that the schedule covers.
pub const DAYS_AROUND: u64 = 7;

/// A studio of the demo.
pub struct DemoStudio {
    pub name: &'static str,
    pub zone: Tz,
    pub language: Language,
    address: &'static str,
    contact: &'static str,
    currency: &'static str,
    /// What a credit costs, in minor units of the currency.
    price_of_credit: i64,
}

/// The two studios.
pub const STUDIOS: [DemoStudio; 2] = [
    DemoStudio {
        name: "Jing'an",
        zone: Tz::Asia__Shanghai,
        language: Language::ZhHans,
        address: "上海市静安区示范路 1 号（演示）",
        contact: "jingan@demo.test",
        currency: "CNY",
        price_of_credit: 12_000,
    },
    DemoStudio {
        name: "Brooklyn",
        zone: Tz::America__New_York,
        language: Language::En,
        address: "1 Demo Street, Brooklyn, NY (demo)",
        contact: "brooklyn@demo.test",
        currency: "USD",
        price_of_credit: 2_400,
    },
];

/// What the demo's ids identify. They look like version 7 of an early instant, so that everything made later sorts after them.
#[derive(Clone, Copy)]
pub(super) enum Of {
    Studio = 1,
    Room,
    ClassType,
    PassType,
    Staff,
    Member,
    SessionRow,
    Pass,
    Ledger,
    Booking,
}

pub(super) fn id(of: Of, n: u64) -> Uuid {
    const EARLY: u128 = 0x0190_0000_0000 << 80;
    Uuid::from_u128(EARLY | 7 << 76 | (of as u128) << 64 | 0b10 << 62 | u128::from(n))
}

/// Something that every demo has under one id: an example in the API's document can be tried there.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "what it is")]
pub enum Example {
    Studio,
    Room,
    ClassType,
    PassType,
    Member,
}

impl Example {
    /// The id of the first.
    pub fn id(self) -> Uuid {
        match self {
            Self::Studio => id(Of::Studio, 0),
            Self::Room => id(Of::Room, 0),
            Self::ClassType => id(Of::ClassType, 0),
            Self::PassType => id(Of::PassType, TEN),
            Self::Member => id(Of::Member, 1),
        }
    }
}

fn texts(en: &str, zh_hans: &str, zh_hant: &str) -> Texts {
    Texts { en: en.into(), zh_hans: Some(zh_hans.into()), zh_hant: Some(zh_hant.into()) }
}

/// Name, what it is, level, minutes, credits.
struct Class(Texts, Texts, &'static str, i64, i64);

fn classes() -> [Class; 4] {
    [
        Class(
            texts("Barre Sculpt", "把杆塑形", "把桿塑形"),
            texts("Small movements, long holds, the whole body.", "小幅度动作与静态控制，锻炼全身。", "小幅度動作與靜態控制，鍛鍊全身。"),
            "open",
            55,
            1,
        ),
        Class(
            texts("Ballet Workout", "芭蕾健身", "芭蕾健身"),
            texts(
                "The strength of ballet without the steps.",
                "以芭蕾基本功训练力量，无需舞蹈基础。",
                "以芭蕾基本功訓練力量，無需舞蹈基礎。",
            ),
            "beginner",
            60,
            1,
        ),
        Class(
            texts("Adult Ballet", "成人芭蕾", "成人芭蕾"),
            texts("Barre and centre for adults who dance.", "面向成人的把杆与中间练习。", "面向成人的把桿與中間練習。"),
            "intermediate",
            75,
            2,
        ),
        Class(
            texts("Gyrotonic", "禅柔", "禪柔"),
            texts("Round, flowing movement in small groups.", "小班教学，圆周流动的动作训练。", "小班教學，圓周流動的動作訓練。"),
            "open",
            50,
            2,
        ),
    ]
}

/// Room, hour, minute, class type, and an offset into the day's rota of instructors. Slots that overlap differ in room and instructor.
const TIMETABLE: [(u64, u32, u32, usize, u64); 7] =
    [(0, 7, 30, 0, 0), (0, 10, 0, 1, 1), (1, 10, 30, 3, 2), (0, 12, 15, 0, 0), (0, 18, 0, 0, 1), (1, 18, 30, 2, 2), (0, 19, 30, 1, 0)];

/// The slot of the timetable, and the day after the seeding, of the session that is full.
const FULL: (usize, u64) = (4, 2);
/// The first of the members who want it: as many as there are places, and two who wait.
const FIRST_IN_FULL: u64 = 2;
const WAITING_IN_FULL: u64 = 2;

const ROOMS: [(&str, i64); 2] = [("Studio A", 12), ("Studio B", 8)];
const INSTRUCTORS: [&str; 6] = ["Lin Yue 林月", "Chen Jing 陈静", "Zhao Min 赵敏", "Clara Bennett", "Maya Okafor", "Sofia Rossi"];
/// Instructors who teach at each studio; all six are staff of both.
const TRIO: u64 = 3;

/// Members who have a past; more of them would be a crowd of newcomers.
pub(super) const WITH_A_PAST_MAX: u64 = 160;

/// The first of them pay with packs, the others with memberships of the studio that they like best.
const MEMBERSHIPS_FROM: u64 = 31;

/// Everything that is seeded at once.
#[allow(missing_docs, reason = "the rows of the tables of these names")]
pub struct Plan {
    pub studios: Vec<Studio>,
    pub rooms: Vec<Room>,
    pub class_types: Vec<ClassType>,
    pub pass_types: Vec<PassType>,
    pub people: Vec<DemoPerson>,
    pub passes: Vec<Pass>,
    pub ledger: Vec<LedgerEntry>,
    pub sessions: Vec<Session>,
    pub bookings: Vec<Booking>,
    pub turned_away: Vec<TurnAway>,
    members: u32,
}

/// Somebody of the demo, with an account.
#[derive(Clone, Debug)]
pub struct DemoPerson {
    pub id: Uuid,
    pub name: String,
    /// Their address, which is its own key.
    pub email: String,
    /// A number by which a desk finds them, and that is nobody's.
    pub phone: Option<String>,
    pub locale: Language,
    /// Whether they own the deployment.
    pub is_owner: bool,
    /// Since when they have been here.
    pub since: DateTime<Utc>,
    /// The studios that know them as a member.
    pub member_of: Vec<Uuid>,
    /// Their roles, the same at both studios.
    roles: &'static [&'static str],
}

impl Plan {
    /// Two weeks around `now`.
    pub fn new(now: DateTime<Utc>, members: u32) -> Self {
        let today = now.date_naive();
        let days = Days::new(DAYS_AROUND);
        let (first, last) = (today.checked_sub_days(days).unwrap_or(today), today.checked_add_days(days).unwrap_or(today));
        let mut plan = Self {
            studios: (0..).zip(&STUDIOS).map(|(nth, place)| studio(nth, place)).collect(),
            rooms: (0..STUDIOS.len() as u64).flat_map(rooms).collect(),
            class_types: (0..STUDIOS.len() as u64).flat_map(class_types).collect(),
            pass_types: (0..).zip(&STUDIOS).flat_map(|(nth, place)| pass_types(nth, place)).collect(),
            people: people(now, members),
            passes: Vec::new(),
            ledger: Vec::new(),
            sessions: sessions(first, last, now),
            bookings: Vec::new(),
            turned_away: Vec::new(),
            members,
        };
        plan.sell(now);
        plan
    }

    pub fn member_count(&self) -> u32 {
        self.members
    }

    /// Who works where.
    pub fn staff(&self) -> Vec<(Uuid, Uuid, &'static str, DateTime<Utc>)> {
        let roles = self.people.iter().flat_map(|person| person.roles.iter().map(move |role| (person, *role)));
        let everywhere = roles.flat_map(|(person, role)| self.studios.iter().map(move |studio| (studio.id, person.id, role, person.since)));
        everywhere.collect()
    }

    /// Each member has a pack of 50 at both studios.
    fn sell(&mut self, now: DateTime<Utc>) {
        let sold_at = now - TimeDelta::days(20);
        for member in 1..=u64::from(self.members) {
            for studio in 0..STUDIOS.len() as u64 {
                self.sell_one(member * 100 + studio * 10 + FIFTY, member, studio, FIFTY, sold_at);
            }
        }
    }

    /// Sells a pass, which is the `n`th and has no other sale's number.
    pub(super) fn sell_one(&mut self, n: u64, member: u64, studio: u64, kind: u64, sold_at: DateTime<Utc>) {
        let Some(of) = self.pass_types.iter().find(|of| of.id == id(Of::PassType, studio * 10 + kind)) else { return };
        let zone = self.studios.iter().find(|one| one.id == of.studio_id).map_or(Tz::UTC, |one| one.time_zone.tz());
        let sold = sale(&of.terms(), of.studio_id, local(sold_at, zone).date, None);
        let by = Some(id(Of::Staff, DESK));
        let what =
            Sale { id: id(Of::Pass, n), studio_id: of.studio_id, person_id: id(Of::Member, member), pass_type_id: of.id, at: sold_at, by };
        self.ledger.push(LedgerEntry {
            credits: sold.credits_left.unwrap_or(0),
            amount_minor: of.price_minor,
            currency: of.currency.clone(),
            method: Some("card".into()),
            reference: Some("demo".into()),
            ..LedgerEntry::new(id(Of::Ledger, n), what.id, LedgerReason::Sold, by, sold_at)
        });
        self.passes.push(Pass::sold(what, sold));
    }
}

/// The kinds of pass, as the last digit of their ids.
pub(super) const TEN: u64 = 1;
const FIFTY: u64 = 2;
pub(super) const UNLIMITED: u64 = 3;
const TWICE: u64 = 4;

/// Staff, as the last digits of their ids; instructors are 11 to 16.
const OWNER: u64 = 1;
const ADMIN: u64 = 2;
const DESK: u64 = 3;
const INSTRUCTOR: u64 = 10;

pub(super) fn pays_by_membership(member: u64) -> bool {
    (MEMBERSHIPS_FROM..=WITH_A_PAST_MAX).contains(&member)
}

/// The studio that a member likes best.
pub(super) fn studio_of(member: u64) -> u64 {
    member % 2
}

fn studio(nth: u64, place: &DemoStudio) -> Studio {
    let rules = match place.language {
        Language::En => "Please come ten minutes early. Grip socks in every class. (Demo)",
        _ => "请提前十分钟到场，上课请穿防滑袜。（演示）",
    };
    Studio {
        id: id(Of::Studio, nth),
        name: place.name.into(),
        address: Some(place.address.into()),
        time_zone: place.zone.into(),
        locale: place.language,
        contact: Some(place.contact.into()),
        rules_text: Some(rules.into()),
        privacy_url: Some("https://demo.test/privacy".into()),
        shop_url: Some("https://demo.test/shop".into()),
        second_factor_required: false,
        version: 1,
    }
}

fn rooms(studio: u64) -> impl Iterator<Item = Room> {
    (0..).zip(ROOMS).map(move |(nth, (name, capacity))| Room {
        id: id(Of::Room, studio * 10 + nth),
        studio_id: id(Of::Studio, studio),
        name: name.into(),
        capacity,
        version: 1,
    })
}

fn class_types(studio: u64) -> impl Iterator<Item = ClassType> {
    (0..).zip(classes()).map(move |(nth, Class(name, description, level, minutes, credits))| ClassType {
        id: id(Of::ClassType, studio * 10 + nth),
        studio_id: id(Of::Studio, studio),
        name: Json(name),
        description: Some(Json(description)),
        level: level.into(),
        minutes,
        credits,
        minimum: None,
        version: 1,
        rules_version: 1,
    })
}

fn pass_types(studio: u64, place: &DemoStudio) -> Vec<PassType> {
    let one = |kind, name, of, credits, per_week, valid_days, price| PassType {
        id: id(Of::PassType, studio * 10 + kind),
        studio_id: id(Of::Studio, studio),
        name: Json(name),
        kind: of,
        credits,
        per_week,
        valid_days: Some(valid_days),
        price_minor: Some(price),
        currency: Some(place.currency.into()),
        class_type_ids: None,
        studio_ids: None,
        version: 1,
        rules_version: 1,
        valid_months: None,
        valid_from: ValidFrom::Sale,
        activate_within_days: None,
        new_members_only: false,
        once_per_person: false,
        followed_by: None,
        freeze_days_max: 30,
        transferable: false,
        on_sale: true,
    };
    let price = place.price_of_credit;
    vec![
        one(TEN, texts("10 classes", "10 次卡", "10 堂套票"), PassKind::Pack, Some(10), None, 90, price * 10),
        PassType {
            transferable: true,
            ..one(FIFTY, texts("50 classes", "50 次卡", "50 堂套票"), PassKind::Pack, Some(50), None, 365, price * 40)
        },
        one(
            UNLIMITED,
            texts("Unlimited, 60 days", "60 天不限次会员卡", "60 天無限次會籍"),
            PassKind::Membership,
            None,
            None,
            60,
            price * 20,
        ),
        one(
            TWICE,
            texts("Twice a week, 30 days", "30 天每周两次会员卡", "30 天每週兩次會籍"),
            PassKind::Membership,
            None,
            Some(2),
            30,
            price * 7,
        ),
    ]
}

fn people(now: DateTime<Utc>, members: u32) -> Vec<DemoPerson> {
    let since = now - TimeDelta::days(700);
    let staff = |n, name: &str, address: &str, roles| DemoPerson {
        id: id(Of::Staff, n),
        name: name.into(),
        email: format!("{address}@demo.test"),
        phone: None,
        locale: Language::En,
        is_owner: n == OWNER,
        since,
        member_of: Vec::new(),
        roles,
    };
    let mut people = vec![
        staff(OWNER, "Olivia Owner", "owner", &[]),
        staff(ADMIN, "Ada Admin", "admin", &["admin"]),
        staff(DESK, "Dora Desk", "desk", &["front_desk"]),
    ];
    for (nth, name) in (1..).zip(INSTRUCTORS) {
        people.push(staff(INSTRUCTOR + nth, name, &format!("instructor{nth}"), &["instructor"]));
    }
    let everywhere: Vec<Uuid> = (0..STUDIOS.len() as u64).map(|nth| id(Of::Studio, nth)).collect();
    people.extend((1..=u64::from(members)).map(|n| {
        let (name, locale) = member(n);
        DemoPerson {
            id: id(Of::Member, n),
            name,
            email: format!("member{n}@demo.test"),
            phone: Some(format!("000 0000 {:04}", 8_000 + n)),
            locale,
            is_owner: false,
            since: joined(n, now),
            member_of: everywhere.clone(),
            roles: &[],
        }
    }));
    people
}

/// When a member joined; those who have a past did so in the last twenty months.
pub(super) fn joined(member: u64, now: DateTime<Utc>) -> DateTime<Utc> {
    let days = if member > WITH_A_PAST_MAX { 30 } else { SmallRng::seed_from_u64(member).random_range(35..600) };
    now - TimeDelta::days(days)
}

/// Plainly invented: the name contains the number.
fn member(n: u64) -> (String, Language) {
    const GIVEN: [&str; 12] = ["Ana", "Bea", "Chloe", "Dana", "Elena", "Fatou", "Grace", "Hana", "Ines", "Julia", "Kira", "Lena"];
    const HANS: [&str; 10] = ["林小月", "陈思雨", "王梓涵", "刘佳怡", "张欣然", "赵雨桐", "周若溪", "吴诗涵", "徐梦瑶", "王美丽"];
    const HANT: [&str; 5] = ["黃詩雅", "許庭瑜", "葉子晴", "蕭語彤", "羅心妤"];
    let pick = |names: &[&'static str]| usize::try_from(n).ok().and_then(|n| names.get(n % names.len()).copied()).unwrap_or("Demo");
    match n % 6 {
        0 | 3 => (format!("{} {n}", pick(&HANS)), Language::ZhHans),
        5 => (format!("{} {n}", pick(&HANT)), Language::ZhHant),
        _ => (format!("{} Demo {n}", pick(&GIVEN)), Language::En),
    }
}

/// The sessions of both studios on these local dates.
pub fn sessions(first: NaiveDate, last: NaiveDate, now: DateTime<Utc>) -> Vec<Session> {
    let days = || first.iter_days().take_while(|day| *day <= last);
    let slots =
        (0..STUDIOS.len() as u64).flat_map(|studio| days().flat_map(move |day| (0..TIMETABLE.len()).map(move |slot| (studio, day, slot))));
    slots.filter_map(|(studio, day, slot)| session(studio, day, slot, now)).collect()
}

/// The id of the session in this slot of a day's timetable.
pub(super) fn session_id(studio: u64, day: NaiveDate, slot: usize) -> Uuid {
    let day_number = (day - NaiveDate::default()).num_days().unsigned_abs();
    id(Of::SessionRow, studio * 1_000_000 + day_number * 10 + slot as u64)
}

fn session(studio: u64, day: NaiveDate, slot: usize, now: DateTime<Utc>) -> Option<Session> {
    let place = STUDIOS.get(usize::try_from(studio).ok()?)?;
    let &(room, hour, minute, class, moved) = TIMETABLE.get(slot)?;
    let Class(class_name, _, level, minutes, credits) = classes().into_iter().nth(class)?;
    let &(room_name, capacity) = ROOMS.get(usize::try_from(room).ok()?)?;
    let day_number = (day - NaiveDate::default()).num_days().unsigned_abs();
    let instructor = studio * TRIO + (day_number + moved) % TRIO;
    let starts_at = instant(day.and_time(NaiveTime::from_hms_opt(hour, minute, 0)?), place.zone);
    let rules = HouseRules::default();
    let new = NewSession {
        id: session_id(studio, day, slot),
        studio_id: id(Of::Studio, studio),
        class_type_id: id(Of::ClassType, studio * 10 + u64::try_from(class).ok()?),
        room_id: id(Of::Room, studio * 10 + room),
        instructor_id: id(Of::Staff, INSTRUCTOR + 1 + instructor),
        starts_at,
        minutes,
        capacity,
        credits,
        minimum: None,
        draft: false,
    };
    let session = SessionRow::new(new, &rules, place.zone, now);
    let names = SessionNames {
        class_name: Json(class_name),
        class_level: level.into(),
        class_minutes: minutes,
        room_name: room_name.into(),
        instructor_name: INSTRUCTORS.get(usize::try_from(instructor).ok()?).copied()?.into(),
        time_zone: place.zone.into(),
        studio_locale: place.language,
    };
    Some(Session { session, names })
}

/// A session that everybody wants.
#[derive(Clone, Copy, Debug)]
pub struct Full {
    pub id: Uuid,
    /// When it starts.
    pub starts_at: DateTime<Utc>,
}

/// The session that is full in a demo that was seeded on this date.
pub fn full_session(seeded_on: NaiveDate) -> Full {
    let (slot, days) = FULL;
    let day = seeded_on.checked_add_days(Days::new(days)).unwrap_or(seeded_on);
    let session = session(0, day, slot, DateTime::UNIX_EPOCH);
    session
        .map_or(Full { id: Uuid::nil(), starts_at: DateTime::UNIX_EPOCH }, |session| Full { id: session.id, starts_at: session.starts_at })
}

/// Who wants it, in this order, and whether they wait.
pub fn wants_the_full_session() -> impl Iterator<Item = (Uuid, bool)> {
    let places = TIMETABLE.get(FULL.0).and_then(|slot| ROOMS.get(usize::try_from(slot.0).ok()?)).map_or(0, |room| room.1.unsigned_abs());
    (0..places + WAITING_IN_FULL).map(move |nth| (id(Of::Member, FIRST_IN_FULL + nth), nth >= places))
}

/// The fewest members with whom the full session is full.
pub const MEMBERS_MIN: u32 = 20;

/// A booking, and what became of it if the session is over: one of fifteen fates.
pub(super) fn visit(
    booking_id: Uuid,
    person_id: Uuid,
    session: &SessionRow,
    payment: Payment,
    fate: u64,
    (booked_at, now): (DateTime<Utc>, DateTime<Utc>),
) -> Booking {
    let new = NewBooking {
        id: booking_id,
        session_id: session.id,
        studio_id: session.studio_id,
        person_id,
        starts_at: session.starts_at,
        ends_at: session.ends_at,
        asked_by: person_id,
        asked_pass_id: None,
        asked_waitlist: false,
        asked_unpaid: false,
        unpaid_reason: None,
    };
    let penalty_terms = PenaltyTerms::of(&HouseRules::default(), payment.visit_week.is_some());
    let place = Place { payment, free_cancel_until: Some(session.free_cancel_until), penalty_terms };
    let mut booking = Booking::with_place(new, &place, booked_at);
    let over = session.starts_at <= now;
    // Each of these is allowed from booked.
    let _ = match (over, fate) {
        (false, _) => Ok(()),
        (true, 0) => booking.cancel_late(&EndedBy::Member.into(), booked_at.max(session.starts_at - TimeDelta::hours(2))),
        (true, 1) => booking.mark_absent(false),
        (true, _) => booking.check_in(session.starts_at - TimeDelta::minutes(5), id(Of::Staff, DESK)),
    };
    booking
}

/// Nobody is in two places and no room twice in use, ids are different and look like ours, and no session is oversold.
#[cfg(test)]
pub(super) fn could_be(plan: &Plan) {
    use std::collections::{HashMap, HashSet};

    let nobody_twice = |mut times: Vec<(Uuid, DateTime<Utc>, DateTime<Utc>)>| {
        times.sort_unstable();
        for pair in times.windows(2) {
            assert!(pair[0].0 != pair[1].0 || pair[0].2 <= pair[1].1, "{pair:?}");
        }
    };
    let sessions = plan.sessions.iter();
    nobody_twice(sessions.clone().map(|session| (session.room_id, session.starts_at, session.ends_at)).collect());
    nobody_twice(sessions.clone().map(|session| (session.instructor_id, session.starts_at, session.ends_at)).collect());
    nobody_twice(plan.bookings.iter().map(|booking| (booking.person_id, booking.starts_at, booking.ends_at)).collect());

    let ids = sessions.clone().map(|row| row.id).chain(plan.people.iter().map(|row| row.id));
    let ids = ids.chain(plan.passes.iter().map(|row| row.id)).chain(plan.ledger.iter().map(|row| row.id));
    let ids: Vec<Uuid> = ids.chain(plan.bookings.iter().map(|row| row.id)).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
    assert!(ids.iter().all(|id| id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122));

    let mut taken: HashMap<Uuid, i64> = HashMap::new();
    for booking in plan.bookings.iter().filter(|booking| booking.status.takes_place()) {
        *taken.entry(booking.session_id).or_default() += 1;
    }
    for session in sessions {
        assert_eq!(session.taken, taken.get(&session.id).copied().unwrap_or(0));
        assert!(session.taken <= session.capacity);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn plan(now: &str) -> Plan {
        Plan::new(now.parse().unwrap(), 60)
    }

    /// Days on which the clocks of New York change, and plain ones.
    const DAYS: [&str; 4] = ["2026-11-30T02:00:00Z", "2026-11-01T05:30:00Z", "2027-03-14T06:59:00Z", "2028-02-29T23:59:59Z"];

    #[test]
    fn it_could_be_so_on_any_day() {
        for day in DAYS {
            let plan = plan(day);
            assert!(plan.sessions.len() >= 2 * 15 * TIMETABLE.len());
            could_be(&plan);
        }
    }

    #[test]
    fn the_full_session_is_to_come_and_has_its_queue() {
        for day in DAYS {
            let plan = plan(day);
            let now: DateTime<Utc> = day.parse().unwrap();
            let full = full_session(now.date_naive());
            let session = plan.sessions.iter().find(|session| session.id == full.id).expect("it is scheduled");
            assert!(session.promote_until > now && session.booking_opens_at < now, "{day}");
            let wants: Vec<_> = wants_the_full_session().collect();
            assert_eq!(wants.iter().filter(|(_, waits)| !waits).count(), usize::try_from(session.capacity).unwrap());
            assert!(wants.iter().filter(|(_, waits)| *waits).count() < usize::try_from(session.waitlist_cap.unwrap()).unwrap());
            assert!(wants.iter().all(|(person, _)| plan.people.iter().any(|one| one.id == *person)));
            assert!(wants.len() < usize::try_from(MEMBERS_MIN).unwrap());
        }
    }

    #[test]
    fn every_member_holds_a_pack_of_fifty_at_both_studios() {
        let plan = plan(DAYS[0]);
        for person in plan.people.iter().filter(|person| !person.member_of.is_empty()) {
            let packs: HashSet<_> = plan
                .passes
                .iter()
                .filter(|pass| pass.person_id == person.id && pass.credits_left == Some(50))
                .map(|pass| pass.studio_id)
                .collect();
            assert_eq!(packs, person.member_of.iter().copied().collect(), "{}", person.email);
        }
    }

    #[test]
    fn the_same_day_gives_the_same_ids() {
        let (one, other) = (plan(DAYS[0]), Plan::new("2026-11-30T20:00:00Z".parse().unwrap(), 60));
        let ids = |plan: &Plan| plan.sessions.iter().map(|session| session.id).collect::<Vec<_>>();
        assert_eq!(ids(&one), ids(&other));
    }
}
