//! The OpenAPI 3.1 document, from the code: every handler's `#[utoipa::path]`, and what holds for all of them.

use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use crate::problem::ProblemType;
use crate::{attendance, booking, calendars, letters, passes, people, reports, running, schedule, sign_in, studios};

/// Every handler, in the order of `routes.rs`.
#[derive(OpenApi)]
#[openapi(
    info(title = "Relevé", description = "The booking backend of barre and ballet-workout studios."),
    paths(
        sign_in::registration::register,
        sign_in::verification::verify,
        sign_in::verification::request,
        sign_in::signing::sign_in,
        sign_in::signing::sign_out,
        sign_in::refreshing::refresh,
        sign_in::password::request_reset,
        sign_in::password::reset,
        sign_in::acceptance::accept,
        sign_in::signing::devices,
        sign_in::signing::remove_device,
        sign_in::password::change,
        sign_in::address::change,
        passes::api::own,
        passes::api::ledger,
        schedule::api::teaching,
        calendars::api::make,
        calendars::api::list,
        calendars::api::revoke,
        calendars::api::read,
        studios::api::list,
        studios::api::open,
        studios::api::one,
        studios::api::change,
        studios::api::house_rules,
        studios::api::set_house_rules,
        studios::api::instructors,
        studios::api::rooms,
        studios::api::add_room,
        studios::api::room,
        studios::api::change_room,
        schedule::api::class_types,
        schedule::api::add_class_type,
        schedule::api::change_class_type,
        passes::api::types,
        passes::api::add_type,
        passes::api::change_type,
        passes::api::of_member,
        passes::api::selling::sell,
        reports::api::attendance,
        schedule::api::schedule,
        people::me::me,
        people::me::change,
        people::deletion::put,
        people::deletion::undo,
        people::export::export,
        people::pages::show,
        people::pages::submit,
        people::staff::list,
        people::staff::put,
        people::invitations::post,
        people::members::find,
        people::members::enter,
        people::members::join,
        schedule::api::sessions::make,
        schedule::api::planning::publish,
        schedule::api::planning::copy,
        schedule::api::planning::closing_days,
        schedule::api::planning::close,
        schedule::api::planning::open,
        schedule::series::api::list,
        schedule::series::api::make,
        schedule::series::api::one,
        schedule::series::api::publish,
        schedule::substitutes::api::own,
        schedule::substitutes::api::availability,
        schedule::substitutes::api::state_availability,
        schedule::substitutes::api::list,
        schedule::substitutes::api::ask,
        schedule::substitutes::api::claim,
        schedule::substitutes::api::unclaim,
        schedule::substitutes::api::approve,
        schedule::substitutes::api::withdraw,
        schedule::api::one,
        schedule::api::sessions::edit,
        schedule::api::sessions::cancel,
        schedule::api::sessions::set_notes,
        attendance::api::roster,
        booking::api::book,
        booking::api::show,
        booking::api::cancel,
        booking::api::accept,
        attendance::api::check_in,
        attendance::api::undo,
        booking::api::own,
        letters::api::mine,
        letters::api::of_studio,
        letters::api::retry,
        running::api::health,
        running::api::readiness,
        running::api::counts,
        openapi_document,
        running::api::apple_app_site_association,
        running::api::assetlinks,
        letters::pages::list,
        letters::pages::one,
        running::pages::front,
        running::pages::booking_link,
    ),
    components(schemas(people::roles::Role))
)]
struct Handlers;

/// The document as it is served and printed.
pub fn text() -> String {
    let document = document();
    serde_json::to_string_pretty(&document).unwrap_or_else(|_| document.to_string())
}

/// The document.
pub fn document() -> Value {
    let mut document = serde_json::to_value(Handlers::openapi()).unwrap_or_default();
    open_enums(&mut document);
    if let Some(operations) = document.get_mut("paths").and_then(Value::as_object_mut) {
        for operation in operations.values_mut().filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
            may_be_refused(operation);
        }
    }
    document["info"]["description"] = json!(manners());
    let components = &mut document["components"];
    components["schemas"]["Problem"] = problem_schema();
    components["responses"]["Problem"] = json!({
        "description": "A refusal (RFC 9457).",
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } }
    });
    components["securitySchemes"]["bearer"] = json!({
        "type": "http", "scheme": "bearer",
        "description": "The access_token of POST /v1/tokens, /v1/tokens/refresh or /v1/email-verifications."
    });
    document
}

/// Clients that refuse a value which they do not know would break with every new one: enums are told, not closed.
fn open_enums(node: &mut Value) {
    match node {
        Value::Object(map) => {
            if map.get("enum").and_then(Value::as_array).is_some_and(|all| all.iter().all(Value::is_string))
                && let Some(values) = map.remove("enum")
            {
                let list = values.as_array().into_iter().flatten().filter_map(Value::as_str).map(|one| format!("`{one}`"));
                let list = list.collect::<Vec<_>>().join(", ");
                let said = map.get("description").and_then(Value::as_str).map(|said| format!("{said}\n\n")).unwrap_or_default();
                map.insert("description".into(), json!(format!("{said}One of {list}. Clients must tolerate new values.")));
                map.insert("x-extensible-enum".into(), values);
            }
            map.values_mut().for_each(open_enums);
        }
        Value::Array(all) => all.iter_mut().for_each(open_enums),
        _ => {}
    }
}

/// Every call can be refused, in one shape.
fn may_be_refused(operation: &mut Value) {
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    responses.entry("default").or_insert_with(|| json!({ "$ref": "#/components/responses/Problem" }));
}

