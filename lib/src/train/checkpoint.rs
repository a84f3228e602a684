//! Checkpoints: one safetensors file with a network and, on request, its
//! optimiser, with everything needed to resume or to predict.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::architecture::Architecture;
use crate::{
    Error, Result,
    data::{Provenance, Samples, archive::sha256},
    files::write_atomically,
    image::Preprocess,
    nn::{
        Builder, Classifier, DynNetwork, LayerSpec, OptimizerState, TensorRef, char_cnn_layers,
        to_onnx,
    },
    numbers::format_count,
    train::{
        Config, History,
        tensor_file::{MAX_BYTES, MAX_HEADER_BYTES, REMEDY, Tensor, TensorFile},
    },
};

const OPTIMIZER: &str = "optimizer.";
const METADATA: &str = "glyphs";
/// Most bytes of a state to resume from: the weights, at most two moments of each, a header.
const MAX_STATE_BYTES: u64 = 4 * MAX_BYTES;

/// The state of a run after some epoch. Its fields but the tensors are one JSON text in the file's
/// header, in the order in which they stand here: a single key keeps the file's bytes in one order.
/// A checksum of text and tensors follows on a line of its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checkpoint {
    pub config: Config,
    pub history: History,
    /// What it was trained on.
    pub data: Provenance,
    /// Class names in the order of the logits.
    pub classes: Vec<String>,
    /// How the images were preprocessed, if they were.
    pub preprocess: Option<Preprocess>,
    /// Updates made by the optimiser, if its state is kept too.
    step: Option<u64>,
    /// SHA-256 of both parts, in a state that a run resumes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) samples: Option<[String; 2]>,
    /// Absent for the networks of the study, which are known by their tensors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    architecture: Option<Architecture>,
    #[serde(skip)]
    tensors: Vec<Tensor>,
    #[serde(skip)]
    pub(crate) path: PathBuf,
}

impl Checkpoint {
    /// The network's state, without an optimiser's.
    pub fn of(model: &dyn Classifier, config: Config, history: History, train: &Samples) -> Self {
        let tensors = copies("", model.tensors());
        let of_study = study_layers(&tensors, train.classes.len());
        let of_study = of_study.and_then(|l| Architecture::new(l.input(), l.layers()));
        let architecture = Architecture::new(model.signature().input, model.layers());
        Self {
            config,
            history,
            data: train.provenance.clone(),
            classes: train.classes.clone(),
            preprocess: None,
            architecture: architecture.filter(|layers| Some(layers) != of_study.as_ref()),
            tensors,
            step: None,
            samples: None,
            path: PathBuf::new(),
        }
    }

    /// Notes how the images were made, so that new ones can be preprocessed alike.
    pub fn with_preprocess(mut self, preprocess: Preprocess) -> Self {
        self.preprocess = Some(preprocess);
        self
    }

    /// With what a run on `samples` (the hashes of both parts) needs to resume.
    pub(crate) fn with_optimizer(
        mut self,
        optimizer: &OptimizerState,
        samples: [String; 2],
    ) -> Self {
        self.step = Some(optimizer.step);
        self.samples = Some(samples);
        self.tensors.extend(copies(OPTIMIZER, optimizer.tensors()));
        self
    }

    /// The same without what only a resumed run needs: no optimiser, and no times, so
    /// that equal runs give equal files.
    pub fn weights_only(mut self) -> Self {
        self.step = None;
        self.samples = None;
        self.tensors.retain(|t| !t.name.starts_with(OPTIMIZER));
        for epoch in &mut self.history.epochs {
            epoch.seconds = 0.0;
        }
        for point in &mut self.history.curve {
            point.seconds = 0.0;
        }
        self
    }

    /// SHA-256 of the network's tensors alone, in the order of their names, each as name, a zero
    /// byte, and its values (little endian): the same wherever the data lay and whenever it was
    /// trained.
    pub fn weights_sha256(&self) -> String {
        let network = self.tensors.iter().filter(|tensor| !tensor.name.starts_with(OPTIMIZER));
        sha256_of("", network, |tensor| format!("{}\0", tensor.name))
    }

    /// Refuses a network whose checkpoint would not be read back, before it is trained.
    pub(crate) fn check_size(model: &dyn Classifier) -> Result<()> {
        let numbers: usize = model.tensors().iter().map(|tensor| tensor.values.len()).sum();
        let bytes = 4 * numbers as u64 + MAX_HEADER_BYTES;
        if bytes <= MAX_BYTES {
            return Ok(());
        }
        let [bytes, most] = [bytes, MAX_BYTES].map(|bytes| bytes >> 20);
        let problem = format!(
            "a checkpoint of this network may take {bytes} MB, and at most {most} MB are read"
        );
        Err(Error::argument(problem, "train it with `fit`, which keeps none, or make it smaller"))
    }

