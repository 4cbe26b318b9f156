//! From text to records of cells (RFC 4180), within bounds: what a file may cost in memory is told by its bytes, however its lines are made.

use csv_core::ReadRecordResult;

use crate::wrong::Wrong;

/// The longest line, in bytes: a few pages of notes.
pub const LINE_BYTES_MAX: usize = 64 << 10;

/// Reads one record after another.
pub struct Records<'t> {
    text: &'t [u8],
    reader: csv_core::Reader,
    /// How much of the text is read.
    at: usize,
    output: Vec<u8>,
    ends: Vec<usize>,
}

/// A record: in which line of the file it begins, and its cells.
pub struct Record<'r> {
    pub line: u64,
    text: &'r str,
    ends: &'r [usize],
}

impl<'t> Records<'t> {
    /// Those of this text, with this between two cells.
    pub fn of(text: &'t str, delimiter: u8) -> Self {
        let reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        Self { text: text.as_bytes(), reader, at: 0, output: vec![0; LINE_BYTES_MAX + 1], ends: vec![0; LINE_BYTES_MAX + 1] }
    }

    /// The next one; a line that is too long is where the reading ends.
    pub fn read(&mut self) -> Result<Option<Record<'_>>, Wrong> {
        let line = self.reader.line() + self.breaks();
        let (mut written, mut cells) = (0, 0);
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let (output, ends) = (self.output.get_mut(written..), self.ends.get_mut(cells..));
            let (result, read, out, parted) = self.reader.read_record(rest, output.unwrap_or_default(), ends.unwrap_or_default());
            (self.at, written, cells) = (self.at + read, written + out, cells + parted);
            match result {
                // Asked once more without anything to read, it says what stands at the end.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    return Err(Wrong::LineTooLong { line, kib: LINE_BYTES_MAX >> 10 });
                }
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::Record => break,
            }
        }
        // The text is UTF-8 and is parted at ASCII marks alone.
        let text = std::str::from_utf8(self.output.get(..written).unwrap_or_default()).unwrap_or_default();
        Ok(Some(Record { line, text, ends: self.ends.get(..cells).unwrap_or_default() }))
    }

    /// Line breaks that stand before the next record.
    fn breaks(&self) -> u64 {
        let before = self.text.get(self.at..).unwrap_or_default().iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
        u64::try_from(before.filter(|byte| **byte == b'\n').count()).unwrap_or(0)
    }
}

impl Record<'_> {
    /// How many cells it has.
    pub const fn width(&self) -> usize {
        self.ends.len()
    }

    /// Its cells.
    pub fn cells(&self) -> impl Iterator<Item = &str> {
        parted(self.text, self.ends.iter().copied())
    }

    /// At most so many of its cells, to be kept.
    pub fn keep(&self, cells_max: usize) -> Cells {
        let ends: Box<[u32]> = self.ends.iter().take(cells_max).map(|end| u32::try_from(*end).unwrap_or(u32::MAX)).collect();
        let text = self.text.get(..ends.last().map_or(0, |end| *end as usize)).unwrap_or_default();
        Cells { text: text.into(), ends, of: self.ends.len() }
    }
}

/// Cells of a line, in one text: a text for each would take many times what the file does.
#[derive(Clone, Debug, Default)]
pub struct Cells {
    text: Box<str>,
    ends: Box<[u32]>,
    of: usize,
}

impl Cells {
    /// How many cells the line has in the file; fewer may be kept.
    pub const fn in_file(&self) -> usize {
        self.of
    }

    /// The cells that are kept.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        parted(&self.text, self.ends.iter().map(|end| *end as usize))
    }

    /// One of them.
    pub fn get(&self, at: usize) -> Option<&str> {
        let from = if at == 0 { 0 } else { *self.ends.get(at - 1)? as usize };
        self.text.get(from..*self.ends.get(at)? as usize)
    }
}

fn parted(text: &str, ends: impl Iterator<Item = usize>) -> impl Iterator<Item = &str> {
    ends.scan(0, |from, end| text.get(std::mem::replace(from, end)..end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<(u64, Vec<String>)> {
        let (mut records, mut all) = (Records::of(text, b','), Vec::new());
        while let Some(record) = records.read().unwrap() {
            let kept = record.keep(2);
            assert!(record.cells().take(2).eq(kept.iter()) && kept.in_file() == record.width());
            assert!((0..=2).map(|at| kept.get(at)).eq((0..=2).map(|at| kept.iter().nth(at))));
            all.push((record.line, record.cells().map(str::to_owned).collect()));
        }
        all
    }

    #[test]
    fn records_are_parted() {
        let line = |number: u64, cells: &[&str]| (number, cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>());
        assert_eq!(all(""), []);
        assert_eq!(
            all("姓名,b\r\n\r\n\"c, \"\"d\"\"\ne\",,f\n,\nlast"),
            [line(1, &["姓名", "b"]), line(3, &["c, \"d\"\ne", "", "f"]), line(5, &["", ""]), line(6, &["last"])]
        );
    }

    #[test]
    fn a_line_ends_somewhere() {
        let long = |cell: &str, times: usize| format!("name\n{}\n", cell.repeat(times));
        let read_all = |text: &str| {
            let mut records = Records::of(text, b',');
            while records.read()?.is_some() {}
            Ok(())
        };
        assert_eq!(read_all(&long("a", LINE_BYTES_MAX)), Ok(()));
        let too_long = Err(Wrong::LineTooLong { line: 2, kib: 64 });
        // Of one cell, of many empty ones, and of many lines within quotes.
        for text in [long("a", LINE_BYTES_MAX + 1), long(",", LINE_BYTES_MAX + 1), long("\"\n\",", LINE_BYTES_MAX + 2)] {
            assert_eq!(read_all(&text), too_long);
        }
    }
}
