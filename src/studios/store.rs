//! Studios and rooms in the database.

pub mod exported;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::house_rules::applied::{ByPassType, PassTypeRules};
use super::{HouseRules, Overrides, Policy, Room, RulesOf, Studio, StudioContext, Zone};
use crate::db::{Db, Error, Sql, Tx};
use crate::language::Language;
use crate::letters::facts::StudioFacts;

/// All studios, oldest first.
pub async fn studios(db: &Db, after: Option<Uuid>, count_max: i64) -> Result<Vec<Studio>, Error> {
    let sql = "SELECT id, name, address, time_zone, locale, contact, rules_text, privacy_url, shop_url, second_factor_required, version \
               FROM studios WHERE id > $1 ORDER BY id LIMIT $2";
    db.all(sql, (after.unwrap_or_default(), count_max)).await
}

/// What the studios are called, which makes bad passwords. Of very many, those that were opened first.
pub async fn names(db: &Db) -> Result<Vec<String>, Error> {
    Ok(db.all::<(String,)>("SELECT name FROM studios ORDER BY id LIMIT 200", ()).await?.into_iter().map(|(name,)| name).collect())
}

/// One studio.
pub async fn studio(db: &Db, id: Uuid) -> Result<Option<Studio>, Error> {
    let sql = "SELECT id, name, address, time_zone, locale, contact, rules_text, privacy_url, shop_url, second_factor_required, version \
               FROM studios WHERE id = $1";
    db.maybe(sql, (id,)).await
}

/// The studio's zone and language; `None`: there is no such studio.
pub async fn setting(db: &Db, id: Uuid) -> Result<Option<(Zone, Language)>, Error> {
    db.maybe("SELECT time_zone, locale FROM studios WHERE id = $1", (id,)).await
}

/// The zone by whose clock somebody lives: that of the studios where they work or are a member, if it is one.
pub async fn own_zone(db: &Db, person_id: Uuid) -> Result<Option<Zone>, Error> {
    let sql = "SELECT DISTINCT s.time_zone FROM studios s WHERE EXISTS (SELECT 1 FROM persons p WHERE p.id = $1 AND p.is_owner) \
               OR s.id IN (SELECT studio_id FROM staff WHERE person_id = $1 UNION SELECT studio_id FROM members WHERE person_id = $1) LIMIT 2";
    Ok(match &db.all::<(Zone,)>(sql, (person_id,)).await?[..] {
        [(zone,)] => Some(*zone),
        _ => None,
    })
}

/// The studio's zone, in a transaction.
pub async fn zone_of(tx: &mut Tx, id: Uuid) -> Result<Option<Zone>, Error> {
    Ok(tx.maybe::<(Zone,)>("SELECT time_zone FROM studios WHERE id = $1", (id,)).await?.map(|(zone,)| zone))
}

/// One studio, locked until the end of the transaction.
pub async fn studio_to_edit(tx: &mut Tx, id: Uuid) -> Result<Option<Studio>, Error> {
    let sql = Sql::Each {
        sqlite: "SELECT id, name, address, time_zone, locale, contact, rules_text, privacy_url, shop_url, second_factor_required, version \
                 FROM studios WHERE id = $1",
        postgres: "SELECT id, name, address, time_zone, locale, contact, rules_text, privacy_url, shop_url, second_factor_required, version \
                   FROM studios WHERE id = $1 FOR NO KEY UPDATE",
    };
    tx.maybe(sql, (id,)).await
}

/// A new studio with the house rules that one begins with.
pub async fn add_studio(tx: &mut Tx, studio: &Studio, now: DateTime<Utc>) -> Result<(), Error> {
    let sql = "INSERT INTO studios (id, name, address, time_zone, locale, contact, rules_text, privacy_url, shop_url, version, house_rules, \
               created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let Studio { id, name, address, time_zone, locale, contact, rules_text, privacy_url, shop_url, second_factor_required: _, version } =
        studio.clone();
    let rules = Json(HouseRules::of_a_new_studio());
    let binds = (id, name, address, time_zone.name(), locale, contact, rules_text, privacy_url, shop_url, version, rules, now);
    tx.run(sql, binds).await.map(drop)
}

/// The studio as it is after an edit.
pub async fn set_studio(tx: &mut Tx, studio: &Studio) -> Result<(), Error> {
    let sql = "UPDATE studios SET name = $2, address = $3, time_zone = $4, locale = $5, contact = $6, rules_text = $7, privacy_url = $8, \
               shop_url = $9, second_factor_required = $10, version = $11 WHERE id = $1";
    let Studio { id, name, address, time_zone, locale, contact, rules_text, privacy_url, shop_url, second_factor_required, version } =
        studio.clone();
    let zone = time_zone.name();
    let binds = (id, name, address, zone, locale, contact, rules_text, privacy_url, shop_url, second_factor_required, version);
    tx.run(sql, binds).await.map(drop)
}

