//! The studio's language: calls as they are made, answers as they are expected.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::ops::Index;
use std::pin::Pin;

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::house::House;
use crate::seed::{Pass, Person, Session};

/// A call that is made when awaited.
#[must_use = "a call is made when it is awaited"]
pub struct Call {
    request: reqwest::RequestBuilder,
    said: String,
}

impl Call {
    /// Made by this person.
    pub fn by(mut self, person: &Person) -> Self {
        self.said = format!("{} by {}", self.said, person.name);
        self.token(&person.token)
    }

    /// With this access token.
    pub fn token(mut self, token: &str) -> Self {
        self.request = self.request.bearer_auth(token);
        self
    }

    /// From this address, as the proxy before a house says (`run_behind_proxy`).
    pub fn from(self, address: &str) -> Self {
        self.header("X-Forwarded-For", address)
    }

    /// With a JSON body.
    pub fn json(mut self, body: &Value) -> Self {
        self.request = self.request.json(body);
        self
    }

    /// With any body whatever.
    pub fn body(mut self, content_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.request = self.request.header("Content-Type", content_type).body(bytes.into());
        self
    }

    /// With a header.
    pub fn header(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.request = self.request.header(name, value.to_string());
        self
    }
}

impl IntoFuture for Call {
    type Output = Reply;
    type IntoFuture = Pin<Box<dyn Future<Output = Reply> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (client, request) = self.request.build_split();
            let request = request.unwrap_or_else(|error| panic!("{}: {error:?}", self.said));
            let (method, path) = (request.method().clone(), request.url().path().to_owned());
            let response = client.execute(request).await.unwrap_or_else(|error| panic!("{}: {error:?}", self.said));
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let text = response.text().await.unwrap_or_else(|error| panic!("{}: {error:?}", self.said));
            let body = serde_json::from_str(&text).unwrap_or(Value::Null);
            Reply { said: self.said, method, path, status, headers, text, body }
        })
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    said: String,
    pub method: Method,
    pub path: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    pub body: Value,
}

impl Index<&str> for Reply {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        &self.body[name]
    }
}

impl Reply {
    /// It has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.said, self.text);
        self
    }

    /// It is this refusal: well-formed, and not a word more than a problem says.
    #[track_caller]
    pub fn expect_refused(self, status: u16, slug: &str) -> Self {
        let said = format!("{}: {} {}", self.said, self.status, self.text);
        assert_eq!(self.status, status, "{said}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{said}");
        assert_eq!(self["type"], format!("/problems/{slug}"), "{said}");
        assert_eq!(self["status"], status, "{said}");
        assert!(self["title"].as_str().is_some_and(|title| !title.is_empty()), "{said}");
        assert!(self["instance"].as_str().is_some_and(|id| !id.is_empty()), "{said}");
        if matches!(status, 429 | 503) {
            assert!(self.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1), "{said}");
        }
        self
    }

    /// It is the caller's fault, and a problem says so.
    #[track_caller]
    pub fn expect_client_error(self) -> Self {
        assert!((400..500).contains(&self.status), "{}: {} {}", self.said, self.status, self.text);
        assert_eq!(self.header("content-type"), "application/problem+json", "{}: {}", self.said, self.text);
        self
    }

    /// The version that an edit must name.
    #[track_caller]
    pub fn version(&self) -> String {
        self["version"].as_i64().unwrap_or_else(|| panic!("{}: no version: {}", self.said, self.text)).to_string()
    }

    /// It refuses, and names this field.
    #[track_caller]
    pub fn naming(self, field: &str) -> Self {
        let named = self["errors"].as_array().is_some_and(|errors| errors.iter().any(|error| error["field"] == field));
        assert!(named, "{}: {} is not named: {}", self.said, field, self.text);
        self
    }

    /// A header's text, empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The id of what was made.
    #[track_caller]
    pub fn id(&self) -> Uuid {
        self["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or_else(|| panic!("{}: no id: {}", self.said, self.text))
    }
}

/// A booking as its member holds it.
#[derive(Clone, Debug)]
pub struct Booking {
    pub id: Uuid,
    pub person: Person,
    pub body: Value,
}

