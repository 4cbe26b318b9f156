//! The page behind the link of an offer's letter. Whoever has the link needs no account to sign in to: looking at it does nothing, as mail
//! scanners open every link; only what its two buttons send takes the place or declines it.

use askama::Template;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use uuid::Uuid;

use super::cancel::Cancel;
use super::offer::{Offer, OfferOutcome};
use super::{Booking, BookingStatus, store};
use crate::app::App;
use crate::extract::Path;
use crate::language::Language;
use crate::letters::facts::{Penalized, Terms};
use crate::letters::phrases;
use crate::page;
use crate::problem::{Answer, Problem, ProblemType};
use crate::schedule::{self, Session};
use crate::sign_in::Visitor;
use crate::transactor::Command;
use utoipa::ToSchema;

#[derive(Template)]
#[template(path = "booking/offer.html")]
struct Page<'p> {
    language: Language,
    words: &'static Words,
    problem: Option<&'p str>,
    class: &'p str,
    when: String,
    place: String,
    says: String,
    cost: Option<String>,
    open: bool,
}

/// What the page says in one language.
struct Words {
    title: &'static str,
    accept: &'static str,
    decline: &'static str,
    accepted: &'static str,
    declined: &'static str,
    expired: &'static str,
    withdrawn: &'static str,
    declining: &'static str,
}

static EN: Words = Words {
    title: "A place in a class",
    accept: "Take the place",
    decline: "Decline",
    accepted: "The place is yours. What it costs to cancel stands in the letter that we send you.",
    declined: "You have declined the place. Nothing was taken.",
    expired: "The time in which you could take this place is over. Nothing was taken.",
    withdrawn: "The studio has changed this class, and the offer no longer stands. You wait again where you waited before.",
    declining: "Declining costs nothing, and the next in the queue gets the place sooner.",
};

static ZH_HANS: Words = Words {
    title: "为您保留的名额",
    accept: "接受名额",
    decline: "放弃",
    accepted: "名额已归您。取消的时限和费用，请见我们发给您的邮件。",
    declined: "您已放弃该名额，未扣除任何费用。",
    expired: "保留名额的时间已过，未扣除任何费用。",
    withdrawn: "工作室调整了这节课，名额保留已取消。您已回到原来的候补顺位。",
    declining: "放弃不产生任何费用，下一位会员就能更早得到名额。",
};

static ZH_HANT: Words = Words {
    title: "為您保留的名額",
    accept: "接受名額",
    decline: "放棄",
    accepted: "名額已歸您。取消的時限與費用，請見我們寄給您的郵件。",
    declined: "您已放棄該名額，未扣除任何費用。",
    expired: "保留名額的時間已過，未扣除任何費用。",
    withdrawn: "工作室調整了這堂課，名額保留已取消。您已回到原來的候補順位。",
    declining: "放棄不收取任何費用，下一位會員就能更早得到名額。",
};

const fn words(language: Language) -> &'static Words {
    match language {
        Language::En => &EN,
        Language::ZhHans => &ZH_HANS,
        Language::ZhHant => &ZH_HANT,
    }
}

/// An offer with everything that its page shows.
struct Found {
    offer: Offer,
    booking: Booking,
    session: Session,
    /// What the place costs whoever takes it.
    terms: Terms,
}

/// Shows an offer, and nothing else: taking it is a button of the page.
#[utoipa::path(
    get, path = "/offers/{id}/{signature}", operation_id = "show_offer_page",
    params(("id" = Uuid, Path), ("signature" = String, Path)),
    responses((status = 200, body = String, content_type = "text/html"))
)]
pub async fn show(State(app): State<App>, visitor: Visitor, Path((id, signature)): Path<(Uuid, String)>) -> Answer<Response> {
    let found = find(&app, id, &signature).await?;
    shown(&app, &visitor, &found, StatusCode::OK, None)
}

/// What the page's buttons send.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "it is read field by field")]
struct OfferForm {
    /// `accept` or `decline`.
    answer: String,
}

