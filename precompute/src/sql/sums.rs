//! Sums without SQL: of columns of numbers that a project does nothing else with.
//!
//! Most indicators count: `sum(votes)` of each unit. To store a wide table in SQLite, and to read it
//! there once a level, takes longer than to read the file; such columns stay as they were read.

use super::Engine;
use super::explain::OVERFLOW;
use super::scan::{ROW_NUMBERS, VALUES};
use super::token::{Kind, solid_tokens};
use super::values::TOO_LARGE;
use crate::tables::{Cells, Column, Relation, RowAt};

/// From here on SQLite adds a whole number to a real sum in two parts.
const WHOLE_PARTS: u64 = 1 << 52;

/// The low part of the two, exclusive.
const PART: i64 = 16_384;

/// The column of SQL that is nothing but `sum(column)`.
#[must_use]
pub fn only_sum(sql: &str) -> Option<String> {
    let tokens = solid_tokens(sql).ok()?;
    let [sum, open, column, close] = &tokens[..] else {
        return None;
    };
    let is_call = sum.is_word("sum") && open.kind == Kind::Open && close.kind == Kind::Close;
    let is_value = VALUES.iter().any(|word| column.is_word(word));
    (is_call && !is_value).then(|| column.name()).flatten()
}

/// The relation of SQL that is nothing but its name.
#[must_use]
pub fn only_name(sql: &str) -> Option<String> {
    match &solid_tokens(sql).ok()?[..] {
        [name] => name.name(),
        _ => None,
    }
}

/// Columns of a relation that are only summed.
#[derive(Debug)]
pub struct Sums {
    columns: Vec<Column>,
    /// In the order of the relation's `rowid`, which starts at 1.
    rows: Vec<RowAt>,
}

/// Rows of a relation by the unit they speak of.
#[derive(Debug)]
pub struct RowsByUnit {
    rows: Vec<RowAt>,
    /// Where the rows of each unit end.
    ends: Vec<usize>,
}

impl Engine {
    /// What is summed without SQL of the relation that `from` names.
    #[must_use]
    pub fn sums(&self, from: &str) -> Option<&Sums> {
        let name = only_name(from)?;
        let mut all = self.sums.iter();
        let (_, sums) = all.find(|(relation, _)| relation.eq_ignore_ascii_case(&name))?;
        Some(sums)
    }

    /// Drops what is summed of relations that none of these names.
    pub fn keep_sums<'a>(&mut self, from: impl Iterator<Item = &'a str>) {
        let names: Vec<String> = from.filter_map(only_name).collect();
        let is_named = |relation: &str| names.iter().any(|n| n.eq_ignore_ascii_case(relation));
        self.sums.retain(|relation, _| is_named(relation));
    }

    /// Whether SQLite reads `sql` as a figure of a column of this name: a keyword wants quotes.
    #[must_use]
    pub fn reads(&self, sql: &str, column: &str) -> bool {
        let quoted = column.replace('"', "\"\"");
        let asked = format!("select ({sql}) from (select null as \"{quoted}\")");
        self.prepare(&asked, "").is_ok()
    }
}

impl Sums {
    /// Takes them out of a relation whose rows SQLite is to have in the order of `rows`.
    pub(super) fn take(
        relation: &mut Relation,
        rows: &[RowAt],
        is_only_summed: impl Fn(&str) -> bool,
    ) -> Option<Self> {
        let columns = &relation.columns;
        let is_it = |name: &str, c: &Column| c.name.eq_ignore_ascii_case(name);
        let count = |name: &str| columns.iter().filter(|c| is_it(name, c)).count();
        // Rows could not be told by their number.
        if ROW_NUMBERS.iter().any(|name| count(name) > 0) {
            return None;
        }
        // What names two columns is for SQLite to refuse.
        let is_taken: Vec<bool> = columns
            .iter()
            .map(|c| is_only_summed(&c.name) && !c.is_text() && count(&c.name) == 1)
            .collect();
        let mut at = is_taken.into_iter();
        let taken = |_: &mut Column| at.next().unwrap_or(false);
        let columns: Vec<Column> = relation.columns.extract_if(.., taken).collect();
        (!columns.is_empty()).then(|| Self {
            columns,
            rows: rows.to_vec(),
        })
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The rows of each of `units` units, from the unit of each row.
    ///
    /// # Panics
    /// When there are other rows, or other units.
    #[must_use]
    pub fn by_unit(&self, unit_of_row: &[Option<u32>], units: usize) -> RowsByUnit {
        let mut ends = vec![0; units];
        for unit in unit_of_row.iter().flatten() {
            ends[*unit as usize] += 1;
        }
        let mut count = 0;
        for end in &mut ends {
            (*end, count) = (count, count + *end);
        }
        let mut rows = vec![RowAt::default(); count];
        for (row, unit) in self.rows.iter().zip(unit_of_row) {
            if let Some(unit) = unit {
                let end = &mut ends[*unit as usize];
                rows[*end] = *row;
                *end += 1;
            }
        }
        RowsByUnit { rows, ends }
    }

    /// The column, if it is summed here.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        let mut columns = self.columns.iter();
        columns.find(|column| column.name.eq_ignore_ascii_case(name))
    }
}

