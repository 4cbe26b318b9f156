//! What a letter says, frozen when it was written. The words come later, in the reader's language (`words/`).

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::language::{Language, Texts};
use crate::passes::Length;
use crate::sign_in::factors::FactorKind;

/// One kind of letter with what it has to say. The tag is the letter's `kind` in the API and in the outbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Facts {
    /// Somebody registered with this address: the code proves that it is theirs. The code itself is sealed in its row.
    AddressCode {},
    /// Somebody tried to register an address that has an account already.
    AlreadyRegistered {},
    /// The code with which a forgotten password is replaced.
    PasswordCode {},
    /// The code with which somebody has their account deleted on the public page.
    DeletionCode {},
    /// Somebody asked for the account to be deleted: when, and when it will be, if nobody takes it back.
    DeletionAsked { at: DateTime<Utc>, due_at: DateTime<Utc> },
    /// The password was changed.
    PasswordChanged { at: DateTime<Utc> },
    /// To the old address: the account now has another one, shown masked (`a…@example.com`).
    AddressChanged { new_address_masked: String, at: DateTime<Utc> },
    /// From now on somebody shows this, too, to sign in.
    SecondFactorAdded { factor: FactorKind, at: DateTime<Utc> },
    /// A second factor was taken away; or all of them, by staff or on the command line, for somebody who has lost them.
    SecondFactorRemoved { all_by_staff: bool, at: DateTime<Utc> },
    /// A device signed in for the first time.
    NewDevice { device: Option<String>, at: DateTime<Utc> },
    /// Somebody tried many wrong passwords on the account, and was not let in.
    SignInTried { at: DateTime<Utc> },
    /// An invitation to join a studio's staff; the code is sealed in its row.
    Invitation { studio: StudioFacts, roles: Vec<InvitedRole>, invited_by: String },
    /// A front desk entered this person, or linked their account, as a member of the studio.
    #[serde(rename = "entered_by_desk")]
    EnteredByFrontDesk {
        studio: StudioFacts,
        linked: bool,
        /// Somebody else has the address too: nobody can sign in with it and find these bookings.
        #[serde(default)]
        shares_address: bool,
    },
    /// A pass was sold.
    PassSold {
        studio: StudioFacts,
        pass: Texts,
        /// `None` for an unlimited membership or one by the week.
        credits: Option<i64>,
        per_week: Option<i64>,
        expires_on: NaiveDate,
        paid: Option<Money>,
        /// The first day on which it pays, if that was named.
        #[serde(default)]
        starts_on: Option<NaiveDate>,
        /// It counts from the first class: how long. Then `expires_on` is the last day on which it can begin.
        #[serde(default)]
        from_first: Option<Length>,
    },
    /// The end of a pass is near: its last day or, of one that has not begun, the last on which it can begin.
    PassEnding { studio: StudioFacts, pass: Texts, credits: Option<i64>, expires_on: NaiveDate, unbegun: bool },
    /// What was left of a pass went to another member.
    PassGone { studio: StudioFacts, pass: Texts, credits: Option<i64> },
    /// What was left of another member's pass, or of one's own at another studio.
    PassReceived {
        studio: StudioFacts,
        pass: Texts,
        credits: Option<i64>,
        per_week: Option<i64>,
        expires_on: NaiveDate,
        /// As in `PassSold`.
        from_first: Option<Length>,
    },
    /// The member has a place.
    Booked { session: SessionFacts, terms: Terms, by_staff: bool },
    /// The member waits.
    Waitlisted {
        session: SessionFacts,
        position: i64,
        /// What a place will take from a pack.
        credits: i64,
        /// The promotion cut-off: until then the member may be moved in, and charged, without another tap. `None`: they never are.
        #[serde(default)]
        promoted_until: Option<DateTime<Utc>>,
        #[serde(default)]
        then: Then,
    },
    /// From the waitlist into a place: "you're in".
    Promoted { session: SessionFacts, terms: Terms },
    /// A place came free and the member could not take it; they keep their place in the queue.
    PassedOver {
        session: SessionFacts,
        reason: PassedOver,
        /// What comes next. `None` in letters older than this fact.
        #[serde(default)]
        waiting: Option<Waiting>,
        /// The booking that overlaps, if that is the reason.
        #[serde(default)]
        other: Option<OtherBooking>,
    },
    /// After the promotion cut-off a place came free: it is open to everybody, first come, first served.
    PlaceFree {
        session: SessionFacts,
        /// What the place takes from a pack. `None` in letters older than this fact.
        #[serde(default)]
        credits: Option<i64>,
        /// When booking closes. `None` in letters older than this fact.
        #[serde(default)]
        closes_at: Option<DateTime<Utc>>,
        /// Until then it is kept for those who wait. `None`: it is everybody's.
        #[serde(default)]
        kept_until: Option<DateTime<Utc>>,
    },
    /// A place is kept for the member for a time: they may take it.
    PlaceOffered {
        session: SessionFacts,
        /// Which offer: its letter's link takes the place or declines it.
        offer: Uuid,
        expires_at: DateTime<Utc>,
        /// When its time begins to count, if that was later than when it was offered: when quiet hours end.
        clock_starts_at: Option<DateTime<Utc>>,
        /// What the place costs if they take it.
        terms: Terms,
    },
    /// The time of an offer is over; the member no longer waits.
    OfferExpired { session: SessionFacts },
    /// The session changed, and the offer with it: the member waits again where they waited.
    OfferWithdrawn { session: SessionFacts, waiting: Option<Waiting> },
    /// The member no longer waits, and had no place.
    WaitlistLeft { session: SessionFacts, because: LeftBecause },
    /// No way in is left; nothing was taken.
    WaitlistClosed { session: SessionFacts },
    /// Cancelled in time.
    Cancelled { session: SessionFacts, credits_returned: i64 },
    /// Cancelled late.
    LateCancelled {
        session: SessionFacts,
        credits_lost: i64,
        visit_counts: bool,
        #[serde(default)]
        penalty: Penalized,
    },
    /// Staff took the member out of the session.
    RemovedByStaff {
        session: SessionFacts,
        reason: Option<String>,
        credits_returned: i64,
        credits_lost: i64,
        /// A membership paid, and it was late.
        #[serde(default)]
        visit_counts: bool,
        #[serde(default)]
        penalty: Penalized,
    },
    /// The member has a place that took over from an older booking, which ended with it: booked, or `promoted` from the waitlist.
    Exchanged { session: SessionFacts, terms: Terms, promoted: bool, replaced: Replaced },
    /// The session has a new time, room or instructor; `before` is how the member knew it.
    SessionChanged {
        session: SessionFacts,
        before: SessionFacts,
        booked: bool,
        /// What the place costs, and until when it can be cancelled now. `None` where the member waits, and in letters older than this
        /// fact.
        #[serde(default)]
        terms: Option<Terms>,
        /// What comes next for a waiting member. `None` where a place is held, and in letters older than this fact.
        #[serde(default)]
        waiting: Option<Waiting>,
    },
    /// The studio cancelled the session; everything taken for it came back.
    SessionCancelled {
        session: SessionFacts,
        reason: Option<CancelReason>,
        note: Option<String>,
        credits_returned: i64,
        /// A membership's visit no longer counts in its week.
        #[serde(default)]
        visit_returned: bool,
        had_place: bool,
        /// They had given their place back themselves, too late to do so for free.
        #[serde(default)]
        had_cancelled: bool,
        /// The fee or the strike of that is taken back.
        #[serde(default)]
        penalty_waived: bool,
    },
    /// After too many strikes: until then only sessions that start within so many hours may be booked, or none (0).
    Suspended { studio: StudioFacts, until: DateTime<Utc>, only_within_hours: i64 },
    /// Earlier than it was told before, everything may be booked again.
    SuspensionLifted { studio: StudioFacts },
    /// The studio took back what a late cancellation or an absence had cost.
    PenaltyWaived {
        session: SessionFacts,
        credits_returned: i64,
        visit_returned: bool,
        fee: Option<Money>,
        strike: bool,
        /// Because they had come after all.
        #[serde(default)]
        came: bool,
    },
    /// To a member: the session moved to a time at which they are booked elsewhere, so their place in it ended without penalty. `before`
    /// is how they knew it.
    Released {
        session: SessionFacts,
        before: SessionFacts,
        credits_returned: i64,
        /// What they are booked in. `None` in letters older than this fact.
        #[serde(default)]
        other: Option<OtherBooking>,
    },
    /// To a member: there are fewer places than bookings; the latest to book now wait at the head of the queue, refunded.
    MovedToWaitlist {
        session: SessionFacts,
        position: i64,
        credits_returned: i64,
        /// What comes next. `None` in letters older than this fact.
        #[serde(default)]
        waiting: Option<Waiting>,
    },
    /// To a guest, at an address that a member wrote down: they have a place, which is the member's to cancel; `changed`: the class has
    /// another time, room or instructor now.
    GuestBooked { session: SessionFacts, changed: bool },
    /// To a guest: the place is theirs no more, whoever ended it.
    GuestCancelled { session: SessionFacts },
    /// To the instructor, an hour before it is decided whether enough have booked.
    TooFewSoon { session: SessionFacts, booked: i64, minimum: i64, decided_at: DateTime<Utc> },
    /// To the instructor: it was decided; either the session takes place or it was cancelled and everybody told.
    TooFewDecided { session: SessionFacts, booked: i64, minimum: i64, cancelled: bool },
    /// To an instructor who could stand in: the first who claims it has it.
    SubstituteWanted { session: SessionFacts, asked_by: String, note: Option<String> },
    /// To the instructor who asked: somebody else teaches it now.
    SubstituteFound { session: SessionFacts, substitute: String },
    /// To the studio's admins: somebody would take it, an admin has to approve.
    SubstituteClaimed { session: SessionFacts, asked_by: String, substitute: String },
    /// To whoever claimed it: the admin decided. Approved, the session is theirs; else it is not.
    SubstituteDecided { session: SessionFacts, approved: bool },
    /// To the studio's admins: the start is near (12 hours or less) and nobody has taken it.
    SubstituteMissing { session: SessionFacts, asked_by: String },
    /// To the instructor who asked: the start has come and nobody took it. It does not reveal that an admin declined a claim.
    SubstituteExpired { session: SessionFacts },
    /// To the studio's admins: an instructor proposes `count` sessions; `session` is the first of them. They are drafts until an admin
    /// publishes them.
    SessionsProposed { session: SessionFacts, by: String, count: i64 },
    /// To the instructor: an admin published this many of the sessions they proposed; `session` is the first.
    SessionsPublished { session: SessionFacts, count: i64 },
    /// The member did not come: what that costs, and until when staff can correct it.
    NoShow { session: SessionFacts, credits_lost: i64, visit_counts: bool, penalty: Penalized, corrected_until: DateTime<Utc> },
    /// To the instructor and the studio's admins: nobody was marked as having come; after `until` all who are left count as having done so.
    AttendanceMissing { session: SessionFacts, unmarked: i64, until: DateTime<Utc> },
    /// To whoever has a place: the class is a day away.
    #[serde(rename = "reminder_24h")]
    Reminder24h { session: SessionFacts, terms: Terms },
    /// The class is two hours away.
    #[serde(rename = "reminder_2h")]
    Reminder2h { session: SessionFacts, terms: Terms },
    /// To the instructor and the studio's admins: a place came free for which somebody waits, and they say who gets it, until then.
    PlaceToGive { session: SessionFacts, until: DateTime<Utc> },
}

