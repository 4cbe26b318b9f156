//! How the API writes an instant: RFC 3339 in UTC to the microsecond, always with six digits (`2026-12-01T10:30:00.000000Z`), since some
//! decoders expect fractions of a second always or never. For fields: `#[serde(with = "crate::instant")]`.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serializer;

/// The instant as text.
pub fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// An instant, or an optional one.
pub trait Instant {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

impl Instant for DateTime<Utc> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&text(*self))
    }
}

impl Instant for Option<DateTime<Utc>> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Some(at) => at.write(serializer),
            None => serializer.serialize_none(),
        }
    }
}

/// What `#[serde(with)]` calls.
pub fn serialize<S: Serializer>(at: &impl Instant, serializer: S) -> Result<S::Ok, S::Error> {
    at.write(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instant_has_six_digits() {
        for (nanoseconds, expected) in
            [(0, "2026-12-01T10:30:00.000000Z"), (500_000_000, "2026-12-01T10:30:00.500000Z"), (1_234_567, "2026-12-01T10:30:00.001234Z")]
        {
            assert_eq!(text(DateTime::from_timestamp(1_796_121_000, nanoseconds).unwrap()), expected);
        }
    }
}
