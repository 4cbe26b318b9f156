//! The audit finds what breaks a promise, and names it: each breach is planted by bypassing everything that guards the rows.

use releve::audit::Report;
use serde_json::json;
use uuid::Uuid;

use crate::house::House;
use crate::seed::Session;

impl House {
    /// What the audit finds broken: the promise, and the rows that it names.
    async fn breaches(&self) -> Vec<(String, Vec<String>)> {
        let report: Report = releve::audit::check(&self.db, self.clock.now()).await.unwrap();
        let broken = report.findings.into_iter().filter(|finding| finding.broken > 0);
        broken.map(|finding| (finding.promise.to_owned(), finding.rows)).collect()
    }

    /// This promise is broken, by this row; a breach may break others with it.
    async fn expect_breach(&self, promise: &str, id: Uuid, says: &str) {
        let found = self.breaches().await;
        let Some((_, rows)) = found.iter().find(|(broken, _)| broken.contains(promise)) else { panic!("{promise}: {found:?}") };
        let row = rows.iter().find(|row| row.starts_with(&id.to_string())).unwrap_or_else(|| panic!("{id} is not named: {rows:?}"));
        assert!(row.contains(says), "{row}");
    }

    async fn spoil(&self, sql: &'static str, id: Uuid) {
        self.write(move |tx| Box::pin(async move { tx.run(sql, (id,)).await })).await;
    }

    async fn made_by_series(&self, besides: serde_json::Value) -> (Uuid, Vec<Session>) {
        let made = self.begin(&self.studio.admin, besides).await.expect(201);
        (made.id(), self.of_series(made.id()).await.into_iter().map(|(_, session)| session).collect())
    }
}

