//! Which field of a record goes into which column of which relation.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;

use super::blocks::Blocks;
use super::dialect::{Dialect, decode};
use super::wide::{CODES, Codes, WideHeader, is_number};
use super::{Failure, body};
use crate::input_error::{InputError, Place};
use crate::open::OpenedFile;
use crate::project::{Table, TableFormat};
use crate::sql::Mentions;
use crate::tables::RowNote;
use crate::tables::builder::{Builder, Markers, Mode};
use crate::tables::number::{Grammar, trim};
use crate::tables::relation::Cells;
use crate::tables::tally::Tally;

/// The columns of a file.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    columns: Columns,
    has_header: bool,
}

#[derive(Debug, Clone)]
enum Columns {
    /// By field; `None` is left out.
    Flat(Vec<Option<String>>),
    Wide(WideHeader),
}

/// What to load of a table.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) relations: Vec<PlannedRelation>,
}

#[derive(Debug, Clone)]
pub(super) struct PlannedRelation {
    pub(super) name: String,
    /// Those that are mentioned.
    pub(super) columns: Vec<PlannedColumn>,
    /// Those there are.
    pub(super) available: Vec<String>,
}

#[derive(Debug, Clone)]
pub(super) struct PlannedColumn {
    pub(super) name: String,
    pub(super) mode: Mode,
}

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

/// A record that is not of the file's shape.
#[derive(Debug)]
pub(super) struct Fault {
    /// From the block's first record, 1.
    pub(super) row: u64,
    pub(super) message: String,
}

impl Shape {
    /// Reads the header.
    pub(super) fn read(
        file: &OpenedFile,
        dialect: Dialect,
        table: &Table,
    ) -> Result<Self, InputError> {
        let fault = |message: String| InputError::new(&*file.name, message);
        let located = |failure: Failure| failure.located(file, 0, dialect, None);
        let mut blocks = Blocks::new(body(file, dialect), dialect.delimiter);
        let block = blocks
            .next()
            .transpose()
            .map_err(|e| located(e.into()))?
            .unwrap_or_default();
        let mut record = csv::ByteRecord::new();
        let has_record = reader(&block, dialect.delimiter)
            .read_byte_record(&mut record)
            .map_err(|e| fault(format!("its first record cannot be read: {e}")))?;
        if !has_record {
            return Err(fault("the file is empty".into()));
        }
        let fields = record
            .iter()
            .map(|field| decode(field.to_vec(), dialect.encoding));
        let first: Vec<String> = fields
            .collect::<Result<_, _>>()
            .map_err(|e| located(e.into()))?;
        let has_header = table.header != Some(false);
        let columns = if table.format == Some(TableFormat::Interieur) {
            let header = WideHeader::parse(first.iter().map(String::as_str))
                .map_err(|message| fault(message).at(Place::Row(1)))?;
            Columns::Wide(header)
        } else {
            let names =
                flat_names(&first, table).map_err(|message| fault(message).at(Place::Row(1)))?;
            Columns::Flat(names)
        };
        Ok(Self {
            columns,
            has_header,
        })
    }

    pub(super) fn has_header(&self) -> bool {
        self.has_header
    }

    /// The name of a field, for messages.
    pub(super) fn field_name(&self, field: usize) -> Option<&str> {
        match &self.columns {
            Columns::Flat(names) => names.get(field)?.as_deref(),
            Columns::Wide(header) => header.general.get(field).map(String::as_str),
        }
    }

    /// The columns of each relation the file gives.
    fn available(&self) -> Vec<Vec<String>> {
        match &self.columns {
            Columns::Flat(names) => vec![names.iter().flatten().cloned().collect()],
            Columns::Wide(header) => vec![header.station_columns(), header.candidate_columns()],
        }
    }

    /// Refuses a `text` that names no column.
    pub(super) fn check_text_columns(&self, file: &str, table: &Table) -> Result<(), InputError> {
        let available = self.available();
        let is_there = |name: &&String| available.iter().flatten().any(|column| column == *name);
        match table.text.iter().find(|name| !is_there(name)) {
            None => Ok(()),
            Some(name) => {
                let message = format!("`text` names {name:?}, which the file does not have");
                Err(InputError::new(file, message))
            }
        }
    }

    /// Refuses a file whose columns are not those of the table's first file.
    pub(super) fn check_same(&self, file: &str, first: &Self) -> Result<(), InputError> {
        let (own, first) = (self.available().concat(), first.available().concat());
        let missing = first.iter().find(|column| !own.contains(column));
        let extra = own.iter().find(|column| !first.contains(column));
        let message = match (missing, extra) {
            (None, None) => return Ok(()),
            (Some(column), _) => {
                format!("has no column {column:?}, as the first file of the table has")
            }
            (None, Some(column)) => {
                format!("has a column {column:?} that the first file of the table has not")
            }
        };
        Err(InputError::new(file, message).at(Place::Row(1)))
    }
}

