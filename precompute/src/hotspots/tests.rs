use proptest::prelude::*;

use super::neighbours::of_pairs;
use super::*;

/// A lattice of five rows by four with corners shared, and an island.
fn lattice() -> (Vec<f64>, Neighbours) {
    let mut pairs = Vec::new();
    for a in 0..20_u32 {
        for b in a + 1..20 {
            let (rows, columns) = ((a / 4).abs_diff(b / 4), (a % 4).abs_diff(b % 4));
            if rows <= 1 && columns <= 1 {
                pairs.push((a, b));
            }
        }
    }
    let mut values: Vec<f64> = (0..20_u32)
        .map(|i| {
            let base = f64::from((i * i * 7 + 3 * i + 5) % 23) / 10.0;
            base + if i % 4 < 2 { 2.5 } else { 0.4 }
        })
        .collect();
    values.push(9.5);
    (values, of_pairs(&pairs, 21))
}

/// `G_Local(y, w, transform="B", star=True).Zs` of esda 2 over the lattice.
const ESDA_GI: [f64; 21] = [
    0.852_247_221_666_427_2,
    0.420_653_166_845_294_1,
    -0.934_371_193_612_110_3,
    -1.605_993_508_165_376,
    0.993_932_703_961_887_9,
    0.540_321_464_754_825_1,
    -1.338_909_793_166_041,
    -1.846_406_820_843_056,
    1.046_049_025_517_942,
    0.587_896_939_638_897_4,
    -1.338_909_793_166_041,
    -1.663_999_695_396_867,
    0.759_409_256_959_644,
    -0.101_947_446_180_154_3,
    -1.529_211_692_702_331,
    -1.820_348_660_065_029,
    0.582_440_312_294_643_8,
    -0.282_917_174_161_435_9,
    -1.142_836_479_836_326,
    -1.576_014_962_679_622,
    3.640_431_818_670_776,
];

/// `Moran_Local(y, w).Is`; esda gives the island 0, which says that it has no pattern.
const ESDA_MORAN: [f64; 20] = [
    0.022_924_610_103_457_74,
    0.033_401_038_140_374_69,
    0.142_156_338_714_083_7,
    0.605_779_852_474_788_7,
    0.162_277_732_245_305_3,
    0.039_553_860_955_706_86,
    0.060_756_155_792_324_34,
    0.656_415_921_319_887_2,
    0.204_183_444_392_973_1,
    -0.031_847_984_891_137_79,
    0.060_756_155_792_324_35,
    0.409_222_107_401_204_3,
    0.110_643_908_349_071_8,
    -0.011_425_186_218_189_34,
    0.183_396_880_827_661_5,
    0.352_516_361_995_034_9,
    0.015_441_447_219_945_62,
    -0.044_423_855_848_151_17,
    0.279_513_950_753_661_3,
    0.476_210_272_917_681,
];

/// `(I − EIc) / √VIc` of the same, in the scale of its moments, of units 0, 3, 9 and 18.
const ESDA_MORAN_Z: [(usize, f64); 4] = [
    (0, 0.912_118_414_729_220_2),
    (3, 1.313_974_784_529_764_5),
    (9, -0.638_860_640_679_117_4),
    (18, 0.787_627_125_245_477_4),
];

#[test]
fn gi_star_is_esda_s() {
    let (values, neighbours) = lattice();
    let found = gi_star(&values, &neighbours);
    for (unit, (found, expected)) in found.iter().zip(ESDA_GI).enumerate() {
        let found = found.expect("every unit has a value");
        assert!(
            (found.statistic - expected).abs() < 1e-9,
            "{unit}: {found:?}"
        );
        assert_eq!(found.high[0], expected > 0.0);
    }
}

#[test]
fn local_moran_is_esda_s_and_an_island_has_none() {
    let (values, neighbours) = lattice();
    let found = local_moran(&values, &neighbours);
    for (unit, expected) in ESDA_MORAN.into_iter().enumerate() {
        let found = found[unit].expect("it has neighbours");
        assert!(
            (found.statistic - expected).abs() < 1e-9,
            "{unit}: {found:?}"
        );
    }
    for (unit, z) in ESDA_MORAN_Z {
        let p = found[unit].expect("it has neighbours").p;
        assert!((p - two_sided(z)).abs() < 1e-9, "{unit}: {p}");
    }
    assert_eq!(found[20], None);
}

#[test]
fn false_discoveries_are_limited_as_in_esda() {
    let p = [
        0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216,
    ];
    assert!((false_discovery(p.into_iter(), 0.05) - 0.01).abs() < 1e-15);
    assert!((false_discovery([0.5, 0.6].into_iter(), 0.05) - 0.025).abs() < 1e-15);
}

#[test]
fn too_little_to_tell_is_missing() {
    let none = of_pairs(&[], 3);
    for values in [[f64::NAN; 3], [1.0; 3], [1.0, f64::NAN, f64::NAN]] {
        assert_eq!(gi_star(&values, &none), [None; 3]);
        assert_eq!(local_moran(&values, &none), [None; 3]);
    }
    assert!(gi_star(&[], &of_pairs(&[], 0)).is_empty());
}

proptest! {
    /// A unit without a value is as good as not there.
    #[test]
    fn missing_values_take_no_part(
        values in prop::collection::vec(0.0..9.0_f64, 6..12),
        pairs in prop::collection::vec((0_u32..6, 0_u32..6), 0..20),
    ) {
        let pairs: Vec<(u32, u32)> = pairs.into_iter().filter(|(a, b)| a != b).collect();
        let n = values.len();
        let alone = gi_star(&values, &of_pairs(&pairs, n));
        let mut more = values.clone();
        more.push(f64::NAN);
        let last = u32::try_from(n).expect("small");
        let joined: Vec<(u32, u32)> = pairs.iter().copied().chain([(0, last)]).collect();
        let beside = gi_star(&more, &of_pairs(&joined, n + 1));
        prop_assert_eq!(&alone[..], &beside[..n]);
        prop_assert_eq!(beside[n], None);
        let moran = local_moran(&values, &of_pairs(&pairs, n));
        prop_assert!(moran.iter().flatten().all(|local| (0.0..=1.0).contains(&local.p)));
    }
}
