//! Calendar addresses, and what calendars read there, with an independent parser.

use std::collections::BTreeMap;

use calcard::common::PartialDateTime;
use calcard::icalendar::{ICalendarComponent, ICalendarComponentType, ICalendarEntry, ICalendarParameterName, ICalendarProperty};
use calcard::{Entry, Parser};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use mail_parser::{MessageParser, MimeHeaders as _};
use releve::letters::transport::Transport;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::house::House;
use crate::seed::{Person, Session, Studio};
use crate::speech::Reply;

/// The public host of these tests, as the default settings have it.
const HOST: &str = "127.0.0.1";

/// A calendar as its reader has it.
#[derive(Debug)]
struct Calendar {
    name: String,
    method: Option<String>,
    zone: Option<String>,
    events: BTreeMap<String, Event>,
}

#[derive(Debug)]
struct Event {
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    status: String,
    sequence: i64,
    written_at: DateTime<Utc>,
    summary: String,
    location: String,
    url: Option<String>,
}

impl Calendar {
    /// Reads an object. Every time in it is in UTC, so a reader need know nothing of the world's zones.
    #[track_caller]
    fn read(text: &str) -> Self {
        assert!(text.split_terminator("\r\n").all(|line| line.len() <= 75 && !line.contains(['\r', '\n'])), "{text}");
        let mut parser = Parser::new(text);
        let Entry::ICalendar(read) = parser.entry() else { panic!("no calendar: {text}") };
        assert!(matches!(parser.entry(), Entry::Eof), "more than one: {text}");
        let of_kind = |kind: ICalendarComponentType| read.components.iter().filter(move |one| one.component_type == kind);
        let head = of_kind(ICalendarComponentType::VCalendar).next().unwrap();
        let events = of_kind(ICalendarComponentType::VEvent).map(|event| {
            let status = event.status().map(|status| format!("{status:?}")).unwrap();
            let read = Event {
                starts_at: instant(event, &ICalendarProperty::Dtstart),
                ends_at: instant(event, &ICalendarProperty::Dtend),
                status,
                sequence: entry(event, &ICalendarProperty::Sequence).values[0].as_integer().unwrap(),
                written_at: instant(event, &ICalendarProperty::Dtstamp),
                summary: said(event, &ICalendarProperty::Summary).unwrap(),
                location: said(event, &ICalendarProperty::Location).unwrap(),
                url: said(event, &ICalendarProperty::Url),
            };
            (event.uid().unwrap().to_owned(), read)
        });
        let named = |name: &str| head.entries.iter().find(|entry| entry.name.as_str() == name)?.values[0].as_text().map(str::to_owned);
        Self {
            name: named("X-WR-CALNAME").unwrap_or_default(),
            method: head.property(&ICalendarProperty::Method).map(|entry| format!("{:?}", entry.values[0])),
            zone: named("X-WR-TIMEZONE"),
            events: events.collect(),
        }
    }

    #[track_caller]
    fn event(&self, uid: impl std::fmt::Display) -> &Event {
        self.events.get(&format!("{uid}@{HOST}")).unwrap_or_else(|| panic!("no {uid}: {self:?}"))
    }
}

fn entry<'c>(component: &'c ICalendarComponent, name: &ICalendarProperty) -> &'c ICalendarEntry {
    component.property(name).unwrap_or_else(|| panic!("no {name:?}: {component:?}"))
}

fn said(component: &ICalendarComponent, name: &ICalendarProperty) -> Option<String> {
    component.property(name).map(|entry| entry.values[0].as_text().unwrap().to_owned())
}

fn time<'c>(component: &'c ICalendarComponent, name: &ICalendarProperty) -> &'c PartialDateTime {
    entry(component, name).values[0].as_partial_date_time().unwrap_or_else(|| panic!("{name:?} is no time: {component:?}"))
}

/// An instant that names its second in UTC, and no zone.
#[track_caller]
fn instant(component: &ICalendarComponent, name: &ICalendarProperty) -> DateTime<Utc> {
    let time = time(component, name);
    let zone = entry(component, name).parameter(&ICalendarParameterName::Tzid);
    assert!(zone.is_none() && time.tz_hour == Some(0) && time.tz_minute == Some(0), "not in UTC: {component:?}");
    let number = |part: Option<u8>| u32::from(part.unwrap());
    let date = NaiveDate::from_ymd_opt(i32::from(time.year.unwrap()), number(time.month), number(time.day)).unwrap();
    date.and_hms_opt(number(time.hour), number(time.minute), number(time.second)).unwrap().and_utc()
}

