//! What bad input gets: a 4xx problem that names the field, and nothing written. Never a 500.

use std::collections::BTreeMap;

use releve::extract::Cursor;
use serde_json::{Map, Value, json};

use crate::house::House;
use crate::seed::Person;
use crate::speech::{Call, Reply};

/// A call that takes a JSON body, with one that is well-formed.
struct Endpoint {
    method: &'static str,
    path: String,
    by: Option<Person>,
    headers: Vec<(&'static str, String)>,
    body: Value,
}

/// Fields in which a new line may stand.
const NOTES: [&str; 4] = ["note", "reason", "description", "rules_text"];
/// Fields that may hold any character: what is wrong with them is not the character.
const SECRETS: [&str; 6] = ["password", "old", "new", "code", "refresh_token", "challenge"];

impl Endpoint {
    fn call(&self, house: &House) -> Call {
        let call = match self.method {
            "POST" => house.post_to(&self.path),
            "PUT" => house.put(&self.path),
            "PATCH" => house.patch(&self.path),
            other => panic!("{other}"),
        };
        let call = self.headers.iter().fold(call, |call, (name, value)| call.header(name, value));
        match &self.by {
            Some(person) => call.by(person),
            None => call,
        }
    }

    /// With one field replaced.
    fn with(&self, field: &str, value: Value) -> Value {
        let mut body = self.body.clone();
        body[field] = value;
        body
    }

