//! The public pages, as a browser sees them: anybody reads the schedule; who comes for a class lands on that class; a member books, waits
//! and cancels there with the cost told before; and nobody else learns of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::accounts::PASSWORD;
use crate::console::Browser;
use crate::routes::routed;

/// The data that search engines read.
fn linked(page: &str) -> Value {
    let (_, rest) = page.split_once("<script type=\"application/ld+json\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

/// Which pages need whoever is signed in.
const OWN: [&str; 8] = [
    "get /me",
    "get /me/pocket",
    "get /me/passes",
    "get /me/letters",
    "get /b/{booking_id}",
    "post /b/{booking_id}/cancellation",
    "post /b/{booking_id}/acceptance",
    "post /s/{studio}/classes/{session}",
];

both_engines! {
    async fn anybody_reads_the_schedule_and_nobody_a_draft(house: House) {
        house.it_is("2026-12-01 09:00");
        let open = house.session("2026-12-02 18:30", 5).await;
        let hidden = house.plan("2026-12-02 20:00", 5).draft().await;
        let browser = Browser::new(&house);
        let at = format!("/s/{}", house.studio.id);
        let shown = browser.see(&format!("{at}?language=en")).await.expect(200);
        assert!(shown.header("content-security-policy").ends_with("frame-ancestors 'none'"));
        assert!(!shown.header("content-security-policy").contains("unsafe"));
        assert!(shown.header("set-cookie").starts_with("releve_language=en;"));
        let shown = shown.says("18:30").says("5 places").says(&format!("{at}/classes/{}", open.id)).keeps_quiet_of(&hidden.id.to_string());
        let data = linked(&shown.text);
        assert_eq!((&data["@type"], &data["event"][0]["@type"]), (&Value::from("SportsActivityLocation"), &Value::from("Event")));
        assert_eq!(data["event"].as_array().unwrap().len(), 1);
        assert_eq!(data["event"][0]["startDate"], "2026-12-02T18:30:00+08:00");
        shown.says("property=\"og:title\"").says("rel=\"canonical\"");

        // Each day is at hand.
        house.session("2026-12-04 18:30", 5).await;
        house.advance(chrono::TimeDelta::seconds(2));
        browser.see(&format!("{at}?from=2026-12-02")).await.expect(200).says("href=\"#d-2026-12-04\"").says("id=\"d-2026-12-04\"");

        // The same bytes are not sent twice, and another language is another page.
        let plain = browser.see(&at).await.expect(200);
        assert_eq!(plain.header("cache-control"), "public, no-cache");
        let tag = plain.header("etag").to_owned();
        let again = house.get(&at).header("If-None-Match", &tag).await;
        assert_eq!(again.status, 304);
        browser.see(&format!("{at}?language=zh-Hant")).await.expect(200).says("lang=\"zh-Hant\"").says("剩5個名額");

        // A choice of an instructor who does not teach shows nothing; a choice that is none is none.
        let nobody = house.new_id();
        browser.see(&format!("{at}?instructor={nobody}")).await.expect(200).keeps_quiet_of(&open.id.to_string());
        browser.see(&format!("{at}?instructor=x&class_type=")).await.expect(200).says(&open.id.to_string());
        browser.see(&format!("{at}?from=2026-13-01")).await.expect(422);
        browser.see(&format!("/s/{nobody}")).await.expect(404);
        browser.see(&format!("{at}/classes/{}", hidden.id)).await.expect(404);
        browser.see(&format!("/s/{nobody}/classes/{}", open.id)).await.expect(404);

        // Only the page that is made for it may be framed, and it signs nobody in.
        let framed = browser.see(&format!("{at}/embed")).await.expect(200);
        assert!(framed.header("content-security-policy").ends_with("frame-ancestors *"), "{}", framed.header("content-security-policy"));
        framed.says("target=\"_top\"").says(&open.id.to_string()).keeps_quiet_of("/me/sign-in");
    }

    async fn what_one_reader_asked_with_stands_in_nobody_elses_page(house: House) {
        house.it_is("2026-12-01 09:00");
        let session = house.session("2026-12-02 18:30", 5).await;
        let browser = Browser::new(&house);
        for at in [format!("/s/{}", house.studio.id), format!("/s/{}/embed", house.studio.id)] {
            let long = "x".repeat(4_000);
            // Who comes first, and whoever comes after them.
            let first = browser.see(&format!("{at}?email=ana%40example.test&token=SECRET&{long}=1")).await.expect(200);
            let after = browser.see(&format!("{at}?token=ANOTHER")).await.expect(200);
            let plain = browser.see(&at).await.expect(200).says(&session.id.to_string());
            for other in [first, after] {
                assert_eq!(other.header("etag"), plain.header("etag"));
                assert_eq!(other.text, plain.text);
            }
            plain.keeps_quiet_of("SECRET").keeps_quiet_of("ANOTHER").keeps_quiet_of("ana%40").keeps_quiet_of("xxxx");
        }
        // What was chosen stays, in another language and after signing in.
        let at = format!("/s/{}", house.studio.id);
        let nobody = house.new_id();
        let chosen = browser.see(&format!("{at}?token=SECRET&instructor={nobody}&from=2026-12-02&class_type=x")).await.expect(200);
        let kept = format!("{at}?from=2026-12-02&amp;instructor={nobody}&amp;language=en").replace("&amp;", "&#38;");
        chosen.says(&kept).says(&format!("%3Ffrom%3D2026-12-02%26instructor%3D{nobody}")).keeps_quiet_of("SECRET");
    }

    async fn who_makes_an_account_for_a_class_lands_on_it_and_books(house: House) {
        house.it_is("2026-12-01 09:00");
        let session = house.session("2026-12-02 18:30", 5).await;
        let at = format!("/s/{}/classes/{}", house.studio.id, session.id);
        let mut browser = Browser::new(&house);
        let class = browser.see(&format!("{at}?language=en")).await.expect(200);
        assert_eq!(linked(&class.text)["@type"], "Event");
        let next = format!("/me/sign-up?next={}", url::form_urlencoded::byte_serialize(at.as_bytes()).collect::<String>());
        class.says("Sign in to book").says(&next);
        let form = browser.see(&next).await.expect(200);
        assert_eq!(form.field("next"), at);
        let fields = [("name", "Ana Ruiz"), ("email", "ana@example.test"), ("password", PASSWORD), ("next", at.as_str())];
        browser.send("/me/sign-up", &[("name", "Ana"), ("email", "ana@example.test"), ("password", "short"), ("next", &at)]).await.expect(422).says("role=\"alert\"");
        let asked = browser.send("/me/sign-up", &fields).await.expect(200);
        let (token, code) = (asked.field("token"), house.code_to("ana@example.test").await);
        let wrong = crate::accounts::another(&code);
        let with = |code| [("email", "ana@example.test"), ("token", token.as_str()), ("next", at.as_str()), ("code", code)];
        assert!((400..500).contains(&browser.send("/me/sign-up/code", &with(&wrong)).await.says("role=\"alert\"").status));
        let landed = browser.go("/me/sign-up/code", &with(&code)).await.expect(200);
        let landed = landed.says("<h1>");
        let booking = landed.text.contains("name=\"booking\"").then(|| landed.field("booking"));
        assert_eq!(booking, None, "nothing pays: there is nothing to tap");

        // With a pass there is, and a tap that is sent twice books once.
        let tokens: crate::accounts::Tokens = house.sign_in("ana@example.test", PASSWORD).await.expect(200).into();
        let person = house.me(&tokens).await.expect(200).id();
        house.put(house.of_studio("members/me")).token(&tokens.access).await.expect(200);
        let ana = crate::seed::Person { id: person, ..house.studio.owner.clone() };
        house.pack(&ana, 5).await;
        let booking = browser.see(&at).await.expect(200).field("booking");
        for _ in 0..2 {
            let sent = browser.send(&at, &[("booking", &booking)]).await.expect(303);
            assert_eq!(sent.to, format!("/b/{booking}?said=booked"));
        }
        browser.see(&format!("/b/{booking}?said=booked")).await.expect(200).says("You are in.").says("<svg viewBox").says("Cancel the booking");
        browser.see("/me").await.expect(200).says(&format!("/b/{booking}"));
        browser.see("/me/passes").await.expect(200).says("4 credits").says("Jing");
        browser.see("/me/letters").await.expect(200);
        browser.see(&at).await.expect(200).says(&format!("/b/{booking}")).keeps_quiet_of("name=\"booking\"");
        browser.see(&format!("/s/{}", house.studio.id)).await.expect(200).says("You are in");
        // What a phone keeps says as of when it is.
        browser.see("/me/pocket").await.expect(200).says("As of Tue 1 Dec, 09:00").says("Then: Booked").says("<svg viewBox");

        let out = browser.send("/me/sign-out", &[]).await.expect(303);
        assert_eq!(out.header("clear-site-data"), "\"storage\"");
        browser.see("/me").await.expect(303);
        house.letters_may_stay();
    }

    async fn an_invitation_is_accepted_in_a_browser(house: House) {
        house.letters_may_stay();
        let console = format!("/console/{}/today", house.studio.id);
        // Whoever has no account makes one with the code.
        let code = house.invite("new@example.test", &["instructor"]).await;
        let letter = house.mails_to("new@example.test").await.pop().unwrap();
        assert!(letter.contains(&format!("{}/me/invitation#{code}", house.app.settings.server.public_url)), "{letter}");
        let mut browser = Browser::new(&house);
        browser.see("/me/invitation").await.expect(200).says("data-from-link").says("/me/sign-in?next=%2Fme%2Finvitation");
        browser.send("/me/invitation", &[("code", "7K3M-9QXT-2B4C-HN8P")]).await.expect(422).says("role=\"alert\"").keeps_quiet_of("name=\"password\"");
        browser.send("/me/invitation", &[]).await.expect(422).says("role=\"alert\"");
        browser.ask(reqwest::Method::POST, "/me/invitation", Some(&[("code", &code)]), "https://evil.test").await.expect(403);
        let asked = browser.send("/me/invitation", &[("code", &code)]).await.expect(200).says("name=\"name\"").says("name=\"password\"");
        assert_eq!(asked.field("code"), code);
        browser.send("/me/invitation", &[("code", &code), ("name", "Nia"), ("password", "short")]).await.expect(422).says("role=\"alert\"").says("value=\"Nia\"");
        let fields = [("code", code.as_str()), ("name", "Nia"), ("password", PASSWORD)];
        assert_eq!(browser.send("/me/invitation", &fields).await.expect(303).to, console);
        browser.go("/me/invitation", &fields).await.expect(200).says("Nia");

        // Whoever has one and is not signed in shows by its password that it is theirs.
        house.join_up("ana@example.test").await;
        let code = house.invite("ana@example.test", &["front_desk"]).await;
        let mut browser = Browser::new(&house);
        browser.send("/me/invitation", &[("code", &code)]).await.expect(200).says("name=\"password\"").keeps_quiet_of("name=\"name\"");
        browser.send("/me/invitation", &[("code", &code), ("password", "not-the-password")]).await.expect(401).says("role=\"alert\"");
        browser.go("/me/invitation", &[("code", &code), ("password", PASSWORD)]).await.expect(200).says("Ana Ruiz");

        // Whoever is signed in and works nowhere types the code where the console begins, and lands in it.
        house.join_up("bo@example.test").await;
        let code = house.invite("bo@example.test", &["admin"]).await;
        let mut bo = Browser::new(&house);
        let home = bo.go("/console/sign-in", &[("email", "bo@example.test"), ("password", PASSWORD)]).await.expect(200);
        home.says("action=\"/me/invitation\"").says("name=\"code\"");
        let mut another = Browser::new(&house);
        another.go("/console/sign-in", &[("email", "ana@example.test"), ("password", PASSWORD)]).await;
        another.send("/me/invitation", &[("code", &code)]).await.expect(200).says("another address").says("name=\"password\"");
        let landed = bo.send("/me/invitation", &[("code", &code)]).await.expect(303);
        assert_eq!(landed.to, console);
        bo.go("/me/invitation", &[("code", &code)]).await.expect(200).says(&format!("/console/{}/team", house.studio.id));
        // In the end it counts no more.
        house.advance(chrono::TimeDelta::days(15));
        Browser::new(&house).send("/me/invitation", &[("code", &code)]).await.expect(422).says("role=\"alert\"");
    }

    async fn letters_are_dated_by_the_studios_clock(house: House) {
        house.it_is("2026-12-01 09:00");
        let ana = house.member("Ana").await;
        let session = house.session("2026-12-02 18:30", 5).await;
        house.book(&ana, &session).await.expect_booked();
        let browser = Browser::of(&house, &ana).await;
        browser.see("/me/letters").await.expect(200).says("Tue 1 Dec 2026, 09:00").keeps_quiet_of("UTC<");
        house.letters_may_stay();
    }

    async fn passes_that_are_over_stand_folded_below_the_others(house: House) {
        house.it_is("2026-12-01 09:00");
        let ana = house.stranger("Ana").await;
        house.pack_until(&ana, 1, house.today()).await;
        let session = house.session("2026-12-01 18:30", 5).await;
        house.book(&ana, &session).await.expect_booked();
        let browser = Browser::of(&house, &ana).await;
        let only = browser.see("/me/passes").await.expect(200).says("(1)</summary>");
        assert!(only.text.find("<details").unwrap() < only.text.find(">Used up</span>").unwrap(), "{}", only.text);
        house.pack(&ana, 10).await;
        let both = browser.see("/me/passes").await.expect(200);
        let at = |what: &str| both.text.find(what).unwrap_or_else(|| panic!("{what}: {}", both.text));
        assert!(at(">Active</span>") < at("<details class=\"over\"") && at("<details class=\"over\"") < at(">Used up</span>"));
        // The desk reads them so too.
        let desk = Browser::of(&house, &house.studio.desk).await;
        let page = desk.see(&format!("/console/{}/members/{}", house.studio.id, ana.id)).await.expect(200);
        let at = |what: &str| page.text.find(what).unwrap_or_else(|| panic!("{what}: {}", page.text));
        assert!(at(">active</span>") < at("(1)</summary>") && at("(1)</summary>") < at(">used up</span>"));
        house.letters_may_stay();
    }

    async fn whoever_asks_too_often_reads_when_to_come_again(house: House) {
        house.letters_may_stay();
        house.join_up("ana@example.test").await;
        let browser = Browser::new(&house);
        for page in ["/me/sign-in", "/console/sign-in"] {
            let mut refused = None;
            for _ in 0..40 {
                let shown = browser.send(page, &[("email", "ana@example.test"), ("password", "not-the-password")]).await;
                if shown.status == 429 {
                    refused = Some(shown);
                    break;
                }
            }
            let shown = refused.unwrap_or_else(|| panic!("{page}: forty wrong passwords were heard"));
            let seconds: u64 = shown.header("retry-after").parse().unwrap_or_else(|_| panic!("{page}: {:?}", shown.headers));
            assert!(seconds >= 1);
            shown.says("role=\"alert\"");
        }
    }

    async fn the_front_page_leads_to_the_studios(house: House) {
        let front = Browser::new(&house).see("/").await.expect(200);
        front.says(&format!("href=\"/s/{}\"", house.studio.id)).says("href=\"/me\"").keeps_quiet_of("asks this address");
        // Who is signed in goes on: who works here to the console, a member to their own.
        let ana = house.member("Ana").await;
        assert_eq!(Browser::of(&house, &ana).await.see("/").await.expect(303).to, "/me");
        assert_eq!(Browser::of(&house, &house.studio.desk).await.see("/").await.expect(303).to, "/console");
    }

    async fn whoever_has_several_passes_says_which_pays(house: House) {
        house.letters_may_stay();
        house.it_is("2026-12-01 09:00");
        let (ana, ben) = (house.member("Ana").await, house.member("Ben").await);
        let unlimited = house.membership(&ana, None).await;
        let (first, second) = (house.session("2026-12-02 18:30", 5).await, house.session("2026-12-03 18:30", 5).await);
        let at = |session: &crate::seed::Session| format!("/s/{}/classes/{}", house.studio.id, session.id);
        let browser = Browser::of(&house, &ana).await;
        let page = browser.see(&at(&first)).await.expect(200).says("Which pass pays");
        let offered: Vec<&str> = page.text.split("name=\"pass\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert_eq!(offered.len(), 2, "{}", page.text);
        // The membership pays by itself, and is the one that is chosen.
        let usual = unlimited.id.to_string();
        assert!(offered[0] == usual && page.text.contains(&format!("value=\"{usual}\" checked")), "{}", page.text);
        let (pack, booking) = (offered[1].to_owned(), page.field("booking"));
        browser.send(&at(&first), &[("booking", &booking), ("pass", &pack)]).await.expect(303);
        let booked = house.get(format!("/v1/bookings/{booking}")).by(&ana).await.expect(200);
        assert_eq!((&booked["pass_id"], &booked["credits"]), (&json!(pack), &json!(1)));
        let booking = browser.see(&at(&second)).await.field("booking");
        browser.send(&at(&second), &[("booking", &booking)]).await.expect(303);
        assert_eq!(house.get(format!("/v1/bookings/{booking}")).by(&ana).await.expect(200)["pass_id"], json!(usual));
        // A pass of somebody else's pays for nothing, and who has one has no choice.
        let his = Browser::of(&house, &ben).await;
        let page = his.see(&at(&second)).await.expect(200).keeps_quiet_of("Which pass pays");
        his.send(&at(&second), &[("booking", &page.field("booking")), ("pass", &pack)]).await.expect(402).says("role=\"alert\"");
    }

    async fn cancelling_costs_what_the_page_said(house: House) {
        house.it_is("2026-12-01 09:00");
        house.rules(json!({"late_cancels_forgiven": 0})).await;
        let (ana, mo) = (house.member("Ana").await, house.member("Mo").await);
        let session = house.session("2026-12-02 18:30", 1).await;
        let booked = house.book(&ana, &session).await.expect_booked();
        let (hers, his) = (Browser::of(&house, &ana).await, Browser::of(&house, &mo).await);
        let page = format!("/b/{}", booked.id);
        let seen = hers.see(&page).await.expect(200);
        assert_eq!((seen.field("if_free"), seen.field("if_status")), ("true".to_owned(), "booked".to_owned()));
        // Nobody else learns of it, or changes it; nor does another site.
        his.see(&page).await.expect(404);
        his.send(&format!("{page}/cancellation"), &[]).await.expect(404);
        hers.ask(reqwest::Method::POST, &format!("{page}/cancellation"), Some(&[]), "https://evil.test").await.expect(403);
        assert_eq!(house.now(&booked).await["status"], "booked");

        // Mo waits.
        let at = format!("/s/{}/classes/{}", house.studio.id, session.id);
        let class = his.see(&format!("{at}?language=en")).await.expect(200).says("Join the waitlist").says("Full");
        let waits = class.field("booking");
        assert_eq!(his.send(&at, &[("booking", &waits), ("waitlist", &class.field("waitlist"))]).await.expect(303).to, format!("/b/{waits}?said=waitlisted"));
        his.see(&format!("/b/{waits}")).await.expect(200).says("Leave the waitlist");
        his.send(&format!("/b/{waits}/acceptance"), &[]).await.expect(409).says("role=\"alert\"");

        // By the time of the tap it is not free any more: nothing is taken, and the page says so.
        house.it_is("2026-12-02 12:00");
        let refused = hers.send(&format!("{page}/cancellation"), &[("if_free", "true"), ("if_status", "booked")]).await.expect(409).says("role=\"alert\"");
        assert!(!refused.text.contains("name=\"if_free\""));
        assert_eq!(house.now(&booked).await["status"], "booked");
        let done = hers.send(&format!("{page}/cancellation"), &[("if_status", "booked")]).await.expect(303);
        assert_eq!(done.to, format!("{page}?said=cancelled"));
        assert_eq!(house.now(&booked).await["status"], "late_cancelled");
        hers.see(&page).await.expect(200).says("It was late and cost you 1 credit");
        // In time, it says what came back.
        let early = house.book(&mo, &house.session("2026-12-05 18:30", 5).await).await.expect_booked();
        let page = format!("/b/{}", early.id);
        his.see(&page).await.expect(200).keeps_quiet_of("went back");
        his.send(&format!("{page}/cancellation"), &[("if_free", "true"), ("if_status", "booked")]).await.expect(303);
        his.see(&page).await.expect(200).says("1 credit went back to your pass.");
        house.letters_may_stay();
    }

    async fn who_is_not_signed_in_signs_in_and_lands_there(house: House) {
        house.join_up("ana@example.test").await;
        let mut browser = Browser::new(&house);
        let booking = format!("/b/{}", house.new_id());
        for page in OWN {
            let (method, path) = page.split_once(' ').unwrap();
            let path = path.replace("{booking_id}", &house.new_id().to_string()).replace("{studio}", &house.studio.id.to_string());
            let path = path.replace("{session}", &house.new_id().to_string());
            let sent = if method == "get" { browser.see(&path).await } else { browser.send(&path, &[]).await }.expect(303);
            assert!(sent.to.starts_with("/me/sign-in"), "{page}: {}", sent.to);
        }
        let sent = browser.see(&booking).await.expect(303);
        let form = browser.see(&sent.to).await.expect(200);
        assert_eq!(form.field("next"), booking);
        browser.send("/me/sign-in", &[("email", "ana@example.test"), ("password", "not-the-password")]).await.expect(401).says("role=\"alert\"");
        let astray = browser.send("/me/sign-in", &[("email", "ana@example.test"), ("password", PASSWORD), ("next", "//evil.test")]).await.expect(303);
        assert_eq!(astray.to, "/me");
        let in_now = browser.send("/me/sign-in", &[("email", "ana@example.test"), ("password", PASSWORD), ("next", &booking)]).await.expect(303);
        assert_eq!(in_now.to, booking);
        let cookie = in_now.header("set-cookie").to_owned();
        assert!(cookie.contains("; HttpOnly; SameSite=Lax; "), "{cookie}");
        // There is no such booking, which only who is signed in learns.
        browser.go("/me/sign-in", &[("email", "ana@example.test"), ("password", PASSWORD), ("next", &booking)]).await.expect(404);

        // A password that was forgotten is set by a code.
        browser.send("/me/forgotten", &[("email", "ana@example.test")]).await.expect(200).says("name=\"code\"");
        let code = house.code_to("ana@example.test").await;
        let set = browser.send("/me/forgotten/password", &[("email", "ana@example.test"), ("code", &code), ("password", "another-plie-tendu")]).await.expect(303);
        assert_eq!(set.to, "/me/sign-in?said=password");
        house.sign_in("ana@example.test", "another-plie-tendu").await.expect(200);
        house.letters_may_stay();
    }

    async fn a_phone_installs_what_it_needs(house: House) {
        let browser = Browser::new(&house);
        let manifest = browser.see("/me/app.webmanifest").await.expect(200);
        let manifest: Value = serde_json::from_str(&manifest.text).unwrap();
        for icon in manifest["icons"].as_array().unwrap() {
            browser.see(icon["src"].as_str().unwrap()).await.expect(200);
        }
        let worker = browser.see("/me/worker.js").await.expect(200).says("/me/pocket");
        assert_eq!((worker.header("service-worker-allowed"), worker.header("content-type")), ("/", "text/javascript; charset=utf-8"));
        browser.see("/s/embed.js").await.expect(200).says("data-releve-studio");
        browser.see("/me/icons/7.png").await.expect(404);
    }
}

#[test]
fn every_page_of_a_member_is_asked_for() {
    let letters = routed(include_str!("../../src/routes.rs")).into_iter().filter(|route| route.contains(" /b/"));
    let own: BTreeSet<String> = routed(include_str!("../../src/public/routes.rs"))
        .into_iter()
        .chain(letters)
        .filter(|route| {
            !route.contains("/s/")
                && !route.contains("sign-")
                && !route.contains("forgotten")
                && !route.contains("invitation")
                && !route.contains('.')
                && !route.contains("icons")
        })
        .collect();
    let told: BTreeSet<String> = OWN.iter().map(|route| (*route).to_owned()).filter(|route| !route.contains("/s/")).collect();
    assert_eq!(own, told);
}
