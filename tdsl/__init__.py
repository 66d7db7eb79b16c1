"""tdsl: networks of ternary weights and activations, compiled for near-memory arrays and simulated.

The names below are the whole public face. They are imported when first used, so that reading a
`.tnn` file never loads the simulator.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tdsl.api import Cost, Network, Program, Result, load
    from tdsl.diagnostics import CompileError, Diagnostic

__all__ = ["CompileError", "Cost", "Diagnostic", "Network", "Program", "Result", "load"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module `tdsl` has no name `{name}`")
    home = "diagnostics" if name in ("CompileError", "Diagnostic") else "api"
    return getattr(import_module(f"tdsl.{home}"), name)
