//! The OpenAPI 3.1 document, made from the code: every handler's `#[utoipa::path]` says what it answers, its signature who may call it,
//! which headers it reads and what it refuses before its first line ([`crate::handler_signature`]), and this file what holds for all.

mod generators;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use crate::app::App;
use crate::demo::plan::Example;
use crate::handler_signature::{Signature, Token};
use crate::language::Language;
use crate::problem::ProblemType;
use crate::running::document::Profile;
use crate::studios::house_rules::RANGES;
use crate::{
    attendance, booking, calendars, families, holds, import, letters, passes, penalties, people, public, reports, running, schedule,
    security, sign_in, studios, trail,
};

/// A handler as the document knows it.
struct Operation {
    tag: &'static str,
    annotation: utoipa::openapi::OpenApi,
    signature: Signature,
}

macro_rules! operations {
    ($($tag:literal: $said:literal { $($($part:ident)::+),+ $(,)? })+) => {
        /// The chapters, each with what it is about.
        const TAGS: &[(&str, &str)] = &[$(($tag, $said)),+];

        fn operations() -> Vec<Operation> {
            let mut all = Vec::new();
            // A function for each: in one, unoptimised, they would need more stack than a thread has.
            $($({
                fn one() -> Operation {
                    #[derive(OpenApi)]
                    #[openapi(paths($($part)::+))]
                    struct One;
                    Operation { tag: $tag, annotation: One::openapi(), signature: Signature::of::<App, _, _>(&$($part)::+) }
                }
                all.push(one());
            })+)+
            all
        }
    };
}

