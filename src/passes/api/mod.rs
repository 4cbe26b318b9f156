//! Passes over HTTP: what a studio sells, what a member holds, and where its credits went. Selling is a command to the transactor.

pub mod changing;
pub mod refunds;
pub mod selling;

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::app::App;
use crate::db::Tx;
use crate::etag::Versioned;
use crate::events::{self, Event, Happened, Subject};
use crate::extract::{Body, Cursor, Ids, IfMatch, Limit, PAGE_MAX, Paging, Path, Query, Within, given, page, storable};
use crate::ids::new_id;
use crate::language::{Language, Texts};
use crate::passes::view::PassView;
use crate::passes::{LedgerEntry, LedgerReason, Pass, PassKind, PassType, ValidFrom, store};
use crate::problem::{self, Answer, Problem, refuses};
use crate::schedule::api::reads;
use crate::sign_in::Caller;
use crate::studios;
use crate::studios::Zone;
use crate::studios::api::must_match;
use crate::studios::guard::{require_admin, require_front_desk};
use crate::text::{Currency, NameWords};
use crate::wrong::Wrong;
use crate::zones::local_date;

fn nothing() -> Problem {
    Problem::new(problem::ProblemType::NotFound)
}

/// A price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Price {
    /// In minor units: cents, fen.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
}

/// What a studio sells.
#[derive(Debug, Serialize, ToSchema)]
pub struct PassTypeView {
    id: Uuid,
    /// Of which studio.
    studio_id: Uuid,
    /// What it is called, in the reader's language.
    name: String,
    /// What it is called, in each language.
    names: Texts,
    /// Pack or membership.
    kind: PassKind,
    /// A pack's credits.
    credits: Option<i64>,
    /// A membership's visits a week; null is unlimited.
    per_week: Option<i64>,
    /// How many days after the day from which it counts its last day is; null: it is valid for months.
    valid_days: Option<i64>,
    /// The same in months, which keep their day: from 31 January to 28 February, to 31 March.
    valid_months: Option<i64>,
    /// From when it counts.
    valid_from: ValidFrom,
    /// Within how many days a pass that counts from the first class attended must have begun; null: whenever.
    activate_within_days: Option<i64>,
    /// Only for who bought no pass of this studio before, and came to no class.
    new_members_only: bool,
    /// Nobody can buy a second one.
    once_per_person: bool,
    /// The pass type that is meant for afterwards.
    followed_by: Option<Uuid>,
    /// For how many days in all whoever holds one may freeze it.
    freeze_days_max: i64,
    /// Whether one may be transferred to another member or studio.
    transferable: bool,
    /// Whether it is still sold; whoever has one keeps it.
    on_sale: bool,
    /// What it costs.
    price: Option<Price>,
    /// For which class types; null: for all.
    class_type_ids: Option<Vec<Uuid>>,
    /// In which studios; null: in this one.
    studio_ids: Option<Vec<Uuid>>,
    /// Rises with each edit.
    version: i64,
}

impl PassTypeView {
    fn of(sold: PassType, language: Language) -> Self {
        Self {
            id: sold.id,
            studio_id: sold.studio_id,
            name: sold.name.read(language).to_owned(),
            names: sold.name.0,
            kind: sold.kind,
            credits: sold.credits,
            per_week: sold.per_week,
            valid_days: sold.valid_days,
            valid_months: sold.valid_months,
            valid_from: sold.valid_from,
            activate_within_days: sold.activate_within_days,
            new_members_only: sold.new_members_only,
            once_per_person: sold.once_per_person,
            followed_by: sold.followed_by,
            freeze_days_max: sold.freeze_days_max,
            transferable: sold.transferable,
            on_sale: sold.on_sale,
            price: sold.price_minor.zip(sold.currency).map(|(amount_minor, currency)| Price { amount_minor, currency }),
            class_type_ids: sold.class_type_ids.map(|ids| ids.0),
            studio_ids: sold.studio_ids.map(|ids| ids.0),
            version: sold.version,
        }
    }
}

