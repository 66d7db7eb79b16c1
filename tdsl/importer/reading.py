"""The bytes of an ONNX file -> an `OnnxModel`, or the reason why they are none (E0902).

Whatever a file claims is checked before memory is spent on it: sizes against the bytes that are
there, names, order and cycles. Data outside the file is refused.
"""

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from math import prod
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from tdsl.importer.model import Array, Attribute, OnnxInput, OnnxModel, OnnxNode
from tdsl.importer.refusal import unreadable

MOST_BYTES = 1 << 30
MOST_ELEMENTS = 1 << 26
MOST_NODES = 1 << 14

_BITS: Mapping[int, int] = {
    onnx.TensorProto.FLOAT: 32,
    onnx.TensorProto.DOUBLE: 64,
    onnx.TensorProto.FLOAT16: 16,
    onnx.TensorProto.BOOL: 8,
    onnx.TensorProto.INT8: 8,
    onnx.TensorProto.UINT8: 8,
    onnx.TensorProto.INT16: 16,
    onnx.TensorProto.UINT16: 16,
    onnx.TensorProto.INT32: 32,
    onnx.TensorProto.UINT32: 32,
    onnx.TensorProto.INT64: 64,
    onnx.TensorProto.UINT64: 64,
    onnx.TensorProto.INT4: 4,
    onnx.TensorProto.UINT4: 4,
}
"""The element types that are read, with the bits of one element in `raw_data`."""
_DECODE_ERROR: type[Exception] = import_module("google.protobuf.message").DecodeError
_DATATYPE_KEY = "finn_datatype"
"""The key of the annotations in which QONNX keeps integer types."""
_BROKEN = (ValueError, TypeError, IndexError, OverflowError, AttributeError, MemoryError, KeyError)
"""What the decoding of a damaged tensor raises."""


class _Unreadable(Exception):
    """Why the file is no model."""


def read_model(path: Path) -> OnnxModel:
    """Read and validate a file. Raises CompileError (E0902)."""
    file = path.name
    try:
        if not path.is_file():
            raise unreadable(file, "there is no such file", "check the path")
        if path.stat().st_size > MOST_BYTES:
            raise unreadable(
                file, f"it is larger than {MOST_BYTES >> 20} MiB", "import a smaller model"
            )
        data = path.read_bytes()
    except OSError as error:
        raise unreadable(
            file, error.strerror or str(error), "check that you may read it"
        ) from error
    return parse_model(data, file)


def parse_model(data: bytes, file: str) -> OnnxModel:
    """Decode and validate the bytes of a file. Raises CompileError (E0902)."""
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(data)
    except (_DECODE_ERROR, RuntimeError) as error:
        raise unreadable(file, "its bytes are damaged, cut short, or of another format") from error
    try:
        return _model(proto, file)
    except _Unreadable as error:
        raise unreadable(file, str(error)) from error
    except UnicodeDecodeError as error:
        raise unreadable(file, "a name in it is no text") from error


def _model(proto: onnx.ModelProto, file: str) -> OnnxModel:
    graph = proto.graph
    if not graph.node or not graph.output:
        raise _Unreadable("it holds no network")
    if len(graph.node) > MOST_NODES:
        raise _Unreadable(f"it has {len(graph.node)} nodes; {MOST_NODES} are the most")
    if graph.sparse_initializer:
        raise _Unreadable("it holds sparse arrays")
    constants: dict[str, Array] = {}
    for tensor in graph.initializer:
        if tensor.name in constants:
            raise _Unreadable(f"two arrays are named `{tensor.name}`")
        constants[tensor.name] = _array(tensor, tensor.name)
    inputs = tuple(_inputs(graph, constants))
    nodes = _named([_node(node) for node in graph.node])
    known = {*constants, *(one.name for one in inputs)}
    ordered = _in_order(nodes, known)
    outputs = tuple(one.name for one in graph.output)
    made = known.union(*(node.outputs for node in ordered))
    for name in outputs:
        if name not in made:
            raise _Unreadable(f"no node makes its output `{name}`")
    opsets = {one.domain: int(one.version) for one in proto.opset_import}
    return OnnxModel(file, ordered, constants, inputs, outputs, opsets)


