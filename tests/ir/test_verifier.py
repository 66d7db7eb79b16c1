"""The verifier: every test network passes, every way to break one is noticed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from tdsl.ir.graph import Graph, Node, Output
from tdsl.ir.ops import Automaton, Constant, Conv, Input, Pool, PoolKind, Stored, Ternarize
from tdsl.ir.parameters import Integers
from tdsl.ir.size import symbol
from tdsl.ir.tensor_type import TRIT, TensorType, signed
from tdsl.ir.verifier import VerificationError, verify, verify_arrays
from tests.networks import Case, named_network, named_networks, random_networks

CASE = named_network("conv_3x3")
"""img -> n1 = conv -> n2 = ternarize; both are outputs."""


@pytest.mark.parametrize("case", named_networks(), ids=str)
def test_named_networks_are_valid(case: Case) -> None:
    verify(case.graph)
    verify_arrays(case.graph, case.arrays)


@settings(max_examples=50, deadline=None)
@given(random_networks())
def test_random_networks_are_valid(case: Case) -> None:
    verify(case.graph)
    verify_arrays(case.graph, case.arrays)


def test_sizes_may_be_symbols() -> None:
    height = symbol("H")
    image = Node("x", Input(), (), TensorType(TRIT, (1, height, 8)))
    pool = Node("p", Pool(PoolKind.MAX, (2, 2), (2, 2)), (0,), TensorType(TRIT, (1, height, 4)))
    halves = replace(pool, type=TensorType(TRIT, (1, (height - 2) // 2 + 1, 4)))
    verify(Graph("n", ("H",), (image, halves), (Output("o", 1),)))
    with pytest.raises(VerificationError, match="it should be trit"):
        verify(Graph("n", ("H",), (image, pool), (Output("o", 1),)))
    with pytest.raises(VerificationError, match="undeclared sizes"):
        verify(Graph("n", (), (image, halves), (Output("o", 1),)))


def with_node(position: int, change: Callable[[Node], Node]) -> Graph:
    nodes = list(CASE.graph.nodes)
    nodes[position] = change(nodes[position])
    return replace(CASE.graph, nodes=tuple(nodes))


def with_conv(**changes: Any) -> Graph:
    conv = CASE.graph.nodes[1].op
    assert isinstance(conv, Conv)
    return with_node(1, lambda n: replace(n, op=replace(conv, **changes)))


def with_thresholds(lo: Constant | Automaton) -> Graph:
    return with_node(2, lambda n: replace(n, op=Ternarize(lo, Constant((9,)))))


BROKEN: dict[str, tuple[Graph, str]] = {
    "a name twice": (with_node(2, lambda n: replace(n, name="n1")), "two nodes have one name"),
    "reads itself": (with_node(1, lambda n: replace(n, inputs=(1,))), "does not come before"),
    "reads what follows": (with_node(1, lambda n: replace(n, inputs=(2,))), "does not come before"),
    "reads before the start": (with_node(1, lambda n: replace(n, inputs=(-1,))), "not come before"),
    "too few operands": (with_node(1, lambda n: replace(n, inputs=())), "`n1`"),
    "too many operands": (with_node(1, lambda n: replace(n, inputs=(0, 0))), "`n1`"),
    "an input that reads": (with_node(1, lambda n: replace(n, op=Input())), "reads other nodes"),
    "a wider type": (
        with_node(1, lambda n: replace(n, type=TensorType(signed(20), n.type.shape))),
        "it should be",
    ),
    "another shape": (
        with_node(1, lambda n: replace(n, type=TensorType(n.type.element, (8, 9, 10)))),
        "it should be",
    ),
    "weights of another shape": (with_conv(weight=Stored("w", (8, 5, 3, 2))), "do not fit `conv`"),
    "no stride": (with_conv(stride=(0, 1)), "counts below 1"),
    "no dilation": (with_conv(dilation=(1, 0)), "counts below 1"),
    "a border of ones": (with_conv(pad_value=1), "border"),
    "negative padding": (with_conv(padding=(1, 1, 1, -1)), "negative padding"),
    "too few constants": (with_thresholds(Constant((1, 2), (8,))), "2 values for shape"),
    "crossed constants": (with_thresholds(Constant((11,))), "above the upper"),
    "thresholds that are generated": (with_thresholds(Automaton(30, 1, (8,))), "generated"),
    "no output": (replace(CASE.graph, outputs=()), "has no output"),
    "an output twice": (replace(CASE.graph, outputs=(Output("o", 1),) * 2), "two outputs"),
    "an output of nothing": (replace(CASE.graph, outputs=(Output("o", 3),)), "does not exist"),
    "a symbol twice": (replace(CASE.graph, symbols=("H", "H")), "two symbols"),
}


@pytest.mark.parametrize(("graph", "message"), BROKEN.values(), ids=BROKEN)
def test_broken_graphs(graph: Graph, message: str) -> None:
    with pytest.raises(VerificationError, match=message):
        verify(graph)


def changed(name: str, role: str, change: Callable[[Integers], Integers]) -> Case:
    case = named_network(name)
    arrays = {s: change(a) if s.key.endswith(role) else a for s, a in case.arrays.items()}
    return replace(case, arrays=arrays)


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (replace(CASE, arrays={}), "there is no array for"),
        (changed("conv_3x3", ".w", lambda a: a[:, :, :2]), "has shape"),
        (changed("conv_3x3", ".w", lambda a: a + 1), "not all -1, 0 or"),
        (changed("linear", ".w", lambda a: a * 2), "not all -1, 0 or"),
        (changed("conv_3x3", ".lo", lambda a: a + 100), "thresholds cross"),
        (changed("quantize_i3", ".th", np.fliplr), "do not rise"),
    ],
    ids=["missing", "shape", "conv", "linear", "crossed", "falling"],
)
def test_broken_arrays(case: Case, message: str) -> None:
    verify(case.graph)
    with pytest.raises(VerificationError, match=message):
        verify_arrays(case.graph, case.arrays)
