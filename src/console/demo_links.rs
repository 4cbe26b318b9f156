//! A demo's one-time links: one for each role, printed by `releve demo`, that opens the console or a member's pages signed in. Only a demo's
//! database holds them, and a demo is served on its own machine alone.

use axum::extract::State;
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::json;

use super::form::body;
use super::frame::done;
use super::sign_in::{device, enter};
use crate::app::App;
use crate::demo::mark::PASSWORD;
use crate::extract::Path;
use crate::problem::{Answer, Problem};
use crate::running::store;
use crate::sign_in::Visitor;
use crate::sign_in::secrets::{hash, registration_token};
use crate::sign_in::signing;

/// Somebody whom a link signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the roles of a demo")]
pub enum Who {
    Owner,
    Admin,
    Desk,
    Instructor,
    Member,
}

impl Who {
    const ALL: [Self; 5] = [Self::Owner, Self::Admin, Self::Desk, Self::Instructor, Self::Member];

    /// Their word in the address, the fact that keeps the link, their account, and the page that they see first.
    const fn parts(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Owner => ("owner", "demo_link_owner", "owner@demo.test", "/console"),
            Self::Admin => ("admin", "demo_link_admin", "admin@demo.test", "/console"),
            Self::Desk => ("desk", "demo_link_desk", "desk@demo.test", "/console"),
            Self::Instructor => ("instructor", "demo_link_instructor", "instructor1@demo.test", "/console"),
            Self::Member => ("member", "demo_link_member", "member1@demo.test", "/me"),
        }
    }
}

/// Makes a new link for each role, as its word and its address. Those that were not used before are of no use any more.
pub async fn make(app: &App) -> Answer<Vec<(&'static str, String)>> {
    let mut links = Vec::new();
    let mut facts = Vec::new();
    for who in Who::ALL {
        let ((word, fact, ..), secret) = (who.parts(), registration_token()?);
        facts.push((fact, kept(&secret)));
        links.push((word, format!("{}/demo/{word}/{secret}", app.settings.server.public_url)));
    }
    let noted = app.db.write("demo.links", move |tx| {
        Box::pin(async move {
            for (fact, kept) in facts {
                store::note(tx, fact, kept).await?;
            }
            Ok::<_, Problem>(())
        })
    });
    noted.await?;
    Ok(links)
}

/// Signs this browser in, once. Whoever only looks whether the page is there (`HEAD`) leaves the link as it is.
pub async fn open(
    State(app): State<App>,
    method: Method,
    visitor: Visitor,
    headers: HeaderMap,
    Path((who, secret)): Path<(Who, String)>,
) -> Answer<Response> {
    let (_, fact, email, next) = who.parts();
    if method != Method::GET {
        return Ok(Redirect::to(next).into_response());
    }
    let kept = kept(&secret);
    // Looked up before anything is written: whoever guesses keeps nobody from writing.
    let is_right = store::fact(&app.db, fact).await?.is_some_and(|there| there == kept);
    if !is_right || !app.db.write("demo.link", move |tx| Box::pin(store::take(tx, fact, kept))).await? {
        // Used before, or of an earlier start: with the password, then.
        return Ok(done(if who == Who::Member { "/me/sign-in" } else { "/console/sign-in" }, "link_used"));
    }
    let said = json!({"email": email, "password": PASSWORD, "device": device(&headers, "Relevé demo")});
    let tokens = signing::sign_in(State(app.clone()), visitor, body(said)?).await?;
    enter(&app, &tokens, Some(next))
}

fn kept(secret: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(hash(secret.as_bytes()))
}
