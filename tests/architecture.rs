//! The project's own rules, checked on its sources: pure `rules.rs`, SQL where SQL belongs, dependencies that never run backwards.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A source file: where it is below `src/`, and its code without comments and without its tests.
struct Source {
    path: String,
    code: String,
}

impl Source {
    fn of(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), code: without_comments(without_tests(text)) }
    }

    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    find(&root, &mut files);
    let read = |file: &PathBuf| {
        let path = file.strip_prefix(&root).unwrap().to_str().unwrap();
        Source::of(path, &fs::read_to_string(file).unwrap())
    };
    // `booking/rules/tests.rs` is no code of the house.
    let all: Vec<Source> = files.iter().map(read).filter(|source| source.name() != "tests.rs").collect();
    assert!(all.len() > 20, "the sources are found");
    all
}

fn find(directory: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// The house's way is one `mod tests` at the end of a file.
fn without_tests(text: &str) -> &str {
    text.find("#[cfg(test)]\nmod tests").map_or(text, |at| &text[..at])
}

/// Line comments away; what stands in string literals stays, `//` of a URL too.
fn without_comments(text: &str) -> String {
    let mut code = String::new();
    for line in text.lines() {
        let end = line.match_indices("//").find(|(at, _)| line[..*at].matches('"').count() % 2 == 0).map_or(line.len(), |(at, _)| at);
        code.push_str(&line[..end]);
        code.push('\n');
    }
    code
}

fn words(code: &str) -> BTreeSet<&str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').collect()
}

/// What a pure file must not name: I/O, async, clocks, chance.
const IMPURE: [&str; 15] = [
    "sqlx",
    "axum",
    "async",
    "await",
    "tokio",
    "Clock",
    "Instant",
    "SystemTime",
    "Utc_now",
    "Tx",
    "Db",
    "reqwest",
    "rand",
    "getrandom",
    "fs",
];

fn impure_names(source: &Source) -> Vec<String> {
    if source.name() != "rules.rs" && !source.path.contains("/rules/") {
        return Vec::new();
    }
    // `Utc` is the zone of every instant; only asking it for the time is impure.
    let code = source.code.replace("Utc::now", "Utc_now");
    let words = words(&code);
    IMPURE.iter().filter(|name| words.contains(*name)).map(|name| format!("src/{} names {name}", source.path)).collect()
}

/// Whether a file may hold SQL.
fn may_hold_sql(source: &Source) -> bool {
    let path = &source.path;
    source.name() == "store.rs"
        || path.contains("/store/")
        || path.starts_with("db/")
        || path.starts_with("audit/")
        || path == "letters/outbox.rs"
        || path == "events/log.rs"
}

/// String literals of the code that read like SQL.
fn sql_in(source: &Source) -> Vec<String> {
    if may_hold_sql(source) {
        return Vec::new();
    }
    let code = source.code.replace("'\"'", "").replace("\\\"", "");
    let found = code.split('"').skip(1).step_by(2).filter(|literal| is_sql(literal));
    found.map(|literal| format!("src/{} holds SQL: {literal}", source.path)).collect()
}

fn is_sql(literal: &str) -> bool {
    let literal = literal.split_whitespace().collect::<Vec<_>>().join(" ");
    let has = |what: &str| literal.contains(what);
    (has("SELECT ") && (has(" FROM ") || literal.starts_with("SELECT ")))
        || has("INSERT INTO ")
        || has("DELETE FROM ")
        || (has("UPDATE ") && has(" SET "))
        || has("CREATE TABLE")
        || has("CREATE INDEX")
        || has("ALTER TABLE")
        || literal.starts_with("PRAGMA ")
        || literal.starts_with("VACUUM")
}

