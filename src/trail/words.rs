//! What happened, in words for those who run the studio: a line for every event of the code, in every language, and its facts beside it. An
//! event of a version that this one does not know is shown by its own name.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value};

use super::Kind;
use crate::language::Language;
use crate::letters::facts::Money;
use crate::letters::phrases::{credits, date, day_and_time, money, passed_over};

/// An event's name in the log, what it is about, and what it says in each language.
type Line = (&'static str, Kind, [&'static str; 3]);

use Kind::{Accounts, Bookings, Members, Passes, Schedule, Studio, Team};

/// Every event of the code.
const LINES: &[Line] = &[
    // Bookings.
    ("booking.booked", Bookings, ["Booked", "预约", "預約"]),
    ("booking.waitlisted", Bookings, ["Joined the waitlist", "加入候补", "加入候補"]),
    ("booking.accepted", Bookings, ["Took a free place", "约到空出的名额", "約到釋出的名額"]),
    ("booking.promoted", Bookings, ["Moved in from the waitlist", "候补自动转入", "候補自動轉入"]),
    ("booking.passed_over", Bookings, ["Passed over for a free place", "未能获得空出的名额", "未能取得釋出的名額"]),
    ("booking.told_free", Bookings, ["Told of a free place", "已告知有名额空出", "已告知有名額釋出"]),
    ("booking.offered", Bookings, ["Offered a place", "保留名额待确认", "保留名額待確認"]),
    ("booking.moved_up", Bookings, ["Moved up by staff", "由工作人员提前转入", "由工作人員提前轉入"]),
    ("booking.overtaken", Bookings, ["Somebody behind was moved up", "排在后面的会员被提前转入", "排在後面的會員被提前轉入"]),
    ("booking.offer_expired", Bookings, ["The offer ran out", "名额保留已过期", "名額保留已過期"]),
    ("booking.offer_withdrawn", Bookings, ["The offer was taken back", "名额保留已取消", "名額保留已取消"]),
    ("booking.waitlist_left", Bookings, ["Left the waitlist", "退出候补", "退出候補"]),
    ("booking.waitlist_closed", Bookings, ["The waiting ended", "候补结束", "候補結束"]),
    ("booking.cancelled", Bookings, ["Cancelled", "取消预约", "取消預約"]),
    ("booking.late_cancelled", Bookings, ["Cancelled late", "逾期取消", "逾期取消"]),
    ("booking.session_cancelled", Bookings, ["Ended, as the class was cancelled", "因课程取消而结束", "因課堂取消而結束"]),
    (
        "booking.released",
        Bookings,
        ["Ended, as the class moved into another one", "因改期与其他课冲突而取消", "因改期與其他課堂衝突而取消"],
    ),
    (
        "booking.moved_to_waitlist",
        Bookings,
        ["Back to the waitlist, as there were fewer places", "因名额减少转为候补", "因名額減少轉為候補"],
    ),
    ("booking.checked_in", Bookings, ["Checked in", "签到", "簽到"]),
    ("booking.check_in_undone", Bookings, ["The check-in was taken back", "撤销签到", "撤銷簽到"]),
    ("booking.penalty_waived", Bookings, ["The penalty was taken back", "撤销违约处理", "撤銷違約處理"]),
    ("booking.fee_paid", Bookings, ["The fee was paid", "违约金已付", "違約金已付"]),
    ("booking.conditions_set", Bookings, ["Set the terms for being moved in", "更改候补转入条件", "更改候補轉入條件"]),
    ("booking.arrived_earlier", Bookings, ["The arrival got its right time", "更正到课时间", "更正到課時間"]),
    ("booking.seen_absent", Bookings, ["Marked as not there, or that taken back", "标记缺席或撤销", "標記缺席或撤銷"]),
    ("booking.no_show", Bookings, ["Did not come", "未到课", "未到課"]),
    ("booking.unrecorded", Bookings, ["Counts as attended, as nobody was marked", "无人登记，视为到课", "無人登記，視為到課"]),
    ("booking.stands_by", Bookings, ["Waits at the door", "现场候补", "現場候補"]),
    ("booking.released_at_door", Bookings, ["The place went to somebody at the door", "名额已给现场候补", "名額已給現場候補"]),
    ("booking.let_in", Bookings, ["Let in at the door", "现场入课", "現場入課"]),
    ("booking.reminded", Bookings, ["Reminded", "已发上课提醒", "已發上課提醒"]),
    ("booking.gave_way", Bookings, ["Ended for another booking of the member", "因该会员的另一预约而结束", "因該會員的另一預約而結束"]),
    (
        "booking.taken_again",
        Bookings,
        ["Came after all, and the class was paid for again", "后确认到课，已重新扣除", "後確認到課，已重新扣除"],
    ),
    // Members.
    ("family.asked", Members, ["Asked to act for somebody", "申请代家人预约", "申請代家人預約"]),
    ("family.confirmed", Members, ["Agreed that somebody acts for them", "同意由家人代为预约", "同意由家人代為預約"]),
    ("family.ended", Members, ["Ended acting for family", "解除家人代约", "解除家人代約"]),
    ("family.letters_set", Members, ["Set whether copies of letters are sent", "更改邮件抄送", "更改郵件抄送"]),
    ("member.suspended", Members, ["Suspended", "暂停预约", "暫停預約"]),
    ("member.suspension_lifted", Members, ["The suspension was lifted", "恢复预约", "恢復預約"]),
    ("member.entered", Members, ["Entered as a member", "登记会员", "登記會員"]),
    ("member.linked", Members, ["Entered by an address that is known", "按已有邮箱登记会员", "依既有電子郵件登記會員"]),
    ("member.joined", Members, ["Became a member", "成为会员", "成為會員"]),
    ("member.changed", Members, ["Changed what is written down of a member", "修改会员登记信息", "修改會員登記資訊"]),
    ("member.erased", Members, ["Erased", "删除会员资料", "刪除會員資料"]),
    ("member.seen", Members, ["Looked at the page of a member", "查看会员资料", "查看會員資料"]),
    ("member.left", Members, ["Left the studio", "退出工作室", "退出工作室"]),
    ("member.merged", Members, ["Two entries made one", "合并会员资料", "合併會員資料"]),
    ("person.changed", Members, ["Changed their particulars", "更改个人资料", "更改個人資料"]),
    // Passes of members.
    ("pass.sold", Passes, ["Sold a pass", "售卡", "售票"]),
    ("pass.begun", Passes, ["The pass began, or did not after all", "卡开始生效或撤销", "票開始生效或撤銷"]),
    ("pass.gifted", Passes, ["Gave credits", "赠送次数", "贈送次數"]),
    ("pass.extended", Passes, ["Prolonged a pass", "延长有效期", "延長有效期"]),
    ("pass.frozen", Passes, ["Froze a pass", "冻结", "凍結"]),
    ("pass.unfrozen", Passes, ["Took a pass out of the freeze", "解除冻结", "解除凍結"]),
    ("pass.shared", Passes, ["Set whether family may pay with it", "更改家人共用", "更改家人共用"]),
    ("pass.transferred", Passes, ["Passed on", "转出", "轉出"]),
    ("pass.received", Passes, ["Received from another pass", "转入", "轉入"]),
    ("pass.refunded", Passes, ["Refunded", "退款", "退款"]),
    ("pass.ending_told", Passes, ["Told that the pass ends", "已提醒即将到期", "已提醒即將到期"]),
    // The schedule.
    ("session.made", Schedule, ["Put a class on the schedule", "新建课程", "新增課堂"]),
    ("session.changed", Schedule, ["Changed a class", "修改课程", "修改課堂"]),
    ("session.followed_clocks", Schedule, ["Kept its hour as clocks changed", "随时钟调整", "隨時鐘調整"]),
    ("session.cancelled", Schedule, ["Cancelled a class", "取消课程", "取消課堂"]),
    ("session.published", Schedule, ["Published a class", "发布课程", "發布課堂"]),
    ("session.noted", Schedule, ["Wrote notes on a class", "填写课程备注", "填寫課堂備註"]),
    ("session.too_few_soon", Schedule, ["Too few have booked so far", "预约人数暂未达到下限", "預約人數暫未達到下限"]),
    (
        "session.too_few_decided",
        Schedule,
        ["Decided whether it takes place with so few", "已按最低人数决定是否开课", "已依最低人數決定是否開課"],
    ),
    ("session.attendance_missing", Schedule, ["Attendance was not recorded", "到课未登记", "到課未登記"]),
    ("session.place_to_give", Schedule, ["A place is theirs to give", "有名额待分配", "有名額待分配"]),
    ("session.held", Schedule, ["Kept places back", "保留名额", "保留名額"]),
    ("session.hold_changed", Schedule, ["Changed places that are kept back", "更改保留名额", "更改保留名額"]),
    ("session.hold_released", Schedule, ["Gave kept places free", "释放保留名额", "釋出保留名額"]),
    ("session.hold_expired", Schedule, ["Kept places came free by the clock", "保留名额到期释放", "保留名額到期釋出"]),
    ("sessions.proposed", Schedule, ["Proposed classes", "提交课程草稿", "提交課堂草稿"]),
    ("sessions.published", Schedule, ["Published drafts", "发布草稿", "發布草稿"]),
    ("series.made", Schedule, ["Made a series", "新建系列课", "新增系列課"]),
    ("series.changed", Schedule, ["Changed a series", "修改系列课", "修改系列課"]),
    ("series.ended", Schedule, ["Ended a series", "结束系列课", "結束系列課"]),
    ("series.published", Schedule, ["Published a series", "发布系列课", "發布系列課"]),
    ("studio.closed", Schedule, ["Closed the studio on days", "设置休息日", "設定休息日"]),
    ("studio.day_opened", Schedule, ["Opened a closing day", "取消休息日", "取消休息日"]),
    ("substitute.asked", Schedule, ["Asked for a substitute", "申请代课", "申請代課"]),
    ("substitute.missing", Schedule, ["Still without a substitute", "尚无人代课", "尚無人代課"]),
    ("substitute.claimed", Schedule, ["Claimed a class as substitute", "认领代课", "認領代課"]),
    ("substitute.unclaimed", Schedule, ["Gave the claim back", "取消认领代课", "取消認領代課"]),
    ("substitute.decided", Schedule, ["Decided on a substitute", "审批代课", "審核代課"]),
    ("substitute.filled", Schedule, ["A substitute teaches", "代课已安排", "代課已安排"]),
    ("substitute.withdrawn", Schedule, ["Took the request for a substitute back", "撤回代课申请", "撤回代課申請"]),
    ("substitute.expired", Schedule, ["The request for a substitute ran out", "代课申请已过期", "代課申請已過期"]),
    ("availability.stated", Schedule, ["Said when they can teach", "填写可授课时间", "填寫可授課時間"]),
    // Who works here.
    ("staff.roles_set", Team, ["Set somebody’s roles", "更改角色", "更改角色"]),
    ("staff.invited", Team, ["Invited somebody to the team", "邀请加入团队", "邀請加入團隊"]),
    ("staff.invitation_withdrawn", Team, ["Took an invitation back", "撤回邀请", "撤回邀請"]),
    ("staff.joined", Team, ["Joined the team", "加入团队", "加入團隊"]),
    ("staff.device_signed_out", Team, ["Signed somebody out of a device", "将设备退出登录", "將裝置登出"]),
    ("staff.second_factors_reset", Team, ["Took somebody’s second factors away", "重置两步验证", "重設兩步驟驗證"]),
    ("owner.made", Team, ["Made somebody an owner", "设为所有者", "設為擁有者"]),
    // What a studio is made of.
    ("studio.opened", Studio, ["Opened the studio", "创建工作室", "建立工作室"]),
    ("studio.changed", Studio, ["Changed the studio’s particulars", "修改工作室信息", "修改工作室資訊"]),
    ("house_rules.changed", Studio, ["Changed the house rules", "修改约课规则", "修改預約規則"]),
    ("class_type.added", Studio, ["Added a kind of class", "添加课程类型", "新增課程類型"]),
    ("class_type.changed", Studio, ["Changed a kind of class", "修改课程类型", "修改課程類型"]),
    ("class_type.rules_changed", Studio, ["Changed the rules of a kind of class", "修改课程类型的规则", "修改課程類型的規則"]),
    ("pass_type.added", Studio, ["Added a pass to what is sold", "添加卡种", "新增票種"]),
    ("pass_type.changed", Studio, ["Changed what a pass is", "修改卡种", "修改票種"]),
    ("pass_type.rules_changed", Studio, ["Changed the rules of a pass", "修改卡种的规则", "修改票種的規則"]),
    ("room.added", Studio, ["Added a room", "添加教室", "新增教室"]),
    ("room.changed", Studio, ["Changed a room", "修改教室", "修改教室"]),
    ("kiosk.added", Studio, ["Added a device at the door", "添加签到设备", "新增簽到裝置"]),
    ("kiosk.removed", Studio, ["Took a device at the door away", "停用签到设备", "停用簽到裝置"]),
    ("import.done", Studio, ["Imported a file", "导入文件", "匯入檔案"]),
    ("import.members_invited", Studio, ["Invited those who came over", "邀请导入的会员", "邀請匯入的會員"]),
    ("letter.retried", Studio, ["Sent a letter again", "重新发送邮件", "重新寄送郵件"]),
    ("demo.seeded", Studio, ["The demo was made", "生成演示数据", "產生示範資料"]),
    // Accounts, in no studio.
    ("account.registered", Accounts, ["Registered", "注册", "註冊"]),
    ("account.registered_again", Accounts, ["Registered again", "再次注册", "再次註冊"]),
    (
        "account.registration_repeated",
        Accounts,
        ["Registered with an address that has an account", "用已有账号的邮箱注册", "以已有帳號的電子郵件註冊"],
    ),
    ("account.verified", Accounts, ["Confirmed the address", "验证邮箱", "驗證電子郵件"]),
    ("account.claimed", Accounts, ["Took over what a desk had entered", "认领前台登记的资料", "認領櫃檯登記的資料"]),
    ("account.address_change_asked", Accounts, ["Asked for another address", "申请更换邮箱", "申請更換電子郵件"]),
    ("account.address_changed", Accounts, ["Changed the address", "更换邮箱", "更換電子郵件"]),
    ("account.password_changed", Accounts, ["Changed the password", "修改密码", "修改密碼"]),
    ("account.password_reset", Accounts, ["Set a forgotten password anew", "重设密码", "重設密碼"]),
    ("account.password_dropped", Accounts, ["The password no longer counts", "密码已失效", "密碼已失效"]),
    ("account.second_factor_added", Accounts, ["Added a second factor", "添加两步验证", "新增兩步驟驗證"]),
    ("account.second_factor_removed", Accounts, ["Removed a second factor", "移除两步验证", "移除兩步驟驗證"]),
    ("account.second_factors_reset", Accounts, ["The second factors were taken away", "两步验证已重置", "兩步驟驗證已重設"]),
    ("account.recovery_codes_renewed", Accounts, ["Made new recovery codes", "更新恢复码", "更新復原碼"]),
    ("code.asked_in_vain", Accounts, ["A code was asked for in vain", "请求验证码未果", "請求驗證碼未果"]),
    ("device.second_factor_asked", Accounts, ["Was asked for the second factor", "要求两步验证", "要求兩步驟驗證"]),
    ("device.second_factor_refused", Accounts, ["The second factor was refused", "两步验证未通过", "兩步驟驗證未通過"]),
    ("device.signed_in", Accounts, ["Signed in", "登录", "登入"]),
    ("device.signed_out", Accounts, ["Signed out", "退出登录", "登出"]),
    ("device.token_reused", Accounts, ["A used token came again", "令牌被重复使用", "權杖被重複使用"]),
    ("person.deletion_asked", Accounts, ["Asked for deletion", "申请注销", "申請註銷"]),
    ("person.deletion_undone", Accounts, ["Took the deletion back", "撤回注销", "撤回註銷"]),
    ("person.deleted", Accounts, ["Deleted", "已注销", "已註銷"]),
    ("calendar.made", Accounts, ["Subscribed to a calendar", "订阅日历", "訂閱行事曆"]),
    ("calendar.revoked", Accounts, ["Ended a calendar", "停用日历订阅", "停用行事曆訂閱"]),
];

