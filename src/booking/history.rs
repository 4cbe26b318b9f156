//! `GET /v1/bookings/{id}/history`: what happened to a booking and why, told from the log of events in the reader's language.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Booking;
use super::readers::must_read;
use super::store::{self, Told};
use crate::app::App;
use crate::extract::Path;
use crate::language::Language;
use crate::letters::facts::{Money, PassedOver};
use crate::letters::phrases::{credits, day_and_time, money, passed_over};
use crate::problem::{Answer, Problem, ProblemType};
use crate::schedule;
use crate::sign_in::Caller;

/// What happened to a booking, oldest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BookingHistory)]
pub struct History {
    booking_id: Uuid,
    entries: Vec<Entry>,
}

/// One thing that happened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BookingHistoryEntry)]
pub struct Entry {
    #[serde(with = "crate::instant")]
    pub at: DateTime<Utc>,
    /// What, as the log of events names it.
    action: String,
    /// Why a waiting member was passed over.
    reason: Option<PassedOver>,
    /// What happened, in the reader's language.
    pub text: String,
    /// Why, as staff wrote it.
    pub note: Option<String>,
}

/// What happened to a booking and why: the caller's own, or a member's for the studio's front desk.
#[utoipa::path(
    get, path = "/v1/bookings/{id}/history", operation_id = "show_booking_history",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = History))
)]
pub async fn show(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Answer<Response> {
    let nothing = || Problem::new(ProblemType::NotFound);
    let booking = store::one(&app.db, id).await?.ok_or_else(nothing)?;
    must_read(&app, &caller, &booking).await?;
    let session = schedule::store::one(&app.db, booking.session_id).await?.ok_or_else(nothing)?;
    let language = caller.language.unwrap_or(session.names.studio_locale);
    let entries = entries(&app, &booking, session.names.time_zone.tz(), language).await?;
    Ok(Json(History { booking_id: id, entries }).into_response())
}

/// What happened to a booking, oldest first, for whoever may read it.
pub async fn entries(app: &App, booking: &Booking, zone: Tz, language: Language) -> Answer<Vec<Entry>> {
    let mut entries: Vec<Entry> =
        store::told(&app.db, booking).await?.into_iter().filter_map(|told| Entry::of(told, zone, language)).collect();
    let took_over = match booking.asked_replaces {
        Some(old) => store::one(&app.db, old).await?.is_some_and(|old| old.replaced_by == Some(booking.id)),
        None => false,
    };
    tell_change(&mut entries, took_over, booking.replaced_by.is_some(), language);
    Ok(entries)
}

impl Entry {
    /// `None`: an event of a version that this one does not know.
    fn of(told: Told, zone: Tz, language: Language) -> Option<Self> {
        let details = told.details.map(|details| details.0).unwrap_or_default();
        let reason = details["reason"].as_str().and_then(|reason| serde_json::from_value(Value::from(reason)).ok());
        let text = sentence(&told.action, &details, reason, zone, language)?;
        Some(Self { at: told.at, action: told.action, reason, text, note: told.note })
    }
}

/// Where the member changed class, both bookings say so: the one that `took_over` with its place, the other with its end.
fn tell_change(entries: &mut [Entry], took_over: bool, was_taken_over: bool, language: Language) {
    const PLACED: [&str; 4] = ["booking.booked", "booking.accepted", "booking.promoted", "booking.moved_up"];
    const ENDED: [&str; 3] = ["booking.cancelled", "booking.late_cancelled", "booking.waitlist_left"];
    if took_over && let Some(entry) = entries.iter_mut().find(|entry| PLACED.contains(&entry.action.as_str())) {
        entry.text += match language {
            Language::En => " Another booking was given up for it.",
            Language::ZhHans => "原来的另一个预约相应取消。",
            Language::ZhHant => "原先的另一個預約一併取消。",
        };
    }
    if was_taken_over && let Some(entry) = entries.iter_mut().rfind(|entry| ENDED.contains(&entry.action.as_str())) {
        entry.text += match language {
            Language::En => " It was given up for another class.",
            Language::ZhHans => "因改约另一节课。",
            Language::ZhHant => "因改約另一堂課。",
        };
    }
}

/// One sentence about an event, for the member and for staff alike.
fn sentence(action: &str, details: &Value, reason: Option<PassedOver>, zone: Tz, language: Language) -> Option<String> {
    let is = |name: &str| details[name].as_bool() == Some(true);
    let number = |name: &str| details[name].as_i64().unwrap_or(0);
    let at = |name: &str| {
        let at = details[name].as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok());
        at.map(|at| day_and_time(at, zone, language)).unwrap_or_default()
    };
    let [en, zh_hans, zh_hant]: [String; 3] = match action {
        "booking.booked" if is("by_staff") => same(["Booked by the studio.", "由工作室预约。", "由工作室預約。"]),
        "booking.booked" => same(["Booked.", "已预约。", "已預約。"]),
        "booking.waitlisted" => {
            let n = number("position");
            [format!("Joined the waitlist as number {n}."), format!("加入候补，排在第{n}位。"), format!("加入候補，排在第{n}位。")]
        }
        "booking.gave_way" => same([
            "Ended, as the member has another booking of this class.",
            "已结束：该会员在同一课程中另有预约。",
            "已結束：該會員在同一課堂中另有預約。",
        ]),
        "booking.reminded" => same(["A reminder was written.", "已发出上课提醒。", "已發出上課提醒。"]),
        "booking.accepted" if is("offered") => same(["The offered place was taken.", "接受了保留的名额。", "接受了保留的名額。"]),
        "booking.accepted" => same(["A free place was taken.", "约到了空出的名额。", "約到了釋出的名額。"]),
        "booking.promoted" => same(["Moved from the waitlist into the class.", "从候补自动转为正式预约。", "從候補自動轉為正式預約。"]),
        "booking.passed_over" => {
            let why = |language| reason.map(|reason| passed_over(reason, language)).unwrap_or_default();
            [
                format!("A place came free and could not be given. {}", why(Language::En)),
                format!("有名额空出，但未能转为正式预约。{}", why(Language::ZhHans)),
                format!("有名額釋出，但未能轉為正式預約。{}", why(Language::ZhHant)),
            ]
        }
        "booking.told_free" if details["kept_until"].is_string() => {
            let until = at("kept_until");
            [
                format!("A place came free and was kept until {until} for all who wait: the first who takes it has it."),
                format!("有名额空出，{until}前仅限候补会员，先到先得。"),
                format!("有名額釋出，{until}前僅限候補會員，先到先得。"),
            ]
        }
        "booking.told_free" => {
            same(["A place came free and was open to everybody.", "有名额空出，向所有人开放。", "有名額釋出，開放給所有人。"])
        }
        "booking.offered" => {
            let until = at("expires_at");
            [
                format!("A place was offered and kept until {until}."),
                format!("有名额空出，为您保留至{until}。"),
                format!("有名額釋出，為您保留至{until}。"),
            ]
        }
        "booking.offer_expired" => same([
            "The time of the offer was over; the place went to the next.",
            "保留时间已过，名额转给了下一位。",
            "保留時間已過，名額轉給了下一位。",
        ]),
        "booking.offer_withdrawn" => same([
            "The studio changed the class, and the offer was taken back; the position in the queue was kept.",
            "工作室调整了课程，名额保留取消，候补顺位不变。",
            "工作室調整了課程，名額保留取消，候補順位不變。",
        ]),
        "booking.waitlist_left" => match details["because"].as_str() {
            Some("overlap") => same([
                "Left the waitlist: there is a place in another class at that time.",
                "退出候补：同一时段已有另一节课的名额。",
                "退出候補：同一時段已有另一堂課的名額。",
            ]),
            Some("staff") => same(["The studio ended the waiting.", "工作室将其移出候补。", "工作室將其移出候補。"]),
            Some("declined") => same(["The offered place was declined.", "放弃了保留的名额。", "放棄了保留的名額。"]),
            _ => same(["Left the waitlist.", "退出候补。", "退出候補。"]),
        },
        "booking.waitlist_closed" => {
            same(["No way in was left, so the waiting ended.", "已无法再获得名额，候补结束。", "已無法再取得名額，候補結束。"])
        }
        "booking.cancelled" if is("by_staff") => same(["Cancelled by the studio, at no cost.", "由工作室免费取消。", "由工作室免費取消。"]),
        "booking.cancelled" => same(["Cancelled, at no cost.", "已免费取消。", "已免費取消。"]),
        "booking.late_cancelled" => {
            let lost = |language| match number("credits_lost") {
                0 => String::new(),
                n => credits(n, language),
            };
            let [en, zh_hans, zh_hant] = match number("credits_lost") {
                _ if details["forgiven"].is_string() => same([
                    "Cancelled late; it was forgiven and cost nothing.",
                    "逾期取消，此次免予处理，未扣除任何费用。",
                    "逾期取消，此次免予處理，未扣除任何費用。",
                ]),
                0 => same(["Cancelled late.", "逾期取消。", "逾期取消。"]),
                _ => [
                    format!("Cancelled late: {} lost.", lost(Language::En)),
                    format!("逾期取消，扣除{}。", lost(Language::ZhHans)),
                    format!("逾期取消，扣除{}。", lost(Language::ZhHant)),
                ],
            };
            let [fee_en, fee_hans, fee_hant] = besides(details, is("strike"));
            [en + &fee_en, zh_hans + &fee_hans, zh_hant + &fee_hant]
        }
        "booking.penalty_waived" => {
            same(["The studio took back what that had cost.", "工作室已撤销此次处理，所扣已退回。", "工作室已撤銷此次處理，所扣已退回。"])
        }
        "booking.taken_again" => same([
            "They came, so what had been given back was taken again.",
            "因实际到课，先前退回的部分重新扣除。",
            "因實際到課，先前退回的部分重新扣除。",
        ]),
        "booking.fee_paid" => {
            let fee = fee(details).unwrap_or_default();
            [format!("The fee of {fee} was paid."), format!("违约金{fee}已支付。"), format!("違約金{fee}已支付。")]
        }
        "booking.session_cancelled" => same(["The studio cancelled the class.", "工作室取消了课程。", "工作室取消了課程。"]),
        "booking.released" => same([
            "The class moved to a time at which there is another booking, so this one ended at no cost.",
            "课程改到了已有其他预约的时段，因此免费取消。",
            "課程改到了已有其他預約的時段，因此免費取消。",
        ]),
        "booking.moved_to_waitlist" => {
            let n = number("position");
            [
                format!("There were fewer places: moved to the waitlist as number {n}."),
                format!("名额减少，转为候补第{n}位。"),
                format!("名額減少，轉為候補第{n}位。"),
            ]
        }
        "booking.checked_in" => same(["Came to the class.", "已到课。", "已到課。"]),
        "booking.check_in_undone" => same(["The check-in was taken back.", "签到已撤销。", "簽到已撤銷。"]),
        "booking.arrived_earlier" => same(["The arrival was noted with its time.", "已更正到课时间。", "已更正到課時間。"]),
        "booking.seen_absent" if !is("absent") => {
            same(["That they were not there was taken back.", "缺席标记已撤销。", "缺席標記已撤銷。"])
        }
        "booking.seen_absent" => same(["Was not there when the class was gone through.", "点名时不在场。", "點名時不在場。"]),
        "booking.conditions_set" => same(["The terms for being moved in were set.", "更改了候补转入条件。", "更改了候補轉入條件。"]),
        "booking.moved_up" if is("extra_place") => same([
            "The studio made an extra place and gave it to this booking.",
            "工作室为此增加了一个名额。",
            "工作室為此增加了一個名額。",
        ]),
        "booking.moved_up" => same(["The studio moved this booking up.", "工作室将其提前转为正式预约。", "工作室將其提前轉為正式預約。"]),
        "booking.overtaken" if is("extra_place") => same([
            "The studio made an extra place for somebody behind in the queue.",
            "工作室为排在后面的会员增加了一个名额。",
            "工作室為排在後面的會員增加了一個名額。",
        ]),
        "booking.overtaken" => same([
            "The studio gave a place to somebody behind in the queue.",
            "工作室将名额给了排在后面的会员。",
            "工作室將名額給了排在後面的會員。",
        ]),
        "booking.no_show" => {
            let lost = number("credits_lost");
            let [en, zh_hans, zh_hant] = match lost {
                _ if details["forgiven"].is_string() => same([
                    "Did not come; it was forgiven and cost nothing.",
                    "未到课，此次免予处理，未扣除任何费用。",
                    "未到課，此次免予處理，未扣除任何費用。",
                ]),
                0 => same(["Did not come.", "未到课。", "未到課。"]),
                n => [
                    format!("Did not come: {} lost.", credits(n, Language::En)),
                    format!("未到课，扣除{}。", credits(n, Language::ZhHans)),
                    format!("未到課，扣除{}。", credits(n, Language::ZhHant)),
                ],
            };
            let [fee_en, fee_hans, fee_hant] = besides(details, is("strike"));
            [en + &fee_en, zh_hans + &fee_hans, zh_hant + &fee_hant]
        }
        "booking.unrecorded" => same([
            "Nobody was marked in this class, so it counts as attended.",
            "这节课无人登记到课，视为到课。",
            "這堂課無人登記到課，視為到課。",
        ]),
        "booking.stands_by" => same([
            "Entered at the door, for a place that nobody claims.",
            "已登记现场候补，等待空出的名额。",
            "已登記現場候補，等待釋出的名額。",
        ]),
        "booking.released_at_door" => same([
            "Had not come when the class began, so the place went to somebody at the door.",
            "开课时未到，名额已给现场候补的会员。",
            "開課時未到，名額已給現場候補的會員。",
        ]),
        "booking.let_in" => same(["Got a place at the door, and came.", "现场获得名额并到课。", "現場獲得名額並到課。"]),
        _ => return None,
    };
    Some(match language {
        Language::En => en,
        Language::ZhHans => zh_hans,
        Language::ZhHant => zh_hant,
    })
}

