//! Which field of a record goes into which column of which relation.

use super::failure::Fault;
use super::records::{Record, Records};
use super::shape::{Columns, Plan, PlannedColumn, PlannedRelation, Shape};
use super::wide::{CODES, Codes};
use crate::tables::RowNote;
use crate::tables::builder::{Builder, Markers};
use crate::tables::number::{Grammar, trim};
use crate::tables::relation::Cells;
use crate::tables::tally::Tally;

/// How the records of one file fill the columns of a plan.
#[derive(Debug)]
pub(super) struct Layout {
    rows: Rows,
    /// By relation and column.
    sources: Vec<Vec<Source>>,
}

#[derive(Debug)]
enum Rows {
    /// Every record has this many fields.
    Flat {
        fields: usize,
        /// The first ones, up to the last that is loaded.
        wanted: usize,
    },
    Wide(WideRows),
}

#[derive(Debug)]
struct WideRows {
    general: usize,
    block: usize,
    department: Option<usize>,
    commune: Option<usize>,
    bureau: Option<usize>,
}

/// Where a cell comes from.
#[derive(Debug, Clone, Copy)]
enum Source {
    Field(usize),
    /// One of [`CODES`].
    Code(usize),
    /// A field of the candidate's block.
    Block(usize),
}

/// What the records of a block give.
#[derive(Debug)]
pub(super) struct Filled {
    pub(super) relations: Vec<FilledRelation>,
    /// Rows of the first relation.
    pub(super) rows: u64,
    /// Records, the header included.
    pub(super) records: u64,
    /// Rows count from the block's first record, 1.
    pub(super) notes: Vec<RowNote>,
}

#[derive(Debug)]
pub(super) struct FilledRelation {
    pub(super) rows: usize,
    pub(super) columns: Vec<(Cells, Tally)>,
}

impl Layout {
    pub(super) fn new(shape: &Shape, plan: &Plan) -> Self {
        let sources_by = |source: &dyn Fn(&str) -> Option<Source>| {
            let relation = |relation: &PlannedRelation| {
                let found = relation
                    .columns
                    .iter()
                    .filter_map(|column| source(&column.name));
                found.collect()
            };
            plan.relations.iter().map(relation).collect()
        };
        match &shape.columns {
            Columns::Flat(names) => {
                let position = |name: &str| {
                    let at = names.iter().position(|n| n.as_deref() == Some(name))?;
                    Some(Source::Field(at))
                };
                let sources: Vec<Vec<Source>> = sources_by(&position);
                let ends = sources.iter().flatten().map(|source| match source {
                    Source::Field(at) | Source::Block(at) => at + 1,
                    Source::Code(_) => 0,
                });
                Self {
                    rows: Rows::Flat {
                        fields: names.len(),
                        wanted: ends.max().unwrap_or(0),
                    },
                    sources,
                }
            }
            Columns::Wide(header) => {
                let position = |name: &str| {
                    let code = CODES
                        .iter()
                        .position(|code| *code == name)
                        .map(Source::Code);
                    let field = || header.field(name).map(Source::Field);
                    let block = || {
                        header
                            .block
                            .iter()
                            .position(|b| b == name)
                            .map(Source::Block)
                    };
                    code.or_else(field).or_else(block)
                };
                Self {
                    rows: Rows::Wide(WideRows {
                        general: header.general.len(),
                        block: header.block.len(),
                        department: header.field("code_departement"),
                        commune: header.field("code_commune"),
                        bureau: header.field("code_bureau"),
                    }),
                    sources: sources_by(&position),
                }
            }
        }
    }

    /// Parses a block of whole records.
    pub(super) fn fill(
        &self,
        plan: &Plan,
        text: &str,
        delimiter: u8,
        has_header: bool,
        grammar: Grammar,
        markers: &Markers,
    ) -> Result<Filled, Fault> {
        let new = |column: &PlannedColumn| Builder::new(column.mode, grammar, markers);
        let mut output = Output {
            relations: plan
                .relations
                .iter()
                .map(|relation| (0, relation.columns.iter().map(new).collect()))
                .collect(),
            notes: Vec::new(),
        };
        let wanted = match &self.rows {
            Rows::Flat { wanted, .. } => *wanted,
            Rows::Wide(_) => usize::MAX,
        };
        let mut records = Records::new(text, delimiter);
        let mut record = Record::default();
        let mut row = 0;
        loop {
            let fault = |message: String| Fault {
                row: row + 1,
                message,
            };
            if !records
                .read(&mut record, wanted)
                .map_err(|e| fault(e.to_string()))?
            {
                break;
            }
            row += 1;
            if row == 1 && has_header {
                continue;
            }
            let pushed = match &self.rows {
                Rows::Flat { fields, .. } => self.push_flat(*fields, &record, row, &mut output),
                Rows::Wide(wide) => self.push_wide(wide, &record, row, &mut output),
            };
            pushed.map_err(|message| Fault { row, message })?;
        }
        Ok(output.finish(row))
    }

