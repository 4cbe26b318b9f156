//! One class: what it takes, and booking it. Whoever signs in from here comes back here.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::frame::{Part, Shell};
use super::reader::{Member, Reader};
use super::schedule::{says, studio};
use super::words::Words;
use super::{booking, linked_data};
use crate::app::App;
use crate::booking::{self as desk, BookingStatus};
use crate::console::form::{Form, body};
use crate::console::frame::{Said, SaidParams, done};
use crate::console::guard::sign_in_page;
use crate::extract::{Path, Query, query};
use crate::ids::new_id;
use crate::letters::phrases;
use crate::passes;
use crate::problem::{Answer, Problem, ProblemType};
use crate::schedule::{self, Session, store};
use crate::sign_in::Caller;
use crate::studios::Studio;

#[derive(Template)]
#[template(path = "public/pages/class.html")]
struct Class {
    shell: Shell,
    w: &'static Words,
    studio: Studio,
    id: Uuid,
    canonical: String,
    name: String,
    description: Option<String>,
    when: String,
    starts_at: String,
    minutes: i64,
    instructor: String,
    room: String,
    note: Option<String>,
    says: String,
    kind: &'static str,
    /// What a tap would do, for whoever is signed in.
    terms: Option<Terms>,
    /// The reader's own booking of it.
    mine: Option<Uuid>,
    /// Where whoever is not signed in goes to be.
    sign_in: String,
    sign_up: String,
    /// The id of the booking that a tap makes: a tap that is sent twice makes one.
    booking_id: Uuid,
    linked_data: String,
}

/// Passes of the member's own among which they may choose, the likeliest first.
const PASSES_MAX: usize = 6;

/// What a tap would do.
struct Terms {
    would_be: Option<BookingStatus>,
    /// Where several could pay: which, how, and whether it is the one that pays if nobody chooses.
    passes: Vec<(Uuid, String, bool)>,
    lines: Vec<String>,
    refusal: Option<String>,
    unverified: bool,
}

/// The class of this studio, if members may see it.
async fn find(app: &App, studio_id: Uuid, id: Uuid) -> Answer<Session> {
    let session = store::one(&app.db, id).await?.filter(|session| session.studio_id == studio_id && !session.is_for_staff());
    session.ok_or_else(|| Problem::new(ProblemType::NotFound))
}

/// The page of a class.
pub async fn show(
    State(app): State<App>,
    reader: Reader,
    Path((studio_id, id)): Path<(Uuid, Uuid)>,
    Query(SaidParams { said }): Query<SaidParams>,
) -> Answer<Response> {
    page(&app, reader, studio_id, id, Said::done(said)).await
}

