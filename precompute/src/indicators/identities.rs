//! Accounting identities over the rows of a block: what elections count adds up.
//!
//! Those of the project file are SQL. The conventional ones are checked wherever a relation has
//! columns of the usual names: inscrits ≥ votants, votants = exprimés + blancs + nuls,
//! inscrits = votants + abstentions, Σ voix = exprimés.

use crate::input_error::InputError;
use crate::project::IndicatorBlock;
use crate::report::IdentityReport;
use crate::sql::{Engine, decompose};
use crate::units::text_of;
use crate::value::Value;

use super::{KEY, keyed};

/// Keys listed of those that fail.
const EXAMPLES: usize = 20;

/// Terms of the conventional identities; columns count in any case, with or without accents.
const TERMS: [&str; 7] = [
    "inscrits",
    "votants",
    "abstentions",
    "blancs",
    "nuls",
    "exprimes",
    "voix",
];

/// An identity between sums over the rows of a key.
struct Conventional {
    text: &'static str,
    left: &'static str,
    right: &'static [&'static str],
    holds: fn(f64, f64) -> bool,
}

const CONVENTIONAL: [Conventional; 4] = [
    Conventional {
        text: "inscrits >= votants",
        left: "inscrits",
        right: &["votants"],
        holds: |left, right| left >= right,
    },
    Conventional {
        text: "votants = exprimes + blancs + nuls",
        left: "votants",
        right: &["exprimes", "blancs", "nuls"],
        holds: equal,
    },
    Conventional {
        text: "inscrits = votants + abstentions",
        left: "inscrits",
        right: &["votants", "abstentions"],
        holds: equal,
    },
    Conventional {
        text: "sum(voix) = exprimes",
        left: "voix",
        right: &["exprimes"],
        holds: equal,
    },
];

