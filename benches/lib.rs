//! Seeded data shared by the benches.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "made-up data within known bounds"
)]

pub mod national;
pub mod random;

use std::io::Cursor;

use bytes::Bytes;
use tilecore::dataset::Level;
use tilecore::dataset::schema;
use tilecore::dataset::write::{LevelRows, SortedRows};

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
