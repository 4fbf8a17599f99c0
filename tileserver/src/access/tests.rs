use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::*;

const SECRET: &str = "a shared secret of more than 32 bytes";

fn now() -> SystemTime {
    SystemTime::now()
}

fn seconds() -> i64 {
    let since = now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("small")
}

fn file_with_key(more: &str) -> (KeysFile, String) {
    let new = NewKey {
        name: "app".into(),
        tenant: "demo".into(),
        role: Role::Inside,
    };
    let Added { file, key } = KeysFile::default().with_key(new).expect("random bytes");
    let text = toml::to_string(&file).expect("plain values");
    (
        KeysFile::parse(&format!("{text}{more}")).expect("valid"),
        key,
    )
}

fn file_with_jwt() -> KeysFile {
    let text = format!(
        "[jwt]\nalgorithm = \"HS256\"\naudience = \"maille\"\n[jwt.keys]\nmain = \"{SECRET}\"\n"
    );
    file_with_key(&text).0
}

fn bearer(keys: &KeysFile, header: &str) -> Result<Caller, Refused> {
    let authorization = [header];
    authenticate(
        keys,
        Credentials {
            authorization: &authorization,
            sig: None,
            path: "/a",
        },
        now(),
    )
}

fn linked(keys: &KeysFile, sig: &str, path: &str, at: SystemTime) -> Result<Caller, Refused> {
    authenticate(
        keys,
        Credentials {
            authorization: &[],
            sig: Some(sig),
            path,
        },
        at,
    )
}

fn token(header: &Header, claims: &Value, secret: &str) -> String {
    encode(header, claims, &EncodingKey::from_secret(secret.as_bytes())).expect("plain claims")
}

fn header(kid: Option<&str>) -> Header {
    Header {
        kid: kid.map(str::to_owned),
        ..Header::new(Algorithm::HS256)
    }
}

fn claims() -> Value {
    json!({ "tenant": "demo", "role": "inside", "aud": "maille", "exp": seconds() + 600 })
}

#[test]
fn no_credentials_are_the_public() {
    let (keys, _) = file_with_key("[public]\nlayers = [\"a\"]\nhidden = [\"income\"]\n");
    let none = Credentials {
        authorization: &[],
        sig: None,
        path: "/a",
    };
    let caller = authenticate(&keys, none, now()).expect("the public");
    assert_eq!((caller.role, caller.tenant.clone()), (Role::Outside, None));
    assert!(caller.layers.contain("a") && !caller.layers.contain("b"));
    assert_eq!(caller.hidden, ["income"]);
}

#[test]
fn a_key_is_its_caller() {
    let (keys, key) = file_with_key("");
    for scheme in ["Bearer", "bearer"] {
        let caller = bearer(&keys, &format!("{scheme} {key}")).expect("just added");
        assert!(caller.is_inside("demo") && !caller.is_inside("other"));
    }
}

#[test]
fn other_keys_are_refused() {
    let (keys, key) = file_with_key("");
    let (_, other) = file_with_key("");
    let last = if key.ends_with('0') { "1" } else { "0" };
    let close = format!("{}{last}", &key[..key.len() - 1]);
    for wrong in [
        &other,
        &close,
        &key[..20],
        "maille_",
        "maille_\u{0}",
        "",
        &key.to_uppercase(),
    ] {
        assert_eq!(
            bearer(&keys, &format!("Bearer {wrong}")),
            Err(Refused),
            "{wrong:?}"
        );
    }
    assert_eq!(bearer(&keys, &key), Err(Refused), "no scheme");
    assert_eq!(bearer(&keys, &format!("Basic {key}")), Err(Refused));
    let twice = [&*format!("Bearer {key}"), &*format!("Bearer {key}")];
    let both = Credentials {
        authorization: &twice,
        sig: None,
        path: "/a",
    };
    assert_eq!(authenticate(&keys, both, now()), Err(Refused));
}

