"""Names and array keys -> how the text writes them, so that reading gives the same ones back."""

import re

from tdsl.frontend.element_names import element_named
from tdsl.frontend.grammar import keywords

_PLAIN = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def is_plain(name: str) -> bool:
    """Whether `name` can be written as it is: no word of the language, no element type."""
    reserved = name in keywords() or name == "f32" or element_named(name) is not None
    return bool(_PLAIN.fullmatch(name)) and not reserved


def written_name(name: str) -> str:
    """`name`, in backquotes unless it is plain."""
    return name if is_plain(name) else f"`{name}`"


def written_text(text: str) -> str:
    """A text in quotes, with escapes."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
    return '"' + "".join(escapes.get(character, character) for character in text) + '"'


def written_key(store: str, key: str) -> str:
    """How the source names an array: `P.c1.w`, `P["layer-1"]`."""
    if all(map(is_plain, key.split("."))):
        return f"{written_name(store)}.{key}"
    return f"{written_name(store)}[{written_text(key)}]"