/// A tap on "book", made when awaited.
#[must_use = "a call is made when it is awaited"]
pub struct Tap {
    house: House,
    person: Person,
    /// Who sends it, if not the member.
    by: Option<Person>,
    id: Uuid,
    body: Map<String, Value>,
    headers: Vec<(&'static str, String)>,
}

impl Tap {
    /// Also if it means to wait.
    pub fn or_wait(mut self) -> Self {
        self.body.insert("waitlist".into(), true.into());
        self
    }

    /// With the id of a tap before.
    pub fn id(mut self, id: Uuid) -> Self {
        self.id = id;
        self
    }

    /// Paid with this pass.
    pub fn with(mut self, pass: &Pass) -> Self {
        self.body.insert("pass_id".into(), json!(pass.id));
        self
    }

    /// Sent by staff, for the member.
    pub fn sent_by(mut self, staff: &Person) -> Self {
        self.body.insert("person_id".into(), json!(self.person.id));
        self.by = Some(staff.clone());
        self
    }

    /// Of no use after this instant.
    pub fn not_after(mut self, at: chrono::DateTime<chrono::Utc>) -> Self {
        self.headers.push(("Not-After", at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)));
        self
    }

    /// With any other member of the body.
    pub fn saying(mut self, name: &str, value: Value) -> Self {
        self.body.insert(name.into(), value);
        self
    }
}

impl IntoFuture for Tap {
    type Output = Answered;
    type IntoFuture = Pin<Box<dyn Future<Output = Answered> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let mut call = self.house.put(format!("/v1/bookings/{}", self.id)).by(self.by.as_ref().unwrap_or(&self.person));
        for (name, value) in self.headers {
            call = call.header(name, value);
        }
        let call = call.json(&Value::Object(self.body));
        Box::pin(async move { Answered { id: self.id, person: self.person, reply: call.await } })
    }
}

/// The answer to a [`Tap`].
#[derive(Clone, Debug)]
pub struct Answered {
    pub id: Uuid,
    person: Person,
    pub reply: Reply,
}

impl Answered {
    /// It was made by this tap.
    #[track_caller]
    pub fn expect_made(self) -> Self {
        assert_eq!(self.reply.status, 201, "{}: {}", self.reply.said, self.reply.text);
        self
    }

    /// It had been made by an earlier tap.
    #[track_caller]
    pub fn expect_repeated(self) -> Self {
        assert_eq!(self.reply.status, 200, "{}: {}", self.reply.said, self.reply.text);
        self
    }

    /// A place or a place in the queue.
    #[track_caller]
    pub fn held(self) -> Booking {
        let status = self.reply["status"].as_str().unwrap_or_default().to_owned();
        assert!(matches!(status.as_str(), "booked" | "waitlisted"), "{}: {}", self.reply.said, self.reply.text);
        self.booking(&status)
    }

    #[track_caller]
    fn booking(self, status: &str) -> Booking {
        assert!(matches!(self.reply.status, 200 | 201), "{}: {} {}", self.reply.said, self.reply.status, self.reply.text);
        assert_eq!(self.reply["status"], status, "{}: {}", self.reply.said, self.reply.text);
        assert_eq!(self.reply.id(), self.id);
        Booking { id: self.id, person: self.person, body: self.reply.body }
    }

    /// The member has a place.
    #[track_caller]
    pub fn expect_booked(self) -> Booking {
        self.booking("booked")
    }

    /// The member waits, as the `position`th.
    #[track_caller]
    pub fn expect_waitlisted(self, position: i64) -> Booking {
        let booking = self.booking("waitlisted");
        assert_eq!(booking.body["waitlist_position"], position, "{}", booking.body);
        booking
    }

    /// It was refused.
    #[track_caller]
    pub fn expect_refused(self, status: u16, slug: &str) -> Reply {
        self.reply.expect_refused(status, slug)
    }
}

/// A letter as it left, or as it lies.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Letter {
    pub id: Uuid,
    pub kind: String,
    pub state: String,
    pub booking_id: Option<Uuid>,
    pub subject: Option<String>,
    pub body_text: Option<String>,
}

