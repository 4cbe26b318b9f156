//! What the console says, in every language: a line a word, so that a word which lacks a language does not build. What only some pages say
//! stands in files of its own: `figures` of the reports, `running` of running a studio, `office` of its office.

use crate::holds::HoldKind;
use crate::language::Language;
use crate::letters::LetterState;
use crate::letters::facts::PassedOver;
use crate::letters::phrases;
use crate::passes::view::State;
use crate::people::roles::Role;

macro_rules! in_words {
    ($($word:ident $en:literal, $hans:literal, $hant:literal;)*) => {
        /// The words of one language.
        #[allow(missing_docs, reason = "each says itself")]
        pub struct Words { $(pub $word: &'static str,)* }

        static EN: Words = Words { $($word: $en,)* };
        static ZH_HANS: Words = Words { $($word: $hans,)* };
        static ZH_HANT: Words = Words { $($word: $hant,)* };

        /// The words of this language.
        pub const fn words(language: crate::language::Language) -> &'static Words {
            match language {
                crate::language::Language::En => &EN,
                crate::language::Language::ZhHans => &ZH_HANS,
                crate::language::Language::ZhHant => &ZH_HANT,
            }
        }
    };
}

pub(crate) use in_words;

pub mod account;
pub mod desk;
pub mod fields;
pub mod figures;
pub mod office;
pub mod planning;
pub mod running;

in_words! {
    // The frame.
    skip "Skip to the page", "跳到正文", "跳到內文";
    nav "Console", "控制台", "主控台";
    today "Today", "今天", "今天";
    schedule "Schedule", "课表", "課表";
    members "Members", "会员", "會員";
    setup "Studio", "工作室", "工作室";
    monday "Monday", "每周回顾", "每週回顧";
    attendance "Attendance", "到课情况", "到課情況";
    settings "Settings", "设置", "設定";
    more_parts "More", "更多", "更多";
    other_studios "Other studios", "其他工作室", "其他工作室";
    sign_out "Sign out", "退出登录", "登出";
    language "Language", "语言", "語言";
    factor_missing "Your role here needs a second factor. Until you have set one up, what only admins may do is closed to you.", "您的角色需要启用两步验证。设置之前，管理员功能暂不可用。", "您的角色需要啟用兩步驟驗證。設定之前，管理員功能暫不可用。";
    account "Your account", "我的账号", "我的帳號";
    set_up_factor "Set it up now", "立即设置", "立即設定";
    to_console "To the console", "前往控制台", "前往主控台";
    back "Back", "返回", "返回";
    save "Save", "保存", "儲存";
    show "Show", "显示", "顯示";
    edit "Change", "修改", "修改";
    done "done", "已完成", "已完成";
    it_is_now "Now:", "现为：", "現為：";
    empty_now "(nothing)", "（空）", "（空）";
    yes "yes", "是", "是";
    no "no", "否", "否";
    more "More", "更多", "更多";
    until "until", "至", "至";
    colon ": ", "：", "：";

    // Coming in.
    sign_in "Sign in", "登录", "登入";
    sign_in_title "Welcome back", "欢迎回来", "歡迎回來";
    email "Email", "邮箱", "電子郵件";
    password "Password", "密码", "密碼";
    demo "This is a demo", "这是演示环境", "這是示範環境";
    demo_accounts "Its studios and people are invented. Come in as:", "其中的工作室和人物均为虚构。请选择身份进入：", "其中的工作室與人物均為虛構。請選擇身分進入：";
    role_owner "Owner", "所有者", "擁有者";
    role_admin "Admin", "管理员", "管理員";
    role_front_desk "Front desk", "前台", "櫃檯";
    role_instructor "Instructor", "教练", "教練";
    second_factor "One more step", "两步验证", "兩步驟驗證";
    totp "Code of your authenticator app", "身份验证器App中的验证码", "驗證器App中的驗證碼";
    recovery_code "Recovery code", "恢复码", "復原碼";
    use_passkey "Use a passkey", "使用通行密钥", "使用通行密鑰";
    from_the_beginning "Begin again", "重新登录", "重新登入";
    choose_studio "Your studios", "您的工作室", "您的工作室";
    no_studio "You work in no studio here", "您尚未加入任何工作室的团队", "您尚未加入任何工作室的團隊";
    no_studio_why "The console is for those who teach in a studio, serve its members or run it. If you should be one of them, ask its admin for an invitation. With the code of its letter you come in here.", "控制台供工作室的教练、前台和管理人员使用。如果您是其中一员，请联系管理员发送邀请，收到后在此输入邀请码。", "主控台供工作室的教練、櫃檯與管理人員使用。如果您是其中一員，請聯絡管理員寄送邀請，收到後在此輸入邀請碼。";

    invitation_code "Code of the invitation", "邀请码", "邀請碼";
    accept_invitation "Accept the invitation", "接受邀请", "接受邀請";
    own_bookings "Your own bookings", "您自己的预约", "您自己的預約";
    forgotten "Forgotten your password?", "忘记密码？", "忘記密碼？";

    // Days and weeks.
    days "Days", "日期", "日期";
    day_before "The day before", "前一天", "前一天";
    day_after "The day after", "后一天", "後一天";
    weeks "Weeks", "周", "週";
    week_before "The week before", "上一周", "上一週";
    week_after "The week after", "下一周", "下一週";
    this_week "This week", "本周", "本週";
    week_from "Week from", "起始日期", "起始日期";
    no_sessions "No classes on this day.", "这一天没有课。", "這一天沒有課。";
    no_own_sessions "You teach no class on this day.", "这一天您没有课。", "這一天您沒有課。";
    empty_week "No classes in this week yet.", "这一周还没有课。", "這一週還沒有課。";
    nothing "No classes", "没有课", "沒有課";
    to_schedule "To the schedule", "查看课表", "查看課表";
    all_rooms "All rooms", "全部教室", "全部教室";
    all_instructors "All instructors", "全部教练", "全部教練";

    // A session.
    class "Class", "课程", "課堂";
    class_type "Kind of class", "课程类型", "課程類型";
    room "Room", "教室", "教室";
    instructor "Instructor", "教练", "教練";
    start "Start", "开始时间", "開始時間";
    capacity "Places", "名额", "名額";
    capacity_hint "Left empty: as many as the room has.", "留空则与教室容量相同。", "留空則與教室容量相同。";
    as_draft "As a draft: members do not see it yet", "存为草稿：会员暂不可见", "存為草稿：會員暫不可見";
    new_session "New class", "新建课程", "新增課堂";
    make_session "Put it on the schedule", "加入课表", "加入課表";
    edit_session "Change the class", "修改课程", "修改課堂";
    cancel_session "Cancel the class", "取消课程", "取消課堂";
    keep_it "Keep it", "保留", "保留";
    not_ready "A class needs a kind of class, a room and an instructor.", "新建课程前，请先设置课程类型、教室和教练。", "新增課堂前，請先設定課程類型、教室與教練。";
    weeks_in_a_row "Every week, for so many weeks", "每周重复，共几周", "每週重複，共幾週";
    weeks_hint "Left empty: once.", "留空则仅一次。", "留空則僅一次。";
    publish "Publish the drafts", "发布草稿", "發布草稿";
    publish_why "Members then see the drafts of this week and can book them.", "发布后，会员即可看到并预约本周草稿中的课程。", "發布後，會員即可看到並預約本週草稿中的課堂。";
    draft "Draft", "草稿", "草稿";
    running "Now", "进行中", "進行中";
    session_cancelled "Cancelled", "已取消", "已取消";
    places "places", "个名额", "個名額";
    free "Free", "空余", "空餘";
    full "full", "已满", "已滿";
    held "Held", "保留", "保留";
    waiting "Waiting", "候补", "候補";
    arrived "Arrived", "已到", "已到";
    first_visits "First visits", "首次到店", "首次到店";
    roster "In the class", "名单", "名單";
    book_somebody "Book somebody in", "代会员预约", "代會員預約";
    waitlist "Waitlist", "候补", "候補";
    at_the_door "At the door", "现场候补", "現場候補";
    nobody_booked "Nobody has booked yet.", "还没有人预约。", "還沒有人預約。";
    marks_from "You can mark who comes from", "可签到时间：", "可簽到時間：";
    check_in "Check in", "签到", "簽到";
    unsent "Not sent: there is no network. Try again.", "未发送：当前无网络，请重试。", "未送出：目前沒有網路，請重試。";
    undo "Undo", "撤销", "撤銷";
    undo_check_in "Undo the check-in", "撤销签到", "撤銷簽到";
    walk_in "Walk in", "现场入课", "現場入課";
    walk_in_new "Somebody new", "新会员", "新會員";
    let_in "Book and check in", "预约并签到", "預約並簽到";
    move_up "Move up", "提前转入", "提前轉入";
    move_up_why "Why (those passed over read it)", "原因（被越过的会员可见）", "原因（被越過的會員可見）";
    extra_place "Make an extra place for it", "为此增加一个名额", "為此增加一個名額";
    guest "Guest", "同行客人", "同行賓客";
    first_visit "First visit", "首次到店", "首次到店";
    holds "Places kept back", "保留名额", "保留名額";
    no_holds "None are kept back.", "没有保留的名额。", "沒有保留的名額。";
    hold_places "Keep places back", "保留名额", "保留名額";
    hold_for "For", "用途", "用途";
    hold_guest "Guests of the studio", "工作室来宾", "工作室來賓";
    hold_brand "A brand", "品牌活动", "品牌活動";
    hold_partner "A partner", "合作渠道", "合作通路";
    hold_staff "The team", "团队", "團隊";
    hold_broken "Out of order", "设备故障", "設備故障";
    release "Give free", "释放", "釋出";
    notes "Notes", "备注", "備註";
    no_notes "None.", "无。", "無。";
    note_for_team "For the team", "团队备注", "團隊備註";
    note_for_members "For the members", "会员可见备注", "會員可見備註";
    note_in_letters "A word in the letters", "邮件中的说明", "郵件中的說明";
    scope "Of the series", "系列课范围", "系列課範圍";
    scope_this "This class alone", "仅本节课", "僅本堂課";
    scope_following "This and the following", "本节及之后的课", "本堂及之後的課";
    scope_all "All to come", "所有未开始的课", "所有未開始的課";
    release_members "Members who stand in the way leave the class, refunded and told", "与此冲突的会员将退出本课，退还所扣并收到通知", "與此衝突的會員將退出本課，退還所扣並收到通知";
    consequences "What comes of it", "将产生的影响", "將產生的影響";
    no_consequences "Nobody is in it: nobody is told.", "无人预约，不会通知任何人。", "無人預約，不會通知任何人。";
    left_out "Left out:", "略过：", "略過：";
    written_to "Written to:", "将收到邮件：", "將收到郵件：";
    credits_back "credits back:", "退还次数：", "退還次數：";
    meant "Yes, tell them", "确认并通知", "確認並通知";
    do_it "Do it", "执行", "執行";
    reason "Reason", "原因", "原因";

    // A booking.
    state "State", "状态", "狀態";
    booked "Booked", "已预约", "已預約";
    waitlisted "Waiting", "候补中", "候補中";
    offered "Offered a place", "名额待确认", "名額待確認";
    standby "At the door", "现场候补", "現場候補";
    cancelled "Cancelled", "已取消", "已取消";
    late_cancelled "Cancelled late", "逾期取消", "逾期取消";
    attended "Here", "已到课", "已到課";
    no_show "Did not come", "未到课", "未到課";
    not_here_yet "Not here yet", "尚未到", "尚未到";
    released "Place given away", "名额已释放", "名額已釋出";
    unrecorded "Not recorded", "未登记", "未登記";
    history "History", "记录", "紀錄";
    taken_for_it "Taken for it", "已扣", "已扣";
    free_until "Free to cancel until", "免费取消截止", "免費取消截止";
    made_at "Made", "预约时间", "預約時間";
    cancel_booking "Cancel for the member", "代会员取消", "代會員取消";
    return_all "Give back all that it would cost", "全额退还", "全額退還";

    // The door.
    kiosk "Kiosk", "签到台", "簽到台";
    kiosks "At the door", "已有的签到台", "已有的簽到台";
    kiosk_why "A tablet at the door, to which members show the code of their booking. It can check in and do nothing else, and goes on when the network does not.", "放在门口的平板，会员出示预约码即可签到。它只能签到，断网时也能继续使用。", "放在門口的平板，會員出示預約碼即可簽到。它只能簽到，斷網時也能繼續使用。";
    kiosk_where "Where it stands", "摆放位置", "擺放位置";
    kiosk_handed "This browser becomes the kiosk: you are signed out of it, and it keeps showing the door.", "此浏览器将成为签到台：您会退出登录，之后只显示签到页面。", "此瀏覽器將成為簽到台：您會登出，之後只顯示簽到頁面。";
    kiosk_make "Make this browser a kiosk", "将此浏览器设为签到台", "將此瀏覽器設為簽到台";
    kiosk_seen "last there", "最近在线：", "最近在線：";
    kiosk_unseen "never there yet", "尚未使用", "尚未使用";
    kiosk_remove "Take away", "停用", "停用";
    kiosk_opens "The door opens …", "正在打开签到页面……", "正在開啟簽到頁面……";
    kiosk_failed "This browser keeps nothing on the device, so it cannot be a kiosk. Private windows do not.", "此浏览器无法在设备上保存数据，不能用作签到台。请勿使用无痕窗口。", "此瀏覽器無法在裝置上儲存資料，不能用作簽到台。請勿使用無痕視窗。";
    kiosk_script "A kiosk needs JavaScript.", "签到台需要启用JavaScript。", "簽到台需要啟用JavaScript。";
    kiosk_none "This device is no kiosk", "此设备不是签到台", "此裝置不是簽到台";
    kiosk_none_how "Whoever runs the studio makes it one in the console, on the page of the day.", "管理员可在控制台的“今天”页面进行设置。", "管理員可在主控台的「今天」頁面進行設定。";
    door_ready "Show your code", "请出示预约码", "請出示預約碼";
    door_ready_how "It is in your booking.", "可在您的预约中找到。", "可在您的預約中找到。";
    door_online "Connected", "已联网", "已連線";
    door_offline "No network: carry on", "暂无网络，可继续签到", "暫無網路，可繼續簽到";
    door_unsent "{n} still to be sent", "{n}条待发送", "{n}筆待傳送";
    door_refused "{n} could not be checked in", "{n}条未能签到", "{n}筆未能簽到";
    door_already "You are in already", "您已签到", "您已簽到";
    door_first "Your first visit: welcome", "首次到店，欢迎您", "首次到店，歡迎您";
    door_early "Too early", "还未到签到时间", "還未到簽到時間";
    door_opens "The door opens at {at}.", "{at}开始签到。", "{at}開始簽到。";
    door_late "Too late", "已过签到时间", "已過簽到時間";
    door_late_first "On a first visit one comes before the start. Please see the team.", "首次到店须在开课前签到，请联系工作人员。", "首次到店須在開課前簽到，請聯絡工作人員。";
    door_late_how "The door closed at {at}. Please see the team.", "签到已于{at}截止，请联系工作人员。", "簽到已於{at}截止，請聯絡工作人員。";
    door_waits "You are waiting", "您仍在候补", "您仍在候補";
    door_waits_how "You have no place yet. Please see the team.", "您尚未获得名额，请联系工作人员。", "您尚未取得名額，請聯絡工作人員。";
    door_not_here "Not here, not now", "未找到此时的预约", "找不到此時的預約";
    door_not_here_how "This code is of no class here today. Please see the team.", "该预约码不属于今天本店的课程，请联系工作人员。", "該預約碼不屬於今天本店的課堂，請聯絡工作人員。";
    door_no_code "That is no code of a booking.", "这不是预约码。", "這不是預約碼。";
    door_kept "Noted", "已记录", "已記錄";
    door_kept_how "It is decided when the network is back. Please tell the team your name.", "联网后确认。请将姓名告知工作人员。", "連線後確認。請將姓名告知工作人員。";
    door_full "This device can keep no more", "此设备已无法继续记录", "此裝置已無法繼續記錄";
    door_desk "Please see the team.", "请联系工作人员。", "請聯絡工作人員。";
    door_no_camera "No camera", "无法使用摄像头", "無法使用相機";
    door_no_camera_how "Allow it in the browser, or type the code.", "请在浏览器中允许使用，或手动输入预约码。", "請在瀏覽器中允許使用，或手動輸入預約碼。";
    door_code "Code of the booking", "预约码", "預約碼";
    door_camera "Camera", "摄像头", "相機";
    door_turn "Other camera", "切换摄像头", "切換相機";
    door_whole "Whole screen", "全屏", "全螢幕";
    door_seen "Seen", "知道了", "知道了";

    // Letters.
    letters "Letters", "邮件", "郵件";
    letter "Letter", "邮件", "郵件";
    letter_over "(no longer kept)", "（已不再保存）", "（已不再保存）";
    all_letters "All", "全部", "全部";
    no_letters "No letters.", "没有邮件。", "沒有郵件。";
    send_again "Send again", "重新发送", "重新寄送";
    to_whom "To", "收件人", "收件人";
    fate "Fate", "状态", "狀態";
    when "When", "时间", "時間";

    // Members.
    search "Search", "搜索", "搜尋";
    search_hint "Name, pinyin, address, last digits of a phone", "姓名、拼音、邮箱或手机尾号", "姓名、拼音、電子郵件或手機末碼";
    no_members "No members yet. Whoever books or is entered here becomes one.", "还没有会员。预约或在此登记后即成为会员。", "還沒有會員。預約或在此登記後即成為會員。";
    nobody_found "Nobody found.", "没有找到。", "找不到。";
    choose_member "For whom is the class to be booked?", "为哪位会员预约？", "為哪位會員預約？";
    new_member "New member", "登记会员", "登記會員";
    enter_member "Enter", "登记", "登記";
    name "Name", "姓名或名称", "姓名或名稱";
    email_hint "Whoever is known by it is told by letter.", "该邮箱的使用者会收到通知邮件。", "該電子郵件的使用者會收到通知郵件。";
    phone "Phone", "电话", "電話";
    studio_language "The studio’s", "与工作室相同", "與工作室相同";
    whose_address "Whose is the address?", "该邮箱属于谁？", "該電子郵件屬於誰？";
    address_own "The member’s own", "会员本人", "會員本人";
    address_shared "Somebody else’s, such as a parent’s", "他人，例如家长", "他人，例如家長";
    shared "shared", "共用", "共用";
    passes "Passes", "次卡与会员卡", "課堂套票與會籍";
    pass "Pass", "卡种", "票種";
    no_passes "No pass.", "没有次卡或会员卡。", "沒有課堂套票或會籍。";
    sell_pass "Sell a pass", "售卡", "售票";
    amount "Paid", "实付金额", "實付金額";
    amount_hint "In the currency of the pass; left empty, nothing is written down.", "以该卡的货币计；留空则不记录。", "以該票的貨幣計；留空則不記錄。";
    method "How", "支付方式", "付款方式";
    reference "Receipt", "收据号", "收據號碼";
    credits_left "credits left:", "剩余次数：", "剩餘次數：";
    visits_a_week "visits a week", "次/周", "次/週";
    unlimited "unlimited", "不限次数", "不限次數";
    active "active", "可用", "可用";
    used_up "used up", "已用完", "已用完";
    expired "expired", "已过期", "已過期";
    frozen "frozen", "已冻结", "已凍結";
    ended "ended", "已终止", "已終止";
    strikes "Strikes:", "违约次数：", "違約次數：";
    suspended_until "Suspended until", "暂停预约至", "暫停預約至";
    fee_open "Fee to pay:", "待付违约金：", "待付違約金：";
    to_come "To come", "未来的预约", "未來的預約";
    past "Past", "过往", "過往";
    nothing_booked "Nothing booked.", "没有预约。", "沒有預約。";
    nothing_to_book "There is no class to book in the next two weeks.", "未来两周没有可预约的课程。", "未來兩週沒有可預約的課堂。";
    book_class "Book a class", "代为预约", "代為預約";
    or_wait "Wait if it is full", "若已满则加入候补", "若已滿則加入候補";
    unpaid "Take nothing for it", "不扣费用", "不扣費用";
    unpaid_why "Why nothing is taken", "不扣费用的原因", "不扣費用的原因";

    // What a studio is made of.
    steps_title "Your first class in a few steps", "几步开出第一节课", "幾步開出第一堂課";
    steps_why "Members can book as soon as a class is on the schedule and a pass can be sold.", "课表上有课、并有可售的卡后，会员即可预约。", "課表上有課、並有可售的票後，會員即可預約。";
    step_rooms "Add a room", "添加教室", "新增教室";
    step_class_types "Say which kinds of classes you give", "设置课程类型", "設定課程類型";
    step_staff "Invite those who teach", "邀请教练", "邀請教練";
    step_sessions "Put a class on the schedule", "安排第一节课", "安排第一堂課";
    step_pass_types "Say which passes you sell", "设置次卡或会员卡", "設定課堂套票或會籍";
    step_share "Share your page", "分享预约页面", "分享預約頁面";
    step_members "Enter your first member", "登记第一位会员", "登記第一位會員";
    i_teach "I teach here myself", "我自己授课", "我自己授課";
    i_teach_why "You need no invitation: you then stand on the schedule as instructor.", "无需邀请，您将成为课表上的教练。", "無需邀請，您將成為課表上的教練。";
    new_studio "A new studio", "新建工作室", "新增工作室";
    new_studio_why "It begins with the usual house rules, and leads you to its first class.", "将采用常用的约课规则，并引导您开出第一节课。", "將採用常用的預約規則，並引導您開出第一堂課。";
    first_studio_why "Nothing is here yet. Say what your studio is called and by which clock it lives; everything can be changed later.", "这里还没有工作室。请填写名称和时区，之后均可修改。", "這裡還沒有工作室。請填寫名稱與時區，之後均可修改。";
    open_studio "Open it", "创建", "建立";
    choose_zone "Choose …", "请选择…", "請選擇…";
    room_why "Classes that are on the schedule already keep their places.", "已排的课名额不变。", "已排的課堂名額不變。";
    class_type_why "Classes that are on the schedule already keep their length and price.", "已排的课时长和扣次不变。", "已排的課堂時長與扣次不變。";
    minimum "Cancelled with fewer than", "低于此人数则取消", "低於此人數則取消";
    minimum_hint "Left empty, it takes place whoever comes.", "留空则不限人数，照常开课。", "留空則不限人數，照常開課。";
    house_rules "House rules", "约课规则", "預約規則";
    house_rules_why "What is saved here holds for bookings from now on; what members were told before stays.", "保存后对此后的预约生效；此前已告知会员的不变。", "儲存後對此後的預約生效；此前已告知會員的不變。";
    look "Show what it means", "查看效果", "查看效果";
    rules_unfit "As they stand these rules do not fit. The example follows once they do.", "目前填写的规则有误，更正后将显示示例。", "目前填寫的規則有誤，更正後將顯示範例。";
    for_example "For example", "举例", "舉例";
    rooms "Rooms", "教室", "教室";
    no_rooms "No rooms yet. Where do you teach?", "还没有教室。请先添加。", "還沒有教室。請先新增。";
    add_room "Add a room", "添加教室", "新增教室";
    class_types "Kinds of classes", "课程类型", "課程類型";
    no_class_types "None yet. A name, a length and a price in credits are enough.", "还没有课程类型。填写名称、时长和扣次即可。", "還沒有課程類型。填寫名稱、時長與扣次即可。";
    add_class_type "Add a kind of class", "添加课程类型", "新增課程類型";
    level "Level", "级别", "級別";
    length "Length in minutes", "时长（分钟）", "時長（分鐘）";
    pass_name "Name of the pass", "卡种名称", "票種名稱";
    credits "Credits", "扣次", "扣次";
    staff "Team", "团队", "團隊";
    no_staff "Nobody yet.", "还没有成员。", "還沒有成員。";
    invite "Invite", "邀请", "邀請";
    is_invited "invited", "已邀请", "已邀請";
    role "Role", "角色", "角色";
    pass_types "Passes and prices", "卡种与价格", "票種與價格";
    no_pass_types "None yet: members have nothing to book with.", "还没有可售的卡，会员无法预约。", "還沒有可售的票，會員無法預約。";
    add_pass_type "Add a pass", "添加卡种", "新增票種";
    kind "Kind", "类型", "類型";
    pack "Pack of credits", "次卡", "課堂套票";
    membership "Membership", "会员卡", "會籍";
    pass_number "Credits, or visits a week", "次数，或每周次数", "次數，或每週次數";
    pass_number_hint "A membership without a number is unlimited.", "会员卡留空则不限次数。", "會籍留空則不限次數。";
    valid_days "Valid for days", "有效天数", "有效天數";
    days_valid "days", "天", "天";
    months_valid "months", "个月", "個月";
    price "Price", "价格", "價格";
    currency "Currency", "货币", "貨幣";
    currency_hint "Three letters, such as CNY or USD.", "三个字母，例如CNY或USD。", "三個字母，例如CNY或USD。";
}

/// What was done, by its word in an address; what is no word of ours says nothing.
pub fn done(word: &str, language: Language) -> Option<&'static str> {
    let [en, zh_hans, zh_hant] = match word {
        "checked_in" => ["Checked in.", "已签到。", "已簽到。"],
        "walked_in" => ["Booked and checked in.", "已预约并签到。", "已預約並簽到。"],
        "walk_in_undone" => [
            "The check-in was taken back, and with it the booking of whoever walked in.",
            "签到已撤销，现场预约同时取消。",
            "簽到已撤銷，現場預約同時取消。",
        ],
        "substitute_asked_nobody" => [
            "It is looked for. Nobody has said that they are free then: ask somebody, or wait for who says so under Substitutes.",
            "已发起代课请求。目前无人表示该时段有空，请直接询问，或等待教练填写可授课时间。",
            "已發起代課請求。目前無人表示該時段有空，請直接詢問，或等待教練填寫可授課時間。",
        ],
        "undone" => ["The check-in was taken back.", "签到已撤销。", "簽到已撤銷。"],
        "moved_up" => ["Moved up.", "已转入。", "已轉入。"],
        "kiosk_removed" => ["The kiosk is taken away.", "签到台已停用。", "簽到台已停用。"],
        "noted" => ["Noted.", "已保存。", "已儲存。"],
        "held" => ["The places are kept back.", "名额已保留。", "名額已保留。"],
        "released" => ["The places are free.", "名额已释放。", "名額已釋出。"],
        "session_made" => ["The class is on the schedule.", "课程已加入课表。", "課堂已加入課表。"],
        "session_changed" => ["The class was changed.", "课程已修改。", "課堂已修改。"],
        "session_cancelled" => [
            "The class was cancelled, and everybody in it is told.",
            "课程已取消，相关会员将收到通知。",
            "課堂已取消，相關會員將收到通知。",
        ],
        "booking_cancelled" => ["The booking was cancelled.", "预约已取消。", "預約已取消。"],
        "member_entered" => ["The member is entered.", "会员已登记。", "會員已登記。"],
        "pass_sold" => ["The pass is sold.", "已售出。", "已售出。"],
        "booked" => ["Booked.", "已预约。", "已預約。"],
        "waitlisted" => ["The class is full: the member waits.", "课程已满，已加入候补。", "課堂已滿，已加入候補。"],
        "series_made" => ["The classes are on the schedule.", "课程已加入课表。", "課堂已加入課表。"],
        "series_begun" => ["The series has begun.", "系列课已开始。", "系列課已開始。"],
        "series_published" => ["The series is published.", "系列课已发布。", "系列課已發布。"],
        "week_copied" => ["The week is copied, as drafts.", "该周课程已复制为草稿。", "該週課堂已複製為草稿。"],
        "days_closed" => ["The studio is closed then.", "休息日已设置。", "休息日已設定。"],
        "day_opened" => ["The studio is open on that day again.", "该日已恢复营业。", "該日已恢復營業。"],
        "substitute_asked" => ["Those who could stand in are asked.", "已发送代课请求。", "已發送代課請求。"],
        "substitute_claimed" => ["You have taken it.", "您已接受代课。", "您已接受代課。"],
        "substitute_unclaimed" => ["Somebody else is looked for.", "将继续寻找代课。", "將繼續尋找代課。"],
        "substitute_approved" => ["The substitute teaches it.", "代课已批准。", "代課已核准。"],
        "substitute_declined" => ["The request is open again.", "请求已重新开放。", "請求已重新開放。"],
        "substitute_withdrawn" => ["Nobody is looked for any more.", "代课请求已撤回。", "代課請求已撤回。"],
        "published" => ["The drafts are published.", "草稿已发布。", "草稿已發布。"],
        "pass_changed" => ["The pass was changed.", "卡已修改。", "票已修改。"],
        "pass_refunded" => ["The pass was taken back, and the refund written down.", "已退卡并登记退款。", "已退票並登記退款。"],
        "pass_transferred" => ["The pass was passed on.", "卡已转让。", "票已轉讓。"],
        "member_changed" => ["What is written down was changed.", "登记信息已修改。", "登記資訊已修改。"],
        "waived" => ["The penalty was taken back.", "处罚已撤销。", "處罰已撤銷。"],
        "fee_paid" => ["Written down as paid.", "已登记付款。", "已登記付款。"],
        "merged" => ["The two entries are one.", "两个条目已合并。", "兩個條目已合併。"],
        "erased" => ["The member was erased.", "会员已删除。", "會員已刪除。"],
        "factor_added" => ["The second factor counts from now on.", "两步验证已启用。", "兩步驟驗證已啟用。"],
        "factor_removed" => ["The second factor counts no more.", "两步验证已移除。", "兩步驟驗證已移除。"],
        "device_ended" => ["The device is signed out.", "设备已退出登录。", "裝置已登出。"],
        "letter_retried" => ["The letter is on its way again.", "邮件将重新发送。", "郵件將重新寄送。"],
        "rules_saved" => ["The house rules are saved.", "约课规则已保存。", "預約規則已儲存。"],
        "settings_saved" => ["Saved.", "已保存。", "已儲存。"],
        "invitation_withdrawn" => ["The invitation was taken back.", "邀请已撤回。", "邀請已撤回。"],
        "roles_set" => ["The roles are set.", "角色已更新。", "角色已更新。"],
        "factors_reset" => ["The second factors are taken away.", "两步验证已重置。", "兩步驟驗證已重設。"],
        "pass_type_made" => ["The pass is on sale.", "卡种已开始销售。", "票種已開始販售。"],
        "pass_type_changed" => ["The pass was changed.", "卡种已修改。", "票種已修改。"],
        "studio_opened" => {
            ["The studio is open. These are its first steps.", "工作室已创建，请按以下步骤开始。", "工作室已建立，請依以下步驟開始。"]
        }
        "teaches_now" => ["You teach here.", "您已是这里的教练。", "您已是這裡的教練。"],
        "room_changed" => ["The room was changed.", "教室已修改。", "教室已修改。"],
        "class_type_changed" => ["The kind of class was changed.", "课程类型已修改。", "課程類型已修改。"],
        "added" => ["Added.", "已添加。", "已新增。"],
        "file_thrown_away" => ["The file is thrown away.", "文件已丢弃。", "檔案已捨棄。"],
        "link_used" => [
            "This link was used before, or is of an earlier start. Come in as below.",
            "此链接已使用过，或属于之前的启动。请在下方登录。",
            "此連結已使用過，或屬於先前的啟動。請在下方登入。",
        ],
        "invited_all" => ["The invitations are on their way.", "邀请已开始发送。", "邀請已開始寄送。"],
        "invited" => ["The invitation is on its way.", "邀请已发出。", "邀請已寄出。"],
        _ => return None,
    };
    Some(pick(language, en, zh_hans, zh_hant))
}