// In the order of a member's day, then of the studio's; what keeps the service running comes last.
operations! {
    "Signing in": "Registering, confirming an address, tokens for a device, a forgotten password, an invitation to a studio's staff." {
        sign_in::registration::register,
        sign_in::verification::verify,
        sign_in::verification::request,
        sign_in::signing::sign_in,
        sign_in::factors::challenge::show,
        sign_in::refreshing::refresh,
        sign_in::signing::sign_out,
        sign_in::password::request_reset,
        sign_in::password::reset,
        sign_in::acceptance::accept,
    }
    "Studios": "What anybody may know of a studio: where it is, who teaches there, what is taught and what it costs. A member joins here." {
        studios::api::list,
        studios::api::one,
        studios::api::instructors,
        studios::api::rooms,
        studios::api::room,
        schedule::api::class_types,
        passes::api::types,
        people::members::join,
        people::leaving::leave,
    }
    "Schedule": "The classes of a studio, with the places that are left." {
        schedule::api::schedule,
        schedule::api::one,
        schedule::api::planning::closing_days,
    }
    "Booking": "Booking a place or waiting for one, cancelling, taking an offered place; for oneself, or by staff for a member." {
        booking::api::terms,
        booking::api::book,
        booking::api::show,
        booking::api::cancel,
        booking::api::accept,
        booking::api::move_up,
        booking::api::set_conditions,
        booking::history::show,
        booking::api::own,
        booking::pages::show,
        booking::pages::submit,
    }
    "Passes": "The passes that a member holds, where their credits came from and went, freezes, and what one is worth." {
        passes::api::own,
        passes::api::ledger,
        passes::api::changing::freeze,
        passes::api::changing::unfreeze,
        passes::api::changing::share,
        passes::api::changing::unshare,
        passes::api::refunds::show,
    }
    "Penalties": "What late cancellations came to: strikes, fees, what is forgiven, and what the studio takes back." {
        penalties::api::own,
        penalties::api::of_member,
        penalties::api::waive,
        penalties::api::pay,
    }
    "Family": "For whom a member books and cancels: a child, a parent, somebody else who has confirmed it." {
        families::api::show,
        families::api::add,
        families::api::confirm,
        families::api::end,
        families::api::set_letters,
    }
    "Calendars": "Private addresses from which a phone's calendar reads classes." {
        calendars::api::make,
        calendars::api::list,
        calendars::api::revoke,
        calendars::api::read,
    }
    "Letters": "The letters that were written to a person." {
        letters::api::own,
    }
    "Account": "One's profile, devices, password and address; taking one's data along, and leaving." {
        people::me::me,
        people::me::change,
        sign_in::signing::devices,
        sign_in::signing::remove_device,
        sign_in::factors::enrolment::list,
        sign_in::factors::enrolment::add_totp,
        sign_in::factors::enrolment::add_passkey,
        sign_in::factors::challenge::question,
        sign_in::factors::enrolment::confirm,
        sign_in::factors::enrolment::remove,
        sign_in::factors::enrolment::renew_codes,
        security::api::own,
        sign_in::password::change,
        sign_in::address::change,
        people::export::export,
        people::deletion::put,
        people::deletion::send,
        people::deletion::undo,
        people::pages::show,
        people::pages::submit,
    }
    "Teaching": "An instructor's classes, the hours in which they could stand in for others, and requests for a substitute." {
        schedule::api::teaching,
        schedule::substitutes::api::availability,
        schedule::substitutes::api::state_availability,
        schedule::substitutes::api::own,
        schedule::substitutes::api::list,
        schedule::substitutes::api::ask,
        schedule::substitutes::api::claim,
        schedule::substitutes::api::unclaim,
        schedule::substitutes::api::approve,
        schedule::substitutes::api::withdraw,
    }
    "Attendance": "Who is in a class, who waits, and who came." {
        attendance::api::roster,
        attendance::api::check_in,
        attendance::api::undo,
        attendance::door::release,
        attendance::api::marks::mark,
        attendance::api::marks::walk_in,
        attendance::api::check_ins::put,
        attendance::api::check_ins::replay,
        attendance::api::door::show,
        attendance::api::kiosks::add,
        attendance::api::kiosks::list,
        attendance::api::kiosks::remove,
    }
    "Front desk": "Members found and entered, passes sold to them and transferred, places kept back." {
        people::members::find,
        people::members::search,
        people::members::enter,
        people::particulars::change,
        passes::api::of_member,
        passes::api::selling::sell,
        passes::api::changing::transfer,
        holds::api::list,
        holds::api::put,
        holds::api::release,
    }
    "Planning": "Classes made, changed, cancelled and published: single ones, whole days, and series." {
        schedule::api::sessions::make,
        schedule::api::sessions::edit,
        schedule::api::sessions::cancel,
        schedule::api::sessions::set_notes,
        schedule::api::planning::unstaffed,
        schedule::api::planning::publish,
        schedule::api::planning::copy,
        schedule::api::planning::close,
        schedule::api::planning::open,
        schedule::series::api::list,
        schedule::series::api::make,
        schedule::series::api::one,
        schedule::series::api::publish,
    }
    "Running a studio": "What a studio is, offers and allows, who works there, and how it goes: mostly for its admins." {
        studios::api::open,
        studios::api::change,
        studios::api::house_rules,
        studios::api::set_house_rules,
        studios::api::type_rules::of_class_type,
        studios::api::type_rules::set_of_class_type,
        studios::api::type_rules::of_pass_type,
        studios::api::type_rules::set_of_pass_type,
        studios::api::add_room,
        studios::api::change_room,
        schedule::api::add_class_type,
        schedule::api::change_class_type,
        passes::api::add_type,
        passes::api::change_type,
        passes::api::changing::give,
        passes::api::changing::extend,
        passes::api::refunds::make,
        people::staff::list,
        people::staff::put,
        people::staff_devices::list,
        people::staff_devices::end,
        people::staff_devices::reset_factors,
        people::invitations::list,
        people::invitations::post,
        people::invitations::withdraw,
        people::erasure::put,
        people::merging::put,
        studios::export::export,
        trail::api::of_studio,
        security::api::of_studio,
        reports::attendance::attendance,
        reports::credits::credits,
        reports::demand::demand,
        reports::letters::letters,
        reports::monday::monday,
        reports::pay::pay,
        reports::retention::retention,
        letters::api::of_studio,
        letters::api::resend,
        import::api::put,
        import::api::show,
        import::api::skipped,
        import::invite::put,
    }
    "Infrastructure": "What whoever runs the service needs, and the pages and files behind the letters' links." {
        security::api::all,
        running::api::health,
        running::api::readiness,
        running::api::show_metrics,
        running::document::openapi_document,
        running::pages::front,
        public::booking::show,
        running::api::apple_app_site_association,
        running::api::assetlinks,
        letters::pages::list,
        letters::pages::one,
        letters::unsubscribe::show,
        letters::unsubscribe::submit,
    }
}

/// What any operation may answer when we are at fault, or busy.
const OURS: [ProblemType; 3] = [ProblemType::Fault, ProblemType::Busy, ProblemType::Unavailable];

/// Where a handler's annotation names what it refuses.
const PROBLEM_TYPES: &str = "x-problem-types";

