//! Booking over HTTP: members for themselves, staff for a member.

use std::collections::{BTreeSet, HashMap};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SubsecRound as _, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::conditions::{Conditions, NOTICE_MINUTES_MAX};
use super::offer::Offer;
use super::readers::must_read;
use super::rules::{self, SessionNow};
use super::tell_terms::{Tap, tell_terms};
use super::terms::{TermsFacts, TermsView};
use super::view::{Around, BookingView};
use super::{Booking, BookingStatus, Guest, Visitor, store};
use crate::app::App;
use crate::booking::book::Book;
use crate::booking::cancel::Cancel;
use crate::booking::move_up::MoveUp;
use crate::booking::snapshot::BookingSnapshot;
use crate::extract::{Body, Cursor, Limit, NotAfter, Path, Query, Within, page, storable};
use crate::families;
use crate::language::Language;
use crate::penalties::rules::{Leniency, month_of_late_cancel};
use crate::penalties::{self, Penalty};
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::schedule;
use crate::sign_in::Caller;
use crate::sign_in::limits::Limit as Often;
use crate::studios;
use crate::text::{Email, Line, Name, Note};
use crate::transactor::{Command, Outcome};
use crate::working_set::look;
use crate::wrong::Wrong;

/// The body of `PUT /v1/bookings/{id}`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BookBody {
    session_id: Uuid,
    /// Which pass pays; else the rule of which pass pays decides.
    #[serde(default)]
    pass_id: Option<Uuid>,
    /// Whether the member would wait if it is full.
    #[serde(default)]
    waitlist: bool,
    /// For whom, if not for the caller: staff book for a member, others for whom they act in their family.
    #[serde(default)]
    person_id: Option<Uuid>,
    /// Staff: take nothing for it; needs a reason.
    #[serde(default)]
    unpaid: bool,
    /// Staff: why it is unpaid.
    #[serde(default)]
    reason: Option<Note>,
    /// A booking of the same member that this one takes over from: it is given up with the place that this one gets, or nothing changes.
    #[serde(default)]
    replaces: Option<Uuid>,
    /// Also if giving that booking up is not free any more. It holds for a place that is free now, never for one that comes later.
    #[serde(default)]
    replaces_late: bool,
    /// On what terms the member waits; they matter in the queue alone.
    #[serde(default)]
    conditions: Option<ConditionsBody>,
    /// For whom the place is, beside the member's own in the same session; a guest neither waits nor changes class.
    #[serde(default)]
    guest: Option<GuestBody>,
    /// Staff of the session, from when they may mark who came: the member stands at the door of the full session, for a place that nobody
    /// claims.
    #[serde(default)]
    standby: bool,
    /// Front desk: who has the place, if it is somebody without an account who comes by a partner. No pass pays, nobody is written to.
    #[serde(default)]
    visitor: Option<VisitorBody>,
}

/// Somebody without an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VisitorBody {
    /// As it is read at the door.
    name: Name,
    /// Where the desk reaches them.
    #[serde(default)]
    phone: Option<Line<40>>,
    /// Who sent them, as reports count it: "ClassPass", a hotel, a brand.
    source: Line<60>,
}

impl VisitorBody {
    /// What could be asked besides goes with a person who has an account.
    fn read(body: &mut BookBody) -> Answer<Option<Visitor>> {
        let others = body.pass_id.is_some()
            || body.person_id.is_some()
            || body.waitlist
            || body.unpaid
            || body.standby
            || body.replaces.is_some()
            || body.conditions.is_some()
            || body.guest.is_some();
        match body.visitor.take() {
            Some(_) if others => Err(Problem::field("visitor", Wrong::VisitorOnlyBooks)),
            visitor => Ok(visitor.map(|Self { name, phone, source }| Visitor {
                name: name.into_string(),
                phone: phone.map(Line::into_string),
                source: source.into_string(),
            })),
        }
    }
}

/// Who comes with the member.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GuestBody {
    /// As the studio reads it at the door.
    name: Name,
    /// Where the guest is told of the class, and of what becomes of it.
    #[serde(default)]
    email: Option<Email>,
}