/// The session that facts are about, borrowed as they are.
macro_rules! session_of {
    ($facts:expr) => {
        match $facts {
            Self::Booked { session, .. }
            | Self::Waitlisted { session, .. }
            | Self::Promoted { session, .. }
            | Self::PassedOver { session, .. }
            | Self::PlaceFree { session, .. }
            | Self::PlaceOffered { session, .. }
            | Self::OfferExpired { session }
            | Self::OfferWithdrawn { session, .. }
            | Self::WaitlistLeft { session, .. }
            | Self::WaitlistClosed { session }
            | Self::Cancelled { session, .. }
            | Self::LateCancelled { session, .. }
            | Self::RemovedByStaff { session, .. }
            | Self::Exchanged { session, .. }
            | Self::SessionChanged { session, .. }
            | Self::SessionCancelled { session, .. }
            | Self::PenaltyWaived { session, .. }
            | Self::Released { session, .. }
            | Self::MovedToWaitlist { session, .. }
            | Self::GuestBooked { session, .. }
            | Self::GuestCancelled { session }
            | Self::TooFewSoon { session, .. }
            | Self::TooFewDecided { session, .. }
            | Self::SubstituteWanted { session, .. }
            | Self::SubstituteFound { session, .. }
            | Self::SubstituteClaimed { session, .. }
            | Self::SubstituteDecided { session, .. }
            | Self::SubstituteMissing { session, .. }
            | Self::SubstituteExpired { session }
            | Self::SessionsProposed { session, .. }
            | Self::SessionsPublished { session, .. }
            | Self::NoShow { session, .. }
            | Self::AttendanceMissing { session, .. }
            | Self::Reminder24h { session, .. }
            | Self::Reminder2h { session, .. }
            | Self::PlaceToGive { session, .. } => Some(session),
            _ => None,
        }
    };
}

