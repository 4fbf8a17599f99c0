//! Content codings: which one a client prefers (RFC 9110 §12.5.3), and compressing into it.

use std::borrow::Cow;
use std::cell::RefCell;

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_ENCODING;
use libdeflater::{CompressionLvl, Compressor};
use tilecore::hinted::Hinted;

/// Bodies below this size do not gain from a coding.
const WORTH_CODING: usize = 512;

/// Smaller bodies are compressed as quickly by libdeflate, into fewer bytes.
const WORTH_HINTS: usize = 4096;

/// How a body is coded on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Coding {
    #[default]
    Identity,
    Gzip,
    Zstd,
}

impl Coding {
    /// The best coding for `Accept-Encoding`: gzip before zstd at equal weight, because tiles are
    /// kept in it; identity when neither is accepted, even where the client refuses that too.
    #[must_use]
    pub fn preferred(headers: &HeaderMap) -> Self {
        Wishes::of(headers).best()
    }

    /// The value of `Content-Encoding`.
    #[must_use]
    pub fn header(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }

    /// Makes the `ETag` of a coded body differ from that of the plain one.
    #[must_use]
    pub fn etag_suffix(self) -> &'static str {
        match self {
            Self::Identity => "",
            Self::Gzip => "-gz",
            Self::Zstd => "-zst",
        }
    }

    /// The coding that pays for a body of `len` bytes.
    #[must_use]
    pub fn for_len(self, len: usize) -> Self {
        if len < WORTH_CODING {
            Self::Identity
        } else {
            self
        }
    }

    /// `body` in this coding.
    #[must_use]
    pub fn encode(self, body: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Identity => Cow::Borrowed(body),
            Self::Gzip => Cow::Owned(gzip(body)),
            Self::Zstd => Cow::Owned(
                zstd::bulk::compress(body, 1).expect("zstd fails only on a bad level or no memory"),
            ),
        }
    }

    /// As [`Self::encode`], for a body that knows where it repeats.
    #[must_use]
    pub fn encode_hinted(self, body: &Hinted) -> Cow<'_, [u8]> {
        match self {
            Self::Gzip if body.bytes().len() >= WORTH_HINTS => Cow::Owned(body.gzip()),
            _ => self.encode(body.bytes()),
        }
    }
}

thread_local! {
    static GZIP: RefCell<Compressor> = RefCell::new(Compressor::new(
        CompressionLvl::new(4).expect("levels go to 12"),
    ));
}

fn gzip(body: &[u8]) -> Vec<u8> {
    GZIP.with_borrow_mut(|gzip| {
        let mut out = vec![0; gzip.gzip_compress_bound(body.len())];
        let len = gzip
            .gzip_compress(body, &mut out)
            .expect("the bound leaves room");
        out.truncate(len);
        out
    })
}

/// Weights in thousandths; `None` where the client did not say.
#[derive(Default)]
struct Wishes {
    gzip: Option<u16>,
    zstd: Option<u16>,
    identity: Option<u16>,
    any: Option<u16>,
}

impl Wishes {
    fn of(headers: &HeaderMap) -> Self {
        let mut wishes = Self::default();
        for line in headers.get_all(ACCEPT_ENCODING) {
            for wish in line.to_str().unwrap_or_default().split(',') {
                wishes.note(wish);
            }
        }
        wishes
    }

    /// Notes one element of the list; a malformed one is as good as absent.
    fn note(&mut self, element: &str) {
        let (coding, parameters) = element.split_once(';').unwrap_or((element, ""));
        let Some(weight) = weight(parameters) else {
            return;
        };
        let coding = coding.trim();
        let slot = if coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip") {
            &mut self.gzip
        } else if coding.eq_ignore_ascii_case("zstd") {
            &mut self.zstd
        } else if coding.eq_ignore_ascii_case("identity") {
            &mut self.identity
        } else if coding == "*" {
            &mut self.any
        } else {
            return;
        };
        slot.get_or_insert(weight);
    }

    fn best(&self) -> Coding {
        let any = self.any.unwrap_or(0);
        let gzip = self.gzip.unwrap_or(any);
        let zstd = self.zstd.unwrap_or(any);
        // Unmentioned identity is acceptable, but only an explicit weight beats a coding.
        let identity = self.identity.unwrap_or(0);
        let coded = if gzip >= zstd {
            Coding::Gzip
        } else {
            Coding::Zstd
        };
        match gzip.max(zstd) {
            0 => Coding::Identity,
            weight if weight < identity => Coding::Identity,
            _ => coded,
        }
    }
}

/// The weight of `q=…` in thousandths, 1000 without one, `None` when malformed.
fn weight(parameters: &str) -> Option<u16> {
    let parameters = parameters.trim();
    if parameters.is_empty() {
        return Some(1000);
    }
    let (name, value) = parameters.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let value = value.trim();
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    let digits = decimals.len() <= 3 && decimals.bytes().all(|b| b.is_ascii_digit());
    match (whole, digits) {
        ("0", true) => format!("{decimals:0<3}").parse().ok(),
        ("1", true) if decimals.bytes().all(|b| b == b'0') => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn check(accept: &'static str, expected: Coding) {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(accept));
        assert_eq!(Coding::preferred(&headers), expected, "{accept:?}");
    }

    #[test]
    fn negotiation() {
        assert_eq!(Coding::preferred(&HeaderMap::new()), Coding::Identity);
        check("", Coding::Identity);
        check("gzip", Coding::Gzip);
        check("GZip, deflate, br, zstd", Coding::Gzip);
        check("zstd", Coding::Zstd);
        check("gzip;q=0.5, zstd;q=0.8", Coding::Zstd);
        check("gzip;q=0, zstd", Coding::Zstd);
        check("gzip; q=0.001", Coding::Gzip);
        check("br", Coding::Identity);
        check("*", Coding::Gzip);
        check("*;q=0", Coding::Identity);
        check("*;q=0, zstd", Coding::Zstd);
        check("gzip;q=0, *", Coding::Zstd);
        check("identity;q=0", Coding::Identity);
        check("identity, gzip;q=0.5", Coding::Identity);
        check("identity;q=0.5, gzip;q=0.5", Coding::Gzip);
        check("gzip;q=NaN", Coding::Identity);
        check("gzip;q=2, zstd;q=-1", Coding::Identity);
        check("gzip;q=0.0001", Coding::Identity);
        check("br, , ;;,", Coding::Identity);
        check("gzip;level=9", Coding::Identity);
    }

    #[test]
    fn lists_may_span_lines() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("br"));
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("zstd"));
        assert_eq!(Coding::preferred(&headers), Coding::Zstd);
    }
}
