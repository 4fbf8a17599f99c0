//! `[[layer.transfers]]`: the matrix of a layer, and the units' tables as indicators.

use tilecore::dataset::columns::{Column, Numbers};
use tilecore::dataset::schema::{Combine, Component, Indicator, Kind, Localized, Recompute};
use tilecore::dataset::transfers::{LayerTransfers, column_names};

use super::pairing::{Ballot, pair};
use super::{Estimate, METHOD, Options, estimate};
use crate::indicators::{BlockColumns, JoinLevel};
use crate::input_error::InputError;
use crate::project::{Layer, TransferSide, Transfers};
use crate::sql::Engine;
use crate::units::text_of;
use crate::value::Value;

/// A layer's matrices, and their columns with the position of their level.
pub type Estimated = (Vec<LayerTransfers>, Vec<(usize, BlockColumns)>);

/// Estimates all transfers of a layer.
///
/// # Errors
/// When SQL is at fault, or an estimate would mislead.
pub fn of_layer(
    engine: &Engine,
    layer: &Layer,
    levels: &[JoinLevel],
) -> Result<Estimated, InputError> {
    let mut matrices = Vec::new();
    let mut columns = Vec::new();
    for transfers in &layer.transfers {
        let context = format!("layer {}, transfers {}", layer.name, transfers.name);
        let own = layer.levels.iter().position(|l| l.name == transfers.level);
        let own = own.unwrap_or(0);
        let first = ballot(engine, &transfers.first, &levels[own], &context)?;
        let second = ballot(engine, &transfers.second, &levels[own], &context)?;
        let refused = |e| InputError::new(&*context, format!("{e}"));
        let paired = pair(&first, &second).map_err(refused)?;
        let found = estimate(&paired.margins, Options::default()).map_err(refused)?;
        columns.push((own, local(transfers, &found, &paired.keys, &levels[own..])));
        matrices.push(LayerTransfers {
            name: transfers.name.clone(),
            title: transfers.title.clone(),
            level: transfers.level.clone(),
            estimate: found.report(paired.coverage),
        });
    }
    Ok((matrices, columns))
}

/// The counts of a side in the units of its level; rows of other keys are not of this layer.
fn ballot(
    engine: &Engine,
    side: &TransferSide,
    level: &JoinLevel,
    context: &str,
) -> Result<Ballot, InputError> {
    let counts: Vec<String> = side
        .columns
        .iter()
        .map(|(_, sql)| format!("({sql})"))
        .collect();
    let sql = format!(
        "select cast(({}) as text) as _key, {} from {} group by _key",
        side.key,
        counts.join(", "),
        side.from
    );
    let mut ballot = Ballot {
        options: side.columns.iter().map(|(name, _)| name.clone()).collect(),
        ..Ballot::default()
    };
    engine.for_each(&sql, context, |row| {
        if let Some(key) = text_of(&row[0])
            && level.index.get(&key).is_some()
        {
            let count = |value: &Value| match value {
                Value::Number(count) => Some(*count),
                _ => None,
            };
            ballot
                .units
                .insert(key, row[1..].iter().map(count).collect());
        }
        Ok(())
    })?;
    Ok(ballot)
}

/// Votes by cell, then by unit; missing where a unit is not estimated.
type Cells = [Vec<Option<f64>>];

/// A unit's figure from its cells.
type Figure<'a> = dyn Fn(&Cells, usize) -> Option<f64> + 'a;

