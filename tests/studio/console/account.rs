//! One's own account: a second factor is set up with nothing but a browser and a phone, and taken away; devices are signed out.

use chrono::TimeDelta;

use super::Browser;
use crate::accounts::PASSWORD;
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