impl RowsByUnit {
    /// `sum(column)` of each unit, to the last bit what SQLite says; NaN where there is nothing to sum.
    ///
    /// # Errors
    /// What SQLite would say of a sum that is too large.
    pub fn sums(&self, column: &Column) -> Result<Vec<f64>, &'static str> {
        let mut start = 0;
        let of_unit = |end: &usize| {
            let mut sum = Sum::default();
            for at in &self.rows[start..*end] {
                sum.add_cell(&column.chunks[at.chunk()], at.row());
            }
            start = *end;
            sum.value()
        };
        self.ends.iter().map(of_unit).collect()
    }
}

/// SQLite's `sum`: whole numbers exactly, others with the error of each addition carried along
/// (Kahan, Babuška, Neumaier).
#[derive(Debug, Default)]
struct Sum {
    has_any: bool,
    is_real: bool,
    overflowed: bool,
    whole: i64,
    real: f64,
    error: f64,
}

impl Sum {
    fn add_cell(&mut self, cells: &Cells, row: usize) {
        match cells {
            Cells::Whole(values) if values[row] != Cells::NO_WHOLE => {
                self.add_whole(values[row].into());
            }
            Cells::Real(values) if !values[row].is_nan() => match stored_whole(values[row]) {
                Some(whole) => self.add_whole(whole),
                None => self.add_real(values[row]),
            },
            Cells::Whole(_) | Cells::Real(_) | Cells::Text(_) => {}
        }
    }

    fn add_whole(&mut self, value: i64) {
        self.has_any = true;
        if self.is_real {
            return self.step_whole(value);
        }
        match self.whole.checked_add(value) {
            Some(whole) => self.whole = whole,
            None => {
                self.overflowed = true;
                self.become_real();
                self.step_whole(value);
            }
        }
    }

    fn add_real(&mut self, value: f64) {
        self.has_any = true;
        if self.is_real {
            self.overflowed = false;
        } else {
            self.become_real();
        }
        self.step(value);
    }

    fn become_real(&mut self) {
        self.is_real = true;
        (self.real, self.error) = parts(self.whole);
    }

    fn step(&mut self, value: f64) {
        let before = self.real;
        let after = before + value;
        self.error += if before.abs() > value.abs() {
            (before - after) + value
        } else {
            (value - after) + before
        };
        self.real = after;
    }

    fn step_whole(&mut self, value: i64) {
        let (high, low) = parts(value);
        self.step(high);
        if value.unsigned_abs() >= WHOLE_PARTS {
            self.step(low);
        }
    }

    fn value(&self) -> Result<f64, &'static str> {
        if !self.has_any {
            return Ok(f64::NAN);
        }
        if self.overflowed {
            return Err(OVERFLOW);
        }
        let value = match (self.is_real, self.error.is_finite()) {
            (false, _) => as_real(self.whole),
            (true, true) => self.real + self.error,
            (true, false) => self.real,
        };
        if value.is_infinite() {
            return Err(TOO_LARGE);
        }
        Ok(value)
    }
}

/// A number of a numeric column that SQLite stores as a whole one.
#[expect(
    clippy::cast_possible_truncation,
    reason = "compared with the value again"
)]
fn stored_whole(value: f64) -> Option<i64> {
    let whole = value as i64;
    let is_same = as_real(whole).total_cmp(&(value + 0.0)).is_eq();
    (is_same && whole != i64::MIN && whole != i64::MAX).then_some(whole)
}

