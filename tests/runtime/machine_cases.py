"""A small machine and one program on it that uses every micro-op to visible effect."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tdsl_runtime.description import load_machine
from tdsl_runtime.isa import AccOp, MicroOp, Opcode, StoreMode, Unit, micro_op
from tdsl_runtime.program import Port, Program
from tests.programs import build_program, random_trits

MACHINE = replace(
    load_machine("nearmem-1mb"),
    macro_rows=1,
    macro_columns=4,
    columns=128,
    lanes=128,
    channels=2,
    channel_trits=16,
    window_lines=3,
    gather_trits=4,
    dma_bits=8,
    queue=2,
    thresholds=4,
)
IN = Port("in", 3, 4, 8, 0, 7)
OUT = Port("out", 19, 4, 8, -15, 15)
EIGHT = {"span": 8, "limit": 8}
SPLIT = {"groups": 2, "macros": 2, "acc": 1, **EIGHT}
LINE = {"counter": 1, "mul": 1}


def every_micro_op() -> Program:
    """Input lines with planes and levels, all kinds of sums, stores, logic, and both outputs.

    The buffers fill the end of the memory without gaps, so that none can grow unnoticed.
    """
    ops = [
        *_buffers(),
        *(_op(Opcode.LEVEL, index=k, lo=1 + k % 3, hi=3 + k // 2) for k in range(6)),
        _op(Opcode.DMAW, row=1, source=0, n=1),
        _op(Opcode.TLOAD, row=2, slot=1, n=4),
        _op(Opcode.LOOP, level=1, count=4),
        _op(Opcode.DMAIN, buffer=0, **LINE),
        _op(Opcode.DMAIN, buffer=1, format=1, levels=2, each=1, **LINE),
        *_hand_over(Unit.DMA, Unit.ARRAY, 3),
        *_sums(),
        *_hand_over(Unit.ARRAY, Unit.POST, 4),
        *_stores(),
        *_hand_over(Unit.POST, Unit.DMA, 5),
        _op(Opcode.DMAOUT, buffer=3, n=6, limit=8, **LINE),
        _op(Opcode.DMAOUT, buffer=2, n=6, to=6, limit=8, **LINE),
        _op(Opcode.LUT, buffer=2, a=1, b=2, table=0b11_00_01_01_11_00_00_01_11, **LINE, **EIGHT),
        _op(Opcode.DMAOUT, buffer=2, n=6, to=12, limit=8, **LINE),
        _op(Opcode.DMAOUT, buffer=3, format=1, chan=2, n=3, to=18, limit=8, **LINE),
        _op(Opcode.END, level=1),
        _op(Opcode.HALT),
    ]
    rng = np.random.default_rng(7)
    rows = random_trits(rng, 4, 2, 4)
    rows[2] = rng.integers(-3, 3, (2, 2, 4, 2)).astype(np.int32).view(np.uint64)[..., 0]
    return build_program(
        MACHINE,
        ops,
        inputs=(IN,),
        outputs=(OUT,),
        row_data=rows,
        external=random_trits(rng, 1, 2, 4),
    )


def image() -> dict[str, NDArray[np.int64]]:
    """An input image for the program."""
    return {"in": np.random.default_rng(3).integers(0, 7, IN.shape, endpoint=True)}


def _buffers() -> list[MicroOp]:
    base = MACHINE.trits - 64 * (4 * 3 + 2 + 2 + 2 * 4)
    ops: list[MicroOp] = []
    for number, (depth, planes, pad) in enumerate(((4, 3, 0), (2, 1, -1), (2, 1, 1), (2, 4, 1))):
        size = {"depth": depth, "planes": planes, "pitch": 8, "width": 8}
        picture = {"image_width": 8, "image_height": 4}
        ops.append(_op(Opcode.BUF, buffer=number, base=base, pad=pad, **size, **picture))
        base += 64 * depth * planes
    return ops


def _sums() -> list[MicroOp]:
    dot = {"counter": 1, "astep": 1, "dx": 1, **SPLIT}
    first = {"lines": 3, "toff": 1, "len": 2, "row": 0, "col": 2}
    return [
        _op(Opcode.DOT, buffer=0, **dot, mul=1, off=-1, **first, clear=1),
        _op(Opcode.DOT, buffer=0, plane=2, **dot, mul=1, x0=1, len=11, row=1, col=7, shift=1),
        _op(Opcode.DOT, buffer=1, **dot, mul=1, off=-1, len=6, row=1, col=3),
        _op(Opcode.DOT, buffer=2, **dot, mul=1, off=-2, x0=-1, len=6, row=3, col=3),
        _op(Opcode.DOT, buffer=3, **dot, mul=1, off=-2, x0=-1, len=11, row=3, col=30),
        _op(Opcode.ACC, op=AccOp.MAX, dst=2, dstep=1, src=1, span=4, limit=4, groups=2),
        _op(Opcode.GUARD, skip=1, counter=1, lo=1, hi=3),
        _op(Opcode.ACC, op=AccOp.ADDI, dst=1, dstep=1, imm=-2, span=8, limit=8, groups=2),
    ]


def _stores() -> list[MicroOp]:
    store = {"dx": 1, **LINE, **SPLIT}
    spaced = {"mode": StoreMode.SPACED, "levels": 4, "bias": -2, "shift": 1}
    return [
        _op(Opcode.STORE, buffer=2, chan=1, **store),
        _op(Opcode.STORE, buffer=2, chan=4, pool=2, x0=1, **store),
        _op(Opcode.STORE, buffer=2, chan=3, combine=1, **store),
        _op(Opcode.STORE, buffer=3, mode=StoreMode.COUNT, levels=4, bias=-2, **store),
        _op(Opcode.STORE, buffer=3, chan=2, **spaced, **store),
        _op(Opcode.STORE, buffer=3, chan=4, mode=StoreMode.RAW, **store),
    ]


def _hand_over(giver: Unit, taker: Unit, token: int) -> list[MicroOp]:
    return [
        _op(Opcode.SIGNAL, unit=giver, token=token),
        _op(Opcode.WAIT, unit=taker, token=token),
    ]


def _op(opcode: Opcode, **fields: int) -> MicroOp:
    return micro_op(opcode, **fields)
