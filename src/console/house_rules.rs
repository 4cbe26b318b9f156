//! The house rules, each as a sentence in which the numbers can be changed, with examples of what they mean: before they are saved, too.

use std::collections::{BTreeMap, HashMap};

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::{Datelike as _, Days, NaiveDate, NaiveTime};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::form::Form;
use super::frame::{Part, Said, SaidParams, Shell, done};
use super::sentences::{GROUPS, Kind, Sentence};
use super::staff::Staff;
use super::words::{self, Words};
use super::{durations, rule_examples};
use crate::app::App;
use crate::extract::{Body, IfMatch, Path, Query};
use crate::language::Language;
use crate::letters::facts::Money;
use crate::letters::phrases;
use crate::problem::{Answer, Problem, ProblemType};
use crate::schedule::rules::instants;
use crate::studios;
use crate::studios::guard::require_admin;
use crate::studios::house_rules::HouseRules;
use crate::wrong::Wrong;
use crate::zones::instant;

/// Places of the class in the examples.
const EXAMPLE_CAPACITY: i64 = 12;
/// When the classes of the examples start.
const EXAMPLE_STARTS: [(u32, u32); 2] = [(18, 30), (7, 30)];
/// When they are booked.
const NOON: NaiveTime = match NaiveTime::from_hms_opt(12, 0, 0) {
    Some(noon) => noon,
    None => NaiveTime::MIN,
};

#[derive(Template)]
#[template(path = "console/pages/house_rules.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    version: i64,
    groups: Vec<Group>,
    /// None, where the rules as they were typed do not fit.
    examples: Vec<Example>,
}

impl Page {
    /// Whether something in this sentence does not fit.
    fn is_wrong(&self, sentence: &[Line]) -> bool {
        sentence.iter().any(|line| line.wrong.is_some())
    }
}

struct Group {
    title: &'static str,
    /// Each of the rules that it holds.
    sentences: Vec<Vec<Line>>,
}

/// One rule in its sentence, or its part of one.
struct Line {
    name: &'static str,
    before: &'static str,
    after: &'static str,
    kind: Kind,
    value: String,
    /// What may be chosen: what is sent, what is shown.
    choices: Vec<(&'static str, &'static str)>,
    wrong: Option<String>,
    /// What somebody else has made of it meanwhile.
    now: Option<String>,
}

/// What the rules say about one class.
struct Example {
    class: String,
    sentences: Vec<String>,
}

/// The page: for the studio's admins.
pub async fn show(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Query(SaidParams { said }): Query<SaidParams>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let (version, rules) = read(&app, studio_id).await?;
    let values = values(&rules, &BTreeMap::new(), staff.language);
    let shown = Shown { version, values, wrong: BTreeMap::new(), now: BTreeMap::new() };
    page(&app, &staff, studio_id, Some(&rules), shown, Said::done(said)).await
}

/// What the fields hold.
struct Shown {
    /// The version upon which it is saved.
    version: i64,
    values: BTreeMap<&'static str, String>,
    wrong: BTreeMap<String, String>,
    /// What somebody else has made of some of them meanwhile.
    now: BTreeMap<&'static str, String>,
}

/// The rules as they are set, and their version.
pub async fn read(app: &App, studio_id: Uuid) -> Answer<(i64, HouseRules)> {
    let policy = studios::store::policy(&app.db, studio_id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    Ok((policy.house_rules_version, policy.house_rules.0))
}

/// The text of each rule's field, as it is set, or as it was typed.
fn values(rules: &HouseRules, typed: &BTreeMap<String, String>, language: Language) -> BTreeMap<&'static str, String> {
    let set = serde_json::to_value(rules).unwrap_or_default();
    let currency = rules.fee_currency.clone().unwrap_or_default();
    let text = |sentence: &Sentence| match (&set[sentence.rule], sentence.kind) {
        (Value::Number(minor), Kind::Money) => {
            let money = phrases::money(&Money { amount_minor: minor.as_i64().unwrap_or_default(), currency: currency.clone() });
            money.trim_start_matches(&currency).trim().replace(',', "")
        }
        (Value::Number(minutes), Kind::Length) => durations::written(minutes.as_i64().unwrap_or_default(), language),
        (Value::String(text), _) => text.clone(),
        (Value::Null, _) => String::new(),
        (other, _) => other.to_string(),
    };
    let all = GROUPS.iter().flat_map(|group| group.sentences);
    all.map(|sentence| (sentence.rule, typed.get(sentence.rule).cloned().unwrap_or_else(|| text(sentence)))).collect()
}

