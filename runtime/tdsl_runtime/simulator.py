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
from tdsl_runtime.image_bytes import (
    bytes_of,
    input_bytes,
    output_images,
    packed_bytes,
    packed_images,
    written_ranges,
)
from tdsl_runtime.interpreter import Interpreter, Result
from tdsl_runtime.isa import TABLE, Opcode, Unit
from tdsl_runtime.kernels import columns
from tdsl_runtime.kernels.execute import engine
from tdsl_runtime.packed import PackedTrits, pack_trits, unpack_trits
from tdsl_runtime.ports import check_inputs, check_packed, require_trits
from tdsl_runtime.program import Program
from tdsl_runtime.validation import validate
from tdsl_runtime.workspace import new_workspace

# Numba has no type annotations.
event: Any = import_module("numba.core.event")
typeof: Any = import_module("numba").typeof

_UNITS = np.array([TABLE[opcode].unit for opcode in Opcode])
_POSTS = 1024
"""Posts of tokens that there is room for at first."""


@dataclass(frozen=True, slots=True)
class PackedResult:
    """The output images of a run by port name, as packed trits, and what it counted."""

    outputs: dict[str, PackedTrits]
    counters: Counters


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
        self._by_unit = np.array(
            [_UNITS[self._code.table[:, 0]] == unit for unit in Unit], np.int64
        )
        self._posts = _POSTS
        self._spaces: list[_Arrays] = []
        self._on_compile = on_compile
        self._kernels = engine(self._code.features)

    def load(self) -> None:
        """Load the kernels, or compile them: what the first run would do otherwise."""
        with self._compiling():
            kinds = [typeof(array) for array in self._new_space()]
            kinds += [typeof(array) for array in self._frame(np.zeros(0, np.uint8)).arguments]
            self._kernels.compile(tuple(kinds))

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Result:
        """Run on images [C, H, W] by port name.

        Raises MachineError for images that do not fit the ports, and for a program that reads
        what no buffer holds or waits for a token that is never posted.
        """
        images = check_inputs(self.program.inputs, inputs)
        frame = self._execute(
            self._frame(input_bytes(self.program.inputs, self._code.in_ports, images))
        )
        if frame is None:
            return Interpreter(self.program).run(images)
        outputs = output_images(self.program.outputs, self._code.out_ports, frame.out)
        return Result(outputs, self._counters(frame))

    def run_packed(self, inputs: Mapping[str, PackedTrits]) -> PackedResult:
        """Run on packed trits, and give the outputs as such: nothing is unpacked on the way.

        Raises MachineError as `run` does, and where a port has other values than trits.
        """
        for port, (low, high) in zip(
            self.program.outputs, written_ranges(self.program), strict=True
        ):
            require_trits(port.name, low, high)
        check_packed(self.program.inputs, inputs)
        raw = packed_bytes(self.program.inputs, inputs)
        frame = self._execute(self._frame(raw, packed=True))
        if frame is None:
            images = {name: unpack_trits(packed) for name, packed in inputs.items()}
            result = Interpreter(self.program).run(images)
            outputs = {name: pack_trits(image) for name, image in result.outputs.items()}
            return PackedResult(outputs, result.counters)
        packed = packed_images(self.program.outputs, self._code.packed_out_ports, frame.out)
        return PackedResult(packed, self._counters(frame))

    def run_many(
        self, frames: Sequence[Mapping[str, NDArray[Any]]], *, threads: int = 1
    ) -> list[Result]:
        """Run on many frames, each from the program's memory image, several at once."""
        if threads == 1 or len(frames) < 2:
            return [self.run(frame) for frame in frames]
        first = self.run(frames[0])
        with ThreadPoolExecutor(threads) as pool:
            return [first, *pool.map(self.run, frames[1:])]

    def _execute(self, frame: "_Frame") -> "_Frame | None":
        """Execute a frame; None if its sums are beyond the 32 bits of the kernels' accumulators."""
        try:
            space = self._spaces.pop()
        except IndexError:
            space = self._new_space()
        while True:
            self._call(space, frame)
            if frame.status[0] != columns.MORE_POSTS:
                break
            self._posts *= 16
            space = self._new_space()
            frame = frame.again()
        self._spaces.append(space)
        if frame.status[0] == columns.EXCESS:
            return None
        if frame.status[0] != columns.DONE:
            raise _failure(self.program, frame.status)
        return frame

    def _call(self, space: "_Arrays", frame: "_Frame") -> None:
        if self._kernels.signatures:
            self._kernels(*space, *frame.arguments)
            return
        with self._compiling():
            self._kernels(*space, *frame.arguments)

    def _new_space(self) -> "_Arrays":
        return new_workspace(self.program, self._code, self._posts)

    def _frame(self, raw: NDArray[np.uint8], packed: bool = False) -> "_Frame":
        code = self._code
        if packed:
            return _new_frame(code.packed_in_ports, raw, code.packed_out_ports, len(code.table))
        return _new_frame(code.in_ports, raw, code.out_ports, len(code.table))

    def _counters(self, frame: "_Frame") -> Counters:
        clock = frame.clock
        done = clock[columns.CLOCK_DONE : columns.CLOCK_DONE + len(Unit)]
        issue_cycles = int(clock[columns.CLOCK_ISSUE])
        return Counters(
            table=frame.counts,
            done=done,
            busy=self._by_unit @ frame.counts[:, Counter.BUSY],
            issued=int(clock[columns.CLOCK_ISSUED]),
            issue_cycles=issue_cycles,
            cycles=max(issue_cycles, int(done.max())),
        )

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


_Arrays = tuple[NDArray[Any], ...]


@dataclass(frozen=True, slots=True)
class _Frame:
    """The arrays of one frame: those it comes in, and those it leaves."""

    in_ports: Ints
    raw: NDArray[np.uint8]
    out_ports: Ints
    out: NDArray[np.uint8]
    counts: Ints
    clock: Ints
    status: Ints

    @property
    def arguments(self) -> _Arrays:
        """The kernels' last arguments."""
        out = self.out, self.out.view(np.uint64)
        return self.in_ports, self.raw, self.out_ports, *out, self.counts, self.clock, self.status

    def again(self) -> "_Frame":
        """The same frame, not yet executed."""
        return _new_frame(self.in_ports, self.raw, self.out_ports, len(self.counts))


def _new_frame(in_ports: Ints, raw: NDArray[np.uint8], out_ports: Ints, ops: int) -> _Frame:
    return _Frame(
        in_ports,
        raw,
        out_ports,
        np.zeros(bytes_of(out_ports), np.uint8),
        np.zeros((ops, len(Counter)), np.int64),
        np.zeros(columns.CLOCK_SIZE, np.int64),
        np.zeros(5, np.int64),
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
