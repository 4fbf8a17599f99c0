//! What a block's figures are made of, and their sums over the parts in a unit.

use tilecore::dataset::columns::Column;
use tilecore::dataset::schema::{Combine, Component, Indicator, Kind, Localized, Recompute};
use tilecore::recompute::Formula;
use tilecore::stats::Sum;

use super::Method;
use super::overlaps::Overlaps;
use crate::indicators::BlockColumns;
use crate::project::{IndicatorBlock, IndicatorColumn};
use crate::report::{Figure, SumReport};
use crate::sql::decompose;

/// Areas that have a figure cover at least this share of a unit that shows it.
const COVERAGE_MIN: f64 = 0.5;

/// A figure over sums that go by parts.
#[derive(Debug)]
pub(super) struct Interpolated {
    indicator: Indicator,
    formula: Formula,
    components: Vec<Part>,
    /// Whether units that are covered too little do not show it.
    withheld: bool,
    /// Whether the sums are counts, which the report follows.
    counted: bool,
}

/// A sum that a figure is made of.
#[derive(Debug)]
struct Part {
    /// The figure's own name where it is nothing but this sum.
    name: String,
    sql: String,
    of: Amounts,
}

#[derive(Debug)]
enum Amounts {
    /// Of each area as a whole; NaN where it has none, in all of a figure's sums alike.
    Shared(Vec<f64>),
    /// The measure of the part itself.
    Covered,
    /// The measure of the whole unit.
    Whole,
}

/// The columns of a block, the coverage last.
///
/// # Errors
/// What cannot be interpolated, and what to do.
pub(super) fn of_block(
    block: &IndicatorBlock,
    number: usize,
    figures: &BlockColumns,
    overlaps: &Overlaps,
    method: &Method,
) -> Result<Vec<Interpolated>, String> {
    let mut columns = Vec::with_capacity(block.columns.len() + 1);
    for column in &block.columns {
        let found = figures.indicators.iter().find(|i| i.name == column.name);
        let Some(indicator) = found.filter(|indicator| indicator.kind == Kind::Number) else {
            return Err(format!(
                "column {:?} is text: interpolate numbers",
                column.name
            ));
        };
        let of = Source {
            column,
            number,
            figures,
        };
        let (recompute, components) = if column.intensive {
            of.mean(overlaps)?
        } else {
            of.counts()?
        };
        let description = method.described(
            &indicator.description,
            column.base.as_deref(),
            column.intensive,
        );
        let mut interpolated = Interpolated {
            formula: parsed(&recompute)?,
            indicator: Indicator {
                estimate: true,
                description,
                recompute: Some(recompute),
                ..indicator.clone()
            },
            components,
            withheld: true,
            counted: !column.intensive,
        };
        interpolated.leave_out_unknown();
        columns.push(interpolated);
    }
    columns.extend(coverage(block, number, figures)?);
    Ok(columns)
}

/// A column of the project, and the areas' figures.
struct Source<'a> {
    column: &'a IndicatorColumn,
    number: usize,
    figures: &'a BlockColumns,
}

