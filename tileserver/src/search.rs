//! Finds units by name or key, whatever their case and accents, from the first letters of any
//! word, with one slip of the finger.
//!
//! ```text
//! \n saint denis\t93066\n saint ouen\t93070 …      one text, searched as a whole
//! ```
//! A query with one edit leaves one of its halves intact, so slips, too, are found by searching
//! the text for a half and looking closely only there.

use memchr::memmem::Finder;
use tilecore::filter::{casefold, unaccent};

use crate::layer::LayerRef;

/// Hits of one kind looked at; a query that finds more needs more letters.
const HITS_MAX: usize = 2_000;

/// Letters from which on a slip is forgiven; shorter, everything is alike.
const SLIP_LETTERS: usize = 4;

const QUERY_BYTES_MAX: usize = 200;

/// The names and keys of a layer's units.
#[derive(Debug)]
pub struct Index {
    text: String,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Of the newline before it.
    start: u32,
    level: u8,
    row: u32,
}

/// How a unit answers a query, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Match {
    Key,
    Name,
    NamePrefix,
    WordPrefix,
    KeyPrefix,
    Slip,
}

/// A unit found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    pub level: usize,
    pub row: usize,
    pub matched: Match,
}

impl Match {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Name => "name",
            Self::NamePrefix => "name_prefix",
            Self::WordPrefix => "word_prefix",
            Self::KeyPrefix => "key_prefix",
            Self::Slip => "slip",
        }
    }
}

impl Index {
    /// Coarser levels come before finer ones, so that of equal hits a town precedes its quarters.
    #[must_use]
    pub fn new(layer: LayerRef<'_>) -> Self {
        let (mut text, mut entries) = (String::new(), Vec::new());
        let levels: Vec<_> = layer.levels().collect();
        for level in levels.iter().rev() {
            for row in level.data.seen() {
                let (Ok(start), Ok(level_number), Ok(row_number)) = (
                    u32::try_from(text.len()),
                    u8::try_from(level.number),
                    u32::try_from(row),
                ) else {
                    continue;
                };
                entries.push(Entry {
                    start,
                    level: level_number,
                    row: row_number,
                });
                text.push('\n');
                text.push_str(&folded(level.data.level.name(row)));
                text.push('\t');
                text.push_str(folded(level.data.level.key(row)).trim_start());
            }
        }
        text.push('\n');
        Self { text, entries }
    }

    /// The best units for `query`, at most `limit`, of one level or of all.
    #[must_use]
    pub fn find(&self, query: &str, level: Option<usize>, limit: usize) -> Vec<Hit> {
        let query = folded(query);
        if query.trim().is_empty() || query.len() > QUERY_BYTES_MAX {
            return Vec::new();
        }
        let mut found = Found {
            index: self,
            level,
            hits: Vec::new(),
        };
        let key = query.trim_start();
        found.note_all(&format!("\t{key}\n"), Match::Key);
        found.note_all(&format!("\n{query}\t"), Match::Name);
        found.note_all(&format!("\n{query}"), Match::NamePrefix);
        found.note_all(&query, Match::WordPrefix);
        found.note_all(&format!("\t{key}"), Match::KeyPrefix);
        if found.hits.len() < limit && query.chars().count() > SLIP_LETTERS {
            found.note_slips(&query);
        }
        found.best(limit)
    }

    /// The number of the entry that holds a byte of the text.
    fn entry_at(&self, at: usize) -> Option<usize> {
        let after = self.entries.partition_point(|e| e.start as usize <= at);
        after.checked_sub(1)
    }

    /// An entry's folded name, with the space before it.
    fn name(&self, entry: usize) -> &str {
        let start = self.entries[entry].start as usize + 1;
        let rest = &self.text[start..];
        &rest[..rest.find('\t').unwrap_or(rest.len())]
    }
}

struct Found<'a> {
    index: &'a Index,
    level: Option<usize>,
    /// Numbers of entries.
    hits: Vec<(Match, usize)>,
}

impl Found<'_> {
    fn note_all(&mut self, needle: &str, matched: Match) {
        let finder = Finder::new(needle);
        for at in finder.find_iter(self.index.text.as_bytes()).take(HITS_MAX) {
            self.note(at, matched);
        }
    }

    fn note(&mut self, at: usize, matched: Match) {
        if let Some(entry) = self.index.entry_at(at) {
            let of_level = usize::from(self.index.entries[entry].level);
            if self.level.is_none_or(|level| level == of_level) {
                self.hits.push((matched, entry));
            }
        }
    }

    /// Names in which a word starts like the query but for one edit.
    fn note_slips(&mut self, query: &str) {
        let text = self.index.text.as_str();
        let middle = query.chars().count() / 2;
        let middle = query.char_indices().nth(middle).map_or(0, |(at, _)| at);
        let (first, second) = query.split_at(middle);
        for (half, offset) in [(first, 0), (second, first.len())] {
            let finder = Finder::new(half);
            for at in finder.find_iter(text.as_bytes()).take(HITS_MAX) {
                // An edit before it may have moved the half by a letter, of up to four bytes.
                let from = at.saturating_sub(offset + 4);
                let to = (at + 4).saturating_sub(offset);
                let mut starts = (from..=to).filter(|&s| text.as_bytes().get(s) == Some(&b' '));
                if starts.any(|start| starts_like(&text[start..], query)) {
                    self.note(at, Match::Slip);
                }
            }
        }
    }

    /// The best way each unit is matched; shorter names first, then in the order of names.
    fn best(mut self, limit: usize) -> Vec<Hit> {
        self.hits
            .sort_unstable_by_key(|&(matched, entry)| (entry, matched));
        self.hits.dedup_by_key(|&mut (_, entry)| entry);
        let index = self.index;
        self.hits.sort_by_cached_key(|&(matched, entry)| {
            let name = index.name(entry);
            (matched, name.len(), name, entry)
        });
        let hit = |(matched, entry): (Match, usize)| {
            let Entry { level, row, .. } = index.entries[entry];
            Hit {
                level: usize::from(level),
                row: row as usize,
                matched,
            }
        };
        self.hits.into_iter().take(limit).map(hit).collect()
    }
}

