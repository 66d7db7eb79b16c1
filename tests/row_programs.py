"""Random valid programs of row micro-ops, the same for the same seed.

Loops, guards, user-defined micro-ops and tokens around every row micro-op, with operands that
overlap, on machines of a few macros. At the end all bit rows and the result registers that were
used go to outputs, so that nothing that differs stays hidden.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

import numpy as np
from hypothesis import strategies as st

from tdsl_runtime.description import MachineDescription, load_machine
from tdsl_runtime.encoding import encode
from tdsl_runtime.isa import MicroOp, Opcode, Reduction, Unit, micro_op
from tdsl_runtime.program import Port, Program
from tdsl_runtime.row_fields import BODY, row_micro_op
from tdsl_runtime.state import Buffer
from tests.programs import build_program, random_program, random_trits

ROWS = 24
BUFFER_ROWS = 8
"""Trit rows at the end of the memory that hold line buffers."""
REGISTERS = 6
STATE_BITS = 16
RANGES = (
    (0, 1),
    (0, 255),
    (-128, 127),
    (-1, 0),
    (0, 65535),
    (-300, 5000),
    (0, 1 << 31),
    (-(1 << 20), 1 << 20),
    (-(1 << 40), 1 << 40),
)


def row_programs(largest: int = 14) -> st.SearchStrategy[Program]:
    """Random programs; small ones first when a test fails."""
    return st.builds(random_row_program, st.integers(0, 2**32 - 1), st.integers(1, largest))


def random_row_program(seed: int, size: int) -> Program:
    """A valid program of about `size` pieces."""
    return _Maker(Random(seed), np.random.default_rng(seed)).program(size)


def mixed_programs() -> st.SearchStrategy[Program]:
    """Random programs of both organisations in the same cells."""
    return st.builds(mixed_program, st.integers(0, 2**32 - 1), st.integers(1, 14))


def mixed_program(seed: int, size: int) -> Program:
    """A program of line buffers, with row micro-ops that change its weights and features."""
    r, program = Random(seed), random_program(seed, size)
    ops, skipped, depth = list(program.ops), 0, 0
    places: list[int] = []
    for at, op in enumerate(program.ops):
        if at and depth == 0 and at >= skipped:
            places.append(at)
        depth += (op.opcode is Opcode.LOOP) - (op.opcode is Opcode.END)
        if op.opcode is Opcode.GUARD:
            skipped = max(skipped, at + 1 + op["skip"])
    for at in sorted(r.choices(places, k=4), reverse=True):
        ops.insert(at, _change(r))
    return replace(program, code=encode(ops), code_origins=np.zeros(len(ops), np.int32))


def _change(r: Random) -> MicroOp:
    """A row micro-op on the rows at the start of the memory."""
    dst, a, b = (r.randint(0, 24) for _ in range(3))
    match r.choice((Opcode.MOVE, Opcode.LOGIC, Opcode.SUM)):
        case Opcode.MOVE:
            return row_micro_op(Opcode.MOVE, dst=dst, n=2, a=a, by=r.randint(-70, 70))
        case Opcode.LOGIC:
            steps = {"astep": 1, "bstep": 1, "table": r.randint(0, 15)}
            return row_micro_op(Opcode.LOGIC, dst=dst, n=3, a=a, b=b, **steps)
        case _:
            return row_micro_op(Opcode.SUM, dst=dst, n=5, a=a, an=3, b=b, bn=4)


def _machine(r: Random) -> MachineDescription:
    columns = 64 * r.choice((1, 2, 3, 4))
    return replace(
        load_machine("nearmem-1mb"),
        macro_rows=1,
        macro_columns=r.choice((1, 2, 3, 7, 8, 9, 17)),
        rows=ROWS,
        columns=columns,
        lanes=columns,
        channel_trits=r.choice((5, 64)),
        gather_trits=r.choice((3, 16, 64)),
        dma_bits=r.choice((7, 64)),
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
        self.machine = machine = _machine(r)
        self.active = machine.macros
        self.height, self.width = r.randint(1, 6), r.choice((1, 5, 63, 64, 65, 90))
        self.describe_buffers()
        for _ in range(size):
            self.piece(0)
        self.op(Opcode.ACTIVE, macros=machine.macros)
        self.dump()
        self.op(Opcode.HALT)
        columns = machine.macros * machine.columns
        shape = (self.height, self.width)
        return build_program(
            machine,
            self.ops,
            inputs=tuple(
                Port(name, r.randint(1, 2), *shape, *r.choice(RANGES)) for name in ("in0", "in1")
            ),
            outputs=(
                Port("out", 2, *shape, -5, 9),
                Port("sums", REGISTERS, 1, 1, -(1 << 40), 1 << 40),
                Port("state", 2 * ROWS // STATE_BITS, 1, columns, 0, (1 << STATE_BITS) - 1),
            ),
            row_data=random_trits(self.rng, ROWS, machine.words, machine.macros),
        )

    def op(self, opcode: Opcode, **fields: int) -> None:
        self.ops.append(row_micro_op(opcode, **fields))

    def describe_buffers(self) -> None:
        r, row = self.r, self.machine.macros * self.machine.columns
        room = BUFFER_ROWS * row // 2
        for number in range(2):
            pitch = r.choice((1, 3, 64, 65))
            halo, strip = r.choice((0, 2)), r.choice((0, 0, 1))
            width = min(self.width + halo + r.choice((0, 0, 1)), room // 128 * 64 // pitch)
            planes = r.randint(1, 2)
            line = -(-width * pitch // 64) * 64
            fields = {
                "buffer": number,
                "base": (ROWS - BUFFER_ROWS) * row + number * room // 64 * 64,
                "pitch": pitch,
                "width": max(1, width),
                "depth": max(1, min(r.randint(1, 4), room // max(1, line * planes))),
                "planes": planes if line * planes <= room else 1,
                "image_width": self.width,
                "image_height": self.height,
                "pad": r.randint(-1, 1),
                "strip": strip,
                "step": 1 if strip else 0,
                "halo": halo,
            }
            op = micro_op(Opcode.BUF, **fields)
            if Buffer.described(op).end <= self.machine.trits:
                self.ops.append(op)
                self.buffers.append(Buffer.described(op))

    def dump(self) -> None:
        self.op(Opcode.REGOUT, slot=0, n=REGISTERS, port=1)
        columns = self.machine.macros * self.machine.columns
        for chan in range(2 * ROWS // STATE_BITS):
            fields = {"a": STATE_BITS * chan, "an": STATE_BITS, "port": 2, "chan": chan}
            self.op(Opcode.BANDOUT, **fields, width=columns, lines=1)

    # -- structure -----------------------------------------------------------------------------

    def piece(self, depth: int) -> None:
        kind = self.r.randint(0, 11)
        if kind == 0 and depth < 3:
            level = min(level for level in range(1, 8) if level not in self.open_levels)
            self.op(Opcode.LOOP, level=level, count=self.r.randint(0, 3))
            self.open_levels.append(level)
            self.pieces(depth)
            self.open_levels.pop()
            self.op(Opcode.END, level=level)
        elif kind == 1 and depth < 3:
            self.guard(depth)
        elif kind == 2:
            self.tokens()
        elif kind == 3:
            self.user_defined()
        elif kind == 4 and depth == 0:
            self.active = self.r.randint(1, self.machine.macros)
            self.op(Opcode.ACTIVE, macros=self.active)
        else:
            self.work(self.r.choice(tuple(self.makers())))

    def pieces(self, depth: int) -> None:
        for _ in range(self.r.randint(0, 4)):
            self.piece(depth + 1)

    def guard(self, depth: int) -> None:
        place, modulus, low = len(self.ops), self.r.randint(1, 3), self.r.randint(-1, 2)
        self.pieces(depth)
        if len(self.ops) > place:
            fields = {"counter": self.counter(), "lo": low, "hi": low + self.r.randint(0, 3)}
            rest = {"mod": modulus, "rem": self.r.randint(0, modulus - 1)}
            guard = micro_op(Opcode.GUARD, skip=len(self.ops) - place, **fields, **rest)
            self.ops.insert(place, guard)

    def tokens(self) -> None:
        token = self.r.randint(1, 3)
        self.op(Opcode.SIGNAL, unit=self.r.choice((Unit.DMA, Unit.ARRAY)), token=token)
        self.work(self.r.choice(tuple(self.makers())))
        self.op(Opcode.WAIT, unit=self.r.choice((Unit.DMA, Unit.ARRAY)), token=token)

    def user_defined(self) -> None:
        bodies = [self.r.choice(sorted(BODY)) for _ in range(self.r.randint(1, 3))]
        cost = {"cycles": self.r.randint(1, 9), "energy": self.r.randint(0, 99)}
        self.op(Opcode.UOP, code=self.r.randint(0, 9), body=len(bodies), **cost)
        for opcode in bodies:
            self.work(opcode)

    def counter(self) -> int:
        return self.r.choice((0, *self.open_levels))

    def makers(self) -> dict[Opcode, Callable[[], dict[str, int]]]:
        one_row = {
            Opcode.LOGIC: self.logic,
            Opcode.SUM: self.sum,
            Opcode.SUMI: self.sum_immediate,
            Opcode.CMP: self.compare,
            Opcode.CMPI: self.compare_immediate,
            Opcode.SELECT: self.select,
            Opcode.MOVE: self.move,
            Opcode.COUNT: self.count,
            Opcode.BANDIN: self.band_in,
            Opcode.BANDOUT: self.band_out,
        }
        return one_row | (
            {Opcode.SPREAD: self.spread, Opcode.PACK: self.pack} if self.buffers else {}
        )

    def work(self, opcode: Opcode) -> None:
        self.op(opcode, **self.makers()[opcode]())

    # -- micro-ops -----------------------------------------------------------------------------

    def row(self, n: int) -> int:
        return self.r.randint(0, 2 * ROWS - n)

    def bits(self, most: int = 31) -> int:
        return self.r.randint(1, min(most, self.r.choice((1, 3, 9, 31))))

    def value(self, name: str, most: int = 31) -> dict[str, int]:
        n = self.bits(most)
        return {name: self.row(n), f"{name}n": n, f"{name}s": self.r.randint(0, 1)}

    def result(self) -> dict[str, int]:
        n = self.bits()
        return {"dst": self.row(n), "n": n}

    def logic(self) -> dict[str, int]:
        result = self.result()
        steps = {"astep": self.r.randint(0, 1), "bstep": self.r.randint(0, 1)}
        rows = {"a": self.row(result["n"]), "b": self.row(result["n"])}
        return result | rows | steps | {"table": self.r.randint(0, 15)}

    def sum(self) -> dict[str, int]:
        result = self.result()
        n = result["n"]
        return result | self.value("a", n) | self.value("b", n) | {"sub": self.r.randint(0, 1)}

    def sum_immediate(self) -> dict[str, int]:
        result = self.result()
        n = min(19, result["n"])
        imm = self.r.randint(-(1 << n - 1), (1 << n) - 1)
        return result | self.value("a", result["n"]) | {"neg": self.r.randint(0, 1), "imm": imm}

    def relation(self) -> dict[str, int]:
        return {"dst": self.row(1), "op": self.r.randint(0, 1), "inv": self.r.randint(0, 1)}

    def compare(self) -> dict[str, int]:
        return self.relation() | self.value("a") | self.value("b")

    def compare_immediate(self) -> dict[str, int]:
        imm = self.r.choice((0, -1, self.r.randint(-9, 9), self.r.randint(-(1 << 19), 1 << 18)))
        return self.relation() | self.value("a") | {"imm": imm}

    def select(self) -> dict[str, int]:
        result = self.result()
        n = result["n"]
        return result | self.value("a", n) | self.value("b", n) | {"tag": self.row(1)}

    def move(self) -> dict[str, int]:
        result, columns = self.result(), self.machine.columns
        far = self.r.randint(-columns * (self.machine.macros + 1), columns * self.machine.macros)
        by = self.r.choice((self.r.randint(-70, 70), 64 * self.r.randint(-5, 5), far))
        return result | {"a": self.row(result["n"]), "by": by}

    def count(self) -> dict[str, int]:
        kind = {"op": self.r.choice(list(Reduction)), "clear": self.r.randint(0, 1)}
        slot = self.r.randrange(REGISTERS)
        return {"slot": slot, "mask": self.row(1)} | kind | self.value("a")

    def tile(self, first: int = 0, step: int = 1, *, apart: bool) -> dict[str, int]:
        room = self.active * self.machine.columns - 1 - first
        width = self.r.randint(1, min(self.width + 2, room // step + 1))
        pitch = self.r.randint(width if apart else 1, max(width, self.r.choice((20, 64, 128))))
        most = (room - (width - 1) * step) // pitch + 1
        lines = self.r.randint(1, min(most, self.height + 1))
        return {"pitch": pitch, "lines": lines, "width": width} | self.origin()

    def origin(self) -> dict[str, int]:
        r = self.r
        line = {"div": r.randint(1, 2), "mul": r.randint(-1, 2), "off": r.randint(-1, 2)}
        pixel = {"xmul": r.randint(-3, 3), "xoff": r.choice((0, r.randint(-3, self.width)))}
        return {"counter": self.counter(), "xcounter": self.counter()} | line | pixel

    def placed(self) -> dict[str, int]:
        columns = self.active * self.machine.columns
        first = self.r.choice((0, self.r.randrange(columns)))
        step = self.r.randint(1, 3)
        return {"first": first, "step": step} | self.tile(first, step, apart=False)

    def band_in(self) -> dict[str, int]:
        result, border = self.result(), self.r.randint(0, 1)
        n = min(19, result["n"])
        pad = self.r.randint(-(1 << n - 1), (1 << n) - 1)
        rest = {"port": self.r.randint(0, 1), "border": border, "pad": pad}
        return result | rest | self.tile(apart=True)

    def band_out(self) -> dict[str, int]:
        return self.value("a") | {"chan": self.r.randint(0, 1)} | self.placed()

    def channels(self) -> dict[str, int]:
        number = self.r.randrange(len(self.buffers))
        pitch = self.buffers[number].pitch
        n = self.r.randint(1, min(pitch, ROWS - BUFFER_ROWS))
        place = {"buffer": number, "plane": self.r.randrange(self.buffers[number].planes)}
        row = self.r.randint(0, ROWS - BUFFER_ROWS - n)
        return place | {"row": row, "n": n, "chan": self.r.randint(0, pitch - n)}

    def spread(self) -> dict[str, int]:
        return self.channels() | self.tile(apart=True)

    def pack(self) -> dict[str, int]:
        return self.channels() | self.placed()
