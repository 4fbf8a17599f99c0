//! Categories of a text: how many units have each, and the order that their colours follow.

use rustc_hash::FxHashSet;
use tilecore::Bitmap;
use tilecore::dataset::columns::{Column, Texts};

use crate::layer::{LayerRef, LevelRef};

/// How many of `rows` have each text, the most frequent first, ties in byte order; and how many
/// have none.
#[must_use]
pub fn counts<'t>(texts: &'t Texts, rows: &Bitmap) -> (Vec<(&'t str, usize)>, usize) {
    let mut counts = vec![0_usize; texts.dictionary().len()];
    let mut missing = 0;
    for row in rows.iter() {
        let code = texts.codes().get(row);
        match code.and_then(|&code| counts.get_mut(code as usize)) {
            Some(count) => *count += 1,
            None => missing += 1,
        }
    }
    let all = texts.dictionary().iter().map(AsRef::as_ref).zip(counts);
    let mut found: Vec<(&str, usize)> = all.filter(|(_, count)| *count > 0).collect();
    found.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    (found, missing)
}

/// As [`counts`], of all units that may be seen.
#[must_use]
pub fn counts_of_seen<'a>(texts: &'a Texts, level: LevelRef<'_>) -> Vec<(&'a str, usize)> {
    match level.data.permitted() {
        Some(permitted) => counts(texts, permitted).0,
        None => counts(texts, &Bitmap::full(level.data.level.rows())).0,
    }
}

/// The texts of a property that may be seen, those of the finest level first: a category has one
/// colour at every level and under every filter.
#[must_use]
pub fn order<'a>(layer: LayerRef<'a>, property: &str) -> Vec<&'a str> {
    let mut order = Vec::new();
    let mut known = FxHashSet::default();
    for level in layer.levels() {
        if let Some(Column::Text(texts)) = level.data.level.column(property) {
            let texts = counts_of_seen(texts, level)
                .into_iter()
                .map(|(text, _)| text);
            order.extend(texts.filter(|text| known.insert(*text)));
        }
    }
    order
}
