//! Why a decision stops before its end: rows that it must know first, a batch of its own, a refusal.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::rows::resources::Resource;
use crate::events::Actor;
use crate::problem::{Problem, ProblemType};
use crate::transition::TransitionRefused;

/// Rows that a decision asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lookup {
    /// A session with its class type, room, instructor's name, and its studio.
    Session(Uuid),
    /// A studio with its house rules.
    Studio(Uuid),
    /// A person with their roles and the studios that they joined.
    Identity(Uuid),
    /// The same with their passes and their bookings from now on.
    Person(Uuid),
    /// For whom a person acts, and who acts for them.
    Family(Uuid),
    /// A person's booking of a session: (session, person).
    InSession(Uuid, Uuid),
    /// A booking, and whether `.1` withdrew that id before it was seen.
    Booking(Uuid, Uuid),
    /// How often a membership was used in the week that begins on that Monday.
    Visits(Uuid, NaiveDate),
    /// A person's places in sessions that start in this time: from, until.
    Places(Uuid, DateTime<Utc>, DateTime<Utc>),
    /// The next slice of a queue.
    Queue(Uuid),
    /// Who gave back the place in a session that its waitlist had given or offered them.
    TurnedDown(Uuid),
    /// Everybody who is or was in a session and is touched when it changes.
    Roster(Uuid),
    /// A pass, which may be one that nobody can book with any more.
    Pass(Uuid),
    /// What was paid for a pass.
    Paid(Uuid),
    /// The bookings to come for which a pass pays, whoever comes.
    PaidBy(Uuid),
    /// The first classes that somebody attended.
    Attended(Attended),
    /// The bookings of two people that are of one session or at one time.
    Beside(Uuid, Uuid),
    /// A penalty.
    Penalty(Uuid),
    /// The penalties of a person that may still decide something.
    Penalties(Uuid),
    /// A hold, with its session.
    Hold(Uuid),
    /// The holds of a session.
    Holds(Uuid),
    /// A code that was shown at the door, by the id that its device chose.
    CheckIn(Uuid),
    /// What occupies a room or an instructor during a time: from, until.
    Occupied(Resource, DateTime<Utc>, DateTime<Utc>),
    /// A series with its parts.
    Series(Uuid),
    /// The sessions of a series that have not begun.
    SeriesSessions(Uuid),
    /// The sessions of a studio that have not begun.
    ToCome(Uuid),
    /// The series of a studio that still have a date to come.
    RunningSeries(Uuid),
    /// The sessions of an instructor, in any studio, that are not over.
    Teaching(Uuid),
    /// The sessions of a studio on its local dates: from, and the first date after them.
    Days(Uuid, NaiveDate, NaiveDate),
    /// The days on which a studio is closed, from today on.
    ClosingDays(Uuid),
    /// Who runs a studio.
    Admins(Uuid),
    /// An invitation to a studio's staff.
    Invitation(Uuid),
    /// A request for a substitute, with its session.
    SubstituteRequest(Uuid),
    /// The pending request about a session.
    PendingRequest(Uuid),
    /// What the instructors of a studio teach, and when they are available.
    Candidates(Uuid),
    /// A class type, a room, a pass type: what a new row is made of.
    ClassType(Uuid),
    /// See [`Lookup::ClassType`].
    Room(Uuid),
    /// See [`Lookup::ClassType`].
    PassType(Uuid),
    /// The answer that a person's key was given before.
    Idempotency(Uuid, String),
}

/// Which of the classes that somebody attended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Attended {
    /// Those for which a pass paid, whoever came.
    With(Uuid),
    /// Those of a studio: (person, studio).
    At(Uuid, Uuid),
}

impl Lookup {
    /// What it means that there is no such row: it does not exist, or it was not looked up yet.
    pub fn missing(self, looked_up: bool) -> Abort {
        if looked_up { not_found() } else { Abort::Needs(vec![self]) }
    }
}

/// Why a decision stopped.
#[derive(Debug)]
pub enum Abort {
    /// Rows are missing: load them and decide again.
    Needs(Vec<Lookup>),
    /// It touches so many people that it must have a batch of its own.
    Alone,
    /// It is refused.
    Refused(Box<Problem>),
}

impl From<Problem> for Abort {
    fn from(problem: Problem) -> Self {
        Self::Refused(Box::new(problem))
    }
}

impl From<TransitionRefused> for Abort {
    fn from(refused: TransitionRefused) -> Self {
        Problem::fault(refused).into()
    }
}

/// The result of a decision.
pub type Decision<T> = Result<T, Abort>;

/// All of several decisions. A refusal comes before missing rows, and all that are missing are asked for at once.
pub fn all<T>(decisions: impl IntoIterator<Item = Decision<T>>) -> Decision<Vec<T>> {
    let mut needs = Vec::new();
    let mut done = Vec::new();
    for decided in decisions {
        match decided {
            Ok(one) => done.push(one),
            Err(Abort::Needs(keys)) => needs.extend(keys),
            Err(other) => return Err(other),
        }
    }
    if needs.is_empty() { Ok(done) } else { Err(Abort::Needs(needs)) }
}

/// One round for all that is missing; a refusal comes first.
pub fn all_needs<const N: usize>(stops: [Option<Abort>; N]) -> Abort {
    let mut keys = Vec::new();
    for stop in stops.into_iter().flatten() {
        match stop {
            Abort::Needs(more) => keys.extend(more),
            other => return other,
        }
    }
    Abort::Needs(keys)
}

/// The person who asks. Relevé itself never asks for what needs one.
pub fn caller(actor: &Actor) -> Decision<Uuid> {
    actor.person_id.ok_or_else(|| Problem::new(ProblemType::SignInRequired).into())
}

/// Nothing is there, or nothing that the caller may see.
pub fn not_found() -> Abort {
    Problem::new(ProblemType::NotFound).into()
}
