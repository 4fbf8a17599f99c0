//! Publishes a version so that a reader sees all of it or nothing, whatever interrupts the writer.
//!
//! ```text
//! <dataset>/.lock               held by the one run that writes here
//!           versions/.new-…     being written; removed by the next run if this one dies
//!           versions/<id>       renamed into place when every byte is on disk
//!           CURRENT             renamed into place last
//!           report.json         what the last run found, published or not
//! ```
//! The versions before the current one stay for readers that still use them: [`VERSIONS_KEPT`].

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tilecore::dataset::schema::{FileEntry, Manifest, Release};

use crate::inspect;

/// Versions that stay beside the current one, the most recent first.
pub const VERSIONS_KEPT: usize = 3;

pub const MANIFEST: &str = "manifest.json";
pub const REPORT: &str = "report.json";
pub const CURRENT: &str = "CURRENT";
pub const VERSIONS: &str = "versions";
const LOCK: &str = ".lock";
const STAGE_PREFIX: &str = ".new-";

/// Characters of a version id: 80 bits.
const ID_CHARS: usize = 20;

/// Why nothing was published; what was there before is untouched.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message documents the variant")]
pub enum PublishError {
    #[error("cannot write {path}: {source}{}", advice(source))]
    Write { path: String, source: io::Error },
    #[error("another precompute is writing to {0}: wait for it, or choose another directory")]
    Locked(String),
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ": free some space and run again; what was published before is untouched"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            ": choose a directory you may write to"
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            ": choose a directory, not a file"
        }
        _ => "",
    }
}

/// Names the path in what the operating system says.
fn at<T>(path: &Path, result: io::Result<T>) -> Result<T, PublishError> {
    result.map_err(|source| PublishError::Write {
        path: path.display().to_string(),
        source,
    })
}

/// A dataset's directory, locked against other writers while this lives.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    versions: PathBuf,
    /// The operating system unlocks it when the process ends, however it ends.
    _lock: File,
}

