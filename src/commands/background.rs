//! Background work: letters and sweeps, in the serving process or in one of their own.

use crate::app::App;
use crate::letters::worker::{RunningWorker, Worker};
use crate::sweeps::{self, RunningSweeps};

/// The background work of this process.
pub struct BackgroundWork {
    letters: RunningWorker,
    sweeps: RunningSweeps,
    app: App,
}

impl BackgroundWork {
    pub fn start(app: &App) -> Self {
        let letters = Worker::new(app.clone()).start();
        Self { letters, sweeps: sweeps::start(app.clone()), app: app.clone() }
    }

    /// Stops sweeping, takes no more letters, and finishes or hands back those it has.
    pub async fn stop(self) {
        self.sweeps.stop().await;
        self.letters.stop().await;
        self.app.post.close().await;
    }
}
