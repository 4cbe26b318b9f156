//! Sums and ratios of reports, and cells that no spreadsheet runs. Pure.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Datelike as _, Days, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Counts, Hope, SessionCounts};

/// The sums of sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Sessions that were not cancelled.
    pub sessions: i64,
    /// The places of all these sessions.
    pub capacity: i64,
    /// Those of them that are taken.
    pub filled: i64,
    /// All bookings.
    pub counts: Counts,
}

impl Sums {
    /// Adds a session. One that the studio cancelled has no places to fill.
    pub fn add(&mut self, session: &SessionCounts) {
        if !session.cancelled_session {
            self.sessions += 1;
            self.capacity += session.capacity;
            self.filled += session.counts.booked;
        }
        self.counts += session.counts;
    }

    /// Of all these sessions.
    pub fn of<'a>(sessions: impl IntoIterator<Item = &'a SessionCounts>) -> Self {
        sessions.into_iter().fold(Self::default(), |mut sums, session| {
            sums.add(session);
            sums
        })
    }

    /// How full they are.
    pub fn fill(&self) -> Option<f64> {
        fill(self.filled, self.capacity)
    }
}

/// How full: the places taken over all places, to four digits; `None` where there are none.
pub fn fill(taken: i64, capacity: i64) -> Option<f64> {
    #[allow(clippy::cast_precision_loss, reason = "counts of places are far below 2^52")]
    let ratio = (taken * 10_000 / capacity.max(1)) as f64 / 10_000.0;
    (capacity > 0).then_some(ratio)
}

/// What sessions have in common by which they are put together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A class type, an instructor or a room: its name, by which groups are sorted, and its id.
    Named(String, Uuid),
    /// A weekday, 1 to 7 from Monday, and an hour.
    Hour(i64, i64),
}

/// Sums by what sessions have in common.
pub fn grouped(sessions: &[SessionCounts], key: impl Fn(&SessionCounts) -> Key) -> BTreeMap<Key, Sums> {
    let mut groups: BTreeMap<Key, Sums> = BTreeMap::new();
    for session in sessions {
        groups.entry(key(session)).or_default().add(session);
    }
    groups
}

/// What was wanted at one time of the week and could not be given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Sessions that were not cancelled.
    pub sessions: i64,
    /// Who waited.
    pub waited: i64,
    /// The most who waited for one session.
    pub waited_max: i64,
    /// The minutes that each waited until a place was given or offered to them.
    pub minutes_waited: Vec<i64>,
    /// Who was refused for want of a place.
    pub turned_away: i64,
    /// Who wanted a place and had none.
    pub unmet: i64,
}

impl Wanted {
    /// Adds another.
    pub fn join(&mut self, other: &Self) {
        self.sessions += other.sessions;
        self.waited += other.waited;
        self.waited_max = self.waited_max.max(other.waited_max);
        self.minutes_waited.extend(&other.minutes_waited);
        self.turned_away += other.turned_away;
        self.unmet += other.unmet;
    }
}

/// What was wanted, by weekday and local minute of the day; `turned_away` is who from which session, each once. A wish is unmet if somebody
/// was turned away, or waited in vain, and had no place in that session; what the studio cancelled left none unmet that it could have met.
pub fn wanted(sessions: &[SessionCounts], hopes: &[Hope], turned_away: &[(Uuid, Uuid)]) -> BTreeMap<(i64, i64), Wanted> {
    let mut of_session: HashMap<Uuid, Wanted> = HashMap::new();
    for hope in hopes.iter().filter(|hope| hope.waited) {
        let wanted = of_session.entry(hope.session_id).or_default();
        wanted.waited += 1;
        wanted.waited_max += 1;
        wanted.minutes_waited.extend(hope.promoted_at.map(|at| (at - hope.created_at).num_minutes()));
    }
    for (session_id, _) in turned_away {
        of_session.entry(*session_id).or_default().turned_away += 1;
    }
    let of = |hope: &Hope| (hope.session_id, hope.person_id);
    let served: HashSet<(Uuid, Uuid)> = hopes.iter().filter(|hope| hope.had_place).map(of).collect();
    let wishes: HashSet<(Uuid, Uuid)> = hopes.iter().filter(|hope| hope.in_vain).map(of).chain(turned_away.iter().copied()).collect();
    for (session_id, _) in wishes.difference(&served) {
        of_session.entry(*session_id).or_default().unmet += 1;
    }
    let mut slots: BTreeMap<(i64, i64), Wanted> = BTreeMap::new();
    for session in sessions {
        let slot = slots.entry((session.local_weekday, session.local_minute)).or_default();
        slot.sessions += i64::from(!session.cancelled_session);
        if let Some(mut wanted) = of_session.remove(&session.session_id) {
            wanted.unmet *= i64::from(!session.cancelled_session);
            slot.join(&wanted);
        }
    }
    slots
}

