//! Random months of studio life, and a checker that knows the promises of PRODUCT.md and nothing of the rules. The same months are lived in
//! memory, by the code that the desk decides with (`src/desk/simulation.rs`), and through the desk on each engine
//! (`tests/studio/simulation.rs`).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, Utc};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use releve::booking::{Booking, EndedBy, Status};
use releve::desk::command::{Book, Cancel, EditSession, MakeSession, SellPass};
use releve::desk::{Outcome, What};
use releve::passes::Pass;
use releve::problem::{Answer, Kind};
use releve::schedule::Shown;
use releve::schedule::rules::LocalStart;
use uuid::Uuid;

/// Bookings that a member of the studio may have ahead: the house rule is set so low that it is met.
pub const BOOKINGS_AHEAD_MAX: i64 = 4;

/// Who and what there is when a month begins.
#[derive(Clone)]
pub struct Cast {
    pub studio: Uuid,
    pub admin: Uuid,
    pub class_type: Uuid,
    pub rooms: [Uuid; 2],
    pub instructors: [Uuid; 2],
    /// A pack of a few credits.
    pub pack: Uuid,
    /// A membership of two visits a week.
    pub membership: Uuid,
    pub members: Vec<Uuid>,
}

/// What the months are lived in.
pub trait House {
    fn now(&self) -> DateTime<Utc>;

    /// Hands in these commands at once, each of a person.
    async fn ask(&mut self, asked: Vec<(Uuid, What)>) -> Vec<Answer<Outcome>>;

    /// Moves the clock, and does what then falls due.
    async fn let_time_pass(&mut self, by: Duration, sessions: &[Uuid]);

    /// All rows as they stand.
    async fn look(&mut self, sessions: &[Uuid], bookings: &[Uuid]) -> Seen<'_>;
}

/// Rows as a checker sees them.
pub struct Seen<'a> {
    pub bookings: Vec<&'a Booking>,
    pub sessions: Vec<&'a Shown>,
    pub passes: Vec<&'a Pass>,
    /// Pass, booking, credits.
    pub ledger: Vec<(Uuid, Option<Uuid>, i64)>,
}

/// A month that is lived.
pub struct Month<H> {
    pub house: H,
    cast: Cast,
    dice: SmallRng,
    /// Ids that apps choose.
    ids: u128,
    pub sessions: Vec<Uuid>,
    versions: HashMap<Uuid, i64>,
    bookings: Vec<(Uuid, Uuid)>,
    /// How often each outcome came, so that a month in which nothing happens is noticed.
    pub seen: BTreeMap<&'static str, usize>,
}

impl<H: House> Month<H> {
    pub fn begin(house: H, cast: Cast, seed: u64) -> Self {
        let ids = u128::from(seed + 1) << 64;
        let dice = SmallRng::seed_from_u64(seed);
        Self { house, cast, dice, ids, sessions: Vec::new(), versions: HashMap::new(), bookings: Vec::new(), seen: BTreeMap::new() }
    }

    fn id(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }

    /// One thing happens, or several at once, or time passes. Returns how many commands that were.
    pub async fn step(&mut self) -> usize {
        if self.dice.random_bool(0.05) {
            let by = Duration::minutes(self.dice.random_range(1..600));
            let sessions = self.sessions.clone();
            self.house.let_time_pass(by, &sessions).await;
            return 0;
        }
        let at_once = if self.dice.random_bool(0.25) { self.dice.random_range(2..8) } else { 1 };
        let asked: Vec<(Uuid, What)> = (0..at_once).filter_map(|_| self.draw()).collect();
        let commands = asked.len();
        self.ask(asked).await;
        commands
    }

    async fn ask(&mut self, asked: Vec<(Uuid, What)>) {
        let answers = self.house.ask(asked.clone()).await;
        assert_eq!(answers.len(), asked.len());
        let alone = asked.len() == 1;
        for ((who, what), answer) in asked.into_iter().zip(answers) {
            match answer {
                Ok(outcome) => {
                    *self.seen.entry(what.name()).or_default() += 1;
                    match outcome {
                        Outcome::Session(id) if matches!(what, What::MakeSession(_)) => self.sessions.push(id),
                        Outcome::Booking(shown) if matches!(what, What::Book(_)) => {
                            self.bookings.push((shown.booking.id, who));
                            // The answer was lost: the same PUT again.
                            let again = self.house.ask(vec![(who, what)]).await.pop();
                            let Some(Ok(Outcome::Booking(again))) = again else { panic!("a replay was answered with {again:?}") };
                            assert!(!again.fresh && again.booking.id == shown.booking.id);
                            // What others did at the same moment may have changed it since.
                            assert!(!alone || again.booking == shown.booking, "{again:?} is not {shown:?}");
                        }
                        _ => {}
                    }
                }
                Err(problem) => {
                    assert!(!matches!(problem.kind, Kind::Fault | Kind::Unavailable | Kind::Busy), "{problem:?} for {what:?}");
                    *self.seen.entry("refused").or_default() += 1;
                }
            }
        }
    }

