"""Every operation from Python: the text of a network, spelled in Python, gives the same graph."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings

from tdsl.frontend import syntax
from tdsl.frontend.emitter import emit_tnn, without_unchanged
from tdsl.frontend.operators import OPERATORS
from tdsl.frontend.parser import parse
from tdsl.ir.graph import Graph
from tdsl.ir.printer import print_graph
from tdsl.tracing.python_spelling import spelled
from tests.builder import Case
from tests.frontend.test_emitter import retyped_by_no_shift
from tests.named_networks import named_networks
from tests.random_networks import Budget, random_networks
from tests.tracing.sources import untrained

FUNCTIONS = "".join(
    f"def {name}(x, *arguments, **named):\n    return x.{name}(*arguments, **named)\n"
    for name in OPERATORS
    if name not in ("mux", "concat", "clip")
)
"""A text may also write the operation in front; in Python these functions do."""


def python_twin(graph: Graph) -> str:
    """A Python file with the network that `graph` is."""
    types = [graph.nodes[output.node].type for output in graph.outputs]
    text = emit_tnn(graph, types, {"P": "w.npz"})
    module, mistakes = parse(text, "emitted.tnn")
    assert not mistakes
    (network,) = (d for d in module.declarations if isinstance(d, syntax.Network))
    body = "".join(f"    {_statement(statement)}\n" for statement in network.body)
    inputs = ", ".join(
        f"{p.name.text}: {p.type.element.text}[{', '.join(map(spelled, p.type.sizes))}]"
        for p in network.parameters
        if isinstance(p.type, syntax.TensorType)
    )
    outputs = ", ".join(f'"{o.name}": {graph.nodes[o.node].type}' for o in graph.outputs)
    return (
        f'from tdsl import *\nfrom tdsl import bin\nP = weights("w.npz")\n{FUNCTIONS}\n'
        f"@network(P, outputs={{{outputs}}})\ndef {graph.name}({inputs}):\n{body}"
    )


def _statement(statement: syntax.Statement) -> str:
    match statement:
        case syntax.Assign(targets=(target,), value=value):
            return f"{target.text} = {spelled(value)}"
        case syntax.Return(values=values):
            return f"return {', '.join(map(spelled, values))}"
        case other:
            raise AssertionError(other)


def assert_twin(graph: Graph, folder: Path) -> None:
    graph = replace(without_unchanged(graph), name="net")
    assert print_graph(untrained(python_twin(graph), folder).graph) == print_graph(graph)


@pytest.mark.parametrize("case", named_networks(), ids=str)
def test_every_operation(case: Case, tmp_path: Path) -> None:
    assert_twin(case.graph, tmp_path)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(case=random_networks(budget=Budget(macs=2000, elements=4000)))
def test_random_networks(case: Case, tmp_path: Path) -> None:
    assume(not retyped_by_no_shift(case.graph))
    assert_twin(case.graph, tmp_path)
