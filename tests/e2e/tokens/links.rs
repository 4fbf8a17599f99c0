//! Signed links: what they open, the verb that makes them, and the maps that are opened by one.

use std::fs;
use std::process::Command;

use e2e::crowd::Crowd;
use e2e::wire::Connection;
use e2e::{Server, binary};

use super::{PATH, now, serve};

/// As the keys file's secret signs it.
fn link(secret: &str, expiry: i64, key: &str, prefix: &str) -> String {
    let hex: String = prefix.bytes().map(|b| format!("{b:02x}")).collect();
    let text = format!("{expiry}.{key}.{hex}");
    let secret = blake3::Hash::from_hex(secret).expect("64 digits");
    let signed = format!("maille signed link\n{text}");
    let mac = blake3::keyed_hash(secret.as_bytes(), signed.as_bytes());
    format!("{text}.{}", mac.to_hex())
}

#[test]
fn links_open_what_they_were_signed_for() {
    let crowd = Crowd::new(60);
    crowd.build();
    let key = crowd.add_key("red staff", "red", "inside");
    let text = fs::read_to_string(crowd.keys()).expect("there");
    let secret = text
        .lines()
        .find_map(|line| line.strip_prefix("secret = \"")?.strip_suffix('"'))
        .expect("a secret");
    let id = text.lines().find_map(|line| line.strip_prefix("hash = \""));
    let id = &id.expect("of the key")[..16];
    let closed = format!("{text}\n[public]\nlayers = [\"town\"]\n");
    fs::write(crowd.keys(), closed).expect("written");
    let server = serve(&crowd);
    let mut c = server.connect();
    let ask = |c: &mut Connection, path: &str, sig: &str| {
        let sign = if path.contains('?') { '&' } else { '?' };
        c.request("GET", &format!("{path}{sign}sig={sig}"), &[])
            .status
    };
    let soon = (now() / 3600 + 2) * 3600;
    let good = link(secret, soon, id, "/town");
    for (path, status) in [
        ("/town", 200),
        ("/town/items?limit=1", 200),
        ("/town/stats?property=turnout", 200),
        ("/townhall", 401),
        ("/", 401),
        ("/catalog", 401),
        ("/density/supporters", 401),
        ("/%74own", 401),
        ("//town", 401),
        ("/x/../town", 401),
    ] {
        assert_eq!(ask(&mut c, path, &good), status, "{path}");
    }
    // A link is of the outside: contacts stay where they are.
    let density = link(secret, soon, id, "/density");
    assert_eq!(ask(&mut c, PATH, &density), 404);
    assert_eq!(ask(&mut c, "/town/items?contacts=supporters", &good), 400);
    let reply = c.request("GET", &format!("/town?sig={good}"), &[]);
    assert!(
        reply.header("cache-control").starts_with("private"),
        "{reply:?}"
    );
    let mac = good.rsplit('.').next().expect("parts");
    let mut forged = vec![
        link(secret, now() - 1, id, "/town"),
        link(&"0".repeat(64), soon, id, "/town"),
        link(secret, soon, id, "/tow"),
        good.replace(id, "0123456789abcdef"),
        good.replace(&soon.to_string(), &(soon + 3600).to_string()),
        good.to_uppercase(),
        format!("{good}0"),
        format!("{good}."),
        format!("%20{good}"),
        format!("{soon}.{id}.{mac}"),
        link(secret, soon, "red", "/town"),
        link(secret, soon, "", "/town"),
        mac.to_owned(),
        String::from("..."),
        key,
    ];
    for at in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[at] ^= 1;
        let text = String::from_utf8(bytes).expect("still ASCII");
        if text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.') {
            forged.push(text);
        }
    }
    for sig in forged {
        assert_eq!(ask(&mut c, "/town", &sig), 401, "{sig}");
    }
    // Two kinds of credentials at once, or one of them twice, are none.
    let twice = c.request("GET", &format!("/town?sig={good}&sig={good}"), &[]);
    assert_eq!(twice.status, 401);
    let both = [("Authorization", "Bearer maille_00")];
    assert_eq!(
        c.request("GET", &format!("/town?sig={good}"), &both).status,
        401
    );
}

