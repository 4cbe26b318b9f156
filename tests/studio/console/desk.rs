//! What a desk does about one member: the pass after its sale, penalties, two entries that are one, erasing; and who walked in and did not.

use serde_json::json;
use uuid::Uuid;

use super::Browser;

both_engines! {
    async fn a_pass_is_given_to_prolonged_frozen_and_refunded(house: House) {
        house.letters_may_stay();
        let ana = house.member("Ana").await;
        let (pass,): (Uuid,) = house.db.one("SELECT id FROM passes WHERE person_id = $1", (ana.id,)).await.unwrap();
        let mut admin = Browser::of(&house, &house.studio.admin).await;
        let mut desk = Browser::of(&house, &house.studio.desk).await;
        let at = format!("/console/{}/passes/{pass}", house.studio.id);
        admin.see(&format!("/console/{}/members/{}", house.studio.id, ana.id)).await.expect(200).says(&at);
        let seen = house.how_many("SELECT COUNT(*) FROM events WHERE action = 'member.seen'").await;
        let page = admin.see(&at).await.expect(200).says("credits left: 10").says("Ana").says("Give credits").says("Take it back and refund");
        assert_eq!(house.how_many("SELECT COUNT(*) FROM events WHERE action = 'member.seen'").await, seen + 1);
        desk.see(&at).await.expect(200).says("Freeze it").keeps_quiet_of("Give credits").keeps_quiet_of("Take it back and refund");

        let key = page.field("key");
        let gift = [("key", &*key), ("credits", "2"), ("reason", "A leaking roof")];
        admin.send(&format!("{at}/gift"), &[("credits", "many"), ("reason", "A leaking roof")]).await.expect(422).says("“Credits” must be a whole number").says("A leaking roof");
        admin.go(&format!("{at}/gift"), &gift).await.expect(200).says("The pass was changed.").says("credits left: 12").says("Credits given · +2").says("A leaking roof");
        // Sent twice, it is one gift.
        admin.go(&format!("{at}/gift"), &gift).await.expect(200).says("credits left: 12");
        admin.send(&format!("{at}/extension"), &[("expires_on", "2026-12-01"), ("reason", "A cold")]).await.expect(422).says("New last day");
        admin.go(&format!("{at}/extension"), &[("expires_on", "2028-01-31"), ("reason", "A cold")]).await.expect(200).says("Mon 31 Jan 2028").says("Prolonged");

        let evening = house.session("2026-12-03 18:30", 5).await;
        house.book(&ana, &evening).await.expect_booked();
        let frozen = [("from", "2026-12-01"), ("until", "2026-12-07"), ("cancel_bookings", "true")];
        desk.send(&format!("{at}/freeze"), &frozen[..2]).await.expect(409).says("role=\"alert\"").says("value=\"2026-12-07\"");
        desk.go(&format!("{at}/freeze"), &frozen).await.expect(200).says("Tue 1 Dec 2026 – Mon 7 Dec 2026").says("End the freeze now");
        desk.go(&format!("{at}/unfreeze"), &[]).await.expect(200).keeps_quiet_of("End the freeze now");

        desk.send(&format!("{at}/refund"), &[("method", "cash"), ("reason", "Moves away")]).await.expect(403);
        let key = admin.see(&at).await.field("key");
        admin.send(&format!("{at}/refund"), &[("key", &*key), ("amount", "a lot"), ("method", "cash"), ("reason", "Moves away")]).await.expect(422).says("value=\"a lot\"");
        admin.go(&format!("{at}/refund"), &[("key", &*key), ("method", "cash"), ("reason", "Moves away")]).await.expect(200).says("The pass was taken back").says("ended").keeps_quiet_of("Give credits");
        // Another studio's desk sees none of it.
        let away = house.second_studio().await;
        Browser::of(&house, &away.desk).await.see(&format!("/console/{}/passes/{pass}", away.id)).await.expect(404);
    }

    async fn what_is_written_down_of_a_member_is_mended(house: House) {
        let (mut desk, made) = (Browser::of(&house, &house.studio.desk).await, house.post_to(house.of_studio("members")));
        let made = made.by(&house.studio.desk).json(&json!({"name": "王美力", "phone": "138 0000 4321"})).await.expect(201);
        let (mei, at) = (made["person_id"].as_str().unwrap().to_owned(), format!("{}/members", house.studio.id));
        let page = format!("/console/{at}/{mei}");
        desk.send(&format!("{page}/particulars"), &[("note", "A weak knee")]).await.expect(422).says("role=\"alert\"");
        let mended = [("name", "王美丽"), ("phone", "139 0000 8000"), ("note", "A weak knee:\nno jumps")];
        desk.go(&format!("{page}/particulars"), &mended).await.expect(200).says("What is written down was changed.").says("王美丽").says("139 0000 8000").says("no jumps");
        let found = house.post_to(house.of_studio("members/searches")).by(&house.studio.desk).json(&json!({"q": "mei li"})).await.expect(200);
        assert_eq!((&found["members"][0]["name"], &found["members"][0]["note"]), (&json!("王美丽"), &json!("A weak knee:\nno jumps")));
        let events = house.db.all::<(sqlx::types::Json<serde_json::Value>,)>("SELECT details FROM events WHERE action = 'member.changed'", ());
        assert_eq!(events.await.unwrap()[0].0.0, json!({"noted": true}), "nothing that was written stands in the log");
        // The API leaves alone what it is not told, and clears what is null.
        let change = |body: serde_json::Value| house.patch(house.of_studio(&format!("members/{mei}"))).by(&house.studio.desk).json(&body);
        assert_eq!(change(json!({"note": null})).await.expect(200).documented()["phone"], "139 0000 8000");
        change(json!({"name": ""})).await.expect_refused(422, "invalid-fields").naming("name");
        change(json!({"note": "x".repeat(4_001)})).await.expect_refused(422, "invalid-fields").naming("note");
        let stranger = house.patch(house.of_studio(&format!("members/{}", house.new_id()))).by(&house.studio.desk).json(&json!({"note": "x"}));
        stranger.await.expect_refused(404, "not-found");
        let away = house.second_studio().await;
        let elsewhere = house.patch(format!("/v1/studios/{}/members/{mei}", away.id)).by(&away.desk).json(&json!({"note": "x"}));
        elsewhere.await.expect_refused(404, "not-found");
        house.letters_may_stay();
    }

    async fn a_pass_is_passed_on(house: House) {
        house.letters_may_stay();
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let of = house.sells(json!({"valid_days": 90, "transferable": true})).await;
        let pass = house.sell_of(of, &ana).await.id;
        let mut desk = Browser::of(&house, &house.studio.desk).await;
        let at = format!("/console/{}/passes/{pass}", house.studio.id);
        let transfer = format!("{at}/transfer");
        desk.see(&at).await.expect(200).says(&transfer);
        desk.see(&transfer).await.expect(200).says("Who gets it?").says("Ana");
        let found = desk.send(&transfer, &[("q", "Bo")]).await.expect(200);
        assert_eq!(found.field("person"), bo.id.to_string());
        desk.send(&transfer, &[("q", "Ana")]).await.expect(200).says("Nobody");
        let to = bo.id.to_string();
        desk.send(&transfer, &[("person", &to)]).await.expect(200).says("Bo").says("name=\"meant\"").keeps_quiet_of("Valid at");
        assert_eq!(house.how_many("SELECT COUNT(*) FROM passes WHERE ended_at IS NOT NULL").await, 0, "nothing is done yet");
        // Whoever is no member gets none.
        let stranger = house.new_id().to_string();
        desk.send(&transfer, &[("person", &stranger), ("meant", "true")]).await.expect(422).says("role=\"alert\"");
        desk.go(&transfer, &[("person", &to), ("meant", "true")]).await.expect(200).says("The pass was passed on.").says("Bo");
        assert_eq!(house.how_many("SELECT COUNT(*) FROM passes WHERE ended_at IS NOT NULL").await, 1);
        desk.see(&at).await.expect(200).says("Transferred").keeps_quiet_of(&transfer);
        // Sent twice, it is done once.
        desk.go(&transfer, &[("person", &to), ("meant", "true")]).await.expect(200).says("The pass was passed on.");
        assert_eq!(house.how_many("SELECT COUNT(*) FROM passes WHERE ended_at IS NOT NULL").await, 1);
        // One that may not be passed on has no such page; where there are two studios, one says which.
        let (plain,): (Uuid,) = house.db.one("SELECT id FROM passes WHERE person_id = $1 AND NOT transferable", (ana.id,)).await.unwrap();
        desk.see(&format!("/console/{}/passes/{plain}/transfer", house.studio.id)).await.expect(404);
        // Elsewhere only who serves members there as well, and a member who is known there.
        let away = house.second_studio().await;
        let pass = house.sell_of(of, &ana).await.id;
        let transfer = format!("/console/{}/passes/{pass}/transfer", house.studio.id);
        let (holder, there) = (ana.id.to_string(), away.id.to_string());
        let elsewhere = [("person", &*holder), ("studio", &there), ("meant", "true")];
        desk.send(&transfer, &elsewhere[..1]).await.expect(200).keeps_quiet_of(&there);
        desk.send(&transfer, &elsewhere).await.expect(403);
        desk.send(&transfer, &[elsewhere[0], elsewhere[2]]).await.expect(422).says("role=\"alert\"");
        let mut owner = Browser::of(&house, &house.studio.owner).await;
        owner.send(&transfer, &elsewhere[..1]).await.expect(200).says("Valid at").says(&there);
        owner.send(&transfer, &elsewhere).await.expect(422).says("role=\"alert\"");
        house.put(format!("/v1/studios/{}/members/me", away.id)).by(&ana).await.expect(200);
        owner.go(&transfer, &elsewhere).await.expect(200).says("The pass was passed on.");
        let there = (ana.id, away.id);
        let moved: Vec<(Uuid,)> = house.db.all("SELECT id FROM passes WHERE person_id = $1 AND studio_id = $2", there).await.unwrap();
        assert_eq!(moved.len(), 1);
    }

    async fn a_penalty_is_paid_and_another_taken_back(house: House) {
        house.letters_may_stay();
        house.rules(json!({"late_cancels_forgiven": 0, "late_cancel_fee_minor": 5_000, "no_show_fee_minor": 5_000, "fee_currency": "CNY", "strikes_max": 3})).await;
        let ana = house.stranger("Ana").await;
        house.membership(&ana, None).await;
        let mut penalties = Vec::new();
        for local in ["2026-11-30 19:00", "2026-11-30 21:00"] {
            let session = house.session(local, 12).await;
            let booked = house.book(&ana, &session).await.expect_booked();
            penalties.push(booked.id);
        }
        house.it_is("2026-11-30 12:00");
        for booking in &penalties {
            house.put(format!("/v1/bookings/{booking}/cancellation")).by(&ana).json(&json!({})).await.expect(200);
        }
        let ids: Vec<(Uuid,)> = house.db.all("SELECT id FROM penalties ORDER BY at, id", ()).await.unwrap();
        let mut admin = Browser::of(&house, &house.studio.admin).await;
        let mut desk = Browser::of(&house, &house.studio.desk).await;
        let at = format!("/console/{}/members/{}", house.studio.id, ana.id);
        desk.see(&at).await.expect(200).says("fee CNY 50.00 to be paid").says("strike").says("The fee was paid").keeps_quiet_of("/waiver");
        admin.see(&at).await.expect(200).says("/waiver");
        let (first, second) = (ids[0].0, ids[1].0);
        desk.send(&format!("{at}/penalties/{first}/payment"), &[]).await.expect(422).says("role=\"alert\"");
        desk.go(&format!("{at}/penalties/{first}/payment"), &[("method", "cash"), ("reference", "17")]).await.expect(200).says("Written down as paid.").says("fee CNY 50.00 paid");
        desk.send(&format!("{at}/penalties/{second}/waiver"), &[("reason", "A storm")]).await.expect(403);
        admin.send(&format!("{at}/penalties/{second}/waiver"), &[]).await.expect(422).says("Reason");
        admin.go(&format!("{at}/penalties/{second}/waiver"), &[("reason", "A storm")]).await.expect(200).says("The penalty was taken back.").says("taken back").says("A storm");
        assert_eq!(house.how_many("SELECT COUNT(*) FROM penalties WHERE waived_at IS NOT NULL").await, 1);
        desk.see(&at).await.keeps_quiet_of("to be paid");
    }

    async fn two_entries_are_merged_after_a_look(house: House) {
        house.letters_may_stay();
        let mia = house.member("Mia").await;
        let made = house.post_to(house.of_studio("members")).by(&house.studio.desk).json(&json!({"name": "Mia R."})).await.expect(201);
        let double = made["person_id"].as_str().unwrap().to_owned();
        let evening = house.session("2026-12-03 18:30", 5).await;
        house.book(&mia, &evening).await.expect_booked();
        let unpaid = json!({"session_id": evening.id, "person_id": double, "unpaid": true, "reason": "A trial"});
        house.put(format!("/v1/bookings/{}", house.new_id())).by(&house.studio.desk).json(&unpaid).await.expect(201);
        let mut admin = Browser::of(&house, &house.studio.admin).await;
        let at = format!("/console/{}/members/{double}/merge", house.studio.id);
        admin.see(&at).await.expect(200).says("This entry goes").says("Mia R.");
        let found = admin.send(&at, &[("q", "Mia")]).await.expect(200);
        assert_eq!(found.field("into"), mia.id.to_string(), "not the entry itself");
        let into = mia.id.to_string();
        admin.send(&at, &[("into", &into)]).await.expect(200).says("This entry stays").says("→").says("Merge them");
        assert_eq!(house.how_many("SELECT COUNT(*) FROM bookings WHERE status = 'booked'").await, 2, "nothing is done yet");
        admin.go(&at, &[("into", &into), ("meant", "true")]).await.expect(200).says("The two entries are one.").says("Mia");
        assert_eq!(house.how_many("SELECT COUNT(*) FROM bookings WHERE status = 'booked'").await, 1);
        // Who has an account is nobody else.
        let ben = house.join_up("ben@example.test").await;
        house.put(house.of_studio("members/me")).token(&ben.access).await.expect(200);
        let ben = house.me(&ben).await.expect(200).id();
        let at = format!("/console/{}/members/{ben}/merge", house.studio.id);
        admin.send(&at, &[("into", &into)]).await.expect(409).says("role=\"alert\"").keeps_quiet_of("Merge them");
    }

    async fn a_member_is_erased_by_their_name_alone(house: House) {
        house.letters_may_stay();
        let made = house.post_to(house.of_studio("members")).by(&house.studio.desk).json(&json!({"name": "Cara Lind", "phone": "138 0000 4321"})).await.expect(201);
        let cara = made["person_id"].as_str().unwrap().to_owned();
        let mut admin = Browser::of(&house, &house.studio.admin).await;
        let at = format!("/console/{}/members/{cara}/erasure", house.studio.id);
        admin.see(&at).await.expect(200).says("Cara Lind").says("for good");
        admin.send(&at, &[]).await.expect(422).says("This is not the name.");
        admin.send(&at, &[("name", "Cara")]).await.expect(422).says("This is not the name.").says("value=\"Cara\"");
        admin.go(&at, &[("name", " Cara Lind ")]).await.expect(200).says("The member was erased.").keeps_quiet_of("Cara Lind");
        assert_eq!(house.how_many("SELECT COUNT(*) FROM members WHERE name = 'Cara Lind'").await, 0);
        // Whoever has an account does it themselves.
        let ben = house.join_up("ben@example.test").await;
        house.put(house.of_studio("members/me")).token(&ben.access).await.expect(200);
        let ben = house.me(&ben).await.expect(200).id();
        let at = format!("/console/{}/members/{ben}/erasure", house.studio.id);
        admin.see(&at).await.expect(409).says("role=\"alert\"").keeps_quiet_of("type the member");
    }

    async fn who_walked_in_and_did_not_is_gone_from_the_class(house: House) {
        house.letters_may_stay();
        let (ana, morning) = (house.member("Ana").await, house.plan("2026-11-30 10:30", 2).await);
        let mut desk = Browser::of(&house, &house.studio.desk).await;
        let of_session = format!("/console/{}/sessions/{}", house.studio.id, morning.id);
        let (key, person) = (house.new_id().to_string(), ana.id.to_string());
        desk.go(&format!("{of_session}/walk-in"), &[("key", &key), ("person", &person)]).await.expect(200).says("1/2");
        desk.go(&format!("{of_session}/undo-check-in"), &[("booking", &key)]).await.expect(200).says("The check-in was taken back, and with it the booking").says("0/2");
        assert_eq!(house.how_many("SELECT credits_left FROM passes").await, 10);
        let shown = house.get(format!("/v1/bookings/{key}")).by(&ana).await.expect(200);
        assert_eq!(shown["status"], "cancelled");
        // Who had booked before keeps the place.
        let booked = house.book(&ana, &morning).await.expect_booked();
        let booking = booked.id.to_string();
        desk.go(&format!("{of_session}/check-in"), &[("booking", &booking)]).await.expect(200);
        desk.go(&format!("{of_session}/undo-check-in"), &[("booking", &booking)]).await.expect(200).says("1/2");
    }
}
