//! One member, as the front desk needs them: passes, bookings, standing, letters; selling a pass and booking a class for them. That somebody
//! looked is written down.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::Days;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::form::{Form, body};
use super::frame::{Part, Said, Shell, done};
use super::roster;
use super::session::LetterLine;
use super::staff::Staff;
use super::words::desk::{self, Words as Desk};
use super::words::{self, Words};
use crate::app::App;
use crate::booking::api::submit;
use crate::booking::book::Book;
use crate::booking::{self, BookingStatus};
use crate::events::{self, Event, Happened, Subject};
use crate::extract::{IdempotencyKey, PAGE_MAX, Path, Query};
use crate::ids::new_id;
use crate::letters;
use crate::letters::facts::Money;
use crate::letters::phrases;
use crate::passes::api::selling;
use crate::passes::view::State as PassState;
use crate::passes::{self, PassType};
use crate::penalties::view::Standing;
use crate::penalties::{self, Penalty};
use crate::people::particulars;
use crate::people::store::{self, MemberRow};
use crate::problem::{Answer, Problem, ProblemType};
use crate::schedule::store::Range;
use crate::schedule::{self, SessionStatus, status};
use crate::studios;
use crate::studios::guard::{require_admin, require_front_desk};
use crate::text::Note;
use crate::transactor::Command;
use crate::wrong::Wrong;

/// Bookings and letters that the page shows.
const LISTED_MAX: i64 = 50;
/// Penalties that it shows, the latest first.
const PENALTIES_MAX: usize = 50;
/// Sessions of how many days one may be booked into here.
const DAYS_AHEAD: u64 = 14;

#[derive(Template)]
#[template(path = "console/pages/member.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    d: &'static Desk,
    member: MemberRow,
    passes: Vec<PassLine>,
    /// Those with which nothing can be booked any more.
    passes_over: Vec<PassLine>,
    /// What late cancellations and absences came to, and whether the desk should know.
    standing: Vec<(String, bool)>,
    penalties: Vec<PenaltyLine>,
    to_come: Vec<BookingLine>,
    past: Vec<BookingLine>,
    letters: Vec<LetterLine>,
    pass_types: Vec<(Uuid, String)>,
    sessions: Vec<(Uuid, String)>,
    /// The session that was chosen before the member.
    session: Option<Uuid>,
    /// What makes a form that is sent twice one sale, one booking.
    key: Uuid,
}

/// A pass.
pub struct PassLine {
    pub id: Uuid,
    pub name: String,
    pub left: String,
    pub expires: String,
    pub state: &'static str,
    pub is_active: bool,
}

/// What a late cancellation or an absence came to.
struct PenaltyLine {
    id: Uuid,
    booking_id: Uuid,
    text: String,
    why: Option<String>,
    may_waive: bool,
    may_pay: bool,
}

/// A booking.
struct BookingLine {
    id: Uuid,
    class: String,
    when: String,
    status: BookingStatus,
    state: &'static str,
}

/// For which session, and what was done.
#[derive(Deserialize)]
pub struct MemberParams {
    session: Option<Uuid>,
    said: Option<String>,
}

/// The page: for the front desk.
pub async fn show(
    State(app): State<App>,
    staff: Staff,
    Path((studio_id, person_id)): Path<(Uuid, Uuid)>,
    Query(MemberParams { session, said }): Query<MemberParams>,
) -> Answer<Response> {
    require_front_desk(&app, &staff.caller, studio_id).await?;
    page(&app, &staff, studio_id, person_id, session, Said::done(said)).await
}