/// A page of pass types.
#[derive(Debug, Serialize, ToSchema)]
pub struct PassTypes {
    /// The oldest first.
    pass_types: Vec<PassTypeView>,
    /// What to send as `after` for more; null at the end.
    next: Option<String>,
}

/// What the studio sells. Anyone.
#[utoipa::path(
    get, path = "/v1/studios/{id}/pass-types", operation_id = "list_pass_types",
    params(("id" = Uuid, Path), Paging),
    responses((status = 200, body = PassTypes))
)]
pub async fn types(
    State(app): State<App>,
    caller: Option<Caller>,
    Path(id): Path<Uuid>,
    Query(paging): Query<Paging>,
    headers: HeaderMap,
) -> Answer<Json<PassTypes>> {
    let (_, locale) = studios::store::setting(&app.db, id).await?.ok_or_else(nothing)?;
    let (limit, after) = paging.read();
    let (found, next) = page(store::types(&app.db, id, after, limit.0 + 1).await?, limit, |sold| sold.id);
    let language = reads(caller.as_ref(), &headers, locale);
    let pass_types = found.into_iter().map(|sold| PassTypeView::of(sold, language)).collect();
    Ok(Json(PassTypes { pass_types, next }))
}

/// A price, as it comes in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPrice {
    /// In minor units, 0 to 10,000,000,000.
    amount_minor: Within<0, 10_000_000_000>,
    /// ISO 4217.
    currency: Currency,
}

/// Credits of a pack.
type PackCredits = Within<1, 10_000>;
/// Visits a week of a membership.
type PerWeek = Within<1, 100>;
/// Days for which a pass is valid.
type ValidDays = Within<1, 36_500>;
/// Months for which a pass is valid.
type ValidMonths = Within<1, 120>;
/// Days for which a pass may be frozen in all.
type FreezeDays = Within<0, 3_660>;

/// A new pass type.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassType {
    /// What it is called.
    name: NameWords,
    /// Pack or membership.
    kind: PassKind,
    /// A pack's credits, 1 to 10,000.
    credits: Option<PackCredits>,
    /// A membership's visits a week, 1 to 100; without it, unlimited.
    per_week: Option<PerWeek>,
    /// How many days after the day from which it counts its last day is, 1 to 36,500. Either this …
    valid_days: Option<ValidDays>,
    /// … or so many months, 1 to 120, which keep their day.
    valid_months: Option<ValidMonths>,
    /// From when it counts; without it, from the sale.
    #[serde(default)]
    valid_from: ValidFrom,
    /// Within how many days a pass that counts from the first class attended must have begun, 1 to 36,500; without it, whenever.
    activate_within_days: Option<ValidDays>,
    /// Only for who bought no pass of this studio before, and came to no class.
    #[serde(default)]
    new_members_only: bool,
    /// Nobody can buy a second one.
    #[serde(default)]
    once_per_person: bool,
    /// The pass type of this studio that is meant for afterwards: shown, no more.
    followed_by: Option<Uuid>,
    /// For how many days in all whoever holds one may freeze it, 0 to 3,660; without it, only staff do.
    freeze_days_max: Option<FreezeDays>,
    /// Whether one may be transferred to another member or studio.
    #[serde(default)]
    transferable: bool,
    /// What it costs.
    price: Option<NewPrice>,
    /// For which class types; without it, for all.
    class_type_ids: Option<Ids>,
    /// In which studios, all of them the caller's to run; without it, in this one.
    studio_ids: Option<Ids>,
}

