use rusqlite::Connection;

use super::*;
use crate::dataset::schema::{Component, Recompute};

const COLUMNS: [&str; 3] = ["a", "b", "c d"];

/// Columns of numbers by name.
struct Bureaux {
    columns: Vec<(&'static str, Column)>,
    rows: usize,
}

impl Bureaux {
    fn new(values: &[Vec<Option<f64>>; 3]) -> Self {
        let numbers = |values: &Vec<Option<f64>>| values.iter().copied().collect::<Numbers>();
        let columns = COLUMNS.iter().zip(values);
        Self {
            columns: columns
                .map(|(name, v)| (*name, Column::Number(numbers(v))))
                .collect(),
            rows: values[0].len(),
        }
    }
}

impl Table for Bureaux {
    fn rows(&self) -> usize {
        self.rows
    }

    fn column(&self, name: &str) -> Option<&Column> {
        let found = self.columns.iter().find(|(n, _)| *n == name);
        found.map(|(_, column)| column)
    }
}

fn recompute(formula: &str, combine: [Combine; 3]) -> Recompute {
    let components = COLUMNS
        .iter()
        .zip(combine)
        .map(|(column, combine)| Component {
            column: (*column).to_owned(),
            combine,
        });
    Recompute {
        formula: formula.to_owned(),
        components: components.collect(),
    }
}

fn formula(text: &str) -> Formula {
    Formula::parse(&recompute(text, [Combine::Sum; 3])).expect(text)
}

fn texts(values: &[Option<&str>]) -> Texts {
    values.iter().copied().collect()
}

/// `SplitMix64`.
fn roll(state: &mut u64, below: usize) -> usize {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    usize::try_from((z ^ (z >> 31)) % below as u64).expect("below")
}

/// A random expression over operands; numbers are written as SQLite's reals.
fn expression(depth: usize, operands: &[&str], dice: &mut u64) -> String {
    if depth == 0 || roll(dice, 4) == 0 {
        return match roll(dice, 4) {
            0 => ["0.0", "1.5", "-2.0", "100.0", "NULL"][roll(dice, 5)].to_owned(),
            _ => operands[roll(dice, operands.len())].to_owned(),
        };
    }
    let mut next = || expression(depth - 1, operands, dice);
    let (x, y, z) = (next(), next(), next());
    match roll(dice, 15) {
        0..=5 => {
            let symbol = ["+", "-", "*", "/"][roll(dice, 4)];
            format!("({x}) {symbol} ({y})")
        }
        6 => format!("abs({x})"),
        7 => format!("coalesce({x}, {y})"),
        8 => format!("nullif({x}, {y})"),
        9 => format!("max({x}, {y}, {z})"),
        10 => format!("min({x}, {y})"),
        11 => format!("- ({x})"),
        12 => format!("CASE ({x}) WHEN {y} THEN {z} WHEN 1.5 THEN {x} END"),
        13 => format!("cast({x} as real)"),
        _ => {
            let symbol = ["=", "<>", "<", "<=", ">", ">="][roll(dice, 6)];
            let word = ["AND", "OR", "AND NOT", "OR NOT"][roll(dice, 4)];
            format!("case when ({x}) {symbol} ({y}) {word} ({z}) is null then {x} else {y} end")
        }
    }
}

fn random_values(rows: usize, dice: &mut u64) -> [Vec<Option<f64>>; 3] {
    let missing = [1, 4, 1000][roll(dice, 3)];
    [(); 3].map(|()| {
        (0..rows)
            .map(|_| {
                let whole = f64::from(u32::try_from(roll(dice, 40)).expect("small")) - 10.0;
                (roll(dice, missing) > 0 || missing == 1000).then_some(whole / 4.0)
            })
            .collect()
    })
}

fn sqlite(values: &[Vec<Option<f64>>; 3], parents: &[Option<usize>], set: &Bitmap) -> Connection {
    let db = Connection::open_in_memory().expect("memory");
    db.execute_batch("CREATE TABLE t (a REAL, b REAL, \"c d\" REAL, parent INTEGER, held INTEGER)")
        .expect("a table");
    for (row, parent) in parents.iter().enumerate() {
        let parent = parent.map(|parent| i64::try_from(parent).expect("small"));
        let [a, b, c] = values.each_ref().map(|column| column[row]);
        db.execute(
            "INSERT INTO t VALUES (?, ?, ?, ?, ?)",
            (a, b, c, parent, set.contains(row)),
        )
        .expect("a row");
    }
    db
}

#[track_caller]
fn same(found: Option<f64>, expected: Option<f64>, what: &str) {
    let near = match (found, expected) {
        (Some(x), Some(y)) => {
            x.total_cmp(&y).is_eq() || (x - y).abs() <= 1e-12 * x.abs().max(y.abs())
        }
        (x, y) => x.is_none() && y.is_none(),
    };
    assert!(near, "{found:?}, SQLite {expected:?}: {what}");
}

#[test]
fn formulas_agree_with_sqlite() {
    let mut dice = 1;
    let names = ["\"a\"", "\"b\"", "\"c d\""];
    for _ in 0..40 {
        let values = random_values(20, &mut dice);
        let db = sqlite(&values, &[None; 20], &Bitmap::full(20));
        for _ in 0..50 {
            let text = expression(3, &names, &mut dice);
            let formula = formula(&text);
            let mut query = db
                .prepare(&format!("SELECT {text} FROM t ORDER BY rowid"))
                .expect(&text);
            let expected = query
                .query_map([], |row| row.get::<_, Option<f64>>(0))
                .expect(&text);
            for (row, expected) in expected.enumerate() {
                let parts = values
                    .each_ref()
                    .map(|column| column[row].unwrap_or(MISSING));
                let found = formula.evaluate(&parts);
                same(
                    (!found.is_nan()).then_some(found),
                    expected.expect(&text),
                    &text,
                );
            }
        }
    }
}

#[test]
fn rounding_agrees_with_sqlite() {
    let db = Connection::open_in_memory().expect("memory");
    for value in [
        0.0,
        0.5,
        1.5,
        -0.5,
        -2.5,
        0.125,
        0.375,
        2.675,
        1.005,
        0.285,
        99.995,
        1e15,
        123_456.789,
    ] {
        for decimals in 0..4_u8 {
            let expected: f64 = db
                .query_row("SELECT round(?, ?)", (value, decimals), |row| row.get(0))
                .expect("a number");
            let found = formula(&format!("round(\"a\", {decimals})")).evaluate(&[value, 0.0, 0.0]);
            assert!(
                (found - expected).abs() < 1e-12,
                "{value} {decimals}: {found} {expected}"
            );
        }
    }
}

/// The aggregate that a component stands for.
fn aggregate(combine: Combine, column: &str) -> String {
    let name = match combine {
        Combine::Sum => "sum",
        Combine::Min => "min",
        Combine::Max => "max",
    };
    format!("{name}(\"{column}\")")
}

#[test]
fn coarse_figures_agree_with_sqlite() {
    let mut dice = 2;
    for _ in 0..60 {
        let rows = 1 + roll(&mut dice, 150);
        let coarse_rows = 1 + roll(&mut dice, 8);
        let values = random_values(rows, &mut dice);
        let parents: Vec<Option<usize>> = (0..rows)
            .map(|_| Some(roll(&mut dice, coarse_rows + 1)).filter(|parent| *parent < coarse_rows))
            .collect();
        let mut set = Bitmap::empty(rows);
        for row in (0..rows)
            .filter(|_| roll(&mut dice, 3) > 0)
            .collect::<Vec<_>>()
        {
            set.insert(row);
        }
        let keys: Vec<String> = (0..coarse_rows)
            .map(|row| format!("k{}", 9 - row))
            .collect();
        let keys: Vec<Option<&str>> = keys.iter().map(|key| Some(key.as_str())).collect();
        let parent_keys: Vec<Option<&str>> = parents
            .iter()
            .map(|parent| parent.and_then(|row| keys[row]))
            .collect();
        let up = Parents::of(&texts(&parent_keys), &texts(&keys));
        let fine = Bureaux::new(&values);
        let db = sqlite(&values, &parents, &set);
        let grouped = |select: &str, rows: &str| -> Vec<Option<f64>> {
            let mut by_parent = vec![None; coarse_rows];
            let sql = format!(
                "SELECT parent, {select} FROM t WHERE parent IS NOT NULL AND {rows} GROUP BY parent"
            );
            let mut query = db.prepare(&sql).expect(&sql);
            let pairs = query
                .query_map([], |row| {
                    Ok((row.get::<_, i64>(0)?, row.get::<_, Option<f64>>(1)?))
                })
                .expect(&sql);
            for pair in pairs {
                let (parent, value) = pair.expect(&sql);
                by_parent[usize::try_from(parent).expect("a row")] = value;
            }
            by_parent
        };
        for _ in 0..20 {
            let combine =
                [(); 3].map(|()| [Combine::Sum, Combine::Min, Combine::Max][roll(&mut dice, 3)]);
            let text = expression(2, &["\"a\"", "\"b\"", "\"c d\""], &mut dice);
            let mut sql = text.clone();
            for (column, combine) in COLUMNS.iter().zip(combine) {
                sql = sql.replace(&format!("\"{column}\""), &aggregate(combine, column));
            }
            let formula = Formula::parse(&recompute(&text, combine)).expect(&text);
            let found = up.recompute(&formula, &fine, &set).expect("columns");
            for (row, expected) in grouped(&sql, "held").into_iter().enumerate() {
                same(found.get(row), expected, &sql);
            }
            // A constant over no rows is no row.
            if set.count() > 0 {
                let whole: Option<f64> = db
                    .query_row(&format!("SELECT {sql} FROM t WHERE held"), [], |row| {
                        row.get(0)
                    })
                    .expect(&sql);
                let all = set.iter().map(|row| (row, 1.0));
                same(figure(&formula, &fine, all).expect("columns"), whole, &sql);
            }
        }
        let counts = grouped("cast(sum(held) as real)", "true");
        for (row, (found, expected)) in up.matched(&set).iter().zip(counts).enumerate() {
            assert_eq!(Some(f64::from(*found)), expected.or(Some(0.0)), "{row}");
        }
        let weights: Vec<f64> = values[0]
            .iter()
            .map(|v| v.map_or(MISSING, f64::abs))
            .collect();
        let shares = grouped("sum(abs(a)) filter (where held) / sum(abs(a))", "true");
        let known = grouped("sum(abs(a))", "true");
        let found = up.matched_share(&set, &weights);
        for row in 0..coarse_rows {
            let none = known[row].is_some_and(|sum| sum > 0.0).then_some(0.0);
            same(found.get(row), shares[row].or(none), "matched_share");
        }
    }
}

#[test]
fn two_levels_up() {
    let bureaux = texts(&[Some("x"), Some("y"), None, Some("nowhere")]);
    let communes = texts(&[Some("y"), Some("x")]);
    let departments = texts(&[Some("01"), Some("02")]);
    let to_commune = Parents::of(&bureaux, &communes);
    let parents: Vec<_> = (0..5).map(|row| to_commune.get(row)).collect();
    assert_eq!(parents, [Some(1), Some(0), None, None, None]);
    let to_department = Parents::of(&texts(&[Some("02"), None]), &departments);
    let both = to_commune.then(&to_department);
    assert_eq!(
        (0..4).map(|row| both.get(row)).collect::<Vec<_>>(),
        [None, Some(1), None, None]
    );
    assert_eq!(both.coarse_rows(), 2);
}

#[test]
fn parts_of_areas() {
    let fine = Bureaux::new(&[
        vec![Some(30.0), Some(10.0)],
        vec![Some(60.0), Some(40.0)],
        vec![None, None],
    ]);
    let turnout = formula("\"a\" / \"b\"");
    let figure =
        |rows: &[(usize, f64)]| figure(&turnout, &fine, rows.iter().copied()).expect("columns");
    assert_eq!(figure(&[(0, 1.0), (1, 1.0)]), Some(0.4));
    assert_eq!(figure(&[(0, 0.5), (1, 1.0)]), Some(25.0 / 70.0));
    assert_eq!(figure(&[(0, 0.0), (9, 1.0), (1, f64::NAN)]), None);
    let missing = formula("\"c d\" + 1");
    assert_eq!(super::figure(&missing, &fine, [(0, 1.0)]), Ok(None));
    let empty = Bureaux {
        columns: vec![],
        rows: 2,
    };
    assert_eq!(
        super::figure(&turnout, &empty, [(0, 1.0)]),
        Err(ComponentError("a".to_owned()))
    );
}

#[test]
fn refused() {
    for (text, position) in [
        ("", 0),
        ("\"x\"", 0),
        ("\"a\" +", 5),
        ("\"a\" \"b\"", 4),
        ("a", 0),
        ("sum(\"a\")", 0),
        ("abs(1, 2)", 8),
        ("max(1)", 5),
        ("case 1 end", 7),
        ("case when 1 then 2", 18),
        ("cast(1 as int)", 10),
        ("(1", 2),
        ("'x'", 0),
        ("1 ; 2", 2),
    ] {
        let error = Formula::parse(&recompute(text, [Combine::Sum; 3])).expect_err(text);
        assert_eq!(error.position, position, "{text}: {error}");
    }
    for deep in ["(", "-", "NOT ", "abs(", "case when ", "1+"] {
        let text = deep.repeat(1_000) + "1";
        assert!(Formula::parse(&recompute(&text, [Combine::Sum; 3])).is_err());
    }
}
