//! How far a coverage is from a partition: what no unit covers, and what several do.
//!
//! Arcs that are walked both ways cancel out; those that are left bound the places where the
//! number of units changes. In a clean coverage that is its outline.

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use tilecore::geometry::{GridPoint, WORLD_CELLS};
use tilecore::mercator::HALF_WORLD_M;

use super::Coverage;
use super::repair::union;
use super::rings::{Loop, double_area};
use super::stitch::{stitch, walks};

/// Defects named one by one in a report.
const EXAMPLES: usize = 10;

/// How far a coverage is from a partition. Shares are of the area its units cover.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Defects {
    /// The area of holes between two units or more; a hole in one unit is a lake, not a gap.
    pub gap_share: f64,
    /// The area that more than one unit covers.
    pub overlap_share: f64,
    /// The units' areas together, in EPSG:3857 m².
    pub units_m2: f64,
    pub gaps: usize,
    pub overlaps: usize,
    /// The largest gaps.
    pub worst_gaps: Vec<Defect>,
    /// The largest overlaps.
    pub worst_overlaps: Vec<Defect>,
    /// Vertices that were added or moved to bring neighbours together that were drawn apart.
    pub joined_vertices: usize,
    /// Slivers between units of one group that were filled when they were merged.
    pub filled_slivers: usize,
}

/// A gap or an overlap.
#[derive(Debug, Clone, PartialEq)]
pub struct Defect {
    /// Units beside a gap, or that make an overlap; sorted.
    pub units: Vec<usize>,
    /// In EPSG:3857 m².
    pub area_m2: f64,
    /// A place at its edge.
    pub at: GridPoint,
}

pub(super) fn measure(coverage: &Coverage) -> Defects {
    let nets = nets(coverage);
    let walks = walks(nets.iter().copied().enumerate());
    let rings = stitch(&coverage.arcs, &walks);
    let covered = union(rings.iter().map(Vec::as_slice));
    let covered_area: i128 = covered.iter().flatten().map(|ring| double_area(ring)).sum();
    let mut defects = Defects {
        joined_vertices: coverage.joined,
        filled_slivers: coverage.filled,
        ..Defects::default()
    };
    if covered_area == 0 {
        return defects;
    }
    let share = |regions: &[Region]| {
        square_metres(regions.iter().map(|region| region.area).sum()) / square_metres(covered_area)
    };

    let gaps = gaps(coverage, &nets, &covered);
    defects.gaps = gaps.len();
    defects.gap_share = share(&gaps);
    defects.worst_gaps = gaps.iter().take(EXAMPLES).map(Region::defect).collect();

    // Without overlaps, the units' areas add up to what they cover.
    let total: i128 = rings.iter().map(|ring| double_area(ring)).sum();
    defects.units_m2 = square_metres(total);
    if total != covered_area {
        let mut overlaps = overlaps(&rings);
        defects.overlaps = overlaps.len();
        defects.overlap_share = share(&overlaps);
        overlaps.truncate(EXAMPLES);
        name_units(coverage, &mut overlaps);
        defects.worst_overlaps = overlaps.iter().map(Region::defect).collect();
    }
    defects
}

/// A gap or an overlap before it is reported.
struct Region {
    rings: Vec<Loop>,
    /// Twice the area in cells².
    area: i128,
    units: Vec<usize>,
}

impl Region {
    fn defect(&self) -> Defect {
        let points = self.rings.iter().flatten().copied();
        Defect {
            units: self.units.clone(),
            area_m2: square_metres(self.area),
            at: points.min().unwrap_or(GridPoint { x: 0, y: 0 }),
        }
    }
}

/// The largest first.
fn sort(regions: &mut [Region]) {
    regions.sort_by_cached_key(|region| {
        (
            std::cmp::Reverse(region.area),
            region.rings[0].iter().min().copied(),
        )
    });
}

/// By arc, the walks in its direction less those against it.
fn nets(coverage: &Coverage) -> Vec<i32> {
    let mut nets = vec![0; coverage.arcs.len()];
    for walk in &coverage.layout.uses {
        nets[walk.arc()] += if walk.reversed() { -1 } else { 1 };
    }
    nets
}

