//! Short sentences and ways to write a date, a price or a cost, in every language that members read.
//!
//! The API adds the sentences when a thing is read; the letters (`words/`) use the same ones.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;

use super::facts::{CancelReason, InvitedRole, Money, PassedOver, Penalized, Terms};
use crate::language::Language;
use crate::passes::Length;
use crate::studios::house_rules::applied::{Cap, CapOf, Over};
use crate::zones;

/// What a cancellation at this instant would do; the rules decide it, `cancel_now_text` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelNow {
    /// The member waits: leaving takes nothing.
    Waiting,
    /// They were offered a place: declining takes nothing.
    Offered,
    /// In time, or nothing was taken.
    Free,
    /// Late, and a pack paid.
    LosesCredits(i64),
    /// Late, and a membership paid: the visit counts in the week of the session.
    VisitCounts,
    /// Late, and nothing was paid: what it costs besides is all.
    Besides,
    /// Late, and forgiven.
    Forgiven,
}

/// Until when a booking can be cancelled for free, and what a cancellation takes afterwards; and if that would be forgiven, as things stand,
/// that too.
pub fn free_cancel_text(terms: &Terms, starts_at: DateTime<Utc>, tz: Tz, language: Language) -> String {
    let nothing_taken = terms.credits == 0 && !terms.membership && terms.penalty.fee.is_none() && !terms.penalty.strike;
    match terms.free_cancel_until {
        _ if nothing_taken => free_until_the_start(language),
        Some(until) if until >= starts_at => free_until_the_start(language),
        Some(until) => free_until(&day_and_time(until, tz, language), terms, language) + would_be_forgiven(&terms.penalty, language),
        None => never_free(terms, language) + would_be_forgiven(&terms.penalty, language),
    }
}

fn would_be_forgiven(penalty: &Penalized, language: Language) -> &'static str {
    match language {
        _ if !penalty.forgiven => "",
        Language::En => " As things stand, that would be forgiven.",
        Language::ZhHans => "按目前情况，届时可获豁免。",
        Language::ZhHant => "按目前情況，屆時可獲豁免。",
    }
}

fn free_until_the_start(language: Language) -> String {
    match language {
        Language::En => "Free to cancel until the start.",
        Language::ZhHans => "开课前均可免费取消。",
        Language::ZhHant => "開課前均可免費取消。",
    }
    .to_owned()
}

fn free_until(until: &str, terms: &Terms, language: Language) -> String {
    let (credits, besides) = (credits(terms.credits, language), besides(&terms.penalty, language));
    match (language, terms.membership) {
        _ if terms.credits == 0 && !terms.membership => {
            let alone = besides_alone(&terms.penalty, language);
            match language {
                Language::En => format!("Free to cancel until {until}; then it costs {alone}."),
                Language::ZhHans => format!("{until}前可免费取消；之后取消将{alone}。"),
                Language::ZhHant => format!("{until}前可免費取消；其後取消將{alone}。"),
            }
        }
        (Language::En, false) => format!("Free to cancel until {until}; then {credits}{besides}."),
        (Language::En, true) => format!("Free to cancel until {until}; then it counts as a visit that week{besides}."),
        (Language::ZhHans, false) => format!("{until}前可免费取消；之后取消将扣除{credits}{besides}。"),
        (Language::ZhHans, true) => format!("{until}前可免费取消；之后取消将计入当周上课次数{besides}。"),
        (Language::ZhHant, false) => format!("{until}前可免費取消；其後取消將扣除{credits}{besides}。"),
        (Language::ZhHant, true) => format!("{until}前可免費取消；其後取消將計入當週上課次數{besides}。"),
    }
}

fn never_free(terms: &Terms, language: Language) -> String {
    let (credits, besides) = (credits(terms.credits, language), besides(&terms.penalty, language));
    match (language, terms.membership) {
        _ if terms.credits == 0 && !terms.membership => {
            let alone = besides_alone(&terms.penalty, language);
            match language {
                Language::En => format!("No free cancelling: a cancellation costs {alone}."),
                Language::ZhHans => format!("不可免费取消：取消将{alone}。"),
                Language::ZhHant => format!("不可免費取消：取消將{alone}。"),
            }
        }
        (Language::En, false) => format!("No free cancelling: a cancellation loses {credits}{besides}."),
        (Language::En, true) => format!("No free cancelling: a cancellation counts as a visit that week{besides}."),
        (Language::ZhHans, false) => format!("不可免费取消：取消将扣除{credits}{besides}。"),
        (Language::ZhHans, true) => format!("不可免费取消：取消将计入当周上课次数{besides}。"),
        (Language::ZhHant, false) => format!("不可免費取消：取消將扣除{credits}{besides}。"),
        (Language::ZhHant, true) => format!("不可免費取消：取消將計入當週上課次數{besides}。"),
    }
}

/// What cancelling now would do, in one sentence to be read before the tap.
pub fn cancel_now_text(cancel: CancelNow, penalty: &Penalized, language: Language) -> String {
    let besides = besides(penalty, language);
    match (cancel, language) {
        (CancelNow::Besides, _) => {
            let alone = besides_alone(penalty, language);
            match language {
                Language::En => format!("Cancelling now costs {alone}."),
                Language::ZhHans => format!("现在取消将{alone}。"),
                Language::ZhHant => format!("現在取消將{alone}。"),
            }
        }
        (CancelNow::Forgiven, _) => forgiven_text(language).to_owned(),
        (CancelNow::Waiting, Language::En) => "You are waiting; leaving is free.".to_owned(),
        (CancelNow::Waiting, Language::ZhHans) => "您正在候补，可随时免费退出。".to_owned(),
        (CancelNow::Waiting, Language::ZhHant) => "您正在候補，可隨時免費退出。".to_owned(),
        (CancelNow::Offered, Language::En) => "A place is offered to you; declining is free.".to_owned(),
        (CancelNow::Offered, Language::ZhHans) => "有一个名额提供给您，可免费谢绝。".to_owned(),
        (CancelNow::Offered, Language::ZhHant) => "有一個名額提供給您，可免費謝絕。".to_owned(),
        (CancelNow::Free, Language::En) => "Cancelling now is free.".to_owned(),
        (CancelNow::Free, Language::ZhHans) => "现在取消是免费的。".to_owned(),
        (CancelNow::Free, Language::ZhHant) => "現在取消是免費的。".to_owned(),
        (CancelNow::LosesCredits(lost), Language::En) => format!("Cancelling now loses {}{besides}.", credits(lost, language)),
        (CancelNow::LosesCredits(lost), Language::ZhHans) => format!("现在取消将扣除{}{besides}。", credits(lost, language)),
        (CancelNow::LosesCredits(lost), Language::ZhHant) => format!("現在取消將扣除{}{besides}。", credits(lost, language)),
        (CancelNow::VisitCounts, Language::En) => format!("Cancelling now counts as a visit that week{besides}."),
        (CancelNow::VisitCounts, Language::ZhHans) => format!("现在取消将计入当周上课次数{besides}。"),
        (CancelNow::VisitCounts, Language::ZhHant) => format!("現在取消將計入當週上課次數{besides}。"),
    }
}

