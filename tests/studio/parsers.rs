//! Every parser of foreign bytes, with bytes that somebody invents: none panics, none takes long, and what is taken means one thing.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, FromRequestParts as _};
use axum::http::{Extensions, HeaderMap, HeaderValue, Request};
use chrono::{DateTime, NaiveDate};
use proptest::prelude::*;
use proptest::string::string_regex;
use releve::extract::{Cursor, IdempotencyKey, IfMatch, query};
use releve::language::Language;
use releve::letters::message::Mail;
use releve::letters::rules::SendError;
use releve::letters::smtp::Smtp;
use releve::schedule::series::{Series, rules};
use releve::settings::{Origin, Proxy};
use releve::sign_in::client_ip;
use releve::sign_in::keys::Keys;
use releve::sign_in::secrets::{RefreshToken, long_code, plain_code};
use releve::text::{Email, Line, WebAddress, address_key};
use serde_json::Value;
use sqlx::types::Json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::house::KEY;

/// Whatever a header may carry: bytes that are no text among them.
fn any_header() -> impl Strategy<Value = HeaderValue> {
    prop::collection::vec(prop_oneof![4 => 0x20_u8..0x7f, 1 => 0x80_u8.., 1 => Just(b'\t')], 0..200)
        .prop_map(|bytes| HeaderValue::from_bytes(&bytes).unwrap())
}

/// Words of a grammar in any order, and now and then anything between them.
fn words_of(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    let word = prop_oneof![8 => prop::sample::select(words).prop_map(str::to_owned), 1 => "\\PC{0,4}", 1 => "[0-9]{1,20}"];
    prop::collection::vec(word, 0..24).prop_map(|words| words.concat())
}

fn series(rule: String) -> Series {
    Series {
        id: Uuid::nil(),
        studio_id: Uuid::nil(),
        rule,
        starts_on: NaiveDate::from_ymd_opt(2026, 12, 1).unwrap(),
        until_on: None,
        count_max: None,
        except_dates: Json(Vec::new()),
        draft: false,
        next_date: None,
        make_at: None,
        version: 1,
        created_by: None,
        created_at: DateTime::UNIX_EPOCH,
    }
}

/// How long one rule may keep the one writer of the deployment busy, in a build without optimisation.
const RULE_TIME_MAX: Duration = Duration::from_secs(5);

fn check_rule(rule: String) -> Result<(), TestCaseError> {
    let series = series(rule);
    let began = Instant::now();
    let taken = rules::check(&series).is_ok();
    if taken {
        let dates: Vec<NaiveDate> = rules::dates(&series, series.starts_on).take(30).collect();
        prop_assert!(!dates.is_empty() && dates.is_sorted() && dates[0] >= series.starts_on, "{}: {dates:?}", series.rule);
    }
    prop_assert!(began.elapsed() < RULE_TIME_MAX, "{:?} of {}", began.elapsed(), series.rule);
    Ok(())
}

