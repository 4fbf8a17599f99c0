//! What the report says of a block's join.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::{JoinLevel, Matched, TableKey, TableKeys, explained};
use crate::input_error::InputError;
use crate::join::matching::Outcome;
use crate::join::reasons::{self, Diagnosis, Reason, Scene, TableSide};
use crate::join::rules::Rule;
use crate::project::IndicatorBlock;
use crate::report::{AliasUse, Figure, JoinReport, ORPHANS_MAX, Orphan, Side, WeightReport};
use crate::sql::Engine;

/// Counts, weighs and explains. What coarser levels include is left to the caller.
pub(super) fn report(
    engine: &mut Engine,
    block: &IndicatorBlock,
    level: &JoinLevel,
    rules: &[Rule],
    table: &TableKeys,
    matched: &Matched,
    context: &str,
) -> Result<JoinReport, InputError> {
    let scene = Scene {
        index: &level.index,
        rules,
        parents: &level.parents,
    };
    let mut orphans = orphan_rows(&scene, table, matched);
    let units = orphan_units(&scene, level, table, matched, &orphans);
    orphans.extend(units);
    explain(engine, block, &mut orphans, context)?;
    let mut report = JoinReport {
        from: block.from.clone(),
        level: block.level.clone(),
        ..JoinReport::default()
    };
    count(&mut report, block, table, matched, &orphans);
    report.rules = rules_applied(rules, !block.aliases.is_empty(), &matched.outcomes);
    report.aliases = aliases_used(level, table, matched);
    list(&mut report, level, orphans);
    Ok(report)
}

/// An orphan before it is listed.
struct Found<'a> {
    side: Side,
    /// The key as the table or the level spells it.
    key: Option<&'a str>,
    weight: Option<f64>,
    diagnosis: Diagnosis,
}

fn orphan_rows<'a>(scene: &Scene<'_>, table: &'a TableKeys, matched: &Matched) -> Vec<Found<'a>> {
    let mut orphans = Vec::new();
    if let Some((_, weight)) = table.without {
        orphans.push(Found {
            side: Side::Right,
            key: None,
            weight,
            diagnosis: Reason::KeyMissing.into(),
        });
    }
    for ((key, outcome), parent) in table
        .keys
        .iter()
        .zip(&matched.outcomes)
        .zip(&matched.parents)
    {
        if let Outcome::Orphan {
            key: left,
            duplicate,
        } = outcome
        {
            orphans.push(Found {
                side: Side::Right,
                key: Some(&key.key),
                weight: key.weight,
                diagnosis: reasons::of_row(scene, left, *duplicate, parent.as_deref()),
            });
        }
    }
    orphans
}

fn orphan_units<'a>(
    scene: &Scene<'_>,
    level: &'a JoinLevel,
    table: &TableKeys,
    matched: &Matched,
    orphan_rows: &[Found<'_>],
) -> Vec<Found<'a>> {
    let mut has_row = vec![false; level.units.keys.len()];
    for unit in matched.units[0].iter().flatten() {
        has_row[*unit as usize] = true;
    }
    let parents_with_rows =
        matched.units[0]
            .iter()
            .zip(&matched.parents)
            .filter_map(|(unit, parent)| match unit {
                Some(unit) => level.units.parents[*unit as usize].as_deref(),
                None => parent.as_deref(),
            });
    let keys: Vec<&str> = table.keys.iter().map(|key| key.key.as_str()).collect();
    let near: Vec<Diagnosis> = orphan_rows
        .iter()
        .map(|found| found.diagnosis.clone())
        .collect();
    let side = TableSide::new(&keys, &matched.outcomes, parents_with_rows, &near);
    (0..)
        .zip(level.units.keys.iter().zip(&level.units.parents))
        .filter(|(unit, _)| !has_row[*unit as usize])
        .map(|(unit, (key, parent))| Found {
            side: Side::Left,
            key: Some(key),
            weight: None,
            diagnosis: side.reason(scene, unit, key, parent.as_deref()).into(),
        })
        .collect()
}

