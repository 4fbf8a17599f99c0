//! A level ready to be written: rows in file order, and what the manifest says of them.

use std::io;

use rustc_hash::FxHashSet;
use tilecore::dataset::columns::Column;
use tilecore::dataset::schema::{self, ColumnStats};
use tilecore::dataset::write::{LevelRows, SortedRows, WriteError};
use tilecore::mercator::bounds_in_degrees;

use crate::publish::{PublishError, Stage};
use crate::topology::Coverage;
use crate::units::Units;

/// A level whose files are not written yet.
#[derive(Debug)]
pub struct LevelData {
    pub name: String,
    pub title: schema::Localized,
    pub zooms: [u8; 2],
    pub units: Units,
    pub ids: Vec<u64>,
    pub coverage: Coverage,
    /// See [`LevelRows::repair_zooms`].
    pub repair_zooms: Vec<u32>,
    /// Indicators, then hidden columns, block by block.
    pub columns: Vec<(String, Column)>,
    pub hidden: Vec<String>,
}

/// Ids that depend on nothing but the level's name and the unit's key: the first 48 bits of a
/// hash, hashed again with a counter in the rare case that another unit of the layer has them.
///
/// `taken` holds the ids of the layer's other levels, and those given here from now on.
pub(crate) fn ids(level: &str, keys: &[String], taken: &mut FxHashSet<u64>) -> Vec<u64> {
    keys.iter()
        .map(|key| {
            let mut attempt = 0;
            loop {
                let id = id(level, key, attempt);
                if taken.insert(id) {
                    return id;
                }
                attempt += 1;
            }
        })
        .collect()
}

fn id(level: &str, key: &str, attempt: u32) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(level.as_bytes());
    hasher.update(&[0]);
    hasher.update(key.as_bytes());
    if attempt > 0 {
        hasher.update(&[0]);
        hasher.update(&attempt.to_le_bytes());
    }
    let hash = hasher.finalize();
    hash.as_bytes()[..6]
        .iter()
        .fold(0, |id, byte| id << 8 | u64::from(*byte))
}

impl LevelData {
    /// Writes the level's two files into the stage, and says what they hold.
    ///
    /// # Errors
    /// When the disk fails, or the rows break a rule of the format.
    pub fn write(self, layer: &str, stage: &mut Stage) -> anyhow::Result<schema::Level> {
        let columns = self
            .columns
            .iter()
            .map(|(name, c)| stats(name, c))
            .collect();
        // Behind the units there may be one made of finer units without a parent.
        let units = self.units.keys.len();
        let mut geometries = self.coverage;
        geometries.truncate(units);
        let mut repair_zooms = self.repair_zooms;
        repair_zooms.truncate(units);
        let rows = LevelRows {
            keys: self.units.keys,
            names: self.units.names,
            ids: self.ids,
            parents: self.units.parents,
            geometries,
            columns: self.columns,
            hidden: self.hidden,
            repair_zooms,
        };
        let sorted = SortedRows::new(rows)?;
        let meta = schema::Level {
            fgb: format!("{layer}/{}.fgb", self.name),
            arrow: format!("{layer}/{}.arrow", self.name),
            zooms: self.zooms,
            rows: sorted.rows().keys.len() as u64,
            bounds: bounds_in_degrees(sorted.bounds().iter().copied()).unwrap_or_default(),
            columns,
            title: self.title,
            name: self.name,
        };
        stage.write(&meta.fgb, |out| -> anyhow::Result<()> {
            Ok(sorted
                .write_fgb(&meta.name, out)
                .map_err(|e| failed(&meta.fgb, e))?)
        })?;
        stage.write(&meta.arrow, |out| -> anyhow::Result<()> {
            Ok(sorted
                .write_arrow(out)
                .map_err(|e| failed(&meta.arrow, e))?)
        })?;
        Ok(meta)
    }
}

/// What the operating system says, with the file and what to do about it.
fn failed(path: &str, error: WriteError) -> PublishError {
    let source = match error {
        WriteError::Io(source) => source,
        other => io::Error::other(other),
    };
    PublishError::Write {
        path: path.to_owned(),
        source,
    }
}