/// Which address a request with these headers counts for, from a proxy that is trusted.
fn forwarded(values: &[HeaderValue]) -> std::net::IpAddr {
    let mut extensions = Extensions::new();
    extensions.insert(ConnectInfo(SocketAddr::from(([10, 0, 0, 1], 4711))));
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append("x-forwarded-for", value.clone());
    }
    client_ip(&extensions, &headers, &["10.0.0.0/8".parse::<Proxy>().unwrap()])
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    futures_util::FutureExt::now_or_never(future).expect("it waits for nothing")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_address_is_taken_in_one_form_or_not_at_all(text in prop_oneof![
        "\\PC{0,300}",
        words_of(&["a", "A", ".", "..", "@", "\"", "+", "-", "_", "xn--", "münchen", "example", ".test", " ", "\r\n", "\u{0}", "ａ", "＠", "K", "ß", "<", ">", ",", "[127.0.0.1]"]),
    ]) {
        if let Ok(email) = Email::parse(&text) {
            let said = email.as_str();
            prop_assert!(said.len() <= 254 && !said.chars().any(char::is_control), "{said:?}");
            prop_assert!(said.contains('@'), "{said:?}");
            // No header of a letter is made of it, and reading it again changes nothing.
            prop_assert!(!said.contains(['\r', '\n']));
            prop_assert_eq!(Email::parse(said), Ok(email.clone()));
            prop_assert_eq!(address_key(&email.key()), email.key(), "a key is its own key: {:?}", said);
            let _ = (email.old_key(), email.for_mail_servers());
        }
    }

    #[test]
    fn a_line_is_one_line(text in "\\PC{0,60}|[\\s\\S]{0,60}") {
        if let Ok(phone) = Line::<40>::parse(&text) {
            let said = phone.as_str();
            prop_assert!(!said.is_empty() && said.chars().count() <= 40 && said.trim() == said);
            prop_assert!(!said.chars().any(char::is_control), "{said:?}");
            prop_assert!(!said.contains(['\u{202e}', '\u{2066}', '\u{2028}', '\u{feff}']), "{said:?}");
            prop_assert_eq!(Line::<40>::parse(said), Ok(phone.clone()));
        }
    }

    #[test]
    fn a_web_address_leads_to_the_web(text in prop_oneof!["\\PC{0,80}", words_of(&["http", "https", "javascript", "data", "://", ":", "/", "a.test", "@", "?", "#", "\\", "\t", "\n", " ", "[::1]", "%00"])]) {
        if WebAddress::parse(&text).is_ok() {
            let url = url::Url::parse(text.trim()).unwrap();
            prop_assert!(["http", "https"].contains(&url.scheme()) && url.has_host());
        }
    }

    #[test]
    fn a_cursor_is_ours_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..120), id in any::<u128>()) {
        use base64::Engine as _;
        let text = base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(&bytes);
        let read = |text: &str| serde_json::from_value::<Cursor<Uuid>>(Value::String(text.into())).ok().map(|Cursor(id)| id);
        if let Some(id) = read(&text) {
            prop_assert_eq!(read(&Cursor(id).text().unwrap()), Some(id));
        }
        let id = Uuid::from_u128(id);
        prop_assert_eq!(read(&Cursor(id).text().unwrap()), Some(id));
    }

    #[test]
    fn a_query_is_read_or_refused(text in "\\PC{0,120}|[a-z%&=+0-9]{0,120}") {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(dead_code)]
        struct Asked {
            limit: Option<i64>,
            after: Option<String>,
            q: Option<bool>,
        }
        let _ = query::<Asked>(&text);
    }

    #[test]
    fn the_best_language_is_one_that_was_named(header in prop_oneof![
        "\\PC{0,200}",
        words_of(&["en", "zh", "-Hans", "-Hant", "-TW", "_HK", "fr", "*", ",", ";", "q=", ";q=0", ";q=1.0", "0.5", "NaN", "inf", "-1", " "]),
    ]) {
        let found = Language::of_header(&header);
        let named = |what: &str| header.to_ascii_lowercase().contains(what);
        match found {
            Some(Language::En) => prop_assert!(named("en")),
            Some(_) => prop_assert!(named("zh")),
            None => {}
        }
    }

    /// Whatever a client invents stands before what the proxy wrote, and changes nothing.
    #[test]
    fn nobody_invents_where_they_come_from(invented in prop::collection::vec(any_header(), 0..6), client in any::<[u8; 4]>()) {
        let client = std::net::Ipv4Addr::from(client);
        prop_assume!(client.octets()[0] != 10);
        let mut values = invented.clone();
        values.push(HeaderValue::from_str(&client.to_string()).unwrap());
        prop_assert_eq!(forwarded(&values), client);
        // Joined as some proxies do.
        if let Some(text) = invented.last().and_then(|value| value.to_str().ok()) {
            prop_assert_eq!(forwarded(&[HeaderValue::from_str(&format!("{text}, {client}")).unwrap()]), client);
        }
        let _ = forwarded(&invented);
    }

    #[test]
    fn an_edit_names_a_version_or_is_refused(value in prop_oneof![any_header(), words_of(&["\"", "W/", "-", "1", "ab", "*", ","]).prop_filter_map("a header", |text| HeaderValue::from_str(&text).ok())]) {
        let mut request = Request::new(());
        request.headers_mut().insert("if-match", value.clone());
        request.headers_mut().insert("idempotency-key", value.clone());
        let (mut parts, ()) = request.into_parts();
        if let Ok(IfMatch(version)) = ready(IfMatch::from_request_parts(&mut parts, &())) {
            prop_assert!(value.to_str().unwrap().contains(&version.unsigned_abs().to_string()), "{value:?} is {version}");
        }
        if let Ok(IdempotencyKey(key)) = ready(IdempotencyKey::from_request_parts(&mut parts, &())) {
            prop_assert!((1..=200).contains(&key.len()) && key.is_ascii());
        }
    }

    /// Changed in one place, a token is nobody's.
    #[test]
    fn a_token_is_ours_to_the_last_bit(at in any::<prop::sample::Index>(), other in any::<u8>(), rubbish in "\\PC{0,200}|[A-Za-z0-9_.-]{0,300}") {
        let keys = Keys::new(&[KEY.to_owned()]).unwrap();
        let now = DateTime::UNIX_EPOCH;
        prop_assert_eq!(keys.check::<Value>(&rubbish, now), None);
        let _ = keys.unseal(Uuid::nil(), rubbish.as_bytes());
        let token = keys.sign(&serde_json::json!({"sub": "ana"})).unwrap();
        let mut bytes = token.clone().into_bytes();
        let at = at.index(bytes.len());
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
        bytes[at] = letters[usize::from(other) % letters.len()];
        let changed = String::from_utf8(bytes).unwrap();
        if changed != token {
            prop_assert_eq!(keys.check::<Value>(&changed, now), None, "{}", changed);
        }
    }

    #[test]
    fn a_refresh_token_has_one_spelling(text in "[A-Za-z0-9_-]{80,90}|\\PC{0,100}", id in any::<u128>()) {
        if let Some(token) = RefreshToken::parse(&text) {
            prop_assert_eq!(token.text(), text);
        }
        let token = RefreshToken::first(Uuid::from_u128(id)).unwrap();
        prop_assert_eq!(RefreshToken::parse(&token.text()), Some(token));
    }

    #[test]
    fn a_typed_code_is_letters_and_digits(typed in "\\PC{0,60}") {
        let plain = plain_code(&typed);
        prop_assert!(plain.bytes().all(|byte| byte.is_ascii_digit() || (byte.is_ascii_uppercase() && !b"ILO".contains(&byte))), "{plain}");
        prop_assert_eq!(plain_code(&plain), plain);
        let code = long_code().unwrap();
        prop_assert_eq!(plain_code(&format!(" {} ", code.to_lowercase())), code.replace('-', ""));
    }

    /// What an operator writes is foreign, too.
    #[test]
    fn settings_are_read_or_refused(text in prop_oneof!["\\PC{0,80}", words_of(&["smtp", "smtps", "://", ":", "@", "%40", "%", "mail.test", "[::1]", "?tls=required", "?tls=", "/", "#", "*", "null", "https", "10.0.0.0", "/8", "::"])]) {
        let _ = Smtp::open(&text, &[], 1);
        if let Ok(origin) = text.parse::<Origin>() {
            prop_assert!(origin.as_str().starts_with("http") && HeaderValue::from_str(origin.as_str()).is_ok());
        }
        let _ = text.parse::<Proxy>();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_rule_gives_dates_soon_or_is_refused(rule in prop_oneof![
        "\\PC{0,80}",
        words_of(&["FREQ=", "DAILY", "WEEKLY", "MONTHLY", "YEARLY", "HOURLY", ";", ";INTERVAL=", ";BYDAY=", "MO", "TU", "-1", "5", ",", "+", ";BYMONTH=", "2", ";BYMONTHDAY=", "30", "31", ";BYSETPOS=", ";BYYEARDAY=", "366", ";BYWEEKNO=", "53", ";WKST=SU", ";COUNT=", ";UNTIL=", "20261201T000000Z"]),
        rules_that_parse(),
    ]) {
        check_rule(rule)?;
    }
}

