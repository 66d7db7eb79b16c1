"""The array's cycles for a tile: what does not depend on the layout is added up once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tdsl.lowering.pixels.code import Offset, Step, TileCode
from tdsl.lowering.pixels.places import Layout
from tdsl_runtime.description import PLANES, MachineDescription
from tdsl_runtime.isa import Opcode

_SUM_BITS = 16
"""Bits of a macro's sum that COUNT gathers."""


@dataclass(frozen=True, slots=True)
class ArrayCost:
    """Cycles of some steps: `fixed`, and what depends on the tile.

    `moves` are distances with the bit rows that move so far, `counts` the reductions, `spreads` the
    pixels around a tile of every transposition into rows, `packs` those out of them.
    """

    fixed: int
    moves: tuple[tuple[Offset, int], ...]
    counts: int
    spreads: tuple[Offset, ...]
    packs: int

    def cycles(self, layout: Layout, stride: tuple[int, int], machine: MachineDescription) -> int:
        """Cycles for a tile that lies inside the image."""
        total = self.fixed
        total += sum(rows * hops(by.columns(layout.pitch), machine) for by, rows in self.moves)
        total += self.counts * -(-_SUM_BITS * layout.macros // (PLANES * machine.gather_trits))
        rate = min(machine.channel_trits, machine.gather_trits)
        for extra in self.spreads:
            total += -(-(layout.lines + extra.dy) * (layout.width + extra.dx) // rate)
        results = -(-layout.lines // stride[0]) * -(-layout.width // stride[1])
        return total + self.packs * -(-results // rate)


def array_cost(code: TileCode, steps: Sequence[Step], machine: MachineDescription) -> ArrayCost:
    """The cost of the first steps of a tile's code, or of all."""
    regions = dict(code.spreads)
    moves: Counter[Offset] = Counter()
    spreads: list[Offset] = []
    fixed = counts = packs = 0
    for step in outside_bodies(steps):
        fixed += _fixed(step, machine)
        match step.opcode:
            case Opcode.MOVE:
                moves[step.by] += step.into.count if step.into else 0
            case Opcode.COUNT:
                counts += 1
            case Opcode.SPREAD if step.channel is not None:
                spreads.append(regions[step.channel].extra)
            case Opcode.PACK:
                packs += 1
            case _:
                pass
    return ArrayCost(fixed, tuple(moves.items()), counts, tuple(spreads), packs)


def outside_bodies(steps: Sequence[Step]) -> list[Step]:
    """The steps that take time: not the meaning of a user's micro-op."""
    found: list[Step] = []
    at = 0
    while at < len(steps):
        found.append(steps[at])
        at += 1 + (dict(steps[at].numbers)["body"] if steps[at].opcode is Opcode.UOP else 0)
    return found


def hops(distance: int, machine: MachineDescription) -> int:
    """Cycles in which a bit row moves some columns: macro by macro, then within macros."""
    macros, columns = divmod(abs(distance), machine.columns)
    return 1 + macros + columns.bit_count()


def _fixed(step: Step, machine: MachineDescription) -> int:
    """What a step takes in any layout."""
    latch = machine.latch_cycles
    match step.opcode:
        case Opcode.CMP | Opcode.CMPI:
            return latch + 1 + max(rows.count for rows in step.reads)
        case Opcode.SELECT:
            return latch + 1 + (step.into.count if step.into else 0)
        case Opcode.MOVE:
            return latch
        case Opcode.COUNT:
            return latch + step.reads[0].count
        case Opcode.SPREAD | Opcode.PACK:
            return 0
        case Opcode.UOP:
            return dict(step.numbers)["cycles"]
        case _:
            return latch + (step.into.count if step.into else 0)