const fn pick(language: Language, en: &'static str, zh_hans: &'static str, zh_hant: &'static str) -> &'static str {
    match language {
        Language::En => en,
        Language::ZhHans => zh_hans,
        Language::ZhHant => zh_hant,
    }
}

/// Why somebody could not take a place that came free, as staff read it.
pub const fn passed_over(reason: PassedOver, language: Language) -> &'static str {
    let [en, zh_hans, zh_hant] = match reason {
        PassedOver::NoPass => ["No pass that this class accepts", "没有可用的卡", "沒有可用的票"],
        PassedOver::Overlap => ["In another class at that time", "同一时段有另一节课", "同一時段有另一堂課"],
        PassedOver::TooManyBookings => ["As many bookings as allowed", "预约数已达上限", "預約數已達上限"],
        PassedOver::Suspended => ["Suspended", "暂停预约", "暫停預約"],
        PassedOver::TurnedDown => ["Gave back a place before", "曾放弃名额", "曾放棄名額"],
        PassedOver::NotFree => {
            ["The booking to give up is no longer free to cancel", "待替换的预约已不能免费取消", "待替換的預約已無法免費取消"]
        }
        PassedOver::ShortNotice => ["Asked for more notice", "要求更长的提前通知", "要求更長的提前通知"],
        PassedOver::TooLate => ["Asked to be moved in until an earlier time", "已过其设定的截止时间", "已過其設定的截止時間"],
        PassedOver::OneADay => ["Asked for one class a day", "设定每天只上一节课", "設定每天只上一堂課"],
        PassedOver::QuietHours => ["Own quiet hours", "处于其免打扰时段", "處於其勿擾時段"],
        PassedOver::Pair => ["Waits together with somebody", "与他人结伴候补", "與他人結伴候補"],
    };
    pick(language, en, zh_hans, zh_hant)
}

