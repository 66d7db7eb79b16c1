"""The commands on `.py` files: the networks of their decorated functions."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tdsl.resources import samples_folder
from tests.cli.command import environment
from tests.cli.conftest import Command

FIRST = samples_folder() / "first" / "first.py"
WRONG = """from tdsl import *
print("while it is executed")
{top}
@network
def n(x: u8[1, 8, 8]):
    return x.conv(2)
"""


def test_show_writes_the_text(command: Command, tmp_path: Path) -> None:
    done = command("show", FIRST, "--emit", "tnn")
    assert done.status == 0
    assert 'weights P     = "first.npz"' in done.out
    assert "e = img -> conv(3, 3x3) -> ternarize(lo = -80, hi = 80)" in done.out
    path = FIRST.with_suffix(".tnn")
    assert command("show", path, "--emit", "tnn").out == done.out
    assert command("show", path).out == command("show", FIRST).out


def test_show_writes_a_text_for_one_size(command: Command) -> None:
    done = command("show", FIRST, "--emit", "tnn", "--size", "20x10")
    assert "network first(img: u8[1, 10, 20]) -> edges: trit[3, 10, 20] from P {" in done.out


def test_the_text_stands_beside_other_weights(command: Command, tmp_path: Path) -> None:
    (tmp_path / "nets").mkdir()
    (tmp_path / "net.npz").write_bytes((FIRST.parent / "first.npz").read_bytes())
    file = tmp_path / "nets" / "first.py"
    file.write_text(FIRST.read_text("utf-8").replace("first.npz", "../net.npz"), "utf-8")
    text = command("show", file, "--emit", "tnn").out
    file.with_suffix(".tnn").write_text(text, "utf-8")
    assert command("check", file.with_suffix(".tnn")).status == 0
    assert command("show", file.with_suffix(".tnn")).out == command("show", file).out


def test_check_finds_the_mistakes_of_every_network(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "wrong.py"
    file.write_text(WRONG.format(top="@network\ndef m(y: u8[1, 8, 8]):\n    return y.relu()\n"))
    done = command("check", file)
    assert done.status == 1
    assert "error[E0201]" in done.err
    assert f"{file}:5:14" in done.err
    assert "error[E0307]" in done.err
    assert f"{file}:9:14" in done.err
    found = json.loads(command("check", "--json", file).out)["diagnostics"]
    assert [one["code"] for one in found] == ["E0201", "E0307"]
    assert command("check", FIRST).status == 0


def test_a_file_that_stops_is_refused_with_its_line(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "wrong.py"
    file.write_text(WRONG.format(top="1 / 0"))
    for arguments in (["check"], ["show"], ["cost"], ["test"]):
        done = command(*arguments, file)
        assert done.status == 1
        assert "error[N0110]" in done.err
        assert f"{file}:3:1" in done.err
        assert "Traceback" not in done.err


@pytest.mark.parametrize("arguments", [["fmt"], ["fmt", "--check"], ["show", "--emit", "syntax"]])
def test_python_has_no_text(command: Command, arguments: list[str]) -> None:
    done = command(*arguments, FIRST)
    assert done.status == 1
    assert "error[N0111]" in done.err


def test_run_and_cost(command: Command, tmp_path: Path) -> None:
    picture = FIRST.parent / "coffee.png"
    done = command("cost", FIRST, "--size", "24x16", "--json")
    assert json.loads(done.out)["network"] == "first"
    assert command("cost", FIRST, "--size", "24x16", "--no-weights").status == 0
    out = tmp_path / "out.npy"
    assert command("run", FIRST, picture, "-o", out).status == 0
    assert out.exists()


@pytest.mark.parametrize("arguments", [["check"], ["show", "--emit", "tnn"]])
def test_reading_a_python_file_never_loads_numba(arguments: list[str]) -> None:
    loaded = (
        "import sys\nfrom tdsl.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "print('modules', *sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", loaded, arguments[0], str(FIRST), *arguments[1:]],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    modules = set(done.stdout.splitlines()[-1].split())
    assert not {"numba", "llvmlite", "onnx", "torch"} & modules
