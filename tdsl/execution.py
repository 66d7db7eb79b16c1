"""A program, ready to run as often as wanted: input arrays -> output arrays and their cost."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tdsl.cost.memory import memory_bits
from tdsl.cost.summary import Cost, Declared, Range
from tdsl.images.port import Array, Port
from tdsl_runtime.counters import Counter, Counters
from tdsl_runtime.energy import energy
from tdsl_runtime.isa import Opcode
from tdsl_runtime.program import Port as MachinePort
from tdsl_runtime.program import Program


@dataclass(frozen=True, slots=True)
class Result:
    """The outputs of one run, by name (`result["scores"]` or `result.scores`), and what it cost."""

    outputs: dict[str, NDArray[np.int64]]
    cost: Cost
    counters: Counters

    def __getitem__(self, name: str) -> NDArray[np.int64]:
        return self.outputs[name]

    def __getattr__(self, name: str) -> NDArray[np.int64]:
        if name in Result.__slots__ or name not in self.outputs:
            raise AttributeError(f"a result has no output `{name}`")
        return self.outputs[name]


class Runner:
    """Runs one program on the simulator; safe to use from several threads."""

    def __init__(
        self,
        program: Program,
        outputs: Sequence[Port],
        macs: int | None,
        on_compile: Callable[[], None] | None = None,
    ) -> None:
        """Take a program and the shapes of its outputs.

        `macs` are those of the network, if it is known. `on_compile` is called where the simulator
        itself must be compiled first. Raises MachineError if the program is not valid.
        """
        # Not before something runs: it loads Numba.
        from tdsl_runtime.simulator import Simulator

        self._simulator = Simulator(program, on_compile=on_compile)
        self._simulator.load()
        self.program = program
        self.outputs = tuple(outputs)
        self.macs = macs
        self._memory = memory_bits(program)

    def run(self, arrays: Mapping[str, Array]) -> Result:
        """Run on input arrays by name. Raises MachineError for inputs that misfit the program."""
        return self.run_many([arrays], threads=1)[0]

    def run_many(
        self, frames: Sequence[Mapping[str, Array]], threads: int | None = None
    ) -> list[Result]:
        """Run on many frames with several threads, by default as many as there are cores.

        The seconds of each result are those of all, shared evenly.
        """
        start = perf_counter()
        results = self._simulator.run_many(
            [_machine_shapes(frame) for frame in frames], threads=threads or usable_cores()
        )
        seconds = (perf_counter() - start) / max(1, len(frames))
        return [
            Result(self._shaped(one.outputs), self._cost(one.counters, seconds), one.counters)
            for one in results
        ]

    def _shaped(self, outputs: Mapping[str, NDArray[np.int64]]) -> dict[str, NDArray[np.int64]]:
        return {p.name: outputs[p.name].reshape([s or 1 for s in p.shape]) for p in self.outputs}

    def _cost(self, counters: Counters, seconds: float) -> Cost:
        machine = self.program.machine
        return Cost(
            machine=machine.name,
            cycles=counters.cycles,
            seconds_at_clock=counters.cycles / machine.hertz,
            energy_pj=Range(*energy(self.program, counters).total),
            macs=self.macs,
            peak_macs=machine.peak_macs,
            memory_bits=self._memory,
            simulation_seconds=seconds,
            declared=self._declared(counters),
        )

    def _declared(self, counters: Counters) -> Declared | None:
        """The cycles and energy of user-defined micro-ops."""
        uops = [number for number, op in enumerate(self.program.ops) if op.opcode is Opcode.UOP]
        if not uops:
            return None
        cycles = int(counters.column(Counter.BUSY)[uops].sum())
        picojoules = energy(self.program, counters).by_micro_op[uops, 1].sum()
        return Declared(cycles, float(picojoules))


def program_ports(ports: Sequence[MachinePort]) -> list[Port]:
    """The ports of a program; what has one pixel is a vector."""
    return [
        Port(p.name, (p.channels,) if p.height == p.width == 1 else p.shape, p.low, p.high)
        for p in ports
    ]


def usable_cores() -> int:
    """The processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _machine_shapes(arrays: Mapping[str, Array]) -> dict[str, NDArray[Any]]:
    """The arrays as the machine takes them: `[C, H, W]`, vectors as `[C, 1, 1]`."""
    return {
        name: array.reshape(*array.shape, *(1,) * (3 - array.ndim))
        for name, array in arrays.items()
    }