/// Rules that a parser takes, sparse ones among them.
fn rules_that_parse() -> impl Strategy<Value = String> {
    let freq = prop::sample::select(vec!["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]);
    let by = string_regex("(;BYDAY=(MO|TU|SU|1MO|-1FR))?(;BYMONTH=(1|2|12))?(;BYMONTHDAY=(1|29|30|31|-31))?(;BYSETPOS=(1|-1|5))?").unwrap();
    (freq, 1_u32..2_000, by).prop_map(|(freq, interval, by)| format!("FREQ={freq};INTERVAL={interval}{by}"))
}

/// A mail server that says, line by line, whatever it likes.
async fn says(replies: Vec<Vec<u8>>) -> Result<(), SendError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let smtp = Smtp::open(&format!("smtp://{}", listener.local_addr().unwrap()), &[], 1).unwrap();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader).lines();
        for reply in replies {
            // The peer may have had enough.
            if writer.write_all(&reply).await.is_err() {
                return;
            }
            // Whoever waits for the rest of a reply waits in vain.
            let heard = tokio::time::timeout(Duration::from_millis(200), lines.next_line()).await;
            if !matches!(heard, Ok(Ok(Some(_)))) {
                return;
            }
        }
    });
    let mail = Mail {
        id: Uuid::nil(),
        sender: "a@b.test".parse().unwrap(),
        recipient: "c@d.test".parse().unwrap(),
        raw: b"Subject: x\r\n\r\nx\r\n".to_vec(),
    };
    let sent = tokio::time::timeout(Duration::from_secs(10), smtp.send(&mail)).await.expect("it comes to an end");
    server.abort();
    sent
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// lettre reads the replies; what a letter's fate is then, is ours to say: an answer that is none ends no letter for good.
    #[test]
    fn a_mail_server_may_say_what_it_likes(replies in prop::collection::vec(a_reply(), 0..8)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let sent = runtime.block_on(says(replies.clone()));
        let said: Vec<String> = replies.iter().map(|reply| String::from_utf8_lossy(reply).into_owned()).collect();
        match sent {
            // Somebody else is answerable for it only if they said so: greeting, EHLO, MAIL, RCPT, DATA, the mail.
            Ok(()) => prop_assert!(said.len() >= 6 && said.iter().filter(|reply| reply.starts_with('2')).count() >= 5, "{said:?}"),
            Err(error) if error.permanent => prop_assert!(said.iter().any(|reply| reply.starts_with('5')), "{said:?}: {error:?}"),
            Err(_) => {}
        }
    }
}

