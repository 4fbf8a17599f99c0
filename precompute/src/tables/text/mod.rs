//! Text tables: CSV in its dialects, and the Ministry's wide files.
//!
//! ```text
//! bytes ─▸ dialect ─▸ blocks of records ─▸ builders, in parallel ─▸ verdict a column ─▸ relations
//!                                             ▲                            │
//!                                             └── again, as text ◂── not a number after all
//! ```
//! Row numbers count the header as row 1, as an editor or a spreadsheet does.

mod blocks;
mod dialect;
mod failure;
mod layout;
mod records;
mod shape;
mod wide;

use std::sync::Arc;

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use self::blocks::Blocks;
use self::dialect::{Dialect, HEAD, decode, sniff};
use self::failure::{Failure, Fault};
use self::layout::{Filled, Layout};
use self::shape::{Plan, PlannedColumn, PlannedRelation, Shape};
use super::builder::{Markers, Mode};
use super::number::Grammar;
use super::relation::{Cells, Column, Relation};
use super::tally::{Tally, Verdict, check_marks};
use super::{ColumnReport, RowNote, TableReport};
use crate::input_error::InputError;
use crate::open::{Located, OpenedFile};
use crate::project::{Table, TableFormat};
use crate::sql::Mentions;

/// Blocks parsed side by side.
const WAVE: usize = 8;

/// Reads the files of a text table.
pub(super) fn read(
    files: &[Located],
    table: &Table,
    mentions: &Mentions,
) -> Result<(Vec<Relation>, TableReport), InputError> {
    let Some(first) = files.first() else {
        return Ok((Vec::new(), TableReport::default()));
    };
    let mut source = Source::new(files, table);
    let (opened, dialect, shape) = source.open(first)?;
    source.is_free = source.grammar(dialect).decimal.is_none();
    let mut plan = Plan::new(table, &shape, mentions);
    shape.check_text_columns(&opened.name, table)?;
    source.guess_modes(&opened, dialect, &shape, &mut plan);
    drop(opened);

    let mut loaded = source.pass(&plan)?;
    let again = misread(&plan, &loaded)?;
    if again
        .relations
        .iter()
        .any(|relation| !relation.columns.is_empty())
    {
        let corrected = source.pass(&again)?;
        replace(&plan, &mut loaded, &again, corrected);
    }
    source.check_decimals(&plan, &loaded)?;
    let mut report = source.report;
    let relations = plan.relations.into_iter().zip(loaded);
    let relations: Vec<Relation> = relations
        .map(|(planned, part)| relation_of(planned, part, &mut report))
        .collect::<Result<_, _>>()?;
    Ok((relations, report))
}

/// The columns whose first cells were not like the rest, in the mode that fits them all.
fn misread(plan: &Plan, loaded: &[Part]) -> Result<Plan, InputError> {
    let mut again = plan.clone();
    for (relation, part) in again.relations.iter_mut().zip(loaded) {
        let mut kept = Vec::new();
        for (mut column, (_, tally)) in relation.columns.drain(..).zip(&part.columns) {
            let mode = verdict_mode(&column, tally)?;
            if mode != column.mode {
                column.mode = mode;
                kept.push(column);
            }
        }
        relation.columns = kept;
    }
    Ok(again)
}

/// Puts the cells of columns read again in the place of the first ones.
fn replace(plan: &Plan, loaded: &mut [Part], again: &Plan, corrected: Vec<Part>) {
    let relations = plan.relations.iter().zip(loaded);
    let again = again.relations.iter().zip(corrected);
    for ((relation, part), (fixed, new)) in relations.zip(again) {
        for (column, (cells, _)) in fixed.columns.iter().zip(new.columns) {
            let at = relation.columns.iter().position(|c| c.name == column.name);
            if let Some(at) = at {
                part.columns[at].0 = cells;
            }
        }
    }
}

