//! People: members, staff and their roles, one's own profile, and how one leaves.
//!
//! A person is entered by a front desk, or registers (`sign_in`), or both. What a studio writes down of her, name and number, stands
//! with the studio (`members`); what she says of herself stands with her (`me`). Roles are held per studio (`staff`, `invitations`),
//! `owner` for the deployment (`owner`). She may take everything that is hers along (`export`). Who leaves is forgotten after seven
//! days; what was booked and paid stays under an id without a name (`deletion`, and the public page in `pages`).

pub mod deletion;
pub mod export;
pub mod invitations;
pub mod me;
pub mod members;
pub mod owner;
pub mod pages;
pub mod staff;
pub mod store;
