//! Tables to filter, and seeded choices.

use crate::Bitmap;
use crate::dataset::columns::{Column, Numbers, Texts};
use crate::dataset::schema::Kind;
use crate::filter::{Filter, Queryable, Queryables, Shapes, Table};

/// Columns by name.
#[derive(Default)]
pub(super) struct Town {
    pub(super) rows: usize,
    pub(super) columns: Vec<(&'static str, Column)>,
    pub(super) shapes: Option<Box<dyn Shapes>>,
}

impl Table for Town {
    fn rows(&self) -> usize {
        self.rows
    }

    fn column(&self, name: &str) -> Option<&Column> {
        let found = self.columns.iter().find(|(n, _)| *n == name);
        found.map(|(_, column)| column)
    }

    fn shapes(&self) -> Option<&dyn Shapes> {
        self.shapes.as_deref()
    }
}

pub(super) fn numbers(values: &[Option<f64>]) -> Column {
    Column::Number(values.iter().copied().collect::<Numbers>())
}

pub(super) fn texts(values: &[Option<&str>]) -> Column {
    Column::Text(values.iter().copied().collect::<Texts>())
}

/// Numbers a, b, c; texts s, t; geometry.
pub(super) fn queryables() -> Queryables {
    let number = |name| Queryable::new(name, Kind::Number);
    let text = |name| Queryable::new(name, Kind::Text);
    let id = Queryable {
        column: "s".to_owned(),
        ..text("id")
    };
    let properties = vec![
        number("a"),
        number("b"),
        number("c"),
        text("s"),
        text("t"),
        id,
    ];
    Queryables::new(properties, true)
}

pub(super) fn parse(text: &str) -> Filter {
    Filter::parse_text(text, &queryables()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

pub(super) fn rows(filter: &Filter, table: &dyn Table) -> Vec<usize> {
    let program = filter.compile(table).expect("the table has these columns");
    let passing: Vec<usize> = program.evaluate().iter().collect();
    // Asked of some rows, it says the same of them and nothing of others.
    let is_asked = |row: &usize| row / 64 % 3 != 1 && !row.is_multiple_of(5);
    let mut some = Bitmap::empty(table.rows());
    for row in (0..table.rows()).filter(is_asked) {
        some.insert(row);
    }
    let among = program.evaluate_within(&some);
    assert!(
        among.iter().eq(passing.iter().copied().filter(is_asked)),
        "{}",
        filter.canonical()
    );
    passing
}

/// `SplitMix64` (Steele, Lea and Flood 2014).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).expect("below n")
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}
