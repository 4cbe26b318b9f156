//! The people that a batch knows: who they are, what they may do, and of which studios they are members.

use crate::people::Person;
use crate::people::roles::Role;
use crate::sign_in::store::Invitation;
use crate::working_set::known::Known;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

/// The people of a batch.
#[derive(Debug, Default)]
pub struct People {
    pub rows: HashMap<Uuid, Arc<Person>>,
    /// Who was looked up.
    pub known: Known<Uuid>,
    pub members: HashSet<(Uuid, Uuid)>,
    pub new_members: Vec<(Uuid, Uuid, DateTime<Utc>)>,
    /// Members who came to the studio by themselves: (studio, person).
    pub given: HashSet<(Uuid, Uuid)>,
    pub newly_given: Vec<(Uuid, Uuid, DateTime<Utc>)>,
    /// People without a name who are to be written: visitors.
    pub nameless: Vec<(Uuid, DateTime<Utc>)>,
    /// Who acts for whom: (person, holder).
    pub family: BTreeSet<(Uuid, Uuid)>,
    /// The same in both directions.
    pub relatives: BTreeSet<(Uuid, Uuid)>,
    pub known_families: Known<Uuid>,
    /// Of these, who gets copies of the letters about what they book: (person, holder).
    pub copied: BTreeSet<(Uuid, Uuid)>,
    /// Who runs each studio, as of the batch's beginning.
    pub admins: HashMap<Uuid, Vec<Uuid>>,
    pub known_admins: Known<Uuid>,
    /// Roles to be held from now on: (studio, person).
    pub new_roles: BTreeMap<(Uuid, Uuid), BTreeSet<Role>>,
    /// Invitations to a studio's staff that were looked up.
    pub invitations: HashMap<Uuid, Arc<Invitation>>,
    pub known_invitations: Known<Uuid>,
    /// Invitations that are accepted: which, by whom, when.
    pub accepted: Vec<(Uuid, Uuid, DateTime<Utc>)>,
    /// People whose names are to be erased.
    pub removed: Vec<Uuid>,
    /// Who becomes whom, and which of their bookings give way to which.
    pub merged: Vec<Merge>,
}

/// Who becomes whom, and which of their bookings give way to which.
pub type Merge = (Uuid, Uuid, Vec<(Uuid, Uuid)>);

/// How a change to people is undone.
#[derive(Debug)]
pub enum Undo {
    /// Somebody became a member of a studio.
    Member(Uuid, Uuid),
    /// A member whom the studio had entered came by themselves.
    Given(Uuid, Uuid),
    /// Somebody's roles in a studio were set: who they were, and what was to be written.
    Roles(Uuid, Arc<Person>, Option<BTreeSet<Role>>),
    /// An invitation was accepted: what it was before.
    Accepted(Arc<Invitation>),
    /// Somebody's name is to be erased.
    Removed,
    /// Somebody becomes somebody else.
    Merged,
    /// A visitor came into being.
    Nameless(Uuid),
}

impl People {
    pub fn know_everything(&mut self) {
        self.known = Known::All;
        self.known_families = Known::All;
        self.known_admins = Known::All;
        self.known_invitations = Known::All;
    }
}
