//! The parts of a path. Each address has one spelling: tile numbers are canonical decimals, and
//! no percent-encoding stands for a digit.

use std::fmt::Write as _;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tilecore::nfc::composed;

use super::HttpError;
use super::query::decode;

/// The segments of a path, still encoded.
#[derive(Debug, Clone)]
pub struct Segments(String);

impl Segments {
    /// From a path that starts with a slash.
    #[must_use]
    pub fn new(path: &str) -> Self {
        Self(path.to_owned())
    }

    /// The `index`th segment, decoded and composed.
    ///
    /// # Errors
    /// `NotFound` when it is not UTF-8: nothing is named so.
    pub fn name(&self, index: usize) -> Result<String, HttpError> {
        self.0
            .split('/')
            .nth(index + 1)
            .and_then(|segment| decode(segment, false))
            .map(|name| composed(&name).into_owned())
            .ok_or_else(|| HttpError::NotFound("nothing has this address".into()))
    }

    /// The path without its first slash, still encoded.
    #[must_use]
    pub fn after_root(&self) -> &str {
        self.0.strip_prefix('/').unwrap_or(&self.0)
    }

    /// z, x and y of the last three segments; the very last may end in `.mvt` or `.pbf`.
    ///
    /// # Errors
    /// `NotFound` for anything but canonical decimals.
    pub fn tile_numbers(&self) -> Result<(u8, u32, u32), HttpError> {
        let mut last = self.0.rsplit('/');
        let (y, x, z) = (last.next(), last.next(), last.next());
        let y = y.map(|y| {
            y.strip_suffix(".mvt")
                .or_else(|| y.strip_suffix(".pbf"))
                .unwrap_or(y)
        });
        let number = |text: Option<&str>| text.and_then(canonical_number);
        match (number(z).map(u8::try_from), number(x), number(y)) {
            (Some(Ok(z)), Some(x), Some(y)) => Ok((z, x, y)),
            _ => Err(HttpError::NotFound("not a tile address: z/x/y".into())),
        }
    }
}

/// A name as one segment of a URL.
#[must_use]
pub fn encoded(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

impl<S: Sync> FromRequestParts<S> for Segments {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::new(parts.uri.path()))
    }
}

/// Digits without a sign or leading zero.
fn canonical_number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let leading_zero = text.len() > 1 && text.starts_with('0');
    if !digits || leading_zero {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(path: &str) -> Option<(u8, u32, u32)> {
        Segments::new(path).tile_numbers().ok()
    }

    #[test]
    fn canonical_addresses_only() {
        assert_eq!(numbers("/a/0/0/0"), Some((0, 0, 0)));
        assert_eq!(numbers("/a/10/523/4.mvt"), Some((10, 523, 4)));
        assert_eq!(numbers("/a/10/523/4.pbf"), Some((10, 523, 4)));
        for bad in [
            "-1/0/0",
            "256/0/0",
            "99999999999999999999/0/0",
            "1.5/0/0",
            "1e1/0/0",
            "0x1/0/0",
            "%201/0/0",
            "+1/0/0",
            "01/0/0",
            "1/00/0",
            "1/%31/0",
            "\u{661}/0/0",
            "/0/0",
            "1/0/0.png",
            "1/0/0.",
            "1/0/0.pbf.gz",
            "1/0/0@2x",
            "1/0/0.PBF",
            "1/4294967296/0",
            "1/0/0.mvt.mvt",
        ] {
            assert_eq!(numbers(&format!("/a/{bad}")), None, "{bad}");
        }
    }

    #[test]
    fn names_are_decoded_once() {
        let path = Segments::new("/%C3%A9t%2525/x");
        assert_eq!(path.name(0).unwrap(), "ét%25");
        assert!(Segments::new("/%FF").name(0).is_err());
        assert!(Segments::new("/a").name(1).is_err());
    }
}
