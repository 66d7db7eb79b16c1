"""The README's commands: there are two, they name what is there, and the main one works."""

import re
import runpy
import shlex
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.cli.command import tdsl_command

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
COMMAND = re.compile(r"^python3 -m venv \.venv && \.venv/bin/pip install (\S+) && (.+)$", re.M)


def test_one_command_runs_and_one_tests() -> None:
    runs, tests = COMMAND.findall(README.read_text("utf-8"))
    assert runs[0] == "."
    assert runs[1].startswith(".venv/bin/tdsl run ")
    assert tests == ("'.[test]'", ".venv/bin/pytest")


def test_the_main_command_works(tmp_path: Path) -> None:
    ((_, command), _) = COMMAND.findall(README.read_text("utf-8"))
    _, *arguments = shlex.split(command)
    done = tdsl_command(*(str(ROOT / a) if "/" in a else a for a in arguments), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = ROOT / "samples" / "denoise"
    restored, shipped = tmp_path / "restored.png", folder / "chelsea_denoised.png"
    assert np.array_equal(_pixels(restored), _pixels(shipped))
    assert "cycles" in done.stdout


def test_the_python_lines_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.S)
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    monkeypatch.chdir(tmp_path)
    # In a file, as steps of Python networks are called after the variables of the source.
    (tmp_path / "readme.py").write_text("\n".join(blocks), "utf-8")
    names = runpy.run_path("readme.py")
    assert names["edges"].shape == (3, 200, 300)
    assert (tmp_path / "fashion.tprog").stat().st_size > 0


def test_the_network_shown_is_the_sample() -> None:
    (block,) = re.findall(r"```\n(tnn 1\n.*?)```", README.read_text("utf-8"), re.S)
    sample = (ROOT / "samples" / "first" / "first.tnn").read_text("utf-8")
    assert _code(block) == _code(sample)


def test_every_file_named_is_there() -> None:
    text = README.read_text("utf-8")
    linked = re.findall(r"\]\(([^)#:]+)\)", text) + re.findall(
        r"\b(?:samples|docs)/[\w./-]*\w", text
    )
    missing = [name for name in linked if not (ROOT / name).exists()]
    assert linked
    assert missing == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.stem)
def test_links_between_pages_hold(page: Path) -> None:
    prose = re.sub(r"```.*?```|`[^`]*`", "", page.read_text("utf-8"), flags=re.S)
    linked = re.findall(r"\]\(([^)#:]+)\)", prose)
    assert [name for name in linked if not (page.parent / name).exists()] == []


def _pixels(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        return np.array(picture)


def _code(text: str) -> list[str]:
    """The lines of a source without documentation comments."""
    return [line for line in text.splitlines() if line and not line.startswith("##")]
