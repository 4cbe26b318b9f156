//! The worker: leases letters that are due, sends them, settles their fates.
//!
//! Production starts [`Worker::run`]; tests drive [`Worker::run_one`] and [`Worker::run_until_empty`]. A transaction leases or settles at
//! most 64 letters and waits for nothing else: mails are made and sent between the two. Several are being sent at once, but only one is
//! being made, since making one costs more processor time than anything else here. Whatever dies in between, the lease runs out and another
//! attempt is made.
//!
//! People come before letters. In the minute in which a week's bookings open, processors and writer are theirs: the worker takes letters
//! once nobody has been waiting for an answer for a moment, and gives way again before each one that it makes. A rush that does not end
//! only slows it down.

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use serde::Deserialize as _;
use tokio::sync::{Mutex, watch};
use tokio::task::{JoinHandle, JoinSet};
use uuid::Uuid;

use super::facts::{Facts, Rendered, ToRender, addressed};
use super::files::Letters;
use super::message::{self, Mail, Parts};
use super::rules::{self, Due, Fate, SendError, Sibling, Trials};
use super::store::{self, AT_ONCE, DueRow, SettledRow, SiblingRow};
use super::switches::Switch;
use super::transport::Transport;
use super::uids::UidDomains;
use super::{LetterState, unsubscribe, words};
use crate::app::App;
use crate::db::{Error, Trouble, Tx};
use crate::ids::new_id;

/// How often to look for letters without being notified: repeats, and those that another process wrote.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often the gauges of `/metrics` are read.
const MEASURE_EVERY: Duration = Duration::from_secs(15);

/// How often the letters in files are tidied, by each worker: files are on its own machine.
const TIDY_EVERY: Duration = Duration::from_secs(3_600);

/// Files of letters whose fate is asked at once.
const FILES_AT_ONCE: usize = 500;

/// How long letters whose fate is decided may wait for others to be settled with them: if the process is killed before then, they are sent
/// once more. In a rush they also wait while the worker steps aside.
const SETTLE_AFTER: Duration = Duration::from_millis(25);

/// A rush is over when nobody has been waiting for an answer for this long. Between two batches nobody is, for an instant: just when
/// letters were written and the worker is woken.
const QUIET: Duration = Duration::from_millis(30);

/// How long letters wait for a rush to be over before some are taken all the same.
const ASIDE_MAX: Duration = Duration::from_secs(1);

/// How long making one letter gives way: in a rush that does not end, about fifty a second are made.
const MAKING_ASIDE_MAX: Duration = Duration::from_millis(20);

/// How often to look whether somebody is waiting.
const ASIDE_STEP: Duration = Duration::from_millis(5);

/// How long to wait while another worker or transaction is in the way.
const IN_THE_WAY: Duration = Duration::from_millis(20);

/// How long to wait when the database is away.
const AWAY: Duration = Duration::from_secs(1);

/// How long letters that are being sent may still take once the end was asked for.
const STOP_MAX: Duration = Duration::from_secs(3);

/// Sends letters.
#[derive(Clone)]
pub struct Worker {
    app: App,
    /// Held by the letter that is being made.
    making: Arc<Mutex<()>>,
}

/// A running worker. Dropping it stops it, too, without waiting.
#[derive(Debug)]
pub struct RunningWorker {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl RunningWorker {
    /// Takes no more letters, waits some seconds for those being sent and hands the others back.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the letter worker did not end well");
        }
    }
}

impl Worker {
    pub fn new(app: App) -> Self {
        Self { app, making: Arc::default() }
    }

