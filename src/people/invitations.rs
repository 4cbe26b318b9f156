//! Inviting somebody to a studio's staff, by mail; the invitations that are open, and taking one back. Accepting is in `sign_in::acceptance`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json as Column;
use std::collections::BTreeSet;
use utoipa::ToSchema;
use uuid::Uuid;

use super::staff::must_still_admin;
use super::store;
use crate::app::App;
use crate::db::Tx;
use crate::events::{self, Event, Happened, Subject};
use crate::extract::{Body, Path};
use crate::ids::new_id;
use crate::language::Language;
use crate::letters::facts::{Facts, InvitedRole};
use crate::letters::outbox::{self, Letter};
use crate::people::roles::Role;
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::sign_in::buckets::Asker;
use crate::sign_in::code_gate::{self, Pass, Wish};
use crate::sign_in::keys::Sealed;
use crate::sign_in::rules::INVITATION_LIFE;
use crate::sign_in::{self, Caller, secrets};
use crate::studios::guard::require_admin;
use crate::text::Email;
use crate::wrong::Wrong;

/// The most invitations that are listed.
const LISTED_MAX: i64 = 500;

/// Whom to invite.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationRequest {
    pub email: Email,
    /// The roles that they will hold, one at least. One that is named twice is held once.
    #[schema(value_type = Vec<Role>, min_items = 1)]
    pub roles: BTreeSet<Role>,
}

/// An invitation on its way.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invitation)]
pub struct Invited {
    pub id: Uuid,
    pub email: String,
    /// The roles that they will hold.
    pub roles: Vec<Role>,
    /// Until when it can be accepted.
    #[serde(with = "crate::instant")]
    pub expires_at: DateTime<Utc>,
}

/// Who invited.
#[derive(Debug, Serialize, ToSchema)]
pub struct Inviter {
    pub person_id: Uuid,
    pub name: String,
}

/// An invitation that can still be accepted.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpenInvitation {
    pub id: Uuid,
    /// To whom.
    pub email: String,
    /// The roles that they will hold.
    pub roles: Vec<Role>,
    /// Who invited them: without the right to give these roles any more, the invitation is void.
    pub invited_by: Inviter,
    #[serde(with = "crate::instant")]
    pub invited_at: DateTime<Utc>,
    /// Until when it can be accepted.
    #[serde(with = "crate::instant")]
    pub expires_at: DateTime<Utc>,
}

/// The invitations of a studio that can still be accepted.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpenInvitations {
    /// The newest first, 500 at most.
    pub invitations: Vec<OpenInvitation>,
}

/// The studio's invitations that can still be accepted, the newest first.
#[utoipa::path(
    get, path = "/v1/studios/{id}/invitations", operation_id = "list_invitations",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = OpenInvitations)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn list(State(app): State<App>, caller: Caller, Path(studio_id): Path<Uuid>) -> Answer<Json<OpenInvitations>> {
    require_admin(&app, &caller, studio_id).await?;
    let mut tx = app.db.read().await?;
    let rows = sign_in::store::open_invitations(&mut tx, app.clock.now(), studio_id, LISTED_MAX).await?;
    tx.rollback().await;
    let one = |row: sign_in::store::OpenInvitation| OpenInvitation {
        id: row.id,
        email: row.email,
        roles: row.roles.0,
        invited_by: Inviter { person_id: row.invited_by, name: row.invited_by_name },
        invited_at: row.created_at,
        expires_at: row.expires_at,
    };
    Ok(Json(OpenInvitations { invitations: rows.into_iter().map(one).collect() }))
}

