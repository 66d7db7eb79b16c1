"""A DotStep in both organisations: what each costs, and which one serves the goal."""

from dataclasses import dataclass
from math import ceil

import numpy as np

from tdsl.lowering.allocate import Misfit, line_trits
from tdsl.lowering.costs import dot_cost, row_cost
from tdsl.lowering.organisation import Choice, Goal, Organisation, StepCost
from tdsl.lowering.parallel import forms
from tdsl.lowering.pixels.row_tile import RowTile
from tdsl.lowering.row_form import has_row_form, row_form, row_sources, row_stride
from tdsl.lowering.row_plan import row_plan, row_step, tile_of
from tdsl.lowering.steps import DotStep, RowStep, Tensor
from tdsl.rows.ir import Binary, Compare, Range
from tdsl_runtime.description import PLANES, MachineDescription

SHARED = 0.35
"""The part of a layer's additions that is left where sums are shared, about."""
MIDDLE = 32
"""Lines of the bands of images of any size: few enough that most images have several."""
PARTS = (0.5, 0.75, 0.9)
"""Parts of the bit rows that a row program may fill; features need the rest."""
SLOWER = 4
"""How many times slower the pixel-packed form may be to be of interest for its energy."""
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

    def choice(self, in_rows: StepCost | None) -> Choice:
        """What was decided in the end: `in_rows` is the cost if the layer is pixel-packed."""
        name, other = self.step.name, self.packed.cost if self.packed else None
        if in_rows is not None:
            return Choice(name, Organisation.PIXELS, in_rows, self.channels, self.note)
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
    slower = 1 if goal is Goal.CYCLES else SLOWER
    if pinned is None and least > slower * channels.cycles:
        return Candidate(step, kept, channels, note=f"pixels take about {least:,} cycles")
    packed = pack(step, machine, goal, any_size)
    if isinstance(packed, Misfit):
        return Candidate(step, kept, channels, note=f"pixels: {packed}")
    if pinned is Organisation.PIXELS:
        return Candidate(step, Organisation.PIXELS, channels, packed, "pinned")
    better = goal.of(packed.cost) < goal.of(channels)
    return Candidate(step, Organisation.PIXELS if better else kept, channels, packed)


def _channels(step: DotStep, machine: MachineDescription) -> StepCost:
    return dot_cost(step, forms(step, machine)[0], machine)


def pack(
    step: DotStep, machine: MachineDescription, goal: Goal, any_size: bool = False
) -> Packed | Misfit:
    """The layer as a row program that serves the goal best, or what is missing.

    Bit rows of the program are missing for features, and the other way round: several parts of the
    array are tried for either.
    """
    found: list[Packed] = []
    missing = Misfit("bit rows", 1, 0, "rows")
    for part in PARTS:
        packed = _packed_in(step, machine, int(PLANES * machine.rows * part), any_size)
        if isinstance(packed, Packed):
            found.append(packed)
        else:
            missing = packed
        if isinstance(packed, Misfit) and packed.unit == "words":
            break
    return min(found, key=lambda packed: goal.of(packed.cost)) if found else missing


def _packed_in(
    step: DotStep, machine: MachineDescription, there: int, any_size: bool
) -> Packed | Misfit:
    """The layer in so many bit rows.

    As many output channels are made together as rows allow: they share sums.
    """
    room = there - _input_rows(step) - TEMPORARY
    together = min(step.out.channels, max(1, room // _sum_bits(step)))
    while True:
        program = row_form(step, together)
        words = sum(isinstance(value.op, Binary | Compare) for value in program.values)
        if words > machine.program_words:
            return Misfit(
                "micro-ops of sums and thresholds alone", words, machine.program_words, "words"
            )
        sources = tuple(tensor for tensor, _ in row_sources(step))
        rows = row_step(step.name, step.out, sources, program, step.span, step.macs)
        tile = tile_of(rows, there)
        words = len(tile.code.steps)
        if words > machine.program_words:
            return Misfit("micro-ops of a tile", words, machine.program_words, "words")
        if tile.rows <= there:
            lines = MIDDLE if any_size else _lines(step, machine, tile.rows)
            if not lines:
                return Misfit("bit rows beside the features", tile.rows, there, "rows")
            planned = row_plan(rows, tile, machine, lines, any_size)
            return Packed(rows, tile, row_cost(*planned, machine, any_size))
        if together == 1 or _input_rows(step) > there:
            return Misfit("bit rows", tile.rows, there, "rows")
        together = -(-together // 2)


def _lines(step: DotStep, machine: MachineDescription, rows: int) -> int:
    """Source lines of the tallest bands that leave so many bit rows, were the layer alone."""
    sources = [tensor for tensor, _ in row_sources(step)]
    held = sum(t.planes * line_trits(t, t.width) for t in sources)
    made = step.out.planes * line_trits(step.out, step.out.width)
    height = sources[0].height
    there = machine.macros * machine.columns * (machine.rows - -(-rows // PLANES))
    if height * held + step.out.height * made <= there:
        return height
    around = max(int(term.weights.shape[2]) for term in step.terms)
    return max(0, (there - around * held) // (2 * held + -(-made // row_stride(step)[0])))


def about(step: DotStep, machine: MachineDescription, any_size: bool = False) -> int:
    """Cycles that the pixel-packed form takes, about, and rather too few."""
    source = step.terms[0].source
    size = source.height * source.width
    tiles = size / (machine.macros * machine.columns)
    tiles = max(tiles, source.height / MIDDLE) if any_size else ceil(tiles)
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
