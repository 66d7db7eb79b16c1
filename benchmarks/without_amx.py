"""Refuses this process the AMX tile state, so that every runtime in it falls back to AVX-512 VNNI.

Linux grants tiles only on request (arch_prctl); a seccomp filter answers that request with EPERM.
"""

import ctypes
import os

SECCOMP, NO_NEW_PRIVILEGES, FILTER_MODE = 22, 38, 2
ARCH_PRCTL, REQUEST_PERMISSION = 158, 0x1023
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
SYSCALL_NUMBER, FIRST_ARGUMENT = 0, 16  # offsets in struct seccomp_data
ALLOW, REFUSE = 0x7FFF0000, 0x00050001


class Instruction(ctypes.Structure):
    """struct sock_filter."""

    _fields_ = (
        ("code", ctypes.c_uint16),
        ("if_true", ctypes.c_uint8),
        ("if_false", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_uint16), ("filter", ctypes.POINTER(Instruction)))


def refuse_amx() -> None:
    """Install the filter; it cannot be removed from this process. OSError where refused."""
    instructions = (Instruction * 6)(
        Instruction(LOAD, 0, 0, SYSCALL_NUMBER),
        Instruction(JUMP_IF_EQUAL, 0, 3, ARCH_PRCTL),
        Instruction(LOAD, 0, 0, FIRST_ARGUMENT),
        Instruction(JUMP_IF_EQUAL, 0, 1, REQUEST_PERMISSION),
        Instruction(RETURN, 0, 0, REFUSE),
        Instruction(RETURN, 0, 0, ALLOW),
    )
    libc = ctypes.CDLL(None, use_errno=True)
    program = ctypes.byref(Program(len(instructions), instructions))
    if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(SECCOMP, FILTER_MODE, program):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