    fn fields(&self) -> Map<String, Value> {
        self.body.as_object().unwrap().clone()
    }
}

async fn endpoints(house: &House) -> Vec<Endpoint> {
    let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
    let session = house.session("2026-12-03 18:30", 12).await;
    let booking = house.book(&ana, &session).await.expect_booked();
    let pass = house.pack(&bo, 3).await.id;
    let studio = house.studio.clone();
    let (own, at, of) = (studio.id, format!("/v1/studios/{}", studio.id), |path: &str| format!("/v1/studios/{}/{path}", studio.id));
    let version = || vec![("If-Match", "1".to_owned())];
    let key = || vec![("Idempotency-Key", "a-key".to_owned())];
    let make = |method, path: String, by: Option<&Person>, headers, body| Endpoint { method, path, by: by.cloned(), headers, body };
    let (admin, desk) = (Some(&studio.admin), Some(&studio.desk));
    vec![
        make(
            "POST",
            "/v1/registrations".into(),
            None,
            vec![],
            json!({"email": "new@releve.test", "password": "plie-tendu-releve", "name": "New", "locale": "en", "policy_version": "1"}),
        ),
        make("POST", "/v1/email-verifications".into(), None, vec![], json!({"email": "new@releve.test", "code": "12345678"})),
        make("POST", "/v1/email-verifications/requests".into(), None, vec![], json!({"email": "new@releve.test"})),
        make(
            "POST",
            "/v1/tokens".into(),
            None,
            vec![],
            json!({"email": "new@releve.test", "password": "plie-tendu-releve", "device": "phone"}),
        ),
        make("POST", "/v1/tokens/refresh".into(), None, vec![], json!({"refresh_token": "nonsense"})),
        make("POST", "/v1/tokens/second-factor".into(), None, vec![], json!({"challenge": "nonsense", "totp": "123456"})),
        make("POST", "/v1/password-resets".into(), None, vec![], json!({"email": "new@releve.test"})),
        make(
            "PUT",
            "/v1/password-resets".into(),
            None,
            vec![],
            json!({"email": "new@releve.test", "code": "12345678", "password": "plie-tendu-releve"}),
        ),
        make(
            "PUT",
            "/v1/invitations/acceptance".into(),
            None,
            vec![],
            json!({"code": "nonsense", "name": "New", "password": "plie-tendu-releve"}),
        ),
        make("PATCH", "/v1/me".into(), Some(&ana), vec![], json!({"name": "Ana", "phone": "+86 10 1234", "locale": "en"})),
        make("PUT", "/v1/me/password".into(), Some(&ana), vec![], json!({"old": "plie-tendu-releve", "new": "plie-tendu-releve-2"})),
        make("PUT", "/v1/me/email".into(), Some(&ana), vec![], json!({"email": "other@releve.test", "password": "plie-tendu-releve"})),
        make(
            "POST",
            "/v1/me/second-factors/totp".into(),
            Some(&ana),
            vec![],
            json!({"password": "plie-tendu-releve", "name": "phone", "totp": "123456"}),
        ),
        make("PUT", format!("/v1/me/second-factors/{own}/confirmation"), Some(&ana), vec![], json!({"totp": "123456"})),
        make(
            "PUT",
            format!("/v1/me/second-factors/{own}/removal"),
            Some(&ana),
            vec![],
            json!({"password": "plie-tendu-releve", "totp": "123456"}),
        ),
        make(
            "PUT",
            "/v1/me/recovery-codes".into(),
            Some(&ana),
            vec![],
            json!({"password": "plie-tendu-releve", "recovery_code": "7K3M-9QXT-2B4C-HN8P"}),
        ),
        make("POST", "/v1/me/calendars".into(), Some(&ana), vec![], json!({"kind": "studio", "studio_id": own})),
        make(
            "POST",
            "/v1/studios".into(),
            Some(&studio.owner),
            vec![],
            json!({"name": "West Bund", "time_zone": "Asia/Shanghai", "locale": "en", "address": "1 Road", "contact": "a@releve.test", "rules_text": "Be kind.", "privacy_url": "https://releve.test/p", "shop_url": "https://releve.test/s"}),
        ),
        make(
            "PATCH",
            at.clone(),
            admin,
            version(),
            json!({"name": "West Bund", "address": "1 Road", "contact": "a@releve.test", "rules_text": "Be kind.", "privacy_url": "https://releve.test/p", "shop_url": "https://releve.test/s", "locale": "en", "second_factor_required": false}),
        ),
        make(
            "PUT",
            of("house-rules"),
            admin,
            version(),
            json!({"booking_opens_days": 14, "booking_opens_at": "12:00", "free_cancel_min": 720, "after_cutoff": "open", "waitlist_unlimited": false}),
        ),
        make("PUT", of(&format!("staff/{}", bo.id)), admin, vec![], json!({"roles": ["instructor"]})),
        make("POST", of("invitations"), admin, vec![], json!({"email": "mei@releve.test", "roles": ["instructor"]})),
        make(
            "POST",
            of("members"),
            desk,
            vec![],
            json!({"name": "Cleo", "email": "cleo@releve.test", "phone": "+86 10 1234", "locale": "en"}),
        ),
        make("POST", of("rooms"), admin, vec![], json!({"name": "Studio B", "capacity": 10})),
        make("PATCH", of(&format!("rooms/{}", studio.room)), admin, version(), json!({"name": "Studio B", "capacity": 10})),
        make(
            "POST",
            of("class-types"),
            admin,
            vec![],
            json!({"name": {"en": "Barre"}, "description": {"en": "Legs."}, "level": "open", "minutes": 55, "credits": 1}),
        ),
        make(
            "PATCH",
            of(&format!("class-types/{}", studio.class_type)),
            admin,
            version(),
            json!({"name": {"en": "Barre"}, "level": "open", "minutes": 55, "credits": 1}),
        ),
        make(
            "POST",
            of("pass-types"),
            admin,
            vec![],
            json!({"name": {"en": "Ten"}, "kind": "pack", "credits": 10, "valid_days": 90, "price": {"amount_minor": 1, "currency": "CNY"}, "class_type_ids": [studio.class_type], "studio_ids": [own]}),
        ),
        make(
            "PATCH",
            of(&format!("pass-types/{}", studio.pack_type)),
            admin,
            version(),
            json!({"name": {"en": "Ten"}, "credits": 10, "valid_days": 90, "price": {"amount_minor": 1, "currency": "CNY"}}),
        ),
        make(
            "POST",
            of(&format!("members/{}/passes", ana.id)),
            desk,
            key(),
            json!({"pass_type_id": studio.pack_type, "paid": {"amount_minor": 1, "currency": "CNY", "method": "cash", "reference": "x"}}),
        ),
        make(
            "POST",
            of("sessions"),
            admin,
            vec![],
            json!({"class_type_id": studio.class_type, "room_id": studio.room, "instructor_id": studio.instructor.id, "local_start": "2026-12-04T18:30", "capacity": 10}),
        ),
        make(
            "PATCH",
            format!("/v1/sessions/{}", session.id),
            admin,
            version(),
            json!({"capacity": 10, "local_start": "2026-12-04T18:30", "room_id": studio.room, "instructor_id": studio.instructor.id, "class_type_id": studio.class_type}),
        ),
        make("PUT", format!("/v1/sessions/{}/cancellation", session.id), admin, vec![], json!({"reason": "illness", "note": "Get well."})),
        make(
            "PUT",
            format!("/v1/bookings/{}", house.new_id()),
            Some(&bo),
            vec![],
            json!({"session_id": session.id, "pass_id": house.new_id(), "waitlist": false, "person_id": bo.id}),
        ),
        make(
            "PUT",
            format!("/v1/bookings/{}/cancellation", booking.id),
            Some(&ana),
            vec![],
            json!({"if_status": "booked", "if_free": true}),
        ),
        make("PUT", format!("/v1/bookings/{}/acceptance", booking.id), Some(&ana), vec![], json!({})),
        make("POST", format!("/v1/passes/{pass}/gifts"), admin, key(), json!({"credits": 1, "reason": "A birthday"})),
        make("PUT", format!("/v1/passes/{pass}/expiry"), admin, vec![], json!({"expires_on": "2027-12-31", "reason": "A birthday"})),
        make(
            "PUT",
            format!("/v1/passes/{pass}/freeze"),
            desk,
            vec![],
            json!({"from": "2026-12-05", "until": "2026-12-06", "cancel_bookings": true}),
        ),
        make("PUT", format!("/v1/passes/{pass}/transfer"), desk, vec![], json!({"person_id": ana.id, "studio_id": own})),
        make(
            "POST",
            format!("/v1/passes/{pass}/refunds"),
            admin,
            key(),
            json!({"amount_minor": 1, "method": "cash", "reason": "Moved away"}),
        ),
        make(
            "PUT",
            format!("/v1/bookings/{}/conditions", booking.id),
            Some(&ana),
            vec![],
            json!({"notice_minutes_min": 60, "not_after": "2026-12-03T10:30:00Z", "one_a_day": true}),
        ),
        make(
            "PUT",
            format!("/v1/sessions/{}/holds/{}", session.id, house.new_id()),
            desk,
            vec![],
            json!({"kind": "guest", "places": 1, "until": "2026-12-03T10:00:00Z", "note": "For a friend"}),
        ),
        make("PUT", format!("/v1/bookings/{}/check-in", booking.id), desk, vec![], json!({"at": "2026-12-03T10:30:00Z"})),
    ]
}

/// How many rows each table has.
async fn row_counts(house: &House) -> BTreeMap<String, i64> {
    let tables = releve::db::Sql::Each {
        sqlite: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
        postgres: "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public'",
    };
    let tables: Vec<(String,)> = house.db.all(tables, ()).await.unwrap();
    let mut counts = BTreeMap::new();
    for (table,) in tables {
        let sql: &'static str = Box::leak(format!("SELECT COUNT(*) FROM {table}").into_boxed_str());
        let (count,): (i64,) = house.db.one(sql, ()).await.unwrap();
        counts.insert(table, count);
    }
    counts
}

/// A value of a type that the field does not have.
fn wrong_types(value: &Value) -> Vec<Value> {
    let number = || json!(42);
    match value {
        Value::String(_) => vec![number(), json!([]), json!({}), json!(true)],
        Value::Number(_) => vec![json!("many"), json!(1.5), json!(-1), json!(i64::MAX), json!([1]), json!(1e300)],
        Value::Bool(_) => vec![json!("yes"), number()],
        Value::Array(_) => vec![json!("all"), json!({"0": 1}), json!([{}]), json!([["x"]])],
        Value::Object(_) => vec![json!("x"), json!([]), json!({"surprise": 1}), number()],
        Value::Null => vec![],
    }
}

/// Refused as the caller's fault, naming this field, one in it, or one it is in.
#[track_caller]
fn refused_naming(reply: Reply, field: &str) {
    let reply = reply.expect_client_error();
    let named = reply["errors"].as_array().is_some_and(|errors| {
        errors.iter().any(|error| {
            error["field"]
                .as_str()
                .is_some_and(|name| name == field || name.starts_with(&format!("{field}.")) || name.starts_with(&format!("{field}[")))
        })
    });
    assert!(named, "{field} is not named: {reply:?}");
}

both_engines! {
    async fn bodies_that_are_no_json(house: House) {
        for endpoint in endpoints(&house).await {
            let before = row_counts(&house).await;
            for bytes in ["", "{", "{\"a\":", "nonsense", "[1,2", "{} {}", "\u{feff}{}", "{\"a\": 1e999}"] {
                endpoint.call(&house).body("application/json", bytes).await.expect_client_error();
            }
            endpoint.call(&house).body("application/json", vec![0xff, 0xfe, 0x00]).await.expect_client_error();
            endpoint.call(&house).body("application/json", "[".repeat(20_000)).await.expect_client_error();
            for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
                let reply = endpoint.call(&house).body(content_type, endpoint.body.to_string()).await;
                reply.expect_refused(415, "unsupported-media-type").naming("Content-Type");
            }
            let huge = json!({"surprise": "x".repeat(70_000)}).to_string();
            endpoint.call(&house).body("application/json", huge).await.expect_refused(413, "body-too-large");
            assert_eq!(row_counts(&house).await, before, "{} {}", endpoint.method, endpoint.path);
        }
    }

