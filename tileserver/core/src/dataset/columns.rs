//! A level's columns in memory: what filters, scores and tiles read.
//!
//! Numbers are used where they lie in the mapped Arrow file; text is dictionary-coded.

use arrow_buffer::ScalarBuffer;

/// One column of a level, indexed by row.
#[derive(Debug, Clone)]
pub enum Column {
    Number(Numbers),
    Text(Texts),
}

/// Float64 values; missing is NaN, and no value present is NaN.
#[derive(Debug, Clone)]
pub struct Numbers {
    values: ScalarBuffer<f64>,
}

/// Dictionary-coded text.
#[derive(Debug, Clone)]
pub struct Texts {
    /// Per row an index into `dictionary`, or [`Texts::MISSING`].
    codes: Vec<u32>,
    /// Distinct values in byte order.
    dictionary: Vec<Box<str>>,
}

impl Column {
    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Number(numbers) => numbers.values.len(),
            Self::Text(texts) => texts.codes.len(),
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values of `rows`, in that order, missing ones all as the same NaN. Panics when a row is
    /// beyond the last.
    #[must_use]
    pub fn take(&self, rows: &[u32]) -> Self {
        match self {
            Self::Number(numbers) => {
                let one_nan = |value: f64| if value.is_nan() { f64::NAN } else { value };
                let values = rows.iter().map(|&r| one_nan(numbers.values[r as usize]));
                Self::Number(Numbers::new(values.collect()))
            }
            Self::Text(texts) => Self::Text(Texts {
                codes: rows.iter().map(|&r| texts.codes[r as usize]).collect(),
                dictionary: texts.dictionary.clone(),
            }),
        }
    }
}

impl Numbers {
    /// `values` holds NaN where a value is missing.
    #[must_use]
    pub fn new(values: ScalarBuffer<f64>) -> Self {
        Self { values }
    }

    /// One value a row; NaN is missing.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The values where they lie, shared.
    pub(super) fn shared(&self) -> ScalarBuffer<f64> {
        self.values.clone()
    }

    /// `None` where missing or beyond the last row.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<f64> {
        self.values
            .get(row)
            .copied()
            .filter(|value| !value.is_nan())
    }
}

impl FromIterator<Option<f64>> for Numbers {
    fn from_iter<I: IntoIterator<Item = Option<f64>>>(values: I) -> Self {
        let values: Vec<f64> = values.into_iter().map(|v| v.unwrap_or(f64::NAN)).collect();
        Self::new(values.into())
    }
}

impl Texts {
    /// The code of a row without a value.
    pub const MISSING: u32 = u32::MAX;

    /// `None` unless the dictionary ascends strictly and every code is in it or [`Self::MISSING`].
    #[must_use]
    pub fn new(codes: Vec<u32>, dictionary: Vec<Box<str>>) -> Option<Self> {
        let ascends = dictionary.is_sorted_by(|a, b| a < b);
        let known = |&code: &u32| code == Self::MISSING || (code as usize) < dictionary.len();
        (ascends && codes.iter().all(known)).then_some(Self { codes, dictionary })
    }

    /// Per row an index into [`Self::dictionary`], or [`Self::MISSING`].
    #[must_use]
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// Distinct values in byte order.
    #[must_use]
    pub fn dictionary(&self) -> &[Box<str>] {
        &self.dictionary
    }

    /// `None` where missing or beyond the last row.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&str> {
        let code = *self.codes.get(row)?;
        self.dictionary.get(code as usize).map(AsRef::as_ref)
    }
}

impl<'a> FromIterator<Option<&'a str>> for Texts {
    /// Panics beyond 2³² − 1 distinct values.
    fn from_iter<I: IntoIterator<Item = Option<&'a str>>>(values: I) -> Self {
        let values: Vec<Option<&str>> = values.into_iter().collect();
        let mut dictionary: Vec<&str> = values.iter().flatten().copied().collect();
        dictionary.sort_unstable();
        dictionary.dedup();
        let codes = values
            .iter()
            .map(|value| {
                value.map_or(Self::MISSING, |text| {
                    let at = dictionary.binary_search(&text).expect("collected above");
                    u32::try_from(at).expect("fewer than 2^32 distinct values")
                })
            })
            .collect();
        Self {
            codes,
            dictionary: dictionary.into_iter().map(Into::into).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_numbers_are_one_nan() {
        let values = vec![1.5, f64::from_bits(f64::NAN.to_bits() | 7), -f64::NAN];
        let taken = Column::Number(Numbers::new(values.into())).take(&[2, 0, 1]);
        let Column::Number(taken) = taken else {
            panic!("no numbers");
        };
        let bits: Vec<u64> = taken.values().iter().map(|value| value.to_bits()).collect();
        assert_eq!(bits, [f64::NAN, 1.5, f64::NAN].map(f64::to_bits));
    }

    #[test]
    fn text_is_coded_in_byte_order() {
        let texts: Texts = [Some("b"), None, Some("a"), Some("b")]
            .into_iter()
            .collect();
        assert_eq!(texts.codes(), [1, Texts::MISSING, 0, 1]);
        assert_eq!(texts.get(0), Some("b"));
        assert_eq!(texts.get(1), None);
        assert_eq!(texts.get(9), None);
    }
}
