//! The log: lines on standard error, written by a thread of their own.
//!
//! A blocked or closed pipe must not stop a request, so lines wait in a bounded queue and are
//! dropped when it is full. What goes into a line is our own words and numbers: never a path, a
//! query, a header or an address of a client.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Lines that may wait for the pipe.
const QUEUE: usize = 4096;

/// Once it is dropped, the lines logged before are out, unless the pipe stays blocked.
#[derive(Debug)]
pub struct Log {
    lines: SyncSender<Message>,
}

enum Message {
    Line(Vec<u8>),
    Flush(SyncSender<()>),
}

/// Starts logging what `filter` lets through.
///
/// # Errors
/// A filter that cannot be read, or a second call in one process.
pub fn start(filter: &str, json: bool) -> anyhow::Result<Log> {
    let filter: Targets = filter.parse()?;
    let (lines, queue) = sync_channel(QUEUE);
    std::thread::Builder::new()
        .name("log".into())
        .spawn(move || write_lines(&queue))?;
    let builder = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(Lines(lines.clone()));
    let started = if json {
        let lines = builder.json().flatten_event(true).finish();
        lines.with(filter).try_init()
    } else {
        let lines = builder.with_target(false).finish();
        lines.with(filter).try_init()
    };
    started.map_err(|error| anyhow::anyhow!("{error}"))?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let said = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(place, said, "panic");
    }));
    Ok(Log { lines })
}

impl Drop for Log {
    fn drop(&mut self) {
        let (done, written) = sync_channel(1);
        if self.lines.try_send(Message::Flush(done)).is_ok() {
            let _ = written.recv_timeout(Duration::from_millis(200));
        }
    }
}

fn write_lines(queue: &Receiver<Message>) {
    // A closed pipe is not worth ending the server for: nobody reads, nothing is lost.
    let mut out = io::stderr();
    for message in queue {
        match message {
            Message::Line(line) => drop(out.write_all(&line)),
            Message::Flush(done) => drop(done.send(())),
        }
    }
}

/// Hands each event to the writing thread.
#[derive(Clone)]
struct Lines(SyncSender<Message>);

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self.0.try_send(Message::Line(line.to_vec())) {
            Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Ok(line.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