impl House {
    /// Asks for a calendar address.
    fn make_calendar(&self, person: &Person, what: Value) -> crate::speech::Call {
        self.post_to("/v1/me/calendars").by(person).json(&what)
    }

    /// The path of a new calendar address.
    async fn calendar_path(&self, person: &Person, what: Value) -> String {
        let made = self.make_calendar(person, what).await.expect(201);
        path(&made)
    }

    async fn read_calendar(&self, path: &str) -> Calendar {
        Calendar::read(&self.get(path).await.expect(200).text)
    }

    /// The calendar part of the last letter to a member that has one.
    async fn calendar_of_letter(&self, person: &Person) -> Calendar {
        self.post().await;
        let Transport::Memory(memory) = &self.app.post.transport else { panic!("letters do not stay in memory") };
        let mails = memory.mails().into_iter().filter(|mail| mail.recipient.to_string() == person.email);
        let parts = mails.filter_map(|mail| {
            let read = MessageParser::default().parse(&mail.raw)?;
            let part = read.parts.iter().find(|part| part.is_content_type("text", "calendar"))?;
            Some(String::from_utf8(part.contents().to_vec()).unwrap())
        });
        // Letters of one second leave in any order: what counts is the SEQUENCE.
        let sequence = |calendar: &Calendar| calendar.events.values().map(|event| event.sequence).max();
        parts.map(|text| Calendar::read(&text)).max_by_key(sequence).expect("a letter with a calendar part")
    }

    /// Twenty minutes from this instant on, for which the wall clock may have no words.
    async fn session_at(&self, studio: &Studio, instructor: &Person, at: DateTime<Utc>) -> Session {
        let local = at.with_timezone(&studio.zone).format("%Y-%m-%d %H:%M").to_string();
        let session = self.plan(&local, 5).at(studio).taught_by(instructor).await;
        let (id, ends_at) = (session.id, at + TimeDelta::minutes(20));
        self.write(move |tx| {
            Box::pin(async move { tx.run("UPDATE sessions SET starts_at = $2, ends_at = $3 WHERE id = $1", (id, at, ends_at)).await })
        })
        .await;
        Session { id, starts_at: at, ends_at }
    }

    /// Brooklyn's people in another zone.
    async fn studio_in(&self, like: &Studio, zone: Tz) -> Studio {
        let studio = Studio { id: self.new_id(), zone, ..like.clone() };
        let (id, now) = (studio.id, self.clock.now());
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO studios (id, name, time_zone, locale, house_rules, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
                tx.run(sql, (id, zone.name(), zone.name(), "en", sqlx::types::Json(json!({})), now)).await
            })
        })
        .await;
        studio
    }
}

fn path(made: &Reply) -> String {
    let url = made["url"].as_str().unwrap();
    url[url.find("/calendars/").unwrap()..].to_owned()
}

fn bookings() -> Value {
    json!({"kind": "bookings"})
}

