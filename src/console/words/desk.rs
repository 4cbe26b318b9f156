//! What the pages about one member say: their passes and what becomes of them, penalties, two entries that are one, and erasing.

use crate::language::Language;
use crate::passes::LedgerReason;
use crate::penalties::{Forgiven, PenaltyKind};

in_words! {
    passes_over "Used up, expired or ended", "已用完、过期或结束的卡", "已用完、過期或結束的票";
    // A pass.
    ledger "What came of it", "使用明细", "使用明細";
    frozen_days "Frozen", "冻结期", "凍結期";
    give "Give credits", "赠送次数", "贈送次數";
    number_of_credits "Credits", "次数", "次數";
    why_read "Why (the member reads it)", "原因（会员可见）", "原因（會員可見）";
    extend "Prolong it", "延长有效期", "延長有效期";
    last_day "New last day", "新的有效期", "新的有效期";
    freeze "Freeze it", "冻结", "凍結";
    freeze_from "First day", "开始日期", "開始日期";
    freeze_until "Last day", "结束日期", "結束日期";
    freeze_why "On these days it pays for nothing, and it is valid for as many days longer.", "冻结期间不可使用，有效期相应顺延。", "凍結期間不可使用，有效期相應順延。";
    freeze_cancels "Cancel what it pays for on these days, at no cost", "免费取消冻结期间由此卡支付的预约", "免費取消凍結期間由此票支付的預約";
    unfreeze "End the freeze now", "立即解冻", "立即解凍";
    refund "Take it back and refund", "退卡退款", "退票退款";
    refund_why "What is left of it goes, and it pays for nothing any more. Relevé writes the refund down; you give the money back.", "剩余部分作废，之后不可再使用。系统仅记录退款，款项由您退还。", "剩餘部分作廢，之後不可再使用。系統僅記錄退款，款項由您退還。";
    refund_paid "Paid", "实付", "實付";
    refund_unit_price "One unit", "单价", "單價";
    refund_units "Units used of those sold", "已用／共售", "已用／共售";
    refund_amount "To be given back", "应退金额", "應退金額";
    refund_other "Another amount", "其他金额", "其他金額";
    refund_other_hint "Left empty: as computed.", "留空则按上述计算。", "留空則按上述計算。";
    transfer "Pass it on", "转让", "轉讓";
    transfer_why "What is left becomes a pass of whoever gets it, with what was paid for it. This one ends.", "剩余部分连同实付金额转给对方，成为其名下的新卡；此卡随即终止。", "剩餘部分連同實付金額轉給對方，成為其名下的新票；此票隨即終止。";
    transfer_pass "The pass", "此卡", "此票";
    transfer_from "From", "转出会员", "轉出會員";
    transfer_to "To", "转入会员", "轉入會員";
    transfer_where "Valid at", "适用工作室", "適用工作室";
    transfer_search "Who gets it?", "转给谁？", "轉給誰？";
    transfer_choose "To them", "转给此会员", "轉給此會員";
    transfer_elsewhere "The same member, at another studio", "同一会员，转至其他工作室", "同一會員，轉至其他工作室";

    // What is written down of a member.
    note "Note", "备注", "備註";
    change_particulars "Name, number, note", "修改姓名、电话与备注", "修改姓名、電話與備註";
    note_hint "For those who serve the member. They read it if they ask for all that is stored of them.", "仅供工作人员服务会员时参考；会员申请导出个人数据时可以看到。", "僅供工作人員服務會員時參考；會員申請匯出個人資料時可以看到。";
    name_hint "As this studio writes it.", "本工作室登记的姓名。", "本工作室登記的姓名。";

    // Penalties.
    penalties "Late cancellations and absences", "逾期取消与缺席", "逾期取消與缺席";
    strike "strike", "记违约", "記違約";
    waived "taken back", "已撤销", "已撤銷";
    fee "fee", "违约金", "違約金";
    fee_paid "paid", "已付", "已付";
    fee_owed "to be paid", "待付", "待付";
    waive "Take it back", "撤销", "撤銷";
    waive_why "The credit or visit, the strike and the fee are taken back; a fee that was paid is returned at the desk.", "将退还扣次、取消违约记录和违约金；已付的违约金由前台退还。", "將退還扣次、取消違約紀錄與違約金；已付的違約金由櫃檯退還。";
    pay "The fee was paid", "登记已付违约金", "登記已付違約金";

    // Two entries that are one.
    merge "Merge with another entry", "合并重复会员", "合併重複會員";
    merge_why "Somebody stands here twice. All that is written of this entry goes to the one that stays: bookings, passes, penalties, letters. Its name, address and number are forgotten. It cannot be undone.", "同一个人登记了两次。此条目的预约、卡、违约记录和邮件将并入保留的条目，其姓名、邮箱和电话将被删除，且无法撤销。", "同一個人登記了兩次。此條目的預約、票、違約紀錄與郵件將併入保留的條目，其姓名、電子郵件與電話將被刪除，且無法復原。";
    merge_goes "This entry goes", "此条目将被并入", "此條目將被併入";
    merge_stays "This entry stays", "保留的条目", "保留的條目";
    merge_search "Who are they besides?", "查找另一条目", "尋找另一條目";
    merge_choose "This one stays", "保留此条目", "保留此條目";
    merge_nothing "No booking gives way.", "没有受影响的预约。", "沒有受影響的預約。";
    merge_do "Merge them", "合并", "合併";

    // Erasing.
    erase "Erase this member", "删除会员", "刪除會員";
    erase_why "For somebody who has no account and so cannot do it themselves. Name, address, number and all that staff wrote of them go at once, for good. What they have booked is cancelled at no cost; what was booked and paid stays, without a name.", "适用于没有账号、无法自行删除的会员。姓名、邮箱、电话及工作人员的备注将立即永久删除。未开始的预约将免费取消；历史预约与付款记录将保留，但不再显示姓名。", "適用於沒有帳號、無法自行刪除的會員。姓名、電子郵件、電話及工作人員的備註將立即永久刪除。未開始的預約將免費取消；歷史預約與付款紀錄將保留，但不再顯示姓名。";
    erase_type "To go on, type the member’s name", "请输入会员姓名以确认", "請輸入會員姓名以確認";
    erase_not_the_name "This is not the name.", "姓名不一致。", "姓名不一致。";
}

