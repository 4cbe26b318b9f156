//! Selling a pass: the pass, its first entry in the ledger, the letter; and whoever waited for want of a credit is served.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::command::{Outcome, SellPass};
use super::needs::{Decided, Key, Stop};
use super::places::{Touched, settle};
use super::world::World;
use super::{Actor, not_found};
use crate::ids::new_id;
use crate::letters::facts::Facts;
use crate::letters::outbox::Letter;
use crate::passes::rules::sale;
use crate::passes::{LedgerEntry, LedgerReason, Pass, PassType};
use crate::problem::{Kind, Problem};
use crate::schedule::rules::local_date;

/// `POST …/members/{person_id}/passes`.
pub fn sell(world: &mut World, actor: &Actor, ask: &SellPass, now: DateTime<Utc>) -> Decided<Outcome> {
    let caller = actor.person_id()?;
    let own = world.person(caller)?;
    let studio = world.studio_or_not_found(ask.studio_id)?;
    if !own.is_desk(studio.id) {
        return Err(Problem::new(Kind::NotAllowed).into());
    }
    if let Some((body_hash, pass_id)) = world.answered(caller, &ask.key)? {
        return if body_hash == ask.body_hash { Ok(Outcome::Pass(pass_id)) } else { Err(Problem::new(Kind::IdempotencyKeyReused).into()) };
    }
    let member = world.person(ask.person_id)?;
    if !world.members.contains(&(studio.id, member.id)) {
        return Err(not_found());
    }
    let pass_type = pass_type(world, ask.pass_type_id, studio.id)?;
    let sold = sale(&pass_type.terms(), studio.id, local_date(now, studio.zone));
    let pass = Pass {
        id: new_id(now),
        studio_id: studio.id,
        person_id: member.id,
        pass_type_id: pass_type.id,
        name: sqlx::types::Json(sold.name.clone()),
        kind: sold.kind,
        credits_left: sold.credits_left,
        per_week: sold.per_week,
        expires_on: sold.expires_on,
        class_type_ids: sold.class_type_ids.map(sqlx::types::Json),
        studio_ids: sqlx::types::Json(sold.studio_ids),
        sold_at: now,
        sold_by: Some(caller),
    };
    let paid = ask.paid.as_ref();
    let entry = LedgerEntry {
        id: new_id(now),
        pass_id: pass.id,
        at: now,
        credits: pass.credits_left.unwrap_or(0),
        reason: LedgerReason::Sold,
        booking_id: None,
        amount_minor: paid.map(|paid| paid.money.amount_minor),
        currency: paid.map(|paid| paid.money.currency.clone()),
        method: paid.map(|paid| paid.method.clone()),
        reference: paid.and_then(|paid| paid.reference.clone()),
        by_person: Some(caller),
    };
    if member.has_address {
        let facts = Facts::PassSold {
            studio: studio.facts.clone(),
            pass: sold.name,
            credits: sold.credits_left,
            per_week: sold.per_week,
            expires_on: sold.expires_on,
            paid: paid.map(|paid| paid.money.clone()),
        };
        let mut letter = Letter::to_person(member.id, member.locale.unwrap_or(studio.locale), facts);
        letter.studio_id = Some(studio.id);
        world.letters.push(letter);
    }
    let id = pass.id;
    world.audit.push(actor.record.of("pass.sold", "pass", id, Some(studio.id)).with(json!({ "person_id": member.id })));
    world.put_pass(pass, entry);
    world.remember(caller, &ask.key, &ask.body_hash, id, now);
    let mut touched = Touched::default();
    touched.person(member.id);
    settle(world, touched, now)?;
    Ok(Outcome::Pass(id))
}

fn pass_type(world: &World, id: Uuid, studio_id: Uuid) -> Decided<Arc<PassType>> {
    match world.pass_types.get(&id) {
        Some(Some(found)) if found.studio_id == studio_id => Ok(Arc::clone(found)),
        None if !world.complete => Err(Stop::Needs(vec![Key::PassType(id)])),
        _ => Err(Problem::field("pass_type_id", "is not a pass type of this studio").into()),
    }
}
