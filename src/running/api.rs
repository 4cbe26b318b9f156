//! `/healthz`, `/readyz`, `/metrics`, and the two files by which phones know the app.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::metrics;
use crate::app::App;
use crate::problem::{Answer, Problem, ProblemType, refuses};

/// How long one part of the process may take to answer a probe.
const PROBE_MAX: Duration = Duration::from_secs(2);

/// The process is there.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`, `ready`.
    status: &'static str,
}

/// Whether the process lives. Asks nothing else, so that a database which is away does not get it restarted.
#[utoipa::path(
    get, path = "/healthz", operation_id = "show_health",
    responses((status = 200, body = Health))
)]
pub async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Whether the process can answer requests now: the database is reached and its schema current, the transactor is at work, and the
/// end of the process was not asked for. Otherwise 503 with `failed`: `stopping`, `database`, `schema` or `transactor`.
#[utoipa::path(
    get, path = "/readyz", operation_id = "show_readiness",
    responses((status = 200, body = Health))
)]
pub async fn readiness(State(app): State<App>) -> Answer<Json<Health>> {
    let failed = |part: &str| Problem::new(ProblemType::Unavailable).with("failed", part).retry_after(2);
    if app.running.is_stopping() {
        return Err(failed("stopping"));
    }
    match tokio::time::timeout(PROBE_MAX, app.db.is_current()).await {
        Ok(Ok(true)) => {}
        Ok(Ok(false)) => return Err(failed("schema")),
        Ok(Err(_)) | Err(_) => return Err(failed("database")),
    }
    if !app.transactor.is_alive() {
        return Err(failed("transactor"));
    }
    Ok(Json(Health { status: "ready" }))
}

/// What is counted, for Prometheus.
#[utoipa::path(
    get, path = "/metrics", operation_id = "show_metrics",
    responses((status = 200, body = String, content_type = "text/plain"))
)]
pub async fn show_metrics(State(app): State<App>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics::render(&app.db))
}

/// Apple's app site association, from the settings: links in letters open the app.
#[utoipa::path(
    get, path = "/.well-known/apple-app-site-association", operation_id = "show_apple_app_links",
    responses((status = 200, body = Object)),
    extensions(("x-problem-types" = json!(refuses![NotFound])))
)]
pub async fn apple_app_site_association(State(app): State<App>) -> Answer<impl IntoResponse> {
    app_link_file(&app.settings.sign_in.apple_app_site_association)
}

/// Android's digital asset links, from the settings: links in letters open the app.
#[utoipa::path(
    get, path = "/.well-known/assetlinks.json", operation_id = "show_android_app_links",
    responses((status = 200, body = Object)),
    extensions(("x-problem-types" = json!(refuses![NotFound])))
)]
pub async fn assetlinks(State(app): State<App>) -> Answer<impl IntoResponse> {
    app_link_file(&app.settings.sign_in.assetlinks)
}

fn app_link_file(json: &str) -> Answer<impl IntoResponse + use<>> {
    if json.trim().is_empty() {
        return Err(Problem::new(ProblemType::NotFound));
    }
    Ok(([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=3600")], json.to_owned()))
}
