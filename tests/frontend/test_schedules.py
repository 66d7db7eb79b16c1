"""Schedules and `layouts`: what they give a network, and every mistake with its place."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tdsl
from tdsl.diagnostics import CompileError, Diagnostic
from tdsl.lowering.organisation import Organisation

NETWORK = """tnn 1
weights P = "net.npz"
network n(img: u8[1, 24, 40]) -> scores: i16[3] from P {
    a = img -> conv(4, 3x3) -> maxpool(2) -> ternarize
    b = a -> conv(3, 3x3)
    s = b -> global_sum
    return s
}
"""


def arrays(folder: Path) -> None:
    """Weights of the network."""
    random = np.random.default_rng(0)
    values: dict[str, Any] = {
        "a.w": random.integers(-1, 2, (4, 1, 3, 3)),
        "a.lo": np.full(4, -50),
        "a.hi": np.full(4, 50),
        "b.w": random.integers(-1, 2, (3, 4, 3, 3)),
    }
    np.savez(folder / "net.npz", **values)


def loaded(folder: Path, schedule: str) -> tdsl.Network:
    """The network with a schedule."""
    arrays(folder)
    file = folder / "net.tnn"
    file.write_text(NETWORK + schedule)
    return tdsl.load(file)


def refused(folder: Path, schedule: str) -> Diagnostic:
    """The one mistake of a schedule."""
    with pytest.raises(CompileError) as caught:
        loaded(folder, schedule).compile("nearmem-16mb")
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


def test_a_schedule_pins_the_organisation_of_a_step(tmp_path: Path) -> None:
    image = np.arange(24 * 40, dtype=np.uint8).reshape(24, 40)
    found: list[Any] = []
    for word in Organisation:
        net = loaded(tmp_path, f"schedule p for n {{\n    layout a as {word}\n}}\n")
        compiled = net.compiled(net.machine("nearmem-16mb"), {})
        assert {c.layer: c.taken for c in compiled.plan.choices}["a"] is word
        found.append(net(image, machine="nearmem-16mb").scores)
    channels, pixels = found
    assert np.array_equal(channels, pixels)


@pytest.mark.parametrize(
    ("lines", "code", "line", "column"),
    [
        ("layout c as pixels", "E0501", 10, 12),
        ("layout a as rows", "E0502", 10, 17),
        ("layout a, s as pixels", "E0503", 6, 5),
        ("layout a, a as pixels", "E0505", 10, 15),
    ],
)
def test_a_mistake_in_a_schedule(
    tmp_path: Path, lines: str, code: str, line: int, column: int
) -> None:
    found = refused(tmp_path, f"schedule p for n {{\n    {lines}\n}}\n")
    assert (found.code, found.span.line) == (code, line)
    assert code == "E0503" or found.span.column == column


def test_a_schedule_of_another_network(tmp_path: Path) -> None:
    found = refused(tmp_path, "schedule p for m {\n}\n")
    assert (found.code, found.span.line, found.span.column) == ("E0504", 9, 16)


def test_a_goal_that_is_none(tmp_path: Path) -> None:
    loaded(tmp_path, "")
    with pytest.raises(CompileError) as caught:
        tdsl.load(tmp_path / "net.tnn", optimize="speed")
    assert caught.value.diagnostics[0].code == "E0713"


def test_layouts_in_python(tmp_path: Path) -> None:
    arrays(tmp_path)
    file = tmp_path / "net.py"
    file.write_text(
        "from tdsl import *\n"
        f"P = weights({str(tmp_path / 'net.npz')!r})\n"
        '@network(P, layouts={"a": "pixels"})\n'
        "def n(img: u8[1, 24, 40]):\n"
        "    a = img.conv(4, 3).maxpool(2).ternarize()\n"
        "    b = a.conv(3, 3)\n"
        "    s = b.global_sum()\n"
        "    return s\n"
    )
    net = tdsl.load(file)
    compiled = net.compiled(net.machine("nearmem-16mb"), {})
    assert {c.layer: c.taken for c in compiled.plan.choices}["a"] is Organisation.PIXELS
    file.write_text(file.read_text().replace('"a": "pixels"', '"x": "pixels"'))
    with pytest.raises(CompileError) as caught:
        tdsl.load(file)
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.span.line) == ("E0501", 3)
