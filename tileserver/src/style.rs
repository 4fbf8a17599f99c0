//! `MapLibre` styles: the templates of `styles/`, filled. Values are put at JSON pointers, never
//! into text, so none can break out of its place.

use serde_json::{Value, json};

use crate::html::escaped;
use crate::layer::LayerRef;
use crate::names;
use crate::palette::{self, MISSING};
use crate::snapshot::Snapshot;

const GROUND: &str = "#f5f4f0";
const INK: &str = "#171614";

/// How hot the densest cell is drawn by itself, of 1: its neighbours add to it.
const DENSEST_CELL: f64 = 0.25;

/// A cell's heat in its middle, at weight and intensity 1: MapLibre's kernel there.
const KERNEL_PEAK: f64 = 0.398_942_280_401_432_7;

/// A template of `styles/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    Choropleth,
    Bivariate,
    Priority,
    Density,
}

impl Template {
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "choropleth" => Self::Choropleth,
            "bivariate" => Self::Bivariate,
            "priority" => Self::Priority,
            "density" => Self::Density,
            _ => return None,
        })
    }

    fn text(self) -> &'static str {
        match self {
            Self::Choropleth => include_str!("../../styles/choropleth.json"),
            Self::Bivariate => include_str!("../../styles/bivariate.json"),
            Self::Priority => include_str!("../../styles/priority.json"),
            Self::Density => include_str!("../../styles/density.json"),
        }
    }

    /// The style with these values in its slots; `styles/README.md` says what each means.
    #[must_use]
    pub fn fill(self, slots: &[(&str, Value)]) -> Value {
        let mut style: Value = serde_json::from_str(self.text()).expect("the templates are JSON");
        let pointers = style["metadata"]["maille:slots"].take();
        for (slot, value) in slots {
            let places = pointers[slot].as_array().map_or(&[][..], Vec::as_slice);
            debug_assert!(!places.is_empty(), "no slot {slot}");
            for place in places.iter().filter_map(Value::as_str) {
                if let Some(at) = style.pointer_mut(place) {
                    *at = value.clone();
                }
            }
        }
        style["metadata"] = json!({});
        style
    }
}

/// Where a style's tiles come from.
#[derive(Debug, Clone)]
pub struct Source {
    /// With `{z}/{x}/{y}`.
    pub tiles: String,
    pub layer: String,
    pub bounds: [f64; 4],
    pub zooms: [u8; 2],
    /// Plain text.
    pub attribution: String,
    /// Tiles of points that units are named at; without them they have no names.
    pub names: Option<String>,
}

impl Source {
    /// Tiles of a layer of a snapshot.
    #[must_use]
    pub fn of_layer(layer: LayerRef<'_>, snapshot: &Snapshot, tiles: String) -> Self {
        Self {
            tiles,
            layer: layer.meta.name.clone(),
            bounds: layer.bounds(),
            zooms: layer.zooms(),
            attribution: snapshot.manifest.attribution.clone(),
            names: None,
        }
    }

    /// With names from these tiles.
    #[must_use]
    pub fn named(self, names: String) -> Self {
        Self {
            names: Some(names),
            ..self
        }
    }

    fn slots(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("tiles", json!([self.tiles])),
            ("bounds", json!(self.bounds)),
            ("minzoom", json!(self.zooms[0])),
            ("maxzoom", json!(self.zooms[1])),
            // Clients put it into the page as HTML.
            ("attribution", json!(escaped(&self.attribution))),
            ("source-layer", json!(self.layer)),
            ("background", json!(GROUND)),
            ("ink", json!(INK)),
        ]
    }

    /// Areas in the colours of `fill`, an expression.
    #[must_use]
    pub fn areas(&self, template: Template, name: &str, fill: Value) -> Value {
        let mut slots = self.slots();
        slots.push(("color", fill));
        slots.push(("border", border()));
        if template == Template::Priority {
            slots.push(("top", json!(20)));
        }
        let mut style = template.fill(&slots);
        style["name"] = json!(name);
        look_at(&mut style, self.bounds);
        if let Some(names) = &self.names {
            style["sources"]["names"] = json!({
                "type": "vector",
                "tiles": [names],
                "bounds": self.bounds,
                "minzoom": self.zooms[0],
                "maxzoom": self.zooms[1],
            });
            name_at_points(template, &mut style);
        }
        style
    }

    /// Contacts as heat. `densest` is, by zoom ascending, the greatest count of a cell.
    #[must_use]
    pub fn heat(&self, name: &str, densest: &[(u8, f64)]) -> Value {
        let color = json!([
            "interpolate",
            ["linear"],
            ["heatmap-density"],
            0,
            "rgba(244,227,178,0)",
            0.08,
            "rgba(244,214,140,0.55)",
            0.3,
            "#ec9f4a",
            0.6,
            "#c7472f",
            0.85,
            "#7d1447",
            1,
            "#330b3d"
        ]);
        let mut slots = self.slots();
        slots.extend([
            ("intensity", intensity(densest)),
            ("color", color),
            ("circle-color", json!("#c7472f")),
        ]);
        let mut style = Template::Density.fill(&slots);
        style["name"] = json!(name);
        look_at(&mut style, self.bounds);
        style
    }
}

/// Of borders between areas: the ground's, fainter where they are closer together.
fn border() -> Value {
    let [faint, clear] = ["40", "cc"].map(|alpha| format!("{GROUND}{alpha}"));
    json!(["interpolate", ["linear"], ["zoom"], 6, faint, 12, clear])
}

