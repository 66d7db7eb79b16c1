"""tdsl: networks of ternary weights and activations, compiled for near-memory arrays and simulated.

The names below are the whole public face. They are imported when first used, so that reading a
`.tnn` file never loads the simulator. Besides, every type of rows has a name: `U1` to `U32` and
`I2` to `I32`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tdsl.api import Cost, Network, Program, Result, load
    from tdsl.diagnostics import CompileError, Diagnostic
    from tdsl.kernel_calls import Kernel, KernelResult, kernel, uop
    from tdsl.kernel_words import (
        I8,
        I16,
        I32,
        U8,
        U16,
        U32,
        Bits,
        Const,
        L,
        Trits,
        histogram,
        popcount,
        static,
        widen,
        wrap,
    )

__all__ = [
    "I8",
    "I16",
    "I32",
    "U8",
    "U16",
    "U32",
    "Bits",
    "CompileError",
    "Const",
    "Cost",
    "Diagnostic",
    "Kernel",
    "KernelResult",
    "L",
    "Network",
    "Program",
    "Result",
    "Trits",
    "histogram",
    "kernel",
    "load",
    "popcount",
    "static",
    "uop",
    "widen",
    "wrap",
]

_HOMES = {
    "api": ("Cost", "Network", "Program", "Result", "load"),
    "diagnostics": ("CompileError", "Diagnostic"),
    "kernel_calls": ("Kernel", "KernelResult", "kernel", "uop"),
}
"""Where the names are defined; all others are words of kernels."""


def __getattr__(name: str) -> Any:
    home = next((home for home, names in _HOMES.items() if name in names), "kernel_words")
    try:
        return getattr(import_module(f"tdsl.{home}"), name)
    except AttributeError:
        raise AttributeError(f"module `tdsl` has no name `{name}`") from None
