//! The classes of a dimension: collected while rows are read, coded once all are known.

use rustc_hash::FxHashMap;
use tilecore::density::dimension::CLASSES_MAX;

use crate::input_error::InputError;
use crate::value::Cell;

/// Values met beyond this many are not told apart: the dimension is refused anyway.
const VALUES_MAX: u16 = 1_000;

/// Values of a dimension in the order they were met.
#[derive(Debug, Default)]
pub(super) struct Classes {
    met: FxHashMap<String, u16>,
    /// What numbers are, by their bits: their text is found once.
    numbers: FxHashMap<u64, u16>,
    /// By code from 1, as far as values are told apart.
    names: Vec<String>,
}

/// A dimension whose classes are known, in byte order.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) name: String,
    pub(super) classes: Vec<String>,
    /// By provisional code the final one.
    codes: Vec<u8>,
}

impl Classes {
    /// A code for a value that lasts until the classes are known; 0 is missing.
    pub(super) fn provisional(&mut self, cell: Cell<'_>) -> u16 {
        match cell {
            Cell::Null => 0,
            Cell::Number(number) => {
                if let Some(code) = self.numbers.get(&number.to_bits()) {
                    return *code;
                }
                let code = self.code_of(&number.to_string());
                self.numbers.insert(number.to_bits(), code);
                code
            }
            Cell::Text(text) => self.code_of(text.trim()),
        }
    }

    fn code_of(&mut self, class: &str) -> u16 {
        if class.is_empty() {
            return 0;
        }
        if let Some(code) = self.met.get(class) {
            return *code;
        }
        let next = u16::try_from(self.met.len() + 1).map_or(VALUES_MAX, |n| n.min(VALUES_MAX));
        if next < VALUES_MAX {
            self.names.push(class.to_owned());
        }
        self.met.insert(class.to_owned(), next);
        next
    }

    /// The class of a provisional code.
    pub(super) fn name(&self, code: u16) -> &str {
        let at = usize::from(code).checked_sub(1);
        at.and_then(|at| self.names.get(at)).map_or("", |name| name)
    }

    /// # Errors
    /// When there are more classes than a dimension may have.
    pub(super) fn finish(self, set: &str, name: &str) -> Result<Finished, InputError> {
        let mut met: Vec<(String, u16)> = self.met.into_iter().collect();
        if met.len() > CLASSES_MAX {
            let found = met.len();
            let message = format!(
                "dimension {name:?} has {found} classes, at most {CLASSES_MAX} are possible: \
                 group them in SQL, as with `case`"
            );
            return Err(InputError::new(format!("contacts {set}"), message));
        }
        met.sort_unstable();
        let mut codes = vec![0; met.len() + 1];
        for (code, (_, provisional)) in (1_u8..).zip(&met) {
            codes[usize::from(*provisional)] = code;
        }
        Ok(Finished {
            name: name.to_owned(),
            classes: met.into_iter().map(|(class, _)| class).collect(),
            codes,
        })
    }
}

impl Finished {
    pub(super) fn code(&self, provisional: u16) -> u8 {
        self.codes
            .get(usize::from(provisional))
            .copied()
            .unwrap_or(0)
    }
}
