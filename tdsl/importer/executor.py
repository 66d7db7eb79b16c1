"""A model and numbers for some of its tensors -> the numbers of the tensors behind them, in floats.

The outsider that an import is compared with. Each standard node runs in onnxruntime by itself, so
that nothing is fused; quantisers run in qonnx where it is installed, else by the formulas of
`tdsl.importer.formulas`.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from tdsl.importer import formulas
from tdsl.importer.model import Array, OnnxModel, OnnxNode, as_float
from tdsl.importer.parameters import integer_limits, quant_parameters, rounding
from tdsl.refusal import refusal

_GENERAL = "qonnx.custom_op.general"
_IR_VERSION = 10
_RUNTIME: Any = import_module("onnxruntime")
"""It has no types of its own."""


class Executor:
    """Runs the nodes of a model that certain tensors need, one by one."""

    def __init__(self, model: OnnxModel) -> None:
        self.model = model
        self._sessions: dict[str, Any] = {}

    @cached_property
    def described(self) -> str:
        """What computes, with versions."""
        runtime = f"onnxruntime {_RUNTIME.__version__}"
        if not any(node.custom for node in self.model.nodes):
            return runtime
        if _qonnx() is None:
            return f"{runtime}; qonnx is not installed: its operations by their formulas"
        return f"{runtime} and qonnx {version('qonnx')}"

    def run(self, given: Mapping[str, Array], wanted: Iterable[str]) -> dict[str, Array]:
        """All tensors computed on the way from `given` to `wanted`, with these.

        Raises CompileError (E0906) where a node does not run.
        """
        tensors: dict[str, Array] = {**self.model.constants, **given}
        for node in self._needed(set(tensors), set(wanted)):
            inputs = [tensors[name] if name else None for name in node.inputs]
            try:
                results = self._custom(node, inputs) if node.custom else self._plain(node, inputs)
            except Exception as error:
                raise refusal(
                    "E0906",
                    f"`{self.model.file}` cannot be run to compare with: {node.place} fails",
                    note=str(error).strip().splitlines()[0][:300] if str(error).strip() else "",
                    remedy="leave `--verify` out, or export the model again",
                ) from error
            tensors.update(zip((name for name in node.outputs), results, strict=False))
        return tensors

    def _needed(self, known: set[str], wanted: set[str]) -> list[OnnxNode]:
        kept: list[OnnxNode] = []
        missing = wanted - known
        for node in reversed(self.model.nodes):
            if missing & set(node.outputs):
                kept.append(node)
                missing |= {name for name in node.inputs if name} - known
        return kept[::-1]

    def _plain(self, node: OnnxNode, inputs: list[Array | None]) -> list[Array]:
        given = dict(zip(node.inputs, inputs, strict=True))
        feeds = {name: array for name, array in given.items() if array is not None}
        if node.name not in self._sessions:
            self._sessions[node.name] = self._session(node, feeds)
        names = [name for name in node.outputs if name]
        results: list[Array] = self._sessions[node.name].run(names, feeds)
        return results

    def _session(self, node: OnnxNode, feeds: Mapping[str, Array]) -> Any:
        ins = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(a.dtype), None)
            for name, a in feeds.items()
        ]
        outs = [onnx.ValueInfoProto(name=name) for name in node.outputs if name]
        graph = helper.make_graph([_proto(node)], "one", ins, outs)
        opsets = [helper.make_opsetid("", self.model.opset)]
        made = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
        options: Any = _RUNTIME.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        return _RUNTIME.InferenceSession(made.SerializeToString(), options)

    def _custom(self, node: OnnxNode, inputs: list[Array | None]) -> list[Array]:
        given = [np.zeros(0) if one is None else one for one in inputs]
        execute = _qonnx()
        if execute is None:
            return [_by_formula(node, given)]
        proto = _proto(node)
        proto.domain = _GENERAL
        context: dict[str, Any] = dict(zip(node.inputs, given, strict=True))
        versions = {d: v for d, v in self.model.opsets.items() if d == node.domain}
        execute(proto, context, None, _version(node, versions.get(node.domain, 1)))
        return [np.asarray(context[node.outputs[0]], np.float32)]


def _version(node: OnnxNode, stated: int) -> int:
    """`Trunc` is told apart by its inputs: some exporters write the old one under a new version."""
    if node.kind == "Trunc":
        return 2 if len(node.inputs) >= 6 else 1
    return max(1, stated)


def _qonnx() -> Callable[..., None] | None:
    try:
        module = import_module("qonnx.core.execute_custom_node")
    except ImportError:
        return None
    run: Callable[..., None] = module.execute_custom_node
    return run


def _proto(node: OnnxNode) -> onnx.NodeProto:
    attributes: dict[str, Any] = {
        name: numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value
        for name, value in node.attributes.items()
        if not (isinstance(value, tuple) and not value)
    }
    return helper.make_node(
        node.kind, node.inputs, node.outputs, node.name, domain=node.domain, **attributes
    )


def _by_formula(node: OnnxNode, inputs: list[Array]) -> Array:
    x = as_float(inputs[0])
    match node.kind:
        case "Quant" | "IntQuant":
            low, high, mode, scale, zero, two_signs = quant_parameters(node, inputs)
            if two_signs:
                return as_float((formulas.bipolar(x / scale + zero) - zero) * scale)
            return as_float(formulas.quant(x, scale, zero, low, high, mode)[0] - zero) * scale
        case "BipolarQuant":
            return as_float(formulas.bipolar(x)) * as_float(inputs[1])
        case "Trunc":
            return _truncated(node, x, inputs)
        case "MultiThreshold":
            return _counted(node, x, as_float(inputs[1]))
        case _:
            raise ValueError(f"{node.kind} has no formula here")


def _truncated(node: OnnxNode, x: Array, inputs: list[Array]) -> Array:
    scale, zero = as_float(inputs[1]), as_float(inputs[2])
    mode = rounding(node, "FLOOR")
    if len(inputs) < 6:
        divisor = as_float(2.0 ** (as_float(inputs[3]) - as_float(inputs[4])))
        y = formulas.truncated(x, scale, zero, divisor, mode)
        return as_float((formulas.rounded(y, mode) - zero) * scale)
    out_scale = as_float(inputs[4])
    divisor = as_float(2 ** np.round(np.log2(out_scale / scale)))
    bits, signed = int(inputs[5].reshape(())), bool(node.integer("signed", 1))
    limits = integer_limits(bits, signed=signed, narrow=bool(node.integer("narrow", 0)))
    y = formulas.truncated(x, scale, zero, divisor, mode).clip(*limits)
    return as_float((formulas.rounded(y, mode) - zero / divisor) * out_scale)


def _counted(node: OnnxNode, x: Array, thresholds: Array) -> Array:
    layout = node.text("data_layout", "")
    axis = layout.index("C") if "C" in layout else (2 if x.ndim == 3 and not layout else 1)
    last = np.moveaxis(x, axis, -1)[..., None]
    count = np.moveaxis((last >= thresholds).sum(axis=-1), -1, axis)
    return as_float(node.number("out_scale", 1.0) * count + node.number("out_bias", 0.0))
