//! What areas count, by the cells of a tile: each area's figure shared by the ground it has in each.
//!
//! ```text
//! cell's figure = Σ areas figure · (area in the cell) / (area)      Goodchild & Lam 1980
//! ```
//! Exact on the world grid: over the tiles of a zoom it adds up to what the areas count together.

use super::cells::{CELL_BITS, CELLS_PER_EDGE};
use crate::dataset::{GeometryError, Level};
use crate::geometry::{GridPoint, WORLD_BITS};
use crate::tile::TileCoord;

/// Cells along one edge.
const EDGE: usize = CELLS_PER_EDGE as usize;

/// A row's steps: what changes at each cell, and beyond the last.
const STEPS: usize = EDGE + 2;

/// The figures of `values` by cell of a tile, row after row. Areas that are not `permitted`, or
/// whose value is missing or not above 0, have none.
///
/// # Errors
/// When the bytes of a shape in the tile are damaged.
pub fn spread(
    level: &Level,
    values: &[f64],
    permitted: &dyn Fn(usize) -> bool,
    tile: TileCoord,
) -> Result<Vec<f64>, GeometryError> {
    let grid = Grid::of(tile);
    let mut figures = vec![0.0; EDGE * EDGE];
    let mut coverage = Coverage {
        steps: vec![0.0; EDGE * STEPS],
    };
    let mut rows = Vec::new();
    let [west, north] = grid.corner;
    let last = (grid.cell << CELL_BITS) - 1;
    level.rows_in([west, north, west + last, north + last], &mut rows);
    for row in rows {
        let row = row as usize;
        let value = values.get(row).copied().unwrap_or(f64::NAN);
        let counts = value > 0.0 && value.is_finite() && permitted(row);
        if !counts {
            continue;
        }
        let [x_min, y_min, x_max, y_max] = level.bounds_of(row);
        let first = grid.cell_of(GridPoint { x: x_min, y: y_min });
        let end = grid.cell_of(GridPoint { x: x_max, y: y_max });
        if let (Some(at), Some(end)) = (first, end)
            && at == end
        {
            figures[at] += value;
            continue;
        }
        let mut area = 0.0;
        level.for_each_edge(row, |a, b| {
            let (a, b) = (grid.place(a), grid.place(b));
            area += (a.0 * b.1 - b.0 * a.1) / 2.0;
            coverage.add(a, b);
        })?;
        let window = [
            grid.place(GridPoint { x: x_min, y: y_min }),
            grid.place(GridPoint { x: x_max, y: y_max }),
        ];
        // The exterior turns so that what is east of an edge down is outside.
        coverage.take(window, |at, covered| {
            let share = (-covered / area).clamp(0.0, 1.0);
            if area > 0.0 {
                figures[at] += value * share;
            }
        });
    }
    Ok(figures)
}

/// A tile's cells on the world grid.
struct Grid {
    corner: [i32; 2],
    /// Edge of a cell; a power of two.
    cell: i32,
}

impl Grid {
    fn of(tile: TileCoord) -> Self {
        let (x, y) = tile.origin();
        Self {
            corner: [x, y],
            cell: 1 << (WORLD_BITS - u32::from(tile.z()) - CELL_BITS),
        }
    }

    /// In cells from the corner.
    fn place(&self, p: GridPoint) -> (f64, f64) {
        let at = |v: i32, corner: i32| f64::from(v - corner) / f64::from(self.cell);
        (at(p.x, self.corner[0]), at(p.y, self.corner[1]))
    }

    /// The cell that holds a place; `None` outside.
    fn cell_of(&self, p: GridPoint) -> Option<usize> {
        let at = |v: i32, corner: i32| {
            let cell = usize::try_from((v - corner).div_euclid(self.cell)).ok()?;
            (cell < EDGE).then_some(cell)
        };
        Some(at(p.y, self.corner[1])? * EDGE + at(p.x, self.corner[0])?)
    }
}

/// How much of each cell a shape covers, by its edges:
///
/// ```text
/// row │  ╲      │ an edge covers what is east of it, as high as it is; edges down add, edges up
///     │   ╲▓▓▓▓▓│ take away; steps are summed eastwards when all edges are in
/// ```
struct Coverage {
    steps: Vec<f64>,
}

