//! A client's socket as hyper reads and writes it, with a limit on how slowly a client may read.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::ReadBufCursor;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

/// A client that takes in less than this on average, once it has let the socket fill, is cut off.
const SLOWEST_BYTES_PER_SECOND: u32 = 16 * 1024;

/// See the module. Shares the socket with the task that watches it for a reset.
#[derive(Debug)]
pub struct ClientIo {
    socket: Arc<TcpStream>,
    patience: Duration,
    /// Set while the socket is full.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl ClientIo {
    #[must_use]
    pub fn new(socket: Arc<TcpStream>, patience: Duration) -> Self {
        Self {
            socket,
            patience,
            deadline: None,
        }
    }

    /// Tries a write until the socket takes some or is full.
    fn poll_write_with(
        &mut self,
        cx: &mut Context<'_>,
        len: usize,
        write: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            if self.socket.poll_write_ready(cx)?.is_pending() {
                return self.poll_patience(cx);
            }
            match write(&self.socket) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(written) => {
                    self.note_written(written, len);
                    return Poll::Ready(Ok(written));
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let patience = self.patience;
        let deadline = self
            .deadline
            .get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + patience)));
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the client reads too slowly",
        )))
    }

    fn note_written(&mut self, written: usize, len: usize) {
        if written == len {
            self.deadline = None;
        } else if let Some(deadline) = &mut self.deadline {
            let written = u32::try_from(written).unwrap_or(u32::MAX);
            let earned = Duration::from_secs(1) * written / SLOWEST_BYTES_PER_SECOND;
            let latest = Instant::now() + self.patience;
            let extended = (deadline.deadline() + earned).min(latest);
            deadline.as_mut().reset(extended);
        }
    }
}

impl hyper::rt::Read for ClientIo {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut chunk = [0; 8192];
        let room = chunk.len().min(buf.remaining());
        loop {
            ready!(self.socket.poll_read_ready(cx))?;
            match self.socket.try_read(&mut chunk[..room]) {
                Ok(read) => {
                    buf.put_slice(&chunk[..read]);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl hyper::rt::Write for ClientIo {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut()
            .poll_write_with(cx, buf.len(), |socket| socket.try_write(buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let len = bufs.iter().map(|buf| buf.len()).sum();
        self.get_mut()
            .poll_write_with(cx, len, |socket| socket.try_write_vectored(bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Ends our side, so that the client sees the end of the answer.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(end_writing(&self.socket))
    }
}

/// Waits until the connection is reset. A client that only ends its side still wants its answer.
pub async fn is_reset(socket: &TcpStream) {
    while let Ok(ready) = socket.ready(Interest::ERROR).await {
        if ready.is_error() {
            return;
        }
    }
}

/// Reads what the client still sends, for a short while. Closing a socket with unread bytes resets
/// it, and the reset overtakes the answer that says what was wrong.
pub async fn linger(socket: &TcpStream) {
    const BYTES_MAX: usize = 4 * 1024 * 1024;
    const TIME_MAX: Duration = Duration::from_millis(500);
    let drain = async {
        let mut chunk = vec![0; 64 * 1024];
        let mut read_in_all = 0;
        while read_in_all < BYTES_MAX && socket.readable().await.is_ok() {
            match socket.try_read(&mut chunk) {
                Ok(0) => return,
                Ok(read) => read_in_all += read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    };
    if end_writing(socket).is_ok() {
        let _ = tokio::time::timeout(TIME_MAX, drain).await;
    }
}

fn end_writing(socket: &TcpStream) -> io::Result<()> {
    rustix::net::shutdown(socket, rustix::net::Shutdown::Write)?;
    Ok(())
}
