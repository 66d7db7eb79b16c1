"""Where a thing stands in the user's file: spans with 1-based lines and columns."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of one source file. Columns count code points from 1; `end_column` is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


NOWHERE = Span(file="<none>", line=0, column=0, end_line=0, end_column=0)
"""The span of what no user wrote (a node made by a pass or a test)."""
