//! The words of the letters: one folder per language, one file per kind, compiled in. A missing file, or a kind that a
//! language's `letter.txt` does not name, fails the build.
//!
//! A file is plain text. Its first line is the subject; then every line is a paragraph, blank lines are for the eye.
//! A line's first characters may give it another form:
//!
//! - `- Label: value` a fact; facts that follow each other make a list
//! - `# 12345678` a code
//! - `> View or cancel your booking` a link, with this text, to the page of the letter's booking, or where else its reader goes on
//! - `~ Studio, address` small print
//! - `! No more letters of this kind:` small print, with the link behind it that switches such letters off
//! - `^ Free to cancel until …` a paragraph that is also the preview: what a mailbox shows beside the subject. Without one, the first
//!   paragraph after the greeting is it
//!
//! A letter itself says what something costs and until when: it is read without a network too. The page behind its link says it as of now,
//! shows the code for the door, and is where a member cancels, accepts or leaves.
//!
//! The text part and the HTML part both come from these lines. What is filled in never makes a line of its own
//! ([`OneLine`]), and is escaped in `frame.html`, so nobody's name and no note of the staff can change a letter's shape.

use std::fmt::{self, Write};

use askama::Template;
use chrono::{DateTime, NaiveDate, Utc};

use super::facts::{
    CancelReason, Facts, InvitedRole, LeftBecause, Money, OtherBooking, PassedOver, Rendered, SessionFacts, StudioFacts, Terms, Then,
    ToRender, Waiting,
};
use super::{calendar, phrases};
use crate::language::{Language, Texts};
use crate::passes::Length;
use crate::passes::rules::validity::OPEN_END;
use crate::sign_in::factors::FactorKind;

/// A subject's length in characters, beyond which it is cut: phones show about 40, and header lines have a limit.
const SUBJECT_CHARS_MAX: usize = 120;

/// The words of a letter in its language. The only failure is a kind that carries a code and came without one.
pub fn render(letter: &ToRender<'_>) -> Result<Rendered, askama::Error> {
    let words = match letter.language {
        Language::En => Words::En { letter }.render(),
        Language::ZhHans => Words::ZhHans { letter }.render(),
        Language::ZhHant => Words::ZhHant { letter }.render(),
    }?;
    let mut lines = words.lines().map(str::trim).filter(|line| !line.is_empty());
    let subject = cut(lines.next().unwrap_or_default(), SUBJECT_CHARS_MAX);
    let (preview, blocks) = blocks(lines);
    let link = letter.link();
    let unsubscribe = letter.unsubscribe.unwrap_or_default();
    let text = text(&blocks, &link, unsubscribe);
    let html = Frame { language: letter.language, subject: &subject, preview, blocks: &blocks, link: &link, unsubscribe }.render()?;
    Ok(Rendered { subject, text, html })
}

/// The three folders.
#[derive(Template)]
enum Words<'a> {
    #[template(path = "letters/words/en/letter.txt")]
    En { letter: &'a ToRender<'a> },
    #[template(path = "letters/words/zh_hans/letter.txt")]
    ZhHans { letter: &'a ToRender<'a> },
    #[template(path = "letters/words/zh_hant/letter.txt")]
    ZhHant { letter: &'a ToRender<'a> },
}

