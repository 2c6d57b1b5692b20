//! The progress bar of an import, when there is a terminal to draw it on.

use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How far an import is. Without a terminal it only passes lines on.
pub(crate) struct Progress(Option<ProgressBar>);

impl Progress {
    /// A bar over `size` bytes, or a running count when the size is not known.
    pub(crate) fn new(size: Option<u64>) -> Self {
        if !io::stderr().is_terminal() {
            return Progress(None);
        }
        let (bar, template) = match size {
            Some(size) => (
                ProgressBar::new(size),
                "{bar:30} {percent:>3} %  {msg}  {elapsed} of about {duration}",
            ),
            None => (ProgressBar::no_length(), "{spinner} {msg}  {elapsed}"),
        };
        bar.set_draw_target(ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Progress(Some(bar))
    }

    /// So many bytes of the file have been read.
    pub(crate) fn at(&self, bytes: u64) {
        if let Some(bar) = &self.0 {
            bar.set_position(bytes);
        }
    }

    /// So many accounts have been imported.
    pub(crate) fn imported(&self, accounts: u64) {
        if let Some(bar) = &self.0 {
            bar.set_message(format!("{accounts} imported"));
        }
    }

    /// Writes a line above the bar.
    pub(crate) fn tell(&self, line: &str) {
        let write = || {
            // The summary tells it again; an unwritable line stops no import.
            let _ = writeln!(io::stderr().lock(), "{line}");
        };
        match &self.0 {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
