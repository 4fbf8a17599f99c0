//! A list of rows, written out piece by piece: GeoJSON or CSV, coded as it goes.
//!
//! Pieces are made when the client has taken the last, so a list of any length takes little memory
//! and a client that leaves ends the work.

use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use tilecore::dataset::columns::Column;

use crate::analysis::Results;
use crate::http::Coding;
use crate::layer::LevelRef;
use crate::snapshot::Snapshot;

pub mod csv;
pub mod flatgeobuf;
pub mod geojson;

/// A piece is sent when it has grown to this.
const PIECE_BYTES: usize = 64 * 1024;

/// Which rows, which columns.
#[derive(Debug, Clone)]
pub struct Rows {
    pub snapshot: Arc<Snapshot>,
    pub layer: usize,
    pub level: usize,
    /// In the order to be written.
    pub rows: Vec<u32>,
    /// In the order to be written.
    pub fields: Vec<Field>,
    /// What was computed of the level.
    pub results: Results,
    /// Names of the criteria of a score.
    pub criteria: Vec<String>,
}

/// A column of a list.
#[derive(Debug, Clone)]
pub struct Field {
    pub name: Box<str>,
    cells: Cells,
}

#[derive(Debug, Clone)]
enum Cells {
    /// The number of a column of the level.
    Stored(usize),
    Computed(Column),
}

impl Field {
    /// A column of the level, if it has it.
    #[must_use]
    pub fn stored(level: LevelRef<'_>, name: &str) -> Option<Self> {
        let number = level.data.level.column_number(name)?;
        Some(Self {
            name: name.into(),
            cells: Cells::Stored(number),
        })
    }

    #[must_use]
    pub fn computed(name: &str, column: Column) -> Self {
        Self {
            name: name.into(),
            cells: Cells::Computed(column),
        }
    }

    #[must_use]
    pub fn column<'a>(&'a self, level: LevelRef<'a>) -> &'a Column {
        match &self.cells {
            Cells::Stored(number) => &level.data.level.columns()[*number].1,
            Cells::Computed(column) => column,
        }
    }
}

impl Rows {
    /// None of the rows yet, all indicators of the level.
    #[must_use]
    pub fn of(snapshot: &Arc<Snapshot>, level: LevelRef<'_>) -> Self {
        let shown = level.layer.indicators();
        Self {
            snapshot: Arc::clone(snapshot),
            layer: level.layer.number,
            level: level.number,
            rows: Vec::new(),
            fields: shown
                .filter_map(|i| Field::stored(level, &i.name))
                .collect(),
            results: Results::default(),
            criteria: Vec::new(),
        }
    }

    #[must_use]
    pub fn level(&self) -> LevelRef<'_> {
        self.snapshot.layer_at(self.layer).level_at(self.level)
    }
}

/// How rows are written.
#[derive(Debug, Clone)]
pub enum Form {
    Csv(csv::Dialect),
    GeoJson {
        geometry: bool,
        /// Members that follow the features, without the closing brace.
        tail: String,
    },
}

/// The pieces of a list.
#[derive(Debug)]
pub struct Pieces {
    rows: Rows,
    form: Form,
    coding: Coding,
    /// Of a list of more than one piece.
    coder: Option<Coder>,
    next: usize,
    ended: bool,
}

impl Pieces {
    #[must_use]
    pub fn new(rows: Rows, form: Form, coding: Coding) -> Self {
        Self {
            rows,
            form,
            coding,
            coder: None,
            next: 0,
            ended: false,
        }
    }

    /// Whether the last piece has been taken.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.ended
    }

    /// The next piece as it is sent.
    fn code(&mut self, plain: Vec<u8>) -> Bytes {
        if self.coder.is_none() && self.ended {
            // A stream's state takes many times the memory of a short list, which is most of them.
            return Bytes::from(self.coding.encode(&plain).into_owned());
        }
        let coder = self.coder.get_or_insert_with(|| Coder::new(self.coding));
        coder.code(plain, self.ended)
    }

    fn write_head(&self, out: &mut Vec<u8>) {
        match self.form {
            Form::Csv(dialect) => csv::write_head(&self.rows, dialect, out),
            Form::GeoJson { .. } => {
                out.extend_from_slice(br#"{"type":"FeatureCollection","features":["#);
            }
        }
    }

    fn write_row(&self, at: usize, out: &mut Vec<u8>) {
        let (level, row) = (self.rows.level(), self.rows.rows[at] as usize);
        match self.form {
            Form::Csv(dialect) => {
                csv::write_row(level, &self.rows.fields, row, dialect, out);
            }
            Form::GeoJson { geometry, .. } => {
                if at > 0 {
                    out.push(b',');
                }
                geojson::write_feature(&self.rows, row, geometry, out);
                out.push(b'}');
            }
        }
    }

    fn write_tail(&self, out: &mut Vec<u8>) {
        if let Form::GeoJson { tail, .. } = &self.form {
            out.push(b']');
            out.extend_from_slice(tail.as_bytes());
            out.push(b'}');
        }
    }
}

impl Iterator for Pieces {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        let mut plain = Vec::with_capacity(PIECE_BYTES + PIECE_BYTES / 4);
        if self.next == 0 {
            self.write_head(&mut plain);
        }
        while self.next < self.rows.rows.len() && plain.len() < PIECE_BYTES {
            self.write_row(self.next, &mut plain);
            self.next += 1;
        }
        if self.next == self.rows.rows.len() {
            self.ended = true;
            self.write_tail(&mut plain);
        }
        Some(self.code(plain))
    }
}

/// Codes pieces into one stream.
enum Coder {
    Identity,
    Gzip(Option<flate2::write::GzEncoder<Vec<u8>>>),
    Zstd(Option<zstd::stream::write::Encoder<'static, Vec<u8>>>),
}

impl std::fmt::Debug for Coder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Coder")
    }
}

impl Coder {
    fn new(coding: Coding) -> Self {
        match coding {
            Coding::Identity => Self::Identity,
            Coding::Gzip => Self::Gzip(Some(flate2::write::GzEncoder::new(
                Vec::new(),
                flate2::Compression::fast(),
            ))),
            Coding::Zstd => Self::Zstd(zstd::stream::write::Encoder::new(Vec::new(), 1).ok()),
        }
    }

    /// Writing into memory does not fail.
    fn code(&mut self, plain: Vec<u8>, last: bool) -> Bytes {
        let coded = match self {
            Self::Identity => plain,
            Self::Gzip(slot) => match slot.take() {
                None => plain,
                Some(mut gzip) => {
                    let _ = gzip.write_all(&plain);
                    if last {
                        gzip.finish().unwrap_or_default()
                    } else {
                        let coded = std::mem::take(gzip.get_mut());
                        *slot = Some(gzip);
                        coded
                    }
                }
            },
            Self::Zstd(slot) => match slot.take() {
                None => plain,
                Some(mut zstd) => {
                    let _ = zstd.write_all(&plain);
                    if last {
                        zstd.finish().unwrap_or_default()
                    } else {
                        let coded = std::mem::take(zstd.get_mut());
                        *slot = Some(zstd);
                        coded
                    }
                }
            },
        };
        Bytes::from(coded)
    }
}
