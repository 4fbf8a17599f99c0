//! Addresses and the station of each.

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

/// Reads the addresses that are located as such. `geo_type`, `geo_score` and `nb_adresses` are
/// those of the electoral register's extract; a table without them is taken as it is.
pub(super) fn read(voronoi: &Voronoi) -> Result<Vec<Address>, InputError> {
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
    let filter = if has("geo_type") {
        format!(" where geo_type in {KINDS}")
    } else {
        String::new()
    };
    let sql = format!(
        "select cast({} as text), {lon}, {lat}, {}, {} from addresses{filter}",
        quoted(&voronoi.by),
        or_one("nb_adresses"),
        or_one("geo_score")
    );
    let mut addresses = Vec::new();
    engine.for_each(&sql, "polygons.voronoi", |row| {
        addresses.extend(address(row));
        Ok(())
    })?;
    if addresses.is_empty() {
        return Err(nothing(&voronoi.path));
    }
    Ok(addresses)
}

/// None without a station or a place on the map.
fn address(row: &[Value]) -> Option<Address> {
    let number = |at: usize| match row[at] {
        Value::Number(number) => Some(number),
        _ => None,
    };
    let (lon, lat) = (number(1)?, number(2)?);
    if !(-180.0..=180.0).contains(&lon) || !(-85.0..=85.0).contains(&lat) {
        return None;
    }
    let mut place = [Coord { x: lon, y: lat }];
    world::project(&mut place);
    Some(Address {
        station: text_of(&row[0])?,
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
