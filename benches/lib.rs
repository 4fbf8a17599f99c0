//! Seeded data shared by the benches.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::missing_panics_doc,
    clippy::should_implement_trait,
    reason = "made-up data within known bounds"
)]

pub mod national;
pub mod random;

use std::io::Cursor;

use bytes::Bytes;
use tilecore::dataset::Level;
use tilecore::dataset::schema;
use tilecore::dataset::write::{LevelRows, SortedRows};
use tilecore::geometry::WORLD_CELLS;
use tilecore::template::{Template, TemplateSpec};
use tilecore::{Bitmap, TileCoord};

/// The nation that the figures are about: 70,000 areas, or as many as the command line says.
#[must_use]
pub fn nation_of_arguments(columns: usize) -> Level {
    let areas = std::env::args().find_map(|arg| arg.parse().ok());
    open(national::nation(SEED, areas.unwrap_or(70_000), columns))
}

/// The seed of [`nation_of_arguments`].
pub const SEED: u64 = 7;

/// `count` tiles that show something, at places spread over the nation's land.
#[must_use]
pub fn tiles(level: &Level, z: u8, count: usize) -> Vec<TileCoord> {
    let mut random = random::Random(u64::from(z));
    let edge = WORLD_CELLS >> z;
    let mut address = |corner: i32| {
        let place = corner + (random.unit() * f64::from(national::WIDTH)) as i32;
        (place / edge).unsigned_abs()
    };
    let mut tiles = Vec::with_capacity(count);
    while tiles.len() < count {
        let (x, y) = (address(national::CORNER.x), address(national::CORNER.y));
        let tile = TileCoord::new(z, x, y);
        tiles.extend(tile.filter(|tile| level.touches(tile.buffered_bounds())));
    }
    tiles
}

/// The template of a tile with three properties.
#[must_use]
pub fn template(level: &Level, tile: TileCoord) -> Template {
    let spec = TemplateSpec {
        tile,
        layer: "nation",
        properties: &[0, 1, 2],
        zoom_max: 14,
    };
    Template::build(level, &spec, &|| false).expect("the file is whole")
}

/// Three rows in ten, here and there.
#[must_use]
pub fn three_tenths(level: &Level) -> Bitmap {
    let mut random = random::Random(3);
    let mut rows = Bitmap::empty(level.rows());
    for row in 0..level.rows() {
        if random.below(10) < 3 {
            rows.insert(row);
        }
    }
    rows
}

/// Writes a level to memory and opens it.
#[must_use]
pub fn open(rows: LevelRows) -> Level {
    let meta = schema::Level {
        title: schema::Localized::new(),
        name: "bureau".to_owned(),
        zooms: [0, 14],
        rows: rows.keys.len() as u64,
        bounds: [-5.0, 42.0, 5.0, 51.0],
        fgb: "nation/bureau.fgb".to_owned(),
        arrow: "nation/bureau.arrow".to_owned(),
        columns: Vec::new(),
    };
    let sorted = SortedRows::new(rows).expect("made to the rules");
    let (mut fgb, mut arrow) = (Cursor::new(Vec::new()), Vec::new());
    sorted
        .write_fgb("bureau", &mut fgb)
        .expect("memory does not fail");
    sorted
        .write_arrow(&mut arrow)
        .expect("memory does not fail");
    Level::open(&meta, Bytes::from(fgb.into_inner()), Bytes::from(arrow)).expect("just written")
}