both_engines! {
    async fn an_address_is_made_listed_and_revoked(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let made = house.make_calendar(&ana, bookings()).await.expect(201);
        let url = made["url"].as_str().unwrap();
        let secret = url.strip_prefix(&format!("{}/calendars/", house.app.settings.server.public_url)).unwrap().strip_suffix(".ics").unwrap();
        assert!(secret.len() >= 22 && secret.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)), "{secret}");
        assert_eq!(made.header("cache-control"), "no-store");
        let id = made.id();
        let mut shown = made.body.clone();
        shown.as_object_mut().unwrap().remove("url");
        let (created_at, mine) = (house.clock.now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true), "/v1/me/calendars");
        assert_eq!(shown, json!({"id": id, "kind": "bookings", "studio_id": null, "created_at": created_at, "last_read_at": null}));
        assert_eq!(house.get(mine).by(&ana).await.expect(200).body, json!({"calendars": [shown]}), "the address is shown once");
        assert_eq!(house.get(mine).by(&bo).await.expect(200).body, json!({"calendars": []}));
        let (stored,): (Vec<u8>,) = house.db.one("SELECT secret_hash FROM calendar_feeds WHERE id = $1", (id,)).await.unwrap();
        assert!(stored.len() == 32 && !stored.windows(4).any(|part| secret.as_bytes().windows(4).any(|other| part == other)));

        let path = path(&made);
        house.read_calendar(&path).await;
        let own = format!("/v1/me/calendars/{id}");
        house.delete(&own).by(&bo).await.expect_refused(404, "not-found");
        house.delete(&own).await.expect_refused(401, "sign-in-required");
        house.read_calendar(&path).await;
        house.advance(TimeDelta::minutes(1));
        house.delete(&own).by(&ana).await.expect(204);
        house.delete(&own).by(&ana).await.expect_refused(404, "not-found");
        assert_eq!(house.get(mine).by(&ana).await.expect(200)["calendars"], json!([]));

        // What was revoked is like what never was: nothing tells that there was a calendar.
        let nowhere = house.get("/nowhere/at-all").await.expect_refused(404, "not-found");
        let other_secret = secret.chars().rev().collect::<String>();
        let wrong = [path.clone(), format!("/calendars/{other_secret}.ics"), format!("/calendars/{secret}"), format!("/calendars/{secret}.ICS"),
            format!("/calendars/{secret}=.ics"), "/calendars/.ics".into(), "/calendars/%FF.ics".into(), "/calendars/x.ics".into(), "/calendars".into()];
        let names = |reply: &Reply| {
            let mut names: Vec<String> = reply.headers.keys().map(ToString::to_string).collect();
            names.sort();
            (names, reply.body.as_object().unwrap().keys().cloned().collect::<Vec<_>>(), reply["title"].clone())
        };
        for path in wrong {
            let reply = house.get(&path).header("If-None-Match", "*").await.expect_refused(404, "not-found");
            assert_eq!(names(&reply), names(&nowhere), "{path}");
        }
        let lines: Vec<(String, Option<Uuid>)> =
            house.db.all("SELECT action, actor_id FROM events WHERE subject_id = $1 ORDER BY at", (id,)).await.unwrap();
        assert_eq!(lines, [("calendar.made".to_owned(), Some(ana.id)), ("calendar.revoked".to_owned(), Some(ana.id))]);
    }

    async fn who_may_have_which(house: House) {
        let (ana, lin) = (house.member("Ana").await, house.studio.instructor.clone());
        let studio = house.studio.id;
        house.make_calendar(&ana, json!({"kind": "teaching"})).await.expect_refused(403, "not-allowed");
        house.make_calendar(&lin, json!({"kind": "teaching"})).await.expect(201);
        house.make_calendar(&ana, json!({"kind": "studio"})).await.expect_refused(422, "invalid-fields").naming("studio_id");
        house.make_calendar(&ana, json!({"kind": "studio", "studio_id": house.new_id()})).await.expect_refused(422, "invalid-fields").naming("studio_id");
        for kind in ["bookings", "teaching"] {
            house.make_calendar(&lin, json!({"kind": kind, "studio_id": studio})).await.expect_refused(422, "invalid-fields").naming("studio_id");
        }
        house.make_calendar(&ana, json!({"kind": "weather"})).await.expect_refused(422, "invalid-fields").naming("kind");
        house.make_calendar(&ana, json!({"kind": "studio", "studio_id": studio})).await.expect(201);
        house.post_to("/v1/me/calendars").json(&bookings()).await.expect_refused(401, "sign-in-required");
        // An account whose address was never confirmed is removed one day, with nothing hanging on it.
        house.register("new@releve.test", crate::accounts::PASSWORD).await.expect(202);
        let tokens = crate::accounts::Tokens::from(house.sign_in("new@releve.test", crate::accounts::PASSWORD).await.expect(200));
        house.post_to("/v1/me/calendars").token(&tokens.access).json(&bookings()).await.expect_refused(403, "address-not-verified");
    }

    async fn twenty_are_enough(house: House) {
        let ana = house.member("Ana").await;
        let asked = (0..30).map(|_| std::future::IntoFuture::into_future(house.make_calendar(&ana, bookings())));
        let replies = futures_util::future::join_all(asked).await;
        let (made, refused): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == 201);
        assert_eq!((made.len(), refused.len()), (20, 10));
        for reply in refused {
            assert_eq!(reply.expect_refused(409, "too-many-calendars")["max"], 20);
        }
        house.delete(format!("/v1/me/calendars/{}", made[0].id())).by(&ana).await.expect(204);
        house.make_calendar(&ana, bookings()).await.expect(201);
        house.make_calendar(&ana, bookings()).await.expect_refused(409, "too-many-calendars");
    }

    async fn a_booking_is_one_event_with_its_letter(house: House) {
        let (ana, bea) = (house.member("Ana").await, house.member("Bea").await);
        let evening = house.session("2026-12-03 18:30", 1).await;
        let (own, other) = (house.calendar_path(&ana, bookings()).await, house.calendar_path(&bea, bookings()).await);
        let booked = house.book(&ana, &evening).await.expect_booked();
        let waits = house.book(&bea, &evening).or_wait().await.expect_waitlisted(1);
        let (letter, feed) = (house.calendar_of_letter(&ana).await, house.read_calendar(&own).await);
        assert_eq!(letter.events.keys().collect::<Vec<_>>(), feed.events.keys().collect::<Vec<_>>(), "nothing shows twice");
        let (told, shown) = (letter.event(booked.id), feed.event(booked.id));
        assert_eq!((shown.starts_at, shown.ends_at), (evening.starts_at, evening.ends_at));
        assert_eq!((told.starts_at, told.ends_at), (evening.starts_at, evening.ends_at));
        assert_eq!((told.sequence, shown.sequence), (0, 0));
        assert!(shown.written_at >= told.written_at, "{shown:?} {told:?}");
        assert_eq!((shown.status.as_str(), shown.summary.as_str()), ("Confirmed", "Barre Sculpt"));
        assert_eq!((&shown.location, &shown.url), (&told.location, &told.url));
        assert!(shown.url.as_ref().unwrap().ends_with(&format!("/b/{}", booked.id)));
        assert_eq!((feed.name.as_str(), &feed.method, feed.zone.as_deref()), ("My classes", &None, Some("Asia/Shanghai")));
        let waiting = house.read_calendar(&other).await;
        assert_eq!(waiting.events.len(), 1, "Ana's and nobody else's");
        assert_eq!((waiting.event(waits.id).status.as_str(), waiting.event(waits.id).summary.as_str()), ("Tentative", "Waitlist: Barre Sculpt"));

        // It moves, is cancelled, and the next one gets the place: the feed never lags behind a letter.
        house.advance(TimeDelta::minutes(3));
        let version = house.get(format!("/v1/sessions/{}", evening.id)).await.expect(200).version().parse().unwrap();
        house.patch_session(&evening, version, &json!({"local_start": "2026-12-03T19:00"})).await.expect(200);
        let (letter, feed) = (house.calendar_of_letter(&ana).await, house.read_calendar(&own).await);
        assert_eq!((letter.event(booked.id).sequence, feed.event(booked.id).sequence), (1, 1));
        assert_eq!(feed.event(booked.id).starts_at, evening.starts_at + TimeDelta::minutes(30));
        assert_eq!(feed.event(booked.id).written_at, letter.event(booked.id).written_at);
        house.advance(TimeDelta::minutes(1));
        house.cancel(&booked).await.expect(200);
        let (letter, feed) = (house.calendar_of_letter(&ana).await, house.read_calendar(&own).await);
        assert_eq!((letter.event(booked.id).status.as_str(), feed.event(booked.id).status.as_str()), ("Cancelled", "Cancelled"));
        assert_eq!((letter.event(booked.id).sequence, feed.event(booked.id).sequence), (2, 2));
        assert!(feed.event(booked.id).written_at >= letter.event(booked.id).written_at);
        let (letter, feed) = (house.calendar_of_letter(&bea).await, house.read_calendar(&other).await);
        assert_eq!((letter.event(waits.id).status.as_str(), feed.event(waits.id).status.as_str()), ("Confirmed", "Confirmed"));
        assert!(feed.event(waits.id).sequence >= letter.event(waits.id).sequence);
        assert_eq!(feed.event(waits.id).summary, "Barre Sculpt");
    }

    async fn what_was_never_a_place_vanishes_and_what_was_is_cancelled(house: House) {
        let (ana, bea) = (house.member("Ana").await, house.member("Bea").await);
        let path = house.calendar_path(&bea, bookings()).await;
        let (full, late, off) = (house.session("2026-12-03 18:30", 1).await, house.session("2026-11-30 18:30", 5).await, house.session("2026-12-04 18:30", 5).await);
        house.book(&ana, &full).await.expect_booked();
        let waited = house.book(&bea, &full).or_wait().await.expect_waitlisted(1);
        house.cancel(&waited).await.expect(200);
        let late = house.book(&bea, &late).await.expect_booked();
        house.advance(TimeDelta::minutes(30));
        assert_eq!(house.cancel(&late).await.expect(200)["status"], "late_cancelled");
        let off_booking = house.book(&bea, &off).await.expect_booked();
        house.cancel_session(&off, &json!({"reason": "illness"})).await.expect(200);
        let feed = house.read_calendar(&path).await;
        let shown: BTreeMap<&str, &str> = feed.events.iter().map(|(uid, event)| (uid.split('@').next().unwrap(), event.status.as_str())).collect();
        let (late, off) = (late.id.to_string(), off_booking.id.to_string());
        assert_eq!(shown, BTreeMap::from([(late.as_str(), "Cancelled"), (off.as_str(), "Cancelled")]));
    }

    async fn what_an_instructor_teaches_and_what_a_studio_gives(house: House) {
        let (mei, ana, brooklyn) = (house.colleague("Mei").await, house.member("Ana").await, house.second_studio().await);
        house.teaches_at(&mei, &brooklyn).await;
        let here = house.plan("2026-12-01 08:00", 12).taught_by(&mei).await;
        let there = house.plan("2026-12-02 08:00", 12).at(&brooklyn).taught_by(&mei).await;
        let others = house.session("2026-12-01 10:00", 12).await;
        let draft = house.plan("2026-12-01 12:00", 12).taught_by(&mei).draft().await;
        let (long_ago, last_month) = (house.session("2026-10-29 10:00", 5).await, house.session("2026-10-31 10:00", 5).await);
        let (next_year, too_far) = (house.session("2027-12-01 09:00", 5).await, house.session("2027-12-01 11:00", 5).await);
        let uid = |session: &Session| format!("session-{}@{HOST}", session.id);
        let uids = |calendar: &Calendar| calendar.events.keys().cloned().collect::<Vec<_>>();
        let sorted = |mut uids: Vec<String>| { uids.sort(); uids };

        let teaching = house.calendar_path(&mei, json!({"kind": "teaching"})).await;
        let feed = house.read_calendar(&teaching).await;
        assert_eq!(uids(&feed), sorted(vec![uid(&here), uid(&there)]), "and no draft: {}", draft.id);
        assert_eq!((feed.name.as_str(), feed.zone.as_deref()), ("Classes I teach", Some("America/New_York")), "two zones, one class in each");
        for session in [&here, &there] {
            let event = feed.event(format!("session-{}", session.id));
            assert_eq!((event.starts_at, event.ends_at, event.status.as_str(), event.sequence), (session.starts_at, session.ends_at, "Confirmed", 0));
        }
        let studio = house.calendar_path(&ana, json!({"kind": "studio", "studio_id": house.studio.id})).await;
        let feed = house.read_calendar(&studio).await;
        assert_eq!((feed.name.as_str(), feed.zone.as_deref()), ("Jing'an", Some("Asia/Shanghai")));
        assert_eq!(uids(&feed), sorted(vec![uid(&here), uid(&others), uid(&last_month), uid(&next_year)]), "not {} and {}", long_ago.id, too_far.id);

        house.advance(TimeDelta::minutes(5));
        house.patch_session(&here, 1, &json!({"local_start": "2026-12-01T08:30"})).await.expect(200);
        house.cancel_session(&others, &json!({"reason": "illness"})).await.expect(200);
        let feed = house.read_calendar(&studio).await;
        let (moved, off) = (feed.event(format!("session-{}", here.id)), feed.event(format!("session-{}", others.id)));
        assert_eq!((moved.starts_at, moved.sequence, moved.written_at), (here.starts_at + TimeDelta::minutes(30), 1, house.clock.now()));
        assert_eq!((off.status.as_str(), off.sequence), ("Cancelled", 1));
    }

    async fn it_is_read_again_for_little(house: House) {
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-03 18:30", 5).await;
        house.book(&ana, &evening).await.expect_booked();
        let path = house.calendar_path(&ana, bookings()).await;
        let first = house.get(&path).await.expect(200);
        assert_eq!(first.header("content-type"), "text/calendar; charset=utf-8");
        assert_eq!(first.header("cache-control"), "private, max-age=300");
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with('"') && tag.len() > 20, "{tag}");
        house.advance(TimeDelta::hours(7));
        let again = house.get(&path).header("If-None-Match", &tag).await.expect(304);
        assert_eq!((again.text.as_str(), again.header("etag"), again.header("cache-control")), ("", tag.as_str(), "private, max-age=300"));
        // Nobody's token or language makes it another one.
        let by_other = house.get(&path).by(&house.studio.admin).header("Accept-Language", "zh-CN").await.expect(200);
        assert_eq!(by_other.text, first.text);
        house.get(&path).token("nonsense").await.expect(200);
        house.book(&ana, &house.session("2026-12-04 18:30", 5).await).await.expect_booked();
        let changed = house.get(&path).header("If-None-Match", &tag).await.expect(200);
        assert_ne!(changed.header("etag"), tag);
    }

    async fn a_reading_is_noted_once_an_hour(house: House) {
        let ana = house.member("Ana").await;
        let path = house.calendar_path(&ana, bookings()).await;
        let noted = async || house.get("/v1/me/calendars").by(&ana).await.expect(200)["calendars"][0]["last_read_at"].clone();
        assert_eq!(noted().await, Value::Null);
        house.get(&path).await.expect(200);
        let first = noted().await;
        assert_eq!(first, "2026-11-30T02:00:00.000000Z");
        house.advance(TimeDelta::minutes(59));
        house.get(&path).await.expect(200);
        assert_eq!(noted().await, first);
        house.advance(TimeDelta::minutes(1));
        house.get(&path).await.expect(200);
        assert_eq!(noted().await, "2026-11-30T03:00:00.000000Z");
    }

    async fn one_address_is_not_read_without_end(house: House) {
        let (ana, bea) = (house.member("Ana").await, house.member("Bea").await);
        let (own, another) = (house.calendar_path(&ana, json!({"kind": "bookings"})).await, house.calendar_path(&bea, json!({"kind": "bookings"})).await);
        for _ in 0..120 {
            house.get(&own).await.expect(200);
        }
        let refused = house.get(&own).await.expect_refused(429, "too-many-requests");
        assert_eq!(refused.header("retry-after"), "1");
        house.get(&another).await.expect(200);
        house.advance(TimeDelta::seconds(1));
        house.get(&own).await.expect(200);
    }

    async fn the_words_are_in_the_readers_language_or_the_studios(house: House) {
        let ana = house.member("Ana").await;
        house.book(&ana, &house.session("2026-12-03 18:30", 5).await).await.expect_booked();
        let path = house.calendar_path(&ana, bookings()).await;
        house.patch("/v1/me").by(&ana).json(&json!({"locale": "zh-Hant"})).await.expect(200);
        assert_eq!(house.read_calendar(&path).await.name, "我的課堂");
        house.patch("/v1/me").by(&ana).json(&json!({"locale": null})).await.expect(200);
        assert_eq!(house.read_calendar(&path).await.name, "My classes");
        let id = house.studio.id;
        house.patch(format!("/v1/studios/{id}")).by(&house.studio.admin).header("If-Match", "1").json(&json!({"locale": "zh-Hans"})).await.expect(200);
        assert_eq!(house.read_calendar(&path).await.name, "我的课程");
    }

    /// Around each change of the clocks.
    async fn every_class_is_read_at_its_instant(house: House) {
        let (mei, brooklyn) = (house.colleague("Mei").await, house.second_studio().await);
        house.teaches_at(&mei, &brooklyn).await;
        let mut sessions = Vec::new();
        for (zone, changes) in [
            (Tz::Asia__Shanghai, ["2027-05-30T16:00:00Z", "2027-09-30T16:00:00Z"]),
            (Tz::Europe__Paris, ["2027-03-28T01:00:00Z", "2027-10-31T01:00:00Z"]),
            (Tz::America__New_York, ["2027-03-14T07:00:00Z", "2027-11-07T06:00:00Z"]),
            (Tz::Australia__Lord_Howe, ["2027-04-03T15:00:00Z", "2027-10-02T15:30:00Z"]),
            (Tz::Africa__Casablanca, ["2027-02-07T02:00:00Z", "2027-03-14T02:00:00Z"]),
        ] {
            let studio = house.studio_in(&brooklyn, zone).await;
            house.teaches_at(&mei, &studio).await;
            for change in changes {
                let change: DateTime<Utc> = change.parse().unwrap();
                for n in -5..=5 {
                    sessions.push((zone, house.session_at(&studio, &mei, change + TimeDelta::minutes(25 * n)).await));
                }
            }
        }
        let path = house.calendar_path(&mei, json!({"kind": "teaching"})).await;
        let feed = house.read_calendar(&path).await;
        assert_eq!(feed.events.len(), sessions.len());
        for (zone, session) in &sessions {
            let event = feed.event(format!("session-{}", session.id));
            assert_eq!((event.starts_at, event.ends_at), (session.starts_at, session.ends_at), "{zone}");
        }
    }

    /// By the studio's clock, and only what was cancelled.
    async fn what_was_cancelled_leaves_after_its_day(house: House) {
        let (ana, mei) = (house.member("Ana").await, house.colleague("Mei").await);
        let (off, kept) = (house.plan("2026-12-01 18:30", 5).taught_by(&mei).await, house.plan("2026-12-01 20:30", 5).taught_by(&mei).await);
        let (own, other) = (house.book(&ana, &off).await.expect_booked(), house.book(&ana, &kept).await.expect_booked());
        let feeds = [
            house.calendar_path(&ana, bookings()).await,
            house.calendar_path(&mei, json!({"kind": "teaching"})).await,
            house.calendar_path(&ana, json!({"kind": "studio", "studio_id": house.studio.id})).await,
        ];
        house.cancel_session(&off, &json!({"reason": "illness"})).await.expect(200);
        let names = |id: Uuid, session: &Session| [format!("{id}@{HOST}"), format!("session-{}@{HOST}", session.id), format!("session-{}@{HOST}", session.id)];
        let (gone, there) = (names(own.id, &off), names(other.id, &kept));
        let shown = async || {
            let mut all = Vec::new();
            for (path, (gone, there)) in feeds.iter().zip(gone.iter().zip(&there)) {
                let feed = house.read_calendar(path).await;
                assert!(feed.events.contains_key(there), "{feed:?}");
                all.push(feed.events.get(gone).map(|event| event.status.clone()));
            }
            all
        };
        let cancelled = || vec![Some("Cancelled".to_owned()); 3];
        assert_eq!(shown().await, cancelled());
        house.it_is("2026-12-01 23:59");
        assert_eq!(shown().await, cancelled(), "the day is not over");
        house.advance(TimeDelta::minutes(1));
        assert_eq!(shown().await, vec![None; 3]);
    }

    /// The host that older versions named, and the one that the deployment has now.
    async fn an_event_keeps_the_name_it_was_told_under(house: House) {
        let ana = house.member("Ana").await;
        let (old, new) = (house.session("2026-12-03 18:30", 5).await, house.session("2026-12-04 18:30", 5).await);
        let path = house.calendar_path(&ana, bookings()).await;
        let booked = house.book(&ana, &old).await.expect_booked();
        // As an older version left it: told to a calendar, and nothing noted of names.
        house.write(|tx| Box::pin(async move { tx.run("UPDATE calendar_feeds SET last_read_at = created_at", ()).await })).await;
        house.advance(TimeDelta::minutes(1));
        let told = house.read_calendar(&path).await;
        assert_eq!(told.events.keys().collect::<Vec<_>>(), [&format!("{}@releve.test", booked.id)], "the domain of letters.from");
        let later = house.book(&ana, &new).await.expect_booked();
        let uids = |calendar: &Calendar| calendar.events.keys().cloned().collect::<std::collections::BTreeSet<_>>();
        let expected = [format!("{}@releve.test", booked.id), format!("{}@{HOST}", later.id)].into_iter().collect();
        assert_eq!(uids(&house.read_calendar(&path).await), expected);
        // The letters say the same, in which a calendar finds what to take out; so does a process that starts tomorrow elsewhere.
        assert!(house.calendar_of_letter(&ana).await.events.keys().all(|uid| uids(&told).contains(uid) || *uid == format!("{}@{HOST}", later.id)));
        house.advance(TimeDelta::minutes(1));
        let mut settings = house.app.settings.clone();
        settings.server.public_url = "https://book.example".into();
        let moved = releve::letters::transport::Post::open(&settings).unwrap();
        let domains = moved.uid_domains(&house.db, house.clock.now()).await.unwrap();
        assert_eq!((domains.of(booked_at(&house, booked.id).await), domains.latest()), ("releve.test", "book.example"));
        assert_eq!(domains.of(booked_at(&house, later.id).await), HOST);
    }
}

/// When a booking was made.
async fn booked_at(house: &House, id: Uuid) -> DateTime<Utc> {
    let (at,): (DateTime<Utc>,) = house.db.one("SELECT created_at FROM bookings WHERE id = $1", (id,)).await.unwrap();
    at
}
