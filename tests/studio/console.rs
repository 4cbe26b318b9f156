//! The console, as a browser sees it: who gets to which page, how one comes in and out, what is changed from there and by whom, and that
//! nothing that somebody wrote is ever more than text.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{Days, NaiveDate, TimeDelta};
use releve::console::cookie::Ticket;
use releve::console::demo_links;
use releve::events::live::{OF_DEVICE_MAX, Watched};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, redirect};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::accounts::PASSWORD;
use crate::house::House;
use crate::routes::routed;
use crate::seed::{Person, Session, Studio};

mod account;
mod desk;
mod figures;
mod office;
mod planning;
mod running;

/// A browser. It follows no redirect by itself, so that a test sees where it is sent.
#[derive(Clone)]
pub struct Browser {
    http: Client,
    url: String,
    cookies: Vec<(String, String)>,
}

/// What it shows.
#[derive(Debug)]
pub struct Shown {
    pub status: u16,
    /// Where it is sent.
    pub to: String,
    pub headers: HeaderMap,
    pub text: String,
}

impl Shown {
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "sent to {:?}: {}", self.to, self.text);
        self
    }

    #[track_caller]
    pub fn says(self, what: &str) -> Self {
        assert!(self.text.contains(what), "{what:?} is not said: {}", self.text);
        self
    }

    #[track_caller]
    pub fn keeps_quiet_of(self, what: &str) -> Self {
        assert!(!self.text.contains(what), "{what:?} is said: {}", self.text);
        self
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// What a hidden field of the page holds.
    #[track_caller]
    pub fn field(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let at = self.text.find(&mark).unwrap_or_else(|| panic!("no field {name}: {}", self.text)) + mark.len();
        self.text[at..].split('"').next().unwrap().to_owned()
    }
}

impl Shown {
    /// What the page's script is given by this attribute.
    #[track_caller]
    pub fn json_of(&self, attribute: &str) -> Value {
        let mark = format!("{attribute}=\"");
        let at = self.text.find(&mark).unwrap_or_else(|| panic!("no {attribute}: {}", self.text)) + mark.len();
        let text = self.text[at..].split('"').next().unwrap();
        serde_json::from_str(&text.replace("&#34;", "\"").replace("&#39;", "'").replace("&#38;", "&")).unwrap()
    }
}

impl Browser {
    pub fn new(house: &House) -> Self {
        let http = Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap();
        Self { http, url: house.url.clone(), cookies: Vec::new() }
    }

    /// One on which this person is signed in, on a device of its own.
    pub async fn of(house: &House, person: &Person) -> Self {
        let (_, device) = house.on_another_device(person).await;
        let ticket = house.app.keys.sign(&Ticket::new(person.id, device, house.clock.now())).unwrap();
        let mut browser = Self::new(house);
        browser.keep("releve_console", &ticket);
        browser
    }

    pub fn keep(&mut self, name: &str, value: &str) {
        self.cookies.retain(|(of, _)| of != name);
        if !value.is_empty() {
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
    }

    pub async fn ask(&self, method: Method, path: &str, form: Option<&[(&str, &str)]>, origin: &str) -> Shown {
        let mut request = self.http.request(method, format!("{}{path}", self.url)).header("Origin", origin);
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("Cookie", cookies.join("; "));
        }
        if let Some(form) = form {
            let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
            request = request.header("Content-Type", "application/x-www-form-urlencoded").body(body);
        }
        let mut answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let to = headers.get("location").map(|to| to.to_str().unwrap().to_owned()).unwrap_or_default();
        // A stream has no end to wait for.
        let is_stream = headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let text = if is_stream { said_next(&mut answer).await.unwrap() } else { answer.text().await.unwrap() };
        Shown { status, to, headers, text }
    }

    /// An answer that goes on, as it comes.
    pub async fn listen(&self, path: &str) -> reqwest::Response {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.http.get(format!("{}{path}", self.url)).header("Cookie", cookies.join("; ")).send().await.unwrap()
    }

    pub async fn see(&self, path: &str) -> Shown {
        self.ask(Method::GET, path, None, &self.url).await
    }

    pub async fn send(&self, path: &str, form: &[(&str, &str)]) -> Shown {
        self.ask(Method::POST, path, Some(form), &self.url).await
    }

    /// Sends a form and goes where it is sent, keeping the cookies that it is given.
    pub async fn go(&mut self, path: &str, form: &[(&str, &str)]) -> Shown {
        let shown = self.send(path, form).await;
        self.keep_all(&shown);
        if shown.status == 303 { self.see(&shown.to).await } else { shown }
    }

    /// Keeps the cookies that it is given.
    fn keep_all(&mut self, shown: &Shown) {
        for cookie in shown.headers.get_all("set-cookie") {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            self.keep(name, rest.split(';').next().unwrap());
        }
    }
}

/// What is said next in an answer that goes on; `None`: it is over.
pub async fn said_next(answer: &mut reqwest::Response) -> Option<String> {
    loop {
        let said = tokio::time::timeout(Duration::from_secs(30), answer.chunk()).await.expect("something is said").unwrap();
        let said = said.map(|said| String::from_utf8(said.to_vec()).unwrap());
        // A line that only shows that it is alive.
        if said.as_deref().is_none_or(|said| !said.starts_with(':')) {
            return said;
        }
    }
}

/// In the order of a verdict's letters: nobody, a member, an instructor, the front desk, an admin, the owner.
const ROLES: usize = 6;

/// A page or a form, and who gets there: `.` let in, whatever else is in the way; `1` sent to sign in; `3` 403; `4` 404. First of one's own
/// studio, where sessions are the instructor's who asks; then a colleague's session; then another studio's.
struct Row {
    route: &'static str,
    path: &'static str,
    form: &'static str,
    verdicts: [&'static str; 3],
}

const fn row(route: &'static str, path: &'static str, form: &'static str, verdicts: [&'static str; 3]) -> Row {
    Row { route, path, form, verdicts }
}

/// For owners, in no studio.
const OWNER: [&str; 3] = ["13333.", "", ""];
const ANYBODY: [&str; 3] = ["......", "", ""];
const SIGNED_IN: [&str; 3] = ["1.....", "", ""];
const STAFF: [&str; 3] = ["13....", "", "13333."];
const DESK: [&str; 3] = ["133...", "", "13333."];
const SCHEDULER: [&str; 3] = ["13.3..", "", "13333."];
const ADMIN: [&str; 3] = ["1333..", "", "13333."];
/// For admins, of a thing that is not there.
const NONE_YET: [&str; 3] = ["133344", "", "133334"];

