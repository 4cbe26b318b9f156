//! Families over HTTP: for whom the caller acts, who acts for them, and how a link begins and ends.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{FamilyKind, Link, store};
use crate::app::App;
use crate::db::Tx;
use crate::events::{self, Event, Happened, Subject};
use crate::extract::{Body, Path};
use crate::ids::new_id;
use crate::people::store::{Joining, NewPerson, insert, join, lock};
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::sign_in::Caller;
use crate::sign_in::limits::Limit;
use crate::text::{Email, Name};
use crate::transactor::Command;
use crate::wrong::Wrong;

/// The most links that one person holds.
const LINKS_MAX: i64 = 10;

/// The most of those who ask that are shown.
const ASKING_MAX: i64 = 20;

/// How long an address that was asked may answer.
pub const ASKED_FOR: TimeDelta = TimeDelta::days(30);

/// The caller's family.
#[derive(Debug, Serialize, ToSchema)]
pub struct Family {
    /// For whom the caller books and cancels; without `confirmed_at` not yet. At most 10.
    acts_for: Vec<Link>,
    /// Who books and cancels for the caller.
    acted_for_by: Vec<Link>,
    /// Who would, and waits for the caller to confirm it: the newest 20 of the last 30 days.
    asking: Vec<Link>,
}

/// For whom the caller acts, and who acts for the caller.
#[utoipa::path(
    get, path = "/v1/me/family", operation_id = "show_family",
    responses((status = 200, body = Family))
)]
pub async fn show(State(app): State<App>, caller: Caller) -> Answer<Json<Family>> {
    let (me, since) = (caller.person_id, app.clock.now() - ASKED_FOR);
    let (acts_for, acted_for_by) = (store::held(&app.db, me).await?, store::holders(&app.db, me).await?);
    Ok(Json(Family { acts_for, acted_for_by, asking: store::asking(&app.db, me, since, ASKING_MAX).await? }))
}

/// For whom the caller would act: somebody with an account, by the address, or somebody without one whom they answer for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FamilyBody {
    /// What the other is to the caller.
    kind: FamilyKind,
    /// Who has an account: whoever reads this address confirms it.
    #[serde(default)]
    email: Option<Email>,
    /// Who has none: their name. They are a member of the studio from now on.
    #[serde(default)]
    name: Option<Name>,
    /// With `name`: a studio of which the caller is a member.
    #[serde(default)]
    studio_id: Option<Uuid>,
}

/// Asks to act for somebody. Nobody learns from the answer whether the address has an account; asked again, it answers the same.
#[utoipa::path(
    post, path = "/v1/me/family", operation_id = "add_to_family",
    request_body = FamilyBody,
    responses((status = 201, body = Link), (status = 200, description = "Asked already", body = Link)),
    extensions(("x-problem-types" = json!(refuses![AddressNotVerified, TooManyFamilyLinks, TooManyRequests])))
)]
pub async fn add(State(app): State<App>, caller: Caller, Body(body): Body<FamilyBody>) -> Answer<(StatusCode, Json<Link>)> {
    caller.require_verified()?;
    match (&body.email, &body.name, body.studio_id) {
        (Some(_), None, None) | (None, Some(_), Some(_)) => {}
        (Some(_), Some(_), _) => return Err(Problem::field("name", Wrong::EmailOrName)),
        (None, None, _) => return Err(Problem::field("email", Wrong::EmailOrName)),
        (Some(_), None, Some(_)) | (None, Some(_), None) => return Err(Problem::field("studio_id", Wrong::StudioWithName)),
    }
    app.limits.take(Limit::FamilyAsked, caller.person_id)?;
    let now = app.clock.now();
    let (made, link) = app.db.write("families.add", move |tx| Box::pin(async move { added(tx, now, &caller, body).await })).await?;
    Ok((if made { StatusCode::CREATED } else { StatusCode::OK }, Json(link)))
}