async fn page(app: &App, staff: &Staff, studio_id: Uuid, rules: Option<&HouseRules>, shown: Shown, said: Said) -> Answer<Response> {
    let Shown { version, values, wrong, now } = shown;
    let shell = Shell::of(app, staff, studio_id, Part::Rules, said).await?;
    let language = shell.language;
    let line = |sentence: &'static Sentence| {
        let [before, after] = sentence.in_words(language);
        Line {
            name: sentence.rule,
            before,
            after,
            kind: sentence.kind,
            value: values.get(sentence.rule).cloned().unwrap_or_default(),
            choices: sentence.choices(language),
            wrong: wrong.get(sentence.rule).cloned(),
            now: now.get(sentence.rule).map(|text| {
                let choice = sentence.choices(language).into_iter().find(|(value, _)| value == text).map(|(_, name)| name);
                match (sentence.kind, text.as_str()) {
                    (_, "") => shell.w.empty_now.to_owned(),
                    (Kind::Flag, "true") => shell.w.yes.to_owned(),
                    (Kind::Flag, _) => shell.w.no.to_owned(),
                    (_, text) => choice.unwrap_or(text).to_owned(),
                }
            }),
        }
    };
    let groups = GROUPS.iter().map(|group| {
        let parts = group.sentences.chunk_by(|_, next| next.goes_on);
        Group { title: group.title(language), sentences: parts.map(|parts| parts.iter().map(line).collect()).collect() }
    });
    let examples = rules.map(|rules| examples(rules, &shell)).unwrap_or_default();
    let page = Page { w: shell.w, version, groups: groups.collect(), examples, shell };
    page.shell.answer(&page)
}

/// Two classes of next Tuesday, one in the evening and one in the morning, booked on the Sunday before.
fn examples(rules: &HouseRules, shell: &Shell) -> Vec<Example> {
    let ahead = (8 - u64::from(shell.today.weekday().num_days_from_monday())) % 7;
    let tuesday: NaiveDate = shell.today + Days::new(if ahead == 0 { 7 } else { ahead });
    let (zone, language) = (shell.zone(), shell.language);
    let booked_at = instant((tuesday - Days::new(2)).and_time(NOON), zone);
    let cutoff = serde_json::to_value(rules.after_cutoff).unwrap_or_default();
    let mut choices = GROUPS.iter().flat_map(|group| group.sentences).flat_map(|sentence| sentence.choices(language));
    let cutoff = choices.find(|(value, _)| cutoff == *value).map(|(_, name)| name).unwrap_or_default();
    let example = |(hour, minute): (u32, u32)| {
        let time = NaiveTime::from_hms_opt(hour, minute, 0)?;
        let starts_at = instant(tuesday.and_time(time), zone);
        let on = instants(rules, zone, starts_at, EXAMPLE_CAPACITY);
        let example = rule_examples::Example { booked_at, capacity: EXAMPLE_CAPACITY, zone };
        Some(Example { class: shell.day_and_time(starts_at), sentences: rule_examples::told(rules, &on, example, cutoff, language) })
    };
    EXAMPLE_STARTS.into_iter().filter_map(example).collect()
}

/// Saves what was edited, or shows what it would mean.
pub async fn save(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Form(form): Form<HashMap<String, String>>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let (_, before) = read(&app, studio_id).await?;
    let version = form.get("version").and_then(|version| version.parse().ok());
    let version = version.ok_or_else(|| Problem::field("version", Wrong::Missing))?;
    let all = GROUPS.iter().flat_map(|group| group.sentences);
    // What was left empty is empty, too, when the page is shown again.
    let typed: BTreeMap<String, String> =
        all.map(|sentence| (sentence.rule.to_owned(), form.get(sentence.rule).cloned().unwrap_or_default())).collect();
    let written = written(&before, &typed);
    let parsed = written
        .clone()
        .and_then(|written| HouseRules::parse(written).map_err(|wrong| wrong.into_iter().collect::<BTreeMap<String, Wrong>>()));
    let language = staff.language;
    let in_words = |wrong: BTreeMap<String, Wrong>| wrong.into_iter().map(|(rule, wrong)| (rule, wrong.words(language))).collect();
    let (rules, wrong) = match parsed {
        Ok(rules) => (rules, BTreeMap::new()),
        Err(wrong) => (before, in_words(wrong)),
    };
    let mut shown = Shown { version, values: values(&rules, &typed, language), wrong, now: BTreeMap::new() };
    let fitting = Some(&rules).filter(|_| shown.wrong.is_empty());
    if form.contains_key("look") && shown.wrong.is_empty() {
        return page(&app, &staff, studio_id, fitting, shown, Said::default()).await;
    }
    let saved = match written {
        Ok(written) if shown.wrong.is_empty() => {
            let caller = staff.caller.clone();
            studios::api::set_house_rules(State(app.clone()), caller, Path(studio_id), IfMatch(version), Body(written)).await.map(drop)
        }
        _ => Err(Problem::new(ProblemType::InvalidFields)),
    };
    match saved {
        Ok(()) => Ok(done(&format!("/console/{studio_id}/house-rules"), "rules_saved")),
        Err(problem) => {
            if problem.kind == ProblemType::VersionStale {
                // What was typed stays; saved once more, it is saved upon what the reader has now seen.
                let (version, by_now) = read(&app, studio_id).await?;
                let (typed, by_now) = (values(&rules, &BTreeMap::new(), language), values(&by_now, &BTreeMap::new(), language));
                let now = by_now.into_iter().filter(|(rule, text)| typed.get(rule) != Some(text)).collect();
                shown = Shown { version, now, ..shown };
            }
            page(&app, &staff, studio_id, fitting, shown, Said::refused(problem, language)?).await
        }
    }
}