/// A letter's fate.
pub const fn letter_state(state: LetterState, language: Language) -> &'static str {
    let [en, zh_hans, zh_hant] = match state {
        LetterState::Queued => ["waiting", "待发送", "待寄送"],
        LetterState::Sending => ["being sent", "发送中", "寄送中"],
        LetterState::Sent => ["sent", "已发送", "已寄送"],
        LetterState::Retrying => ["tried again soon", "即将重试", "即將重試"],
        LetterState::Failed => ["failed", "发送失败", "寄送失敗"],
        LetterState::Bounced => ["came back", "被退回", "被退回"],
        LetterState::Obsolete => ["overtaken by events", "已失效", "已失效"],
    };
    pick(language, en, zh_hans, zh_hant)
}

/// For whom places are kept back.
pub const fn hold_kind(kind: HoldKind, language: Language) -> &'static str {
    let w = words(language);
    match kind {
        HoldKind::Guest => w.hold_guest,
        HoldKind::Brand => w.hold_brand,
        HoldKind::Partner => w.hold_partner,
        HoldKind::Staff => w.hold_staff,
        HoldKind::Broken => w.hold_broken,
    }
}

/// For whom a kind of class is, where it is one of the usual words; else as it was written.
pub fn level(level: &str, language: Language) -> &str {
    levels(language).into_iter().find(|(usual, _)| *usual == level).map_or(level, |(_, name)| name)
}

