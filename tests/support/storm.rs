//! Members who book and cancel endlessly, send again what was not answered, and remember what was.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use releve::db::Db;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::seed::{Person, Session};

/// What the members were told, kept by them.
#[derive(Default)]
pub struct Told {
    /// Bookings that were answered with 200 or 201: whose, and of which session.
    pub made: HashMap<Uuid, (Uuid, Uuid)>,
    /// Bookings whose cancellation was sent, answered or not.
    pub cancelling: HashSet<Uuid>,
    /// Bookings whose cancellation was answered with 200.
    pub cancelled: HashSet<Uuid>,
    /// Answers of any kind, and sends that had none.
    pub answers: usize,
    pub unanswered: usize,
}

/// A storm that goes on until it is ended.
pub struct Storm {
    pub told: Arc<Mutex<Told>>,
    end: Arc<AtomicBool>,
    members: JoinSet<()>,
}

impl Storm {
    /// Everybody at once; each call goes to one of the servers, a call sent again to any.
    pub fn begin(servers: &[SocketAddr], members: &[Person], sessions: &[Session], seed: u64) -> Self {
        let (told, end) = (Arc::<Mutex<Told>>::default(), Arc::new(AtomicBool::new(false)));
        let mut tasks = JoinSet::new();
        for (n, person) in members.iter().enumerate() {
            let member = Member {
                http: reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap(),
                servers: servers.to_vec(),
                person: person.clone(),
                sessions: sessions.iter().map(|session| session.id).collect(),
                told: Arc::clone(&told),
                end: Arc::clone(&end),
                chance: StdRng::seed_from_u64(seed.wrapping_add(n as u64)),
            };
            tasks.spawn(member.live());
        }
        Self { told, end, members: tasks }
    }

    /// Waits until this many more answers have come.
    pub async fn answers(&self, more: usize) {
        let until = self.told.lock().unwrap().answers + more;
        while self.told.lock().unwrap().answers < until {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// What was acknowledged by now.
    pub fn acknowledged(&self) -> Acknowledged {
        let told = self.told.lock().unwrap();
        Acknowledged { made: told.made.clone(), cancelled: told.cancelled.clone() }
    }

    /// Ends the storm when everybody has the answer to what they last sent.
    pub async fn end(mut self) -> Told {
        self.end.store(true, Ordering::Relaxed);
        while let Some(member) = self.members.join_next().await {
            member.unwrap();
        }
        Arc::into_inner(self.told).unwrap().into_inner().unwrap()
    }

    /// Ends it at once.
    pub async fn abandon(mut self) {
        self.members.shutdown().await;
    }

    /// Everything that was acknowledged is in the database, or is told. Cancellations under way may have been made meanwhile.
    pub async fn lost(&self, db: &Db, acknowledged: &Acknowledged) -> Vec<String> {
        let found = rows(db).await;
        let cancelling = self.told.lock().unwrap().cancelling.clone();
        acknowledged.lost(&found, &cancelling)
    }
}

/// What had been acknowledged at an instant.
pub struct Acknowledged {
    made: HashMap<Uuid, (Uuid, Uuid)>,
    cancelled: HashSet<Uuid>,
}

impl Acknowledged {
    /// What of it the rows do not show.
    pub fn lost(&self, rows: &HashMap<Uuid, (Uuid, Uuid, String)>, cancelling: &HashSet<Uuid>) -> Vec<String> {
        let mut lost = Vec::new();
        for (id, (person, session)) in &self.made {
            match rows.get(id) {
                None => lost.push(format!("{id}: the booking is not there")),
                Some((whose, of, _)) if (whose, of) != (person, session) => lost.push(format!("{id}: is another booking")),
                Some((.., status)) if status.ends_with("cancelled") && !cancelling.contains(id) => {
                    lost.push(format!("{id}: {status}, and nobody cancelled"));
                }
                Some((.., status)) if !status.ends_with("cancelled") && self.cancelled.contains(id) => {
                    lost.push(format!("{id}: {status}, and was cancelled"));
                }
                Some(_) => {}
            }
        }
        lost
    }
}

/// Every booking: whose, of which session, and how it stands.
pub async fn rows(db: &Db) -> HashMap<Uuid, (Uuid, Uuid, String)> {
    let rows: Vec<(Uuid, Uuid, Uuid, String)> = db.all("SELECT id, person_id, session_id, status FROM bookings", ()).await.unwrap();
    rows.into_iter().map(|(id, person, session, status)| (id, (person, session, status))).collect()
}

struct Member {
    http: reqwest::Client,
    servers: Vec<SocketAddr>,
    person: Person,
    sessions: Vec<Uuid>,
    told: Arc<Mutex<Told>>,
    end: Arc<AtomicBool>,
    chance: StdRng,
}

impl Member {
    async fn live(mut self) {
        let mut held: Vec<Uuid> = Vec::new();
        while !self.end.load(Ordering::Relaxed) {
            if !held.is_empty() && self.chance.random_bool(0.4) {
                let id = held.swap_remove(self.chance.random_range(0..held.len()));
                self.told.lock().unwrap().cancelling.insert(id);
                if self.insist(&format!("/v1/bookings/{id}/cancellation"), &json!({})).await == 200 {
                    self.told.lock().unwrap().cancelled.insert(id);
                }
            } else {
                let session = self.sessions[self.chance.random_range(0..self.sessions.len())];
                #[allow(clippy::disallowed_methods, reason = "an app's own choice")]
                let id = Uuid::now_v7();
                let body = json!({"session_id": session, "waitlist": true});
                if matches!(self.insist(&format!("/v1/bookings/{id}"), &body).await, 200 | 201) {
                    self.told.lock().unwrap().made.insert(id, (self.person.id, session));
                    held.push(id);
                }
            }
        }
    }

    /// Sends until there is an answer that settles it.
    async fn insist(&mut self, path: &str, body: &Value) -> u16 {
        loop {
            let server = self.servers[self.chance.random_range(0..self.servers.len())];
            let call = self.http.put(format!("http://{server}{path}")).bearer_auth(&self.person.token).json(body);
            let answer = async {
                let answer = call.send().await?;
                let status = answer.status().as_u16();
                Ok::<_, reqwest::Error>((status, answer.text().await?))
            };
            match answer.await {
                Ok((status, _)) if status < 500 && status != 429 => {
                    self.told.lock().unwrap().answers += 1;
                    return status;
                }
                Ok((500, text)) => panic!("PUT {path}: 500 {text}"),
                _ => {
                    self.told.lock().unwrap().unanswered += 1;
                    tokio::time::sleep(Duration::from_millis(self.chance.random_range(5..60))).await;
                }
            }
        }
    }
}
