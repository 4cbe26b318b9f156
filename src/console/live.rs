//! How an open page hears that something happened in the studio: over a stream that stays open, or by asking now and then where none does.
//!
//! All that is said is how far the studio's log has come. The page reads itself again, with the rights of whoever looks at it then.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::{Stream, stream};
use uuid::Uuid;

use super::staff::Staff;
use crate::app::App;
use crate::events::live::Watch;
use crate::events::log;
use crate::extract::Path;
use crate::problem::{Answer, Problem, ProblemType};
use crate::sign_in::Caller;
use crate::studios::guard::require_staff;

/// How often a stream on which nothing happens shows that it is alive, by which a page that is gone is noticed, and how often it is asked
/// whether whoever listens still may.
const ALIVE_EVERY: Duration = Duration::from_secs(10);

/// How long a stream lives. The browser opens another by itself.
const LIFE: Duration = Duration::from_secs(10 * 60);

/// How far the log has come, once.
pub async fn changes(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>) -> Answer<String> {
    require_staff(&app, &staff.caller, studio_id).await?;
    Ok(log::last(&app.db, studio_id).await?.to_string())
}

/// The same, now and whenever it goes on, as a browser's `EventSource` reads it.
pub async fn stream(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>) -> Answer<Response> {
    require_staff(&app, &staff.caller, studio_id).await?;
    let watch = app.watched.watch(&app.db, studio_id, staff.caller.device_id).await?;
    let mut watch = watch.ok_or_else(|| Problem::new(ProblemType::TooManyRequests).retry_after(30))?;
    // The first is told at once.
    watch.last.mark_changed();
    let ends = tokio::time::Instant::now() + LIFE;
    let listener = Listener { app, caller: staff.caller, studio_id, watch, ends };
    // A proxy that gathers answers before it passes them on shall not gather this one.
    let unbuffered = [("x-accel-buffering", "no")];
    Ok((unbuffered, Sse::new(numbers(listener)).keep_alive(KeepAlive::new().interval(ALIVE_EVERY))).into_response())
}

/// A page that listens.
struct Listener {
    app: App,
    caller: Caller,
    studio_id: Uuid,
    watch: Watch,
    ends: tokio::time::Instant,
}

impl Listener {
    /// Whether they are still signed in on this device, and work here.
    async fn still_may(&self) -> bool {
        let Ok(Some(identity)) = self.app.identities.of(self.caller.device_id).await else { return false };
        let caller = Caller { roles: identity.roles.clone(), ..self.caller.clone() };
        require_staff(&self.app, &caller, self.studio_id).await.is_ok()
    }

    /// The next number; `None` at the end.
    async fn next(&mut self) -> Option<i64> {
        loop {
            let changed = tokio::select! {
                biased;
                () = self.app.running.stopped() => return None,
                _ = &mut self.watch.pushed_out => return None,
                () = tokio::time::sleep_until(self.ends) => return None,
                changed = self.watch.last.changed() => { changed.ok()?; true }
                () = tokio::time::sleep(ALIVE_EVERY) => false,
            };
            if !self.still_may().await {
                return None;
            }
            if changed {
                return Some(*self.watch.last.borrow_and_update());
            }
        }
    }
}

fn numbers(listener: Listener) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(listener, |mut listener| async move {
        let number = listener.next().await?;
        Some((Ok(Event::default().data(number.to_string())), listener))
    })
}
