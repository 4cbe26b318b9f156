//! The people, looked up and changed: who they are, what they may do, and of which studios they are members.

use super::rows::people::Undo;
use super::{Abort, Change, Decision, Lookup, WorkingSet, all, not_found};
use crate::db::{Error, Tx};
use crate::families;
use crate::people::roles::Role;
use crate::people::{self, Person};
use crate::sign_in;
use crate::sign_in::store::Invitation;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

impl WorkingSet {
    /// A person and their roles, without their passes and bookings. Of somebody who asks without the second factor that they must have:
    /// without what only admins and owners hold.
    pub fn identity(&self, id: Uuid) -> Decision<Arc<Person>> {
        match self.people.rows.get(&id) {
            Some(person) if self.factor_missing == Some(id) => {
                Ok(Arc::new(Person { roles: person.roles.without_admin(), ..Person::clone(person) }))
            }
            Some(person) => Ok(Arc::clone(person)),
            None => Err(Lookup::Identity(id).missing(self.people.known.has(&id))),
        }
    }

    /// The same, if they have not left.
    pub fn identity_if_any(&self, id: Uuid) -> Decision<Option<Arc<Person>>> {
        match self.identity(id) {
            Err(Abort::Refused(_)) => Ok(None),
            other => other.map(Some),
        }
    }

    /// A person, their passes and their bookings from now on.
    pub fn person(&self, id: Uuid) -> Decision<Arc<Person>> {
        match self.people.rows.get(&id) {
            Some(_) if self.knows_ahead(id) => self.identity(id),
            None if self.people.known.has(&id) => Err(not_found()),
            _ => Err(Abort::Needs(vec![Lookup::Person(id)])),
        }
    }

    /// What somebody is called, if they are known here.
    pub fn name_of(&self, id: Uuid) -> String {
        self.people.rows.get(&id).map(|person| person.name.clone()).unwrap_or_default()
    }

    /// Whether somebody who was looked up is a member of a studio.
    pub fn is_member(&self, studio_id: Uuid, person_id: Uuid) -> bool {
        self.people.members.contains(&(studio_id, person_id))
    }

    /// Whether somebody who was looked up is in a studio's list because it entered them, and has not come to it by themselves.
    pub fn was_only_entered(&self, studio_id: Uuid, person_id: Uuid) -> bool {
        self.is_member(studio_id, person_id) && !self.people.given.contains(&(studio_id, person_id))
    }

    /// Whether somebody acts for another: books, cancels and accepts as they would themselves.
    pub fn acts_for(&self, holder: Uuid, person_id: Uuid) -> Decision<bool> {
        match self.people.known_families.has(&holder) {
            true => Ok(self.people.family.contains(&(person_id, holder))),
            false => Err(Abort::Needs(vec![Lookup::Family(holder)])),
        }
    }

    /// Who acts for somebody, and for whom they act; nobody, as long as that was not looked up ([`WorkingSet::person`]).
    pub fn family_of(&self, person_id: Uuid) -> impl Iterator<Item = Uuid> {
        self.people.relatives.range((person_id, Uuid::nil())..=(person_id, Uuid::max())).map(|(_, other)| *other)
    }

    /// Who reads the letters of somebody without an address, if anybody acts for them.
    pub fn reads_for(&self, person_id: Uuid) -> Decision<Option<Arc<Person>>> {
        if !self.people.known_families.has(&person_id) {
            return Err(Abort::Needs(vec![Lookup::Family(person_id)]));
        }
        let holders = self.people.family.range((person_id, Uuid::nil())..=(person_id, Uuid::max()));
        let holders = all(holders.map(|(_, holder)| self.identity_if_any(*holder)))?;
        Ok(holders.into_iter().flatten().find(|holder| holder.has_address))
    }

    /// Who booked for somebody and wants the letters about it too.
    pub fn copied(&self, person_id: Uuid, booked_by: Uuid) -> Decision<Option<Arc<Person>>> {
        if person_id == booked_by {
            return Ok(None);
        }
        if !self.people.known_families.has(&person_id) {
            return Err(Abort::Needs(vec![Lookup::Family(person_id)]));
        }
        let holder = self.people.copied.contains(&(person_id, booked_by)).then(|| self.identity_if_any(booked_by)).transpose()?.flatten();
        Ok(holder.filter(|holder| holder.has_address))
    }