fn problem_schema() -> Value {
    let types: Vec<String> = ProblemType::ALL.iter().map(|kind| format!("/problems/{}", kind.slug())).collect();
    json!({
        "type": "object",
        "description": "A refusal (RFC 9457): what it is, a sentence for the person, and the facts that the app needs to go on as further members.",
        "required": ["type", "title", "status", "instance"],
        "additionalProperties": true,
        "properties": {
            "type": {
                "type": "string",
                "description": "Which refusal; stable. Clients must tolerate new values.",
                "x-extensible-enum": types
            },
            "title": { "type": "string", "description": "A sentence in the caller's language." },
            "status": { "type": "integer", "description": "The HTTP status." },
            "instance": { "type": "string", "description": "The request's id, as in the header X-Request-Id." },
            "errors": {
                "type": "array",
                "description": "What is wrong with which field, parameter or header.",
                "items": {
                    "type": "object",
                    "required": ["field", "message"],
                    "properties": { "field": { "type": "string" }, "message": { "type": "string" } }
                }
            }
        }
    })
}

/// What holds for every call; and every refusal, from the code.
fn manners() -> String {
    let mut text = String::from(MANNERS);
    for kind in ProblemType::ALL {
        let sentence = kind.sentence(crate::language::Language::En);
        text.push_str(&format!("| `/problems/{}` | {} | {sentence} |\n", kind.slug(), kind.status().as_u16()));
    }
    text
}

const MANNERS: &str = "The booking backend of barre and ballet-workout studios.

- Ids are UUIDs; instants are RFC 3339 in UTC, to the microsecond.
- Enums are open: clients must tolerate values that are not listed here, and fields that they do not know.
- Lists page by an opaque cursor: send `next` back as `after`.
- Edits need `If-Match: \"<version>\"`; calls that move credits or money need `Idempotency-Key`.
- `Accept-Language` chooses the language of names and sentences: `en`, `zh-Hans`, `zh-Hant`.
- 429 and 503 carry `Retry-After`, in seconds. Every answer carries `X-Request-Id`.

Every refusal is `application/problem+json` (RFC 9457). Command one may not see answers 404; what one sees but may not do, 403.

| type | status | what a person reads |
|---|---|---|
";

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "Running it", responses((status = 200, body = Object)))]
pub async fn openapi_document() -> impl IntoResponse {
    static TEXT: LazyLock<Bytes> = LazyLock::new(|| text().into());
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=300")], TEXT.clone())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

    /// The calls that the text of `routes.rs` routes: `get /v1/studios`.
    fn routed(text: &str) -> BTreeSet<String> {
        let mut calls = BTreeSet::new();
        for route in text.split(".route(").skip(1) {
            let route = arguments(route);
            let path = route.split('"').nth(1).expect("a path");
            let handlers = route.rsplit('"').next().unwrap_or_default();
            let words: Vec<&str> = handlers.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
            let before = calls.len();
            for method in METHODS {
                // A handler may itself be called `get`: only what opens a bracket is a method.
                if words.contains(&method)
                    && handlers.match_indices(&format!("{method}(")).any(|(at, _)| !handlers[..at].ends_with(is_part_of_name))
                {
                    calls.insert(format!("{method} {path}"));
                }
            }
            assert!(calls.len() > before, "{path} has a method");
        }
        calls
    }

    fn is_part_of_name(c: char) -> bool {
        c.is_alphanumeric() || c == '_' || c == ':'
    }

    /// The text up to the bracket that closes the one before it.
    fn arguments(text: &str) -> &str {
        let mut depth = 1;
        let end = text.char_indices().find_map(|(at, c)| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            (depth == 0).then_some(at)
        });
        &text[..end.expect("brackets close")]
    }

    fn documented(document: &Value) -> BTreeSet<String> {
        let paths = document["paths"].as_object().unwrap();
        paths.iter().flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| format!("{method} {path}"))).collect()
    }

    #[test]
    fn every_route_is_documented_and_nothing_else() {
        let (routed, documented) = (routed(include_str!("routes.rs")), documented(&document()));
        // What a demo alone answers is no part of the API.
        let missing: Vec<_> = routed.difference(&documented).filter(|route| !route.contains(" /dev/")).collect();
        let invented: Vec<_> = documented.difference(&routed).collect();
        assert!(missing.is_empty() && invented.is_empty(), "routed, not documented: {missing:#?}\ndocumented, not routed: {invented:#?}");
    }

    /// Clients are generated with a function for each operation.
    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let document = document();
        let operations = document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
        let mut names = BTreeSet::new();
        for operation in operations {
            assert!(names.insert(operation["operationId"].as_str().expect("a name").to_owned()), "twice: {}", operation["operationId"]);
        }
    }

    #[test]
    fn the_text_of_the_routes_is_understood() {
        let text = r#"Router::new()
            .route("/a/{id}", get(x::get).put(x::put_it))
            .route(
                "/b",
                post(y::delete),
            )"#;
        let expected = ["get /a/{id}", "put /a/{id}", "post /b"].map(String::from);
        assert_eq!(routed(text), BTreeSet::from(expected));
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let mut references = BTreeSet::new();
        collect(&document, &mut references);
        for reference in references {
            let pointer = reference.strip_prefix('#').expect("a reference within the document");
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    fn collect(node: &Value, into: &mut BTreeSet<String>) {
        match node {
            Value::Object(map) => {
                if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
                    into.insert(reference.to_owned());
                }
                map.values().for_each(|node| collect(node, into));
            }
            Value::Array(all) => all.iter().for_each(|node| collect(node, into)),
            _ => {}
        }
    }

    #[test]
    fn the_document() {
        let document = document();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        insta::assert_snapshot!("openapi", text());
    }
}
