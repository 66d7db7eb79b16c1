"""Results and their cost -> tables of at most 80 columns."""

from collections.abc import Iterator

import numpy as np
from rich.table import Table

from tdsl.cli.frames import Done
from tdsl.cli.terminal import print_tables, print_text, progress
from tdsl.cli.units import bits, count, energy, percent, seconds
from tdsl.cost.summary import Cost
from tdsl.images.port import Array, Port, size_text
from tdsl.images.writing import has_picture

MOST_SCORES = 10
MOST_FRAMES = 24


def print_single(network: str, done: Done) -> None:
    """The outputs of one frame in full, then what it cost."""
    cost = done.result.cost
    shape = size_text(next(iter(done.frame.arrays.values())).shape)
    print_text(f"{network} on {cost.machine}: {done.frame.label}, {shape}\n")
    for port in done.ports:
        print_tables(*_output(port, done), "")
    print_tables(cost_table(cost))


def print_frames(network: str, frames: Iterator[Done]) -> None:
    """One line a frame, then what all of them cost together."""
    rows: list[Done] = []
    with progress("simulating", None) as step:
        for done in frames:
            rows.append(done)
            step(1)
    cost = rows[0].result.cost
    print_text(f"{network} on {cost.machine}: {len(rows)} frames\n")
    table = Table("frame", *(port.name for port in rows[0].ports), box=None, pad_edge=False)
    for title in ("cycles", "energy"):
        table.add_column(title, justify="right")
    for done in rows[:MOST_FRAMES]:
        outputs = (_brief(port, done) for port in done.ports)
        spent = done.result.cost
        table.add_row(
            done.frame.label, *outputs, f"{spent.cycles:,}", energy(spent.energy_pj.typical)
        )
    left = len(rows) - MOST_FRAMES
    more = [f"... and {left} more; --json prints all of them"] if left > 0 else []
    print_tables(table, *more, "", f"in all: {_total(rows)}")


def cost_table(cost: Cost) -> Table:
    """The summary of one run."""
    clock = cost.cycles / cost.seconds_at_clock
    memory = cost.memory_bits
    table = Table(box=None, pad_edge=False, show_header=False)
    per_second = 1 / cost.seconds_at_clock
    table.add_row(
        "cycles",
        f"{cost.cycles:,}: {seconds(cost.seconds_at_clock)} at {clock / 1e6:g} MHz, "
        f"{per_second:,.0f} frames a second",
    )
    low, high = energy(cost.energy_pj.low), energy(cost.energy_pj.high)
    table.add_row("energy", f"{energy(cost.energy_pj.typical)} ({low} to {high})")
    if cost.macs is not None and cost.utilisation is not None:
        used = f"{percent(cost.utilisation)} of {cost.peak_macs:,} a cycle"
        table.add_row("MACs", f"{count(cost.macs)}: {used}")
    paged = f", paged {bits(memory.external)}" if memory.external else ""
    table.add_row(
        "memory",
        f"weights {bits(memory.weights)}, features {bits(memory.features)}, "
        f"program {bits(memory.program)}{paged}",
    )
    speed = f", {_rate(cost.gmac_per_second)}" if cost.gmac_per_second else ""
    table.add_row("simulated", f"in {seconds(cost.simulation_seconds)}{speed}")
    return table


def _rate(giga: float) -> str:
    return f"{giga:,.0f} GMAC/s" if giga >= 1 else f"{giga * 1000:,.0f} MMAC/s"


def _output(port: Port, done: Done) -> list[Table | str]:
    array = done.result[port.name]
    file = done.files.get(port.name)
    if file is not None:
        return [f"{port.name}: written to {file}"]
    if array.size == 1:
        return [f"{port.name}: {array.item()}"]
    if array.ndim == 1 or array.size == len(array):
        return [_scores(port.name, array.reshape(-1))]
    hint = "OUT.png" if has_picture(port) else "OUT.npy"
    return [f"{port.name}: {_described(array)}; -o {hint} writes it"]


def _scores(name: str, scores: Array) -> Table:
    """The largest scores first, each with a bar."""
    order = np.argsort(-scores, kind="stable")[:MOST_SCORES]
    span = max(1, int(scores.max()) - int(scores.min()))
    table = Table(name, "", "", box=None, pad_edge=False)
    for index in order:
        length = round(30 * (int(scores[index]) - int(scores.min())) / span)
        table.add_row(str(index), f"{scores[index]:>6}", "#" * length)
    return table


def _described(array: Array) -> str:
    extents = "x".join(map(str, array.shape))
    return f"{extents}, values {array.min()} to {array.max()}, mean {array.mean():z.1f}"


def _brief(port: Port, done: Done) -> str:
    array = done.result[port.name]
    file = done.files.get(port.name)
    if file is not None:
        return str(file)
    if array.size == 1:
        return str(array.item())
    if array.size == len(array):
        return f"largest {int(array.max())} at {int(array.argmax())}"
    return f"mean {array.mean():z.1f}"


def _total(rows: list[Done]) -> str:
    costs = [done.result.cost for done in rows]
    at_clock = sum(cost.seconds_at_clock for cost in costs)
    simulated = sum(cost.simulation_seconds for cost in costs)
    spent = energy(sum(cost.energy_pj.typical for cost in costs))
    return (
        f"{sum(cost.cycles for cost in costs):,} cycles, {seconds(at_clock)}, {spent}; "
        f"simulated in {seconds(simulated)}"
    )
