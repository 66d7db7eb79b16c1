"""Several reductions over one image: each keeps its own accumulators, in the order of stages."""

from dataclasses import replace

import numpy as np
import pytest

from tdsl.compiler import compile_graph
from tdsl.ir import ops
from tdsl.ir.interpreter import run
from tdsl.ir.ops import PoolKind
from tdsl_runtime.description import load_machine
from tdsl_runtime.interpreter import Interpreter
from tests.builder import Builder


@pytest.mark.parametrize("rows", [4, 5, 6, 8, 32])
def test_two_sums_in_one_stage(rows: int) -> None:
    builder = Builder("two", seed=5)
    x = builder.input("img", "trit", (20, 40, 40))
    y = builder.ternarize(builder.conv(x, 20, 3, padding=1))
    first = builder.add(ops.GlobalPool(PoolKind.SUM), x)
    second = builder.add(ops.GlobalPool(PoolKind.SUM), y)
    case = builder.case(first, second)
    small = replace(load_machine("nearmem-1mb"), macro_rows=4, macro_columns=4, rows=rows)
    program = compile_graph(case.graph, case.arrays, small).program
    expected = run(case.graph, case.arrays, case.inputs)
    images = Interpreter(program).run(case.inputs).outputs
    for name, value in expected.items():
        assert np.array_equal(images[name].ravel(), value.ravel()), name