    /// Writes the file whole or not at all.
    ///
    /// # Errors
    /// [`Error::Content`] where the file would be larger than [`Checkpoint::load`] reads, 96 MiB;
    /// [`Error::Io`] where it cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        write_atomically(path, &self.to_bytes(path, false)?)
    }

    /// As [`Checkpoint::save`], in a quarter of the space: the weights of large dense layers
    /// rounded to 8 bits, with one scale per unit. It is enough to read images; a run resumes only
    /// from 32 bits.
    pub fn save_in_8_bits(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        write_atomically(path, &self.clone().weights_only().to_bytes(path, true)?)
    }

    /// Writes the network as an ONNX model ([`to_onnx`]), which takes pixels from 0 to 1. Names of
    /// classes and the preprocessing are in its metadata, as JSON.
    pub fn export_onnx(&self, path: impl AsRef<Path>) -> Result<()> {
        let metadata = [
            ("classes", serde_json::json!(self.classes).to_string()),
            ("preprocess", serde_json::json!(self.preprocess).to_string()),
        ];
        let metadata = metadata.each_ref().map(|(key, text)| (*key, text.as_str()));
        let onnx = to_onnx(self.network()?.as_ref(), &metadata)?;
        write_atomically(path.as_ref(), &onnx)
    }

    /// Reads a file that [`Checkpoint::save`] wrote.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read, [`Error::Content`] where it is cut short,
    /// damaged, or not a checkpoint of this project.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Self::load_at_most(path.as_ref(), MAX_BYTES)
    }

    /// As [`Checkpoint::load`], of a state that this project has written itself: with the
    /// optimiser's moments it may be larger.
    pub(crate) fn load_state(path: &Path) -> Result<Self> {
        Self::load_at_most(path, MAX_STATE_BYTES)
    }

    fn load_at_most(path: &Path, max_bytes: u64) -> Result<Self> {
        let damaged = |problem: String| Error::content(path, problem, REMEDY);
        let TensorFile { header, tensors } = TensorFile::read(path, METADATA, max_bytes)?;
        let (header, checksum) = match header.rsplit_once('\n') {
            Some((header, checksum)) => (header, Some(checksum)),
            None => (header.as_str(), None),
        };
        if checksum.is_some_and(|checksum| checksum != digest(header, &tensors)) {
            return Err(damaged("its content does not match its checksum".into()));
        }
        let read: Self = serde_json::from_str(header)
            .map_err(|error| damaged(format!("its header cannot be read ({error})")))?;
        // Networks that were published before 2026-12 have none; states always had one.
        if read.step.is_some() && checksum.is_none() {
            return Err(damaged("it has no checksum".into()));
        }
        Ok(Self { tensors, path: path.into(), ..read })
    }

    /// The network that the file holds.
    ///
    /// # Errors
    /// [`Error::Content`] where its layers are not in the file: those of a network with modules
    /// on dfdx's tape are code, and the file does not say which tensors were renamed.
    /// [`Checkpoint::restore`] puts the weights into a new one.
    pub fn network(&self) -> Result<Box<dyn Classifier>> {
        let layers = match &self.architecture {
            Some(architecture) => architecture.builder(),
            None => study_layers(&self.tensors, self.classes.len()),
        };
        let layers = layers.ok_or_else(|| {
            let problem = "it does not say which layers its network is made of";
            let remedy = "make the network in a cell, and let `restore` put the weights into it";
            Error::content(&self.path, problem, remedy)
        })?;
        // Before anything is allocated: the file may ask for any size.
        let tensors = layers.layers().iter().flat_map(LayerSpec::flattened);
        for tensor in tensors.flat_map(|layer| &layer.tensors) {
            self.find(&tensor.name, &tensor.shape)?;
        }
        let mut model = DynNetwork::new(layers, 0)
            .map_err(|error| Error::content(&self.path, error.to_string(), REMEDY))?;
        let (named, classes) = (self.classes.len(), model.num_classes());
        if named != classes {
            let problem = format!("it names {named} classes, and its network has {classes}");
            return Err(Error::content(&self.path, problem, REMEDY));
        }
        self.restore(&mut model)?;
        Ok(Box::new(model))
    }

    /// Puts the weights into `model`.
    ///
    /// # Errors
    /// [`Error::Content`] where a tensor is missing or has another shape; `model` is
    /// then as it was.
    pub fn restore(&self, model: &mut dyn Classifier) -> Result<()> {
        let found = (model.tensors().iter())
            .map(|t| self.find(&t.name, &t.shape))
            .collect::<Result<Vec<_>>>()?;
        for (target, source) in model.tensors_mut().into_iter().zip(found) {
            target.values.copy_from_slice(&source.values);
        }
        Ok(())
    }

    /// Puts back the state of `model`'s optimiser.
    pub(crate) fn restore_optimizer(
        &self,
        optimizer: &mut OptimizerState,
        model: &dyn Classifier,
    ) -> Result<()> {
        let step = self.step.ok_or_else(|| {
            Error::content(&self.path, "it has no optimiser state", "name a .last checkpoint")
        })?;
        let parameters = model.tensors();
        optimizer.reset(step);
        for Tensor { name, shape, values } in &self.tensors {
            let Some(name) = name.strip_prefix(OPTIMIZER) else { continue };
            // E.g. `first.hidden.weight`.
            let parameter = name.split_once('.').map(|(_, parameter)| parameter);
            if !parameters.iter().any(|t| Some(&*t.name) == parameter && t.shape == *shape) {
                let problem = format!("{name} of {shape:?} belongs to no tensor of the network");
                return Err(Error::content(&self.path, problem, REMEDY));
            }
            optimizer.restore(name, shape, values)?;
        }
        Ok(())
    }

    fn find(&self, name: &str, shape: &[usize]) -> Result<&Tensor> {
        let problem = match self.tensors.iter().find(|t| t.name == name) {
            Some(tensor) if tensor.shape == shape => return Ok(tensor),
            Some(Tensor { shape: found, .. }) => {
                format!("tensor {name} has the shape {found:?}, and the network's has {shape:?}")
            }
            None => format!("it has no tensor {name}, which the network has"),
        };
        Err(Error::content(&self.path, problem, REMEDY))
    }

    fn to_bytes(&self, path: &Path, in_8_bits: bool) -> Result<Vec<u8>> {
        let failed = |problem: String| {
            Error::content(path, problem, "this state cannot be written as safetensors")
        };
        let header = serde_json::to_string(self).map_err(|error| failed(error.to_string()))?;
        let with = |header: String| {
            TensorFile::to_bytes(&self.tensors, (METADATA, header), in_8_bits).map_err(failed)
        };
        // Of the numbers that will be read: 8 bits round them.
        let checksum = match in_8_bits {
            true => {
                let rounded = TensorFile::parse(path, &with(header.clone())?, METADATA)?;
                digest(&header, &rounded.tensors)
            }
            false => digest(&header, &self.tensors),
        };
        let bytes = with(format!("{header}\n{checksum}"))?;
        let most = if self.step.is_some() { MAX_STATE_BYTES } else { MAX_BYTES };
        if bytes.len() as u64 > most {
            let [size, most] = [bytes.len(), most as usize].map(format_count);
            let problem =
                format!("this checkpoint takes {size} bytes, and at most {most} bytes are read");
            let remedy = "keep the weights alone, with the network's own `save`";
            return Err(Error::content(path, problem, remedy));
        }
        Ok(bytes)
    }
}

