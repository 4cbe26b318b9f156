//! What may be wrong with a field, a parameter or a header, in every language. Each is said after the field's name: "`capacity`: must be 1
//! to 20".

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::language::Language;

macro_rules! wrongs {
    ($($wrong:ident $({ $($fact:ident: $of:ty),+ })? => $en:literal, $hans:literal, $hant:literal;)*) => {
        /// What is wrong with one field, parameter or header.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "each has its words")]
        pub enum Wrong {
            $($wrong $({ $($fact: $of),+ })?,)*
        }

        impl Wrong {
            /// The words that this reader gets.
            #[allow(unused_variables, reason = "a language may say it without the fact")]
            pub fn words(&self, language: Language) -> String {
                match (self, language) {
                    $((Self::$wrong $({ $($fact),+ })?, Language::En) => format!($en),
                    (Self::$wrong $({ $($fact),+ })?, Language::ZhHans) => format!($hans),
                    (Self::$wrong $({ $($fact),+ })?, Language::ZhHant) => format!($hant),)*
                }
            }
        }
    };
}

wrongs! {
    // The form of a body, a parameter, a header.
    NotJson { line: usize, column: usize } => "is not JSON: look at line {line}, column {column}", "不是有效的 JSON：请检查第 {line} 行第 {column} 列", "不是有效的 JSON：請檢查第 {line} 行第 {column} 列";
    NotJsonType => "must be application/json", "必须为 application/json", "必須為 application/json";
    NotObject => "must be an object", "必须是对象", "必須是物件";
    NotList => "must be a list", "必须是列表", "必須是清單";
    NotText => "must be a text", "必须是文本", "必須是文字";
    NotWholeNumber => "must be a whole number", "必须是整数", "必須是整數";
    NotLength => "must be a length of time like \"12 h\", \"90 min\" or \"1:30\"", "必须是时长，例如 “12小时”、“90分钟” 或 “1:30”", "必須是時長，例如「12小時」、「90分鐘」或「1:30」";
    NotTrueOrFalse => "must be true or false", "必须是 true 或 false", "必須是 true 或 false";
    NotId => "must be an id (UUID)", "必须是编号（UUID）", "必須是編號（UUID）";
    NotOneOf { words: String } => "must be one of: {words}", "必须是以下之一：{words}", "必須是以下其中之一：{words}";
    NotRight => "is not right", "不正确", "不正確";
    Missing => "is missing", "缺失", "缺少";
    Unknown => "is not known here", "此处没有该字段", "此處沒有該欄位";
    Twice => "stands there twice", "重复出现", "重複出現";
    NotCursor => "is not a cursor of this list", "不是该列表的分页游标", "不是該清單的分頁游標";
    VersionNeeded => "must carry the version that was read", "必须带上所读取的版本号", "必須帶上所讀取的版本號";
    NotVersion => "must be a version", "必须是版本号", "必須是版本號";
    KeyNeeded => "is needed here", "此处必须提供", "此處必須提供";
    NotKey { max: usize } => "must have 1 to {max} visible characters", "必须为 1 至 {max} 个可见字符", "必須為 1 至 {max} 個可見字元";

    // Texts and numbers.
    Empty => "must not be empty", "不能为空", "不能為空";
    TooLong { max: usize } => "must have at most {max} characters", "最多 {max} 个字符", "最多 {max} 個字元";
    ControlCharacters => "must not have control characters", "不能包含控制字符", "不能包含控制字元";
    NothingSeen => "must have a character that can be seen", "必须包含可见字符", "必須包含可見字元";
    LinkWithoutEmail => "says whose the address is, and there is none", "用于说明邮箱属于谁，但未填写邮箱", "用於說明電子郵件屬於誰，但未填寫電子郵件";
    NoName => "must be a name, without web or e-mail addresses", "必须是名称，不能包含网址或邮箱", "必須是名稱，不能包含網址或電子郵件";
    NotEmail => "must be an e-mail address", "必须是邮箱地址", "必須是電子郵件地址";
    NotWebAddress => "must be an address like \"https://studio.example/shop\"", "必须是网址，例如 “https://studio.example/shop”", "必須是網址，例如「https://studio.example/shop」";
    NotCurrency => "must be a currency of ISO 4217 like \"EUR\"", "必须是 ISO 4217 货币代码，例如 “CNY”", "必須是 ISO 4217 貨幣代碼，例如「HKD」";
    NotLanguage => "is not a language of this service: en, zh-Hans or zh-Hant", "不是本服务支持的语言：en、zh-Hans 或 zh-Hant", "不是本服務支援的語言：en、zh-Hans 或 zh-Hant";
    OutOfRange { min: i64, max: i64 } => "must be {min} to {max}", "必须在 {min} 到 {max} 之间", "必須在 {min} 到 {max} 之間";
    TooMany { max: usize } => "must be at most {max}", "最多 {max} 项", "最多 {max} 項";
    NotSoManyIds { max: usize } => "must have 1 to {max} ids", "必须包含 1 到 {max} 个编号", "必須包含 1 到 {max} 個編號";

    // Time.
    NotInstant => "must be an instant as of RFC 3339, like \"2026-12-01T10:30:00Z\"", "必须是 RFC 3339 时间，例如 “2026-12-01T10:30:00Z”", "必須是 RFC 3339 時間，例如「2026-12-01T10:30:00Z」";
    NotDate => "must be a date like \"2026-12-01\" in the years 2000 to 2199", "必须是 2000 至 2199 年间的日期，例如 “2026-12-01”", "必須是 2000 至 2199 年間的日期，例如「2026-12-01」";
    NotLocalStart => "must be a local date and time like \"2026-12-01T18:30\", without a zone", "必须是不带时区的当地日期和时间，例如 “2026-12-01T18:30”", "必須是不帶時區的當地日期和時間，例如「2026-12-01T18:30」";
    NotInYears => "must be in the years 2000 to 2199", "必须在 2000 至 2199 年之间", "必須在 2000 至 2199 年之間";
    NotTimeOfDay => "must be a time of the day like \"18:30\"", "必须是一天中的时间，例如 “18:30”", "必須是一天中的時間，例如「18:30」";
    NotTimeZone => "must be a time zone of the IANA database like \"Europe/Paris\"", "必须是 IANA 时区，例如 “Asia/Shanghai”", "必須是 IANA 時區，例如「Asia/Hong_Kong」";
    SameAsFrom => "must differ from `from`", "必须与 `from` 不同", "必須與 `from` 不同";
    NotAfterFrom => "must be after `from`", "必须晚于 `from`", "必須晚於 `from`";
    TooFarFromFrom { days: u64 } => "must be at most {days} days after `from`", "最多比 `from` 晚 {days} 天", "最多比 `from` 晚 {days} 天";
    NotInFuture => "must be in the future", "必须是将来的时间", "必須是將來的時間";
    InPast => "must not be in the past", "不能早于今天", "不能早於今天";
    AfterStart => "must not be after the class starts", "不能晚于课程开始的时间", "不能晚於課堂開始的時間";
    SkippedByClock { next: String } => "does not exist there: the clocks are put forward; the next time that does is {next}", "当地该时刻不存在（时钟拨快）；下一个存在的时刻是 {next}", "當地該時刻不存在（時鐘撥快）；下一個存在的時刻是 {next}";
    NotOfItsDay => "must be an instant of this session's day, and not in the future", "必须是该课程当天的时间，且不能晚于现在", "必須是該課堂當天的時間，且不能晚於現在";
    NotLately { hours: i64 } => "must be an instant of the last {hours} hours, by a clock that is not ahead", "必须是最近 {hours} 小时内的时间，且设备时钟不能快于实际时间", "必須是最近 {hours} 小時內的時間，且裝置時鐘不能快於實際時間";
    UntilBeforeFrom => "`until` must be after `from`; 00:00 is the end of the day", "`until` 必须晚于 `from`；00:00 表示当天结束", "`until` 必須晚於 `from`；00:00 表示當天結束";
    NotWeekday => "`weekday` must be 1 (Monday) to 7 (Sunday)", "`weekday` 必须是 1（周一）到 7（周日）", "`weekday` 必須是 1（週一）到 7（週日）";

    // Accounts.
    PasswordLength { min: usize, max: usize } => "must have {min} to {max} characters", "必须为 {min} 至 {max} 个字符", "必須為 {min} 至 {max} 個字元";
    PasswordCommon => "is too easy to guess", "过于简单，容易被猜到", "過於簡單，容易被猜到";
    PasswordPersonal => "must not be made of your name, your address or a studio's name", "不能由您的姓名、邮箱或工作室名称组成", "不能由您的姓名、電子郵件或工作室名稱組成";
    NotYourPassword => "is not your password", "不是您的密码", "不是您的密碼";
    OneOfTheTwo => "is given in place of the password, not besides", "与密码二选一，不能同时提供", "與密碼二選一，不能同時提供";
    OneProof => "must be given, or else another proof of the second factor: one of them", "须填写一种两步验证凭据，且仅限一种", "須填寫一種兩步驟驗證憑據，且僅限一種";
    NeededWithoutAccount => "is needed: this address has no account yet", "必填：该邮箱还没有账号", "必填：該電子郵件還沒有帳號";
    NoRole => "must name one role at least", "至少需要一个角色", "至少需要一個角色";

    // Booking and passes.
    UnpaidNeedsReason => "is needed for an unpaid place", "不收费的名额必须填写原因", "不收費的名額必須填寫原因";
    ReplacesNothing => "needs `replaces`", "须与 `replaces` 一起填写", "須與 `replaces` 一起填寫";
    ReasonOnlyForUnpaid => "is only for an unpaid place", "仅用于不收费的名额", "僅用於不收費的名額";
    GuestOnlyBooks => "takes a place at once: it goes with neither `waitlist`, `conditions` nor `replaces`", "同伴须直接占用名额，不能与 `waitlist`、`conditions` 或 `replaces` 一起使用", "同伴須直接占用名額，不能與 `waitlist`、`conditions` 或 `replaces` 一起使用";
    VisitorOnlyBooks => "takes a place at once and pays with no pass: it goes with `session_id` alone", "访客须直接占用名额且不使用次卡，只能与 `session_id` 一起填写", "訪客須直接占用名額且不使用課堂套票，只能與 `session_id` 一起填寫";
    EmailOrName => "is needed, and only one of `email` and `name`", "必填，且 `email` 与 `name` 只能填写一项", "必填，且 `email` 與 `name` 只能填寫一項";
    StudioWithName => "goes with `name`, and only with it", "须且仅须与 `name` 一起填写", "須且僅須與 `name` 一起填寫";
    NotYourStudio => "is not a studio of which you are a member", "您不是该工作室的会员", "您不是該工作室的會員";
    StandbyWithOthers => "cannot be combined with waiting or with another booking", "不能与候补或改约同时使用", "不能與候補或改約同時使用";
    NotOfSession => "names a booking that is not of this session", "包含不属于该课程的预约", "包含不屬於該課堂的預約";
    NotMember => "is not a member of this studio", "不是该工作室的会员", "不是該工作室的會員";
    NotOnRoster => "is nobody's who has a place in this session", "不是该课程的有效预约", "不是該課堂的有效預約";
    AlsoAttended => "is among `attended` too", "同时出现在 `attended` 中", "同時出現在 `attended` 中";
    NeededForPack => "is needed for a pack", "次卡必须填写", "課堂套票必須填寫";
    OnlyForPack => "is only for a pack", "仅适用于次卡", "僅適用於課堂套票";
    OnlyForMembership => "is only for a membership", "仅适用于会员卡", "僅適用於會籍";
    NotPassType => "is not a pass type of this studio", "不是该工作室的卡种", "不是該工作室的票種";
    NotOnSale => "is not sold any more", "已停售", "已停售";
    UnknownStudio => "names a studio that does not exist", "包含不存在的工作室", "包含不存在的工作室";
    ForeignClassTypes => "names a class type that the pass's studios do not have", "包含该卡适用工作室没有的课程", "包含該票適用工作室沒有的課程";
    DaysOrMonths => "must be given, or else `valid_months`: one of the two", "必须填写，或改为填写 `valid_months`，二者选一", "必須填寫，或改為填寫 `valid_months`，二者擇一";
    OnlyFromFirstClass => "is only for a pass that is valid from the first class attended", "仅适用于自首次上课起计算有效期的卡", "僅適用於自首次上課起計算有效期的票";
    OfferNotTransferable => "must be false for what is only for new members, or once for each person", "仅限新会员或每人限购一次的卡不可转让", "僅限新會員或每人限購一次的票不可轉讓";
    NotLater => "must be later than its last day is", "必须晚于当前的有效期", "必須晚於目前的有效期";
    BeforeFrom => "must not be before `from`, nor in the past", "不能早于 `from` 或今天", "不能早於 `from` 或今天";
    AfterLastDay => "is after the last day of the pass", "晚于该卡的有效期", "晚於該票的有效期";
    TooFarAhead { days: u64 } => "must be at most {days} days from today", "最多为今天起 {days} 天", "最多為今天起 {days} 天";
    OneAtLeast => "must be given, or else `studio_id`", "必须填写，或改为填写 `studio_id`", "必須填寫，或改為填寫 `studio_id`";
    StudioNeeded => "is needed for `studio`", "`studio` 类型必须填写", "`studio` 類型必須填寫";
    NoStudio => "is not a studio", "不是工作室", "不是工作室";
    OnlyForStudio => "is only for `studio`", "仅用于 `studio` 类型", "僅用於 `studio` 類型";

    // Planning.
    NotClassType => "is not a class type of this studio", "不是该工作室的课程", "不是該工作室的課程";
    NotClassTypes => "must be class types of this studio", "必须是该工作室的课程", "必須是該工作室的課程";
    NotRoom => "is not a room of this studio", "不是该工作室的教室", "不是該工作室的教室";
    NotInstructor => "is not an instructor of this studio", "不是该工作室的教练", "不是該工作室的教練";
    OverRoom { max: i64 } => "must be 1 to {max}, the capacity of the room", "必须在 1 到教室容量 {max} 之间", "必須在 1 到教室容量 {max} 之間";
    SessionOrDates => "must be given, or else `from` and `to`", "必须填写，或改为填写 `from` 和 `to`", "必須填寫，或改為填寫 `from` 和 `to`";
    CopyOverlaps => "must be so far from `from` that no day is copied onto another that is copied", "与 `from` 的间隔必须足够大，避免复制的日期互相重叠", "與 `from` 的間隔必須足夠大，避免複製的日期互相重疊";
    TooManySessions { max: i64 } => "there are more than {max} sessions: ask for fewer days", "课程超过 {max} 节：请缩短日期范围", "課堂超過 {max} 節：請縮短日期範圍";
    NotInSeries => "must be \"this\": the session belongs to no series", "必须是 “this”：该课程不属于任何系列", "必須是「this」：該課堂不屬於任何系列";
    TooFarFromRule { days: i64 } => "must be within {days} days of the date that the series' rule gives", "必须在系列规则给出日期的 {days} 天之内", "必須在系列規則給出日期的 {days} 天之內";
    NoRule => "must be an RFC 5545 rule like \"FREQ=WEEKLY;BYDAY=MO,WE\", without \"RRULE:\" and DTSTART", "必须是 RFC 5545 规则，例如 “FREQ=WEEKLY;BYDAY=MO,WE”，不含 “RRULE:” 和 DTSTART", "必須是 RFC 5545 規則，例如「FREQ=WEEKLY;BYDAY=MO,WE」，不含「RRULE:」和 DTSTART";
    RuleTooOften => "must repeat by days or more slowly: FREQ is DAILY, WEEKLY, MONTHLY or YEARLY, one session a date at most", "最多每天一次：FREQ 为 DAILY、WEEKLY、MONTHLY 或 YEARLY", "最多每天一次：FREQ 為 DAILY、WEEKLY、MONTHLY 或 YEARLY";
    RuleHasTimes => "must give dates, one session a date at most: BYHOUR, BYMINUTE and BYSECOND are not taken, `local_time` says when", "只能给出日期：不接受 BYHOUR、BYMINUTE 和 BYSECOND，时间由 `local_time` 指定", "只能給出日期：不接受 BYHOUR、BYMINUTE 和 BYSECOND，時間由 `local_time` 指定";
    RuleHasEnd => "must not hold UNTIL or COUNT: `until` and `count` stand beside it", "不能包含 UNTIL 或 COUNT：请使用 `until` 和 `count`", "不能包含 UNTIL 或 COUNT：請使用 `until` 和 `count`";
    RuleInterval => "must have an INTERVAL of at least 1", "INTERVAL 至少为 1", "INTERVAL 至少為 1";
    RuleTooLate { days: u64 } => "must give a date within {days} days of `starts_on`", "必须在 `starts_on` 之后 {days} 天内给出日期", "必須在 `starts_on` 之後 {days} 天內給出日期";
    UntilOrCount => "must not stand beside `count`: one of them ends a series", "不能与 `count` 同时填写：系列只能由其中之一结束", "不能與 `count` 同時填寫：系列只能由其中之一結束";
    UntilBeforeStart => "must not be before `starts_on`", "不能早于 `starts_on`", "不能早於 `starts_on`";
    UntilTooLate { years: i32 } => "must be at most {years} years after `starts_on`; without it the series runs on", "最多比 `starts_on` 晚 {years} 年；不填写则一直持续", "最多比 `starts_on` 晚 {years} 年；不填寫則一直持續";
    NoDateLeft => "must leave at least one date", "必须至少保留一个日期", "必須至少保留一個日期";

    // House rules.
    NoHouseRule => "is no house rule", "不是约课规则", "不是預約規則";
    ClosesBeforeItOpens => "would close booking before it opens", "会使预约在开放之前截止", "會使預約在開放之前截止";
    ListClosesBeforeBookingOpens => "would close the waitlist before booking opens", "会使候补在预约开放之前关闭", "會使候補在預約開放之前關閉";
    PromotionAfterListCloses => "automatic promotion would go on after the waitlist has closed", "自动递补会晚于候补关闭的时间", "自動遞補會晚於候補關閉的時間";
    OffersEndBeforePromotion => "offers end before automatic promotion does", "名额邀请会早于自动递补结束", "名額邀請會早於自動遞補結束";
    ListClosesBeforeOffers => "the waitlist closes before the first offer could be made", "候补会在首个名额邀请之前关闭", "候補會在首個名額邀請之前關閉";
    NoOfferFits => "is longer than the time between the end of automatic promotion and the end of offers", "长于自动递补结束到名额邀请结束之间的时间", "長於自動遞補結束到名額邀請結束之間的時間";
    NoShowBeforeCheckInEnds => "would make members no-shows who may still check in", "会使仍可签到的会员被记为爽约", "會使仍可簽到的會員被記為缺席";
    RuleOfStudio => "is a rule of the whole studio", "是整个工作室的规则", "是整個工作室的規則";
    RuleOfSession => "is a rule of the class, whichever pass pays", "是课程的规则，与使用哪张卡无关", "是課堂的規則，與使用哪張票無關";
    CurrencyNeeded => "is needed with a fee", "设置费用时必须填写", "設定費用時必須填寫";
    // Files of lines.
    CellsInLine { cells: usize, columns: usize } => "has {cells} cells, and the file {columns} columns", "有 {cells} 个单元格，而文件有 {columns} 列", "有 {cells} 個儲存格，而檔案有 {columns} 欄";
    Unreadable => "has characters that cannot be read: the encoding is another", "含有无法读取的字符：编码不符", "含有無法讀取的字元：編碼不符";
    Formula => "would run as a formula in a spreadsheet", "在电子表格中会作为公式运行", "在試算表中會作為公式執行";
    OneOfColumns { columns: String } => "is needed, or another one of: {columns}", "必填，或填写以下之一：{columns}", "必填，或填寫以下其中之一：{columns}";
    SeveralMembers => "is needed: several members use this address", "必填：有多位会员使用该邮箱", "必填：有多位會員使用該電子郵件";
    NoClassThen => "names no class that is scheduled then", "该时间没有这样的课程", "該時間沒有這樣的課堂";
    SeveralClasses => "is needed: several classes begin then", "必填：该时间有多节课程开始", "必填：該時間有多堂課開始";
    OnlyBeforeClass => "is only for a class to come", "仅适用于尚未开始的课程", "僅適用於尚未開始的課堂";
    OnlyAfterClass => "is only for a class that has begun", "仅适用于已开始的课程", "僅適用於已開始的課堂";
    NoPlaceFree => "has no place that is free", "没有空余名额", "沒有空餘名額";
    BookedElsewhere => "is when the member is in another class", "会员在该时段有其他课程", "會員在該時段有其他課堂";
    NoColumn { columns: String } => "has none of the columns that are known: {columns}", "没有任何可识别的列：{columns}", "沒有任何可識別的欄：{columns}";
    TooManyColumns { max: usize } => "must have at most {max} columns", "最多 {max} 列", "最多 {max} 欄";
    LineTooLong { line: u64, kib: usize } => "must have no line longer than {kib} KiB: look at line {line}", "每行最多 {kib} KiB：请检查第 {line} 行", "每行最多 {kib} KiB：請檢查第 {line} 行";
    TooManyLines { max: usize } => "must have at most {max} lines", "最多 {max} 行", "最多 {max} 行";
}

