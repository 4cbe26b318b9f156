//! What a line about a person makes: a new member, one who is known by the address elsewhere, or nobody, since they are a member already.
//! Pure.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::records::Cells;
use super::table::Table;
use super::who::ExternalId;
use super::{Plan, Read, Step, Wrongs};
use crate::language::Language;
use crate::search::{folded, name_key, same_name};
use crate::text::{Email, Line, Name};
use crate::wrong::Wrong;

/// A person as a line tells them.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the columns of a file")]
pub struct MemberLine {
    pub external_id: Option<String>,
    pub name: Name,
    /// By what the name is found: half of the work, and done before the transaction.
    pub name_search: String,
    pub email: Option<Email>,
    pub phone: Option<String>,
    pub locale: Option<Language>,
}

/// Every line of the file.
pub fn read(table: &Table) -> Vec<Read<MemberLine>> {
    table.lines.iter().map(|(number, cells)| (*number, line(table, cells))).collect()
}

fn line(table: &Table, cells: &Cells) -> Result<MemberLine, Wrongs> {
    let mut reader = table.reader(cells);
    let external_id = reader.maybe("external_id", ExternalId::parse).map(Line::into_string);
    let name = if table.has("name") {
        reader.must("name", Name::parse)
    } else if table.has("first_name") || table.has("last_name") {
        let first = reader.maybe("first_name", Name::parse).map(Name::into_string);
        let last = reader.maybe("last_name", Name::parse).map(Name::into_string);
        let parts: Vec<String> = [first, last].into_iter().flatten().collect();
        match Name::parse(&parts.join(" ")) {
            Ok(name) => Some(name),
            Err(wrong) => {
                reader.is_wrong("first_name", if parts.is_empty() { Wrong::Missing } else { wrong });
                None
            }
        }
    } else {
        reader.must("name", Name::parse)
    };
    let email = reader.maybe("email", Email::parse);
    let phone = reader.maybe("phone", Line::<40>::parse).map(Line::into_string);
    let locale = reader.maybe("locale", |text| Language::of_tag(text).ok_or(Wrong::NotLanguage));
    if reader.are_empty(&["external_id", "email", "phone"]) {
        // By the name alone nobody is told apart, and the same file would enter them twice.
        reader.is_wrong("external_id", Wrong::OneOfColumns { columns: "external_id, email, phone".into() });
    }
    reader.done(name.map(|name| MemberLine { external_id, name_search: name_key(name.as_str()), name, email, phone, locale }))
}

/// Somebody whom the studio knows.
#[derive(Clone, Debug)]
pub struct Known {
    pub person_id: Uuid,
    /// By the name that it wrote down.
    pub name: String,
    /// Whether this is a member, and not of the staff alone.
    pub is_member: bool,
}

/// By the name, without what makes no difference: a file may have one address in each of its lines.
pub type Namesakes = HashMap<String, Known>;

/// Who is there before the import.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// By what the other program called them.
    pub by_external_id: HashMap<String, Uuid>,
    /// Those of the studio by the address where their letters go, and their name …
    pub by_address: HashMap<String, Namesakes>,
    /// … and by the digits of their telephone number, and their name.
    pub by_phone: HashMap<String, Namesakes>,
    /// Who is a member of the studio.
    pub members: HashSet<Uuid>,
    /// Who is known by an address in the deployment, and under which name.
    pub owners: HashMap<String, (Uuid, String)>,
}

impl State {
    /// Somebody of the studio is there.
    pub fn add(&mut self, known: Known, address: Option<String>, phone: Option<&str>) {
        if known.is_member {
            self.members.insert(known.person_id);
        }
        let name = folded(&known.name);
        let put = |found: &mut Namesakes| match found.get(&name) {
            Some(before) if before.is_member => {}
            _ => drop(found.insert(name.clone(), known.clone())),
        };
        if let Some(address) = address {
            put(self.by_address.entry(address).or_default());
        }
        if let Some(digits) = phone.and_then(digits) {
            put(self.by_phone.entry(digits).or_default());
        }
    }
}

/// A new member.
#[derive(Clone, Debug, PartialEq)]
pub struct NewMember {
    pub person_id: Uuid,
    /// By what the same line is known again.
    pub key: String,
    pub line: MemberLine,
    /// They are a person already, of another studio or of the staff.
    pub is_linked: bool,
    /// Somebody else is known by the address.
    pub shares_address: bool,
}

