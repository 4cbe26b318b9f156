//! Sums and ratios of a report, and cells that no spreadsheet runs. Pure.

use std::borrow::Cow;

use super::Counts;

/// The sums of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Sessions that were not cancelled.
    pub sessions: i64,
    /// The places of all these sessions.
    pub capacity: i64,
    /// Those of them that are taken.
    pub filled: i64,
    /// All bookings.
    pub counts: Counts,
}

impl Sums {
    /// Adds a session. One that the studio cancelled has no places to fill.
    pub fn add(&mut self, capacity: i64, cancelled: bool, counts: Counts) {
        if !cancelled {
            self.sessions += 1;
            self.capacity += capacity;
            self.filled += counts.booked;
        }
        self.counts.booked += counts.booked;
        self.counts.attended += counts.attended;
        self.counts.unrecorded += counts.unrecorded;
        self.counts.late_cancelled += counts.late_cancelled;
        self.counts.cancelled += counts.cancelled;
        self.counts.no_show += counts.no_show;
        self.counts.waitlisted += counts.waitlisted;
    }
}

/// How full: the places taken over all places, to four digits; `None` where there are none.
pub fn fill(taken: i64, capacity: i64) -> Option<f64> {
    #[allow(clippy::cast_precision_loss, reason = "counts of places are far below 2^52")]
    let ratio = (taken * 10_000 / capacity.max(1)) as f64 / 10_000.0;
    (capacity > 0).then_some(ratio)
}

/// The cell with an apostrophe before it if a spreadsheet would take it for a formula (OWASP, "CSV Injection").
pub fn cell(text: &str) -> Cow<'_, str> {
    let runs = |c: char| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    if text.trim_start_matches(' ').starts_with(runs) { format!("'{text}").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_runs() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"] {
            assert_eq!(cell(text), format!("'{text}"));
        }
        for text in ["", "Barre", "a=b", "林月", "'=1"] {
            assert_eq!(cell(text), text);
        }
    }

    #[test]
    fn how_full() {
        assert_eq!(fill(18, 20), Some(0.9));
        assert_eq!(fill(1, 3), Some(0.3333));
        assert_eq!(fill(0, 0), None);
    }

    #[test]
    fn what_the_studio_cancelled_has_no_places() {
        let mut sums = Sums::default();
        let counts = Counts { booked: 5, waitlisted: 1, ..Counts::default() };
        sums.add(10, false, counts);
        sums.add(10, true, Counts { cancelled: 3, ..Counts::default() });
        assert_eq!((sums.sessions, sums.capacity, sums.filled, sums.counts.cancelled), (1, 10, 5, 3));
    }
}
