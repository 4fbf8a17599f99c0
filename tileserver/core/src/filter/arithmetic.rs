//! Arithmetic over columns, 64 rows at a time.

use super::ast::Operator;

/// Rows of one word of a bitmap.
pub(super) const LANES: usize = 64;

/// Values of 64 consecutive rows; NaN where missing, and beyond the last row.
pub(super) type Chunk = [f64; LANES];

/// An expression in postfix order.
#[derive(Debug, Clone)]
pub(super) struct Arithmetic<'a> {
    pub(super) steps: Vec<Step<'a>>,
}

#[derive(Debug, Clone)]
pub(super) enum Step<'a> {
    Column(&'a [f64]),
    Constant(f64),
    Negative,
    Operator(Operator),
}

impl<'a> Arithmetic<'a> {
    /// The column, where the expression is nothing else.
    pub(super) fn as_column(&self) -> Option<&'a [f64]> {
        match self.steps.as_slice() {
            [Step::Column(values)] => Some(values),
            _ => None,
        }
    }

    /// The constant, where the expression is nothing else.
    pub(super) fn as_constant(&self) -> Option<f64> {
        match self.steps.as_slice() {
            [Step::Constant(value)] => Some(*value),
            _ => None,
        }
    }

    /// The values of the rows from `start` on. `stack` is scratch space, reused between calls.
    pub(super) fn chunk(&self, start: usize, stack: &mut Vec<Chunk>) -> Chunk {
        stack.clear();
        for step in &self.steps {
            match step {
                Step::Column(values) => stack.push(load(values, start)),
                Step::Constant(value) => stack.push([*value; LANES]),
                Step::Negative => {
                    if let Some(top) = stack.last_mut() {
                        *top = top.map(|v| -v);
                    }
                }
                Step::Operator(operator) => {
                    if let Some(right) = stack.pop()
                        && let Some(left) = stack.last_mut()
                    {
                        operate(*operator, left, &right);
                    }
                }
            }
        }
        stack.pop().unwrap_or([f64::NAN; LANES])
    }
}

fn load(values: &[f64], start: usize) -> Chunk {
    let rest = &values[start.min(values.len())..];
    if let Some(chunk) = rest.first_chunk() {
        return *chunk;
    }
    let mut chunk = [f64::NAN; LANES];
    chunk[..rest.len()].copy_from_slice(rest);
    chunk
}

/// The operator is matched outside of the loops, which then are vectorised.
fn operate(operator: Operator, left: &mut Chunk, right: &Chunk) {
    match operator {
        Operator::Add => zip(left, right, |a, b| Operator::Add.apply(a, b)),
        Operator::Subtract => zip(left, right, |a, b| Operator::Subtract.apply(a, b)),
        Operator::Multiply => zip(left, right, |a, b| Operator::Multiply.apply(a, b)),
        Operator::Divide => zip(left, right, |a, b| Operator::Divide.apply(a, b)),
        other => zip(left, right, |a, b| other.apply(a, b)),
    }
}

fn zip(left: &mut Chunk, right: &Chunk, f: impl Fn(f64, f64) -> f64) {
    for (a, b) in left.iter_mut().zip(right) {
        *a = f(*a, *b);
    }
}
