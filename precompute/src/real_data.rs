//! Where tests find real files and reference answers; without them they report themselves skipped.

use std::path::{Path, PathBuf};

/// The folder of the real data: `MAILLE_DATA`, or beside the project.
fn folder() -> PathBuf {
    std::env::var_os("MAILLE_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    )
}

/// A real file, a member of a real archive or a glob over either, where what it is in is there.
pub(crate) fn file(path: &str) -> Option<PathBuf> {
    let folder = folder();
    let path = folder.join(path);
    let mut within = path.ancestors().take_while(|part| **part != folder);
    let found = within.any(Path::exists);
    if !found {
        eprintln!("skipped: {} is not there", path.display());
    }
    found.then_some(path)
}

/// A file of the reference answers, which lie beside the data.
pub(crate) fn oracle(path: &str) -> Option<PathBuf> {
    let path = folder().join("../oracles").join(path);
    let found = path.exists();
    if !found {
        eprintln!("skipped: {} is not there", path.display());
    }
    found.then_some(path)
}
