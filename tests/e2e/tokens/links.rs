//! Signed links: what they open, and the verb that makes them.

use std::fs;
use std::process::Command;

use e2e::binary;
use e2e::crowd::Crowd;
use e2e::wire::Connection;

use super::{PATH, now, serve};

/// As the keys file's secret signs it.
fn link(secret: &str, expiry: i64, tenant: &str, prefix: &str) -> String {
    let hex: String = prefix.bytes().map(|b| format!("{b:02x}")).collect();
    let text = format!("{expiry}.{tenant}.{hex}");
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
    let good = link(secret, soon, "red", "/town");
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
    let density = link(secret, soon, "red", "/density");
    assert_eq!(ask(&mut c, PATH, &density), 404);
    assert_eq!(ask(&mut c, "/town/items?contacts=supporters", &good), 400);
    let reply = c.request("GET", &format!("/town?sig={good}"), &[]);
    assert!(
        reply.header("cache-control").starts_with("private"),
        "{reply:?}"
    );
    let mac = good.rsplit('.').next().expect("parts");
    let mut forged = vec![
        link(secret, now() - 1, "red", "/town"),
        link(&"0".repeat(64), soon, "red", "/town"),
        link(secret, soon, "red", "/tow"),
        good.replace("red", "blue"),
        good.replace(&soon.to_string(), &(soon + 3600).to_string()),
        good.to_uppercase(),
        format!("{good}0"),
        format!("{good}."),
        format!("%20{good}"),
        format!("{soon}.red.{mac}"),
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
    command.args(["keys", "sign", "--keys", &crowd.keys(), "--tenant", "red"]);
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
