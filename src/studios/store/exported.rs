//! What a studio owns, table by table, as lines of cells.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use sqlx::types::Json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::{Error, Tx};
use crate::language::Texts;
use crate::reports::rules::cell;

/// Lines of a table, and behind which id the next ones stand; `None`: these are the last.
pub type Page = (Vec<Vec<String>>, Option<Uuid>);

/// How a value stands in a cell.
trait Cell {
    fn text(&self) -> String;
}

macro_rules! cells {
    ($($kind:ty),+) => { $(impl Cell for $kind { fn text(&self) -> String { self.to_string() } })+ };
}
cells!(Uuid, i64, bool, NaiveDate);

impl Cell for String {
    fn text(&self) -> String {
        cell(self).into_owned()
    }
}

impl Cell for DateTime<Utc> {
    fn text(&self) -> String {
        crate::instant::text(*self)
    }
}

impl Cell for Json<Texts> {
    fn text(&self) -> String {
        cell(&self.0.en).into_owned()
    }
}

impl<T: Cell> Cell for Option<T> {
    fn text(&self) -> String {
        self.as_ref().map(Cell::text).unwrap_or_default()
    }
}

macro_rules! tables {
    ($($table:ident $said:literal { $key:ident: Uuid $(, $column:ident: $kind:ty)* $(,)? } $sql:literal;)+) => {
        /// What of a studio's can be exported.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        #[schema(as = ExportedTable)]
        pub enum Table { $(#[doc = $said] $table,)+ }

        impl Table {
            /// Its columns.
            pub const fn columns(self) -> &'static [&'static str] {
                match self { $(Self::$table => &[stringify!($key) $(, stringify!($column))*],)+ }
            }
        }

        /// The lines of a studio's table behind this id, so many at most.
        pub async fn page(tx: &mut Tx, studio_id: Uuid, table: Table, after: Uuid, count_max: i64) -> Result<Page, Error> {
            match table {
                $(Table::$table => {
                    #[derive(FromRow)]
                    struct Row { $key: Uuid $(, $column: $kind)* }
                    let rows: Vec<Row> = tx.all($sql, (studio_id, after, count_max)).await?;
                    let is_full = i64::try_from(rows.len()).is_ok_and(|count| count == count_max);
                    let next = rows.last().map(|row| row.$key).filter(|_| is_full);
                    let line = |row: Row| vec![row.$key.text() $(, row.$column.text())*];
                    Ok((rows.into_iter().map(line).collect(), next))
                })+
            }
        }
    };
}

tables! {
    Members "Whom the studio knows, by what it wrote down or was given."
    { person_id: Uuid, external_id: Option<String>, name: String, email: Option<String>, shares_address: bool, phone: Option<String>, note: Option<String>, joined_at: DateTime<Utc> }
    "SELECT m.person_id, (SELECT MIN(b.key) FROM brought_over b WHERE b.studio_id = m.studio_id AND b.kind = 'members' AND b.row_id = m.person_id \
     AND b.key NOT LIKE 'person:%') AS external_id, m.name, CASE WHEN m.given_at IS NOT NULL OR m.knows_address THEN p.email END AS email, \
     (p.contact_key IS NOT NULL) AS shares_address, CASE WHEN m.given_at IS NULL THEN m.phone ELSE COALESCE(m.phone, p.phone) END AS phone, \
     m.note, m.joined_at FROM members m JOIN persons p ON p.id = m.person_id WHERE m.studio_id = $1 AND m.person_id > $2 AND p.deleted_at IS NULL \
     ORDER BY m.person_id LIMIT $3";
    Staff "Who works there."
    { person_id: Uuid, name: String, instructor: i64, front_desk: i64, admin: i64 }
    "SELECT s.person_id, MAX(CASE WHEN m.given_at IS NULL AND m.name <> '' THEN m.name ELSE p.name END) AS name, \
     CAST(MAX(CASE WHEN s.role = 'instructor' THEN 1 ELSE 0 END) AS BIGINT) AS instructor, \
     CAST(MAX(CASE WHEN s.role = 'front_desk' THEN 1 ELSE 0 END) AS BIGINT) AS front_desk, \
     CAST(MAX(CASE WHEN s.role = 'admin' THEN 1 ELSE 0 END) AS BIGINT) AS admin FROM staff s JOIN persons p ON p.id = s.person_id \
     LEFT JOIN members m ON m.studio_id = s.studio_id AND m.person_id = s.person_id WHERE s.studio_id = $1 AND s.person_id > $2 \
     GROUP BY s.person_id ORDER BY s.person_id LIMIT $3";
    Rooms "Its rooms."
    { id: Uuid, name: String, capacity: i64, created_at: DateTime<Utc> }
    "SELECT id, name, capacity, created_at FROM rooms WHERE studio_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    ClassTypes "What it teaches."
    { id: Uuid, name: Json<Texts>, level: String, minutes: i64, credits: i64, created_at: DateTime<Utc> }
    "SELECT id, name, level, minutes, credits, created_at FROM class_types WHERE studio_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    PassTypes "What it sells."
    { id: Uuid, name: Json<Texts>, kind: String, credits: Option<i64>, per_week: Option<i64>, valid_days: Option<i64>, valid_months: Option<i64>, price_minor: Option<i64>, currency: Option<String>, created_at: DateTime<Utc> }
    "SELECT id, name, kind, credits, per_week, valid_days, valid_months, price_minor, currency, created_at FROM pass_types \
     WHERE studio_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    Sessions "Its classes, drafts and cancelled ones too."
    { id: Uuid, class_type_id: Uuid, class_type: Json<Texts>, room: String, instructor_id: Uuid, instructor: String, starts_at: DateTime<Utc>, ends_at: DateTime<Utc>, capacity: i64, credits: i64, status: String, cancel_reason: Option<String> }
    "SELECT s.id, s.class_type_id, c.name AS class_type, r.name AS room, s.instructor_id, p.name AS instructor, s.starts_at, s.ends_at, s.capacity, \
     s.credits, s.status, s.cancel_reason FROM sessions s JOIN class_types c ON c.id = s.class_type_id JOIN rooms r ON r.id = s.room_id \
     JOIN persons p ON p.id = s.instructor_id WHERE s.studio_id = $1 AND s.id > $2 ORDER BY s.id LIMIT $3";
    Bookings "Who booked what, and what came of it."
    { id: Uuid, session_id: Uuid, person_id: Uuid, status: String, pass_id: Option<Uuid>, credits: i64, created_at: DateTime<Utc>, promoted_at: Option<DateTime<Utc>>, arrived_at: Option<DateTime<Utc>>, ended_at: Option<DateTime<Utc>>, ended_by: Option<String>, guest_of: Option<Uuid> }
    "SELECT id, session_id, person_id, status, pass_id, credits, created_at, promoted_at, arrived_at, ended_at, ended_by, guest_of FROM bookings \
     WHERE studio_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    Passes "The passes that it sold or brought over."
    { id: Uuid, person_id: Uuid, pass_type_id: Uuid, name: Json<Texts>, kind: String, credits_left: Option<i64>, per_week: Option<i64>, starts_on: Option<NaiveDate>, expires_on: NaiveDate, sold_at: DateTime<Utc>, ended_at: Option<DateTime<Utc>> }
    "SELECT id, person_id, pass_type_id, name, kind, credits_left, per_week, starts_on, expires_on, sold_at, ended_at FROM passes \
     WHERE studio_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    Ledger "Where credits and money of these passes came from and went."
    { id: Uuid, pass_id: Uuid, at: DateTime<Utc>, credits: i64, reason: String, booking_id: Option<Uuid>, amount_minor: Option<i64>, currency: Option<String>, method: Option<String>, reference: Option<String>, note: Option<String>, by_person: Option<Uuid> }
    "SELECT l.id, l.pass_id, l.at, l.credits, l.reason, l.booking_id, l.amount_minor, l.currency, l.method, l.reference, l.note, l.by_person \
     FROM ledger l JOIN passes p ON p.id = l.pass_id WHERE p.studio_id = $1 AND l.id > $2 ORDER BY l.id LIMIT $3";
    Penalties "What late cancellations and absences came to."
    { id: Uuid, person_id: Uuid, booking_id: Uuid, kind: String, at: DateTime<Utc>, strike: bool, fee_minor: Option<i64>, fee_currency: Option<String>, forgiven: Option<String>, waived_at: Option<DateTime<Utc>>, paid_at: Option<DateTime<Utc>> }
    "SELECT id, person_id, booking_id, kind, at, strike, fee_minor, fee_currency, forgiven, waived_at, paid_at FROM penalties \
     WHERE studio_id = $1 AND id > $2 ORDER BY id LIMIT $3";
}
