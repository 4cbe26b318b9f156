//! `releve demo`: Relevé on this machine, with two invented studios to play with.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use super::serve::Door;
use super::{Failure, Place, migrate, serve};
use crate::app::App;
use crate::clock::Clock;
use crate::console::demo_links;
use crate::data_directory::{self, DATABASE_FILE};
use crate::db::Db;
use crate::demo::mark::accounts;
use crate::demo::store::{self, Holds};
use crate::demo::{self, PASSWORD, Sights, Wish};
use crate::letters::transport::Post;
use crate::settings::Settings;
use crate::sign_in::keys::{KEYS_FILE, kept_in};
use crate::sign_in::passwords::NewPassword;
use crate::studios::{self, Studio};

/// Where a demo keeps its files unless told otherwise.
pub const DIRECTORY: &str = "var/demo";

/// Studios whose public pages are printed: those of the demo, unless somebody opened more.
const STUDIOS_SHOWN: i64 = 2;

/// The options of `releve demo`.
#[derive(Clone, Debug)]
pub struct Told {
    /// `--port`.
    pub port: Option<u16>,
    /// `--data`, else [`DIRECTORY`].
    pub data: Option<PathBuf>,
    /// `--members`.
    pub members: u32,
    /// `--fresh`.
    pub fresh: bool,
}

/// Seeds what is empty, and serves on this machine alone until SIGTERM or SIGINT.
pub async fn run(mut settings: Settings, told: Told) -> Result<(), Failure> {
    settings.data.directory = told.data.clone().unwrap_or_else(|| DIRECTORY.into());
    settings.server.address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    settings.server.port = told.port.unwrap_or(settings.server.port);
    settings.letters.transport = "file:".into();
    // All of it is this machine's alone.
    settings.server.private_port = 0;
    // A demo has no load balancer to drain for, unless somebody asks for the drain to see it.
    if settings.server.drain_s == Settings::defaults()?.server.drain_s {
        settings.server.drain_s = 0;
    }
    serve::afford_connections(&mut settings);
    let place = Place::of(&settings)?;
    let door = Door::reserve(settings.server.address, settings.server.port)?;
    settings.server.port = door.address.port();
    settings.server.public_url = format!("http://{}", door.address);
    refuse_others(look(&place).await?, &place)?;
    // Letters and keys are kept there even if the database is elsewhere.
    let _lock = data_directory::lock(&settings.data.directory)?;
    data_directory::close_to_others(&settings.data.directory, &settings.data.directory.join(DATABASE_FILE));
    let _database_lock = if in_directory(&place, &settings.data.directory) { None } else { place.lock()? };

    let db = open_own(&settings, &place, told.fresh).await?;
    migrate::bring_up_to_date(&db, &place).await?;
    let post = Post::open(&settings).map_err(Failure::new)?;
    if settings.sign_in.keys.is_empty() {
        settings.sign_in.keys = kept_in(&settings.data.directory)?;
    }
    let app = App::new(settings, db, Clock::System, post)?;
    let password = NewPassword::parse(PASSWORD).map_err(|why| Failure::new(why.to_string()))?;
    let password_hash =
        app.passwords.hash(password).await.map_err(|problem| Failure::new(format!("no password hash: {:?}", problem.kind)))?;
    let sights = demo::prepare(&app, Wish { members: told.members, password_hash }).await.map_err(Failure::new)?;
    let links = demo_links::make(&app).await.map_err(|problem| Failure::new(format!("no links to sign in with: {:?}", problem.kind)))?;
    let studios = studios::store::studios(&app.db, None, STUDIOS_SHOWN).await.map_err(|error| Failure::new(error.to_string()))?;
    let listener = door.open()?;
    print!("{}", welcome(&app.settings, &place, sights, &links, &studios));
    serve::live(app, listener, None, true).await
}

