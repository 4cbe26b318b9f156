//! Letters as people read them: their own, a studio's with their fates, and those of a demo.

use chrono::TimeDelta;
use releve::db::Engine;
use releve::language::Language;
use releve::letters::facts::{Facts, InvitedRole, StudioFacts};
use releve::letters::outbox::{self, Letter};
use releve::running;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::house::House;
use crate::mail_server::{MailServer, Stage, Trouble};
use crate::seed::Person;

fn studio_facts(house: &House) -> StudioFacts {
    StudioFacts { name: "Jing'an".into(), address: None, contact: None, time_zone: house.studio.zone }
}

/// A letter from the studio to this person.
fn welcome(house: &House, person: &Person) -> Letter {
    let facts = Facts::EnteredByFrontDesk { studio: studio_facts(house), linked: false, shares_address: false };
    Letter { studio_id: Some(house.studio.id), ..Letter::to_person(person.id, Language::ZhHans, facts) }
}

impl House {
    async fn put_in_the_outbox(&self, letter: Letter) -> Uuid {
        self.advance(TimeDelta::milliseconds(2));
        let now = self.clock.now();
        let before: Vec<(Uuid,)> = self.db.all("SELECT id FROM letters", ()).await.unwrap();
        self.write(move |tx| Box::pin(async move { outbox::write(tx, now, vec![letter]).await })).await;
        let after: Vec<(Uuid,)> = self.db.all("SELECT id FROM letters", ()).await.unwrap();
        after.into_iter().find(|id| !before.contains(id)).expect("one more letter").0
    }

    /// Writes a letter and has a mail server refuse it for good.
    async fn failed_letter(&self, letter: Letter) -> Uuid {
        let id = self.put_in_the_outbox(letter).await;
        let server = MailServer::open().await;
        server.expect(Stage::To, Trouble::Says("550 5.1.1 <somebody@releve.test>: no such user"));
        assert!(self.sending_to(&server.url()).run_one().await.unwrap());
        id
    }
}

