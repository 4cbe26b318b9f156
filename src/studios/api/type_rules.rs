//! What a class type or a pass type changes about the house rules, over HTTP.

use axum::extract::State;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::nothing;
use crate::app::App;
use crate::etag::Versioned;
use crate::extract::{Body, IfMatch, Path};
use crate::problem::{Answer, FieldError, Problem, refuses};
use crate::sign_in::Caller;
use crate::studios::guard::require_admin;
use crate::studios::house_rules::{Active, Finest, Overrides};
use crate::studios::override_rules::OverrideRules;
use crate::studios::{HouseRules, RulesOf, store};
use crate::transactor::Command;

/// What a class type or a pass type changes about the house rules of its studio: each rule that it changes with its value, and what comes
/// of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct TypeRulesView {
    studio_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    class_type_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pass_type_id: Option<Uuid>,
    /// Rises with each edit of these rules: what `If-Match` carries. It is not the version of the type's texts and numbers.
    version: i64,
    /// The rules that are changed, flat.
    #[serde(flatten)]
    overrides: Overrides,
    /// All rules with these changes. Of caps it shows the strictest; each counts what it is about, and all hold.
    effective: HouseRules,
    /// For each rule, whether it is enforced.
    active: Active,
}

async fn view(app: &App, studio_id: Uuid, of: RulesOf) -> Answer<Versioned<TypeRulesView>> {
    let policy = store::policy(&app.db, studio_id).await?.ok_or_else(nothing)?;
    let (overrides, version) = store::overrides(&app.db, studio_id, of).await?.ok_or_else(nothing)?;
    let effective = policy.house_rules.with(&overrides);
    let active = effective.active();
    let (class_type_id, pass_type_id) = match of {
        RulesOf::ClassType(id) => (Some(id), None),
        RulesOf::PassType(id) => (None, Some(id)),
    };
    Ok(Versioned::ok(version, TypeRulesView { studio_id, class_type_id, pass_type_id, version, overrides, effective, active }))
}

async fn set(
    app: &App,
    caller: &Caller,
    studio_id: Uuid,
    of: RulesOf,
    IfMatch(version): IfMatch,
    written: Map<String, Value>,
) -> Answer<Versioned<TypeRulesView>> {
    let level = if matches!(of, RulesOf::ClassType(_)) { Finest::ClassType } else { Finest::PassType };
    let overrides = Overrides::parse(written, level)
        .map_err(|refused| Problem::fields(refused.into_iter().map(|(field, wrong)| FieldError { field, wrong }).collect()))?;
    let command = Command::OverrideRules(Box::new(OverrideRules { studio_id, of, version, overrides }));
    app.transactor.submit(caller.actor(), command).await?;
    view(app, studio_id, of).await
}

/// What a class type changes about the house rules. Admins.
#[utoipa::path(
    get, path = "/v1/studios/{id}/class-types/{class_type_id}/house-rules", operation_id = "show_class_type_rules",
    params(("id" = Uuid, Path), ("class_type_id" = Uuid, Path)),
    responses((status = 200, body = TypeRulesView, headers(("ETag" = String)))),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn of_class_type(
    State(app): State<App>,
    caller: Caller,
    Path((id, class_type_id)): Path<(Uuid, Uuid)>,
) -> Answer<Versioned<TypeRulesView>> {
    require_admin(&app, &caller, id).await?;
    view(&app, id, RulesOf::ClassType(class_type_id)).await
}

/// Replaces what a class type changes about the house rules: a rule left out is the studio's again. Sessions to come get their new
/// instants, bookings keep what they were told. What was read can be edited and put back. Admins.
#[utoipa::path(
    put, path = "/v1/studios/{id}/class-types/{class_type_id}/house-rules", operation_id = "set_class_type_rules",
    params(("id" = Uuid, Path), ("class_type_id" = Uuid, Path)), request_body = Overrides,
    responses((status = 200, body = TypeRulesView, headers(("ETag" = String)))),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, TooManyRequests])))
)]
pub async fn set_of_class_type(
    State(app): State<App>,
    caller: Caller,
    Path((id, class_type_id)): Path<(Uuid, Uuid)>,
    if_match: IfMatch,
    Body(written): Body<Map<String, Value>>,
) -> Answer<Versioned<TypeRulesView>> {
    require_admin(&app, &caller, id).await?;
    set(&app, &caller, id, RulesOf::ClassType(class_type_id), if_match, written).await
}

/// What a pass type changes about the house rules of the studios in which it is valid. Admins.
#[utoipa::path(
    get, path = "/v1/studios/{id}/pass-types/{pass_type_id}/house-rules", operation_id = "show_pass_type_rules",
    params(("id" = Uuid, Path), ("pass_type_id" = Uuid, Path)),
    responses((status = 200, body = TypeRulesView, headers(("ETag" = String)))),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn of_pass_type(
    State(app): State<App>,
    caller: Caller,
    Path((id, pass_type_id)): Path<(Uuid, Uuid)>,
) -> Answer<Versioned<TypeRulesView>> {
    require_admin(&app, &caller, id).await?;
    view(&app, id, RulesOf::PassType(pass_type_id)).await
}

/// Replaces what a pass type changes about the house rules, for members who pay with such a pass: rules of one member's booking, not of
/// the session that all share. It holds for passes that were sold before. Bookings keep what they were told. Admins of all studios in
/// which it is valid.
#[utoipa::path(
    put, path = "/v1/studios/{id}/pass-types/{pass_type_id}/house-rules", operation_id = "set_pass_type_rules",
    params(("id" = Uuid, Path), ("pass_type_id" = Uuid, Path)), request_body = Overrides,
    responses((status = 200, body = TypeRulesView, headers(("ETag" = String)))),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, TooManyRequests])))
)]
pub async fn set_of_pass_type(
    State(app): State<App>,
    caller: Caller,
    Path((id, pass_type_id)): Path<(Uuid, Uuid)>,
    if_match: IfMatch,
    Body(written): Body<Map<String, Value>>,
) -> Answer<Versioned<TypeRulesView>> {
    require_admin(&app, &caller, id).await?;
    set(&app, &caller, id, RulesOf::PassType(pass_type_id), if_match, written).await
}