/// Adds a pass type. Admins.
#[utoipa::path(
    post, path = "/v1/studios/{id}/pass-types", operation_id = "add_pass_type",
    params(("id" = Uuid, Path)), request_body = NewPassType,
    responses((status = 201, body = PassTypeView, headers(("ETag" = String)))),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn add_type(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Body(new): Body<NewPassType>,
) -> Answer<Versioned<PassTypeView>> {
    require_admin(&app, &caller, id).await?;
    let (now, language) = (app.clock.now(), caller.language);
    let (price_minor, currency) = new.price.map(|price| (price.amount_minor.0, price.currency.into())).unzip();
    let sold = PassType {
        id: new_id(now),
        studio_id: id,
        name: types::Json(new.name.into()),
        kind: new.kind,
        credits: new.credits.map(|credits| credits.0),
        per_week: new.per_week.map(|visits| visits.0),
        valid_days: new.valid_days.map(|days| days.0),
        price_minor,
        currency,
        class_type_ids: new.class_type_ids.map(|ids| types::Json(ids.0)),
        studio_ids: new.studio_ids.map(|ids| types::Json(ids.0)),
        version: 1,
        rules_version: 1,
        valid_months: new.valid_months.map(|months| months.0),
        valid_from: new.valid_from,
        activate_within_days: new.activate_within_days.map(|days| days.0),
        new_members_only: new.new_members_only,
        once_per_person: new.once_per_person,
        followed_by: new.followed_by,
        freeze_days_max: new.freeze_days_max.map_or(0, |days| days.0),
        transferable: new.transferable,
        on_sale: true,
    };
    let row = sold.clone();
    let studio = app
        .db
        .write("add_pass_type", move |tx| {
            Box::pin(async move {
                let studio = studios::store::studio_to_edit(tx, id).await?.ok_or_else(nothing)?;
                must_make_sense(tx, &caller, &row).await?;
                store::add_type(tx, &row, now).await?;
                events::log::write(
                    tx,
                    now,
                    vec![caller.actor().did(Event::in_studio(id, Subject::PassType, row.id, Happened::PassTypeAdded))],
                )
                .await?;
                Ok::<_, Problem>(studio)
            })
        })
        .await?;
    Ok(Versioned::created(1, PassTypeView::of(sold, language.unwrap_or(studio.locale))))
}

/// What of a pass type shall change. Absent: it stays; null: it is cleared. Passes that were sold keep what they promised.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "as in `NewPassType`")]
pub struct PassTypeChange {
    name: Option<NameWords>,
    credits: Option<PackCredits>,
    #[serde(default, deserialize_with = "given")]
    per_week: Option<Option<PerWeek>>,
    /// Takes the place of months, and `valid_months` that of days.
    valid_days: Option<ValidDays>,
    valid_months: Option<ValidMonths>,
    valid_from: Option<ValidFrom>,
    #[serde(default, deserialize_with = "given")]
    activate_within_days: Option<Option<ValidDays>>,
    new_members_only: Option<bool>,
    once_per_person: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    followed_by: Option<Option<Uuid>>,
    freeze_days_max: Option<FreezeDays>,
    transferable: Option<bool>,
    /// `false`: nobody buys one any more.
    on_sale: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    price: Option<Option<NewPrice>>,
    #[serde(default, deserialize_with = "given")]
    class_type_ids: Option<Option<Ids>>,
    #[serde(default, deserialize_with = "given")]
    studio_ids: Option<Option<Ids>>,
}

