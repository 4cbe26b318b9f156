//! Running a studio from its pages: what they change is what the API shows.

use serde_json::json;

use super::Browser;

both_engines! {
    /// From nothing to a page that can be shared, by somebody who teaches alone and never touches the API.
    async fn a_studio_is_opened_from_its_page(house: House) {
        house.letters_may_stay();
        let mut owner = Browser::of(&house, &house.studio.owner).await;
        owner.see("/console?choose=true").await.expect(200).says("href=\"/console/new-studio\"");
        Browser::of(&house, &house.studio.admin).await.see("/console?choose=true").await.expect(200).keeps_quiet_of("/console/new-studio");
        owner.see("/console/new-studio").await.expect(200).says("<option>Asia/Shanghai</option>").says("data-own-zone");
        // What is wrong is said, and what was typed stays.
        let wrong = [("name", "Xuhui & Co"), ("time_zone", "Asia/Shanghai"), ("locale", "zh-Hant"), ("shop_url", "nonsense"), ("address", "1 Road")];
        let page = owner.send("/console/new-studio", &wrong).await.expect(422).says("role=\"alert\"").says("Xuhui &#38; Co").says("<option selected>Asia/Shanghai</option>");
        page.says("value=\"zh-Hant\" lang=\"zh-Hant\" selected").says("value=\"1 Road\"").says("value=\"nonsense\"");
        owner.send("/console/new-studio", &[("name", "X"), ("locale", "en")]).await.expect(422).says("Time zone");
        assert_eq!(house.how_many("SELECT COUNT(*) FROM studios").await, 1);
        let mut right = wrong;
        right[3].1 = "https://shop.example.test/";
        let opened = owner.send("/console/new-studio", &right).await.expect(303);
        let page = owner.see(&opened.to).await.expect(200).says("The studio is open.").says("Your first class in a few steps").says("Share your page").says("Enter your first member");
        let at = opened.to.split("/setup").next().unwrap().to_owned();
        let id = at.rsplit('/').next().unwrap();
        let studio = house.get(format!("/v1/studios/{id}")).await.expect(200);
        assert_eq!([&studio["name"], &studio["time_zone"], &studio["locale"], &studio["address"]], [&json!("Xuhui & Co"), &json!("Asia/Shanghai"), &json!("zh-Hant"), &json!("1 Road")]);

        // The owner teaches, without an invitation; once is enough.
        page.says("I teach here myself");
        owner.go(&format!("{at}/setup/teaching"), &[]).await.expect(200).says("You teach here.").says("Instructor").keeps_quiet_of("I teach here myself");
        owner.send(&format!("{at}/setup/teaching"), &[]).await.expect(303);
        let teaching = house.get(format!("/v1/studios/{id}/instructors")).await.expect(200);
        assert_eq!(teaching["instructors"][0]["id"], json!(house.studio.owner.id));
        // An admin who does keeps what they are.
        let mut admin = Browser::of(&house, &house.studio.admin).await;
        admin.go(&format!("/console/{}/setup/teaching", house.studio.id), &[]).await.expect(200).says("You teach here.");
        let staff = house.get(house.of_studio("staff")).by(&house.studio.admin).await.expect(200);
        let of_admin = staff["staff"].as_array().unwrap().iter().find(|one| one["person_id"] == json!(house.studio.admin.id)).unwrap();
        assert_eq!(of_admin["roles"].as_array().unwrap().len(), 2, "{of_admin}");

        // The page to share, and the lines for a website; they lead where they say.
        let page = owner.see(&format!("{at}/settings")).await.expect(200).says("Your page").says(&format!("/s/{id}\" readonly"));
        page.says(&format!("&#60;div data-releve-studio=&#34;{id}&#34; data-language=&#34;zh-Hant&#34;&#62;")).says("/s/embed.js&#34; async");
        owner.see(&format!("/s/{id}")).await.expect(200);
        owner.see("/s/embed.js").await.expect(200).says("data-releve-studio");
    }

    async fn an_owner_without_a_studio_begins_with_one(house: House) {
        house.audit_may_be_dirty();
        let owner = Browser::of(&house, &house.studio.owner).await;
        assert!(owner.see("/console").await.expect(303).to.ends_with("/today"), "of the one there is");
        house.write(|tx| Box::pin(async move {
            // All that a new studio of a test has.
            for sql in ["DELETE FROM staff", "DELETE FROM members", "DELETE FROM class_types", "DELETE FROM pass_types", "DELETE FROM rooms", "DELETE FROM studios"] {
                tx.run(sql, ()).await?;
            }
            Ok(0)
        })).await;
        assert_eq!(owner.see("/console").await.expect(303).to, "/console/new-studio");
        owner.see("/console/new-studio").await.expect(200).says("A new studio");
        owner.see("/console?choose=true").await.expect(200).says("/console/new-studio");
        let nobody = Browser::of(&house, &house.studio.desk).await;
        nobody.see("/console").await.expect(200).says("You work in no studio here").keeps_quiet_of("/console/new-studio");
    }

    async fn rooms_and_kinds_of_classes_are_changed(house: House) {
        let mut admin = Browser::of(&house, &house.studio.admin).await;
        let at = format!("/console/{}", house.studio.id);
        let (room, class) = (format!("{at}/rooms/{}", house.studio.room), format!("{at}/class-types/{}", house.studio.class_type));
        let setup = admin.see(&format!("{at}/setup")).await.expect(200).says(&room).says(&class).says("1 credit");
        setup.keeps_quiet_of("Credits 1");
        let page = admin.see(&room).await.expect(200);
        let version = page.field("version");
        admin.send(&room, &[("version", &version), ("name", ""), ("capacity", "9")]).await.expect(422).says("role=\"alert\"").says("value=\"9\"");
        admin.send(&room, &[("version", &version), ("name", "Blue room"), ("capacity", "many")]).await.expect(422).says("value=\"many\"").says("value=\"Blue room\"");
        admin.go(&room, &[("version", &version), ("name", "Blue room"), ("capacity", "9")]).await.expect(200).says("The room was changed.").says("Blue room");
        // Somebody else was faster: what was typed stays, and can be saved once more.
        let stale = admin.send(&room, &[("version", &version), ("name", "Red room"), ("capacity", "9")]).await.expect(412).says("value=\"Red room\"").says("<b>Now:</b> Blue room");
        let renewed = stale.field("version");
        admin.go(&room, &[("version", &renewed), ("name", "Red room"), ("capacity", "9")]).await.expect(200).says("Red room");
        let rooms = house.get(house.of_studio("rooms")).await.expect(200);
        assert_eq!((&rooms["rooms"][0]["name"], &rooms["rooms"][0]["capacity"]), (&json!("Red room"), &json!(9)));

        let version = admin.see(&class).await.expect(200).field("version");
        let fields = [("version", &*version), ("name", "Slow barre"), ("zh_hans", "慢速把杆"), ("level", "beginner"), ("minutes", "45"), ("credits", "2"), ("minimum", "3")];
        let mut wrong = fields;
        wrong[4].1 = "0";
        admin.send(&class, &wrong).await.expect(422).says("role=\"alert\"").says("Length in minutes").says("value=\"慢速把杆\"");
        admin.go(&class, &fields).await.expect(200).says("The kind of class was changed.").says("Slow barre").says("45 minutes · 2 credits");
        admin.send(&class, &fields).await.expect(412).says("value=\"Slow barre\"");
        let read = house.get(house.of_studio("class-types")).await.expect(200);
        let read = &read["class_types"][0];
        assert_eq!((&read["minutes"], &read["credits"], &read["minimum"], &read["level"]), (&json!(45), &json!(2), &json!(3), &json!("beginner")));
        // The usual levels are read in one's own language.
        admin.keep("releve_language", "zh-Hans");
        admin.see(&format!("{at}/setup")).await.expect(200).says("慢速把杆</a> <span class=\"tag\">初级</span>").says("45分钟 · 2次").says("卡种名称 (English)");
        admin.see(&room.replace(&house.studio.room.to_string(), &house.new_id().to_string())).await.expect(404);
    }

    /// A refused form of the page keeps all that was typed into it, and says so beside it and nowhere else.
    async fn a_refused_form_of_the_studio_keeps_what_was_typed(house: House) {
        let admin = Browser::of(&house, &house.studio.admin).await;
        let at = format!("/console/{}/setup", house.studio.id);
        let class = [("name", "Slow barre"), ("zh_hant", "慢速把桿"), ("level", "beginner"), ("minutes", "5000"), ("credits", "2")];
        let page = admin.send(&format!("{at}/class-types"), &class).await.expect(422);
        for kept in ["Slow barre", "慢速把桿", "beginner", "5000", "2"] {
            assert!(page.text.contains(&format!("value=\"{kept}\"")), "{kept}: {}", page.text);
        }
        assert_eq!(page.text.matches("role=\"alert\"").count(), 1);
        let (alert, form) = (page.text.find("role=\"alert\"").unwrap(), page.text.find("/setup/class-types").unwrap());
        assert!(alert < form && page.text[alert..form].len() < 400 && page.text.find("/setup/rooms").unwrap() < alert, "beside its form");
        let pass = [("name", "Ten"), ("kind", "membership"), ("number", "3"), ("valid_days", "30"), ("price", "many"), ("currency", "cny")];
        admin.send(&format!("{at}/pass-types"), &pass).await.expect(422).says("value=\"Ten\"").says("value=\"membership\" selected").says("value=\"many\"").says("value=\"cny\"");
        admin.send(&format!("{at}/invitations"), &[("email", "no address"), ("role", "front_desk")]).await.expect(422).says("value=\"no address\"").says("value=\"front_desk\" selected");
        admin.send(&format!("{at}/rooms"), &[("name", "Blue"), ("capacity", "0")]).await.expect(422).says("value=\"Blue\"");
    }

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
