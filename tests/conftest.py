"""Golden texts: `golden` compares with a file under tests/golden, `--update-golden` rewrites it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

GOLDEN = Path(__file__).parent / "golden"
Golden = Callable[[str, str, str], None]

# How long an example takes says something of the machine, and nothing of the code.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files instead of comparing"
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """`golden(stage, case, text)`: fails unless tests/golden/<stage>/<case>.txt holds `text`."""
    update = bool(request.config.getoption("--update-golden"))

    def compare(stage: str, case: str, text: str) -> None:
        compare_golden(GOLDEN, stage, case, text, update=update)

    return compare


def compare_golden(folder: Path, stage: str, case: str, text: str, *, update: bool) -> None:
    """Fail unless the golden file holds `text`; with `update`, write it first."""
    path = folder / stage / f"{case}.txt"
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    assert path.exists(), f"{path} is missing; make it with: pytest --update-golden"
    assert text == path.read_text(encoding="utf-8")
