//! `sortby`: the order of a list of rows.

use std::cmp::Ordering;

use tilecore::dataset::columns::Column;
use tilecore::dataset::schema::{COLUMN_KEY, COLUMN_NAME};

use crate::http::{HttpError, Query};
use crate::snapshot::LevelRef;

/// What rows are compared by, the first that differs decides; ties are ordered by key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Order(Vec<Criterion>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Criterion {
    by: By,
    descending: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum By {
    Key,
    Name,
    Column(usize),
}

impl Order {
    /// `sortby=-turnout,name`; without it, by row.
    pub fn parse(query: &Query, level: LevelRef<'_>) -> Result<Self, HttpError> {
        let names = query.list("sortby")?.unwrap_or_default();
        let criterion = |text: &String| {
            let (descending, name) = match text.strip_prefix('-') {
                Some(name) => (true, name),
                None => (false, text.strip_prefix('+').unwrap_or(text)),
            };
            let shown = level.layer.indicators().any(|i| i.name == name);
            let by = match name {
                COLUMN_KEY => Some(By::Key),
                COLUMN_NAME => Some(By::Name),
                name if shown => level.data.level.column_number(name).map(By::Column),
                _ => None,
            };
            let by = by.ok_or_else(|| {
                HttpError::parameter("sortby", format!("no property `{name}` at this level"))
            })?;
            Ok(Criterion { by, descending })
        };
        names
            .iter()
            .map(criterion)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Puts rows in order; a missing value comes last either way.
    pub fn sort(&self, level: LevelRef<'_>, rows: &mut [u32]) {
        if !self.0.is_empty() {
            rows.sort_unstable_by(|&a, &b| self.compare(level, a as usize, b as usize));
        }
    }

    fn compare(&self, level: LevelRef<'_>, a: usize, b: usize) -> Ordering {
        let data = &level.data.level;
        for criterion in &self.0 {
            let turned = |order: Ordering| {
                if criterion.descending {
                    order.reverse()
                } else {
                    order
                }
            };
            let order = match criterion.by {
                By::Key => turned(data.key(a).cmp(data.key(b))),
                By::Name => turned(data.name(a).cmp(data.name(b))),
                By::Column(number) => match &data.columns()[number].1 {
                    Column::Number(numbers) => {
                        missing_last(numbers.get(a), numbers.get(b), |a, b| {
                            turned(a.total_cmp(&b))
                        })
                    }
                    Column::Text(texts) => {
                        missing_last(texts.get(a), texts.get(b), |a, b| turned(a.cmp(b)))
                    }
                },
            };
            if order.is_ne() {
                return order;
            }
        }
        data.key(a).cmp(data.key(b))
    }
}

fn missing_last<T>(a: Option<T>, b: Option<T>, compare: impl Fn(T, T) -> Ordering) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => compare(a, b),
        (a, b) => a.is_none().cmp(&b.is_none()),
    }
}
