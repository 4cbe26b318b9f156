//! What the columns of a file are called, for who mends one.

use crate::language::Language;

/// A column by its name here, in words; `line` is what is wrong with the whole of one.
pub fn column(name: &str, language: Language) -> &str {
    let [en, zh_hans, zh_hant] = match name {
        "external_id" => ["Number in the other program", "原系统编号", "原系統編號"],
        "name" => ["Name", "姓名", "姓名"],
        "first_name" => ["First name", "名", "名"],
        "last_name" => ["Last name", "姓", "姓"],
        "email" => ["Email", "邮箱", "電子郵件"],
        "phone" => ["Phone", "电话", "電話"],
        "locale" => ["Language", "语言", "語言"],
        "member_external_id" => ["Number of the member in the other program", "会员原系统编号", "會員原系統編號"],
        "member_name" => ["Name of the member", "会员姓名", "會員姓名"],
        "pass_type" => ["Pass", "卡种", "票種"],
        "credits_left" => ["Credits left", "剩余次数", "剩餘次數"],
        "starts_on" => ["First day", "生效日期", "生效日期"],
        "expires_on" => ["Last day", "有效期至", "有效期至"],
        "class_type" => ["Kind of class", "课程类型", "課程類型"],
        "local_start" => ["Day and time", "日期与时间", "日期與時間"],
        "date" => ["Day", "日期", "日期"],
        "time" => ["Time", "时间", "時間"],
        "status" => ["State", "状态", "狀態"],
        "line" => ["Line", "行", "行"],
        other => [other; 3],
    };
    match language {
        Language::En => en,
        Language::ZhHans => zh_hans,
        Language::ZhHant => zh_hant,
    }
}
