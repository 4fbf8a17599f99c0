//! Tests of filters as a whole.

mod canonical;
mod differential;
mod grammar;
mod hostile;
mod spatial;
mod support;
