//! Parses what comes in over HTTP: bodies, paths, queries, headers, page cursors. A handler never sees an invalid value.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use axum::body::{Bytes, HttpBody as _};
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, OptionalFromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};
use uuid::Uuid;

use crate::handler_signature::{Argument, Header, Signature};
use crate::language::Language;
use crate::number;
use crate::problem::{Problem, ProblemType};
use crate::security::rules::Whom;
use crate::wrong::Wrong;

/// The request's id: that of a trusted proxy, if it sent a sane one, else new. Every request has it as an extension.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Where code that learns the reader's language (the caller's, the studio's) leaves it for rendering a problem. Every request has one as an
/// extension; `Accept-Language` takes precedence.
#[derive(Clone, Debug, Default)]
pub struct ReaderLanguage(Arc<OnceLock<Language>>);

impl ReaderLanguage {
    /// The first call counts.
    pub fn set(&self, language: Language) {
        let _ = self.0.set(language);
    }

    /// The language, if it is known.
    pub fn get(&self) -> Option<Language> {
        self.0.get().copied()
    }
}

/// Where whoever learns whom a request concerns leaves it for the server's front, which notices what is refused (`security`). Every
/// request has it as an extension.
#[derive(Clone, Debug, Default)]
pub struct Concerns(Arc<OnceLock<Whom>>);

impl Concerns {
    /// Somebody who is signed in. The first word counts.
    pub fn person(&self, person_id: Uuid) {
        let _ = self.0.set(Whom::Person(person_id));
    }

    /// Whoever has this address, as it is compared.
    pub fn address(&self, email_key: &str) {
        let _ = self.0.set(Whom::Address(email_key.to_owned()));
    }

    /// Whom, if somebody learnt it.
    pub fn whom(&self) -> Option<&Whom> {
        self.0.get()
    }
}

/// Where whoever learns that the caller must have a second factor and has none notes it for the rendering of a problem: what they may not do
/// is then not refused for good, but until they have one. Every request has it as an extension.
#[derive(Clone, Debug, Default)]
pub struct FactorMissing(Arc<OnceLock<()>>);

impl FactorMissing {
    /// The caller has none.
    pub fn note(&self) {
        let _ = self.0.set(());
    }

    /// Whether somebody noted it.
    pub fn is_noted(&self) -> bool {
        self.0.get().is_some()
    }
}

/// A JSON body. Unknown fields, wrong types and values out of range are 422 and name the field.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
        if !is_json {
            return Err(Problem::new(ProblemType::UnsupportedMediaType).about("Content-Type", Wrong::NotJsonType));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            if rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
                Problem::new(ProblemType::BodyTooLarge)
            } else {
                Problem::new(ProblemType::MalformedBody)
            }
        })?;
        parse(&bytes).map(Self)
    }
}

/// A body that may be omitted where it has nothing to say.
impl<S: Send + Sync, T: DeserializeOwned> OptionalFromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        let is_absent = request.body().is_end_stream() && !request.headers().contains_key(header::CONTENT_TYPE);
        if is_absent { Ok(None) } else { <Self as FromRequest<S>>::from_request(request, state).await.map(Some) }
    }
}

impl<T> Argument for Option<Body<T>> {
    fn describe(signature: &mut Signature) {
        Body::<T>::describe(signature);
        signature.body_is_optional = true;
    }
}

impl<T> Argument for Body<T> {
    fn describe(signature: &mut Signature) {
        signature.refuses(&[
            ProblemType::MalformedBody,
            ProblemType::InvalidFields,
            ProblemType::UnsupportedMediaType,
            ProblemType::BodyTooLarge,
        ]);
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        // serde_json calls some wrong types (an object where a word belongs) errors of syntax.
        if inner.is_data() || serde_json::from_slice::<IgnoredAny>(bytes).is_ok() {
            let message = without_position(&inner.to_string());
            Problem::field(named_field(&path, &message), Wrong::of_parser(&message))
        } else {
            not_json(&inner)
        }
    })?;
    json.end().map_err(|error| not_json(&error))?;
    // serde reads an array into a struct, too, field by field.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(Problem::field("body", Wrong::NotObject));
    }
    Ok(value)
}

