//! Who gets where: every route of `src/routes.rs` × every role × what is one's own, another member's in the same studio, and another
//! studio's. A route without a row fails.

use std::collections::{BTreeMap, BTreeSet};

use releve::language::Language;
use releve::letters::facts::Facts;
use releve::letters::outbox::{self, Letter};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::house::House;
use crate::routes::routed;
use crate::seed::{Person, Session, Studio};

/// In the order of a verdict's letters.
const ROLES: [Role; 6] = [Role::Nobody, Role::Member, Role::Instructor, Role::Desk, Role::Admin, Role::Owner];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Nobody,
    Member,
    Instructor,
    Desk,
    Admin,
    Owner,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// The caller's; of what a studio has, their own studio's. Sessions are taught by the instructor who asks.
    Own,
    /// Another member's in the same studio; sessions are a colleague's.
    Others,
    /// Another studio's, and a member's who is known there alone.
    Elsewhere,
}

/// One route. `<…>` in path and body stands for a thing that is made for this one call.
///
/// A verdict has a letter for each role: `.` let in, whatever else is in the way; `1` 401, `3` 403, `4` 404; `2` let in as far as a code or
/// password that is not right (422).
struct Row {
    route: &'static str,
    path: &'static str,
    body: Option<&'static str>,
    verdicts: [&'static str; 3],
}

const fn row(route: &'static str, path: &'static str, body: Option<&'static str>, verdicts: [&'static str; 3]) -> Row {
    Row { route, path, body, verdicts }
}

/// A route that is about nothing of anybody's: asked once for each role.
const fn plain(route: &'static str, path: &'static str, body: Option<&'static str>, verdict: &'static str) -> Row {
    row(route, path, body, [verdict, "", ""])
}

