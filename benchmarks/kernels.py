"""`python -m benchmarks.kernels`: kernels on VGA pictures, simulated, beside OpenCV.

One core, warm, contestants in turns. OpenCV does the work natively; the simulator executes every
micro-op of the array and counts cycles, and still has to be in its neighbourhood.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.measure import calls_a_turn, turn_alone
from benchmarks.peers import Run
from benchmarks.run import cpu_name
from samples.kernels.motion import changed
from samples.kernels.sobel import sobel
from tdsl.kernel_calls import Kernel
from tdsl.lowering.pixels.compile_rows import compile_rows
from tdsl_runtime.description import load_machine
from tdsl_runtime.simulator import Simulator

HEIGHT, WIDTH = 480, 640
THRESHOLD = 24

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Contest:
    """A kernel, the pictures it gets, and the same work in OpenCV."""

    name: str
    kernel: Kernel
    pictures: tuple[Picture, ...]
    opencv: Callable[..., Any]
    same: Callable[[Any], NDArray[Any]]
    """The kernel's result from that of OpenCV."""


def contests() -> tuple[Contest, ...]:
    """Motion detection on a pair of frames, Sobel on one."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (HEIGHT // 16, WIDTH // 16))
    now = np.kron(coarse, np.ones((16, 16), np.int64)).astype(np.uint8)
    before = np.clip(now.astype(np.int64) + rng.integers(-30, 31, now.shape), 0, 255)
    pair = (now, before.astype(np.uint8))
    return (
        Contest("absdiff + threshold", changed, pair, _opencv_motion, np.asarray),
        Contest("Sobel, x and y", sobel, pair[1:], _opencv_sobel, _strength),
    )


def _opencv_motion(now: Picture, before: Picture) -> Any:
    return cv2.threshold(cv2.absdiff(now, before), THRESHOLD, 1, cv2.THRESH_BINARY)[1]


def _opencv_sobel(picture: Picture) -> Any:
    """The two gradients alone: their sizes are not added up."""
    border = cv2.BORDER_REPLICATE
    return tuple(
        cv2.Sobel(picture, cv2.CV_16S, dx, 1 - dx, ksize=3, borderType=border) for dx in (1, 0)
    )


def _strength(gradients: Any) -> NDArray[Any]:
    gx, gy = (np.abs(np.asarray(g, np.int64)) for g in gradients)
    return np.minimum((gx + gy) >> 1, 255)


def compile_milliseconds(contest: Contest, machine: str) -> float:
    """From row program to micro-ops, the fastest of five."""
    rows, described = contest.kernel.rows(), load_machine(machine)
    found: list[float] = []
    for _ in range(5):
        start = time.perf_counter()
        compile_rows(rows, HEIGHT, WIDTH, described)
        found.append(time.perf_counter() - start)
    return 1e3 * min(found)


def ours(contest: Contest, machine: str) -> tuple[Run, int]:
    """A run of the simulator, whose result is OpenCV's; and the cycles."""
    rows = contest.kernel.rows()
    simulator = Simulator(compile_rows(rows, HEIGHT, WIDTH, load_machine(machine)))
    given = {
        one.name: picture[None] for one, picture in zip(rows.inputs, contest.pictures, strict=True)
    }
    result = simulator.run(given)
    (found,) = result.outputs.values()
    if not np.array_equal(found[0], contest.same(contest.opencv(*contest.pictures))):
        raise SystemExit(f"{contest.name}: the simulator and OpenCV differ")
    return lambda: simulator.run(given), result.counters.cycles


def main(
    machine: Annotated[str, typer.Option(help="a preset or a machine file")] = "nearmem-1mb",
    rounds: Annotated[int, typer.Option(min=1, help="turns of each contestant")] = 10,
) -> None:
    """Time kernels on VGA pictures beside OpenCV, on one core."""
    cv2.setNumThreads(1)
    table = Table("work", "compiled", "simulated", "OpenCV", "ratio", "on the array")
    clock = load_machine(machine).hertz
    for contest in contests():
        run, cycles = ours(contest, machine)
        runs: tuple[Run, Run] = (run, lambda c=contest: c.opencv(*c.pictures))
        samples: tuple[list[float], list[float]] = ([], [])
        calls = [calls_a_turn(one) for one in runs]
        for _ in range(rounds):
            for place in range(2):
                samples[place].extend(turn_alone(runs[place], calls[place]))
        simulated, native = (1e3 * median(found) for found in samples)
        table.add_row(
            contest.name,
            f"{compile_milliseconds(contest, machine):.1f} ms",
            f"{simulated:.2f} ms ({1e3 * min(samples[0]):.2f})",
            f"{native:.3f} ms ({1e3 * min(samples[1]):.3f})",
            f"{simulated / native:.1f}",
            f"{cycles:,} cycles, {1e3 * cycles / clock:.2f} ms",
        )
    console = Console()
    console.print(f"{cpu_name()}, OpenCV {cv2.__version__}, {WIDTH}x{HEIGHT}, {machine}, one core")
    console.print(table)
    console.print("median (and minimum) of one frame, warm; ratio: simulated / OpenCV")


if __name__ == "__main__":
    typer.run(main)