/// How long before the start.
type Notice = Within<1, NOTICE_MINUTES_MAX>;

/// On what terms a waiting member wants to be moved in, or offered a place. Their own taps are not bound by them.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WaitingConditionsBody)]
pub struct ConditionsBody {
    /// Not later than so many minutes before the start.
    #[serde(default)]
    notice_minutes_min: Option<Notice>,
    /// Not after this instant.
    #[serde(default)]
    not_after: Option<DateTime<Utc>>,
    /// Not if they have another place in the studio on that local day.
    #[serde(default)]
    one_a_day: bool,
    /// Only together with this booking, which waits for the same session and names this one in the same way: until it does, this has no
    /// effect.
    #[serde(default)]
    with: Option<Uuid>,
}

impl ConditionsBody {
    /// As they are kept: to the microsecond, in years that can be stored.
    fn read(self) -> Conditions {
        Conditions {
            notice_minutes_min: self.notice_minutes_min.map(|Within(minutes)| minutes),
            not_after: self.not_after.map(|at| storable(at.trunc_subsecs(6))),
            one_a_day: self.one_a_day,
            with: self.with,
        }
    }
}

/// Books a place, or waits for one. The id is chosen by the app, so that the call may be sent again for ever.
#[utoipa::path(
    put, path = "/v1/bookings/{id}", operation_id = "book",
    params(("id" = Uuid, Path)), request_body = BookBody,
    responses((status = 201, body = BookingView<'static>), (status = 200, description = "Repeated", body = BookingView<'static>)),
    extensions(("x-problem-types" = json!(refuses![
        NoPass, AddressNotVerified, NotAllowed, SessionFull, WaitlistFull, AlreadyBooked, OverlappingBooking, TooManyBookings, Suspended,
        NotOpenYet, BookingClosed, SessionCancelled, BookingIdReused, BookingWithdrawn, NotFree, StatusChanged, SessionStarted,
        HostNotBooked, TooManyGuests, GuestsBooked, NotDoorTime, PlaceFree, TooManyRequests
    ])))
)]
pub async fn book(
    State(app): State<App>,
    caller: Caller,
    not_after: Option<NotAfter>,
    Path(id): Path<Uuid>,
    Body(mut body): Body<BookBody>,
) -> Answer<Response> {
    let visitor = VisitorBody::read(&mut body)?;
    let reason = body.reason.map(Note::into_string).filter(|reason| !reason.trim().is_empty());
    let unpaid = match (body.unpaid, reason) {
        (true, None) => return Err(Problem::field("reason", Wrong::UnpaidNeedsReason)),
        (false, Some(_)) => return Err(Problem::field("reason", Wrong::ReasonOnlyForUnpaid)),
        (_, reason) => reason,
    };
    if body.replaces_late && body.replaces.is_none() {
        return Err(Problem::field("replaces_late", Wrong::ReplacesNothing));
    }
    if body.guest.is_some() && (body.waitlist || body.replaces.is_some() || body.conditions.is_some()) {
        return Err(Problem::field("guest", Wrong::GuestOnlyBooks));
    }
    let writes_to_guest = body.guest.as_ref().is_some_and(|guest| guest.email.is_some());
    if writes_to_guest
        && let Err(often) = app.limits.ask(Often::GuestLetters, caller.person_id)
        && store::one(&app.db, id).await?.is_none()
    {
        return Err(often);
    }
    if body.standby && (body.waitlist || body.replaces.is_some() || body.conditions.is_some()) {
        return Err(Problem::field("standby", Wrong::StandbyWithOthers));
    }
    let ask = Book {
        id,
        session_id: body.session_id,
        pass_id: body.pass_id,
        waitlist: body.waitlist,
        person_id: body.person_id,
        unpaid,
        not_after: not_after.map(|NotAfter(instant)| instant),
        replaces: body.replaces,
        replaces_late: body.replaces_late,
        conditions: body.conditions.map(ConditionsBody::read).unwrap_or_default(),
        guest: body.guest.map(|guest| Guest { name: guest.name.into_string(), email: guest.email.map(|email| email.as_str().to_owned()) }),
        standby: body.standby,
        walk_in: false,
        visitor,
    };
    let shown = submit(&app, &caller, Command::Book(ask)).await?;
    if writes_to_guest && shown.fresh {
        let _ = app.limits.take(Often::GuestLetters, caller.person_id);
    }
    let status = if shown.fresh { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, answer(&app, &caller, *shown).await?).into_response())
}

