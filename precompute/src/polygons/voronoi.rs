//! Polygons of polling stations from the addresses of their electors, by the method of INSEE's
//! mapvotr: each place of a commune belongs to the station of the nearest address.
//!
//! ```text
//! addresses ─▸ commune of each station ─▸ one station a place ─▸ cells, joined, cut to the commune
//! ```
//! A feature a station: its cells together. A commune with one station is that station's, whole. Distances are in EPSG:3857, which keeps
//! angles, so that the nearest address is nearest on the ground.

mod addresses;
mod cells;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use geo::{BooleanOps, BoundingRect, Contains, unary_union};
use geo_types::{Coord, MultiPolygon, Point, Polygon};
use rayon::prelude::*;
use rstar::RTree;
use rstar::primitives::{GeomWithData, Rectangle};

use super::{Feature, Note, Origin, Polygons};
use crate::input_error::InputError;
use crate::value::Value;
use addresses::Address;

/// A commune with fewer places is left out.
const PLACES_MIN: usize = 50;

/// A station with fewer addresses has no area of its own.
const ADDRESSES_MIN: usize = 15;

/// Where the addresses are, and their columns.
#[derive(Debug, Clone, Default)]
pub struct Voronoi {
    /// A table of addresses, a row each.
    pub path: PathBuf,
    /// The column that names the station.
    pub by: String,
    /// Columns of the coordinates in degrees; by default `longitude` or `lon`, `latitude` or
    /// `lat`.
    pub lon: Option<String>,
    pub lat: Option<String>,
}

/// Reads addresses and cuts the communes `within`, of `file`, among their stations.
///
/// # Errors
/// When the table cannot be read or has no such columns, or there is nothing to divide.
pub(super) fn read(
    voronoi: &Voronoi,
    within: Polygons,
    file: &Path,
) -> Result<Polygons, InputError> {
    if within.features.is_empty() {
        return Err(InputError::new(
            file.display().to_string(),
            "no polygon to divide among stations",
        ));
    }
    let read = addresses::read(voronoi)?;
    let addresses = &read.addresses;
    let communes: Vec<Commune<'_>> = within.features.iter().map(Commune::new).collect();
    let stations = by_commune(addresses, &communes);
    // The same wherever its directory is.
    let name = voronoi.path.file_name().unwrap_or_default();
    let file: Arc<str> = name.to_string_lossy().into();
    let divided: Vec<Divided> = communes
        .par_iter()
        .zip(&stations)
        .map(|(commune, stations)| commune.divide(stations))
        .collect();
    let mut columns = vec![voronoi.by.clone()];
    let kept: Vec<usize> = (0..within.columns.len())
        .filter(|&i| !within.columns[i].eq_ignore_ascii_case(&voronoi.by))
        .collect();
    columns.extend(kept.iter().map(|&i| within.columns[i].clone()));
    let mut polygons = Polygons {
        columns,
        repaired: within.repaired,
        skipped: within.skipped,
        notes: within.notes,
        flattened: within.flattened,
        ..Polygons::default()
    };
    let mut number = 0;
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for ((commune, divided), stations) in communes.iter().zip(divided).zip(&stations) {
        let parts = match divided {
            Ok(parts) => parts,
            Err(reason) => {
                told.extend(stations.keys().copied());
                polygons.skipped.push(Note {
                    origin: commune.feature.origin.clone(),
                    reason,
                    detail: stations.keys().copied().collect::<Vec<_>>().join(", "),
                });
                continue;
            }
        };
        for (station, addresses) in left_out(stations) {
            told.insert(station);
            polygons.skipped.push(Note {
                origin: commune.feature.origin.clone(),
                reason: "too_few_addresses",
                detail: format!("{station:?} has {addresses} of at least {ADDRESSES_MIN}: its ground is its neighbours'"),
            });
        }
        for (station, geometry) in parts {
            told.extend(
                stations
                    .get_key_value(&*station)
                    .map(|(station, _)| station),
            );
            number += 1;
            let mut properties = vec![Value::Text(station.into())];
            properties.extend(kept.iter().map(|&i| commune.feature.properties[i].clone()));
            polygons.features.push(Feature {
                origin: Origin {
                    file: Arc::clone(&file),
                    feature: number,
                },
                properties,
                geometry,
            });
        }
    }
    tell_of_file(&mut polygons, &file, &read, &stations, &told);
    Ok(polygons)
}

