//! A studio's members: found and entered by its front desk, or joining by themselves.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::store::{self, MemberRow, NewPerson, Wanted};
use crate::app::App;
use crate::db::Tx;
use crate::events::{self, Event, Happened, Subject};
use crate::extract::{Body, Cursor, Limit, Path, Query, page};
use crate::ids::new_id;
use crate::language::Language;
use crate::letters::facts::Facts;
use crate::letters::outbox::{self, Letter};
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::sign_in::Caller;
use crate::studios::guard::require_front_desk;
use crate::text::{Email, Line, Name, contains_pattern};
use crate::wrong::Wrong;

/// The longest text to look for.
const SEARCH_MAX: usize = 100;
/// Digits that must be typed before telephone numbers are looked through.
const DIGITS_MIN: usize = 3;
/// A pattern that no telephone number fits: what is on one line has no line break.
const NO_NUMBER: &str = "\n";

/// A member as her studio knows her.
#[derive(Debug, Serialize, ToSchema)]
pub struct Member {
    /// Who.
    pub person_id: Uuid,
    /// By the name that this studio wrote down.
    pub name: String,
    /// Her address.
    pub email: Option<String>,
    /// Her telephone number.
    pub phone: Option<String>,
}

impl From<MemberRow> for Member {
    fn from(row: MemberRow) -> Self {
        Self { person_id: row.person_id, name: row.name, email: row.email, phone: row.phone }
    }
}

/// A page of members.
#[derive(Debug, Serialize, ToSchema)]
pub struct Members {
    /// By name.
    pub members: Vec<Member>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// Whom to look for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Search {
    /// Part of a name, in characters or pinyin, of an address or of a telephone number.
    #[param(max_length = 100, pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$")]
    q: Option<String>,
    /// The most items, 1 to 200.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor<(String, Uuid)>>,
}

/// Finds members of the studio.
#[utoipa::path(
    get, path = "/v1/studios/{id}/members", operation_id = "find_members",
    params(("id" = Uuid, Path), Search),
    responses((status = 200, body = Members)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn find(
    State(app): State<App>,
    caller: Caller,
    Path(studio_id): Path<Uuid>,
    Query(search): Query<Search>,
) -> Answer<Json<Members>> {
    require_front_desk(&app, &caller, studio_id).await?;
    let wanted = wanted(search.q.as_deref().unwrap_or_default())?;
    let Limit(limit) = search.limit;
    let after = search.after.map(|Cursor(key)| key);
    if after.as_ref().is_some_and(|(name, _)| name.chars().any(char::is_control)) {
        return Err(Problem::field("after", Wrong::NotCursor));
    }
    let mut tx = app.db.read().await?;
    let studio = store::studio(&mut tx, studio_id).await?;
    let rows = store::members(&mut tx, studio_id, wanted, after, limit + 1).await?;
    tx.rollback().await;
    if studio.is_none() {
        return Err(Problem::new(ProblemType::NotFound));
    }
    let (rows, next) = page(rows, search.limit, |row| (row.name_search.clone(), row.person_id));
    Ok(Json(Members { members: rows.into_iter().map(Member::from).collect(), next }))
}

fn wanted(q: &str) -> Answer<Wanted> {
    if q.chars().count() > SEARCH_MAX {
        return Err(Problem::field("q", Wrong::TooLong { max: SEARCH_MAX }));
    }
    if q.chars().any(char::is_control) {
        return Err(Problem::field("q", Wrong::ControlCharacters));
    }
    let digits: String = q.chars().filter(char::is_ascii_digit).collect();
    let is_number = digits.len() >= DIGITS_MIN && q.chars().all(|c| c.is_ascii_digit() || " +-().".contains(c));
    Ok(Wanted { text: contains_pattern(q), digits: if is_number { format!("%{digits}%") } else { NO_NUMBER.to_owned() } })
}

/// Somebody whom the front desk enters.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    /// Her name, as this studio writes it down.
    pub name: Name,
    /// Her address: if it is known already, she is linked. She is told by letter.
    pub email: Option<Email>,
    /// Her telephone number.
    pub phone: Option<Line<40>>,
    /// Her language, if she is new; else the studio's.
    pub locale: Option<Language>,
}

