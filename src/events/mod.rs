//! What happened: one typed event for every decision, from which everything else is derived.
//!
//! A command yields events ([`emit::emit`]); the line of the log (`log`) and the letters (`letters`) follow from them, in one place each.
//! An event carries ids, instants and amounts, no free text and no names, so that it may be kept for ever: the words are in the rows that
//! it refers to. The log is numbered per studio in the order of commits, without a gap: whoever follows a studio reads on from the last
//! number they know.

pub mod emit;
pub mod letters;
pub mod live;
pub mod log;
mod security;

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::booking::Booking;
use crate::calendars::FeedKind;
use crate::holds::HoldKind;
use crate::import::Kind as ImportKind;
use crate::letters::facts::{CancelReason, LeftBecause, PassedOver};
use crate::penalties::Forgiven;
use crate::people::roles::Role;
use crate::schedule::{Changed, SessionRow};
use crate::security::Mark;
use crate::sign_in::factors::FactorKind;

/// Who caused an event, and by which request.
#[derive(Clone, Debug, Default)]
pub struct Actor {
    /// Who; `None` for Relevé itself: a promotion, a sweep, the command line.
    pub person_id: Option<Uuid>,
    pub request_id: Option<String>,
    /// From which network.
    pub network: Option<Mark>,
    /// Whether they must have a second factor and have none: then they may not do what only admins and owners may.
    pub factor_missing: bool,
}

impl Actor {
    /// Relevé itself.
    pub fn system() -> Self {
        Self::default()
    }

    /// The event of this actor, as the log takes it.
    pub fn did(&self, event: Event) -> (Self, Event) {
        (self.clone(), event)
    }
}

/// What happened, to what, in which studio.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// In which studio; `None` for what concerns an account or the deployment.
    pub studio_id: Option<Uuid>,
    /// To what kind of thing.
    pub subject: Subject,
    /// To which one; `None` where it is not known who was meant.
    pub subject_id: Option<Uuid>,
    pub what: Happened,
}

/// The kinds of thing that something happens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words of the product")]
pub enum Subject {
    Address,
    Booking,
    Calendar,
    ClassType,
    Device,
    Import,
    Invitation,
    Kiosk,
    Letter,
    Pass,
    PassType,
    Person,
    Room,
    Series,
    Session,
    Studio,
    SubstituteRequest,
}

impl Subject {
    /// As the log spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Booking => "booking",
            Self::Calendar => "calendar",
            Self::ClassType => "class_type",
            Self::Device => "device",
            Self::Import => "import",
            Self::Invitation => "invitation",
            Self::Kiosk => "kiosk",
            Self::Letter => "letter",
            Self::Pass => "pass",
            Self::PassType => "pass_type",
            Self::Person => "person",
            Self::Room => "room",
            Self::Series => "series",
            Self::Session => "session",
            Self::Studio => "studio",
            Self::SubstituteRequest => "substitute_request",
        }
    }
}

impl Event {
    /// Something happened to a booking.
    pub const fn of_booking(booking: &Booking, what: Happened) -> Self {
        Self { studio_id: Some(booking.studio_id), subject: Subject::Booking, subject_id: Some(booking.id), what }
    }

    /// Something happened to a session.
    pub const fn of_session(session: &SessionRow, what: Happened) -> Self {
        Self { studio_id: Some(session.studio_id), subject: Subject::Session, subject_id: Some(session.id), what }
    }

    /// Something happened in a studio, to this thing of it.
    pub const fn in_studio(studio_id: Uuid, subject: Subject, id: Uuid, what: Happened) -> Self {
        Self { studio_id: Some(studio_id), subject, subject_id: Some(id), what }
    }

    /// Something happened to a studio.
    pub const fn of_studio(studio_id: Uuid, what: Happened) -> Self {
        Self::in_studio(studio_id, Subject::Studio, studio_id, what)
    }

    /// Something happened to a person's account, in no studio.
    pub const fn of_person(person_id: Uuid, what: Happened) -> Self {
        Self { studio_id: None, subject: Subject::Person, subject_id: Some(person_id), what }
    }

