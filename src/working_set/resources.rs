//! What occupies something for a time: a room has one session at a time, and an instructor is in one place.

use super::rows::resources::Resource;
use super::{Abort, Decision, Lookup, WorkingSet};
use crate::db::{Error, Tx};
use crate::schedule::{self, Clash, SESSION_HOURS_MAX, Session};
use chrono::{DateTime, Duration, Utc};
use std::collections::BTreeSet;
use uuid::Uuid;

impl WorkingSet {
    /// Sessions that occupy any of these in that time, without `except`, as earlier commands left them.
    pub fn clashes(&self, resources: &[Resource], from: DateTime<Utc>, until: DateTime<Utc>, except: Option<Uuid>) -> Decision<Vec<Clash>> {
        let unknown = resources.iter().filter(|resource| !self.resources.knows(**resource, from, until));
        let unknown: Vec<Lookup> = unknown.map(|resource| Lookup::Occupied(*resource, from, until)).collect();
        if !unknown.is_empty() {
            return Err(Abort::Needs(unknown));
        }
        let earliest = from - Duration::hours(SESSION_HOURS_MAX);
        let ids: BTreeSet<Uuid> = resources
            .iter()
            .filter_map(|resource| self.resources.busy.get(resource))
            .flat_map(|busy| busy.range((earliest, Uuid::nil())..(until, Uuid::nil())))
            .map(|(_, id)| *id)
            .filter(|id| Some(*id) != except)
            .collect();
        let found = ids.into_iter().filter_map(|id| match self.sessions.table.rows.get(&id) {
            Some(session) => Some(Clash::of(session)),
            None => self.resources.others.get(&id).cloned(),
        });
        Ok(found.filter(|clash| from < clash.ends_at).collect())
    }

    /// Sessions that clash with this one, in its room or for its instructor.
    pub fn in_the_way(&self, session: &Session, except: Option<Uuid>) -> Decision<Vec<Clash>> {
        self.clashes(&Resource::of(&Clash::of(session)), session.starts_at, session.ends_at, except)
    }

    pub(super) async fn load_occupied(
        &mut self,
        tx: &mut Tx,
        resource: Resource,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<(), Error> {
        let clashes = match resource {
            Resource::Room(id) => schedule::store::in_room(tx, id, from, until).await?,
            Resource::Instructor(id) => schedule::store::with_instructor(tx, id, from, until).await?,
        };
        for clash in clashes {
            if !self.sessions.table.rows.contains_key(&clash.id) {
                for resource in Resource::of(&clash) {
                    self.resources.busy.entry(resource).or_default().insert((clash.starts_at, clash.id));
                }
                self.resources.others.insert(clash.id, clash);
            }
        }
        self.resources.known.entry(resource).or_default().push((from, until));
        Ok(())
    }
}
