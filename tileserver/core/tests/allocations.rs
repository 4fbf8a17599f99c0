//! A tile of a template that is there asks for its own bytes and for nothing else.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use allocation_counter::measure;
use support::towns::{Kind, Random, open, town};
use tilecore::gather::{Coding, ExtraColumn, ExtraValues, Scratch, gather};
use tilecore::template::{Template, TemplateSpec};
use tilecore::{Bitmap, TileCoord};

#[test]
fn a_hot_tile_allocates_its_bytes() {
    let tile = TileCoord::new(10, 500, 400).unwrap();
    let [x, y] = <[i32; 2]>::from(tile.origin());
    let mut random = Random(5);
    let level = open(town(&mut random, Kind::Streets, 200, [x, y, 1 << 20]));
    let spec = TemplateSpec {
        tile,
        layer: "town",
        properties: &[0, 1, 2, 3],
        zoom_max: 14,
    };
    let template = Template::build(&level, &spec, &|| false).unwrap();
    assert!(template.rows().len() > 30, "{}", template.rows().len());
    let filters: Vec<Bitmap> = (1..8)
        .map(|share| {
            let mut rows = Bitmap::empty(level.rows());
            for row in 0..level.rows() {
                if random.below(8) < share {
                    rows.insert(row);
                }
            }
            rows
        })
        .collect();
    let scores: Vec<u32> = (0..).map(|row| row % 7).take(level.rows()).collect();
    let scored = [ExtraColumn {
        name: "score",
        values: ExtraValues::Whole(&scores),
    }];
    let mut scratch = Scratch::default();
    let mut bytes = 0;
    for turn in 0..3 {
        for rows in &filters {
            for extras in [&[][..], &scored] {
                for coding in [Coding::Identity, Coding::Gzip] {
                    let info = measure(|| {
                        let tile = gather(&template, Some(rows), extras, coding, &mut scratch);
                        bytes = tile.bytes.len();
                    });
                    // In the first turn the buffers grow to what tiles need.
                    if turn > 0 {
                        assert!(bytes > 0);
                        assert_eq!(info.count_total, 1, "{coding:?}, {}", extras.len());
                        assert_eq!(info.bytes_total, bytes as u64);
                        assert_eq!(info.bytes_current, 0);
                    }
                }
            }
        }
    }
}