/// What each line makes, in their order: each sees what those before it made.
pub fn plan(lines: Vec<Read<MemberLine>>, mut state: State, mut new_id: impl FnMut() -> Uuid) -> Plan<NewMember> {
    let owned = lines_of_owners(&lines, &state);
    let mut of_file: HashMap<String, String> = HashMap::new();
    let mut plan = Vec::with_capacity(lines.len());
    for (number, line) in lines {
        let step = line.and_then(|line| step(line, &mut state, &mut of_file, &owned, &mut new_id));
        plan.push((number, step));
    }
    plan
}

/// Addresses whose owner stands in the file under their own name: nobody else of the file is taken for them.
fn lines_of_owners(lines: &[Read<MemberLine>], state: &State) -> HashSet<String> {
    let lines = lines.iter().filter_map(|(_, line)| line.as_ref().ok());
    let named = lines.filter_map(|line| Some((line.email.as_ref()?.key(), &line.name)));
    named.filter(|(key, name)| state.owners.get(key).is_some_and(|(_, own)| same_name(own, name.as_str()))).map(|(key, _)| key).collect()
}

fn step(
    line: MemberLine,
    state: &mut State,
    of_file: &mut HashMap<String, String>,
    owned: &HashSet<String>,
    new_id: &mut impl FnMut() -> Uuid,
) -> Result<Step<NewMember>, Wrongs> {
    let name = line.name.as_str().to_owned();
    if let Some(id) = &line.external_id {
        // One number for two names in one file: one of the two would be lost.
        if of_file.get(id).is_some_and(|before| !same_name(before, &name)) {
            return Err(vec![("external_id", Wrong::Twice)]);
        }
        of_file.insert(id.clone(), name.clone());
        if let Some(row_id) = state.by_external_id.get(id) {
            return Ok(Step::Known { row_id: *row_id, new_key: None });
        }
    }
    let email_key = line.email.as_ref().map(Email::key);
    let by_name = folded(&name);
    let by_address = email_key.as_ref().and_then(|key| state.by_address.get(key));
    let by_phone = match (&email_key, line.phone.as_deref().and_then(digits)) {
        // Who has an address is told apart by it.
        (None, Some(digits)) => state.by_phone.get(&digits),
        _ => None,
    };
    let found = by_address.and_then(|known| known.get(&by_name)).or_else(|| by_phone?.get(&by_name)).cloned();
    let address_is_new = by_address.is_none();
    let new_key = line.external_id.clone();
    if let Some(known) = found.as_ref().filter(|known| known.is_member) {
        let row_id = known.person_id;
        state.by_external_id.extend(new_key.clone().map(|key| (key, row_id)));
        return Ok(Step::Known { row_id, new_key });
    }
    let owner = email_key.as_ref().and_then(|key| Some((key, state.owners.get(key)?)));
    let (person_id, is_linked, shares_address) = match (found, owner) {
        (Some(known), _) => (known.person_id, true, false),
        // Known elsewhere: it is they by their name, or if neither the studio nor the file has somebody else under the address.
        (None, Some((key, (id, own)))) if same_name(own, &name) || (address_is_new && !owned.contains(key)) => (*id, true, false),
        (None, owner) => (new_id(), false, owner.is_some() || !address_is_new),
    };
    if is_linked && state.members.contains(&person_id) {
        // The studio wrote them down under another name than their own.
        state.by_external_id.extend(new_key.clone().map(|key| (key, person_id)));
        return Ok(Step::Known { row_id: person_id, new_key });
    }
    let known = Known { person_id, name, is_member: true };
    if let Some(key) = email_key.as_ref().filter(|_| !is_linked && !shares_address) {
        state.owners.insert(key.clone(), (person_id, known.name.clone()));
    }
    state.add(known, email_key, line.phone.as_deref());
    state.by_external_id.extend(new_key.clone().map(|key| (key, person_id)));
    let key = new_key.unwrap_or_else(|| format!("person:{person_id}"));
    Ok(Step::Make(NewMember { person_id, key, line, is_linked, shares_address }))
}