impl Facts {
    /// The session that the letter is about.
    pub fn session(&self) -> Option<&SessionFacts> {
        session_of!(self)
    }

    /// As somebody reads them who booked for another: this is the other's name, if nobody's stands there yet.
    pub fn about(mut self, whom: &str) -> Self {
        if let Some(session) = session_of!(&mut self) {
            session.for_whom.get_or_insert_with(|| whom.to_owned());
        }
        self
    }

    /// As they are told to an address of which nobody knows whose it is: whoever wrote it down must not speak through us to somebody who
    /// never heard of them. What the letter is about stays, a class with its time and room; notes, reasons, and what a studio writes of
    /// itself do not; and whom a studio invites or enters learns from us only that some studio did.
    pub fn to_the_unconfirmed(mut self) -> Self {
        match &mut self {
            Self::Invitation { studio, invited_by, .. } => {
                studio.name.clear();
                invited_by.clear();
            }
            Self::EnteredByFrontDesk { studio, .. } => studio.name.clear(),
            Self::RemovedByStaff { reason: words, .. }
            | Self::SessionCancelled { note: words, .. }
            | Self::SubstituteWanted { note: words, .. } => {
                *words = None;
            }
            Self::SessionChanged { before, .. } | Self::Released { before, .. } => before.studio.hush(),
            Self::Exchanged { replaced, .. } => replaced.session.studio.hush(),
            _ => {}
        }
        if let Some(session) = session_of!(&mut self) {
            session.studio.hush();
            session.for_whom = None;
        } else if let Self::Invitation { studio, .. }
        | Self::EnteredByFrontDesk { studio, .. }
        | Self::PassSold { studio, .. }
        | Self::PassEnding { studio, .. }
        | Self::PassGone { studio, .. }
        | Self::PassReceived { studio, .. }
        | Self::Suspended { studio, .. }
        | Self::SuspensionLifted { studio } = &mut self
        {
            studio.hush();
        }
        self
    }

