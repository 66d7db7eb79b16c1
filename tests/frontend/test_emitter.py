"""Graph -> text -> the same graph: names, types, operations, parameters, outputs, conditions."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tdsl.diagnostics import CompileError
from tdsl.frontend.checked import CheckedNetwork
from tdsl.frontend.checker import check_module, load
from tdsl.frontend.emitter import emit_tnn, without_unchanged
from tdsl.frontend.formatter import format_source
from tdsl.frontend.parser import parse
from tdsl.ir.condition import Where, contradictory
from tdsl.ir.graph import Graph, Node, Output
from tdsl.ir.ops import Clip, Input, Shift
from tdsl.ir.printer import print_graph
from tdsl.ir.size import Size, symbol
from tdsl.ir.tensor_type import TRIT, TensorType, unsigned
from tdsl.resources import samples_folder
from tests.builder import Case
from tests.named_networks import named_networks
from tests.random_networks import Budget, random_networks

EXAMPLES = sorted((Path(__file__).parent / "examples").glob("*.tnn"))
SAMPLES = sorted(samples_folder().glob("*/*.tnn"))


def checked(text: str) -> CheckedNetwork:
    """The one network of a text, without weights."""
    module, mistakes = parse(text, "emitted.tnn")
    if mistakes:
        raise CompileError(mistakes, {"emitted.tnn": text})
    (network,) = check_module(module, Path(), require_weights=False).networks.values()
    return network


def stores(graph: Graph) -> dict[str, str]:
    """A path for every weights file of a graph."""
    found = (getattr(node.op, f, None) for node in graph.nodes for f in ("weight", "lo", "hi"))
    named = {getattr(parameter, "store", "P") for parameter in found}
    return {name: f"{name}.npz" for name in named}


def retyped_by_no_shift(graph: Graph) -> bool:
    """Whether a shift by 0 makes integers of trits: `x >> 0` is `x` in the language."""
    shifts = (node for node in graph.nodes if node.op == Shift(0))
    return any(node.type != graph.nodes[node.inputs[0]].type for node in shifts)


def exact_types(graph: Graph) -> tuple[TensorType, ...]:
    return tuple(graph.nodes[output.node].type for output in graph.outputs)


def assert_same_again(graph: Graph, declared: tuple[TensorType, ...]) -> str:
    """Emit, check, compare; returns the text."""
    text = emit_tnn(graph, declared, stores(graph))
    assert print_graph(checked(text).graph) == print_graph(without_unchanged(graph))
    assert format_source(text) == text
    return text


def _network_of(case: Case) -> Graph:
    """Cases are called after operations, which a text does not allow."""
    return replace(case.graph, name="net")


@pytest.mark.parametrize("file", SAMPLES + EXAMPLES, ids=lambda file: file.name)
def test_files(file: Path) -> None:
    for network in load(file, require_weights=False).networks.values():
        text = assert_same_again(network.graph, network.declared)
        assert checked(text).declared == network.declared


@pytest.mark.parametrize("case", named_networks(), ids=str)
def test_every_operation(case: Case) -> None:
    assert_same_again(_network_of(case), exact_types(case.graph))


@settings(max_examples=60, deadline=None)
@given(case=random_networks(budget=Budget(macs=2000, elements=4000)))
def test_random_networks(case: Case) -> None:
    assume(not retyped_by_no_shift(case.graph))
    assert_same_again(_network_of(case), exact_types(case.graph))


def test_samples_come_back_as_they_are_written() -> None:
    file = samples_folder() / "denoise" / "denoise.tnn"
    (network,) = load(file, require_weights=False).networks.values()
    lines = emit_tnn(network.graph, network.declared, {"P": "denoise.safetensors"}).splitlines()
    written = [line.partition("#")[0].rstrip() for line in file.read_text("utf-8").splitlines()]
    body = slice(lines.index(next(line for line in lines if "img -> thermometer" in line)), None)
    assert lines[body] == written[-len(lines[body]) :]


@st.composite
def sizes(draw: DrawFn) -> Size:
    """Sums of `H` and `W`, times and over small numbers."""
    size: Size = symbol(draw(st.sampled_from("HW")))
    for _ in range(draw(st.integers(0, 4))):
        number = draw(st.integers(2, 5))
        match draw(st.sampled_from("+-*/")):
            case "+":
                size = size + symbol(draw(st.sampled_from("HW"))) // number
            case "-":
                size = size - number
            case "*":
                size = size * draw(st.sampled_from((-1, number)))
            case _:
                size = size // number
    return size


@settings(max_examples=80, deadline=None)
@given(size=sizes())
def test_sizes_and_conditions(size: Size) -> None:
    h, w = symbol("H"), symbol("W")
    where: Where = ((size, ">=", 1), (h % 6, "==", 4), (size // 3, "!=", w), (h, "<=", 1080))
    assume(not isinstance(size, int) and not contradictory(where))
    image = TensorType(TRIT, (1, h, w))
    odd = TensorType(unsigned(4), (3, size, w))
    nodes = (Node("img", Input(), (), image), Node("odd", Input(), (), odd))
    graph = Graph("net", ("H", "W"), nodes, (Output("out", 1),), where)
    assert_same_again(graph, (odd,))


def test_sizes_called_as_words_of_the_language() -> None:
    h, w = symbol("return"), symbol("u8")
    image = TensorType(TRIT, (1, h, w))
    odd = TensorType(TRIT, (1, (h + 1) // 2, w // 2 * 3 + 1))
    nodes = (Node("img", Input(), (), image), Node("odd", Input(), (), odd))
    where: Where = ((h % 4, "==", 0), (w, ">=", 8))
    graph = Graph("net", ("return", "u8"), nodes, (Output("out", 1),), where)
    text = assert_same_again(graph, (odd,))
    assert "`u8` >= 8" in text


def test_names_that_no_statement_could_have() -> None:
    image = TensorType(unsigned(8), (1, 4, 4))
    names = ("img", "return", "u8", "a b", "m[0].f", "clip")
    nodes = [Node("img", Input(), (), image)]
    for position, name in enumerate(names[1:]):
        element = unsigned(7 - position)
        cut = TensorType(element, image.shape)
        nodes.append(Node(name, Clip(element), (position,), cut))
    graph = Graph("net", (), tuple(nodes), (Output("true", 5), Output("x.y", 3)))
    text = assert_same_again(graph, exact_types(graph))
    assert "`m[0].f` = clip(`a b`, u4)" in text or "`m[0].f` = `a b`" in text


def test_the_organisation_of_steps() -> None:
    text = (
        "tnn 1\nnetwork net(x: trit[4, 8, 8]) -> trit[4, 8, 8] {\n    a = ~x\n    b = a & x\n"
        "    c = (a | b) ^ x\n    return c\n}\n"
        "schedule s for net {\n    layout a, c as pixels\n    layout b, `c.or` as channels\n}\n"
    )
    network = checked(text)
    again = emit_tnn(network.graph, network.declared, {}, layouts=network.layouts)
    assert "layout b, `c.or` as channels" in again
    assert checked(again).layouts == network.layouts
    assert print_graph(checked(again).graph) == print_graph(network.graph)


def test_target_and_documentation() -> None:
    image = TensorType(unsigned(8), (1, 4, 4))
    graph = Graph("net", (), (Node("array", Input(), (), image),), (Output("out", 0),))
    text = emit_tnn(graph, (image,), {}, "csram-128", "Nothing but\npixels.")
    assert text.startswith("tnn 1\n## Nothing but\n## pixels.\n\ntarget array_2 = ")
    assert checked(text).target == "csram-128"