/// The document for this reader as it is served at `public_url`, or, without one, as it is printed.
pub fn text(profile: Profile, public_url: Option<&str>) -> String {
    let mut document = document();
    let here = json!({ "url": "/", "description": "Where this document was read." });
    document["servers"] = match public_url {
        None => json!([here]),
        Some(url) => {
            let there = json!({ "url": url.trim_end_matches('/'), "description": "This deployment." });
            // A generated client takes the first, and has no "here".
            if profile == Profile::Generators { json!([there]) } else { json!([here, there]) }
        }
    };
    if profile == Profile::Generators {
        generators::simplify(&mut document);
    }
    serde_json::to_string_pretty(&document).unwrap_or_else(|_| document.to_string())
}

pub fn document() -> Value {
    assemble().0
}

/// The document, and the names that two different schemas claim.
fn assemble() -> (Value, Vec<String>) {
    let (mut paths, mut schemas, mut clashes) = (Map::new(), Map::new(), Vec::new());
    for Operation { tag, annotation, signature } in operations() {
        let mut annotation = serde_json::to_value(annotation).unwrap_or_default();
        for (name, schema) in taken(&mut annotation["components"]["schemas"]) {
            if schemas.get(&name).is_some_and(|known| *known != schema) {
                clashes.push(name.clone());
            }
            schemas.insert(name, schema);
        }
        for (path, item) in taken(&mut annotation["paths"]) {
            for (method, mut operation) in item.as_object().cloned().unwrap_or_default() {
                complete(&path, &mut operation, tag, &signature);
                paths.entry(&path).or_insert_with(|| json!({}))[method] = operation;
            }
        }
    }
    schemas.extend(taken(&mut problem_schemas()));
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Relevé",
            "version": env!("CARGO_PKG_VERSION"),
            "description": manners(),
            "contact": { "name": "Relevé" },
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" }
        },
        "servers": [{ "url": "/", "description": "Where this document was read." }],
        "tags": TAGS.iter().map(|(name, said)| json!({ "name": name, "description": said })).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": { "Problem": refusal("Our own fault, or we are busy: try again later.", &OURS) },
            "securitySchemes": {
                "bearer": {
                    "type": "http", "scheme": "bearer",
                    "description": "The access_token of POST /v1/tokens, /v1/tokens/second-factor, /v1/tokens/refresh or /v1/email-verifications."
                }
            }
        }
    });
    bound_house_rules(&mut document);
    close_what_comes_in(&mut document);
    open_enums(&mut document);
    inline_values(&mut document);
    exact_instants(&mut document);
    describe_answers(&mut document);
    share_refusals(&mut document);
    (document, clashes)
}

