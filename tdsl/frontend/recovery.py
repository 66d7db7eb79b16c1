"""Tokens -> Lark tree, past mistakes: a statement with one becomes a BROKEN token.

The parser's stack is cut back to where the innermost statement could begin, BROKEN takes the
statement's place, and reading goes on behind it. So one mistake costs one statement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from lark import Token, Tree

from tdsl.diagnostics import Diagnostic
from tdsl.frontend.grammar import BROKEN, END_OF_LINE, keywords
from tdsl.frontend.lalr import StackParser
from tdsl.frontend.lines import behind
from tdsl.frontend.mistakes import Mistake, describe, not_yet
from tdsl.frontend.tokens import TokenStream, start
from tdsl.frontend.words import BODY_WORDS, HARD_WORDS, LATER

MOST_DIAGNOSTICS = 20
"""Later mistakes of one file are passed over in silence: they cost time and help nobody."""

_MODULE_STATE, _BODY_STATE = "NETWORK", "ASSERT"
"""Terminals that tell the states where a declaration may begin from those of a statement."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A tree of the whole file, and what was wrong on the way."""

    tree: Tree[Token]
    diagnostics: tuple[Diagnostic, ...]


def parse_tokens(stream: TokenStream, file: str) -> Parsed:
    """Parse statements that `join_lines` has made, with matching brackets, to the end."""
    return _Driver(stream, file).run()


class _Driver:
    """Feeds the parser token by token and knows which statement it is in."""

    def __init__(self, stream: TokenStream, file: str) -> None:
        self.parser = StackParser()
        self.tokens = stream.tokens
        self.reported = stream.reported
        self.diagnostics = list(stream.diagnostics)
        self.file = file
        self.index = 0
        self.statement = 0
        """The index at which the current statement begins."""
        self.in_body = False
        self.in_schedule = False
        """Whether the current statement is a schedule: with its braces it is one statement."""
        self.lost_item = False
        """Whether the declaration before this place could not be read."""

    def run(self) -> Parsed:
        while self.index < len(self.tokens):
            if self._at_later_declaration():
                self._refuse_later_declaration()
            elif not self._feed(self._softened(self.tokens[self.index])):
                self._recover()
        return Parsed(self.parser.finish(self.tokens[-1]), tuple(self.diagnostics))

    def _feed(self, token: Token) -> bool:
        """Give the parser its next token; tell whether it took it."""
        if not self.parser.feed(token):
            return False
        if self.index == self.statement and not self.in_body:
            self.in_schedule = token.type == "SCHEDULE"
        self.index += 1
        if self.in_schedule and token.type != "RBRACE":
            return True
        if token.type in (END_OF_LINE, "LBRACE", "RBRACE"):
            self.statement = self.index
        if token.type in ("LBRACE", "RBRACE"):
            self.in_body = token.type == "LBRACE"
        if token.type == "RBRACE":
            self.lost_item = False
        return True

    def _softened(self, token: Token) -> Token:
        """Return a keyword as a name where only a name can stand."""
        if token not in keywords() or token.type == "NAME":
            return token
        if token in HARD_WORDS:
            return token
        fits = self.parser.looks_for(token.type) or not self.parser.looks_for("NAME")
        return token if fits else token.update("NAME")

    def _at_later_declaration(self) -> bool:
        return (
            self.index == self.statement and not self.in_body and self.tokens[self.index] in LATER
        )

    def _refuse_later_declaration(self) -> None:
        end = self._skip_braces(self.index)
        self._report(not_yet(self.tokens[self.index], self.file))
        self._replace(end)

    def _recover(self) -> None:
        ends = self._skip_braces if self.in_schedule else self._statement_end
        end = ends(self.statement if self.in_schedule else self.index)
        statement = self.tokens[self.statement : end + 1]
        known = any(start(token) in self.reported for token in statement)
        if not known and not self._follows_lost_item():
            self._report(describe(self._mistake(end)))
        self._replace(end)

    def _follows_lost_item(self) -> bool:
        """Tell whether an indented line stands outside of a body because a brace is amiss."""
        indented = self.tokens[self.statement].column != 1
        return self.lost_item and indented and not self.in_body

    def _mistake(self, end: int) -> Mistake:
        return Mistake(
            statement=self.tokens[self.statement : end],
            at=self.index - self.statement,
            token=self.tokens[self.index],
            accepted=self.parser.accepted(),
            in_body=self.in_body,
            file=self.file,
        )

    def _report(self, diagnostic: Diagnostic) -> None:
        if len(self.diagnostics) < MOST_DIAGNOSTICS:
            self.diagnostics.append(diagnostic)

    def _replace(self, end: int) -> None:
        """Put BROKEN in the place of the current statement, which ends before `end`."""
        if self.index and self.tokens[self.index - 1].type == "RBRACE" and not self.in_body:
            self.parser.feed(behind(self.tokens[self.index - 1], END_OF_LINE, ""))
        if self.statement == end and self.tokens[end].type == "RBRACE" and not self.in_body:
            end += 1  # No statement can begin here: without this the same brace comes up for ever.
        lost = self.tokens[self.statement : end] or self.tokens[self.index : end + 1]
        self.parser.cut_back({BROKEN, _BODY_STATE if self.in_body else _MODULE_STATE})
        self.parser.feed(_broken(lost, _lost_names(lost, self.in_body)))
        self.index = self.statement = end
        self.lost_item = not self.in_body

    def _statement_end(self, index: int) -> int:
        """Return the index of the newline, `}`, or `{` of a body, that ends the statement."""
        while self.tokens[index].type not in (END_OF_LINE, "RBRACE"):
            if self.tokens[index].type == "LBRACE":
                if not self.in_body and self._has_parameters(index):
                    return index
                index = self._closing_brace(index)
            index += 1
        return index

    def _has_parameters(self, brace: int) -> bool:
        return any(token.type == "LPAR" for token in self.tokens[self.statement : brace])

    def _skip_braces(self, index: int) -> int:
        """Return the index of the newline behind a declaration and its whole body."""
        while self.tokens[index].type != END_OF_LINE:
            if self.tokens[index].type == "LBRACE":
                index = self._closing_brace(index)
            index += 1
        return index

    def _closing_brace(self, index: int) -> int:
        depth = 0
        for i in range(index, len(self.tokens)):
            depth += (self.tokens[i].type == "LBRACE") - (self.tokens[i].type == "RBRACE")
            if depth == 0:
                return i
        raise AssertionError("brackets match before tokens are parsed")


def _lost_names(lost: Sequence[Token], in_body: bool) -> list[str]:
    """Return the names that a lost statement or declaration would have defined."""
    if not in_body:
        if lost[0].type == "USE":
            return [str(name) for keyword, name in pairwise(lost) if keyword.type == "AS"]
        lost = lost if len(lost) > 1 and lost[1].type == "EQUAL" else lost[1:]
    elif len(lost) > 1 and lost[1].isidentifier():
        lost = lost[1:]
    names = [str(token) for token in lost[::2]]
    commas = [token.type == "COMMA" for token in lost[1::2]]
    listed = commas.index(False) + 1 if False in commas else len(names)
    return [name for name in names[:listed] if name.isidentifier() and name not in BODY_WORDS]


def _broken(lost: Sequence[Token], names: Sequence[str]) -> Token:
    """Return the token that stands for a lost statement; its text lists the lost names."""
    first, last = lost[0], lost[-1]
    return Token(
        BROKEN,
        ",".join(names),
        start_pos=first.start_pos,
        line=first.line,
        column=first.column,
        end_line=last.end_line,
        end_column=last.end_column,
        end_pos=last.end_pos,
    )
