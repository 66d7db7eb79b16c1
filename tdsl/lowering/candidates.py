"""A DotStep in both organisations: what each costs, and which one serves the goal."""

from dataclasses import dataclass
from math import ceil

import numpy as np

from tdsl.lowering.costs import dot_cost, row_cost
from tdsl.lowering.organisation import Choice, Goal, Organisation, StepCost
from tdsl.lowering.parallel import forms
from tdsl.lowering.pixels.row_tile import RowTile
from tdsl.lowering.row_form import has_row_form, row_form, row_sources
from tdsl.lowering.row_plan import row_plan, row_step, tile_of
from tdsl.lowering.steps import DotStep, RowStep, Tensor
from tdsl.rows.ir import Range
from tdsl_runtime.description import PLANES, MachineDescription

SHARED = 0.35
"""The part of a layer's additions that is left where sums are shared, about."""
MIDDLE = 32
"""Lines of the bands of images of any size: few enough that most images have several."""
TEMPORARY = 48
"""Bit rows for a chunk's taps and partial sums, about."""


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """A layer as a row program, the code of its tile, and what a frame costs."""

    step: RowStep
    tile: RowTile
    cost: StepCost


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A layer; `packed` is there where the pixel-packed form was worked out."""

    step: DotStep
    taken: Organisation
    channels: StepCost
    packed: Packed | None = None
    note: str = ""

    def choice(self, in_rows: bool) -> Choice:
        """What was decided in the end."""
        name, other = self.step.name, self.packed.cost if self.packed else None
        if in_rows:
            assert other is not None
            return Choice(name, Organisation.PIXELS, other, self.channels, self.note)
        unfit = self.taken is Organisation.PIXELS
        note = "a whole frame is better without" if unfit else self.note
        return Choice(name, Organisation.CHANNELS, self.channels, other, note)


def candidate(
    step: DotStep,
    machine: MachineDescription,
    goal: Goal,
    pinned: Organisation | None,
    any_size: bool = False,
) -> Candidate:
    """The layer in both organisations, as far as the second one can be of interest.

    For images of `any_size` the costs are those of a line, times the lines: the choice is the same
    for every height.
    """
    kept = Organisation.CHANNELS
    if not has_row_form(step):
        whole = StepCost(0, 0, 0.0)
        channels = whole if step.whole else _channels(step, machine)
        return Candidate(step, kept, channels, note="not pixel by pixel")
    channels = _channels(step, machine)
    least = about(step, machine, any_size)
    if pinned is Organisation.CHANNELS:
        return Candidate(step, kept, channels, note="pinned")
    if pinned is None and least > channels.cycles:
        return Candidate(step, kept, channels, note=f"pixels take about {least:,} cycles")
    packed = pack(step, machine, any_size)
    if isinstance(packed, int):
        note = f"pixels need {packed} bit rows, there are {PLANES * machine.rows}"
        return Candidate(step, kept, channels, note=note)
    if pinned is Organisation.PIXELS:
        return Candidate(step, Organisation.PIXELS, channels, packed, "pinned")
    better = goal.of(packed.cost) < goal.of(channels)
    return Candidate(step, Organisation.PIXELS if better else kept, channels, packed)


def _channels(step: DotStep, machine: MachineDescription) -> StepCost:
    return dot_cost(step, forms(step, machine)[0], machine)


def pack(step: DotStep, machine: MachineDescription, any_size: bool = False) -> Packed | int:
    """The layer as a row program, or how many bit rows it would need.

    As many output channels are made together as rows allow: they share sums.
    """
    there = PLANES * machine.rows
    room = there - _input_rows(step) - TEMPORARY
    together = min(step.out.channels, max(1, room // _sum_bits(step)))
    while True:
        program = row_form(step, together)
        sources = tuple(tensor for tensor, _ in row_sources(step))
        rows = row_step(step.name, step.out, sources, program, step.span, step.macs)
        tile = tile_of(rows, machine)
        if tile.rows <= there:
            lines = MIDDLE if any_size else sources[0].height
            planned = row_plan(rows, tile, machine, lines, any_size)
            return Packed(rows, tile, row_cost(*planned, machine, any_size))
        if together == 1 or _input_rows(step) > there:
            return tile.rows
        together = -(-together // 2)


def about(step: DotStep, machine: MachineDescription, any_size: bool = False) -> int:
    """Cycles that the pixel-packed form takes, about, and rather too few."""
    source = step.terms[0].source
    size = source.height * source.width
    tiles = size / (machine.macros * machine.columns)
    tiles = tiles if any_size else ceil(tiles)
    bits = max(2, min(_bits(term.source) for term in step.terms))
    weights = sum(int(np.count_nonzero(term.weights)) for term in step.terms)
    sums = SHARED * weights * (bits + 2) + step.out.channels * _sum_bits(step)
    read = sum(tensor.planes * tensor.channels for tensor, _ in row_sources(step)) * size
    written = step.out.planes * step.out.channels * step.out.height * step.out.width
    rate = min(machine.channel_trits, machine.gather_trits)
    return round(tiles * sums) + (read + written) // rate


def _input_rows(step: DotStep) -> int:
    return sum(_bits(tensor) * tensor.channels for tensor, _ in row_sources(step))


def _bits(tensor: Tensor) -> int:
    return Range(tensor.low, tensor.high).bits


def _sum_bits(step: DotStep) -> int:
    """Bit rows of a sum, about."""
    reach = sum(
        max(-t.source.low, t.source.high) * int(np.abs(t.weights).sum(axis=(1, 2, 3)).max())
        for t in step.terms
    )
    return 1 + reach.bit_length()
