//! Published maps: pages whole without a script, pictures, oEmbed, embargo, frozen versions.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

use e2e::{Server, Village};

const TURNOUT: &str = r#"
title = { fr = "Participation <script>alert(1)</script>", en = "Turnout <script>alert(1)</script>" }
text = "Who voted, & where"
language = "fr"
layer = "town"
indicator = "turnout"
filter = "turnout > 0.5"
sources = ["Town \"hall\""]
[classes]
k = 3
palette = "teal"
"#;

/// A server over the village with these maps.
fn publish(village: &Village, maps: &[(&str, &str)]) -> (tempfile::TempDir, Server) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (id, text) in maps {
        write(directory.path(), id, text);
    }
    let path = directory.path().to_str().expect("UTF-8").to_owned();
    let server = Server::start_with(village.path(), &["--maps", &path]);
    (directory, server)
}

fn write(directory: &Path, id: &str, text: &str) {
    fs::write(directory.join(format!("{id}.toml")), text).expect("the map is written");
}

#[test]
fn a_page_is_whole_without_a_script() {
    let village = Village::new();
    let (_maps, server) = publish(&village, &[("turnout", TURNOUT)]);
    let catalog = server.get("/catalog").json();
    assert!(catalog["maps"]["turnout"]["embed"].is_string());
    for path in ["/map/turnout", "/embed/turnout"] {
        let page = server.get(path);
        assert_eq!(page.status, 200, "{path}");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("script-src 'self';"), "{policy}");
        let html = page.text();
        assert!(html.contains("<html lang=\"fr\">"));
        assert!(!html.contains("<script>alert"), "{path}");
        assert!(!html.contains("<img src=x"), "{path}");
        assert!(html.contains("<h1>Participation &lt;script&gt;"));
        assert!(html.contains("Source\u{a0}: Town &quot;hall&quot;"));
        for tag in [
            "og:title",
            "og:image",
            "og:image:alt",
            "og:locale",
            "twitter:card",
        ] {
            assert!(html.contains(&format!("=\"{tag}\"")), "{tag}");
        }
        assert!(html.contains("application/json+oembed"));
        // Every unit that passes is in the table, and none that does not.
        let matched = server.get("/town/items?filter=turnout%20%3E%200.5").json();
        let rows = html.matches("<tr><th scope=\"row\">").count();
        assert_eq!(Some(rows as u64), matched["numberMatched"].as_u64());
    }
    let page = server
        .get("/map/turnout")
        .header("content-security-policy")
        .to_owned();
    assert!(page.contains("frame-ancestors 'self'"));
    let embed = server
        .get("/embed/turnout")
        .header("content-security-policy")
        .to_owned();
    assert!(embed.contains("frame-ancestors *"));
    assert!(
        server
            .get("/map/turnout?lang=en")
            .text()
            .contains("<html lang=\"en\">")
    );
    assert_eq!(server.get("/map/turnout?lang=xx").status, 400);
    assert_eq!(server.get("/map/nobody").status, 404);
}

#[test]
fn tiles_and_style_are_those_of_the_map() {
    let village = Village::new();
    let (_maps, server) = publish(&village, &[("turnout", TURNOUT)]);
    let style = server.get("/styles/turnout/style.json").json();
    let tiles = style["sources"]["areas"]["tiles"][0]
        .as_str()
        .expect("a URL");
    assert!(tiles.contains("/map/turnout/tiles/{z}/{x}/{y}?v="));
    let own = server.get("/map/turnout/tiles/14/8297/5636");
    let same = server.get("/town/14/8297/5636?properties=turnout&filter=turnout%20%3E%200.5");
    assert_eq!((own.status, &own.body), (same.status, &same.body));
    assert_eq!(own.header("etag"), same.header("etag"));
    // A request cannot widen it.
    let wider =
        server.get("/map/turnout/tiles/14/8297/5636?filter=turnout%20%3E%200&properties=voters");
    assert_eq!(wider.body, own.body);
    let data = server.get("/map/turnout/data").json();
    assert_eq!(data["version"], server.version());
}