/// What `keys sign` prints, or what it says instead.
fn signed_link(crowd: &Crowd, args: &[&str]) -> Result<String, String> {
    let mut command = Command::new(binary("tileserver"));
    command.args([
        "keys",
        "sign",
        "--keys",
        &crowd.keys(),
        "--name",
        "red staff",
    ]);
    let output = command.args(args).output().expect("tileserver starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8").trim().to_owned();
    if output.status.success() {
        Ok(text(output.stdout))
    } else {
        Err(text(output.stderr))
    }
}

#[test]
fn the_command_line_signs_links() {
    let crowd = Crowd::new(60);
    crowd.build();
    let early = signed_link(&crowd, &["--path", "/town"]).expect_err("no keys file");
    assert!(early.contains("keys.toml"), "{early}");
    crowd.add_key("other", "red", "inside");
    let nobody = signed_link(&crowd, &["--path", "/town"]).expect_err("no such key");
    assert!(nobody.contains("no key of this name"), "{nobody}");
    crowd.add_key("red staff", "red", "inside");
    let server = serve(&crowd);
    let mut c = server.connect();
    let link = signed_link(&crowd, &["--path", "/town", "--days", "2"]).expect("signed");
    let (path, sig) = link.split_once("?sig=").expect("a link");
    assert_eq!(path, "/town");
    assert_eq!(c.request("GET", &link, &[]).status, 200, "{link}");
    for (path, status) in [
        ("/town/items?limit=1&", 200),
        ("/townhall?", 401),
        ("/catalog?", 401),
        ("/density/supporters?", 401),
    ] {
        let reply = c.request("GET", &format!("{path}sig={sig}"), &[]);
        assert_eq!(reply.status, status, "{path}");
    }
    let expiry: i64 = sig
        .split('.')
        .next()
        .expect("parts")
        .parse()
        .expect("seconds");
    assert_eq!(expiry % 3600, 0);
    let left = expiry - now();
    assert!(
        (2 * 86_400 - 60..=2 * 86_400 + 3600).contains(&left),
        "{left}"
    );
    // Of the contacts, no link shows more than the public sees.
    let density = signed_link(&crowd, &["--path", "/density"]).expect("signed");
    let sig = density.split_once("?sig=").expect("a link").1;
    let reply = c.request("GET", &format!("{PATH}?sig={sig}"), &[]);
    assert_eq!(reply.status, 404);
    for (args, word) in [
        (&["--path", "town"][..], "/embed/margin"),
        (&["--path", "/town?a=1"], "/embed/margin"),
        (&["--path", "/town", "--days", "0"], "1..=3650"),
    ] {
        let refused = signed_link(&crowd, args).expect_err(word);
        assert!(refused.contains(word), "{refused}");
    }
}

/// Every address of this server in a text that holds a signature, or should.
fn addresses(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("/map/") {
        let rest = &text[at..];
        let end = rest.find(['"', '<', ' ']).unwrap_or(rest.len());
        found.push(rest[..end].replace("&amp;", "&").replace("\\u0026", "&"));
    }
    found
}

/// A server of two maps, of which the public may see `open`.
fn with_a_hidden_map() -> (Crowd, Server) {
    let crowd = Crowd::new(60);
    crowd.build();
    crowd.add_key("red staff", "red", "inside");
    let text = fs::read_to_string(crowd.keys()).expect("there");
    fs::write(
        crowd.keys(),
        format!("{text}\n[public]\nhidden = [\"turnout\"]\n"),
    )
    .expect("written");
    let maps = crowd.dataset().join("maps");
    fs::create_dir_all(&maps).expect("a directory");
    for (id, indicator) in [("turnout", "turnout"), ("open", "registered")] {
        let map =
            format!("title = \"Who voted, {id}\"\nlayer = \"town\"\nindicator = \"{indicator}\"\n");
        fs::write(maps.join(format!("{id}.toml")), map).expect("written");
    }
    let server = serve(&crowd);
    (crowd, server)
}