/// The rules as an app would write them: what the page does not show stays as it is.
fn written(before: &HouseRules, typed: &BTreeMap<String, String>) -> Result<Map<String, Value>, BTreeMap<String, Wrong>> {
    let Ok(Value::Object(mut written)) = serde_json::to_value(before) else { return Ok(Map::new()) };
    let mut wrong = BTreeMap::new();
    let currency = typed.get("fee_currency").map(|currency| currency.trim().to_ascii_uppercase()).unwrap_or_default();
    for sentence in GROUPS.iter().flat_map(|group| group.sentences) {
        let text = typed.get(sentence.rule).map(|text| text.trim()).unwrap_or_default();
        let value = match sentence.kind {
            Kind::Flag => Ok(json!(text == "true")),
            _ if text.is_empty() && sentence.may_be_empty => Ok(Value::Null),
            _ if text.is_empty() => Err(Wrong::Missing),
            Kind::Length => durations::read(text).map(Value::from).ok_or(Wrong::NotLength),
            Kind::Number => text.parse::<i64>().map(Value::from).map_err(|_| Wrong::NotWholeNumber),
            Kind::Money => words::amount_minor(text, &currency).map(Value::from).ok_or(Wrong::NotRight),
            Kind::Currency => Ok(json!(currency)),
            Kind::Time | Kind::Choice => Ok(json!(text)),
        };
        match value {
            Ok(value) => drop(written.insert(sentence.rule.to_owned(), value)),
            Err(why) => drop(wrong.insert(sentence.rule.to_owned(), why)),
        }
    }
    if wrong.is_empty() { Ok(written) } else { Err(wrong) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studios::house_rules::RULES;

    #[test]
    fn what_is_shown_and_sent_back_is_the_same() {
        let rules = HouseRules {
            late_cancel_fee_minor: Some(5_050),
            fee_currency: Some("CNY".into()),
            strikes_max: Some(3),
            ..HouseRules::default()
        };
        let shown = values(&rules, &BTreeMap::new(), Language::ZhHans);
        assert_eq!(shown["free_cancel_min"], "12小时");
        assert_eq!((shown["late_cancel_fee_minor"].as_str(), shown["quiet_hours_from"].as_str()), ("50.50", "22:00"));
        let typed = shown.into_iter().map(|(rule, text)| (rule.to_owned(), text)).collect();
        assert_eq!(HouseRules::parse(written(&rules, &typed).unwrap()).unwrap(), rules);
    }

    #[test]
    fn every_sentence_is_about_a_rule() {
        for sentence in GROUPS.iter().flat_map(|group| group.sentences) {
            assert!(RULES.iter().any(|(rule, _)| *rule == sentence.rule), "{}", sentence.rule);
            for language in Language::ALL {
                let [before, after] = sentence.in_words(language);
                assert!(!format!("{before}{after}").is_empty(), "{}", sentence.rule);
            }
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let rules = HouseRules::default();
        let mut typed: BTreeMap<String, String> =
            values(&rules, &BTreeMap::new(), Language::En).into_iter().map(|(rule, text)| (rule.to_owned(), text)).collect();
        typed.insert("offer_min".into(), "half an hour".into());
        typed.insert("booking_opens_days".into(), String::new());
        let wrong = written(&rules, &typed).unwrap_err();
        assert_eq!(
            wrong.into_iter().collect::<Vec<_>>(),
            [("booking_opens_days".into(), Wrong::Missing), ("offer_min".into(), Wrong::NotLength)]
        );
    }
}
