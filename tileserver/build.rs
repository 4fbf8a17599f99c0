//! Embeds the pages of `ui/dist` in the binary, or a page that says how to build them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?);
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    let dist = root.join("ui/dist");
    println!("cargo::rerun-if-changed=ui/dist");
    println!("cargo::rerun-if-changed=src/ui_missing.html");

    let mut files = Vec::new();
    if dist.join("index.html").is_file() {
        list(&dist, &dist, &mut files)?;
    } else {
        files.push(("index.html".to_owned(), root.join("src/ui_missing.html")));
    }
    files.sort();
    let mut code = String::from("static UI: &[(&str, &[u8])] = &[\n");
    for (name, path) in files {
        let path = path.to_string_lossy();
        println!("cargo::rerun-if-changed={path}");
        let _ = writeln!(code, "    ({name:?}, include_bytes!({path:?})),");
    }
    code.push_str("];\n");
    fs::write(out.join("ui.rs"), code)
}

/// The files below `directory`, each with its path relative to `root`.
fn list(root: &Path, directory: &Path, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            list(root, &path, files)?;
        } else if let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) {
            files.push((name.to_owned(), path.clone()));
        }
    }
    Ok(())
}
