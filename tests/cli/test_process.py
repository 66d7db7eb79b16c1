"""What only a process of its own shows: which modules load, pipes that close, interrupts."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tdsl.resources import samples_folder
from tests.cli.command import environment, tdsl_command

FIRST = samples_folder() / "first" / "first.tnn"
LOADED = """
import sys
from tdsl.cli.main import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("modules", *sys.modules)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["check", str(FIRST)],
        ["fmt", "--check", str(FIRST)],
        ["explain", "E0703"],
        ["samples"],
        ["machines"],
        ["show", str(FIRST), "--emit", "syntax"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_reading_never_loads_numba(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    modules = done.stdout.splitlines()[-1].split()
    assert modules[0] == "modules"
    assert not {"numba", "llvmlite", "tdsl_runtime.kernels", "onnx", "torch"} & set(modules)
    if arguments[0] in ("--help", "explain", "samples"):
        assert "numpy" not in modules


def test_a_closed_pipe_is_no_mistake() -> None:
    for arguments in (["explain"], ["machines"], ["show", str(FIRST)]):
        running = subprocess.Popen(
            [sys.executable, "-m", "tdsl", *arguments],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        errors = running.stderr.read()
        running.stderr.close()
        running.wait(60)
        assert errors == b""


def test_an_interrupt_leaves_no_file(tmp_path: Path) -> None:
    """The signal comes while a fifo given as the input keeps the command waiting."""
    fifo = tmp_path / "endless.npy"
    os.mkfifo(fifo)
    running = subprocess.Popen(
        [sys.executable, "-m", "tdsl", "run", str(FIRST), str(fifo), "-o", str(tmp_path / "o.npy")],
        env=environment(TDSL_CACHE=str(tmp_path / "cache")),
        stderr=subprocess.PIPE,
        text=True,
    )
    writer = os.open(fifo, os.O_WRONLY)  # returns once the command has opened the other end
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    os.close(writer)
    assert running.returncode == 130
    assert "Traceback" not in errors
    assert [path.name for path in tmp_path.iterdir()] == ["endless.npy"]


def test_an_interrupt_while_starting_is_quiet(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt\n")
    path = os.pathsep.join([str(tmp_path), environment()["PYTHONPATH"]])
    done = tdsl_command("check", FIRST, PYTHONPATH=path)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_help_has_a_short_name() -> None:
    for command in ([], ["run"]):
        short, long = tdsl_command(*command, "-h"), tdsl_command(*command, "--help")
        assert (short.returncode, short.stdout) == (0, long.stdout)
        assert "Usage" in short.stdout


def test_an_internal_error_is_one_line_and_a_hint(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import tdsl.resources\n"
        "def broken():\n"
        "    raise ZeroDivisionError('a mistake of ours')\n"
        "tdsl.resources.samples_folder = broken\n"
    )
    path = os.pathsep.join([str(tmp_path), environment()["PYTHONPATH"]])
    done = tdsl_command("samples", PYTHONPATH=path)
    assert done.returncode == 70
    assert "internal error, please report it: ZeroDivisionError: a mistake of ours" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in tdsl_command("samples", PYTHONPATH=path, TDSL_DEBUG="1").stderr


def test_too_little_memory_is_a_diagnostic(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import tdsl.resources\n"
        "def full():\n"
        "    raise MemoryError('Unable to allocate')\n"
        "tdsl.resources.samples_folder = full\n"
    )
    path = os.pathsep.join([str(tmp_path), environment()["PYTHONPATH"]])
    done = tdsl_command("samples", PYTHONPATH=path)
    assert done.returncode == 1
    assert done.stderr.startswith("error[E0704]: this computer has too little memory")
    assert "= help: " in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device without room")
def test_a_full_disk_is_a_diagnostic() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tdsl", "explain"],
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("error[E0712]")


def test_a_closed_standard_output_is_no_mistake() -> None:
    code = "import sys; sys.stdout = None; sys.argv[1:] = ['explain', 'E0101']\n"
    code += "from tdsl.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
