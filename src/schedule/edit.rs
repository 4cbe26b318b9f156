//! A session as it is and as it will be.

use super::Session;

/// A session before and after a change.
#[derive(Clone, Debug)]
pub struct Edit {
    /// As its members know it.
    pub before: Session,
    /// As they will.
    pub after: Session,
}

impl Edit {
    /// Whether it takes place at another time.
    pub fn moves(&self) -> bool {
        (self.after.starts_at, self.after.ends_at) != (self.before.starts_at, self.before.ends_at)
    }

    /// Whether its members must be told.
    pub fn tells(&self) -> bool {
        self.moves() || self.after.room_id != self.before.room_id || self.after.instructor_id != self.before.instructor_id
    }
}
