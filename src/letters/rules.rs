//! Decides a letter's fate: what events have overtaken, when a failed attempt is repeated, when it is given up.

use chrono::{DateTime, Months, TimeDelta, Utc};
use uuid::Uuid;

use super::LetterState;

/// How long a worker holds a letter before another may take it: longer than anything that sending waits for.
pub const LEASE: TimeDelta = TimeDelta::minutes(5);

/// The most that one attempt may take, all its time-outs together. The lease outlasts it more than three times.
pub const ATTEMPT_MAX: TimeDelta = TimeDelta::seconds(80);

/// The backoff: pauses after the first failed attempts, then [`PAUSE_THEN`] after each, until [`PATIENCE`] is over.
const PAUSES: [TimeDelta; 5] =
    [TimeDelta::seconds(10), TimeDelta::seconds(30), TimeDelta::minutes(2), TimeDelta::minutes(10), TimeDelta::hours(1)];
const PAUSE_THEN: TimeDelta = TimeDelta::hours(4);

/// How long a letter is tried.
const PATIENCE: TimeDelta = TimeDelta::hours(48);

/// How long a letter's words, facts and address live.
const BODIES_LIVE: Months = Months::new(13);

/// The most characters of an error that are kept.
const ERROR_CHARS_MAX: usize = 300;

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendError {
    /// Whether another attempt can help.
    pub permanent: bool,
    /// For staff and the log: no addresses.
    pub message: String,
}

impl SendError {
    /// A fault of the network or the server: another attempt can help.
    pub fn transient(message: impl AsRef<str>) -> Self {
        Self { permanent: false, message: without_addresses(message.as_ref()) }
    }

    /// A fault of this letter: another attempt cannot help.
    pub fn permanent(message: impl AsRef<str>) -> Self {
        Self { permanent: true, message: without_addresses(message.as_ref()) }
    }
}

/// What became of a letter in an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The mail server took it.
    Sent { at: DateTime<Utc> },
    /// Another attempt is made then.
    Retrying { due_at: DateTime<Utc>, error: String },
    /// Given up.
    Failed { error: String },
}

/// How often and until when a letter is tried.
#[derive(Clone, Copy, Debug)]
pub struct Trials {
    /// Attempts made, this one included.
    pub attempts: i64,
    /// When it was written, or when staff last had it sent again.
    pub since: DateTime<Utc>,
    /// After this instant it is of no use to its reader.
    pub useful_until: Option<DateTime<Utc>>,
}

/// The fate after a failed attempt: 10 s, 30 s, 2 min, 10 min, 1 h, then every 4 h, to 48 h after it was written.
pub fn fate_after(error: SendError, trials: Trials, now: DateTime<Utc>) -> Fate {
    let SendError { permanent, message } = error;
    if permanent {
        return Fate::Failed { error: message };
    }
    let pause = usize::try_from(trials.attempts - 1).ok().and_then(|before| PAUSES.get(before)).copied().unwrap_or(PAUSE_THEN);
    let due_at = now + pause;
    if due_at > trials.since + PATIENCE {
        return Fate::Failed { error: message };
    }
    // No later than it is of use, so that it is found obsolete then.
    let due_at = trials.useful_until.map_or(due_at, |end| due_at.min(end.max(now)));
    Fate::Retrying { due_at, error: message }
}

/// Whether an attempt that begins now surely ends within its lease.
pub fn may_begin(leased_until: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now + ATTEMPT_MAX < leased_until
}

