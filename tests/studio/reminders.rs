//! Reminders of a place, the switches of letters that nobody must read, and the link at their foot that turns them off.

use mail_parser::MessageParser;
use releve::letters::transport::Transport;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::house::House;
use crate::seed::Person;
use crate::speech::{Call, Reply};

const ONE_CLICK: (&str, &str) = ("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click");

impl House {
    fn switch(&self, person: &Person, letters: &Value) -> Call {
        self.patch("/v1/me").by(person).json(&json!({ "letters": letters }))
    }

    /// A member who wants these reminders.
    async fn reminded(&self, name: &str, day_before: bool, hours_before: bool) -> Person {
        let person = self.member(name).await;
        self.switch(&person, &json!({"reminder_24h": day_before, "reminder_2h": hours_before})).await.expect(200);
        person
    }

    /// The kinds of the reminders to a member, oldest first.
    async fn reminders_to(&self, person: &Person) -> Vec<String> {
        self.kinds_to(person).await.into_iter().filter(|kind| kind.starts_with("reminder")).collect()
    }

    /// Sweeps at this wall time, as often as it takes to see that once is enough.
    async fn sweep_twice_at(&self, local: &str) {
        self.it_is(local);
        self.sweep().await;
        self.sweep().await;
    }

    /// Each letter to a member with its fate.
    async fn fates_of_letters_to(&self, person: &Person) -> Vec<(String, String)> {
        self.letters_to(person).await.into_iter().map(|letter| (letter.kind, letter.state)).collect()
    }

    /// The last mail to a member, with its headers.
    async fn last_mail_to(&self, person: &Person) -> String {
        self.post().await;
        let Transport::Memory(memory) = &self.app.post.transport else { panic!("letters do not stay in memory") };
        let mut mails = memory.mails().into_iter().filter(|mail| mail.recipient.to_string() == person.email);
        String::from_utf8(mails.next_back().unwrap().raw).unwrap()
    }

    /// The path of the link at the foot of a letter of this kind.
    fn unsubscribe_path(&self, person: Uuid, switch: &str) -> String {
        format!("/unsubscribe/{person}/{switch}/{}", self.app.keys.sign_unsubscribe(person, switch))
    }

    async fn click(&self, path: &str) -> Reply {
        self.post_to(path).body(ONE_CLICK.0, ONE_CLICK.1).await
    }

    async fn switches(&self, person: &Person) -> Value {
        self.get("/v1/me").by(person).await.expect(200)["letters"].clone()
    }
}

