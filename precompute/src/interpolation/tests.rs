use std::path::Path;

use proptest::prelude::*;
use tilecore::geometry::{GridPoint, Polygon, Vertex, WORLD_CELLS};

use super::*;
use crate::addresses::Address;
use crate::project::{IndicatorBlock, Project};

/// About the equator, where a cell is a cell.
const HALF: i32 = WORLD_CELLS / 2;

fn rectangle([west, north, east, south]: [i32; 4]) -> MultiPolygon {
    let corners = [(west, north), (east, north), (east, south), (west, south)];
    let at = |(x, y): (i32, i32)| Vertex {
        x: HALF + x,
        y: HALF + y,
        m: 0,
    };
    vec![Polygon {
        exterior: corners.map(at).to_vec(),
        holes: Vec::new(),
    }]
}

fn address(x: i32, y: i32, weight: f64) -> Address {
    let place = GridPoint {
        x: HALF + x,
        y: HALF + y,
    };
    Address { place, weight }
}

/// Two areas side by side; 12 has no income.
fn figures(values: &[(&str, &[Option<f64>])], columns: &str) -> (IndicatorBlock, BlockColumns) {
    let text = format!(
        r#"
        [dataset]
        name = "d"
        [[layer]]
        name = "l"
        [[layer.level]]
        name = "unit"
        polygons = {{ path = "units.geojson" }}
        key = "code"
        [[layer.indicators]]
        from = "t"
        key = "k"
        interpolate = {{ polygons = {{ path = "areas.geojson" }}, key = "code" }}
        [layer.indicators.columns]
        {columns}
        "#
    );
    let project = Project::parse(&text, Path::new("p.toml"), &|_| None).expect("a project");
    let block = project.layers[0].indicators[0].clone();
    let (definitions, weight) = indicators::define(&block, 0);
    let column = |name: &str| {
        let found = values.iter().find(|(known, _)| *known == name);
        let (_, numbers) = found.unwrap_or_else(|| panic!("no values of {name}"));
        let numbers: Numbers = numbers.iter().copied().collect();
        (name.to_owned(), Column::Number(numbers))
    };
    let levels = vec![
        definitions
            .iter()
            .map(|d| column(&d.indicator.name))
            .collect(),
    ];
    let indicators = definitions.into_iter().map(|d| d.indicator).collect();
    let figures = BlockColumns {
        indicators,
        levels,
        weight,
    };
    (block, figures)
}

const METHOD: Method = Method {
    fr: "selon la surface",
    en: "by the surface of each part",
    areas: 2,
};

/// By name of the column, at a level whose rows are these.
fn spread(
    block: &IndicatorBlock,
    figures: &BlockColumns,
    overlaps: &Overlaps,
    rows: &[Option<usize>],
) -> std::collections::BTreeMap<String, Vec<Option<f64>>> {
    let columns = columns::of_block(block, 0, figures, overlaps, &METHOD).expect("numbers");
    let count = rows.iter().flatten().max().map_or(0, |last| last + 1);
    let spread = Spread::new(overlaps, rows, count);
    columns
        .iter()
        .flat_map(|column| spread.figures(column))
        .collect()
}

fn close(found: &[Option<f64>], expected: &[Option<f64>]) {
    let same = |(a, b): (&Option<f64>, &Option<f64>)| match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1.0),
        (a, b) => a == b,
    };
    assert_eq!(found.len(), expected.len());
    assert!(
        found.iter().zip(expected).all(same),
        "{found:?}, not {expected:?}"
    );
}

const COLUMNS: &str = r#"
    people = { sql = "sum(people)" }
    owners = { sql = "sum(owners) / sum(homes)" }
    density = { sql = "max(density)", intensive = true }
    income = { sql = "median(income)", intensive = true, base = "people" }
"#;

/// ```text
///     0    100    200 250      two areas, 100 wide; units of 50, 100, 60 and 40: the third has
///     │ area 0│ area 1│        50 in area 1, the last has none
///     ├──┼───────┼──────┼──┤
///       0    1      2     3
/// ```
fn strip() -> Overlaps {
    let areas = [rectangle([0, 0, 100, 100]), rectangle([100, 0, 200, 100])];
    let units = [[0, 50], [50, 150], [150, 210], [210, 250]];
    let units = units.map(|[west, east]| rectangle([west, 0, east, 100]));
    overlaps::by_surface(&areas, &units)
}

