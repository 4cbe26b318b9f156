use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::*;

#[path = "../../tests/support/routes.rs"]
mod routes;

use routes::routed;

/// `get /v1/studios` and what the document says about it.
fn documented(document: &Value) -> Vec<(String, &Value)> {
    let items = document["paths"].as_object().unwrap().iter();
    items.flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |(method, said)| (format!("{method} {path}"), said))).collect()
}

#[test]
fn every_route_is_documented_and_nothing_else() {
    let document = document();
    let (routed, documented) = (routed(include_str!("../routes.rs")), documented(&document));
    let documented: BTreeSet<String> = documented.into_iter().map(|(call, _)| call).collect();
    // The page that shows the document consists of files.
    let missing: Vec<_> = routed.difference(&documented).filter(|route| !route.contains(" /docs")).collect();
    let invented: Vec<_> = documented.difference(&routed).collect();
    assert!(missing.is_empty() && invented.is_empty(), "routed, not documented: {missing:#?}\ndocumented, not routed: {invented:#?}");
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

/// Clients are generated with a function for each operation: a verb and its object, and nothing that is a keyword of the language.
#[test]
fn every_operation_has_a_plain_name_of_its_own() {
    let document = document();
    let alone = ["book", "register"];
    let mut names = BTreeSet::new();
    for (call, operation) in documented(&document) {
        let name = operation["operationId"].as_str().expect("a name");
        assert!(names.insert(name.to_owned()), "twice: {name}");
        assert!(name.contains('_') || alone.contains(&name), "{call}: what does `{name}` do, and to what?");
    }
}

/// What each operation must say so that no tool refuses the document and no reader wonders.
#[test]
fn every_operation_is_described() {
    let document = document();
    let tags: Vec<&str> = document["tags"].as_array().unwrap().iter().filter_map(|tag| tag["name"].as_str()).collect();
    assert_eq!(tags.last(), Some(&"Infrastructure"));
    for (call, operation) in documented(&document) {
        let text = |node: &Value, what: &str| {
            assert!(node[what].as_str().is_some_and(|text| !text.trim().is_empty()), "{call} has no {what}: {node}");
        };
        text(operation, "summary");
        text(operation, "description");
        assert!(operation["tags"].as_array().unwrap().iter().all(|tag| tags.contains(&tag.as_str().unwrap())), "{call}");
        assert!(operation["security"].is_array(), "{call} says nothing of tokens");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            text(parameter, "description");
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            let shared = response["$ref"].as_str().and_then(|reference| document.pointer(reference.trim_start_matches('#')));
            let response = shared.unwrap_or(response);
            text(response, "description");
            let is_refusal = status.starts_with(['4', '5']);
            let is_html = response.pointer("/content/text~1html").is_some();
            let is_problem = response.pointer("/content/application~1problem+json").is_some();
            assert!(!is_refusal || is_html || is_problem, "{call} {status} is no problem");
            assert!(!response["description"].as_str().unwrap_or_default().contains('…'), "{call} {status} does not say all");
        }
    }
}

/// `null` is a value of an enum, a default or an example, and of nothing else.
#[test]
fn nothing_is_null() {
    each(&document(), &mut |node| {
        for (key, value) in node.as_object().into_iter().flatten() {
            assert!(!value.is_null() || matches!(key.as_str(), "default" | "example"), "{key} is null: {node}");
        }
    });
}

