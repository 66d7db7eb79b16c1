"""`tdsl test`: the `check`s that stand in files, on the simulator."""

from typing import TYPE_CHECKING

import typer

from tdsl.cli.options import Files, Json, Machine
from tdsl.cli.terminal import print_error, print_json, print_text
from tdsl.diagnostics import CompileError, Diagnostic

if TYPE_CHECKING:
    from pathlib import Path


def run_checks(files: Files, machine: Machine = None, json: Json = False) -> None:
    """Run the checks written in the files, on the simulator."""
    failures: list[Diagnostic] = []
    passed = 0
    for file in files:
        done, error = _test_file(file, machine)
        passed += done
        if error is not None:
            failures += error.diagnostics
            if not json:
                print_error(error)
    if json:
        data = [diagnostic.to_json() for diagnostic in failures]
        print_json({"ok": not failures, "passed": passed, "diagnostics": data})
    elif passed:
        print_text(f"{passed} check{'' if passed == 1 else 's'} passed")
    elif not failures:
        print_text("no checks in these files: write `check net(P.image) == P.scores`")
    if failures:
        raise typer.Exit(1)


def _test_file(file: "Path", machine: str | None) -> tuple[int, CompileError | None]:
    """How many checks of a file passed, and what the others say."""
    from tdsl.api import load_all
    from tdsl.cli.frames import note_compilation
    from tdsl.golden import failure

    found: list[Diagnostic] = []
    passed = 0
    try:
        networks = load_all(file)
        for net in networks:
            for check in net.checked.checks:
                wrong = failure(net, check, net.machine(machine), note_compilation)
                passed += wrong is None
                found += [wrong] if wrong else []
    except CompileError as error:
        return passed, error
    return passed, CompileError(found, networks[0].sources) if found else None
