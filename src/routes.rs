//! The table of contents: every URL, grouped in plain words.

use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::from_fn;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, patch, post, put};
use axum::{Extension, Router};

use crate::app::App;
use crate::attendance::api::{check_ins, door, kiosks, marks};
use crate::passes::api::{changing, refunds, selling};
use crate::people::{deletion, erasure, export, invitations, leaving, me, members, merging, pages, particulars, staff, staff_devices};
use crate::problem::{Problem, ProblemType};
use crate::running::document::ApiDocument;
use crate::schedule::api::{planning, sessions};
use crate::schedule::{series, substitutes};
use crate::security::api as security;
use crate::sign_in::factors::{challenge, enrolment};
use crate::sign_in::{acceptance, address, password, refreshing, registration, signing, verification};
use crate::{
    attendance, booking, calendars, console, families, holds, import, letters, openapi, passes, penalties, public, reports, running,
    schedule, studios, trail,
};

/// Every URL of Relevé.
pub fn routes() -> Router<App> {
    public_routes().merge(private_routes())
}

/// What members, staff and their browsers ask for.
pub fn public_routes() -> Router<App> {
    Router::new()
        // Signing in
        .route("/v1/registrations", post(registration::register))
        .route("/v1/email-verifications", post(verification::verify))
        .route("/v1/email-verifications/requests", post(verification::request))
        .route("/v1/tokens", post(signing::sign_in).delete(signing::sign_out))
        .route("/v1/tokens/second-factor", post(challenge::show))
        .route("/v1/tokens/refresh", post(refreshing::refresh))
        .route("/v1/password-resets", post(password::request_reset).put(password::reset))
        .route("/v1/invitations/acceptance", put(acceptance::accept))
        // A person's own
        .route("/v1/me", get(me::me).patch(me::change))
        .route("/v1/me/deletion", put(deletion::put).delete(deletion::undo))
        .route("/v1/me/deletion/codes", post(deletion::send))
        .route("/v1/me/family", get(families::api::show).post(families::api::add))
        .route("/v1/me/family/{id}", delete(families::api::end))
        .route("/v1/me/family/{id}/confirmation", put(families::api::confirm))
        .route("/v1/me/family/{id}/letters", put(families::api::set_letters))
        .route("/v1/me/export", get(export::export))
        .route("/account/deletion", get(pages::show).post(pages::submit))
        .route("/v1/me/devices", get(signing::devices))
        .route("/v1/me/devices/{id}", delete(signing::remove_device))
        .route("/v1/me/security-events", get(security::own))
        .route("/v1/me/second-factors", get(enrolment::list))
        .route("/v1/me/second-factors/totp", post(enrolment::add_totp))
        .route("/v1/me/second-factors/passkeys", post(enrolment::add_passkey))
        .route("/v1/me/second-factors/questions", post(challenge::question))
        .route("/v1/me/second-factors/{id}/confirmation", put(enrolment::confirm))
        .route("/v1/me/second-factors/{id}/removal", put(enrolment::remove))
        .route("/v1/me/recovery-codes", put(enrolment::renew_codes))
        .route("/v1/me/password", put(password::change))
        .route("/v1/me/email", put(address::change))
        .route("/v1/me/passes", get(passes::api::own))
        .route("/v1/passes/{id}/ledger", get(passes::api::ledger))
        .route("/v1/passes/{id}/gifts", post(changing::give))
        .route("/v1/passes/{id}/expiry", put(changing::extend))
        .route("/v1/passes/{id}/freeze", put(changing::freeze).delete(changing::unfreeze))
        .route("/v1/passes/{id}/sharing", put(changing::share).delete(changing::unshare))
        .route("/v1/passes/{id}/transfer", put(changing::transfer))
        .route("/v1/passes/{id}/refund", get(refunds::show))
        .route("/v1/passes/{id}/refunds", post(refunds::make))
        .route("/v1/me/standing", get(penalties::api::own))
        .route("/v1/me/teaching", get(schedule::api::teaching))
        .route("/v1/me/substitute-requests", get(substitutes::api::own))
        .route("/v1/me/calendars", get(calendars::api::list).post(calendars::api::make))
        .route("/v1/me/calendars/{id}", delete(calendars::api::revoke))
        .route("/calendars/{file}", get(calendars::api::read))
        // Running a studio
        .route("/v1/studios", get(studios::api::list).post(studios::api::open))
        .route("/v1/studios/{id}", get(studios::api::one).patch(studios::api::change))
        .route("/v1/studios/{id}/house-rules", get(studios::api::house_rules).put(studios::api::set_house_rules))
        .route("/v1/studios/{id}/instructors", get(studios::api::instructors))
        .route("/v1/studios/{id}/rooms", get(studios::api::rooms).post(studios::api::add_room))
        .route("/v1/studios/{id}/rooms/{room_id}", get(studios::api::room).patch(studios::api::change_room))
        .route("/v1/studios/{id}/class-types", get(schedule::api::class_types).post(schedule::api::add_class_type))
        .route("/v1/studios/{id}/class-types/{class_type_id}", patch(schedule::api::change_class_type))
        .route(
            "/v1/studios/{id}/class-types/{class_type_id}/house-rules",
            get(studios::api::type_rules::of_class_type).put(studios::api::type_rules::set_of_class_type),
        )
        .route("/v1/studios/{id}/pass-types", get(passes::api::types).post(passes::api::add_type))
        .route("/v1/studios/{id}/pass-types/{pass_type_id}", patch(passes::api::change_type))
        .route(
            "/v1/studios/{id}/pass-types/{pass_type_id}/house-rules",
            get(studios::api::type_rules::of_pass_type).put(studios::api::type_rules::set_of_pass_type),
        )
        .route("/v1/studios/{id}/members/{person_id}/passes", get(passes::api::of_member).post(selling::sell))
        .route("/v1/studios/{id}/members/{person_id}/standing", get(penalties::api::of_member))
        .route("/v1/studios/{id}/penalties/{penalty_id}/waiver", put(penalties::api::waive))
        .route("/v1/studios/{id}/penalties/{penalty_id}/payment", put(penalties::api::pay))
        .route("/v1/studios/{id}/reports/attendance", get(reports::attendance::attendance))
        .route("/v1/studios/{id}/reports/credits", get(reports::credits::credits))
        .route("/v1/studios/{id}/reports/demand", get(reports::demand::demand))
        .route("/v1/studios/{id}/reports/letters", get(reports::letters::letters))
        .route("/v1/studios/{id}/reports/monday", get(reports::monday::monday))
        .route("/v1/studios/{id}/reports/pay", get(reports::pay::pay))
        .route("/v1/studios/{id}/reports/retention", get(reports::retention::retention))
        .route("/v1/studios/{id}/staff", get(staff::list))
        .route("/v1/studios/{id}/staff/{person_id}", put(staff::put))
        .route("/v1/studios/{id}/staff/{person_id}/devices", get(staff_devices::list))
        .route("/v1/studios/{id}/staff/{person_id}/devices/{device_id}", delete(staff_devices::end))
        .route("/v1/studios/{id}/staff/{person_id}/second-factors", delete(staff_devices::reset_factors))
        .route("/v1/studios/{id}/invitations", get(invitations::list).post(invitations::post))
        .route("/v1/studios/{id}/invitations/{invitation_id}", delete(invitations::withdraw))
        .route("/v1/studios/{id}/events", get(trail::api::of_studio))
        .route("/v1/studios/{id}/security-events", get(security::of_studio))
        .route("/v1/security-events", get(security::all))
        .route("/v1/studios/{id}/members", get(members::find).post(members::enter))
        .route("/v1/studios/{id}/members/searches", post(members::search))
        .route("/v1/studios/{id}/members/me", put(members::join).delete(leaving::leave))
        .route("/v1/studios/{id}/members/{person_id}", patch(particulars::change))
        .route("/v1/studios/{id}/members/{person_id}/erasure", put(erasure::put))
        .route("/v1/studios/{id}/members/{person_id}/merge", put(merging::put))
        // From another program, and to another one
        .route(
            "/v1/studios/{id}/imports/{import_id}",
            put(import::api::put).get(import::api::show).layer(DefaultBodyLimit::max(import::BYTES_MAX)),
        )
        .route("/v1/studios/{id}/exports/{table}", get(studios::export::export))
        .route("/v1/studios/{id}/imports/{import_id}/skipped", get(import::api::skipped))
        .route("/v1/studios/{id}/imports/{import_id}/invitations", put(import::invite::put))
        // The schedule
        .route("/v1/studios/{id}/sessions", get(schedule::api::schedule).post(sessions::make))
        .route("/v1/studios/{id}/availability/me", get(substitutes::api::availability).put(substitutes::api::state_availability))
        .route("/v1/studios/{id}/substitute-requests", get(substitutes::api::list).post(substitutes::api::ask))
        .route("/v1/substitute-requests/{id}/claim", put(substitutes::api::claim).delete(substitutes::api::unclaim))
        .route("/v1/substitute-requests/{id}/approval", put(substitutes::api::approve))
        .route("/v1/substitute-requests/{id}/withdrawal", put(substitutes::api::withdraw))
        .route("/v1/studios/{id}/unstaffed-sessions", get(planning::unstaffed))
        .route("/v1/studios/{id}/publication", put(planning::publish))
        .route("/v1/studios/{id}/copies", post(planning::copy))
        .route("/v1/studios/{id}/closing-days", get(planning::closing_days).post(planning::close))
        .route("/v1/studios/{id}/closing-days/{date}", delete(planning::open))
        .route("/v1/studios/{id}/series", get(series::api::list).post(series::api::make))
        .route("/v1/series/{id}", get(series::api::one))
        .route("/v1/series/{id}/publication", put(series::api::publish))
        .route("/v1/sessions/{id}", get(schedule::api::one).patch(sessions::edit))
        .route("/v1/sessions/{id}/cancellation", put(sessions::cancel))
        .route("/v1/sessions/{id}/notes", put(sessions::set_notes))
        .route("/v1/sessions/{id}/holds", get(holds::api::list))
        .route("/v1/sessions/{id}/holds/{hold_id}", put(holds::api::put).delete(holds::api::release))
        .route("/v1/sessions/{id}/roster", get(attendance::api::roster))
        .route("/v1/sessions/{id}/door-release", put(attendance::door::release))
        .route("/v1/sessions/{id}/attendance", put(marks::mark))
        .route("/v1/sessions/{id}/walk-ins/{booking_id}", put(marks::walk_in))
        // At the door
        .route("/v1/studios/{id}/door", get(door::show))
        .route("/v1/studios/{id}/check-ins/{check_in_id}", put(check_ins::put))
        .route("/v1/studios/{id}/check-ins/replay", post(check_ins::replay))
        .route("/v1/studios/{id}/kiosks", get(kiosks::list).post(kiosks::add))
        .route("/v1/studios/{id}/kiosks/{kiosk_id}", delete(kiosks::remove))
        // Booking
        .route("/v1/sessions/{id}/terms", get(booking::api::terms))
        .route("/v1/bookings/{id}", put(booking::api::book).get(booking::api::show))
        .route("/v1/bookings/{id}/cancellation", put(booking::api::cancel))
        .route("/v1/bookings/{id}/acceptance", put(booking::api::accept))
        .route("/v1/bookings/{id}/move-up", put(booking::api::move_up))
        .route("/v1/bookings/{id}/conditions", put(booking::api::set_conditions))
        .route("/v1/bookings/{id}/history", get(booking::history::show))
        .route("/v1/bookings/{id}/check-in", put(attendance::api::check_in).delete(attendance::api::undo))
        .route("/v1/me/bookings", get(booking::api::own))
        .route("/offers/{id}/{signature}", get(booking::pages::show).post(booking::pages::submit))
        // Letters
        .route("/v1/me/letters", get(letters::api::own))
        .route("/v1/studios/{id}/letters", get(letters::api::of_studio))
        .route("/v1/letters/{id}/retry", put(letters::api::resend))
        .route("/unsubscribe/{id}/{switch}/{signature}", get(letters::unsubscribe::show).post(letters::unsubscribe::submit))
        .route("/dev/letters", get(letters::pages::list))
        .route("/dev/letters/{id}", get(letters::pages::one))
        // Running it
        .merge(health())
        .route("/openapi.json", get(running::document::openapi_document).layer(Extension(ApiDocument::new(openapi::text))))
        .route("/docs", get(running::document::to_docs))
        .route("/docs/", get(running::document::docs))
        .route("/docs/{*file}", get(running::document::docs_file))
        // The front page, the page behind a letter's link, and the files that make phones open the app instead
        .route("/", get(running::pages::front))
        .merge(console::routes::routes())
        .merge(public::routes::routes())
        .route("/b/{booking_id}", get(public::booking::show).layer(from_fn(public::routes::guard)))
        .route("/.well-known/apple-app-site-association", get(running::api::apple_app_site_association))
        .route("/.well-known/assetlinks.json", get(running::api::assetlinks))
}

/// What answers where there is nothing: below the pages a page in the reader's language, else a problem.
pub async fn nothing_here(request: Request) -> Response {
    let path = request.uri().path();
    let is_below = |home: &str| path.strip_prefix(home).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let notice = match path {
        _ if is_below("/console") => console::frame::notice,
        _ if ["/me", "/s", "/b"].into_iter().any(is_below) => public::frame::notice,
        _ => return Problem::new(ProblemType::NotFound).into_response(),
    };
    console::guard::refused(Problem::new(ProblemType::NotFound), request.headers(), notice)
}

/// What a process says of itself to those who run it: on a port of its own, where there is one.
pub fn private_routes() -> Router<App> {
    Router::new().route("/readyz", get(running::api::readiness)).route("/metrics", get(running::api::show_metrics))
}

/// All that a process says of itself: a worker, and the port of those who run it.
pub fn of_every_process() -> Router<App> {
    health().merge(private_routes())
}

fn health() -> Router<App> {
    Router::new().route("/healthz", get(running::api::health))
}