#[test]
fn an_expired_key_is_refused() {
    let (keys, key) = file_with_key("");
    let text = toml::to_string(&keys).expect("plain values");
    for (expires, alive) in [("2999-12-31", true), ("1999-01-01", false)] {
        let text = text.replace("role =", &format!("expires = {expires}\nrole ="));
        let keys = KeysFile::parse(&text).expect("valid");
        assert_eq!(
            bearer(&keys, &format!("Bearer {key}")).is_ok(),
            alive,
            "{expires}"
        );
    }
    let timed = text.replace("role =", "expires = 2999-01-01T10:00:00Z\nrole =");
    assert!(matches!(
        KeysFile::parse(&timed),
        Err(KeysError::Expires(_))
    ));
}

#[test]
fn doubtful_files_are_refused() {
    let (keys, _) = file_with_key("");
    let text = toml::to_string(&keys).expect("plain values");
    for (from, to) in [
        ("hash = \"", "hash = \"zz"),
        ("secret = \"", "secret = \"0"),
        ("tenant = \"demo\"", "tenant = \"../b\""),
        ("role = \"inside\"", "role = \"admin\""),
        ("name = ", "colour = 1\nname = "),
    ] {
        assert!(KeysFile::parse(&text.replace(from, to)).is_err(), "{to}");
    }
    let new = NewKey {
        name: "app".into(),
        tenant: "demo".into(),
        role: Role::Inside,
    };
    assert!(matches!(keys.with_key(new), Err(KeysError::Taken(_))));
    for jwt in [
        "algorithm = \"none\"\naudience = \"m\"\nkeys = {}",
        "algorithm = \"HS256\"\naudience = \"m\"\nkeys = { a = \"short\" }",
        "algorithm = \"RS256\"\naudience = \"m\"\nkeys = { a = \"not a pem\" }",
    ] {
        assert!(
            KeysFile::parse(&format!("[jwt]\n{jwt}\n")).is_err(),
            "{jwt}"
        );
    }
}

#[test]
fn a_token_is_its_claims() {
    let keys = file_with_jwt();
    let mut all = claims();
    all["layers"] = json!(["a"]);
    all["filter"] = json!("x = 1");
    let caller = bearer(
        &keys,
        &format!("Bearer {}", token(&header(Some("main")), &all, SECRET)),
    )
    .expect("signed and alive");
    assert!(caller.is_inside("demo") && !caller.layers.contain("b"));
    assert_eq!(caller.filter.as_deref(), Some("x = 1"));
}

#[test]
fn odd_claims_are_refused() {
    let keys = file_with_jwt();
    for (claim, value) in [
        ("exp", json!(seconds() - 60)),
        ("exp", json!(-1)),
        ("exp", json!("soon")),
        ("exp", Value::Null),
        ("nbf", json!(seconds() + 600)),
        ("aud", json!("other")),
        ("aud", Value::Null),
        ("tenant", json!("../b")),
        ("tenant", json!("*")),
        ("tenant", json!("")),
        ("tenant", json!(["demo"])),
        ("tenant", Value::Null),
        ("role", json!("admin")),
    ] {
        let mut odd = claims();
        odd[claim] = value.clone();
        let token = token(&header(Some("main")), &odd, SECRET);
        assert_eq!(
            bearer(&keys, &format!("Bearer {token}")),
            Err(Refused),
            "{claim} {value}"
        );
    }
}

#[test]
fn odd_tokens_are_refused() {
    let keys = file_with_jwt();
    let good = token(&header(Some("main")), &claims(), SECRET);
    assert!(bearer(&keys, &format!("Bearer {good}")).is_ok());
    let other_algorithm = Header {
        alg: Algorithm::HS512,
        ..header(Some("main"))
    };
    let none = format!(
        "eyJhbGciOiJub25lIiwia2lkIjoibWFpbiJ9.{}.",
        good.split('.').nth(1).unwrap()
    );
    for odd in [
        token(&header(None), &claims(), SECRET),
        token(&header(Some("../../dev/null")), &claims(), SECRET),
        token(
            &header(Some("main")),
            &claims(),
            "another secret of more than 32 bytes",
        ),
        token(&other_algorithm, &claims(), SECRET),
        none,
        format!("{good}."),
        format!("{good}="),
        format!(" {good}"),
        "a".repeat(1_000_000),
        "..".into(),
    ] {
        assert_eq!(bearer(&keys, &format!("Bearer {odd}")), Err(Refused));
    }
    // A flipped bit anywhere; only the unused bits of a last character could be free.
    for at in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[at] ^= 1;
        if let Ok(flipped) = String::from_utf8(bytes) {
            assert_eq!(
                bearer(&keys, &format!("Bearer {flipped}")),
                Err(Refused),
                "byte {at}"
            );
        }
    }
    let (without, _) = file_with_key("");
    assert_eq!(bearer(&without, &format!("Bearer {good}")), Err(Refused));
}

