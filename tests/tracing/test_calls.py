"""A decorated function is a network: called on images, compiled, and the same as its text."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tdsl
from tdsl.api import Network, load
from tdsl.decorators import TracedNetwork
from tdsl.diagnostics import CompileError
from tdsl.resources import samples_folder
from tdsl.tracing.files import run_python_file

FIRST = samples_folder() / "first"


@pytest.fixture(scope="module")
def first() -> Network:
    return load(FIRST / "first.py")


def test_results_and_costs_are_those_of_the_text(first: Network) -> None:
    picture = Image.open(FIRST / "coffee.png").convert("L").crop((0, 0, 40, 30))
    text = load(FIRST / "first.tnn")
    by_picture, by_array = first(picture), first(np.array(picture))
    expected = text(picture)
    assert np.array_equal(by_picture.edges, expected.edges)
    assert np.array_equal(by_array["edges"], expected.edges)
    assert by_picture.cost.cycles == expected.cost.cycles


def test_the_program_is_that_of_the_text(first: Network) -> None:
    ours = first.compile(machine="csram-128", size=(40, 30))
    theirs = load(FIRST / "first.tnn").compile(machine="csram-128", size=(40, 30))
    assert np.array_equal(ours.code, theirs.code)
    assert first.machine().name == "nearmem-1mb"


def test_it_is_still_a_function_with_a_name_and_a_docstring(first: Network) -> None:
    assert isinstance(first, TracedNetwork)
    assert first.name == "first"
    assert first.__doc__ is not None
    assert first.__doc__.startswith("Red, green and blue")
    assert [port.name for port in first.inputs] == ["img"]


def test_the_function_runs_when_it_is_first_needed(tmp_path: Path) -> None:
    file = tmp_path / "late.py"
    file.write_text(
        "from tdsl import *\nran = []\n@network\ndef late(x: u8[1, 8, 8]):\n"
        "    ran.append(1)\n    return x >> 1\n"
    )
    found = run_python_file(file)
    net = found["late"]
    assert isinstance(net, Network)
    assert found["ran"] == []
    assert np.array_equal(net(np.full((8, 8), 9)).out, np.full((1, 8, 8), 4))
    assert net.checked.graph.name == "late"
    assert found["ran"] == [1]


def test_a_wrong_image_is_refused_as_by_any_network(first: Network) -> None:
    with pytest.raises(CompileError, match="E0704"):
        first(np.zeros((3, 8, 8), dtype=np.uint8))


def test_mistakes_of_compiling_quote_the_python_file(tmp_path: Path) -> None:
    file = tmp_path / "even.py"
    file.write_text(
        'from tdsl import *\nH, W = sizes("H W")\n@network(where=[H % 8 == 0])\n'
        "def even(img: u8[1, H, W]):\n    return img.maxpool(8)\n"
    )
    with pytest.raises(CompileError) as caught:
        load(file).compile(size=(20, 20))
    assert "even.py:4:10" in str(caught.value)
    assert "def even(img" in str(caught.value)


def test_the_names_of_the_public_face() -> None:
    star: dict[str, object] = {}
    exec("from tdsl import *", star)
    assert {"network", "block", "weights", "sizes", "mux", "concat", "clip", "ca"} <= star.keys()
    assert {"trit", "u1", "u32", "i2", "i32"} <= star.keys()
    assert star.get("bin", bin) is bin
    assert str(tdsl.bin) == "bin"
    with pytest.raises(AttributeError):
        _ = tdsl.u33


def test_two_networks_of_one_name_in_one_file(tmp_path: Path) -> None:
    file = tmp_path / "nets.py"
    file.write_text(
        "from tdsl import *\n@network\ndef a(x: u8[1, 4, 4]):\n    return x >> 1\n"
        "b = a\n@network\ndef c(x: u8[1, 4, 4]):\n    return x.wrong()\n"
    )
    assert load(file, "a").name == "a"
    with pytest.raises(CompileError, match="E0708"):
        load(file)
    with pytest.raises(CompileError, match="E0201"):
        load(file, "c")
    with pytest.raises(CompileError, match="E0118"):
        load(tmp_path / "nowhere.py")
