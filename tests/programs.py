"""Random valid programs for small random machines, the same for the same seed.

Every field of every micro-op is exercised, with loops, guards, tokens and all ways to store. A
program may still fail when it runs, by a read of a pixel that no buffer holds: the engines must
then agree that it fails.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from tdsl_runtime.description import MachineDescription, load_machine
from tdsl_runtime.encoding import FIELD, encode
from tdsl_runtime.isa import AccOp, MicroOp, Opcode, StoreMode, Unit, micro_op
from tdsl_runtime.program import Origin, Port, Program
from tdsl_runtime.state import Buffer, pack

WEIGHT_ROWS = 4
"""Rows 0..2 hold weights, row 3 thresholds; feature lines stand in the rows after them."""
LEVELS = 12
TERN_ENTRIES = (0, 1, 3)


def programs(largest: int = 14) -> st.SearchStrategy[Program]:
    """Random programs; small ones first when a test fails."""
    return st.builds(random_program, st.integers(0, 2**32 - 1), st.integers(1, largest))


def build_program(
    machine: MachineDescription,
    ops: Sequence[MicroOp],
    *,
    inputs: tuple[Port, ...] = (),
    outputs: tuple[Port, ...] = (),
    row_data: NDArray[np.uint64] | None = None,
    external: NDArray[np.uint64] | None = None,
    origins: tuple[Origin, ...] = (Origin("test", 0, ""),),
) -> Program:
    """A program of micro-ops; `row_data` [k, 2, W, M] fills the first k rows."""
    row = (2, machine.words, machine.macros)
    data = np.zeros((0, *row), np.uint64) if row_data is None else row_data
    return Program(
        network="test",
        machine=machine,
        code=encode(ops),
        code_origins=np.array([op.origin for op in ops], np.int32),
        rows=np.arange(len(data), dtype=np.int64),
        row_data=data,
        external=np.zeros((0, *row), np.uint64) if external is None else external,
        inputs=inputs,
        outputs=outputs,
        origins=origins,
    )


def random_inputs(program: Program, seed: int = 0) -> dict[str, NDArray[np.int64]]:
    """Images for the inputs of a program."""
    rng = np.random.default_rng(seed)
    return {p.name: rng.integers(p.low, p.high, p.shape, endpoint=True) for p in program.inputs}


def random_trits(rng: np.random.Generator, *shape: int) -> NDArray[np.uint64]:
    """Rows of random trits [*shape[:1], 2, *shape[1:]] as words."""
    values = rng.integers(-1, 1, (*shape, 64), endpoint=True)
    planes = np.stack([values != 0, values < 0], axis=1)
    return pack(planes.astype(np.uint8))


def random_program(seed: int, size: int) -> Program:
    """A valid program of about `size` pieces."""
    return _Maker(Random(seed), np.random.default_rng(seed)).program(size)


def _machine(r: Random) -> MachineDescription:
    columns = 64 * r.choice((1, 2, 3, 4))
    return replace(
        load_machine("nearmem-1mb"),
        macro_rows=1,
        macro_columns=r.choice((1, 2, 4, 6, 9)),
        rows=256,
        columns=columns,
        lanes=columns - r.choice((0, 0, 1, 13)),
        channels=r.choice((1, 2, 4, 6)),
        channel_trits=r.choice((16, 64, 100, 256)),
        window_lines=r.choice((0, 2, 3)),
        accumulators=r.choice((12, 40)),
        thresholds=r.choice((4, 9)),
        gather_trits=r.choice((3, 16, 64)),
        dma_bits=r.choice((8, 64)),
        queue=r.choice((1, 2, 8)),
        latch_cycles=r.choice((1, 3)),
        tree_cycles=r.choice((2, 7)),
    )


@dataclass
class _Maker:
    """Draws a program piece by piece."""

    r: Random
    rng: np.random.Generator
    ops: list[MicroOp] = field(default_factory=list[MicroOp])
    open_levels: list[int] = field(default_factory=list[int])
    buffers: list[Buffer] = field(default_factory=list[Buffer])

    def program(self, size: int) -> Program:
        r = self.r
        self.machine = _machine(r)
        self.height, self.width = r.randint(1, 5), r.randint(1, 9)
        self.input = Port("in", r.randint(1, 3), self.height, self.width, *self.range())
        self.output = Port("out", 9, self.height, self.width, -512, 511)
        self.describe_buffers()
        for entry in range(LEVELS):
            low = r.randint(-4, 6)
            self.op(Opcode.LEVEL, index=entry, lo=low, hi=low + r.randint(-1, 3))
        for _ in range(size):
            self.piece(0)
        for unit in (Unit.ARRAY, Unit.POST):
            self.op(Opcode.SIGNAL, unit=unit, token=0)
            self.op(Opcode.WAIT, unit=Unit.DMA, token=0)
        self.dmaout()
        self.op(Opcode.HALT)
        return build_program(
            self.machine,
            self.ops,
            inputs=(self.input,),
            outputs=(self.output,),
            row_data=self.memory(),
            external=random_trits(self.rng, 3, self.machine.words, self.machine.macros),
            origins=(Origin("first", 1, "a"), Origin("second layer", 0, "it's; b")),
        )

    def range(self) -> tuple[int, int]:
        return self.r.choice(((0, 1), (-1, 1), (0, 7), (-6, 5)))

    def memory(self) -> NDArray[np.uint64]:
        """Weights and features at random; the thresholds' row holds small numbers."""
        machine = self.machine
        data = random_trits(self.rng, 24, machine.words, machine.macros)
        values = self.rng.integers(-9, 9, (machine.words, 4, machine.macros))
        low = np.sort(values, axis=1).astype(np.uint64) & np.uint64(0xFFFFFFFF)
        data[3, 0] = low[:, 0] | low[:, 1] << np.uint64(32)
        data[3, 1] = low[:, 2] | low[:, 3] << np.uint64(32)
        return data

    def op(self, opcode: Opcode, **fields: int) -> None:
        self.ops.append(micro_op(opcode, self.r.randint(0, 1), **fields))

    def describe_buffers(self) -> None:
        r = self.r
        base = WEIGHT_ROWS * self.machine.words * self.machine.macros * 64
        pitches = (r.randint(4, 20), r.choice((5, 27, 63, 64, 65)))
        for number in range(5):
            halo, strip = r.choice((0, 0, 2)), r.choice((0, 0, 1))
            fields = {
                "buffer": number,
                "base": base,
                "pitch": pitches[number % 2],
                "width": self.width + halo + r.randint(0, 2),
                "depth": r.randint(1, 4),
                "planes": 1 if number < 3 else r.randint(1, 4),
                "image_width": self.width,
                "image_height": self.height,
                "pad": r.randint(-1, 1),
                "strip": strip,
                "step": r.randint(1, 2) if strip else 0,
                "halo": halo,
            }
            self.op(Opcode.BUF, **fields)
            self.buffers.append(Buffer.described(self.ops[-1]))
            base = self.buffers[-1].end

    # -- structure -----------------------------------------------------------------------------

    def piece(self, depth: int) -> None:
        kind = self.r.randint(0, 9)
        free = [level for level in range(1, 8) if level not in self.open_levels]
        if kind == 0 and depth < 3:
            level = self.r.choice(free[:2])
            self.op(Opcode.LOOP, level=level, count=self.r.randint(0, 3))
            self.open_levels.append(level)
            self.pieces(depth)
            self.open_levels.pop()
            self.op(Opcode.END, level=level)
        elif kind == 1 and depth < 3:
            self.guard(depth)
        elif kind == 2:
            self.tokens(depth)
        else:
            makers = (self.dot, self.acc, self.lut, self.tload, self.store)
            moves = (self.dot, self.store, self.dmain, self.dmaout, self.dmaw)
            self.r.choice(makers + moves)()

    def pieces(self, depth: int) -> None:
        for _ in range(self.r.randint(0, 4)):
            self.piece(depth + 1)

    def guard(self, depth: int) -> None:
        place, modulus, low = len(self.ops), self.r.randint(1, 3), self.r.randint(-1, 2)
        self.pieces(depth)
        skip = len(self.ops) - place
        if skip:
            guard = micro_op(
                Opcode.GUARD,
                skip=skip,
                counter=self.counter(),
                lo=low,
                hi=low + self.r.randint(0, 3),
                mod=modulus,
                rem=self.r.randint(0, modulus - 1),
            )
            self.ops.insert(place, guard)

    def tokens(self, depth: int) -> None:
        token = self.r.randint(1, 3)
        self.op(Opcode.SIGNAL, unit=self.r.randint(1, 3), token=token)
        self.pieces(depth)
        self.op(Opcode.WAIT, unit=self.r.randint(1, 3), token=token)

    def counter(self) -> int:
        return self.r.choice((0, *self.open_levels))

    def line(self) -> dict[str, int]:
        counter = self.counter()
        if counter == 0:
            return {"off": self.r.randint(-1, self.height)}
        return {
            "counter": counter,
            "div": self.r.randint(1, 2),
            "mul": self.r.randint(-1, 2),
            "off": self.r.randint(-2, 2),
        }

    def span(self, most: int) -> dict[str, int]:
        xcounter, span = self.counter(), self.r.randint(1, most)
        limit = span if xcounter == 0 else self.r.randint(0, 12)
        return {"xcounter": xcounter, "span": span, "limit": limit}

    def split(self) -> dict[str, int]:
        machine = self.machine
        groups = [g for g in range(1, machine.channels + 1) if machine.macros % g == 0]
        segments = [s for s in range(1, machine.words + 1) if machine.words % s == 0]
        return {"groups": self.r.choice(groups), "segments": self.r.choice(segments)}

    def buffer(self, suits: Callable[[Buffer], bool] = lambda _: True) -> int:
        return self.r.choice([n for n, buffer in enumerate(self.buffers) if suits(buffer)])

    # -- micro-ops -----------------------------------------------------------------------------

    def dot(self) -> None:
        r, machine = self.r, self.machine
        split = self.split()
        number = self.buffer()
        buffer = self.buffers[number]
        lines = r.randint(1, max(1, machine.window_lines))
        stretch = machine.columns // split["segments"]
        room = min(stretch, machine.lanes - (split["segments"] - 1) * stretch)
        length = r.randint(1, min(room // lines, 3 * buffer.pitch))
        self.op(
            Opcode.DOT,
            buffer=number,
            plane=r.randrange(buffer.planes),
            **self.line(),
            lines=lines,
            ldil=r.randint(1, 2) if lines > 1 else 1,
            x0=r.randint(-2, 2) + buffer.halo,
            dx=r.randint(0, 2),
            toff=r.choice((0, 0, r.randint(0, buffer.pitch + 3))),
            len=length,
            row=r.randint(0, 3),
            col=r.randint(0, room - lines * length),
            **self.span(8),
            **split,
            macros=r.randint(1, machine.macros // split["groups"]),
            acc=r.randint(0, 4),
            astep=r.randint(0, 1),
            shift=r.choice((0, 0, 1, 3)),
            clear=r.randint(0, 1),
        )
        if r.randint(0, 2) == 0:
            self.repeat_dot()

    def repeat_dot(self) -> None:
        """The same sums with another row and another place: what a decoder may fuse."""
        r, op = self.r, self.ops[-1]
        named = {name: op[name] for name in FIELD[Opcode.DOT]}
        moved = {"row": r.randint(0, 3), "x0": op["x0"] + r.randint(-1, 1), "clear": 0}
        self.op(Opcode.DOT, **(named | moved))

    def acc(self) -> None:
        r, operation = self.r, self.r.choice(list(AccOp))
        if operation in (AccOp.COPY, AccOp.ADD, AccOp.MAX, AccOp.MIN):
            fields = {"src": r.randint(0, 4), "sstep": r.randint(0, 1)}
        elif operation is AccOp.SHR:
            fields = {"imm": r.randint(0, 4)}
        else:
            fields = {"imm": r.randint(-30, 30)}
        target = {"dst": r.randint(0, 4), "dstep": r.randint(0, 1)}
        self.op(Opcode.ACC, op=operation, **target, **fields, **self.span(8), **self.split())

    def lut(self) -> None:
        r, into = self.r, self.buffer()
        pitch = self.buffers[into].pitch
        a, b = (self.buffer(lambda buffer: buffer.pitch == pitch) for _ in "ab")
        held = [r.randint(0, 1) if operand != into else 0 for operand in (a, b)]
        self.op(
            Opcode.LUT,
            buffer=into,
            plane=r.randrange(self.buffers[into].planes),
            a=a,
            aplane=r.randrange(self.buffers[a].planes),
            ahold=held[0],
            b=b,
            bplane=r.randrange(self.buffers[b].planes),
            bhold=held[1],
            table=sum(r.choice(TERN_ENTRIES) << 2 * entry for entry in range(9)),
            **self.line(),
            **self.span(self.width),
        )

    def tload(self) -> None:
        n = self.r.randint(1, self.machine.thresholds)
        slot = self.r.randint(0, max(0, 4 * self.machine.words - n))
        self.op(Opcode.TLOAD, row=3, slot=slot, n=n)

    def store(self) -> None:
        r = self.r
        split = self.split()
        mode, number = r.choice(list(StoreMode)), self.buffer()
        buffer = self.buffers[number]
        macros = r.randint(1, min(self.machine.macros // split["groups"], buffer.pitch))
        fields: dict[str, int] = {}
        if mode in (StoreMode.COUNT, StoreMode.SPACED):
            high = (1 << buffer.planes) - 1
            levels = r.randint(0, min(2 * high, self.machine.thresholds))
            fields = {"levels": levels, "bias": r.randint(-high, high - levels)}
        if mode is StoreMode.SPACED:
            fields["shift"] = r.randint(0, 2)
        self.op(
            Opcode.STORE,
            buffer=number,
            **self.line(),
            x0=r.randint(-1, 3),
            dx=r.randint(0, 2),
            pool=r.randint(1, 3) if buffer.planes == 1 else 1,
            combine=r.randint(0, 1) if buffer.planes == 1 else 0,
            chan=r.randint(0, buffer.pitch - macros),
            **self.span(8),
            **split,
            macros=macros,
            acc=r.randint(0, 4),
            mode=mode,
            **fields,
        )

    def dmain(self) -> None:
        r, port = self.r, self.input
        needed = max(abs(port.low), abs(port.high))
        wide = [n for n, buffer in enumerate(self.buffers) if needed >> buffer.planes == 0]
        if wide and r.randint(0, 1):
            self.op(Opcode.DMAIN, buffer=r.choice(wide), **self.line())
            return
        each = r.randint(0, 1)
        number = self.buffer(lambda buffer: buffer.planes == 1)
        levels = r.randint(1, min(4, self.buffers[number].pitch // port.channels))
        used = levels * (port.channels if each else 1)
        self.op(
            Opcode.DMAIN,
            buffer=number,
            format=1,
            base=r.randint(0, LEVELS - used),
            levels=levels,
            each=each,
            **self.line(),
        )

    def dmaout(self) -> None:
        r, number = self.r, self.buffer()
        pitch = self.buffers[number].pitch
        form, n = r.randint(0, 1), r.randint(1, min(4, pitch))
        ahead = r.randint(0, 1)
        self.op(
            Opcode.DMAOUT,
            buffer=number,
            format=form,
            chan=r.randint(0, pitch - n),
            n=n,
            to=r.randint(0, 9 - (1 if form else n)),
            x0=self.buffers[number].halo + ahead,
            limit=r.randint(0, self.width - ahead),
            **self.line(),
        )

    def dmaw(self) -> None:
        n = self.r.randint(1, 2)
        self.op(Opcode.DMAW, row=self.r.randint(0, 2), source=self.r.randint(0, 3 - n), n=n)
