//! What becomes of letters: sent once, in order, again after a failure, never when they are of no use; whatever dies in between.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use mail_parser::MessageParser;
use releve::app::App;
use releve::db::{Db, Engine, Options};
use releve::ids::new_id;
use releve::language::{Language, Texts};
use releve::letters::facts::{Facts, PassedOver, Penalized, SessionFacts, StudioFacts, Terms, Then};
use releve::letters::message::Mail;
use releve::letters::outbox::{self, Letter};
use releve::letters::retention;
use releve::letters::transport::{Post, Transport};
use releve::letters::worker::Worker;
use releve::settings::Settings;
use releve::sign_in::keys::Sealed;
use uuid::Uuid;

use crate::house::House;
use crate::mail_server::{MailServer, Received, Secure, Stage, Trouble};
use crate::seed::Person;

/// A letter's row.
#[derive(Debug, sqlx::FromRow)]
struct Row {
    id: Uuid,
    kind: String,
    state: String,
    attempts: i64,
    due_at: Option<DateTime<Utc>>,
    sent_at: Option<DateTime<Utc>>,
    error: Option<String>,
    subject: Option<String>,
    body_text: Option<String>,
    body_html: Option<String>,
    sealed_code: Option<Vec<u8>>,
    to_email: Option<String>,
    erased: bool,
}

fn session(house: &House) -> SessionFacts {
    SessionFacts {
        id: Uuid::from_u128(1),
        studio: StudioFacts {
            name: "Jing'an".into(),
            address: None,
            contact: Some("front@jingan.releve.test".into()),
            time_zone: house.studio.zone,
        },
        class: Texts { en: "Barre Sculpt".into(), zh_hans: None, zh_hant: None },
        room: "Studio A".into(),
        instructor: "Lin Yue".into(),
        starts_at: house.at("2026-12-05 18:30"),
        ends_at: house.at("2026-12-05 19:25"),
        for_whom: None,
    }
}

fn terms() -> Terms {
    Terms { credits: 1, membership: false, free_cancel_until: None, penalty: Penalized::default() }
}

fn booked(house: &House) -> Facts {
    Facts::Booked { session: session(house), terms: terms(), by_staff: false }
}

fn cancelled(house: &House) -> Facts {
    Facts::Cancelled { session: session(house), credits_returned: 1 }
}

fn waitlisted(house: &House) -> Facts {
    Facts::Waitlisted { session: session(house), position: 1, credits: 1, promoted_until: None, then: Then::FirstToTake }
}

fn passed_over(house: &House) -> Facts {
    Facts::PassedOver { session: session(house), reason: PassedOver::NoPass, waiting: None, other: None }
}

impl House {
    /// Writes a letter, a moment later than what was before: letters are told apart by when they were written.
    async fn write_letter(&self, letter: Letter) {
        self.advance(TimeDelta::milliseconds(2));
        let now = self.clock.now();
        self.write(move |tx| Box::pin(async move { outbox::write(tx, now, vec![letter]).await })).await;
    }

    /// Writes a letter about a booking.
    async fn write_about(&self, person: &Person, booking_id: Uuid, nth: i64, facts: Facts) {
        let letter = Letter {
            studio_id: Some(self.studio.id),
            booking_id: Some(booking_id),
            nth,
            sequence: Some(nth - 1),
            ..Letter::to_person(person.id, Language::En, facts)
        };
        self.write_letter(letter).await;
    }

    /// Writes many letters, each about a booking of its own.
    async fn write_many(&self, person: &Person, count: usize) {
        self.advance(TimeDelta::milliseconds(2));
        let now = self.clock.now();
        let letters: Vec<Letter> = (0..count)
            .map(|_| Letter {
                booking_id: Some(new_id(now)),
                nth: 1,
                sequence: Some(0),
                ..Letter::to_person(person.id, Language::En, booked(self))
            })
            .collect();
        self.write(move |tx| Box::pin(async move { outbox::write(tx, now, letters).await })).await;
    }

