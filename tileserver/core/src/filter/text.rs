//! cql2-text to the tree of [`super::ast`] (OGC 21-065r2, annex B).
//!
//! ```text
//! or      = and { OR and }
//! and     = not { AND not }
//! not     = NOT not | predicate
//! predicate = sum [ comparison sum | [NOT] BETWEEN sum AND sum | [NOT] IN ( sum, … )
//!                 | [NOT] LIKE sum | IS [NOT] NULL ]
//! sum     = product { (+|-) product }
//! product = power { (*|/|%|DIV) power }
//! power   = sign [ ^ power ]
//! sign    = (-|+) sign | ( or ) | literal | property | call
//! ```

use super::ast::{Comparison, Node, NodeKind, Operator, Relation};
use super::error::{Cause, FilterError, excerpt};
use super::fold::Fold;
use super::lexer::{self, Token, TokenKind};
use super::limits::Budget;
use super::{date, wkt};

/// Reads a whole filter.
pub(super) fn parse(text: &str) -> Result<Node, FilterError> {
    let budget = Budget::of(text)?;
    let mut parser = Parser {
        tokens: lexer::tokens(text)?,
        next: 0,
        end: text.len(),
        text,
        budget,
    };
    if parser.tokens.is_empty() {
        return Err(Cause::Empty.at(0));
    }
    let tree = parser.or()?;
    match parser.peek() {
        None => Ok(tree),
        Some(_) => Err(parser.unexpected("AND, OR or the end")),
    }
}

pub(super) struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    next: usize,
    end: usize,
    text: &'a str,
    pub(super) budget: Budget,
}

/// Words that are no property unless quoted.
const KEYWORDS: [&str; 11] = [
    "AND", "OR", "NOT", "BETWEEN", "IN", "LIKE", "IS", "NULL", "TRUE", "FALSE", "DIV",
];

type Parsed = Result<Node, FilterError>;

impl<'a> Parser<'a> {
    fn or(&mut self) -> Parsed {
        self.chain("OR", Self::and, NodeKind::Or)
    }

    fn and(&mut self) -> Parsed {
        self.chain("AND", Self::not, NodeKind::And)
    }

    fn chain(
        &mut self,
        word: &str,
        member: fn(&mut Self) -> Parsed,
        join: fn(Vec<Node>) -> NodeKind,
    ) -> Parsed {
        let first = member(self)?;
        let at = first.at;
        let mut members = vec![first];
        while self.take_word(word) {
            self.budget.node(at)?;
            members.push(member(self)?);
        }
        match members.len() {
            1 => Ok(members.remove(0)),
            _ => Ok(join(members).at(at)),
        }
    }

    fn not(&mut self) -> Parsed {
        let at = self.at();
        if !self.take_word("NOT") {
            return self.predicate();
        }
        self.budget.node(at)?;
        let inner = self.nested(at, Self::not)?;
        Ok(NodeKind::Not(Box::new(inner)).at(at))
    }

    fn predicate(&mut self) -> Parsed {
        let value = self.sum()?;
        let at = value.at;
        if let Some(comparison) = self.peek_symbol().and_then(Comparison::parse) {
            self.next += 1;
            self.budget.node(at)?;
            let right = self.sum()?;
            return Ok(NodeKind::Compare(comparison, Box::new(value), Box::new(right)).at(at));
        }
        if self.take_word("IS") {
            self.budget.node(at)?;
            let negated = self.take_word("NOT");
            self.expect_word("NULL", "NULL or NOT NULL")?;
            return Ok(negate(NodeKind::IsNull(Box::new(value)).at(at), negated));
        }
        let negated = self.take_word("NOT");
        let kind = if self.take_word("BETWEEN") {
            let low = self.sum()?;
            self.expect_word("AND", "AND and the upper bound")?;
            let high = self.sum()?;
            NodeKind::Between(Box::new([value, low, high]))
        } else if self.take_word("IN") {
            NodeKind::In(Box::new(value), self.list()?)
        } else if self.take_word("LIKE") {
            NodeKind::Like(Box::new(value), Box::new(self.sum()?))
        } else if negated {
            return Err(self.unexpected("BETWEEN, IN or LIKE"));
        } else {
            return Ok(value);
        };
        self.budget.node(at)?;
        Ok(negate(kind.at(at), negated))
    }

