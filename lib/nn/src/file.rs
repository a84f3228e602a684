//! A network's tensors as a safetensors file.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    process,
};

use safetensors::{Dtype, SafeTensorError, SafeTensors, serialize, tensor::TensorView};

use crate::{Classifier, DynNetwork, Error, Result};

impl DynNetwork {
    /// Writes all parameters and running statistics to a safetensors file, under their names. The
    /// file is written whole or not at all. Which layers are frozen is not saved.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let tensors = self.tensors().into_iter().map(|tensor| {
            let values = tensor.values.iter().flat_map(|value| value.to_le_bytes());
            (tensor.name, tensor.shape, values.collect::<Vec<u8>>())
        });
        let tensors: Vec<_> = tensors.collect();
        let unfinished = path.with_added_extension(format!("{}.part", process::id()));
        let write = || -> Result<(), Box<dyn std::error::Error>> {
            let views = tensors.iter().map(|(name, shape, bytes)| {
                Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?))
            });
            let views = views.collect::<Result<Vec<_>, SafeTensorError>>()?;
            let mut file = File::create(&unfinished)?;
            file.write_all(&serialize(views, None)?)?;
            file.sync_all()?;
            Ok(fs::rename(&unfinished, path)?)
        };
        write().map_err(|error| {
            let _ = fs::remove_file(&unfinished);
            of_file(path, "name a file in a folder that can be written to")(error)
        })
    }

    /// Takes all parameters and running statistics from a safetensors file.
    ///
    /// # Errors
    /// [`Error::File`] where it cannot be read, or lacks a tensor of this network or has it in
    /// another shape; the network stays as it is then.
    pub fn load(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(of_file(path, REMEDY))?;
        let file = SafeTensors::deserialize(&bytes).map_err(of_file(path, REMEDY))?;
        let mut found = Vec::new();
        for tensor in self.tensors() {
            let view = file.tensor(&tensor.name).map_err(of_file(path, REMEDY))?;
            if view.dtype() != Dtype::F32 || view.shape() != tensor.shape {
                let (name, shape) = (&tensor.name, &tensor.shape);
                let problem = format!(
                    "{name} is {:?} {:?}, and F32 {shape:?} in this network",
                    view.dtype(),
                    view.shape()
                );
                return Err(of_file(path, REMEDY)(problem));
            }
            found.push(view.data().as_chunks::<4>().0.to_vec());
        }
        for (tensor, values) in self.tensors_mut().into_iter().zip(found) {
            for (to, bytes) in tensor.values.iter_mut().zip(values) {
                *to = f32::from_le_bytes(bytes);
            }
        }
        Ok(())
    }
}

const REMEDY: &str = "name a file of this network";

fn of_file<E: ToString>(path: &Path, remedy: &str) -> impl Fn(E) -> Error {
    move |problem| Error::File {
        path: path.into(),
        problem: problem.to_string(),
        remedy: remedy.into(),
    }
}
