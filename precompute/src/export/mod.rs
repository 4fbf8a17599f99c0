//! A layer's tiles in one file, under a fixed filter and with fixed properties: a map for a web
//! server that only gives out files.
//!
//! ```text
//! dataset ─▸ level of each zoom ─▸ template ─▸ gather ─▸ PMTiles, in the order of its ids
//!                                  └ as the server makes them: equal bytes ┘
//! ```
//! Of contacts nothing can be in the file: only the files of levels are opened.

mod metadata;
mod policy;
mod rows;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;
use pmtiles::{Compression, PmTilesStreamWriter, PmTilesWriter, TileId, TileType};
use rayon::prelude::*;
use tilecore::dataset::Level;
use tilecore::dataset::schema::{self, Indicator, Layer, Manifest};
use tilecore::gather::{Coding, Scratch, gather};
use tilecore::template::{Template, TemplateSpec};
use tilecore::{Bitmap, TileCoord};

use crate::inspect::{self, Version};
use crate::progress;
pub use policy::Policy;

/// Tiles made before they are written.
const BATCH: usize = 1024;

/// Which tiles.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The only layer when not named.
    pub layer: Option<String>,
    /// The layer's default properties when none are named.
    pub properties: Option<Vec<String>>,
    /// CQL2 text; everything without it.
    pub filter: Option<String>,
    /// What the public may see.
    pub policy: Policy,
}

/// What was written.
#[derive(Debug, Clone, Copy)]
pub struct Written {
    pub tiles: usize,
    pub bytes: u64,
}

/// Writes the tiles of the current version of `dataset` into `out`, all or nothing.
///
/// # Errors
/// When the dataset is damaged, has not what is wanted, or `out` cannot be written.
pub fn pmtiles(dataset: &Path, wanted: &Wanted, out: &Path) -> anyhow::Result<Written> {
    let version = inspect::read(dataset)?;
    if let Some(fault) = version.faults.first() {
        let file = version.directory.join(&fault.file);
        bail!("{}: {}", file.display(), fault.message);
    }
    let manifest = &version.manifest;
    let layer = layer(manifest, wanted)?;
    let properties = properties(layer, wanted)?;
    let mut sources = Vec::new();
    for meta in &layer.levels {
        sources.push(Source::open(&version, layer, meta, &properties, wanted)?);
    }
    // Lower zooms have the lower ids.
    sources.sort_by_key(|source| source.meta.zooms[0]);
    let described = metadata::of(manifest, layer, &properties, wanted.filter.as_deref());
    let writer = writer(layer, &described.to_string());
    whole(out, |file| {
        let mut archive = writer.create(file)?;
        let mut tiles = 0;
        for source in &sources {
            tiles += source.write(&mut archive)?;
        }
        archive.finalize()?;
        Ok(tiles)
    })
    .with_context(|| out.display().to_string())
}

fn layer<'a>(manifest: &'a Manifest, wanted: &Wanted) -> anyhow::Result<&'a Layer> {
    let shown = |layer: &&Layer| wanted.policy.shows_layer(&layer.name);
    let layers: Vec<&Layer> = manifest.layers.iter().filter(shown).collect();
    let names = layers.iter().map(|l| l.name.as_str()).collect::<Vec<_>>();
    let names = names.join(", ");
    match (wanted.layer.as_deref(), &layers[..]) {
        (_, []) => bail!("the dataset has no layer to write"),
        (None, [only]) => Ok(only),
        (None, _) => bail!("several layers: give --layer, one of {names}"),
        (Some(name), layers) => layers
            .iter()
            .find(|layer| layer.name == name)
            .copied()
            .ok_or_else(|| anyhow!("no layer `{name}`: give one of {names}")),
    }
}

fn properties<'a>(layer: &'a Layer, wanted: &Wanted) -> anyhow::Result<Vec<&'a Indicator>> {
    let indicators = layer.indicators.iter();
    let shown: Vec<&Indicator> = indicators
        .filter(|i| !i.hidden && wanted.policy.shows_indicator(&i.name))
        .collect();
    let named = |name: &String| shown.iter().any(|i| i.name == *name);
    let names = wanted.properties.as_deref();
    if let Some(name) = names.unwrap_or_default().iter().find(|name| !named(name)) {
        bail!("layer `{}` has no indicator `{name}`", layer.name);
    }
    // In the layer's order whatever theirs, as the server has them.
    let names = names.unwrap_or(&layer.default_properties);
    Ok(shown
        .into_iter()
        .filter(|i| names.contains(&i.name))
        .collect())
}

fn writer(layer: &Layer, metadata: &str) -> PmTilesWriter {
    let zooms = zooms(layer);
    let bounds = layer.levels.iter().map(|level| level.bounds);
    let [west, south, east, north] = bounds
        .reduce(|a, b| {
            [
                a[0].min(b[0]),
                a[1].min(b[1]),
                a[2].max(b[2]),
                a[3].max(b[3]),
            ]
        })
        .unwrap_or_default();
    PmTilesWriter::new(TileType::Mvt)
        .precompressed(Compression::Gzip)
        .internal_compression(Compression::Gzip)
        .min_zoom(zooms[0])
        .max_zoom(zooms[1])
        .bounds(west, south, east, north)
        .center(f64::midpoint(west, east), f64::midpoint(south, north))
        .center_zoom(zooms[0])
        .metadata(metadata.to_owned())
}

