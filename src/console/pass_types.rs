//! Passes and prices: what a studio sells, what each pass means in plain words, and how it is made, changed and taken off sale. For the
//! studio's admins; a change holds for who buys from then on.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::form::{Fields, Form, body};
use super::frame::{Part, Said, SaidParams, Shell, done};
use super::setup::price;
use super::staff::Staff;
use super::words::office;
use super::words::{self, Words};
use crate::app::App;
use crate::extract::{IfMatch, PAGE_MAX, Path, Query};
use crate::language::Language;
use crate::letters::facts::Money;
use crate::letters::phrases;
use crate::passes::{self, PassKind, PassType, ValidFrom, store};
use crate::problem::{Answer, Problem, ProblemType};
use crate::schedule;
use crate::studios::guard::require_admin;

#[derive(Template)]
#[template(path = "console/pages/pass_types.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    o: &'static office::Words,
    passes: Vec<Line>,
}

/// A pass that is sold, or was.
struct Line {
    id: Uuid,
    name: String,
    price: Option<String>,
    on_sale: bool,
    /// What it means, a sentence each.
    meaning: Vec<String>,
}

/// The page: for the studio's admins.
pub async fn show(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Query(SaidParams { said }): Query<SaidParams>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let shell = Shell::of(&app, &staff, studio_id, Part::Passes, Said::done(said)).await?;
    let sold = store::types(&app.db, studio_id, None, PAGE_MAX).await?;
    let called = called(&app, studio_id, &sold, shell.language).await?;
    let mut passes: Vec<Line> = sold.iter().map(|of| line(of, &called, shell.language)).collect();
    passes.sort_by_key(|line| !line.on_sale);
    let page = Page { w: shell.w, o: shell.o, passes, shell };
    page.shell.answer(&page)
}

/// What the studio's class types and passes are called.
async fn called(app: &App, studio_id: Uuid, sold: &[PassType], language: Language) -> Answer<HashMap<Uuid, String>> {
    let classes = schedule::store::class_types(&app.db, studio_id, None, PAGE_MAX).await?;
    let classes = classes.into_iter().map(|class| (class.id, class.name.read(language).to_owned()));
    Ok(classes.chain(sold.iter().map(|of| (of.id, of.name.read(language).to_owned()))).collect())
}

fn line(of: &PassType, called: &HashMap<Uuid, String>, language: Language) -> Line {
    let price = of.price_minor.zip(of.currency.clone());
    Line {
        id: of.id,
        name: of.name.read(language).to_owned(),
        price: price.map(|(amount_minor, currency)| phrases::money(&Money { amount_minor, currency })),
        on_sale: of.on_sale,
        meaning: meaning(of, called, language),
    }
}

/// What a pass means for whoever buys it, in plain words.
fn meaning(of: &PassType, called: &HashMap<Uuid, String>, language: Language) -> Vec<String> {
    let terms = of.terms();
    let length = phrases::pass_length(terms.length, language);
    let say = |en: String, zh_hans: String, zh_hant: String| match language {
        Language::En => en,
        Language::ZhHans => zh_hans,
        Language::ZhHant => zh_hant,
    };
    let gives = match (of.kind, of.credits, of.per_week) {
        (PassKind::Pack, credits, _) => phrases::credits(credits.unwrap_or(0), language),
        (PassKind::Membership, _, None) => say("As many classes as one likes".into(), "不限次数".into(), "不限次數".into()),
        (PassKind::Membership, _, Some(1)) => say("One class a week".into(), "每周1次".into(), "每週1次".into()),
        (PassKind::Membership, _, Some(n)) => say(format!("{n} classes a week"), format!("每周{n}次"), format!("每週{n}次")),
    };
    let mut meaning = vec![match (of.valid_from, of.activate_within_days) {
        (ValidFrom::Sale, _) => say(
            format!("{gives}, for {length} from the sale."),
            format!("{gives}，自售出起{length}内有效。"),
            format!("{gives}，自售出起{length}內有效。"),
        ),
        (ValidFrom::FirstAttended, None) => say(
            format!("{gives}, for {length} from the first class attended."),
            format!("{gives}，自首次上课起{length}内有效。"),
            format!("{gives}，自首次上課起{length}內有效。"),
        ),
        (ValidFrom::FirstAttended, Some(within)) => say(
            format!("{gives}, for {length} from the first class attended, which is at most {within} days after the sale."),
            format!("{gives}，自首次上课起{length}内有效；首次上课须在售出后{within}天内。"),
            format!("{gives}，自首次上課起{length}內有效；首次上課須在售出後{within}天內。"),
        ),
    }];
    if let Some(ids) = &terms.class_type_ids {
        let classes: Vec<&str> = ids.iter().filter_map(|id| called.get(id)).map(String::as_str).collect();
        let others = ids.len() - classes.len();
        let mut listed = classes.join(if language == Language::En { ", " } else { "、" });
        if others > 0 {
            listed +=
                &say(format!(" and {others} of other studios"), format!("及其他工作室的{others}种"), format!("及其他工作室的{others}種"));
        }
        meaning.push(say(format!("For {listed}."), format!("适用于{listed}。"), format!("適用於{listed}。")));
    }
    if let Some(studios) = terms.studio_ids.as_ref().filter(|studios| studios.len() > 1) {
        let n = studios.len();
        meaning.push(say(format!("Valid in {n} studios."), format!("适用于{n}家工作室。"), format!("適用於{n}家工作室。")));
    }
    if of.new_members_only {
        meaning.push(say("Only for who is new here.".into(), "仅限新会员。".into(), "僅限新會員。".into()));
    }
    if of.once_per_person {
        meaning.push(say("Nobody can buy a second one.".into(), "每人限购一次。".into(), "每人限購一次。".into()));
    }
    if of.freeze_days_max > 0 {
        let n = of.freeze_days_max;
        meaning.push(say(
            format!("Members may freeze it for {n} days in all."),
            format!("会员可自行冻结，合计最多{n}天。"),
            format!("會員可自行凍結，合計最多{n}天。"),
        ));
    }
    if of.transferable {
        meaning.push(say("It can be passed on to somebody else.".into(), "可以转让。".into(), "可以轉讓。".into()));
    }
    if let Some(next) = of.followed_by.and_then(|id| called.get(&id)) {
        meaning.push(say(format!("Afterwards: {next}."), format!("后续推荐：{next}。"), format!("後續推薦：{next}。")));
    }
    meaning
}

