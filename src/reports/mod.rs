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
    /// Of these, those in whose session nobody was marked.
    pub unrecorded: i64,
    /// Cancelled too late to do so for free.
    pub late_cancelled: i64,
    /// Places given back in time, or lost with the session.
    pub cancelled: i64,
    pub no_show: i64,
    /// Those who wait, or waited and got no place.
    pub waitlisted: i64,
}
