//! From a body to a response: its coding, its entity tag, how long it stays fresh.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH, VARY,
};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use serde::Serialize;

use super::etag::{self, Tag};
use super::{Coding, HttpError, Query};

/// What the headers of a request ask of any answer.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub coding: Coding,
    conditions: HeaderMap,
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let mut conditions = HeaderMap::new();
        for line in parts.headers.get_all(IF_NONE_MATCH) {
            conditions.append(IF_NONE_MATCH, line.clone());
        }
        Ok(Self {
            coding: Coding::preferred(&parts.headers),
            conditions,
        })
    }
}

/// How long an answer may be kept, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// The address names the dataset version: it will never answer otherwise.
    Immutable,
    /// The address speaks of whatever version is served.
    Current,
    /// It may be kept and must be checked before each use.
    Checked,
    /// It speaks of this moment.
    Never,
}

impl Freshness {
    /// Of an answer that speaks of a dataset version, to a client that may name the one it has.
    ///
    /// # Errors
    /// When `v` is given twice.
    pub fn of(query: &Query, version: &str) -> Result<Self, HttpError> {
        Ok(match query.get("v")? {
            Some(v) if v == version => Self::Immutable,
            _ => Self::Current,
        })
    }

    fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Immutable => "public, max-age=31536000, immutable",
            Self::Current => "public, max-age=60, stale-while-revalidate=86400",
            Self::Checked => "public, no-cache",
            Self::Never => "no-store",
        })
    }
}

/// What a 200, a 204 and the 304 in their place share.
#[derive(Debug, Clone)]
pub struct Head {
    coding: Coding,
    etag: HeaderValue,
    freshness: Freshness,
}

impl Head {
    /// For a body named `tag` that is sent in `coding`.
    #[must_use]
    pub fn new(tag: Tag, coding: Coding, freshness: Freshness) -> Self {
        Self {
            coding,
            etag: tag.header(coding),
            freshness,
        }
    }

    /// The 304 for a client that holds the body already.
    #[must_use]
    pub fn unless_held(&self, asked: &Asked) -> Option<Response> {
        etag::is_held(&asked.conditions, &self.etag)
            .then(|| self.respond(StatusCode::NOT_MODIFIED, Body::empty()))
    }

    /// A body that is in the coding already.
    #[must_use]
    pub fn with_body(&self, content_type: &'static str, body: impl Into<Body>) -> Response {
        let mut response = self.respond(StatusCode::OK, body.into());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Some(coding) = self.coding.header() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        response
    }

    /// The 204 of a resource that is there and empty.
    #[must_use]
    pub fn without_body(&self) -> Response {
        self.respond(StatusCode::NO_CONTENT, Body::empty())
    }

    fn respond(&self, status: StatusCode, body: Body) -> Response {
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.reserve(16);
        headers.insert(CACHE_CONTROL, self.freshness.header());
        if self.freshness != Freshness::Never {
            headers.insert(ETAG, self.etag.clone());
        }
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding, Accept"));
        response
    }
}

/// A body in no coding yet.
#[derive(Debug)]
pub struct Answer {
    content_type: &'static str,
    body: Vec<u8>,
    freshness: Freshness,
}

impl Answer {
    #[must_use]
    pub fn new(content_type: &'static str, body: Vec<u8>, freshness: Freshness) -> Self {
        Self {
            content_type,
            body,
            freshness,
        }
    }

    /// `value` must serialise: text keys, no failing types.
    #[must_use]
    pub fn json(value: &impl Serialize, freshness: Freshness) -> Self {
        let body = serde_json::to_vec(value).expect("our own types serialise");
        Self::new("application/json", body, freshness)
    }

    /// The same body under another media type.
    #[must_use]
    pub fn of_type(self, content_type: &'static str) -> Self {
        Self {
            content_type,
            ..self
        }
    }

    /// The response in the coding asked for, or 304.
    #[must_use]
    pub fn respond(self, asked: &Asked) -> Response {
        let coding = asked.coding.for_len(self.body.len());
        let head = Head::new(Tag::of(&self.body), coding, self.freshness);
        if self.freshness != Freshness::Never
            && let Some(held) = head.unless_held(asked)
        {
            return held;
        }
        let body = match coding {
            Coding::Identity => Bytes::from(self.body),
            coding => Bytes::from(coding.encode(&self.body).into_owned()),
        };
        head.with_body(self.content_type, body)
    }
}
