//! What may be booked, what a cancellation costs, who is next in the queue. Pure: a snapshot, the house rules and `now` in, a value out.

pub mod door;
pub mod reminders;

use chrono::{DateTime, Datelike, Days, Duration, Months, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use super::cut_off::{CameBy, free_until, quiet_until};
use super::offer::OfferClock;
use super::{Booking, BookingStatus, Place};
use crate::letters::facts::PassedOver;
use crate::passes::PassState;
use crate::passes::rules::{Payment, ToPay, which_pay};
use crate::penalties::PenaltyKind;
use crate::penalties::rules::{Cost, Leniency, PenaltyTerms, Suspension, cost};
use crate::schedule::SessionRow;
use crate::schedule::rules::instants;
use crate::studios::house_rules::applied::{Cap, CapOf, Over, SessionRules};
use crate::studios::house_rules::{AfterCutoff, HouseRules};
use crate::zones::{instant, local_date};

/// The session as a decision sees it: its row as the earlier commands of this batch left it.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the columns are told in the migration")]
pub struct SessionNow {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub class_type_id: Uuid,
    pub zone: Tz,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub local_date: NaiveDate,
    pub credits: i64,
    pub cancelled: bool,
    pub capacity: i64,
    pub taken: i64,
    pub held: i64,
    pub waiting: i64,
    pub waitlist_cap: Option<i64>,
    pub booking_opens_at: DateTime<Utc>,
    pub booking_closes_at: DateTime<Utc>,
    pub free_cancel_until: DateTime<Utc>,
    pub promote_until: DateTime<Utc>,
    pub offers_until: Option<DateTime<Utc>>,
    pub kept_until: Option<DateTime<Utc>>,
    pub waiting_ends_at: DateTime<Utc>,
}

impl SessionNow {
    /// The session as it stands in this zone.
    pub fn of(session: &SessionRow, zone: Tz) -> Self {
        Self {
            id: session.id,
            studio_id: session.studio_id,
            class_type_id: session.class_type_id,
            zone,
            starts_at: session.starts_at,
            ends_at: session.ends_at,
            local_date: session.local_date,
            credits: session.credits,
            cancelled: session.is_cancelled(),
            capacity: session.capacity,
            taken: session.taken,
            held: session.held,
            waiting: session.waiting,
            waitlist_cap: session.waitlist_cap,
            booking_opens_at: session.booking_opens_at,
            booking_closes_at: session.booking_closes_at,
            free_cancel_until: session.free_cancel_until,
            promote_until: session.promote_until,
            offers_until: session.offers_until,
            kept_until: session.kept_until,
            waiting_ends_at: session.waiting_ends_at,
        }
    }

    /// Places that are neither taken, nor on offer, nor held back.
    pub const fn places_free(&self) -> i64 {
        self.capacity - self.taken - self.held
    }

    /// Places that everybody may take: none while they are kept for those who wait, or for staff to give.
    pub fn places_public(&self, now: DateTime<Utc>) -> i64 {
        if self.waiting > 0 && self.kept_until.is_some_and(|until| now < until) { 0 } else { self.places_free() }
    }

    /// Whether one more may join the queue now.
    pub fn waitlist_open(&self, now: DateTime<Utc>) -> bool {
        !self.cancelled && now < self.waiting_ends_at && self.waitlist_cap.is_none_or(|cap| self.waiting < cap)
    }
}

/// A member as a decision sees them: what they are in from now on, and what they can pay with.
#[derive(Clone, Copy, Debug)]
pub struct MemberNow<'a> {
    /// The member's bookings that have not ended, in sessions that are not over.
    pub ahead: &'a [&'a Booking],
    /// The member's passes.
    pub passes: &'a [PassState],
    /// How often each membership was used in the session's week.
    pub visits: &'a [(Uuid, i64)],
    /// The member's places in the studio that a cap may count.
    pub places: &'a [PlaceTaken],
    /// What their strikes in the studio mean now.
    pub suspended: Option<Suspension>,
}

/// A place that a member has or had, as caps count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceTaken {
    /// Its session's date on the studio's calendar.
    pub local_date: NaiveDate,
    /// Whether it is still to come and open.
    pub ahead: bool,
    /// The class type, where one has caps of its own.
    pub class_type_id: Option<Uuid>,
    /// As what the pass was sold that pays.
    pub pass_type_id: Option<Uuid>,
}