/// What a cancellation was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelledFor {
    /// Nothing was taken.
    Nothing,
    /// It was late, and a pack paid.
    Credits(i64),
    /// It was late, and a membership paid: the visit counted.
    Visit,
    /// It was late, and nothing was paid: what it cost besides is all.
    Besides,
}

/// What came back with a cancellation, or what it cost; `besides` is what was not taken back since.
pub fn cancelled_text(came_back: i64, cost: CancelledFor, besides_it: &Penalized, language: Language) -> String {
    let (more, alone) = (besides(besides_it, language), besides_alone(besides_it, language));
    match (cost, language) {
        _ if came_back > 0 => {
            let came_back = credits(came_back, language);
            match language {
                Language::En => format!("{came_back} went back to your pass."),
                Language::ZhHans => format!("{came_back}已退还至您的卡。"),
                Language::ZhHant => format!("{came_back}已退回您的票。"),
            }
        }
        (CancelledFor::Credits(lost), Language::En) => format!("It was late and cost you {}{more}.", credits(lost, language)),
        (CancelledFor::Credits(lost), Language::ZhHans) => format!("因已过免费取消时限，扣除{}{more}。", credits(lost, language)),
        (CancelledFor::Credits(lost), Language::ZhHant) => format!("因已過免費取消時限，扣除{}{more}。", credits(lost, language)),
        (CancelledFor::Visit, Language::En) => format!("It was late and counts as a visit that week{more}."),
        (CancelledFor::Visit, Language::ZhHans) => format!("因已过免费取消时限，计入当周上课次数{more}。"),
        (CancelledFor::Visit, Language::ZhHant) => format!("因已過免費取消時限，計入當週上課次數{more}。"),
        (CancelledFor::Besides, Language::En) if !alone.is_empty() => format!("It was late and cost you {alone}."),
        (CancelledFor::Besides, Language::ZhHans) if !alone.is_empty() => format!("因已过免费取消时限，{alone}。"),
        (CancelledFor::Besides, Language::ZhHant) if !alone.is_empty() => format!("因已過免費取消時限，{alone}。"),
        (CancelledFor::Nothing | CancelledFor::Besides, Language::En) => "It cost you nothing.".to_owned(),
        (CancelledFor::Nothing | CancelledFor::Besides, Language::ZhHans) => "未扣除任何费用。".to_owned(),
        (CancelledFor::Nothing | CancelledFor::Besides, Language::ZhHant) => "未扣除任何費用。".to_owned(),
    }
}

/// What cancelling late costs besides what was paid, to follow that in its sentence.
fn besides(penalty: &Penalized, language: Language) -> String {
    let alone = besides_alone(penalty, language);
    match language {
        _ if alone.is_empty() => alone,
        Language::En => format!(", plus {alone}"),
        Language::ZhHans => format!("，并{alone}"),
        Language::ZhHant => format!("，並{alone}"),
    }
}

/// The same by itself.
fn besides_alone(penalty: &Penalized, language: Language) -> String {
    let fee = penalty.fee.as_ref().map(|fee| {
        let fee = money(fee);
        match language {
            Language::En => format!("a fee of {fee}"),
            Language::ZhHans => format!("收取违约金{fee}"),
            Language::ZhHant => format!("收取違約金{fee}"),
        }
    });
    let strike = penalty.strike.then(|| match language {
        Language::En => "a strike".to_owned(),
        Language::ZhHans => "记违约一次".to_owned(),
        Language::ZhHant => "記違約一次".to_owned(),
    });
    let both: Vec<String> = [fee, strike].into_iter().flatten().collect();
    both.join(if language == Language::En { " and " } else { "、" })
}

/// That a late cancellation costs nothing this time.
fn forgiven_text(language: Language) -> &'static str {
    match language {
        Language::En => "It is late to cancel, but this time it costs you nothing.",
        Language::ZhHans => "虽已过免费取消时限，但此次取消不扣除任何费用。",
        Language::ZhHant => "雖已過免費取消時限，但此次取消不扣除任何費用。",
    }
}

/// Until when a member may book less, or nothing, and what.
pub fn suspended_text(until: &str, only_within_hours: i64, language: Language) -> String {
    match (language, only_within_hours) {
        (Language::En, 0) => format!("Until {until} you cannot book."),
        (Language::En, 1) => format!("Until {until} you can only book classes that start within 1 hour."),
        (Language::En, n) => format!("Until {until} you can only book classes that start within {n} hours."),
        (Language::ZhHans, 0) => format!("{until}前您无法预约。"),
        (Language::ZhHans, n) => format!("{until}前您只能预约{n}小时内开始的课程。"),
        (Language::ZhHant, 0) => format!("{until}前您無法預約。"),
        (Language::ZhHant, n) => format!("{until}前您只能預約{n}小時內開始的課堂。"),
    }
}

/// How many strikes count of those that have a consequence, where none does yet.
pub fn standing_text(strikes: usize, max: Option<i64>, language: Language) -> String {
    match (language, max) {
        (Language::En, None) => "Late cancellations and absences do not keep you from booking here.".to_owned(),
        (Language::En, Some(1)) => format!("{strikes} of 1 strike."),
        (Language::En, Some(max)) => format!("{strikes} of {max} strikes."),
        (Language::ZhHans, None) => "逾期取消或缺席不会影响您在此预约。".to_owned(),
        (Language::ZhHans, Some(max)) => format!("违约{strikes}次，满{max}次将限制预约。"),
        (Language::ZhHant, None) => "逾期取消或缺席不會影響您在此預約。".to_owned(),
        (Language::ZhHant, Some(max)) => format!("違約{strikes}次，滿{max}次將限制預約。"),
    }
}

/// How a waitlist goes, as it is told to whoever would wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words of the product")]
pub struct Queue {
    /// `None`: automatic promotion is over.
    pub promotion_until: Option<DateTime<Utc>>,
    pub after: AfterPromotion,
    /// Where it closes before the start.
    pub closes_at: Option<DateTime<Utc>>,
    pub over: bool,
}