both_engines! {
    async fn a_person_reads_their_letters(house: House) {
        let (ana, ben) = (house.member("Ana").await, house.member("Ben").await);
        let first = house.put_in_the_outbox(welcome(&house, &ana)).await;
        house.post().await;
        // A letter with a code gets its id where the code is sealed: not within the millisecond of the first.
        house.advance(TimeDelta::milliseconds(2));
        let code = house.app.keys.seal(house.new_id(), "40718265").ok();
        house.put_in_the_outbox(Letter { sealed_code: code, ..Letter::to_person(ana.id, Language::En, Facts::PasswordCode {}) }).await;
        let last = house.put_in_the_outbox(Letter::to_person(ana.id, Language::ZhHant, Facts::AlreadyRegistered {})).await;
        house.put_in_the_outbox(welcome(&house, &ben)).await;
        let answer = house.get("/v1/me/letters").by(&ana).await.expect(200);
        let [newest, code, oldest] = &answer["letters"].as_array().unwrap()[..] else { panic!("{}", answer.text) };
        assert_eq!((&newest["id"], &newest["kind"], &newest["state"]), (&json!(last), &json!("already_registered"), &json!("queued")));
        // Not yet sent, and readable all the same, in the reader's language.
        assert!(newest["text"].as_str().unwrap().contains("您好"), "{newest}");
        assert_eq!((&code["text"], &code["subject"].is_string()), (&Value::Null, &true));
        assert!(!answer.text.contains("40718265"));
        assert_eq!((&oldest["id"], &oldest["state"]), (&json!(first), &json!("sent")));
        assert!(oldest["text"].as_str().unwrap().contains("Jing'an") && oldest["sent_at"].is_string());
        assert_eq!(answer["next"], Value::Null);
        // By pages.
        let page = house.get("/v1/me/letters?limit=2").by(&ana).await.expect(200);
        assert_eq!(page["letters"].as_array().unwrap().len(), 2);
        let page = house.get(format!("/v1/me/letters?limit=2&after={}", page["next"].as_str().unwrap())).by(&ana).await.expect(200);
        assert_eq!(page["letters"], json!([oldest]));
        house.get("/v1/me/letters").await.expect_refused(401, "sign-in-required");
        house.get("/v1/me/letters?after=nonsense").by(&ana).await.expect_refused(422, "invalid-fields").naming("after");
        house.get("/v1/me/letters?limit=0").by(&ana).await.expect_refused(422, "invalid-fields").naming("limit");
    }

    async fn admins_see_the_fates(house: House) {
        let ana = house.member("Ana").await;
        let failed = house.failed_letter(welcome(&house, &ana)).await;
        house.put_in_the_outbox(welcome(&house, &ana)).await;
        house.post().await;
        house.put_in_the_outbox(welcome(&house, &ana)).await;
        house.put_in_the_outbox(Letter::to_person(ana.id, Language::En, Facts::AlreadyRegistered {})).await;
        let path = format!("/v1/studios/{}/letters", house.studio.id);
        let all = house.get(&path).by(&house.studio.admin).await.expect(200);
        let states: Vec<&str> = all["letters"].as_array().unwrap().iter().map(|letter| letter["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["queued", "sent", "failed"], "the studio's own, the newest first");
        for state in ["queued", "sending", "sent", "retrying", "failed", "bounced", "obsolete"] {
            let some = house.get(format!("{path}?state={state}")).by(&house.studio.admin).await.expect(200);
            let count = some["letters"].as_array().unwrap().len();
            assert_eq!(count, usize::from(states.contains(&state)), "{state}: {}", some.text);
        }
        let letter = &house.get(format!("{path}?state=failed")).by(&house.studio.owner).await.expect(200)["letters"][0];
        assert_eq!((&letter["id"], &letter["person"]), (&json!(failed), &json!({"id": ana.id, "name": "Ana"})));
        assert_eq!((&letter["attempts"], &letter["next_attempt_at"]), (&json!(1), &Value::Null));
        let error = letter["error"].as_str().unwrap();
        assert!(error.contains("no such user") && !error.contains('@'), "{error}");
        for (person, status, slug) in
            [(&ana, 403, "not-allowed"), (&house.studio.desk, 403, "not-allowed"), (&house.studio.instructor, 403, "not-allowed")]
        {
            house.get(&path).by(person).await.expect_refused(status, slug);
        }
        house.get(format!("/v1/studios/{}/letters", house.new_id())).by(&ana).await.expect_refused(404, "not-found");
        house.get(format!("{path}?state=lost")).by(&house.studio.admin).await.expect_refused(422, "invalid-fields").naming("state");
        house.letters_may_stay();
    }

    async fn a_failed_letter_is_sent_again_once(house: House) {
        let ana = house.member("Ana").await;
        let id = house.failed_letter(welcome(&house, &ana)).await;
        house.advance(TimeDelta::days(30));
        let again = house.put(format!("/v1/letters/{id}/retry")).by(&house.studio.admin).await.expect(200);
        assert_eq!((&again["state"], &again["attempts"]), (&json!("queued"), &json!(0)));
        let repeated = house.put(format!("/v1/letters/{id}/retry")).by(&house.studio.admin).await.expect(200);
        assert_eq!(repeated["state"], "queued");
        // Patience counts from the wish: it is tried as long as a new letter.
        let server = MailServer::open().await;
        server.expect(Stage::To, Trouble::Says("450 4.2.1 later"));
        let worker = house.sending_to(&server.url());
        worker.run_until_empty().await.unwrap();
        assert_eq!(house.put(format!("/v1/letters/{id}/retry")).by(&house.studio.admin).await.expect(200)["state"], "retrying");
        house.advance(TimeDelta::seconds(10));
        worker.run_until_empty().await.unwrap();
        let sent = house.put(format!("/v1/letters/{id}/retry")).by(&house.studio.admin).await.expect(200);
        assert_eq!(sent["state"], "sent");
        assert_eq!(server.accepted().len(), 1);
        let (lines,): (i64,) =
            house.db.one("SELECT COUNT(*) FROM events WHERE action = 'letter.retried' AND subject_id = $1", (id,)).await.unwrap();
        assert_eq!(lines, 1);
    }

    async fn not_every_letter_is_sent_again_and_not_by_everybody(house: House) {
        let (ana, ben) = (house.member("Ana").await, house.member("Ben").await);
        let retry = |id: Uuid, person: &Person| house.put(format!("/v1/letters/{id}/retry")).by(person);
        let failed = house.failed_letter(welcome(&house, &ana)).await;
        retry(failed, &ana).await.expect_refused(403, "not-allowed");
        retry(failed, &ben).await.expect_refused(404, "not-found");
        retry(failed, &house.studio.desk).await.expect_refused(404, "not-found");
        retry(house.new_id(), &house.studio.owner).await.expect_refused(404, "not-found");
        // About an account: the owner's business.
        let account = house.failed_letter(Letter::to_person(ana.id, Language::En, Facts::AlreadyRegistered {})).await;
        retry(account, &house.studio.admin).await.expect_refused(404, "not-found");
        retry(account, &house.studio.owner).await.expect(200);
        house.post().await;
        // With a code, or not failed.
        let facts = Facts::Invitation { studio: studio_facts(&house), roles: vec![InvitedRole::FrontDesk], invited_by: "Ada".into() };
        let invitation = Letter {
            person_id: None,
            studio_id: Some(house.studio.id),
            to_email: Some("new@releve.test".into()),
            sealed_code: house.app.keys.seal(house.new_id(), "40718265").ok(),
            ..Letter::to_person(ana.id, Language::En, facts)
        };
        let invitation = house.failed_letter(invitation).await;
        retry(invitation, &house.studio.admin).await.expect_refused(409, "letter-not-repeatable");
        let queued = house.put_in_the_outbox(welcome(&house, &ana)).await;
        assert_eq!(retry(queued, &house.studio.admin).await.expect_refused(409, "letter-not-repeatable")["state"], "queued");
        house.put("/v1/letters/nonsense/retry").by(&house.studio.admin).await.expect_refused(404, "not-found");
        house.letters_may_stay();
    }

    async fn real_letters_are_not_for_the_demos_page(house: House) {
        house.get("/dev/letters").await.expect_refused(404, "not-found");
        house.get(format!("/dev/letters/{}", house.new_id())).await.expect_refused(404, "not-found");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demos_letters_are_readable() {
    let files = |settings: &mut releve::settings::Settings| settings.letters.transport = "file:".into();
    let house = House::open_with(Engine::Sqlite, files).await.unwrap();
    // Files alone do not make a demo.
    house.get("/dev/letters").await.expect_refused(404, "not-found");
    house.write(|tx| Box::pin(async move { running::store::note(tx, running::store::DEMO, "yes".into()).await })).await;
    assert!(house.get("/dev/letters").header("Accept", "text/html").await.expect(200).text.contains("None yet"));
    let ana = house.stranger("Ana").await;
    let code = house.app.keys.seal(house.new_id(), "40718265").ok();
    let id = house.put_in_the_outbox(Letter { sealed_code: code, ..Letter::to_person(ana.id, Language::En, Facts::PasswordCode {}) }).await;
    let facts = Facts::NewDevice { device: Some("<script>".into()), at: house.clock.now() };
    let other = house.put_in_the_outbox(Letter::to_person(ana.id, Language::En, facts)).await;
    house.post().await;
    let list = house.get("/dev/letters").header("Accept", "text/html").await.expect(200);
    assert!(list.text.contains(&format!("href=\"/dev/letters/{id}\"")) && list.text.contains(&ana.email), "{}", list.text);
    let in_a_terminal = house.get(format!("/dev/letters?to={}", ana.email)).await.expect(200);
    assert!(in_a_terminal.text.starts_with(&format!("To: {}\nSubject: ", ana.email)), "{}", in_a_terminal.text);
    let one = house.get(format!("/dev/letters/{id}")).await.expect(200);
    assert!(one.text.contains("40718265") && one.text.contains("sandbox="), "{}", one.text);
    assert!(one.header("content-security-policy").contains("default-src 'none'"));
    let other = house.get(format!("/dev/letters/{other}")).await.expect(200);
    assert!(!other.text.contains("<script") && other.text.contains("&#60;script&#62;"), "{}", other.text);
    house.get(format!("/dev/letters/{}", house.new_id())).await.expect_refused(404, "not-found");
    house.shut().await;
}
