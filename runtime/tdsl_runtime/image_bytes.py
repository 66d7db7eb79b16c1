"""Images <-> the bytes that the kernels read and write, and the element types they have."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tdsl_runtime.isa import MicroOp, Opcode
from tdsl_runtime.kernels import columns
from tdsl_runtime.packed import PackedTrits, words_of_line
from tdsl_runtime.ports import Images
from tdsl_runtime.program import Port, Program

Ints = NDArray[np.int64]
_NO_WORDS = np.zeros(0, np.uint64)
_WRITERS = (Opcode.DMAOUT, Opcode.BANDOUT, Opcode.REGOUT)


def input_ports(ports: Sequence[Port]) -> Ints:
    """The table of the input ports."""
    table = np.zeros((len(ports), columns.PORT_COLUMNS), np.int64)
    start = 0
    for row, port in zip(table, ports, strict=True):
        kind = element_type(port.low, port.high)
        row[:] = start, kind, *port.shape, port.bits
        start += int(np.prod(port.shape)) * np.dtype(columns.ELEMENTS[kind]).itemsize
    return table


def input_bytes(
    ports: Sequence[Port], table: Ints, images: Mapping[str, NDArray[Any]]
) -> NDArray[np.uint8]:
    """All input images as one row of bytes."""
    parts = [
        np.ascontiguousarray(images[port.name], columns.ELEMENTS[int(row[columns.P_TYPE])]).reshape(
            -1
        )
        for port, row in zip(ports, table, strict=True)
    ]
    if len(parts) == 1:
        return parts[0].view(np.uint8)
    return np.concatenate([np.zeros(0, np.uint8), *(part.view(np.uint8) for part in parts)])


def packed_ports(ports: Sequence[Port]) -> Ints:
    """The table of ports that take or give packed trits."""
    table = np.zeros((len(ports), columns.PORT_COLUMNS), np.int64)
    start = 0
    for row, port in zip(table, ports, strict=True):
        row[:] = start, columns.PACKED, *port.shape, port.bits
        start += 16 * port.height * words_of_line(port.channels, port.width)
    return table


def packed_bytes(ports: Sequence[Port], images: Mapping[str, PackedTrits]) -> NDArray[np.uint8]:
    """All input images of packed trits as one row of bytes."""
    parts = [np.ascontiguousarray(images[port.name].words).reshape(-1) for port in ports]
    return (parts[0] if len(parts) == 1 else np.concatenate([_NO_WORDS, *parts])).view(np.uint8)


def output_ports(program: Program) -> Ints:
    """The table of the output ports, with element types that hold whatever is written."""
    table = np.zeros((len(program.outputs), columns.PORT_COLUMNS), np.int64)
    start = 0
    for row, port, (low, high) in zip(table, program.outputs, written_ranges(program), strict=True):
        kind = element_type(low, high)
        row[:] = start, kind, *port.shape, port.bits
        size = int(np.prod(port.shape)) * np.dtype(columns.ELEMENTS[kind]).itemsize
        start += (size + 7) // 8 * 8
    return table


def written_ranges(program: Program) -> list[tuple[int, int]]:
    """The range of what a program may write to each output port."""
    planes = [1] * (1 << 8)
    for op in program.ops:
        if op.opcode is Opcode.BUF:
            planes[op["buffer"]] = max(planes[op["buffer"]], op["planes"])
    ranges = [(0, 0)] * len(program.outputs)
    for op in program.ops:
        if op.opcode in _WRITERS:
            low, high = _written(op, planes)
            before = ranges[op["port"]]
            ranges[op["port"]] = min(before[0], low), max(before[1], high)
    return ranges


def _written(op: MicroOp, planes: Sequence[int]) -> tuple[int, int]:
    """The range of what a micro-op may write to its output."""
    match op.opcode:
        case Opcode.BANDOUT:
            bits, signed = op["an"], op["as"]
            return -(1 << bits - 1) * signed, (1 << bits - signed) - 1
        case Opcode.REGOUT:
            return -(1 << 63), (1 << 63) - 1
        case _:
            value = op["n"] if op["format"] else (1 << planes[op["buffer"]]) - 1
            return -value, value


def bytes_of(table: Ints) -> int:
    """Bytes that the images of the output ports take, in whole words."""
    if not len(table):
        return 0
    last = table[-1]
    start, kind, channels, height, width = (int(value) for value in last[: columns.P_BITS])
    if kind == columns.PACKED:
        return start + 16 * height * words_of_line(channels, width)
    size = channels * height * width * np.dtype(columns.ELEMENTS[kind]).itemsize
    return start + (size + 7) // 8 * 8


def element_type(low: int, high: int) -> int:
    """The number of the first element type that holds all of low..high."""
    for number, kind in enumerate(columns.ELEMENTS):
        limits = np.iinfo(kind)
        if limits.min <= low and high <= limits.max:
            return number
    return len(columns.ELEMENTS) - 1


def output_images(ports: Sequence[Port], table: Ints, out: NDArray[np.uint8]) -> Images:
    """The images of the output ports [C, H, W], each of its element type, in the bytes given."""
    images: Images = {}
    for port, row in zip(ports, table, strict=True):
        kind = np.dtype(columns.ELEMENTS[int(row[columns.P_TYPE])])
        start = row[columns.P_START]
        size = int(np.prod(port.shape)) * kind.itemsize
        images[port.name] = out[start : start + size].view(kind).reshape(port.shape)
    return images


def packed_images(
    ports: Sequence[Port], table: Ints, out: NDArray[np.uint8]
) -> dict[str, PackedTrits]:
    """The images of output ports of packed trits."""
    images: dict[str, PackedTrits] = {}
    for port, row in zip(ports, table, strict=True):
        start, line = int(row[columns.P_START]), words_of_line(port.channels, port.width)
        words = out[start : start + 16 * port.height * line].view(np.uint64)
        images[port.name] = PackedTrits(
            words.reshape(2, port.height, line), port.channels, port.width
        )
    return images