    async fn bodies_that_are_no_object_or_say_too_much(house: House) {
        for endpoint in endpoints(&house).await {
            let before = row_counts(&house).await;
            for body in [json!([]), json!("x"), json!(1), json!(null), json!(true)] {
                endpoint.call(&house).json(&body).await.expect_client_error();
            }
            refused_naming(endpoint.call(&house).json(&endpoint.with("surprise", json!(1))).await, "surprise");
            assert_eq!(row_counts(&house).await, before, "{} {}", endpoint.method, endpoint.path);
        }
    }

    async fn fields_of_the_wrong_type(house: House) {
        for endpoint in endpoints(&house).await {
            let before = row_counts(&house).await;
            for (field, value) in endpoint.fields() {
                for wrong in wrong_types(&value) {
                    refused_naming(endpoint.call(&house).json(&endpoint.with(&field, wrong)).await, &field);
                }
            }
            assert_eq!(row_counts(&house).await, before, "{} {}", endpoint.method, endpoint.path);
        }
    }

    async fn texts_that_are_no_texts(house: House) {
        for endpoint in endpoints(&house).await {
            let before = row_counts(&house).await;
            for (field, value) in endpoint.fields() {
                if !value.is_string() || SECRETS.contains(&field.as_str()) {
                    continue;
                }
                let mut wrong = vec!["a\u{0}b".to_owned(), "a\u{7}b".into(), "a\u{202e}b".into(), "x".repeat(5_000)];
                if !NOTES.contains(&field.as_str()) {
                    wrong.extend(["a\nb".to_owned(), "ana@releve.test\r\nBcc: all@releve.test".into()]);
                }
                for text in wrong {
                    refused_naming(endpoint.call(&house).json(&endpoint.with(&field, json!(text))).await, &field);
                }
            }
            assert_eq!(row_counts(&house).await, before, "{} {}", endpoint.method, endpoint.path);
        }
    }

