//! A version like the current one but for a part: what stays is copied byte by byte, so that
//! changing contacts or releases needs no other source.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tilecore::dataset::schema::Manifest;

use crate::input_error::InputError;
use crate::inspect;
use crate::publish::{REPORT, Stage, Store};

/// What may be changed before the version is published.
#[derive(Debug)]
pub struct Draft {
    pub manifest: Manifest,
    /// The report of the version that this one follows.
    pub report: Value,
    pub stage: Stage,
}

/// Publishes the current version of the dataset in `root` again, without the files for which
/// `leave_out` is true and with what `change` does; returns the new version's id.
///
/// # Errors
/// When there is no version, it is damaged, `change` fails, or a write does.
pub fn amend(
    store: &Store,
    root: &Path,
    leave_out: impl Fn(&str) -> bool,
    change: impl FnOnce(&mut Draft) -> anyhow::Result<()>,
) -> anyhow::Result<String> {
    let current = inspect::read(root)?;
    if let Some(fault) = current.faults.first() {
        let file = current.directory.join(&fault.file).display().to_string();
        let message = format!("{}: run `precompute build` again", fault.message);
        return Err(InputError::new(file, message).into());
    }
    let report = fs::read_to_string(current.directory.join(REPORT)).ok();
    let report = report.and_then(|text| serde_json::from_str(&text).ok());
    let mut draft = Draft {
        manifest: current.manifest,
        report: report.unwrap_or_else(|| Value::Object(serde_json::Map::new())),
        stage: store.stage()?,
    };
    for path in draft.manifest.files.keys().filter(|path| !leave_out(path)) {
        draft.stage.copy(path, &current.directory.join(path))?;
    }
    change(&mut draft)?;
    let Draft {
        manifest,
        mut report,
        stage,
    } = draft;
    Ok(store.publish(&stage, manifest, |id| {
        report["version"] = id.into();
        format!("{report:#}\n")
    })?)
}
