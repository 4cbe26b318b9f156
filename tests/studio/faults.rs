//! A database that goes away or is full: 503 with when to try again, nothing acknowledged that is not durable, and recovery by itself.

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::json;

use crate::house::{House, THE_BEGINNING};
use crate::postgres::{Cluster, Fsync};

/// How long a house may need to find its database again.
const RECOVERY_MAX: Duration = Duration::from_secs(15);

both_engines! {
    async fn a_full_disk_is_no_booking_and_passes(house: House) {
        let ana = house.member("Ana").await;
        let session = house.session("2026-12-03 18:30", 100).await;
        let before = house.book(&ana, &session).await.expect_booked();
        let members = house.members(60).await;
        fill_the_disk(&house).await;

        // SQLite still finds room on pages that it has; sooner or later there is none.
        let mut turned_away = None;
        for person in &members {
            let id = house.new_id();
            let answer = house.book(person, &session).id(id).await;
            if answer.reply.status == 503 {
                answer.expect_refused(503, "unavailable");
                turned_away = Some((person, id));
                break;
            }
            answer.expect_made();
        }
        let (person, id) = turned_away.expect("the disk is not full");
        house.get(format!("/v1/bookings/{id}")).by(person).await.expect_refused(404, "not-found");
        // What was there is there, and is read.
        assert_eq!(house.now(&before).await["status"], "booked");

        free_the_disk(&house).await;
        house.book(person, &session).id(id).await.expect_made().expect_booked();
        house.cancel(&before).await.expect(200);
    }
}

/// On SQLite no page more; on PostgreSQL what the server says when a disk is full, where a booking is written.
async fn fill_the_disk(house: &House) {
    match house.db.engine() {
        releve::db::Engine::Sqlite => {
            house.write(|tx| Box::pin(async move { tx.all::<(i64,)>("PRAGMA max_page_count = 1", ()).await })).await;
        }
        releve::db::Engine::Postgres => {
            let function = "CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS \
                            'BEGIN RAISE EXCEPTION USING ERRCODE = ''53100'', MESSAGE = ''could not extend file: No space left''; END'";
            house.write(move |tx| Box::pin(tx.run(function, ()))).await;
            let trigger = "CREATE TRIGGER disk_full BEFORE INSERT ON bookings FOR EACH ROW EXECUTE FUNCTION disk_full()";
            house.write(move |tx| Box::pin(tx.run(trigger, ()))).await;
        }
    }
}

async fn free_the_disk(house: &House) {
    match house.db.engine() {
        releve::db::Engine::Sqlite => {
            house.write(|tx| Box::pin(async move { tx.all::<(i64,)>("PRAGMA max_page_count = 1000000", ()).await })).await;
        }
        releve::db::Engine::Postgres => {
            house.write(move |tx| Box::pin(tx.run("DROP TRIGGER disk_full ON bookings", ()))).await;
        }
    }
}

/// A cluster of its own: it is stopped and started again.
fn cluster() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    Cluster::shared()?;
    CLUSTER.get_or_init(|| Cluster::start(Fsync::Off)).as_ref()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_stops_and_starts_again() {
    let Some(cluster) = cluster() else { return };
    let house = House::open_on(Some(cluster), THE_BEGINNING.parse().unwrap(), |_| {}).await;
    let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
    let session = house.session("2026-12-03 18:30", 12).await;
    let before = house.book(&ana, &session).await.expect_booked();
    house.get("/readyz").await.expect(200);

    cluster.stop();
    let id = house.new_id();
    for _ in 0..3 {
        house.book(&bo, &session).id(id).await.expect_refused(503, "unavailable");
    }
    house.get(format!("/v1/studios/{}", house.studio.id)).await.expect_refused(503, "unavailable");
    house.get("/readyz").await.expect(503);
    house.get("/healthz").await.expect(200);

    cluster.start_again();
    let began = std::time::Instant::now();
    let booked = loop {
        let answer = house.book(&bo, &session).id(id).await;
        match answer.reply.status {
            503 if began.elapsed() < RECOVERY_MAX => tokio::time::sleep(Duration::from_millis(100)).await,
            _ => break answer.expect_made().expect_booked(),
        }
    };
    assert_eq!(house.now(&before).await["status"], "booked");
    house.cancel(&booked).await.expect(200);
    house.get("/readyz").await.expect(200);
    house.close().await;
}

/// Connections that die in the middle of things: who was not answered asks again, and the same id books once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_to_postgres_die() {
    let Some(cluster) = Cluster::shared() else { return };
    let house = House::open_on(Some(cluster), THE_BEGINNING.parse().unwrap(), |_| {}).await;
    house.rules(json!({"waitlist_unlimited": true})).await;
    let members = house.members(40).await;
    let session = house.session("2026-12-03 18:30", 10).await;
    let database = house.app.settings.database.url.split("dbname=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let killer = async {
        for _ in 0..15 {
            cluster.execute(format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")).await;
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    };
    let taps = futures_util::future::join_all(members.iter().map(|person| async {
        let id = house.new_id();
        for _ in 0..200 {
            let answer = house.book(person, &session).id(id).or_wait().await;
            match answer.reply.status {
                503 => {
                    answer.expect_refused(503, "unavailable");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                _ => return answer.held(),
            }
        }
        panic!("{} never had an answer", person.name);
    }));
    let (bookings, ()) = tokio::join!(taps, killer);
    // The pool still holds connections that died; each is found out when it is used.
    for _ in 0..20 {
        drop(house.db.one::<(i64,)>("SELECT COUNT(*) FROM persons", ()).await);
    }
    let booked = house.count("SELECT COUNT(*) FROM bookings WHERE session_id = $1 AND status = 'booked'", session.id).await;
    assert_eq!((bookings.len(), booked), (40, 10));
    house.close().await;
}
