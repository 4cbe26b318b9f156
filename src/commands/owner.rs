//! `releve owner EMAIL`: makes an owner of the deployment, even while it is being served. `--reset-second-factor`: takes away the second
//! factors of an account.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::{Failure, Place, serve};
use crate::clock::Clock;
use crate::data_directory::Refused;
use crate::db::Db;
use crate::people::owner::{self, NewOwner};
use crate::settings::Settings;
use crate::sign_in::passwords::{NewPassword, Passwords};
use crate::text::{Email, Name};

/// Asks for a password, or reads it from the first line of the standard input, and makes this address an owner's.
pub async fn run(settings: &Settings, email: &str, name: &str) -> Result<(), Failure> {
    let email = Email::parse(email).map_err(|why| Failure::new(format!("the address {why}")))?;
    let name = Name::parse(name).map_err(|why| Failure::new(format!("the name {why}")))?;
    let typed = read_password().map_err(|error| Failure::new(format!("cannot read a password: {error}")))?;
    let password = NewPassword::parse(&typed).map_err(|why| Failure::new(format!("the password {why}")))?;
    let passwords = Passwords::new(&settings.sign_in)?;
    let place = Place::of(settings)?;
    let db = open(settings, &place).await?;
    let made = owner::make(&db, &Clock::System, &passwords, NewOwner { email, name, password }).await;
    db.close().await;
    let made = made.map_err(|problem| Failure::new(format!("no owner was made: {:?}", problem.kind)))?;
    let before = if made.had_account { "had an account, and have a new password" } else { "have a new account" };
    eprintln!("{} owns {place} now; they {before}", made.person_id);
    Ok(())
}

/// Takes the second factors of the account with this address away: for somebody who has lost them and the recovery codes too.
pub async fn reset_factors(settings: &Settings, email: &str) -> Result<(), Failure> {
    let email = Email::parse(email).map_err(|why| Failure::new(format!("the address {why}")))?;
    let place = Place::of(settings)?;
    let db = open(settings, &place).await?;
    let reset = owner::reset_factors(&db, &Clock::System, email).await;
    db.close().await;
    match reset.map_err(|problem| Failure::new(format!("no second factor was taken away: {:?}", problem.kind)))? {
        None => Err(Failure::new(format!("no account of {place} has this address"))),
        Some(false) => Err(Failure::new("this account has no second factor".to_owned())),
        Some(true) => {
            eprintln!("the account has no second factor any more, and is signed out everywhere; its holder is told by letter");
            Ok(())
        }
    }
}

/// No other process may be there while the schema changes. Beside a serving process, waits up to 5 s for the turn to write.
async fn open(settings: &Settings, place: &Place) -> Result<Db, Failure> {
    match place.try_lock() {
        Ok(_lock) => serve::open_current(settings, place).await,
        Err(Refused::InUse { .. }) => place.open(settings).await,
        Err(other) => Err(other.into()),
    }
}

/// The first line of the standard input; from a terminal, without showing it.
fn read_password() -> io::Result<String> {
    let stdin = io::stdin();
    let mut line = String::new();
    if !stdin.is_terminal() {
        stdin.lock().read_line(&mut line)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    eprint!("Password of 10 to 128 characters: ");
    io::stderr().flush()?;
    let shown = tcgetattr(&stdin)?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Flush, &hidden)?;
    let read = stdin.lock().read_line(&mut line);
    tcsetattr(&stdin, OptionalActions::Flush, &shown)?;
    eprintln!();
    read?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
