//! Forged, odd and expired tokens over HTTP.

mod links;
mod secrets;

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use e2e::Server;
use e2e::crowd::{Crowd, Dice};
use e2e::wire::{Connection, Reply};
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
    // Nothing that must be understood is (RFC 7515, section 4.1.11).
    for crit in [json!(["urn:x:must-understand"]), json!(["exp"]), json!([])] {
        odd.push(token(&with(header(), "crit", crit), &claims()));
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