/// The middle of them; of an even number the lower of the two in the middle.
pub fn median(values: &[i64]) -> Option<i64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len().saturating_sub(1) / 2).copied()
}

/// What an instructor taught.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TaughtCounts)]
pub struct Taught {
    /// Classes that took place.
    pub sessions: i64,
    /// Minutes of these classes.
    pub minutes: i64,
    /// Places that were taken.
    pub booked: i64,
    /// Who came.
    pub attended: i64,
    /// Who cancelled after the free way out had closed.
    pub late_cancelled: i64,
    /// Who did not come.
    pub no_show: i64,
}

impl Taught {
    /// What a session that is over came to; `None`: it did not take place, or it is not over.
    pub fn of(session: &SessionCounts, now: DateTime<Utc>) -> Option<Self> {
        let Counts { booked, attended, late_cancelled, no_show, .. } = session.counts;
        let minutes = (session.ends_at - session.starts_at).num_minutes();
        (!session.cancelled_session && session.ends_at <= now).then_some(Self {
            sessions: 1,
            minutes,
            booked,
            attended,
            late_cancelled,
            no_show,
        })
    }

    /// Adds another.
    pub fn join(&mut self, other: Self) {
        self.sessions += other.sessions;
        self.minutes += other.minutes;
        self.booked += other.booked;
        self.attended += other.attended;
        self.late_cancelled += other.late_cancelled;
        self.no_show += other.no_show;
    }
}

/// The week of a date: its Monday and the Monday after.
pub fn week_of(date: NaiveDate) -> (NaiveDate, NaiveDate) {
    let monday = date - Days::new(u64::from(date.weekday().num_days_from_monday()));
    (monday, monday + Days::new(7))
}

/// The months that a cohort is followed after that of its first visits.
pub const MONTHS_FOLLOWED: usize = 12;

/// Who came for the first time in one month, and in which of the months after it how many of them came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cohort {
    /// How many.
    pub people: i64,
    /// How many of them came at least once more, whenever.
    pub came_again: i64,
    /// How many of them came in the first, the second, … month after.
    pub came_in: [i64; MONTHS_FOLLOWED],
}

/// Cohorts by the first day of their month. A visit is a person and the local date on which they came.
pub fn cohorts(visits: &[(Uuid, NaiveDate)]) -> BTreeMap<NaiveDate, Cohort> {
    let month = |date: &NaiveDate| i64::from(date.year()) * 12 + i64::from(date.month0());
    let mut of_person: BTreeMap<Uuid, Vec<NaiveDate>> = BTreeMap::new();
    for (person, date) in visits {
        of_person.entry(*person).or_default().push(*date);
    }
    let mut cohorts: BTreeMap<NaiveDate, Cohort> = BTreeMap::new();
    for dates in of_person.values() {
        let Some(first) = dates.iter().min() else { continue };
        let cohort = cohorts.entry(first.with_day(1).unwrap_or(*first)).or_default();
        cohort.people += 1;
        cohort.came_again += i64::from(dates.len() > 1);
        for (nth, came) in (1..).zip(&mut cohort.came_in) {
            *came += i64::from(dates.iter().any(|date| month(date) - month(first) == nth));
        }
    }
    cohorts
}

