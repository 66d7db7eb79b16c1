"""An ONNX file -> a network of exact integers with all that was decided on the way."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

import numpy as np

from tdsl.importer.became import Became, became
from tdsl.importer.conversion import Conversion, Folded, Port, input_name
from tdsl.importer.convert import convert, renamed
from tdsl.importer.model import OnnxModel
from tdsl.importer.refusal import legality_report
from tdsl.importer.value import Declared, Placed, Value
from tdsl.ir.graph import Graph
from tdsl.ir.parameters import Arrays
from tdsl.refusal import refusal


@dataclass(frozen=True, slots=True, eq=False)
class Imported:
    """A network, its arrays, and what its integers stand for."""

    model: OnnxModel
    graph: Graph
    arrays: Arrays
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    became: tuple[Became, ...]
    folds: tuple[Folded, ...]
    shapes: Mapping[str, tuple[int, ...]]
    """Of the file's inputs."""
    tensors: tuple[Port, ...]
    """Tensors of the file that nodes of the graph hold, in the file's order."""


def import_model(
    model: OnnxModel,
    name: str,
    declared: Mapping[str | None, Declared] | None = None,
    size: tuple[int, int] | None = None,
) -> Imported:
    """Convert a model into the network `name`.

    `declared` says what inputs hold, by name, or None for all of them; `size` (width, height) fills
    in sizes that the file leaves open. Raises CompileError: E0903 with every node that has no
    exact counterpart, E0904 for a declaration of no input.
    """
    with np.errstate(all="ignore"):  # what overflows is refused where it is used
        converted = convert(model, name, _by_input(model, declared or {}), size)
    findings = converted.findings
    if findings:
        raise legality_report(model.file, findings, len(model.nodes))
    state = converted.state
    ports = renamed(converted.outputs, state.e.taken | {node.name for node in state.e.nodes})
    graph, moved = state.e.graph(name, [(port.name, port.node) for port in ports])
    names = {old: graph.nodes[new].name for old, new in moved.items()}
    return Imported(
        model,
        graph,
        dict(state.e.arrays),
        tuple(replace(port, node=moved[port.node]) for port in state.inputs.values()),
        tuple(replace(port, node=moved[port.node]) for port in ports),
        tuple(became(state, converted.nodes, names)),
        tuple(replace(f, node=moved[f.node]) for f in state.folds if f.node in moved),
        state.shapes,
        tuple(_held(state, moved)),
    )


def _held(state: Conversion, places: Mapping[int, int]) -> Iterator[Port]:
    for node in state.model.nodes:
        for tensor in node.outputs:
            item = state.items.get(tensor)
            if not isinstance(item, Value) or not isinstance(item.source, Placed) or item.steps:
                continue
            place = places.get(item.source.node)
            whole = item.index.size == prod(item.shape)
            if place is not None and whole:
                low, high = int(item.low.min()), int(item.high.max())
                yield Port(tensor, tensor, place, item.scale, item.offset, item.index, low, high)


def network_name(path: Path) -> str:
    """The name of the network, the `.tnn` and the weights file: that of the model's file."""
    return input_name(path.stem)


def _by_input(model: OnnxModel, declared: Mapping[str | None, Declared]) -> dict[str, Declared]:
    names = [one.name for one in model.inputs]
    for name in declared:
        if name is not None and name not in names:
            raise refusal(
                "E0904",
                f"`{model.file}` has no input `{name}`",
                note=f"its inputs are {', '.join(f'`{one}`' for one in names)}",
                remedy="name one of these",
            )
    found = {name: declared.get(name, declared.get(None)) for name in names}
    return {name: one for name, one in found.items() if one is not None}
