//! A code to be read from a screen, as a picture.

use qrcode::{Color, QrCode};

/// So many squares a side, with its margin, and the path of the dark ones.
pub struct Qr {
    pub side: usize,
    pub path: String,
}

/// The light squares around a code that readers need.
const QUIET: usize = 4;

impl Qr {
    /// The code of a text; none of one that is too long for it.
    pub fn of(text: &str) -> Option<Self> {
        let code = QrCode::new(text).ok()?;
        let width = code.width();
        let dark = |(at, color): (usize, &Color)| (*color == Color::Dark).then_some((at % width + QUIET, at / width + QUIET));
        let path = code.to_colors().iter().enumerate().filter_map(dark).map(|(x, y)| format!("M{x} {y}h1v1h-1z")).collect();
        Some(Self { side: width + 2 * QUIET, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_drawn_with_its_margin() {
        let code = Qr::of("releve:01234567").unwrap();
        assert!(code.side >= 21 + 2 * QUIET);
        // Its finder begins in the corner, within the margin.
        assert!(code.path.starts_with("M4 4h1v1h-1z"));
        assert!(!code.path.contains("M3 ") && !code.path.contains("M0 "));
    }
}