    fn draw(&mut self) -> Option<(Uuid, What)> {
        let who = *self.cast.members.choose(&mut self.dice)?;
        let admin = self.cast.admin;
        match self.dice.random_range(0..96) {
            0..10 => Some((admin, self.schedule()?)),
            10..55 => Some((who, self.book()?)),
            55..75 => self.cancel(),
            75..80 => {
                let (booking_id, owner) = self.bookings.choose(&mut self.dice).copied()?;
                Some((owner, What::Accept { booking_id }))
            }
            80..86 => Some((admin, self.change_capacity()?)),
            86..88 => {
                let session_id = self.sessions.choose(&mut self.dice).copied()?;
                Some((admin, What::CancelSession { session_id, reason: None, note: None }))
            }
            88..93 => {
                let pass_type_id = if self.dice.random_bool(0.6) { self.cast.pack } else { self.cast.membership };
                let (studio_id, key) = (self.cast.studio, self.id().to_string());
                let sell = SellPass { studio_id, person_id: who, pass_type_id, paid: None, key, body_hash: String::new() };
                Some((admin, What::SellPass(sell)))
            }
            _ => {
                let (booking_id, _) = self.bookings.choose(&mut self.dice).copied()?;
                let comes = self.dice.random_bool(0.7);
                Some((admin, if comes { What::CheckIn { booking_id, at: None } } else { What::UndoCheckIn { booking_id } }))
            }
        }
    }

    fn schedule(&mut self) -> Option<What> {
        let day = self.house.now().date_naive() + Days::new(self.dice.random_range(0..9));
        let hour = self.dice.random_range(7..21);
        let minute = [0, 30].choose(&mut self.dice).copied()?;
        let local_start = LocalStart::parse(&format!("{day}T{hour:02}:{minute:02}")).ok()?;
        let room_id = *self.cast.rooms.choose(&mut self.dice)?;
        let instructor_id = *self.cast.instructors.choose(&mut self.dice)?;
        let capacity = Some(self.dice.random_range(1..4));
        let (studio_id, class_type_id) = (self.cast.studio, self.cast.class_type);
        Some(What::MakeSession(MakeSession { studio_id, class_type_id, room_id, instructor_id, local_start, capacity }))
    }

    fn book(&mut self) -> Option<What> {
        let session_id = self.sessions.choose(&mut self.dice).copied()?;
        let (id, waitlist) = (self.id(), self.dice.random_bool(0.8));
        Some(What::Book(Book { id, session_id, pass_id: None, waitlist, person_id: None, unpaid: None, not_after: None }))
    }

    fn cancel(&mut self) -> Option<(Uuid, What)> {
        let (booking_id, owner) = self.bookings.choose(&mut self.dice).copied()?;
        let if_free = self.dice.random_bool(0.3);
        Some((owner, What::Cancel(Cancel { booking_id, if_status: None, if_free, return_all: false, reason: None })))
    }

    fn change_capacity(&mut self) -> Option<What> {
        let session_id = self.sessions.choose(&mut self.dice).copied()?;
        let version = *self.versions.get(&session_id)?;
        Some(What::EditSession(EditSession {
            session_id,
            version,
            class_type_id: None,
            room_id: None,
            instructor_id: None,
            local_start: None,
            capacity: Some(self.dice.random_range(1..7)),
        }))
    }

    /// Looks at everything, and counts whose waiting has ended.
    pub async fn check(&mut self) {
        let now = self.house.now();
        let bookings: Vec<Uuid> = self.bookings.iter().map(|(id, _)| *id).collect();
        let seen = self.house.look(&self.sessions, &bookings).await;
        assert_eq!(seen.bookings.len(), bookings.len(), "an acknowledged booking is gone");
        assert_eq!(seen.sessions.len(), self.sessions.len(), "an acknowledged session is gone");
        seen.check(now);
        self.versions = seen.sessions.iter().map(|session| (session.id, session.version)).collect();
        let closed = seen.bookings.iter().filter(|booking| booking.ended_by == Some(EndedBy::WaitlistClosed)).count();
        self.seen.insert("waitlist_closed", closed);
    }
}

// The checker: everything from here on is told from PRODUCT.md.

