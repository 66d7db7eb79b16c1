"""Kernels and images made by chance, simulated, against plain NumPy."""

from typing import Any

import numpy as np
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from tdsl.diagnostics import CompileError
from tests.kernels.random_kernels import MEANINGS, TYPES, expressions, image, kernel_of

WIDTHS = (1, 2, 3, 31, 63, 64, 65, 127, 128, 129, 255, 256, 257, 300)
HEIGHTS = (1, 2, 3, 5, 17, 64, 65)
MACHINES = ("nearmem-1mb", "csram-128")


@st.composite
def arguments(draw: st.DrawFn) -> list[tuple[str, str, int | None]]:
    """Name, type and border of one to three images."""
    made: list[tuple[str, str, int | None]] = []
    for name in "abc"[: draw(st.integers(1, 3))]:
        kind = draw(st.sampled_from(sorted(TYPES)))
        low, high = TYPES[kind]
        made.append((name, kind, draw(st.sampled_from((None, 0, low, high)))))
    return made


def _source(given: list[tuple[str, str, int | None]], expression: str) -> str:
    borders = {name: '"edge"' if border is None else border for name, _, border in given}
    parts = [f"{name}: {kind}[L, {borders[name]}]" for name, kind, _ in given]
    return (
        "from tdsl import *\n"
        f"@kernel\ndef f({', '.join(parts)}) -> I16[L]:\n"
        f"    return wrap({expression}, I16)\n"
    )


@settings(max_examples=60, deadline=None)
@given(st.data(), arguments())
def test_simulated_kernels_are_their_numpy(
    data: st.DataObject, made: list[tuple[str, str, int | None]]
) -> None:
    expression = data.draw(expressions(tuple(name for name, _, _ in made)))
    height, width = data.draw(st.sampled_from(HEIGHTS)), data.draw(st.sampled_from(WIDTHS))
    random = np.random.default_rng(data.draw(st.integers(0, 1 << 30)))
    images: dict[str, Any] = {}
    for name, kind, _ in made:
        low, high = TYPES[kind]
        images[name] = random.integers(low, high + 1, (height, width))
    try:
        kernel = kernel_of(_source(made, expression))
        found = kernel(**images, machine=data.draw(st.sampled_from(MACHINES)))
    except CompileError as error:
        if {one.code for one in error.diagnostics} <= {"K0112", "K0116"}:
            reject()
        raise
    names = {name: image(images[name], border) for name, _, border in made}
    wanted = eval(f"wrap({expression}, I16)", {**MEANINGS, **names})
    assert found.dtype == np.int16
    assert np.array_equal(found, wanted.at(0, 0))