fn taken(node: &mut Value) -> Map<String, Value> {
    match node.take() {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Adds to a handler's annotation what its path and its signature say.
fn complete(path: &str, operation: &mut Value, tag: &str, signature: &Signature) {
    operation["tags"] = json!([tag]);
    operation["security"] = match signature.token {
        Token::None => json!([]),
        Token::Optional => json!([{}, { "bearer": [] }]),
        Token::Required => json!([{ "bearer": [] }]),
    };
    let said = operation["summary"].as_str().unwrap_or_default().replace('\n', " ");
    operation["summary"] = json!(first_sentence(&said).trim_end_matches('.'));
    operation["description"] = json!(match operation["description"].as_str() {
        Some(more) => format!("{said}\n\n{more}"),
        None => said,
    });
    let mut parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    for parameter in &mut parameters {
        without_null(&mut parameter["schema"]);
        if parameter["in"] == "path" && parameter["description"].as_str().is_none_or(str::is_empty) {
            let name = parameter["name"].as_str().unwrap_or_default();
            let (said, example) = part_of_path(path, name);
            parameter["description"] = json!(said);
            if let Some(example) = example {
                parameter["example"] = json!(example);
            }
        }
    }
    parameters.extend(signature.headers.iter().map(|header| {
        json!({
            "name": header.name, "in": "header", "required": header.required,
            "description": header.description, "schema": header.schema
        })
    }));
    operation["parameters"] = json!(parameters);
    if signature.body_is_optional {
        operation["requestBody"]["required"] = json!(false);
    }
    let mut refused = Signature::default();
    let named = operation[PROBLEM_TYPES].take();
    let named = named.as_array().into_iter().flatten().filter_map(Value::as_str);
    refused.refuses(&named.filter_map(ProblemType::of_uri).collect::<Vec<_>>());
    refused.refuses(&signature.problems);
    // `server::front` says it in the place of the other to whoever must have a second factor and has none.
    if refused.problems.contains(&ProblemType::NotAllowed) {
        refused.refuses(&[ProblemType::SecondFactorRequired]);
    }
    if let Some(operation) = operation.as_object_mut() {
        operation.remove(PROBLEM_TYPES);
        if operation["parameters"] == json!([]) {
            operation.remove("parameters");
        }
    }
    add_refusals(operation, &refused.problems);
}

/// A parameter is present or absent: `null` would be sent as text.
fn without_null(schema: &mut Value) {
    if let Some(types) = schema["type"].as_array()
        && let [one] = types.iter().filter(|one| **one != "null").collect::<Vec<_>>().as_slice()
    {
        schema["type"] = (*one).clone();
    }
    let other = schema["oneOf"].as_array().and_then(|all| all.iter().find(|one| one["type"] != "null")).cloned();
    if let Some(other) = other {
        *schema = other;
    }
}

/// What the `{…}` of a path names, and, where every demo has one, which it could be.
fn part_of_path(path: &str, name: &str) -> (&'static str, Option<String>) {
    let before = path.split('/').zip(path.split('/').skip(1)).find(|(_, part)| part.trim_matches(['{', '}']) == name);
    let of_demo = |what: Example| Some(what.id().to_string());
    match (before.map(|(before, _)| before), name) {
        (Some("studios"), "id") => ("Which studio.", of_demo(Example::Studio)),
        (Some("sessions"), "id") => ("Which session.", None),
        (Some("series"), "id") => ("Which series.", None),
        (Some("bookings"), "id") | (_, "booking_id") => ("Which booking: the app chooses the id, a new one for each wish to book.", None),
        (Some("passes"), "id") => ("Which pass.", None),
        (Some("letters"), "id") => ("Which letter.", None),
        (Some("family"), "id") => ("Which link of the caller's family.", None),
        (Some("calendars"), "id") => ("Which calendar address.", None),
        (Some("devices"), "id") | (_, "device_id") => ("Which device.", None),
        (Some("second-factors"), "id") => ("Which second factor.", None),
        (Some("substitute-requests"), "id") => ("Which request.", None),
        (_, "invitation_id") => ("Which invitation.", None),
        (_, "check_in_id") => ("Which check-in: the device chooses the id, a new one for each time that a code is shown.", None),
        (_, "kiosk_id") => ("Which device.", None),
        (_, "hold_id") => ("Which hold: the app chooses the id, a new one for each.", None),
        (_, "table") => ("Of what.", None),
        (_, "import_id") => ("Which import: the app chooses the id, a new one for each file.", None),
        (_, "penalty_id") => ("Which penalty.", None),
        (_, "class_type_id") => ("Which class type.", of_demo(Example::ClassType)),
        (_, "pass_type_id") => ("Which pass type.", of_demo(Example::PassType)),
        (_, "room_id") => ("Which room.", of_demo(Example::Room)),
        (_, "person_id") => ("Which person.", of_demo(Example::Member)),
        (_, "date") => ("Which day, on the studio's calendar.", None),
        (Some("offers"), "id") => ("Which offer.", None),
        (Some("unsubscribe"), "id") => ("Whose letters.", None),
        (_, "switch") => ("Which of them: a name of `letters` in `/v1/me`.", None),
        (_, "signature") => ("What shows that the link was made for a letter.", None),
        (_, "file") => ("The secret of the calendar's address, with `.ics` behind it.", None),
        _ => ("", None),
    }
}

/// Adds a response for each status that lists its refusals; all have one shape.
fn add_refusals(operation: &mut Value, refused: &[ProblemType]) {
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    let mut by_status: BTreeMap<u16, Vec<ProblemType>> = BTreeMap::new();
    for problem in refused {
        by_status.entry(problem.status().as_u16()).or_default().push(*problem);
    }
    for (status, problems) in by_status {
        let known = responses.remove(&status.to_string()).unwrap_or_default();
        let mut response = refusal(known["description"].as_str().unwrap_or_default(), &problems);
        if let (Some(also), Some(content)) = (known["content"].as_object(), response["content"].as_object_mut()) {
            content.extend(also.clone());
        }
        responses.insert(status.to_string(), response);
    }
    responses.insert("default".into(), json!({ "$ref": "#/components/responses/Problem" }));
}

/// A response that is one of these problems.
fn refusal(said: &str, problems: &[ProblemType]) -> Value {
    let line = |problem: &ProblemType| format!("- `{}`: {}", problem.uri(), problem.sentence(Language::En));
    let lines = problems.iter().map(line).collect::<Vec<_>>().join("\n");
    let said = if said.is_empty() { lines } else { format!("{said}\n\n{lines}") };
    let mut response = json!({
        "description": said,
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
        PROBLEM_TYPES: problems.iter().map(|problem| problem.uri()).collect::<Vec<_>>()
    });
    let waits = |problem: &ProblemType| matches!(problem.status().as_u16(), 429 | 503);
    if problems.iter().any(waits) {
        let always = problems.iter().all(waits);
        response["headers"]["Retry-After"] = json!({
            "description": "After how many seconds to try again.",
            "required": always,
            "schema": { "type": "integer", "minimum": 1 }
        });
    }
    if problems.iter().any(|problem| problem.status().as_u16() == 401) {
        response["headers"]["WWW-Authenticate"] =
            json!({ "description": "Always `Bearer`.", "required": true, "schema": { "type": "string" } });
    }
    response
}

/// Clients that reject unknown values would break with every new one: enums are described, not closed.
fn open_enums(node: &mut Value) {
    match node {
        Value::Object(map) => {
            if map.remove(CLOSED).is_some() {
                return;
            }
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

/// The house rules are many numbers with one table of bounds.
fn bound_house_rules(document: &mut Value) {
    for schema in ["HouseRules", "HouseRuleOverrides"] {
        let properties = &mut document["components"]["schemas"][schema]["properties"];
        for (rule, least, most) in RANGES {
            properties[*rule]["minimum"] = json!(least);
            properties[*rule]["maximum"] = json!(most);
        }
        properties["fee_currency"]["pattern"] = json!("^[A-Z]{3}$");
    }
}

/// Enums in requests are closed: a word that is not listed is refused. They are written where they are used, since the same enums are open
/// in answers.
fn close_what_comes_in(document: &mut Value) {
    let Some(schemas) = document.pointer("/components/schemas").and_then(Value::as_object) else { return };
    let words = |schema: &Value| schema["enum"].as_array().is_some_and(|all| all.iter().all(Value::is_string));
    let enums: BTreeMap<String, Value> = schemas
        .iter()
        .filter(|(_, schema)| words(schema))
        .map(|(name, schema)| {
            let mut schema = schema.clone();
            schema[CLOSED] = json!(true);
            (format!("#/components/schemas/{name}"), schema)
        })
        .collect();
    let schemas = document["components"]["schemas"].as_object_mut().into_iter().flat_map(Map::values_mut);
    schemas.filter(|schema| comes_in(schema)).for_each(|schema| inline(schema, &enums));
    let operations = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut);
    for operation in operations.flat_map(Map::values_mut) {
        for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
            inline(parameter, &enums);
            let schema = &mut parameter["schema"];
            if words(schema) {
                schema[CLOSED] = json!(true);
            }
        }
    }
    let mut used = String::new();
    for part in ["paths", "components"] {
        used.push_str(&document[part].to_string());
    }
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.retain(|name, schema| !words(schema) || used.contains(&format!("\"#/components/schemas/{name}\"")));
    }
}

/// Marks an enum that stays one until [`open_enums`] has passed.
const CLOSED: &str = "x-closed";

/// Whether a schema is of a request: it refuses unknown members.
fn comes_in(schema: &Value) -> bool {
    schema["additionalProperties"] == false
}

/// A name, a date, a number within bounds: a plain value that is no enum is written where it is used, with its bounds, and needs no name of
/// its own. `null` beside it is one more type of it.
fn inline_values(document: &mut Value) {
    let is_value = |schema: &Value| match schema["type"].as_str() {
        Some("array") => schema["items"].get("$ref").is_none(),
        Some("string" | "integer" | "number" | "boolean") => schema.get("x-extensible-enum").is_none(),
        _ => false,
    };
    let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) else { return };
    let names: Vec<String> = schemas.iter().filter(|(_, schema)| is_value(schema)).map(|(name, _)| name.clone()).collect();
    let values: BTreeMap<String, Value> =
        names.into_iter().filter_map(|name| schemas.remove(&name).map(|value| (format!("#/components/schemas/{name}"), value))).collect();
    inline(document, &values);
}

fn inline(node: &mut Value, values: &BTreeMap<String, Value>) {
    match node {
        Value::Object(map) => {
            map.values_mut().for_each(|node| inline(node, values));
            if let Some(value) = map.get("$ref").and_then(Value::as_str).and_then(|reference| values.get(reference)) {
                map.remove("$ref");
                extend(map, value);
            }
            if let Some(value) = nullable_value(map) {
                map.remove("oneOf");
                extend(map, &value);
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|node| inline(node, values)),
        _ => {}
    }
}

/// What is said at the place of use takes precedence.
fn extend(map: &mut Map<String, Value>, schema: &Value) {
    for (key, value) in schema.as_object().into_iter().flatten() {
        map.entry(key.clone()).or_insert_with(|| value.clone());
    }
}

/// `oneOf: [null, a value]` as one schema with two types.
fn nullable_value(map: &Map<String, Value>) -> Option<Value> {
    let [one, other] = map.get("oneOf")?.as_array()?.as_slice() else { return None };
    let (null, value) = if one["type"] == "null" { (one, other) } else { (other, one) };
    if null["type"] != "null" || !value["type"].is_string() || value["type"] == "object" {
        return None;
    }
    let mut value = value.clone();
    value["type"] = json!([value["type"], "null"]);
    if let Some(words) = value.get_mut("enum").and_then(Value::as_array_mut) {
        words.push(Value::Null);
    }
    Some(value)
}

/// Every answer is described: where its handler says nothing, by what it carries.
fn describe_answers(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    let operations = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut);
    for operation in operations.flat_map(Map::values_mut) {
        tell_etags(operation);
        for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
            if response.get("$ref").is_some() || response["description"].as_str().is_some_and(|said| !said.is_empty()) {
                continue;
            }
            let schema = response["content"].as_object().and_then(|content| content.values().next()).map(|media| &media["schema"]);
            let reference = schema.and_then(|schema| schema["$ref"].as_str()).and_then(|reference| reference.rsplit('/').next());
            let said = reference.and_then(|name| schemas[name]["description"].as_str()).map(first_sentence);
            let said = said.unwrap_or(match status.as_str() {
                "200" => "As asked for.",
                "201" => "It was made.",
                "202" => "A letter is on its way.",
                "204" => "Done; there is nothing to say.",
                "304" => "It has not changed since what `If-None-Match` names.",
                _ => "",
            });
            response["description"] = json!(said);
        }
    }
}

