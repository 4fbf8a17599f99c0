//! The engine: relations in, the rows of a query out.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rusqlite::{Connection, Statement};

use super::arithmetic::{numeric_uses, with_real_division};
use super::explain::explain;
use super::functions;
use super::mentions::Mentions;
use super::sandbox::{self, Watch};
use super::sums::Sums;
use super::token::{Token, solid_tokens};
use super::values::{bind_cell, bind_value, value_of};
use crate::input_error::InputError;
use crate::project::Table;
use crate::tables::{self, Column, Relation, RowAt, TableReport};
use crate::value::Value;

/// How long one query may run: a million rows by a few hundred indicators take a minute.
const BUDGET: Duration = Duration::from_mins(10);

/// Values one query may return.
const VALUES_MAX: usize = 1 << 29;

/// SQLite's own limit on the columns of a table.
const COLUMNS_MAX: usize = 2_000;

/// Kibibytes of pages SQLite keeps in memory; what is beyond goes to its temporary file.
const CACHE_KIB: u32 = 192 << 10;

/// By name.
pub(super) type Catalog = BTreeMap<String, Known>;

/// What is known of a loaded relation.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Its columns in SQL.
    columns: Vec<String>,
    /// Every column of the source, loaded or not.
    pub(super) available: Vec<String>,
    /// Text columns, in lower case.
    text: BTreeMap<String, TextColumn>,
}

/// Why a column is text.
#[derive(Debug, Default)]
struct TextColumn {
    because: Option<String>,
    /// Whether most of its cells are numbers.
    is_mixed: bool,
}

/// SQL over relations, in a private temporary database.
pub struct Engine {
    connection: Connection,
    watch: Watch,
    /// The project file, for messages.
    file: String,
    mentions: Mentions,
    catalog: Catalog,
    /// By relation.
    pub(super) sums: BTreeMap<String, Sums>,
    budget: Duration,
}

/// What a query answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Value>>,
}

impl Engine {
    /// An engine without relations. `file` is the project file, for messages; tables load only
    /// the columns that `mentions` holds.
    ///
    /// # Errors
    /// When the temporary database cannot be made.
    pub fn new(file: impl Into<String>, mentions: Mentions) -> Result<Self, InputError> {
        let file = file.into();
        let open = || -> rusqlite::Result<(Connection, Watch)> {
            // An empty path is a private database on disk that nobody else sees.
            let mut connection = Connection::open("")?;
            connection.execute_batch(&format!(
                "pragma journal_mode = off; pragma synchronous = off; \
                 pragma cache_size = -{CACHE_KIB}; pragma locking_mode = exclusive;"
            ))?;
            functions::add(&connection)?;
            sandbox::harden(&connection)?;
            let watch = Watch::install(&mut connection)?;
            sandbox::confine(&mut connection, [].into())?;
            Ok((connection, watch))
        };
        let (connection, watch) = open()
            .map_err(|e| InputError::new(file.clone(), format!("no database for its SQL: {e}")))?;
        Ok(Self {
            connection,
            watch,
            file,
            mentions,
            catalog: Catalog::new(),
            sums: BTreeMap::new(),
            budget: BUDGET,
        })
    }

    /// Reads a table of the project file into relations: itself, and for the Ministry's wide
    /// files `<name>_candidats`. What is only summed stays out of SQL: see [`Sums`].
    ///
    /// # Errors
    /// When a file cannot be read as its format, or a cell contradicts its column.
    pub fn load_table(&mut self, table: &Table) -> Result<TableReport, InputError> {
        let (relations, report) = tables::read(table, &self.mentions)?;
        for mut relation in relations {
            let rows = relation.sorted_rows();
            let sums = Sums::take(&mut relation, &rows, |c| self.mentions.is_only_summed(c));
            self.add_relation(&relation, &rows)?;
            self.sums.extend(sums.map(|sums| (relation.name, sums)));
        }
        self.confine()?;
        Ok(report)
    }

    /// A table read by hand: see [`super::scan`].
    pub(super) fn read(&self, table: &Table) -> Result<(Vec<Relation>, TableReport), InputError> {
        tables::read(table, &self.mentions)
    }

