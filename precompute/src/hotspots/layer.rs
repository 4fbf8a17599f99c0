//! `[[layer.hotspots]]`: statistics of an indicator among neighbours, as indicators.

use tilecore::dataset::columns::{Column, Numbers, Texts};
use tilecore::dataset::schema::{Indicator, Kind, Localized};
use tilecore::rates::empirical_bayes;

use super::{Local, Neighbours, by_shared_vertex, false_discovery};
use super::{gi_star, local_moran};
use crate::input_error::InputError;
use crate::levels::LevelData;
use crate::progress;
use crate::project::{Hotspots, Layer};

/// The columns of `name`; the last only with a `base`.
#[must_use]
pub fn column_names(name: &str) -> [String; 7] {
    ["gi", "gi_p", "spot", "moran", "moran_p", "cluster", "rate"].map(|end| format!("{name}_{end}"))
}

/// Appends the columns of every `[[layer.hotspots]]` to its level and those above.
///
/// # Errors
/// When an indicator they speak of is text, or not there.
pub fn of_layer(layer: &Layer, levels: &mut [LevelData]) -> Result<Vec<Indicator>, InputError> {
    if layer.hotspots.is_empty() {
        return Ok(Vec::new());
    }
    let step = progress::step(&format!("hot spots {}", layer.name));
    for (at, level) in levels.iter_mut().enumerate() {
        let wanted: Vec<&Hotspots> = layer
            .hotspots
            .iter()
            .filter(|spots| position(layer, spots) <= at)
            .collect();
        if wanted.is_empty() {
            continue;
        }
        let mut geometries = level.coverage.geometries();
        geometries.truncate(level.units.keys.len());
        let neighbours = by_shared_vertex(&geometries);
        drop(geometries);
        for spots in wanted {
            let context = format!("layer {}, hotspots {}", layer.name, spots.name);
            let columns = columns(spots, level, &neighbours, &context)?;
            level.columns.extend(columns);
        }
    }
    step.done(&format!("{} of them", layer.hotspots.len()));
    Ok(layer.hotspots.iter().flat_map(indicators).collect())
}

fn position(layer: &Layer, spots: &Hotspots) -> usize {
    let own = layer
        .levels
        .iter()
        .position(|level| level.name == spots.level);
    own.unwrap_or(0)
}

/// In the order of [`column_names`].
fn columns(
    spots: &Hotspots,
    level: &LevelData,
    neighbours: &Neighbours,
    context: &str,
) -> Result<Vec<(String, Column)>, InputError> {
    let numbers = |name: &str| match level.columns.iter().find(|(known, _)| known == name) {
        Some((_, Column::Number(numbers))) => Ok(numbers.values().to_vec()),
        Some(_) => Err(InputError::new(
            context,
            format!("{name:?} is text: name a number"),
        )),
        None => Err(InputError::new(
            context,
            format!(
                "level {} has no {name:?}: name the `level` that has it",
                level.name
            ),
        )),
    };
    let values = numbers(&spots.of)?;
    let rate = match &spots.base {
        Some(base) => Some(empirical_bayes(&values, &numbers(base)?)),
        None => None,
    };
    let values = match &rate {
        Some(rate) => rate.iter().map(|rate| rate.unwrap_or(f64::NAN)).collect(),
        None => values,
    };
    let gi = gi_star(&values, neighbours);
    let moran = local_moran(&values, neighbours);
    let spot = findings(
        &gi,
        spots.fdr,
        |[high, _]| if high { "hot" } else { "cold" },
    );
    let cluster = findings(&moran, spots.fdr, |high| match high {
        [true, true] => "high-high",
        [true, false] => "high-low",
        [false, true] => "low-high",
        [false, false] => "low-low",
    });
    let number = |of: &[Option<Local>], value: fn(&Local) -> f64| {
        let values = of.iter().map(|local| local.as_ref().map(value));
        Column::Number(values.collect::<Numbers>())
    };
    let mut columns = vec![
        number(&gi, |local| local.statistic),
        number(&gi, |local| local.p),
        Column::Text(spot.into_iter().collect::<Texts>()),
        number(&moran, |local| local.statistic),
        number(&moran, |local| local.p),
        Column::Text(cluster.into_iter().collect::<Texts>()),
    ];
    if let Some(rate) = rate {
        columns.push(Column::Number(rate.into_iter().collect::<Numbers>()));
    }
    Ok(column_names(&spots.name).into_iter().zip(columns).collect())
}

/// What stands at the false discovery rate; `none` elsewhere, missing without a statistic.
fn findings(
    locals: &[Option<Local>],
    rate: f64,
    word: impl Fn([bool; 2]) -> &'static str,
) -> Vec<Option<&'static str>> {
    let limit = false_discovery(locals.iter().flatten().map(|local| local.p), rate);
    let finding = |local: &Local| {
        if local.p <= limit {
            word(local.high)
        } else {
            "none"
        }
    };
    locals
        .iter()
        .map(|local| local.as_ref().map(finding))
        .collect()
}

fn indicators(spots: &Hotspots) -> Vec<Indicator> {
    let of = match &spots.base {
        Some(base) => format!("{} / {base}", spots.of),
        None => spots.of.clone(),
    };
    let described: [(Kind, &str, &str, &str); 7] = [
        (
            Kind::Number,
            "Gi*, z",
            "Gi*, z",
            "Getis–Ord Gi*, binary weights, neighbours share a vertex",
        ),
        (Kind::Number, "Gi*, p", "Gi*, p", "two-sided, normal"),
        (
            Kind::Text,
            "points chauds et froids",
            "hot and cold spots",
            "Gi* at the false discovery rate",
        ),
        (
            Kind::Number,
            "Moran local",
            "local Moran",
            "Iᵢ, row-standardised weights, neighbours share a vertex",
        ),
        (
            Kind::Number,
            "Moran local, p",
            "local Moran, p",
            "two-sided, conditional randomisation",
        ),
        (
            Kind::Text,
            "regroupements",
            "clusters",
            "local Moran at the false discovery rate",
        ),
        (
            Kind::Number,
            "taux stabilisé",
            "stable rate",
            "empirical Bayes: shrunk towards the rate of all",
        ),
    ];
    let shown = if spots.base.is_some() { 7 } else { 6 };
    column_names(&spots.name)
        .into_iter()
        .zip(described)
        .take(shown)
        .map(|(name, (kind, fr, en, how))| Indicator {
            unit: name.ends_with("_rate").then(|| "share".to_owned()),
            estimate: name.ends_with("_rate"),
            label: Localized::from([
                ("fr".to_owned(), format!("{of} : {fr}")),
                ("en".to_owned(), format!("{of}: {en}")),
            ]),
            description: Localized::from([("en".to_owned(), how.to_owned())]),
            sql: format!("hotspots {:?} of {of}", spots.name),
            from: of.clone(),
            level: spots.level.clone(),
            name,
            kind,
            source: None,
            vintage: None,
            licence: None,
            hidden: false,
            recompute: None,
        })
        .collect()
}
