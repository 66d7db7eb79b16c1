"""Compiled kernels are kept, and an edit of any of their files is seen."""

import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

import tdsl_runtime
from tdsl_runtime.kernels.execute import Features, digest_of, engine

PACKAGE = Path(str(tdsl_runtime.__file__)).parent
FILES = sorted(path.name for path in (PACKAGE / "kernels").glob("*.py"))

EMPTY_PROGRAM = """
import numpy as np
from tdsl_runtime.description import load_machine
from tdsl_runtime.encoding import encode
from tdsl_runtime.isa import Opcode, micro_op
from tdsl_runtime.program import Origin, Program
from tdsl_runtime.simulator import Simulator

machine = load_machine("nearmem-1mb")
rows = np.zeros((0, 2, machine.words, machine.macros), np.uint64)
program = Program(
    network="", machine=machine, code=encode([micro_op(Opcode.HALT)]),
    code_origins=np.zeros(1, np.int32), rows=np.zeros(0, np.int64), row_data=rows, external=rows,
    inputs=(), outputs=(), origins=(Origin("", 0, ""),),
)
Simulator(program, on_compile=lambda: print("compiled")).run({})
"""


@pytest.mark.parametrize("name", FILES)
def test_an_edit_of_any_file_changes_the_digest(name: str, tmp_path: Path) -> None:
    copytree(PACKAGE / "kernels", tmp_path / "kernels")
    before = digest_of(tmp_path / "kernels")
    assert before == digest_of(PACKAGE / "kernels")
    with (tmp_path / "kernels" / name).open("a") as file:
        file.write("#")
    assert digest_of(tmp_path / "kernels") != before


def test_engines_are_kept_by_digest_and_features() -> None:
    names = {
        engine(
            Features(False, lut, levels, lines=True, dots=True, rows=False, turned=False)
        ).py_func.__qualname__
        for lut in (False, True)
        for levels in (False, True)
    }
    assert len(names) == 4
    assert all(digest_of(PACKAGE / "kernels") in name for name in names)


@pytest.mark.slow
def test_an_edit_in_another_file_compiles_again(tmp_path: Path) -> None:
    copytree(PACKAGE, tmp_path / "tdsl_runtime", ignore=ignore_patterns("__pycache__"))
    assert _said(tmp_path) == "compiled"
    assert _said(tmp_path) == ""
    with (tmp_path / "tdsl_runtime" / "kernels" / "bits.py").open("a") as file:
        file.write("\n# Edited.\n")
    assert _said(tmp_path) == "compiled"


def _said(folder: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": str(folder / "kept")}
    run = subprocess.run(
        [sys.executable, "-c", EMPTY_PROGRAM],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.strip()
