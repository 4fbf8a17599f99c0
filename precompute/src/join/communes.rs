//! What became of French commune codes: mergers, splits, communes without inhabitants.
//!
//! The table is `data/communes.txt`, its provenance in its first line.

use std::sync::LazyLock;

use rustc_hash::{FxHashMap, FxHashSet};

static COMMUNES: LazyLock<Communes> =
    LazyLock::new(|| Communes::parse(include_str!("../../data/communes.txt")));

/// The history of commune codes.
#[derive(Debug, Default)]
pub struct Communes {
    merged_into: FxHashMap<&'static str, &'static str>,
    absorbed: FxHashMap<&'static str, Vec<&'static str>>,
    moved_from: FxHashMap<&'static str, &'static str>,
    split_from: FxHashMap<&'static str, &'static str>,
    empty: FxHashSet<&'static str>,
}

/// The embedded history.
#[must_use]
pub fn history() -> &'static Communes {
    &COMMUNES
}

impl Communes {
    fn parse(text: &'static str) -> Self {
        let mut communes = Self::default();
        for line in text.lines() {
            let mut words = line.split(' ');
            match (words.next(), words.next()) {
                (Some("merged"), Some(code)) => {
                    let old: Vec<_> = words.collect();
                    communes
                        .merged_into
                        .extend(old.iter().map(|old| (*old, code)));
                    communes.absorbed.insert(code, old);
                }
                (Some("moved"), Some(code)) => {
                    communes
                        .moved_from
                        .extend(words.next().map(|former| (code, former)));
                }
                (Some("split"), Some(code)) => {
                    communes
                        .split_from
                        .extend(words.next().map(|parent| (code, parent)));
                }
                (Some("empty"), Some(first)) => {
                    communes.empty.insert(first);
                    communes.empty.extend(words);
                }
                _ => {}
            }
        }
        communes
    }

    /// The commune that absorbed the one of this code.
    #[must_use]
    pub fn merged_into(&self, code: &str) -> Option<&'static str> {
        self.merged_into.get(code).copied()
    }

    /// The codes a commune has absorbed.
    #[must_use]
    pub fn absorbed(&self, code: &str) -> &[&'static str] {
        self.absorbed.get(code).map_or(&[], Vec::as_slice)
    }

    /// The code the commune had before it took that of another of its parts.
    #[must_use]
    pub fn moved_from(&self, code: &str) -> Option<&'static str> {
        self.moved_from.get(code).copied()
    }

    /// The commune this one was part of for a while.
    #[must_use]
    pub fn split_from(&self, code: &str) -> Option<&'static str> {
        self.split_from.get(code).copied()
    }

    /// Whether nobody lives there: the six destroyed villages of Verdun.
    #[must_use]
    pub fn is_empty(&self, code: &str) -> bool {
        self.empty.contains(code)
    }

    /// Every other code of the communes that are now one with `code`.
    pub fn group<'a>(&'a self, code: &'a str) -> impl Iterator<Item = &'static str> + 'a {
        let head = self.merged_into(code);
        let members = self.absorbed(head.unwrap_or(code));
        head.into_iter()
            .chain(members.iter().copied())
            .filter(move |member| *member != code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read() {
        let communes = history();
        assert_eq!(communes.merged_into("01126"), Some("01033"));
        assert_eq!(communes.absorbed("69114"), ["69101", "69159"]);
        assert_eq!(communes.split_from("14666"), Some("14712"));
        assert_eq!(communes.moved_from("49126"), Some("49069"));
        assert!(communes.is_empty("55189"));
        assert_eq!(communes.merged_into.len(), 4240);
        assert_eq!(
            communes.group("69101").collect::<Vec<_>>(),
            ["69114", "69159"]
        );
        assert_eq!(communes.group("75056").count(), 0);
    }

    #[test]
    fn no_merger_leads_to_another() {
        let communes = history();
        for head in communes.absorbed.keys() {
            assert_eq!(communes.merged_into(head), None, "{head}");
        }
    }
}