/// What becomes of a place that comes free after automatic promotion has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words of the product")]
pub enum AfterPromotion {
    Open,
    Offers { minutes: i64 },
    NotifyAll,
    Staff,
}

/// What waiting means, in a few sentences to be read before the tap.
pub fn waitlist_text(queue: Queue, tz: Tz, language: Language) -> String {
    if queue.over {
        return match language {
            Language::En => "The waitlist is closed.",
            Language::ZhHans => "候补已关闭。",
            Language::ZhHant => "候補已關閉。",
        }
        .to_owned();
    }
    let free = match language {
        Language::En => "Waiting takes nothing.",
        Language::ZhHans => "候补期间不扣费。",
        Language::ZhHant => "候補期間不扣費。",
    };
    let until = queue.promotion_until.map(|until| {
        let until = day_and_time(until, tz, language);
        match language {
            Language::En => format!("Until {until} a place that comes free is given to the next in line."),
            Language::ZhHans => format!("{until}前空出的名额将自动递补给下一位。"),
            Language::ZhHant => format!("{until}前釋出的名額將自動遞補給下一位。"),
        }
    });
    let after = match (queue.after, language) {
        (AfterPromotion::Open, Language::En) => "A place that comes free later is open to everybody.".to_owned(),
        (AfterPromotion::Open, Language::ZhHans) => "此后空出的名额向所有人开放。".to_owned(),
        (AfterPromotion::Open, Language::ZhHant) => "此後釋出的名額向所有人開放。".to_owned(),
        (AfterPromotion::Offers { minutes }, Language::En) => {
            format!("A place that comes free later is offered to one after another, for {minutes} minutes each.")
        }
        (AfterPromotion::Offers { minutes }, Language::ZhHans) => format!("此后空出的名额将按顺序逐一邀请，每位{minutes}分钟。"),
        (AfterPromotion::Offers { minutes }, Language::ZhHant) => format!("此後釋出的名額將按順序逐一邀請，每位{minutes}分鐘。"),
        (AfterPromotion::NotifyAll, Language::En) => {
            "Of a place that comes free later all who wait are told, and the first to accept gets it.".to_owned()
        }
        (AfterPromotion::NotifyAll, Language::ZhHans) => "此后如有名额空出，将通知所有候补者，先到先得。".to_owned(),
        (AfterPromotion::NotifyAll, Language::ZhHant) => "此後如有名額釋出，將通知所有候補者，先到先得。".to_owned(),
        (AfterPromotion::Staff, Language::En) => "Who gets a place that comes free later is decided by the studio.".to_owned(),
        (AfterPromotion::Staff, Language::ZhHans) => "此后空出的名额由工作室决定给谁。".to_owned(),
        (AfterPromotion::Staff, Language::ZhHant) => "此後釋出的名額由工作室決定給誰。".to_owned(),
    };
    let closes = queue.closes_at.map(|at| {
        let at = day_and_time(at, tz, language);
        match language {
            Language::En => format!("The waitlist closes {at}."),
            Language::ZhHans => format!("候补于{at}关闭。"),
            Language::ZhHant => format!("候補於{at}關閉。"),
        }
    });
    let sentences: Vec<String> = [Some(free.to_owned()), until, Some(after), closes].into_iter().flatten().collect();
    sentences.join(if language == Language::En { " " } else { "" })
}

/// What would pay, and who of the family holds it if not whoever comes, in one sentence to be read before the tap. `None`: nothing has to.
pub fn pass_pays_text(pass: Option<(&str, Option<&str>)>, taken: i64, visit: bool, language: Language) -> String {
    let credits = credits(taken, language);
    let Some((pass, shared_by)) = pass else {
        return match language {
            Language::En => "This class costs nothing.".to_owned(),
            Language::ZhHans => "这节课免费。".to_owned(),
            Language::ZhHant => "這堂課免費。".to_owned(),
        };
    };
    let pass = match (shared_by, language) {
        (None, Language::En | Language::ZhHans) => format!("“{pass}”"),
        (None, Language::ZhHant) => format!("「{pass}」"),
        (Some(whose), Language::En) => format!("{whose}’s “{pass}”"),
        (Some(whose), Language::ZhHans) => format!("{whose}的“{pass}”"),
        (Some(whose), Language::ZhHant) => format!("{whose}的「{pass}」"),
    };
    match language {
        Language::En if visit => format!("{pass} pays: it counts as a visit that week."),
        Language::ZhHans if visit => format!("将使用{pass}，计入当周上课次数。"),
        Language::ZhHant if visit => format!("將使用{pass}，計入當週上課次數。"),
        Language::En => format!("{pass} pays {credits}."),
        Language::ZhHans => format!("将从{pass}扣除{credits}。"),
        Language::ZhHant => format!("將從{pass}扣除{credits}。"),
    }
}

/// From when a member may book.
pub fn bookable_from_text(opens_at: DateTime<Utc>, tz: Tz, language: Language) -> String {
    let from = day_and_time(opens_at, tz, language);
    match language {
        Language::En => format!("You can book from {from}."),
        Language::ZhHans => format!("您可从{from}起预约。"),
        Language::ZhHant => format!("您可從{from}起預約。"),
    }
}

/// A cap as the rule that it is.
pub fn cap_text(cap: Cap, language: Language) -> String {
    let Cap { over, of, max } = cap;
    let one = max == 1;
    let most = match (over, language) {
        (Over::Ahead, Language::En) if one => "At most 1 booking ahead".to_owned(),
        (Over::Ahead, Language::En) => format!("At most {max} bookings ahead"),
        (Over::Day, Language::En) if one => "At most 1 booking a day".to_owned(),
        (Over::Day, Language::En) => format!("At most {max} bookings a day"),
        (Over::Week, Language::En) if one => "At most 1 booking a week".to_owned(),
        (Over::Week, Language::En) => format!("At most {max} bookings a week"),
        (Over::Month, Language::En) if one => "At most 1 booking a month".to_owned(),
        (Over::Month, Language::En) => format!("At most {max} bookings a month"),
        (Over::Ahead, Language::ZhHans) => format!("最多可有{max}个未上课的预约"),
        (Over::Day, Language::ZhHans) => format!("每天最多预约{max}节课"),
        (Over::Week, Language::ZhHans) => format!("每周最多预约{max}节课"),
        (Over::Month, Language::ZhHans) => format!("每月最多预约{max}节课"),
        (Over::Ahead, Language::ZhHant) => format!("最多可有{max}個未上課的預約"),
        (Over::Day, Language::ZhHant) => format!("每天最多預約{max}堂課"),
        (Over::Week, Language::ZhHant) => format!("每週最多預約{max}堂課"),
        (Over::Month, Language::ZhHant) => format!("每月最多預約{max}堂課"),
    };
    let which = match (of, language) {
        (CapOf::Studio, Language::En) => ".",
        (CapOf::ClassType, Language::En) => " of this kind of class.",
        (CapOf::PassType, Language::En) => " with this pass.",
        (CapOf::Studio, _) => "。",
        (CapOf::ClassType, Language::ZhHans) => "（限此类课程）。",
        (CapOf::ClassType, Language::ZhHant) => "（限此類課堂）。",
        (CapOf::PassType, Language::ZhHans) => "（使用此卡）。",
        (CapOf::PassType, Language::ZhHant) => "（使用此票）。",
    };
    format!("{most}{which}")
}

