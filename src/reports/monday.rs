//! `…/reports/monday`: the week that is over on one page, and who is to be thought of now.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::answer::{Cell, Format, Reader, SESSIONS_MAX, Sheet, answer, cells, not_too_many};
use super::demand::{self, Slot};
use super::pay::Instructor;
use super::rules::{Sums, week_of};
use super::store::{Contact, FeeDue, PassEnding, Unseen};
use super::words::Counted;
use super::{Amount, SessionCounts, store};
use crate::app::App;
use crate::booking::rules::day;
use crate::db::Tx;
use crate::extract::{Path, Query};
use crate::problem::{Answer, refuses};
use crate::schedule::rules::{LocalDate, LocalStart};
use crate::sign_in::Caller;
use crate::zones::local_date;

/// How far ahead ends of passes are told.
const ENDS_WITHIN_DAYS: u64 = 14;
/// After how many days a member is missed.
const UNSEEN_DAYS: u64 = 21;
/// The most members of one list.
const MEMBERS_MAX: i64 = 200;

/// Which week, and in which form.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// A local date of the week; without it one of last week.
    #[param(inline, example = "2026-11-23")]
    week: Option<LocalDate>,
    /// `json` or `csv`; without it as `Accept` says.
    #[param(inline)]
    format: Option<Format>,
    /// CSV only: begin with a byte order mark, without which some spreadsheets misread Chinese.
    #[serde(default)]
    bom: bool,
}

/// One week in figures.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MondayWeek)]
#[allow(missing_docs, reason = "the fields of the report")]
pub struct Week {
    /// Its Monday.
    pub from: LocalDate,
    /// The Monday after.
    pub to: LocalDate,
    /// By currency.
    pub takings: Vec<Amount>,
    /// Places that were taken.
    pub bookings: i64,
    pub attended: i64,
    pub fill: Option<f64>,
    /// Members who came for the first time.
    pub first_visits: i64,
    /// Of them, those who have come again.
    pub came_again: i64,
}

/// How a member is reached.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MemberContact)]
#[allow(missing_docs, reason = "the fields of the report")]
pub struct MemberContact {
    pub person_id: Uuid,
    pub name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
}

impl From<Contact> for MemberContact {
    fn from(Contact { person_id, name, email, phone }: Contact) -> Self {
        Self { person_id, name, email, phone }
    }
}

/// A pass that ends within 14 days.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MondayPass)]
#[allow(missing_docs, reason = "the fields of the report")]
pub struct EndingPass {
    pub member: MemberContact,
    pub pass_id: Uuid,
    pub name: String,
    /// Null for a membership.
    pub credits_left: Option<i64>,
    /// Its last day.
    pub expires_on: LocalDate,
}

/// A member who has not come for 21 days and has nothing booked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MondayUnseen)]
#[allow(missing_docs, reason = "the fields of the report")]
pub struct UnseenMember {
    pub member: MemberContact,
    pub last_visit_on: LocalDate,
}

/// A fee that is due.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MondayFee)]
#[allow(missing_docs, reason = "the fields of the report")]
pub struct Fee {
    pub member: MemberContact,
    pub penalty_id: Uuid,
    pub amount: Amount,
    pub since: LocalDate,
}

/// A class of the week whose attendance nobody has recorded in full.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MondayUnrecorded)]
#[allow(missing_docs, reason = "the fields of the report")]
pub struct Unrecorded {
    pub session_id: Uuid,
    pub local_start: LocalStart,
    pub class: String,
    pub instructor: String,
    /// Places that count as attended because nobody was marked.
    pub unrecorded: i64,
    /// Places of which nobody has said anything yet.
    pub unmarked: i64,
}

/// The week on one page.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MondayReport)]
#[allow(missing_docs, reason = "the fields of the report")]
pub struct Monday {
    /// What is counted, in words.
    pub counts: &'static str,
    pub week: Week,
    pub week_before: Week,
    /// 52 weeks before: the same week of last year, by its weekdays.
    pub year_before: Week,
    /// The first to end first, at most 200.
    pub passes_ending: Vec<EndingPass>,
    /// Of all.
    pub passes_ending_count: i64,
    /// The last to come first, at most 200.
    pub unseen: Vec<UnseenMember>,
    /// Of all.
    pub unseen_count: i64,
    /// The oldest first, at most 200.
    pub fees_due: Vec<Fee>,
    /// Of all.
    pub fees_due_count: i64,
    /// In order of time.
    pub unrecorded: Vec<Unrecorded>,
    /// Times of the week at which somebody wanted a place and had none.
    pub unmet: Vec<Slot>,
    /// What each instructor taught in the week.
    pub pay: Vec<Instructor>,
}

