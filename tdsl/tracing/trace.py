"""A Python function -> the checked network that it describes: the function runs once."""

from __future__ import annotations

import linecache
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import FunctionType
from typing import cast

from tdsl.diagnostics import CompileError, Diagnostic, Label
from tdsl.frontend.check_blocks import call_block
from tdsl.frontend.check_calls import run_call, run_pipe
from tdsl.frontend.check_files import Program
from tdsl.frontend.check_layouts import Wanted, checked_layouts
from tdsl.frontend.check_results import check_result
from tdsl.frontend.checked import CheckedNetwork
from tdsl.frontend.context import WORDS, Build, Context, FileScope
from tdsl.frontend.graph_builder import GraphBuilder
from tdsl.frontend.operators import OPERATORS
from tdsl.frontend.reports import Rejected, Reports
from tdsl.frontend.stores import Stores
from tdsl.frontend.values import Claim, Truth
from tdsl.frontend.values import Tensor as Value
from tdsl.ir.condition import Condition, Where, condition_text, contradictory
from tdsl.ir.graph import Graph, Output
from tdsl.ir.ops import Input, Kernel
from tdsl.ir.size import Affine, Symbol, symbols_of
from tdsl.source import Span
from tdsl.tracing.annotations import SizeCondition
from tdsl.tracing.python_spelling import in_python
from tdsl.tracing.signatures import Header, Typed, header_of, inputs_of, outputs_of
from tdsl.tracing.source_files import source_texts
from tdsl.tracing.stops import stopped
from tdsl.tracing.stores import OpenStores
from tdsl.tracing.tensors import Tensor
from tdsl.tracing.tracer import Tracer, tracing
from tdsl.tracing.weights import Weights


@dataclass(frozen=True, slots=True)
class Traced:
    """A network without mistakes, and the Python sources that its spans point into."""

    network: CheckedNetwork
    sources: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Declared:
    """A function with what its decorator says."""

    function: FunctionType
    weights: Weights | None = None
    outputs: Mapping[str, object] | None = None
    where: Sequence[object] = ()
    target: str | None = None
    layouts: Mapping[str, str] = field(default_factory=dict[str, str])
    place: Span | None = None
    """The decorator, where it has arguments."""


def trace(declared: Declared, *, require_weights: bool = True) -> Traced:
    """Run the function on tensors that write down its steps.

    Without `require_weights` a weights file that is not there is no mistake. Raises CompileError
    with the mistakes found up to the first that the function cannot go on from.
    """
    linecache.checkcache()
    reports = Reports()
    program = Program(reports, lambda scope: _context(scope, program))
    scope = FileScope(declared.function.__code__.co_filename)
    try:
        network = _network(
            declared, header_of(declared.function), _context(scope, program), program
        )
    except Rejected:
        network = None
    if require_weights and not reports.diagnostics:
        reports.diagnostics.extend(program.missing)
    if reports.diagnostics or network is None:
        found = [in_python(diagnostic) for diagnostic in reports.diagnostics]
        raise CompileError(found, source_texts(found))
    places = [Diagnostic(code="", message="", primary=Label(n.span)) for n in network.graph.nodes]
    return Traced(network, source_texts(places))


def _context(scope: FileScope, program: Program) -> Context:
    return Context(
        file=scope,
        build=Build(Stores(program.files), program.reports, GraphBuilder()),
        run_pipe=run_pipe,
        run_call=run_call,
        call_block=call_block,
    )


def _network(declared: Declared, header: Header, c: Context, program: Program) -> CheckedNetwork:
    _check_name(header, c)
    inputs = inputs_of(header, c)
    stores = OpenStores(program)
    place = declared.place or header.span
    where = _conditions(declared.where, place, c)
    store = None if declared.weights is None else stores.name(declared.weights)
    c = replace(c, build=replace(c.build, where=where, store=store))
    wanted = outputs_of(header, declared.outputs, place, c)
    symbols = _symbols(inputs, where, header, c)
    tracer = Tracer(c, declared.function.__code__, stores)
    for given in inputs:
        c.build.graph.add(given.name, Input(), (), given.type, given.span)
    returned = _called(declared, tracer, inputs)
    if c.build.reports.diagnostics:
        raise Rejected
    results = _results(returned, tracer, header, c)
    outputs = _outputs(results, wanted, header, c)
    _check_names(symbols, header, c, program)
    graph = Graph(
        header.function.__name__,
        symbols,
        tuple(c.build.graph.nodes),
        tuple(
            Output(typed.name, value.node) for typed, value in zip(outputs, results, strict=True)
        ),
        where,
    )
    layouts = [Wanted(name, word, place, place) for name, word in declared.layouts.items()]
    return CheckedNetwork(
        graph=graph,
        arrays=c.build.stores.arrays,
        target=declared.target,
        declared=tuple(typed.type for typed in outputs),
        stores=program.paths,
        layouts=checked_layouts(graph, layouts, c.build.reports),
    )


