//! What every section's check needs: where it is in the file, names, SQL.

use std::collections::BTreeSet;

use super::read::{Fault, Step};
use crate::sql;

pub(super) fn required_sql(fragment: &str, at: &At) -> Result<(), Fault> {
    if fragment.is_empty()
        && let Some(Step::Key(key)) = at.0.last()
    {
        return at.fault(format!("`{key}` is missing or empty: give SQL"));
    }
    match sql::check_fragment(fragment) {
        Ok(()) => Ok(()),
        Err(message) => at.fault(message),
    }
}

pub(super) fn optional_sql(fragment: Option<&str>, at: &At) -> Result<(), Fault> {
    fragment.map_or(Ok(()), |fragment| required_sql(fragment, at))
}

pub(super) fn unique(text: &str, names: &mut BTreeSet<String>, at: &At) -> Result<(), Fault> {
    name(text, at)?;
    if names.insert(text.to_owned()) {
        return Ok(());
    }
    at.fault(format!("the name {text:?} is there twice: rename one"))
}

pub(super) fn name(text: &str, at: &At) -> Result<(), Fault> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if !text.is_empty() && text.len() <= 64 && text.chars().all(is_plain) {
        return Ok(());
    }
    at.fault(format!(
        "{text:?} is no name: up to 64 lower-case letters, digits, `_` and `-`"
    ))
}

/// Where in the file a check is.
#[derive(Default, Clone)]
pub(super) struct At(Vec<Step>);

impl At {
    pub(super) fn key(&self, key: &str) -> Self {
        self.step(key.into())
    }

    pub(super) fn index(&self, index: usize) -> Self {
        self.step(index.into())
    }

    fn step(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    pub(super) fn fault<T>(&self, message: impl Into<String>) -> Result<T, Fault> {
        Err(Fault {
            keys: self.0.clone(),
            message: message.into(),
        })
    }
}
