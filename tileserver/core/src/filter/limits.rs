//! How large a filter may be: what bounds the work and the stack of everything behind the parser.

use super::error::{Cause, FilterError};

/// Bytes of the text.
pub const BYTES_MAX: usize = 8192;
/// Parentheses, NOT, signs, powers and calls inside one another.
pub const DEPTH_MAX: usize = 32;
/// Operators, predicates, properties and calls.
pub const NODES_MAX: usize = 512;
/// Numbers, texts, dates and truth values.
pub const LITERALS_MAX: usize = 1000;
/// Vertices of all geometry literals.
pub const VERTICES_MAX: usize = 1000;

/// Counts what a parser has met so far.
#[derive(Debug, Default)]
pub(super) struct Budget {
    depth: usize,
    nodes: usize,
    literals: usize,
    vertices: usize,
}

impl Budget {
    /// A budget for `text`, unless it is too long to be looked at.
    pub(super) fn of(text: &str) -> Result<Self, FilterError> {
        if text.len() > BYTES_MAX {
            return Err(Cause::TooLong(text.len()).at(BYTES_MAX));
        }
        Ok(Self::default())
    }

    pub(super) fn node(&mut self, at: usize) -> Result<(), FilterError> {
        count(&mut self.nodes, NODES_MAX, Cause::TooManyNodes, at)
    }

    pub(super) fn literal(&mut self, at: usize) -> Result<(), FilterError> {
        count(&mut self.literals, LITERALS_MAX, Cause::TooManyLiterals, at)
    }

    pub(super) fn vertex(&mut self, at: usize) -> Result<(), FilterError> {
        count(&mut self.vertices, VERTICES_MAX, Cause::TooManyVertices, at)
    }

    /// One level down; [`Self::leave`] comes back up.
    pub(super) fn enter(&mut self, at: usize) -> Result<(), FilterError> {
        count(&mut self.depth, DEPTH_MAX, Cause::TooDeep, at)
    }

    pub(super) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }
}

fn count(counter: &mut usize, max: usize, cause: Cause, at: usize) -> Result<(), FilterError> {
    *counter += 1;
    if *counter > max {
        return Err(cause.at(at));
    }
    Ok(())
}