both_engines! {
    async fn a_gap_in_the_events_of_a_studio_is_seen(house: House) {
        house.audit_may_be_dirty();
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let evening = house.session("2026-12-03 18:30", 12).await;
        let first = house.book(&ana, &evening).await.expect_booked();
        house.book(&bo, &evening).await.expect_booked();
        assert_eq!(house.breaches().await, []);
        house.spoil("DELETE FROM events WHERE subject_id = $1", first.id).await;
        house.expect_breach("numbered from 1, without a gap", house.studio.id, "were given out").await;
    }

    async fn what_an_offer_holds_is_seen(house: House) {
        house.audit_may_be_dirty();
        house.letters_may_stay();
        house.rules(json!({"after_cutoff": "offers"})).await;
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let evening = house.session("2026-12-03 18:30", 1).await;
        let booked = house.book(&ana, &evening).await.expect_booked();
        let waiting = house.book(&bo, &evening).or_wait().await.expect_waitlisted(1);
        house.it_is("2026-12-03 12:00");
        house.cancel(&booked).await.expect(200);
        house.audit_is_clean().await;
        house.it_is("2026-12-03 12:32");
        house.expect_breach("kept no longer than it was offered", waiting.id, "its offer is over").await;
        house.spoil("UPDATE offers SET outcome = 'expired', ended_at = expires_at WHERE booking_id = $1", waiting.id).await;
        house.expect_breach("has an offer that runs", waiting.id, "no offer runs").await;
        // Who waits while the place could be offered waits in vain.
        house.spoil("UPDATE bookings SET status = 'waitlisted', queue_key = 1 WHERE id = $1", waiting.id).await;
        house.spoil("UPDATE sessions SET taken = 0, waiting = 1 WHERE id = $1", evening.id).await;
        house.expect_breach("never idle", waiting.id, "stands free").await;
        house.spoil("UPDATE sessions SET offers_until = NULL WHERE id = $1", evening.id).await;
        assert_eq!(house.breaches().await, []);
    }

    async fn a_late_cancellation_without_its_penalty_is_seen(house: House) {
        house.audit_may_be_dirty();
        house.rules(json!({"late_cancels_forgiven": 0, "strikes_max": 3})).await;
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let evening = house.session("2026-11-30 18:30", 12).await;
        let (one, two) = (house.book(&ana, &evening).await.expect_booked(), house.book(&bo, &evening).await.expect_booked());
        house.it_is("2026-11-30 12:00");
        house.cancel(&one).await.expect(200);
        assert_eq!(house.breaches().await, []);
        house.spoil("UPDATE penalties SET strike = FALSE WHERE booking_id = $1", one.id).await;
        house.expect_breach("a late cancellation has its penalty", one.id, "not what was written down").await;
        house.spoil("UPDATE penalties SET strike = TRUE, waived_at = at WHERE booking_id = $1", one.id).await;
        house.expect_breach("a late cancellation has its penalty", one.id, "what was paid is kept").await;
        let (from, to) = (one.id, two.id);
        house.write(move |tx| Box::pin(async move {
            tx.run("UPDATE penalties SET booking_id = $2, waived_at = NULL WHERE booking_id = $1", (from, to)).await
        })).await;
        house.expect_breach("a late cancellation has its penalty", one.id, "has no penalty").await;
        house.expect_breach("a late cancellation has its penalty", two.id, "is booked").await;
    }

    async fn two_sessions_at_once_are_seen(house: House) {
        house.audit_may_be_dirty();
        let mei = house.colleague("Mei").await;
        let one = house.session("2026-12-03 18:30", 2).await;
        let two = house.plan("2026-12-03 19:00", 2).taught_by(&mei).draft().await;
        let three = house.plan("2026-12-03 19:25", 2).await;
        house.audit_is_clean().await;
        let (id, room) = (two.id, one.id);
        // A draft is in the way too …
        house.write(move |tx| Box::pin(async move { tx.run("UPDATE sessions SET room_id = (SELECT room_id FROM sessions WHERE id = $2) WHERE id = $1", (id, room)).await })).await;
        house.expect_breach("no one is in two rooms", two.id, "its room").await;
        // … what is cancelled is not.
        house.spoil("UPDATE sessions SET status = 'cancelled', cancelled_at = created_at WHERE id = $1", two.id).await;
        house.audit_is_clean().await;
        house.spoil("UPDATE sessions SET status = 'draft', cancelled_at = NULL, room_id = $1 WHERE status = 'cancelled'", house.studio.room).await;
        house.spoil("UPDATE sessions SET instructor_id = $1 WHERE status = 'draft'", house.studio.instructor.id).await;
        let found = house.breaches().await;
        assert!(found.len() == 1 && found[0].1.len() == 2, "{found:?}");
        assert!(found[0].1.iter().any(|row| row.starts_with(&three.id.to_string()) && row.contains("its instructor")), "{found:?}");
    }

    async fn a_long_session_is_in_the_way_of_all_that_begin_in_it(house: House) {
        house.audit_may_be_dirty();
        house.plan("2026-12-03 10:00", 2).minutes(600).await;
        house.plan("2026-12-03 11:00", 2).minutes(30).await;
        let late = house.plan("2026-12-03 19:00", 2).await;
        house.plan("2026-12-03 20:00", 2).await;
        let found = house.breaches().await;
        assert_eq!(found[0].1.len(), 2, "{found:?}");
        assert!(found[0].1.iter().any(|row| row.starts_with(&late.id.to_string())), "{found:?}");
    }

    async fn a_session_that_left_its_series_is_seen(house: House) {
        house.audit_may_be_dirty();
        let mei = house.colleague("Mei").await;
        let (_, sessions) = house.made_by_series(json!({"until": "2026-12-16"})).await;
        house.change(&sessions[1], json!({"local_start": "2026-12-07T20:00", "instructor_id": mei.id})).await.expect(200);
        house.audit_is_clean().await;
        house.spoil("UPDATE sessions SET by_hand = '[\"time\"]' WHERE id = $1", sessions[1].id).await;
        house.expect_breach("follows its series", sessions[1].id, "[Instructor]").await;
        house.spoil("UPDATE sessions SET by_hand = '[\"time\", \"instructor\"]' WHERE id = $1", sessions[1].id).await;
        house.audit_is_clean().await;
        for (sql, says) in [
            ("UPDATE sessions SET starts_at = ends_at, ends_at = '2026-12-02T12:25:00+00:00' WHERE id = $1", "[Time]"),
            ("UPDATE sessions SET capacity = 40 WHERE id = $1", "Time, Capacity]"),
        ] {
            house.spoil(sql, sessions[0].id).await;
            house.expect_breach("follows its series", sessions[0].id, says).await;
        }
        // What is cancelled follows nothing, and what is over is past.
        house.it_is("2026-12-02 21:00");
        house.audit_is_clean().await;
    }

    async fn a_session_on_a_date_that_its_series_has_not_is_seen(house: House) {
        house.audit_may_be_dirty();
        let (series, sessions) = house.made_by_series(json!({"until": "2026-12-16"})).await;
        house.spoil("UPDATE series SET until_on = '2026-12-13' WHERE id = $1", series).await;
        let found = house.breaches().await;
        assert!(found.len() == 1 && found[0].1.len() == 2, "{found:?}");
        house.spoil("UPDATE series SET until_on = '2026-12-16', except_dates = '[\"2026-12-09\"]' WHERE id = $1", series).await;
        house.expect_breach("on a date that it has", sessions[2].id, "2026-12-09").await;
        house.spoil("UPDATE series SET except_dates = '[]', rule = 'FREQ=WEEKLY;BYDAY=MO,WE' WHERE id = $1", series).await;
        house.audit_is_clean().await;
        house.spoil("UPDATE sessions SET series_date = '2026-12-10' WHERE id = $1", sessions[2].id).await;
        let found = house.breaches().await;
        assert!(found.iter().any(|(promise, rows)| promise.contains("on a date that it has") && rows[0].contains("2026-12-10")), "{found:?}");
    }

    async fn two_sessions_for_one_date_are_seen(house: House) {
        house.audit_may_be_dirty();
        let (series, sessions) = house.made_by_series(json!({"until": "2026-12-16"})).await;
        house.write(|tx| Box::pin(tx.run("DROP INDEX sessions_of_series", ()))).await;
        house.spoil("UPDATE sessions SET series_date = '2026-12-07', by_hand = '[\"time\"]' WHERE id = $1", sessions[2].id).await;
        house.expect_breach("one session for each of its dates", series, "2 sessions for 2026-12-07").await;
    }

    async fn a_booking_at_another_time_than_its_session_is_seen(house: House) {
        house.audit_may_be_dirty();
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-03 18:30", 2).await;
        let booked = house.book(&ana, &evening).await.expect_booked();
        house.spoil("UPDATE bookings SET ends_at = created_at WHERE id = $1", booked.id).await;
        house.expect_breach("carries its session's time", booked.id, "another time").await;
    }
}
