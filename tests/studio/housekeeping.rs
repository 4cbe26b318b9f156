//! The harness itself: it opens, seeds, serves and closes a house on either engine.

use chrono::TimeDelta;

both_engines! {
    async fn a_house_opens_seeded_and_serving(house: House) {
        let ana = house.member("Ana").await;
        let morning = house.session("2026-12-01 08:00", 12).await;
        assert_eq!(morning.starts_at.to_rfc3339(), "2026-12-01T00:00:00+00:00");
        let (members,): (i64,) = house.db.one("SELECT COUNT(*) FROM members WHERE person_id = $1", (ana.id,)).await.unwrap();
        assert_eq!(members, 1);
        house.get("/v1/nothing/here").await.expect_refused(404, "not-found");
        assert!(house.letters_to(&ana).await.is_empty());
    }

    async fn the_clock_moves_only_when_told(house: House) {
        let before = house.clock.now();
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        assert_eq!(house.clock.now(), before);
        house.advance(TimeDelta::minutes(5));
        assert_eq!(house.clock.now(), before + TimeDelta::minutes(5));
    }
}