/// Refusals that many operations share are written once.
fn share_refusals(document: &mut Value) {
    const COMMON: usize = 5;
    let mut seen: BTreeMap<String, (usize, Value)> = BTreeMap::new();
    for_each_response(document, |response| {
        if response.get(PROBLEM_TYPES).is_some() {
            let seen = seen.entry(response.to_string()).or_insert_with(|| (0, response.clone()));
            seen.0 += 1;
        }
    });
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for (text, (_, response)) in seen.into_iter().filter(|(_, (count, _))| *count >= COMMON) {
        let types = response[PROBLEM_TYPES].as_array().into_iter().flatten().filter_map(Value::as_str);
        let name = types.map(|uri| in_one_word(uri.trim_start_matches("/problems/"))).collect::<Vec<_>>().join("Or");
        document["components"]["responses"][&name] = response;
        names.insert(text, name);
    }
    for_each_response(document, |response| {
        if let Some(name) = names.get(&response.to_string()) {
            *response = json!({ "$ref": format!("#/components/responses/{name}") });
        }
    });
}

fn for_each_response(document: &mut Value, change: impl FnMut(&mut Value)) {
    let operations = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut);
    let responses = operations.flat_map(Map::values_mut).filter_map(|operation| operation["responses"].as_object_mut());
    responses.flat_map(Map::values_mut).for_each(change);
}