/// The fee and the strike, to follow what happened.
fn besides(details: &Value, strike: bool) -> [String; 3] {
    let [en, zh_hans, zh_hant] = match fee(details) {
        Some(fee) => [format!(" A fee of {fee}."), format!("违约金{fee}。"), format!("違約金{fee}。")],
        None => Default::default(),
    };
    let strike = if strike { [" It counts as a strike.", "记违约一次。", "記違約一次。"] } else { [""; 3] };
    [en + strike[0], zh_hans + strike[1], zh_hant + strike[2]]
}

/// A fee, as the log has it.
fn fee(details: &Value) -> Option<String> {
    let amount_minor = details["fee_minor"].as_i64().or(details["amount_minor"].as_i64())?;
    Some(money(&Money { amount_minor, currency: details["currency"].as_str()?.to_owned() }))
}

fn same(words: [&str; 3]) -> [String; 3] {
    words.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use chrono_tz::Asia::Shanghai;
    use serde_json::json;

    use super::*;

    #[test]
    fn why_somebody_was_passed_over_is_told_in_their_language() {
        let say = |action: &str, details: Value, language| {
            let reason = serde_json::from_value(details["reason"].clone()).ok();
            sentence(action, &details, reason, Shanghai, language).unwrap()
        };
        let over = say("booking.passed_over", json!({"reason": "no_pass"}), Language::En);
        assert_eq!(over, "A place came free and could not be given. You have no pass with a credit or visit left that this class accepts.");
        let offered = say("booking.offered", json!({"expires_at": "2026-12-03T04:30:00Z"}), Language::En);
        assert_eq!(offered, "A place was offered and kept until Thu 3 Dec, 12:30.");
        assert_eq!(say("booking.late_cancelled", json!({"credits_lost": 1}), Language::ZhHans), "逾期取消，扣除1次。");
        let fined = json!({"credits_lost": 0, "fee_minor": 5000, "currency": "CNY", "strike": true, "forgiven": null});
        assert_eq!(say("booking.late_cancelled", fined, Language::En), "Cancelled late. A fee of CNY 50.00. It counts as a strike.");
        let forgiven = json!({"credits_lost": 0, "strike": false, "forgiven": "month"});
        assert_eq!(say("booking.late_cancelled", forgiven, Language::En), "Cancelled late; it was forgiven and cost nothing.");
        let wish = say("booking.passed_over", json!({"reason": "quiet_hours"}), Language::ZhHant);
        assert_eq!(wish, "有名額釋出，但未能轉為正式預約。當時處於您設定的勿擾時段。");
        assert_eq!(sentence("booking.of_tomorrow", &json!({}), None, Shanghai, Language::En), None);
    }
}
