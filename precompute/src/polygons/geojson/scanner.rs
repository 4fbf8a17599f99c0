//! Finds where JSON values begin and end in a stream, without reading what they hold.
//!
//! The structure above the features is walked here; the features themselves are cut out by their
//! brackets and left to `serde_json`.

use std::io::Read;

use crate::input_error::{InputError, Place};
use crate::open::{OpenedFile, Reader};

/// Bytes read at a time.
const CHUNK: usize = 1 << 20;

/// The longest value: a polygon of 20 million vertices.
const VALUE_MAX: usize = 1 << 30;

/// The deepest nesting of brackets in a value.
const DEPTH_MAX: u32 = 200;

/// A window over the file.
pub(super) struct Scanner {
    name: std::sync::Arc<str>,
    reader: Reader,
    buffer: Vec<u8>,
    /// What is read in the buffer so far.
    position: usize,
    /// Where the buffer begins in the file.
    base: u64,
    is_at_end: bool,
}

impl Scanner {
    pub(super) fn new(file: &OpenedFile) -> Result<Self, InputError> {
        let mut scanner = Self {
            name: file.name.clone(),
            reader: file.reader(),
            buffer: Vec::new(),
            position: 0,
            base: 0,
            is_at_end: false,
        };
        scanner.fill()?;
        if scanner.buffer.starts_with(&[0xef, 0xbb, 0xbf]) {
            scanner.position = 3;
        }
        if scanner.buffer.starts_with(&[0xff, 0xfe]) || scanner.buffer.starts_with(&[0xfe, 0xff]) {
            return Err(scanner.fault("the text is UTF-16: convert it to UTF-8"));
        }
        Ok(scanner)
    }

    /// The place in the file.
    pub(super) fn offset(&self) -> u64 {
        self.base + self.position as u64
    }

    fn fault(&self, message: impl Into<String>) -> InputError {
        InputError::new(&*self.name, message).at(Place::Byte(self.offset()))
    }

    fn truncated(&self) -> InputError {
        self.fault("the file ends in the middle: it is truncated")
    }

    /// Reads on, dropping what is behind the position; false at the end of the file.
    fn fill(&mut self) -> Result<bool, InputError> {
        if self.is_at_end {
            return Ok(false);
        }
        self.buffer.drain(..self.position);
        self.base += self.position as u64;
        self.position = 0;
        // A long value is read in ever larger steps, so that it is moved and searched few times.
        let more = self.buffer.len().max(CHUNK);
        let read = self
            .reader
            .by_ref()
            .take(more as u64)
            .read_to_end(&mut self.buffer)
            .map_err(|e| self.fault(format!("cannot be read: {e}")))?;
        self.is_at_end = read < more;
        Ok(read > 0)
    }

