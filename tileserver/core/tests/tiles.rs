//! Tiles of random towns, read by an independent decoder: valid, complete, and the same whichever
//! way they are asked for.
//!
//! `MAILLE_CASES` is the number of tiles of each test (default 300); the long run is 100,000.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::io::Read;

use support::mvt::{self, Feature};
use support::towns::{Kind, Random, open, town};
use tilecore::dataset::Level;
use tilecore::dataset::columns::Column;
use tilecore::gather::{Coding, EXTRA_MISSING, ExtraColumn, ExtraValues, Scratch, gather};
use tilecore::geometry::{Polygon, Vertex, WORLD_CELLS};
use tilecore::template::{Template, TemplateError, TemplateSpec};
use tilecore::{Bitmap, TileCoord};

fn cases() -> u64 {
    let cases = std::env::var("MAILLE_CASES").ok();
    cases.and_then(|cases| cases.parse().ok()).unwrap_or(300)
}

/// A town, and a tile somewhere in it.
struct Scene {
    level: Level,
    tile: TileCoord,
    template: Template,
    properties: Vec<usize>,
}

fn scene(seed: u64) -> Scene {
    let mut random = Random(seed);
    let kinds = [Kind::Stars, Kind::Tangles, Kind::Streets, Kind::Streets];
    let kind = kinds[usize::try_from(random.below(4)).unwrap()];
    let z = u8::try_from(random.below(19)).unwrap();
    let tiles = 1 << z;
    let mut address = || u32::try_from(random.below(tiles)).unwrap();
    let tile = TileCoord::new(z, address(), address()).unwrap();
    let edge = WORLD_CELLS >> z;
    let (x, y) = tile.origin();
    // From a handful of cells to several tiles.
    let width = (edge >> random.below(8)).clamp(4, WORLD_CELLS / 8);
    let width = if random.below(4) == 0 {
        width * 3
    } else {
        width
    };
    let place = |random: &mut Random, start: i32| {
        let corner = [0, edge / 2, edge][usize::try_from(random.below(3)).unwrap()];
        start
            .saturating_add(corner)
            .clamp(width, WORLD_CELLS - width)
    };
    let window = [place(&mut random, x), place(&mut random, y), width];
    let count = 1 + usize::try_from(random.below(30)).unwrap();
    let rows = town(&mut random, kind, count, window);
    let level = open(rows);
    let properties = (0..4).filter(|_| random.below(2) == 0).collect::<Vec<_>>();
    let template = build(&level, tile, &properties);
    Scene {
        level,
        tile,
        template,
        properties,
    }
}

fn build(level: &Level, tile: TileCoord, properties: &[usize]) -> Template {
    let spec = TemplateSpec {
        tile,
        layer: "town",
        properties,
        zoom_max: 14,
    };
    Template::build(level, &spec, &|| false).unwrap()
}

fn some_rows(random: &mut Random, level: &Level) -> Bitmap {
    let mut rows = Bitmap::empty(level.rows());
    let share = random.below(5);
    for row in 0..level.rows() {
        if random.below(4) < share {
            rows.insert(row);
        }
    }
    rows
}

fn features(template: &Template, rows: Option<&Bitmap>) -> Vec<Feature> {
    let tile = gather(
        template,
        rows,
        &[],
        Coding::Identity,
        &mut Scratch::default(),
    );
    let mut layers = mvt::decode(&tile.bytes);
    assert!(layers.len() <= 1);
    let features = layers.pop().map_or_else(Vec::new, |layer| layer.features);
    assert_eq!(features.len(), tile.shown);
    assert_eq!(template.rows().len(), tile.shown + tile.filtered);
    features
}

/// A hole may touch its exterior. Cut through both, they are one ring, which may not touch itself.
#[test]
fn a_hole_that_touches_its_exterior_is_cut() {
    let tile = TileCoord::new(10, 500, 400).unwrap();
    let (left, top) = tile.origin();
    let cell = (WORLD_CELLS >> tile.z()) / 4096;
    let ring = |ring: &[(i32, i32)]| -> Vec<Vertex> {
        let place = |&(x, y): &(i32, i32)| Vertex {
            x: left + x * cell,
            y: top + y * cell,
            m: 0,
        };
        ring.iter().map(place).collect()
    };
    let exterior = ring(&[
        (-200, 1000),
        (-30, 990),
        (0, 1000),
        (500, 1000),
        (500, 2000),
        (-200, 2000),
    ]);
    // No segment that ends at the frame, at -64, touches anything.
    let hole = ring(&[
        (0, 1000),
        (-40, 1200),
        (-150, 1300),
        (-150, 1500),
        (-20, 1400),
    ]);
    let mut rows = town(&mut Random(1), Kind::Stars, 1, [left, top, cell]);
    rows.geometries = vec![vec![Polygon {
        exterior,
        holes: vec![hole],
    }]];
    // Valid at every zoom, and known to be.
    rows.repair_zooms = vec![0];
    let template = build(&open(rows), tile, &[]);
    let features = features(&template, None);
    assert_eq!(features.len(), 1);
    assert_eq!(features[0].fault(), None);
}

