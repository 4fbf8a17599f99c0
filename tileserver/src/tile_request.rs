//! A tile as asked for: parsed and checked once, with one canonical form.

use std::cell::RefCell;
use std::sync::Arc;

use bytes::Bytes;
use tilecore::TileCoord;
use tilecore::dataset::schema::Indicator;
use tilecore::gather::{self, ExtraColumn, Scratch, gather};

use crate::analysis::{Analysis, Named};
use crate::app::App;
use crate::criteria;
use crate::http::etag::Tag;
use crate::http::path::Segments;
use crate::http::{Coding, Freshness, HttpError, Query};
use crate::layer::{LayerRef, LevelRef};
use crate::snapshot::Snapshot;

/// Changes whenever equal requests over equal datasets give other bytes than before.
const ENCODER: u32 = 2;

/// The parameters, `v` apart, that a tile depends on.
pub const PARAMETERS: [&str; 13] = [
    "filter",
    "filter-lang",
    "filter-level",
    "properties",
    "score",
    "score-method",
    "classes",
    "class-property",
    "class-method",
    "contacts",
    "contacts-filter",
    "contacts-denominator",
    "contacts-rate",
];

/// Layers in one tile.
const LAYERS_MAX: usize = 16;

/// Units beyond which a tile is gathered on the pool.
const UNITS_HERE: usize = 5_000;

/// See the module.
#[derive(Debug)]
pub struct TileRequest<'a> {
    coord: TileCoord,
    parts: Vec<Part<'a>>,
    pub tag: Tag,
    pub freshness: Freshness,
}

/// What a tile holds of one layer.
#[derive(Debug)]
struct Part<'a> {
    level: LevelRef<'a>,
    /// The indicators it carries.
    shown: Vec<&'a str>,
    analysis: Analysis,
}

/// A tile's bytes and what they show.
#[derive(Debug, Default)]
pub struct Rendered {
    /// Empty when nothing is shown.
    pub bytes: Bytes,
    pub coding: Coding,
    pub shown: usize,
}

impl<'a> TileRequest<'a> {
    /// From `/{layer},{layer}/{z}/{x}/{y}?…`.
    pub fn parse(
        path: &Segments,
        query: &Query,
        snapshot: &'a Snapshot,
    ) -> Result<Self, HttpError> {
        let (z, x, y) = path.tile_numbers()?;
        let outside = || HttpError::NotFound("outside the tile matrix".into());
        let coord = TileCoord::new(z, x, y).ok_or_else(outside)?;
        let mut layers: Vec<LayerRef<'_>> = Vec::new();
        for name in path.name(0)?.split(',') {
            let layer = snapshot.layer(name)?;
            if layers.iter().any(|known| known.number == layer.number) || layers.len() == LAYERS_MAX
            {
                return Err(HttpError::NotFound(
                    format!("name each layer once, at most {LAYERS_MAX}").into(),
                ));
            }
            layers.push(layer);
        }
        let properties = properties(query, &layers)?;
        let mut parts = Vec::new();
        for (layer, properties) in layers.iter().zip(properties) {
            // A layer without this zoom still has its say on the filter's properties.
            let shown = layer.level_of_zoom(z);
            let level = shown.unwrap_or_else(|| layer.level_at(0));
            let carried: Vec<&str> = properties.into_iter().map(|i| i.name.as_str()).collect();
            let analysis = Analysis::parse(query, snapshot, level, carried.iter().copied())?;
            if shown.is_some() {
                parts.push(Part {
                    level,
                    shown: carried,
                    analysis,
                });
            }
        }
        if parts.is_empty() {
            let detail = "the layer has no tiles at this zoom: see its TileJSON";
            return Err(HttpError::NotFound(detail.into()));
        }
        let version = &snapshot.manifest.version;
        Ok(Self {
            tag: tag(version, coord, &parts),
            freshness: Freshness::of(query, version)?,
            coord,
            parts,
        })
    }

    /// Notes which contacts it reads.
    pub fn note(&self, app: &App, snapshot: &Snapshot) -> Result<(), HttpError> {
        let (z, x, y) = (self.coord.z(), self.coord.x(), self.coord.y());
        for part in &self.parts {
            let layer = &part.level.layer.meta.name;
            part.analysis
                .note(app, snapshot, &format!("{layer}/{z}/{x}/{y}"))?;
        }
        Ok(())
    }

    /// Makes the tile, in `coding` or in none.
    pub async fn render(
        &self,
        app: &App,
        snapshot: &Arc<Snapshot>,
        coding: Coding,
    ) -> Result<Rendered, HttpError> {
        if let [part] = &self.parts[..] {
            return part.render(self.coord, app, snapshot, coding).await;
        }
        let (mut bytes, mut shown) = (Vec::new(), 0);
        for part in &self.parts {
            let one = part
                .render(self.coord, app, snapshot, Coding::Identity)
                .await?;
            bytes.extend_from_slice(&one.bytes);
            shown += one.shown;
        }
        let mut all = Rendered {
            bytes: bytes.into(),
            coding: Coding::Identity,
            shown,
        };
        all.code(coding);
        Ok(all)
    }