/// Has units named, or their ranks written, once each.
fn name_at_points(template: Template, style: &mut Value) {
    let Some(layers) = style["layers"].as_array_mut() else {
        return;
    };
    if template != Template::Priority {
        layers.push(names_layer());
        return;
    }
    for layer in layers {
        if layer["type"] == "symbol" {
            layer["source"] = json!("names");
            layer["source-layer"] = json!(names::LAYER);
        }
    }
}

/// Names in the reader's own font: no glyphs are asked of any server.
fn names_layer() -> Value {
    json!({
        "id": "names",
        "type": "symbol",
        "source": "names",
        "source-layer": names::LAYER,
        "layout": {
            "text-field": ["to-string", ["get", "name"]],
            "text-font": ["sans-serif"],
            "text-size": 11.5,
            "text-max-width": 7,
            "text-padding": 8,
        },
        "paint": {
            "text-color": INK,
            "text-halo-color": "rgba(255,255,255,0.85)",
            "text-halo-width": 1.3,
        },
    })
}

/// At each zoom as much as lets the densest cell be told apart: see `styles/README.md`.
fn intensity(densest: &[(u8, f64)]) -> Value {
    let mut stops = vec![
        json!("interpolate"),
        json!(["exponential", 4]),
        json!(["zoom"]),
    ];
    for (zoom, count) in densest {
        stops.push(json!(zoom));
        stops.push(json!(DENSEST_CELL / (KERNEL_PEAK * count.max(1.0))));
    }
    // Nothing to draw.
    if stops.len() == 3 {
        return json!(1);
    }
    Value::Array(stops)
}

/// By zoom the expression of the level shown there: `fills` are first zooms, ascending, and
/// expressions.
#[must_use]
pub fn by_level(fills: Vec<(u8, Value)>) -> Value {
    let mut fills = fills.into_iter();
    let Some((_, first)) = fills.next() else {
        return json!(MISSING.to_string());
    };
    let mut step = vec![json!("step"), json!(["zoom"]), first];
    for (zoom, fill) in fills {
        step.extend([json!(zoom), fill]);
    }
    if step.len() == 3 {
        return step.remove(2);
    }
    Value::Array(step)
}

/// The colour of two indicators' classes: each expression gives a class's number, −1 for none.
#[must_use]
pub fn bivariate(x: &Value, y: &Value, columns: usize, rows: usize) -> Value {
    if columns == 0 || rows == 0 {
        return json!(MISSING.to_string());
    }
    let cell = json!([
        "case",
        ["any", ["==", x, -1], ["==", y, -1]],
        -1,
        ["+", x, ["*", columns, y]]
    ]);
    let mut pick = vec![json!("match"), cell];
    for (i, color) in palette::bivariate(columns, rows).iter().enumerate() {
        pick.extend([json!(i), json!(color.to_string())]);
    }
    pick.push(json!(MISSING.to_string()));
    Value::Array(pick)
}

/// The colour of a score from 0 to 1000.
#[must_use]
pub fn score_ramp() -> Value {
    json!([
        "case",
        ["has", "score"],
        [
            "interpolate",
            ["linear"],
            ["to-number", ["get", "score"]],
            0,
            "#f3efe4",
            400,
            "#f0cf94",
            700,
            "#e08b3e",
            900,
            "#b0461c",
            1000,
            "#6b1d0d"
        ],
        MISSING.to_string()
    ])
}

/// Where the map looks first, for clients that open a style by itself.
fn look_at(style: &mut Value, [west, south, east, north]: [f64; 4]) {
    let span = (east - west).max(north - south).max(1e-6);
    style["center"] = json!([f64::midpoint(west, east), f64::midpoint(south, north)]);
    style["zoom"] = json!((360.0 / span).log2().clamp(0.0, 22.0).floor());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_is_filled_and_no_value_leaves_its_place() {
        let source = Source {
            tiles: "https://example.org/a/{z}/{x}/{y}?v=1".into(),
            layer: "a\"},{".into(),
            bounds: [2.0, 48.0, 3.0, 49.0],
            zooms: [3, 12],
            attribution: "<script>alert(1)</script>".into(),
            names: Some("https://example.org/a/names/{z}/{x}/{y}?v=1".into()),
        };
        let filled = [
            source.areas(Template::Choropleth, "n", json!("#123456")),
            source.areas(Template::Bivariate, "n", json!("#123456")),
            source.areas(Template::Priority, "n", score_ramp()),
            source.heat("n", &[(0, 900.0), (1, 400.0)]),
        ];
        for style in filled {
            let text = style.to_string();
            assert!(
                !text.contains("127.0.0.1") && !text.contains("<script"),
                "{text}"
            );
            for layer in style["layers"].as_array().expect("layers") {
                let named = layer.get("source-layer");
                let own = [json!(source.layer), json!(names::LAYER)];
                assert!(named.is_none_or(|name| own.contains(name)));
            }
            assert_eq!(style["center"], json!([2.5, 48.5]));
        }
    }

    #[test]
    fn heat_follows_the_densest_cell_of_each_zoom() {
        let hot = |count: f64| DENSEST_CELL / (KERNEL_PEAK * count);
        assert_eq!(
            intensity(&[(0, 900.0), (1, 400.0)]),
            json!([
                "interpolate",
                ["exponential", 4],
                ["zoom"],
                0,
                hot(900.0),
                1,
                hot(400.0)
            ])
        );
        assert_eq!(intensity(&[]), json!(1));
    }

    #[test]
    fn levels_follow_zooms() {
        assert_eq!(by_level(vec![(0, json!("a"))]), json!("a"));
        assert_eq!(
            by_level(vec![(0, json!("a")), (9, json!("b"))]),
            json!(["step", ["zoom"], "a", 9, "b"])
        );
    }
}
