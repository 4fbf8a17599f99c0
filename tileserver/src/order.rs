//! `sortby`: the order of a list of rows.

use std::cmp::Ordering;

use tilecore::dataset::columns::Column;
use tilecore::dataset::schema::{COLUMN_KEY, COLUMN_NAME};
use tilecore::filter::Table as _;

use crate::analysis::Overlay;
use crate::choice::Choice;
use crate::http::{HttpError, Query};
use crate::layer::LevelRef;

/// What rows are compared by, the first that differs decides; ties are ordered by key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Order(Vec<Criterion>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Criterion {
    by: By,
    descending: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum By {
    Key,
    Name,
    Column(String),
}

impl Order {
    /// `sortby=-turnout,name`; without it, the greatest reserve or the best score first, or by
    /// row. `computed` are the columns that the request computes.
    pub fn parse(
        query: &Query,
        level: LevelRef<'_>,
        computed: &[&str],
        choice: &Choice,
    ) -> Result<Self, HttpError> {
        let names = match (query.list("sortby")?, &choice.objective) {
            (Some(names), _) => names,
            (None, Some(objective)) => vec![format!("-{}", objective.property)],
            (None, None) if computed.contains(&"rank") => vec!["rank".to_owned()],
            (None, None) => Vec::new(),
        };
        let criterion = |text: &String| {
            let (descending, name) = match text.strip_prefix('-') {
                Some(name) => (true, name),
                None => (false, text.strip_prefix('+').unwrap_or(text)),
            };
            let by = match name {
                COLUMN_KEY => Some(By::Key),
                COLUMN_NAME => Some(By::Name),
                // Scores are rounded for people; ranks are of the scores as they are.
                "score" if computed.contains(&"score") => {
                    return Ok(Criterion {
                        by: By::Column("rank".to_owned()),
                        descending: !descending,
                    });
                }
                name if computed.contains(&name) => Some(By::Column(name.to_owned())),
                name if level.shows(name) && level.data.level.column(name).is_some() => {
                    Some(By::Column(name.to_owned()))
                }
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

    /// The columns that decide.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|criterion| match &criterion.by {
            By::Column(name) => Some(name.as_str()),
            By::Key | By::Name => None,
        })
    }

    /// Puts rows in order; a missing value comes last either way.
    pub fn sort(&self, table: &Overlay<'_>, rows: &mut [u32]) {
        if self.0.is_empty() {
            return;
        }
        let columns: Vec<(&Criterion, Option<&Column>)> = self
            .0
            .iter()
            .map(|criterion| match &criterion.by {
                By::Column(name) => (criterion, table.column(name)),
                By::Key | By::Name => (criterion, None),
            })
            .collect();
        rows.sort_unstable_by(|&a, &b| compare(table, &columns, a as usize, b as usize));
    }
}

fn compare(
    table: &Overlay<'_>,
    columns: &[(&Criterion, Option<&Column>)],
    a: usize,
    b: usize,
) -> Ordering {
    let data = &table.level.data.level;
    for (criterion, column) in columns {
        let turned = |order: Ordering| {
            if criterion.descending {
                order.reverse()
            } else {
                order
            }
        };
        let order = match (&criterion.by, column) {
            (By::Key, _) => turned(data.key(a).cmp(data.key(b))),
            (By::Name, _) => turned(data.name(a).cmp(data.name(b))),
            (By::Column(_), Some(Column::Number(numbers))) => {
                missing_last(numbers.get(a), numbers.get(b), |a, b| {
                    turned(a.total_cmp(&b))
                })
            }
            (By::Column(_), Some(Column::Text(texts))) => {
                missing_last(texts.get(a), texts.get(b), |a, b| turned(a.cmp(b)))
            }
            (By::Column(_), None) => Ordering::Equal,
        };
        if order.is_ne() {
            return order;
        }
    }
    data.key(a).cmp(data.key(b))
}

fn missing_last<T>(a: Option<T>, b: Option<T>, compare: impl Fn(T, T) -> Ordering) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => compare(a, b),
        (a, b) => a.is_none().cmp(&b.is_none()),
    }
}