    fn list(&mut self) -> Result<Vec<Node>, FilterError> {
        self.expect("(", "a list in parentheses")?;
        let mut list = vec![self.sum()?];
        while self.take(",") {
            list.push(self.sum()?);
        }
        self.expect(")", "`,` or `)`")?;
        Ok(list)
    }

    fn sum(&mut self) -> Parsed {
        self.operators(&["+", "-"], Self::product)
    }

    fn product(&mut self) -> Parsed {
        self.operators(&["*", "/", "%", "DIV"], Self::power)
    }

    fn operators(&mut self, symbols: &[&str], operand: fn(&mut Self) -> Parsed) -> Parsed {
        let mut left = operand(self)?;
        while let Some(operator) = self.peek_operator(symbols) {
            self.next += 1;
            self.budget.node(left.at)?;
            let right = operand(self)?;
            let at = left.at;
            left = NodeKind::Arithmetic(operator, Box::new(left), Box::new(right)).at(at);
        }
        Ok(left)
    }

    fn power(&mut self) -> Parsed {
        let base = self.sign()?;
        let at = base.at;
        if !self.take("^") {
            return Ok(base);
        }
        self.budget.node(at)?;
        let exponent = self.nested(at, Self::power)?;
        Ok(NodeKind::Arithmetic(Operator::Power, Box::new(base), Box::new(exponent)).at(at))
    }

    fn sign(&mut self) -> Parsed {
        let at = self.at();
        if self.take("+") {
            return self.nested(at, Self::sign);
        }
        if !self.take("-") {
            return self.operand();
        }
        let inner = self.nested(at, Self::sign)?;
        if let NodeKind::Number(value) = inner.kind {
            return Ok(NodeKind::Number(-value).at(at));
        }
        self.budget.node(at)?;
        Ok(NodeKind::Negative(Box::new(inner)).at(at))
    }

    fn operand(&mut self) -> Parsed {
        let at = self.at();
        let Some(token) = self.tokens.get(self.next).cloned() else {
            return Err(self.unexpected("a value"));
        };
        self.next += 1;
        match token.kind {
            TokenKind::Number(value) => {
                self.budget.literal(at)?;
                Ok(NodeKind::Number(value).at(at))
            }
            TokenKind::Text(text) => {
                self.budget.literal(at)?;
                Ok(NodeKind::Text(text).at(at))
            }
            TokenKind::Quoted(name) => self.property(name, at),
            TokenKind::Symbol("(") => {
                let inner = self.nested(at, Self::or)?;
                self.expect(")", "an operator or `)`")?;
                Ok(Node { at, ..inner })
            }
            TokenKind::Word(word) if self.peek_symbol() == Some("(") && !is_keyword(word) => {
                self.budget.node(at)?;
                self.nested(at, |parser| parser.call(word, at))
            }
            TokenKind::Word(word) => self.word(word, at),
            TokenKind::Symbol(_) => {
                self.next -= 1;
                Err(self.unexpected("a value"))
            }
        }
    }

    /// A word that is not followed by a parenthesis.
    fn word(&mut self, word: &str, at: usize) -> Parsed {
        for (literal, value) in [("TRUE", true), ("FALSE", false)] {
            if word.eq_ignore_ascii_case(literal) {
                self.budget.literal(at)?;
                return Ok(NodeKind::Boolean(value).at(at));
            }
        }
        if word.eq_ignore_ascii_case("NULL") {
            return Err(Cause::Null.at(at));
        }
        if is_keyword(word) {
            self.next -= 1;
            return Err(self.unexpected("a value"));
        }
        // `POLYGON Z ((…))`, `POINT EMPTY`
        if wkt::is_type(word) && matches!(self.peek(), Some(TokenKind::Word(_))) {
            let tag = self.peek_word().unwrap_or_default();
            if ["Z", "M", "ZM", "EMPTY"]
                .iter()
                .any(|t| tag.eq_ignore_ascii_case(t))
            {
                self.budget.node(at)?;
                return wkt::literal(self, word, at);
            }
        }
        self.property(word.to_owned(), at)
    }

    fn property(&mut self, name: String, at: usize) -> Parsed {
        self.budget.node(at)?;
        Ok(NodeKind::Property(name).at(at))
    }

