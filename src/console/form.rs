//! What a form sends, parsed as a query is; fields that were left empty are as if they were not there. And what was typed into it, to be shown
//! again where it was refused.

use std::collections::{BTreeMap, HashMap};

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::extract::{Body, query};
use crate::language::Texts;
use crate::problem::{Answer, Problem, ProblemType};
use crate::wrong::Wrong;

/// The fields of a form.
pub struct Form<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state).await.map_err(|_| Problem::new(ProblemType::BodyTooLarge))?;
        query(&filled(&bytes)).map(Self)
    }
}

/// The fields of a form as they are typed, by their names.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Fields(pub HashMap<String, String>);

impl Fields {
    /// Fields that hold what is saved.
    pub fn holding<const N: usize>(fields: [(&str, Option<String>); N]) -> Self {
        Self(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
    }

    /// What was typed; nothing, if nothing was.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Whether this was chosen.
    pub fn says(&self, name: &str, value: &str) -> bool {
        self.text(name) == value
    }

    /// Whether it is marked.
    pub fn is_on(&self, name: &str) -> bool {
        self.says(name, "true")
    }

    /// A number as it was typed: what is none is refused by the API's own words.
    pub fn number(&self, name: &str) -> Value {
        let text = self.text(name).trim();
        if text.is_empty() { Value::Null } else { text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from) }
    }

    /// A name in each language of the studio's readers, as an app would send it; English is what is read where one is missing.
    pub fn names(&self) -> Value {
        let typed = |name: &str| self.0.get(name).cloned();
        let (zh_hans, zh_hant) = (typed("zh_hans"), typed("zh_hant"));
        let en = typed("name").or_else(|| zh_hans.clone()).or_else(|| zh_hant.clone()).unwrap_or_default();
        json!(Texts { en, zh_hans, zh_hant })
    }

    /// The version upon which it was typed.
    pub fn version(&self) -> i64 {
        self.text("version").parse().unwrap_or(0)
    }

    /// Typed upon what is saved by now: where that differs, what stands there, by the name of the field; `nothing` where nothing does.
    pub fn upon(&mut self, saved: Self, nothing: &str) -> BTreeMap<String, String> {
        let differs = |(name, _): &(&String, &String)| *name != "version" && self.text(name) != saved.text(name);
        let told = |text: &str| if text.is_empty() { nothing.to_owned() } else { text.to_owned() };
        let mut now: BTreeMap<String, String> = saved.0.iter().filter(differs).map(|(name, text)| (name.clone(), told(text))).collect();
        now.extend(self.0.keys().filter(|name| !saved.0.contains_key(*name)).map(|name| (name.clone(), told(""))));
        self.0.insert("version".to_owned(), saved.text("version").to_owned());
        now
    }
}

/// What was filled in of a form, also of one that is sent in an address.
pub fn filled(sent: &[u8]) -> String {
    let filled = form_urlencoded::parse(sent).filter(|(_, value)| !value.trim().is_empty());
    form_urlencoded::Serializer::new(String::new()).extend_pairs(filled).finish()
}

/// The body of a call of the API, as an app would have sent it: what is wrong with it is said by the same words.
pub fn body<T: DeserializeOwned>(value: Value) -> Answer<Body<T>> {
    serde_path_to_error::deserialize(value).map(Body).map_err(|error| {
        let field = error.path().to_string();
        Problem::field(field, Wrong::of_parser(&error.into_inner().to_string()))
    })
}
