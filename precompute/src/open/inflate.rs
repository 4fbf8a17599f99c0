//! Inflating with a bound: into memory while it is small, then into a temporary file.

use std::io::{self, Read, Write};

use flate2::read::MultiGzDecoder;
use tempfile::NamedTempFile;

use super::MEMORY_LIMIT;
use super::content::{Content, Reader};

/// What any compressed content may inflate to, however small it is.
const INFLATED_FLOOR: u64 = 256 << 20;

/// Beyond the floor, how many times its own size a content may inflate to: real files reach 50,
/// deflate can do 1,032.
const RATIO_MAX: u64 = 200;

/// The most bytes that `compressed` bytes may stand for.
pub(super) fn limit(compressed: u64) -> u64 {
    compressed.saturating_mul(RATIO_MAX).max(INFLATED_FLOOR)
}

/// Inflates a gzip file, of one or more members.
pub(super) fn gzip(content: Content) -> io::Result<Content> {
    let limit = limit(content.length());
    let reader = Reader {
        content,
        position: 0,
    };
    let mut decoder = MultiGzDecoder::new(io::BufReader::with_capacity(1 << 16, reader));
    spool(&mut decoder, limit)
}

/// Reads `source` to its end, at most `limit` bytes of it.
pub(super) fn spool(source: &mut impl Read, limit: u64) -> io::Result<Content> {
    let mut memory = Vec::new();
    source
        .by_ref()
        .take(MEMORY_LIMIT.min(limit) + 1)
        .read_to_end(&mut memory)?;
    let mut length = memory.len() as u64;
    if length <= MEMORY_LIMIT.min(limit) {
        memory.shrink_to_fit();
        return Ok(Content::Memory(memory.into()));
    }
    let mut file = NamedTempFile::new()?;
    file.write_all(&memory)?;
    drop(memory);
    let rest = limit.saturating_sub(length).saturating_add(1);
    length += io::copy(&mut source.by_ref().take(rest), &mut file)?;
    if length > limit {
        let message = format!(
            "inflates to more than {} MB, far beyond its size: unpack it first if you trust it",
            limit >> 20
        );
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    Content::temporary(file)
}