/// Marks a [`Wrong`] on its way through a parser, whose errors are texts.
const MARK: char = '\u{1}';

impl Wrong {
    /// This, as a parser's error.
    pub fn refuse<E: serde::de::Error>(self) -> E {
        E::custom(format_args!("{MARK}{}", serde_json::to_string(&self).unwrap_or_default()))
    }

    /// What a parser's error says, put into our words: its own mean nothing to people who use an app.
    pub fn of_parser(message: &str) -> Self {
        if let Some(coded) = message.strip_prefix(MARK) {
            return serde_json::from_str(coded).unwrap_or(Self::NotRight);
        }
        let expected = message.rsplit_once(", expected ").map(|(_, expected)| expected).unwrap_or_default();
        match message {
            _ if message.starts_with("missing field") => Self::Missing,
            _ if message.starts_with("unknown field") => Self::Unknown,
            _ if message.starts_with("duplicate field") => Self::Twice,
            _ if message.starts_with("unknown variant") => {
                let words: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
                Self::NotOneOf { words: words.join(", ") }
            }
            _ if message.starts_with("UUID parsing failed") || expected.contains("UUID") => Self::NotId,
            _ if message.starts_with("invalid") => match expected {
                "i64" => Self::NotWholeNumber,
                "a boolean" => Self::NotTrueOrFalse,
                "a string" | "string or map" => Self::NotText,
                "a sequence" => Self::NotList,
                "an RFC 3339 formatted date and time string" | "a formatted date and time string" => Self::NotInstant,
                _ if expected.starts_with("struct ") || expected == "a map" => Self::NotObject,
                _ => Self::NotRight,
            },
            _ => Self::NotRight,
        }
    }
}

