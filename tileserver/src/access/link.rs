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

/// Why there is no link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message documents the variant")]
pub enum LinkError {
    #[error("the keys file has no secret to sign with: `tileserver keys add` makes one")]
    Secret,
    #[error("a tenant is lower-case letters, digits, `_` and `-`")]
    Tenant,
    #[error(
        "give the path as it is asked for, as /embed/margin: from `/`, without `?` and `#`, and \
         what is not ASCII as %-codes"
    )]
    Path,
    #[error("the link would expire later than clocks can tell")]
    Lifetime,
}

/// A `sig` for `prefix` and every path below it, good for at least `lifetime`.
///
/// # Errors
/// Before the file has a secret, or when the tenant or the prefix cannot be signed.
pub fn sign_link(
    keys: &KeysFile,
    tenant: &str,
    prefix: &str,
    lifetime: Duration,
    now: SystemTime,
) -> Result<String, LinkError> {
    if !is_name(tenant) {
        return Err(LinkError::Tenant);
    }
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#');
    if !prefix.starts_with('/') || !prefix.bytes().all(is_plain) {
        return Err(LinkError::Path);
    }
    let since = now.duration_since(UNIX_EPOCH);
    let end = since.map(|since| since.checked_add(lifetime));
    let end = end.ok().flatten().ok_or(LinkError::Lifetime)?.as_secs();
    let expiry = end.div_ceil(ROUNDING).checked_mul(ROUNDING);
    let mut text = format!("{}.{tenant}.", expiry.ok_or(LinkError::Lifetime)?);
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
