//! The ways to lose a PostgreSQL that a stopped server does not show: no answer to a commit, no answer to anything, a server that is
//! read-only since a failover. 503 with `Retry-After`, nothing acknowledged that is not there, and work resumes by itself.

use std::sync::Arc;
use std::time::Duration;

use releve::db::{Engine, Error, Trouble};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::house::{House, THE_BEGINNING, run};
use crate::postgres::Cluster;
use crate::proxy::{CommitCut, Proxy};
use crate::seed::{Person, Session};
use crate::speech::Reply;

/// By then a database that is back must be in use again.
const TRIES_MAX: usize = 100;
/// Members of a storm.
const MEMBERS: usize = 16;

async fn tap(house: &House, person: &Person, session: &Session, id: Uuid) -> Reply {
    house.put(format!("/v1/bookings/{id}")).by(person).json(&json!({"session_id": session.id, "waitlist": true})).await
}

/// Sends until there is an answer, as an app does; how often there was none, and the answer.
async fn insist(house: &House, person: &Person, session: &Session, id: Uuid) -> (usize, Reply) {
    for tries in 0..TRIES_MAX {
        let reply = tap(house, person, session, id).await;
        if reply.status != 503 {
            return (tries, reply);
        }
        assert!(reply.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1), "{reply:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{TRIES_MAX} times 503, though the database is there");
}

/// How many bookings of this id there are.
async fn written(house: &House, id: Uuid) -> i64 {
    house.count("SELECT COUNT(*) FROM bookings WHERE id = $1", id).await
}

/// A house whose PostgreSQL is reached through a proxy.
async fn behind_a_proxy(test: impl AsyncFnOnce(House, Arc<Proxy>)) {
    let Some(cluster) = Cluster::shared() else { return };
    let mut proxy = None;
    let house = House::open_on(Some(cluster), THE_BEGINNING.parse().unwrap(), |settings| {
        let (through, url) = Proxy::before(&settings.database.url);
        settings.database.url = url;
        settings.server.request_timeout_s = 3;
        proxy = Some(through);
    })
    .await;
    test(house.clone(), proxy.unwrap()).await;
    rest().await;
    house.close().await;
}

/// A connection that has lain idle for a second is asked whether it lives before it is used.
async fn rest() {
    tokio::time::sleep(Duration::from_millis(1_100)).await;
}

/// Does this on PostgreSQL as its superuser.
async fn administer(statement: String) {
    Cluster::shared().unwrap().execute(statement).await;
}

async fn database_name(house: &House) -> String {
    let (name,): (String,) = house.db.one("SELECT CAST(current_database() AS TEXT)", ()).await.unwrap();
    name
}