/// Letters written before this instant lose their words, facts and address.
pub fn bodies_live_since(now: DateTime<Utc>) -> DateTime<Utc> {
    now.checked_sub_months(BODIES_LIVE).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

/// Whether a letter of this kind carries a code that lets somebody in: its text is never kept or shown, and staff cannot send it again.
pub fn carries_code(kind: &str) -> bool {
    matches!(kind, "address_code" | "password_code" | "deletion_code" | "invitation")
}

/// A letter that is due, or whose lease ran out, as far as its fate depends on it.
#[derive(Clone, Debug)]
pub struct Due {
    pub id: Uuid,
    pub booking_id: Option<Uuid>,
    /// Whose letter it is; `None`: a guest's.
    pub reader: Option<Uuid>,
    pub nth: i64,
    pub kind: String,
    /// `None`: a lease ran out.
    pub due_at: Option<DateTime<Utc>>,
    pub useful_until: Option<DateTime<Utc>>,
    pub has_address: bool,
    pub person_gone: bool,
    /// Its booking has ended since, and the letter about the one that took over says so.
    pub taken_over: bool,
}

/// Any letter about one of the same bookings, the due ones too.
#[derive(Clone, Debug)]
pub struct Sibling {
    pub id: Uuid,
    pub booking_id: Uuid,
    pub reader: Option<Uuid>,
    pub nth: i64,
    pub kind: String,
    pub state: LetterState,
    pub due_at: Option<DateTime<Utc>>,
}

/// Why a letter is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obsolete {
    /// It came too late to be of use.
    TooLate,
    /// A later letter about the same booking says what is true now.
    Overtaken,
    /// It takes back what its reader was never told.
    NeverTold,
    /// There is no address.
    NoAddress,
    /// The account was deleted.
    PersonGone,
}

impl Obsolete {
    /// As staff read it.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TooLate => "it came too late to be of use",
            Self::Overtaken => "a later letter about the same booking was written",
            Self::NeverTold => "its reader was never told of the place",
            Self::NoAddress => "there is no address to send it to",
            Self::PersonGone => "the account was deleted",
        }
    }
}

/// What becomes of the letters that are due.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sorted {
    /// To be sent now.
    pub send: Vec<Uuid>,
    /// Not to be sent. Some of them were not due yet, but are overtaken.
    pub obsolete: Vec<(Uuid, Obsolete)>,
    /// To wait for an earlier one about the same booking, until that one's next attempt.
    pub put_off: Vec<(Uuid, DateTime<Utc>)>,
}

/// Sorts the due letters. `siblings` are all letters about their bookings.
///
/// Letters to one reader about one booking are sent in the order of `nth`. A later one makes the unsent earlier ones obsolete; where it does not
/// (`overtakes`), and while an earlier one is being sent, it waits.
pub fn sort_out(due: &[Due], siblings: &[Sibling], now: DateTime<Utc>) -> Sorted {
    let mut sorted = Sorted::default();
    for letter in due {
        if let Some(why) = obsolete(letter, siblings, now) {
            sorted.obsolete.push((letter.id, why));
        }
    }
    for sibling in siblings.iter().filter(|one| matches!(one.state, LetterState::Queued | LetterState::Retrying)) {
        let known = sorted.obsolete.iter().any(|(id, _)| *id == sibling.id);
        if !known && overtaken((sibling.booking_id, sibling.reader), sibling.nth, &sibling.kind, siblings) {
            sorted.obsolete.push((sibling.id, Obsolete::Overtaken));
        }
    }
    let is_obsolete = |id: Uuid| sorted.obsolete.iter().any(|(other, _)| *other == id);
    for letter in due.iter().filter(|letter| !is_obsolete(letter.id)) {
        let mut earlier = siblings
            .iter()
            .filter(|one| Some(one.booking_id) == letter.booking_id && one.nth < letter.nth && one.state.is_open() && !is_obsolete(one.id))
            .filter(|one| one.reader == letter.reader);
        match (letter.due_at, earlier.next()) {
            // It was being sent already, so nothing was ahead of it then.
            (None, _) | (_, None) => sorted.send.push(letter.id),
            (Some(own), Some(first)) => {
                // One that is being sent settles soon: the later one stays due, and is looked at again.
                if let Some(due_at) = first.due_at.filter(|due_at| *due_at > own) {
                    sorted.put_off.push((letter.id, due_at));
                }
            }
        }
    }
    sorted
}