both_engines! {
    /// A database as the migration leaves one in which people had booked before there were reminders.
    async fn who_had_booked_before_there_were_reminders_is_reminded(house: House) {
        let people = [house.reminded("Both", true, true).await, house.reminded("Late", true, true).await, house.reminded("Moved", true, false).await];
        let (evening, next) = (house.session("2026-12-03 18:30", 9).await, house.session("2026-12-04 18:30", 9).await);
        house.book(&people[0], &evening).await.expect_booked();
        house.book(&people[2], &next).await.expect_booked();
        house.it_is("2026-12-03 10:00");
        // Booked after the instant of the day before, of which nobody is reminded.
        house.book(&people[1], &evening).await.expect_booked();
        house.it_is("2026-12-03 11:00");
        let sql = "UPDATE bookings SET remind_at = $1 WHERE status = 'booked'";
        house.write(move |tx| Box::pin(async move { tx.run(sql, (chrono::DateTime::UNIX_EPOCH,)).await })).await;
        house.sweep().await;
        house.sweep().await;
        for person in &people {
            assert_eq!(house.reminders_to(person).await, Vec::<String>::new());
        }
        assert_eq!(house.how_many("SELECT COUNT(*) FROM bookings WHERE remind_at IS NOT NULL").await, 3);
        house.sweep_twice_at("2026-12-03 16:30").await;
        for person in &people[..2] {
            assert_eq!(house.reminders_to(person).await, ["reminder_2h"]);
        }
        house.sweep_twice_at("2026-12-03 18:30").await;
        assert_eq!(house.reminders_to(&people[2]).await, ["reminder_24h"]);
        assert_eq!(house.how_many("SELECT COUNT(*) FROM bookings WHERE remind_at IS NOT NULL AND remind_at < created_at").await, 0);
    }

    async fn who_wants_it_is_reminded_a_day_and_two_hours_before(house: House) {
        let (both, day, none) =
            (house.reminded("Both", true, true).await, house.reminded("Day", true, false).await, house.member("None").await);
        let evening = house.session("2026-12-03 18:30", 9).await;
        for person in [&both, &day, &none] {
            house.book(person, &evening).await.expect_booked();
        }
        house.sweep_twice_at("2026-12-02 18:29").await;
        assert_eq!(house.reminders_to(&both).await, Vec::<String>::new());
        house.sweep_twice_at("2026-12-02 18:30").await;
        assert_eq!(house.reminders_to(&both).await, ["reminder_24h"]);
        assert_eq!(house.reminders_to(&day).await, ["reminder_24h"]);
        let letter = house.letters_to(&day).await.pop().unwrap();
        let text = letter.body_text.unwrap();
        assert!(letter.subject.unwrap().contains("Barre Sculpt"));
        assert!(text.contains("18:30") && text.contains("Free to cancel until Thu 3 Dec, 06:30; then 1 credit"), "{text}");
        house.sweep_twice_at("2026-12-03 16:30").await;
        assert_eq!(house.reminders_to(&both).await, ["reminder_24h", "reminder_2h"]);
        assert_eq!(house.reminders_to(&day).await, ["reminder_24h"]);
        assert_eq!(house.reminders_to(&none).await, Vec::<String>::new());
        // It is too late by now to cancel for free, and the letter does not say otherwise.
        let text = house.letters_to(&both).await.pop().unwrap().body_text.unwrap();
        assert!(text.contains("No free cancelling: a cancellation loses 1 credit"), "{text}");
        assert_eq!(house.how_many("SELECT COUNT(*) FROM bookings WHERE remind_at IS NOT NULL").await, 0);
        assert_eq!(house.how_many("SELECT COUNT(*) FROM events WHERE action = 'booking.reminded'").await, 3);
    }

    async fn the_night_of_change_moves_no_reminder(house: House) {
        let zone = "America/New_York";
        let studio = house.studio.id;
        house.write(move |tx| Box::pin(async move { tx.run("UPDATE studios SET time_zone = $1 WHERE id = $2", (zone, studio)).await })).await;
        let mut there = house.studio.clone();
        there.zone = chrono_tz::America::New_York;
        // The clocks are put forward in the night to 14 March 2027: the class is 23 hours after its reminder.
        house.clock.set("2027-03-10T15:00:00Z".parse().unwrap());
        let ana = house.reminded("Ana", true, true).await;
        let sunday = house.plan("2027-03-14 18:30", 9).at(&there).await;
        assert_eq!(sunday.starts_at.to_rfc3339(), "2027-03-14T22:30:00+00:00");
        house.book(&ana, &sunday).await.expect_booked();
        for (now, reminders) in [
            ("2027-03-13T23:29:59Z", &[][..]),
            ("2027-03-13T23:30:00Z", &["reminder_24h"]),
            ("2027-03-14T20:29:59Z", &["reminder_24h"]),
            ("2027-03-14T20:30:00Z", &["reminder_24h", "reminder_2h"]),
        ] {
            house.clock.set(now.parse().unwrap());
            house.sweep().await;
            assert_eq!(house.reminders_to(&ana).await, reminders, "{now}");
        }
    }

    async fn a_moved_class_takes_its_reminder_along(house: House) {
        let ana = house.reminded("Ana", true, true).await;
        let evening = house.session("2026-12-03 18:30", 9).await;
        house.book(&ana, &evening).await.expect_booked();
        house.alter(&evening, &json!({"local_start": "2026-12-04T19:30"})).await.expect(200);
        house.sweep_twice_at("2026-12-02 18:30").await;
        assert_eq!(house.reminders_to(&ana).await, Vec::<String>::new());
        house.sweep_twice_at("2026-12-03 19:30").await;
        assert_eq!(house.reminders_to(&ana).await, ["reminder_24h"]);
        // Moved again after it was written: it is reminded of once more, a day before the new time.
        house.alter(&evening, &json!({"local_start": "2026-12-05T19:30"})).await.expect(200);
        house.sweep_twice_at("2026-12-04 19:30").await;
        assert_eq!(house.reminders_to(&ana).await, ["reminder_24h", "reminder_24h"]);
        // Moved to a time that is nearer than a day: the day before is over.
        house.it_is("2026-12-05 08:00");
        house.alter(&evening, &json!({"local_start": "2026-12-05T20:30"})).await.expect(200);
        house.sweep_twice_at("2026-12-05 18:29").await;
        assert_eq!(house.reminders_to(&ana).await.len(), 2);
        house.sweep_twice_at("2026-12-05 18:30").await;
        assert_eq!(house.reminders_to(&ana).await.last().unwrap(), "reminder_2h");
    }

    async fn what_happens_before_it_leaves_makes_it_obsolete(house: House) {
        let (ana, bo, eva) =
            (house.reminded("Ana", true, false).await, house.reminded("Bo", true, false).await, house.reminded("Eva", true, false).await);
        let (evening, other) = (house.session("2026-12-03 18:30", 9).await, house.session("2026-12-03 18:30", 9).await);
        let of_ana = house.book(&ana, &evening).await.expect_booked();
        house.book(&bo, &other).await.expect_booked();
        house.book(&eva, &evening).await.expect_booked();
        house.post().await;
        house.sweep_twice_at("2026-12-02 18:30").await;
        house.cancel(&of_ana).await.expect(200);
        house.alter(&other, &json!({"local_start": "2026-12-03T19:30"})).await.expect(200);
        house.switch(&eva, &json!({"reminder_24h": false})).await.expect(200);
        let fate = |kind: &str, state: &str| (kind.to_owned(), state.to_owned());
        assert_eq!(house.fates_of_letters_to(&ana).await, [fate("booked", "sent"), fate("reminder_24h", "obsolete"), fate("cancelled", "sent")]);
        assert_eq!(house.fates_of_letters_to(&bo).await, [fate("booked", "sent"), fate("reminder_24h", "obsolete"), fate("session_changed", "sent")]);
        assert_eq!(house.fates_of_letters_to(&eva).await, [fate("booked", "sent"), fate("reminder_24h", "obsolete")]);
        // Of no use once the class has begun.
        house.switch(&eva, &json!({"reminder_2h": true})).await.expect(200);
        house.sweep_twice_at("2026-12-03 16:30").await;
        house.it_is("2026-12-03 18:30");
        assert_eq!(house.fates_of_letters_to(&eva).await.pop().unwrap(), fate("reminder_2h", "obsolete"));
    }

    async fn a_reminder_leaves_the_letter_before_it_alone(house: House) {
        let ana = house.reminded("Ana", true, false).await;
        let evening = house.session("2026-12-03 18:30", 9).await;
        house.book(&ana, &evening).await.expect_booked();
        // The mail server was away for days: the booking's letter, with its calendar part, leaves first.
        house.sweep_twice_at("2026-12-02 18:30").await;
        let all: Vec<String> = house.fates_of_letters_to(&ana).await.into_iter().map(|(kind, state)| format!("{kind} {state}")).collect();
        assert_eq!(all, ["booked sent", "reminder_24h sent"]);
    }

    async fn who_comes_late_is_reminded_of_what_is_still_ahead(house: House) {
        let (ana, bo, eva) = (house.reminded("Ana", true, true).await, house.reminded("Bo", true, false).await, house.reminded("Eva", true, true).await);
        let evening = house.session("2026-12-03 18:30", 2).await;
        house.it_is("2026-12-03 05:00");
        house.book(&bo, &evening).await.expect_booked();
        house.book(&ana, &evening).await.expect_booked();
        house.book(&eva, &evening).or_wait().await.expect_waitlisted(1);
        house.sweep_twice_at("2026-12-03 05:10").await;
        house.sweep_twice_at("2026-12-03 16:00").await;
        assert_eq!(house.reminders_to(&ana).await, Vec::<String>::new());
        house.sweep_twice_at("2026-12-03 16:30").await;
        assert_eq!(house.reminders_to(&ana).await, ["reminder_2h"]);
        assert_eq!(house.reminders_to(&bo).await, Vec::<String>::new(), "ten hours before is no day before");
        assert_eq!(house.reminders_to(&eva).await, Vec::<String>::new(), "who waits has no place to be reminded of");
    }

    async fn who_is_moved_in_is_reminded_too(house: House) {
        let (ana, bo) = (house.reminded("Ana", true, false).await, house.reminded("Bo", true, false).await);
        let evening = house.session("2026-12-03 18:30", 1).await;
        let of_ana = house.book(&ana, &evening).await.expect_booked();
        house.book(&bo, &evening).or_wait().await.expect_waitlisted(1);
        house.cancel(&of_ana).await.expect(200);
        house.sweep_twice_at("2026-12-02 18:30").await;
        assert_eq!(house.reminders_to(&ana).await, Vec::<String>::new());
        assert_eq!(house.kinds_to(&bo).await, ["waitlisted", "promoted", "reminder_24h"]);
    }

    async fn quiet_hours_hold(house: House) {
        let (ana, bo) = (house.reminded("Ana", true, true).await, house.reminded("Bo", true, true).await);
        let own = json!({"quiet_hours": {"from": "05:00", "until": "09:30"}});
        house.patch("/v1/me").by(&bo).json(&own).await.expect(200);
        // Two hours before a class at half past seven is night: it comes the evening before.
        let early = house.session("2026-12-03 07:30", 9).await;
        house.book(&ana, &early).await.expect_booked();
        house.book(&bo, &early).await.expect_booked();
        house.sweep_twice_at("2026-12-02 07:29").await;
        assert_eq!(house.reminders_to(&ana).await, Vec::<String>::new());
        house.sweep_twice_at("2026-12-02 07:30").await;
        assert_eq!((house.reminders_to(&ana).await.len(), house.reminders_to(&bo).await.len()), (1, 0));
        // Their own hours put it off; those that they set since count.
        house.sweep_twice_at("2026-12-02 09:29").await;
        house.patch("/v1/me").by(&bo).json(&json!({"quiet_hours": {"from": "05:00", "until": "10:00"}})).await.expect(200);
        house.sweep_twice_at("2026-12-02 09:30").await;
        assert_eq!(house.reminders_to(&bo).await, Vec::<String>::new());
        house.sweep_twice_at("2026-12-02 10:00").await;
        assert_eq!(house.reminders_to(&bo).await, ["reminder_24h"]);
        house.sweep_twice_at("2026-12-02 21:44").await;
        assert_eq!(house.reminders_to(&ana).await.len(), 1);
        house.sweep_twice_at("2026-12-02 21:45").await;
        assert_eq!(house.reminders_to(&ana).await, ["reminder_24h", "reminder_2h"]);
    }

    async fn a_sweep_that_comes_at_night_waits_for_the_morning(house: House) {
        let ana = house.reminded("Ana", true, false).await;
        let evening = house.session("2026-12-03 18:30", 9).await;
        house.book(&ana, &evening).await.expect_booked();
        house.sweep_twice_at("2026-12-03 02:00").await;
        assert_eq!(house.reminders_to(&ana).await, Vec::<String>::new());
        house.sweep_twice_at("2026-12-03 07:00").await;
        assert_eq!(house.reminders_to(&ana).await, ["reminder_24h"]);
    }

    async fn switches_are_shown_changed_and_taken_along(house: House) {
        let ana = house.member("Ana").await;
        let off = json!({"reminder_24h": false, "reminder_2h": false, "passes_ending": true, "places_free": true});
        assert_eq!(house.switches(&ana).await, off);
        let me = house.switch(&ana, &json!({"reminder_2h": true})).await.expect(200);
        assert_eq!(me["letters"], json!({"reminder_24h": false, "reminder_2h": true, "passes_ending": true, "places_free": true}));
        house.patch("/v1/me").by(&ana).json(&json!({"phone": "1"})).await.expect(200);
        assert_eq!(house.switches(&ana).await, me["letters"]);
        let told = house.get("/v1/me/export").by(&ana).await.expect(200);
        assert_eq!(told["profile"]["letters"], me["letters"]);
        for (wrong, field) in [
            (json!({"booked": false}), "letters.booked"),
            (json!({"reminder_2h": "yes"}), "letters.reminder_2h"),
            (json!([]), "letters"),
        ] {
            house.switch(&ana, &wrong).await.expect_client_error().naming(field);
        }
        assert_eq!(house.switches(&ana).await, me["letters"]);
        // Whoever comes new is reminded the day before.
        house.join_up("new@releve.test").await;
        let (wanted,): (bool,) = house.db.one("SELECT wants_reminder_24h FROM persons WHERE email = $1", ("new@releve.test",)).await.unwrap();
        assert!(wanted);
    }

    async fn who_does_not_want_to_hear_of_free_places_keeps_their_position(house: House) {
        let (ana, bo, eva) = (house.member("Ana").await, house.member("Bo").await, house.member("Eva").await);
        house.switch(&bo, &json!({"places_free": false})).await.expect(200);
        let evening = house.session("2026-12-03 18:30", 1).await;
        let of_ana = house.book(&ana, &evening).await.expect_booked();
        let of_bo = house.book(&bo, &evening).or_wait().await.expect_waitlisted(1);
        house.book(&eva, &evening).or_wait().await.expect_waitlisted(2);
        house.it_is("2026-12-03 12:00");
        house.cancel(&of_ana).await.expect(200);
        assert_eq!(house.kinds_to(&bo).await, ["waitlisted"]);
        assert_eq!(house.kinds_to(&eva).await, ["waitlisted", "place_free"]);
        // What costs them something, or is of consequence, is sent.
        assert_eq!(house.accept(&of_bo).await.expect(200)["status"], "booked");
        assert_eq!(house.kinds_to(&bo).await, ["waitlisted", "booked"]);
    }

    async fn one_click_switches_it_off(house: House) {
        let ana = house.reminded("Ana", true, true).await;
        let evening = house.session("2026-12-03 18:30", 9).await;
        house.book(&ana, &evening).await.expect_booked();
        assert!(!house.last_mail_to(&ana).await.contains("unsubscribe"), "what a booking costs is always told");
        house.sweep_twice_at("2026-12-02 18:30").await;
        let mail = house.last_mail_to(&ana).await;
        let path = house.unsubscribe_path(ana.id, "reminder_24h");
        let link = format!("{}{path}", house.app.settings.server.public_url.trim_end_matches('/'));
        assert!(mail.contains(&format!("\r\nList-Unsubscribe: <{link}>\r\n")), "{mail}");
        assert_eq!(mail.contains("List-Unsubscribe-Post"), link.starts_with("https:"), "one click needs HTTPS");
        let read = MessageParser::default().parse(mail.as_bytes()).unwrap();
        assert!(read.body_text(0).unwrap().contains(&format!("No more letters of this kind: {link}")));
        // A link that acts for them is in the mail alone.
        let shown = house.get("/v1/me/letters").by(&ana).await.expect(200);
        assert!(!shown.text.contains("/unsubscribe/") && shown.text.contains("reminder_24h"), "{}", shown.text);

        // Mail scanners open every link.
        let before = house.traces().await;
        for _ in 0..2 {
            let page = house.get(&path).await.expect(200);
            assert!(page.text.contains("Reminders the day before") && page.text.contains("One-Click"), "{}", page.text);
            assert!(page.header("content-security-policy").contains("default-src 'none'") && page.header("cache-control") == "no-store");
        }
        assert!(house.get(&path).header("accept-language", "zh-TW").await.expect(200).text.contains("上課前一天的提醒"));
        assert_eq!(house.traces().await, before);
        assert_eq!(house.switches(&ana).await["reminder_24h"], true);
        house.post_to(&path).body(ONE_CLICK.0, "").await.expect(422);
        assert_eq!(house.switches(&ana).await["reminder_24h"], true);

        for _ in 0..2 {
            let page = house.click(&path).await.expect(200);
            assert!(page.text.contains("no more of these letters") && !page.text.contains("<form"), "{}", page.text);
        }
        let form = "multipart/form-data; boundary=x";
        let body = "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
        house.post_to(&path).body(form, body).await.expect(200);
        let off = json!({"reminder_24h": false, "reminder_2h": true, "passes_ending": true, "places_free": true});
        assert_eq!(house.switches(&ana).await, off);
        // Asked for again and again, it happened once.
        let sql = "SELECT COUNT(*) FROM events WHERE action = 'person.changed' AND subject_id = $1 AND actor_id IS NULL";
        assert_eq!(house.count(sql, ana.id).await, 1);
        assert!(!house.get(&path).await.expect(200).text.contains("<form"));
        house.sweep_twice_at("2026-12-03 16:30").await;
        assert_eq!(house.reminders_to(&ana).await, ["reminder_24h", "reminder_2h"]);
    }

    async fn a_link_is_good_for_its_own_person_and_kind(house: House) {
        let (ana, bo) = (house.reminded("Ana", true, true).await, house.reminded("Bo", true, true).await);
        let good = house.unsubscribe_path(ana.id, "reminder_24h");
        let signature = good.rsplit('/').next().unwrap();
        for path in [
            format!("/unsubscribe/{}/reminder_24h/{signature}", bo.id),
            format!("/unsubscribe/{}/reminder_2h/{signature}", ana.id),
            format!("/unsubscribe/{}/booked/{}", ana.id, house.app.keys.sign_unsubscribe(ana.id, "booked")),
            format!("/unsubscribe/{}/reminder_24h/{}", ana.id, house.app.keys.sign_offer(ana.id)),
            format!("/unsubscribe/{}/reminder_24h/AAAA", ana.id),
            format!("/unsubscribe/{}/reminder_24h/%FF", ana.id),
            house.unsubscribe_path(house.new_id(), "reminder_24h"),
        ] {
            house.get(&path).await.expect_client_error();
            house.click(&path).await.expect_client_error();
        }
        let on = json!({"reminder_24h": true, "reminder_2h": true, "passes_ending": true, "places_free": true});
        assert_eq!((house.switches(&ana).await, house.switches(&bo).await), (on.clone(), on));
    }

    async fn staff_are_told_of_a_place_that_is_theirs_to_give(house: House) {
        house.rules(json!({"after_cutoff": "staff"})).await;
        let people = house.members(4).await;
        let evening = house.session("2026-12-03 18:30", 2).await;
        let first = house.book(&people[0], &evening).await.expect_booked();
        let second = house.book(&people[1], &evening).await.expect_booked();
        let waits = house.book(&people[2], &evening).or_wait().await.expect_waitlisted(1);
        house.book(&people[3], &evening).or_wait().await.expect_waitlisted(2);
        house.it_is("2026-12-03 12:05");
        house.cancel(&first).await.expect(200);
        house.sweep().await;
        let (admin, instructor, desk) = (&house.studio.admin, &house.studio.instructor, &house.studio.desk);
        for staff in [admin, instructor] {
            assert_eq!(house.kinds_to(staff).await, ["place_to_give"]);
        }
        assert_eq!(house.kinds_to(desk).await, Vec::<String>::new());
        let text = house.letters_to(admin).await.pop().unwrap().body_text.unwrap();
        assert!(text.contains("Kept until: Thu 3 Dec, 17:45"), "{text}");
        // Given, and another one comes free within the half hour: they know.
        house.put(format!("/v1/bookings/{}/move-up", waits.id)).by(desk).json(&json!({"reason": "First in line"})).await.expect(200);
        house.it_is("2026-12-03 12:20");
        house.cancel(&second).await.expect(200);
        assert_eq!(house.kinds_to(admin).await.len(), 1);
        assert_eq!(house.kinds_to(&people[3]).await, ["waitlisted"]);
    }

    async fn the_page_of_an_offer_says_what_cancelling_would_cost(house: House) {
        house.rules(json!({"after_cutoff": "offers", "strikes_max": 3, "late_cancel_fee_minor": 5000, "fee_currency": "CNY", "late_cancels_forgiven": 0})).await;
        let (ana, bo) = (house.member("Ana").await, house.stranger("Bo").await);
        house.membership(&bo, None).await;
        let evening = house.session("2026-12-03 18:30", 1).await;
        let booked = house.book(&ana, &evening).await.expect_booked();
        house.book(&bo, &evening).or_wait().await.expect_waitlisted(1);
        house.it_is("2026-12-03 12:00");
        house.cancel(&booked).await.expect(200);
        let text = house.letters_to(&bo).await.pop().unwrap().body_text.unwrap();
        let at = text.find("/offers/").unwrap();
        let page = house.get(text[at..].split_whitespace().next().unwrap()).await.expect(200).text;
        for words in ["Cost: your membership", "counts as a visit that week", "a fee of CNY 50.00", "a strike"] {
            assert!(page.contains(words), "{words}: {page}");
        }
    }
}
