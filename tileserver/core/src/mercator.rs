//! Web Mercator: degrees ↔ EPSG:3857 metres ↔ the world grid.
//!
//! Formulas: EPSG Guidance Note 7-2, "Popular Visualisation Pseudo-Mercator" (method 1024).

use std::f64::consts::PI;

use crate::geometry::{GridPoint, WORLD_CELLS};

/// Half the circumference of the sphere of EPSG:3857, in metres: the limit of x and y.
pub const HALF_WORLD_M: f64 = PI * 6_378_137.0;

/// The latitude at which EPSG:3857 is square, in degrees.
pub const LATITUDE_MAX: f64 = 85.051_128_779_806_6;

/// EPSG:3857 metres of a longitude and latitude in degrees; the latitude is clamped to ±85.0511°.
#[must_use]
pub fn metres_from_degrees(lon: f64, lat: f64) -> (f64, f64) {
    let lat = lat.clamp(-LATITUDE_MAX, LATITUDE_MAX);
    let x = lon / 180.0 * HALF_WORLD_M;
    let y = (PI / 4.0 + lat.to_radians() / 2.0).tan().ln() / PI * HALF_WORLD_M;
    (x, y)
}

/// Longitude and latitude in degrees of EPSG:3857 metres.
#[must_use]
pub fn degrees_from_metres(x: f64, y: f64) -> (f64, f64) {
    let lon = x / HALF_WORLD_M * 180.0;
    let lat = (2.0 * (y / HALF_WORLD_M * PI).exp().atan() - PI / 2.0).to_degrees();
    (lon, lat)
}

/// The nearest grid point of EPSG:3857 metres, clamped to the world.
#[must_use]
pub fn grid_from_metres(x: f64, y: f64) -> GridPoint {
    GridPoint {
        x: cell(x / HALF_WORLD_M),
        y: cell(-y / HALF_WORLD_M),
    }
}

/// EPSG:3857 metres of a grid coordinate pair. [`grid_from_metres`] gives it back exactly.
#[must_use]
pub fn metres_from_grid(p: GridPoint) -> (f64, f64) {
    let half = f64::from(WORLD_CELLS) / 2.0;
    (
        (f64::from(p.x) / half - 1.0) * HALF_WORLD_M,
        (1.0 - f64::from(p.y) / half) * HALF_WORLD_M,
    )
}

/// The grid point of a longitude and latitude in degrees.
#[must_use]
pub fn grid_from_degrees(lon: f64, lat: f64) -> GridPoint {
    let (x, y) = metres_from_degrees(lon, lat);
    grid_from_metres(x, y)
}

/// Longitude and latitude in degrees of a grid point.
#[must_use]
pub fn degrees_from_grid(p: GridPoint) -> (f64, f64) {
    let (x, y) = metres_from_grid(p);
    degrees_from_metres(x, y)
}

/// West, south, east, north in degrees of bounds on the grid, whose y runs southwards, together.
#[must_use]
pub fn bounds_in_degrees(bounds: impl IntoIterator<Item = [i32; 4]>) -> Option<[f64; 4]> {
    let [x_min, y_min, x_max, y_max] = bounds.into_iter().reduce(|a, b| {
        [
            a[0].min(b[0]),
            a[1].min(b[1]),
            a[2].max(b[2]),
            a[3].max(b[3]),
        ]
    })?;
    let (west, north) = degrees_from_grid(GridPoint { x: x_min, y: y_min });
    let (east, south) = degrees_from_grid(GridPoint { x: x_max, y: y_max });
    Some([west, south, east, north])
}

/// Maps −1..1 to `0..=WORLD_CELLS`; NaN becomes 0.
#[expect(clippy::cast_possible_truncation, reason = "clamped to the grid first")]
fn cell(unit: f64) -> i32 {
    let cells = f64::from(WORLD_CELLS);
    (f64::midpoint(unit, 1.0) * cells).round().clamp(0.0, cells) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metres_and_grid_are_inverse() {
        for (x, y) in [
            (0, 0),
            (1, WORLD_CELLS),
            (543_210_987, 369_258_147),
            (WORLD_CELLS, 7),
        ] {
            let p = GridPoint { x, y };
            let (mx, my) = metres_from_grid(p);
            assert_eq!(grid_from_metres(mx, my), p);
        }
    }

    #[test]
    fn known_point() {
        // Notre-Dame de Paris, against cs2cs EPSG:4326 EPSG:3857.
        let (x, y) = metres_from_degrees(2.35, 48.853);
        assert!((x - 261_600.803).abs() < 1e-3, "{x}");
        assert!((y - 6_249_955.279).abs() < 1e-3, "{y}");
        let (lon, lat) = degrees_from_metres(x, y);
        assert!((lon - 2.35).abs() < 1e-12 && (lat - 48.853).abs() < 1e-12);
    }
}