#[test]
fn every_tile_is_valid() {
    // The last one had a hole beside its exterior.
    for seed in (0..cases()).chain([30_023]) {
        let scene = scene(seed);
        for feature in features(&scene.template, None) {
            if let Some(fault) = feature.fault() {
                panic!("seed {seed}, {:?}, id {}: {fault}", scene.tile, feature.id);
            }
        }
    }
}

#[test]
fn every_unit_with_an_area_in_the_tile_is_there() {
    for seed in 0..cases() {
        let scene = scene(seed);
        let (x, y) = scene.tile.origin();
        let edge = WORLD_CELLS >> scene.tile.z();
        for row in 0..scene.level.rows() {
            let [x_min, y_min, x_max, y_max] = scene.level.bounds_of(row);
            let inside = x_min >= x && y_min >= y && x_max < x + edge && y_max < y + edge;
            let shown = scene.template.rows().contains(&u32::try_from(row).unwrap());
            assert!(shown || !inside, "seed {seed}, row {row}");
        }
    }
}

#[test]
fn properties_are_those_of_the_columns() {
    for seed in 0..cases() {
        let scene = scene(seed);
        let rows = scene.template.rows().iter().map(|&row| row as usize);
        for (row, feature) in rows.zip(features(&scene.template, None)) {
            let level = &scene.level;
            assert_eq!(feature.id, level.id(row));
            let mut found = feature.properties;
            let mut text = |name: &str| match found.remove(name) {
                Some(mvt::Value::Text(text)) => Some(text),
                None => None,
                other => panic!("seed {seed}: {name} is {other:?}"),
            };
            assert_eq!(text("id").as_deref(), Some(level.key(row)));
            assert_eq!(text("name").as_deref(), Some(level.name(row)));
            for &number in &scene.properties {
                let (name, column) = &level.columns()[number];
                match column {
                    Column::Number(numbers) => {
                        let value = found.remove(name).map(|value| value.number().unwrap());
                        assert_eq!(value, numbers.get(row), "seed {seed}: {name}");
                    }
                    Column::Text(texts) => {
                        let text = match found.remove(name) {
                            Some(mvt::Value::Text(text)) => Some(text),
                            None => None,
                            other => panic!("seed {seed}: {name} is {other:?}"),
                        };
                        assert_eq!(text.as_deref(), texts.get(row));
                    }
                }
            }
            assert!(found.is_empty(), "seed {seed}: {found:?}");
        }
    }
}

#[test]
fn a_filter_only_removes_features() {
    for seed in 0..cases() {
        let scene = scene(seed);
        let rows = some_rows(&mut Random(!seed), &scene.level);
        let all = features(&scene.template, None);
        let expected: Vec<Feature> = all
            .into_iter()
            .zip(scene.template.rows())
            .filter(|(_, row)| rows.contains(**row as usize))
            .map(|(feature, _)| feature)
            .collect();
        assert_eq!(
            features(&scene.template, Some(&rows)),
            expected,
            "seed {seed}"
        );
    }
}

#[test]
fn gzip_inflates_to_the_tile() {
    let mut scratch = Scratch::default();
    for seed in 0..cases() {
        let scene = scene(seed);
        let mut random = Random(!seed);
        for _ in 0..4 {
            let rows = some_rows(&mut random, &scene.level);
            let count = scene.level.rows();
            let scores: Vec<u32> = (0..count)
                .map(|_| match random.below(8) {
                    0 => EXTRA_MISSING,
                    _ => u32::try_from(random.below(1001)).unwrap(),
                })
                .collect();
            let extras = [ExtraColumn {
                name: "score",
                values: ExtraValues::Whole(&scores),
            }];
            let extras = &extras[..usize::try_from(random.below(2)).unwrap()];
            let mut tile =
                |coding| gather(&scene.template, Some(&rows), extras, coding, &mut scratch);
            let plain = tile(Coding::Identity).bytes;
            let coded = tile(Coding::Gzip).bytes;
            if plain.is_empty() {
                assert!(coded.is_empty());
                continue;
            }
            let mut inflated = Vec::new();
            let mut decoder = flate2::read::GzDecoder::new(&coded[..]);
            decoder.read_to_end(&mut inflated).unwrap();
            assert!(inflated == plain, "seed {seed}");
            let mut inflated = vec![0; plain.len()];
            let length = libdeflater::Decompressor::new().gzip_decompress(&coded, &mut inflated);
            assert_eq!(length, Ok(plain.len()), "seed {seed}");
            assert!(inflated == plain, "seed {seed}");
        }
    }
}

