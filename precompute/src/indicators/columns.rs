//! A block's columns: the indicators, and the hidden ones that recompute them under a filter.

use std::collections::BTreeMap;

use rayon::prelude::*;
use tilecore::dataset::columns::{Column, Numbers, Texts};
use tilecore::dataset::schema::{Indicator, Kind, Localized, Recompute};

use super::plain::{PlainSums, SumOf};
use super::{JOIN, JoinLevel, KEY, keyed, unit_column};
use crate::input_error::InputError;
use crate::project::IndicatorBlock;
use crate::sql::{AdditiveAggregate, Decomposed, Engine, decompose};
use crate::units::row_number;
use crate::value::Value;

/// Starts the name of a hidden column; no indicator's name may hold it.
const HIDDEN: char = '~';

/// The columns of a block at the block's level and every coarser one.
#[derive(Debug)]
pub struct BlockColumns {
    /// Indicators first, then hidden columns.
    pub indicators: Vec<Indicator>,
    /// By level from the block's own, in the order of `indicators`.
    pub levels: Vec<Vec<(String, Column)>>,
    /// The block's weight, where it follows from columns of `indicators`.
    pub weight: Option<Recompute>,
}

impl BlockColumns {
    /// Indicators that readers see and that have no value in any unit of the block's level.
    pub(super) fn without_value(&self) -> Vec<String> {
        let Some(level) = self.levels.first() else {
            return Vec::new();
        };
        let shown = self.indicators.iter().zip(level);
        let empty = shown.filter(|(indicator, (_, column))| {
            let has_value = match column {
                Column::Number(numbers) => numbers.values().iter().any(|value| !value.is_nan()),
                Column::Text(texts) => texts.codes().iter().any(|code| *code != Texts::MISSING),
            };
            !indicator.hidden && !has_value
        });
        empty.map(|(indicator, _)| indicator.name.clone()).collect()
    }
}

/// A column and the SQL of its figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    pub indicator: Indicator,
    pub sql: String,
}

/// The columns that a block defines. Hidden ones hold the aggregates from which its indicators
/// follow, once each, unless an indicator is just that aggregate; and the weight.
#[must_use]
pub fn define(block: &IndicatorBlock, number: usize) -> (Vec<Definition>, Option<Recompute>) {
    let parts: Vec<Option<Decomposed>> = block
        .columns
        .iter()
        .map(|column| decompose(&column.sql))
        .collect();
    let mut holder: BTreeMap<String, String> = BTreeMap::new();
    for (column, parts) in block.columns.iter().zip(&parts) {
        if let Some(aggregate) = parts.as_ref().and_then(alone) {
            holder
                .entry(aggregate.sql.clone())
                .or_insert_with(|| column.name.clone());
        }
    }
    let mut hidden: Vec<(String, String)> = Vec::new();
    let mut held = |aggregate: &AdditiveAggregate| {
        holder
            .entry(aggregate.sql.clone())
            .or_insert_with(|| {
                let name = format!("{HIDDEN}{}:{}", number + 1, aggregate.sql);
                hidden.push((name.clone(), aggregate.sql.clone()));
                name
            })
            .clone()
    };
    let mut definitions: Vec<Definition> = block
        .columns
        .iter()
        .zip(&parts)
        .map(|(column, parts)| Definition {
            indicator: Indicator {
                name: column.name.clone(),
                unit: column.unit.clone(),
                label: label(&column.label, &column.name),
                description: column.description.clone(),
                sql: column.sql.clone(),
                estimate: column.estimate,
                recompute: parts.as_ref().map(|parts| parts.named(&mut held)),
                ..blank(block)
            },
            sql: column.sql.clone(),
        })
        .collect();
    let weight = block.weight.as_deref().and_then(decompose);
    let weight = weight.map(|weight| weight.named(&mut held));
    definitions.extend(hidden.into_iter().map(|(name, sql)| Definition {
        indicator: Indicator {
            name,
            sql: sql.clone(),
            hidden: true,
            ..blank(block)
        },
        sql,
    }));
    (definitions, weight)
}

/// The only part of an indicator that is nothing but one aggregate.
fn alone(parts: &Decomposed) -> Option<&AdditiveAggregate> {
    let [aggregate] = parts.aggregates.as_slice() else {
        return None;
    };
    (parts.named(|_| "x".to_owned()).formula == "\"x\"").then_some(aggregate)
}

fn blank(block: &IndicatorBlock) -> Indicator {
    Indicator {
        name: String::new(),
        kind: Kind::Number,
        unit: None,
        label: Localized::new(),
        description: Localized::new(),
        sql: String::new(),
        from: block.from.clone(),
        level: block.level.clone(),
        source: block.source.clone(),
        vintage: block.vintage.clone(),
        licence: block.licence.clone(),
        estimate: false,
        hidden: false,
        recompute: None,
    }
}

fn label(given: &Localized, name: &str) -> Localized {
    if given.is_empty() {
        return Localized::from([(String::new(), name.to_owned())]);
    }
    given.clone()
}

