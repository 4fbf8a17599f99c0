//! What SQLite's arithmetic would get silently wrong: integer division, and sums of text.

use super::aggregate::{Call, calls};
use super::token::{Kind, Token, TokenError, solid_tokens, tokens};

/// Aggregates whose argument is a number.
const OF_NUMBERS: &[&str] = &["sum", "total", "avg", "median", "quantile"];

/// Makes every division real: `a / b` becomes `a * 1.0 / b`, which binds the same.
pub(super) fn with_real_division(sql: &str) -> Result<String, TokenError> {
    let mut rewritten = String::with_capacity(sql.len() + 32);
    for token in tokens(sql)? {
        if token.is_symbol("/") {
            rewritten.push_str("* 1.0 /");
        } else {
            rewritten.push_str(token.text);
        }
    }
    Ok(rewritten)
}

/// A column used as a number: SQLite would read `abc` as 0 there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NumericUse {
    /// The relation or alias in front, if any.
    pub(super) relation: Option<String>,
    pub(super) column: String,
    /// Whether it is the whole argument of a sum or the like; otherwise an operand, or the
    /// argument of `min` or `max`.
    pub(super) is_summed: bool,
}

/// Every column used as a number.
pub(super) fn numeric_uses(sql: &str) -> Result<Vec<NumericUse>, TokenError> {
    let tokens = solid_tokens(sql)?;
    let mut uses = Vec::new();
    for call in calls(&tokens) {
        let is_sum = OF_NUMBERS.contains(&call.name.as_str());
        if is_sum || matches!(call.name.as_str(), "min" | "max") {
            uses.extend(
                whole_arguments(&tokens, &call).map(|(relation, column)| NumericUse {
                    relation,
                    column,
                    is_summed: is_sum,
                }),
            );
        }
        if is_sum {
            uses.extend(branches(&tokens[call.arguments.clone()]));
        }
    }
    uses.extend(operands(&tokens));
    Ok(uses)
}

/// First arguments that are nothing but a column.
fn whole_arguments<'t>(
    tokens: &'t [Token<'t>],
    call: &Call,
) -> impl Iterator<Item = (Option<String>, String)> + use<'t> {
    let arguments = &tokens[call.arguments.clone()];
    let end = arguments
        .iter()
        .position(|t| t.is_symbol(","))
        .unwrap_or(arguments.len());
    column(&arguments[..end]).into_iter()
}

/// `then column` and `else column` inside a sum.
fn branches<'t>(arguments: &'t [Token<'t>]) -> impl Iterator<Item = NumericUse> + use<'t> {
    let ends_branch = |token: &Token<'_>| ["when", "else", "end"].iter().any(|w| token.is_word(w));
    arguments
        .iter()
        .enumerate()
        .filter(|(_, token)| token.is_word("then") || token.is_word("else"))
        .filter_map(move |(i, _)| {
            let after = &arguments[i + 1..];
            let end = after.iter().position(ends_branch)?;
            column(&after[..end])
        })
        .map(|(relation, column)| NumericUse {
            relation,
            column,
            is_summed: true,
        })
}

/// Columns beside `+`, `-`, `*`, `/` or `%`.
fn operands<'t>(tokens: &'t [Token<'t>]) -> impl Iterator<Item = NumericUse> + use<'t> {
    let is_arithmetic = |token: Option<&Token<'_>>| {
        token.is_some_and(|t| t.kind == Kind::Symbol && "+-*/%".contains(t.text))
    };
    let is_dot = |at: Option<usize>| {
        at.and_then(|at| tokens.get(at))
            .is_some_and(|t| t.is_symbol("."))
    };
    (0..tokens.len()).filter_map(move |i| {
        let name = tokens[i].name()?;
        if is_dot(Some(i + 1)) || tokens.get(i + 1).is_some_and(|t| t.kind == Kind::Open) {
            return None;
        }
        let (relation, first) = match i.checked_sub(2) {
            Some(qualifier) if is_dot(Some(i - 1)) => (tokens[qualifier].name(), qualifier),
            _ => (None, i),
        };
        let before = first.checked_sub(1).and_then(|at| tokens.get(at));
        let is_operand = is_arithmetic(before) || is_arithmetic(tokens.get(i + 1));
        is_operand.then_some(NumericUse {
            relation,
            column: name,
            is_summed: false,
        })
    })
}

/// `column` or `relation.column`, if that is all.
fn column(tokens: &[Token<'_>]) -> Option<(Option<String>, String)> {
    match tokens {
        [name] => Some((None, name.name()?)),
        [relation, dot, name] if dot.is_symbol(".") => Some((relation.name(), name.name()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_divisions_are_rewritten() {
        let rewritten = with_real_division("sum(a)/2 /* a/b */ || '1/2' -- /\n").unwrap();
        assert_eq!(rewritten, "sum(a)* 1.0 /2 /* a/b */ || '1/2' -- /\n");
    }

    fn check(sql: &str, summed: &[&str], others: &[&str]) {
        let uses = numeric_uses(sql).unwrap();
        let names = |is_summed| -> Vec<String> {
            let kept = uses.iter().filter(|u| u.is_summed == is_summed);
            kept.map(|u| u.column.clone()).collect()
        };
        assert_eq!(names(true), summed, "{sql}");
        assert_eq!(names(false), others, "{sql}");
    }

    #[test]
    fn columns_used_as_numbers_are_found() {
        check("sum(a) / sum(t.\"b c\")", &["a", "b c"], &[]);
        check("sum(case when x = 'a' then y else z end)", &["y", "z"], &[]);
        check("sum(distinct a)", &[], &[]);
        check("quantile(a, 0.5) + max(b)", &["a"], &["b"]);
        check("count(a) || upper(b)", &[], &[]);
        check("sum(a * t.b) - c", &[], &["a", "b", "c"]);
        check("abs(a) + f(b)", &[], &[]);
        check("(select sum(a) from t)", &["a"], &[]);
    }
}