impl PassTypeChange {
    fn apply(self, sold: &mut PassType) {
        if let Some(name) = self.name {
            sold.name = types::Json(name.into());
        }
        if let Some(credits) = self.credits {
            sold.credits = Some(credits.0);
        }
        if let Some(per_week) = self.per_week {
            sold.per_week = per_week.map(|visits| visits.0);
        }
        if self.valid_days.is_some() || self.valid_months.is_some() {
            sold.valid_days = self.valid_days.map(|days| days.0);
            sold.valid_months = self.valid_months.map(|months| months.0);
        }
        sold.valid_from = self.valid_from.unwrap_or(sold.valid_from);
        if let Some(days) = self.activate_within_days {
            sold.activate_within_days = days.map(|days| days.0);
        }
        sold.new_members_only = self.new_members_only.unwrap_or(sold.new_members_only);
        sold.once_per_person = self.once_per_person.unwrap_or(sold.once_per_person);
        sold.followed_by = self.followed_by.unwrap_or(sold.followed_by);
        sold.freeze_days_max = self.freeze_days_max.map_or(sold.freeze_days_max, |days| days.0);
        sold.transferable = self.transferable.unwrap_or(sold.transferable);
        sold.on_sale = self.on_sale.unwrap_or(sold.on_sale);
        if let Some(price) = self.price {
            (sold.price_minor, sold.currency) = price.map(|price| (price.amount_minor.0, price.currency.into())).unzip();
        }
        if let Some(ids) = self.class_type_ids {
            sold.class_type_ids = ids.map(|ids| types::Json(ids.0));
        }
        if let Some(ids) = self.studio_ids {
            sold.studio_ids = ids.map(|ids| types::Json(ids.0));
        }
        sold.version += 1;
    }
}

/// Edits a pass type. Admins.
#[utoipa::path(
    patch, path = "/v1/studios/{id}/pass-types/{pass_type_id}", operation_id = "change_pass_type",
    params(("id" = Uuid, Path), ("pass_type_id" = Uuid, Path)), request_body = PassTypeChange,
    responses((status = 200, body = PassTypeView, headers(("ETag" = String)))),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn change_type(
    State(app): State<App>,
    caller: Caller,
    Path((id, pass_type_id)): Path<(Uuid, Uuid)>,
    if_match: IfMatch,
    Body(change): Body<PassTypeChange>,
) -> Answer<Versioned<PassTypeView>> {
    require_admin(&app, &caller, id).await?;
    let (now, language) = (app.clock.now(), caller.language);
    let sold = app
        .db
        .write("change_pass_type", move |tx| {
            Box::pin(async move {
                let mut sold = store::type_to_edit(tx, id, pass_type_id).await?.ok_or_else(nothing)?;
                must_match(sold.version, if_match)?;
                change.apply(&mut sold);
                must_make_sense(tx, &caller, &sold).await?;
                store::set_type(tx, &sold).await?;
                let entry = caller.actor().did(Event::in_studio(
                    id,
                    Subject::PassType,
                    pass_type_id,
                    Happened::PassTypeChanged { version: sold.version },
                ));
                events::log::write(tx, now, vec![entry]).await?;
                Ok::<_, Problem>(sold)
            })
        })
        .await?;
    let (_, locale) = studios::store::setting(&app.db, id).await?.ok_or_else(nothing)?;
    Ok(Versioned::ok(sold.version, PassTypeView::of(sold, language.unwrap_or(locale))))
}

