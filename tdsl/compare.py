"""A compiled network and inputs -> the first value on the machine that is not the reference's.

The program runs on the interpreter; every line that a step writes into a line buffer is collected
there at once, before the buffer comes round, and compared with the reference meaning of the graph.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tdsl.compiler import Compiled
from tdsl.ir.interpreter import interpret
from tdsl.ir.parameters import Integers
from tdsl.lowering.plan import Plan
from tdsl.lowering.steps import Step
from tdsl_runtime.interpreter import Interpreter, Result
from tdsl_runtime.isa import MicroOp, Opcode
from tdsl_runtime.micro_ops import line
from tdsl_runtime.program import Program
from tdsl_runtime.state import Buffer, State

_WRITERS = (Opcode.STORE, Opcode.LUT, Opcode.DMAIN)


@dataclass(frozen=True, slots=True)
class Difference:
    """One value: layer (or output), channel, line, pixel, what it should be and what it is."""

    layer: str
    channel: int
    y: int
    x: int
    expected: int
    got: int

    def __str__(self) -> str:
        return (
            f"`{self.layer}` differs first in channel {self.channel} at line {self.y}, "
            f"pixel {self.x}: {self.got} instead of {self.expected}"
        )


def first_difference(
    compiled: Compiled, inputs: Mapping[str, NDArray[Any]], program: Program | None = None
) -> Difference | None:
    """Compare layer by layer, in the order of the plan's steps, then output by output.

    `inputs` are those of the graph, by name; `program` (by default the compiled one) must have
    the micro-ops of `compiled.program`, but any memory image. Values that no node of the graph
    has, such as the halves of a `mux`, are passed over. Raises MachineError if the program fails.
    """
    values = interpret(compiled.graph, compiled.arrays, inputs)
    expected = {
        node.name: _image(value)
        for node, value in zip(compiled.graph.nodes, values.values(), strict=True)
    }
    collector = _Collector(compiled.plan, program or compiled.program)
    images = {name: _image(np.asarray(value)) for name, value in inputs.items()}
    result = collector.run(images)
    for step in compiled.plan.selection.steps:
        found = collector.lines[step.out.index]
        if step.out.name in expected:
            difference = _compare(step.out.name, expected[step.out.name], found)
            if difference is not None:
                return difference
    for output in compiled.graph.outputs:
        difference = _compare(output.name, _image(values[output.node]), result.outputs[output.name])
        if difference is not None:
            return difference
    return None


class _Collector:
    """Runs a program and keeps every line that its steps make: `lines` by tensor, `[C, H, W]`."""

    def __init__(self, plan: Plan, program: Program) -> None:
        self.steps: tuple[Step, ...] = plan.selection.steps
        self.program = program
        self.halos = {step.out.index: plan.place(step.out) for step in self.steps}
        self.lines: dict[int, Integers] = {
            step.out.index: np.zeros((step.out.channels, step.out.height, step.out.width), np.int64)
            for step in self.steps
        }

    def run(self, images: Mapping[str, Integers]) -> Result:
        """Run on images `[C, H, W]`."""
        return Interpreter(self.program).run(images, self._collect)

    def _collect(self, at: int, state: State) -> None:
        op = self.program.ops[at]
        if op.opcode in _WRITERS:
            self._read_line(state, op, state.buffers[op["buffer"]])

    def _read_line(self, state: State, op: MicroOp, buffer: Buffer) -> None:
        """Read the whole line after each of its parts is written; the last time it is whole."""
        tensor = self.steps[op.origin - 1].out
        place, y = self.halos[tensor.index], line(state, op)
        for x in range(place.halo, place.halo + place.step):
            if state.holds(buffer, y, x):
                column = state.image_column(buffer, x)
                self.lines[tensor.index][:, y, column] = state.read_values(buffer, y, x)


def _compare(layer: str, expected: Integers, got: Integers) -> Difference | None:
    wrong = np.argwhere(expected != got)
    if not len(wrong):
        return None
    c, y, x = (int(i) for i in wrong[0])
    return Difference(layer, c, y, x, int(expected[c, y, x]), int(got[c, y, x]))


def _image(value: Integers) -> Integers:
    """`[C]` as `[C, 1, 1]`; images as they are."""
    return value if value.ndim == 3 else value[:, None, None]
