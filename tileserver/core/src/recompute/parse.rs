//! Reads formulas: SQL expressions over columns in double quotes.
//!
//! ```text
//! or = and { OR and }      and = not { AND not }      not = NOT not | equality
//! equality = relation { (=|<>) relation | IS [NOT] NULL }   relation = sum { (<|<=|>|>=) sum }
//! sum = product { (+|-) product }    product = sign { (*|/) sign }    sign = (-|+) sign | operand
//! operand = number | "column" | ( or ) | NULL | CAST(or AS real) | CASE … END
//!         | abs, coalesce, max, min, nullif, round ( or, … )
//! ```
//! Numbers are real, so division is. The lexer is that of filters, whose limits hold here, too.

use super::formula::{Expression, Function};
use crate::dataset::schema::Component;
use crate::filter::ast::{Comparison, Operator};
use crate::filter::lexer::{self, Token, TokenKind};
use crate::filter::limits::{BYTES_MAX, DEPTH_MAX};

/// Why a formula was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("formula of an indicator, byte {position}: {reason}; rerun precompute")]
pub struct FormulaError {
    pub position: usize,
    pub reason: String,
}

/// A chain of operators nests as deep as it is long.
const TOKENS_MAX: usize = 1024;

/// Reads a whole formula over these components.
pub(super) fn parse(text: &str, components: &[Component]) -> Result<Expression, FormulaError> {
    if text.len() > BYTES_MAX {
        return Err(FormulaError {
            position: BYTES_MAX,
            reason: format!("more than {BYTES_MAX} bytes"),
        });
    }
    let tokens = lexer::tokens(text).map_err(|error| FormulaError {
        position: error.position,
        reason: error.cause.to_string(),
    })?;
    if tokens.len() > TOKENS_MAX {
        return Err(FormulaError {
            position: tokens[TOKENS_MAX].at,
            reason: format!("more than {TOKENS_MAX} names, numbers and signs"),
        });
    }
    let mut parser = Parser {
        tokens,
        next: 0,
        depth: 0,
        end: text.len(),
        components,
    };
    let root = parser.or()?;
    if parser.next < parser.tokens.len() {
        return Err(parser.expected("an operator or the end"));
    }
    Ok(root)
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    next: usize,
    depth: usize,
    end: usize,
    components: &'a [Component],
}

type Parsed = Result<Expression, FormulaError>;

