//! A member's own pages: what they have booked, their passes, the letters that were written to them; and what their phone keeps of it for
//! where there is no network.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::booking::Card;
use super::frame::{Part, Shell};
use super::reader::Member;
use super::words::Words;
use crate::app::App;
use crate::booking::{Booking, api, store};
use crate::console::frame::{Said, SaidParams};
use crate::extract::{Query, query};
use crate::language::Language;
use crate::letters;
use crate::letters::phrases;
use crate::passes;
use crate::passes::view::State as PassState;
use crate::problem::Answer;
use crate::schedule;
use crate::studios::{self, Studio};

/// Bookings of one page: more than a member may have ahead.
const SHOWN_MAX: i64 = 50;
/// Of what was.
const PAST_MAX: i64 = 20;
/// Studios to choose from.
const STUDIOS_MAX: i64 = 50;

#[derive(Template)]
#[template(path = "public/pages/bookings.html")]
struct Bookings {
    shell: Shell,
    w: &'static Words,
    bookings: Vec<Card>,
    past: Vec<Card>,
    studios: Vec<Studio>,
}

async fn cards(app: &App, member: &Member, bookings: Vec<Booking>) -> Answer<Vec<Card>> {
    let ids: Vec<Uuid> = bookings.iter().map(|booking| booking.session_id).collect();
    let mut tx = app.db.read().await?;
    let sessions: HashMap<Uuid, schedule::Session> =
        schedule::store::among(&mut tx, &ids).await?.into_iter().map(|session| (session.id, session)).collect();
    tx.rollback().await;
    let positions = store::positions(&app.db, member.caller.person_id).await?.into_iter().collect();
    let views = api::views(app, &bookings, &sessions, &positions, Some(member.language)).await?;
    Ok(views.iter().filter_map(|view| Some(Card::of(view, sessions.get(&view.session_id)?, member.language))).collect())
}

async fn upcoming(app: &App, member: &Member) -> Answer<Vec<Card>> {
    let (person_id, first) = (member.caller.person_id, (DateTime::UNIX_EPOCH, Uuid::nil()));
    cards(app, member, store::upcoming(&app.db, person_id, app.clock.now(), first, SHOWN_MAX).await?).await
}

/// What is booked, soonest first; what was; and the studios.
pub async fn bookings(State(app): State<App>, member: Member, Query(SaidParams { said }): Query<SaidParams>) -> Answer<Response> {
    let last = (crate::extract::storable(DateTime::<Utc>::MAX_UTC), Uuid::max());
    let past = store::past(&app.db, member.caller.person_id, app.clock.now(), last, PAST_MAX).await?;
    let (bookings, past) = (upcoming(&app, &member).await?, cards(&app, &member, past).await?);
    let studios = studios::store::studios(&app.db, None, STUDIOS_MAX).await?;
    let shell = Shell::of(member.reader, Part::Bookings, None, Said::done(said));
    let page = Bookings { w: shell.w, bookings, past, studios, shell };
    page.shell.answer(&page)
}

#[derive(Template)]
#[template(path = "public/pages/pocket.html")]
struct Pocket {
    shell: Shell,
    w: &'static Words,
    as_of: String,
    bookings: Vec<Card>,
    studios: Vec<Studio>,
}

/// What the phone keeps for where there is no network: what is booked, with the codes for the door, and as of when.
pub async fn pocket(State(app): State<App>, member: Member) -> Answer<Response> {
    let bookings = upcoming(&app, &member).await?;
    let now = app.clock.now();
    let mut tx = app.db.read().await?;
    let ids: Vec<Uuid> = bookings.iter().map(|booking| booking.session_id).collect();
    let first = schedule::store::among(&mut tx, &ids).await?.into_iter().min_by_key(|session| session.starts_at);
    tx.rollback().await;
    let as_of = match first {
        Some(session) => {
            let (zone, language) = (session.names.time_zone.tz(), member.language);
            format!("{} · {}", phrases::day_and_time(now, zone, language), phrases::zone(now, zone, language))
        }
        None => phrases::utc(now, member.language),
    };
    let studios = studios::store::studios(&app.db, None, STUDIOS_MAX).await?;
    let shell = Shell::of(member.reader, Part::Other, None, Said::default());
    let page = Pocket { w: shell.w, as_of, bookings, studios, shell };
    page.shell.answer(&page)
}

