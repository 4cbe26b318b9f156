//! `/openapi.json`, and `/docs`: the page on which people read it and try it.

use std::sync::{Arc, OnceLock};

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::App;
use crate::extract::{Path, Query};
use crate::problem::{Answer, Problem, ProblemType};

/// Who reads the document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DocumentProfile)]
pub enum Profile {
    /// People, and tools that know all of JSON Schema.
    #[default]
    Full,
    /// Tools that make clients of it, and know less.
    Generators,
}

/// The document of the API. It names every handler, so a handler cannot call for it itself: the router passes it in.
#[derive(Clone)]
pub struct ApiDocument {
    write: fn(Profile, Option<&str>) -> String,
    full: Arc<OnceLock<Bytes>>,
    generators: Arc<OnceLock<Bytes>>,
}

impl ApiDocument {
    /// The document, which `write` makes for a reader and the deployment's public address.
    pub fn new(write: fn(Profile, Option<&str>) -> String) -> Self {
        Self { write, full: Arc::default(), generators: Arc::default() }
    }

    fn text(&self, profile: Profile, public_url: &str) -> Bytes {
        let kept = match profile {
            Profile::Full => &self.full,
            Profile::Generators => &self.generators,
        };
        kept.get_or_init(|| (self.write)(profile, Some(public_url)).into()).clone()
    }
}

/// For whom.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Reader {
    /// `generators`: the same in the part of JSON Schema that the tools which make clients understand.
    #[serde(default)]
    #[param(value_type = Option<Profile>, inline)]
    profile: Profile,
}

/// This document.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "show_openapi",
    params(Reader),
    responses((status = 200, description = "An OpenAPI 3.1 document.", body = Object))
)]
pub async fn openapi_document(
    State(app): State<App>,
    Extension(document): Extension<ApiDocument>,
    Query(reader): Query<Reader>,
) -> impl IntoResponse {
    let text = document.text(reader.profile, &app.settings.server.public_url);
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=300")], text)
}

/// The page around Swagger UI, whose own page calls itself Swagger UI and shows somebody else's API.
#[derive(Template)]
#[template(path = "running/docs.html")]
struct Page;

/// The page lives in a folder, so that its files are found beside it.
pub async fn to_docs() -> Redirect {
    Redirect::to("/docs/")
}

/// What the page may load: its own files, and the pictures that Swagger UI's style sheet carries in itself. Scripts stand in files alone.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Our own of the page's files.
const OWN: [(&str, &str, &str); 2] = [
    ("page.css", "text/css; charset=utf-8", include_str!("docs.css")),
    ("page.js", "text/javascript; charset=utf-8", include_str!("docs.js")),
];

/// The page.
pub async fn docs() -> Answer<impl IntoResponse> {
    let page = Page.render().map(Html).map_err(Problem::fault)?;
    Ok(([(header::CONTENT_SECURITY_POLICY, POLICY)], page))
}

/// A file of the page: ours, or Swagger UI's.
pub async fn docs_file(Path(file): Path<String>) -> Answer<Response> {
    if let Some((_, content_type, text)) = OWN.into_iter().find(|(name, _, _)| *name == file) {
        return Ok(([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "public, max-age=300")], text).into_response());
    }
    let found = utoipa_swagger_ui::serve(&file, Arc::default()).map_err(Problem::fault)?;
    let file = found.filter(|_| !file.is_empty()).ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    let headers = [(header::CONTENT_TYPE, file.content_type), (header::CACHE_CONTROL, "public, max-age=86400".to_owned())];
    Ok((headers, file.bytes.into_owned()).into_response())
}