    /// Whether neither this tile nor any below it shows a unit, whatever the filter.
    #[must_use]
    pub fn is_empty_for_good(&self) -> bool {
        let bounds = self.coord.buffered_bounds();
        let mut layers = self.parts.iter().map(|part| part.level.layer);
        let may_show = |level: LevelRef<'_>| {
            // Where there is nothing to see, it is not told whether there is something.
            level.data.permitted().is_some() || level.data.level.touches(bounds)
        };
        layers.all(|layer| !layer.levels().any(may_show))
    }
}

/// Per layer the indicators in its tiles: those asked for, or the layer's default. One that is none of any layer is an error.
pub fn properties<'a>(
    query: &Query,
    layers: &[LayerRef<'a>],
) -> Result<Vec<Vec<&'a Indicator>>, HttpError> {
    let asked: Result<Vec<_>, _> = layers
        .iter()
        .map(|layer| criteria::properties(query, layers, *layer))
        .collect();
    let defaults = |layer: &LayerRef<'a>| {
        let default = &layer.meta.default_properties;
        layer
            .indicators()
            .filter(|i| default.contains(&i.name))
            .collect()
    };
    let asked = asked?.into_iter().zip(layers);
    Ok(asked
        .map(|(asked, layer)| asked.unwrap_or_else(|| defaults(layer)))
        .collect())
}

/// Of everything the bytes follow from.
fn tag(version: &str, coord: TileCoord, parts: &[Part<'_>]) -> Tag {
    let mut hash = blake3::Hasher::new();
    let mut put = |bytes: &[u8]| {
        hash.update(&(bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    put(version.as_bytes());
    put(&ENCODER.to_le_bytes());
    put(&[coord.z()]);
    put(&coord.x().to_le_bytes());
    put(&coord.y().to_le_bytes());
    for part in parts {
        put(&part.level.layer.number.to_le_bytes());
        put(&part.level.number.to_le_bytes());
        put(part.analysis.canonical().as_bytes());
        for name in &part.shown {
            put(name.as_bytes());
        }
    }
    Tag::from(&hash.finalize())
}

impl Part<'_> {
    /// Numbers of the columns that no filter changes.
    fn columns(&self) -> Vec<usize> {
        // Of units that match elsewhere, indicators are recomputed.
        if self.analysis.matching.is_some() {
            return Vec::new();
        }
        let number = |name: &&str| self.level.data.level.column_number(name);
        self.shown.iter().filter_map(number).collect()
    }

    /// Whether the tile shows a computed column: all but indicators that only serve others.
    fn carries(&self, named: &Named) -> bool {
        self.shown.contains(&&*named.name) || !self.level.shows(&named.name)
    }

    async fn render(
        &self,
        coord: TileCoord,
        app: &App,
        snapshot: &Arc<Snapshot>,
        coding: Coding,
    ) -> Result<Rendered, HttpError> {
        let template = snapshot
            .template(&app.pool, self.level, coord, &self.columns())
            .await?;
        if template.is_empty() {
            return Ok(Rendered::default());
        }
        let question = &self.analysis.question;
        let rows = snapshot.passing_among(&app.pool, self.level, question, template.rows());
        let rows = rows.await?;
        let results = self.analysis.compute(app, snapshot, self.level).await?;
        let carried = results.columns().filter(|named| self.carries(named));
        let carried: Vec<Named> = carried.cloned().collect();
        let units = template.rows().len();
        let make = move || {
            thread_local! {
                static SCRATCH: RefCell<Scratch> = RefCell::default();
            }
            let own = match coding {
                Coding::Gzip => gather::Coding::Gzip,
                _ => gather::Coding::Identity,
            };
            let extras: Vec<ExtraColumn<'_>> = carried.iter().filter_map(Named::extra).collect();
            let tile = SCRATCH.with_borrow_mut(|scratch| {
                gather(&template, rows.as_deref(), &extras, own, scratch)
            });
            let mut rendered = Rendered {
                bytes: tile.bytes,
                shown: tile.shown,
                coding: Coding::Identity,
            };
            match coding {
                Coding::Gzip => rendered.coding = Coding::Gzip,
                coding => rendered.code(coding),
            }
            rendered
        };
        if units <= UNITS_HERE {
            Ok(make())
        } else {
            app.pool.run(make).await
        }
    }
}

impl Rendered {
    /// Codes plain bytes.
    fn code(&mut self, coding: Coding) {
        if coding != Coding::Identity && !self.bytes.is_empty() {
            self.bytes = coding.encode(&self.bytes).into_owned().into();
            self.coding = coding;
        }
    }
}
