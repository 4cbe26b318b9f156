//! Visitors: somebody of a partner, without an account, whom the front desk enters in place of a person.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::house::House;
use crate::seed::Session;
use crate::speech::{Booking, Reply, Tap};

fn vi() -> Value {
    json!({"name": "Vi Sitor", "phone": "+86 21 5555 0100", "source": "ClassPass"})
}

impl House {
    /// The desk enters a visitor.
    fn enter_visitor(&self, session: &Session, visitor: Value) -> Tap {
        self.book(&self.studio.desk, session).saying("visitor", visitor)
    }

    async fn mark_visitor(&self, booking: &Booking, came: bool) -> Reply {
        let path = format!("/v1/bookings/{}/check-in", booking.id);
        let call = if came { self.put(path).json(&json!({})) } else { self.delete(path) };
        call.by(&self.studio.desk).await
    }

    async fn letters_about(&self, booking: &Booking) -> i64 {
        self.count("SELECT COUNT(*) FROM letters WHERE booking_id = $1", booking.id).await
    }

    async fn report_of_that_day(&self) -> Value {
        let path = format!("/v1/studios/{}/reports/attendance?from=2026-12-03&to=2026-12-04", self.studio.id);
        self.get(path).by(&self.studio.admin).await.expect(200).body
    }
}

