//! Names and types: from the tree as written to a [`Criterion`] in normal form.

use super::ast::{Comparison, Node, NodeKind, Relation};
use super::error::{Cause, FilterError, excerpt};
use super::expr::{Criterion, Number, Text, TextColumn};
use super::fold::Fold;
use super::like::Pattern;
use super::limits::NODES_MAX;
use super::normal;
use super::queryables::{GEOMETRY, Queryables};
use super::shape::Shape;
use crate::dataset::schema::Kind;
use crate::nfc::composed;

/// What a part of a filter stands for.
enum Value {
    Number(Number),
    Text(Text),
    Boolean(Criterion),
    /// The unit's own.
    Geometry,
    Shape(Shape),
}

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Self::Number(_) => NUMBER,
            Self::Text(_) => TEXT,
            Self::Boolean(_) => BOOLEAN,
            Self::Geometry | Self::Shape(_) => "a geometry",
        }
    }
}

const NUMBER: &str = "a number";
const TEXT: &str = "text";
const BOOLEAN: &str = "a condition";

type Checked<T> = Result<T, FilterError>;

/// The condition that a whole filter stands for.
pub(super) fn check(node: Node, queryables: &Queryables) -> Checked<Criterion> {
    Checker { queryables }.condition(node, "a filter")
}

struct Checker<'a> {
    queryables: &'a Queryables,
}

impl Checker<'_> {
    fn value(&self, node: Node) -> Checked<Value> {
        let at = node.at;
        Ok(match node.kind {
            NodeKind::Number(value) => Value::Number(normal::constant(value)),
            NodeKind::Text(text) => Value::Text(Text::Constant(composed(&text).into_owned())),
            NodeKind::Property(name) => self.property(&name, at)?,
            NodeKind::Geometry(shape) => Value::Shape(shape),
            NodeKind::Fold(fold, inner) => Value::Text(self.folded(fold, *inner)?),
            NodeKind::Negative(inner) => {
                Value::Number(normal::negative(self.number(*inner, "arithmetic")?))
            }
            NodeKind::Arithmetic(operator, left, right) => {
                let left = self.number(*left, "arithmetic")?;
                let right = self.number(*right, "arithmetic")?;
                Value::Number(normal::arithmetic(operator, left, right))
            }
            condition => Value::Boolean(self.predicate(condition, at)?),
        })
    }

    fn predicate(&self, kind: NodeKind, at: usize) -> Checked<Criterion> {
        Ok(match kind {
            NodeKind::Boolean(value) => Criterion::Constant(Some(value)),
            NodeKind::Compare(comparison, left, right) => {
                let (left, right) = (self.value(*left)?, self.value(*right)?);
                compare(comparison, left, right, at)?
            }
            NodeKind::Between(parts) => {
                let [value, low, high] = *parts;
                let low_at = low.at;
                let (value, low, high) = (self.value(value)?, self.value(low)?, self.value(high)?);
                between(value, low, high, low_at)?
            }
            NodeKind::In(value, list) => self.membership(*value, list)?,
            NodeKind::Like(value, pattern) => self.like(*value, *pattern)?,
            NodeKind::IsNull(inner) => match self.value(*inner)? {
                Value::Number(value) => normal::number_missing(value),
                Value::Text(value) => normal::text_missing(value),
                Value::Boolean(condition) => normal::unknown(condition),
                // Every unit has a shape.
                Value::Geometry | Value::Shape(_) => Criterion::Constant(Some(false)),
            },
            NodeKind::Spatial(relation, sides) => self.spatial(relation, *sides, at)?,
            NodeKind::Not(inner) => normal::not(self.condition(*inner, "NOT")?),
            NodeKind::And(members) => normal::all(self.conditions(members, "AND")?),
            NodeKind::Or(members) => normal::any(self.conditions(members, "OR")?),
            scalar => self.condition(scalar.at(at), "a filter")?,
        })
    }

    fn condition(&self, node: Node, what: &'static str) -> Checked<Criterion> {
        let at = node.at;
        match self.value(node)? {
            Value::Boolean(condition) => Ok(condition),
            other => Err(mistyped(what, BOOLEAN, &other, at)),
        }
    }

    fn conditions(&self, nodes: Vec<Node>, what: &'static str) -> Checked<Vec<Criterion>> {
        let conditions = nodes.into_iter().map(|node| self.condition(node, what));
        conditions.collect()
    }

    fn number(&self, node: Node, what: &'static str) -> Checked<Number> {
        let at = node.at;
        match self.value(node)? {
            Value::Number(number) => Ok(number),
            other => Err(mistyped(what, "numbers", &other, at)),
        }
    }

    fn text(&self, node: Node, what: &'static str) -> Checked<Text> {
        let at = node.at;
        match self.value(node)? {
            Value::Text(text) => Ok(text),
            other => Err(mistyped(what, TEXT, &other, at)),
        }
    }

    fn property(&self, name: &str, at: usize) -> Checked<Value> {
        if let Some(property) = self.queryables.get(name) {
            let column = property.column.clone();
            return Ok(match property.kind {
                Kind::Number => Value::Number(Number::Column(column)),
                Kind::Text => Value::Text(Text::Column(TextColumn {
                    name: column,
                    fold: Fold::default(),
                })),
            });
        }
        if name == GEOMETRY {
            let known = self.queryables.has_geometry();
            return known
                .then_some(Value::Geometry)
                .ok_or(Cause::NoGeometry.at(at));
        }
        let near = self.queryables.near(name);
        let name = excerpt(name);
        Err(Cause::UnknownProperty { name, near }.at(at))
    }

    fn folded(&self, fold: Fold, inner: Node) -> Checked<Text> {
        Ok(match self.text(inner, "CASEI or ACCENTI")? {
            Text::Constant(text) => Text::Constant(fold.apply(&text)),
            Text::Column(column) => Text::Column(TextColumn {
                fold: column.fold.with(fold),
                ..column
            }),
        })
    }

    fn membership(&self, value: Node, list: Vec<Node>) -> Checked<Criterion> {
        let at = value.at;
        match self.value(value)? {
            Value::Number(value) => {
                let list = list.into_iter().map(|node| self.number(node, "this list"));
                let list = list.collect::<Checked<Vec<_>>>()?;
                let computed = list.iter().filter(|n| n.constant().is_none()).count();
                if computed * value.nodes() > NODES_MAX {
                    return Err(Cause::TooManyNodes.at(at));
                }
                Ok(normal::number_in(value, list))
            }
            Value::Text(value) => {
                let list = list.into_iter().map(|node| self.text(node, "this list"));
                Ok(normal::text_in(value, list.collect::<Checked<_>>()?))
            }
            other => Err(mistyped("IN", "numbers or text", &other, at)),
        }
    }

    fn like(&self, value: Node, pattern: Node) -> Checked<Criterion> {
        let value = self.text(value, "LIKE")?;
        let at = pattern.at;
        let (raw, fold) = raw_pattern(pattern)?;
        let pattern = Pattern::parse(&raw, fold).map_err(|_| Cause::PatternEscape.at(at))?;
        Ok(normal::like(value, pattern))
    }

    fn spatial(
        &self,
        relation: Relation,
        [left, right]: [Node; 2],
        at: usize,
    ) -> Checked<Criterion> {
        let (relation, shape) = match (self.value(left)?, self.value(right)?) {
            (Value::Geometry, Value::Shape(shape)) => (relation, shape),
            (Value::Shape(shape), Value::Geometry) => (relation.mirrored(), shape),
            _ => return Err(Cause::SpatialOperands.at(at)),
        };
        let allowed = match relation {
            Relation::Intersects | Relation::Disjoint => true,
            Relation::Within => matches!(shape, Shape::Polygons(_)),
            Relation::Contains => !matches!(shape, Shape::Lines(_)),
        };
        if !allowed {
            return Err(Cause::SpatialType(relation.name()).at(at));
        }
        Ok(normal::spatial(relation, shape))
    }
}

