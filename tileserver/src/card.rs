//! An area's card: each indicator with its place among the others, what the area belongs to, and
//! where the figure comes from.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tilecore::Bitmap;
use tilecore::dataset::columns::Column;
use tilecore::dataset::schema::{Indicator, Kind};
use tilecore::filter::Table as _;
use tilecore::recompute::{Formula, figure as figure_of};

use crate::analysis::Overlay;
use crate::figure::figure;
use crate::layer::LevelRef;

/// A row of a level, among the rows that pass.
#[derive(Debug)]
pub struct Card<'a> {
    pub table: Overlay<'a>,
    pub row: usize,
    pub passing: &'a Bitmap,
}

impl Card<'_> {
    /// What the card adds to the area's feature.
    #[must_use]
    pub fn members(&self) -> Map<String, Value> {
        let level = self.table.level;
        let shown = level.layer.indicators();
        let here = |i: &&Indicator| level.data.level.column(&i.name).is_some();
        let indicators: Vec<&Indicator> = shown.filter(here).collect();
        let parent = level.parent(self.row).map(|(level, row)| {
            json!({
                "level": level.meta.name,
                "key": level.data.level.key(row),
                "name": level.data.level.name(row),
            })
        });
        let described = indicators.iter().map(|i| self.describe(i));
        let members = json!({
            "layer": level.layer.meta.name,
            "level": level.meta.name,
            "parent": parent,
            "indicators": described.collect::<Vec<_>>(),
            "series": self.series(&indicators),
        });
        match members {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }

    fn describe(&self, indicator: &Indicator) -> Value {
        let column = self.table.column(&indicator.name);
        let place = match column {
            Some(Column::Number(numbers)) => self.place(numbers.values()),
            _ => None,
        };
        let parent = self.table.level.parent(self.row).and_then(|(level, row)| {
            let column = level.data.level.column(&indicator.name)?;
            Some(value(Some(column), row))
        });
        json!({
            "name": indicator.name,
            "label": indicator.label,
            "description": indicator.description,
            "kind": indicator.kind,
            "unit": indicator.unit,
            "value": value(column, self.row),
            "rank": place.map(|place| place.rank),
            "of": place.map(|place| place.of),
            "percentile": place.map(|place| figure(place.percentile)),
            "parent": parent,
            "layer": whole(self.table.level, indicator).map(figure),
            "source": indicator.source,
            "vintage": indicator.vintage,
            "licence": indicator.licence,
            "formula": indicator.sql,
            "from": indicator.from,
            "estimate": indicator.estimate,
        })
    }

    /// `None` where the value is missing.
    fn place(&self, values: &[f64]) -> Option<Place> {
        let own = *values.get(self.row).filter(|value| !value.is_nan())?;
        if !self.passing.contains(self.row) {
            return None;
        }
        let mut place = Place {
            rank: 1,
            of: 0,
            percentile: 50.0,
        };
        let (mut below, mut equal) = (0_usize, 0_usize);
        for row in self.passing.iter() {
            let other = values[row];
            if other.is_nan() {
                continue;
            }
            place.of += 1;
            if other > own {
                place.rank += 1;
            } else if other < own {
                below += 1;
            } else {
                equal += 1;
            }
        }
        if place.of > 1 {
            // Half of the others that are equal count as below.
            let halves = real(2 * below + equal - 1);
            place.percentile = 100.0 * halves / real(2 * (place.of - 1));
        }
        Some(place)
    }

    /// Indicators whose names differ by a year only: one figure over several elections.
    fn series(&self, indicators: &[&Indicator]) -> Vec<Value> {
        let numbers = indicators.iter().filter(|i| i.kind == Kind::Number);
        let mut series: BTreeMap<(String, Option<&str>), BTreeMap<u16, &Indicator>> =
            BTreeMap::new();
        for indicator in numbers.clone() {
            if let Some((stem, year)) = dated(&indicator.name, year_of(indicator)) {
                let key = (stem, indicator.unit.as_deref());
                series.entry(key).or_default().insert(year, indicator);
            }
        }
        // The one without a year in its name is of its vintage's.
        for indicator in numbers {
            let key = (indicator.name.clone(), indicator.unit.as_deref());
            if let (Some(points), Some(year)) = (series.get_mut(&key), year_of(indicator)) {
                points.entry(year).or_insert(indicator);
            }
        }
        let told = |((stem, unit), points): ((String, Option<&str>), BTreeMap<u16, &Indicator>)| {
            let point = |(year, indicator): (u16, &Indicator)| {
                let column = self.table.column(&indicator.name);
                json!({
                    "time": year.to_string(),
                    "indicator": indicator.name,
                    "value": value(column, self.row),
                })
            };
            let several = points.len() > 1;
            several.then(|| {
                let points: Vec<Value> = points.into_iter().map(point).collect();
                json!({ "name": stem, "unit": unit, "points": points })
            })
        };
        series.into_iter().filter_map(told).collect()
    }
}