/// `1 credit`, `2 credits`; members read them as times (次) or lessons (堂) in Chinese.
pub fn credits(n: i64, language: Language) -> String {
    match language {
        Language::En if n == 1 => "1 credit".to_owned(),
        Language::En => format!("{n} credits"),
        Language::ZhHans => format!("{n}次"),
        Language::ZhHant => format!("{n}堂"),
    }
}

/// For how long a pass is valid from the first class.
pub fn pass_length(length: Length, language: Language) -> String {
    match (length, language) {
        (Length::Days(1), Language::En) => "1 day".to_owned(),
        (Length::Days(n), Language::En) => format!("{n} days"),
        (Length::Days(n), Language::ZhHans | Language::ZhHant) => format!("{n}天"),
        (Length::Months(1), Language::En) => "1 month".to_owned(),
        (Length::Months(n), Language::En) => format!("{n} months"),
        (Length::Months(n), Language::ZhHans) => format!("{n}个月"),
        (Length::Months(n), Language::ZhHant) => format!("{n}個月"),
    }
}

/// What a booking costs, as the line of a letter: credits, a membership, or nothing.
pub fn cost(terms: &Terms, language: Language) -> String {
    match (language, terms.membership, terms.credits) {
        (Language::En, true, _) => "your membership".to_owned(),
        (Language::En, false, 0) => "nothing".to_owned(),
        (Language::En, false, n) => credits(n, language),
        (Language::ZhHans, true, _) => "使用会员卡".to_owned(),
        (Language::ZhHans, false, 0) => "免费".to_owned(),
        (Language::ZhHans, false, n) => format!("次卡{}", credits(n, language)),
        (Language::ZhHant, true, _) => "使用會籍".to_owned(),
        (Language::ZhHant, false, 0) => "免費".to_owned(),
        (Language::ZhHant, false, n) => format!("課堂套票{}", credits(n, language)),
    }
}

/// Whose a pass is, of the family that shares it.
pub fn shared_by_text(whose: &str, language: Language) -> String {
    match language {
        Language::En => format!("Shared with you by {whose}"),
        Language::ZhHans => format!("由{whose}与您共享"),
        Language::ZhHant => format!("由{whose}與您共用"),
    }
}

/// Until when a place is kept for somebody.
pub fn kept_until(until: &str, language: Language) -> String {
    match language {
        Language::En => format!("This place is kept for you until {until}."),
        Language::ZhHans => format!("名额为您保留至{until}。"),
        Language::ZhHant => format!("名額為您保留至{until}。"),
    }
}

/// What an offered place costs whoever takes it, and until when it can then be cancelled for free.
pub fn offer_cost(terms: &Terms, starts_at: DateTime<Utc>, tz: Tz, language: Language) -> String {
    let (cost, cancelling) = (cost(terms, language), free_cancel_text(terms, starts_at, tz, language));
    match language {
        Language::En => format!("Cost: {cost}. Once you have it: {cancelling}"),
        Language::ZhHans => format!("费用：{cost}。接受后：{cancelling}"),
        Language::ZhHant => format!("費用：{cost}。接受後：{cancelling}"),
    }
}

/// What a place will cost whoever takes it, when it is not yet known which of their passes will pay.
pub fn place_cost(credits_taken: i64, language: Language) -> String {
    let taken = credits(credits_taken, language);
    match (language, credits_taken) {
        (Language::En, 0) => "nothing".to_owned(),
        (Language::En, _) => format!("{taken} (with a membership: one visit)"),
        (Language::ZhHans, 0) => "免费".to_owned(),
        (Language::ZhHans, _) => format!("次卡{taken}（会员卡按一次上课计）"),
        (Language::ZhHant, 0) => "免費".to_owned(),
        (Language::ZhHant, _) => format!("課堂套票{taken}（會籍按一次上課計）"),
    }
}

/// `CNY 1,880.00`: the currency by its code, so that a dollar is never taken for another one.
pub fn money(money: &Money) -> String {
    let decimals = decimals(&money.currency);
    let one = 10_u64.pow(decimals);
    let amount = money.amount_minor.unsigned_abs();
    let mut whole = (amount / one).to_string();
    for at in (1..whole.len()).rev().filter(|at| (whole.len() - at).is_multiple_of(3)).collect::<Vec<_>>() {
        whole.insert(at, ',');
    }
    let sign = if money.amount_minor < 0 { "-" } else { "" };
    let currency = &money.currency;
    match decimals {
        0 => format!("{currency} {sign}{whole}"),
        _ => format!("{currency} {sign}{whole}.{:0width$}", amount % one, width = decimals as usize),
    }
}

/// The decimals of a currency's minor unit (ISO 4217).
pub fn decimals(currency: &str) -> u32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

/// A role on a studio's staff.
pub fn role(role: InvitedRole, language: Language) -> &'static str {
    match (role, language) {
        (InvitedRole::Instructor, Language::En) => "instructor",
        (InvitedRole::Instructor, Language::ZhHans) => "教练",
        (InvitedRole::Instructor, Language::ZhHant) => "教練",
        (InvitedRole::FrontDesk, Language::En) => "front desk",
        (InvitedRole::FrontDesk, Language::ZhHans) => "前台",
        (InvitedRole::FrontDesk, Language::ZhHant) => "櫃檯",
        (InvitedRole::Admin, Language::En) => "admin",
        (InvitedRole::Admin, Language::ZhHans) => "管理员",
        (InvitedRole::Admin, Language::ZhHant) => "管理員",
    }
}