/// The house from the ground up: a file names files of its own layer and of those below, never of one above. The first pattern that fits
/// a path gives its layer; `*` stands for any part of it. A file that fits none has no place in the house.
const LAYERS: [(&str, &[&str]); 9] = [
    (
        "small values and the seam",
        &[
            "ids.rs",
            "instant.rs",
            "number.rs",
            "wrong.rs",
            "zones.rs",
            "search.rs",
            "demo/mark.rs",
            "clock.rs",
            "text.rs",
            "transition.rs",
            "search.rs",
            "zones.rs",
            "language.rs",
            "problem.rs",
            "problem/*",
            "settings.rs",
            "settings/*",
            "data_directory.rs",
            "db/*",
        ],
    ),
    (
        "rows, transitions and pure rules",
        &[
            "*/rules.rs",
            "*/rules/*",
            "booking/mod.rs",
            "booking/cut_off.rs",
            "booking/conditions.rs",
            "booking/freed.rs",
            "booking/offer.rs",
            "booking/refusal.rs",
            "booking/terms.rs",
            "booking/view.rs",
            "attendance/mod.rs",
            "attendance/code.rs",
            "schedule/mod.rs",
            "schedule/edit.rs",
            "schedule/view.rs",
            "schedule/series/mod.rs",
            "schedule/substitutes/mod.rs",
            "holds/mod.rs",
            "import/mod.rs",
            "passes/mod.rs",
            "penalties/mod.rs",
            "penalties/view.rs",
            "people/mod.rs",
            "people/roles.rs",
            "studios/mod.rs",
            "studios/house_rules.rs",
            "studios/house_rules/*",
            "trail/mod.rs",
            "trail/words.rs",
            "calendars/mod.rs",
            "families/mod.rs",
            "reports/mod.rs",
            "letters/mod.rs",
            "letters/examples.rs",
            "letters/facts.rs",
            "letters/phrases.rs",
            "letters/uids.rs",
            "letters/switches.rs",
            "letters/calendar.rs",
            "letters/words/*",
            "running/mod.rs",
            "audit/mod.rs",
            "security/mod.rs",
            "sign_in/rotation.rs",
            "sign_in/factors/mod.rs",
            "sign_in/factors/totp.rs",
            "sign_in/secrets.rs",
            "sign_in/mod.rs",
            "sign_in/keys.rs",
            "sign_in/hs256.rs",
        ],
    ),
    ("SQL and what happened", &["*/store.rs", "*/store/*", "events/*", "audit/*", "letters/outbox.rs"]),
    ("the rows that a batch knows", &["working_set/*", "events/emit.rs", "events/letters.rs"]),
    (
        "commands, one a file",
        &[
            "booking/accept.rs",
            "booking/book.rs",
            "booking/book_guest.rs",
            "booking/book_visitor.rs",
            "booking/cancel.rs",
            "booking/cancelled_by_studio.rs",
            "booking/close_waitlist.rs",
            "booking/door_release.rs",
            "booking/ending.rs",
            "booking/expire_offer.rs",
            "booking/guests.rs",
            "booking/member.rs",
            "booking/move_up.rs",
            "booking/offering.rs",
            "booking/place.rs",
            "booking/refill.rs",
            "booking/replace.rs",
            "booking/remind.rs",
            "booking/set_conditions.rs",
            "booking/snapshot.rs",
            "booking/standby.rs",
            "booking/tell_terms.rs",
            "attendance/check_in.rs",
            "attendance/correct.rs",
            "attendance/follow_up.rs",
            "attendance/check_in_by_code.rs",
            "attendance/mark_roster.rs",
            "attendance/walk_in.rs",
            "schedule/cancel_session.rs",
            "schedule/cancellation.rs",
            "schedule/changes.rs",
            "schedule/closing_days.rs",
            "schedule/copy_days.rs",
            "schedule/edit_session.rs",
            "schedule/follow_clocks.rs",
            "schedule/make_session.rs",
            "schedule/note_session.rs",
            "schedule/publish.rs",
            "schedule/rights.rs",
            "schedule/session_fields.rs",
            "schedule/session_parts.rs",
            "schedule/too_few.rs",
            "schedule/series/ahead.rs",
            "schedule/series/edit.rs",
            "schedule/series/end.rs",
            "schedule/series/make.rs",
            "schedule/series/scope.rs",
            "schedule/substitutes/commands.rs",
            "schedule/substitutes/follow.rs",
            "passes/begin.rs",
            "passes/extend.rs",
            "passes/freeze.rs",
            "passes/share.rs",
            "passes/give.rs",
            "passes/held.rs",
            "passes/notice.rs",
            "passes/refund.rs",
            "passes/sell.rs",
            "passes/transfer.rs",
            "holds/end.rs",
            "holds/set.rs",
            "penalties/pay.rs",
            "penalties/standing.rs",
            "penalties/waive.rs",
            "people/join_staff.rs",
            "people/merge.rs",
            "people/erase.rs",
            "people/remove.rs",
            "people/set_roles.rs",
            "studios/set_house_rules.rs",
            "studios/override_rules.rs",
        ],
    ),
    ("the one writer", &["transactor/*"]),
    (
        "the process's parts",
        &[
            "schedule/cache.rs",
            "import/progress.rs",
            "letters/transport.rs",
            "letters/files.rs",
            "letters/smtp.rs",
            "letters/message.rs",
            "security/noticed.rs",
            "sign_in/identities.rs",
            "sign_in/factors/passkeys.rs",
            "sign_in/limits.rs",
            "sign_in/line.rs",
            "sign_in/passwords.rs",
            "app.rs",
            "extract.rs",
            "handler_signature.rs",
            "etag.rs",
            "page.rs",
        ],
    ),
    (
        "what people reach: handlers, pages, sweeps, the worker",
        &[
            "attendance/*",
            "booking/*",
            "calendars/*",
            "console/*",
            "families/*",
            "holds/*",
            "import/*",
            "letters/*",
            "passes/*",
            "penalties/*",
            "people/*",
            "public/*",
            "reports/*",
            "running/*",
            "schedule/*",
            "security/*",
            "sign_in/*",
            "studios/*",
            "sweeps.rs",
            "sweeps/*",
            "trail/*",
        ],
    ),
    (
        "the process",
        &[
            "openapi.rs",
            "openapi/*",
            "routes.rs",
            "running/log.rs",
            "server/*",
            "demo/*",
            "demo/store.rs",
            "commands/*",
            "main.rs",
            "lib.rs",
        ],
    ),
];