/// Adds what addresses take no part, and what stations have no area and are not `told` of yet.
fn tell_of_file(
    polygons: &mut Polygons,
    file: &Arc<str>,
    read: &addresses::Read,
    stations: &[BTreeMap<&str, Vec<&Address>>],
    told: &BTreeSet<&str>,
) {
    let of_file = |reason, detail| Note {
        origin: Origin {
            file: Arc::clone(file),
            feature: 0,
        },
        reason,
        detail,
    };
    let placed = stations.iter().flat_map(BTreeMap::values).map(Vec::len);
    let elsewhere = read.addresses.len() - placed.sum::<usize>();
    for (count, reason, what) in [
        (
            read.without_place.values().sum(),
            "address_without_place",
            "addresses have no place on the map, or that of a street or town",
        ),
        (
            read.without_station,
            "address_without_station",
            "addresses name no station",
        ),
        (
            elsewhere,
            "address_elsewhere",
            "addresses lie in no polygon, or not in that of most addresses of their station",
        ),
    ] {
        if count > 0 {
            let note = of_file(reason, format!("{count} {what}"));
            polygons.notes.push(note);
        }
    }
    for (station, [count, placed]) in counts(read, stations) {
        if !told.contains(station) {
            let why = if placed == 0 {
                "none lies in a polygon"
            } else {
                "each is at a place of another station"
            };
            let detail = format!("{station:?} has {count} addresses, of which {why}");
            polygons
                .skipped
                .push(of_file("station_without_area", detail));
        }
    }
}

/// Each station's addresses, and how many of them are in its commune.
fn counts<'a>(
    read: &'a addresses::Read,
    stations: &[BTreeMap<&'a str, Vec<&Address>>],
) -> BTreeMap<&'a str, [usize; 2]> {
    let mut counts: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for (station, count) in &read.without_place {
        counts.entry(station).or_default()[0] += count;
    }
    for address in &read.addresses {
        counts.entry(&address.station).or_default()[0] += 1;
    }
    for (station, placed) in stations.iter().flatten() {
        counts.entry(station).or_default()[1] += placed.len();
    }
    counts
}

/// The addresses of each commune by station. A station is of the commune that holds most of its
/// addresses; those elsewhere are mistakes of geocoding and take no part.
fn by_commune<'a>(
    addresses: &'a [Address],
    communes: &[Commune<'_>],
) -> Vec<BTreeMap<&'a str, Vec<&'a Address>>> {
    let boxes = communes.iter().enumerate().filter_map(|(i, commune)| {
        let bounds = commune.feature.geometry.bounding_rect()?;
        let corners = Rectangle::from_corners(xy(bounds.min()), xy(bounds.max()));
        Some(GeomWithData::new(corners, i))
    });
    let index = RTree::bulk_load(boxes.collect());
    let homes: Vec<Option<usize>> = addresses
        .par_iter()
        .map(|address| {
            let found = index.locate_all_at_point(xy(address.place));
            let mut found: Vec<usize> = found.map(|commune| commune.data).collect();
            found.sort_unstable();
            let holds = |&commune: &usize| {
                let geometry = &communes[commune].feature.geometry;
                geometry.contains(&Point::from(address.place))
            };
            found.into_iter().find(holds)
        })
        .collect();
    let mut counts: BTreeMap<&str, BTreeMap<usize, usize>> = BTreeMap::new();
    for (address, home) in addresses.iter().zip(&homes) {
        if let Some(home) = home {
            *counts
                .entry(&address.station)
                .or_default()
                .entry(*home)
                .or_default() += 1;
        }
    }
    let commune_of = |station: &str| {
        let counts = counts.get(station)?;
        // The first of equals: keys ascend, and a later one has to have more.
        counts
            .iter()
            .rev()
            .max_by_key(|(_, count)| **count)
            .map(|(commune, _)| *commune)
    };
    let mut stations = vec![BTreeMap::<&str, Vec<&Address>>::new(); communes.len()];
    for (address, home) in addresses.iter().zip(&homes) {
        if let Some(home) = home
            && commune_of(&address.station) == Some(*home)
        {
            stations[*home]
                .entry(&address.station)
                .or_default()
                .push(address);
        }
    }
    stations
}

