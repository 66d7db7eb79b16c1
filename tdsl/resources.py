"""Where the files that travel with the package lie: the samples and the pages of diagnostics.

In an installed wheel they stand inside the package, in a checkout beside it.
"""

from pathlib import Path

PACKAGE = Path(__file__).parent


def samples_folder() -> Path:
    """The folder that holds one folder a sample."""
    return _first_folder(PACKAGE / "samples", PACKAGE.parent / "samples")


def error_pages_folder() -> Path:
    """The folder that holds one Markdown page a diagnostic code."""
    return _first_folder(PACKAGE / "errors", PACKAGE.parent / "docs" / "errors")


def _first_folder(*candidates: Path) -> Path:
    return next((folder for folder in candidates if folder.is_dir()), candidates[-1])
