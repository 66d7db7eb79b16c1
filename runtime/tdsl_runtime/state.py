"""The state of a running machine, held as plainly as possible: one array element a bit.

Feature trits are reached through line buffers, whose borders and addresses are resolved here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tdsl_runtime.description import PLANES, WORD, MachineDescription
from tdsl_runtime.errors import MachineError
from tdsl_runtime.isa import MicroOp, Opcode
from tdsl_runtime.program import Port, Program

Bits = NDArray[np.uint8]
"""Trits as bits: [2, ...], the nonzero and the sign plane."""

LEVELS = 1 << 12
"""Entries of the sensor port's level table."""
RESULTS = 1 << 10
"""Result registers."""


@dataclass(frozen=True, slots=True)
class Buffer:
    """A line buffer as `BUF` describes it."""

    base: int
    pitch: int
    width: int
    depth: int
    planes: int
    image_width: int
    image_height: int
    pad: int
    strip: int
    step: int
    halo: int

    @staticmethod
    def described(op: MicroOp) -> "Buffer":
        """The buffer that a `BUF` describes."""
        assert op.opcode is Opcode.BUF
        return Buffer(*op.values[1:])

    @property
    def line_trits(self) -> int:
        """Trits from line to line."""
        return -(-self.width * self.pitch // WORD) * WORD

    @property
    def end(self) -> int:
        """The first trit address after the buffer."""
        return self.base + self.planes * self.depth * self.line_trits

    def address(self, plane: int, line: int, pixel: int) -> int:
        """Trit address of a pixel's first trit."""
        held = plane * self.depth + line % self.depth
        return self.base + held * self.line_trits + pixel * self.pitch


class State:
    """Cells, registers, buffers, loop counters, and what stands at the ports.

    `cells` is uint8 [2, R, W, M, 64]; `accumulators` int64 [A, W, M]; `thresholds` int64 [T, M];
    `levels` int64 [4096, 2] (lo, hi); `counters` the 8 loop counters; `inputs` and `outputs` the
    images [C, H, W] of the ports; `external` uint64 [e, 2, W, M]; `active` the macros that take
    part in row micro-ops; `results` int64 [1024].
    """

    def __init__(self, program: Program, inputs: Mapping[str, NDArray[Any]]) -> None:
        machine = program.machine
        self.machine: MachineDescription = machine
        shape = (machine.rows, machine.words, machine.macros)
        self.cells: Bits = np.zeros((2, *shape, WORD), np.uint8)
        for row, data in zip(program.rows, program.row_data, strict=True):
            self.cells[:, row] = unpack(data)
        self.accumulators = np.zeros(
            (machine.accumulators, machine.words, machine.macros), np.int64
        )
        self.thresholds = np.zeros((machine.thresholds, machine.macros), np.int64)
        self.levels = np.zeros((LEVELS, 2), np.int64)
        self.counters = [0] * 8
        self.buffers: dict[int, Buffer] = {}
        self.inputs: list[tuple[Port, NDArray[np.int64]]] = [
            (port, inputs[port.name].astype(np.int64)) for port in program.inputs
        ]
        self.outputs: list[tuple[Port, NDArray[np.int64]]] = [
            (port, np.zeros(port.shape, np.int64)) for port in program.outputs
        ]
        self.external = program.external
        self.active = machine.macros
        self.results = np.zeros(RESULTS, np.int64)

    @property
    def active_columns(self) -> int:
        """Columns that take part in row micro-ops."""
        return self.active * self.machine.columns

    def read_row(self, row: int) -> NDArray[np.uint8]:
        """The active columns of a bit row, in their order."""
        cells = self.cells[row % PLANES, row // PLANES, :, : self.active]
        return cells.transpose(1, 0, 2).reshape(-1).copy()

    def write_row(self, row: int, bits: NDArray[Any]) -> None:
        """Write the active columns of a bit row; the others keep their state."""
        ordered = bits.reshape(self.active, self.machine.words, WORD).transpose(1, 0, 2)
        self.cells[row % PLANES, row // PLANES, :, : self.active] = ordered

    def image_column(self, buffer: Buffer, pixel: int) -> int:
        """The pixel of the image that a buffer's pixel is."""
        return pixel + self.counters[buffer.strip] * buffer.step - buffer.halo

    def is_inside(self, buffer: Buffer, line: int, pixel: int) -> bool:
        """Whether a pixel of the buffer lies inside the image."""
        column = self.image_column(buffer, pixel)
        return 0 <= line < buffer.image_height and 0 <= column < buffer.image_width

    def holds(self, buffer: Buffer, line: int, pixel: int) -> bool:
        """Whether a pixel lies inside the image and inside the buffer."""
        return self.is_inside(buffer, line, pixel) and 0 <= pixel < buffer.width

    def read_pixel(self, buffer: Buffer, plane: int, line: int, pixel: int) -> Bits:
        """The trits of one plane of a pixel [2, pitch]: the pad outside the image.

        Raises MachineError for a pixel inside the image that the buffer does not hold.
        """
        if not self.is_inside(buffer, line, pixel):
            pad = np.array([abs(buffer.pad), int(buffer.pad < 0)], np.uint8)
            return np.repeat(pad[:, None], buffer.pitch, axis=1)
        if not 0 <= pixel < buffer.width:
            raise MachineError(
                f"pixel {pixel} of line {line} is read: inside the image, outside the buffer",
                f"the buffer holds pixels 0 to {buffer.width - 1} of a line",
                "the program is wrong: compile it again",
            )
        start = buffer.address(plane, line, pixel)
        return self.cells.reshape(2, -1)[:, start : start + buffer.pitch]

    def read_values(self, buffer: Buffer, line: int, pixel: int) -> NDArray[np.int64]:
        """The values of a pixel over all planes [pitch]."""
        total = np.zeros(buffer.pitch, np.int64)
        for plane in range(buffer.planes):
            total += trits(self.read_pixel(buffer, plane, line, pixel)) << plane
        return total

    def write_trits(
        self, buffer: Buffer, plane: int, line: int, pixel: int, channel: int, values: Bits
    ) -> None:
        """Write trits [2, n] from a channel on; what is outside image or buffer is dropped."""
        if not self.holds(buffer, line, pixel):
            return
        start = buffer.address(plane, line, pixel) + channel
        self.cells.reshape(2, -1)[:, start : start + values.shape[1]] = values

    def write_values(
        self, buffer: Buffer, line: int, pixel: int, channel: int, values: NDArray[np.int64]
    ) -> None:
        """Write values [n] in sign-magnitude over the buffer's planes."""
        for plane in range(buffer.planes):
            bit = np.abs(values) >> plane & 1
            written = np.stack([bit, bit * (values < 0)]).astype(np.uint8)
            self.write_trits(buffer, plane, line, pixel, channel, written)


def trits(bits: Bits) -> NDArray[np.int64]:
    """Bits [2, ...] -> trits [...]: a trit whose nonzero bit is 0 is 0 whatever its sign bit."""
    nonzero: NDArray[np.int64] = bits[0].astype(np.int64)
    signed: NDArray[np.int64] = nonzero * (1 - 2 * bits[1].astype(np.int64))
    return signed


def unpack(words: NDArray[np.uint64]) -> Bits:
    """Words [...] -> bits [..., 64], the lowest first."""
    shifts = np.arange(WORD, dtype=np.uint64)
    return (words[..., None] >> shifts & np.uint64(1)).astype(np.uint8)


def pack(bits: Bits) -> NDArray[np.uint64]:
    """Bits [..., 64] -> words [...]: the inverse of `unpack`."""
    shifts = np.arange(WORD, dtype=np.uint64)
    words: NDArray[np.uint64] = np.bitwise_or.reduce(bits.astype(np.uint64) << shifts, axis=-1)
    return words