/// Refuses what no member could make sense of, and what reaches into studios that the caller does not run.
async fn must_make_sense(tx: &mut Tx, caller: &Caller, sold: &PassType) -> Answer<()> {
    match sold.kind {
        PassKind::Pack if sold.credits.is_none() => return Err(Problem::field("credits", Wrong::NeededForPack)),
        PassKind::Pack if sold.per_week.is_some() => return Err(Problem::field("per_week", Wrong::OnlyForMembership)),
        PassKind::Membership if sold.credits.is_some() => return Err(Problem::field("credits", Wrong::OnlyForPack)),
        PassKind::Pack | PassKind::Membership => {}
    }
    if sold.valid_days.is_some() == sold.valid_months.is_some() {
        return Err(Problem::field("valid_days", Wrong::DaysOrMonths));
    }
    if sold.activate_within_days.is_some() && sold.valid_from == ValidFrom::Sale {
        return Err(Problem::field("activate_within_days", Wrong::OnlyFromFirstClass));
    }
    if sold.transferable && (sold.new_members_only || sold.once_per_person) {
        return Err(Problem::field("transferable", Wrong::OfferNotTransferable));
    }
    if let Some(next) = sold.followed_by
        && !store::is_type_of(tx, sold.studio_id, next).await?
    {
        return Err(Problem::field("followed_by", Wrong::NotPassType));
    }
    let own = vec![sold.studio_id];
    let studio_ids = sold.studio_ids.as_ref().map_or(&own, |ids| &ids.0);
    let known = store::studios_among(tx, studio_ids).await?;
    if known.len() < studio_ids.len() {
        return Err(Problem::field("studio_ids", Wrong::UnknownStudio));
    }
    if !studio_ids.iter().all(|studio_id| caller.roles.is_admin(*studio_id)) {
        return Err(Problem::new(problem::ProblemType::NotAllowed));
    }
    if let Some(types::Json(ids)) = &sold.class_type_ids {
        let known = store::class_types_among(tx, ids).await?;
        if known.len() < ids.len() || known.iter().any(|(_, studio_id)| !studio_ids.contains(studio_id)) {
            return Err(Problem::field("class_type_ids", Wrong::ForeignClassTypes));
        }
    }
    Ok(())
}

/// A page of passes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Passes {
    /// The newest first.
    pub passes: Vec<PassView>,
    /// What to send as `after` for more; null at the end.
    next: Option<String>,
}

/// The caller's own passes, and those that their family shares with them (`shared_by`).
#[utoipa::path(
    get, path = "/v1/me/passes", operation_id = "list_own_passes",
    params(Paging),
    responses((status = 200, body = Passes))
)]
pub async fn own(State(app): State<App>, caller: Caller, Query(paging): Query<Paging>) -> Answer<Json<Passes>> {
    let (limit, after) = paging.read();
    let found = store::of_family(&app.db, caller.person_id, after, limit.0 + 1).await?;
    let (found, next) = page(found, limit, |(pass, _)| pass.id);
    Ok(Json(Passes { passes: views(&app, found, caller.language).await?, next }))
}

/// A member's passes that this studio takes. Front desk.
#[utoipa::path(
    get, path = "/v1/studios/{id}/members/{person_id}/passes", operation_id = "list_member_passes",
    params(("id" = Uuid, Path), ("person_id" = Uuid, Path), Paging),
    responses((status = 200, body = Passes)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn of_member(
    State(app): State<App>,
    caller: Caller,
    Path((id, person_id)): Path<(Uuid, Uuid)>,
    Query(paging): Query<Paging>,
) -> Answer<Json<Passes>> {
    require_front_desk(&app, &caller, id).await?;
    if !store::is_member(&app.db, id, person_id).await? {
        return Err(nothing());
    }
    let (limit, after) = paging.read();
    let (found, next) = page(store::of_person(&app.db, person_id, after, limit.0 + 1).await?, limit, |pass| pass.id);
    let taken = found.into_iter().filter(|pass| pass.studio_ids.contains(&id)).map(|pass| (pass, None)).collect();
    Ok(Json(Passes { passes: views(&app, taken, caller.language).await?, next }))
}

/// Passes as this reader sees them now, each with the name of whose it is, if that is to be told.
async fn views(app: &App, passes: Vec<(Pass, Option<String>)>, language: Option<Language>) -> Answer<Vec<PassView>> {
    let mut sellers: Vec<Uuid> = passes.iter().map(|(pass, _)| pass.studio_id).collect();
    sellers.sort_unstable();
    sellers.dedup();
    let settings = studios::store::settings(&app.db, &sellers).await?;
    let settings: HashMap<Uuid, (String, Zone, Language)> =
        settings.into_iter().map(|(id, name, zone, locale)| (id, (name, zone, locale))).collect();
    let now = app.clock.now();
    let view = |(pass, shared_by): (Pass, Option<String>)| {
        let (name, zone, locale) = settings.get(&pass.studio_id)?;
        Some(PassView::of(pass, name.clone(), shared_by, language.unwrap_or(*locale), local_date(now, zone.tz())))
    };
    Ok(passes.into_iter().filter_map(view).collect())
}

/// A line of a pass's ledger.
#[derive(Debug, Serialize, ToSchema)]
pub struct LedgerLine {
    #[serde(with = "crate::instant")]
    at: DateTime<Utc>,
    /// Credits gained or lost.
    credits: i64,
    /// What was paid.
    amount: Option<Price>,
    reason: LedgerReason,
    /// For which booking.
    booking_id: Option<Uuid>,
    /// Why, as staff wrote it.
    note: Option<String>,
}

impl From<LedgerEntry> for LedgerLine {
    fn from(entry: LedgerEntry) -> Self {
        let amount = entry.amount_minor.zip(entry.currency).map(|(amount_minor, currency)| Price { amount_minor, currency });
        Self { at: entry.at, credits: entry.credits, amount, reason: entry.reason, booking_id: entry.booking_id, note: entry.note }
    }
}

/// A page of a ledger.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ledger {
    /// The oldest first. On a pack, the credits of all lines add up to its balance.
    entries: Vec<LedgerLine>,
    /// What to send as `after` for more; null at the end.
    next: Option<String>,
}

