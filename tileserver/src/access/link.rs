//! Signed links: an address that works for everyone who has it, until it expires.
//!
//! `sig=<expiry>.<key>.<prefix>.<mac>`: unix seconds, the id of the key on whose behalf the link was
//! made, the path prefix it opens (hexadecimal), and BLAKE3 keyed with the file's secret over the
//! three. Below the prefix a link shows the areas that its key sees, with that key's layers, hidden
//! indicators and territory; of contacts only what everybody sees. It dies with its key.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use blake3::Hash;

use super::keys::KeysFile;
use super::{Caller, Refused, Role};
use crate::style::Template;

/// Links expire at a multiple of this, so that equal links of one hour are one cache entry.
const ROUNDING: u64 = 3_600;

/// Why there is no link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message documents the variant")]
pub enum LinkError {
    #[error("the keys file has no secret to sign with: `tileserver keys add` makes one")]
    Secret,
    #[error("the keys file has no key of this name: the link sees what one of its keys sees")]
    Key,
    #[error(
        "give the path as it is asked for, as /embed/margin: from `/`, without `?` and `#`, and \
         what is not ASCII as %-codes"
    )]
    Path,
    #[error(
        "a link to this style would not open the tiles it names: give the style of a published map, \
         as /styles/margin"
    )]
    Style,
    #[error("the link would expire later than clocks can tell")]
    Lifetime,
}

/// A link that was found good: what it opens, and itself, for the addresses that follow from one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    sig: String,
    prefix: String,
}

impl Link {
    /// The `sig` parameter's value for a path of this server, which may be a template of paths;
    /// `None` where the link does not lead.
    #[must_use]
    pub fn sig_for(&self, path: &str) -> Option<&str> {
        opens(&self.prefix, path).then_some(&*self.sig)
    }
}

/// A `sig` for `prefix` and every path below it, good for at least `lifetime`, on behalf of the key
/// named `name`.
///
/// # Errors
/// Before the file has a secret, without such a key, or when the prefix cannot be signed.
pub fn sign_link(
    keys: &KeysFile,
    name: &str,
    prefix: &str,
    lifetime: Duration,
    now: SystemTime,
) -> Result<String, LinkError> {
    if keys.secret_bytes().is_none() {
        return Err(LinkError::Secret);
    }
    let key = keys.id_of_name(name).ok_or(LinkError::Key)?;
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#');
    if !prefix.starts_with('/') || !prefix.bytes().all(is_plain) {
        return Err(LinkError::Path);
    }
    if is_of_no_map(prefix) {
        return Err(LinkError::Style);
    }
    let since = now.duration_since(UNIX_EPOCH);
    let end = since.map(|since| since.checked_add(lifetime));
    let end = end.ok().flatten().ok_or(LinkError::Lifetime)?.as_secs();
    let expiry = end.div_ceil(ROUNDING).checked_mul(ROUNDING);
    let mut text = format!("{}.{key}.", expiry.ok_or(LinkError::Lifetime)?);
    for byte in prefix.bytes() {
        let _ = write!(text, "{byte:02x}");
    }
    let mac = mac(keys, &text).ok_or(LinkError::Secret)?;
    Ok(format!("{text}.{}", mac.to_hex()))
}

/// The caller that a link stands for.
pub(super) fn caller(
    keys: &KeysFile,
    sig: &str,
    path: &str,
    now: SystemTime,
) -> Result<Caller, Refused> {
    let (text, given) = sig.rsplit_once('.').ok_or(Refused)?;
    let expected = mac(keys, text).ok_or(Refused)?;
    let given = Hash::from_hex(given).map_err(|_| Refused)?;
    // In constant time, and before anything the text says is believed.
    if given != expected {
        return Err(Refused);
    }
    let [expiry, key, prefix] = text.split('.').collect::<Vec<_>>()[..] else {
        return Err(Refused);
    };
    let expiry = Duration::from_secs(expiry.parse().map_err(|_| Refused)?);
    if UNIX_EPOCH.checked_add(expiry).is_none_or(|end| now >= end) {
        return Err(Refused);
    }
    let prefix = bytes_of_hex(prefix).ok_or(Refused)?;
    let prefix = String::from_utf8(prefix).map_err(|_| Refused)?;
    if !opens(&prefix, path) {
        return Err(Refused);
    }
    Ok(Caller {
        who: "link".to_owned(),
        role: Role::Outside,
        link: Some(Link {
            sig: sig.to_owned(),
            prefix,
        }),
        ..keys.caller_of_id(key, now)?
    })
}

/// Whether a link for `prefix` leads to `path`: below it, or to what a map's page shows.
fn opens(prefix: &str, path: &str) -> bool {
    let is_below = path.strip_prefix(prefix).is_some_and(|rest| {
        // `/map/a` opens `/map/a` and `/map/a/…`, not `/map/ab`.
        rest.is_empty() || rest.starts_with('/') || prefix.ends_with('/')
    });
    is_below
        || map_of(prefix).is_some_and(|id| is_of_map(path, id))
        || style_of(prefix).is_some_and(|id| is_of_style(path, id))
}

/// The map whose page lies at `path`, in a frame or not.
fn map_of(path: &str) -> Option<&str> {
    let id = ["/map/", "/embed/"]
        .iter()
        .find_map(|root| path.strip_prefix(root))?;
    plain_id(id.strip_suffix('/').unwrap_or(id))
}

/// The map, if it is one, whose style lies at `path`.
fn style_of(path: &str) -> Option<&str> {
    let id = path.strip_prefix("/styles/")?;
    let id = id.strip_suffix("/style.json").unwrap_or(id);
    plain_id(id.strip_suffix('/').unwrap_or(id))
}

fn plain_id(id: &str) -> Option<&str> {
    (!id.is_empty() && !id.contains(['/', '.', '%'])).then_some(id)
}

/// Whether `path` leads to styles that are drawn from a layer's tiles, or from those of contacts.
fn is_of_no_map(path: &str) -> bool {
    let is_template = |id| Template::of_name(id).is_some();
    matches!(path, "/styles" | "/styles/") || style_of(path).is_some_and(is_template)
}

/// Whether `path` is of the tiles or names that the style of the map draws.
fn is_of_style(path: &str, id: &str) -> bool {
    let rest = path
        .strip_prefix("/map/")
        .and_then(|rest| rest.strip_prefix(id));
    rest.is_some_and(|rest| rest.starts_with("/tiles/") || rest.starts_with("/names/"))
}

/// Whether `path` is a page of the map, a picture, or something that a page of it asks for.
fn is_of_map(path: &str, id: &str) -> bool {
    let below = |root| path.strip_prefix(root)?.strip_prefix(id);
    match (below("/map/"), below("/embed/")) {
        (Some(rest), _) => matches!(rest, "" | ".png" | ".svg") || rest.starts_with('/'),
        (_, rest) => rest == Some(""),
    }
}

fn mac(keys: &KeysFile, text: &str) -> Option<Hash> {
    let secret = keys.secret_bytes()?;
    // A label apart from that of keys, so that no hash of a key is ever a link.
    let signed = format!("maille signed link\n{text}");
    Some(blake3::keyed_hash(&secret, signed.as_bytes()))
}

fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16);
    digits
        .chunks(2)
        .map(|pair| u8::try_from(value(pair[0])? * 16 + value(pair[1])?).ok())
        .collect()
}
