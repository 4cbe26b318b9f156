//! The table of contents of the console: every page and every form, in plain words. They are for people and their browsers and stand in no
//! document of the API, which apps are written against and which may change only by growing.

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get, post};

use super::guard::guard;
use super::{
    assets, attendance, booking, demo_links, files, home, house_rules, kiosk, letters, member, members, monday, publication, schedule,
    session, session_form, settings, setup, sign_in, today, walk_in,
};
use crate::app::App;

/// The console.
pub fn routes() -> Router<App> {
    Router::new()
        // Coming in
        .route("/console", get(home::show))
        .route("/console/sign-in", get(sign_in::show).post(sign_in::submit))
        .route("/console/sign-in/second-factor", post(sign_in::submit_factor))
        .route("/console/sign-out", post(sign_in::sign_out))
        .route("/demo/{who}/{secret}", get(demo_links::open))
        .route("/console/language", post(home::set_language))
        .route("/console/files/{hash}/{name}", get(assets::file))
        // The door
        .route("/console/kiosk", get(kiosk::door))
        .route("/console/kiosk-worker.js", get(kiosk::worker))
        .route("/console/{studio}/kiosk", get(kiosk::show).post(kiosk::make))
        .route("/console/{studio}/kiosk/removal", post(kiosk::remove))
        // The day and the week
        .route("/console/{studio}", get(home::studio))
        .route("/console/{studio}/today", get(today::show))
        .route("/console/{studio}/changes", get(today::changes))
        .route("/console/{studio}/schedule", get(schedule::show))
        .route("/console/{studio}/schedule/publication", get(publication::ask).post(publication::publish))
        // A session
        .route("/console/{studio}/sessions/new", get(session_form::ask_new).post(session_form::make))
        .route("/console/{studio}/sessions/{id}", get(session::show))
        .route("/console/{studio}/sessions/{id}/edit", get(session_form::ask_edit).post(session_form::edit))
        .route("/console/{studio}/sessions/{id}/cancel", get(session::ask_cancel).post(session::cancel))
        .route("/console/{studio}/sessions/{id}/check-in", post(session::check_in))
        .route("/console/{studio}/sessions/{id}/undo-check-in", post(session::undo_check_in))
        .route("/console/{studio}/sessions/{id}/walk-in", get(walk_in::ask).post(walk_in::submit))
        .route("/console/{studio}/sessions/{id}/move-up", post(session::move_up))
        .route("/console/{studio}/sessions/{id}/notes", post(session::set_notes))
        .route("/console/{studio}/sessions/{id}/hold", post(session::hold))
        .route("/console/{studio}/sessions/{id}/release", post(session::release))
        .route("/console/{studio}/bookings/{id}", get(booking::show))
        .route("/console/{studio}/bookings/{id}/cancel", post(booking::cancel))
        // Members
        .route("/console/{studio}/members", get(members::show).post(members::search))
        .route("/console/{studio}/members/new", get(members::ask_new).post(members::enter))
        .route("/console/{studio}/members/{person}", get(member::show))
        .route("/console/{studio}/members/{person}/passes", post(member::sell))
        .route("/console/{studio}/members/{person}/bookings", post(member::book))
        // What it came to
        .route("/console/{studio}/monday", get(monday::show))
        .route("/console/{studio}/attendance", get(attendance::show))
        .route("/console/{studio}/attendance/sessions", get(attendance::sessions))
        .route("/console/{studio}/reports/{report}", get(files::report))
        // Letters
        .route("/console/{studio}/letters", get(letters::show))
        .route("/console/{studio}/letters/{id}/retry", post(letters::retry))
        // What a studio is made of
        .route("/console/{studio}/house-rules", get(house_rules::show).post(house_rules::save))
        .route("/console/{studio}/setup", get(setup::show))
        .route("/console/{studio}/setup/rooms", post(setup::add_room))
        .route("/console/{studio}/setup/class-types", post(setup::add_class_type))
        .route("/console/{studio}/setup/pass-types", post(setup::add_pass_type))
        .route("/console/{studio}/setup/invitations", post(setup::invite))
        .route("/console/{studio}/settings", get(settings::show).post(settings::save))
        .route("/console/{studio}/settings/penalty-free-days", post(settings::set_day))
        .route("/console/{studio}/settings/kiosks", post(settings::add_kiosk))
        .route("/console/{studio}/settings/kiosks/{id}/revocation", post(settings::revoke_kiosk))
        .route("/console/{studio}/exports/{table}", get(files::export))
        .layer(from_fn(guard))
}
