//! What the pages of running a studio say: its particulars, what it takes along.

in_words! {
    // Settings.
    particulars "Particulars", "基本信息", "基本資訊";
    particulars_why "As members read them, in the app and in letters.", "会员在App和邮件中看到的信息。", "會員在App與郵件中看到的資訊。";
    name "Name", "名称", "名稱";
    address "Address", "地址", "地址";
    contact "Where answers to letters go", "回复邮件的收件邮箱", "回覆郵件的收件信箱";
    language "Language of whoever says nothing else", "默认语言", "預設語言";
    zone "Time zone", "时区", "時區";
    zone_hint "It can be changed while no classes are to come.", "没有未开始的课程时才能修改。", "沒有未開始的課堂時才能修改。";
    rules_text "The rules as members read them", "会员看到的规则说明", "會員看到的規則說明";
    privacy_url "Privacy policy", "隐私政策网址", "隱私權政策網址";
    shop_url "Where passes are bought", "购卡网址", "購票網址";
    second_factor "Admins must have a second factor", "管理员必须启用两步验证", "管理員必須啟用兩步驟驗證";
    second_factor_hint "Whoever has none yet may not do what only admins may, until they have one.", "未启用的管理员在启用之前不能使用管理员功能。", "尚未啟用的管理員在啟用之前不能使用管理員功能。";
    share "Your page", "预约页面", "預約頁面";
    share_why "Members see the schedule there, book and pay with their pass. Give the address to them, and put it wherever your studio is found.", "会员可在此查看课表并用卡预约。请将网址发给会员，并放在您的主页上。", "會員可在此查看課表並用票預約。請將網址傳給會員，並放在您的主頁上。";
    public_page "Open it", "打开页面", "開啟頁面";
    public_address "Its address", "网址", "網址";
    embed "The schedule in your own website", "在自己的网站中显示课表", "在自己的網站中顯示課表";
    embed_hint "Put these lines where the schedule shall stand.", "将以上代码放在网页中需要显示课表的位置。", "將以上程式碼放在網頁中需要顯示課表的位置。";
    copy "Copy", "复制", "複製";
    copied "Copied.", "已复制。", "已複製。";
    penalty_free "Days without penalties", "免罚日期", "免罰日期";
    penalty_free_why "On these days late cancellations and absences cost nothing: a storm, a day without trains.", "在这些日期，逾期取消和缺席不收取任何费用，例如遇到台风或交通中断。", "在這些日期，逾期取消與缺席不收取任何費用，例如遇到颱風或交通中斷。";
    no_days "None.", "无。", "無。";
    day "Day", "日期", "日期";
    add "Add", "添加", "新增";
    take_back "Take back", "撤销", "撤銷";
    exports "Take along", "导出数据", "匯出資料";
    exports_why "All that the studio owns, as files of lines (CSV). The studio’s data is the studio’s.", "工作室的全部数据，CSV格式。数据归工作室所有。", "工作室的全部資料，CSV格式。資料歸工作室所有。";
}

/// What of a studio's can be taken along, by its name in the address.
pub const fn table(table: crate::studios::store::exported::Table, language: crate::language::Language) -> (&'static str, &'static str) {
    use crate::language::Language as L;
    use crate::studios::store::exported::Table as T;
    match (table, language) {
        (T::Members, L::En) => ("members", "Members"),
        (T::Members, L::ZhHans) => ("members", "会员"),
        (T::Members, L::ZhHant) => ("members", "會員"),
        (T::Staff, L::En) => ("staff", "Team"),
        (T::Staff, L::ZhHans) => ("staff", "团队"),
        (T::Staff, L::ZhHant) => ("staff", "團隊"),
        (T::Rooms, L::En) => ("rooms", "Rooms"),
        (T::Rooms, L::ZhHans | L::ZhHant) => ("rooms", "教室"),
        (T::ClassTypes, L::En) => ("class_types", "Kinds of classes"),
        (T::ClassTypes, L::ZhHans) => ("class_types", "课程类型"),
        (T::ClassTypes, L::ZhHant) => ("class_types", "課程類型"),
        (T::PassTypes, L::En) => ("pass_types", "Passes on sale"),
        (T::PassTypes, L::ZhHans) => ("pass_types", "卡种"),
        (T::PassTypes, L::ZhHant) => ("pass_types", "票種"),
        (T::Sessions, L::En) => ("sessions", "Classes"),
        (T::Sessions, L::ZhHans) => ("sessions", "课程"),
        (T::Sessions, L::ZhHant) => ("sessions", "課堂"),
        (T::Bookings, L::En) => ("bookings", "Bookings"),
        (T::Bookings, L::ZhHans) => ("bookings", "预约"),
        (T::Bookings, L::ZhHant) => ("bookings", "預約"),
        (T::Passes, L::En) => ("passes", "Passes of members"),
        (T::Passes, L::ZhHans) => ("passes", "会员的卡"),
        (T::Passes, L::ZhHant) => ("passes", "會員的票"),
        (T::Ledger, L::En) => ("ledger", "Credits and money"),
        (T::Ledger, L::ZhHans) => ("ledger", "扣次与金额明细"),
        (T::Ledger, L::ZhHant) => ("ledger", "扣次與金額明細"),
        (T::Penalties, L::En) => ("penalties", "Penalties"),
        (T::Penalties, L::ZhHans) => ("penalties", "违约记录"),
        (T::Penalties, L::ZhHant) => ("penalties", "違約紀錄"),
    }
}