/// Why the member could not have a place that came free: a sentence that says what is in the way.
pub fn passed_over(reason: PassedOver, language: Language) -> &'static str {
    match (reason, language) {
        (PassedOver::NoPass, Language::En) => "You have no pass with a credit or visit left that this class accepts.",
        (PassedOver::NoPass, Language::ZhHans) => "您没有可用于这节课且尚有余额的次卡或会员卡。",
        (PassedOver::NoPass, Language::ZhHant) => "您沒有可用於這堂課且尚有餘額的課堂套票或會籍。",
        (PassedOver::Overlap, Language::En) => "You are booked in another class at that time.",
        (PassedOver::Overlap, Language::ZhHans) => "您在同一时段已预约了另一节课。",
        (PassedOver::Overlap, Language::ZhHant) => "您在同一時段已預約了另一堂課。",
        (PassedOver::TooManyBookings, Language::En) => "You have as many bookings as the house rules allow.",
        (PassedOver::TooManyBookings, Language::ZhHans) => "您的预约数已达到约课规则的上限。",
        (PassedOver::TooManyBookings, Language::ZhHant) => "您的預約數已達預約規則的上限。",
        (PassedOver::Suspended, Language::En) => "After too many late cancellations or absences you cannot book this class now.",
        (PassedOver::Suspended, Language::ZhHans) => "因逾期取消或缺席次数过多，您目前无法预约这节课。",
        (PassedOver::Suspended, Language::ZhHant) => "因逾期取消或缺席次數過多，您目前無法預約這堂課。",
        (PassedOver::TurnedDown, Language::En) => {
            "You gave back a place in this class that the waitlist had given or offered you, so you are not moved in again without being asked."
        }
        (PassedOver::TurnedDown, Language::ZhHans) => "您曾放弃这节课候补转入或为您保留的名额，因此系统不会再次自动为您转入。",
        (PassedOver::TurnedDown, Language::ZhHant) => "您曾放棄這堂課候補轉入或為您保留的名額，因此系統不會再次自動為您轉入。",
        (PassedOver::NotFree, Language::En) => {
            "It was to take the place of another booking of yours, and giving that up is not free any more."
        }
        (PassedOver::NotFree, Language::ZhHans) => "这个名额原定用来替换您的另一个预约，而该预约已不能免费取消。",
        (PassedOver::NotFree, Language::ZhHant) => "這個名額原定用來替換您的另一個預約，而該預約已無法免費取消。",
        (PassedOver::ShortNotice, Language::En) => "You asked to be moved in only with more notice than that.",
        (PassedOver::ShortNotice, Language::ZhHans) => "您设定了更长的提前通知时间。",
        (PassedOver::ShortNotice, Language::ZhHant) => "您設定了更長的提前通知時間。",
        (PassedOver::TooLate, Language::En) => "You asked to be moved in only until a time that is over.",
        (PassedOver::TooLate, Language::ZhHans) => "您设定的自动转入截止时间已过。",
        (PassedOver::TooLate, Language::ZhHant) => "您設定的自動轉入截止時間已過。",
        (PassedOver::OneADay, Language::En) => "You asked for one class a day in this studio, and have one on that day.",
        (PassedOver::OneADay, Language::ZhHans) => "您设定了在该工作室每天只上一节课，而当天已有一节。",
        (PassedOver::OneADay, Language::ZhHant) => "您設定了在該工作室每天只上一堂課，而當天已有一堂。",
        (PassedOver::QuietHours, Language::En) => "It was within your own quiet hours.",
        (PassedOver::QuietHours, Language::ZhHans) => "当时处于您设定的免打扰时段。",
        (PassedOver::QuietHours, Language::ZhHant) => "當時處於您設定的勿擾時段。",
        (PassedOver::Pair, Language::En) => "You wait together with somebody, and it could not be given to both of you.",
        (PassedOver::Pair, Language::ZhHans) => "您与另一位会员结伴候补，当时无法同时为两位转入。",
        (PassedOver::Pair, Language::ZhHant) => "您與另一位會員結伴候補，當時無法同時為兩位轉入。",
    }
}

/// Why a studio cancelled a session; `Other` has no words of its own, the note says why.
pub fn cancel_reason(reason: CancelReason, language: Language) -> Option<&'static str> {
    match (reason, language) {
        (CancelReason::Illness, Language::En) => Some("illness"),
        (CancelReason::Illness, Language::ZhHans) => Some("教练身体不适"),
        (CancelReason::Illness, Language::ZhHant) => Some("教練身體不適"),
        (CancelReason::Weather, Language::En) => Some("weather"),
        (CancelReason::Weather, Language::ZhHans) => Some("天气影响"),
        (CancelReason::Weather, Language::ZhHant) => Some("天氣影響"),
        (CancelReason::Premises, Language::En) => Some("the room cannot be used"),
        (CancelReason::Premises, Language::ZhHans) => Some("教室无法使用"),
        (CancelReason::Premises, Language::ZhHant) => Some("教室無法使用"),
        (CancelReason::TooFew, Language::En) => Some("too few bookings"),
        (CancelReason::TooFew, Language::ZhHans) => Some("预约人数不足"),
        (CancelReason::TooFew, Language::ZhHant) => Some("預約人數不足"),
        (CancelReason::Other, _) => None,
    }
}

/// What the calendar shows under the class: who teaches, how to cancel (not to a guest, who cannot), and what the calendar cannot do.
pub fn calendar_description(instructor: &str, link: Option<&str>, language: Language) -> String {
    let who = calendar_instructor(instructor, language);
    let Some(link) = link else {
        return match language {
            Language::En => format!("{who}\nDeclining or deleting this entry does not cancel the booking."),
            Language::ZhHans => format!("{who}\n拒绝或删除此日程不会取消预约。"),
            Language::ZhHant => format!("{who}\n拒絕或刪除這項活動並不會取消預約。"),
        };
    };
    match language {
        Language::En => format!("{who}\nHow to cancel: {link}\nDeclining or deleting this entry does not cancel the booking."),
        Language::ZhHans => format!("{who}\n如何取消预约：{link}\n拒绝或删除此日程不会取消预约。"),
        Language::ZhHant => format!("{who}\n如何取消預約：{link}\n拒絕或刪除這項活動並不會取消預約。"),
    }
}

/// What a subscribed calendar is called: a member's bookings, or what an instructor teaches.
pub fn calendar_name(teaching: bool, language: Language) -> &'static str {
    match (teaching, language) {
        (false, Language::En) => "My classes",
        (false, Language::ZhHans) => "我的课程",
        (false, Language::ZhHant) => "我的課堂",
        (true, Language::En) => "Classes I teach",
        (true, Language::ZhHans) => "我的授课",
        (true, Language::ZhHant) => "我的授課",
    }
}