#[derive(Template)]
#[template(path = "console/pages/pass_type_form.html")]
struct FormPage {
    shell: Shell,
    w: &'static Words,
    o: &'static office::Words,
    /// Which pass is changed; none: it is a new one.
    id: Option<Uuid>,
    title: String,
    fields: Fields,
    classes: Vec<(Uuid, String)>,
    others: Vec<(Uuid, String)>,
    several_studios: bool,
}

impl Fields {
    fn of(sold: &PassType) -> Self {
        let mut fields = HashMap::new();
        let mut set = |name: &str, value: Option<String>| value.map(|value| fields.insert(name.to_owned(), value));
        set("version", Some(sold.version.to_string()));
        set("name", Some(sold.name.en.clone()));
        set("zh_hans", sold.name.zh_hans.clone());
        set("zh_hant", sold.name.zh_hant.clone());
        set("kind", Some(if sold.kind == PassKind::Pack { "pack" } else { "membership" }.to_owned()));
        set("number", sold.credits.or(sold.per_week).map(|number| number.to_string()));
        set("valid", sold.valid_days.or(sold.valid_months).map(|valid| valid.to_string()));
        set("unit", Some(if sold.valid_months.is_some() { "months" } else { "days" }.to_owned()));
        set("valid_from", Some(if sold.valid_from == ValidFrom::Sale { "sale" } else { "first_attended" }.to_owned()));
        set("activate_within_days", sold.activate_within_days.map(|days| days.to_string()));
        set("currency", sold.currency.clone());
        set("price", sold.price_minor.zip(sold.currency.as_deref()).map(|(minor, currency)| words::amount(minor, currency)));
        for (name, is) in [
            ("new_members_only", sold.new_members_only),
            ("once_per_person", sold.once_per_person),
            ("transferable", sold.transferable),
            ("on_sale", sold.on_sale),
        ] {
            set(name, is.then(|| "true".to_owned()));
        }
        set("followed_by", sold.followed_by.map(|id| id.to_string()));
        set("freeze_days_max", Some(sold.freeze_days_max.to_string()));
        for id in sold.class_type_ids.iter().flat_map(|ids| &ids.0) {
            set(&format!("class-{id}"), Some("true".to_owned()));
        }
        Self(fields)
    }

    fn has_class(&self, id: &Uuid) -> bool {
        self.is_on(&format!("class-{id}"))
    }

    /// As an app would send it; `clears` what a change may clear.
    fn said(&self, kind: PassKind) -> Answer<Map<String, Value>> {
        let typed = |name: &str| self.0.get(name).cloned();
        let price = price(self.0.get("price").map(String::as_str), self.0.get("currency").map(String::as_str))?;
        let classes: Vec<&str> = self.0.keys().filter_map(|name| name.strip_prefix("class-")).collect();
        let mut said = json!({
            "name": self.names(), "price": price,
            "valid_from": if self.text("valid_from").is_empty() { "sale" } else { self.text("valid_from") },
            "activate_within_days": self.number("activate_within_days"), "new_members_only": self.is_on("new_members_only"),
            "once_per_person": self.is_on("once_per_person"), "transferable": self.is_on("transferable"),
            "followed_by": typed("followed_by"), "class_type_ids": if classes.is_empty() { Value::Null } else { json!(classes) }
        });
        said[if self.says("unit", "months") { "valid_months" } else { "valid_days" }] = self.number("valid");
        said[if kind == PassKind::Pack { "credits" } else { "per_week" }] = self.number("number");
        if self.0.contains_key("freeze_days_max") {
            said["freeze_days_max"] = self.number("freeze_days_max");
        }
        match said {
            Value::Object(said) => Ok(said),
            _ => Err(Problem::new(ProblemType::Fault)),
        }
    }

