//! What the cells of a column are, counted, and what the column is therefore.

use std::sync::Arc;

use super::number::{Form, Reading};
use crate::input_error::{InputError, Place};

/// Counts over a column's cells, with the first cell of each kind.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) empty: u64,
    /// Cells that hold a marker for "no value".
    pub(super) marked: u64,
    numbers: u64,
    percents: Count,
    points: Count,
    commas: Count,
    /// Marks that cannot part thousands.
    certain_marks: u64,
    codes: Count,
    lookalikes: Count,
    letters: Count,
    words: Count,
    code_reason: &'static str,
}

#[derive(Debug, Default)]
struct Count {
    cells: u64,
    first: Option<Example>,
}

/// A cell.
#[derive(Debug, Clone)]
struct Example {
    file: Arc<str>,
    row: u64,
    text: Box<str>,
}

/// What a column is.
#[derive(Debug)]
pub(super) enum Verdict {
    Number,
    Text {
        /// Why, where some cells are numbers.
        because: Option<String>,
        /// Whether as many cells are numbers as are not.
        is_mixed: bool,
    },
}

impl Count {
    fn add(&mut self, row: u64, text: &str) {
        self.cells += 1;
        if self.first.is_none() {
            // The file is known when tallies are joined.
            self.first = Some(Example {
                file: Arc::from(""),
                row,
                text: excerpt(text),
            });
        }
    }

    fn join(&mut self, other: Self, file: &Arc<str>, rows_before: u64) {
        self.cells += other.cells;
        if self.first.is_none() {
            self.first = other.first.map(|example| Example {
                file: Arc::clone(file),
                row: example.row + rows_before,
                ..example
            });
        }
    }
}