/// Two types with one name silently become one schema, and generated clients send the wrong thing.
#[test]
fn no_two_types_share_a_name() {
    let (_, clashes) = assemble();
    assert!(clashes.is_empty(), "two schemas of one name: {clashes:?}");
    let mut names = BTreeSet::new();
    let mut files = Vec::new();
    find(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    for text in files {
        for (name, file) in schema_names(&text) {
            assert!(names.insert(name.clone()), "two types are called {name} in the document; one is in {file}");
        }
    }
    assert!(names.len() > 100, "the types are found");
}

fn find(directory: &Path, into: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The names under which a file's types with a derived schema appear in the document.
fn schema_names((file, text): &(String, String)) -> Vec<(String, String)> {
    let mut names = Vec::new();
    for derived in text.split("#[derive(").skip(1) {
        let (derives, rest) = derived.split_once(")]").unwrap_or_default();
        if !derives.split(',').any(|one| one.trim() == "ToSchema") {
            continue;
        }
        let at = ["pub struct ", "pub enum ", "struct ", "enum "].iter().filter_map(|word| rest.find(word)).min().unwrap_or_default();
        let (attributes, item) = rest.split_at(at);
        let item = item.trim_start_matches("pub ").trim_start_matches("struct ").trim_start_matches("enum ");
        let own = item.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        let said = attributes.split("#[schema(as = ").nth(1).and_then(|said| said.split([')', ',']).next());
        names.push((said.unwrap_or(own).to_owned(), file.clone()));
    }
    names
}

#[test]
fn the_names_of_types_are_found() {
    let text =
        "#[derive(Debug, ToSchema)]\n#[schema(as = B)]\npub struct A<'a> {}\n#[derive(ToSchema)]\nenum C {}\n#[derive(Debug)]\nstruct D;";
    let names: Vec<String> = schema_names(&(String::new(), text.to_owned())).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["B", "C"]);
}

/// Names that a language or its library has already: each generator renames them in its own way.
#[test]
fn no_type_is_called_like_one_of_a_language() {
    const TAKEN: [&str; 30] = [
        "Any",
        "Calendar",
        "Character",
        "Class",
        "Data",
        "Date",
        "Error",
        "Exception",
        "Export",
        "Function",
        "Import",
        "Iterator",
        "Kind",
        "Language",
        "Line",
        "List",
        "Locale",
        "Map",
        "Nothing",
        "Null",
        "Object",
        "Optional",
        "Record",
        "Request",
        "Response",
        "Result",
        "Set",
        "String",
        "Type",
        "Unit",
    ];
    let document = document();
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(!TAKEN.contains(&name.as_str()), "{name} is a word of some language");
        assert!(name.chars().all(char::is_alphanumeric) && name.starts_with(char::is_uppercase), "{name} is not one word");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    for document in [document(), serde_json::from_str(&text(Profile::Generators, Some("https://studio.test/"))).unwrap()] {
        let mut references = BTreeSet::new();
        collect(&document, &mut references);
        for reference in references {
            let pointer = reference.strip_prefix('#').expect("a reference within the document");
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        // And every component is used.
        let mut used = BTreeSet::new();
        collect(&document, &mut used);
        for name in document["components"]["schemas"].as_object().unwrap().keys() {
            assert!(used.contains(&format!("#/components/schemas/{name}")), "nothing refers to {name}");
        }
    }
}

fn collect(node: &Value, into: &mut BTreeSet<String>) {
    match node {
        Value::Object(map) => {
            if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
                into.insert(reference.to_owned());
            }
            map.get("mapping").and_then(Value::as_object).into_iter().flatten().filter_map(|(_, to)| to.as_str()).for_each(|to| {
                into.insert(to.to_owned());
            });
            map.values().for_each(|node| collect(node, into));
        }
        Value::Array(all) => all.iter().for_each(|node| collect(node, into)),
        _ => {}
    }
}

/// The profile for generators: no `$ref` beside null, no composition, and every property and operation of the full document.
#[test]
fn generators_get_the_same_in_simpler_words() {
    let (whole, simple) = (document(), serde_json::from_str::<Value>(&text(Profile::Generators, Some("https://studio.test/"))).unwrap());
    assert_eq!(simple["servers"][0]["url"], "https://studio.test");
    let text = simple.to_string();
    for word in ["allOf", "anyOf", "\"pattern\""] {
        assert!(!text.contains(word), "{word}");
    }
    let calls = |document: &Value| documented(document).into_iter().map(|(call, _)| call).collect::<Vec<_>>();
    assert_eq!(calls(&whole), calls(&simple));
    let booking = &simple["components"]["schemas"]["BookingView"];
    assert_eq!(booking["properties"]["offer"], json!({ "$ref": "#/components/schemas/Offer" }));
    let required = booking["required"].as_array().unwrap();
    assert!(required.contains(&json!("session")) && !required.contains(&json!("offer")), "{required:?}");
    for name in whole["components"]["schemas"].as_object().unwrap().keys() {
        let all = properties(&whole, name);
        let Some(left) = simple["components"]["schemas"].get(name) else {
            assert!(all.is_empty() || is_only_a_part(&whole, name), "{name} is lost");
            continue;
        };
        for property in all {
            assert!(left["properties"].get(&property).is_some(), "{name}.{property} is lost");
        }
    }
    let unions = |node: &Value| node["oneOf"].as_array().is_some_and(|all| all.iter().any(|one| one["type"] == "null"));
    let mut beside_null = Vec::new();
    each(&simple, &mut |node| {
        if unions(node) {
            beside_null.push(node.clone());
        }
    });
    assert!(beside_null.is_empty(), "{beside_null:?}");
}

/// The properties of a component and of all that it is made of.
fn properties(document: &Value, name: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut left = vec![&document["components"]["schemas"][name]];
    while let Some(schema) = left.pop() {
        names.extend(schema["properties"].as_object().into_iter().flat_map(Map::keys).cloned());
        for part in schema["allOf"].as_array().into_iter().flatten() {
            left.push(part["$ref"].as_str().and_then(|at| document.pointer(at.trim_start_matches('#'))).unwrap_or(part));
        }
    }
    names
}

/// Whether other components are made of this one, and nothing else refers to it.
fn is_only_a_part(document: &Value, name: &str) -> bool {
    let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
    let (mut as_a_part, mut everywhere) = (0, 0);
    each(document, &mut |node| {
        as_a_part += node["allOf"].as_array().into_iter().flatten().filter(|part| **part == reference).count();
        everywhere += usize::from(*node == reference);
    });
    as_a_part > 0 && as_a_part == everywhere
}

fn each<'v>(node: &'v Value, see: &mut impl FnMut(&'v Value)) {
    see(node);
    match node {
        Value::Object(map) => map.values().for_each(|node| each(node, see)),
        Value::Array(all) => all.iter().for_each(|node| each(node, see)),
        _ => {}
    }
}

/// A sale has a method of payment, which is text.
#[test]
fn a_pass_can_be_paid() {
    let method = &document()["components"]["schemas"]["PaidBody"]["properties"]["method"];
    assert_eq!((&method["type"], &method["maxLength"]), (&json!("string"), &json!(50)));
}

#[test]
fn the_document() {
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    insta::assert_snapshot!("openapi", text(Profile::Full, None));
}