#[test]
fn a_page_opened_by_a_link_opens_what_it_asks_for_itself() {
    let (crowd, server) = with_a_hidden_map();
    let mut c = server.connect();
    let mut get = |path: &str| c.request("GET", path, &[]);
    let listed = get("/catalog").json();
    assert!(
        listed["maps"]["open"].is_object() && listed["maps"]["turnout"].is_null(),
        "{listed}"
    );
    for path in [
        "/map/turnout",
        "/embed/turnout",
        "/map/turnout.png",
        "/map/turnout/data",
    ] {
        assert_eq!(get(path).status, 404, "{path}");
    }
    let link = signed_link(&crowd, &["--path", "/embed/turnout"]).expect("signed");
    let sig = link.split_once("?sig=").expect("a link").1;
    for path in [&*link, &*format!("/map/turnout?sig={sig}&lang=fr")] {
        let page = get(path);
        assert_eq!(page.status, 200, "{path}");
        assert!(
            page.header("cache-control").starts_with("private"),
            "{page:?}"
        );
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("x-robots-tag"), "noindex");
        let html = page.text();
        // Nothing that hands the link on: no card, no snippet, no canonical address, no oEmbed.
        for word in [
            "og:url",
            "og:image",
            "canonical",
            "oembed",
            "<iframe",
            "&lt;iframe",
            "embed.js",
        ] {
            assert!(!html.contains(word), "{word}");
        }
        let asked = addresses(&html);
        assert_eq!(asked.len(), 3, "picture, data, tiles: {asked:?}");
        let tiles = asked
            .iter()
            .find(|one| one.contains("{z}"))
            .expect("tiles")
            .clone();
        for one in asked.iter().filter(|one| !one.contains("{z}")).chain([
            &tiles.replace("{z}/{x}/{y}", "10/302/365"),
            &format!("/map/turnout/names/10/302/365?sig={sig}"),
            &format!("/map/turnout.png?sig={sig}"),
        ]) {
            assert!(one.contains(&format!("sig={sig}")), "{one}");
            let reply = get(one);
            assert!(matches!(reply.status, 200 | 204), "{one}: {}", reply.status);
            assert!(
                reply.header("cache-control").starts_with("private"),
                "{one}"
            );
            let bare = one.replace(&format!("sig={sig}"), "x=");
            let refused = get(&bare);
            assert_eq!(refused.status, 404, "{bare}");
            let absent = get(&bare.replace("turnout", "nothing"));
            assert_eq!(refused.json()["detail"], absent.json()["detail"], "{bare}");
        }
        let data = get(&format!("/map/turnout/data?sig={sig}")).json();
        let again = data["style"]["sources"]["areas"]["tiles"][0].as_str();
        assert!(again.is_some_and(|one| one.contains(sig)), "{data}");
    }
    for (path, status) in [
        ("/map/open", 401),
        ("/embed/open", 401),
        ("/town", 401),
        ("/town/items", 401),
        ("/town/10/302/365", 401),
        ("/catalog", 401),
        ("/oembed", 401),
        ("/styles/turnout/style.json", 401),
        ("/density/supporters", 401),
    ] {
        assert_eq!(get(&format!("{path}?sig={sig}")).status, status, "{path}");
    }
    // The address of a page inside another's is no credential.
    let nested = format!("http://{}{link}", server.address)
        .replace('?', "%3F")
        .replace('=', "%3D");
    assert_eq!(get(&format!("/oembed?url={nested}")).status, 404);
    // What everybody sees is as it was.
    let open = get("/embed/open");
    assert!(
        open.header("cache-control").starts_with("public"),
        "{open:?}"
    );
    assert!(!open.text().contains("sig="));
}

