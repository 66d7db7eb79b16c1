"""Tokens order all that the array and the DMA do to the same rows; and each of them is needed."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdsl.diagnostics import CompileError
from tdsl.lowering.pixels.compile_rows import Candidate, assemble, candidates, compile_rows
from tdsl.lowering.pixels.predict import predict_program
from tdsl.rows.ir import Reduction, RowProgram, RowTotal
from tdsl.rows.meaning import evaluate
from tdsl_runtime.description import MachineDescription
from tdsl_runtime.interpreter import Interpreter
from tdsl_runtime.isa import Opcode
from tests.lowering.pixels.machines import machine, machines
from tests.lowering.pixels.programs import blur
from tests.lowering.pixels.races import hazards
from tests.rows.programs import programs


@settings(max_examples=60, deadline=None)
@given(programs(), st.tuples(st.integers(1, 40), st.integers(1, 90)), machines)
def test_nothing_is_unordered(
    program: RowProgram, size: tuple[int, int], on: MachineDescription
) -> None:
    try:
        compiled = compile_rows(program, *size, on)
    except CompileError:
        return
    assert hazards(compiled) == []


def counted() -> RowProgram:
    """A blurred picture and its sum."""
    found = blur()
    total = RowTotal("total", found.outputs[0].values, Reduction.SUM)
    return replace(found, totals=(total,))


SIZE = (41, 50)
MACHINE = machine(rows=200, macros=4)
WAYS = {candidate.overlap: candidate for candidate in candidates(counted(), *SIZE, MACHINE, True)}
"""A way to work through an image for each kind of overlap."""


@pytest.mark.parametrize("way", WAYS.values(), ids=lambda way: str(way.overlap)[8:-1])
def test_every_overlap_means_the_same_and_needs_its_waits(way: Candidate) -> None:
    assert way.tiling.down > 1
    assert way.tiling.last[0] != way.tiling.layout.lines, "no partial tile"
    compiled = assemble(way.plan(), *SIZE, MACHINE)
    image = {"x": np.random.default_rng(0).integers(0, 256, (1, *SIZE))}
    result = Interpreter(compiled).run(image)
    for name, expected in evaluate(counted(), image).items():
        np.testing.assert_array_equal(result.outputs[name], expected)
    assert predict_program(compiled).differences(result.counters) == ()
    assert hazards(compiled) == []
    for number, op in enumerate(compiled.ops):
        if op.opcode is Opcode.WAIT:
            assert hazards(compiled, without=number), f"WAIT {number} is not needed"