/// The policy of one studio.
pub async fn policy(db: &Db, studio_id: Uuid) -> Result<Option<Policy>, Error> {
    let sql = "SELECT id AS studio_id, time_zone, house_rules, house_rules_version FROM studios WHERE id = $1";
    db.maybe(sql, (studio_id,)).await
}

/// The studio's new house rules. Its sessions and series follow in the same transaction.
pub async fn set_house_rules(tx: &mut Tx, studio_id: Uuid, rules: &HouseRules, version: i64) -> Result<(), Error> {
    let sql = "UPDATE studios SET house_rules = $2, house_rules_version = $3 WHERE id = $1";
    tx.run(sql, (studio_id, Json(rules.clone()), version)).await.map(drop)
}

/// The studio's rooms, oldest first.
pub async fn rooms(db: &Db, studio_id: Uuid, after: Option<Uuid>, count_max: i64) -> Result<Vec<Room>, Error> {
    let sql = "SELECT id, studio_id, name, capacity, version FROM rooms WHERE studio_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    db.all(sql, (studio_id, after.unwrap_or_default(), count_max)).await
}

/// One room of the studio.
pub async fn room(db: &Db, studio_id: Uuid, id: Uuid) -> Result<Option<Room>, Error> {
    db.maybe("SELECT id, studio_id, name, capacity, version FROM rooms WHERE studio_id = $1 AND id = $2", (studio_id, id)).await
}

/// One room of the studio, locked until the end of the transaction.
pub async fn room_to_edit(tx: &mut Tx, studio_id: Uuid, id: Uuid) -> Result<Option<Room>, Error> {
    let sql = Sql::Each {
        sqlite: "SELECT id, studio_id, name, capacity, version FROM rooms WHERE studio_id = $1 AND id = $2",
        postgres: "SELECT id, studio_id, name, capacity, version FROM rooms WHERE studio_id = $1 AND id = $2 FOR NO KEY UPDATE",
    };
    tx.maybe(sql, (studio_id, id)).await
}

/// A new room.
pub async fn add_room(tx: &mut Tx, room: &Room, now: DateTime<Utc>) -> Result<(), Error> {
    let sql = "INSERT INTO rooms (id, studio_id, name, capacity, version, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    tx.run(sql, (room.id, room.studio_id, room.name.clone(), room.capacity, room.version, now)).await.map(drop)
}

/// The room as it is after an edit. Sessions that are scheduled there keep their capacity.
pub async fn set_room(tx: &mut Tx, room: &Room) -> Result<(), Error> {
    let sql = "UPDATE rooms SET name = $3, capacity = $4, version = $5 WHERE studio_id = $1 AND id = $2";
    tx.run(sql, (room.studio_id, room.id, room.name.clone(), room.capacity, room.version)).await.map(drop)
}

/// Who teaches in the studio, by when they came: `(id, name)`.
pub async fn instructors(db: &Db, studio_id: Uuid, after: Option<Uuid>, count_max: i64) -> Result<Vec<(Uuid, String)>, Error> {
    let sql = "SELECT p.id, p.name FROM staff w JOIN persons p ON p.id = w.person_id \
               WHERE w.studio_id = $1 AND w.role = 'instructor' AND p.deleted_at IS NULL AND p.id > $2 ORDER BY p.id LIMIT $3";
    db.all(sql, (studio_id, after.unwrap_or_default(), count_max)).await
}

/// The names, zones and languages of these studios, in no order.
pub async fn settings(db: &Db, ids: &[Uuid]) -> Result<Vec<(Uuid, String, Zone, Language)>, Error> {
    db.among("SELECT id, name, time_zone, locale FROM studios WHERE id IN #", (), ids).await
}