impl Coverage {
    /// An edge, in cells.
    fn add(&mut self, a: (f64, f64), b: (f64, f64)) {
        let (down, (x_top, y_top), (x_bottom, y_bottom)) =
            if a.1 < b.1 { (1.0, a, b) } else { (-1.0, b, a) };
        let slope = (x_bottom - x_top) / (y_bottom - y_top);
        let edge = f64::from(CELLS_PER_EDGE);
        let (from, upto) = (y_top.max(0.0), y_bottom.min(edge));
        if y_top >= y_bottom || from >= upto {
            return;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within the tile"
        )]
        let (first, end) = (from.floor() as usize, upto.ceil() as usize);
        for row in first..end.min(EDGE) {
            #[expect(clippy::cast_precision_loss, reason = "below 128")]
            let (top, bottom) = (from.max(row as f64), upto.min(row as f64 + 1.0));
            let at = |y: f64| x_top + (y - y_top) * slope;
            let (p, q) = (at(top), at(bottom));
            let steps = &mut self.steps[row * STEPS..(row + 1) * STEPS];
            add_in_row(steps, p.min(q), p.max(q), (bottom - top) * down);
        }
    }

    /// Sums the steps of a window of cells, and forgets them.
    fn take(&mut self, [least, most]: [(f64, f64); 2], mut each: impl FnMut(usize, f64)) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to the tile"
        )]
        let cell = |v: f64| v.clamp(0.0, f64::from(CELLS_PER_EDGE)).floor() as usize;
        let (first, last) = (cell(least.0), cell(most.0).min(EDGE - 1));
        for row in cell(least.1)..=cell(most.1).min(EDGE - 1) {
            let steps = &mut self.steps[row * STEPS..(row + 1) * STEPS];
            let mut covered = 0.0;
            for (x, step) in steps.iter().enumerate().take(last + 1).skip(first) {
                covered += step;
                if covered != 0.0 {
                    each(row * EDGE + x, covered);
                }
            }
            steps.fill(0.0);
        }
    }
}

/// Part of an edge in one row of cells, from `west` to `east`, that covers `height` of what lies
/// east of it.
fn add_in_row(steps: &mut [f64], west: f64, east: f64, height: f64) {
    let edge = f64::from(CELLS_PER_EDGE);
    let width = east - west;
    // What the steps up to a place sum to is what lies covered of the cells before it.
    let covered = |x: f64| {
        // The mean over the edge's part of how far `x` is east of it.
        if width <= 0.0 {
            (x - west).max(0.0)
        } else {
            let reached = (x - west).clamp(0.0, width);
            reached * reached / (2.0 * width) + (x - east).max(0.0)
        }
    };
    let from = west.clamp(0.0, edge).floor();
    let upto = east.clamp(0.0, edge).floor();
    let mut x = from;
    // Of each cell the area covered; its steps are differences of these.
    let mut before = 0.0;
    while x <= upto {
        let of_cell = height * (covered(x + 1.0) - covered(x));
        add_step(steps, x, of_cell - before);
        before = of_cell;
        x += 1.0;
    }
    // East of the edge's part cells are covered over their whole width.
    add_step(steps, x, height - before);
}