/// The usual words for whom a kind of class is: as they are sent, and as they are read.
pub const fn levels(language: Language) -> [(&'static str, &'static str); 4] {
    let [open, beginner, intermediate, advanced] = match language {
        Language::En => ["open", "beginner", "intermediate", "advanced"],
        Language::ZhHans => ["不限级别", "初级", "中级", "高级"],
        Language::ZhHant => ["不限級別", "初級", "中級", "高級"],
    };
    [("open", open), ("beginner", beginner), ("intermediate", intermediate), ("advanced", advanced)]
}

/// `55 minutes`.
pub fn minutes(minutes: i64, language: Language) -> String {
    match language {
        Language::En if minutes == 1 => "1 minute".to_owned(),
        Language::En => format!("{minutes} minutes"),
        Language::ZhHans => format!("{minutes}分钟"),
        Language::ZhHant => format!("{minutes}分鐘"),
    }
}

/// A role on the staff.
pub const fn role(role: Role, w: &Words) -> &'static str {
    match role {
        Role::Instructor => w.role_instructor,
        Role::FrontDesk => w.role_front_desk,
        Role::Admin => w.role_admin,
    }
}

/// Whether a pass can pay, and whether it is of any use.
pub const fn pass_state(state: State, w: &Words) -> (&'static str, bool) {
    match state {
        State::Active => (w.active, true),
        State::Frozen => (w.frozen, true),
        State::UsedUp => (w.used_up, false),
        State::Expired => (w.expired, false),
        State::Ended => (w.ended, false),
    }
}

