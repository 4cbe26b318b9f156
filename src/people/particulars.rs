//! `PATCH /v1/studios/{id}/members/{person_id}`: a front desk mends what it wrote down of a member, and notes what whoever serves them must
//! know.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::members::Member;
use super::store::{self, particulars};
use crate::app::App;
use crate::db::Tx;
use crate::events::{self, Event, Happened, Subject};
use crate::extract::{Body, Path, given};
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::sign_in::Caller;
use crate::studios::guard::require_front_desk;
use crate::text::{Line, Name, Note};

/// What is to be other than it is. What is not named stays.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MemberChange)]
pub struct Change {
    /// The member's name, as this studio writes it down.
    name: Option<Name>,
    /// The telephone number that this studio writes down; null: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Line<40>>)]
    phone: Option<Option<Line<40>>>,
    /// What whoever serves the member must know, such as an old injury. The member reads it where they ask for all that is stored; null: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Note>)]
    note: Option<Option<Note>>,
}

/// Changes what a studio wrote down of a member. What the member says of themselves is theirs to change.
#[utoipa::path(
    patch, path = "/v1/studios/{id}/members/{person_id}", operation_id = "change_member",
    params(("id" = Uuid, Path), ("person_id" = Uuid, Path)), request_body = Change,
    responses((status = 200, body = Member)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn change(
    State(app): State<App>,
    caller: Caller,
    Path((studio_id, person_id)): Path<(Uuid, Uuid)>,
    Body(body): Body<Change>,
) -> Answer<Json<Member>> {
    require_front_desk(&app, &caller, studio_id).await?;
    let now = app.clock.now();
    let write =
        app.db.write("change_member", move |tx| Box::pin(async move { changed(tx, now, &caller, (studio_id, person_id), body).await }));
    write.await.map(Json)
}

async fn changed(tx: &mut Tx, now: DateTime<Utc>, caller: &Caller, (studio_id, person_id): (Uuid, Uuid), body: Change) -> Answer<Member> {
    let nothing = || Problem::new(ProblemType::NotFound);
    let before = particulars::of(tx, studio_id, person_id).await?.ok_or_else(nothing)?;
    let mut after = before.clone();
    if let Some(name) = body.name {
        after.name = name.into_string();
    }
    if let Some(phone) = body.phone {
        after.phone = phone.map(Line::into_string);
    }
    if let Some(note) = body.note {
        after.note = note.map(String::from);
    }
    if after != before {
        particulars::set(tx, studio_id, person_id, &after).await?;
        let event = Event::in_studio(studio_id, Subject::Person, person_id, Happened::MemberChanged { noted: after.note != before.note });
        events::log::write(tx, now, vec![caller.actor().did(event)]).await?;
    }
    store::member(tx, studio_id, person_id).await?.map(Member::from).ok_or_else(nothing)
}
