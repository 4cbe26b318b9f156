//! Which member a line means. Pure.

use std::collections::HashMap;

use uuid::Uuid;

use super::table::Reader;
use crate::search::same_name;
use crate::text::{Email, Line, Name};
use crate::wrong::Wrong;

/// The longest name by which another program calls a row.
pub type ExternalId = Line<100>;

/// Whom a line names: by what the other program called them, by their address, and by their name where several share it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the columns of a file")]
pub struct Who {
    pub external_id: Option<String>,
    pub email_key: Option<String>,
    pub name: Option<String>,
}

impl Who {
    /// As the line says.
    pub fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let external_id = reader.maybe("member_external_id", ExternalId::parse).map(Line::into_string);
        let email_key = reader.maybe("email", Email::parse).map(|email| email.key());
        let name = reader.maybe("member_name", Name::parse).map(Name::into_string);
        if reader.are_empty(&["member_external_id", "email"]) {
            reader.is_wrong("member_external_id", Wrong::OneOfColumns { columns: "member_external_id, email".into() });
        }
        Some(Self { external_id, email_key, name })
    }
}

/// An address that more members than these share stands for no address at all: it tells nobody apart, and no line is compared with thousands.
const SHARERS_MAX: usize = 50;

/// The members of the studio, to be found.
#[derive(Clone, Debug, Default)]
pub struct Members {
    /// By what another program called them.
    pub by_external_id: HashMap<String, Uuid>,
    /// By the address where their letters go: each with the name that the studio wrote down.
    pub by_address: HashMap<String, Vec<(Uuid, String)>>,
}

impl Members {
    /// The one member who is meant.
    pub fn find(&self, who: &Who) -> Result<Uuid, (&'static str, Wrong)> {
        if let Some(found) = who.external_id.as_ref().and_then(|id| self.by_external_id.get(id)) {
            return Ok(*found);
        }
        let Some(email_key) = &who.email_key else { return Err(("member_external_id", Wrong::NotMember)) };
        let users = self.by_address.get(email_key).map(Vec::as_slice).unwrap_or_default();
        if users.len() > SHARERS_MAX {
            return Err(("member_external_id", Wrong::SeveralMembers));
        }
        let named: Vec<&(Uuid, String)> =
            users.iter().filter(|(_, name)| who.name.as_ref().is_none_or(|said| same_name(name, said))).collect();
        match (&named[..], users) {
            ([(one, _)], _) => Ok(*one),
            // By another spelling of the name, and nobody else can be meant.
            ([], [(one, _)]) => Ok(*one),
            ([], _) => Err(("email", Wrong::NotMember)),
            _ => Err(("member_name", Wrong::SeveralMembers)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_member_is_meant_or_none() {
        let [ana, mia, leo] = [1, 2, 3].map(Uuid::from_u128);
        let members = Members {
            by_external_id: HashMap::from([("17".to_owned(), ana)]),
            by_address: HashMap::from([
                ("ana@a.test".to_owned(), vec![(ana, "Ana Ruíz".to_owned())]),
                ("home@a.test".to_owned(), vec![(mia, "Mia".to_owned()), (leo, "Leo".to_owned())]),
                ("none@a.test".to_owned(), (0..=50).map(|n| (Uuid::from_u128(100 + n), format!("Member {n}"))).collect()),
            ]),
        };
        for (external_id, email, name, found) in [
            (Some("17"), None, None, Ok(ana)),
            (Some("17"), Some("home@a.test"), None, Ok(ana)),
            (Some("18"), Some("ana@a.test"), None, Ok(ana)),
            (Some("18"), None, None, Err(("member_external_id", Wrong::NotMember))),
            (None, Some("ana@a.test"), Some("ana ruiz"), Ok(ana)),
            (None, Some("ana@a.test"), Some("A. R."), Ok(ana)),
            (None, Some("home@a.test"), Some("Leo"), Ok(leo)),
            (None, Some("home@a.test"), None, Err(("member_name", Wrong::SeveralMembers))),
            (None, Some("home@a.test"), Some("Bo"), Err(("email", Wrong::NotMember))),
            (None, Some("bo@a.test"), None, Err(("email", Wrong::NotMember))),
            (None, Some("none@a.test"), Some("Member 7"), Err(("member_external_id", Wrong::SeveralMembers))),
            (Some("17"), Some("none@a.test"), Some("Member 7"), Ok(ana)),
        ] {
            let who =
                Who { external_id: external_id.map(str::to_owned), email_key: email.map(str::to_owned), name: name.map(str::to_owned) };
            assert_eq!(members.find(&who), found, "{who:?}");
        }
    }
}