fn rows() -> Vec<Row> {
    vec![
        row("get /console", "/console", "", SIGNED_IN),
        row("get /console/new-studio", "/console/new-studio", "", OWNER),
        row("post /console/new-studio", "/console/new-studio", "name=New&time_zone=Asia/Shanghai&locale=en", OWNER),
        row("get /console/sign-in", "/console/sign-in", "", ANYBODY),
        row("post /console/sign-in", "/console/sign-in", "email=nobody@example.test&password=not-the-password", ANYBODY),
        row("post /console/sign-in/second-factor", "/console/sign-in/second-factor", "challenge=nonsense&code=123456", ANYBODY),
        row("post /console/sign-out", "/console/sign-out", "", SIGNED_IN),
        row("get /demo/{who}/{secret}", "/demo/owner/nothing", "", ["111111", "", ""]),
        row("post /console/language", "/console/language", "language=en", ANYBODY),
        row("get /console/files/{hash}/{name}", "/console/files/x/console.css", "", ANYBODY),
        row("get /console/account", "/console/account", "", SIGNED_IN),
        row("post /console/account/second-factors", "/console/account/second-factors", "", SIGNED_IN),
        row("post /console/account/passkeys", "/console/account/passkeys", "", SIGNED_IN),
        row("post /console/account/passkeys/question", "/console/account/passkeys/question", "", SIGNED_IN),
        row(
            "post /console/account/second-factors/confirmation",
            "/console/account/second-factors/confirmation",
            "id=<new>&code=123456",
            SIGNED_IN,
        ),
        row("post /console/account/second-factors/{id}/removal", "/console/account/second-factors/<new>/removal", "", SIGNED_IN),
        row("post /console/account/recovery-codes", "/console/account/recovery-codes", "", SIGNED_IN),
        row("post /console/account/devices/{id}/end", "/console/account/devices/<new>/end", "", ["144444", "", ""]),
        row("get /console/kiosk", "/console/kiosk", "", ANYBODY),
        row("get /console/kiosk-worker.js", "/console/kiosk-worker.js", "", ANYBODY),
        row("get /console/{studio}/kiosk", "/console/<studio>/kiosk", "", ADMIN),
        row("post /console/{studio}/kiosk", "/console/<studio>/kiosk", "name=Entrance", ADMIN),
        row("post /console/{studio}/kiosk/removal", "/console/<studio>/kiosk/removal", "kiosk=<new>", ["133344", "", "133334"]),
        row("get /console/{studio}", "/console/<studio>", "", SIGNED_IN),
        row("get /console/{studio}/today", "/console/<studio>/today", "", STAFF),
        row("get /console/{studio}/live", "/console/<studio>/live", "", STAFF),
        row("get /console/{studio}/changes", "/console/<studio>/changes", "", STAFF),
        row("get /console/{studio}/schedule", "/console/<studio>/schedule", "", STAFF),
        row("get /console/{studio}/schedule/publication", "/console/<studio>/schedule/publication?week=2026-12-07", "", ADMIN),
        row("post /console/{studio}/schedule/publication", "/console/<studio>/schedule/publication", "week=2027-03-01", ADMIN),
        row("get /console/{studio}/schedule/copy", "/console/<studio>/schedule/copy?week=2026-12-07", "", ADMIN),
        row("post /console/{studio}/schedule/copy", "/console/<studio>/schedule/copy", "week=2027-03-01&to=2027-03-08", ADMIN),
        row("get /console/{studio}/closing-days", "/console/<studio>/closing-days", "", ADMIN),
        row("post /console/{studio}/closing-days", "/console/<studio>/closing-days", "first=2027-05-01", ADMIN),
        row("post /console/{studio}/closing-days/{date}/opening", "/console/<studio>/closing-days/2027-05-01/opening", "", ADMIN),
        row("get /console/{studio}/substitutes", "/console/<studio>/substitutes", "", STAFF),
        row("post /console/{studio}/substitutes", "/console/<studio>/substitutes", "from=2027-05-01", SCHEDULER),
        row("post /console/{studio}/substitutes/{id}", "/console/<studio>/substitutes/<new>", "act=claim", ["134444", "", "133334"]),
        row("get /console/{studio}/availability", "/console/<studio>/availability", "", ["13.333", "", "133333"]),
        row("post /console/{studio}/availability", "/console/<studio>/availability", "w0_day=9", ["13.333", "", "133333"]),
        row("get /console/{studio}/series", "/console/<studio>/series", "", STAFF),
        row("get /console/{studio}/series/new", "/console/<studio>/series/new", "", SCHEDULER),
        row("post /console/{studio}/series/new", "/console/<studio>/series/new", "time=18:30&mo=true", SCHEDULER),
        row("get /console/{studio}/series/{id}", "/console/<studio>/series/<new>", "", ["134444", "", "133334"]),
        row("get /console/{studio}/series/{id}/publication", "/console/<studio>/series/<new>/publication", "", ["133344", "", "133334"]),
        row("post /console/{studio}/series/{id}/publication", "/console/<studio>/series/<new>/publication", "", ["133344", "", "133334"]),
        row("get /console/{studio}/monday", "/console/<studio>/monday", "", ADMIN),
        row("get /console/{studio}/attendance", "/console/<studio>/attendance", "", ADMIN),
        row("get /console/{studio}/attendance/sessions", "/console/<studio>/attendance/sessions?weekday=2", "", ADMIN),
        row("get /console/{studio}/reports/{report}", "/console/<studio>/reports/attendance?by=room&format=csv", "", ADMIN),
        row("get /console/{studio}/letters", "/console/<studio>/letters?state=failed", "", ADMIN),
        row("get /console/{studio}/letters/preview", "/console/<studio>/letters/preview?kind=promoted&language=zh-Hant", "", ADMIN),
        row("get /console/{studio}/letters/preview/letter", "/console/<studio>/letters/preview/letter", "", ADMIN),
        row("post /console/{studio}/letters/{id}/retry", "/console/<studio>/letters/<new>/retry", "", ["133344", "", "133334"]),
        row("get /console/{studio}/sessions/new", "/console/<studio>/sessions/new", "", ["13.3..", "", "13333."]),
        row("post /console/{studio}/sessions/new", "/console/<studio>/sessions/new", "start=2027-02-01T10:00", ["13.3..", "", "13333."]),
        row("get /console/{studio}/sessions/{id}", "/console/<studio>/sessions/<session>", "", ["13....", "133...", "13333."]),
        row("get /console/{studio}/sessions/{id}/edit", "/console/<studio>/sessions/<session>/edit", "", ["13.3..", "1333..", "13333."]),
        row(
            "post /console/{studio}/sessions/{id}/edit",
            "/console/<studio>/sessions/<session>/edit",
            "version=1",
            ["13.3..", "1333..", "13333."],
        ),
        row(
            "get /console/{studio}/sessions/{id}/cancel",
            "/console/<studio>/sessions/<session>/cancel",
            "",
            ["13.3..", "1333..", "13333."],
        ),
        row(
            "post /console/{studio}/sessions/{id}/cancel",
            "/console/<studio>/sessions/<session>/cancel",
            "",
            ["13.3..", "1333..", "13333."],
        ),
        row(
            "get /console/{studio}/sessions/{id}/substitute",
            "/console/<studio>/sessions/<session>/substitute",
            "",
            ["13.3..", "1333..", "13333."],
        ),
        row(
            "post /console/{studio}/sessions/{id}/substitute",
            "/console/<studio>/sessions/<session>/substitute",
            "note=A cold",
            ["13.3..", "1333..", "13333."],
        ),
        row(
            "post /console/{studio}/sessions/{id}/check-in",
            "/console/<studio>/sessions/<session>/check-in",
            "booking=<booking>",
            ["14....", "144...", "14444."],
        ),
        row(
            "post /console/{studio}/sessions/{id}/undo-check-in",
            "/console/<studio>/sessions/<session>/undo-check-in",
            "booking=<booking>",
            ["14....", "144...", "14444."],
        ),
        row("get /console/{studio}/sessions/{id}/walk-in", "/console/<studio>/sessions/<session>/walk-in", "", DESK),
        row("post /console/{studio}/sessions/{id}/walk-in", "/console/<studio>/sessions/<session>/walk-in", "person=<member>", DESK),
        // An instructor moves up from an hour before the start.
        row(
            "post /console/{studio}/sessions/{id}/move-up",
            "/console/<studio>/sessions/<session>/move-up",
            "booking=<booking>&reason=A birthday",
            ["143...", "144...", "14444."],
        ),
        row(
            "post /console/{studio}/sessions/{id}/notes",
            "/console/<studio>/sessions/<session>/notes",
            "team=Mats",
            ["13.3..", "1333..", "13333."],
        ),
        row(
            "post /console/{studio}/sessions/{id}/hold",
            "/console/<studio>/sessions/<session>/hold",
            "kind=guest&places=1",
            ["133...", "133...", "13333."],
        ),
        row(
            "post /console/{studio}/sessions/{id}/release",
            "/console/<studio>/sessions/<session>/release",
            "hold=<new>",
            ["133444", "133444", "133334"],
        ),
        row("get /console/{studio}/bookings/{id}", "/console/<studio>/bookings/<booking>", "", DESK),
        row("post /console/{studio}/bookings/{id}/cancel", "/console/<studio>/bookings/<booking>/cancel", "", DESK),
        row("get /console/{studio}/members", "/console/<studio>/members", "", DESK),
        row("post /console/{studio}/members", "/console/<studio>/members", "q=Ann", DESK),
        row("get /console/{studio}/members/new", "/console/<studio>/members/new", "", DESK),
        row("post /console/{studio}/members/new", "/console/<studio>/members/new", "name=New", DESK),
        row("get /console/{studio}/members/{person}", "/console/<studio>/members/<member>", "", DESK),
        row("post /console/{studio}/members/{person}/particulars", "/console/<studio>/members/<member>/particulars", "name=Member", DESK),
        row(
            "post /console/{studio}/members/{person}/passes",
            "/console/<studio>/members/<member>/passes",
            "key=<new>&pass_type=<pass_type>",
            DESK,
        ),
        row(
            "post /console/{studio}/members/{person}/bookings",
            "/console/<studio>/members/<member>/bookings",
            "key=<new>&session=<session>",
            DESK,
        ),
        row(
            "post /console/{studio}/members/{person}/penalties/{penalty}/waiver",
            "/console/<studio>/members/<member>/penalties/<new>/waiver",
            "reason=A storm",
            ["133344", "", "133334"],
        ),
        row(
            "post /console/{studio}/members/{person}/penalties/{penalty}/payment",
            "/console/<studio>/members/<member>/penalties/<new>/payment",
            "method=cash",
            ["133444", "", "133334"],
        ),
        row("get /console/{studio}/members/{person}/merge", "/console/<studio>/members/<member>/merge", "", ADMIN),
        row("post /console/{studio}/members/{person}/merge", "/console/<studio>/members/<member>/merge", "into=<new>&meant=true", ADMIN),
        row("get /console/{studio}/members/{person}/erasure", "/console/<studio>/members/<member>/erasure", "", ADMIN),
        row("post /console/{studio}/members/{person}/erasure", "/console/<studio>/members/<member>/erasure", "name=Nobody", ADMIN),
        row("get /console/{studio}/passes/{id}", "/console/<studio>/passes/<new>", "", ["133444", "", "133334"]),
        row("post /console/{studio}/passes/{id}/gift", "/console/<studio>/passes/<new>/gift", "credits=1", ["133344", "", "133334"]),
        row("post /console/{studio}/passes/{id}/extension", "/console/<studio>/passes/<new>/extension", "", ["133344", "", "133334"]),
        row("post /console/{studio}/passes/{id}/freeze", "/console/<studio>/passes/<new>/freeze", "", ["133444", "", "133334"]),
        row("post /console/{studio}/passes/{id}/unfreeze", "/console/<studio>/passes/<new>/unfreeze", "", ["133444", "", "133334"]),
        row("get /console/{studio}/passes/{id}/transfer", "/console/<studio>/passes/<new>/transfer", "", ["133444", "", "133334"]),
        row("post /console/{studio}/passes/{id}/transfer", "/console/<studio>/passes/<new>/transfer", "", ["133444", "", "133334"]),
        row("post /console/{studio}/passes/{id}/refund", "/console/<studio>/passes/<new>/refund", "", ["133344", "", "133334"]),
        row("get /console/{studio}/house-rules", "/console/<studio>/house-rules", "", ADMIN),
        row("post /console/{studio}/house-rules", "/console/<studio>/house-rules", "version=1", ADMIN),
        row("get /console/{studio}/setup", "/console/<studio>/setup", "", ADMIN),
        row("get /console/{studio}/rooms/{id}", "/console/<studio>/rooms/<room>", "", ADMIN),
        row("post /console/{studio}/rooms/{id}", "/console/<studio>/rooms/<room>", "version=0&name=New&capacity=9", ADMIN),
        row("get /console/{studio}/class-types/{id}", "/console/<studio>/class-types/<class_type>", "", ADMIN),
        row("post /console/{studio}/class-types/{id}", "/console/<studio>/class-types/<class_type>", "version=0&name=New", ADMIN),
        row("post /console/{studio}/setup/teaching", "/console/<studio>/setup/teaching", "", ADMIN),
        row("post /console/{studio}/setup/rooms", "/console/<studio>/setup/rooms", "name=New&capacity=9", ADMIN),
        row(
            "post /console/{studio}/setup/class-types",
            "/console/<studio>/setup/class-types",
            "name=New&level=open&minutes=55&credits=1",
            ADMIN,
        ),
        row(
            "post /console/{studio}/setup/pass-types",
            "/console/<studio>/setup/pass-types",
            "name=New&kind=pack&number=5&valid_days=30",
            ADMIN,
        ),
        row("get /console/{studio}/trail", "/console/<studio>/trail", "", ADMIN),
        row("get /console/{studio}/trail/file", "/console/<studio>/trail/file?format=csv", "", ADMIN),
        row("get /console/{studio}/imports", "/console/<studio>/imports", "", ADMIN),
        row("post /console/{studio}/imports", "/console/<studio>/imports", "kind=members", ADMIN),
        row("get /console/{studio}/imports/file", "/console/<studio>/imports/file", "", ADMIN),
        row("post /console/{studio}/imports/file", "/console/<studio>/imports/file", "dates=ymd", NONE_YET),
        row("get /console/{studio}/imports/file/wrong", "/console/<studio>/imports/file/wrong", "", NONE_YET),
        row("post /console/{studio}/imports/file/run", "/console/<studio>/imports/file/run", "skip=true", NONE_YET),
        row("post /console/{studio}/imports/file/removal", "/console/<studio>/imports/file/removal", "", ADMIN),
        row("get /console/{studio}/imports/{id}", "/console/<studio>/imports/<new>", "", NONE_YET),
        row("get /console/{studio}/imports/{id}/skipped", "/console/<studio>/imports/<new>/skipped", "", NONE_YET),
        row("post /console/{studio}/imports/{id}/invitations", "/console/<studio>/imports/<new>/invitations", "per_hour=10", NONE_YET),
        row("get /console/{studio}/pass-types", "/console/<studio>/pass-types", "", ADMIN),
        row("get /console/{studio}/pass-types/new", "/console/<studio>/pass-types/new", "", ADMIN),
        row("post /console/{studio}/pass-types/new", "/console/<studio>/pass-types/new", "name=New&kind=pack&number=5&valid=30", ADMIN),
        row("get /console/{studio}/pass-types/{id}", "/console/<studio>/pass-types/<pass_type>", "", ADMIN),
        row("post /console/{studio}/pass-types/{id}", "/console/<studio>/pass-types/<pass_type>", "version=0&name=New&valid=30", ADMIN),
        row("get /console/{studio}/team", "/console/<studio>/team", "", ADMIN),
        row("post /console/{studio}/team/invitations", "/console/<studio>/team/invitations", "email=<email>&role=front_desk", ADMIN),
        row("post /console/{studio}/team/invitations/{id}/withdrawal", "/console/<studio>/team/invitations/<new>/withdrawal", "", NONE_YET),
        row("get /console/{studio}/team/{person}", "/console/<studio>/team/<member>", "", ADMIN),
        row("post /console/{studio}/team/{person}/roles", "/console/<studio>/team/<member>/roles", "", ADMIN),
        row("post /console/{studio}/team/{person}/devices/{device}/end", "/console/<studio>/team/<member>/devices/<new>/end", "", NONE_YET),
        row(
            "post /console/{studio}/team/{person}/second-factors/removal",
            "/console/<studio>/team/<member>/second-factors/removal",
            "",
            NONE_YET,
        ),
        row("get /console/{studio}/settings", "/console/<studio>/settings", "", ADMIN),
        row("post /console/{studio}/settings", "/console/<studio>/settings", "version=0&name=New", ADMIN),
        row("post /console/{studio}/settings/penalty-free-days", "/console/<studio>/settings/penalty-free-days", "version=0", ADMIN),
        row("get /console/{studio}/exports/{table}", "/console/<studio>/exports/rooms", "", ADMIN),
        row("post /console/{studio}/setup/invitations", "/console/<studio>/setup/invitations", "email=<email>&role=front_desk", ADMIN),
    ]
}