/// `session-full` as `SessionFull`.
fn in_one_word(slug: &str) -> String {
    let words =
        slug.split('-').map(|word| word.chars().next().map(|first| first.to_uppercase().chain(word.chars().skip(1)).collect::<String>()));
    words.flatten().collect()
}

/// An `ETag` serves edits or caching. If caching, 304 has it as well, and the call takes `If-None-Match`.
fn tell_etags(operation: &mut Value) {
    let mut answers = operation["responses"].as_object().into_iter().flatten();
    let Some((status, _)) = answers.find(|(_, answer)| answer["headers"].get("ETag").is_some()) else { return };
    let status = status.clone();
    let is_versioned = operation["responses"].get("304").is_none();
    let header = json!({
        "description": if is_versioned {
            "The version, in quotes: what `If-Match` of an edit carries."
        } else {
            "Changes with the answer: what `If-None-Match` of the next call carries."
        },
        "schema": { "type": "string" }
    });
    operation["responses"][&status]["headers"]["ETag"] = header.clone();
    if is_versioned {
        return;
    }
    operation["responses"]["304"]["headers"]["ETag"] = header;
    if let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
        parameters.push(json!({
            "name": "If-None-Match", "in": "header", "required": false, "schema": { "type": "string" },
            "description": "The `ETag` of what the caller has already: if that still is the answer, it is 304 without a body."
        }));
    }
}

