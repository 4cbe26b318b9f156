//! The document for client generators. It says the same in the part of JSON Schema that all of them understand: an optional object is a
//! plain `$ref` outside `required`, an object composed of others is written out, and what only helps to check values is left out.

use serde_json::{Map, Value, json};

/// Brings the document into that form.
pub fn simplify(document: &mut Value) {
    write_out(document);
    without_parts(document);
    without_empty_objects(document);
    each_map(document, &|map| {
        optional_objects(map);
        plain_parameters(map);
        // Each tool makes a type of its own of an enum of strings: they are listed in the description instead.
        if let Some(words) = map.get("enum").and_then(Value::as_array).filter(|all| all.iter().any(Value::is_string)) {
            let list = words.iter().filter_map(Value::as_str).map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ");
            let said = map.get("description").and_then(Value::as_str).map(|said| format!("{said}\n\n")).unwrap_or_default();
            map.insert("description".into(), json!(format!("{said}One of {list}.")));
            map.remove("enum");
        }
        // Bounds by length and number are understood; patterns become invalid literals in more than one language.
        if map.get("pattern").is_some_and(Value::is_string) {
            map.remove("pattern");
        }
    });
}

fn each_map(node: &mut Value, change: &impl Fn(&mut Map<String, Value>)) {
    match node {
        Value::Object(map) => {
            change(map);
            map.values_mut().for_each(|node| each_map(node, change));
        }
        Value::Array(all) => all.iter_mut().for_each(|node| each_map(node, change)),
        _ => {}
    }
}

/// Some tools drop a `$ref` beside null: a property that may be null is made one that may be absent.
fn optional_objects(map: &mut Map<String, Value>) {
    let mut optional = Vec::new();
    for (name, property) in map.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        if let Some(reference) = or_null(property) {
            *property = json!({ "$ref": reference });
            optional.push(name.clone());
        }
    }
    if let Some(required) = map.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| name.as_str().is_none_or(|name| !optional.iter().any(|one| one == name)));
        if required.is_empty() {
            map.remove("required");
        }
    }
}

fn or_null(property: &Value) -> Option<Value> {
    let [one, other] = property["oneOf"].as_array()?.as_slice() else { return None };
    let schema = if one["type"] == "null" { other } else { one };
    (one["type"] == "null" || other["type"] == "null").then(|| schema.get("$ref").cloned()).flatten()
}

/// Clients would write a date and time in a header or query in whatever way their language prints one.
fn plain_parameters(map: &mut Map<String, Value>) {
    if matches!(map.get("in").and_then(Value::as_str), Some("header" | "query"))
        && let Some(schema) = map.get_mut("schema").and_then(Value::as_object_mut)
        && schema.get("format").is_some_and(|format| format == "date-time")
    {
        schema.remove("format");
    }
}

/// Components that are `allOf` others get the properties of all.
fn write_out(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    for schema in document["components"]["schemas"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        if schema.get("allOf").is_some() {
            *schema = written_out(schema, &schemas);
        }
    }
}

fn written_out(schema: &Value, schemas: &Value) -> Value {
    let mut whole = schema.as_object().cloned().unwrap_or_default();
    let Some(parts) = whole.remove("allOf") else { return schema.clone() };
    let (mut properties, mut required) = (Map::new(), Vec::new());
    let mut add = |part: &Value| {
        properties.extend(part["properties"].as_object().cloned().unwrap_or_default());
        required.extend(part["required"].as_array().cloned().unwrap_or_default());
    };
    for part in parts.as_array().into_iter().flatten() {
        let named = part["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
        add(&written_out(named.map_or(part, |name| &schemas[name]), schemas));
    }
    add(&Value::Object(whole.clone()));
    whole.insert("type".into(), json!("object"));
    whole.insert("properties".into(), Value::Object(properties));
    whole.insert("required".into(), json!(required));
    Value::Object(whole)
}

/// Removes components that were only parts of others, once those are written out.
fn without_parts(document: &mut Value) {
    loop {
        let text = document.to_string();
        let is_used = |name: &str| text.contains(&format!("\"#/components/schemas/{name}\""));
        let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) else { return };
        let before = schemas.len();
        schemas.retain(|name, _| is_used(name));
        if schemas.len() == before {
            return;
        }
    }
}

/// An object without members says nothing: neither a body nor an answer needs a type for it.
fn without_empty_objects(document: &mut Value) {
    let is_empty =
        |schema: &Value| schema["type"] == "object" && schema.get("properties").is_none() && schema["additionalProperties"] == false;
    let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) else { return };
    let empty: Vec<String> = schemas.iter().filter(|(_, schema)| is_empty(schema)).map(|(name, _)| name.clone()).collect();
    let empty: Vec<String> = empty
        .into_iter()
        .map(|name| {
            schemas.remove(&name);
            format!("#/components/schemas/{name}")
        })
        .collect();
    each_map(document, &|map| {
        let says_nothing = |holder: &Value| {
            let reference = holder.pointer("/content/application~1json/schema/$ref").and_then(Value::as_str);
            reference.is_some_and(|reference| empty.iter().any(|one| one == reference))
        };
        if map.get("requestBody").is_some_and(says_nothing) {
            map.remove("requestBody");
        }
        for response in map.get_mut("responses").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
            if says_nothing(response)
                && let Some(response) = response.as_object_mut()
            {
                response.remove("content");
            }
        }
    });
}
