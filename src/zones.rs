//! What the clocks of a time zone show. Zones are laws, and laws change: their data is compiled in (chrono-tz), or, by the setting
//! `time.zone_data`, read from the system's files when the process starts, and stays as it is until it ends. Which zones exist, and under
//! which names, old ones too, is always as compiled in.
//!
//! Everything that turns an instant into a wall time or back asks here; `schedule::follow_clocks` moves what no longer fits.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use chrono::{
    DateTime, Datelike as _, Duration, FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, Offset as _, TimeZone as _, Timelike as _,
    Utc,
};
use chrono_tz::{IANA_TZDB_VERSION, TZ_VARIANTS, Tz};
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// The longest gap that a zone ever made: a whole day, where the date line was crossed.
const GAP_MINUTES_MAX: i64 = 25 * 60;

/// Where zones lie that people choose from: the other names are those of offsets, and old ones.
const REGIONS: [&str; 9] = ["Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/"];

/// Where systems keep their zones.
const SYSTEMS_DIRECTORY: &str = "/usr/share/zoneinfo";

/// The names of zones to choose from, in their order.
pub fn names() -> impl Iterator<Item = &'static str> {
    TZ_VARIANTS.iter().map(|zone| zone.name()).filter(|name| REGIONS.iter().any(|region| name.starts_with(region)))
}

/// The system's data, if the process was told to use it.
static SYSTEM: OnceLock<System> = OnceLock::new();

/// Where the zones of this process come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `built-in`: what was compiled in.
    BuiltIn,
    /// `system`, or the path of a directory: compiled zone files (RFC 9636).
    Directory(PathBuf),
}

impl Source {
    /// Reads the setting.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "built-in" => Ok(Self::BuiltIn),
            "system" => Ok(Self::Directory(SYSTEMS_DIRECTORY.into())),
            path if Path::new(path).is_absolute() => Ok(Self::Directory(path.into())),
            _ => Err("must be \"built-in\", \"system\" or the path of a directory with compiled zones".into()),
        }
    }
}

/// Zones read from files.
struct System {
    version: Option<String>,
    zones: HashMap<Tz, TimeZone>,
}

/// Settles, once and before anything else, which data this process uses.
pub fn settle(source: &Source) -> Result<(), String> {
    let Source::Directory(directory) = source else { return Ok(()) };
    let system = System::read(directory)?;
    SYSTEM.set(system).map_err(|_| "which zones this process goes by is settled already".to_owned())
}

/// The version of the data that this process uses, like `2025b`; `None` where the files do not say.
pub fn version() -> Option<&'static str> {
    match SYSTEM.get() {
        None => Some(IANA_TZDB_VERSION),
        Some(system) => system.version.as_deref(),
    }
}

/// Whether this process's data is as new as what was recorded: older data must not undo what newer data has done. An unknown version counts
/// as new.
pub fn is_as_new_as(recorded: Option<&str>) -> bool {
    match (version(), recorded) {
        (Some(own), Some(recorded)) if is_version(recorded) => own >= recorded,
        _ => true,
    }
}

/// What the clocks show at an instant, and how far that is from UTC.
pub fn wall(at: DateTime<Utc>, zone: Tz) -> DateTime<FixedOffset> {
    at.with_timezone(&offset(at, zone))
}

fn offset(at: DateTime<Utc>, zone: Tz) -> FixedOffset {
    let read = SYSTEM.get().and_then(|system| system.offset(at, zone));
    read.unwrap_or_else(|| zone.offset_from_utc_datetime(&at.naive_utc()).fix())
}

/// The instants at which the clocks show this: one, two where it is repeated, none where it is skipped.
pub fn instants(local: NaiveDateTime, zone: Tz) -> MappedLocalTime<DateTime<Utc>> {
    match SYSTEM.get().and_then(|system| system.instants(local, zone)) {
        Some(found) => found,
        None => zone.from_local_datetime(&local).map(|at| at.to_utc()),
    }
}

/// The instant of a wall time: the first one if it is repeated, the first after the gap if it is skipped.
pub fn instant(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    (0..=GAP_MINUTES_MAX).find_map(|minutes| existing(local + Duration::minutes(minutes), zone)).unwrap_or_else(|| local.and_utc())
}

/// The instant of a wall time that exists; the first one if it is repeated.
pub fn existing(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match instants(local, zone) {
        MappedLocalTime::Single(at) => Some(at),
        MappedLocalTime::Ambiguous(one, other) => Some(one.min(other)),
        MappedLocalTime::None => None,
    }
}

/// The date on the studio's calendar at an instant.
pub fn local_date(at: DateTime<Utc>, zone: Tz) -> NaiveDate {
    wall(at, zone).date_naive()
}

impl System {
    fn read(directory: &Path) -> Result<Self, String> {
        let mut zones = HashMap::new();
        for zone in TZ_VARIANTS {
            let file = directory.join(zone.name());
            match std::fs::read(&file) {
                Ok(bytes) => {
                    let read = TimeZone::tzif(zone.name(), &bytes).map_err(|error| format!("{}: {error}", file.display()))?;
                    zones.insert(zone, read);
                }
                // What a system leaves out stays as compiled in.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(format!("{}: {error}", file.display())),
            }
        }
        if zones.is_empty() {
            return Err(format!("{} has no time zones", directory.display()));
        }
        Ok(Self { version: version_of(directory), zones })
    }

