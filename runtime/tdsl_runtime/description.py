"""A machine description file (TOML) -> `MachineDescription`: all that a compiler may know of it.

Every entry is mandatory and every unknown entry is refused: no figure is ever a silent default.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import tdsl_runtime
from tdsl_runtime.errors import MachineError

PLANES = 2
"""Physical rows a trit row: the nonzero bits and the signs."""
WORD = 64
"""Columns a word."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A physical figure: its range, the value taken as typical, and where it comes from."""

    low: float
    typical: float
    high: float
    source: str

    def triple(self) -> tuple[float, float, float]:
        """The numbers alone: low, typical, high."""
        return self.low, self.typical, self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyTable:
    """The energy of each event; `ENERGY` gives the units."""

    row_read: Figure
    write: Figure
    latch: Figure
    logic: Figure
    tree: Figure
    accumulate: Figure
    compare: Figure
    wire: Figure
    sequence: Figure
    dma: Figure
    external: Figure
    sensor: Figure
    clock: Figure
    leakage: Figure


ENERGY: dict[str, tuple[str, str]] = {
    "row_read": ("pJ/row", "one physical row of one macro read"),
    "write": ("pJ/bit", "one cell written"),
    "latch": ("pJ/bit", "one bit taken into a latch or register"),
    "logic": ("pJ/trit", "two-row logic of one trit: a ternary product or a table look-up"),
    "tree": ("pJ/lane", "one trit summed by the signed popcount tree"),
    "accumulate": ("pJ/add", "one addition into an accumulator"),
    "compare": ("pJ/compare", "one sum compared with one threshold"),
    "wire": ("pJ/bit/mm", "one set bit over one millimetre of a precharged wire"),
    "sequence": ("pJ/micro-op", "one micro-op fetched, decoded and issued"),
    "dma": ("pJ/bit", "one bit moved by the DMA between a port and the array"),
    "external": ("pJ/bit", "one bit read from external memory"),
    "sensor": ("pJ/bit", "one bit through the sensor or the output port"),
    "clock": ("pJ/cycle", "one cycle of one macro's clock"),
    "leakage": ("uW", "static power of one macro"),
}
"""Unit and meaning of every energy entry; all are mandatory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineDescription:
    """A machine: sizes, rates, latencies (cycles), figures. `ENTRIES` gives the meanings."""

    name: str
    note: str
    macro_rows: int
    macro_columns: int
    rows: int
    columns: int
    lanes: int
    channels: int
    channel_trits: int
    window_lines: int
    accumulators: int
    thresholds: int
    gather_trits: int
    buffers: int
    tokens: int
    program_words: int
    queue: int
    dma_bits: int
    latch_cycles: int
    tree_cycles: int
    gather_cycles: int
    dma_cycles: int
    hertz: float
    volt: float
    area: Figure
    macro_pitch: Figure
    energy: EnergyTable

    @property
    def macros(self) -> int:
        """Macros of the grid."""
        return self.macro_rows * self.macro_columns

    @property
    def words(self) -> int:
        """Words of 64 columns a row."""
        return self.columns // WORD

    @property
    def trits(self) -> int:
        """Trits the array holds: the end of the trit addresses."""
        return self.macros * self.rows * self.columns

    @property
    def cells(self) -> int:
        """Memory cells (bits) of the array."""
        return self.trits * PLANES

    @property
    def peak_macs(self) -> int:
        """Ternary multiply-accumulates a cycle with every lane at work."""
        return self.macros * self.lanes


@dataclass(frozen=True, slots=True)
class Entry:
    """A whole number of the description: place in the file, field, meaning and range."""

    table: str
    key: str
    field: str
    meaning: str
    low: int = 1
    high: int = 1 << 31


ENTRIES: tuple[Entry, ...] = (
    Entry("array", "macro_rows", "macro_rows", "rows of the grid of macros", high=1 << 12),
    Entry("array", "macro_columns", "macro_columns", "columns of the grid of macros", high=1 << 12),
    Entry("array", "rows", "rows", "trit rows a macro", high=1 << 16),
    Entry("array", "columns", "columns", "columns a row, a multiple of 64", WORD, 1 << 15),
    Entry("array", "lanes", "lanes", "columns that reach the popcount tree", high=1 << 15),
    Entry("channels", "count", "channels", "broadcast channels", high=255),
    Entry("channels", "trits", "channel_trits", "trits a channel carries a cycle"),
    Entry(
        "channels", "window_lines", "window_lines", "lines of the window register; 0: none", 0, 15
    ),
    Entry("post", "accumulators", "accumulators", "accumulators a macro and segment", high=1 << 12),
    Entry("post", "thresholds", "thresholds", "T registers a macro", 2, 1023),
    Entry("post", "gather_trits", "gather_trits", "trits the gather path writes a cycle"),
    Entry("sequencer", "buffers", "buffers", "line buffer descriptors", high=1 << 8),
    Entry("sequencer", "tokens", "tokens", "token queues", high=1 << 10),
    Entry("sequencer", "program_words", "program_words", "64-bit words of program memory"),
    Entry("sequencer", "queue", "queue", "micro-ops that wait in front of a unit", high=1 << 10),
    Entry("dma", "bits", "dma_bits", "bits the DMA moves a cycle"),
    Entry("timing", "latch", "latch_cycles", "cycles to read a weight row into its shadow latch"),
    Entry("timing", "tree", "tree_cycles", "latency of the popcount tree", 2),
    Entry("timing", "gather", "gather_cycles", "latency of the gather path"),
    Entry("timing", "dma", "dma_cycles", "latency of the DMA"),
)
"""Every whole number of a machine description, in the order of the file."""

REALS = {"hertz": "clock frequency", "volt": "supply voltage"}
FIGURES = {"mm2": "area", "macro_pitch_mm": "macro_pitch"}
_FIGURE = '{ low = ..., typical = ..., high = ..., source = "..." }'


def machines() -> tuple[str, ...]:
    """The names of the presets, in alphabetical order."""
    presets = files(tdsl_runtime).joinpath("presets")
    return tuple(
        sorted(p.name.removesuffix(".toml") for p in presets.iterdir() if p.name.endswith(".toml"))
    )


def load_machine(name_or_path: str | Path) -> MachineDescription:
    """Read a preset by its name, or a description file by its path.

    Raises MachineError, with file, key and remedy, for a file missing, unreadable or incomplete.
    """
    if isinstance(name_or_path, str) and name_or_path in machines():
        preset = files(tdsl_runtime).joinpath("presets", f"{name_or_path}.toml")
        return parse_machine(preset.read_text("utf-8"), f"{name_or_path}.toml")
    path = Path(name_or_path)
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        near = difflib.get_close_matches(str(name_or_path), machines(), n=1)
        raise MachineError(
            f"cannot read machine `{name_or_path}`: {_reason(error)}",
            f"the presets are {', '.join(machines())}",
            f"did you mean `{near[0]}`?"
            if near
            else "name a preset, or give the path of a machine description in TOML",
        ) from error
    return parse_machine(text, str(path))


def parse_machine(text: str, file: str) -> MachineDescription:
    """Parse the text of a description; `file` names it in errors. Raises MachineError."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MachineError(
            f"{file}: not valid TOML: {error}", remedy="correct the syntax at the place named"
        ) from error
    return machine_from_data(data, file)


