//! The columns of a file by its header, and which of them are loaded.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;

use super::blocks::Blocks;
use super::body;
use super::dialect::{Dialect, decode, reader};
use super::failure::Failure;
use super::wide::{WideHeader, is_number};
use crate::input_error::{InputError, Place};
use crate::open::OpenedFile;
use crate::project::{Table, TableFormat};
use crate::sql::Mentions;
use crate::tables::builder::Mode;
use crate::tables::no_column;
use crate::tables::number::trim;

/// The most columns of a file.
const COLUMNS_MAX: usize = 20_000;

/// The columns of a file.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) columns: Columns,
    has_header: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Columns {
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
        if record.len() > COLUMNS_MAX {
            let message = format!("{} columns are more than {COLUMNS_MAX}", record.len());
            return Err(fault(message).at(Place::Row(1)));
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
                let message = no_column(name, &available.concat());
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
