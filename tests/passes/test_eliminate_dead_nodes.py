"""Nodes that nobody needs disappear; inputs and results stay."""

import numpy as np
import pytest

from tdsl.ir import ops
from tdsl.ir.interpreter import run
from tdsl.ir.verifier import verify
from tdsl.passes.eliminate_dead_nodes import eliminate_dead_nodes
from tdsl.passes.pipeline import Model
from tests.builder import Builder
from tests.networks import Case, named_networks


def test_dead_nodes_go_and_inputs_stay() -> None:
    b = Builder()
    unread = b.input("unread", "u8", (1, 4, 4))
    b.step(unread)
    x = b.input("x", "trit", (3, 5, 5))
    b.add(ops.Not(), b.add(ops.Not(), x))
    sums = b.conv(x, 4)
    b.step(sums)
    case = b.case(b.ternarize(sums), sums)
    after = eliminate_dead_nodes(Model(case.graph, case.arrays))
    verify(after.graph)
    assert [node.name for node in after.graph.nodes] == ["unread", "x", "n5", "n7"]
    before = run(case.graph, case.arrays, case.inputs)
    for name, value in run(after.graph, after.arrays, case.inputs).items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize("case", named_networks(), ids=str)
def test_where_nothing_is_dead_nothing_changes(case: Case) -> None:
    model = Model(case.graph, case.arrays)
    assert eliminate_dead_nodes(model) is model
