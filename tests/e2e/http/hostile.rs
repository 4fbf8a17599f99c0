//! Requests nobody sends by mistake: each gets a 4xx or is cut off, and the server goes on.

use std::time::{Duration, Instant};

use e2e::wire::Connection;
use e2e::{Server, Village};

/// Sends bytes as they are; the status of the answer, 0 when there is none.
fn raw(server: &Server, bytes: &[u8]) -> u16 {
    let mut connection = server.connect();
    connection.send(bytes);
    connection.read("GET").map_or(0, |reply| reply.status)
}

fn is_alive(server: &Server) {
    assert_eq!(server.get("/health").status, 200);
}

#[test]
fn odd_addresses() {
    let village = Village::new();
    let server = Server::start(village.path());
    for path in [
        "//",
        "//town",
        "/town/",
        "/./town",
        "/../town",
        "/%2e%2e%2fetc",
        "/%252e",
        "/..;/town",
        "/\\",
        "/%5c",
        "/%00",
        "/%0d%0aX:1",
        "/%FF",
        "/%c0%ae",
        "/__proto__",
        "/CON",
        "/.hidden",
        "/*",
        "/town%2Fitems",
        "/%E2%80%AEnwot",
        "/town/items/",
        "/town/items/%FF",
        "/TOWN",
        "/assets/../index.html",
        "/assets/%2e%2e/index.html",
        "/assets//etc/passwd",
    ] {
        let reply = server.get(path);
        assert_eq!(reply.status, 404, "{path}: {}", reply.text());
    }
    let long = format!("/{}", "x".repeat(10_000));
    assert_eq!(server.get(&long).status, 404);
    is_alive(&server);
}

#[test]
fn odd_queries() {
    let village = Village::new();
    let server = Server::start(village.path());
    let many = (0..3_000)
        .map(|i| format!("a{i}=1"))
        .collect::<Vec<_>>()
        .join("&");
    // Unknown parameters are nobody's business, broken or not.
    for query in ["%=1", "x=%G1", "x=%", "&&&", "=", &many] {
        assert_eq!(
            server.get(&format!("/town/items?{query}")).status,
            200,
            "{query}"
        );
    }
    for (query, parameter) in [
        ("level=%", "level"),
        ("level=%G1", "level"),
        ("level=quarter&level=quarter", "level"),
        ("limit=-1", "limit"),
        ("limit=1e3", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("offset=x", "offset"),
        ("sortby=nothing", "sortby"),
        ("sortby=--key", "sortby"),
        ("properties=turnout,nothing", "properties"),
        ("bbox=1,2,3", "bbox"),
        ("bbox=1,2,3,inf", "bbox"),
        ("geometry=maybe", "geometry"),
        ("filter-lang=sql", "filter-lang"),
        ("v=1&v=2", "v"),
    ] {
        let reply = server.get(&format!("/town/items?{query}"));
        assert_eq!(reply.status, 400, "{query}");
        assert_eq!(reply.json()["parameter"], parameter, "{query}");
    }
    let huge = server.get("/town/items?offset=18446744073709551615");
    assert_eq!(huge.json()["numberReturned"], 0);
}

#[test]
fn long_heads_are_refused_fast() {
    let village = Village::new();
    let server = Server::start(village.path());
    let started = Instant::now();
    for (length, statuses) in [
        (40_000, [414, 414]),
        (66_000, [414, 431]),
        (1_000_000, [414, 431]),
    ] {
        let head = format!(
            "GET /town?x={} HTTP/1.1\r\nHost: a\r\n\r\n",
            "x".repeat(length)
        );
        let status = raw(&server, head.as_bytes());
        assert!(statuses.contains(&status), "{length}: {status}");
    }
    let headers: String = (0..101).map(|i| format!("X-{i}: 1\r\n")).collect();
    let head = format!("GET /town HTTP/1.1\r\nHost: a\r\n{headers}\r\n");
    assert_eq!(raw(&server, head.as_bytes()), 431);
    let head = format!(
        "GET /town HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
        "x".repeat(400_000)
    );
    assert_eq!(raw(&server, head.as_bytes()), 431);
    assert!(started.elapsed() < Duration::from_secs(3));
    is_alive(&server);
}

#[test]
fn broken_http() {
    let village = Village::new();
    let server = Server::start(village.path());
    for bytes in [
        &b"G\xC3\x89T / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
        b"GET / HTTP/2.7\r\nHost: a\r\n\r\n",
        b"GET /\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        b"POST /town HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /town HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na",
        b"POST /town HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
        b"\0\0\0\0\0\0\0\0\r\n\r\n",
        b"GET /health HTTP/1.1\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    ] {
        let mut connection = server.connect();
        connection.send(bytes);
        let _ = connection.socket().shutdown(std::net::Shutdown::Write);
        let status = connection.read("GET").map_or(0, |reply| reply.status);
        assert!(
            status == 0 || (400..506).contains(&status),
            "{status} to {bytes:?}"
        );
    }
    // Odd, and none of the server's business.
    for bytes in [
        &b"GET /health HTTP/1.0\r\n\r\n"[..],
        b"GET http://other.example:99999/health HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        b"GET /health HTTP/1.1\r\nHost: a\r\nX-Forwarded-Host: evil\r\nRange: bytes=0-0,5-1\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: a\r\nIf-Modified-Since: garbage\r\nExpect: 100-continue\r\n\r\n",
    ] {
        assert_eq!(raw(&server, bytes), 200, "{}", String::from_utf8_lossy(bytes));
    }
    for method in ["TRACE", "PUT", "POST", "PATCH", "DELETE", "BREW"] {
        let reply = server.connect().request(method, "/town", &[]);
        assert_eq!(reply.status, 405, "{method}");
        assert!(reply.header("allow").contains("GET"), "{method}");
    }
    is_alive(&server);
}

#[test]
fn no_smuggling() {
    let village = Village::new();
    let server = Server::start(village.path());
    // Whatever the server makes of the body, what follows it is not answered as a request.
    for head in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    ] {
        let mut connection = server.connect();
        let smuggled = "0\r\n\r\nGET /catalog HTTP/1.1\r\nHost: a\r\n\r\n";
        connection
            .send(format!("POST /town HTTP/1.1\r\nHost: a\r\n{head}\r\n{smuggled}").as_bytes());
        let first = connection.read("POST");
        assert!(first.is_none_or(|reply| reply.status == 400 || reply.status == 405));
    }
    let chunk = "FFFFFFFFFFFFFFFF\r\nx";
    let head = "POST /town HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let status = raw(&server, format!("{head}{chunk}").as_bytes());
    assert!(status == 405 || status == 400 || status == 0, "{status}");
    is_alive(&server);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let village = Village::new();
    let server = Server::start(village.path());
    let mut connection = server.connect();
    let requests: String = (0..1_000)
        .map(|i| format!("GET /none{i} HTTP/1.1\r\nHost: a\r\n\r\n"))
        .collect();
    connection.send(requests.as_bytes());
    for i in 0..1_000 {
        let reply = connection.read("GET").expect("an answer each");
        assert_eq!(reply.json()["instance"], format!("/none{i}"));
    }
}

