//! The records of a block of text, field by field.
//!
//! A block without a quote is cut where it lies, and no further than the fields that are asked
//! for. Others go through the `csv` crate, whose rules both follow.

use super::dialect::reader;

/// The records of a block, in order.
pub(super) enum Records<'t> {
    Plain { rest: &'t str, delimiter: u8 },
    Quoted(csv::Reader<&'t [u8]>),
}

/// The fields of a record.
#[derive(Debug, Default)]
pub(super) struct Record<'t> {
    length: usize,
    line: &'t str,
    /// Where the first fields of `line` end.
    ends: Vec<usize>,
    /// In place of `line`.
    quoted: Option<csv::StringRecord>,
}

impl<'t> Records<'t> {
    pub(super) fn new(text: &'t str, delimiter: u8) -> Self {
        if memchr::memchr(b'"', text.as_bytes()).is_some() {
            Self::Quoted(reader(text.as_bytes(), delimiter))
        } else {
            let rest = text;
            Self::Plain { rest, delimiter }
        }
    }

    /// Reads the next record, of its fields at least the first `wanted`; false at the end.
    ///
    /// # Errors
    /// Those of the `csv` crate.
    pub(super) fn read(&mut self, record: &mut Record<'t>, wanted: usize) -> csv::Result<bool> {
        match self {
            Self::Quoted(reader) => {
                let quoted = record.quoted.get_or_insert_default();
                let is_there = reader.read_record(quoted)?;
                record.length = quoted.len();
                Ok(is_there)
            }
            Self::Plain { rest, delimiter } => {
                // An empty line is no record.
                *rest = rest.trim_start_matches(['\n', '\r']);
                if rest.is_empty() {
                    return Ok(false);
                }
                let end = memchr::memchr2(b'\n', b'\r', rest.as_bytes());
                (record.line, *rest) = rest.split_at(end.unwrap_or(rest.len()));
                record.cut(*delimiter, wanted);
                Ok(true)
            }
        }
    }
}

impl Record<'_> {
    fn cut(&mut self, delimiter: u8, wanted: usize) {
        let line = self.line.as_bytes();
        self.ends.clear();
        self.ends
            .extend(memchr::memchr_iter(delimiter, line).take(wanted));
        self.length = 1 + self.ends.len();
        if self.ends.len() == wanted {
            let behind = self.ends.last().map_or(0, |end| end + 1);
            self.length += memchr::memchr_iter(delimiter, &line[behind..]).count();
        }
        self.ends.push(line.len());
    }

    /// The number of fields.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// A field among those asked for.
    pub(super) fn field(&self, at: usize) -> &str {
        match &self.quoted {
            Some(quoted) => &quoted[at],
            None => {
                let start = at.checked_sub(1).map_or(0, |before| self.ends[before] + 1);
                &self.line[start..self.ends[at]]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn records_are_those_of_the_crate(
            text in prop_oneof!["[a;é\n\r ]{0,40}", "([a;\n]|\"a;\n\"\"b\"){0,20}"],
            wanted in 0..6_usize,
        ) {
            let mut expected = reader(text.as_bytes(), b';').into_records();
            let mut records = Records::new(&text, b';');
            let mut record = Record::default();
            while records.read(&mut record, wanted).unwrap() {
                let expected = expected.next().expect("one record more").unwrap();
                prop_assert_eq!(record.len(), expected.len());
                for at in 0..wanted.min(record.len()) {
                    prop_assert_eq!(record.field(at), &expected[at]);
                }
            }
            prop_assert!(expected.next().is_none());
        }
    }
}
