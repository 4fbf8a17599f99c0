//! `precompute turfs`: addresses in compact groups of a given size.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use serde_json::json;
use tilecore::geometry::{MultiPolygon, Ring, Vertex};
use tilecore::mercator::degrees_from_grid;

use crate::contacts::places::Places;
use crate::input_error::InputError;
use crate::locate::Locator;
use crate::polygons::{self, PolygonSource};
use crate::project::Table;
use crate::sql::{Engine, Mentions, check_fragment};
use crate::topology::Coverage;
use crate::turfs::{Address, Area, Turf, csv, geojson, turfs_of};
use crate::units::text_of;
use crate::value::Value;

/// The relation of the addresses.
const ADDRESSES: &str = "addresses";

/// Split addresses into compact groups of a given size, for going from door to door
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A table of addresses, a row each
    addresses: PathBuf,
    /// Doors a turf has, but for a tenth
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    size: u32,
    /// Where turfs.geojson and turfs.csv go
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Polygons that turfs do not leave; addresses elsewhere are left out
    #[arg(long, value_name = "POLYGONS")]
    within: Option<PathBuf>,
    /// The polygons' property that names each; by default they are numbered
    #[arg(long, value_name = "PROPERTY", requires = "within")]
    name: Option<String>,
    /// SQL over the table's columns: the address's code; by default the row's number
    #[arg(long, value_name = "SQL")]
    id: Option<String>,
    /// SQL: the building; its addresses stay together. By default, addresses at one place do
    #[arg(long, value_name = "SQL")]
    building: Option<String>,
    /// SQL: how many doors there are behind the address
    #[arg(long, value_name = "SQL", default_value = "1")]
    doors: String,
    /// SQL: degrees east
    #[arg(long, value_name = "SQL", default_value = "lon")]
    lon: String,
    /// SQL: degrees north
    #[arg(long, value_name = "SQL", default_value = "lat")]
    lat: String,
    #[command(flatten)]
    common: super::Common,
}

/// Addresses that are in no turf, by reason.
type LeftOut = BTreeMap<&'static str, u64>;

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    args.common.start_threads()?;
    let (addresses, mut left_out) = read(args)?;
    let areas = match &args.within {
        None => vec![Area {
            addresses,
            ..Area::default()
        }],
        Some(file) => divide(addresses, file.clone(), args.name.as_deref(), &mut left_out)?,
    };
    let size = f64::from(args.size);
    let turfs: Vec<Turf> = areas
        .into_iter()
        .flat_map(|area| turfs_of(area, size))
        .collect();
    let out = &args.out;
    fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    let path = out.join("turfs.geojson");
    let text = geojson(&turfs).to_string();
    fs::write(&path, text).with_context(|| path.display().to_string())?;
    let path = out.join("turfs.csv");
    let file = fs::File::create(&path).with_context(|| path.display().to_string())?;
    csv(&turfs, std::io::BufWriter::new(file)).with_context(|| path.display().to_string())?;
    super::print(&told(&turfs, &left_out, args)?)?;
    Ok(ExitCode::SUCCESS)
}

fn read(args: &Args) -> Result<(Vec<Address>, LeftOut), InputError> {
    let file = args.addresses.display().to_string();
    let (id, building) = (args.id.as_deref(), args.building.as_deref());
    let given = [
        id,
        building,
        Some(&args.doors),
        Some(&args.lon),
        Some(&args.lat),
    ];
    for fragment in given.into_iter().flatten() {
        check_fragment(fragment).map_err(|message| {
            InputError::new(
                &*file,
                format!("{fragment:?} is no SQL over its columns: {message}"),
            )
        })?;
    }
    let mut engine = Engine::new(file.clone(), Mentions::everything())?;
    let table = Table {
        name: ADDRESSES.to_owned(),
        path: args.addresses.clone(),
        ..Table::default()
    };
    engine.load_table(&table)?;
    let columns = [
        &Some(args.lon.clone()),
        &Some(args.lat.clone()),
        &None,
        &None,
    ];
    let places = Places::new(&file, columns, None)?;
    for sql in [
        id.unwrap_or("null"),
        building.unwrap_or("null"),
        &args.doors,
        &args.lon,
        &args.lat,
    ] {
        engine.check_of_rows(sql, ADDRESSES, "addresses")?;
    }
    let sql = format!(
        "select cast(({}) as text), cast(({}) as text), ({}), ({}), ({}) from {ADDRESSES}",
        id.unwrap_or("null"),
        building.unwrap_or("null"),
        args.doors,
        args.lon,
        args.lat
    );
    let (mut addresses, mut left_out) = (Vec::new(), LeftOut::new());
    let mut row_number = 0_u64;
    engine.for_each(&sql, "addresses", |row| {
        row_number += 1;
        let [own, building, doors, lon, lat] = row else {
            return Ok(());
        };
        let reason = match (places.on_grid(lon.cell(), lat.cell()), doors) {
            (Ok(place), Value::Number(doors)) if *doors > 0.0 => {
                addresses.push(Address {
                    id: text_of(own).unwrap_or_else(|| row_number.to_string()),
                    building: text_of(building),
                    place,
                    doors: *doors,
                });
                return Ok(());
            }
            (Ok(_), _) => "no_doors",
            (Err(reason), _) => reason.as_str(),
        };
        *left_out.entry(reason).or_default() += 1;
        Ok(())
    })?;
    if addresses.is_empty() {
        let message = "no address with a place: name the columns of its degrees by --lon and --lat";
        return Err(InputError::new(file, message));
    }
    Ok((addresses, left_out))
}

