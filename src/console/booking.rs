//! One booking: what happened to it and why, and cancelling it for the member, with what comes of that shown before.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use uuid::Uuid;

use super::consequences::Consequences;
use super::form::Form;
use super::frame::{Part, Said, SaidParams, Shell, done};
use super::roster;
use super::staff::Staff;
use super::words::Words;
use crate::app::App;
use crate::booking::api::submit;
use crate::booking::cancel::Cancel;
use crate::booking::{Booking, BookingStatus, history, store};
use crate::extract::{Path, Query};
use crate::letters::phrases;
use crate::people;
use crate::problem::{Answer, Problem, ProblemType};
use crate::schedule;
use crate::studios::guard::require_front_desk;
use crate::text::Note;
use crate::transactor::Command;

#[derive(Template)]
#[template(path = "console/pages/booking.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    id: Uuid,
    person_id: Uuid,
    session_id: Uuid,
    name: String,
    class: String,
    when: String,
    state: &'static str,
    guest: Option<String>,
    paid: Option<String>,
    free_until: Option<String>,
    made: String,
    entries: Vec<Line>,
    /// What cancelling would do, where it can be cancelled.
    consequences: Option<Consequences>,
    /// Whether something could be lost by it that staff may give back.
    costs: bool,
}

/// One thing that happened.
struct Line {
    at: String,
    text: String,
    note: Option<String>,
}

/// The page: for the studio's front desk.
pub async fn show(
    State(app): State<App>,
    staff: Staff,
    Path((studio_id, id)): Path<(Uuid, Uuid)>,
    Query(SaidParams { said }): Query<SaidParams>,
) -> Answer<Response> {
    require_front_desk(&app, &staff.caller, studio_id).await?;
    page(&app, &staff, studio_id, id, Said::done(said)).await
}

async fn find(app: &App, studio_id: Uuid, id: Uuid) -> Answer<Booking> {
    let booking = store::one(&app.db, id).await?.filter(|booking| booking.studio_id == studio_id);
    booking.ok_or_else(|| Problem::new(ProblemType::NotFound))
}

async fn page(app: &App, staff: &Staff, studio_id: Uuid, id: Uuid, said: Said) -> Answer<Response> {
    let booking = find(app, studio_id, id).await?;
    let session = schedule::store::one(&app.db, booking.session_id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    let shell = Shell::of(app, staff, studio_id, Part::Members, said).await?;
    let (now, language) = (app.clock.now(), shell.language);
    let entries = history::entries(app, &booking, shell.zone(), language).await?;
    let open =
        matches!(booking.status, BookingStatus::Booked | BookingStatus::Waitlisted | BookingStatus::Offered | BookingStatus::Standby);
    let consequences = match open && now < booking.starts_at {
        true => {
            let what = Command::Cancel(Cancel { booking_id: id, if_status: None, if_free: false, return_all: false, reason: None });
            match app.transactor.preview(staff.caller.actor(), what).await {
                Ok(preview) => Some(Consequences::of(app, preview, &shell).await?),
                Err(_) => None,
            }
        }
        false => None,
    };
    let absent = booking.provisional || (booking.status == BookingStatus::Booked && session.misses_who_has_not_come(now));
    let page = Page {
        w: shell.w,
        id,
        person_id: booking.person_id,
        session_id: booking.session_id,
        name: people::store::name_in(&app.db, studio_id, booking.person_id).await?.unwrap_or_default(),
        class: session.names.class_name.read(language).to_owned(),
        when: phrases::span(session.starts_at, session.ends_at, shell.zone(), language),
        state: roster::state(booking.status, absent, booking.released_at.is_some(), booking.unrecorded, shell.w),
        guest: booking.guest_of.map(|_| booking.guest_name.clone().unwrap_or_default()),
        paid: (booking.credits > 0).then(|| phrases::credits(booking.credits, language)),
        free_until: booking.free_cancel_until.filter(|until| open && now < *until).map(|until| shell.day_and_time(until)),
        made: shell.day_and_time(booking.created_at),
        entries: entries.into_iter().map(|entry| Line { at: shell.day_and_time(entry.at), text: entry.text, note: entry.note }).collect(),
        consequences,
        costs: booking.status == BookingStatus::Booked && booking.free_cancel_until.is_none_or(|until| until <= now),
        shell,
    };
    page.shell.answer(&page)
}

/// Why it is cancelled, and whether all that it cost comes back.
#[derive(Deserialize)]
pub struct CancelForm {
    reason: Option<Note>,
    #[serde(default)]
    return_all: bool,
}

/// Cancels it for the member.
pub async fn cancel(
    State(app): State<App>,
    staff: Staff,
    Path((studio_id, id)): Path<(Uuid, Uuid)>,
    Form(form): Form<CancelForm>,
) -> Answer<Response> {
    require_front_desk(&app, &staff.caller, studio_id).await?;
    find(&app, studio_id, id).await?;
    let reason = form.reason.map(Note::into_string);
    let what = Command::Cancel(Cancel { booking_id: id, if_status: None, if_free: false, return_all: form.return_all, reason });
    match submit(&app, &staff.caller, what).await {
        Ok(_) => Ok(done(&format!("/console/{studio_id}/bookings/{id}"), "booking_cancelled")),
        Err(problem) => page(&app, &staff, studio_id, id, Said::refused(problem, staff.language)?).await,
    }
}