fn values(income: Option<f64>) -> Vec<(&'static str, Vec<Option<f64>>)> {
    vec![
        ("people", vec![Some(1000.0), Some(400.0)]),
        ("owners", vec![Some(0.5), Some(0.25)]),
        ("~1:sum(owners)", vec![Some(100.0), Some(50.0)]),
        ("~1:sum(homes)", vec![Some(200.0), Some(200.0)]),
        ("density", vec![Some(10.0), Some(4.0)]),
        ("income", vec![Some(20_000.0), income]),
    ]
}

#[test]
fn counts_rates_and_means_go_their_own_ways() {
    let values = values(Some(30_000.0));
    let values: Vec<(&str, &[Option<f64>])> = values.iter().map(|(n, v)| (*n, &v[..])).collect();
    let (block, figures) = figures(&values, COLUMNS);
    let overlaps = strip();
    let alone: Vec<Option<usize>> = (0..4).map(Some).collect();
    let found = spread(&block, &figures, &overlaps, &alone);
    close(
        &found["coverage"],
        &[Some(1.0), Some(1.0), Some(50.0 / 60.0), Some(0.0)],
    );
    close(
        &found["people"],
        &[Some(500.0), Some(700.0), Some(200.0), None],
    );
    close(
        &found["owners"],
        &[Some(0.5), Some(75.0 / 200.0), Some(0.25), None],
    );
    // The mean over the covered part alone, not over the whole unit.
    close(&found["density"], &[Some(10.0), Some(7.0), Some(4.0), None]);
    let income = (500.0 * 20_000.0 + 200.0 * 30_000.0) / 700.0;
    close(
        &found["income"],
        &[Some(20_000.0), Some(income), Some(30_000.0), None],
    );
    // Above, parts add up: all units are one.
    let together = spread(&block, &figures, &overlaps, &[Some(0); 4]);
    close(&together["coverage"], &[Some(200.0 / 250.0)]);
    close(&together["people"], &[Some(1400.0)]);
    close(&together["owners"], &[Some(150.0 / 400.0)]);
    close(&together["density"], &[Some(7.0)]);
    let all = (1000.0 * 20_000.0 + 400.0 * 30_000.0) / 1400.0;
    close(&together["income"], &[Some(all)]);
}

#[test]
fn an_area_without_a_figure_covers_nothing_of_it() {
    let values = values(None);
    let values: Vec<(&str, &[Option<f64>])> = values.iter().map(|(n, v)| (*n, &v[..])).collect();
    let (block, figures) = figures(&values, COLUMNS);
    let alone: Vec<Option<usize>> = (0..4).map(Some).collect();
    let found = spread(&block, &figures, &strip(), &alone);
    // Half of the second unit is known: just enough.
    close(
        &found["income"],
        &[Some(20_000.0), Some(20_000.0), None, None],
    );
    close(
        &found["people"],
        &[Some(500.0), Some(700.0), Some(200.0), None],
    );
}

#[test]
fn addresses_measure_parts_where_surfaces_would_mislead() {
    let areas = [rectangle([0, 0, 100, 100]), rectangle([100, 0, 200, 100])];
    let units = [rectangle([0, 0, 50, 100]), rectangle([50, 0, 150, 100])];
    // Nine tenths of area 0 live in unit 0; nobody in area 1 has an address.
    let addresses = [
        address(10, 10, 8.0),
        address(49, 10, 1.0),
        address(50, 10, 1.0),
        address(140, 150, 5.0),
    ];
    let overlaps = overlaps::by_addresses(&areas, &units, &addresses);
    let values = values(Some(30_000.0));
    let values: Vec<(&str, &[Option<f64>])> = values.iter().map(|(n, v)| (*n, &v[..])).collect();
    let (block, figures) = figures(&values, COLUMNS);
    let found = spread(&block, &figures, &overlaps, &[Some(0), Some(1)]);
    close(&found["people"], &[Some(900.0), Some(100.0)]);
    close(&found["density"], &[Some(10.0), Some(10.0)]);
    let columns = columns::of_block(&block, 0, &figures, &overlaps, &METHOD).expect("numbers");
    let people = &columns[0].sums(&overlaps)[0];
    assert_eq!((people.total.0, people.uncovered.0), (1400.0, 400.0));
}