fn flat_names(first: &[String], table: &Table) -> Result<Vec<Option<String>>, String> {
    let given = table.columns.as_ref();
    if let Some(given) = given
        && given.len() != first.len()
    {
        return Err(format!(
            "{} fields, but `columns` names {}",
            first.len(),
            given.len()
        ));
    }
    let names: Vec<String> = match given {
        Some(given) => given.clone(),
        None => first
            .iter()
            .map(|name| trim(name).nfc().collect())
            .collect(),
    };
    let mut seen: HashMap<String, (usize, &String)> = HashMap::new();
    for (i, name) in names.iter().enumerate() {
        if name.is_empty() {
            if table.skip_unnamed {
                continue;
            }
            return Err(format!(
                "field {} of the header has no name: name it, give all names in `columns`, or \
                 leave such columns out by `skip_unnamed = true`",
                i + 1
            ));
        }
        if let Some((other, twin)) = seen.insert(name.to_lowercase(), (i, name)) {
            let both = if twin == name {
                format!("are both {name:?}")
            } else {
                format!("{twin:?} and {name:?} differ in case only")
            };
            return Err(format!(
                "fields {} and {} of the header {both}: rename one, or give all names in `columns`",
                other + 1,
                i + 1
            ));
        }
    }
    Ok(names
        .into_iter()
        .map(|name| (!name.is_empty()).then_some(name))
        .collect())
}

impl Plan {
    pub(super) fn new(table: &Table, shape: &Shape, mentions: &Mentions) -> Self {
        let is_wide = matches!(shape.columns, Columns::Wide(_));
        let names = [table.name.clone(), format!("{}_candidats", table.name)];
        let relations = names
            .into_iter()
            .zip(shape.available())
            .map(|(name, available)| {
                let mode = |column: &String| {
                    if table.text.contains(column) || is_wide && !is_number(column) {
                        Mode::Pinned
                    } else {
                        Mode::Number
                    }
                };
                let mentioned = available.iter().filter(|column| mentions.contains(column));
                let columns = mentioned.map(|column| PlannedColumn {
                    name: column.clone(),
                    mode: mode(column),
                });
                PlannedRelation {
                    name,
                    columns: columns.collect(),
                    available,
                }
            });
        Self {
            relations: relations.collect(),
        }
    }
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
                Self {
                    rows: Rows::Flat {
                        fields: names.len(),
                    },
                    sources: sources_by(&position),
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
        let mut reader = reader(text.as_bytes(), delimiter);
        let mut record = csv::StringRecord::new();
        let mut row = 0;
        loop {
            let fault = |message: String| Fault {
                row: row + 1,
                message,
            };
            if !reader
                .read_record(&mut record)
                .map_err(|e| fault(e.to_string()))?
            {
                break;
            }
            row += 1;
            if row == 1 && has_header {
                continue;
            }
            let pushed = match &self.rows {
                Rows::Flat { fields } => self.push_flat(*fields, &record, row, &mut output),
                Rows::Wide(wide) => self.push_wide(wide, &record, row, &mut output),
            };
            pushed.map_err(|message| Fault { row, message })?;
        }
        Ok(output.finish(row))
    }

    fn push_flat(
        &self,
        fields: usize,
        record: &csv::StringRecord,
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
                Source::Field(at) | Source::Block(at) => &record[at],
                Source::Code(_) => "",
            });
        }
        Ok(())
    }

    fn push_wide(
        &self,
        wide: &WideRows,
        record: &csv::StringRecord,
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
        if !is_whole(length) && is_whole(length - 1) && record[length - 1].is_empty() {
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
        let field = |at: Option<usize>| at.map(|at| &record[at]);
        let department = field(wide.department).unwrap_or_default();
        let (codes, missing) = Codes::new(department, field(wide.commune), field(wide.bureau));
        if let Some(reason) = missing {
            let detail: Vec<&str> = record.iter().take(wide.general.min(7)).collect();
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
                Source::Field(at) => &record[at],
                Source::Code(at) => code(at),
                Source::Block(_) => "",
            },
        );
        for start in (wide.general..length).step_by(wide.block) {
            let mut block = (start..start + wide.block).map(|at| &record[at]);
            if block.all(|cell| trim(cell).is_empty()) {
                continue;
            }
            output_row(
                &mut output.relations[candidates],
                candidate,
                row,
                |source| match source {
                    Source::Field(at) => &record[at],
                    Source::Code(at) => code(at),
                    Source::Block(at) => &record[start + at],
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

/// A parser of records that may differ in length.
pub(super) fn reader(text: &[u8], delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text)
}
