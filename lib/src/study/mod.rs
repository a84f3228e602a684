//! The study: what is run, once, as data, and the records of it. Notebooks, command line and
//! workflow start the same runs from here; no chart is drawn here.

pub mod audit;
mod choices;
mod difference;
mod ensemble;
mod experiment;
mod experiments;
mod grid;
mod human;
mod load;
mod lookalikes;
mod official;
mod readings;
mod result;
mod run;
mod seeds;
mod setup;
mod trials;

pub use audit::Audit;
pub use choices::{TriedDivision, best_rate, simplest_division, tried_divisions, tried_rates};
pub use difference::{Difference, Here, MadeHere};
pub use ensemble::EnsembleResult;
pub use experiment::{CARRIED_OVER, Data, Experiment, Head, Init, Sources, TRUNK};
pub use experiments::{
    CLAIM_SEEDS, DEPTHS, DIVISIONS, Division, FEW, ListedRun, RATES, RELABELLED, SEEDS, SELECTION,
    TAKEN, UNLIMITED, experiments, networks,
};
pub use grid::Grid;
pub use human::{Answer, Human};
pub use load::{load_drawings, load_mislabelled, load_mnist};
pub use lookalikes::{CASE_AND_LOOKALIKES, LOOKALIKES};
pub use official::{OfficialTest, Origin, TOGETHER, TestedFile, TestedNetwork};
pub use readings::{DrawingReadings, FinishedNetwork, Readings};
pub(crate) use result::val_accuracy;
pub use result::{Artefact, Environment, RunResult, SampleHashes};
pub use run::{AVERAGED, COPIES, OTHERS, Trained, accuracy_with};
pub use seeds::Seeds;
pub use setup::{Features, Setup, Split, Trunk};
pub use trials::TrialResult;