/// Equal but for rounding of figures that are not whole.
fn equal(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

/// Names whose columns are loaded although no SQL of the project mentions them.
#[must_use]
pub fn column_names() -> [&'static str; 8] {
    let [a, b, c, d, e, f, g] = TERMS;
    [a, b, c, d, e, f, g, "\"exprimés\""]
}

/// Checks the identities that the block states, and the conventional ones its columns allow.
///
/// # Errors
/// When the SQL of an identity is at fault.
pub(super) fn check(
    engine: &Engine,
    block: &IndicatorBlock,
    context: &str,
) -> Result<Vec<IdentityReport>, InputError> {
    let mut reports = conventional(engine, block, context)?;
    for identity in &block.identities {
        reports.push(stated(engine, block, identity, context)?);
    }
    Ok(reports)
}

/// A condition over aggregates, once a key; or over columns, which then holds for every row.
fn stated(
    engine: &Engine,
    block: &IndicatorBlock,
    identity: &str,
    context: &str,
) -> Result<IdentityReport, InputError> {
    let context = format!("{context}, identities");
    let ask = |condition: &str| {
        let sql = format!(
            "select {KEY}, {condition} from {} group by {KEY} order by {KEY}",
            keyed(block)
        );
        engine.query(&sql, &context)
    };
    // An aggregate within an aggregate is refused: what is accepted is a condition over columns.
    let rows = match ask(&format!("min(({identity}))")) {
        Ok(found) => found.rows,
        Err(_) => ask(&format!("({identity})"))?.rows,
    };
    let mut report = blank(block, identity);
    for row in rows {
        let holds = match row[1] {
            Value::Number(number) => Some(number != 0.0),
            _ => None,
        };
        record(&mut report, &row[0], holds);
    }
    Ok(report)
}

fn conventional(
    engine: &Engine,
    block: &IndicatorBlock,
    context: &str,
) -> Result<Vec<IdentityReport>, InputError> {
    let sql = format!("select * from {} limit 0", block.from);
    let columns = engine.query(&sql, context)?.columns;
    let column_of = |term: &str| columns.iter().find(|column| is_term(column, term));
    let has = |identity: &Conventional| {
        column_of(identity.left).is_some() && identity.right.iter().all(|t| column_of(t).is_some())
    };
    let identities: Vec<&Conventional> = CONVENTIONAL.iter().filter(|i| has(i)).collect();
    if identities.is_empty() {
        return Ok(Vec::new());
    }
    let terms: Vec<(&str, &String)> = TERMS
        .iter()
        .filter_map(|term| Some((*term, column_of(term)?)))
        .collect();
    let sums: Vec<String> = terms.iter().map(|(_, column)| sums_of(column)).collect();
    let sql = format!(
        "select {KEY}, count(*), {} from {} group by {KEY} order by {KEY}",
        sums.join(", "),
        keyed(block)
    );
    let mut reports: Vec<IdentityReport> = identities
        .iter()
        .map(|identity| blank(block, identity.text))
        .collect();
    let is_long = terms.iter().any(|(term, _)| *term == "voix");
    let summed: Vec<bool> = terms
        .iter()
        .map(|(_, column)| is_summed(block, column))
        .collect();
    let Ok(found) = engine.query(&sql, &format!("{context}, identities")) else {
        // A column of one of these names that does not hold numbers is no such count.
        return Ok(Vec::new());
    };
    for row in found.rows {
        let figure = |term: &str| {
            let at = terms.iter().position(|(known, _)| *known == term)?;
            let once = is_long && term != "voix" && !summed[at];
            figure_of(&row[2 + 4 * at..6 + 4 * at], &row[1], once)
        };
        for (identity, report) in identities.iter().zip(&mut reports) {
            let left = figure(identity.left);
            let right: Option<f64> = identity.right.iter().map(|term| figure(term)).sum();
            let holds = left
                .zip(right)
                .map(|(left, right)| (identity.holds)(left, right));
            record(report, &row[0], holds);
        }
    }
    Ok(reports)
}

/// Whether a column goes by the name of a term.
fn is_term(column: &str, term: &str) -> bool {
    crate::join::rules::folded(column).chars().eq(term.chars())
}

/// Sum, count, minimum and maximum of a column.
fn sums_of(column: &str) -> String {
    let name = format!("\"{}\"", column.replace('"', "\"\""));
    format!("sum({name}), count({name}), min({name}), max({name})")
}

/// A figure of one key, missing when one of its rows is.
///
/// A relation with a row a candidate repeats the station's counts on each: then the count is the
/// one that they repeat (`once`), unless the block sums it, which the identity is there to catch.
fn figure_of(sums: &[Value], rows: &Value, once: bool) -> Option<f64> {
    let [sum, count, min, max] = sums else {
        return None;
    };
    let Value::Number(sum) = sum else {
        return None;
    };
    if count != rows {
        return None;
    }
    match min {
        Value::Number(repeated) if once && min == max => Some(*repeated),
        _ => Some(*sum),
    }
}

/// Whether an indicator of the block sums the column.
fn is_summed(block: &IndicatorBlock, column: &str) -> bool {
    let sums_it = |sql: &str| {
        let summed = sql
            .strip_prefix("sum(")
            .and_then(|rest| rest.strip_suffix(')'));
        summed.is_some_and(|name| name.trim_matches('"').to_lowercase() == column.to_lowercase())
    };
    block
        .columns
        .iter()
        .filter_map(|indicator| decompose(&indicator.sql))
        .any(|parts| parts.aggregates.iter().any(|part| sums_it(&part.sql)))
}

fn blank(block: &IndicatorBlock, identity: &str) -> IdentityReport {
    IdentityReport {
        from: block.from.clone(),
        identity: identity.to_owned(),
        ..IdentityReport::default()
    }
}

fn record(report: &mut IdentityReport, key: &Value, holds: Option<bool>) {
    match holds {
        Some(true) => report.holds += 1,
        Some(false) => {
            report.fails += 1;
            if report.examples.len() < EXAMPLES {
                report.examples.push(text_of(key).unwrap_or_default());
            }
        }
        None => report.skipped += 1,
    }
}
