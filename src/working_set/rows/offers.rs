//! The offers that a batch knows.

use crate::booking::offer::Offer;
use crate::working_set::table::{Before, Table};
use uuid::Uuid;

/// The offers of a batch.
pub type Offers = Table<Offer>;

/// How a change to offers is undone.
#[derive(Debug)]
pub struct Undo(pub Uuid, pub Before<Offer>);
