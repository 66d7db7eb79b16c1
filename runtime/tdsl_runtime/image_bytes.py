"""Images <-> the bytes that the kernels read and write, and the element types they have."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tdsl_runtime.isa import MicroOp, Opcode
from tdsl_runtime.kernels import columns
from tdsl_runtime.ports import Images
from tdsl_runtime.program import Port, Program

Ints = NDArray[np.int64]
_WRITERS = (Opcode.DMAOUT, Opcode.BANDOUT, Opcode.REGOUT)


def input_ports(
    ports: Sequence[Port], images: Mapping[str, NDArray[Any]]
) -> tuple[Ints, NDArray[np.uint8]]:
    """The table of the input ports, and all images as one row of bytes."""
    table = np.zeros((len(ports), columns.PORT_COLUMNS), np.int64)
    parts = [np.zeros(0, np.uint8)]
    start = 0
    for row, port in zip(table, ports, strict=True):
        kind = element_type(port.low, port.high)
        image = np.ascontiguousarray(images[port.name], columns.ELEMENTS[kind])
        row[:] = start, kind, *port.shape, port.bits
        parts.append(image.reshape(-1).view(np.uint8))
        start += image.nbytes
    return table, parts[1] if len(parts) == 2 else np.concatenate(parts)


def output_ports(program: Program) -> Ints:
    """The table of the output ports, with element types that hold whatever is written."""
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
    table = np.zeros((len(program.outputs), columns.PORT_COLUMNS), np.int64)
    start = 0
    for row, port, (low, high) in zip(table, program.outputs, ranges, strict=True):
        kind = element_type(low, high)
        row[:] = start, kind, *port.shape, port.bits
        size = int(np.prod(port.shape)) * np.dtype(columns.ELEMENTS[kind]).itemsize
        start += (size + 7) // 8 * 8
    return table


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
    """Bytes that the images of the output ports take."""
    if not len(table):
        return 0
    last = table[-1]
    values = last[columns.P_CHANNELS] * last[columns.P_HEIGHT] * last[columns.P_WIDTH]
    size = np.dtype(columns.ELEMENTS[int(last[columns.P_TYPE])]).itemsize
    return int(last[columns.P_START] + values * size)


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
