//! Running a studio over HTTP: studios, rooms, house rules, who teaches.

pub mod type_rules;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::guard::require_admin;
use super::house_rules::Active;
use super::set_house_rules::SetHouseRules;
use super::{HouseRules, Room, Studio, Zone, store};
use crate::app::App;
use crate::etag::Versioned;
use crate::events::{self, Event, Happened, Subject};
use crate::extract::{Body, IfMatch, Paging, Path, Query, Within, given, page};
use crate::ids::new_id;
use crate::language::Language;
use crate::problem::{Answer, FieldError, Problem, ProblemType, refuses};
use crate::schedule;
use crate::sign_in::Caller;
use crate::text::{Email, Line, Name, Note, WebAddress};
use crate::transactor::Command;

/// What is not there, or not for this caller to see.
fn nothing() -> Problem {
    Problem::new(ProblemType::NotFound)
}

/// Refuses an edit that was made from an older version.
pub fn must_match(version: i64, IfMatch(known): IfMatch) -> Answer<()> {
    if version == known { Ok(()) } else { Err(Problem::new(ProblemType::VersionStale).with("version", version)) }
}

/// A page of studios.
#[derive(Debug, Serialize, ToSchema)]
pub struct Studios {
    /// The oldest first.
    studios: Vec<Studio>,
    /// What to send as `after` for more; null at the end.
    next: Option<String>,
}

/// All studios of the deployment.
#[utoipa::path(
    get, path = "/v1/studios", operation_id = "list_studios",
    params(Paging),
    responses((status = 200, body = Studios))
)]
pub async fn list(State(app): State<App>, Query(paging): Query<Paging>) -> Answer<Json<Studios>> {
    let (limit, after) = paging.read();
    let (studios, next) = page(store::studios(&app.db, after, limit.0 + 1).await?, limit, |studio| studio.id);
    Ok(Json(Studios { studios, next }))
}

/// One studio.
#[utoipa::path(
    get, path = "/v1/studios/{id}", operation_id = "show_studio",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Studio, headers(("ETag" = String))))
)]
pub async fn one(State(app): State<App>, Path(id): Path<Uuid>) -> Answer<Versioned<Studio>> {
    let studio = store::studio(&app.db, id).await?.ok_or_else(nothing)?;
    Ok(Versioned::ok(studio.version, studio))
}

/// A new studio.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewStudio {
    /// What it is called.
    name: Name,
    /// By which clock it lives: a name of the IANA database.
    time_zone: Zone,
    /// The language of whoever says nothing else.
    locale: Language,
    /// Where it is.
    address: Option<Line<300>>,
    /// Where an answer to its letters goes: an e-mail address.
    contact: Option<Email>,
    /// Its rules as members read them.
    rules_text: Option<Note>,
    /// Its privacy policy.
    privacy_url: Option<WebAddress>,
    /// Where passes are bought.
    shop_url: Option<WebAddress>,
}

/// Opens a studio, with the default house rules. Owners.
#[utoipa::path(
    post, path = "/v1/studios", operation_id = "open_studio",
    request_body = NewStudio,
    responses((status = 201, body = Studio, headers(("ETag" = String)))),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn open(State(app): State<App>, caller: Caller, Body(new): Body<NewStudio>) -> Answer<Versioned<Studio>> {
    caller.require_owner()?;
    let now = app.clock.now();
    let studio = Studio {
        id: new_id(now),
        name: new.name.into(),
        address: new.address.map(Into::into),
        time_zone: new.time_zone,
        locale: new.locale,
        contact: new.contact.map(|contact| contact.as_str().to_owned()),
        rules_text: new.rules_text.map(Into::into),
        privacy_url: new.privacy_url.map(Into::into),
        shop_url: new.shop_url.map(Into::into),
        second_factor_required: false,
        version: 1,
    };
    let (row, actor) = (studio.clone(), caller.actor());
    app.db
        .write("open_studio", move |tx| {
            Box::pin(async move {
                store::add_studio(tx, &row, now).await?;
                events::log::write(tx, now, vec![actor.did(Event::of_studio(row.id, Happened::StudioMade))]).await?;
                Ok::<_, Problem>(())
            })
        })
        .await?;
    Ok(Versioned::created(1, studio))
}