    /// Starts it in its own task, where it goes on whatever happens until it is stopped.
    pub fn start(self) -> RunningWorker {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            while AssertUnwindSafe(self.run(stopped.clone())).catch_unwind().await.is_err() {
                tracing::error!("the letter worker panicked and begins anew");
                tokio::time::sleep(AWAY).await;
            }
        });
        RunningWorker { stop, task }
    }

    /// Works until `stopped` says so, or its sender is gone.
    pub async fn run(&self, mut stopped: watch::Receiver<bool>) {
        let mut work = InProgress::default();
        let mut measured: Option<Instant> = None;
        let mut tidied: Option<Instant> = None;
        while !*stopped.borrow_and_update() {
            if measured.is_none_or(|at| at.elapsed() >= MEASURE_EVERY) {
                measured = Some(Instant::now());
                self.measure().await;
            }
            if tidied.is_none_or(|at| at.elapsed() >= TIDY_EVERY) {
                tidied = Some(Instant::now());
                self.tidy().await;
            }
            if self.has_room(&work) {
                self.step_aside(QUIET, ASIDE_MAX).await;
            }
            let trouble = self.turn(&mut work, AT_ONCE).await.err().map(|error| pause_after(&error));
            let next = async {
                match trouble {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => self.news(&mut work).await,
                }
            };
            tokio::select! {
                () = next => {}
                changed = stopped.changed() => if changed.is_err() { break },
            }
        }
        self.wind_up(work).await;
    }

    /// Makes an attempt with the letter that is due first. Returns whether there was one.
    pub async fn run_one(&self) -> Result<bool, Error> {
        loop {
            let mut found = self.look(1).await?;
            if let Some(letter) = found.leased.pop() {
                let fate = self.clone().attempt(letter).await;
                self.settle(vec![fate]).await?;
                return Ok(true);
            }
            match found.look_again {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Ok(false),
            }
        }
    }

    /// Makes an attempt with every letter that is due. Returns how many.
    pub async fn run_until_empty(&self) -> Result<usize, Error> {
        let mut work = InProgress::default();
        loop {
            self.turn(&mut work, AT_ONCE).await?;
            if !work.is_empty() {
                work.outcome().await;
            } else if work.look_again == Some(LOOK_EVERY) {
                return Ok(work.attempts);
            } else {
                tokio::time::sleep(work.look_again.unwrap_or_default()).await;
            }
        }
    }

    /// Settles what is decided, takes more letters if there is room, starts as many as may be sent at once.
    async fn turn(&self, work: &mut InProgress, most: usize) -> Result<(), Error> {
        if work.must_settle() {
            let batch: Vec<SettledRow> = work.done.iter().take(AT_ONCE).cloned().collect();
            let settled = batch.len();
            self.settle(batch).await?;
            work.done.drain(..settled);
            work.settle_by = (!work.done.is_empty()).then(Instant::now);
        }
        if self.has_room(work) {
            let found = self.look(most).await?;
            work.look_again = Some(found.look_again.unwrap_or(LOOK_EVERY));
            work.waiting.extend(found.leased);
        }
        self.launch(work).await
    }

    /// Lets people go first, until nobody has been waiting for `quiet`, at most `most`.
    async fn step_aside(&self, quiet: Duration, most: Duration) {
        until_quiet(|| self.app.transactor.is_busy(), quiet, most).await;
    }

    fn has_room(&self, work: &InProgress) -> bool {
        work.waiting.is_empty() && work.sending.len() < self.parallel()
    }

    fn parallel(&self) -> usize {
        self.app.settings.letters.parallel.max(1)
    }

    /// Starts with letters that were leased. One that waited so long that its lease could end first is handed back.
    async fn launch(&self, work: &mut InProgress) -> Result<(), Error> {
        let now = self.app.clock.now();
        let mut late = Vec::new();
        while work.sending.len() < self.parallel() {
            let Some(letter) = work.waiting.pop_front() else { break };
            if rules::may_begin(letter.until, now) {
                work.leases.insert(letter.row.id, letter.lease);
                work.sending.spawn(self.clone().attempt(letter));
            } else {
                late.push((letter.row.id, letter.lease));
            }
        }
        if late.is_empty() { Ok(()) } else { self.hand_back(late).await }
    }

    /// Waits until there is something to do: an outcome, something to settle, or, with room for more, perhaps a letter.
    async fn news(&self, work: &mut InProgress) {
        let room = self.has_room(work);
        let settle_in = work.settle_by.map(|at| at.saturating_duration_since(Instant::now()));
        let look_in = work.look_again.unwrap_or(LOOK_EVERY);
        tokio::select! {
            () = work.outcome(), if !work.sending.is_empty() => {}
            () = tokio::time::sleep(settle_in.unwrap_or_default()), if settle_in.is_some() => {}
            () = self.app.letters_written.notified(), if room => {}
            () = tokio::time::sleep(look_in), if room => {}
        }
    }

    /// Looks for letters that are due, first without the writer, and leases at most `most`.
    async fn look(&self, most: usize) -> Result<Found, Error> {
        let now = self.app.clock.now();
        if !store::is_anything_due(&self.app.db, now).await? {
            return Ok(Found::default());
        }
        self.app.db.write("letters.lease", move |tx| Box::pin(lease(tx, most, now))).await
    }

    async fn settle(&self, fates: Vec<SettledRow>) -> Result<(), Error> {
        let all = fates.len() as u64;
        let settled = self.app.db.write("letters.settle", move |tx| Box::pin(async move { store::settle(tx, fates).await })).await?;
        if settled < all {
            tracing::warn!(letters = all - settled, "leases were lost before their letters were settled");
        }
        Ok(())
    }

    async fn hand_back(&self, held: Vec<(Uuid, Uuid)>) -> Result<(), Error> {
        let now = self.app.clock.now();
        for held in held.chunks(AT_ONCE) {
            let held = held.to_vec();
            self.app
                .db
                .write("letters.hand_back", move |tx| Box::pin(async move { store::hand_back(tx, held, now).await }))
                .await
                .map(drop)?;
        }
        Ok(())
    }

    /// The orderly end: what was not begun is handed back at once, what is being sent after some seconds.
    async fn wind_up(&self, mut work: InProgress) {
        let waiting = work.waiting.drain(..).map(|letter| (letter.row.id, letter.lease)).collect();
        let mut ended = self.hand_back(waiting).await;
        let arrivals = async {
            while !work.sending.is_empty() {
                work.outcome().await;
            }
        };
        let _ = tokio::time::timeout(STOP_MAX, arrivals).await;
        work.sending.abort_all();
        for fates in work.done.chunks(AT_ONCE) {
            ended = ended.and(self.settle(fates.to_vec()).await);
        }
        ended = ended.and(self.hand_back(work.leases.drain().collect()).await);
        if let Err(error) = ended {
            tracing::error!(%error, "some letters wait until their lease runs out");
        }
    }

    /// One attempt and its outcome. Never panics.
    async fn attempt(self, letter: Leased) -> SettledRow {
        let (app, row) = (&self.app, &letter.row);
        let began = Instant::now();
        let mut kept = None;
        let sending = AssertUnwindSafe(self.send(&letter, &mut kept)).catch_unwind().await;
        let sent = sending.unwrap_or_else(|_| Err(SendError::transient("the worker panicked over this letter")));
        metrics::histogram!("releve_letter_attempt_seconds").record(began.elapsed());
        let now = app.clock.now();
        let trials = Trials { attempts: row.attempts + 1, since: row.retried_at.unwrap_or(row.created_at), useful_until: row.useful_until };
        let fate = match sent {
            Ok(()) => Fate::Sent { at: now },
            Err(error) => rules::fate_after(error, trials, now),
        };
        report(row, trials.attempts, &fate);
        let (state, due_at, sent_at, error) = match fate {
            Fate::Sent { at } => (LetterState::Sent, None, Some(at), None),
            Fate::Retrying { due_at, error } => (LetterState::Retrying, Some(due_at), None, Some(error)),
            Fate::Failed { error } => (LetterState::Failed, None, None, Some(error)),
        };
        let secret = rules::carries_code(&row.kind);
        let (subject, text, html) =
            kept.map_or((None, None, None), |words: Rendered| (Some(words.subject), Some(words.text), Some(words.html)));
        let (body_text, body_html) = if secret { (None, None) } else { (text, html) };
        SettledRow { id: row.id, lease: letter.lease, state, due_at, sent_at, error, subject, body_text, body_html }
    }

    /// Makes the mail and sends it. The words are `kept` from then on.
    async fn send(&self, letter: &Leased, kept: &mut Option<Rendered>) -> Result<(), SendError> {
        let (app, now) = (&self.app, self.app.clock.now());
        let uid_domains = app.post.uid_domains(&app.db, now).await;
        let uid_domains =
            uid_domains.map_err(|error| SendError::transient(format!("the name of its calendar entry is unknown: {error}")))?;
        let mail = {
            let _turn = self.making.lock().await;
            self.step_aside(Duration::ZERO, MAKING_ASIDE_MAX).await;
            make(app, letter, uid_domains, kept)?
        };
        app.post.transport.send(mail).await
    }

    /// Ends what letters in files are left of, where they go to files: those that were kept long enough, and those whose words the database
    /// has erased, since their person was deleted.
    pub async fn tidy(&self) {
        let Transport::File(letters) = &self.app.post.transport else { return };
        if let Err(error) = self.follow_erasure(letters).await {
            tracing::error!(%error, "letters in files whose words were erased cannot be removed");
        }
        let (letters, now) = (letters.clone(), self.app.clock.now());
        let directory = letters.directory.clone();
        match tokio::task::spawn_blocking(move || letters.tidy(now)).await {
            Ok(Ok(0)) => {}
            Ok(Ok(removed)) => tracing::info!(removed, "letters in files were removed, having been kept long enough"),
            Ok(Err(error)) => tracing::error!(%error, directory = %directory.display(), "letters in files cannot be looked through"),
            Err(error) => tracing::error!(%error, "letters in files cannot be looked through"),
        }
    }

    async fn follow_erasure(&self, letters: &Letters) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let here = letters.clone();
        let ids = tokio::task::spawn_blocking(move || here.ids()).await??;
        for some in ids.chunks(FILES_AT_ONCE) {
            let (here, erased) = (letters.clone(), store::erased(&self.app.db, some).await?);
            let removed = tokio::task::spawn_blocking(move || here.remove(&erased)).await??;
            if removed > 0 {
                tracing::info!(removed, "letters in files were removed, as their words were erased");
            }
        }
        Ok(())
    }

    async fn measure(&self) {
        let (Ok(counts), Ok(oldest)) = (store::counts(&self.app.db).await, store::oldest_due(&self.app.db).await) else { return };
        for (state, label) in [
            (LetterState::Queued, "queued"),
            (LetterState::Sending, "sending"),
            (LetterState::Retrying, "retrying"),
            (LetterState::Failed, "failed"),
            (LetterState::Bounced, "bounced"),
        ] {
            let count = counts.iter().find(|(other, _)| *other == state).map_or(0, |(_, count)| *count);
            metrics::gauge!("releve_letters", "state" => label).set(count as f64);
        }
        let waits = oldest.map_or(0, |due_at| (self.app.clock.now() - due_at).num_seconds().max(0));
        metrics::gauge!("releve_letters_oldest_due_seconds").set(waits as f64);
    }
}

