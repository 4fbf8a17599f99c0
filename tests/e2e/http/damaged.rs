//! Mapped files whose bytes are not what a writer wrote, though their hash is right: answers may be
//! wrong or refused, the server stays up.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use bytes::Bytes;
use e2e::Village;
use rustc_hash::FxHashMap;
use tilecore::TileCoord;
use tilecore::dataset::schema::Manifest;
use tilecore::filter::{Filter, Table};
use tilecore::gather::{Coding, Scratch, gather};
use tilecore::mercator::grid_from_degrees;
use tilecore::template::{Template, TemplateSpec};
use tileserver::layer::LevelRef;
use tileserver::rows::Rows;
use tileserver::rows::geojson::write_feature;
use tileserver::snapshot::{Caches, Snapshot};

/// The village's files, small enough to try everything on.
struct Files {
    manifest: Manifest,
    bytes: BTreeMap<String, Vec<u8>>,
}

impl Files {
    fn read() -> Self {
        let village = Village::unpublished();
        let version = village.version(&village.write_version(1.0));
        let text = fs::read(version.join("manifest.json")).expect("written");
        let manifest: Manifest = serde_json::from_slice(&text).expect("written");
        let read = |path: &String| fs::read(version.join(path)).expect("written");
        let bytes = manifest
            .files
            .keys()
            .map(|p| (p.clone(), read(p)))
            .collect();
        Self { manifest, bytes }
    }

    /// Opens the dataset with one file replaced, and asks everything of it.
    fn try_with(&self, path: &str, damaged: Vec<u8>) {
        let mut files: FxHashMap<String, Bytes> = FxHashMap::default();
        for (other, bytes) in &self.bytes {
            files.insert(other.clone(), Bytes::from(bytes.clone()));
        }
        files.insert(path.to_owned(), Bytes::from(damaged));
        let caches = Caches {
            bytes: 1 << 20,
            shared: false,
            metrics: Arc::default(),
        };
        if let Ok(snapshot) = Snapshot::open(self.manifest.clone(), &files, &caches) {
            let snapshot = Arc::new(snapshot);
            for layer in snapshot.layers() {
                for level in layer.levels() {
                    ask_everything(&snapshot, level);
                }
            }
        }
    }
}

fn ask_everything(snapshot: &Arc<Snapshot>, level: LevelRef<'_>) {
    let data = &level.data.level;
    let columns: Vec<usize> = (0..data.columns().len()).collect();
    let middle = grid_from_degrees(2.325, 48.859);
    for z in [0, 8, 12, 14] {
        let cell = |v: i32| u32::try_from(v >> (30 - u32::from(z))).unwrap_or(0);
        let Some(tile) = TileCoord::new(z, cell(middle.x), cell(middle.y)) else {
            continue;
        };
        let spec = TemplateSpec {
            tile,
            layer: "town",
            properties: &columns,
            zoom_max: 14,
        };
        if let Ok(template) = Template::build(data, &spec, &|| false) {
            let _ = gather(&template, None, &[], Coding::Gzip, &mut Scratch::default());
        }
    }
    for text in [
        "name LIKE 'L%'",
        "S_INTERSECTS(geometry, POINT(2.31 48.86))",
        "key > '03'",
    ] {
        let filter = Filter::parse_text(text, level.data.queryables()).expect("sound");
        if let Ok(program) = filter.compile(level.data) {
            let rows = program.evaluate();
            assert_eq!(rows.len(), level.data.rows());
        }
    }
    let mut out = Vec::new();
    let rows = Rows::of(snapshot, level);
    for row in 0..data.rows() {
        write_feature(&rows, row, true, &mut out);
    }
    let _ = data.at(middle);
    let _ = (data.row_of_key("03"), data.row_of_id(3), data.parent(0));
}

#[test]
fn every_truncation() {
    let files = Files::read();
    for (path, bytes) in &files.bytes {
        for length in 0..bytes.len() {
            files.try_with(path, bytes[..length].to_vec());
        }
    }
}

#[test]
fn every_flipped_bit() {
    let files = Files::read();
    for (path, bytes) in &files.bytes {
        for at in 0..bytes.len() {
            // All bits of what describes the file; one of each byte of the rest.
            let bits = if at < 512 || at + 512 > bytes.len() {
                0..8
            } else {
                at % 8..at % 8 + 1
            };
            for bit in bits {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                files.try_with(path, damaged);
            }
        }
    }
}
