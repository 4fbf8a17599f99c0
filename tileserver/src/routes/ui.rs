//! `/` and its files: the explorer, embedded when the binary was built.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use axum::http::HeaderValue;
use axum::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use axum::response::Response;
use bytes::Bytes;

use crate::http::answer::Head;
use crate::http::etag::Tag;
use crate::http::path::Segments;
use crate::http::{Asked, Coding, Freshness, HttpError};

include!(concat!(env!("OUT_DIR"), "/ui.rs"));

/// Only our own scripts; MapLibre may run its workers from a blob and draws into images.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data: blob:; worker-src 'self' blob:; connect-src 'self'; \
    font-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'self'";

/// By path in `ui/dist`.
static FILES: LazyLock<HashMap<&str, Asset>> = LazyLock::new(|| {
    UI.iter()
        .map(|&(path, body)| (path, Asset::new(body)))
        .collect()
});

/// One embedded file, coded when first asked for.
struct Asset {
    tag: Tag,
    body: &'static [u8],
    gzip: OnceLock<Bytes>,
    zstd: OnceLock<Bytes>,
}

/// Paths of what a published map's page loads; `None` in a binary built without the pages.
#[derive(Debug, Clone, Copy)]
pub struct EmbedAssets {
    pub script: Option<&'static str>,
    pub worker: Option<&'static str>,
    pub style: Option<&'static str>,
}

#[must_use]
pub fn embed_assets() -> EmbedAssets {
    let named = |start: &str, end: &str| {
        let mut paths = UI.iter().map(|(path, _)| *path);
        paths.find(|path| path.starts_with(start) && path.ends_with(end))
    };
    EmbedAssets {
        script: named("assets/embed-", ".js"),
        worker: named("assets/mapworker-", ".js"),
        style: named("assets/embed-", ".css"),
    }
}

/// Every file that a published map's page may load.
pub fn embed_files() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    let starts = [
        "assets/embed-",
        "assets/mapworker-",
        "assets/map-",
        "favicon.",
    ];
    let own = move |path: &str| starts.iter().any(|start| path.starts_with(start));
    UI.iter().copied().filter(move |(path, _)| own(path))
}

/// The explorer.
pub fn index(asked: &Asked) -> Result<Response, HttpError> {
    file("index.html", asked)
}

pub async fn asset(path: Segments, asked: Asked) -> Result<Response, HttpError> {
    file(path.after_root(), &asked)
}

/// Names under `assets/` hold a hash of their content, so they never change.
fn file(path: &str, asked: &Asked) -> Result<Response, HttpError> {
    let asset = FILES
        .get(path)
        .ok_or_else(|| HttpError::NotFound("the pages have no such file".into()))?;
    let freshness = if path.starts_with("assets/") {
        Freshness::Immutable
    } else {
        Freshness::Checked
    };
    let coding = asked.coding.for_len(asset.body.len());
    let head = Head::new(asset.tag, coding, freshness);
    let mut response = match head.unless_held(asked) {
        Some(held) => held,
        None => head.with_body(content_type(path), asset.coded(coding)),
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    // A worker would say where its page lies, which may be a signed link.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

impl Asset {
    fn new(body: &'static [u8]) -> Self {
        Self {
            tag: Tag::of(body),
            body,
            gzip: OnceLock::new(),
            zstd: OnceLock::new(),
        }
    }

    fn coded(&self, coding: Coding) -> Bytes {
        let slot = match coding {
            Coding::Identity => return Bytes::from_static(self.body),
            Coding::Gzip => &self.gzip,
            Coding::Zstd => &self.zstd,
        };
        slot.get_or_init(|| Bytes::from(coding.encode(self.body).into_owned()))
            .clone()
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("webp") => "image/webp",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("pbf") => "application/x-protobuf",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
