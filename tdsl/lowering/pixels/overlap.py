"""What of a tile's work goes on beside what other, and the extra rows that this takes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tdsl.lowering.pixels.bit_rows import Assignment, Life, assign, lives
from tdsl.lowering.pixels.code import (
    NO_REGISTER,
    Load,
    Offset,
    Region,
    Register,
    Rows,
    Step,
    TileCode,
)
from tdsl.lowering.pixels.step_writer import COPY, OR
from tdsl_runtime.isa import Opcode


@dataclass(frozen=True, slots=True)
class Overlap:
    """`keep`: lines that the tile below has read are kept for the tile above, not read again.

    `ahead`: the next tile is read while this one is worked on; with `copy`, what is not kept is
    copied first, so that the next tile can be read all the time. `behind`: results are written
    while the next tile is worked on.
    """

    keep: bool = False
    copy: bool = False
    ahead: bool = False
    behind: bool = False


_OVERLAPS = tuple(
    Overlap(keep=keep, copy=copy, ahead=ahead, behind=behind)
    for keep in (False, True)
    for ahead, copy, behind in (
        (False, False, False),
        (True, False, False),
        (True, True, False),
        (True, False, True),
        (True, True, True),
    )
)


def sensible_overlaps(regions: Sequence[Region]) -> Iterator[Overlap]:
    """The kinds of overlap that make a difference for inputs with these neighbourhoods."""
    tall = [region.extra.dy > 0 for region in regions]
    for overlap in _OVERLAPS:
        if (any(tall) or not overlap.keep) and not (overlap.keep and overlap.copy and all(tall)):
            yield overlap


@dataclass(frozen=True, slots=True)
class Placed:
    """The code of a tile with bit rows, its lines as they are read and kept.

    `landings` take what a tile reads, in the order of the code's loads; `kept` are the loads of
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
        joined = overlap.keep and load.region.extra.dy > 0
        if not joined and not overlap.copy:
            landings.append(load)
            continue
        registers.append(Register(load.rows.count))
        landing = Rows(len(registers) - 1, 0, load.rows.count)
        landings.append(replace(load, rows=landing))
        if joined:
            kept.append(load)
            steps += _joined(load.rows, landing, lines)
        else:
            steps.append(_copied(load.rows, landing))
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


def _joined(kept: Rows, landing: Rows, lines: int) -> list[Step]:
    """The lines kept move down by a tile, and those that were read join them."""
    fetch = Step(Opcode.MOVE, kept, (kept,), by=Offset(-lines))
    both = (("astep", 1), ("bstep", 1), ("table", OR))
    return [fetch, Step(Opcode.LOGIC, kept, (kept, landing), both)]


def _copied(rows: Rows, landing: Rows) -> Step:
    """What was read, where it can stay."""
    numbers = (("astep", 1), ("bstep", 0), ("table", COPY))
    return Step(Opcode.LOGIC, rows, (landing, Rows(NO_REGISTER, 0, 1)), numbers)
