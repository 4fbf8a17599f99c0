//! SQL text as tokens, enough to find names, calls and divisions without parsing.

use std::fmt;

/// A piece of SQL; together the tokens are the whole text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or keyword.
    Word,
    /// A name in `"…"`, `` `…` `` or `[…]`.
    Quoted,
    Number,
    /// `'…'`, also `x'…'`.
    Text,
    Open,
    Close,
    /// `+`, `||`, `,`, `.`, `;`, …
    Symbol,
    /// White space or a comment.
    Blank,
}

/// Why text cannot be SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenError {
    Unclosed(&'static str),
    Character(char),
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unclosed(what) => write!(f, "a {what} is not closed"),
            Self::Character(c) => write!(f, "{c:?} has no meaning in SQL here"),
        }
    }
}

impl Token<'_> {
    /// The name a word or quoted name stands for.
    pub(super) fn name(&self) -> Option<String> {
        match self.kind {
            Kind::Word => Some(self.text.to_owned()),
            Kind::Quoted => {
                let quote = self.text.chars().next_back()?;
                let inner = &self.text[1..self.text.len() - 1];
                Some(inner.replace(&format!("{quote}{quote}"), &quote.to_string()))
            }
            _ => None,
        }
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }
}

/// Splits `sql` as SQLite does.
pub(super) fn tokens(sql: &str) -> Result<Vec<Token<'_>>, TokenError> {
    let mut tokens = Vec::new();
    let mut rest = sql;
    while !rest.is_empty() {
        let (kind, length) = next(rest)?;
        let (text, after) = rest.split_at(length);
        tokens.push(Token { kind, text });
        rest = after;
    }
    Ok(tokens)
}

/// As [`tokens`], without blanks.
pub(super) fn solid_tokens(sql: &str) -> Result<Vec<Token<'_>>, TokenError> {
    let mut tokens = tokens(sql)?;
    tokens.retain(|token| token.kind != Kind::Blank);
    Ok(tokens)
}

/// The kind and length in bytes of the first token.
fn next(rest: &str) -> Result<(Kind, usize), TokenError> {
    let bytes = rest.as_bytes();
    let second = bytes.get(1).copied();
    let first = rest.chars().next().unwrap_or('\0');
    Ok(match first {
        ' ' | '\t' | '\n' | '\r' | '\x0c' => (Kind::Blank, span(rest, |c| c.is_ascii_whitespace())),
        '-' if second == Some(b'-') => (Kind::Blank, rest.find('\n').map_or(rest.len(), |n| n + 1)),
        '/' if second == Some(b'*') => match rest[2..].find("*/") {
            Some(end) => (Kind::Blank, end + 4),
            None => return Err(TokenError::Unclosed("comment")),
        },
        '\'' => (Kind::Text, quoted(rest, '\'', "text in '…'")?),
        '"' => (Kind::Quoted, quoted(rest, '"', "name in \"…\"")?),
        '`' => (Kind::Quoted, quoted(rest, '`', "name in `…`")?),
        '[' => match rest.find(']') {
            Some(end) => (Kind::Quoted, end + 1),
            None => return Err(TokenError::Unclosed("name in […]")),
        },
        'x' | 'X' if second == Some(b'\'') => {
            (Kind::Text, 1 + quoted(&rest[1..], '\'', "blob in x'…'")?)
        }
        '0'..='9' => (Kind::Number, number(bytes)),
        '.' if second.is_some_and(|c| c.is_ascii_digit()) => (Kind::Number, number(bytes)),
        c if is_name_start(c) => (Kind::Word, span(rest, |c| is_name_start(c) || is_inner(c))),
        '(' => (Kind::Open, 1),
        ')' => (Kind::Close, 1),
        _ => (Kind::Symbol, symbol(rest, first)?),
    })
}

fn symbol(rest: &str, first: char) -> Result<usize, TokenError> {
    let long = ["->>", "->", "||", "<<", ">>", "<=", ">=", "<>", "==", "!="];
    if let Some(symbol) = long.iter().find(|symbol| rest.starts_with(**symbol)) {
        return Ok(symbol.len());
    }
    if "+-*/%,.;=<>&|~".contains(first) {
        return Ok(1);
    }
    Err(TokenError::Character(first))
}

/// The length of `'…'` with its quotes; a doubled quote is a quote.
fn quoted(rest: &str, quote: char, what: &'static str) -> Result<usize, TokenError> {
    let mut at = 1;
    while let Some(end) = rest[at..].find(quote) {
        at += end + 1;
        if !rest[at..].starts_with(quote) {
            return Ok(at);
        }
        at += 1;
    }
    Err(TokenError::Unclosed(what))
}

/// The length of a number; letters that touch it are part of it, for SQLite to refuse.
fn number(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let is_exponent_sign = matches!(byte, b'+' | b'-')
            && matches!(bytes[at - 1], b'e' | b'E')
            && !bytes.starts_with(b"0x")
            && bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
        if !byte.is_ascii_alphanumeric() && *byte != b'.' && *byte != b'_' && !is_exponent_sign {
            break;
        }
        at += 1;
    }
    at
}

fn span(rest: &str, belongs: impl Fn(char) -> bool) -> usize {
    rest.find(|c| !belongs(c)).unwrap_or(rest.len())
}

fn is_name_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

fn is_inner(c: char) -> bool {
    c.is_ascii_digit() || c == '$'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(sql: &str, expected: &[&str]) {
        let found: Vec<&str> = solid_tokens(sql).unwrap().iter().map(|t| t.text).collect();
        assert_eq!(found, expected, "{sql}");
    }

    #[test]
    fn splits_as_sqlite_does() {
        check("sum(a)/2", &["sum", "(", "a", ")", "/", "2"]);
        check("a--b\n-c", &["a", "-", "c"]);
        check("a /* / */ / b", &["a", "/", "b"]);
        check("'it''s' || \"a\"\"b\"", &["'it''s'", "||", "\"a\"\"b\""]);
        check("1e-3+.5-1.", &["1e-3", "+", ".5", "-", "1."]);
        check("[a b].`c`", &["[a b]", ".", "`c`"]);
        check("x'00'<>é1", &["x'00'", "<>", "é1"]);
        check("0xe+1", &["0xe", "+", "1"]);
    }

    #[test]
    fn names_lose_their_quotes() {
        let name = |sql| solid_tokens(sql).unwrap()[0].name();
        assert_eq!(name("\"a\"\"b\"").unwrap(), "a\"b");
        assert_eq!(name("[a b]").unwrap(), "a b");
        assert_eq!(name("'a'"), None);
    }

    #[test]
    fn unclosed_and_foreign_text_is_refused() {
        for sql in [
            "'a", "\"a", "[a", "/* a", "`a", "?1", "$a", "@a", ":a", "a\0b", "{",
        ] {
            assert!(tokens(sql).is_err(), "{sql}");
        }
    }

    proptest! {
        #[test]
        fn tokens_are_the_whole_text(sql in "\\PC{0,60}") {
            if let Ok(tokens) = tokens(&sql) {
                let whole: String = tokens.iter().map(|t| t.text).collect();
                prop_assert_eq!(whole, sql);
            }
        }
    }
}
