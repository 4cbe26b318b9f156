//! The language of signing in: who registers, what their letters say, which tokens they hold.

use mail_parser::MessageParser;
use releve::letters::transport::Transport;
use serde_json::{Value, json};

use crate::house::House;
use crate::speech::{Call, Reply};

/// A password that everybody here uses who has not to remember another.
pub const PASSWORD: &str = "plie-tendu-releve";

/// What a signed-in app holds.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

impl From<Reply> for Tokens {
    fn from(reply: Reply) -> Self {
        let text = |name: &str| reply[name].as_str().unwrap_or_else(|| panic!("no {name}: {}", reply.text)).to_owned();
        Self { access: text("access_token"), refresh: text("refresh_token") }
    }
}

impl House {
    /// Registers an address.
    pub fn register(&self, email: &str, password: &str) -> Call {
        self.post_to("/v1/registrations").json(&json!({ "email": email, "password": password, "name": "Ana Ruiz" }))
    }

    /// Shows a code, and [`PASSWORD`] with it.
    pub fn verify(&self, email: &str, code: &str) -> Call {
        self.verify_with(email, code, json!({ "password": PASSWORD }))
    }

    /// Shows a code with something besides: a `registration_token`, a `password`, or nothing.
    pub fn verify_with(&self, email: &str, code: &str, besides: Value) -> Call {
        let mut body = json!({ "email": email, "code": code });
        body.as_object_mut().unwrap().extend(besides.as_object().unwrap().clone());
        self.post_to("/v1/email-verifications").json(&body)
    }

    /// Signs in.
    pub fn sign_in(&self, email: &str, password: &str) -> Call {
        self.post_to("/v1/tokens").json(&json!({ "email": email, "password": password }))
    }

    /// Refreshes.
    pub fn refresh(&self, token: &str) -> Call {
        self.post_to("/v1/tokens/refresh").json(&json!({ "refresh_token": token }))
    }

    /// Who it is.
    pub fn me(&self, tokens: &Tokens) -> Call {
        self.get("/v1/me").token(&tokens.access)
    }

    /// Registers and verifies an address with [`PASSWORD`].
    pub async fn join_up(&self, email: &str) -> Tokens {
        self.register(email, PASSWORD).await.expect(202);
        let code = self.code_to(email).await;
        self.verify(email, &code).await.expect(200).into()
    }

    /// The mails that have left to this address, as text, oldest first.
    pub async fn mails_to(&self, email: &str) -> Vec<String> {
        self.post().await;
        let Transport::Memory(memory) = &self.app.post.transport else { panic!("letters do not stay in memory") };
        let mails = memory.mails().into_iter().filter(|mail| mail.recipient.to_string() == email);
        let mut mails: Vec<(i64, String)> = mails
            .map(|mail| {
                let mail = MessageParser::default().parse(&mail.raw).unwrap();
                let words = format!("{}\n{}", mail.subject().unwrap_or_default(), mail.body_text(0).unwrap_or_default());
                (mail.date().unwrap().to_timestamp(), words)
            })
            .collect();
        // Letters of one second leave in any order.
        mails.sort_by_key(|(at, _)| *at);
        mails.into_iter().map(|(_, words)| words).collect()
    }

    /// The same with every header that a reader may see, and the HTML part.
    pub async fn whole_mails_to(&self, email: &str) -> Vec<String> {
        self.post().await;
        let Transport::Memory(memory) = &self.app.post.transport else { panic!("letters do not stay in memory") };
        let mails = memory.mails().into_iter().filter(|mail| mail.recipient.to_string() == email);
        mails
            .map(|mail| {
                let mail = MessageParser::default().parse(&mail.raw).unwrap();
                let parts = [mail.subject(), mail.body_text(0).as_deref(), mail.body_html(0).as_deref()]
                    .map(|part| part.unwrap_or_default().to_owned());
                format!("{:?} {:?} {:?} {}", mail.from(), mail.to(), mail.reply_to(), parts.join("\n"))
            })
            .collect()
    }

    /// The code of the mail to this address whose subject begins so.
    pub async fn code_of_kind(&self, email: &str, subject: &str) -> String {
        let mails = self.mails_to(email).await;
        mails.iter().rev().filter(|mail| mail.starts_with(subject)).find_map(|mail| code_in(mail)).unwrap()
    }

    /// The last code that was mailed to this address.
    pub async fn code_to(&self, email: &str) -> String {
        // Another letter of the same second may stand behind it.
        let mails = self.mails_to(email).await;
        mails.iter().rev().find_map(|mail| code_in(mail)).unwrap_or_else(|| panic!("no code in the mails to {email}: {mails:?}"))
    }

    /// How many rows this table has.
    pub async fn how_many(&self, sql: &'static str) -> i64 {
        self.db.one::<(i64,)>(sql, ()).await.unwrap().0
    }

    /// What a call costs: hashes and rows.
    pub async fn cost(&self, call: Call) -> (u64, u64) {
        let before = (self.app.passwords.made(), self.app.rows_written.count());
        let mut body = call.await.expect(202).body;
        // A secret is given to everybody who registers, and is as long for everybody.
        let token = body.as_object_mut().unwrap().remove("registration_token");
        assert!(token.is_none_or(|token| token.as_str().unwrap().len() == 43));
        assert_eq!(body, Value::Object(Default::default()));
        (self.app.passwords.made() - before.0, self.app.rows_written.count() - before.1)
    }
}

/// A line that is a code: eight digits, or four groups of four.
pub fn code_in(mail: &str) -> Option<String> {
    let is_code = |line: &&str| {
        let plain: String = line.chars().filter(|c| *c != '-').collect();
        matches!(plain.len(), 8 | 16) && plain.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
    };
    mail.lines().map(str::trim).find(is_code).map(str::to_owned)
}

/// A code that is not this one.
pub fn another(code: &str) -> String {
    code.chars().map(|c| if c == '1' { '2' } else { '1' }).collect()
}
