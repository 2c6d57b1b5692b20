//! The progress bar of an import, when there is a terminal to draw it on.

use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// With a known size.
const BAR: &str = "{bar:30} {percent:>3} %  {msg}  {elapsed} of about {duration}";

/// Without one.
const COUNT: &str = "{spinner} {msg}  {elapsed}";

/// How far an import is. Without a terminal it only passes lines on.
pub(crate) struct Progress(Option<ProgressBar>);

impl Progress {
    /// A bar over `size` bytes, or a running count when the size is not known.
    pub(crate) fn new(size: Option<u64>) -> Self {
        if !io::stderr().is_terminal() {
            return Progress(None);
        }
        let (bar, template) = match size {
            Some(size) => (ProgressBar::new(size), BAR),
            None => (ProgressBar::no_length(), COUNT),
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

#[cfg(test)]
mod tests {
    use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

    use super::{BAR, COUNT};

    /// A terminal that keeps what is written to it.
    #[derive(Debug, Clone, Default)]
    struct Screen(std::sync::Arc<std::sync::Mutex<String>>);

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            120
        }
        fn move_cursor_up(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> std::io::Result<()> {
            self.write_str(text)
        }
        fn write_str(&self, text: &str) -> std::io::Result<()> {
            self.0.lock().expect("no panic").push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> std::io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_bar_says_how_far_it_is() {
        for (template, expected) in [(BAR, " 25 %  7 imported"), (COUNT, "7 imported")] {
            let screen = Screen::default();
            let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
            let bar = ProgressBar::with_draw_target(Some(200), target);
            bar.set_style(ProgressStyle::with_template(template).expect("a template"));
            bar.set_position(50);
            bar.set_message("7 imported");
            bar.tick();
            let drawn = screen.0.lock().expect("no panic").clone();
            assert!(drawn.contains(expected), "{drawn}");
        }
    }
}
