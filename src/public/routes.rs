//! The table of contents of the public pages. Like the console's they are for people and their browsers and stand in no document of the
//! API; the exception is the page behind a letter's link, whose address apps open: it stands in `crate::routes`.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};

use super::{account, booking, class, frame, installed, invitation, me, schedule, sign_in};
use crate::app::App;
use crate::console::guard::pass;

/// The public pages.
pub fn routes() -> Router<App> {
    Router::new()
        // A studio, for anybody
        .route("/s/{studio}", get(schedule::show))
        .route("/s/{studio}/embed", get(schedule::embed))
        .route("/s/{studio}/classes/{session}", get(class::show).post(class::book))
        .route("/s/embed.js", get(installed::embed_script))
        // Coming in
        .route("/me/sign-in", get(sign_in::show).post(sign_in::submit))
        .route("/me/sign-up", get(account::ask).post(account::register))
        .route("/me/sign-up/code", post(account::verify))
        .route("/me/forgotten", get(account::ask_forgotten).post(account::send_code))
        .route("/me/forgotten/password", post(account::set_password))
        .route("/me/invitation", get(invitation::show).post(invitation::accept))
        .route("/me/sign-out", post(sign_in::sign_out))
        // A member's own
        .route("/me", get(me::bookings))
        .route("/me/pocket", get(me::pocket))
        .route("/me/passes", get(me::passes))
        .route("/me/letters", get(me::letters))
        .route("/b/{booking_id}/cancellation", post(booking::cancel))
        .route("/b/{booking_id}/acceptance", post(booking::accept))
        // Installed on a phone
        .route("/me/app.webmanifest", get(installed::manifest))
        .route("/me/worker.js", get(installed::worker))
        .route("/me/icons/{name}", get(installed::icon))
        .layer(from_fn(guard))
}

/// What every request to these pages passes through.
pub async fn guard(request: Request, next: Next) -> Response {
    pass(request, next, "/me", frame::notice).await
}
