//! What a handler's signature says about its operation: whether it needs a token, which headers it reads, and what it refuses before its
//! first line. The API's document is made from this, so that it cannot disagree with the code.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::handler::Handler;
use axum::http::{HeaderMap, Uri};
use serde_json::Value;

use crate::problem::ProblemType;

/// Whether an operation is called with an access token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Token {
    /// It takes none.
    #[default]
    None,
    /// With one the answer says more.
    Optional,
    /// Without one it is 401.
    Required,
}

/// A header that an operation reads.
#[derive(Clone, Debug)]
pub struct Header {
    /// As it is spelt.
    pub name: &'static str,
    /// Whether a call without it is refused.
    pub required: bool,
    /// What it is for.
    pub description: &'static str,
    /// Its JSON schema, with the bounds that the extractor enforces.
    pub schema: Value,
}

/// What the arguments of a handler say together.
#[derive(Clone, Debug, Default)]
pub struct Signature {
    /// Whether it needs a token.
    pub token: Token,
    /// The headers that it reads.
    pub headers: Vec<Header>,
    /// Whether it can be called without a body.
    pub body_is_optional: bool,
    /// What it may refuse.
    pub problems: Vec<ProblemType>,
}

impl Signature {
    /// The signature of this handler, which runs in a router with the state `S`.
    pub fn of<S, H: Handler<T, S>, T: Arguments>(_: &H) -> Self {
        let mut signature = Self::default();
        T::describe(&mut signature);
        signature
    }

    /// Adds problems that it may answer with.
    pub fn refuses(&mut self, problems: &[ProblemType]) {
        for problem in problems {
            if !self.problems.contains(problem) {
                self.problems.push(*problem);
            }
        }
    }
}

/// One argument of a handler.
pub trait Argument {
    /// Adds what it says about the operation.
    fn describe(signature: &mut Signature);
}

/// All arguments of a handler, as axum's [`Handler`] names them.
pub trait Arguments {
    /// Adds what they say about the operation.
    fn describe(signature: &mut Signature);
}

impl Arguments for ((),) {
    fn describe(_: &mut Signature) {}
}

macro_rules! arguments {
    ($($argument:ident)+) => {
        // `M` is axum's mark of how the last argument is read.
        impl<M, $($argument: Argument),+> Arguments for (M, $($argument,)+) {
            fn describe(signature: &mut Signature) {
                $($argument::describe(signature);)+
            }
        }
    };
}

arguments!(A);
arguments!(A B);
arguments!(A B C);
arguments!(A B C D);
arguments!(A B C D E);
arguments!(A B C D E F);

impl<S> Argument for State<S> {
    fn describe(_: &mut Signature) {}
}

impl<T> Argument for Extension<T> {
    fn describe(_: &mut Signature) {}
}

impl Argument for HeaderMap {
    fn describe(_: &mut Signature) {}
}

impl Argument for Uri {
    fn describe(_: &mut Signature) {}
}

impl Argument for Bytes {
    fn describe(signature: &mut Signature) {
        signature.refuses(&[ProblemType::BodyTooLarge]);
    }
}