/// Takes the offered place, or declines it. What is refused is said on the page.
#[utoipa::path(
    post, path = "/offers/{id}/{signature}", operation_id = "answer_offer",
    params(("id" = Uuid, Path), ("signature" = String, Path)),
    request_body(content = inline(OfferForm), content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "What came of it.", body = String, content_type = "text/html"),
        (status = 402, description = "Nothing pays for the place.", body = String, content_type = "text/html"),
        (status = 409, description = "It is too late, or not possible: the page says why.", body = String, content_type = "text/html"),
        (status = 422, description = "It is no answer.", body = String, content_type = "text/html"),
    )
)]
pub async fn submit(
    State(app): State<App>,
    visitor: Visitor,
    Path((id, signature)): Path<(Uuid, String)>,
    body: Bytes,
) -> Answer<Response> {
    let found = find(&app, id, &signature).await?;
    let answer = url::form_urlencoded::parse(&body).find(|(key, _)| key == "answer").map(|(_, value)| value.into_owned());
    let booking_id = found.booking.id;
    let command = match answer.as_deref() {
        Some("accept") => Command::Accept { booking_id },
        Some("decline") => {
            Command::Cancel(Cancel { booking_id, if_status: Some(BookingStatus::Offered), if_free: false, return_all: false, reason: None })
        }
        _ => return shown(&app, &visitor, &found, StatusCode::UNPROCESSABLE_ENTITY, None),
    };
    // A link answers its own offer alone, not one that was made later; and a button that is pressed twice is answered twice alike.
    let done = match found.offer.is_running() {
        true => app.transactor.submit(visitor.actor_of(found.booking.person_id), command).await.map(drop),
        false => Ok(()),
    };
    let found = find(&app, id, &signature).await?;
    match done {
        Ok(()) => shown(&app, &visitor, &found, StatusCode::OK, None),
        // A person reads this: the sentence that an app would show, on the page.
        Err(problem) if problem.kind.status().is_client_error() => {
            let sentence = problem.kind.sentence(language(&visitor, &found.session));
            shown(&app, &visitor, &found, problem.kind.status(), Some(sentence))
        }
        Err(problem) => Err(problem),
    }
}

async fn find(app: &App, id: Uuid, signature: &str) -> Answer<Found> {
    let nothing = || Problem::new(ProblemType::NotFound);
    if !app.keys.is_signed_offer(id, signature) {
        return Err(nothing());
    }
    let offer = store::offer(&app.db, id).await?.ok_or_else(nothing)?;
    let booking = store::one(&app.db, offer.booking_id).await?.ok_or_else(nothing)?;
    let session = schedule::store::one(&app.db, booking.session_id).await?.ok_or_else(nothing)?;
    let terms = store::offered_terms(&app.db, &booking, id).await?.unwrap_or_default();
    let terms = Terms {
        credits: terms.credits.unwrap_or(session.credits),
        membership: terms.membership,
        free_cancel_until: Some(session.free_cancel_until).filter(|until| app.clock.now() < *until),
        penalty: Penalized { fee: terms.fee(), strike: terms.strike, forgiven: false },
    };
    Ok(Found { offer, booking, session, terms })
}

fn language(visitor: &Visitor, session: &Session) -> Language {
    visitor.language.unwrap_or(session.names.studio_locale)
}

fn shown(app: &App, visitor: &Visitor, found: &Found, status: StatusCode, problem: Option<&str>) -> Answer<Response> {
    let Found { offer, session, terms, .. } = found;
    let (now, language, zone) = (app.clock.now(), language(visitor, session), session.names.time_zone.tz());
    let words = words(language);
    let open = offer.is_running() && now < offer.expires_at;
    let says = match offer.outcome {
        None if open => phrases::kept_until(&phrases::day_and_time(offer.expires_at, zone, language), language),
        None | Some(OfferOutcome::Expired) => words.expired.to_owned(),
        Some(OfferOutcome::Accepted) => words.accepted.to_owned(),
        Some(OfferOutcome::Declined) => words.declined.to_owned(),
        Some(OfferOutcome::Withdrawn) => words.withdrawn.to_owned(),
    };
    let cost = open.then(|| phrases::offer_cost(terms, session.starts_at, zone, language));
    let page = Page {
        language,
        words,
        problem,
        class: session.names.class_name.read(language),
        when: phrases::span(session.starts_at, session.ends_at, zone, language),
        place: session.names.room_name.clone(),
        says,
        cost,
        open,
    };
    page::answer(&page, language, status)
}