/// Pieces with the station of each, or why there are none.
type Divided = Result<Vec<(String, MultiPolygon<f64>)>, &'static str>;

/// A feature of `within`.
struct Commune<'a> {
    feature: &'a Feature,
}

impl<'a> Commune<'a> {
    fn new(feature: &'a Feature) -> Self {
        Self { feature }
    }

    /// The commune's cells with their stations, or why there are none.
    fn divide(&self, stations: &BTreeMap<&str, Vec<&Address>>) -> Divided {
        let mut of_size = stations.iter().filter(|(_, of)| of.len() >= ADDRESSES_MIN);
        let whole = &self.feature.geometry;
        match (stations.len(), of_size.clone().count()) {
            (0, _) => return Err("no_address"),
            (_, 0) if stations.len() > 1 => return Err("too_few_addresses"),
            (1, _) => {
                let only = stations.keys().map(|only| (*only).to_owned());
                return Ok(only.map(|only| (only, whole.clone())).collect());
            }
            (_, 1) => {
                let only = of_size.next().map(|(only, _)| (*only).to_owned());
                return Ok(only.into_iter().map(|only| (only, whole.clone())).collect());
            }
            _ => {}
        }
        let places = places(of_size.flat_map(|(_, of)| of.iter().copied()));
        if places.len() < PLACES_MIN {
            return Err("too_few_addresses");
        }
        let Some(bounds) = whole.bounding_rect() else {
            return Err("no_area");
        };
        let points: Vec<Coord<f64>> = places.iter().map(|address| address.place).collect();
        let mut of_station: BTreeMap<&str, Vec<Polygon<f64>>> = BTreeMap::new();
        for (address, cell) in places.iter().zip(cells::cells(&points, bounds)) {
            of_station.entry(&address.station).or_default().push(cell);
        }
        let cut = |(station, cells): (&str, Vec<Polygon<f64>>)| {
            (station.to_owned(), unary_union(&cells).intersection(whole))
        };
        Ok(of_station.into_iter().map(cut).collect())
    }
}

/// Stations beside others that have too few addresses for an area, and how many.
fn left_out<'a>(
    stations: &'a BTreeMap<&str, Vec<&Address>>,
) -> impl Iterator<Item = (&'a str, usize)> {
    let counts = stations.iter().map(|(station, of)| (*station, of.len()));
    counts.filter(move |(_, count)| stations.len() > 1 && *count < ADDRESSES_MIN)
}

/// One address a place: that of most electors' addresses, then the best located, then the first.
fn places<'a>(addresses: impl Iterator<Item = &'a Address>) -> Vec<&'a Address> {
    let mut sorted: Vec<&Address> = addresses.collect();
    let place = |address: &Address| (address.place.x.to_bits(), address.place.y.to_bits());
    sorted.sort_by(|a, b| {
        let best = b
            .count
            .total_cmp(&a.count)
            .then(b.score.total_cmp(&a.score));
        place(a)
            .cmp(&place(b))
            .then(best)
            .then(a.station.cmp(&b.station))
    });
    sorted.dedup_by_key(|address| place(address));
    sorted
}

fn xy(c: Coord<f64>) -> [f64; 2] {
    [c.x, c.y]
}

#[cfg(test)]
mod tests;
