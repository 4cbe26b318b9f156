//! `cargo bench --bench studio`: what a booking costs, over real HTTP, beside what the stack alone can do and what the textbook does.
//!
//! `-- --quick` shortens it. Everything runs in one go on one machine, so ratios hold; the absolute figures are this machine's.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod client;
mod servers;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use servers::{Server, Which};

/// Members who want the same place.
const MEMBERS: usize = 2_000;

fn main() {
    raise_open_files();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Ok(peer) = std::env::var(servers::PEER) {
        return runtime.block_on(servers::be(&peer));
    }
    let quick = std::env::args().any(|argument| argument == "--quick");
    runtime.block_on(bench(quick));
}

async fn bench(quick: bool) {
    let rounds = if quick { 3 } else { 10 };
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("booking.json"), "x".repeat(900)).unwrap();
    std::fs::write(directory.path().join("schedule.json"), "x".repeat(63_000)).unwrap();
    let url = format!("sqlite:{}", directory.path().join("ceiling.db").display());
    let ceiling = Server::start(Which::Ceiling, &url, directory.path()).await;
    println!("first answer {:?}", ceiling.first_answer);
    let mut wires = client::open(ceiling.address, MEMBERS).await;
    for _ in 0..=rounds {
        let body = format!(r#"{{"session_id":"{}","waitlist":true}}"#, uuid::Uuid::nil());
        let path = format!("/v1/bookings/{}", uuid::Uuid::nil());
        let token = "x".repeat(230);
        let requests = (0..MEMBERS).map(|_| vec![client::request("PUT", &path, Some(&token), Some(body.clone()))]).collect();
        let storm = client::storm(wires, requests).await;
        println!("{:.0}/s p50 {:?} p99 {:?} {:?}", storm.rate(), storm.percentile(0.5), storm.percentile(0.99), storm.statuses);
        wires = storm.wires;
    }
    drop(wires);
    let mut wires = client::open(ceiling.address, 16).await;
    for path in ["/small", "/schedule"] {
        let requests = (0..16).map(|_| (0..2000).map(|_| client::request("GET", path, None, None)).collect()).collect();
        let storm = client::storm(wires, requests).await;
        println!("{path} {:.0}/s p50 {:?} p99 {:?} {:?}", storm.rate(), storm.percentile(0.5), storm.percentile(0.99), storm.statuses);
        wires = storm.wires;
    }
    println!("{:?}", ceiling.memory());
}

/// Each member has a connection, which is an open file here and another in the server.
fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = 3 * MEMBERS as u64;
    if limit.current.is_some_and(|current| current < wanted) {
        let possible = limit.maximum.map_or(wanted, |maximum| wanted.min(maximum));
        setrlimit(Resource::Nofile, Rlimit { current: Some(possible), ..limit }).expect("more open files");
    }
}
