"""The free sizes of a network (`H`, `W`) from what is known: `--size`, or the shapes of inputs."""

import re
from collections.abc import Mapping, Sequence

from tdsl.diagnostics import CompileError
from tdsl.images.port import Port, size_text
from tdsl.ir.graph import Graph, Node
from tdsl.ir.ops import Input
from tdsl.ir.size import Affine, Size, Symbol, evaluate, symbols_of
from tdsl.ir.tensor_type import Kind, TensorType
from tdsl.refusal import refusal

Shape = tuple[int, ...]


def input_nodes(graph: Graph) -> list[Node]:
    """The nodes that are inputs of `graph`, in order."""
    return [node for node in graph.nodes if isinstance(node.op, Input)]


def input_ports(graph: Graph) -> list[Port]:
    """The inputs of `graph` as ports; an extent that no size fixes yet is None."""
    return [
        Port(
            node.name,
            tuple(extent if isinstance(extent, int) else None for extent in node.type.shape),
            node.type.element.low,
            node.type.element.high,
            node.type.element.kind is not Kind.BIN,
        )
        for node in input_nodes(graph)
    ]


def output_ports(
    graph: Graph, declared: Sequence[TensorType], sizes: Mapping[str, int]
) -> list[Port]:
    """The outputs of `graph` as ports, with the element types of its header."""
    return [
        Port(
            output.name,
            tuple(evaluate(extent, sizes) for extent in type_.shape),
            type_.element.low,
            type_.element.high,
        )
        for output, type_ in zip(graph.outputs, declared, strict=True)
    ]


def parse_size(text: str) -> tuple[int, int]:
    """`160x120` -> (160, 120), width first. Raises CompileError (E0709)."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})[xX]([1-9][0-9]{0,5})", text.strip())
    if found is None:
        raise refusal(
            "E0709",
            f"`{text}` is not a size",
            remedy="write width x height: --size 160x120",
        )
    return int(found[1]), int(found[2])


def sizes_from_size(graph: Graph, size: tuple[int, int] | None) -> dict[str, int]:
    """The free sizes of `graph` for a first input of `size` (width, height)."""
    first = input_nodes(graph)[0]
    if size is None:
        if graph.symbols:
            raise refusal(
                "E0709",
                f"network `{graph.name}` has the free sizes {', '.join(graph.symbols)}",
                remedy="give them with --size WxH, for example --size 160x120",
            )
        return {}
    if len(first.type.shape) != 3:
        raise refusal(
            "E0709",
            f"input `{first.name}` is {first.type}: it has no width and height",
            remedy="leave --size out",
        )
    width, height = size
    channels = first.type.shape[0]
    shape = (channels if isinstance(channels, int) else 1, height, width)
    return sizes_from_shapes(graph, {first.name: shape})


def sizes_from_shapes(graph: Graph, shapes: Mapping[str, Shape]) -> dict[str, int]:
    """The free sizes of `graph` for inputs of these shapes, its conditions not yet applied.

    Raises CompileError (E0704, E0709).
    """
    given = [(node, shapes[node.name]) for node in input_nodes(graph) if node.name in shapes]
    values: dict[str, int] = {}
    for node, shape in given:
        for extent, size in zip(node.type.shape, shape, strict=False):
            values.update(_solve(extent, size, values))
    for node, shape in given:
        if not _fits(node.type.shape, shape, values):
            raise _misfit(graph, node, shape, values)
    missing = [name for name in graph.symbols if name not in values]
    if missing:
        raise refusal(
            "E0709",
            f"nothing says what {', '.join(missing)} of network `{graph.name}` is",
            note=f"its inputs are {', '.join(f'{n.name}: {n.type}' for n in input_nodes(graph))}",
            remedy="declare an input whose shape is the symbol alone",
        )
    return values


def _solve(extent: Size, given: int, known: Mapping[str, int]) -> dict[str, int]:
    """What `extent == given` says of a symbol not known yet, as near as an integer comes to it."""
    match extent:
        case Affine(terms=((Symbol(name), factor),), constant=constant) if name not in known:
            return {name: max(1, (given - constant) // factor)}
        case _:
            return {}


def _fits(wanted: tuple[Size, ...], given: Shape, values: Mapping[str, int]) -> bool:
    """Whether every extent that is known by now is the one given."""
    return len(wanted) == len(given) and all(
        not symbols_of(extent) <= values.keys() or evaluate(extent, values) == size
        for extent, size in zip(wanted, given, strict=True)
    )


def _misfit(graph: Graph, node: Node, shape: Shape, known: Mapping[str, int]) -> CompileError:
    bound = ", ".join(f"{name} = {value}" for name, value in known.items())
    return refusal(
        "E0704",
        f"the input is {size_text(shape)}, but input `{node.name}` of network `{graph.name}` is "
        f"{node.type}",
        note=f"from the other extents: {bound}" if bound else "",
        remedy=f"give an image that fits {node.type}",
    )
