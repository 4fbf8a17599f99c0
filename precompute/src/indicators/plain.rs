//! A block's plain sums, level by level: see [`Sums`].

use super::{JOIN, JoinLevel, KEY, unit_column};
use crate::input_error::InputError;
use crate::project::{IndicatorBlock, IndicatorColumn};
use crate::sql::{Engine, RowsByUnit, Sums, only_sum};
use crate::tables::Column;
use crate::units::row_number;
use crate::value::Value;

/// What is summed without SQL, and the rows of every unit.
pub(super) struct PlainSums<'a> {
    engine: &'a Engine,
    sums: &'a Sums,
    /// By level from the block's own.
    levels: Vec<RowsByUnit>,
}

/// One of them.
pub(super) struct SumOf<'a> {
    column: &'a Column,
    levels: &'a [RowsByUnit],
}

impl<'a> PlainSums<'a> {
    /// `None` where no indicator of the block is one; the join is loaded as [`JOIN`].
    pub(super) fn of(
        engine: &'a Engine,
        block: &IndicatorBlock,
        levels: &[JoinLevel],
        context: &str,
    ) -> Result<Option<Self>, InputError> {
        let Some(sums) = engine.sums(&block.from) else {
            return Ok(None);
        };
        let is_one = |column: &IndicatorColumn| column_of(sums, &column.sql).is_some();
        if !block.columns.iter().any(is_one) {
            return Ok(None);
        }
        let columns: Vec<String> = (0..levels.len()).map(unit_column).collect();
        let sql = format!(
            "select t._row, {} from (select rowid as _row, cast(({}) as text) as {KEY} from {}) t \
             cross join {JOIN} j on j.{KEY} = t.{KEY}",
            columns.join(", "),
            block.key,
            block.from,
        );
        let mut units = vec![vec![None; sums.rows()]; levels.len()];
        engine.for_each(&sql, context, |row| {
            // SQLite counts from 1.
            let at = row_number(&row[0]) - 1;
            for (units, unit) in units.iter_mut().zip(&row[1..]) {
                units[at] = match unit {
                    Value::Number(_) => u32::try_from(row_number(unit)).ok(),
                    _ => None,
                };
            }
            Ok(())
        })?;
        let by_unit = |(units, level): (Vec<Option<u32>>, &JoinLevel)| {
            sums.by_unit(&units, level.units.keys.len())
        };
        Ok(Some(Self {
            engine,
            sums,
            levels: units.into_iter().zip(levels).map(by_unit).collect(),
        }))
    }

    /// `sql`, if that is the sum of one of these columns.
    pub(super) fn sum_of(&self, sql: &str) -> Option<SumOf<'_>> {
        let column = column_of(self.sums, sql)?;
        self.engine.reads(sql, &column.name).then_some(SumOf {
            column,
            levels: &self.levels,
        })
    }
}

fn column_of<'a>(sums: &'a Sums, sql: &str) -> Option<&'a Column> {
    sums.column(&only_sum(sql)?)
}

impl SumOf<'_> {
    /// By unit, `up` levels above the block's own; what is wrong with it otherwise.
    pub(super) fn of_level(&self, up: usize) -> Result<Vec<f64>, &'static str> {
        self.levels[up].sums(self.column)
    }
}
