//! Whatever interrupts a build, readers see the old version or the new one, whole.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use e2e::{Town, binary, precompute};

/// Asserts that what readers see is whole, or that there is nothing yet.
fn check_visible(town: &Town, context: &str) {
    if town.version().is_none() {
        return;
    }
    let inspected = precompute(&["inspect", &town.file("out")]);
    let message = String::from_utf8_lossy(&inspected.stderr).into_owned();
    assert!(inspected.status.success(), "{context}: {message}");
}

/// Versions that are visible or in the way; hidden names are leftovers that no reader looks at.
fn visible_versions(town: &Town) -> Vec<String> {
    let Ok(entries) = fs::read_dir(town.path().join("out/versions")) else {
        return Vec::new();
    };
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    names
        .map(|name| name.into_string().expect("UTF-8"))
        .filter(|name| !name.starts_with('.'))
        .collect()
}

#[test]
fn a_killed_build_leaves_no_half_version() {
    let mut town = Town::new();
    let started = Instant::now();
    assert!(town.build(&[]).status.success());
    let whole = started.elapsed();
    fs::remove_dir_all(town.path().join("out")).expect("built");
    let points = 40;
    for point in 0..points {
        // Every other run has something new to publish.
        town.lines[0] = format!("10;{};400;160;200;40", 1000 + point / 2);
        town.write();
        let mut build = Command::new(binary("precompute"))
            .args(["build", &town.file("town.toml"), "--out", &town.file("out")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("precompute starts");
        let pause = whole.mul_f64(f64::from(point) / f64::from(points) * 1.1);
        std::thread::sleep(pause);
        // It may have ended already.
        let _ = build.kill();
        build.wait().expect("it ends");
        check_visible(&town, &format!("killed after {pause:?}"));
        for version in visible_versions(&town) {
            let path = town.file(&format!("out/versions/{version}"));
            assert!(
                precompute(&["inspect", &path]).status.success(),
                "{version} after {pause:?}"
            );
        }
    }
    assert!(town.build(&[]).status.success());
    assert!(leftovers(&town.path().join("out")).is_empty());
}

#[test]
fn a_full_disk_is_an_error_and_harms_nothing() {
    let mut town = Town::new();
    assert!(town.build(&[]).status.success());
    let before = contents(&town.path().join("out"));
    town.lines[0] = "10;1234;400;160;200;40".to_owned();
    town.write();
    // Files may not grow beyond so many blocks of 512 or 1024 bytes; the signal is ignored, so that
    // the write fails as on a full disk.
    let limits = (0..12).chain([16, 24, 32, 64, 1 << 20]);
    for (failed, blocks) in limits.enumerate() {
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let built = Command::new("sh")
            .args(["-c", &script])
            .arg(binary("precompute"))
            .args(["build", &town.file("town.toml"), "--out", &town.file("out")])
            .output()
            .expect("a shell");
        let message = String::from_utf8_lossy(&built.stderr).into_owned();
        if built.status.success() {
            assert!(failed > 3, "the limit was never met");
            check_visible(&town, "after a full disk");
            assert_ne!(contents(&town.path().join("out")), before);
            return;
        }
        assert_eq!(built.status.code(), Some(1), "{blocks} blocks: {message}");
        assert!(message.contains("error: "), "{blocks} blocks: {message}");
        let after = contents(&town.path().join("out"));
        assert_eq!(after, before, "{blocks} blocks: {message}");
    }
    panic!("it never succeeded");
}

#[test]
fn a_small_file_system_fills_up() {
    let town = Town::new();
    let out = town.path().join("out");
    fs::create_dir(&out).expect("created");
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=16k", "tmpfs", &town.file("out")])
        .output();
    if !mount.is_ok_and(|mount| mount.status.success()) {
        eprintln!("skipped: mounting a file system takes root");
        return;
    }
    let built = town.build(&[]);
    let left = leftovers(&out);
    let unmounted = Command::new("umount").arg(&out).status();
    assert!(unmounted.is_ok_and(|status| status.success()));
    let message = String::from_utf8_lossy(&built.stderr).into_owned();
    assert_eq!(built.status.code(), Some(1), "{message}");
    assert!(message.contains("free some space"), "{message}");
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn two_builds_at_once_are_one_and_a_refusal() {
    let town = Town::new();
    assert!(town.build(&[]).status.success());
    let lock = File::options()
        .write(true)
        .open(town.path().join("out/.lock"))
        .expect("there");
    lock.lock().expect("nobody holds it");
    let refused = town.build(&[]);
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{message}");
    assert!(message.contains("another precompute"), "{message}");
    lock.unlock().expect("held");
    assert!(town.build(&[]).status.success());
}

#[test]
fn a_directory_that_cannot_be_written_is_an_error() {
    let town = Town::new();
    let project = town.file("town.toml");
    for out in [
        town.file("votes.csv"),
        "/proc/dataset".into(),
        town.file(&"x".repeat(300)),
    ] {
        let refused = precompute(&["build", &project, "--out", &out]);
        let message = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{message}");
        assert!(message.contains("cannot write"), "{message}");
    }
}

#[test]
fn a_clock_that_lies_harms_nothing() {
    let mut town = Town::new();
    let mut versions = Vec::new();
    for year in [1970, 2100, 1999, 2050, 2001, 2030] {
        town.lines[0] = format!("10;{year};400;160;200;40");
        town.write();
        assert!(town.build(&[]).status.success());
        versions.extend(town.version());
        let directory = town
            .path()
            .join("out/versions")
            .join(&versions[versions.len() - 1]);
        let since = Duration::from_secs((year - 1970) * 365 * 86_400);
        let time = std::time::SystemTime::UNIX_EPOCH + since;
        File::open(directory)
            .and_then(|file| file.set_modified(time))
            .expect("ours");
        check_visible(&town, &year.to_string());
    }
    let left = visible_versions(&town);
    let [.., before, current] = &versions[..] else {
        panic!("six versions");
    };
    assert!(left.contains(before) && left.contains(current), "{left:?}");
}

/// Contents by path; the lock file and the report of the last run may change.
fn contents(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.insert(path.display().to_string(), fs::read(&path).expect("a file"));
        }
    }
    found
}

/// Names that a run should have cleaned up.
fn leftovers(directory: &Path) -> Vec<String> {
    let is_leftover = |path: &&String| path.contains(".new");
    contents(directory)
        .keys()
        .filter(is_leftover)
        .cloned()
        .collect()
}