/// What one worker has in hand.
#[derive(Default)]
struct InProgress {
    /// Leased, not begun.
    waiting: VecDeque<Leased>,
    /// Being sent.
    sending: JoinSet<SettledRow>,
    /// The leases of those being sent.
    leases: HashMap<Uuid, Uuid>,
    /// Decided, not yet written down.
    done: Vec<SettledRow>,
    settle_by: Option<Instant>,
    /// When to look for letters again, as the last look found.
    look_again: Option<Duration>,
    attempts: usize,
}

impl InProgress {
    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.sending.is_empty() && self.done.is_empty()
    }

    fn must_settle(&self) -> bool {
        let idle = self.waiting.is_empty() && self.sending.is_empty();
        let late = self.settle_by.is_some_and(|at| at <= Instant::now());
        !self.done.is_empty() && (idle || late || self.done.len() >= AT_ONCE)
    }

    /// Waits for the outcome of an attempt, and takes those that are there by then. Returns at once when nothing is being sent.
    async fn outcome(&mut self) {
        let mut next = self.sending.join_next().await;
        // An attempt catches its own panics, so it always has an outcome.
        while let Some(Ok(fate)) = next {
            self.leases.remove(&fate.id);
            self.done.push(fate);
            self.attempts += 1;
            self.settle_by.get_or_insert_with(|| Instant::now() + SETTLE_AFTER);
            next = self.sending.try_join_next();
        }
    }
}