    /// A device was signed in, or out.
    pub const fn of_device(device_id: Uuid, what: Happened) -> Self {
        Self { studio_id: None, subject: Subject::Device, subject_id: Some(device_id), what }
    }
}

/// What happened. The names are the log's `action`, the fields its `details`; both are kept for ever, so a name is never given a second
/// meaning.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "action", content = "details")]
#[allow(missing_docs, reason = "the words of the product")]
pub enum Happened {
    // Families.
    #[serde(rename = "family.asked")]
    FamilyAsked { link: Uuid },
    #[serde(rename = "family.confirmed")]
    FamilyConfirmed { link: Uuid },
    #[serde(rename = "family.ended")]
    FamilyEnded { link: Uuid },
    #[serde(rename = "family.letters_set")]
    FamilyLettersSet { link: Uuid, copies: bool },
    // Bookings.
    #[serde(rename = "booking.booked")]
    Booked { credits: i64, by_staff: bool, unpaid: bool },
    #[serde(rename = "booking.waitlisted")]
    Waitlisted { position: i64 },
    #[serde(rename = "booking.accepted")]
    Accepted { credits: i64, by_staff: bool, offered: bool },
    #[serde(rename = "booking.promoted")]
    Promoted { credits: i64 },
    #[serde(rename = "booking.passed_over")]
    PassedOver { reason: PassedOver },
    #[serde(rename = "booking.told_free")]
    ToldFree { kept_until: Option<DateTime<Utc>> },
    /// What would pay for the place when it was offered: credits of a pack, or a membership; and what cancelling late would cost besides.
    #[serde(rename = "booking.offered")]
    Offered {
        offer: Uuid,
        clock_starts_at: DateTime<Utc>,
        expires_at: DateTime<Utc>,
        credits: i64,
        membership: bool,
        fee_minor: Option<i64>,
        currency: Option<String>,
        strike: bool,
    },
    #[serde(rename = "booking.moved_up")]
    MovedUp { credits: i64, extra_place: bool },
    /// Somebody behind in the queue was moved up: by that booking.
    #[serde(rename = "booking.overtaken")]
    Overtaken { moved: Uuid, extra_place: bool },
    #[serde(rename = "booking.offer_expired")]
    OfferExpired,
    #[serde(rename = "booking.offer_withdrawn")]
    OfferWithdrawn,
    #[serde(rename = "booking.waitlist_left")]
    WaitlistLeft { because: LeftBecause },
    #[serde(rename = "booking.waitlist_closed")]
    WaitlistClosed,
    #[serde(rename = "booking.cancelled")]
    Cancelled { credits_returned: i64, by_staff: bool },
    #[serde(rename = "booking.late_cancelled")]
    LateCancelled {
        credits_lost: i64,
        visit_counts: bool,
        by_staff: bool,
        fee_minor: Option<i64>,
        currency: Option<String>,
        strike: bool,
        forgiven: Option<Forgiven>,
    },
    #[serde(rename = "booking.session_cancelled")]
    CancelledWithSession { credits_returned: i64, visit_returned: bool, had_place: bool, had_cancelled: bool, penalty_waived: bool },
    #[serde(rename = "booking.released")]
    Released { credits_returned: i64 },
    #[serde(rename = "booking.moved_to_waitlist")]
    MovedToWaitlist { position: i64, credits_returned: i64 },
    #[serde(rename = "booking.checked_in")]
    CheckedIn,
    #[serde(rename = "booking.check_in_undone")]
    CheckInUndone,
    #[serde(rename = "booking.penalty_waived")]
    PenaltyWaived {
        penalty: Uuid,
        credits_returned: i64,
        visit_returned: bool,
        strike: bool,
        fee_minor: Option<i64>,
        currency: Option<String>,
    },
    /// They came after all to a class for which everything had been given back.
    #[serde(rename = "booking.taken_again")]
    TakenAgain { credits: i64, visit: bool },
    #[serde(rename = "booking.fee_paid")]
    FeePaid { penalty: Uuid, amount_minor: i64, currency: String },
    #[serde(rename = "member.suspended")]
    Suspended { until: DateTime<Utc>, only_within_hours: i64 },
    #[serde(rename = "member.suspension_lifted")]
    SuspensionLifted,
    #[serde(rename = "booking.conditions_set")]
    ConditionsSet,
    /// The device that saw them first had no network.
    #[serde(rename = "booking.arrived_earlier")]
    ArrivedEarlier { at: DateTime<Utc> },
    /// Staff looked for the member; `absent: false` takes it back.
    #[serde(rename = "booking.seen_absent")]
    SeenAbsent { absent: bool },

