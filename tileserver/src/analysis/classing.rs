//! `classes`, `class-property`, `class-method`: a class for each unit, as `/stats` would cut them
//! under the same filter.

use tilecore::Bitmap;
use tilecore::classes::Method;
use tilecore::dataset::columns::Column;
use tilecore::filter::Table as _;
use tilecore::stats::Distribution;

use super::{Computed, Overlay};
use crate::criteria;
use crate::http::{HttpError, Query};
use crate::layer::LevelRef;

/// Classes when the caller does not say how many, and at most.
pub const CLASSES: usize = 5;
pub const CLASSES_MAX: usize = 64;

/// How units are put into classes.
#[derive(Debug, Clone, PartialEq)]
pub struct Classing {
    property: String,
    method: Method,
    k: usize,
}

impl Classing {
    /// `None` when no classes are asked for, or the level cannot have them. `computed` are the
    /// columns that the request computes beside indicators.
    pub fn parse(
        query: &Query,
        level: LevelRef<'_>,
        computed: &[&str],
    ) -> Result<Option<Self>, HttpError> {
        let k = count(query, "classes")?;
        let method = method(query, "class-method")?;
        let Some(name) = query.get("class-property")? else {
            if k.is_some() || method.is_some() {
                let detail = "name the indicator that makes the classes";
                return Err(HttpError::parameter("class-property", detail));
            }
            return Ok(None);
        };
        let computed = computed.contains(&&*name);
        if !computed {
            let queryables = level.data.queryables();
            criteria::has_numbers("class-property", &name, level.layer, queryables)?;
        }
        // A level that does not have the indicator has no classes.
        let is_there = computed || level.data.level.column(&name).is_some();
        Ok(is_there.then(|| Self {
            property: name.into_owned(),
            method: method.unwrap_or(Method::Quantile),
            k: k.unwrap_or(CLASSES),
        }))
    }

    /// The column that classes are made of.
    #[must_use]
    pub fn property(&self) -> &str {
        &self.property
    }

    #[must_use]
    pub fn canonical(&self) -> String {
        format!("{} {} {}", self.method.name(), self.k, self.property)
    }

    /// Per row its class from 0; limits are of the values of the rows that pass.
    #[must_use]
    pub fn compute(&self, table: &Overlay<'_>, passing: &Bitmap) -> Computed {
        let Some(Column::Number(numbers)) = table.column(&self.property) else {
            return Computed::default();
        };
        let breaks = Distribution::of(numbers.values(), passing).breaks(self.method, self.k);
        let class = |&value: &f64| {
            let class = breaks.classify(value)?;
            u32::try_from(class).ok().map(f64::from)
        };
        Computed::of("class", numbers.values().iter().map(class).collect())
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
