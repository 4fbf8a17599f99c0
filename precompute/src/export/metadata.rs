//! What an exported file says of itself, as `TileJSON` has it: readers of the format expect that.

use serde_json::{Map, Value, json};
use tilecore::dataset::schema::{Indicator, Kind, Layer, Manifest, text_in};

pub(super) fn of(
    manifest: &Manifest,
    layer: &Layer,
    properties: &[&Indicator],
    filter: Option<&str>,
) -> Value {
    let [first, last] = super::zooms(layer);
    let mut fields = Map::new();
    fields.insert("id".into(), json!("String"));
    fields.insert("name".into(), json!("String"));
    for indicator in properties {
        let kind = match indicator.kind {
            Kind::Number => "Number",
            Kind::Text => "String",
        };
        fields.insert(indicator.name.clone(), json!(kind));
    }
    let level = |level: &tilecore::dataset::schema::Level| json!({ "name": level.name, "title": level.title, "zooms": level.zooms, "rows": level.rows });
    json!({
        "name": text_in(&layer.title, "").unwrap_or(&layer.name),
        "description": text_in(&manifest.title, "").unwrap_or(&manifest.name),
        // Clients put it into pages as HTML; ours is text.
        "attribution": escaped(&manifest.attribution),
        "type": "overlay",
        "vector_layers": [{
            "id": layer.name,
            "description": text_in(&layer.title, "").unwrap_or_default(),
            "minzoom": first,
            "maxzoom": last,
            "fields": fields,
        }],
        "maille": {
            "dataset": manifest.name,
            "version": manifest.version,
            "filter": filter,
            "levels": layer.levels.iter().map(level).collect::<Vec<_>>(),
            "indicators": properties.iter().map(|i| indicator(i)).collect::<Vec<_>>(),
        },
    })
}

fn indicator(indicator: &Indicator) -> Value {
    json!({
        "name": indicator.name,
        "label": indicator.label,
        "unit": indicator.unit,
        "source": indicator.source,
        "vintage": indicator.vintage,
        "licence": indicator.licence,
        "estimate": indicator.estimate,
    })
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let text = text.replace('>', "&gt;").replace('"', "&quot;");
    text.replace('\'', "&#39;")
}