/// Counts and extremes of a column.
fn stats(name: &str, column: &Column) -> ColumnStats {
    let mut stats = ColumnStats {
        name: name.to_owned(),
        count: 0,
        missing: 0,
        distinct: 0,
        min: None,
        max: None,
    };
    match column {
        Column::Number(numbers) => {
            let mut values: Vec<f64> = numbers
                .values()
                .iter()
                .copied()
                .filter(|value| !value.is_nan())
                // Minus zero is zero.
                .map(|value| value + 0.0)
                .collect();
            stats.count = values.len() as u64;
            stats.min = values.iter().copied().min_by(f64::total_cmp);
            stats.max = values.iter().copied().max_by(f64::total_cmp);
            stats.distinct = distinct(&mut values, stats.min.unwrap_or(0.0)) as u64;
        }
        Column::Text(texts) => {
            let present = (0..column.len()).filter(|&row| texts.get(row).is_some());
            stats.count = present.count() as u64;
            stats.distinct = texts.dictionary().len() as u64;
        }
    }
    stats.missing = column.len() as u64 - stats.count;
    stats
}

/// The number of different values, given the least; their order is lost.
fn distinct(values: &mut Vec<f64>, min: f64) -> usize {
    if let Some(count) = distinct_whole(values, min) {
        return count;
    }
    values.sort_unstable_by(f64::total_cmp);
    values.dedup();
    values.len()
}

/// Of whole numbers that lie as close as counts do: each has a place in a table.
fn distinct_whole(values: &[f64], min: f64) -> Option<usize> {
    let mut seen = vec![false; values.len().saturating_mul(4)];
    for value in values {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "no less than the least; too far from it is no place"
        )]
        let place = (value - min) as usize;
        let is_whole = value.fract() == 0.0;
        *seen.get_mut(place).filter(|_| is_whole)? = true;
    }
    Some(seen.into_iter().filter(|seen| *seen).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_follows_from_level_and_key_alone() {
        let keys = |list: &[&str]| list.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        let mut taken = FxHashSet::default();
        let first = ids("bureau", &keys(&["a", "b"]), &mut taken);
        assert_eq!(
            ids("bureau", &keys(&["b"]), &mut FxHashSet::default()),
            [first[1]]
        );
        assert!(first.iter().all(|id| *id < 1 << 48));
        // Another level's unit of the same key is another unit.
        let other = ids("commune", &keys(&["a"]), &mut taken);
        assert!(!first.contains(&other[0]));
    }

    #[test]
    fn an_id_that_is_taken_is_hashed_again() {
        let key = ["a".to_owned()];
        let mut taken = FxHashSet::from_iter([id("bureau", "a", 0)]);
        assert_eq!(ids("bureau", &key, &mut taken), [id("bureau", "a", 1)]);
        assert_eq!(taken.len(), 2);
    }

    #[test]
    fn statistics_leave_out_what_is_missing() {
        let column = Column::Number(
            [Some(2.0), None, Some(-0.0), Some(0.0)]
                .into_iter()
                .collect(),
        );
        let found = stats("x", &column);
        assert_eq!((found.count, found.missing, found.distinct), (3, 1, 2));
        assert_eq!((found.min, found.max), (Some(0.0), Some(2.0)));
        let column = Column::Text([Some("a"), None, Some("a")].into_iter().collect());
        let found = stats("x", &column);
        assert_eq!((found.count, found.missing, found.distinct), (2, 1, 1));
        assert_eq!((found.min, found.max), (None, None));
        let column = Column::Number([None, None].into_iter().collect());
        assert_eq!(stats("x", &column).min, None);
    }

    #[test]
    fn different_values_are_counted_whatever_they_are() {
        for values in [
            vec![],
            vec![3.0, -4.0, 3.0, 0.0],
            vec![1e300, -1e300, 1e300],
            vec![9_007_199_254_740_992.0, 9_007_199_254_740_990.0],
            vec![-9_007_199_254_740_992.0, 9_007_199_254_740_992.0],
            vec![0.5, 1.5, 0.5, 2.0],
            vec![-2.5, 0.5, 1.5],
            vec![7.0, 1e9, 7.0, 8.0],
        ] {
            let mut sorted = values.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            let min = sorted.first().copied().unwrap_or(0.0);
            sorted.dedup();
            assert_eq!(
                distinct(&mut values.clone(), min),
                sorted.len(),
                "{values:?}"
            );
        }
    }
}
