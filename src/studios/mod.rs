//! Studios, their rooms and their house rules.
//!
//! A studio has a time zone, in which all its wall times are meant and which cannot change while it has sessions to come, and house rules,
//! which can: then the sessions to come get new instants in the same transaction. Everything else here is edited by plain transactions,
//! each on one row with its version.

pub mod api;
pub mod export;
pub mod guard;
pub mod house_rules;
pub mod override_rules;
pub mod set_house_rules;
pub mod store;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sqlx::types::Json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::language::Language;
use crate::letters::facts::StudioFacts;
use crate::wrong::Wrong;

use house_rules::applied::{ByPassType, SessionRules};
pub use house_rules::{HouseRules, Overrides};

/// A studio's time zone: a name of the IANA database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ToSchema)]
#[schema(value_type = String, example = "Asia/Shanghai")]
pub struct Zone(Tz);

impl Zone {
    /// The zone with its changes of the clocks.
    pub fn tz(self) -> Tz {
        self.0
    }

    pub fn name(self) -> &'static str {
        self.0.name()
    }
}

impl From<Tz> for Zone {
    fn from(zone: Tz) -> Self {
        Self(zone)
    }
}

impl FromStr for Zone {
    type Err = Wrong;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        name.parse().map(Self).map_err(|_| Wrong::NotTimeZone)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(Wrong::refuse)
    }
}

impl<D: sqlx::Database> sqlx::Type<D> for Zone
where
    String: sqlx::Type<D>,
{
    fn type_info() -> D::TypeInfo {
        String::type_info()
    }

    fn compatible(ty: &D::TypeInfo) -> bool {
        String::compatible(ty)
    }
}

impl<'r, D: sqlx::Database> sqlx::Decode<'r, D> for Zone
where
    &'r str: sqlx::Decode<'r, D>,
{
    fn decode(value: D::ValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        Ok(<&str>::decode(value)?.parse()?)
    }
}

/// One place with its own time zone, language, house rules, staff and rooms.
#[derive(Clone, Debug, PartialEq, Serialize, sqlx::FromRow, ToSchema)]
pub struct Studio {
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// Where it is.
    pub address: Option<String>,
    /// By which clock it lives.
    pub time_zone: Zone,
    /// The language of whoever says nothing else.
    pub locale: Language,
    /// Where an answer to its letters goes: an e-mail address.
    pub contact: Option<String>,
    /// Its rules as members read them.
    pub rules_text: Option<String>,
    /// Its privacy policy.
    pub privacy_url: Option<String>,
    /// Where passes are bought.
    pub shop_url: Option<String>,
    /// Whether its admins must have a second factor.
    pub second_factor_required: bool,
    /// Rises with each edit.
    pub version: i64,
}

/// The rules by which a studio's sessions and bookings are judged.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct Policy {
    pub studio_id: Uuid,
    pub time_zone: Zone,
    pub house_rules: Json<HouseRules>,
    /// The version of the rules.
    pub house_rules_version: i64,
}

/// A room of a studio.
#[derive(Clone, Debug, PartialEq, Serialize, sqlx::FromRow, ToSchema)]
pub struct Room {
    pub id: Uuid,
    /// Of which studio.
    pub studio_id: Uuid,
    /// What it is called.
    pub name: String,
    /// How many places a session has there unless it says otherwise.
    pub capacity: i64,
    /// Rises with each edit.
    pub version: i64,
}

/// Whose rules differ from their studio's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the words of the product")]
pub enum RulesOf {
    ClassType(Uuid),
    PassType(Uuid),
}

/// A studio as decisions and letters need it.
#[derive(Clone, Debug)]
pub struct StudioContext {
    pub id: Uuid,
    pub zone: Tz,
    /// The language for readers who chose none.
    pub locale: Language,
    /// Where a pass can be bought.
    pub shop_url: Option<String>,
    pub rules: HouseRules,
    /// The version of the policy: rises with each edit.
    pub rules_version: i64,
    /// What its class types change about them; one that changes nothing is left out.
    pub class_type_rules: BTreeMap<Uuid, Overrides>,
    /// What pass types change about them, those of other studios too: a pass may be valid in several.
    pub pass_type_rules: ByPassType,
    /// What its letters say about it.
    pub facts: StudioFacts,
}

impl StudioContext {
    /// The rules of its sessions of a class type.
    pub fn rules_of(&self, class_type_id: Uuid) -> SessionRules<'_> {
        SessionRules::new(&self.rules, self.class_type_rules.get(&class_type_id), &self.pass_type_rules)
    }

    /// How many days before a session the first of all may book it, whatever it is and whatever pays.
    pub fn opens_days_max(&self) -> i64 {
        let by_class_type = self.class_type_rules.values().filter_map(|overrides| overrides.booking_opens_days);
        let by_pass_type = self.pass_type_rules.values().filter(|of| of.studio_ids.contains(&self.id));
        let by_pass_type = by_pass_type.filter_map(|of| of.overrides.booking_opens_days);
        by_class_type.chain(by_pass_type).fold(self.rules.booking_opens_days, i64::max)
    }
}
