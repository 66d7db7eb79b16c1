"""What travels with the package: its version, the samples and the pages of diagnostics.

In an installed wheel the files stand inside the package, in a checkout beside it.
"""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGE = Path(__file__).parent


def release() -> str:
    """The version installed; a checkout that is not installed has none."""
    try:
        return version("tdsl")
    except PackageNotFoundError:
        return "(not installed)"


def samples_folder() -> Path:
    """The folder that holds one folder a sample."""
    return _first_folder(PACKAGE / "samples", PACKAGE.parent / "samples")


def error_pages_folder() -> Path:
    """The folder that holds one Markdown page a diagnostic code."""
    return _first_folder(PACKAGE / "errors", PACKAGE.parent / "docs" / "errors")


def _first_folder(*candidates: Path) -> Path:
    return next((folder for folder in candidates if folder.is_dir()), candidates[-1])