/// Opens the database if it is empty or a demo's; no other is touched. `fresh`: empties it first.
async fn open_own(settings: &Settings, place: &Place, fresh: bool) -> Result<Db, Failure> {
    let holds = look(place).await?;
    refuse_others(holds, place)?;
    if fresh {
        if let (Place::Server(_), Holds::Demo) = (place, holds) {
            let db = place.open(settings).await?;
            db.write("demo.empty", |tx| Box::pin(store::empty(tx))).await?;
            db.close().await;
        }
        remove_known_files(&settings.data.directory, place).map_err(|error| Failure::new(format!("cannot start over: {error}")))?;
    }
    place.open(settings).await
}

fn refuse_others(holds: Holds, place: &Place) -> Result<(), Failure> {
    if holds == Holds::SomethingElse {
        let why = format!("{place} holds something else than a demo: it is left alone. Name another with --data or DATABASE_URL");
        return Err(Failure::new(why));
    }
    Ok(())
}

/// What the database holds, without leaving a trace: opening the file for work would already change it.
async fn look(place: &Place) -> Result<Holds, Failure> {
    if let Place::File(file) = place
        && !file.exists()
    {
        return Ok(Holds::Nothing);
    }
    let db = place.open_read_only().await?;
    let holds = store::holds(&db).await;
    db.close().await;
    holds.map_err(|error| Failure::new(format!("cannot read {place}: {error}")))
}

/// Removes the files that a demo writes, by name. Anything else in the directory stays.
fn remove_known_files(directory: &Path, place: &Place) -> std::io::Result<()> {
    let mut files = vec![directory.join(KEYS_FILE)];
    if let Place::File(file) = place {
        for suffix in ["", "-wal", "-shm"] {
            let mut name = file.clone().into_os_string();
            name.push(suffix);
            files.push(name.into());
        }
    }
    let letters = directory.join("letters");
    if letters.is_dir() {
        for entry in std::fs::read_dir(&letters)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "eml" || extension == "part") {
                files.push(path);
            }
        }
    }
    for file in files {
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn in_directory(place: &Place, directory: &Path) -> bool {
    matches!(place, Place::File(file) if *file == directory.join(DATABASE_FILE))
}

/// Where to look, as whom, and what to try.
fn welcome(settings: &Settings, place: &Place, sights: Sights, links: &[(&str, String)], studios: &[Studio]) -> String {
    let Sights { full_session, members } = sights;
    let url = &settings.server.public_url;
    let data = settings.data.directory.display();
    let audit = match place {
        Place::File(_) => format!("releve audit --data {data}"),
        Place::Server(_) => "releve audit, with the same DATABASE_URL".into(),
    };
    let [owner, admin, desk, instructors, members] = accounts(members);
    let full = full_session.map_or_else(String::new, |id| format!("  full, with a waitlist   {url}/v1/sessions/{id}\n"));
    let links: String = links.iter().map(|(role, link)| format!("  {role:<11} {link}\n")).collect();
    let studios: String = studios.iter().map(|studio| format!("  {:<23} {url}/s/{}\n", studio.name, studio.id)).collect();
    format!(
        r#"
Relevé, a demo with invented people. It serves until Ctrl-C, on this machine alone; --fresh starts over.

Open it signed in; each link works once
{links}
Or sign in with the password {PASSWORD} as
  {owner}  {admin}  {desk}
  {instructors}
  {members}, each with 50 credits at both studios

Look at
  where everything is     {url}/
  the console of staff    {url}/console
  the pages of members    {url}/me
{studios}  the API, to be tried    {url}/docs
  letters                 {url}/dev/letters
  studios                 {url}/v1/studios
{full}  the promises, checked   {audit}

Try
  TOKEN=$(curl -s {url}/v1/tokens -H 'content-type: application/json' \
    -d '{{"email":"member1@demo.test","password":"{PASSWORD}"}}' | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  curl -s {url}/v1/me -H "authorization: Bearer $TOKEN"
  curl -s '{url}/dev/letters?to=member2@demo.test'

"#
    )
}
