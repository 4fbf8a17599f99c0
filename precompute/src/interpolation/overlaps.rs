//! How much of each area lies in each unit: by surface on the ground, or by addresses.

use std::collections::BTreeMap;

use rayon::prelude::*;
use tilecore::geometry::MultiPolygon;
use tilecore::overlap::{Budget, Zone, ground_area};
use tilecore::stats::Sum;

use crate::addresses::Address;
use crate::locate::{Locator, bounds};

/// The part of an area that lies in a unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Piece {
    pub(super) area: usize,
    pub(super) unit: usize,
    pub(super) measure: f64,
}

/// Parts and wholes, in one measure.
#[derive(Debug, Default)]
pub(super) struct Overlaps {
    /// By area, then unit.
    pub(super) pieces: Vec<Piece>,
    /// Never less than an area's parts together: where units overlap, they share it.
    pub(super) areas: Vec<f64>,
    pub(super) units: Vec<f64>,
}

impl Overlaps {
    fn new(pieces: Vec<Piece>, mut areas: Vec<f64>, units: Vec<f64>) -> Self {
        for parts in pieces.chunk_by(|a, b| a.area == b.area) {
            let together = Sum::of(parts.iter().map(|part| part.measure));
            if let Some(whole) = parts.first().and_then(|part| areas.get_mut(part.area)) {
                *whole = whole.max(together);
            }
        }
        Self {
            pieces,
            areas,
            units,
        }
    }
}

/// Parts by their surface.
pub(super) fn by_surface(areas: &[MultiPolygon], units: &[MultiPolygon]) -> Overlaps {
    let locator = Locator::new(units);
    let found: Vec<(f64, Vec<Piece>)> = areas
        .par_iter()
        .enumerate()
        .map(|(area, shape)| {
            let zone = Zone::of(shape);
            let candidates = locator.near(zone.bounds());
            let piece = |unit: usize| {
                let bounds = bounds(&units[unit])?;
                // The zone is an input's, which may take the time that it needs.
                let areas = zone
                    .areas(&units[unit], bounds, &mut Budget(u64::MAX))
                    .ok()?;
                (areas.common > 0.0).then_some(Piece {
                    area,
                    unit,
                    measure: areas.common,
                })
            };
            (
                zone.area(),
                candidates.into_iter().filter_map(piece).collect(),
            )
        })
        .collect();
    let wholes = found.iter().map(|(whole, _)| *whole).collect();
    let pieces = found.into_iter().flat_map(|(_, pieces)| pieces).collect();
    Overlaps::new(pieces, wholes, units.par_iter().map(ground_area).collect())
}

/// Parts by the weight of the addresses in them.
pub(super) fn by_addresses(
    areas: &[MultiPolygon],
    units: &[MultiPolygon],
    addresses: &[Address],
) -> Overlaps {
    let [in_areas, in_units] = [areas, units].map(|shapes| {
        let locator = Locator::new(shapes);
        let holder = |address: &Address| locator.holder(address.place);
        addresses.par_iter().map(holder).collect::<Vec<_>>()
    });
    let mut parts: BTreeMap<(usize, usize), Sum> = BTreeMap::new();
    let mut wholes = [
        vec![Sum::default(); areas.len()],
        vec![Sum::default(); units.len()],
    ];
    for ((address, area), unit) in addresses.iter().zip(in_areas).zip(in_units) {
        for (wholes, at) in wholes.iter_mut().zip([area, unit]) {
            if let Some(at) = at {
                wholes[at].add(address.weight);
            }
        }
        if let (Some(area), Some(unit)) = (area, unit) {
            parts.entry((area, unit)).or_default().add(address.weight);
        }
    }
    let piece = |((area, unit), sum): ((usize, usize), Sum)| Piece {
        area,
        unit,
        measure: sum.total(),
    };
    let pieces = parts.into_iter().map(piece).collect();
    let [areas, units] = wholes.map(|sums| sums.iter().map(Sum::total).collect());
    Overlaps::new(pieces, areas, units)
}
