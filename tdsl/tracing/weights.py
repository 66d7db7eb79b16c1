"""Weights files and generated weights as Python values: `P.c1.w`, `P["layer1.0.weight"]`."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from tdsl.source import Span
from tdsl.tracing.mistakes import mistake
from tdsl.tracing.places import folder_of_caller, name_of_caller, place_of_expression

_DEFAULT_NAME = "P"


def weights(path: str | PathLike[str], sha256: str | None = None) -> Weights:
    """The weights file at `path`, from the folder of the file that says so.

    It is opened when a network is checked; `sha256` (64 hexadecimal digits) pins its content.
    """
    place = place_of_expression()
    name = name_of_caller().name or _DEFAULT_NAME
    return Weights(Declaration(name, folder_of_caller() / Path(path), sha256, place))


@dataclass(frozen=True, slots=True)
class Declaration:
    """The variable's name, the path, the content's hash, and where all this stands."""

    name: str
    path: Path
    sha256: str | None
    place: Span


class Weights:
    """A weights file; attributes and items are the arrays in it."""

    def __init__(self, declaration: Declaration) -> None:
        """Take what has been declared; nothing is opened yet."""
        self._declaration = declaration

    def __getattr__(self, name: str) -> WeightsKey:
        if name.startswith("_"):
            raise AttributeError(name)
        return WeightsKey(self, name)

    def __getitem__(self, key: str | int) -> WeightsKey:
        return WeightsKey(self, "")[key]

    def __repr__(self) -> str:
        return f"weights({str(self._declaration.path)!r})"


class WeightsKey:
    """The name of one array in a weights file."""

    def __init__(self, store: Weights, key: str) -> None:
        """Take the file and the name."""
        self._store = store
        self._key = key

    def __getattr__(self, name: str) -> WeightsKey:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, key: str | int) -> WeightsKey:
        if isinstance(key, int):
            return WeightsKey(self._store, f"{self._key}[{key}]")
        return WeightsKey(self._store, f"{self._key}.{key}" if self._key else key)

    def __repr__(self) -> str:
        return f"{self._store!r}[{self._key!r}]"


def declaration_of(weights: Weights) -> Declaration:
    """What was declared of a weights file."""
    return weights._declaration  # pyright: ignore[reportPrivateUsage]


def parts_of(key: WeightsKey) -> tuple[Weights, str]:
    """The file and the name of an array."""
    return key._store, key._key  # pyright: ignore[reportPrivateUsage]


class GeneratedWeights:
    """Ternary weights that a cellular automaton makes."""

    def __init__(self, rule: int, seed: int) -> None:
        """Take the automaton's rule and what it starts from."""
        self.rule = rule
        self.seed = seed


def ca(rule: int, seed: int) -> GeneratedWeights:
    """Weights from the elementary cellular automaton `rule` (0 to 255), started from `seed`.

    Raises CompileError where a number is out of range.
    """
    for name, value, limit in (("rule", rule, 256), ("seed", seed, 1 << 32)):
        if not 0 <= value < limit:
            raise mistake(
                "E0308",
                f"`{name}` of `ca` cannot be the number {value}",
                place_of_expression(),
                f"it takes a number from 0 to {limit - 1}",
            )
    return GeneratedWeights(rule, seed)
