//! New versions under load; bad versions refused.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use e2e::{Server, Village};

fn wait_for_version(server: &Server, id: &str) {
    let until = Instant::now() + Duration::from_secs(10);
    while server.version() != id {
        assert!(Instant::now() < until, "{id} is not served");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Asks until the server has refused something, and says why.
fn wait_for_cause(server: &Server, expected: &str) {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        server.signal("HUP");
        let ready = server.get("/ready");
        if ready.json()["refused"]["cause"] == expected {
            assert_eq!(ready.status, 200, "the old version is still served");
            break;
        }
        assert!(Instant::now() < until, "no {expected}: {}", ready.text());
        std::thread::sleep(Duration::from_millis(10));
    }
    let label = format!("maille_dataset_refused{{cause=\"{expected}\"}}");
    assert!((server.metric(&label) - 1.0).abs() < f64::EPSILON);
}

#[test]
fn reloads_under_load_lose_and_mix_nothing() {
    let village = Village::new();
    let ids = [village.write_version(1.0), village.write_version(2.0)];
    let server = Server::start(village.path());
    wait_for_version(&server, &ids[0]);
    let before = server.resources();
    let (stop, asked) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                let mut connection = server.connect();
                while !stop.load(Ordering::Relaxed) {
                    let reply = connection.get("/town/items?geometry=false&properties=mark");
                    assert_eq!(reply.status, 200);
                    let page = reply.json();
                    let features = page["features"].as_array().into_iter().flatten();
                    let marks: Vec<f64> = features
                        .filter_map(|f| f["properties"]["mark"].as_f64())
                        .collect();
                    assert_eq!(marks.len(), 10);
                    assert!(
                        marks.iter().all(|m| m.to_bits() == marks[0].to_bits()),
                        "mixed"
                    );
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for round in 1..=100 {
            let id = &ids[round % 2];
            village.name_current(id);
            server.signal("HUP");
            wait_for_version(&server, id);
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(asked.load(Ordering::Relaxed) > 500);
    let until = Instant::now() + Duration::from_secs(3);
    while server.resources().0 > before.0 + 2 {
        assert!(Instant::now() < until, "descriptors leak");
    }
    assert!(
        server.resources().1 < before.1 + 64 * 1024 * 1024,
        "memory leaks"
    );
}

#[test]
fn entity_tags_differ_between_versions() {
    let village = Village::new();
    let server = Server::start(village.path());
    let before = server.get("/town/items");
    let id = village.publish(2.0);
    wait_for_version(&server, &id);
    let after = server.get_with("/town/items", &[("If-None-Match", before.header("etag"))]);
    assert_eq!(after.status, 200);
    assert_ne!(before.body, after.body);
}

#[test]
fn bad_versions_are_refused_and_the_old_one_stays() {
    let village = Village::new();
    let mut server = Server::start(village.path());
    server.expect_in_log("dataset refused");
    let good = server.version();
    let break_version = |mark: f64, breakage: &dyn Fn(&Path)| {
        let id = village.write_version(mark);
        breakage(&village.version(&id));
        village.name_current(&id);
    };

    break_version(10.0, &|v| {
        fs::remove_file(v.join("town/quarter.fgb")).expect("removed");
    });
    wait_for_cause(&server, "unreadable");
    break_version(11.0, &|v| {
        let path = v.join("town/quarter.arrow");
        let bytes = fs::read(&path).expect("readable");
        fs::write(path, &bytes[..bytes.len() - 1]).expect("written");
    });
    wait_for_cause(&server, "size");
    break_version(12.0, &|v| {
        let path = v.join("town/district.fgb");
        let mut bytes = fs::read(&path).expect("readable");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(path, bytes).expect("written");
    });
    wait_for_cause(&server, "hash");
    break_version(13.0, &|v| edit(v, "\"format\": 1", "\"format\": 99"));
    wait_for_cause(&server, "format");
    break_version(14.0, &|v| {
        edit(v, "\"format\": 1", "\"format\": 99, \"x\": [");
    });
    wait_for_cause(&server, "manifest");
    break_version(15.0, &|v| {
        edit(v, "\"town/quarter.arrow\": {", "\"../../CURRENT\": {");
    });
    wait_for_cause(&server, "manifest");
    break_version(16.0, &|v| {
        fs::remove_file(v.join("manifest.json")).expect("removed");
    });
    wait_for_cause(&server, "unreadable");
    break_version(17.0, &|v| {
        let path = v.join("town/quarter.fgb");
        fs::remove_file(&path).expect("removed");
        std::os::unix::fs::symlink("quarter.fgb", path).expect("linked");
    });
    wait_for_cause(&server, "unreadable");
    village.name_current("../escape");
    wait_for_cause(&server, "manifest");
    village.name_current("absent-version");
    wait_for_cause(&server, "unreadable");
    fs::write(village.path().join("CURRENT"), "").expect("written");
    wait_for_cause(&server, "manifest");
    fs::remove_file(village.path().join("CURRENT")).expect("removed");
    wait_for_cause(&server, "absent");

    assert_eq!(server.version(), good);
    assert_eq!(server.get("/town/items").json()["numberMatched"], 10);
    let newer = village.publish(20.0);
    wait_for_version(&server, &newer);
    assert!(server.get("/ready").json()["refused"].is_null());
}

/// Replaces text in a version's manifest.
fn edit(version: &Path, from: &str, to: &str) {
    let path = version.join("manifest.json");
    let text = fs::read_to_string(&path).expect("readable");
    assert!(text.contains(from), "{from} in {text}");
    fs::write(path, text.replacen(from, to, 1)).expect("written");
}

#[test]
fn a_version_in_use_may_be_deleted() {
    let village = Village::new();
    let server = Server::start(village.path());
    fs::remove_dir_all(village.version(&server.version())).expect("removed");
    assert_eq!(server.get("/town/items").json()["numberMatched"], 10);
}
