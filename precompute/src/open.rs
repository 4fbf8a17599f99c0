//! Where the bytes of every source come from: a path, a glob, or the members of an archive.
//!
//! ```text
//! a/b.csv   a/*.csv.gz   a/b.zip   a/*.zip/c/*.geojson   ─▸ [Located] ─▸ OpenedFile: Read + Seek
//! ```
//! `.gz` is inflated on opening. Small contents stay in memory; large ones are read in place or
//! from a temporary file, never mapped, so that a file truncated meanwhile is an error and not a
//! signal. What the bytes mean is not known here.

mod archive;
mod content;
mod inflate;

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use glob::MatchOptions;

use crate::input_error::InputError;
use archive::Archive;
use content::plain;
pub use content::{FilePath, OpenedFile, Reader};

/// Contents up to this size are held in memory.
const MEMORY_LIMIT: u64 = 32 << 20;

/// The files a glob or an archive may stand for.
const FILES_MAX: usize = 100_000;

/// A file that exists, not read yet.
#[derive(Debug, Clone)]
pub struct Located {
    /// The path below the directory that holds every match, as `b.csv` or `b.zip/c/d.geojson`:
    /// the same wherever the directory is.
    pub name: Arc<str>,
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    Plain(PathBuf),
    Member(Archive, usize),
}

/// Opens every file `pattern` stands for, sorted by name.
///
/// # Errors
/// As [`locate`], or when a file cannot be read.
pub fn open_all(pattern: &Path) -> Result<Vec<OpenedFile>, InputError> {
    locate(pattern)?.iter().map(Located::open).collect()
}

