//! How a report is asked for, and the one way to write it: as JSON, or as CSV (RFC 4180) with cells that no spreadsheet runs.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::rules::cell;
use super::words::Counted;
use crate::app::App;
use crate::booking::rules::day;
use crate::etag::Encoded;
use crate::extract::header_text;
use crate::language::Language;
use crate::problem::{Answer, Problem, ProblemType};
use crate::schedule::rules::{LocalDate, date_range};
use crate::sign_in::Caller;
use crate::studios::guard::require_admin;
use crate::studios::store::setting;
use crate::wrong::Wrong;
use crate::zones::local_date;

/// The days of a report: by default, and at most.
const DAYS: (u64, u64) = (7, 366);

/// The most sessions of one report: a longer one is asked for in parts.
pub const SESSIONS_MAX: i64 = 20_000;

/// What makes spreadsheets read Chinese.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// In which form a report is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReportFormat)]
pub enum Format {
    Json,
    Csv,
}

/// The days of a report, and its form.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Dates {
    /// The first local date; without it a week before `to`.
    #[param(inline, example = "2026-12-01")]
    pub from: Option<LocalDate>,
    /// The local date before which it ends, at most 366 days later; without it today.
    #[param(inline, example = "2026-12-08")]
    pub to: Option<LocalDate>,
    /// `json` or `csv`; without it as `Accept` says.
    #[param(inline)]
    pub format: Option<Format>,
    /// CSV only: begin with a byte order mark, without which some spreadsheets misread Chinese.
    #[serde(default)]
    pub bom: bool,
}

/// The form of a report as of today.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AsOfToday {
    /// `json` or `csv`; without it as `Accept` says.
    #[param(inline)]
    pub format: Option<Format>,
    /// CSV only: begin with a byte order mark, without which some spreadsheets misread Chinese.
    #[serde(default)]
    pub bom: bool,
}

/// Who reads a report of which studio, and when.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    pub studio_id: Uuid,
    pub zone: Tz,
    pub language: Language,
    pub now: DateTime<Utc>,
    /// By the studio's calendar.
    pub today: NaiveDate,
}

impl Reader {
    /// Refuses all but those who run this studio.
    pub async fn admin(app: &App, caller: &Caller, studio_id: Uuid) -> Answer<Self> {
        require_admin(app, caller, studio_id).await?;
        let (zone, locale) = setting(&app.db, studio_id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
        let (zone, now) = (zone.tz(), app.clock.now());
        Ok(Self { studio_id, zone, language: caller.language.unwrap_or(locale), now, today: local_date(now, zone) })
    }

    /// What a report counts, in the reader's language.
    pub const fn counts(&self, what: Counted) -> &'static str {
        what.sentence(self.language)
    }

    /// Without `to`, up to yesterday; without `from`, a week.
    pub fn days(&self, from: Option<LocalDate>, to: Option<LocalDate>) -> Answer<(NaiveDate, NaiveDate)> {
        let to = to.unwrap_or(LocalDate(self.today));
        let from = from.unwrap_or(LocalDate(to.0 - chrono::Days::new(DAYS.0)));
        date_range(Some(from), Some(to), self.today, DAYS).map_err(|wrong| Problem::field("to", wrong))
    }

    /// From the first instant of the first day to the first instant after the last.
    pub fn instants(&self, (from, to): (NaiveDate, NaiveDate)) -> (DateTime<Utc>, DateTime<Utc>) {
        (day(from, self.zone).0, day(to, self.zone).0)
    }
}

/// Refuses a report of more sessions than one answer holds.
pub fn not_too_many<T>(sessions: &[T]) -> Answer<()> {
    let count = i64::try_from(sessions.len()).unwrap_or(i64::MAX);
    if count > SESSIONS_MAX { Err(Problem::field("to", Wrong::TooManySessions { max: SESSIONS_MAX })) } else { Ok(()) }
}

/// A cell of a CSV.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Text(String),
    Number(i64),
    Ratio(f64),
    Nothing,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Uuid> for Cell {
    fn from(id: Uuid) -> Self {
        Self::Text(id.to_string())
    }
}

