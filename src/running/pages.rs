//! Pages for people: the front page, and the page behind the link in a letter. Both say only what is there.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use uuid::Uuid;

use super::store::{self, DEMO};
use crate::app::App;
use crate::console::cookie;
use crate::demo::mark::{self, Mark, PASSWORD};
use crate::extract::{Path, header_text};
use crate::language::Language;
use crate::problem::{Answer, Problem};

/// What this address is and where to read on; on a demo, with its accounts and letters. In the reader's language.
#[utoipa::path(
    get, path = "/", operation_id = "show_front_page",
    responses((status = 200, body = String, content_type = "text/html"))
)]
pub async fn front(State(app): State<App>, headers: HeaderMap) -> Answer<Response> {
    // Whoever works here goes on; no app shows the console's cookie.
    if cookie::shows_ticket(&app, &headers) {
        return Ok(Redirect::to("/console").into_response());
    }
    let language = language(&headers);
    let mark = store::fact(&app.db, DEMO).await?.and_then(|mark| Mark::parse(&mark));
    let words = front_words(language);
    let demo = mark.map(|mark| Demo { password: PASSWORD, roles: words.roles, addresses: mark::accounts(mark.members) });
    answer(language, &Front { language, words, demo })
}

/// How a booking is cancelled, a waitlist left, a free place taken: for a reader whose phone did not open the app. Whoever has the address
/// sees the same page, whether or not there is such a booking: a letter may be forwarded, and a booking is nobody else's business.
#[utoipa::path(
    get, path = "/b/{booking_id}", operation_id = "show_booking_page",
    params(("booking_id" = Uuid, Path)),
    responses((status = 200, body = String, content_type = "text/html"))
)]
pub async fn booking_link(Path(_): Path<Uuid>, headers: HeaderMap) -> Answer<Response> {
    let language = language(&headers);
    answer(language, &Booking { language, words: booking_words(language), problem: None })
}

fn language(headers: &HeaderMap) -> Language {
    header_text(headers, "accept-language").and_then(Language::of_header).unwrap_or(Language::En)
}

fn answer(language: Language, page: &impl Template) -> Answer<Response> {
    let page = page.render().map_err(Problem::fault)?;
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_LANGUAGE, language.tag()),
        (header::VARY, "Accept-Language"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    Ok((headers, Html(page)).into_response())
}

#[derive(Template)]
#[template(path = "running/front.html")]
struct Front {
    language: Language,
    words: &'static FrontWords,
    demo: Option<Demo>,
}

