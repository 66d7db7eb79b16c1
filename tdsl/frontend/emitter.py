"""A checked graph -> readable `.tnn` text that is checked to the same graph again."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tdsl.frontend.emitted_calls import changes_nothing, form_of
from tdsl.frontend.emitted_expressions import Piece, Surroundings, Written, write_expressions
from tdsl.frontend.emitted_names import result_names, statement_names
from tdsl.frontend.emitted_types import condition_source, type_text
from tdsl.frontend.formatter import format_source
from tdsl.frontend.names import written_name, written_text
from tdsl.ir.graph import Graph, Node, Output
from tdsl.ir.ops import Input, Kernel, Stored
from tdsl.ir.tensor_type import TensorType
from tdsl.ir.verifier import parameters

_WIDTH = 96
_FAR = 256
"""No statement joins more nodes."""


def emit_tnn(
    graph: Graph,
    declared: Sequence[TensorType],
    stores: Mapping[str, str],
    target: str | None = None,
    about: str = "",
    kernels: Mapping[str, str] | None = None,
    layouts: Mapping[str, str] | None = None,
) -> str:
    """A file with one network, in the standard layout.

    `declared` are the types of the outputs in the header, `stores` the path of each weights file
    by the name that `Stored.store` has, `about` the lines of its documentation, `kernels` the path
    of each file of kernels by the one that `Kernel.file` has, `layouts` the data organisation that
    steps shall have. Checked with the same files the text gives a graph that prints as `graph`
    does, except that operations that change nothing (`upsample(1)`) are left out. The graph's
    inputs have to stand before its other nodes, and no node, symbol, store or kernel may share a
    name with another.
    """
    graph = without_unchanged(graph)
    used = _stores(graph)
    parts = [
        "tnn 1",
        *(f"## {line}".rstrip() for line in about.splitlines()),
        "",
        *_kernels(graph, kernels or {}),
        *(f"weights {written_name(name)} = {written_text(stores[name])}" for name in used),
    ]
    if target is not None:
        parts.append(f"target {_free_name('array', graph, used)} = {written_text(target)}")
    parts += ["", *_network(graph, declared, used), *_schedule(graph, used, layouts or {})]
    return format_source("\n".join(parts) + "\n")


def without_unchanged(graph: Graph) -> Graph:
    """The graph without operations that give their operand back."""
    moved: dict[int, int] = {}
    kept: list[Node] = []
    for position, node in enumerate(graph.nodes):
        inputs = tuple(moved[i] for i in node.inputs)
        if inputs and changes_nothing(node.op, kept[inputs[0]].type):
            moved[position] = inputs[0]
        else:
            moved[position] = len(kept)
            kept.append(replace(node, inputs=inputs))
    outputs = tuple(Output(output.name, moved[output.node]) for output in graph.outputs)
    return replace(graph, nodes=tuple(kept), outputs=outputs)


def _stores(graph: Graph) -> list[str]:
    """The weights files that the graph reads; most parameters come from the first."""
    counted = Counter(
        parameter.store
        for node in graph.nodes
        for parameter in parameters(node.op)
        if isinstance(parameter, Stored)
    )
    return [name for name, _ in counted.most_common()]


def _kernels(graph: Graph, paths: Mapping[str, str]) -> list[str]:
    """The declarations of the kernels that the graph calls."""
    called = {(op.program.name, op.file) for op in kernels_of(graph)}
    return [
        f"kernel {written_name(name)} from {written_text(paths.get(file, file))}"
        for name, file in sorted(called)
    ]


def kernels_of(graph: Graph) -> list[Kernel]:
    """The kernels that a graph calls."""
    return [node.op for node in graph.nodes if isinstance(node.op, Kernel)]


def _schedule(graph: Graph, stores: Sequence[str], layouts: Mapping[str, str]) -> list[str]:
    """The schedule that gives steps their data organisation; none where no step has one."""
    if not layouts:
        return []
    name = _free_name("layouts", graph, stores)
    lines = [
        f"    layout {', '.join(written_name(s) for s in layouts if layouts[s] == word)} as {word}"
        for word in dict.fromkeys(layouts.values())
    ]
    return ["", f"schedule {name} for {written_name(graph.name)} {{", *lines, "}"]


def _free_name(name: str, graph: Graph, stores: Sequence[str]) -> str:
    taken = {node.name for node in graph.nodes} | {graph.name, *graph.symbols, *stores}
    return next(free for free in _numbered(name) if free not in taken)


def _numbered(name: str) -> Iterator[str]:
    number = 1
    while True:
        yield name if number == 1 else f"{name}_{number}"
        number += 1


def _network(graph: Graph, declared: Sequence[TensorType], stores: Sequence[str]) -> list[str]:
    body = [f"    {line}" for line in _Body(graph, stores[0] if stores else "").lines()]
    header = _header(graph, declared, stores)
    if not graph.where:
        *lines, last = header
        return [*lines, f"{last} {{", *body, "}"]
    where = ", ".join(map(condition_source, graph.where))
    return [*header, f"    where {where}", "{", *body, "}"]


def _header(graph: Graph, declared: Sequence[TensorType], stores: Sequence[str]) -> list[str]:
    """The header on one line, or, where it is long, inputs and outputs on their own."""
    symbols = f"[{', '.join(map(written_name, graph.symbols))}]" if graph.symbols else ""
    inputs = ", ".join(
        f"{written_name(node.name)}: {type_text(node.type)}"
        for node in graph.nodes
        if isinstance(node.op, Input)
    )
    outputs = ", ".join(
        _output_name(number, output.name, len(graph.outputs)) + type_text(type_)
        for number, (output, type_) in enumerate(zip(graph.outputs, declared, strict=True))
    )
    source = f" from {written_name(stores[0])}" if stores else ""
    first = f"network {written_name(graph.name)}{symbols}({inputs})"
    second = f"-> {outputs}{source}"
    whole = f"{first} {second}"
    return [whole] if len(whole) <= _WIDTH else [first, f"    {second}"]


def _output_name(number: int, name: str, count: int) -> str:
    left_out = "out" if count == 1 else f"out{number}"
    return "" if name == left_out else f"{written_name(name)}: "


@dataclass(frozen=True, slots=True)
class _Cut:
    """Nodes from `first` up to `end`, written as one statement."""

    end: int
    written: Written


class _Body:
    """The statements of one network, in the order of its nodes."""

    def __init__(self, graph: Graph, store: str) -> None:
        self.nodes = graph.nodes
        self.outputs = [output.node for output in graph.outputs]
        self.store = store
        self.uses = Counter([i for node in graph.nodes for i in node.inputs] + self.outputs)
        self.references: dict[int, str] = {}
        self.names: set[str] = set()
        self.keys: set[str] = set()

    def lines(self) -> Iterator[str]:
        """Yield the lines of the body, without indentation."""
        position = sum(isinstance(node.op, Input) for node in self.nodes)
        self._pass(range(position))
        while position < len(self.nodes):
            results = self._results(position)
            if results is not None:
                yield from _laid_out("return ", results)
                return
            cut = self._longest(position)
            (piece,) = cut.written.pieces.values()
            yield from _laid_out(f"{written_name(self.nodes[cut.end - 1].name)} = ", [piece])
            self.keys |= cut.written.keys
            self._pass(range(position, cut.end))
            position = cut.end
        yield f"return {', '.join(self.references[i] for i in self.outputs)}"

    def _pass(self, positions: range) -> None:
        for i in positions:
            self.names.add(self.nodes[i].name)
            self.references[i] = written_name(self.nodes[i].name)

    def _around(self) -> Surroundings:
        return Surroundings(self.references, self.store, self.keys)

    def _longest(self, first: int) -> _Cut:
        """The longest statement that starts with the node `first`."""
        cuts = (self._statement(first, end) for end in reversed(self._ends(first)))
        return next(cut for cut in cuts if cut is not None)

    def _ends(self, first: int) -> list[int]:
        """Where a statement from `first` on can end: behind nodes whose names begin its own."""
        ends = [first + 1]
        last = first
        while self.uses[last] == 1 and last + 1 < min(len(self.nodes), first + _FAR):
            last += 1
            if self.nodes[first].name.startswith(f"{self.nodes[last].name}."):
                ends.append(last + 1)
        return ends

    def _statement(self, first: int, end: int) -> _Cut | None:
        nodes = self.nodes[first:end]
        names = statement_names(nodes, self.names)
        if names is None:
            return None
        written = write_expressions(first, nodes, names, self._around())
        return _Cut(end, written) if written is not None and len(written.pieces) == 1 else None

    def _results(self, first: int) -> list[Piece] | None:
        """What `return` says where all nodes from `first` on are written behind it."""
        nodes = self.nodes[first:]
        fitting = len(nodes) <= _FAR and all(
            node.name.startswith(form_of(node.op).name) for node in nodes
        )
        names = result_names(nodes, self.names) if fitting else None
        if names is None or any(self.uses[i] != 1 for i in range(first, len(self.nodes))):
            return None
        written = write_expressions(first, nodes, names, self._around())
        inside = [i for i in self.outputs if i >= first]
        stored = {p for node in nodes for p in parameters(node.op) if isinstance(p, Stored)}
        if written is None or list(written.pieces) != inside or len(stored) > len(written.keys):
            return None
        return [
            written.pieces[i] if i >= first else Piece(self.references[i]) for i in self.outputs
        ]


def _laid_out(lead: str, pieces: Sequence[Piece]) -> list[str]:
    """A statement on one line, or, where it is long, each step of its pipeline on its own."""
    line = lead + ", ".join(piece.text for piece in pieces)
    if len(line) <= _WIDTH or len(pieces) > 1 or not pieces[0].steps:
        return [line]
    return [lead + pieces[0].source, *(f"    -> {step}" for step in pieces[0].steps)]