/// The start of a text, for messages.
fn excerpt(text: &str) -> Box<str> {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

impl Tally {
    pub(super) fn add(&mut self, reading: Reading, row: u64, cell: &str) {
        match reading {
            Reading::Empty => self.empty += 1,
            Reading::Number(_, form) => self.add_number(form, row, cell),
            Reading::Code(reason) => {
                if self.codes.cells == 0 {
                    self.code_reason = reason;
                }
                self.codes.add(row, cell);
            }
            Reading::Lookalike => self.lookalikes.add(row, cell),
            Reading::Letters => self.letters.add(row, cell),
            Reading::Words => self.words.add(row, cell),
        }
    }

    fn add_number(&mut self, form: Form, row: u64, cell: &str) {
        self.numbers += 1;
        if form.is_percent {
            self.percents.add(row, cell);
        }
        if let Some(mark) = form.mark {
            self.certain_marks += u64::from(!form.is_ambiguous);
            let count = if mark == b',' {
                &mut self.commas
            } else {
                &mut self.points
            };
            count.add(row, cell);
        }
    }

    /// Whether the column is text whatever its other cells are.
    pub(super) fn is_code(&self) -> bool {
        self.codes.cells > 0
    }

    /// Whether these cells alone would make the column text.
    pub(super) fn is_text(&self) -> bool {
        let others = self.lookalikes.cells + self.letters.cells + self.words.cells;
        let is_odd = self.numbers >= others && others > self.letters.cells;
        self.is_code() || others > 0 && !is_odd
    }

    /// Adds the cells that follow, `rows_before` rows into `file`.
    pub(super) fn join(&mut self, other: Self, file: &Arc<str>, rows_before: u64) {
        self.empty += other.empty;
        self.marked += other.marked;
        self.numbers += other.numbers;
        self.certain_marks += other.certain_marks;
        if self.codes.cells == 0 {
            self.code_reason = other.code_reason;
        }
        for (count, more) in [
            (&mut self.percents, other.percents),
            (&mut self.points, other.points),
            (&mut self.commas, other.commas),
            (&mut self.codes, other.codes),
            (&mut self.lookalikes, other.lookalikes),
            (&mut self.letters, other.letters),
            (&mut self.words, other.words),
        ] {
            count.join(more, file, rows_before);
        }
    }

    /// What the column is, as far as its own cells tell.
    ///
    /// A code among the cells makes all of them text. Otherwise the majority decides, and a
    /// minority that is neither number nor code is an error: it would vanish from every sum.
    pub(super) fn verdict(&self, column: &str) -> Result<Verdict, InputError> {
        let others = self.lookalikes.cells + self.letters.cells + self.words.cells;
        let is_mixed = self.numbers > 0 && self.numbers >= others;
        if let Some(code) = &self.codes.first {
            let because = format!(
                "row {} holds {:?}: {}",
                code.row, code.text, self.code_reason
            );
            return Ok(Verdict::Text {
                because: Some(because),
                is_mixed: is_mixed && others > 0,
            });
        }
        if others == 0 {
            return self.number_verdict(column);
        }
        let firsts = [
            &self.lookalikes.first,
            &self.words.first,
            &self.letters.first,
        ];
        let Some(odd) = firsts.into_iter().flatten().next() else {
            return Ok(Verdict::Number);
        };
        if is_mixed && others > self.letters.cells {
            let more = match others - 1 {
                0 => String::new(),
                more => format!(" (and {more} more like it)"),
            };
            let message = format!(
                "{} cells of the column are numbers, but this one holds {:?}{more}: correct it, \
                 or declare `missing = [{:?}]`, or `text = [{column:?}]`{}",
                self.numbers,
                odd.text,
                odd.text,
                thousands_hint(&odd.text)
            );
            return Err(odd.fault(column, message));
        }
        let because = (self.numbers > 0).then(|| format!("row {} holds {:?}", odd.row, odd.text));
        Ok(Verdict::Text { because, is_mixed })
    }

    fn number_verdict(&self, column: &str) -> Result<Verdict, InputError> {
        if let (Some(point), Some(comma)) = (&self.points.first, &self.commas.first) {
            let file = if comma.file == point.file {
                String::new()
            } else {
                format!("{}, ", comma.file)
            };
            let message = format!(
                "{} cells have a decimal point and {} a decimal comma ({file}row {} holds {:?}): set \
                 `decimal` to the one that is meant",
                self.points.cells, self.commas.cells, comma.row, comma.text
            );
            return Err(point.fault(column, message));
        }
        let others = self.numbers - self.percents.cells;
        if let (Some(percent), true) = (&self.percents.first, others > 0) {
            let count = self.percents.cells;
            let message = format!("{count} cells end in % and {others} do not: give them one unit");
            return Err(percent.fault(column, message));
        }
        Ok(Verdict::Number)
    }
}

impl Example {
    fn fault(&self, column: &str, message: String) -> InputError {
        InputError::new(&*self.file, message).at(Place::RowColumn(self.row, column.into()))
    }
}

fn thousands_hint(text: &str) -> &'static str {
    let parts_digits = |c: char| matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '.' | ',' | '\'');
    let is_grouped = text.chars().all(|c| c.is_ascii_digit() || parts_digits(c));
    if is_grouped && text.contains(parts_digits) {
        "; if it groups digits, say `thousands`"
    } else {
        ""
    }
}

/// Refuses number columns of one table that write decimals differently, or in a way that may as
/// well group thousands; `decimal` settles both.
pub(super) fn check_marks<'a>(
    columns: &(impl Iterator<Item = (&'a str, &'a Tally)> + Clone),
) -> Result<(), InputError> {
    let with = |mark: fn(&Tally) -> &Count| {
        let mut marked = columns
            .clone()
            .map(move |(name, tally)| (name, mark(tally)));
        marked.find_map(|(name, count)| Some((name, count.first.clone()?)))
    };
    let point = with(|tally| &tally.points);
    let comma = with(|tally| &tally.commas);
    if let (Some((point_column, _)), Some((comma_column, comma))) = (&point, &comma) {
        let message = format!(
            "{:?} has a decimal comma, but column {point_column:?} decimal points: set `decimal`",
            comma.text
        );
        return Err(comma.fault(comma_column, message));
    }
    let is_certain = columns.clone().any(|(_, tally)| tally.certain_marks > 0);
    if let (Some((column, example)), false) = (point.or(comma), is_certain) {
        let message = format!(
            "{:?} may have decimals or thousands: set `decimal`, and `thousands` if it groups",
            example.text
        );
        return Err(example.fault(column, message));
    }
    Ok(())
}