impl PlaceTaken {
    /// The place of a booking, if it takes one.
    pub fn of(booking: &Booking, zone: Tz, class_type_id: Option<Uuid>, pass_type_id: Option<Uuid>, now: DateTime<Utc>) -> Option<Self> {
        let open = matches!(booking.status, BookingStatus::Booked | BookingStatus::Offered);
        booking.takes_place().then(|| Self {
            local_date: local_date(booking.starts_at, zone),
            ahead: open && booking.starts_at > now,
            class_type_id,
            pass_type_id,
        })
    }
}

/// The week of a date, by the weekday on which the studio's weeks begin: its first day, and the first after it.
pub fn week(date: NaiveDate, starts_on: i64) -> (NaiveDate, NaiveDate) {
    let into = (i64::from(date.weekday().number_from_monday()) - starts_on).rem_euclid(7);
    let first = date.checked_sub_days(Days::new(u64::try_from(into).unwrap_or(0))).unwrap_or(date);
    (first, first.checked_add_days(Days::new(7)).unwrap_or(date))
}

/// The calendar month of a date: its first day, and the first after it.
pub fn month(date: NaiveDate) -> (NaiveDate, NaiveDate) {
    let first = date.with_day(1).unwrap_or(date);
    (first, first.checked_add_months(Months::new(1)).unwrap_or(date))
}

/// A local day: its first instant, and the first after it.
pub fn day(date: NaiveDate, zone: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
    let midnight = |date: NaiveDate| instant(date.and_time(NaiveTime::MIN), zone);
    (midnight(date), midnight(date.checked_add_days(Days::new(1)).unwrap_or(date)))
}

/// The time in which a place counts for a cap of a session on this date: its month, and its week, which may reach over the month's ends.
pub fn counted_in(date: NaiveDate, rules: &HouseRules, zone: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
    let ((week_from, week_to), (month_from, month_to)) = (week(date, rules.week_starts_on), month(date));
    let midnight = |date: NaiveDate| instant(date.and_time(NaiveTime::MIN), zone);
    (midnight(week_from.min(month_from)), midnight(week_to.max(month_to)))
}

impl MemberNow<'_> {
    /// The suspension by which the member may not book the session now.
    fn barred(&self, session: &SessionNow, now: DateTime<Utc>) -> Option<Suspension> {
        self.suspended.filter(|suspension| suspension.bars(session.starts_at, now))
    }

    fn in_session(&self, session_id: Uuid) -> Option<&Booking> {
        self.ahead.iter().copied().find(|booking| booking.session_id == session_id && !booking.is_guests())
    }

    /// The place in another session at the same time.
    pub fn overlapping(&self, session: &SessionNow) -> Option<&Booking> {
        self.ahead
            .iter()
            .copied()
            .filter(|booking| booking.takes_place() && booking.session_id != session.id && !booking.is_guests())
            .find(|booking| booking.overlaps(session.starts_at, session.ends_at))
    }

    fn waits_for_overlapping(&self, session: &SessionNow) -> Option<&Booking> {
        self.ahead
            .iter()
            .copied()
            .find(|booking| booking.status == BookingStatus::Waitlisted && booking.overlaps(session.starts_at, session.ends_at))
    }

    /// How many of the member's places a cap counts.
    fn counted(&self, cap: Cap, session: &SessionNow, rules: &HouseRules, pass_type: Option<Uuid>) -> i64 {
        let within = |(from, to): (NaiveDate, NaiveDate), date: NaiveDate| from <= date && date < to;
        let counts = |place: &&PlaceTaken| {
            let of = match cap.of {
                CapOf::Studio => true,
                CapOf::ClassType => place.class_type_id == Some(session.class_type_id),
                CapOf::PassType => place.pass_type_id == pass_type,
            };
            let over = match cap.over {
                Over::Ahead => place.ahead,
                Over::Day => place.local_date == session.local_date,
                Over::Week => within(week(session.local_date, rules.week_starts_on), place.local_date),
                Over::Month => within(month(session.local_date), place.local_date),
            };
            of && over
        };
        i64::try_from(self.places.iter().filter(counts).count()).unwrap_or(i64::MAX)
    }
}

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// The pass that was named.
    pub pass_id: Option<Uuid>,
    /// Whether the member would wait.
    pub waitlist: bool,
    /// Staff ask for the member: windows and caps do not apply; capacity, overlap and credits do.
    pub by_staff: bool,
    /// Staff give the place for nothing.
    pub unpaid: bool,
}

/// What the member gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// A place, and how it is paid for.
    Place(Place),
    /// A place at the end of the queue.
    Queue,
}