    /// What follows the name of a function or geometry type, from its parenthesis on.
    fn call(&mut self, word: &str, at: usize) -> Parsed {
        if wkt::is_type(word) {
            return wkt::literal(self, word, at);
        }
        let name = word.to_ascii_uppercase();
        if let Some(relation) = Relation::parse(&name) {
            self.expect("(", "`(`")?;
            let left = self.or()?;
            self.expect(",", "`,` and a second geometry")?;
            let right = self.or()?;
            self.expect(")", "`)`")?;
            return Ok(NodeKind::Spatial(relation, Box::new([left, right])).at(at));
        }
        let fold = |case, accents| Fold { case, accents };
        match name.as_str() {
            "CASEI" => self.folded(fold(true, false), at),
            "ACCENTI" => self.folded(fold(false, true), at),
            "DATE" | "TIMESTAMP" => self.instant(at),
            _ => Err(Cause::UnknownFunction(excerpt(word)).at(at)),
        }
    }

    fn folded(&mut self, fold: Fold, at: usize) -> Parsed {
        self.expect("(", "`(`")?;
        let inner = self.or()?;
        self.expect(")", "`)`")?;
        Ok(NodeKind::Fold(fold, Box::new(inner)).at(at))
    }

    fn instant(&mut self, at: usize) -> Parsed {
        self.expect("(", "`(`")?;
        let inner = self.operand()?;
        self.expect(")", "`)`")?;
        match inner.kind {
            NodeKind::Text(text) => date::checked(text, inner.at).map(|n| Node { at, ..n }),
            _ => Err(Cause::Unexpected {
                expected: "a date in quotes",
                found: excerpt(&self.text[inner.at..]),
            }
            .at(inner.at)),
        }
    }

    fn nested(&mut self, at: usize, inner: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        self.budget.enter(at)?;
        let node = inner(self)?;
        self.budget.leave();
        Ok(node)
    }

    fn peek(&self) -> Option<&TokenKind<'a>> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    pub(super) fn peek_symbol(&self) -> Option<&'a str> {
        match self.peek() {
            Some(TokenKind::Symbol(symbol)) => Some(symbol),
            _ => None,
        }
    }

    pub(super) fn peek_word(&self) -> Option<&'a str> {
        match self.peek() {
            Some(TokenKind::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn peek_operator(&self, symbols: &[&str]) -> Option<Operator> {
        let symbol = self.peek_symbol().or_else(|| self.peek_word())?;
        let among = symbols.iter().any(|s| s.eq_ignore_ascii_case(symbol));
        among.then(|| Operator::parse(symbol)).flatten()
    }

    /// The byte at which the next token starts.
    pub(super) fn at(&self) -> usize {
        self.tokens
            .get(self.next)
            .map_or(self.end, |token| token.at)
    }

    pub(super) fn take(&mut self, symbol: &str) -> bool {
        let found = self.peek_symbol() == Some(symbol);
        self.next += usize::from(found);
        found
    }

    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = self
            .peek_word()
            .is_some_and(|w| w.eq_ignore_ascii_case(word));
        self.next += usize::from(found);
        found
    }

    /// A number with its signs.
    pub(super) fn take_number(&mut self) -> Result<f64, FilterError> {
        let negative = self.take("-");
        if !negative {
            self.take("+");
        }
        let Some(&TokenKind::Number(value)) = self.peek() else {
            return Err(self.unexpected("a number"));
        };
        self.next += 1;
        Ok(if negative { -value } else { value })
    }

    pub(super) fn expect(&mut self, symbol: &str, what: &'static str) -> Result<(), FilterError> {
        if self.take(symbol) {
            return Ok(());
        }
        Err(self.unexpected(what))
    }

    fn expect_word(&mut self, word: &str, what: &'static str) -> Result<(), FilterError> {
        if self.take_word(word) {
            return Ok(());
        }
        Err(self.unexpected(what))
    }

    pub(super) fn unexpected(&self, expected: &'static str) -> FilterError {
        let found = match self.tokens.get(self.next) {
            Some(token) => format!("`{}`", excerpt(&self.text[token.at..token.end])),
            None => "the end".to_owned(),
        };
        Cause::Unexpected { expected, found }.at(self.at())
    }
}

fn negate(node: Node, negated: bool) -> Node {
    if negated {
        let at = node.at;
        return NodeKind::Not(Box::new(node)).at(at);
    }
    node
}

pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|k| k.eq_ignore_ascii_case(word))
}