/// What a detail is called; those that are ids or go with another one are not told.
const DETAILS: &[(&str, [&str; 3])] = &[
    ("kind", ["kind", "类型", "類型"]),
    ("position", ["position", "顺位", "順位"]),
    ("places", ["places", "名额", "名額"]),
    ("places_before", ["places before", "此前名额", "先前名額"]),
    ("capacity", ["capacity", "名额", "名額"]),
    ("booked", ["booked", "已预约", "已預約"]),
    ("minimum", ["minimum", "最低人数", "最低人數"]),
    ("count", ["classes", "课次", "堂數"]),
    ("sessions", ["classes", "课次", "堂數"]),
    ("made", ["new", "新增", "新增"]),
    ("known", ["known already", "已存在", "已存在"]),
    ("skipped", ["left out", "略过", "略過"]),
    ("members", ["members", "会员", "會員"]),
    ("per_hour", ["an hour", "每小时", "每小時"]),
    ("hours", ["hours ahead", "提前小时", "提前小時"]),
    ("days_ahead", ["days ahead", "提前天数", "提前天數"]),
    ("from", ["from", "自", "自"]),
    ("to", ["to", "至", "至"]),
    ("until", ["until", "至", "至"]),
    ("kept_until", ["kept until", "保留至", "保留至"]),
    ("expires_at", ["until", "至", "至"]),
    ("date", ["day", "日期", "日期"]),
    ("on", ["on", "日期", "日期"]),
    ("at", ["at", "时间", "時間"]),
    ("before", ["before", "此前", "先前"]),
    ("after", ["now", "现在", "現在"]),
    ("expires_on", ["last day", "有效期至", "有效期至"]),
    ("roles", ["roles", "角色", "角色"]),
    ("reason", ["why", "原因", "原因"]),
    ("changed", ["changed", "更改", "更改"]),
];

