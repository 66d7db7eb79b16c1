"""What checking a file gives: its networks as graphs, their arrays, the tests written in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tdsl.frontend.weights import WeightsFile
from tdsl.ir.graph import Graph
from tdsl.ir.parameters import Arrays
from tdsl.ir.tensor_type import TensorType
from tdsl.source import Span


@dataclass(frozen=True, slots=True)
class GoldenArray:
    """An array that a `check` gives to an input, or expects of an output, of this name."""

    name: str
    file: WeightsFile | None
    key: str


@dataclass(frozen=True, slots=True)
class GoldenCheck:
    """`check net(P.img) == P.scores`. Arrays may have one axis in front: several cases."""

    inputs: tuple[GoldenArray, ...]
    expected: tuple[GoldenArray, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class CheckedNetwork:
    """A network without mistakes."""

    graph: Graph
    arrays: Arrays
    """The value of every `Stored` parameter, int64, validated; empty without weights files."""
    target: str | None
    """The machine that the file names, as it is written there."""
    declared: tuple[TensorType, ...]
    """The types of the outputs in the header: they hold the exact types of the graph."""
    checks: tuple[GoldenCheck, ...] = ()
    stores: Mapping[str, Path] = field(default_factory=dict[str, Path])
    """The paths of the weights files, by the names that `Stored.store` has."""
    layouts: Mapping[str, str] = field(default_factory=dict[str, str])
    """Steps whose data organisation the source gives: `channels` or `pixels`."""


@dataclass(frozen=True, slots=True)
class CheckedModule:
    """A file without mistakes."""

    file: str
    networks: Mapping[str, CheckedNetwork]
    sources: Mapping[str, str]
    """The texts of the file and of those it uses, for later diagnostics."""
