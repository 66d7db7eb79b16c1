"""What of a tile's work goes on beside what other, and the extra rows that this takes."""

from dataclasses import dataclass, replace

from tdsl.lowering.pixels.bit_rows import Assignment, Life, assign, lives
from tdsl.lowering.pixels.code import Load, Offset, Register, Rows, Step, TileCode
from tdsl.lowering.pixels.step_writer import OR
from tdsl_runtime.isa import Opcode


@dataclass(frozen=True, slots=True)
class Overlap:
    """`keep`: lines that the tile below has read are kept for the tile above, not read again.

    `ahead`: the next tile is read while this one is worked on. `behind`: results are written while
    the next tile is worked on.
    """

    keep: bool
    ahead: bool
    behind: bool


OVERLAPS = (
    Overlap(keep=True, ahead=True, behind=True),
    Overlap(keep=False, ahead=True, behind=True),
    Overlap(keep=True, ahead=True, behind=False),
    Overlap(keep=False, ahead=True, behind=False),
    Overlap(keep=True, ahead=False, behind=False),
    Overlap(keep=False, ahead=False, behind=False),
)


@dataclass(frozen=True, slots=True)
class Placed:
    """The code of a tile with bit rows, its lines as they are read and kept.

    `landings` take what a tile reads, in the order of the code's loads; `first` are the loads of
    the kept lines, before the first tile. `mask` registers hold the tile's own pixels, those of the
    last lines, and those of the last columns.
    """

    steps: tuple[Step, ...]
    landings: tuple[Load, ...]
    kept: tuple[Load, ...]
    masks: tuple[Rows, ...]
    registers: tuple[Register, ...]
    lives: tuple[Life | None, ...]
    assignment: Assignment


def place(code: TileCode, overlap: Overlap, lines: int, masks: int) -> Placed:
    """Give rows to a tile of `lines` lines of its own, with `masks` registers for masks."""
    registers = list(code.registers)
    steps: list[Step] = []
    landings: list[Load] = []
    kept: list[Load] = []
    for load in code.loads:
        if overlap.keep and load.region.extra.dy:
            registers.append(Register(load.rows.count))
            landing = Rows(len(registers) - 1, 0, load.rows.count)
            steps += _merged(load.rows, landing, lines)
            landings.append(replace(load, rows=landing))
            kept.append(load)
        else:
            landings.append(load)
    steps += code.steps
    extra = range(len(registers), len(registers) + masks)
    registers += [Register(1)] * masks
    mask_rows = tuple(Rows(register, 0, 1) for register in extra)
    read = [load.rows.register for load in landings]
    stored = [store.rows.register for store in code.stores]
    lasting = [load.rows.register for load in kept] + [rows.register for rows in mask_rows]
    lasting += [code.mask] if code.mask is not None else []
    lasting += (read if overlap.ahead else []) + (stored if overlap.behind else [])
    found = lives(registers, steps, [*lasting, *read], [*lasting, *stored])
    return Placed(
        tuple(steps),
        tuple(landings),
        tuple(kept),
        mask_rows,
        tuple(registers),
        found,
        assign(registers, steps, found),
    )


def _merged(kept: Rows, landing: Rows, lines: int) -> list[Step]:
    """The lines kept move down by a tile, and those that were read join them."""
    fetch = Step(Opcode.MOVE, kept, (kept,), by=Offset(-lines))
    both = (("astep", 1), ("bstep", 1), ("table", OR))
    return [fetch, Step(Opcode.LOGIC, kept, (kept, landing), both)]