/// Credits and what became of them: with a number of them, and with none.
const CREDITS: &[(&str, [[&str; 2]; 3])] = &[
    ("credits", [["{}", "no credit"], ["{}", "不扣次数"], ["{}", "不扣堂數"]]),
    ("credits_returned", [["{} back", "no credit back"], ["退还{}", "未退还"], ["退還{}", "未退還"]]),
    ("credits_lost", [["{} lost", "no credit lost"], ["扣除{}", "未扣除"], ["扣除{}", "未扣除"]]),
];

fn of_credits(count: i64, [en, zh_hans, zh_hant]: &[[&'static str; 2]; 3], language: Language) -> String {
    let [some, none] = match language {
        Language::En => en,
        Language::ZhHans => zh_hans,
        Language::ZhHant => zh_hant,
    };
    if count == 0 { (*none).to_owned() } else { some.replace("{}", &credits(count, language)) }
}

/// Details that say something by being true, or there at all.
const MARKS: &[(&str, [&str; 3])] = &[
    ("by_staff", ["by the studio", "由工作室操作", "由工作室操作"]),
    ("unpaid", ["nothing taken", "未扣费用", "未扣費用"]),
    ("extra_place", ["an extra place", "增加名额", "增加名額"]),
    ("strike", ["a strike", "记违约一次", "記違約一次"]),
    ("offered", ["it was offered", "为保留名额", "為保留名額"]),
    ("visit_counts", ["the visit counts", "计入次数", "計入次數"]),
    ("visit_returned", ["the visit does not count", "不计次数", "不計次數"]),
    ("approved", ["approved", "已批准", "已核准"]),
    ("cancelled", ["cancelled", "已取消", "已取消"]),
    ("with_session", ["with the class", "随课程取消", "隨課堂取消"]),
    ("absent", ["absent", "缺席", "缺席"]),
    ("shared", ["shared", "已共用", "已共用"]),
    ("copies", ["copies are sent", "抄送", "抄送"]),
    ("noted", ["the note", "备注", "備註"]),
    ("copy_of", ["copied from another week", "由其他周复制而来", "由其他週複製而來"]),
];

/// Words of details' values; what stands here in none is shown as the log has it.
const VALUES: &[(&str, [&str; 3])] = &[
    ("instructor", ["instructor", "教练", "教練"]),
    ("front_desk", ["front desk", "前台", "櫃檯"]),
    ("admin", ["admin", "管理员", "管理員"]),
    ("time", ["time", "时间", "時間"]),
    ("room", ["room", "教室", "教室"]),
    ("members", ["members", "会员", "會員"]),
    ("passes", ["passes", "卡", "票"]),
    ("bookings", ["bookings", "预约", "預約"]),
    ("guest", ["guests of the studio", "工作室来宾", "工作室來賓"]),
    ("brand", ["a brand", "品牌活动", "品牌活動"]),
    ("partner", ["a partner", "合作渠道", "合作通路"]),
    ("staff", ["the team", "团队", "團隊"]),
    ("broken", ["out of order", "设备故障", "設備故障"]),
    ("illness", ["illness", "教练身体不适", "教練身體不適"]),
    ("weather", ["weather", "天气影响", "天氣影響"]),
    ("premises", ["the room cannot be used", "教室无法使用", "教室無法使用"]),
    ("too_few", ["too few bookings", "预约人数不足", "預約人數不足"]),
    ("other", ["something else", "其他", "其他"]),
];

const fn pick([en, zh_hans, zh_hant]: [&'static str; 3], language: Language) -> &'static str {
    match language {
        Language::En => en,
        Language::ZhHans => zh_hans,
        Language::ZhHant => zh_hant,
    }
}

/// What an event of this name says; its own name, where this version does not know it.
pub fn said(action: &str, language: Language) -> &str {
    LINES.iter().find(|(name, ..)| *name == action).map_or(action, |(_, _, words)| pick(*words, language))
}

/// The events that are about this.
pub fn actions_of(kind: Kind) -> Vec<&'static str> {
    LINES.iter().filter(|(_, of, _)| *of == kind).map(|(name, ..)| *name).collect()
}

/// One fact of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is; empty where the value says it all.
    pub name: &'static str,
    pub value: String,
}

impl fmt::Display for Fact {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joint = if self.name.is_empty() { "" } else { " " };
        write!(to, "{}{joint}{}", self.name, self.value)
    }
}

/// What was noted with an event and must be known later, in the reader's words and by the studio's clock.
pub fn facts(details: &Value, zone: Tz, language: Language) -> Vec<Fact> {
    let Some(details) = details.as_object() else { return Vec::new() };
    let days = days(details);
    let details = days.as_ref().unwrap_or(details);
    let currency = details.get("currency").and_then(Value::as_str);
    let counted =
        CREDITS.iter().filter_map(|(key, words)| Some(Fact { name: "", value: of_credits(details.get(*key)?.as_i64()?, words, language) }));
    let told = DETAILS
        .iter()
        .filter_map(|(key, words)| Some(Fact { name: pick(*words, language), value: value(details.get(*key)?, zone, language)? }));
    let mut facts: Vec<Fact> = counted.chain(told).collect();
    let amounts = ["amount_minor", "fee_minor"].iter().filter_map(|key| details.get(*key)?.as_i64()).zip(currency);
    facts.extend(amounts.map(|(amount_minor, currency)| {
        let value = money(&Money { amount_minor, currency: currency.to_owned() });
        Fact { name: "", value }
    }));
    let is = |key: &str| details.get(key).is_some_and(|value| value.as_bool().unwrap_or(value.is_string()));
    facts.extend(MARKS.iter().filter(|(key, _)| is(key)).map(|(_, words)| Fact { name: "", value: pick(*words, language).to_owned() }));
    facts
}

/// Days from one to another, of which an event names the first that is none of them any more: people read the last one. `None`: it has none.
fn days(details: &Map<String, Value>) -> Option<Map<String, Value>> {
    let day = |key: &str| details.get(key)?.as_str()?.parse::<NaiveDate>().ok();
    let (from, last) = (day("from")?, day("to")?.pred_opt()?);
    let mut told = details.clone();
    told.remove("to");
    if last > from {
        told.insert("until".to_owned(), Value::from(last.to_string()));
    } else {
        told.remove("from");
        told.insert("date".to_owned(), Value::from(from.to_string()));
    }
    Some(told)
}

/// A value as people read it. `None`: there is none.
fn value(value: &Value, zone: Tz, language: Language) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text_value(text, zone, language)),
        Value::Array(values) if values.is_empty() => Some("–".to_owned()),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().filter_map(|one| self::value(one, zone, language)).collect();
            Some(values.join(", "))
        }
        // Rules, each with what it was and what it is.
        Value::Object(rules) => {
            let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let one = |(rule, pair): (&String, &Value)| format!("{rule}: {} → {}", shown(&pair[0]), shown(&pair[1]));
            Some(rules.iter().map(one).collect::<Vec<_>>().join("; "))
        }
        Value::Null | Value::Bool(_) => None,
    }
}

