use super::*;
use crate::inspect;
use tilecore::dataset::schema::{FORMAT_VERSION, Localized};

fn manifest(name: &str) -> Manifest {
    Manifest {
        format: FORMAT_VERSION,
        version: String::new(),
        name: name.to_owned(),
        title: Localized::new(),
        attribution: String::new(),
        layers: Vec::new(),
        contacts: Vec::new(),
        releases: Vec::new(),
        files: BTreeMap::new(),
    }
}

/// Publishes a version of one file and returns its id.
fn publish(store: &Store, content: &str) -> String {
    let mut stage = store.stage().unwrap();
    stage
        .write("layer/level.fgb", |out| -> Result<(), PublishError> {
            at(Path::new("out"), out.write_all(content.as_bytes()))
        })
        .unwrap();
    let report = |id: &str| format!("report of {id} {content}\n");
    store.publish(&stage, manifest("town"), report).unwrap()
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_is_published_can_be_read_and_verified() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("a/b");
    let store = Store::open(&root).unwrap();
    let id = publish(&store, "one");
    assert_eq!(id.len(), ID_CHARS);
    let version = inspect::read(&root).unwrap();
    assert_eq!(version.manifest.version, id);
    assert_eq!(version.faults, []);
    assert_eq!(
        names(&root),
        [".lock", "CURRENT", "report.json", "versions"]
    );
    assert_eq!(names(&root.join("versions")), [id.as_str()]);
    let report = fs::read_to_string(version.directory.join(REPORT)).unwrap();
    assert_eq!(report, format!("report of {id} one\n"));
}

#[test]
fn equal_content_is_one_version() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let first = publish(&store, "one");
    let other = publish(&store, "two");
    assert_ne!(first, other);
    assert_eq!(publish(&store, "one"), first);
    assert_eq!(store.current().as_deref(), Some(first.as_str()));
    assert_eq!(names(&store.versions).len(), 2);
}

#[test]
fn a_damaged_version_is_found_and_written_anew() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let id = publish(&store, "one");
    let file = store.versions.join(&id).join("layer/level.fgb");
    for damage in ["onf", "on", ""] {
        fs::write(&file, damage).unwrap();
        let version = inspect::read(dir.path()).unwrap();
        assert_eq!(version.faults.len(), 1, "{damage:?}");
        assert_eq!(version.faults[0].file, "layer/level.fgb");
        assert_eq!(publish(&store, "one"), id);
        assert_eq!(inspect::read(dir.path()).unwrap().faults, []);
    }
    fs::remove_file(&file).unwrap();
    assert_eq!(inspect::read(dir.path()).unwrap().faults.len(), 1);
    assert_eq!(names(&store.versions), [id]);
}

#[test]
fn a_changed_manifest_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let id = publish(&store, "one");
    let path = store.versions.join(&id).join(MANIFEST);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("town", "city")).unwrap();
    assert_eq!(inspect::read(dir.path()).unwrap().faults[0].file, MANIFEST);
    fs::write(&path, text.replace("layer/level", "../../../level")).unwrap();
    assert_eq!(inspect::read(dir.path()).unwrap().faults.len(), 2);
    fs::write(&path, text.replace("\"format\": 1", "\"format\": 99")).unwrap();
    let error = inspect::read(dir.path()).unwrap_err().to_string();
    assert!(error.contains("dataset format 99"), "{error}");
    fs::write(&path, &text[..text.len() / 2]).unwrap();
    assert!(inspect::read(dir.path()).is_err());
}

#[test]
fn old_versions_make_room_but_never_those_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let ids: Vec<String> = (0..8).map(|i| publish(&store, &i.to_string())).collect();
    let left = names(&store.versions);
    assert_eq!(left.len(), 1 + VERSIONS_KEPT);
    assert!(left.contains(&ids[7]) && left.contains(&ids[6]));
    // An old version that is published again stays too.
    let again = publish(
        &store,
        &ids.iter()
            .position(|id| *id == left[0])
            .unwrap()
            .to_string(),
    );
    assert_eq!(again, left[0]);
    assert!(names(&store.versions).contains(&ids[7]));
}

#[test]
fn one_writer_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let error = Store::open(dir.path()).unwrap_err();
    assert!(matches!(error, PublishError::Locked(_)), "{error}");
    drop(store);
    Store::open(dir.path()).unwrap();
}

#[test]
fn what_is_not_published_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let id = publish(&store, "one");
    let mut stage = store.stage().unwrap();
    let failed = stage.write("x", |_| -> Result<(), PublishError> {
        at(Path::new("x"), Err(io::ErrorKind::StorageFull.into()))
    });
    let message = failed.unwrap_err().to_string();
    assert!(message.contains("free some space"), "{message}");
    drop(stage);
    assert_eq!(names(&store.versions), [id.as_str()]);
    // What a killed run leaves goes with the next.
    fs::create_dir_all(store.versions.join(".new-1/layer")).unwrap();
    fs::write(store.versions.join(".new-1/layer/x"), "x").unwrap();
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(names(&store.versions), [id.as_str()]);
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let message = Store::open(&file).unwrap_err().to_string();
    assert!(message.contains("file/versions"), "{message}");
    let long = dir.path().join("x".repeat(300));
    assert!(Store::open(&long).is_err());
}