/// Last week beside the week before and the same week last year; passes that end, members who were not seen, fees that are due, attendance
/// that was not recorded, demand that was not met, what each instructor taught. Admins.
#[utoipa::path(
    get, path = "/v1/studios/{id}/reports/monday", operation_id = "report_monday",
    params(("id" = Uuid, Path), Asked),
    responses(
        (status = 200, content((Monday = "application/json"), (String = "text/csv")), headers(("ETag" = String))),
        (status = 304, description = "As `If-None-Match` knows it."),
    ),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn monday(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(Asked { week, format, bom }): Query<Asked>,
    headers: HeaderMap,
) -> Answer<Response> {
    let reader = Reader::admin(&app, &caller, id).await?;
    let report = Monday::of(&app, &reader, week).await?;
    answer(&report, || report.sheet(), (format, bom), &headers)
}

impl Monday {
    /// Of the week of this date, or of last week.
    pub async fn of(app: &App, reader: &Reader, week: Option<LocalDate>) -> Answer<Self> {
        let id = reader.studio_id;
        let days = week_of(week.map_or(reader.today - Days::new(7), |date| date.0));
        let mut tx = app.db.read().await?;
        let sessions = store::sessions(&mut tx, id, days, SESSIONS_MAX + 1).await?;
        not_too_many(&sessions)?;
        let ends_by = reader.today + Days::new(ENDS_WITHIN_DAYS + 1);
        let passes_ending = store::passes_ending(&mut tx, id, (reader.today, ends_by), MEMBERS_MAX).await?;
        // The last visit was 21 days ago, or earlier.
        let seen_since = day(reader.today - Days::new(UNSEEN_DAYS - 1), reader.zone).0;
        let unseen = store::unseen(&mut tx, id, seen_since, reader.now, MEMBERS_MAX).await?;
        let fees_due = store::fees_due(&mut tx, id, MEMBERS_MAX).await?;
        let report = Monday {
            counts: reader.counts(Counted::Monday),
            week: Week::of(&mut tx, reader, days, &sessions).await?,
            week_before: Week::before(&mut tx, reader, days, 1).await?,
            year_before: Week::before(&mut tx, reader, days, 52).await?,
            passes_ending_count: passes_ending.first().map_or(0, |pass| pass.of_all),
            passes_ending: passes_ending.into_iter().map(|pass| EndingPass::of(pass, reader)).collect(),
            unseen_count: unseen.first().map_or(0, |member| member.of_all),
            unseen: unseen.into_iter().map(|member| UnseenMember::of(member, reader)).collect(),
            fees_due_count: fees_due.first().map_or(0, |fee| fee.of_all),
            fees_due: fees_due.into_iter().map(|fee| Fee::of(fee, reader)).collect(),
            unrecorded: unrecorded(&sessions, reader),
            unmet: Slot::all(&demand::of_sessions(&mut tx, id, days, &sessions).await?, true),
            pay: Instructor::all(&sessions, reader.now),
        };
        tx.rollback().await;
        Ok(report)
    }
}

impl Week {
    async fn of(tx: &mut Tx, reader: &Reader, days: (NaiveDate, NaiveDate), sessions: &[SessionCounts]) -> Answer<Self> {
        let time = reader.instants(days);
        let sums = Sums::of(sessions);
        let takings = store::takings(tx, reader.studio_id, time).await?;
        let (first_visits, came_again) = store::first_visits(tx, reader.studio_id, time).await?;
        Ok(Self {
            from: LocalDate(days.0),
            to: LocalDate(days.1),
            takings,
            bookings: sums.counts.booked,
            attended: sums.counts.attended,
            fill: sums.fill(),
            first_visits,
            came_again,
        })
    }

    async fn before(tx: &mut Tx, reader: &Reader, (from, to): (NaiveDate, NaiveDate), weeks: u64) -> Answer<Self> {
        let days = (from - Days::new(7 * weeks), to - Days::new(7 * weeks));
        let sessions = store::sessions(tx, reader.studio_id, days, SESSIONS_MAX + 1).await?;
        not_too_many(&sessions)?;
        Self::of(tx, reader, days, &sessions).await
    }
}