#[test]
fn what_is_no_sum_is_refused() {
    for (sql, expected) in [
        ("median(x)", "is no sum"),
        ("max(x)", "is no sum"),
        ("sum(x) / max(y)", "is no sum"),
    ] {
        let columns = format!("bad = {{ sql = \"{sql}\" }}");
        let one = &[Some(1.0), Some(1.0)][..];
        let named = ["bad", "~1:sum(x)", "~1:max(y)"].map(|name| (name, one));
        let (block, figures) = figures(&named, &columns);
        let refused = columns::of_block(&block, 0, &figures, &strip(), &METHOD);
        let message = refused.expect_err(sql);
        assert!(message.contains(expected), "{sql}: {message}");
    }
}

#[test]
fn a_reader_is_told_the_method() {
    let told = METHOD.described(&Localized::new(), None, false);
    assert_eq!(
        told["en"],
        "Estimate: figures of 2 areas, divided by the surface of each part."
    );
    let own = Localized::from([(String::new(), "Homes.".to_owned())]);
    let told = METHOD.described(&own, Some("people"), true);
    assert!(
        told[""].starts_with("Homes. Estimate: mean of the values of 2 areas"),
        "{told:?}"
    );
}

proptest! {
    #[test]
    fn totals_are_kept_and_the_rest_is_counted(
        areas in prop::collection::vec((0_i32..90, 0_i32..90, 1_i32..40, 1_i32..40), 1..6),
        cuts in prop::collection::btree_set(1_i32..100, 1..6),
        counts in prop::collection::vec(prop::option::of(0.0..1e6_f64), 6),
    ) {
        // Units part a square of 100; areas lie where they like, overlap, and leave the square.
        let mut edges: Vec<i32> = cuts.into_iter().collect();
        edges.insert(0, 0);
        edges.push(100);
        let units: Vec<[i32; 4]> = edges.windows(2).map(|e| [e[0], 0, e[1], 100]).collect();
        let areas: Vec<[i32; 4]> = areas.iter().map(|(x, y, w, h)| [*x, *y, x + w, y + h]).collect();
        let shapes = |of: &[[i32; 4]]| of.iter().map(|r| rectangle(*r)).collect::<Vec<_>>();
        let overlaps = overlaps::by_surface(&shapes(&areas), &shapes(&units));
        let counts = &counts[..areas.len()];
        let (block, figures) = figures(&[("n", counts)], r#"n = { sql = "sum(n)" }"#);
        let columns = columns::of_block(&block, 0, &figures, &overlaps, &METHOD);
        let columns = columns.expect("a sum");
        let report = &columns[0].sums(&overlaps)[0];
        let total: f64 = counts.iter().flatten().sum();
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * total.max(1.0);
        prop_assert!(near(report.total.0, total));
        prop_assert!(near(report.placed.0 + report.uncovered.0, total), "{:?}", report);
        // The same by hand, rectangle by rectangle.
        let common = |a: &[i32; 4], b: &[i32; 4]| {
            let width = (a[2].min(b[2]) - a[0].max(b[0])).max(0);
            let height = (a[3].min(b[3]) - a[1].max(b[1])).max(0);
            f64::from(width) * f64::from(height)
        };
        let rows: Vec<Option<usize>> = (0..units.len()).map(Some).collect();
        let found = Spread::new(&overlaps, &rows, rows.len()).figures(&columns[0]);
        for (unit, found) in units.iter().zip(&found[0].1) {
            let own: f64 = areas.iter().zip(counts)
                .filter_map(|(area, n)| Some((*n)? * common(area, unit) / common(area, area)))
                .sum();
            let known: f64 = areas.iter().zip(counts)
                .filter(|(_, n)| n.is_some())
                .map(|(area, _)| common(area, unit))
                .sum();
            let expected = known >= common(unit, unit) / 2.0;
            prop_assert_eq!(found.is_some(), expected, "{:?}", unit);
            if let Some(found) = found {
                // The ground is a little smaller than the map a few cells off the equator.
                prop_assert!(near(*found, own), "{} {}", found, own);
            }
        }
    }
}