#[test]
fn a_half_closed_connection_is_answered() {
    let village = Village::new();
    let server = Server::start(village.path());
    let mut connection = server.connect();
    connection.send(b"GET /town HTTP/1.1\r\nHost: a\r\n\r\n");
    connection
        .socket()
        .shutdown(std::net::Shutdown::Write)
        .expect("open");
    assert_eq!(connection.read("GET").map(|reply| reply.status), Some(200));
}

#[test]
fn silent_and_dribbling_clients_are_cut_off() {
    let village = Village::new();
    let server = Server::start_with(village.path(), &["--client-timeout", "1"]);
    let started = Instant::now();
    let mut silent: Vec<Connection> = (0..200).map(|_| server.connect()).collect();
    let mut half: Vec<Connection> = (0..200).map(|_| server.connect()).collect();
    for connection in &mut half {
        connection.send(b"GET /town HTTP/1.1\r\nHo");
    }
    let mut idle = server.connect();
    assert_eq!(idle.get("/health").status, 200);
    let mut dribbler = server.connect();
    let mut slowest = Duration::ZERO;
    for byte in b"GET /town HTTP".iter().cycle().take(12) {
        dribbler.send(&[*byte]);
        let asked = Instant::now();
        is_alive(&server);
        slowest = slowest.max(asked.elapsed());
        std::thread::sleep(Duration::from_millis(100));
    }
    for connection in silent
        .iter_mut()
        .chain(&mut half)
        .chain([&mut idle, &mut dribbler])
    {
        assert!(connection.is_closed_within(Duration::from_secs(5)));
    }
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(
        slowest < Duration::from_millis(500),
        "{slowest:?} for a normal client"
    );
    assert!(server.metric("maille_connections_timed_out_total") >= 400.0);
}

#[test]
fn a_client_that_does_not_read_is_cut_off() {
    let village = Village::new();
    let server = Server::start_with(village.path(), &["--client-timeout", "1"]);
    let mut connection = server.connect();
    // More answers than the socket's buffers hold, none of which is read.
    let requests = "GET /town/items HTTP/1.1\r\nHost: a\r\n\r\n".repeat(4_000);
    connection
        .socket()
        .set_write_timeout(Some(Duration::from_secs(1)))
        .expect("open");
    connection.send(requests.as_bytes());
    let until = Instant::now() + Duration::from_secs(15);
    while server.metric("maille_connections_timed_out_total") < 1.0 {
        assert!(Instant::now() < until, "still held");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn nothing_of_a_request_reaches_the_log() {
    let village = Village::new();
    let server = Server::start_with(village.path(), &["--log", "trace"]);
    let canary = "CANARY48.8531337";
    let paths = [
        format!("/{canary}"),
        format!("/town/items/{canary}"),
        format!("/town/at?lon=2.31&lat={canary}"),
        format!("/town/items?filter=name%20%3D%20%27{canary}%27&level={canary}"),
        format!("/town/items?sortby={canary}&properties={canary}"),
        format!("/{canary}%0a2026-01-01%20INFO%20admin%1b[31m"),
    ];
    for path in &paths {
        server.get_with(path, &[("User-Agent", canary), ("Authorization", canary)]);
        server.connect().request("CANARY", path, &[]);
    }
    server
        .connect()
        .send(format!("{canary} {canary} {canary}\r\n\r\n").as_bytes());
    is_alive(&server);
    assert!(!server.get("/metrics").text().contains("CANARY"));
    let log = server.whole_log().join("\n");
    let logged = log.matches("\"target\":\"request\"").count();
    assert!(
        logged >= 2 * paths.len(),
        "{logged} requests are in the log:\n{log}"
    );
    assert!(!log.contains("CANARY"));
}
