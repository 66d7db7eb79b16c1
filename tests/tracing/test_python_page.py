"""docs/python.md: its example is a network, and its message is the one that is given."""

import re
from pathlib import Path

import pytest

from tdsl.diagnostics import CompileError
from tests.tracing.sources import traced, untrained

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
SHAPES = """from tdsl import *
P = weights("none.npz")

@network(P)
def res(img: trit[32, 32, 32]):
    x = img.maxpool(2)
    f = x.conv(64, 3).ternarize()
    return mux(f != 0, f, x)
"""


@pytest.mark.skipif(not PAGE.exists(), reason="the documentation stands in the repository")
def test_the_example_is_a_network(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    names = [node.name for node in untrained(example, tmp_path).graph.nodes]
    assert {"e1.conv", "e1", "e2.maxpool", "e2", "m[0].conv", "m[0]", "m", "noise"} <= set(names)


@pytest.mark.skipif(not PAGE.exists(), reason="the documentation stands in the repository")
def test_the_message_is_the_one_given(tmp_path: Path) -> None:
    with pytest.raises(CompileError) as caught:
        traced(SHAPES, tmp_path)
    shown = re.findall(r"```\n(error.*?)```", PAGE.read_text("utf-8"), re.DOTALL)[0]
    given = str(caught.value).replace(str(tmp_path / "case.py"), "net.py")
    assert [line.strip() for line in given.splitlines()] == [
        line.strip() for line in shown.splitlines()
    ]
