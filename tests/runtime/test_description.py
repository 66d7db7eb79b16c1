"""Machine descriptions: presets, and everything that is refused with file, key and remedy."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tdsl_runtime.description import (
    ENERGY,
    ENTRIES,
    Figure,
    load_machine,
    machine_data,
    machine_from_data,
    machines,
    parse_machine,
)
from tdsl_runtime.errors import MachineError


def _tables() -> dict[str, Any]:
    return machine_data(load_machine("nearmem-1mb"))


def test_the_presets_have_the_sizes_they_are_named_for() -> None:
    assert machines() == ("csram-128", "cutie-lanes", "nearmem-16mb", "nearmem-1mb")
    assert load_machine("nearmem-1mb").cells == 1 << 20
    assert load_machine("nearmem-16mb").cells == 1 << 24
    assert load_machine("csram-128").columns == 128
    assert load_machine("cutie-lanes").peak_macs == 96 * 864


@pytest.mark.parametrize("name", machines())
def test_the_tables_of_a_machine_read_back_as_the_machine(name: str) -> None:
    machine = load_machine(name)
    assert machine_from_data(machine_data(machine), "copy.toml") == machine


_KEYS = [
    *[(entry.table, entry.key) for entry in ENTRIES],
    *[("energy", key) for key in ENERGY],
    ("clock", "hertz"),
    ("clock", "volt"),
    ("area", "mm2"),
    ("area", "macro_pitch_mm"),
]


@pytest.mark.parametrize(("table", "key"), _KEYS)
def test_a_missing_entry_is_named_with_its_remedy(table: str, key: str) -> None:
    data = _tables()
    del data[table][key]
    with pytest.raises(MachineError) as caught:
        machine_from_data(data, "m.toml")
    assert caught.value.message == f"m.toml: entry `{table}.{key}` is missing"
    assert caught.value.remedy.startswith(f"add `{key} = ")
    assert f"[{table}]" in caught.value.remedy


@pytest.mark.parametrize(
    ("table", "key", "value", "words"),
    [
        ("array", "columns", 100, "a multiple of 64"),
        ("array", "columns", 64.0, "a whole number"),
        ("array", "rows", True, "is true, but must be a whole number"),
        ("array", "rows", "32", 'is "32", but must be a whole number'),
        ("array", "rows", 0, "between 1 and 65536"),
        ("array", "lanes", 257, "at most the 256 columns"),
        ("array", "macro_rows", 4096, "between 1 and 4096"),
        ("clock", "hertz", -1, "above 0"),
        ("energy", "tree", 0.1, "low = "),
        ("energy", "tree", {"low": 2, "typical": 1, "high": 3, "source": "x"}, "low <= typical"),
        ("energy", "tree", {"low": 1, "typical": 1, "high": 1, "source": " "}, "in words"),
    ],
)
def test_a_bad_entry_is_refused(table: str, key: str, value: object, words: str) -> None:
    data = _tables()
    data[table][key] = value
    if key == "macro_rows":
        data["array"]["macro_columns"] = 4097
    with pytest.raises(MachineError) as caught:
        machine_from_data(data, "m.toml")
    assert "m.toml: `" in caught.value.message
    assert words in caught.value.message


def test_unknown_entries_and_tables_are_refused() -> None:
    for table, key in (("array", "colums"), ("energy", "tres")):
        data = _tables()
        data[table][key] = 1
        with pytest.raises(MachineError, match=f"m.toml: unknown entry `{table}.{key}`"):
            machine_from_data(data, "m.toml")
    with pytest.raises(MachineError, match="unknown entry `arry`"):
        machine_from_data(_tables() | {"arry": {}}, "m.toml")
    data = _tables()
    data["energy"]["tree"]["unit"] = "pJ"
    with pytest.raises(MachineError, match=r"unknown entry `energy\.tree\.unit`"):
        machine_from_data(data, "m.toml")


def test_a_table_or_name_that_is_missing_is_named() -> None:
    data = _tables()
    del data["timing"]
    with pytest.raises(MachineError, match=r"table `\[timing\]` is missing"):
        machine_from_data(data, "m.toml")
    data = _tables()
    del data["name"]
    with pytest.raises(MachineError, match="entry `name` is missing"):
        machine_from_data(data, "m.toml")


def test_a_file_is_read_like_a_preset(tmp_path: Path) -> None:
    figure = Figure(1.0, 2.0, 3.0, "test")
    assert replace(load_machine("nearmem-1mb"), area=figure).area.triple() == (1.0, 2.0, 3.0)
    with pytest.raises(MachineError, match="cannot read machine `nowhere`"):
        load_machine("nowhere")
    with pytest.raises(MachineError) as caught:
        load_machine("nearmem-1m")
    assert caught.value.remedy == "did you mean `nearmem-1mb`?"
    with pytest.raises(MachineError, match="not valid TOML"):
        parse_machine("name =", "m.toml")
    binary = tmp_path / "m.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(MachineError, match="not a text in UTF-8"):
        load_machine(binary)
