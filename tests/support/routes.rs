//! The text of `src/routes.rs`, read: which calls there are. Whoever must have an answer for each of them compares with this.

use std::collections::BTreeSet;

const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

/// The calls that the text of `routes.rs` routes: `get /v1/studios`.
pub fn routed(text: &str) -> BTreeSet<String> {
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
