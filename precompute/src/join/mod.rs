//! Joins the keys of a table with the units of a level.
//!
//! ```text
//! table keys ─▸ KeyIndex::meaning (raw key, alias, named rules) ─▸ match_keys ─▸ Outcome a key
//!                                                                     orphans ─▸ reasons
//! ```
//! Nothing here runs SQL or reads files; the histories of codes are embedded.

use std::collections::BTreeMap;

pub mod communes;
pub mod index;
pub mod matching;
pub mod reasons;
pub mod rules;

pub use index::KeyIndex;
pub use matching::{Outcome, match_keys};
pub use reasons::Reason;
pub use rules::Rule;

/// Of a block that has none.
pub static NO_ALIASES: BTreeMap<String, String> = BTreeMap::new();