    // The schedule.
    #[serde(rename = "session.made")]
    SessionMade { copy_of: Option<Uuid> },
    #[serde(rename = "session.changed")]
    SessionChanged { changed: Vec<Changed>, capacity: i64, series: Option<Uuid> },
    #[serde(rename = "session.followed_clocks")]
    SessionFollowedClocks { from: DateTime<Utc>, to: DateTime<Utc>, shows_another_time: bool },
    #[serde(rename = "session.cancelled")]
    SessionCancelled { reason: Option<CancelReason> },
    #[serde(rename = "session.published")]
    SessionPublished,
    #[serde(rename = "session.noted")]
    SessionNoted,
    #[serde(rename = "session.too_few_soon")]
    TooFewSoon { booked: i64, minimum: i64, decided_at: DateTime<Utc> },
    #[serde(rename = "session.too_few_decided")]
    TooFewDecided { booked: i64, minimum: i64, cancelled: bool, tell: bool },
    /// The subject is the first of them.
    #[serde(rename = "sessions.proposed")]
    SessionsProposed { by: Uuid, count: i64 },
    /// The subject is the first of one instructor's.
    #[serde(rename = "sessions.published")]
    SessionsPublished { count: i64, tell: bool },
    #[serde(rename = "series.made")]
    SeriesMade,
    #[serde(rename = "series.changed")]
    SeriesChanged { from: NaiveDate, sessions: usize },
    #[serde(rename = "series.ended")]
    SeriesEnded { from: NaiveDate, sessions: usize },
    #[serde(rename = "series.published")]
    SeriesPublished,
    #[serde(rename = "studio.closed")]
    DaysClosed { from: NaiveDate, to: NaiveDate },
    #[serde(rename = "studio.day_opened")]
    DayOpened { date: NaiveDate },

    // Substitutes.
    #[serde(rename = "substitute.asked")]
    SubstituteAsked { session: Uuid, told: Vec<Uuid> },
    #[serde(rename = "substitute.missing")]
    SubstituteMissing { session: Uuid },
    #[serde(rename = "substitute.claimed")]
    SubstituteClaimed { session: Uuid, by: Uuid, needs_approval: bool },
    #[serde(rename = "substitute.unclaimed")]
    SubstituteUnclaimed,
    #[serde(rename = "substitute.decided")]
    SubstituteDecided { session: Uuid, claimed_by: Uuid, approved: bool },
    #[serde(rename = "substitute.filled")]
    SubstituteFilled { session: Uuid, by: Uuid },
    #[serde(rename = "substitute.withdrawn")]
    SubstituteWithdrawn { session: Uuid, claimed_by: Option<Uuid> },
    #[serde(rename = "substitute.expired")]
    SubstituteExpired { session: Uuid, claimed_by: Option<Uuid> },
    #[serde(rename = "availability.stated")]
    AvailabilityStated,

