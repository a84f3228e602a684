"""Inference of an ONNX file. Arguments: `onnxruntime` or `openvino`, and for the latter `f32`, or `auto`
for the precision that it chooses itself. The file is written beside the weights, for tract too."""

import os
import sys
from pathlib import Path

import networks
import onnx
from onnx import TensorProto, helper, numpy_helper

CORES = len(os.sched_getaffinity(0))


def write(name, tensors, path):
    nodes, weights = [], []
    tensors, last = iter(tensors), "images"
    for at, layer in enumerate(networks.layers(name)):
        own = []
        for _ in range(networks.TENSORS.get(layer[0], 0)):
            own.append(f"tensor{len(weights)}")
            weights.append(numpy_helper.from_array(next(tensors), own[-1]))
        kinds = {
            "conv": lambda: ("Conv", {"kernel_shape": [layer[2]] * 2, "pads": [layer[2] // 2] * 4}),
            "norm": lambda: ("BatchNormalization", {"epsilon": 1e-5}),
            "relu": lambda: ("Relu", {}),
            "pool": lambda: ("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2]}),
            "flatten": lambda: ("Flatten", {}),
            "dense": lambda: ("Gemm", {"transB": 1}),
        }
        if layer[0] == "dropout":
            continue
        kind, attributes = kinds[layer[0]]()
        nodes.append(helper.make_node(kind, [last, *own], [f"x{at}"], **attributes))
        last = f"x{at}"
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["N", 1, 28, 28])
    logits = helper.make_tensor_value_info(last, TensorProto.FLOAT, ["N", 10])
    graph = helper.make_graph(nodes, name, [images], [logits], weights)
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), path)


class Network:
    def __init__(self, name):
        self.name = name

    def load(self, tensors):
        path = Path(os.environ["BENCH_ONNX"]) / f"{self.name}.onnx"
        write(self.name, tensors, path)
        self.run = open_with(path)

    def batch(self, images, labels):
        return images, labels

    def logits(self, images):
        return self.run(images)


def with_onnxruntime(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = CORES
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda images: session.run(None, {"images": images})[0]


def with_openvino(path):
    hints = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": CORES}
    if sys.argv[2] != "auto":
        hints["INFERENCE_PRECISION_HINT"] = sys.argv[2]
    model = openvino.Core().compile_model(path, "CPU", hints)
    return lambda images: model(images)[0]


if sys.argv[1] == "openvino":
    import openvino

    open_with, version = with_openvino, openvino.__version__
else:
    import onnxruntime

    open_with, version = with_onnxruntime, onnxruntime.__version__
networks.serve(version, Network)
