//! Every refusal of the API: one type, one status each, one JSON shape (RFC 9457), one sentence in the reader's language.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::db;
use crate::language::Language;
use crate::wrong::Wrong;

/// What was refused and why, with the facts that an app needs to go on.
#[derive(Clone, Debug)]
pub struct Problem {
    pub kind: ProblemType,
    facts: Map<String, Value>,
    errors: Vec<FieldError>,
    retry_after_s: Option<u64>,
}

/// One field and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The path of the field in the body, or the name of the parameter or header.
    pub field: String,
    /// What is wrong with it.
    pub wrong: Wrong,
}

/// An answer or a [`Problem`].
pub type Answer<T> = Result<T, Problem>;

macro_rules! kinds {
    ($($kind:ident $status:ident $slug:literal { $en:literal, $hans:literal, $hant:literal })*) => {
        /// The refusals of the API. The variant's name is its `type`: `SessionFull` is `/problems/session-full`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "each has its sentence")]
        pub enum ProblemType { $($kind,)* }

        impl ProblemType {
            /// Every refusal, for the documents.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// The HTTP status.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$kind => StatusCode::$status,)* }
            }

            /// The last part of `type`.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$kind => $slug,)* }
            }

            /// The `type` of the problem.
            pub fn uri(self) -> String {
                format!("/problems/{}", self.slug())
            }

            /// The refusal with this `type`.
            pub fn of_uri(uri: &str) -> Option<Self> {
                let slug = uri.strip_prefix("/problems/")?;
                Self::ALL.iter().copied().find(|problem| problem.slug() == slug)
            }

            /// The sentence that a person reads.
            pub const fn sentence(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$kind, Language::En) => $en,
                    (Self::$kind, Language::ZhHans) => $hans,
                    (Self::$kind, Language::ZhHant) => $hant,)*
                }
            }
        }
    };
}

impl Serialize for ProblemType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.uri())
    }
}

/// What an operation refuses besides what its signature says already, for its annotation: `json!(refuses![NoPass, SessionFull])`.
macro_rules! refuses {
    ($($problem:ident),+ $(,)?) => {
        [$($crate::problem::ProblemType::$problem),+]
    };
}
pub(crate) use refuses;

