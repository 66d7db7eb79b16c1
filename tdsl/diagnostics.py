"""What is wrong with the user's input: diagnostics, as data, as text and as JSON."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import TypeAlias

from tdsl.source import Span

Sources = Mapping[str, str]
"""The texts that spans point into, by file name."""

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json]"

TAB_WIDTH = 4
EXCERPT_WIDTH = 120
"""Longer source lines are cut around each label."""


@dataclass(frozen=True, slots=True)
class Label:
    """A marked stretch of source, and what it has to do with the mistake."""

    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One mistake: the primary label stands on the smallest thing to change."""

    code: str
    message: str
    primary: Label
    secondary: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    """Facts."""
    helps: tuple[str, ...] = ()
    """Edits that work."""

    @property
    def span(self) -> Span:
        """The place of the mistake."""
        return self.primary.span

    def to_json(self) -> dict[str, Json]:
        """Return this diagnostic as plain JSON data; the first label is the primary one."""
        return {
            "code": self.code,
            "message": self.message,
            **_span_json(self.span),
            "labels": [
                {"text": label.text, **_span_json(label.span)}
                for label in (self.primary, *self.secondary)
            ],
            "notes": list(self.notes),
            "helps": list(self.helps),
        }


class CompileError(Exception):
    """The user's input is wrong: every diagnostic found, and the texts they point into."""

    def __init__(self, diagnostics: Iterable[Diagnostic], sources: Sources | None = None) -> None:
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        self.sources: Sources = sources or {}
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        return render_all(self.diagnostics, self.sources)

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows in place of a traceback: the way here is not the user's."""
        return str(self).split("\n")


def render_all(diagnostics: Iterable[Diagnostic], sources: Sources) -> str:
    """Return the text of several diagnostics, an empty line between two."""
    return "\n\n".join(render(diagnostic, sources) for diagnostic in diagnostics)


def render(diagnostic: Diagnostic, sources: Sources) -> str:
    """Return the text of one diagnostic; a file missing from `sources` is named, not quoted."""
    labels = [diagnostic.primary, *diagnostic.secondary]
    digits = len(str(max(label.span.line for label in labels)))
    head = [f"error[{diagnostic.code}]: {diagnostic.message}"]
    if diagnostic.span.line > 0:
        head.append(f"{' ' * digits}--> {diagnostic.span}")
    files = dict.fromkeys(label.span.file for label in labels)
    excerpts: list[str] = []
    for file in files:
        here = [label for label in labels if label.span.file == file]
        if file != diagnostic.span.file:
            excerpts.append(f"{' ' * digits}::: {here[0].span}")
        excerpts += _excerpt(sources.get(file), here, diagnostic.primary, digits)
    tail = [
        _remark(kind, text, digits)
        for kind, texts in (("note", diagnostic.notes), ("help", diagnostic.helps))
        for text in texts
    ]
    bar = [f"{' ' * digits} |"] if excerpts and tail else []
    return "\n".join([*head, *excerpts, *bar, *tail])


def source_lines(text: str) -> list[str]:
    """Return the lines as spans count them: a line ends at a line feed and nowhere else."""
    return [line.removesuffix("\r") for line in text.split("\n")]


def _span_json(span: Span) -> dict[str, Json]:
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def _remark(kind: str, text: str, digits: int) -> str:
    lead = f"{' ' * digits} = {kind}: "
    return lead + text.replace("\n", "\n" + " " * len(lead))


def _excerpt(text: str | None, labels: list[Label], primary: Label, digits: int) -> list[str]:
    """Quote the labelled lines of one file, top to bottom."""
    if text is None:
        return []
    lines = source_lines(text)
    inside = [label for label in labels if 1 <= label.span.line <= len(lines)]
    if not inside:
        return []
    rows = [f"{' ' * digits} |"]
    previous = None
    ordered = sorted(inside, key=lambda label: (label.span.line, -label.span.column))
    for number, group in groupby(ordered, key=lambda label: label.span.line):
        if previous is not None and number > previous + 1:
            rows.append("...")
        rows += _quote(number, lines[number - 1], list(group), primary, digits)
        previous = number
    return rows


def _quote(number: int, line: str, labels: list[Label], primary: Label, digits: int) -> list[str]:
    """Quote one line with the marks under it: whole, or cut around each label if it is long."""
    shown = [_visible(character) for character in line]
    edges = [0, *accumulate(_width(text) for text in shown)]
    if edges[-1] <= EXCERPT_WIDTH:
        cuts = [(0, len(line), labels)]
    else:
        cuts = [(*_window(edges, label.span.column - 1), [label]) for label in labels]
    rows: list[str] = []
    for first, last, group in cuts:
        lead = "..." if first > 0 else ""
        tail = "..." if last < len(line) else ""
        rows.append(f"{number:>{digits}} | {lead}{''.join(shown[first:last])}{tail}".rstrip())
        for label in group:
            start, length = _mark(label.span, line, edges, first, last)
            stroke = ("^" if label is primary else "-") * length
            indent = " " * (len(lead) + start)
            rows.append(f"{' ' * digits} | {indent}{stroke} {label.text}".rstrip())
    return rows


def _mark(span: Span, line: str, edges: list[int], first: int, last: int) -> tuple[int, int]:
    """Return start and length, in terminal cells from the cut's left edge, of a span's mark."""
    start = min(span.column - 1, len(line))
    end = min(span.end_column - 1 if span.end_line == span.line else len(line), last)
    return edges[start] - edges[first], max(edges[max(start, end)] - edges[start], 1)


def _window(edges: list[int], index: int) -> tuple[int, int]:
    """Return the first and last code point of a cut that shows the one at `index`."""
    middle = edges[min(index, len(edges) - 1)]
    low, high = middle - EXCERPT_WIDTH // 3, middle + 2 * EXCERPT_WIDTH // 3
    inside = [i for i, edge in enumerate(edges) if low <= edge <= high]
    return inside[0], inside[-1]


def _visible(character: str) -> str:
    """Return what stands for a character in a quoted line: nothing invisible, no escapes."""
    if character == "\t":
        return " " * TAB_WIDTH
    if character < " ":
        return chr(0x2400 + ord(character))
    return "\ufffd" if unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"} else character


def _width(text: str) -> int:
    """Return the terminal cells that one shown character (or tab) takes."""
    if len(text) > 1:
        return len(text)
    if unicodedata.combining(text):
        return 0
    return 2 if unicodedata.east_asian_width(text) in {"W", "F"} else 1
