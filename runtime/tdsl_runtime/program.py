"""A compiled program: encoded micro-ops, memory image, ports, origins; its file, read and written.

The file is one safetensors file whose metadata holds the rest as JSON, with a format version and
a SHA-256 checksum over everything. Nothing in it is ever executed by reading it.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from tdsl_runtime.description import MachineDescription, machine_data, machine_from_data
from tdsl_runtime.encoding import decode
from tdsl_runtime.errors import MachineError
from tdsl_runtime.isa import MicroOp

FORMAT = "tdsl program"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output: an image of whole numbers in `low..high`, in the order [C, H, W]."""

    name: str
    channels: int
    height: int
    width: int
    low: int
    high: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        return self.channels, self.height, self.width

    @property
    def bits(self) -> int:
        """Bits of a value: unsigned if `low` is not negative, else two's complement."""
        if self.low >= 0:
            return max(1, self.high.bit_length())
        return 1 + max((-1 - self.low).bit_length(), max(self.high, 0).bit_length())


@dataclass(frozen=True, slots=True)
class Origin:
    """Where micro-ops come from: a layer, its source line (0: none) and a few words."""

    layer: str
    line: int
    text: str


@dataclass(frozen=True, eq=False)
class Program:
    """What the machine runs: nothing else is needed, and nothing of the source is in it.

    `code` is uint64 [words]; `code_origins` int32 [micro-ops] indexes `origins`. `rows` int64 [k]
    are the rows that `row_data` uint64 [k, 2, W, M] (nonzero and sign plane) fills at the start;
    all others start at 0. `external` uint64 [e, 2, W, M] are the rows of external memory.
    """

    network: str
    machine: MachineDescription
    code: NDArray[np.uint64]
    code_origins: NDArray[np.int32]
    rows: NDArray[np.int64]
    row_data: NDArray[np.uint64]
    external: NDArray[np.uint64]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    origins: tuple[Origin, ...]

    @cached_property
    def ops(self) -> tuple[MicroOp, ...]:
        """The micro-ops, decoded, with their origins. Raises MachineError if they cannot be."""
        ops = decode(self.code)
        if len(ops) != len(self.code_origins):
            raise MachineError(
                f"the program has {len(ops)} micro-ops, but origins for {len(self.code_origins)}",
                remedy="compile the program again",
            )
        pairs = zip(ops, self.code_origins, strict=True)
        return tuple(MicroOp(op.opcode, op.values, int(origin)) for op, origin in pairs)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Program):
            return NotImplemented
        return all(
            np.array_equal(getattr(self, field.name), getattr(other, field.name))
            if field.name in _TENSORS
            else getattr(self, field.name) == getattr(other, field.name)
            for field in fields(self)
        )

    def save(self, path: str | Path) -> None:
        """Write the program to a file: whole or not at all. Raises MachineError."""
        target = Path(path)
        tensors = {name: np.ascontiguousarray(getattr(self, name)) for name in _TENSORS}
        header = _header(self)
        text = json.dumps({**header, "checksum": _checksum(header, tensors)}, sort_keys=True)
        try:
            _write_atomically(target, save_tensors(tensors, {FORMAT: text}))
        except OSError as error:
            raise MachineError(
                f"cannot write `{target}`: {error.strerror or error}",
                remedy="choose a path in a folder that exists and can be written",
            ) from error

    @staticmethod
    def load(path: str | Path) -> "Program":
        """Read a program file. Raises MachineError for a missing, foreign or damaged one."""
        try:
            data = Path(path).read_bytes()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise MachineError(
                f"cannot read program `{path}`: {reason}",
                remedy="name a file that `tdsl compile` wrote",
            ) from error
        header = _read_header(data, str(path))
        try:
            tensors: dict[str, NDArray[Any]] = load_tensors(data)
        except (SafetensorError, ValueError) as error:
            raise _broken(str(path), "its data cannot be read") from error
        checksum = header.pop("checksum", None)
        if tensors.keys() != set(_TENSORS) or checksum != _checksum(header, tensors):
            raise _broken(str(path), "its checksum does not match its contents")
        return _from_header(header, tensors, str(path))


_TENSORS: dict[str, type[np.generic]] = {
    "code": np.uint64,
    "code_origins": np.int32,
    "rows": np.int64,
    "row_data": np.uint64,
    "external": np.uint64,
}


def _header(program: Program) -> dict[str, Any]:
    return {
        "version": VERSION,
        "network": program.network,
        "machine": machine_data(program.machine),
        "inputs": [asdict(port) for port in program.inputs],
        "outputs": [asdict(port) for port in program.outputs],
        "origins": [[origin.layer, origin.line, origin.text] for origin in program.origins],
    }


def _from_header(
    header: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]], path: str
) -> Program:
    return Program(
        network=header["network"],
        machine=machine_from_data(header["machine"], path),
        inputs=tuple(Port(**port) for port in header["inputs"]),
        outputs=tuple(Port(**port) for port in header["outputs"]),
        origins=tuple(Origin(*origin) for origin in header["origins"]),
        **tensors,
    )


def _checksum(header: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"\n{name} {tensor.dtype.str} {tensor.shape}\n".encode())
        digest.update(np.ascontiguousarray(tensor).tobytes())
    return digest.hexdigest()


def _read_header(data: bytes, path: str) -> dict[str, Any]:
    """Parse the metadata by hand: safetensors reads it from files only."""
    length = int.from_bytes(data[:8], "little")
    try:
        head = json.loads(data[8 : 8 + length])
        header: dict[str, Any] = json.loads(head["__metadata__"][FORMAT])
        version = header["version"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise MachineError(
            f"`{path}` is not a program file, or its head is damaged",
            remedy="name a file that `tdsl compile` wrote, or compile it again",
        ) from error
    if version != VERSION:
        raise MachineError(
            f"`{path}` has program format {version}; this version reads format {VERSION}",
            remedy="compile the program again with this version",
        )
    return header


def _broken(path: str, what: str) -> MachineError:
    return MachineError(
        f"program `{path}` is damaged: {what}",
        "the file was truncated or altered after it was written",
        "copy it again, or compile the program again",
    )


def _write_atomically(target: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
