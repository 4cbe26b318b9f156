//! Security events over HTTP: a person's own, a studio's for its admins, all of them for an owner.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::store::{self, Event};
use super::upkeep::write_down;
use super::{Kind, shown};
use crate::app::App;
use crate::extract::{Limit, Paging, Path, Query, page};
use crate::problem::{Answer, refuses};
use crate::sign_in::Caller;
use crate::studios::guard::require_admin;

/// Something that happened at the door.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecurityEvent {
    pub id: Uuid,
    pub kind: Kind,
    /// When; of several, the first.
    #[serde(with = "crate::instant")]
    pub at: DateTime<Utc>,
    /// The last of them.
    #[serde(with = "crate::instant")]
    pub last_at: DateTime<Utc>,
    /// How many: what was refused, or asked for by somebody who is not signed in, is counted together for an hour.
    pub count: i64,
    /// Whose account it is about; null: nobody's who is known.
    pub person_id: Option<Uuid>,
    /// Who did it, if not that person.
    pub by: Option<Uuid>,
    /// In which studio.
    pub studio_id: Option<Uuid>,
    /// On which device.
    pub device_id: Option<Uuid>,
    /// A keyed hash of the network it came from (IPv4 /24, IPv6 /48): the same for the same network. Null: it is not known, or there were many.
    pub network: Option<String>,
    /// A keyed hash of an address that has no account.
    pub address: Option<String>,
    /// The request, as it is called in the log; of several, the first.
    pub request_id: Option<String>,
}

impl SecurityEvent {
    /// As it is told.
    pub fn of(event: Event) -> Self {
        Self {
            id: event.id,
            kind: event.kind,
            at: event.at,
            last_at: event.last_at,
            count: event.count,
            person_id: event.person_id,
            by: event.by_id,
            studio_id: event.studio_id,
            device_id: event.device_id,
            network: event.network.as_deref().map(shown),
            address: event.address.as_deref().map(shown),
            request_id: event.request_id,
        }
    }
}

/// What happened at the door, of the last 90 days.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecurityEvents {
    /// The newest first.
    pub events: Vec<SecurityEvent>,
    /// Where the next page begins; null: this was the last.
    pub next: Option<String>,
}

impl SecurityEvents {
    fn of(events: Vec<Event>, limit: Limit) -> Json<Self> {
        let (events, next) = page(events, limit, |event| event.id);
        Json(Self { events: events.into_iter().map(SecurityEvent::of).collect(), next })
    }
}

/// What happened to the caller's account in the last 90 days: sign-ins accepted and refused, codes, changes of password, address and roles.
#[utoipa::path(
    get, path = "/v1/me/security-events", operation_id = "list_my_security_events",
    params(Paging),
    responses((status = 200, body = SecurityEvents))
)]
pub async fn own(State(app): State<App>, caller: Caller, Query(paging): Query<Paging>) -> Answer<Json<SecurityEvents>> {
    let (limit, after) = paging.read();
    // What this process noticed a moment ago is shown too.
    write_down(&app).await?;
    Ok(SecurityEvents::of(store::of_person(&app.db, caller.person_id, after, limit.0 + 1).await?, limit))
}

/// What happened in a studio in the last 90 days: roles, invitations, refused rights; and sign-ins, codes and new passwords of whoever works
/// there now.
#[utoipa::path(
    get, path = "/v1/studios/{id}/security-events", operation_id = "list_studio_security_events",
    params(("id" = Uuid, Path), Paging),
    responses((status = 200, body = SecurityEvents)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn of_studio(
    State(app): State<App>,
    caller: Caller,
    Path(studio_id): Path<Uuid>,
    Query(paging): Query<Paging>,
) -> Answer<Json<SecurityEvents>> {
    require_admin(&app, &caller, studio_id).await?;
    let (limit, after) = paging.read();
    write_down(&app).await?;
    Ok(SecurityEvents::of(store::of_studio(&app.db, studio_id, after, limit.0 + 1).await?, limit))
}

/// What happened in the whole deployment in the last 90 days. For its owners.
#[utoipa::path(
    get, path = "/v1/security-events", operation_id = "list_security_events",
    params(Paging),
    responses((status = 200, body = SecurityEvents)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn all(State(app): State<App>, caller: Caller, Query(paging): Query<Paging>) -> Answer<Json<SecurityEvents>> {
    caller.require_owner()?;
    let (limit, after) = paging.read();
    write_down(&app).await?;
    Ok(SecurityEvents::of(store::all(&app.db, after, limit.0 + 1).await?, limit))
}
