//! The page behind a letter's link: one booking, with what its member may do with it, and the code that is shown at the door.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::frame::{Part, Shell};
use super::reader::Member;
use super::words::{self, Words};
use crate::app::App;
use crate::booking::readers::must_read;
use crate::booking::view::BookingView;
use crate::booking::{Booking, BookingStatus, api, store};
use crate::console::form::{Form, body};
use crate::console::frame::{Said, SaidParams, done};
use crate::console::qr::Qr;
use crate::extract::{Path, Query};
use crate::language::Language;
use crate::letters::facts::{Money, Penalized};
use crate::letters::phrases::{self, CancelledFor};
use crate::problem::{Answer, Problem, ProblemType};
use crate::schedule;

/// A booking as its member reads it.
pub struct Card {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub session_id: Uuid,
    pub class: String,
    pub when: String,
    pub starts_at: String,
    pub room: String,
    pub instructor: String,
    pub status: BookingStatus,
    pub state: &'static str,
    pub position: Option<i64>,
    pub guest: Option<String>,
    /// What a cancellation costs, until when.
    pub free_text: Option<String>,
    /// Until when the offered place is kept.
    pub kept_until: Option<String>,
    /// What a cancellation at this instant would do; `None`: it cannot be cancelled.
    pub cancel: Option<String>,
    pub cancel_is_free: bool,
    /// The code for the door, drawn, while there is a place to come to.
    pub code: Option<Qr>,
}

impl Card {
    /// As it is shown in this language.
    pub fn of(booking: &BookingView<'_>, session: &schedule::Session, language: Language) -> Self {
        let zone = session.names.time_zone.tz();
        let comes = matches!(booking.status, BookingStatus::Booked | BookingStatus::Standby);
        Self {
            id: booking.id,
            studio_id: session.studio_id,
            session_id: session.id,
            class: session.names.class_name.read(language).to_owned(),
            when: phrases::span(session.starts_at, session.ends_at, zone, language),
            starts_at: super::class::instant(session.starts_at),
            room: session.names.room_name.clone(),
            instructor: session.names.instructor_name.clone(),
            status: booking.status,
            state: words::status(booking.status, language),
            position: booking.waitlist_position,
            guest: booking.guest.as_ref().map(|guest| guest.name.clone().unwrap_or_default()),
            free_text: booking.free_cancel_text.clone(),
            kept_until: booking.offer.as_ref().map(|offer| phrases::day_and_time(offer.expires_at, zone, language)),
            cancel: booking.cancel_now.as_ref().and_then(|cancel| cancel.text.clone()),
            cancel_is_free: booking.cancel_now.as_ref().is_some_and(|cancel| cancel.free),
            code: comes.then(|| Qr::of(&booking.check_in_code)).flatten(),
        }
    }

    /// Whether its member waits, and may take a place that is free.
    pub fn waits(&self) -> bool {
        self.status == BookingStatus::Waitlisted
    }

    /// Whether a place is kept for the member.
    pub fn is_offered(&self) -> bool {
        self.status == BookingStatus::Offered
    }
}

#[derive(Template)]
#[template(path = "public/pages/booking.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    booking: Card,
    /// What came back with its cancellation, or what that cost.
    outcome: Option<String>,
}

/// The booking of this id.
pub async fn find(app: &App, id: Uuid) -> Answer<Booking> {
    store::one(&app.db, id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))
}

/// A booking, for whom it is or who acts for them. Whoever is not signed in signs in and lands here; a letter may be forwarded, and nobody
/// else learns whether there is such a booking.
#[utoipa::path(
    get, path = "/b/{booking_id}", operation_id = "show_booking_page",
    params(("booking_id" = Uuid, Path)),
    responses(
        (status = 200, body = String, content_type = "text/html"),
        (status = 303, description = "Whoever is not signed in is sent to sign in, and comes back"),
        (status = 404, description = "There is no such booking, or it is somebody else's.", body = String, content_type = "text/html"),
    )
)]
pub async fn show(
    State(app): State<App>,
    // What is no booking's address is refused before anybody is asked to sign in.
    Path(id): Path<Uuid>,
    member: Member,
    Query(SaidParams { said }): Query<SaidParams>,
) -> Answer<Response> {
    page(&app, member, id, Said::done(said)).await
}

