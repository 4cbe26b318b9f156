//! The table of contents: every URL, grouped in plain words.

use axum::Router;
use axum::routing::get;
use utoipa_swagger_ui::SwaggerUi;

use crate::app::App;
use crate::{demo, running};

/// Every URL of Relevé.
pub fn routes() -> Router<App> {
    Router::new()
        // Signing in
        // A person's own
        // Running a studio
        // The schedule
        // Booking
        // Letters
        // Running it
        .route("/healthz", get(running::api::health))
        .route("/readyz", get(running::api::readiness))
        .route("/metrics", get(running::api::counts))
        .route("/openapi.json", get(running::api::openapi_document))
        .merge(SwaggerUi::new("/docs").config(utoipa_swagger_ui::Config::from("/openapi.json")))
        // A demo's letters, for lack of a mailbox
        .route("/dev/letters", get(demo::pages::letters))
        // The page behind a letter's link, and the files by which phones open the app instead
        .route("/b/{booking_id}", get(running::pages::booking_link))
        .route("/.well-known/apple-app-site-association", get(running::api::apple_app_site_association))
        .route("/.well-known/assetlinks.json", get(running::api::assetlinks))
}