async fn added(tx: &mut Tx, now: DateTime<Utc>, caller: &Caller, body: FamilyBody) -> Answer<(bool, Link)> {
    let (holder, id) = (caller.person_id, new_id(now));
    if !lock(tx, holder).await? {
        return Err(Problem::new(ProblemType::TokenRefused));
    }
    let email_key = body.email.as_ref().map(Email::key);
    if let Some(key) = &email_key
        && let Some((known,)) = store::asked(tx, holder, key).await?
    {
        return Ok((false, store::one(tx, known, holder).await?.ok_or_else(nothing)?));
    }
    if store::count(tx, holder).await? >= LINKS_MAX {
        return Err(Problem::new(ProblemType::TooManyFamilyLinks).with("max", LINKS_MAX));
    }
    let mut told = vec![caller.actor().did(Event::of_person(holder, Happened::FamilyAsked { link: id }))];
    if let (Some(email), Some(key)) = (&body.email, email_key) {
        store::ask(tx, id, holder, body.kind, (email.as_str(), key), now).await?;
    } else if let (Some(name), Some(studio_id)) = (body.name, body.studio_id) {
        if !store::is_member(tx, studio_id, holder).await? {
            return Err(Problem::field("studio_id", Wrong::NotYourStudio));
        }
        let person_id = new_id(now);
        let person = NewPerson { id: person_id, name: &name, email: None, shares_address: false, locale: None, verified_at: None };
        insert(tx, now, person).await?;
        join(tx, now, Joining { studio_id, person_id, name: name.into_string(), phone: None, by_self: false }).await?;
        store::answer_for(tx, id, holder, body.kind, person_id, now).await?;
        told.push(caller.actor().did(Event::in_studio(studio_id, Subject::Person, person_id, Happened::MemberEntered)));
    }
    events::log::write(tx, now, told).await?;
    Ok((true, store::one(tx, id, holder).await?.ok_or_else(nothing)?))
}

/// Lets somebody book and cancel for the caller, whose confirmed address they asked. Repeated, it answers the same.
#[utoipa::path(
    put, path = "/v1/me/family/{id}/confirmation", operation_id = "confirm_family",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Link)),
    extensions(("x-problem-types" = json!(refuses![AddressNotVerified])))
)]
pub async fn confirm(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Answer<Json<Link>> {
    caller.require_verified()?;
    let (now, me, actor) = (app.clock.now(), caller.person_id, caller.actor());
    let link = app.db.write("families.confirm", move |tx| {
        Box::pin(async move {
            if store::confirm(tx, id, me, now - ASKED_FOR, now).await? {
                events::log::write(tx, now, vec![actor.did(Event::of_person(me, Happened::FamilyConfirmed { link: id }))]).await?;
            }
            store::confirmed(tx, id, me).await?.ok_or_else(nothing)
        })
    });
    let link = link.await?;
    // A pass that one of the two shares may now pay for what the other waits for.
    for person_id in [Some(me), link.person_id].into_iter().flatten() {
        app.transactor.submit_sweep(Command::RefillFor { person_id }).await?;
    }
    Ok(Json(link))
}

/// What who acts gets of the letters.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FamilyLettersBody {
    /// Whether the caller also gets the letters about what they booked for the other. A change of class, a reminder, a cancellation: each
    /// comes to both.
    copies: bool,
}

/// Says whether the caller, who acts by this link, also gets the letters about what they booked for the other. Repeated, it answers the same.
#[utoipa::path(
    put, path = "/v1/me/family/{id}/letters", operation_id = "set_family_letters",
    params(("id" = Uuid, Path)), request_body = FamilyLettersBody,
    responses((status = 200, body = Link))
)]
pub async fn set_letters(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Body(body): Body<FamilyLettersBody>,
) -> Answer<Json<Link>> {
    let (now, me, actor, copies) = (app.clock.now(), caller.person_id, caller.actor(), body.copies);
    let link = app.db.write("families.set_letters", move |tx| {
        Box::pin(async move {
            if !store::set_copies(tx, id, me, copies).await? {
                return Err(nothing());
            }
            let what = Happened::FamilyLettersSet { link: id, copies };
            events::log::write(tx, now, vec![actor.did(Event::of_person(me, what))]).await?;
            store::one(tx, id, me).await?.ok_or_else(nothing)
        })
    });
    Ok(Json(link.await?))
}

/// Ends a link, by either of the two or by who is asked: the right ends at once, what was booked stays.
#[utoipa::path(
    delete, path = "/v1/me/family/{id}", operation_id = "end_family",
    params(("id" = Uuid, Path)),
    responses((status = 204, description = "It gives no right any more"))
)]
pub async fn end(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Answer<StatusCode> {
    let (now, me, actor) = (app.clock.now(), caller.person_id, caller.actor());
    let ended = app.db.write("families.end", move |tx| {
        Box::pin(async move {
            if !store::end(tx, id, me).await? {
                return Err(nothing());
            }
            events::log::write(tx, now, vec![actor.did(Event::of_person(me, Happened::FamilyEnded { link: id }))]).await?;
            Ok(())
        })
    });
    ended.await?;
    Ok(StatusCode::NO_CONTENT)
}

fn nothing() -> Problem {
    Problem::new(ProblemType::NotFound)
}
