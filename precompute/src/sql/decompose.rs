//! An indicator as arithmetic over aggregates that add up: how the figure of several units follows
//! from what each unit keeps.
//!
//! ```text
//! sum(a) filter (where b > 0) / nullif(avg(c), 0)
//!   ─▸ "1" / ("2" / "3")   with 1 = sum(a) filter (…), 2 = sum(c), 3 = count(c)
//! ```

use tilecore::dataset::schema::{Combine, Component, Recompute};

use super::aggregate::{Call, call_at, closing};
use super::token::{Kind, Token, solid_tokens};

/// Scalar functions a formula may call.
const SCALAR: &[&str] = &["abs", "coalesce", "max", "min", "nullif"];

/// Types a cast may name without changing a number.
const REAL_TYPES: &[&str] = &["double", "float", "numeric", "real"];

/// `formula` over aggregates, which have no names yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decomposed {
    /// Each once.
    pub aggregates: Vec<AdditiveAggregate>,
    parts: Vec<Part>,
}

/// An aggregate whose value for several units follows from the values of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdditiveAggregate {
    /// The call, its filter included, in one spelling: equal aggregates have equal text.
    pub sql: String,
    pub combine: Combine,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Aggregate(usize),
}

/// Takes an indicator apart; `None` where its figure does not follow from parts that add up
/// (a median, distinct values, text).
#[must_use]
pub fn decompose(sql: &str) -> Option<Decomposed> {
    let tokens = solid_tokens(sql).ok()?;
    let mut decomposed = Decomposed {
        aggregates: Vec::new(),
        parts: Vec::new(),
    };
    decomposed.add(&tokens, false)?;
    (!decomposed.aggregates.is_empty()).then_some(decomposed)
}

