//! A file's content, in memory or on disk, as `Read + Seek`.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parquet::file::reader::{ChunkReader, Length};
use tempfile::NamedTempFile;

use super::{MEMORY_LIMIT, extension};
use crate::input_error::InputError;

/// A file's content, inflated.
#[derive(Debug, Clone)]
pub struct OpenedFile {
    /// As its located name.
    pub name: Arc<str>,
    pub(super) content: Content,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    Memory(Bytes),
    Disk(Arc<OnDisk>),
}

#[derive(Debug)]
pub(super) struct OnDisk {
    file: File,
    length: u64,
    place: DiskPlace,
}

#[derive(Debug)]
enum DiskPlace {
    Plain(PathBuf),
    /// Deleted when the last reader is dropped.
    Temporary(NamedTempFile),
}

/// A cursor over an [`OpenedFile`]; clones share the content and keep their own position.
#[derive(Debug, Clone)]
pub struct Reader {
    pub(super) content: Content,
    pub(super) position: u64,
}

impl OpenedFile {
    pub(super) fn new(name: Arc<str>, content: Content) -> Self {
        Self { name, content }
    }

    /// A file that is in memory already.
    #[must_use]
    pub fn in_memory(name: impl Into<Arc<str>>, bytes: impl Into<Bytes>) -> Self {
        Self {
            name: name.into(),
            content: Content::Memory(bytes.into()),
        }
    }

    /// The lower-case extension that tells the format: `csv` of `a.CSV.gz`.
    #[must_use]
    pub fn extension(&self) -> String {
        extension(&self.name)
    }

    /// Reads from the start; unbuffered when the content is on disk.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader {
            content: self.content.clone(),
            position: 0,
        }
    }

    /// The first bytes, at most `count`, to tell a format by.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn head(&self, count: u64) -> Result<Vec<u8>, InputError> {
        let mut head = Vec::new();
        self.reader()
            .take(count)
            .read_to_end(&mut head)
            .map_err(|e| self.unreadable(&e))?;
        Ok(head)
    }

    /// The whole content in memory: for formats that cannot be streamed.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn bytes(&self) -> Result<Bytes, InputError> {
        match &self.content {
            Content::Memory(bytes) => Ok(bytes.clone()),
            Content::Disk(_) => {
                let mut all = Vec::new();
                self.reader()
                    .read_to_end(&mut all)
                    .map_err(|e| self.unreadable(&e))?;
                Ok(all.into())
            }
        }
    }

    /// A path on disk for libraries that want one, such as SQLite; it lives as long as the value.
    ///
    /// # Errors
    /// When a temporary file cannot be written.
    pub fn on_disk(&self) -> Result<FilePath, InputError> {
        match &self.content {
            Content::Disk(on_disk) => Ok(FilePath::Shared(Arc::clone(on_disk))),
            Content::Memory(bytes) => {
                let spool = || -> io::Result<NamedTempFile> {
                    let mut file = NamedTempFile::new()?;
                    io::Write::write_all(&mut file, bytes)?;
                    Ok(file)
                };
                spool().map(FilePath::Own).map_err(|e| {
                    InputError::new(&*self.name, format!("no temporary file for it: {e}"))
                })
            }
        }
    }

    /// The fault of a read that failed.
    #[must_use]
    pub fn unreadable(&self, error: &io::Error) -> InputError {
        InputError::new(&*self.name, format!("cannot be read: {error}"))
    }
}

/// A path that exists while this value does.
#[derive(Debug)]
pub enum FilePath {
    Own(NamedTempFile),
    #[expect(private_interfaces, reason = "only its path is of use outside")]
    Shared(Arc<OnDisk>),
}

impl AsRef<Path> for FilePath {
    fn as_ref(&self) -> &Path {
        match self {
            Self::Own(file) => file.path(),
            Self::Shared(on_disk) => match &on_disk.place {
                DiskPlace::Plain(path) => path,
                DiskPlace::Temporary(file) => file.path(),
            },
        }
    }
}

impl Content {
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Disk(on_disk) => on_disk.length,
        }
    }

    pub(super) fn temporary(file: NamedTempFile) -> io::Result<Self> {
        let handle = file.reopen()?;
        Ok(Self::Disk(Arc::new(OnDisk {
            length: handle.metadata()?.len(),
            file: handle,
            place: DiskPlace::Temporary(file),
        })))
    }
}

impl Length for OpenedFile {
    fn len(&self) -> u64 {
        self.content.length()
    }
}

impl ChunkReader for OpenedFile {
    type T = io::BufReader<Reader>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        let mut reader = self.reader();
        reader.position = start;
        Ok(io::BufReader::new(reader))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let end = start.saturating_add(length as u64);
        if end > self.len() {
            return Err(parquet::errors::ParquetError::EOF(format!(
                "bytes {start}..{end} of a file of {}",
                self.len()
            )));
        }
        if let (Content::Memory(bytes), Ok(start)) = (&self.content, usize::try_from(start)) {
            return Ok(bytes.slice(start..start + length));
        }
        let mut chunk = vec![0; length];
        self.get_read(start)?.read_exact(&mut chunk)?;
        Ok(chunk.into())
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &self.content {
            Content::Memory(bytes) => {
                let start = usize::try_from(self.position).unwrap_or(usize::MAX);
                let rest = bytes.get(start..).unwrap_or_default();
                let count = rest.len().min(buffer.len());
                buffer[..count].copy_from_slice(&rest[..count]);
                count
            }
            Content::Disk(on_disk) => read_at(&on_disk.file, buffer, self.position)?,
        };
        self.position += count as u64;
        Ok(count)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (base, offset) = match to {
            SeekFrom::Start(position) => (position, 0),
            SeekFrom::End(offset) => (self.content.length(), offset),
            SeekFrom::Current(offset) => (self.position, offset),
        };
        self.position = base
            .checked_add_signed(offset)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "seek before the start"))?;
        Ok(self.position)
    }
}

pub(super) fn plain(path: &Path) -> io::Result<Content> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    if length > MEMORY_LIMIT {
        return Ok(Content::Disk(Arc::new(OnDisk {
            file,
            length,
            place: DiskPlace::Plain(path.to_owned()),
        })));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(Content::Memory(bytes.into()))
}