    async fn addresses_that_are_none(house: House) {
        for endpoint in endpoints(&house).await {
            for field in ["email", "contact"] {
                if endpoint.body.get(field).is_none() {
                    continue;
                }
                for address in ["", " ", "ana", "ana@", "@releve.test", "ana@releve.test, bo@releve.test", "<ana@releve.test>", "ana@releve.test\n", "a b@releve.test", &format!("{}@releve.test", "x".repeat(300))] {
                    // What stands around an address is trimmed; a line break within is not.
                    if address.trim() == "ana@releve.test" {
                        continue;
                    }
                    // An empty contact is none.
                    if field == "contact" && address.trim().is_empty() {
                        continue;
                    }
                    refused_naming(endpoint.call(&house).json(&endpoint.with(field, json!(address))).await, field);
                }
            }
        }
    }

    async fn ids_that_are_none(house: House) {
        let other = house.new_id();
        for endpoint in endpoints(&house).await {
            let parts: Vec<&str> = endpoint.path.split('/').collect();
            for (n, part) in parts.iter().enumerate() {
                if part.parse::<uuid::Uuid>().is_err() {
                    continue;
                }
                // The id of a booking, and of a hold, is chosen by its app.
                let chosen = matches!(parts[n - 1], "bookings" | "holds") && n + 1 == parts.len();
                for id in ["nonsense", "00000000", "%00", "..%2f..", &other.to_string()] {
                    if chosen && id == other.to_string() {
                        continue;
                    }
                    let mut path = parts.clone();
                    path[n] = id;
                    let endpoint = Endpoint { path: path.join("/"), body: endpoint.body.clone(), headers: endpoint.headers.clone(), by: endpoint.by.clone(), ..endpoint };
                    let reply = endpoint.call(&house).json(&endpoint.body).await.expect_client_error();
                    assert!(matches!(reply.status, 403 | 404 | 422), "{reply:?}");
                    assert!(reply.status != 403 || id == other.to_string(), "{reply:?}");
                }
            }
        }
    }

