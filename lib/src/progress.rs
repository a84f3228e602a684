//! Progress of long work, in whole lines, because a notebook cannot redraw one.

use std::fmt::Display;
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

static SILENT: AtomicBool = AtomicBool::new(false);

/// Turns off what the library prints about its progress.
pub fn set_silent(silent: bool) {
    SILENT.store(silent, Ordering::Relaxed);
}

/// A line on standard output, unless [`set_silent`] asks for none.
pub fn say(words: impl Display) {
    if !SILENT.load(Ordering::Relaxed) {
        // A full disk or a closed terminal stops no work.
        let _ = writeln!(std::io::stdout(), "{words}");
    }
}

/// Says every two seconds how far some work is; nothing if it takes less.
pub(crate) struct Progress {
    start: Instant,
    said: Mutex<Instant>,
}

impl Progress {
    pub fn start() -> Self {
        let start = Instant::now();
        Self { start, said: Mutex::new(start) }
    }

    /// As [`Progress::step`]: `preprocessing: 12 of 40 images, 6 per second`.
    pub fn count(&self, what: &str, done: usize, of: impl Display) {
        self.step(|seconds| {
            let rate = done as f64 / seconds;
            format!("{what}: {done} of {of}, {rate:.0} per second")
        });
    }

    /// From any thread; `words` are given the seconds since the start.
    pub fn step<W: Display>(&self, words: impl FnOnce(f64) -> W) {
        let Ok(mut said) = self.said.try_lock() else {
            return;
        };
        if said.elapsed() >= Duration::from_secs(2) {
            *said = Instant::now();
            say(words(self.start.elapsed().as_secs_f64()));
        }
    }
}