/// First and last zoom of any level.
fn zooms(layer: &Layer) -> [u8; 2] {
    let zooms = layer.levels.iter().map(|level| level.zooms);
    zooms.fold([u8::MAX, 0], |all, one| {
        [all[0].min(one[0]), all[1].max(one[1])]
    })
}

/// A level and what of it goes into tiles.
struct Source<'a> {
    layer: &'a str,
    meta: &'a schema::Level,
    level: Level,
    columns: Vec<usize>,
    /// `None` for all.
    rows: Option<Bitmap>,
    zoom_max: u8,
}

impl<'a> Source<'a> {
    fn open(
        version: &Version,
        layer: &'a Layer,
        meta: &'a schema::Level,
        properties: &[&Indicator],
        wanted: &Wanted,
    ) -> anyhow::Result<Self> {
        let read = |file: &String| {
            let path = version.directory.join(file);
            let bytes = fs::read(&path).with_context(|| path.display().to_string());
            bytes.map(Bytes::from)
        };
        let level = Level::open(meta, read(&meta.fgb)?, read(&meta.arrow)?)?;
        let filter = wanted.filter.as_deref();
        Ok(Self {
            layer: &layer.name,
            meta,
            rows: filter
                .map(|text| rows::passing(text, layer, meta, &level, &wanted.policy))
                .transpose()?,
            columns: properties
                .iter()
                .filter_map(|indicator| level.column_number(&indicator.name))
                .collect(),
            level,
            zoom_max: zooms(layer)[1],
        })
    }

    /// Adds the tiles of the level's zooms that hold something; how many they are.
    fn write(&self, archive: &mut PmTilesStreamWriter<&fs::File>) -> anyhow::Result<usize> {
        let tiles = self.addresses()?;
        let step = progress::steps(&format!("tiles of {}", self.meta.name), tiles.len());
        let mut written = 0;
        for batch in tiles.chunks(BATCH) {
            let made: Result<Vec<Bytes>, _> = batch
                .par_iter()
                .map_init(Scratch::default, |scratch, &(_, tile)| {
                    let made = self.tile(tile, scratch);
                    step.advance();
                    made
                })
                .collect();
            for ((id, _), gzip) in batch.iter().zip(made?) {
                if !gzip.is_empty() {
                    archive.add_tile(*id, &gzip)?;
                    written += 1;
                }
            }
        }
        step.done(&format!("{written} tiles"));
        Ok(written)
    }

    fn tile(&self, tile: TileCoord, scratch: &mut Scratch) -> anyhow::Result<Bytes> {
        let spec = TemplateSpec {
            tile,
            layer: self.layer,
            properties: &self.columns,
            zoom_max: self.zoom_max,
        };
        let template = Template::build(&self.level, &spec, &|| false)?;
        Ok(gather(&template, self.rows.as_ref(), &[], Coding::Gzip, scratch).bytes)
    }

    /// The tiles that the level touches, in the order of their ids.
    fn addresses(&self) -> anyhow::Result<Vec<(pmtiles::TileCoord, TileCoord)>> {
        let mut touched = Vec::new();
        if let Some(world) = TileCoord::new(0, 0, 0) {
            self.visit(world, &mut touched);
        }
        let mut addressed = Vec::with_capacity(touched.len());
        for tile in touched {
            addressed.push((pmtiles::TileCoord::new(tile.z(), tile.x(), tile.y())?, tile));
        }
        addressed.sort_unstable_by_key(|(coord, _)| TileId::from(*coord));
        Ok(addressed)
    }

    fn visit(&self, tile: TileCoord, touched: &mut Vec<TileCoord>) {
        let [first, last] = self.meta.zooms;
        if !self.level.touches(tile.buffered_bounds()) {
            return;
        }
        if tile.z() >= first {
            touched.push(tile);
        }
        if tile.z() < last {
            for (right, below) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                let (x, y) = (tile.x() * 2 + right, tile.y() * 2 + below);
                if let Some(child) = TileCoord::new(tile.z() + 1, x, y) {
                    self.visit(child, touched);
                }
            }
        }
    }
}

/// Writes beside the place first, so that a reader never sees half of the file.
fn whole(
    out: &Path,
    write: impl FnOnce(&fs::File) -> anyhow::Result<usize>,
) -> anyhow::Result<Written> {
    let directory = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    // A file for the web: readable to all that the user's mask lets read.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let file = builder.prefix(".export-").tempfile_in(directory)?;
    let tiles = write(file.as_file())?;
    file.as_file().sync_all()?;
    let bytes = file.as_file().metadata()?.len();
    file.persist(out)?;
    Ok(Written { tiles, bytes })
}
