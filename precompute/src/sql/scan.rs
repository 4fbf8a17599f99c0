//! A table read through once: what expressions are in each of its rows, and nothing kept of it.
//!
//! ```text
//! table ─▸ empty relation ─▸ the query is checked ─┬▸ a column, a number: cells as they are
//!                                                  ├▸ SQL of some columns: SQLite answers once
//!                                                  │  for rows that are alike in them
//!                                                  └▸ anything else: rows inserted, and answered
//! ```
//! A file of millions of persons mostly names its columns, or makes classes of a few values, and
//! inserting rows costs many times what reading them does.

use super::distinct::Distinct;
use super::engine::Engine;
use super::token::{Kind, Token, solid_tokens};
use super::values::TOO_LARGE;
use crate::input_error::InputError;
use crate::project::Table;
use crate::tables::{Cells, Column, Relation, RowAt, TableReport};
use crate::value::{Cell, Value};

/// Words that are values of their own, whatever columns there are.
pub(super) const VALUES: [&str; 4] = ["null", "current_date", "current_time", "current_timestamp"];

/// The longest whole number that is exact in `f64` whatever its digits.
const DIGITS_MAX: usize = 15;

/// SQLite's names of a row's number.
pub(super) const ROW_NUMBERS: [&str; 3] = ["rowid", "oid", "_rowid_"];

/// How an expression is answered row by row.
#[derive(Debug, Clone, PartialEq)]
enum Plan {
    /// By position in the relation.
    Column(usize),
    Number(f64),
    /// SQL that reads no other columns than these, by position.
    Sql(Vec<usize>),
}

/// What expressions are in each row.
#[derive(Debug)]
struct Answers {
    of: Vec<Answer>,
    /// What SQLite calls them.
    names: Vec<String>,
}

/// What an expression is in each row.
#[derive(Debug)]
enum Answer {
    Column(usize),
    Number(f64),
    /// Of rows that are alike.
    Values(Vec<Value>, Distinct),
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
        let sql = select(expressions, &table.name);
        if let [relation] = &relations[..]
            && let Some(answers) = self.answers(relation, expressions, &sql, context)?
        {
            let names = &answers.names;
            each_row(relation, &answers.of, &mut |row| take(row), &|at, wrong| {
                let column = names.get(at).map_or("", |name| name);
                self.fault(context, &format!("column {column}: {wrong}"))
            })?;
            return Ok(report);
        }
        for relation in relations {
            self.add_relation(&relation, &relation.sorted_rows())?;
        }
        self.confine()?;
        let from = format!("\"{}\"", table.name.replace('"', "\"\""));
        for expression in expressions {
            self.check_of_rows(expression, &from, context)?;
        }
        self.for_each(&sql, context, |row| {
            let cells: Vec<Cell<'_>> = row.iter().map(Value::cell).collect();
            take(&cells)
        })?;
        for name in names {
            self.drop_relation(&name)?;
        }
        Ok(report)
    }

    /// What `expressions` are; `None` when one of them may be no matter of one row.
    fn answers(
        &mut self,
        relation: &Relation,
        expressions: &[&str],
        sql: &str,
        context: &str,
    ) -> Result<Option<Answers>, InputError> {
        let Some(plans) = plans(expressions, &relation.columns) else {
            return Ok(None);
        };
        self.add_relation(relation, &[])?;
        self.confine()?;
        // What SQLite would refuse is refused, in the same words.
        let statement = self.prepare(sql, context)?;
        let names = statement.column_names().map(Into::into).collect();
        drop(statement);
        self.drop_relation(&relation.name)?;
        let mut of = Vec::with_capacity(plans.len());
        for (plan, sql) in plans.iter().zip(expressions) {
            of.push(match plan {
                Plan::Column(column) => Answer::Column(*column),
                Plan::Number(number) => Answer::Number(*number),
                Plan::Sql(columns) => {
                    let alike = Distinct::of(relation, columns);
                    match self.values(relation, &alike.rows, sql, context)? {
                        Some(values) => Answer::Values(values, alike),
                        None => return Ok(None),
                    }
                }
            });
        }
        Ok(Some(Answers { of, names }))
    }

    /// What an expression is in each of `rows`; `None` when it is not one value a row.
    fn values(
        &mut self,
        relation: &Relation,
        rows: &[RowAt],
        sql: &str,
        context: &str,
    ) -> Result<Option<Vec<Value>>, InputError> {
        // One of them twice, so that a sum of one row is not taken for its value.
        let rows: Vec<RowAt> = rows.iter().chain(rows.first()).copied().collect();
        self.add_relation(relation, &rows)?;
        self.confine()?;
        let mut values = Vec::with_capacity(rows.len());
        let sql = format!("{} order by rowid", select(&[sql], &relation.name));
        self.for_each(&sql, context, |row| {
            values.extend_from_slice(row);
            Ok(())
        })?;
        self.drop_relation(&relation.name)?;
        Ok((values.len() == rows.len()).then_some(values))
    }
}