/// The mode the whole column asks for.
fn verdict_mode(column: &PlannedColumn, tally: &Tally) -> Result<Mode, InputError> {
    if column.mode == Mode::Pinned {
        return Ok(Mode::Pinned);
    }
    Ok(match tally.verdict(&column.name)? {
        Verdict::Number => Mode::Number,
        Verdict::Text { .. } => Mode::Text,
    })
}

/// What a pass gives of one relation.
#[derive(Debug, Default)]
struct Part {
    chunk_rows: Vec<usize>,
    columns: Vec<(Vec<Cells>, Tally)>,
}

/// The files of a table, and how they are read.
struct Source<'a> {
    files: &'a [Located],
    table: &'a Table,
    markers: Markers,
    /// Whether decimals are written by the files' own habit.
    is_free: bool,
    report: TableReport,
}

impl<'a> Source<'a> {
    fn new(files: &'a [Located], table: &'a Table) -> Self {
        Self {
            files,
            table,
            markers: Markers::new(table.missing.as_deref()),
            is_free: false,
            report: TableReport {
                name: table.name.clone(),
                files: files.iter().map(|file| file.name.to_string()).collect(),
                ..TableReport::default()
            },
        }
    }

    fn open(&self, file: &Located) -> Result<(OpenedFile, Dialect, Shape), InputError> {
        let opened = file.open()?;
        let dialect = sniff(&opened.name, &opened.head(HEAD)?, self.table)?;
        let shape = Shape::read(&opened, dialect, self.table)?;
        Ok((opened, dialect, shape))
    }

    fn grammar(&self, dialect: Dialect) -> Grammar {
        let pinned = self.table.decimal.and_then(|c| u8::try_from(c).ok());
        let implied = match self.table.thousands {
            Some('.') => Some(b','),
            Some(',') => Some(b'.'),
            _ if dialect.delimiter == b',' => Some(b'.'),
            _ => None,
        };
        // The Ministry writes `74,62%`, and `0.00%` where nobody is registered.
        let has_both_marks = pinned.is_none() && self.table.format == Some(TableFormat::Interieur);
        Grammar {
            decimal: pinned.or(implied).filter(|_| !has_both_marks),
            thousands: self.table.thousands,
            has_both_marks,
        }
    }

    /// Sets each column's mode to what its first cells are, so that few are read twice.
    fn guess_modes(&self, opened: &OpenedFile, dialect: Dialect, shape: &Shape, plan: &mut Plan) {
        let layout = Layout::new(shape, plan);
        let mut blocks = Blocks::new(body(opened, dialect), dialect.delimiter);
        let Some(Ok(block)) = blocks.next() else {
            return;
        };
        // What is wrong with the block is said when it is read for good.
        let Ok(text) = decode(block, dialect.encoding) else {
            return;
        };
        let Ok(filled) = self.fill(&layout, plan, &text, dialect, true) else {
            return;
        };
        for (relation, part) in plan.relations.iter_mut().zip(filled.relations) {
            for (column, (_, tally)) in relation.columns.iter_mut().zip(part.columns) {
                if column.mode == Mode::Number && tally.is_text() {
                    column.mode = Mode::Text;
                }
            }
        }
    }

    /// Reads all files once.
    fn pass(&mut self, plan: &Plan) -> Result<Vec<Part>, InputError> {
        let mut parts: Vec<Part> = plan.relations.iter().map(Part::of).collect();
        self.report.rows = 0;
        self.report.notes.clear();
        let mut names = None;
        for file in self.files {
            let (opened, dialect, shape) = self.open(file)?;
            shape.check_same(&opened.name, names.get_or_insert_with(|| shape.clone()))?;
            let layout = Layout::new(&shape, plan);
            let mut rows_before = 0;
            let mut blocks = Blocks::new(body(&opened, dialect), dialect.delimiter);
            let mut is_first = true;
            loop {
                let wave: Vec<_> = blocks.by_ref().take(WAVE).collect();
                if wave.is_empty() {
                    break;
                }
                let has_header = std::mem::replace(&mut is_first, false) && shape.has_header();
                let filled: Vec<Result<Filled, Failure>> = wave
                    .into_par_iter()
                    .enumerate()
                    .map(|(i, block)| {
                        let text = decode(block?, dialect.encoding)?;
                        Ok(self.fill(&layout, plan, &text, dialect, has_header && i == 0)?)
                    })
                    .collect();
                for block in filled {
                    let block = block
                        .map_err(|e| e.located(&opened, rows_before, dialect, Some(&shape)))?;
                    self.add(block, &mut parts, &opened.name, &mut rows_before);
                }
            }
        }
        Ok(parts)
    }

