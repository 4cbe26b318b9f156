//! Randomness, and the secrets made of it: mailed codes, registrations, invitations, refresh tokens.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use crate::problem::{Answer, Problem};

/// Random bytes of the operating system's.
pub fn random<const N: usize>() -> Answer<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(Problem::fault)?;
    Ok(bytes)
}

/// Digits of a mailed code.
const CODE_DIGITS: usize = 8;

/// A code that a person can type: eight digits.
pub fn code() -> Answer<String> {
    let number = u64::from_be_bytes(random()?) % 100_000_000;
    Ok(format!("{number:0CODE_DIGITS$}"))
}

/// A code that stands for itself, without an address beside it: 80 bits in four groups of Crockford's base 32 (no I, L, O, U).
pub fn long_code() -> Answer<String> {
    const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let letters: Vec<char> =
        random::<16>()?.iter().filter_map(|byte| LETTERS.get(usize::from(byte & 31)).copied().map(char::from)).collect();
    Ok(letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-"))
}

/// A typed long code as it was given out: any case, with or without dashes, and with Crockford's look-alikes.
pub fn plain_code(typed: &str) -> String {
    let letters = typed.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| match c.to_ascii_uppercase() {
        'I' | 'L' => '1',
        'O' => '0',
        c => c,
    });
    letters.collect()
}

/// The secret of a registration, which its app keeps until the address is confirmed: 256 bits.
pub fn registration_token() -> Answer<String> {
    Ok(BASE64_URL_SAFE_NO_PAD.encode(random::<32>()?))
}

/// What is stored of a secret that nobody can guess.
pub fn hash(secret: &[u8]) -> Vec<u8> {
    Sha256::digest(secret).to_vec()
}

/// Whether two hashes are the same, in the same time whatever they are.
pub fn same(one: &[u8], other: &[u8]) -> bool {
    bool::from(one.ct_eq(other))
}

/// A refresh token. The device's id finds the row; the family's secret proves that the token, even an old one, was given to this
/// device, so that nobody signs a device out by inventing tokens; its own secret says which one it is.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// Whose it is.
    pub device_id: Uuid,
    family: [u8; 16],
    own: [u8; 32],
}

impl RefreshToken {
    /// The first token of a device.
    pub fn first(device_id: Uuid) -> Answer<Self> {
        Ok(Self { device_id, family: random()?, own: random()? })
    }

    /// The one after it.
    pub fn next(&self) -> Answer<Self> {
        Ok(Self { own: random()?, ..self.clone() })
    }

    /// The text that the app keeps.
    pub fn text(&self) -> String {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend_from_slice(self.device_id.as_bytes());
        bytes.extend_from_slice(&self.family);
        bytes.extend_from_slice(&self.own);
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads the text; `None` if it is no refresh token.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let bytes: &[u8; 64] = bytes.as_slice().try_into().ok()?;
        let (device_id, rest) = bytes.split_first_chunk::<16>()?;
        let (family, own) = rest.split_first_chunk::<16>()?;
        Some(Self { device_id: Uuid::from_bytes(*device_id), family: *family, own: own.try_into().ok()? })
    }

    /// What is stored of the family's secret.
    pub fn family_hash(&self) -> Vec<u8> {
        hash(&self.family)
    }

    /// What is stored of its own.
    pub fn own_hash(&self) -> Vec<u8> {
        hash(&self.own)
    }
}

impl std::fmt::Debug for RefreshToken {
    /// Without the secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RefreshToken").field("device_id", &self.device_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_eight_digits() {
        for _ in 0..100 {
            let code = code().unwrap();
            assert_eq!(code.len(), 8);
            assert!(code.bytes().all(|byte| byte.is_ascii_digit()));
        }
    }

    #[test]
    fn long_codes_are_read_as_people_type_them() {
        let code = long_code().unwrap();
        assert_eq!(code.len(), 19);
        assert_eq!(plain_code(&code), code.replace('-', ""));
        assert_eq!(plain_code(" ab-oi l9"), "AB0119");
    }

    #[test]
    fn refresh_tokens_come_back_as_they_went() {
        let token = RefreshToken::first(Uuid::from_u128(7)).unwrap();
        assert_eq!(RefreshToken::parse(&token.text()), Some(token.clone()));
        let next = token.next().unwrap();
        assert_eq!(next.family_hash(), token.family_hash());
        assert_ne!(next.own_hash(), token.own_hash());
        for bad in ["", "a", &token.text()[1..], &format!("{}AAAA", token.text())] {
            assert_eq!(RefreshToken::parse(bad), None);
        }
    }
}
