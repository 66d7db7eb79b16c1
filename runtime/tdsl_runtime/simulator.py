"""The fast engine: a program and its input images -> output images and counters.

The kernels execute what `decoding` has laid out for them. Outputs and counters are those of the
interpreter, bit for bit.
"""

import gc
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tdsl_runtime.counters import Counter, Counters
from tdsl_runtime.decoding import Ints, decode
from tdsl_runtime.errors import MachineError
from tdsl_runtime.image_bytes import bytes_of, input_ports, output_images
from tdsl_runtime.interpreter import Interpreter, Result
from tdsl_runtime.isa import TABLE, Opcode, Unit
from tdsl_runtime.kernels import columns
from tdsl_runtime.kernels.execute import engine
from tdsl_runtime.ports import Images, check_inputs
from tdsl_runtime.program import Program
from tdsl_runtime.validation import validate
from tdsl_runtime.workspace import Workspace, new_workspace, refresh, token_queues

# Numba has no type annotations.
event: Any = import_module("numba.core.event")
typeof: Any = import_module("numba").typeof

_UNITS = np.array([TABLE[opcode].unit for opcode in Opcode])


class Simulator:
    """Runs one program, as often as wanted; every run starts from the program's memory image."""

    def __init__(
        self, program: Program, *, fuse: bool = True, on_compile: Callable[[], None] | None = None
    ) -> None:
        """Decode a program; without `fuse` every DOT is executed by itself.

        `on_compile` is called if the kernels must be compiled first, which takes seconds: once
        after an installation. Raises MachineError if the program is not valid on its machine.
        """
        validate(program)
        self.program = program
        self._code = decode(program, fuse)
        self._spaces: list[Workspace] = []
        self._on_compile = on_compile
        self._kernels = engine(self._code.features)

    def load(self) -> None:
        """Load the kernels, or compile them: what the first run would do otherwise."""
        with self._compiling():
            zeros = {port.name: np.zeros(port.shape, np.int64) for port in self.program.inputs}
            space = new_workspace(self.program, self._code)
            arguments = self._frame(space, zeros, 1).arguments
            self._kernels.compile(tuple(typeof(argument) for argument in arguments))

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Result:
        """Run on images [C, H, W] by port name.

        Raises MachineError for images that do not fit the ports, and for a program that reads
        what no buffer holds or waits for a token that is never posted.
        """
        images = check_inputs(self.program.inputs, inputs)
        with self._compiling():
            return self._execute(images)

    def run_many(
        self, frames: Sequence[Mapping[str, NDArray[Any]]], *, threads: int = 1
    ) -> list[Result]:
        """Run on many frames, each from the program's memory image, several at once."""
        if threads == 1 or len(frames) < 2:
            return [self.run(frame) for frame in frames]
        first = self.run(frames[0])
        with ThreadPoolExecutor(threads) as pool:
            return [first, *pool.map(self.run, frames[1:])]

    def _execute(self, images: Images, posts: int = 1024) -> Result:
        code = self._code
        try:
            space = self._spaces.pop()
        except IndexError:
            space = new_workspace(self.program, code)
        refresh(space, code)
        frame = self._frame(space, images, posts)
        self._kernels(*frame.arguments)
        self._spaces.append(space)
        status = frame.status
        if status[0] == columns.MORE_POSTS:
            return self._execute(images, 16 * posts)
        if status[0] == columns.EXCESS:
            # Sums beyond the 32 bits of the kernels' accumulators: exact, but slow.
            return Interpreter(self.program).run(images)
        if status[0] != columns.DONE:
            raise _failure(self.program, status)
        outputs = output_images(self.program.outputs, code.out_ports, frame.out)
        return Result(outputs, _counters(code.table, frame.counts, frame.clock))

    def _frame(self, space: Workspace, images: Images, posts: int) -> "_Frame":
        code, machine = self._code, self.program.machine
        in_ports, raw = input_ports(self.program.inputs, images)
        out = np.zeros(bytes_of(code.out_ports), np.uint8)
        counts = np.zeros((len(code.table), len(Counter)), np.int64)
        clock = np.zeros(columns.CLOCK_SIZE, np.int64)
        status = np.zeros(5, np.int64)
        arguments = (
            code.table,
            code.turns,
            code.run_of,
            *space.plans,
            code.costs,
            code.figures,
            space.memory.reshape(-1),
            code.external,
            in_ports,
            raw,
            code.out_ports,
            out,
            *space.kept,
            *space.registers,
            *space.scratch,
            counts,
            clock,
            np.zeros((len(Unit), machine.queue + 1), np.int64),
            *token_queues(machine.tokens, posts),
            status,
        )
        return _Frame(arguments, out, counts, clock, status)

    @contextmanager
    def _compiling(self) -> Generator[None]:
        """Around the first run: tell if kernels are compiled now, and let nothing disturb that."""
        kernels = self._kernels
        if kernels.signatures:
            yield
            return
        pending = [self._on_compile] if self._on_compile is not None else []

        class Listener(event.Listener):  # type: ignore[misc]
            def on_start(self, event: Any) -> None:
                if pending and event.data["dispatcher"] is kernels:
                    pending.pop()()

            def on_end(self, event: Any) -> None:
                pass

        collects = gc.isenabled()
        gc.disable()
        try:
            with event.install_listener("numba:compile", Listener()):
                yield
        finally:
            if collects:
                gc.enable()


@dataclass(frozen=True, slots=True)
class _Frame:
    """The kernels' arguments for one frame, and those among them that tell of its end."""

    arguments: tuple[NDArray[Any], ...]
    out: NDArray[np.uint8]
    counts: Ints
    clock: Ints
    status: Ints


def _counters(table: Ints, counts: Ints, clock: Ints) -> Counters:
    units = _UNITS[table[:, 0]]
    done = clock[columns.CLOCK_DONE : columns.CLOCK_DONE + len(Unit)].copy()
    issue_cycles = int(clock[columns.CLOCK_ISSUE])
    return Counters(
        table=counts,
        done=done,
        busy=np.array([counts[units == unit, Counter.BUSY].sum() for unit in Unit], np.int64),
        issued=int(clock[columns.CLOCK_ISSUED]),
        issue_cycles=issue_cycles,
        cycles=max(issue_cycles, int(done.max())),
    )


def _failure(program: Program, status: Ints) -> MachineError:
    kind, at, first, second, last = (int(value) for value in status)
    where = f"micro-op {at} ({program.ops[at].opcode.name}): "
    note, remedy = "", "the program is wrong: compile it again"
    if kind == columns.MISSING_PIXEL:
        what = f"pixel {first} of line {second} is read: inside the image, outside the buffer"
        note = f"the buffer holds pixels 0 to {last} of a line"
    else:
        what = f"WAIT for token {first}, which no earlier SIGNAL posts"
    return MachineError(where + what, note, remedy)
