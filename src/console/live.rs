//! How an open page hears that something happened in the studio: over a stream that stays open, or by asking now and then where none does.
//!
//! All that is said is how far the studio's log has come. The page reads itself again, with the rights of whoever looks at it then.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::future::{Either, select};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::sync::watch;
use uuid::Uuid;

use super::staff::Staff;
use crate::app::App;
use crate::events::log;
use crate::extract::Path;
use crate::problem::{Answer, Problem, ProblemType};
use crate::studios::guard::require_staff;

/// How often a stream on which nothing happens shows that it is alive; a page that is gone is noticed by it.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

/// How long a stream lives. The browser opens another by itself, and its rights are asked anew.
const LIFE: Duration = Duration::from_secs(10 * 60);

/// How far the log has come, once.
pub async fn changes(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>) -> Answer<String> {
    require_staff(&app, &staff.caller, studio_id).await?;
    Ok(log::last(&app.db, studio_id).await?.to_string())
}

/// The same, now and whenever it goes on, as a browser's `EventSource` reads it.
pub async fn stream(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>) -> Answer<Response> {
    require_staff(&app, &staff.caller, studio_id).await?;
    let watched = app.watched.watch(&app.db, studio_id).await?.ok_or_else(|| Problem::new(ProblemType::TooManyRequests))?;
    let over = async move {
        let (stopped, lived) = (Box::pin(app.running.stopped()), Box::pin(tokio::time::sleep(LIFE)));
        match select(stopped, lived).await {
            Either::Left(_) | Either::Right(_) => {}
        }
    };
    let stream = numbers(watched).take_until(Box::pin(over));
    // A proxy that gathers answers before it passes them on shall not gather this one.
    let unbuffered = [("x-accel-buffering", "no")];
    Ok((unbuffered, Sse::new(stream).keep_alive(KeepAlive::new().interval(ALIVE_EVERY))).into_response())
}

fn numbers(mut watched: watch::Receiver<i64>) -> impl Stream<Item = Result<Event, Infallible>> {
    // The first is told at once.
    watched.mark_changed();
    stream::unfold(watched, |mut watched| async move {
        watched.changed().await.ok()?;
        let number = *watched.borrow_and_update();
        Some((Ok(Event::default().data(number.to_string())), watched))
    })
}