#[test]
fn a_link_opens_its_prefix_until_it_expires() {
    let (keys, _) = file_with_key("");
    let day = Duration::from_hours(24);
    let sig = sign_link(&keys, "app", "/map/a", day, now()).expect("the file has a secret");
    for (path, open) in [
        ("/map/a", true),
        ("/map/a/1/2/3", true),
        ("/map/ab", false),
        ("/map", false),
        ("/map/b", false),
    ] {
        let caller = linked(&keys, &sig, path, now());
        assert_eq!(caller.is_ok(), open, "{path}");
        assert!(caller.is_err() || !caller.expect("open").is_inside("demo"));
    }
    let opened = linked(&keys, &sig, "/map/a", now()).expect("open");
    let link = opened.link.expect("it came by one");
    assert_eq!(link.sig_for("/map/a/tiles/{z}/{x}/{y}"), Some(&*sig));
    assert_eq!(link.sig_for("/a/{z}/{x}/{y}"), None);
    let late = now() + day + Duration::from_hours(1);
    assert_eq!(linked(&keys, &sig, "/map/a", late), Err(Refused));
    let again = sign_link(&keys, "app", "/map/a", day, now());
    assert_eq!(again, Ok(sig), "equal links within the hour");
}

#[test]
fn a_link_to_a_map_opens_all_of_it() {
    let (keys, _) = file_with_key("");
    let check = |signed: &str, paths: &[(&str, bool)]| {
        let sig = sign_link(&keys, "app", signed, Duration::from_hours(1), now()).expect("signed");
        for (path, open) in paths {
            let caller = linked(&keys, &sig, path, now());
            assert_eq!(caller.is_ok(), *open, "{path} by a link to {signed}");
        }
    };
    for signed in ["/map/a", "/embed/a", "/embed/a/"] {
        let paths = [
            ("/map/a", true),
            ("/embed/a", true),
            ("/map/a.png", true),
            ("/map/a.svg", true),
            ("/map/a/data", true),
            ("/map/a/tiles/1/0/0", true),
            ("/map/a/names/1/0/0", true),
            ("/map/ab", false),
            ("/map/ab.png", false),
            ("/map/a.pdf", false),
            ("/map/b/data", false),
            ("/embed/ab", false),
            ("/embed/b", false),
            ("/map/%61", false),
            ("/a", false),
            ("/catalog", false),
            ("/oembed", false),
        ];
        check(signed, &paths);
    }
    for signed in ["/styles/a", "/styles/a/", "/styles/a/style.json"] {
        let paths = [
            ("/styles/a/style.json", true),
            ("/map/a/tiles/1/0/0", true),
            ("/map/a/names/1/0/0", true),
            ("/map/a", false),
            ("/map/a/data", false),
            ("/map/a.png", false),
            ("/map/ab/tiles/1/0/0", false),
            ("/styles/b/style.json", false),
            ("/a/1/0/0", false),
        ];
        check(signed, &paths);
    }
    for (signed, path) in [
        ("/map/a.png", "/map/a"),
        ("/map/a/data", "/map/a"),
        ("/map/a/tiles", "/map/a/data"),
        ("/map", "/embed/a"),
        ("/embed/", "/map/a"),
    ] {
        let sig = sign_link(&keys, "app", signed, Duration::from_hours(1), now()).expect("signed");
        assert!(linked(&keys, &sig, signed, now()).is_ok());
        assert_eq!(linked(&keys, &sig, path, now()), Err(Refused), "{signed}");
    }
}

