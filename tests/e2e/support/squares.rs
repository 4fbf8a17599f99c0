//! A layer of squares, each with one figure.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::precompute;

/// A square of a hundredth of a degree, by its column and row, as a GeoJSON feature.
#[must_use]
pub fn square(place: [u32; 2], properties: &Value) -> Value {
    let [west, south] = place.map(|at| f64::from(at) / 100.0);
    let (east, north) = (west + 0.01, south + 0.01);
    let ring = [
        [west, south],
        [east, south],
        [east, north],
        [west, north],
        [west, south],
    ];
    json!({
        "type": "Feature",
        "properties": properties,
        "geometry": { "type": "Polygon", "coordinates": [ring] },
    })
}

/// The dataset of a layer `land`.
#[derive(Debug)]
pub struct Squares {
    directory: tempfile::TempDir,
}

impl Squares {
    /// Of squares of a hundredth of a degree, each with its key, column and row, and its value in
    /// the indicator `column`, which is the SQL aggregate `aggregate` of it; `levels` are the
    /// `[[layer.level]]` below the line that names the squares' own and their `key`.
    ///
    /// # Panics
    /// When the dataset cannot be built.
    #[must_use]
    pub fn new(
        column: &str,
        aggregate: &str,
        levels: &str,
        squares: impl IntoIterator<Item = (String, [u32; 2], String)>,
    ) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = |name: &str| directory.path().join(name);
        let mut features = Vec::new();
        let mut table = format!("code,{column}\n");
        for (key, place, value) in squares {
            features.push(square(place, &json!({ "code": key })));
            let _ = writeln!(table, "{key},{value}");
        }
        let collection = json!({ "type": "FeatureCollection", "features": features }).to_string();
        let project = format!(
            r#"
            [dataset]
            name = "land"
            [[table]]
            name = "t"
            path = "t.csv"
            [[layer]]
            name = "land"
            [[layer.level]]
            name = "square"
            polygons = {{ path = "squares.geojson" }}
            key = "code"
            {levels}
            [[layer.indicators]]
            from = "t"
            key = "code"
            columns = {{ {column} = {{ sql = "{aggregate}({column})" }} }}
            "#
        );
        for (name, text) in [
            ("squares.geojson", &collection),
            ("t.csv", &table),
            ("land.toml", &project),
        ] {
            std::fs::write(path(name), text).expect("a file of its own");
        }
        let [project, out] = ["land.toml", "out"].map(|name| path(name).display().to_string());
        let output = precompute(&["build", &project, "--out", &out]);
        assert!(output.status.success(), "{output:?}");
        Self { directory }
    }

    #[must_use]
    pub fn dataset(&self) -> PathBuf {
        self.directory.path().join("out")
    }
}
