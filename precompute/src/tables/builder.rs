//! A column under construction, cell by cell.

use tilecore::nfc::composed;

use super::number::{Form, Grammar, Reading, read, trim};
use super::relation::{Cells, Texts};
use super::tally::Tally;

/// Statistical secrecy and the like, in the publications of the INSEE.
const SECRETS: [&str; 4] = ["s", "ns", "nd", "so"];

/// How the cells of a column are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// As numbers; what is none is tallied and left out.
    Number,
    /// As text, while the tally may still say otherwise.
    Text,
    /// As text, by the project file.
    Pinned,
}

/// Which cells mean "no value" beside the empty ones.
#[derive(Debug, Clone)]
pub(super) enum Markers {
    /// In columns of numbers only.
    Secrets,
    /// In every column that is not pinned.
    Declared(Vec<String>),
}

/// The cells so far, of one column.
#[derive(Debug)]
pub(super) struct Builder<'a> {
    mode: Mode,
    grammar: Grammar,
    markers: &'a Markers,
    numbers: Vec<f64>,
    texts: Texts,
    tally: Tally,
}

impl Markers {
    pub(super) fn new(declared: Option<&[String]>) -> Self {
        declared.map_or(Self::Secrets, |markers| Self::Declared(markers.to_vec()))
    }

    /// Whether `cell`, trimmed, is a marker in a column of numbers.
    pub(super) fn contain(&self, cell: &str) -> bool {
        match self {
            Self::Secrets => cell.len() <= 2 && SECRETS.contains(&cell),
            Self::Declared(markers) => markers.iter().any(|marker| marker == cell),
        }
    }

    /// Whether the project file says that `cell` means "no value".
    pub(super) fn is_declared(&self, cell: &str) -> bool {
        matches!(self, Self::Declared(_)) && self.contain(trim(cell))
    }
}

impl<'a> Builder<'a> {
    pub(super) fn new(mode: Mode, grammar: Grammar, markers: &'a Markers) -> Self {
        Self {
            mode,
            grammar,
            markers,
            numbers: Vec::new(),
            texts: Texts::default(),
            tally: Tally::default(),
        }
    }

    /// Appends a cell; `row` is for messages.
    pub(super) fn push(&mut self, cell: &str, row: u64) {
        match self.mode {
            Mode::Number => {
                let reading = self.read(cell);
                let is_marked = self.tally(reading, row, cell);
                self.numbers.push(match reading {
                    Reading::Number(value, _) if !is_marked => value,
                    _ => f64::NAN,
                });
            }
            Mode::Text => {
                let is_marked = if self.tally.is_code() {
                    self.markers.is_declared(cell)
                } else {
                    self.tally(self.read(cell), row, cell)
                };
                // Secrets are so in columns of numbers only.
                let is_missing = is_marked && self.markers.is_declared(cell);
                self.push_text(if is_missing { "" } else { cell });
            }
            Mode::Pinned => {
                self.tally.empty += u64::from(trim(cell).is_empty());
                self.push_text(cell);
            }
        }
    }

    fn read(&self, cell: &str) -> Reading {
        match read(cell, self.grammar) {
            Reading::Number(value, form) if self.grammar.has_both_marks => {
                Reading::Number(value, Form { mark: None, ..form })
            }
            reading => reading,
        }
    }

    /// Counts a cell; true when it is a marker.
    fn tally(&mut self, reading: Reading, row: u64, cell: &str) -> bool {
        let is_marked = match reading {
            Reading::Empty => false,
            Reading::Number(..) => self.markers.is_declared(cell),
            _ => self.markers.contain(trim(cell)),
        };
        if is_marked {
            self.tally.marked += 1;
        } else {
            self.tally.add(reading, row, cell);
        }
        is_marked
    }

    /// Text as it is; only white space is no text.
    fn push_text(&mut self, cell: &str) {
        if trim(cell).is_empty() {
            self.texts.push("");
        } else {
            self.texts.push(&composed(cell));
        }
    }

    pub(super) fn finish(self) -> (Cells, Tally) {
        let cells = match self.mode {
            Mode::Number => Cells::numbers(self.numbers),
            Mode::Text | Mode::Pinned => Cells::Text(self.texts),
        };
        (cells, self.tally)
    }
}
