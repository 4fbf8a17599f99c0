//! `classes`, `class-property`, `class-method`: a class for each unit, as `/stats` would cut them
//! under the same filter.

use tilecore::Bitmap;
use tilecore::classes::Method;
use tilecore::dataset::columns::Column;
use tilecore::dataset::schema::Kind;
use tilecore::gather::EXTRA_MISSING;
use tilecore::stats::Distribution;

use crate::http::{HttpError, Query};
use crate::snapshot::LevelRef;

/// Classes when the caller does not say how many, and at most.
pub const CLASSES: usize = 5;
pub const CLASSES_MAX: usize = 64;

/// How units are put into classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Classing {
    /// The number of a column of numbers.
    column: usize,
    method: Method,
    k: usize,
}

impl Classing {
    /// `None` when no classes are asked for, or the level cannot have them.
    pub fn parse(query: &Query, level: LevelRef<'_>) -> Result<Option<Self>, HttpError> {
        let k = count(query, "classes")?;
        let method = method(query, "class-method")?;
        let Some(name) = query.get("class-property")? else {
            if k.is_some() || method.is_some() {
                let detail = "name the indicator that makes the classes";
                return Err(HttpError::parameter("class-property", detail));
            }
            return Ok(None);
        };
        let mut shown = level.layer.indicators();
        if !shown.any(|i| i.name == *name && i.kind == Kind::Number) {
            let detail = format!("no indicator `{name}` with numbers in this layer");
            return Err(HttpError::parameter("class-property", detail));
        }
        // A level that does not have the indicator has no classes.
        let column = level.data.level.column_number(&name);
        Ok(column.map(|column| Self {
            column,
            method: method.unwrap_or(Method::Quantile),
            k: k.unwrap_or(CLASSES),
        }))
    }

    /// Per row its class from 0, or [`EXTRA_MISSING`]; limits are of the values of `among`.
    #[must_use]
    pub fn of_rows(self, level: LevelRef<'_>, among: Option<&Bitmap>) -> Vec<u32> {
        let data = &level.data.level;
        let Column::Number(numbers) = &data.columns()[self.column].1 else {
            return vec![EXTRA_MISSING; data.rows()];
        };
        let all;
        let among = if let Some(rows) = among {
            rows
        } else {
            all = Bitmap::full(data.rows());
            &all
        };
        let breaks = Distribution::of(numbers.values(), among).breaks(self.method, self.k);
        let class = |&value: &f64| {
            let class = breaks.classify(value);
            class
                .and_then(|c| c.try_into().ok())
                .unwrap_or(EXTRA_MISSING)
        };
        numbers.values().iter().map(class).collect()
    }
}

/// A number of classes.
pub fn count(query: &Query, parameter: &'static str) -> Result<Option<usize>, HttpError> {
    let expected = format!("a whole number from 1 to {CLASSES_MAX}");
    let count = query.parse(parameter, &expected)?;
    match count {
        Some(k) if !(1..=CLASSES_MAX).contains(&k) => {
            Err(HttpError::parameter(parameter, format!("give {expected}")))
        }
        count => Ok(count),
    }
}

/// A way to cut classes.
pub fn method(query: &Query, parameter: &'static str) -> Result<Option<Method>, HttpError> {
    let Some(name) = query.get(parameter)? else {
        return Ok(None);
    };
    let parsed = name.parse();
    parsed
        .map(Some)
        .map_err(|error| HttpError::parameter(parameter, format!("{error}")))
}