/// Every unit's table as columns, and those of coarser levels added up from the units.
fn local(
    transfers: &Transfers,
    found: &Estimate,
    keys: &[String],
    levels: &[JoinLevel],
) -> BlockColumns {
    let width = found.to.len();
    let cells = found.from.len() * width;
    let mut sums: Vec<Vec<Vec<Option<f64>>>> = levels
        .iter()
        .map(|level| vec![vec![None; level.units.keys.len()]; cells])
        .collect();
    for (key, table) in keys.iter().zip(&found.tables) {
        let mut unit = levels[0].index.get(key);
        for (up, (level, sums)) in levels.iter().zip(&mut sums).enumerate() {
            let Some(row) = unit else { break };
            for (sum, votes) in sums.iter_mut().zip(table) {
                *sum[row as usize].get_or_insert(0.0) += votes;
            }
            let parent = level.units.parents[row as usize].as_deref();
            let above = levels.get(up + 1);
            unit = above
                .zip(parent)
                .and_then(|(above, parent)| above.index.get(parent));
        }
    }
    let described = Described { transfers, found };
    let mut indicators = Vec::new();
    let mut columns: Vec<Vec<(String, Column)>> = vec![Vec::new(); levels.len()];
    let mut add = |indicator: Indicator, value: &Figure<'_>| {
        for ((level, sums), columns) in levels.iter().zip(&sums).zip(&mut columns) {
            let rows = 0..level.units.keys.len();
            let numbers: Numbers = rows.map(|row| value(sums, row)).collect();
            columns.push((indicator.name.clone(), Column::Number(numbers)));
        }
        indicators.push(indicator);
    };
    for (i, _) in transfers.first.columns.iter().enumerate() {
        let row_of = i * width..(i + 1) * width;
        let total = |sums: &Cells, row: usize| {
            sums[row_of.clone()]
                .iter()
                .map(|cell| cell[row])
                .sum::<Option<f64>>()
        };
        for (j, _) in transfers.second.columns.iter().enumerate() {
            let at = i * width + j;
            add(described.votes(i, j), &|sums, row| sums[at][row]);
            add(described.share(i, j), &|sums, row| {
                let total = total(sums, row).filter(|total| *total > 0.0)?;
                Some(sums[at][row]? / total)
            });
        }
        add(described.total(i), &total);
    }
    BlockColumns {
        weight: None,
        indicators,
        levels: columns,
    }
}

/// What the manifest says of a cell.
struct Described<'a> {
    transfers: &'a Transfers,
    found: &'a Estimate,
}

impl Described<'_> {
    fn votes(&self, i: usize, j: usize) -> Indicator {
        let [name, _] = self.names(i, j);
        let sum = sum_of(&name);
        Indicator {
            unit: Some("count".to_owned()),
            label: self.label(i, j, ["voix", "votes"]),
            recompute: Some(Recompute {
                formula: quoted(&name),
                components: vec![sum],
            }),
            ..self.blank(name)
        }
    }

    fn share(&self, i: usize, j: usize) -> Indicator {
        let [votes, name] = self.names(i, j);
        let total = self.total_name(i);
        Indicator {
            unit: Some("share".to_owned()),
            label: self.label(i, j, ["part de ses voix", "share of its votes"]),
            recompute: Some(Recompute {
                formula: format!("{} / {}", quoted(&votes), quoted(&total)),
                components: vec![sum_of(&votes), sum_of(&total)],
            }),
            ..self.blank(name)
        }
    }

    fn total(&self, i: usize) -> Indicator {
        Indicator {
            hidden: true,
            ..self.blank(self.total_name(i))
        }
    }

    fn names(&self, i: usize, j: usize) -> [String; 2] {
        column_names(&self.transfers.name, &self.found.from[i], &self.found.to[j])
    }

    fn total_name(&self, i: usize) -> String {
        format!("~{}:{}", self.transfers.name, self.found.from[i])
    }

    fn label(&self, i: usize, j: usize, [fr, en]: [&str; 2]) -> Localized {
        let cell = format!("{} → {}", self.found.from[i], self.found.to[j]);
        Localized::from([
            ("fr".to_owned(), format!("{cell}, {fr} (estimation)")),
            ("en".to_owned(), format!("{cell}, {en} (estimate)")),
        ])
    }

    fn blank(&self, name: String) -> Indicator {
        let units = self.found.units;
        Indicator {
            name,
            kind: Kind::Number,
            unit: None,
            label: Localized::new(),
            description: Localized::from([
                (
                    "fr".to_owned(),
                    format!(
                        "Estimation à partir de {units} unités ({METHOD}) ; aucun décompte ne le dit."
                    ),
                ),
                (
                    "en".to_owned(),
                    format!("Estimated from {units} units ({METHOD}); no count says this."),
                ),
            ]),
            sql: format!("transfers {:?}", self.transfers.name),
            from: format!(
                "{}, {}",
                self.transfers.first.from, self.transfers.second.from
            ),
            level: self.transfers.level.clone(),
            source: None,
            vintage: None,
            licence: None,
            estimate: true,
            hidden: false,
            recompute: None,
        }
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn sum_of(column: &str) -> Component {
    Component {
        column: column.to_owned(),
        combine: Combine::Sum,
    }
}