async fn page(app: &App, staff: &Staff, studio_id: Uuid, person_id: Uuid, session: Option<Uuid>, said: Said) -> Answer<Response> {
    let nothing = || Problem::new(ProblemType::NotFound);
    let mut tx = app.db.read().await?;
    let member = store::member(&mut tx, studio_id, person_id).await?;
    let context = studios::store::contexts(&mut tx, &[studio_id]).await?.pop();
    tx.rollback().await;
    let (Some(member), Some(context)) = (member, context) else { return Err(nothing()) };
    seen(app, staff, studio_id, person_id).await?;
    let shell = Shell::of(app, staff, studio_id, Part::Members, said).await?;
    let (now, language) = (app.clock.now(), shell.language);
    let held = passes::store::of_person(&app.db, person_id, None, PAGE_MAX).await?;
    let held = held.into_iter().filter(|pass| pass.studio_ids.contains(&studio_id)).map(|pass| pass_line(pass, &shell));
    let (held, passes_over): (Vec<PassLine>, Vec<PassLine>) = held.partition(|pass| pass.is_active);
    let penalties = penalties::store::of_person(&app.db, person_id, Some(studio_id)).await?;
    let standing = Standing::of(&context, &penalties, language, now);
    let bookings = booking::store::of_member(&app.db, studio_id, person_id, LISTED_MAX).await?;
    let (mut to_come, past) = booking_lines(app, &shell, &bookings).await?;
    to_come.reverse();
    let letters = match shell.is_admin {
        true => letters::store::of_member(&app.db, studio_id, person_id, LISTED_MAX).await?,
        false => Vec::new(),
    };
    let mut pass_types = passes::store::types(&app.db, studio_id, None, PAGE_MAX).await?;
    pass_types.retain(|of| of.on_sale);
    let page = Page {
        w: shell.w,
        d: desk::words(shell.language),
        member,
        passes: held,
        passes_over,
        standing: standing_lines(&standing, &shell),
        penalties: penalties.iter().take(PENALTIES_MAX).map(|penalty| penalty_line(penalty, &shell)).collect(),
        to_come,
        past,
        letters: letters.iter().map(|row| LetterLine::of(app, row, &shell)).collect(),
        pass_types: pass_types.iter().map(|of| (of.id, type_line(of, &shell))).collect(),
        sessions: sessions_to_come(app, &shell).await?,
        session,
        key: new_id(now),
        shell,
    };
    page.shell.answer(&page)
}

/// Who looked at whom stands in the log, without a name.
pub async fn seen(app: &App, staff: &Staff, studio_id: Uuid, person_id: Uuid) -> Answer<()> {
    let (now, actor) = (app.clock.now(), staff.caller.actor());
    let event = Event::in_studio(studio_id, Subject::Person, person_id, Happened::MemberSeen);
    let write = app.db.write("console.member_seen", move |tx| {
        Box::pin(async move { events::log::write(tx, now, vec![actor.did(event)]).await.map_err(Problem::from) })
    });
    write.await
}

/// In the words of the desk: the sentences of the API speak to the member.
fn standing_lines(standing: &Standing, shell: &Shell) -> Vec<(String, bool)> {
    let w = shell.w;
    let suspended =
        standing.suspended.as_ref().map(|suspended| (format!("{} {}", w.suspended_until, shell.day_and_time(suspended.until)), true));
    let strikes = standing.strikes_max.map(|max| (format!("{} {}/{max}", w.strikes, standing.strikes.len()), false));
    let fees = standing.fees_open.iter().filter_map(|penalty| penalty.fee.as_ref()).map(|fee| {
        let money = Money { amount_minor: fee.amount_minor, currency: fee.currency.clone() };
        (format!("{} {}", w.fee_open, phrases::money(&money)), true)
    });
    suspended.into_iter().chain(strikes).chain(fees).collect()
}

fn penalty_line(penalty: &Penalty, shell: &Shell) -> PenaltyLine {
    let (d, language) = (desk::words(shell.language), shell.language);
    let mut parts = vec![shell.day_and_time(penalty.at), desk::penalty_kind(penalty.kind, language).to_owned()];
    parts.extend(penalty.forgiven.map(|why| desk::forgiven(why, language).to_owned()));
    parts.extend((penalty.strike && !penalty.is_waived()).then(|| d.strike.to_owned()));
    if let Some(fee) = penalty.fee() {
        let state = match (penalty.is_owed(), penalty.paid_at.is_some()) {
            (true, _) => format!(" {}", d.fee_owed),
            (_, true) => format!(" {}", d.fee_paid),
            _ => String::new(),
        };
        parts.push(format!("{} {}{state}", d.fee, phrases::money(&fee)));
    }
    parts.extend(penalty.is_waived().then(|| d.waived.to_owned()));
    PenaltyLine {
        id: penalty.id,
        booking_id: penalty.booking_id,
        text: parts.join(" · "),
        why: penalty.waived_reason.clone(),
        may_waive: shell.is_admin && !penalty.is_waived(),
        may_pay: penalty.is_owed(),
    }
}

/// A pass in a line.
pub fn pass_line(pass: passes::Pass, shell: &Shell) -> PassLine {
    let (w, language) = (shell.w, shell.language);
    let left = match (pass.credits_left, pass.per_week) {
        (Some(left), _) => format!("{} {left}", w.credits_left),
        (None, Some(visits)) => format!("{visits} {}", w.visits_a_week),
        (None, None) => w.unlimited.to_owned(),
    };
    let (id, expires) = (pass.id, shell.date(pass.expires_on));
    let (state, is_active) = words::pass_state(PassState::of(&pass, shell.today), w);
    PassLine { id, name: pass.name.read(language).to_owned(), left, expires, state, is_active }
}