fn layer_of(path: &str) -> Option<usize> {
    // A file named in full stands where it is named, whatever pattern fits it besides.
    let by = |fits: fn(&str, &str) -> bool| LAYERS.iter().position(|(_, patterns)| patterns.iter().any(|pattern| fits(path, pattern)));
    by(|path, pattern| path == pattern).or_else(|| by(fits))
}

fn fits(path: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => path == pattern,
        Some((head, tail)) => {
            path.strip_prefix(head).is_some_and(|rest| (0..=rest.len()).any(|at| rest.is_char_boundary(at) && fits(&rest[at..], tail)))
        }
    }
}

/// Which files each file names, `use` and full paths alike. A `pub use` of a parent is followed to where the item stands, and is no
/// dependency of the parent itself: it names nothing for its own use.
struct Arrows {
    of: BTreeMap<String, BTreeSet<String>>,
}

impl Arrows {
    fn of(sources: &[Source]) -> Self {
        let modules: BTreeMap<Vec<String>, &Source> =
            sources.iter().filter(|source| source.path != "main.rs").map(|source| (module_of(&source.path), source)).collect();
        let mut passed_on = BTreeMap::new();
        let mut named: BTreeMap<&str, Vec<Vec<String>>> = BTreeMap::new();
        for (module, source) in &modules {
            let mut known: BTreeMap<String, Vec<String>> = modules
                .keys()
                .filter(|other| other.len() == module.len() + 1 && other.starts_with(module))
                .map(|child| (child[module.len()].clone(), child.clone()))
                .collect();
            let mut paths = Vec::new();
            let (uses, rest) = uses_of(&source.code);
            for (public, tree) in uses {
                for path in leaves(&tree, &[]) {
                    let child = path.first().and_then(|first| known.get(first)).map(|child| [child.as_slice(), &path[1..]].concat());
                    let Some(path) = absolute(&path, module).or(child) else { continue };
                    if public {
                        passed_on.insert((module.clone(), path[path.len() - 1].clone()), path);
                    } else {
                        if modules.contains_key(&path) {
                            known.insert(path[path.len() - 1].clone(), path.clone());
                        }
                        paths.push(path);
                    }
                }
            }
            for path in paths_in(&rest) {
                let known = known.get(&path[0]).map(|of| [of.as_slice(), &path[1..]].concat());
                paths.extend(absolute(&path, module).or(known));
            }
            named.insert(&source.path, paths);
        }
        let target = |path: &[String]| -> Option<String> {
            let mut path = path.to_vec();
            for _ in 0..8 {
                let at = (0..=path.len()).rev().find(|n| modules.contains_key(&path[..*n]))?;
                let module = path[..at].to_vec();
                // A module that is only named, to say `module::item` later, is none that the file needs.
                let item = path.get(at)?.clone();
                match passed_on.get(&(module.clone(), item)) {
                    Some(real) => path = [real.as_slice(), &path[at + 1..]].concat(),
                    None => return (!module.is_empty()).then(|| modules[&module].path.clone()),
                }
            }
            None
        };
        let arrows = named.iter().map(|(file, paths)| {
            let to = paths.iter().filter_map(|path| target(path)).filter(|to| to != file).collect();
            ((*file).to_owned(), to)
        });
        Self { of: arrows.collect() }
    }

