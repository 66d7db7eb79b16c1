"""The README's commands: there are two, they name what is there, and the main one works."""

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.command import tdsl_command

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
COMMAND = re.compile(r"^python3 -m venv \.venv && \.venv/bin/pip install (\S+) && (.+)$", re.M)


def test_one_command_runs_and_one_tests() -> None:
    runs, tests = COMMAND.findall(README.read_text("utf-8"))
    assert runs[0] == "."
    assert runs[1].startswith(".venv/bin/tdsl run ")
    assert tests == ("'.[test]'", ".venv/bin/pytest")


def test_the_main_command_works() -> None:
    ((_, command), _) = COMMAND.findall(README.read_text("utf-8"))
    _, *arguments = shlex.split(command)
    done = tdsl_command(*(str(ROOT / a) if "/" in a else a for a in arguments))
    assert done.returncode == 0, done.stderr
    assert "cycles" in done.stdout


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
