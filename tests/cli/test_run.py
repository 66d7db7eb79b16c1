"""`tdsl run`, `exec`, `compile`: results on files, JSON, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tdsl.api import load
from tdsl.ir.interpreter import run as reference
from tdsl.ir.specialize import specialize
from tdsl.resources import samples_folder
from tests.cli.conftest import Command

FIRST = samples_folder() / "first" / "first.tnn"
KEYS = {
    "network",
    "machine",
    "input",
    "outputs",
    "cycles",
    "seconds_at_clock",
    "energy_pj",
    "macs",
    "utilisation",
    "memory_bits",
    "simulation_seconds",
    "gmac_per_second",
    "declared",
}
PIXELS = np.random.default_rng(0).integers(0, 256, (9, 13), dtype=np.uint8)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    Image.fromarray(PIXELS).save(path)
    return path


def expected() -> np.ndarray[Any, Any]:
    checked = load(FIRST).checked
    graph = specialize(checked.graph, {"H": 9, "W": 13})
    return reference(graph, checked.arrays, {"img": PIXELS[None]})["edges"]


def test_the_result_is_that_of_the_graph(command: Command, tmp_path: Path, picture: Path) -> None:
    done = command("run", FIRST, picture, "-o", tmp_path / "out.npy")
    assert done.status == 0
    assert np.array_equal(np.load(tmp_path / "out.npy"), expected())
    for word in ("cycles", "energy", "MACs", "memory", "simulated", "nearmem-1mb"):
        assert word in done.out
    assert max(map(len, done.out.splitlines())) <= 80 + len(str(tmp_path))


def test_json_is_one_object_and_nothing_else(command: Command, picture: Path) -> None:
    done = command("run", FIRST, picture, "--json")
    (line,) = done.out.splitlines()
    data = json.loads(line)
    assert data.keys() == KEYS
    assert data["energy_pj"].keys() == {"low", "typical", "high"}
    assert data["memory_bits"].keys() == {"weights", "features", "program", "external"}
    assert data["macs"] == 3 * 9 * PIXELS.size
    assert np.array_equal(data["outputs"]["edges"], expected())


def test_a_folder_gives_a_folder_and_a_line_each(
    command: Command, tmp_path: Path, picture: Path
) -> None:
    (tmp_path / "in").mkdir()
    picture.rename(tmp_path / "in" / "b.png")
    Image.fromarray(PIXELS[:5]).save(tmp_path / "in" / "a.png")
    done = command("run", FIRST, tmp_path / "in", "-o", tmp_path / "out", "--json")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [Path(line["input"]).name for line in lines] == ["a.png", "b.png"]
    written = [Path(line["outputs"]["edges"]["file"]) for line in lines]
    assert [np.array(Image.open(path)).shape for path in written] == [(5, 13, 3), (9, 13, 3)]


def test_a_program_runs_alone(command: Command, tmp_path: Path, picture: Path) -> None:
    program = tmp_path / "first.tprog"
    compiled = command("compile", FIRST, "-o", program, "--size", "13x9")
    assert compiled.status == 0
    first, second = compiled.out.splitlines()
    assert first == f"first for nearmem-1mb: written to {program}"
    assert len(second) <= 80
    done = command("exec", program, picture, "-o", tmp_path / "out.npy")
    assert done.status == 0
    assert np.array_equal(np.load(tmp_path / "out.npy"), expected())
    assert command("exec", program, picture, "--json").out.count('"macs": null') == 1


def test_the_second_run_takes_the_program_from_the_cache(
    command: Command, tmp_path: Path, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = json.loads(command("run", FIRST, picture, "--json").out)

    def no_compiler(*arguments: object) -> None:
        raise AssertionError("compiled again")

    monkeypatch.setattr("tdsl.program_cache.compile_graph", no_compiler)
    again = json.loads(command("run", FIRST, picture, "--json").out)
    assert again["outputs"] == first["outputs"]
    assert again["cycles"] == first["cycles"]


def test_a_damaged_cache_is_made_again(command: Command, tmp_path: Path, picture: Path) -> None:
    assert command("run", FIRST, picture).status == 0
    (entry,) = (tmp_path / "cache").glob("*.tprog")
    whole = entry.read_bytes()
    entry.write_bytes(whole[: len(whole) // 2])
    assert command("run", FIRST, picture).status == 0
    assert entry.read_bytes() == whole


def test_a_cache_that_cannot_be_written_only_costs_time(
    command: Command, tmp_path: Path, picture: Path
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert command("run", FIRST, picture).status == 0


WRONG: list[tuple[str, list[str]]] = [
    ("E0701", ["run", "FIRST", "absent.png"]),
    ("E0704", ["run", "FIRST", "PICTURE", "--size", "14x9"]),
    ("E0118", ["run", "absent.tnn", "PICTURE"]),
    ("E0708", ["run", "FIRST", "PICTURE", "--network", "second"]),
    ("E0704", ["cost", "FIRST", "--size", "100000x100000"]),
    ("E0709", ["cost", "FIRST"]),
    ("E0709", ["show", "FIRST", "--emit", "assembly"]),
    ("E0709", ["compile", "FIRST", "-o", "x.tprog", "--size", "12"]),
    ("E0710", ["run", "FIRST", "PICTURE", "--machine", "nearmem-2mb"]),
    ("E0710", ["run", "FIRST", "PICTURE", "--machine", ""]),
    ("E0711", ["exec", "FIRST", "PICTURE"]),
    ("E0711", ["exec", "absent.tprog", "PICTURE"]),
    ("E0712", ["compile", "FIRST", "-o", "absent/x.tprog", "--size", "13x9"]),
    ("E0712", ["run", "FIRST", "PICTURE", "-o", "absent/x.png"]),
    ("E0713", ["eval", "FIRST", "NPZ"]),
]


@pytest.mark.parametrize(("code", "arguments"), WRONG, ids=[" ".join(w[1][:4]) for w in WRONG])
def test_what_is_wrong_is_said_with_its_code(
    command: Command, tmp_path: Path, picture: Path, code: str, arguments: list[str]
) -> None:
    np.savez(tmp_path / "a.npz", image=PIXELS[None])
    given = {"FIRST": FIRST, "PICTURE": picture, "NPZ": tmp_path / "a.npz"}
    before = sorted(tmp_path.iterdir())
    done = command(*(given.get(argument, argument) for argument in arguments))
    assert done.status == 1
    assert done.out == ""
    assert f"error[{code}]" in done.err
    assert "= help:" in done.err
    assert [path for path in sorted(tmp_path.iterdir()) if path.name != "cache"] == before


def test_a_truncated_or_altered_program_is_refused(
    command: Command, tmp_path: Path, picture: Path
) -> None:
    program = tmp_path / "first.tprog"
    assert command("compile", FIRST, "-o", program, "--size", "13x9").status == 0
    whole = program.read_bytes()
    altered = bytearray(whole)
    altered[-1] ^= 1
    for damaged in (whole[:100], whole[:-1], bytes(altered), b""):
        program.write_bytes(damaged)
        done = command("exec", program, picture)
        assert done.status == 1
        assert "error[E0711]" in done.err