impl Seen<'_> {
    /// Every promise about places and credits holds.
    pub fn check(&self, now: DateTime<Utc>) {
        for session in &self.sessions {
            self.check_session(session, now);
        }
        let mut places: HashMap<Uuid, Vec<&Booking>> = HashMap::new();
        for booking in self.bookings.iter().copied().filter(|booking| holds_place(booking)) {
            let others = places.entry(booking.person_id).or_default();
            let torn = others.iter().any(|other| other.starts_at < booking.ends_at && booking.starts_at < other.ends_at);
            assert!(!torn, "in two sessions at once: {booking:?}");
            others.push(booking);
        }
        self.check_passes();
    }

    fn check_session(&self, session: &Shown, now: DateTime<Utc>) {
        let here: Vec<&Booking> = self.bookings.iter().copied().filter(|booking| booking.session_id == session.id).collect();
        let taken = here.iter().filter(|booking| holds_place(booking)).count() as i64;
        let waiting: Vec<&Booking> = here.iter().copied().filter(|booking| booking.status == Status::Waitlisted).collect();
        assert_eq!((session.taken, session.waiting), (taken, waiting.len() as i64), "counts of {session:?}");
        assert!(taken + session.held <= session.capacity, "oversold: {session:?}");
        let people: Vec<Uuid> = here.iter().filter(|booking| !booking.status.has_ended()).map(|booking| booking.person_id).collect();
        assert_eq!(people.iter().collect::<BTreeSet<_>>().len(), people.len(), "twice in {session:?}");
        if session.is_cancelled() {
            assert!(here.iter().all(|booking| booking.status.has_ended() && booking.credits == 0), "kept in a cancelled session");
            return;
        }
        if taken < session.capacity && now < session.promote_until {
            for waiter in waiting {
                let able = self.able(waiter, session, now);
                assert!(!able, "idle: {waiter:?} waits while a place of {session:?} stands free at {now}");
            }
        }
    }

    fn able(&self, waiter: &Booking, session: &Shown, now: DateTime<Utc>) -> bool {
        let hers: Vec<&Booking> =
            self.bookings.iter().copied().filter(|other| other.person_id == waiter.person_id && holds_place(other)).collect();
        let overlaps = hers.iter().any(|other| other.starts_at < session.ends_at && session.starts_at < other.ends_at);
        let open = hers.iter().filter(|other| other.status == Status::Booked && other.starts_at > now).count() as i64;
        let monday = monday(session.local_date);
        let pays = self.passes.iter().filter(|pass| pass.person_id == waiter.person_id).any(|pass| {
            let used = |other: &&&Booking| other.pass_id == Some(pass.id) && other.visit_week == Some(monday);
            let visits = self.bookings.iter().filter(used).count() as i64;
            pass.expires_on >= session.local_date
                && pass.credits_left.map_or_else(|| visits < pass.per_week.unwrap_or(i64::MAX), |left| left >= session.credits)
        });
        !overlaps && open < BOOKINGS_AHEAD_MAX && pays
    }

    fn check_passes(&self) {
        let mut sums: HashMap<Uuid, i64> = HashMap::new();
        let mut taken: HashMap<Uuid, i64> = HashMap::new();
        for (pass, booking, credits) in &self.ledger {
            *sums.entry(*pass).or_default() += credits;
            if let Some(booking) = booking {
                *taken.entry(*booking).or_default() -= credits;
            }
        }
        for pass in &self.passes {
            let sum = sums.get(&pass.id).copied();
            assert!(sum.is_some(), "no ledger of {pass:?}");
            assert!(pass.credits_left.is_none_or(|left| left >= 0 && Some(left) == sum), "balance of {pass:?}, ledger {sum:?}");
        }
        for booking in &self.bookings {
            assert_eq!(booking.credits, taken.get(&booking.id).copied().unwrap_or(0), "what {booking:?} took");
            let paid = booking.credits != 0 || booking.visit_week.is_some();
            assert!(booking.status != Status::Waitlisted || !paid, "{booking:?} waits and paid");
        }
    }
}

fn holds_place(booking: &Booking) -> bool {
    matches!(booking.status, Status::Booked | Status::Offered | Status::Attended | Status::NoShow)
}

fn monday(date: NaiveDate) -> NaiveDate {
    date - Days::new(u64::from(date.weekday().num_days_from_monday()))
}

/// Months in which something was hardly done prove nothing about it.
pub fn assert_lively(seen: &BTreeMap<&'static str, usize>, often: usize) {
    // A booking that is drawn at random is seldom one that starts within the hour.
    for (name, least) in [
        ("book", often),
        ("cancel", often),
        ("make_session", often),
        ("sell_pass", often),
        ("refused", often),
        ("edit_session", often / 2),
        ("cancel_session", often / 5),
        ("accept", often / 10),
        ("waitlist_closed", often / 10),
        ("check_in", often / 50),
    ] {
        assert!(seen.get(name).is_some_and(|count| *count >= least), "hardly any {name}: {seen:?}");
    }
}
