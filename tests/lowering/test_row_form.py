"""Layers as row programs: the same integers as the graph, and additions that are shared."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tdsl.ir.interpreter import run
from tdsl.lowering.row_form import has_row_form, row_form
from tdsl.lowering.select import select
from tdsl.lowering.shared_sums import Sums, plain_sums, shared_sums
from tdsl.lowering.steps import Array, DotStep, InputStep
from tdsl.rows.meaning import evaluate
from tdsl.rows.verifier import verify_rows
from tests.builder import Builder, Case


def totals(sums: Sums, columns: Array) -> Array:
    """What the sums make of the columns' values."""
    values = [int(value) for value in columns]
    for pair in sums.pairs:
        values.append(values[pair.a] + pair.sign * values[pair.b])
    rows = [sum(sign * values[column] for column, sign in row) for row in sums.rows]
    return np.array(rows, dtype=np.int64)


@given(st.integers(1, 12), st.integers(1, 40), st.integers(0, 1 << 30))
def test_shared_sums_are_the_product_and_never_more_additions(
    rows: int, columns: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    matrix = random.integers(-1, 2, (rows, columns))
    values = random.integers(-9, 10, columns)
    shared, plain = shared_sums(matrix), plain_sums(matrix)
    assert np.array_equal(totals(shared, values), matrix @ values)
    assert np.array_equal(totals(plain, values), matrix @ values)
    assert shared.additions <= plain.additions


def test_equal_rows_are_summed_once() -> None:
    matrix = np.tile(np.array([[1, -1, 0, 1, 1]]), (6, 1))
    assert shared_sums(matrix).additions == 3
    assert plain_sums(matrix).additions == 18


def test_a_random_layer_of_64_by_64_channels_loses_most_of_its_additions() -> None:
    matrix = np.random.default_rng(0).integers(-1, 2, (64, 576))
    assert shared_sums(matrix).additions < 0.4 * plain_sums(matrix).additions


@st.composite
def layers(draw: st.DrawFn) -> Case:
    """One layer on trits or pixels: a convolution, maybe pooling, thresholds or none."""
    b = Builder("layer", draw(st.integers(0, 1000)))
    elements = draw(st.sampled_from(["trit", "u8", "i4", "bin"]))
    groups = draw(st.sampled_from([1, 1, 2]))
    channels = groups * draw(st.integers(1, 4))
    kernel = (draw(st.integers(1, 3)), draw(st.integers(1, 4)))
    dilation = draw(st.sampled_from([1, 1, 2]))
    reach = tuple((k - 1) * dilation + 1 for k in kernel)
    padding = tuple(draw(st.integers(0, 2)) for _ in range(4))
    shape = (reach[0] + draw(st.integers(0, 6)), reach[1] + draw(st.integers(0, 6)))
    x = b.input("img", elements, (channels, *shape))
    pad = draw(st.sampled_from([1, -1])) if elements == "bin" else 0
    stride = (draw(st.integers(1, 2)), draw(st.integers(1, 3)))
    y = b.conv(
        x,
        groups * draw(st.integers(1, 4)),
        kernel,
        stride=stride,
        padding=(padding[0], padding[1], padding[2], padding[3]),
        dilation=dilation,
        groups=groups,
        pad_value=pad,
    )
    if draw(st.booleans()) and min(b.shape(y)[1:]) >= 2:
        y = b.pool(
            y, draw(st.sampled_from(["max", "sum", "avg"])), 2, draw(st.sampled_from([1, 2]))
        )
    match draw(st.sampled_from(["ternarize", "binarize", "step", "quantize", "sums"])):
        case "ternarize":
            y = b.ternarize(y, draw(st.sampled_from(["plain", "tight", "extreme"])))
        case "binarize":
            y = b.binarize(y)
        case "step":
            y = b.step(y)
        case "quantize":
            y = b.quantize(y, "i3")
        case _:
            pass
    return b.case(y)


@settings(deadline=None)
@given(layers(), st.integers(1, 9))
def test_row_programs_compute_the_layer(case: Case, together: int) -> None:
    selection = select(case.graph, case.arrays)
    load, *dots = selection.steps
    assert isinstance(load, InputStep)
    if len(dots) != 1:
        return  # not one layer for the machine: covered where layers are mixed
    (step,) = dots
    assert isinstance(step, DotStep)
    if not has_row_form(step):
        return
    wanted = case_value(case)
    image = {load.out.name: np.stack(list(case.inputs["img"]))}
    for first in range(0, step.out.channels, together):
        outputs = slice(first, min(first + together, step.out.channels))
        program = row_form(step, outputs)
        verify_rows(program)
        found = evaluate(program, image)[step.out.name]
        height, width = wanted.shape[1:]
        assert np.array_equal(found[:, :height, :width], wanted[outputs])


def case_value(case: Case) -> Array:
    """The network's one output, by the graph's own meaning."""
    (value,) = run(case.graph, case.arrays, case.inputs).values()
    return value
