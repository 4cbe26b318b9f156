//! The peer: a booking as a textbook does it. The same schema, rules, stack and rows; one transaction for each booking, which locks the
//! session's row, reads, decides, writes and commits.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::put;
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use releve::app::App;
use releve::booking::rules::{self, Admission, Ask, MemberNow, PlaceTaken, SessionNow};
use releve::booking::view::{Around, BookingView};
use releve::booking::{Booking, NewBooking, store};
use releve::db::{Engine, Sql, Tx};
use releve::events::{self, Event, Happened};
use releve::extract::{Body, Path};
use releve::ids::new_id;
use releve::language::Language;
use releve::letters::facts::{Facts, Penalized, SessionFacts, StudioFacts, Terms, Then};
use releve::letters::outbox::{self, Letter};
use releve::passes;
use releve::passes::PassState;
use releve::problem::{Answer, Problem, ProblemType};
use releve::schedule::{self, Session};
use releve::sign_in::Caller;
use releve::studios::house_rules::HouseRules;
use releve::studios::house_rules::applied::SessionRules;
use serde::Deserialize;
use sqlx::types::Json as Stored;
use uuid::Uuid;

/// Its one URL.
pub fn routes() -> Router<App> {
    Router::new().route("/v1/bookings/{id}", put(book))
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct BookBody {
    session_id: Uuid,
    #[serde(default)]
    waitlist: bool,
}

async fn book(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>, Body(body): Body<BookBody>) -> Answer<Response> {
    if !caller.verified {
        return Err(Problem::new(ProblemType::AddressNotVerified));
    }
    let now = app.clock.now();
    let (language, ask) = (caller.language, Asked { id, caller, body, now });
    let (booking, session, position) = match app.db.engine() {
        // The writer is one connection, and whoever wants it waits in line.
        Engine::Sqlite => {
            let mut tx = app.db.begin_batch().await?;
            match decide(&mut tx, ask).await {
                Ok(made) => {
                    tx.commit().await?;
                    made
                }
                Err(problem) => {
                    tx.rollback().await;
                    return Err(problem);
                }
            }
        }
        Engine::Postgres => app.db.write("textbook", move |tx| Box::pin(decide(tx, ask))).await?,
    };
    app.letters_written.notify_one();
    Ok((StatusCode::CREATED, Json(BookingView::of(&booking, &session, Around { position, ..Around::default() }, &app.keys, language, now)))
        .into_response())
}

struct Asked {
    id: Uuid,
    caller: Caller,
    body: BookBody,
    now: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct StudioRow {
    name: String,
    address: Option<String>,
    contact: Option<String>,
    house_rules: Stored<HouseRules>,
}

async fn decide(tx: &mut Tx, ask: Asked) -> Answer<(Booking, Session, Option<i64>)> {
    let Asked { id, caller, body, now } = ask;
    let person_id = caller.person_id;
    if !store::by_id(tx, &[id]).await?.is_empty() {
        return Err(Problem::new(ProblemType::BookingIdReused));
    }
    let lock = Sql::Each { sqlite: "SELECT id FROM sessions WHERE id = $1", postgres: "SELECT id FROM sessions WHERE id = $1 FOR UPDATE" };
    tx.maybe::<(Uuid,)>(lock, (body.session_id,)).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    let session = schedule::store::among(tx, &[body.session_id]).await?.pop().ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    let sql = "SELECT name, address, contact, house_rules FROM studios WHERE id = $1";
    let studio: StudioRow = tx.one(sql, (session.studio_id,)).await?;
    let (locale,): (Option<Language>,) = tx.one("SELECT locale FROM persons WHERE id = $1", (person_id,)).await?;
    let ahead = store::ahead(tx, &[person_id], now).await?;
    let passes = passes::store::of_people(tx, &[person_id]).await?;
    let states: Vec<PassState> = passes.iter().map(passes::Pass::state).collect();

    let seen = SessionNow::of(&session, session.names.time_zone.tz());
    let ahead: Vec<&Booking> = ahead.iter().collect();
    let zone = session.names.time_zone.tz();
    let places: Vec<PlaceTaken> = ahead.iter().filter_map(|booking| PlaceTaken::of(booking, zone, None, None, now)).collect();
    let member = MemberNow { ahead: &ahead, passes: &states, visits: &[], places: &places, suspended: None };
    let asked = Ask { pass_id: None, waitlist: body.waitlist, by_staff: false, unpaid: false };
    let entry =
        rules::book(&seen, &SessionRules::of_studio(&studio.house_rules), member, asked, now).map_err(|refusal| refusal.problem(None))?;

    let new = new_booking(id, person_id, &session, body.waitlist);
    let told = SessionFacts {
        for_whom: None,
        id: session.id,
        studio: StudioFacts {
            name: studio.name,
            address: studio.address,
            contact: studio.contact,
            time_zone: session.names.time_zone.tz(),
        },
        class: session.names.class_name.0.clone(),
        room: session.names.room_name.clone(),
        instructor: session.names.instructor_name.clone(),
        starts_at: session.starts_at,
        ends_at: session.ends_at,
    };
    let (mut booking, facts, what, position) = match entry {
        Admission::Place(place) => {
            let mut booking = Booking::with_place(new, &place, now);
            let credits = pay(tx, &mut booking, person_id, now).await?;
            tx.run("UPDATE sessions SET taken = taken + 1 WHERE id = $1", (session.id,)).await?;
            let terms = Terms { credits, membership: false, free_cancel_until: place.free_cancel_until, penalty: Penalized::default() };
            (
                booking,
                Facts::Booked { session: told, terms, by_staff: false },
                Happened::Booked { credits, by_staff: false, unpaid: false },
                None,
            )
        }
        Admission::Queue => {
            let booking = Booking::in_queue(new, session.next_queue_key, now);
            let sql = "UPDATE sessions SET waiting = waiting + 1, next_queue_key = next_queue_key + 1 WHERE id = $1";
            tx.run(sql, (session.id,)).await?;
            let (position, credits) = (session.waiting + 1, session.credits);
            let promoted_until = Some(session.promote_until);
            (
                booking,
                Facts::Waitlisted { session: told, position, credits, promoted_until, then: Then::FirstToTake },
                Happened::Waitlisted { position },
                Some(position),
            )
        }
    };
    booking.letters = 1;
    store::insert(tx, vec![&booking]).await?;
    let mut letter = Letter::to_person(person_id, locale.unwrap_or(Language::En), facts);
    letter.studio_id = Some(session.studio_id);
    letter.booking_id = Some(id);
    letter.session_id = Some(session.id);
    letter.nth = 1;
    letter.sequence = booking.queue_key.is_none().then_some(0);
    letter.useful_until = Some(session.ends_at);
    outbox::write(tx, now, vec![letter]).await?;
    let line = caller.actor().did(Event::of_booking(&booking, what));
    events::log::write(tx, now, vec![line]).await?;
    Ok((booking, session, position))
}

/// The pack loses its credits, the ledger says so.
async fn pay(tx: &mut Tx, booking: &mut Booking, person_id: Uuid, now: DateTime<Utc>) -> Answer<i64> {
    booking.sequence = 1;
    let credits = booking.credits;
    if let Some(pass_id) = booking.pass_id {
        tx.run("UPDATE passes SET credits_left = credits_left - $1 WHERE id = $2", (credits, pass_id)).await?;
        let sql = "INSERT INTO ledger (id, pass_id, at, credits, reason, booking_id, by_person) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        tx.run(sql, (new_id(now), pass_id, now, -credits, "booked", booking.id, person_id)).await?;
    }
    Ok(credits)
}

fn new_booking(id: Uuid, person_id: Uuid, session: &Session, waitlist: bool) -> NewBooking {
    NewBooking {
        id,
        session_id: session.id,
        studio_id: session.studio_id,
        person_id,
        starts_at: session.starts_at,
        ends_at: session.ends_at,
        asked_by: person_id,
        asked_pass_id: None,
        asked_waitlist: waitlist,
        asked_unpaid: false,
        unpaid_reason: None,
    }
}