def machine_from_data(data: Mapping[str, Any], file: str) -> MachineDescription:
    """Build a description from the nested tables of a file. Raises MachineError."""
    _refuse_unknown(data, file)
    values: dict[str, Any] = {key: _text(data, key, file) for key in ("name", "note")}
    for entry in ENTRIES:
        values[entry.field] = _integer(data, entry, file)
    for key, meaning in REALS.items():
        values[key] = _positive(_entry(data, "clock", key, meaning, file), f"clock.{key}", file)
    for key, field in FIGURES.items():
        values[field] = _figure(_entry(data, "area", key, _FIGURE, file), f"area.{key}", file)
    figures = {
        key: _figure(
            _entry(data, "energy", key, f"{meaning}, in {unit}", file), f"energy.{key}", file
        )
        for key, (unit, meaning) in ENERGY.items()
    }
    machine = MachineDescription(**values, energy=EnergyTable(**figures))
    _check_sizes(machine, file)
    return machine


def machine_data(machine: MachineDescription) -> dict[str, Any]:
    """The nested tables that `machine_from_data` reads: the inverse of it."""
    data: dict[str, Any] = {"name": machine.name, "note": machine.note}
    for entry in ENTRIES:
        data.setdefault(entry.table, {})[entry.key] = getattr(machine, entry.field)
    data["clock"] = {key: getattr(machine, key) for key in REALS}
    data["area"] = {key: _figure_data(getattr(machine, name)) for key, name in FIGURES.items()}
    data["energy"] = {key: _figure_data(getattr(machine.energy, key)) for key in ENERGY}
    return data


def _figure_data(figure: Figure) -> dict[str, Any]:
    return {field.name: getattr(figure, field.name) for field in fields(figure)}


