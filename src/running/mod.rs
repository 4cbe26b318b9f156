//! Running it: what operators, load balancers and the apps' platforms ask of the process itself.
//!
//! `api` answers load balancers (`/healthz`, `/readyz`), Prometheus (`/metrics`) and phones (`/.well-known/…`); `document` is the API's
//! document, for whoever writes an app (`/openapi.json`, `/docs`); `pages` are the front page and the page behind a letter's link; `store`
//! keeps facts about the database as a whole.

pub mod api;
pub mod document;
pub mod log;
pub mod metrics;
pub mod pages;
pub mod store;

use tokio::sync::watch;

/// Whether the process is taking requests: true until its end is asked for.
#[derive(Debug, Default)]
pub struct Running {
    stopping: watch::Sender<bool>,
}

impl Running {
    /// From now on `/readyz` says no.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Whether the end was asked for.
    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Completes when the end is asked for: answers that go on for long end by it.
    pub fn stopped(&self) -> impl Future<Output = ()> + use<> {
        let mut stopping = self.stopping.subscribe();
        async move {
            // That there is nobody any more who could ask for it is an end too.
            let _ = stopping.wait_for(|stopping| *stopping).await;
        }
    }
}
