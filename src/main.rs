//! The command line; `commands/` holds what each command does.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use releve::commands::{self, Failure, Said};
use releve::running::document::Profile;
use releve::{demo, openapi, running};

/// Chosen by measurement (docs/performance.md): a rush costs less with it, and what a burst took is given back to the system afterwards.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Relevé, the booking backend of barre and ballet-workout studios.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Line {
    /// A file of settings; config/default.toml lists them all. RELEVE_CONFIG names it too.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data directory: the embedded database, generated secrets, letters as files.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves the API, and sends letters.
    Serve {
        /// Leave letters and sweeps to `releve worker` (PostgreSQL only).
        #[arg(long)]
        no_worker: bool,
    },
    /// Sends letters and runs sweeps, beside `serve --no-worker` (PostgreSQL only).
    Worker,
    /// Serves two invented studios on this machine, from a database of its own.
    Demo {
        /// Where to listen on 127.0.0.1; 0 takes any free port.
        #[arg(long)]
        port: Option<u16>,
        /// How many members there are.
        #[arg(long, default_value_t = 160, value_parser = clap::value_parser!(u32).range(i64::from(demo::plan::MEMBERS_MIN)..=200_000))]
        members: u32,
        /// Start over: remove what an earlier demo left.
        #[arg(long)]
        fresh: bool,
    },
    /// Brings the database's schema up to date.
    Migrate,
    /// Makes an owner of the deployment, also while it is being served. The password is asked for, or read from the standard input.
    Owner {
        /// The owner's e-mail address, which counts as verified.
        email: String,
        /// Their name.
        #[arg(long, required_unless_present = "reset_second_factor")]
        name: Option<String>,
        /// Makes nobody an owner: takes the second factors of this account away, for whoever has lost them all.
        #[arg(long, conflicts_with = "name")]
        reset_second_factor: bool,
    },
    /// Checks every promise on the live database; exit code 1 if one is broken.
    Audit,
    /// Copies the embedded database to FILE while others work with it.
    Backup {
        /// Must not be there yet.
        file: PathBuf,
    },
    /// Prints the OpenAPI document.
    Openapi,
}

fn main() -> ExitCode {
    let line = Line::parse();
    match start(line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("releve: {failure}");
            ExitCode::from(failure.code)
        }
    }
}

fn start(line: Line) -> Result<(), Failure> {
    if matches!(line.command, Command::Openapi) {
        println!("{}", openapi::text(Profile::Full, None));
        return Ok(());
    }
    // Whatever this process makes is for its own user's eyes: the database, its journal, keys, letters.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    commands::read_dot_env()?;
    let said = Said { config: line.config.or_else(|| std::env::var_os("RELEVE_CONFIG").map(PathBuf::from)), data: line.data };
    let settings = commands::settings(&said)?;
    running::log::install(&settings.log)?;
    commands::settle_zones(&settings)?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    runtime.block_on(async {
        match line.command {
            Command::Serve { no_worker } => commands::serve::run(settings, !no_worker).await,
            Command::Worker => commands::worker::run(settings).await,
            Command::Demo { port, members, fresh } => {
                commands::demo::run(settings, commands::demo::Told { port, data: said.data, members, fresh }).await
            }
            Command::Migrate => commands::migrate::run(&settings).await,
            Command::Owner { email, reset_second_factor: true, .. } => commands::owner::reset_factors(&settings, &email).await,
            Command::Owner { email, name, .. } => commands::owner::run(&settings, &email, &name.unwrap_or_default()).await,
            Command::Audit => commands::audit::run(&settings).await,
            Command::Backup { file } => commands::backup::run(&settings, &file).await,
            Command::Openapi => Ok(()),
        }
    })
}