/// Enters a member. Whoever is known by this address is linked, and the name stays as entered; who is a member already stays as she is
/// (200).
#[utoipa::path(
    post, path = "/v1/studios/{id}/members", operation_id = "enter_member",
    params(("id" = Uuid, Path)), request_body = NewMember,
    responses((status = 201, body = Member), (status = 200, description = "She is a member already", body = Member)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn enter(
    State(app): State<App>,
    caller: Caller,
    Path(studio_id): Path<Uuid>,
    Body(body): Body<NewMember>,
) -> Answer<(StatusCode, Json<Member>)> {
    require_front_desk(&app, &caller, studio_id).await?;
    let now = app.clock.now();
    let (is_new, row) =
        app.db.write("enter_member", move |tx| Box::pin(async move { entered(tx, now, &caller, studio_id, body).await })).await?;
    app.letters_written.notify_one();
    Ok((if is_new { StatusCode::CREATED } else { StatusCode::OK }, Json(row.into())))
}

async fn entered(tx: &mut Tx, now: DateTime<Utc>, caller: &Caller, studio_id: Uuid, body: NewMember) -> Answer<(bool, MemberRow)> {
    let Some((studio, studios_locale)) = store::studio(tx, studio_id).await? else { return Err(Problem::new(ProblemType::NotFound)) };
    let known = match &body.email {
        Some(email) => {
            store::lock_address(tx, &email.key()).await?;
            store::known_by(tx, &email.key()).await?
        }
        None => None,
    };
    let linked = known.is_some();
    let locale = known.as_ref().map_or(body.locale, |known| known.locale);
    let person_id = match known {
        Some(known) => known.id,
        None => {
            let id = new_id(now);
            let person = NewPerson { id, name: &body.name, email: body.email.as_ref(), locale: body.locale, verified_at: None };
            store::insert(tx, now, person).await?;
            id
        }
    };
    let joining = (studio_id, person_id, body.name.into_string(), body.phone.map(Line::into_string));
    let is_new = store::join(tx, now, vec![joining]).await? == 1;
    if is_new {
        if body.email.is_some() {
            let locale = locale.or(studios_locale).unwrap_or(Language::En);
            let facts = Facts::EnteredByFrontDesk { studio, linked };
            outbox::write(tx, now, vec![Letter { studio_id: Some(studio_id), ..Letter::to_person(person_id, locale, facts) }]).await?;
        }
        let what = if linked { Happened::MemberLinked } else { Happened::MemberEntered };
        events::log::write(tx, now, vec![caller.actor().did(Event::in_studio(studio_id, Subject::Person, person_id, what))]).await?;
    }
    Ok((is_new, row_of(tx, studio_id, person_id).await?))
}

/// Joins the studio by oneself. Repeated: the same.
#[utoipa::path(
    put, path = "/v1/studios/{id}/members/me", operation_id = "join_studio",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Member)),
    extensions(("x-problem-types" = json!(refuses![AddressNotVerified])))
)]
pub async fn join(State(app): State<App>, caller: Caller, Path(studio_id): Path<Uuid>) -> Answer<Json<Member>> {
    caller.require_verified()?;
    let now = app.clock.now();
    let row = app.db.write("join_studio", move |tx| Box::pin(async move { joined(tx, now, &caller, studio_id).await })).await?;
    Ok(Json(row.into()))
}

async fn joined(tx: &mut Tx, now: DateTime<Utc>, caller: &Caller, studio_id: Uuid) -> Answer<MemberRow> {
    let person_id = caller.person_id;
    if store::studio(tx, studio_id).await?.is_none() {
        return Err(Problem::new(ProblemType::NotFound));
    }
    let profile = store::profile(tx, person_id).await?.ok_or_else(|| Problem::new(ProblemType::TokenRefused))?;
    if store::join(tx, now, vec![(studio_id, person_id, profile.name, None)]).await? == 1 {
        events::log::write(
            tx,
            now,
            vec![caller.actor().did(Event::in_studio(studio_id, Subject::Person, person_id, Happened::MemberJoined))],
        )
        .await?;
    }
    row_of(tx, studio_id, person_id).await
}

async fn row_of(tx: &mut Tx, studio_id: Uuid, person_id: Uuid) -> Answer<MemberRow> {
    store::member(tx, studio_id, person_id).await?.ok_or_else(|| Problem::fault("a member who has just joined is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_looked_for_by_their_digits() {
        let number = wanted("138 0000-1111").unwrap();
        assert_eq!((number.text.as_str(), number.digits.as_str()), ("%138 0000-1111%", "%13800001111%"));
        assert_eq!(wanted("12").unwrap().digits, NO_NUMBER);
        assert_eq!(wanted("lin 123").unwrap().digits, NO_NUMBER);
        assert_eq!(wanted("").unwrap().text, "%%");
        assert!(wanted("a\u{0}").is_err());
    }
}