#[test]
fn a_link_sees_what_its_key_sees_as_long_as_it_is_there() {
    let (keys, _) = file_with_key("[public]\nlayers = []\n");
    let text = toml::to_string(&keys).expect("plain values");
    let narrowed = text.replace(
        "role =",
        "hidden = [\"income\"]\nfilter = \"x = 1\"\nexpires = 2999-12-31\nrole =",
    );
    let keys = KeysFile::parse(&narrowed).expect("valid");
    let sig = sign_link(&keys, "app", "/map/a", Duration::from_hours(1), now()).expect("signed");
    let caller = linked(&keys, &sig, "/map/a", now()).expect("open");
    assert_eq!(
        (caller.role, caller.tenant.as_deref()),
        (Role::Outside, Some("demo"))
    );
    assert_eq!(
        (&*caller.hidden, caller.filter.as_deref()),
        (&["income".to_owned()][..], Some("x = 1"))
    );
    assert!(caller.layers.contain("a"));
    let expired = KeysFile::parse(&narrowed.replace("2999", "1999")).expect("valid");
    assert_eq!(linked(&expired, &sig, "/map/a", now()), Err(Refused));
    let start = narrowed.find("[[key]]").expect("a key");
    let revoked = KeysFile::parse(&narrowed[..start]).expect("valid");
    assert_eq!(linked(&revoked, &sig, "/map/a", now()), Err(Refused));
}

#[test]
fn forged_links_are_refused() {
    let (keys, key) = file_with_key("");
    let day = Duration::from_hours(24);
    let sig = sign_link(&keys, "app", "/map/a", day, now()).expect("the file has a secret");
    for at in 0..sig.len() {
        let mut bytes = sig.clone().into_bytes();
        bytes[at] ^= 1;
        if let Ok(forged) = String::from_utf8(bytes) {
            assert_eq!(
                linked(&keys, &forged, "/map/a", now()),
                Err(Refused),
                "byte {at}"
            );
        }
    }
    let (others, _) = file_with_key("");
    assert_eq!(linked(&others, &sig, "/map/a", now()), Err(Refused));
    assert_eq!(
        linked(&KeysFile::default(), &sig, "/map/a", now()),
        Err(Refused)
    );
    for odd in ["", ".", "....", &key] {
        assert_eq!(linked(&keys, odd, "/map/a", now()), Err(Refused));
    }
    let sign = |name, prefix, lifetime| sign_link(&keys, name, prefix, lifetime, now());
    assert_eq!(sign("demo", "/map", day), Err(LinkError::Key), "a tenant");
    for path in ["map", "", "/map?a=1", "/map#a", "/carte été", "/a\nb"] {
        assert_eq!(sign("app", path, day), Err(LinkError::Path), "{path}");
    }
    for path in [
        "/styles",
        "/styles/",
        "/styles/density",
        "/styles/choropleth/style.json",
    ] {
        assert_eq!(sign("app", path, day), Err(LinkError::Style), "{path}");
    }
    assert_eq!(sign("app", "/map", Duration::MAX), Err(LinkError::Lifetime));
    let none = sign_link(&KeysFile::default(), "app", "/map", day, now());
    assert_eq!(none, Err(LinkError::Secret));
}

#[test]
fn scopes_of_different_callers_differ() {
    let (keys, key) = file_with_key("");
    let inside = bearer(&keys, &format!("Bearer {key}")).expect("just added");
    let narrowed = Caller {
        filter: Some("a = 1".into()),
        ..inside.clone()
    };
    let other = Caller {
        tenant: Some("other".into()),
        ..inside.clone()
    };
    let scopes = [
        keys.public().scope(),
        inside.scope(),
        narrowed.scope(),
        other.scope(),
    ];
    for (i, scope) in scopes.iter().enumerate() {
        assert_eq!(scopes.iter().position(|other| other == scope), Some(i));
    }
}
