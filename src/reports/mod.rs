//! Reports: attendance, for a studio's admins. Nothing is written here.

pub mod api;
pub mod rules;
pub mod store;

use uuid::Uuid;

/// What became of the bookings of one session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Counts {
    pub session_id: Uuid,
    /// Places that are or were taken: booked, attended and missed.
    pub booked: i64,
    pub attended: i64,
    /// Who cancelled after the free way out had closed.
    pub late_cancelled: i64,
    /// Who gave a place back in time, or lost it with the session.
    pub cancelled: i64,
    /// Who did not come.
    pub no_show: i64,
    /// Who waits, or waited and got no place.
    pub waitlisted: i64,
}
