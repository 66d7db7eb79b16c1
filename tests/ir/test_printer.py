"""The text of a graph: golden, complete, and different for different graphs."""

from dataclasses import replace

import pytest

from tdsl.ir.graph import Graph, Node, Output
from tdsl.ir.ops import Input, Pool, PoolKind
from tdsl.ir.printer import print_graph
from tdsl.ir.size import symbol
from tdsl.ir.tensor_type import TRIT, TensorType
from tests.conftest import Golden
from tests.networks import named_network, named_networks

SHOWN = (
    "classifier",
    "conv_everything",
    "conv_generated_weights",
    "denoiser",
    "mux_channels",
    "quantize_per_tensor",
    "several_outputs",
    "thermometer_bin",
)


@pytest.mark.parametrize("name", SHOWN)
def test_golden(name: str, golden: Golden) -> None:
    golden("graph", name, print_graph(named_network(name).graph))


def test_symbols_and_conditions_are_shown(golden: Golden) -> None:
    height, width = symbol("H"), symbol("W")
    image = Node("x", Input(), (), TensorType(TRIT, (1, height, width)))
    pooled = TensorType(TRIT, (1, (height - 2) // 2 + 1, (width - 3) // 2 + 1))
    pool = Node("p", Pool(PoolKind.MAX, (2, 3), (2, 2)), (0,), pooled)
    where = ((height % 4, "==", 0), (width, ">=", 16))
    graph = Graph("any_size", ("H", "W"), (image, pool), (Output("o", 1),), where)
    golden("graph", "any_size", print_graph(graph))


def test_texts_differ_where_graphs_differ() -> None:
    graphs = [replace(case.graph, name="n") for case in named_networks()]
    assert len({print_graph(graph) for graph in graphs}) == len(set(graphs))