    fn kind(&self) -> PassKind {
        if self.says("kind", "membership") { PassKind::Membership } else { PassKind::Pack }
    }
}

/// The form of a new pass.
pub async fn ask_new(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let sold = store::types(&app.db, studio_id, None, PAGE_MAX).await?;
    let currency = sold.iter().rev().find_map(|of| of.currency.clone()).unwrap_or_default();
    let usual = [("number", "10"), ("valid", "90"), ("freeze_days_max", "0"), ("currency", &currency)];
    let fields = Fields(usual.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
    form_page(&app, &staff, studio_id, None, fields, Said::default()).await
}

async fn form_page(app: &App, staff: &Staff, studio_id: Uuid, id: Option<Uuid>, fields: Fields, said: Said) -> Answer<Response> {
    let shell = Shell::of(app, staff, studio_id, Part::Passes, said).await?;
    let (o, language) = (shell.o, shell.language);
    let sold = store::types(&app.db, studio_id, None, PAGE_MAX).await?;
    let this = sold.iter().find(|of| Some(of.id) == id);
    let classes = schedule::store::class_types(&app.db, studio_id, None, PAGE_MAX).await?;
    let page = FormPage {
        w: shell.w,
        o,
        id,
        title: this.map_or_else(|| o.new_pass.to_owned(), |of| of.name.read(language).to_owned()),
        classes: classes.into_iter().map(|class| (class.id, class.name.read(language).to_owned())).collect(),
        several_studios: this.is_some_and(|of| of.studio_ids.as_ref().is_some_and(|ids| ids.0.len() > 1)),
        others: sold.iter().filter(|of| Some(of.id) != id).map(|of| (of.id, of.name.read(language).to_owned())).collect(),
        fields,
        shell,
    };
    page.shell.answer(&page)
}

/// Makes it, and puts it on sale.
pub async fn make(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>, Form(fields): Form<Fields>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let said = fields.said(fields.kind()).map(|mut said| {
        said.insert("kind".to_owned(), Value::from(fields.text("kind")));
        Value::Object(said)
    });
    let made = match said.and_then(body) {
        Ok(said) => passes::api::add_type(State(app.clone()), staff.caller.clone(), Path(studio_id), said).await.map(drop),
        Err(problem) => Err(problem),
    };
    match made {
        Ok(()) => Ok(done(&format!("/console/{studio_id}/pass-types"), "pass_type_made")),
        Err(problem) => form_page(&app, &staff, studio_id, None, fields, Said::refused(problem, staff.language)?).await,
    }
}

/// The studio's pass.
async fn find(app: &App, studio_id: Uuid, id: Uuid) -> Answer<PassType> {
    let sold = store::types(&app.db, studio_id, None, PAGE_MAX).await?;
    sold.into_iter().find(|of| of.id == id).ok_or_else(|| Problem::new(ProblemType::NotFound))
}

/// The form of a pass that there is.
pub async fn ask_edit(State(app): State<App>, staff: Staff, Path((studio_id, id)): Path<(Uuid, Uuid)>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let fields = Fields::of(&find(&app, studio_id, id).await?);
    form_page(&app, &staff, studio_id, Some(id), fields, Said::default()).await
}

/// Changes it, if nobody else has meanwhile.
pub async fn edit(
    State(app): State<App>,
    staff: Staff,
    Path((studio_id, id)): Path<(Uuid, Uuid)>,
    Form(fields): Form<Fields>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let sold = find(&app, studio_id, id).await?;
    let said = fields.said(sold.kind).map(|mut said| {
        said.insert("on_sale".to_owned(), Value::from(fields.is_on("on_sale")));
        // Classes of other studios are not on this page: they stay.
        if let (Some(Value::Array(classes)), Some(ids)) = (said.get_mut("class_type_ids"), &sold.class_type_ids) {
            let ours = fields.text("classes_shown").split(',').collect::<Vec<_>>();
            classes.extend(ids.0.iter().map(Uuid::to_string).filter(|id| !ours.contains(&id.as_str())).map(Value::from));
        }
        Value::Object(said)
    });
    let version = fields.version();
    let changed = match said.and_then(body) {
        Ok(said) => {
            let (caller, version) = (staff.caller.clone(), IfMatch(version));
            passes::api::change_type(State(app.clone()), caller, Path((studio_id, id)), version, said).await.map(drop)
        }
        Err(problem) => Err(problem),
    };
    match changed {
        Ok(()) => Ok(done(&format!("/console/{studio_id}/pass-types"), "pass_type_changed")),
        // What was typed stays, with the version that it was typed upon.
        Err(problem) => form_page(&app, &staff, studio_id, Some(id), fields, Said::refused(problem, staff.language)?).await,
    }
}
