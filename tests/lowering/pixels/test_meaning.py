"""Row programs compiled to micro-ops: the interpreter gives what the program means."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tdsl.diagnostics import CompileError
from tdsl.lowering.pixels.compile_rows import compile_rows
from tdsl.lowering.pixels.predict import predict_program
from tdsl.lowering.pixels.refusals import MOST_BITS
from tdsl.rows.builder import RowBuilder
from tdsl.rows.ir import (
    Arithmetic,
    Range,
    Reduction,
    Relation,
    RowInput,
    RowOutput,
    RowProgram,
    RowTotal,
)
from tdsl.rows.meaning import evaluate
from tdsl_runtime.description import MachineDescription, load_machine
from tdsl_runtime.description import machines as machines_of_the_package
from tdsl_runtime.interpreter import Interpreter
from tdsl_runtime.simulator import Simulator
from tests.lowering.pixels.machines import machine, machines
from tests.lowering.pixels.programs import blur
from tests.rows.programs import programs

Images = dict[str, NDArray[np.int64]]


def images(program: RowProgram, height: int, width: int, seed: int) -> Images:
    """Images for the inputs of a program."""
    rng = np.random.default_rng(seed)
    return {
        i.name: rng.integers(i.range.low, i.range.high + 1, (i.channels, height, width))
        for i in program.inputs
    }


def check(program: RowProgram, size: tuple[int, int], on: MachineDescription, seed: int) -> None:
    """Compile, run and compare."""
    given = images(program, *size, seed)
    compiled = compile_rows(program, *size, on)
    result = Interpreter(compiled).run(given)
    expected = evaluate(program, given)
    assert result.outputs.keys() == expected.keys()
    for name, image in expected.items():
        np.testing.assert_array_equal(result.outputs[name], image, err_msg=name)
    assert predict_program(compiled).differences(result.counters) == ()
    fast = Simulator(compiled).run(given)
    assert result.counters.differences(fast.counters) == ()
    for name, image in result.outputs.items():
        np.testing.assert_array_equal(fast.outputs[name], image, err_msg=name)


@settings(max_examples=60, deadline=None)
@given(
    programs(),
    st.tuples(st.integers(1, 30), st.integers(1, 70)),
    machines,
    st.booleans(),
    st.integers(0, 99),
)
def test_compiled_programs_mean_what_row_programs_mean(
    program: RowProgram, size: tuple[int, int], on: MachineDescription, counted: bool, seed: int
) -> None:
    if counted:
        chosen = tuple(v for output in program.outputs for v in output.values)
        totals = (RowTotal("s", chosen, Reduction.SUM), RowTotal("t", chosen, Reduction.ANY))
        program = replace(program, totals=totals)
    try:
        check(program, size, on, seed)
    except CompileError as error:
        assume([d.code for d in error.diagnostics] != ["K0112"])
        raise


@pytest.mark.parametrize("width", [1, 63, 64, 65, 127, 128, 129])
def test_sizes_around_words_and_macros(width: int) -> None:
    program = blur()
    for height in (1, 2, 5):
        check(program, (height, width), machine(), 0)


@pytest.mark.parametrize("name", machines_of_the_package())
@pytest.mark.parametrize("size", [(1, 1), (1, 200), (300, 1), (129, 257)])
def test_sizes_on_every_preset(name: str, size: tuple[int, int]) -> None:
    check(blur(), size, load_machine(name), 0)


@pytest.mark.parametrize("name", machines_of_the_package())
def test_full_hd_on_every_preset(name: str) -> None:
    program, size = blur(), (1080, 1920)
    given = images(program, *size, 0)
    found = Simulator(compile_rows(program, *size, load_machine(name))).run(given)
    np.testing.assert_array_equal(found.outputs["y"], evaluate(program, given)["y"])


def test_the_program_is_as_long_for_any_height() -> None:
    lengths = {
        len(compile_rows(blur(), height, 640, load_machine("nearmem-1mb")).ops)
        for height in (480, 481, 1080, 2160)
    }
    assert len(lengths) <= 3, "only the kind of overlap differs"
    assert max(lengths) < 60


def wide_program(draw: Random) -> RowProgram:
    """Products, sums and comparisons of wide values, scaled ones and large constants."""
    low, high = -draw.choice((0, 1, 5, 128, 2000)), draw.choice((1, 3, 255, 1000))
    builder = RowBuilder([RowInput("x", Range(low, high)), RowInput("y", Range(0, 200))])
    x, y = builder.read(0), builder.read(1)
    large = draw.choice(
        (draw.randint(-3000, 3000), draw.randint(-9, 9), 600_000, -700_001, 1 << 18)
    )
    values = [x, y, builder.scale(x, 3), builder.shift(y, 1, -1)]
    others = [*values, *[builder.constant(large)] * 4]
    for _ in range(6):
        a, b = draw.choice(values), draw.choice([*values, *others])
        if draw.random() < 0.5:
            a, b = b, a
        if draw.random() < 0.3:
            made = builder.compare(draw.choice(list(Relation)), a, b, draw.random() < 0.5)
        else:
            made = builder.binary(draw.choice(list(Arithmetic)), a, b)
        if builder.range(made).bits <= MOST_BITS:
            values.append(made)
    outputs = tuple(RowOutput(f"y{v}", (v,), builder.range(v)) for v in sorted({*values[-3:]}))
    return RowProgram("wide", tuple(builder.inputs), tuple(builder.values), outputs)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 30), st.tuples(st.integers(1, 9), st.integers(1, 70)))
def test_wide_values_and_large_constants(seed: int, size: tuple[int, int]) -> None:
    check(wide_program(Random(seed)), size, machine(rows=300), seed)
