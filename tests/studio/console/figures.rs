//! The pages of figures: what they say is what the reports say, and every figure leads to what is behind it.

use chrono::TimeDelta;
use serde_json::json;

use super::Browser;

both_engines! {
    async fn monday_says_what_the_report_says_and_leads_to_the_members(house: House) {
        house.letters_may_stay();
        let (ana, ben) = (house.member("Ana").await, house.member("Ben").await);
        let evening = house.plan("2026-12-01 18:30", 1).taught_by(&house.studio.instructor).await;
        let booking = house.book(&ana, &evening).await.expect_booked().id;
        house.book(&ben, &evening).await.expect_refused(409, "session-full");
        house.advance(TimeDelta::hours(32));
        house.put(format!("/v1/bookings/{booking}/check-in")).by(&house.studio.instructor).json(&json!({})).await.expect(200);
        // Monday, 7 December.
        house.advance(TimeDelta::days(6));
        let admin = Browser::of(&house, &house.studio.admin).await;
        let at = format!("/console/{}", house.studio.id);
        let page = admin.see(&format!("{at}/monday")).await.expect(200);
        let page = page.says("Mon 30 Nov 2026").says("100%").says("The week before").says("Tue 18:30").says("without a place: 1");
        page.says(&format!("instructor={}", house.studio.instructor.id)).says("Payments noted for passes");
        // The week before has none of it, and a week that is none is refused.
        admin.see(&format!("{at}/monday?week=2026-11-25")).await.expect(200).says("Mon 23 Nov 2026").keeps_quiet_of("Tue 18:30");
        admin.see(&format!("{at}/monday?week=soon")).await.expect(422);
        // Three weeks later Ana is missed, and the page leads to them.
        house.advance(TimeDelta::days(21));
        let admin = Browser::of(&house, &house.studio.admin).await;
        admin.see(&format!("{at}/monday")).await.expect(200).says("last visit Tue 1 Dec 2026").says(&format!("{at}/members/{}", ana.id));
        let file = admin.see(&format!("{at}/reports/monday?week=2026-12-01&format=csv")).await.expect(200).says("figures,bookings,1,0,0");
        assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    }

    async fn pictures_lead_to_the_classes_behind_them(house: House) {
        house.letters_may_stay();
        let (ana, ben) = (house.member("Ana").await, house.member("Ben").await);
        let colleague = house.colleague("Mei").await;
        let evening = house.plan("2026-12-01 18:30", 4).taught_by(&house.studio.instructor).await;
        let morning = house.plan("2026-12-02 09:00", 1).taught_by(&colleague).await;
        let booking = house.book(&ana, &evening).await.expect_booked().id;
        let next = house.book(&ana, &morning).await.expect_booked().id;
        house.book(&ben, &morning).await.expect_refused(409, "session-full");
        house.advance(TimeDelta::hours(32));
        house.put(format!("/v1/bookings/{booking}/check-in")).by(&house.studio.instructor).json(&json!({})).await.expect(200);
        house.advance(TimeDelta::hours(15));
        house.put(format!("/v1/bookings/{next}/check-in")).by(&house.studio.desk).json(&json!({})).await.expect(200);
        house.advance(TimeDelta::hours(129));
        let admin = Browser::of(&house, &house.studio.admin).await;
        let at = format!("/console/{}", house.studio.id);
        let page = admin.see(&format!("{at}/attendance")).await.expect(200);
        // Each square says in words what it shows, and where it leads.
        let page = page.says("<title>Tue 18:00: 25%, 1/4, classes: 1</title>").says("<title>Wed 09:00: 100%, 1/1, classes: 1</title>");
        let page = page.says("weekday=2&#38;hour=18").says("Week from Mon 30 Nov 2026: Came 2").says("Wed 09:00: without a place: 1").says("<desc id=\"hour-desc\">");
        page.says("reports/attendance?by=weekday_hour&amp;from=2026-11-09&amp;to=2026-12-07");
        let behind = admin.see(&format!("{at}/attendance/sessions?from=2026-12-01&to=2026-12-06&weekday=2&hour=18")).await.expect(200);
        behind.says(&format!("/sessions/{}", evening.id)).keeps_quiet_of(&format!("/sessions/{}", morning.id)).says("1/4");
        let of_instructor = format!("{at}/attendance/sessions?from=2026-12-01&to=2026-12-06&instructor={}", house.studio.instructor.id);
        admin.see(&of_instructor).await.expect(200).says(&evening.id.to_string()).keeps_quiet_of(&morning.id.to_string());
        // Another studio's instructor taught none of these.
        let of_nobody = format!("{at}/attendance/sessions?instructor={}", house.new_id());
        admin.see(&of_nobody).await.expect(200).says("No classes on these days.");
        // Days that are none are said, and the page is there.
        admin.see(&format!("{at}/attendance?from=2026-12-06&to=2026-12-01")).await.expect(422).says("role=\"alert\"").says("How full");
        admin.see(&format!("{at}/attendance?from=2020-01-01&to=2026-12-01")).await.expect(422).says("role=\"alert\"");
        admin.see(&format!("{at}/attendance?from=2027-01-01&to=2027-01-02")).await.expect(200).says("No classes on these days.");
        let file = admin.see(&format!("{at}/reports/attendance?by=weekday_hour&from=2026-12-01&to=2026-12-07&format=csv")).await.expect(200);
        file.says("2,18,").says("3,9,");
        admin.see(&format!("{at}/reports/pay?format=csv")).await.expect(404);
        // Pages of figures are read by those who run the studio, and the frame shows them to nobody else.
        let desk = Browser::of(&house, &house.studio.desk).await;
        desk.see(&format!("{at}/today")).await.expect(200).keeps_quiet_of("/attendance").keeps_quiet_of("/monday");
    }
}
