//! What the pages of planning say: series, copied weeks, days on which the studio is closed, substitutes.

use crate::language::Language;
use crate::schedule::series::{ByHand, GapReason};
use crate::schedule::substitutes::RequestState;

in_words! {
    by "Side by side", "分组方式", "分組方式";
    by_day "Day", "按日", "按日";
    planning "Planning", "排课", "排課";

    // Series.
    series "Series", "系列课", "系列課";
    series_why "A class that comes back every week. Its classes are made eight weeks ahead, and on from there.", "每周重复的课程，系统会提前八周生成并持续延续。", "每週重複的課堂，系統會提前八週產生並持續延續。";
    no_series "No series yet.", "还没有系列课。", "還沒有系列課。";
    new_series "New series", "新建系列课", "新增系列課";
    make_series "Begin the series", "开始系列课", "開始系列課";
    weekdays "Days of the week", "星期", "星期";
    time "Time", "时间", "時間";
    starts_on "From", "开始日期", "開始日期";
    ends_on "Last day", "结束日期", "結束日期";
    ends_on_hint "Left empty: it runs on.", "留空则持续进行。", "留空則持續進行。";
    since "from", "自", "自";
    series_over "over", "已结束", "已結束";
    proposed "draft", "草稿", "草稿";
    what_holds "What holds from when", "各时段安排", "各時段安排";
    series_to_come "Classes to come", "未开始的课程", "未開始的課堂";
    none_to_come "None are made yet.", "尚未生成课程。", "尚未產生課堂。";
    exceptions "Not as the series has it", "与系列不同的日期", "與系列不同的日期";
    by_hand "changed by hand:", "已单独修改：", "已單獨修改：";
    edit_all "Change all to come", "修改所有未开始的课", "修改所有未開始的課";
    cancel_all "End the series", "结束系列课", "結束系列課";
    publish_series "Publish the series", "发布系列课", "發布系列課";
    publish_series_why "Members then see its classes and can book them, also those that it makes later.", "发布后，会员即可看到并预约其中的课程，包括之后生成的课程。", "發布後，會員即可看到並預約其中的課堂，包括之後產生的課堂。";
    of_series "Of a series", "所属系列课", "所屬系列課";
    every_other "every", "每", "每";
    // A copied week.
    copy_week "Copy a week", "复制一周", "複製一週";
    copy_why "The classes of one week are put into another one, at the same times, as drafts. Members see nothing until they are published.", "将某一周的课程按相同时间复制到另一周，作为草稿。发布之前会员不可见。", "將某一週的課堂按相同時間複製到另一週，作為草稿。發布之前會員不可見。";
    copy_from "The week of", "复制自（该周内的日期）", "複製自（該週內的日期）";
    copy_to "Into the week of", "复制到（该周内的日期）", "複製到（該週內的日期）";
    copy_look "Show what would be copied", "预览", "預覽";
    copy_do "Copy", "复制", "複製";
    copied_count "Classes that are copied:", "将复制的课程：", "將複製的課堂：";

    // Days on which the studio is closed.
    closing_days "Closing days", "休息日", "休息日";
    closing_why "On these days the studio is closed: series make no classes, and the classes that are there are cancelled and given back.", "工作室在这些日期休息：系列课不再生成课程，已安排的课程将取消并全额退还。", "工作室在這些日期休息：系列課不再產生課堂，已安排的課堂將取消並全額退還。";
    no_closing_days "None to come.", "没有即将到来的休息日。", "沒有即將到來的休息日。";
    close_days "Close the studio", "设置休息日", "設定休息日";
    first_day "First day", "第一天", "第一天";
    last_day "Last day", "最后一天", "最後一天";
    last_day_hint "Left empty: the one day.", "留空则仅一天。", "留空則僅一天。";
    closing_note "Why (whoever was booked reads it)", "原因（已预约的会员可见）", "原因（已預約的會員可見）";
    open_again "Open again", "恢复营业", "恢復營業";
    open_again_why "Opening a day again brings no cancelled class back.", "恢复营业不会恢复已取消的课程。", "恢復營業不會恢復已取消的課堂。";

    // Substitutes.
    substitutes "Substitutes", "代课", "代課";
    substitutes_why "Who cannot teach a class asks; whoever teaches that and is free is written to, and the first who takes it has it.", "无法上课的教练发起代课请求；符合条件且有空的教练会收到邮件，先接受者代课。", "無法授課的教練發起代課請求；符合條件且有空的教練會收到郵件，先接受者代課。";
    own_requests "For you", "与您有关", "與您有關";
    all_requests "In the studio", "工作室", "工作室";
    ended_requests "Settled", "已处理", "已處理";
    no_requests "Nobody is looked for.", "没有代课请求。", "沒有代課請求。";
    ask_substitute "Look for a substitute", "寻找代课", "尋找代課";
    ask_note "A word to those who are asked", "给代课教练的说明", "給代課教練的說明";
    ask_do "Ask them", "发送请求", "發送請求";
    ask_days "For all your classes on some days", "某段日期内您的全部课程", "某段日期內您的全部課堂";
    nobody_to_ask "Nobody who teaches this said that they are free then; the admins are told twelve hours before.", "该时段没有可代课的教练；开课前12小时会通知管理员。", "該時段沒有可代課的教練；開課前12小時會通知管理員。";
    claim "I teach it", "我来代课", "我來代課";
    unclaim "I cannot after all", "取消代课", "取消代課";
    approve "Approve", "批准", "核准";
    decline "Somebody else", "不批准", "不核准";
    withdraw "Nobody is needed any more", "撤回请求", "撤回請求";
    name_somebody "Name somebody", "指定教练", "指定教練";
    asked_by "in place of", "代替：", "代替：";
    claimed_by "taken by", "代课：", "代課：";
    availability "What you teach, and when", "我的代课时间", "我的代課時間";
    availability_why "Whoever looks for a substitute reaches those who teach the class and said that they are free then.", "只有会教该课程且该时段有空的教练才会收到代课请求。", "只有會教該課堂且該時段有空的教練才會收到代課請求。";
    teaches "What you teach", "可教课程", "可教課堂";
    weekly_hours "Every week", "每周时间", "每週時間";
    other_days "Days on which it is otherwise", "例外日期", "例外日期";
    weekday "Day of the week", "星期", "星期";
    hours_from "From", "从", "從";
    hours_until "Until", "至", "至";
    date "Date", "日期", "日期";
    is_free "free", "有空", "有空";
    is_not_free "not free", "没空", "沒空";
    row_hint "A row without a day is left out. Save to get more rows.", "未选日期的行将被忽略。保存后可添加更多。", "未選日期的列將被忽略。儲存後可新增更多。";

    weeks_apart "weeks", "周一次", "週一次";
}

