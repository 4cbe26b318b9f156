//! Steps that a row's state does not allow.

use std::fmt::Debug;

/// A step that is not allowed from the state of a row. Always a fault of ours, never the member's: it is logged, and the command answers
/// 500.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} that is {from} cannot {step}")]
pub struct TransitionRefused {
    what: &'static str,
    from: String,
    step: &'static str,
}

impl TransitionRefused {
    /// This kind of row, in this state, cannot do that.
    pub fn new(what: &'static str, from: &dyn Debug, step: &'static str) -> Self {
        Self { what, from: format!("{from:?}"), step }
    }
}
