//! A studio knows what was told to it, and nothing of what another studio wrote, plans, or was told.

use chrono::TimeDelta;
use releve::search::name_key;
use serde_json::{Value, json};

use crate::accounts::{PASSWORD, Tokens};
use crate::house::House;
use crate::seed::{Person, Studio};
use crate::speech::{Call, Reply};

const ANA: &str = "ana@example.test";

impl House {
    fn enter_at(&self, studio: &Studio, body: &Value) -> Call {
        self.post_to(format!("/v1/studios/{}/members", studio.id)).by(&studio.desk).json(body)
    }

    /// What a studio's front desk finds, as somebody there types it.
    async fn find_at(&self, studio: &Studio, q: &str) -> Vec<Value> {
        let call = self.post_to(format!("/v1/studios/{}/members/searches", studio.id)).by(&studio.desk);
        call.json(&json!({ "q": q })).await.expect(200)["members"].as_array().unwrap().clone()
    }

    async fn join_at(&self, studio: &Studio, tokens: &Tokens) -> Reply {
        self.put(format!("/v1/studios/{}/members/me", studio.id)).token(&tokens.access).await.expect(200)
    }

    /// The address of an account is another from now on.
    async fn move_to(&self, tokens: &Tokens, email: &str) {
        self.put("/v1/me/email").token(&tokens.access).json(&json!({ "email": email, "password": PASSWORD })).await.expect(202);
        let code = self.code_to(email).await;
        self.verify_with(email, &code, json!({})).token(&tokens.access).await.expect(200);
    }

    /// Everything that the admins and the desk of a studio can read of its people and letters.
    async fn read_by(&self, studio: &Studio) -> String {
        let mut all = String::new();
        for (path, by) in [("members", &studio.desk), ("staff", &studio.admin), ("letters", &studio.admin)] {
            all += &self.get(format!("/v1/studios/{}/{path}", studio.id)).by(by).await.expect(200).text;
        }
        all
    }
}

