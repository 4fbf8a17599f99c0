//! A relation in memory: columns of numbers or text, in chunks.

use std::cmp::Ordering;

use rayon::slice::ParallelSliceMut;

/// A named relation, ready to be queried.
#[derive(Debug)]
pub struct Relation {
    pub name: String,
    /// The columns that were asked for.
    pub columns: Vec<Column>,
    /// Rows of each chunk; every column is cut alike.
    pub chunk_rows: Vec<usize>,
    /// The name of every column of the source.
    pub available: Vec<String>,
}

/// One column.
#[derive(Debug)]
pub struct Column {
    pub name: String,
    pub chunks: Vec<Cells>,
    /// Why it is text although it might be numbers.
    pub text_because: Option<String>,
    /// Whether it is text although most of its cells are numbers.
    pub is_mixed: bool,
}

/// The cells of a chunk.
#[derive(Debug)]
pub enum Cells {
    /// Whole numbers; [`Cells::NO_WHOLE`] is missing.
    Whole(Vec<i32>),
    /// Numbers; NaN is missing.
    Real(Vec<f64>),
    Text(Texts),
}

/// Texts end to end; the empty text is missing.
#[derive(Debug, Default)]
pub struct Texts {
    text: String,
    ends: Vec<usize>,
}

/// A row of a relation.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowAt {
    chunk: u32,
    row: u32,
}

impl RowAt {
    pub(crate) fn chunk(self) -> usize {
        self.chunk as usize
    }

    pub(crate) fn row(self) -> usize {
        self.row as usize
    }
}

impl Texts {
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    /// `None` where missing or beyond the last row.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&str> {
        let end = *self.ends.get(row)?;
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        (start < end).then(|| &self.text[start..end])
    }

    /// The length of all texts together.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

impl Cells {
    /// The missing value of [`Cells::Whole`].
    pub const NO_WHOLE: i32 = i32::MIN;

    /// Numbers in the smallest form that holds them; NaN is missing.
    #[must_use]
    pub fn numbers(values: Vec<f64>) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "compared with the value again"
        )]
        let whole = |value: f64| {
            let rounded = value as i32;
            (f64::from(rounded).total_cmp(&value) == Ordering::Equal && rounded != Self::NO_WHOLE)
                .then_some(rounded)
        };
        if !values.iter().all(|v| v.is_nan() || whole(*v).is_some()) {
            return Self::Real(values);
        }
        let whole = |value: f64| whole(value).unwrap_or(Self::NO_WHOLE);
        Self::Whole(values.into_iter().map(whole).collect())
    }

    /// The number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Whole(values) => values.len(),
            Self::Real(values) => values.len(),
            Self::Text(texts) => texts.len(),
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `None` where missing or a number.
    #[must_use]
    pub fn text(&self, row: usize) -> Option<&str> {
        match self {
            Self::Text(texts) => texts.get(row),
            Self::Whole(_) | Self::Real(_) => None,
        }
    }

    /// NaN where missing or text.
    #[must_use]
    pub fn number(&self, row: usize) -> f64 {
        match self {
            Self::Whole(values) if values[row] != Self::NO_WHOLE => f64::from(values[row]),
            Self::Real(values) => values[row],
            Self::Whole(_) | Self::Text(_) => f64::NAN,
        }
    }
}

impl Column {
    /// Whether its cells are text; a column without rows is not.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self.chunks.first(), Some(Cells::Text(_)))
    }

    /// A total order of the cells: missing first, then by number or byte order.
    fn compare(&self, a: RowAt, b: RowAt) -> Ordering {
        match (&self.chunks[a.chunk()], &self.chunks[b.chunk()]) {
            (Cells::Text(x), Cells::Text(y)) => x.get(a.row()).cmp(&y.get(b.row())),
            (x, y) => {
                let (x, y) = (x.number(a.row()), y.number(b.row()));
                // Missing is NaN, and first.
                y.is_nan().cmp(&x.is_nan()).then(x.total_cmp(&y))
            }
        }
    }

    /// Eight bytes that are ordered as the cells are, as far as they tell them apart.
    fn prefix(&self, at: RowAt) -> u64 {
        match &self.chunks[at.chunk()] {
            Cells::Text(texts) => {
                let text = texts.get(at.row()).unwrap_or_default().as_bytes();
                let mut head = [0; 8];
                let count = text.len().min(8);
                head[..count].copy_from_slice(&text[..count]);
                u64::from_be_bytes(head)
            }
            cells => {
                let value = cells.number(at.row());
                if value.is_nan() {
                    return 0;
                }
                let bits = value.to_bits();
                // As `f64::total_cmp` orders them; no number has the prefix 0.
                if bits >> 63 == 1 {
                    !bits
                } else {
                    bits | 1 << 63
                }
            }
        }
    }
}