/// Why not, with the facts that the app shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BookingRefusal {
    /// The studio has cancelled the session.
    SessionCancelled,
    /// Booking opens then.
    NotOpenYet(DateTime<Utc>),
    /// Booking closed then.
    Closed(DateTime<Utc>),
    /// The member is in it already.
    AlreadyBooked(Uuid),
    /// The member is in another one at that time.
    Overlapping(Uuid),
    /// The member has as many places as this cap allows.
    TooMany(Cap),
    /// No pass can pay.
    NoPass,
    /// No place is left.
    Full { open: bool, length: i64, cap: Option<i64> },
    /// No place in the queue is left either.
    WaitlistFull { length: i64, cap: i64 },
    /// The time of the offer is over.
    OfferExpired,
    /// Their strikes keep the member from booking it.
    Suspended(Suspension),
    /// Who would bring a guest has no place in it.
    NoHost,
    /// They bring as many guests as the rules allow.
    TooManyGuests(i64),
}

/// Decides a booking: a place if one is free and the member may have it, a position in the queue if they would wait.
///
/// Joining a queue asks less than taking a place: an overlap or a missing credit only matters when a place comes.
pub fn book(
    session: &SessionNow,
    rules: &SessionRules<'_>,
    member: MemberNow<'_>,
    ask: Ask,
    now: DateTime<Utc>,
) -> Result<Admission, BookingRefusal> {
    if session.cancelled {
        return Err(BookingRefusal::SessionCancelled);
    }
    if let Some(booking) = member.in_session(session.id) {
        return Err(BookingRefusal::AlreadyBooked(booking.id));
    }
    if let Some(suspension) = member.barred(session, now).filter(|_| !ask.by_staff) {
        return Err(BookingRefusal::Suspended(suspension));
    }
    let mut payers = payers(session, rules, member, ask);
    if ask.by_staff {
        if now >= session.ends_at {
            return Err(BookingRefusal::Closed(session.ends_at));
        }
    } else {
        in_time(session, &mut payers, now)?;
    }
    if session.places_public(now) > 0 {
        return Ok(Admission::Place(take(session, rules, member, &payers, ask, CameBy::Booking, now)?));
    }
    let length = session.waiting;
    if !ask.waitlist {
        return Err(BookingRefusal::Full { open: session.waitlist_open(now), length, cap: session.waitlist_cap });
    }
    if now >= session.waiting_ends_at {
        return Err(BookingRefusal::Full { open: false, length, cap: session.waitlist_cap });
    }
    if !rules.overlapping_waitlists
        && let Some(booking) = member.waits_for_overlapping(session)
    {
        return Err(BookingRefusal::Overlapping(booking.id));
    }
    match session.waitlist_cap {
        Some(cap) if length >= cap && !ask.by_staff => Err(BookingRefusal::WaitlistFull { length, cap }),
        _ => Ok(Admission::Queue),
    }
}

/// Decides a guest's place: beside the place of the host, whose booking is answered with it. It counts towards none of the host's caps.
pub fn book_guest(
    session: &SessionNow,
    rules: &SessionRules<'_>,
    host: MemberNow<'_>,
    ask: Ask,
    now: DateTime<Utc>,
) -> Result<(Uuid, Place), BookingRefusal> {
    if session.cancelled {
        return Err(BookingRefusal::SessionCancelled);
    }
    let has_place = |booking: &&Booking| matches!(booking.status, BookingStatus::Booked | BookingStatus::Attended);
    let beside = host.in_session(session.id).filter(has_place).ok_or(BookingRefusal::NoHost)?.id;
    if let Some(suspension) = host.barred(session, now).filter(|_| !ask.by_staff) {
        return Err(BookingRefusal::Suspended(suspension));
    }
    let mut payers = payers(session, rules, host, ask);
    if ask.by_staff {
        if now >= session.ends_at {
            return Err(BookingRefusal::Closed(session.ends_at));
        }
    } else {
        in_time(session, &mut payers, now)?;
        pays_for_guest(&mut payers, rules, host, beside)?;
    }
    if session.places_public(now) <= 0 {
        return Err(BookingRefusal::Full { open: session.waitlist_open(now), length: session.waiting, cap: session.waitlist_cap });
    }
    let place = take(session, rules, MemberNow { places: &[], ..host }, &payers, ask, CameBy::Booking, now)?;
    Ok((beside, place))
}

