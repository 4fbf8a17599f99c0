//! The FlatGeobuf writer: what GIS software opens and what tiles are cut from.
//!
//! ```text
//! magic (8) │ header │ packed R-tree, 40 bytes a node, root first │ features in row order
//! ```
//! Every part's length is a multiple of 8, so that all doubles are aligned in a mapped file.
//! The crate's `FgbWriter` is not used: it spools all features to a temporary file.

use std::io::{self, Seek, SeekFrom, Write};

use flatbuffers::FlatBufferBuilder;
use flatgeobuf::packed_r_tree::{PackedRTree, calc_extent};
use flatgeobuf::{
    Column as FgbColumn, ColumnArgs, ColumnType, Crs, CrsArgs, Feature, FeatureArgs, Geometry,
    GeometryArgs, GeometryType, Header, HeaderArgs,
};

use super::columns::Column;
use super::fgb::{MAGIC, NODE_SIZE};
use super::schema::{COLUMN_ID, COLUMN_KEY, COLUMN_NAME, COLUMN_PARENT};
use super::write::{Geometries, LevelRows, leaf};
use crate::geometry::{M_PER_ZOOM, Polygon};
use crate::mercator::metres_from_grid;

/// `order` says where each row's polygons are; `bounds` are the rows', on the world grid. `rows` is
/// not empty and valid.
pub(super) fn write<G: Geometries>(
    name: &str,
    rows: &LevelRows<G>,
    order: &[u32],
    bounds: &[[i32; 4]],
    mut out: impl Write + Seek,
) -> io::Result<()> {
    let shown: Vec<&(String, Column)> = rows
        .columns
        .iter()
        .filter(|(name, _)| !rows.hidden.contains(name))
        .collect();
    let mut leaves: Vec<_> = bounds.iter().map(|&b| leaf(b, 0)).collect();
    let extent = calc_extent(&leaves);
    let header = header(
        name,
        [extent.min_x, extent.min_y, extent.max_x, extent.max_y],
        &shown,
        leaves.len(),
    );
    out.write_all(&MAGIC)?;
    out.write_all(&header)?;
    let index_start = out.stream_position()?;
    let index_size = PackedRTree::index_size(leaves.len(), NODE_SIZE);
    out.seek(SeekFrom::Start(index_start + index_size as u64))?;

    let mut feature = FeatureBuilder::default();
    let mut offset = 0;
    for (row, leaf) in leaves.iter_mut().enumerate() {
        leaf.offset = offset;
        let polygons = rows.geometries.geometry(order[row] as usize);
        let bytes = feature.build(&polygons, rows, &shown, row);
        out.write_all(bytes)?;
        offset += bytes.len() as u64;
    }
    let end = out.stream_position()?;
    out.seek(SeekFrom::Start(index_start))?;
    PackedRTree::build(&leaves, &extent, NODE_SIZE)
        .map_err(io::Error::other)?
        .stream_write(&mut out)?;
    out.seek(SeekFrom::Start(end))?;
    out.flush()
}

/// The size-prefixed header table; `envelope` in metres, `columns` after the four fixed ones.
fn header(
    name: &str,
    envelope: [f64; 4],
    columns: &[&(String, Column)],
    features: usize,
) -> Vec<u8> {
    let mut fbb = FlatBufferBuilder::new();
    let fixed = [
        (COLUMN_KEY, ColumnType::String, false),
        (COLUMN_NAME, ColumnType::String, false),
        (COLUMN_ID, ColumnType::ULong, false),
        (COLUMN_PARENT, ColumnType::String, true),
    ];
    let indicators = columns.iter().map(|(name, column)| {
        let kind = match column {
            Column::Number(_) => ColumnType::Double,
            Column::Text(_) => ColumnType::String,
        };
        (name.as_str(), kind, true)
    });
    let columns: Vec<_> = fixed
        .into_iter()
        .chain(indicators)
        .map(|(name, type_, nullable)| {
            let args = ColumnArgs {
                name: Some(fbb.create_string(name)),
                type_,
                nullable,
                ..ColumnArgs::default()
            };
            FgbColumn::create(&mut fbb, &args)
        })
        .collect();
    let crs = CrsArgs {
        org: Some(fbb.create_string("EPSG")),
        code: 3857,
        ..CrsArgs::default()
    };
    let args = HeaderArgs {
        name: Some(fbb.create_string(name)),
        envelope: Some(fbb.create_vector(&envelope)),
        geometry_type: GeometryType::MultiPolygon,
        has_m: true,
        columns: Some(fbb.create_vector(&columns)),
        features_count: features as u64,
        index_node_size: NODE_SIZE,
        crs: Some(Crs::create(&mut fbb, &crs)),
        ..HeaderArgs::default()
    };
    let header = Header::create(&mut fbb, &args);
    fbb.finish_size_prefixed(header, None);
    fbb.finished_data().to_vec()
}