/// Holes in what is covered, with at least two units around them.
fn gaps(coverage: &Coverage, nets: &[i32], covered: &[Vec<Loop>]) -> Vec<Region> {
    let holes: Vec<&Loop> = covered.iter().flat_map(|polygon| &polygon[1..]).collect();
    let mut holes_at: FxHashMap<GridPoint, Vec<usize>> = FxHashMap::default();
    for (hole, ring) in holes.iter().enumerate() {
        for &point in *ring {
            holes_at.entry(point).or_default().push(hole);
        }
    }
    let mut around: Vec<(usize, usize)> = (0..coverage.layout.units())
        .into_par_iter()
        .flat_map_iter(|unit| {
            let layout = &coverage.layout;
            let walks = layout
                .rings_of_unit(unit)
                .flat_map(|ring| layout.uses_of_ring(ring));
            let open = walks.filter(|walk| nets[walk.arc()] != 0);
            let points =
                open.flat_map(|walk| &coverage.arcs.points[coverage.arcs.span(walk.arc())]);
            let holes = points.filter_map(|point| holes_at.get(point)).flatten();
            holes.map(move |hole| (*hole, unit))
        })
        .collect();
    around.par_sort_unstable();
    around.dedup();
    let mut gaps: Vec<Region> = around
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|units| units.len() > 1)
        .map(|units| {
            let ring = holes[units[0].0];
            Region {
                area: double_area(ring).abs(),
                rings: vec![ring.clone()],
                units: units.iter().map(|pair| pair.1).collect(),
            }
        })
        .collect();
    sort(&mut gaps);
    gaps
}

/// Where at least two units are: the winding number less one is positive.
fn overlaps(rings: &[Loop]) -> Vec<Region> {
    let world = [
        (0, 0),
        (0, WORLD_CELLS),
        (WORLD_CELLS, WORLD_CELLS),
        (WORLD_CELLS, 0),
    ];
    let world: Loop = world.map(|(x, y)| GridPoint { x, y }).to_vec();
    let rings = rings.iter().chain(std::iter::once(&world));
    let mut overlaps: Vec<Region> = union(rings.map(Vec::as_slice))
        .into_iter()
        .map(|rings| Region {
            area: rings.iter().map(|ring| double_area(ring)).sum(),
            rings,
            units: Vec::new(),
        })
        .collect();
    sort(&mut overlaps);
    overlaps
}

/// Finds the units that contain a point of each region.
fn name_units(coverage: &Coverage, regions: &mut [Region]) {
    let probes: Vec<(f64, f64)> = regions.iter().map(|region| inside(&region.rings)).collect();
    let layout = &coverage.layout;
    let named: Vec<(usize, usize)> = (0..layout.units())
        .into_par_iter()
        .flat_map_iter(|unit| {
            let rings = layout.rings_of_unit(unit);
            let mut crossed = vec![false; probes.len()];
            for ring in rings {
                let ring: Loop = coverage.points(ring).collect();
                for (crossed, probe) in crossed.iter_mut().zip(&probes) {
                    *crossed ^= crossings(&ring, probe.1).filter(|x| *x > probe.0).count() % 2 == 1;
                }
            }
            let within = crossed
                .into_iter()
                .enumerate()
                .filter(|(_, inside)| *inside);
            within
                .map(move |(region, _)| (region, unit))
                .collect::<Vec<_>>()
        })
        .collect();
    for (region, unit) in named {
        regions[region].units.push(unit);
    }
    for region in regions {
        region.units.sort_unstable();
    }
}

/// A point in a polygon: on the row half a cell below its middle, amid the widest stretch.
fn inside(rings: &[Loop]) -> (f64, f64) {
    let rows = || rings.iter().flatten().map(|p| p.y);
    let (low, high) = (rows().min().unwrap_or(0), rows().max().unwrap_or(0));
    let y = f64::from(low.midpoint(high)) + 0.5;
    let mut at: Vec<f64> = rings.iter().flat_map(|ring| crossings(ring, y)).collect();
    at.sort_unstable_by(f64::total_cmp);
    let widest = at
        .chunks_exact(2)
        .max_by(|a, b| (a[1] - a[0]).total_cmp(&(b[1] - b[0])));
    (
        widest.map_or(0.0, |ends| f64::midpoint(ends[0], ends[1])),
        y,
    )
}

/// Where a ring crosses a row between two rows of cells.
fn crossings(ring: &[GridPoint], y: f64) -> impl Iterator<Item = f64> {
    let next = ring.iter().cycle().skip(1);
    ring.iter().zip(next).filter_map(move |(a, b)| {
        let (ay, by) = (f64::from(a.y), f64::from(b.y));
        ((ay > y) != (by > y)).then(|| {
            let (ax, bx) = (f64::from(a.x), f64::from(b.x));
            ax + (y - ay) / (by - ay) * (bx - ax)
        })
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "areas are reported to a few digits"
)]
fn square_metres(double_area: i128) -> f64 {
    let cell = 2.0 * HALF_WORLD_M / f64::from(WORLD_CELLS);
    double_area as f64 / 2.0 * cell * cell
}
