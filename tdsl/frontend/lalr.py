"""Lark's stack parser, one token at a time, with a way back from a mistake."""

# Lark types its parser states by an open type parameter, which strict checking calls unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from typing import cast

from lark import Token, Tree
from lark.exceptions import UnexpectedToken

from tdsl.frontend.grammar import load_grammar


class StackParser:
    """A parse in progress; terminals are named as in the grammar file."""

    def __init__(self) -> None:
        self._parser = load_grammar().parse_interactive()

    def feed(self, token: Token) -> bool:
        """Take the next token; return False, having taken nothing, if it cannot stand here."""
        try:
            self._parser.feed_token(token)
        except UnexpectedToken:
            return False
        return True

    def finish(self, last: Token) -> Tree[Token]:
        """Return the tree of all tokens."""
        return cast("Tree[Token]", self._parser.feed_eof(last))  # type: ignore[no-untyped-call]

    def looks_for(self, terminal: str) -> bool:
        """Tell whether the state has an action for a terminal: quick, never a false no."""
        return terminal in self._parser.choices()  # type: ignore[no-untyped-call]

    def accepted(self) -> frozenset[str]:
        """Return every terminal that could stand here."""
        return frozenset(cast("set[str]", self._parser.accepts()))  # type: ignore[no-untyped-call]

    def cut_back(self, terminals: set[str]) -> None:
        """Drop what was read since the last state that has actions for all of `terminals`."""
        state = self._parser.parser_state
        table = state.parse_conf.parse_table.states
        while not terminals <= table[state.state_stack[-1]].keys():
            state.state_stack.pop()
            state.value_stack.pop()


def read_raw_tokens(text: str) -> tuple[Token, ...]:
    """Return every token of a text, comments and spaces included: joined, they are the text."""
    return tuple(load_grammar().lex(text, dont_ignore=True))
