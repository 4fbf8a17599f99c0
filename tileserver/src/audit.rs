//! The audit log: one JSON line for each time somebody inside read contacts.
//!
//! It says who, when, which set, under which filter (its hash) and where; never what was read. A
//! read that cannot be noted is not answered.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use serde::Serialize;
use tilecore::filter::Filter;

use crate::access::{Caller, Role};
use crate::app::App;
use crate::http::HttpError;
use crate::scope;
use crate::snapshot::Snapshot;

/// See the module.
#[derive(Debug)]
pub struct Audit {
    // Held for one write.
    file: Mutex<File>,
}

/// What was read.
#[derive(Debug, Clone, Copy)]
pub struct Read<'a> {
    pub set: &'a str,
    /// Of the version served, with the scope.
    pub version: &'a str,
    /// Canonical text.
    pub filter: &'a str,
    /// What of it: a tile's address, or the kind of answer.
    pub what: &'a str,
}

#[derive(Serialize)]
struct Line<'a> {
    /// Seconds since 1970 in UTC.
    time: u64,
    who: &'a str,
    tenant: Option<&'a str>,
    role: Role,
    contacts: &'a str,
    filter: &'a str,
    what: &'a str,
    version: &'a str,
}

/// Notes a read by the caller of the request under way. Without keys nobody is inside, so there is
/// nothing to note.
///
/// # Errors
/// `Internal` when it cannot be noted.
pub fn note(
    app: &App,
    snapshot: &Snapshot,
    set: &str,
    filter: &Filter,
    what: &str,
) -> Result<(), HttpError> {
    let keys = app.keys.as_ref().ok_or(HttpError::Internal)?;
    let read = Read {
        set,
        version: &snapshot.manifest.version,
        filter: filter.canonical(),
        what,
    };
    keys.audit.note(&scope::caller(), read)
}

impl Audit {
    /// Appends to `<keys file>.audit.jsonl`.
    ///
    /// # Errors
    /// When it cannot be written to.
    pub fn beside(keys: &Path) -> anyhow::Result<Self> {
        let mut name = keys.as_os_str().to_owned();
        name.push(".audit.jsonl");
        let path = Path::new(&name);
        let mut options = File::options();
        let file = options.append(true).create(true).mode(0o600).open(path);
        let file = file.with_context(|| format!("{}: cannot append to it", path.display()))?;
        Ok(Self {
            file: Mutex::new(file),
        })
    }

    /// Notes a read before it is answered.
    ///
    /// # Errors
    /// `Internal` when the line cannot be written.
    pub fn note(&self, caller: &Caller, read: Read<'_>) -> Result<(), HttpError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let filter = blake3::hash(read.filter.as_bytes()).to_hex();
        let line = Line {
            time: now.map_or(0, |now| now.as_secs()),
            who: &caller.who,
            tenant: caller.tenant.as_deref(),
            role: caller.role,
            contacts: read.set,
            filter: &filter.as_str()[..16],
            what: read.what,
            version: read.version,
        };
        let failed = |error: std::io::Error| {
            tracing::error!(%error, "cannot write to the audit log: a read was refused");
            HttpError::Internal
        };
        let mut line = serde_json::to_vec(&line).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // In one write: lines of two processes never mix.
        file.write_all(&line).map_err(failed)
    }
}
