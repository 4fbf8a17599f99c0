//! The `OpenAPI` 3.0 document: what can be asked, and how.

use serde_json::{Map, Value, json};

use super::tile_matrix_set;
use super::{GEOJSON, JSON, MVT, OPENAPI, SCHEMA};
use crate::snapshot::Snapshot;

pub(super) fn document(snapshot: &Snapshot, public_url: &str) -> Value {
    let layers: Vec<&str> = snapshot.layers().map(|l| l.meta.name.as_str()).collect();
    let name = &snapshot.manifest.name;
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": name,
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Vector tiles and features, filtered and scored by any criteria",
        },
        "servers": [{ "url": public_url }],
        "paths": paths(),
        "components": {
            "parameters": parameters(&layers),
            "schemas": {
                "problem": {
                    "type": "object",
                    "description": "RFC 9457",
                    "required": ["type", "title", "status", "detail"],
                    "properties": {
                        "type": { "type": "string" },
                        "title": { "type": "string" },
                        "status": { "type": "integer" },
                        "detail": { "type": "string" },
                        "instance": { "type": "string" },
                        "parameter": { "type": "string" },
                        "position": { "type": "integer" },
                    },
                },
            },
            "responses": {
                "problem": {
                    "description": "What is wrong with the request",
                    "content": {
                        "application/problem+json": {
                            "schema": { "$ref": "#/components/schemas/problem" },
                        },
                    },
                },
            },
        },
    })
}

/// Address, operation, what it answers and in which type, parameters.
type Operation = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

const OPERATIONS: [Operation; 13] = [
    ("/", "landing", "The landing page", JSON, "f"),
    (
        "/conformance",
        "conformance",
        "What the API conforms to",
        JSON,
        "",
    ),
    ("/api", "api", "This document", OPENAPI, ""),
    ("/collections", "collections", "The layers", JSON, ""),
    (
        "/collections/{layer}",
        "collection",
        "A layer",
        JSON,
        "layer",
    ),
    (
        "/collections/{layer}/queryables",
        "queryables",
        "What filters may name",
        SCHEMA,
        "layer level",
    ),
    (
        "/collections/{layer}/items",
        "items",
        "Areas of a layer",
        GEOJSON,
        "layer limit offset bbox datetime sortby level filter filter-lang properties more",
    ),
    (
        "/collections/{layer}/items/{feature}",
        "item",
        "An area",
        GEOJSON,
        "layer feature level",
    ),
    (
        "/collections/{layer}/tiles",
        "tilesets",
        "The tilesets of a layer",
        JSON,
        "layer",
    ),
    (
        "/collections/{layer}/tiles/{tileMatrixSet}",
        "tileset",
        "A tileset",
        JSON,
        "layer tileMatrixSet filter filter-lang properties v",
    ),
    (
        "/collections/{layer}/tiles/{tileMatrixSet}/{tileMatrix}/{tileRow}/{tileCol}",
        "tile",
        "A vector tile",
        MVT,
        "layer tileMatrixSet tileMatrix tileRow tileCol filter filter-lang properties v",
    ),
    (
        "/tileMatrixSets",
        "tileMatrixSets",
        "The tile matrix sets",
        JSON,
        "",
    ),
    (
        "/tileMatrixSets/{tileMatrixSet}",
        "tileMatrixSet",
        "A tile matrix set",
        JSON,
        "tileMatrixSet",
    ),
];

fn paths() -> Value {
    let mut paths = Map::new();
    for (path, id, summary, media_type, parameters) in OPERATIONS {
        let refs: Vec<Value> = parameters
            .split_whitespace()
            .map(|name| json!({ "$ref": format!("#/components/parameters/{name}") }))
            .collect();
        let schema = if media_type == MVT {
            json!({ "type": "string", "format": "binary" })
        } else {
            json!({ "type": "object" })
        };
        let mut responses = Map::new();
        let mut content = Map::from_iter([(media_type.to_owned(), json!({ "schema": schema }))]);
        if path == "/" {
            content.insert(
                "text/html".into(),
                json!({ "schema": { "type": "string" } }),
            );
        }
        responses.insert(
            "200".into(),
            json!({ "description": summary, "content": content }),
        );
        if media_type == MVT {
            responses.insert(
                "204".into(),
                json!({ "description": "Nothing is shown there" }),
            );
        }
        let problem = json!({ "$ref": "#/components/responses/problem" });
        for status in ["400", "404", "503"] {
            responses.insert(status.into(), problem.clone());
        }
        let get = json!({
            "operationId": id,
            "summary": summary,
            "parameters": refs,
            "responses": responses,
        });
        paths.insert(path.to_owned(), json!({ "get": get }));
    }
    Value::Object(paths)
}

fn parameters(layers: &[&str]) -> Value {
    let text = json!({ "type": "string" });
    let whole = json!({ "type": "integer", "minimum": 0 });
    let in_path = [
        (
            "layer",
            "A layer's name",
            json!({ "type": "string", "enum": layers }),
        ),
        ("feature", "An area's number, or its key", text.clone()),
        (
            "tileMatrixSet",
            "The grid of tiles",
            json!({ "type": "string", "enum": [tile_matrix_set::NAME] }),
        ),
        ("tileMatrix", "Zoom", whole.clone()),
        ("tileRow", "Row, from the north", whole.clone()),
        ("tileCol", "Column, from the west", whole.clone()),
    ];
    let in_query = [
        (
            "f",
            "Format",
            json!({ "type": "string", "enum": ["json", "html"] }),
        ),
        (
            "limit",
            "Areas of a page, at most",
            json!({ "type": "integer", "minimum": 1, "maximum": 10_000, "default": 100 }),
        ),
        ("offset", "Areas before the page", whole),
        (
            "bbox",
            "West, south, east, north in degrees",
            json!({ "type": "array", "minItems": 4, "maxItems": 6, "items": { "type": "number" } }),
        ),
        ("datetime", "Accepted; areas have no time", text.clone()),
        ("sortby", "Properties, with - for descending", text.clone()),
        (
            "level",
            "A level of the layer; by default the finest",
            text.clone(),
        ),
        ("filter", "CQL2 over the layer's queryables", text.clone()),
        (
            "filter-lang",
            "The language of the filter",
            json!({ "type": "string", "enum": ["cql2-text", "cql2-json"], "default": "cql2-text" }),
        ),
        (
            "properties",
            "Indicators to carry, between commas",
            text.clone(),
        ),
        ("v", "The dataset version the caller has", text),
        (
            "more",
            "What else a list is asked by, as score or contacts; what is not known is ignored",
            json!({ "type": "object", "additionalProperties": true }),
        ),
    ];
    let describe = |place: &str, name: &str, description: &str, schema: Value| {
        let mut parameter = json!({
            "name": name,
            "in": place,
            "description": description,
            "required": place == "path",
            "schema": schema,
        });
        if name == "more" {
            parameter["style"] = json!("form");
            parameter["explode"] = json!(true);
        }
        if name == "bbox" {
            parameter["style"] = json!("form");
            parameter["explode"] = json!(false);
        }
        (name.to_owned(), parameter)
    };
    let path = in_path.map(|(name, text, schema)| describe("path", name, text, schema));
    let query = in_query.map(|(name, text, schema)| describe("query", name, text, schema));
    Value::Object(path.into_iter().chain(query).collect())
}
