//! Races for one place or one credit between two processes: holds, guests, pairs, the door, offers. Each is run twice: with the lock that
//! puts the batches of a deployment in sequence it has one outcome, and without it, on PostgreSQL, it goes wrong.

#![allow(clippy::ptr_arg, reason = "each race is handed on to a runner that knows its people by their type alone")]

use chrono::TimeDelta;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::house::House;
use crate::races::{Neighbour, evening, without_the_lock};
use crate::seed::{Pass, Person, Session};

/// Races with the guard, at different evenings.
const RACES: usize = 6;

/// With the lock no race goes wrong, whichever process is asked first.
async fn stays_right<P>(
    house: &House,
    prepare: impl AsyncFnOnce(&House) -> P,
    goes_wrong: impl AsyncFn(&House, &P, [&str; 2], usize) -> bool,
) {
    let prepared = prepare(house).await;
    let neighbour = Neighbour::of(house, true).await;
    for race in 0..RACES {
        let [one, other] = [house.url.as_str(), neighbour.url.as_str()];
        let urls = if race % 2 == 0 { [one, other] } else { [other, one] };
        assert!(!goes_wrong(house, &prepared, urls, race).await, "race {race}");
        house.sweep().await;
        house.audit_is_clean().await;
    }
    neighbour.leave().await;
}

/// Without it one does. The tables' own checks are the last word: without them nothing stands in the way.
async fn goes_wrong_without_the_lock<P>(
    prepare: impl AsyncFnOnce(&House) -> P,
    goes_wrong: impl AsyncFn(&House, &P, [&str; 2], usize) -> bool,
) {
    let prepare = async |house: &House| {
        for statement in [
            "ALTER TABLE sessions DROP CONSTRAINT sessions_never_oversold",
            "ALTER TABLE passes DROP CONSTRAINT passes_never_below_zero",
            "DROP INDEX bookings_queue",
        ] {
            house.write(move |tx| Box::pin(tx.run(statement, ()))).await;
        }
        prepare(house).await
    };
    let goes_wrong = async |house: &House, prepared: &P, [one, two]: [&Neighbour; 2], race: usize| {
        goes_wrong(house, prepared, [&one.url, &two.url], race).await
    };
    without_the_lock(prepare, goes_wrong).await;
}

/// Both calls at once, and how they were answered.
async fn at_once(one: RequestBuilder, other: RequestBuilder) -> (u16, u16) {
    let one = tokio::spawn(async move { one.send().await.unwrap().status().as_u16() });
    let other = tokio::spawn(async move { other.send().await.unwrap().status().as_u16() });
    (one.await.unwrap(), other.await.unwrap())
}

fn book(house: &House, url: &str, by: &Person, body: &Value) -> RequestBuilder {
    house.http.put(format!("{url}/v1/bookings/{}", house.new_id())).bearer_auth(&by.token).json(body)
}

/// Members with a pass for every class.
async fn regulars(house: &House, rules: Value) -> Vec<Person> {
    let mut all = json!({"bookings_ahead_max": 1_000, "waitlist_unlimited": true, "booking_opens_days": 60});
    all.as_object_mut().unwrap().extend(rules.as_object().unwrap().clone());
    house.rules(all).await;
    let mut people = Vec::new();
    for n in 0..4 {
        let person = house.stranger(&format!("Regular {n}")).await;
        house.membership(&person, None).await;
        people.push(person);
    }
    people
}

async fn by_default(house: &House) -> Vec<Person> {
    regulars(house, json!({})).await
}

async fn with_offers(house: &House) -> Vec<Person> {
    regulars(house, json!({"after_cutoff": "offers"})).await
}

/// The desk keeps the last place back, and a member books it: whether both had it.
async fn hold_and_booking(house: &House, people: &Vec<Person>, urls: [&str; 2], race: usize) -> bool {
    let session = house.session(&evening(race), 1).await;
    let hold = house.http.put(format!("{}/v1/sessions/{}/holds/{}", urls[0], session.id, house.new_id()));
    let hold = hold.bearer_auth(&house.studio.desk.token).json(&json!({"kind": "guest", "places": 1}));
    at_once(hold, book(house, urls[1], &people[0], &json!({"session_id": session.id}))).await == (200, 201)
}

/// A member brings a guest to the last place, and another books it: whether both had it.
async fn guest_and_member(house: &House, people: &Vec<Person>, urls: [&str; 2], race: usize) -> bool {
    let session = house.session(&evening(race), 2).await;
    house.book(&people[0], &session).await.expect_booked();
    let guest = book(house, urls[0], &people[0], &json!({"session_id": session.id, "guest": {"name": "Mum"}}));
    at_once(guest, book(house, urls[1], &people[1], &json!({"session_id": session.id}))).await == (201, 201)
}

/// Two leave a full session for which a pair waits: whether the pair was left waiting beside two free places, or parted.
async fn two_leave_for_a_pair(house: &House, people: &Vec<Person>, urls: [&str; 2], race: usize) -> bool {
    let session = house.session(&evening(race), 2).await;
    let mut booked = Vec::new();
    for person in &people[..2] {
        booked.push(house.book(person, &session).await.expect_booked());
    }
    let (one, two) = (house.new_id(), house.new_id());
    let with = |id| json!({ "with": id });
    house.book(&people[2], &session).or_wait().id(one).saying("conditions", with(two)).await.expect_waitlisted(1);
    house.book(&people[3], &session).or_wait().id(two).saying("conditions", with(one)).await.expect_waitlisted(2);
    let leave = |n: usize| {
        let call = house.http.put(format!("{}/v1/bookings/{}/cancellation", urls[n], booked[n].id));
        call.bearer_auth(&people[n].token).json(&json!({}))
    };
    assert_eq!(at_once(leave(0), leave(1)).await, (200, 200));
    let waiting = "SELECT COUNT(*) FROM bookings WHERE session_id = $1 AND status = 'waitlisted'";
    house.count(waiting, session.id).await > 0
}

