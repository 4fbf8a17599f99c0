//! Forged, odd and expired credentials over HTTP, and what is left of secrets and persons in what
//! the server writes.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use e2e::crowd::{Crowd, Dice};
use e2e::mvt::tile_at;
use e2e::wire::{Connection, Reply};
use e2e::{Server, binary, precompute};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};

const SECRET: &str = "a shared secret of more than 32 bytes";

/// Its private half signed [`RS256_TOKEN`], which expires in 2100, and is gone.
const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuNolce7A7G3LFaNOdzPC
+I4LyUl63y0HNyYVMGxEP3b5v8QiRfRoqXHIp4os4oJcO8uuAwN5VR/M1sncjRpa
5FuVUj3SSbn69fGCL40ySWnd1ItAzNdR8QZHq2rs7jywyADk83TE6AgYmzPUVOnQ
UYGUTi7CwDq76VLkDL9RiUDkqwPjvJp+QJG0SBVLEPGTZ5hQ56ty1Bktd/OjQPPF
8Qc3SwL87uiYR0iJ/+iX5THU6he1SIAhEkSCg6yAkRe/DHia9ARsCshT8ZZnzSKi
7ZHXBgywnjtHVaAILaWub3BQ/QsLkhkCT8sViSEYzJZsWnxJRX7AJp7u21UipB2F
ewIDAQAB
-----END PUBLIC KEY-----
";
const RS256_TOKEN: &str = concat!(
    "eyJhbGciOiJSUzI1NiIsImtpZCI6Im1haW4ifQ.eyJ0ZW5hbnQiOiJyZWQiLCJyb2xlIjoiaW5zaWRlI",
    "iwiYXVkIjoibWFpbGxlIiwiZXhwIjo0MTAyNDQ0ODAwfQ.LkgfHWa5wRyNG3-dr6f2KWTK0mUgiJJ0Fj",
    "HatSKHX0p92yb8jHgulKfY5EUE99Wrv1eEzi3BOtzg3R0ypTdF8W4oXLrqChLXO0iD-Qigd3EOhnEVnC",
    "SmM-yze-oy_oEv_YD7M4__s2cb4B9FqRIAmsIjd_svaGRDrRZstMPmY1q6DIk7ZBWVAtZSFsdQSPIGzc",
    "N_dNxvBi_QJq6PpSs073AgoZnfDnmO0HbdOVOE8KXLBZPxksUpRuNSVpedGjTHYswl3ctFZ9kAAYCSpP",
    "3NLGwcs5X711HixKcOqj9qkkQtQb2hwVVGpPuDzQSK6jRn9iTzyyCBWSmWG44IJ5-G6w",
);

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.expect("after 1970").as_secs()).expect("small")
}

fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut word = [0; 4];
        word[1..=chunk.len()].copy_from_slice(chunk);
        let word = u32::from_be_bytes(word);
        for i in 0..=chunk.len() {
            text.push(char::from(DIGITS[(word >> (18 - 6 * i) & 63) as usize]));
        }
    }
    text
}

/// A token of texts that need not be JSON, signed as HS256.
fn signed(header: &str, claims: &str, secret: &[u8]) -> String {
    let message = format!(
        "{}.{}",
        base64url(header.as_bytes()),
        base64url(claims.as_bytes())
    );
    let key = EncodingKey::from_secret(secret);
    let signature = crypto::sign(message.as_bytes(), &key, Algorithm::HS256).expect("a secret");
    format!("{message}.{signature}")
}

fn token(header: &Value, claims: &Value) -> String {
    signed(&header.to_string(), &claims.to_string(), SECRET.as_bytes())
}

fn header() -> Value {
    json!({ "alg": "HS256", "typ": "JWT", "kid": "main" })
}

fn claims() -> Value {
    json!({ "tenant": "red", "role": "inside", "aud": "maille", "exp": now() + 600 })
}

fn with(mut value: Value, name: &str, member: Value) -> Value {
    value[name] = member;
    value
}

fn get(c: &mut Connection, path: &str, token: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    c.request("GET", path, &[("Authorization", &bearer)])
}

