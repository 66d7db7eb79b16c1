"""A step's terms -> pieces: stretches of trits that a channel can carry and a row can hold."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from tdsl.lowering.plan import Piece
from tdsl.lowering.steps import Array, Term

ALIGNMENT = 64
"""Long runs are cut at word borders, where the channel needs no shifting."""


@dataclass(frozen=True, slots=True)
class Room:
    """What a piece may use: columns of a row (or segment), and lines of the window register.

    `dense` packs rows without gaps: a piece that reaches over the end of a row becomes two.
    """

    columns: int
    lines: int
    dense: bool = False


def cut(terms: tuple[Term, ...], outputs: slice, room: Room) -> tuple[tuple[Piece, ...], int]:
    """The pieces of the output channels `outputs`, placed in weight rows, and how many rows."""
    pieces = [
        piece
        for number, term in enumerate(terms)
        for piece in _cut_term(number, term, term.weights[outputs], room)
        if piece.weights.any()
    ]
    return _place(pieces, room)


def _cut_term(number: int, term: Term, weights: Array, room: Room) -> Iterator[Piece]:
    height, width = weights.shape[2:]
    side_by_side = width == 1 or term.dilation[1] == 1
    for x in (0,) if side_by_side else range(width):
        taps = weights if side_by_side else weights[:, :, :, x : x + 1]
        pixel = term.offset[1] + x * term.dilation[1]
        run = taps.shape[1] * taps.shape[3]
        joined = max(1, min(room.lines, height, room.columns // run if run <= room.columns else 1))
        for line in range(0, height, joined):
            lines = taps[:, :, line : line + joined]
            flat = lines.transpose(0, 2, 3, 1).reshape(len(taps), lines.shape[2], run)
            offset = term.offset[0] + line * term.dilation[0]
            yield from _cut_run(number, offset, pixel, flat, room.columns)


def _cut_run(number: int, line: int, pixel: int, flat: Array, columns: int) -> Iterator[Piece]:
    """Pieces of `flat` `[outputs, lines, run]`, without the columns that are zero at both ends."""
    outputs, lines, run = flat.shape
    used = np.flatnonzero(flat.any(axis=(0, 1)))
    if not used.size:
        return
    start, stop = int(used[0]), int(used[-1]) + 1
    size = run if run <= columns else max(1, columns // ALIGNMENT) * ALIGNMENT
    for skip in range(start, stop, size):
        part = flat[:, :, skip : min(skip + size, stop)]
        length = part.shape[2]
        yield Piece(number, line, lines, pixel, skip, length, part.reshape(outputs, -1), 0, 0)


def _place(pieces: list[Piece], room: Room) -> tuple[tuple[Piece, ...], int]:
    """First fit: every piece goes to the first row with room; equal weights share their place."""
    filled: list[int] = []
    known: dict[tuple[int, bytes], tuple[int, int]] = {}
    placed: list[Piece] = []
    waiting = list(reversed(pieces))
    while waiting:
        piece = waiting.pop()
        size = piece.weights.shape[1]
        key = (size, piece.weights.tobytes())
        if key not in known:
            left = room.columns - filled[-1] if filled else 0
            if room.dense and piece.lines == 1 and 0 < left < size:
                waiting += reversed(_split(piece, left))
                continue
            row = next((r for r, u in enumerate(filled) if u + size <= room.columns), len(filled))
            if row == len(filled):
                filled.append(0)
            known[key] = (row, filled[row])
            filled[row] += size
        row, column = known[key]
        placed.append(replace(piece, row=row, column=column))
    return tuple(placed), len(filled)


def _split(piece: Piece, length: int) -> tuple[Piece, Piece]:
    """The first `length` trits of a piece of one line, and the rest."""
    head = replace(piece, length=length, weights=piece.weights[:, :length])
    rest = piece.length - length
    tail = replace(piece, skip=piece.skip + length, length=rest, weights=piece.weights[:, length:])
    return head, tail