fn not_json(error: &serde_json::Error) -> Problem {
    Problem::new(ProblemType::MalformedBody).about("body", Wrong::NotJson { line: error.line(), column: error.column() })
}

/// serde reports a missing, unknown or repeated field at its parent: ``missing field `name` ``.
fn named_field(path: &str, message: &str) -> String {
    let own = ["missing field", "unknown field", "duplicate field"].iter().any(|what| message.starts_with(what));
    let own = own.then(|| message.split('`').nth(1)).flatten();
    match (path, own) {
        (".", Some(field)) => field.to_owned(),
        (path, Some(field)) if !path.ends_with(field) => format!("{path}.{field}"),
        (".", None) => "body".to_owned(),
        (path, _) => path.to_owned(),
    }
}

fn without_position(message: &str) -> String {
    message.rsplit_once(" at line ").map_or(message, |(head, _)| head).to_owned()
}

/// The `{…}` parts of a path. Anything that is not an id is 404: there is nothing at such an address.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let axum::extract::Path(value) = <axum::extract::Path<T> as FromRequestParts<S>>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::new(ProblemType::NotFound))?;
        Ok(Self(value))
    }
}

impl<T> Argument for Path<T> {
    fn describe(signature: &mut Signature) {
        signature.refuses(&[ProblemType::NotFound]);
    }
}

/// The parameters behind the `?`.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        query(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

impl<T> Argument for Query<T> {
    fn describe(signature: &mut Signature) {
        signature.refuses(&[ProblemType::InvalidFields]);
    }
}

/// The parameters behind the `?` of an address.
pub fn query<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let pairs = url::form_urlencoded::parse(text.as_bytes()).map(|(k, v)| (k.into_owned(), Scalar(v.into_owned())));
    serde_path_to_error::deserialize(serde::de::value::MapDeserializer::new(pairs)).map_err(|error| {
        let path = error.path().to_string();
        let message = error.into_inner().to_string();
        Problem::field(named_field(&path, &message), Wrong::of_parser(&message))
    })
}

/// A parameter's text, read as the type of its field.
struct Scalar(String);

impl<'de> serde::de::IntoDeserializer<'de, serde::de::value::Error> for Scalar {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Scalar {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_string(self.0)
    }

    fn deserialize_option<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_i64<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_i64(self.0.parse().map_err(|_| Wrong::NotWholeNumber.refuse::<Self::Error>())?)
    }

    fn deserialize_bool<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_bool(self.0.parse().map_err(|_| Wrong::NotTrueOrFalse.refuse::<Self::Error>())?)
    }

    fn deserialize_newtype_struct<V: serde::de::Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: serde::de::Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        serde::de::value::StringDeserializer::new(self.0).deserialize_enum(name, variants, visitor)
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// `If-Match: "3"`: the version that an edit was made from. Missing: 428.
#[derive(Clone, Copy, Debug)]
pub struct IfMatch(pub i64);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let missing = || Problem::new(ProblemType::PreconditionMissing).about("If-Match", Wrong::VersionNeeded);
        let text = parts.headers.get(header::IF_MATCH).ok_or_else(missing)?.to_str().map_err(|_| missing())?;
        let text = text.trim().trim_start_matches("W/").trim_matches('"');
        // A session's ETag is `<version>-<hash of the answer>`, and an edit is made from the version.
        let text = text.split_once('-').map_or(text, |(version, _)| version);
        text.parse().map(Self).map_err(|_| Problem::new(ProblemType::MalformedRequest).about("If-Match", Wrong::NotVersion))
    }
}

