use super::super::rings::tests::rings;
use super::super::rings::tidy;
use super::*;

fn check(input: &str, expected: Option<Defect>) {
    let (tidied, _) = tidy(&rings(input)).unwrap();
    assert_eq!(defect(&tidied), expected, "{input}");
}

#[test]
fn valid() {
    check("0 0,1 0,1 1,0 0", None);
    check("0 0,9 0,9 9,0 9,0 0|1 1,2 1,2 2,1 1", None);
    // A hole that touches its exterior once, at a vertex and in the middle of an edge.
    check("0 0,9 0,9 9,0 9,0 0|0 0,2 1,2 2,0 0", None);
    check("0 0,9 0,9 9,0 9,0 0|0 5,2 4,2 6,0 5", None);
    // Two holes that touch once.
    check("0 0,9 0,9 9,0 9,0 0|1 1,3 1,3 3,1 1|3 3,5 3,5 5,3 3", None);
    // A part in the hole of another, touching it.
    check(
        "0 0,9 0,9 9,0 9,0 0|1 1,8 1,8 8,1 8,1 1&2 2,3 2,3 3,2 2",
        None,
    );
    check(
        "0 0,9 0,9 9,0 9,0 0|1 1,8 1,8 8,1 8,1 1&1 1,3 2,2 3,1 1",
        None,
    );
    // Parts that touch at two points leave room between.
    check("0 0,4 0,0 4,0 0&4 0,4 4,0 4,3 3,4 0", None);
    // A part all of whose vertices touch another, outside it and inside it.
    check("0 0,9 0,6 3,5 5,6 7,9 9,0 9,0 0&9 0,9 9,5 5,9 0", None);
    let octagon = "3 0,6 0,9 3,9 6,6 9,3 9,0 6,0 3,3 0";
    check(
        &format!("{octagon}&3 0,9 3,3 9,3 0"),
        Some(Defect::PartsOverlap),
    );
    check(
        &format!("{octagon}&3 0,3 9,9 3,3 0"),
        Some(Defect::PartsOverlap),
    );
    // Wound either way.
    check("0 0,0 9,9 9,9 0,0 0|1 1,1 2,2 2,1 1", None);
    // Collinear vertices.
    check("0 0,1 0,2 0,3 0,3 3,0 3,0 0", None);
}

#[test]
fn invalid() {
    check("0 0,2 2,2 0,0 2,0 0", Some(Defect::SelfIntersection));
    check("0 0,5 0,5 5,9 9,5 5,0 5,0 0", Some(Defect::SelfTouch));
    check("0 0,5 0,9 0,5 0,5 5,0 0", Some(Defect::SelfTouch));
    check("0 0,1 0,2 0,0 0", Some(Defect::Spike));
    check("0 0,4 0,4 4,2 0,0 4,0 0", Some(Defect::SelfTouch));
    check("0 0,4 0,4 4,2 2,0 4,0 2,2 2,0 0", Some(Defect::SelfTouch));
    check(
        "0 0,9 0,9 9,0 9,0 0|5 5,12 5,12 6,5 6,5 5",
        Some(Defect::RingsCross),
    );
    check(
        "0 0,9 0,9 9,0 9,0 0|0 0,9 0,9 9,0 9,0 0",
        Some(Defect::RingsCross),
    );
    check(
        "0 0,9 0,9 9,0 9,0 0|0 1,2 1,2 2,0 2,0 1",
        Some(Defect::RingsCross),
    );
    check(
        "0 0,9 0,9 9,0 9,0 0|10 1,12 1,12 2,10 1",
        Some(Defect::HoleOutside),
    );
    check(
        "0 0,9 0,9 9,0 9,0 0|1 1,8 1,8 8,1 1|3 2,4 2,4 3,3 2",
        Some(Defect::HolesNested),
    );
    check(
        "0 0,9 0,9 9,0 9,0 0|0 5,4 4,9 5,4 6,0 5",
        Some(Defect::InteriorSplit),
    );
    check(
        "0 0,9 0,9 9,0 9,0 0|0 5,2 4,4 5,2 6,0 5|4 5,6 4,9 5,6 6,4 5",
        Some(Defect::InteriorSplit),
    );
    check(
        "0 0,9 0,9 9,0 9,0 0&1 1,2 1,2 2,1 1",
        Some(Defect::PartsOverlap),
    );
    check(
        "0 0,9 0,9 9,0 9,0 0&0 0,9 0,9 9,0 9,0 0",
        Some(Defect::PartsOverlap),
    );
    check(
        "0 0,4 0,4 4,0 4,0 0&4 0,8 0,8 4,4 4,4 0",
        Some(Defect::PartsOverlap),
    );
    // Rings that cross exactly at a vertex of both.
    check(
        "0 0,4 0,4 4,2 2,0 4,0 0&2 0,3 1,2 2,2 5,1 3,2 0",
        Some(Defect::PartsOverlap),
    );
}

