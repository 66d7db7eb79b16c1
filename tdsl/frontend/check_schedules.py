"""`schedule fast for lenet { layout c1 as pixels }` -> the layouts of its network."""

from collections.abc import Mapping
from dataclasses import replace

from tdsl.diagnostics import Label
from tdsl.frontend import syntax
from tdsl.frontend.check_layouts import Wanted, checked_layouts
from tdsl.frontend.checked import CheckedNetwork
from tdsl.frontend.context import FileScope
from tdsl.frontend.reports import Rejected, Reports


def with_schedules(
    module: syntax.Module,
    networks: Mapping[str, CheckedNetwork],
    scope: FileScope,
    reports: Reports,
) -> dict[str, CheckedNetwork]:
    """The networks with what the schedules of the file say of them.

    A schedule is judged only against a sound network.
    """
    found = dict(networks)
    schedules = [d for d in module.declarations if isinstance(d, syntax.Schedule)]
    seen: dict[str, syntax.Schedule] = {}
    for schedule in schedules:
        name = schedule.network.text
        try:
            _check_network(schedule, seen, scope, reports)
            if name in networks:
                wanted = _wanted(schedule, reports)
                layouts = checked_layouts(networks[name].graph, wanted, reports)
                found[name] = replace(networks[name], layouts=layouts)
        except Rejected:
            continue
    return found


def _check_network(
    schedule: syntax.Schedule,
    seen: dict[str, syntax.Schedule],
    scope: FileScope,
    reports: Reports,
) -> None:
    name = schedule.network
    if name.text not in scope.networks and name.text not in scope.poisoned:
        listed = ", ".join(f"`{one}`" for one in scope.networks) or "none"
        raise reports.reject(
            "E0504",
            f"this file has no network `{name.text}`",
            name.span,
            notes=(f"its networks are: {listed}",),
        )
    if name.text in seen:
        raise reports.reject(
            "E0505",
            f"`{name.text}` has two schedules",
            name.span,
            "second schedule",
            secondary=(Label(seen[name.text].network.span, "first schedule"),),
            helps=("write the lines of both into one",),
        )
    seen[name.text] = schedule


def _wanted(schedule: syntax.Schedule, reports: Reports) -> list[Wanted]:
    first: dict[str, syntax.Identifier] = {}
    wanted: list[Wanted] = []
    for layout in schedule.layouts:
        for step in layout.steps:
            if step.text in first:
                raise reports.reject(
                    "E0505",
                    f"`{step.text}` has two layouts",
                    step.span,
                    "second layout",
                    secondary=(Label(first[step.text].span, "first layout"),),
                )
            first[step.text] = step
            word = layout.organisation
            wanted.append(Wanted(step.text, word.text, step.span, word.span))
    return wanted
