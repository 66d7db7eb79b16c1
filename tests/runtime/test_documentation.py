"""The instruction set's page is the one its tables make."""

from pathlib import Path

import pytest

from tdsl_runtime.documentation import isa_page, main

PAGE = Path(__file__).parents[2] / "docs" / "isa.md"


def test_the_page_is_up_to_date(tmp_path: Path) -> None:
    if not PAGE.exists():
        pytest.skip("the documentation is not beside the tests")
    assert PAGE.read_text("utf-8") == isa_page(), (
        "make it with python -m tdsl_runtime.documentation"
    )
    main([str(tmp_path / "isa.md")])
    assert (tmp_path / "isa.md").read_text("utf-8") == isa_page()
