//! `tileserver page`: a published map as files, for a web server that only gives out files.
//!
//! ```text
//! out/index.html   the embed page        data.json          what it asks for again
//!     map.svg      without scripts       map.png            for cards
//!     assets/…     its script            embed.js           for the pages that embed it
//!     <id>.pmtiles from `precompute export`, whose command this prints
//! ```

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context as _, anyhow};
use axum::http::HeaderMap;
use clap::Parser;

use crate::access::Caller;
use crate::app::{App, RequestIds};
use crate::http::{HttpError, Query};
use crate::keyring::Keyring;
use crate::maps::page::{self, CARD, Card, Place};
use crate::maps::story::Story;
use crate::maps::{Maps, PublishedMap};
use crate::metrics::Metrics;
use crate::picture::{self, Scene, Size};
use crate::pool::Pool;
use crate::routes::ui;
use crate::scope::{self, Seen};
use crate::served::Served;
use crate::snapshot::Caches;

/// Memory for what is computed on the way.
const CACHE_BYTES: usize = 256 << 20;

/// Write a published map as files that need no server of ours
#[derive(Debug, Parser)]
#[command(name = "tileserver page")]
struct Args {
    /// Directory that `precompute build --out` wrote
    #[arg(long, env = "MAILLE_DATASET", value_name = "DIR")]
    dataset: PathBuf,
    /// Directory of published maps; by default `maps` in the dataset or beside it
    #[arg(long, env = "MAILLE_MAPS", value_name = "DIR")]
    maps: Option<PathBuf>,
    /// File of API keys: what its `[public]` hides stays out
    #[arg(long, env = "MAILLE_KEYS", value_name = "FILE")]
    keys: Option<PathBuf>,
    /// The map: its file's name without `.toml`
    #[arg(long, value_name = "ID")]
    map: String,
    /// The folder to write into
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Where the tiles will be, seen from the page; by default ID.pmtiles beside it
    #[arg(long, value_name = "URL")]
    tiles: Option<String>,
    /// Where the folder will be; cards need it
    #[arg(long, value_name = "URL", value_parser = crate::config::public_url)]
    public_url: Option<String>,
    /// Language of the page: en or fr; by default the map's
    #[arg(long, value_name = "LANG", value_parser = ["en", "fr"])]
    lang: Option<String>,
}

/// Runs the verb; the first of `args` is its name.
pub fn run(args: impl Iterator<Item = OsString>) -> anyhow::Result<()> {
    let args = Args::parse_from(args);
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(write(&args))
}

async fn write(args: &Args) -> anyhow::Result<()> {
    let app = open(args)?;
    let caller = match &app.keys {
        Some(keys) => keys.caller(&HeaderMap::new(), &Query::new(""), "/")?,
        None => Caller::public_of_everything(),
    };
    let scopes = app.served.scopes().with_context(|| {
        let refusal = app.served.refusal();
        let detail = refusal.map_or_else(String::new, |refusal| refusal.detail);
        format!("{}: {detail}", args.dataset.display())
    })?;
    app.maps.look(Some(&scopes));
    let seen = Seen {
        snapshot: Some(scopes.make_for(&caller)),
        caller: Arc::new(caller),
    };
    scope::within(seen, publish(args, &app)).await
}

fn open(args: &Args) -> anyhow::Result<App> {
    let metrics = Arc::<Metrics>::default();
    let caches = Caches {
        bytes: CACHE_BYTES,
        shared: args.keys.is_some(),
        metrics: Arc::clone(&metrics),
    };
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let served = Served::new(args.dataset.clone(), caches.clone());
    served.look();
    Ok(App {
        maps: Maps::new(args.maps.clone(), &args.dataset, &caches),
        served,
        keys: args.keys.clone().map(Keyring::open).transpose()?,
        pool: Pool::new(threads)?,
        metrics,
        request_ids: RequestIds::default(),
        public_url: args.public_url.clone().unwrap_or_default(),
    })
}

