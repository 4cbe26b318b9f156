//! Random months of studio life, decided in memory by the very code that the desk decides with, and watched after every step.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::life::{self, BOOKINGS_AHEAD_MAX, Cast, Month, Seen};
use super::store::{ClassType, Person, Room, Studio};
use super::world::World;
use super::{Command, Outcome, Stop, What, decide};
use crate::audit::Record;
use crate::language::{Language, Texts};
use crate::letters::facts::StudioFacts;
use crate::passes::{Kind, LedgerEntry, PassType};
use crate::problem::Answer;
use crate::sign_in::caller::Role;
use crate::studios::house_rules::HouseRules;

/// Months that are lived through, each from nothing.
const MONTHS: u64 = 160;
/// Steps of a month, some of several commands: 100,000 commands in all.
const STEPS: usize = 400;

/// A house without a database.
struct Memory {
    world: World,
    now: DateTime<Utc>,
    ledger: Vec<LedgerEntry>,
}

fn english(text: &str) -> Json<Texts> {
    Json(Texts { en: text.into(), zh_hans: None, zh_hant: None })
}

fn cast() -> Cast {
    let id = Uuid::from_u128;
    Cast {
        studio: id(1),
        admin: id(2),
        class_type: id(3),
        rooms: [id(4), id(5)],
        instructors: [id(6), id(7)],
        pack: id(8),
        membership: id(9),
        members: (100..114).map(id).collect(),
    }
}

impl Memory {
    fn open(cast: &Cast) -> Self {
        let mut world = World::empty(true);
        world.complete = true;
        let zone = chrono_tz::Asia::Shanghai;
        let rules = HouseRules { bookings_ahead_max: BOOKINGS_AHEAD_MAX, ..HouseRules::default() };
        let facts = StudioFacts { name: "Jing'an".into(), address: None, contact: None, time_zone: zone };
        let studio = Studio { id: cast.studio, zone, locale: Language::ZhHans, shop_url: None, rules, facts };
        world.studios.insert(cast.studio, Arc::new(studio));
        let mut person = |id: Uuid, roles: Vec<(Uuid, Role)>| {
            let person = Person { id, name: id.to_string(), locale: None, has_address: true, verified: true, is_owner: false, roles };
            world.persons.insert(id, Some(Arc::new(person)));
            world.members.insert((cast.studio, id));
        };
        person(cast.admin, vec![(cast.studio, Role::Admin)]);
        cast.instructors.iter().for_each(|id| person(*id, vec![(cast.studio, Role::Instructor)]));
        cast.members.iter().for_each(|id| person(*id, Vec::new()));
        let (id, studio_id) = (cast.class_type, cast.studio);
        let class = ClassType { id, studio_id, name: english("Barre"), level: "open".into(), minutes: 55, credits: 1 };
        world.class_types.insert(id, Some(Arc::new(class)));
        for id in cast.rooms {
            world.rooms.insert(id, Some(Arc::new(Room { id, studio_id, name: "Studio".into(), capacity: 6 })));
        }
        for (id, kind, credits, per_week) in [(cast.pack, Kind::Pack, Some(3), None), (cast.membership, Kind::Membership, None, Some(2))] {
            let pass_type = PassType {
                id,
                studio_id,
                name: english("Pass"),
                kind,
                credits,
                per_week,
                valid_days: 40,
                price_minor: None,
                currency: None,
                class_type_ids: None,
                studio_ids: None,
                version: 1,
            };
            world.pass_types.insert(id, Some(Arc::new(pass_type)));
        }
        Self { world, now: "2026-11-30T02:00:00Z".parse().unwrap(), ledger: Vec::new() }
    }

    /// Decides, and keeps what was decided.
    fn decide(&mut self, who: Option<Uuid>, what: What) -> Answer<Outcome> {
        let command = Command { by: Record { actor_id: who, request_id: None }, what };
        match decide(&mut self.world, &command, self.now) {
            Ok(outcome) => {
                self.ledger.append(&mut self.world.ledger);
                self.world.settled();
                Ok(outcome)
            }
            Err(Stop::Refused(problem)) => Err(*problem),
            Err(stop) => panic!("no decision: {stop:?} of {command:?}"),
        }
    }
}

impl life::House for Memory {
    fn now(&self) -> DateTime<Utc> {
        self.now
    }

    async fn ask(&mut self, asked: Vec<(Uuid, What)>) -> Vec<Answer<Outcome>> {
        asked.into_iter().map(|(who, what)| self.decide(Some(who), what)).collect()
    }

    async fn let_time_pass(&mut self, by: Duration, sessions: &[Uuid]) {
        self.now += by;
        for session_id in sessions.iter().copied() {
            // A sweep that comes when there is nothing to do is refused, and nothing is lost.
            let _ = self.decide(None, What::CloseWaitlist { session_id });
            let _ = self.decide(None, What::Refill { session_id });
        }
    }

    async fn look(&mut self, sessions: &[Uuid], bookings: &[Uuid]) -> Seen<'_> {
        let passes: std::collections::BTreeSet<Uuid> = self.ledger.iter().map(|entry| entry.pass_id).collect();
        Seen {
            bookings: bookings.iter().filter_map(|id| self.world.known_booking(*id)).collect(),
            sessions: sessions.iter().filter_map(|id| self.world.session(*id).ok()).collect(),
            passes: passes.into_iter().filter_map(|id| self.world.pass(id).ok()).collect(),
            ledger: self.ledger.iter().map(|entry| (entry.pass_id, entry.booking_id, entry.credits)).collect(),
        }
    }
}

#[tokio::test]
async fn months_of_studio_life_keep_every_promise() {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut commands = 0;
    for seed in 0..MONTHS {
        let mut month = Month::begin(Memory::open(&cast()), cast(), seed);
        for _ in 0..STEPS {
            commands += month.step().await;
            month.check().await;
        }
        for (name, count) in month.seen {
            *seen.entry(name).or_default() += count;
        }
    }
    assert!(commands >= 100_000, "{commands}");
    life::assert_lively(&seen, 2_000);
}

/// The checker can fail: a place given away behind the desk's back is seen.
#[tokio::test]
#[should_panic(expected = "oversold")]
async fn the_checker_sees_an_oversold_session() {
    let mut month = Month::begin(Memory::open(&cast()), cast(), 7);
    for _ in 0..STEPS {
        month.step().await;
    }
    let world = &mut month.house.world;
    let mut smaller = month.sessions.iter().filter_map(|id| world.session(*id).ok()).find(|session| session.taken > 0).unwrap().clone();
    smaller.capacity = smaller.taken - 1;
    world.put_session(smaller);
    month.check().await;
}
