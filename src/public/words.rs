//! What the public pages say, in every language: a line a word, so that a word which lacks a language does not build.

use crate::booking::BookingStatus;
use crate::console::words::in_words;
use crate::language::Language;

in_words! {
    // The frame.
    skip "Skip to the page", "跳到正文", "跳到內文";
    nav "Pages", "页面", "頁面";
    own "Your own", "我的", "我的";
    language "Language", "语言", "語言";
    schedule "Schedule", "课表", "課表";
    my_bookings "My bookings", "我的预约", "我的預約";
    my_passes "My passes", "我的课卡", "我的課卡";
    my_letters "Letters", "邮件", "郵件";
    sign_in "Sign in", "登录", "登入";
    sign_out "Sign out", "退出登录", "登出";
    home "Back", "返回", "返回";

    // The schedule.
    earlier "Earlier", "上一周", "上一週";
    later "Later", "下一周", "下一週";
    class_type "Class", "课程", "課程";
    instructor "Instructor", "教练", "教練";
    all "All", "全部", "全部";
    show "Show", "显示", "顯示";
    days "Days", "日期", "日期";
    no_classes "No classes are planned for these days.", "这几天没有课程安排。", "這幾天沒有課堂安排。";
    cancelled_class "Cancelled", "已取消", "已取消";
    over "Over", "已结束", "已結束";
    booking_closed "Booking is closed", "已停止预约", "已停止預約";
    you_are_in "You are in", "您已预约", "您已預約";
    you_wait "You are on the waitlist", "您在候补中", "您在候補中";
    prices "Passes", "课卡", "課卡";
    buy "Buy a pass", "购买课卡", "購買課卡";
    contact "Contact", "联系方式", "聯絡方式";
    colon ": ", "：", "：";
    rules "Good to know", "须知", "須知";
    privacy "Privacy", "隐私政策", "隱私權政策";
    where_you_are "Where you are:", "您当地时间：", "您當地時間：";

    // A class.
    minutes "minutes", "分钟", "分鐘";
    note "From the studio", "工作室留言", "工作室留言";
    terms "What it takes", "预约条件", "預約條件";
    book "Book", "预约", "預約";
    which_pass "Which pass pays", "使用哪张卡", "使用哪張票";
    join_waitlist "Join the waitlist", "加入候补", "加入候補";
    sign_in_to_book "Sign in to book", "登录后预约", "登入後預約";
    new_here "New here? Make an account", "首次使用？注册账号", "首次使用？註冊帳號";
    see_booking "See your booking", "查看您的预约", "查看您的預約";
    needs_verified "Confirm your address first: we have mailed you a code.", "请先验证邮箱：验证码已发送至您的邮箱。", "請先驗證電子郵件：驗證碼已寄出。";

    // Coming in.
    sign_in_title "Welcome back", "欢迎回来", "歡迎回來";
    sign_up_title "Make an account", "注册账号", "註冊帳號";
    name "Name", "姓名", "姓名";
    email "Email", "邮箱", "電子郵件";
    password "Password", "密码", "密碼";
    password_hint "10 characters or more", "至少10个字符", "至少10個字元";
    sign_up "Make the account", "注册", "註冊";
    have_account "I have an account", "我已有账号", "我已有帳號";
    forgotten "Forgotten your password?", "忘记密码？", "忘記密碼？";
    forgotten_title "A new password", "重设密码", "重設密碼";
    send_code "Send me a code", "发送验证码", "傳送驗證碼";
    code "Code", "验证码", "驗證碼";
    code_title "Look into your mail", "请查收邮件", "請查收郵件";
    code_sent "We have mailed a code of eight digits to the address below. It counts for fifteen minutes.", "我们已向以下邮箱发送8位验证码，15分钟内有效。", "我們已向以下信箱寄出8位驗證碼，15分鐘內有效。";
    confirm "Confirm", "确认", "確認";
    new_password "New password", "新密码", "新密碼";
    set_password "Set the password", "设置密码", "設定密碼";
    invitation_title "Join the staff of a studio", "加入工作室团队", "加入工作室團隊";
    invitation_how "You have been invited by letter: type or paste its code here.", "请输入或粘贴邀请邮件中的邀请码。", "請輸入或貼上邀請郵件中的邀請碼。";
    invitation_code "Code of the invitation", "邀请码", "邀請碼";
    invitation_holder "The invited address has an account: its password shows that it is yours.", "受邀邮箱已有账号：请输入其密码以确认是您本人。", "受邀的電子郵件已有帳號：請輸入其密碼以確認是您本人。";
    invitation_another "You are signed in with another address than the one that was invited. That one has an account too: its password shows that it is yours.", "您当前登录的邮箱不是受邀邮箱。受邀邮箱也已有账号：请输入其密码以确认是您本人。", "您目前登入的電子郵件並非受邀者。受邀的電子郵件也已有帳號：請輸入其密碼以確認是您本人。";
    invitation_newcomer "The invited address has no account yet. Choose a name and a password: they make it.", "受邀邮箱还没有账号。请填写姓名并设置密码，即可创建账号。", "受邀的電子郵件還沒有帳號。請填寫姓名並設定密碼，即可建立帳號。";
    invitation_accept "Accept the invitation", "接受邀请", "接受邀請";
    demo "This is a demo with invented people", "这是演示环境，人物均为虚构", "這是示範環境，人物均為虛構";
    demo_member "Come in as a member", "以会员身份进入", "以會員身分進入";

    // A member's own.
    nothing_booked "You have nothing booked.", "您还没有预约。", "您還沒有預約。";
    to_studios "Where would you like to go?", "选择工作室", "選擇工作室";
    past "What was", "历史预约", "歷史預約";
    no_passes "You hold no pass to book with.", "您没有可用的课卡。", "您沒有可用的課卡。";
    passes_over "Used up, expired or ended", "已用完、过期或结束的课卡", "已用完、過期或結束的課卡";
    no_letters "We have written you nothing yet.", "暂无邮件。", "暫無郵件。";
    credits_left "left", "剩余", "剩餘";
    per_week "a week", "次/周", "次/週";
    unlimited "Unlimited", "不限次数", "不限次數";
    valid_until "Until", "有效期至", "有效期至";
    used_up "Used up", "已用完", "已用完";
    expired "Expired", "已过期", "已過期";
    frozen "Frozen", "已冻结", "已凍結";
    ended_pass "Ended", "已结束", "已結束";
    active "Active", "可使用", "可使用";
    no_text "Its text stands in the mail alone.", "正文仅见于邮件。", "內文僅見於郵件。";
    with "with", "教练", "教練";
    cancel "Cancel the booking", "取消预约", "取消預約";
    leave "Leave the waitlist", "退出候补", "退出候補";
    decline "Decline the place", "放弃名额", "放棄名額";
    accept "Take the place", "接受名额", "接受名額";
    take_free "Take a place, if one is free", "如有空位则预约", "如有空位則預約";
    kept_until "The place is kept for you until", "名额保留至", "名額保留至";
    position "Your position in the queue:", "您的候补顺位：", "您的候補順位：";
    guest "For your guest", "同行客人", "同行客人";
    show_code "Show this at the door.", "到店时请出示此码。", "到店時請出示此碼。";
    door_code "Code for the door", "签到码", "簽到碼";
    to_calendar "All my bookings", "全部预约", "全部預約";
    pocket_title "Without network", "离线页面", "離線頁面";
    as_of "As of", "截至", "截至";
    pocket_why "You are not connected. This is what was booked then; what has changed since is not here.", "当前无网络。以下为当时的预约，之后的变化未显示。", "目前沒有網路。以下為當時的預約，之後的變化未顯示。";
    was "Then:", "当时：", "當時：";
}