/// The parameters of the terms.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct TermsParams {
    /// Which pass shall pay; without it the rule of which pass pays decides.
    pass_id: Option<Uuid>,
    /// A booking of the caller's that the new one would take over from; not with `guest`.
    replaces: Option<Uuid>,
    /// The place is that of a guest beside the caller's own, who does not wait and whom no cap counts.
    #[serde(default)]
    #[param(inline)]
    guest: bool,
    /// For whom the caller acts, if the place is theirs.
    person_id: Option<Uuid>,
}

/// What a tap would do and cost now: which pass would pay, until when cancelling is free and what it costs after, how the waitlist goes;
/// and if the caller may not book, why, and from when. With `replaces`, what giving up that booking comes to; with `guest`, all this of a
/// guest's place.
#[utoipa::path(
    get, path = "/v1/sessions/{id}/terms", operation_id = "show_terms",
    params(("id" = Uuid, Path), TermsParams),
    responses((status = 200, body = TermsView))
)]
pub async fn terms(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(params): Query<TermsParams>,
) -> Answer<Json<TermsView>> {
    let now = app.clock.now();
    let TermsParams { pass_id, replaces, guest, person_id } = params;
    if guest && replaces.is_some() {
        return Err(Problem::field("guest", Wrong::GuestOnlyBooks));
    }
    let tap = Tap { session_id: id, person_id: person_id.unwrap_or(caller.person_id), pass_id, replaces, guest };
    let told = look(&app.db, now, |set| tell_terms(set, caller.person_id, tap, now)).await?;
    let facts = TermsFacts {
        session: SessionNow::of(&told.session, told.studio.zone),
        rules: &told.studio.rules_of(told.session.class_type_id),
        terms: &told.terms,
        pass: told.pass,
        unverified: told.unverified,
        leniency: told.leniency,
        replacing: told.replacing,
    };
    Ok(Json(TermsView::of(&facts, caller.language.unwrap_or(told.studio.locale), now)))
}

/// One booking: the caller's own, that of somebody for whom they act, or a member's for the studio's front desk.
#[utoipa::path(
    get, path = "/v1/bookings/{id}", operation_id = "show_booking",
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = BookingView<'static>),
        (status = 404, description = "No booking yet: send the same PUT, never a new id"),
    )
)]
pub async fn show(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Answer<Response> {
    let booking = store::one(&app.db, id).await?.ok_or_else(not_found)?;
    must_read(&app, &caller, &booking).await?;
    let session = schedule::store::one(&app.db, booking.session_id).await?.ok_or_else(not_found)?;
    let position = position(&app, &booking).await?;
    let offers = offers(&app, std::slice::from_ref(&booking)).await?;
    let now = app.clock.now();
    let leniency = leniencies(&app, &[(&booking, &session)], now).await?.remove(&booking.id).unwrap_or_default();
    let penalties = penalties_of(&app, std::slice::from_ref(&booking)).await?;
    let around = Around { offer: offers.get(&booking.id), position, leniency, penalty: penalties.get(&booking.id) };
    Ok(Json(BookingView::of(&booking, &session, around, &app.keys, caller.language, now)).into_response())
}

/// The body of a cancellation.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookingCancellation)]
pub struct CancelBody {
    /// Only if the booking still has this status.
    #[serde(default)]
    if_status: Option<BookingStatus>,
    /// Only if it costs nothing.
    #[serde(default)]
    if_free: bool,
    /// Staff: `rules` or `all`.
    #[serde(default, rename = "return")]
    give_back: Option<GiveBack>,
    /// Staff: why.
    #[serde(default)]
    reason: Option<Note>,
}

/// How much staff give back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GiveBack {
    /// What the rules give back.
    Rules,
    /// Everything that was taken.
    All,
}