impl Source<'_> {
    /// By area; NaN is missing.
    fn values(&self, name: &str) -> Result<Vec<f64>, String> {
        let columns = self.figures.levels.first().map(Vec::as_slice);
        let found = columns
            .unwrap_or_default()
            .iter()
            .find(|(known, _)| known == name);
        match found {
            Some((_, Column::Number(numbers))) => Ok(numbers.values().to_vec()),
            _ => Err(format!("{name:?} is no column of numbers of this block")),
        }
    }

    fn hidden_name(&self, at: usize) -> String {
        format!("~{}:{}:{}", self.number + 1, self.column.name, at + 1)
    }

    /// Sums of a count or a rate.
    fn counts(&self) -> Result<(Recompute, Vec<Part>), String> {
        let name = &self.column.name;
        let refused = || {
            format!(
                "column {name:?} is no sum, nor made of sums: write it as sum(…) or as \
                 sum(…) / sum(…), or declare it `intensive`"
            )
        };
        let parts = decompose(&self.column.sql).ok_or_else(refused)?;
        if parts.aggregates.iter().any(|a| a.combine != Combine::Sum) {
            return Err(refused());
        }
        let known = self.figures.indicators.iter().find(|i| i.name == *name);
        let held = known.and_then(|indicator| indicator.recompute.as_ref());
        let held = &held.ok_or_else(refused)?.components;
        let is_alone = parts.named(|_| "x".to_owned()).formula == "\"x\"";
        let mut names = Vec::new();
        let recompute = parts.named(|_| {
            let own = self.hidden_name(names.len());
            names.push(if is_alone { name.clone() } else { own });
            names[names.len() - 1].clone()
        });
        let components = names.into_iter().zip(held).zip(&parts.aggregates);
        let components = components.map(|((name, held), aggregate)| {
            Ok(Part {
                name,
                sql: aggregate.sql.clone(),
                of: Amounts::Shared(self.values(&held.column)?),
            })
        });
        Ok((recompute, components.collect::<Result<_, String>>()?))
    }

    /// The values times what weighs them, and the weights.
    fn mean(&self, overlaps: &Overlaps) -> Result<(Recompute, Vec<Part>), String> {
        let values = self.values(&self.column.name)?;
        let weights = match &self.column.base {
            Some(base) => self.values(base)?,
            None => overlaps.areas.clone(),
        };
        if let Some(below) = weights.iter().find(|weight| **weight < 0.0) {
            let base = self.column.base.as_deref().unwrap_or_default();
            return Err(format!("base {base:?} is {below} somewhere: name a count"));
        }
        let [top, bottom] = [0, 1].map(|at| self.hidden_name(at));
        let recompute = ratio(&top, &bottom);
        let weighted = values.iter().zip(&weights).map(|(y, w)| y * w).collect();
        let weighing = values.iter().zip(&weights);
        let weighing = weighing.map(|(y, w)| if y.is_nan() { f64::NAN } else { *w });
        let part = |name, of| Part {
            name,
            sql: self.column.sql.clone(),
            of: Amounts::Shared(of),
        };
        Ok((
            recompute,
            vec![part(top, weighted), part(bottom, weighing.collect())],
        ))
    }
}

fn ratio(top: &str, bottom: &str) -> Recompute {
    let component = |name: &str| Component {
        column: name.to_owned(),
        combine: Combine::Sum,
    };
    Recompute {
        formula: format!("\"{top}\" / \"{bottom}\""),
        components: vec![component(top), component(bottom)],
    }
}

fn parsed(recompute: &Recompute) -> Result<Formula, String> {
    Formula::parse(recompute).map_err(|e| format!("formula {:?}: {e}", recompute.formula))
}

/// The share of a unit that the areas cover.
fn coverage(
    block: &IndicatorBlock,
    number: usize,
    figures: &BlockColumns,
) -> Result<Option<Interpolated>, String> {
    let (Some(interpolate), Some(like)) = (&block.interpolate, figures.indicators.first()) else {
        return Ok(None);
    };
    let name = &interpolate.coverage;
    let [top, bottom] = [1, 2].map(|at| format!("~{}:{name}:{at}", number + 1));
    let recompute = ratio(&top, &bottom);
    let text = |fr: &str, en: &str| {
        Localized::from([
            ("fr".to_owned(), fr.to_owned()),
            ("en".to_owned(), en.to_owned()),
        ])
    };
    let sql = format!("coverage of interpolated figures {}", number + 1);
    let part = |name, of| Part {
        name,
        sql: sql.clone(),
        of,
    };
    Ok(Some(Interpolated {
        formula: parsed(&recompute)?,
        indicator: Indicator {
            name: name.clone(),
            kind: Kind::Number,
            unit: Some("share".to_owned()),
            label: text(
                "Part couverte par les aires d’origine",
                "Part covered by source areas",
            ),
            description: text(
                "Sous 50 %, les chiffres interpolés manquent.",
                "Below 50 %, interpolated figures are missing.",
            ),
            sql: sql.clone(),
            estimate: false,
            hidden: false,
            recompute: Some(recompute),
            ..like.clone()
        },
        components: vec![part(top, Amounts::Covered), part(bottom, Amounts::Whole)],
        withheld: false,
        counted: false,
    }))
}