impl House {
    /// A call of any method.
    pub fn call(&self, method: Method, path: impl fmt::Display) -> Call {
        let said = format!("{method} {path}");
        Call { request: self.http.request(method, format!("{}{path}", self.url)), said }
    }

    /// `GET` this path.
    pub fn get(&self, path: impl fmt::Display) -> Call {
        self.call(Method::GET, path)
    }

    /// `PUT` to this path.
    pub fn put(&self, path: impl fmt::Display) -> Call {
        self.call(Method::PUT, path)
    }

    /// `POST` to this path.
    pub fn post_to(&self, path: impl fmt::Display) -> Call {
        self.call(Method::POST, path)
    }

    /// `PATCH` this path.
    pub fn patch(&self, path: impl fmt::Display) -> Call {
        self.call(Method::PATCH, path)
    }

    /// `DELETE` this path.
    pub fn delete(&self, path: impl fmt::Display) -> Call {
        self.call(Method::DELETE, path)
    }

    /// The member taps "book".
    pub fn book(&self, person: &Person, session: &Session) -> Tap {
        let mut body = Map::new();
        body.insert("session_id".into(), json!(session.id));
        Tap { house: self.clone(), person: person.clone(), by: None, id: self.new_id(), body, headers: Vec::new() }
    }

    /// The member cancels.
    pub fn cancel(&self, booking: &Booking) -> Call {
        self.cancel_if(booking, &json!({}))
    }

    /// The member cancels if what they were told is still so.
    pub fn cancel_if(&self, booking: &Booking, expectation: &Value) -> Call {
        self.put(format!("/v1/bookings/{}/cancellation", booking.id)).by(&booking.person).json(expectation)
    }

    /// The member takes the place.
    pub fn accept(&self, booking: &Booking) -> Call {
        self.accept_id(booking.id, &booking.person)
    }

    /// The member takes a place by the booking's id.
    pub fn accept_id(&self, id: Uuid, person: &Person) -> Call {
        self.put(format!("/v1/bookings/{id}/acceptance")).by(person).json(&json!({}))
    }

    /// The admin cancels a session.
    pub fn cancel_session(&self, session: &Session, why: &Value) -> Call {
        self.put(format!("/v1/sessions/{}/cancellation", session.id)).by(&self.studio.admin).json(why)
    }

    /// The admin edits a session of which they know this version.
    pub fn patch_session(&self, session: &Session, version: i64, edit: &Value) -> Call {
        self.patch(format!("/v1/sessions/{}", session.id)).by(&self.studio.admin).header("If-Match", version).json(edit)
    }

    /// The roster as the desk sees it.
    pub async fn roster(&self, session: &Session) -> Value {
        self.get(format!("/v1/sessions/{}/roster", session.id)).by(&self.studio.desk).await.expect(200).body
    }

    /// The desk sells a pack of ten over the counter.
    pub async fn sell_pack(&self, person: &Person) -> Reply {
        let path = format!("/v1/studios/{}/members/{}/passes", self.studio.id, person.id);
        let call = self.post_to(path).by(&self.studio.desk).header("Idempotency-Key", self.new_id());
        call.json(&json!({"pass_type_id": self.studio.pack_type})).await.expect(201)
    }

    /// The booking as it is now.
    pub async fn now(&self, booking: &Booking) -> Value {
        self.get(format!("/v1/bookings/{}", booking.id)).by(&booking.person).await.expect(200).body
    }

    /// The letters to a member, oldest first, after those that were due have left.
    pub async fn letters_to(&self, person: &Person) -> Vec<Letter> {
        self.post().await;
        let sql = "SELECT id, kind, state, booking_id, subject, body_text FROM letters WHERE person_id = $1 ORDER BY created_at, nth, kind";
        self.db.all(sql, (person.id,)).await.unwrap()
    }

    /// The kinds of the letters to a member, oldest first.
    pub async fn kinds_to(&self, person: &Person) -> Vec<String> {
        self.letters_to(person).await.into_iter().map(|letter| letter.kind).collect()
    }
}
