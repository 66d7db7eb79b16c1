"""Whether this process may compute with the CPU's matrix tiles."""

import ctypes
import sys
from functools import cache

from tdsl_runtime.kernels.matrix import TILES

_ARCH_PRCTL, _REQUEST_PERMISSION, _TILE_DATA = 158, 0x1023, 18
"""The system call of Linux on x86-64, and its arguments."""


@cache
def tiles_granted() -> bool:
    """Ask for them, once a process: False where CPU or operating system has none to give."""
    if not TILES or sys.platform != "linux":
        return False
    call = ctypes.CDLL(None).syscall
    return bool(call(_ARCH_PRCTL, _REQUEST_PERMISSION, _TILE_DATA) == 0)