#[derive(Template)]
#[template(path = "public/pages/passes.html")]
struct Passes {
    shell: Shell,
    w: &'static Words,
    passes: Vec<Pass>,
    /// Those with which nothing can be booked any more.
    over: Vec<Pass>,
}

/// A pass.
struct Pass {
    name: String,
    studio: String,
    /// Whose it is, if a family shares it.
    shared_by: Option<String>,
    left: String,
    until: String,
    state: &'static str,
    is_active: bool,
    is_over: bool,
}

/// The last day that a calendar knows: it stands for none.
const NO_END: Option<NaiveDate> = NaiveDate::from_ymd_opt(2199, 12, 31);

/// The member's passes and those that their family shares with them, newest first; those that are over by themselves.
pub async fn passes(State(app): State<App>, member: Member) -> Answer<Response> {
    let language = member.language;
    let held = passes::api::own(State(app.clone()), member.caller, Query(query("")?)).await?.0;
    let shell = Shell::of(member.reader, Part::Passes, None, Said::default());
    let w = shell.w;
    let pass = |pass: passes::view::PassView| Pass {
        left: match (pass.credits_left, pass.per_week) {
            (Some(credits), _) if language == Language::En => format!("{} {}", phrases::credits(credits, language), w.credits_left),
            (Some(credits), _) => format!("{}{}", w.credits_left, phrases::credits(credits, language)),
            (None, Some(visits)) => format!("{visits} {}", w.per_week),
            (None, None) => w.unlimited.to_owned(),
        },
        until: if Some(pass.expires_on) == NO_END {
            String::new()
        } else {
            format!("{} {}", w.valid_until, phrases::date(pass.expires_on, language))
        },
        state: match pass.state {
            PassState::Active => w.active,
            PassState::UsedUp => w.used_up,
            PassState::Expired => w.expired,
            PassState::Frozen => w.frozen,
            PassState::Ended => w.ended_pass,
        },
        is_active: pass.state == PassState::Active,
        is_over: matches!(pass.state, PassState::UsedUp | PassState::Expired | PassState::Ended),
        studio: pass.studio.name,
        shared_by: pass.shared_by.map(|whose| phrases::shared_by_text(&whose, language)),
        name: pass.name,
    };
    let (over, mut passes): (Vec<Pass>, Vec<Pass>) = held.passes.into_iter().map(pass).partition(|pass| pass.is_over);
    passes.sort_by_key(|pass| !pass.is_active);
    let page = Passes { w, passes, over, shell };
    page.shell.answer(&page)
}

#[derive(Template)]
#[template(path = "public/pages/letters.html")]
struct Letters {
    shell: Shell,
    w: &'static Words,
    letters: Vec<Letter>,
}

/// A letter.
struct Letter {
    at: String,
    subject: String,
    text: Option<String>,
}

/// The newest letters to the member: those of a studio by its clock.
pub async fn letters(State(app): State<App>, member: Member) -> Answer<Response> {
    let (language, person_id) = (member.language, member.caller.person_id);
    let written = letters::api::own(State(app.clone()), member.caller, Query(query("limit=30")?)).await?.0;
    let mut of_studios: Vec<Uuid> = written.letters.iter().filter_map(|letter| letter.studio_id).collect();
    of_studios.sort_unstable();
    of_studios.dedup();
    let mut clocks = HashMap::new();
    for id in of_studios {
        clocks.extend(studios::store::setting(&app.db, id).await?.map(|(zone, _)| (id, zone.tz())));
    }
    let own = studios::store::own_zone(&app.db, person_id).await?.map(|zone| zone.tz());
    let shell = Shell::of(member.reader, Part::Letters, None, Said::default());
    let letter = |letter: letters::api::LetterView| Letter {
        at: phrases::moment_or_utc(letter.created_at, letter.studio_id.map_or(own, |id| clocks.get(&id).copied()), language),
        subject: letter.subject.unwrap_or_default(),
        text: letter.text,
    };
    let page =
        Letters { w: shell.w, letters: written.letters.into_iter().map(letter).filter(|one| !one.subject.is_empty()).collect(), shell };
    page.shell.answer(&page)
}
