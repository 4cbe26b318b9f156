//! The public page on which somebody who no longer has the app has their account deleted, by a mailed code.

use askama::Template;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use utoipa::ToSchema;

use super::deletion::{self, Deletion};
use crate::app::App;
use crate::language::Language;
use crate::letters::phrases;
use crate::page;
use crate::problem::{Answer, Problem, ProblemType};
use crate::sign_in::Visitor;
use crate::sign_in::buckets::Asker;
use crate::sign_in::limits::Limit;
use crate::sign_in::store::Purpose;
use crate::sign_in::verification::send_code;
use crate::text::Email;

/// Which form the page shows.
enum Step {
    Address,
    Code { email: String },
    Done { due_on: String },
}

#[derive(Template)]
#[template(path = "people/deletion.html")]
struct Page<'p> {
    language: Language,
    words: &'p Words,
    problem: Option<&'p str>,
    step: &'p Step,
}

/// What the page says in one language.
struct Words {
    title: &'static str,
    what_happens: &'static str,
    address: &'static str,
    send_code: &'static str,
    code_sent: &'static str,
    code: &'static str,
    delete: &'static str,
    again: &'static str,
    done_before: &'static str,
    done_after: &'static str,
    not_an_address: &'static str,
}

static EN: Words = Words {
    title: "Delete your account",
    what_happens: "We send a code to your e-mail address. When you enter it here, your account will be deleted seven days later: what you \
                   have booked by then is cancelled without penalty, and your name, address, devices and the text of your letters are \
                   removed. What was booked and paid stays in the studio’s books without your name.",
    address: "Your e-mail address",
    send_code: "Send me a code",
    code_sent: "If this address has an account, a code is on its way to it. It is valid for 15 minutes.",
    code: "The code from the letter",
    delete: "Delete my account",
    again: "Ask for another code",
    done_before: "Your account will be deleted on ",
    done_after: ". If you change your mind, sign in with the app before then and keep your account.",
    not_an_address: "This is not an e-mail address.",
};

static ZH_HANS: Words = Words {
    title: "注销账号",
    what_happens: "我们会向您的邮箱发送验证码。在此输入验证码后，您的账号将在七天后注销：届时尚未开始的预约会被取消，且不收取任何费用；\
                   您的姓名、邮箱、设备和邮件内容将被删除。预约和付款记录会以匿名方式保留在工作室的账目中。",
    address: "您的邮箱地址",
    send_code: "发送验证码",
    code_sent: "如果该邮箱已注册账号，验证码正在发送，15分钟内有效。",
    code: "邮件中的验证码",
    delete: "注销我的账号",
    again: "重新获取验证码",
    done_before: "您的账号将于",
    done_after: "注销。如果您改变主意，请在此之前登录App并选择保留账号。",
    not_an_address: "这不是有效的邮箱地址。",
};

static ZH_HANT: Words = Words {
    title: "註銷帳號",
    what_happens: "我們會向您的電子郵件地址寄送驗證碼。在此輸入驗證碼後，您的帳號將於七天後註銷：屆時尚未開始的預約會被取消，且不收取任何費用；\
                   您的姓名、電子郵件地址、裝置和信件內容將被刪除。預約與付款記錄會以匿名方式保留在工作室的帳目中。",
    address: "您的電子郵件地址",
    send_code: "寄送驗證碼",
    code_sent: "如果該地址已註冊帳號，驗證碼正在寄送，15分鐘內有效。",
    code: "郵件中的驗證碼",
    delete: "註銷我的帳號",
    again: "重新取得驗證碼",
    done_before: "您的帳號將於",
    done_after: "註銷。如果您改變主意，請在此之前登入App並選擇保留帳號。",
    not_an_address: "這不是有效的電子郵件地址。",
};

const fn words(language: Language) -> &'static Words {
    match language {
        Language::En => &EN,
        Language::ZhHans => &ZH_HANS,
        Language::ZhHant => &ZH_HANT,
    }
}

