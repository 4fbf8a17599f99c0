//! A filter bound to the columns of one table.

use super::arithmetic::{Arithmetic, Step};
use super::ast::Comparison;
use super::codes::{self, Codes};
use super::expr::{Criterion, Number, Text, TextColumn};
use super::spatial::{Place, Shapes};
use crate::dataset::columns::{Column, Texts};
use crate::density::dimension::{CodeSet, Dimension};

/// What filters run over: columns by name and, for spatial predicates, the units' shapes.
pub trait Table {
    fn rows(&self) -> usize;

    fn column(&self, name: &str) -> Option<&Column>;

    /// An attribute kept as bit planes, of a table that has no column of this name.
    fn dimension(&self, _name: &str) -> Option<&Dimension> {
        None
    }

    /// `None` where there is no geometry at hand.
    fn shapes(&self) -> Option<&dyn Shapes> {
        None
    }
}

/// Why a filter cannot run over a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message documents the variant")]
pub enum CompileError {
    #[error("`{0}` is not a column here")]
    Missing(String),
    #[error("column `{0}` is of another type than the filter was written for")]
    Kind(String),
    #[error("column `{name}` has {found} rows, not {expected}")]
    Rows {
        name: String,
        found: usize,
        expected: usize,
    },
    #[error("there are no shapes here for a spatial predicate")]
    Shapes,
}

/// A filter ready to run.
pub struct Program<'a> {
    pub(super) rows: usize,
    pub(super) root: Node<'a>,
}

impl std::fmt::Debug for Program<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program")
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

