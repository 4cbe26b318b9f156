//! The table of contents of the console: every page and every form, in plain words. They are for people and their browsers and stand in no
//! document of the API, which apps are written against and which may change only by growing.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::routing::{get, post};

use super::guard::guard;
use super::{
    account, assets, attendance, availability, booking, class_type, closing_days, copying, demo_links, erasure, files, home, house_rules,
    imports, kiosk, letter_previews, letters, live, member, members, merging, monday, new_studio, pass, pass_transfer, pass_types,
    publication, room, schedule, series, session, session_form, settings, setup, sign_in, substitutes, team, today, trail, walk_in,
};
use crate::app::App;
use crate::import::BYTES_MAX;

/// What a form has besides its file.
const FORM_BYTES: usize = 64 << 10;

/// The console.
pub fn routes() -> Router<App> {
    Router::new()
        // Coming in
        .route("/console", get(home::show))
        .route("/console/new-studio", get(new_studio::ask).post(new_studio::open))
        .route("/console/sign-in", get(sign_in::show).post(sign_in::submit))
        .route("/console/sign-in/second-factor", post(sign_in::submit_factor))
        .route("/console/sign-out", post(sign_in::sign_out))
        .route("/demo/{who}/{secret}", get(demo_links::open))
        .route("/console/language", post(home::set_language))
        .route("/console/files/{hash}/{name}", get(assets::file))
        // One's own account
        .route("/console/account", get(account::show))
        .route("/console/account/second-factors", post(account::begin))
        .route("/console/account/passkeys", post(account::begin_passkey))
        .route("/console/account/passkeys/question", post(account::question))
        .route("/console/account/second-factors/confirmation", post(account::confirm))
        .route("/console/account/second-factors/{id}/removal", post(account::remove))
        .route("/console/account/recovery-codes", post(account::renew_codes))
        .route("/console/account/devices/{id}/end", post(account::end_device))
        // The door
        .route("/console/kiosk", get(kiosk::door))
        .route("/console/kiosk-worker.js", get(kiosk::worker))
        .route("/console/{studio}/kiosk", get(kiosk::show).post(kiosk::make))
        .route("/console/{studio}/kiosk/removal", post(kiosk::remove))
        // The day and the week
        .route("/console/{studio}", get(home::studio))
        .route("/console/{studio}/today", get(today::show))
        .route("/console/{studio}/changes", get(live::changes))
        .route("/console/{studio}/live", get(live::stream))
        .route("/console/{studio}/schedule", get(schedule::show))
        .route("/console/{studio}/schedule/publication", get(publication::ask).post(publication::publish))
        .route("/console/{studio}/schedule/copy", get(copying::ask).post(copying::submit))
        .route("/console/{studio}/closing-days", get(closing_days::show).post(closing_days::close))
        .route("/console/{studio}/closing-days/{date}/opening", post(closing_days::open))
        .route("/console/{studio}/substitutes", get(substitutes::show).post(substitutes::ask_days))
        .route("/console/{studio}/substitutes/{id}", post(substitutes::act))
        .route("/console/{studio}/availability", get(availability::show).post(availability::save))
        // Series
        .route("/console/{studio}/series", get(series::list))
        .route("/console/{studio}/series/new", get(series::ask_new).post(series::make))
        .route("/console/{studio}/series/{id}", get(series::show))
        .route("/console/{studio}/series/{id}/publication", get(series::ask_publication).post(series::publish))
        // A session
        .route("/console/{studio}/sessions/new", get(session_form::ask_new).post(session_form::make))
        .route("/console/{studio}/sessions/{id}", get(session::show))
        .route("/console/{studio}/sessions/{id}/edit", get(session_form::ask_edit).post(session_form::edit))
        .route("/console/{studio}/sessions/{id}/cancel", get(session::ask_cancel).post(session::cancel))
        .route("/console/{studio}/sessions/{id}/substitute", get(substitutes::ask_one).post(substitutes::submit_one))
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
        .route("/console/{studio}/members/{person}/particulars", post(member::change))
        .route("/console/{studio}/members/{person}/passes", post(member::sell))
        .route("/console/{studio}/members/{person}/bookings", post(member::book))
        .route("/console/{studio}/members/{person}/penalties/{penalty}/waiver", post(member::waive))
        .route("/console/{studio}/members/{person}/penalties/{penalty}/payment", post(member::pay))
        .route("/console/{studio}/members/{person}/merge", get(merging::ask).post(merging::merge))
        .route("/console/{studio}/members/{person}/erasure", get(erasure::ask).post(erasure::erase))
        // A pass
        .route("/console/{studio}/passes/{id}", get(pass::show))
        .route("/console/{studio}/passes/{id}/gift", post(pass::give))
        .route("/console/{studio}/passes/{id}/extension", post(pass::extend))
        .route("/console/{studio}/passes/{id}/freeze", post(pass::freeze))
        .route("/console/{studio}/passes/{id}/unfreeze", post(pass::unfreeze))
        .route("/console/{studio}/passes/{id}/refund", post(pass::refund))
        .route("/console/{studio}/passes/{id}/transfer", get(pass_transfer::ask).post(pass_transfer::transfer))
        // What it came to
        .route("/console/{studio}/monday", get(monday::show))
        .route("/console/{studio}/attendance", get(attendance::show))
        .route("/console/{studio}/attendance/sessions", get(attendance::sessions))
        .route("/console/{studio}/reports/{report}", get(files::report))
        .route("/console/{studio}/trail", get(trail::show))
        .route("/console/{studio}/trail/file", get(trail::file))
        // Letters
        .route("/console/{studio}/letters", get(letters::show))
        .route("/console/{studio}/letters/preview", get(letter_previews::show))
        .route("/console/{studio}/letters/preview/letter", get(letter_previews::letter))
        .route("/console/{studio}/letters/{id}/retry", post(letters::retry))
        // The team
        .route("/console/{studio}/team", get(team::show))
        .route("/console/{studio}/team/invitations", post(team::invite))
        .route("/console/{studio}/team/invitations/{id}/withdrawal", post(team::withdraw))
        .route("/console/{studio}/team/{person}", get(team::one))
        .route("/console/{studio}/team/{person}/roles", post(team::set_roles))
        .route("/console/{studio}/team/{person}/devices/{device}/end", post(team::end_device))
        .route("/console/{studio}/team/{person}/second-factors/removal", post(team::reset_factors))
        // What is sold
        .route("/console/{studio}/pass-types", get(pass_types::show))
        .route("/console/{studio}/pass-types/new", get(pass_types::ask_new).post(pass_types::make))
        .route("/console/{studio}/pass-types/{id}", get(pass_types::ask_edit).post(pass_types::edit))
        // From another program
        .route("/console/{studio}/imports", get(imports::show).post(imports::send).layer(DefaultBodyLimit::max(BYTES_MAX + FORM_BYTES)))
        .route("/console/{studio}/imports/file", get(imports::look).post(imports::set_how))
        .route("/console/{studio}/imports/file/wrong", get(imports::wrong_lines))
        .route("/console/{studio}/imports/file/run", post(imports::run))
        .route("/console/{studio}/imports/file/removal", post(imports::remove))
        .route("/console/{studio}/imports/{id}", get(imports::one))
        .route("/console/{studio}/imports/{id}/skipped", get(imports::skipped))
        .route("/console/{studio}/imports/{id}/invitations", post(imports::invite))
        // What a studio is made of
        .route("/console/{studio}/house-rules", get(house_rules::show).post(house_rules::save))
        .route("/console/{studio}/setup", get(setup::show))
        .route("/console/{studio}/rooms/{id}", get(room::ask).post(room::edit))
        .route("/console/{studio}/class-types/{id}", get(class_type::ask).post(class_type::edit))
        .route("/console/{studio}/setup/rooms", post(setup::add_room))
        .route("/console/{studio}/setup/class-types", post(setup::add_class_type))
        .route("/console/{studio}/setup/pass-types", post(setup::add_pass_type))
        .route("/console/{studio}/setup/invitations", post(setup::invite))
        .route("/console/{studio}/setup/teaching", post(setup::teach))
        .route("/console/{studio}/settings", get(settings::show).post(settings::save))
        .route("/console/{studio}/settings/penalty-free-days", post(settings::set_day))
        .route("/console/{studio}/exports/{table}", get(files::export))
        .layer(from_fn(guard))
}
