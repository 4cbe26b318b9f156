//! The office: what happened, files from another program, passes and prices, the team.

use std::time::Duration;

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Browser, Shown};
use crate::house::House;
use crate::speech::Reply;

impl Browser {
    /// Sends the form with a file.
    async fn upload(&self, path: &str, kind: &str, name: &str, file: &[u8]) -> Shown {
        const MARK: &str = "----a-mark-that-no-file-has";
        let head = format!(
            "--{MARK}\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\n{kind}\r\n--{MARK}\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/csv\r\n\r\n"
        );
        let body = [head.as_bytes(), file, format!("\r\n--{MARK}--\r\n").as_bytes()].concat();
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request =
            self.http.request(Method::POST, format!("{}{path}", self.url)).header("Origin", &self.url).header("Cookie", cookies.join("; "));
        let answer = request.header("Content-Type", format!("multipart/form-data; boundary={MARK}")).body(body).send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let to = headers.get("location").map(|to| to.to_str().unwrap().to_owned()).unwrap_or_default();
        Shown { status, to, headers, text: answer.text().await.unwrap() }
    }

    /// The page of an import, once it is done or was refused.
    async fn ended(&self, path: &str) -> Shown {
        for _ in 0..200 {
            let shown = self.see(path).await;
            if shown.status == 303 || shown.text.contains("It is imported") {
                return shown;
            }
            shown.expect(200).says("It is being imported");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{path} does not end");
    }
}

/// The events of a call of the API.
fn events(reply: &Reply) -> Vec<Value> {
    reply["events"].as_array().unwrap().clone()
}

impl House {
    async fn trail(&self, how: &str) -> Vec<Value> {
        events(&self.get(self.of_studio(&format!("events?{how}"))).by(&self.studio.admin).await.expect(200))
    }
}

both_engines! {
    async fn what_happened_is_told_with_names_and_in_words(house: House) {
        house.letters_may_stay();
        let (ana, ben) = (house.member("Ana").await, house.member("Ben").await);
        let evening = house.plan("2026-12-01 18:30", 4).taught_by(&house.studio.instructor).await;
        let booking = house.book(&ana, &evening).await.expect_booked().id;
        house.advance(TimeDelta::minutes(1));
        house.put(format!("/v1/bookings/{booking}/cancellation")).by(&house.studio.desk).json(&json!({"reason": "A fever"})).await.expect(200);
        let admin = Browser::of(&house, &house.studio.admin).await;
        let at = format!("/console/{}/trail", house.studio.id);
        let page = admin.see(&at).await.expect(200).says("Booked").says("Cancelled").says("Ana").says("Barre Sculpt, Tue 1 Dec, 18:30").says("by the studio");
        let page = page.says(&format!("/bookings/{booking}")).keeps_quiet_of("booking.booked").keeps_quiet_of("A fever");
        // The last stands first.
        assert!(page.text.find("Cancelled").unwrap() < page.text.find(">Booked<").or(page.text.find(">Booked ")).unwrap(), "{}", page.text);

        // By what it is about, by whom, and by day.
        admin.see(&format!("{at}?kind=passes&person=")).await.expect(200).keeps_quiet_of("Cancelled");
        admin.see(&format!("{at}?person={}", ana.id)).await.expect(200).says("Cancelled");
        admin.see(&format!("{at}?person={}", house.studio.desk.id)).await.expect(200).says("Cancelled").keeps_quiet_of(">Booked ");
        admin.see(&format!("{at}?person={}&kind=bookings", ben.id)).await.expect(200).says("Nothing of this kind").says("selected>Ben");
        admin.see(&format!("{at}?from=2026-11-01&to=2026-11-02")).await.expect(200).says("Nothing of this kind");
        for wrong in ["kind=nonsense", "from=soon", "from=2026-12-01&to=2026-11-01", "from=2020-01-01&to=2026-11-01", "person=me", "after=nonsense"] {
            admin.see(&format!("{at}?{wrong}")).await.expect(422).says("role=\"alert\"");
        }
        let file = admin.see(&format!("{at}/file?kind=bookings&format=csv&bom=true")).await.expect(200).says("booking.cancelled").says("Ana");
        assert!(file.text.starts_with('\u{feff}') && file.header("content-disposition").contains("events-"), "{}", file.text);

        // As an app reads it.
        let all = house.trail("kind=bookings").await;
        assert_eq!(all.iter().map(|one| one["action"].as_str().unwrap()).collect::<Vec<_>>(), ["booking.cancelled", "booking.booked"]);
        let last = &all[0];
        assert_eq!((&last["text"], &last["by"]["id"], &last["member"]["name"]), (&json!("Cancelled"), &json!(house.studio.desk.id), &json!("Ana")));
        assert_eq!((&last["subject"]["kind"], &last["subject"]["id"]), (&json!("booking"), &json!(booking)));
        assert!(last["facts"].as_array().unwrap().iter().any(|fact| fact["value"] == "by the studio"), "{last}");
        let reply = house.get(house.of_studio("events?limit=1")).by(&house.studio.admin).header("Accept-Language", "zh-Hant").await.expect(200);
        assert_eq!(reply["events"][0]["text"], "取消預約");
        house.get(house.of_studio("events")).by(&house.studio.desk).await.expect_refused(403, "not-allowed");
        house.get(house.of_studio("events?kind=nonsense")).by(&house.studio.admin).await.expect_refused(422, "invalid-fields").naming("kind");
        house.get(house.of_studio("events?from=2026-12-01&to=2028-12-01")).by(&house.studio.admin).await.expect_refused(422, "invalid-fields").naming("to");

        // Nothing of it is another studio's, nor to be read there.
        let away = house.second_studio().await;
        let there = house.get(format!("/v1/studios/{}/events?person={}", away.id, ana.id)).by(&house.studio.owner).await.expect(200);
        assert_eq!(there["events"], json!([]));
        house.get(format!("/v1/studios/{}/events", away.id)).by(&house.studio.admin).await.expect_refused(403, "not-allowed");
    }

    async fn the_trail_is_read_page_by_page_to_its_beginning(house: House) {
        house.letters_may_stay();
        let evening = house.plan("2026-12-01 18:30", 9).await;
        for name in ["Ana", "Ben", "Cara", "Dan"] {
            let member = house.member(name).await;
            house.book(&member, &evening).await.expect_booked();
            if name == "Ben" {
                house.advance(TimeDelta::hours(1));
            }
        }
        let (studio, mut numbers, mut after) = (house.studio.id, Vec::new(), String::new());
        loop {
            let reply = house.get(house.of_studio(&format!("events?limit=3{after}"))).by(&house.studio.admin).await.expect(200);
            numbers.extend(events(&reply).iter().map(|one| one["number"].as_i64().unwrap()));
            let Some(next) = reply["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        let written = house.count("SELECT COUNT(*) FROM events WHERE studio_id = $1", studio).await;
        assert_eq!(numbers, (1..=written).rev().collect::<Vec<_>>(), "each once, the last first");
        // Of 31 days, if nothing else is asked for.
        house.advance(TimeDelta::days(40));
        assert_eq!(house.trail("").await.len(), 0);
        assert_eq!(house.trail("from=2026-11-20").await.len() as i64, written);
    }

    async fn a_file_is_looked_at_before_it_is_imported(house: House) {
        let mut admin = Browser::of(&house, &house.studio.admin).await;
        let at = format!("/console/{}/imports", house.studio.id);
        admin.see(&at).await.expect(200).says("Nothing has been imported yet.");
        admin.send(&at, &[("kind", "members")]).await.expect(422).says("role=\"alert\"");
        admin.upload(&at, "nonsense", "x.csv", b"name\nAna\n").await.expect(422).says("role=\"alert\"");
        admin.upload(&at, "members", "x.csv", b"").await.expect(422);

        // Columns that nobody knows are named by hand.
        let file = "Wer,Post,Anmerkung\nMia Ruíz,mia@example.test,\n,bo@example.test,no name\nBo Chen,bo@example.test,<script>\n".as_bytes();
        let sent = admin.upload(&at, "members", "people of <b>.csv", file).await.expect(303);
        assert_eq!(sent.to, format!("{at}/file"));
        admin.see(&sent.to).await.expect(422).says("people of &#60;b&#62;.csv").says("Wer").says("Mia Ruíz").says("left out");
        admin.send(&sent.to, &[("column-0", "name"), ("column-1", "name")]).await.expect(422).says("“Columns” stands there twice.");
        admin.send(&sent.to, &[("column-0", "pass_type")]).await.expect(422);
        let page = admin.go(&sent.to, &[("column-0", "name"), ("column-1", "email"), ("dates", "ymd")]).await.expect(200);
        let page = page.says("value=\"email\" selected").says("known already").says("not right").says("Email: bo@example.test<").says("Name: Mia Ruíz · Email: mia@example.test<").says("is missing");
        assert_eq!(page.text.matches("class=\"badge trouble\"").count(), 1);
        let wrong = admin.see(&format!("{at}/file/wrong")).await.expect(200).says("Wer,Post,Anmerkung,reason").says("bo@example.test").says("Name is missing").keeps_quiet_of("Mia");
        assert!(wrong.header("content-disposition").contains("wrong.csv"));
        assert_eq!(house.how_many("SELECT COUNT(*) FROM imports").await, 0, "nothing is written");

        // It is theirs alone.
        let owner = Browser::of(&house, &house.studio.owner).await;
        assert_eq!(owner.see(&format!("{at}/file")).await.expect(303).to, at);
        owner.send(&format!("{at}/file/run"), &[]).await.expect(404);
        let away = house.second_studio().await;
        assert_eq!(owner.see(&format!("/console/{}/imports/file", away.id)).await.expect(303).to, format!("/console/{}/imports", away.id));

        // Whole or not at all, unless one says so.
        let run = admin.send(&format!("{at}/file/run"), &[]).await.expect(303);
        let refused = admin.ended(&run.to).await.expect(303);
        admin.see(&refused.to).await.expect(200).says("nothing is written");
        assert_eq!(house.how_many("SELECT COUNT(*) FROM imports").await, 0);
        let run = admin.send(&format!("{at}/file/run"), &[("skip", "true")]).await.expect(303);
        let done = admin.ended(&run.to).await.expect(200).says("Left out").says("/skipped");
        admin.see(&format!("{}/skipped", run.to)).await.expect(200).says("bo@example.test");
        let names = house.get(house.of_studio("members?limit=200")).by(&house.studio.desk).await.expect(200);
        assert!(names.text.contains("Mia Ruíz") && names.text.contains("Bo Chen"), "{}", names.text);
        assert_eq!(house.how_many("SELECT COUNT(*) FROM import_files").await, 0, "the file is kept no longer");
        assert_eq!(house.how_many("SELECT COUNT(*) FROM letters").await, 0);
        admin.see(&at).await.expect(200).says(&run.to);
        owner.see(&run.to).await.expect(200).says("It is imported");
        owner.see(&run.to.replace(&house.studio.id.to_string(), &away.id.to_string())).await.expect(404);
        // Who came over is invited, at a pace.
        done.says("Invite those who came over");
        admin.send(&format!("{}/invitations", run.to), &[("per_hour", "0")]).await.expect(422).says("role=\"alert\"");
        admin.go(&format!("{}/invitations", run.to), &[("per_hour", "100")]).await.expect(200).says("The invitations are on their way.").keeps_quiet_of("Letters an hour");
        assert_eq!(house.how_many("SELECT COUNT(*) FROM letters").await, 2);
        house.letters_may_stay();

        // The same again makes nothing; what is thrown away is gone; what waits too long as well.
        let again = admin.upload(&at, "members", "again.csv", "name,email\nMia Ruíz,mia@example.test\n".as_bytes()).await.expect(303);
        admin.see(&again.to).await.expect(200).says("known already: stays as it is</span>");
        admin.see(&at).await.says("again.csv");
        admin.go(&format!("{at}/file/removal"), &[]).await.expect(200).says("thrown away").keeps_quiet_of("again.csv");
        admin.upload(&at, "members", "late.csv", "name\nCy\n".as_bytes()).await.expect(303);
        house.advance(TimeDelta::hours(25));
        let admin = Browser::of(&house, &house.studio.admin).await;
        assert_eq!(admin.see(&format!("{at}/file")).await.expect(303).to, at);
        house.advance(TimeDelta::hours(24));
        releve::sweeps::retention(&house.app).await.unwrap();
        assert_eq!(house.how_many("SELECT COUNT(*) FROM import_files").await, 0);
    }

    async fn a_file_is_read_as_its_sender_says(house: House) {
        let mut admin = Browser::of(&house, &house.studio.admin).await;
        let at = format!("/console/{}/imports", house.studio.id);
        let sent = admin.upload(&at, "passes", "passes.csv", b"email,Membership,Visits Remaining,Expiration Date\nx@example.test,Ten classes,3,12/31/2026\n").await.expect(303);
        admin.see(&sent.to).await.expect(200).says("value=\"credits_left\" selected").says("must be a date");
        let fields = [("column-0", "email"), ("column-1", "pass_type"), ("column-2", "credits_left"), ("column-3", "expires_on"), ("dates", "mdy")];
        admin.go(&sent.to, &fields).await.expect(200).keeps_quiet_of("must be a date");
        let mut others = fields.to_vec();
        others.push(("delimiter", "semicolon"));
        admin.go(&sent.to, &others).await.expect(422);
        admin.send(&sent.to, &[("encoding", "ebcdic")]).await.expect(422);
        // A long file is shown in parts.
        let long: String = (0..120).map(|n| format!("Member {n},m{n}@example.test\n")).collect();
        let sent = admin.upload(&at, "members", "long.csv", format!("name,email\n{long}").as_bytes()).await.expect(303);
        let first = admin.see(&sent.to).await.expect(200).says("Member 49 ").keeps_quiet_of("Member 50 ").says("file?after=51#would");
        first.says("<dd>120</dd>");
        admin.see(&format!("{}?after=51", sent.to)).await.expect(200).says("Member 50 ").says("Member 99 ").keeps_quiet_of("Member 100 ");
        admin.see(&format!("{}?after=101", sent.to)).await.expect(200).says("Member 119 ").keeps_quiet_of("#would");
    }

    async fn a_file_that_no_program_writes_makes_no_long_page(house: House) {
        let mut admin = Browser::of(&house, &house.studio.admin).await;
        let at = format!("/console/{}/imports", house.studio.id);
        let wide = |columns: usize| format!("name,email{}\nAna,ana@example.test\n", ",x".repeat(columns));
        let sent = admin.upload(&at, "members", "wider.csv", wide(200_000).as_bytes()).await.expect(303);
        let page = admin.see(&sent.to).await.expect(422).says("“File” must have no line longer than 64 KiB: look at line 1.");
        assert!(page.text.len() < 64 << 10, "{}", page.text.len());
        let sent = admin.upload(&at, "members", "wide.csv", wide(300).as_bytes()).await.expect(303);
        admin.see(&sent.to).await.expect(422).says("“File” must have at most 200 columns.").keeps_quiet_of("column-0");
        admin.see(&format!("{at}/file/wrong")).await.expect(422);
        // It can still be read in another way, or thrown away.
        admin.send(&sent.to, &[("delimiter", "comma"), ("dates", "ymd")]).await.expect(303);
        admin.send(&sent.to, &[("dates", "ymd")]).await.expect(303);
        admin.see(&sent.to).await.expect(422).says("role=\"alert\"");
        admin.go(&format!("{at}/file/removal"), &[]).await.expect(200);

        // One at a time is looked at in a process: who waits too long tries again.
        let sent = admin.upload(&at, "members", "small.csv", b"name\nAna\n").await.expect(303);
        let another = house.app.imports.look().await.unwrap();
        let busy = admin.see(&sent.to).await.expect(503);
        assert_eq!(busy.header("retry-after"), "5");
        drop(another);
        admin.see(&sent.to).await.expect(200).says("Name: Ana<");
    }

    async fn a_chinese_file_is_known_by_its_headings(house: House) {
        let mut admin = Browser::of(&house, &house.studio.admin).await;
        admin.keep("releve_language", "zh-Hans");
        let at = format!("/console/{}/imports", house.studio.id);
        let file = "会员姓名,电子邮件,手机号码\n张三,zhang@example.test,13800001111\n李四,no address,\n";
        let sent = admin.upload(&at, "members", "会员.csv", file.as_bytes()).await.expect(303);
        let page = admin.see(&sent.to).await.expect(200).says("value=\"email\" selected").says("value=\"phone\" selected");
        page.says("姓名：张三 · 邮箱：zhang@example.test").says("邮箱必须是邮箱地址").keeps_quiet_of("邮箱地址，但未导入");
        admin.see(&format!("{at}/file/wrong")).await.expect(200).says("李四").says("邮箱必须是邮箱地址");
        // What nobody knows, and looks like addresses, is pointed at; it is not shown as if it were written.
        let other = "名称,Kontakt\n王五,wang@example.test\n,\n赵六,zhao@example.test\n";
        let sent = admin.upload(&at, "members", "other.csv", other.as_bytes()).await.expect(303);
        let page = admin.see(&sent.to).await.expect(422).says("此列看起来是邮箱地址，但未导入。");
        assert_eq!(page.text.matches("看起来是邮箱地址").count(), 1);
        let page = admin.go(&sent.to, &[("column-0", "name"), ("dates", "ymd")]).await.expect(200).says("姓名：王五<");
        assert_eq!(page.text.matches("wang@example.test").count(), 1, "beside its heading alone");
    }

    async fn passes_are_made_changed_and_taken_off_sale(house: House) {
        house.letters_may_stay();
        let ana = house.member("Ana").await;
        let mut admin = Browser::of(&house, &house.studio.admin).await;
        let at = format!("/console/{}/pass-types", house.studio.id);
        admin.see(&at).await.expect(200).says("10 credits, for 90 days from the sale.");
        let mut fields = vec![
            ("name", "Spring"), ("zh_hans", "春季卡"), ("kind", "membership"), ("number", "2"), ("valid", "3"), ("unit", "months"), ("price", "1,200.50"),
            ("currency", "cny"), ("valid_from", "first_attended"), ("activate_within_days", "30"), ("freeze_days_max", "14"), ("new_members_only", "true"),
        ];
        let mut wrong = fields.clone();
        wrong.push(("transferable", "true"));
        // What is wrong is said, and what was typed stays.
        admin.send(&format!("{at}/new"), &wrong).await.expect(422).says("role=\"alert\"").says("value=\"1,200.50\"").says("春季卡");
        let class = house.studio.class_type.to_string();
        let class_field = format!("class-{class}");
        fields.push((class_field.as_str(), "true"));
        let page = admin.go(&format!("{at}/new"), &fields).await.expect(200).says("The pass is on sale.").says("CNY 1,200.50");
        let page = page.says("2 classes a week, for 3 months from the first class attended, which is at most 30 days after the sale.");
        page.says("For Barre Sculpt.").says("Only for who is new here.").says("Members may freeze it for 14 days in all.");
        let sold = house.get(house.of_studio("pass-types")).await.expect(200);
        let made = sold["pass_types"].as_array().unwrap().iter().find(|one| one["name"] == "Spring").unwrap().clone();
        assert_eq!((&made["per_week"], &made["valid_months"], &made["on_sale"], &made["price"]["amount_minor"]), (&json!(2), &json!(3), &json!(true), &json!(120_050)));

        let of_pass = format!("{at}/{}", made["id"].as_str().unwrap());
        let form = admin.see(&of_pass).await.expect(200).says("value=\"1200.50\"").says("value=\"months\" selected");
        let version = form.field("version");
        let edited = [
            ("version", version.as_str()), ("kind", "membership"), ("name", "Spring"), ("number", ""), ("valid", "60"), ("unit", "days"), ("on_sale", "true"), ("followed_by", ""),
        ];
        admin.go(&of_pass, &edited).await.expect(200).says("The pass was changed.").says("As many classes as one likes, for 60 days from the sale.");
        // Somebody else was faster: what was typed stays.
        let mut late = edited;
        late[2].1 = "Spring of mine";
        admin.send(&of_pass, &late).await.expect(412).says("role=\"alert\"").says("Spring of mine");
        admin.see(&at).await.keeps_quiet_of("Spring of mine");

        // Off sale nobody buys it, by whatever way; whoever has one keeps it.
        let of_member = format!("/console/{}/members/{}", house.studio.id, ana.id);
        admin.see(&of_member).await.says("Spring");
        let version = admin.see(&of_pass).await.field("version");
        let off = [("version", version.as_str()), ("kind", "membership"), ("name", "Spring"), ("valid", "60"), ("unit", "days")];
        admin.go(&of_pass, &off).await.expect(200).says("not sold any more");
        admin.see(&of_member).await.keeps_quiet_of("Spring");
        let sale = json!({"pass_type_id": made["id"]});
        let path = house.of_studio(&format!("members/{}/passes", ana.id));
        let refused = house.post_to(&path).by(&house.studio.desk).header("Idempotency-Key", house.new_id()).json(&sale).await;
        refused.expect_refused(422, "invalid-fields").naming("pass_type_id");
        let body = json!({"on_sale": true});
        let version = admin.see(&of_pass).await.field("version");
        let pass_type = house.of_studio(&format!("pass-types/{}", made["id"].as_str().unwrap()));
        house.patch(&pass_type).by(&house.studio.admin).header("If-Match", format!("\"{version}\"")).json(&body).await.expect(200);
        house.post_to(&path).by(&house.studio.desk).header("Idempotency-Key", house.new_id()).json(&sale).await.expect(201);
        let away = house.second_studio().await;
        let owner = Browser::of(&house, &house.studio.owner).await;
        owner.see(&of_pass.replace(&house.studio.id.to_string(), &away.id.to_string())).await.expect(404);
    }

    async fn the_team_is_invited_and_given_roles(house: House) {
        house.letters_may_stay();
        let mut admin = Browser::of(&house, &house.studio.admin).await;
        let at = format!("/console/{}/team", house.studio.id);
        admin.see(&at).await.expect(200).says("Instructor").says("without a second factor").keeps_quiet_of("value=\"admin\"");
        admin.send(&format!("{at}/invitations"), &[("email", "nonsense"), ("role", "front_desk")]).await.expect(422).says("role=\"alert\"").says("value=\"nonsense\"").says("value=\"front_desk\" selected");
        let page = admin.go(&format!("{at}/invitations"), &[("email", "new@example.test"), ("role", "front_desk")]).await.expect(200).says("The invitation is on its way.");
        let page = page.says("new@example.test");
        let withdrawal = page.text.split("/team/invitations/").nth(1).unwrap().split('"').next().unwrap().to_owned();
        admin.send(&format!("{at}/invitations"), &[("email", "boss@example.test"), ("role", "admin")]).await.expect(403);
        admin.go(&format!("{at}/invitations/{withdrawal}"), &[]).await.expect(200).says("taken back").keeps_quiet_of("new@example.test");
        admin.send(&format!("{at}/invitations/{withdrawal}"), &[]).await.expect(404);

        // A member becomes staff, once they have come by themselves.
        let ana = house.member("Ana").await;
        house.put(house.of_studio("members/me")).by(&ana).await.expect(200);
        let of_ana = format!("{at}/{}", ana.id);
        admin.see(&of_ana).await.expect(200).says("Roles");
        admin.go(&format!("{of_ana}/roles"), &[("front_desk", "true")]).await.expect(200).says("The roles are set.");
        admin.see(&at).await.says("Ana");
        let staff = house.get(house.of_studio("staff")).by(&house.studio.admin).await.expect(200);
        assert!(staff["staff"].as_array().unwrap().iter().any(|one| one["person_id"] == json!(ana.id) && one["roles"] == json!(["front_desk"])), "{}", staff.text);
        let ben = house.member("Ben").await;
        admin.send(&format!("{at}/{}/roles", ben.id), &[("front_desk", "true")]).await.expect(409).says("role=\"alert\"").says("have not joined");
        admin.send(&format!("{of_ana}/roles"), &[("front_desk", "true"), ("admin", "true")]).await.expect(403);
        admin.see(&format!("{at}/{}", house.new_id())).await.expect(404);

        // Who still teaches keeps the role, unless one says so.
        let evening = house.plan("2026-12-01 18:30", 4).taught_by(&house.studio.instructor).await;
        let of_teacher = format!("{at}/{}/roles", house.studio.instructor.id);
        admin.send(&of_teacher, &[]).await.expect(409).says("There are still classes to teach.").says(&format!("/sessions/{}", evening.id)).says("Leave these classes");
        admin.go(&of_teacher, &[("leave_sessions", "true")]).await.expect(200).says("The roles are set.");

        // Devices are seen and ended.
        let (phone, device) = house.on_another_device(&ana).await;
        house.get("/v1/me").by(&phone).await.expect(200);
        let page = admin.see(&of_ana).await.expect(200).says("Devices").says(&device.to_string());
        drop(page);
        admin.go(&format!("{of_ana}/devices/{device}/end"), &[]).await.expect(200).says("The device is signed out.").keeps_quiet_of(&device.to_string());
        house.get("/v1/me").by(&phone).await.expect(401);
        admin.send(&format!("{of_ana}/devices/{device}/end"), &[]).await.expect(404);
        // An owner's devices are owners' to see.
        let away = house.second_studio().await;
        let stranger = Browser::of(&house, &house.studio.admin).await;
        stranger.see(&format!("/console/{}/team", away.id)).await.expect(403);
        house.audit_may_be_dirty();
    }
}