    /// All letters, oldest first.
    async fn rows(&self) -> Vec<Row> {
        let sql = "SELECT id, kind, state, attempts, due_at, sent_at, error, subject, body_text, body_html, sealed_code, to_email, \
                   (facts IS NULL) AS erased FROM letters ORDER BY created_at, nth, id";
        self.db.all(sql, ()).await.unwrap()
    }

    /// The one letter there is.
    async fn row(&self) -> Row {
        let mut rows = self.rows().await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows.remove(0)
    }

    /// Kinds and states of all letters, oldest first.
    async fn fates(&self) -> Vec<(String, String)> {
        self.rows().await.into_iter().map(|row| (row.kind, row.state)).collect()
    }

    /// The mails of this house's own transport.
    fn mails(&self) -> Vec<Mail> {
        let Transport::Memory(memory) = &self.app.post.transport else { panic!("letters stay in memory") };
        memory.mails()
    }

    /// A worker that hands its mails to this server.
    pub fn sending_to(&self, url: &str) -> Worker {
        self.sending_by(url, self.db.clone())
    }

    fn sending_by(&self, url: &str, db: Db) -> Worker {
        let mut settings = self.app.settings.clone();
        settings.letters.transport = url.into();
        self.sending_as(settings, db)
    }

    fn sending_as(&self, settings: Settings, db: Db) -> Worker {
        let post = Post::open(&settings).unwrap();
        Worker::new(App::new(settings, db, self.clock.clone(), post).unwrap())
    }
}

fn message_id(raw: &[u8]) -> String {
    MessageParser::default().parse(raw).and_then(|mail| mail.message_id().map(str::to_owned)).expect("a Message-ID")
}