impl From<NaiveDate> for Cell {
    fn from(date: NaiveDate) -> Self {
        Self::Text(date.to_string())
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<f64> for Cell {
    fn from(ratio: f64) -> Self {
        Self::Ratio(ratio)
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}

/// A line of a CSV.
macro_rules! cells {
    ($($cell:expr),* $(,)?) => { vec![$($crate::reports::answer::Cell::from($cell)),*] };
}
pub(super) use cells;

/// A report as CSV: what its file is called, its columns, its lines.
#[derive(Debug)]
pub struct Sheet {
    pub name: String,
    pub columns: &'static [&'static str],
    pub lines: Vec<Vec<Cell>>,
}

impl Sheet {
    /// Of a report about these days.
    pub fn of_days(name: &str, (from, to): (NaiveDate, NaiveDate), columns: &'static [&'static str], lines: Vec<Vec<Cell>>) -> Self {
        Self { name: format!("{name}-{from}-{to}"), columns, lines }
    }

    fn text(&self, bom: bool) -> Answer<String> {
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        writer.write_record(self.columns).map_err(Problem::fault)?;
        for line in &self.lines {
            for value in line {
                let written = match value {
                    Cell::Text(text) => writer.write_field(cell(text).as_ref()),
                    Cell::Number(number) => writer.write_field(number.to_string()),
                    Cell::Ratio(ratio) => writer.write_field(ratio.to_string()),
                    Cell::Nothing => writer.write_field(""),
                };
                written.map_err(Problem::fault)?;
            }
            writer.write_record(None::<&[u8]>).map_err(Problem::fault)?;
        }
        let text = String::from_utf8(writer.into_inner().map_err(Problem::fault)?).map_err(Problem::fault)?;
        Ok(if bom { format!("{BYTE_ORDER_MARK}{text}") } else { text })
    }
}

/// The report in the form that was asked for.
pub fn answer(
    report: &impl Serialize,
    sheet: impl FnOnce() -> Sheet,
    (format, bom): (Option<Format>, bool),
    headers: &HeaderMap,
) -> Answer<Response> {
    let mut answer = if wants_csv(format, headers) {
        let sheet = sheet();
        let mut answer = Encoded::of_text(sheet.text(bom)?)?.answer_as(headers, "text/csv; charset=utf-8", "private, no-cache");
        let name = HeaderValue::from_str(&format!("attachment; filename=\"{}.csv\"", sheet.name)).map_err(Problem::fault)?;
        answer.headers_mut().insert(header::CONTENT_DISPOSITION, name);
        answer
    } else {
        Encoded::of(report)?.answer(headers, false)
    };
    answer.headers_mut().insert(header::VARY, HeaderValue::from_static("Authorization, Accept, Accept-Language"));
    Ok(answer)
}

/// Whether the caller wants CSV: as they say, or would rather have it than JSON (RFC 9110, 12.5.1, as far as two media types need it).
pub fn wants_csv(format: Option<Format>, headers: &HeaderMap) -> bool {
    if let Some(format) = format {
        return format == Format::Csv;
    }
    let accept = header_text(headers, "accept").unwrap_or_default();
    let weight = |kind: &str| {
        let item =
            accept.split(',').take(32).find(|item| item.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(kind)))?;
        Some(item.split(';').find_map(|part| part.trim().strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0))
    };
    let csv = weight("text/csv").unwrap_or(0.0);
    csv > 0.0 && csv >= weight("application/json").unwrap_or(0.0)
}

/// A minute of the day as clocks show it.
pub fn wall_time(minute: i64) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_numbers_and_texts_do_not_run() {
        let lines = vec![cells!["=1+1", -5_i64, Some(0.25), None::<i64>, "a, \"b\"", "课"]];
        let sheet = Sheet { name: "x".into(), columns: &["a", "b", "c", "d", "e", "f"], lines };
        assert_eq!(sheet.text(false).unwrap(), "a,b,c,d,e,f\r\n'=1+1,-5,0.25,,\"a, \"\"b\"\"\",课\r\n");
        assert!(sheet.text(true).unwrap().starts_with(BYTE_ORDER_MARK));
    }
}
