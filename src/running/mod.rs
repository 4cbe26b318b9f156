//! Running it: what operators, load balancers and the apps' platforms ask of the process itself.
//!
//! `api` answers load balancers (`/healthz`, `/readyz`), Prometheus (`/metrics`), whoever writes an app (`/openapi.json`, `/docs`) and
//! phones (`/.well-known/…`); `pages` is the page behind a letter's link; `store` keeps facts about the database as a whole.

pub mod api;
pub mod log;
pub mod metrics;
pub mod pages;
pub mod store;

use std::sync::atomic::{AtomicBool, Ordering};

/// What the process knows of itself: whether its end was asked for, and whether it is a demo.
#[derive(Debug, Default)]
pub struct Running {
    stopping: AtomicBool,
    demo: AtomicBool,
}

impl Running {
    /// From now on `/readyz` says no.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether the end was asked for.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// This process shows invented people: their letters may be read by anybody.
    pub fn be_a_demo(&self) {
        self.demo.store(true, Ordering::Relaxed);
    }

    /// Whether it is a demo.
    pub fn is_a_demo(&self) -> bool {
        self.demo.load(Ordering::Relaxed)
    }
}
