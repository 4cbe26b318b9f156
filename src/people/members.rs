//! A studio's members: found and entered by its front desk, or joining by themselves.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::store::{self, AddressUser, FoundRow, Joining, MemberRow, NewPerson, Wanted};
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
    /// Where letters to the member go: as this studio wrote it down, or as the member gave it by coming by themselves. Null too if the
    /// member has another one since, and has not given it to this studio.
    pub email: Option<String>,
    /// Whether somebody else signs in by that address: a parent, or a brother or sister entered before.
    pub shares_address: bool,
    /// The telephone number that this studio wrote down, else the one that the member gave it by coming by themselves.
    pub phone: Option<String>,
    /// What staff note of the member.
    pub note: Option<String>,
}

impl From<MemberRow> for Member {
    fn from(row: MemberRow) -> Self {
        let MemberRow { person_id, name, email, shares_address, phone, note, .. } = row;
        Self { person_id, name, email, shares_address, phone, note }
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

/// Which page of the members.
#[derive(Debug, Deserialize, IntoParams)]
#[allow(deprecated, reason = "the API's document says so, and here it is read")]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Listing {
    /// Whom to look for, as in `POST …/members/searches`, which is to be used instead: what stands in an address stands in the logs of
    /// proxies and in the history of browsers, and names do not belong there.
    #[deprecated = "POST …/members/searches"]
    #[param(max_length = 100, pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$")]
    q: Option<String>,
    /// The most items, 1 to 200.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor<Behind>>,
}

/// Where a page begins: behind a member of the list, or behind one who was found. Of the list it says no name, since it stands in an address.
#[derive(Debug, Deserialize, Serialize)]
#[serde(untagged)]
enum Behind {
    Found(i64, String, Uuid),
    Listed(Uuid),
}

/// The studio's members by name.
#[allow(deprecated, reason = "it is read as long as somebody sends it")]
#[utoipa::path(
    get, path = "/v1/studios/{id}/members", operation_id = "find_members",
    params(("id" = Uuid, Path), Listing),
    responses((status = 200, body = Members)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn find(
    State(app): State<App>,
    caller: Caller,
    Path(studio_id): Path<Uuid>,
    Query(Listing { q, limit, after }): Query<Listing>,
) -> Answer<Json<Members>> {
    require_front_desk(&app, &caller, studio_id).await?;
    found(&app, studio_id, q.as_deref(), limit, after).await.map(Json)
}

/// Whom to look for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MemberSearch)]
pub struct Search {
    /// Part of a name, an address or a telephone number. Accents and the order of words make no difference; Chinese names are found by
    /// their characters, by pinyin in any reading, and by the first letters of the syllables. Empty: all members.
    #[schema(max_length = 100, pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$")]
    q: String,
    /// The most items, 1 to 200; without it 50.
    #[serde(default)]
    limit: Limit,
    /// `next` of the page before.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    after: Option<Cursor<Behind>>,
}

/// Finds members of the studio. What is looked for stands in the body, and so neither in addresses nor in the logs of proxies.
#[utoipa::path(
    post, path = "/v1/studios/{id}/members/searches", operation_id = "search_members",
    params(("id" = Uuid, Path)), request_body = Search,
    responses((status = 200, body = Members)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn search(
    State(app): State<App>,
    caller: Caller,
    Path(studio_id): Path<Uuid>,
    Body(Search { q, limit, after }): Body<Search>,
) -> Answer<Json<Members>> {
    require_front_desk(&app, &caller, studio_id).await?;
    found(&app, studio_id, Some(&q), limit, after).await.map(Json)
}

async fn found(app: &App, studio_id: Uuid, q: Option<&str>, limit: Limit, after: Option<Cursor<Behind>>) -> Answer<Members> {
    let wanted = q.filter(|q| !q.trim().is_empty()).map(wanted).transpose()?;
    let after = after.map(|Cursor(behind)| behind);
    let no_cursor = || Problem::field("after", Wrong::NotCursor);
    if let Some(Behind::Found(_, name, _)) = &after
        && name.chars().any(|c| c.is_control() && c != '\n')
    {
        return Err(no_cursor());
    }
    let mut tx = app.db.read().await?;
    let studio = store::studio(&mut tx, studio_id).await?;
    let listed = wanted.is_none();
    let found = match wanted {
        Some(wanted) => {
            let after = match after {
                None => None,
                Some(Behind::Found(rank, name, id)) => Some((rank, name, id)),
                Some(Behind::Listed(_)) => return Err(no_cursor()),
            };
            store::members_found(&mut tx, studio_id, wanted, after, limit.0 + 1).await?
        }
        None => {
            let after = match after {
                None => None,
                // Of a list that was begun before cursors said no names.
                Some(Behind::Found(_, name, id)) => Some((name, id)),
                Some(Behind::Listed(id)) => Some((store::sorted_by(&mut tx, studio_id, id).await?.ok_or_else(no_cursor)?, id)),
            };
            let all = store::members(&mut tx, studio_id, after, limit.0 + 1).await?;
            all.into_iter().map(|member| FoundRow { rank: 0, member }).collect()
        }
    };
    tx.rollback().await;
    if studio.is_none() {
        return Err(Problem::new(ProblemType::NotFound));
    }
    let (found, next) = page(found, limit, |row| match listed {
        true => Behind::Listed(row.member.person_id),
        false => Behind::Found(row.rank, row.member.name_search.clone(), row.member.person_id),
    });
    Ok(Members { members: found.into_iter().map(|row| row.member.into()).collect(), next })
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
            store::note_address(tx, studio_id, same).await?;
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
    let (name, phone) = (body.name.into_string(), body.phone.map(Line::into_string));
    let is_new = store::join(tx, now, Joining { studio_id, person_id, name, phone, by_self: false }).await?;
    if body.email.is_some() {
        store::note_address(tx, studio_id, person_id).await?;
    }
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

/// Joins the studio by oneself: from now on its front desk reads the caller's address and telephone number. Repeated: the same.
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
    let is_new = store::join(tx, now, Joining { studio_id, person_id, name: profile.name, phone: None, by_self: true }).await?;
    // Whom the desk had entered comes by themselves now.
    if is_new || store::give(tx, vec![(studio_id, person_id, now)]).await? == 1 {
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
