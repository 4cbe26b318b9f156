//! What says something of a person, column by column: where it stands, whose it is, what becomes of it when they are deleted, and where
//! their export tells it. Deletion is carried out by this list; a test fills every column of it, deletes, and looks for what it wrote in
//! every table, and another refuses a column of the schema that stands neither here nor among those that say nothing of anybody.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::{Error, Tx};
use crate::text::address_key;

/// Rows that say something of a person.
#[derive(Clone, Copy, Debug)]
pub struct Personal {
    pub table: &'static str,
    /// Whose row it is: a condition in which `$1` is the person, and `$2`, if it stands there, the time.
    pub whose: &'static str,
    /// What becomes of them.
    pub rows: Rows,
    /// What in them says something.
    pub columns: &'static [Column],
}

/// What becomes of rows when their person is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// They go.
    Go,
    /// They stay, as counts or for the books, and their columns are cleared. What else must change with those is said besides.
    Stay(&'static str),
}

/// A column that says something of a person.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub name: &'static str,
    /// What is left where the row stays.
    pub left: Left,
    /// Where an export tells it.
    pub told: Told,
}

/// What is left of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// NULL.
    Nothing,
    /// A text without a character.
    Empty,
}

/// Whether a person's export tells a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Under this name of the export.
    Under(&'static str),
    /// It does not, and why.
    Not(&'static str),
}

const fn told(name: &'static str, under: &'static str) -> Column {
    Column { name, left: Left::Nothing, told: Told::Under(under) }
}

const fn untold(name: &'static str, why: &'static str) -> Column {
    Column { name, left: Left::Nothing, told: Told::Not(why) }
}

const fn emptied(column: Column) -> Column {
    Column { left: Left::Empty, ..column }
}

const STAYS: Rows = Rows::Stay("");

const SECRET: &str = "a secret or its hash: it would let somebody in";
const KEY: &str = "made by the program of what is told";
const TEAM: &str = "the studio's words to its team or to all who were there, which may speak of others";
const TECHNICAL_OF_FACTOR: &str = "what only the person's own authenticator can use";
const TECHNICAL: &str = "what an app sent so that a call may be repeated";

/// In the order in which they are erased: what is found by an address goes before the address.
pub const REGISTRY: &[Personal] = &[
    Personal {
        table: "codes",
        whose: "person_id = $1",
        rows: Rows::Go,
        columns: &[told("email", "profile"), untold("email_key", KEY), untold("code_hash", SECRET)],
    },
    Personal {
        table: "codes",
        whose: "person_id IS NULL AND email_key IN (SELECT email_key FROM accounts WHERE person_id = $1 \
                UNION SELECT email_key FROM persons WHERE id = $1 AND email_key IS NOT NULL)",
        rows: Rows::Go,
        columns: &[untold("email", "asked for by somebody who did not sign in"), untold("email_key", KEY), untold("code_hash", SECRET)],
    },
    Personal {
        table: "invitations",
        whose: "accepted_by = $1 OR email_key IN (SELECT email_key FROM accounts WHERE person_id = $1 \
                UNION SELECT email_key FROM persons WHERE id = $1 AND email_key IS NOT NULL)",
        rows: Rows::Go,
        columns: &[told("email", "invitations"), untold("email_key", KEY), told("roles", "invitations"), untold("code_hash", SECRET)],
    },
    Personal {
        table: "letters",
        whose: "person_id = $1",
        // What was not sent will not be; one that is on its way at this instant loses its lease, so that nothing is written back.
        rows: Rows::Stay(
            "lease = NULL, leased_until = NULL, due_at = NULL, \
             state = CASE WHEN state IN ('queued', 'sending', 'retrying') THEN 'obsolete' ELSE state END",
        ),
        columns: &[
            told("to_email", "letters"),
            untold("facts", "what its words were made of"),
            told("subject", "letters"),
            told("body_text", "letters"),
            untold("body_html", "the same as its text"),
            untold("error", "what the mail server said, without addresses"),
            untold("sealed_code", SECRET),
        ],
    },
    // What went to their guests. One that has yet to leave does, since nobody else tells the guest that the class is not theirs any more.
    Personal {
        table: "letters",
        whose: "person_id IS NULL AND due_at IS NULL AND lease IS NULL AND booking_id IN (SELECT id FROM bookings WHERE person_id = $1)",
        rows: STAYS,
        columns: &[
            untold("to_email", "the guest's, told with the booking"),
            untold("facts", "what its words were made of"),
            untold("subject", "written to the guest"),
            untold("body_text", "written to the guest"),
            untold("body_html", "written to the guest"),
            untold("error", "what the mail server said, without addresses"),
        ],
    },
    Personal {
        table: "bookings",
        whose: "person_id = $1",
        rows: STAYS,
        columns: &[
            told("ended_reason", "bookings"),
            told("unpaid_reason", "bookings"),
            told("moved_up_reason", "bookings"),
            told("guest_name", "bookings"),
            told("guest_email", "bookings"),
            untold("visitor_phone", "a visitor's, who has no account"),
        ],
    },
    // Sessions to come are still the studio's to run: their notes go when the next person leaves who was there.
    Personal {
        table: "sessions",
        whose: "instructor_id = $1 AND (ends_at <= $2 OR status = 'cancelled')",
        rows: STAYS,
        columns: &[untold("cancel_note", TEAM), untold("team_note", TEAM), untold("member_note", TEAM)],
    },
    Personal {
        table: "sessions",
        whose: "id IN (SELECT session_id FROM bookings WHERE person_id = $1) AND (ends_at <= $2 OR status = 'cancelled')",
        rows: STAYS,
        columns: &[untold("cancel_note", TEAM), untold("team_note", TEAM), untold("member_note", TEAM)],
    },
    Personal {
        table: "holds",
        whose: "session_id IN (SELECT session_id FROM bookings WHERE person_id = $1) \
                AND session_id IN (SELECT id FROM sessions WHERE ends_at <= $2 OR status = 'cancelled')",
        rows: STAYS,
        columns: &[untold("note", TEAM)],
    },
    Personal { table: "holds", whose: "made_by = $1 AND ended_at IS NOT NULL", rows: STAYS, columns: &[untold("note", TEAM)] },
    Personal { table: "substitute_requests", whose: "asked_by = $1", rows: STAYS, columns: &[told("note", "substitute_requests")] },
    Personal {
        table: "ledger",
        whose: "pass_id IN (SELECT id FROM passes WHERE person_id = $1)",
        rows: STAYS,
        columns: &[told("method", "passes"), told("reference", "passes"), told("note", "passes")],
    },
    Personal {
        table: "penalties",
        whose: "person_id = $1",
        rows: STAYS,
        columns: &[told("waived_reason", "penalties"), told("paid_method", "penalties"), told("paid_reference", "penalties")],
    },
    Personal {
        table: "idempotency_keys",
        whose: "person_id = $1",
        rows: Rows::Go,
        columns: &[untold("key", TECHNICAL), untold("body_hash", TECHNICAL)],
    },
    Personal {
        table: "idempotency_keys",
        whose: "result_id IN (SELECT id FROM passes WHERE person_id = $1)",
        rows: Rows::Go,
        columns: &[untold("key", TECHNICAL), untold("body_hash", TECHNICAL)],
    },
    Personal { table: "withdrawn_bookings", whose: "person_id = $1", rows: Rows::Go, columns: &[untold("booking_id", TECHNICAL)] },
    Personal { table: "calendar_feeds", whose: "person_id = $1", rows: Rows::Go, columns: &[untold("secret_hash", SECRET)] },
    Personal {
        table: "family_links",
        whose: "holder_id = $1 OR person_id = $1 OR email_key IN (SELECT email_key FROM accounts WHERE person_id = $1 \
                UNION SELECT email_key FROM persons WHERE id = $1 AND email_key IS NOT NULL)",
        rows: Rows::Go,
        columns: &[told("email", "family"), untold("email_key", KEY), told("kind", "family")],
    },
    // Lines of a file that a studio of theirs brought over: they may stand in one.
    Personal {
        table: "imports",
        whose: "by_person = $1 OR studio_id IN (SELECT studio_id FROM members WHERE person_id = $1)",
        rows: STAYS,
        columns: &[untold("skipped_lines", "lines of a studio's file, which speak of others; kept for a week")],
    },
    // A file that they sent and have not imported yet.
    Personal {
        table: "import_files",
        whose: "person_id = $1",
        rows: Rows::Go,
        columns: &[untold("name", TECHNICAL), untold("file", "a studio's file, which speaks of others; kept for a day")],
    },
    Personal {
        table: "brought_over",
        whose: "row_id = $1 OR row_id IN (SELECT id FROM passes WHERE person_id = $1) OR row_id IN (SELECT id FROM bookings WHERE person_id = $1)",
        rows: Rows::Go,
        columns: &[untold("key", "a number that another program had given")],
    },
    Personal { table: "teaches", whose: "person_id = $1", rows: Rows::Go, columns: &[told("class_type_id", "availability")] },
    Personal {
        table: "availability",
        whose: "person_id = $1",
        rows: Rows::Go,
        columns: &[told("weekly", "availability"), told("exceptions", "availability")],
    },
    Personal { table: "staff", whose: "person_id = $1", rows: Rows::Go, columns: &[told("role", "roles")] },
    Personal {
        table: "members",
        whose: "person_id = $1",
        rows: STAYS,
        columns: &[
            emptied(told("name", "memberships")),
            emptied(untold("name_search", KEY)),
            told("phone", "memberships"),
            told("note", "memberships"),
        ],
    },
    Personal {
        table: "security_events",
        whose: "person_id = $1",
        rows: STAYS,
        columns: &[untold("network", KEY), untold("address", KEY), untold("device_id", KEY), told("request_id", "security_events")],
    },
    Personal {
        table: "second_factors",
        whose: "person_id = $1",
        rows: Rows::Go,
        columns: &[
            told("name", "second_factors"),
            untold("sealed_secret", SECRET),
            untold("credential_id", TECHNICAL_OF_FACTOR),
            untold("passkey", TECHNICAL_OF_FACTOR),
            untold("asked", TECHNICAL_OF_FACTOR),
        ],
    },
    Personal { table: "recovery_codes", whose: "person_id = $1", rows: Rows::Go, columns: &[untold("code_hash", SECRET)] },
    Personal {
        table: "devices",
        whose: "person_id = $1",
        rows: Rows::Go,
        columns: &[
            told("name", "devices"),
            untold("family_hash", SECRET),
            untold("current_hash", SECRET),
            untold("previous_hash", SECRET),
            untold("passkey_asked", TECHNICAL_OF_FACTOR),
        ],
    },
    Personal {
        table: "accounts",
        whose: "person_id = $1",
        rows: Rows::Go,
        columns: &[
            told("email", "profile"),
            untold("email_key", KEY),
            untold("password_hash", SECRET),
            untold("registration_hash", SECRET),
            told("policy_version", "profile"),
        ],
    },
    Personal {
        table: "persons",
        whose: "id = $1",
        rows: Rows::Stay(
            "verified_at = NULL, is_owner = FALSE, deletion_asked_at = NULL, deletion_due_at = NULL, wants_reminder_24h = TRUE, \
             wants_reminder_2h = FALSE, wants_passes_ending = TRUE, wants_places_free = TRUE, quiet_hours = NULL, longer_offers = FALSE",
        ),
        columns: &[
            emptied(told("name", "profile")),
            told("email", "profile"),
            untold("email_key", KEY),
            untold("contact_key", KEY),
            told("phone", "profile"),
            told("locale", "profile"),
        ],
    },
];

impl Personal {
    /// The statement that erases these rows or what stands in them.
    fn statement(&self) -> String {
        let Self { table, whose, rows, columns } = self;
        match rows {
            Rows::Go => format!("DELETE FROM {table} WHERE {whose}"),
            Rows::Stay(besides) => {
                let mut set: Vec<String> = columns.iter().map(|column| format!("{} = {}", column.name, column.left.sql())).collect();
                set.extend((!besides.is_empty()).then(|| (*besides).to_owned()));
                // Rows that say nothing already are not written.
                let says = columns.iter().map(|column| format!("{} {}", column.name, column.left.says())).collect::<Vec<_>>().join(" OR ");
                let says = if besides.is_empty() { format!(" AND ({says})") } else { String::new() };
                format!("UPDATE {table} SET {} WHERE ({whose}){says}", set.join(", "))
            }
        }
    }
}

impl Left {
    const fn sql(self) -> &'static str {
        match self {
            Self::Nothing => "NULL",
            Self::Empty => "''",
        }
    }

    const fn says(self) -> &'static str {
        match self {
            Self::Nothing => "IS NOT NULL",
            Self::Empty => "<> ''",
        }
    }
}

