//! Entity tags and `If-None-Match` (RFC 9110 §8.8.3, §13.1.2).

use axum::http::header::IF_NONE_MATCH;
use axum::http::{HeaderMap, HeaderValue};

use super::Coding;

/// What names a body independently of its coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag([u8; 16]);

impl Tag {
    /// Of what the body follows from, or of the body itself.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::from(&blake3::hash(bytes))
    }

    /// The header of the body in `coding`: `"<32 hexadecimal digits>-gz"`.
    #[must_use]
    pub fn header(self, coding: Coding) -> HeaderValue {
        let mut text = Vec::with_capacity(40);
        text.push(b'"');
        for byte in self.0 {
            for digit in [byte >> 4, byte & 15] {
                text.push(b"0123456789abcdef"[usize::from(digit)]);
            }
        }
        text.extend_from_slice(coding.etag_suffix().as_bytes());
        text.push(b'"');
        HeaderValue::from_maybe_shared(bytes::Bytes::from(text)).expect("ASCII")
    }
}

impl From<&blake3::Hash> for Tag {
    fn from(hash: &blake3::Hash) -> Self {
        let mut tag = [0; 16];
        tag.copy_from_slice(&hash.as_bytes()[..16]);
        Self(tag)
    }
}

/// Whether the client already holds the body that `etag` names, by weak comparison.
#[must_use]
pub fn is_held(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .any(|line| line == "*" || names(line.as_bytes(), etag.as_bytes()))
}

/// Whether the list `line` holds `etag`. Tags hold no quotes, so every second part between quotes
/// is a tag.
fn names(line: &[u8], etag: &[u8]) -> bool {
    let mut parts = line.split(|&b| b == b'"').skip(1);
    while let (Some(tag), Some(_after)) = (parts.next(), parts.next()) {
        if etag.strip_prefix(b"\"").and_then(|e| e.strip_suffix(b"\"")) == Some(tag) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(lines: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(IF_NONE_MATCH, HeaderValue::from_str(line).unwrap());
        }
        is_held(&headers, &HeaderValue::from_static("\"abc-gz\""))
    }

    #[test]
    fn if_none_match() {
        assert!(held(&["*"]));
        assert!(held(&["\"abc-gz\""]));
        assert!(held(&["W/\"abc-gz\""]));
        assert!(held(&["\"x\", W/\"y\",\"abc-gz\""]));
        assert!(held(&["\"x\"", "\"abc-gz\""]));
        assert!(!held(&[]));
        assert!(!held(&["abc-gz"]));
        assert!(!held(&["\"abc\""]));
        assert!(!held(&["\"abc-gz"]));
        assert!(!held(&["\"x\"abc-gz\"y\""]));
        assert!(held(&[&(0..1000)
            .map(|i| format!("\"{i}\", "))
            .chain(["\"abc-gz\"".to_owned()])
            .collect::<String>()]));
    }

    #[test]
    fn tags_differ_by_coding() {
        let tag = Tag::of(b"x");
        let plain = tag.header(Coding::Identity);
        assert_eq!(plain.len(), 34);
        assert_ne!(plain, tag.header(Coding::Gzip));
        assert_ne!(tag.header(Coding::Zstd), tag.header(Coding::Gzip));
    }
}