    /// Who runs a studio: to whom its staff's letters go.
    pub fn admins(&self, studio_id: Uuid) -> Decision<Vec<Arc<Person>>> {
        if !self.people.known_admins.has(&studio_id) {
            return Err(Abort::Needs(vec![Lookup::Admins(studio_id)]));
        }
        let found = self.people.admins.get(&studio_id).into_iter().flatten();
        let made = self.people.new_roles.keys().filter(|(studio, _)| *studio == studio_id).map(|(_, person)| person);
        let ids: BTreeSet<Uuid> = found.chain(made).copied().collect();
        let people = all(ids.into_iter().map(|id| self.identity(id)))?;
        Ok(people.into_iter().filter(|person| person.roles.holds(studio_id, Role::Admin)).collect())
    }

    /// The studios that know somebody who was looked up: as a member, or as one who works there.
    pub fn studios_of(&self, person: &Person) -> BTreeSet<Uuid> {
        let as_member = self.people.members.iter().filter(|(_, of)| *of == person.id).map(|(studio_id, _)| *studio_id);
        as_member.chain(person.roles.studios()).collect()
    }

    /// Somebody comes to a studio by themselves: they are a member of it from now on, if they were none, and what they say of themselves
    /// is given to it.
    pub fn join(&mut self, studio_id: Uuid, person_id: Uuid, now: DateTime<Utc>) {
        if self.people.members.insert((studio_id, person_id)) {
            self.people.given.insert((studio_id, person_id));
            self.people.new_members.push((studio_id, person_id, now));
            self.journal.push(Change::Person(Undo::Member(studio_id, person_id)));
        } else if self.people.given.insert((studio_id, person_id)) {
            self.people.newly_given.push((studio_id, person_id, now));
            self.journal.push(Change::Person(Undo::Given(studio_id, person_id)));
        }
    }

    /// A visitor's person, who was asked for and is nobody yet.
    pub fn put_nameless(&mut self, id: Uuid, now: DateTime<Utc>) {
        self.people.rows.insert(id, Arc::new(Person::nameless(id)));
        self.people.nameless.push((id, now));
        self.journal.push(Change::Person(Undo::Nameless(id)));
    }

    /// Gives a person exactly these roles in a studio.
    pub fn put_roles(&mut self, studio_id: Uuid, person: &Arc<Person>, roles: &BTreeSet<Role>) {
        let mut after = Person::clone(person);
        after.roles.set(studio_id, roles.iter().copied());
        self.people.rows.insert(person.id, Arc::new(after));
        let to_write = self.people.new_roles.insert((studio_id, person.id), roles.clone());
        self.journal.push(Change::Person(Undo::Roles(studio_id, Arc::clone(person), to_write)));
    }

    /// An invitation to a studio's staff, if it was not withdrawn.
    pub fn invitation(&self, id: Uuid) -> Decision<Option<Arc<Invitation>>> {
        match self.people.invitations.get(&id) {
            None if !self.people.known_invitations.has(&id) => Err(Abort::Needs(vec![Lookup::Invitation(id)])),
            found => Ok(found.map(Arc::clone)),
        }
    }

    /// An invitation was accepted by this person.
    pub fn accept_invitation(&mut self, invitation: &Arc<Invitation>, by: Uuid, now: DateTime<Utc>) {
        let after = Invitation { accepted_by: Some(by), accepted_at: Some(now), ..Invitation::clone(invitation) };
        self.people.invitations.insert(invitation.id, Arc::new(after));
        self.people.accepted.push((invitation.id, by, now));
        self.journal.push(Change::Person(Undo::Accepted(Arc::clone(invitation))));
    }

    /// Erases a person's name everywhere, once everything else of the batch is written.
    pub fn remove(&mut self, person_id: Uuid) {
        self.people.removed.push(person_id);
        self.journal.push(Change::Person(Undo::Removed));
    }

    /// Everything that is the one's is the other's, and the one's name goes, once everything else of the batch is written. Of the pairs the
    /// first gave way to the second.
    pub fn merge(&mut self, from: Uuid, into: Uuid, pairs: Vec<(Uuid, Uuid)>) {
        self.people.merged.push((from, into, pairs));
        self.journal.push(Change::Person(Undo::Merged));
    }

    pub(super) fn undo_person(&mut self, undo: Undo) {
        match undo {
            Undo::Member(studio_id, person_id) => {
                self.people.members.remove(&(studio_id, person_id));
                self.people.given.remove(&(studio_id, person_id));
                self.people.new_members.pop();
            }
            Undo::Given(studio_id, person_id) => {
                self.people.given.remove(&(studio_id, person_id));
                self.people.newly_given.pop();
            }
            Undo::Roles(studio_id, person, to_write) => {
                match to_write {
                    Some(roles) => drop(self.people.new_roles.insert((studio_id, person.id), roles)),
                    None => drop(self.people.new_roles.remove(&(studio_id, person.id))),
                }
                self.people.rows.insert(person.id, person);
            }
            Undo::Accepted(invitation) => {
                self.people.accepted.pop();
                self.people.invitations.insert(invitation.id, invitation);
            }
            Undo::Removed => drop(self.people.removed.pop()),
            Undo::Merged => drop(self.people.merged.pop()),
            Undo::Nameless(id) => {
                self.people.nameless.pop();
                self.people.rows.remove(&id);
            }
        }
    }