/// What only a demo's front page shows.
struct Demo {
    password: &'static str,
    roles: [&'static str; 5],
    addresses: [String; 5],
}

impl Demo {
    fn accounts(&self) -> impl Iterator<Item = (&'static str, &String)> {
        self.roles.into_iter().zip(&self.addresses)
    }
}

#[derive(Template)]
#[template(path = "running/booking.html")]
struct Booking {
    language: Language,
    words: &'static BookingWords,
    problem: Option<&'static str>,
}

/// What the front page says in one language.
struct FrontWords {
    what: &'static str,
    console: &'static str,
    demo: &'static str,
    /// Before the password.
    invented: &'static str,
    /// As [`mark::accounts`] lists them.
    roles: [&'static str; 5],
    letters: &'static str,
    studios: &'static str,
    members: &'static str,
    in_the_app: &'static str,
    deletion: &'static str,
    developers: &'static str,
    docs: &'static str,
    document: &'static str,
}

const fn front_words(language: Language) -> &'static FrontWords {
    match language {
        Language::En => &FrontWords {
            what: "This is the booking service of barre and ballet-workout studios. Members book in their studio’s app, which asks this \
                   address.",
            console: "If you work in a studio: sign in to the console",
            demo: "This is a demo",
            invented: "Its studios and people are invented, and it serves on this machine alone. Every account has the password",
            roles: ["Owner", "Admin", "Front desk", "Instructors", "Members"],
            letters: "Every letter that it has sent",
            studios: "Its studios (JSON)",
            members: "If you book classes",
            in_the_app: "Use your studio’s app, or ask its front desk: they can book, cancel and take you off a waitlist. There are no pages \
                         for that here.",
            deletion: "Delete your account",
            developers: "If you write an app",
            docs: "Read and try the API",
            document: "The API’s document (OpenAPI, JSON)",
        },
        Language::ZhHans => &FrontWords {
            what: "这里是芭蕾把杆与芭蕾塑形工作室的约课服务。会员在工作室的App中约课，App通过此地址提供服务。",
            console: "工作室团队：登录控制台",
            demo: "这是演示环境",
            invented: "其中的工作室和人物均为虚构，且仅在本机运行。所有账号的密码均为",
            roles: ["所有者", "管理员", "前台", "教练", "会员"],
            letters: "已发送的所有邮件",
            studios: "工作室列表（JSON）",
            members: "如果您要约课",
            in_the_app: "请使用工作室的App，或联系前台：前台可为您预约、取消或退出候补。此处不提供约课页面。",
            deletion: "注销账号",
            developers: "如果您在开发应用",
            docs: "阅读并试用API",
            document: "API文档（OpenAPI，JSON）",
        },
        Language::ZhHant => &FrontWords {
            what: "這裡是芭蕾把桿與芭蕾塑形工作室的預約服務。會員在工作室的App中預約課堂，App透過此地址提供服務。",
            console: "工作室團隊：登入主控台",
            demo: "這是示範環境",
            invented: "其中的工作室與人物均為虛構，且只在本機運作。所有帳號的密碼均為",
            roles: ["擁有者", "管理員", "櫃檯", "教練", "會員"],
            letters: "已寄出的所有郵件",
            studios: "工作室列表（JSON）",
            members: "如果您要預約課堂",
            in_the_app: "請使用工作室的App，或聯絡櫃檯：櫃檯可為您預約、取消或退出候補。此處不提供預約頁面。",
            deletion: "註銷帳號",
            developers: "如果您正在開發應用程式",
            docs: "閱讀並試用API",
            document: "API文件（OpenAPI，JSON）",
        },
    }
}

/// What the page behind a letter's link says in one language.
struct BookingWords {
    title: &'static str,
    not_shown: &'static str,
    app: &'static str,
    in_the_app: &'static str,
    desk: &'static str,
    at_the_desk: &'static str,
}

const fn booking_words(language: Language) -> &'static BookingWords {
    match language {
        Language::En => &BookingWords {
            title: "How to cancel, leave a waitlist or take a place",
            not_shown: "What your booking costs, and until when you can cancel it, stands in our newest letter about it. This page cannot \
                        show it: a link may be forwarded, and your booking is nobody else’s business.",
            app: "With your studio’s app",
            in_the_app: "Open the app on your phone and sign in: your bookings are there.",
            desk: "Without it",
            at_the_desk: "Ask the front desk of your studio. They can cancel for you, take you off a waitlist, or book a place that is free.",
        },
        Language::ZhHans => &BookingWords {
            title: "如何取消预约、退出候补或预约空出的名额",
            not_shown: "预约的费用和免费取消时限，请见我们就该预约发送给您的最新邮件。链接可能会被转发，为保护您的隐私，此页面不显示预约内容。",
            app: "使用工作室的App",
            in_the_app: "请在手机上打开App并登录，即可看到您的预约。",
            desk: "没有App",
            at_the_desk: "请联系工作室前台。前台可为您取消预约、退出候补，或预约空出的名额。",
        },
        Language::ZhHant => &BookingWords {
            title: "如何取消預約、退出候補或預約釋出的名額",
            not_shown: "預約的費用與免費取消時限，請見我們就該預約寄給您的最新郵件。連結可能會被轉寄，為保護您的隱私，此頁面不顯示預約內容。",
            app: "使用工作室的App",
            in_the_app: "請在手機上開啟App並登入，即可看到您的預約。",
            desk: "沒有App",
            at_the_desk: "請聯絡工作室櫃檯。櫃檯可為您取消預約、退出候補，或預約釋出的名額。",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_its_pages() {
        for language in Language::ALL {
            let words = booking_words(language);
            let page = Booking { language, words, problem: None }.render().unwrap();
            assert!(page.contains(&format!("<html lang=\"{language}\">")));
            let said = [words.title, words.not_shown, words.app, words.in_the_app, words.desk, words.at_the_desk];
            assert!(said.iter().all(|text| page.contains(text)), "{page}");

            let words = front_words(language);
            let plain = Front { language, words, demo: None }.render().unwrap();
            assert!(plain.contains(&format!("<html lang=\"{language}\">")) && plain.contains(words.what), "{plain}");
            assert!(!plain.contains("demo") && !plain.contains(PASSWORD), "{plain}");
            let demo = Demo { password: PASSWORD, roles: words.roles, addresses: mark::accounts(60) };
            let demo = Front { language, words, demo: Some(demo) }.render().unwrap();
            for shown in [PASSWORD, "owner@demo.test", "member60@demo.test", "/dev/letters", "/docs", "/openapi.json", words.roles[4]] {
                assert!(demo.contains(shown), "{shown}: {demo}");
            }
        }
    }
}
