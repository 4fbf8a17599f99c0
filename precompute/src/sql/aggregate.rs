//! The calls in a piece of SQL.

use std::ops::Range;

use super::token::{Kind, Token};

/// `name(arguments)`, by position among the tokens.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// In lower case.
    pub(super) name: String,
    /// The name's token.
    pub(super) start: usize,
    /// The tokens between the parentheses.
    pub(super) arguments: Range<usize>,
}

/// Every call, outer ones before those inside.
pub(super) fn calls(tokens: &[Token<'_>]) -> Vec<Call> {
    (0..tokens.len())
        .filter_map(|start| call_at(tokens, start))
        .collect()
}

/// The call whose name is the token at `start`.
pub(super) fn call_at(tokens: &[Token<'_>], start: usize) -> Option<Call> {
    if tokens.get(start + 1)?.kind != Kind::Open {
        return None;
    }
    let name = tokens[start].name()?.to_lowercase();
    let close = closing(tokens, start + 1)?;
    Some(Call {
        name,
        start,
        arguments: start + 2..close,
    })
}

/// The `)` of the `(` at `open`.
pub(super) fn closing(tokens: &[Token<'_>], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (i, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(i);
                }
            }
            _ => {}
        }
    }
    None
}
