//! The API's document and what the server really answers: statuses, refusals, headers, fields, and the one precision of every instant.

use std::sync::LazyLock;

use chrono::{DateTime, SecondsFormat};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::speech::Reply;

static DOCUMENT: LazyLock<Value> = LazyLock::new(releve::openapi::document);

/// What the document says of this call; nothing of an address at which there is nothing.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let template: Vec<&str> = template.split('/').collect();
        template.len() == parts.len() && template.iter().zip(&parts).all(|(said, part)| said.starts_with('{') || said == part)
    };
    // An address that is named goes before one with a part in braces.
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let found = paths.iter().filter(|(template, _)| fits(template)).min_by_key(|(template, _)| template.matches('{').count());
    found.and_then(|(_, item)| item.get(method.to_lowercase()))
}

impl Reply {
    /// It is an answer that the API's document names for this call, with the fields, headers and instants that it promises.
    #[track_caller]
    pub fn documented(self) -> Self {
        hold(&self.method, &self.path, self.status, &self.headers, &self.body);
        self
    }
}

/// Fails if the answer is none that the document names for this call.
#[track_caller]
fn hold(method: &Method, path: &str, status: u16, headers: &HeaderMap, body: &Value) {
    let Some(operation) = operation(method.as_str(), path) else { return };
    let said = format!("{method} {path}: {status} {body}");
    let responses = &operation["responses"];
    let response = match responses.get(status.to_string()) {
        Some(response) => response,
        None if status >= 500 => &DOCUMENT["components"]["responses"]["Problem"],
        None => panic!("the document does not know this status: {said}"),
    };
    let shared = response["$ref"].as_str().and_then(|reference| DOCUMENT.pointer(reference.trim_start_matches('#')));
    let response = shared.unwrap_or(response);
    let content_type = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default();
    if kind == "application/problem+json" {
        let types = response["x-problem-types"].as_array().unwrap_or_else(|| panic!("no refusal is documented: {said}"));
        assert!(types.contains(&body["type"]), "the document does not know this refusal: {said}");
    }
    if !kind.is_empty() && status != 304 {
        let media = response["content"].get(kind).unwrap_or_else(|| panic!("the document does not know {kind}: {said}"));
        if kind.ends_with("json") {
            shape(body, &media["schema"], &said);
        }
    }
    for header in ["etag", "retry-after"] {
        let named = response["headers"].as_object().into_iter().flatten();
        let named = named.filter(|(name, _)| name.eq_ignore_ascii_case(header)).map(|(_, header)| header).next();
        match (named, headers.get(header)) {
            (None, Some(_)) => panic!("the document does not name the header {header}: {said}"),
            (Some(named), None) => assert_ne!(named["required"], true, "the document promises the header {header}: {said}"),
            _ => {}
        }
    }
}

/// Every field is declared, and every one that is promised is there.
fn shape(value: &Value, schema: &Value, said: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.trim_start_matches('#');
        return shape(value, DOCUMENT.pointer(pointer).unwrap(), said);
    }
    if let Some(schemas) = schema["oneOf"].as_array() {
        return match value {
            Value::Null => assert!(schemas.iter().any(|one| one["type"] == "null"), "null is not documented: {said}"),
            value => shape(value, alternative(value, schema, schemas), said),
        };
    }
    match value {
        Value::Object(map) => {
            let mut properties = serde_json::Map::new();
            declared(schema, &mut properties, said, value);
            if properties.is_empty() || schema["additionalProperties"].is_object() {
                return;
            }
            for (name, value) in map {
                let schema = properties.get(name).unwrap_or_else(|| panic!("`{name}` is not documented: {said}"));
                shape(value, schema, said);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| shape(item, &schema["items"], said)),
        value => {
            assert!(is_of(value, &schema["type"]), "{value} is no {}: {said}", schema["type"]);
            // Whatever can be read as an instant has the one precision of all.
            if let Some(at) = value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok()) {
                assert_eq!(*value, at.to_utc().to_rfc3339_opts(SecondsFormat::Micros, true), "{said}");
            }
        }
    }
}

/// The one that is meant: the one that is not null, or which the discriminator names.
fn alternative<'s>(value: &Value, schema: &'s Value, schemas: &'s [Value]) -> &'s Value {
    let Some(property) = schema["discriminator"]["propertyName"].as_str() else {
        return schemas.iter().find(|one| one["type"] != "null").unwrap();
    };
    let name = value[property].as_str().unwrap_or_else(|| panic!("no {property}: {value}"));
    let reference = &schema["discriminator"]["mapping"][name];
    schemas.iter().find(|one| one["$ref"] == *reference).unwrap_or_else(|| panic!("{property} is {name}"))
}