/// What of a studio shall change. Absent: it stays; null: it is cleared.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "as in `NewStudio`")]
pub struct StudioChange {
    name: Option<Name>,
    /// Cannot change while sessions are to come.
    time_zone: Option<Zone>,
    locale: Option<Language>,
    #[serde(default, deserialize_with = "given")]
    address: Option<Option<Line<300>>>,
    #[serde(default, deserialize_with = "given")]
    contact: Option<Option<Email>>,
    #[serde(default, deserialize_with = "given")]
    rules_text: Option<Option<Note>>,
    #[serde(default, deserialize_with = "given")]
    privacy_url: Option<Option<WebAddress>>,
    #[serde(default, deserialize_with = "given")]
    shop_url: Option<Option<WebAddress>>,
    /// Whether its admins must have a second factor. Who has none yet may not do what only admins may until they have one.
    second_factor_required: Option<bool>,
}

impl StudioChange {
    fn apply(self, studio: &mut Studio) {
        let text = |change: Option<Option<String>>, old: &mut Option<String>| *old = change.unwrap_or_else(|| old.take());
        if let Some(name) = self.name {
            studio.name = name.into();
        }
        studio.time_zone = self.time_zone.unwrap_or(studio.time_zone);
        studio.locale = self.locale.unwrap_or(studio.locale);
        text(self.address.map(|one| one.map(Into::into)), &mut studio.address);
        text(self.contact.map(|one| one.map(|contact| contact.as_str().to_owned())), &mut studio.contact);
        text(self.rules_text.map(|one| one.map(Into::into)), &mut studio.rules_text);
        text(self.privacy_url.map(|one| one.map(Into::into)), &mut studio.privacy_url);
        text(self.shop_url.map(|one| one.map(Into::into)), &mut studio.shop_url);
        studio.second_factor_required = self.second_factor_required.unwrap_or(studio.second_factor_required);
        studio.version += 1;
    }
}

/// Edits a studio. Admins.
#[utoipa::path(
    patch, path = "/v1/studios/{id}", operation_id = "change_studio",
    params(("id" = Uuid, Path)), request_body = StudioChange,
    responses((status = 200, body = Studio, headers(("ETag" = String)))),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, ZoneInUse])))
)]
pub async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Body(change): Body<StudioChange>,
) -> Answer<Versioned<Studio>> {
    require_admin(&app, &caller, id).await?;
    let (now, actor) = (app.clock.now(), caller.actor());
    let studio = app
        .db
        .write("change_studio", move |tx| {
            Box::pin(async move {
                if change.time_zone.is_some() {
                    // No session may be made in the old zone meanwhile.
                    tx.between_batches().await?;
                }
                let mut studio = store::studio_to_edit(tx, id).await?.ok_or_else(nothing)?;
                must_match(studio.version, if_match)?;
                let zone = studio.time_zone;
                change.apply(&mut studio);
                if studio.time_zone != zone && schedule::store::any_to_come(tx, id, now).await? {
                    return Err(Problem::new(ProblemType::ZoneInUse));
                }
                store::set_studio(tx, &studio).await?;
                let entry = actor.did(Event::of_studio(id, Happened::StudioChanged { version: studio.version }));
                events::log::write(tx, now, vec![entry]).await?;
                Ok(studio)
            })
        })
        .await?;
    Ok(Versioned::ok(studio.version, studio))
}

/// A studio's house rules: each rule with its value, and whether this version enforces it.
#[derive(Debug, Serialize, ToSchema)]
pub struct HouseRulesView {
    studio_id: Uuid,
    /// Rises with each edit: what `If-Match` carries.
    version: i64,
    /// The rules, flat.
    #[serde(flatten)]
    rules: HouseRules,
    /// For each rule, whether it is enforced. One that is not is stored, shown, and changes nothing yet.
    active: Active,
}