impl EndingPass {
    fn of(pass: PassEnding, reader: &Reader) -> Self {
        let name = pass.pass_name.read(reader.language).to_owned();
        let PassEnding { member, pass_id, credits_left, expires_on, .. } = pass;
        Self { member: member.into(), pass_id, name, credits_left, expires_on: LocalDate(expires_on) }
    }
}

impl UnseenMember {
    fn of(unseen: Unseen, reader: &Reader) -> Self {
        Self { last_visit_on: on(unseen.last_visit, reader), member: unseen.member.into() }
    }
}

impl Fee {
    fn of(fee: FeeDue, reader: &Reader) -> Self {
        let amount = Amount { amount_minor: fee.fee_minor, currency: fee.fee_currency };
        Self { penalty_id: fee.penalty_id, amount, since: on(fee.at, reader), member: fee.member.into() }
    }
}

fn on(at: DateTime<Utc>, reader: &Reader) -> LocalDate {
    LocalDate(local_date(at, reader.zone))
}

fn unrecorded(sessions: &[SessionCounts], reader: &Reader) -> Vec<Unrecorded> {
    let over = sessions.iter().filter(|session| !session.cancelled_session && session.ends_at <= reader.now);
    over.filter(|session| session.counts.unrecorded > 0 || session.unmarked > 0)
        .map(|session| Unrecorded {
            session_id: session.session_id,
            local_start: LocalStart::shown(session.local_date, session.local_minute),
            class: session.class_name.read(reader.language).to_owned(),
            instructor: session.instructor_name.clone(),
            unrecorded: session.counts.unrecorded,
            unmarked: session.unmarked,
        })
        .collect()
}

/// One list under the other. Figures have a number for each week; the other sections have theirs, if they have one, under `week`.
const COLUMNS: &[&str] = &["section", "what", "week", "week_before", "year_before", "name", "email", "phone", "detail"];

impl Monday {
    fn sheet(&self) -> Sheet {
        let from = self.week.from.0;
        let weeks = [&self.week, &self.week_before, &self.year_before];
        let figure = |what: &str, of: fn(&Week) -> Cell| {
            let [week, before, year] = weeks.map(of);
            vec!["figures".into(), what.into(), week, before, year, Cell::Nothing, Cell::Nothing, Cell::Nothing, Cell::Nothing]
        };
        let mut lines = vec![
            figure("from", |week| week.from.0.into()),
            figure("bookings", |week| week.bookings.into()),
            figure("attended", |week| week.attended.into()),
            figure("fill", |week| week.fill.into()),
            figure("first_visits", |week| week.first_visits.into()),
            figure("came_again", |week| week.came_again.into()),
        ];
        let mut currencies: Vec<&str> = weeks.iter().flat_map(|week| &week.takings).map(|amount| amount.currency.as_str()).collect();
        currencies.sort_unstable();
        currencies.dedup();
        for currency in currencies {
            let [week, before, year] = weeks.map(|week| taken(week, currency));
            lines.push(cells!["figures", format!("takings_minor_{currency}"), week, before, year, "", "", "", ""]);
        }
        let member = |section: &str, what: String, number: Option<i64>, member: &MemberContact, detail: String| {
            let MemberContact { name, email, phone, .. } = member;
            cells![section, what, number, "", "", name.as_str(), email.clone(), phone.clone(), detail]
        };
        for pass in &self.passes_ending {
            lines.push(member("passes_ending", pass.name.clone(), pass.credits_left, &pass.member, pass.expires_on.0.to_string()));
        }
        for unseen in &self.unseen {
            lines.push(member("unseen", String::new(), None, &unseen.member, unseen.last_visit_on.0.to_string()));
        }
        for fee in &self.fees_due {
            let amount = &fee.amount;
            lines.push(member("fees_due", amount.currency.clone(), Some(amount.amount_minor), &fee.member, fee.since.0.to_string()));
        }
        for session in &self.unrecorded {
            let places = session.unrecorded + session.unmarked;
            let start = session.local_start.to_string();
            lines.push(cells!["unrecorded", session.class.as_str(), places, "", "", session.instructor.as_str(), "", "", start]);
        }
        lines.extend(self.unmet.iter().map(Slot::on_page));
        lines.extend(self.pay.iter().map(Instructor::on_page));
        Sheet { name: format!("monday-{from}"), columns: COLUMNS, lines }
    }
}

fn taken(week: &Week, currency: &str) -> i64 {
    week.takings.iter().filter(|amount| amount.currency == currency).map(|amount| amount.amount_minor).sum()
}