/// What the templates may ask of a letter: everything comes in the reader's language and in the studio's local time.
impl ToRender<'_> {
    /// The page of the booking, or of its offer; where an invitation is accepted; where whom a desk entered signs in. A letter whose booking
    /// is unknown leads to the front page.
    fn link(&self) -> String {
        if let Some(link) = self.link {
            return link.to_owned();
        }
        match self.facts {
            // What stands behind the `#` is sent to no server, and written into no log.
            Facts::Invitation { .. } => return format!("{}/me/invitation#{}", self.public_url, self.code.unwrap_or_default()),
            Facts::EnteredByFrontDesk { linked: true, .. } => return format!("{}/me/sign-in", self.public_url),
            Facts::EnteredByFrontDesk { .. } => return format!("{}/me/sign-up", self.public_url),
            _ => {}
        }
        self.booking_id.map_or_else(|| format!("{}/", self.public_url), |id| calendar::link(self.public_url, id))
    }

    fn code(&self) -> askama::Result<&str> {
        self.code.ok_or_else(|| askama::Error::custom("a letter of this kind needs its code"))
    }

    /// Whether it is about the account alone: a studio that is not named stands behind the others.
    fn is_about_account(&self) -> bool {
        !matches!(self.facts, Facts::Invitation { .. } | Facts::EnteredByFrontDesk { .. })
    }

    fn read<'t>(&self, texts: &'t Texts) -> &'t str {
        texts.read(self.language)
    }

    fn class<'s>(&self, session: &'s SessionFacts) -> &'s str {
        session.class.read(self.language)
    }

    /// When the session starts, short: for a subject.
    fn start(&self, session: &SessionFacts) -> String {
        self.until(&session.starts_at, session)
    }

    /// An instant in the session's local time.
    fn until(&self, at: &DateTime<Utc>, session: &SessionFacts) -> String {
        phrases::day_and_time(*at, session.studio.time_zone, self.language)
    }

    /// From when to when, in full.
    fn span(&self, session: &SessionFacts) -> String {
        phrases::span(session.starts_at, session.ends_at, session.studio.time_zone, self.language)
    }

    fn utc(&self, at: &DateTime<Utc>) -> String {
        phrases::utc(*at, self.language)
    }

    fn date(&self, date: &NaiveDate) -> String {
        phrases::date(*date, self.language)
    }

    /// A last day; none where there is no end.
    fn end(&self, date: &NaiveDate) -> String {
        if *date == OPEN_END { String::new() } else { self.date(date) }
    }

    fn length(&self, length: &Length) -> String {
        phrases::pass_length(*length, self.language)
    }

    fn money(&self, money: &Money) -> String {
        phrases::money(money)
    }

    fn credits(&self, n: &i64) -> String {
        phrases::credits(*n, self.language)
    }

    fn cost(&self, terms: &Terms) -> String {
        phrases::cost(terms, self.language)
    }

    fn free_cancel(&self, session: &SessionFacts, terms: &Terms) -> String {
        phrases::free_cancel_text(terms, session.starts_at, session.studio.time_zone, self.language)
    }

    /// The same for somebody who may be past it.
    fn free_cancel_now(&self, session: &SessionFacts, terms: &Terms) -> String {
        let free_cancel_until = terms.free_cancel_until.filter(|until| self.written_at < *until);
        self.free_cancel(session, &Terms { free_cancel_until, ..terms.clone() })
    }

    fn free_cancel_of(&self, other: &OtherBooking, session: &SessionFacts) -> String {
        phrases::free_cancel_text(&other.terms, other.starts_at, session.studio.time_zone, self.language)
    }

    /// What comes next for a waiting member.
    fn waiting(&self) -> Option<Waiting> {
        let waiting = match self.facts {
            Facts::Waitlisted { credits, promoted_until, then, .. } => {
                Some(Waiting { credits: *credits, promoted_until: *promoted_until, then: *then })
            }
            Facts::PassedOver { waiting, .. }
            | Facts::MovedToWaitlist { waiting, .. }
            | Facts::OfferWithdrawn { waiting, .. }
            | Facts::SessionChanged { waiting, .. } => waiting.clone(),
            _ => None,
        };
        waiting.map(|waiting| Waiting { promoted_until: waiting.promoted_until.filter(|until| self.written_at < *until), ..waiting })
    }

    fn place_cost(&self, credits: &i64) -> String {
        phrases::place_cost(*credits, self.language)
    }

    fn roles(&self, roles: &[InvitedRole]) -> String {
        let comma = if self.language == Language::En { ", " } else { "、" };
        roles.iter().map(|role| phrases::role(*role, self.language)).collect::<Vec<_>>().join(comma)
    }

    /// What a suspended member may book, and until when.
    fn suspended(&self, until: &DateTime<Utc>, only_within_hours: &i64, studio: &StudioFacts) -> String {
        let until = phrases::day_and_time(*until, studio.time_zone, self.language);
        phrases::suspended_text(&until, *only_within_hours, self.language)
    }

    fn passed_over(&self, reason: &PassedOver) -> &'static str {
        phrases::passed_over(*reason, self.language)
    }

    fn cancel_reason(&self, reason: &Option<CancelReason>) -> Option<&'static str> {
        reason.and_then(|reason| phrases::cancel_reason(reason, self.language))
    }
}

/// Puts what is filled in on one line: line breaks, control characters and those that turn the direction of reading
/// become one space. `askama.toml` names it for every `.txt`.
#[derive(Clone, Copy, Debug)]
pub struct OneLine;

