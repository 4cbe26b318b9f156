//! `/dev/letters`: what a demo's letters look like. Served only where letters go to files and the database carries the demo's mark, so
//! never where real letters are: codes can be read here.

use std::path::Path as FilePath;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Response};
use chrono::DateTime;
use mail_parser::{Message, MessageParser, MimeHeaders};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::transport::Transport;
use crate::app::App;
use crate::extract::{Path, Query, header_text};
use crate::language::Language;
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::running::store::{DEMO, fact};

/// The most letters of the list.
const LISTED_MAX: usize = 200;

#[derive(Template)]
#[template(path = "letters/pages/list.html")]
struct List {
    letters: Vec<Letter>,
    /// The address, if only one person's are listed.
    to: Option<String>,
}

#[derive(Template)]
#[template(path = "letters/pages/one.html")]
struct One {
    language: Language,
    words: Words,
    problem: Option<&'static str>,
    letter: Letter,
    text: String,
    html: String,
    calendar: Option<String>,
}

/// What the frame of the pages asks for.
struct Words {
    title: String,
}

/// A letter's envelope.
struct Letter {
    id: Uuid,
    at: String,
    from: String,
    to: String,
    subject: String,
}

impl Letter {
    fn of(id: Uuid, mail: &Message<'_>) -> Self {
        let to = mail.to().and_then(|to| to.first()).and_then(|to| to.address()).unwrap_or_default().to_owned();
        let from = mail.from().and_then(|from| from.first()).and_then(|from| from.name()).unwrap_or_default().to_owned();
        let at = mail.date().and_then(|date| DateTime::from_timestamp(date.to_timestamp(), 0));
        let at = at.map(|at| at.format("%-d %b %Y, %H:%M UTC").to_string()).unwrap_or_default();
        Self { id, at, from, to, subject: mail.subject().unwrap_or_default().to_owned() }
    }

    /// The address as a link's query spells it.
    fn to_in_query(&self) -> String {
        url::form_urlencoded::byte_serialize(self.to.as_bytes()).collect()
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct To {
    /// Only letters to this address.
    to: Option<String>,
}

/// A demo's newest letters: for browsers a list, for everybody else their texts. Anywhere but in a demo, 404.
#[utoipa::path(
    get, path = "/dev/letters", operation_id = "list_demo_letters",
    params(To),
    responses((status = 200, description = "A page, or their texts.", content((String = "text/html"), (String = "text/plain")))),
    extensions(("x-problem-types" = json!(refuses![NotFound])))
)]
pub async fn list(State(app): State<App>, Query(whose): Query<To>, headers: HeaderMap) -> Answer<Response> {
    let for_browsers = header_text(&headers, "accept").is_some_and(|accept| accept.contains("text/html"));
    let directory = demo_directory(&app).await?;
    let mut ids = ids_in(directory).await;
    // Ids of version 7: the newest last.
    ids.sort_unstable();
    let mut letters = Vec::new();
    let mut texts = String::new();
    for id in ids.into_iter().rev() {
        let Some(raw) = raw(directory, id).await else { continue };
        let Some(mail) = MessageParser::default().parse(&raw) else { continue };
        let letter = Letter::of(id, &mail);
        if whose.to.as_ref().is_some_and(|to| !letter.to.eq_ignore_ascii_case(to)) {
            continue;
        }
        if !for_browsers {
            texts.push_str(&as_text(&letter, &mail));
        }
        letters.push(letter);
        if letters.len() >= LISTED_MAX {
            break;
        }
    }
    if for_browsers {
        return answer(&List { letters, to: whose.to });
    }
    if texts.is_empty() {
        texts.push_str("No letters yet.\n");
    }
    Ok(texts.into_response())
}

/// As text for a terminal, with a line below.
fn as_text(Letter { at, to, subject, .. }: &Letter, mail: &Message<'_>) -> String {
    let text = mail.body_text(0).unwrap_or_default();
    format!("To: {to}\nSubject: {subject}\nDate: {at}\n\n{}\n{}\n", text.trim_end(), "─".repeat(60))
}

/// One letter of a demo with all its parts.
#[utoipa::path(
    get, path = "/dev/letters/{id}", operation_id = "show_demo_letter",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = String, content_type = "text/html"))
)]
pub async fn one(State(app): State<App>, Path(id): Path<Uuid>) -> Answer<Response> {
    let raw = raw(demo_directory(&app).await?, id).await.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    let mail = MessageParser::default().parse(&raw).ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    let is_calendar = |kind: &mail_parser::ContentType<'_>| kind.subtype() == Some("calendar");
    let calendar = mail.parts.iter().find(|part| part.content_type().is_some_and(is_calendar));
    let letter = Letter::of(id, &mail);
    answer(&One {
        language: Language::En,
        words: Words { title: letter.subject.clone() },
        problem: None,
        letter,
        text: mail.body_text(0).unwrap_or_default().into_owned(),
        html: mail.body_html(0).unwrap_or_default().into_owned(),
        calendar: calendar.and_then(|part| part.text_contents()).map(str::to_owned),
    })
}

async fn demo_directory(app: &App) -> Answer<&FilePath> {
    let nothing = || Problem::new(ProblemType::NotFound);
    let Transport::File(letters) = &app.post.transport else { return Err(nothing()) };
    fact(&app.db, DEMO).await?.ok_or_else(nothing)?;
    Ok(&letters.directory)
}

async fn ids_in(directory: &FilePath) -> Vec<Uuid> {
    let mut ids = Vec::new();
    // Before the first letter there is no directory.
    let Ok(mut files) = tokio::fs::read_dir(directory).await else { return ids };
    while let Ok(Some(file)) = files.next_entry().await {
        ids.extend(file.file_name().to_str().and_then(|name| name.strip_suffix(".eml")?.parse::<Uuid>().ok()));
    }
    ids
}

async fn raw(directory: &FilePath, id: Uuid) -> Option<Vec<u8>> {
    tokio::fs::read(directory.join(format!("{id}.eml"))).await.ok()
}

fn answer(page: &impl Template) -> Answer<Response> {
    let page = page.render().map_err(Problem::fault)?;
    let headers = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Html(page)).into_response())
}