#[test]
fn extra_columns_are_written_for_rows_that_have_them() {
    for seed in 0..cases() {
        let scene = scene(seed);
        let mut random = Random(!seed);
        let ranks: Vec<u32> = (0..scene.level.rows())
            .map(|row| {
                if random.below(5) == 0 {
                    EXTRA_MISSING
                } else {
                    u32::try_from(row).unwrap()
                }
            })
            .collect();
        let shares: Vec<f64> = (0..scene.level.rows())
            .map(|_| {
                if random.below(5) == 0 {
                    f64::NAN
                } else {
                    random.unit()
                }
            })
            .collect();
        let extras = [
            ExtraColumn {
                name: "rank",
                values: ExtraValues::Whole(&ranks),
            },
            ExtraColumn {
                name: "matched_share",
                values: ExtraValues::Number(&shares),
            },
        ];
        let tile = gather(
            &scene.template,
            None,
            &extras,
            Coding::Identity,
            &mut Scratch::default(),
        );
        let layers = mvt::decode(&tile.bytes);
        let features = layers.iter().flat_map(|layer| &layer.features);
        for (&row, feature) in scene.template.rows().iter().zip(features) {
            let row = row as usize;
            let found = |name| {
                feature
                    .properties
                    .get(name)
                    .map(|value| value.number().unwrap())
            };
            let rank = (ranks[row] != EXTRA_MISSING).then(|| f64::from(ranks[row]));
            assert_eq!(found("rank"), rank, "seed {seed}");
            let share = (!shares[row].is_nan()).then(|| shares[row]);
            assert_eq!(found("matched_share"), share, "seed {seed}");
        }
    }
}

#[test]
fn equal_requests_give_equal_bytes() {
    for seed in 0..cases() / 4 {
        let (a, b) = (scene(seed), scene(seed));
        let mut warm = Scratch::default();
        // Buffers that another tile was made in leave no trace.
        drop(gather(
            &scene(seed + 1).template,
            None,
            &[],
            Coding::Gzip,
            &mut warm,
        ));
        for coding in [Coding::Identity, Coding::Gzip] {
            let a = gather(&a.template, None, &[], coding, &mut Scratch::default());
            let b = gather(&b.template, None, &[], coding, &mut warm);
            assert!(a == b, "seed {seed}");
        }
    }
}

#[test]
fn neighbours_leave_no_gap() {
    // A coverage of streets over four tiles: per zoom the areas in a tile add up to the area of
    // the town in it, which is known from the town's outline at full detail when nothing is left
    // out (zoom 14 is the last, with M ≤ 15).
    for seed in 0..cases().min(2000) / 10 {
        let mut random = Random(seed);
        let edge = WORLD_CELLS >> 14;
        let tile = TileCoord::new(14, 8000, 6000).unwrap();
        let (x, y) = tile.origin();
        let rows = town(
            &mut random,
            Kind::Streets,
            400,
            [x + edge / 2, y + edge / 2, edge],
        );
        let level = open(rows);
        let template = build(&level, tile, &[]);
        // The town covers the tile and its buffer whole.
        let sum: i64 = features(&template, None)
            .iter()
            .map(Feature::double_area)
            .sum();
        // Repairing a unit whose borders cross each other may move a cell.
        assert!((sum - 2 * 4224 * 4224).abs() <= 8, "seed {seed}: {sum}");
    }
}

#[test]
fn a_cancelled_build_ends() {
    let scene = scene(3);
    let spec = TemplateSpec {
        tile: scene.tile,
        layer: "town",
        properties: &[],
        zoom_max: 14,
    };
    let cancelled = Template::build(&scene.level, &spec, &|| true);
    assert!(matches!(cancelled, Err(TemplateError::Cancelled)));
    let unknown = TemplateSpec {
        properties: &[99],
        ..spec
    };
    let error = Template::build(&scene.level, &unknown, &|| false);
    assert!(matches!(error, Err(TemplateError::Column(99))));
}

#[test]
fn ids_do_not_change_with_the_zoom() {
    let mut random = Random(1);
    let level = open(town(
        &mut random,
        Kind::Stars,
        20,
        [1 << 29, 1 << 28, 1 << 20],
    ));
    let mut codes: BTreeMap<u64, mvt::Value> = BTreeMap::new();
    for z in 0..=14 {
        let tile = TileCoord::new(z, 1 << z >> 1, 1 << z >> 2).unwrap();
        for feature in features(&build(&level, tile, &[]), None) {
            let code = feature.properties["id"].clone();
            assert_eq!(*codes.entry(feature.id).or_insert(code.clone()), code);
        }
    }
    assert!(!codes.is_empty());
}
