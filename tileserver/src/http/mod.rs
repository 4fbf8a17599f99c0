//! What HTTP itself asks of every answer, whatever the resource: coding, conditions, errors.

pub mod answer;
pub mod coding;
pub mod edge;
pub mod error;
pub mod etag;
pub mod path;
pub mod query;

pub use answer::{Answer, Asked, Freshness};
pub use coding::Coding;
pub use error::HttpError;
pub use query::Query;