async fn page(app: &App, member: Member, id: Uuid, said: Said) -> Answer<Response> {
    let Member { caller, language, mut reader } = member;
    let booking = find(app, id).await?;
    must_read(app, &caller, &booking).await?;
    let session = schedule::store::one(&app.db, booking.session_id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    let studio = super::schedule::studio(app, booking.studio_id).await?;
    let positions: HashMap<Uuid, i64> = api::position(app, &booking).await?.into_iter().map(|position| (id, position)).collect();
    let sessions = HashMap::from([(session.id, session)]);
    let views = api::views(app, std::slice::from_ref(&booking), &sessions, &positions, Some(language)).await?;
    let cards = views.iter().zip(sessions.values());
    let cards = cards.map(|(view, session)| (Card::of(view, session, language), outcome(&booking, view, language))).next();
    let (card, outcome) = cards.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    reader.page = format!("/b/{id}");
    let shell = Shell::of(reader, Part::Other, Some(studio), said);
    let page = Page { w: shell.w, booking: card, outcome, shell };
    page.shell.answer(&page)
}

/// What came back with a cancellation, or what it cost; `None`: it was not cancelled.
fn outcome(booking: &Booking, view: &BookingView<'_>, language: Language) -> Option<String> {
    let cost = match booking.status {
        BookingStatus::Cancelled => CancelledFor::Nothing,
        BookingStatus::LateCancelled if booking.credits > 0 => CancelledFor::Credits(booking.credits),
        BookingStatus::LateCancelled if booking.visit_week.is_some() => CancelledFor::Visit,
        BookingStatus::LateCancelled => CancelledFor::Besides,
        _ => return None,
    };
    let penalty = view.penalty.as_ref().filter(|penalty| penalty.waived_at.is_none());
    let besides = penalty.map(|penalty| Penalized {
        fee: penalty.fee.as_ref().map(|fee| Money { amount_minor: fee.amount_minor, currency: fee.currency.clone() }),
        strike: penalty.strike,
        forgiven: penalty.forgiven.is_some(),
    });
    Some(phrases::cancelled_text(booking.credits_returned, cost, &besides.unwrap_or_default(), language))
}

/// What the page said before the tap: that it is free, and what it was.
#[derive(Deserialize)]
pub struct CancelForm {
    #[serde(default)]
    if_free: bool,
    if_status: Option<String>,
}

/// Gives the place back, leaves the queue, declines the offer. If that would cost something of which the page said nothing, it is refused,
/// and the page says it now.
pub async fn cancel(State(app): State<App>, member: Member, Path(id): Path<Uuid>, Form(form): Form<CancelForm>) -> Answer<Response> {
    let mut asked = json!({"if_free": form.if_free});
    if let Some(status) = form.if_status {
        asked["if_status"] = json!(status);
    }
    match api::cancel(State(app.clone()), member.caller.clone(), Path(id), body(asked)?).await {
        Ok(_) => Ok(done(&format!("/b/{id}"), "cancelled")),
        Err(problem) => refused(&app, member, id, problem).await,
    }
}

/// Takes the offered place, or, waiting, one that is free.
pub async fn accept(State(app): State<App>, member: Member, Path(id): Path<Uuid>) -> Answer<Response> {
    match api::accept(State(app.clone()), member.caller.clone(), Path(id), None).await {
        Ok(_) => Ok(done(&format!("/b/{id}"), "booked")),
        Err(problem) => refused(&app, member, id, problem).await,
    }
}

async fn refused(app: &App, member: Member, id: Uuid, problem: Problem) -> Answer<Response> {
    let said = Said::refused(problem, member.language)?;
    page(app, member, id, said).await
}
