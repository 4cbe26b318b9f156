//! Planning from the pages: series, copied weeks, closing days, substitutes, the week side by side; what a change does is shown before.

use serde_json::json;

use super::Browser;

both_engines! {
    async fn a_series_is_begun_changed_published_and_ended(house: House) {
        house.letters_may_stay();
        let mut admin = Browser::of(&house, &house.studio.admin).await;
        let at = format!("/console/{}", house.studio.id);
        admin.see(&format!("{at}/schedule")).await.expect(200).says("/series\"");
        admin.see(&format!("{at}/series")).await.expect(200).says("No series yet.");
        let (class, room, instructor) = (house.studio.class_type.to_string(), house.studio.room.to_string(), house.studio.instructor.id.to_string());
        let mut form = vec![
            ("class", &*class), ("room", &*room), ("instructor", &*instructor), ("time", "18:30"), ("starts_on", "2026-12-01"),
            ("until", "2026-12-20"), ("capacity", "12"), ("draft", "true"),
        ];
        // Without a day it is no series; what was typed stays.
        admin.send(&format!("{at}/series/new"), &form).await.expect(422).says("“Days of the week” is missing.").says("value=\"2026-12-20\"");
        form.extend([("mo", "true"), ("we", "true")]);
        let mut many = form.clone();
        many[6].1 = "lots";
        admin.send(&format!("{at}/series/new"), &many).await.expect(422).says("“Places” must be a whole number.").says("value=\"lots\"");
        let begun = admin.send(&format!("{at}/series/new"), &form).await.expect(303);
        let of_series = begun.to.split('?').next().unwrap().to_owned();
        let id = of_series.rsplit('/').next().unwrap().parse().unwrap();
        admin.see(&begun.to).await.expect(200).says("The series has begun.").says("Mon, Wed 18:30").says("Publish the series").says("Wed 2 Dec, 18:30");
        assert_eq!(house.starts_of(id).await, ["Wed 02 Dec 18:30", "Mon 07 Dec 18:30", "Wed 09 Dec 18:30", "Mon 14 Dec 18:30", "Wed 16 Dec 18:30"]);
        // The room is taken then.
        admin.send(&format!("{at}/series/new"), &form).await.expect(409).says("role=\"alert\"");

        admin.see(&format!("{of_series}/publication")).await.expect(200).says("1 person will be written to.");
        admin.go(&format!("{of_series}/publication"), &[]).await.expect(200).says("The series is published.").keeps_quiet_of("Publish the series");

        let sessions = house.of_series(id).await;
        let (ana, ben) = (house.member("Ana").await, house.member("Ben").await);
        house.book(&ana, &sessions[1].1).await.expect_booked();
        house.book(&ben, &sessions[2].1).await.expect_booked();
        // From the second on, half an hour later: who is in them is told, and that is said first.
        let edit = format!("{at}/sessions/{}/edit", sessions[1].1.id);
        let page = admin.see(&edit).await.expect(200).says("This and the following");
        let version = page.field("version");
        let mut change = vec![
            ("class", &*class), ("room", &*room), ("instructor", &*instructor), ("start", "2026-12-07T19:00"), ("capacity", "12"),
            ("version", &*version), ("scope", "following"),
        ];
        admin.send(&edit, &change).await.expect(200).says("2 people will be written to.").says("Ana").says("Ben");
        assert_eq!(house.starts_of(id).await[1], "Mon 07 Dec 18:30", "nothing is done yet");
        change.push(("meant", "true"));
        admin.go(&edit, &change).await.expect(200).says("The class was changed.").says("Of a series");
        assert_eq!(house.starts_of(id).await, ["Wed 02 Dec 18:30", "Mon 07 Dec 19:00", "Wed 09 Dec 19:00", "Mon 14 Dec 19:00", "Wed 16 Dec 19:00"]);
        admin.see(&of_series).await.expect(200).says("What holds from when").says("from Mon 7 Dec 2026");

        // One alone is cancelled, then all that is left.
        admin.go(&format!("{at}/sessions/{}/cancel", sessions[0].1.id), &[("scope", "this")]).await.expect(200);
        admin.see(&of_series).await.expect(200).says("Not as the series has it").says("Wed 2 Dec 2026");
        let all = format!("{at}/sessions/{}/cancel", sessions[1].1.id);
        admin.see(&format!("{at}/sessions/{}", sessions[1].1.id)).await.expect(200).says("Put a class on the schedule").says("Published a class").says("Changed a class").says("changed time");
        admin.see(&format!("{all}?scope=all")).await.expect(200).says("Barre Sculpt · Mon 7 Dec, 19:00").says("Ana").says("Ben");
        admin.go(&all, &[("scope", "all"), ("reason", "premises")]).await.expect(200);
        admin.see(&format!("{at}/series")).await.expect(200).says("over");
        assert_eq!(house.how_many("SELECT COUNT(*) FROM sessions WHERE status <> 'cancelled'").await, 0);
    }

    async fn an_instructor_begins_their_own_series_and_nobody_elses(house: House) {
        house.letters_may_stay();
        let colleague = house.colleague("Mei").await;
        let mut instructor = Browser::of(&house, &house.studio.instructor).await;
        let at = format!("/console/{}/series", house.studio.id);
        instructor.see(&format!("{at}/new")).await.expect(200).keeps_quiet_of(&colleague.id.to_string());
        let (class, room) = (house.studio.class_type.to_string(), house.studio.room.to_string());
        let (own, other) = (house.studio.instructor.id.to_string(), colleague.id.to_string());
        let mut form = [("class", &*class), ("room", &*room), ("instructor", &*other), ("time", "18:30"), ("starts_on", "2026-12-01"), ("tu", "true"), ("meant", "true")];
        instructor.send(&format!("{at}/new"), &form).await.expect(403);
        form[2].1 = &own;
        instructor.go(&format!("{at}/new"), &form).await.expect(200).says("The series has begun.");
    }

    async fn a_week_is_copied_after_a_look(house: House) {
        let mut admin = Browser::of(&house, &house.studio.admin).await;
        let at = format!("/console/{}/schedule/copy", house.studio.id);
        house.session("2026-12-08 18:30", 5).await;
        house.session("2026-12-10 18:30", 5).await;
        // Somebody is in the way of one.
        house.session("2026-12-17 18:00", 5).await;
        let form = [("week", "2026-12-09"), ("to", "2026-12-16")];
        admin.send(&at, &form[..1]).await.expect(422).says("role=\"alert\"");
        admin.send(&at, &[("week", "2026-12-09"), ("to", "2026-12-09")]).await.expect(422).says("role=\"alert\"");
        let looked = admin.send(&at, &form).await.expect(200).says("Classes that are copied: 1").says("Left out:").says("Thu 10 Dec, 18:30");
        assert!(looked.text.contains("the instructor is in another class") || looked.text.contains("the room is taken"), "{}", looked.text);
        assert_eq!(house.how_many("SELECT COUNT(*) FROM sessions").await, 3);
        let meant = [form[0], form[1], ("meant", "true")];
        admin.go(&at, &meant).await.expect(200).says("The week is copied, as drafts.").says("Draft").says("Publish the drafts");
        assert_eq!(house.how_many("SELECT COUNT(*) FROM sessions WHERE status = 'draft'").await, 1);
    }

    async fn closing_days_say_whom_they_touch(house: House) {
        house.letters_may_stay();
        let (ana, evening) = (house.member("Ana").await, house.session("2026-12-08 18:30", 5).await);
        house.book(&ana, &evening).await.expect_booked();
        let mut admin = Browser::of(&house, &house.studio.admin).await;
        let at = format!("/console/{}/closing-days", house.studio.id);
        admin.see(&at).await.expect(200).says("None to come.");
        admin.send(&at, &[("note", "Holidays")]).await.expect(422).says("“First day” is missing.").says("Holidays");
        let form = [("first", "2026-12-08"), ("last", "2026-12-10"), ("note", "Holidays"), ("meant", "true")];
        admin.send(&at, &form[..3]).await.expect(200).says("Booked → Cancelled").says("1 person will be written to.").says("Ana").says("Holidays");
        assert_eq!(house.how_many("SELECT COUNT(*) FROM closing_days").await, 0, "nothing is done yet");
        admin.go(&at, &form).await.expect(200).says("The studio is closed then.").says("Tue 8 Dec 2026").says("Thu 10 Dec 2026").keeps_quiet_of("Fri 11 Dec 2026");
        assert_eq!(house.how_many("SELECT credits_left FROM passes").await, 10);
        admin.go(&format!("{at}/2026-12-08/opening"), &[]).await.expect(200).says("The studio is open on that day again.").keeps_quiet_of("Tue 8 Dec 2026");
        assert_eq!(house.how_many("SELECT COUNT(*) FROM closing_days").await, 2);
        // A day on which nobody is touched is closed at once.
        admin.go(&at, &[("first", "2027-01-01")]).await.expect(200).says("Fri 1 Jan 2027");
    }

    async fn a_substitute_is_looked_for_and_found(house: House) {
        house.letters_may_stay();
        let (ana, mei) = (house.member("Ana").await, house.colleague("Mei").await);
        let evening = house.session("2026-12-03 18:30", 5).await;
        house.book(&ana, &evening).await.expect_booked();
        let mut own = Browser::of(&house, &house.studio.instructor).await;
        let mut hers = Browser::of(&house, &mei).await;
        let at = format!("/console/{}", house.studio.id);
        let ask = format!("{at}/sessions/{}/substitute", evening.id);
        own.see(&ask).await.expect(200).says("Nobody who teaches this said that they are free then");
        // She says what she teaches, and when.
        let teaches = format!("teaches_{}", house.studio.class_type);
        let mut stated = vec![(&*teaches, "true"), ("w0_day", "4"), ("w0_from", "17:00"), ("w0_until", "16:00")];
        hers.send(&format!("{at}/availability"), &stated).await.expect(422).says("role=\"alert\"").says("value=\"17:00\"");
        stated[3].1 = "22:00";
        stated.extend([("d0_day", "2026-12-10"), ("d0_free", "false")]);
        hers.go(&format!("{at}/availability"), &stated).await.expect(200).says("Saved.").says("value=\"22:00\"").says("value=\"2026-12-10\"");
        let known = house.get(house.of_studio("availability/me")).by(&mei).await.expect(200);
        assert_eq!((&known["teaches"], &known["weekly"][0]["weekday"], &known["exceptions"][0]["available"]), (&json!([house.studio.class_type]), &json!(4), &json!(false)));

        own.see(&ask).await.expect(200).says("1 person will be written to.").says("Mei");
        own.go(&ask, &[("note", "A cold.")]).await.expect(200).says("Those who could stand in are asked.").says("A cold.").says("Nobody is needed any more");
        own.see(&ask).await.expect(409).says("role=\"alert\"");
        let page = hers.see(&format!("{at}/substitutes")).await.expect(200).says("A cold.").says("I teach it");
        let request = page.text.split("/substitutes/").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let act = format!("{at}/substitutes/{request}");
        // The one who asks cannot take it, nor can a desk.
        own.send(&act, &[("act", "claim")]).await.expect(409).says("role=\"alert\"");
        Browser::of(&house, &house.studio.desk).await.send(&act, &[("act", "withdraw")]).await.expect(403);
        hers.go(&act, &[("act", "claim")]).await.expect(200).says("You have taken it.");
        let shown = house.get(format!("/v1/sessions/{}", evening.id)).await.expect(200);
        assert_eq!(shown["instructor"]["name"], "Mei");
        // The page of the class tells the story, and the studio's list has it as settled.
        let mut admin = Browser::of(&house, &house.studio.admin).await;
        admin.see(&format!("{at}/sessions/{}", evening.id)).await.expect(200).says("Asked for a substitute").says("A substitute teaches");
        admin.see(&format!("{at}/substitutes")).await.expect(200).says("Settled").says("taken by Mei");
        admin.go(&act, &[("act", "withdraw")]).await.expect(409).says("role=\"alert\"");
    }

    async fn the_week_stands_side_by_side_and_a_move_is_looked_at_first(house: House) {
        house.letters_may_stay();
        let (ana, mei) = (house.member("Ana").await, house.colleague("Mei").await);
        let evening = house.session("2026-12-01 18:30", 5).await;
        let hers = house.plan("2026-12-02 18:30", 5).taught_by(&mei).await;
        house.book(&ana, &evening).await.expect_booked();
        let admin = Browser::of(&house, &house.studio.admin).await;
        let at = format!("/console/{}", house.studio.id);
        let edit = format!("{at}/sessions/{}/edit", evening.id);
        for by in ["day", "room", "instructor"] {
            admin.see(&format!("{at}/schedule?week=2026-12-01&by={by}")).await.expect(200).says(&evening.id.to_string()).says(&hers.id.to_string()).says(&format!("data-move=\"{edit}\""));
        }
        let side = admin.see(&format!("{at}/schedule?week=2026-12-01&by=instructor")).await.says(&format!("data-with=\"instructor={}\"", mei.id));
        assert!(side.text.find(&format!(">{}</h2>", house.studio.instructor.name)).is_some() && side.text.contains(">Mei</h2>"), "{}", side.text);
        // Dragged to Thursday and to Mei: her form, filled, with what would come of it; nothing is done.
        admin.see(&format!("{edit}?start=2026-12-03T18:30&instructor={}", mei.id)).await.expect(200).says("2026-12-03T18:30").says("Written to:").says("Ana").says("Yes, tell them");
        admin.see(&format!("{edit}?start=2026-12-02T18:30&instructor={}", mei.id)).await.expect(409).says("role=\"alert\"");
        admin.see(&format!("{edit}?start=never")).await.expect(422).says("role=\"alert\"");
        let shown = house.get(format!("/v1/sessions/{}", evening.id)).await.expect(200);
        assert_eq!(shown["local_start"], "2026-12-01T18:30");
        // Whose it is not drags nothing.
        let desk = Browser::of(&house, &house.studio.desk).await;
        desk.see(&format!("{at}/schedule?week=2026-12-01")).await.expect(200).keeps_quiet_of("data-move");
    }

    async fn an_address_that_is_none_is_a_page_for_readers_and_a_problem_for_apps(house: House) {
        let mut browser = Browser::new(&house);
        browser.keep("releve_language", "zh-Hant");
        for path in ["/console/a/b/c/d", "/me/nothing", "/s/x/y/z", "/b/x/y/z"] {
            let page = browser.see(path).await.expect(404).says("<h1>").says("lang=\"zh-Hant\"");
            assert!(page.header("content-type").starts_with("text/html"), "{path}");
            assert!(page.header("content-security-policy").contains("script-src 'self'"), "{path}");
        }
        for path in ["/v1/nothing", "/consoles", "/mean", "/nothing"] {
            let problem = browser.see(path).await.expect(404);
            assert!(problem.header("content-type").starts_with("application/problem+json"), "{path}: {}", problem.text);
        }
    }
}
