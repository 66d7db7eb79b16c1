"""A model -> the graph of its integers, or the report of everything in it that has none.

Every node is looked at before anything is written: a node whose operand was refused is passed
over, every other one is converted or refused with a reason and a suggestion.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from tdsl.importer import (
    convert_layouts,
    convert_pointwise,
    convert_quantisers,
    convert_windows,
)
from tdsl.importer.constants import folded
from tdsl.importer.conversion import (
    MOST_ELEMENTS,
    Conversion,
    NotJudged,
    Port,
    as_output,
    input_name,
)
from tdsl.importer.declared import annotated_limits
from tdsl.importer.emission import STORE, Emission
from tdsl.importer.layouts import laid_out
from tdsl.importer.model import QUANTISER_DOMAINS, OnnxModel, OnnxNode
from tdsl.importer.refusal import Finding, Refusal
from tdsl.importer.value import (
    Const,
    Declared,
    Item,
    Outside,
    Placed,
    Unknown,
    affine,
)

Converter = Callable[[Conversion, OnnxNode], Item | tuple[Item, ...]]

STANDARD: Mapping[str, Converter] = {
    "Add": convert_pointwise.arithmetic,
    "Sub": convert_pointwise.arithmetic,
    "Mul": convert_pointwise.arithmetic,
    "Div": convert_pointwise.arithmetic,
    "Neg": convert_pointwise.negative,
    "BatchNormalization": convert_pointwise.batch_normalization,
    "Relu": convert_pointwise.relu,
    "Clip": convert_pointwise.clip,
    "LeakyRelu": convert_pointwise.leaky_relu,
    "PRelu": convert_pointwise.leaky_relu,
    "Identity": convert_pointwise.unchanged,
    "Dropout": convert_pointwise.unchanged,
    "Cast": convert_pointwise.unchanged,
    "Sign": convert_quantisers.sign,
    "QuantizeLinear": convert_quantisers.quantize_linear,
    "DequantizeLinear": convert_quantisers.dequantize_linear,
    "Conv": convert_windows.conv,
    "Gemm": convert_windows.gemm,
    "MatMul": convert_windows.matmul,
    "MaxPool": convert_windows.max_pool,
    "AveragePool": convert_windows.average_pool,
    "GlobalAveragePool": convert_windows.global_average,
    "GlobalMaxPool": convert_windows.global_max,
    "ReduceMean": convert_windows.global_average,
    "ReduceSum": convert_windows.global_average,
    "Pad": convert_windows.pad,
    "Shape": convert_layouts.shape_of,
    "Reshape": convert_layouts.reshape,
    "Flatten": convert_layouts.reshape,
    "Squeeze": convert_layouts.reshape,
    "Unsqueeze": convert_layouts.reshape,
    "Transpose": convert_layouts.transpose,
    "DepthToSpace": convert_layouts.depth_to_space,
    "Concat": convert_layouts.concat,
    "Slice": convert_layouts.cut,
    "Split": convert_layouts.split,
    "Resize": convert_layouts.resize,
    "Upsample": convert_layouts.resize,
    "ArgMax": convert_layouts.argmax,
    "TopK": convert_layouts.argmax,
}
QUANTISERS: Mapping[str, Converter] = {
    "Quant": convert_quantisers.quant,
    "IntQuant": convert_quantisers.quant,
    "BipolarQuant": convert_quantisers.bipolar_quant,
    "Trunc": convert_quantisers.trunc,
    "MultiThreshold": convert_quantisers.multi_threshold,
}
_REWRITES: Mapping[str, str] = {
    "Softmax": "leave it out: it does not change which score is the largest",
    "LogSoftmax": "leave it out: it does not change which score is the largest",
    "Sigmoid": "leave it out at the end; inside, use a `Quant` in its place",
    "Tanh": "use `Clip` (-1 to 1) and a `Quant` in its place",
    "HardSigmoid": "use `Clip` and a `Quant` in its place",
    "ConvTranspose": "use `Resize` (nearest) and `Conv`, or `Conv` and `DepthToSpace`",
    "FloatQuant": "quantise to integers: `Quant`",
    "QLinearConv": "export as QCDQ: QuantizeLinear, DequantizeLinear around float operations",
    "QLinearMatMul": "export as QCDQ: QuantizeLinear, DequantizeLinear around float operations",
    "ConvInteger": "export as QCDQ: QuantizeLinear, DequantizeLinear around float operations",
    "MatMulInteger": "export as QCDQ: QuantizeLinear, DequantizeLinear around float operations",
    "LSTM": "recurrent networks are not possible; use convolutions",
    "GRU": "recurrent networks are not possible; use convolutions",
    "If": "export the model without control flow",
    "Loop": "export the model without control flow",
    "InstanceNormalization": "use batch normalisation, whose statistics are constants",
    "LayerNormalization": "use batch normalisation, whose statistics are constants",
}
_OTHERWISE = "compute it outside, or with the operations that docs/import.md lists"


@dataclass(slots=True, eq=False)
class Converted:
    """A model without findings, converted; or the findings."""

    state: Conversion
    outputs: list[Port]
    nodes: list[OnnxNode]
    """Those that are no arithmetic of constants."""
    findings: list[Finding]


def convert(
    model: OnnxModel, name: str, declared: Mapping[str, Declared], size: tuple[int, int] | None
) -> Converted:
    """Convert every node into the network `name`.

    `declared` says what inputs hold; `size` is (width, height).
    """
    state = Conversion(model, Emission({name, STORE}))
    findings: list[Finding] = []
    for constant, array in model.constants.items():
        state.items[constant] = Const(array)
    _enter_inputs(state, declared, size, findings)
    touched = [_convert_node(state, node, findings) for node in model.nodes]
    outputs = _leave(state, findings) if not findings else []
    nodes = [node for node in touched if node is not None]
    return Converted(state, outputs, nodes, findings)


def _enter_inputs(
    state: Conversion,
    declared: Mapping[str, Declared],
    size: tuple[int, int] | None,
    findings: list[Finding],
) -> None:
    for one in state.model.inputs:
        try:
            shape = _input_dims(one.dims, size)
            stated = declared.get(one.name) or _annotated(one.annotation)
            state.shapes[one.name] = shape
            state.items[one.name] = Outside(one.name, one.name, shape, stated)
        except Refusal as refusal:
            place = f"input `{one.name}`"
            findings.append(Finding(place, refusal.reason, refusal.rewrite))
            state.items[one.name] = Unknown()


def _input_dims(dims: tuple[int | None, ...], size: tuple[int, int] | None) -> tuple[int, ...]:
    if len(dims) not in (2, 3, 4):
        raise Refusal(
            f"it has {len(dims)} axes", "use (1, channels, height, width) or (1, features)"
        )
    known = [1 if dims[0] is None else dims[0], *dims[1:]]
    if len(dims) == 4 and size is not None:
        known[2] = size[1] if known[2] is None else known[2]
        known[3] = size[0] if known[3] is None else known[3]
    found = [dim for dim in known if dim is not None]
    if len(found) < len(known):
        raise Refusal("its size is left open", "give it: `--size WIDTHxHEIGHT`")
    if found[0] != 1:
        raise Refusal(f"it is a batch of {found[0]}", "export the model for a batch of 1")
    if min(found) < 1:
        raise Refusal(f"its size is {found}", "export the model again")
    if int(np.prod([float(dim) for dim in found])) > MOST_ELEMENTS:
        raise Refusal(f"its size, {found}, is too large", "import the model for smaller images")
    return tuple(found)


def _annotated(annotation: str | None) -> Declared | None:
    limits = annotated_limits(annotation) if annotation else None
    return Declared(*limits, Fraction(1)) if limits else None


def _convert_node(state: Conversion, node: OnnxNode, findings: list[Finding]) -> OnnxNode | None:
    """Convert one node; returns it where it is no mere arithmetic of constants."""
    results: tuple[Item, ...] = ()
    judged = False
    try:
        results, judged = _results(state, node)
    except NotJudged:
        findings += _of_weights(state, node, "")
    except Refusal as refusal:
        findings.append(Finding(node.place, refusal.reason, refusal.rewrite))
        findings += _of_weights(state, node, refusal.reason)
    for position, name in enumerate(node.outputs):
        if name:
            state.items[name] = results[position] if position < len(results) else Unknown()
    return node if judged else None


def _of_weights(state: Conversion, node: OnnxNode, said: str) -> list[Finding]:
    """What stands against a node's weights, whatever its input is."""
    try:
        if not node.custom and node.kind in ("Conv", "Gemm", "MatMul"):
            convert_windows.judge_weights(state, node)
    except Refusal as refusal:
        if refusal.reason != said:
            return [Finding(node.place, refusal.reason, refusal.rewrite)]
    return []


