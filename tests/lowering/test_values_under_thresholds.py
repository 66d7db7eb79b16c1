"""Comparisons and reductions that other thresholds read: only true sums are fused into a step."""

import dataclasses

import numpy as np
import pytest

from tdsl.compiler import compile_graph
from tdsl.ir import ops
from tdsl.ir.interpreter import run
from tdsl.ir.ops import CompareKind, Constant, PoolKind
from tdsl_runtime.description import load_machine
from tdsl_runtime.interpreter import Interpreter
from tests.builder import Builder

HALF = Constant((0,))
INNER: dict[str, ops.Op] = {
    "equal to a constant": ops.Compare(CompareKind.EQ, 0),
    "less than a constant": ops.Compare(CompareKind.LT, 1),
    "average of four": ops.Pool(PoolKind.AVG, (2, 2), (2, 2)),
    "sum over the image": ops.GlobalPool(PoolKind.SUM),
    "average over the image": ops.GlobalPool(PoolKind.AVG),
    "sum of everything": ops.Sum(),
}
OUTER: dict[str, ops.Op] = {
    "step": ops.Step(HALF),
    "ternarize": ops.Ternarize(Constant((1,)), HALF),
    "less": ops.Compare(CompareKind.LT, 1),
    "at most": ops.Compare(CompareKind.LE, 0),
    "equal": ops.Compare(CompareKind.EQ, 1),
    "other than": ops.Compare(CompareKind.NE, 1),
}


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("outer", OUTER)
def test_a_threshold_reads_the_value_itself(inner: str, outer: str) -> None:
    builder = Builder("nested", seed=7)
    x = builder.input("img", "i3", (3, 8, 6))
    builder.add(OUTER[outer], builder.add(INNER[inner], x))
    case = builder.case()
    machine = dataclasses.replace(load_machine("nearmem-1mb"), thresholds=1023)
    program = compile_graph(case.graph, case.arrays, machine).program
    expected = run(case.graph, case.arrays, case.inputs)["out0"]
    images = Interpreter(program).run(case.inputs).outputs
    assert np.array_equal(images["out0"].reshape(expected.shape), expected)


@pytest.mark.parametrize("kind", list(CompareKind))
def test_a_comparison_of_two_comparisons(kind: CompareKind) -> None:
    builder = Builder("two", seed=3)
    x = builder.input("img", "i3", (2, 5, 7))
    y = builder.input("other", "i3", (2, 5, 7))
    above = builder.add(ops.Compare(CompareKind.GT), x, y)
    same = builder.add(ops.Compare(CompareKind.EQ), x, y)
    builder.add(ops.Compare(kind), above, same)
    case = builder.case()
    program = compile_graph(case.graph, case.arrays, load_machine("cutie-lanes")).program
    expected = run(case.graph, case.arrays, case.inputs)["out0"]
    assert np.array_equal(Interpreter(program).run(case.inputs).outputs["out0"], expected)
