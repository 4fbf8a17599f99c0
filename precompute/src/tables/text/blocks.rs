//! A CSV file as blocks of whole records, so that they can be parsed side by side.
//!
//! ```text
//! …,a\n"b        │\n still b",c\nd,…     a block ends at a line end outside quotes
//! └── block ─────┴──────────────┘└─ next
//! ```

use std::io::Read;

/// Bytes of a block, as long as records are shorter.
pub(super) const BLOCK: usize = 2 << 20;

/// The longest record.
pub(super) const RECORD_MAX: usize = 16 << 20;

/// Why a file cannot be cut into records; the byte is where it starts.
#[derive(Debug)]
pub(super) enum CutError {
    Io(std::io::Error),
    UnclosedQuote { byte: u64 },
    LongRecord { byte: u64 },
}

/// Blocks of whole records, in order.
#[derive(Debug)]
pub(super) struct Blocks<R> {
    reader: R,
    delimiter: u8,
    block: usize,
    /// Read, but of an unfinished record.
    rest: Vec<u8>,
    /// Bytes before `rest`.
    consumed: u64,
    is_over: bool,
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(reader: R, delimiter: u8) -> Self {
        Self::of_size(reader, delimiter, BLOCK)
    }

    fn of_size(reader: R, delimiter: u8, block: usize) -> Self {
        Self {
            reader,
            delimiter,
            block,
            rest: Vec::new(),
            consumed: 0,
            is_over: false,
        }
    }

    /// Reads on until a record ends.
    fn next_block(&mut self) -> Result<Option<Vec<u8>>, CutError> {
        let mut buffer = std::mem::take(&mut self.rest);
        while !self.is_over {
            let wanted = self.block.max(buffer.len());
            buffer.reserve_exact(wanted);
            let count = (&mut self.reader)
                .take(wanted as u64)
                .read_to_end(&mut buffer)
                .map_err(CutError::Io)?;
            self.is_over = count == 0;
            let cut = cut(&buffer, self.delimiter);
            if self.is_over {
                if let Some(at) = cut.open_quote.filter(|_| !cut.may_close) {
                    let byte = self.consumed + at as u64;
                    return Err(CutError::UnclosedQuote { byte });
                }
                break;
            }
            if let Some(end) = cut.end {
                self.rest = buffer[end..].to_vec();
                buffer.truncate(end);
                break;
            }
            if buffer.len() > RECORD_MAX {
                let at = cut.open_quote.unwrap_or(0);
                let byte = self.consumed + at as u64;
                return Err(match cut.open_quote {
                    Some(_) => CutError::UnclosedQuote { byte },
                    None => CutError::LongRecord { byte },
                });
            }
        }
        self.consumed += buffer.len() as u64;
        Ok((!buffer.is_empty()).then_some(buffer))
    }
}

impl<R: Read> Iterator for Blocks<R> {
    type Item = Result<Vec<u8>, CutError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over && self.rest.is_empty() {
            return None;
        }
        let block = self.next_block();
        if block.is_err() {
            self.is_over = true;
            self.rest.clear();
        }
        block.transpose()
    }
}

/// Where a buffer that starts at a record can be cut.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cut {
    /// Behind the last line end outside quotes.
    pub(super) end: Option<usize>,
    /// A quote that the buffer does not close.
    open_quote: Option<usize>,
    /// Whether the buffer's last byte may close it.
    may_close: bool,
}

/// Finds the last whole record. A quote opens a field only at its start, as for the parser.
pub(super) fn cut(buffer: &[u8], delimiter: u8) -> Cut {
    let mut found = Cut::default();
    let mut at = 0;
    loop {
        let quote = memchr::memchr(b'"', &buffer[at..]).map(|i| at + i);
        let outside = &buffer[at..quote.unwrap_or(buffer.len())];
        if let Some(line_end) = memchr::memrchr2(b'\n', b'\r', outside) {
            found.end = Some(at + line_end + 1);
        }
        let Some(quote) = quote else { return found };
        let before = quote.checked_sub(1).map(|i| buffer[i]);
        let opens = before.is_none_or(|b| b == delimiter || b == b'\n' || b == b'\r');
        if !opens {
            at = quote + 1;
            continue;
        }
        match closing_quote(buffer, quote + 1) {
            Some(close) if close + 1 < buffer.len() => at = close + 1,
            close => {
                found.open_quote = Some(quote);
                found.may_close = close.is_some();
                return found;
            }
        }
    }
}

/// The quote that closes a field, unless what follows the buffer doubles it.
fn closing_quote(buffer: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let quote = at + memchr::memchr(b'"', &buffer[at..])?;
        if buffer.get(quote + 1) != Some(&b'"') {
            return Some(quote);
        }
        at = quote + 2;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn blocks(text: &[u8], size: usize) -> Result<Vec<Vec<u8>>, CutError> {
        Blocks::of_size(text, b',', size).collect()
    }

    fn records(text: &[u8]) -> Vec<Vec<Vec<u8>>> {
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text);
        let record = |r: csv::ByteRecord| r.iter().map(<[u8]>::to_vec).collect();
        reader
            .into_byte_records()
            .map(|r| record(r.unwrap()))
            .collect()
    }

    proptest! {
        #[test]
        fn blocks_hold_the_records_of_the_whole(
            text in "([a,\"\n\r]|\"a,\n\"\"b\"){0,40}", size in 1..12_usize,
        ) {
            match blocks(text.as_bytes(), size) {
                Ok(blocks) => {
                    prop_assert_eq!(blocks.concat(), text.as_bytes());
                    let found: Vec<_> = blocks.iter().flat_map(|b| records(b)).collect();
                    prop_assert_eq!(found, records(text.as_bytes()));
                }
                // The parser would close the quote at the end of the file.
                Err(e) => prop_assert!(matches!(e, CutError::UnclosedQuote { .. }), "{e:?}"),
            }
        }
    }

    #[test]
    fn quotes_must_close() {
        for text in ["a\n\"b\nc", "\"", "\"a\"\"", "a,\"b", "\"\"\""] {
            let error = blocks(text.as_bytes(), 4).expect_err(text);
            assert!(matches!(error, CutError::UnclosedQuote { .. }), "{text}");
        }
        for text in ["\"a\"", "a,\"\"", "\"a\"\"\"", "5\"", "\"\"", "a\n\"\"\"\""] {
            assert!(blocks(text.as_bytes(), 4).is_ok(), "{text}");
        }
    }

    #[test]
    fn endless_records_stop_at_the_cap() {
        let zeros = std::io::repeat(b'a').take(1 << 40);
        let error = Blocks::new(zeros, b',')
            .collect::<Result<Vec<_>, _>>()
            .unwrap_err();
        assert!(matches!(error, CutError::LongRecord { byte: 0 }));
        let quoted = (&b"a\n\"b"[..]).chain(std::io::repeat(b'\n').take(1 << 40));
        let error = Blocks::new(quoted, b',')
            .collect::<Result<Vec<_>, _>>()
            .unwrap_err();
        assert!(
            matches!(error, CutError::UnclosedQuote { byte: 2 }),
            "{error:?}"
        );
    }
}