def _results(state: Conversion, node: OnnxNode) -> tuple[tuple[Item, ...], bool]:
    known = [state.items[name] if name else None for name in node.inputs]
    if any(isinstance(item, Unknown) for item in known):
        _converter(node)
        raise NotJudged
    constants = [item for item in known if isinstance(item, Const) or item is None]
    if len(constants) == len(known):
        return (folded(node, constants, state.model.opset),), False
    converter = _converter(node)
    done = converter(state, node)
    return (done if isinstance(done, tuple) else (done,)), True


def _converter(node: OnnxNode) -> Converter:
    if node.custom:
        found = QUANTISERS.get(node.kind) if node.domain in QUANTISER_DOMAINS else None
    else:
        found = STANDARD.get(node.kind)
    if found is None:
        raise Refusal(
            "this operation has no exact counterpart in integers",
            _REWRITES.get(node.kind, _OTHERWISE),
        )
    return found


def _leave(state: Conversion, findings: list[Finding]) -> list[Port]:
    """The outputs of the network: integers that grow with the numbers they stand for."""
    ports: list[Port] = []
    for name in state.model.outputs:
        try:
            ports.append(_output(state, name))
        except NotJudged:
            findings.append(
                Finding(f"output `{name}`", "nothing computes it here", "leave this output out")
            )
        except Refusal as refusal:
            findings.append(Finding(f"output `{name}`", refusal.reason, refusal.rewrite))
    return ports


def _output(state: Conversion, name: str) -> Port:
    item = state.items[name]
    if isinstance(item, Const | Outside):
        raise Refusal("it does not depend on any operation", "leave this output out")
    value = affine(state.settled(item))
    if value.index.size > 1:
        value = laid_out(state.e, value)
    value = as_output(state.e, value)
    assert isinstance(value.source, Placed)
    return Port(
        input_name(name),
        name,
        value.source.node,
        value.scale,
        value.offset,
        value.index,
        int(value.low.min()),
        int(value.high.max()),
    )


def renamed(ports: list[Port], taken: set[str]) -> list[Port]:
    """The ports with names that differ from each other and from `taken`."""
    result: list[Port] = []
    for port in ports:
        name = port.name
        while name in taken:
            name += "_"
        taken.add(name)
        result.append(replace(port, name=name))
    return result
