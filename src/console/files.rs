//! Files that an admin takes along from the pages: reports and all that the studio owns, as CSV, by the very calls of the API. A browser
//! shows its ticket here, which opens nothing of the API itself.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use uuid::Uuid;

use super::staff::Staff;
use crate::app::App;
use crate::extract::{Path, Query, query};
use crate::problem::Answer;
use crate::reports::{attendance, demand, monday};
use crate::studios;
use crate::studios::guard::require_admin;
use crate::studios::store::exported::Table;

/// The reports that have a page here.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "as in their addresses")]
pub enum Report {
    Attendance,
    Demand,
    Monday,
}

/// A report, asked for as of the API: for the studio's admins.
pub async fn report(
    State(app): State<App>,
    staff: Staff,
    Path((studio_id, report)): Path<(Uuid, Report)>,
    RawQuery(asked): RawQuery,
    headers: HeaderMap,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let (app, caller, studio, asked) = (State(app), staff.caller, Path(studio_id), asked.unwrap_or_default());
    match report {
        Report::Attendance => attendance::attendance(app, caller, studio, Query(query(&asked)?), headers).await,
        Report::Demand => demand::demand(app, caller, studio, Query(query(&asked)?), headers).await,
        Report::Monday => monday::monday(app, caller, studio, Query(query(&asked)?), headers).await,
    }
}

/// All of one kind that the studio owns: for its admins.
pub async fn export(State(app): State<App>, staff: Staff, Path((studio_id, table)): Path<(Uuid, Table)>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    studios::export::export(State(app), staff.caller, Path((studio_id, table))).await.map(IntoResponse::into_response)
}
