"""Convolutions 3x3 written in micro-ops by hand: wide windows, many pixels, word borders."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from tdsl_runtime.description import MachineDescription, load_machine
from tdsl_runtime.isa import MicroOp, Opcode, micro_op
from tdsl_runtime.program import Port, Program
from tdsl_runtime.state import pack
from tests.programs import build_program

LOW, HIGH = -4, 3


@cache
def machine(columns: int, macros: int) -> MachineDescription:
    """A machine with rows enough for the cases here."""
    small = load_machine("nearmem-1mb")
    return replace(
        small,
        macro_rows=1,
        macro_columns=macros,
        rows=512,
        columns=columns,
        lanes=columns,
        channels=8,
        window_lines=3,
        accumulators=128,
        program_words=1 << 12,
    )


@dataclass(frozen=True)
class Convolution:
    """Ternary, padded with 0, thresholds LOW and HIGH for every channel; windows without gaps."""

    channels: int
    outputs: int
    width: int
    height: int
    columns: int = 128
    groups: int = 1
    span: int = 64
    piece: int = 1 << 12
    stride: int = 1
    seed: int = 0

    @property
    def machine(self) -> MachineDescription:
        """One on which it fits."""
        return machine(self.columns, self.groups * self.outputs)

    @property
    def weights(self) -> NDArray[np.int64]:
        """[outputs, 3, 3, channels]."""
        shape = (self.outputs, 3, 3, self.channels)
        return np.random.default_rng(self.seed).integers(-1, 2, shape)

    def frame(self, seed: int) -> dict[str, NDArray[Any]]:
        """A random input."""
        shape = (self.channels, self.height, self.width)
        return {"x": np.random.default_rng(seed + 1).integers(-1, 2, shape)}

    def expected(self, image: NDArray[Any]) -> NDArray[np.int64]:
        """What the convolution is."""
        padded = np.pad(image, ((0, 0), (1, 1), (1, 1)))
        sums = np.zeros((self.outputs, self.height, self.out_width), np.int64)
        for y in range(3):
            for x in range(3):
                ahead = x + self.stride * (self.out_width - 1) + 1
                shifted = padded[:, y : y + self.height, x : ahead : self.stride]
                sums += np.einsum("oc,chw->ohw", self.weights[:, y, x], shifted)
        return (sums > HIGH).astype(np.int64) - (sums < LOW)

    @property
    def out_width(self) -> int:
        """Columns of the result; the stride works along the lines alone."""
        return -(-self.width // self.stride)

    def program(self, *, shift: int = 0, extra: Sequence[MicroOp] = ()) -> Program:
        """The micro-ops: a line in, the line above it computed, and out."""
        rows = -(-9 * self.channels // self.columns)
        ops = [
            self._buffer(0, (rows + 1) * self._row, self.channels, self.width, depth=4),
            self._buffer(1, 300 * self._row, self.outputs, self.out_width, depth=1),
            micro_op(Opcode.TLOAD, row=rows, slot=0, n=2),
            *extra,
            micro_op(Opcode.LOOP, level=1, count=self.height + 1),
            micro_op(Opcode.DMAIN, buffer=0, counter=1, mul=1),
            micro_op(Opcode.LOOP, level=2, count=-(-self.out_width // self._span["span"])),
            *self._dots(shift),
            micro_op(
                Opcode.STORE, buffer=1, counter=1, mul=1, off=-1, dx=1, macros=self.outputs,
                **self._span,
            ),
            micro_op(Opcode.END, level=2),
            micro_op(
                Opcode.DMAOUT, buffer=1, n=self.outputs, limit=self.out_width, counter=1, mul=1,
                off=-1,
            ),
            micro_op(Opcode.END, level=1),
            micro_op(Opcode.HALT),
        ]  # fmt: skip
        return build_program(
            self.machine,
            ops,
            inputs=(Port("x", self.channels, self.height, self.width, -1, 1),),
            outputs=(Port("y", self.outputs, self.height, self.out_width, -1, 1),),
            row_data=self._rows(rows),
        )

    @property
    def _row(self) -> int:
        return self.columns * self.machine.macros

    @property
    def _span(self) -> dict[str, int]:
        span = min(self.span, self.out_width)
        return {"xcounter": 2, "span": span, "limit": self.out_width, "groups": self.groups}

    def _buffer(self, number: int, base: int, pitch: int, width: int, depth: int) -> MicroOp:
        return micro_op(
            Opcode.BUF, buffer=number, base=base, pitch=pitch, width=width, depth=depth,
            image_width=width, image_height=self.height,
        )  # fmt: skip

    def _dots(self, shift: int) -> list[MicroOp]:
        dots: list[MicroOp] = []
        place = 0
        for y in range(3):
            done = 0
            while done < 3 * self.channels:
                left = min(3 * self.channels - done, self.columns - place % self.columns)
                size = min(left, self.piece)
                dots.append(
                    micro_op(
                        Opcode.DOT, counter=1, mul=1, off=y - 2, x0=-1, dx=self.stride, toff=done,
                        len=size, row=place // self.columns, col=place % self.columns,
                        macros=self.outputs, astep=1, shift=shift, clear=int(not dots),
                        **self._span,
                    )
                )  # fmt: skip
                done += size
                place += size
        return dots

    def _rows(self, rows: int) -> NDArray[np.uint64]:
        """Weights for every group, then a row of thresholds: [rows + 1, 2, W, M]."""
        words, macros = self.columns // 64, self.machine.macros
        trits = np.zeros((macros, rows * self.columns), np.int64)
        flat = self.weights.reshape(self.outputs, -1)
        trits[:, : flat.shape[1]] = np.tile(flat, (self.groups, 1))
        planes = np.stack([trits != 0, trits < 0]).astype(np.uint8)
        packed = pack(planes.reshape(2, macros, rows, words, 64)).transpose(2, 0, 3, 1)
        thresholds = np.zeros((1, 2, words, macros), np.uint64)
        thresholds[0, 0, 0] = (LOW & 0xFFFFFFFF) | HIGH << 32
        return np.concatenate([packed, thresholds])


def convolutions() -> st.SearchStrategy[Convolution]:
    """Sizes around the borders of words, vectors and tiles."""
    return st.builds(
        Convolution,
        channels=st.sampled_from([1, 3, 16, 17, 32, 63, 64, 65, 96]),
        outputs=st.sampled_from([1, 7, 8, 9, 15, 16, 17, 32, 33, 40]),
        width=st.sampled_from([1, 2, 5, 16, 17, 31, 32, 33, 48, 67]),
        height=st.integers(1, 2),
        columns=st.sampled_from([64, 128, 192, 320]),
        groups=st.sampled_from([1, 1, 2, 3]),
        span=st.sampled_from([5, 16, 40, 64]),
        piece=st.sampled_from([1 << 12, 64, 50]),
        stride=st.sampled_from([1, 1, 2]),
        seed=st.integers(0, 9),
    )