kinds! {
    // The form of a request.
    MalformedBody BAD_REQUEST "malformed-body" { "The request could not be read.", "无法读取该请求。", "無法讀取該請求。" }
    MalformedRequest BAD_REQUEST "malformed-request" { "The request could not be understood.", "无法理解该请求。", "無法理解該請求。" }
    InvalidFields UNPROCESSABLE_ENTITY "invalid-fields" { "Some fields are not right.", "部分字段有误。", "部分欄位有誤。" }
    UnsupportedMediaType UNSUPPORTED_MEDIA_TYPE "unsupported-media-type" { "The body must be JSON.", "请求正文必须为 JSON。", "請求內容必須為 JSON。" }
    BodyTooLarge PAYLOAD_TOO_LARGE "body-too-large" { "The request is too large.", "请求过大。", "請求過大。" }
    PreconditionMissing PRECONDITION_REQUIRED "precondition-missing" { "A header is missing that this call needs.", "缺少此调用所需的标头。", "缺少此呼叫所需的標頭。" }
    VersionStale PRECONDITION_FAILED "version-stale" { "Somebody changed this meanwhile. Look at what it is now, then try again.", "内容已被他人修改，请查看最新内容后重试。", "內容已被他人修改，請查看最新內容後再試。" }
    NotFound NOT_FOUND "not-found" { "There is nothing here.", "未找到相关内容。", "找不到相關內容。" }
    MethodNotAllowed METHOD_NOT_ALLOWED "method-not-allowed" { "This cannot be done here.", "此处不支持该操作。", "此處不支援該操作。" }
    NotAllowed FORBIDDEN "not-allowed" { "You may not do this.", "您没有执行此操作的权限。", "您沒有執行此操作的權限。" }
    IdempotencyKeyReused CONFLICT "idempotency-key-reused" { "This key was used for something else.", "该幂等键已用于其他请求。", "該冪等鍵已用於其他請求。" }

    // Signing in.
    SignInRequired UNAUTHORIZED "sign-in-required" { "Please sign in.", "请先登录。", "請先登入。" }
    SignInRefused UNAUTHORIZED "sign-in-refused" { "The address or the password is not right.", "邮箱或密码不正确。", "電子郵件或密碼不正確。" }
    SecondFactorNeeded UNAUTHORIZED "second-factor-needed" { "Please show your second factor.", "请完成两步验证。", "請完成兩步驟驗證。" }
    SecondFactorRefused UNPROCESSABLE_ENTITY "second-factor-refused" { "This code is not right, or was used already.", "动态码或恢复码不正确，或已使用过。", "動態碼或復原碼不正確，或已使用過。" }
    SecondFactorRequired FORBIDDEN "second-factor-required" { "This needs a second factor on your account. Please set one up first.", "此操作要求您的账号启用两步验证，请先完成设置。", "此操作要求您的帳號啟用兩步驟驗證，請先完成設定。" }
    PasskeysUnavailable CONFLICT "passkeys-unavailable" { "Passkeys cannot be used here.", "此处无法使用通行密钥。", "此處無法使用通行密鑰。" }
    TooManySecondFactors CONFLICT "too-many-second-factors" { "You have as many second factors as one may have.", "您的两步验证方式数量已达上限。", "您的兩步驟驗證方式數量已達上限。" }
    TokenRefused UNAUTHORIZED "token-refused" { "Please sign in again.", "登录已失效，请重新登录。", "登入已失效，請重新登入。" }
    CodeRefused UNPROCESSABLE_ENTITY "code-refused" { "The code is not right, or too old.", "验证码不正确或已过期。", "驗證碼不正確或已過期。" }
    PasswordResetNeeded CONFLICT "password-reset-needed" { "The address is confirmed. To sign in, please choose a new password: ask for one where you sign in.", "邮箱已验证。请在登录页面申请重设密码，然后登录。", "電子郵件已驗證。請在登入頁面申請重設密碼，然後登入。" }
    InvitationVoid CONFLICT "invitation-void" { "This invitation no longer counts. Please ask the studio for another.", "该邀请已失效，请联系工作室重新邀请。", "該邀請已失效，請聯絡工作室重新邀請。" }
    AddressNotVerified FORBIDDEN "address-not-verified" { "Please confirm your e-mail address first.", "请先验证您的邮箱地址。", "請先驗證您的電子郵件地址。" }
    AddressTaken CONFLICT "address-taken" { "This address belongs to another account.", "该邮箱已被其他账号使用。", "該電子郵件已被其他帳號使用。" }
    DeletionPending CONFLICT "deletion-pending" { "This account is about to be deleted.", "该账号即将注销。", "該帳號即將註銷。" }
    TooManyCalendars CONFLICT "too-many-calendars" { "You have as many calendar addresses as one may have.", "您的日历订阅地址数量已达上限。", "您的行事曆訂閱網址數量已達上限。" }
    LastOwner CONFLICT "last-owner" { "The last owner must stay.", "必须保留最后一位所有者。", "必須保留最後一位擁有者。" }

    // Booking.
    SessionFull CONFLICT "session-full" { "This class is full.", "该课程名额已满。", "該課堂名額已滿。" }
    AlreadyBooked CONFLICT "already-booked" { "You are in this class already.", "您已在这节课中。", "您已在這堂課中。" }
    OverlappingBooking CONFLICT "overlapping-booking" { "You are booked in another class at that time.", "您在该时段已预约其他课程。", "您在該時段已預約其他課堂。" }
    NoPass PAYMENT_REQUIRED "no-pass" { "No pass of yours pays for this class.", "您没有可用于该课程的次卡或会员卡。", "您沒有可用於該課堂的課堂套票或會籍。" }
    NotOpenYet CONFLICT "not-open-yet" { "Booking has not opened yet.", "预约尚未开放。", "預約尚未開放。" }
    BookingClosed CONFLICT "booking-closed" { "Booking has closed.", "预约已截止。", "預約已截止。" }
    SessionCancelled CONFLICT "session-cancelled" { "The studio has cancelled this class.", "工作室已取消该课程。", "工作室已取消該課堂。" }
    WaitlistFull CONFLICT "waitlist-full" { "The waitlist is full.", "候补名单已满。", "候補名單已滿。" }
    TooManyBookings CONFLICT "too-many-bookings" { "You have as many bookings as the studio allows.", "您的预约数已达工作室上限。", "您的預約數已達工作室上限。" }
    HostNotBooked CONFLICT "host-not-booked" { "Please book your own place first.", "请先预约您自己的名额。", "請先預約您自己的名額。" }
    TooManyGuests CONFLICT "too-many-guests" { "You bring as many guests as the studio allows.", "您携带的同伴人数已达工作室上限。", "您攜帶的同伴人數已達工作室上限。" }
    GuestsBooked CONFLICT "guests-booked" { "Your guests are booked with you. Please cancel their places first.", "您的同伴仍有预约，请先取消同伴的名额。", "您的同伴仍有預約，請先取消同伴的名額。" }
    TooManyFamilyLinks CONFLICT "too-many-family-links" { "You act for as many people as one may.", "您可代为预约的人数已达上限。", "您可代為預約的人數已達上限。" }
    NoFeeOwed CONFLICT "no-fee-owed" { "No fee is owed for this.", "没有需要支付的费用。", "沒有需要支付的費用。" }
    Suspended CONFLICT "suspended" { "After too many late cancellations or absences you cannot book this class now.", "因逾期取消或缺席次数过多，您目前无法预约该课程。", "因逾期取消或缺席次數過多，您目前無法預約該課堂。" }
    BookingIdReused CONFLICT "booking-id-reused" { "This booking id was used for something else.", "该预约编号已被使用。", "該預約編號已被使用。" }
    BookingWithdrawn CONFLICT "booking-withdrawn" { "This booking was withdrawn before it was made.", "该预约在生成前已撤回。", "該預約在產生前已撤回。" }
    TapExpired CONFLICT "tap-expired" { "This came too late to be done.", "操作已超时，未执行。", "操作已逾時，未執行。" }
    StatusChanged CONFLICT "status-changed" { "The booking has changed meanwhile.", "预约状态已变更。", "預約狀態已變更。" }
    NotFree CONFLICT "not-free" { "Cancelling is no longer free.", "现在取消已不再免费。", "現在取消已不再免費。" }
    OfferExpired CONFLICT "offer-expired" { "This offer has ended.", "该名额邀请已过期。", "該名額邀請已過期。" }
    SessionStarted CONFLICT "session-started" { "The class has started; attendance is corrected instead.", "课程已开始，请改为更正出勤。", "課堂已開始，請改為更正出席。" }
    NotDoorTime CONFLICT "not-door-time" { "It is too early for that at the door.", "现在还不能在现场安排候补入场。", "現在還不能在現場安排候補入場。" }
    PlaceFree CONFLICT "place-free" { "A place is free: it can be booked.", "尚有空余名额，可直接预约。", "尚有空餘名額，可直接預約。" }
    NotCheckInTime CONFLICT "not-check-in-time" { "Attendance cannot be marked at this time.", "当前时间不能登记出勤。", "目前時間不能登記出席。" }
    TooEarly CONFLICT "too-early" { "It is too early to check in.", "尚未到签到时间。", "尚未到簽到時間。" }
    TooLate CONFLICT "too-late" { "It is too late to check in. Please ask the staff.", "已超过签到时间，请联系前台。", "已超過簽到時間，請洽櫃檯。" }
    NotHere CONFLICT "not-here" { "This code is of no class here today.", "该签到码不属于今天在此的课程。", "該簽到碼不屬於今天在此的課堂。" }
    Waitlisted CONFLICT "waitlisted" { "You have no place in this class yet.", "您尚未获得该课程的名额。", "您尚未取得該課堂的名額。" }
    CheckInIdReused CONFLICT "check-in-id-reused" { "This check-in id was used for something else.", "该签到编号已被使用。", "該簽到編號已被使用。" }
    TooManyKiosks CONFLICT "too-many-kiosks" { "The studio has as many kiosks as it may have.", "工作室的签到设备数量已达上限。", "工作室的簽到裝置數量已達上限。" }

    // Passes.
    PassNotForThem CONFLICT "pass-not-for-them" { "This pass is not for this member: it is for new members, or once for each.", "该会员不符合购买条件：仅限新会员，或每人限购一次。", "該會員不符合購買條件：僅限新會員，或每人限購一次。" }
    PassInUse CONFLICT "pass-in-use" { "Classes to come are paid with this pass. Please cancel them first.", "该卡仍有未上课的预约，请先取消。", "該票仍有未上課的預約，請先取消。" }
    PassOver CONFLICT "pass-over" { "This pass is over.", "该卡已失效。", "該票已失效。" }
    PassFrozen CONFLICT "pass-frozen" { "This pass is frozen. Please end that first.", "该卡处于冻结期，请先结束冻结。", "該票處於凍結期，請先結束凍結。" }
    FreezeTooLong CONFLICT "freeze-too-long" { "This pass cannot be frozen for so many days.", "冻结天数超过该卡的上限。", "凍結天數超過該票的上限。" }
    PassNotTransferable CONFLICT "pass-not-transferable" { "This pass cannot be transferred.", "该卡不可转让。", "該票不可轉讓。" }

    // Running a studio.
    AddressInUse CONFLICT "address-in-use" { "Somebody of another name uses this address. Please say who is meant.", "该邮箱已由另一姓名的会员使用，请确认是哪一位。", "該電子郵件已由另一姓名的會員使用，請確認是哪一位。" }
    HasAccount CONFLICT "has-account" { "This person has an account, and deletes it themselves.", "该会员已有账号，须由本人注销。", "該會員已有帳號，須由本人註銷。" }
    InstructorBusy CONFLICT "instructor-busy" { "The instructor teaches another class at that time.", "该教练在此时段有其他课程。", "該教練在此時段有其他課堂。" }
    RoomBusy CONFLICT "room-busy" { "The room is in use at that time.", "该教室在此时段已被占用。", "該教室在此時段已被使用。" }
    MembersOverlap CONFLICT "members-overlap" { "Members would be in two classes at once.", "部分会员将同时出现在两节课中。", "部分會員將同時出現在兩堂課中。" }
    CapacityTooSmall CONFLICT "capacity-too-small" { "More members are booked than that.", "已预约人数超过该容量。", "已預約人數超過該容量。" }
    StudioClosed CONFLICT "studio-closed" { "The studio is closed on that day.", "工作室当天休息。", "工作室當天休息。" }
    PlacesNotFree CONFLICT "places-not-free" { "So many places are not free.", "没有这么多空余名额。", "沒有這麼多空餘名額。" }
    HoldIdReused CONFLICT "hold-id-reused" { "This hold id was used for something else.", "该预留编号已被使用。", "該預留編號已被使用。" }
    HoldEnded CONFLICT "hold-ended" { "This hold has ended.", "该预留已结束。", "該預留已結束。" }
    TooManyHolds CONFLICT "too-many-holds" { "This class has had as many holds as it may have.", "该课程的预留次数已达上限。", "該課堂的預留次數已達上限。" }
    SessionOver CONFLICT "session-over" { "This class is over.", "该课程已结束。", "該課堂已結束。" }
    SubstituteAsked CONFLICT "substitute-asked" { "Somebody is being looked for already.", "该课程已在寻找代课教练。", "該課堂已在尋找代課教練。" }
    AlreadyClaimed CONFLICT "already-claimed" { "Somebody else was faster.", "已有其他教练接下该课程。", "已有其他教練接下該課堂。" }
    NotEligible CONFLICT "not-eligible" { "You do not teach this, or are not free at that time.", "您不教授该课程，或在该时段没有空。", "您不教授該課程，或在該時段沒有空。" }
    NothingClaimed CONFLICT "nothing-claimed" { "Nobody has claimed this.", "尚无教练接下该课程。", "尚無教練接下該課堂。" }
    RequestEnded CONFLICT "request-ended" { "This request has ended.", "该代课请求已结束。", "該代課請求已結束。" }
    ZoneInUse CONFLICT "zone-in-use" { "The time zone cannot change while classes are scheduled.", "存在未来课程时不能更改时区。", "有未來課堂時不能變更時區。" }
    StaffTeaches CONFLICT "staff-teaches" { "There are still classes to teach.", "该教练仍有未来课程。", "該教練仍有未來課堂。" }
    LetterNotRepeatable CONFLICT "letter-not-repeatable" { "This letter cannot be sent again.", "该邮件不能重新发送。", "該郵件不能重新寄送。" }
    CannotMerge CONFLICT "cannot-merge" { "These are two people.", "这是两位不同的会员。", "這是兩位不同的會員。" }
    BookingsToCome CONFLICT "bookings-to-come" { "You still have bookings there. Please cancel them first.", "您在该工作室仍有未上课的预约，请先取消。", "您在該工作室仍有未上課的預約，請先取消。" }
    ImportRefused UNPROCESSABLE_ENTITY "import-refused" { "Some lines of the file are not right. Nothing was written.", "文件中有些行有误，未写入任何内容。", "檔案中有些行有誤，未寫入任何內容。" }
    ImportIdReused CONFLICT "import-id-reused" { "This import id was used for something else.", "该导入编号已被使用。", "該匯入編號已被使用。" }
    NotJoined CONFLICT "not-joined" { "They have an account and have not joined this studio. Please invite them.", "对方已有账号，但尚未加入本工作室。请发出邀请。", "對方已有帳號，但尚未加入本工作室。請發出邀請。" }
    NotInvitable CONFLICT "not-invitable" { "Only members who were imported can be invited.", "仅能邀请导入的会员。", "僅能邀請匯入的會員。" }

    // Limits and faults.
    TooManyRequests TOO_MANY_REQUESTS "too-many-requests" { "That was too often. Please wait a little.", "操作过于频繁，请稍后再试。", "操作過於頻繁，請稍後再試。" }
    Busy SERVICE_UNAVAILABLE "busy" { "We are very busy. Please try again in a moment.", "系统繁忙，请稍后再试。", "系統繁忙，請稍後再試。" }
    Unavailable SERVICE_UNAVAILABLE "unavailable" { "We cannot answer right now. Please try again in a moment.", "服务暂时不可用，请稍后再试。", "服務暫時無法使用，請稍後再試。" }
    Fault INTERNAL_SERVER_ERROR "fault" { "Something went wrong on our side.", "服务器发生错误。", "伺服器發生錯誤。" }
}