/// The cell with an apostrophe before it if a spreadsheet would take it for a formula (OWASP, "CSV Injection").
pub fn cell(text: &str) -> Cow<'_, str> {
    let runs = |c: char| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    if text.trim_start_matches(' ').starts_with(runs) { format!("'{text}").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use sqlx::types::Json;

    use super::*;
    use crate::language::Texts;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn session(n: u128, capacity: i64, cancelled_session: bool, counts: Counts) -> SessionCounts {
        let starts_at: DateTime<Utc> = "2026-12-01T10:30:00Z".parse().unwrap();
        SessionCounts {
            session_id: Uuid::from_u128(n),
            local_date: day("2026-12-01"),
            local_weekday: 2,
            local_minute: 18 * 60 + 30,
            starts_at,
            ends_at: starts_at + TimeDelta::minutes(55),
            capacity,
            cancelled_session,
            class_type_id: Uuid::from_u128(90),
            class_name: Json(Texts { en: "Barre".into(), zh_hans: None, zh_hant: None }),
            room_id: Uuid::from_u128(91),
            room_name: "A".into(),
            instructor_id: Uuid::from_u128(92),
            instructor_name: "Lin Yue".into(),
            unmarked: 0,
            counts,
        }
    }

    #[test]
    fn no_cell_runs() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"] {
            assert_eq!(cell(text), format!("'{text}"));
        }
        for text in ["", "Barre", "a=b", "林月", "'=1"] {
            assert_eq!(cell(text), text);
        }
    }

    #[test]
    fn how_full() {
        assert_eq!(fill(18, 20), Some(0.9));
        assert_eq!(fill(1, 3), Some(0.3333));
        assert_eq!(fill(0, 0), None);
    }

    #[test]
    fn what_the_studio_cancelled_has_no_places_and_was_not_taught() {
        let took_place = session(1, 10, false, Counts { booked: 5, waitlisted: 1, ..Counts::default() });
        let called_off = session(2, 10, true, Counts { cancelled: 3, ..Counts::default() });
        let sums = Sums::of([&took_place, &called_off]);
        assert_eq!((sums.sessions, sums.capacity, sums.filled, sums.counts.cancelled, sums.fill()), (1, 10, 5, 3, Some(0.5)));
        let over = took_place.ends_at;
        assert_eq!(Taught::of(&took_place, over).map(|taught| (taught.minutes, taught.booked)), Some((55, 5)));
        assert_eq!(Taught::of(&took_place, over - TimeDelta::seconds(1)), None, "it is not over");
        assert_eq!(Taught::of(&called_off, over), None);
    }

    #[test]
    fn what_was_wanted_and_not_given() {
        let sessions = [session(1, 10, false, Counts::default()), session(2, 10, false, Counts::default())];
        let (one, two, at) = (sessions[0].session_id, sessions[1].session_id, sessions[0].starts_at);
        let hope = |session_id, person, waited: Option<i64>, in_vain| Hope {
            session_id,
            person_id: Uuid::from_u128(person),
            created_at: at,
            promoted_at: waited.map(|minutes| at + TimeDelta::minutes(minutes)),
            waited: waited.is_some() || in_vain,
            in_vain,
            had_place: !in_vain,
        };
        let hopes = [hope(one, 1, Some(90), false), hope(one, 2, None, true), hope(two, 1, Some(30), false), hope(two, 3, None, false)];
        // The second waited besides, the third was served after all.
        let away = [(one, 2), (one, 4), (two, 3)].map(|(session, person)| (session, Uuid::from_u128(person)));
        let slots = wanted(&sessions, &hopes, &away);
        let slot = &slots[&(2, 18 * 60 + 30)];
        assert_eq!((slot.sessions, slot.waited, slot.waited_max, slot.turned_away, slot.unmet), (2, 3, 2, 3, 2));
        assert_eq!(median(&slot.minutes_waited), Some(30));
        assert_eq!((median(&[]), median(&[3, 1, 2])), (None, Some(2)));
    }

    #[test]
    fn cohorts_are_followed_by_the_calendar() {
        let [ana, bea] = [1, 2].map(Uuid::from_u128);
        let visits = [
            (ana, day("2026-01-31")),
            (ana, day("2026-02-01")),
            (ana, day("2026-02-08")),
            (bea, day("2026-01-02")),
            (ana, day("2027-01-05")),
            (ana, day("2027-02-05")),
        ];
        let cohorts = cohorts(&visits);
        let january = &cohorts[&day("2026-01-01")];
        assert_eq!((cohorts.len(), january.people, january.came_again), (1, 2, 1));
        let came: Vec<usize> = january.came_in.iter().enumerate().filter(|(_, came)| **came > 0).map(|(n, _)| n + 1).collect();
        assert_eq!(came, [1, 12]);
    }

    #[test]
    fn weeks_begin_on_monday() {
        for date in ["2026-11-23", "2026-11-26", "2026-11-29"] {
            assert_eq!(week_of(day(date)), (day("2026-11-23"), day("2026-11-30")));
        }
    }
}
