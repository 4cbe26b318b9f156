//! Imports: files of another program as they are, what is wrong with them, and what comes of them.

use std::collections::BTreeSet;

use encoding_rs::{BIG5, GB18030};
use releve::settings::Settings;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::house::House;
use crate::seed::Person;
use crate::speech::{Call, Reply};

impl House {
    fn import_path(&self, id: Uuid) -> String {
        self.of_studio(&format!("imports/{id}"))
    }

    /// An admin sends a file.
    fn import(&self, id: Uuid, how: &str, file: impl Into<Vec<u8>>) -> Call {
        self.put(format!("{}?{how}", self.import_path(id))).by(&self.studio.admin).body("text/csv", file)
    }

    async fn imported(&self, kind: &str, file: &str) -> Reply {
        self.import(self.new_id(), &format!("kind={kind}"), file).await.expect(200)
    }

    /// Name and address of the studio's members.
    async fn names(&self) -> BTreeSet<(String, String)> {
        let read = self.get(self.of_studio("members?limit=200")).by(&self.studio.desk).await.expect(200);
        let members = read["members"].as_array().unwrap().iter();
        members.map(|one| (one["name"].as_str().unwrap().into(), one["email"].as_str().unwrap_or_default().into())).collect()
    }

    /// Rows of everything that an import may write.
    async fn all_rows(&self) -> Vec<i64> {
        let mut counts = Vec::new();
        for sql in [
            "SELECT COUNT(*) FROM persons",
            "SELECT COUNT(*) FROM members",
            "SELECT COUNT(*) FROM passes",
            "SELECT COUNT(*) FROM bookings",
            "SELECT COUNT(*) FROM imports",
            "SELECT COUNT(*) FROM brought_over",
            "SELECT COUNT(*) FROM events",
            "SELECT COUNT(*) FROM letters",
        ] {
            counts.push(self.how_many(sql).await);
        }
        counts
    }

    async fn person_by_name(&self, name: &'static str) -> Uuid {
        self.db.one::<(Uuid,)>("SELECT person_id FROM members WHERE name = $1", (name,)).await.unwrap().0
    }
}

/// Line and column of all that is wrong.
fn wrong(reply: &Reply) -> Vec<(u64, String)> {
    let all = reply["wrong"].as_array().unwrap().iter();
    all.map(|one| (one["line"].as_u64().unwrap(), one["column"].as_str().unwrap().to_owned())).collect()
}

fn counts(reply: &Reply) -> [i64; 4] {
    ["lines", "made", "known", "skipped"].map(|name| reply[name].as_i64().unwrap())
}

/// As Mindbody exports them.
const MINDBODY: &str = "Client ID,First Name,Last Name,Email Address,Mobile Phone,Account Balance\n\
     100000001,Mia,Ruíz,home@example.test,+86 138 0000 1111,0\n\
     100000002,Leo,Ruíz,home@example.test,,0\n\
     100000003,林,月,lin@example.test,13800002222,0\n";

/// As Momence exports them.
const MOMENCE: &str = "Full name;E-mail;Phone number\nMia Ruíz;home@example.test;\nBo Chen;bo@example.test;555 1234\n";

