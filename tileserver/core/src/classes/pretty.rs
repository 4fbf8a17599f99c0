//! Round limits: the algorithm of R's `pretty` (R 4, `src/appl/pretty.c`), with its defaults.

/// Within so much of a limit, in steps, a value is on it.
const SLACK: f64 = 1e-10;

/// What R takes a narrower class for, and a wider: ten to a power beyond is 0 or infinite.
const NARROWEST: f64 = 20.0 * f64::MIN_POSITIVE;
const WIDEST: f64 = 0.1 * f64::MAX;

/// The limits above the first of about `k` classes that cover `min..=max`; `min < max`.
pub(super) fn upper(min: f64, max: f64, k: usize) -> Vec<f64> {
    let unit = Unit::near(cell(min, max, k).clamp(NARROWEST, WIDEST));
    let mut first = unit.steps(min).floor();
    let mut last = unit.steps(max).ceil();
    let lacking = real(k / 3) - (last - first);
    if lacking > 0.0 {
        let (less, more) = ((lacking / 2.0).floor(), (lacking / 2.0).ceil());
        let (below, above) = if first >= 0.0 {
            (more, less)
        } else {
            (less, more)
        };
        first -= below;
        last += above;
    }
    let mut upper = Vec::new();
    let mut step = first + 1.0;
    while step < last {
        upper.push(unit.at(step));
        step += 1.0;
    }
    // By rounding the last limit may fall short, or overflow; a limit below the data holds nothing.
    let end = unit.at(last);
    upper.retain(|limit| (min..max).contains(limit));
    upper.push(if end.is_finite() { end.max(max) } else { max });
    upper
}

/// The width of a class before rounding.
fn cell(min: f64, max: f64, k: usize) -> f64 {
    let width = max / real(k) - min / real(k);
    let magnitude = min.abs().max(max.abs());
    if width >= 1.2 * f64::EPSILON * magnitude {
        return width;
    }
    // The values are equal but for rounding: one class around them.
    let wide = if magnitude > 10.0 {
        9.0 + magnitude / 10.0
    } else {
        magnitude
    };
    0.75 * wide
}

/// A width of 1, 2, 5 or 10 times a power of ten.
struct Unit {
    multiple: f64,
    /// The power of ten, or its inverse: `3 / 10` is 0.3, `3 · 0.1` is not.
    power: f64,
    inverse: bool,
}

impl Unit {
    /// The round width that fits `cell`, biased towards greater ones.
    fn near(cell: f64) -> Self {
        const BIAS: f64 = 1.5;
        const BIAS_FIVE: f64 = 0.5 + 1.5 * BIAS;
        let exponent = cell.log10().floor();
        let base = 10_f64.powf(exponent);
        let mut multiple = 1.0;
        for (next, bias) in [(2.0, BIAS), (5.0, BIAS_FIVE), (10.0, BIAS)] {
            if next * base - cell >= bias * (cell - multiple * base) {
                break;
            }
            multiple = next;
        }
        Self {
            multiple,
            power: 10_f64.powf(exponent.abs()),
            inverse: exponent < 0.0,
        }
    }

    fn at(&self, step: f64) -> f64 {
        let whole = step * self.multiple;
        if self.inverse {
            whole / self.power
        } else {
            whole * self.power
        }
    }

    fn steps(&self, value: f64) -> f64 {
        let steps = value / self.at(1.0);
        let nearest = steps.round();
        if (steps - nearest).abs() < SLACK {
            nearest
        } else {
            steps
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a number of classes")]
fn real(count: usize) -> f64 {
    count as f64
}