def _inputs(graph: onnx.GraphProto, constants: dict[str, Array]) -> Iterator[OnnxInput]:
    """The true inputs: older exporters list the constants among them."""
    annotations = {
        one.tensor_name: pair.value
        for one in graph.quantization_annotation
        for pair in one.quant_parameter_tensor_names
        if pair.key == _DATATYPE_KEY
    }
    seen: set[str] = set()
    for one in graph.input:
        if one.name in constants:
            continue
        if one.name in seen:
            raise _Unreadable(f"two inputs are named `{one.name}`")
        seen.add(one.name)
        dims = tuple(
            int(dim.dim_value) if dim.HasField("dim_value") else None
            for dim in one.type.tensor_type.shape.dim
        )
        if any(dim is not None and dim < 0 for dim in dims):
            raise _Unreadable(f"its input `{one.name}` has a negative size")
        yield OnnxInput(one.name, dims, annotations.get(one.name))


def _node(proto: onnx.NodeProto) -> OnnxNode:
    texts: list[object] = [proto.name, proto.op_type, proto.domain, *proto.input, *proto.output]
    if not all(isinstance(text, str) for text in texts):
        raise _Unreadable("a name in it is no text")
    attributes: dict[str, Attribute] = {}
    for attribute in proto.attribute:
        value = _attribute(attribute)
        if value is not None:
            attributes[attribute.name] = value
    return OnnxNode(
        proto.name,
        proto.op_type,
        proto.domain,
        tuple(proto.input),
        tuple(proto.output),
        attributes,
    )


def _attribute(proto: onnx.AttributeProto) -> Attribute | None:
    """The value of an attribute; None for kinds that no operation here has."""
    match proto.type:
        case onnx.AttributeProto.INT:
            return int(proto.i)
        case onnx.AttributeProto.FLOAT:
            return float(proto.f)
        case onnx.AttributeProto.STRING:
            return proto.s.decode("utf-8", "replace")
        case onnx.AttributeProto.INTS:
            return tuple(int(item) for item in proto.ints)
        case onnx.AttributeProto.FLOATS:
            return tuple(float(item) for item in proto.floats)
        case onnx.AttributeProto.TENSOR:
            return _array(proto.t, proto.name)
        case _:
            return None


def _array(tensor: onnx.TensorProto, name: str) -> Array:
    if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
        raise _Unreadable(
            f"array `{name}` lies in another file; save the model with its data inside"
        )
    bits = _BITS.get(tensor.data_type)
    if bits is None:
        raise _Unreadable(f"array `{name}` has an element type that is not read")
    if any(dim < 0 for dim in tensor.dims):
        raise _Unreadable(f"array `{name}` has a negative size")
    count = prod(tensor.dims)
    if count > MOST_ELEMENTS:
        raise _Unreadable(f"array `{name}` claims {count} elements; {MOST_ELEMENTS} are the most")
    if tensor.HasField("raw_data") and len(tensor.raw_data) != -(-count * bits // 8):
        raise _Unreadable(f"array `{name}` does not have the size it states")
    try:
        array: Array = numpy_helper.to_array(tensor)
        return array.astype(np.int8) if bits == 4 else array
    except _BROKEN as error:
        raise _Unreadable(f"array `{name}` does not have the size it states") from error


def _named(nodes: list[OnnxNode]) -> list[OnnxNode]:
    """Every node with a name of its own: exporters leave names out, or use one twice."""
    taken: set[str] = set()
    named: list[OnnxNode] = []
    for position, node in enumerate(nodes):
        name = node.name or f"{node.kind}_{position}"
        while name in taken:
            name += "_"
        taken.add(name)
        named.append(
            OnnxNode(name, node.kind, node.domain, node.inputs, node.outputs, node.attributes)
        )
    return named


def _in_order(nodes: list[OnnxNode], known: Iterable[str]) -> tuple[OnnxNode, ...]:
    """The nodes so that each tensor is made before it is used."""
    maker: dict[str, int] = {}
    ready = {"", *known}
    for position, node in enumerate(nodes):
        for name in node.outputs:
            if name and (name in maker or name in ready):
                raise _Unreadable(f"tensor `{name}` is made twice")
            maker[name] = position
    waiting: list[set[int]] = []
    users: dict[int, list[int]] = {}
    for position, node in enumerate(nodes):
        needed: set[int] = set()
        for name in node.inputs:
            if name not in ready and name not in maker:
                raise _Unreadable(f"{node.place} reads `{name}`, which nothing makes")
            if name in maker and name not in ready:
                needed.add(maker[name])
                users.setdefault(maker[name], []).append(position)
        waiting.append(needed)
    order = [position for position, needed in enumerate(waiting) if not needed]
    for position in order:
        for user in users.get(position, []):
            if position in waiting[user]:
                waiting[user].discard(position)
                if not waiting[user]:
                    order.append(user)
    if len(order) < len(nodes):
        stuck = next(nodes[i] for i, needed in enumerate(waiting) if needed)
        raise _Unreadable(f"its nodes form a cycle, through {stuck.place}")
    return tuple(nodes[position] for position in order)
