//! Random filters over random tables, against SQLite's three-valued logic.

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};

use super::support::{Dice, Town, numbers, parse, queryables, rows, texts};
use crate::filter::Filter;

const NUMBERS: [&str; 3] = ["a", "b", "c"];
const TEXTS: [&str; 2] = ["s", "t"];
const WORDS: [&str; 12] = [
    "", "a", "A", "ab", "aB%", "a_b", "é", "É", "été", "O'Brien", r"a\b", "zz",
];
const VALUES: [f64; 9] = [-2.0, -1.0, -0.5, 0.0, 0.25, 1.0, 2.0, 3.0, 1e6];

/// One condition in three languages.
struct Said {
    cql: String,
    sql: String,
    json: String,
    /// How tightly the cql holds together; see the grammar in `text.rs`.
    tightness: u8,
}

impl Said {
    fn atom(cql: impl Into<String>, sql: impl Into<String>, json: impl Into<String>) -> Self {
        Self {
            cql: cql.into(),
            sql: sql.into(),
            json: json.into(),
            tightness: 9,
        }
    }

    /// The cql as an operand that must hold together at least so tightly.
    fn at(&self, needed: u8, dice: &mut Dice) -> String {
        if self.tightness < needed || dice.chance(8) {
            format!("( {} )", self.cql)
        } else {
            self.cql.clone()
        }
    }
}

