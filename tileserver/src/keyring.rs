//! The keys file while it serves: read again when it changes or on SIGHUP, asked at each request.
//!
//! As long as the file cannot be read or is not valid, no credentials are accepted, because one of
//! those it held may just have been revoked; the public keeps seeing what it saw.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use crate::access::{Caller, Credentials, KeysFile, Refused, authenticate};
use crate::audit::Audit;
use crate::http::Query;

/// How often the file is looked at.
const PERIOD: Duration = Duration::from_millis(250);

/// See the module.
#[derive(Debug)]
pub struct Keyring {
    path: PathBuf,
    state: ArcSwap<State>,
    pub audit: Audit,
}

#[derive(Debug)]
struct State {
    /// As it was read; `None` where it could not be.
    text: Option<String>,
    keys: KeysFile,
    trusted: bool,
}

impl Keyring {
    /// # Errors
    /// A file that is missing or not valid: a server with doubtful keys does not start.
    pub fn open(path: PathBuf) -> anyhow::Result<Self> {
        use anyhow::Context as _;
        let named = || path.display().to_string();
        let text = std::fs::read_to_string(&path).with_context(named)?;
        let keys = KeysFile::parse(&text).with_context(named)?;
        let audit = Audit::beside(&path)?;
        Ok(Self {
            state: ArcSwap::from_pointee(State {
                text: Some(text),
                keys,
                trusted: true,
            }),
            audit,
            path,
        })
    }

    /// Who sends these headers and this query to `path`.
    ///
    /// # Errors
    /// Credentials that are not valid, more than one, or any while the file is in doubt.
    pub fn caller(
        &self,
        headers: &HeaderMap,
        query: &Query,
        path: &str,
    ) -> Result<Caller, Refused> {
        let state = self.state.load();
        let mut authorization = Vec::new();
        for header in headers.get_all(AUTHORIZATION) {
            authorization.push(header.to_str().map_err(|_| Refused)?);
        }
        let sig = query.get("sig").map_err(|_| Refused)?;
        if !state.trusted && (sig.is_some() || !authorization.is_empty()) {
            return Err(Refused);
        }
        let credentials = Credentials {
            authorization: &authorization,
            sig: sig.as_deref(),
            path,
        };
        authenticate(&state.keys, credentials, SystemTime::now())
    }

    /// Follows the file until the other end of `look_now` is dropped.
    pub fn follow(&self, look_now: &Receiver<()>) {
        while look_now.recv_timeout(PERIOD) != Err(RecvTimeoutError::Disconnected) {
            self.look();
        }
    }

    fn look(&self) {
        let text = std::fs::read_to_string(&self.path).ok();
        let state = self.state.load();
        if text == state.text {
            return;
        }
        let parsed = text.as_deref().map(KeysFile::parse);
        let next = match parsed {
            Some(Ok(keys)) => {
                tracing::info!("keys read again");
                State {
                    text,
                    keys,
                    trusted: true,
                }
            }
            refused => {
                let cause = match refused {
                    Some(Err(error)) => error.kind(),
                    _ => "unreadable",
                };
                tracing::error!(cause, "keys file refused: no credentials are accepted");
                State {
                    text,
                    keys: state.keys.clone(),
                    trusted: false,
                }
            }
        };
        self.state.store(Arc::new(next));
    }
}