def _called(declared: Declared, tracer: Tracer, inputs: Sequence[Typed]) -> object:
    """What the function returns for its inputs."""
    tensors = [Tensor(tracer, Value(i, g.type, g.span)) for i, g in enumerate(inputs)]
    try:
        with tracing(tracer):
            return declared.function(*tensors)
    except (Rejected, CompileError):
        raise
    except Exception as error:
        if tracer.context.build.reports.diagnostics:
            raise Rejected from error
        raise stopped(
            "N0112",
            f"the function of network `{declared.function.__name__}` stopped",
            declared.function.__code__.co_filename,
            error,
            "it is called once, with tensors for its inputs",
        ) from error


def _check_name(header: Header, c: Context) -> None:
    name = header.function.__name__
    if name in OPERATORS or name in WORDS:
        raise c.reject(
            "E0204", f"`{name}` is a word of the language", header.span, "choose another name"
        )
    if not name.isidentifier():
        raise c.reject("N0104", "a network is a function with a name", header.span, f"it is {name}")


def _conditions(given: Sequence[object], span: Span, c: Context) -> Where:
    conditions: list[Condition] = []
    for condition in given:
        value = condition.value if isinstance(condition, SizeCondition) else condition
        match value:
            case Claim(claim):
                conditions.append(claim)
            case Truth(True) | True:
                continue
            case Truth(False) | False:
                raise c.reject("E0312", "this condition never holds", span, "it is false")
            case _:
                raise c.reject(
                    "E0315",
                    f"a condition cannot be a Python `{type(value).__name__}`",
                    span,
                    helps=("conditions compare sizes: `where=[H % 4 == 0, W >= 16]`",),
                )
    where = tuple(conditions)
    if contradictory(where):
        raise c.reject(
            "E0312",
            "no size fulfils all of these conditions",
            span,
            notes=(", ".join(map(condition_text, where)),),
        )
    return where


def _symbols(inputs: Sequence[Typed], where: Where, header: Header, c: Context) -> tuple[str, ...]:
    """The free sizes in order of appearance; each has to stand alone in an input's type."""
    alone: list[str] = []
    for given in inputs:
        for size in given.type.shape:
            match size:
                case Affine(terms=((Symbol(name), 1),), constant=0):
                    alone.append(name)
                case _:
                    pass
    used = [size for given in inputs for size in given.type.shape]
    used += [side for left, _, right in where for side in (left, right)]
    for name in sorted(frozenset[str]().union(*map(symbols_of, used))):
        if name not in alone:
            raise c.reject(
                "E0208",
                f"nothing says what `{name}` is",
                header.span,
                "it stands alone in no input's type",
            )
    if not inputs:
        raise c.reject("E0307", f"network `{header.function.__name__}` has no input", header.span)
    return tuple(dict.fromkeys(alone))


def _results(returned: object, tracer: Tracer, header: Header, c: Context) -> list[Value]:
    items = cast(
        "Sequence[object]", returned if isinstance(returned, tuple | list) else (returned,)
    )
    results = [item.value for item in items if isinstance(item, Tensor)]
    if len(results) == len(items) and items:
        return results
    other = next((item for item in items if not isinstance(item, Tensor)), ())
    told = "nothing" if other is None or other == () else f"a Python `{type(other).__name__}`"
    raise c.reject(
        "N0103",
        f"network `{header.function.__name__}` returns {told}",
        header.span,
        "its last line has to return tensors",
        helps=("`return x`, or `return x, y` for two outputs",),
    )


def _outputs(
    results: Sequence[Value], declared: Sequence[Typed] | None, header: Header, c: Context
) -> list[Typed]:
    """The outputs as declared; else `out`, or `out0`, `out1` ..., of the types that they have."""
    if declared is None:
        names = ["out"] if len(results) == 1 else [f"out{i}" for i in range(len(results))]
        return [Typed(n, v.type, v.made) for n, v in zip(names, results, strict=True)]
    if len(declared) != len(results):
        raise c.reject(
            "E0207",
            f"`{header.function.__name__}` declares {_outputs_counted(len(declared))}"
            f" and returns {len(results)}",
            results[0].made,
            "returned here",
            secondary=(Label(declared[0].span, "declared here"),) if declared else (),
        )
    for typed, value in zip(declared, results, strict=True):
        check_result(typed.type, typed.span, value, value.made, c)
    return list(declared)


def _outputs_counted(count: int) -> str:
    return "one output" if count == 1 else f"{count} outputs"


def _check_names(symbols: Sequence[str], header: Header, c: Context, program: Program) -> None:
    """A step may be called like nothing else that a text of this network would declare."""
    kernels = {n.op.program.name for n in c.build.graph.nodes if isinstance(n.op, Kernel)}
    taken = {*symbols, *program.paths, *kernels, header.function.__name__}
    if header.function.__name__ in kernels:
        raise c.reject(
            "E0204",
            f"`{header.function.__name__}` already has a meaning",
            header.span,
            "a kernel of the network has this name",
            helps=("choose a new name for the function",),
        )
    for node in c.build.graph.nodes:
        if node.name in taken:
            raise c.reject(
                "E0204",
                f"`{node.name}` already has a meaning",
                node.span,
                "this step cannot have the name",
                helps=("choose a new name for the variable",),
            )
