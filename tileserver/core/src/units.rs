//! A unit's shape in one tile, from the file's vertices to the tile's grid.
//!
//! What is shown is always valid, within the tile and its buffer, and never nothing: a unit too
//! small for an area is a cell at its place.

use crate::clip::{Clipped, Clipper};
use crate::dataset::write::REPAIR_ZOOM_MAX;
use crate::dataset::{GeometryError, Level, grid_point};
use crate::geometry::M_PER_ZOOM;
use crate::overview::OVERVIEW_ZOOM;
use crate::quantize::{Cell, Quantizer, Shape};
use crate::repair::repair;
use crate::tile::{BUFFER, EXTENT, TileCoord};
use crate::validity::{is_valid, is_valid_at_edges};

/// The tile and its buffer on its own grid, inclusive.
const BOUNDS: [i32; 4] = [-BUFFER, -BUFFER, EXTENT + BUFFER, EXTENT + BUFFER];

/// Whether bounds on the tile's grid lie in the tile and its buffer.
fn is_within(bounds: [i32; 4]) -> bool {
    bounds[0] >= BOUNDS[0]
        && bounds[1] >= BOUNDS[1]
        && bounds[2] <= BOUNDS[2]
        && bounds[3] <= BOUNDS[3]
}

/// Makes one unit's shape after the other.
pub(crate) struct Units<'a> {
    level: &'a Level,
    quantizer: Quantizer,
    z: u8,
    /// The largest M of a vertex that is kept, in zooms.
    m_max: u8,
    /// Whether the level knows which units are not valid at this zoom.
    is_known: bool,
    /// The vertices of a ring that are kept, by their position.
    kept: Vec<u32>,
    shape: Shape,
    spare: Shape,
    clipper: Clipper,
}

impl<'a> Units<'a> {
    /// `zoom_max` is the layer's last zoom, which has the detail of one zoom more.
    pub(crate) fn new(level: &'a Level, tile: TileCoord, zoom_max: u8) -> Self {
        let z = tile.z();
        let is_last = z >= zoom_max;
        Self {
            level,
            quantizer: Quantizer::new(tile),
            z,
            m_max: if is_last { z + 1 } else { z },
            is_known: level.has_repair_zooms() && !is_last && z <= REPAIR_ZOOM_MAX,
            kept: Vec::new(),
            shape: Shape::default(),
            spare: Shape::default(),
            clipper: Clipper::default(),
        }
    }

    /// What the tile shows of a row, if anything.
    pub(crate) fn shape(&mut self, row: usize) -> Result<Option<&Shape>, GeometryError> {
        self.make(row)?;
        Ok((!self.shape.is_empty()).then_some(&self.shape))
    }

    fn make(&mut self, row: usize) -> Result<(), GeometryError> {
        let place = self.fill(row)?;
        if self.shape.is_empty() {
            // Too small for an area: a cell at its place.
            self.show_cell(place);
            return Ok(());
        }
        let bounds = self.shape.bounds();
        let outside = bounds[0] >= BOUNDS[2]
            || bounds[1] >= BOUNDS[3]
            || bounds[2] <= BOUNDS[0]
            || bounds[3] <= BOUNDS[1];
        if outside {
            self.shape.clear();
            return Ok(());
        }
        let within = is_within(bounds);
        if !within && self.clipper.clip(&mut self.shape, BOUNDS) == Clipped::Doubtful {
            self.fill(row)?;
            self.repair(Some(BOUNDS));
        } else if !self.shape.is_empty() && !self.is_valid(row, within) {
            self.repair(None);
        }
        if self.shape.is_empty()
            && let Some(place) = self.clipper.collapsed().filter(|_| !within)
        {
            self.show_cell(place);
        }
        Ok(())
    }

    /// Makes the shape valid; a cell stands for one of which nothing is left within the tile.
    fn repair(&mut self, bounds: Option<[i32; 4]>) {
        let place = self.shape.cells()[0];
        repair(&self.shape, bounds, &mut self.spare);
        std::mem::swap(&mut self.shape, &mut self.spare);
        // The overlay rounds where segments cross, sometimes past the frame.
        let stays = self.shape.is_empty()
            || is_within(self.shape.bounds())
            || self.clipper.clip(&mut self.shape, BOUNDS) == Clipped::Done && is_valid(&self.shape);
        if self.shape.is_empty() || !stays {
            self.show_cell(place);
        }
    }

    fn is_valid(&self, row: usize, within: bool) -> bool {
        if !self.is_known || !within && self.clipper.joined() {
            return is_valid(&self.shape);
        }
        !self.level.needs_repair(row, self.z) && (within || is_valid_at_edges(&self.shape, BOUNDS))
    }

    /// A ring of one cell, if the cell is in the tile or its buffer.
    fn show_cell(&mut self, place: Cell) {
        self.shape.clear();
        let Cell { x, y } = place;
        let inside = |v: i32| (-BUFFER..EXTENT + BUFFER).contains(&v);
        if inside(x) && inside(y) {
            let ring = [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)];
            self.shape.push_ring(ring.map(|(x, y)| Cell { x, y }), true);
        }
    }

    /// Quantises the vertices of a row that the zoom keeps. Returns the cell of its first vertex.
    fn fill(&mut self, row: usize) -> Result<Cell, GeometryError> {
        self.shape.clear();
        if self.m_max <= OVERVIEW_ZOOM {
            return self.fill_from_overview(row);
        }
        let error = GeometryError { row };
        let m_max = f64::from(self.m_max);
        let mut place = None;
        for part in self.level.parts(row)? {
            let part = part.ok_or(error)?;
            for (i, ring) in part.rings().enumerate() {
                let ring = ring.ok_or(error)?;
                let xy = part.xy(ring.clone());
                let cell = |xy| self.quantizer.cell(grid_point(xy));
                place = place.or_else(|| xy.first().map(cell));
                keep(part.m(ring), m_max, &mut self.kept);
                let kept = self.kept.iter().map(|&at| cell(&xy[at as usize]));
                self.shape.push_ring(kept, i == 0);
            }
        }
        place.ok_or(error)
    }

    fn fill_from_overview(&mut self, row: usize) -> Result<Cell, GeometryError> {
        let overview = self.level.overview()?;
        let m_max = u16::from(self.m_max) * M_PER_ZOOM;
        let mut place = None;
        for (places, weights, exterior) in overview.rings(row) {
            let cell = |p: &_| self.quantizer.cell(*p);
            place = place.or_else(|| places.first().map(cell));
            let kept = places
                .iter()
                .zip(weights)
                .filter(|(_, m)| u16::from(**m) <= m_max);
            self.shape.push_ring(kept.map(|(p, _)| cell(p)), exterior);
        }
        place.ok_or(GeometryError { row })
    }
}

/// Puts the positions of the weights up to `m_max` into `kept`.
///
/// One vertex in four or so is kept, at random as far as a branch predictor can tell: so there is
/// no branch.
fn keep(m: &[[u8; 8]], m_max: f64, kept: &mut Vec<u32>) {
    kept.clear();
    kept.resize(m.len(), 0);
    let mut count = 0;
    for (at, m) in (0..).zip(m) {
        kept[count] = at;
        count += usize::from(f64::from_le_bytes(*m) <= m_max);
    }
    kept.truncate(count);
}
