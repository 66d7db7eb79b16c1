"""Program files: round trips, and files that are missing, foreign, truncated or altered."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdsl_runtime import program as program_module
from tdsl_runtime.errors import MachineError
from tdsl_runtime.program import Port, Program
from tests.programs import programs, random_program


@settings(max_examples=20, deadline=None)
@given(programs())
def test_a_saved_program_reads_back_equal(
    tmp_path_factory: pytest.TempPathFactory, program: Program
) -> None:
    path = tmp_path_factory.mktemp("saved") / "p.tprog"
    program.save(path)
    assert Program.load(path) == program
    assert [p.name for p in path.parent.iterdir()] == ["p.tprog"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "p.tprog"
    random_program(5, 6).save(path)
    return path


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_every_altered_byte_is_noticed(saved: Path, data: st.DataObject) -> None:
    content = bytearray(saved.read_bytes())
    head = 8 + int.from_bytes(content[:8], "little")
    place = data.draw(st.one_of(st.integers(0, head), st.integers(0, len(content) - 1)))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    altered = saved.parent / "altered.tprog"
    altered.write_bytes(content)
    with pytest.raises(MachineError) as caught:
        Program.load(altered)
    assert caught.value.remedy


@pytest.mark.parametrize("kept", [0, 1, 7, 8, 100, -1, -9])
def test_every_truncated_file_is_noticed(saved: Path, kept: int) -> None:
    short = saved.parent / "short.tprog"
    short.write_bytes(saved.read_bytes()[:kept])
    with pytest.raises(MachineError):
        Program.load(short)


def test_missing_foreign_and_newer_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MachineError, match="cannot read program"):
        Program.load(tmp_path / "none.tprog")
    foreign = tmp_path / "foreign.tprog"
    foreign.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(MachineError, match="is not a program file"):
        Program.load(foreign)
    newer = tmp_path / "newer.tprog"
    monkeypatch.setattr(program_module, "VERSION", 2)
    random_program(5, 2).save(newer)
    monkeypatch.undo()
    with pytest.raises(MachineError, match="has program format 2; this version reads format 1"):
        Program.load(newer)


def test_a_program_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(MachineError, match="cannot write"):
        random_program(5, 2).save(tmp_path / "folder")
    with pytest.raises(MachineError, match="cannot write"):
        random_program(5, 2).save(tmp_path / "none" / "p.tprog")
    assert [p.name for p in tmp_path.rglob("*")] == ["folder"]


def test_programs_differ_by_every_part() -> None:
    program = random_program(5, 6)
    changed = program.row_data.copy()
    changed[-1, 0, 0, 0] ^= np.uint64(1)
    assert replace(program, row_data=changed) != program
    assert replace(program, network="other") != program
    assert replace(program, rows=program.rows[::-1]) != program


@pytest.mark.parametrize(
    ("low", "high", "bits"),
    [(0, 0, 1), (0, 1, 1), (0, 255, 8), (0, 256, 9), (-1, 1, 2), (-128, 127, 8), (-129, 0, 9)],
)
def test_the_bits_of_a_port_hold_its_values(low: int, high: int, bits: int) -> None:
    assert Port("p", 1, 1, 1, low, high).bits == bits