fn operation(op: &str, args: &[&str]) -> String {
    format!(r#"{{"op":"{op}","args":[{}]}}"#, args.join(","))
}

fn keyword(word: &str, dice: &mut Dice) -> String {
    let spelled = match dice.below(3) {
        0 => word.to_owned(),
        1 => word.to_lowercase(),
        _ => word[..1].to_lowercase() + &word[1..],
    };
    format!(
        "{}{spelled}{}",
        dice.pick(&[" ", "  ", "\n"]),
        dice.pick(&[" ", "\t "])
    )
}

fn literal(dice: &mut Dice) -> Said {
    let value = dice.pick(&VALUES);
    let cql = match dice.below(3) {
        0 => format!("{value}"),
        1 => format!("{value:?}"),
        _ => format!("{value:E}"),
    };
    let tightness = if value < 0.0 { 8 } else { 9 };
    Said {
        tightness,
        ..Said::atom(cql, format!("({value:?})"), format!("{value:?}"))
    }
}

fn number(depth: usize, dice: &mut Dice) -> Said {
    if depth == 0 || dice.chance(45) {
        if dice.chance(40) {
            return literal(dice);
        }
        let name = dice.pick(&NUMBERS);
        let cql = if dice.chance(20) {
            format!("\"{name}\"")
        } else {
            name.to_owned()
        };
        return Said::atom(cql, name, format!(r#"{{"property":"{name}"}}"#));
    }
    if dice.chance(12) {
        let inner = number(depth - 1, dice);
        return Said {
            cql: format!("- {}", inner.at(8, dice)),
            sql: format!("(-{})", inner.sql),
            json: operation("-", &[&inner.json]),
            tightness: 8,
        };
    }
    let (left, right) = (number(depth - 1, dice), number(depth - 1, dice));
    let (op, own, sql) = dice.pick(&[
        ("+", 5, "({} + {})"),
        ("-", 5, "({} - {})"),
        ("*", 6, "({} * {})"),
        ("/", 6, "({} / {})"),
        ("%", 6, "fmod({}, {})"),
        ("DIV", 6, "div({}, {})"),
        ("^", 7, "pow({}, {})"),
    ]);
    let (left_needs, right_needs) = if own == 7 { (8, 7) } else { (own, own + 1) };
    let symbol = if op == "DIV" {
        keyword(op, dice)
    } else {
        op.to_owned()
    };
    let json_op = if op == "DIV" { "div" } else { op };
    Said {
        cql: left.at(left_needs, dice) + &symbol + &right.at(right_needs, dice),
        sql: sql
            .replacen("{}", &left.sql, 1)
            .replacen("{}", &right.sql, 1),
        json: operation(json_op, &[&left.json, &right.json]),
        tightness: own,
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn text_literal(text: &str) -> Said {
    let json = serde_json::to_string(text).expect("text is JSON");
    Said::atom(quoted(text), quoted(text), json)
}

fn folded(inner: &Said, dice: &mut Dice) -> Said {
    let call = dice.pick(&["casei", "accenti"]);
    let spelled = if dice.chance(50) {
        call.to_uppercase()
    } else {
        call.to_owned()
    };
    Said::atom(
        format!("{spelled}({})", inner.cql),
        format!("{call}({})", inner.sql),
        operation(call, &[&inner.json]),
    )
}

fn text(dice: &mut Dice) -> Said {
    let mut said = if dice.chance(30) {
        text_literal(dice.pick(&WORDS))
    } else {
        let name = dice.pick(&TEXTS);
        Said::atom(name, name, format!(r#"{{"property":"{name}"}}"#))
    };
    while dice.chance(25) {
        said = folded(&said, dice);
    }
    said
}

fn comparison(depth: usize, dice: &mut Dice) -> Said {
    let ops = ["=", "<>", "<", "<=", ">", ">="];
    let (op, left, right) = match dice.below(5) {
        0..=2 => (dice.pick(&ops), number(depth, dice), number(depth, dice)),
        3 => (dice.pick(&ops), text(dice), text(dice)),
        _ => {
            let side = |dice: &mut Dice| {
                let inner = condition(depth.saturating_sub(1), dice);
                Said::atom(
                    format!("({})", inner.cql),
                    format!("({})", inner.sql),
                    inner.json,
                )
            };
            (dice.pick(&ops[..2]), side(dice), side(dice))
        }
    };
    Said {
        cql: left.at(5, dice) + dice.pick(&["", " "]) + op + &right.at(5, dice),
        sql: format!("({} {op} {})", left.sql, right.sql),
        json: operation(op, &[&left.json, &right.json]),
        tightness: 4,
    }
}

fn scalar(depth: usize, textual: bool, dice: &mut Dice) -> Said {
    if textual {
        text(dice)
    } else {
        number(depth, dice)
    }
}

fn predicate(depth: usize, dice: &mut Dice) -> Said {
    let textual = dice.chance(40);
    let negated = dice.chance(40);
    let not = if negated {
        keyword("NOT", dice)
    } else {
        " ".to_owned()
    };
    let sql_not = if negated { "NOT " } else { "" };
    let (cql, sql, json) = match dice.below(4) {
        0 => {
            let [value, low, high] = [(); 3].map(|()| scalar(depth, textual, dice));
            let (between, and) = (keyword("BETWEEN", dice), keyword("AND", dice));
            let (value_cql, low_cql, high_cql) =
                (value.at(5, dice), low.at(5, dice), high.at(5, dice));
            (
                format!("{value_cql}{not}{between}{low_cql}{and}{high_cql}"),
                format!(
                    "({} {sql_not}BETWEEN {} AND {})",
                    value.sql, low.sql, high.sql
                ),
                operation("between", &[&value.json, &low.json, &high.json]),
            )
        }
        1 => {
            let value = scalar(depth, textual, dice);
            let list: Vec<Said> = (0..=dice.below(4))
                .map(|_| scalar(1, textual, dice))
                .collect();
            let join = |part: fn(&Said) -> &String| {
                list.iter()
                    .map(part)
                    .cloned()
                    .collect::<Vec<_>>()
                    .join(" , ")
            };
            let in_ = keyword("IN", dice);
            (
                format!("{}{not}{in_}({})", value.at(5, dice), join(|s| &s.cql)),
                format!("({} {sql_not}IN ({}))", value.sql, join(|s| &s.sql)),
                operation("in", &[&value.json, &format!("[{}]", join(|s| &s.json))]),
            )
        }
        2 => {
            let value = text(dice);
            let raw: String = (0..dice.below(5))
                .map(|_| dice.pick(&["%", "_", "a", "b", "é", "É", "A", r"\%", r"\\", "'"]))
                .collect();
            let mut pattern = text_literal(&raw);
            while dice.chance(20) {
                pattern = folded(&pattern, dice);
            }
            let like = keyword("LIKE", dice);
            (
                format!("{}{not}{like}{}", value.at(5, dice), pattern.cql),
                format!("({} {sql_not}LIKE {} ESCAPE '\\')", value.sql, pattern.sql),
                operation("like", &[&value.json, &pattern.json]),
            )
        }
        _ => {
            let value = if dice.chance(30) {
                let inner = condition(depth.saturating_sub(1), dice);
                Said::atom(
                    format!("({})", inner.cql),
                    format!("({})", inner.sql),
                    inner.json,
                )
            } else {
                scalar(depth, textual, dice)
            };
            let (is, null) = (keyword("IS", dice), keyword("NULL", dice));
            (
                format!("{}{is}{not}{null}", value.at(5, dice)),
                format!("({} IS {sql_not}NULL)", value.sql),
                operation("isNull", &[&value.json]),
            )
        }
    };
    let json = if negated {
        operation("not", &[&json])
    } else {
        json
    };
    Said {
        cql,
        sql,
        json,
        tightness: 4,
    }
}

fn condition(depth: usize, dice: &mut Dice) -> Said {
    if depth == 0 || dice.chance(25) {
        return match dice.below(20) {
            0 => Said::atom("TRUE", "TRUE", "true"),
            1 => Said::atom("false", "FALSE", "false"),
            2..=10 => comparison(depth.min(2), dice),
            _ => predicate(depth.min(2), dice),
        };
    }
    if dice.chance(25) {
        let inner = condition(depth - 1, dice);
        return Said {
            cql: keyword("NOT", dice) + &inner.at(3, dice),
            sql: format!("(NOT {})", inner.sql),
            json: operation("not", &[&inner.json]),
            tightness: 3,
        };
    }
    let (word, own) = dice.pick(&[("AND", 2), ("OR", 1)]);
    let members: Vec<Said> = (0..2 + dice.below(2))
        .map(|_| condition(depth - 1, dice))
        .collect();
    let cql: Vec<String> = members.iter().map(|m| m.at(own + 1, dice)).collect();
    let sql: Vec<&str> = members.iter().map(|m| m.sql.as_str()).collect();
    let json: Vec<&str> = members.iter().map(|m| m.json.as_str()).collect();
    Said {
        cql: cql.join(&keyword(word, dice)),
        sql: format!("({})", sql.join(&format!(" {word} "))),
        json: operation(&word.to_lowercase(), &json),
        tightness: own,
    }
}

fn town(dice: &mut Dice) -> Town {
    let rows = 1 + dice.below(150);
    let mut columns = Vec::new();
    for name in NUMBERS {
        let missing = dice.pick(&[0, 20, 20, 20, 100]);
        let values: Vec<_> = (0..rows)
            .map(|_| (!dice.chance(missing)).then(|| dice.pick(&VALUES)))
            .collect();
        columns.push((name, numbers(&values)));
    }
    for name in TEXTS {
        let missing = dice.pick(&[0, 20, 20, 20, 100]);
        let values: Vec<_> = (0..rows)
            .map(|_| (!dice.chance(missing)).then(|| dice.pick(&WORDS)))
            .collect();
        columns.push((name, texts(&values)));
    }
    Town {
        rows,
        columns,
        shapes: None,
    }
}

fn sqlite(town: &Town) -> rusqlite::Result<Connection> {
    use crate::dataset::columns::Column;
    let db = Connection::open_in_memory()?;
    db.execute_batch(
        "CREATE TABLE town (row INTEGER PRIMARY KEY, a REAL, b REAL, c REAL, s TEXT, t TEXT);
         PRAGMA case_sensitive_like = ON;",
    )?;
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    let of_two = |f: fn(f64, f64) -> f64| {
        move |context: &Context<'_>| {
            let sides: (Option<f64>, Option<f64>) = (context.get(0)?, context.get(1)?);
            Ok(sides
                .0
                .zip(sides.1)
                .map(|(a, b)| f(a, b))
                .filter(|v| !v.is_nan()))
        }
    };
    db.create_scalar_function("fmod", 2, flags, of_two(|a, b| a % b))?;
    db.create_scalar_function(
        "div",
        2,
        flags,
        of_two(|a, b| if b == 0.0 { f64::NAN } else { (a / b).trunc() }),
    )?;
    db.create_scalar_function(
        "pow",
        2,
        flags,
        of_two(|a, b| {
            if a == 0.0 && b < 0.0 {
                f64::NAN
            } else {
                a.powf(b)
            }
        }),
    )?;
    let of_text = |f: fn(String) -> String| {
        move |context: &Context<'_>| Ok(context.get::<Option<String>>(0)?.map(f))
    };
    db.create_scalar_function("casei", 1, flags, of_text(|s| s.to_lowercase()))?;
    db.create_scalar_function(
        "accenti",
        1,
        flags,
        of_text(|s| s.replace('é', "e").replace('É', "E")),
    )?;
    {
        let mut insert = db.prepare("INSERT INTO town VALUES (?, ?, ?, ?, ?, ?)")?;
        for row in 0..town.rows {
            let number = |i: usize| match &town.columns[i].1 {
                Column::Number(numbers) => numbers.get(row),
                Column::Text(_) => None,
            };
            let text = |i: usize| match &town.columns[i].1 {
                Column::Text(texts) => texts.get(row),
                Column::Number(_) => None,
            };
            let id = i64::try_from(row).expect("few rows");
            insert.execute((id, number(0), number(1), number(2), text(3), text(4)))?;
        }
    }
    Ok(db)
}

#[test]
fn agrees_with_sqlite() {
    let mut dice = Dice(20_220_410);
    let mut some = 0;
    for _ in 0..50 {
        let town = town(&mut dice);
        let db = sqlite(&town).expect("the table is valid");
        for _ in 0..60 {
            let said = condition(3, &mut dice);
            let filter = match Filter::parse_text(&said.cql, &queryables()) {
                Ok(filter) => filter,
                // Patterns may end in the middle of an escape, as SQLite's may not.
                Err(error) => panic!("{}\n{error}", said.cql),
            };
            let sql = format!("SELECT row FROM town WHERE {} ORDER BY row", said.sql);
            let mut query = db.prepare(&sql).expect("valid SQL");
            let expected: Vec<i64> = query
                .query_map([], |row| row.get(0))
                .and_then(Iterator::collect)
                .expect("rows");
            let expected: Vec<usize> = expected
                .iter()
                .map(|row| usize::try_from(*row).expect("positive"))
                .collect();
            assert_eq!(
                rows(&filter, &town),
                expected,
                "{}\n{sql}\n{}",
                said.cql,
                filter.canonical()
            );
            some += usize::from(!expected.is_empty() && expected.len() < town.rows);

            let again = parse(filter.canonical());
            assert_eq!(again.canonical(), filter.canonical(), "{}", said.cql);
            let json = Filter::parse_json(&said.json, &queryables());
            assert_eq!(json.as_ref(), Ok(&filter), "{}", said.json);
        }
    }
    assert!(some > 800, "only {some} filters tell rows apart");
}