#[test]
fn every_page_has_its_row() {
    let routed = routed(include_str!("../../src/console/routes.rs"));
    let told: BTreeSet<String> = rows().iter().map(|row| row.route.to_owned()).collect();
    let missing: Vec<_> = routed.difference(&told).collect();
    let gone: Vec<_> = told.difference(&routed).collect();
    assert!(missing.is_empty() && gone.is_empty(), "who may see these? {missing:#?}\nthere are none of these: {gone:#?}");
    assert!(rows().iter().all(|row| row.verdicts.iter().all(|verdict| [0, ROLES].contains(&verdict.len()))));
}

/// What is asked for in each studio.
struct Things {
    studio: Uuid,
    session: Session,
    booking: Uuid,
    member: Uuid,
    pass_type: Uuid,
    room: Uuid,
    class_type: Uuid,
}

impl House {
    async fn booked_by_owner(&self, member: &Person, session: &Session) -> Uuid {
        let tap = self.book(member, session).sent_by(&self.studio.owner);
        tap.saying("unpaid", json!(true)).saying("reason", json!("a test")).await.expect_booked().id
    }

    /// Things of a studio that are made for one call.
    async fn things(&self, hour: u32, studio: &Studio, teacher: &Person, member: &Person) -> Things {
        let day = "2026-12-03".parse::<NaiveDate>().unwrap() + Days::new(u64::from(hour / 24));
        let local = format!("{day} {:02}:00", hour % 24);
        let session = self.plan(&local, 12).at(studio).taught_by(teacher).await;
        let booking = self.booked_by_owner(member, &session).await;
        let Studio { id, pack_type: pass_type, room, class_type, .. } = *studio;
        Things { studio: id, session, booking, member: member.id, pass_type, room, class_type }
    }

    fn filled(&self, text: &str, things: &Things) -> String {
        [
            ("<studio>", things.studio.to_string()),
            ("<session>", things.session.id.to_string()),
            ("<booking>", things.booking.to_string()),
            ("<member>", things.member.to_string()),
            ("<pass_type>", things.pass_type.to_string()),
            ("<room>", things.room.to_string()),
            ("<class_type>", things.class_type.to_string()),
            ("<new>", self.new_id().to_string()),
            ("<email>", format!("{}@example.test", self.new_id())),
        ]
        .into_iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(name, &value))
    }
}