impl std::error::Error for Wrong {}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words(Language::En))
    }
}

// Here and not in `language`: this error is itself worded in a language.

impl FromStr for Language {
    type Err = Wrong;

    fn from_str(tag: &str) -> Result<Self, Self::Err> {
        Self::of_tag(tag).ok_or(Wrong::NotLanguage)
    }
}

impl<'de> Deserialize<'de> for Language {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(Wrong::refuse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_its_way_through_a_parser() {
        let wrong = Wrong::OutOfRange { min: 1, max: 200 };
        let error: serde_json::Error = wrong.clone().refuse();
        assert_eq!(Wrong::of_parser(&error.to_string()), wrong);
        assert_eq!(wrong.words(Language::ZhHans), "必须在 1 到 200 之间");
    }

    #[test]
    fn a_parser_is_not_quoted() {
        for (message, wrong) in [
            ("invalid type: string \"x\", expected i64", Wrong::NotWholeNumber),
            ("invalid type: integer `1`, expected a string", Wrong::NotText),
            ("invalid type: null, expected struct Body", Wrong::NotObject),
            ("unknown variant `x`, expected one of `a`, `b`", Wrong::NotOneOf { words: "a, b".into() }),
            ("unknown variant `x`, expected `a` or `b`", Wrong::NotOneOf { words: "a, b".into() }),
            ("missing field `name`", Wrong::Missing),
            ("UUID parsing failed: invalid length", Wrong::NotId),
            ("something that a library will say one day", Wrong::NotRight),
        ] {
            assert_eq!(Wrong::of_parser(message), wrong, "{message}");
        }
    }
}