impl HouseRulesView {
    fn of(studio_id: Uuid, version: i64, rules: HouseRules) -> Versioned<Self> {
        let active = rules.active();
        Versioned::ok(version, Self { studio_id, version, rules, active })
    }
}

/// The house rules. Admins.
#[utoipa::path(
    get, path = "/v1/studios/{id}/house-rules", operation_id = "show_house_rules",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = HouseRulesView, headers(("ETag" = String)))),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn house_rules(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Answer<Versioned<HouseRulesView>> {
    require_admin(&app, &caller, id).await?;
    let policy = store::policy(&app.db, id).await?.ok_or_else(nothing)?;
    Ok(HouseRulesView::of(id, policy.house_rules_version, policy.house_rules.0))
}

/// Replaces the house rules. A rule left out gets its default; `studio_id`, `version` and `active` may stand in the body and are not
/// read, so that what was read can be edited and put back. Sessions to come get their new instants, bookings keep what they were told.
/// Admins.
#[utoipa::path(
    put, path = "/v1/studios/{id}/house-rules", operation_id = "set_house_rules",
    params(("id" = Uuid, Path)), request_body = HouseRules,
    responses((status = 200, body = HouseRulesView, headers(("ETag" = String)))),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, TooManyRequests])))
)]
pub async fn set_house_rules(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Body(written): Body<Map<String, Value>>,
) -> Answer<Versioned<HouseRulesView>> {
    require_admin(&app, &caller, id).await?;
    let rules = HouseRules::parse(written)
        .map_err(|refused| Problem::fields(refused.into_iter().map(|(field, wrong)| FieldError { field, wrong }).collect()))?;
    let IfMatch(version) = if_match;
    let command = Command::SetHouseRules(Box::new(SetHouseRules { studio_id: id, version, rules: rules.clone() }));
    app.transactor.submit(caller.actor(), command).await?;
    Ok(HouseRulesView::of(id, version + 1, rules))
}

/// A page of rooms.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rooms {
    /// The oldest first.
    rooms: Vec<Room>,
    /// What to send as `after` for more; null at the end.
    next: Option<String>,
}

/// The studio's rooms.
#[utoipa::path(
    get, path = "/v1/studios/{id}/rooms", operation_id = "list_rooms",
    params(("id" = Uuid, Path), Paging),
    responses((status = 200, body = Rooms))
)]
pub async fn rooms(State(app): State<App>, Path(id): Path<Uuid>, Query(paging): Query<Paging>) -> Answer<Json<Rooms>> {
    store::setting(&app.db, id).await?.ok_or_else(nothing)?;
    let (limit, after) = paging.read();
    let (rooms, next) = page(store::rooms(&app.db, id, after, limit.0 + 1).await?, limit, |room| room.id);
    Ok(Json(Rooms { rooms, next }))
}

/// One room.
#[utoipa::path(
    get, path = "/v1/studios/{id}/rooms/{room_id}", operation_id = "show_room",
    params(("id" = Uuid, Path), ("room_id" = Uuid, Path)),
    responses((status = 200, body = Room, headers(("ETag" = String))))
)]
pub async fn room(State(app): State<App>, Path((id, room_id)): Path<(Uuid, Uuid)>) -> Answer<Versioned<Room>> {
    let room = store::room(&app.db, id, room_id).await?.ok_or_else(nothing)?;
    Ok(Versioned::ok(room.version, room))
}

/// The places of a room, or of a session in it.
pub type Places = Within<1, 10_000>;

/// A new room.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRoom {
    /// What it is called.
    name: Name,
    /// How many places a session has there unless it says otherwise, 1 to 10,000.
    capacity: Places,
}

