//! Reads a dataset as a stranger would: what it holds, and whether every byte is as written.

use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};

use serde::Serialize;
use tilecore::dataset::schema::{FORMAT_VERSION, FileEntry, Manifest};

use crate::input_error::InputError;
use crate::publish::{CURRENT, MANIFEST, VERSIONS, version_id};

/// One version of a dataset, and what is wrong with it.
#[derive(Debug, Serialize)]
pub struct Version {
    pub directory: PathBuf,
    pub manifest: Manifest,
    /// Files that are not as the manifest says; empty when all is well.
    pub faults: Vec<Fault>,
}

/// A file that is not what was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    pub file: String,
    pub message: String,
}

/// Reads the current version of a dataset, or the version that `dir` itself is.
///
/// # Errors
/// When `dir` is neither, or its manifest cannot be read.
pub fn read(dir: &Path) -> Result<Version, InputError> {
    if dir.join(MANIFEST).exists() {
        return read_version(dir);
    }
    let current = dir.join(CURRENT);
    let id = fs::read_to_string(&current).map_err(|error| {
        InputError::new(
            current.display().to_string(),
            format!("{error}: name a directory that `precompute build` wrote"),
        )
    })?;
    let id = id.trim();
    if id.is_empty() || !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(InputError::new(
            current.display().to_string(),
            format!("{id:?} is no version id: run `precompute build` again"),
        ));
    }
    read_version(&dir.join(VERSIONS).join(id))
}

/// Reads a version's manifest and compares every file with it.
///
/// # Errors
/// When the manifest cannot be read.
pub fn read_version(directory: &Path) -> Result<Version, InputError> {
    let path = directory.join(MANIFEST);
    let fault = |message: String| InputError::new(path.display().to_string(), message);
    let bytes = fs::read(&path).map_err(|error| fault(error.to_string()))?;
    let manifest: Manifest = serde_json::from_slice(&bytes)
        .map_err(|error| fault(format!("no manifest of this program: {error}")))?;
    if manifest.format != FORMAT_VERSION {
        return Err(fault(format!(
            "dataset format {}, this program reads {FORMAT_VERSION}: run `precompute build` again",
            manifest.format
        )));
    }
    let mut faults = Vec::new();
    let expected = version_id(&manifest);
    if manifest.version != expected {
        faults.push(Fault {
            file: MANIFEST.to_owned(),
            message: format!(
                "says version {}, its content is {expected}",
                manifest.version
            ),
        });
    }
    for (name, entry) in &manifest.files {
        faults.extend(compare(directory, name, entry));
    }
    Ok(Version {
        directory: directory.to_owned(),
        manifest,
        faults,
    })
}

fn compare(directory: &Path, name: &str, expected: &FileEntry) -> Option<Fault> {
    let inside = Path::new(name)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if !inside {
        return Some(Fault {
            file: name.to_owned(),
            message: "not a file of this version".to_owned(),
        });
    }
    let message = match hash_file(&directory.join(name)) {
        Ok(found) if found == *expected => return None,
        Ok(found) if found.bytes != expected.bytes => format!(
            "{} bytes, the manifest says {}",
            found.bytes, expected.bytes
        ),
        Ok(found) => format!(
            "BLAKE3 {}, the manifest says {}",
            found.blake3, expected.blake3
        ),
        Err(error) => error.to_string(),
    };
    Some(Fault {
        file: name.to_owned(),
        message,
    })
}

/// A file's size and hash.
///
/// # Errors
/// When it cannot be read.
pub fn hash_file(path: &Path) -> io::Result<FileEntry> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(FileEntry {
        bytes: hasher.count(),
        blake3: hasher.finalize().to_hex().to_string(),
    })
}