#[test]
fn pictures_have_the_size_asked_for() {
    let village = Village::new();
    let (_maps, server) = publish(&village, &[("turnout", TURNOUT)]);
    for (query, width, height) in [
        ("", 1200, 900),
        ("?width=400&height=300", 400, 300),
        ("?width=400&height=300&scale=2", 800, 600),
        ("?width=1200&height=630", 1200, 630),
    ] {
        let reply = server.get(&format!("/map/turnout.png{query}"));
        assert_eq!(reply.status, 200, "{query}");
        assert_eq!(reply.header("content-type"), "image/png");
        // A browser asks for gzip, which a PNG does not gain by.
        let held = [
            ("Accept-Encoding", "gzip"),
            ("If-None-Match", reply.header("etag")),
        ];
        let again = server.get_with(&format!("/map/turnout.png{query}"), &held);
        assert_eq!(
            (again.status, again.header("etag")),
            (304, reply.header("etag"))
        );
        let (w, h, colors) = read_png(&reply.plain());
        assert_eq!((w, h), (width, height), "{query}");
        // The classes of the legend are in it, as areas: more than their swatches.
        let data = server.get("/map/turnout/data").json();
        for line in data["legends"]
            .as_array()
            .and_then(|l| l.last())
            .expect("a legend")["lines"]
            .as_array()
            .expect("lines")
        {
            let color = line["color"].as_str().expect("a colour");
            let pixels = colors.iter().filter(|c| *c == color).count();
            assert!(pixels > 500, "{query}: {color} covers {pixels} pixels");
        }
    }
    // A banner's text is small enough to leave room.
    assert_eq!(
        server.get("/map/turnout.png?width=1200&height=250").status,
        200
    );
    let svg = server.get("/map/turnout.svg").text();
    assert!(svg.contains("<svg ") && !svg.contains("<script"));
    assert!(svg.contains("&lt;script&gt;"));
    for bad in [
        "width=1",
        "width=9999",
        "scale=0",
        "width=6000&height=6000",
        "scale=nan",
        // No room for the map.
        "width=2000&height=100",
    ] {
        assert_eq!(
            server.get(&format!("/map/turnout.png?{bad}")).status,
            400,
            "{bad}"
        );
    }
}

/// Width, height and the pixels as `#rrggbb`, of a PNG of eight-bit RGB with up-filtered rows.
fn read_png(bytes: &[u8]) -> (u32, u32, Vec<String>) {
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let (width, height) = (number(16), number(20));
    let length = number(33) as usize;
    assert_eq!(&bytes[37..41], b"IDAT");
    let mut rows = Vec::new();
    flate2::read::ZlibDecoder::new(&bytes[41..41 + length])
        .read_to_end(&mut rows)
        .expect("zlib");
    let row = width as usize * 3;
    assert_eq!(rows.len(), (row + 1) * height as usize);
    let mut above = vec![0_u8; row];
    let mut pixels = Vec::new();
    for line in rows.chunks_exact(row + 1) {
        assert_eq!(line[0], 2);
        for (up, difference) in above.iter_mut().zip(&line[1..]) {
            *up = up.wrapping_add(*difference);
        }
        let hex = |p: &[u8]| format!("#{:02x}{:02x}{:02x}", p[0], p[1], p[2]);
        pixels.extend(above.chunks_exact(3).map(hex));
    }
    (width, height, pixels)
}