pub(super) enum Node<'a> {
    Constant(Option<bool>),
    /// Cheapest first, as in [`Node::Any`].
    All(Vec<Node<'a>>),
    Any(Vec<Node<'a>>),
    Same {
        equal: bool,
        sides: Box<[Node<'a>; 2]>,
    },
    Unknown {
        condition: Box<Node<'a>>,
        negated: bool,
    },
    Leaf(Leaf<'a>),
}

/// A condition on a row's own values.
pub(super) enum Leaf<'a> {
    /// A column against a constant that is not NaN.
    Compared {
        values: &'a [f64],
        comparison: Comparison,
        constant: f64,
    },
    Computed {
        comparison: Comparison,
        sides: [Arithmetic<'a>; 2],
    },
    Among {
        value: Arithmetic<'a>,
        /// Ascending.
        list: Vec<f64>,
        negated: bool,
    },
    NumberMissing {
        value: Arithmetic<'a>,
        negated: bool,
    },
    Coded {
        codes: &'a [u32],
        set: Codes,
        known: Codes,
    },
    TextMissing {
        codes: &'a [u32],
        known: Codes,
        negated: bool,
    },
    /// The codes of a dimension that pass, and those where the condition is not unknown.
    Classed {
        dimension: &'a Dimension,
        set: CodeSet,
        known: CodeSet,
    },
    Ranked {
        comparison: Comparison,
        sides: [(RowCodes<'a>, Vec<u32>); 2],
    },
    Spatial {
        place: Place,
        shapes: &'a dyn Shapes,
    },
}

/// A code a row: of dictionary-coded text, or of a dimension's class.
#[derive(Clone, Copy)]
pub(super) enum RowCodes<'a> {
    Column(&'a [u32]),
    Classes(&'a Dimension),
}

/// Text of a table by either representation.
#[derive(Clone, Copy)]
enum TextSource<'a> {
    Column(&'a Texts),
    Classes(&'a Dimension),
}

impl<'a> TextSource<'a> {
    fn dictionary(self) -> &'a [Box<str>] {
        match self {
            Self::Column(texts) => texts.dictionary(),
            Self::Classes(dimension) => &dimension.classes,
        }
    }

    fn row_codes(self) -> RowCodes<'a> {
        match self {
            Self::Column(texts) => RowCodes::Column(texts.codes()),
            Self::Classes(dimension) => RowCodes::Classes(dimension),
        }
    }

    /// The condition that a row's text is one of `set`.
    fn among(self, set: Codes) -> Leaf<'a> {
        match self {
            Self::Column(texts) => Leaf::Coded {
                codes: texts.codes(),
                set,
                known: Codes::all(texts.dictionary()),
            },
            Self::Classes(dimension) => Leaf::Classed {
                dimension,
                set: dimension.codes_of(|class| set.contains(class)),
                known: !dimension.missing(),
            },
        }
    }
}

/// Binds a condition to the columns it names.
pub(super) fn compile<'a>(
    condition: &Criterion,
    table: &'a dyn Table,
) -> Result<Program<'a>, CompileError> {
    Ok(Program {
        rows: table.rows(),
        root: Compiler { table }.node(condition)?,
    })
}

struct Compiler<'a> {
    table: &'a dyn Table,
}

type Compiled<T> = Result<T, CompileError>;

impl<'a> Compiler<'a> {
    fn node(&self, condition: &Criterion) -> Compiled<Node<'a>> {
        let leaf = match condition {
            Criterion::Constant(value) => return Ok(Node::Constant(*value)),
            Criterion::And(members) => return Ok(Node::All(self.members(members)?)),
            Criterion::Or(members) => return Ok(Node::Any(self.members(members)?)),
            Criterion::Booleans { equal, sides } => {
                return Ok(Node::Same {
                    equal: *equal,
                    sides: Box::new([self.node(&sides[0])?, self.node(&sides[1])?]),
                });
            }
            Criterion::Unknown { condition, negated } => {
                return Ok(Node::Unknown {
                    condition: Box::new(self.node(condition)?),
                    negated: *negated,
                });
            }
            Criterion::Numbers(comparison, left, right) => {
                self.numbers(*comparison, left, right)?
            }
            Criterion::NumberIn {
                value,
                list,
                negated,
            } => Leaf::Among {
                value: self.arithmetic(value)?,
                list: list.clone(),
                negated: *negated,
            },
            Criterion::NumberMissing { value, negated } => Leaf::NumberMissing {
                value: self.arithmetic(value)?,
                negated: *negated,
            },
            Criterion::Texts(comparison, left, right) => self.texts(*comparison, left, right)?,
            Criterion::TextIn {
                value,
                list,
                negated,
            } => self.coded(value, "", |text| {
                let found = list.binary_search_by(|item| item.as_str().cmp(text));
                found.is_ok() != *negated
            })?,
            Criterion::Like {
                value,
                pattern,
                negated,
            } => {
                // Where no match passes, the values without the prefix do.
                let prefix = if *negated { "" } else { pattern.prefix() };
                self.coded(value, prefix, |text| pattern.matches(text) != *negated)?
            }
            Criterion::TextMissing { column, negated } => self.text_missing(column, *negated)?,
            Criterion::Spatial {
                relation,
                shape,
                negated,
            } => Leaf::Spatial {
                place: Place::new(*relation, shape, *negated),
                shapes: self.table.shapes().ok_or(CompileError::Shapes)?,
            },
        };
        Ok(Node::Leaf(leaf))
    }

    fn members(&self, members: &[Criterion]) -> Compiled<Vec<Node<'a>>> {
        let nodes = members.iter().map(|member| self.node(member));
        let mut nodes = nodes.collect::<Compiled<Vec<_>>>()?;
        nodes.sort_by_key(Node::cost);
        Ok(nodes)
    }

    fn numbers(&self, comparison: Comparison, left: &Number, right: &Number) -> Compiled<Leaf<'a>> {
        let sides = [self.arithmetic(left)?, self.arithmetic(right)?];
        Ok(match (sides[0].as_column(), sides[1].as_constant()) {
            (Some(values), Some(constant)) => Leaf::Compared {
                values,
                comparison,
                constant,
            },
            _ => Leaf::Computed { comparison, sides },
        })
    }

    fn texts(&self, comparison: Comparison, left: &TextColumn, right: &Text) -> Compiled<Leaf<'a>> {
        match right {
            Text::Constant(constant) if left.fold.is_none() => {
                let source = self.text_source(&left.name)?;
                let set = Codes::compared(source.dictionary(), comparison, constant);
                Ok(source.among(set))
            }
            Text::Constant(constant) => {
                self.coded(left, "", |text| comparison.holds(&text, &constant.as_str()))
            }
            Text::Column(right) => {
                let left_source = self.text_source(&left.name)?;
                let right_source = self.text_source(&right.name)?;
                let [left_ranks, right_ranks] = codes::ranks([
                    (left_source.dictionary(), left.fold),
                    (right_source.dictionary(), right.fold),
                ]);
                Ok(Leaf::Ranked {
                    comparison,
                    sides: [
                        (left_source.row_codes(), left_ranks),
                        (right_source.row_codes(), right_ranks),
                    ],
                })
            }
        }
    }

    fn text_missing(&self, column: &str, negated: bool) -> Compiled<Leaf<'a>> {
        Ok(match self.text_source(column)? {
            TextSource::Column(texts) => Leaf::TextMissing {
                codes: texts.codes(),
                known: Codes::all(texts.dictionary()),
                negated,
            },
            TextSource::Classes(dimension) => {
                let missing = dimension.missing();
                Leaf::Classed {
                    dimension,
                    set: if negated { !missing } else { missing },
                    known: CodeSet::MAX,
                }
            }
        })
    }

    fn coded(
        &self,
        value: &TextColumn,
        prefix: &str,
        passes: impl FnMut(&str) -> bool,
    ) -> Compiled<Leaf<'a>> {
        let source = self.text_source(&value.name)?;
        let set = Codes::of(source.dictionary(), value.fold, prefix, passes);
        Ok(source.among(set))
    }

    fn arithmetic(&self, value: &Number) -> Compiled<Arithmetic<'a>> {
        let mut steps = Vec::new();
        self.steps(value, &mut steps)?;
        Ok(Arithmetic { steps })
    }

    fn steps(&self, value: &Number, steps: &mut Vec<Step<'a>>) -> Compiled<()> {
        match value {
            Number::Constant(value) => steps.push(Step::Constant(*value)),
            Number::Column(name) => match self.column(name)? {
                Column::Number(numbers) => steps.push(Step::Column(numbers.values())),
                Column::Text(_) => return Err(CompileError::Kind(name.clone())),
            },
            Number::Negative(inner) => {
                self.steps(inner, steps)?;
                steps.push(Step::Negative);
            }
            Number::Arithmetic(operator, sides) => {
                self.steps(&sides[0], steps)?;
                self.steps(&sides[1], steps)?;
                steps.push(Step::Operator(*operator));
            }
        }
        Ok(())
    }

    fn text_source(&self, name: &str) -> Compiled<TextSource<'a>> {
        if let Some(dimension) = self.table.dimension(name) {
            return Ok(TextSource::Classes(dimension));
        }
        match self.column(name)? {
            Column::Text(texts) => Ok(TextSource::Column(texts)),
            Column::Number(_) => Err(CompileError::Kind(name.to_owned())),
        }
    }

    fn column(&self, name: &str) -> Compiled<&'a Column> {
        let missing = || CompileError::Missing(name.to_owned());
        let column = self.table.column(name).ok_or_else(missing)?;
        if column.len() != self.table.rows() {
            return Err(CompileError::Rows {
                name: name.to_owned(),
                found: column.len(),
                expected: self.table.rows(),
            });
        }
        Ok(column)
    }
}

impl Node<'_> {
    /// What a row costs, in comparisons: cheap members run first and spare the others rows.
    fn cost(&self) -> usize {
        match self {
            Self::Constant(_) => 0,
            Self::All(members) | Self::Any(members) => members.iter().map(Self::cost).sum(),
            Self::Same { sides, .. } => sides.iter().map(Self::cost).sum(),
            Self::Unknown { condition, .. } => condition.cost(),
            Self::Leaf(leaf) => match leaf {
                Leaf::Compared { .. }
                | Leaf::Coded { .. }
                | Leaf::TextMissing { .. }
                | Leaf::Classed { .. } => 1,
                Leaf::NumberMissing { value, .. } => value.steps.len(),
                Leaf::Computed { sides, .. } => sides[0].steps.len() + sides[1].steps.len(),
                Leaf::Ranked { .. } => 4,
                Leaf::Among { value, list, .. } => value.steps.len() + list.len().min(16),
                Leaf::Spatial { .. } => 10_000,
            },
        }
    }
}