/// Keeps what pays for one guest more beside this booking.
fn pays_for_guest(payers: &mut Vec<Payer>, rules: &SessionRules<'_>, host: MemberNow<'_>, beside: Uuid) -> Result<(), BookingRefusal> {
    let guests = host.ahead.iter().filter(|booking| booking.guest_of == Some(beside)).count();
    let guests = i64::try_from(guests).unwrap_or(i64::MAX);
    let most = |payer: &Payer| payer.own_rules.as_ref().unwrap_or(rules).guests_max;
    let allowed = payers.iter().map(most).max().unwrap_or(rules.guests_max);
    payers.retain(|payer| guests < most(payer));
    if guests < allowed { Ok(()) } else { Err(BookingRefusal::TooManyGuests(allowed)) }
}

/// What a member who would take a place, or wait for one, is told before the tap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What a tap comes to now.
    pub outcome: Result<Admission, BookingRefusal>,
    /// What would pay; `None`: nothing can.
    pub payment: Option<Payment>,
    /// With that, booking opens …
    pub booking_opens_at: DateTime<Utc>,
    /// … and closes.
    pub booking_closes_at: DateTime<Utc>,
    /// Until when a place that is taken now, or as soon as booking opens, can be cancelled for free.
    pub free_cancel_until: Option<DateTime<Utc>>,
    /// What cancelling late costs besides what pays.
    pub penalty_terms: PenaltyTerms,
    /// Every cap, and how many of the member's places it counts.
    pub caps: Vec<(Cap, i64)>,
}

/// What the rules say to a member before they tap, whether or not they may book.
pub fn terms(session: &SessionNow, rules: &SessionRules<'_>, member: MemberNow<'_>, ask: Ask, now: DateTime<Utc>) -> Terms {
    let outcome = book(session, rules, member, Ask { waitlist: true, ..ask }, now);
    let payers = payers(session, rules, member, ask);
    told(session, rules, member, payers, outcome, now)
}

/// The same of the place of a guest, which no cap counts.
pub fn guest_terms(session: &SessionNow, rules: &SessionRules<'_>, host: MemberNow<'_>, ask: Ask, now: DateTime<Utc>) -> Terms {
    let outcome = book_guest(session, rules, host, ask, now).map(|(_, place)| Admission::Place(place));
    let all = payers(session, rules, host, ask);
    let mut payers = all.clone();
    let beside = host.in_session(session.id).map(|booking| booking.id);
    if beside.is_some_and(|beside| pays_for_guest(&mut payers, rules, host, beside).is_err()) {
        payers = all;
    }
    Terms { caps: Vec::new(), ..told(session, rules, MemberNow { places: &[], ..host }, payers, outcome, now) }
}

fn told(
    session: &SessionNow,
    rules: &SessionRules<'_>,
    member: MemberNow<'_>,
    mut payers: Vec<Payer>,
    outcome: Result<Admission, BookingRefusal>,
    now: DateTime<Utc>,
) -> Terms {
    // Before booking opens the member is told what will be so when it does.
    let at = if let Err(BookingRefusal::NotOpenYet(opens)) = outcome { opens } else { now };
    let waits = outcome == Ok(Admission::Queue);
    let came_by = if waits { CameBy::Promotion } else { CameBy::Booking };
    // Where booking has closed, what would have paid is told.
    let _ = in_time(session, &mut payers, at);
    let may = payers.iter().find(|payer| full_cap(session, rules, member, Some(payer), came_by).is_none());
    let payer = may.or(payers.first());
    let own = payer.and_then(|payer| payer.own_rules.as_ref()).unwrap_or(rules);
    let cut_off = payer.map_or(session.free_cancel_until, |payer| payer.free_cancel_until);
    let free_cancel_until = if waits {
        // The grace of a promotion begins when it comes.
        Some(cut_off.min(session.starts_at)).filter(|until| *until > now)
    } else {
        free_until(own, session.zone, cut_off, session.starts_at, CameBy::Booking, at)
    };
    let pass_type = payer.and_then(|payer| payer.pass_type_id);
    Terms {
        outcome,
        payment: payer.map(|payer| payer.payment),
        booking_opens_at: payer.map_or(session.booking_opens_at, |payer| payer.booking_opens_at),
        booking_closes_at: payer.map_or(session.booking_closes_at, |payer| payer.booking_closes_at),
        free_cancel_until,
        penalty_terms: PenaltyTerms::of(own, payer.is_some_and(|payer| payer.payment.visit_week.is_some())),
        caps: rules.caps(pass_type).into_iter().map(|cap| (cap, member.counted(cap, session, rules, pass_type))).collect(),
    }
}

