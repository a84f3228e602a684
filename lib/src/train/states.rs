//! The files that a run keeps its states in, so that it can go on where it broke off.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    Result,
    files::{Lock, is_quick, remove},
    train::Checkpoint,
};

/// Keeps the state after every epoch (every few seconds, where epochs are shorter) in
/// `NAME.last.safetensors`, and that of lowest validation loss in `NAME.best.safetensors`; a run
/// that finds its own last state goes on from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelCheckpoint {
    stem: PathBuf,
    /// What an earlier run of this name left, and is true of its states alone.
    record: Option<PathBuf>,
}

impl ModelCheckpoint {
    /// `stem` is the path without extension, e.g. `outputs/checkpoints/part1-seed0`.
    pub fn new(stem: impl AsRef<Path>) -> Self {
        Self { stem: stem.as_ref().into(), record: None }
    }

    /// Removes the file `record` as soon as states are written.
    pub(crate) fn replacing(self, record: PathBuf) -> Self {
        Self { record: Some(record), ..self }
    }

    pub fn best(&self) -> PathBuf {
        self.stem.with_added_extension("best.safetensors")
    }

    pub fn last(&self) -> PathBuf {
        self.stem.with_added_extension("last.safetensors")
    }

    /// Keeps the weights of a complete run's best epoch, without the optimiser. Returns
    /// their path. May be called again.
    pub fn finish(&self) -> Result<PathBuf> {
        let best = self.best();
        Checkpoint::load_state(&best)?.weights_only().save(&best)?;
        Ok(best)
    }

    /// Removes the last state, once all results of the run have been written.
    pub fn forget(&self) -> Result<()> {
        remove(&self.last())
    }

    /// The lock of a run: one process has it at a time.
    pub(crate) fn lock(&self) -> Result<Lock> {
        Lock::take(&self.stem.with_added_extension("lock"))
    }
}

/// How often states are written: to write one may take as long as an epoch.
const WRITTEN_EVERY: Duration = Duration::from_secs(5);

/// The states of whole epochs, on their way to the disk.
pub(super) struct States<'a> {
    files: &'a ModelCheckpoint,
    best: Option<Arc<Checkpoint>>,
    last: Option<Arc<Checkpoint>>,
    written: Instant,
}

impl<'a> States<'a> {
    pub fn new(files: &'a ModelCheckpoint) -> Self {
        Self { files, best: None, last: None, written: Instant::now() }
    }

    pub fn add(&mut self, state: Checkpoint, is_best: bool) -> Result<()> {
        let state = Arc::new(state);
        if is_best {
            self.best = Some(state.clone());
        }
        self.last = Some(state);
        // A quick run is over sooner, and is to resume as well if it is killed.
        let due = is_quick() || self.written.elapsed() >= WRITTEN_EVERY;
        if due { self.write() } else { Ok(()) }
    }

    /// What has not been written yet.
    pub fn write(&mut self) -> Result<()> {
        for (state, path) in [(&self.best, self.files.best()), (&self.last, self.files.last())] {
            if let Some(state) = state {
                self.files.record.as_deref().map_or(Ok(()), remove)?;
                state.save(path)?;
            }
        }
        *self = Self::new(self.files);
        Ok(())
    }
}
