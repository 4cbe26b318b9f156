//! The page behind the link in a letter, for a reader whose device did not open the app.

use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse};
use uuid::Uuid;

use crate::extract::{Path, header_text};
use crate::language::Language;
use crate::problem::Answer;

/// Says to open the app, in the reader's language. Whoever has the address sees the same page, whether or not there is such a booking:
/// a letter may be forwarded, and a booking is nobody else's business.
#[utoipa::path(get, path = "/b/{booking_id}", tag = "Running it", params(("booking_id" = Uuid, Path)),
    responses((status = 200, body = String, content_type = "text/html")))]
pub async fn booking_link(Path(_): Path<Uuid>, headers: HeaderMap) -> Answer<impl IntoResponse> {
    let language = header_text(&headers, "accept-language").and_then(Language::of_header).unwrap_or(Language::En);
    let headers = [
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_LANGUAGE, language.tag()),
        (header::VARY, "Accept-Language"),
    ];
    Ok((headers, Html(page(language))))
}

/// Title, what to do, and what else to do.
const fn words(language: Language) -> [&'static str; 3] {
    match language {
        Language::En => [
            "Your booking is in the app",
            "Open the studio’s app on your phone to see this booking, cancel it or take a place.",
            "If you do not have the app, ask your studio: the front desk can help you with every booking.",
        ],
        Language::ZhHans => [
            "请在应用中查看您的预约",
            "请在手机上打开工作室的应用，查看或取消该预约，或接受空出的名额。",
            "如果您没有安装应用，请联系工作室，前台可以协助您处理任何预约。",
        ],
        Language::ZhHant => [
            "請在應用程式中查看您的預約",
            "請在手機上開啟工作室的應用程式，查看或取消該預約，或接受空出的名額。",
            "如果您沒有安裝應用程式，請聯絡工作室，櫃檯可以協助您處理任何預約。",
        ],
    }
}

fn page(language: Language) -> String {
    let [title, what, else_what] = words(language);
    let tag = language.tag();
    format!(
        r#"<!doctype html>
<html lang="{tag}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0 auto; max-width: 34rem; padding: 3rem 1.5rem; font: 1.0625rem/1.6 system-ui, sans-serif; }}
h1 {{ font-size: 1.5rem; line-height: 1.3; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{what}</p>
<p>{else_what}</p>
</main>
</body>
</html>
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_its_page() {
        for language in Language::ALL {
            let page = page(language);
            assert!(page.contains(&format!("<html lang=\"{language}\">")));
            assert!(words(language).iter().all(|text| page.contains(text)));
        }
    }
}
