"""`@kernel` and `@uop`: functions on images, compiled for a machine and simulated when called."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, update_wrapper
from typing import Any, overload

from tdsl.cost.summary import Cost
from tdsl.diagnostics import CompileError
from tdsl.execution import Runner
from tdsl.frontend.kernel_operators import kernel_operator
from tdsl.images.port import Port
from tdsl.kernel_arrays import Found, constant_values, given_arguments, shaped
from tdsl.kernels.definition import Declared
from tdsl.kernels.live import define_function
from tdsl.kernels.results import result_names
from tdsl.kernels.specialize import look_over, specialize
from tdsl.lowering.pixels.compile_rows import compile_rows
from tdsl.refusal import machine_refusals
from tdsl.rows.ir import RowProgram
from tdsl.rows.rewrite import for_channels
from tdsl.tracing.tracer import current_tracer
from tdsl_runtime.counters import Counters
from tdsl_runtime.description import MachineDescription, load_machine, machines
from tdsl_runtime.program import Program

DEFAULT_MACHINE = "nearmem-1mb"
"""Where neither the kernel nor the call names one."""
KEPT = 32
"""Programs kept ready for each kernel; the ones used longest ago go first."""

Constants = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class KernelResult:
    """The results of one call by name, and what they cost on the machine."""

    outputs: dict[str, Found]
    cost: Cost
    counters: Counters

    @property
    def value(self) -> Any:
        """The one result, or the tuple of them."""
        found = tuple(self.outputs.values())
        return found[0] if len(found) == 1 else found


class Kernel:
    """A compiled function on images: `changed(now, before, thr=12)`.

    `cost` is that of the last call. Inside other kernels, calling it works its body out in place.
    """

    __name__: str

    def __init__(
        self,
        function: Callable[..., Any],
        machine: str | None = None,
        declared: Declared | None = None,
    ) -> None:
        """Read the source of `function`; it is never run. Raises CompileError."""
        update_wrapper(self, function)
        self.definition = define_function(function, declared)
        self.machine = machine
        self.cost: Cost | None = None
        self._programs: dict[Constants, RowProgram] = {}
        self._ready: dict[object, Runner] = {}
        look_over(self.definition)

    def __call__(self, *images: Any, machine: str | None = None, **named: Any) -> Any:
        """Run on images of one size (arrays `[H, W]` or `[C, H, W]`, or Pillow images).

        Returns arrays of the smallest type that holds the declared one, totals as numbers; a tuple
        where there are several. In the function of a network it is a step, on tensors. Raises
        CompileError for what misfits.
        """
        tracer = current_tracer()
        if tracer is not None:
            return tracer.operation(kernel_operator(self.definition), False, *images, **named)
        result = self.run(*images, machine=machine, **named)
        self.cost = result.cost
        return result.value

    def run(self, *images: Any, machine: str | None = None, **named: Any) -> KernelResult:
        """As a call, with results by name, cost and counters."""
        given = given_arguments(self.definition, images, named)
        runner = self._runner(given.constants, given.channels, given.size, machine)
        found = runner.run(given.arrays)
        names = result_names(self.definition, self._rows(given.constants))
        outputs = {
            name: shaped(stated, found.outputs[name], given.channels)
            for name, stated in zip(names, self.definition.results, strict=True)
        }
        return KernelResult(outputs, found.cost, found.counters)

    def rows(self, **constants: int) -> RowProgram:
        """The row program for these constants. Raises CompileError."""
        return self._rows(constant_values(self.definition, constants))

    def compile(
        self, size: tuple[int, int], machine: str | None = None, **constants: int
    ) -> Program:
        """The machine's program for images of `size` (width, height). Raises CompileError."""
        width, height = size
        rows = self.rows(**constants)
        return self._compiled(rows, (height, width), _machine(machine or self.machine))

    def _rows(self, constants: Constants) -> RowProgram:
        if constants not in self._programs:
            self._programs[constants] = specialize(self.definition, dict(constants))
        return self._programs[constants]

    def _runner(
        self,
        constants: Constants,
        channels: int | None,
        size: tuple[int, int],
        machine: str | None,
    ) -> Runner:
        described = _machine(machine or self.machine)
        key = constants, channels, size, described
        runner = self._ready.pop(key, None)
        if runner is None:
            rows = self._rows(constants)
            if channels is not None:
                rows = for_channels(rows, channels)
            program = self._compiled(rows, size, described)
            runner = Runner(program, _ports(program), None)
        self._ready[key] = runner
        if len(self._ready) > KEPT:
            del self._ready[next(iter(self._ready))]
        return runner

    def _compiled(
        self, rows: RowProgram, size: tuple[int, int], machine: MachineDescription
    ) -> Program:
        try:
            return compile_rows(rows, *size, machine)
        except CompileError as error:
            file = self.definition.file
            raise CompileError(
                error.diagnostics, {file.name: file.text, **error.sources}
            ) from error


@overload
def kernel(function: Callable[..., Any]) -> Kernel: ...
@overload
def kernel(*, machine: str | None = None) -> Callable[[Callable[..., Any]], Kernel]: ...
def kernel(
    function: Callable[..., Any] | None = None, *, machine: str | None = None
) -> Kernel | Callable[[Callable[..., Any]], Kernel]:
    """Compile a function on images from its source: `@kernel`, `@kernel(machine="nearmem-1mb")`.

    Raises CompileError with every mistake that can be seen before it is called.
    """
    if function is not None:
        return Kernel(function)
    return lambda found: Kernel(found, machine)


def uop(*, opcode: int, cycles: int, energy: float = 0.0) -> Callable[[Callable[..., Any]], Kernel]:
    """Define a micro-op of the array: the body is its meaning, `cycles` and `energy` its cost.

    `energy` is in picojoules, each time it runs, in each macro. Kernels call it by name.
    """
    declared = Declared(opcode, cycles, round(energy * 1000))
    return lambda function: Kernel(function, declared=declared)


def _machine(name: str | None) -> MachineDescription:
    chosen = DEFAULT_MACHINE if name is None else name
    return _preset(chosen) if chosen in machines() else _described(chosen)


def _described(name: str) -> MachineDescription:
    with machine_refusals("E0710"):
        return load_machine(name)


_preset = lru_cache(maxsize=None)(_described)
"""Presets never change; a file may."""


def _ports(program: Program) -> list[Port]:
    return [Port(p.name, p.shape, p.low, p.high) for p in program.outputs]
