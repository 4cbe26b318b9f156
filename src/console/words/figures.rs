//! What the pages of figures say: Monday, attendance, and the sessions behind a figure.

in_words! {
    csv "As CSV", "下载CSV", "下載CSV";
    as_table "As a table", "查看表格", "查看表格";
    what_counts "What is counted", "统计口径", "統計口徑";
    none "None.", "无。", "無。";
    fill "Fill", "满班率", "滿班率";
    hint_fill "Places taken, of all places of classes that were not cancelled", "已占用名额占未取消课程全部名额的比例", "已占用名額占未取消課堂全部名額的比例";

    // Monday.
    week_before "The week before", "前一周", "前一週";
    year_before "A year before", "去年同期", "去年同期";
    last_week "Last week", "上周", "上週";
    takings "Takings", "收入", "收入";
    hint_takings "Payments noted for passes, less refunds, and fees noted as paid", "已登记的购卡付款减去退款，加上已付违约金", "已登記的購票付款減去退款，加上已付違約金";
    bookings "Bookings", "预约", "預約";
    hint_bookings "Places that were taken, those of guests too", "已占用的名额（含同行客人）", "已占用的名額（含同行賓客）";
    attended "Came", "到课", "到課";
    hint_attended "Places whose members came", "会员实际到课的名额", "會員實際到課的名額";
    first_visits "First visits", "首次到店", "首次到店";
    hint_first_visits "Members whose first class was in this week", "首次上课在该周的会员", "首次上課在該週的會員";
    came_again "Came again", "再次到店", "再次到店";
    hint_came_again "Of the first visits, who has come again since", "首次到店会员中此后再次到课的人数", "首次到店會員中此後再次到課的人數";
    passes_ending "Passes that end within 14 days", "14天内到期的卡", "14天內到期的票";
    unseen "Not seen for three weeks", "三周未到店", "三週未到店";
    last_visit "last visit", "最近到店", "最近到店";
    fees_due "Fees to collect", "待收违约金", "待收違約金";
    since "since", "自", "自";
    unrecorded "Attendance not recorded", "未登记到课", "未登記到課";
    places_open "places without a word:", "未登记名额：", "未登記名額：";
    unmet "Wanted, and no place left", "未能满足的需求", "未能滿足的需求";
    people_left_out "without a place:", "未获得名额人数：", "未獲得名額人數：";
    pay "Taught", "授课", "授課";
    classes "classes:", "课次：", "堂數：";
    minutes "minutes:", "分钟：", "分鐘：";
    came "came:", "到课：", "到課：";

    // Attendance.
    span_weeks "4 weeks", "4周", "4週";
    span_months "3 months", "3个月", "3個月";
    span_year "A year", "一年", "一年";
    spans "Spans of time", "时间范围", "時間範圍";
    from "From", "开始日期", "開始日期";
    to "To, that day included", "结束日期（含当天）", "結束日期（含當天）";
    no_classes "No classes on these days.", "这段时间没有课。", "這段時間沒有課。";
    by_hour "How full, by weekday and hour", "各时段满班率", "各時段滿班率";
    by_hour_desc "A square for each weekday and hour at which classes begin: the darker, the fuller.", "每个方格为一个星期与开始时段，颜色越深越满。", "每個方格為一個星期與開始時段，顏色越深越滿。";
    part_of_week "(part of the week)", "（不足一周）", "（不足一週）";
    part_of_week_tone "paler: a part of the week", "浅色：不足一周", "淺色：不足一週";
    by_week "Who came, week by week", "每周到课", "每週到課";
    by_week_desc "A bar for each week: below, places whose members came; above, those who did not come.", "每周一根柱：下段为到课，上段为缺席。", "每週一根柱：下段為到課，上段為缺席。";
    by_instructor "How full, by instructor", "各教练满班率", "各教練滿班率";
    by_class "How full, by kind of class", "各课程满班率", "各課程滿班率";
    by_room "How full, by room", "各教室满班率", "各教室滿班率";
    bars_desc "A bar for each: the longer, the fuller.", "每项一根横条，越长越满。", "每項一根橫條，越長越滿。";
    by_slot "Wanted, and no place left", "未能满足的需求", "未能滿足的需求";
    by_slot_desc "A bar for each start of a class in the week at which people had no place: the longer, the more people.", "每根横条为一周中的一个上课时间，越长表示未获得名额的人越多。", "每根橫條為一週中的一個上課時間，越長表示未獲得名額的人越多。";
    nobody_left_out "Nobody was left without a place.", "没有人因满员而未能上课。", "沒有人因滿員而未能上課。";
    instructor "Instructor", "教练", "教練";
    class_type "Kind of class", "课程类型", "課程類型";
    room "Room", "教室", "教室";
    hour "Hour", "时段", "時段";
    week "Week", "周", "週";
    start "Start", "开始时间", "開始時間";
    no_shows "Did not come", "未到课", "未到課";
    number_of_classes "Classes", "课次", "堂數";
    taken "Taken", "已占用", "已占用";
    unmet_people "Without a place", "未获名额", "未獲名額";
    turned_away "Turned away", "被拒", "被拒";
    waited "Waited", "候补", "候補";

    // The sessions behind a figure.
    sessions "The classes behind it", "相关课程", "相關課堂";
    first_of "These are the first of", "仅显示前若干节，总数：", "僅顯示前若干堂，總數：";
    to_attendance "To attendance", "返回到课情况", "返回到課情況";
}

/// The days of a week, from Monday.
pub const fn weekdays(language: crate::language::Language) -> [&'static str; 7] {
    match language {
        crate::language::Language::En => ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
        crate::language::Language::ZhHans => ["周一", "周二", "周三", "周四", "周五", "周六", "周日"],
        crate::language::Language::ZhHant => ["週一", "週二", "週三", "週四", "週五", "週六", "週日"],
    }
}