/// A letter and the right to send it.
#[derive(Clone, Debug)]
struct Leased {
    row: DueRow,
    address: String,
    lease: Uuid,
    until: DateTime<Utc>,
}

/// What a look found.
#[derive(Default)]
struct Found {
    leased: Vec<Leased>,
    /// There may be more at once, or soon.
    look_again: Option<Duration>,
}

/// In one short transaction: which letters are due, obsolete or must wait, and the leases of the rest.
async fn lease(tx: &mut Tx, most: usize, now: DateTime<Utc>) -> Result<Found, Error> {
    if !store::may_lease(tx).await? {
        return Ok(Found { look_again: Some(IN_THE_WAY), ..Found::default() });
    }
    let mut rows = store::abandoned(tx, now, most).await?;
    rows.extend(store::due(tx, now, most - rows.len().min(most)).await?);
    let mut bookings: Vec<Uuid> = rows.iter().filter_map(|row| row.booking_id).collect();
    bookings.sort_unstable();
    bookings.dedup();
    let siblings: Vec<Sibling> = store::siblings(tx, &bookings).await?.into_iter().map(Sibling::from).collect();
    let due: Vec<Due> = rows.iter().map(Due::from).collect();
    let sorted = rules::sort_out(&due, &siblings, now);

    let why = sorted.obsolete.into_iter().map(|(id, why)| (id, why.reason())).collect();
    let obsolete = store::make_obsolete(tx, why, now).await?;
    metrics::counter!("releve_letters_total", "fate" => "obsolete").increment(obsolete);
    let put_off = store::put_off(tx, sorted.put_off).await?;
    let (token, until) = (new_id(now), now + rules::LEASE);
    store::lease(tx, token, until, sorted.send.clone()).await?;
    let leased = rows
        .into_iter()
        .filter(|row| sorted.send.contains(&row.id))
        .filter_map(|row| Some(Leased { address: row.address.clone()?, row, lease: token, until }))
        .collect();
    Ok(Found { leased, look_again: (obsolete + put_off > 0).then_some(Duration::ZERO) })
}