/// Cancels: leaves a queue, or gives a place back. Repeated, it answers the same. An id that was never seen is barred for 24 hours.
#[utoipa::path(
    put, path = "/v1/bookings/{id}/cancellation", operation_id = "cancel_booking",
    params(("id" = Uuid, Path)), request_body = CancelBody,
    responses((status = 200, body = BookingView<'static>), (status = 404, description = "Never seen, and now barred for its caller")),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, StatusChanged, NotFree, SessionStarted, GuestsBooked, TooManyRequests])))
)]
pub async fn cancel(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>, Body(body): Body<CancelBody>) -> Answer<Response> {
    let ask = Cancel {
        booking_id: id,
        if_status: body.if_status,
        if_free: body.if_free,
        return_all: body.give_back == Some(GiveBack::All),
        reason: body.reason.map(Note::into_string),
    };
    // Whoever has withdrawn many ids that never were may still cancel what is.
    if let Err(often) = app.limits.ask(Often::Withdrawals, caller.person_id)
        && store::one(&app.db, id).await?.is_none()
    {
        return Err(often);
    }
    let shown = match submit(&app, &caller, Command::Cancel(ask)).await {
        Err(problem) if problem.kind == ProblemType::NotFound => {
            let _ = app.limits.take(Often::Withdrawals, caller.person_id);
            return Err(problem);
        }
        shown => shown?,
    };
    answer(&app, &caller, *shown).await
}

/// `{}`, or no body: nothing has to be said.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EmptyBody)]
pub struct Nothing {}

/// Takes an offered place, or, waiting, a public one.
#[utoipa::path(
    put, path = "/v1/bookings/{id}/acceptance", operation_id = "accept_place",
    params(("id" = Uuid, Path)), request_body = Nothing,
    responses((status = 200, body = BookingView<'static>)),
    extensions(("x-problem-types" = json!(refuses![
        NoPass, NotAllowed, OfferExpired, SessionFull, AlreadyBooked, OverlappingBooking, TooManyBookings, NotOpenYet, BookingClosed,
        SessionCancelled, NotFree, SessionStarted, GuestsBooked, TooManyRequests
    ])))
)]
pub async fn accept(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>, _: Option<Body<Nothing>>) -> Answer<Response> {
    let shown = submit(&app, &caller, Command::Accept { booking_id: id }).await?;
    answer(&app, &caller, *shown).await
}

/// Why a member who waits is moved up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveUpBody {
    /// Why, as those who waited longer read it in the history of their bookings.
    reason: Line<500>,
    /// The session gets one place more for it.
    #[serde(default)]
    extra_place: bool,
}

/// Gives a waiting member a free or kept place, or an extra one, whoever has waited longer: for staff of the session. Repeated, it answers
/// the same.
#[utoipa::path(
    put, path = "/v1/bookings/{id}/move-up", operation_id = "move_up",
    params(("id" = Uuid, Path)), request_body = MoveUpBody,
    responses((status = 200, body = BookingView<'static>)),
    extensions(("x-problem-types" = json!(refuses![
        NoPass, NotAllowed, StatusChanged, SessionFull, OverlappingBooking, BookingClosed, SessionCancelled, NotFree, SessionStarted,
        GuestsBooked, TooManyRequests
    ])))
)]
pub async fn move_up(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>, Body(body): Body<MoveUpBody>) -> Answer<Response> {
    let reason = body.reason.into_string();
    let shown = submit(&app, &caller, Command::MoveUp(MoveUp { booking_id: id, reason, extra_place: body.extra_place })).await?;
    answer(&app, &caller, *shown).await
}

/// Says on what terms a waiting member wants to be moved in, instead of what they said before; `{}`: on none. If they can be given a place
/// that is free now, they are. Repeated, it answers the same.
#[utoipa::path(
    put, path = "/v1/bookings/{id}/conditions", operation_id = "set_waiting_conditions",
    params(("id" = Uuid, Path)), request_body = ConditionsBody,
    responses((status = 200, body = BookingView<'static>)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, StatusChanged, TooManyRequests])))
)]
pub async fn set_conditions(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Body(body): Body<ConditionsBody>,
) -> Answer<Response> {
    let shown = submit(&app, &caller, Command::SetConditions { booking_id: id, conditions: body.read() }).await?;
    answer(&app, &caller, *shown).await
}