    // Passes.
    #[serde(rename = "pass.sold")]
    PassSold { person_id: Uuid, credits: Option<i64>, amount_minor: Option<i64>, currency: Option<String> },
    /// With a class on that day; without one, it has not begun after all.
    #[serde(rename = "pass.begun")]
    PassBegun { person_id: Uuid, on: Option<NaiveDate> },
    #[serde(rename = "pass.gifted")]
    PassGifted { person_id: Uuid, credits: i64 },
    #[serde(rename = "pass.extended")]
    PassExtended { person_id: Uuid, before: NaiveDate, expires_on: NaiveDate },
    #[serde(rename = "pass.frozen")]
    PassFrozen { person_id: Uuid, from: NaiveDate, until: NaiveDate, expires_on: NaiveDate, by_staff: bool },
    #[serde(rename = "pass.unfrozen")]
    PassUnfrozen { person_id: Uuid, expires_on: NaiveDate, by_staff: bool },
    /// Whoever holds it lets their family pay with it, or no more.
    #[serde(rename = "pass.shared")]
    PassShared { person_id: Uuid, shared: bool },
    /// What was left of it is another pass now, of this person or at this studio.
    #[serde(rename = "pass.transferred")]
    PassTransferred { person_id: Uuid, to_person: Uuid, to_studio: Uuid, to_pass: Uuid, credits: Option<i64> },
    /// The other side of it.
    #[serde(rename = "pass.received")]
    PassReceived { person_id: Uuid, from_pass: Uuid, credits: Option<i64> },
    #[serde(rename = "pass.refunded")]
    PassRefunded { person_id: Uuid, credits: i64, amount_minor: i64, currency: Option<String> },
    #[serde(rename = "pass.ending_told")]
    PassEndingTold { person_id: Uuid, days_ahead: i64, expires_on: NaiveDate },
    #[serde(rename = "pass_type.added")]
    PassTypeAdded,
    #[serde(rename = "pass_type.changed")]
    PassTypeChanged { version: i64 },

    // Running a studio.
    #[serde(rename = "studio.opened")]
    StudioMade,
    #[serde(rename = "studio.changed")]
    StudioChanged { version: i64 },
    #[serde(rename = "house_rules.changed")]
    HouseRulesChanged { version: i64, sessions: usize, changed: Map<String, Value> },
    #[serde(rename = "class_type.rules_changed")]
    ClassTypeRulesChanged { version: i64, sessions: usize, changed: Map<String, Value> },
    #[serde(rename = "pass_type.rules_changed")]
    PassTypeRulesChanged { version: i64, sessions: usize, changed: Map<String, Value> },
    #[serde(rename = "room.added")]
    RoomAdded { capacity: i64 },
    #[serde(rename = "room.changed")]
    RoomChanged { version: i64, capacity: i64 },
    #[serde(rename = "class_type.added")]
    ClassTypeAdded,
    #[serde(rename = "class_type.changed")]
    ClassTypeChanged { version: i64 },
    #[serde(rename = "staff.roles_set")]
    RolesSet { before: BTreeSet<Role>, after: BTreeSet<Role> },
    #[serde(rename = "staff.invited")]
    StaffInvited { roles: BTreeSet<Role> },
    #[serde(rename = "staff.invitation_withdrawn")]
    InvitationWithdrawn,
    #[serde(rename = "staff.joined")]
    StaffJoined { invitation: Uuid, roles: Vec<Role> },
    /// The subject is the device.
    #[serde(rename = "staff.device_signed_out")]
    StaffDeviceSignedOut { person_id: Uuid },
    #[serde(rename = "staff.second_factors_reset")]
    StaffFactorsReset,
    #[serde(rename = "member.entered")]
    MemberEntered,
    #[serde(rename = "member.linked")]
    MemberLinked,
    #[serde(rename = "member.joined")]
    MemberJoined,
    /// What the studio wrote down of the member was changed; nothing of it stands here.
    #[serde(rename = "member.changed")]
    MemberChanged { noted: bool },
    #[serde(rename = "member.erased")]
    MemberErased,
    /// Staff looked at the page of the member.
    #[serde(rename = "member.seen")]
    MemberSeen,
    #[serde(rename = "letter.retried")]
    LetterRetried,
    #[serde(rename = "owner.made")]
    OwnerMade,
    #[serde(rename = "demo.seeded")]
    DemoSeeded,

