//! `/map/{id}`, `/embed/{id}`, their data, tiles and pictures: published maps.

use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::{CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY};
use axum::response::Response;
use serde_json::json;

use crate::app::App;
use crate::http::answer::Head;
use crate::http::etag::Tag;
use crate::http::path::{Segments, encoded};
use crate::http::{Answer, Asked, Coding, Freshness, HttpError, Query};
use crate::maps::PublishedMap;
use crate::maps::page::{self, CARD, HEIGHT, Kind, Place, Theme, WIDTH};
use crate::maps::story::Story;
use crate::picture::{self, Scene, Size};
use crate::routes::{self, tiles, ui};
use crate::scope;
use crate::tile_request::TileRequest;

const HTML: &str = "text/html; charset=utf-8";
const SVG: &str = "image/svg+xml";
const PNG: &str = "image/png";

/// A page that was opened by a signed link is no search engine's.
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// The page, or the picture when the name ends in `.png` or `.svg`.
pub async fn map(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let name = path.name(1)?;
    if let Some(id) = name.strip_suffix(".png") {
        return drawn(&app, id, PNG, &query, &asked).await;
    }
    if let Some(id) = name.strip_suffix(".svg") {
        return drawn(&app, id, SVG, &query, &asked).await;
    }
    told(&app, &name, Kind::Whole, &query, &asked).await
}

pub async fn embed(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    told(&app, &path.name(1)?, Kind::Embed, &query, &asked).await
}

/// What the page's script asks for again, to see a new version.
pub async fn data(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let map = find(&app, &path.name(1)?)?;
    let story = Story::of(&app, Arc::clone(&map), language(&query, &map)?).await?;
    let data = story.data(&story.tiles(&app));
    Ok(Answer::json(&data, Freshness::Checked).respond(&asked))
}

/// A tile of the map's own: its indicator, under its filter, of its version.
pub async fn tile(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let map = find(&app, &path.name(1)?)?;
    let snapshot = app.maps.snapshot_of(&map, app.snapshot()?)?;
    let (z, x, y) = path.tile_numbers()?;
    let own = format!("/{}/{z}/{x}/{y}", encoded(&map.layer.value));
    let properties = format!("properties={}", encoded(&map.indicator.value));
    let criteria = criteria(&map, &query, Some(properties))?;
    let request = TileRequest::parse(&Segments::new(&own), &Query::new(&criteria), &snapshot)?;
    tiles::answer(&app, &snapshot, &request, &asked).await
}

/// Where the units of a tile of the map's own are named.
pub async fn names(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let map = find(&app, &path.name(1)?)?;
    let snapshot = app.maps.snapshot_of(&map, app.snapshot()?)?;
    let (z, x, y) = path.tile_numbers()?;
    let own = format!("/{}/names/{z}/{x}/{y}", encoded(&map.layer.value));
    let (own, criteria) = (Segments::new(&own), criteria(&map, &query, None)?);
    routes::names::answer(&app, &snapshot, &own, &Query::new(&criteria), &asked).await
}

/// What a layer is asked on behalf of a map: `more`, the map's filter, and the version that the
/// caller has.
fn criteria(map: &PublishedMap, query: &Query, more: Option<String>) -> Result<String, HttpError> {
    let filter = map.filter.as_ref();
    let filter = filter.map(|filter| format!("filter={}", encoded(&filter.value)));
    let version = query.get("v")?;
    let version = version.map(|version| format!("v={}", encoded(&version)));
    let all: Vec<String> = [more, filter, version].into_iter().flatten().collect();
    Ok(all.join("&"))
}

/// The script that the embedding page runs.
pub async fn parent_script(asked: Asked) -> Response {
    let script = include_bytes!("../maps/embed.js").to_vec();
    Answer::new("text/javascript; charset=utf-8", script, Freshness::Current).respond(&asked)
}