fn add_step(steps: &mut [f64], x: f64, step: f64) {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 129"
    )]
    if let Some(slot) = steps.get_mut(x as usize) {
        *slot += step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::density::areas::tests::{CORNER, level, partition};
    use crate::geometry::{MultiPolygon, Polygon};

    /// The ring's signed area in a box, by cutting it at each side in turn.
    fn area_in(ring: &[(f64, f64)], west: f64, north: f64, edge: f64) -> f64 {
        let mut ring = ring.to_vec();
        let sides: [(usize, f64, f64); 4] = [
            (0, west, 1.0),
            (0, west + edge, -1.0),
            (1, north, 1.0),
            (1, north + edge, -1.0),
        ];
        for (axis, limit, sign) in sides {
            let inside = |p: &(f64, f64)| {
                let v = if axis == 0 { p.0 } else { p.1 };
                sign * (v - limit)
            };
            let mut cut = Vec::new();
            for (a, b) in ring.iter().zip(ring.iter().cycle().skip(1)) {
                let (da, db) = (inside(a), inside(b));
                if da >= 0.0 {
                    cut.push(*a);
                }
                if (da > 0.0 && db < 0.0) || (da < 0.0 && db > 0.0) {
                    let t = da / (da - db);
                    cut.push((a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1)));
                }
            }
            ring = cut;
        }
        let next = ring.iter().cycle().skip(1);
        let twice: f64 = ring
            .iter()
            .zip(next)
            .map(|(a, b)| a.0 * b.1 - b.0 * a.1)
            .sum();
        twice / 2.0
    }

    /// Seen from a place nearby: products of the world's coordinates have more digits than a
    /// double.
    fn rings(shape: &MultiPolygon, [x, y]: [f64; 2]) -> Vec<Vec<(f64, f64)>> {
        let rings = shape.iter().flat_map(Polygon::rings);
        let places = |ring: &Vec<crate::geometry::Vertex>| {
            let place = |v: &crate::geometry::Vertex| (f64::from(v.x) - x, f64::from(v.y) - y);
            ring.iter().map(place).collect()
        };
        rings.map(places).collect()
    }

    /// The share of a row's area that lies in a box.
    fn share(level: &Level, row: usize, west: f64, north: f64, edge: f64) -> f64 {
        let rings = rings(&level.geometry(row).expect("sound"), [west, north]);
        let part = |west: f64, north: f64, edge: f64| -> f64 {
            let areas = rings.iter().map(|ring| area_in(ring, west, north, edge));
            areas.sum()
        };
        part(0.0, 0.0, edge) / part(-2e9, -2e9, 4e9)
    }

    #[test]
    fn areas_are_shared_by_the_ground_they_have_in_each_cell() {
        let moves: Vec<(i32, i32)> = (0..29)
            .map(|i| (i * 7919 % 61 - 30, i * 104_729 % 61 - 30))
            .collect();
        let mut shapes = partition(&moves);
        for polygon in shapes.iter_mut().flatten() {
            let exterior = std::iter::once(&mut polygon.exterior);
            for vertex in exterior.chain(&mut polygon.holes).flatten() {
                vertex.x = CORNER + (vertex.x - CORNER) * 20;
                vertex.y = CORNER + (vertex.y - CORNER) * 20;
            }
        }
        let level = level(shapes);
        let mut values: Vec<f64> = (0_u32..)
            .take(level.rows())
            .map(|row| f64::from(10 + row))
            .collect();
        values[3] = f64::NAN;
        let permitted = |row: usize| row != 5;
        let expected: f64 = (0..level.rows())
            .filter(|row| permitted(*row))
            .map(|row| values[row])
            .filter(|value| !value.is_nan())
            .sum();
        for z in [3_u8, 12, 16, 18] {
            let at = |v: i32| v.cast_unsigned() >> (30 - u32::from(z));
            let (mut sum, mut checked) = (0.0, 0);
            for x in at(CORNER - 1_000)..=at(CORNER + 26_000) {
                for y in at(CORNER - 1_000)..=at(CORNER + 26_000) {
                    let tile = TileCoord::new(z, x, y).expect("inside");
                    let figures = spread(&level, &values, &permitted, tile).expect("sound");
                    sum += figures.iter().sum::<f64>();
                    let grid = Grid::of(tile);
                    for (cell, figure) in figures.iter().enumerate().step_by(67) {
                        let at = |corner: i32, cell: usize| {
                            let cell = i32::try_from(cell).expect("small");
                            f64::from(corner + grid.cell * cell)
                        };
                        let west = at(grid.corner[0], cell % EDGE);
                        let north = at(grid.corner[1], cell / EDGE);
                        let edge = f64::from(grid.cell);
                        let scanned: f64 = (0..level.rows())
                            .filter(|row| permitted(*row) && !values[*row].is_nan())
                            .map(|row| values[row] * share(&level, row, west, north, edge))
                            .sum();
                        assert!(
                            (figure - scanned).abs() < 1e-6,
                            "{z} {cell}: {figure} {scanned}"
                        );
                        checked += u32::from(*figure > 0.0);
                    }
                }
            }
            assert!(
                (sum - expected).abs() < 1e-9 * expected,
                "{z}: {sum} {expected}"
            );
            assert!(checked > 0 || z == 3);
        }
    }
}