/// Why a session may be cancelled: what the form sends, and what it shows.
pub fn cancel_reasons(language: Language) -> Vec<(&'static str, &'static str)> {
    let [en, zh_hans, zh_hant] = [
        ["Illness", "Weather", "The room cannot be used", "Too few bookings", "Something else"],
        ["教练身体不适", "天气影响", "教室无法使用", "预约人数不足", "其他"],
        ["教練身體不適", "天氣影響", "教室無法使用", "預約人數不足", "其他"],
    ];
    let names = match language {
        Language::En => en,
        Language::ZhHans => zh_hans,
        Language::ZhHant => zh_hant,
    };
    ["illness", "weather", "premises", "too_few", "other"].into_iter().zip(names).collect()
}

/// An amount as a form shows it, to be read by [`amount_minor`] again.
pub fn amount(amount_minor: i64, currency: &str) -> String {
    match phrases::decimals(currency) {
        0 => amount_minor.to_string(),
        decimals => {
            let one = 10_i64.pow(decimals);
            format!("{}.{:0width$}", amount_minor / one, amount_minor % one, width = decimals as usize)
        }
    }
}

/// An amount as people write it, in minor units: `1,880.50`, `1880.5`, `1 880,50`, `1880`. A comma stands between thousands where three digits
/// follow it, and before the cents where one or two do: nobody's 80 become 8,000.
pub fn amount_minor(text: &str, currency: &str) -> Option<i64> {
    let text: String = text.trim().chars().filter(|c| !c.is_whitespace()).collect();
    let decimals = phrases::decimals(currency) as usize;
    let (whole, part) = match (text.split_once('.'), text.rsplit_once(',')) {
        (Some((whole, part)), _) => (whole, part),
        (None, Some((whole, part))) if part.len() < 3 => (whole, part),
        _ => (text.as_str(), ""),
    };
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let in_thousands = groups.clone().next().is_none() || ((1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3));
    let whole: String = whole.chars().filter(|c| *c != ',').collect();
    if !in_thousands {
        return None;
    }
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 12 || part.len() > decimals || !is_number(&whole) || !is_number(part) {
        return None;
    }
    format!("{whole}{part:0<decimals$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_as_people_write_them() {
        for (text, currency, expected) in [
            ("1880", "CNY", Some(188_000)),
            ("1,880.5", "CNY", Some(188_050)),
            (" 24.00 ", "USD", Some(2_400)),
            ("500", "JPY", Some(500)),
            ("1.5", "KWD", Some(1_500)),
            ("5.5", "JPY", None),
            ("1.234", "USD", None),
            ("-5", "USD", None),
            ("", "USD", None),
            ("a", "USD", None),
            ("1.", "USD", Some(100)),
            ("99,5", "USD", Some(9_950)),
            ("80,50", "EUR", Some(8_050)),
            ("1 880,50", "EUR", Some(188_050)),
            ("1,880", "USD", Some(188_000)),
            ("12,345,678", "USD", Some(1_234_567_800)),
            ("1,5", "JPY", None),
            ("1,", "USD", Some(100)),
            ("1,88,0", "USD", None),
            ("1880,500", "USD", None),
            ("1,2345", "USD", None),
            ("1,5.5", "USD", None),
            ("12,5o", "USD", None),
            ("1234567890123", "USD", None),
        ] {
            assert_eq!(amount_minor(text, currency), expected, "{text} {currency}");
            if let Some(minor) = expected {
                assert_eq!(amount_minor(&amount(minor, currency), currency), expected, "as a form shows it");
            }
        }
    }

    #[test]
    fn what_was_done_is_a_word_of_ours() {
        assert_eq!(done("checked_in", Language::ZhHans), Some("已签到。"));
        assert_eq!(done("<script>", Language::En), None);
    }
}
