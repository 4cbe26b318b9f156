//! The front page, for people: it says only what is there, and leads to the studios' pages.

use askama::Template;
use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::store::{self, DEMO};
use crate::app::App;
use crate::demo::mark::{self, Mark, PASSWORD};
use crate::language::Language;
use crate::problem::{Answer, Problem};
use crate::public::reader::Reader;
use crate::studios::{self, Studio};

/// Studios to choose from; who looks for another one has its address.
const STUDIOS_MAX: i64 = 50;

/// What this address is and where to go on; on a demo, with its accounts and letters. In the reader's language.
#[utoipa::path(
    get, path = "/", operation_id = "show_front_page",
    responses((status = 200, body = String, content_type = "text/html"))
)]
pub async fn front(State(app): State<App>, reader: Reader) -> Answer<Response> {
    // Whoever is signed in on this browser goes on; no app shows its cookie.
    if let Some(caller) = &reader.member {
        return Ok(Redirect::to(if caller.works() { "/console" } else { "/me" }).into_response());
    }
    let language = reader.reads();
    let mark = store::fact(&app.db, DEMO).await?.and_then(|mark| Mark::parse(&mark));
    let words = front_words(language);
    let demo = mark.map(|mark| Demo { password: PASSWORD, roles: words.roles, addresses: mark::accounts(mark.members) });
    let studios = studios::store::studios(&app.db, None, STUDIOS_MAX).await?;
    answer(language, &Front { language, words, studios, demo })
}

fn answer(language: Language, page: &impl Template) -> Answer<Response> {
    let page = page.render().map_err(Problem::fault)?;
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_LANGUAGE, language.tag()),
        (header::VARY, "Cookie, Accept-Language"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    Ok((headers, Html(page)).into_response())
}

#[derive(Template)]
#[template(path = "running/front.html")]
struct Front {
    language: Language,
    words: &'static FrontWords,
    studios: Vec<Studio>,
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
    schedules: &'static str,
    members: &'static str,
    bookings: &'static str,
    deletion: &'static str,
    developers: &'static str,
    docs: &'static str,
    document: &'static str,
}

const fn front_words(language: Language) -> &'static FrontWords {
    match language {
        Language::En => &FrontWords {
            what: "This is the booking service of barre and ballet-workout studios. Members book on their studio’s page, or in its app.",
            console: "If you work in a studio: sign in to the console",
            demo: "This is a demo",
            invented: "Its studios and people are invented, and it serves on this machine alone. Every account has the password",
            roles: ["Owner", "Admin", "Front desk", "Instructors", "Members"],
            letters: "Every letter that it has sent",
            studios: "Its studios (JSON)",
            schedules: "Choose your studio to see its classes:",
            members: "If you book classes",
            bookings: "See your bookings and passes",
            deletion: "Delete your account",
            developers: "If you write an app",
            docs: "Read and try the API",
            document: "The API’s document (OpenAPI, JSON)",
        },
        Language::ZhHans => &FrontWords {
            what: "这里是芭蕾把杆与芭蕾塑形工作室的约课服务。会员可在工作室的页面或App中约课。",
            console: "工作室团队：登录控制台",
            demo: "这是演示环境",
            invented: "其中的工作室和人物均为虚构，且仅在本机运行。所有账号的密码均为",
            roles: ["所有者", "管理员", "前台", "教练", "会员"],
            letters: "已发送的所有邮件",
            studios: "工作室列表（JSON）",
            schedules: "选择工作室，查看课表：",
            members: "如果您要约课",
            bookings: "查看您的预约和课卡",
            deletion: "注销账号",
            developers: "如果您在开发应用",
            docs: "阅读并试用API",
            document: "API文档（OpenAPI，JSON）",
        },
        Language::ZhHant => &FrontWords {
            what: "這裡是芭蕾把桿與芭蕾塑形工作室的預約服務。會員可在工作室的頁面或App中預約課堂。",
            console: "工作室團隊：登入主控台",
            demo: "這是示範環境",
            invented: "其中的工作室與人物均為虛構，且只在本機運作。所有帳號的密碼均為",
            roles: ["擁有者", "管理員", "櫃檯", "教練", "會員"],
            letters: "已寄出的所有郵件",
            studios: "工作室列表（JSON）",
            schedules: "選擇工作室，查看課表：",
            members: "如果您要預約課堂",
            bookings: "查看您的預約與課卡",
            deletion: "註銷帳號",
            developers: "如果您正在開發應用程式",
            docs: "閱讀並試用API",
            document: "API文件（OpenAPI，JSON）",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_its_pages() {
        for language in Language::ALL {
            let words = front_words(language);
            let plain = Front { language, words, studios: Vec::new(), demo: None }.render().unwrap();
            assert!(plain.contains(&format!("<html lang=\"{language}\">")) && plain.contains(words.what), "{plain}");
            assert!(!plain.contains("demo") && !plain.contains(PASSWORD), "{plain}");
            let demo = Demo { password: PASSWORD, roles: words.roles, addresses: mark::accounts(60) };
            let demo = Front { language, words, studios: Vec::new(), demo: Some(demo) }.render().unwrap();
            for shown in [PASSWORD, "owner@demo.test", "member60@demo.test", "/dev/letters", "/docs", "/openapi.json", words.roles[4]] {
                assert!(demo.contains(shown), "{shown}: {demo}");
            }
        }
    }
}
