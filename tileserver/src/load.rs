//! Opens a version of a dataset: finds it, checks every file's size and hash, maps the files.
//!
//! Comes in: a dataset directory. Goes out: a [`Snapshot`], or the cause why not.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path};

use bytes::Bytes;
use rustc_hash::FxHashMap;
use tilecore::dataset::schema::{FORMAT_VERSION, FileEntry, Manifest};

use crate::snapshot::{Caches, Snapshot, SnapshotError};

/// The file that names the version to serve.
pub const CURRENT: &str = "CURRENT";

const VERSIONS: &str = "versions";
const MANIFEST: &str = "manifest.json";

/// More than any version id or manifest needs.
const CURRENT_BYTES_MAX: u64 = 256;
const MANIFEST_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Why a version cannot be served. File names are relative to the dataset.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message documents the variant")]
pub enum LoadError {
    #[error("no file {CURRENT}: run `precompute build PROJECT.toml --out` with this directory")]
    Absent,
    #[error("{file}: {source}")]
    Unreadable { file: String, source: io::Error },
    #[error("{CURRENT} does not hold a version id")]
    VersionId,
    #[error("{file}: {source}: run `precompute build` again")]
    Manifest {
        file: String,
        source: serde_json::Error,
    },
    #[error("{file} is of version {found}, not {expected}")]
    OtherVersion {
        file: String,
        found: String,
        expected: String,
    },
    #[error(
        "dataset format {found}; this server reads {FORMAT_VERSION}: run `precompute build` of the same release"
    )]
    Format { found: u64 },
    #[error("{file} is not a path inside the version")]
    Path { file: String },
    #[error("{file} has {found} bytes, the manifest says {expected}: copy the dataset again")]
    Size {
        file: String,
        found: u64,
        expected: u64,
    },
    #[error("{file} does not have the hash of the manifest: copy the dataset again")]
    Hash { file: String },
    #[error(transparent)]
    Content(#[from] SnapshotError),
}

impl LoadError {
    /// A word for metrics, of a closed set.
    #[must_use]
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Unreadable { .. } => "unreadable",
            Self::VersionId | Self::Manifest { .. } | Self::Path { .. } => "manifest",
            Self::OtherVersion { .. } => "other_version",
            Self::Format { .. } => "format",
            Self::Size { .. } => "size",
            Self::Hash { .. } => "hash",
            Self::Content(_) => "content",
        }
    }

    /// All there are.
    pub const CAUSES: [&'static str; 8] = [
        "absent",
        "unreadable",
        "manifest",
        "other_version",
        "format",
        "size",
        "hash",
        "content",
    ];
}

/// The id of the version that the dataset says to serve.
///
/// # Errors
/// When there is none, or it is no id.
pub fn current_version(dataset: &Path) -> Result<String, LoadError> {
    let text = match read_text(&dataset.join(CURRENT), CURRENT_BYTES_MAX) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(LoadError::Absent),
        read => read.map_err(|source| unreadable(CURRENT, source))?,
    };
    let id = text.trim_end_matches(['\n', '\r']);
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if id.is_empty() || !id.bytes().all(plain) {
        return Err(LoadError::VersionId);
    }
    Ok(id.to_owned())
}

/// Opens version `id`, all of whose files must be as the manifest says.
///
/// # Errors
/// Whatever keeps it from being served.
pub fn load(dataset: &Path, id: &str, caches: &Caches) -> Result<Snapshot, LoadError> {
    let version = Version {
        dataset,
        within: format!("{VERSIONS}/{id}"),
    };
    let manifest = version.manifest(id)?;
    let mut files = FxHashMap::default();
    for (path, entry) in &manifest.files {
        files.insert(path.clone(), version.checked_file(path, entry)?);
    }
    Ok(Snapshot::open(manifest, &files, caches)?)
}

/// A version's directory.
struct Version<'a> {
    dataset: &'a Path,
    /// Relative to the dataset.
    within: String,
}

impl Version<'_> {
    fn manifest(&self, id: &str) -> Result<Manifest, LoadError> {
        let file = format!("{}/{MANIFEST}", self.within);
        let text = read_text(&self.dataset.join(&file), MANIFEST_BYTES_MAX)
            .map_err(|source| unreadable(&file, source))?;
        let broken = |source| LoadError::Manifest {
            file: file.clone(),
            source,
        };
        // Another format may look different in everything but this field.
        let Format { format } = serde_json::from_str(&text).map_err(broken)?;
        if format != u64::from(FORMAT_VERSION) {
            return Err(LoadError::Format { found: format });
        }
        let manifest: Manifest = serde_json::from_str(&text).map_err(broken)?;
        if manifest.version != id {
            return Err(LoadError::OtherVersion {
                file,
                found: manifest.version,
                expected: id.to_owned(),
            });
        }
        Ok(manifest)
    }

    /// The bytes of a file whose size and hash are those of `entry`.
    fn checked_file(&self, path: &str, entry: &FileEntry) -> Result<Bytes, LoadError> {
        let file = format!("{}/{path}", self.within);
        let inside = |part| matches!(part, Component::Normal(_));
        if path.is_empty() || !Path::new(path).components().all(inside) {
            return Err(LoadError::Path { file });
        }
        let opened = File::open(self.dataset.join(&file)).and_then(|opened| {
            let meta = opened.metadata()?;
            if meta.is_file() {
                Ok((opened, meta.len()))
            } else {
                Err(io::Error::other("not a regular file"))
            }
        });
        let (opened, found) = opened.map_err(|source| unreadable(&file, source))?;
        if found != entry.bytes {
            return Err(LoadError::Size {
                file,
                found,
                expected: entry.bytes,
            });
        }
        let bytes = map(&opened).map_err(|source| unreadable(&file, source))?;
        let hash = blake3::Hasher::new().update_rayon(&bytes).finalize();
        if hash.to_hex().as_str() != entry.blake3 {
            return Err(LoadError::Hash { file });
        }
        Ok(bytes)
    }
}

/// What every manifest has, whatever its format.
#[derive(serde::Deserialize)]
struct Format {
    format: u64,
}

#[expect(
    unsafe_code,
    reason = "the one map of the server: a published file is never rewritten or cut, versions come \
              and go by renaming and unlinking directories, which leaves mapped bytes as they are"
)]
fn map(file: &File) -> io::Result<Bytes> {
    // SAFETY: nothing changes the file under the map, see above.
    let map = unsafe { memmap2::Mmap::map(file)? };
    Ok(Bytes::from_owner(map))
}

fn read_text(path: &Path, bytes_max: u64) -> io::Result<String> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut text = String::new();
    file.take(bytes_max + 1).read_to_string(&mut text)?;
    if text.len() as u64 > bytes_max {
        return Err(io::Error::other("too large"));
    }
    Ok(text)
}

fn unreadable(file: &str, source: io::Error) -> LoadError {
    LoadError::Unreadable {
        file: file.to_owned(),
        source,
    }
}
