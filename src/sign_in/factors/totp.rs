//! Codes that change with time: RFC 6238 by HMAC-SHA-1, six digits, 30 seconds a step, as every authenticator app knows them. Pure.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

use crate::sign_in::secrets::same;

/// Bytes of a secret: as long as the hash, as RFC 4226 recommends.
pub const SECRET_BYTES: usize = 20;
/// Seconds of a step.
const STEP_S: i64 = 30;
/// Digits of a code.
const DIGITS: usize = 6;
/// Steps before and after the present one whose codes count: clocks differ, and people type slowly.
const DRIFT: i64 = 1;

/// The step whose code was typed, if it counts: no further from now than `DRIFT`, and after the last one that was taken.
pub fn step_of(secret: &[u8], typed: &str, now: DateTime<Utc>, last: Option<i64>) -> Option<i64> {
    let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let present = now.timestamp().div_euclid(STEP_S);
    // All are compared, whichever fits.
    let fits = (-DRIFT..=DRIFT)
        .map(|drift| present + drift)
        .filter(|step| code(secret, *step).is_some_and(|code| same(code.as_bytes(), typed.as_bytes())));
    fits.fold(None, |found: Option<i64>, step| Some(found.map_or(step, |found| found.max(step))))
        .filter(|step| last.is_none_or(|last| *step > last))
}

/// The code of a step (RFC 4226, 5.3).
fn code(secret: &[u8], step: i64) -> Option<String> {
    let mac = Hmac::<Sha1>::new_from_slice(secret).ok()?.chain_update(step.to_be_bytes()).finalize().into_bytes();
    let offset = usize::from(mac.last()? & 15);
    let word: [u8; 4] = mac.get(offset..offset + 4)?.try_into().ok()?;
    let number = (u32::from_be_bytes(word) & 0x7fff_ffff) % 10_u32.pow(6);
    Some(format!("{number:0DIGITS$}"))
}

/// The secret as people type it into an app: base 32 (RFC 4648) without padding.
pub fn base32(secret: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits = |at: usize| secret.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
    let letter = |at: usize| (at..at + 5).fold(0, |value, at| value << 1 | bits(at));
    (0..secret.len() * 8).step_by(5).filter_map(|at| LETTERS.get(usize::from(letter(at))).copied().map(char::from)).collect()
}

/// What an app reads off a QR code.
pub fn uri(issuer: &str, account: &str, secret: &[u8]) -> String {
    let quoted = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20");
    let (issuer, account) = (quoted(issuer), quoted(account));
    format!("otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP_S}", base32(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    /// RFC 6238, appendix B, the last six digits.
    #[test]
    fn the_codes_of_the_standard() {
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(SECRET, seconds / STEP_S).as_deref(), Some(expected), "{seconds}");
            assert_eq!(step_of(SECRET, expected, at(seconds), None), Some(seconds / STEP_S), "{seconds}");
        }
    }

    #[test]
    fn one_step_early_or_late_and_never_twice() {
        let now = at(1_800_000_015);
        let present = 60_000_000;
        let typed = |drift: i64| code(SECRET, present + drift).unwrap();
        for (drift, last, taken) in [
            (0, None, true),
            (-1, None, true),
            (1, None, true),
            (-2, None, false),
            (2, None, false),
            (0, Some(present - 1), true),
            (0, Some(present), false),
            (-1, Some(present), false),
            (1, Some(present), true),
        ] {
            assert_eq!(step_of(SECRET, &typed(drift), now, last), taken.then_some(present + drift), "{drift} {last:?}");
        }
        let spaced = format!("{} {}", &typed(0)[..3], &typed(0)[3..]);
        assert_eq!(step_of(SECRET, &spaced, now, None), Some(present));
        for bad in ["", "123", "１２３４５６", &format!("0{}", typed(0)), "abcdef"] {
            assert_eq!(step_of(SECRET, bad, now, None), None, "{bad}");
        }
    }

    /// RFC 4648, 10, without padding.
    #[test]
    fn secrets_as_people_type_them() {
        for (bytes, text) in
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
        assert_eq!(
            uri("book.example.com", "ana+barre@example.test", b"foobar"),
            "otpauth://totp/book.example.com:ana%2Bbarre%40example.test?secret=MZXW6YTBOI&issuer=book.example.com&algorithm=SHA1&digits=6&period=30"
        );
    }
}
