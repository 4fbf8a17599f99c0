//! Where units are named: each at one point inside its largest part, in the one tile that holds it.
//!
//! Clients that name polygons from their tiles name a unit once for every part and every tile.

use mvt::{Error, GeomEncoder, GeomType, Tile};
use tilecore::geometry::{M_PER_ZOOM, Polygon, Ring, Vertex, double_area};
use tilecore::score::Scores;
use tilecore::tile::EXTENT;
use tilecore::{Bitmap, TileCoord};

use crate::layer::LevelRef;

/// The layer of points in a tile.
pub const LAYER: &str = "names";

/// Units beyond which a tile has no room for names.
const UNITS_MAX: usize = 1_000;

/// Lines across a part, of which the longest holds the name.
const LINES: i32 = 11;

/// The names of the units that pass in a tile, as its layer [`LAYER`], with their ranks under a score;
/// empty without any. Where there is no room for all, the first of a ranking are named.
pub fn encode(
    level: LevelRef<'_>,
    coord: TileCoord,
    passing: Option<&Bitmap>,
    scores: Option<&Scores>,
) -> Result<Vec<u8>, Error> {
    let data = &level.data.level;
    let mut rows = level.data.seen_in(coord.buffered_bounds());
    rows.retain(|row| passing.is_none_or(|passing| passing.contains(*row)));
    let rank = |row: usize| scores.and_then(|scores| scores.rank(row));
    if rows.len() > UNITS_MAX {
        if scores.is_none() {
            return Ok(Vec::new());
        }
        rows.retain(|&row| rank(row).is_some());
        rows.sort_unstable_by_key(|&row| (rank(row), row));
        rows.truncate(UNITS_MAX);
    }
    rows.sort_unstable();
    let mut tile = Tile::new(EXTENT.cast_unsigned());
    let mut layer = tile.create_layer(LAYER);
    let finest = (u16::from(coord.z()) + 1) * M_PER_ZOOM;
    let (left, top) = coord.origin();
    for row in rows {
        let Some([x, y]) = data.geometry(row).ok().and_then(|s| place(&s, finest)) else {
            continue;
        };
        // Half-open: a point on an edge is in one tile.
        let (x, y) = ((x - left) >> coord.shift(), (y - top) >> coord.shift());
        if !(0..EXTENT).contains(&x) || !(0..EXTENT).contains(&y) {
            continue;
        }
        let mut point = GeomEncoder::<f64>::new(GeomType::Point);
        point.add_point(f64::from(x), f64::from(y))?;
        let mut feature = layer.into_feature(point.encode()?);
        feature.set_id(data.id(row));
        feature.add_tag_string("id", data.key(row));
        feature.add_tag_string("name", data.name(row));
        if let Some(rank) = rank(row) {
            feature.add_tag_uint("rank", u64::from(rank));
        }
        layer = feature.into_layer();
    }
    if layer.num_features() == 0 {
        return Ok(Vec::new());
    }
    tile.add_layer(layer)?;
    tile.to_bytes()
}

/// The middle of the longest of some lines across the largest part, as it is drawn at a zoom.
fn place(shape: &[Polygon], finest: u16) -> Option<[i32; 2]> {
    let area = |part: &&Polygon| part.rings().next().map(|shell| double_area(shell).abs());
    let part = shape.iter().max_by_key(area)?;
    let rings: Vec<Vec<Vertex>> = part.rings().map(|ring| kept(ring, finest)).collect();
    let shell = rings.first().filter(|shell| shell.len() > 2)?;
    let top = shell.iter().map(|vertex| vertex.y).min()?;
    let bottom = shell.iter().map(|vertex| vertex.y).max()?;
    let line = |i: i32| top + (bottom - top) / LINES * i + (bottom - top) / LINES / 2;
    let spans = (0..LINES).filter_map(|i| {
        let y = line(i);
        let [from, to] = longest(&rings, y)?;
        Some((to - from, [from + (to - from) / 2, y]))
    });
    spans.max_by_key(|(length, _)| *length).map(|(_, at)| at)
}

fn kept(ring: &Ring, finest: u16) -> Vec<Vertex> {
    let vertices = ring.iter().filter(|vertex| vertex.m <= finest);
    vertices.copied().collect()
}

/// The longest stretch inside the rings of the line at `y`.
fn longest(rings: &[Vec<Vertex>], y: i32) -> Option<[i32; 2]> {
    let mut crossings = Vec::new();
    for ring in rings {
        let before = ring.iter().cycle().skip(ring.len().saturating_sub(1));
        for (a, b) in before.zip(ring) {
            if (a.y <= y) != (b.y <= y) {
                let [ax, ay, bx, by] = [a.x, a.y, b.x, b.y].map(i64::from);
                crossings.push(ax + (i64::from(y) - ay) * (bx - ax) / (by - ay));
            }
        }
    }
    crossings.sort_unstable();
    let inside = crossings.chunks_exact(2);
    let longest = inside.max_by_key(|pair| pair[1] - pair[0])?;
    let cell = |x: i64| i32::try_from(x).ok();
    Some([cell(longest[0])?, cell(longest[1])?])
}
