//! From text to lines of cells under known columns.

use std::collections::{BTreeSet, HashMap};

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde::{Deserialize, Deserializer, Serialize};
use unicode_normalization::UnicodeNormalization as _;
use utoipa::ToSchema;

use super::Wrongs;
use super::records::{Cells, Records};
use super::words::column;
use crate::import::Kind;
use crate::language::Language;
use crate::reports::rules::cell;
use crate::wrong::Wrong;

/// What stands between two cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Delimiter {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// A tabulator.
    Tab,
}

/// In which order day, month and year stand in a date that does not begin with the year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// Only dates that begin with the year are read.
    #[default]
    Ymd,
    /// Day, month, year.
    Dmy,
    /// Month, day, year.
    Mdy,
}

/// The most columns of a file: more stand in none of another program.
const COLUMNS_MAX: usize = 200;

/// What the columns of a file are, in their order, where its sender says so: a column's name here, or nothing for one that is left out. As
/// one text, with commas between.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Columns(String);

impl Columns {
    /// In the order of the file; empty: it is left out.
    pub fn new<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        Self(names.collect::<Vec<_>>().join(","))
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split(',').map(str::trim)
    }

    /// What is wrong with them for a file of this kind.
    pub fn check(&self, kind: Kind) -> Result<(), Wrong> {
        let mut seen = BTreeSet::new();
        for name in self.names().filter(|name| !name.is_empty()) {
            if !columns_of(kind).iter().any(|(known, ..)| *known == name) {
                return Err(Wrong::NoColumn { columns: names_of(kind).collect::<Vec<_>>().join(", ") });
            }
            if !seen.insert(name) {
                return Err(Wrong::Twice);
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.split(',').count() > COLUMNS_MAX { Err(Wrong::NotRight.refuse()) } else { Ok(Self(text)) }
    }
}

/// The columns of files of this kind, by their names here.
pub fn names_of(kind: Kind) -> impl Iterator<Item = &'static str> {
    columns_of(kind).iter().map(|(name, ..)| *name)
}

/// How a cell is filled, beside what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fill {
    Text,
    /// A telephone number or a number: `+` and `-` are part of it.
    Number,
}

