//! One attribute of the contacts as bit planes: a class set is a few Boolean operations a word.
//!
//! A contact's code is 0 where the value is missing, else 1 + the index of its class. Plane `i`
//! holds bit `i` of every contact's code, so 100 million contacts with seven classes take 37 MB
//! and any set of classes is read from them without touching a contact alone.

use arrow_buffer::Buffer;

use crate::bitmap::Bitmap;

/// The most classes a dimension may have.
pub const CLASSES_MAX: usize = 64;

/// Words evaluated at a time: 512 bytes a plane stay in the first-level cache.
const BLOCK: usize = 64;

/// A set of codes; bit `c` stands for code `c`.
pub type CodeSet = u128;

/// An attribute of every contact of a set.
#[derive(Debug, Clone)]
pub struct Dimension {
    pub name: String,
    /// Names of the codes 1, 2, … in byte order.
    pub classes: Vec<Box<str>>,
    /// Low bit first; each little-endian bits, one a contact.
    planes: Vec<Buffer>,
    len: usize,
}

/// Why bit planes are refused.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message documents the variant")]
pub enum DimensionError {
    #[error("dimension {name:?} has {found} classes, at most {CLASSES_MAX} are possible")]
    TooManyClasses { name: String, found: usize },
    #[error("dimension {name:?} with {classes} classes needs {expected} planes of {bytes} bytes")]
    Planes {
        name: String,
        classes: usize,
        expected: usize,
        bytes: usize,
    },
}

/// Planes needed for codes `0..=classes`.
#[must_use]
pub fn planes_for(classes: usize) -> usize {
    (usize::BITS - classes.leading_zeros()) as usize
}

impl Dimension {
    /// A view over stored planes.
    ///
    /// # Errors
    /// When there are too many classes, or the planes do not fit `len` contacts.
    pub fn new(
        name: String,
        classes: Vec<Box<str>>,
        planes: Vec<Buffer>,
        len: usize,
    ) -> Result<Self, DimensionError> {
        if classes.len() > CLASSES_MAX {
            let found = classes.len();
            return Err(DimensionError::TooManyClasses { name, found });
        }
        let expected = planes_for(classes.len());
        let bytes = len.div_ceil(8);
        if planes.len() != expected || planes.iter().any(|plane| plane.len() < bytes) {
            let classes = classes.len();
            return Err(DimensionError::Planes {
                name,
                classes,
                expected,
                bytes,
            });
        }
        Ok(Self {
            name,
            classes,
            planes,
            len,
        })
    }

    /// The bit planes of `codes`, to be stored.
    #[must_use]
    pub fn encode(codes: &[u8], classes: usize) -> Vec<Vec<u8>> {
        (0..planes_for(classes))
            .map(|bit| {
                codes
                    .chunks(8)
                    .map(|eight| {
                        eight
                            .iter()
                            .enumerate()
                            .fold(0, |byte, (i, code)| byte | (code >> bit & 1) << i)
                    })
                    .collect()
            })
            .collect()
    }

    /// The number of contacts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Every code in use: missing and each class.
    #[must_use]
    pub fn all_codes(&self) -> CodeSet {
        CodeSet::MAX >> (127 - self.classes.len())
    }

    /// The code of one contact; 0 is missing.
    #[must_use]
    pub fn code(&self, contact: usize) -> u8 {
        self.planes
            .iter()
            .enumerate()
            .fold(0, |code, (bit, plane)| {
                let byte = plane.get(contact / 8).copied().unwrap_or(0);
                code | (byte >> (contact % 8) & 1) << bit
            })
    }

    /// The code of contacts without a value.
    #[must_use]
    pub fn missing(&self) -> CodeSet {
        1
    }

    /// The codes of the classes, by number from 0, that pass.
    #[must_use]
    pub fn codes_of(&self, passes: impl Fn(usize) -> bool) -> CodeSet {
        let passing = (0..self.classes.len()).filter(|class| passes(*class));
        passing.fold(0, |set, class| set | 1 << (class + 1))
    }

    /// The codes that `contacts` have.
    #[must_use]
    pub fn codes_among(&self, contacts: &Bitmap) -> CodeSet {
        let mut codes = 0;
        for contact in contacts.iter() {
            codes |= 1 << self.code(contact);
            if codes == self.all_codes() {
                break;
            }
        }
        codes
    }