async fn publish(args: &Args, app: &App) -> anyhow::Result<()> {
    let map = app.maps.get(&args.map, SystemTime::now()).map_err(|_| {
        let known = app.maps.published(SystemTime::now());
        let known: Vec<&str> = known.iter().map(|map| map.id.as_str()).collect();
        anyhow!(
            "no map `{}` is published: give one of {}",
            args.map,
            known.join(", ")
        )
    })?;
    let lang = match args.lang.as_deref().or(map.language.as_deref()) {
        Some("fr") => "fr",
        _ => "en",
    };
    let tell = async || {
        let story = Story::of(app, Arc::clone(&map), lang).await;
        story.map_err(|error| anyhow!("map `{}`: {error:?}", map.id))
    };
    let tiles = args.tiles.clone();
    let tiles = tiles.unwrap_or_else(|| format!("{}.pmtiles", map.id));
    let place = Place {
        root: "",
        theme: None,
        picture: "map.svg".into(),
        again: "data.json".into(),
        tiles: format!("pmtiles://{tiles}/{{z}}/{{x}}/{{y}}"),
        policy: Some(page::policy(&page::origin(&tiles))),
        card: args.public_url.as_ref().map(|base| Card {
            url: format!("{base}/"),
            image: format!("{base}/map.png"),
            oembed: None,
        }),
        snippet: None,
    };

    let folder = Folder(&args.out);
    for (path, body) in ui::embed_files() {
        folder.put(path, body)?;
    }
    folder.put("embed.js", include_bytes!("maps/embed.js"))?;
    let picture = picture_of(CARD.0, CARD.0 * 3 / 4);
    let svg = |scene: &Scene| picture::svg::encode(scene);
    let svg = picture::draw(app, tell().await?, picture, true, svg).await;
    folder.put("map.svg", svg.map_err(|error| failed(&error))?.as_bytes())?;
    let card = picture_of(CARD.0, CARD.1);
    let png = picture::draw(app, tell().await?, card, false, picture::png::encode).await;
    let png = png.map_err(|error| failed(&error))?;
    let png = png.context("the picture is too large")?;
    folder.put("map.png", &png)?;
    let story = tell().await?;
    let data = story.data(&place.tiles).to_string();
    folder.put("data.json", data.as_bytes())?;
    // Last: until it is there, readers have the page before, whose scripts are still there too.
    let html = page::page(&story, &place, ui::embed_assets());
    folder.put("index.html", html.as_bytes())?;
    writeln!(io::stdout(), "{}", export_command(args, &map, &tiles))?;
    Ok(())
}

fn failed(error: &HttpError) -> anyhow::Error {
    anyhow!("cannot draw the map: {}", error.detail())
}

fn picture_of(width: u32, height: u32) -> Size {
    Size {
        width,
        height,
        scale: 1.0,
    }
}

/// What writes the tiles that the page asks for.
fn export_command(args: &Args, map: &PublishedMap, tiles: &str) -> String {
    let name = tiles.rsplit('/').next().unwrap_or(tiles);
    let mut words = vec![
        "precompute".to_owned(),
        "export".to_owned(),
        args.dataset.display().to_string(),
        "--pmtiles".to_owned(),
        args.out.join(name).display().to_string(),
        "--layer".to_owned(),
        map.layer.value.clone(),
        "--properties".to_owned(),
        map.indicator.value.clone(),
    ];
    if let Some(filter) = &map.filter {
        words.extend(["--filter".to_owned(), filter.value.clone()]);
    }
    if let Some(keys) = &args.keys {
        words.extend(["--keys".to_owned(), keys.display().to_string()]);
    }
    let quoted = words.iter().map(|word| quoted(word));
    quoted.collect::<Vec<_>>().join(" ")
}

/// A word as a shell takes it for one.
fn quoted(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:,=@+".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Where files are put, each whole or not at all.
struct Folder<'a>(&'a Path);

impl Folder<'_> {
    fn put(&self, name: &str, body: &[u8]) -> anyhow::Result<()> {
        let path = self.0.join(name);
        let put = || -> io::Result<()> {
            if let Some(directory) = path.parent() {
                fs::create_dir_all(directory)?;
            }
            let new = path.with_added_extension("new");
            fs::write(&new, body)?;
            fs::rename(&new, &path)
        };
        put().with_context(|| path.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole_in_a_shell() {
        assert_eq!(quoted("maps/a.pmtiles"), "maps/a.pmtiles");
        assert_eq!(quoted("winner = 'A b'"), r"'winner = '\''A b'\'''");
        assert_eq!(quoted("$(x)"), "'$(x)'");
        assert_eq!(quoted(""), "''");
    }
}
