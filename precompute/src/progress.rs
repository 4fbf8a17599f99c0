//! What a long run is doing: moving lines on a terminal, plain lines elsewhere. On standard error.

use std::sync::LazyLock;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// All lines that move, so that steps that run side by side do not write over each other.
static LINES: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// A step under way; says how it ended when `done`.
#[derive(Debug)]
pub struct Step {
    name: String,
    bar: ProgressBar,
}

/// Starts a step whose length is unknown.
#[must_use]
pub fn step(name: &str) -> Step {
    start(
        name,
        ProgressBar::new_spinner(),
        "{spinner} {msg} {elapsed}",
    )
}

/// Starts a step of `length` parts.
#[must_use]
pub fn steps(name: &str, length: usize) -> Step {
    let bar = ProgressBar::new(length as u64);
    start(name, bar, "{spinner} {msg} {bar:30} {pos}/{len} {elapsed}")
}

fn start(name: &str, bar: ProgressBar, template: &str) -> Step {
    let bar = LINES.add(bar);
    if let Ok(style) = ProgressStyle::with_template(template) {
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
        LINES.suspend(|| eprintln!("{}: {outcome} ({seconds:.1} s)", self.name));
    }
}

impl Drop for Step {
    /// A step that fails leaves no line behind.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