/// Which part of a ledger.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct LedgerPart {
    /// The most lines, 1 to 200; without it 200.
    #[param(inline)]
    limit: Option<Limit>,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor<(DateTime<Utc>, Uuid)>>,
}

/// The pass, if the caller sees it: their own, or at the front desk of a studio that takes it.
async fn seen(app: &App, caller: &Caller, id: Uuid) -> Answer<Pass> {
    let pass = store::pass(&app.db, id).await?.ok_or_else(nothing)?;
    let sees = pass.person_id == caller.person_id || pass.is_taken_at(|studio_id| caller.roles.is_front_desk(studio_id));
    if sees { Ok(pass) } else { Err(nothing()) }
}

/// The same, for who runs the studio that sold it.
async fn only_admin(app: &App, caller: &Caller, id: Uuid) -> Answer<()> {
    let pass = seen(app, caller, id).await?;
    if caller.roles.is_admin(pass.studio_id) { Ok(()) } else { Err(Problem::new(problem::ProblemType::NotAllowed)) }
}

/// The same, for its front desk.
async fn only_front_desk(app: &App, caller: &Caller, id: Uuid) -> Answer<()> {
    let pass = seen(app, caller, id).await?;
    if caller.roles.is_front_desk(pass.studio_id) { Ok(()) } else { Err(Problem::new(problem::ProblemType::NotAllowed)) }
}

/// A pass as this caller reads it now.
async fn shown(app: &App, caller: &Caller, id: Uuid) -> Answer<PassView> {
    let pass = store::pass(&app.db, id).await?.ok_or_else(nothing)?;
    views(app, vec![(pass, None)], caller.language).await?.pop().ok_or_else(nothing)
}

/// Where the credits of a pass came from and went. The caller's own pass, or a member's at the front desk of a studio that takes it.
#[utoipa::path(
    get, path = "/v1/passes/{id}/ledger", operation_id = "show_ledger",
    params(("id" = Uuid, Path), LedgerPart),
    responses((status = 200, body = Ledger))
)]
pub async fn ledger(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>, Query(part): Query<LedgerPart>) -> Answer<Json<Ledger>> {
    seen(&app, &caller, id).await?;
    let limit = part.limit.unwrap_or(Limit(PAGE_MAX));
    let after = part.after.map(|Cursor((at, id))| (storable(at), id));
    let (found, next) = page(store::ledger(&app.db, id, after, limit.0 + 1).await?, limit, |entry| (entry.at, entry.id));
    Ok(Json(Ledger { entries: found.into_iter().map(Into::into).collect(), next }))
}
