//! The log: lines on the standard error stream, as text or JSON. Ids and routes, no names, addresses or tokens.

use std::io::{self, IsTerminal as _};
use std::panic;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::commands::Failure;
use crate::settings::Log;

/// Starts the log, once per process; panics are logged from here on, too.
pub fn install(settings: &Log) -> Result<(), Failure> {
    let filter =
        EnvFilter::try_new(&settings.filter).map_err(|error| Failure::new(format!("the setting log.filter is not right: {error}")))?;
    let begun = match settings.format.as_str() {
        "text" => {
            let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
            lines.with_ansi(io::stderr().is_terminal()).try_init()
        }
        "json" => as_json(filter, io::stderr).try_init().map_err(Into::into),
        other => return Err(Failure::new(format!("the setting log.format must be \"text\" or \"json\", not {other:?}"))),
    };
    begun.map_err(|error| Failure::new(format!("cannot log: {error}")))?;
    panic::set_hook(Box::new(|info| {
        // A formatted message may carry a value, and with it a name or an address: only a literal one is logged.
        let message = info.payload().downcast_ref::<&'static str>().copied().unwrap_or("(a formatted message)");
        let at = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(message, at, "panic");
    }));
    Ok(())
}

/// Each line is an object; one written for a request has its `request_id` in its `span`.
pub fn as_json<W>(filter: EnvFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    lines.json().flatten_event(true).with_current_span(true).with_span_list(false).finish()
}
