"""Models with something wrong: nodes, attributes, shapes, names, types, sizes, bytes."""

import random

import numpy as np
import onnx
from onnx import numpy_helper

_KINDS = (
    "Relu Conv Gemm MatMul Softmax Quant Trunc MaxPool AveragePool Add Mul Concat Flatten Sub Neg "
    "Resize TopK Clip Pad Split If BipolarQuant GlobalAveragePool Reshape Shape DepthToSpace Sign "
    "Div Slice Transpose"
).split()
_INTEGERS = (-(1 << 63), -1, 0, 1, 2, 3, 5, 8, 100, 1 << 20, 1 << 31, (1 << 63) - 1)
_FLOATS = (0.0, -1.0, float("nan"), float("inf"), 1e30, 1e-30, 7.0)
_TYPES = (
    onnx.AttributeProto.FLOAT,
    onnx.AttributeProto.INT,
    onnx.AttributeProto.STRING,
    onnx.AttributeProto.TENSOR,
    onnx.AttributeProto.GRAPH,
    onnx.AttributeProto.FLOATS,
    onnx.AttributeProto.INTS,
    onnx.AttributeProto.STRINGS,
)
_TEXTS = (b"", b"\xff\xfe", b"FLOOR", b"reflect", b"SAME_UPPER", b"x" * 1000)


def mutant(data: bytes, seed: int) -> bytes:
    """A damaged copy of a model: some bytes, or one to three parts of what it says."""
    choice = random.Random(seed)
    if choice.random() < 0.15:
        return _bytes(bytearray(data), choice)
    model = onnx.ModelProto.FromString(data)
    for _ in range(choice.choice((1, 1, 2, 3))):
        try:
            choice.choice((_nodes, _attributes, _names, _arrays, _structure))(model.graph, choice)
        except (ValueError, IndexError, TypeError, KeyError, AttributeError):
            continue  # what an earlier change has made impossible
    return bytes(model.SerializeToString())


def _bytes(data: bytearray, choice: random.Random) -> bytes:
    if choice.random() < 0.5:
        return bytes(data[: choice.randrange(len(data))])
    for _ in range(choice.randrange(1, 8)):
        data[choice.randrange(len(data))] = choice.randrange(256)
    return bytes(data)


def _nodes(graph: onnx.GraphProto, choice: random.Random) -> None:
    node = choice.choice(graph.node)
    match choice.randrange(5):
        case 0:
            node.op_type = choice.choice(_KINDS)
        case 1:
            graph.node.remove(node)
        case 2:
            graph.node.append(node)
        case 3:
            node.domain = choice.choice(("", "onnx.brevitas", "finn", "ai.onnx.ml", "x"))
        case _:
            del node.input[choice.randrange(len(node.input))]


def _attributes(graph: onnx.GraphProto, choice: random.Random) -> None:
    node = choice.choice([node for node in graph.node if node.attribute])
    one = choice.choice(node.attribute)
    match choice.randrange(4):
        case 0:
            node.attribute.remove(one)
        case 1:
            one.type = choice.choice(_TYPES)
        case _:
            one.i, one.f, one.s = choice.choice(_INTEGERS), choice.choice(_FLOATS), b""
            one.s = choice.choice(_TEXTS)
            if one.ints:
                one.ints[choice.randrange(len(one.ints))] = choice.choice(_INTEGERS)


def _names(graph: onnx.GraphProto, choice: random.Random) -> None:
    everything = [name for node in graph.node for name in (*node.input, *node.output)]
    node, name = choice.choice(graph.node), choice.choice([*everything, "", "nothing"])
    match choice.randrange(4):
        case 0:
            node.input[choice.randrange(len(node.input))] = name
        case 1:
            node.output[0] = name
        case 2:
            node.input.append(name)
        case _:
            graph.output[0].name = name


def _arrays(graph: onnx.GraphProto, choice: random.Random) -> None:
    tensor = choice.choice(graph.initializer)
    match choice.randrange(4):
        case 0:
            tensor.dims.append(choice.choice(_INTEGERS))
        case 1:
            tensor.data_type = choice.randrange(30)
        case 2:
            array = numpy_helper.to_array(tensor).copy()
            values = _FLOATS if array.dtype.kind == "f" else (0, -1, 2, 100, 1 << 40)
            array.flat[choice.randrange(array.size)] = choice.choice(values)
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
        case _:
            array = np.ascontiguousarray(numpy_helper.to_array(tensor).T)
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))


def _structure(graph: onnx.GraphProto, choice: random.Random) -> None:
    node = choice.choice(graph.node)
    match choice.randrange(3):
        case 0:
            node.input[0] = node.output[0]
        case 1:
            one, other = choice.choice(graph.node), onnx.NodeProto()
            other.CopyFrom(node)
            node.CopyFrom(one)
            one.CopyFrom(other)
        case _:
            dims = choice.choice(graph.input).type.tensor_type.shape.dim
            choice.choice(dims).dim_value = choice.choice(_INTEGERS)