/// Where a booking stands.
pub const fn status(status: BookingStatus, language: Language) -> &'static str {
    use BookingStatus as B;
    match (status, language) {
        (B::Booked, Language::En) => "Booked",
        (B::Booked, Language::ZhHans) => "已预约",
        (B::Booked, Language::ZhHant) => "已預約",
        (B::Waitlisted, Language::En) => "Waiting",
        (B::Waitlisted, Language::ZhHans) => "候补中",
        (B::Waitlisted, Language::ZhHant) => "候補中",
        (B::Offered, Language::En) => "A place is offered to you",
        (B::Offered, Language::ZhHans) => "已为您保留名额",
        (B::Offered, Language::ZhHant) => "已為您保留名額",
        (B::Standby, Language::En) => "Waiting at the door",
        (B::Standby, Language::ZhHans) => "现场候补",
        (B::Standby, Language::ZhHant) => "現場候補",
        (B::Cancelled, Language::En) => "Cancelled",
        (B::Cancelled, Language::ZhHans | Language::ZhHant) => "已取消",
        (B::LateCancelled, Language::En) => "Cancelled late",
        (B::LateCancelled, Language::ZhHans) => "逾时取消",
        (B::LateCancelled, Language::ZhHant) => "逾時取消",
        (B::Attended, Language::En) => "You came",
        (B::Attended, Language::ZhHans) => "已上课",
        (B::Attended, Language::ZhHant) => "已上課",
        (B::NoShow, Language::En) => "Missed",
        (B::NoShow, Language::ZhHans) => "缺席",
        (B::NoShow, Language::ZhHant) => "缺席",
    }
}