/// A crowd whose keys file takes tokens of `algorithm`.
fn crowd(algorithm: &str, key: &str) -> Crowd {
    let crowd = Crowd::new(60);
    crowd.build();
    crowd.add_key("red staff", "red", "inside");
    let text = fs::read_to_string(crowd.keys()).expect("there");
    let jwt = format!(
        "\n[jwt]\nalgorithm = \"{algorithm}\"\naudience = \"maille\"\n[jwt.keys]\nmain = \"\"\"{key}\"\"\"\n"
    );
    fs::write(crowd.keys(), text + &jwt).expect("written");
    crowd
}

fn serve(crowd: &Crowd) -> Server {
    Server::start_with(&crowd.dataset(), &["--keys", &crowd.keys()])
}

const PATH: &str = "/density/supporters";

/// Headers that name other algorithms or keys.
fn odd_headers(body: &str, signature: &str) -> Vec<String> {
    let mut odd: Vec<String> = Vec::new();
    let plain = |alg: &str| base64url(with(header(), "alg", json!(alg)).to_string().as_bytes());
    for alg in [
        "none", "None", "nOnE", "NONE", "", "HS512", "RS256", "ES256",
    ] {
        odd.push(format!("{}.{body}.", plain(alg)));
        odd.push(format!("{}.{body}.{signature}", plain(alg)));
        odd.push(token(&with(header(), "alg", json!(alg)), &claims()));
    }
    for kid in [
        json!("../../dev/null"),
        json!("../../../../../../dev/null"),
        json!("' OR '1'='1"),
        json!("http://127.0.0.1:1/keys"),
        json!("m".repeat(10_000)),
        json!("MAIN"),
        json!("main\u{0}"),
        json!(["main"]),
        Value::Null,
    ] {
        let empty = with(header(), "kid", kid.clone()).to_string();
        odd.push(signed(&empty, &claims().to_string(), b""));
        odd.push(token(&with(header(), "kid", kid), &claims()));
    }
    odd
}

/// Claims of other types, other times, other people, or none.
fn odd_claims() -> Vec<String> {
    let mut odd: Vec<String> = Vec::new();
    for (name, value) in [
        ("exp", json!(now() - 60)),
        ("exp", json!("4102444800")),
        ("exp", json!(-1)),
        ("exp", Value::Null),
        ("exp", json!([4_102_444_800_u64])),
        ("exp", json!(true)),
        ("nbf", json!(now() + 600)),
        ("aud", json!("other")),
        ("aud", json!(["other"])),
        ("aud", json!("")),
        ("aud", Value::Null),
        ("aud", json!({ "maille": true })),
        ("tenant", json!("")),
        ("tenant", json!(["red"])),
        ("tenant", json!("../red")),
        ("tenant", json!("*")),
        ("tenant", json!("red\u{0}")),
        ("tenant", json!("Red")),
        ("tenant", Value::Null),
        ("role", json!("admin")),
        ("role", json!(["inside"])),
        ("layers", json!("*")),
        ("filter", json!(7)),
    ] {
        odd.push(token(&header(), &with(claims(), name, value)));
    }
    for missing in ["exp", "aud", "tenant", "role"] {
        let mut claims = claims();
        claims.as_object_mut().expect("an object").remove(missing);
        odd.push(token(&header(), &claims));
    }
    odd
}

/// Texts that are no token, or not the one that was signed.
fn odd_forms(good: &str) -> Vec<String> {
    let [head, body, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts");
    };
    let mut odd: Vec<String> = Vec::new();
    let text = claims().to_string();
    let exp = format!("\"exp\":{}", now() + 600);
    assert!(text.contains(&exp));
    for other in ["\"exp\":1e400", "\"exp\":-1e400", "\"exp\":NaN", "\"exp\":"] {
        odd.push(signed(
            &header().to_string(),
            &text.replace(&exp, other),
            SECRET.as_bytes(),
        ));
    }
    for claims in ["", "null", "[]", "{}", "\u{feff}{}", "\"\""] {
        odd.push(signed(&header().to_string(), claims, SECRET.as_bytes()));
    }
    odd.extend([
        signed(
            &header().to_string(),
            &text,
            b"another secret of more than 32 bytes",
        ),
        format!("{good}."),
        format!(".{good}"),
        format!("{good}={}", ""),
        format!("{good}=="),
        format!("{head}..{signature}"),
        format!("{head}.{body}"),
        format!("{head}.{body}.{signature}.{signature}"),
        format!("{head}. {body}.{signature}"),
        format!("{head}.{body}.{}", signature.replace(['-', '_'], "+")) + "A",
        "..".into(),
        "a".repeat(30_000),
    ]);
    odd
}