impl Problem {
    /// The refusal without facts.
    pub fn new(kind: ProblemType) -> Self {
        Self { kind, facts: Map::new(), errors: Vec::new(), retry_after_s: None }
    }

    /// With one more fact.
    #[must_use]
    pub fn with(mut self, name: &str, fact: impl Serialize) -> Self {
        self.facts.insert(name.to_owned(), serde_json::to_value(fact).unwrap_or(Value::Null));
        self
    }

    /// 422 for one field.
    pub fn field(field: impl Into<String>, wrong: Wrong) -> Self {
        Self::fields(vec![FieldError { field: field.into(), wrong }])
    }

    /// 422 for several fields.
    pub fn fields(errors: Vec<FieldError>) -> Self {
        Self { errors, ..Self::new(ProblemType::InvalidFields) }
    }

    /// With what is wrong with one field, header or parameter.
    #[must_use]
    pub fn about(mut self, field: impl Into<String>, wrong: Wrong) -> Self {
        self.errors.push(FieldError { field: field.into(), wrong });
        self
    }

    /// 429 or 503 with when to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds.max(1));
        self
    }

    /// After how many seconds it is worth trying again, if that is known.
    pub const fn retry_after_s(&self) -> Option<u64> {
        self.retry_after_s
    }

    /// Whether this is wrong with any of its fields.
    pub fn finds(&self, wrong: &Wrong) -> bool {
        self.errors.iter().any(|error| error.wrong == *wrong)
    }

    /// Our own fault: logged in full, while the caller learns nothing.
    pub fn fault(error: impl std::fmt::Display) -> Self {
        tracing::error!(%error, "fault");
        Self::new(ProblemType::Fault)
    }

    /// The problem's body for this reader.
    pub fn body(&self, language: Language, request_id: &str) -> Value {
        let mut body = self.facts.clone();
        body.insert("type".into(), json!(self.kind));
        body.insert("title".into(), json!(self.kind.sentence(language)));
        body.insert("status".into(), json!(self.kind.status().as_u16()));
        body.insert("instance".into(), json!(request_id));
        if !self.errors.is_empty() {
            let said = |error: &FieldError| json!({ "field": error.field, "message": error.wrong.words(language) });
            body.insert("errors".into(), self.errors.iter().map(said).collect());
        }
        Value::Object(body)
    }

    /// The whole answer for this reader.
    pub fn answer(&self, language: Language, request_id: &str) -> Response {
        let mut response = Response::new(Body::from(self.body(language, request_id).to_string()));
        *response.status_mut() = self.kind.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.kind.status() == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl IntoResponse for Problem {
    /// Carries the problem to the outermost layer (`server`), which knows the reader's language and the request's id.
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.kind.status();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<db::Error> for Problem {
    fn from(error: db::Error) -> Self {
        match error.trouble() {
            db::Trouble::Again => Self::new(ProblemType::Busy).retry_after(1),
            db::Trouble::Away => {
                tracing::error!(%error, "{}", error.plight());
                Self::new(ProblemType::Unavailable).retry_after(2)
            }
            db::Trouble::Unique | db::Trouble::Fault => Self::fault(error),
        }
    }
}
