//! Where a map of a layer opens: where nearly all units are, however far away the others lie. A country
//! with lands overseas would else open on the ocean between them.

/// Cells along the extent's longer side; units in cells that touch lie together.
const SIDE: u8 = 32;
const CELLS: usize = SIDE as usize;

/// A unit stands in all cells of its bounds, unless it has parts as far apart as that.
const CELLS_MAX: usize = 4;

/// Of all units, how many lie together at least.
const SHARE: f64 = 0.9;

/// Of the extent's longer side, what they take less than.
const SPAN: f64 = 0.5;

/// The bounds of most units where they leave most of the extent empty, on the world grid; `units` are
/// bounds too.
#[must_use]
pub fn home(units: &[[i32; 4]]) -> Option<[i32; 4]> {
    let extent = units.iter().copied().reduce(union)?;
    let grid = Grid::over(extent);
    let together = grid.numbered(units);
    let group = |unit: &[i32; 4]| together[grid.cell(middle(unit))];
    let mut sizes = vec![0_usize; together.len()];
    for unit in units {
        sizes[group(unit)] += 1;
    }
    let largest = (0..sizes.len()).max_by_key(|&number| sizes[number])?;
    let inside = |unit: &&[i32; 4]| group(unit) == largest;
    let bounds = units.iter().filter(inside).copied().reduce(union)?;
    #[expect(clippy::cast_precision_loss, reason = "a share of the units")]
    let share = sizes[largest] as f64 / units.len() as f64;
    (share >= SHARE && longer_side(bounds) < SPAN * longer_side(extent)).then_some(bounds)
}

/// Cells over an extent.
struct Grid {
    origin: [i64; 2],
    /// Of a cell.
    edge: i64,
}

impl Grid {
    fn over(extent: [i32; 4]) -> Self {
        let [x_min, y_min, x_max, y_max] = extent.map(i64::from);
        let longer = (x_max - x_min).max(y_max - y_min);
        Self {
            origin: [x_min, y_min],
            edge: longer / i64::from(SIDE) + 1,
        }
    }

    /// Column and row of a point of the extent.
    fn place(&self, [x, y]: [i64; 2]) -> [usize; 2] {
        let along = |at: i64, origin: i64| {
            usize::try_from((at - origin) / self.edge).map_or(0, |cell| cell.min(CELLS - 1))
        };
        [along(x, self.origin[0]), along(y, self.origin[1])]
    }

    fn cell(&self, point: [i64; 2]) -> usize {
        let [column, row] = self.place(point);
        row * CELLS + column
    }

    /// By cell a number that cells have in common which are joined by others that units stand in.
    fn numbered(&self, units: &[[i32; 4]]) -> Vec<usize> {
        let mut taken = vec![false; CELLS * CELLS];
        for unit in units {
            let [x_min, y_min, x_max, y_max] = unit.map(i64::from);
            let [left, top] = self.place([x_min, y_min]);
            let [right, bottom] = self.place([x_max, y_max]);
            taken[self.cell(middle(unit))] = true;
            if right - left < CELLS_MAX && bottom - top < CELLS_MAX {
                for row in top..=bottom {
                    taken[row * CELLS + left..=row * CELLS + right].fill(true);
                }
            }
        }
        let mut numbers: Vec<usize> = (0..taken.len()).collect();
        let mut seen = vec![false; taken.len()];
        let mut next = Vec::new();
        for first in 0..taken.len() {
            next.push(first);
            while let Some(cell) = next.pop() {
                if !taken[cell] || std::mem::replace(&mut seen[cell], true) {
                    continue;
                }
                numbers[cell] = first;
                let (column, row) = (cell % CELLS, cell / CELLS);
                for row in row.saturating_sub(1)..=(row + 1).min(CELLS - 1) {
                    let columns = column.saturating_sub(1)..=(column + 1).min(CELLS - 1);
                    next.extend(columns.map(|column| row * CELLS + column));
                }
            }
        }
        numbers
    }
}

fn middle(&[x_min, y_min, x_max, y_max]: &[i32; 4]) -> [i64; 2] {
    [[x_min, x_max], [y_min, y_max]].map(|[a, b]| i64::midpoint(a.into(), b.into()))
}

fn union(a: [i32; 4], b: [i32; 4]) -> [i32; 4] {
    [
        a[0].min(b[0]),
        a[1].min(b[1]),
        a[2].max(b[2]),
        a[3].max(b[3]),
    ]
}

fn longer_side(bounds: [i32; 4]) -> f64 {
    let [x_min, y_min, x_max, y_max] = bounds.map(f64::from);
    (x_max - x_min).max(y_max - y_min)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Squares side by side, `count` each way.
    fn land(x: i32, y: i32, count: i32) -> Vec<[i32; 4]> {
        let square = |i: i32| {
            let (x, y) = (x + 10 * (i % count), y + 10 * (i / count));
            [x, y, x + 10, y + 10]
        };
        (0..count * count).map(square).collect()
    }

    #[test]
    fn a_compact_land_is_shown_whole() {
        assert_eq!(home(&[]), None);
        assert_eq!(home(&[[5, 5, 5, 5]]), None);
        assert_eq!(home(&land(0, 0, 40)), None);
        // An island before the coast belongs to it.
        let mut coast = land(0, 0, 40);
        coast.push([420, 0, 430, 10]);
        assert_eq!(home(&coast), None);
    }

    #[test]
    fn lands_overseas_are_left_out() {
        let main = land(9_000, 3_000, 40);
        let mut all = main.clone();
        all.extend([[0, 8_000, 60, 8_030], [20_000, 12_000, 20_040, 12_050]]);
        assert_eq!(home(&all), Some([9_000, 3_000, 9_400, 3_400]));
        // So is a unit with parts here and there, whose bounds hold both.
        all.push([0, 3_000, 20_000, 12_000]);
        assert_eq!(home(&all), Some([9_000, 3_000, 9_400, 3_400]));
    }

    #[test]
    fn no_land_is_left_out_that_holds_a_tenth() {
        let mut all = land(0, 0, 40);
        all.extend(land(20_000, 12_000, 14));
        assert_eq!(home(&all), None);
    }

    #[test]
    fn large_units_lie_together_where_they_touch() {
        let mut all: Vec<[i32; 4]> = (0..30)
            .map(|i| {
                [
                    i % 6 * 1_500,
                    i / 6 * 1_500,
                    i % 6 * 1_500 + 1_500,
                    i / 6 * 1_500 + 1_500,
                ]
            })
            .collect();
        all.push([31_000, 20_000, 31_100, 20_100]);
        assert_eq!(home(&all), Some([0, 0, 9_000, 7_500]));
    }
}
