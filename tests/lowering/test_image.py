"""The memory image read back: weights at their columns, thresholds in their slots, replicas."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tdsl.lowering.image import memory_image, planes
from tdsl.lowering.parallel import thresholds_of
from tdsl.lowering.plan import Plan
from tdsl.lowering.steps import Array, DotStep
from tdsl_runtime.state import trits, unpack
from tests.chain.engines import named_chain
from tests.chain.machines import all_machines
from tests.chain.tight import tight_machines


def plans(name: str, index: int) -> list[Plan]:
    """A network on a machine, and on the same one with hardly enough rows."""
    machine = all_machines()[index]
    found = [named_chain(name, m) for m in (machine, *tight_machines(name, machine))]
    return [one.compiled.plan for one in found if one is not None]


@pytest.mark.parametrize("index", range(len(all_machines())))
@pytest.mark.parametrize("name", ["conv_3x3", "classifier", "mux_channels", "pixel_shuffle"])
def test_weights_stand_where_the_plan_says(name: str, index: int) -> None:
    for plan in plans(name, index):
        image = memory_image(plan)
        for dot in plan.dots.values():
            source, row = (image.data, dot.row) if dot.page is None else (image.external, dot.page)
            share = plan.machine.macros // dot.parallelism.groups
            stretch = plan.machine.columns // dot.parallelism.segments
            for one in dot.passes:
                for piece in one.pieces:
                    found = row_trits(source[row + piece.row])
                    for group in range(dot.parallelism.groups):
                        for segment in range(dot.parallelism.segments):
                            column = piece.column + segment * stretch
                            macro = slice(group * share, group * share + one.count)
                            part = found[macro, column : column + piece.weights.shape[1]]
                            assert np.array_equal(part, piece.weights)
                row += one.rows


def row_trits(words: NDArray[np.uint64]) -> Array:
    """Words `[2, W, M]` as trits `[M, columns]`."""
    bits = unpack(words)
    return trits(bits.transpose(0, 2, 1, 3)).reshape(words.shape[2], -1)


@pytest.mark.parametrize("index", range(len(all_machines())))
@pytest.mark.parametrize("name", ["conv_3x3", "quantize_i3", "classifier", "quantize_per_tensor"])
def test_thresholds_stand_in_their_slots(name: str, index: int) -> None:
    for plan in plans(name, index):
        data = memory_image(plan).data
        slots_a_row = plan.machine.words * 4
        for number, dot in plan.dots.items():
            step = plan.selection.steps[number]
            assert isinstance(step, DotStep)
            table = thresholds_of(step)
            count = table.shape[1]
            for k, one in enumerate(dot.passes):
                for j in range(count):
                    row, slot = divmod(dot.slot + k * count + j, slots_a_row)
                    cell = data[plan.weight_rows + row, (slot // 2) % 2, slot // 4]
                    half = (cell >> np.uint64(32 * (slot % 2))).astype(np.uint32).view(np.int32)
                    first = one.channel if step.shuffle else one.first
                    assert np.array_equal(half[: one.count], table[first : first + one.count, j])


def test_planes_of_trits() -> None:
    row = np.zeros((1, 64, 2), np.int64)
    row[0, 0, 0], row[0, 63, 1] = -1, 1
    words = planes(row)
    assert words.shape == (1, 2, 1, 2)
    assert words[0, :, 0, 0].tolist() == [1, 1]
    assert words[0, :, 0, 1].tolist() == [1 << 63, 0]
