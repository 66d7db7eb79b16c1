"""The table of docs/pixel-packed.md is what the compiler and the machine give."""

import runpy
from pathlib import Path

import pytest

from tdsl.kernel_calls import Kernel
from tdsl.lowering.pixels.compile_rows import assemble, plan_rows
from tdsl.lowering.pixels.predict import predict_program
from tdsl.resources import samples_folder
from tdsl_runtime.description import load_machine
from tdsl_runtime.isa import Unit

HEIGHT, WIDTH = 480, 640
PAGE = Path(__file__).parents[3] / "docs" / "pixel-packed.md"


def row(path: Path) -> str:
    """The row of a sample."""
    kernels = [v for v in runpy.run_path(str(path)).values() if isinstance(v, Kernel)]
    machine = load_machine("nearmem-1mb")
    plan = plan_rows(kernels[-1].rows(), HEIGHT, WIDTH, machine)
    program = assemble(plan, HEIGHT, WIDTH, machine)
    counters = predict_program(program)
    ports = (*program.inputs, *program.outputs)
    bits = sum(p.channels * p.bits for p in ports if p.height > 1)
    alone = HEIGHT * WIDTH * bits // machine.dma_bits
    layout = plan.tiling.layout
    cells = (
        f"`{path.stem}`",
        f"{alone:,}",
        f"{counters.cycles:,}",
        f"{counters.busy[Unit.ARRAY]:,}",
        f"{counters.cycles / (HEIGHT * WIDTH):.3f}",
        f"{layout.lines} x {layout.width}",
        f"{plan.placed.assignment.rows}",
    )
    return f"| {' | '.join(cells)} |"


@pytest.mark.skipif(not PAGE.exists(), reason="the page does not travel with the package")
@pytest.mark.parametrize(
    "path", sorted((samples_folder() / "kernels").glob("*.py")), ids=lambda path: path.stem
)
def test_a_row_of_the_table(path: Path) -> None:
    assert row(path) in PAGE.read_text("utf-8")


@pytest.mark.parametrize("machine", ["nearmem-1mb", "csram-128", "nearmem-16mb"])
@pytest.mark.parametrize(
    "path", sorted((samples_folder() / "kernels").glob("*.py")), ids=lambda path: path.stem
)
def test_the_cycles_in_the_samples_page(path: Path, machine: str) -> None:
    kernels = [v for v in runpy.run_path(str(path)).values() if isinstance(v, Kernel)]
    program = kernels[-1].compile((WIDTH, HEIGHT), machine=machine)
    text = (samples_folder() / "kernels" / "README.md").read_text("utf-8")
    (line,) = (line for line in text.splitlines() if line.startswith(f"| `{path.stem}` |"))
    column = ["nearmem-1mb", "csram-128", "nearmem-16mb"].index(machine)
    stated = line.split("|")[2 + column].split("(")[0].strip()
    assert stated == f"{predict_program(program).cycles:,}"