    fn push_flat(
        &self,
        fields: usize,
        record: &Record<'_>,
        row: u64,
        output: &mut Output<'_>,
    ) -> Result<(), String> {
        if record.len() != fields {
            return Err(format!(
                "{} fields, where {fields} are expected",
                record.len()
            ));
        }
        for (sources, relation) in self.sources.iter().zip(&mut output.relations) {
            output_row(relation, sources, row, |source| match source {
                Source::Field(at) | Source::Block(at) => record.field(at),
                Source::Code(_) => "",
            });
        }
        Ok(())
    }

    fn push_wide(
        &self,
        wide: &WideRows,
        record: &Record<'_>,
        row: u64,
        output: &mut Output<'_>,
    ) -> Result<(), String> {
        let mut length = record.len();
        let is_whole = |length: usize| {
            length
                .checked_sub(wide.general)
                .is_some_and(|rest| rest % wide.block == 0)
        };
        // A delimiter may end the row.
        if !is_whole(length) && is_whole(length - 1) && record.field(length - 1).is_empty() {
            length -= 1;
        }
        if !is_whole(length) {
            return Err(format!(
                "{} fields, where {} and then {} a candidate are expected",
                record.len(),
                wide.general,
                wide.block
            ));
        }
        let field = |at: Option<usize>| at.map(|at| record.field(at));
        let department = field(wide.department).unwrap_or_default();
        let (codes, missing) = Codes::new(department, field(wide.commune), field(wide.bureau));
        if let Some(reason) = missing {
            let general = wide.general.min(7).min(record.len());
            let detail: Vec<&str> = (0..general).map(|at| record.field(at)).collect();
            output.notes.push(RowNote {
                file: String::new(),
                row,
                reason,
                detail: detail.join(" "),
            });
        }
        let code = |at: usize| match at {
            0 => codes.code.as_str(),
            1 => &codes.ministry,
            2 => &codes.department,
            3 => &codes.commune,
            _ => &codes.bureau,
        };
        let [(station, stations), (candidate, candidates)] =
            [0, 1].map(|i| (self.sources[i].as_slice(), i));
        output_row(
            &mut output.relations[stations],
            station,
            row,
            |source| match source {
                Source::Field(at) => record.field(at),
                Source::Code(at) => code(at),
                Source::Block(_) => "",
            },
        );
        for start in (wide.general..length).step_by(wide.block) {
            let mut block = (start..start + wide.block).map(|at| record.field(at));
            if block.all(|cell| trim(cell).is_empty()) {
                continue;
            }
            output_row(
                &mut output.relations[candidates],
                candidate,
                row,
                |source| match source {
                    Source::Field(at) => record.field(at),
                    Source::Code(at) => code(at),
                    Source::Block(at) => record.field(start + at),
                },
            );
        }
        Ok(())
    }
}

/// The relations being filled: rows so far, and columns.
struct Output<'a> {
    relations: Vec<(usize, Vec<Builder<'a>>)>,
    notes: Vec<RowNote>,
}

fn output_row<'r>(
    (rows, builders): &mut (usize, Vec<Builder<'_>>),
    sources: &[Source],
    row: u64,
    cell: impl Fn(Source) -> &'r str,
) {
    *rows += 1;
    for (builder, source) in builders.iter_mut().zip(sources) {
        builder.push(cell(*source), row);
    }
}

impl Output<'_> {
    fn finish(self, records: u64) -> Filled {
        let relation = |(rows, builders): (usize, Vec<Builder<'_>>)| FilledRelation {
            rows,
            columns: builders.into_iter().map(Builder::finish).collect(),
        };
        let relations: Vec<FilledRelation> = self.relations.into_iter().map(relation).collect();
        Filled {
            rows: relations.first().map_or(0, |relation| relation.rows as u64),
            relations,
            records,
            notes: self.notes,
        }
    }
}