/// How many bookings stay what they are.
pub fn bookings_stay(count: usize, until: Option<&str>, language: Language) -> String {
    let until = |before: &str, after: &str| until.map(|until| format!("{before}{until}{after}")).unwrap_or_default();
    match (language, count) {
        (Language::En, 1) => format!("1 booking stays{}.", until(", free to cancel until ", "")),
        (Language::En, _) => format!("{count} bookings stay{}.", until(", free to cancel until ", "")),
        (Language::ZhHans, _) => format!("{count}个预约保留{}。", until("，", "前可免费取消")),
        (Language::ZhHant, _) => format!("{count}個預約保留{}。", until("，", "前可免費取消")),
    }
}

/// How many are written to.
pub fn written_to(people: usize, language: Language) -> String {
    match (language, people) {
        (Language::En, 1) => "1 person will be written to.".to_owned(),
        (Language::En, _) => format!("{people} people will be written to."),
        (Language::ZhHans, _) => format!("将有{people}人收到邮件。"),
        (Language::ZhHant, _) => format!("將有{people}人收到郵件。"),
    }
}

/// Why an act upon several classes leaves one out.
pub fn left_out(because: &str, language: Language) -> &'static str {
    let [en, zh_hans, zh_hant] = match because {
        "instructor-left" => ["nobody teaches it", "无人授课", "無人授課"],
        "instructor-busy" => ["the instructor is in another class", "教练在同一时段有另一节课", "教練在同一時段有另一堂課"],
        "room-busy" => ["the room is taken", "教室已被占用", "教室已被占用"],
        "studio-closed" => ["the studio is closed", "工作室休息", "工作室休息"],
        "past" => ["it would be in the past", "时间已过", "時間已過"],
        "session-started" => ["it has begun", "已开始", "已開始"],
        _ => ["it cannot be done", "无法执行", "無法執行"],
    };
    super::pick(language, en, zh_hans, zh_hant)
}

/// Why a series has no class on a date.
pub const fn gap(reason: GapReason, language: Language) -> &'static str {
    let [en, zh_hans, zh_hant] = match reason {
        GapReason::InstructorBusy => {
            ["no class: the instructor is in another one", "未生成：教练在同一时段有另一节课", "未產生：教練在同一時段有另一堂課"]
        }
        GapReason::RoomBusy => ["no class: the room is taken", "未生成：教室已被占用", "未產生：教室已被占用"],
        GapReason::Closed => ["no class: the studio is closed", "未生成：工作室休息", "未產生：工作室休息"],
        GapReason::Past => ["no class: it would have begun before it was made", "未生成：时间已过", "未產生：時間已過"],
        GapReason::NoInstructor => ["no class: nobody teaches it", "未生成：无人授课", "未產生：無人授課"],
    };
    super::pick(language, en, zh_hans, zh_hant)
}

/// What of a class of a series was changed by hand.
pub const fn by_hand(what: ByHand, language: Language) -> &'static str {
    let w = super::words(language);
    match what {
        ByHand::Time => words(language).time,
        ByHand::Room => w.room,
        ByHand::Instructor => w.instructor,
        ByHand::ClassType => w.class_type,
        ByHand::Capacity => w.capacity,
    }
}

/// Where a request for a substitute stands.
pub const fn request_state(state: RequestState, language: Language) -> &'static str {
    let [en, zh_hans, zh_hant] = match state {
        RequestState::Open => ["open", "待接受", "待接受"],
        RequestState::Claimed => ["waits for approval", "待批准", "待核准"],
        RequestState::Filled => ["settled", "已安排", "已安排"],
        RequestState::Withdrawn => ["withdrawn", "已撤回", "已撤回"],
        RequestState::Expired => ["nobody was found", "未找到代课", "未找到代課"],
    };
    super::pick(language, en, zh_hans, zh_hant)
}