/// Takes an invitation back: its code no longer counts.
#[utoipa::path(
    delete, path = "/v1/studios/{id}/invitations/{invitation_id}", operation_id = "withdraw_invitation",
    params(("id" = Uuid, Path), ("invitation_id" = Uuid, Path)),
    responses((status = 204, description = "Withdrawn")),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn withdraw(State(app): State<App>, caller: Caller, Path((studio_id, id)): Path<(Uuid, Uuid)>) -> Answer<StatusCode> {
    require_admin(&app, &caller, studio_id).await?;
    let now = app.clock.now();
    app.db
        .write("withdraw_invitation", move |tx| {
            Box::pin(async move {
                must_still_admin(tx, &caller, studio_id).await?;
                if !sign_in::store::withdraw_invitation(tx, now, studio_id, id).await? {
                    return Err(Problem::new(ProblemType::NotFound));
                }
                outbox::overtake(tx, vec![outbox::invitation_key(id)]).await?;
                let event = Event::in_studio(studio_id, Subject::Invitation, id, Happened::InvitationWithdrawn);
                events::log::write(tx, now, vec![caller.actor().did(event)]).await?;
                Ok(())
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Invites somebody to the studio's staff. Admins are invited by an owner. A second invitation to the same address ends the first. When it is
/// accepted, whoever sent it must still have the right to give these roles.
#[utoipa::path(
    post, path = "/v1/studios/{id}/invitations", operation_id = "invite_staff",
    params(("id" = Uuid, Path)), request_body = InvitationRequest,
    responses((status = 201, body = Invited)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, TooManyRequests])))
)]
pub async fn post(
    State(app): State<App>,
    caller: Caller,
    Path(studio_id): Path<Uuid>,
    Body(body): Body<InvitationRequest>,
) -> Answer<(StatusCode, Json<Invited>)> {
    require_admin(&app, &caller, studio_id).await?;
    if body.roles.is_empty() {
        return Err(Problem::field("roles", Wrong::NoRole));
    }
    let now = app.clock.now();
    let pass = code_gate::ask(&app, Asker::Person(caller.person_id), Wish::Invitation, &body.email.key()).await?;
    let code = secrets::long_code()?;
    let (hash, sealed) = (secrets::hash(secrets::plain_code(&code).as_bytes()), app.keys.seal(new_id(now), &code)?);
    let invited = Invited {
        id: new_id(now),
        email: body.email.as_str().to_owned(),
        roles: body.roles.iter().copied().collect(),
        expires_at: now + INVITATION_LIFE,
    };
    let id = invited.id;
    app.db
        .write("invite_staff", move |tx| {
            Box::pin(async move { invite(tx, now, &caller, studio_id, id, &body, &pass, &hash, sealed).await })
        })
        .await?;
    app.letters_written.notify_one();
    Ok((StatusCode::CREATED, Json(invited)))
}

#[allow(clippy::too_many_arguments, reason = "what the transaction needs")]
async fn invite(
    tx: &mut Tx,
    now: DateTime<Utc>,
    caller: &Caller,
    studio_id: Uuid,
    id: Uuid,
    body: &InvitationRequest,
    pass: &Pass,
    code_hash: &[u8],
    sealed: Sealed,
) -> Answer<()> {
    let Some((studio, studios_locale)) = store::studio(tx, studio_id).await? else { return Err(Problem::new(ProblemType::NotFound)) };
    let owner = must_still_admin(tx, caller, studio_id).await?;
    if body.roles.contains(&Role::Admin) && !owner {
        return Err(Problem::new(ProblemType::NotAllowed));
    }
    let email_key = body.email.key();
    store::lock_address(tx, &email_key).await?;
    pass.count(tx, now).await?;
    let known = store::known_by(tx, &email_key).await?;
    let invitation = sign_in::store::Invitation {
        id,
        studio_id,
        email: body.email.as_str().to_owned(),
        email_key,
        roles: Column(body.roles.iter().copied().collect()),
        invited_by: caller.person_id,
        expires_at: now + INVITATION_LIFE,
        accepted_at: None,
        accepted_by: None,
    };
    let ended = sign_in::store::insert_invitation(tx, now, &invitation, code_hash).await?;
    outbox::overtake(tx, ended.into_iter().map(outbox::invitation_key).collect()).await?;
    let invited_by = store::profile(tx, caller.person_id).await?.map(|profile| profile.name).unwrap_or_default();
    let roles = body.roles.iter().map(|role| invited_role(*role)).collect();
    let locale = known.as_ref().and_then(|known| known.locale).or(studios_locale).or(caller.language).unwrap_or(Language::En);
    let letter = Letter {
        person_id: known.map(|known| known.id),
        locale,
        studio_id: Some(studio_id),
        booking_id: None,
        session_id: None,
        nth: 0,
        facts: Facts::Invitation { studio, roles, invited_by },
        sequence: None,
        sealed_code: Some(sealed),
        to_email: Some(invitation.email),
        dedupe_key: Some(outbox::invitation_key(id)),
        useful_until: Some(now + INVITATION_LIFE),
    };
    outbox::write(tx, now, vec![letter]).await?;
    let what = Happened::StaffInvited { roles: body.roles.iter().copied().collect() };
    let entry = caller.actor().did(Event::in_studio(studio_id, Subject::Invitation, id, what));
    events::log::write(tx, now, vec![entry]).await?;
    Ok(())
}

const fn invited_role(role: Role) -> InvitedRole {
    match role {
        Role::Instructor => InvitedRole::Instructor,
        Role::FrontDesk => InvitedRole::FrontDesk,
        Role::Admin => InvitedRole::Admin,
    }
}
