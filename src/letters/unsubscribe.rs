//! The page behind the link at a letter's foot, which switches letters of its kind off (RFC 2369, RFC 8058). Nobody needs to sign in. To look
//! at it changes nothing, as mail scanners open every link; what its button sends does, and a mail program's one click sends the same.

use askama::Template;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use utoipa::ToSchema;
use uuid::Uuid;

use super::outbox;
use super::switches::{Switch, SwitchesChange};
use crate::app::App;
use crate::events::{self, Event, Happened};
use crate::extract::Path;
use crate::language::Language;
use crate::page;
use crate::people::store::{self, Change};
use crate::problem::{Answer, Problem, ProblemType};
use crate::sign_in::Visitor;

#[derive(Template)]
#[template(path = "letters/unsubscribe.html")]
struct Page {
    language: Language,
    words: &'static Words,
    problem: Option<&'static str>,
    /// Which letters.
    about: &'static str,
    /// Whether they are still sent.
    on: bool,
}

/// What the page says in one language.
struct Words {
    title: &'static str,
    ask: &'static str,
    button: &'static str,
    done: &'static str,
    back: &'static str,
    always: &'static str,
    /// In the order of [`Switch::ALL`].
    about: [&'static str; 4],
}

static EN: Words = Words {
    title: "Letters that you receive",
    ask: "You receive such letters now. Do you want no more of them?",
    button: "No more of these letters",
    done: "You receive no more of these letters.",
    back: "You can switch them on again in your studio’s app.",
    always: "Letters about what changes your bookings or costs you something are always sent.",
    about: [
        "Reminders the day before a class",
        "Reminders two hours before a class",
        "Letters about passes that end soon",
        "Letters about free places in classes that you wait for",
    ],
};

static ZH_HANS: Words = Words {
    title: "邮件接收设置",
    ask: "您目前会收到此类邮件。要停止接收吗？",
    button: "不再接收",
    done: "您不会再收到此类邮件。",
    back: "您可以在工作室的App中重新开启。",
    always: "有关预约变动或费用的邮件仍会照常发送。",
    about: ["上课前一天的提醒", "上课前两小时的提醒", "有关次卡或会员卡即将到期的邮件", "有关候补课程空出名额的邮件"],
};

static ZH_HANT: Words = Words {
    title: "郵件接收設定",
    ask: "您目前會收到此類郵件。要停止接收嗎？",
    button: "不再接收",
    done: "您不會再收到此類郵件。",
    back: "您可以在工作室的App中重新開啟。",
    always: "有關預約變動或費用的郵件仍會照常寄送。",
    about: ["上課前一天的提醒", "上課前兩小時的提醒", "有關課堂套票或會籍即將到期的郵件", "有關候補課堂釋出名額的郵件"],
};

const fn words(language: Language) -> &'static Words {
    match language {
        Language::En => &EN,
        Language::ZhHans => &ZH_HANS,
        Language::ZhHant => &ZH_HANT,
    }
}

/// The link at the foot of this person's letters of this kind.
pub fn link(app: &App, person_id: Uuid, switch: Switch) -> String {
    let (public_url, name) = (app.settings.server.public_url.trim_end_matches('/'), switch.as_str());
    format!("{public_url}/unsubscribe/{person_id}/{name}/{}", app.keys.sign_unsubscribe(person_id, name))
}

/// Says which letters the link is about, and nothing else happens: to switch them off is a button of the page.
#[utoipa::path(
    get, path = "/unsubscribe/{id}/{switch}/{signature}", operation_id = "show_unsubscribe_page",
    params(("id" = Uuid, Path), ("switch" = String, Path), ("signature" = String, Path)),
    responses((status = 200, body = String, content_type = "text/html"))
)]
pub async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Path((id, switch, signature)): Path<(Uuid, String, String)>,
) -> Answer<Response> {
    let switch = signed(&app, id, &switch, &signature)?;
    let mut tx = app.db.read().await?;
    let profile = store::profile(&mut tx, id).await?.filter(|profile| profile.email.is_some());
    tx.rollback().await;
    let profile = profile.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    answer(&visitor, profile.locale, switch, profile.letters.is_on(switch), StatusCode::OK)
}

/// What the page's button sends, and a mail program of its own accord.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "it is looked for in the body")]
struct UnsubscribeForm {
    #[schema(rename = "List-Unsubscribe", example = "One-Click")]
    list_unsubscribe: String,
}

/// Switches the letters off, once or again.
#[utoipa::path(
    post, path = "/unsubscribe/{id}/{switch}/{signature}", operation_id = "submit_unsubscribe_page",
    params(("id" = Uuid, Path), ("switch" = String, Path), ("signature" = String, Path)),
    request_body(content = inline(UnsubscribeForm), content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "They are off.", body = String, content_type = "text/html"),
        (status = 422, description = "The body does not ask for it: nothing is changed.", body = String, content_type = "text/html"),
    )
)]
pub async fn submit(
    State(app): State<App>,
    visitor: Visitor,
    Path((id, switch, signature)): Path<(Uuid, String, String)>,
    body: Bytes,
) -> Answer<Response> {
    let switch = signed(&app, id, &switch, &signature)?;
    let asked = asks(&body);
    let (now, actor) = (app.clock.now(), visitor.actor());
    let profile = app
        .db
        .write("unsubscribe", move |tx| {
            Box::pin(async move {
                let profile = store::profile(tx, id).await?.filter(|profile| profile.email.is_some());
                let profile = profile.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
                // A repeat changes nothing, and the log says it once.
                if asked && profile.letters.is_on(switch) {
                    let letters = SwitchesChange::off(switch);
                    store::change(tx, id, Change { letters, ..Change::default() }).await?;
                    outbox::unwanted(tx, id, letters.turned_off()).await?;
                    events::log::write(tx, now, vec![actor.did(Event::of_person(id, Happened::PersonChanged))]).await?;
                }
                Ok::<_, Problem>(profile)
            })
        })
        .await?;
    let status = if asked { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    answer(&visitor, profile.locale, switch, !asked && profile.letters.is_on(switch), status)
}

/// Whose letters the link switches off, and which; a link that none of our keys made is not found.
fn signed(app: &App, person_id: Uuid, name: &str, signature: &str) -> Answer<Switch> {
    let switch = Switch::named(name).filter(|_| app.keys.is_signed_unsubscribe(person_id, name, signature));
    switch.ok_or_else(|| Problem::new(ProblemType::NotFound))
}

/// Whether a body says `List-Unsubscribe=One-Click`. Mail programs may send it as either kind of form (RFC 8058, 3.2), and there is nothing
/// else that a body could ask for.
fn asks(body: &[u8]) -> bool {
    let body = String::from_utf8_lossy(body);
    body.contains("List-Unsubscribe") && body.contains("One-Click")
}

fn answer(visitor: &Visitor, locale: Option<Language>, switch: Switch, on: bool, status: StatusCode) -> Answer<Response> {
    let language = visitor.language.or(locale).unwrap_or(Language::En);
    let words = words(language);
    let about = Switch::ALL.iter().zip(words.about).find(|(one, _)| **one == switch).map_or("", |(_, about)| about);
    page::answer(&Page { language, words, problem: None, about, on }, language, status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_form_ask_and_nothing_else_does() {
        let multipart = "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
        for (body, asked) in
            [("List-Unsubscribe=One-Click", true), (multipart, true), ("", false), ("List-Unsubscribe=", false), ("one-click", false)]
        {
            assert_eq!(asks(body.as_bytes()), asked, "{body}");
        }
        assert!(!asks(&[0xff, 0xfe]));
    }
}
