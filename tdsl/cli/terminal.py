"""Printing: results on standard output, diagnostics and progress on standard error."""

import json
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from tdsl.diagnostics import CompileError

if TYPE_CHECKING:
    from rich.table import Table


def print_text(text: str) -> None:
    """Print `text` as it is on standard output."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def print_json(value: Mapping[str, Any]) -> None:
    """Print one JSON object, on one line, on standard output."""
    print_text(json.dumps(value))


def print_tables(*tables: "Table | str") -> None:
    """Print tables and lines of text on standard output, as wide as the terminal or 80 columns."""
    console = Console(highlight=False, markup=False, emoji=False)
    for table in tables:
        console.print(table, crop=False, overflow="ignore", no_wrap=isinstance(table, str))


def print_note(text: str) -> None:
    """Print a line about the work itself on standard error."""
    Console(stderr=True, highlight=False, markup=False, emoji=False).print(text, soft_wrap=True)


def print_error(error: CompileError) -> None:
    """Print diagnostics on standard error; their first lines stand out on a terminal."""
    console = Console(stderr=True, highlight=False, emoji=False)
    for line in str(error).splitlines():
        style = "bold red" if line.startswith("error[") else ""
        console.print(Text(line, style=style), soft_wrap=True)


@contextmanager
def progress(description: str, total: int | None) -> Generator[Callable[[int], None]]:
    """Show a bar on a terminal while the block runs; yields what to call after some steps."""
    if not sys.stderr.isatty():
        yield lambda steps: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=total)
        yield lambda steps: bar.advance(task, steps)


@contextmanager
def waiting(description: str) -> Generator[None]:
    """Show on a terminal that the block is at work."""
    if not sys.stderr.isatty():
        yield
        return
    with Console(stderr=True).status(description):
        yield