/// Decides whether a waiting member may take a place that is public, or kept for those who wait: the first who does has it.
pub fn accept(
    session: &SessionNow,
    rules: &SessionRules<'_>,
    member: MemberNow<'_>,
    ask: Ask,
    now: DateTime<Utc>,
) -> Result<Place, BookingRefusal> {
    if session.cancelled {
        return Err(BookingRefusal::SessionCancelled);
    }
    if now >= session.booking_closes_at && session.kept_until.is_none_or(|until| now >= until) {
        return Err(BookingRefusal::Closed(session.booking_closes_at));
    }
    let for_those_who_wait = rules.after_cutoff == AfterCutoff::NotifyAll;
    let places = if for_those_who_wait { session.places_free() } else { session.places_public(now) };
    if places <= 0 {
        return Err(BookingRefusal::Full { open: session.waitlist_open(now), length: session.waiting, cap: session.waitlist_cap });
    }
    Ok(take(session, rules, member, &payers(session, rules, member, ask), ask, CameBy::Booking, now)?)
}

/// Decides whether staff may give a waiting member the place that is free, kept or made for them.
pub fn move_up(
    session: &SessionNow,
    rules: &SessionRules<'_>,
    member: MemberNow<'_>,
    ask: Ask,
    now: DateTime<Utc>,
) -> Result<Place, BookingRefusal> {
    if session.cancelled {
        return Err(BookingRefusal::SessionCancelled);
    }
    if now >= session.ends_at {
        return Err(BookingRefusal::Closed(session.ends_at));
    }
    if session.places_free() <= 0 {
        return Err(BookingRefusal::Full { open: session.waitlist_open(now), length: session.waiting, cap: session.waitlist_cap });
    }
    Ok(take(session, rules, member, &payers(session, rules, member, ask), ask, CameBy::Promotion, now)?)
}

/// Decides whether a member may take the place that is kept for them.
pub fn accept_offer(
    session: &SessionNow,
    rules: &SessionRules<'_>,
    member: MemberNow<'_>,
    ask: Ask,
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Place, BookingRefusal> {
    if session.cancelled {
        return Err(BookingRefusal::SessionCancelled);
    }
    if now >= expires_at {
        return Err(BookingRefusal::OfferExpired);
    }
    Ok(take(session, rules, member, &payers(session, rules, member, ask), ask, CameBy::Offer, now)?)
}

/// Why somebody may not take a place that is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unable {
    /// They have a place in another session at that time.
    Overlap(Uuid),
    /// They have as many places as a cap of the house rules allows.
    TooManyBookings(Cap),
    /// No pass can pay.
    NoPass,
    /// Their strikes keep them from it.
    Suspended(Suspension),
}

impl From<Unable> for BookingRefusal {
    fn from(unable: Unable) -> Self {
        match unable {
            Unable::Overlap(booking_id) => Self::Overlapping(booking_id),
            Unable::TooManyBookings(cap) => Self::TooMany(cap),
            Unable::NoPass => Self::NoPass,
            Unable::Suspended(suspension) => Self::Suspended(suspension),
        }
    }
}

impl From<Unable> for PassedOver {
    fn from(unable: Unable) -> Self {
        match unable {
            Unable::Overlap(_) => Self::Overlap,
            Unable::TooManyBookings(_) => Self::TooManyBookings,
            Unable::NoPass => Self::NoPass,
            Unable::Suspended(_) => Self::Suspended,
        }
    }
}

/// The one rule for who may take a free place, however they come to it: nobody who is suspended takes one, nobody is in two places at once,
/// nobody has more places than the caps of the house rules allow (staff may give both more), and something pays for it: the first of their
/// passes that may.
fn take(
    session: &SessionNow,
    rules: &SessionRules<'_>,
    member: MemberNow<'_>,
    payers: &[Payer],
    ask: Ask,
    came_by: CameBy,
    now: DateTime<Utc>,
) -> Result<Place, Unable> {
    if let Some(suspension) = member.barred(session, now).filter(|_| !ask.by_staff) {
        return Err(Unable::Suspended(suspension));
    }
    if let Some(booking) = member.overlapping(session) {
        return Err(Unable::Overlap(booking.id));
    }
    let full = |payer: Option<&Payer>| if ask.by_staff { None } else { full_cap(session, rules, member, payer, came_by) };
    let Some(first) = payers.first() else {
        return Err(full(None).map_or(Unable::NoPass, Unable::TooManyBookings));
    };
    let Some(payer) = payers.iter().find(|payer| full(Some(payer)).is_none()) else {
        return Err(full(Some(first)).map_or(Unable::NoPass, Unable::TooManyBookings));
    };
    let (own, cut_off) = (payer.own_rules.as_ref().unwrap_or(rules), payer.free_cancel_until);
    let free_cancel_until = free_until(own, session.zone, cut_off, session.starts_at, came_by, now);
    let penalty_terms = PenaltyTerms::of(own, payer.payment.visit_week.is_some());
    Ok(Place { payment: payer.payment, free_cancel_until, penalty_terms })
}

