//! Everything a handler can fail with, told as `application/problem+json` (RFC 9457).

use std::borrow::Cow;

use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// The methods of resources that are only read.
pub const READ_METHODS: &str = "GET, HEAD, OPTIONS";

/// Those of a question whose body is a zone.
pub const ZONE_METHODS: &str = "POST, OPTIONS";

/// A refused request. The text reaches the client, so it speaks of the request only; the cause of
/// our own faults goes to the log where it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpError {
    NotFound(Cow<'static, str>),
    /// `position` is a byte offset into the parameter's value.
    BadParameter {
        parameter: Cow<'static, str>,
        position: Option<usize>,
        detail: String,
        reason: Option<Box<Reason>>,
    },
    /// Credentials that are not valid; no more is told of them.
    Unauthorized,
    MethodNotAllowed,
    /// What a standard has and this server does not.
    NotOffered(&'static str),
    UriTooLong,
    /// Of a body.
    TooLarge,
    /// No dataset is served yet; `/ready` says why.
    NotReady,
    /// More work than the server takes on at once.
    Busy,
    Internal,
}

/// What is at fault, for programs that say it in their reader's language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    pub kind: &'static str,
    /// As the caller wrote it.
    pub value: Option<String>,
    /// What may have been meant.
    pub near: Vec<String>,
}

impl Reason {
    pub fn new(kind: &'static str, value: Option<&str>, near: &[String]) -> Box<Self> {
        Box::new(Self {
            kind,
            value: value.map(str::to_owned),
            near: near.to_vec(),
        })
    }
}

impl HttpError {
    /// A parameter whose value as a whole is at fault.
    pub fn parameter(parameter: &'static str, detail: impl Into<String>) -> Self {
        Self::BadParameter {
            parameter: parameter.into(),
            position: None,
            detail: detail.into(),
            reason: None,
        }
    }

    /// A parameter whose value as a whole is at fault, and why, for programs.
    pub fn because(
        parameter: &'static str,
        detail: impl Into<String>,
        reason: Box<Reason>,
    ) -> Self {
        Self::BadParameter {
            parameter: parameter.into(),
            position: None,
            detail: detail.into(),
            reason: Some(reason),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::BadParameter { .. } => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotOffered(_) => StatusCode::NOT_IMPLEMENTED,
            Self::UriTooLong => StatusCode::URI_TOO_LONG,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotReady | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What is wrong, and what to do.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::NotFound(detail) => detail,
            Self::BadParameter { detail, .. } => detail,
            Self::Unauthorized => "these credentials are not valid",
            Self::MethodNotAllowed => "this resource cannot be asked with this method",
            Self::NotOffered(detail) => detail,
            Self::UriTooLong => "shorten the URL",
            Self::TooLarge => "the body is too large: send less than 256 KiB",
            Self::NotReady => "no dataset is served yet: see /ready",
            Self::Busy => "too many requests at once: try again in a moment",
            Self::Internal => "the server failed: the fault is ours and has been logged",
        }
    }

    /// The body, for a request of `uri`.
    pub(super) fn body(&self, uri: &Uri) -> Vec<u8> {
        let status = self.status();
        let mut problem = json!({
            "type": "about:blank",
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "detail": self.detail(),
            "instance": uri.path(),
        });
        if let Self::BadParameter {
            parameter,
            position,
            reason,
            ..
        } = self
        {
            problem["parameter"] = json!(parameter);
            if let Some(reason) = reason {
                let Reason { kind, value, near } = &**reason;
                problem["reason"] = json!(kind);
                if let Some(value) = value {
                    problem["value"] = json!(value);
                }
                if !near.is_empty() {
                    problem["near"] = json!(near);
                }
            }
            if let Some(position) = position {
                problem["position"] = json!(position);
            }
        }
        problem.to_string().into_bytes()
    }
}

/// The head only: [`super::edge`] adds the body, which names the resource.
impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self {
            Self::NotReady | Self::Busy => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Self::Unauthorized => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::MethodNotAllowed => {
                headers
                    .entry(ALLOW)
                    .or_insert(HeaderValue::from_static(READ_METHODS));
            }
            _ => {}
        }
        response.extensions_mut().insert(self);
        response
    }
}