/// Which of one's own bookings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Not ended, and booked, offered, waitlisted or at the door; soonest first.
    #[default]
    Upcoming,
    /// The rest, latest first.
    Past,
}

/// The parameters of one's own list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct OwnParams {
    /// `upcoming` or `past`.
    #[serde(default)]
    #[param(inline)]
    when: When,
    /// Whose, if not the caller's own: somebody for whom they act.
    person_id: Option<Uuid>,
    /// 1 to 200.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// The `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor<(DateTime<Utc>, Uuid)>>,
}

/// One's own bookings.
#[derive(Debug, Serialize, ToSchema)]
pub struct Bookings<'a> {
    bookings: Vec<BookingView<'a>>,
    next: Option<String>,
}

/// The caller's own bookings, or those of somebody for whom they act: what is to come, soonest first, or what was, latest first.
#[utoipa::path(
    get, path = "/v1/me/bookings", operation_id = "list_own_bookings",
    params(OwnParams),
    responses((status = 200, body = Bookings<'static>))
)]
pub async fn own(State(app): State<App>, caller: Caller, Query(params): Query<OwnParams>) -> Answer<Response> {
    let now = app.clock.now();
    let upcoming = params.when == When::Upcoming;
    let whose = params.person_id.unwrap_or(caller.person_id);
    if whose != caller.person_id && !families::store::acts_for(&app.db, caller.person_id, whose).await? {
        return Err(not_found());
    }
    let edge = if upcoming { (DateTime::UNIX_EPOCH, Uuid::nil()) } else { (DateTime::<Utc>::MAX_UTC, Uuid::max()) };
    let after = params.after.map_or(edge, |Cursor(after)| after);
    let after = (storable(after.0), after.1);
    let more = params.limit.0 + 1;
    let found = if upcoming {
        store::upcoming(&app.db, whose, now, after, more).await?
    } else {
        store::past(&app.db, whose, now, after, more).await?
    };
    let (bookings, next) = page(found, params.limit, |booking| (booking.starts_at, booking.id));
    let ids: Vec<Uuid> = bookings.iter().map(|booking| booking.session_id).collect();
    let mut tx = app.db.read().await?;
    let sessions: HashMap<Uuid, schedule::Session> =
        schedule::store::among(&mut tx, &ids).await?.into_iter().map(|session| (session.id, session)).collect();
    tx.rollback().await;
    let positions: HashMap<Uuid, i64> =
        if upcoming { store::positions(&app.db, whose).await?.into_iter().collect() } else { HashMap::new() };
    let bookings = views(&app, &bookings, &sessions, &positions, caller.language).await?;
    Ok(Json(Bookings { bookings, next }).into_response())
}

/// Bookings as this reader sees them now, of those sessions and with those positions in their queues.
pub async fn views<'s>(
    app: &App,
    bookings: &[Booking],
    sessions: &'s HashMap<Uuid, schedule::Session>,
    positions: &HashMap<Uuid, i64>,
    language: Option<Language>,
) -> Answer<Vec<BookingView<'s>>> {
    let now = app.clock.now();
    let offers = offers(app, bookings).await?;
    let with_sessions: Vec<_> = bookings.iter().filter_map(|booking| Some((booking, sessions.get(&booking.session_id)?))).collect();
    let leniencies = leniencies(app, &with_sessions, now).await?;
    let penalties = penalties_of(app, bookings).await?;
    let view = |(booking, session): (&Booking, &'s schedule::Session)| {
        let around = Around {
            offer: offers.get(&booking.id),
            position: positions.get(&booking.id).copied(),
            leniency: leniencies.get(&booking.id).copied().unwrap_or_default(),
            penalty: penalties.get(&booking.id),
        };
        BookingView::of(booking, session, around, &app.keys, language, now)
    };
    Ok(with_sessions.into_iter().map(view).collect())
}

/// Submits the command and returns the booking that results.
pub async fn submit(app: &App, caller: &Caller, what: Command) -> Answer<Box<BookingSnapshot>> {
    match app.transactor.submit(caller.actor(), what).await? {
        Outcome::Booking(shown) => Ok(shown),
        _ => Err(not_found()),
    }
}