both_engines! {
    async fn what_one_studio_wrote_no_other_reads(house: House) {
        let (here, there) = (house.studio.clone(), house.second_studio().await);
        let written = json!({ "name": "Ana, the loud one", "email": ANA, "phone": "138 0000 1111" });
        let entered = house.enter_at(&here, &written).await.expect(201);
        // The other studio's desk enters the same address, and is told nothing for it.
        let linked = house.enter_at(&there, &json!({ "name": "Ana R", "email": "Ana@example.test" })).await.expect(201);
        assert_eq!((&linked["person_id"], &linked["name"], &linked["phone"]), (&entered["person_id"], &json!("Ana R"), &Value::Null));
        let path = format!("/v1/studios/{}/staff/{}", there.id, linked["person_id"].as_str().unwrap());
        let role = house.put(&path).by(&there.admin).json(&json!({ "roles": ["front_desk"] })).await.expect(200);
        assert_eq!(role["name"], "Ana R");
        // An invitation to somebody whom only the other studio knows.
        let eva = json!({ "name": "Eva, the loud one", "email": "eva@example.test" });
        house.enter_at(&here, &eva).await.expect(201);
        let invitation = json!({ "email": "eva@example.test", "roles": ["instructor"] });
        house.post_to(format!("/v1/studios/{}/invitations", there.id)).by(&there.admin).json(&invitation).await.expect(201);
        house.post().await;
        let read = house.read_by(&there).await;
        assert!(read.contains("Ana R") && !read.contains("loud") && !read.contains("138 0000"), "{read}");
        for q in ["loud", "1380000", "138 0000 1111"] {
            assert_eq!(house.find_at(&there, q).await, Vec::<Value>::new(), "{q}");
        }
        assert_eq!(house.find_at(&there, "ana@example").await.len(), 1);
        let own = house.find_at(&here, "1380000").await;
        assert_eq!(own[0]["phone"], "138 0000 1111");
        // The letters of each studio greet by what it wrote down: by its first letters, while nobody has confirmed the address.
        let mails = house.mails_to(ANA).await;
        assert!(mails.iter().any(|mail| mail.contains("Hello A. R.,")), "{mails:?}");
        assert!(!mails.iter().any(|mail| mail.contains("Brooklyn") && mail.contains("loud")), "{mails:?}");
    }

    async fn what_a_person_says_of_themselves_is_given_by_joining(house: House) {
        let (here, there) = (house.studio.clone(), house.second_studio().await);
        let ana = house.join_up(ANA).await;
        let profile = json!({ "phone": "139 2222 3333", "name": "Ana Maria" });
        house.patch("/v1/me").token(&ana.access).json(&profile).await.expect(200);
        assert_eq!(house.join_at(&here, &ana).await["phone"], "139 2222 3333");
        // A desk that knows the address learns neither number nor name from it.
        let linked = house.enter_at(&there, &json!({ "name": "A. R.", "email": ANA })).await.expect(201);
        assert_eq!((&linked["phone"], &linked["email"]), (&Value::Null, &json!(ANA)));
        house.post().await;
        let read = house.read_by(&there).await;
        assert!(!read.contains("139 2222") && !read.contains("Ana Maria"), "{read}");
        assert_eq!(house.find_at(&there, "1392222").await, Vec::<Value>::new());

        // Whom it did not tell of a new address the studio cannot read it, nor find by it.
        house.move_to(&ana, "ana.new@example.test").await;
        let ana: Tokens = house.sign_in("ana.new@example.test", PASSWORD).await.expect(200).into();
        assert_eq!(house.find_at(&there, "A. R.").await[0]["email"], Value::Null);
        assert_eq!(house.find_at(&there, "ana.new").await, Vec::<Value>::new());
        assert_eq!(house.find_at(&here, "ana.new").await[0]["email"], "ana.new@example.test");
        // Who types it knows it.
        let typed = house.enter_at(&there, &json!({ "name": "A. R.", "email": "ana.new@example.test" })).await.expect(200);
        assert_eq!((&typed["email"], &typed["phone"]), (&json!("ana.new@example.test"), &Value::Null));
        house.move_to(&ana, "ana.newer@example.test").await;
        let ana: Tokens = house.sign_in("ana.newer@example.test", PASSWORD).await.expect(200).into();
        assert_eq!(house.find_at(&there, "A. R.").await[0]["email"], Value::Null);

        // Joining gives it; the name stays as it was entered.
        let joined = house.join_at(&there, &ana).await;
        assert_eq!((&joined["name"], &joined["email"], &joined["phone"]), (&json!("A. R."), &json!("ana.newer@example.test"), &json!("139 2222 3333")));
        assert_eq!(house.find_at(&there, "1392222").await.len(), 1);
        assert_eq!(house.join_at(&there, &ana).await.body, joined.body);
        let events = house.how_many("SELECT COUNT(*) FROM events WHERE action = 'member.joined'").await;
        assert_eq!(events, 2, "once in each studio");
    }

    async fn who_books_by_themselves_has_come(house: House) {
        let session = house.session("2026-12-02 18:30", 5).await;
        let ana = house.join_up(ANA).await;
        house.patch("/v1/me").token(&ana.access).json(&json!({ "phone": "139 2222 3333" })).await.expect(200);
        let entered = house.enter_at(&house.studio, &json!({ "name": "Ana", "email": ANA })).await.expect(201);
        let phone = async || house.find_at(&house.studio, "Ana").await[0]["phone"].clone();
        let id: uuid::Uuid = entered["person_id"].as_str().unwrap().parse().unwrap();
        let person = Person { id, name: "Ana".into(), email: ANA.into(), token: ana.access.clone() };
        house.pack(&person, 10).await;
        // By staff: the member has told the studio nothing by it.
        let by_desk = house.book(&person, &house.session("2026-12-03 18:30", 5).await).sent_by(&house.studio.desk);
        by_desk.await.expect_booked();
        assert_eq!(phone().await, Value::Null);
        // A refused tap is no coming either.
        house.book(&person, &house.session("2027-03-03 18:30", 5).await).await.expect_refused(409, "not-open-yet");
        assert_eq!(phone().await, Value::Null);
        house.book(&person, &session).await.expect_booked();
        assert_eq!(phone().await, "139 2222 3333");
    }

    async fn a_search_stands_in_no_address(house: House) {
        let desk = &house.studio.desk;
        for name in ["Ana Ruiz", "Ana Maria", "Bo"] {
            house.enter_at(&house.studio, &json!({ "name": name })).await.expect(201);
        }
        let search = |body: Value| house.post_to(house.of_studio("members/searches")).by(desk).json(&body);
        let mut names = Vec::new();
        let mut after = Value::Null;
        loop {
            let page = search(json!({ "q": "ana", "limit": 1, "after": after })).await.expect(200);
            names.extend(page["members"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()));
            after = page["next"].clone();
            if after.is_null() {
                break;
            }
        }
        assert_eq!(names, ["Ana Maria", "Ana Ruiz"]);
        // The same as by the address, as long as that is there.
        let old = house.get(house.of_studio("members?q=ana")).by(desk).await.expect(200);
        assert_eq!(old.body, search(json!({ "q": "ana" })).await.expect(200).body);
        assert_eq!(search(json!({ "q": " " })).await.expect(200)["members"].as_array().unwrap().len(), 3);
        for (body, field) in [
            (json!({}), "q"),
            (json!({ "q": "a\u{0}" }), "q"),
            (json!({ "q": "a".repeat(101) }), "q"),
            (json!({ "q": "a", "limit": 0 }), "limit"),
            (json!({ "q": "a", "after": "x" }), "after"),
            (json!({ "q": "a", "x": 1 }), "x"),
        ] {
            search(body).await.expect_refused(422, "invalid-fields").naming(field);
        }
        // The list's own cursor stands in an address, and names nobody.
        let page = house.get(house.of_studio("members?limit=1")).by(desk).await.expect(200);
        let cursor = page["next"].as_str().unwrap();
        let read = base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, cursor).unwrap();
        assert!(!String::from_utf8(read).unwrap().to_lowercase().contains("ana"));
        let next = house.get(house.of_studio(&format!("members?limit=1&after={cursor}"))).by(desk).await.expect(200);
        assert_eq!(next["members"][0]["name"], "Ana Ruiz");
        // One of the list is none of a search.
        search(json!({ "q": "ana", "after": cursor })).await.expect_refused(422, "invalid-fields").naming("after");
        let member = house.member("Mei").await;
        house.post_to(house.of_studio("members/searches")).by(&member).json(&json!({ "q": "ana" })).await.expect_refused(403, "not-allowed");
    }

    async fn another_studios_plans_stay_its_own(house: House) {
        let there = house.second_studio().await;
        let lin = house.studio.instructor.clone();
        house.teaches_at(&lin, &there).await;
        // 18:30 in Shanghai is 5:30 in New York.
        let draft = house.plan("2026-12-03 05:30", 5).at(&there).taught_by(&lin).draft().await;
        let published = house.plan("2026-12-04 05:30", 5).at(&there).taught_by(&lin).await;
        let make = |local: &str| {
            let studio = &house.studio;
            let body = json!({ "class_type_id": studio.class_type, "room_id": studio.room, "instructor_id": lin.id, "local_start": local });
            house.post_to(house.of_studio("sessions")).by(&studio.admin).json(&body)
        };
        let refused = make("2026-12-03T18:30").await.expect_refused(409, "instructor-busy");
        assert!(!refused.text.contains(&draft.id.to_string()) && refused["starts_at"].is_null(), "{}", refused.text);
        let refused = make("2026-12-04T18:30").await.expect_refused(409, "instructor-busy");
        assert_eq!(refused["session_id"], json!(published.id), "what everybody sees may be named");

        // A series, of which it stands in the way of a date; the copy of a week; moving a session there.
        let series = json!({
            "class_type_id": house.studio.class_type, "room_id": house.studio.room, "instructor_id": lin.id,
            "starts_on": "2026-12-03", "local_time": "18:30", "rule": "FREQ=WEEKLY"
        });
        let begin = async |series: &Value| house.post_to(house.of_studio("series")).by(&house.studio.admin).json(series).await;
        let refused = begin(&series).await.expect_refused(409, "instructor-busy");
        assert!(!refused.text.contains(&draft.id.to_string()), "{}", refused.text);
        make("2026-12-01T18:30").await.expect(201);
        let copy = json!({ "from": "2026-12-01", "to": "2026-12-03", "days": 1 });
        let copied = house.post_to(house.of_studio("copies")).by(&house.studio.admin).json(&copy).await.expect(200).text;
        assert!(copied.contains("instructor-busy") && !copied.contains(&draft.id.to_string()), "{copied}");
        // The studio's own draft is named.
        let own = house.plan("2026-12-05 18:30", 5).draft().await;
        let refused = make("2026-12-05T18:30").await.expect_refused(409, "instructor-busy");
        assert_eq!(refused["session_id"], json!(own.id));
    }

    async fn a_member_who_is_elsewhere_is_only_busy(house: House) {
        let there = house.second_studio().await;
        let ana = house.member("Ana").await;
        let (studio, person, now) = (there.id, ana.id, house.clock.now());
        house.write(move |tx| Box::pin(async move {
            let sql = "INSERT INTO members (studio_id, person_id, name, name_search, joined_at) VALUES ($1, $2, 'Ana', $3, $4)";
            tx.run(sql, (studio, person, name_key("Ana"), now)).await
        })).await;
        let elsewhere = house.plan("2026-12-03 05:30", 5).at(&there).credits(0).await;
        let tap = house.book(&ana, &elsewhere).saying("unpaid", json!(true)).saying("reason", json!("a guest"));
        let booked = tap.sent_by(&there.desk).await.expect_booked();
        let here = house.session("2026-12-03 18:30", 5).await;
        let refused = house.book(&ana, &here).sent_by(&house.studio.desk).await.expect_refused(409, "overlapping-booking");
        assert!(!refused.text.contains(&booked.id.to_string()), "{}", refused.text);
        // The member's own they are told.
        let own = house.book(&ana, &here).await.expect_refused(409, "overlapping-booking");
        assert_eq!(own["booking_id"], json!(booked.id));
        // A session that moves there: the members whom it tears, without what tears them.
        let mei = house.colleague("Mei").await;
        let moved = house.plan("2026-12-04 18:30", 5).taught_by(&mei).await;
        house.book(&ana, &moved).await.expect_booked();
        house.advance(TimeDelta::seconds(1));
        let refused = house.patch_session(&moved, 1, &json!({ "local_start": "2026-12-03T18:30" })).await.expect_refused(409, "members-overlap");
        let torn = &refused["bookings"][0];
        assert_eq!((&torn["person_id"], &torn["other_booking_id"]), (&json!(ana.id), &Value::Null));
    }
}
