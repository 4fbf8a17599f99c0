//! A level's coarse vertices in memory: what tiles of low zooms are made from.
//!
//! A tile of a low zoom takes few vertices of many units; in the mapped file they lie far apart,
//! and reading them is waiting for memory. Those with M up to [`OVERVIEW_ZOOM`] are copied once.

use crate::dataset::{GeometryError, Level, grid_point};
use crate::geometry::{GridPoint, M_PER_ZOOM};

/// The last zoom that the overview has all vertices of.
pub(crate) const OVERVIEW_ZOOM: u8 = 8;

/// Coarse vertices of all rows, ring after ring.
#[derive(Debug, Default)]
pub(crate) struct Overview {
    places: Vec<GridPoint>,
    /// As in [`crate::geometry::Vertex::m`].
    weights: Vec<u8>,
    rings: Vec<OverviewRing>,
    /// Per row where its rings end.
    rows: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct OverviewRing {
    end: u32,
    exterior: bool,
}

impl Overview {
    /// Copies the coarse vertices of `level`.
    pub(crate) fn build(level: &Level) -> Result<Self, GeometryError> {
        let mut overview = Self::default();
        for row in 0..level.rows() {
            let error = GeometryError { row };
            for part in level.parts(row)? {
                let part = part.ok_or(error)?;
                for (i, ring) in part.rings().enumerate() {
                    let ring = ring.ok_or(error)?;
                    overview.add_ring(part.xy(ring.clone()), part.m(ring), i == 0);
                }
            }
            overview.rows.push(end(overview.rings.len()));
        }
        overview.places.shrink_to_fit();
        overview.weights.shrink_to_fit();
        overview.rings.shrink_to_fit();
        Ok(overview)
    }

    fn add_ring(&mut self, xy: &[[u8; 16]], m: &[[u8; 8]], exterior: bool) {
        for (i, (xy, m)) in xy.iter().zip(m).enumerate() {
            let m = f64::from_le_bytes(*m);
            // A ring's first vertex is its place, even where no vertex is shown.
            if m <= f64::from(OVERVIEW_ZOOM) || i == 0 {
                self.places.push(grid_point(xy));
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "float casts saturate, and 255 is never shown"
                )]
                self.weights.push((m * f64::from(M_PER_ZOOM)).ceil() as u8);
            }
        }
        self.rings.push(OverviewRing {
            end: end(self.places.len()),
            exterior,
        });
    }

    /// A row's rings: their places and weights, and whether each is an exterior.
    pub(crate) fn rings(
        &self,
        row: usize,
    ) -> impl Iterator<Item = (&[GridPoint], &[u8], bool)> + '_ {
        let first = row.checked_sub(1).map_or(0, |before| self.rows[before]) as usize;
        let last = self.rows[row] as usize;
        (first..last).map(|i| {
            let start = i.checked_sub(1).map_or(0, |before| self.rings[before].end) as usize;
            let OverviewRing { end, exterior } = self.rings[i];
            let range = start..end as usize;
            (&self.places[range.clone()], &self.weights[range], exterior)
        })
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        size_of_val(self.places.as_slice())
            + self.weights.len()
            + size_of_val(self.rings.as_slice())
            + size_of_val(self.rows.as_slice())
    }
}

fn end(length: usize) -> u32 {
    u32::try_from(length).expect("a level has fewer than 2^32 coarse vertices: 100 GB of file")
}
