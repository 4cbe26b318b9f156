//! Running a studio from its pages: what they change is what the API shows.

use serde_json::json;

use super::Browser;

both_engines! {
    async fn the_particulars_are_saved_as_they_are_typed(house: House) {
        let mut admin = Browser::of(&house, &house.studio.admin).await;
        let at = format!("/console/{}/settings", house.studio.id);
        let page = admin.see(&at).await.expect(200).says("Asia/Shanghai");
        let (version, name) = (page.field("version"), "Relevé & Co");
        let fields = [
            ("version", &*version), ("name", name), ("locale", "en"), ("time_zone", "Asia/Shanghai"), ("address", "1 Road"),
            ("contact", "hello@example.test"), ("rules_text", "Socks, please."), ("shop_url", "https://shop.example.test/"),
        ];
        let mut wrong = fields;
        wrong[7].1 = "javascript:alert(1)";
        // What is wrong is said, and what was typed stays.
        admin.send(&at, &wrong).await.expect(422).says("role=\"alert\"").says("Socks, please.");
        admin.go(&at, &fields).await.expect(200).says("Saved.").says("Relevé &#38; Co");
        let studio = house.get(format!("/v1/studios/{}", house.studio.id)).await.expect(200);
        assert_eq!([&studio["name"], &studio["address"], &studio["rules_text"], &studio["privacy_url"]], [&json!(name), &json!("1 Road"), &json!("Socks, please."), &json!(null)]);
        assert_eq!(studio["time_zone"], "Asia/Shanghai");
        // Somebody else was faster: what was typed stays, what it is now stands beside it, and sent once more it is saved.
        let mut mine = fields;
        (mine[4].1, mine[6].1) = ("2 Road", "No phones.");
        let stale = admin.send(&at, &mine).await.expect(412).says("role=\"alert\"").says("value=\"2 Road\"").says("<b>Now:</b> 1 Road").says("<b>Now:</b> Socks, please.");
        let renewed = stale.field("version");
        assert_ne!(renewed, version);
        mine[0].1 = &*renewed;
        admin.go(&at, &mine).await.expect(200).says("Saved.").says("2 Road").keeps_quiet_of("Now:");
        // A zone stays while classes are to come.
        house.plan("2026-12-03 18:30", 5).await;
        let version = admin.see(&at).await.field("version");
        let mut moved = fields;
        (moved[0].1, moved[3].1) = (&*version, "Europe/Berlin");
        admin.send(&at, &moved).await.expect(409).says("role=\"alert\"").says("Europe/Berlin");
        moved[3].1 = "Nowhere/Land";
        admin.send(&at, &moved).await.expect(422);
    }

    async fn a_day_without_penalties_and_back(house: House) {
        let mut admin = Browser::of(&house, &house.studio.admin).await;
        let at = format!("/console/{}/settings", house.studio.id);
        let of = format!("{at}/penalty-free-days");
        let days = async || house.get(house.of_studio("house-rules")).by(&house.studio.admin).await.expect(200)["penalty_free_days"].clone();
        let version = house.get(house.of_studio("house-rules")).by(&house.studio.admin).await.expect(200)["version"].to_string();
        admin.send(&of, &[("version", &*version), ("day", "tomorrow")]).await.expect(422);
        admin.send(&of, &[("version", &*version)]).await.expect(422).says("role=\"alert\"");
        let page = admin.go(&of, &[("version", &*version), ("day", "2026-12-24")]).await.expect(200).says("Saved.").says("Thu 24 Dec 2026");
        assert_eq!(days().await, json!(["2026-12-24"]));
        admin.send(&of, &[("version", &*version), ("day", "2026-12-25")]).await.expect(412).says("role=\"alert\"").says("value=\"2026-12-25\"");
        let from = page.text.find("penalty-free-days").unwrap();
        let version = page.text[from..].split("name=\"version\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        admin.go(&of, &[("version", &*version), ("day", "2026-12-24"), ("remove", "true")]).await.expect(200).keeps_quiet_of("Thu 24 Dec 2026");
        assert_eq!(days().await, json!([]));
    }

    async fn a_studio_takes_all_of_its_own_along(house: House) {
        house.member("Ana").await;
        let admin = Browser::of(&house, &house.studio.admin).await;
        let at = format!("/console/{}", house.studio.id);
        let page = admin.see(&format!("{at}/settings")).await.expect(200);
        let tables: Vec<&str> = page.text.split("/exports/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert_eq!(tables.len(), 10);
        for table in tables {
            let file = admin.see(&format!("{at}/exports/{table}")).await.expect(200);
            assert!(file.header("content-disposition").contains(&format!("{table}.csv")), "{table}");
        }
        admin.see(&format!("{at}/exports/members")).await.says("Ana");
        admin.see(&format!("{at}/exports/persons")).await.expect(404);
    }
}
