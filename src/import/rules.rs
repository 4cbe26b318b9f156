//! How a file of lines is read, and what each line makes. Pure.

pub mod bookings;
pub mod decode;
pub mod members;
pub mod passes;
pub mod records;
pub mod table;
pub mod who;
pub mod words;

use uuid::Uuid;

use crate::wrong::Wrong;

/// What is wrong with a line, by column.
pub type Wrongs = Vec<(&'static str, Wrong)>;

/// A line as it was read: its number in the file, and what it says.
pub type Read<T> = (u64, Result<T, Wrongs>);

/// What a line comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Step<T> {
    /// Something new.
    Make(T),
    /// It is there already; by this key it was not known yet.
    Known { row_id: Uuid, new_key: Option<String> },
}

/// What every line comes to, in their order.
pub type Plan<T> = Vec<(u64, Result<Step<T>, Wrongs>)>;
