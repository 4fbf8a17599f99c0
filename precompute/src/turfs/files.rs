//! Addresses to turfs, and turfs to GeoJSON and CSV.

use std::collections::BTreeMap;
use std::sync::Arc;

use geo::{BooleanOps, ConvexHull};
use geo_types::{Coord, LineString, MultiPoint, MultiPolygon, Point, Polygon};
use serde_json::{Value, json};
use tilecore::geometry::GridPoint;
use tilecore::mercator::{degrees_from_grid, metres_from_grid};

use super::{Building, TOLERANCE, split};

/// A door to knock on, or several behind one.
#[derive(Debug, Clone, PartialEq)]
pub struct Address {
    pub id: String,
    /// Addresses of one building stay together; without a name, those at one place do.
    pub building: Option<String>,
    pub place: GridPoint,
    /// Above 0.
    pub doors: f64,
}

/// Addresses that turfs do not leave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Area {
    /// Empty where there is but one.
    pub name: String,
    /// In degrees; `None` is everywhere.
    pub shape: Option<Arc<MultiPolygon<f64>>>,
    pub addresses: Vec<Address>,
}

/// Some addresses of an area.
#[derive(Debug, Clone, PartialEq)]
pub struct Turf {
    /// Unique among all areas.
    pub name: String,
    pub area: String,
    /// By building, then id.
    pub addresses: Vec<Address>,
    pub buildings: usize,
    pub doors: f64,
    /// Whether it has the size, but for a tenth.
    pub is_of_size: bool,
    places: Vec<GridPoint>,
    /// The area's shape.
    within: Option<Arc<MultiPolygon<f64>>>,
}

/// Splits an area into turfs of `size` doors.
#[must_use]
pub fn turfs_of(area: Area, size: f64) -> Vec<Turf> {
    let mut by_building: BTreeMap<(Option<String>, Option<GridPoint>), Vec<Address>> =
        BTreeMap::new();
    for address in area.addresses {
        let place = address.building.is_none().then_some(address.place);
        let key = (address.building.clone(), place);
        by_building.entry(key).or_default().push(address);
    }
    let mut buildings: Vec<Vec<Address>> = by_building.into_values().collect();
    for addresses in &mut buildings {
        addresses.sort_by(|a, b| a.id.cmp(&b.id).then(a.place.cmp(&b.place)));
    }
    let shapes: Vec<Building> = buildings.iter().map(|of| building(of)).collect();
    let turf_of = split(&shapes, size);
    let count = turf_of.iter().max().map_or(0, |last| last + 1);
    let mut turfs: Vec<Turf> = (0..count)
        .map(|number| Turf {
            name: match area.name.as_str() {
                "" => (number + 1).to_string(),
                name => format!("{name}-{}", number + 1),
            },
            area: area.name.clone(),
            addresses: Vec::new(),
            buildings: 0,
            doors: 0.0,
            is_of_size: false,
            places: Vec::new(),
            within: area.shape.clone(),
        })
        .collect();
    for ((number, building), shape) in turf_of.into_iter().zip(buildings).zip(shapes) {
        let turf = &mut turfs[number];
        turf.buildings += 1;
        turf.doors += shape.doors;
        turf.places
            .extend(building.first().map(|address| address.place));
        turf.addresses.extend(building);
    }
    for turf in &mut turfs {
        turf.is_of_size = (turf.doors / size - 1.0).abs() <= TOLERANCE + 1e-9;
    }
    turfs
}

/// A building is where its first address is.
fn building(addresses: &[Address]) -> Building {
    let first = addresses
        .first()
        .map(|address| metres_from_grid(address.place));
    let (x, y) = first.unwrap_or_default();
    Building {
        place: Coord { x, y },
        doors: addresses.iter().map(|address| address.doors).sum(),
    }
}

/// A feature a turf: the least convex shape around its buildings, of which what is in its area.
#[must_use]
pub fn geojson(turfs: &[Turf]) -> Value {
    let feature = |turf: &Turf| {
        json!({
            "type": "Feature",
            "properties": {
                "turf": turf.name,
                "area": turf.area,
                "addresses": turf.addresses.len(),
                "buildings": turf.buildings,
                "doors": turf.doors,
                "of_size": turf.is_of_size,
            },
            "geometry": outline(&turf.places, turf.within.as_deref()),
        })
    };
    let features: Vec<Value> = turfs.iter().map(feature).collect();
    json!({ "type": "FeatureCollection", "features": features })
}

fn outline(places: &[GridPoint], within: Option<&MultiPolygon<f64>>) -> Value {
    let degrees = |place: &GridPoint| Point::from(degrees_from_grid(*place));
    let mut places: Vec<GridPoint> = places.to_vec();
    places.sort_unstable();
    places.dedup();
    let points: Vec<Point<f64>> = places.iter().map(degrees).collect();
    let position = |c: &Coord<f64>| json!([rounded(c.x), rounded(c.y)]);
    match points.as_slice() {
        [] => Value::Null,
        [only] => json!({ "type": "Point", "coordinates": position(&only.0) }),
        [a, b] => {
            let line = [position(&a.0), position(&b.0)];
            json!({ "type": "LineString", "coordinates": line })
        }
        _ => {
            let hull = MultiPoint::new(points).convex_hull();
            let inside = within.map(|within| hull.intersection(within).0);
            let inside = inside.filter(|parts| !parts.is_empty());
            let rings = |polygon: &Polygon<f64>| -> Vec<Value> {
                let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
                let ring = |ring: &LineString<f64>| ring.coords().map(position).collect();
                rings.map(ring).collect()
            };
            match inside.unwrap_or_else(|| vec![hull]).as_slice() {
                [only] => json!({ "type": "Polygon", "coordinates": rings(only) }),
                parts => {
                    let parts: Vec<_> = parts.iter().map(rings).collect();
                    json!({ "type": "MultiPolygon", "coordinates": parts })
                }
            }
        }
    }
}

/// A row an address, turf by turf.
///
/// # Errors
/// When `out` cannot be written.
pub fn csv(turfs: &[Turf], out: impl std::io::Write) -> std::io::Result<()> {
    let mut writer = ::csv::Writer::from_writer(out);
    writer.write_record(["turf", "area", "address", "building", "doors", "lon", "lat"])?;
    for turf in turfs {
        for address in &turf.addresses {
            let (lon, lat) = degrees_from_grid(address.place);
            writer.write_record([
                &turf.name,
                &turf.area,
                &address.id,
                address.building.as_deref().unwrap_or_default(),
                &address.doors.to_string(),
                &rounded(lon).to_string(),
                &rounded(lat).to_string(),
            ])?;
        }
    }
    writer.flush()
}

/// To about a centimetre.
fn rounded(degrees: f64) -> f64 {
    (degrees * 1e7).round() / 1e7
}
