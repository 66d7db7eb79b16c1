"""Packed trits: the same images, results and counters as arrays, and what misfits is refused."""

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from tdsl_runtime.errors import MachineError
from tdsl_runtime.packed import PackedTrits, pack_trits, unpack_trits
from tdsl_runtime.simulator import Simulator
from tests.runtime.convolutions import Convolution


@pytest.mark.parametrize("channels", [1, 3, 63, 64, 65, 130])
@pytest.mark.parametrize("width", [1, 5, 64])
def test_packed_trits_are_the_same_trits(channels: int, width: int) -> None:
    image = np.random.default_rng(channels).integers(-1, 2, (channels, 3, width), np.int8)
    packed = pack_trits(image)
    assert packed.shape == image.shape
    assert np.array_equal(unpack_trits(packed), image)


def test_a_line_is_the_channels_of_its_pixels() -> None:
    packed = pack_trits(np.array([[[1, 0]], [[-1, 0]], [[0, -1]]], np.int8))
    assert packed.words.tolist() == [[[0b100011]], [[0b100010]]]


@pytest.mark.parametrize("channels", [1, 17, 64, 65])
@pytest.mark.parametrize("width", [1, 9, 66])
def test_results_and_counters_are_those_of_arrays(channels: int, width: int) -> None:
    case = Convolution(channels=channels, outputs=16, width=width, height=4)
    simulator = Simulator(case.program())
    frame = case.frame(0)
    plain = simulator.run(frame)
    packed = simulator.run_packed({"x": pack_trits(frame["x"])})
    assert np.array_equal(unpack_trits(packed.outputs["y"]), plain.outputs["y"])
    assert packed.counters.differences(plain.counters) == ()


def test_signs_of_zeros_and_bits_behind_a_line_do_not_count() -> None:
    case = Convolution(channels=17, outputs=16, width=9, height=4)
    simulator = Simulator(case.program())
    packed = pack_trits(case.frame(0)["x"])
    noisy = packed.words.copy()
    noisy[1] |= ~noisy[0]
    noisy[0, :, -1] |= np.uint64(1 << 63)
    expected = simulator.run_packed({"x": packed})
    found = simulator.run_packed({"x": PackedTrits(noisy, packed.channels, packed.width)})
    assert np.array_equal(found.outputs["y"].words, expected.outputs["y"].words)
    assert found.counters.differences(expected.counters) == ()


def test_packed_trits_that_misfit_are_refused() -> None:
    case = Convolution(channels=17, outputs=16, width=9, height=4)
    simulator = Simulator(case.program())
    packed = pack_trits(case.frame(0)["x"])
    for wrong in (
        {},
        {"x": packed, "z": packed},
        {"x": PackedTrits(packed.words, 16, 9)},
        {"x": PackedTrits(packed.words[:, :3], 17, 9)},
        {"x": PackedTrits(packed.words[:1], 17, 9)},
        {"x": PackedTrits(cast(Any, packed.words.astype(np.int64)), 17, 9)},
    ):
        with pytest.raises(MachineError):
            simulator.run_packed(wrong)


def test_ports_of_other_values_take_no_packed_trits() -> None:
    program = Convolution(channels=3, outputs=16, width=9, height=4).program()
    wide = replace(program, inputs=(replace(program.inputs[0], low=-2),))
    with pytest.raises(MachineError):
        Simulator(wide).run_packed({"x": pack_trits(np.zeros((3, 4, 9), np.int8))})