/// The first cap that leaves the member no more places, if any does. One that is won from the waitlist may exceed it, if the rules say so.
fn full_cap(session: &SessionNow, rules: &SessionRules<'_>, member: MemberNow<'_>, payer: Option<&Payer>, came_by: CameBy) -> Option<Cap> {
    let pass_type = payer.and_then(|payer| payer.pass_type_id);
    let own = payer.and_then(|payer| payer.own_rules.as_ref()).unwrap_or(rules);
    let extra = if came_by == CameBy::Booking { 0 } else { own.promoted_extra };
    rules.caps(pass_type).into_iter().find(|cap| member.counted(*cap, session, rules, pass_type) >= cap.max + extra)
}

/// What can pay for a place, and the rules under which it does.
#[derive(Clone, Debug)]
struct Payer {
    payment: Payment,
    pass_type_id: Option<Uuid>,
    /// `None`: the session's.
    own_rules: Option<HouseRules>,
    booking_opens_at: DateTime<Utc>,
    booking_closes_at: DateTime<Utc>,
    free_cancel_until: DateTime<Utc>,
}

impl Payer {
    fn new(session: &SessionNow, rules: &SessionRules<'_>, payment: Payment, pass: Option<&PassState>) -> Self {
        let pass_type_id = pass.map(|pass| pass.pass_type_id);
        let own_rules = pass_type_id.and_then(|id| rules.paid_by(id));
        let own = own_rules.as_ref().map(|rules| instants(rules, session.zone, session.starts_at, session.capacity));
        Self {
            payment,
            pass_type_id,
            own_rules,
            booking_opens_at: own.map_or(session.booking_opens_at, |own| own.booking_opens_at),
            booking_closes_at: own.map_or(session.booking_closes_at, |own| own.booking_closes_at),
            free_cancel_until: own.map_or(session.free_cancel_until, |own| own.free_cancel_until),
        }
    }
}

/// Keeps what may pay at this instant. Where nothing can pay, the session's own window is asked.
fn in_time(session: &SessionNow, payers: &mut Vec<Payer>, now: DateTime<Utc>) -> Result<(), BookingRefusal> {
    let windows = payers.iter().map(|payer| (payer.booking_opens_at, payer.booking_closes_at));
    let windows: Vec<(DateTime<Utc>, DateTime<Utc>)> =
        if payers.is_empty() { vec![(session.booking_opens_at, session.booking_closes_at)] } else { windows.collect() };
    if windows.iter().any(|(opens, closes)| *opens <= now && now < *closes) {
        payers.retain(|payer| payer.booking_opens_at <= now && now < payer.booking_closes_at);
        return Ok(());
    }
    let opens = windows.iter().map(|(opens, _)| *opens).filter(|opens| now < *opens).min();
    let closed = windows.iter().map(|(_, closes)| *closes).max().unwrap_or(session.booking_closes_at);
    Err(opens.map_or(BookingRefusal::Closed(closed), BookingRefusal::NotOpenYet))
}

/// What can pay, in the order in which it would; empty: nothing can.
fn payers(session: &SessionNow, rules: &SessionRules<'_>, member: MemberNow<'_>, ask: Ask) -> Vec<Payer> {
    if ask.unpaid {
        return vec![Payer::new(session, rules, Payment { pass_id: None, credits: 0, visit_week: None }, None)];
    }
    let to_pay = ToPay {
        studio_id: session.studio_id,
        class_type_id: session.class_type_id,
        local_date: session.local_date,
        credits: session.credits,
    };
    let visits = |pass: Uuid| member.visits.iter().find(|(id, _)| *id == pass).map_or(0, |(_, visits)| *visits);
    let all = which_pay(member.passes, ask.pass_id, to_pay, visits).unwrap_or_default();
    all.into_iter().map(|(payment, pass)| Payer::new(session, rules, payment, pass)).collect()
}

/// What a waiting member gets of a place that is free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The place.
    Promoted(Place),
    /// An offer, and what the place would cost now.
    Offered(OfferClock, Place),
    /// Nothing of their own: no time is left in which they could be asked, so the place is everybody's.
    Open,
}