/// Rooms by id, in no order.
pub async fn rooms_among(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Room>, Error> {
    tx.among("SELECT id, studio_id, name, capacity, version FROM rooms WHERE id IN #", (), ids).await
}

#[derive(sqlx::FromRow)]
struct ContextRow {
    id: Uuid,
    name: String,
    address: Option<String>,
    contact: Option<String>,
    time_zone: Zone,
    locale: Language,
    shop_url: Option<String>,
    house_rules: Json<HouseRules>,
    house_rules_version: i64,
    class_types_differ: bool,
    pass_types_differ: bool,
}

/// Studios as decisions and letters need them, in no order.
pub async fn contexts(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<StudioContext>, Error> {
    let sql = "SELECT id, name, address, contact, time_zone, locale, shop_url, house_rules, house_rules_version, \
               EXISTS (SELECT 1 FROM class_types c WHERE c.studio_id = studios.id AND c.rules IS NOT NULL) AS class_types_differ, \
               EXISTS (SELECT 1 FROM pass_types p WHERE p.rules IS NOT NULL) AS pass_types_differ FROM studios WHERE id IN #";
    let rows: Vec<ContextRow> = tx.among(sql, (), ids).await?;
    let differ: Vec<Uuid> = rows.iter().filter(|row| row.class_types_differ).map(|row| row.id).collect();
    let mut class_type_rules: BTreeMap<Uuid, BTreeMap<Uuid, Overrides>> = BTreeMap::new();
    for (studio_id, id, rules) in class_type_rules_of(tx, &differ).await? {
        class_type_rules.entry(studio_id).or_default().insert(id, rules.0);
    }
    let pass_type_rules = if rows.iter().any(|row| row.pass_types_differ) { pass_type_rules(tx).await? } else { ByPassType::new() };
    let mut context = |row: ContextRow| {
        let zone = row.time_zone.tz();
        StudioContext {
            id: row.id,
            zone,
            locale: row.locale,
            shop_url: row.shop_url,
            rules: row.house_rules.0,
            rules_version: row.house_rules_version,
            class_type_rules: class_type_rules.remove(&row.id).unwrap_or_default(),
            pass_type_rules: pass_type_rules.clone(),
            facts: StudioFacts { name: row.name, address: row.address, contact: row.contact, time_zone: zone },
        }
    };
    Ok(rows.into_iter().map(&mut context).collect())
}

/// What the class types of these studios change about their rules: studio, class type, changes.
async fn class_type_rules_of(tx: &mut Tx, studios: &[Uuid]) -> Result<Vec<(Uuid, Uuid, Json<Overrides>)>, Error> {
    tx.among("SELECT studio_id, id, rules FROM class_types WHERE rules IS NOT NULL AND studio_id IN #", (), studios).await
}

/// What pass types change, all of the deployment's: passes are valid across its studios, and few types change anything.
async fn pass_type_rules(tx: &mut Tx) -> Result<ByPassType, Error> {
    type Row = (Uuid, Uuid, Option<Json<Vec<Uuid>>>, Json<Overrides>);
    let rows: Vec<Row> = tx.all("SELECT id, studio_id, studio_ids, rules FROM pass_types WHERE rules IS NOT NULL", ()).await?;
    let rules = |(id, studio_id, studio_ids, overrides): Row| {
        let studio_ids = studio_ids.map_or_else(|| vec![studio_id], |ids| ids.0);
        (id, PassTypeRules { studio_ids, overrides: overrides.0 })
    };
    Ok(rows.into_iter().map(rules).collect())
}

/// What a class type, or a pass type, changes about its studio's rules. Sessions follow in the same transaction.
pub async fn set_overrides(tx: &mut Tx, of: RulesOf, overrides: &Overrides, version: i64) -> Result<(), Error> {
    let rules = (!overrides.is_empty()).then(|| Json(overrides.clone()));
    let (sql, id) = match of {
        RulesOf::ClassType(id) => ("UPDATE class_types SET rules = $2, rules_version = $3 WHERE id = $1", id),
        RulesOf::PassType(id) => ("UPDATE pass_types SET rules = $2, rules_version = $3 WHERE id = $1", id),
    };
    tx.run(sql, (id, rules, version)).await.map(drop)
}

/// What a class type or a pass type of this studio changes about its rules, and the version of that; `None`: there is no such thing.
pub async fn overrides(db: &Db, studio_id: Uuid, of: RulesOf) -> Result<Option<(Overrides, i64)>, Error> {
    let (sql, id) = match of {
        RulesOf::ClassType(id) => ("SELECT rules, rules_version FROM class_types WHERE studio_id = $1 AND id = $2", id),
        RulesOf::PassType(id) => ("SELECT rules, rules_version FROM pass_types WHERE studio_id = $1 AND id = $2", id),
    };
    let found: Option<(Option<Json<Overrides>>, i64)> = db.maybe(sql, (studio_id, id)).await?;
    Ok(found.map(|(rules, version)| (rules.map(|rules| rules.0).unwrap_or_default(), version)))
}