/// A reply as it should be, one that is cut short or endless, or anything.
fn a_reply() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => prop::sample::select(vec!["220 mail.test ESMTP\r\n", "250 OK\r\n", "250-mail.test\r\n250 8BITMIME\r\n", "354 go on\r\n", "550 no such user\r\n", "421 later\r\n", "535 who?\r\n"]).prop_map(|reply| reply.as_bytes().to_vec()),
        1 => prop::sample::select(vec!["250-\r\n", "250", "2500 OK\r\n", "999 x\r\n", "25a OK\r\n", "\r\n", "\u{0}\r\n", "-1 x\r\n"]).prop_map(|reply| reply.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..64).prop_map(|mut bytes| {
            bytes.extend_from_slice(b"\r\n");
            bytes
        }),
    ]
}

/// Rules that give nothing, or nothing for a long time: found out at once.
#[test]
fn rules_without_dates_end() {
    for rule in [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31",
        "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2",
        "FREQ=YEARLY;INTERVAL=1999;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=DAILY;BYSETPOS=300",
        "FREQ=YEARLY;BYYEARDAY=366;BYMONTH=1",
        "FREQ=DAILY;INTERVAL=65535",
    ] {
        check_rule(rule.into()).unwrap_or_else(|error| panic!("{rule}: {error}"));
    }
}