    /// Makes a relation of those of its rows that are in `rows`, in their order. The engine is
    /// to be confined again.
    pub(super) fn add_relation(
        &mut self,
        relation: &Relation,
        rows: &[RowAt],
    ) -> Result<(), InputError> {
        let columns: Vec<String> = relation.columns.iter().map(|c| c.name.clone()).collect();
        self.check_columns(&relation.name, &columns)?;
        self.insert_relation(relation, rows)
            .map_err(|e| self.not_loaded(&relation.name, &e))?;
        let known = Known {
            columns,
            text: relation.columns.iter().filter_map(text_column).collect(),
            available: relation.available.clone(),
        };
        self.catalog.insert(relation.name.clone(), known);
        Ok(())
    }

    /// Makes a relation of values at hand, in their order.
    ///
    /// # Errors
    /// When the name is taken, or two columns differ in case only.
    pub fn load_relation<'a>(
        &mut self,
        name: &str,
        columns: &[String],
        rows: impl Iterator<Item = &'a [Value]> + Clone,
    ) -> Result<(), InputError> {
        self.check_columns(name, columns)?;
        let mut has_text = vec![false; columns.len()];
        let mut has_number = vec![false; columns.len()];
        for (i, value) in rows.clone().flat_map(|row| row.iter().enumerate()) {
            match value {
                Value::Null => {}
                Value::Number(_) => has_number[i] = true,
                Value::Text(_) => has_text[i] = true,
            }
        }
        let affinity = |i: usize| match (has_text[i], has_number[i]) {
            (true, false) => "text",
            (true, true) => "",
            (false, _) => "numeric",
        };
        let declared: Vec<(&str, &str)> = columns
            .iter()
            .enumerate()
            .map(|(i, column)| (column.as_str(), affinity(i)))
            .collect();
        self.insert(name, &declared, |statement| {
            for row in rows {
                for (i, value) in row.iter().enumerate() {
                    bind_value(statement, i + 1, value)?;
                }
                statement.raw_execute()?;
            }
            Ok(())
        })
        .map_err(|e| self.not_loaded(name, &e))?;
        let text = columns
            .iter()
            .zip(&has_text)
            .filter(|(_, is_text)| **is_text);
        let known = Known {
            columns: columns.to_vec(),
            available: columns.to_vec(),
            text: text
                .map(|(column, _)| (column.to_lowercase(), TextColumn::default()))
                .collect(),
        };
        self.catalog.insert(name.to_owned(), known);
        self.confine()
    }

    /// What a message about a column that is not there offers instead: more than what is loaded,
    /// for only what is named in the project file is.
    pub(crate) fn set_available(&mut self, relation: &str, columns: &[String]) {
        if let Some(known) = self.catalog.get_mut(relation) {
            known.available = columns.to_vec();
        }
    }

    /// Drops a relation that is no longer asked for.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn drop_relation(&mut self, name: &str) -> Result<(), InputError> {
        let dropped = sandbox::release(&mut self.connection).and_then(|()| {
            self.connection
                .execute_batch(&format!("drop table {}", quote(name)))
        });
        dropped.map_err(|e| self.not_loaded(name, &e))?;
        self.catalog.remove(name);
        self.confine()
    }

    /// Makes looking rows up by a column's value fast: `(select name from t where code = key)`.
    ///
    /// # Errors
    /// When there is no such column.
    pub fn index(&mut self, relation: &str, column: &str) -> Result<(), InputError> {
        let name = quote(&format!("_{relation}_by_{column}"));
        let (table, by) = (quote(relation), quote(column));
        let create = format!("create index {name} on {table} ({by})");
        let created = sandbox::release(&mut self.connection).and_then(|()| {
            self.watch.allow(Duration::MAX / 2);
            self.connection.execute_batch(&create)
        });
        created.map_err(|e| self.not_loaded(relation, &e))?;
        self.confine()
    }

    /// The columns of a relation as SQL sees them.
    #[must_use]
    pub fn relation_columns(&self, name: &str) -> Option<&[String]> {
        self.catalog.get(name).map(|known| known.columns.as_slice())
    }

    /// Whether SQL of the project may mean a column of this name.
    #[must_use]
    pub fn mentions(&self, column: &str) -> bool {
        self.mentions.contains(column)
    }

    /// Answers `sql`. `context` says which key of the project file it comes from.
    ///
    /// # Errors
    /// When it is no query, names what is not there, sums text, or asks for too much.
    pub fn query(&self, sql: &str, context: &str) -> Result<Rows, InputError> {
        let mut rows = Vec::new();
        let columns = self.for_each(sql, context, |row| {
            rows.push(row.to_vec());
            Ok(())
        })?;
        Ok(Rows { columns, rows })
    }

    /// As [`Engine::query`], row by row: `take` sees each and may stop. Returns the columns.
    ///
    /// # Errors
    /// As [`Engine::query`], and those of `take`.
    pub fn for_each(
        &self,
        sql: &str,
        context: &str,
        mut take: impl FnMut(&[Value]) -> Result<(), InputError>,
    ) -> Result<Vec<String>, InputError> {
        let fault = |message: String| self.fault(context, &message);
        let explained = |e: rusqlite::Error| fault(explain(&e, &self.catalog));
        let mut statement = self.prepare(sql, context)?;
        let columns: Vec<String> = statement.column_names().map(Into::into).collect();
        let mut row = Vec::with_capacity(columns.len());
        let mut count = 0_usize;
        let mut rows = statement.raw_query();
        while let Some(found) = rows.next().map_err(explained)? {
            row.clear();
            for (i, column) in columns.iter().enumerate() {
                let value = found.get_ref(i).map_err(explained)?;
                row.push(value_of(value).map_err(|e| fault(format!("column {column}: {e}")))?);
            }
            count += columns.len();
            if count > VALUES_MAX {
                return Err(fault(format!("answers more than {VALUES_MAX} values")));
            }
            take(&row)?;
        }
        Ok(columns)
    }

    /// Refuses an aggregate where each row of `from` is to have a value of its own: SQLite would make
    /// one row of all and say nothing.
    ///
    /// # Errors
    /// When `sql` is one. What else is wrong with it is not looked at.
    pub fn check_of_rows(&self, sql: &str, from: &str, context: &str) -> Result<(), InputError> {
        // Where an aggregate may not stand.
        let asked = format!("select 1 from {from} where ({sql}) is null");
        match self.prepare(&asked, context) {
            Err(error) if error.to_string().contains("misuse of aggregate") => Err(self.fault(
                context,
                &format!("`{sql}` is one value of all rows: write what each of them has"),
            )),
            _ => Ok(()),
        }
    }

    /// A query that may be asked, ready to run within the budget of time.
    pub(super) fn prepare(&self, sql: &str, context: &str) -> Result<Statement<'_>, InputError> {
        let fault = |message: String| self.fault(context, &message);
        let real = with_real_division(sql).map_err(|e| fault(format!("not SQL: {e}")))?;
        self.check_text(sql).map_err(fault)?;
        let tokens = solid_tokens(sql).map_err(|e| fault(format!("not SQL: {e}")))?;
        if sandbox::reads_clock(&tokens) {
            return Err(fault(
                "the date of today would change the dataset: write a date".into(),
            ));
        }
        self.watch.allow(self.budget);
        let statement = self.connection.prepare(&real);
        let statement = statement.map_err(|e| fault(explain(&e, &self.catalog)))?;
        if !statement.readonly() || statement.column_count() == 0 {
            return Err(fault("not a query: it starts with `select`".into()));
        }
        Ok(statement)
    }

    /// Refuses text where SQLite would read it as a number.
    fn check_text(&self, sql: &str) -> Result<(), String> {
        let uses = numeric_uses(sql).map_err(|e| format!("not SQL: {e}"))?;
        let tokens = solid_tokens(sql).map_err(|e| format!("not SQL: {e}"))?;
        let is_named = |name: &str| {
            let mut names = tokens.iter().filter_map(Token::name);
            names.any(|word| word.eq_ignore_ascii_case(name))
        };
        // A column that the query itself makes may be a number under the same name.
        let is_made = |name: &str| {
            let mut pairs = tokens.windows(2);
            let is_it = |t: &Token<'_>| t.name().is_some_and(|n| n.eq_ignore_ascii_case(name));
            pairs.any(|pair| pair[0].is_word("as") && is_it(&pair[1]))
        };
        for used in uses.into_iter().filter(|used| !is_made(&used.column)) {
            let column = used.column.to_lowercase();
            for (name, known) in &self.catalog {
                let Some(text) = known.text.get(&column) else {
                    continue;
                };
                let is_other = used.relation.as_ref().is_some_and(|relation| {
                    self.catalog.contains_key(relation) && relation != name
                });
                if is_other || !is_named(name) || !(used.is_summed || text.is_mixed) {
                    continue;
                }
                let because = text.because.as_deref();
                let because = because.unwrap_or("none of its cells is a number");
                return Err(format!(
                    "column {:?} of {name} is text ({because}), of which SQL takes what is no \
                     number for 0: correct the cell, declare it `missing`, or cast the column",
                    used.column
                ));
            }
        }
        Ok(())
    }

    fn insert_relation(&mut self, relation: &Relation, rows: &[RowAt]) -> rusqlite::Result<()> {
        let declared: Vec<(&str, &str)> = relation
            .columns
            .iter()
            .map(|column| {
                let affinity = if column.is_text() { "text" } else { "numeric" };
                (column.name.as_str(), affinity)
            })
            .collect();
        self.insert(&relation.name, &declared, |statement| {
            for at in rows {
                for (i, column) in relation.columns.iter().enumerate() {
                    bind_cell(statement, i + 1, &column.chunks[at.chunk()], at.row())?;
                }
                statement.raw_execute()?;
            }
            Ok(())
        })
    }

    /// Creates a relation and lets `fill` bind and execute the insertion.
    fn insert(
        &mut self,
        name: &str,
        columns: &[(&str, &str)],
        fill: impl FnOnce(&mut Statement<'_>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        sandbox::release(&mut self.connection)?;
        self.watch.allow(Duration::MAX / 2);
        // A relation may be asked for nothing but its number of rows.
        let columns = if columns.is_empty() {
            &[("_row", "")][..]
        } else {
            columns
        };
        let declared: Vec<String> = columns
            .iter()
            .map(|(column, affinity)| format!("{} {affinity}", quote(column)))
            .collect();
        let create = format!("create table {} ({})", quote(name), declared.join(", "));
        let marks = vec!["?"; columns.len()].join(", ");
        let insert = format!("insert into {} values ({marks})", quote(name));
        self.connection.execute_batch(&create)?;
        let transaction = self.connection.transaction()?;
        fill(&mut transaction.prepare(&insert)?)?;
        transaction.commit()
    }

    fn check_columns(&self, name: &str, columns: &[String]) -> Result<(), InputError> {
        let fault = |message: String| Err(InputError::new(&*self.file, message));
        if self.catalog.contains_key(name) {
            return fault(format!("two relations are called {name:?}"));
        }
        if columns.len() > COLUMNS_MAX {
            return fault(format!(
                "{name}: {} columns are more than {COLUMNS_MAX}: name those you need",
                columns.len()
            ));
        }
        let mut seen = BTreeMap::new();
        for column in columns {
            if let Some(other) = seen.insert(column.to_lowercase(), column) {
                return fault(format!(
                    "{name}: columns {other:?} and {column:?} are the same to SQL: rename one"
                ));
            }
        }
        Ok(())
    }

    pub(super) fn confine(&mut self) -> Result<(), InputError> {
        let names = self.catalog.keys().cloned().collect();
        sandbox::confine(&mut self.connection, names)
            .map_err(|e| InputError::new(&*self.file, format!("SQL cannot be confined: {e}")))
    }

    pub(crate) fn fault(&self, context: &str, message: &str) -> InputError {
        InputError::new(&*self.file, format!("{context}: {message}"))
    }

    fn not_loaded(&self, name: &str, error: &rusqlite::Error) -> InputError {
        InputError::new(
            &*self.file,
            format!("table {name} cannot be loaded: {error}"),
        )
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("file", &self.file)
            .field("catalog", &self.catalog)
            .finish_non_exhaustive()
    }
}

fn text_column(column: &Column) -> Option<(String, TextColumn)> {
    let text = || TextColumn {
        because: column.text_because.clone(),
        is_mixed: column.is_mixed,
    };
    column
        .is_text()
        .then(|| (column.name.to_lowercase(), text()))
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests;