    fn add(&mut self, block: Filled, parts: &mut [Part], file: &Arc<str>, rows_before: &mut u64) {
        for (part, filled) in parts.iter_mut().zip(block.relations) {
            part.chunk_rows.push(filled.rows);
            for ((chunks, total), (cells, tally)) in part.columns.iter_mut().zip(filled.columns) {
                chunks.push(cells);
                total.join(tally, file, *rows_before);
            }
        }
        self.report
            .notes
            .extend(block.notes.into_iter().map(|note| RowNote {
                file: file.to_string(),
                row: note.row + *rows_before,
                ..note
            }));
        self.report.rows += block.rows;
        *rows_before += block.records;
    }

    fn fill(
        &self,
        layout: &Layout,
        plan: &Plan,
        text: &str,
        dialect: Dialect,
        has_header: bool,
    ) -> Result<Filled, Fault> {
        let grammar = self.grammar(dialect);
        layout.fill(
            plan,
            text,
            dialect.delimiter,
            has_header,
            grammar,
            &self.markers,
        )
    }

    /// Columns of one table write decimals alike.
    fn check_decimals(&self, plan: &Plan, loaded: &[Part]) -> Result<(), InputError> {
        if !self.is_free {
            return Ok(());
        }
        for (relation, part) in plan.relations.iter().zip(loaded) {
            let columns = relation.columns.iter().zip(&part.columns);
            let numbers = columns
                .filter(|(_, (chunks, _))| !matches!(chunks.first(), Some(Cells::Text(_))))
                .map(|(column, (_, tally))| (column.name.as_str(), tally));
            check_marks(&numbers)?;
        }
        Ok(())
    }
}

impl Part {
    fn of(relation: &PlannedRelation) -> Self {
        Self {
            chunk_rows: Vec::new(),
            columns: relation
                .columns
                .iter()
                .map(|_| Default::default())
                .collect(),
        }
    }
}

fn relation_of(
    planned: PlannedRelation,
    part: Part,
    report: &mut TableReport,
) -> Result<Relation, InputError> {
    let mut columns = Vec::with_capacity(planned.columns.len());
    for (column, (chunks, tally)) in planned.columns.into_iter().zip(part.columns) {
        let (text_because, is_mixed) = match column.mode {
            Mode::Pinned => (Some("the project file says so".to_owned()), false),
            Mode::Number | Mode::Text => match tally.verdict(&column.name)? {
                Verdict::Number => (None, false),
                Verdict::Text { because, is_mixed } => (because, is_mixed),
            },
        };
        let column = Column {
            name: column.name,
            chunks,
            text_because,
            is_mixed,
        };
        report.columns.push(ColumnReport {
            relation: planned.name.clone(),
            name: column.name.clone(),
            kind: if column.is_text() { "text" } else { "number" },
            missing: tally.empty,
            secret: tally.marked,
        });
        columns.push(column);
    }
    Ok(Relation {
        name: planned.name,
        columns,
        chunk_rows: part.chunk_rows,
        available: planned.available,
    })
}

/// The file behind its byte order mark.
fn body(file: &OpenedFile, dialect: Dialect) -> impl std::io::Read + use<> {
    use std::io::{Seek, SeekFrom};
    let mut reader = file.reader();
    // Seeking in a file that is open does not read it.
    let _ = reader.seek(SeekFrom::Start(dialect.skip as u64));
    reader
}

#[cfg(test)]
mod tests;
