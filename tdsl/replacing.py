"""Files that are written whole or not at all."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """Yield a path beside `path` to write to; it takes the place of `path` when the block ends.

    An exception in the block (an interrupt too) leaves `path` as it was and nothing beside it. What
    exists and is no regular file (a device, a pipe) is written to directly.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        yield target
        return
    written = target.with_name(f".{target.name}.{uuid4().hex[:8]}.partial")
    try:
        yield written
        written.replace(target)
    finally:
        written.unlink(missing_ok=True)
