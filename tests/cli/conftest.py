"""The command line, run inside the test's process: exit status, standard output and error."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tdsl.cli.main import main


@dataclass(frozen=True)
class Finished:
    status: int
    out: str
    err: str


Command = Callable[..., Finished]


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Command:
    """`command("run", file, ...)`, with a program cache of its own."""
    monkeypatch.setenv("TDSL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: object) -> Finished:
        monkeypatch.setattr(sys, "argv", ["tdsl", *map(str, arguments)])
        capsys.readouterr()
        status = 0
        try:
            main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        captured = capsys.readouterr()
        assert "internal error" not in captured.err
        return Finished(status, captured.out, captured.err)

    return run
