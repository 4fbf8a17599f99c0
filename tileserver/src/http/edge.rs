//! What every request passes on its way in and every response on its way out: limits, preflight,
//! panics, the bodies of errors, CORS, counting.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use axum::body::{Body, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONTENT_LENGTH,
    HOST, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;

use super::error::{READ_METHODS, ZONE_METHODS};
use super::{HttpError, Query};
use crate::access::Caller;
use crate::app::App;
use crate::scope::{self, Seen};
use crate::snapshot::Snapshot;

/// Bytes of a path with its query: the longest filter, percent-encoded, and some room.
const URI_MAX: usize = 32 * 1024;

/// Our own response headers, which scripts of other origins may read.
const EXPOSED: &str = "ETag, Maille-Features, OATiles-hint, Retry-After, X-Request-Id";

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Wraps the whole router.
pub async fn edge(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = app.request_ids.next();
    let method = method_label(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let uri = request.uri().clone();

    let mut response = if uri
        .path_and_query()
        .is_some_and(|p| p.as_str().len() > URI_MAX)
    {
        HttpError::UriTooLong.into_response()
    } else if !names_one_host(&request) {
        HttpError::parameter("Host", "send this header once").into_response()
    } else if request.method() == Method::OPTIONS {
        preflight(route)
    } else {
        AssertUnwindSafe(admit(&app, request, next))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| HttpError::Internal.into_response())
    };
    if response.extensions().get::<HttpError>() == Some(&HttpError::Busy) {
        app.metrics.shed.fetch_add(1, Relaxed);
    }
    add_error_body(&mut response, &uri, method == "HEAD");
    add_common_headers(&mut response, id);

    let (status, spent) = (response.status(), started.elapsed());
    let bytes = response.body().size_hint().exact().unwrap_or(0);
    app.metrics.note_request(route, status, spent, bytes);
    let micros = spent.as_micros();
    let code = status.as_u16();
    if status == StatusCode::INTERNAL_SERVER_ERROR {
        tracing::error!(target: "request", id = format_args!("{id:016x}"), method, route, micros, "failed");
    } else {
        tracing::debug!(target: "request", id = format_args!("{id:016x}"), method, route, code, micros, bytes);
    }
    response
}

/// HTTP/1.1 asks for it (RFC 9112, section 3.2): with two, a proxy may see one and we the other.
fn names_one_host(request: &Request) -> bool {
    let hosts = request.headers().get_all(HOST).iter().count();
    hosts == 1 || hosts == 0 && request.version() < Version::HTTP_11
}

/// Finds out who asks and answers from what they may see.
async fn admit(app: &App, request: Request, next: Next) -> Response {
    let caller = match &app.keys {
        None => Caller::default(),
        Some(keys) => {
            let query = Query::new(request.uri().query().unwrap_or_default());
            match keys.caller(request.headers(), &query, request.uri().path()) {
                Ok(caller) => caller,
                Err(_) => return HttpError::Unauthorized.into_response(),
            }
        }
    };
    let caller = Arc::new(caller);
    let snapshot = match snapshot_of(app, &caller).await {
        Ok(snapshot) => snapshot,
        Err(error) => return error.into_response(),
    };
    let is_public = caller.tenant.is_none();
    let mut response = scope::within(Seen { caller, snapshot }, next.run(request)).await;
    if app.keys.is_some() {
        keep_apart(&mut response, is_public);
    }
    response
}

async fn snapshot_of(app: &App, caller: &Arc<Caller>) -> Result<Option<Arc<Snapshot>>, HttpError> {
    let Some(scopes) = app.served.scopes() else {
        return Ok(None);
    };
    if let Some(snapshot) = scopes.kept_for(caller) {
        return Ok(Some(snapshot));
    }
    let caller = Arc::clone(caller);
    app.pool.run(move || Some(scopes.make_for(&caller))).await
}

/// Keeps caches from giving one caller's answer to another.
fn keep_apart(response: &mut Response, is_public: bool) {
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Authorization"));
    let kept = headers.get(CACHE_CONTROL).and_then(|h| h.to_str().ok());
    if let Some(rest) = kept.and_then(|kept| kept.strip_prefix("public"))
        && !is_public
        && let Ok(private) = HeaderValue::try_from(format!("private{rest}"))
    {
        headers.insert(CACHE_CONTROL, private);
    }
}

fn preflight(route: &str) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    let methods = HeaderValue::from_static(if route.ends_with("/zone") {
        ZONE_METHODS
    } else {
        READ_METHODS
    });
    headers.insert(ALLOW, methods.clone());
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    headers.insert(
        ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("Authorization, Content-Type, If-None-Match"),
    );
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}

fn add_error_body(response: &mut Response, uri: &Uri, head: bool) {
    if let Some(error) = response.extensions_mut().remove::<HttpError>() {
        let body = error.body(uri);
        response
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        *response.body_mut() = if head {
            Body::empty()
        } else {
            Body::from(body)
        };
    }
}

fn add_common_headers(response: &mut Response, id: u64) {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(EXPOSED),
    );
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let id = HeaderValue::from_maybe_shared(bytes::Bytes::from(format!("{id:016x}")));
    headers.insert(REQUEST_ID, id.expect("hexadecimal digits"));
}

/// A closed set, so that a made-up method reaches neither log nor metrics.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::POST => "POST",
        _ => "other",
    }
}