impl Argument for IfMatch {
    fn describe(signature: &mut Signature) {
        signature.headers.push(Header {
            name: "If-Match",
            required: true,
            description: "The version that the edit was made from: the `ETag` or the `version` that was read, in quotes.",
            schema: json!({ "type": "string", "pattern": r#"^"[0-9]{1,18}(-[0-9a-f]*)?"$"#, "example": "\"1\"" }),
        });
        signature.refuses(&[ProblemType::PreconditionMissing, ProblemType::MalformedRequest, ProblemType::VersionStale]);
    }
}

/// The longest `Idempotency-Key`.
const IDEMPOTENCY_KEY_MAX: usize = 200;

/// `Idempotency-Key`: 1 to 200 visible characters. Missing: 428.
#[derive(Clone, Debug)]
pub struct IdempotencyKey(pub String);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("idempotency-key") else {
            return Err(Problem::new(ProblemType::PreconditionMissing).about("Idempotency-Key", Wrong::KeyNeeded));
        };
        let text = value.to_str().unwrap_or_default();
        if text.is_empty() || text.len() > IDEMPOTENCY_KEY_MAX {
            return Err(Problem::new(ProblemType::MalformedRequest).about("Idempotency-Key", Wrong::NotKey { max: IDEMPOTENCY_KEY_MAX }));
        }
        Ok(Self(text.to_owned()))
    }
}

impl Argument for IdempotencyKey {
    fn describe(signature: &mut Signature) {
        signature.headers.push(Header {
            name: "Idempotency-Key",
            required: true,
            description: "Chosen by the app, a new one for each sale: sent again with the same key, the call answers with what it made.",
            schema: json!({
                "type": "string", "pattern": "^[!-~]+$", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_MAX,
                "example": "0193a2f0-6b1e-7c44-9f0a-2f6d1c7e5b90"
            }),
        });
        signature.refuses(&[ProblemType::PreconditionMissing, ProblemType::MalformedRequest, ProblemType::IdempotencyKeyReused]);
    }
}

/// `Not-After`: the instant after which the request must not take effect.
#[derive(Clone, Copy, Debug)]
pub struct NotAfter(pub DateTime<Utc>);

impl<S: Send + Sync> OptionalFromRequestParts<S> for NotAfter {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        let Some(value) = parts.headers.get("not-after") else { return Ok(None) };
        let instant = value.to_str().ok().and_then(|text| DateTime::parse_from_rfc3339(text.trim()).ok());
        match instant {
            Some(instant) => Ok(Some(Self(instant.to_utc()))),
            None => Err(Problem::new(ProblemType::MalformedRequest).about("Not-After", Wrong::NotInstant)),
        }
    }
}

impl Argument for Option<NotAfter> {
    fn describe(signature: &mut Signature) {
        signature.headers.push(Header {
            name: "Not-After",
            required: false,
            description: "The instant, by the server's `Date`, after which the tap shall not count.",
            schema: json!({ "type": "string", "format": "date-time", "example": "2199-01-01T00:00:00Z" }),
        });
        signature.refuses(&[ProblemType::MalformedRequest, ProblemType::TapExpired]);
    }
}

/// The header's text, if it is there and readable.
pub fn header_text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The most items of one page.
pub const PAGE_MAX: i64 = 200;
/// Items of a page if no limit is given.
pub const PAGE_DEFAULT: i64 = 50;

/// `limit` of a list: 1 to 200.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Limit(pub i64);

impl PartialSchema for Limit {
    fn schema() -> RefOr<Schema> {
        Within::<1, PAGE_MAX>::schema()
    }
}

impl ToSchema for Limit {
    fn name() -> Cow<'static, str> {
        "Limit".into()
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(PAGE_DEFAULT)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let limit = i64::deserialize(deserializer)?;
        if (1..=PAGE_MAX).contains(&limit) { Ok(Self(limit)) } else { Err(Wrong::OutOfRange { min: 1, max: PAGE_MAX }.refuse()) }
    }
}

/// `?limit=&after=` of a list by id that most read in one piece: without a limit, a whole page.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// The most items, 1 to 200.
    #[param(inline)]
    limit: Option<Limit>,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor<Uuid>>,
}

