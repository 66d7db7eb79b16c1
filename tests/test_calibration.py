"""docs/calibration.md holds what the program gives, and the program stays near its bound."""

import pytest

from benchmarks.calibration import DOCUMENT, MACHINES, filled
from benchmarks.calibration_tables import CUTIE, tables
from benchmarks.one_frame import Measured, measure

WITHIN = 1.25


@pytest.fixture(scope="module")
def measured() -> tuple[Measured, ...]:
    return measure(MACHINES)


def test_the_document_is_what_the_program_gives(measured: tuple[Measured, ...]) -> None:
    document = DOCUMENT.read_text("utf-8")
    now = filled(document, tables(measured))
    assert document == now, "update it with: python -m benchmarks.calibration --update"


def test_a_table_too_few_or_too_many_is_refused() -> None:
    document = "<!-- table: one -->\nold\n<!-- end -->\n"
    assert filled(document, {"one": "new\n"}) == document.replace("old", "new")
    for named in ({}, {"one": "", "another": ""}, {"another": ""}):
        with pytest.raises(ValueError, match="the document marks"):
            filled(document, named)


def test_the_cycles_stay_near_macs_by_lanes(measured: tuple[Measured, ...]) -> None:
    ours = measured[0]
    assert ours.machine.name == "cutie-lanes"
    assert ours.bound <= ours.cycles <= WITHIN * ours.bound


def test_layers_and_tail_are_all_cycles(measured: tuple[Measured, ...]) -> None:
    for one in measured:
        layers = sum(layer.cycles for layer in one.report.layers)
        assert layers + one.report.tail == one.cycles
        events = sum(event.energy.typical for event in one.report.events)
        assert events / 1e6 == pytest.approx(one.energy[1])


def test_the_range_contains_the_silicon(measured: tuple[Measured, ...]) -> None:
    low, typical, high = measured[0].energy
    assert low < CUTIE.microjoule < high
    assert low < typical < high