/// The booking as the caller reads it. A queue position that the transactor did not know is counted here.
pub async fn answer(app: &App, caller: &Caller, shown: BookingSnapshot) -> Answer<Response> {
    let position = match shown.position {
        Some(position) => Some(position),
        None => position(app, &shown.booking).await?,
    };
    let (booking, now) = (&shown.booking, app.clock.now());
    let penalties = penalties_of(app, std::slice::from_ref(booking)).await?;
    let around = Around { offer: shown.offer.as_ref(), position, leniency: shown.leniency, penalty: penalties.get(&booking.id) };
    Ok(Json(BookingView::of(booking, &shown.session, around, &app.keys, caller.language, now)).into_response())
}

/// The offers that run for these bookings, by booking.
async fn offers(app: &App, bookings: &[Booking]) -> Answer<HashMap<Uuid, Offer>> {
    let offered: Vec<Uuid> = bookings.iter().filter(|booking| booking.status == BookingStatus::Offered).map(|booking| booking.id).collect();
    if offered.is_empty() {
        return Ok(HashMap::new());
    }
    let mut tx = app.db.read().await?;
    let found = store::running_offers(&mut tx, &offered).await?;
    tx.rollback().await;
    Ok(found.into_iter().map(|offer| (offer.booking_id, offer)).collect())
}

/// What speaks for the members of those bookings that come to cost something if they are cancelled late, by booking; nothing is read where
/// there are none.
async fn leniencies(app: &App, bookings: &[(&Booking, &schedule::Session)], now: DateTime<Utc>) -> Answer<HashMap<Uuid, Leniency>> {
    let costly: Vec<_> = bookings.iter().filter(|(booking, _)| rules::may_cost(booking, now)).collect();
    if costly.is_empty() {
        return Ok(HashMap::new());
    }
    let people: BTreeSet<Uuid> = costly.iter().map(|(booking, _)| booking.person_id).collect();
    let studios: BTreeSet<Uuid> = costly.iter().map(|(booking, _)| booking.studio_id).collect();
    let mut tx = app.db.read().await?;
    let own = penalties::store::of_people(&mut tx, &people.into_iter().collect::<Vec<_>>(), now).await?;
    let studios = studios::store::contexts(&mut tx, &studios.into_iter().collect::<Vec<_>>()).await?;
    tx.rollback().await;
    let leniency = |(booking, session): &(&Booking, &schedule::Session)| {
        let studio = studios.iter().find(|studio| studio.id == booking.studio_id)?;
        let theirs = own.iter().filter(|penalty| penalty.person_id == booking.person_id);
        let month = month_of_late_cancel(rules::is_late(booking, now), session.local_date, now, studio.zone);
        Some((booking.id, Leniency::of(theirs, studio.id, &studio.rules, session.local_date, month)))
    };
    Ok(costly.into_iter().filter_map(leniency).collect())
}

/// What came of bookings that were cancelled late or not kept, by booking.
async fn penalties_of(app: &App, bookings: &[Booking]) -> Answer<HashMap<Uuid, Penalty>> {
    let kept = |booking: &&Booking| !matches!(booking.status, BookingStatus::LateCancelled | BookingStatus::NoShow);
    let ids: Vec<Uuid> = bookings.iter().filter(|booking| !kept(booking)).map(|booking| booking.id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut tx = app.db.read().await?;
    let mut found = penalties::store::of_bookings(&mut tx, &ids).await?;
    tx.rollback().await;
    // Of several, the one that counts, or else the last.
    found.sort_by_key(|penalty| (!penalty.is_waived(), penalty.at));
    Ok(found.into_iter().map(|penalty| (penalty.booking_id, penalty)).collect())
}

/// The position in the queue, if it waits.
pub async fn position(app: &App, booking: &Booking) -> Answer<Option<i64>> {
    match booking.queue_key {
        Some(key) => Ok(Some(store::position(&app.db, booking.session_id, key).await?)),
        None => Ok(None),
    }
}

fn not_found() -> Problem {
    Problem::new(ProblemType::NotFound)
}