async fn page(app: &App, reader: Reader, studio_id: Uuid, id: Uuid, said: Said) -> Answer<Response> {
    let session = find(app, studio_id, id).await?;
    let studio = studio(app, studio_id).await?;
    let member = reader.member.clone();
    let shell = Shell::of(reader, Part::Schedule, Some(studio.clone()), said);
    let (now, language, zone) = (app.clock.now(), shell.language, studio.time_zone.tz());
    let mut me = None;
    let mut terms = None;
    if let Some(mut caller) = member {
        caller.language = Some(language);
        let shown = store::one_for(&app.db, id, caller.person_id).await?;
        me = shown.and_then(|shown| shown.me().map(|me| (me.booking_id, me.status.into_owned())));
        if me.is_none() && schedule::status(&session, now) == schedule::SessionStatus::Scheduled {
            let told = desk::api::terms(State(app.clone()), caller.clone(), Path(id), Query(query("")?)).await?.0;
            let passes = match &told.pass {
                Some(pass) if told.would_be.is_some() => choices(app, &caller, &session, pass.id).await?,
                _ => Vec::new(),
            };
            // Among several, each says how it pays.
            let mut lines: Vec<String> = told.pass_text.into_iter().filter(|_| passes.is_empty()).collect();
            lines.push(told.free_cancel_text);
            terms = Some(Terms {
                would_be: told.would_be,
                passes,
                lines,
                unverified: told.refusal.as_ref().is_some_and(|refusal| refusal.kind == ProblemType::AddressNotVerified),
                refusal: told.refusal.map(|refusal| refusal.text),
            });
        }
    }
    let mut tx = app.db.read().await?;
    let class_type = store::class_types_among(&mut tx, &[session.class_type_id]).await?.into_iter().next();
    tx.rollback().await;
    let at = format!("/s/{studio_id}/classes/{id}");
    let (says, kind) = says(&session, me.as_ref().map(|(_, status)| status.as_str()), language, now);
    let url = &app.settings.server.public_url;
    let page = Class {
        w: shell.w,
        id,
        canonical: format!("{url}{at}"),
        name: session.names.class_name.read(language).to_owned(),
        description: class_type.and_then(|one| one.description).map(|text| text.read(language).to_owned()),
        when: phrases::span(session.starts_at, session.ends_at, zone, language),
        starts_at: instant(session.starts_at),
        minutes: session.names.class_minutes,
        instructor: session.names.instructor_name.clone(),
        room: session.names.room_name.clone(),
        note: session.member_note.clone(),
        says,
        kind,
        terms,
        mine: me.map(|(booking_id, _)| booking_id),
        sign_in: sign_in_page("/me", Some(&at)),
        sign_up: sign_in_page("/me", Some(&at)).replace("/sign-in", "/sign-up"),
        booking_id: new_id(now),
        linked_data: linked_data::event(&studio, &session, url, language, now),
        studio,
        shell,
    };
    page.shell.answer(&page)
}

/// The passes that could pay besides `usual`, with it; none where there is no choice.
async fn choices(app: &App, caller: &Caller, session: &Session, usual: Uuid) -> Answer<Vec<(Uuid, String, bool)>> {
    let mut tx = app.db.read().await?;
    let own = passes::store::of_people(&mut tx, &[caller.person_id]).await?;
    tx.rollback().await;
    let is_for = |pass: &passes::Pass| pass.studio_ids.contains(&session.studio_id) && pass.expires_on >= session.local_date;
    let mut could: Vec<passes::Pass> = own.into_iter().filter(is_for).collect();
    could.sort_by_key(|pass| (pass.id != usual, pass.expires_on, pass.id));
    let others = could.iter().map(|pass| pass.id).filter(|id| *id != usual).take(PASSES_MAX - 1);
    let mut choices = Vec::new();
    for id in std::iter::once(usual).chain(others) {
        let asked = Query(query(&format!("pass_id={id}"))?);
        let told = desk::api::terms(State(app.clone()), caller.clone(), Path(session.id), asked).await?.0;
        if let (Some(_), Some(text)) = (told.would_be, told.pass_text) {
            choices.push((id, text, id == usual));
        }
    }
    if choices.len() < 2 {
        choices.clear();
    }
    Ok(choices)
}

/// As a browser reads an instant.
pub fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// What a tap sends: the id that the page gave it, and whether its reader would wait.
#[derive(Deserialize)]
pub struct BookForm {
    booking: Uuid,
    /// Which pass pays; without it the rule decides.
    pass: Option<Uuid>,
    #[serde(default)]
    waitlist: bool,
}

/// Books the class, or waits for it. What is refused is said on its page.
pub async fn book(
    State(app): State<App>,
    Member { caller, reader, language }: Member,
    Path((studio_id, id)): Path<(Uuid, Uuid)>,
    Form(form): Form<BookForm>,
) -> Answer<Response> {
    find(&app, studio_id, id).await?;
    let asked = body(json!({"session_id": id, "pass_id": form.pass, "waitlist": form.waitlist}))?;
    match desk::api::book(State(app.clone()), caller, None, Path(form.booking), asked).await {
        Ok(_) => {
            let booked = booking::find(&app, form.booking).await?;
            let word = if booked.status == BookingStatus::Waitlisted { "waitlisted" } else { "booked" };
            Ok(done(&format!("/b/{}", form.booking), word))
        }
        Err(problem) => page(&app, reader, studio_id, id, Said::refused(problem, language)?).await,
    }
}
