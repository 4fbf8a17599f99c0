//! The named repairs of a table's key, each a rewriting of one spelling into another.
//!
//! French codes are a commune (`01001`, `2A004`, `ZA101`), then anything after a separator: a
//! polling station `75056_0101`.

use serde::{Deserialize, Serialize};

use super::communes;

/// A repair that a project file names in `rules`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// `aliases` of the block; applied whenever there are any.
    Alias,
    /// Leading zeros of the key's numbers: `1001_1` is `01001_0001`.
    Pad,
    /// Overseas codes of the Ministry: `ZA101` and `971101` are `97101`.
    Overseas,
    /// Arrondissements of Paris, Lyon and Marseille: `75106` is in `75056`.
    Plm,
    /// A commune's former code: `01126` is in `01033`.
    MergedCommunes,
}

impl Rule {
    /// The rule of that name in a project file.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "pad" => Self::Pad,
            "overseas" => Self::Overseas,
            "plm" => Self::Plm,
            "merged-communes" => Self::MergedCommunes,
            _ => return None,
        })
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Alias => "alias",
            Self::Pad => "pad",
            Self::Overseas => "overseas",
            Self::Plm => "plm",
            Self::MergedCommunes => "merged-communes",
        }
    }

    /// Whether the rule knows only French codes.
    #[must_use]
    pub fn is_french(self) -> bool {
        matches!(self, Self::Overseas | Self::Plm | Self::MergedCommunes)
    }
}

/// Splits a key into the commune and what follows, separator included.
#[must_use]
pub fn split_commune(key: &str) -> (&str, &str) {
    let end = key
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(key.len());
    key.split_at(end)
}

/// `ZA101` or `971101` as `97101`; the département `ZA` alone as `971`.
#[must_use]
pub fn overseas(code: &str) -> Option<String> {
    let bytes = code.as_bytes();
    let digits = |range: &[u8]| range.iter().all(u8::is_ascii_digit);
    match bytes {
        [b'Z', letter] => Some(overseas_department(*letter, None)?.to_owned()),
        [b'Z', letter, rest @ ..] if rest.len() == 3 && digits(rest) => {
            let department = overseas_department(*letter, Some(rest[0]))?;
            Some(format!("{department}{}", &code[3..]))
        }
        // Département and commune share a digit: 974 and 411 are 97411.
        [b'9', b'7' | b'8', third, fourth, _, _] if digits(bytes) && third == fourth => {
            Some(format!("{}{}", &code[..3], &code[4..]))
        }
        _ => None,
    }
}

/// The Ministry's letter as INSEE's number; `X` stands for two, told apart by the commune.
fn overseas_department(letter: u8, commune: Option<u8>) -> Option<&'static str> {
    Some(match (letter, commune) {
        (b'A', _) => "971",
        (b'B', _) => "972",
        (b'C', _) => "973",
        (b'D', _) => "974",
        (b'M', _) => "976",
        (b'N', _) => "988",
        (b'P', _) => "987",
        (b'S', _) => "975",
        (b'W', _) => "986",
        (b'X', Some(b'7')) => "977",
        (b'X', Some(b'8')) => "978",
        _ => return None,
    })
}

/// Voters registered abroad: no place on a map of France.
#[must_use]
pub fn is_abroad(code: &str) -> bool {
    code == "ZZ"
        || (code.len() == 5
            && code.starts_with("ZZ")
            && code[2..].bytes().all(|b| b.is_ascii_digit()))
}

/// The commune of an arrondissement of Paris, Lyon or Marseille.
#[must_use]
pub fn plm(code: &str) -> Option<&'static str> {
    if code.len() != 5 || !code.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    match code.parse::<u32>().ok()? {
        75_101..=75_120 => Some("75056"),
        13_201..=13_216 => Some("13055"),
        69_381..=69_389 => Some("69123"),
        _ => None,
    }
}

/// The commune that a former commune is now part of.
#[must_use]
pub fn merged_commune(code: &str) -> Option<&'static str> {
    communes::history().merged_into(code)
}

/// The key with the leading zeros of each run of digits left out; `000` is `0`.
#[must_use]
pub fn without_leading_zeros(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    let mut chars = key.chars().peekable();
    let mut in_number = false;
    while let Some(c) = chars.next() {
        let next_is_digit = chars.peek().is_some_and(char::is_ascii_digit);
        if c == '0' && !in_number && next_is_digit {
            continue;
        }
        in_number = c.is_ascii_digit();
        out.push(c);
    }
    out
}

/// A commune code that lost its leading zeros.
#[must_use]
pub fn padded_commune(code: &str) -> Option<String> {
    ((3..5).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit()))
        .then(|| format!("{code:0>5}"))
}

/// Letters and digits only, in lower case and without accents: what two spellings of one name
/// share.
#[must_use]
pub fn folded(key: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    key.nfkd()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overseas_codes() {
        for (code, expected) in [
            ("ZA101", Some("97101")),
            ("ZM601", Some("97601")),
            ("ZN801", Some("98801")),
            ("ZP711", Some("98711")),
            ("ZW001", Some("98601")),
            ("ZX701", Some("97701")),
            ("ZX801", Some("97801")),
            ("ZX101", None),
            ("ZZ001", None),
            ("974411", Some("97411")),
            ("987711", Some("98711")),
            ("974511", None),
            ("97411", None),
            ("ZA", Some("971")),
            ("ZX", None),
            ("Zé101", None),
            ("ZA1é", None),
            ("", None),
        ] {
            assert_eq!(overseas(code).as_deref(), expected, "{code}");
        }
        assert!(is_abroad("ZZ123") && is_abroad("ZZ"));
        assert!(!is_abroad("ZZé1") && !is_abroad("ZZTOP"));
    }

    #[test]
    fn arrondissements() {
        for (code, expected) in [
            ("75101", Some("75056")),
            ("75120", Some("75056")),
            ("75121", None),
            ("13216", Some("13055")),
            ("69381", Some("69123")),
            ("69380", None),
            ("+5101", None),
        ] {
            assert_eq!(plm(code), expected, "{code}");
        }
    }

    #[test]
    fn leading_zeros() {
        for (key, expected) in [
            ("01001_0001", "1001_1"),
            ("1001_1", "1001_1"),
            ("2A004_0012", "2A4_12"),
            ("000", "0"),
            ("a00b10", "a0b10"),
            ("", ""),
            ("00é01", "0é1"),
        ] {
            assert_eq!(without_leading_zeros(key), expected, "{key}");
        }
    }

    #[test]
    fn spellings() {
        assert_eq!(folded("112-De Lorimier"), folded("112-DeLorimier"));
        assert_eq!(folded("Côte-d’Or"), folded("COTE D'OR"));
    }
}