both_engines! {
    async fn everybody_sees_the_pages_that_are_theirs(house: House) {
        house.letters_may_stay();
        house.audit_may_be_dirty();
        let (away, member, ann) = (house.second_studio().await, house.member("Mo").await, house.member("Ann").await);
        let (bea, colleague) = (house.stranger("Bea").await, house.colleague("Mei").await);
        let (there, stranger) = (away.id, bea.id);
        house.write(move |tx| Box::pin(async move { tx.run("UPDATE members SET studio_id = $1 WHERE person_id = $2", (there, stranger)).await })).await;
        let home = house.studio.clone();
        let people = [None, Some(&member), Some(&home.instructor), Some(&home.desk), Some(&home.admin), Some(&home.owner)];
        let (mut wrong, mut hour) = (Vec::new(), 0);
        for row in rows() {
            for (whose, verdict) in row.verdicts.into_iter().enumerate().filter(|(_, verdict)| !verdict.is_empty()) {
                let mut found = String::new();
                let mut said = Vec::new();
                for person in people {
                    let things = match whose {
                        0 => house.things(hour, &home, &home.instructor, &ann).await,
                        1 => house.things(hour, &home, &colleague, &ann).await,
                        _ => house.things(hour, &away, &away.instructor, &bea).await,
                    };
                    hour += 1;
                    // A device of its own: signing out ends it.
                    let browser = match person {
                        Some(person) => Browser::of(&house, person).await,
                        None => Browser::new(&house),
                    };
                    let path = house.filled(row.path, &things);
                    let form = house.filled(row.form, &things);
                    let fields: Vec<(&str, &str)> = form.split('&').filter_map(|pair| pair.split_once('=')).collect();
                    let shown = if row.route.starts_with("get") { browser.see(&path).await } else { browser.send(&path, &fields).await };
                    let letter = match shown.status {
                        303 if shown.to.starts_with("/console/sign-in") && !path.ends_with("/sign-out") => '1',
                        303 if path.ends_with("/sign-out") && person.is_none() => '1',
                        200..=399 | 401 | 402 | 409 | 412 | 422 => '.',
                        403 => '3',
                        404 => '4',
                        _ => '?',
                    };
                    found.push(letter);
                    said.push(format!("    {} {path}: {} {}", row.route, shown.status, shown.text.chars().take(300).collect::<String>()));
                }
                if found != verdict {
                    let differ = found.chars().zip(verdict.chars()).zip(said).filter(|((found, expected), _)| found != expected);
                    let differ: Vec<String> = differ.map(|(_, said)| said).collect();
                    wrong.push(format!("{} {whose}: {found}, not {verdict}\n{}", row.route, differ.join("\n")));
                }
            }
        }
        assert!(wrong.is_empty(), "{} of the pages:\n{}", wrong.len(), wrong.join("\n"));
    }

    async fn one_comes_in_by_a_cookie_and_goes_out_again(house: House) {
        let tokens = house.join_up("ana@example.test").await;
        let ana = house.me(&tokens).await.expect(200).id();
        house.put(house.of_studio("members/me")).token(&tokens.access).await.expect(200);
        house.put(house.of_studio(&format!("staff/{ana}"))).by(&house.studio.owner).json(&json!({"roles": ["front_desk"]})).await.expect(200);
        let mut browser = Browser::new(&house);
        let at = format!("/console/{}/today", house.studio.id);
        let sent = browser.see(&format!("{at}?date=2026-12-01")).await.expect(303);
        assert_eq!(sent.to, format!("/console/sign-in?next=%2Fconsole%2F{}%2Ftoday%3Fdate%3D2026-12-01", house.studio.id));
        browser.see(&sent.to).await.expect(200).says("Welcome back").keeps_quiet_of("This is a demo");

        // Wrong is wrong, whatever it is, and the page says so.
        for (email, password) in [("ana@example.test", "not-the-password"), ("who@example.test", PASSWORD), ("nonsense", PASSWORD), ("ana@example.test", "")] {
            let refused = browser.send("/console/sign-in", &[("email", email), ("password", password)]).await.expect(401);
            assert_eq!(refused.header("set-cookie"), "");
            refused.says("role=\"alert\"");
        }
        let next = sent.to.split_once("next=").map(|_| format!("{at}?date=2026-12-01")).unwrap();
        let let_in = browser.send("/console/sign-in", &[("email", "ana@example.test"), ("password", PASSWORD), ("next", &next)]).await.expect(303);
        assert_eq!(let_in.to, next);
        let cookie = let_in.header("set-cookie").to_owned();
        assert!(cookie.starts_with("releve_console=") && cookie.contains("; HttpOnly; SameSite=Lax; ") && cookie.contains("Path=/;"), "{cookie}");
        // Whoever has forgotten their password finds the way, and back.
        browser.see(&format!("/console/sign-in?next={at}")).await.expect(200).says("/me/forgotten?next=%2Fconsole%2F");
        browser.see("/console/sign-in").await.expect(200).says("/me/forgotten?next=%2Fconsole\"");
        // Nobody is sent to another site.
        let astray = browser.send("/console/sign-in", &[("email", "ana@example.test"), ("password", PASSWORD), ("next", "//evil.test")]).await.expect(303);
        assert_eq!(astray.to, "/console");

        browser.go("/console/sign-in", &[("email", "ana@example.test"), ("password", PASSWORD)]).await;
        browser.see(&at).await.expect(200).says("Ana Ruiz");
        // It is one of their devices, and is seen as such.
        let devices = house.get("/v1/me/devices").token(&tokens.access).await.expect(200);
        assert!(devices.text.contains("Relevé console"), "{}", devices.text);
        // The front page knows the way; who is a stranger there sees it.
        assert_eq!(browser.see("/").await.expect(303).to, "/console");
        Browser::new(&house).see("/").await.expect(200).says("href=\"/console\"");

        // Neither is taken for the other.
        let ticket = browser.cookies[0].1.clone();
        house.get("/v1/me").token(&ticket).await.expect_refused(401, "token-refused");
        let mut with_token = Browser::new(&house);
        with_token.keep("releve_console", &tokens.access);
        with_token.see(&at).await.expect(303);

        let before = browser.clone();
        let out = browser.send("/console/sign-out", &[]).await.expect(303);
        assert_eq!(out.header("clear-site-data"), "", "a kiosk on this device keeps what it has not sent yet");
        browser.keep_all(&out);
        browser.see(&out.to).await.expect(200).says("Welcome back");
        assert!(browser.cookies.is_empty());
        before.see(&at).await.expect(303);
        house.letters_may_stay();
    }

    async fn a_demos_link_signs_in_once(house: House) {
        house.letters_may_stay();
        house.join_up("member1@demo.test").await;
        let before = demo_links::make(&house.app).await.unwrap();
        let links = demo_links::make(&house.app).await.unwrap();
        assert_eq!(links.iter().map(|(role, _)| *role).collect::<Vec<_>>(), ["owner", "admin", "desk", "instructor", "member"]);
        let path = |links: &[(&str, String)]| links[4].1.strip_prefix(&house.app.settings.server.public_url).unwrap().to_owned();
        let mut browser = Browser::new(&house);
        let another = browser.see(&path(&links).replace("/member/", "/owner/")).await.expect(303);
        assert_eq!(another.to, "/console/sign-in?said=link_used", "of another role");
        browser.see(&another.to).await.expect(200).says("This link was used before");
        let earlier = browser.see(&path(&before)).await.expect(303);
        assert_eq!(earlier.to, "/me/sign-in?said=link_used", "of an earlier start");
        browser.see(&earlier.to).await.expect(200).says("This link was used before");
        // Whoever only looks, as programs do that show what is behind a link, leaves it as it is.
        let looked = browser.ask(Method::HEAD, &path(&links), None, "").await;
        assert_eq!((looked.status, looked.header("set-cookie")), (303, ""));
        assert_eq!(browser.see("/demo/nobody/nothing").await.status, 404);
        let first = browser.see(&path(&links)).await.expect(303);
        browser.keep_all(&first);
        browser.see(&first.to).await.expect(200);
        let again = Browser::new(&house).see(&path(&links)).await.expect(303);
        assert_eq!((again.to.as_str(), again.header("set-cookie")), ("/me/sign-in?said=link_used", ""), "a second time");
    }

    async fn one_stays_while_one_does_something_and_not_for_ever(house: House) {
        let desk = house.studio.desk.clone();
        let mut browser = Browser::of(&house, &desk).await;
        let at = format!("/console/{}/today", house.studio.id);
        assert_eq!(browser.see(&at).await.expect(200).header("set-cookie"), "");
        for _ in 0..15 {
            house.advance(TimeDelta::days(2));
            let shown = browser.see(&at).await;
            if shown.status == 303 {
                // Thirty days after signing in a member of the staff signs in again.
                return;
            }
            let renewed = shown.header("set-cookie").to_owned();
            let value = renewed.strip_prefix("releve_console=").and_then(|rest| rest.split(';').next()).expect("it is renewed");
            browser.keep("releve_console", value);
        }
        panic!("they stayed for a month");
    }

    async fn the_second_factor_is_asked_for(house: House) {
        house.letters_may_stay();
        let tokens = house.join_up("ana@example.test").await;
        let (authenticator, _, recovery) = house.enrol(&tokens.access).await;
        let mut browser = Browser::new(&house);
        let signing_in = [("email", "ana@example.test"), ("password", PASSWORD)];
        let asked = browser.send("/console/sign-in", &signing_in).await.expect(200).says("One more step");
        assert_eq!(asked.header("set-cookie"), "");
        let challenge = asked.field("challenge");
        let wrong = authenticator.wrong(&house);
        let again = browser.send("/console/sign-in/second-factor", &[("challenge", &challenge), ("code", &wrong), ("has_totp", "true")]).await;
        assert_eq!(again.says("role=\"alert\"").field("challenge"), challenge);
        let right = authenticator.code(&house);
        browser.go("/console/sign-in/second-factor", &[("challenge", &challenge), ("code", &right)]).await.says("You work in no studio here");

        let challenge = browser.send("/console/sign-in", &signing_in).await.field("challenge");
        let mut other = Browser::new(&house);
        other.go("/console/sign-in/second-factor", &[("challenge", &challenge), ("recovery_code", &recovery[0])]).await.says("You work in no studio here");
        // What was answered once is over.
        let over = other.send("/console/sign-in/second-factor", &[("challenge", &challenge), ("recovery_code", &recovery[1])]).await.expect(401);
        over.says("Welcome back");
    }

    async fn another_site_changes_nothing(house: House) {
        let (ana, morning) = (house.member("Ana").await, house.plan("2026-11-30 10:30", 5).await);
        let booking = house.book(&ana, &morning).await.expect_booked();
        let browser = Browser::of(&house, &house.studio.desk).await;
        let path = format!("/console/{}/sessions/{}/check-in", house.studio.id, morning.id);
        let form = [("booking", &*booking.id.to_string())];
        for origin in ["https://evil.test", "null", &house.url.replace("127.0.0.1", "127.0.0.2")] {
            browser.ask(Method::POST, &path, Some(&form), origin).await.expect(403);
        }
        let shown = house.get(format!("/v1/bookings/{}", booking.id)).by(&ana).await.expect(200);
        assert_eq!(shown["status"], "booked");
        browser.send(&path, &form).await.expect(303);
        let shown = house.get(format!("/v1/bookings/{}", booking.id)).by(&ana).await.expect(200);
        assert_eq!(shown["status"], "attended");
        // Nor does it sign anybody in, or out.
        let signing_in = [("email", "ana@example.test"), ("password", PASSWORD)];
        browser.ask(Method::POST, "/console/sign-in", Some(&signing_in), "https://evil.test").await.expect(403);
        browser.ask(Method::POST, "/console/sign-out", Some(&[]), "https://evil.test").await.expect(403);
        browser.see(&format!("/console/{}/today", house.studio.id)).await.expect(200);
    }

    async fn the_door_is_one_tap(house: House) {
        let (ana, ben, cara) = (house.member("Ana").await, house.member("Ben").await, house.member("Cara").await);
        let morning = house.plan("2026-11-30 10:30", 2).taught_by(&house.studio.instructor).await;
        for member in [&ana, &ben] {
            house.book(member, &morning).await.expect_booked();
        }
        let waiting = house.book(&cara, &morning).or_wait().await.expect_waitlisted(1).id;
        let mut browser = Browser::of(&house, &house.studio.instructor).await;
        let today = format!("/console/{}/today", house.studio.id);
        let shown = browser.see(&today).await.expect(200).says("Barre Sculpt").says("Ana").says("First visit").says("Check in").says("Cara");
        let booking = shown.field("booking");
        let of_session = format!("/console/{}/sessions/{}", house.studio.id, morning.id);
        let back = [("booking", &*booking), ("back", "today")];
        let done = browser.send(&format!("{of_session}/check-in"), &back).await.expect(303);
        assert_eq!(done.to, format!("{today}?said=checked_in"));
        browser.see(&done.to).await.says("Checked in.").says("Undo the check-in");
        let roster = house.get(format!("/v1/sessions/{}/roster", morning.id)).by(&house.studio.instructor).await.expect(200);
        assert_eq!((&roster["booked"][0]["booking_id"], &roster["booked"][0]["status"]), (&json!(booking), &json!("attended")));
        browser.go(&format!("{of_session}/undo-check-in"), &back).await.expect(200).says("The check-in was taken back.");

        // A full class says so, and an extra place is made; why stands in the history of the booking.
        let up = [("booking", &*waiting.to_string()), ("reason", "She has a birthday")];
        browser.send(&format!("{of_session}/move-up"), &up).await.expect(409).says("role=\"alert\"").says("Cara");
        let extra = [up[0], up[1], ("extra_place", "true")];
        browser.go(&format!("{of_session}/move-up"), &extra).await.expect(200).says("Moved up.").says("3/3");
        let desk = Browser::of(&house, &house.studio.desk).await;
        desk.see(&format!("/console/{}/bookings/{waiting}", house.studio.id)).await.expect(200).says("She has a birthday").says("extra place");
        // The instructor sees no page of a member, and none of a colleague's class.
        browser.see(&format!("/console/{}/members/{}", house.studio.id, ana.id)).await.expect(403);
    }

    async fn a_browser_becomes_a_kiosk_and_nobody_is_signed_in_there(house: House) {
        let (ana, morning) = (house.member("Ana").await, house.plan("2026-11-30 10:30", 5).await);
        house.book(&ana, &morning).await.expect_booked();
        let mut tablet = Browser::of(&house, &house.studio.admin).await;
        let at = format!("/console/{}/kiosk", house.studio.id);
        let before = tablet.clone();
        tablet.see(&format!("/console/{}/today", house.studio.id)).await.expect(200).says(&at);
        tablet.send(&at, &[("name", "")]).await.expect(422).says("role=\"alert\"");
        let ready = tablet.go(&at, &[("name", "Entrance")]).await.expect(200);
        let of = |name: &str| ready.text.split(&format!(" {name}=\"")).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned();
        let token = of("data-token");
        assert_eq!((of("data-studio"), token.starts_with("kiosk_")), (house.studio.id.to_string(), true));
        // The session has ended, also for a cookie that somebody kept.
        assert_eq!(tablet.cookies.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["releve_language"]);
        before.see(&at).await.expect(303);
        // The door is a page that knows nobody; its token reads who is expected, and opens nothing else.
        tablet.see("/console/kiosk").await.expect(200).says("Show your code").keeps_quiet_of("Ana");
        let worker = tablet.see("/console/kiosk-worker.js").await.expect(200);
        assert!(worker.header("content-type").starts_with("text/javascript"));
        house.get(house.of_studio("door")).token(&token).await.expect(200);
        house.get("/v1/me").token(&token).await.expect_refused(401, "token-refused");

        let mut admin = Browser::of(&house, &house.studio.admin).await;
        let kiosk = admin.see(&at).await.expect(200).says("Entrance").says("last there").field("kiosk");
        admin.go(&format!("{at}/removal"), &[("kiosk", &kiosk)]).await.expect(200).says("The kiosk is taken away.").keeps_quiet_of("Entrance");
        house.get(house.of_studio("door")).token(&token).await.expect_refused(401, "token-refused");
    }

    async fn who_walks_in_is_booked_and_checked_in_at_once(house: House) {
        let (ana, ben) = (house.member("Ana").await, house.member("Ben").await);
        let morning = house.plan("2026-11-30 10:30", 2).await;
        let mut desk = Browser::of(&house, &house.studio.desk).await;
        let of_session = format!("/console/{}/sessions/{}", house.studio.id, morning.id);
        let at = format!("{of_session}/walk-in");
        desk.see(&of_session).await.expect(200).says(&at);
        let found = desk.send(&at, &[("q", "Ana")]).await.expect(200).says("Ana").keeps_quiet_of("Ben");
        let (key, person) = (found.field("key"), found.field("person"));
        assert_eq!(person, ana.id.to_string());
        let form = [("key", &*key), ("person", &*person)];
        desk.go(&at, &form).await.expect(200).says("Booked and checked in.").says("Here").says("Undo the check-in");
        // Sent twice, it is one booking.
        desk.go(&at, &form).await.expect(200);
        assert_eq!(house.how_many("SELECT COUNT(*) FROM bookings").await, 1);
        let shown = house.get(format!("/v1/bookings/{key}")).by(&ana).await.expect(200);
        assert_eq!(shown["status"], "attended");

        // Somebody new has nothing that pays: they are a member from now on, and the page goes on with them.
        let refused = desk.send(&at, &[("name", "Cara"), ("phone", "138 0000 4321")]).await.expect(402).says("role=\"alert\"").says("Cara");
        let (key, cara) = (refused.field("key"), refused.field("person"));
        let free = [("key", &*key), ("person", &*cara), ("unpaid", "true"), ("reason", "A trial class")];
        desk.send(&at, &free[..3]).await.expect(422).says("role=\"alert\"");
        desk.go(&at, &free).await.expect(200).says("Booked and checked in.").says("Cara").says("2/2");
        assert_eq!(house.how_many("SELECT COUNT(*) FROM members WHERE name = 'Cara'").await, 1);
        // A full class is full.
        desk.send(&at, &[("person", &*ben.id.to_string())]).await.expect(409).says("role=\"alert\"");
    }

    async fn an_open_page_hears_of_what_happens(house: House) {
        let (ana, morning) = (house.member("Ana").await, house.plan("2026-11-30 10:30", 5).await);
        let desk = Browser::of(&house, &house.studio.desk).await;
        let at = format!("/console/{}/changes", house.studio.id);
        let before = desk.see(&at).await.expect(200).text;
        assert_eq!(desk.see(&at).await.text, before, "nothing happened");
        let booking = house.book(&ana, &morning).await.expect_booked();
        let booked = desk.see(&at).await.text;
        assert_ne!(booked, before);
        house.put(format!("/v1/bookings/{}/check-in", booking.id)).by(&house.studio.admin).json(&json!({})).await.expect(200);
        assert_ne!(desk.see(&at).await.text, booked);
        // It ends with the rights.
        house.put(house.of_studio(&format!("staff/{}", house.studio.desk.id))).by(&house.studio.owner).json(&json!({"roles": []})).await.expect(200);
        desk.see(&at).await.expect(403);
    }

    async fn an_open_page_is_told_of_what_happens(house: House) {
        let (ana, morning) = (house.member("Ana").await, house.plan("2026-11-30 10:30", 5).await);
        let desk = Browser::of(&house, &house.studio.desk).await;
        let at = format!("/console/{}/live", house.studio.id);
        let number = |said: String| said.trim().strip_prefix("data:").expect("a number").trim().parse::<i64>().unwrap();
        let (mut first, mut second) = (desk.listen(&at).await, desk.listen(&at).await);
        assert_eq!(first.headers()["content-type"], "text/event-stream");
        let before = number(said_next(&mut first).await.unwrap());
        assert_eq!(number(said_next(&mut second).await.unwrap()), before, "both begin with how far it has come");
        house.book(&ana, &morning).await.expect_booked();
        let booked = number(said_next(&mut first).await.unwrap());
        assert!(booked > before);
        assert_eq!(number(said_next(&mut second).await.unwrap()), booked);
        // A device that watches too much ends what it watched first, and nobody else's.
        let colleague = Browser::of(&house, &house.studio.admin).await;
        let mut theirs = colleague.listen(&at).await;
        said_next(&mut theirs).await.unwrap();
        let mut more = Vec::new();
        for _ in 2..=OF_DEVICE_MAX {
            let mut one = desk.listen(&at).await;
            said_next(&mut one).await.unwrap();
            more.push(one);
        }
        assert_eq!(said_next(&mut first).await, None);
        house.book(&house.member("Ben").await, &morning).await.expect_booked();
        for still in [&mut second, &mut theirs] {
            assert!(number(said_next(still).await.unwrap()) > booked);
        }
        // All of them together leave room for everybody else.
        let few = Watched::new(1);
        let only = few.watch(&house.db, house.studio.id, house.new_id()).await.unwrap().expect("the first");
        assert!(few.watch(&house.db, house.studio.id, house.new_id()).await.unwrap().is_none());
        drop(only);
        assert!(few.watch(&house.db, house.studio.id, house.new_id()).await.unwrap().is_some());
        // It ends with the rights, and with the device.
        house.put(house.of_studio(&format!("staff/{}", house.studio.desk.id))).by(&house.studio.owner).json(&json!({"roles": []})).await.expect(200);
        assert_eq!(said_next(&mut second).await, None);
        assert!(said_next(&mut theirs).await.is_some(), "a colleague hears of it");
        colleague.send("/console/sign-out", &[]).await.expect(303);
        assert_eq!(said_next(&mut theirs).await, None);
        let mut first = Browser::of(&house, &house.studio.owner).await.listen(&at).await;
        said_next(&mut first).await.unwrap();
        // Nobody is kept waiting by an open page when the process ends.
        house.app.running.stop();
        assert_eq!(said_next(&mut first).await, None);
    }

    async fn the_consequences_are_shown_before(house: House) {
        let (ana, ben) = (house.member("Ana").await, house.member("Ben").await);
        let evening = house.plan("2026-12-02 18:30", 1).await;
        let booking = house.book(&ana, &evening).await.expect_booked().id;
        house.book(&ben, &evening).or_wait().await.expect_waitlisted(1);
        let mut desk = Browser::of(&house, &house.studio.desk).await;
        let of_booking = format!("/console/{}/bookings/{booking}", house.studio.id);
        // Who would move in is said, and nothing has happened.
        desk.see(&of_booking).await.expect(200).says("Cancel for the member").says("Waiting → Booked").says("Ben");
        let before = house.get(format!("/v1/bookings/{booking}")).by(&ana).await.expect(200);
        assert_eq!(before["status"], "booked");
        desk.go(&format!("{of_booking}/cancel"), &[("reason", "Called in")]).await.expect(200).says("The booking was cancelled.").says("Called in");

        let mut admin = Browser::of(&house, &house.studio.admin).await;
        let of_session = format!("/console/{}/sessions/{}", house.studio.id, evening.id);
        let form = admin.see(&format!("{of_session}/edit")).await.expect(200);
        let (class, room) = (house.studio.class_type.to_string(), house.studio.room.to_string());
        let instructor = house.studio.instructor.id.to_string();
        let version = form.field("version");
        let mut fields = vec![("class", &*class), ("room", &room), ("instructor", &instructor), ("start", "2026-12-02T19:00"), ("capacity", "1"), ("version", &version)];
        admin.send(&format!("{of_session}/edit"), &fields).await.expect(200).says("Written to:").says("Ben").says("Yes, tell them");
        fields.push(("meant", "true"));
        admin.go(&format!("{of_session}/edit"), &fields).await.expect(200).says("The class was changed.").says("19:00");
        // What was read before is stale now.
        let mut later = fields.clone();
        later[3].1 = "2026-12-02T20:00";
        let stale = admin.send(&format!("{of_session}/edit"), &later).await.expect(412).says("role=\"alert\"").says("2026-12-02T20:00").says("<b>Now:</b> Wed 2 Dec, 19:00");
        let renewed = stale.field("version");
        later[5].1 = &renewed;
        admin.go(&format!("{of_session}/edit"), &later).await.expect(200).says("The class was changed.").says("20:00");
        admin.see(&format!("{of_session}/cancel")).await.expect(200).says("Booked → Cancelled").says("Ben");
        admin.go(&format!("{of_session}/cancel"), &[("reason", "weather"), ("note", "The storm")]).await.expect(200).says("The class was cancelled").says("The storm");
        house.letters_may_stay();
    }

    async fn a_fresh_studio_gets_to_its_first_booked_class(house: House) {
        house.letters_may_stay();
        let made = house.post_to("/v1/studios").by(&house.studio.owner).json(&json!({"name": "Xuhui", "time_zone": "Asia/Shanghai", "locale": "en"}));
        let studio = made.await.expect(201).id();
        let mut owner = Browser::of(&house, &house.studio.owner).await;
        let at = format!("/console/{studio}");
        owner.see(&format!("{at}/today")).await.expect(200).says("Your first class in a few steps");
        owner.see(&format!("{at}/sessions/new")).await.expect(200).says("A class needs a kind of class, a room and an instructor.");
        owner.send(&format!("{at}/setup/rooms"), &[("name", ""), ("capacity", "9")]).await.expect(422).says("role=\"alert\"");
        owner.go(&format!("{at}/setup/rooms"), &[("name", "Studio X"), ("capacity", "9")]).await.expect(200).says("Added.").says("Studio X");
        owner.go(&format!("{at}/setup/class-types"), &[("name", ""), ("zh_hans", "把杆"), ("level", "open"), ("minutes", "55"), ("credits", "1")]).await.says("把杆");
        owner.go(&format!("{at}/setup/invitations"), &[("email", "new@example.test"), ("role", "instructor")]).await.says("new@example.test");
        let teacher = house.studio.instructor.clone();
        house.put(format!("/v1/studios/{studio}/members/me")).by(&teacher).await.expect(200);
        house.put(format!("/v1/studios/{studio}/staff/{}", teacher.id)).by(&house.studio.owner).json(&json!({"roles": ["instructor"]})).await.expect(200);
        let pass = [("name", "Ten"), ("kind", "pack"), ("number", "10"), ("valid_days", "90"), ("price", "980.50"), ("currency", "cny")];
        owner.go(&format!("{at}/setup/pass-types"), &pass).await.expect(200).says("CNY 980.50");
        let form = owner.see(&format!("{at}/sessions/new?date=2026-12-01")).await.expect(200).says("2026-12-01T18:30");
        let option = |of: &str| {
            let from = form.text.find(&format!("id=\"{of}\"")).unwrap();
            let from = from + form.text[from..].find("<option value=\"").unwrap() + "<option value=\"".len();
            form.text[from..].split('"').next().unwrap().to_owned()
        };
        let (class, room, instructor) = (option("class"), option("room"), option("instructor"));
        let fields = [("class", &*class), ("room", &room), ("instructor", &instructor), ("start", "2026-12-01T18:30")];
        owner.go(&format!("{at}/sessions/new"), &fields).await.expect(200).says("The class is on the schedule.").says("0/9");
        owner.send(&format!("{at}/sessions/new"), &fields).await.expect(409).says("role=\"alert\"");
        let mut weekly = fields.to_vec();
        weekly.extend([("weeks", "3"), ("draft", "true")]);
        weekly[3].1 = "2026-12-08T09:00";
        owner.go(&format!("{at}/sessions/new"), &weekly).await.expect(200).says("The classes are on the schedule.").says("Publish the drafts");
        owner.see(&format!("{at}/schedule/publication?week=2026-12-08")).await.expect(200).says("Publish the drafts");
        owner.go(&format!("{at}/schedule/publication"), &[("week", "2026-12-08")]).await.expect(200).says("The drafts are published.").keeps_quiet_of("Publish the drafts");

        let entered = owner.go(&format!("{at}/members/new"), &[("name", "王美丽"), ("phone", "138 0000 4321")]).await.expect(200).says("The member is entered.");
        for q in ["王美丽", "mei li", "4321"] {
            owner.send(&format!("{at}/members"), &[("q", q)]).await.expect(200).says("王美丽");
        }
        let member = entered.text.split("/members/").find_map(|rest| rest.split('/').next()?.parse::<Uuid>().ok()).unwrap();
        let of_member = format!("{at}/members/{member}");
        let key = entered.field("key");
        let from = entered.text.find("name=\"pass_type\"").unwrap();
        let pass_type = entered.text[from..].split("<option value=\"").nth(1).unwrap().split('"').next().unwrap();
        let sale = [("key", &*key), ("pass_type", pass_type), ("amount", "980.50"), ("method", "cash")];
        owner.go(&format!("{of_member}/passes"), &sale).await.expect(200).says("The pass is sold.").says("credits left: 10");
        // Sent twice, it is one sale.
        owner.go(&format!("{of_member}/passes"), &sale).await.expect(200);
        assert_eq!(house.how_many("SELECT COUNT(*) FROM passes").await, 1);
        let wrong = [("key", &*key), ("pass_type", pass_type), ("amount", "a lot")];
        owner.send(&format!("{of_member}/passes"), &wrong).await.expect(422).says("role=\"alert\"");
        let page = owner.see(&of_member).await.expect(200);
        let from = page.text.find("name=\"session\"").unwrap();
        let session = page.text[from..].split("<option value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let booked = [("key", &*page.field("key")), ("session", &*session)];
        owner.go(&format!("{of_member}/bookings"), &booked).await.expect(200).says("Booked.").says("credits left: 9");
        let seen = house.how_many("SELECT COUNT(*) FROM events WHERE action = 'member.seen'").await;
        assert!(seen >= 3, "who looked at a member is written down: {seen}");
    }

    async fn house_rules_are_sentences(house: House) {
        let mut admin = Browser::of(&house, &house.studio.admin).await;
        let at = format!("/console/{}/house-rules", house.studio.id);
        let shown = admin.see(&at).await.expect(200).says("Cancelling is free until").says("value=\"12 h\"").says("Tue 1 Dec, 18:30").says("A member books it on Sun 29 Nov, 12:00: free to cancel until Tue 1 Dec, 06:30, late after that.");
        // Every field as the page holds it.
        let mut fields: Vec<(String, String)> = Vec::new();
        for tag in shown.text.split(['<', '>']).filter(|tag| tag.starts_with("input ")) {
            let of = |name: &str| tag.split(&format!(" {name}=\"")).nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned);
            if of("type").as_deref() != Some("checkbox") {
                fields.extend(of("name").zip(of("value")));
            }
        }
        fields.extend([("after_cutoff", "offers"), ("strikes_for", "both"), ("instructors_schedule", "own")].map(|(name, value)| (name.to_owned(), value.to_owned())));
        fn set(fields: &mut [(String, String)], name: &str, value: &str) {
            fields.iter_mut().find(|(of, _)| of == name).unwrap_or_else(|| panic!("{name}")).1 = value.to_owned();
        }
        fn form(fields: &[(String, String)]) -> Vec<(&str, &str)> {
            fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
        }
        set(&mut fields, "free_cancel_min", "2 h");
        set(&mut fields, "late_cancel_fee_minor", "50");
        set(&mut fields, "fee_currency", "cny");
        // Looked at, nothing is saved; what cannot be is said beside the rule.
        let looking = [form(&fields), vec![("look", "true")]].concat();
        admin.send(&at, &looking).await.expect(200).says("Tue 1 Dec, 16:30");
        admin.see(&at).await.says("Tue 1 Dec, 06:30");
        set(&mut fields, "offers_until_min", "300");
        admin.send(&at, &form(&fields)).await.expect(422).says("role=\"alert\"").says("aria-invalid=\"true\"");
        set(&mut fields, "offers_until_min", "soon");
        admin.send(&at, &form(&fields)).await.expect(422).says("must be a length of time").says("do not fit").keeps_quiet_of("A member books it");
        // While one types, what does not fit is said there, too.
        let looking = [form(&fields), vec![("look", "true")]].concat();
        admin.send(&at, &looking).await.expect(422).says("id=\"offers_until_min-why\">must be a length of time");
        set(&mut fields, "offers_until_min", "0:45");
        admin.go(&at, &form(&fields)).await.expect(200).says("The house rules are saved.").says("Tue 1 Dec, 16:30");
        let rules = house.get(house.of_studio("house-rules")).by(&house.studio.admin).await.expect(200);
        assert_eq!(rules["offers_until_min"], 45);
        assert_eq!((&rules["free_cancel_min"], &rules["after_cutoff"], &rules["late_cancel_fee_minor"], &rules["fee_currency"]), (&json!(120), &json!("offers"), &json!(5_000), &json!("CNY")));
        // Somebody else was faster: what was typed stays, what it is now stands beside it, and sent once more it is saved.
        set(&mut fields, "free_cancel_min", "180");
        let stale = admin.send(&at, &form(&fields)).await.expect(412).says("role=\"alert\"").says("value=\"180\"").says("<b>Now:</b> 2 h");
        assert_eq!(stale.text.matches("<b>Now:</b>").count(), 1, "only what differs: {}", stale.text);
        set(&mut fields, "version", &stale.field("version"));
        admin.go(&at, &form(&fields)).await.expect(200).says("The house rules are saved.").says("value=\"3 h\"");
    }

    async fn pages_are_in_the_readers_language(house: House) {
        let mut browser = Browser::of(&house, &house.studio.desk).await;
        let today = format!("/console/{}/today", house.studio.id);
        assert_eq!(browser.see(&today).await.says("No classes on this day.").header("content-language"), "en");
        browser.go("/console/language", &[("language", "zh-Hans"), ("page", &today)]).await.expect(200).says("这一天没有课。").says("lang=\"zh-Hans\"");
        browser.go("/console/language", &[("language", "zh-Hant"), ("page", &today)]).await.expect(200).says("這一天沒有課。");
        browser.see(&format!("/console/{}/setup", house.studio.id)).await.expect(403).says("lang=\"zh-Hant\"");
        browser.send("/console/language", &[("language", "fr")]).await.expect(422);
        // A dead end is a page, too.
        browser.see(&format!("/console/{}/sessions/{}", house.studio.id, house.new_id())).await.expect(404).says("<h1>");
        browser.see("/console/nonsense/today").await.expect(404).says("<h1>");
    }

    async fn what_people_write_is_text(house: House) {
        const PLANTED: &str = "<script>alert('x')</script>\"'><b>";
        house.letters_may_stay();
        let ana = house.member("Ana").await;
        let evening = house.plan("2026-11-30 10:30", 1).await;
        let booking = house.book(&ana, &evening).await.expect_booked().id;
        let ben = house.member("Ben").await;
        let waiting = house.book(&ben, &evening).or_wait().await.expect_waitlisted(1).id;
        let studio = house.studio.id;
        let series = house.begin(&house.studio.admin, json!({"draft": true})).await.expect(201).id();
        let pass: (Uuid,) = house.db.one("SELECT id FROM passes WHERE person_id = $1", (ana.id,)).await.unwrap();
        let pass = pass.0;
        house.write(move |tx| Box::pin(async move {
            let words = json!({"en": PLANTED}).to_string();
            let json = sqlx::types::Json(serde_json::from_str::<serde_json::Value>(&words).unwrap());
            tx.run("UPDATE studios SET name = $1, address = $1", (PLANTED,)).await?;
            tx.run("UPDATE rooms SET name = $1", (PLANTED,)).await?;
            tx.run("UPDATE class_types SET name = $1, level = $2", (json.clone(), PLANTED)).await?;
            tx.run("UPDATE pass_types SET name = $1", (json.clone(),)).await?;
            tx.run("UPDATE passes SET name = $1, transferable = TRUE", (json,)).await?;
            tx.run("UPDATE persons SET name = $1", (PLANTED,)).await?;
            tx.run("UPDATE members SET name = $1, phone = $1, note = $1", (PLANTED,)).await?;
            tx.run("UPDATE sessions SET team_note = $1, member_note = $1", (PLANTED,)).await
        })).await;
        let mut owner = Browser::of(&house, &house.studio.owner).await;
        let at = format!("/console/{studio}");
        let of_session = format!("{at}/sessions/{}", evening.id);
        owner.go(&format!("{of_session}/notes"), &[("team", PLANTED), ("members", PLANTED)]).await.expect(200);
        owner.go(&format!("{of_session}/move-up"), &[("booking", &*waiting.to_string()), ("reason", PLANTED), ("extra_place", "true")]).await.expect(200);
        owner.go(&format!("{of_session}/hold"), &[("kind", "guest"), ("places", "0"), ("note", PLANTED)]).await.expect(422);
        let pages = [
            "/console".to_owned(),
            format!("/console/sign-in?next={PLANTED}"),
            format!("{at}/today"), format!("{at}/today?said={PLANTED}"), format!("{at}/schedule"), format!("{at}/sessions/new"), of_session.clone(),
            format!("{of_session}/edit"), format!("{of_session}/cancel"), format!("{at}/bookings/{booking}"), format!("{at}/bookings/{waiting}"),
            format!("{at}/members"), format!("{at}/members/new"), format!("{at}/members/{}", ana.id), format!("{at}/setup"), format!("{at}/rooms/{}", house.studio.room), format!("{at}/class-types/{}", house.studio.class_type), "/console/new-studio".to_owned(), "/console?choose=true".to_owned(), format!("{at}/house-rules"), format!("{at}/letters"), format!("{at}/letters?state={PLANTED}"),
            format!("{at}/letters/preview"), format!("{at}/letters/preview?kind=booked&language={PLANTED}"), format!("{at}/trail"), format!("{at}/trail?kind={PLANTED}"), format!("{at}/trail?person={}", ana.id), format!("{at}/imports"), format!("{at}/imports?said={PLANTED}"),
            format!("{at}/pass-types"), format!("{at}/pass-types/new"), format!("{at}/pass-types/{}", house.studio.pack_type), format!("{at}/team"), format!("{at}/team/{}", ana.id),
            format!("{at}/kiosk"), format!("{of_session}/walk-in"), format!("{at}/series"), format!("{at}/series/new"), format!("{at}/series/{series}"), format!("{at}/series/{series}/publication"),
            format!("{at}/schedule?by=room"), format!("{at}/schedule?by=instructor"), format!("{at}/schedule/copy"), format!("{at}/closing-days"), format!("{at}/substitutes"), format!("{of_session}/substitute"),
            format!("{of_session}/edit?start={PLANTED}"), format!("{at}/passes/{pass}"), format!("{at}/passes/{pass}/transfer"), format!("{at}/members/{}/merge", ana.id), format!("{at}/members/{}/erasure", ana.id), "/console/account".to_owned(), format!("/console/{studio}/{PLANTED}"),
            format!("{at}/settings"), format!("{at}/settings?said={PLANTED}"), format!("{at}/monday"), format!("{at}/monday?week={PLANTED}"), format!("{at}/monday?week=2026-11-30"), format!("{at}/attendance?from=2026-11-01&to=2026-12-01"),
            format!("{at}/attendance/sessions?from=2026-11-01&to=2026-12-01&start={PLANTED}"), format!("{at}/attendance/sessions?from=2026-11-01&to=2026-12-01&room={}", house.studio.room),
        ];
        let mut shown = Vec::new();
        for page in &pages {
            shown.push((page.clone(), owner.see(page).await));
        }
        shown.push(("room".into(), owner.send(&format!("{at}/rooms/{}", house.studio.room), &[("version", "0"), ("name", PLANTED), ("capacity", PLANTED)]).await));
        shown.push(("class".into(), owner.send(&format!("{at}/class-types/{}", house.studio.class_type), &[("version", PLANTED), ("name", PLANTED), ("level", PLANTED), ("minutes", PLANTED)]).await));
        for (form, fields) in [("rooms", ["name", "capacity"]), ("class-types", ["name", "level"]), ("pass-types", ["name", "price"]), ("invitations", ["email", "role"])] {
            shown.push((form.into(), owner.send(&format!("{at}/setup/{form}"), &fields.map(|field| (field, PLANTED))).await));
        }
        shown.push(("new studio".into(), owner.send("/console/new-studio", &[("name", PLANTED), ("time_zone", PLANTED), ("address", PLANTED), ("shop_url", PLANTED)]).await));
        shown.push(("series".into(), owner.send(&format!("{at}/series/new"), &[("time", PLANTED), ("starts_on", PLANTED), ("capacity", PLANTED), ("mo", "true")]).await));
        shown.push(("closing days".into(), owner.send(&format!("{at}/closing-days"), &[("first", "2026-11-30"), ("note", PLANTED)]).await));
        shown.push(("substitute".into(), owner.send(&format!("{of_session}/substitute"), &[("note", PLANTED)]).await));
        shown.push(("substitutes".into(), owner.send(&format!("{at}/substitutes"), &[("from", PLANTED), ("note", PLANTED)]).await));
        shown.push(("merge".into(), owner.send(&format!("{at}/members/{}/merge", ana.id), &[("q", PLANTED)]).await));
        shown.push(("into".into(), owner.send(&format!("{at}/members/{}/merge", ana.id), &[("into", &ben.id.to_string())]).await));
        shown.push(("erase".into(), owner.send(&format!("{at}/members/{}/erasure", ana.id), &[("name", PLANTED)]).await));
        shown.push(("gift".into(), owner.send(&format!("{at}/passes/{pass}/gift"), &[("credits", PLANTED), ("reason", PLANTED)]).await));
        shown.push(("given".into(), owner.go(&format!("{at}/passes/{pass}/gift"), &[("credits", "1"), ("reason", PLANTED)]).await));
        shown.push(("transfer".into(), owner.send(&format!("{at}/passes/{pass}/transfer"), &[("q", PLANTED)]).await));
        shown.push(("transfer to".into(), owner.send(&format!("{at}/passes/{pass}/transfer"), &[("person", &ben.id.to_string())]).await));
        shown.push(("passkey".into(), owner.send("/console/account/passkeys", &[("name", PLANTED), ("password", PLANTED), ("passkey", PLANTED)]).await));
        shown.push(("factor".into(), owner.send("/console/account/second-factors/confirmation", &[("id", &pass.to_string()), ("code", PLANTED), ("secret", PLANTED), ("uri", PLANTED)]).await));
        shown.push(("kiosk".into(), owner.send(&format!("{at}/kiosk"), &[("name", "")]).await));
        shown.push(("settings".into(), owner.send(&format!("{at}/settings"), &[("version", "1"), ("name", PLANTED), ("rules_text", PLANTED), ("shop_url", PLANTED)]).await));
        shown.push(("pass".into(), owner.send(&format!("{at}/pass-types/new"), &[("name", PLANTED), ("price", PLANTED), ("currency", PLANTED), ("valid", PLANTED)]).await));
        shown.push(("invite".into(), owner.send(&format!("{at}/team/invitations"), &[("email", PLANTED), ("role", "instructor")]).await));
        shown.push(("search".into(), owner.send(&format!("{at}/members"), &[("q", PLANTED)]).await));
        shown.push(("walk in".into(), owner.send(&format!("{of_session}/walk-in"), &[("q", "script"), ("name", PLANTED), ("email", PLANTED), ("reason", PLANTED)]).await));
        shown.push(("enter".into(), owner.send(&format!("{at}/members/new"), &[("name", PLANTED), ("email", PLANTED)]).await));
        shown.push(("make".into(), owner.send(&format!("{at}/sessions/new"), &[("start", PLANTED)]).await));
        shown.push(("sign in".into(), owner.send("/console/sign-in", &[("email", PLANTED), ("password", PLANTED)]).await));
        shown.push(("factor".into(), owner.send("/console/sign-in/second-factor", &[("challenge", PLANTED), ("code", PLANTED), ("question", PLANTED)]).await));
        for (page, shown) in shown {
            let text = shown.text.replace("<script src=", "");
            assert!(shown.status < 500, "{page}: {} {text}", shown.status);
            assert!(!text.contains("<script") && !text.contains("'><b>") && !text.contains(" style=") && !text.contains(" onclick="), "{page}: {text}");
            let policy = shown.header("content-security-policy");
            assert!(shown.status == 303 || (policy.contains("script-src 'self'") && !policy.contains("unsafe")), "{page}: {policy}");
        }
        owner.see(&of_session).await.says("&#60;script&#62;");
        house.audit_may_be_dirty();
    }
}
