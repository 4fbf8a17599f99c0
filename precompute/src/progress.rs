//! What a long run is doing: a moving line on a terminal, plain lines elsewhere. On standard error.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A step under way; says how it ended when `done`.
#[derive(Debug)]
pub struct Step {
    name: String,
    bar: ProgressBar,
}

/// Starts a step whose length is unknown.
#[must_use]
pub fn step(name: &str) -> Step {
    let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
    start(name, ProgressBar::new_spinner(), style)
}

/// Starts a step of `length` parts.
#[must_use]
pub fn steps(name: &str, length: u64) -> Step {
    let style = ProgressStyle::with_template("{spinner} {msg} {bar:30} {pos}/{len} {elapsed}");
    start(name, ProgressBar::new(length), style)
}

fn start<E: std::fmt::Debug>(
    name: &str,
    bar: ProgressBar,
    style: Result<ProgressStyle, E>,
) -> Step {
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.set_message(name.to_owned());
    if !bar.is_hidden() {
        bar.enable_steady_tick(Duration::from_millis(100));
    }
    Step {
        name: name.to_owned(),
        bar,
    }
}

impl Step {
    /// Another part is finished.
    pub fn advance(&self) {
        self.bar.inc(1);
    }

    /// The step is finished, with this outcome.
    pub fn done(self, outcome: &str) {
        let seconds = self.bar.elapsed().as_secs_f64();
        self.bar.finish_and_clear();
        eprintln!("{}: {outcome} ({seconds:.1} s)", self.name);
    }
}
