"""docs/organisations.md holds what the programs give, and the faster organisation is taken."""

import re

import pytest

from benchmarks.contest import LAYERS, Layer, Row, contest
from benchmarks.organisations import DOCUMENT, MACHINES, lines, markdown
from tdsl.lowering.organisation import Organisation
from tdsl_runtime.description import load_machine

WITHIN = 1.3
MISSED = {
    ("csram-128", "8 bits, 3 to 32, 3x3", Organisation.PIXELS),
    ("csram-128", "64 to 64, 1x1", Organisation.PIXELS),
    ("csram-128", "64 depth-wise, 3x3, stride 2", Organisation.CHANNELS),
}
"""What `Where the forms are missed` explains."""
QUICK = (LAYERS[0], LAYERS[5])


def check(layer: Layer, machine: str) -> None:
    row = contest(layer, load_machine(machine))
    is_in_the_document(row)
    the_faster_one_is_taken(row)
    for organisation, side in row.sides.items():
        if not isinstance(side, str):
            assert side.predicted == side.busy, organisation
            missed = (machine, layer.name, organisation) in MISSED
            ratio = row.ratio(organisation)
            assert ratio is not None
            assert (ratio <= WITHIN) != missed, (layer.name, organisation, ratio)


def is_in_the_document(row: Row) -> None:
    text = DOCUMENT.read_text("utf-8")
    (table,) = re.findall(rf"<!-- table: contest-{row.machine} -->\n(.*?)<!-- end -->", text, re.S)
    wanted = markdown((), list(lines(row))).split("\n", 2)[2]
    assert wanted in table, "update it with: python -m benchmarks.organisations --update"


def the_faster_one_is_taken(row: Row) -> None:
    cycles = {o: side.cycles for o, side in row.sides.items() if not isinstance(side, str)}
    assert cycles[row.chosen] == min(cycles.values())


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("layer", QUICK, ids=lambda layer: layer.name)
def test_the_contest_of_a_layer(layer: Layer, machine: str) -> None:
    check(layer, machine)


@pytest.mark.slow
@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("layer", [one for one in LAYERS if one not in QUICK], ids=lambda x: x.name)
def test_the_contest_of_every_other_layer(layer: Layer, machine: str) -> None:
    check(layer, machine)
