//! What a line about a pass makes. Pure.

use std::collections::HashMap;

use chrono::NaiveDate;
use uuid::Uuid;

use super::records::Cells;
use super::table::{DateOrder, Table, date};
use super::who::{ExternalId, Members, Who};
use super::{Plan, Read, Step, Wrongs};
use crate::passes::{PassKind, PassType};
use crate::search::same_name;
use crate::text::Line;
use crate::wrong::Wrong;

/// The most credits that a pass brings over.
const CREDITS_MAX: i64 = 10_000;

/// A pass as a line tells it.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the columns of a file")]
pub struct PassLine {
    pub external_id: Option<String>,
    pub who: Who,
    pub pass_type: String,
    pub credits_left: Option<i64>,
    pub starts_on: Option<NaiveDate>,
    pub expires_on: NaiveDate,
}

/// Every line of the file.
pub fn read(table: &Table, order: DateOrder) -> Vec<Read<PassLine>> {
    table.lines.iter().map(|(number, cells)| (*number, line(table, cells, order))).collect()
}

fn line(table: &Table, cells: &Cells, order: DateOrder) -> Result<PassLine, Wrongs> {
    let mut reader = table.reader(cells);
    let external_id = reader.maybe("external_id", ExternalId::parse).map(Line::into_string);
    let who = Who::read(&mut reader);
    let pass_type = reader.must("pass_type", Line::<200>::parse).map(Line::into_string);
    let credits_left = reader.maybe("credits_left", |text| {
        let credits = text.parse().map_err(|_| Wrong::NotWholeNumber)?;
        if (0..=CREDITS_MAX).contains(&credits) { Ok(credits) } else { Err(Wrong::OutOfRange { min: 0, max: CREDITS_MAX }) }
    });
    let starts_on = reader.maybe("starts_on", |text| date(text, order));
    let expires_on = reader.must("expires_on", |text| date(text, order));
    if starts_on.zip(expires_on).is_some_and(|(first, last)| last < first) {
        reader.is_wrong("expires_on", Wrong::UntilBeforeStart);
    }
    let says = who.zip(pass_type).zip(expires_on);
    reader.done(says.map(|((who, pass_type), expires_on)| PassLine { external_id, who, pass_type, credits_left, starts_on, expires_on }))
}

/// What is there before the import.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub members: Members,
    /// What the studio sells.
    pub types: Vec<PassType>,
    /// What came over before, by its key.
    pub brought: HashMap<String, Uuid>,
}

/// A pass to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct NewPass {
    pub id: Uuid,
    /// By what the same line is known again.
    pub key: String,
    pub person_id: Uuid,
    /// What the studio sells it as.
    pub pass_type: PassType,
    /// A pack's.
    pub credits_left: Option<i64>,
    pub starts_on: Option<NaiveDate>,
    pub expires_on: NaiveDate,
}

/// What each line makes. A pass without a number of its own is known by whose it is, what it is and when it ends; the second such of a file
/// is another one.
pub fn plan(lines: Vec<Read<PassLine>>, mut state: State, mut new_id: impl FnMut() -> Uuid) -> Plan<NewPass> {
    let mut seen: HashMap<String, u32> = HashMap::new();
    let mut plan = Vec::with_capacity(lines.len());
    for (number, line) in lines {
        let step = line.and_then(|line| step(line, &mut state, &mut seen, &mut new_id));
        plan.push((number, step));
    }
    plan
}

fn step(
    line: PassLine,
    state: &mut State,
    seen: &mut HashMap<String, u32>,
    new_id: &mut impl FnMut() -> Uuid,
) -> Result<Step<NewPass>, Wrongs> {
    let person_id = state.members.find(&line.who).map_err(|wrong| vec![wrong])?;
    let called = |sold: &&PassType| {
        let name = &sold.name.0;
        let names = [Some(&name.en), name.zh_hans.as_ref(), name.zh_hant.as_ref()];
        sold.id.to_string() == line.pass_type || names.into_iter().flatten().any(|name| same_name(name, &line.pass_type))
    };
    let Some(pass_type) = state.types.iter().find(called) else { return Err(vec![("pass_type", Wrong::NotPassType)]) };
    let credits_left = match (pass_type.kind, line.credits_left) {
        (PassKind::Pack, None) => return Err(vec![("credits_left", Wrong::NeededForPack)]),
        (PassKind::Pack, credits) => credits,
        // Other programs write a number there, too, which means nothing.
        (PassKind::Membership, _) => None,
    };
    let key = line.external_id.unwrap_or_else(|| {
        let same = format!("{person_id}:{}:{}", pass_type.id, line.expires_on);
        let nth = seen.entry(same.clone()).and_modify(|nth| *nth += 1).or_insert(1);
        format!("{same}:{nth}")
    });
    if let Some(row_id) = state.brought.get(&key) {
        return Ok(Step::Known { row_id: *row_id, new_key: None });
    }
    let id = new_id();
    state.brought.insert(key.clone(), id);
    let (starts_on, expires_on) = (line.starts_on, line.expires_on);
    Ok(Step::Make(NewPass { id, key, person_id, pass_type: pass_type.clone(), credits_left, starts_on, expires_on }))
}

