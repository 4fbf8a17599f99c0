//! Filters: CQL2 over the properties of a level, to the rows that pass.
//!
//! ```text
//! cql2-text ─ lexer ▸ text ─┐
//!                           ├ ast ▸ check (names, types) ▸ normal ▸ Filter ▸ compile ▸ evaluate
//! cql2-json ─────────── json┘                              print: its canonical text
//! ```
//!
//! Supported (OGC 21-065r2): comparisons, AND, OR, NOT, BETWEEN, IN, LIKE, IS NULL, arithmetic
//! with `DIV`, `%` and `^`, CASEI and ACCENTI on either side, dates and instants as ISO text,
//! `S_INTERSECTS`, `S_DISJOINT`, `S_WITHIN` and `S_CONTAINS` of `geometry` with a literal. Text compares
//! by code point. Logic is SQL's, with unknown; `x / 0` is missing.
//!
//! The parsers are bounded by [`limits`] before anything recurses. Texts of filters are data: no
//! part of one reaches anything that interprets it.

mod area;
mod arithmetic;
pub(crate) mod ast;
mod check;
mod codes;
mod date;
mod error;
mod evaluate;
mod expr;
mod fold;
mod json;
pub(crate) mod lexer;
mod like;
pub mod limits;
mod normal;
mod print;
mod program;
mod queryables;
mod shape;
mod spatial;
#[cfg(test)]
mod tests;
mod text;
mod wkt;

pub(crate) use error::hint;
pub use error::{Cause, FilterError};
pub use fold::{casefold, unaccent};
pub use program::{CompileError, Program, Table};
pub use queryables::{GEOMETRY, Queryable, Queryables};
pub use spatial::Shapes;

use ast::Node;
use expr::Criterion;

/// A condition on the units of a level.
///
/// Two filters are equal when their canonical texts are; equal filters pass the same rows of any
/// table. Its memory is bounded by the parsers' limits.
#[derive(Debug, Clone)]
pub struct Filter {
    condition: Criterion,
    canonical: String,
}

impl Filter {
    /// The filter that every row passes.
    #[must_use]
    pub fn everything() -> Self {
        Self::decided(Criterion::Constant(Some(true)))
    }

    /// From cql2-text.
    ///
    /// # Errors
    ///
    /// With the byte and the reason where the text is not a filter over these properties.
    pub fn parse_text(text: &str, queryables: &Queryables) -> Result<Self, FilterError> {
        Self::checked(text::parse(text)?, queryables)
    }

    /// From cql2-json.
    ///
    /// # Errors
    ///
    /// As [`Self::parse_text`].
    pub fn parse_json(json: &str, queryables: &Queryables) -> Result<Self, FilterError> {
        Self::checked(json::parse(json)?, queryables)
    }

    fn checked(node: Node, queryables: &Queryables) -> Result<Self, FilterError> {
        check::check(node, queryables).map(Self::decided)
    }

    fn decided(condition: Criterion) -> Self {
        let condition = normal::decided(condition);
        let canonical = print::criterion(&condition);
        Self {
            condition,
            canonical,
        }
    }

    /// The rows that pass both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::decided(normal::all(vec![self.condition, other.condition]))
    }

    /// The one text of all filters with this normal form, in cql2-text: parsed again, it gives
    /// an equal filter.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// Whether every row of any table passes.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.condition == Criterion::Constant(Some(true))
    }

    /// Whether it looks at numbers only: then it is bound to a table in no time, and costs about a
    /// nanosecond a row and predicate.
    #[must_use]
    pub fn is_numeric(&self) -> bool {
        self.condition.is_numeric()
    }

    /// Binds the filter to a table's columns.
    ///
    /// # Errors
    ///
    /// Where the table lacks a column that the filter names, or has another under its name.
    pub fn compile<'a>(&self, table: &'a dyn Table) -> Result<Program<'a>, CompileError> {
        program::compile(&self.condition, table)
    }
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }
}

impl Eq for Filter {}

impl std::hash::Hash for Filter {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.canonical.hash(state);
    }
}
