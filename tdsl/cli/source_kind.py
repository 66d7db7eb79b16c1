"""Which commands take a `.py` file: those that need networks, not those that need their text."""

from pathlib import Path

from tdsl.refusal import refusal


def need_text(file: Path) -> None:
    """Raise CompileError for a file whose networks are Python functions."""
    if file.suffix == ".py":
        raise refusal(
            "N0111",
            f"`{file}` is Python: it has no text in the language",
            remedy="`tdsl show FILE --emit tnn` writes its networks as `.tnn`",
        )