#[cfg(test)]
mod tests {
    use sqlx::types::Json;

    use super::*;
    use crate::import::Kind;
    use crate::language::Texts;
    use crate::passes::ValidFrom;

    fn sold(id: u128, name: &str, kind: PassKind) -> PassType {
        PassType {
            id: Uuid::from_u128(id),
            studio_id: Uuid::nil(),
            name: Json(Texts { en: name.into(), zh_hans: Some("十次卡".into()), zh_hant: None }),
            kind,
            credits: (kind == PassKind::Pack).then_some(10),
            per_week: None,
            valid_days: Some(90),
            price_minor: None,
            currency: None,
            class_type_ids: None,
            studio_ids: None,
            version: 1,
            rules_version: 1,
            valid_months: None,
            valid_from: ValidFrom::Sale,
            activate_within_days: None,
            new_members_only: false,
            once_per_person: false,
            followed_by: None,
            freeze_days_max: 0,
            transferable: false,
            on_sale: true,
        }
    }

    fn came(line: &str) -> Vec<String> {
        let members = Members {
            by_external_id: HashMap::from([("1".to_owned(), Uuid::from_u128(1))]),
            by_address: HashMap::from([("ana@a.test".to_owned(), vec![(Uuid::from_u128(1), "Ana".to_owned())])]),
        };
        let types = vec![sold(10, "Ten classes", PassKind::Pack), sold(11, "Unlimited", PassKind::Membership)];
        let state = State { members, types, brought: HashMap::from([("old".to_owned(), Uuid::from_u128(50))]) };
        let heading = "external_id,member_external_id,email,pass_type,credits_left,starts_on,expires_on";
        let table = Table::of(&format!("{heading}\n{line}\n"), Kind::Passes, None, 100).unwrap();
        let mut next = 100;
        let ids = || {
            next += 1;
            Uuid::from_u128(next)
        };
        let one = |step: Result<Step<NewPass>, Wrongs>| match step {
            Ok(Step::Make(new)) => format!("{} {:?} until {}", new.id.as_u128(), new.credits_left, new.expires_on),
            Ok(Step::Known { row_id, .. }) => format!("known {}", row_id.as_u128()),
            Err(wrongs) => wrongs.iter().map(|(column, _)| *column).collect::<Vec<_>>().join(" "),
        };
        plan(read(&table, DateOrder::Ymd), state, ids).into_iter().map(|(_, step)| one(step)).collect()
    }

    #[test]
    fn what_a_line_makes() {
        for (line, what) in [
            (",1,,Ten classes,4,,2027-01-31", "101 Some(4) until 2027-01-31"),
            (",,Ana@a.test,十次卡,0,2026-12-01,2027-01-31", "101 Some(0) until 2027-01-31"),
            (",1,,unlimited,99999999,,2027-01-31", "credits_left"),
            (",1,,unlimited,9,,2027-01-31", "101 None until 2027-01-31"),
            ("old,1,,Ten classes,4,,2027-01-31", "known 50"),
            (",1,,Ten classes,,,2027-01-31", "credits_left"),
            (",1,,Ten classes,-1,,2027-01-31", "credits_left"),
            (",1,,Ten classes,1.5,,2027-01-31", "credits_left"),
            (",1,,Twenty classes,4,,2027-01-31", "pass_type"),
            (",2,,Ten classes,4,,2027-01-31", "member_external_id"),
            (",,,Ten classes,4,,", "member_external_id expires_on"),
            (",1,,Ten classes,4,2027-02-01,2027-01-31", "expires_on"),
        ] {
            assert_eq!(came(line), [what], "{line}");
        }
        let two =
            ",1,,Ten classes,4,,2027-01-31\n,1,,Ten classes,4,,2027-01-31\nx,1,,Ten classes,1,,2027-01-31\nx,1,,Ten classes,1,,2027-01-31";
        let ten = |id: u128, credits: i64| format!("{id} Some({credits}) until 2027-01-31");
        assert_eq!(came(two), [ten(101, 4), ten(102, 4), ten(103, 1), "known 103".to_owned()]);
    }
}
