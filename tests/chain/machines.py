"""The machines that chain tests run on: the presets, and small ones that force every mapping."""

from dataclasses import replace
from typing import Any

from tdsl_runtime.description import MachineDescription, load_machine, machines

THRESHOLDS = 1023
"""As many T registers as a micro-op can name: quantization to eight bits fits everywhere."""


def presets() -> tuple[MachineDescription, ...]:
    """The presets, with more T registers."""
    return tuple(replace(load_machine(name), thresholds=THRESHOLDS) for name in machines())


def small_machines() -> tuple[MachineDescription, ...]:
    """Machines of few macros, rows, accumulators or channels."""
    return tuple(_small(name, **changes) for name, changes in _SMALL.items())


def all_machines() -> tuple[MachineDescription, ...]:
    """Presets and small machines."""
    return presets() + small_machines()


def machine_named(name: str) -> MachineDescription:
    """One of all machines."""
    return next(machine for machine in all_machines() if machine.name == name)


def _small(name: str, **changes: Any) -> MachineDescription:
    return replace(load_machine("nearmem-1mb"), name=name, thresholds=THRESHOLDS, **changes)


_SMALL: dict[str, dict[str, Any]] = {
    "two-by-two": {
        "macro_rows": 2,
        "macro_columns": 2,
        "rows": 256,
        "columns": 128,
        "lanes": 128,
        "channels": 1,
        "window_lines": 0,
        "accumulators": 8,
    },
    "four-by-four": {
        "macro_rows": 4,
        "macro_columns": 4,
        "rows": 48,
        "channels": 4,
        "window_lines": 3,
        "accumulators": 8,
    },
    "few-rows": {
        "macro_rows": 4,
        "macro_columns": 4,
        "rows": 9,
        "columns": 64,
        "lanes": 64,
        "channels": 2,
        "window_lines": 3,
        "accumulators": 8,
    },
    "narrow-lanes": {
        "macro_rows": 3,
        "macro_columns": 5,
        "rows": 64,
        "columns": 192,
        "lanes": 100,
        "channels": 3,
        "channel_trits": 24,
        "window_lines": 2,
        "accumulators": 9,
        "gather_trits": 7,
        "queue": 2,
    },
}
