//! The house rules in words: a sentence each, with a gap where the number stands.

use crate::language::Language;

/// How a rule is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "what it is")]
pub enum Kind {
    Number,
    /// Minutes, shown and typed as a length of time.
    Length,
    Time,
    Flag,
    Choice,
    Money,
    Currency,
}

/// A choice: what is sent, and what is shown in each language.
type Choice = (&'static str, [&'static str; 3]);

/// One rule. `{}` is where its field stands.
pub struct Sentence {
    pub rule: &'static str,
    pub kind: Kind,
    /// Whether it may be left empty.
    pub may_be_empty: bool,
    /// Whether it goes on with the sentence before it.
    pub goes_on: bool,
    words: [&'static str; 3],
    choices: &'static [Choice],
}

impl Sentence {
    /// The same, as a part of the sentence before it.
    const fn on(self) -> Self {
        Self { goes_on: true, ..self }
    }

    /// What stands before the field and behind it, with the spaces between.
    pub fn in_words(&self, language: Language) -> [&'static str; 2] {
        let sentence = pick(self.words, language);
        let (before, after) = sentence.split_once("{}").unwrap_or((sentence, ""));
        [before, after]
    }

    /// What may be chosen.
    pub fn choices(&self, language: Language) -> Vec<(&'static str, &'static str)> {
        self.choices.iter().map(|(value, words)| (*value, pick(*words, language))).collect()
    }
}

/// Rules that belong together.
pub struct Group {
    title: [&'static str; 3],
    pub sentences: &'static [Sentence],
}

impl Group {
    /// What they are about.
    pub fn title(&self, language: Language) -> &'static str {
        pick(self.title, language)
    }
}

fn pick([en, zh_hans, zh_hant]: [&'static str; 3], language: Language) -> &'static str {
    match language {
        Language::En => en,
        Language::ZhHans => zh_hans,
        Language::ZhHant => zh_hant,
    }
}

const fn must(rule: &'static str, kind: Kind, words: [&'static str; 3]) -> Sentence {
    Sentence { rule, kind, may_be_empty: false, goes_on: false, words, choices: &[] }
}

const fn may(rule: &'static str, kind: Kind, words: [&'static str; 3]) -> Sentence {
    Sentence { rule, kind, may_be_empty: true, goes_on: false, words, choices: &[] }
}

const fn choice(rule: &'static str, words: [&'static str; 3], choices: &'static [Choice]) -> Sentence {
    Sentence { rule, kind: Kind::Choice, may_be_empty: false, goes_on: false, words, choices }
}

use Kind::{Currency, Flag, Length, Money, Number, Time};