def _known_keys() -> dict[str, set[str]]:
    known: dict[str, set[str]] = {"clock": set(REALS), "area": set(FIGURES), "energy": set(ENERGY)}
    for entry in ENTRIES:
        known.setdefault(entry.table, set()).add(entry.key)
    return known


def _refuse_unknown(data: Mapping[str, Any], file: str) -> None:
    known = _known_keys()
    for key, value in data.items():
        if key in ("name", "note"):
            continue
        if key not in known:
            raise _unknown(file, key, {"name", "note", *known})
        for inner in _table(data, key, file) if isinstance(value, dict) else ():
            if inner not in known[key]:
                raise _unknown(file, f"{key}.{inner}", known[key])


def _unknown(file: str, key: str, known: set[str]) -> MachineError:
    return MachineError(
        f"{file}: unknown entry `{key}`",
        f"the entries here are {', '.join(sorted(known))}",
        f"remove `{key}` or correct its name",
    )


def _table(data: Mapping[str, Any], name: str, file: str) -> Mapping[str, Any]:
    value = data.get(name)
    if not isinstance(value, dict):
        raise MachineError(
            f"{file}: table `[{name}]` is missing",
            "every entry of a machine is mandatory",
            f"add a table `[{name}]` with {', '.join(sorted(_known_keys()[name]))}",
        )
    return cast("Mapping[str, Any]", value)


def _entry(data: Mapping[str, Any], table: str, key: str, meaning: str, file: str) -> Any:
    entries = _table(data, table, file)
    if key not in entries:
        raise MachineError(
            f"{file}: entry `{table}.{key}` is missing",
            f"it gives the {meaning}" if table != "area" else "a figure has a range and a source",
            f"add `{key} = {_FIGURE if table in ('energy', 'area') else '...'}` under `[{table}]`",
        )
    return entries[key]


def _text(data: Mapping[str, Any], key: str, file: str) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value.strip():
        raise MachineError(
            f"{file}: entry `{key}` is missing", remedy=f'add `{key} = "..."` on top'
        )
    return value


def _integer(data: Mapping[str, Any], entry: Entry, file: str) -> int:
    value = _entry(data, entry.table, entry.key, entry.meaning, file)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _bad(
            file, f"{entry.table}.{entry.key}", json.dumps(value, default=str), "a whole number"
        )
    if not entry.low <= value <= entry.high:
        wanted = f"between {entry.low} and {entry.high}"
        raise _bad(file, f"{entry.table}.{entry.key}", value, wanted)
    return value


def _positive(value: Any, key: str, file: str) -> float:
    if not _is_real(value) or value <= 0:
        raise _bad(file, key, value, "a number above 0")
    return float(value)


def _is_real(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e18


def _figure(value: Any, key: str, file: str) -> Figure:
    if not isinstance(value, dict):
        raise _bad(file, key, value, _FIGURE)
    table = cast("dict[str, Any]", value)
    wanted = {field.name for field in fields(Figure)}
    for name in sorted(wanted - table.keys()):
        raise MachineError(
            f"{file}: entry `{key}.{name}` is missing",
            "a figure has a range and a source",
            f"write `{key} = {_FIGURE}`",
        )
    for name in sorted(table.keys() - wanted):
        raise _unknown(file, f"{key}.{name}", wanted)
    low, typical, high, source = (table[n] for n in ("low", "typical", "high", "source"))
    if (
        not all(_is_real(number) for number in (low, typical, high))
        or not 0 <= low <= typical <= high
    ):
        raise _bad(file, key, f"{low}, {typical}, {high}", "0 <= low <= typical <= high")
    if not isinstance(source, str) or not source.strip():
        raise _bad(file, f"{key}.source", source, "the source of the figure in words")
    return Figure(float(low), float(typical), float(high), source)


def _bad(file: str, key: str, value: object, wanted: str) -> MachineError:
    return MachineError(
        f"{file}: `{key}` is {value}, but must be {wanted}", remedy=f"correct `{key}`"
    )


def _check_sizes(machine: MachineDescription, file: str) -> None:
    if machine.columns % WORD:
        raise _bad(file, "array.columns", machine.columns, f"a multiple of {WORD}")
    if machine.lanes > machine.columns:
        raise _bad(file, "array.lanes", machine.lanes, f"at most the {machine.columns} columns")
    if machine.macros >= 1 << 16:
        raise _bad(file, "array.macro_rows", machine.macros, "a grid of at most 65535 macros")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return "it is not a text in UTF-8"