/// Waits until nobody has been waiting for an answer for `quiet`, at most `most`.
async fn until_quiet(is_busy: impl Fn() -> bool, quiet: Duration, most: Duration) {
    let since = tokio::time::Instant::now();
    let mut quiet_since = since;
    loop {
        if is_busy() {
            quiet_since = tokio::time::Instant::now();
            if since.elapsed() >= most {
                return;
            }
        } else if quiet_since.elapsed() >= quiet {
            return;
        }
        tokio::time::sleep(ASIDE_STEP).await;
    }
}

/// Puts the letter into words, unless an earlier attempt did, and makes a mail of them.
fn make(app: &App, letter: &Leased, uid_domains: &UidDomains, kept: &mut Option<Rendered>) -> Result<Mail, SendError> {
    let row = &letter.row;
    // During an upgrade an older process may meet a newer one's letter; the newer one will take it.
    let facts =
        Facts::deserialize(&row.facts.0).map_err(|error| SendError::transient(format!("this version cannot read its facts: {error}")))?;
    let name = row.name.as_deref().filter(|name| !name.is_empty());
    let (facts, name, greeted) = addressed(facts, name, row.studio_id.is_some(), row.confirmed);
    let code = match &row.sealed_code {
        Some(sealed) => {
            Some(app.keys.unseal(row.id, sealed).ok_or_else(|| SendError::permanent("its code cannot be read: the keys have changed"))?)
        }
        None => None,
    };
    let public_url = app.settings.server.public_url.as_str();
    let link = match &facts {
        Facts::PlaceOffered { offer, .. } => {
            Some(format!("{}/offers/{offer}/{}", public_url.trim_end_matches('/'), app.keys.sign_offer(*offer)))
        }
        _ => None,
    };
    let unsubscribe = row.person_id.zip(Switch::of_kind(&row.kind)).map(|(person_id, switch)| unsubscribe::link(app, person_id, switch));
    let words = match (&row.subject, &row.body_text, &row.body_html) {
        (Some(subject), Some(text), Some(html)) => Rendered { subject: subject.clone(), text: text.clone(), html: html.clone() },
        _ => words::render(&ToRender {
            language: row.locale,
            written_at: row.created_at,
            name: greeted.as_deref(),
            facts: &facts,
            public_url,
            booking_id: row.booking_id,
            link: link.as_deref(),
            unsubscribe: unsubscribe.as_deref(),
            code: code.as_deref(),
        })
        .map_err(|error| SendError::permanent(format!("it cannot be put into words: {error}")))?,
    };
    let replaced_at = if let Facts::Exchanged { replaced, .. } = &facts { Some(replaced.booked_at) } else { None };
    let mail = message::build(&Parts {
        id: row.id,
        created_at: row.created_at,
        from: &app.post.from,
        to: &letter.address,
        name,
        language: row.locale,
        facts: &facts,
        words: &words,
        booking_id: row.booking_id,
        sequence: row.sequence,
        unsubscribe: unsubscribe.as_deref(),
        public_url,
        uid_domain: uid_domains.of(row.booked_at.unwrap_or(row.created_at)),
        replaced_uid_domain: uid_domains.of(replaced_at.unwrap_or(row.created_at)),
    });
    *kept = Some(words);
    mail
}