    /// The contacts whose code is in `codes`, 64 a word, low bit first.
    #[must_use]
    pub fn select_words(&self, codes: CodeSet) -> Vec<u64> {
        let codes = codes & self.all_codes();
        let top = self.planes.len();
        // Codes beyond the last class never occur; taking them in makes full sets recognisable.
        let unused = !self.all_codes() & set_of_all(top);
        let wanted = if codes == self.all_codes() {
            codes | unused
        } else {
            codes
        };
        let mut words = vec![0_u64; self.len.div_ceil(64)];
        for (i, block) in words.chunks_mut(BLOCK).enumerate() {
            self.mux(top, wanted, i * BLOCK, block);
        }
        words
    }

    /// Shannon expansion on plane `top − 1`: `plane ? upper half of the set : lower half`.
    fn mux(&self, top: usize, codes: CodeSet, first: usize, out: &mut [u64]) {
        if codes == 0 {
            out.fill(0);
            return;
        }
        if codes == set_of_all(top) {
            out.fill(u64::MAX);
            return;
        }
        let half = 1_u32 << (top - 1);
        let (low, high) = (codes & set_of_all(top - 1), codes >> half);
        let plane = &self.planes[top - 1];
        self.mux(top - 1, low, first, out);
        if low == high {
            return;
        }
        if high == 0 || high == set_of_all(top - 1) {
            let fill = if high == 0 { 0 } else { u64::MAX };
            for (i, word) in out.iter_mut().enumerate() {
                let bits = word_of(plane, first + i);
                *word = bits & fill | !bits & *word;
            }
            return;
        }
        let mut upper = [0_u64; BLOCK];
        let upper = &mut upper[..out.len()];
        self.mux(top - 1, high, first, upper);
        for (i, (word, other)) in out.iter_mut().zip(upper).enumerate() {
            let bits = word_of(plane, first + i);
            *word = bits & *other | !bits & *word;
        }
    }
}

/// The set of all codes of `planes` planes.
fn set_of_all(planes: usize) -> CodeSet {
    match 1_u32 << planes {
        128.. => CodeSet::MAX,
        codes => (1 << codes) - 1,
    }
}

/// Word `index` of little-endian bits; bytes beyond the end are zero.
fn word_of(plane: &[u8], index: usize) -> u64 {
    let at = index * 8;
    if let Some(eight) = plane.get(at..at + 8) {
        return u64::from_le_bytes(eight.try_into().expect("eight bytes"));
    }
    let mut eight = [0; 8];
    let rest = plane.get(at..).unwrap_or_default();
    eight[..rest.len()].copy_from_slice(rest);
    u64::from_le_bytes(eight)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dimension(codes: &[u8], classes: usize) -> Dimension {
        let planes = Dimension::encode(codes, classes)
            .into_iter()
            .map(Buffer::from)
            .collect();
        let names = (0..classes).map(|c| c.to_string().into()).collect();
        Dimension::new("d".into(), names, planes, codes.len()).expect("fits")
    }

    proptest! {
        #[test]
        fn a_selection_holds_exactly_its_codes(
            classes in 0_usize..=CLASSES_MAX,
            codes in prop::collection::vec(any::<u8>(), 0..9000),
            set in any::<u128>(),
        ) {
            let codes: Vec<u8> =
                codes.iter().map(|c| c % u8::try_from(classes + 1).expect("small")).collect();
            let dimension = dimension(&codes, classes);
            let selected = Bitmap::from_words(codes.len(), dimension.select_words(set));
            for (contact, code) in codes.iter().enumerate() {
                prop_assert_eq!(dimension.code(contact), *code);
                prop_assert_eq!(selected.contains(contact), set >> code & 1 == 1);
            }
            let known: CodeSet = codes.iter().fold(0, |known, code| known | 1 << code);
            prop_assert_eq!(dimension.codes_among(&selected), known & set);
        }
    }

    #[test]
    fn planes_that_do_not_fit_are_refused() {
        let short = vec![Buffer::from(vec![0_u8])];
        assert!(Dimension::new("d".into(), vec!["a".into()], short, 9).is_err());
        let many = (0..65).map(|c| c.to_string().into()).collect();
        assert!(Dimension::new("d".into(), many, Vec::new(), 0).is_err());
    }
}
