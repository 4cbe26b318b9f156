//! What the pages of the office say: the audit trail, imports, passes and prices, the team, the letters as they are read.

in_words! {
    // The audit trail.
    trail "What happened", "操作记录", "操作紀錄";
    trail_why "Who did what, when and to whom. Nobody can change or remove a line.", "谁在何时对谁做了什么。记录不可修改或删除。", "誰在何時對誰做了什麼。紀錄不可修改或刪除。";
    about "About", "内容", "內容";
    anything "Anything", "全部内容", "全部內容";
    by_or_about "Done by, or to", "操作人或相关人", "操作人或相關人";
    anybody "Anybody", "所有人", "所有人";
    by_itself "Relevé", "系统", "系統";
    unknown_person "Somebody who is not known here any more", "已不在此处的人", "已不在此處的人";
    nothing_happened "Nothing of this kind happened on these days.", "这段时间没有此类记录。", "這段時間沒有此類紀錄。";
    older "Older", "更早", "更早";
    newest "The newest", "最新", "最新";
    kind_bookings "Bookings", "预约", "預約";
    kind_members "Members", "会员", "會員";
    kind_passes "Passes of members", "会员的卡", "會員的票";
    kind_schedule "Schedule", "课表", "課表";
    kind_team "Team", "团队", "團隊";
    kind_studio "The studio and its rules", "工作室与规则", "工作室與規則";

    // Imports.
    imports "Import", "导入", "匯入";
    imports_why "Members, passes and bookings from the files (CSV) of another program: first the members, then their passes, then bookings. Nothing is written before you have seen what would come of it, and nobody is written to.", "从其他系统的CSV文件导入会员、卡和预约：请依次导入会员、卡、预约。写入前可先查看结果，不会发送任何邮件。", "從其他系統的CSV檔案匯入會員、票與預約：請依序匯入會員、票、預約。寫入前可先查看結果，不會寄送任何郵件。";
    what_in_it "What it holds", "文件内容", "檔案內容";
    import_members "Members", "会员", "會員";
    import_passes "Passes", "卡", "票";
    import_bookings "Bookings", "预约", "預約";
    the_file "File", "文件", "檔案";
    file_hint "CSV, at most 32 MB and 100,000 lines; the first line names the columns.", "CSV格式，最大32MB、10万行；第一行为列名。", "CSV格式，最大32MB、10萬行；第一行為欄名。";
    look_at_it "Look at it", "查看", "查看";
    a_file_waits "A file waits for you:", "有待处理的文件：", "有待處理的檔案：";
    go_on "Go on with it", "继续", "繼續";
    waits_until "It is kept until", "保留至", "保留至";
    past_imports "Imported so far", "导入记录", "匯入紀錄";
    no_imports "Nothing has been imported yet.", "还没有导入。", "還沒有匯入。";
    columns "Columns", "列", "欄";
    columns_why "What each column of the file is. What is proposed goes by its name; change it where it is wrong.", "文件中每一列的含义。已按列名匹配，可更改。", "檔案中每一欄的含義。已依欄名對應，可更改。";
    left_out_column "left out", "忽略", "忽略";
    looks_like_addresses "This column looks like e-mail addresses, and is left out.", "此列看起来是邮箱地址，但未导入。", "此欄看起來是電子郵件地址，但未匯入。";
    encoding "Characters", "编码", "編碼";
    found_out "found out by itself", "自动识别", "自動識別";
    delimiter "Between cells", "分隔符", "分隔符號";
    comma "comma", "逗号", "逗號";
    semicolon "semicolon", "分号", "分號";
    tab "tab", "制表符", "定位字元";
    dates "Dates like 12/01/2026", "形如12/01/2026的日期", "形如12/01/2026的日期";
    dates_ymd "are refused: the year stands first", "不接受，须以年份开头", "不接受，須以年份開頭";
    dates_mdy "month, day, year", "月/日/年", "月/日/年";
    dates_dmy "day, month, year", "日/月/年", "日/月/年";
    read_again "Read it this way", "按此读取", "依此讀取";
    would_come "What would come of it", "导入结果预览", "匯入結果預覽";
    lines "Lines", "行数", "行數";
    fate_made "new", "新增", "新增";
    fate_known "known already: stays as it is", "已存在，保持不变", "已存在，保持不變";
    fate_wrong "not right", "有误", "有誤";
    was_left_out "Left out", "已略过", "已略過";
    line "Line", "行", "行";
    what_is_written "What is written", "将写入的内容", "將寫入的內容";
    comes_to "Comes to", "结果", "結果";
    more_lines "More lines", "后面的行", "後面的行";
    wrong_csv "The lines that are not right, as CSV", "下载有误的行（CSV）", "下載有誤的行（CSV）";
    carry_out "Import it", "导入", "匯入";
    carry_out_rest "Import it without the lines that are not right", "略过有误的行并导入", "略過有誤的行並匯入";
    throw_away "Throw the file away", "丢弃文件", "捨棄檔案";
    was_refused "It was not imported, and nothing is written:", "未导入，未写入任何内容：", "未匯入，未寫入任何內容：";
    under_way "It is being imported", "正在导入", "正在匯入";
    under_way_why "It goes on by itself, also if you leave this page. Nothing of it is to be seen before all of it is there.", "离开此页面也会继续进行。全部完成后才会显示。", "離開此頁面也會繼續進行。全部完成後才會顯示。";
    how_far "How far it is", "查看进度", "查看進度";
    is_done "It is imported", "已导入", "已匯入";
    by_whom "By", "操作人", "操作人";
    skipped_csv "The lines that were left out, as CSV", "下载略过的行（CSV）", "下載略過的行（CSV）";
    invite_them "Invite those who came over", "邀请导入的会员", "邀請匯入的會員";
    invite_why "Each new member with an address of their own gets one letter with the way in.", "每位有自己邮箱的新会员会收到一封邀请邮件。", "每位有自己電子郵件的新會員會收到一封邀請郵件。";
    per_hour "Letters an hour", "每小时发送数", "每小時寄送數";
    were_invited "Invited on", "邀请时间：", "邀請時間：";

    // Passes and prices.
    passes_why "What members can buy, and what each promises. A change holds for who buys from then on; passes that were sold keep what they promised.", "会员可购买的卡及其内容。修改仅对此后售出的卡生效，已售出的不变。", "會員可購買的票及其內容。修改僅對此後售出的票生效，已售出的不變。";
    new_pass "New pass", "新建卡种", "新增票種";
    edit_pass "Change the pass", "修改卡种", "修改票種";
    not_on_sale "not sold any more", "已停售", "已停售";
    on_sale "It is sold", "在售", "販售中";
    on_sale_hint "Without this nobody buys one any more; whoever has one keeps it.", "取消后不再出售，已持有的仍可使用。", "取消後不再販售，已持有的仍可使用。";
    what_it_gives "What it gives", "内容", "內容";
    how_long "How long", "有效期", "有效期";
    unit "Days or months", "天或月", "天或月";
    unit_days "days", "天", "天";
    unit_months "months", "个月", "個月";
    counts_from "It counts from", "起算", "起算";
    from_sale "the sale", "售出之日", "售出之日";
    from_first "the first class attended", "首次上课", "首次上課";
    begin_within "Days within which it must begin", "须在多少天内开始使用", "須在多少天內開始使用";
    begin_within_hint "Only for a pass that counts from the first class; left empty, whenever.", "仅适用于自首次上课起算的卡；留空则不限。", "僅適用於自首次上課起算的票；留空則不限。";
    for_whom "For whom", "适用对象", "適用對象";
    only_new "Only for who is new here", "仅限新会员", "僅限新會員";
    only_once "Nobody can buy a second one", "每人限购一次", "每人限購一次";
    transferable "It can be passed on to somebody else", "可以转让", "可以轉讓";
    freeze_days "Days for which members may freeze it themselves", "会员可自行冻结的天数", "會員可自行凍結的天數";
    freeze_days_hint "0: only staff freeze it.", "0表示仅工作人员可冻结。", "0表示僅工作人員可凍結。";
    followed_by "Meant for afterwards", "后续推荐", "後續推薦";
    nothing_afterwards "nothing", "无", "無";
    for_classes "For these classes; none marked: for all", "适用课程；不勾选则适用全部", "適用課程；不勾選則適用全部";
    several_studios "It is also valid in other studios; what is marked here are classes of this one.", "该卡也适用于其他工作室；此处仅列出本工作室的课程。", "該票也適用於其他工作室；此處僅列出本工作室的課程。";

    // The team.
    team_why "Who works here, what they may do, and how they sign in.", "团队成员、权限与登录情况。", "團隊成員、權限與登入情況。";
    who_works_here "Who works here", "团队成员", "團隊成員";
    has_factor "with a second factor", "已启用两步验证", "已啟用兩步驟驗證";
    no_factor "without a second factor", "未启用两步验证", "未啟用兩步驟驗證";
    invitations "Invitations", "邀请", "邀請";
    invitations_why "Whoever is invited gets a letter with a code, and works here once they accept.", "受邀者会收到带有邀请码的邮件，接受后即加入团队。", "受邀者會收到附邀請碼的郵件，接受後即加入團隊。";
    withdraw "Take back", "撤回", "撤回";
    roles "Roles", "角色", "角色";
    roles_why "What is not marked ends at once; without any role they are on the team no more.", "取消勾选即时生效；没有任何角色则不再是团队成员。", "取消勾選即時生效；沒有任何角色則不再是團隊成員。";
    still_teaches "They still teach these classes:", "仍有以下未开始的课程：", "仍有以下未開始的課堂：";
    leave_sessions "Leave these classes without an instructor; members keep their places", "这些课程暂无教练，会员名额保留", "這些課堂暫無教練，會員名額保留";
    second_factor "Second factor", "两步验证", "兩步驟驗證";
    reset_factors "They have lost it: take it away", "已丢失，重置两步验证", "已遺失，重設兩步驟驗證";
    reset_factors_why "They are signed out everywhere, and the password alone lets them in until they set one up again.", "对方将在所有设备上退出登录；在重新设置之前仅凭密码即可登录。", "對方將在所有裝置上登出；在重新設定之前僅憑密碼即可登入。";
    devices "Devices", "设备", "裝置";
    devices_why "Where they are signed in. An account is one for all studios: whoever is signed out here is so everywhere.", "已登录的设备。账号通用于所有工作室，退出后处处生效。", "已登入的裝置。帳號通用於所有工作室，登出後處處生效。";
    no_devices "They are signed in nowhere.", "没有已登录的设备。", "沒有已登入的裝置。";
    nameless_device "A device", "设备", "裝置";
    this_device "this one", "本设备", "本裝置";
    last_used "last used", "最近使用：", "最近使用：";
    sign_out_device "Sign out", "退出登录", "登出";

    // Letters as they are read.
    letter_previews "Letters as they are read", "邮件预览", "郵件預覽";
    letter_previews_why "Every letter, with invented facts: nobody is written to.", "所有邮件的示例，内容均为虚构，不会发送。", "所有郵件的範例，內容均為虛構，不會寄送。";
    as_text "As plain text", "纯文本", "純文字";
    what_happened_here "What happened with them", "相关操作记录", "相關操作紀錄";
}
