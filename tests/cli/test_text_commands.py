"""`tdsl check`, `fmt`, `show`: what needs the text alone."""

import json
from pathlib import Path

import pytest

from tdsl.resources import samples_folder
from tests.cli.conftest import Command

FIRST = samples_folder() / "first" / "first.tnn"
WRONG = "tnn 1\n\nnetwork a(x: u8[1, 4, 4]) -> y: u8[1, 4, 4] {\n    return z\n}\n"
BAD_BYTES = {
    "empty.tnn": b"",
    "latin.tnn": "tnn 1\n# caf\xe9\n".encode("latin-1"),
    "nul.tnn": b"tnn 1\n\0\n",
    "large.tnn": b"tnn 1\n" + b"#" * (1 << 20),
    "deep.tnn": b"tnn 1\nconst A = " + b"(" * 5000 + b"1" + b")" * 5000 + b"\n",
}


def test_every_mistake_of_every_file_is_reported(command: Command, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.tnn", "b.tnn")]
    for path in paths:
        path.write_text(WRONG)
    done = command("check", *paths, FIRST)
    assert done.status == 1
    assert done.out == ""
    assert all(f"{path}:4:12" in done.err for path in paths)
    data = json.loads(command("check", "--json", *paths, FIRST).out)
    assert data["ok"] is False
    assert [(d["file"], d["line"]) for d in data["diagnostics"]] == [(str(p), 4) for p in paths]


def test_a_file_without_mistakes_passes(command: Command) -> None:
    assert command("check", FIRST).status == 0
    assert json.loads(command("check", "--json", FIRST).out) == {"ok": True, "diagnostics": []}


@pytest.mark.parametrize("name", BAD_BYTES)
def test_bytes_that_are_no_source_are_refused(command: Command, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(BAD_BYTES[name])
    for arguments in (["check"], ["fmt"], ["test"], ["cost"]):
        done = command(*arguments, tmp_path / name)
        assert done.status == 1
        assert "error[E01" in done.err


def test_fmt_writes_the_layout_once(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "a.tnn"
    path.write_text(FIRST.read_text("utf-8").replace(" = ", "="), "utf-8")
    assert command("fmt", "--check", path).status == 1
    assert command("fmt", path).status == 0
    written = path.read_text("utf-8")
    assert command("fmt", path).out == ""
    assert command("fmt", "--check", path).status == 0
    assert path.read_text("utf-8") == written


def test_fmt_leaves_a_wrong_file_alone(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "a.tnn"
    path.write_text("tnn 1\nnetwork (\n")
    assert command("fmt", path).status == 1
    assert path.read_text() == "tnn 1\nnetwork (\n"


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("tnn", ["network first[H, W]", "-> ternarize(lo = -80, hi = 80)"]),
        ("syntax", ["Network", "Pipe", "@9:9"]),
        ("graph", ["network first[H, W]", "conv(", "trit[3, H, W]"]),
        ("mapping", ["mapping first on nearmem-1mb", "stage 0"]),
        ("assembly", ["machine nearmem-1mb", "LOOP", "HALT"]),
    ],
)
def test_every_stage_is_shown(command: Command, stage: str, words: list[str]) -> None:
    size = [] if stage in ("tnn", "syntax", "graph") else ["--size", "20x16"]
    done = command("show", FIRST, "--emit", stage, *size)
    assert done.status == 0
    assert all(word in done.out for word in words)


def test_an_unknown_stage_is_a_wrong_command_line(command: Command) -> None:
    done = command("show", FIRST, "--emit", "bogus")
    assert done.status == 2
    words = " ".join(done.err.replace("│", " ").split())
    assert "`bogus` is none of the stages tnn, syntax, graph, mapping, assembly" in words
    assert "Value error" not in words
