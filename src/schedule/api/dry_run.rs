//! `?dry_run=true`: what a call would do, without doing it; and the answer that is either what was done or what would be.

use std::borrow::Cow;

use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AllOfBuilder, Discriminator, ObjectBuilder, OneOfBuilder, Ref, Schema, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use crate::app::App;
use crate::problem::{Answer, Problem, ProblemType};
use crate::schedule::BulkResult;
use crate::sign_in::Caller;
use crate::transactor::{Command, Outcome, Preview};

/// Whether an act is only looked at.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DryRun {
    /// Answer who would be told what and who would lose what, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// What a call did; with `dry_run` what it would do. `outcome` says which of the two it is.
#[derive(Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum OrPreview<T> {
    /// It was done, and this is what came of it.
    Done(T),
    /// It was only looked at.
    Preview(Preview),
}

/// What a call did to several sessions, or would do.
pub type BulkOrPreview = OrPreview<BulkResult>;

/// The name in the document of what was done, which is `T` with its `outcome`.
fn done_name<T: ToSchema>() -> String {
    format!("{}Done", T::name())
}

/// The name in the document of a preview with its `outcome`.
const PREVIEW_NAME: &str = "PreviewOnly";

fn reference(name: &str) -> Ref {
    Ref::from_schema_name(name)
}

fn with_outcome(name: &str, outcome: &str, said: &str) -> RefOr<Schema> {
    let mark = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([outcome]));
    let marked = ObjectBuilder::new().property("outcome", mark).required("outcome");
    AllOfBuilder::new().description(Some(said)).item(reference(name)).item(marked).into()
}

impl<T: ToSchema> PartialSchema for OrPreview<T> {
    fn schema() -> RefOr<Schema> {
        let done = done_name::<T>();
        let to = |name: &str| format!("#/components/schemas/{name}");
        let names = [("done", to(&done)), ("preview", to(PREVIEW_NAME))];
        OneOfBuilder::new()
            .description(Some("What came of it; with `dry_run` what would come of it."))
            .item(reference(&done))
            .item(reference(PREVIEW_NAME))
            .discriminator(Some(Discriminator::with_mapping("outcome", names)))
            .into()
    }
}

impl<T: ToSchema> ToSchema for OrPreview<T> {
    fn name() -> Cow<'static, str> {
        format!("{}OrPreview", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        let (done, preview) = (T::name(), Preview::name());
        schemas.push((done_name::<T>(), with_outcome(&done, "done", "It was done, and this is what came of it.")));
        schemas.push((PREVIEW_NAME.into(), with_outcome(&preview, "preview", "It was only looked at: nothing was written.")));
        schemas.push((done.into(), T::schema()));
        schemas.push((preview.into(), Preview::schema()));
        T::schemas(schemas);
        Preview::schemas(schemas);
    }
}

/// Who would be told what, and who would lose what.
pub async fn preview<T>(app: &App, caller: &Caller, what: Command) -> Answer<OrPreview<T>> {
    app.transactor.preview(caller.actor(), what).await.map(OrPreview::Preview)
}

/// Submits a command that touches several sessions, or asks what would come of it.
pub async fn bulk(app: &App, caller: &Caller, what: Command, how: &DryRun) -> Answer<Json<BulkOrPreview>> {
    if how.dry_run {
        return preview(app, caller, what).await.map(Json);
    }
    match app.transactor.submit(caller.actor(), what).await? {
        Outcome::Bulk(result) => Ok(Json(OrPreview::Done(*result))),
        _ => Err(Problem::new(ProblemType::Fault)),
    }
}
