"""Running the command line in a process of its own, as a user does."""

import os
import subprocess
import sys
from pathlib import Path

import tdsl
import tdsl_grammar
import tdsl_runtime

HOMES = {
    str(Path(str(module.__file__)).parents[1]) for module in (tdsl, tdsl_runtime, tdsl_grammar)
}


def environment(**changes: str) -> dict[str, str]:
    """The environment in which a new process imports the packages that this one imports."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sorted(HOMES)), **changes}


def tdsl_command(
    *arguments: str | Path, cwd: Path | None = None, **changes: str
) -> subprocess.CompletedProcess[str]:
    """Run `tdsl ARGUMENTS` in a new process."""
    return subprocess.run(
        [sys.executable, "-m", "tdsl", *map(str, arguments)],
        cwd=cwd,
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=300,
    )
