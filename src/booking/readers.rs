//! Who reads a booking: its member, who acts for them, and the studio's front desk.

use super::Booking;
use crate::app::App;
use crate::families;
use crate::problem::{Answer, Problem, ProblemType};
use crate::sign_in::Caller;

/// 404 for everybody else.
pub async fn must_read(app: &App, caller: &Caller, booking: &Booking) -> Answer<()> {
    let own = booking.person_id == caller.person_id || caller.roles.is_front_desk(booking.studio_id);
    if own || families::store::acts_for(&app.db, caller.person_id, booking.person_id).await? {
        return Ok(());
    }
    Err(Problem::new(ProblemType::NotFound))
}
