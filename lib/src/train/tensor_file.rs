//! A safetensors file of floating-point numbers, with a text in its header.

use std::{
    collections::HashMap,
    fs::{self, File},
    path::Path,
};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::{Error, Result, data::archive::read_at_most};

/// Most bytes of a file: a network of 23 million weights.
pub(crate) const MAX_BYTES: u64 = 96 << 20;
/// Most bytes of the header: in memory it takes ten times as much.
pub(crate) const MAX_HEADER_BYTES: u64 = 4 << 20;

/// Matrices from this size on are those that [`TensorFile::to_bytes`] rounds to 8 bits.
const LARGE: usize = 1 << 16;
/// Added to the name of such a matrix, the name of its scales, one per row.
const SCALE: &str = ".scale";

pub(crate) const REMEDY: &str = "use a checkpoint of this network, or train it again";

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
    /// Reads a file of at most `max_bytes` whose header has a text under `key`.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read, [`Error::Content`] as for
    /// [`TensorFile::parse`], or where it is larger than any network.
    pub fn read(path: &Path, key: &str, max_bytes: u64) -> Result<Self> {
        let unreadable = |error| Error::io(path, error, "name an existing checkpoint");
        // Opening a pipe would block.
        if !fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err(Error::content(path, "it is not a file", "name a checkpoint"));
        }
        let bytes = File::open(path)
            .and_then(|mut file| read_at_most(&mut file, max_bytes))
            .map_err(unreadable)?
            .ok_or_else(|| {
                let problem = format!("more than {max_bytes} bytes");
                Error::content(path, problem, REMEDY)
            })?;
        Self::parse(path, &bytes, key)
    }

    /// `path` is for errors only.
    ///
    /// # Errors
    /// [`Error::Content`] where the bytes are truncated or not a safetensors file, have no
    /// such text, or have other numbers than [`TensorFile::to_bytes`] writes.
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
        let is_scale = |name: &str| {
            let matrix = name.strip_suffix(SCALE).map(|matrix| file.tensor(matrix));
            matrix.is_some_and(|matrix| matrix.is_ok_and(|matrix| matrix.dtype() == Dtype::I8))
        };
        let tensors = file.iter().filter(|(name, _)| !is_scale(name)).map(|(name, view)| {
            let scales = file.tensor(&format!("{name}{SCALE}")).ok();
            let values = numbers(&view, scales.as_ref()).ok_or_else(|| {
                let wanted = "32-bit floats, or of 8-bit integers with a scale per row";
                damaged(format!("tensor {name} is not of {wanted}"))
            })?;
            Ok(Tensor { name: name.to_string(), shape: view.shape().to_vec(), values })
        });
        Ok(Self { header: header.clone(), tensors: tensors.collect::<Result<_>>()? })
    }

    /// The bytes of a file with `header` under `key`. Where `in_8_bits` is set, each row of a large
    /// matrix is stored as integers from -127 to 127 and their scale.
    ///
    /// # Errors
    /// Why it cannot be written as safetensors.
    pub fn to_bytes(
        tensors: &[Tensor],
        (key, header): (&str, String),
        in_8_bits: bool,
    ) -> Result<Vec<u8>, String> {
        let stored: Vec<Stored> = (tensors.iter())
            .flat_map(|tensor| match tensor.shape[..] {
                [rows, _] if in_8_bits && tensor.values.len() >= LARGE => tensor.in_8_bits(rows),
                _ => {
                    vec![Stored::floats(tensor.name.clone(), tensor.shape.clone(), &tensor.values)]
                }
            })
            .collect();
        let views = stored.iter().map(|Stored { name, shape, dtype, bytes }| {
            let view = TensorView::new(*dtype, shape.clone(), bytes);
            Ok((name, view.map_err(|error| error.to_string())?))
        });
        let views: Vec<_> = views.collect::<Result<_, String>>()?;
        let metadata = HashMap::from([(key.to_string(), header)]);
        safetensors::serialize(views, Some(metadata)).map_err(|error| error.to_string())
    }
}

/// A tensor as a file has it.
struct Stored {
    name: String,
    shape: Vec<usize>,
    dtype: Dtype,
    bytes: Vec<u8>,
}

impl Stored {
    fn floats(name: String, shape: Vec<usize>, values: &[f32]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { name, shape, dtype: Dtype::F32, bytes }
    }
}

impl Tensor {
    /// The integers and the scales.
    fn in_8_bits(&self, rows: usize) -> Vec<Stored> {
        let (mut bytes, mut scales) = (Vec::with_capacity(self.values.len()), Vec::new());
        for row in self.values.chunks(self.values.len() / rows) {
            let largest = row.iter().fold(0.0f32, |most, value| most.max(value.abs()));
            let scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
            bytes.extend(row.iter().map(|value| (value / scale).round() as i8 as u8));
            scales.push(scale);
        }
        let (name, shape) = (self.name.clone(), self.shape.clone());
        let scales = Stored::floats(format!("{name}{SCALE}"), vec![rows], &scales);
        vec![Stored { name, shape, dtype: Dtype::I8, bytes }, scales]
    }
}

/// None where they are of another type.
fn numbers(view: &TensorView, scales: Option<&TensorView>) -> Option<Vec<f32>> {
    let (bytes, shape) = (view.data(), view.shape());
    match view.dtype() {
        Dtype::F32 => {
            let values = bytes.as_chunks().0.iter();
            Some(values.map(|&b| f32::from_le_bytes(b)).collect())
        }
        Dtype::I8 => {
            let scales = scales.filter(|scales| scales.shape() == &shape[..1.min(shape.len())])?;
            let scales = numbers(scales, None)?;
            let rows = bytes.chunks((bytes.len() / scales.len().max(1)).max(1)).zip(scales);
            let scaled = |(row, scale): (&'_ [u8], f32)| -> Vec<f32> {
                row.iter().map(|&byte| f32::from(byte as i8) * scale).collect()
            };
            Some(rows.flat_map(scaled).collect())
        }
        _ => None,
    }
}
