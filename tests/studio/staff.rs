//! Members, staff, roles and invitations; owners from the command line.

use chrono::TimeDelta;
use releve::events::Actor;
use releve::people::owner::{self, NewOwner};
use releve::problem::ProblemType;
use releve::sign_in::passwords::NewPassword;
use releve::text::{Email, Name};
use releve::transactor::Command;
use serde_json::{Value, json};

use crate::accounts::{PASSWORD, Tokens};
use crate::house::House;

const ANA: &str = "ana@example.test";

impl House {
    pub fn of_studio(&self, path: &str) -> String {
        format!("/v1/studios/{}/{path}", self.studio.id)
    }

    pub async fn invite(&self, email: &str, roles: &[&str]) -> String {
        self.advance(TimeDelta::seconds(1));
        let body = json!({ "email": email, "roles": roles });
        self.post_to(self.of_studio("invitations")).by(&self.studio.owner).json(&body).await.expect(201);
        self.code_to(email).await
    }
}

both_engines! {
    async fn the_desk_finds_members(house: House) {
        let desk = &house.studio.desk;
        for (name, email, phone) in [
            ("林月", Some("lin@example.test"), Some("+86 138-0000-1111")),
            ("Ana Ruiz", Some("ana_r@example.test"), None),
            ("Ana Ruiz", None, Some("(021) 5555 1234")),
            ("100% Bo", None, None),
        ] {
            let body = json!({ "name": name, "email": email, "phone": phone });
            let entered = house.post_to(house.of_studio("members")).by(desk).json(&body).await.expect(201);
            assert_eq!((&entered["name"], &entered["email"], &entered["phone"]), (&json!(name), &json!(email), &json!(phone)));
        }
        let find = async |q: &str| -> Vec<String> {
            let found = house.get(house.of_studio(&format!("members?q={q}"))).by(desk).await.expect(200);
            found["members"].as_array().unwrap().iter().map(|member| member["name"].as_str().unwrap().to_owned()).collect()
        };
        for (q, names) in [
            ("%E6%9E%97", vec!["林月"]),
            ("linyue", vec!["林月"]),
            ("lin%20yue", vec!["林月"]),
            ("LIN%40EXAMPLE", vec!["林月"]),
            ("13800001111", vec!["林月"]),
            ("138%200000", vec!["林月"]),
            ("0215555", vec!["Ana Ruiz"]),
            ("ana", vec!["Ana Ruiz", "Ana Ruiz"]),
            ("ana_r", vec!["Ana Ruiz"]),
            ("0%25", vec!["100% Bo"]),
            ("%25", vec!["100% Bo"]),
            ("_", vec!["Ana Ruiz"]),
            ("zzz", vec![]),
            ("", vec!["100% Bo", "Ana Ruiz", "Ana Ruiz", "林月"]),
        ] {
            assert_eq!(find(q).await, names, "{q}");
        }
        let mut seen = Vec::new();
        let mut path = house.of_studio("members?limit=1");
        loop {
            let page = house.get(&path).by(desk).await.expect(200);
            seen.extend(page["members"].as_array().unwrap().clone());
            let Some(next) = page["next"].as_str() else { break };
            path = house.of_studio(&format!("members?limit=1&after={next}"));
        }
        assert_eq!(seen.len(), 4);
        for (query, field) in [("limit=0", "limit"), ("limit=x", "limit"), ("after=x", "after"), ("q=a%00", "q"), ("x=1", "x")] {
            house.get(house.of_studio(&format!("members?{query}"))).by(desk).await.expect_refused(422, "invalid-fields").naming(field);
        }
    }

    async fn who_is_known_is_linked_and_told(house: House) {
        let other = house.join_up(ANA).await;
        let id = house.me(&other).await.expect(200)["id"].clone();
        let body = json!({ "name": "Ana from Tuesdays", "email": "Ana@Example.test" });
        let linked = house.post_to(house.of_studio("members")).by(&house.studio.desk).json(&body).await.expect(201);
        assert_eq!((&linked["person_id"], &linked["name"]), (&id, &json!("Ana from Tuesdays")));
        assert_eq!(house.me(&other).await.expect(200)["name"], "Ana Ruiz");
        let again = house.post_to(house.of_studio("members")).by(&house.studio.desk).json(&json!({ "name": "X", "email": ANA, "link": true })).await.expect(200);
        assert_eq!(again.body, linked.body);
        let told = house.mails_to(ANA).await;
        assert_eq!(told.len(), 2);
        assert!(told[1].contains("Jing'an"), "{}", told[1]);
        // Without an address there is nobody to tell.
        house.post_to(house.of_studio("members")).by(&house.studio.desk).json(&json!({ "name": "Bo" })).await.expect(201);
        for (body, field) in [
            (json!({ "name": "Bo", "email": "bo@example.test\nBcc: x@y.test" }), "email"),
            (json!({ "name": "Bo", "phone": "1\u{7}" }), "phone"),
            (json!({ "email": "bo@example.test" }), "name"),
        ] {
            let refused = house.post_to(house.of_studio("members")).by(&house.studio.desk).json(&body);
            refused.await.expect_refused(422, "invalid-fields").naming(field);
        }
    }

    async fn rights_are_asked(house: House) {
        let member = house.member("Mei").await;
        let studio = &house.studio;
        for (person, members, staff) in [(&member, 403, 403), (&studio.instructor, 403, 403), (&studio.desk, 200, 403), (&studio.admin, 200, 200), (&studio.owner, 200, 200)] {
            assert_eq!(house.get(house.of_studio("members")).by(person).await.status, members, "{}", person.name);
            assert_eq!(house.get(house.of_studio("staff")).by(person).await.status, staff, "{}", person.name);
        }
        house.get(house.of_studio("staff")).await.expect_refused(401, "sign-in-required");
        let nowhere = house.new_id();
        house.get(format!("/v1/studios/{nowhere}/staff")).by(&studio.owner).await.expect_refused(404, "not-found");
        house.get(format!("/v1/studios/{nowhere}/members")).by(&studio.owner).await.expect_refused(404, "not-found");
        house.put(format!("/v1/studios/{nowhere}/members/me")).by(&member).await.expect_refused(404, "not-found");
        house.get("/v1/studios/nonsense/staff").by(&studio.owner).await.expect_refused(404, "not-found");
    }

    async fn roles_are_given_and_taken(house: House) {
        let mei = house.member("Mei").await;
        house.put(house.of_studio("members/me")).by(&mei).await.expect(200);
        let studio = &house.studio;
        let set = |by, person_id, roles: Value| house.put(house.of_studio(&format!("staff/{person_id}"))).by(by).json(&json!({ "roles": roles }));
        let made = set(&studio.admin, mei.id, json!(["front_desk", "instructor", "front_desk"])).await.expect(200);
        assert_eq!((&made["name"], &made["roles"]), (&json!("Mei"), &json!(["instructor", "front_desk"])));
        house.get(house.of_studio("members")).by(&mei).await.expect(200);
        let me = house.get("/v1/me").by(&mei).await.expect(200);
        assert_eq!(me["roles"].as_array().unwrap().len(), 2);
        let staff = house.get(house.of_studio("staff")).by(&studio.admin).await.expect(200);
        let names: Vec<&str> = staff["staff"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["Ada", "Dong", "Lin Yue", "Mei"]);

        // Admins are an owner's to make and unmake.
        set(&studio.admin, mei.id, json!(["admin"])).await.expect_refused(403, "not-allowed");
        set(&studio.admin, studio.admin.id, json!([])).await.expect_refused(403, "not-allowed");
        set(&studio.owner, mei.id, json!(["admin"])).await.expect(200);
        set(&studio.owner, mei.id, json!([])).await.expect(200);
        house.get(house.of_studio("members")).by(&mei).await.expect_refused(403, "not-allowed");

        let session = house.session("2026-12-02 18:30", 5).await;
        let refused = set(&studio.admin, studio.instructor.id, json!(["front_desk"])).await.expect_refused(409, "staff-teaches");
        assert_eq!(refused["sessions"][0]["id"], json!(session.id));
        set(&studio.admin, studio.instructor.id, json!(["instructor", "front_desk"])).await.expect(200);
        house.advance(TimeDelta::days(3));
        set(&studio.admin, studio.instructor.id, json!([])).await.expect(200);

        // Whom the studio does not know it cannot make anything.
        let stranger = house.join_up(ANA).await;
        let id = house.me(&stranger).await.expect(200)["id"].as_str().unwrap().parse().unwrap();
        set(&studio.owner, id, json!(["instructor"])).await.expect_refused(404, "not-found");
        set(&studio.owner, house.new_id(), json!(["instructor"])).await.expect_refused(404, "not-found");
        set(&studio.owner, mei.id, json!(["queen"])).await.expect_refused(422, "invalid-fields");
    }

    async fn who_is_invited_joins_the_staff(house: House) {
        let code = house.invite(ANA, &["instructor", "front_desk"]).await;
        let accept = |body: Value| house.put("/v1/invitations/acceptance").json(&body);
        let refused = accept(json!({ "code": code })).await.expect_refused(422, "invalid-fields");
        refused.clone().naming("name").naming("password");
        let full = json!({ "code": code.to_lowercase().replace('-', " "), "name": "Ana Ruiz", "password": PASSWORD });
        let tokens: Tokens = accept(full.clone()).await.expect(200).into();
        let me = house.me(&tokens).await.expect(200);
        assert_eq!((&me["email"], &me["email_verified"]), (&json!(ANA), &json!(true)));
        assert_eq!(me["roles"].as_array().unwrap().len(), 2);
        house.sign_in(ANA, PASSWORD).await.expect(200);
        house.get(house.of_studio("members")).token(&tokens.access).await.expect(200);
        // A lost answer; and no way in for ever.
        accept(full.clone()).await.expect(200);
        house.advance(TimeDelta::minutes(15));
        accept(full).await.expect_refused(422, "code-refused");
        accept(json!({ "code": "AAAA-AAAA-AAAA-AAAA", "name": "X", "password": PASSWORD })).await.expect_refused(422, "code-refused");
    }

    async fn an_invitation_finds_who_is_known(house: House) {
        let tokens = house.join_up(ANA).await;
        let first = house.invite(ANA, &["instructor"]).await;
        let second = house.invite(ANA, &["front_desk"]).await;
        let accept = |code: &str, more: Value| {
            let mut body = json!({ "code": code });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            house.put("/v1/invitations/acceptance").json(&body)
        };
        accept(&first, json!({ "password": PASSWORD })).await.expect_refused(422, "code-refused");
        // The mailbox alone opens no account that there is, and gives it no roles.
        let eva = house.join_up("eva@example.test").await;
        let devices = house.how_many("SELECT COUNT(*) FROM devices").await;
        accept(&second, json!({})).await.expect_refused(401, "sign-in-required");
        accept(&second, json!({ "name": "Ana", "password": "another-good-one" })).await.expect_refused(401, "sign-in-refused");
        accept(&second, json!({})).token(&eva.access).await.expect_refused(403, "not-allowed");
        accept(&second, json!({})).token("nonsense").await.expect_refused(401, "token-refused");
        assert_eq!(house.me(&tokens).await.expect(200)["roles"], json!([]));
        assert_eq!(house.how_many("SELECT COUNT(*) FROM devices").await, devices);
        let new: Tokens = accept(&second, json!({ "password": PASSWORD })).await.expect(200).into();
        assert_eq!(house.me(&new).await.expect(200)["id"], house.me(&tokens).await.expect(200)["id"]);
        assert_eq!(house.me(&tokens).await.expect(200)["roles"][0]["role"], "front_desk");
        // Sent again, it is the same; but not for who has the code alone.
        accept(&second, json!({ "password": PASSWORD })).await.expect(200);
        accept(&second, json!({})).await.expect_refused(401, "sign-in-required");
        house.sign_in(ANA, PASSWORD).await.expect(200);

        // Who is signed in needs no password, and keeps the roles that they have.
        let third = house.invite(ANA, &["instructor"]).await;
        accept(&third, json!({})).token(&tokens.access).await.expect(200);
        assert_eq!(house.me(&tokens).await.expect(200)["roles"].as_array().unwrap().len(), 2);

        // Wrong passwords are counted as at the door.
        let fourth = house.invite(ANA, &["instructor"]).await;
        for _ in 0..9 {
            accept(&fourth, json!({ "password": "not-the-password" })).await.expect_refused(401, "sign-in-refused");
        }
        accept(&fourth, json!({ "password": PASSWORD })).await.expect_refused(429, "too-many-requests");
        accept(&fourth, json!({})).token(&tokens.access).await.expect(200);
    }

    async fn an_invitation_makes_an_account_of_its_own(house: House) {
        // Who registered the address before, without showing that it is theirs, is out.
        house.register("bo@example.test", "the attacker's own").await.expect(202);
        let attacker: Tokens = house.sign_in("bo@example.test", "the attacker's own").await.expect(200).into();
        let registered = house.me(&attacker).await.expect(200)["id"].clone();
        let code = house.invite("bo@example.test", &["instructor"]).await;
        let body = json!({ "code": code, "name": "Bo", "password": "password1234" });
        house.put("/v1/invitations/acceptance").json(&body).await.expect_refused(422, "invalid-fields").naming("password");
        let body = json!({ "code": code, "name": "Bo", "password": PASSWORD });
        let tokens: Tokens = house.put("/v1/invitations/acceptance").json(&body).await.expect(200).into();
        assert_ne!(house.me(&tokens).await.expect(200)["id"], registered);
        house.me(&attacker).await.expect_refused(401, "token-refused");
        house.sign_in("bo@example.test", "the attacker's own").await.expect_refused(401, "sign-in-refused");
        house.sign_in("bo@example.test", PASSWORD).await.expect(200);

        // Who confirms the address by registering keeps the invitation, whoever else had registered it.
        let code = house.invite("di@example.test", &["instructor"]).await;
        house.register("di@example.test", "the attacker's own").await.expect(202);
        house.advance(TimeDelta::seconds(1));
        let di = house.join_up("di@example.test").await;
        let body = json!({ "code": code });
        house.put("/v1/invitations/acceptance").json(&body).token(&di.access).await.expect(200);
        assert_eq!(house.me(&di).await.expect(200)["roles"][0]["role"], "instructor");

        // Two weeks, then it is over.
        let code = house.invite("cy@example.test", &["instructor"]).await;
        house.advance(TimeDelta::days(14));
        house.put("/v1/invitations/acceptance").json(&json!({ "code": code, "name": "Cy", "password": PASSWORD })).await.expect_refused(422, "code-refused");
    }

    async fn an_invitation_is_worth_what_its_sender_may_give(house: House) {
        let studio = &house.studio;
        let set = |person_id, roles: Value| house.put(house.of_studio(&format!("staff/{person_id}"))).by(&studio.owner).json(&json!({ "roles": roles }));
        let invite = async |email: &str| {
            house.advance(TimeDelta::seconds(1));
            let body = json!({ "email": email, "roles": ["front_desk"] });
            house.post_to(house.of_studio("invitations")).by(&studio.admin).json(&body).await.expect(201);
            house.code_to(email).await
        };
        let accept = |code: &str| house.put("/v1/invitations/acceptance").json(&json!({ "code": code, "name": "Ana", "password": PASSWORD }));
        let known = house.join_up("eva@example.test").await;
        let (new, old) = (invite(ANA).await, invite("eva@example.test").await);
        // Whoever sent them no longer runs the studio.
        set(studio.admin.id, json!(["instructor"])).await.expect(200);
        accept(&new).await.expect_refused(409, "invitation-void");
        accept(&old).await.expect_refused(409, "invitation-void");
        assert_eq!(house.me(&known).await.expect(200)["roles"], json!([]));
        house.sign_in(ANA, PASSWORD).await.expect_refused(401, "sign-in-refused");
        // And runs it again.
        set(studio.admin.id, json!(["admin"])).await.expect(200);
        let tokens: Tokens = accept(&new).await.expect(200).into();
        assert_eq!(house.me(&tokens).await.expect(200)["roles"][0]["role"], "front_desk");
        // What was accepted stays.
        set(studio.admin.id, json!(["front_desk"])).await.expect(200);
        accept(&new).await.expect(200);

        // The door looks first; what counts is what the transactor sees.
        let person_id = house.me(&known).await.expect(200)["id"].as_str().unwrap().parse().unwrap();
        let (id,): (uuid::Uuid,) = house.db.one("SELECT id FROM invitations WHERE email_key = 'eva@example.test'", ()).await.unwrap();
        let ask = Command::JoinStaff { invitation_id: id, person_id };
        let refused = house.app.transactor.submit(Actor::system(), ask.clone()).await.unwrap_err();
        assert_eq!(refused.kind, ProblemType::InvitationVoid);
        set(studio.admin.id, json!(["admin"])).await.expect(200);
        house.app.transactor.submit(Actor::system(), ask.clone()).await.unwrap();
        house.app.transactor.submit(Actor::system(), ask).await.unwrap();
        let other = Command::JoinStaff { invitation_id: id, person_id: studio.desk.id };
        assert_eq!(house.app.transactor.submit(Actor::system(), other).await.unwrap_err().kind, ProblemType::CodeRefused);
        let other = Command::JoinStaff { invitation_id: house.new_id(), person_id };
        assert_eq!(house.app.transactor.submit(Actor::system(), other).await.unwrap_err().kind, ProblemType::CodeRefused);
        assert_eq!(house.how_many("SELECT COUNT(*) FROM events WHERE action = 'staff.joined'").await, 2);
    }

    async fn open_invitations_are_seen_and_taken_back(house: House) {
        let studio = &house.studio;
        let path = house.of_studio("invitations");
        let listed = async || house.get(&path).by(&studio.admin).await.expect(200)["invitations"].as_array().unwrap().clone();
        assert!(listed().await.is_empty());
        let ana = house.invite(ANA, &["instructor", "front_desk"]).await;
        let again = house.invite(ANA, &["instructor"]).await;
        house.invite("bo@example.test", &["admin"]).await;
        let open = listed().await;
        let told: Vec<_> = open.iter().map(|one| (&one["email"], &one["roles"], &one["invited_by"]["name"], &one["invited_by"]["person_id"])).collect();
        let owner = (json!(studio.owner.name), json!(studio.owner.id));
        assert_eq!(told, [
            (&json!("bo@example.test"), &json!(["admin"]), &owner.0, &owner.1),
            (&json!(ANA), &json!(["instructor"]), &owner.0, &owner.1),
        ]);
        assert_eq!(open[1]["expires_at"], "2026-12-14T02:00:02.000000Z");
        let text = serde_json::to_string(&open).unwrap();
        assert!(!text.contains("hash") && !text.contains(&again) && !text.contains(&ana), "no code: {text}");

        let one = |id: &Value| house.delete(format!("{path}/{}", id.as_str().unwrap()));
        for person in [&studio.desk, &studio.instructor] {
            house.get(&path).by(person).await.expect_refused(403, "not-allowed");
            one(&open[1]["id"]).by(person).await.expect_refused(403, "not-allowed");
        }
        one(&open[1]["id"]).await.expect_refused(401, "sign-in-required");
        let elsewhere = json!({ "name": "West Bund", "time_zone": "Asia/Shanghai", "locale": "en" });
        let elsewhere = house.post_to("/v1/studios").by(&studio.owner).json(&elsewhere).await.expect(201).id();
        house.delete(format!("/v1/studios/{elsewhere}/invitations/{}", open[1]["id"].as_str().unwrap())).by(&studio.owner).await.expect_refused(404, "not-found");
        house.get(format!("/v1/studios/{elsewhere}/invitations")).by(&studio.admin).await.expect_refused(403, "not-allowed");
        one(&open[1]["id"]).by(&studio.admin).await.expect(204);
        one(&open[1]["id"]).by(&studio.admin).await.expect_refused(404, "not-found");
        let body = json!({ "code": again, "name": "Ana", "password": PASSWORD });
        house.put("/v1/invitations/acceptance").json(&body).await.expect_refused(422, "code-refused");
        assert_eq!(house.how_many("SELECT COUNT(*) FROM events WHERE action = 'staff.invitation_withdrawn'").await, 1);

        // What was accepted or is over is not open.
        let code = house.invite(ANA, &["instructor"]).await;
        let id = listed().await[0]["id"].clone();
        house.put("/v1/invitations/acceptance").json(&json!({ "code": code, "name": "Ana", "password": PASSWORD })).await.expect(200);
        one(&id).by(&studio.admin).await.expect_refused(404, "not-found");
        assert_eq!(listed().await.len(), 1);
        house.advance(TimeDelta::days(15));
        assert!(listed().await.is_empty());

        // A letter that has not left yet is not sent when there is another invitation, or none any more.
        let unsent = async || house.how_many("SELECT COUNT(*) FROM letters WHERE kind = 'invitation' AND state = 'queued'").await;
        let body = json!({ "email": "cy@example.test", "roles": ["instructor"] });
        for _ in 0..2 {
            house.post_to(&path).by(&studio.admin).json(&body).await.expect(201);
            assert_eq!(unsent().await, 1);
        }
        one(&listed().await[0]["id"]).by(&studio.admin).await.expect(204);
        assert_eq!(unsent().await, 0);
    }

    async fn only_an_owner_invites_admins(house: House) {
        let invite = |by, body: Value| house.post_to(house.of_studio("invitations")).by(by).json(&body);
        invite(&house.studio.desk, json!({ "email": ANA, "roles": ["instructor"] })).await.expect_refused(403, "not-allowed");
        invite(&house.studio.admin, json!({ "email": ANA, "roles": ["admin"] })).await.expect_refused(403, "not-allowed");
        invite(&house.studio.admin, json!({ "email": ANA, "roles": [] })).await.expect_refused(422, "invalid-fields").naming("roles");
        invite(&house.studio.admin, json!({ "email": "x", "roles": ["instructor"] })).await.expect_refused(422, "invalid-fields").naming("email");
        let invited = invite(&house.studio.admin, json!({ "email": ANA, "roles": ["instructor"] })).await.expect(201);
        assert_eq!(invited["roles"], json!(["instructor"]));
        invite(&house.studio.owner, json!({ "email": ANA, "roles": ["admin"] })).await.expect(201);
        // The first had not left when the second took its place.
        assert_eq!(house.mails_to(ANA).await.len(), 1);
    }

    async fn owners_are_made_from_the_command_line(house: House) {
        let make = async |email: &str, password: &str| {
            let email = Email::parse(email).unwrap();
            let owner = NewOwner { email, name: Name::parse("Olga").unwrap(), password: NewPassword::parse(password).unwrap() };
            owner::make(&house.db, &house.clock, &house.app.passwords, owner).await.unwrap()
        };
        let made = make("olga@example.test", PASSWORD).await;
        assert!(!made.had_account);
        let tokens: Tokens = house.sign_in("olga@example.test", PASSWORD).await.expect(200).into();
        let me = house.me(&tokens).await.expect(200);
        assert_eq!((&me["id"], &me["owner"], &me["email_verified"]), (&json!(made.person_id), &json!(true), &json!(true)));
        house.get(house.of_studio("staff")).token(&tokens.access).await.expect(200);

        // Somebody whom a front desk entered, then the same again with another password.
        let entered = house.post_to(house.of_studio("members")).by(&house.studio.desk).json(&json!({ "name": "Bo", "email": "bo@example.test" })).await.expect(201);
        let bo = make("bo@example.test", PASSWORD).await;
        assert_eq!(json!(bo.person_id), entered["person_id"]);
        let again = make("bo@example.test", "another good password").await;
        assert_eq!((again.person_id, again.had_account), (bo.person_id, true));
        house.sign_in("bo@example.test", PASSWORD).await.expect_refused(401, "sign-in-refused");
        house.sign_in("bo@example.test", "another good password").await.expect(200);
        // A registration that nobody confirmed may be anybody's: an owner is made beside it.
        house.register("cy@example.test", "the attacker's own").await.expect(202);
        let attacker: Tokens = house.sign_in("cy@example.test", "the attacker's own").await.expect(200).into();
        let registered = house.me(&attacker).await.expect(200)["id"].clone();
        let cy = make("cy@example.test", PASSWORD).await;
        assert!(!cy.had_account && json!(cy.person_id) != registered);
        house.me(&attacker).await.expect_refused(401, "token-refused");
        // With two others, one may go.
        house.put("/v1/me/deletion").token(&tokens.access).json(&json!({ "password": PASSWORD })).await.expect(200);
    }
}
