//! What each report counts, in the reader's language.

use crate::language::Language;

/// A report that says what it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each has its sentence")]
pub enum Counted {
    Attendance,
    Sources,
    Demand,
    Pay,
    Credits,
    Letters,
    Retention,
    Monday,
}

impl Counted {
    /// The sentence.
    pub const fn sentence(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Attendance, Language::En) => {
                "Published classes on these local dates. Booked are places that are taken, those of guests too: booked, offered, attended or missed. \
                 Fill is booked places over all places of classes that were not cancelled. Unrecorded are those counted as attended because nobody was marked."
            }
            (Self::Attendance, Language::ZhHans) => {
                "统计所选当地日期内已发布的课程。“已预约”为已占用的名额（含同伴）：已预约、已邀请、已到课或缺席。满班率为未取消课程的已预约名额除以全部名额。“未记录”为因无人签到而按到课计算的名额。"
            }
            (Self::Attendance, Language::ZhHant) => {
                "統計所選當地日期內已發布的課堂。「已預約」為已占用的名額（含同伴）：已預約、已邀請、已到課或缺席。滿班率為未取消課堂的已預約名額除以全部名額。「未記錄」為因無人簽到而按到課計算的名額。"
            }
            (Self::Sources, Language::En) => {
                "Bookings of published classes on these local dates, by who made them: the member (app), somebody of their family who acts for them now (family), \
                 staff (desk), staff at the door of a full class (door), or a member for a guest (guest)."
            }
            (Self::Sources, Language::ZhHans) => {
                "统计所选当地日期内已发布课程的预约，按预约方式分组：会员本人（app）、目前代其预约的家人（family）、前台（desk）、满班课程现场登记（door）、会员为同伴预约（guest）。"
            }
            (Self::Sources, Language::ZhHant) => {
                "統計所選當地日期內已發布課堂的預約，按預約方式分組：會員本人（app）、目前代其預約的家人（family）、櫃檯（desk）、滿班課堂現場登記（door）、會員為同伴預約（guest）。"
            }
            (Self::Demand, Language::En) => {
                "Published classes on these local dates, by weekday and local start. Waited are bookings that were on the waitlist; the minutes run from the booking \
                 until a place was given or offered, and are the median. Turned away are people who were refused because no place was left. Unmet are people who were \
                 turned away, or waited to the end, and had no place in that class."
            }
            (Self::Demand, Language::ZhHans) => {
                "统计所选当地日期内已发布的课程，按星期和当地开始时间分组。“候补”为曾进入候补的预约；等待分钟数为从预约到获得或收到名额邀请的中位数。“被拒”为因没有名额而未能预约的人数。“未满足”为被拒或候补到最后仍没有该课程名额的人数。"
            }
            (Self::Demand, Language::ZhHant) => {
                "統計所選當地日期內已發布的課堂，按星期和當地開始時間分組。「候補」為曾進入候補的預約；等待分鐘數為從預約到獲得或收到名額邀請的中位數。「被拒」為因沒有名額而未能預約的人數。「未滿足」為被拒或候補到最後仍沒有該課堂名額的人數。"
            }
            (Self::Pay, Language::En) => {
                "Published classes on these local dates that are over and were not cancelled, by who taught them: whoever stands in the class at last, a substitute too. \
                 Booked are places that were taken."
            }
            (Self::Pay, Language::ZhHans) => {
                "统计所选当地日期内已结束且未取消的课程，按实际授课的教练（含代课）分组。“已预约”为已占用的名额。"
            }
            (Self::Pay, Language::ZhHant) => {
                "統計所選當地日期內已結束且未取消的課堂，按實際授課的教練（含代課）分組。「已預約」為已占用的名額。"
            }
            (Self::Credits, Language::En) => {
                "Packs sold by this studio that can still be used today. The worth of a pack is what its refund would come to: credits that were paid for are used before those \
                 that were given, and what was given is worth nothing."
            }
            (Self::Credits, Language::ZhHans) => {
                "统计本工作室售出且今天仍可使用的次卡。次卡价值为现在退款的金额：先使用付费次数，再使用赠送次数；赠送次数不计价值。"
            }
            (Self::Credits, Language::ZhHant) => {
                "統計本工作室售出且今天仍可使用的課堂套票。套票價值為現在退款的金額：先使用付費堂數，再使用贈送堂數；贈送堂數不計價值。"
            }
            (Self::Letters, Language::En) => {
                "Letters of this studio that were written on these local dates, by kind and by what has become of them."
            }
            (Self::Letters, Language::ZhHans) => "统计本工作室在所选当地日期内生成的邮件，按类型和当前状态分组。",
            (Self::Letters, Language::ZhHant) => "統計本工作室在所選當地日期內產生的郵件，按類型和目前狀態分組。",
            (Self::Retention, Language::En) => {
                "Members whose first attended class in this studio was on one of these local dates, by its calendar month, and how many of them came in each month after. \
                 Guests are not counted."
            }
            (Self::Retention, Language::ZhHans) => {
                "统计在所选当地日期内首次到课的会员，按首次到课的月份分组，并统计其后各月到课的人数。不含同伴。"
            }
            (Self::Retention, Language::ZhHant) => {
                "統計在所選當地日期內首次到課的會員，按首次到課的月份分組，並統計其後各月到課的人數。不含同伴。"
            }
            (Self::Monday, Language::En) => {
                "The week from Monday to Sunday by the studio's calendar, beside the week before and the same week 52 weeks earlier. Takings are payments noted for passes, less \
                 refunds, and fees noted as paid. First visits are members whose first attended class was in that week; they came again if they have attended another \
                 since. Lists of members are as of today and name 200 at most."
            }
            (Self::Monday, Language::ZhHans) => {
                "统计工作室当地周一至周日的数据，并与前一周及 52 周前的同一周比较。收入为已登记的购卡付款减去退款，加上已登记支付的费用。首次到课为该周首次上课的会员；之后再次到课的计入“再次到课”。会员名单以今天为准，最多列出 200 位。"
            }
            (Self::Monday, Language::ZhHant) => {
                "統計工作室當地週一至週日的數據，並與前一週及 52 週前的同一週比較。收入為已登記的購票付款減去退款，加上已登記支付的費用。首次到課為該週首次上課的會員；之後再次到課的計入「再次到課」。會員名單以今天為準，最多列出 200 位。"
            }
        }
    }
}
