"""The meaning of every micro-op that works in a unit, in plain Python and NumPy.

Each function takes the state and the micro-op, changes the state, and returns the size of what it
did; the rules are those of `docs/machine.md`, in its words.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tdsl_runtime.description import PLANES
from tdsl_runtime.isa import AccOp, MicroOp, Opcode, StoreMode
from tdsl_runtime.state import Bits, Buffer, State, trits, unpack
from tdsl_runtime.timing import Extent, new_trits, steps


@dataclass(frozen=True, slots=True)
class Effect:
    """The size of one execution, and the ones that travelled on the channels."""

    extent: Extent
    ones: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where pixel `i` of a span, pixel `p0 + i` of its line, is computed."""

    i: int
    pixel: int
    step: int
    macros: slice
    segment: int


def span(state: State, op: MicroOp) -> range:
    """The pixels of the span of a micro-op."""
    first = state.counters[op["xcounter"]] * op["span"]
    return range(first, first + max(0, min(op["span"], op["limit"] - first)))


def line(state: State, op: MicroOp) -> int:
    """The line of a micro-op."""
    return state.counters[op["counter"]] // op["div"] * op["mul"] + op["off"]


def places(state: State, op: MicroOp) -> Iterator[Place]:
    """Every pixel of the span, with the active macros and the segment that compute it."""
    groups, segments = op["groups"], op["segments"]
    for i, pixel in enumerate(span(state, op)):
        group = i // segments % groups
        first = group * (state.machine.macros // groups)
        macros = slice(first, first + op["macros"])
        yield Place(i, pixel, i // (groups * segments), macros, i % segments)


def dot(state: State, op: MicroOp) -> Effect:
    """Ternary dot products of a span of pixels with one weight row."""
    buffer = state.buffers[op["buffer"]]
    new = new_trits(state.machine, op, buffer.pitch)
    length = op["lines"] * op["len"]
    weights = trits(state.cells[:, op["row"]].transpose(0, 2, 1, 3)).reshape(
        state.machine.macros, state.machine.columns
    )
    travelled = ones = 0
    for place in places(state, op):
        window = _window(state, op, buffer, op["x0"] + place.pixel * op["dx"])
        column = place.segment * (state.machine.columns // op["segments"]) + op["col"]
        sums = weights[place.macros, column : column + length] @ trits(window).reshape(-1)
        register = state.accumulators[op["acc"] + place.step * op["astep"], place.segment]
        sets = op["clear"] and (op["astep"] or place.step == 0)
        before = 0 if sets else register[place.macros]
        register[place.macros] = before + (sums << op["shift"])
        fresh = op["len"] if place.step == 0 else new
        travelled += op["lines"] * fresh
        ones += int(window[:, :, op["len"] - fresh :].sum())
    pixels = len(span(state, op))
    return Effect(Extent(pixels=pixels, trits=travelled, pitch=buffer.pitch), ones)


def _window(state: State, op: MicroOp, buffer: Buffer, pixel: int) -> Bits:
    """The trits that the channel forms for a source pixel: [2, lines, len]."""
    first, last = op["toff"], op["toff"] + op["len"]
    pixels = range(pixel + first // buffer.pitch, pixel + -(-last // buffer.pitch))
    skipped = first % buffer.pitch
    lines = [
        np.concatenate(
            [
                state.read_pixel(buffer, op["plane"], line(state, op) + k * op["ldil"], x)
                for x in pixels
            ],
            axis=1,
        )[:, skipped : skipped + op["len"]]
        for k in range(op["lines"])
    ]
    return np.stack(lines, axis=1)


def acc(state: State, op: MicroOp) -> Effect:
    """Arithmetic on the accumulators of all macros."""
    pixels = len(span(state, op))
    for q in range(steps(op, pixels)):
        into = state.accumulators[op["dst"] + q * op["dstep"], : op["segments"]]
        source = state.accumulators[op["src"] + q * op["sstep"], : op["segments"]]
        into[...] = _accumulated(AccOp(op["op"]), into, source, op["imm"])
    return Effect(Extent(pixels=pixels))


def _accumulated(
    operation: AccOp, old: NDArray[np.int64], source: NDArray[np.int64], imm: int
) -> NDArray[np.int64]:
    match operation:
        case AccOp.SET:
            return np.full_like(old, imm)
        case AccOp.COPY:
            return source.copy()
        case AccOp.ADD:
            return old + source
        case AccOp.MAX:
            return np.maximum(old, source)
        case AccOp.MIN:
            return np.minimum(old, source)
        case AccOp.ADDI:
            return old + imm
        case AccOp.MAXI:
            return np.maximum(old, imm)
        case AccOp.MINI:
            return np.minimum(old, imm)
        case AccOp.SHR:
            return old >> imm


def lut(state: State, op: MicroOp) -> Effect:
    """A function of two trits over a span of pixels."""
    into = state.buffers[op["buffer"]]
    table = np.array([(op["table"] >> 2 * entry) & 3 for entry in range(9)])
    for x in span(state, op):
        a = _operand(state, op, x, "a")
        b = _operand(state, op, x, "b")
        codes = table[3 * (a + 1) + (b + 1)]
        written = np.stack([codes & 1, codes >> 1]).astype(np.uint8)
        state.write_trits(into, op["plane"], line(state, op), x, 0, written)
    pixels = len(span(state, op))
    return Effect(Extent(pixels=pixels, trits=pixels * into.pitch, pitch=into.pitch))


def _operand(state: State, op: MicroOp, x: int, name: str) -> NDArray[np.int64]:
    buffer = state.buffers[op[name]]
    if op[f"{name}hold"]:
        return trits(state.read_pixel(buffer, op[f"{name}plane"], 0, 0))
    return trits(state.read_pixel(buffer, op[f"{name}plane"], line(state, op), x))


def tload(state: State, op: MicroOp) -> Effect:
    """Thresholds from rows into the T registers."""
    words = state.machine.words
    for j in range(op["n"]):
        row, slot = divmod(op["slot"] + j, 4 * words)
        plane, half = slot // 2 % 2, slot % 2
        bits = state.cells[plane, op["row"] + row, slot // 4, :, half * 32 : half * 32 + 32]
        weights = 1 << np.arange(32, dtype=np.int64)
        weights[31] = -weights[31]
        state.thresholds[j] = bits.astype(np.int64) @ weights
    return Effect(Extent())


def store(state: State, op: MicroOp) -> Effect:
    """Sums to values, gathered into a span of pixels."""
    into = state.buffers[op["buffer"]]
    y = line(state, op)
    for place in places(state, op):
        sums = state.accumulators[op["acc"] + place.step, place.segment, place.macros]
        values = _result(op, sums, state.thresholds[:, place.macros])
        x = op["x0"] + place.pixel // op["pool"] * op["dx"]
        overwrites = not op["combine"] and place.pixel % op["pool"] == 0
        if not overwrites and state.holds(into, y, x):
            there = state.read_values(into, y, x)[op["chan"] : op["chan"] + op["macros"]]
            values = np.maximum(values, there)
        state.write_values(into, y, x, op["chan"], values)
    pixels = len(span(state, op))
    moved = pixels * op["macros"] * into.planes
    return Effect(Extent(pixels=pixels, trits=moved, planes=into.planes))


def _result(
    op: MicroOp, sums: NDArray[np.int64], thresholds: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The values [macros] that sums become."""
    match StoreMode(op["mode"]):
        case StoreMode.TERN:
            below = np.where(sums < thresholds[0], -1, 0)
            return np.where(sums > thresholds[1], 1, below).astype(np.int64)
        case StoreMode.COUNT:
            crossed = thresholds[: op["levels"]] < sums
        case StoreMode.SPACED:
            distance = np.arange(op["levels"], dtype=np.int64)[:, None] << op["shift"]
            crossed = thresholds[0] + distance < sums
        case StoreMode.RAW:
            return sums.copy()
    values: NDArray[np.int64] = op["bias"] + crossed.sum(axis=0, dtype=np.int64)
    return values


def dmain(state: State, op: MicroOp) -> Effect:
    """One line of an input into a buffer."""
    into, y = state.buffers[op["buffer"]], line(state, op)
    port, image = state.inputs[op["port"]]
    pixels = [x for x in range(into.width) if state.is_inside(into, y, x)]
    for x in pixels:
        values = image[:, y, state.image_column(into, x)]
        if op["format"]:
            values = _thermometer(state, op, values)
        state.write_values(into, y, x, 0, values)
    moved = len(pixels) * port.channels
    trits_moved = moved * (op["levels"] if op["format"] else into.planes)
    return Effect(Extent(pixels=len(pixels), trits=trits_moved, bits=moved * port.bits))


def _thermometer(state: State, op: MicroOp, values: NDArray[np.int64]) -> NDArray[np.int64]:
    """The trits [channels * levels] that the values [channels] of a pixel become."""
    c, j = np.divmod(np.arange(len(values) * op["levels"]), op["levels"])
    low, high = state.levels[op["base"] + j + (c * op["levels"] if op["each"] else 0)].T
    above, below = values[c] > high, values[c] < low
    return np.where(above, 1, np.where(below, -1, 0)).astype(np.int64)


def dmaout(state: State, op: MicroOp) -> Effect:
    """One line of a buffer to an output."""
    buffer, y = state.buffers[op["buffer"]], line(state, op)
    port, image = state.outputs[op["port"]]
    asked = range(op["x0"], op["x0"] + op["limit"])
    columns = [(x, state.image_column(buffer, x)) for x in asked if 0 <= y < port.height]
    pixels = [(x, column) for x, column in columns if 0 <= column < port.width]
    for x, column in pixels:
        values = state.read_values(buffer, y, x)[op["chan"] : op["chan"] + op["n"]]
        if op["format"]:
            image[op["to"], y, column] = np.argmax(values)
        else:
            image[op["to"] : op["to"] + op["n"], y, column] = values
    bits = len(pixels) * port.bits * (1 if op["format"] else op["n"])
    moved = len(pixels) * op["n"] * buffer.planes
    return Effect(Extent(pixels=len(pixels), trits=moved, bits=bits))


def dmaw(state: State, op: MicroOp) -> Effect:
    """Weight rows from external memory."""
    source = state.external[op["source"] : op["source"] + op["n"]]
    for k, data in enumerate(source):
        state.cells[:, op["row"] + k] = unpack(data)
    trits_moved = op["n"] * state.machine.macros * state.machine.columns
    return Effect(Extent(trits=trits_moved, bits=trits_moved * PLANES))


MEANINGS: dict[Opcode, Callable[[State, MicroOp], Effect]] = {
    Opcode.DMAIN: dmain,
    Opcode.DMAOUT: dmaout,
    Opcode.DMAW: dmaw,
    Opcode.DOT: dot,
    Opcode.ACC: acc,
    Opcode.LUT: lut,
    Opcode.TLOAD: tload,
    Opcode.STORE: store,
}
"""The meaning of every micro-op that works in a unit."""
