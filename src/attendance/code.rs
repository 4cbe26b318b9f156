//! The code that a booking's member shows at the door: the booking's id and a keyed hash of it. It is made of these alone, so it needs no
//! table, never changes with the booking, and may be printed or shown by a phone that is offline. Pure.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::sign_in::keys::{CheckInTag, Keys};
use crate::sign_in::secrets::same;

/// Bytes of a code: in base 64 they need no padding and so have one spelling, of 32 characters.
const CODE_BYTES: usize = 16 + size_of::<CheckInTag>();

/// Bytes of a hash by which a device that is offline knows a code.
const HASH_BYTES: usize = 12;

/// The code of a booking, by the newest key.
pub fn of_booking(keys: &Keys, booking_id: Uuid) -> String {
    keys.sign_check_in(booking_id).first().map(|tag| spelt(booking_id, tag)).unwrap_or_default()
}

/// The booking whose code this is; `None` if no key of this deployment made it.
pub fn read(keys: &Keys, code: &str) -> Option<Uuid> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(code.trim()).ok()?;
    let bytes: &[u8; CODE_BYTES] = bytes.as_slice().try_into().ok()?;
    let (id, tag) = bytes.split_first_chunk::<16>()?;
    let booking_id = Uuid::from_bytes(*id);
    // All keys are tried, in the same time whatever the code is.
    let known = keys.sign_check_in(booking_id).iter().fold(false, |known, own| known | same(own, tag));
    known.then_some(booking_id)
}

/// By what a device that is offline knows the codes of a booking, without being able to make one: for each key of the deployment the
/// beginning of the SHA-256 of the code.
pub fn hashes(keys: &Keys, booking_id: Uuid) -> Vec<String> {
    let hash = |tag: &CheckInTag| {
        let hash = Sha256::digest(spelt(booking_id, tag));
        BASE64_URL_SAFE_NO_PAD.encode(hash.get(..HASH_BYTES).unwrap_or_default())
    };
    keys.sign_check_in(booking_id).iter().map(hash).collect()
}

fn spelt(booking_id: Uuid, tag: &CheckInTag) -> String {
    BASE64_URL_SAFE_NO_PAD.encode([booking_id.as_bytes().as_slice(), tag].concat())
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_STANDARD;
    use proptest::prelude::*;

    use super::*;

    fn keys(bytes: &[u8]) -> Keys {
        Keys::new(&bytes.iter().map(|byte| BASE64_STANDARD.encode([*byte; 32])).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_code_outlives_a_change_of_keys_and_is_of_one_deployment() {
        let booking = Uuid::from_u128(7);
        let (old, both, new) = (keys(&[1]), keys(&[2, 1]), keys(&[2]));
        let code = of_booking(&old, booking);
        assert_eq!(code.len(), 32);
        assert_eq!(read(&both, &code), Some(booking));
        assert_eq!(read(&both, &format!(" {code}\n")), Some(booking), "as a scanner gives it");
        assert_eq!(read(&new, &code), None);
        assert_ne!(of_booking(&both, booking), code, "the newest key makes it");
        assert_eq!(hashes(&both, booking), [hashes(&new, booking), hashes(&old, booking)].concat(), "a device knows both");
    }

    proptest! {
        #[test]
        fn every_booking_has_its_own(id in any::<u128>(), other in any::<u128>()) {
            let (keys, id, other) = (keys(&[1]), Uuid::from_u128(id), Uuid::from_u128(other));
            prop_assert_eq!(read(&keys, &of_booking(&keys, id)), Some(id));
            prop_assume!(id != other);
            prop_assert_ne!(of_booking(&keys, id), of_booking(&keys, other));
            prop_assert_ne!(hashes(&keys, id), hashes(&keys, other));
        }

        #[test]
        fn any_other_bytes_are_none(id in any::<u128>(), at in 0..CODE_BYTES, by in 1..=255_u8, junk in "\\PC*") {
            let keys = keys(&[1]);
            let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(of_booking(&keys, Uuid::from_u128(id))).unwrap();
            bytes[at] ^= by;
            prop_assert_eq!(read(&keys, &BASE64_URL_SAFE_NO_PAD.encode(&bytes)), None);
            prop_assert_eq!(read(&keys, &BASE64_URL_SAFE_NO_PAD.encode(&bytes[..at])), None);
            prop_assert_eq!(read(&keys, &junk), None);
        }
    }
}