const ANYBODY: &str = "......";
const SIGNED_IN: &str = "1.....";
const NOTHING: Option<&str> = Some("{}");
const NOT_THE_PASSWORD: Option<&str> = Some(r#"{"password":"not-the-password"}"#);

fn rows() -> Vec<Row> {
    let none: Option<&str> = None;
    // What is a studio's own business, by the lowest role that may: elsewhere only the owner may.
    let desk = ["133...", "133...", "13333."];
    let admin = ["1333..", "1333..", "13333."];
    let staff = ["13....", "13....", "13333."];
    let owner = ["13333.", "13333.", "13333."];
    let anybody = [ANYBODY; 3];
    vec![
        // Signing in
        plain(
            "post /v1/registrations",
            "/v1/registrations",
            Some(r#"{"email":"<email>","password":"a-fine-password","name":"New"}"#),
            ANYBODY,
        ),
        plain("post /v1/email-verifications", "/v1/email-verifications", Some(r#"{"email":"<email>","code":"12345678"}"#), "222222"),
        plain("post /v1/email-verifications/requests", "/v1/email-verifications/requests", Some(r#"{"email":"<email>"}"#), ANYBODY),
        plain("post /v1/tokens", "/v1/tokens", Some(r#"{"email":"<email>","password":"not-the-password"}"#), "111111"),
        plain("post /v1/tokens/second-factor", "/v1/tokens/second-factor", Some(r#"{"challenge":"nonsense","totp":"123456"}"#), "111111"),
        plain("delete /v1/tokens", "/v1/tokens", none, SIGNED_IN),
        plain("post /v1/tokens/refresh", "/v1/tokens/refresh", Some(r#"{"refresh_token":"nonsense"}"#), "111111"),
        plain("post /v1/password-resets", "/v1/password-resets", Some(r#"{"email":"<email>"}"#), ANYBODY),
        plain(
            "put /v1/password-resets",
            "/v1/password-resets",
            Some(r#"{"email":"<email>","code":"12345678","password":"a-fine-password"}"#),
            "222222",
        ),
        plain("put /v1/invitations/acceptance", "/v1/invitations/acceptance", Some(r#"{"code":"AAAA-AAAA-AAAA-AAAA"}"#), "222222"),
        // A person's own
        plain("get /v1/me", "/v1/me", none, SIGNED_IN),
        plain("patch /v1/me", "/v1/me", NOTHING, SIGNED_IN),
        plain("put /v1/me/deletion", "/v1/me/deletion", Some(r#"{"code":"12345678"}"#), "122222"),
        plain("post /v1/me/deletion/codes", "/v1/me/deletion/codes", none, SIGNED_IN),
        plain("delete /v1/me/deletion", "/v1/me/deletion", none, SIGNED_IN),
        plain("get /v1/me/export", "/v1/me/export", none, SIGNED_IN),
        plain("get /account/deletion", "/account/deletion", none, ANYBODY),
        plain("post /account/deletion", "/account/deletion", none, "222222"),
        plain("get /v1/me/devices", "/v1/me/devices", none, SIGNED_IN),
        row("delete /v1/me/devices/{id}", "/v1/me/devices/<device>", none, ["1.....", "144444", "144444"]),
        plain("get /v1/me/second-factors", "/v1/me/second-factors", none, SIGNED_IN),
        plain("post /v1/me/second-factors/totp", "/v1/me/second-factors/totp", NOT_THE_PASSWORD, "122222"),
        // The house's address is a number, which has no passkeys: 409.
        plain("post /v1/me/second-factors/passkeys", "/v1/me/second-factors/passkeys", NOT_THE_PASSWORD, SIGNED_IN),
        plain("post /v1/me/second-factors/questions", "/v1/me/second-factors/questions", none, SIGNED_IN),
        plain(
            "put /v1/me/second-factors/{id}/confirmation",
            "/v1/me/second-factors/<new>/confirmation",
            Some(r#"{"totp":"123456"}"#),
            "144444",
        ),
        plain("put /v1/me/second-factors/{id}/removal", "/v1/me/second-factors/<new>/removal", NOT_THE_PASSWORD, "122222"),
        plain("put /v1/me/recovery-codes", "/v1/me/recovery-codes", NOT_THE_PASSWORD, "122222"),
        plain("get /v1/me/security-events", "/v1/me/security-events", none, SIGNED_IN),
        plain("put /v1/me/password", "/v1/me/password", Some(r#"{"old":"not-the-password","new":"a-fine-password"}"#), "122222"),
        plain("put /v1/me/email", "/v1/me/email", Some(r#"{"email":"<email>","password":"not-the-password"}"#), "122222"),
        plain("get /v1/me/passes", "/v1/me/passes", none, SIGNED_IN),
        row("get /v1/passes/{id}/ledger", "/v1/passes/<pass>/ledger", none, ["1.....", "144...", "14444."]),
        row("get /v1/passes/{id}/refund", "/v1/passes/<pass>/refund", none, ["1.....", "144...", "14444."]),
        row(
            "post /v1/passes/{id}/gifts",
            "/v1/passes/<pass>/gifts",
            Some(r#"{"credits":1,"reason":"A birthday"}"#),
            ["1333..", "1443..", "14444."],
        ),
        row(
            "put /v1/passes/{id}/expiry",
            "/v1/passes/<pass>/expiry",
            Some(r#"{"expires_on":"2027-12-31","reason":"A birthday"}"#),
            ["1333..", "1443..", "14444."],
        ),
        // Its type lets nobody freeze it but staff.
        row(
            "put /v1/passes/{id}/freeze",
            "/v1/passes/<pass>/freeze",
            Some(r#"{"from":"2027-01-10","until":"2027-01-20"}"#),
            ["133...", "144...", "14444."],
        ),
        row("put /v1/passes/{id}/sharing", "/v1/passes/<pass>/sharing", none, ["1.....", "144333", "144443"]),
        row("delete /v1/passes/{id}/sharing", "/v1/passes/<pass>/sharing", none, ["1.....", "144333", "144443"]),
        row("delete /v1/passes/{id}/freeze", "/v1/passes/<pass>/freeze", none, ["133...", "144...", "14444."]),
        row(
            "put /v1/passes/{id}/transfer",
            "/v1/passes/<pass>/transfer",
            Some(r#"{"studio_id":"<studio>"}"#),
            ["133...", "144...", "14444."],
        ),
        row(
            "post /v1/passes/{id}/refunds",
            "/v1/passes/<pass>/refunds",
            Some(r#"{"method":"cash","reason":"Moved away"}"#),
            ["1333..", "1443..", "14444."],
        ),
        plain("get /v1/me/standing", "/v1/me/standing", none, SIGNED_IN),
        plain("get /v1/me/teaching", "/v1/me/teaching?from=2026-12-01&to=2026-12-08", none, SIGNED_IN),
        plain("get /v1/me/substitute-requests", "/v1/me/substitute-requests", none, SIGNED_IN),
        plain("get /v1/me/family", "/v1/me/family", none, SIGNED_IN),
        plain("post /v1/me/family", "/v1/me/family", Some(r#"{"kind":"child","email":"kid@example.test"}"#), SIGNED_IN),
        plain("delete /v1/me/family/{id}", "/v1/me/family/01a22a2e-3100-7000-8000-000000000001", none, "144444"),
        plain("put /v1/me/family/{id}/confirmation", "/v1/me/family/01a22a2e-3100-7000-8000-000000000001/confirmation", none, "144444"),
        plain(
            "put /v1/me/family/{id}/letters",
            "/v1/me/family/01a22a2e-3100-7000-8000-000000000001/letters",
            Some(r#"{"copies":true}"#),
            "144444",
        ),
        plain("get /v1/me/calendars", "/v1/me/calendars", none, SIGNED_IN),
        plain("post /v1/me/calendars", "/v1/me/calendars", Some(r#"{"kind":"bookings"}"#), SIGNED_IN),
        row("delete /v1/me/calendars/{id}", "/v1/me/calendars/<calendar>", none, ["1.....", "144444", "144444"]),
        // Whoever knows the secret; here nobody does.
        plain("get /calendars/{file}", "/calendars/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.ics", none, "444444"),
        // Running a studio
        plain("get /v1/studios", "/v1/studios", none, ANYBODY),
        plain("post /v1/studios", "/v1/studios", Some(r#"{"name":"New","time_zone":"Asia/Shanghai","locale":"en"}"#), "13333."),
        row("get /v1/studios/{id}", "/v1/studios/<studio>", none, anybody),
        row("patch /v1/studios/{id}", "/v1/studios/<studio>", NOTHING, admin),
        row("get /v1/studios/{id}/house-rules", "/v1/studios/<studio>/house-rules", none, admin),
        row("put /v1/studios/{id}/house-rules", "/v1/studios/<studio>/house-rules", NOTHING, admin),
        row("get /v1/studios/{id}/instructors", "/v1/studios/<studio>/instructors", none, anybody),
        row("get /v1/studios/{id}/rooms", "/v1/studios/<studio>/rooms", none, anybody),
        row("post /v1/studios/{id}/rooms", "/v1/studios/<studio>/rooms", Some(r#"{"name":"New","capacity":9}"#), admin),
        row("get /v1/studios/{id}/rooms/{room_id}", "/v1/studios/<studio>/rooms/<room>", none, anybody),
        row("patch /v1/studios/{id}/rooms/{room_id}", "/v1/studios/<studio>/rooms/<room>", NOTHING, admin),
        row("get /v1/studios/{id}/class-types", "/v1/studios/<studio>/class-types", none, anybody),
        row(
            "post /v1/studios/{id}/class-types",
            "/v1/studios/<studio>/class-types",
            Some(r#"{"name":{"en":"New"},"level":"open","minutes":55,"credits":1}"#),
            admin,
        ),
        row("patch /v1/studios/{id}/class-types/{class_type_id}", "/v1/studios/<studio>/class-types/<class_type>", NOTHING, admin),
        row(
            "get /v1/studios/{id}/class-types/{class_type_id}/house-rules",
            "/v1/studios/<studio>/class-types/<class_type>/house-rules",
            none,
            admin,
        ),
        row(
            "put /v1/studios/{id}/class-types/{class_type_id}/house-rules",
            "/v1/studios/<studio>/class-types/<class_type>/house-rules",
            NOTHING,
            admin,
        ),
        row("get /v1/studios/{id}/pass-types", "/v1/studios/<studio>/pass-types", none, anybody),
        row(
            "post /v1/studios/{id}/pass-types",
            "/v1/studios/<studio>/pass-types",
            Some(r#"{"name":{"en":"New"},"kind":"pack","credits":5,"valid_days":30}"#),
            admin,
        ),
        row("patch /v1/studios/{id}/pass-types/{pass_type_id}", "/v1/studios/<studio>/pass-types/<pass_type>", NOTHING, admin),
        row(
            "get /v1/studios/{id}/pass-types/{pass_type_id}/house-rules",
            "/v1/studios/<studio>/pass-types/<pass_type>/house-rules",
            none,
            admin,
        ),
        row(
            "put /v1/studios/{id}/pass-types/{pass_type_id}/house-rules",
            "/v1/studios/<studio>/pass-types/<pass_type>/house-rules",
            NOTHING,
            admin,
        ),
        row("get /v1/studios/{id}/members/{person_id}/passes", "/v1/studios/<studio>/members/<member>/passes", none, desk),
        row(
            "post /v1/studios/{id}/members/{person_id}/passes",
            "/v1/studios/<studio>/members/<member>/passes",
            Some(r#"{"pass_type_id":"<pass_type>"}"#),
            desk,
        ),
        row("get /v1/studios/{id}/members/{person_id}/standing", "/v1/studios/<studio>/members/<member>/standing", none, desk),
        row(
            "put /v1/studios/{id}/penalties/{penalty_id}/waiver",
            "/v1/studios/<studio>/penalties/<penalty>/waiver",
            Some(r#"{"reason":"A mistake of ours"}"#),
            admin,
        ),
        row(
            "put /v1/studios/{id}/penalties/{penalty_id}/payment",
            "/v1/studios/<studio>/penalties/<penalty>/payment",
            Some(r#"{"method":"cash"}"#),
            desk,
        ),
        row(
            "get /v1/studios/{id}/reports/attendance",
            "/v1/studios/<studio>/reports/attendance?from=2026-12-01&to=2026-12-08",
            none,
            admin,
        ),
        row("get /v1/studios/{id}/reports/credits", "/v1/studios/<studio>/reports/credits", none, admin),
        row("get /v1/studios/{id}/reports/demand", "/v1/studios/<studio>/reports/demand", none, admin),
        row("get /v1/studios/{id}/reports/letters", "/v1/studios/<studio>/reports/letters", none, admin),
        row("get /v1/studios/{id}/reports/monday", "/v1/studios/<studio>/reports/monday", none, admin),
        row("get /v1/studios/{id}/reports/pay", "/v1/studios/<studio>/reports/pay", none, admin),
        row("get /v1/studios/{id}/reports/retention", "/v1/studios/<studio>/reports/retention", none, admin),
        row("get /v1/studios/{id}/staff", "/v1/studios/<studio>/staff", none, admin),
        row(
            "put /v1/studios/{id}/staff/{person_id}",
            "/v1/studios/<studio>/staff/<member>",
            Some(r#"{"roles":[]}"#),
            // Admins are the owner's to unmake, themselves too.
            ["13333.", "1333..", "13333."],
        ),
        row("get /v1/studios/{id}/staff/{person_id}/devices", "/v1/studios/<studio>/staff/<instructor>/devices", none, admin),
        row(
            "delete /v1/studios/{id}/staff/{person_id}/devices/{device_id}",
            "/v1/studios/<studio>/staff/<instructor>/devices/<staff_device>",
            none,
            admin,
        ),
        row(
            "delete /v1/studios/{id}/staff/{person_id}/second-factors",
            "/v1/studios/<studio>/staff/<instructor>/second-factors",
            none,
            admin,
        ),
        row("get /v1/studios/{id}/unstaffed-sessions", "/v1/studios/<studio>/unstaffed-sessions", none, admin),
        row("get /v1/studios/{id}/invitations", "/v1/studios/<studio>/invitations", none, admin),
        row(
            "delete /v1/studios/{id}/invitations/{invitation_id}",
            "/v1/studios/<studio>/invitations/01a22a2e-3100-7000-8000-000000000001",
            none,
            ["133344", "133344", "133334"],
        ),
        row("post /v1/studios/{id}/members/searches", "/v1/studios/<studio>/members/searches", Some(r#"{"q":"Ana"}"#), desk),
        row("patch /v1/studios/{id}/members/{person_id}", "/v1/studios/<studio>/members/<member>", Some(r#"{"note":"A weak knee"}"#), desk),
        row("put /v1/studios/{id}/members/{person_id}/erasure", "/v1/studios/<studio>/members/<member>/erasure", none, admin),
        row(
            "post /v1/studios/{id}/invitations",
            "/v1/studios/<studio>/invitations",
            Some(r#"{"email":"<email>","roles":["front_desk"]}"#),
            admin,
        ),
        row("get /v1/studios/{id}/events", "/v1/studios/<studio>/events", none, admin),
        row("get /v1/studios/{id}/security-events", "/v1/studios/<studio>/security-events", none, admin),
        plain("get /v1/security-events", "/v1/security-events", none, owner[0]),
        row("get /v1/studios/{id}/members", "/v1/studios/<studio>/members", none, desk),
        row("post /v1/studios/{id}/members", "/v1/studios/<studio>/members", Some(r#"{"name":"New"}"#), desk),
        row("put /v1/studios/{id}/members/me", "/v1/studios/<studio>/members/me", none, [SIGNED_IN; 3]),
        row("delete /v1/studios/{id}/members/me", "/v1/studios/<studio>/members/me", none, [SIGNED_IN; 3]),
        // Whom it would be merged into is nobody: 422 for those who may; of another studio's, nobody is found.
        row(
            "put /v1/studios/{id}/members/{person_id}/merge",
            "/v1/studios/<studio>/members/<member>/merge",
            Some(r#"{"into":"<new>"}"#),
            ["133322", "133322", "133332"],
        ),
        row("get /v1/studios/{id}/exports/{table}", "/v1/studios/<studio>/exports/members", none, admin),
        // From another program: the file is none, and there is no such import: 404 for those who may.
        row(
            "put /v1/studios/{id}/imports/{import_id}",
            "/v1/studios/<studio>/imports/<new>?kind=members",
            none,
            ["133322", "133322", "133332"],
        ),
        row("get /v1/studios/{id}/imports/{import_id}", "/v1/studios/<studio>/imports/<new>", none, ["133344", "133344", "133334"]),
        row(
            "get /v1/studios/{id}/imports/{import_id}/skipped",
            "/v1/studios/<studio>/imports/<new>/skipped",
            none,
            ["133344", "133344", "133334"],
        ),
        row(
            "put /v1/studios/{id}/imports/{import_id}/invitations",
            "/v1/studios/<studio>/imports/<new>/invitations",
            Some(r#"{"per_hour":60}"#),
            ["133344", "133344", "133334"],
        ),
        // The schedule
        row("get /v1/studios/{id}/sessions", "/v1/studios/<studio>/sessions?from=2026-12-01&to=2026-12-08", none, anybody),
        row(
            "post /v1/studios/{id}/sessions",
            "/v1/studios/<studio>/sessions",
            Some(r#"{"class_type_id":"<class_type>","room_id":"<room>","instructor_id":"<instructor>","local_start":"2027-02-01T10:00"}"#),
            ["13.3..", "1333..", "13333."],
        ),
        row("get /v1/studios/{id}/availability/me", "/v1/studios/<studio>/availability/me", none, ["13.333", "13.333", "133333"]),
        row(
            "put /v1/studios/{id}/availability/me",
            "/v1/studios/<studio>/availability/me",
            Some(r#"{"teaches":[],"weekly":[],"exceptions":[]}"#),
            ["13.333", "13.333", "133333"],
        ),
        row("get /v1/studios/{id}/substitute-requests", "/v1/studios/<studio>/substitute-requests", none, staff),
        row(
            "post /v1/studios/{id}/substitute-requests",
            "/v1/studios/<studio>/substitute-requests",
            Some(r#"{"session_id":"<session>"}"#),
            ["13.3..", "1333..", "13333."],
        ),
        row("put /v1/substitute-requests/{id}/claim", "/v1/substitute-requests/<request>/claim", NOTHING, ["14....", "14....", "14444."]),
        row("delete /v1/substitute-requests/{id}/claim", "/v1/substitute-requests/<request>/claim", none, ["14....", "14....", "14444."]),
        row(
            "put /v1/substitute-requests/{id}/approval",
            "/v1/substitute-requests/<request>/approval",
            Some(r#"{"approved":true}"#),
            ["1433..", "1433..", "14444."],
        ),
        row(
            "put /v1/substitute-requests/{id}/withdrawal",
            "/v1/substitute-requests/<request>/withdrawal",
            NOTHING,
            ["14.3..", "1433..", "14444."],
        ),
        row(
            "put /v1/studios/{id}/publication",
            "/v1/studios/<studio>/publication",
            Some(r#"{"from":"2027-03-01","to":"2027-03-02"}"#),
            admin,
        ),
        row("post /v1/studios/{id}/copies", "/v1/studios/<studio>/copies", Some(r#"{"from":"2027-03-01","to":"2027-03-08"}"#), admin),
        row("get /v1/studios/{id}/closing-days", "/v1/studios/<studio>/closing-days", none, anybody),
        row(
            "post /v1/studios/{id}/closing-days",
            "/v1/studios/<studio>/closing-days",
            Some(r#"{"from":"2027-03-01","to":"2027-03-02"}"#),
            admin,
        ),
        row("delete /v1/studios/{id}/closing-days/{date}", "/v1/studios/<studio>/closing-days/2027-03-01", none, admin),
        row("get /v1/studios/{id}/series", "/v1/studios/<studio>/series", none, staff),
        row("post /v1/studios/{id}/series", "/v1/studios/<studio>/series", Some(SERIES), ["13.3..", "1333..", "13333."]),
        row("get /v1/series/{id}", "/v1/series/<series>", none, ["14....", "14....", "14444."]),
        row("put /v1/series/{id}/publication", "/v1/series/<series>/publication", NOTHING, ["1433..", "1433..", "14444."]),
        row("get /v1/sessions/{id}", "/v1/sessions/<session>", none, anybody),
        row("patch /v1/sessions/{id}", "/v1/sessions/<session>", Some(r#"{"capacity":7}"#), ["13.3..", "1333..", "13333."]),
        row("put /v1/sessions/{id}/cancellation", "/v1/sessions/<session>/cancellation", NOTHING, ["13.3..", "1333..", "13333."]),
        row("put /v1/sessions/{id}/notes", "/v1/sessions/<session>/notes", NOTHING, ["13.3..", "1333..", "13333."]),
        row("get /v1/sessions/{id}/holds", "/v1/sessions/<session>/holds", none, desk),
        row("put /v1/sessions/{id}/holds/{hold_id}", "/v1/sessions/<session>/holds/<new>", Some(r#"{"kind":"guest","places":1}"#), desk),
        // There is none of that id: 404 for those who may.
        row("delete /v1/sessions/{id}/holds/{hold_id}", "/v1/sessions/<session>/holds/<new>", none, ["133444", "133444", "133334"]),
        row("get /v1/sessions/{id}/roster", "/v1/sessions/<session>/roster", none, ["13....", "133...", "13333."]),
        row("put /v1/sessions/{id}/door-release", "/v1/sessions/<session>/door-release", NOTHING, ["13....", "133...", "13333."]),
        row("put /v1/sessions/{id}/attendance", "/v1/sessions/<session>/attendance", NOTHING, ["13....", "133...", "13333."]),
        row(
            "put /v1/sessions/{id}/walk-ins/{booking_id}",
            "/v1/sessions/<session>/walk-ins/<new>",
            Some(r#"{"person_id":"<member>"}"#),
            ["13....", "133...", "13333."],
        ),
        // At the door; what its devices may do is told in check_ins.rs.
        row("get /v1/studios/{id}/door", "/v1/studios/<studio>/door", none, staff),
        row("put /v1/studios/{id}/check-ins/{check_in_id}", "/v1/studios/<studio>/check-ins/<new>", Some(r#"{"code":"nonsense"}"#), staff),
        row("post /v1/studios/{id}/check-ins/replay", "/v1/studios/<studio>/check-ins/replay", Some(r#"{"acts":[]}"#), staff),
        row("get /v1/studios/{id}/kiosks", "/v1/studios/<studio>/kiosks", none, admin),
        row("post /v1/studios/{id}/kiosks", "/v1/studios/<studio>/kiosks", Some(r#"{"name":"Entrance"}"#), admin),
        row("delete /v1/studios/{id}/kiosks/{kiosk_id}", "/v1/studios/<studio>/kiosks/<kiosk>", none, admin),
        // Booking
        row(
            "put /v1/bookings/{id}",
            "/v1/bookings/<new>",
            Some(r#"{"session_id":"<session>","person_id":"<member>"}"#),
            ["1.....", "133...", "13333."],
        ),
        row("get /v1/sessions/{id}/terms", "/v1/sessions/<session>/terms", none, [SIGNED_IN; 3]),
        row("get /v1/bookings/{id}", "/v1/bookings/<booking>", none, ["1.....", "144...", "14444."]),
        row("put /v1/bookings/{id}/cancellation", "/v1/bookings/<booking>/cancellation", NOTHING, ["1.....", "144...", "14444."]),
        row("put /v1/bookings/{id}/acceptance", "/v1/bookings/<booking>/acceptance", NOTHING, ["1.....", "144...", "14444."]),
        // An instructor moves up from an hour before the start.
        row(
            "put /v1/bookings/{id}/move-up",
            "/v1/bookings/<booking>/move-up",
            Some(r#"{"reason":"A birthday"}"#),
            ["133...", "144...", "14444."],
        ),
        row("put /v1/bookings/{id}/conditions", "/v1/bookings/<booking>/conditions", NOTHING, ["1.....", "144333", "144443"]),
        row("get /v1/bookings/{id}/history", "/v1/bookings/<booking>/history", none, ["1.....", "144...", "14444."]),
        row("put /v1/bookings/{id}/check-in", "/v1/bookings/<booking>/check-in", NOTHING, ["13....", "144...", "14444."]),
        row("delete /v1/bookings/{id}/check-in", "/v1/bookings/<booking>/check-in", none, ["13....", "144...", "14444."]),
        plain("get /v1/me/bookings", "/v1/me/bookings", none, SIGNED_IN),
        // Whoever has the link of an offer; here nobody does.
        plain("get /offers/{id}/{signature}", "/offers/<new>/AAAA", none, "444444"),
        plain("post /offers/{id}/{signature}", "/offers/<new>/AAAA", none, "444444"),
        // Letters
        plain("get /v1/me/letters", "/v1/me/letters", none, SIGNED_IN),
        // Whoever has the link of a letter.
        plain("get /unsubscribe/{id}/{switch}/{signature}", "/unsubscribe/<new>/reminder_24h/AAAA", none, "444444"),
        plain("post /unsubscribe/{id}/{switch}/{signature}", "/unsubscribe/<new>/reminder_24h/AAAA", none, "444444"),
        row("get /v1/studios/{id}/letters", "/v1/studios/<studio>/letters", none, admin),
        row("put /v1/letters/{id}/retry", "/v1/letters/<letter>/retry", NOTHING, ["1333..", "1444..", "14444."]),
        // A demo's alone.
        plain("get /dev/letters", "/dev/letters", none, "444444"),
        plain("get /dev/letters/{id}", "/dev/letters/<new>", none, "444444"),
        // Running it
        plain("get /healthz", "/healthz", none, ANYBODY),
        plain("get /readyz", "/readyz", none, ANYBODY),
        plain("get /metrics", "/metrics", none, ANYBODY),
        plain("get /openapi.json", "/openapi.json", none, ANYBODY),
        plain("get /docs", "/docs", none, ANYBODY),
        plain("get /docs/", "/docs/", none, ANYBODY),
        plain("get /docs/{*file}", "/docs/page.js", none, ANYBODY),
        plain("get /", "/", none, ANYBODY),
        plain("get /b/{booking_id}", "/b/<new>", none, ANYBODY),
        plain("get /.well-known/apple-app-site-association", "/.well-known/apple-app-site-association", none, "444444"),
        plain("get /.well-known/assetlinks.json", "/.well-known/assetlinks.json", none, "444444"),
    ]
}

const SERIES: &str = r#"{"class_type_id":"<class_type>","room_id":"<room>","instructor_id":"<instructor>","starts_on":"2027-02-02",
    "local_time":"10:00","rule":"FREQ=WEEKLY","count":1}"#;

/// Everybody who plays.
struct Cast {
    house: House,
    home: Studio,
    away: Studio,
    member: Person,
    /// A member of the home studio who never asks.
    other: Person,
    /// A member of the other studio alone.
    stranger: Person,
    colleague: Person,
    /// How many hours of the calendar are taken.
    hours: std::cell::Cell<u32>,
}

impl Cast {
    fn caller(&self, role: Role) -> Option<&Person> {
        match role {
            Role::Nobody => None,
            Role::Member => Some(&self.member),
            Role::Instructor => Some(&self.home.instructor),
            Role::Desk => Some(&self.home.desk),
            Role::Admin => Some(&self.home.admin),
            Role::Owner => Some(&self.home.owner),
        }
    }

    fn studio(&self, whose: Whose) -> &Studio {
        if whose == Whose::Elsewhere { &self.away } else { &self.home }
    }

    /// Whose things they are.
    fn holder(&self, role: Role, whose: Whose) -> &Person {
        match whose {
            Whose::Own => self.caller(role).unwrap_or(&self.other),
            Whose::Others => &self.other,
            Whose::Elsewhere => &self.stranger,
        }
    }

    fn instructor(&self, whose: Whose) -> &Person {
        match whose {
            Whose::Own => &self.home.instructor,
            Whose::Others => &self.colleague,
            Whose::Elsewhere => &self.away.instructor,
        }
    }

    /// A class of its own hour.
    async fn session(&self, whose: Whose) -> Session {
        let hour = self.hours.replace(self.hours.get() + 1);
        let local = format!("2026-12-{:02} {:02}:00", 3 + hour / 24, hour % 24);
        self.house.plan(&local, 12).at(self.studio(whose)).taught_by(self.instructor(whose)).await
    }

    /// What a placeholder stands for.
    async fn thing(&self, name: &str, role: Role, whose: Whose) -> String {
        let (house, studio, holder) = (&self.house, self.studio(whose), self.holder(role, whose));
        let id: Uuid = match name {
            "studio" => studio.id,
            "room" => studio.room,
            "class_type" => studio.class_type,
            "pass_type" => studio.pack_type,
            "instructor" => self.instructor(whose).id,
            "member" => holder.id,
            "new" => house.new_id(),
            "email" => return format!("{}@example.test", house.new_id()),
            "device" => house.on_another_device(holder).await.1,
            "staff_device" => house.on_another_device(self.instructor(whose)).await.1,
            "session" => self.session(whose).await.id,
            "booking" => {
                let session = self.session(whose).await;
                let tap = house.book(holder, &session).sent_by(&self.home.owner);
                tap.saying("unpaid", json!(true)).saying("reason", json!("a test")).await.expect_booked().id
            }
            "penalty" => {
                let session = self.session(whose).await;
                let tap = house.book(holder, &session).sent_by(&self.home.owner);
                let booking = tap.saying("unpaid", json!(true)).saying("reason", json!("a test")).await.expect_booked();
                let (id, studio_id, person, now) = (house.new_id(), studio.id, holder.id, house.clock.now());
                house
                    .write(move |tx| {
                        Box::pin(async move {
                            let sql = "INSERT INTO penalties (id, studio_id, person_id, booking_id, kind, at, month, strike, fee_minor, fee_currency) \
                                       VALUES ($1, $2, $3, $4, 'late_cancel', $5, $6, $7, 500, 'EUR')";
                            tx.run(sql, (id, studio_id, person, booking.id, now, now.date_naive(), true)).await
                        })
                    })
                    .await;
                id
            }
            "pass" => {
                let path = format!("/v1/studios/{}/members/{}/passes", studio.id, holder.id);
                let sold = house.post_to(path).by(&self.home.owner).header("Idempotency-Key", house.new_id());
                sold.json(&json!({"pass_type_id": studio.pack_type})).await.expect(201).id()
            }
            "calendar" => {
                let id = house.new_id();
                let (person, now) = (holder.id, house.clock.now());
                house
                    .write(move |tx| {
                        Box::pin(async move {
                            let sql =
                                "INSERT INTO calendar_feeds (id, person_id, kind, secret_hash, created_at) VALUES ($1, $2, $3, $4, $5)";
                            tx.run(sql, (id, person, "bookings", id.as_bytes().to_vec(), now)).await
                        })
                    })
                    .await;
                id
            }
            "kiosk" => {
                let path = format!("/v1/studios/{}/kiosks", studio.id);
                house.post_to(path).by(&self.home.owner).json(&json!({"name": "Entrance"})).await.expect(201).id()
            }
            "letter" => {
                let now = house.clock.now();
                let letter =
                    Letter { studio_id: Some(studio.id), ..Letter::to_person(holder.id, Language::En, Facts::PasswordChanged { at: now }) };
                house.write(move |tx| Box::pin(async move { outbox::write(tx, now, vec![letter]).await })).await;
                let sql = "SELECT id FROM letters WHERE person_id = $1 AND kind = 'password_changed' ORDER BY id DESC LIMIT 1";
                house.db.one::<(Uuid,)>(sql, (holder.id,)).await.unwrap().0
            }
            "request" => {
                let session = self.session(whose).await;
                let path = format!("/v1/studios/{}/substitute-requests", studio.id);
                let asked = house.post_to(path).by(&self.home.owner).json(&json!({"session_id": session.id})).await.expect(201);
                asked["requests"][0]["id"].as_str().unwrap().parse().unwrap()
            }
            "series" => {
                let hour = self.hours.replace(self.hours.get() + 1);
                let body = json!({
                    "class_type_id": studio.class_type, "room_id": studio.room, "instructor_id": self.instructor(whose).id,
                    "starts_on": format!("2027-{:02}-{:02}", 4 + hour / 28 % 9, 1 + hour % 28), "local_time": format!("{:02}:{:02}", hour % 23, hour / 252 % 60),
                    "rule": "FREQ=WEEKLY", "count": 1, "draft": true
                });
                house.post_to(format!("/v1/studios/{}/series", studio.id)).by(&self.home.owner).json(&body).await.expect(201).id()
            }
            other => panic!("what is <{other}>?"),
        };
        id.to_string()
    }

    /// The text with every placeholder filled in, each once.
    async fn filled(&self, text: &str, made: &mut BTreeMap<String, String>, role: Role, whose: Whose) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('<') {
            let (name, after) = after.split_once('>').unwrap();
            if !made.contains_key(name) {
                made.insert(name.to_owned(), self.thing(name, role, whose).await);
            }
            filled.push_str(before);
            filled.push_str(&made[name]);
            rest = after;
        }
        filled + rest
    }

    /// The letter of what becomes of one call, and what was said.
    async fn ask(&self, row: &Row, role: Role, whose: Whose) -> (char, String) {
        let mut made = BTreeMap::new();
        let path = self.filled(row.path, &mut made, role, whose).await;
        let method: Method = row.route.split(' ').next().unwrap().to_uppercase().parse().unwrap();
        let mut call = self.house.call(method, &path).header("If-Match", "\"1\"").header("Idempotency-Key", self.house.new_id());
        if let Some(body) = row.body {
            let body: Value = serde_json::from_str(&self.filled(body, &mut made, role, whose).await).unwrap();
            call = call.json(&body);
        }
        if let Some(person) = self.caller(role) {
            // A device of its own: some of these calls sign it out.
            call = call.by(&self.house.on_another_device(person).await.0);
        }
        let reply = call.await;
        let letter = match reply.status {
            200..=399 | 402 | 409 | 412 => '.',
            401 => '1',
            403 => '3',
            404 => '4',
            422 => '2',
            _ => '?',
        };
        (letter, format!("{role:?} {whose:?} {} {path}: {} {}", row.route, reply.status, reply.text.chars().take(200).collect::<String>()))
    }
}

both_engines! {
    async fn everybody_gets_where_they_may_and_nowhere_else(house: House) {
        // It leaves behind whatever the calls make.
        house.letters_may_stay();
        house.audit_may_be_dirty();
        let (away, member, other) = (house.second_studio().await, house.member("Mo").await, house.member("Ann").await);
        let (stranger, colleague) = (house.stranger("Bea").await, house.colleague("Mei").await);
        let (there, bea) = (away.id, stranger.id);
        house.write(move |tx| Box::pin(async move { tx.run("UPDATE members SET studio_id = $1 WHERE person_id = $2", (there, bea)).await })).await;
        for person in [&house.studio.instructor, &house.studio.desk, &house.studio.admin, &house.studio.owner] {
            house.put(format!("/v1/studios/{}/members/me", house.studio.id)).by(person).await.expect(200);
        }
        let cast = Cast { home: house.studio.clone(), house: house.clone(), away, member, other, stranger, colleague, hours: std::cell::Cell::new(0) };
        let mut wrong = Vec::new();
        for row in rows() {
            for (whose, verdict) in [Whose::Own, Whose::Others, Whose::Elsewhere].into_iter().zip(row.verdicts) {
                if verdict.is_empty() {
                    continue;
                }
                let (mut found, mut said) = (String::new(), Vec::new());
                for role in ROLES {
                    let (letter, what) = cast.ask(&row, role, whose).await;
                    found.push(letter);
                    said.push(what);
                }
                if found != verdict {
                    let differ = found.chars().zip(verdict.chars()).zip(said).filter(|((found, expected), _)| found != expected);
                    let differ: Vec<String> = differ.map(|(_, said)| format!("    {said}")).collect();
                    wrong.push(format!("{} {whose:?}: {found}, not {verdict}\n{}", row.route, differ.join("\n")));
                }
            }
        }
        assert!(wrong.is_empty(), "{} of the matrix:\n{}", wrong.len(), wrong.join("\n"));
    }
}

#[test]
fn every_route_has_its_row() {
    let routed = routed(include_str!("../../src/routes.rs"));
    let rows: Vec<Row> = rows();
    let told: BTreeSet<String> = rows.iter().map(|row| row.route.to_owned()).collect();
    assert_eq!(told.len(), rows.len(), "a route has two rows");
    let missing: Vec<_> = routed.difference(&told).collect();
    let gone: Vec<_> = told.difference(&routed).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "who may call these, and what of whom? {missing:#?}\nthere are none of these: {gone:#?}"
    );
    for row in &rows {
        let [own, others, elsewhere] = row.verdicts;
        assert!(
            own.len() == ROLES.len() && [others, elsewhere].iter().all(|verdict| [0, ROLES.len()].contains(&verdict.len())),
            "{}",
            row.route
        );
        let is_about_somebody =
            ["<studio>", "<session>", "<booking>", "<pass>", "<series>", "<request>", "<letter>", "<device>", "<calendar>"];
        let is_about_somebody = is_about_somebody.iter().any(|thing| row.path.contains(thing));
        assert!(!is_about_somebody || !others.is_empty(), "{}: what of another's, and elsewhere?", row.route);
    }
}
