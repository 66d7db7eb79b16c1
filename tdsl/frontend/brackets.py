"""Tokens -> tokens whose brackets match; what does not match is blamed at the right bracket.

Text whose brackets match passes unchanged. Only where they do not, indentation and the words
that begin declarations and statements decide what the user left open.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lark import Token

from tdsl.diagnostics import Diagnostic, Label
from tdsl.frontend.grammar import END_OF_LINE
from tdsl.frontend.lines import DECLARATIONS, begins_declaration, begins_statement, behind
from tdsl.frontend.tokens import TokenStream, start, token_span

DEEPEST = 64
CLOSERS = {"LPAR": ("RPAR", ")"), "LSQB": ("RSQB", "]"), "LBRACE": ("RBRACE", "}")}
OPENER_OF = {closer: opener for opener, (closer, _) in CLOSERS.items()}


def match_brackets(stream: TokenStream, file: str) -> TokenStream:
    """Return the tokens with every bracket closed, never nested deeper than `DEEPEST`."""
    if _sound(stream.tokens):
        return stream
    return _Matcher(stream, file).run()


def _sound(tokens: Sequence[Token]) -> bool:
    expected: list[str] = []
    for token in tokens:
        if token.type in CLOSERS:
            expected.append(CLOSERS[token.type][0])
            if len(expected) > DEEPEST:
                return False
        elif token.type in OPENER_OF and (not expected or expected.pop() != token.type):
            return False
    return not expected


def _closed_openers(tokens: Sequence[Token]) -> set[int]:
    """Return the offsets of the openers that find their closers, parentheses within braces."""
    waiting: list[Token] = []
    closed: set[int] = set()
    for token in tokens:
        if token.type in ("LBRACE", "RBRACE"):
            while waiting and waiting[-1].type != "LBRACE":
                waiting.pop()
        if token.type in CLOSERS:
            waiting.append(token)
        elif waiting and OPENER_OF.get(token.type) == waiting[-1].type:
            closed.add(start(waiting.pop()))
    return closed


@dataclass(frozen=True, slots=True)
class _Open:
    """A bracket that waits for its closer."""

    token: Token
    indent: int
    """The column at which its line begins."""
    too_deep: bool


class _Matcher:
    """One walk over the tokens with the stack of open brackets."""

    def __init__(self, stream: TokenStream, file: str) -> None:
        self.tokens = stream.tokens
        self.closed = _closed_openers(stream.tokens)
        self.file = file
        self.diagnostics = list(stream.diagnostics)
        self.reported = set(stream.reported)
        self.out: list[Token] = []
        self.stack: list[_Open] = []
        self.indent = 1
        self.open_string = False
        self.too_deep = False

    def run(self) -> TokenStream:
        for index, token in enumerate(self.tokens):
            if token.type == END_OF_LINE:
                if self.open_string:
                    self._close_parentheses(None)
                self.open_string = False
            elif index == 0 or self.tokens[index - 1].type == END_OF_LINE:
                self._begin_line(index)
            self._take(index)
        while self.stack:
            self._close_top(None)
        return TokenStream(tuple(self.out), tuple(self.diagnostics), frozenset(self.reported))

    def _begin_line(self, index: int) -> None:
        """Close what a new declaration or statement shows to have been left open."""
        token = self.tokens[index]
        assert token.column
        self.indent = token.column
        if not self.stack:
            return
        if begins_declaration(self.tokens, index):
            while self.stack:
                self._close_top(token)
        elif self._is_forgotten(self.stack[-1]) and begins_statement(self.tokens, index):
            self._close_parentheses(token)

    def _take(self, index: int) -> None:
        token = self.tokens[index]
        if token.type in CLOSERS:
            self._open(token)
        elif token.type in OPENER_OF:
            self._close(index)
        else:
            self.open_string |= token.type == "OPEN_STRING"
            self.out.append(token)

    def _open(self, token: Token) -> None:
        if token.type == "LBRACE":
            self._close_parentheses(token)
        too_deep = len(self.stack) >= DEEPEST
        if len(self.stack) == DEEPEST:
            self._report(token, _nested_too_deep(token, self.file))
            self.too_deep = True
        self.out.append(token.update("FOREIGN") if too_deep else token)
        self.stack.append(_Open(token, self.indent, too_deep))

    def _close(self, index: int) -> None:
        token = self.tokens[index]
        opener = OPENER_OF[token.type]
        if not self._is_open(opener):
            self._close_wrong(index)
            return
        while self.stack[-1].token.type != opener:
            self._close_top(token)
        closed = self.stack.pop()
        self.out.append(token.update("FOREIGN") if closed.too_deep else token)

    def _is_open(self, opener: str) -> bool:
        """Tell whether a closer has an opener that it may reach: not across a `{`."""
        for waiting in reversed(self.stack):
            if waiting.token.type == opener:
                return True
            if waiting.token.type == "LBRACE":
                return False
        return False

    def _close_wrong(self, index: int) -> None:
        """Take a closer without opener: for the wrong kind of closer, or for one too many."""
        token = self.tokens[index]
        top = self.stack[-1] if self.stack else None
        in_parentheses = top is not None and top.token.type != "LBRACE"
        self._report(token, _wrong_closer(token, top.token if top else None, self.file))
        if top and in_parentheses and not self._closed_on_this_line(index, top.token.type):
            self.stack.pop()
            self.out.append(token.update(*CLOSERS[top.token.type]))
        else:
            self.out.append(token.update("FOREIGN"))

    def _closed_on_this_line(self, index: int, opener: str) -> bool:
        for token in (self.tokens[i] for i in range(index + 1, len(self.tokens))):
            if token.type == END_OF_LINE:
                return False
            if token.type == CLOSERS[opener][0]:
                return True
        return False

    def _close_parentheses(self, before: Token | None) -> None:
        """Close all open `(` and `[` above the innermost `{`."""
        while self.stack and self.stack[-1].token.type != "LBRACE":
            self._close_top(before)

    def _close_top(self, before: Token | None) -> None:
        """Put the missing closer at the end of the line before; report it unless it is known."""
        waiting = self.stack.pop()
        token = waiting.token
        known = self.open_string or start(token) in self.reported or self.too_deep
        beneath = self.stack[-1].token if self.stack else None
        if token.type != "LBRACE" and beneath and beneath.type != "LBRACE":
            self.reported.add(start(beneath))
        if not known:
            self._report(token, _never_closed(token, before, self.file))
        kind, text = CLOSERS[token.type]
        newlines: list[Token] = []
        while self.out and self.out[-1].type == END_OF_LINE:
            newlines.insert(0, self.out.pop())
        closer = behind(self.out[-1], "FOREIGN" if waiting.too_deep else kind, text)
        own_line = [behind(self.out[-1], END_OF_LINE, "")] if token.type == "LBRACE" else []
        self.out += [*own_line, closer, *newlines]

    def _is_forgotten(self, waiting: _Open) -> bool:
        """Tell whether an open bracket never finds a closer, and the line is not indented more."""
        return start(waiting.token) not in self.closed and self.indent <= waiting.indent

    def _report(self, token: Token, diagnostic: Diagnostic) -> None:
        self.reported.add(start(token))
        self.diagnostics.append(diagnostic)


def _nested_too_deep(token: Token, file: str) -> Diagnostic:
    return Diagnostic(
        code="E0113",
        message=f"brackets are nested more than {DEEPEST} deep",
        primary=Label(token_span(token, file), "one too many"),
        helps=("give the inner parts names of their own",),
    )


def _wrong_closer(token: Token, opener: Token | None, file: str) -> Diagnostic:
    secondary: tuple[Label, ...] = ()
    label = "nothing is open here"
    if opener is not None and opener.type != "LBRACE":
        expected = CLOSERS[opener.type][1]
        secondary = (Label(token_span(opener, file), f"`{opener}` waits for `{expected}`"),)
        label = ""
    return Diagnostic(
        code="E0112",
        message=f"this `{token}` closes nothing",
        primary=Label(token_span(token, file), label),
        secondary=secondary,
    )


def _never_closed(token: Token, before: Token | None, file: str) -> Diagnostic:
    closer = CLOSERS[token.type][1]
    secondary: tuple[Label, ...] = ()
    helps: tuple[str, ...] = ()
    if before is not None:
        text = f"`{before}` comes first"
        if before.type not in OPENER_OF and before.type not in CLOSERS:
            kind = "declaration" if str(before) in DECLARATIONS else "statement"
            text = f"`{before}` starts a new {kind}"
        secondary = (Label(token_span(before, file), text),)
    if token.type == "LBRACE":
        place = f"before line {before.line}" if before else "at the end of the file"
        helps = (f"add a line with `{closer}` {place}",)
    return Diagnostic(
        code="E0103",
        message=f"this `{token}` is never closed",
        primary=Label(token_span(token, file), "opened here"),
        secondary=secondary,
        helps=helps,
    )
