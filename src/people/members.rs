//! A studio's members: found and entered by its front desk, or joining by themselves.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::store::{self, AddressUser, FoundRow, MemberRow, NewPerson, Wanted};
use crate::app::App;
use crate::db::Tx;
use crate::events::{self, Event, Happened, Subject};
use crate::extract::{Body, Cursor, Limit, Path, Query, page};
use crate::ids::new_id;
use crate::language::Language;
use crate::letters::facts::Facts;
use crate::letters::outbox::{self, Letter};
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::search::{Typed, same_name};
use crate::sign_in::Caller;
use crate::studios::guard::require_front_desk;
use crate::text::{Email, Line, Name};
use crate::wrong::Wrong;

/// The longest text to look for.
const SEARCH_MAX: usize = 100;
/// Digits that must be typed before telephone numbers are looked through.
const DIGITS_MIN: usize = 3;
/// A pattern that no telephone number fits: what is on one line has no line break.
const NO_NUMBER: &str = "\n";

/// A member as the studio knows them.
#[derive(Debug, Serialize, ToSchema)]
pub struct Member {
    pub person_id: Uuid,
    /// By the name that this studio wrote down.
    pub name: String,
    /// Where letters to the member go.
    pub email: Option<String>,
    /// Whether somebody else signs in by that address: a parent, or a brother or sister entered before.
    pub shares_address: bool,
    /// The telephone number.
    pub phone: Option<String>,
}

impl From<MemberRow> for Member {
    fn from(row: MemberRow) -> Self {
        Self { person_id: row.person_id, name: row.name, email: row.email, shares_address: row.shares_address, phone: row.phone }
    }
}

/// A page of members.
#[derive(Debug, Serialize, ToSchema)]
pub struct Members {
    /// By name; of those that were looked for, whoever is called just so first, then whose name begins so.
    pub members: Vec<Member>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// Whom to look for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Search {
    /// Part of a name, an address or a telephone number. Accents and the order of words make no difference; Chinese names are found by
    /// their characters, by pinyin in any reading, and by the first letters of the syllables.
    #[param(max_length = 100, pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$")]
    q: Option<String>,
    /// The most items, 1 to 200.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor<(i64, String, Uuid)>>,
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
    let wanted = search.q.as_deref().filter(|q| !q.trim().is_empty()).map(wanted).transpose()?;
    let Limit(limit) = search.limit;
    let after = search.after.map(|Cursor(key)| key);
    if after.as_ref().is_some_and(|(_, name, _)| name.chars().any(|c| c.is_control() && c != '\n')) {
        return Err(Problem::field("after", Wrong::NotCursor));
    }
    let mut tx = app.db.read().await?;
    let studio = store::studio(&mut tx, studio_id).await?;
    let found = match wanted {
        Some(wanted) => store::members_found(&mut tx, studio_id, wanted, after, limit + 1).await?,
        None => {
            let after = after.map(|(_, name, id)| (name, id));
            let all = store::members(&mut tx, studio_id, after, limit + 1).await?;
            all.into_iter().map(|member| FoundRow { rank: 0, member }).collect()
        }
    };
    tx.rollback().await;
    if studio.is_none() {
        return Err(Problem::new(ProblemType::NotFound));
    }
    let (found, next) = page(found, search.limit, |row| (row.rank, row.member.name_search.clone(), row.member.person_id));
    Ok(Json(Members { members: found.into_iter().map(|row| row.member.into()).collect(), next }))
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
    Ok(Wanted { typed: Typed::parse(q), digits: if is_number { format!("%{digits}%") } else { NO_NUMBER.to_owned() } })
}

/// Somebody whom the front desk enters.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    /// The member's name, as this studio writes it down.
    pub name: Name,
    /// The address. Whoever is known by it is told by letter.
    pub email: Option<Email>,
    /// The telephone number.
    pub phone: Option<Line<40>>,
    /// The member's language, if nobody is known by the address; else the studio's.
    pub locale: Option<Language>,
    /// Whose the address is. `true`: the member's own, who is whoever is known by it, under whatever name. `false`: somebody else's, as
    /// of a parent or of a brother or sister: letters to the member go there, and the member has no account. Absent: the member's own,
    /// unless somebody of another name uses it in this studio (409).
    pub link: Option<bool>,
}

/// Somebody of the studio whose letters go to an address.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsesAddress {
    pub person_id: Uuid,
    /// By the name that this studio wrote down.
    pub name: String,
    /// Whether somebody else signs in by the address.
    pub shares_address: bool,
}

