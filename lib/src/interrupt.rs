//! What asks training to stop after a step: Jupyter's Interrupt, Ctrl-C, and a system that ends
//! the process or closes its terminal.

use std::{
    fs,
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag,
};

/// A signal has come since training began.
static ASKED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
/// Nothing is trained that could be asked, or it was asked already: a signal ends the process.
static DEADLY: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(true.into()));
/// How many trainings are under way.
static RUNNING: Mutex<usize> = Mutex::new(0);

/// Has INT, TERM and HUP stop training after its next step; at another time, or coming twice, they
/// end the process as ever. A signal that the process was started to ignore (`nohup`) is ignored.
pub fn watch_signals() {
    let signals = [SIGINT, SIGTERM, SIGHUP];
    for signal in signals.into_iter().filter(|&signal| !is_ignored(signal)) {
        // What cannot be watched keeps its usual effect.
        let _ = flag::register_conditional_default(signal, DEADLY.clone());
        let _ = flag::register(signal, DEADLY.clone());
        let _ = flag::register(signal, ASKED.clone());
    }
}

/// From Linux's list of what a process ignores.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    let mask = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// Lasts as long as a training.
pub(crate) struct Watch;

impl Watch {
    pub fn start() -> Self {
        // A notebook's kernel, and thereby its child, ignores INT until a cell trains.
        static IN_NOTEBOOK: LazyLock<()> = LazyLock::new(|| {
            if std::env::var_os("EVCXR_IS_RUNTIME").is_some() {
                let _ = flag::register(SIGINT, ASKED.clone());
            }
        });
        LazyLock::force(&IN_NOTEBOOK);
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        *running += 1;
        if *running == 1 {
            ASKED.store(false, Ordering::Relaxed);
            DEADLY.store(false, Ordering::Relaxed);
        }
        Self
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        *running -= 1;
        if *running == 0 {
            DEADLY.store(true, Ordering::Relaxed);
        }
    }
}

pub(crate) fn interrupted() -> bool {
    ASKED.load(Ordering::Relaxed)
}
