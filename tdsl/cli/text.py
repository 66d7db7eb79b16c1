"""`tdsl check`, `tdsl fmt` and `tdsl explain`: what needs the text alone, and never loads Numba."""

import difflib
import sys
from pathlib import Path
from typing import Annotated

import typer

from tdsl.cli.options import Files, Json
from tdsl.cli.source_kind import need_text
from tdsl.cli.terminal import print_error, print_json, print_text
from tdsl.diagnostics import CompileError, Diagnostic
from tdsl.refusal import refusal
from tdsl.replacing import replacing
from tdsl.resources import error_pages_folder


def check(files: Files, json: Json = False) -> None:
    """Report every mistake in the files, without running anything."""
    found: list[Diagnostic] = []
    for file in files:
        try:
            _check(file)
        except CompileError as error:
            found += error.diagnostics
            if not json:
                print_error(error)
    if json:
        print_json({"ok": not found, "diagnostics": [d.to_json() for d in found]})
    elif not found:
        print_text(f"{_counted(len(files), 'file')}: no mistakes found")
    if found:
        raise typer.Exit(1)


def _check(file: Path) -> None:
    """Check the networks of a file. Raises CompileError with every mistake."""
    if file.suffix == ".py":
        from tdsl.api import load_all

        load_all(file)
        return
    from tdsl.frontend.checker import load

    load(file)


def fmt(
    files: Files,
    check_only: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit status 1 if something would.")
    ] = False,
) -> None:
    """Write the files in the standard layout."""
    from tdsl.frontend.formatter import format_source
    from tdsl.frontend.parser import read_source

    changed = 0
    for file in files:
        need_text(file)
        text = read_source(file)
        formatted = format_source(text, str(file))
        if formatted == text:
            continue
        changed += 1
        if not check_only:
            _rewrite(file, formatted)
        print_text(f"{file}: {'would change' if check_only else 'formatted'}")
    if check_only and changed:
        raise typer.Exit(1)


def explain(
    code: Annotated[
        str | None, typer.Argument(metavar="[CODE]", help="A code such as E0301; none: all codes.")
    ] = None,
) -> None:
    """Explain a diagnostic: why it is a mistake, an example, and its repair."""
    pages = {page.stem: page for page in sorted(error_pages_folder().glob("*.md"))}
    if code is None:
        for known in pages.values():
            print_text(_title(known))
        return
    page = pages.get(code.upper())
    if page is None:
        raise _unknown_code(code, list(pages))
    text = page.read_text("utf-8")
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(text))
    else:
        print_text(text)


def _rewrite(file: Path, text: str) -> None:
    try:
        with replacing(file) as written:
            written.write_text(text, "utf-8", newline="")
    except OSError as error:
        raise refusal(
            "E0712",
            f"`{file}` cannot be written: {error.strerror or error}",
            remedy="check that you may write to the file and its folder",
        ) from error


def _title(page: Path) -> str:
    return page.read_text("utf-8").splitlines()[0].removeprefix("# ")


def _unknown_code(code: str, known: list[str]) -> CompileError:
    near = difflib.get_close_matches(code.upper(), known, n=3)
    return refusal(
        "E0715",
        f"there is no diagnostic `{code}`",
        note=f"near it: {', '.join(near)}" if near else "",
        remedy="`tdsl explain` lists all codes",
    )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