    /// The next byte that is not white space, not taken; none at the end.
    fn peek(&mut self) -> Result<Option<u8>, InputError> {
        loop {
            match self.buffer.get(self.position).copied() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.position += 1,
                Some(byte) => return Ok(Some(byte)),
                None => {
                    if !self.fill()? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// As [`Self::peek`], passing the record separators of RFC 8142 too.
    pub(super) fn peek_text(&mut self) -> Result<Option<u8>, InputError> {
        while self.peek()? == Some(0x1e) {
            self.position += 1;
        }
        self.peek()
    }

    pub(super) fn take(&mut self, wanted: u8) -> Result<(), InputError> {
        match self.peek()? {
            Some(byte) if byte == wanted => {
                self.position += 1;
                Ok(())
            }
            Some(byte) => Err(self.fault(format!(
                "expected {:?}, found {:?}",
                char::from(wanted),
                char::from(byte)
            ))),
            None => Err(self.truncated()),
        }
    }

    /// Moves to the next member of an object, or past its end.
    pub(super) fn next_member(&mut self, is_first: &mut bool) -> Result<bool, InputError> {
        self.next_of(b'}', is_first)
    }

    /// Moves to the next element of an array, or past its end.
    pub(super) fn next_element(&mut self, is_first: &mut bool) -> Result<bool, InputError> {
        self.next_of(b']', is_first)
    }

    fn next_of(&mut self, end: u8, is_first: &mut bool) -> Result<bool, InputError> {
        if self.peek()? == Some(end) {
            self.position += 1;
            return Ok(false);
        }
        if !std::mem::take(is_first) {
            self.take(b',')?;
        }
        Ok(true)
    }

    pub(super) fn string(&mut self) -> Result<String, InputError> {
        if self.peek()? != Some(b'"') {
            return Err(match self.peek()? {
                Some(_) => self.fault("expected a member's name in quotes"),
                None => self.truncated(),
            });
        }
        let value = self.value()?;
        serde_json::from_slice(value).map_err(|e| self.fault(format!("not a JSON string: {e}")))
    }

    /// The text of the next value, and moves behind it.
    pub(super) fn value(&mut self) -> Result<&[u8], InputError> {
        if self.peek()?.is_none() {
            return Err(self.truncated());
        }
        let mut walk = Walk::default();
        let length = loop {
            match walk.end(&self.buffer[self.position..]) {
                Ok(Some(length)) => break length,
                Ok(None) => {
                    if self.buffer.len() - self.position > VALUE_MAX {
                        return Err(self.fault("a value is longer than 1 GB"));
                    }
                    if !self.fill()? {
                        // A number ends with the text; brackets and strings do not.
                        if walk.depth == 0 && !walk.in_string {
                            break self.buffer.len() - self.position;
                        }
                        return Err(self.truncated());
                    }
                }
                Err(message) => return Err(self.fault(message)),
            }
        };
        let start = self.position;
        self.position += length;
        Ok(&self.buffer[start..self.position])
    }
}

/// How far a value is known.
#[derive(Default)]
struct Walk {
    at: usize,
    depth: u32,
    in_string: bool,
}

impl Walk {
    /// The length of the value that `text` begins with, once it is all there.
    fn end(&mut self, text: &[u8]) -> Result<Option<usize>, String> {
        while self.at < text.len() {
            if self.in_string {
                match text[self.at..]
                    .iter()
                    .position(|b| *b == b'"' || *b == b'\\')
                {
                    None => self.at = text.len(),
                    Some(ahead) if text[self.at + ahead] == b'"' => {
                        self.at += ahead + 1;
                        self.in_string = false;
                        if self.depth == 0 {
                            return Ok(Some(self.at));
                        }
                    }
                    // A backslash and what it escapes, when that is here already.
                    Some(ahead) if self.at + ahead + 1 < text.len() => self.at += ahead + 2,
                    Some(ahead) => {
                        self.at += ahead;
                        return Ok(None);
                    }
                }
                continue;
            }
            if self.depth > 0 && is_plain(&text[self.at..]) {
                self.at += 8;
                continue;
            }
            match text[self.at] {
                b'[' | b'{' => {
                    self.depth += 1;
                    if self.depth > DEPTH_MAX {
                        return Err(format!("brackets are nested deeper than {DEPTH_MAX}"));
                    }
                }
                b']' | b'}' => {
                    if self.depth <= 1 {
                        // One that closes nothing ends the value before it.
                        return Ok(Some(self.at + self.depth as usize));
                    }
                    self.depth -= 1;
                }
                b'"' => self.in_string = true,
                b',' | b' ' | b'\t' | b'\n' | b'\r' if self.depth == 0 => return Ok(Some(self.at)),
                _ => {}
            }
            self.at += 1;
        }
        Ok(None)
    }
}

/// Whether the next eight bytes hold no bracket, quote or letter: digits of coordinates mostly.
fn is_plain(text: &[u8]) -> bool {
    const EVERY: u64 = 0x0101_0101_0101_0101;
    let Some(bytes) = text.first_chunk::<8>() else {
        return false;
    };
    let word = u64::from_le_bytes(*bytes);
    // Brackets and letters have bit 6; a quote is a byte that is zero after the xor.
    let quotes = word ^ (EVERY * u64::from(b'"'));
    let has_quote = quotes.wrapping_sub(EVERY) & !quotes & (EVERY << 7) != 0;
    word & (EVERY << 6) == 0 && !has_quote
}