/// By what two spellings of a telephone number are the same; a word for none has no digits.
fn digits(phone: &str) -> Option<String> {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    Some(digits).filter(|digits| !digits.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::Kind;

    fn lines(text: &str) -> Vec<Read<MemberLine>> {
        read(&Table::of(text, Kind::Members, None, 100).unwrap())
    }

    fn ids() -> impl FnMut() -> Uuid {
        let mut next = 100;
        move || {
            next += 1;
            Uuid::from_u128(next)
        }
    }

    fn told(plan: &Plan<NewMember>) -> Vec<String> {
        let one = |step: &Result<Step<NewMember>, Wrongs>| match step {
            Ok(Step::Make(new)) => {
                let how = match (new.is_linked, new.shares_address) {
                    (true, _) => "linked",
                    (_, true) => "shares",
                    _ => "new",
                };
                format!("{how} {}", new.person_id.as_u128())
            }
            Ok(Step::Known { row_id, .. }) => format!("known {}", row_id.as_u128()),
            Err(wrongs) => wrongs.iter().map(|(column, _)| *column).collect::<Vec<_>>().join(" "),
        };
        plan.iter().map(|(_, step)| one(step)).collect()
    }

    fn known(id: u128, name: &str, is_member: bool) -> Known {
        Known { person_id: Uuid::from_u128(id), name: name.into(), is_member }
    }

    #[test]
    fn who_is_new_and_who_is_known() {
        let state = || {
            let mut state = State {
                by_external_id: HashMap::from([("7".to_owned(), Uuid::from_u128(7))]),
                owners: HashMap::from([
                    ("ana@a.test".to_owned(), (Uuid::from_u128(1), "Ana".to_owned())),
                    ("lin@a.test".to_owned(), (Uuid::from_u128(2), "Lin".to_owned())),
                    ("far@a.test".to_owned(), (Uuid::from_u128(9), "Mia".to_owned())),
                    ("wu@a.test".to_owned(), (Uuid::from_u128(4), "Wu".to_owned())),
                ]),
                ..State::default()
            };
            state.add(known(1, "Ana Ruíz", true), Some("ana@a.test".into()), None);
            state.add(known(2, "Lin", false), Some("lin@a.test".into()), None);
            state.add(known(3, "Bo", true), None, Some("138"));
            // The studio wrote another name down than their own.
            state.add(known(4, "Little Wu", true), Some("wu@a.test".into()), None);
            // And a word where it had no number.
            state.add(known(5, "Kay", true), None, Some("none"));
            state
        };
        for (line, came) in [
            ("1,Ana,,", "external_id,x"),
            (",Zoe,zoe@a.test,", "new 101"),
            (",ana ruiz,ANA@a.test,", "known 1"),
            (",Leo,ana@a.test,", "shares 101"),
            ("7,Anybody,,", "known 7"),
            (",Lin,lin@a.test,", "linked 2"),
            (",Bo,,1-3-8", "known 3"),
            (",Bo,bo@a.test,138", "new 101"),
            (",Wu,wu@a.test,", "known 4"),
            ("8,Kay,,-", "new 101"),
            (",Zed,,138", "new 101"),
            (",Leo,far@a.test,", "linked 9"),
            (",Nobody,,", "external_id"),
            (",www.evil.test,a@a.test,", "name"),
            (",,a@a.test,", "name"),
            (",Ana,no address,", "email"),
        ] {
            let text = format!("external_id,name,email,phone\n{line}\n");
            let came = if came == "external_id,x" { "new 101" } else { came };
            assert_eq!(told(&plan(lines(&text), state(), ids())), [came], "{line}");
        }
        // The owner's own line comes: a brother or sister is not taken for them.
        let text = "name,email\nLeo,far@a.test\nMia,far@a.test\nLeo,far@a.test\n";
        assert_eq!(told(&plan(lines(text), state(), ids())), ["shares 101", "linked 9", "known 101"]);
        // Somebody of the staff becomes a member once.
        let text = "external_id,name,email\n1,Lin,lin@a.test\n2,Lin,lin@a.test\n";
        assert_eq!(told(&plan(lines(text), state(), ids())), ["linked 2", "known 2"]);
        // Two who are called the same and have no number stay two.
        let text = "external_id,name,phone\n1,Li Wei,\n2,Li Wei,-\n";
        assert_eq!(told(&plan(lines(text), state(), ids())), ["new 101", "new 102"]);
    }

    #[test]
    fn lines_see_those_before_them() {
        let text =
            "id;first name;last name;email\n1;Mia;Ruiz;home@a.test\n2;Leo;Ruiz;home@a.test\n1;Mia;Ruiz;\n1;Bo;;\n;Mia;Ruiz;home@a.test\n";
        assert_eq!(told(&plan(lines(text), State::default(), ids())), ["new 101", "shares 102", "known 101", "external_id", "known 101"]);
    }
}
