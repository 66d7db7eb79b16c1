"""The golden fixture itself: a missing or different text fails, `--update-golden` writes it."""

from pathlib import Path

import pytest

from tests.conftest import compare_golden


def test_missing_different_equal_updated(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="is missing"):
        compare_golden(tmp_path, "graph", "case", "one\n", update=False)
    compare_golden(tmp_path, "graph", "case", "one\n", update=True)
    compare_golden(tmp_path, "graph", "case", "one\n", update=False)
    with pytest.raises(AssertionError):
        compare_golden(tmp_path, "graph", "case", "two\n", update=False)
    assert (tmp_path / "graph" / "case.txt").read_text(encoding="utf-8") == "one\n"