fn obsolete(letter: &Due, siblings: &[Sibling], now: DateTime<Utc>) -> Option<Obsolete> {
    if letter.person_gone {
        return Some(Obsolete::PersonGone);
    }
    if letter.taken_over
        || letter.booking_id.is_some_and(|booking_id| overtaken((booking_id, letter.reader), letter.nth, &letter.kind, siblings))
    {
        return Some(Obsolete::Overtaken);
    }
    if letter.kind == "guest_cancelled" && never_told(letter, siblings) {
        return Some(Obsolete::NeverTold);
    }
    if letter.useful_until.is_some_and(|end| end <= now) {
        return Some(Obsolete::TooLate);
    }
    (!letter.has_address).then_some(Obsolete::NoAddress)
}

/// Whether nothing has left before that told a guest of their place. One that was tried may have arrived.
fn never_told(letter: &Due, siblings: &[Sibling]) -> bool {
    let mut before =
        siblings.iter().filter(|one| Some(one.booking_id) == letter.booking_id && one.nth < letter.nth && one.reader == letter.reader);
    before.all(|one| matches!(one.state, LetterState::Queued | LetterState::Obsolete))
}

fn overtaken(of: (Uuid, Option<Uuid>), nth: i64, kind: &str, siblings: &[Sibling]) -> bool {
    siblings.iter().any(|later| (later.booking_id, later.reader) == of && later.nth > nth && overtakes(&later.kind, kind))
}

/// Whether a later letter of one kind says all that matters in an earlier, unsent one about the same booking. It does, since each says
/// where the booking now stands, with exceptions: a member who was passed over still waits, and has yet to read on which terms; and one
/// whose place was lost to the waitlist has it in the calendar, which only that letter corrects until they have a place again.
fn overtakes(later: &str, earlier: &str) -> bool {
    match earlier {
        // A reminder says where and when, and leaves it to the others to say what has become of the booking; no calendar comes with it.
        earlier if is_reminder(later) => is_reminder(earlier),
        "waitlisted" => later != "passed_over",
        "moved_to_waitlist" => matches!(later, "promoted" | "booked" | "exchanged"),
        // That a penalty is taken back does not say that the booking is cancelled, which the calendar has to learn too.
        "late_cancelled" | "removed_by_staff" => later != "penalty_waived",
        _ => true,
    }
}

fn is_reminder(kind: &str) -> bool {
    matches!(kind, "reminder_24h" | "reminder_2h")
}