impl Store {
    /// Creates the directory where it is missing, locks it, and removes what a killed run left.
    ///
    /// # Errors
    /// When it cannot be written to, or another run is writing.
    pub fn open(root: &Path) -> Result<Self, PublishError> {
        let versions = root.join(VERSIONS);
        at(&versions, fs::create_dir_all(&versions))?;
        let lock_path = root.join(LOCK);
        let lock = at(
            &lock_path,
            File::options()
                .write(true)
                .create(true)
                .truncate(false)
                .open(&lock_path),
        )?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(PublishError::Locked(root.display().to_string()));
            }
            Err(TryLockError::Error(error)) => return at(&lock_path, Err(error)),
        }
        let store = Self {
            root: root.to_owned(),
            versions,
            _lock: lock,
        };
        for leftover in store.entries()? {
            if leftover.starts_with('.') {
                let path = store.versions.join(leftover);
                at(&path, fs::remove_dir_all(&path))?;
            }
        }
        Ok(store)
    }

    /// A new, empty version that no reader sees yet.
    ///
    /// # Errors
    /// When it cannot be written to.
    pub fn stage(&self) -> Result<Stage, PublishError> {
        let dir = self
            .versions
            .join(format!("{STAGE_PREFIX}{}", std::process::id()));
        at(&dir, fs::create_dir(&dir))?;
        Ok(Stage {
            dir,
            files: BTreeMap::new(),
        })
    }

    /// Makes the staged files the current version and returns its id.
    ///
    /// The stage is empty afterwards, and removed when dropped. `manifest` comes without `version` and `files`; `report` is told the id it will have.
    ///
    /// # Errors
    /// When a write fails; readers then still see the version that was current.
    pub fn publish(
        &self,
        stage: &Stage,
        mut manifest: Manifest,
        report: impl FnOnce(&str) -> String,
    ) -> Result<String, PublishError> {
        manifest.files.clone_from(&stage.files);
        manifest.version = version_id(&manifest);
        let id = manifest.version.clone();
        let report = report(&id);
        let path = stage.dir.join(MANIFEST);
        let manifest = at(
            &path,
            serde_json::to_vec_pretty(&manifest).map_err(Into::into),
        )?;
        write_durably(&path, &manifest)?;
        write_durably(&stage.dir.join(REPORT), report.as_bytes())?;
        stage.make_durable()?;
        self.put_in_place(stage, &id)?;
        let before = self.current();
        self.replace(CURRENT, format!("{id}\n").as_bytes())?;
        self.write_report(&report)?;
        self.prune(&id, before.as_deref())?;
        Ok(id)
    }

    /// Leaves the report of a run that publishes nothing.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_report(&self, report: &str) -> Result<(), PublishError> {
        self.replace(REPORT, report.as_bytes())
    }

    /// Replaces a file beside the versions that only the dataset's owner may read.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_private(&self, name: &str, bytes: &[u8]) -> Result<(), PublishError> {
        use std::os::unix::fs::OpenOptionsExt;
        let new = self.root.join(format!(".{name}.new"));
        let write = || {
            let _ = fs::remove_file(&new);
            let mut options = File::options();
            let mut file = options
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&new)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&new, self.root.join(name))?;
            sync_directory(&self.root)
        };
        at(&new, write())
    }

    /// Removes every version but one; a server that still serves another keeps its open files.
    ///
    /// # Errors
    /// When a version cannot be removed.
    pub fn keep_only(&self, id: &str) -> Result<(), PublishError> {
        for name in self.entries()?.into_iter().filter(|name| name != id) {
            self.remove(&name)?;
        }
        at(&self.versions, sync_directory(&self.versions))
    }

    /// Removes a version: out of sight first, so that no reader finds half of it.
    fn remove(&self, name: &str) -> Result<(), PublishError> {
        let (path, gone) = (
            self.versions.join(name),
            self.versions.join(format!(".gone-{name}")),
        );
        at(&path, fs::rename(&path, &gone))?;
        at(&gone, fs::remove_dir_all(&gone))
    }

    /// Copies the releases of the current version into a new one: they are frozen, and only
    /// `precompute release` replaces or withdraws them.
    ///
    /// # Errors
    /// When there is a version and its releases cannot be copied.
    pub fn carry_releases(&self, stage: &mut Stage) -> Result<Vec<Release>, PublishError> {
        let Some(current) = self.current() else {
            return Ok(Vec::new());
        };
        let directory = self.versions.join(current);
        let path = directory.join(MANIFEST);
        let manifest = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            read => at(&path, read)?,
        };
        // A version of another format is built anew, releases with it.
        let Ok(manifest) = serde_json::from_slice::<Manifest>(&manifest) else {
            return Ok(Vec::new());
        };
        for release in &manifest.releases {
            stage.copy(&release.arrow, &directory.join(&release.arrow))?;
        }
        Ok(manifest.releases)
    }

    /// Renames the stage to its id, unless that version is there already and whole.
    fn put_in_place(&self, stage: &Stage, id: &str) -> Result<(), PublishError> {
        let target = self.versions.join(id);
        if target.exists() {
            if inspect::read_version(&target).is_ok_and(|version| version.faults.is_empty()) {
                // The report may tell of rows that left no trace in the data.
                let report = target.join(REPORT);
                at(&report, fs::rename(stage.dir.join(REPORT), &report))?;
                return at(&target, sync_directory(&target));
            }
            self.remove(id)?;
        }
        at(&target, fs::rename(&stage.dir, &target))?;
        at(&self.versions, sync_directory(&self.versions))
    }

    /// The version that readers see.
    fn current(&self) -> Option<String> {
        let text = fs::read_to_string(self.root.join(CURRENT)).ok()?;
        Some(text.trim().to_owned())
    }

    /// Removes the oldest versions, never the one served nor the one served until now.
    fn prune(&self, id: &str, before: Option<&str>) -> Result<(), PublishError> {
        let mut old: Vec<(SystemTime, String)> = Vec::new();
        for name in self.entries()? {
            if name != id && Some(name.as_str()) != before {
                let path = self.versions.join(&name);
                let modified = at(&path, fs::metadata(&path).and_then(|data| data.modified()))?;
                old.push((modified, name));
            }
        }
        old.sort_unstable();
        let kept = VERSIONS_KEPT - usize::from(before.is_some_and(|before| before != id));
        let spare = old.len().saturating_sub(kept);
        for (_, name) in old.into_iter().take(spare) {
            self.remove(&name)?;
        }
        Ok(())
    }

    /// Names in `versions`, in byte order.
    fn entries(&self) -> Result<Vec<String>, PublishError> {
        let mut names = Vec::new();
        for entry in at(&self.versions, fs::read_dir(&self.versions))? {
            let entry = at(&self.versions, entry)?;
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Replaces a file beside the versions: a reader finds the old bytes or the new ones.
    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), PublishError> {
        let new = self.root.join(format!(".{name}.new"));
        let target = self.root.join(name);
        let written =
            write_durably(&new, bytes).and_then(|()| at(&target, fs::rename(&new, &target)));
        if written.is_err() {
            // The first error is the one to tell; the leftover is overwritten by the next run.
            let _ = fs::remove_file(&new);
        }
        written?;
        at(&self.root, sync_directory(&self.root))
    }
}

