//! Byte strings that tiles are gathered from, each with its bits in a Huffman code.

use crate::bits::BitWriter;
use crate::deflate::Code;

/// Numbered byte strings and their bits.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    bytes: Vec<u8>,
    /// Where each ends in `bytes`.
    ends: Vec<u32>,
    /// Bits of all, each from a word of its own on.
    words: Vec<u64>,
    coded: Vec<Coded>,
}

#[derive(Debug, Clone, Copy)]
struct Coded {
    /// First word.
    start: u32,
    bits: u32,
}

impl Pieces {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Adds what `write` appends.
    pub(crate) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        let end = u32::try_from(self.bytes.len()).expect("a tile holds less than 4 GiB");
        self.ends.push(end);
    }

    #[inline]
    pub(crate) fn bytes(&self, i: usize) -> &[u8] {
        let start = i.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start as usize..self.ends[i] as usize]
    }

    pub(crate) fn all_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Makes the bits of all pieces.
    pub(crate) fn encode(&mut self, code: &Code) {
        let mut out = Vec::with_capacity(self.bytes.len());
        self.coded = Vec::with_capacity(self.ends.len());
        for i in 0..self.ends.len() {
            let start = u32::try_from(out.len() / 8).expect("a tile holds less than 4 GiB");
            let mut writer = BitWriter::new(&mut out);
            code.put(&mut writer, self.bytes(i));
            let bits = writer.finish();
            out.resize(out.len().next_multiple_of(8), 0);
            let bits = u32::try_from(bits).expect("a tile holds less than 4 GiB of bits");
            self.coded.push(Coded { start, bits });
        }
        let words = out.as_chunks().0.iter();
        self.words = words.map(|word| u64::from_le_bytes(*word)).collect();
    }

    /// Appends the bits of a piece.
    #[inline(always)]
    pub(crate) fn append(&self, i: usize, out: &mut BitWriter) {
        let Coded { start, bits } = self.coded[i];
        out.append(&self.words[start as usize..], bits as usize);
    }

    pub(crate) fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    /// Bytes of all bits.
    pub(crate) fn coded_bytes(&self) -> usize {
        size_of_val(self.words.as_slice())
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.bytes.len()
            + size_of_val(self.ends.as_slice())
            + size_of_val(self.words.as_slice())
            + size_of_val(self.coded.as_slice())
    }
}