impl Interpolated {
    /// A figure is made of the areas that have all of its sums.
    fn leave_out_unknown(&mut self) {
        let areas = self
            .components
            .iter()
            .filter_map(Part::shared)
            .map(<[f64]>::len)
            .max();
        let mut unknown = vec![false; areas.unwrap_or(0)];
        for values in self.components.iter().filter_map(Part::shared) {
            for (unknown, value) in unknown.iter_mut().zip(values) {
                *unknown |= value.is_nan();
            }
        }
        for part in &mut self.components {
            if let Amounts::Shared(values) = &mut part.of {
                for (value, unknown) in values.iter_mut().zip(&unknown) {
                    if *unknown {
                        *value = f64::NAN;
                    }
                }
            }
        }
    }

    /// Names of the columns that are no figure of their own.
    pub(super) fn hidden(&self) -> impl Iterator<Item = String> + '_ {
        let own = &self.indicator.name;
        let names = self.components.iter().map(|part| &part.name);
        names.filter(move |name| *name != own).cloned()
    }

    /// The figure's, and those of its hidden columns.
    pub(super) fn indicators(self) -> (Indicator, Vec<Indicator>) {
        let hidden = self
            .components
            .iter()
            .filter(|p| p.name != self.indicator.name);
        let hidden = hidden.map(|part| Indicator {
            name: part.name.clone(),
            unit: None,
            label: Localized::new(),
            description: Localized::new(),
            sql: part.sql.clone(),
            hidden: true,
            recompute: None,
            ..self.indicator.clone()
        });
        let hidden = hidden.collect();
        (self.indicator, hidden)
    }

    /// Where its sums went.
    pub(super) fn sums(&self, overlaps: &Overlaps) -> Vec<SumReport> {
        let rows: Vec<Option<usize>> = (0..overlaps.units.len()).map(Some).collect();
        let spread = Spread::new(overlaps, &rows, rows.len());
        let shown = spread.shown(self);
        let counted = self.components.iter().filter(|_| self.counted);
        counted
            .filter_map(|part| Some((part, part.shared()?)))
            .map(|(part, values)| {
                let placed = spread.sums(part);
                let hidden = placed.iter().zip(&shown).filter(|(_, shown)| !**shown);
                let mut rest = overlaps.areas.clone();
                for piece in &overlaps.pieces {
                    rest[piece.area] -= piece.measure;
                }
                let uncovered = values.iter().zip(&overlaps.areas).zip(&rest);
                let uncovered = uncovered.map(|((value, whole), rest)| match whole {
                    whole if *whole > 0.0 => value * rest.max(0.0) / whole,
                    _ => *value,
                });
                let known = || values.iter().copied().filter(|value| !value.is_nan());
                SumReport {
                    column: self.indicator.name.clone(),
                    sql: part.sql.clone(),
                    total: Figure(Sum::of(known())),
                    placed: Figure(Sum::of(placed.iter().copied())),
                    withheld: Figure(Sum::of(hidden.map(|(sum, _)| *sum))),
                    uncovered: Figure(Sum::of(uncovered.filter(|value| !value.is_nan()))),
                    areas_missing: values.iter().filter(|value| value.is_nan()).count() as u64,
                }
            })
            .collect()
    }
}

impl Part {
    fn shared(&self) -> Option<&[f64]> {
        match &self.of {
            Amounts::Shared(values) => Some(values),
            Amounts::Covered | Amounts::Whole => None,
        }
    }
}

/// The parts in the units of one level.
pub(super) struct Spread<'a> {
    overlaps: &'a Overlaps,
    /// By unit of the finest level: its row here.
    rows: &'a [Option<usize>],
    whole: Vec<f64>,
}