/// Adds a room. Admins.
#[utoipa::path(
    post, path = "/v1/studios/{id}/rooms", operation_id = "add_room",
    params(("id" = Uuid, Path)), request_body = NewRoom,
    responses((status = 201, body = Room, headers(("ETag" = String)))),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn add_room(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>, Body(new): Body<NewRoom>) -> Answer<Versioned<Room>> {
    require_admin(&app, &caller, id).await?;
    let (now, actor) = (app.clock.now(), caller.actor());
    let room = Room { id: new_id(now), studio_id: id, name: new.name.into(), capacity: new.capacity.0, version: 1 };
    let row = room.clone();
    app.db
        .write("add_room", move |tx| {
            Box::pin(async move {
                store::studio_to_edit(tx, id).await?.ok_or_else(nothing)?;
                store::add_room(tx, &row, now).await?;
                let entry = actor.did(Event::in_studio(id, Subject::Room, row.id, Happened::RoomAdded { capacity: row.capacity }));
                events::log::write(tx, now, vec![entry]).await?;
                Ok::<_, Problem>(())
            })
        })
        .await?;
    Ok(Versioned::created(1, room))
}

/// What of a room shall change. Absent: it stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "as in `NewRoom`")]
pub struct RoomChange {
    name: Option<Name>,
    /// Sessions that are scheduled already keep theirs.
    capacity: Option<Places>,
}

/// Edits a room. Admins.
#[utoipa::path(
    patch, path = "/v1/studios/{id}/rooms/{room_id}", operation_id = "change_room",
    params(("id" = Uuid, Path), ("room_id" = Uuid, Path)), request_body = RoomChange,
    responses((status = 200, body = Room, headers(("ETag" = String)))),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn change_room(
    State(app): State<App>,
    caller: Caller,
    Path((id, room_id)): Path<(Uuid, Uuid)>,
    if_match: IfMatch,
    Body(change): Body<RoomChange>,
) -> Answer<impl IntoResponse> {
    require_admin(&app, &caller, id).await?;
    let (now, actor) = (app.clock.now(), caller.actor());
    let room = app
        .db
        .write("change_room", move |tx| {
            Box::pin(async move {
                let mut room = store::room_to_edit(tx, id, room_id).await?.ok_or_else(nothing)?;
                must_match(room.version, if_match)?;
                if let Some(name) = change.name {
                    room.name = name.into();
                }
                room.capacity = change.capacity.map_or(room.capacity, |capacity| capacity.0);
                room.version += 1;
                store::set_room(tx, &room).await?;
                events::log::write(
                    tx,
                    now,
                    vec![actor.did(Event::in_studio(
                        id,
                        Subject::Room,
                        room_id,
                        Happened::RoomChanged { version: room.version, capacity: room.capacity },
                    ))],
                )
                .await?;
                Ok::<_, Problem>(room)
            })
        })
        .await?;
    Ok(Versioned::ok(room.version, room))
}

/// Somebody who teaches in the studio.
#[derive(Debug, Serialize, ToSchema)]
pub struct Instructor {
    /// Who: the `instructor` of the schedule.
    id: Uuid,
    name: String,
}

/// A page of instructors.
#[derive(Debug, Serialize, ToSchema)]
pub struct Instructors {
    /// Those who are longest known first.
    instructors: Vec<Instructor>,
    /// What to send as `after` for more; null at the end.
    next: Option<String>,
}

/// Who teaches in the studio.
#[utoipa::path(
    get, path = "/v1/studios/{id}/instructors", operation_id = "list_instructors",
    params(("id" = Uuid, Path), Paging),
    responses((status = 200, body = Instructors))
)]
pub async fn instructors(State(app): State<App>, Path(id): Path<Uuid>, Query(paging): Query<Paging>) -> Answer<Json<Instructors>> {
    store::setting(&app.db, id).await?.ok_or_else(nothing)?;
    let (limit, after) = paging.read();
    let found = store::instructors(&app.db, id, after, limit.0 + 1).await?;
    let (found, next) = page(found, limit, |(person_id, _)| *person_id);
    let instructors = found.into_iter().map(|(id, name)| Instructor { id, name }).collect();
    Ok(Json(Instructors { instructors, next }))
}
