"""The words in which syntax is spoken about: names of tokens, and words of other languages."""

from collections.abc import Iterable

from lark import Token

from tdsl.frontend.grammar import END_OF_LINE, load_grammar

FILE_WORDS = (
    "block",
    "check",
    "const",
    "kernel",
    "network",
    "schedule",
    "target",
    "use",
    "weights",
)
BODY_WORDS = ("assert", "return")
HARD_WORDS = frozenset({"and", "assert", "false", "if", "not", "or", "return", "true"})
"""Words that are never names; the other words of the language are names where one fits."""

LATER = {
    "system": "leave the system out and run one network at a time: `tdsl run --network NAME`",
}
"""Words that begin declarations of later versions, and what to do without them."""

OTHER_FILE_WORDS = {
    "return": "`return` stands between the braces of a network or block",
    "assert": "`assert` stands between the braces of a network or block",
    "import": 'a file of blocks is taken in by `use "blocks.tnn" as lib`',
    "include": 'a file of blocks is taken in by `use "blocks.tnn" as lib`',
    "from": 'a file of blocks is taken in by `use "blocks.tnn" as lib`',
    "let": "a constant is declared by `const NAME = ...`",
    "var": "a constant is declared by `const NAME = ...`",
    "def": "a part that is used several times is a `block`",
    "fn": "a part that is used several times is a `block`",
    "func": "a part that is used several times is a `block`",
    "function": "a part that is used several times is a `block`",
    "model": "a network is declared by `network`",
    "class": "a network is declared by `network`",
    "tnn": "the version stands once, on the first line",
}
OTHER_BODY_WORDS = {
    "let": "a value is named by `name = ...` alone",
    "var": "a value is named by `name = ...` alone",
    "const": "constants are declared outside of networks and blocks",
    "weights": "weights are declared outside of networks and blocks",
    "for": "`-> step times 4` repeats a step; loops belong in Python",
    "while": "`-> step times 4` repeats a step; loops belong in Python",
    "if": "`-> step if condition` drops a step while compiling",
    "else": "`-> step if condition` drops a step while compiling",
    "def": "blocks are declared outside of networks and blocks",
    "block": "blocks are declared outside of networks and blocks",
    "network": "networks are declared outside of networks and blocks",
    "->": "`->` goes on from the line before; a line in between must not be a statement",
}
OTHER_OPERATORS = {
    "=>": "steps are joined by `->`",
    "|>": "steps are joined by `->`",
    "->": "steps are joined by `->`, without a space in it",
    "&&": "conditions are joined by `and`",
    "||": "conditions are joined by `or`",
    "**": "there is no power; multiply",
    "++": "add 1 by `x + 1`",
    "+=": "names are assigned once; choose a new name",
    "-=": "names are assigned once; choose a new name",
    "*=": "names are assigned once; choose a new name",
    "|=": "names are assigned once; choose a new name",
    "&=": "names are assigned once; choose a new name",
    "^=": "names are assigned once; choose a new name",
}

_VALUE = frozenset({"NAME", "INT", "FLOAT", "DIMS", "STRING", "ELEMENT", "TRUE", "FALSE", "NOT"})
_NAMES = {
    "NAME": "a name",
    "INT": "a number",
    "FLOAT": "a number",
    "DIMS": "a size",
    "STRING": "a text in quotes",
    "ELEMENT": "an element type",
    "COMPARE": "a comparison",
    END_OF_LINE: "the end of the line",
}
_OPERATORS = frozenset(
    {"OR", "AND", "COMPARE", "VBAR", "CIRCUMFLEX", "AMPERSAND", "SHIFT_LEFT", "SHIFT_RIGHT"}
    | {"PLUS", "MINUS", "STAR", "FLOOR_DIVIDE", "PERCENT", "DOT", "LSQB", "LPAR", "TILDE"}
)
DANGLING = {
    "_ARROW": "an operation",
    "EQUAL": "a value",
    "COLON": "what it names",
    "DOT": "a name",
    "_RANGE": "a number",
    "COMPARE": "a value",
    "NOT": "a condition",
    "AND": "a condition",
    "OR": "a condition",
    "RETURN": "a value",
    "IF": "a condition",
    "TIMES": "a number",
    "ASSERT": "a condition",
    "WHERE": "a condition",
    "COMMA": "another one",
    "TILDE": "a value",
} | dict.fromkeys(_OPERATORS - {"OR", "AND", "COMPARE", "DOT", "LSQB", "LPAR", "TILDE"}, "a value")
"""Tokens that something must follow, and what."""


def shown(token: Token) -> str:
    """Return a token as a message names it."""
    if token.type == END_OF_LINE:
        return "the end of the line"
    return str(token) if len(token) > 40 else f"`{token}`"


def expected_here(accepted: frozenset[str]) -> str:
    """Return in words what could stand at a place, or nothing if that is too much to say."""
    value = _VALUE <= accepted
    rest = accepted - {"OR", "AND"} - (_VALUE if value else frozenset())
    if value or "PLUS" in accepted:
        rest -= _OPERATORS
    if END_OF_LINE in rest:
        rest -= {"RBRACE"}
    words = ["a value"] if value else []
    words += sorted({_name(terminal) for terminal in rest})
    if not words or len(words) > 4:
        return ""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def quoted_list(words: Iterable[str]) -> str:
    """Return words in backticks, with commas."""
    return ", ".join(f"`{word}`" for word in words)


def _name(terminal: str) -> str:
    if terminal in _NAMES:
        return _NAMES[terminal]
    pattern = next(one.pattern for one in load_grammar().terminals if one.name == terminal)
    return f"`{pattern.value.replace(chr(92), '')}`"
