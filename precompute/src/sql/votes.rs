//! Aggregates over votes by candidate: who leads, by how much, among how many.
//!
//! Each takes a choice and its votes, row by row, and first adds up the votes of one choice: a
//! figure of several stations comes from their votes, never from their figures. A choice or a
//! count that is missing is left out; without a single vote nothing leads.

use std::collections::BTreeMap;

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Result};

use super::functions::{fault, text};

/// Adds `winner`, `tie`, `margin_votes`, `enp` and the scalar `theil_sen`.
pub(super) fn add(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    for (name, figure) in FIGURES {
        connection.create_aggregate_function(*name, 2, flags, Votes(*figure))?;
    }
    connection.create_scalar_function("theil_sen", -1, flags, |context| {
        let series: Option<Vec<f64>> = (0..context.len())
            .map(|i| context.get::<Option<f64>>(i))
            .collect::<Result<_>>()?;
        Ok(series.and_then(|series| theil_sen(&series)))
    })
}

type Figure = fn(&Tally) -> Value;

const FIGURES: &[(&str, Figure)] = &[
    ("winner", winner),
    ("tie", tie),
    ("margin_votes", margin_votes),
    ("enp", enp),
];

/// Votes by choice.
type Tally = BTreeMap<String, f64>;

struct Votes(Figure);

impl Aggregate<Tally, Value> for Votes {
    fn init(&self, _: &mut Context<'_>) -> Result<Tally> {
        Ok(Tally::new())
    }

    fn step(&self, context: &mut Context<'_>, tally: &mut Tally) -> Result<()> {
        let votes = match context.get_raw(1) {
            ValueRef::Null => return Ok(()),
            #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
            ValueRef::Integer(votes) => votes as f64,
            ValueRef::Real(votes) => votes,
            ValueRef::Text(_) | ValueRef::Blob(_) => {
                return Err(fault("votes need numbers: the column is text"));
            }
        };
        if votes < 0.0 {
            return Err(fault(format!("{votes} votes: a count is not negative")));
        }
        if let Some(choice) = text(context, 0)? {
            *tally.entry(choice).or_default() += votes;
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, tally: Option<Tally>) -> Result<Value> {
        Ok(tally.map_or(Value::Null, |tally| (self.0)(&tally)))
    }
}

/// The most votes, and the most of the other choices: 0 for one without opponent.
fn first_two(tally: &Tally) -> Option<[f64; 2]> {
    let mut best = [0.0; 2];
    for votes in tally.values() {
        if *votes > best[0] {
            best = [*votes, best[0]];
        } else if *votes > best[1] {
            best[1] = *votes;
        }
    }
    (best[0] > 0.0).then_some(best)
}

/// The choice with the most votes; none in a tie.
fn winner(tally: &Tally) -> Value {
    let Some([first, second]) = first_two(tally) else {
        return Value::Null;
    };
    let leader = tally.iter().find(|(_, votes)| **votes >= first);
    match leader {
        Some((choice, _)) if first > second => Value::Text(choice.clone()),
        _ => Value::Null,
    }
}

/// Whether two choices share the most votes.
fn tie(tally: &Tally) -> Value {
    let is_tie = first_two(tally).is_some_and(|[first, second]| first <= second);
    Value::Integer(is_tie.into())
}

/// Votes by which the first leads the second.
fn margin_votes(tally: &Tally) -> Value {
    first_two(tally).map_or(Value::Null, |[first, second]| Value::Real(first - second))
}

/// Effective number of choices, 1/Σp² (Laakso & Taagepera 1979).
fn enp(tally: &Tally) -> Value {
    let sum: f64 = tally.values().sum();
    let squares: f64 = tally.values().map(|votes| votes * votes).sum();
    if squares > 0.0 {
        Value::Real(sum * sum / squares)
    } else {
        Value::Null
    }
}

/// The median of the slopes between all pairs, one step apart each (Theil 1950, Sen 1968).
fn theil_sen(series: &[f64]) -> Option<f64> {
    let mut slopes = Vec::new();
    let mut distance = 1.0;
    for step in 1..series.len() {
        slopes.extend((step..series.len()).map(|i| (series[i] - series[i - step]) / distance));
        distance += 1.0;
    }
    slopes.sort_by(f64::total_cmp);
    let middle = slopes.len() / 2;
    match slopes.len() {
        0 => None,
        n if n % 2 == 1 => Some(slopes[middle]),
        _ => Some(f64::midpoint(slopes[middle - 1], slopes[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(rows: &str) -> Vec<String> {
        let connection = Connection::open_in_memory().unwrap();
        add(&connection).unwrap();
        let one = |figure: &str| {
            let sql = format!(
                "select coalesce(cast({figure}(column1, column2) as text), '-') from (values {rows})"
            );
            connection
                .query_row(&sql, [], |row| row.get(0))
                .unwrap_or_else(|e| e.to_string())
        };
        FIGURES.iter().map(|(name, _)| one(name)).collect()
    }

    #[test]
    fn votes_of_a_choice_add_up_before_they_are_compared() {
        // a: 50, b: 40; the largest single row is b's.
        let found = answers("('a', 25), ('b', 40), ('a', 25), (null, 900), ('c', null)");
        assert_eq!(found, ["a", "0", "10.0", "1.975609756097561"]);
    }

    #[test]
    fn edges_of_a_count() {
        for (rows, expected) in [
            ("('a', 7), ('b', 7), ('c', 1)", ["-", "1", "0.0"]),
            ("('a', 7), ('b', 3), ('c', 3)", ["a", "0", "4.0"]),
            ("('a', 7)", ["a", "0", "7.0"]),
            ("('a', 0), ('b', 0)", ["-", "0", "-"]),
            ("(null, null)", ["-", "0", "-"]),
        ] {
            assert_eq!(answers(rows)[..3], expected, "{rows}");
        }
        assert_eq!(answers("('a', 7)")[3], "1.0");
        assert_eq!(answers("('a', 0)")[3], "-");
        assert!(answers("('a', -1)")[0].contains("not negative"));
        assert!(answers("('a', 'x')")[0].contains("text"));
    }

    #[test]
    fn one_outlier_does_not_turn_a_median_of_slopes() {
        assert_eq!(theil_sen(&[0.0, 1.0, 2.0, 3.0, 100.0]), Some(1.0));
        assert_eq!(theil_sen(&[5.0, 3.0]), Some(-2.0));
        // Slopes 1, 5 and (6 − 0) / 2 = 3.
        assert_eq!(theil_sen(&[0.0, 1.0, 6.0]), Some(3.0));
        assert_eq!(theil_sen(&[5.0]), None);
    }
}
