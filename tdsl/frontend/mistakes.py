"""Where the parser stopped, and what it would have taken there -> a diagnostic."""

from collections.abc import Callable
from dataclasses import dataclass

from lark import Token

from tdsl.diagnostics import Diagnostic, Label
from tdsl.frontend.grammar import END_OF_LINE
from tdsl.frontend.spelling import closest
from tdsl.frontend.tokens import end_span, token_span, tokens_span
from tdsl.frontend.words import (
    BODY_WORDS,
    DANGLING,
    FILE_WORDS,
    HARD_WORDS,
    LATER,
    OTHER_BODY_WORDS,
    OTHER_FILE_WORDS,
    OTHER_OPERATORS,
    expected_here,
    quoted_list,
    shown,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """The token that the parser refused, in its statement."""

    statement: tuple[Token, ...]
    """Without the newline or brace that ends it."""
    at: int
    """Where the refused token is in it; behind its end if it is what ends it."""
    token: Token
    accepted: frozenset[str]
    """The terminals that could have stood there."""
    in_body: bool
    file: str

    @property
    def first(self) -> Token:
        """The token that begins the statement."""
        return self.statement[0] if self.statement else self.token

    @property
    def previous(self) -> Token:
        """The token before the refused one, in the same statement; the refused one if none."""
        return self.statement[self.at - 1] if self.at else self.token

    @property
    def following(self) -> Token:
        """The token behind the refused one, in the same statement; the refused one if none."""
        rest = self.statement[self.at + 1 :]
        return rest[0] if rest else self.token

    @property
    def glued(self) -> bool:
        """Whether no space stands before the refused token."""
        return self.at > 0 and self.previous.end_pos == self.token.start_pos

    @property
    def at_end(self) -> bool:
        """Whether the statement, or its line, ends before the refused token."""
        return self.token.type in (END_OF_LINE, "RBRACE") or self.token.line != self.previous.line


def describe(mistake: Mistake) -> Diagnostic:
    """Return what to tell the user: the first of the known mistakes that this one is."""
    for rule in _RULES:
        found = rule(mistake)
        if found:
            return found
    return _unexpected(mistake)


def not_yet(token: Token, file: str) -> Diagnostic:
    """Return the answer to a declaration of a later version."""
    return Diagnostic(
        code="E0111",
        message=f"`{token}` is not yet part of the language",
        primary=Label(token_span(token, file), "the word is reserved for a later version"),
        helps=(LATER[token],),
    )


def _cannot_start(mistake: Mistake) -> Diagnostic | None:
    """A line that starts with what no line starts with."""
    if mistake.at > 0:
        return None
    first = mistake.first
    words = BODY_WORDS if mistake.in_body else FILE_WORDS
    if mistake.in_body:
        return _bad_start(mistake, OTHER_BODY_WORDS.get(first), None)
    if len(mistake.statement) > 1 and mistake.statement[1].type == "EQUAL":
        return _bad_start(mistake, f"a constant is declared by `const {first} = ...`", None)
    return _bad_start(mistake, OTHER_FILE_WORDS.get(first), closest(first, [*words, *LATER]))


def _bad_start(mistake: Mistake, advice: str | None, meant: str | None) -> Diagnostic:
    words = BODY_WORDS if mistake.in_body else FILE_WORDS
    takes = "this block takes: `name = ...`, " if mistake.in_body else "a file takes: "
    return Diagnostic(
        code="E0102",
        message=f"{shown(mistake.first)} cannot start a line here",
        primary=Label(
            token_span(mistake.first, mistake.file),
            f"did you mean `{meant}`?" if meant and not advice else "",
        ),
        notes=(takes + quoted_list(words),),
        helps=(advice,) if advice else (),
    )


def _no_assignment(mistake: Mistake) -> Diagnostic | None:
    """A line of a body that starts with a name, without `=` behind it."""
    first, token = mistake.first, mistake.token
    if not mistake.in_body or mistake.at != 1 or not first.isidentifier():
        return None
    if first in HARD_WORDS:
        return None
    if first in OTHER_BODY_WORDS:
        return _bad_start(mistake, OTHER_BODY_WORDS[first], None)
    meant = closest(first, BODY_WORDS)
    if meant and not mistake.glued and token.type not in ("EQUAL", "COLON", "COMPARE"):
        return _bad_start(mistake, None, meant)
    if token.isidentifier() or token.type in ("INT", "STRING", "COLON"):
        return None
    if token.type == "COMPARE":
        return None
    return Diagnostic(
        code="E0122",
        message="the result of this line has no name",
        primary=Label(
            tokens_span(first, mistake.statement[-1], mistake.file)
            if mistake.statement[-1].line == first.line
            else token_span(first, mistake.file)
        ),
        helps=("name it, `y = ...`, or return it, `return ...`",),
    )


def _wrong_equals(mistake: Mistake) -> Diagnostic | None:
    """`:` or `==` where `=` belongs."""
    if "EQUAL" not in mistake.accepted or mistake.token not in (":", "==", ":="):
        return None
    return Diagnostic(
        code="E0109",
        message=f"a name and its value are joined by `=`, not by `{mistake.token}`",
        primary=Label(token_span(mistake.token, mistake.file), "write `=`"),
    )


def _missing_equals(mistake: Mistake) -> Diagnostic | None:
    """A value right behind the name that it belongs to."""
    starts_value = mistake.token.isidentifier() or mistake.token.type in ("INT", "STRING", "DIMS")
    named = mistake.accepted <= {"COMMA", "EQUAL"} and "EQUAL" in mistake.accepted
    if not named or not starts_value or mistake.at_end:
        return None
    return Diagnostic(
        code="E0109",
        message=f"a `=` is missing between `{mistake.previous}` and its value",
        primary=Label(end_span(mistake.previous, mistake.file), "expected `=` here"),
    )


def _ends_early(mistake: Mistake) -> Diagnostic | None:
    """Nothing behind an operator, or not all of a declaration."""
    previous, token = mistake.previous, mistake.token
    if not mistake.at:
        return None
    closes = token.type in ("RPAR", "RSQB", "COMMA")
    if previous.type in DANGLING and (mistake.at_end or closes):
        return Diagnostic(
            code="E0119",
            message=f"nothing follows this `{previous}`",
            primary=Label(
                token_span(previous, mistake.file), f"expected {DANGLING[previous.type]} after it"
            ),
        )
    if not mistake.at_end:
        return None
    expected = expected_here(mistake.accepted)
    return Diagnostic(
        code="E0119",
        message="this line ends too early",
        primary=Label(
            end_span(previous, mistake.file), f"expected {expected} here" if expected else ""
        ),
    )


def _glued_number(mistake: Mistake) -> Diagnostic | None:
    """Letters right behind a number."""
    number = mistake.previous
    if not mistake.glued or number.type not in ("INT", "FLOAT", "DIMS"):
        return None
    if not (mistake.token.isidentifier() or mistake.token.type in ("INT", "FLOAT", "DIMS")):
        return None
    return Diagnostic(
        code="E0104",
        message=f"`{number}{mistake.token}` is neither a number nor a name",
        primary=Label(tokens_span(number, mistake.token, mistake.file)),
        notes=("a name starts with a letter; the size of a window is written `3x3`",),
    )


def _missing_comma(mistake: Mistake) -> Diagnostic | None:
    """Two arguments, parameters or entries in a row."""
    opener = _innermost_open(mistake.statement[: mistake.at])
    starts = mistake.token.isidentifier() or mistake.token.type in _STARTS
    if "COMMA" not in mistake.accepted or not opener or not starts:
        return None
    header = mistake.first in ("network", "block") and not mistake.in_body
    kind = "entry" if opener.type == "LSQB" else "parameter" if header else "argument"
    many = "entries" if kind == "entry" else f"{kind}s"
    return Diagnostic(
        code="E0101",
        message=f"a `,` is missing between two {many}",
        primary=Label(end_span(mistake.previous, mistake.file), "expected `,` here"),
        secondary=(Label(token_span(mistake.token, mistake.file), f"next {kind}"),),
    )


_STARTS = ("INT", "FLOAT", "DIMS", "STRING", "ELEMENT", "LSQB", "LPAR")


def _innermost_open(tokens: tuple[Token, ...]) -> Token | None:
    waiting: list[Token] = []
    for token in tokens:
        if token.type in ("LPAR", "LSQB"):
            waiting.append(token)
        elif token.type in ("RPAR", "RSQB"):
            waiting.pop()
    return waiting[-1] if waiting else None


def _reserved(mistake: Mistake) -> Diagnostic | None:
    """A word of the language where a name is wanted."""
    token = mistake.token
    if _is_target(mistake):
        token = mistake.first
    elif "NAME" not in mistake.accepted:
        return None
    if token not in HARD_WORDS and token.type != "ELEMENT":
        return None
    kind = "an element type" if token.type == "ELEMENT" else "a word of the language"
    return Diagnostic(
        code="E0110",
        message=f"`{token}` is {kind} and cannot be a name",
        primary=Label(token_span(token, mistake.file), "choose another name"),
    )


def _is_target(mistake: Mistake) -> bool:
    """Tell whether the first word stands before `=`, where a name is given a value."""
    assigned = len(mistake.statement) > 1 and mistake.statement[1].type == "EQUAL"
    return mistake.in_body and mistake.at <= 1 and assigned


def _other_operator(mistake: Mistake) -> Diagnostic | None:
    """An operator of another language."""
    previous, token = mistake.previous, mistake.token
    if f"{previous}{token}" not in OTHER_OPERATORS or not mistake.at:
        previous, token = token, mistake.following
    advice = OTHER_OPERATORS.get(f"{previous}{token}")
    if advice is None:
        return None
    gap = "" if previous.end_pos == token.start_pos else " "
    return Diagnostic(
        code="E0104",
        message=f"`{previous}{gap}{token}` is not an operator here",
        primary=Label(tokens_span(previous, token, mistake.file)),
        helps=(advice,),
    )


def _unexpected(mistake: Mistake) -> Diagnostic:
    """Anything else: name the place and what could stand there."""
    token = mistake.token
    meant = closest(token, _words(mistake.accepted)) if token.type == "NAME" else None
    expected = expected_here(mistake.accepted)
    label = f"expected {expected} here" if expected else ""
    helps: tuple[str, ...] = ()
    if token.type == "COMPARE" and any(one.type == "COMPARE" for one in mistake.statement):
        helps = ("comparisons do not chain: join two by `and`",)
    elif "_ARROW" in mistake.accepted and token.type == "NAME":
        helps = (f"a step is added by `->`: `-> {token}`",)
    return Diagnostic(
        code="E0104",
        message=f"{shown(token)} cannot stand here",
        primary=Label(
            token_span(token, mistake.file), f"did you mean `{meant}`?" if meant else label
        ),
        helps=() if meant else helps,
    )


def _words(accepted: frozenset[str]) -> list[str]:
    return [terminal.lower() for terminal in accepted if terminal.isalpha()]


_RULES: tuple[Callable[[Mistake], Diagnostic | None], ...] = (
    _reserved,
    _cannot_start,
    _other_operator,
    _no_assignment,
    _wrong_equals,
    _glued_number,
    _ends_early,
    _missing_equals,
    _missing_comma,
)
