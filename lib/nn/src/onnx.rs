//! A network as an ONNX model, for any runtime that reads it.
//!
//! ONNX is protocol buffers, of which a writer needs two kinds of field (bytes with their length,
//! and whole numbers); field numbers are those of `onnx.proto`
//! (<https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>).

use crate::{Classifier, Error, LayerKind, LayerSpec, Result, TensorRef, plan::EPSILON};

/// Version of the operators' definitions, and of the file format that goes with it.
const OPSET: usize = 17;
const IR_VERSION: usize = 8;
/// The element type `float` of a tensor.
const FLOAT: usize = 1;

/// `model` in evaluation mode as the bytes of an `.onnx` file of opset 17. `metadata` are pairs of
/// key and text for the reader.
///
/// # Shapes
/// Input `images`: `(batch, channels, height, width)`, or `(batch, length)`, as in
/// [`Batch`](crate::Batch); with auxiliary features also `features`: `(batch, features)`. Output
/// `logits`: `(batch, classes)`. Any batch will do. Tensors keep their names.
///
/// # Errors
/// Where a layer is code rather than data: a module on dfdx's tape.
pub fn to_onnx(model: &dyn Classifier, metadata: &[(&str, &str)]) -> Result<Vec<u8>> {
    if model.layers().is_empty() {
        let problem = "the classifier is not made of layers";
        return Err(Error::argument(problem, "export a network of this crate"));
    }
    let mut graph = Graph::default();
    for TensorRef { name, shape, values } in model.tensors() {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let tensor =
            (shape.iter()).fold(Message::default(), |tensor, &size| tensor.number(1, size));
        graph.add(5, tensor.number(2, FLOAT).text(8, &name).bytes(9, &bytes));
    }
    let last = graph.layers(model.layers(), "images".into())?;
    graph.node("Identity", &[&last], "logits", &[]);
    let signature = model.signature();
    let mut graph = graph.message.text(2, "dfdx-conv");
    graph = graph.message(11, value("images", &signature.input.to_vec()));
    if signature.features > 0 {
        graph = graph.message(11, value("features", &[signature.features]));
    }
    graph = graph.message(12, value("logits", &[signature.classes]));

    let mut file = (Message::default().number(1, IR_VERSION))
        .text(2, "dfdx-conv")
        .text(3, env!("CARGO_PKG_VERSION"))
        .message(7, graph)
        .message(8, Message::default().text(1, "").number(2, OPSET));
    for (key, text) in metadata {
        file = file.message(14, Message::default().text(1, key).text(2, text));
    }
    Ok(file.0)
}

#[derive(Default)]
struct Graph {
    message: Message,
    /// How many values were named.
    values: usize,
}

impl Graph {
    fn add(&mut self, field: usize, message: Message) {
        self.message = std::mem::take(&mut self.message).message(field, message);
    }

    /// A name for a value of `layer`. Layers without tensors may share a name; the number does not.
    fn name(&mut self, layer: &LayerSpec) -> String {
        self.values += 1;
        format!("{}.output.{}", layer.name, self.values)
    }

    /// Adds layers that read the value `input`; returns the name of what they give.
    fn layers(&mut self, layers: &[LayerSpec], input: String) -> Result<String> {
        layers.iter().try_fold(input, |input, layer| self.layer(layer, input))
    }

    fn layer(&mut self, layer: &LayerSpec, input: String) -> Result<String> {
        let tensors = layer.tensors.iter().map(|tensor| tensor.name.as_str());
        let inputs: Vec<&str> = [input.as_str()].into_iter().chain(tensors).collect();
        let output = self.name(layer);
        let window = || [ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])];
        match &layer.kind {
            LayerKind::Dropout { .. } => return Ok(input),
            &LayerKind::Conv2d { kernel, stride } => {
                let attributes = [
                    ints("kernel_shape", &[kernel; 2]),
                    ints("strides", &[stride; 2]),
                    ints("pads", &[kernel / 2; 4]),
                ];
                self.node("Conv", &inputs, &output, &attributes);
            }
            LayerKind::BatchNorm2d => {
                let epsilon = [float("epsilon", EPSILON as f32)];
                self.node("BatchNormalization", &inputs, &output, &epsilon);
            }
            LayerKind::ReLU => self.node("Relu", &inputs, &output, &[]),
            LayerKind::MaxPool2d => self.node("MaxPool", &inputs, &output, &window()),
            LayerKind::AvgPool2d => self.node("AveragePool", &inputs, &output, &window()),
            LayerKind::GlobalAvgPool2d => {
                let means = self.name(layer);
                self.node("GlobalAveragePool", &inputs, &means, &[]);
                self.node("Flatten", &[&means], &output, &[]);
            }
            LayerKind::Flatten => self.node("Flatten", &inputs, &output, &[]),
            LayerKind::Linear { features } => {
                let transposed = [int("transB", 1)];
                let mut sum = inputs[..3].to_vec();
                let of_features = self.name(layer);
                if *features > 0 {
                    let of_features_and_bias = ["features", inputs[3], inputs[2]];
                    self.node("Gemm", &of_features_and_bias, &of_features, &transposed);
                    sum[2] = &of_features;
                }
                self.node("Gemm", &sum, &output, &transposed);
            }
            LayerKind::Residual { main, shortcut } => {
                let main = self.layers(main, input.clone())?;
                let shortcut = self.layers(shortcut, input)?;
                self.node("Add", &[&main, &shortcut], &output, &[]);
            }
            LayerKind::OnTape(module) => {
                let problem = format!("layer {}, {}, is code", layer.name, module.name());
                let remedy = "export a network of this crate's own layers";
                return Err(Error::argument(problem, remedy));
            }
        }
        Ok(output)
    }

    fn node(&mut self, operator: &str, inputs: &[&str], output: &str, attributes: &[Message]) {
        let mut node = Message::default();
        for input in inputs {
            node = node.text(1, input);
        }
        node = node.text(2, output).text(3, output).text(4, operator);
        for attribute in attributes {
            node = node.bytes(5, &attribute.0);
        }
        self.add(1, node);
    }
}

/// An input or output: `(batch, sizes)`.
fn value(name: &str, sizes: &[usize]) -> Message {
    let batch = Message::default().text(2, "batch");
    let mut shape = Message::default().message(1, batch);
    for &size in sizes {
        shape = shape.message(1, Message::default().number(1, size));
    }
    let tensor = Message::default().number(1, FLOAT).message(2, shape);
    Message::default().text(1, name).message(2, Message::default().message(1, tensor))
}

fn float(name: &str, value: f32) -> Message {
    let mut attribute = Message::default().text(1, name).number(20, 1);
    attribute.varint(2 << 3 | 5); // field 2, four bytes
    attribute.0.extend(value.to_le_bytes());
    attribute
}

fn int(name: &str, value: usize) -> Message {
    Message::default().text(1, name).number(20, 2).number(3, value)
}

fn ints(name: &str, values: &[usize]) -> Message {
    let attribute = Message::default().text(1, name).number(20, 7);
    values.iter().fold(attribute, |message, &value| message.number(8, value))
}

/// A message of protocol buffers; a field that is given again is one of a list.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn number(mut self, field: usize, value: usize) -> Self {
        self.varint(field << 3);
        self.varint(value);
        self
    }

    fn bytes(mut self, field: usize, bytes: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(bytes.len());
        self.0.extend(bytes);
        self
    }

    fn text(self, field: usize, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    fn message(self, field: usize, message: Self) -> Self {
        self.bytes(field, &message.0)
    }

    /// Seven bits a byte, the lowest first; the eighth says that more follow.
    fn varint(&mut self, mut value: usize) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}