    fn offset(&self, at: DateTime<Utc>, zone: Tz) -> Option<FixedOffset> {
        let offset = self.zones.get(&zone)?.to_offset(Timestamp::from_second(at.timestamp()).ok()?);
        FixedOffset::east_opt(offset.seconds())
    }

    fn instants(&self, local: NaiveDateTime, zone: Tz) -> Option<MappedLocalTime<DateTime<Utc>>> {
        let zone = self.zones.get(&zone)?;
        let on = |offset: jiff::tz::Offset| Some((local - Duration::seconds(offset.seconds().into())).and_utc());
        Some(match zone.to_ambiguous_timestamp(civil_of(local)?).offset() {
            AmbiguousOffset::Unambiguous { offset } => MappedLocalTime::Single(on(offset)?),
            AmbiguousOffset::Fold { before, after } => MappedLocalTime::Ambiguous(on(before)?, on(after)?),
            AmbiguousOffset::Gap { .. } => MappedLocalTime::None,
        })
    }
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} zones of version {:?}", self.zones.len(), self.version)
    }
}

fn civil_of(local: NaiveDateTime) -> Option<civil::DateTime> {
    let small = |number: u32| i8::try_from(number).ok();
    let year = i16::try_from(local.year()).ok()?;
    civil::DateTime::new(
        year,
        small(local.month())?,
        small(local.day())?,
        small(local.hour())?,
        small(local.minute())?,
        small(local.second())?,
        0,
    )
    .ok()
}

/// By the files themselves: the first line of `tzdata.zi` (Linux), or `+VERSION` (BSD, macOS).
fn version_of(directory: &Path) -> Option<String> {
    use std::io::{BufRead as _, BufReader};
    let first_line = |name: &str| {
        let mut line = String::new();
        BufReader::new(std::fs::File::open(directory.join(name)).ok()?).read_line(&mut line).ok()?;
        Some(line)
    };
    let said = first_line("tzdata.zi")
        .and_then(|line| line.trim().strip_prefix("# version ").map(str::to_owned))
        .or_else(|| first_line("+VERSION"))?;
    let said = said.trim();
    is_version(said).then(|| said.to_owned())
}

/// `2025b`, and not `unknown`: versions are compared as texts.
pub fn is_version(text: &str) -> bool {
    let (year, letter) = text.split_at(text.len().min(4));
    year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit()) && !letter.is_empty() && letter.bytes().all(|b| b.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_setting_says_where_zones_come_from() {
        assert_eq!(Source::parse("built-in"), Ok(Source::BuiltIn));
        assert_eq!(Source::parse("system"), Ok(Source::Directory("/usr/share/zoneinfo".into())));
        assert_eq!(Source::parse("/srv/zones"), Ok(Source::Directory("/srv/zones".into())));
        assert!(Source::parse("zones").is_err());
        assert!(Source::parse("").is_err());
        assert!(System::read(Path::new("/nowhere")).is_err());
    }

    #[test]
    fn versions_are_told_from_other_texts() {
        for good in ["2025b", "2026a", "2026aa"] {
            assert!(is_version(good), "{good}");
        }
        for bad in ["", "2025", "unknown", "25b", "2025-b", "２025b"] {
            assert!(!is_version(bad), "{bad}");
        }
        assert!(is_version(IANA_TZDB_VERSION));
    }

    /// The system's files are read as what is compiled in, for zones and years on which the two agree.
    #[test]
    fn files_are_read_as_what_is_compiled_in() {
        let Ok(system) = System::read(Path::new(SYSTEMS_DIRECTORY)) else { return };
        let mut compared = 0;
        for zone in
            [Tz::Asia__Shanghai, Tz::Europe__Paris, Tz::America__New_York, Tz::Australia__Lord_Howe, Tz::Asia__Calcutta, Tz::Europe__Kiev]
        {
            if !system.zones.contains_key(&zone) {
                continue;
            }
            let mut at = utc("2020-01-01T00:10:00Z");
            while at < utc("2026-01-01T00:00:00Z") {
                let built_in = at.with_timezone(&zone);
                assert_eq!(system.offset(at, zone), Some(built_in.offset().fix()), "{zone} {at}");
                let local = built_in.naive_local();
                assert_eq!(system.instants(local, zone), Some(zone.from_local_datetime(&local).map(|at| at.to_utc())), "{zone} {local}");
                let skipped = local + Duration::minutes(30);
                assert_eq!(
                    system.instants(skipped, zone),
                    Some(zone.from_local_datetime(&skipped).map(|at| at.to_utc())),
                    "{zone} {skipped}"
                );
                at += Duration::minutes(3 * 60 + 20);
                compared += 1;
            }
        }
        assert!(compared == 0 || compared > 10_000);
    }

    #[test]
    fn old_and_renamed_zones_have_their_names() {
        for name in ["Asia/Calcutta", "Asia/Kolkata", "Europe/Kiev", "Europe/Kyiv", "America/Coyhaique", "US/Eastern", "Asia/Saigon"] {
            assert!(name.parse::<Tz>().is_ok(), "{name}");
        }
    }
}
