//! One's own account.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json as Column;
use utoipa::ToSchema;
use uuid::Uuid;

use super::QuietHours;
use super::store::{self, Change, Profile};
use crate::app::App;
use crate::events::{self, Event, Happened};
use crate::extract::{Body, given};
use crate::language::Language;
use crate::letters::outbox;
use crate::letters::switches::{Switches, SwitchesChange};
use crate::people::roles::Role;
use crate::problem::{Answer, Problem, ProblemType};
use crate::sign_in::Caller;
use crate::text::{Line, Name};
use crate::transactor::Command;
use crate::wrong::Wrong;

/// A role that they hold.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeldRole {
    /// In which studio.
    pub studio_id: Uuid,
    pub role: Role,
}

/// The caller's own account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MyProfile)]
pub struct Me {
    pub id: Uuid,
    pub email: Option<String>,
    /// Whether it is confirmed: booking needs it.
    pub email_verified: bool,
    pub name: String,
    pub phone: Option<String>,
    /// The language of letters, if they chose one.
    pub locale: Option<Language>,
    /// Whether places are offered to them for twice as long, if there is time for it.
    pub longer_offers: bool,
    /// When they are not to be moved in from a waitlist or offered a place, by the wall of the studio in question, besides its own.
    pub quiet_hours: Option<QuietHours>,
    /// Which letters they want, of those that may be switched off.
    pub letters: Switches,
    /// Their roles in studios.
    pub roles: Vec<HeldRole>,
    /// Whether they own the deployment.
    pub owner: bool,
    /// When the account will be deleted, if that was asked for.
    #[serde(with = "crate::instant")]
    pub deletion_due_at: Option<DateTime<Utc>>,
}

impl Me {
    fn of(profile: Profile, roles: Vec<(Uuid, Role)>) -> Self {
        Self {
            id: profile.id,
            email: profile.email,
            email_verified: profile.verified_at.is_some(),
            name: profile.name,
            phone: profile.phone,
            locale: profile.locale,
            longer_offers: profile.longer_offers,
            quiet_hours: profile.quiet_hours.map(|Column(own)| own),
            letters: profile.letters,
            roles: roles.into_iter().map(|(studio_id, role)| HeldRole { studio_id, role }).collect(),
            owner: profile.is_owner,
            deletion_due_at: profile.deletion_due_at,
        }
    }
}

/// The caller's own account.
#[utoipa::path(
    get, path = "/v1/me", operation_id = "show_me",
    responses((status = 200, body = Me))
)]
pub async fn me(State(app): State<App>, caller: Caller) -> Answer<Json<Me>> {
    let mut tx = app.db.read().await?;
    let profile = store::profile(&mut tx, caller.person_id).await?;
    let roles = store::roles_of(&mut tx, caller.person_id).await?;
    tx.rollback().await;
    let profile = profile.ok_or_else(|| Problem::new(ProblemType::TokenRefused))?;
    Ok(Json(Me::of(profile, roles)))
}

/// What changes: what is absent stays, null is cleared.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MyProfileChange)]
pub struct MeChange {
    pub name: Option<Name>,
    #[serde(default, deserialize_with = "given")]
    pub phone: Option<Option<Line<40>>>,
    /// The language of letters.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Language>)]
    pub locale: Option<Option<Language>>,
    /// Who needs more time to answer is offered places for twice as long, if there is time for it.
    pub longer_offers: Option<bool>,
    /// Within them no place is given or offered to the member by itself; they keep their position in the queue. Null: there are none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<QuietHours>)]
    pub quiet_hours: Option<Option<QuietHours>>,
    /// Which letters they want; those that are absent stay as they are.
    #[serde(default)]
    #[schema(value_type = Option<SwitchesChange>)]
    pub letters: SwitchesChange,
}

/// Changes what somebody says of themselves. What a studio wrote down of them stays as it is.
#[utoipa::path(
    patch, path = "/v1/me", operation_id = "change_me",
    request_body = MeChange,
    responses((status = 200, body = Me))
)]
pub async fn change(State(app): State<App>, caller: Caller, Body(body): Body<MeChange>) -> Answer<Json<Me>> {
    if let Some(Some(own)) = body.quiet_hours
        && own.from == own.until
    {
        return Err(Problem::field("quiet_hours.until", Wrong::SameAsFrom));
    }
    let quiet_hours_change = body.quiet_hours.is_some();
    let (now, actor, person_id) = (app.clock.now(), caller.actor(), caller.person_id);
    let change = Change {
        name: body.name,
        phone: body.phone.map(|phone| phone.map(Line::into_string)),
        locale: body.locale,
        longer_offers: body.longer_offers,
        quiet_hours: body.quiet_hours,
        letters: body.letters,
    };
    let me = app
        .db
        .write("change_me", move |tx| {
            Box::pin(async move {
                store::change(tx, person_id, change).await?;
                outbox::unwanted(tx, person_id, body.letters.turned_off()).await?;
                events::log::write(tx, now, vec![actor.did(Event::of_person(person_id, Happened::PersonChanged))]).await?;
                let profile = store::profile(tx, person_id).await?.ok_or_else(|| Problem::new(ProblemType::TokenRefused))?;
                Ok::<_, Problem>(Me::of(profile, store::roles_of(tx, person_id).await?))
            })
        })
        .await?;
    app.identities.forget_person(person_id);
    if quiet_hours_change {
        // For whom it is quiet no more is served now; if that cannot be, with the next sweep.
        let _ = app.transactor.submit(caller.actor(), Command::RefillFor { person_id }).await;
    }
    Ok(Json(me))
}