/// How many places are left, and if none, how many wait.
pub fn places(left: i64, waiting: i64, language: Language) -> String {
    match (left, waiting, language) {
        (1, _, Language::En) => "1 place".to_owned(),
        (1.., _, Language::En) => format!("{left} places"),
        (1.., _, Language::ZhHans) => format!("剩{left}个名额"),
        (1.., _, Language::ZhHant) => format!("剩{left}個名額"),
        (_, 0, Language::En) => "Full".to_owned(),
        (_, _, Language::En) => format!("Full, {waiting} waiting"),
        (_, 0, Language::ZhHans) => "已满".to_owned(),
        (_, 0, Language::ZhHant) => "已滿".to_owned(),
        (_, _, Language::ZhHans) => format!("已满，{waiting}人候补"),
        (_, _, Language::ZhHant) => format!("已滿，{waiting}人候補"),
    }
}

/// What was done, by its word in the address.
pub fn done(word: &str, language: Language) -> Option<&'static str> {
    let [en, hans, hant] = match word {
        "booked" => ["You are in.", "预约成功。", "預約成功。"],
        "waitlisted" => ["You are on the waitlist. Nothing was taken yet.", "已加入候补，尚未扣除费用。", "已加入候補，尚未扣除費用。"],
        "cancelled" => ["It is cancelled.", "已取消。", "已取消。"],
        "link_used" => [
            "This link was used before, or is of an earlier start. Come in as below.",
            "此链接已使用过，或属于之前的启动。请在下方登录。",
            "此連結已使用過，或屬於先前的啟動。請在下方登入。",
        ],
        "password" => ["The password is set. Sign in with it.", "密码已设置，请登录。", "密碼已設定，請登入。"],
        _ => return None,
    };
    Some(match language {
        Language::En => en,
        Language::ZhHans => hans,
        Language::ZhHant => hant,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_words() {
        assert_eq!(places(1, 0, Language::En), "1 place");
        assert_eq!(places(3, 0, Language::En), "3 places");
        assert_eq!(places(0, 2, Language::En), "Full, 2 waiting");
        assert_eq!(places(0, 0, Language::ZhHans), "已满");
        assert_eq!(places(3, 9, Language::ZhHant), "剩3個名額");
    }
}
