//! A table read through once: what expressions are in each of its rows, and nothing kept of it.
//!
//! ```text
//! table ─▸ empty relation ─▸ the query is checked ─┬▸ columns and numbers only: cells as they are
//!                                                  └▸ SQL: rows inserted, and answered by SQLite
//! ```
//! A file of millions of persons mostly names its columns, and inserting rows costs many times what
//! reading them does.

use super::engine::Engine;
use super::token::{Kind, solid_tokens};
use super::values::TOO_LARGE;
use crate::input_error::InputError;
use crate::project::Table;
use crate::tables::{Cells, Column, Relation, TableReport};
use crate::value::{Cell, Value};

/// Words that are values of their own, whatever columns there are.
const VALUES: [&str; 4] = ["null", "current_date", "current_time", "current_timestamp"];

/// The longest whole number that is exact in `f64` whatever its digits.
const DIGITS_MAX: usize = 15;

/// An expression that needs no SQL.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Plain {
    /// By position in the relation.
    Column(usize),
    Number(f64),
}

impl Engine {
    /// Reads `table` and gives `take` the values of `expressions`, SQL over its columns, in each of
    /// its rows, whose order tells nothing. `context` says whose expressions they are.
    ///
    /// # Errors
    /// As [`Engine::load_table`] and [`Engine::for_each`].
    pub fn scan(
        &mut self,
        table: &Table,
        expressions: &[&str],
        context: &str,
        mut take: impl FnMut(&[Cell<'_>]) -> Result<(), InputError>,
    ) -> Result<TableReport, InputError> {
        let (relations, report) = self.read(table)?;
        let names: Vec<String> = relations.iter().map(|r| r.name.clone()).collect();
        let listed: Vec<String> = expressions.iter().map(|sql| format!("({sql})")).collect();
        let from = table.name.replace('"', "\"\"");
        let sql = format!("select {} from \"{from}\"", listed.join(", "));
        if let [relation] = &relations[..]
            && let Some(plain) = plain(expressions, &relation.columns)
        {
            self.add_relation(relation, &[])?;
            self.confine()?;
            // What SQLite would refuse is refused, in the same words.
            let statement = self.prepare(&sql, context)?;
            let asked: Vec<String> = statement.column_names().map(Into::into).collect();
            drop(statement);
            each_row(relation, &plain, &mut |row| take(row), &|at, wrong| {
                let column = asked.get(at).map_or("", |name| name);
                self.fault(context, &format!("column {column}: {wrong}"))
            })?;
        } else {
            for relation in relations {
                self.add_relation(&relation, &relation.sorted_rows())?;
            }
            self.confine()?;
            self.for_each(&sql, context, |row| {
                let cells: Vec<Cell<'_>> = row.iter().map(Value::cell).collect();
                take(&cells)
            })?;
        }
        for name in names {
            self.drop_relation(&name)?;
        }
        Ok(report)
    }
}

/// Gives `take` the rows of a relation in the order they were read. `fault` says what is wrong with
/// the value of an expression.
fn each_row(
    relation: &Relation,
    plain: &[Plain],
    take: &mut dyn FnMut(&[Cell<'_>]) -> Result<(), InputError>,
    fault: &dyn Fn(usize, &str) -> InputError,
) -> Result<(), InputError> {
    let mut cells = Vec::with_capacity(plain.len());
    for (chunk, rows) in relation.chunk_rows.iter().enumerate() {
        for row in 0..*rows {
            cells.clear();
            for (at, plain) in plain.iter().enumerate() {
                let cell = match plain {
                    Plain::Number(number) => Ok(Cell::Number(*number)),
                    Plain::Column(column) => cell(&relation.columns[*column].chunks[chunk], row),
                };
                cells.push(cell.map_err(|wrong| fault(at, wrong))?);
            }
            take(&cells)?;
        }
    }
    Ok(())
}

/// A cell as SQLite would give it back.
fn cell(cells: &Cells, row: usize) -> Result<Cell<'_>, &'static str> {
    if let Cells::Text(texts) = cells {
        return Ok(texts.get(row).map_or(Cell::Null, Cell::Text));
    }
    let number = cells.number(row);
    if number.is_nan() {
        return Ok(Cell::Null);
    }
    if number.is_infinite() {
        return Err(TOO_LARGE);
    }
    // Which has one zero.
    Ok(Cell::Number(number + 0.0))
}

/// The expressions, if none of them needs SQL.
fn plain(expressions: &[&str], columns: &[Column]) -> Option<Vec<Plain>> {
    let plain = |sql: &&str| {
        let tokens = solid_tokens(sql).ok()?;
        let [token] = &tokens[..] else {
            return None;
        };
        match token.kind {
            Kind::Number => {
                let is_exact = token.text.bytes().all(|b| b.is_ascii_digit());
                let is_exact = is_exact && token.text.len() <= DIGITS_MAX;
                token
                    .text
                    .parse()
                    .ok()
                    .filter(|_| is_exact)
                    .map(Plain::Number)
            }
            Kind::Word if VALUES.iter().any(|word| token.is_word(word)) => None,
            _ => {
                let name = token.name()?;
                let is_it = |column: &Column| column.name.eq_ignore_ascii_case(&name);
                columns.iter().position(is_it).map(Plain::Column)
            }
        }
    };
    expressions.iter().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::sql::Mentions;

    /// What a scan of `csv` gives, in the order of content.
    fn scanned(csv: &str, expressions: &[&str]) -> Result<Vec<String>, String> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("t.csv");
        fs::write(&path, csv).expect("writable");
        let table = Table {
            name: "t".into(),
            path,
            ..Table::default()
        };
        let mut engine = Engine::new("p.toml", Mentions::everything()).expect("opens");
        let mut rows = Vec::new();
        let scan = engine.scan(&table, expressions, "here", |row| {
            rows.push(format!("{row:?}"));
            Ok(())
        });
        let report = scan.map_err(|e| e.to_string())?;
        assert_eq!(report.rows, rows.len() as u64);
        assert!(engine.relation_columns("t").is_none(), "let go of");
        rows.sort();
        Ok(rows)
    }

    const CSV: &str = "id,Half,Name,mixed,null,empty\n\
                       1,0.5,a,a1,x,\n\
                       2,-0,\"b, \"\"c\"\"\",two,y,\n\
                       ,1e300,,3rd,,\n\
                       -9007199254740993,12.25,Zoé,,z,\n";

    #[test]
    fn cells_are_what_sqlite_gives() {
        for name in [
            "id",
            "half",
            "NAME",
            "\"mixed\"",
            "[Half]",
            "`name`",
            "empty",
            " id ",
            "7",
        ] {
            let found = scanned(CSV, &["id", name]).expect("a column");
            // Not plain, and the same.
            let by_sqlite = format!("case when 1 then {name} end");
            let expected = scanned(CSV, &["id", &by_sqlite]).expect("SQL");
            assert_eq!(found, expected, "{name}");
            assert_eq!(found.len(), 4);
        }
    }

    #[test]
    fn what_is_no_column_is_sqlites_to_answer() {
        let nulls = scanned(CSV, &["null"]).expect("a value");
        assert_eq!(nulls, ["[Null]"; 4]);
        let columns = scanned(CSV, &["\"null\""]).expect("a column");
        assert_eq!(columns[3], "[Text(\"z\")]");
        assert_eq!(scanned(CSV, &["rowid"]).expect("SQLite's own").len(), 4);
        let refused = scanned(CSV, &["halff"]).expect_err("no column");
        assert!(refused.contains("halff"), "{refused}");
        for sql in ["1 +", "group", "id; select 1", "current_date"] {
            assert!(scanned(CSV, &["id", sql]).is_err(), "{sql}");
        }
    }

    #[test]
    fn plain_is_one_name_or_one_number() {
        let column = |name: &str| Column {
            name: name.into(),
            chunks: Vec::new(),
            text_because: None,
            is_mixed: false,
        };
        let columns = [column("a"), column("B c")];
        let of = |sql: &str| plain(&[sql], &columns).map(|plain| plain[0]);
        assert_eq!(of("A"), Some(Plain::Column(0)));
        assert_eq!(of(" \"b C\" -- the second"), Some(Plain::Column(1)));
        assert_eq!(of("1"), Some(Plain::Number(1.0)));
        for sql in [
            "'a'",
            "a + 1",
            "-1",
            "1.5",
            "0x10",
            "a.b",
            "(a)",
            "",
            "1234567890123456",
        ] {
            assert_eq!(of(sql), None, "{sql}");
        }
    }
}