/// Builds one feature after the other in the same buffers.
#[derive(Default)]
struct FeatureBuilder<'a> {
    fbb: FlatBufferBuilder<'a>,
    xy: Vec<f64>,
    m: Vec<f64>,
    ends: Vec<u32>,
    properties: Vec<u8>,
}

impl<'a> FeatureBuilder<'a> {
    /// The size-prefixed feature table of a row.
    fn build<G>(
        &mut self,
        polygons: &[Polygon],
        rows: &LevelRows<G>,
        columns: &[&(String, Column)],
        row: usize,
    ) -> &[u8] {
        self.fbb.reset();
        let parts: Vec<_> = polygons.iter().map(|polygon| self.part(polygon)).collect();
        let args = GeometryArgs {
            parts: Some(self.fbb.create_vector(&parts)),
            ..GeometryArgs::default()
        };
        let geometry = Geometry::create(&mut self.fbb, &args);
        self.fill_properties(rows, columns, row);
        let args = FeatureArgs {
            geometry: Some(geometry),
            properties: Some(self.fbb.create_vector(&self.properties)),
            ..FeatureArgs::default()
        };
        let feature = Feature::create(&mut self.fbb, &args);
        self.fbb.finish_size_prefixed(feature, None);
        self.fbb.finished_data()
    }

    /// A polygon; its rings are closed, as GIS software expects them.
    fn part(&mut self, polygon: &Polygon) -> flatbuffers::WIPOffset<Geometry<'a>> {
        self.xy.clear();
        self.m.clear();
        self.ends.clear();
        for ring in polygon.rings() {
            for vertex in ring.iter().chain(ring.first()) {
                let (x, y) = metres_from_grid(vertex.point());
                self.xy.extend([x, y]);
                self.m.push(f64::from(vertex.m) / f64::from(M_PER_ZOOM));
            }
            let end =
                u32::try_from(self.m.len()).expect("a flatbuffer holds fewer than 2^31 bytes");
            self.ends.push(end);
        }
        let args = GeometryArgs {
            ends: (self.ends.len() > 1).then(|| self.fbb.create_vector(&self.ends)),
            xy: Some(self.fbb.create_vector(&self.xy)),
            m: Some(self.fbb.create_vector(&self.m)),
            ..GeometryArgs::default()
        };
        Geometry::create(&mut self.fbb, &args)
    }

    /// Pairs of column number (u16) and value; a missing value is left out.
    fn fill_properties<G>(
        &mut self,
        rows: &LevelRows<G>,
        columns: &[&(String, Column)],
        row: usize,
    ) {
        self.properties.clear();
        self.text(0, &rows.keys[row]);
        self.text(1, &rows.names[row]);
        self.bytes(2, rows.ids[row].to_le_bytes());
        if let Some(parent) = &rows.parents[row] {
            self.text(3, parent);
        }
        for (number, (_, column)) in (4..).zip(columns) {
            match column {
                Column::Number(numbers) => {
                    if let Some(value) = numbers.get(row) {
                        self.bytes(number, value.to_le_bytes());
                    }
                }
                Column::Text(texts) => {
                    if let Some(text) = texts.get(row) {
                        self.text(number, text);
                    }
                }
            }
        }
    }

    fn bytes<const N: usize>(&mut self, column: u16, value: [u8; N]) {
        self.properties.extend(column.to_le_bytes());
        self.properties.extend(value);
    }

    fn text(&mut self, column: u16, text: &str) {
        let length = u32::try_from(text.len()).expect("a flatbuffer holds fewer than 2^31 bytes");
        self.properties.extend(column.to_le_bytes());
        self.properties.extend(length.to_le_bytes());
        self.properties.extend(text.as_bytes());
    }
}