/// Lower-case words without accents, each after a space; no other punctuation.
fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    for word in casefold(&unaccent(text)).split(|c: char| !c.is_alphanumeric()) {
        if !word.is_empty() {
            out.push(' ');
            out.push_str(word);
        }
    }
    out
}

/// Whether `text` starts with `query` after at most one letter is left out, added, changed or
/// swapped with the next.
fn starts_like(text: &str, query: &str) -> bool {
    let mut letters = query.char_indices().zip(text.char_indices());
    let Some(((q, _), (t, _))) = letters.find(|((_, a), (_, b))| a != b) else {
        return query.len() <= text.len() + 1;
    };
    let (query, text) = (&query[q..], &text[t..]);
    let (query_1, text_1) = (after(query, 1), after(text, 1));
    let swapped = {
        let (mut a, mut b) = (query.chars(), text.chars());
        let (a, b) = ([a.next(), a.next()], [b.next(), b.next()]);
        a[0] == b[1] && a[1] == b[0] && a[1].is_some()
    };
    text_1.starts_with(query_1)
        || text.starts_with(query_1)
        || text_1.starts_with(query)
        || (swapped && after(text, 2).starts_with(after(query, 2)))
}

/// What follows the first `n` letters.
fn after(text: &str, n: usize) -> &str {
    text.char_indices().nth(n).map_or("", |(at, _)| &text[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(names: &[(&str, &str)]) -> Index {
        let (mut text, mut entries) = (String::new(), Vec::new());
        for (row, (name, key)) in (0..).zip(names) {
            entries.push(Entry {
                start: u32::try_from(text.len()).unwrap(),
                level: 0,
                row,
            });
            text.push('\n');
            text.push_str(&folded(name));
            text.push('\t');
            text.push_str(folded(key).trim_start());
        }
        text.push('\n');
        Index { text, entries }
    }

    fn check(query: &str, expected: &[(usize, Match)]) {
        let index = index(&[
            ("Saint-Denis", "93066"),
            ("Saint-Denis-en-Val", "45274"),
            ("Évry-Courcouronnes", "91228"),
            ("L'Haÿ-les-Roses", "94038"),
            ("Œting", "57521"),
            ("Denisville", "x-1"),
        ]);
        let found = index.find(query, None, 10);
        let found: Vec<_> = found.iter().map(|hit| (hit.row, hit.matched)).collect();
        assert_eq!(found, expected, "{query}");
    }

    #[test]
    fn matches_in_order() {
        check("saint denis", &[(0, Match::Name), (1, Match::NamePrefix)]);
        check(
            "DENIS",
            &[
                (5, Match::NamePrefix),
                (0, Match::WordPrefix),
                (1, Match::WordPrefix),
            ],
        );
        check("evry", &[(2, Match::NamePrefix)]);
        check("hay les", &[(3, Match::WordPrefix)]);
        check("oeting", &[(4, Match::Name)]);
        check("93066", &[(0, Match::Key)]);
        check(
            "9",
            &[
                (0, Match::KeyPrefix),
                (3, Match::KeyPrefix),
                (2, Match::KeyPrefix),
            ],
        );
        check("X 1", &[(5, Match::Key)]);
        check("", &[]);
        check("  ' -", &[]);
        check("\n\t", &[]);
        check("ouen", &[]);
    }

    #[test]
    fn one_slip_is_forgiven() {
        for slip in [
            "courcouronne",
            "courcuronnes",
            "courcoouronnes",
            "courcoutonnes",
            "cuorcouronnes",
            "xourcouronnes",
            "ourcouronnes",
            "courcoruonnes",
        ] {
            let index = index(&[("Évry-Courcouronnes", "91228")]);
            assert_eq!(index.find(slip, None, 10).len(), 1, "{slip}");
        }
        check("saimt-den", &[(0, Match::Slip), (1, Match::Slip)]);
        check(
            "deniz",
            &[(5, Match::Slip), (0, Match::Slip), (1, Match::Slip)],
        );
        check("xqyz", &[]);
        check("curcoronnes", &[]);
        check("sainnt deniss", &[]);
    }
}
