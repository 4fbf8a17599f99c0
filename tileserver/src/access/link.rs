//! Signed links: an address that works for everyone who has it, until it expires.
//!
//! `sig=<expiry>.<tenant>.<prefix>.<mac>`: unix seconds, the tenant on whose behalf the link was
//! made, the path prefix it opens (hexadecimal), and BLAKE3 keyed with the file's secret over the
//! three. A link gives the outside tier only.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use blake3::Hash;

use super::keys::{KeysFile, is_name};
use super::{Caller, Refused, Role};

/// Links expire at a multiple of this, so that equal links of one hour are one cache entry.
const ROUNDING: u64 = 3_600;

/// A `sig` for every path that starts with `prefix`, good for at least `lifetime`.
///
/// `None` before the file has a secret, or when the tenant or the prefix cannot be signed.
#[must_use]
pub fn sign_link(
    keys: &KeysFile,
    tenant: &str,
    prefix: &str,
    lifetime: Duration,
    now: SystemTime,
) -> Option<String> {
    if !is_name(tenant) || !prefix.starts_with('/') {
        return None;
    }
    let end = now
        .duration_since(UNIX_EPOCH)
        .ok()?
        .checked_add(lifetime)?
        .as_secs();
    let expiry = end.div_ceil(ROUNDING).checked_mul(ROUNDING)?;
    let mut text = format!("{expiry}.{tenant}.");
    for byte in prefix.bytes() {
        let _ = write!(text, "{byte:02x}");
    }
    let mac = mac(keys, &text)?;
    Some(format!("{text}.{}", mac.to_hex()))
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
    let [expiry, tenant, prefix] = text.split('.').collect::<Vec<_>>()[..] else {
        return Err(Refused);
    };
    let expiry = Duration::from_secs(expiry.parse().map_err(|_| Refused)?);
    if UNIX_EPOCH.checked_add(expiry).is_none_or(|end| now >= end) {
        return Err(Refused);
    }
    let prefix = bytes_of_hex(prefix).ok_or(Refused)?;
    let Some(rest) = path.as_bytes().strip_prefix(&prefix[..]) else {
        return Err(Refused);
    };
    // `/map/a` opens `/map/a` and `/map/a/…`, not `/map/ab`.
    if !(rest.is_empty() || rest[0] == b'/' || prefix.ends_with(b"/")) {
        return Err(Refused);
    }
    Ok(Caller {
        who: "link".to_owned(),
        tenant: Some(tenant.to_owned()),
        role: Role::Outside,
        ..keys.public()
    })
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
