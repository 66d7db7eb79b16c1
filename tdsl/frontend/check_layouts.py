"""Steps with the data organisation that the source gives them -> a checked table."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from tdsl.frontend.reports import Reports
from tdsl.ir.graph import Graph
from tdsl.ir.ops import Input
from tdsl.source import Span

ORGANISATIONS = ("channels", "pixels")
"""What a row of the array holds: the channels of a pixel, or one bit of many pixels."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A step and the organisation that it shall have, with the places where both are written."""

    step: str
    organisation: str
    step_span: Span
    organisation_span: Span


def checked_layouts(graph: Graph, wanted: Sequence[Wanted], reports: Reports) -> dict[str, str]:
    """The organisations by step. Raises Rejected after the first mistake is reported."""
    steps = [node.name for node in graph.nodes if not isinstance(node.op, Input)]
    found: dict[str, str] = {}
    for one in wanted:
        if one.organisation not in ORGANISATIONS:
            raise reports.reject(
                "E0502",
                f"`{one.organisation}` is no way to lay out a layer",
                one.organisation_span,
                helps=("write `channels` or `pixels`",),
            )
        if one.step not in steps:
            raise _unknown(graph, steps, one, reports)
        found[one.step] = one.organisation
    return found


def _unknown(graph: Graph, steps: list[str], one: Wanted, reports: Reports) -> Exception:
    near = difflib.get_close_matches(one.step, steps, n=1)
    return reports.reject(
        "E0501",
        f"`{graph.name}` has no step called `{one.step}`",
        one.step_span,
        f"did you mean `{near[0]}`?" if near else "not found",
        notes=(f"its steps are: {', '.join(steps)}",),
    )