both_engines! {
    async fn the_desk_enters_a_visitor(house: House) {
        let evening = house.session("2026-12-03 18:30", 2).await;
        let visit = house.enter_visitor(&evening, vi()).await.expect_made().expect_booked();
        assert_eq!((&visit.body["visitor"], &visit.body["guest"]), (&vi(), &json!(null)));
        assert_eq!((&visit.body["pass_id"], &visit.body["credits"]), (&json!(null), &json!(0)));
        assert_eq!(visit.body["session"]["booked"], 1);
        // They are at the door as themselves, and of two of one name each is one.
        house.enter_visitor(&evening, json!({"name": "Vi Sitor", "source": "Hotel Alma"})).await.expect_booked();
        let roster = house.roster(&evening).await;
        let entries = roster["booked"].as_array().unwrap();
        let entry = entries.iter().find(|entry| entry["booking_id"] == json!(visit.id)).unwrap();
        assert_eq!((&entry["person"]["name"], &entry["visitor"], &entry["first_visit"]), (&json!("Vi Sitor"), &vi(), &json!(true)));
        let sources = entries.iter().map(|entry| entry["visitor"]["source"].as_str().unwrap()).collect::<Vec<_>>();
        assert!(sources.contains(&"Hotel Alma") && entries.len() == 2, "{sources:?}");
        // The desk is in nothing, and the studio has no new member.
        assert_eq!(house.get("/v1/me/bookings").by(&house.studio.desk).await.expect(200)["bookings"], json!([]));
        let members = house.get(format!("/v1/studios/{}/members?q=Sitor", house.studio.id)).by(&house.studio.desk).await.expect(200);
        assert_eq!(members["members"], json!([]));
        assert_eq!(house.letters_about(&visit).await, 0);
        // A visitor takes a place, as everybody does.
        house.enter_visitor(&evening, vi()).await.expect_refused(409, "session-full");
        let ana = house.member("Ana").await;
        house.book(&ana, &evening).or_wait().await.expect_waitlisted(1);
        house.cancel(&visit).await.expect(200);
        let mine = house.get("/v1/me/bookings").by(&ana).await.expect(200);
        assert_eq!(mine["bookings"][0]["status"], "booked");
        assert_eq!(house.letters_about(&visit).await, 0);
        house.post().await;
    }

    async fn the_same_tap_again_enters_the_same_visitor(house: House) {
        let evening = house.session("2026-12-03 18:30", 12).await;
        let visit = house.enter_visitor(&evening, vi()).await.expect_made().expect_booked();
        house.enter_visitor(&evening, vi()).id(visit.id).await.expect_repeated();
        for other in [json!({"name": "Vi Sitor", "source": "ClassPass"}), json!({"name": "Vi", "phone": "+86 21 5555 0100", "source": "ClassPass"}), json!(null)] {
            house.enter_visitor(&evening, other).id(visit.id).await.expect_refused(409, "booking-id-reused");
        }
        // No visitor takes the id of a person.
        let ana = house.member("Ana").await;
        house.enter_visitor(&evening, vi()).id(ana.id).await.expect_refused(409, "booking-id-reused");
        assert_eq!(house.roster(&evening).await["booked"].as_array().unwrap().len(), 1);
    }

    async fn only_the_desk_enters_visitors(house: House) {
        let (ana, other) = (house.member("Ana").await, house.second_studio().await);
        let evening = house.session("2026-12-03 18:30", 12).await;
        for person in [&ana, &house.studio.instructor, &other.desk] {
            house.book(person, &evening).saying("visitor", vi()).await.expect_refused(403, "not-allowed");
        }
        let visit = house.book(&house.studio.admin, &evening).saying("visitor", vi()).await.expect_booked();
        for person in [&ana, &other.desk] {
            house.get(format!("/v1/bookings/{}", visit.id)).by(person).await.expect_refused(404, "not-found");
            house.put(format!("/v1/bookings/{}/cancellation", visit.id)).by(person).json(&json!({})).await.expect_refused(404, "not-found");
        }
        let draft = house.plan("2026-12-04 18:30", 12).draft().await;
        house.book(&ana, &draft).saying("visitor", vi()).await.expect_refused(404, "not-found");
    }

    async fn what_a_visitor_cannot_have_is_refused(house: House) {
        let ana = house.stranger("Ana").await;
        let pack = house.pack(&ana, 5).await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        let besides = [
            ("pass_id", json!(pack.id)),
            ("person_id", json!(ana.id)),
            ("waitlist", json!(true)),
            ("standby", json!(true)),
            ("replaces", json!(house.new_id())),
            ("conditions", json!({"one_a_day": true})),
            ("guest", json!({"name": "Mum"})),
        ];
        for (name, value) in besides {
            house.enter_visitor(&evening, vi()).saying(name, value).await.expect_refused(422, "invalid-fields").naming("visitor");
        }
        let unpaid = house.enter_visitor(&evening, vi()).saying("unpaid", json!(true)).saying("reason", json!("a friend"));
        unpaid.await.expect_refused(422, "invalid-fields").naming("visitor");
        for odd in [json!({"name": "Vi"}), json!({"source": "ClassPass"}), json!({"name": "", "source": "ClassPass"}), json!({"name": "Vi", "source": "x".repeat(61)})] {
            house.enter_visitor(&evening, odd).await.reply.expect_client_error();
        }
        assert_eq!(house.roster(&evening).await["booked"], json!([]));
    }

    async fn who_came_is_marked_and_counted_by_source(house: House) {
        house.rules(json!({"strikes_max": 1, "no_show_fee_minor": 5000, "fee_currency": "CNY"})).await;
        let evening = house.plan("2026-12-03 18:30", 12).followed_up().await;
        let came = house.enter_visitor(&evening, vi()).await.expect_booked();
        let late = house.enter_visitor(&evening, vi()).await.expect_booked();
        let hotel = house.enter_visitor(&evening, json!({"name": "Bo", "source": "Hotel Alma"})).await.expect_booked();
        let away = house.enter_visitor(&evening, json!({"name": "Di", "source": "Hotel Alma"})).await.expect_booked();
        house.it_is("2026-12-03 18:00");
        // Cancelled by staff, long after the free way out has closed: it costs nobody anything.
        let cancelled = house.cancel(&away).await.expect(200);
        assert_eq!((&cancelled["status"], &cancelled["ended_by"]), (&json!("late_cancelled"), &json!("staff")));
        assert_eq!((&cancelled["penalty"]["strike"], &cancelled["penalty"]["fee"]), (&json!(false), &json!(null)));
        house.mark_visitor(&came, true).await.expect(200);
        house.mark_visitor(&hotel, true).await.expect(200);
        house.mark_visitor(&hotel, false).await.expect(200);
        house.it_is("2026-12-03 21:30");
        house.sweep().await;
        for (visit, status) in [(&came, "attended"), (&late, "no_show"), (&hotel, "no_show")] {
            assert_eq!(house.now(visit).await["status"], status);
        }
        let absent = house.now(&late).await;
        assert_eq!((&absent["penalty"]["strike"], &absent["penalty"]["fee"]), (&json!(false), &json!(null)));
        // A mark that was forgotten is set right.
        assert_eq!(house.mark_visitor(&late, true).await.expect(200)["status"], "attended");
        let report = house.report_of_that_day().await;
        assert_eq!(
            report["visitors"],
            json!([
                {"source": "ClassPass", "booked": 2, "attended": 2, "no_show": 0},
                {"source": "Hotel Alma", "booked": 1, "attended": 0, "no_show": 1},
            ])
        );
        assert_eq!((&report["totals"]["booked"], &report["totals"]["late_cancelled"]), (&json!(3), &json!(1)));
        for visit in [&came, &late, &hotel, &away] {
            assert_eq!(house.letters_about(visit).await, 0);
        }
        house.post().await;
    }

    async fn with_fewer_places_visitors_do_not_wait(house: House) {
        let evening = house.session("2026-12-03 18:30", 2).await;
        let ana = house.member("Ana").await;
        let own = house.book(&ana, &evening).await.expect_booked();
        // The last to book gives way.
        house.advance(TimeDelta::minutes(1));
        let visit = house.enter_visitor(&evening, vi()).await.expect_booked();
        house.patch_session(&evening, 1, &json!({"capacity": 1, "release": true})).by(&house.studio.admin).await.expect(200);
        assert_eq!((&house.now(&own).await["status"], &house.now(&visit).await["status"]), (&json!("booked"), &json!("cancelled")));
        house.post().await;
    }

    async fn the_studio_cancels_and_nobody_is_written_to(house: House) {
        let evening = house.session("2026-12-03 18:30", 2).await;
        let visit = house.enter_visitor(&evening, vi()).await.expect_booked();
        house.cancel_session(&evening, &json!({"reason": "illness"})).by(&house.studio.admin).await.expect(200);
        let now = house.now(&visit).await;
        assert_eq!((&now["status"], &now["ended_by"]), (&json!("cancelled"), &json!("studio")));
        assert_eq!(house.letters_about(&visit).await, 0);
        house.post().await;
    }

    async fn who_visited_is_forgotten_in_time(house: House) {
        let evening = house.session("2026-12-03 18:30", 12).await;
        let visit = house.enter_visitor(&evening, vi()).await.expect_booked();
        let known = "SELECT COUNT(*) FROM bookings WHERE id = $1 AND guest_name IS NOT NULL AND visitor_phone IS NOT NULL";
        house.it_is("2027-03-02 12:00");
        releve::sweeps::retention(&house.app).await.unwrap();
        assert_eq!(house.count(known, visit.id).await, 1);
        house.it_is("2027-03-05 12:00");
        releve::sweeps::retention(&house.app).await.unwrap();
        assert_eq!(house.now(&visit).await["visitor"], json!({"name": null, "phone": null, "source": "ClassPass"}));
        // The same tap is still answered.
        house.enter_visitor(&evening, vi()).id(visit.id).await.expect_repeated();
    }
}