/// What a waiting member gets of a place that is free before the promotion cut-off. A promotion that would cost them something before they
/// have read of it, because cancelling it for free ends in quiet hours, is made as an offer instead.
pub fn promote(
    session: &SessionNow,
    rules: &SessionRules<'_>,
    member: MemberNow<'_>,
    ask: Ask,
    turned_down: bool,
    now: DateTime<Utc>,
) -> Result<Turn, PassedOver> {
    if turned_down {
        return Err(PassedOver::TurnedDown);
    }
    let place = take(session, rules, member, &payers(session, rules, member, ask), ask, CameBy::Promotion, now)?;
    let takes = place.payment.credits > 0 || place.payment.visit_week.is_some();
    let costly = |quiet_until| takes && place.free_cancel_until.is_none_or(|until| until < quiet_until);
    if quiet_until(rules, session.zone, now).is_some_and(costly) {
        return Ok(offer_clock(session, rules, now).map_or(Turn::Open, |clock| Turn::Offered(clock, place)));
    }
    Ok(Turn::Promoted(place))
}

/// Whether a waiting member could take the place that is free now, if they were asked, and what it would cost.
pub fn could_take(
    session: &SessionNow,
    rules: &SessionRules<'_>,
    member: MemberNow<'_>,
    ask: Ask,
    now: DateTime<Utc>,
) -> Result<Place, PassedOver> {
    Ok(take(session, rules, member, &payers(session, rules, member, ask), ask, CameBy::Offer, now)?)
}

/// From when to when an offer that is made now runs: its clock stands still until quiet hours end. `None`: a full clock does not fit before
/// the offers' end.
pub fn offer_clock(session: &SessionNow, rules: &HouseRules, now: DateTime<Utc>) -> Option<OfferClock> {
    let clock_starts_at = quiet_until(rules, session.zone, now).unwrap_or(now);
    let expires_at = clock_starts_at + Duration::minutes(rules.offer_min);
    (expires_at <= offers_end(session, rules)).then_some(OfferClock { clock_starts_at, expires_at })
}

/// By then every offer has ended.
pub fn offers_end(session: &SessionNow, rules: &HouseRules) -> DateTime<Utc> {
    session.starts_at - Duration::minutes(rules.offers_until_min)
}

/// What happens to places that are free in a session in which somebody waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refill {
    /// The first who may take it now gets it.
    Promote,
    /// The first who may take it now is offered it.
    Offer(OfferClock),
    /// Until then it is kept for those who wait: all who may take it are told, and the first who does has it.
    Ask(DateTime<Utc>),
    /// Until then it is kept for whom staff give it to.
    Staff(DateTime<Utc>),
    /// It is open to everybody: those who wait are told once.
    Public,
    /// Nothing: no place is free, nobody waits, or the waiting is over.
    Nothing,
}

/// How a free place is refilled at this instant (docs/product.md, promise 6).
pub fn refill(session: &SessionNow, rules: &HouseRules, now: DateTime<Utc>) -> Refill {
    if session.cancelled || session.places_free() <= 0 || session.waiting == 0 || now >= session.waiting_ends_at {
        return Refill::Nothing;
    }
    if now < session.promote_until {
        return Refill::Promote;
    }
    let public = if now < session.booking_closes_at { Refill::Public } else { Refill::Nothing };
    let Some(until) = session.offers_until.filter(|until| now < *until) else { return public };
    match rules.after_cutoff {
        AfterCutoff::Open => public,
        AfterCutoff::Offers => offer_clock(session, rules, now).map_or(public, Refill::Offer),
        AfterCutoff::NotifyAll => Refill::Ask(until),
        AfterCutoff::Staff => Refill::Staff(until),
    }
}

/// Whether two who wait make a pair: for one session, two people, and each of them named the other. Nobody is made one by what somebody else
/// says.
pub fn are_pair(one: &Booking, other: &Booking) -> bool {
    let names = |booking: &Booking| booking.conditions.as_ref().and_then(|conditions| conditions.with);
    let both_wait = one.status == BookingStatus::Waitlisted && other.status == BookingStatus::Waitlisted;
    both_wait
        && one.session_id == other.session_id
        && one.person_id != other.person_id
        && names(one) == Some(other.id)
        && names(other) == Some(one.id)
}

/// What a cancellation at this instant does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cancellation {
    /// The member leaves the queue, or declines an offer.
    Leaves,
    /// What was taken comes back.
    Free { credits: i64 },
    /// It costs this.
    Late(Cost),
}

/// Why a booking cannot be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannotCancel {
    /// It has ended already: the same answer is given again.
    Ended,
    /// The session has started: attendance is corrected instead.
    Started,
}

