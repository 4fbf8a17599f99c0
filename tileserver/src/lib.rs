//! Serves a dataset over HTTP: everything of the server but its `main`.
//!
//! ```text
//! socket → serve → edge → routes → snapshot → tilecore
//!                            │        ↑
//!                            │     served ← load ← dataset directory
//!                            └→ memo, pool: what is kept, what leaves the reactor
//! ```

#![expect(
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    reason = "the inside of a program; where it matters the comment says it in a sentence"
)]

pub mod access;
pub mod analysis;
pub mod app;
pub mod audit;
pub mod card;
pub mod categories;
pub mod choice;
pub mod client_io;
pub mod config;
pub mod contacts;
pub mod criteria;
pub mod figure;
pub mod home;
pub mod html;
pub mod http;
pub mod keyring;
pub mod keys_verb;
pub mod layer;
pub mod legend;
pub mod level;
pub mod load;
pub mod log;
pub mod maps;
pub mod memo;
pub mod metrics;
pub mod names;
pub mod numbers;
pub mod order;
pub mod page_verb;
pub mod palette;
pub mod passing;
pub mod picture;
pub mod pool;
pub mod question;
pub mod router;
pub mod routes;
pub mod rows;
pub mod scope;
pub mod search;
pub mod selection;
pub mod serve;
pub mod served;
pub mod snapshot;
pub mod style;
pub mod tile_request;
pub mod zone;