#[test]
fn a_link_to_a_style_opens_the_tiles_it_names() {
    let (crowd, server) = with_a_hidden_map();
    let mut c = server.connect();
    let mut get = |path: &str| c.request("GET", path, &[]);
    assert_eq!(get("/styles/turnout/style.json").status, 404);
    let link = signed_link(&crowd, &["--path", "/styles/turnout/style.json"]).expect("signed");
    let sig = link.split_once("?sig=").expect("a link").1;
    let style = get(&link);
    assert_eq!(style.status, 200, "{style:?}");
    assert!(style.header("cache-control").starts_with("private"));
    let base = format!("http://{}", server.address);
    let mut drawn = 0;
    for source in style.json()["sources"]
        .as_object()
        .expect("sources")
        .values()
    {
        let tiles = source["tiles"][0].as_str().expect("an address");
        let tile = tiles.replace("{z}/{x}/{y}", "10/302/365");
        let tile = tile.strip_prefix(&base).expect("on this server");
        assert!(tile.contains(&format!("sig={sig}")), "{tile}");
        assert!(matches!(get(tile).status, 200 | 204), "{tile}");
        let bare = tile.replace(&format!("sig={sig}"), "x=");
        assert_eq!(get(&bare).status, 404, "{bare}");
        drawn += 1;
    }
    assert!(drawn > 0);
    for path in [
        "/map/turnout",
        "/map/turnout/data",
        "/map/turnout.png",
        "/town",
    ] {
        assert_eq!(get(&format!("{path}?sig={sig}")).status, 401, "{path}");
    }
    // The tiles of a layer's own style lie where the link does not lead.
    let layer = signed_link(&crowd, &["--path", "/styles/town"]).expect("signed");
    let refused = get(&layer.replace("/styles/town?", "/styles/town/style.json?"));
    assert_eq!(
        (refused.status, refused.json()["parameter"].as_str()),
        (400, Some("sig"))
    );
    let whole = signed_link(&crowd, &["--path", "/"]).expect("signed");
    let whole = get(&whole.replace("/?", "/styles/town/style.json?"));
    assert!(
        whole.status == 200 && whole.text().contains("sig="),
        "{whole:?}"
    );
    let template = signed_link(&crowd, &["--path", "/styles/choropleth"]).expect_err("no map");
    assert!(template.contains("as /styles/margin"), "{template}");
}

#[test]
fn a_link_dies_with_its_key() {
    let (crowd, server) = with_a_hidden_map();
    let mut c = server.connect();
    let mut get = |path: &str| c.request("GET", path, &[]);
    let link = signed_link(&crowd, &["--path", "/embed/turnout"]).expect("signed");
    assert_eq!(get(&link).status, 200);
    let text = fs::read_to_string(crowd.keys()).expect("there");
    let start = text.find("[[key]]").expect("a key");
    fs::write(crowd.keys(), &text[..start]).expect("written");
    let until = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while get(&link).status != 401 {
        assert!(
            std::time::Instant::now() < until,
            "the link outlives its key"
        );
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn a_link_is_narrowed_as_its_key_is() {
    let crowd = Crowd::new(60);
    crowd.build();
    crowd.add_key("red staff", "red", "inside");
    let text = fs::read_to_string(crowd.keys()).expect("there");
    let narrowed = text.replace(
        "role =",
        "hidden = [\"registered\"]\nfilter = \"turnout > 0.5\"\nrole =",
    );
    fs::write(crowd.keys(), &narrowed).expect("written");
    let server = serve(&crowd);
    let mut c = server.connect();
    let mut get = |path: &str| c.request("GET", path, &[]);
    let link = signed_link(&crowd, &["--path", "/town"]).expect("signed");
    let described = get(&link).json();
    let tiles = described["tiles"][0]
        .as_str()
        .expect("an address")
        .to_owned();
    let path = tiles
        .split_once("/town/")
        .expect("of the layer")
        .1
        .replace("{z}/{x}/{y}", "10/302/365");
    assert!(
        matches!(get(&format!("/town/{path}")).status, 200 | 204),
        "{tiles}"
    );
    assert!(!described.to_string().contains("registered"), "{described}");
    let sig = link.split_once("?sig=").expect("a link").1;
    let ask = |filter: &str| format!("/town/items?filter={filter}&sig={sig}");
    let all = get(&ask("true")).json()["numberMatched"].as_u64();
    let public = get("/town/items").json()["numberMatched"].as_u64();
    let beyond = get(&ask("turnout%20%3C=%200.5")).json()["numberMatched"].as_u64();
    assert!(all > Some(0) && all < public, "{all:?} of {public:?}");
    assert_eq!(beyond, Some(0), "a filter widens nothing");
}
