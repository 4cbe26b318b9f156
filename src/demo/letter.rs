//! `/dev/letters/{id}`: one letter of a demo as mail programs get it, with its HTML and its calendar part.

use askama::Template;
use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use mail_parser::{ContentType, Message, MessageParser, MimeHeaders};
use uuid::Uuid;

use crate::app::App;
use crate::extract::Path;
use crate::problem::{Answer, Kind, Problem};

#[derive(Template)]
#[template(path = "demo/letter.html")]
struct Letter {
    to: String,
    subject: String,
    date: String,
    text: String,
    html: String,
    calendar: Option<String>,
}

/// One letter that a demo has sent, with all its parts. Anywhere but in a demo, 404.
#[utoipa::path(get, path = "/dev/letters/{id}", tag = "Running it", params(("id" = Uuid, Path)),
    responses((status = 200, body = String, content_type = "text/html"), (status = 404, description = "This is no demo")))]
pub async fn letter(State(app): State<App>, Path(id): Path<Uuid>) -> Answer<Response> {
    let nothing = || Problem::new(Kind::NotFound);
    if !app.running.is_a_demo() {
        return Err(nothing());
    }
    let file = app.settings.data.directory.join("letters").join(format!("{id}.eml"));
    let raw = tokio::fs::read(file).await.map_err(|_| nothing())?;
    let mail = MessageParser::default().parse(&raw).ok_or_else(nothing)?;
    let page = Letter::of(&mail).render().map_err(Problem::fault)?;
    // The frame that shows the letter's HTML has no scripts and no origin, and inherits this policy.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    Ok(([(header::CONTENT_SECURITY_POLICY, policy), (header::REFERRER_POLICY, "no-referrer")], Html(page)).into_response())
}

impl Letter {
    fn of(mail: &Message<'_>) -> Self {
        let is_calendar = |kind: &ContentType<'_>| kind.subtype() == Some("calendar");
        let calendar = mail.parts.iter().find(|part| part.content_type().is_some_and(is_calendar));
        Self {
            to: mail.to().and_then(|to| to.first()).and_then(|to| to.address()).unwrap_or_default().to_owned(),
            subject: mail.subject().unwrap_or_default().to_owned(),
            date: mail.date().map(mail_parser::DateTime::to_rfc3339).unwrap_or_default(),
            text: mail.body_text(0).unwrap_or_default().into_owned(),
            html: mail.body_html(0).unwrap_or_default().into_owned(),
            calendar: calendar.and_then(|part| part.text_contents()).map(str::to_owned),
        }
    }
}
