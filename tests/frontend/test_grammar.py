"""The grammar file is sound, and its cache never stands in the way."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tdsl.frontend.grammar import build_grammar, grammar_text, load_grammar

PARSE = "from tdsl.frontend.parser import parse; print(parse('tnn 1\\nconst A = 3', 'f')[1])"


def test_no_conflict_and_no_colliding_terminals() -> None:
    build_grammar(None, strict=True)


def test_the_words_of_later_versions_are_not_in_the_grammar() -> None:
    literals = {t.pattern.value for t in load_grammar().terminals if t.pattern.type == "str"}
    assert literals.isdisjoint({"system", "stage"})
    assert '"network"' in grammar_text()


@pytest.mark.parametrize("content", [b"", b"junk", b"\x80\x04junk", None])
def test_a_corrupt_cache_is_built_anew(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "grammar.pickle"
    build_grammar(file)
    file.write_bytes(file.read_bytes()[:-100] if content is None else content)
    assert len(build_grammar(file).terminals) == len(load_grammar().terminals)
    assert file.stat().st_size > 1000


def _parse_in(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PARSE],
        env={"PATH": "", "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_cache_stands_in_the_users_directory(tmp_path: Path) -> None:
    result = _parse_in({"XDG_CACHE_HOME": str(tmp_path)})
    assert (result.stdout, result.stderr) == ("()\n", "")
    assert [file.suffix for file in (tmp_path / "tdsl").iterdir()] == [".pickle"]


def test_without_a_writable_directory_there_is_no_cache(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder can be made in here")
    result = _parse_in({"HOME": str(blocked)})
    assert (result.stdout, result.stderr) == ("()\n", "")


def test_the_parser_loads_neither_numpy_nor_numba() -> None:
    loaded = "import sys, tdsl.frontend.parser, tdsl.frontend.formatter; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", loaded],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert {"numpy", "numba", "tdsl_runtime"}.isdisjoint(result.stdout.split())
