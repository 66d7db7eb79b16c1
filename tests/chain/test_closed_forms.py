"""Cycles of single layers against closed forms, and never below what the lanes allow.

On `cutie-lanes` a 3x3 layer of C <= 96 trits reads its window from the window register: a line of
W pixels takes one DOT of `latch + first + (W - 1) * each` cycles, where a channel brings
`first = ceil(9 C / rate)` cycles for the first pixel and `each = ceil(3 C / rate)` for every
later one, one group of 96 macros (96 results) at a time. The lines follow each other in the array
without a gap, because the post unit stores one line while the next is summed.
"""

from dataclasses import replace
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdsl_runtime.description import MachineDescription, load_machine
from tdsl_runtime.isa import Opcode, Unit
from tests.builder import Builder, Case
from tests.chain.engines import Chain, chain
from tests.chain.machines import presets

CUTIE = load_machine("cutie-lanes")


def layer(channels: int, out: int, height: int, width: int, kernel: int = 3) -> Case:
    """One convolution of trits with its thresholds."""
    b = Builder("layer")
    x = b.input("img", "trit", (channels, height, width))
    return b.case(b.ternarize(b.conv(x, out, kernel, padding=kernel // 2)))


def array_cycles(channels: int, height: int, width: int) -> int:
    """Busy cycles of the array for a 3x3 layer with more than 48 outputs on `cutie-lanes`."""
    first = -(-9 * channels // CUTIE.channel_trits)
    each = -(-3 * channels // CUTIE.channel_trits)
    return height * (CUTIE.latch_cycles + first + (width - 1) * each)


def compiled(case: Case) -> Chain:
    found = chain(case, CUTIE)
    assert found is not None
    return found


@pytest.mark.parametrize("channels", [64, 96])
@pytest.mark.parametrize("size", [(5, 7), (16, 16), (9, 64)])
def test_the_array_works_as_long_as_the_closed_form_says(
    channels: int, size: tuple[int, int]
) -> None:
    found = compiled(layer(channels, 96, *size))
    assert found.fused.counters.busy[Unit.ARRAY] == array_cycles(channels, *size)


@pytest.mark.parametrize("size", [(16, 16), (32, 64)])
def test_a_layer_takes_hardly_longer_than_its_array(size: tuple[int, int]) -> None:
    """Beside the array: loading two lines at first, and storing the last one."""
    found = compiled(layer(96, 96, *size))
    height, width = size
    line = -(-2 * 96 * width // CUTIE.dma_bits)
    slack = 4 * line + 4 * width + 100
    cycles = found.fused.counters.cycles
    array = array_cycles(96, height, width)
    dma = 2 * height * (line + 1)
    assert max(array, dma) <= cycles <= max(array, dma) + slack


def test_a_pointwise_layer_takes_a_cycle_a_pixel_and_group() -> None:
    found = compiled(layer(96, 96, 8, 40, kernel=1))
    assert found.fused.counters.busy[Unit.ARRAY] == 8 * (CUTIE.latch_cycles + 40)


def test_groups_divide_the_pixels() -> None:
    found = compiled(layer(96, 24, 6, 40, kernel=1))
    dots = [op for op in found.compiled.program.ops if op.opcode is Opcode.DOT]
    assert {op["groups"] * op["segments"] for op in dots} >= {4}
    steps = -(-40 // (dots[0]["groups"] * dots[0]["segments"]))
    assert found.fused.counters.busy[Unit.ARRAY] == 6 * (CUTIE.latch_cycles + steps)


@given(
    channels=st.integers(1, 130),
    out=st.integers(1, 130),
    height=st.integers(1, 9),
    width=st.integers(1, 20),
    kernel=st.sampled_from([1, 3, 5]),
    machine=st.sampled_from(presets()),
)
@settings(max_examples=40, deadline=None)
def test_no_layer_is_faster_than_its_lanes(
    channels: int, out: int, height: int, width: int, kernel: int, machine: MachineDescription
) -> None:
    case = layer(channels, out, height, width, kernel)
    found = chain(case, replace(machine, rows=max(machine.rows, 512)))
    assert found is not None
    macs = sum(
        int((array != 0).any()) * prod(array.shape) * inner(height, width, kernel) // kernel**2
        for array in case.arrays.values()
        if array.ndim == 4
    )
    assert found.fused.counters.cycles * machine.peak_macs >= macs


def inner(height: int, width: int, kernel: int) -> int:
    """Taps inside the image, over all pixels."""
    reach = kernel // 2
    rows = sum(0 <= y + k < height for y in range(height) for k in range(-reach, reach + 1))
    columns = sum(0 <= x + k < width for x in range(width) for k in range(-reach, reach + 1))
    return rows * columns