    /// The studio that writes; `None` where the letter is about the account.
    pub fn studio(&self) -> Option<&StudioFacts> {
        let studio = match self {
            Self::Invitation { studio, .. }
            | Self::EnteredByFrontDesk { studio, .. }
            | Self::PassSold { studio, .. }
            | Self::PassEnding { studio, .. }
            | Self::PassGone { studio, .. }
            | Self::PassReceived { studio, .. }
            | Self::Suspended { studio, .. }
            | Self::SuspensionLifted { studio } => Some(studio),
            _ => self.session().map(|session| &session.studio),
        };
        studio.filter(|studio| !studio.name.is_empty())
    }
}

/// What a letter tells its reader, how the mail names them, and how they are greeted: depends on whether it is known whose the address is.
pub fn addressed<'n>(
    facts: Facts,
    name: Option<&'n str>,
    from_studio: bool,
    confirmed: bool,
) -> (Facts, Option<&'n str>, Option<Cow<'n, str>>) {
    if confirmed {
        return (facts, name, name.map(Cow::Borrowed));
    }
    let greeted = name.filter(|_| from_studio).map(initials).filter(|initials| !initials.is_empty());
    (facts.to_the_unconfirmed(), None, greeted.map(Cow::Owned))
}

/// How a reader is greeted at an address that nobody has confirmed: by the first letters of the name, which tell two children of one parent
/// apart and say nothing.
fn initials(name: &str) -> String {
    let firsts = name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphabetic()));
    firsts.take(3).map(|first| if first.is_ascii() { format!("{first}.") } else { first.to_string() }).collect::<Vec<_>>().join(" ")
}