/// Waits until something has come about, some seconds at most.
async fn until(mut come_about: impl AsyncFnMut() -> bool) {
    for _ in 0..500 {
        if come_about().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come about");
}

both_engines! {
    async fn a_letter_is_sent_once_and_its_words_are_kept(house: House) {
        let ana = house.member("Ana").await;
        let booking = house.new_id();
        house.write_about(&ana, booking, 1, booked(&house)).await;
        assert!(house.worker().run_one().await.unwrap());
        assert!(!house.worker().run_one().await.unwrap());
        let row = house.row().await;
        assert_eq!((row.state.as_str(), row.attempts, row.sent_at), ("sent", 1, Some(house.clock.now())));
        let [mail] = &house.mails()[..] else { panic!("one mail") };
        assert_eq!(mail.recipient.to_string(), ana.email);
        let read = MessageParser::default().parse(&mail.raw).unwrap();
        assert_eq!(read.message_id(), Some(format!("{}@releve.test", row.id).as_str()));
        assert_eq!(read.subject(), row.subject.as_deref());
        assert_eq!(read.body_text(0).unwrap().replace("\r\n", "\n").trim(), row.body_text.unwrap().trim());
        assert!(row.body_html.unwrap().contains(&format!("/b/{booking}")));
        assert!(read.attachment(0).is_some(), "a place is held: it has a calendar part");
    }

    async fn events_overtake_letters(house: House) {
        let ana = house.member("Ana").await;
        let (first, second, third) = (house.new_id(), house.new_id(), house.new_id());
        house.write_about(&ana, first, 1, booked(&house)).await;
        house.write_about(&ana, first, 2, cancelled(&house)).await;
        house.write_about(&ana, second, 1, waitlisted(&house)).await;
        house.write_about(&ana, second, 2, Facts::Promoted { session: session(&house), terms: terms() }).await;
        house.write_about(&ana, third, 1, booked(&house)).await;
        house.worker().run_until_empty().await.unwrap();
        let fates = house.fates().await;
        let of = |state: &str| fates.iter().filter(|(_, other)| other == state).map(|(kind, _)| kind.as_str()).collect::<Vec<_>>();
        assert_eq!(of("sent"), ["cancelled", "promoted", "booked"]);
        assert_eq!(of("obsolete"), ["booked", "waitlisted"]);
        assert_eq!(house.mails().len(), 3);
    }

    async fn letters_about_one_booking_leave_in_order(house: House) {
        let server = MailServer::open().await;
        let ana = house.member("Ana").await;
        let booking = house.new_id();
        house.write_about(&ana, booking, 1, booked(&house)).await;
        server.expect(Stage::Mail, Trouble::Stalls);
        let at_work = house.sending_to(&server.url()).start();
        until(async || server.stalled() == 1).await;
        // Written while the first is on its way: it waits, others do not.
        house.write_about(&ana, booking, 2, cancelled(&house)).await;
        house.write_about(&ana, house.new_id(), 1, waitlisted(&house)).await;
        until(async || server.accepted().len() == 1).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let states: Vec<String> = house.rows().await.into_iter().map(|row| format!("{} {}", row.kind, row.state)).collect();
        assert!(states.contains(&"cancelled queued".into()) && states.contains(&"booked sending".into()), "{states:?}");
        // A worker beside it does not take it either.
        assert!(!house.worker().run_one().await.unwrap());
        at_work.stop().await;
        // The first was given back; by now it says what is no longer so.
        house.worker().run_until_empty().await.unwrap();
        let fates = house.fates().await;
        assert!(fates.contains(&("booked".into(), "obsolete".into())), "{fates:?}");
        assert!(fates.contains(&("cancelled".into(), "sent".into())), "{fates:?}");
    }

    async fn who_was_passed_over_reads_first_that_they_wait(house: House) {
        let server = MailServer::open().await;
        let ana = house.member("Ana").await;
        let booking = house.new_id();
        house.write_about(&ana, booking, 1, waitlisted(&house)).await;
        server.expect(Stage::To, Trouble::Says("450 4.2.1 later"));
        let worker = house.sending_to(&server.url());
        worker.run_until_empty().await.unwrap();
        house.write_about(&ana, booking, 2, passed_over(&house)).await;
        assert_eq!(worker.run_until_empty().await.unwrap(), 0, "it waits for the one before it");
        house.advance(TimeDelta::seconds(10));
        assert_eq!(worker.run_until_empty().await.unwrap(), 2);
        let subjects: Vec<String> = server
            .accepted()
            .iter()
            .map(|mail| MessageParser::default().parse(&mail.raw).unwrap().subject().unwrap().to_owned())
            .collect();
        let written: Vec<String> = house.rows().await.into_iter().map(|row| row.subject.unwrap()).collect();
        assert_eq!(subjects, written);
    }

    async fn what_is_of_no_use_is_not_sent(house: House) {
        let (ana, ben) = (house.member("Ana").await, house.member("Ben").await);
        let now = house.clock.now();
        let late = Letter { useful_until: Some(now), ..Letter::to_person(ana.id, Language::En, Facts::AlreadyRegistered {}) };
        house.write_letter(late).await;
        house.write_letter(Letter { person_id: None, ..Letter::to_person(ana.id, Language::En, Facts::PasswordChanged { at: now }) }).await;
        house.write_letter(Letter::to_person(ben.id, Language::En, Facts::NewDevice { device: None, at: now })).await;
        house
            .write(move |tx| {
                Box::pin(async move {
                    let sql = "UPDATE persons SET deleted_at = $1, email = NULL, email_key = NULL WHERE id = $2";
                    tx.run(sql, (now, ben.id)).await
                })
            })
            .await;
        assert_eq!(house.worker().run_until_empty().await.unwrap(), 0);
        let rows = house.rows().await;
        assert!(rows.iter().all(|row| row.state == "obsolete" && row.error.is_some() && row.attempts == 0), "{rows:?}");
        assert!(house.mails().is_empty());
    }

    async fn an_unverified_account_is_written_to_by_its_own_address(house: House) {
        let (now, id) = (house.clock.now(), house.new_id());
        house
            .write(move |tx| {
                Box::pin(async move {
                    tx.run("INSERT INTO persons (id, name, created_at) VALUES ($1, $2, $3)", (id, "New", now)).await?;
                    let sql = "INSERT INTO accounts (person_id, email, email_key, password_hash, created_at) VALUES ($1, $2, $2, 'x', $3)";
                    tx.run(sql, (id, "new@releve.test", now)).await
                })
            })
            .await;
        let code = house.app.keys.seal(house.new_id(), "12345678").ok();
        house.write_letter(Letter { sealed_code: code, ..Letter::to_person(id, Language::En, Facts::AddressCode {}) }).await;
        house.worker().run_until_empty().await.unwrap();
        assert_eq!(house.mails()[0].recipient.to_string(), "new@releve.test");
        // A letter that names its own address goes there.
        let elsewhere = Some("old@releve.test".to_owned());
        house.write_letter(Letter { to_email: elsewhere, ..Letter::to_person(id, Language::En, Facts::PasswordChanged { at: now }) }).await;
        house.worker().run_until_empty().await.unwrap();
        assert_eq!(house.mails()[1].recipient.to_string(), "old@releve.test");
    }

    async fn a_failed_attempt_is_repeated_by_the_clock(house: House) {
        let server = MailServer::open().await;
        let ana = house.member("Ana").await;
        house.write_about(&ana, house.new_id(), 1, booked(&house)).await;
        let worker = house.sending_to(&server.url());
        let mut pauses = Vec::new();
        for attempt in 1.. {
            server.expect(Stage::To, Trouble::Says("451 4.3.0 try later"));
            assert_eq!(worker.run_until_empty().await.unwrap(), 1);
            let row = house.row().await;
            assert_eq!(row.attempts, attempt);
            let Some(due_at) = row.due_at else { break };
            assert_eq!(row.state, "retrying");
            pauses.push((due_at - house.clock.now()).num_seconds());
            house.clock.set(due_at - TimeDelta::seconds(1));
            assert_eq!(worker.run_until_empty().await.unwrap(), 0, "not before its time");
            house.clock.set(due_at);
        }
        assert_eq!(pauses[..6], [10, 30, 120, 600, 3_600, 14_400]);
        let row = house.row().await;
        assert_eq!((row.state.as_str(), row.error.as_deref()), ("failed", Some("transient error (451): 4.3.0 try later")));
        assert!(row.subject.is_some(), "its words are kept");
        assert!(server.received().is_empty());
        house.letters_may_stay();
    }

    async fn whatever_the_server_does_the_letter_arrives_or_fails_visibly(house: House) {
        use Stage::{Auth, Data, From, Greeting, Hello, Mail, To};
        use Trouble::{HangsUp, HangsUpHalfWay, Says};
        let ana = house.member("Ana").await;
        for (stage, trouble, fate) in [
            // The server's trouble, whatever its code.
            (Greeting, Says("421 4.3.2 too busy"), "retrying"),
            (Greeting, Says("554 5.3.2 no service here"), "retrying"),
            (Greeting, Says("what?"), "retrying"),
            (Greeting, HangsUp, "retrying"),
            (Hello, Says("500 5.5.1 I never learnt that"), "retrying"),
            (Hello, HangsUp, "retrying"),
            (Auth, Says("454 4.7.0 later"), "retrying"),
            (Auth, Says("535 5.7.8 wrong password"), "retrying"),
            (Auth, HangsUp, "retrying"),
            (From, Says("452 4.3.1 no room"), "retrying"),
            (From, Says("550 5.7.1 you may not send as that"), "retrying"),
            (From, HangsUp, "retrying"),
            (To, Says("530 5.7.0 sign in first"), "retrying"),
            // This letter's.
            (To, Says("450 4.2.1 <ana@releve.test> is greylisted"), "retrying"),
            (To, Says("550 5.1.1 <ana@releve.test> is unknown here"), "failed"),
            (To, HangsUp, "retrying"),
            (Data, Says("451 4.3.0 not now"), "retrying"),
            (Data, Says("554 5.5.1 no"), "failed"),
            (Data, HangsUp, "retrying"),
            (Data, HangsUpHalfWay, "retrying"),
            (Mail, Says("452 4.3.1 no room"), "retrying"),
            (Mail, Says("554 5.7.1 looks like spam"), "failed"),
            (Mail, HangsUp, "retrying"),
        ] {
            let server = MailServer::open().await;
            let worker = house.sending_to(&server.url_with_password());
            house.write_about(&ana, house.new_id(), 1, booked(&house)).await;
            server.expect(stage, trouble);
            assert!(worker.run_one().await.unwrap());
            let row = house.rows().await.pop().unwrap();
            assert_eq!(row.state, fate, "{stage:?} {trouble:?}: {row:?}");
            let error = row.error.unwrap();
            assert!(!error.contains('@'), "{error}");
            assert!(server.accepted().is_empty());
            // It recovers, and the connection, if it was kept, is as good as new.
            house.advance(TimeDelta::seconds(10));
            house.write_about(&ana, house.new_id(), 1, waitlisted(&house)).await;
            assert_eq!(worker.run_until_empty().await.unwrap(), if fate == "failed" { 1 } else { 2 }, "{stage:?} {trouble:?}");
            assert_eq!(server.accepted().len(), if fate == "failed" { 1 } else { 2 }, "{stage:?} {trouble:?}");
            let ids: Vec<String> = server.accepted().iter().map(|mail| message_id(&mail.raw)).collect();
            assert_eq!(ids.contains(&format!("{}@releve.test", row.id)), fate != "failed");
        }
        house.letters_may_stay();
    }

    async fn a_server_that_is_not_there_is_waited_for(house: House) {
        let server = MailServer::open().await;
        let (address, url) = (server.address, server.url());
        server.close().await;
        let ana = house.member("Ana").await;
        house.write_about(&ana, house.new_id(), 1, booked(&house)).await;
        let worker = house.sending_to(&url);
        worker.run_until_empty().await.unwrap();
        assert_eq!(house.row().await.state, "retrying");
        let server = MailServer::open_at(address).await;
        house.advance(TimeDelta::seconds(10));
        worker.run_until_empty().await.unwrap();
        assert_eq!(house.row().await.state, "sent");
        assert_eq!(server.accepted().len(), 1);
    }

    async fn nothing_is_said_in_the_open_when_tls_is_required(house: House) {
        let server = MailServer::open().await;
        let ana = house.member("Ana").await;
        house.write_about(&ana, house.new_id(), 1, booked(&house)).await;
        let worker = house.sending_to(&format!("{}?tls=required", server.url_with_password()));
        worker.run_until_empty().await.unwrap();
        assert_eq!(house.row().await.state, "retrying");
        assert!(server.received().is_empty());
        house.letters_may_stay();
    }

    async fn behind_tls_a_server_that_is_known_gets_password_and_letters(house: House) {
        let ana = house.member("Ana").await;
        for (since, scheme, query) in [(Secure::FromTheFirstByte, "smtps", ""), (Secure::WhenAsked, "smtp", "?tls=required")] {
            let (server, certificate) = MailServer::open_secure(since).await;
            let url = format!("{scheme}://letters:secret@{}{query}", server.address);
            house.write_about(&ana, house.new_id(), 1, booked(&house)).await;
            // Nobody vouches for it: it learns nothing.
            let stranger = house.sending_to(&url);
            stranger.run_until_empty().await.unwrap();
            assert!(server.proofs().is_empty() && server.received().is_empty(), "{since:?}");
            let file = house.directory.join("authorities.pem");
            std::fs::write(&file, certificate).unwrap();
            let mut settings = house.app.settings.clone();
            (settings.letters.transport, settings.letters.authorities_file) = (url, file);
            house.advance(TimeDelta::seconds(10));
            house.sending_as(settings, house.db.clone()).run_until_empty().await.unwrap();
            assert_eq!(server.accepted().len(), 1, "{since:?}");
            assert_eq!(server.proofs(), [(BASE64_STANDARD.encode("\0letters\0secret"), true)]);
        }
        assert!(house.rows().await.iter().all(|row| row.state == "sent" && row.attempts == 2));
    }

    async fn connections_are_kept_and_lost_ones_replaced(house: House) {
        let server = MailServer::open().await;
        let ana = house.member("Ana").await;
        let worker = house.sending_to(&server.url());
        for _ in 0..3 {
            house.write_about(&ana, house.new_id(), 1, booked(&house)).await;
            assert!(worker.run_one().await.unwrap());
        }
        assert_eq!(server.connections(), 1);
        let address = server.address;
        server.close().await;
        let server = MailServer::open_at(address).await;
        house.write_about(&ana, house.new_id(), 1, booked(&house)).await;
        assert!(worker.run_one().await.unwrap());
        assert!(house.rows().await.iter().all(|row| row.state == "sent" && row.attempts == 1), "no attempt was lost by it");
        assert_eq!(server.accepted().len(), 1);
    }

    async fn codes_are_erased_when_nobody_needs_them(house: House) {
        let server = MailServer::open().await;
        let ana = house.member("Ana").await;
        let worker = house.sending_to(&server.url());
        let letter = || Letter {
            sealed_code: house.app.keys.seal(house.new_id(), "40718265").ok(),
            useful_until: Some(house.clock.now() + TimeDelta::minutes(15)),
            ..Letter::to_person(ana.id, Language::En, Facts::PasswordCode {})
        };
        for (trouble, fate) in [(None, "sent"), (Some("550 5.1.1 unknown"), "failed"), (Some("450 4.2.1 later"), "retrying")] {
            house.write_letter(letter()).await;
            if let Some(answer) = trouble {
                server.expect(Stage::To, Trouble::Says(answer));
            }
            assert!(worker.run_one().await.unwrap());
            let row = house.rows().await.pop().unwrap();
            assert_eq!(row.state, fate);
            assert_eq!(row.sealed_code.is_some(), fate == "retrying", "{fate}");
            assert!(row.subject.is_some_and(|subject| !subject.contains("40718265")));
            assert_eq!((row.body_text, row.body_html), (None, None), "the text of such a letter is never kept");
        }
        let sent = server.accepted().remove(0);
        assert!(MessageParser::default().parse(&sent.raw).unwrap().body_text(0).unwrap().contains("40718265"));
        house.advance(TimeDelta::minutes(15));
        worker.run_until_empty().await.unwrap();
        let row = house.rows().await.pop().unwrap();
        assert_eq!((row.state.as_str(), row.sealed_code), ("obsolete", None));
        // Keys that nobody has any more.
        house.write_letter(Letter { sealed_code: Some(Sealed { letter_id: house.new_id(), bytes: vec![0xff] }), ..letter() }).await;
        worker.run_until_empty().await.unwrap();
        let row = house.rows().await.pop().unwrap();
        assert_eq!((row.state.as_str(), row.sealed_code), ("failed", None));
        house.letters_may_stay();
    }

    async fn what_another_version_wrote_does_not_stop_the_others(house: House) {
        let ana = house.member("Ana").await;
        house.write_about(&ana, house.new_id(), 1, booked(&house)).await;
        house.write(|tx| Box::pin(async move { tx.run("UPDATE letters SET kind = 'news', facts = '{\"kind\": \"news\"}'", ()).await })).await;
        house.write_about(&ana, house.new_id(), 1, booked(&house)).await;
        house.worker().run_until_empty().await.unwrap();
        assert_eq!(house.fates().await, [("news".into(), "retrying".into()), ("booked".into(), "sent".into())]);
        house.letters_may_stay();
    }

    async fn a_killed_worker_loses_no_letter(house: House) {
        let server = MailServer::open().await;
        let ana = house.member("Ana").await;
        house.write_about(&ana, house.new_id(), 1, booked(&house)).await;
        let worker = house.sending_to(&server.url());
        // Killed after leasing, before the server heard of it; killed after the server took it, before that was written down.
        for (attempt, stage) in [(1, Stage::Greeting), (2, Stage::Mail)] {
            server.expect(stage, Trouble::Stalls);
            tokio::select! {
                _ = worker.run_one() => panic!("it stalls"),
                () = until(async || server.stalled() == attempt) => {}
            }
            let row = house.row().await;
            assert_eq!((row.state.as_str(), row.attempts), ("sending", i64::try_from(attempt).unwrap()));
            house.advance(TimeDelta::seconds(299));
            assert!(!worker.run_one().await.unwrap(), "the lease holds");
            house.advance(TimeDelta::seconds(1));
        }
        assert!(worker.run_one().await.unwrap());
        let row = house.row().await;
        assert_eq!((row.state.as_str(), row.attempts), ("sent", 3));
        let [first, second] = &server.received()[..] else { panic!("it came twice") };
        assert_eq!(first, second, "and was the same mail, byte by byte");
        assert_eq!(message_id(&first.raw), format!("{}@releve.test", row.id));
    }

    async fn killed_at_any_instant_every_letter_arrives(house: House) {
        let server = MailServer::open().await;
        let ana = house.member("Ana").await;
        house.write_many(&ana, 40).await;
        let mut kills = 0;
        // Instants all over the work, later and later so that it ends.
        for micros in (1..).map(|n: u64| n * 7_919 % (n * 4_000)) {
            let worker = house.sending_to(&server.url());
            match tokio::time::timeout(Duration::from_micros(micros), worker.run_until_empty()).await {
                Ok(done) => assert!(done.is_ok(), "{done:?}"),
                Err(_) => kills += 1,
            }
            house.advance(TimeDelta::minutes(5));
            if house.rows().await.iter().all(|row| row.state == "sent") {
                break;
            }
            assert!(kills < 400, "{:?}", house.rows().await);
        }
        assert!(kills > 0);
        let mut by_id: HashMap<String, Vec<Received>> = HashMap::new();
        for mail in server.received() {
            by_id.entry(message_id(&mail.raw)).or_default().push(mail);
        }
        assert_eq!(by_id.len(), 40);
        assert!(by_id.values().all(|mails| mails.iter().all(|mail| *mail == mails[0])));
    }

    async fn one_slow_reader_keeps_nobody_waiting(house: House) {
        let server = MailServer::open().await;
        let ana = house.member("Ana").await;
        house.write_many(&ana, 1).await;
        server.expect(Stage::To, Trouble::Stalls);
        let at_work = house.sending_to(&server.url()).start();
        until(async || server.stalled() == 1).await;
        house.write_many(&ana, 100).await;
        until(async || house.rows().await.iter().filter(|row| row.state == "sent").count() == 100).await;
        assert_eq!(server.accepted().len(), 100);
        at_work.stop().await;
    }

    async fn an_orderly_end_gives_letters_back_uncounted(house: House) {
        let server = MailServer::open().await;
        let ana = house.member("Ana").await;
        house.write_many(&ana, 20).await;
        for _ in 0..house.app.settings.letters.parallel {
            server.expect(Stage::From, Trouble::Stalls);
        }
        let at_work = house.sending_to(&server.url()).start();
        until(async || server.stalled() == house.app.settings.letters.parallel).await;
        at_work.stop().await;
        let rows = house.rows().await;
        assert!(rows.iter().all(|row| row.state == "queued" && row.attempts == 0 && row.due_at == Some(house.clock.now())), "{rows:?}");
        house.worker().run_until_empty().await.unwrap();
        assert!(house.rows().await.iter().all(|row| row.state == "sent" && row.attempts == 1));
    }

    async fn a_ring_wakes_the_worker(house: House) {
        let ana = house.member("Ana").await;
        let at_work = house.worker().start();
        tokio::time::sleep(Duration::from_millis(50)).await;
        house.write_many(&ana, 1).await;
        let began = std::time::Instant::now();
        house.app.letters_written.notify_one();
        until(async || house.row().await.state == "sent").await;
        assert!(began.elapsed() < Duration::from_millis(900), "{:?}", began.elapsed());
        at_work.stop().await;
    }

    async fn two_workers_send_no_letter_twice(house: House) {
        let server = MailServer::open().await;
        let ana = house.member("Ana").await;
        let other_db = match house.db.engine() {
            Engine::Sqlite => house.db.clone(),
            Engine::Postgres => Db::open(&house.app.settings.database.url, Options::default()).await.unwrap(),
        };
        house.write_many(&ana, 300).await;
        let (one, other) = (house.sending_to(&server.url()).start(), house.sending_by(&server.url(), other_db.clone()).start());
        until(async || house.rows().await.iter().all(|row| row.state == "sent")).await;
        one.stop().await;
        other.stop().await;
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        for mail in server.received() {
            *times.entry(message_id(&mail.raw)).or_default() += 1;
        }
        assert_eq!(times.len(), 300);
        assert!(times.values().all(|times| *times == 1), "{times:?}");
        assert!(house.rows().await.iter().all(|row| row.attempts == 1));
    }

    async fn words_and_addresses_live_thirteen_months(house: House) {
        let ana = house.member("Ana").await;
        let old = Letter { to_email: Some("old@releve.test".into()), ..Letter::to_person(ana.id, Language::En, booked(&house)) };
        house.write_letter(old).await;
        house.worker().run_until_empty().await.unwrap();
        house.it_is("2027-12-29 10:00");
        house.write_many(&ana, 1).await;
        house.worker().run_until_empty().await.unwrap();
        assert_eq!(retention::erase_old(&house.app).await.unwrap(), 0);
        house.it_is("2027-12-30 10:01");
        assert_eq!(retention::erase_old(&house.app).await.unwrap(), 1);
        let [old, new] = &house.rows().await[..] else { panic!("two letters") };
        assert!(old.erased && old.subject.is_none() && old.body_text.is_none() && old.body_html.is_none() && old.to_email.is_none());
        assert_eq!(old.state, "sent", "its fate stays");
        assert!(!new.erased && new.body_text.is_some());
        assert_eq!(retention::erase_old(&house.app).await.unwrap(), 0);
    }

    async fn who_leaves_takes_their_letters_along(house: House) {
        let server = MailServer::open().await;
        let ana = house.member("Ana").await;
        house.write_many(&ana, 1).await;
        house.worker().run_until_empty().await.unwrap();
        house.write_many(&ana, 2).await;
        server.expect(Stage::Mail, Trouble::Stalls);
        let worker = house.sending_to(&server.url());
        let sending = tokio::spawn(async move { worker.run_one().await });
        until(async || server.stalled() == 1).await;
        house.write(move |tx| Box::pin(async move { outbox::forget(tx, ana.id).await })).await;
        sending.abort();
        let rows = house.rows().await;
        assert!(rows.iter().all(|row| row.erased && row.subject.is_none() && row.body_text.is_none()), "{rows:?}");
        assert_eq!(rows.iter().filter(|row| row.state == "obsolete").count(), 2);
        assert_eq!(house.worker().run_until_empty().await.unwrap(), 0);
    }
}

/// The negative control of `two_workers_send_no_letter_twice`: with the locks taken away some letters are sent twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_locks_two_workers_send_letters_twice() {
    let race = async |house: House| {
        let ana = house.member("Ana").await;
        for _ in 0..50 {
            house.write_many(&ana, 64).await;
            let server = MailServer::open().await;
            let racer = || {
                let worker = house.sending_by(&server.url(), house.db.without_locks());
                tokio::spawn(async move { worker.run_until_empty().await.unwrap() })
            };
            let (one, other) = (racer(), racer());
            one.await.unwrap();
            other.await.unwrap();
            if server.received().len() > 64 {
                return;
            }
        }
        panic!("the locks are not what keeps letters from being sent twice");
    };
    crate::house::run(Engine::Postgres, race).await;
}

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up_within_the_lease() {
    for stage in [Stage::Greeting, Stage::Hello, Stage::From, Stage::To, Stage::Data, Stage::Mail] {
        let server = MailServer::open().await;
        let mut settings = Settings::defaults().unwrap();
        settings.letters.transport = server.url();
        let post = Post::open(&settings).unwrap();
        let mail = |n| Mail {
            id: Uuid::from_u128(n),
            sender: "letters@releve.test".parse().unwrap(),
            recipient: "ana@releve.test".parse().unwrap(),
            raw: format!("Subject: {n}\r\n\r\n{n}\r\n").into_bytes(),
        };
        server.expect(stage, Trouble::Stalls);
        let mut first = std::pin::pin!(post.transport.send(mail(1)));
        tokio::select! {
            _ = &mut first => panic!("it stalls"),
            () = until(async || server.stalled() == 1) => {}
        }
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(first.as_mut().now_or_never().is_none(), "{stage:?}: it has some time");
        tokio::time::advance(Duration::from_secs(30)).await;
        let error = first.await.unwrap_err();
        assert!(!error.permanent, "{stage:?}: {error:?}");
        tokio::time::resume();
        // The connection on which it fell silent is not used again: the next mail has its own answers.
        post.transport.send(mail(2)).await.unwrap();
        assert_eq!(server.accepted().len(), 1, "{stage:?}");
        assert!(server.accepted()[0].raw.starts_with(b"Subject: 2"));
    }
}
