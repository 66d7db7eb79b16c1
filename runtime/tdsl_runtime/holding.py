"""Micro-ops -> where gathered lines are held, and which micro-ops write over them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from tdsl_runtime.isa import MicroOp, Opcode
from tdsl_runtime.kernels import columns
from tdsl_runtime.program import Program

Ints = NDArray[np.int64]
Span = tuple[int, int]
_MANY_SLOTS = 16

_Key = tuple[int, ...]
"""Buffer, plane, and the line's formula but for its offset: lines of a hold differ by offsets."""


@dataclass(frozen=True, slots=True)
class Holding:
    """The tables of the holds; the kernels give their columns.

    `hold_of` is the hold of each DOT. The rows of `watched` from `watches[op, 0]` on, `watches[op,
    1]` in number, are the holds that a micro-op writes over: one line of them, or all (1).
    """

    hold_of: Ints
    holds: Ints
    slots: int
    words: int
    watches: Ints
    watched: Ints


def holding(
    program: Program,
    groups: Sequence[Sequence[int]],
    written: Sequence[Sequence[Span]],
    first_word: int,
) -> Holding:
    """Lay out the holds from `first_word` on; `written` are the words that each micro-op writes."""
    ops = program.ops
    keys: dict[_Key, int] = {}
    hold_of = np.full(len(ops), -1, np.int64)
    for at, op in enumerate(ops):
        if op.opcode is Opcode.DOT:
            hold_of[at] = keys.setdefault(_key(op), len(keys))
    holds = np.zeros((len(keys), columns.HOLD_COLUMNS), np.int64)
    word, slots = first_word, 0
    for number, row in enumerate(holds):
        members = [[ops[at] for at in group if hold_of[at] == number] for group in groups]
        dots = [dot for group in members for dot in group]
        first, last, pitch = _pixels(dots, _descriptors(ops, dots[0]["buffer"]))
        room = (((last - first) * pitch + 127) // 64 + columns.SLACK + 7) // 8 * 8
        turns = _turns([_lines(group) for group in members if group])
        row[:] = word, room, turns, slots, first, last
        word, slots = word + turns * room, slots + turns
    watches, watched = _watches(program, keys, written)
    return Holding(hold_of, holds, slots, word - first_word, watches, watched)


def buffer_span(op: MicroOp) -> Span:
    """The words of the buffer that a BUF describes."""
    line = -(-op["width"] * op["pitch"] // 64)
    start = op["base"] // 64
    return start, start + op["planes"] * op["depth"] * line


def _key(op: MicroOp) -> _Key:
    return tuple(op[name] for name in ("buffer", "plane", "counter", "div", "mul"))


def _descriptors(ops: Sequence[MicroOp], buffer: int) -> list[MicroOp]:
    return [op for op in ops if op.opcode is Opcode.BUF and op["buffer"] == buffer]


def _pixels(dots: Sequence[MicroOp], descriptors: Sequence[MicroOp]) -> tuple[int, int, int]:
    """The first pixel of a line that is ever needed, the one behind the last, and the pitch."""
    pitches = [op["pitch"] for op in descriptors]
    low, high = min(pitches), max(pitches)
    first = min(dot["x0"] + dot["toff"] // high for dot in dots)
    last = max(
        dot["x0"] + (_sums(dot) - 1) * dot["dx"] + (dot["toff"] + dot["len"] - 1) // low + 1
        for dot in dots
    )
    return first, max(last, first + 1), high


def _sums(dot: MicroOp) -> int:
    most = dot["limit"] if dot["xcounter"] else min(dot["span"], dot["limit"])
    return max(1, int(most))


def _lines(dots: Sequence[MicroOp]) -> set[int]:
    """The offsets of the lines that a run needs at once."""
    return {int(dot["off"] + line * dot["ldil"]) for dot in dots for line in range(dot["lines"])}


def _turns(runs: Sequence[set[int]]) -> int:
    """Slots with which no two lines of a run fall on one; if few do, all lines have their own."""
    every = set[int]().union(*runs)
    if max(every) - min(every) < _MANY_SLOTS:
        return max(every) - min(every) + 1
    return next(
        turns
        for turns in count(max(map(len, runs)))
        if all(len({off % turns for off in offs}) == len(offs) for offs in runs)
    )


def _watches(
    program: Program, keys: dict[_Key, int], written: Sequence[Sequence[Span]]
) -> tuple[Ints, Ints]:
    watches = np.zeros((len(program.ops), 2), np.int64)
    watched: list[tuple[int, int]] = []
    spans = {key: [buffer_span(op) for op in _descriptors(program.ops, key[0])] for key in keys}
    for at, op in enumerate(program.ops):
        rows = list(_written_over(program, op, written[at], keys, spans)) if written[at] else []
        watches[at] = len(watched), len(rows)
        watched += rows
    return watches, np.array(watched, np.int64).reshape(-1, 2)


def _written_over(
    program: Program,
    op: MicroOp,
    written: Sequence[Span],
    keys: dict[_Key, int],
    spans: dict[_Key, list[Span]],
) -> Iterator[tuple[int, int]]:
    for key, number in keys.items():
        if _names_buffer(op) and op["buffer"] == key[0]:
            yield number, int(not _writes_one_line(program, op))
        elif any(a < d and c < b for a, b in written for c, d in spans[key]):
            yield number, 1


def _names_buffer(op: MicroOp) -> bool:
    return op.opcode in (Opcode.DMAIN, Opcode.STORE, Opcode.LUT, Opcode.PACK)


def _writes_one_line(program: Program, op: MicroOp) -> bool:
    """Whether a micro-op surely writes no more than a line of its buffer."""
    descriptors = _descriptors(program.ops, op["buffer"])
    if len(descriptors) != 1:
        return False
    pitch = descriptors[0]["pitch"]
    match op.opcode:
        case Opcode.STORE:
            return bool(op["chan"] + op["macros"] <= pitch)
        case Opcode.DMAIN:
            size = program.inputs[op["port"]].channels * (op["levels"] if op["format"] else 1)
            return bool(size <= pitch)
        case Opcode.LUT:
            return True
        case _:
            return False
