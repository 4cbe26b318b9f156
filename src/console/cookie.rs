//! The cookies of the console: one that says who sits before it, one for the language of its pages.
//!
//! What signs somebody in is a signed ticket that names the device. It is no access token and opens nothing of the API; whether the device
//! is still signed in is looked up with every request, as for a token. No script can read it, no other site can send it along with a
//! form, and over TLS no neighbour of the host can plant one (`__Host-`).

use axum::http::{HeaderMap, HeaderValue, header};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::app::App;
use crate::language::Language;
use crate::problem::{Answer, Problem};

/// How long somebody stays signed in who does nothing: a weekend. The deployment's own limit for staff ends it besides.
const IDLE: TimeDelta = TimeDelta::days(3);
/// The same for a member, whose phone shows nobody else's data, and who comes when they come.
const MEMBER_IDLE: TimeDelta = TimeDelta::days(60);
/// A ticket is renewed when it is older, so that not every page writes.
const RENEWED_AFTER: TimeDelta = TimeDelta::minutes(10);
/// The language is remembered for a year.
const LANGUAGE_S: i64 = 365 * 24 * 3_600;

const LANGUAGE: &str = "releve_language";

/// Who is signed in on which device, since when, and until when if they do nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Who. No claim of an access token is called so: neither is taken for the other.
    pub console: Uuid,
    pub device: Uuid,
    /// When they signed in, in seconds since 1970.
    pub since: i64,
    /// From when it is of no use.
    pub until: i64,
}

impl Ticket {
    /// For somebody who has just signed in.
    pub fn new(person_id: Uuid, device_id: Uuid, now: DateTime<Utc>) -> Self {
        Self { console: person_id, device: device_id, since: now.timestamp(), until: (now + IDLE).timestamp() }
    }

    /// The genuine ticket of a request that is still of use.
    pub fn of(app: &App, headers: &HeaderMap) -> Option<Self> {
        let now = app.clock.now();
        app.keys.check::<Self>(read(headers, name(app))?, now).filter(|ticket| now.timestamp() < ticket.until)
    }

    /// Whether they signed in longer ago than they may stay.
    pub fn is_over(&self, life: TimeDelta, now: DateTime<Utc>) -> bool {
        now.timestamp() >= self.since.saturating_add(life.num_seconds())
    }

    /// One that lasts longer, if it is time for it: how long depends on whether they work in a studio.
    pub fn renewed(&self, works: bool, now: DateTime<Utc>) -> Option<Self> {
        let until = (now + if works { IDLE } else { MEMBER_IDLE }).timestamp();
        (until - self.until >= RENEWED_AFTER.num_seconds()).then_some(Self { until, ..*self })
    }

    /// As the browser is told.
    pub fn header(&self, app: &App) -> Answer<HeaderValue> {
        cookie(app, name(app), &app.keys.sign(self)?, (self.until - app.clock.now().timestamp()).max(0))
    }
}

/// Whether a browser shows a ticket at all, whatever it is worth.
pub fn shows_ticket(app: &App, headers: &HeaderMap) -> bool {
    read(headers, name(app)).is_some()
}

/// Tells the browser to forget who is signed in.
pub fn gone(app: &App) -> Answer<HeaderValue> {
    cookie(app, name(app), "", 0)
}

/// Tells the browser the language of the pages.
pub fn language_header(app: &App, language: Language) -> Answer<HeaderValue> {
    cookie(app, LANGUAGE, language.tag(), LANGUAGE_S)
}

/// The language that was chosen for the pages.
pub fn language(headers: &HeaderMap) -> Option<Language> {
    Language::of_tag(read(headers, LANGUAGE)?)
}

fn is_secure(app: &App) -> bool {
    app.settings.server.public_url.starts_with("https://")
}

fn name(app: &App) -> &'static str {
    if is_secure(app) { "__Host-releve_console" } else { "releve_console" }
}

fn cookie(app: &App, name: &str, value: &str, life_s: i64) -> Answer<HeaderValue> {
    let secure = if is_secure(app) { "; Secure" } else { "" };
    // Lax: a link in a letter leads to a page, and no form of another site is sent with it.
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={life_s}{secure}");
    HeaderValue::try_from(text).map_err(Problem::fault)
}

fn read<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    all.filter_map(|pair| pair.trim().split_once('=')).find(|(of, _)| *of == name).map(|(_, value)| value).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_lasts_as_long_as_it_is_used_and_no_longer_than_it_may() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let ticket = Ticket::new(Uuid::nil(), Uuid::max(), now);
        assert_eq!(ticket.renewed(true, now + TimeDelta::minutes(9)), None);
        let later = now + TimeDelta::hours(1);
        let renewed = ticket.renewed(true, later).unwrap();
        assert_eq!((renewed.since, renewed.until), (ticket.since, (later + IDLE).timestamp()));
        assert_eq!(ticket.renewed(false, now).unwrap().until, (now + MEMBER_IDLE).timestamp());
        let life = TimeDelta::days(30);
        assert!(!renewed.is_over(life, now + life - TimeDelta::seconds(1)));
        assert!(renewed.is_over(life, now + life));
    }

    #[test]
    fn one_cookie_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; releve_language=zh-Hant;releve_console="));
        assert_eq!(language(&headers), Some(Language::ZhHant));
        assert_eq!(read(&headers, "releve_console"), None);
        assert_eq!(read(&headers, "console"), None);
    }
}