/// `/oembed?url=`: how to embed a map, by its address (oEmbed 1.0, `rich`).
pub async fn oembed(
    State(app): State<Arc<App>>,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    if query.get("format")?.is_some_and(|format| format != "json") {
        return Err(HttpError::NotOffered("format: there is json only"));
    }
    let url = query
        .get("url")?
        .ok_or_else(|| HttpError::parameter("url", "give the address of a map"))?;
    let address = url.split('#').next().unwrap_or_default();
    let (path, of_address) = address.split_once('?').unwrap_or((address, ""));
    let path = path
        .strip_prefix(&app.public_url)
        .filter(|path| path.starts_with('/'))
        .ok_or_else(|| HttpError::NotFound("no map of this server has this address".into()))?;
    let path = Segments::new(path);
    if !["map", "embed"].contains(&path.name(0)?.as_str()) {
        return Err(HttpError::NotFound("no map has this address".into()));
    }
    let map = find(&app, &path.name(1)?)?;
    // A page in a language of the reader's choice is embedded in it.
    let of_address = Query::new(of_address);
    let lang = if of_address.get("lang")?.is_some() {
        language(&of_address, &map)?
    } else {
        language(&query, &map)?
    };
    let story = Story::of(&app, Arc::clone(&map), lang).await?;
    let most = |name| query.parse::<u32>(name, "a number of pixels");
    let width = most("maxwidth")?.unwrap_or(WIDTH).clamp(1, WIDTH);
    let height = most("maxheight")?.unwrap_or(HEIGHT).clamp(1, HEIGHT);
    let manifest = &story.snapshot.manifest;
    let thumbnail = format!(
        "{}/map/{}.png?width={}&height={}&v={}",
        app.public_url,
        encoded(&map.id),
        CARD.0,
        CARD.1,
        manifest.version
    );
    let body = json!({
        "version": "1.0",
        "type": "rich",
        "title": story.title(),
        "provider_name": tilecore::dataset::schema::text_in(&manifest.title, story.lang).unwrap_or(&manifest.name),
        "provider_url": app.public_url,
        "cache_age": 3600,
        "width": width,
        "height": height,
        "html": page::snippet(&story, &app, height),
        "thumbnail_url": thumbnail,
        "thumbnail_width": CARD.0,
        "thumbnail_height": CARD.1,
    });
    Ok(Answer::json(&body, Freshness::Current).respond(&asked))
}

async fn told(
    app: &App,
    id: &str,
    kind: Kind,
    query: &Query,
    asked: &Asked,
) -> Result<Response, HttpError> {
    let map = find(app, id)?;
    let story = Story::of(app, Arc::clone(&map), language(query, &map)?).await?;
    let place = Place::served(&story, app, kind, theme(query)?);
    let html = page::page(&story, &place, ui::embed_assets());
    let mut response = Answer::new(HTML, html.into_bytes(), Freshness::Checked).respond(asked);
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::try_from(policy(app, &map, kind)) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if scope::caller().link.is_some() {
        headers.insert(ROBOTS, HeaderValue::from_static("noindex"));
    }
    Ok(response)
}

/// The page's policy; frames as the map allows.
fn policy(app: &App, map: &PublishedMap, kind: Kind) -> String {
    let ancestors = match (kind, &map.frame_ancestors[..]) {
        (Kind::Whole, _) => "'self'".to_owned(),
        (Kind::Embed, []) => "*".to_owned(),
        (Kind::Embed, hosts) => format!("'self' {}", hosts.join(" ")),
    };
    // Tiles come from the public address, which need not be the one the page was asked at.
    let origin = page::origin(&app.public_url);
    format!("{}; frame-ancestors {ancestors}", page::policy(&origin))
}

async fn drawn(
    app: &App,
    id: &str,
    media_type: &'static str,
    query: &Query,
    asked: &Asked,
) -> Result<Response, HttpError> {
    let map = find(app, id)?;
    let size = Size::parse(query)?;
    let bare = query.parse("bare", "true or false")?.unwrap_or(false);
    let story = Story::of(app, Arc::clone(&map), language(query, &map)?).await?;
    let version = story.snapshot.manifest.version.clone();
    let freshness = match Freshness::of(query, &version)? {
        // The file of the map may change what is drawn.
        Freshness::Immutable => Freshness::Current,
        other => other,
    };
    let tag = format!(
        "{version} {map:?} {size:?} {bare} {media_type} {}",
        story.lang
    );
    let png = media_type == PNG;
    // A PNG is compressed as it is.
    let coding = if png { Coding::Identity } else { asked.coding };
    let head = Head::new(Tag::of(tag.as_bytes()), coding, freshness);
    if let Some(held) = head.unless_held(asked) {
        return Ok(held);
    }
    let encode = move |scene: &Scene| {
        if png {
            picture::png::encode(scene)
        } else {
            let svg = picture::svg::encode(scene).into_bytes();
            Some(coding.encode(&svg).into_owned())
        }
    };
    let body = picture::draw(app, story, size, bare, encode).await?;
    let body = body.ok_or(HttpError::Internal)?;
    Ok(head.with_body(media_type, body))
}

fn find(app: &App, id: &str) -> Result<Arc<PublishedMap>, HttpError> {
    app.maps.get(id, SystemTime::now())
}

/// `theme`, else as the reader's browser prefers.
fn theme(query: &Query) -> Result<Option<Theme>, HttpError> {
    match query.get("theme")?.as_deref() {
        None => Ok(None),
        Some("light") => Ok(Some(Theme::Light)),
        Some("dark") => Ok(Some(Theme::Dark)),
        Some(_) => Err(HttpError::parameter("theme", "give light or dark")),
    }
}

/// `lang`, else the map's own.
fn language(query: &Query, map: &PublishedMap) -> Result<&'static str, HttpError> {
    let asked = query.get("lang")?;
    match asked.as_deref().or(map.language.as_deref()) {
        None | Some("en") => Ok("en"),
        Some("fr") => Ok("fr"),
        Some(_) => Err(HttpError::parameter("lang", "give fr or en")),
    }
}
