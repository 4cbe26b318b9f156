//! `/dev/letters`: the letters of a demo, which go to files for lack of mailboxes.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use mail_parser::MessageParser;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::App;
use crate::extract::{Query, header_text};
use crate::problem::{Answer, Kind, Problem};

/// The most letters of one page.
const LETTERS_MAX: usize = 100;
/// A letter is some kilobytes; what is larger was not written by Relevé.
const LETTER_BYTES_MAX: u64 = 1 << 20;

/// Which letters.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct To {
    /// Only letters to this address.
    to: Option<String>,
}

/// A letter as it is shown.
struct Shown {
    to: String,
    subject: String,
    date: String,
    text: String,
}

/// The letters that a demo has sent, newest first: a page for browsers, plain text for everybody else. Anywhere but in a demo, 404.
#[utoipa::path(get, path = "/dev/letters", tag = "Running it", params(To),
    responses((status = 200, body = String, content_type = "text/html"), (status = 404, description = "This is no demo")))]
pub async fn letters(State(app): State<App>, Query(wanted): Query<To>, headers: HeaderMap) -> Answer<Response> {
    if !app.running.is_a_demo() {
        return Err(Problem::new(Kind::NotFound));
    }
    let directory = app.settings.data.directory.join("letters");
    let read = tokio::task::spawn_blocking(move || read(&directory, wanted.to.as_deref())).await;
    let letters = read.map_err(Problem::fault)?.map_err(Problem::fault)?;
    if header_text(&headers, "accept").is_some_and(|accept| accept.contains("text/html")) {
        let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
        return Ok(([(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, policy)], page(&letters))
            .into_response());
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], plain(&letters)).into_response())
}

/// The newest letters: a file is named by its letter's id, and ids sort by time.
fn read(directory: &Path, to: Option<&str>) -> io::Result<Vec<Shown>> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_letter(path)).collect();
    files.sort_unstable_by(|one, other| other.cmp(one));
    let letters = files.iter().filter_map(|file| letter(file)).filter(|letter| to.is_none_or(|to| letter.to.eq_ignore_ascii_case(to)));
    Ok(letters.take(LETTERS_MAX).collect())
}

/// Whether a file of the directory is one that the letter worker writes.
pub fn is_letter(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "eml")
}

fn letter(file: &Path) -> Option<Shown> {
    if file.metadata().ok()?.len() > LETTER_BYTES_MAX {
        return None;
    }
    let raw = std::fs::read(file).ok()?;
    let mail = MessageParser::default().parse(&raw)?;
    Some(Shown {
        to: mail.to().and_then(|to| to.first()).and_then(|to| to.address()).unwrap_or_default().to_owned(),
        subject: mail.subject().unwrap_or_default().to_owned(),
        date: mail.date().map(mail_parser::DateTime::to_rfc3339).unwrap_or_default(),
        text: mail.body_text(0).unwrap_or_default().into_owned(),
    })
}

fn plain(letters: &[Shown]) -> String {
    if letters.is_empty() {
        return "No letters yet.\n".into();
    }
    let rule = "─".repeat(60);
    let one =
        |Shown { to, subject, date, text }: &Shown| format!("To: {to}\nSubject: {subject}\nDate: {date}\n\n{}\n{rule}\n", text.trim_end());
    letters.iter().map(one).collect()
}

fn page(letters: &[Shown]) -> String {
    let mut list = String::new();
    for Shown { to, subject, date, text } in letters {
        // Writing into a string does not fail.
        let _ = write!(
            list,
            "<article><h2>{}</h2><p>{} · {}</p><pre>{}</pre></article>\n",
            escaped(subject),
            escaped(to),
            escaped(date),
            escaped(text.trim_end())
        );
    }
    if list.is_empty() {
        list.push_str("<p>No letters yet.</p>");
    }
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="5">
<title>Letters of the demo</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0 auto; max-width: 46rem; padding: 2rem 1.5rem; font: 1rem/1.5 system-ui, sans-serif; }}
article {{ border-top: 1px solid; padding: 1rem 0; }}
h2 {{ font-size: 1.1rem; margin: 0; }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; }}
</style>
</head>
<body>
<main>
<h1>Letters of the demo, newest first</h1>
<p>Nothing was sent: these are files in the data directory. <code>?to=member1@demo.test</code> shows one person’s.</p>
{list}</main>
</body>
</html>
"#
    )
}

/// Letters carry names and notes that people wrote.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_letter_is_first_and_nothing_in_it_is_markup() {
        let directory = tempfile::tempdir().unwrap();
        let mail = |to: &str, subject: &str| {
            format!("To: {to}\r\nSubject: {subject}\r\nDate: Mon, 30 Nov 2026 02:00:00 +0000\r\n\r\n<b>hello</b>\r\n")
        };
        std::fs::write(directory.path().join("1.eml"), mail("a@demo.test", "first")).unwrap();
        std::fs::write(directory.path().join("2.eml"), mail("b@demo.test", "=?utf-8?B?6aKE57qm?=")).unwrap();
        std::fs::write(directory.path().join(".3.part"), "half").unwrap();
        let all = read(directory.path(), None).unwrap();
        assert_eq!(all.iter().map(|letter| letter.subject.as_str()).collect::<Vec<_>>(), ["预约", "first"]);
        assert_eq!(read(directory.path(), Some("A@demo.test")).unwrap().len(), 1);
        assert!(page(&all).contains("&lt;b&gt;hello") && !page(&all).contains("<b>"));
        assert!(plain(&all).contains("To: b@demo.test\nSubject: 预约\nDate: 2026-11-30T02:00:00Z\n\n<b>hello</b>"));
        assert!(read(&directory.path().join("none"), None).unwrap().is_empty());
    }
}