fn text_value(text: &str, zone: Tz, language: Language) -> String {
    if let Ok(at) = text.parse::<DateTime<Utc>>() {
        return day_and_time(at, zone, language);
    }
    if let Ok(day) = text.parse::<NaiveDate>() {
        return date(day, language);
    }
    if let Some((_, words)) = VALUES.iter().find(|(name, _)| *name == text) {
        return pick(*words, language).to_owned();
    }
    match serde_json::from_value(Value::from(text)) {
        Ok(reason) => passed_over(reason, language).trim_end_matches(['.', '。']).to_owned(),
        Err(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono_tz::Asia::Shanghai;
    use serde_json::json;

    use super::*;

    /// The names of all events, as the code writes them.
    fn names() -> Vec<&'static str> {
        let code = include_str!("../events/mod.rs");
        let from = code.find("pub enum Happened").unwrap();
        code[from..].split("#[serde(rename = \"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
    }

    #[test]
    fn every_event_has_its_words() {
        let names = names();
        assert!(names.len() > 130, "the events are found: {}", names.len());
        let told: BTreeSet<&str> = LINES.iter().map(|(name, ..)| *name).collect();
        let silent: Vec<_> = names.iter().filter(|name| !told.contains(*name)).collect();
        let gone: Vec<_> = told.iter().filter(|name| !names.contains(name)).collect();
        assert!(silent.is_empty() && gone.is_empty(), "no words for {silent:?}; there are no {gone:?}");
        assert_eq!(LINES.len(), names.len(), "each has one line");
        let lacking = LINES.iter().filter(|(.., words)| words.iter().any(|word| word.trim().is_empty()));
        assert_eq!(lacking.count(), 0);
    }

    #[test]
    fn an_event_of_another_version_is_shown_by_its_name() {
        assert_eq!(said("booking.booked", Language::ZhHant), "預約");
        assert_eq!(said("booking.of_tomorrow", Language::En), "booking.of_tomorrow");
    }

    #[test]
    fn facts_are_told_in_words() {
        let told = |details: Value, language| {
            let facts = facts(&details, Shanghai, language);
            facts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" · ")
        };
        assert_eq!(told(json!({"credits": 2, "by_staff": true, "unpaid": false}), Language::En), "2 credits · by the studio");
        assert_eq!(told(json!({"credits_returned": 0, "credits_lost": 1}), Language::En), "no credit back · 1 credit lost");
        assert_eq!(told(json!({"credits_returned": 2}), Language::ZhHans), "退还2次");
        assert_eq!(told(json!({"before": [], "after": ["front_desk"]}), Language::ZhHans), "此前 – · 现在 前台");
        assert_eq!(told(json!({"until": "2026-12-01T10:30:00Z", "only_within_hours": 24}), Language::En), "until Tue 1 Dec, 18:30");
        assert_eq!(told(json!({"expires_on": "2026-12-01"}), Language::En), "last day Tue 1 Dec 2026");
        // Its `to` is the first day that is open again.
        let closed = |to| json!({"from": "2026-12-24", "to": to});
        assert_eq!(told(closed("2026-12-25"), Language::En), "day Thu 24 Dec 2026");
        assert_eq!(told(closed("2026-12-27"), Language::En), "from Thu 24 Dec 2026 · until Sat 26 Dec 2026");
        assert_eq!(told(closed("2026-12-27"), Language::ZhHans), "自 2026年12月24日（周四） · 至 2026年12月26日（周六）");
        assert_eq!(
            told(json!({"from": "2026-12-01T10:30:00Z", "to": "2026-12-01T11:30:00Z"}), Language::En),
            "from Tue 1 Dec, 18:30 · to Tue 1 Dec, 19:30"
        );
        assert_eq!(told(json!({"amount_minor": 98050, "currency": "CNY"}), Language::En), "CNY 980.50");
        assert_eq!(told(json!({"changed": {"free_cancel_min": [720, 120]}}), Language::En), "changed free_cancel_min: 720 → 120");
        assert_eq!(told(json!({"changed": ["time", "room"]}), Language::En), "changed time, room");
        assert_eq!(told(json!({"copy_of": "01a22a2e-3100-7000-8000-000000000001"}), Language::En), "copied from another week");
        assert_eq!(told(json!({"link": "01a22a2e-3100-7000-8000-000000000001"}), Language::En), "");
        assert_eq!(
            told(json!({"reason": "no_pass"}), Language::En),
            format!("why {}", passed_over(crate::letters::facts::PassedOver::NoPass, Language::En).trim_end_matches('.'))
        );
    }
}