#[test]
fn odd_tokens_never_pass() {
    let crowd = crowd("HS256", SECRET);
    let server = serve(&crowd);
    let mut c = server.connect();
    let good = token(&header(), &claims());
    assert_eq!(get(&mut c, PATH, &good).status, 200, "the control");

    let [_, body, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts");
    };
    let odd = [odd_headers(body, signature), odd_claims(), odd_forms(&good)].concat();
    for token in &odd {
        let reply = get(&mut c, PATH, token);
        assert!(
            matches!(reply.status, 400 | 401 | 431),
            "{} {token}",
            reply.status
        );
    }
    // A megabyte is refused before it is read.
    let mut apart = server.connect();
    let reply = get(&mut apart, PATH, &"a".repeat(1_000_000));
    assert!(matches!(reply.status, 400 | 401 | 431), "{}", reply.status);

    // What a header says of keys elsewhere is not looked at, and an audience may be one of a list.
    for (name, value) in [
        ("jku", json!("http://127.0.0.1:1/jwks.json")),
        ("x5u", json!("http://127.0.0.1:1/cert.pem")),
    ] {
        let token = token(&with(header(), name, value), &claims());
        assert_eq!(get(&mut c, PATH, &token).status, 200, "{name}");
    }
    let listed = token(
        &header(),
        &with(claims(), "aud", json!(["other", "maille"])),
    );
    assert_eq!(get(&mut c, PATH, &listed).status, 200);
    let guest = token(&header(), &with(claims(), "role", json!("outside")));
    assert_eq!(get(&mut c, PATH, &guest).status, 404);
    let blue = token(&header(), &with(claims(), "tenant", json!("blue")));
    assert_eq!(get(&mut c, PATH, &blue).status, 404);
    assert_eq!(get(&mut c, "/density/volunteers", &blue).status, 200);
}

#[test]
fn tampered_and_doubled_tokens_never_pass() {
    let crowd = crowd("HS256", SECRET);
    let server = serve(&crowd);
    let mut c = server.connect();
    let good = token(&header(), &claims());
    assert_eq!(get(&mut c, PATH, &good).status, 200, "the control");
    let signature = good.rsplit('.').next().expect("parts");
    // Any bit of a good token turned.
    let mut dice = Dice(62);
    for at in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[at] ^= 1 << dice.below(7);
        // What no header may hold is refused before it is a token.
        if let Ok(text) = String::from_utf8(bytes)
            && text.bytes().all(|b| b.is_ascii_graphic())
        {
            let status = get(&mut c, PATH, &text).status;
            assert_eq!(status, 401, "byte {at}: {text}");
        }
    }
    // The last digit has bits that no byte needs: they must be 0.
    let last = signature.as_bytes()[signature.len() - 1];
    for digit in b'A'..=b'Z' {
        if digit != last {
            let other = format!("{}{}", &good[..good.len() - 1], char::from(digit));
            assert_eq!(
                get(&mut c, PATH, &other).status,
                401,
                "{}",
                char::from(digit)
            );
        }
    }
    let bearer = format!("Bearer {good}");
    for headers in [
        vec![("Authorization", &*bearer), ("Authorization", &*bearer)],
        vec![("Authorization", &*bearer), ("authorization", "Bearer x")],
        vec![("Authorization", "Basic cmVkOnJlZA==")],
        vec![("Authorization", &*good)],
        vec![("Authorization", "Bearer")],
        vec![("Authorization", "Bearer ")],
    ] {
        assert_eq!(c.request("GET", PATH, &headers).status, 401, "{headers:?}");
    }
}

