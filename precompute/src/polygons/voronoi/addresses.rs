//! Addresses and the station of each.

use std::collections::BTreeMap;
use std::path::Path;

use geo_types::Coord;

use super::Voronoi;
use crate::input_error::InputError;
use crate::polygons::world;
use crate::project::Table;
use crate::sql::{Engine, Mentions};
use crate::units::text_of;
use crate::value::Value;

/// What a geocoder found that is an address: a street or town has its middle only.
const KINDS: &str = "('housenumber', 'interpolation', 'locality')";

/// An address, or several at one place with one station.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Address {
    pub(super) station: String,
    /// EPSG:3857 metres.
    pub(super) place: Coord<f64>,
    /// Addresses there, and how well they are located.
    pub(super) count: f64,
    pub(super) score: f64,
}

/// The rows of the table.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) addresses: Vec<Address>,
    /// Rows without a place on the map, or with that of a street or town only, by station.
    pub(super) without_place: BTreeMap<String, usize>,
    /// Rows that name no station.
    pub(super) without_station: usize,
}

/// Reads the addresses, of which those count that are located as such. `geo_type`, `geo_score` and `nb_adresses` are
/// those of the electoral register's extract; a table without them is taken as it is.
pub(super) fn read(voronoi: &Voronoi) -> Result<Read, InputError> {
    let file = voronoi.path.display().to_string();
    let mut engine = Engine::new(file.clone(), Mentions::everything())?;
    let table = Table {
        name: "addresses".to_owned(),
        path: voronoi.path.clone(),
        text: vec![voronoi.by.clone()],
        ..Table::default()
    };
    engine.load_table(&table)?;
    let columns = engine.relation_columns("addresses").unwrap_or_default();
    let has = |name: &str| {
        columns
            .iter()
            .any(|column| column.eq_ignore_ascii_case(name))
    };
    let found = |given: Option<&String>, usual: [&str; 2]| match given {
        Some(name) => quoted(name),
        None => quoted(usual.into_iter().find(|name| has(name)).unwrap_or(usual[0])),
    };
    let lon = found(voronoi.lon.as_ref(), ["longitude", "lon"]);
    let lat = found(voronoi.lat.as_ref(), ["latitude", "lat"]);
    let or_one = |name: &str| {
        if has(name) {
            quoted(name)
        } else {
            "1".to_owned()
        }
    };
    let is_address = if has("geo_type") {
        format!("geo_type in {KINDS}")
    } else {
        "1".to_owned()
    };
    let sql = format!(
        "select cast({} as text), {lon}, {lat}, {}, {}, {is_address} from addresses",
        quoted(&voronoi.by),
        or_one("nb_adresses"),
        or_one("geo_score")
    );
    let mut read = Read::default();
    engine.for_each(&sql, "polygons.voronoi", |row| {
        let station = text_of(&row[0]).filter(|station| !station.trim().is_empty());
        match (station, located(row)) {
            (None, _) => read.without_station += 1,
            (Some(station), None) => *read.without_place.entry(station).or_default() += 1,
            (Some(station), Some(address)) => {
                read.addresses.push(Address { station, ..address });
            }
        }
        Ok(())
    })?;
    if read.addresses.is_empty() {
        return Err(nothing(&voronoi.path));
    }
    Ok(read)
}

/// An address whose station is to be told; none without a place on the map.
fn located(row: &[Value]) -> Option<Address> {
    let number = |at: usize| match row[at] {
        Value::Number(number) => Some(number),
        _ => None,
    };
    let (lon, lat) = (number(1)?, number(2)?);
    number(5).filter(|is_address| *is_address != 0.0)?;
    if !(-180.0..=180.0).contains(&lon) || !(-85.0..=85.0).contains(&lat) {
        return None;
    }
    let mut place = [Coord { x: lon, y: lat }];
    world::project(&mut place);
    Some(Address {
        station: String::new(),
        place: place[0],
        count: number(3).unwrap_or(0.0),
        score: number(4).unwrap_or(0.0),
    })
}

fn nothing(path: &Path) -> InputError {
    InputError::new(
        path.display().to_string(),
        "no address with a station and coordinates in degrees: name its columns by `by`, `lon` \
         and `lat`",
    )
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
