//! What works beside the handlers: letters and sweeps, in a process that serves or in one of their own.

use crate::app::App;
use crate::letters::worker::{RunningWorker, Worker};
use crate::sweeps::{self, RunningSweeps};

/// What works beside the handlers of this process.
pub struct BackgroundWork {
    letters: RunningWorker,
    sweeps: RunningSweeps,
    app: App,
}

impl BackgroundWork {
    /// Begins to work.
    pub fn start(app: &App) -> Self {
        let letters = Worker::new(app.clone()).start();
        Self { letters, sweeps: sweeps::start(app.clone()), app: app.clone() }
    }

    /// Sweeps no more, takes no more letters, finishes or hands back what it has.
    pub async fn stop(self) {
        self.sweeps.stop().await;
        self.letters.stop().await;
        self.app.post.close().await;
    }
}
