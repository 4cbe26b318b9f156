//! Roles, held per studio, and what each allows: asked at the door of a handler and again when a command is decided, by the same words.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A role in one studio. `owner` is the deployment's and stands with the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = StaffRole)]
pub enum Role {
    /// Teaches sessions of their own.
    Instructor,
    /// Serves members at the door.
    FrontDesk,
    /// Runs the studio.
    Admin,
}

/// Everything that a person may be, in every studio.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// Whether the deployment is theirs: an owner may do what any admin may.
    pub is_owner: bool,
    held: Vec<(Uuid, Role)>,
}

impl Roles {
    /// The roles that somebody holds.
    pub const fn new(is_owner: bool, held: Vec<(Uuid, Role)>) -> Self {
        Self { is_owner, held }
    }

    /// Whether they run this studio.
    pub fn is_admin(&self, studio_id: Uuid) -> bool {
        self.is_owner || self.holds(studio_id, Role::Admin)
    }

    /// Whether they may give somebody these roles here: admins are an owner's to make.
    pub fn may_give(&self, studio_id: Uuid, roles: &[Role]) -> bool {
        self.is_owner || (self.is_admin(studio_id) && !roles.contains(&Role::Admin))
    }

    /// Whether they serve members at this studio's front desk.
    pub fn is_front_desk(&self, studio_id: Uuid) -> bool {
        self.is_admin(studio_id) || self.holds(studio_id, Role::FrontDesk)
    }

    /// Whether they work in this studio, in whatever role.
    pub fn is_staff(&self, studio_id: Uuid) -> bool {
        self.is_owner || self.held.iter().any(|(of, _)| *of == studio_id)
    }

    /// Whether they teach in this studio.
    pub fn is_instructor(&self, studio_id: Uuid) -> bool {
        self.holds(studio_id, Role::Instructor)
    }

    /// Whether they teach in any studio.
    pub fn is_instructor_somewhere(&self) -> bool {
        self.held.iter().any(|(_, role)| *role == Role::Instructor)
    }

    /// Whether they may schedule here: admins anything, instructors what their studio's house rules leave to them.
    pub fn is_scheduler(&self, studio_id: Uuid) -> bool {
        self.is_admin(studio_id) || self.is_instructor(studio_id)
    }

    /// Whether they are staff of a session of this studio: its instructor, or somebody who serves any member. To teach it is not enough:
    /// whoever is no instructor here any more has no right in it, whatever the session says.
    pub fn is_staff_of_session(&self, studio_id: Uuid, teaches_it: bool) -> bool {
        self.is_front_desk(studio_id) || self.teaches_still(studio_id, teaches_it)
    }

    /// Whether a session of this studio is theirs to run, with its notes and its substitutes: its instructor's and the admins'.
    pub fn runs_session(&self, studio_id: Uuid, teaches_it: bool) -> bool {
        self.is_admin(studio_id) || self.teaches_still(studio_id, teaches_it)
    }

    /// Whether they teach a session and are an instructor of its studio still.
    pub fn teaches_still(&self, studio_id: Uuid, teaches_it: bool) -> bool {
        teaches_it && self.is_instructor(studio_id)
    }

    /// Every studio in which they work.
    pub fn studios(&self) -> impl Iterator<Item = Uuid> + '_ {
        self.held.iter().map(|(of, _)| *of)
    }

    /// Whether they hold exactly this role here.
    pub fn holds(&self, studio_id: Uuid, role: Role) -> bool {
        self.held.contains(&(studio_id, role))
    }

    /// The roles that they hold in this studio.
    pub fn of_studio(&self, studio_id: Uuid) -> impl Iterator<Item = Role> + '_ {
        self.held.iter().filter(move |(of, _)| *of == studio_id).map(|(_, role)| *role)
    }

    /// Whether they run any studio, or the deployment.
    pub fn is_admin_somewhere(&self) -> bool {
        self.is_owner || self.held.iter().any(|(_, role)| *role == Role::Admin)
    }

    /// The same without what makes them an owner or an admin: for whoever must show a second factor and has none.
    #[must_use]
    pub fn without_admin(&self) -> Self {
        Self { is_owner: false, held: self.held.iter().filter(|(_, role)| *role != Role::Admin).copied().collect() }
    }

    /// One more role, if there is one.
    pub fn add(&mut self, role: Option<(Uuid, Role)>) {
        self.held.extend(role);
    }

    /// From now on exactly these roles in this studio.
    pub fn set(&mut self, studio_id: Uuid, roles: impl IntoIterator<Item = Role>) {
        self.held.retain(|(of, _)| *of != studio_id);
        self.held.extend(roles.into_iter().map(|role| (studio_id, role)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_give_which_roles() {
        let (here, there) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let of = |held: &[(Uuid, Role)]| Roles::new(false, held.to_vec());
        for (who, roles, staff, admins) in [
            ("owner", Roles::new(true, Vec::new()), true, true),
            ("admin", of(&[(here, Role::Admin)]), true, false),
            ("admin elsewhere", of(&[(there, Role::Admin)]), false, false),
            ("front desk", of(&[(here, Role::FrontDesk), (here, Role::Instructor)]), false, false),
            ("nobody", of(&[]), false, false),
        ] {
            assert_eq!(roles.may_give(here, &[Role::Instructor, Role::FrontDesk]), staff, "{who}");
            assert_eq!(roles.may_give(here, &[Role::Instructor, Role::Admin]), admins, "{who}");
        }
    }

    /// Of one session, to somebody who teaches it and to somebody who does not: whether they are its staff, and whether they run it.
    #[test]
    fn rights_in_a_session_end_with_the_role() {
        let (here, there) = (Uuid::from_u128(1), Uuid::from_u128(2));
        for (name, is_owner, held, teaching, other) in [
            ("nobody", false, vec![], (false, false), (false, false)),
            ("who taught it and was taken off the staff", false, vec![], (false, false), (false, false)),
            ("an instructor elsewhere", false, vec![(there, Role::Instructor)], (false, false), (false, false)),
            ("an admin elsewhere", false, vec![(there, Role::Admin)], (false, false), (false, false)),
            ("an instructor", false, vec![(here, Role::Instructor)], (true, true), (false, false)),
            ("the front desk, who taught it once", false, vec![(here, Role::FrontDesk)], (true, false), (true, false)),
            ("an admin", false, vec![(here, Role::Admin)], (true, true), (true, true)),
            ("the owner", true, vec![], (true, true), (true, true)),
        ] {
            let roles = Roles::new(is_owner, held);
            let rights = |teaches_it| (roles.is_staff_of_session(here, teaches_it), roles.runs_session(here, teaches_it));
            assert_eq!((rights(true), rights(false)), (teaching, other), "{name}");
        }
    }
}
