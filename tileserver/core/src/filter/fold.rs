//! CASEI and ACCENTI: texts that differ only in case or accents become equal.

use unicode_normalization::UnicodeNormalization;

/// Which differences a text expression ignores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Fold {
    pub(super) case: bool,
    pub(super) accents: bool,
}

impl Fold {
    pub(super) fn is_none(self) -> bool {
        self == Self::default()
    }

    /// Ignores what either ignores.
    pub(super) fn with(self, other: Self) -> Self {
        Self {
            case: self.case || other.case,
            accents: self.accents || other.accents,
        }
    }

    /// [`Self::apply`] without an allocation for most texts; `buffer` is scratch space.
    pub(super) fn read<'t>(self, text: &'t str, buffer: &'t mut String) -> &'t str {
        if self.is_none() || (!self.case && text.is_ascii()) {
            return text;
        }
        buffer.clear();
        if text.is_ascii() {
            buffer.push_str(text);
            buffer.make_ascii_lowercase();
        } else {
            buffer.push_str(&self.apply(text));
        }
        buffer
    }

    pub(super) fn apply(self, text: &str) -> String {
        match (self.case, self.accents) {
            (false, false) => text.to_owned(),
            (true, false) => casefold(text),
            (false, true) => unaccent(text),
            (true, true) => casefold(&unaccent(text)),
        }
    }
}

/// Lower-case text in which letters that differ only in case are equal (Unicode full case
/// folding, without locale: `ß` = `ss`, `ς` = `σ`, `ﬁ` = `fi`).
#[must_use]
pub fn casefold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // By character, so that Σ does not depend on where it stands; through upper case, so that
    // what has no single upper-case letter (ß, ﬁ, ς) meets what it is written as in capitals.
    text.chars()
        .flat_map(|c| {
            let dotless = c == 'ı';
            c.to_lowercase().flat_map(move |lower| {
                let upper = if dotless {
                    None
                } else {
                    Some(lower.to_uppercase())
                };
                upper
                    .into_iter()
                    .flatten()
                    .flat_map(char::to_lowercase)
                    .chain(dotless.then_some(c))
            })
        })
        .collect()
}

/// Text without diacritics, ligatures and barred letters written out: `Œuvre à Łódź` becomes
/// `OEuvre a Lodz`. Marks that are letters of their script (Indic, Japanese) stay.
#[must_use]
pub fn unaccent(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    for c in text.nfd().filter(|c| !is_diacritic(*c)) {
        match written_out(c) {
            Some(letters) => plain.push_str(letters),
            None => plain.push(c),
        }
    }
    plain.nfc().collect()
}

fn is_diacritic(c: char) -> bool {
    matches!(
        u32::from(c),
        0x0300..=0x036F | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0xFE20..=0xFE2F
    )
}

fn written_out(c: char) -> Option<&'static str> {
    Some(match c {
        'œ' => "oe",
        'Œ' => "OE",
        'æ' => "ae",
        'Æ' => "AE",
        'ø' => "o",
        'Ø' => "O",
        'ł' => "l",
        'Ł' => "L",
        'đ' => "d",
        'Đ' => "D",
        'ß' => "ss",
        'ẞ' => "SS",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_pairs() {
        for (a, b) in [
            ("ÎLE-DE-FRANCE", "Île-de-France"),
            ("STRASSE", "straße"),
            ("STRAẞE", "strasse"),
            ("ΟΔΟΣ", "Οδος"),
            ("ﬁn", "FIN"),
            ("K", "k"),
        ] {
            assert_eq!(casefold(a), casefold(b), "{a} {b}");
        }
        assert_ne!(casefold("ı"), casefold("i"));
        for (a, b) in [
            ("Sacré-Cœur", "Sacre-Coeur"),
            ("Łódź", "Lodz"),
            ("e\u{301}", "e"),
            ("が", "が"),
        ] {
            assert_eq!(unaccent(a), b);
        }
        let both = Fold {
            case: true,
            accents: true,
        };
        assert_eq!(both.apply("İÉ"), "ie");
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for c in '\0'..=char::MAX {
            let text = c.to_string();
            for fold in [(true, false), (false, true), (true, true)] {
                let fold = Fold {
                    case: fold.0,
                    accents: fold.1,
                };
                let once = fold.apply(&text);
                assert_eq!(fold.apply(&once), once, "{c:?} {fold:?}");
            }
        }
    }
}