/// A text literal and the folds around it, which leave its wildcards alone.
fn raw_pattern(node: Node) -> Checked<(String, Fold)> {
    match node.kind {
        NodeKind::Text(raw) => Ok((composed(&raw).into_owned(), Fold::default())),
        NodeKind::Fold(fold, inner) => {
            let (raw, inner) = raw_pattern(*inner)?;
            Ok((raw, inner.with(fold)))
        }
        _ => Err(Cause::Pattern.at(node.at)),
    }
}

fn compare(comparison: Comparison, left: Value, right: Value, at: usize) -> Checked<Criterion> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            Ok(normal::compare_numbers(comparison, left, right))
        }
        (Value::Text(left), Value::Text(right)) => {
            Ok(normal::compare_texts(comparison, left, right))
        }
        (Value::Boolean(left), Value::Boolean(right)) => match comparison {
            Comparison::Equal => Ok(normal::compare_booleans(true, left, right)),
            Comparison::NotEqual => Ok(normal::compare_booleans(false, left, right)),
            _ => Err(Cause::Type {
                what: "an ordering",
                expected: "numbers or text",
                found: BOOLEAN,
            }
            .at(at)),
        },
        (left @ (Value::Geometry | Value::Shape(_)), _) => Err(mistyped(
            "a comparison",
            "numbers, text or conditions",
            &left,
            at,
        )),
        (left, right) => Err(Cause::Mismatch {
            left: left.kind(),
            right: right.kind(),
        }
        .at(at)),
    }
}

fn between(value: Value, low: Value, high: Value, at: usize) -> Checked<Criterion> {
    match (value, low, high) {
        (Value::Number(value), Value::Number(low), Value::Number(high)) => Ok(normal::all(vec![
            normal::compare_numbers(Comparison::GreaterEqual, value.clone(), low),
            normal::compare_numbers(Comparison::LessEqual, value, high),
        ])),
        (Value::Text(value), Value::Text(low), Value::Text(high)) => Ok(normal::all(vec![
            normal::compare_texts(Comparison::GreaterEqual, value.clone(), low),
            normal::compare_texts(Comparison::LessEqual, value, high),
        ])),
        (value @ (Value::Number(_) | Value::Text(_)), low, high) => {
            let other = if low.kind() == value.kind() {
                high
            } else {
                low
            };
            Err(Cause::Mismatch {
                left: value.kind(),
                right: other.kind(),
            }
            .at(at))
        }
        (value, ..) => Err(mistyped("BETWEEN", "numbers or text", &value, at)),
    }
}

fn mistyped(what: &'static str, expected: &'static str, found: &Value, at: usize) -> FilterError {
    let found = found.kind();
    Cause::Type {
        what,
        expected,
        found,
    }
    .at(at)
}