#[test]
fn a_public_key_is_no_shared_secret() {
    let crowd = crowd("RS256", PUBLIC_KEY);
    let server = serve(&crowd);
    let mut c = server.connect();
    assert_eq!(get(&mut c, PATH, RS256_TOKEN).status, 200, "the control");
    let claims = claims().to_string();
    for alg in ["HS256", "HS384", "RS256", "none"] {
        let header = with(header(), "alg", json!(alg)).to_string();
        for secret in [PUBLIC_KEY, PUBLIC_KEY.trim(), ""] {
            let forged = signed(&header, &claims, secret.as_bytes());
            assert_eq!(get(&mut c, PATH, &forged).status, 401, "{alg}");
        }
    }
}

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

#[test]
fn keys_are_whole_in_the_header_and_dead_when_revoked() {
    let crowd = Crowd::new(60);
    crowd.build();
    let key = crowd.add_key("red staff", "red", "inside");
    let other = crowd.add_key("blue staff", "blue", "inside");
    let server = serve(&crowd);
    let mut c = server.connect();
    assert_eq!(get(&mut c, PATH, &key).status, 200);
    let lookalike = key.replace('a', "\u{430}");
    let mut wrong: Vec<String> = (1..key.len()).map(|end| key[..end].to_owned()).collect();
    wrong.extend([
        format!("{key}0"),
        format!("{key} {key}"),
        format!("{key},{other}"),
        key.to_uppercase(),
        key.replace("maille_", ""),
        key.replace("maille_", "maille-"),
        String::new(),
    ]);
    for wrong in &wrong {
        assert_eq!(get(&mut c, PATH, wrong).status, 401, "{wrong}");
    }
    for raw in [lookalike, format!("{key}\u{a0}")] {
        assert!(matches!(get(&mut c, PATH, &raw).status, 400 | 401), "{raw}");
    }
    // In an address a key opens nothing.
    for name in [
        "key",
        "api_key",
        "token",
        "access_token",
        "authorization",
        "sig",
    ] {
        let reply = c.request("GET", &format!("{PATH}?{name}={key}"), &[]);
        assert!(
            matches!(reply.status, 401 | 404),
            "{name}: {}",
            reply.status
        );
    }
    let reply = c.request("GET", PATH, &[("Referer", &format!("http://a/?key={key}"))]);
    assert_eq!(reply.status, 404);
    let cookie = format!("key={key}; token={key}");
    assert_eq!(c.request("GET", PATH, &[("Cookie", &cookie)]).status, 404);

    // Rotated: the old one is dead within a second, on connections that are open too.
    let text = fs::read_to_string(crowd.keys()).expect("there");
    let hash = blake3::keyed_hash(
        blake3::Hash::from_hex(
            text.lines()
                .find_map(|line| line.strip_prefix("secret = \"")?.strip_suffix('"'))
                .expect("a secret"),
        )
        .expect("64 digits")
        .as_bytes(),
        b"maille_of_another",
    );
    let old = text
        .lines()
        .find(|line| line.starts_with("hash = "))
        .expect("the first key's");
    fs::write(
        crowd.keys(),
        text.replacen(old, &format!("hash = \"{hash}\""), 1),
    )
    .expect("written");
    server.signal("HUP");
    let until = Instant::now() + Duration::from_secs(1);
    while get(&mut c, PATH, &key).status != 401 {
        assert!(Instant::now() < until, "still alive");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(get(&mut c, PATH, "maille_of_another").status, 200);
    assert_eq!(get(&mut c, "/density/volunteers", &other).status, 200);
}

#[test]
fn nothing_of_persons_or_secrets_is_written() {
    let crowd = Crowd::new(200);
    crowd.build();
    let released = crowd.verb("release", &["--contacts", "supporters"]);
    assert!(released.status.success());
    let key = crowd.add_key("red staff", "red", "inside");
    let dataset = crowd.dataset();
    let arguments = ["--keys", &crowd.keys(), "--log", "trace"];
    let server = Server::start_with(&dataset, &arguments);
    let mut c = server.connect();
    let tile = tile_at(crowd.people[0].lon, crowd.people[0].lat, 16);
    // Each is planted once in every place that a client fills.
    let canary = "Canary-Zoe-7f3";
    let place = format!("{:.4}", crowd.people[0].lat);
    let paths = [
        format!("/density/supporters/{tile}"),
        format!("/density/supporters/{tile}?filter=age%3D'{canary}'"),
        format!("/density/supporters?filter={canary}%3D'{place}'"),
        format!("/density/{canary}"),
        format!("/density/supporters/{canary}/1/1"),
        format!("/density/supporters?grid={canary}"),
        format!("/density/supporters?kernel=quartic&radius_m={canary}"),
        format!("/density/supporters?denominator={canary}"),
        "/density/supporters?grid=hex".to_owned(),
        format!("/town/items?contacts=supporters&contacts-filter=support%3D'{canary}'"),
        format!("/town/items?contacts={canary}"),
        format!("/town/items?filter=name%3D'{canary}'"),
        format!("/town/items/{canary}"),
        format!("/town/search?q={canary}"),
        format!(
            "/town/at?lon={}&lat={}",
            crowd.people[0].lon, crowd.people[0].lat
        ),
        format!("/{canary}?key={key}"),
        format!("/town?sig={key}"),
        format!("/%F{canary}"),
        format!("/{canary}%0d%0aINFO%20admin"),
    ];
    let odd = [
        format!("Bearer {key}"),
        format!("Bearer {canary}"),
        format!("Bearer {}", token(&header(), &claims())),
        format!("Basic {canary}"),
        "Bearer maille_canary".to_owned(),
    ];
    for path in &paths {
        for authorization in &odd {
            let headers = [
                ("Authorization", &**authorization),
                ("User-Agent", canary),
                ("Referer", &format!("http://{canary}/?{key}")),
                ("X-Forwarded-For", canary),
                ("If-None-Match", canary),
            ];
            let reply = c.request("GET", path, &headers);
            assert!(reply.status < 500, "{path}: {}", reply.text());
        }
        let _ = c.request("POST", path, &[("User-Agent", canary)]);
        c = server.connect();
    }
    let metrics = c.request("GET", "/metrics", &[]).text();
    let audit = fs::read_to_string(format!("{}.audit.jsonl", crowd.keys())).expect("there");
    assert!(audit.lines().count() > 3);
    let log = server.log();
    assert!(log.len() > paths.len(), "the log tells of requests");
    // Longitudes and latitudes to eleven metres, names and ids of the file, all tokens.
    let secrets = vec![
        canary.to_owned(),
        "Canary".into(),
        "canary".into(),
        key.clone(),
        key["maille_".len()..].to_owned(),
        SECRET.into(),
        "eyJ".into(),
    ];
    let mut needles = secrets.clone();
    for person in &crowd.people {
        needles.push(format!("{:.4}", person.lon));
        needles.push(format!("{:.4}", person.lat));
    }
    for needle in &needles {
        for line in &log {
            assert!(!line.contains(needle), "{needle}: {line}");
        }
        assert!(!metrics.contains(needle), "{needle} in the metrics");
        assert!(!audit.contains(needle), "{needle} in the audit log");
    }
    // Nor does the public read any of it, but the bounds of public cells.
    for path in [
        "/catalog",
        PATH,
        "/density/supporters/queryables",
        "/ready",
        "/town",
    ] {
        let text = c.request("GET", path, &[]).text();
        for needle in &secrets {
            assert!(!text.contains(needle), "{needle} in {path}");
        }
    }
}

#[test]
fn hostile_contact_files_are_data() {
    let crowd = Crowd::new(20);
    let mut csv = "id,full_name,lon,lat,support,age\n".to_owned();
    for _ in 0..10_000 {
        csv.push_str("P-1,<script>alert(1)</script>,-73.575,45.505,1,old\n");
    }
    csv.push_str("P-2,Zero,0,0,1,old\nP-3,Zero,0.0,-0.0,2,old\n");
    csv.push_str("\"=cmd|'/C calc'!A0\",Formula,-73.575,45.505,2,\"=cmd|'/C calc'!A0\"\n");
    csv.push_str("P-5,Script,-73.575,45.505,3,<script>alert(1)</script>\n");
    csv.push_str("\"@SUM(1,1)\",At,-73.575,45.505,3,\"@SUM(1,1)\"\n");
    csv.push_str("P-6,Far,1e308,45,3,old\nP-8,Pole,10,90,3,old\n");
    fs::write(crowd.town.path().join("supporters.csv"), csv).expect("written");
    let built = crowd.town.build(&["--json"]);
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let report: Value = serde_json::from_slice(&built.stdout).expect("JSON");
    let set = &report["contacts"][0];
    assert_eq!(set["rows"], 10_007);
    assert_eq!(set["contacts"], 4);
    let left_out = set["left_out"].as_object().expect("reasons");
    assert_eq!(left_out["duplicate_person"], 9_999);
    assert_eq!(left_out["coordinates_zero"], 2);
    let sum: u64 = left_out.values().filter_map(Value::as_u64).sum();
    assert_eq!(sum + 4, 10_007, "in and out are the file: {left_out:?}");
    for output in [&built.stdout, &built.stderr] {
        let text = String::from_utf8_lossy(output);
        assert!(
            !text.contains("P-1") && !text.contains("alert(1)"),
            "{text}"
        );
    }
    // Classes are texts to filter by, and are told as JSON tells texts.
    let key = crowd.add_key("red staff", "red", "inside");
    let server = serve(&crowd);
    let mut c = server.connect();
    let described = get(&mut c, PATH, &key);
    let classes = &described.json()["maille"]["dimensions"];
    let ages = classes.as_array().expect("dimensions").iter();
    let ages: Vec<&Value> = ages.filter(|d| d["name"] == "age").collect();
    assert_eq!(ages[0]["classes"].as_array().map(Vec::len), Some(4));
    assert_eq!(described.header("x-content-type-options"), "nosniff");
    assert!(described.header("content-type").contains("json"));
    let formula = "age%3D'%3Dcmd%7C''/C%20calc''!A0'";
    let matched = get(&mut c, &format!("{PATH}?filter={formula}"), &key).json();
    assert_eq!(matched["maille"]["matched"], 1);
    let script = "age%3D'%3Cscript%3Ealert(1)%3C/script%3E'";
    let areas = format!("/town/items.csv?contacts=supporters&contacts-filter={script}");
    let csv = get(&mut c, &areas, &key).text();
    assert!(!csv.contains("script"), "{csv}");
    let inspected = precompute(&["inspect", &crowd.town.file("out"), "--json"]);
    assert!(inspected.status.success());
}

/// To whoever may not see a set, its cells with contacts, its empty ones and those of no set at all
/// are one: status, headers and length.
#[test]
fn private_cells_look_alike_from_outside() {
    let crowd = Crowd::new(60);
    crowd.build();
    let red = crowd.add_key("red staff", "red", "inside");
    let blue = crowd.add_key("blue staff", "blue", "inside");
    let server = serve(&crowd);
    let mut c = server.connect();
    let full = tile_at(crowd.people[0].lon, crowd.people[0].lat, 16);
    let empty = tile_at(100.0, 10.0, 16);
    let inside = [&full, &empty].map(|tile| get(&mut c, &format!("{PATH}/{tile}"), &red));
    assert_eq!(inside.map(|reply| reply.status), [200, 204], "the control");
    let etag = get(&mut c, &format!("{PATH}/{full}"), &red)
        .header("etag")
        .to_owned();
    let bearer = format!("Bearer {blue}");
    for credentials in [None, Some(("Authorization", &*bearer))] {
        let mut headers = vec![("If-None-Match", &*etag)];
        headers.extend(credentials);
        let mut shapes = Vec::new();
        for set in ["supporters", "supported0"] {
            for tile in [&full, &empty] {
                let reply = c.request("GET", &format!("/density/{set}/{tile}"), &headers);
                let told = reply.headers.iter().filter(|(name, _)| {
                    !["x-request-id", "date"].contains(&name.to_lowercase().as_str())
                });
                let told: Vec<(String, usize)> = told
                    .map(|(name, value)| (name.clone(), value.len()))
                    .collect();
                let problem = with(reply.json(), "instance", Value::Null);
                // An address is as long as the other but for the tile's own digits.
                let length = reply.body.len() - tile.len();
                let told: Vec<_> = told
                    .into_iter()
                    .filter(|(name, _)| !name.eq_ignore_ascii_case("content-length"))
                    .collect();
                shapes.push((reply.status, told, problem, length));
            }
        }
        assert_eq!(shapes[0].0, 404);
        for shape in &shapes {
            assert_eq!(shape, &shapes[0]);
        }
    }
}