/// Every rule that the page shows, in its order.
pub static GROUPS: &[Group] = &[
    Group {
        title: ["Booking", "预约", "預約"],
        sentences: &[
            must(
                "booking_opens_days",
                Number,
                ["Booking opens {} days before the class", "课程开始前{}天起可预约，", "課堂開始前{}天起可預約，"],
            ),
            must("booking_opens_at", Time, ["at {}.", "从当天{}起。", "從當天{}起。"]).on(),
            must("booking_closes_min", Length, ["It closes {} before the start.", "开课前{}截止预约。", "開課前{}截止預約。"]),
            must(
                "bookings_ahead_max",
                Number,
                ["A member has at most {} bookings ahead.", "每位会员最多同时持有{}个预约。", "每位會員最多同時持有{}個預約。"],
            ),
            may(
                "bookings_per_day_max",
                Number,
                ["At most {} places a day; empty: no cap.", "每天最多{}个名额；留空则不限。", "每天最多{}個名額；留空則不限。"],
            ),
            may(
                "bookings_per_week_max",
                Number,
                ["At most {} places a week; empty: no cap.", "每周最多{}个名额；留空则不限。", "每週最多{}個名額；留空則不限。"],
            ),
            may(
                "bookings_per_month_max",
                Number,
                ["At most {} places a month; empty: no cap.", "每月最多{}个名额；留空则不限。", "每月最多{}個名額；留空則不限。"],
            ),
            must("guests_max", Number, ["A member may bring {} guests.", "每位会员可携{}位同行客人。", "每位會員可攜{}位同行賓客。"]),
        ],
    },
    Group {
        title: ["Cancelling", "取消", "取消"],
        sentences: &[
            must(
                "free_cancel_min",
                Length,
                ["Cancelling is free until {} before the start.", "开课前{}之前可免费取消。", "開課前{}之前可免費取消。"],
            ),
            may(
                "free_cancel_morning_until",
                Time,
                [
                    "Classes before noon: until {} the evening before instead; empty: as above.",
                    "上午的课：前一晚{}之前可免费取消；留空则同上。",
                    "上午的課：前一晚{}之前可免費取消；留空則同上。",
                ],
            ),
            must(
                "grace_booking_min",
                Length,
                ["Whoever has just booked cancels free for {}.", "预约后{}内可免费取消。", "預約後{}內可免費取消。"],
            ),
            must(
                "grace_promotion_min",
                Length,
                ["Whoever was moved in from the waitlist cancels free for {}.", "候补转入后{}内可免费取消。", "候補轉入後{}內可免費取消。"],
            ),
            must(
                "returned_credit_days_min",
                Number,
                [
                    "A credit that the studio gives back is good for {} days at least.",
                    "工作室退还的次数至少还可使用{}天。",
                    "工作室退還的次數至少還可使用{}天。",
                ],
            ),
        ],
    },
    Group {
        title: ["Waitlist", "候补", "候補"],
        sentences: &[
            must(
                "waitlist_cap_percent",
                Number,
                ["As many as {} percent of the places may wait,", "候补人数上限为名额的{}%，", "候補人數上限為名額的{}%，"],
            ),
            must("waitlist_cap_min", Number, ["but at least {}.", "但至少{}人。", "但至少{}人。"]).on(),
            must("waitlist_unlimited", Flag, ["{} As many as want to may wait.", "{}候补人数不限。", "{}候補人數不限。"]),
            may(
                "waitlist_closes_min",
                Length,
                [
                    "The waitlist closes {} before the start; empty: when no way in is left.",
                    "开课前{}关闭候补；留空则在无法再获得名额时关闭。",
                    "開課前{}關閉候補；留空則在無法再取得名額時關閉。",
                ],
            ),
            may(
                "promotion_until_min",
                Length,
                [
                    "The next in the queue is moved in until {} before the start; empty: while cancelling is free.",
                    "开课前{}之前自动转入；留空则在可免费取消期间自动转入。",
                    "開課前{}之前自動轉入；留空則在可免費取消期間自動轉入。",
                ],
            ),
            choice(
                "after_cutoff",
                ["After that a free place {}", "此后空出的名额：{}", "此後釋出的名額：{}"],
                &[
                    ("open", ["is everybody’s", "向所有人开放", "開放給所有人"]),
                    ("offers", ["is offered in the queue’s order", "按候补顺序逐一保留", "按候補順序逐一保留"]),
                    ("notify_all", ["is kept for all who wait", "仅限候补会员，先到先得", "僅限候補會員，先到先得"]),
                    ("staff", ["is given by staff", "由工作人员分配", "由工作人員分配"]),
                ],
            ),
            must("offer_min", Length, ["An offer stands for {}.", "名额保留{}。", "名額保留{}。"]),
            must("offers_until_min", Length, ["Offers end {} before the start.", "开课前{}停止保留名额。", "開課前{}停止保留名額。"]),
            must("quiet_hours_from", Time, ["Quiet hours begin at {}", "免打扰时段自{}，", "勿擾時段自{}，"]),
            must("quiet_hours_until", Time, ["and end at {}.", "至{}。", "至{}。"]).on(),
        ],
    },
    Group {
        title: ["Late cancellations and absences", "逾期取消与缺席", "逾期取消與缺席"],
        sentences: &[
            must(
                "late_cancels_forgiven",
                Number,
                ["{} late cancellations of a month cost nothing.", "每月有{}次逾期取消免予处理。", "每月有{}次逾期取消免予處理。"],
            ),
            may(
                "late_cancel_fee_minor",
                Money,
                [
                    "With a membership a late cancellation costs {}; empty: nothing.",
                    "会员卡逾期取消收取{}；留空则不收。",
                    "會籍逾期取消收取{}；留空則不收。",
                ],
            ),
            may(
                "no_show_fee_minor",
                Money,
                ["An absence costs {}; empty: nothing.", "缺席收取{}；留空则不收。", "缺席收取{}；留空則不收。"],
            ),
            may(
                "fee_currency",
                Currency,
                ["The fees are in {} (three letters).", "以上费用的货币为{}（三个字母）。", "以上費用的貨幣為{}（三個字母）。"],
            ),
            choice(
                "strikes_for",
                ["A strike is {}", "记违约的情形：{}", "記違約的情形：{}"],
                &[
                    ("both", ["a late cancellation or an absence", "逾期取消或缺席", "逾期取消或缺席"]),
                    ("late_cancels", ["a late cancellation", "逾期取消", "逾期取消"]),
                    ("no_shows", ["an absence", "缺席", "缺席"]),
                ],
            ),
            must("strike_lapse_days", Number, ["It counts for {} days.", "违约记录有效{}天。", "違約紀錄有效{}天。"]),
            may(
                "strikes_max",
                Number,
                [
                    "{} strikes have a consequence; empty: none has.",
                    "累计{}次违约将受限；留空则不受限。",
                    "累計{}次違約將受限；留空則不受限。",
                ],
            ),
            must("strike_consequence_days", Number, ["For {} days", "受限期为{}天，", "受限期為{}天，"]),
            must(
                "strike_ahead_hours",
                Number,
                [
                    "only classes that start within {} hours may be booked; 0: none.",
                    "期间只可预约{}小时内开始的课程；0则不可预约。",
                    "期間只可預約{}小時內開始的課堂；0則不可預約。",
                ],
            )
            .on(),
        ],
    },
    Group {
        title: ["At the door", "到店", "到店"],
        sentences: &[
            must(
                "attendance_from_min",
                Length,
                ["Staff mark who comes from {} before the start", "开课前{}起可登记到课，", "開課前{}起可登記到課，"],
            ),
            must("attendance_until_hours", Number, ["until {} hours after the end.", "至课后{}小时。", "至課後{}小時。"]).on(),
            must(
                "no_show_provisional_min",
                Length,
                ["Who has not come {} after the start is absent for now", "开课{}后未到者暂记缺席，", "開課{}後未到者暫記缺席，"],
            ),
            must("no_show_final_min", Length, ["and finally {} after the end.", "课后{}起正式生效。", "課後{}起正式生效。"]).on(),
            must(
                "door_release_min",
                Length,
                [
                    "Unclaimed places go to those at the door {} after the start.",
                    "开课{}后可将无人认领的名额给现场候补。",
                    "開課{}後可將無人認領的名額給現場候補。",
                ],
            ),
        ],
    },
    Group {
        title: ["Too few", "人数不足", "人數不足"],
        sentences: &[
            must(
                "too_few_min",
                Length,
                ["Whether enough have booked is decided {} before the start.", "开课前{}决定是否开课。", "開課前{}決定是否開課。"],
            ),
            must("too_few_morning_before", Time, ["For classes before {}", "对于{}之前开始的课，", "對於{}之前開始的課，"]),
            must("too_few_evening_at", Time, ["it is decided at {} the evening before.", "在前一晚{}决定。", "在前一晚{}決定。"]).on(),
        ],
    },
    Group {
        title: ["The team", "团队", "團隊"],
        sentences: &[
            choice(
                "instructors_schedule",
                ["Instructors {}", "教练：{}", "教練：{}"],
                &[
                    ("own", ["make and change their own classes", "可自行安排自己的课", "可自行安排自己的課"]),
                    ("propose", ["propose classes; an admin publishes them", "可提交草稿，由管理员发布", "可提交草稿，由管理員發布"]),
                    ("none", ["do not schedule", "不可排课", "不可排課"]),
                ],
            ),
            must(
                "substitutes_need_approval",
                Flag,
                ["{} A substitute needs an admin’s approval.", "{}代课须经管理员批准。", "{}代課須經管理員批准。"],
            ),
        ],
    },
];
