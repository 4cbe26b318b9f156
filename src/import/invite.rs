//! Inviting those who came over, in one act and at a pace: their letters are written at once, and each is due at its own time.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Import, Kind, api, store};
use crate::app::App;
use crate::db::Tx;
use crate::events::{self, Actor, Event, Happened, Subject};
use crate::extract::{Body, Path, Within};
use crate::language::Language;
use crate::letters::facts::Facts;
use crate::letters::outbox::{self, Letter, import_key};
use crate::people;
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::sign_in::Caller;
use crate::studios::guard::require_admin;

/// At which pace.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ImportInvitationRequest)]
pub struct Pace {
    /// So many letters an hour, evenly: a mail server that suddenly sees thousands takes them for spam.
    per_hour: Within<1, 10_000>,
}

/// Who is invited.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportInvitations)]
pub struct Invited {
    /// How many members. Who has no address of their own, who came by themselves meanwhile and who was a member before are not.
    invited: usize,
    per_hour: i64,
    /// When the last of the letters is due.
    #[serde(with = "crate::instant")]
    last_at: Option<DateTime<Utc>>,
}

/// Invites the members whom an import made: each gets the letter that members get whom a front desk enters. Once: repeated, nobody gets
/// another one. Admins.
#[utoipa::path(
    put, path = "/v1/studios/{id}/imports/{import_id}/invitations", operation_id = "invite_imported",
    params(("id" = Uuid, Path), ("import_id" = Uuid, Path)), request_body = Pace,
    responses((status = 200, body = Invited)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, NotInvitable])))
)]
pub async fn put(
    State(app): State<App>,
    caller: Caller,
    Path((studio_id, id)): Path<(Uuid, Uuid)>,
    Body(Pace { per_hour }): Body<Pace>,
) -> Answer<Json<Invited>> {
    require_admin(&app, &caller, studio_id).await?;
    let import = api::done(&app, studio_id, id).await?;
    if import.kind != Kind::Members {
        return Err(Problem::new(ProblemType::NotInvitable));
    }
    let (now, actor) = (app.clock.now(), caller.actor());
    let invited = app.db.write("invite_imported", move |tx| Box::pin(async move { invited(tx, &import, per_hour.0, &actor, now).await }));
    let invited = invited.await?;
    app.letters_written.notify_one();
    Ok(Json(invited))
}

async fn invited(tx: &mut Tx, import: &Import, per_hour: i64, actor: &Actor, now: DateTime<Utc>) -> Answer<Invited> {
    let Some((studio, studios_locale)) = people::store::studio(tx, import.studio_id).await? else {
        return Err(Problem::new(ProblemType::NotFound));
    };
    let is_first = store::set_invited(tx, import.id, now, per_hour).await?;
    let (now, per_hour) = match store::found(tx, import.id).await? {
        Some(Import { invited_at: Some(at), invited_per_hour: Some(per_hour), .. }) => (at, per_hour),
        _ => (now, per_hour),
    };
    let people = store::to_invite(tx, import.id, import.studio_id).await?;
    let (invited, last_at) = (people.len(), people.len().checked_sub(1).map(|nth| due(now, per_hour, nth)));
    if is_first {
        let letters = people.into_iter().enumerate().map(|(nth, one)| {
            let facts = Facts::EnteredByFrontDesk { studio: studio.clone(), linked: one.linked, shares_address: false };
            let locale = one.locale.or(studios_locale).unwrap_or(Language::En);
            let letter = Letter {
                studio_id: Some(import.studio_id),
                dedupe_key: Some(import_key(import.studio_id, one.person_id)),
                ..Letter::to_person(one.person_id, locale, facts)
            };
            (letter, due(now, per_hour, nth))
        });
        outbox::write_for(tx, now, letters).await?;
        let what = Happened::MembersInvited { members: invited, per_hour };
        let event = Event::in_studio(import.studio_id, Subject::Import, import.id, what);
        events::log::write(tx, now, vec![actor.did(event)]).await?;
    }
    Ok(Invited { invited, per_hour, last_at })
}

/// When the letter of the n-eth is due.
fn due(now: DateTime<Utc>, per_hour: i64, nth: usize) -> DateTime<Utc> {
    now + TimeDelta::milliseconds(i64::try_from(nth).unwrap_or(0) * 3_600_000 / per_hour.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_leave_evenly() {
        let now = DateTime::UNIX_EPOCH;
        let minutes = |per_hour, nth| (due(now, per_hour, nth) - now).num_minutes();
        assert_eq!([minutes(60, 0), minutes(60, 1), minutes(60, 90), minutes(1, 2), minutes(10_000, 10_000)], [0, 1, 90, 120, 60]);
    }
}