/// Enters a member. Whoever is known by this address is linked, and the name stays as entered. Who is a member already, by this name and
/// address, is answered as they are (200). If somebody of another name uses the address in this studio, `link` says who is meant.
#[utoipa::path(
    post, path = "/v1/studios/{id}/members", operation_id = "enter_member",
    params(("id" = Uuid, Path)), request_body = NewMember,
    responses((status = 201, body = Member), (status = 200, description = "A member already", body = Member)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, AddressInUse])))
)]
pub async fn enter(
    State(app): State<App>,
    caller: Caller,
    Path(studio_id): Path<Uuid>,
    Body(body): Body<NewMember>,
) -> Answer<(StatusCode, Json<Member>)> {
    require_front_desk(&app, &caller, studio_id).await?;
    if body.link.is_some() && body.email.is_none() {
        return Err(Problem::field("link", Wrong::LinkWithoutEmail));
    }
    let now = app.clock.now();
    let (is_new, row) =
        app.db.write("enter_member", move |tx| Box::pin(async move { entered(tx, now, &caller, studio_id, body).await })).await?;
    app.letters_written.notify_one();
    Ok((if is_new { StatusCode::CREATED } else { StatusCode::OK }, Json(row.into())))
}

async fn entered(tx: &mut Tx, now: DateTime<Utc>, caller: &Caller, studio_id: Uuid, body: NewMember) -> Answer<(bool, MemberRow)> {
    let Some((studio, studios_locale)) = store::studio(tx, studio_id).await? else { return Err(Problem::new(ProblemType::NotFound)) };
    let shares_address = body.link == Some(false);
    let mut known = None;
    if let Some(email) = &body.email {
        let email_key = email.key();
        store::lock_address(tx, &email_key).await?;
        if let Some(same) = meant(&body, store::address_users(tx, studio_id, &email_key).await?)? {
            return Ok((false, row_of(tx, studio_id, same).await?));
        }
        known = if shares_address { None } else { store::known_by(tx, &email_key).await? };
    }
    let (linked, has_account) = (known.is_some(), known.as_ref().is_some_and(|known| known.verified_at.is_some()));
    let locale = known.as_ref().map_or(body.locale, |known| known.locale);
    let person_id = match known {
        Some(known) => known.id,
        None => {
            let id = new_id(now);
            let (name, email) = (&body.name, body.email.as_ref());
            store::insert(tx, now, NewPerson { id, name, email, shares_address, locale: body.locale, verified_at: None }).await?;
            id
        }
    };
    let joining = (studio_id, person_id, body.name.into_string(), body.phone.map(Line::into_string));
    let is_new = store::join(tx, now, vec![joining]).await? == 1;
    if is_new {
        if body.email.is_some() {
            let locale = locale.or(studios_locale).unwrap_or(Language::En);
            let facts = Facts::EnteredByFrontDesk { studio, linked: has_account, shares_address };
            outbox::write(tx, now, vec![Letter { studio_id: Some(studio_id), ..Letter::to_person(person_id, locale, facts) }]).await?;
        }
        let what = if linked { Happened::MemberLinked } else { Happened::MemberEntered };
        events::log::write(tx, now, vec![caller.actor().did(Event::in_studio(studio_id, Subject::Person, person_id, what))]).await?;
    }
    Ok((is_new, row_of(tx, studio_id, person_id).await?))
}

/// The member whom the desk means, if there is one already among those who use the address in this studio. Who shares an address with
/// people of other names is refused until the desk has said who is meant: else a pass would be sold to the wrong child.
fn meant(body: &NewMember, users: Vec<AddressUser>) -> Answer<Option<Uuid>> {
    let same = |user: &&AddressUser| same_name(&user.name, body.name.as_str());
    match body.link {
        Some(true) => Ok(None),
        Some(false) => Ok(users.iter().filter(|user| user.shares_address).find(same).map(|user| user.person_id)),
        None => match users.iter().find(same) {
            Some(user) => Ok(user.is_member.then_some(user.person_id)),
            None if users.is_empty() => Ok(None),
            None => {
                let members = users.into_iter().map(|AddressUser { person_id, name, shares_address, .. }| UsesAddress {
                    person_id,
                    name,
                    shares_address,
                });
                Err(Problem::new(ProblemType::AddressInUse).with("members", members.collect::<Vec<_>>()))
            }
        },
    }
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
        assert_eq!(wanted("138 0000-1111").unwrap().digits, "%13800001111%");
        assert_eq!(wanted("12").unwrap().digits, NO_NUMBER);
        assert_eq!(wanted("lin 123").unwrap().digits, NO_NUMBER);
        assert!(wanted("a\u{0}").is_err());
    }
}