impl Parser<'_> {
    fn or(&mut self) -> Parsed {
        let mut left = self.and()?;
        while self.take_word("OR") {
            left = Expression::Or(Box::new([left, self.and()?]));
        }
        Ok(left)
    }

    fn and(&mut self) -> Parsed {
        let mut left = self.not()?;
        while self.take_word("AND") {
            left = Expression::And(Box::new([left, self.not()?]));
        }
        Ok(left)
    }

    fn not(&mut self) -> Parsed {
        if self.take_word("NOT") {
            let inner = self.nested(Self::not)?;
            return Ok(Expression::Not(Box::new(inner)));
        }
        self.equality()
    }

    fn equality(&mut self) -> Parsed {
        let mut left = self.relation()?;
        loop {
            if let Some(comparison) = self.take_comparison(&["=", "<>", "!="]) {
                left = Expression::Compare(comparison, Box::new([left, self.relation()?]));
            } else if self.take_word("IS") {
                let negated = self.take_word("NOT");
                self.expect_word("NULL")?;
                left = Expression::IsMissing(Box::new(left));
                if negated {
                    left = Expression::Not(Box::new(left));
                }
            } else {
                return Ok(left);
            }
        }
    }

    fn relation(&mut self) -> Parsed {
        let mut left = self.sum()?;
        while let Some(comparison) = self.take_comparison(&["<", "<=", ">", ">="]) {
            left = Expression::Compare(comparison, Box::new([left, self.sum()?]));
        }
        Ok(left)
    }

    fn sum(&mut self) -> Parsed {
        self.operators(&["+", "-"], Self::product)
    }

    fn product(&mut self) -> Parsed {
        self.operators(&["*", "/"], Self::sign)
    }

    fn operators(&mut self, symbols: &[&str], operand: fn(&mut Self) -> Parsed) -> Parsed {
        let mut left = operand(self)?;
        while let Some(operator) = self
            .symbol()
            .filter(|symbol| symbols.contains(symbol))
            .and_then(Operator::parse)
        {
            self.next += 1;
            left = Expression::Arithmetic(operator, Box::new([left, operand(self)?]));
        }
        Ok(left)
    }

    fn sign(&mut self) -> Parsed {
        if self.take("+") {
            return self.nested(Self::sign);
        }
        if self.take("-") {
            let inner = self.nested(Self::sign)?;
            return Ok(Expression::Negative(Box::new(inner)));
        }
        self.operand()
    }

    fn operand(&mut self) -> Parsed {
        let Some(token) = self.tokens.get(self.next).cloned() else {
            return Err(self.expected("a value"));
        };
        match token.kind {
            TokenKind::Number(value) => {
                self.next += 1;
                Ok(Expression::Number(value))
            }
            TokenKind::Quoted(name) => {
                let component = self.components.iter().position(|c| c.column == name);
                let at = component.ok_or_else(|| self.expected("a component"))?;
                self.next += 1;
                Ok(Expression::Component(at))
            }
            TokenKind::Symbol("(") => {
                self.next += 1;
                let inner = self.nested(Self::or)?;
                self.expect(")")?;
                Ok(inner)
            }
            TokenKind::Word(word) => {
                let word = word.to_ascii_lowercase();
                self.nested(|parser| parser.word(&word))
            }
            TokenKind::Symbol(_) | TokenKind::Text(_) => Err(self.expected("a value")),
        }
    }

    /// What starts with a word, which is still ahead.
    fn word(&mut self, word: &str) -> Parsed {
        let function = match word {
            "null" => {
                self.next += 1;
                return Ok(Expression::Missing);
            }
            "case" => return self.case(),
            "cast" => return self.cast(),
            "abs" => (Function::Abs, 1..=1),
            "coalesce" => (Function::Coalesce, 2..=usize::MAX),
            "max" => (Function::Max, 2..=usize::MAX),
            "min" => (Function::Min, 2..=usize::MAX),
            "nullif" => (Function::NullIf, 2..=2),
            "round" => (Function::Round, 1..=2),
            _ => return Err(self.expected("a value or a known function")),
        };
        self.next += 1;
        self.expect("(")?;
        let mut arguments = vec![self.or()?];
        while self.take(",") {
            arguments.push(self.or()?);
        }
        if !function.1.contains(&arguments.len()) {
            return Err(self.expected("another number of arguments"));
        }
        self.expect(")")?;
        Ok(Expression::Call(function.0, arguments))
    }

    fn case(&mut self) -> Parsed {
        self.next += 1;
        let subject = if self.peek_word("WHEN") {
            None
        } else {
            Some(self.or()?)
        };
        let mut arms = Vec::new();
        while self.take_word("WHEN") {
            let mut condition = self.or()?;
            if let Some(subject) = &subject {
                let sides = [subject.clone(), condition];
                condition = Expression::Compare(Comparison::Equal, Box::new(sides));
            }
            self.expect_word("THEN")?;
            arms.push([condition, self.or()?]);
        }
        if arms.is_empty() {
            return Err(self.expected("WHEN"));
        }
        let otherwise = if self.take_word("ELSE") {
            self.or()?
        } else {
            Expression::Missing
        };
        self.expect_word("END")?;
        Ok(Expression::Case(arms, Box::new(otherwise)))
    }

    /// To a real, which every number is.
    fn cast(&mut self) -> Parsed {
        self.next += 1;
        self.expect("(")?;
        let inner = self.or()?;
        self.expect_word("AS")?;
        let real = ["real", "double", "float", "numeric"];
        if !real.iter().any(|kind| self.take_word(kind)) {
            return Err(self.expected("REAL"));
        }
        self.expect(")")?;
        Ok(inner)
    }

    fn nested(&mut self, inner: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.expected("fewer levels of nesting"));
        }
        let expression = inner(self)?;
        self.depth -= 1;
        Ok(expression)
    }

    fn symbol(&self) -> Option<&str> {
        match self.tokens.get(self.next).map(|token| &token.kind) {
            Some(TokenKind::Symbol(symbol)) => Some(symbol),
            _ => None,
        }
    }

    fn take(&mut self, symbol: &str) -> bool {
        let found = self.symbol() == Some(symbol);
        self.next += usize::from(found);
        found
    }

    fn take_comparison(&mut self, symbols: &[&str]) -> Option<Comparison> {
        let symbol = self.symbol().filter(|symbol| symbols.contains(symbol))?;
        let comparison = Comparison::parse(symbol)?;
        self.next += 1;
        Some(comparison)
    }

    fn expect(&mut self, symbol: &'static str) -> Result<(), FormulaError> {
        if self.take(symbol) {
            return Ok(());
        }
        Err(self.expected(symbol))
    }

    fn peek_word(&self, word: &str) -> bool {
        matches!(
            self.tokens.get(self.next).map(|token| &token.kind),
            Some(TokenKind::Word(found)) if found.eq_ignore_ascii_case(word)
        )
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.peek_word(word);
        self.next += usize::from(found);
        found
    }

    fn expect_word(&mut self, word: &'static str) -> Result<(), FormulaError> {
        if self.take_word(word) {
            return Ok(());
        }
        Err(self.expected(word))
    }

    fn expected(&self, what: &str) -> FormulaError {
        FormulaError {
            position: self
                .tokens
                .get(self.next)
                .map_or(self.end, |token| token.at),
            reason: format!("expected {what}"),
        }
    }
}
