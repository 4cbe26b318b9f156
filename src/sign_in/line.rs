//! The line before the password hasher: short, and shared by networks, so that no one of them keeps the others out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::limits::wide;
use crate::problem::{Answer, Problem, ProblemType};

/// Callers who may wait; one more is told to come again.
pub const WAITING_MAX: usize = 32;
/// When to come again, in seconds.
pub const RETRY_AFTER_S: u64 = 2;

/// A gate with a line before it.
#[derive(Debug)]
pub struct Line {
    at_once: usize,
    gate: Arc<Semaphore>,
    waiting: Mutex<Waiting>,
}

/// Who waits, in the order in which they came.
#[derive(Debug, Default)]
struct Waiting {
    last: u64,
    places: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    nth: u64,
    network: Option<IpAddr>,
    /// Tells that the place is given to somebody else.
    sent_away: oneshot::Sender<()>,
}

/// A place in the line, given up when dropped.
struct Held<'l> {
    line: &'l Line,
    nth: u64,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.line.waiting().places.retain(|place| place.nth != self.nth);
    }
}

impl Line {
    /// So many may pass at once.
    pub fn new(at_once: usize) -> Self {
        Self { at_once, gate: Arc::new(Semaphore::new(at_once)), waiting: Mutex::default() }
    }

    /// Waits for a turn, in the order of coming: 503 if there is no place, or if it had to be given to another network. `from` is the
    /// caller's address; `None` is the house itself.
    pub async fn turn(&self, from: Option<IpAddr>) -> Answer<OwnedSemaphorePermit> {
        let (nth, sent_away) = self.join(from.map(wide)).ok_or_else(busy)?;
        let _place = Held { line: self, nth };
        tokio::select! {
            biased;
            permit = Arc::clone(&self.gate).acquire_owned() => permit.map_err(Problem::fault),
            _ = sent_away => Err(busy()),
        }
    }

    /// How many may pass at once.
    pub const fn at_once(&self) -> usize {
        self.at_once
    }

    /// How many wait.
    pub fn waiting_now(&self) -> usize {
        self.waiting().places.len()
    }

    /// Nobody passes any more until what is answered is dropped: for tests.
    #[doc(hidden)]
    pub async fn close(&self) -> Answer<OwnedSemaphorePermit> {
        let all = u32::try_from(self.at_once).map_err(Problem::fault)?;
        Arc::clone(&self.gate).acquire_many_owned(all).await.map_err(Problem::fault)
    }

    /// Takes the last place. In a full line the network that has the most places gives up its newest, if it has two more than who comes: so
    /// one network may have the whole line as long as nobody else wants a place, and never more than its share when they do.
    fn join(&self, network: Option<IpAddr>) -> Option<(u64, oneshot::Receiver<()>)> {
        let mut waiting = self.waiting();
        if waiting.places.len() >= WAITING_MAX {
            let mut held: HashMap<Option<IpAddr>, usize> = HashMap::new();
            for place in &waiting.places {
                *held.entry(place.network).or_default() += 1;
            }
            let own = held.get(&network).copied().unwrap_or(0);
            let (greediest, _) = held.into_iter().filter(|(_, count)| *count >= own + 2).max_by_key(|(_, count)| *count)?;
            let newest = waiting.places.iter().rposition(|place| place.network == greediest)?;
            // Whoever has just passed the gate is no longer listening, and has no need of the place.
            let _ = waiting.places.remove(newest).sent_away.send(());
        }
        let (tell, sent_away) = oneshot::channel();
        waiting.last += 1;
        let nth = waiting.last;
        waiting.places.push(Place { nth, network, sent_away: tell });
        Some((nth, sent_away))
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn busy() -> Problem {
    Problem::new(ProblemType::Busy).retry_after(RETRY_AFTER_S)
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use futures_util::FutureExt as _;

    use super::*;

    type Turn<'l> = Pin<Box<dyn Future<Output = Answer<OwnedSemaphorePermit>> + Send + 'l>>;

    /// Somebody of this network comes, and stands in the line or is told to come again.
    fn come<'l>(line: &'l Line, from: &str) -> Result<Turn<'l>, ProblemType> {
        let mut turn: Turn<'l> = Box::pin(line.turn(Some(from.parse().unwrap())));
        match turn.as_mut().now_or_never() {
            None => Ok(turn),
            Some(outcome) => Err(outcome.unwrap_err().kind),
        }
    }

    fn is_sent_away(turn: &mut Turn<'_>) -> bool {
        turn.as_mut().now_or_never().is_some_and(|outcome| outcome.unwrap_err().kind == ProblemType::Busy)
    }

    #[tokio::test]
    async fn a_network_that_fills_the_line_makes_room_for_others() {
        let line = Line::new(1);
        let gate = line.close().await.unwrap();
        let mut greedy: Vec<Turn<'_>> = (0..WAITING_MAX).map(|n| come(&line, &format!("203.0.113.{n}")).ok().unwrap()).collect();
        assert_eq!(come(&line, "203.0.113.200").err(), Some(ProblemType::Busy), "it is one network, and has all places already");
        // Everybody else finds a place, and those who came last lose theirs.
        let mut others: Vec<Turn<'_>> = (0..8).map(|n| come(&line, &format!("198.51.{n}.1")).ok().unwrap()).collect();
        assert_eq!(line.waiting_now(), WAITING_MAX);
        let sent_away: Vec<usize> = (0..greedy.len()).filter(|n| is_sent_away(&mut greedy[*n])).collect();
        assert_eq!(sent_away, (WAITING_MAX - 8..WAITING_MAX).collect::<Vec<_>>());
        assert!(others.iter_mut().all(|turn| !is_sent_away(turn)));
        // A second greedy network gets its half, and takes nothing from those who ask for one place.
        let second: Vec<Turn<'_>> = (0..WAITING_MAX).filter_map(|_| come(&line, "192.0.2.1").ok()).collect();
        assert!((11..=12).contains(&second.len()), "{}", second.len());
        assert!(others.iter_mut().all(|turn| !is_sent_away(turn)));
        assert_eq!(line.waiting_now(), WAITING_MAX);
        // Turns come in the order of coming.
        drop(gate);
        drop(greedy.remove(0).await.unwrap());
        assert!(others.iter_mut().all(|turn| turn.as_mut().now_or_never().is_none()));
    }

    #[tokio::test]
    async fn forty_people_on_one_wifi_have_the_line_to_themselves() {
        let line = Line::new(1);
        let gate = line.close().await.unwrap();
        let turns: Vec<Turn<'_>> = (0..WAITING_MAX).filter_map(|_| come(&line, "203.0.113.7").ok()).collect();
        assert_eq!(turns.len(), WAITING_MAX);
        drop(gate);
        for turn in turns {
            drop(turn.await.unwrap());
        }
        assert_eq!(line.waiting_now(), 0);
        drop(line.turn(None).await.unwrap());
    }

    #[tokio::test]
    async fn who_hangs_up_leaves_the_line() {
        let line = Line::new(1);
        let _gate = line.close().await.unwrap();
        let turns: Vec<Turn<'_>> = (0..WAITING_MAX).map(|n| come(&line, &format!("198.51.{n}.1")).ok().unwrap()).collect();
        assert_eq!(come(&line, "192.0.2.1").err(), Some(ProblemType::Busy), "nobody has more than one place to give up");
        drop(turns);
        assert_eq!(line.waiting_now(), 0);
        assert!(come(&line, "192.0.2.1").is_ok());
    }
}
