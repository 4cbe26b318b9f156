//! One's own account: a second factor is set up with nothing but a browser and a phone, and taken away; devices are signed out.

use chrono::TimeDelta;
use serde_json::Value;

use super::Browser;
use crate::accounts::PASSWORD;
use crate::passkeys::Authenticator as Passkey;
use crate::second_factors::Authenticator;

both_engines! {
    async fn a_second_factor_is_set_up_and_taken_away(house: House) {
        house.letters_may_stay();
        house.join_up("ana@example.test").await;
        let mut browser = Browser::new(&house);
        let signing_in = [("email", "ana@example.test"), ("password", PASSWORD)];
        browser.go("/console/sign-in", &signing_in).await.says("/console/account");
        let mut other = Browser::new(&house);
        other.go("/console/sign-in", &signing_in).await;
        browser.see("/console/account").await.expect(200).says("None yet.").says("Relevé console").says("this one");

        // No studio tells by which clock they live; the one that knows them does.
        browser.see("/console/account").await.expect(200).says(" UTC");
        let tokens: crate::accounts::Tokens = house.sign_in("ana@example.test", PASSWORD).await.expect(200).into();
        house.put(house.of_studio("members/me")).token(&tokens.access).await.expect(200);
        browser.see("/console/account").await.expect(200).says("last used").keeps_quiet_of(" UTC");

        let at = "/console/account/second-factors";
        browser.send(at, &[("password", "not-the-password")]).await.expect(422).says("role=\"alert\"").keeps_quiet_of("<code>");
        let setup = browser.send(at, &[("password", PASSWORD), ("name", "My phone")]).await.expect(200).says("<svg class=\"qr\"").says("otpauth://totp/");
        let (id, secret, uri) = (setup.field("id"), setup.field("secret"), setup.field("uri"));
        assert!(setup.text.contains(&format!("<code>{secret}</code>")));
        let authenticator = Authenticator::of(&secret);
        let confirm = format!("{at}/confirmation");
        // A wrong code leaves all of it to try again.
        let wrong = authenticator.wrong(&house);
        let again = browser.send(&confirm, &[("id", &id), ("secret", &secret), ("uri", &uri), ("code", &wrong)]).await.expect(422).says("role=\"alert\"").says("<svg class=\"qr\"");
        assert_eq!(again.field("secret"), secret);
        let right = authenticator.code(&house);
        let spaced = format!("{} {}", &right[..3], &right[3..]);
        let on = browser.send(&confirm, &[("id", &id), ("secret", &secret), ("uri", &uri), ("code", &spaced)]).await.expect(200).says("It is on").says("Recovery codes");
        let codes: Vec<String> = on.text.split("<code>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect();
        assert_eq!(codes.len(), 10);
        // They are shown this once; other devices are signed out.
        browser.see("/console/account").await.expect(200).says("Authenticator app: My phone").says("Recovery codes left: 10").keeps_quiet_of(&codes[0]).keeps_quiet_of(&secret);
        other.see("/console/account").await.expect(303);

        house.advance(TimeDelta::seconds(30));
        let code = authenticator.code(&house);
        let renewed = browser.send("/console/account/recovery-codes", &[("password", PASSWORD), ("code", &code)]).await.expect(200);
        assert!(!renewed.text.contains(&codes[0]) && renewed.text.matches("<code>").count() == 10);
        let recovery = renewed.text.split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
        let removal = format!("{at}/{id}/removal");
        browser.send(&removal, &[("password", PASSWORD)]).await.expect(422).says("role=\"alert\"");
        browser.send(&removal, &[("password", PASSWORD), ("code", &codes[0])]).await.expect(422).says("role=\"alert\"");
        browser.go(&removal, &[("password", PASSWORD), ("code", &recovery)]).await.expect(200).says("The second factor counts no more.").says("None yet.");
        // From now on the password is enough.
        other.go("/console/sign-in", &signing_in).await.expect(200).keeps_quiet_of("One more step");
    }

    async fn a_passkey_is_added_and_stands_in_for_a_code(house: House) {
        house.join_up("ana@example.test").await;
        house.letters_may_stay();
        let mut browser = Browser::new(&house);
        browser.go("/console/sign-in", &[("email", "ana@example.test"), ("password", PASSWORD)]).await;
        // Where this is reached by a number, there are none to add.
        browser.see("/console/account").await.expect(200).keeps_quiet_of("/console/account/passkeys");
        browser.send("/console/account/passkeys", &[("password", PASSWORD)]).await.expect(409).says("role=\"alert\"");

        let Some(house) = house.named().await else { return };
        house.join_up("ana@example.test").await;
        house.letters_may_stay();
        let mut browser = Browser::new(&house);
        browser.go("/console/sign-in", &[("email", "ana@example.test"), ("password", PASSWORD)]).await;
        browser.see("/console/account").await.expect(200).says("Add a passkey");
        browser.send("/console/account/passkeys", &[("password", "not-the-password")]).await.expect(422).says("role=\"alert\"");
        let setup = browser.send("/console/account/passkeys", &[("password", PASSWORD), ("name", "My key")]).await.expect(200);
        let mut authenticator = Passkey::new();
        let options = setup.json_of("data-new-passkey");
        let (id, confirm) = (setup.field("id"), "/console/account/second-factors/confirmation");
        browser.send(confirm, &[("id", &id), ("passkey", "nonsense")]).await.expect(422).says("role=\"alert\"");
        let created = authenticator.create(&options).to_string();
        browser.send(confirm, &[("id", &id), ("passkey", &created)]).await.expect(200).says("It is on").says("Recovery codes");
        browser.see("/console/account").await.expect(200).says("Passkey: My key").says("data-prove=\"/console/account/passkeys/question\"");

        // It is the second step, and stands in for a code where something is changed.
        let mut other = Browser::new(&house);
        let step = other.send("/console/sign-in", &[("email", "ana@example.test"), ("password", PASSWORD)]).await.expect(200);
        let answer = authenticator.get(&step.json_of("data-passkey")).to_string();
        other.go("/console/sign-in/second-factor", &[("challenge", &step.field("challenge")), ("passkey", &answer)]).await.expect(200);
        other.see("/console/account").await.expect(200).says("My key");
        let asked: Value = serde_json::from_str(&other.send("/console/account/passkeys/question", &[]).await.expect(200).text).unwrap();
        let answer = authenticator.get(&asked["passkey"]).to_string();
        other.send("/console/account/recovery-codes", &[("password", PASSWORD), ("passkey", "{}")]).await.expect(422);
        other.send("/console/account/recovery-codes", &[("password", PASSWORD), ("passkey", &answer)]).await.expect(200).says("Recovery codes");
        // No answer counts twice.
        other.send(&format!("/console/account/second-factors/{id}/removal"), &[("password", PASSWORD), ("passkey", &answer)]).await.expect(422);
        let asked: Value = serde_json::from_str(&other.send("/console/account/passkeys/question", &[]).await.expect(200).text).unwrap();
        let answer = authenticator.get(&asked["passkey"]).to_string();
        other.go(&format!("/console/account/second-factors/{id}/removal"), &[("password", PASSWORD), ("passkey", &answer)]).await.expect(200).says("None yet.");
    }

    async fn a_device_is_signed_out_from_another(house: House) {
        let desk = house.studio.desk.clone();
        let mut browser = Browser::of(&house, &desk).await;
        let other = Browser::of(&house, &desk).await;
        let page = browser.see("/console/account").await.expect(200);
        let today = format!("/console/{}/today", house.studio.id);
        other.see(&today).await.expect(200);
        let devices: Vec<String> = page.text.split("/console/account/devices/").skip(1).map(|rest| rest.split('/').next().unwrap().to_owned()).collect();
        for device in &devices {
            browser.go(&format!("/console/account/devices/{device}/end"), &[]).await.expect(200).says("The device is signed out.");
        }
        other.see(&today).await.expect(303);
        // This one stays, and nobody ends somebody else's.
        browser.see(&today).await.expect(200).says("/console/account");
        let admin = Browser::of(&house, &house.studio.admin).await;
        let theirs = admin.see("/console/account").await.expect(200);
        let own = theirs.text.split("/console/account/devices/").nth(1).map(|rest| rest.split('/').next().unwrap().to_owned());
        if let Some(own) = own {
            browser.send(&format!("/console/account/devices/{own}/end"), &[]).await.expect(404);
        }
    }
}