#[test]
fn oembed_follows_the_standard() {
    let village = Village::new();
    let (_maps, server) = publish(&village, &[("turnout", TURNOUT)]);
    let url = format!("http%3A%2F%2F{}%2Fmap%2Fturnout", server.address);
    let answer = server
        .get(&format!("/oembed?url={url}&maxwidth=500"))
        .json();
    assert_eq!(answer["version"], "1.0");
    assert_eq!(answer["type"], "rich");
    assert!(answer["width"].as_u64().is_some_and(|width| width <= 500));
    let low = format!("/oembed?url={url}%3Flang%3Den&maxheight=150");
    let low = server.get(&low).json();
    assert_eq!(low["height"], 150);
    let html = low["html"].as_str().expect("HTML");
    assert!(html.starts_with("<iframe title=\"") && !html.contains("<script>"));
    assert!(html.contains("loading=\"lazy\""));
    assert!(html.contains("height=\"150\"") && html.contains("/embed/turnout?lang=en\""));
    assert_eq!(server.get("/oembed").status, 400);
    assert_eq!(
        server.get(&format!("/oembed?url={url}&format=xml")).status,
        501
    );
    let ours = format!("http%3A%2F%2F{}", server.address);
    for host in [
        "https%3A%2F%2Fevil.example",
        &format!("{ours}.evil.example"),
        &format!("{ours}%40evil.example"),
        &format!("{ours}1"),
    ] {
        let url = format!("/oembed?url={host}%2Fmap%2Fturnout");
        assert_eq!(server.get(&url).status, 404, "{url}");
    }
    assert!(
        server
            .get("/embed.js")
            .text()
            .contains("datawrapper-height")
    );
}

#[test]
fn under_embargo_nothing_is_there() {
    let village = Village::new();
    let later = TURNOUT.replace("language", "embargo = 2999-01-01T00:00:00Z\nlanguage");
    let past = TURNOUT.replace("language", "embargo = 2001-01-01T00:00:00+02:00\nlanguage");
    let (_maps, server) = publish(&village, &[("later", &later), ("past", &past)]);
    let url = format!("http%3A%2F%2F{}%2Fmap%2Flater", server.address);
    for path in [
        "/map/later",
        "/embed/later",
        "/map/later.png",
        "/map/later.svg",
        "/map/later/data",
        "/map/later/tiles/14/8297/5636",
        "/styles/later/style.json",
        &format!("/oembed?url={url}"),
    ] {
        let reply = server.get(path);
        assert_eq!(reply.status, 404, "{path}");
        assert!(!reply.text().contains("Participation"), "{path}");
    }
    assert!(server.get("/catalog").json()["maps"]["later"].is_null());
    assert_eq!(server.get("/map/past").status, 200);
}

#[test]
fn a_broken_file_names_its_line_and_the_map_stays() {
    let village = Village::new();
    let (maps, mut server) = publish(&village, &[("turnout", TURNOUT)]);
    server.expect_in_log("map refused");
    write(
        maps.path(),
        "turnout",
        &TURNOUT.replace("palette = \"teal\"", "colour = 1"),
    );
    write(
        maps.path(),
        "new",
        &TURNOUT.replace("language = \"fr\"", "language = \"en\""),
    );
    until(|| server.get("/map/new").status == 200);
    let said = |text: &str| server.log().iter().any(|line| line.contains(text));
    until(|| said("turnout.toml:11: "));
    assert_eq!(server.get("/map/turnout").status, 200);
}

#[test]
fn a_map_that_names_what_is_not_there_says_so() {
    let village = Village::new();
    let bad = TURNOUT.replace("filter = \"turnout > 0.5\"", "filter = \"nosuch > 0.5\"");
    let (_maps, mut server) = publish(&village, &[("bad", &bad), ("turnout", TURNOUT)]);
    server.expect_in_log("map without its data");
    let said = |text: &str| server.log().iter().any(|line| line.contains(text));
    until(|| said("bad.toml:7: filter"));
    assert_eq!(server.get("/map/bad").status, 404);
    assert_eq!(server.get("/map/turnout").status, 200);
}

fn until(mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "it never came true");
        std::thread::sleep(Duration::from_millis(20));
    }
}
