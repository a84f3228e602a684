//! What asks training to stop after a step: Jupyter's Interrupt, Ctrl-C, and a system that ends
//! the process or closes its terminal.

use std::{
    fs,
    os::unix::process::parent_id,
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

/// The notebook kernel whose child this process is, if it is one. Kernel and child ignore INT
/// until a cell trains.
static KERNEL: LazyLock<Option<u32>> = LazyLock::new(|| {
    std::env::var_os("EVCXR_IS_RUNTIME")?;
    let _ = flag::register(SIGINT, ASKED.clone());
    Some(parent_id())
});

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
        LazyLock::force(&KERNEL);
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

/// Ends the process where it is the child of a kernel that was killed.
pub(crate) fn interrupted() -> bool {
    if KERNEL.is_some_and(|kernel| kernel != parent_id()) {
        std::process::exit(1);
    }
    ASKED.load(Ordering::Relaxed)
}
