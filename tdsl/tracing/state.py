"""What the network being traced knows of sizes, for Python's own conditions in its function."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from tdsl.ir.condition import Where

_KNOWN: ContextVar[Where] = ContextVar("conditions", default=())


def known_conditions() -> Where:
    """The conditions on sizes of the network being traced; none outside of networks."""
    return _KNOWN.get()


@contextmanager
def knowing(where: Where) -> Generator[None]:
    """Let `where` hold inside the block."""
    token = _KNOWN.set(where)
    try:
        yield
    finally:
        _KNOWN.reset(token)