impl Decomposed {
    /// The recipe, with the column that holds each aggregate.
    pub fn named(&self, mut name: impl FnMut(&AdditiveAggregate) -> String) -> Recompute {
        let components: Vec<Component> = self
            .aggregates
            .iter()
            .map(|aggregate| Component {
                column: name(aggregate),
                combine: aggregate.combine,
            })
            .collect();
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Aggregate(at) => format!("\"{}\"", components[*at].column.replace('"', "\"\"")),
        };
        let parts: Vec<String> = self.parts.iter().map(part).collect();
        Recompute {
            formula: parts.join(" "),
            components,
        }
    }

    /// Appends an expression; commas are arguments of a scalar function.
    fn add(&mut self, tokens: &[Token<'_>], in_function: bool) -> Option<()> {
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += match token.kind {
                Kind::Number if is_plain_number(token.text) => self.text(token.text),
                Kind::Symbol if matches!(token.text, "+" | "-" | "*" | "/") => {
                    self.text(token.text)
                }
                Kind::Symbol if token.text == "," && in_function => self.text(","),
                Kind::Open => {
                    let close = closing(tokens, at)?;
                    self.text("(");
                    self.add(&tokens[at + 1..close], false)?;
                    self.text(")");
                    close + 1 - at
                }
                Kind::Word | Kind::Quoted => {
                    let call = call_at(tokens, at)?;
                    let divides = at > 0 && tokens[at - 1].is_symbol("/");
                    self.add_call(tokens, &call, divides)? - at
                }
                _ => return None,
            };
        }
        Some(())
    }

    /// Appends a call and returns the position behind it.
    fn add_call(&mut self, tokens: &[Token<'_>], call: &Call, divides: bool) -> Option<usize> {
        let arguments = &tokens[call.arguments.clone()];
        let behind = call.arguments.end + 1;
        let commas = top_level(arguments, |token| token.is_symbol(","));
        match call.name.as_str() {
            "sum" | "total" | "count" | "avg" => {}
            "min" | "max" if commas.is_empty() => {}
            "cast" => {
                let [as_at] = top_level(arguments, |token| token.is_word("as"))[..] else {
                    return None;
                };
                let [kind] = &arguments[as_at + 1..] else {
                    return None;
                };
                let kind = kind.text.to_ascii_lowercase();
                REAL_TYPES.contains(&kind.as_str()).then_some(())?;
                return self.in_parentheses(&arguments[..as_at], behind);
            }
            "nullif" if divides => {
                // Division by zero is missing anyway.
                let [comma] = commas[..] else { return None };
                let [zero] = &arguments[comma + 1..] else {
                    return None;
                };
                (zero.text.parse() == Ok(0.0)).then_some(())?;
                return self.in_parentheses(&arguments[..comma], behind);
            }
            name if SCALAR.contains(&name) => {
                self.text(name);
                self.text("(");
                self.add(arguments, true)?;
                self.text(")");
                return Some(behind);
            }
            _ => return None,
        }
        self.add_aggregate(tokens, call)
    }

    fn in_parentheses(&mut self, tokens: &[Token<'_>], behind: usize) -> Option<usize> {
        self.text("(");
        self.add(tokens, false)?;
        self.text(")");
        Some(behind)
    }

    fn add_aggregate(&mut self, tokens: &[Token<'_>], call: &Call) -> Option<usize> {
        let arguments = &tokens[call.arguments.clone()];
        let refused = ["select", "distinct", "order", "separator"];
        let is_refused = |token: &Token<'_>| refused.iter().any(|word| token.is_word(word));
        if arguments.iter().any(is_refused) {
            return None;
        }
        let mut end = call.arguments.end + 1;
        if tokens.get(end).is_some_and(|token| token.is_word("filter")) {
            let close = closing(tokens, end + 1)?;
            if tokens[end..close]
                .iter()
                .any(|token| token.is_word("select"))
            {
                return None;
            }
            end = close + 1;
        }
        if tokens.get(end).is_some_and(|token| token.is_word("over")) {
            return None;
        }
        let rest = spelt(&tokens[call.start + 1..end]);
        let combine = match call.name.as_str() {
            "min" => Combine::Min,
            "max" => Combine::Max,
            _ => Combine::Sum,
        };
        if call.name == "avg" {
            self.text("(");
            self.aggregate(format!("sum{rest}"), Combine::Sum);
            self.text("/");
            self.aggregate(format!("count{rest}"), Combine::Sum);
            self.text(")");
        } else {
            self.aggregate(format!("{}{rest}", call.name), combine);
        }
        Some(end)
    }

    fn aggregate(&mut self, sql: String, combine: Combine) {
        let known = self.aggregates.iter().position(|a| a.sql == sql);
        let at = known.unwrap_or(self.aggregates.len());
        if known.is_none() {
            self.aggregates.push(AdditiveAggregate { sql, combine });
        }
        self.parts.push(Part::Aggregate(at));
    }

    fn text(&mut self, text: &str) -> usize {
        self.parts.push(Part::Text(text.to_owned()));
        1
    }
}

/// Positions outside inner parentheses.
fn top_level(tokens: &[Token<'_>], wanted: impl Fn(&Token<'_>) -> bool) -> Vec<usize> {
    let mut depth = 0_usize;
    let mut found = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            _ if depth == 0 && wanted(token) => found.push(i),
            _ => {}
        }
    }
    found
}

fn is_plain_number(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// One spelling for the same SQL: names that are not quoted in lower case, single spaces.
fn spelt(tokens: &[Token<'_>]) -> String {
    let mut sql = String::new();
    let mut before: Option<&Token<'_>> = None;
    for token in tokens {
        let is_tight = |t: &Token<'_>| t.is_symbol(".") || t.is_symbol(",");
        let joins = match before {
            None => true,
            Some(before) => {
                before.kind == Kind::Open
                    || before.is_symbol(".")
                    || token.kind == Kind::Close
                    || is_tight(token)
            }
        };
        if !joins {
            sql.push(' ');
        }
        match token.kind {
            Kind::Word => sql.push_str(&token.text.to_ascii_lowercase()),
            _ => sql.push_str(token.text),
        }
        before = Some(token);
    }
    sql
}

#[cfg(test)]
mod tests;
