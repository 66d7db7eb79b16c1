"""What the checks of micro-ops have in common.

`Context` is what is known before a micro-op; each function yields what is wrong, in words.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tdsl_runtime.isa import MicroOp
from tdsl_runtime.program import Port, Program
from tdsl_runtime.state import Buffer

Problems = Iterator[str]


@dataclass(slots=True)
class Context:
    """What is known before a micro-op: the program, open loops, buffers and levels set.

    `active` are the macros that take part in row micro-ops.
    """

    program: Program
    open_levels: list[int] = field(default_factory=list[int])
    buffers: dict[int, Buffer] = field(default_factory=dict[int, Buffer])
    levels: set[int] = field(default_factory=set[int])
    active: int = 0

    def __post_init__(self) -> None:
        self.active = self.program.machine.macros


def nothing(op: MicroOp, context: Context) -> Problems:
    """No problem."""
    yield from ()


def idle(op: MicroOp, smallest: Mapping[str, int], reason: str) -> Problems:
    """Fields that have no say must hold their smallest legal value."""
    for name, value in smallest.items():
        if op[name] != value:
            yield f"{name} has no say {reason}, so it must be {value}"


def counter(op: MicroOp, context: Context, name: str) -> Problems:
    """A loop counter is that of an open loop, or 0."""
    if op[name] and op[name] not in context.open_levels:
        yield f"{name} {op[name]} is not the counter of an open loop"


def line(op: MicroOp, context: Context) -> Problems:
    """The four fields of a line."""
    yield from counter(op, context, "counter")
    if op["counter"] == 0:
        yield from idle(op, {"div": 1, "mul": 0}, "where counter is 0")


def outside_loops(op: MicroOp, context: Context) -> Problems:
    """Configuration stands outside loops."""
    if context.open_levels:
        yield "stands inside a loop"


def buffer(op: MicroOp, context: Context, name: str = "buffer") -> Problems:
    """A buffer is described before it is used."""
    if op[name] not in context.buffers:
        yield f"buffer {op[name]} is used before a BUF describes it"


def plane(op: MicroOp, context: Context, buffer: str, plane: str) -> Problems:
    """A plane is one of its buffer."""
    planes = context.buffers[op[buffer]].planes
    if op[plane] >= planes:
        yield f"{plane} {op[plane]} of a buffer with {planes}"


def rows(first: int, count: int, context: Context) -> Problems:
    """Trit rows are rows of the machine."""
    held = context.program.machine.rows
    if first + count > held:
        yield f"row {first + count - 1}; the machine has rows 0 to {held - 1}"


def port(ports: tuple[Port, ...], op: MicroOp, kind: str) -> Problems:
    """A port is one of the program."""
    if op["port"] >= len(ports):
        yield f"{kind} {op['port']}; the program has {len(ports)}"