/// Copies, with `prefix` before their names.
fn copies(prefix: &str, tensors: Vec<TensorRef>) -> Vec<Tensor> {
    let copy = |tensor: TensorRef| Tensor {
        name: format!("{prefix}{}", tensor.name),
        shape: tensor.shape,
        values: tensor.values.to_vec(),
    };
    tensors.into_iter().map(copy).collect()
}

/// The checksum of a file: of its header's text and all its tensors.
fn digest(header: &str, tensors: &[Tensor]) -> String {
    sha256_of(header, tensors.iter(), |tensor| format!("{}{:?}", tensor.name, tensor.shape))
}

/// SHA-256 of `header` and of the tensors in the order of their names, each as its label and its
/// values (little endian).
fn sha256_of<'a>(
    header: &str,
    tensors: impl Iterator<Item = &'a Tensor>,
    label: impl Fn(&Tensor) -> String,
) -> String {
    let mut tensors: Vec<&Tensor> = tensors.collect();
    tensors.sort_by_key(|tensor| &tensor.name);
    let tensors = tensors.into_iter().flat_map(|tensor| {
        let values = tensor.values.iter().flat_map(|value| value.to_le_bytes());
        label(tensor).into_bytes().into_iter().chain(values)
    });
    sha256(&header.bytes().chain(tensors).collect::<Vec<u8>>())
}

/// The layers of the study's network that has these tensors, if it is one.
fn study_layers(tensors: &[Tensor], classes: usize) -> Option<Builder> {
    let shape = |name: &str| {
        let tensor = tensors.iter().find(|tensor| tensor.name == name);
        tensor.map(|tensor| tensor.shape.as_slice())
    };
    let &[hidden, _] = shape("hidden.weight")? else {
        return None;
    };
    let features = match shape("features.weight") {
        Some(&[_, features]) => features,
        _ => 0,
    };
    Some(char_cnn_layers(hidden, classes, features))
}

#[cfg(test)]
#[path = "../../tests/unit/checkpoint.rs"]
mod tests;