both_engines! {
    async fn members_come_over_and_nobody_is_written_to(house: House) {
        let before = house.all_rows().await;
        let id = house.new_id();
        let checked = house.import(id, "kind=members&dry_run=true", MINDBODY).await.expect(200);
        assert_eq!((checked["state"].as_str(), counts(&checked)), (Some("checked"), [3, 3, 0, 0]));
        assert_eq!(checked["columns_ignored"], json!(["Account Balance"]));
        assert_eq!(house.all_rows().await, before, "a dry run writes nothing");
        house.get(house.import_path(id)).by(&house.studio.admin).await.expect_refused(404, "not-found");

        let done = house.import(id, "kind=members", MINDBODY).await.expect(200);
        assert_eq!((done["state"].as_str(), counts(&done), done["lines_done"].as_i64()), (Some("done"), [3, 3, 0, 0], Some(3)));
        assert_eq!(counts(&house.get(house.import_path(id)).by(&house.studio.admin).await.expect(200)), [3, 3, 0, 0]);
        let names = house.names().await;
        let one = |name: &str, email: &str| (name.to_owned(), email.to_owned());
        assert!(names.contains(&one("Mia Ruíz", "home@example.test")) && names.contains(&one("Leo Ruíz", "home@example.test")), "{names:?}");
        let unverified = "SELECT COUNT(*) FROM persons p JOIN members m ON m.person_id = p.id WHERE p.verified_at IS NULL AND m.given_at IS NULL";
        assert_eq!(house.how_many(unverified).await, 3);
        assert_eq!(house.how_many("SELECT COUNT(*) FROM persons WHERE contact_key = 'home@example.test'").await, 1, "siblings share an address");
        assert_eq!(house.how_many("SELECT COUNT(*) FROM letters").await, 0);
        assert_eq!(house.how_many("SELECT COUNT(*) FROM events WHERE action = 'import.done'").await, 1);

        // The same call again, the same file under another id, and a file of another program.
        let after = house.all_rows().await;
        assert_eq!(counts(&house.import(id, "kind=members", MINDBODY).await.expect(200)), [3, 3, 0, 0]);
        assert_eq!(house.all_rows().await, after);
        house.import(id, "kind=members", MOMENCE).await.expect_refused(409, "import-id-reused");
        house.import(id, "kind=members&bad_lines=skip", MINDBODY).await.expect_refused(409, "import-id-reused");
        assert_eq!(counts(&house.imported("members", MINDBODY).await), [3, 0, 3, 0]);
        assert_eq!(counts(&house.imported("members", MOMENCE).await), [2, 1, 1, 0]);
        assert_eq!(house.how_many("SELECT COUNT(*) FROM persons WHERE email_key = 'home@example.test'").await, 1);
    }

    async fn columns_that_nobody_knows_are_named(house: House) {
        const FILE: &str = "Wer,Anmerkung,Post\nMia Ruíz,name,mia@example.test\n";
        let id = house.new_id();
        house.import(id, "kind=members", FILE).await.expect_refused(422, "invalid-fields").naming("body");
        for wrong in ["name,name", "pass_type", "a,b"] {
            house.import(id, &format!("kind=members&columns={wrong}"), FILE).await.expect_refused(422, "invalid-fields").naming("columns");
        }
        let done = house.import(id, "kind=members&columns=name,,email", FILE).await.expect(200);
        assert_eq!((counts(&done), &done["columns_ignored"]), ([1, 1, 0, 0], &json!(["Anmerkung"])));
        assert!(house.names().await.contains(&("Mia Ruíz".to_owned(), "mia@example.test".to_owned())));
        house.import(id, "kind=members&columns=name", FILE).await.expect_refused(409, "import-id-reused");
    }

    async fn every_encoding_and_delimiter_is_read(house: House) {
        let lines = |mark: &str| format!("姓名{mark}邮箱{mark}电话\n林月{mark}lin@example.test{mark}13800001111\n王小明{mark}wang@example.test{mark}\n");
        let utf_16: Vec<u8> = "\u{feff}".chars().chain(lines("\t").chars()).collect::<String>().encode_utf16().flat_map(u16::to_le_bytes).collect();
        let traditional = "姓名;電子郵件;電話\n林月;lin@example.test;\n王小明;wang@example.test;91234567\n";
        let mut made = Vec::new();
        for (how, file) in [
            ("", lines(",").into_bytes()),
            ("", [b"\xef\xbb\xbf", lines(";").as_bytes()].concat()),
            ("", utf_16),
            ("", GB18030.encode(&lines(",")).0.into_owned()),
            ("&encoding=gb18030", GB18030.encode(&lines("\t")).0.into_owned()),
            ("&encoding=big5&delimiter=semicolon", BIG5.encode(traditional).0.into_owned()),
        ] {
            let reply = house.import(house.new_id(), &format!("kind=members{how}"), file).await.expect(200);
            made.push(counts(&reply));
        }
        assert_eq!(made, [[2, 2, 0, 0], [2, 0, 2, 0], [2, 0, 2, 0], [2, 0, 2, 0], [2, 0, 2, 0], [2, 0, 2, 0]]);
    }

    async fn bad_lines_are_told_and_nothing_is_written(house: House) {
        let bad = "name,email,phone,locale\n\
                   Ana,ana@example.test,,\n\
                   =HYPERLINK(\"http://evil.test\"),eve@example.test,,\n\
                   Bo,bo@example.test\n\
                   Cy,no address,,fr\n\
                   Di,,,\n\
                   \"Ed\n\",ed@example.test,,\n\
                   Flo,flo@example.test,,,\n";
        let told = [(3, "name"), (4, "line"), (5, "email"), (5, "locale"), (6, "external_id"), (9, "line")];
        let told: Vec<(u64, String)> = told.map(|(line, column)| (line, column.to_owned())).to_vec();
        let before = house.all_rows().await;
        let id = house.new_id();
        let checked = house.import(id, "kind=members&dry_run=true", bad).await.expect(200);
        assert_eq!((counts(&checked), wrong(&checked)), ([7, 2, 0, 5], told.clone()));
        let refused = house.import(id, "kind=members", bad).await.expect_refused(422, "import-refused");
        assert_eq!((wrong(&refused), refused["lines_wrong"].as_i64()), (told.clone(), Some(5)));
        // A wrong encoding is seen in the lines that cannot be read.
        let latin = house.import(id, "kind=members&encoding=utf-8", b"name,email\nJos\xe9,jose@example.test\nAna,ana@example.test\n".to_vec()).await;
        assert_eq!(wrong(&latin.expect_refused(422, "import-refused")), [(2, "name".to_owned())]);
        for (file, field) in [("", "body"), ("\n\n", "body"), ("colour,shape\nred,round\n", "body")] {
            house.import(id, "kind=members", file).await.expect_refused(422, "invalid-fields").naming(field);
        }
        for how in ["", "kind=moods", "kind=members&encoding=latin-1", "kind=members&what=now"] {
            house.import(id, how, MOMENCE).await.expect_refused(422, "invalid-fields");
        }
        assert_eq!(house.all_rows().await, before);

        let done = house.import(id, "kind=members&bad_lines=skip", bad).await.expect(200);
        assert_eq!((counts(&done), wrong(&done)), ([7, 2, 0, 5], told));
        let path = format!("{}/skipped", house.import_path(id));
        let file = house.get(&path).by(&house.studio.admin).await.expect(200);
        assert!(file.header("content-type").starts_with("text/csv"));
        assert!(file.text.starts_with("\u{feff}name,email,phone,locale,,reason\n\"'=HYPERLINK(\"\"http://evil.test\"\")\",eve@example.test,"), "{}", file.text);
        assert_eq!(file.text.lines().count(), 6);
        // What was left out is kept for a week.
        house.advance(chrono::TimeDelta::days(8));
        releve::sweeps::retention(&house.app).await.unwrap();
        house.get(&path).by(&house.studio.admin).await.expect_refused(404, "not-found");
    }

    /// However the lines of a file are made: what it may cost is bounded, and it is told why.
    async fn what_no_program_writes_is_refused(house: House) {
        let before = house.all_rows().await;
        let wide = format!("name{}\nAna\n", ",x".repeat(200));
        let commas = format!("name,email\n{}\n", ",".repeat(1 << 20));
        let long = format!("name,email\n{},\n", "a".repeat(65 << 10));
        let quoted = format!("name,email\n{}\n", "\"\n\",".repeat(70 << 10));
        for (file, why) in [(wide, "200 columns"), (commas, "look at line 2"), (long, "64 KiB"), (quoted, "look at line 2")] {
            for how in ["kind=members", "kind=members&dry_run=true", "kind=bookings"] {
                let refused = house.import(house.new_id(), how, file.clone()).await.expect_refused(422, "invalid-fields").naming("body");
                assert!(refused.text.contains(why), "{why}: {}", refused.text);
            }
        }
        // A line that is only too wide is told as one, with all its cells counted.
        let line = format!("name,email\nAna{}\nBo,bo@example.test\n", ",x".repeat(30_000));
        let checked = house.import(house.new_id(), "kind=members&dry_run=true", line).await.expect(200);
        assert_eq!(counts(&checked), [2, 1, 0, 1]);
        assert!(checked.text.contains("has 30001 cells"), "{}", checked.text);
        assert_eq!(house.all_rows().await, before);
    }

    async fn a_hundred_thousand_lines_are_told_by_line(house: House) {
        // Without optimisation, and beside other tests, it takes longer than a request usually may.
        let patient = |settings: &mut Settings| settings.server.request_timeout_s = 120;
        let Some(house) = House::open_with(house.db.engine(), patient).await else { return };
        let mut file = String::from("name,email\n");
        for n in 1..=100_000 {
            file.push_str(if n % 10_000 == 0 { "Nobody,no address\n" } else { "Ana,ana@example.test\n" });
        }
        let before = house.all_rows().await;
        let told = house.import(house.new_id(), "kind=members", file.clone()).await.expect_refused(422, "import-refused");
        assert_eq!(wrong(&told), (1..=10).map(|n| (n * 10_000 + 1, "email".to_owned())).collect::<Vec<_>>());
        file.push_str("One,more@example.test\n");
        house.import(house.new_id(), "kind=members", file).await.expect_refused(422, "invalid-fields").naming("body");
        assert_eq!(house.all_rows().await, before);
        house.close().await;
    }

    async fn a_file_has_a_largest_size(house: House) {
        house.import(house.new_id(), "kind=members", vec![b'a'; (32 << 20) + 1]).await.expect_refused(413, "body-too-large");
    }

    /// How long a long file takes, and how long somebody else waits who books meanwhile: `cargo test --test studio how_long -- --ignored --nocapture`.
    #[ignore = "it measures"]
    async fn how_long_a_long_file_takes(house: House) {
        house.letters_may_stay();
        let ana = house.member("Ana").await;
        let class = house.session("2026-12-03 18:30", 1_000).await;
        let mut file = String::from("external_id,name,email,phone\n");
        for n in 1..=100_000 {
            file.push_str(&format!("{n},林 Member {n},member{n}@example.test,+86 138 {n:08}\n"));
        }
        let began = std::time::Instant::now();
        house.import(house.new_id(), "kind=members&dry_run=true", file.clone()).await.expect(200);
        println!("{:?}: a dry run of 100,000 lines took {:?}", house.db.engine(), began.elapsed());
        let (began, id) = (std::time::Instant::now(), house.new_id());
        let (there, long) = (house.clone(), file.clone());
        let import = tokio::spawn(async move {
            // Without optimisation it takes longer than a request may; it goes on all the same.
            there.import(id, "kind=members", long).await;
            while there.get(there.import_path(id)).by(&there.studio.admin).await["state"] != "done" {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        });
        let (mut waited, mut refused) = (Vec::new(), 0);
        while !import.is_finished() {
            let tapped = std::time::Instant::now();
            let tap = house.book(&ana, &class).await;
            if tap.reply.status == 201 {
                house.cancel(&tap.expect_booked()).await;
            } else {
                refused += 1;
            }
            waited.push(tapped.elapsed());
        }
        import.await.unwrap();
        waited.sort();
        println!("the import took {:?}; {} taps, {refused} refused, the longest {:?}", began.elapsed(), waited.len(), waited.last());
        assert_eq!(house.how_many("SELECT COUNT(*) FROM brought_over").await, 100_000);
    }

    async fn who_is_known_is_met_by_the_address(house: House) {
        let ana = house.member("Ana").await;
        let away = house.second_studio().await;
        let bea = house.stranger("Bea").await;
        let (there, id) = (away.id, bea.id);
        house.write(move |tx| Box::pin(async move { tx.run("UPDATE members SET studio_id = $1 WHERE person_id = $2", (there, id)).await })).await;
        let file = format!(
            "external_id,name,email\n1,ANA,{}\n2,Kid,{}\n3,Kid of Bea,{}\n4,Bea,{}\n5,Lin Yue,{}\n",
            ana.email, ana.email, bea.email, bea.email, house.studio.instructor.email
        );
        let done = house.imported("members", &file).await;
        assert_eq!(counts(&done), [5, 4, 1, 0]);
        assert_eq!(house.how_many("SELECT COUNT(*) FROM persons WHERE contact_key IS NOT NULL").await, 2, "their children have no account");
        assert_eq!(house.count("SELECT COUNT(*) FROM members WHERE person_id = $1", bea.id).await, 2, "known elsewhere: the same person");
        assert_eq!(house.count("SELECT COUNT(*) FROM members WHERE person_id = $1", ana.id).await, 1);
        assert_eq!(counts(&house.imported("members", &file).await), [5, 0, 5, 0]);
    }

    async fn passes_come_with_what_was_left(house: House) {
        house.imported("members", MINDBODY).await;
        let class = house.session("2026-12-03 18:30", 1).await;
        let full = house.member("Full").await;
        let file = "Client ID,Pricing Option,Visits Remaining,Expiration Date,Pass ID\n\
                    100000001,Ten classes,4,2027-03-01,P1\n\
                    100000002,Ten classes,0,2027-03-01,P2\n";
        let bad = "Client ID,Pricing Option,Visits Remaining,Expiration Date\n100000009,Ten classes,4,2027-03-01\n100000001,Twenty,4,03/01/2027\n";
        let refused = house.import(house.new_id(), "kind=passes", bad).await.expect_refused(422, "import-refused");
        assert_eq!(wrong(&refused), [(2, "member_external_id".to_owned()), (3, "expires_on".to_owned())]);
        let us = house.import(house.new_id(), "kind=passes&dates=mdy&dry_run=true", bad).await.expect(200);
        assert_eq!(wrong(&us), [(2, "member_external_id".to_owned()), (3, "pass_type".to_owned())]);

        assert_eq!(counts(&house.imported("passes", file).await), [2, 2, 0, 0]);
        assert_eq!(counts(&house.imported("passes", file).await), [2, 0, 2, 0]);
        let mia = house.person_by_name("Mia Ruíz").await;
        let path = house.of_studio(&format!("members/{mia}/passes"));
        let passes = house.get(path).by(&house.studio.desk).await.expect(200);
        assert_eq!((passes["passes"][0]["credits_left"].as_i64(), passes["passes"].as_array().unwrap().len()), (Some(4), 1));
        let pass = passes["passes"][0]["id"].as_str().unwrap().to_owned();
        let ledger = house.get(format!("/v1/passes/{pass}/ledger")).by(&house.studio.desk).await.expect(200);
        let entries = ledger["entries"].as_array().unwrap();
        assert_eq!((entries.len(), &entries[0]["reason"], &entries[0]["credits"]), (1, &json!("brought_over"), &json!(4)));
        assert_eq!(house.how_many("SELECT COUNT(*) FROM letters").await, 0);

        // It pays like any other.
        let booked = house.put(format!("/v1/bookings/{}", house.new_id())).by(&house.studio.desk);
        booked.json(&json!({"session_id": class.id, "person_id": mia})).await.expect(201);
        house.letters_may_stay();
        // Who waited for lack of a pass is served as soon as there is one.
        let leo = house.stranger("Leo Waits").await;
        house.book(&full, &class).or_wait().await.expect_waitlisted(1);
        let second = house.session("2026-12-04 18:30", 1).await;
        let first = house.book(&full, &second).await.expect_booked();
        house.pack(&leo, 0).await;
        house.book(&leo, &second).or_wait().await.expect_waitlisted(1);
        house.cancel(&first).await.expect(200);
        assert_eq!(house.count("SELECT COUNT(*) FROM bookings WHERE person_id = $1 AND status = 'booked'", leo.id).await, 0);
        let more = format!("email,pass_type,credits_left,expires_on\n{},Ten classes,3,2027-03-01\n", leo.email);
        house.imported("passes", &more).await;
        assert_eq!(house.count("SELECT COUNT(*) FROM bookings WHERE person_id = $1 AND status = 'booked'", leo.id).await, 1);
    }

    async fn bookings_come_into_sessions_that_are_there(house: House) {
        house.imported("members", MINDBODY).await;
        let (past, coming) = (house.session("2026-11-29 18:30", 5).await, house.session("2026-12-03 18:30", 2).await);
        let ana = house.member("Ana").await;
        house.book(&ana, &coming).await.expect_booked();
        let letters = house.how_many("SELECT COUNT(*) FROM letters").await;
        let file = "Visit ID,Client ID,Class Name,Class Date,Class Time,Status\n\
                    V1,100000001,Barre Sculpt,2026-11-29,6:30 PM,Signed in\n\
                    V2,100000002,Barre Sculpt,2026-11-29,6:30 PM,No show\n\
                    V3,100000003,Barre Sculpt,2026-11-29,6:30 PM,Late cancelled\n\
                    V4,100000001,Barre Sculpt,2026-12-03,6:30 PM,Booked\n";
        let bad = format!("{file}V5,100000002,Barre Sculpt,2026-12-03,6:30 PM,Booked\nV6,100000003,Barre Sculpt,2026-12-03,6:31 PM,Booked\n");
        let refused = house.import(house.new_id(), "kind=bookings", bad).await.expect_refused(422, "import-refused");
        assert_eq!(wrong(&refused), [(6, "local_start".to_owned()), (7, "local_start".to_owned())], "full, and no class");
        assert_eq!(counts(&house.imported("bookings", file).await), [4, 4, 0, 0]);
        assert_eq!(counts(&house.imported("bookings", file).await), [4, 0, 4, 0]);
        assert_eq!(house.how_many("SELECT COUNT(*) FROM letters").await, letters, "no letter for any of them");
        let roster = house.roster(&past).await;
        let statuses: Vec<&str> = roster["booked"].as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap()).collect();
        assert_eq!(statuses.iter().copied().collect::<BTreeSet<_>>(), BTreeSet::from(["attended", "no_show"]));
        let shown = house.get(format!("/v1/sessions/{}", coming.id)).await.expect(200);
        assert_eq!((shown["booked"].as_i64(), shown["places_left"].as_i64()), (Some(2), Some(0)));
        // It can be cancelled; nothing was taken for it here.
        let (id,): (Uuid,) = house.db.one("SELECT row_id FROM brought_over WHERE key = $1", ("V4",)).await.unwrap();
        let cancelled = house.put(format!("/v1/bookings/{id}/cancellation")).by(&house.studio.desk).json(&json!({})).await.expect(200);
        assert_eq!((cancelled["status"].as_str(), cancelled["credits_returned"].as_i64()), (Some("cancelled"), Some(0)));
        house.letters_may_stay();
        house.audit_is_clean().await;
    }

    async fn who_came_over_is_invited_once_and_at_a_pace(house: House) {
        let id = house.new_id();
        house.import(id, "kind=members", MINDBODY).await.expect(200);
        let path = format!("{}/invitations", house.import_path(id));
        house.put(&path).by(&house.studio.admin).json(&json!({"per_hour": 0})).await.expect_refused(422, "invalid-fields").naming("per_hour");
        let invite = |per_hour: i64| house.put(&path).by(&house.studio.admin).json(&json!({"per_hour": per_hour}));
        let invited = invite(2).await.expect(200);
        // Leo shares an address: nobody signs in as him.
        assert_eq!((invited["invited"].as_i64(), invited["per_hour"].as_i64()), (Some(2), Some(2)));
        let again = invite(1_000).await.expect(200);
        assert_eq!((&again["invited"], &again["per_hour"], &again["last_at"]), (&invited["invited"], &invited["per_hour"], &invited["last_at"]));
        let sent = || house.how_many("SELECT COUNT(*) FROM letters WHERE kind = 'entered_by_desk' AND state = 'sent'");
        house.post().await;
        assert_eq!(sent().await, 1);
        house.advance(chrono::TimeDelta::minutes(29));
        house.post().await;
        assert_eq!(sent().await, 1);
        house.advance(chrono::TimeDelta::minutes(1));
        house.post().await;
        assert_eq!(sent().await, 2);
        assert_eq!(house.how_many("SELECT COUNT(*) FROM letters").await, 2);
        let passes = house.new_id();
        house.import(passes, "kind=passes", "email,pass_type,credits_left,expires_on\nlin@example.test,Ten classes,1,2027-01-01\n").await.expect(200);
        let of_passes = house.put(format!("{}/invitations", house.import_path(passes))).by(&house.studio.admin);
        of_passes.json(&json!({"per_hour": 1})).await.expect_refused(409, "not-invitable");
    }

    /// Whose studio it is not finds nothing, and a second file waits for the first.
    async fn an_import_is_its_studios(house: House) {
        let away = house.second_studio().await;
        let id = house.new_id();
        house.import(id, "kind=members", MINDBODY).await.expect(200);
        let there = format!("/v1/studios/{}/imports/{id}", away.id);
        house.get(&there).by(&away.admin).await.expect_refused(404, "not-found");
        house.put(format!("{there}?kind=members")).by(&away.admin).body("text/csv", MINDBODY).await.expect_refused(409, "import-id-reused");
        let by: &Person = &house.studio.desk;
        house.put(format!("{}?kind=members", house.import_path(house.new_id()))).by(by).body("text/csv", MINDBODY).await.expect_refused(403, "not-allowed");
        let turn = house.app.imports.begin(house.new_id(), house.studio.id, releve::import::Kind::Members).unwrap();
        house.import(house.new_id(), "kind=members", MINDBODY).await.expect_refused(503, "busy");
        drop(turn);
        let running = house.new_id();
        let turn = house.app.imports.begin(running, house.studio.id, releve::import::Kind::Passes).unwrap();
        turn.running.has_lines(10);
        turn.running.is_at(4);
        let shown = house.get(house.import_path(running)).by(&house.studio.admin).await.expect(200);
        assert_eq!((&shown["state"], &shown["lines"], &shown["lines_done"], &shown["at"]), (&json!("running"), &json!(10), &json!(4), &Value::Null));
        house.get(format!("/v1/studios/{}/imports/{running}", away.id)).by(&away.admin).await.expect_refused(404, "not-found");
    }
}
