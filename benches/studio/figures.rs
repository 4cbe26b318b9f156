//! What was measured, and how it is printed.

use std::time::Duration;

use crate::client::Storm;

/// The figures of one kind of storm, over its rounds.
pub struct Figures {
    rates: Vec<f64>,
    p50: Vec<Duration>,
    p99: Vec<Duration>,
}

impl Figures {
    /// No round yet.
    pub const fn new() -> Self {
        Self { rates: Vec::new(), p50: Vec::new(), p99: Vec::new() }
    }

    /// One more round.
    pub fn add(&mut self, storm: &Storm) {
        self.rates.push(storm.rate());
        self.p50.push(storm.percentile(0.5));
        self.p99.push(storm.percentile(0.99));
    }

    /// The rounds of another.
    pub fn join(&mut self, other: Self) {
        self.rates.extend(other.rates);
        self.p50.extend(other.p50);
        self.p99.extend(other.p99);
    }

    /// The median of the rounds' requests a second.
    pub fn rate(&self) -> f64 {
        let mut rates = self.rates.clone();
        rates.sort_by(f64::total_cmp);
        rates.get(rates.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// A line of the table: `| name | median (from–to) | p50 | p99 |`.
    pub fn line(&self, name: &str) -> String {
        let least = self.rates.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.rates.iter().copied().fold(0.0, f64::max);
        let range = if self.rates.len() > 1 { format!(" ({least:.0}–{most:.0})") } else { String::new() };
        format!("| {name} | {:.0}{range} | {} | {} |", self.rate(), ms(median(&self.p50)), ms(median(&self.p99)))
    }
}

fn median(durations: &[Duration]) -> Duration {
    let mut sorted = durations.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

fn ms(duration: Duration) -> String {
    let ms = duration.as_secs_f64() * 1_000.0;
    if ms < 10.0 { format!("{ms:.2} ms") } else { format!("{ms:.0} ms") }
}

/// A figure beside what it should reach.
pub struct Goal {
    pub what: String,
    pub got: String,
    pub wanted: String,
    pub reached: bool,
}

impl Goal {
    /// At least so much.
    pub fn at_least(what: impl Into<String>, got: f64, wanted: f64, unit: &str) -> Self {
        Self { what: what.into(), got: format!("{got:.2}{unit}"), wanted: format!("≥ {wanted}{unit}"), reached: got >= wanted }
    }

    /// At most so much.
    pub fn at_most(what: impl Into<String>, got: f64, wanted: f64, unit: &str) -> Self {
        Self { what: what.into(), got: format!("{got:.2}{unit}"), wanted: format!("≤ {wanted}{unit}"), reached: got <= wanted }
    }

    /// A line of the table.
    pub fn line(&self) -> String {
        let Self { what, got, wanted, reached } = self;
        format!("| {what} | {got} | {wanted} | {} |", if *reached { "reached" } else { "**missed**" })
    }
}