/// Finds every file `pattern` stands for, sorted by name; at least one.
///
/// A path that exists is taken as it is, whatever its characters. An archive alone stands for all
/// its members. In a member glob, `*` also crosses directories. Names that begin with a dot
/// are asked for by such a glob only.
///
/// # Errors
/// When nothing matches, or an archive is damaged or hostile.
pub fn locate(pattern: &Path) -> Result<Vec<Located>, InputError> {
    let (outer, member) = split_at_archive(pattern);
    let root = literal_directory(&outer);
    let mut found = Vec::new();
    for path in expand(&outer)? {
        let name = display_name(&path, &root);
        if is_archive(&path) && path.is_file() {
            let archive = Archive::open(&path, &name)?;
            for (index, member_name) in archive.members(member.as_deref())? {
                found.push(Located {
                    name: format!("{name}/{member_name}").into(),
                    source: Source::Member(archive.clone(), index),
                });
            }
        } else if member.is_none() && path.is_file() {
            found.push(Located {
                name: name.into(),
                source: Source::Plain(path),
            });
        }
        if found.len() > FILES_MAX {
            let message = format!("stands for more than {FILES_MAX} files: narrow it");
            return Err(InputError::new(pattern.display().to_string(), message));
        }
    }
    if found.is_empty() {
        let message = match member {
            Some(member) => format!("no member of the archive matches {member:?}"),
            None if pattern.is_dir() => {
                "it is a directory: write a glob of its files, such as *.csv behind it".to_owned()
            }
            None if is_archive(pattern) && pattern.is_file() => {
                "the archive holds no file".to_owned()
            }
            None => "no file of this name".to_owned(),
        };
        return Err(InputError::new(pattern.display().to_string(), message));
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

impl Located {
    /// Reads or inflates the file.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or inflates beyond measure.
    pub fn open(&self) -> Result<OpenedFile, InputError> {
        let opened = match &self.source {
            Source::Plain(path) => plain(path),
            Source::Member(archive, index) => archive.read(*index),
        };
        let content = opened
            .and_then(|content| {
                if has_extension(&self.name, "gz") {
                    inflate::gzip(content)
                } else {
                    Ok(content)
                }
            })
            .map_err(|e| InputError::new(&*self.name, format!("cannot be read: {e}")))?;
        Ok(OpenedFile::new(Arc::clone(&self.name), content))
    }

    /// The lower-case extension that tells the format: `csv` of `a.CSV.gz`.
    #[must_use]
    pub fn extension(&self) -> String {
        extension(&self.name)
    }

    /// The file beside this one that differs in the extension only, whatever its case.
    #[must_use]
    pub fn sibling(&self, extension: &str) -> Option<Self> {
        let (directory, own) = split_directory(&self.name);
        let is_sibling = |name: &str| {
            has_extension(name, extension) && stem(name).eq_ignore_ascii_case(stem(own))
        };
        let (file, source) = match &self.source {
            Source::Plain(path) => {
                let parent = path.with_file_name(".");
                let file = std::fs::read_dir(&parent)
                    .ok()?
                    .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
                    .filter(|name| is_sibling(name))
                    .min()?;
                let source = Source::Plain(path.with_file_name(&file));
                (file, source)
            }
            Source::Member(archive, index) => {
                let (own_directory, _) = split_directory(archive.name(*index));
                let (index, file) = archive
                    .names()
                    .map(|(index, name)| (index, split_directory(name)))
                    .find(|(_, (above, file))| *above == own_directory && is_sibling(file))
                    .map(|(index, (_, file))| (index, file.to_owned()))?;
                (file, Source::Member(archive.clone(), index))
            }
        };
        Some(Self {
            name: format!("{directory}{file}").into(),
            source,
        })
    }
}

/// Splits `a/b.zip/c/*.csv` after the first `.zip` that is not a directory.
fn split_at_archive(pattern: &Path) -> (PathBuf, Option<String>) {
    let mut outer = PathBuf::new();
    let mut components = pattern.components();
    while let Some(component) = components.next() {
        outer.push(component);
        if is_archive(&outer) && !outer.is_dir() {
            let rest = components.as_path();
            let member = (!rest.as_os_str().is_empty()).then(|| rest.to_string_lossy().into());
            return (outer, member);
        }
    }
    (outer, None)
}

/// The directory above the first component with a wildcard: names are relative to it.
fn literal_directory(pattern: &Path) -> PathBuf {
    let is_literal = |c: &Component<'_>| {
        pattern.exists() || !c.as_os_str().to_string_lossy().contains(['*', '?', '['])
    };
    let count = pattern.components().count();
    pattern
        .components()
        .take(count.saturating_sub(1))
        .take_while(is_literal)
        .collect()
}

fn expand(pattern: &Path) -> Result<Vec<PathBuf>, InputError> {
    if pattern.exists() {
        return Ok(vec![pattern.to_owned()]);
    }
    let text = pattern.to_string_lossy();
    let bad = |message: String| InputError::new(&*text, message);
    let options = MatchOptions {
        require_literal_leading_dot: !is_of_hidden(pattern),
        ..MatchOptions::new()
    };
    let paths =
        glob::glob_with(&text, options).map_err(|e| bad(format!("not a path nor a glob: {e}")))?;
    paths
        .take(FILES_MAX + 1)
        .collect::<Result<_, _>>()
        .map_err(|e| bad(format!("cannot be searched: {e}")))
}

/// Whether a part of a glob asks for names that begin with a dot.
fn is_of_hidden(pattern: &Path) -> bool {
    pattern.components().any(|part| {
        let part = part.as_os_str().to_string_lossy();
        part.starts_with('.') && part.contains(['*', '?', '['])
    })
}

fn display_name(path: &Path, root: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    below.to_string_lossy().replace('\\', "/")
}

fn is_archive(path: &Path) -> bool {
    path.extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("zip"))
}

fn has_extension(name: &str, wanted: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case(wanted))
}

fn extension(name: &str) -> String {
    let inner = if has_extension(name, "gz") {
        &name[..name.len() - 3]
    } else {
        name
    };
    Path::new(inner)
        .extension()
        .map(|e| e.to_string_lossy().to_ascii_lowercase())
        .unwrap_or_default()
}

/// The directory with its last `/`, and the file.
fn split_directory(name: &str) -> (&str, &str) {
    name.split_at(name.rfind('/').map_or(0, |slash| slash + 1))
}

/// The name without its last extension.
fn stem(name: &str) -> &str {
    match name.rfind('.') {
        Some(dot) if !name[dot..].contains('/') => &name[..dot],
        _ => name,
    }
}

#[cfg(test)]
mod tests;