impl<'a> Spread<'a> {
    pub(super) fn new(overlaps: &'a Overlaps, rows: &'a [Option<usize>], count: usize) -> Self {
        let mut whole = vec![Sum::default(); count];
        for (measure, row) in overlaps.units.iter().zip(rows) {
            if let Some(row) = row {
                whole[*row].add(*measure);
            }
        }
        Self {
            overlaps,
            rows,
            whole: whole.iter().map(Sum::total).collect(),
        }
    }

    /// How many units the areas cover enough.
    pub(super) fn covered(&self) -> u64 {
        let measures = self.measures(|_| true);
        let enough = measures
            .iter()
            .zip(&self.whole)
            .filter(|(m, w)| is_enough(**m, **w));
        enough.count() as u64
    }

    /// By row what a figure's sums and the figure are, by the name of their column.
    pub(super) fn figures(&self, column: &Interpolated) -> Vec<(String, Vec<Option<f64>>)> {
        let shown = self.shown(column);
        let mut sums: Vec<Vec<f64>> = column.components.iter().map(|p| self.sums(p)).collect();
        for sums in &mut sums {
            for (sum, shown) in sums.iter_mut().zip(&shown) {
                if !shown {
                    *sum = f64::NAN;
                }
            }
        }
        let present = |value: f64| (!value.is_nan()).then_some(value);
        let mut parts = vec![f64::NAN; sums.len()];
        let figure = (0..self.whole.len()).map(|row| {
            for (part, sums) in parts.iter_mut().zip(&sums) {
                *part = sums[row];
            }
            present(column.formula.evaluate(&parts))
        });
        let mut columns = vec![(column.indicator.name.clone(), figure.collect())];
        for (part, sums) in column.components.iter().zip(sums) {
            if part.name != column.indicator.name {
                columns.push((part.name.clone(), sums.into_iter().map(present).collect()));
            }
        }
        columns
    }

    /// Whether areas that have the figure cover enough of each row.
    fn shown(&self, column: &Interpolated) -> Vec<bool> {
        let Some(values) = column.components.iter().find_map(Part::shared) else {
            return vec![true; self.whole.len()];
        };
        let measures = self.measures(|area| !values[area].is_nan());
        let pairs = measures.iter().zip(&self.whole);
        let is_shown =
            |(measure, whole): (&f64, &f64)| !column.withheld || is_enough(*measure, *whole);
        pairs.map(is_shown).collect()
    }

    /// A sum by row.
    fn sums(&self, part: &Part) -> Vec<f64> {
        match &part.of {
            Amounts::Whole => self.whole.clone(),
            Amounts::Covered => {
                let covered = self.measures(|_| true);
                // Where areas overlap, they cover a place once.
                covered
                    .iter()
                    .zip(&self.whole)
                    .map(|(c, whole)| c.min(*whole))
                    .collect()
            }
            Amounts::Shared(values) => self.over_pieces(|area, measure| {
                let whole = self.overlaps.areas[area];
                let value = values[area];
                (!value.is_nan() && whole > 0.0).then(|| value * (measure / whole))
            }),
        }
    }

    /// What some areas cover of each row.
    fn measures(&self, of: impl Fn(usize) -> bool) -> Vec<f64> {
        self.over_pieces(|area, measure| of(area).then_some(measure))
    }

    fn over_pieces(&self, amount: impl Fn(usize, f64) -> Option<f64>) -> Vec<f64> {
        let mut sums = vec![Sum::default(); self.whole.len()];
        for piece in &self.overlaps.pieces {
            let row = self.rows.get(piece.unit).copied().flatten();
            if let (Some(row), Some(amount)) = (row, amount(piece.area, piece.measure)) {
                sums[row].add(amount);
            }
        }
        sums.iter().map(Sum::total).collect()
    }
}

/// A unit of no measure has no part that is covered.
fn is_enough(measure: f64, whole: f64) -> bool {
    // Of a half that is one, whatever the last digits say.
    whole > 0.0 && measure >= whole * (COVERAGE_MIN - 1e-12)
}
