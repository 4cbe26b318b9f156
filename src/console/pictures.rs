//! The geometry of the pictures of figures: where squares and bars lie, and how dark they are. Pure; the strokes are in the templates, the
//! colours in the style sheet, so that pictures follow the reader's light and dark and every shape can be a link with words of its own.
//! A library was tried instead (plotters with its SVG backend alone): it writes one colour and one size into each shape, and has neither
//! titles nor descriptions nor links.

/// A ratio as people read it: `84%`; a dash where there is none.
pub fn percent(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{:.0}%", ratio * 100.0))
}

/// How dark the square of a ratio is: 0 (nothing taken) to 5 (from 80 of a hundred).
pub fn shade(ratio: f64) -> u8 {
    match ratio {
        r if r <= 0.0 => 0,
        r if r < 0.2 => 1,
        r if r < 0.4 => 2,
        r if r < 0.6 => 3,
        r if r < 0.8 => 4,
        _ => 5,
    }
}

/// One figure of a picture.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "each says itself")]
pub struct Shape {
    pub x: i64,
    pub y: i64,
    pub width: i64,
    pub height: i64,
    /// What is written on it or beside it.
    pub label: String,
    /// What it says to whoever does not see it, or asks.
    pub words: String,
    /// Where it leads.
    pub path: String,
    pub shade: u8,
}

/// A word of an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each says itself")]
pub struct Mark {
    pub x: i64,
    pub y: i64,
    pub label: String,
}

/// A picture, in units of its own.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "each says itself")]
pub struct Picture {
    pub width: i64,
    pub height: i64,
    pub shapes: Vec<Shape>,
    pub marks: Vec<Mark>,
}

/// A figure before it has a place: what it is called, how large it is, its words and where it leads.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// What it is called.
    pub name: String,
    /// How large it is.
    pub size: f64,
    /// As it is written.
    pub written: String,
    /// All that it says.
    pub words: String,
    /// Where it leads.
    pub path: String,
}

/// The left margin of hours and numbers.
const MARGIN: i64 = 40;
/// A square of the week.
const SQUARE: (i64, i64) = (44, 30);

/// The week as squares: a column for each weekday, a row for each hour from the earliest to the latest. Each value comes with its weekday, 1
/// to 7, and its hour.
pub fn week(values: &[(i64, i64, Value)], weekdays: [&str; 7]) -> Picture {
    let Some((first, last)) = values.iter().map(|(_, hour, _)| *hour).min().zip(values.iter().map(|(_, hour, _)| *hour).max()) else {
        return Picture::default();
    };
    let (wide, high) = SQUARE;
    let head = 20;
    let days = (0..).zip(weekdays).map(|(nth, day)| Mark { x: MARGIN + nth * wide + wide / 2, y: 13, label: day.to_owned() });
    let hours = (first..=last).map(|hour| Mark { x: MARGIN / 2, y: head + (hour - first) * high + 19, label: format!("{hour:02}") });
    let square = |(weekday, hour, value): &(i64, i64, Value)| Shape {
        x: MARGIN + (weekday - 1) * wide + 1,
        y: head + (hour - first) * high + 1,
        width: wide - 2,
        height: high - 2,
        label: value.written.clone(),
        words: value.words.clone(),
        path: value.path.clone(),
        shade: shade(value.size),
    };
    Picture {
        width: MARGIN + 7 * wide,
        height: head + (last - first + 1) * high,
        shapes: values.iter().map(square).collect(),
        marks: days.chain(hours).collect(),
    }
}

/// The shades of the two parts of a bar.
pub const TONES: [u8; 2] = [5, 2];
/// The same of a part of a week.
pub const PALER: [u8; 2] = [3, 1];
/// The height of a bar that is as high as can be.
const BAR_HIGH: i64 = 140;

/// Bars beside each other, each of two parts: below the first, above it the second; paler, if it is of a part of its time alone. The highest fills the picture; some have a date beneath,
/// so that the dates stay apart.
pub fn columns(values: &[(Value, Value, bool)]) -> Picture {
    let count = i64::try_from(values.len()).unwrap_or(0);
    let most = values.iter().map(|(below, above, _)| below.size + above.size).fold(1.0, f64::max);
    let (head, wide) = (10, (640 / count.max(1)).clamp(11, 64));
    let scaled = |size: f64| part(size, most, BAR_HIGH);
    let mut picture = Picture { width: MARGIN + count * wide, height: head + BAR_HIGH + 22, ..Picture::default() };
    // No two dates are nearer than 56 units.
    let every = (56 + wide - 1) / wide;
    for (nth, (below, above, is_part)) in (0..).zip(values) {
        let [dark, light] = if *is_part { PALER } else { TONES };
        let x = MARGIN + nth * wide + 1;
        let floor = head + BAR_HIGH;
        let (low, high) = (scaled(below.size), scaled(above.size));
        let shape = |y, height, shade, value: &Value| Shape {
            x,
            y,
            width: wide - 2,
            height,
            label: String::new(),
            words: value.words.clone(),
            path: value.path.clone(),
            shade,
        };
        picture.shapes.push(shape(floor - low, low, dark, below));
        if high > 0 {
            picture.shapes.push(shape(floor - low - high, high, light, above));
        }
        if nth % every == 0 {
            picture.marks.push(Mark { x: x + wide / 2, y: floor + 17, label: below.name.clone() });
        }
    }
    picture.marks.push(Mark { x: MARGIN / 2, y: head + 8, label: format!("{most:.0}") });
    picture.marks.push(Mark { x: MARGIN / 2, y: head + BAR_HIGH, label: "0".into() });
    picture
}