/// The studio as its letters show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudioFacts {
    pub name: String,
    pub address: Option<String>,
    /// Where a reply to the letter goes: an e-mail address.
    pub contact: Option<String>,
    pub time_zone: Tz,
}

impl StudioFacts {
    /// Without what it writes of itself.
    fn hush(&mut self) {
        self.address = None;
        self.contact = None;
    }
}

/// The session as it was when the letter was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionFacts {
    pub id: Uuid,
    pub studio: StudioFacts,
    pub class: Texts,
    pub room: String,
    pub instructor: String,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    /// Whose place it is, if not the reader's: a guest's, or that of somebody for whom they act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_whom: Option<String>,
}

/// What a booking costs and until when it can be cancelled for free.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// Credits taken from a pack; 0 where a membership pays or nothing was taken.
    pub credits: i64,
    /// A membership pays: a late cancel counts as this week's visit.
    pub membership: bool,
    /// `None`: it cannot be cancelled for free.
    pub free_cancel_until: Option<DateTime<Utc>>,
    /// What a late cancel costs besides.
    #[serde(default)]
    pub penalty: Penalized,
}

/// What a late cancel costs besides what was paid, or that it costs nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Penalized {
    /// To be paid at the desk.
    pub fee: Option<Money>,
    pub strike: bool,
    /// It is late, and nothing is taken; or, in time, that this is how it would be as things stand.
    pub forgiven: bool,
}

/// What a place will take from a waiting member, and until when they may be moved into it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Credits, where a pack pays.
    pub credits: i64,
    /// The promotion cut-off; if `None`, or past when the letter was written, they are no longer moved in.
    pub promoted_until: Option<DateTime<Utc>>,
    /// What becomes of a place that comes free after that.
    #[serde(default)]
    pub then: Then,
}

/// Who gets a place that comes free after the promotion cut-off, while a member waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// The first who takes it.
    #[default]
    FirstToTake,
    /// It is offered in the queue's order.
    Offered,
    /// Whom the studio gives it to.
    StudioDecides,
}

/// Another booking of the same member, about which a letter has to say what leaving it costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OtherBooking {
    /// When its session begins.
    pub starts_at: DateTime<Utc>,
    /// What it costs.
    pub terms: Terms,
}

/// A booking that another one of the same member took over from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Replaced {
    pub booking_id: Uuid,
    /// When it was made: the name of its calendar entry follows from it.
    pub booked_at: DateTime<Utc>,
    pub session: SessionFacts,
    /// They had no place in it: they waited.
    pub waited: bool,
    /// SEQUENCE of the calendar part that takes it out of the calendar; `None`: no calendar has it.
    pub sequence: Option<i64>,
    pub credits_returned: i64,
    pub credits_lost: i64,
    /// A membership paid, and it was late.
    pub visit_counts: bool,
}