impl Relation {
    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.chunk_rows.iter().sum()
    }

    /// Every row, in the order they were read.
    pub(crate) fn each_row(&self) -> impl Iterator<Item = RowAt> {
        let chunks = (0..).zip(&self.chunk_rows);
        chunks.flat_map(|(chunk, count)| {
            let rows = 0..u32::try_from(*count).unwrap_or(u32::MAX);
            rows.map(move |row| RowAt { chunk, row })
        })
    }

    /// Every row, in the order of their content: rows that arrive in another order are loaded in
    /// the same, so that sums have the same last bit.
    pub(crate) fn sorted_rows(&self) -> Vec<RowAt> {
        let rows: Vec<RowAt> = self.each_row().collect();
        let compare = |a: RowAt, b: RowAt| {
            let mut differ = self.columns.iter().map(|column| column.compare(a, b));
            differ
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        };
        let Some(first) = rows.first().copied() else {
            return rows;
        };
        // A column of one value tells no rows apart.
        let differs = |column: &&Column| {
            rows.iter()
                .any(|row| column.compare(first, *row) != Ordering::Equal)
        };
        let Some(leading) = self.columns.iter().find(differs) else {
            return rows;
        };
        let mut keyed: Vec<(u64, RowAt)> = rows
            .iter()
            .map(|row| (leading.prefix(*row), *row))
            .collect();
        keyed.par_sort_unstable_by(|(a, row), (b, other)| {
            a.cmp(b).then_with(|| compare(*row, *other))
        });
        keyed.into_iter().map(|(_, row)| row).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn relation(rows: &[(Option<i32>, &str, f64)], chunk: usize) -> Relation {
        let parts = || rows.chunks(chunk);
        let column = |name: &str, chunks| Column {
            name: name.into(),
            chunks,
            text_because: None,
            is_mixed: false,
        };
        let a = parts().map(|part| {
            Cells::Whole(
                part.iter()
                    .map(|r| r.0.unwrap_or(Cells::NO_WHOLE))
                    .collect(),
            )
        });
        let b = parts().map(|part| {
            let mut texts = Texts::default();
            for row in part {
                texts.push(row.1);
            }
            Cells::Text(texts)
        });
        let c = parts().map(|part| Cells::numbers(part.iter().map(|r| r.2).collect()));
        Relation {
            name: "t".into(),
            columns: vec![
                column("a", a.collect()),
                column("b", b.collect()),
                column("c", c.collect()),
            ],
            chunk_rows: parts().map(<[_]>::len).collect(),
            available: Vec::new(),
        }
    }

    type Content = Vec<(u64, Option<String>, u64)>;

    fn content(relation: &Relation) -> Content {
        let rows = relation.sorted_rows();
        let cell = |column: usize, at: RowAt| &relation.columns[column].chunks[at.chunk()];
        let text = |at: RowAt| match cell(1, at) {
            Cells::Text(texts) => texts.get(at.row()).map(str::to_owned),
            _ => None,
        };
        let number = |column, at: RowAt| cell(column, at).number(at.row()).to_bits();
        rows.into_iter()
            .map(|at| (number(0, at), text(at), number(2, at)))
            .collect()
    }

    proptest! {
        #[test]
        fn the_order_depends_on_the_content_only(
            rows in prop::collection::vec(
                (prop::option::of(-3..3_i32), "[ab]{0,10}", prop::sample::select(vec![
                    0.5, -1.0, 1.0, 2.0, 1e300, f64::NAN,
                ])), 0..30),
            seed in any::<u64>(), chunk in 1..8_usize, other_chunk in 1..8_usize,
        ) {
            let rows: Vec<(Option<i32>, &str, f64)> =
                rows.iter().map(|r| (r.0, r.1.as_str(), r.2)).collect();
            let mut shuffled = rows.clone();
            for i in (1..shuffled.len()).rev() {
                let j = seed.rotate_left(u32::try_from(i).unwrap()) % (i as u64 + 1);
                shuffled.swap(i, usize::try_from(j).unwrap());
            }
            let found = content(&relation(&rows, chunk));
            prop_assert_eq!(&found, &content(&relation(&shuffled, other_chunk)));
            prop_assert_eq!(found.len(), rows.len());
        }
    }

    #[test]
    fn whole_numbers_are_kept_small_and_minus_zero_apart() {
        assert!(matches!(
            Cells::numbers(vec![1.0, f64::NAN]),
            Cells::Whole(_)
        ));
        assert!(matches!(Cells::numbers(vec![1.5]), Cells::Real(_)));
        assert!(matches!(Cells::numbers(vec![3e9]), Cells::Real(_)));
        assert!(matches!(
            Cells::numbers(vec![f64::from(i32::MIN)]),
            Cells::Real(_)
        ));
    }
}