/// For operators: ids and kinds, no names or addresses.
fn report(row: &DueRow, attempts: i64, fate: &Fate) {
    let (letter, kind) = (row.id, row.kind.as_str());
    let label = match fate {
        Fate::Sent { .. } => "sent",
        Fate::Retrying { due_at, error } => {
            tracing::warn!(%letter, kind, attempts, %due_at, error, "a letter could not be sent and will be tried again");
            "retrying"
        }
        Fate::Failed { error } => {
            tracing::error!(%letter, kind, attempts, error, "a letter could not be sent");
            "failed"
        }
    };
    metrics::counter!("releve_letters_total", "fate" => label).increment(1);
}

fn pause_after(error: &Error) -> Duration {
    if error.trouble() == Trouble::Again {
        return IN_THE_WAY;
    }
    tracing::error!(%error, "{}: letters can be neither leased nor settled", error.plight());
    AWAY
}

impl From<SiblingRow> for Sibling {
    fn from(row: SiblingRow) -> Self {
        let SiblingRow { id, booking_id, person_id: reader, nth, kind, state, due_at } = row;
        Self { id, booking_id, reader, nth, kind, state, due_at }
    }
}

impl From<&DueRow> for Due {
    fn from(row: &DueRow) -> Self {
        Self {
            id: row.id,
            booking_id: row.booking_id,
            reader: row.person_id,
            nth: row.nth,
            kind: row.kind.clone(),
            due_at: row.due_at,
            useful_until: row.useful_until,
            has_address: row.address.is_some(),
            person_gone: row.person_gone,
            taken_over: row.taken_over,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long the worker steps aside when people are waiting as `is_busy` says, by milliseconds since the beginning.
    async fn steps_aside_for(is_busy: impl Fn(u128) -> bool, quiet: Duration, most: Duration) -> u128 {
        let since = tokio::time::Instant::now();
        until_quiet(|| is_busy(since.elapsed().as_millis()), quiet, most).await;
        since.elapsed().as_millis()
    }

    #[tokio::test(start_paused = true)]
    async fn people_go_before_letters() {
        for (waits, is_busy) in [
            (30..=35, (|_| false) as fn(u128) -> bool),
            (120..=135, |ms| ms < 100),
            // A rush has gaps: after each batch nobody is waiting for a moment.
            (315..=335, |ms| ms < 300 && ms % 25 < 20),
            (315..=335, |ms| (5..300).contains(&ms) && ms % 25 > 5),
            // One that does not end lets letters through.
            (1_000..=1_005, |_| true),
            (1_000..=1_040, |ms| ms % 25 < 20),
        ] {
            let waited = steps_aside_for(is_busy, QUIET, ASIDE_MAX).await;
            assert!(waits.contains(&waited), "{waited} ms, expected {waits:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_letter_gives_way_for_a_moment() {
        assert_eq!(steps_aside_for(|_| false, Duration::ZERO, MAKING_ASIDE_MAX).await, 0);
        assert_eq!(steps_aside_for(|ms| ms < 10, Duration::ZERO, MAKING_ASIDE_MAX).await, 10);
        assert_eq!(steps_aside_for(|_| true, Duration::ZERO, MAKING_ASIDE_MAX).await, 20);
    }
}
