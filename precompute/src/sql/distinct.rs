//! The rows of a relation that differ in some of its columns.

use std::collections::HashMap;

use crate::tables::{Column, Relation, RowAt};

/// What SQL over some columns needs to be asked of: one row of each content they have.
#[derive(Debug)]
pub(super) struct Distinct {
    /// The first row of each content, in the order of the relation.
    pub(super) rows: Vec<RowAt>,
    /// By row of the relation, in its order, the position in `rows` of its content.
    pub(super) of_row: Vec<u32>,
}

/// A cell, with one way to be missing.
#[derive(PartialEq, Eq, Hash)]
enum Content<'a> {
    Missing,
    Number(u64),
    Text(&'a str),
}

impl Distinct {
    /// By the columns at these positions; all rows are alike where there is none.
    #[expect(clippy::cast_possible_truncation, reason = "fewer than 2^32 rows")]
    pub(super) fn of(relation: &Relation, columns: &[usize]) -> Self {
        let mut of_row = vec![0; relation.rows()];
        let mut rows: Vec<RowAt> = relation.each_row().take(1).collect();
        for column in columns.iter().map(|at| &relation.columns[*at]) {
            // Those that were alike and differ in this one.
            let mut known: HashMap<(u32, Content<'_>), u32> = HashMap::new();
            rows.clear();
            for (at, alike) in relation.each_row().zip(&mut of_row) {
                let next = rows.len() as u32;
                let content = Content::of(column, at);
                *alike = *known.entry((*alike, content)).or_insert(next);
                if *alike == next {
                    rows.push(at);
                }
            }
        }
        Self { rows, of_row }
    }
}

impl<'a> Content<'a> {
    fn of(column: &'a Column, at: RowAt) -> Self {
        let cells = &column.chunks[at.chunk()];
        if let Some(text) = cells.text(at.row()) {
            return Self::Text(text);
        }
        let number = cells.number(at.row());
        if number.is_nan() {
            Self::Missing
        } else {
            Self::Number(number.to_bits())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::{Cells, Texts};

    /// Of texts and numbers, in chunks of two rows.
    fn relation(rows: &[(&str, f64)]) -> Relation {
        let column = |name: &str, chunks| Column {
            name: name.into(),
            chunks,
            text_because: None,
            is_mixed: false,
        };
        let texts = rows.chunks(2).map(|rows| {
            let mut texts = Texts::default();
            for row in rows {
                texts.push(row.0);
            }
            Cells::Text(texts)
        });
        let numbers = rows
            .chunks(2)
            .map(|rows| Cells::numbers(rows.iter().map(|row| row.1).collect()));
        Relation {
            name: "t".into(),
            columns: vec![column("a", texts.collect()), column("b", numbers.collect())],
            chunk_rows: rows.chunks(2).map(<[_]>::len).collect(),
            available: Vec::new(),
        }
    }

    #[test]
    fn each_content_has_one_row() {
        const NONE: f64 = f64::NAN;
        let rows = [
            ("x", 1.0),
            ("", 1.0),
            ("x", 0.5),
            ("x", 1.0),
            ("", NONE),
            ("", NONE),
            ("x", 0.5),
        ];
        let relation = relation(&rows);
        let of = |columns: &[usize]| {
            let found = Distinct::of(&relation, columns);
            let first = |at: &RowAt| 2 * at.chunk() + at.row();
            (
                found.rows.iter().map(first).collect::<Vec<_>>(),
                found.of_row,
            )
        };
        assert_eq!(of(&[]), (vec![0], vec![0; 7]));
        assert_eq!(of(&[0]), (vec![0, 1], vec![0, 1, 0, 0, 1, 1, 0]));
        assert_eq!(of(&[1]), (vec![0, 2, 4], vec![0, 0, 1, 0, 2, 2, 1]));
        assert_eq!(of(&[0, 1]), (vec![0, 1, 2, 4], vec![0, 1, 2, 0, 3, 3, 2]));
    }
}