/// The page with its first form.
#[utoipa::path(
    get, path = "/account/deletion", operation_id = "show_deletion_page",
    responses((status = 200, body = String, content_type = "text/html"))
)]
pub async fn show(visitor: Visitor) -> Answer<Response> {
    shown(visitor.language.unwrap_or(Language::En), StatusCode::OK, None, &Step::Address)
}

/// What the two forms send.
#[derive(Debug, ToSchema)]
struct DeletionForm {
    /// Whose account.
    email: String,
    /// The mailed code; not in the first form.
    code: Option<String>,
}

impl DeletionForm {
    fn read(body: &[u8]) -> Self {
        let field = |name: &str| url::form_urlencoded::parse(body).find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let code = field("code").map(|code| code.trim().to_owned()).filter(|code| !code.is_empty());
        Self { email: field("email").unwrap_or_default(), code }
    }
}

/// What the forms send: an address, to which a code is mailed; then the code too. What is refused is said on the page.
#[utoipa::path(
    post, path = "/account/deletion", operation_id = "submit_deletion_form",
    request_body(content = inline(DeletionForm), content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The next form, or the day of the deletion.", body = String, content_type = "text/html"),
        (status = 409, description = "The account cannot be deleted: the page says why.", body = String, content_type = "text/html"),
        (status = 422, description = "The address or the code is not right.", body = String, content_type = "text/html"),
        (status = 429, description = "That was too often.", body = String, content_type = "text/html"),
    )
)]
pub async fn submit(State(app): State<App>, visitor: Visitor, body: Bytes) -> Answer<Response> {
    let language = visitor.language.unwrap_or(Language::En);
    let form = DeletionForm::read(&body);
    let Ok(email) = Email::parse(&form.email) else {
        return shown(language, StatusCode::UNPROCESSABLE_ENTITY, Some(words(language).not_an_address), &Step::Address);
    };
    let step = Step::Code { email: email.as_str().to_owned() };
    let done = match form.code {
        None => send_code(&app, visitor, Purpose::Deletion, &email).await.map(|()| None),
        Some(code) => ask(&app, visitor, email, code).await.map(Some),
    };
    match done {
        Ok(None) => shown(language, StatusCode::OK, None, &step),
        Ok(Some(deletion)) => {
            let due_on = phrases::date(deletion.due_at.date_naive(), language);
            shown(language, StatusCode::OK, None, &Step::Done { due_on })
        }
        // A person reads this: the sentence that an app would show, on the page.
        Err(problem) if problem.kind.status().is_client_error() => {
            shown(language, problem.kind.status(), Some(problem.kind.sentence(language)), &step)
        }
        Err(problem) => Err(problem),
    }
}

/// The code was mailed to them: the account is theirs, whether or not they can still sign in.
async fn ask(app: &App, visitor: Visitor, email: Email, code: String) -> Answer<Deletion> {
    app.limits.ask(Limit::FailuresFrom, visitor.from)?;
    let (now, inner, from) = (app.clock.now(), app.clone(), visitor.from);
    let (who, email_key) = (visitor.clone(), email.key());
    let asked = app.db.write("ask_deletion", move |tx| {
        Box::pin(async move {
            deletion::ask_by_code(tx, &inner, now, &email.key(), Asker::Network(visitor.from), &code, |who| Some(visitor.actor_of(who)))
                .await
        })
    });
    match asked.await? {
        Some(deletion) => {
            app.letters_written.notify_one();
            Ok(deletion)
        }
        None => {
            who.means(&email_key);
            app.limits.take(Limit::FailuresFrom, from)?;
            Err(Problem::new(ProblemType::CodeRefused))
        }
    }
}

fn shown(language: Language, status: StatusCode, problem: Option<&str>, step: &Step) -> Answer<Response> {
    page::answer(&Page { language, words: words(language), problem, step }, language, status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_typed_stays_text() {
        let step = Step::Code { email: "\"><script>@x.test".into() };
        let page = Page { language: Language::En, words: &EN, problem: None, step: &step }.render().unwrap();
        assert!(!page.contains("<script>"), "{page}");
        assert!(page.contains("lang=\"en\""));
    }
}
