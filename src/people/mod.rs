//! People: members, staff and their roles, one's own profile, and how one leaves.
//!
//! A person is entered by a front desk, or registers (`sign_in`), or both. What a studio writes down of her, name and number, stands
//! with the studio (`members`); what she says of herself stands with her (`me`). Roles are held per studio (`staff`), `owner` for the
//! deployment. Who leaves is forgotten after seven days; what was booked and paid stays under an id without a name (`deletion`).

pub mod store;