/// Whether a cancellation at this instant is late. Only then must it be known what speaks for the member.
pub fn is_late(booking: &Booking, now: DateTime<Utc>) -> bool {
    let free = booking.free_cancel_until.is_some_and(|until| now <= until);
    booking.status == BookingStatus::Booked && !free && now < booking.starts_at
}

/// Whether cancelling this booking comes to cost something, now or later: then it is told whether that would be forgiven.
pub fn may_cost(booking: &Booking, now: DateTime<Utc>) -> bool {
    let comes_late = now < booking.starts_at && booking.free_cancel_until.is_none_or(|until| until < booking.starts_at);
    let terms = booking.penalty_terms();
    let taken = booking.credits > 0 || booking.visit_week.is_some() || terms.late_cancel_fee.is_some() || terms.late_cancel_strikes;
    booking.status == BookingStatus::Booked && comes_late && taken
}

/// What cancelling this booking late comes to.
pub fn late_cancel(booking: &Booking, leniency: Leniency) -> Cost {
    cost(PenaltyKind::LateCancel, &booking.penalty_terms(), booking.credits, booking.visit_week.is_some(), leniency)
}

/// Decides a cancellation; `forgive` is staff's `return: all`.
pub fn cancel(booking: &Booking, leniency: Leniency, forgive: bool, now: DateTime<Utc>) -> Result<Cancellation, CannotCancel> {
    match booking.status {
        BookingStatus::Cancelled | BookingStatus::LateCancelled => Err(CannotCancel::Ended),
        BookingStatus::Attended | BookingStatus::NoShow => Err(CannotCancel::Started),
        BookingStatus::Waitlisted | BookingStatus::Offered | BookingStatus::Standby => Ok(Cancellation::Leaves),
        BookingStatus::Booked if now >= booking.starts_at => Err(CannotCancel::Started),
        BookingStatus::Booked if !forgive && is_late(booking, now) => Ok(Cancellation::Late(late_cancel(booking, leniency))),
        BookingStatus::Booked => Ok(Cancellation::Free { credits: booking.credits }),
    }
}

/// Why a booking cannot be given up for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannotGiveUp {
    /// It has ended.
    Ended,
    /// Its session has started.
    Started,
    /// The free way out is over.
    NotFree,
}

/// Decides what giving up a booking for another one comes to; `late`: the member would also pay for it.
pub fn give_up(old: &Booking, leniency: Leniency, late: bool, now: DateTime<Utc>) -> Result<Cancellation, CannotGiveUp> {
    match cancel(old, leniency, false, now) {
        Ok(Cancellation::Late(cost)) if !late && !cost.is_nothing() => Err(CannotGiveUp::NotFree),
        Ok(decided) => Ok(decided),
        Err(CannotCancel::Ended) => Err(CannotGiveUp::Ended),
        Err(CannotCancel::Started) => Err(CannotGiveUp::Started),
    }
}

/// What becomes of a booking whose session the studio cancels: everything taken for it comes back, after a late cancellation too
/// (docs/product.md, "the studio cancels").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithSession {
    /// It was cancelled before, and nothing is taken for it any more.
    Nothing,
    /// It was cancelled late: that stays so, and the credits, or the visit of a membership, come back, and the penalty is waived.
    Returned { credits: i64, visit: bool },
    /// It ends, and what was taken for it comes back.
    Ends { credits: i64, visit: bool, had_place: bool },
}

/// Decides what becomes of a booking whose session the studio cancels; `penalized`: a fee or a strike stands for it.
pub const fn cancel_with_session(booking: &Booking, penalized: bool) -> WithSession {
    let (credits, visit) = (booking.credits, booking.visit_week.is_some());
    match booking.status {
        BookingStatus::Cancelled => WithSession::Nothing,
        BookingStatus::LateCancelled if credits == 0 && !visit && !penalized => WithSession::Nothing,
        BookingStatus::LateCancelled => WithSession::Returned { credits, visit },
        // A place that was only offered was nobody's yet.
        BookingStatus::Offered => WithSession::Ends { credits, visit, had_place: false },
        status => WithSession::Ends { credits, visit, had_place: status.takes_place() },
    }
}

/// Whether staff may mark attendance now.
pub fn may_check_in(booking: &Booking, rules: &HouseRules, now: DateTime<Utc>) -> bool {
    let from = booking.starts_at - Duration::minutes(rules.attendance_from_min);
    let until = booking.ends_at + Duration::hours(rules.attendance_until_hours);
    from <= now && now <= until
}

#[cfg(test)]
mod tests;