fn declared(schema: &Value, properties: &mut serde_json::Map<String, Value>, said: &str, value: &Value) {
    if let Some(reference) = schema["$ref"].as_str() {
        return declared(DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap(), properties, said, value);
    }
    schema["allOf"].as_array().into_iter().flatten().for_each(|part| declared(part, properties, said, value));
    properties.extend(schema["properties"].as_object().cloned().unwrap_or_default());
    for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        assert!(value.get(required).is_some(), "`{required}` is promised: {said}");
    }
}

fn is_of(value: &Value, kind: &Value) -> bool {
    let is = |kind: &str| match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => false,
    };
    match kind {
        Value::String(kind) => is(kind),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).any(is),
        _ => true,
    }
}

both_engines! {
    /// The main road, held against the document: what is answered and what is refused.
    async fn what_is_answered_is_what_the_document_says(house: House) {
        let (ana, bo, cleo) = (house.member("Ana").await, house.member("Bo").await, house.member("Cleo").await);
        let (desk, admin) = (house.studio.desk.clone(), house.studio.admin.clone());
        let session = house.session("2026-12-03 18:30", 1).await;
        let studio = format!("/v1/studios/{}", house.studio.id);
        let book = |id: Uuid| house.put(format!("/v1/bookings/{id}"));
        let place = json!({ "session_id": session.id });
        let (first, second) = (house.new_id(), house.new_id());

        for path in ["", "/sessions", "/instructors", "/rooms", "/class-types", "/pass-types", "/closing-days"] {
            house.get(format!("{studio}{path}")).await.expect(200).documented();
        }
        house.get("/v1/studios").await.expect(200).documented();
        book(first).json(&place).await.documented().expect_refused(401, "sign-in-required");
        book(first).by(&ana).json(&place).await.expect(201).documented();
        book(first).by(&ana).json(&place).await.expect(200).documented();
        book(second).by(&bo).json(&place).await.documented().expect_refused(409, "session-full");
        book(second).by(&bo).json(&json!({ "session_id": session.id, "waitlist": true })).await.expect(201).documented();
        book(house.new_id()).by(&cleo).json(&json!({ "session_id": 7 })).await.documented().expect_refused(422, "invalid-fields");
        house.get(format!("/v1/sessions/{}", session.id)).by(&ana).await.expect(200).documented();
        house.get(format!("{studio}/sessions")).by(&ana).await.expect(200).documented();
        house.get(format!("/v1/sessions/{}/roster", session.id)).by(&desk).await.expect(200).documented();
        house.put(format!("/v1/bookings/{second}/acceptance")).by(&bo).await.documented().expect_refused(409, "session-full");
        house.put(format!("/v1/bookings/{first}/cancellation")).by(&ana).json(&json!({})).await.expect(200).documented();
        for path in ["/v1/me", "/v1/me/bookings", "/v1/me/passes", "/v1/me/letters", "/v1/me/devices", "/v1/me/export", "/v1/me/calendars"] {
            house.get(path).by(&ana).await.expect(200).documented();
        }
        for path in ["/house-rules", "/staff", "/members", "/letters", "/reports/attendance?from=2026-12-01&to=2026-12-08", "/series"] {
            house.get(format!("{studio}{path}")).by(&admin).await.expect(200).documented();
            house.get(format!("{studio}{path}")).by(&cleo).await.documented().expect_refused(403, "not-allowed");
        }
        let cancel = |query: &str| house.put(format!("/v1/sessions/{}/cancellation{query}", session.id)).by(&admin).json(&json!({}));
        assert_eq!(cancel("?dry_run=true").await.expect(200).documented()["outcome"], "preview");
        assert_eq!(cancel("").await.expect(200).documented()["outcome"], "done");
    }

    /// Who sends no token is refused exactly where the document says that one is needed.
    async fn a_token_is_needed_where_the_document_says_so(house: House) {
        for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let address = path
                    .replace("{date}", "2026-12-24")
                    .split('/')
                    .map(|part| if part.starts_with('{') { Uuid::max().to_string() } else { part.to_owned() })
                    .collect::<Vec<_>>()
                    .join("/");
                let method: Method = method.to_uppercase().parse().unwrap();
                let reply = house.call(method.clone(), &address).json(&json!({})).await;
                let needed = operation["security"] == json!([{ "bearer": [] }]);
                let asked = reply.status == 401 && reply["type"] == "/problems/sign-in-required";
                assert_eq!(asked, needed, "{method} {path}: {} {}", reply.status, reply.text);
            }
        }
    }
}