impl askama::filters::Escaper for OneLine {
    fn write_escaped_str<W: Write>(&self, mut dest: W, string: &str) -> fmt::Result {
        let mut words = string.split(|c: char| c.is_whitespace() || c.is_control() || turns_reading(c));
        if let Some(first) = words.next() {
            dest.write_str(first)?;
        }
        for word in words.filter(|word| !word.is_empty()) {
            dest.write_char(' ')?;
            dest.write_str(word)?;
        }
        Ok(())
    }
}

/// The bidirectional embeddings, overrides and isolates of Unicode: with them a name could make its line read backwards.
fn turns_reading(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The frame around the words: one for all kinds and languages. Here everything is escaped for HTML.
#[derive(Template)]
#[template(path = "letters/words/frame.html")]
struct Frame<'a> {
    language: Language,
    subject: &'a str,
    /// What a mailbox shows beside the subject.
    preview: &'a str,
    blocks: &'a [Block<'a>],
    link: &'a str,
    unsubscribe: &'a str,
}

/// One piece of a letter.
#[derive(Debug, PartialEq, Eq)]
enum Block<'a> {
    Paragraph(&'a str),
    Facts(Vec<Fact<'a>>),
    Code(&'a str),
    Link(&'a str),
    Small(&'a str),
    Unsubscribe(&'a str),
}

#[derive(Debug, PartialEq, Eq)]
struct Fact<'a> {
    /// As the text part shows it, with the colon of its language.
    line: &'a str,
    label: &'a str,
    value: &'a str,
}

/// The preview, and the pieces.
fn blocks<'a>(lines: impl Iterator<Item = &'a str>) -> (&'a str, Vec<Block<'a>>) {
    let mut blocks = Vec::new();
    let mut preview = None;
    for line in lines {
        let block = match line.split_once(' ') {
            Some(("-", line)) => {
                // The label is ours and has no colon; the value may.
                let (label, value) = line.split_once([':', '：']).unwrap_or(("", line));
                let fact = Fact { line, label, value: value.trim() };
                match blocks.last_mut() {
                    _ if fact.value.is_empty() => continue,
                    Some(Block::Facts(facts)) => {
                        facts.push(fact);
                        continue;
                    }
                    _ => Block::Facts(vec![fact]),
                }
            }
            Some(("#", code)) => Block::Code(code),
            Some((">", words)) => Block::Link(words),
            Some(("~", words)) => Block::Small(words),
            Some(("!", words)) => Block::Unsubscribe(words),
            Some(("^", words)) => {
                preview = Some(words);
                Block::Paragraph(words)
            }
            _ => Block::Paragraph(line),
        };
        blocks.push(block);
    }
    let paragraphs = blocks.iter().filter_map(|block| if let Block::Paragraph(words) = block { Some(*words) } else { None });
    // The first paragraph is the greeting.
    (preview.or(paragraphs.into_iter().nth(1)).unwrap_or_default(), blocks)
}

/// The text part: the same blocks, complete without a picture or a colour.
fn text(blocks: &[Block<'_>], link: &str, unsubscribe: &str) -> String {
    let mut text = String::new();
    let mut after_small = false;
    for block in blocks {
        let small = matches!(block, Block::Small(_) | Block::Unsubscribe(_));
        if !text.is_empty() {
            text.push_str(if small && after_small { "\n" } else { "\n\n" });
        }
        after_small = small;
        match block {
            Block::Paragraph(words) | Block::Small(words) => text.push_str(words),
            Block::Facts(facts) => {
                let lines: Vec<_> = facts.iter().map(|fact| fact.line).collect();
                text.push_str(&lines.join("\n"));
            }
            Block::Code(code) => {
                text.push_str("    ");
                text.push_str(code);
            }
            Block::Link(words) => {
                text.push_str(words);
                text.push('\n');
                text.push_str(link);
            }
            Block::Unsubscribe(words) => {
                text.push_str(words);
                text.push(' ');
                text.push_str(unsubscribe);
            }
        }
    }
    text.push('\n');
    text
}

fn cut(words: &str, chars_max: usize) -> String {
    if words.chars().count() <= chars_max {
        return words.to_owned();
    }
    let mut short: String = words.chars().take(chars_max - 1).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

#[cfg(test)]
pub(super) mod tests;