    fn backwards(&self) -> Vec<String> {
        let layer = |path: &str| layer_of(path).map_or((usize::MAX, "no layer"), |at| (at, LAYERS[at].0));
        let mut found = Vec::new();
        for (from, to) in &self.of {
            if layer_of(from).is_none() {
                found.push(format!("src/{from} has no layer"));
            }
            let above = to.iter().filter(|to| layer(to).0 > layer(from).0);
            found.extend(above.map(|to| format!("src/{from} ({}) names src/{to} ({})", layer(from).1, layer(to).1)));
        }
        found
    }

    /// Files from which a way leads back to themselves, each circle once.
    fn circles(&self) -> Vec<String> {
        let reach = |from: &String| {
            let mut seen = BTreeSet::new();
            let mut open: Vec<&String> = self.of[from].iter().collect();
            while let Some(next) = open.pop() {
                if seen.insert(next) {
                    open.extend(self.of.get(next).into_iter().flatten());
                }
            }
            seen
        };
        let reached: BTreeMap<&String, BTreeSet<&String>> = self.of.keys().map(|file| (file, reach(file))).collect();
        let circle_of = |file: &&String| -> BTreeSet<&String> {
            reached[*file].iter().filter(|other| reached.get(**other).is_some_and(|back| back.contains(*file))).copied().collect()
        };
        let circles: BTreeSet<BTreeSet<&String>> = reached.keys().map(circle_of).filter(|circle| circle.len() > 1).collect();
        circles
            .iter()
            .map(|circle| format!("a circle: {}", circle.iter().map(|file| file.as_str()).collect::<Vec<_>>().join(", ")))
            .collect()
    }
}

/// `booking/mod.rs` and `booking.rs` are `booking`; `lib.rs` is the crate itself.
fn module_of(path: &str) -> Vec<String> {
    let parts = path.trim_end_matches(".rs").split('/');
    parts.filter(|part| !["mod", "lib"].contains(part)).map(str::to_owned).collect()
}

/// The trees of all `use` lines, and whether each is public; and the code without them.
fn uses_of(code: &str) -> (Vec<(bool, String)>, String) {
    let (mut uses, mut rest) = (Vec::new(), String::new());
    let mut statement: Option<String> = None;
    for line in code.lines() {
        let start = line.trim_start();
        if let Some(open) = &mut statement {
            open.push_str(line);
        } else if ["use ", "pub use ", "pub(crate) use ", "pub(super) use "].iter().any(|head| start.starts_with(head)) {
            statement = Some(start.to_owned());
        } else {
            rest.push_str(line);
            rest.push('\n');
        }
        if let Some(done) = statement.take_if(|open| open.contains(';')) {
            let (head, tree) = done.split_once("use ").unwrap();
            uses.push((head.starts_with("pub"), tree.split(';').next().unwrap().to_owned()));
        }
    }
    (uses, rest)
}

/// The paths of a `use` tree: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn leaves(tree: &str, before: &[String]) -> Vec<Vec<String>> {
    let tree = tree.trim();
    let (path, group) = match tree.split_once('{') {
        Some((path, group)) => (path, Some(group.trim_end().trim_end_matches('}'))),
        None => (tree.split(" as ").next().unwrap(), None),
    };
    let path: Vec<String> = path.split("::").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty() && part != "self").collect();
    let path = [before, &path].concat();
    let Some(group) = group else { return vec![path] };
    let (mut all, mut depth, mut one) = (Vec::new(), 0_i32, String::new());
    for c in group.chars() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if c == ',' && depth == 0 {
            all.push(std::mem::take(&mut one));
        } else {
            one.push(c);
        }
    }
    all.push(one);
    all.iter().filter(|one| !one.trim().is_empty()).flat_map(|one| leaves(one, &path)).collect()
}

/// Every `a::b::c` of the code.
fn paths_in(code: &str) -> Vec<Vec<String>> {
    let words = code.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
    words
        .filter(|word| word.contains("::"))
        .map(|word| word.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect())
        .filter(|path: &Vec<String>| !path.is_empty())
        .collect()
}

/// A path that begins with `crate`, `super` or `self`, from the crate's root.
fn absolute(path: &[String], module: &[String]) -> Option<Vec<String>> {
    match path.first()?.as_str() {
        "crate" => Some(path[1..].to_vec()),
        "self" => Some([module, &path[1..]].concat()),
        "super" => {
            let ups = path.iter().take_while(|part| *part == "super").count();
            Some([&module[..module.len().checked_sub(ups)?], &path[ups..]].concat())
        }
        _ => None,
    }
}