/// A value's place among those of the rows that pass.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// From the greatest, 1; equal values share one.
    rank: usize,
    /// Values that are not missing.
    of: usize,
    /// 0 for the least, 100 for the greatest.
    percentile: f64,
}

/// Null where missing.
fn value(column: Option<&Column>, row: usize) -> Value {
    match column {
        Some(Column::Number(numbers)) => numbers.get(row).map_or(Value::Null, figure),
        Some(Column::Text(texts)) => texts.get(row).map_or(Value::Null, Value::from),
        None => Value::Null,
    }
}

/// The figure of all units that may be seen together, from their counts; `None` where it does not
/// follow from counts.
fn whole(level: LevelRef<'_>, indicator: &Indicator) -> Option<f64> {
    let formula = Formula::parse(indicator.recompute.as_ref()?).ok()?;
    let rows = level.data.seen().map(|row| (row, 1.0));
    figure_of(&formula, level.data, rows).ok()?
}

/// The year of an indicator's vintage.
fn year_of(indicator: &Indicator) -> Option<u16> {
    indicator.vintage.as_deref()?.get(..4)?.parse().ok()
}

/// `turnout_2017` is `turnout` of 2017; so is `p17t1_turnout` of `pt1_turnout`, with that vintage.
fn dated(name: &str, vintage: Option<u16>) -> Option<(String, u16)> {
    let mut parts: Vec<&str> = name.split('_').collect();
    let year = |part: &str| {
        let is_year = part.len() == 4 && part.bytes().all(|b| b.is_ascii_digit());
        is_year.then(|| part.parse().ok())?
    };
    if let Some((at, year)) = (0..)
        .zip(&parts)
        .find_map(|(at, part)| Some((at, year(part)?)))
    {
        parts.remove(at);
        return (!parts.is_empty()).then(|| (parts.join("_"), year));
    }
    let vintage = vintage?;
    let short = format!("{:02}", vintage % 100);
    let is_digit = |b: Option<&u8>| b.is_some_and(u8::is_ascii_digit);
    let bytes = name.as_bytes();
    let (at, _) = name.match_indices(&short).find(|&(at, _)| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        !is_digit(before) && !is_digit(bytes.get(at + 2))
    })?;
    Some((format!("{}{}", &name[..at], &name[at + 2..]), vintage))
}

#[expect(clippy::cast_precision_loss, reason = "rows are far below 2^53")]
fn real(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_a_year() {
        assert_eq!(dated("turnout_2017", None), Some(("turnout".into(), 2017)));
        assert_eq!(dated("t_2022_t1", Some(2021)), Some(("t_t1".into(), 2022)));
        assert_eq!(
            dated("p17t1_turnout", Some(2017)),
            Some(("pt1_turnout".into(), 2017))
        );
        for name in ["turnout", "turnout2017", "turnout_20171", "2017", "p117_a"] {
            assert_eq!(dated(name, Some(2017)), None, "{name}");
        }
        assert_eq!(dated("p17t1_turnout", Some(2022)), None);
    }
}