fn select(expressions: &[&str], relation: &str) -> String {
    let listed: Vec<String> = expressions.iter().map(|sql| format!("({sql})")).collect();
    let from = relation.replace('"', "\"\"");
    format!("select {} from \"{from}\"", listed.join(", "))
}

/// Gives `take` the rows of a relation in the order they were read. `fault` says what is wrong with
/// the value of an expression.
fn each_row(
    relation: &Relation,
    answers: &[Answer],
    take: &mut dyn FnMut(&[Cell<'_>]) -> Result<(), InputError>,
    fault: &dyn Fn(usize, &str) -> InputError,
) -> Result<(), InputError> {
    let mut cells = Vec::with_capacity(answers.len());
    for (number, at) in relation.each_row().enumerate() {
        cells.clear();
        for (asked, answer) in answers.iter().enumerate() {
            let cell = match answer {
                Answer::Number(number) => Ok(Cell::Number(*number)),
                Answer::Column(column) => {
                    cell(&relation.columns[*column].chunks[at.chunk()], at.row())
                }
                Answer::Values(values, alike) => Ok(values[alike.of_row[number] as usize].cell()),
            };
            cells.push(cell.map_err(|wrong| fault(asked, wrong))?);
        }
        take(&cells)?;
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

/// How to answer the expressions; `None` if one of them may ask for more than its own row.
fn plans(expressions: &[&str], columns: &[Column]) -> Option<Vec<Plan>> {
    let is_row_number = |name: &str| ROW_NUMBERS.iter().any(|n| n.eq_ignore_ascii_case(name));
    if columns.iter().any(|column| is_row_number(&column.name)) {
        return None;
    }
    let position = |name: &str| {
        let is_it = |column: &Column| column.name.eq_ignore_ascii_case(name);
        columns.iter().position(is_it)
    };
    let plan = |sql: &&str| {
        let tokens = solid_tokens(sql).ok()?;
        if let [token] = &tokens[..] {
            let is_exact = token.text.bytes().all(|b| b.is_ascii_digit());
            if token.kind == Kind::Number && is_exact && token.text.len() <= DIGITS_MAX {
                return token.text.parse().ok().map(Plan::Number);
            }
            let is_value = VALUES.iter().any(|word| token.is_word(word));
            let column = token.name().filter(|_| !is_value).as_deref().map(position);
            if let Some(column) = column.flatten() {
                return Some(Plan::Column(column));
            }
        }
        let asks_for_more = |token: &Token<'_>| {
            let is_query = ["select", "values", "with", "over"].iter();
            is_query.clone().any(|word| token.is_word(word))
                || token.name().is_some_and(|name| is_row_number(&name))
        };
        if tokens.iter().any(asks_for_more) {
            return None;
        }
        let names = tokens.iter().filter_map(Token::name);
        let mut read: Vec<usize> = names.filter_map(|name| position(&name)).collect();
        read.sort_unstable();
        read.dedup();
        Some(Plan::Sql(read))
    };
    expressions.iter().map(plan).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::sql::Mentions;

    /// What a scan of `csv` gives, as it comes.
    fn each(csv: &str, expressions: &[&str]) -> Result<Vec<String>, String> {
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
        assert_eq!(report.rows, csv.lines().count() as u64 - 1);
        assert!(engine.relation_columns("t").is_none(), "let go of");
        Ok(rows)
    }

    /// In the order of content, one for each row.
    fn scanned(csv: &str, expressions: &[&str]) -> Result<Vec<String>, String> {
        let mut rows = each(csv, expressions)?;
        assert_eq!(rows.len(), csv.lines().count() - 1);
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
    fn sql_is_asked_once_of_rows_that_are_alike() {
        let mut csv = String::from("id,kind,note,n\n");
        for i in 0..600 {
            let (kind, note) = (["a", "", "É "][i % 3], ["x", "y", "", "z"][i / 7 % 4]);
            let n = ["1", "", "-0", "2.5", "1000000"][i / 5 % 5];
            csv.extend([&*i.to_string(), ",", kind, ",", note, ",", n, "\n"]);
        }
        for sql in [
            "case kind when 'a' then note else n end",
            "upper(t.kind) || coalesce(\"note\", '-')",
            "[n] * 2 > 3",
            "n is null",
            "'all'",
            "kind like 'a%' and n",
            "max(n, 1)",
            "cast(n as text)",
            "null",
            "-1",
        ] {
            let found = scanned(&csv, &["id", sql]).expect("SQL");
            // A query of its own for each row: nothing is asked once.
            let whole = scanned(&csv, &["id", &format!("(select ({sql}))")]).expect("SQL");
            assert_eq!(found, whole, "{sql}");
            assert_eq!(found.len(), 600);
        }
    }

    #[test]
    fn what_is_no_matter_of_a_row_is_answered_by_sqlite() {
        let of = |csv: &str, sql: &str| each(csv, &[sql]);
        for csv in ["a\n5\n", "a\n5\n5\n", "a\n5\n6\n"] {
            for sql in [
                "count(*)",
                "sum(a)",
                "min(a)",
                "group_concat(a)",
                "quantile(a, 0.5)",
            ] {
                let error = of(csv, sql).expect_err("not of a row");
                assert!(
                    error.contains("one value of all rows"),
                    "{sql} of {csv:?}: {error}"
                );
            }
            let numbered = of(csv, "rowid").expect("SQL");
            assert_eq!(numbered.len(), csv.lines().count() - 1);
            assert_eq!(numbered[0], "[Number(1.0)]");
            let over = of(csv, "row_number() over (order by a)").expect("SQL");
            assert_eq!(over.len(), numbered.len());
        }
        let error = of("a\n5\n", "abs(-9223372036854775807 - 1 + a * 0)").expect_err("too large");
        assert!(error.contains("here"), "{error}");
        // A column may be called as SQLite calls a row's number.
        let named = of("rowid,b\n7,1\n8,1\n", "rowid + b").expect("SQL");
        assert_eq!(named, ["[Number(8.0)]", "[Number(9.0)]"]);
    }

    #[test]
    fn plans_go_by_one_name_one_number_or_columns() {
        let column = |name: &str| Column {
            name: name.into(),
            chunks: Vec::new(),
            text_because: None,
            is_mixed: false,
        };
        let columns = [column("a"), column("B c")];
        let of = |sql: &str| plans(&[sql], &columns).map(|plans| plans[0].clone());
        assert_eq!(of("A"), Some(Plan::Column(0)));
        assert_eq!(of(" \"b C\" -- the second"), Some(Plan::Column(1)));
        assert_eq!(of("1"), Some(Plan::Number(1.0)));
        for sql in ["'a'", "-1", "1.5", "0x10", "", "1234567890123456", "null"] {
            assert_eq!(of(sql), Some(Plan::Sql(vec![])), "{sql}");
        }
        assert_eq!(of("a + [b c] * A"), Some(Plan::Sql(vec![0, 1])));
        assert_eq!(of("(a)"), Some(Plan::Sql(vec![0])));
        for sql in [
            "(select a)",
            "rowid",
            "\"OID\" + a",
            "rank() over (order by a)",
            "a +'",
        ] {
            assert_eq!(of(sql), None, "{sql}");
        }
        let hiding = [column("a"), column("_ROWID_")];
        assert_eq!(plans(&["a"], &hiding), None);
    }
}
