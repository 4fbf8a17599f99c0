//! Filters: parse, compile and evaluate, at 70,000 and 1,000,000 rows.
//!
//! The first four filters are the figure of DESIGN.md: each predicate reads its own column. Values
//! are independent of the row order, so no word of 64 rows is ever skipped: the worst case.

use std::hint::black_box;

use benches::random::Random;
use criterion::{Criterion, criterion_group, criterion_main};
use tilecore::dataset::columns::{Column, Numbers, Texts};
use tilecore::dataset::schema::Kind;
use tilecore::filter::{Filter, Queryable, Queryables, Table};

const FILTERS: [(&str, &str); 7] = [
    (
        "4 predicates",
        "a > 0.3 AND b <= 0.8 AND c BETWEEN 0.1 AND 0.9",
    ),
    (
        "4 predicates, any",
        "a > 0.9 OR b <= 0.1 OR c = 0.5 OR d < 0.05",
    ),
    (
        "4 predicates, text",
        "a > 0.3 AND b <= 0.8 AND name <> 'unit 7' AND kind IN ('k1', 'k2', 'k3')",
    ),
    (
        "4 predicates, missing",
        "a IS NOT NULL AND b IS NOT NULL AND c > 0.5 AND NOT d > 0.5",
    ),
    ("arithmetic", "a / (b + c) > 0.5"),
    ("like", "name LIKE 'unit 1%'"),
    ("casei", "CASEI(name) LIKE '%9%'"),
];

struct National {
    rows: usize,
    columns: Vec<(&'static str, Column)>,
}

impl National {
    fn new(rows: usize) -> Self {
        let mut random = Random(20_220_410);
        let mut columns = Vec::new();
        for name in ["a", "b", "c", "d"] {
            let values = (0..rows).map(|_| Some(random.unit()).filter(|v| *v > 0.01));
            columns.push((name, Column::Number(values.collect::<Numbers>())));
        }
        let names: Vec<String> = (0..rows).map(|row| format!("unit {row}")).collect();
        let names: Texts = names.iter().map(|name| Some(name.as_str())).collect();
        columns.push(("name", Column::Text(names)));
        let kinds: Texts = (0..rows)
            .map(|row| Some(["k1", "k2", "k3", "k4", "k5"][row % 5]))
            .collect();
        columns.push(("kind", Column::Text(kinds)));
        Self { rows, columns }
    }
}

impl Table for National {
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
    let text = |name| Queryable::new(name, Kind::Text);
    let properties = vec![
        number("a"),
        number("b"),
        number("c"),
        number("d"),
        text("name"),
        text("kind"),
    ];
    Queryables::new(properties, false)
}

fn evaluate(c: &mut Criterion) {
    for rows in [70_000, 1_000_000] {
        let table = National::new(rows);
        let mut group = c.benchmark_group(format!("filter/{rows}"));
        group.sample_size(20);
        for (name, text) in FILTERS {
            let filter = Filter::parse_text(text, &queryables()).expect("a valid filter");
            group.bench_function(name, |b| {
                b.iter(|| {
                    filter
                        .compile(&table)
                        .expect("the columns are there")
                        .evaluate()
                });
            });
        }
        group.finish();
    }
}

fn parse(c: &mut Criterion) {
    let queryables = queryables();
    let mut group = c.benchmark_group("filter/parse");
    group.bench_function("4 predicates", |b| {
        b.iter(|| Filter::parse_text(black_box(FILTERS[0].1), &queryables));
    });
    let longest = format!("name IN ({}'z')", "'abcd',".repeat(999));
    group.bench_function("1,000 literals", |b| {
        b.iter(|| Filter::parse_text(black_box(&longest), &queryables));
    });
    let refused = "(".repeat(8_000);
    group.bench_function("refused", |b| {
        b.iter(|| Filter::parse_text(black_box(&refused), &queryables).is_err());
    });
    group.finish();
}

criterion_group!(benches, parse, evaluate);
criterion_main!(benches);