/// A column: what it is called here, and by what else it is known, in our own spelling ([`plain`]). Among them what Mindbody and Momence
/// call it in their exports.
type Column = (&'static str, Fill, &'static [&'static str]);

const EXTERNAL_ID: Column = (
    "external_id",
    Fill::Number,
    &[
        "id",
        "clientid",
        "mindbodyid",
        "memberid",
        "customerid",
        "barcodeid",
        "rssid",
        "会员编号",
        "會員編號",
        "会员号",
        "會員號",
        "编号",
        "編號",
    ],
);
const EMAIL: Column = (
    "email",
    Fill::Text,
    &[
        "emailaddress",
        "mail",
        "clientemail",
        "customeremail",
        "memberemail",
        "邮箱",
        "邮箱地址",
        "电子邮箱",
        "电子邮件",
        "电子邮件地址",
        "邮件",
        "邮件地址",
        "會員信箱",
        "信箱",
        "電子信箱",
        "郵箱",
        "電郵",
        "電郵地址",
        "電子郵件",
        "電子郵件地址",
        "電子郵箱",
        "郵件",
    ],
);
const MEMBER: Column = ("member_external_id", Fill::Number, &["clientid", "memberid", "customerid", "mindbodyid", "会员编号", "會員編號"]);
const MEMBER_NAME: Column = (
    "member_name",
    Fill::Text,
    &[
        "name",
        "client",
        "clientname",
        "customer",
        "customername",
        "member",
        "姓名",
        "会员",
        "會員",
        "会员姓名",
        "會員姓名",
        "中文名",
        "客户姓名",
        "客戶姓名",
    ],
);

const MEMBERS: &[Column] = &[
    EXTERNAL_ID,
    (
        "name",
        Fill::Text,
        &[
            "fullname",
            "client",
            "clientname",
            "customer",
            "customername",
            "membername",
            "姓名",
            "名字",
            "会员",
            "會員",
            "会员姓名",
            "會員姓名",
            "中文名",
            "中文姓名",
            "客户姓名",
            "客戶姓名",
        ],
    ),
    ("first_name", Fill::Text, &["firstname", "givenname", "名"]),
    ("last_name", Fill::Text, &["lastname", "surname", "familyname", "姓"]),
    EMAIL,
    (
        "phone",
        Fill::Number,
        &[
            "phonenumber",
            "telephone",
            "mobile",
            "mobilephone",
            "cellphone",
            "homephone",
            "手机",
            "手機",
            "电话",
            "電話",
            "手机号",
            "手机号码",
            "电话号码",
            "联系电话",
            "联系方式",
            "移动电话",
            "手機號",
            "手機號碼",
            "電話號碼",
            "聯絡電話",
            "聯繫電話",
            "行動電話",
        ],
    ),
    ("locale", Fill::Text, &["language", "语言", "語言"]),
];

const PASSES: &[Column] = &[
    ("external_id", Fill::Number, &["passid", "purchaseid", "saleid", "membershipid", "卡号", "票號"]),
    MEMBER,
    EMAIL,
    MEMBER_NAME,
    (
        "pass_type",
        Fill::Text,
        &[
            "pass",
            "pricingoption",
            "membership",
            "membershipname",
            "servicename",
            "product",
            "卡种",
            "卡种名称",
            "卡名",
            "票種",
            "票種名稱",
            "票名",
            "次卡",
            "套票",
        ],
    ),
    (
        "credits_left",
        Fill::Number,
        &[
            "credits",
            "remaining",
            "visitsremaining",
            "sessionsremaining",
            "creditsremaining",
            "remainingcredits",
            "eventsleft",
            "剩余次数",
            "剩餘次數",
            "余次",
        ],
    ),
    ("starts_on", Fill::Number, &["startdate", "activationdate", "activedate", "activatedon", "开始日期", "生效日期", "開始日期"]),
    (
        "expires_on",
        Fill::Number,
        &[
            "expirationdate",
            "expirydate",
            "expiration",
            "expires",
            "expdate",
            "enddate",
            "validuntil",
            "到期日",
            "到期日期",
            "有效期",
            "有效期至",
        ],
    ),
];

const BOOKINGS: &[Column] = &[
    ("external_id", Fill::Number, &["bookingid", "visitid", "reservationid", "预约编号", "預約編號"]),
    MEMBER,
    EMAIL,
    MEMBER_NAME,
    ("class_type", Fill::Text, &["class", "classname", "session", "sessionname", "event", "service", "课程", "課程", "課堂"]),
    ("local_start", Fill::Number, &["startsat", "starttime", "sessiondate", "classdatetime", "datetime", "开始时间", "開始時間"]),
    ("date", Fill::Number, &["classdate", "visitdate", "startdate", "日期"]),
    ("time", Fill::Number, &["classtime", "visittime", "时间", "時間"]),
    ("status", Fill::Text, &["bookingstatus", "visitstatus", "attendance", "状态", "狀態"]),
];

const fn columns_of(kind: Kind) -> &'static [Column] {
    match kind {
        Kind::Members => MEMBERS,
        Kind::Passes => PASSES,
        Kind::Bookings => BOOKINGS,
    }
}

/// A file as lines of cells.
#[derive(Debug)]
pub struct Table {
    kind: Kind,
    /// The first line, as it stands there.
    pub heading: Vec<String>,
    at: HashMap<&'static str, usize>,
    /// Columns that are not known.
    pub ignored: Vec<String>,
    /// The lines that have something in them, with their numbers in the file.
    pub lines: Vec<(u64, Cells)>,
    /// There are more lines than these.
    pub is_too_long: bool,
}

impl Table {
    /// Reads the first line as columns, and the others as cells. The columns are those that are known by their headings.
    pub fn of(text: &str, kind: Kind, delimiter: Option<Delimiter>, lines_max: usize) -> Result<Self, Wrong> {
        Self::with(text, kind, delimiter, None, lines_max)
    }

    /// The same, with the columns that somebody named. What no file of another program looks like is refused before much of it is kept.
    pub fn with(text: &str, kind: Kind, delimiter: Option<Delimiter>, columns: Option<&Columns>, lines_max: usize) -> Result<Self, Wrong> {
        let first = text.lines().next().unwrap_or_default();
        let delimiter = match delimiter {
            Some(Delimiter::Comma) => b',',
            Some(Delimiter::Semicolon) => b';',
            Some(Delimiter::Tab) => b'\t',
            // What stands most often in the first line; a comma, if none does.
            None => [b'\t', b';', b','].into_iter().max_by_key(|mark| first.bytes().filter(|byte| byte == mark).count()).unwrap_or(b','),
        };
        let mut table = Self { kind, heading: Vec::new(), at: HashMap::new(), ignored: Vec::new(), lines: Vec::new(), is_too_long: false };
        let mut records = Records::of(text, delimiter);
        let Some(first) = records.read()? else { return Ok(table) };
        if first.width() > COLUMNS_MAX {
            return Err(Wrong::TooManyColumns { max: COLUMNS_MAX });
        }
        table.heading = first.cells().map(|cell| cell.trim().to_owned()).collect();
        match columns {
            Some(columns) => table.take(columns),
            None => table.know(),
        }
        table.note_ignored();
        while let Some(record) = records.read()? {
            if record.cells().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            if table.lines.len() == lines_max {
                table.is_too_long = true;
                break;
            }
            table.lines.push((record.line, record.keep(COLUMNS_MAX + 1)));
        }
        Ok(table)
    }

    /// The columns as they were named.
    fn take(&mut self, columns: &Columns) {
        for (at, name) in columns.names().take(self.heading.len()).enumerate() {
            if let Some(known) = names_of(self.kind).find(|known| *known == name) {
                self.at.entry(known).or_insert(at);
            }
        }
    }

    /// The columns by their headings.
    fn know(&mut self) {
        let known = columns_of(self.kind);
        // By its own name a column goes before one that is only known by the same word.
        for by_name in [true, false] {
            for (at, heading) in self.heading.iter().enumerate() {
                let word = plain(heading);
                let fits = |(name, _, words): &&Column| if by_name { plain(name) == word } else { words.contains(&word.as_str()) };
                let taken = self.at.values().any(|taken| *taken == at);
                if let Some((name, ..)) = known.iter().filter(fits).find(|(name, ..)| !self.at.contains_key(name))
                    && !taken
                {
                    self.at.insert(name, at);
                }
            }
        }
    }

    fn note_ignored(&mut self) {
        let ignored = self.heading.iter().enumerate().filter(|(at, heading)| !heading.is_empty() && !self.at.values().any(|one| one == at));
        self.ignored = ignored.map(|(_, heading)| heading.clone()).collect();
    }

    /// Each heading, and which column it is.
    pub fn columns(&self) -> Vec<(&str, Option<&'static str>)> {
        let of = |at: usize| self.at.iter().find(|(_, taken)| **taken == at).map(|(name, _)| *name);
        self.heading.iter().enumerate().map(|(at, heading)| (heading.as_str(), of(at))).collect()
    }

    /// Whether there is such a column.
    pub fn has(&self, column: &str) -> bool {
        self.at.contains_key(column)
    }

    /// Whether there is none that is known: it is another file, or has no first line.
    pub fn knows_no_column(&self) -> bool {
        self.at.is_empty()
    }

    /// The columns that are known, by their names here.
    pub fn known_columns(&self) -> String {
        names_of(self.kind).collect::<Vec<_>>().join(", ")
    }

    /// The line, to be read cell by cell.
    pub fn reader<'t>(&'t self, cells: &'t Cells) -> Reader<'t> {
        let mut wrongs = Vec::new();
        if cells.in_file() != self.heading.len() {
            wrongs.push(("line", Wrong::CellsInLine { cells: cells.in_file(), columns: self.heading.len() }));
        }
        Reader { table: self, cells, wrongs }
    }

    /// The lines that were left out, with their reasons in a last column: a file that can be mended and sent again.
    pub fn skipped(&self, reasons: &HashMap<u64, String>) -> Result<String, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let is_left_out = |number: &u64| reasons.contains_key(number);
        let widths = self.lines.iter().filter(|(number, _)| is_left_out(number)).map(|(_, cells)| cells.iter().count());
        let width = widths.chain([self.heading.len()]).max().unwrap_or(0);
        let mut line = |cells: Vec<&str>, last: &str| {
            let padded = cells.into_iter().chain(std::iter::repeat("")).take(width).chain([last]);
            writer.write_record(padded.map(|text| cell(text).into_owned()))
        };
        line(self.heading.iter().map(String::as_str).collect(), "reason")?;
        for (number, cells) in &self.lines {
            if let Some(reason) = reasons.get(number) {
                line(cells.iter().collect(), reason)?;
            }
        }
        let bytes = writer.into_inner().map_err(|error| error.into_error())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// A heading in the form in which it is compared: small letters without accents, digits and Chinese characters, and nothing else.
fn plain(heading: &str) -> String {
    heading.nfkd().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A line that is being read: what is wrong is gathered, column by column.
#[derive(Debug)]
pub struct Reader<'t> {
    table: &'t Table,
    cells: &'t Cells,
    wrongs: Wrongs,
}

impl Reader<'_> {
    /// A cell that may be empty.
    pub fn maybe<T>(&mut self, column: &'static str, parse: impl FnOnce(&str) -> Result<T, Wrong>) -> Option<T> {
        let text = self.table.at.get(column).and_then(|at| self.cells.get(*at))?.trim();
        // As spreadsheets and we ourselves write what would else be a formula.
        let text = text.strip_prefix('\'').filter(|rest| cell(rest) != *rest).unwrap_or(text);
        if text.is_empty() {
            return None;
        }
        let fill = columns_of(self.table.kind).iter().find(|(name, ..)| *name == column).map_or(Fill::Text, |(_, fill, _)| *fill);
        let runs = match fill {
            Fill::Text => cell(text) != text,
            Fill::Number => text.starts_with(['=', '@']),
        };
        let parsed = match () {
            () if text.contains('\u{fffd}') => Err(Wrong::Unreadable),
            () if runs => Err(Wrong::Formula),
            () => parse(text),
        };
        parsed.map_err(|wrong| self.is_wrong(column, wrong)).ok()
    }

    /// A cell that must be filled.
    pub fn must<T>(&mut self, column: &'static str, parse: impl FnOnce(&str) -> Result<T, Wrong>) -> Option<T> {
        let before = self.wrongs.len();
        let found = self.maybe(column, parse);
        if found.is_none() && self.wrongs.len() == before {
            self.is_wrong(column, Wrong::Missing);
        }
        found
    }

    /// Whether nothing stands in any of these columns.
    pub fn are_empty(&self, columns: &[&str]) -> bool {
        let cell = |column: &&str| self.table.at.get(*column).and_then(|at| self.cells.get(*at));
        columns.iter().filter_map(cell).all(|text| text.trim().is_empty())
    }

    /// Notes what is wrong with a column.
    pub fn is_wrong(&mut self, column: &'static str, wrong: Wrong) {
        self.wrongs.push((column, wrong));
    }

    /// What the line says, if nothing is wrong with it.
    pub fn done<T>(self, says: Option<T>) -> Result<T, Wrongs> {
        match says {
            Some(says) if self.wrongs.is_empty() => Ok(says),
            _ => Err(self.wrongs),
        }
    }
}

/// A date, in the years that both engines store.
pub fn date(text: &str, order: DateOrder) -> Result<NaiveDate, Wrong> {
    let parts: Vec<&str> = text.split(['-', '/', '.', '年', '月', '日']).filter(|part| !part.is_empty()).collect();
    let [one, two, three] = parts[..] else { return Err(Wrong::NotDate) };
    let (year, month, day) = match order {
        _ if one.len() == 4 => (one, two, three),
        DateOrder::Ymd => return Err(Wrong::NotDate),
        DateOrder::Dmy => (three, two, one),
        DateOrder::Mdy => (three, one, two),
    };
    let number = |text: &str| text.parse::<u32>().map_err(|_| Wrong::NotDate);
    let year = i32::try_from(number(year)?).unwrap_or(0);
    if !(2000..=2199).contains(&year) {
        return Err(Wrong::NotDate);
    }
    NaiveDate::from_ymd_opt(year, number(month)?, number(day)?).ok_or(Wrong::NotDate)
}

/// A time of the day: `18:30`, `18:30:00`, `6:30 PM`.
pub fn time(text: &str) -> Result<NaiveTime, Wrong> {
    let text = text.trim().to_uppercase();
    let known = ["%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M%p", "%I:%M:%S %p"];
    known.into_iter().find_map(|form| NaiveTime::parse_from_str(&text, form).ok()).ok_or(Wrong::NotTimeOfDay)
}

/// A date and a time in one cell.
pub fn date_time(text: &str, order: DateOrder) -> Result<NaiveDateTime, Wrong> {
    let (on, at) = text.split_once(['T', ' ']).ok_or(Wrong::NotLocalStart)?;
    Ok(date(on.trim_end_matches(','), order)?.and_time(time(at)?))
}

/// All that is wrong with a line, in one text, with the columns in words.
pub fn told(wrongs: &Wrongs, language: Language) -> String {
    let (space, between) = if language == Language::En { (" ", "; ") } else { ("", "；") };
    let each = wrongs.iter().map(|(name, wrong)| format!("{}{space}{}", column(name, language), wrong.words(language)));
    each.collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str, kind: Kind) -> Table {
        Table::of(text, kind, None, 10).unwrap()
    }

    fn read(table: &Table, line: usize, column: &'static str) -> Result<String, Wrongs> {
        let mut reader = table.reader(&table.lines[line].1);
        let text = reader.must(column, |text| Ok(text.to_owned()));
        reader.done(text)
    }

    proptest::proptest! {
        /// Whatever somebody sends: it is read, and each line says what is wrong with it.
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400), heading in "[a-z_,;\t\"]{0,60}") {
            use crate::import::rules::{bookings, decode::decode, members, passes};
            let bytes = [heading.as_bytes(), b"\nname,email\r\n", &bytes].concat();
            for kind in [Kind::Members, Kind::Passes, Kind::Bookings] {
                let table = Table::of(&decode(&bytes, None), kind, None, 100).unwrap();
                let lines = table.lines.len();
                proptest::prop_assert_eq!(members::read(&table).len(), lines);
                proptest::prop_assert_eq!(passes::read(&table, DateOrder::Mdy).len(), lines);
                proptest::prop_assert_eq!(bookings::read(&table, DateOrder::Dmy).len(), lines);
                let all = table.lines.iter().map(|(number, _)| (*number, "=why".to_owned())).collect();
                proptest::prop_assert!(table.skipped(&all).is_ok());
            }
        }
    }

    #[test]
    fn columns_are_known_by_many_names() {
        for (heading, column) in [
            ("Email Address", "email"),
            ("E-MAIL", "email"),
            ("電子郵件", "email"),
            ("邮箱", "email"),
            ("电子邮件", "email"),
            ("手机号码", "phone"),
            ("聯絡電話", "phone"),
            ("会员姓名", "name"),
            ("Client ID", "external_id"),
            ("Mobile Phone", "phone"),
            ("First Name", "first_name"),
            ("Prénom", ""),
        ] {
            let table = table(&format!("{heading}\nx\n"), Kind::Members);
            assert_eq!(table.has(column), !column.is_empty(), "{heading}");
            assert_eq!(table.ignored.is_empty(), !column.is_empty(), "{heading}");
        }
        // Its own name goes first: `name` is the member's in a file of passes.
        let passes = table("id,member_external_id,Pricing Option,Expiration Date,email\n1,2,Ten,2027-01-01,a@b.test\n", Kind::Passes);
        assert!(passes.has("pass_type") && passes.has("expires_on") && passes.has("member_external_id"));
    }

    #[test]
    fn columns_are_what_their_sender_says() {
        let text = "Name,Mail of the parent,Mail\nAna,a@b.test,b@b.test\n";
        let columns = Columns::new(["name", "", "email"].into_iter());
        let named = Table::with(text, Kind::Members, None, Some(&columns), 10).unwrap();
        assert_eq!(named.columns(), [("Name", Some("name")), ("Mail of the parent", None), ("Mail", Some("email"))]);
        assert_eq!(named.ignored, ["Mail of the parent"]);
        assert_eq!(read(&named, 0, "email").unwrap(), "b@b.test");
        // What is left out is left out, however well it is known; columns that the file does not have are none.
        let none = Columns::new(["", "", "", "name"].into_iter());
        assert!(Table::with(text, Kind::Members, None, Some(&none), 10).unwrap().knows_no_column());
        assert_eq!(Columns::new(["name", "name"].into_iter()).check(Kind::Members), Err(Wrong::Twice));
        assert!(matches!(Columns::new(["pass_type"].into_iter()).check(Kind::Members), Err(Wrong::NoColumn { .. })));
        assert_eq!(columns.check(Kind::Members), Ok(()));
    }

    #[test]
    fn cells_are_parted_by_what_the_first_line_shows() {
        for text in ["name,email\nAna,a@b.test\n", "name;email\nAna;a@b.test\n", "name\temail\r\nAna\ta@b.test\r\n"] {
            assert_eq!(read(&table(text, Kind::Members), 0, "email").unwrap(), "a@b.test", "{text}");
        }
        let quoted = table("name,email\n\"Ruíz, Ana\n\",a@b.test\n\nBo,b@b.test\n,\n", Kind::Members);
        assert_eq!(read(&quoted, 0, "name").unwrap(), "Ruíz, Ana");
        let numbers = |table: &Table| table.lines.iter().map(|(number, _)| *number).collect::<Vec<_>>();
        assert_eq!(numbers(&quoted), [2, 5], "an empty line is none");
        assert_eq!(numbers(&table("name,email\r\nAna,a@b.test\r\n\r\n\r\nBo,b@b.test\r\nCy,\r\n", Kind::Members)), [2, 5, 6]);
    }

    #[test]
    fn a_line_says_all_that_is_wrong_with_it() {
        let bad = table("name,email,phone\n=1+1,a\u{fffd}@b.test,+86 138\nAna\n'=1,'+86,'-1\n", Kind::Members);
        assert_eq!(read(&bad, 0, "name"), Err(vec![("name", Wrong::Formula)]));
        assert_eq!(read(&bad, 0, "email"), Err(vec![("email", Wrong::Unreadable)]));
        assert_eq!(read(&bad, 0, "phone").unwrap(), "+86 138");
        assert_eq!(read(&bad, 1, "name"), Err(vec![("line", Wrong::CellsInLine { cells: 1, columns: 3 })]));
        assert_eq!(read(&bad, 2, "name"), Err(vec![("name", Wrong::Formula)]), "its apostrophe makes it no name");
        assert_eq!(read(&bad, 2, "phone").unwrap(), "-1");
    }

    #[test]
    fn a_file_ends_somewhere() {
        let long = Table::of("name\na\nb\nc\n", Kind::Members, None, 2).unwrap();
        assert!(long.is_too_long && long.lines.len() == 2);
        assert!(!Table::of("name\na\nb\n", Kind::Members, None, 2).unwrap().is_too_long);
        let wide = |columns: usize| {
            Table::of(&format!("name{}\n", ",x".repeat(columns - 1)), Kind::Members, None, 2).map(|table| table.heading.len())
        };
        assert_eq!((wide(COLUMNS_MAX), wide(COLUMNS_MAX + 1)), (Ok(COLUMNS_MAX), Err(Wrong::TooManyColumns { max: COLUMNS_MAX })));
        // Of a line that is wider than its file no more is kept than shows that.
        let line = table(&format!("name\nAna{}\n", ",x".repeat(30_000)), Kind::Members).lines.remove(0).1;
        assert_eq!((line.in_file(), line.iter().count()), (30_001, COLUMNS_MAX + 1));
    }

    #[test]
    fn dates_and_times_as_people_write_them() {
        let day = |text: &str, order| date(text, order).map(|date| date.to_string());
        for (text, order, read) in [
            ("2026-12-01", DateOrder::Ymd, Some("2026-12-01")),
            ("2026/12/1", DateOrder::Mdy, Some("2026-12-01")),
            ("2026年12月1日", DateOrder::Ymd, Some("2026-12-01")),
            ("01.12.2026", DateOrder::Dmy, Some("2026-12-01")),
            ("12/1/2026", DateOrder::Mdy, Some("2026-12-01")),
            ("12/1/2026", DateOrder::Ymd, None),
            ("31/12/2026", DateOrder::Mdy, None),
            ("1926-12-01", DateOrder::Ymd, None),
            ("soon", DateOrder::Dmy, None),
        ] {
            assert_eq!(day(text, order).ok().as_deref(), read, "{text}");
        }
        for (text, read) in [("18:30", "18:30:00"), ("6:30 pm", "18:30:00"), ("06:30 AM", "06:30:00"), ("18:30:15", "18:30:15")] {
            assert_eq!(time(text).unwrap().to_string(), read);
        }
        assert_eq!(time("half past six"), Err(Wrong::NotTimeOfDay));
        assert_eq!(date_time("12/01/2026 6:30 PM", DateOrder::Mdy).unwrap().to_string(), "2026-12-01 18:30:00");
        assert_eq!(date_time("2026-12-01T18:30", DateOrder::Ymd).unwrap().to_string(), "2026-12-01 18:30:00");
    }

    #[test]
    fn what_was_left_out_runs_nowhere() {
        let bad = table("name,email\n=1+1,a@b.test\nAna,\nBo,b@b.test,more\n", Kind::Members);
        let reasons = HashMap::from([(2, "name: =no".to_owned()), (4, "line".to_owned())]);
        assert_eq!(bad.skipped(&reasons).unwrap(), "name,email,,reason\n'=1+1,a@b.test,,name: =no\nBo,b@b.test,more,line\n");
    }
}
