//! The accept loop: how many connections, for how long, and how they end.
//!
//! Its own rather than `axum::serve`, which waits for ever on a client that says nothing and on
//! one that does not read.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;
use futures_util::FutureExt;
use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::util::MapResponse;

use crate::client_io::{ClientIo, is_reset, linger};
use crate::metrics::Metrics;

const HEADERS_MAX: usize = 64;

/// Bytes of a request's head; also what is read ahead of a slow handler.
const HEAD_MAX: usize = 64 * 1024;

/// The pause after the system refused a socket: long enough not to spin, short enough to go
/// unnoticed.
const BACK_OFF: Duration = Duration::from_millis(50);

/// Descriptors kept for files, the log and the reactor.
const DESCRIPTORS_KEPT: usize = 24;

/// What clients may take of the server.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub connections: usize,
    /// For a head to arrive, for the next request, for part of an answer to be read.
    pub patience: Duration,
    /// For requests under way once the server is told to stop.
    pub drain: Duration,
}

impl Limits {
    /// Lowers the number of connections to what the system's limit on descriptors allows.
    #[must_use]
    pub fn within_descriptors(self) -> Self {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let Some(Ok(descriptors)) = limit.map(usize::try_from) else {
            return self;
        };
        let room = descriptors.saturating_sub(DESCRIPTORS_KEPT).max(8);
        Self {
            connections: self.connections.clamp(1, room),
            ..self
        }
    }
}

/// Serves until `stop` turns true and the requests under way are answered or out of time.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    metrics: &Arc<Metrics>,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let clients = Clients {
        http: http(limits.patience),
        router,
        limits,
        metrics: Arc::clone(metrics),
        stop: stop.clone(),
    };
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, accept(&listener, metrics).await)
        };
        tokio::select! {
            biased;
            _ = stop.wait_for(|&stop| stop) => break,
            (place, socket) = next => clients.take_on(socket, place.ok()),
        }
    }
    // Connections the kernel has completed already count as under way.
    while let Some(Ok((socket, _))) = listener.accept().now_or_never() {
        clients.take_on(socket, Arc::clone(&places).try_acquire_owned().ok());
    }
    drop(listener);
    let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
    let drained = tokio::time::timeout(limits.drain, places.acquire_many(all)).await;
    tracing::info!(in_time = drained.is_ok(), "stopped");
}

fn http(patience: Duration) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(patience)
        .half_close(true)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_MAX);
    http
}

async fn accept(listener: &TcpListener, metrics: &Metrics) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => return socket,
            // The client has left again: the next may be fine.
            Err(error) if is_of_one_client(&error) => {}
            Err(error) => {
                if metrics.accept_failures.fetch_add(1, Relaxed) == 0 {
                    tracing::warn!(%error, "cannot accept connections for now; counted from here on");
                }
                tokio::time::sleep(BACK_OFF).await;
            }
        }
    }
}

fn is_of_one_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// What each connection needs.
struct Clients {
    http: http1::Builder,
    router: Router,
    limits: Limits,
    metrics: Arc<Metrics>,
    stop: watch::Receiver<bool>,
}

impl Clients {
    fn take_on(&self, socket: TcpStream, place: Option<OwnedSemaphorePermit>) {
        let client = serve_client(
            socket,
            self.http.clone(),
            self.router.clone(),
            self.limits.patience,
            Arc::clone(&self.metrics),
            self.stop.clone(),
        );
        tokio::spawn(async move {
            client.await;
            drop(place);
        });
    }
}

async fn serve_client(
    socket: TcpStream,
    http: http1::Builder,
    router: Router,
    patience: Duration,
    metrics: Arc<Metrics>,
    mut stop: watch::Receiver<bool>,
) {
    let _open = Open::count(&metrics);
    let _ = socket.set_nodelay(true);
    let socket = Arc::new(socket);
    let io = ClientIo::new(Arc::clone(&socket), patience);
    let service = MapResponse::new(router, without_length_of_nothing);
    let service = TowerToHyperService::new(service);
    let mut connection = std::pin::pin!(http.serve_connection(io, service));
    let mut stopping = false;
    let ended = loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => break ended,
            () = is_reset(&socket) => return,
            _ = stop.wait_for(|&stop| stop), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    };
    match ended {
        Err(error) if is_timeout(&error) => {
            metrics.connections_timed_out.fetch_add(1, Relaxed);
        }
        Err(error) if !error.is_parse() => {}
        _ if stopping => {}
        _ => linger(&socket).await,
    }
}

/// A 204 has no length (RFC 9110, section 8.6); the router gives one to what it answers to HEAD.
fn without_length_of_nothing(mut response: Response) -> Response {
    if response.status() == StatusCode::NO_CONTENT {
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    response
}

fn is_timeout(error: &hyper::Error) -> bool {
    let io_timeout = std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<io::Error>())
        .is_some_and(|source| source.kind() == io::ErrorKind::TimedOut);
    error.is_timeout() || io_timeout
}

/// Counts a connection for as long as it is open.
struct Open<'a>(&'a Metrics);

impl<'a> Open<'a> {
    fn count(metrics: &'a Metrics) -> Self {
        metrics.connections_accepted.fetch_add(1, Relaxed);
        metrics.connections_open.fetch_add(1, Relaxed);
        Self(metrics)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.connections_open.fetch_sub(1, Relaxed);
    }
}