/// Up to the first full stop that another sentence follows.
fn first_sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |at| &text[..=at])
}

/// A refusal, and what it consists of. The facts are those of all problems; which ones it has, its type says.
fn problem_schemas() -> Value {
    let types: Vec<String> = ProblemType::ALL.iter().map(|problem| problem.uri()).collect();
    let text = |said: &str| json!({ "type": "string", "description": said });
    let number = |said: &str| json!({ "type": "integer", "format": "int64", "description": said });
    let id = |said: &str| json!({ "type": "string", "format": "uuid", "description": said });
    let instant = |said: &str| json!({ "type": "string", "format": "date-time", "description": said });
    json!({
        "FieldError": {
            "type": "object",
            "description": "One field, parameter or header, and what is wrong with it.",
            "required": ["field", "message"],
            "properties": {
                "field": text("The path of the field in the body, or the name of the parameter or header."),
                "message": text("What is wrong with it, in the reader's language.")
            }
        },
        "FullWaitlist": {
            "type": "object",
            "description": "The waitlist of a session that is full.",
            "required": ["open", "length", "cap"],
            "properties": {
                "open": { "type": "boolean", "description": "Whether one may wait." },
                "length": number("How many wait."),
                "cap": { "type": ["integer", "null"], "format": "int64", "description": "How many may wait; null: there is no cap." }
            }
        },
        "TornBooking": {
            "type": "object",
            "description": "A booking whose member would be in two sessions at once.",
            "required": ["booking_id", "person_id", "other_booking_id"],
            "properties": {
                "booking_id": id("Of the session that changes."),
                "person_id": id("Whose."),
                "other_booking_id": {
                    "type": ["string", "null"], "format": "uuid",
                    "description": "Their booking at that time; null: another studio's."
                }
            }
        },
        "TaughtSession": {
            "type": "object",
            "description": "A session that somebody still has to teach.",
            "required": ["id", "studio_id", "starts_at"],
            "properties": { "id": id("Which."), "studio_id": id("Where."), "starts_at": instant("When.") }
        },
        "Problem": {
            "type": "object",
            "description": "A refusal (RFC 9457): what it is, a sentence for the person, and the facts that the app needs to go on.",
            "required": ["type", "title", "status", "instance"],
            "additionalProperties": true,
            "properties": {
                "type": {
                    "type": "string",
                    "description": "Which refusal; stable. Clients must tolerate new values.",
                    "x-extensible-enum": types
                },
                "title": text("A sentence in the reader's language."),
                "status": { "type": "integer", "format": "int32", "description": "The HTTP status." },
                "instance": text("The request's id, as in the header X-Request-Id."),
                "errors": {
                    "type": "array",
                    "description": "What is wrong with which field, parameter or header.",
                    "items": { "$ref": "#/components/schemas/FieldError" }
                },
                "because": text("Why not. A pass is not for this member: `new_members_only` or `once_per_person`; members are not one: `has_account`, `is_staff` or `overlap`."),
                "booked": number("How many are booked."),
                "booking_id": id("The booking that stands in the way."),
                "booking_ids": {
                    "type": "array", "items": { "type": "string", "format": "uuid" },
                    "description": "The bookings that stand in the way: those to come that the pass pays for, those of the guests, those of the studio that is left, or those that two people have at one time."
                },
                "booking_status": text("The status of the booking as it is now."),
                "bookings": {
                    "type": "array",
                    "description": "Whose bookings stand in the way.",
                    "items": { "$ref": "#/components/schemas/TornBooking" }
                },
                "cancel_now": {
                    "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/CancelNow" }],
                    "description": "What a cancellation would do now."
                },
                "challenge": text("What the second factor is shown with."),
                "closed_at": instant("When booking, or the door, closed."),
                "date": { "type": "string", "format": "date", "description": "The date on which something stands in the way." },
                "expires_in": number("For how many seconds the challenge can be answered."),
                "failed": text("Which part of the service does not answer."),
                "first_visit": { "type": "boolean", "description": "Whether it would be the member's first visit, to which nobody comes late." },
                "frozen_from": { "type": "string", "format": "date", "description": "The first day of the freeze." },
                "frozen_until": { "type": "string", "format": "date", "description": "Its last." },
                "held": number("How many places are kept back."),
                "kinds": {
                    "type": "array",
                    "description": "What can be shown as a second factor: `passkey`, `totp`, `recovery_code`. Clients must tolerate new values.",
                    "items": { "type": "string" }
                },
                "max": number("The most that there may be."),
                "of": text("Which places a cap counts: the member's in the `studio`, of the `class_type`, paid with a pass of the `pass_type`."),
                "over": text("Over what time a cap counts: `ahead`, `day`, `week` or `month`."),
                "only_within_hours": number("How soon a session must start that a suspended member may book; 0: none may be booked."),
                "next_valid": text("The first wall time that there is again, where a change of the clocks skips the one asked for."),
                "from": instant("From when it can be done."),
                "opens_at": instant("When booking, or the door, opens."),
                "passkey": {
                    "type": ["object", "null"], "additionalProperties": true,
                    "description": "What an authenticator is asked: PublicKeyCredentialRequestOptionsJSON of WebAuthn."
                },
                "places_left": number("How many places the hold could have."),
                "session_id": {
                    "type": ["string", "null"], "format": "uuid", "description": "The session that stands in the way; null or absent: a draft of another studio."
                },
                "sessions": {
                    "type": "array",
                    "description": "Sessions that they still have to teach.",
                    "items": { "$ref": "#/components/schemas/TaughtSession" }
                },
                "shop_url": { "type": ["string", "null"], "description": "Where passes are bought." },
                "starts_at": instant("When the session that stands in the way, or that the code is for, starts."),
                "state": text("The fate of the letter."),
                "until": instant("Until when somebody is suspended."),
                "version": number("The version that there is now."),
                "waitlist": { "$ref": "#/components/schemas/FullWaitlist" }
            }
        }
    })
}

