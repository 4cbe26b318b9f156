//! From bytes to text. A character that cannot be read stays visible as U+FFFD, so that its line can be named.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{BIG5, Encoding, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// In which encoding a file is, where its sender knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum FileEncoding {
    /// UTF-8, with or without a byte order mark.
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, in either order of bytes.
    #[serde(rename = "utf-16")]
    Utf16,
    /// GB18030, and GBK and GB2312 with it.
    #[serde(rename = "gb18030")]
    Gb18030,
    /// Big5.
    #[serde(rename = "big5")]
    Big5,
}

/// The text of a file: by its byte order mark, else as its sender says, else UTF-8, UTF-16 or, by what its bytes look like, GB18030 or Big5.
pub fn decode(bytes: &[u8], named: Option<FileEncoding>) -> Cow<'_, str> {
    decode_head(bytes, named, bytes.len())
}

/// The same, of no more than its first bytes. Which encoding it is the whole file says.
pub fn decode_head(bytes: &[u8], named: Option<FileEncoding>, bytes_max: usize) -> Cow<'_, str> {
    encoding_of(bytes, named).decode_with_bom_removal(bytes.get(..bytes_max).unwrap_or(bytes)).0
}

fn encoding_of(bytes: &[u8], named: Option<FileEncoding>) -> &'static Encoding {
    match (Encoding::for_bom(bytes), named) {
        (Some((by_mark, _)), _) => by_mark,
        (None, Some(FileEncoding::Utf8)) => UTF_8,
        (None, Some(FileEncoding::Utf16)) => order_of(bytes).unwrap_or(UTF_16LE),
        (None, Some(FileEncoding::Gb18030)) => GB18030,
        (None, Some(FileEncoding::Big5)) => BIG5,
        (None, None) => guess(bytes),
    }
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    if let Some(by_order) = order_of(bytes) {
        return by_order;
    }
    if std::str::from_utf8(bytes).is_ok() {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    match detector.guess(None, Utf8Detection::Deny) {
        found if found == BIG5 => BIG5,
        found if found == GBK || found == GB18030 => GB18030,
        // Nothing that is read here: what is no UTF-8 is told by line.
        _ => UTF_8,
    }
}

/// UTF-16 by where the zero bytes of its commas and line breaks stand; `None` for what has none.
fn order_of(bytes: &[u8]) -> Option<&'static Encoding> {
    let zeros = |from: usize| bytes.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    match (zeros(0), zeros(1)) {
        (0, 0) => None,
        (first, second) if first > second => Some(UTF_16BE),
        _ => Some(UTF_16LE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "姓名,邮箱,电话\n林月,lin@example.test,13800001111\n王小明,wang@example.test,\n陈美玲,chen@example.test,13900002222\n";
    const TRADITIONAL: &str = "姓名,電子郵件,電話\n林月,lin@example.test,\n陳美玲,chen@example.test,91234567\n黃家欣,wong@example.test,\n";

    fn utf_16(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    #[test]
    fn every_encoding_is_read() {
        let marked = |mark: &[u8], bytes: Vec<u8>| [mark, &bytes].concat();
        for (name, bytes) in [
            ("UTF-8", TEXT.as_bytes().to_vec()),
            ("UTF-8 with its mark", marked(b"\xef\xbb\xbf", TEXT.as_bytes().to_vec())),
            ("UTF-16 LE with its mark", marked(b"\xff\xfe", utf_16(TEXT, false))),
            ("UTF-16 BE with its mark", marked(b"\xfe\xff", utf_16(TEXT, true))),
            ("UTF-16 LE", utf_16(TEXT, false)),
            ("UTF-16 BE", utf_16(TEXT, true)),
            ("GB18030", GB18030.encode(TEXT).0.into_owned()),
        ] {
            assert_eq!(decode(&bytes, None), TEXT, "{name}");
        }
        assert_eq!(decode(&BIG5.encode(TRADITIONAL).0, None), TRADITIONAL);
    }

    #[test]
    fn its_sender_knows_better() {
        let short = GB18030.encode("姓名\n林月\n").0.into_owned();
        assert_eq!(decode(&short, Some(FileEncoding::Gb18030)), "姓名\n林月\n");
        assert_eq!(decode(&BIG5.encode("姓名\n").0, Some(FileEncoding::Big5)), "姓名\n");
        assert_eq!(decode(&utf_16("a,b\n", true), Some(FileEncoding::Utf16)), "a,b\n");
    }

    #[test]
    fn a_head_is_in_the_encoding_of_the_whole() {
        let bytes = [b"name\n".as_slice(), &GB18030.encode(TEXT).0].concat();
        assert_eq!(decode_head(&bytes, None, 9), "name\n姓名");
        assert_eq!(decode_head(TEXT.as_bytes(), None, usize::MAX), TEXT);
    }

    #[test]
    fn what_cannot_be_read_stays_visible() {
        assert!(decode(b"name\nJos\xe9\n", Some(FileEncoding::Utf8)).contains('\u{fffd}'));
        assert!(decode(b"name\nJos\xe9 Ruiz\nAna\n", None).contains('\u{fffd}'));
    }
}