fn type_line(of: &PassType, shell: &Shell) -> String {
    let name = of.name.read(shell.language);
    match (of.price_minor, &of.currency) {
        (Some(amount_minor), Some(currency)) => {
            format!("{name} · {}", phrases::money(&Money { amount_minor, currency: currency.clone() }))
        }
        _ => name.to_owned(),
    }
}

async fn booking_lines(app: &App, shell: &Shell, bookings: &[booking::Booking]) -> Answer<(Vec<BookingLine>, Vec<BookingLine>)> {
    let now = app.clock.now();
    let ids: Vec<Uuid> = bookings.iter().map(|booking| booking.session_id).collect();
    let mut tx = app.db.read().await?;
    let sessions: HashMap<Uuid, schedule::Session> =
        schedule::store::among(&mut tx, &ids).await?.into_iter().map(|session| (session.id, session)).collect();
    tx.rollback().await;
    let line = |booking: &booking::Booking| {
        let session = sessions.get(&booking.session_id)?;
        let absent = booking.provisional || (booking.status == BookingStatus::Booked && session.misses_who_has_not_come(now));
        Some(BookingLine {
            id: booking.id,
            class: session.names.class_name.read(shell.language).to_owned(),
            when: shell.day_and_time(booking.starts_at),
            status: booking.status,
            state: roster::state(booking.status, absent, booking.released_at.is_some(), booking.unrecorded, shell.w),
        })
    };
    let is_to_come = |booking: &&booking::Booking| {
        use BookingStatus as S;
        matches!(booking.status, S::Booked | S::Offered | S::Waitlisted | S::Standby) && now < booking.ends_at
    };
    let (to_come, past): (Vec<_>, Vec<_>) = bookings.iter().partition(is_to_come);
    Ok((to_come.into_iter().filter_map(line).collect(), past.into_iter().filter_map(line).collect()))
}

/// What may be booked from here.
async fn sessions_to_come(app: &App, shell: &Shell) -> Answer<Vec<(Uuid, String)>> {
    let (now, studio_id) = (app.clock.now(), shell.studio.id);
    let to = shell.today + Days::new(DAYS_AHEAD);
    let range =
        Range { studio_id, from: shell.today, to, class_type: None, instructor: None, drafts: false, after: None, count_max: PAGE_MAX };
    let sessions = schedule::store::range(&app.db, &range).await?;
    let open = sessions.iter().filter(|session| status(session, now) == SessionStatus::Scheduled && now < session.starts_at);
    let line = |session: &schedule::Session| {
        let left = (session.capacity - session.taken - session.held).max(0);
        let (when, class) = (shell.day_and_time(session.starts_at), session.names.class_name.read(shell.language));
        let free = if left > 0 { format!("{} {left}", shell.w.free) } else { shell.w.full.to_owned() };
        (session.id, format!("{when} · {class} · {free}"))
    };
    Ok(open.map(line).collect())
}

/// What the studio writes down of the member; empty: nothing.
#[derive(Deserialize)]
pub struct ParticularsForm {
    name: Option<String>,
    phone: Option<String>,
    note: Option<String>,
}

/// Changes what is written down: for the front desk.
pub async fn change(
    State(app): State<App>,
    staff: Staff,
    Path((studio_id, person_id)): Path<(Uuid, Uuid)>,
    Form(form): Form<ParticularsForm>,
) -> Answer<Response> {
    require_front_desk(&app, &staff.caller, studio_id).await?;
    let mut tx = app.db.read().await?;
    let before = store::member(&mut tx, studio_id, person_id).await?;
    tx.rollback().await;
    let before = before.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    // A number that the member gave is not written down as the studio's own by saving something else.
    let mut said = json!({"name": form.name.unwrap_or_default(), "note": form.note});
    if form.phone != before.phone {
        said["phone"] = json!(form.phone);
    }
    let changed = match body(said) {
        Ok(said) => particulars::change(State(app.clone()), staff.caller.clone(), Path((studio_id, person_id)), said).await.map(drop),
        Err(problem) => Err(problem),
    };
    came_of(&app, &staff, studio_id, person_id, changed, "member_changed").await
}

/// A sale.
#[derive(Deserialize)]
pub struct SaleForm {
    key: Uuid,
    pass_type: Uuid,
    amount: Option<String>,
    method: Option<String>,
    reference: Option<String>,
}

