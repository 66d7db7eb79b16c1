"""A growing list of micro-ops with their origins, token queues and guards."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum

from tdsl_runtime.isa import MicroOp, Opcode, Unit, micro_op


class Token(IntEnum):
    """The token queues that every program uses; queues of results follow."""

    FREE_0 = 0
    """post -> array: the first half of the accumulators has been stored."""
    FREE_1 = 1
    FULL_0 = 2
    """array -> post: its sums are complete."""
    FULL_1 = 3
    LINES = 4
    """post -> array: every line of an iteration is written."""
    LOADED = 5
    """dma -> array: an input line has come."""
    CREDIT = 6
    """array -> dma: the array is done with the iterations before, a line may be overwritten."""
    REDUCED = 7
    """array -> post: a reduction over the whole image is complete."""
    BARRIER = 8
    """post -> array: what a stage or strip stores is stored."""
    PAGE = 9
    """array -> dma: weights may be replaced."""
    PAGED = 10
    """dma -> array: weights have been replaced."""
    RESULTS = 16
    """Two queues a result: made, and taken."""


@dataclass(slots=True)
class Writer:
    """Collects micro-ops. `origin` marks what is written with the step it comes from."""

    code: list[MicroOp] = field(default_factory=list[MicroOp])
    origin: int = 0
    half: int = 0

    def op(self, opcode: Opcode, **fields: int) -> None:
        """Append a micro-op."""
        self.code.append(micro_op(opcode, self.origin, **fields))

    def signal(self, unit: Unit, token: int) -> None:
        """The unit posts the token when its earlier work is done."""
        self.op(Opcode.SIGNAL, unit=unit, token=token)

    def wait(self, unit: Unit, token: int) -> None:
        """The unit waits for the token."""
        self.op(Opcode.WAIT, unit=unit, token=token)

    def hand_over(self, giver: Unit, taker: Unit, token: int) -> None:
        """The taker goes on only when all earlier work of the giver is done."""
        self.signal(giver, token)
        self.wait(taker, token)

    @contextmanager
    def guard(self, fields: dict[str, int] | None) -> Generator[None]:
        """What is written inside runs only where the guard lets it."""
        if fields is None:
            yield
            return
        place = len(self.code)
        self.op(Opcode.GUARD, skip=0, **fields)
        origin = self.origin
        yield
        size = len(self.code) - place - 1
        self.code[place] = micro_op(Opcode.GUARD, origin, skip=size, **fields)

    @contextmanager
    def loop(self, level: int, times: int) -> Generator[None]:
        """What is written inside runs `times` times; a single time needs no loop unless counted."""
        self.op(Opcode.LOOP, level=level, count=times)
        yield
        self.op(Opcode.END, level=level)

    def next_half(self) -> int:
        """The half of the accumulators whose turn it is."""
        half, self.half = self.half, 1 - self.half
        return half