/// A version being written; removed when dropped unpublished.
#[derive(Debug)]
pub struct Stage {
    dir: PathBuf,
    files: BTreeMap<String, FileEntry>,
}

impl Stage {
    /// Writes one file of the version; `path` is relative, with `/`.
    ///
    /// # Errors
    /// When the disk or `write` fails.
    pub fn write<E>(
        &mut self,
        path: &str,
        write: impl FnOnce(&mut BufWriter<File>) -> Result<(), E>,
    ) -> Result<(), E>
    where
        E: From<PublishError>,
    {
        let target = self.dir.join(path);
        if let Some(parent) = target.parent() {
            at(parent, fs::create_dir_all(parent))?;
        }
        let mut out = BufWriter::with_capacity(1 << 20, at(&target, File::create_new(&target))?);
        write(&mut out)?;
        let file = at(&target, out.into_inner().map_err(io::Error::from))?;
        at(&target, file.sync_all())?;
        drop(file);
        let entry = at(&target, inspect::hash_file(&target))?;
        self.files.insert(path.to_owned(), entry);
        Ok(())
    }

    /// Copies a file of another version; `path` is relative, with `/`.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn copy(&mut self, path: &str, from: &Path) -> Result<(), PublishError> {
        let mut source = at(from, File::open(from))?;
        let target = self.dir.join(path);
        self.write(path, |out| {
            at(&target, io::copy(&mut source, out))?;
            Ok(())
        })
    }

    /// Brings the directories themselves to disk; the files are there already.
    fn make_durable(&self) -> Result<(), PublishError> {
        let mut directories: Vec<PathBuf> = self
            .files
            .keys()
            .filter_map(|path| Some(self.dir.join(Path::new(path).parent()?)))
            .collect();
        directories.push(self.dir.clone());
        directories.sort_unstable();
        directories.dedup();
        for directory in directories.iter().rev() {
            at(directory, sync_directory(directory))?;
        }
        Ok(())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Gone already when published; otherwise the next run tries again.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// The hash of everything a manifest says, its own version left out.
#[must_use]
#[expect(clippy::missing_panics_doc, reason = "plain data serialises")]
pub fn version_id(manifest: &Manifest) -> String {
    let unnamed = Manifest {
        version: String::new(),
        ..manifest.clone()
    };
    let bytes = serde_json::to_vec(&unnamed).expect("plain data serialises");
    let mut id = blake3::hash(&bytes).to_hex().to_string();
    id.truncate(ID_CHARS);
    id
}

fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), PublishError> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    at(path, write())
}

fn sync_directory(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests;