    pub(super) async fn load_identities(&mut self, tx: &mut Tx, mut ids: Vec<Uuid>) -> Result<(), Error> {
        ids.retain(|id| !self.people.rows.contains_key(id) && !self.people.known.has(id));
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(());
        }
        for person in people::store::among(tx, &ids).await? {
            self.people.rows.insert(person.id, Arc::new(person));
        }
        for (studio_id, person_id, given) in people::store::memberships_of(tx, &ids).await? {
            self.people.members.insert((studio_id, person_id));
            if given {
                self.people.given.insert((studio_id, person_id));
            }
        }
        self.people.known.note(ids);
        Ok(())
    }

    /// People with their passes and bookings.
    pub(super) async fn load_people(&mut self, tx: &mut Tx, mut ids: Vec<Uuid>, now: DateTime<Utc>) -> Result<(), Error> {
        ids.retain(|id| !self.knows_ahead(*id));
        if ids.is_empty() {
            return Ok(());
        }
        self.load_identities(tx, ids.clone()).await?;
        self.load_families(tx, ids.clone()).await?;
        self.load_passes_of(tx, &ids).await?;
        self.load_ahead(tx, &ids, now).await
    }

    pub(super) async fn load_families(&mut self, tx: &mut Tx, mut ids: Vec<Uuid>) -> Result<(), Error> {
        ids.retain(|id| !self.people.known_families.has(id));
        if ids.is_empty() {
            return Ok(());
        }
        let found = families::store::among(tx, &ids).await?;
        self.people.copied.extend(found.iter().filter(|(.., copies)| *copies).map(|(holder, person, _)| (*person, *holder)));
        let both = |(one, other): (Uuid, Uuid)| [(one, other), (other, one)];
        self.people.relatives.extend(found.iter().flat_map(|(holder, person, _)| both((*holder, *person))));
        self.people.family.extend(found.into_iter().map(|(holder, person, _)| (person, holder)));
        self.people.known_families.note(ids);
        Ok(())
    }

    pub(super) async fn load_admins(&mut self, tx: &mut Tx, studio_id: Uuid) -> Result<(), Error> {
        let found = people::store::admins(tx, studio_id).await?;
        self.people.admins.insert(studio_id, found);
        self.people.known_admins.note([studio_id]);
        Ok(())
    }

    pub(super) async fn load_invitations(&mut self, tx: &mut Tx, mut ids: Vec<Uuid>) -> Result<(), Error> {
        ids.retain(|id| !self.people.known_invitations.has(id));
        for invitation in sign_in::store::hold_invitations(tx, &ids).await? {
            self.people.invitations.insert(invitation.id, Arc::new(invitation));
        }
        self.people.known_invitations.note(ids);
        Ok(())
    }

    pub(super) async fn write_members(&mut self, tx: &mut Tx) -> Result<(), Error> {
        people::store::add_nameless(tx, std::mem::take(&mut self.people.nameless)).await?;
        let new = std::mem::take(&mut self.people.new_members);
        let named = new.into_iter().map(|(studio_id, person_id, at)| (studio_id, person_id, self.name_of(person_id), at)).collect();
        people::store::add_members(tx, named).await?;
        people::store::give(tx, std::mem::take(&mut self.people.newly_given)).await.map(drop)
    }

    pub(super) async fn write_roles(&mut self, tx: &mut Tx, now: DateTime<Utc>) -> Result<(), Error> {
        for ((studio_id, person_id), roles) in std::mem::take(&mut self.people.new_roles) {
            people::store::set_roles(tx, now, studio_id, person_id, &roles).await?;
        }
        Ok(())
    }

    pub(super) async fn write_acceptances(&mut self, tx: &mut Tx) -> Result<(), Error> {
        sign_in::store::accept_invitations(tx, std::mem::take(&mut self.people.accepted)).await
    }

    pub(super) async fn write_merges(&mut self, tx: &mut Tx, now: DateTime<Utc>) -> Result<(), Error> {
        for (from, into, pairs) in std::mem::take(&mut self.people.merged) {
            people::store::merging::merge(tx, now, from, into, &pairs).await?;
        }
        Ok(())
    }

    pub(super) async fn write_removals(&mut self, tx: &mut Tx, now: DateTime<Utc>) -> Result<(), Error> {
        for person_id in std::mem::take(&mut self.people.removed) {
            people::store::make_nameless(tx, person_id, now).await?;
        }
        Ok(())
    }
}