/// A member comes in while their unclaimed place is given to somebody at the door: whether both are in it.
async fn comes_while_the_door_opens(house: &House, people: &Vec<Person>, urls: [&str; 2], race: usize) -> bool {
    let session: Session = house.plan(&evening(race), 1).followed_up().await;
    let booked = house.book(&people[0], &session).await.expect_booked();
    house.clock.set(session.starts_at - TimeDelta::minutes(5));
    house.sweep().await;
    house.book(&people[1], &session).sent_by(&house.studio.desk).saying("standby", json!(true)).await.reply.expect(201);
    house.clock.set(session.starts_at + TimeDelta::minutes(1));
    let release = house.http.put(format!("{}/v1/sessions/{}/door-release", urls[0], session.id));
    let release = release.bearer_auth(&house.studio.desk.token).json(&json!({}));
    let comes = house.http.put(format!("{}/v1/bookings/{}/check-in", urls[1], booked.id));
    at_once(release, comes.bearer_auth(&house.studio.desk.token).json(&json!({}))).await;
    house.count("SELECT COUNT(*) FROM bookings WHERE session_id = $1 AND status = 'attended'", session.id).await > 1
}

/// An offer is accepted on one device and declined on another: whether both were heard.
async fn takes_and_declines(house: &House, people: &Vec<Person>, urls: [&str; 2], race: usize) -> bool {
    let session = house.session(&evening(race), 1).await;
    house.clock.set(session.starts_at - TimeDelta::hours(8));
    house.sweep().await;
    let booked = house.book(&people[0], &session).await.expect_booked();
    let first = house.book(&people[1], &session).or_wait().await.expect_waitlisted(1);
    house.book(&people[2], &session).or_wait().await.expect_waitlisted(2);
    house.cancel(&booked).await.expect(200);
    let call = |n: usize, what: &str, body: Value| {
        let call = house.http.put(format!("{}/v1/bookings/{}/{what}", urls[n], first.id));
        call.bearer_auth(&people[1].token).json(&body)
    };
    at_once(call(0, "acceptance", json!({})), call(1, "cancellation", json!({"if_status": "offered"}))).await == (200, 200)
}

/// Somebody with one credit, in each race somebody else.
async fn one_credit(house: &House, race: usize) -> (Person, Pass) {
    let person = house.stranger(&format!("Last credit {race}")).await;
    let pack = house.pack(&person, 1).await;
    (person, pack)
}

/// Two classes are booked with the last credit: whether both were.
async fn last_credit(house: &House, (): &(), urls: [&str; 2], race: usize) -> bool {
    let (person, pack) = one_credit(house, race).await;
    let (early, late) = (house.session(&evening(race), 5).await, house.session(&evening(race + 1).replace("18:30", "08:30"), 5).await);
    let tap = |n: usize, session: &Session| book(house, urls[n], &person, &json!({"session_id": session.id}));
    let statuses = at_once(tap(0, &early), tap(1, &late)).await;
    let left = house.balance(&pack).await;
    statuses == (201, 201) || left < 0
}

async fn opened_early(house: &House) {
    house.rules(json!({"booking_opens_days": 60})).await;
}

both_engines! {
    async fn a_place_is_held_or_booked(house: House) {
        stays_right(&house, by_default, hold_and_booking).await;
    }

    async fn a_place_is_a_guests_or_a_members(house: House) {
        stays_right(&house, by_default, guest_and_member).await;
    }

    async fn a_pair_gets_both_places_that_come_free_at_once(house: House) {
        stays_right(&house, by_default, two_leave_for_a_pair).await;
    }

    async fn a_place_is_its_holders_or_given_away_at_the_door(house: House) {
        stays_right(&house, by_default, comes_while_the_door_opens).await;
    }

    async fn an_offer_is_accepted_or_declined(house: House) {
        stays_right(&house, with_offers, takes_and_declines).await;
    }

    async fn the_last_credit_pays_one_of_two_classes(house: House) {
        stays_right(&house, opened_early, last_credit).await;
    }
}

/// The negative controls.
mod without_the_batch_lock {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_place_is_held_and_booked() {
        goes_wrong_without_the_lock(by_default, hold_and_booking).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_place_is_a_guests_and_a_members() {
        goes_wrong_without_the_lock(by_default, guest_and_member).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_pair_waits_beside_two_free_places() {
        goes_wrong_without_the_lock(by_default, two_leave_for_a_pair).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn two_are_in_one_place_at_the_door() {
        goes_wrong_without_the_lock(by_default, comes_while_the_door_opens).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_offer_is_accepted_and_declined() {
        goes_wrong_without_the_lock(with_offers, takes_and_declines).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn one_credit_pays_twice() {
        goes_wrong_without_the_lock(opened_early, last_credit).await;
    }
}