    async fn parameters_out_of_range(house: House) {
        let ana = house.member("Ana").await;
        let (studio, admin, id) = (house.studio.id, house.studio.admin.clone(), house.new_id());
        let at = |rest: &str| format!("/v1/studios/{studio}/{rest}");
        let calls: Vec<(String, Option<&Person>, &str)> = vec![
            (at("sessions?from=yesterday"), None, "from"),
            (at("sessions?from=2026-13-01"), None, "from"),
            (at("sessions?from=1900-01-01"), None, "from"),
            (at("sessions?from=2026-12-01&to=2026-12-01"), None, "to"),
            (at("sessions?from=2026-12-01&to=2026-11-01"), None, "to"),
            (at("sessions?from=2026-12-01&to=2027-03-01"), None, "to"),
            (at("sessions?from=2026-12-01&to=9999-12-31"), None, "to"),
            (at("sessions?limit=0"), None, "limit"),
            (at("sessions?limit=201"), None, "limit"),
            (at("sessions?limit=-1"), None, "limit"),
            (at("sessions?limit=99999999999999999999"), None, "limit"),
            (at("sessions?limit=ten"), None, "limit"),
            (at("sessions?after=nonsense"), None, "after"),
            (at("sessions?after=AAAA"), None, "after"),
            (at("sessions?class_type=barre"), None, "class_type"),
            (at("sessions?instructor=lin"), None, "instructor"),
            (at("sessions?surprise=1"), None, "surprise"),
            ("/v1/me/bookings?when=never".into(), Some(&ana), "when"),
            ("/v1/me/bookings?limit=1000".into(), Some(&ana), "limit"),
            ("/v1/me/bookings?after=%00".into(), Some(&ana), "after"),
            ("/v1/me/passes?limit=0".into(), Some(&ana), "limit"),
            ("/v1/me/letters?after=x".into(), Some(&ana), "after"),
            ("/v1/me/teaching?from=x".into(), Some(&ana), "from"),
            (at("members?limit=x"), Some(&admin), "limit"),
            (at("members?after=x"), Some(&admin), "after"),
            (at("letters?state=lost"), Some(&admin), "state"),
            (at("reports/attendance?from=x&to=2026-12-01"), Some(&admin), "from"),
            (at("reports/attendance?from=2026-12-02&to=2026-12-01"), Some(&admin), "to"),
            (at("reports/attendance?by=mood"), Some(&admin), "by"),
            (at("reports/attendance?from=2026-01-01&to=2027-01-03"), Some(&admin), "to"),
            (at("reports/credits?format=xlsx"), Some(&admin), "format"),
            (at("reports/credits?from=2026-12-01"), Some(&admin), "from"),
            (at("reports/demand?from=2026-02-30"), Some(&admin), "from"),
            (at("reports/letters?bom=perhaps"), Some(&admin), "bom"),
            (at("reports/monday?week=48"), Some(&admin), "week"),
            (at("reports/pay?to=now"), Some(&admin), "to"),
            (at("reports/retention?surprise=1"), Some(&admin), "surprise"),
            (at("pass-types?limit=x"), None, "limit"),
            (at("class-types?after=x"), None, "after"),
            ("/v1/studios?after=x".into(), None, "after"),
        ];
        for (path, by, field) in calls {
            let call = house.get(&path);
            let reply = if let Some(person) = by { call.by(person) } else { call }.await;
            refused_naming(reply, field);
        }
        for path in [format!("/v1/studios/{id}"), format!("/v1/sessions/{id}"), format!("/v1/studios/{id}/sessions"), "/v1/studios/x".into(), "/v1/sessions/x/roster".into()] {
            house.get(&path).by(&admin).await.expect_refused(404, "not-found");
        }
        // A cursor of another list is no cursor of this one.
        let of_letters = Cursor(id).text().unwrap();
        refused_naming(house.get(at(&format!("sessions?after={of_letters}"))).await, "after");
        // And a name in it is a name, of a kind that both engines can compare.
        let of_nobody = Cursor((0, "\0", id)).text().unwrap();
        refused_naming(house.get(at(&format!("members?after={of_nobody}"))).by(&admin).await, "after");
        let of_somebody = Cursor((0, "\nana\n", id)).text().unwrap();
        house.get(at(&format!("members?after={of_somebody}"))).by(&admin).await.expect(200);
    }