/// Instants in answers always have six digits.
fn exact_instants(document: &mut Value) {
    fn mark(node: &mut Value) {
        match node {
            Value::Object(map) => {
                if map.get("format").is_some_and(|format| format == "date-time") {
                    map.insert("pattern".into(), json!(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$"));
                    map.insert("example".into(), json!("2026-12-01T10:30:00.000000Z"));
                }
                map.values_mut().for_each(mark);
            }
            Value::Array(all) => all.iter_mut().for_each(mark),
            _ => {}
        }
    }
    // A request refuses unknown members, and its instants may have any precision.
    let schemas = document["components"]["schemas"].as_object_mut().into_iter().flat_map(Map::values_mut);
    schemas.filter(|schema| !comes_in(schema)).for_each(mark);
}

/// What holds for every call; and every refusal, from the code.
fn manners() -> String {
    let mut text = String::from(MANNERS);
    for problem in ProblemType::ALL {
        text.push_str(&format!("| `{}` | {} | {} |\n", problem.uri(), problem.status().as_u16(), problem.sentence(Language::En)));
    }
    text
}

const MANNERS: &str = "The booking backend of barre and ballet-workout studios.

- Ids are UUIDs; instants are RFC 3339 in UTC, to the microsecond, always with six digits: `2026-12-01T10:30:00.000000Z`.
- Enums are open: clients must tolerate values that are not listed here, and fields that they do not know.
- Lists page by an opaque cursor: send `next` back as `after`.
- Edits need `If-Match: \"<version>\"`; calls that move credits or money need `Idempotency-Key`.
- `Accept-Language` chooses the language of names and sentences: `en`, `zh-Hans`, `zh-Hant`.
- 429 and 503 carry `Retry-After`, in seconds. Every answer carries `X-Request-Id`.
- For tools that make clients of this document: `/openapi.json?profile=generators` says the same with less of JSON Schema.

Every refusal is `application/problem+json` (RFC 9457). What one may not see answers 404; what one sees but may not do, 403.

| type | status | what a person reads |
|---|---|---|
";

#[cfg(test)]
mod tests;