async fn end_all_connections(database: &str) {
    administer(format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_is_said_to_be_away_and_found_again() {
    behind_a_proxy(async |house: House, proxy: Arc<Proxy>| {
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-03 18:30", 5).await;
        house.get("/readyz").await.expect(200);
        proxy.refuse();
        let id = house.new_id();
        for _ in 0..2 {
            tap(&house, &ana, &evening, id).await.expect_refused(503, "unavailable");
        }
        house.get("/v1/me/bookings").by(&ana).await.expect_refused(503, "unavailable");
        house.patch("/v1/me").by(&ana).json(&json!({"name": "Anna"})).await.expect_refused(503, "unavailable");
        let unready = house.get("/readyz").await.expect_refused(503, "unavailable");
        assert_eq!(unready["failed"], "database");
        house.get("/healthz").await.expect(200);
        proxy.open();
        let (_, made) = insist(&house, &ana, &evening, id).await;
        assert_eq!(made.expect(201)["status"], "booked");
        house.get("/readyz").await.expect(200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_is_settled_by_sending_again() {
    behind_a_proxy(async |house: House, proxy: Arc<Proxy>| {
        let ana = house.member("Ana").await;
        for (day, cut, there) in [(3, CommitCut::Before, 0), (4, CommitCut::After, 1)] {
            let evening = house.session(&format!("2026-12-0{day} 18:30"), 5).await;
            let id = house.new_id();
            proxy.cut_next_commit(cut);
            tap(&house, &ana, &evening, id).await.expect_refused(503, "unavailable");
            assert!(!proxy.is_armed(), "the connection was cut at its commit");
            rest().await;
            assert_eq!(written(&house, id).await, there, "{cut:?}");
            let (_, settled) = insist(&house, &ana, &evening, id).await;
            assert_eq!(settled.expect(if there == 1 { 200 } else { 201 })["status"], "booked");
            assert_eq!(written(&house, id).await, 1);
        }
        assert_eq!(house.count("SELECT credits_left FROM passes WHERE person_id = $1", ana.id).await, 8);
    })
    .await;
}

/// What a vanished host looks like: nobody hangs up, nobody answers. The connections of that time never come to life again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_falls_silent_is_left_and_found_again() {
    behind_a_proxy(async |house: House, proxy: Arc<Proxy>| {
        house.rules(json!({"waitlist_unlimited": true})).await;
        let members = house.members(MEMBERS).await;
        let evening = house.session("2026-12-03 18:30", 5).await;
        proxy.fall_silent();
        let ids: Vec<Uuid> = members.iter().map(|_| house.new_id()).collect();
        let taps = members.iter().zip(&ids).map(|(person, id)| tap(&house, person, &evening, *id));
        for reply in futures_util::future::join_all(taps).await {
            reply.expect_refused(503, "unavailable");
        }
        proxy.open();
        let mut booked = 0;
        for (person, id) in members.iter().zip(&ids) {
            let (_, reply) = insist(&house, person, &evening, *id).await;
            // 200 where a tap of that time was decided after nobody waited for its answer any more.
            assert!(matches!(reply.status, 200 | 201), "{reply:?}");
            booked += i64::from(reply["status"] == "booked");
        }
        assert_eq!(booked, 5);
        // In the end the kernel gives up on what is left of that time.
        proxy.refuse();
        proxy.open();
    })
    .await;
}

/// After a failover connections may lead to a server that only reads. They are given up, and the next ones lead elsewhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_to_a_server_that_only_reads_are_given_up() {
    run(Engine::Postgres, async |house: House| {
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-03 18:30", 5).await;
        let database = database_name(&house).await;
        administer(format!("ALTER DATABASE {database} SET default_transaction_read_only = on")).await;
        end_all_connections(&database).await;
        rest().await;
        let id = house.new_id();
        let rename = async || house.patch("/v1/me").by(&ana).json(&json!({"name": "Anna"})).await;
        for _ in 0..20 {
            tap(&house, &ana, &evening, id).await.expect_refused(503, "unavailable");
            rename().await.expect_refused(503, "unavailable");
        }
        assert_eq!(written(&house, id).await, 0);
        administer(format!("ALTER DATABASE {database} RESET default_transaction_read_only")).await;
        // Nobody but the server ends the connections of that time.
        insist(&house, &ana, &evening, id).await.1.expect(201);
        let mut refused = 0;
        for _ in 0..40 {
            refused += usize::from(rename().await.status == 503);
        }
        assert!(refused <= 10, "{refused} of 40: connections that cannot write are kept");
        rename().await.expect(200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_known_by_its_name() {
    run(Engine::Sqlite, async |house: House| {
        let big = Value::String("x".repeat(4_000_000)).to_string();
        let (studio, clock) = (house.studio.id, house.clock.now());
        let outcome: Result<u64, Error> = house
            .db
            .write("test", move |tx| {
                Box::pin(async move {
                    let _: (i64,) = tx.one("PRAGMA max_page_count = 1", ()).await?;
                    let sql = "INSERT INTO rooms (id, studio_id, name, capacity, created_at) VALUES ($1, $2, $3, $4, $5)";
                    tx.run(sql, (releve::ids::new_id(clock), studio, big, 1_i64, clock)).await
                })
            })
            .await;
        let error = outcome.unwrap_err();
        assert_eq!(error.trouble(), Trouble::Away, "{error}");
        assert_eq!(error.plight(), "the disk is full", "{error}");
        fill_no_more(&house).await;
    })
    .await;
}

/// Room again, whichever connection it is.
async fn fill_no_more(house: &House) {
    let _: (i64,) = house.write(move |tx| Box::pin(tx.one("PRAGMA max_page_count = 1000000000", ()))).await;
}