/// Each polygon with its addresses, in the order of their names.
fn divide(
    addresses: Vec<Address>,
    path: PathBuf,
    name: Option<&str>,
    left_out: &mut LeftOut,
) -> Result<Vec<Area>, InputError> {
    let file = path.display().to_string();
    let read = polygons::read(&PolygonSource {
        path,
        ..PolygonSource::default()
    })?;
    let fault = |message: String| Err(InputError::new(&*file, message));
    let column = match name {
        None => None,
        Some(name) => match read.columns.iter().position(|column| column == name) {
            Some(column) => Some(column),
            None => {
                let known = read.columns.join(", ");
                return fault(format!("no property {name:?} among {known}"));
            }
        },
    };
    let mut names = Vec::with_capacity(read.features.len());
    let mut shapes = Vec::with_capacity(read.features.len());
    for (number, feature) in read.features.into_iter().enumerate() {
        let named = column.and_then(|column| text_of(&feature.properties[column]));
        names.push(named.unwrap_or_else(|| (number + 1).to_string()));
        shapes.push(feature.geometry);
    }
    let shapes: Vec<MultiPolygon> = Coverage::build(&shapes).geometries();
    let locator = Locator::new(&shapes);
    // Polygons of one name are one area.
    let mut areas: BTreeMap<&String, Vec<Address>> = BTreeMap::new();
    for address in addresses {
        match locator.holder(address.place) {
            Some(at) => areas.entry(&names[at]).or_default().push(address),
            None => *left_out.entry("outside").or_default() += 1,
        }
    }
    if areas.is_empty() {
        return fault("no address lies in its polygons".to_owned());
    }
    let mut shapes_of: BTreeMap<&String, Vec<&MultiPolygon>> = BTreeMap::new();
    for (name, shape) in names.iter().zip(&shapes) {
        shapes_of.entry(name).or_default().push(shape);
    }
    let area = |(name, addresses): (&String, Vec<Address>)| Area {
        name: name.clone(),
        shape: Some(Arc::new(in_degrees(&shapes_of[name]))),
        addresses,
    };
    Ok(areas.into_iter().map(area).collect())
}

/// Shapes on the grid as one.
fn in_degrees(shapes: &[&MultiPolygon]) -> geo_types::MultiPolygon<f64> {
    let ring = |ring: &Ring| {
        let place = |vertex: &Vertex| degrees_from_grid(vertex.point());
        geo_types::LineString::from_iter(ring.iter().map(place))
    };
    let polygons = shapes.iter().copied().flatten().map(|polygon| {
        let holes = polygon.holes.iter().map(ring).collect();
        geo_types::Polygon::new(ring(&polygon.exterior), holes)
    });
    geo::unary_union(&polygons.collect::<Vec<_>>())
}

fn told(turfs: &[Turf], left_out: &LeftOut, args: &Args) -> anyhow::Result<String> {
    let addresses: usize = turfs.iter().map(|turf| turf.addresses.len()).sum();
    let odd: Vec<&Turf> = turfs.iter().filter(|turf| !turf.is_of_size).collect();
    if args.common.json {
        let odd: Vec<_> = odd
            .iter()
            .map(|turf| json!({ "turf": turf.name, "doors": turf.doors, "buildings": turf.buildings }))
            .collect();
        let report = json!({
            "turfs": turfs.len(),
            "addresses": addresses,
            "size": args.size,
            "not_of_size": odd,
            "left_out": left_out,
        });
        return Ok(serde_json::to_string_pretty(&report)? + "\n");
    }
    let mut text = String::new();
    writeln!(text, "{addresses} addresses in {} turfs", turfs.len())?;
    for (reason, count) in left_out {
        writeln!(text, "{count} addresses left out: {reason}")?;
    }
    for turf in odd {
        writeln!(
            text,
            "turf {} has {} doors in {} buildings: they cannot be parted, or are too few",
            turf.name, turf.doors, turf.buildings
        )?;
    }
    Ok(text)
}