/// Evaluates a block's columns at each level; the join is loaded as [`JOIN`].
pub(super) fn of_levels(
    engine: &Engine,
    block: &IndicatorBlock,
    number: usize,
    levels: &[JoinLevel],
    context: &str,
) -> Result<BlockColumns, InputError> {
    let (mut definitions, weight) = define(block, number);
    let plain = PlainSums::of(engine, block, levels, context)?;
    let sum_of = |definition: &Definition| plain.as_ref()?.sum_of(&definition.sql);
    let sums: Vec<Option<SumOf<'_>>> = definitions.iter().map(sum_of).collect();
    let others = definitions.iter().zip(&sums);
    let others: Vec<&Definition> = others
        .filter_map(|(d, sum)| sum.is_none().then_some(d))
        .collect();
    let mut figures: Vec<Vec<Figures>> = Vec::with_capacity(levels.len());
    for (up, level) in levels.iter().enumerate() {
        let units = level.units.keys.len();
        let mut others = of_level(engine, block, &others, up, units, context)?.into_iter();
        let by_level = |sum: &Option<SumOf<'_>>| sum.as_ref().map(|sum| sum.of_level(up));
        let summed: Vec<Option<Result<_, _>>> = sums.par_iter().map(by_level).collect();
        let mut of_level = Vec::with_capacity(definitions.len());
        for (definition, summed) in definitions.iter().zip(summed) {
            of_level.extend(match summed {
                None => others.next(),
                Some(Ok(numbers)) => Some(Figures::of_numbers(numbers)),
                Some(Err(wrong)) => {
                    let context = format!("{context}, columns.{}", definition.indicator.name);
                    return Err(engine.fault(&context, wrong));
                }
            });
        }
        figures.push(of_level);
    }
    for (i, definition) in definitions.iter_mut().enumerate() {
        let all = figures.iter().map(|level| &level[i]);
        definition.indicator.kind = kind(all).ok_or_else(|| {
            InputError::new(
                context,
                format!(
                    "indicator {} is text for some units and a number for others: cast it",
                    definition.indicator.name
                ),
            )
        })?;
    }
    let levels = figures
        .into_iter()
        .map(|level| {
            definitions
                .iter()
                .zip(level)
                .map(|(definition, figures)| {
                    let indicator = &definition.indicator;
                    (indicator.name.clone(), figures.column(indicator.kind))
                })
                .collect()
        })
        .collect();
    Ok(BlockColumns {
        indicators: definitions.into_iter().map(|d| d.indicator).collect(),
        levels,
        weight,
    })
}

/// By definition, by unit, what SQL answers; missing for units without a row.
fn of_level(
    engine: &Engine,
    block: &IndicatorBlock,
    definitions: &[&Definition],
    up: usize,
    units: usize,
    context: &str,
) -> Result<Vec<Figures>, InputError> {
    if definitions.is_empty() {
        return Ok(Vec::new());
    }
    let expressions: Vec<String> = definitions
        .iter()
        .map(|definition| format!("({})", definition.sql))
        .collect();
    let unit = unit_column(up);
    // The crossed join keeps the table outside and the keys inside, under an index.
    let sql = format!(
        "select j.{unit}, {} from {} t cross join {JOIN} j on j.{KEY} = t.{KEY} \
         where j.{unit} is not null group by j.{unit}",
        expressions.join(", "),
        keyed(block)
    );
    let mut figures: Vec<Figures> = definitions.iter().map(|_| Figures::of(units)).collect();
    let answered = engine.for_each(&sql, context, |row| {
        let unit = row_number(&row[0]);
        for (column, value) in figures.iter_mut().zip(&row[1..]) {
            column.put(unit, value);
        }
        Ok(())
    });
    if let Err(error) = answered {
        return Err(at_fault(engine, block, definitions, context).unwrap_or(error));
    }
    Ok(figures)
}

/// The error of the one column that fails by itself, with its name.
fn at_fault(
    engine: &Engine,
    block: &IndicatorBlock,
    definitions: &[&Definition],
    context: &str,
) -> Option<InputError> {
    definitions.iter().find_map(|definition| {
        let sql = format!("select ({}) from {}", definition.sql, keyed(block));
        let context = format!("{context}, columns.{}", definition.indicator.name);
        engine.query(&sql, &context).err()
    })
}

/// A column's values by unit, as they come in.
struct Figures {
    /// NaN is missing.
    numbers: Vec<f64>,
    has_numbers: bool,
    /// Empty as long as there are none.
    texts: Vec<Option<Box<str>>>,
}

impl Figures {
    fn of(units: usize) -> Self {
        Self {
            numbers: vec![f64::NAN; units],
            has_numbers: false,
            texts: Vec::new(),
        }
    }

    fn of_numbers(numbers: Vec<f64>) -> Self {
        Self {
            has_numbers: numbers.iter().any(|number| !number.is_nan()),
            numbers,
            texts: Vec::new(),
        }
    }

    fn put(&mut self, unit: usize, value: &Value) {
        match value {
            Value::Null => {}
            Value::Number(number) => {
                self.numbers[unit] = *number;
                self.has_numbers = true;
            }
            Value::Text(text) => {
                self.texts.resize(self.numbers.len(), None);
                self.texts[unit] = Some(text.clone());
            }
        }
    }

    fn column(self, kind: Kind) -> Column {
        match kind {
            Kind::Number => Column::Number(Numbers::new(self.numbers.into())),
            Kind::Text => {
                let text = |unit: usize| self.texts.get(unit)?.as_deref();
                Column::Text((0..self.numbers.len()).map(text).collect::<Texts>())
            }
        }
    }
}

/// `None` when there are both.
fn kind<'a>(mut levels: impl Iterator<Item = &'a Figures> + Clone) -> Option<Kind> {
    let is_text = levels.clone().any(|figures| !figures.texts.is_empty());
    match (is_text, levels.any(|figures| figures.has_numbers)) {
        (true, true) => None,
        (true, false) => Some(Kind::Text),
        (false, _) => Some(Kind::Number),
    }
}