fn nothing(found: Vec<String>) {
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn rules_are_pure() {
    nothing(sources().iter().flat_map(impure_names).collect());
}

#[test]
fn sql_stands_in_stores() {
    nothing(sources().iter().flat_map(sql_in).collect());
}

#[test]
fn no_arrow_runs_backwards() {
    nothing(Arrows::of(&sources()).backwards());
}

#[test]
fn there_is_no_circle() {
    nothing(Arrows::of(&sources()).circles());
}

#[test]
fn only_the_seam_knows_the_two_engines() {
    let names_an_engine = |source: &&Source| {
        words(&source.code).iter().any(|word| ["PgPool", "SqlitePool", "PgConnection", "SqliteConnection"].contains(word))
    };
    let found = sources()
        .iter()
        .filter(|source| !source.path.starts_with("db/"))
        .filter(names_an_engine)
        .map(|source| source.path.clone())
        .collect();
    nothing(found);
}

/// Where somebody is compared with the instructor of a session outside the predicates that ask for the role as well: to bear a session's
/// name gives no right in it.
fn rights_without_a_role(source: &Source) -> Vec<String> {
    const ASKED: [&str; 3] = ["is_staff_of_session(", "runs_session(", "teaches_still("];
    let compares = |line: &&str| {
        let (one, other) = (line.contains("instructor_id"), line.contains("own.id") || line.contains("caller"));
        one && other && (line.contains("==") || line.contains("!=")) && !ASKED.iter().any(|asked| line.contains(asked))
    };
    // Whether the admin who publishes is told by letter of what they did themselves.
    let lines = source.code.lines().filter(compares).filter(|line| !line.contains("tell: instructor_id != own.id"));
    lines.map(|line| format!("src/{} gives rights without a role: {}", source.path, line.trim())).collect()
}

#[test]
fn rights_in_a_session_are_asked_with_the_role() {
    nothing(sources().iter().flat_map(rights_without_a_role).collect());
    let found = |text: &str| rights_without_a_role(&Source::of("attendance/api.rs", text)).len();
    assert_eq!(found("if session.instructor_id != caller.person_id {"), 1);
    assert_eq!(found("if own.id == session.instructor_id {"), 1);
    assert_eq!(found("if roles.runs_session(studio, session.instructor_id == own.id) {"), 0);
}

#[test]
fn what_is_wrong_is_found() {
    let found = |files: &[(&str, &str)]| {
        let sources: Vec<Source> = files.iter().map(|(path, text)| Source::of(path, text)).collect();
        let arrows = Arrows::of(&sources);
        let of_files = sources.iter().flat_map(|source| [impure_names(source), sql_in(source)].concat());
        of_files.chain(arrows.backwards()).chain(arrows.circles()).count()
    };
    // Each of these breaks one rule.
    assert_eq!(found(&[("booking/rules.rs", "use sqlx::Row;")]), 1);
    assert_eq!(found(&[("booking/rules.rs", "let now = Utc::now();")]), 1);
    assert_eq!(found(&[("booking/rules.rs", "async fn decide() {}")]), 1);
    assert_eq!(found(&[("booking/api.rs", "db.all(\"SELECT id FROM bookings\", ())")]), 1);
    assert_eq!(found(&[("booking/api.rs", "let sql = \"UPDATE bookings \\\n  SET credits = 0\";")]), 1);
    assert_eq!(found(&[("attic.rs", "")]), 1);
    let queue = ("transactor/queue.rs", "pub struct Transactor;");
    assert_eq!(found(&[("booking/book.rs", "use crate::transactor::queue::Transactor;"), queue]), 1);
    let through = ("transactor/mod.rs", "pub mod queue; pub use queue::Transactor;");
    assert_eq!(
        found(&[
            ("booking/book.rs", "use crate::{ids, transactor::Transactor};"),
            queue,
            ("transactor/mod.rs", "pub use queue::Transactor;")
        ]),
        1
    );
    assert_eq!(found(&[("booking/mod.rs", "fn f(t: crate::transactor::queue::Transactor) {}"), queue, through]), 1);
    assert_eq!(
        found(&[("booking/book.rs", "use super::cancel::end;"), ("booking/cancel.rs", "use super::book;\nfn f() { book::g() }")]),
        1
    );
    // And these break none.
    assert_eq!(found(&[("booking/rules.rs", "// async, sqlx\nuse chrono::{DateTime, Utc};")]), 0);
    assert_eq!(found(&[("booking/store.rs", "db.all(\"SELECT id FROM bookings\", ())")]), 0);
    assert_eq!(found(&[("booking/api.rs", "use crate::transactor::queue::Transactor; let s = \"Select a class\";"), queue]), 0);
    assert_eq!(found(&[("booking/mod.rs", "fn f() {}\n#[cfg(test)]\nmod tests { use crate::transactor::queue::Transactor; }"), queue]), 0);
}