/// Asks the project file about orphans that nothing else explains.
fn explain(
    engine: &mut Engine,
    block: &IndicatorBlock,
    orphans: &mut [Found<'_>],
    context: &str,
) -> Result<(), InputError> {
    let open = |found: &&mut Found<'_>| found.diagnosis.reason == Reason::Unexplained;
    let mut unexplained: Vec<&mut Found<'_>> = orphans.iter_mut().filter(open).collect();
    let keys: Vec<String> = unexplained
        .iter()
        .map(|found| found.key.unwrap_or_default().to_owned())
        .collect();
    let reasons = explained(engine, block, &keys, context)?;
    for (found, reason) in unexplained.iter_mut().zip(reasons) {
        if let Some(reason) = reason {
            found.diagnosis.reason = reason;
        }
    }
    Ok(())
}

fn count(
    report: &mut JoinReport,
    block: &IndicatorBlock,
    table: &TableKeys,
    matched: &Matched,
    orphans: &[Found<'_>],
) {
    let rows_without = table.without.map_or(0, |(rows, _)| rows);
    report.rows = table.keys.iter().map(|key| key.rows).sum::<u64>() + rows_without;
    report.keys = table.keys.len() as u64 + u64::from(table.without.is_some());
    let of_side = |side| orphans.iter().filter(move |found| found.side == side);
    report.left_only = of_side(Side::Left).count() as u64;
    report.right_only = of_side(Side::Right).count() as u64;
    report.matched = report.keys - report.right_only;
    let mut weight = WeightReport::default();
    let mut concerned = 0.0;
    let mut concerned_keys = 0_u64;
    for (key, unit) in table.keys.iter().zip(&matched.units[0]) {
        if unit.is_some() {
            weight.matched.0 += key.weight.unwrap_or(0.0);
        }
    }
    for found in of_side(Side::Right) {
        weight.right_only.0 += found.weight.unwrap_or(0.0);
        if !found.diagnosis.reason.is_beyond_layer() {
            concerned += found.weight.unwrap_or(0.0);
            concerned_keys += 1;
        }
    }
    let weighed = block.weight.is_some() && weight.matched.0 + concerned > 0.0;
    report.match_share = if weighed {
        weight.matched.0 / (weight.matched.0 + concerned)
    } else {
        share(report.matched, concerned_keys)
    };
    report.weight = block.weight.as_ref().map(|_| weight);
    for found in orphans {
        let word = found.diagnosis.reason.word().to_owned();
        *report.orphan_reasons.entry(word).or_default() += 1;
    }
}

/// Nothing matched is a match of 0, whatever it was compared with.
#[expect(clippy::cast_precision_loss, reason = "keys are far fewer than 2^53")]
fn share(matched: u64, orphans: u64) -> f64 {
    if matched == 0 {
        return 0.0;
    }
    matched as f64 / (matched + orphans) as f64
}

fn rules_applied(named: &[Rule], has_aliases: bool, outcomes: &[Outcome]) -> BTreeMap<String, u64> {
    let alias = has_aliases.then_some(Rule::Alias);
    let mut counts: FxHashMap<Rule, u64> = named
        .iter()
        .copied()
        .chain(alias)
        .map(|rule| (rule, 0))
        .collect();
    for outcome in outcomes {
        if let Outcome::Matched(claim) = outcome {
            for rule in &claim.rules {
                *counts.entry(*rule).or_default() += 1;
            }
        }
    }
    counts
        .into_iter()
        .map(|(rule, count)| (rule.name().to_owned(), count))
        .collect()
}

fn aliases_used(level: &JoinLevel, table: &TableKeys, matched: &Matched) -> Vec<AliasUse> {
    let by_alias = |(key, outcome): (&TableKey, &Outcome)| match outcome {
        Outcome::Matched(claim) if claim.rules == [Rule::Alias] => Some(AliasUse {
            key: key.key.clone(),
            unit: level.units.keys[claim.unit as usize].clone(),
        }),
        _ => None,
    };
    table
        .keys
        .iter()
        .zip(&matched.outcomes)
        .filter_map(by_alias)
        .collect()
}

/// Lists orphans, what concerns the layer first, so that a cut leaves out the least telling.
fn list(report: &mut JoinReport, level: &JoinLevel, mut orphans: Vec<Found<'_>>) {
    orphans.sort_by_key(|found| found.diagnosis.reason.is_beyond_layer());
    report.orphans_omitted = orphans.len().saturating_sub(ORPHANS_MAX) as u64;
    let near = |unit: u32| level.units.keys[unit as usize].clone();
    report.orphans = orphans
        .into_iter()
        .take(ORPHANS_MAX)
        .map(|found| Orphan {
            side: found.side,
            key: found.key.map(ToOwned::to_owned),
            reason: found.diagnosis.reason,
            weight: found.weight.map(Figure),
            near: found.diagnosis.near.map(near),
        })
        .collect();
}
