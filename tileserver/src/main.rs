//! `tileserver`: reads the command line, opens the dataset, serves until told to stop.

use std::ffi::OsStr;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser as _;
use tileserver::app::{App, RequestIds};
use tileserver::config::Config;
use tileserver::keyring::Keyring;
use tileserver::keys_verb;
use tileserver::maps::Maps;
use tileserver::metrics::Metrics;
use tileserver::page_verb;
use tileserver::pool::Pool;
use tileserver::router::router;
use tileserver::serve::{Limits, serve};
use tileserver::served::Served;
use tileserver::snapshot::Caches;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

fn main() -> anyhow::Result<()> {
    let verb = std::env::args_os().nth(1);
    match verb.as_deref().and_then(OsStr::to_str) {
        Some("keys") => return keys_verb::run(std::env::args_os().skip(1)),
        Some("page") => return page_verb::run(std::env::args_os().skip(1)),
        _ => {}
    }
    let config = Config::parse();
    let _log = tileserver::log::start(&config.log, config.log_json)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(run(config));
    runtime.shutdown_background();
    ended
}

async fn run(config: Config) -> anyhow::Result<()> {
    let listener = TcpListener::bind(&config.listen)
        .await
        .with_context(|| format!("cannot listen on {}: give another --listen", config.listen))?;
    let address = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    let (look_now, looks) = mpsc::channel();
    let (look_at_keys, key_looks) = mpsc::channel();
    follow_signals(stop, look_now, look_at_keys)?;
    let keys = config.keys.clone().map(Keyring::open).transpose()?;

    let public_url = config
        .public_url
        .clone()
        .unwrap_or_else(|| local_url(address));
    let metrics = Arc::<Metrics>::default();
    let caches = Caches {
        bytes: config.cache_bytes(),
        shared: keys.is_some(),
        metrics: Arc::clone(&metrics),
    };
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    if let Some(maps) = &config.maps {
        std::fs::read_dir(maps)
            .with_context(|| format!("--maps: cannot read {}", maps.display()))?;
    }
    let app = Arc::new(App {
        maps: Maps::new(config.maps.clone(), &config.dataset, &caches),
        served: Served::new(config.dataset.clone(), caches),
        keys,
        pool: Pool::new(threads)?,
        metrics: Arc::clone(&metrics),
        request_ids: RequestIds::default(),
        public_url,
    });
    let watched = Arc::clone(&app);
    std::thread::Builder::new()
        .name("dataset".into())
        .spawn(move || {
            watched.served.look();
            follow_maps(Arc::clone(&watched));
            // For people and scripts, once there is something to ask for.
            let _ = writeln!(std::io::stdout(), "http://{address}");
            watched.served.follow(&looks);
        })?;

    let held = Arc::clone(&app);
    let follow_keys = move || held.keys.iter().for_each(|keys| keys.follow(&key_looks));
    std::thread::Builder::new()
        .name("keys".into())
        .spawn(follow_keys)?;

    let limits = Limits {
        connections: config.max_connections as usize,
        patience: config.client_timeout,
        drain: config.drain_timeout,
    }
    .within_descriptors();
    tracing::info!(%address, connections = limits.connections, "listening");
    serve(listener, router(app), limits, &metrics, stopped).await;
    Ok(())
}

/// Reads the published maps, and again whenever one of them or the dataset changes.
fn follow_maps(app: Arc<App>) {
    const PERIOD: Duration = Duration::from_secs(1);
    let look = |app: &App| app.maps.look(app.served.scopes().as_deref());
    look(&app);
    let follow = move || {
        loop {
            std::thread::sleep(PERIOD);
            look(&app);
        }
    };
    let started = std::thread::Builder::new()
        .name("maps".into())
        .spawn(follow);
    if let Err(error) = started {
        tracing::error!(%error, "changes of published maps are not seen");
    }
}

/// SIGTERM and SIGINT stop the server; a second SIGINT ends it at once. SIGHUP looks for a new
/// version and new keys now.
fn follow_signals(
    stop: watch::Sender<bool>,
    look_now: mpsc::Sender<()>,
    look_at_keys: mpsc::Sender<()>,
) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {
                    if *stop.borrow() {
                        std::process::exit(130);
                    }
                }
                _ = hangup.recv() => {
                    let _ = look_now.send(());
                    let _ = look_at_keys.send(());
                    continue;
                }
            }
            if !stop.send_replace(true) {
                tracing::info!("stopping: requests under way are finished first");
            }
        }
    });
    Ok(())
}

/// The URL of a server that only this machine needs to reach.
fn local_url(address: std::net::SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("http://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    }
}