/// As a real number and what it leaves.
fn parts(value: i64) -> (f64, f64) {
    if value.unsigned_abs() < WHOLE_PARTS {
        return (as_real(value), 0.0);
    }
    let low = value % PART;
    (as_real(value - low), as_real(low))
}

#[expect(clippy::cast_precision_loss, reason = "as SQLite gives it back")]
fn as_real(whole: i64) -> f64 {
    whole as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sql::Mentions;
    use crate::value::Value;

    #[test]
    fn only_a_sum_of_one_column_is_one() {
        for (sql, column) in [
            ("sum(a)", "a"),
            (" SUM ( \"Nb Voix\" ) ", "Nb Voix"),
            ("sum([a]) -- all", "a"),
            ("sum(\"null\")", "null"),
        ] {
            assert_eq!(only_sum(sql).as_deref(), Some(column), "{sql}");
        }
        for sql in [
            "sum(t.a)",
            "sum(a) + 0",
            "sum(distinct a)",
            "sum(a) filter (where b)",
            "total(a)",
            "sum(null)",
            "sum(1)",
            "(sum(a))",
            "sum('a')",
            "",
        ] {
            assert_eq!(only_sum(sql), None, "{sql}");
        }
        assert_eq!(only_name(" \"my table\" ").as_deref(), Some("my table"));
        assert_eq!(only_name("(select * from t)"), None);
        assert_eq!(only_name("t x"), None);
    }

    #[test]
    fn sums_are_kept_as_long_as_they_are_named() {
        let mut engine = Engine::new("p.toml", Mentions::everything()).expect("opens");
        for name in ["Votes", "homes"] {
            let sums = Sums {
                columns: Vec::new(),
                rows: Vec::new(),
            };
            engine.sums.insert(name.to_owned(), sums);
        }
        engine.keep_sums(["(select * from homes)", "votes"].into_iter());
        assert!(engine.sums("Votes").is_some() && engine.sums("homes").is_none());
    }

    fn figure() -> impl Strategy<Value = f64> {
        let edge = prop::sample::select(vec![
            0.0,
            -0.0,
            4_503_599_627_370_495.0,
            -4_503_599_627_370_496.0,
            9_007_199_254_740_993.0,
            4.7e18,
            9.2e18,
            -9.2e18,
            -9_223_372_036_854_775_808.0,
            1e19,
            1e308,
            -1.7e308,
            5e-324,
            f64::NAN,
        ]);
        prop_oneof![
            4 => -1e6..1e6,
            4 => (-1_000_000..1_000_000_i32).prop_map(f64::from),
            1 => any::<i32>().prop_map(f64::from),
            2 => edge,
        ]
    }

    /// What SQLite says of the sum of a column.
    fn by_sqlite(values: &[f64]) -> Result<u64, String> {
        let mut engine = Engine::new("p.toml", Mentions::everything()).expect("opens");
        let rows: Vec<Value> = values
            .iter()
            .map(|value| Some(*value).filter(|v| !v.is_nan()))
            .map(|value| value.map_or(Value::Null, Value::Number))
            .collect();
        engine
            .load_relation("t", &["a".to_owned()], rows.chunks(1))
            .expect("loads");
        let found = engine.query("select sum(a) from t", "here");
        match found.map_err(|e| e.to_string())?.rows[0][0] {
            Value::Number(sum) => Ok(sum.to_bits()),
            _ => Ok(f64::NAN.to_bits()),
        }
    }

    proptest! {
        #[test]
        fn a_sum_is_what_sqlite_says(values in prop::collection::vec(figure(), 0..40)) {
            let cells = Cells::numbers(values.clone());
            let mut sum = Sum::default();
            for row in 0..values.len() {
                sum.add_cell(&cells, row);
            }
            match (sum.value(), by_sqlite(&values)) {
                (Ok(sum), Ok(expected)) => prop_assert_eq!(sum.to_bits(), expected, "{}", sum),
                (Err(wrong), Err(expected)) => prop_assert!(expected.contains(wrong), "{}", expected),
                (sum, expected) => prop_assert!(false, "{sum:?} is not {expected:?}"),
            }
        }
    }
}
