"""A word and the words that would do -> the one that was probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word most like `word`, or None if none is like it."""
    spelled = {name.lower(): name for name in sorted(known)}
    matches = get_close_matches(word.lower(), spelled, n=1, cutoff=0.6)
    return spelled[matches[0]] if matches else None