/// Why a line stands in a ledger.
pub const fn ledger_reason(reason: LedgerReason, language: Language) -> &'static str {
    let [en, zh_hans, zh_hant] = match reason {
        LedgerReason::Sold => ["Sold", "售出", "售出"],
        LedgerReason::Booked => ["A class booked", "预约课程", "預約課堂"],
        LedgerReason::Promoted => ["Moved in from the waitlist", "候补转入", "候補轉入"],
        LedgerReason::Cancelled => ["Cancelled in time", "按时取消", "按時取消"],
        LedgerReason::SessionCancelled => ["The studio cancelled the class", "工作室取消课程", "工作室取消課堂"],
        LedgerReason::ReturnedByStaff => ["Given back by staff", "工作人员退还", "工作人員退還"],
        LedgerReason::Removed => ["The account was deleted", "账号已删除", "帳號已刪除"],
        LedgerReason::Gift => ["Credits given", "赠送次数", "贈送次數"],
        LedgerReason::Extended => ["Prolonged", "延长有效期", "延長有效期"],
        LedgerReason::Begun => ["Counts from the first class", "自首次上课起计", "自首次上課起計"],
        LedgerReason::Frozen => ["Frozen", "冻结", "凍結"],
        LedgerReason::Unfrozen => ["The freeze ended early", "提前解冻", "提前解凍"],
        LedgerReason::Transferred => ["Transferred", "转让", "轉讓"],
        LedgerReason::Refunded => ["Refunded", "退款", "退款"],
        LedgerReason::Forgiven => ["Cancelled late, and forgiven", "逾期取消，免予处理", "逾期取消，免予處理"],
        LedgerReason::Waived => ["A penalty taken back", "撤销处罚", "撤銷處罰"],
        LedgerReason::BroughtOver => ["Brought over from another program", "由其他系统转入", "由其他系統轉入"],
    };
    super::pick(language, en, zh_hans, zh_hant)
}

/// What a penalty is for.
pub const fn penalty_kind(kind: PenaltyKind, language: Language) -> &'static str {
    let w = super::words(language);
    match kind {
        PenaltyKind::LateCancel => w.late_cancelled,
        PenaltyKind::NoShow => w.no_show,
    }
}

/// Why nothing is taken.
pub const fn forgiven(why: Forgiven, language: Language) -> &'static str {
    let [en, zh_hans, zh_hant] = match why {
        Forgiven::Month => ["forgiven, one of the month’s", "当月免罚次数", "當月免罰次數"],
        Forgiven::Day => ["forgiven, a day without penalties", "免罚日期", "免罰日期"],
    };
    super::pick(language, en, zh_hans, zh_hant)
}