    async fn headers_out_of_form(house: House) {
        let ana = house.member("Ana").await;
        let session = house.session("2026-12-03 18:30", 12).await;
        let (admin, desk, studio) = (&house.studio.admin, &house.studio.desk, house.studio.id);
        for version in ["", "x", "*", "-1", "1.5", "99999999999999999999"] {
            let reply = house.patch(format!("/v1/sessions/{}", session.id)).by(admin).header("If-Match", version).json(&json!({"capacity": 3})).await;
            reply.expect_client_error();
        }
        let sell = format!("/v1/studios/{studio}/members/{}/passes", ana.id);
        let body = json!({"pass_type_id": house.studio.pack_type});
        house.post_to(&sell).by(desk).json(&body).await.expect_refused(428, "precondition-missing").naming("Idempotency-Key");
        for key in ["", &"x".repeat(1_000)] {
            house.post_to(&sell).by(desk).header("Idempotency-Key", key).json(&body).await.expect_client_error().naming("Idempotency-Key");
        }
        for instant in ["", "tomorrow", "2026-12-01", "2026-12-01T00:00:00", "99999-01-01T00:00:00Z"] {
            let call = house.put(format!("/v1/bookings/{}", house.new_id())).by(&ana).header("Not-After", instant);
            call.json(&json!({"session_id": session.id})).await.expect_client_error().naming("Not-After");
        }
        for token in ["", "x.y.z", "Bearer", &"x".repeat(10_000)] {
            house.get("/v1/me").token(token).await.expect_client_error();
        }
        house.get("/v1/me").header("Authorization", "Basic YTpi").await.expect_refused(401, "token-refused");
    }

    async fn methods_that_are_none(house: House) {
        house.delete("/v1/studios").await.expect_refused(405, "method-not-allowed");
        house.put("/healthz").json(&json!({})).await.expect_refused(405, "method-not-allowed");
        house.get("/v1").await.expect_refused(404, "not-found");
        house.get("/v1/../etc/passwd").await.expect_refused(404, "not-found");
    }

    async fn a_problem_speaks_the_caller_s_language(house: House) {
        for (asked, tag, title) in [("zh-CN", "zh-Hans", "未找到相关内容。"), ("zh-TW, en;q=0.5", "zh-Hant", "找不到相關內容。"), ("fr", "en", "There is nothing here.")] {
            let reply = house.get("/v1/nothing").header("Accept-Language", asked).await.expect_refused(404, "not-found");
            assert_eq!((reply.header("content-language"), &reply["title"]), (tag, &json!(title)));
        }
    }
}