/// The width of a bar that is as long as can be, and of the picture.
const BAR_LONG: (i64, i64) = (290, 350);
/// The height of a name and its bar.
const LINE_HIGH: i64 = 42;

/// Bars below each other, each under its name; `whole` is as long as can be.
pub fn bars(values: &[Value], whole: f64) -> Picture {
    let bar = |(nth, value): (i64, &Value)| Shape {
        x: 0,
        y: nth * LINE_HIGH + 20,
        width: part(value.size, whole, BAR_LONG.0),
        height: 12,
        label: value.written.clone(),
        words: value.words.clone(),
        path: value.path.clone(),
        shade: 5,
    };
    let mark = |(nth, value): (i64, &Value)| Mark { x: 0, y: nth * LINE_HIGH + 14, label: short(&value.name) };
    Picture {
        width: BAR_LONG.1,
        height: i64::try_from(values.len()).unwrap_or(0) * LINE_HIGH,
        shapes: (0..).zip(values).map(bar).collect(),
        marks: (0..).zip(values).map(mark).collect(),
    }
}

/// A part of a length: at least one unit of what is there at all, never longer than the whole.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "lengths of a picture are small whole numbers")]
fn part(size: f64, whole: f64, length: i64) -> i64 {
    if size <= 0.0 || whole <= 0.0 { 0 } else { ((size / whole * length as f64).round() as i64).clamp(1, length) }
}

/// A name that fits over its bar: characters of Chinese are twice as wide.
fn short(name: &str) -> String {
    const WIDTH_MAX: usize = 40;
    let mut width = 0;
    for (at, c) in name.char_indices() {
        width += if c < '\u{1100}' { 1 } else { 2 };
        if width > WIDTH_MAX {
            return format!("{}…", &name[..at]);
        }
    }
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

    fn value(size: f64) -> Value {
        Value { name: "A".into(), size, written: percent(Some(size)), words: String::new(), path: String::new() }
    }

    #[test]
    fn ratios_in_words_and_shades() {
        assert_eq!([percent(Some(0.836)), percent(Some(1.0)), percent(None)], ["84%", "100%", "–"]);
        assert_eq!([0.0, 0.01, 0.2, 0.4, 0.79, 0.8, 1.2].map(shade), [0, 1, 2, 3, 4, 5, 5]);
    }

    #[test]
    fn a_week_begins_with_its_first_hour_and_stays_in_its_frame() {
        let picture = week(&[(1, 7, value(0.5)), (7, 19, value(1.0))], DAYS);
        assert_eq!((picture.width, picture.height), (348, 20 + 13 * 30));
        assert_eq!((picture.shapes[0].x, picture.shapes[0].y, picture.shapes[0].shade), (41, 21, 3));
        assert_eq!(picture.marks.len(), 7 + 13);
        assert!(picture.shapes.iter().all(|shape| shape.x + shape.width <= picture.width && shape.y + shape.height <= picture.height));
        assert_eq!(week(&[], DAYS), Picture::default());
    }

    #[test]
    fn the_highest_column_fills_the_picture() {
        let picture = columns(&[(value(3.0), value(1.0), false), (value(2.0), value(0.0), true)]);
        let heights: Vec<i64> = picture.shapes.iter().map(|shape| shape.height).collect();
        assert_eq!(heights, [105, 35, 70], "what is nothing has no shape");
        assert_eq!(picture.shapes.iter().map(|shape| shape.shade).collect::<Vec<_>>(), [5, 2, 3], "a part of a week is paler");
        assert_eq!(picture.shapes[1].y, 10, "the second part stands upon the first");
        let year = columns(&vec![(value(1.0), value(0.0), false); 53]);
        assert!(year.width <= MARGIN + 640);
        let dates: Vec<i64> = year.marks.iter().filter(|mark| mark.label == "A").map(|mark| mark.x).collect();
        assert!(dates.windows(2).all(|pair| pair[1] - pair[0] >= 56), "{dates:?}");
        assert_eq!(columns(&[]).shapes.len(), 0);
    }

    #[test]
    fn bars_are_parts_of_the_whole() {
        let picture = bars(&[value(0.5), value(0.0), value(0.0001), value(2.0)], 1.0);
        assert_eq!(picture.shapes.iter().map(|bar| bar.width).collect::<Vec<_>>(), [145, 0, 1, 290]);
        assert_eq!(bars(&[value(1.0)], 0.0).shapes[0].width, 0);
    }

    #[test]
    fn long_names_are_cut_where_a_character_ends() {
        assert_eq!(short("Barre"), "Barre");
        assert_eq!(short(&"课".repeat(30)), format!("{}…", "课".repeat(20)));
    }
}
