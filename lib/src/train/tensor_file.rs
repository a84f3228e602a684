//! A safetensors file of floating-point numbers, with a text in its header.

use std::{
    fs::{self, File},
    path::Path,
};

use half::bf16;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::{Error, Result, data::archive::read_at_most};

/// Most bytes of a file: the largest network has 38 MB with its optimiser.
const MAX_BYTES: u64 = 96 << 20;
/// Most bytes of the header: in memory it takes ten times as much.
const MAX_HEADER_BYTES: u64 = 4 << 20;

pub(crate) const REMEDY: &str = "take a checkpoint of this network, or train it anew";

/// What a file holds.
#[derive(Clone, Debug)]
pub struct TensorFile {
    /// The text in the header.
    pub header: String,
    pub tensors: Vec<Tensor>,
}

/// An array of numbers, its last axis running fastest.
#[derive(Clone, Debug)]
pub struct Tensor {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

impl TensorFile {
    /// Reads a file whose header has a text under `key`.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read, [`Error::Content`] as for
    /// [`TensorFile::parse`], or where it is larger than any network.
    pub fn read(path: &Path, key: &str) -> Result<Self> {
        let unreadable = |error| Error::io(path, error, "name an existing checkpoint");
        // Opening a pipe would block.
        if !fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err(Error::content(path, "it is not a file", "name a checkpoint"));
        }
        let bytes = File::open(path)
            .and_then(|mut file| read_at_most(&mut file, MAX_BYTES))
            .map_err(unreadable)?
            .ok_or_else(|| {
                let problem = format!("more than {MAX_BYTES} bytes");
                Error::content(path, problem, REMEDY)
            })?;
        Self::parse(path, &bytes, key)
    }

    /// `path` is for errors only.
    ///
    /// # Errors
    /// [`Error::Content`] where the bytes are truncated or not a safetensors file, have no
    /// such text, or have numbers of other sizes than 32 or 16 bits.
    pub fn parse(path: &Path, bytes: &[u8], key: &str) -> Result<Self> {
        let damaged = |problem: String| Error::content(path, problem, REMEDY);
        let header_bytes = bytes.first_chunk().map(|&size| u64::from_le_bytes(size));
        if header_bytes.is_some_and(|size| size > MAX_HEADER_BYTES) {
            return Err(damaged("not a safetensors file (the header is too long)".into()));
        }
        let unreadable = |error| damaged(format!("not a safetensors file ({error})"));
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(unreadable)?;
        let header = metadata.metadata().as_ref().and_then(|map| map.get(key));
        let header = header.ok_or_else(|| damaged("its header does not describe a run".into()))?;
        let file = SafeTensors::deserialize(bytes).map_err(unreadable)?;
        let tensors = file.iter().map(|(name, view)| {
            let values = floats(&view).ok_or_else(|| {
                damaged(format!("tensor {name} is not of 32-bit or 16-bit floats"))
            })?;
            Ok(Tensor { name: name.to_string(), shape: view.shape().to_vec(), values })
        });
        Ok(Self { header: header.clone(), tensors: tensors.collect::<Result<_>>()? })
    }
}

/// None where they are of another type.
fn floats(view: &TensorView) -> Option<Vec<f32>> {
    let bytes = view.data();
    match view.dtype() {
        Dtype::F32 => {
            let values = bytes.as_chunks().0.iter();
            Some(values.map(|&b| f32::from_le_bytes(b)).collect())
        }
        Dtype::BF16 => {
            let values = bytes.as_chunks().0.iter();
            Some(values.map(|&b| bf16::from_le_bytes(b).to_f32()).collect())
        }
        _ => None,
    }
}