/// Sells a pass; what was paid for it is written down.
pub async fn sell(
    State(app): State<App>,
    staff: Staff,
    Path((studio_id, person_id)): Path<(Uuid, Uuid)>,
    Form(form): Form<SaleForm>,
) -> Answer<Response> {
    require_front_desk(&app, &staff.caller, studio_id).await?;
    let types = passes::store::types(&app.db, studio_id, None, PAGE_MAX).await?;
    let currency = types.iter().find(|of| of.id == form.pass_type).and_then(|of| of.currency.clone());
    let sold = match paid(&form, currency.as_deref()) {
        Ok(paid) => {
            let key = IdempotencyKey(form.key.to_string());
            match body(json!({"pass_type_id": form.pass_type, "paid": paid})) {
                Ok(said) => {
                    selling::sell(State(app.clone()), staff.caller.clone(), Path((studio_id, person_id)), key, said).await.map(drop)
                }
                Err(problem) => Err(problem),
            }
        }
        Err(problem) => Err(problem),
    };
    came_of(&app, &staff, studio_id, person_id, sold, "pass_sold").await
}

/// What was paid, in minor units of the pass type's currency.
fn paid(form: &SaleForm, currency: Option<&str>) -> Answer<serde_json::Value> {
    let Some(amount) = form.amount.as_deref() else { return Ok(serde_json::Value::Null) };
    let wrong = || Problem::field("amount", Wrong::NotRight);
    let currency = currency.ok_or_else(wrong)?;
    let amount_minor = words::amount_minor(amount, currency).ok_or_else(wrong)?;
    let method = form.method.as_deref().unwrap_or_default();
    Ok(json!({"amount_minor": amount_minor, "currency": currency, "method": method, "reference": form.reference}))
}

/// A class for the member.
#[derive(Deserialize)]
pub struct BookForm {
    key: Uuid,
    session: Uuid,
    #[serde(default)]
    waitlist: bool,
    #[serde(default)]
    unpaid: bool,
    reason: Option<Note>,
}

/// Books it.
pub async fn book(
    State(app): State<App>,
    staff: Staff,
    Path((studio_id, person_id)): Path<(Uuid, Uuid)>,
    Form(form): Form<BookForm>,
) -> Answer<Response> {
    require_front_desk(&app, &staff.caller, studio_id).await?;
    let reason = form.reason.map(Note::into_string);
    let booked = match (form.unpaid, reason) {
        (true, None) => Err(Problem::field("reason", Wrong::UnpaidNeedsReason)),
        (unpaid, reason) => {
            let unpaid = reason.filter(|_| unpaid);
            let (id, session_id, waitlist) = (form.key, form.session, form.waitlist);
            let what = Book { id, session_id, waitlist, person_id: Some(person_id), unpaid, ..Book::default() };
            submit(&app, &staff.caller, Command::Book(what)).await
        }
    };
    let word = match &booked {
        Ok(shown) if shown.booking.status == BookingStatus::Waitlisted => "waitlisted",
        _ => "booked",
    };
    came_of(&app, &staff, studio_id, person_id, booked.map(drop), word).await
}

/// Why a penalty is taken back; or how its fee was paid.
#[derive(Deserialize)]
pub struct PenaltyForm {
    reason: Option<String>,
    method: Option<String>,
    reference: Option<String>,
}

/// Takes a penalty back: for admins.
pub async fn waive(
    State(app): State<App>,
    staff: Staff,
    Path((studio_id, person_id, penalty_id)): Path<(Uuid, Uuid, Uuid)>,
    Form(form): Form<PenaltyForm>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let waived = match body(json!({"reason": form.reason.unwrap_or_default()})) {
        Ok(said) => penalties::api::waive(State(app.clone()), staff.caller.clone(), Path((studio_id, penalty_id)), said).await.map(drop),
        Err(problem) => Err(problem),
    };
    came_of(&app, &staff, studio_id, person_id, waived, "waived").await
}

/// Writes down that a fee was paid.
pub async fn pay(
    State(app): State<App>,
    staff: Staff,
    Path((studio_id, person_id, penalty_id)): Path<(Uuid, Uuid, Uuid)>,
    Form(form): Form<PenaltyForm>,
) -> Answer<Response> {
    require_front_desk(&app, &staff.caller, studio_id).await?;
    let paid = match body(json!({"method": form.method.unwrap_or_default(), "reference": form.reference})) {
        Ok(said) => penalties::api::pay(State(app.clone()), staff.caller.clone(), Path((studio_id, penalty_id)), said).await.map(drop),
        Err(problem) => Err(problem),
    };
    came_of(&app, &staff, studio_id, person_id, paid, "fee_paid").await
}

async fn came_of(app: &App, staff: &Staff, studio_id: Uuid, person_id: Uuid, what: Answer<()>, word: &str) -> Answer<Response> {
    match what {
        Ok(()) => Ok(done(&format!("/console/{studio_id}/members/{person_id}"), word)),
        Err(problem) => page(app, staff, studio_id, person_id, None, Said::refused(problem, staff.language)?).await,
    }
}