/// A class in the calendar of a member who waits for a place in it.
pub fn calendar_waiting(class: &str, language: Language) -> String {
    match language {
        Language::En => format!("Waitlist: {class}"),
        Language::ZhHans => format!("候补：{class}"),
        Language::ZhHant => format!("候補：{class}"),
    }
}

/// A class in the calendar of a member for whom a place is kept that they have not taken.
pub fn calendar_offered(class: &str, language: Language) -> String {
    match language {
        Language::En => format!("Place offered: {class}"),
        Language::ZhHans => format!("待确认名额：{class}"),
        Language::ZhHant => format!("待確認名額：{class}"),
    }
}

/// What the calendar shows under a class that is nobody's booking: who teaches it.
pub fn calendar_instructor(instructor: &str, language: Language) -> String {
    match language {
        Language::En => format!("Instructor: {instructor}"),
        Language::ZhHans => format!("教练：{instructor}"),
        Language::ZhHant => format!("教練：{instructor}"),
    }
}

/// `Tue 1 Dec, 06:30`, in the studio's zone.
pub fn day_and_time(at: DateTime<Utc>, tz: Tz, language: Language) -> String {
    let local = zones::wall(at, tz);
    match language {
        Language::En => local.format("%a %-d %b, %H:%M").to_string(),
        _ => {
            let (month, day) = (local.month(), local.day());
            format!("{month}月{day}日（{}）{}", weekday(local.date_naive(), language), local.format("%H:%M"))
        }
    }
}

/// `Tue 1`: a day of a week that is told besides.
pub fn short_day(date: NaiveDate, language: Language) -> String {
    match language {
        Language::En => date.format("%a %-d").to_string(),
        _ => format!("{}日 {}", date.day(), weekday(date, language)),
    }
}

/// `Tue 1 Dec 2026`.
pub fn date(date: NaiveDate, language: Language) -> String {
    match language {
        Language::En => date.format("%a %-d %b %Y").to_string(),
        _ => {
            let (year, month, day) = (date.year(), date.month(), date.day());
            format!("{year}年{month}月{day}日（{}）", weekday(date, language))
        }
    }
}

/// `Tue 1 Dec 2026, 06:30–07:25 (Shanghai time, UTC+8)`: from start to end, with the zone that the studio's clock shows.
pub fn span(starts_at: DateTime<Utc>, ends_at: DateTime<Utc>, tz: Tz, language: Language) -> String {
    let (from, to) = (zones::wall(starts_at, tz), zones::wall(ends_at, tz));
    let (day, zone) = (date(from.date_naive(), language), zone(starts_at, tz, language));
    let (from, to) = (from.format("%H:%M"), to.format("%H:%M"));
    match language {
        Language::En => format!("{day}, {from}–{to} ({zone})"),
        _ => format!("{day}{from}–{to}（{zone}）"),
    }
}

/// `Tue 1 Dec 2026, 06:30`, on the wall of this zone.
pub fn moment(at: DateTime<Utc>, tz: Tz, language: Language) -> String {
    let at = zones::wall(at, tz);
    let (day, time) = (date(at.date_naive(), language), at.format("%H:%M"));
    match language {
        Language::En => format!("{day}, {time}"),
        _ => format!("{day}{time}"),
    }
}

/// `Tue 1 Dec 2026, 06:30 UTC`: for letters about an account, which has no studio and so no zone.
pub fn utc(at: DateTime<Utc>, language: Language) -> String {
    let moment = moment(at, Tz::UTC, language);
    match language {
        Language::En => format!("{moment} UTC"),
        _ => format!("{moment}（UTC）"),
    }
}

/// The same by the clock that somebody lives by, where it is known.
pub fn moment_or_utc(at: DateTime<Utc>, tz: Option<Tz>, language: Language) -> String {
    tz.map_or_else(|| utc(at, language), |tz| moment(at, tz, language))
}

fn weekday(date: NaiveDate, language: Language) -> String {
    let week = if language == Language::ZhHant { "週" } else { "周" };
    let days = ["一", "二", "三", "四", "五", "六", "日"];
    format!("{week}{}", days[date.weekday().num_days_from_monday() as usize])
}

/// `Shanghai time, UTC+8`: whose clock this is, and how far from UTC on that day.
pub fn zone(at: DateTime<Utc>, tz: Tz, language: Language) -> String {
    let offset = offset(at, tz);
    match (language, tz) {
        (_, Tz::UTC | Tz::Etc__UTC) => offset,
        (Language::En, _) if tz.name().starts_with("Etc/") => offset,
        (Language::En, _) => {
            let city = tz.name().rsplit('/').next().unwrap_or_default().replace('_', " ");
            format!("{city} time, {offset}")
        }
        (Language::ZhHans, _) => {
            let (place, _) = chinese_place(tz).unwrap_or(("当地", ""));
            format!("{place}时间，{offset}")
        }
        (Language::ZhHant, _) => {
            let (_, place) = chinese_place(tz).unwrap_or(("", "當地"));
            format!("{place}時間，{offset}")
        }
    }
}

/// What the place of a zone is called in 简体 and in 繁體.
const fn chinese_place(tz: Tz) -> Option<(&'static str, &'static str)> {
    Some(match tz {
        Tz::Asia__Shanghai => ("北京", "北京"),
        Tz::Asia__Hong_Kong => ("香港", "香港"),
        Tz::Asia__Macau => ("澳门", "澳門"),
        Tz::Asia__Taipei => ("台北", "台北"),
        Tz::Asia__Singapore => ("新加坡", "新加坡"),
        Tz::Asia__Kuala_Lumpur => ("吉隆坡", "吉隆坡"),
        Tz::Asia__Bangkok => ("曼谷", "曼谷"),
        Tz::Asia__Tokyo => ("东京", "東京"),
        Tz::Asia__Seoul => ("首尔", "首爾"),
        Tz::Asia__Dubai => ("迪拜", "杜拜"),
        Tz::Australia__Sydney => ("悉尼", "雪梨"),
        Tz::Australia__Melbourne => ("墨尔本", "墨爾本"),
        Tz::Pacific__Auckland => ("奥克兰", "奧克蘭"),
        Tz::America__New_York => ("纽约", "紐約"),
        Tz::America__Chicago => ("芝加哥", "芝加哥"),
        Tz::America__Denver => ("丹佛", "丹佛"),
        Tz::America__Los_Angeles => ("洛杉矶", "洛杉磯"),
        Tz::America__Toronto => ("多伦多", "多倫多"),
        Tz::America__Vancouver => ("温哥华", "溫哥華"),
        Tz::Europe__London => ("伦敦", "倫敦"),
        Tz::Europe__Paris => ("巴黎", "巴黎"),
        Tz::Europe__Berlin => ("柏林", "柏林"),
        Tz::Europe__Zurich => ("苏黎世", "蘇黎世"),
        Tz::Europe__Madrid => ("马德里", "馬德里"),
        Tz::Europe__Rome => ("罗马", "羅馬"),
        _ => return None,
    })
}

