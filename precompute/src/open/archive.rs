//! Zip archives: their members as contents, never written under the names they carry.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use zip::ZipArchive;
use zip::read::ZipReadOptions;

use super::content::{Content, Reader, plain};
use super::inflate;
use crate::input_error::InputError;

/// An open archive; clones share its directory and its allowance.
#[derive(Debug, Clone)]
pub(super) struct Archive {
    zip: ZipArchive<Reader>,
    file: Arc<str>,
    /// Member names with `/` between directories, by index in the archive.
    names: Arc<[Box<str>]>,
    /// What all members together may still inflate to.
    allowance: Arc<AtomicU64>,
}

impl Archive {
    /// Reads the directory of the archive at `path`, called `file` in messages.
    pub(super) fn open(path: &Path, file: &str) -> Result<Self, InputError> {
        let bad = |message: String| InputError::new(file, message);
        let content = plain(path).map_err(|e| bad(format!("cannot be read: {e}")))?;
        let length = content.length();
        let reader = Reader {
            content,
            position: 0,
        };
        let not_zip = |e: zip::result::ZipError| bad(format!("not a readable zip archive: {e}"));
        let mut zip = ZipArchive::new(reader).map_err(not_zip)?;
        if zip.has_duplicate_names() {
            return Err(bad("two members have the same name: pack it again".into()));
        }
        if zip.has_overlapping_entries().map_err(not_zip)? {
            return Err(bad("members share the same bytes: pack it again".into()));
        }
        let names = zip
            .file_names()
            .map(|name| {
                let name = name.map_err(not_zip)?.replace('\\', "/");
                if is_unsafe(&name) {
                    return Err(bad(format!("member {name:?} points outside the archive")));
                }
                Ok(name.into_boxed_str())
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            zip,
            file: file.into(),
            names,
            allowance: Arc::new(AtomicU64::new(inflate::limit(length))),
        })
    }

    /// The members that `glob` names, exactly or as a pattern; all without one.
    pub(super) fn members(&self, glob: Option<&str>) -> Result<Vec<(usize, &str)>, InputError> {
        let Some(glob) = glob else {
            return Ok(self.names().collect());
        };
        if let Some(exact) = self.names().find(|(_, name)| *name == glob) {
            return Ok(vec![exact]);
        }
        let pattern = glob::Pattern::new(glob).map_err(|e| {
            InputError::new(&*self.file, format!("member {glob:?} is not a glob: {e}"))
        })?;
        Ok(self
            .names()
            .filter(|(_, name)| pattern.matches(name))
            .collect())
    }

    /// Every member that is a file; what desktop systems add is left out.
    pub(super) fn names(&self) -> impl Iterator<Item = (usize, &str)> {
        self.names
            .iter()
            .enumerate()
            .map(|(index, name)| (index, &**name))
            .filter(|(_, name)| {
                let last = name.rsplit('/').next().unwrap_or_default();
                !name.ends_with('/') && !name.starts_with("__MACOSX/") && !last.starts_with('.')
            })
    }

    pub(super) fn name(&self, index: usize) -> &str {
        self.names.get(index).map_or("", |name| name)
    }

    /// Inflates one member and checks its CRC.
    pub(super) fn read(&self, index: usize) -> io::Result<Content> {
        let mut zip = self.zip.clone();
        let options = ZipReadOptions::new().enforce_header_consistency(true);
        let mut member = zip.by_index_with_options(index, options)?;
        if member.is_symlink() {
            return Err(io::Error::other("it is a symbolic link"));
        }
        let limit =
            inflate::limit(member.compressed_size()).min(self.allowance.load(Ordering::Relaxed));
        let content = inflate::spool(&mut member, limit)?;
        let length = content.length();
        let _ = self
            .allowance
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                Some(left.saturating_sub(length))
            });
        Ok(content)
    }
}

/// Absolute, climbing or drive-lettered: no honest archive has such a member.
fn is_unsafe(name: &str) -> bool {
    name.starts_with('/')
        || name.contains('\0')
        || name.split('/').any(|part| part == "..")
        || name.as_bytes().get(1) == Some(&b':')
}