impl Paging {
    /// How many items, and behind which.
    pub fn read(self) -> (Limit, Option<Uuid>) {
        (self.limit.unwrap_or(Limit(PAGE_MAX)), self.after.map(|Cursor(id)| id))
    }
}

/// A field of a PATCH body that may be cleared: absent is `None`, null is `Some(None)`. With `#[serde(default)]`.
pub fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Within<const MIN: i64, const MAX: i64>(pub i64);

impl<const MIN: i64, const MAX: i64> PartialSchema for Within<MIN, MAX> {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new().schema_type(Type::Integer).format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)));
        schema.minimum(Some(MIN)).maximum(Some(MAX)).into()
    }
}

impl<const MIN: i64, const MAX: i64> ToSchema for Within<MIN, MAX> {
    fn name() -> Cow<'static, str> {
        format!("Within{MIN}To{MAX}").into()
    }
}

impl<'de, const MIN: i64, const MAX: i64> Deserialize<'de> for Within<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = number::whole(deserializer)?;
        if (MIN..=MAX).contains(&number) { Ok(Self(number)) } else { Err(Wrong::OutOfRange { min: MIN, max: MAX }.refuse()) }
    }
}

/// The most ids of a list in a body.
const IDS_MAX: usize = 100;

/// A list of 1 to 100 different ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ids(pub Vec<Uuid>);

impl PartialSchema for Ids {
    fn schema() -> RefOr<Schema> {
        let id = ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
        ArrayBuilder::new().items(id).min_items(Some(1)).max_items(Some(IDS_MAX)).into()
    }
}

impl ToSchema for Ids {
    fn name() -> Cow<'static, str> {
        "Ids".into()
    }
}

impl<'de> Deserialize<'de> for Ids {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut ids = Vec::<Uuid>::deserialize(deserializer)?;
        ids.sort_unstable();
        ids.dedup();
        if (1..=IDS_MAX).contains(&ids.len()) { Ok(Self(ids)) } else { Err(Wrong::NotSoManyIds { max: IDS_MAX }.refuse()) }
    }
}

/// An instant of a cursor, clamped to the years that both engines store.
pub fn storable(at: DateTime<Utc>) -> DateTime<Utc> {
    const END_OF_2199: i64 = 7_258_118_399;
    at.clamp(DateTime::UNIX_EPOCH, DateTime::from_timestamp(END_OF_2199, 0).unwrap_or(DateTime::<Utc>::MAX_UTC))
}

/// Where the next page begins: opaque to the caller, the sort key of the last item to us.
#[derive(Clone, Debug)]
pub struct Cursor<K>(pub K);

impl<K> PartialSchema for Cursor<K> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).into()
    }
}

impl<K> ToSchema for Cursor<K> {
    fn name() -> Cow<'static, str> {
        "Cursor".into()
    }
}

impl<K: Serialize> Cursor<K> {
    /// The text that the caller sends back as `after`.
    pub fn text(&self) -> Option<String> {
        serde_json::to_vec(&self.0).ok().map(|bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl<'de, K: DeserializeOwned> Deserialize<'de> for Cursor<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| Wrong::NotCursor.refuse::<D::Error>())?;
        serde_json::from_slice(&bytes).map(Self).map_err(|_| Wrong::NotCursor.refuse::<D::Error>())
    }
}

/// A page of at most `limit` items out of `limit + 1` that were asked for, and the cursor of the next.
pub fn page<T, K: Serialize>(mut items: Vec<T>, limit: Limit, key: impl Fn(&T) -> K) -> (Vec<T>, Option<String>) {
    let Limit(limit) = limit;
    let most = usize::try_from(limit).unwrap_or(1);
    let more = items.len() > most;
    items.truncate(most);
    let next = if more { items.last().and_then(|last| Cursor(key(last)).text()) } else { None };
    (items, next)
}
