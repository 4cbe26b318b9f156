//! What a form sends, parsed as a query is; fields that were left empty are as if they were not there.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::form_urlencoded;

use crate::extract::{Body, query};
use crate::problem::{Answer, Problem, ProblemType};
use crate::wrong::Wrong;

/// The fields of a form.
pub struct Form<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state).await.map_err(|_| Problem::new(ProblemType::BodyTooLarge))?;
        query(&filled(&bytes)).map(Self)
    }
}

/// What was filled in of a form, also of one that is sent in an address.
pub fn filled(sent: &[u8]) -> String {
    let filled = form_urlencoded::parse(sent).filter(|(_, value)| !value.trim().is_empty());
    form_urlencoded::Serializer::new(String::new()).extend_pairs(filled).finish()
}

/// The body of a call of the API, as an app would have sent it: what is wrong with it is said by the same words.
pub fn body<T: DeserializeOwned>(value: Value) -> Answer<Body<T>> {
    serde_path_to_error::deserialize(value).map(Body).map_err(|error| {
        let field = error.path().to_string();
        Problem::field(field, Wrong::of_parser(&error.into_inner().to_string()))
    })
}
