//! What happened to a session, as staff read it on its page.

use serde_json::Value;

use crate::language::Language;
use crate::letters::facts::CancelReason;
use crate::letters::phrases;
use crate::schedule::Changed;

/// One sentence about an event of a session, or of a request for a substitute in it. `None`: an event that says nothing here, or of a version
/// that this one does not know.
pub fn sentence(action: &str, details: &Value, language: Language) -> Option<String> {
    let number = |name: &str| details[name].as_i64().unwrap_or_default();
    let is = |name: &str| details[name].as_bool() == Some(true);
    let places = number("places");
    let [en, zh_hans, zh_hant]: [String; 3] = match action {
        "session.made" if details["copy_of"].is_string() => same(["Copied from another week.", "由其他周复制而来。", "由其他週複製而來。"]),
        "session.made" => same(["Put on the schedule.", "加入课表。", "加入課表。"]),
        "session.changed" => {
            let changed: Vec<Changed> = serde_json::from_value(details["changed"].clone()).unwrap_or_default();
            let what = |language| changed.iter().map(|what| changed_word(*what, language)).collect::<Vec<_>>();
            match changed.is_empty() {
                true => {
                    let capacity = number("capacity");
                    [format!("Changed; {capacity} places."), format!("已修改；{capacity}个名额。"), format!("已修改；{capacity}個名額。")]
                }
                false => [
                    format!("Changed: {}.", what(Language::En).join(", ")),
                    format!("已修改：{}。", what(Language::ZhHans).join("、")),
                    format!("已修改：{}。", what(Language::ZhHant).join("、")),
                ],
            }
        }
        "session.followed_clocks" => same(["Moved with the clocks of the time zone.", "随时区规则调整时间。", "隨時區規則調整時間。"]),
        "session.cancelled" => {
            let reason: Option<CancelReason> = serde_json::from_value(details["reason"].clone()).ok();
            let why = |language| reason.and_then(|reason| phrases::cancel_reason(reason, language)).unwrap_or_default();
            match reason.is_some() {
                true => [
                    format!("Cancelled: {}", why(Language::En)),
                    format!("已取消：{}", why(Language::ZhHans)),
                    format!("已取消：{}", why(Language::ZhHant)),
                ],
                false => same(["Cancelled.", "已取消。", "已取消。"]),
            }
        }
        "session.published" => same(["Published.", "已发布。", "已發布。"]),
        "session.noted" => same(["The notes were changed.", "备注已修改。", "備註已修改。"]),
        "session.too_few_soon" => {
            same(["Too few had booked: the team was told.", "预约人数不足，已通知团队。", "預約人數不足，已通知團隊。"])
        }
        "session.too_few_decided" if is("cancelled") => {
            same(["Too few had booked by then.", "预约人数不足，课程取消。", "預約人數不足，課堂取消。"])
        }
        "session.too_few_decided" => same(["Enough had booked: it takes place.", "预约人数已足，照常开课。", "預約人數已足，照常開課。"]),
        "session.held" => [format!("Places kept back: {places}."), format!("保留名额：{places}。"), format!("保留名額：{places}。")],
        "session.hold_changed" => {
            let before = number("places_before");
            [
                format!("Places kept back: {before} → {places}."),
                format!("保留名额：{before} → {places}。"),
                format!("保留名額：{before} → {places}。"),
            ]
        }
        "session.hold_released" => {
            [format!("Kept places given free: {places}."), format!("释放保留名额：{places}。"), format!("釋出保留名額：{places}。")]
        }
        "session.hold_expired" => [
            format!("Kept places became free by the clock: {places}."),
            format!("保留名额到期释放：{places}。"),
            format!("保留名額到期釋出：{places}。"),
        ],
        "session.attendance_missing" => {
            let unmarked = number("unmarked");
            [
                format!("Nobody was marked: {unmarked} bookings; the team was asked."),
                format!("尚未登记到课：{unmarked}个预约，已提醒团队。"),
                format!("尚未登記到課：{unmarked}個預約，已提醒團隊。"),
            ]
        }
        "session.place_to_give" => {
            same(["A free place waits for staff to give it.", "有空出的名额待工作人员分配。", "有釋出的名額待工作人員分配。"])
        }
        "substitute.asked" => {
            let told = details["told"].as_array().map_or(0, Vec::len);
            [
                format!("A substitute is looked for; asked: {told}."),
                format!("寻找代课，已询问{told}人。"),
                format!("尋找代課，已詢問{told}人。"),
            ]
        }
        "substitute.missing" => {
            same(["Nobody had taken it: the admins were told.", "无人接受代课，已通知管理员。", "無人接受代課，已通知管理員。"])
        }
        "substitute.claimed" if is("needs_approval") => {
            same(["Taken, and waits for approval.", "已有人接受，待批准。", "已有人接受，待核准。"])
        }
        "substitute.claimed" => same(["Taken by a substitute.", "已有人接受代课。", "已有人接受代課。"]),
        "substitute.unclaimed" => same(["Given back: somebody else is looked for.", "已放弃代课，继续寻找。", "已放棄代課，繼續尋找。"]),
        "substitute.decided" if is("approved") => same(["The substitute was approved.", "代课已批准。", "代課已核准。"]),
        "substitute.decided" => same(["The substitute was not approved.", "代课未获批准。", "代課未獲核准。"]),
        "substitute.filled" => same(["A substitute teaches it.", "已安排代课。", "已安排代課。"]),
        "substitute.withdrawn" => same(["No substitute is needed any more.", "代课请求已撤回。", "代課請求已撤回。"]),
        "substitute.expired" => same(["No substitute was found.", "未找到代课。", "未找到代課。"]),
        _ => return None,
    };
    Some(match language {
        Language::En => en,
        Language::ZhHans => zh_hans,
        Language::ZhHant => zh_hant,
    })
}

fn same(words: [&str; 3]) -> [String; 3] {
    words.map(str::to_owned)
}

const fn changed_word(what: Changed, language: Language) -> &'static str {
    let w = super::words(language);
    match what {
        Changed::Time => w.start,
        Changed::Room => w.room,
        Changed::Instructor => w.instructor,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cancellation_says_why() {
        let told = |reason: Value| sentence("session.cancelled", &json!({"reason": reason}), Language::En);
        assert_eq!(told(Value::Null).as_deref(), Some("Cancelled."));
        assert!(told(json!("weather")).is_some_and(|told| told.starts_with("Cancelled: ")));
        assert_eq!(sentence("session.never", &Value::Null, Language::En), None);
    }
}