/// `UTC+8`, `UTC-3`, `UTC+5:30`.
fn offset(at: DateTime<Utc>, tz: Tz) -> String {
    let minutes = zones::wall(at, tz).offset().local_minus_utc() / 60;
    let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
    let sign = if minutes < 0 { '-' } else { '+' };
    match (hours, rest) {
        (0, 0) => "UTC".to_owned(),
        (_, 0) => format!("UTC{sign}{hours}"),
        _ => format!("UTC{sign}{hours}:{rest:02}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn at(instant: &str) -> DateTime<Utc> {
        instant.parse().unwrap()
    }

    fn terms(credits: i64, membership: bool, free_cancel_until: Option<&str>) -> Terms {
        Terms { credits, membership, free_cancel_until: free_cancel_until.map(at), penalty: Penalized::default() }
    }

    const SHANGHAI: Tz = Tz::Asia__Shanghai;
    /// Tue 1 Dec 2026, 18:30 in Shanghai.
    const START: &str = "2026-12-01T10:30:00Z";
    /// Twelve hours before.
    const CUT_OFF: Option<&str> = Some("2026-11-30T22:30:00Z");

    #[test]
    fn free_cancelling_is_told_with_its_end_and_its_cost() {
        for (terms, said) in [
            (
                terms(1, false, CUT_OFF),
                [
                    "Free to cancel until Tue 1 Dec, 06:30; then 1 credit.",
                    "12月1日（周二）06:30前可免费取消；之后取消将扣除1次。",
                    "12月1日（週二）06:30前可免費取消；其後取消將扣除1堂。",
                ],
            ),
            (
                terms(2, false, CUT_OFF),
                [
                    "Free to cancel until Tue 1 Dec, 06:30; then 2 credits.",
                    "12月1日（周二）06:30前可免费取消；之后取消将扣除2次。",
                    "12月1日（週二）06:30前可免費取消；其後取消將扣除2堂。",
                ],
            ),
            (
                terms(0, true, CUT_OFF),
                [
                    "Free to cancel until Tue 1 Dec, 06:30; then it counts as a visit that week.",
                    "12月1日（周二）06:30前可免费取消；之后取消将计入当周上课次数。",
                    "12月1日（週二）06:30前可免費取消；其後取消將計入當週上課次數。",
                ],
            ),
            (
                terms(1, false, None),
                ["No free cancelling: a cancellation loses 1 credit.", "不可免费取消：取消将扣除1次。", "不可免費取消：取消將扣除1堂。"],
            ),
            (
                terms(0, true, None),
                [
                    "No free cancelling: a cancellation counts as a visit that week.",
                    "不可免费取消：取消将计入当周上课次数。",
                    "不可免費取消：取消將計入當週上課次數。",
                ],
            ),
        ] {
            for (language, said) in Language::ALL.into_iter().zip(said) {
                assert_eq!(free_cancel_text(&terms, at(START), SHANGHAI, language), said);
            }
        }
    }

    #[test]
    fn free_up_to_the_start_names_no_instant() {
        for terms in [terms(1, false, Some(START)), terms(0, true, Some(START)), terms(0, false, CUT_OFF), terms(0, false, None)] {
            let said = Language::ALL.map(|language| free_cancel_text(&terms, at(START), SHANGHAI, language));
            assert_eq!(said, ["Free to cancel until the start.", "开课前均可免费取消。", "開課前均可免費取消。"]);
        }
    }

    #[test]
    fn cancelling_now_is_told_before_the_tap() {
        for (cancel, said) in [
            (CancelNow::Waiting, ["You are waiting; leaving is free.", "您正在候补，可随时免费退出。", "您正在候補，可隨時免費退出。"]),
            (
                CancelNow::Offered,
                ["A place is offered to you; declining is free.", "有一个名额提供给您，可免费谢绝。", "有一個名額提供給您，可免費謝絕。"],
            ),
            (CancelNow::Free, ["Cancelling now is free.", "现在取消是免费的。", "現在取消是免費的。"]),
            (CancelNow::LosesCredits(1), ["Cancelling now loses 1 credit.", "现在取消将扣除1次。", "現在取消將扣除1堂。"]),
            (CancelNow::LosesCredits(3), ["Cancelling now loses 3 credits.", "现在取消将扣除3次。", "現在取消將扣除3堂。"]),
            (
                CancelNow::VisitCounts,
                ["Cancelling now counts as a visit that week.", "现在取消将计入当周上课次数。", "現在取消將計入當週上課次數。"],
            ),
        ] {
            assert_eq!(Language::ALL.map(|language| cancel_now_text(cancel, &Penalized::default(), language)), said);
        }
    }

    #[test]
    fn what_a_late_cancellation_costs_besides_is_told() {
        let fee = || Some(Money { amount_minor: 5_000, currency: "CNY".to_owned() });
        let both = Penalized { fee: fee(), strike: true, forgiven: false };
        let strike = Penalized { strike: true, ..Penalized::default() };
        for (cancel, penalty, said) in [
            (
                CancelNow::VisitCounts,
                &both,
                [
                    "Cancelling now counts as a visit that week, plus a fee of CNY 50.00 and a strike.",
                    "现在取消将计入当周上课次数，并收取违约金CNY 50.00、记违约一次。",
                    "現在取消將計入當週上課次數，並收取違約金CNY 50.00、記違約一次。",
                ],
            ),
            (
                CancelNow::LosesCredits(1),
                &strike,
                ["Cancelling now loses 1 credit, plus a strike.", "现在取消将扣除1次，并记违约一次。", "現在取消將扣除1堂，並記違約一次。"],
            ),
            (CancelNow::Besides, &strike, ["Cancelling now costs a strike.", "现在取消将记违约一次。", "現在取消將記違約一次。"]),
            (
                CancelNow::Forgiven,
                &Penalized { forgiven: true, ..Penalized::default() },
                [
                    "It is late to cancel, but this time it costs you nothing.",
                    "虽已过免费取消时限，但此次取消不扣除任何费用。",
                    "雖已過免費取消時限，但此次取消不扣除任何費用。",
                ],
            ),
        ] {
            assert_eq!(Language::ALL.map(|language| cancel_now_text(cancel, penalty, language)), said);
        }
        let told = |credits, membership, until, penalty: &Penalized| {
            let terms = Terms { penalty: penalty.clone(), ..terms(credits, membership, until) };
            Language::ALL.map(|language| free_cancel_text(&terms, at(START), SHANGHAI, language))
        };
        assert_eq!(
            told(0, true, CUT_OFF, &both),
            [
                "Free to cancel until Tue 1 Dec, 06:30; then it counts as a visit that week, plus a fee of CNY 50.00 and a strike.",
                "12月1日（周二）06:30前可免费取消；之后取消将计入当周上课次数，并收取违约金CNY 50.00、记违约一次。",
                "12月1日（週二）06:30前可免費取消；其後取消將計入當週上課次數，並收取違約金CNY 50.00、記違約一次。",
            ]
        );
        let forgiven = Penalized { forgiven: true, ..Penalized::default() };
        assert_eq!(
            told(1, false, CUT_OFF, &forgiven),
            [
                "Free to cancel until Tue 1 Dec, 06:30; then 1 credit. As things stand, that would be forgiven.",
                "12月1日（周二）06:30前可免费取消；之后取消将扣除1次。按目前情况，届时可获豁免。",
                "12月1日（週二）06:30前可免費取消；其後取消將扣除1堂。按目前情況，屆時可獲豁免。",
            ]
        );
        let cancelled =
            |came_back, cost, penalty: &Penalized| Language::ALL.map(|language| cancelled_text(came_back, cost, penalty, language));
        assert_eq!(
            cancelled(1, CancelledFor::Nothing, &Penalized::default()),
            ["1 credit went back to your pass.", "1次已退还至您的卡。", "1堂已退回您的票。"]
        );
        assert_eq!(
            cancelled(0, CancelledFor::Credits(2), &both),
            [
                "It was late and cost you 2 credits, plus a fee of CNY 50.00 and a strike.",
                "因已过免费取消时限，扣除2次，并收取违约金CNY 50.00、记违约一次。",
                "因已過免費取消時限，扣除2堂，並收取違約金CNY 50.00、記違約一次。",
            ]
        );
        assert_eq!(cancelled(0, CancelledFor::Besides, &strike)[0], "It was late and cost you a strike.");
        assert_eq!(cancelled(0, CancelledFor::Besides, &forgiven), cancelled(0, CancelledFor::Nothing, &forgiven));
        assert_eq!(told(1, false, Some(START), &forgiven)[0], "Free to cancel until the start.");
        assert_eq!(
            told(0, false, None, &strike),
            ["No free cancelling: a cancellation costs a strike.", "不可免费取消：取消将记违约一次。", "不可免費取消：取消將記違約一次。"]
        );
    }

    #[test]
    fn times_are_the_studios() {
        for (instant, tz, said) in [
            (START, SHANGHAI, ["Tue 1 Dec, 18:30", "12月1日（周二）18:30", "12月1日（週二）18:30"]),
            // The local day differs from UTC's.
            ("2026-12-31T23:05:00Z", SHANGHAI, ["Fri 1 Jan, 07:05", "1月1日（周五）07:05", "1月1日（週五）07:05"]),
            ("2026-07-05T11:00:00Z", Tz::America__New_York, ["Sun 5 Jul, 07:00", "7月5日（周日）07:00", "7月5日（週日）07:00"]),
        ] {
            assert_eq!(Language::ALL.map(|language| day_and_time(at(instant), tz, language)), said);
        }
    }

    #[test]
    fn a_span_names_its_zone() {
        let (start, end) = ("2026-07-05T11:00:00Z", "2026-07-05T11:55:00Z");
        for (tz, said) in [
            (
                SHANGHAI,
                [
                    "Sun 5 Jul 2026, 19:00–19:55 (Shanghai time, UTC+8)",
                    "2026年7月5日（周日）19:00–19:55（北京时间，UTC+8）",
                    "2026年7月5日（週日）19:00–19:55（北京時間，UTC+8）",
                ],
            ),
            (
                Tz::Asia__Hong_Kong,
                [
                    "Sun 5 Jul 2026, 19:00–19:55 (Hong Kong time, UTC+8)",
                    "2026年7月5日（周日）19:00–19:55（香港时间，UTC+8）",
                    "2026年7月5日（週日）19:00–19:55（香港時間，UTC+8）",
                ],
            ),
            (
                Tz::America__St_Johns,
                [
                    "Sun 5 Jul 2026, 08:30–09:25 (St Johns time, UTC-2:30)",
                    "2026年7月5日（周日）08:30–09:25（当地时间，UTC-2:30）",
                    "2026年7月5日（週日）08:30–09:25（當地時間，UTC-2:30）",
                ],
            ),
            (
                Tz::UTC,
                ["Sun 5 Jul 2026, 11:00–11:55 (UTC)", "2026年7月5日（周日）11:00–11:55（UTC）", "2026年7月5日（週日）11:00–11:55（UTC）"],
            ),
        ] {
            assert_eq!(Language::ALL.map(|language| span(at(start), at(end), tz, language)), said);
        }
        // London: summer time in July, UTC itself in winter.
        let london = |instant| span(at(instant), at(instant), Tz::Europe__London, Language::En);
        assert_eq!(london("2026-07-05T11:00:00Z"), "Sun 5 Jul 2026, 12:00–12:00 (London time, UTC+1)");
        assert_eq!(london("2026-12-05T11:00:00Z"), "Sat 5 Dec 2026, 11:00–11:00 (London time, UTC)");
    }

    #[test]
    fn a_place_has_a_price_before_it_is_known_which_pass_pays() {
        for (credits, said) in [
            (0, ["nothing", "免费", "免費"]),
            (1, ["1 credit (with a membership: one visit)", "次卡1次（会员卡按一次上课计）", "課堂套票1堂（會籍按一次上課計）"]),
            (2, ["2 credits (with a membership: one visit)", "次卡2次（会员卡按一次上课计）", "課堂套票2堂（會籍按一次上課計）"]),
        ] {
            assert_eq!(Language::ALL.map(|language| place_cost(credits, language)), said);
        }
    }

    #[test]
    fn money_has_its_currencys_decimals() {
        for (amount_minor, currency, said) in [
            (188_000, "CNY", "CNY 1,880.00"),
            (5, "HKD", "HKD 0.05"),
            (-123_456_789, "USD", "USD -1,234,567.89"),
            (3500, "JPY", "JPY 3,500"),
            (12_345, "KWD", "KWD 12.345"),
            (i64::MIN, "CNY", "CNY -92,233,720,368,547,758.08"),
        ] {
            assert_eq!(money(&Money { amount_minor, currency: currency.to_owned() }), said);
        }
    }
}