/// One line, truncated, without anything that looks like an address: mail servers like to repeat them.
fn without_addresses(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.map(|word| if word.contains('@') { "(address)" } else { word }).collect();
    words.join(" ").chars().take(ERROR_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;
    use crate::letters::facts::ToRender;
    use crate::letters::words::{self, tests::facts_of_every_kind};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn pauses_grow_and_end_after_two_days() {
        let mut now = at(0);
        let mut pauses = Vec::new();
        let last = loop {
            let trials = Trials { attempts: i64::try_from(pauses.len()).unwrap() + 1, since: at(0), useful_until: None };
            match fate_after(SendError::transient("busy"), trials, now) {
                Fate::Retrying { due_at, .. } => {
                    pauses.push((due_at - now).num_seconds());
                    now = due_at;
                }
                fate => break fate,
            }
        };
        assert_eq!(pauses[..7], [10, 30, 120, 600, 3_600, 14_400, 14_400]);
        assert!(pauses[5..].iter().all(|pause| *pause == 14_400));
        assert_eq!(last, Fate::Failed { error: "busy".into() });
        let tried_for = (now - at(0)).num_hours();
        assert!((44..=48).contains(&tried_for), "{tried_for} h");
    }

    #[test]
    fn fates_after_a_failed_attempt() {
        let trials = |attempts, useful_until| Trials { attempts, since: at(0), useful_until };
        let retrying = |seconds| Fate::Retrying { due_at: at(seconds), error: "no".into() };
        let failed = Fate::Failed { error: "no".into() };
        let (soft, hard) = (|| SendError::transient("no"), || SendError::permanent("no"));
        for (error, trials, now, fate) in [
            (soft(), trials(1, None), at(5), retrying(15)),
            (soft(), trials(2, None), at(20), retrying(50)),
            (soft(), trials(6, None), at(5_000), retrying(19_400)),
            (soft(), trials(1_000, None), at(5_000), retrying(19_400)),
            // A count that no version writes does no harm.
            (soft(), trials(0, None), at(0), retrying(14_400)),
            (soft(), trials(i64::MIN + 1, None), at(0), retrying(14_400)),
            // The worker was away for days: one attempt, then patience is over.
            (soft(), trials(1, None), at(3 * 86_400), failed.clone()),
            // Useless before the next attempt: found so at that instant, not hours later.
            (soft(), trials(6, Some(at(6_000))), at(5_000), retrying(6_000)),
            (soft(), trials(6, Some(at(4_000))), at(5_000), retrying(5_000)),
            (hard(), trials(1, None), at(5), failed.clone()),
        ] {
            assert_eq!(fate_after(error, trials, now), fate, "{trials:?} {now}");
        }
    }

    #[test]
    fn the_lease_outlasts_an_attempt() {
        assert!(ATTEMPT_MAX < TimeDelta::seconds(90));
        assert!(may_begin(at(0) + LEASE, at(200)));
        assert!(!may_begin(at(0) + LEASE, at(220)));
    }

    #[test]
    fn errors_name_nobody() {
        let error = SendError::permanent("550 5.1.1 <ana@demo.test>:\r\n user unknown\u{7}");
        assert_eq!(error.message, "550 5.1.1 (address) user unknown");
        assert_eq!(SendError::transient("x".repeat(10_000)).message.len(), ERROR_CHARS_MAX);
    }

    #[test]
    fn letters_with_a_code_are_known_by_their_kind() {
        for (kind, facts) in facts_of_every_kind() {
            let letter = |code| ToRender {
                language: Language::En,
                written_at: at(0),
                name: None,
                facts: &facts,
                public_url: "",
                booking_id: None,
                link: None,
                unsubscribe: None,
                code,
            };
            // Without a code such a letter cannot be put into words.
            assert_eq!(words::render(&letter(None)).is_err(), carries_code(kind), "{kind}");
            assert!(words::render(&letter(Some(""))).is_ok(), "{kind}");
        }
    }

    #[test]
    fn bodies_live_thirteen_months() {
        let now: DateTime<Utc> = "2027-03-31T12:00:00Z".parse().unwrap();
        assert_eq!(bodies_live_since(now).to_rfc3339(), "2026-02-28T12:00:00+00:00");
    }

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn reader_of(kind: &str) -> Option<Uuid> {
        (!kind.starts_with("guest_")).then(|| id(200))
    }

    fn due(n: u128, nth: i64, kind: &str) -> Due {
        Due {
            id: id(n),
            booking_id: Some(id(100)),
            reader: reader_of(kind),
            nth,
            kind: kind.into(),
            due_at: Some(at(0)),
            useful_until: None,
            has_address: true,
            person_gone: false,
            taken_over: false,
        }
    }

    fn sibling(n: u128, nth: i64, kind: &str, state: LetterState) -> Sibling {
        let due_at = matches!(state, LetterState::Queued | LetterState::Retrying).then(|| at(0));
        Sibling { id: id(n), booking_id: id(100), reader: reader_of(kind), nth, kind: kind.into(), state, due_at }
    }

    fn sends(ids: &[u128]) -> Sorted {
        Sorted { send: ids.iter().map(|n| id(*n)).collect(), ..Sorted::default() }
    }

    #[test]
    fn what_is_of_no_use_is_not_sent() {
        let alone = |change: fn(&mut Due)| {
            let mut letter = due(1, 0, "booked");
            letter.booking_id = None;
            change(&mut letter);
            sort_out(&[letter], &[], at(10))
        };
        assert_eq!(alone(|_| {}), sends(&[1]));
        assert_eq!(alone(|letter| letter.due_at = None), sends(&[1]));
        assert_eq!(alone(|letter| letter.useful_until = Some(at(11))), sends(&[1]));
        let refused = |why| Sorted { obsolete: vec![(id(1), why)], ..Sorted::default() };
        assert_eq!(alone(|letter| letter.useful_until = Some(at(10))), refused(Obsolete::TooLate));
        assert_eq!(alone(|letter| letter.has_address = false), refused(Obsolete::NoAddress));
        assert_eq!(alone(|letter| letter.person_gone = true), refused(Obsolete::PersonGone));
        assert_eq!(alone(|letter| letter.taken_over = true), refused(Obsolete::Overtaken));
    }

    #[test]
    fn the_later_letter_leaves_and_the_unsent_earlier_one_does_not() {
        for (earlier, later) in [
            ("booked", "cancelled"),
            ("waitlisted", "promoted"),
            ("waitlisted", "place_free"),
            ("session_changed", "session_cancelled"),
            ("late_cancelled", "session_cancelled"),
        ] {
            let both = [due(1, 1, earlier), due(2, 2, later)];
            let siblings = [sibling(1, 1, earlier, LetterState::Queued), sibling(2, 2, later, LetterState::Queued)];
            let sorted = Sorted { obsolete: vec![(id(1), Obsolete::Overtaken)], ..sends(&[2]) };
            assert_eq!(sort_out(&both, &siblings, at(0)), sorted, "{earlier} {later}");
            // Only the later one is due: the earlier one waits for its next attempt, in vain.
            let siblings = [sibling(1, 1, earlier, LetterState::Retrying), sibling(2, 2, later, LetterState::Queued)];
            assert_eq!(sort_out(&both[1..], &siblings, at(0)), sorted, "{earlier} {later}");
            // Only the earlier one is due, perhaps taken up again by staff or after a crash.
            for state in [
                LetterState::Queued,
                LetterState::Sending,
                LetterState::Sent,
                LetterState::Retrying,
                LetterState::Failed,
                LetterState::Obsolete,
            ] {
                let siblings = [sibling(1, 1, earlier, LetterState::Queued), sibling(2, 2, later, state)];
                assert_eq!(sort_out(&both[..1], &siblings, at(0)).obsolete, [(id(1), Obsolete::Overtaken)], "{earlier} {later} {state:?}");
            }
        }
    }

    #[test]
    fn a_letter_waits_for_the_one_before_it() {
        let later = [due(2, 2, "cancelled")];
        let siblings = [sibling(1, 1, "booked", LetterState::Sending), sibling(2, 2, "cancelled", LetterState::Queued)];
        assert_eq!(sort_out(&later, &siblings, at(0)), Sorted::default());
        let siblings = [sibling(1, 1, "booked", LetterState::Sent), sibling(2, 2, "cancelled", LetterState::Queued)];
        assert_eq!(sort_out(&later, &siblings, at(0)), sends(&[2]));
        // A letter that was being sent when its worker died does not wait.
        let siblings = [sibling(1, 1, "booked", LetterState::Sending), sibling(2, 2, "cancelled", LetterState::Sending)];
        let again = [Due { due_at: None, ..due(2, 2, "cancelled") }];
        assert_eq!(sort_out(&again, &siblings, at(0)), sends(&[2]));
    }

    #[test]
    fn who_was_passed_over_reads_first_that_they_wait() {
        let both = [due(1, 1, "waitlisted"), due(2, 2, "passed_over")];
        let siblings = [sibling(1, 1, "waitlisted", LetterState::Queued), sibling(2, 2, "passed_over", LetterState::Queued)];
        assert_eq!(sort_out(&both, &siblings, at(0)), sends(&[1]));
        let mut siblings = [sibling(1, 1, "waitlisted", LetterState::Retrying), sibling(2, 2, "passed_over", LetterState::Queued)];
        siblings[0].due_at = Some(at(30));
        assert_eq!(sort_out(&both[1..], &siblings, at(0)), Sorted { put_off: vec![(id(2), at(30))], ..Sorted::default() });
    }

    #[test]
    fn a_guest_and_their_host_each_read_of_it() {
        let both = [due(1, 1, "booked"), due(2, 2, "guest_booked")];
        let siblings = [sibling(1, 1, "booked", LetterState::Queued), sibling(2, 2, "guest_booked", LetterState::Queued)];
        assert_eq!(sort_out(&both, &siblings, at(0)), sends(&[1, 2]));
        let both = [due(1, 2, "guest_booked"), due(2, 4, "guest_cancelled")];
        let siblings = [sibling(1, 2, "guest_booked", LetterState::Queued), sibling(2, 4, "guest_cancelled", LetterState::Queued)];
        // Who was never told of the place is not told that they have it no more.
        let neither = Sorted { obsolete: vec![(id(1), Obsolete::Overtaken), (id(2), Obsolete::NeverTold)], ..Sorted::default() };
        assert_eq!(sort_out(&both, &siblings, at(0)), neither);
        let last = [due(2, 4, "guest_cancelled")];
        for (state, told) in
            [(LetterState::Sent, true), (LetterState::Failed, true), (LetterState::Retrying, true), (LetterState::Obsolete, false)]
        {
            let siblings = [sibling(1, 2, "guest_booked", state), sibling(2, 4, "guest_cancelled", LetterState::Queued)];
            assert_eq!(sort_out(&last, &siblings, at(0)).send.is_empty(), !told, "{state:?}");
        }
        // What the host was sent says nothing to the guest.
        let siblings = [sibling(1, 2, "booked", LetterState::Sent), sibling(2, 4, "guest_cancelled", LetterState::Queued)];
        assert_eq!(sort_out(&last, &siblings, at(0)).obsolete, [(id(2), Obsolete::NeverTold)]);
    }

    #[test]
    fn who_booked_for_another_reads_of_it_too() {
        let also = |letter: Due| Due { reader: Some(id(201)), ..letter };
        let also_sibling = |one: Sibling| Sibling { reader: Some(id(201)), ..one };
        let both = [due(1, 1, "booked"), also(due(2, 2, "booked"))];
        let siblings = [sibling(1, 1, "booked", LetterState::Queued), also_sibling(sibling(2, 2, "booked", LetterState::Queued))];
        assert_eq!(sort_out(&both, &siblings, at(0)), sends(&[1, 2]));
        // What overtakes the one overtakes the other only if it is written to them, too.
        let late = [due(3, 3, "cancelled")];
        let siblings = [&siblings[..], &[sibling(3, 3, "cancelled", LetterState::Queued)]].concat();
        let sorted = Sorted { obsolete: vec![(id(1), Obsolete::Overtaken)], ..sends(&[3]) };
        assert_eq!(sort_out(&late, &siblings, at(0)), sorted);
    }

    #[test]
    fn who_lost_a_place_to_the_waitlist_reads_it_unless_they_have_one_again() {
        for (later, reads_it) in [
            ("promoted", false),
            ("booked", false),
            ("exchanged", false),
            ("passed_over", true),
            ("place_free", true),
            ("waitlist_left", true),
            ("waitlist_closed", true),
            ("session_changed", true),
            ("session_cancelled", true),
        ] {
            let both = [due(1, 1, "moved_to_waitlist"), due(2, 2, later)];
            let siblings = [sibling(1, 1, "moved_to_waitlist", LetterState::Queued), sibling(2, 2, later, LetterState::Queued)];
            let sorted = match reads_it {
                true => sends(&[1]),
                false => Sorted { obsolete: vec![(id(1), Obsolete::Overtaken)], ..sends(&[2]) },
            };
            assert_eq!(sort_out(&both, &siblings, at(10)), sorted, "{later}");
        }
    }

    #[test]
    fn other_bookings_are_no_matter() {
        let siblings = [sibling(1, 1, "booked", LetterState::Sending), sibling(2, 2, "cancelled", LetterState::Queued)];
        let other = Due { booking_id: Some(id(101)), ..due(3, 1, "booked") };
        assert_eq!(sort_out(&[other], &siblings, at(0)), sends(&[3]));
    }
}
