"""Compiled programs kept per user: what is compiled once is loaded the next time.

The key is a hash of everything a program is made from, so that an entry never goes stale. A damaged
entry is made again, and a folder that cannot be written only costs time.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

import tdsl_runtime
from tdsl.compiler import compile_graph
from tdsl.ir.graph import Graph
from tdsl.ir.parameters import Arrays
from tdsl.lowering.choose import Wishes
from tdsl.resources import PACKAGE, release
from tdsl_runtime.description import MachineDescription, machine_data
from tdsl_runtime.errors import MachineError
from tdsl_runtime.program import Program

KEPT = 64
"""Programs kept; the ones used longest ago go first."""


def cached_program(
    graph: Graph,
    arrays: Arrays,
    machine: MachineDescription,
    sizes: Mapping[str, int],
    wishes: Wishes,
) -> Program:
    """The program of `graph`, from the cache or compiled anew. Raises CompileError."""
    entry = cache_folder() / f"{_key(graph, arrays, machine, sizes, wishes)}.tprog"
    try:
        program = Program.load(entry)
        os.utime(entry)
    except (MachineError, OSError):
        program = compile_graph(graph, arrays, machine, sizes, wishes).program
        _store(program, entry)
    return program


def cache_folder() -> Path:
    """Where programs are kept: $TDSL_CACHE, or `tdsl` in the user's cache folder."""
    chosen = os.environ.get("TDSL_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) / "tdsl"


def _store(program: Program, entry: Path) -> None:
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        program.save(entry)
        by_age = sorted(entry.parent.glob("*.tprog"), key=lambda path: path.stat().st_mtime)
        for old in by_age[:-KEPT]:
            old.unlink(missing_ok=True)
    except (MachineError, OSError):
        return


def _key(
    graph: Graph,
    arrays: Arrays,
    machine: MachineDescription,
    sizes: Mapping[str, int],
    wishes: Wishes,
) -> str:
    digest = hashlib.sha256(_compiler_version().encode())
    digest.update(f"{graph!r} {wishes.goal} {sorted(wishes.pinned.items())}".encode())
    digest.update(json.dumps([machine_data(machine), dict(sizes)], sort_keys=True).encode())
    for parameter in sorted(arrays, key=repr):
        array = arrays[parameter]
        digest.update(f"\n{parameter!r} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _compiler_version() -> str:
    """The release, and the state of the compiler's own files, which an edit changes."""
    runtime = Path(str(tdsl_runtime.__file__)).parent
    files = sorted(file for folder in (PACKAGE, runtime) for file in folder.rglob("*.py"))
    states = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return f"{release()} {states}"