/// An amount in minor units of an ISO 4217 currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    pub amount_minor: i64,
    pub currency: String,
}

/// The roles that an invitation can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvitedRole {
    Instructor,
    FrontDesk,
    Admin,
}

/// Why a waiting member could not take a place that came free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum PassedOver {
    /// No pass with a credit or a visit left that this session accepts.
    NoPass,
    /// They are booked in another session at that time.
    Overlap,
    /// They have as many bookings ahead as the house rules allow.
    TooManyBookings,
    /// They gave back a place that this waitlist had given or offered them.
    TurnedDown,
    /// Their strikes keep them from booking it now.
    Suspended,
    /// They would give up another booking for it, and that is not free any more.
    NotFree,
    /// They want to know earlier.
    ShortNotice,
    /// The instant is over until which they wanted to be moved in.
    TooLate,
    /// They want one place a day in this studio, and have one.
    OneADay,
    /// It is within their own quiet hours.
    QuietHours,
    /// They wait together with somebody, and there was no place for both.
    Pair,
}

impl PassedOver {
    /// As in the dedupe key that keeps its letter from being written twice.
    pub const fn as_key(self) -> &'static str {
        match self {
            Self::NoPass => "NoPass",
            Self::Overlap => "Overlap",
            Self::TooManyBookings => "TooManyBookings",
            Self::TurnedDown => "TurnedDown",
            Self::Suspended => "Suspended",
            Self::NotFree => "NotFree",
            Self::ShortNotice => "ShortNotice",
            Self::TooLate => "TooLate",
            Self::OneADay => "OneADay",
            Self::QuietHours => "QuietHours",
            Self::Pair => "Pair",
        }
    }

    /// Whether it is what they asked for: they read it in the booking's history, and get no letter about it.
    pub const fn is_own_wish(self) -> bool {
        matches!(self, Self::ShortNotice | Self::TooLate | Self::OneADay | Self::QuietHours | Self::Pair)
    }
}

/// Why a waitlist entry ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftBecause {
    /// The member left it.
    Member,
    /// The member declined the place that they were offered.
    Declined,
    /// The member got a place in another session at that time.
    Overlap,
    /// Staff took the member off it.
    Staff,
}

/// Why a studio cancelled a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum CancelReason {
    Illness,
    Weather,
    Premises,
    TooFew,
    Other,
}

/// One letter ready to be worded: to whom, in which language, about what.
#[derive(Clone, Debug)]
pub struct ToRender<'a> {
    pub language: Language,
    /// When the letter was written.
    pub written_at: DateTime<Utc>,
    /// The person's name as they wrote it, if known.
    pub name: Option<&'a str>,
    pub facts: &'a Facts,
    /// The setting `public_url`, without a slash at its end.
    pub public_url: &'a str,
    pub booking_id: Option<Uuid>,
    /// Where the letter's link leads, if not to the page of its booking.
    pub link: Option<&'a str>,
    /// Where letters of this kind are switched off; `None`: they are always sent, or it is in the mail alone.
    pub unsubscribe: Option<&'a str>,
    /// The unsealed code, for the kinds that carry one.
    pub code: Option<&'a str>,
}

/// The words of a letter, in one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: String,
}

#[cfg(test)]
mod tests {
    use super::initials;

    #[test]
    fn a_name_is_told_by_its_first_letters() {
        for (name, greeted) in [
            ("Kid One", "K. O."),
            ("林月", "林"),
            ("Ana M. de la Ruiz", "A. M. d."),
            ("Éloïse", "É"),
            ("(Bo) 2", "B."),
            ("1 2", ""),
            ("", ""),
        ] {
            assert_eq!(initials(name), greeted, "{name}");
        }
    }
}