    // Accounts.
    #[serde(rename = "account.registered")]
    Registered,
    #[serde(rename = "account.registered_again")]
    RegisteredAgain,
    #[serde(rename = "account.registration_repeated")]
    RegistrationRepeated,
    #[serde(rename = "account.verified")]
    AddressVerified,
    #[serde(rename = "account.claimed")]
    AccountClaimed { registered_as: Uuid },
    #[serde(rename = "account.address_change_asked")]
    AddressChangeAsked,
    #[serde(rename = "account.address_changed")]
    AddressChanged,
    #[serde(rename = "account.password_changed")]
    PasswordChanged,
    #[serde(rename = "account.password_reset")]
    PasswordReset,
    #[serde(rename = "account.password_dropped")]
    PasswordDropped,
    #[serde(rename = "code.asked_in_vain")]
    CodeAskedInVain,
    #[serde(rename = "account.second_factor_added")]
    FactorAdded { kind: FactorKind },
    #[serde(rename = "account.second_factor_removed")]
    FactorRemoved { kind: FactorKind },
    #[serde(rename = "account.second_factors_reset")]
    FactorsReset,
    #[serde(rename = "account.recovery_codes_renewed")]
    RecoveryCodesRenewed,
    #[serde(rename = "device.second_factor_asked")]
    FactorAsked,
    #[serde(rename = "device.second_factor_refused")]
    FactorRefused,
    #[serde(rename = "device.signed_in")]
    DeviceSignedIn,
    #[serde(rename = "device.signed_out")]
    DeviceSignedOut,
    #[serde(rename = "device.token_reused")]
    TokenReused,
    #[serde(rename = "person.changed")]
    PersonChanged,
    #[serde(rename = "person.deletion_asked")]
    DeletionAsked,
    #[serde(rename = "person.deletion_undone")]
    DeletionUndone,
    #[serde(rename = "person.deleted")]
    PersonDeleted,
    #[serde(rename = "calendar.made")]
    CalendarMade { kind: FeedKind },
    #[serde(rename = "calendar.revoked")]
    CalendarRevoked,

    // Holds.
    #[serde(rename = "session.held")]
    Held { hold: Uuid, kind: HoldKind, places: i64, until: Option<DateTime<Utc>> },
    #[serde(rename = "session.hold_changed")]
    HoldChanged { hold: Uuid, kind: HoldKind, places_before: i64, places: i64, until: Option<DateTime<Utc>> },
    /// By staff, or because the session was cancelled.
    #[serde(rename = "session.hold_released")]
    HoldReleased { hold: Uuid, kind: HoldKind, places: i64, with_session: bool },
    #[serde(rename = "session.hold_expired")]
    HoldExpired { hold: Uuid, kind: HoldKind, places: i64 },

    // After a class, and at the door.
    #[serde(rename = "booking.no_show")]
    NoShow {
        credits_lost: i64,
        visit_counts: bool,
        fee_minor: Option<i64>,
        currency: Option<String>,
        strike: bool,
        forgiven: Option<Forgiven>,
        corrected_until: DateTime<Utc>,
    },
    /// Nobody was marked in the session: it counts as attended.
    #[serde(rename = "booking.unrecorded")]
    Unrecorded,
    #[serde(rename = "session.attendance_missing")]
    AttendanceMissing { unmarked: i64, until: DateTime<Utc> },
    #[serde(rename = "booking.stands_by")]
    StandsBy { unpaid: bool },
    /// Its place went to that booking, of somebody at the door.
    #[serde(rename = "booking.released_at_door")]
    ReleasedAtDoor { to: Uuid },
    #[serde(rename = "booking.let_in")]
    LetIn { credits: i64, unpaid: bool },
    // Letters that come by the clock, or because somebody has to do something.
    #[serde(rename = "booking.reminded")]
    Reminded { hours: i64 },
    /// A free place is kept until then for whom staff give it to. `nth_half_hour` of the time since 1970: they are told once in each.
    #[serde(rename = "session.place_to_give")]
    PlaceToGive { until: DateTime<Utc>, nth_half_hour: i64 },
    // At the door.
    #[serde(rename = "kiosk.added")]
    KioskAdded,
    #[serde(rename = "kiosk.removed")]
    KioskRemoved,
    // What came from another program.
    #[serde(rename = "import.done")]
    Imported { kind: ImportKind, made: i64, known: i64, skipped: i64 },
    #[serde(rename = "member.left")]
    MemberLeft,
    /// Everything that was the one's is the subject's.
    #[serde(rename = "member.merged")]
    MembersMerged { from: Uuid },
    /// Its member has another booking of the session.
    #[serde(rename = "booking.gave_way")]
    GaveWay { to: Uuid },
    #[serde(rename = "import.members_invited")]
    MembersInvited { members: usize, per_hour: i64 },
}