/// The statements, made once.
static STATEMENTS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| REGISTRY.iter().map(|one| &*Box::leak(one.statement().into_boxed_str())).collect());

/// Erases everything that says who a person is. What was booked, paid and counted stays under their id.
pub async fn erase(tx: &mut Tx, person_id: Uuid, now: DateTime<Utc>) -> Result<(), Error> {
    forget_letters_of_nobody(tx, person_id).await?;
    for statement in STATEMENTS.iter().copied() {
        if statement.contains("$2") {
            tx.run(statement, (person_id, now)).await?;
        } else {
            tx.run(statement, (person_id,)).await?;
        }
    }
    Ok(())
}

/// Letters that went to one of the person's addresses before it was anybody's: invitations. By the address itself, as its keys are compared
/// by the program.
async fn forget_letters_of_nobody(tx: &mut Tx, person_id: Uuid) -> Result<(), Error> {
    let sql =
        "SELECT email_key FROM accounts WHERE person_id = $1 UNION SELECT email_key FROM persons WHERE id = $1 AND email_key IS NOT NULL";
    let keys: Vec<(String,)> = tx.all(sql, (person_id,)).await?;
    if keys.is_empty() {
        return Ok(());
    }
    let sql = "SELECT id, to_email FROM letters WHERE person_id IS NULL AND to_email IS NOT NULL";
    let letters: Vec<(Uuid, String)> = tx.all(sql, ()).await?;
    let theirs = letters.into_iter().filter(|(_, to)| {
        let key = address_key(to);
        keys.iter().any(|(known,)| *known == key)
    });
    let theirs = theirs.map(|(id, _)| (id, person_id)).collect();
    // They are the person's from here on, and go with the others.
    tx.rows("WITH x(id, person_id) AS (VALUES #) UPDATE letters SET person_id = x.person_id FROM x WHERE letters.id = x.id", theirs)
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_is_cleared_and_what_goes_goes() {
        let of = |table: &str| REGISTRY.iter().find(|one| one.table == table).unwrap().statement();
        assert_eq!(of("staff"), "DELETE FROM staff WHERE person_id = $1");
        assert_eq!(
            of("members"),
            "UPDATE members SET name = '', name_search = '', phone = NULL, note = NULL \
             WHERE (person_id = $1) AND (name <> '' OR name_search <> '' OR phone IS NOT NULL OR note IS NOT NULL)"
        );
        assert!(of("persons").ends_with("longer_offers = FALSE WHERE (id = $1)"), "{}", of("persons"));
    }
}
