//! Starting, stopping, running out of descriptors.

use std::process::Command;
use std::time::{Duration, Instant};

use e2e::binary;
use e2e::{Server, Village};

#[test]
fn starts_without_a_dataset_and_says_why_it_is_not_ready() {
    let village = Village::unpublished();
    let mut server = Server::start(village.path());
    server.expect_in_log("dataset refused");
    assert_eq!(server.get("/health").status, 200);
    let ready = server.get("/ready");
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json()["refused"]["cause"], "absent");
    let reply = server.get("/catalog");
    assert_eq!(reply.status, 503);
    assert_eq!(reply.header("retry-after"), "1");
    let id = village.publish(1.0);
    server.signal("HUP");
    let until = Instant::now() + Duration::from_secs(5);
    while server.get("/ready").status != 200 {
        assert!(Instant::now() < until);
    }
    assert_eq!(server.version(), id);
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for arguments in [
        &["--listen", "x"][..],
        &["--dataset"],
        &["--dataset", ".", "--cache-mb", "x"],
    ] {
        let output = Command::new(binary("tileserver")).args(arguments).output();
        assert_eq!(
            output.expect("it starts").status.code(),
            Some(2),
            "{arguments:?}"
        );
    }
}

#[test]
fn a_taken_port_is_told() {
    let village = Village::new();
    let server = Server::start(village.path());
    let output = Command::new(binary("tileserver"))
        .args(["--listen", &server.address.to_string(), "--dataset"])
        .arg(village.path())
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("--listen"), "{said}");
}

#[test]
fn sigterm_answers_what_is_under_way_and_ends() {
    let village = Village::new();
    let mut server = Server::start_with(village.path(), &["--drain-timeout", "1"]);
    let mut idle = server.connect();
    assert_eq!(idle.get("/health").status, 200);
    let mut half_head = server.connect();
    half_head.send(b"GET /town HTTP/1.1\r\nHos");
    let mut slow_reader = server.connect();
    slow_reader.send(
        "GET /town/items HTTP/1.1\r\nHost: a\r\n\r\n"
            .repeat(500)
            .as_bytes(),
    );
    let mut under_way = server.connect();
    under_way.send(b"GET /town/items.csv HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(server.get("/health").status, 200);

    let started = Instant::now();
    server.signal("TERM");
    server.signal("TERM");
    server.signal("HUP");
    assert_eq!(under_way.read("GET").map(|reply| reply.status), Some(200));
    assert!(idle.is_closed_within(Duration::from_secs(1)));
    let status = server.ends_within(Duration::from_secs(5)).expect("it ends");
    assert!(status.success());
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn sigterm_without_clients_ends_at_once() {
    let village = Village::new();
    let mut server = Server::start(village.path());
    let started = Instant::now();
    server.signal("TERM");
    assert!(
        server
            .ends_within(Duration::from_secs(5))
            .is_some_and(|s| s.success())
    );
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[test]
fn few_descriptors_are_enough() {
    let village = Village::new();
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "ulimit -n 64 && exec \"$0\" \"$@\""])
        .arg(binary("tileserver"));
    limited.args([
        "--listen",
        "127.0.0.1:0",
        "--log-json",
        "--client-timeout",
        "1",
        "--dataset",
    ]);
    limited.arg(village.path());
    let mut server = Server::spawn(limited);
    server.expect_in_log("cannot accept");
    let mut held: Vec<_> = (0..200).map(|_| server.connect()).collect();
    let before = server.cpu();
    let asked = Instant::now();
    // Answered once the silent ones before it have been cut off.
    assert_eq!(server.get("/health").status, 200);
    assert!(asked.elapsed() < Duration::from_secs(15));
    let spent = server.cpu() - before;
    assert!(spent < Duration::from_millis(800), "spins: {spent:?}");
    // It can still open files.
    let id = village.publish(2.0);
    held.clear();
    let until = Instant::now() + Duration::from_secs(10);
    while server.version() != id {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_blocked_or_closed_log_stops_nothing() {
    let village = Village::new();
    // The reader of standard error leaves at once, or never reads.
    for reader in ["true", "sleep 30"] {
        let mut piped = Command::new("bash");
        let run = format!("exec \"$0\" \"$@\" 2> >(exec {reader} >/dev/null 2>&1)");
        piped.args(["-c", &run]).arg(binary("tileserver"));
        piped
            .args(["--listen", "127.0.0.1:0", "--log", "trace", "--dataset"])
            .arg(village.path());
        let mut server = Server::spawn(piped);
        let mut connection = server.connect();
        for _ in 0..2_000 {
            assert_eq!(connection.get("/health").status, 200);
        }
        server.signal("TERM");
        assert!(server.ends_within(Duration::from_secs(5)).is_some());
    }
}

#[test]
fn clients_that_leave_free_their_connections() {
    let village = Village::new();
    let server = Server::start(village.path());
    for _ in 0..500 {
        // Closed with the answer unread, or before it was made: a reset.
        server
            .connect()
            .send(b"GET /town/items HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    let until = Instant::now() + Duration::from_secs(2);
    while server.metric("maille_connections_open") > 2.0 {
        assert!(Instant::now() < until, "connections leak");
    }
}