#[test]
fn long_rings_are_quick_to_judge() {
    // A spiral of square turns: boxes of far runs all meet.
    let mut spiral = Rings::default();
    let turns = 2_000;
    let outward = (0..turns).flat_map(|t| {
        let r = f64::from(t) * 2.0 + 2.0;
        [(-r, -r), (r, -r), (r, r), (-r - 2.0, r)]
    });
    let corners: Vec<(f64, f64)> = outward.collect();
    for (x, y) in &corners {
        spiral.push(*x, *y);
    }
    for (x, y) in corners.iter().rev() {
        spiral.push(x * 1.0 - x.signum() * 0.5, y - y.signum() * 0.5);
    }
    spiral.end_ring();
    spiral.end_polygon();
    let (spiral, _) = tidy(&spiral).unwrap();
    assert_eq!(defect(&spiral), None);

    // A star of long chords has a crossing at once, and too many to repair.
    let mut star = Rings::default();
    for i in 0..20_001_u32 {
        let angle = f64::from(i) * 0.999 * std::f64::consts::PI;
        star.push(angle.cos() * 1e3, angle.sin() * 1e3);
    }
    star.end_ring();
    star.end_polygon();
    let (star, _) = tidy(&star).unwrap();
    assert_eq!(defect(&star), Some(Defect::SelfIntersection));
    assert_eq!(count_meetings(&star, 1_000_000), None);
}

#[test]
fn a_ring_of_two_million_vertices_is_judged() {
    let mut ring = Rings::default();
    let count = 2_000_000_u32;
    for i in 0..count {
        let angle = f64::from(i) / f64::from(count) * std::f64::consts::TAU;
        let radius = 1e6 + (angle * 9_973.0).sin() * 1e3;
        ring.push(radius * angle.cos(), radius * angle.sin());
    }
    ring.end_ring();
    ring.end_polygon();
    let (ring, _) = tidy(&ring).unwrap();
    assert_eq!(defect(&ring), None);
}

/// Seeded small polygons whose integer vertices meet, touch and overlap in every way.
fn small_polygons(count: usize) -> Vec<Rings> {
    let mut seed = 88_172_645_463_325_252_u64;
    let mut below = move |limit: u32| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        u32::try_from((seed >> 11) % u64::from(limit)).expect("below a u32")
    };
    let mut all = Vec::new();
    while all.len() < count {
        let mut raw = Rings::default();
        let (polygons, size) = (1 + below(2), 4 + below(6));
        for _ in 0..polygons {
            for _ in 0..=below(3) {
                for _ in 0..3 + below(4) {
                    let x = below(size);
                    raw.push(f64::from(x), f64::from(below(size)));
                }
                raw.end_ring();
            }
            raw.end_polygon();
        }
        all.extend(tidy(&raw).ok().map(|(tidied, _)| tidied));
    }
    all
}

/// One bit a polygon of [`small_polygons`], low bits first: GEOS 3.14 finds it valid.
const VALID_BY_GEOS: &str = "\
    00000004011000820000002000000080001200060000005800201080002090001000000021800e0520a40021\
    00200200000140041000000083000100080000000004000000100010100100040000200000010400a1400000\
    0020200000004001011010200000000000240000040000000000062010000000000080100040104020400000\
    0200000240002000024002000104208420400000008200000000800024012080012120000000342020400000\
    18012002000000100001000050081003a80014034001000000008080021000a000401000010a041012000620\
    7020000484020021024080000020010809020220000008000150004040000028000041001088200080020c00\
    0405060220000100000044808100000000100000010040004040000084108000000048000800000020000002\
    08008000000040000000000201a8000800000000000240100280000000000002000000120080002c80000000\
    050000000000110800404100000800001040141000040004001000080820000404000000320a000800000000\
    0400000208080000000001440240000008200000001004028100000000000186000000080100a00000008008\
    004000000001000010000000000080000008000400008000000100000002011000102800a400086820020013\
    000000000c00000000000040400128410a0810000280280000000000\
";

#[test]
fn agrees_with_geos() {
    let verdicts = VALID_BY_GEOS.bytes().flat_map(|digit| {
        let bits = char::from(digit).to_digit(16).expect("a hexadecimal digit");
        (0..4).map(move |bit| bits >> bit & 1 == 1)
    });
    let polygons = small_polygons(VALID_BY_GEOS.len() * 4);
    for (polygon, is_valid) in polygons.iter().zip(verdicts) {
        let found = defect(polygon);
        assert_eq!(found.is_none(), is_valid, "{found:?} {polygon:?}");
    }
}
