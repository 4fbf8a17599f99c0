//! cql2-text to tokens, in one pass.

use super::error::{Cause, FilterError, excerpt};
use super::limits::DEPTH_MAX;

/// Geometry literals and lists nest a little deeper than their conditions: `MULTIPOLYGON(((`.
const PARENTHESES_MAX: usize = DEPTH_MAX + 4;

/// A token and the bytes it spans.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: TokenKind<'a>,
    pub(crate) at: usize,
    pub(crate) end: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TokenKind<'a> {
    Number(f64),
    /// Unescaped.
    Text(String),
    /// A keyword, a function or a property.
    Word(&'a str),
    /// A name in double quotes, unescaped: always a property.
    Quoted(String),
    Symbol(&'a str),
}

pub(crate) fn tokens(text: &str) -> Result<Vec<Token<'_>>, FilterError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    let mut depth = 0_usize;
    while let Some(c) = text[at..].chars().next() {
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let (kind, length) = token(text, at, c)?;
        let end = at + length;
        // Before anything recurses; the parser counts what nests without parentheses.
        match kind {
            TokenKind::Symbol("(") => depth += 1,
            TokenKind::Symbol(")") => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > PARENTHESES_MAX {
            return Err(Cause::TooDeep.at(at));
        }
        tokens.push(Token { kind, at, end });
        at = end;
    }
    Ok(tokens)
}

fn token(text: &str, at: usize, first: char) -> Result<(TokenKind<'_>, usize), FilterError> {
    let rest = &text[at..];
    match first {
        '\'' => {
            let (content, length) = quoted(rest, '\'').ok_or(Cause::OpenText.at(at))?;
            Ok((TokenKind::Text(content), length))
        }
        '"' => {
            let (content, length) = quoted(rest, '"').ok_or(Cause::OpenName.at(at))?;
            Ok((TokenKind::Quoted(content), length))
        }
        '0'..='9' | '.' => number(rest, at),
        c if is_name_start(c) => {
            let length = rest.find(|c| !is_name_part(c)).unwrap_or(rest.len());
            Ok((TokenKind::Word(&rest[..length]), length))
        }
        _ => symbol(rest)
            .map(|symbol| (TokenKind::Symbol(symbol), symbol.len()))
            .ok_or(Cause::Character(first).at(at)),
    }
}

/// The content of a text or name that opens at the start of `rest`, and its length in `rest`.
/// Inside, the quote is written twice.
fn quoted(rest: &str, quote: char) -> Option<(String, usize)> {
    let mut content = String::new();
    let mut from = 1;
    loop {
        let close = from + rest[from..].find(quote)?;
        content.push_str(&rest[from..close]);
        from = close + 1;
        if !rest[from..].starts_with(quote) {
            return Some((content, from));
        }
        content.push(quote);
        from += 1;
    }
}

fn number(rest: &str, at: usize) -> Result<(TokenKind<'_>, usize), FilterError> {
    let bytes = rest.as_bytes();
    let digits = |mut i: usize| {
        while bytes.get(i).is_some_and(u8::is_ascii_digit) {
            i += 1;
        }
        i
    };
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        // Without digits the `e` starts a word, refused below.
        if exponent > end + 1 + sign {
            end = exponent;
        }
    }
    let touching = rest[end..]
        .find(|c| !is_name_part(c))
        .unwrap_or(rest.len() - end);
    let written = &rest[..end + touching];
    let refused = || Cause::Number(excerpt(written)).at(at);
    let value: f64 = written.parse().map_err(|_| refused())?;
    if touching > 0 || !value.is_finite() {
        return Err(refused());
    }
    Ok((TokenKind::Number(value), end))
}

fn symbol(rest: &str) -> Option<&str> {
    [
        "<>", "<=", ">=", "!=", "=", "<", ">", "(", ")", ",", "+", "-", "*", "/", "%", "^",
    ]
    .into_iter()
    .find(|symbol| rest.starts_with(symbol))
}

/// The first character of an unquoted name: CQL2's `identifierStart`.
pub(crate) fn is_name_start(c: char) -> bool {
    matches!(c, ':' | '_') || c.is_alphabetic()
}

/// A further character of an unquoted name: CQL2's `identifierPart`.
pub(crate) fn is_name_part(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '.' | '0'..='9' | '\u{300}'..='\u{36F}' | '\u{203F}' | '\u{2040}')
}
