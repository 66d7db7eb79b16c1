"""`python -m benchmarks.run`: times the simulator and native runtimes, prints the ratios."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import llvmlite.binding as llvm
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.ceiling import fastest_tile
from benchmarks.measure import Timing, measure
from benchmarks.networks import Network, all_networks, random_input
from benchmarks.ours import check_ours, ours
from benchmarks.peers import Contestant, Kind, check_peers, peers
from benchmarks.without_amx import refuse_amx

FEATURES = (
    "avx2", "avxvnni", "avx512f", "avx512bw", "avx512vnni", "avx512vpopcntdq", "gfni",
    "amx-tile", "amx-int8",
)  # fmt: skip
PACKAGES = ("numpy", "numba", "llvmlite", "onnxruntime", "ai-edge-litert")


def cpu_name() -> str:
    """The processor's own name where the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.split(":")[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def describe_machine(amx: bool) -> str:
    """Processor, features that matter here, versions."""
    host = llvm.get_host_cpu_features()
    features = " ".join(name for name in FEATURES if host.get(name, False))
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    tiles = "" if amx else " (AMX refused to this process)"
    return (
        f"{cpu_name()}, {os.cpu_count()} cores; {features}{tiles}\n"
        f"Python {platform.python_version()}, {versions}"
    )


def best(timings: Sequence[Timing], kind: Kind) -> Timing | None:
    """The fastest of a kind by its median."""
    return min(
        (t for t in timings if t.contestant.kind is kind), key=lambda t: t.median, default=None
    )


def timing_table(network: Network, timings: Sequence[Timing], threads: int) -> Table:
    """One network's measurements."""
    size = f"{network.width}x{network.height}"
    frames = "one frame, one thread" if threads == 1 else f"{threads} frames at once"
    table = Table(title=f"{network.name} {size}: {frames}", title_justify="left")
    for column in ("", "MMAC a frame", "median ms", "minimum ms", "GMAC/s"):
        table.add_column(column, justify="left" if column == "" else "right")
    for timing in timings:
        one = timing.contestant
        is_ceiling = one.kind is Kind.CEILING
        cells = (f"{timing.median * 1e3:.3f}", f"{timing.minimum * 1e3:.3f}")
        work = f"{one.macs / 1e6:.1f}"
        row = ("", "", "") if is_ceiling else (work, *cells)
        table.add_row(one.name, *row, f"{timing.gmacs:.0f}")
    return table


def ratios(timings: Sequence[Timing]) -> str:
    """How many times faster ours is, a frame, by medians (by minima), and its ceiling share."""
    ours = best(timings, Kind.OURS)
    if ours is None:
        return ""
    parts: list[str] = []
    for kind in (Kind.INT8, Kind.FLOAT):
        other = best(timings, kind)
        if other is not None:
            typical, least = other.median / ours.median, other.minimum / ours.minimum
            parts.append(f"{typical:.2f}x ({least:.2f}x) {other.contestant.name}")
    ceiling = best(timings, Kind.CEILING)
    if ceiling is not None:
        parts.append(f"{ours.gmacs / ceiling.gmacs:.0%} of the popcount ceiling")
    return "ours: " + ", ".join(parts)


def main(
    network: Annotated[list[str] | None, typer.Option(help="Only this one; repeatable.")] = None,
    threads: Annotated[list[int] | None, typer.Option(help="Frames at once; repeatable.")] = None,
    rounds: Annotated[int, typer.Option(help="Turns of each contestant.")] = 10,
    machine: Annotated[
        str | None, typer.Option(help="The simulated machine, for all; else one that suits.")
    ] = None,
    without_amx: Annotated[bool, typer.Option("--without-amx", help="Refuse AMX to all.")] = False,
) -> None:
    """Time the simulator and the native runtimes in turns, on every benchmarked network."""
    if without_amx:
        refuse_amx()
    console = Console()
    console.print(describe_machine(amx=not without_amx), highlight=False)
    tile = fastest_tile()
    for candidate in all_networks():
        if network is not None and candidate.name not in network:
            continue
        frame = random_input(candidate)
        check_peers(candidate, frame)
        check_ours(candidate, frame, machine)

        def contestants() -> tuple[Contestant, ...]:
            return (ours(candidate, frame, machine), *peers(candidate, frame), tile)  # noqa: B023

        for count in threads or (1, 2):
            timings = measure(contestants, count, rounds)
            console.print(timing_table(candidate, timings, count))
            console.print(ratios(timings), highlight=False)


if __name__ == "__main__":
    typer.run(main)
