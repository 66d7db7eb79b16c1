"""Bands of every height: the images are the same and nothing races, whatever runs ahead."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from tdsl.ir.interpreter import run
from tdsl.lowering import choose
from tdsl_runtime.simulator import Simulator
from tests.builder import Builder, Case
from tests.lowering.races import Detector
from tests.lowering.replay import ADVERSARIES, record, replay, same_outputs
from tests.lowering.test_row_layers import SMALL, packed, stack


def wide() -> Case:
    """Channels enough to leave in groups, and pixels of many planes."""
    b = Builder("wide", seed=5)
    x = b.input("img", "u8", (1, 13, 20))
    return b.case(b.ternarize(b.conv(x, 24, padding=1)))


def tall() -> Case:
    """A band needs lines above and below it that no neighbouring band ends with."""
    b = Builder("tall", seed=6)
    x = b.input("img", "trit", (2, 23, 9))
    return b.case(b.ternarize(b.conv(x, 3, (5, 2), padding=(3, 2, 0, 1), stride=(2, 1))))


@pytest.mark.parametrize("make", [wide, tall, lambda: stack(17, 40)], ids=["wide", "tall", "stack"])
@pytest.mark.parametrize("height", [1, 2, 4, 5, 12])
def test_nothing_races_beside_a_band(
    make: Callable[[], Case], height: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def only(_tallest: int, _any_size: bool) -> Iterator[int]:
        yield height

    monkeypatch.setattr(choose, "heights", only)
    case = make()
    compiled = packed(case, SMALL)
    wanted = run(case.graph, case.arrays, case.inputs)
    outputs = Simulator(compiled.program).run(case.inputs).outputs
    for name, value in wanted.items():
        assert np.array_equal(outputs[name].reshape(value.shape), value)
    trace = record(compiled.program, case.inputs, outputs)
    for who, adversary in ADVERSARIES.items():
        detector = Detector(trace.program)
        assert same_outputs(trace, replay(trace, adversary, detector.watch)), who
        assert detector.hazards == [], who
