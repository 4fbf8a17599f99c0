use proptest::prelude::*;

use super::*;
use crate::dataset::columns::{Column, Numbers, Texts};
use crate::dataset::schema::Kind;
use crate::filter::{Queryable, Queryables};

struct Town {
    columns: Vec<(&'static str, Column)>,
    rows: usize,
}

impl Town {
    fn new(columns: &[(&'static str, &[Option<f64>])]) -> Self {
        let rows = columns.first().map_or(0, |(_, values)| values.len());
        let numbers = |values: &[Option<f64>]| values.iter().copied().collect::<Numbers>();
        let columns = columns
            .iter()
            .map(|(name, v)| (*name, Column::Number(numbers(v))));
        Self {
            columns: columns.collect(),
            rows,
        }
    }
}

impl Table for Town {
    fn rows(&self) -> usize {
        self.rows
    }

    fn column(&self, name: &str) -> Option<&Column> {
        let found = self.columns.iter().find(|(n, _)| *n == name);
        found.map(|(_, column)| column)
    }
}

fn queryables() -> Queryables {
    let number = |name| Queryable::new(name, Kind::Number);
    let names = ["abstention", "income", "c", "a:b", "-x"].map(number);
    let mut queryables = Queryables::new(names.to_vec(), false);
    queryables.push(Queryable::new("name", Kind::Text));
    queryables
}

fn weights(text: &str) -> Weights {
    Weights::parse(text, &queryables()).expect(text)
}

fn scores(text: &str, method: Method, town: &Town) -> Scores {
    Scores::of(&weights(text), method, town, &Bitmap::full(town.rows)).expect("columns")
}

fn exact(scores: &Scores, rows: usize) -> Vec<Option<f64>> {
    (0..rows).map(|row| scores.exact(row)).collect()
}

#[test]
fn weights_have_one_text() {
    for (text, canonical) in [
        ("abstention:3,-income:2", "abstention:3,-income:2"),
        (
            " - income : 4.0 , abstention : 6 ",
            "abstention:3,-income:2",
        ),
        ("income", "income:1"),
        ("income:7", "income:1"),
        ("income:0.5,c:1", "c:1,income:0.5"),
        ("a:b:2,c:4", "a:b:1,c:2"),
        ("a:b", "a:b:1"),
        ("-x:2", "-x:1"),
        ("--x", "--x:1"),
    ] {
        assert_eq!(weights(text).canonical(), canonical, "{text}");
        assert_eq!(weights(canonical), weights(text), "{text}");
    }
}

#[test]
fn weights_refused() {
    for (text, position, message) in [
        ("", 0, "empty"),
        ("income,", 7, "empty"),
        ("income,,c", 7, "empty"),
        ("-:2", 0, "empty"),
        ("income:0", 0, "not a weight"),
        ("income:-1", 0, "not a weight"),
        ("income:nan", 0, "not a weight"),
        ("income:1e999", 0, "not a weight"),
        ("income:x", 0, "not a weight"),
        ("c,wealth:2", 2, "unknown property `wealth`"),
        ("name:2", 0, "is text"),
        ("income,c,-income:2", 9, "twice"),
    ] {
        let error = Weights::parse(text, &queryables()).expect_err(text);
        assert_eq!(error.position, position, "{text}");
        assert!(error.to_string().contains(message), "{text}: {error}");
    }
    assert!(Weights::parse(&"income,".repeat(10_000), &queryables()).is_err());
}

#[test]
fn a_town_by_hand() {
    let town = Town::new(&[
        (
            "abstention",
            &[Some(0.2), Some(0.4), Some(0.4), Some(0.6), None],
        ),
        (
            "income",
            &[Some(30.0), Some(20.0), Some(10.0), Some(20.0), Some(5.0)],
        ),
    ]);
    let percentile = scores("abstention:3,-income:1", Method::Percentile, &town);
    // Percentiles 0, 1/2, 1/2, 1 and, of low income, 0, 1/2, 1, 1/2.
    assert_eq!(
        exact(&percentile, 5),
        [Some(0.0), Some(500.0), Some(625.0), Some(875.0), None]
    );
    let ranks: Vec<_> = (0..5).map(|row| percentile.rank(row)).collect();
    assert_eq!(ranks, [Some(4), Some(3), Some(2), Some(1), None]);
    assert_eq!(percentile.unranked(), [4]);
    assert_eq!(percentile.ranked(), 4);
    assert_eq!(percentile.contributions(3), Some(vec![750.0, 125.0]));
    assert_eq!(percentile.contributions(4), None);

    let minmax = scores("abstention:1,-income:1", Method::MinMax, &town);
    assert_eq!(
        exact(&minmax, 5),
        [Some(0.0), Some(500.0), Some(750.0), Some(750.0), None]
    );
    assert_eq!(minmax.rank(2), Some(1));
    assert_eq!(minmax.rank(3), Some(1));
    assert_eq!(minmax.rank(1), Some(3));
    let keys = ["d", "c", "b", "a", "e"];
    assert_eq!(minmax.order(|row| keys[row]), [3, 2, 1, 0]);

    let zscore = scores("abstention:1,-income:1", Method::ZScore, &town);
    assert_eq!((zscore.score(0), zscore.rank(0)), (Some(0), Some(4)));
    let best = (0..4).filter_map(|row| zscore.score(row)).max();
    assert_eq!(best, Some(1000));
}

#[test]
fn topsis_by_hand() {
    // Two criteria, three rows: r = x / sqrt(Σx²), equal weights.
    let town = Town::new(&[
        ("abstention", &[Some(3.0), Some(4.0), Some(0.0)]),
        ("income", &[Some(0.0), Some(6.0), Some(8.0)]),
    ]);
    let topsis = scores("abstention,-income", Method::Topsis, &town);
    let closeness = |d_plus: [f64; 2], d_minus: [f64; 2]| {
        let norm = |d: [f64; 2]| d[0].hypot(d[1]);
        1000.0 * norm(d_minus) / (norm(d_plus) + norm(d_minus))
    };
    let expected = [
        closeness([0.2, 0.0], [0.6, 0.8]),
        closeness([0.0, 0.6], [0.8, 0.2]),
        closeness([0.8, 0.8], [0.0, 0.0]),
    ];
    for (row, expected) in expected.iter().enumerate() {
        let found = topsis.exact(row).expect("ranked");
        assert!((found - expected).abs() < 1e-8, "{row}: {found} {expected}");
    }
}

#[test]
fn nothing_to_tell_apart() {
    for method in Method::ALL {
        let one = Town::new(&[("income", &[Some(7.0)])]);
        assert_eq!(
            scores("income", method, &one).exact(0),
            Some(500.0),
            "{method:?}"
        );
        let same = Town::new(&[("income", &[Some(0.1); 3])]);
        let same = scores("-income", method, &same);
        assert_eq!(exact(&same, 3), [Some(500.0); 3], "{method:?}");
        assert_eq!(same.rank(2), Some(1));
        let none = Town::new(&[("income", &[None, None])]);
        let none = scores("income", method, &none);
        assert_eq!((none.ranked(), none.unranked()), (0, &[0, 1][..]));
        assert_eq!(stability(&none, 1, Noise::default(), &[0]), [None]);
    }
    let town = Town {
        columns: vec![(
            "income",
            Column::Text([Some("x")].into_iter().collect::<Texts>()),
        )],
        rows: 1,
    };
    let error = Scores::of(&weights("income"), Method::Topsis, &town, &Bitmap::full(1));
    assert_eq!(error, Err(ColumnError("income".to_owned())));
}

#[test]
fn only_the_set_counts() {
    let town = Town::new(&[("income", &[Some(1.0), Some(2.0), Some(3.0), Some(1e9)])]);
    let mut set = Bitmap::full(4);
    set.intersect(&Bitmap::from_words(4, vec![0b0111]));
    let scores = Scores::of(&weights("income"), Method::MinMax, &town, &set).expect("columns");
    assert_eq!(
        exact(&scores, 4),
        [Some(0.0), Some(500.0), Some(1000.0), None]
    );
    assert_eq!(scores.unranked(), [0_usize; 0]);
}

#[test]
fn stability_is_certain_where_weights_do_not_matter() {
    let town = Town::new(&[
        ("abstention", &[Some(1.0), Some(2.0), Some(3.0), Some(4.0)]),
        ("income", &[Some(4.0), Some(3.0), Some(2.0), Some(1.0)]),
        ("c", &[Some(1.0), Some(2.0), Some(3.0), Some(4.0)]),
    ]);
    let alike = scores("abstention,c", Method::Percentile, &town);
    let rows = [0, 1, 2, 3];
    let certain = stability(&alike, 2, Noise::default(), &rows);
    assert_eq!(certain, [Some(0.0), Some(0.0), Some(1.0), Some(1.0)]);
    assert_eq!(stability(&alike, 9, Noise::default(), &[0]), [Some(1.0)]);
    assert_eq!(stability(&alike, 0, Noise::default(), &[3]), [Some(0.0)]);

    let torn = scores("abstention,income", Method::Percentile, &town);
    let noise = Noise::default();
    let first = stability(&torn, 1, noise, &rows);
    assert!(
        first[0].is_some_and(|p| (0.3..0.7).contains(&p)),
        "{first:?}"
    );
    assert_eq!(first, stability(&torn, 1, noise, &rows));
    assert_ne!(
        first,
        stability(&torn, 1, Noise { seed: 1, ..noise }, &rows)
    );
    assert_eq!(overlap(&alike, &alike, 2), 2);
    let against = scores("-abstention", Method::Percentile, &town);
    assert_eq!(overlap(&alike, &against, 2), 0);
}

#[test]
fn splits_are_balanced_and_reproducible() {
    let keys: Vec<String> = (0..101).map(|i| format!("unit {i}")).collect();
    let strata = ["town", "country", "suburb"];
    let units: Vec<(&str, &str)> = keys
        .iter()
        .enumerate()
        .map(|(i, key)| (strata[i * i % 7 % 3], key.as_str()))
        .collect();
    for share in [0.0, 0.25, 0.5, 1.0] {
        let treated = split(&units, share, 7);
        let near = |of: &dyn Fn(&str) -> bool| {
            let arms = units
                .iter()
                .zip(&treated)
                .filter(|((stratum, _), _)| of(stratum));
            let arms: Vec<bool> = arms.map(|(_, treated)| *treated).collect();
            let count = arms.iter().filter(|t| **t).count();
            (f64::from(u32::try_from(count).expect("few"))
                - share * f64::from(u32::try_from(arms.len()).expect("few")))
            .abs()
        };
        assert!(near(&|_| true) <= 0.5);
        for stratum in strata {
            assert!(near(&|s| s == stratum) <= 1.0, "{share} {stratum}");
        }
    }
    let mut reversed = units.clone();
    reversed.reverse();
    let mut again = split(&reversed, 0.5, 7);
    again.reverse();
    assert_eq!(again, split(&units, 0.5, 7));
    assert_ne!(split(&units, 0.5, 8), split(&units, 0.5, 7));
    assert!(split(&[], 0.5, 7).is_empty());
}

proptest! {
    #[test]
    fn covers_are_smallest(
        reserves in proptest::collection::vec(prop_oneof![Just(f64::NAN), (-5_i32..30).prop_map(f64::from)], 0..10),
        gap in -3_i32..90,
    ) {
        let gap = f64::from(gap);
        let found = cover(0..reserves.len(), &reserves, gap);
        let sum = |set: u32| -> f64 {
            let held = reserves.iter().enumerate().filter(|(i, _)| set >> i & 1 == 1);
            held.map(|(_, reserve)| if reserve.is_nan() { 0.0 } else { *reserve }).sum()
        };
        let reaching = (0..1_u32 << reserves.len()).filter(|set| sum(*set) >= gap);
        match reaching.map(u32::count_ones).min() {
            Some(fewest) => {
                prop_assert!(found.reached);
                prop_assert_eq!(u32::try_from(found.rows.len()).expect("few"), fewest);
            }
            None => prop_assert!(!found.reached),
        }
    }

    #[test]
    fn scores_keep_their_promises(
        rows in proptest::collection::vec((proptest::option::of(-50_i32..50), proptest::option::of(-50_i32..50)), 0..40),
        scale in prop::sample::select(vec![1e-300, 1.0, 1e300]),
    ) {
        let (a, b): (Vec<_>, Vec<_>) = rows
            .iter()
            .map(|(a, b)| (a.map(|v| f64::from(v) * scale), b.map(|v| f64::from(v) * scale)))
            .unzip();
        let town = Town::new(&[("abstention", &a), ("income", &b)]);
        for method in Method::ALL {
            let scores = scores("abstention:3,-income:2", method, &town);
            prop_assert_eq!(scores.ranked() + scores.unranked().len(), rows.len());
            for row in 0..rows.len() {
                let missing = a[row].is_none() || b[row].is_none();
                prop_assert_eq!(scores.rank(row).is_none(), missing);
                let Some(own) = scores.exact(row) else { continue };
                prop_assert!((0.0..=1000.0).contains(&own), "{:?} {}", method, own);
                let better = (0..rows.len()).filter(|r| scores.exact(*r).is_some_and(|s| s > own));
                prop_assert_eq!(scores.rank(row), u32::try_from(better.count() + 1).ok());
                if method != Method::ZScore {
                    let parts: f64 = scores.contributions(row).expect("ranked").iter().sum();
                    prop_assert!((parts - own).abs() < 1e-6);
                }
                // More of what counts and less of what counts against never ranks lower.
                for other in 0..rows.len() {
                    if a[other] >= a[row] && b[other] <= b[row] && scores.exact(other).is_some() {
                        prop_assert!(scores.rank(other) <= scores.rank(row), "{:?}", method);
                    }
                }
            }
        }
    }
}
