//! The table of contents: every URL, grouped in plain words.

use axum::Router;

use crate::app::App;

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
}
