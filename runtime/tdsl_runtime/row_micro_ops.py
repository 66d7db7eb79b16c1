"""The meaning of every row micro-op that works in a unit, in plain Python and NumPy.

As in `micro_ops.py`: state and micro-op in, the state changed, the size of what was done out. A row
of bits is uint8 [active columns]; the rules are those of `docs/machine.md`, "Row micro-ops".
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tdsl_runtime.isa import Border, MicroOp, Opcode, Reduction, Relation
from tdsl_runtime.micro_ops import Effect, line
from tdsl_runtime.program import Port
from tdsl_runtime.state import Bits, State
from tdsl_runtime.timing import Extent, immediate_bits

Row = NDArray[np.integer[Any]]
Values = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tile:
    """Where the pixels of a tile are: image lines and columns, and columns of the array."""

    lines: Values
    pixels: Values
    columns: Values

    def inside(self, height: int, width: int) -> NDArray[np.bool_]:
        """Which pixels [lines, width] lie inside an image."""
        rows = (self.lines >= 0) & (self.lines < height)
        pixels = (self.pixels >= 0) & (self.pixels < width)
        return rows[:, None] & pixels


def tile(state: State, op: MicroOp, first: int = 0, step: int = 1) -> Tile:
    """The tile of a micro-op."""
    x = state.counters[op["xcounter"]] * op["xmul"] + op["xoff"]
    lines, pixels = np.arange(op["lines"]), np.arange(op["width"])
    columns = first + lines[:, None] * op["pitch"] + pixels * step
    return Tile(line(state, op) + lines, x + pixels, columns)


def _bits(state: State, op: MicroOp, name: str) -> Iterator[Row]:
    """The bits of an operand, each read when it is asked for, and what is repeated after them."""
    row: Row = np.zeros(state.active_columns, np.uint8)
    for j in range(op[f"{name}n"]):
        row = state.read_row(op[name] + j)
        yield row
    while True:
        yield row if op[f"{name}s"] else np.zeros_like(row)


def _value(state: State, op: MicroOp, name: str) -> Values:
    """The numbers of an operand [active columns], all of its bits read."""
    total = np.zeros(state.active_columns, np.int64)
    rows = op[f"{name}n"]
    for j in range(rows):
        bit = state.read_row(op[name] + j).astype(np.int64) << j
        total += -bit if op[f"{name}s"] and j == rows - 1 else bit
    return total


def _effect(state: State, rows: int, pixels: int = 0, bits: int = 0) -> Effect:
    """`rows` bit rows worked through."""
    moved = rows * state.active_columns
    return Effect(Extent(pixels=pixels, trits=moved, bits=bits, macros=state.active))


def logic(state: State, op: MicroOp) -> Effect:
    """Any function of two bits."""
    table = np.array([op["table"] >> entry & 1 for entry in range(4)], np.uint8)
    for j in range(op["n"]):
        x = state.read_row(op["a"] + j * op["astep"])
        y = state.read_row(op["b"] + j * op["bstep"])
        state.write_row(op["dst"] + j, table[2 * x + y])
    return _effect(state, op["n"])


def add(state: State, op: MicroOp) -> Effect:
    """The sum or difference of two values."""
    sub = op["sub"]
    subtrahend = (y ^ sub for y in _bits(state, op, "b"))
    return _added(state, op, _bits(state, op, "a"), subtrahend, sub)


def add_immediate(state: State, op: MicroOp) -> Effect:
    """The sum of a value and an immediate, or the immediate less the value."""
    neg = op["neg"]
    immediate = (
        np.full(state.active_columns, op["imm"] >> j & 1, np.uint8) for j in range(op["n"])
    )
    return _added(state, op, (x ^ neg for x in _bits(state, op, "a")), immediate, neg)


def _added(
    state: State, op: MicroOp, first: Iterator[Row], second: Iterator[Row], carried: int
) -> Effect:
    carry: Row = np.full(state.active_columns, carried, np.uint8)
    for j in range(op["n"]):
        total = next(first) + next(second) + carry
        state.write_row(op["dst"] + j, total & 1)
        carry = total >> 1
    return _effect(state, op["n"])


def compare(state: State, op: MicroOp) -> Effect:
    """Whether one value is less than another, or equal."""
    return _compared(state, op, _value(state, op, "b"), op["bn"])


def compare_immediate(state: State, op: MicroOp) -> Effect:
    """Whether a value is less than an immediate, or equal."""
    return _compared(state, op, op["imm"], immediate_bits(op["imm"]))


def _compared(state: State, op: MicroOp, other: Values | int, bits: int) -> Effect:
    value = _value(state, op, "a")
    holds = value < other if op["op"] == Relation.LESS else value == other
    state.write_row(op["dst"], holds ^ op["inv"])
    return _effect(state, max(op["an"], bits))


def select(state: State, op: MicroOp) -> Effect:
    """One of two values, column by column."""
    tag = state.read_row(op["tag"])
    a, b = _bits(state, op, "a"), _bits(state, op, "b")
    for j in range(op["n"]):
        state.write_row(op["dst"] + j, np.where(tag, next(a), next(b)))
    return _effect(state, op["n"])


def move(state: State, op: MicroOp) -> Effect:
    """Bit rows of neighbouring columns."""
    source = np.arange(state.active_columns) + op["by"]
    active = (source >= 0) & (source < state.active_columns)
    for j in range(op["n"]):
        row = state.read_row(op["a"] + j)
        state.write_row(op["dst"] + j, np.where(active, row[np.where(active, source, 0)], 0))
    return _effect(state, op["n"])


def count(state: State, op: MicroOp) -> Effect:
    """A reduction over the columns into a result register."""
    values = _value(state, op, "a")[state.read_row(op["mask"]) == 1]
    before = 0 if op["clear"] else state.results[op["slot"]]
    if op["op"] == Reduction.SUM:
        state.results[op["slot"]] = before + values.sum()
    else:
        state.results[op["slot"]] = before | int(values.any())
    return _effect(state, op["an"])


def band_in(state: State, op: MicroOp) -> Effect:
    """A tile of one channel of an input into bit rows."""
    port, image = state.inputs[op["port"]]
    place = tile(state, op)
    inside = place.inside(port.height, port.width)
    y, x = np.clip(place.lines, 0, port.height - 1), np.clip(place.pixels, 0, port.width - 1)
    pixels = image[op["chan"]][y[:, None], x]
    if op["border"] == Border.CONSTANT:
        pixels = np.where(inside, pixels, op["pad"])
    values = np.zeros(state.active_columns, np.int64)
    values[place.columns] = pixels
    for j in range(op["n"]):
        state.write_row(op["dst"] + j, values >> j & 1)
    return _band(state, op["n"], int(inside.sum()), port)


def band_out(state: State, op: MicroOp) -> Effect:
    """A tile of one channel of an output from bit rows."""
    port, image = state.outputs[op["port"]]
    place = tile(state, op, op["first"], op["step"])
    inside = place.inside(port.height, port.width)
    rows, i = np.nonzero(inside)
    values = _value(state, op, "a")[place.columns[rows, i]]
    image[op["chan"], place.lines[rows], place.pixels[i]] = values
    return _band(state, op["an"], int(inside.sum()), port)


def _band(state: State, rows: int, pixels: int, port: Port) -> Effect:
    return _effect(state, rows, pixels, pixels * port.bits)


def results_out(state: State, op: MicroOp) -> Effect:
    """Result registers to an output of one pixel."""
    port, image = state.outputs[op["port"]]
    image[op["chan"] : op["chan"] + op["n"], 0, 0] = state.results[op["slot"] :][: op["n"]]
    return Effect(Extent(pixels=1, bits=op["n"] * port.bits))


def spread(state: State, op: MicroOp) -> Effect:
    """Channels of a tile of a line buffer into trit rows."""
    buffer, place = state.buffers[op["buffer"]], tile(state, op)
    left = state.image_column(buffer, 0)
    trits: Bits = np.zeros((2, op["n"], state.active_columns), np.uint8)
    for k, i in np.ndindex(place.columns.shape):
        y, x = int(place.lines[k]), int(place.pixels[i]) - left
        pixel = state.read_pixel(buffer, op["plane"], y, x)[:, op["chan"] :][:, : op["n"]]
        trits[:, :, place.columns[k, i]] = pixel[0], pixel[0] & pixel[1]
    for c in range(op["n"]):
        for plane in range(2):
            state.write_row(2 * (op["row"] + c) + plane, trits[plane, c])
    inside = place.inside(buffer.image_height, buffer.image_width)
    return _effect(state, 2 * op["n"], int(inside.sum()))


def pack(state: State, op: MicroOp) -> Effect:
    """Trit rows into channels of a tile of a line buffer."""
    buffer, place = state.buffers[op["buffer"]], tile(state, op, op["first"], op["step"])
    left, pixels = state.image_column(buffer, 0), 0
    rows = [state.read_row(2 * op["row"] + r) for r in range(2 * op["n"])]
    trits: Bits = np.stack([rows[::2], rows[1::2]])
    trits[1] &= trits[0]
    for k, i in np.ndindex(place.columns.shape):
        y, x = int(place.lines[k]), int(place.pixels[i]) - left
        values = trits[:, :, place.columns[k, i]]
        state.write_trits(buffer, op["plane"], y, x, op["chan"], values)
        pixels += state.holds(buffer, y, x)
    return _effect(state, 2 * op["n"], pixels)


def declared(state: State, op: MicroOp) -> Effect:
    """A user-defined micro-op takes its time; the body that follows is its meaning."""
    return _effect(state, 1)


ROW_MEANINGS: dict[Opcode, Callable[[State, MicroOp], Effect]] = {
    Opcode.LOGIC: logic,
    Opcode.SUM: add,
    Opcode.SUMI: add_immediate,
    Opcode.CMP: compare,
    Opcode.CMPI: compare_immediate,
    Opcode.SELECT: select,
    Opcode.MOVE: move,
    Opcode.COUNT: count,
    Opcode.BANDIN: band_in,
    Opcode.BANDOUT: band_out,
    Opcode.REGOUT: results_out,
    Opcode.SPREAD: spread,
    Opcode.PACK: pack,
    Opcode.UOP: declared,
}
"""The meaning of every row micro-op that works in a unit."""
