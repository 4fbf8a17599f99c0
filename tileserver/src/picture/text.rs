//! Letters as outlines, of the fonts in `fonts/`.

use std::sync::LazyLock;

use ttf_parser::{Face, GlyphId};

static REGULAR: LazyLock<Option<Face<'static>>> =
    LazyLock::new(|| Face::parse(include_bytes!("../../fonts/Roboto-Regular.ttf"), 0).ok());
static BOLD: LazyLock<Option<Face<'static>>> =
    LazyLock::new(|| Face::parse(include_bytes!("../../fonts/Roboto-Bold.ttf"), 0).ok());

pub(super) fn face(bold: bool) -> Option<&'static Face<'static>> {
    if bold {
        BOLD.as_ref()
    } else {
        REGULAR.as_ref()
    }
}

/// The glyphs of a text, each with where it starts, in font units.
pub(super) fn glyphs(face: &Face<'_>, text: &str) -> (Vec<(GlyphId, f32)>, f32) {
    let mut at = 0.0;
    let mut glyphs = Vec::new();
    for letter in text.chars() {
        // A letter that the font lacks is its box.
        let glyph = face.glyph_index(letter).unwrap_or(GlyphId(0));
        glyphs.push((glyph, at));
        at += f32::from(face.glyph_hor_advance(glyph).unwrap_or(0));
    }
    (glyphs, at)
}

/// Pixels that a text takes.
pub(super) fn width(text: &str, size: f32, bold: bool) -> f32 {
    face(bold).map_or(0.0, |face| {
        glyphs(face, text).1 * size / f32::from(face.units_per_em())
    })
}

/// A text in lines of at most `room` pixels; what does not fit `most` lines ends in an ellipsis.
pub(super) fn wrapped(text: &str, size: f32, bold: bool, room: f32, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let longer = if line.is_empty() {
            word.to_owned()
        } else {
            format!("{line} {word}")
        };
        if line.is_empty() || width(&longer, size, bold) <= room {
            line = longer;
        } else {
            lines.push(std::mem::replace(&mut line, word.to_owned()));
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    let cut = lines.len() > most;
    lines.truncate(most);
    let count = lines.len();
    for (i, line) in lines.iter_mut().enumerate() {
        let unfinished = cut && i + 1 == count;
        if unfinished || width(line, size, bold) > room {
            while width(&format!("{line}…"), size, bold) > room && line.pop().is_some() {}
            line.push('…');
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_their_room() {
        let text = "La participation au premier tour, par bureau de vote, dans tout le pays";
        for room in [60.0, 150.0, 300.0, 2000.0] {
            let lines = wrapped(text, 20.0, true, room, 3);
            assert!(lines.len() <= 3);
            assert!(lines.iter().all(|line| width(line, 20.0, true) <= room));
        }
        assert_eq!(wrapped(text, 20.0, true, 5000.0, 1), [text]);
        assert!(wrapped(text, 20.0, true, 300.0, 1)[0].ends_with('…'));
        assert!(wrapped("", 20.0, false, 10.0, 2).is_empty());
        assert!(width("é", 10.0, false) > 1.0);
    }
}
