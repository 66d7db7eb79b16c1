"""An imported network -> what each node became, what its integers stand for, what was proven."""

from fractions import Fraction
from typing import Any

from tdsl.importer.conversion import Folded, Port
from tdsl.importer.imported import Imported
from tdsl.ir.ops import Conv, Linear, Stored

_MOST_LISTED = 4


def meaning_of(imported: Imported) -> list[str]:
    """A line a port: the numbers that the network's integers stand for."""
    ins = [f"Input {port.name}: {_formula(port)}." for port in imported.inputs]
    outs = [f"Output {port.name}: {_formula(port)}." for port in imported.outputs]
    return [*ins, *outs]


def report_text(imported: Imported) -> str:
    """The report as Markdown."""
    lines = [f"# {imported.graph.name}, imported from {imported.model.file}", ""]
    lines += ["## What the integers stand for", ""]
    for port in imported.inputs:
        lines.append(f"- input `{port.name}` (`{port.tensor}` of the file): {_formula(port)}")
        lines += [f"  - before it, outside: {place}" for place in port.host]
    for port in imported.outputs:
        lines.append(f"- output `{port.name}` (`{port.tensor}` of the file): {_formula(port)}")
        lines += [f"  - {line}" for line in _per_channel(port)]
    lines += ["", "## What each node became", ""]
    lines += [f"- {one.place}: {one.text}" for one in imported.became]
    lines += ["", "## Thresholds in place of floating point", ""]
    if imported.folds:
        lines += [_WHAT_IS_PROVEN, ""]
    lines += [f"- {_told(one, imported.graph.nodes[one.node].name)}" for one in imported.folds]
    trits, zeros = _weights(imported)
    lines += ["", "## Weights", "", f"{trits:,} trits, {zeros / max(trits, 1):.1%} of them zero."]
    return "\n".join(lines) + "\n"


_WHAT_IS_PROVEN = (
    "For every integer that the accumulator can hold, the level by the thresholds is the level by "
    "the float formula: the exact number rounded once to float32, then each step as the executor "
    "computes it."
)


def report_data(imported: Imported) -> dict[str, Any]:
    """The report as plain data for `--json`."""
    trits, zeros = _weights(imported)
    return {
        "network": imported.graph.name,
        "model": imported.model.file,
        "inputs": [_port_data(port) for port in imported.inputs],
        "outputs": [_port_data(port) for port in imported.outputs],
        "nodes": [{"node": one.place, "became": one.text} for one in imported.became],
        "folds": [
            {
                "node": one.place,
                "became": imported.graph.nodes[one.node].name,
                "channels": one.channels,
                "channels_turned": one.turned,
                "channels_inexact_in_float32": one.noisy,
                "integers_checked": one.proof.integers,
                "exhaustive": one.proof.exhaustive,
                "ties": one.proof.ties,
                "order_dependent": one.proof.fragile,
                "examples": [list(example) for example in one.proof.examples],
            }
            for one in imported.folds
        ],
        "trits": trits,
        "zero_trits": zeros,
    }


def _port_data(port: Port) -> dict[str, Any]:
    alike = len(set(zip(port.scale, port.offset, strict=True))) == 1
    scale, offset = (port.scale[:1], port.offset[:1]) if alike else (port.scale, port.offset)
    return {
        "name": port.name,
        "tensor": port.tensor,
        "low": port.low,
        "high": port.high,
        "scale": [str(one) for one in scale],
        "offset": [str(one) for one in offset],
        "host": list(port.host),
    }


def _formula(port: Port) -> str:
    if len(set(zip(port.scale, port.offset, strict=True))) > 1:
        return "each channel has its own scale and offset, number = scale * integer + offset"
    if port.scale[0] == 1 and port.offset[0] == 0:
        return "the integers are the numbers themselves"
    return f"number = {_line(port.scale[0], port.offset[0])}"


def _line(scale: Fraction, offset: Fraction) -> str:
    moved = f" {'-' if offset < 0 else '+'} {abs(float(offset))!r}" if offset else ""
    return f"{float(scale)!r} * integer{moved}"


def _per_channel(port: Port) -> list[str]:
    pairs = list(zip(port.scale, port.offset, strict=True))
    if len(set(pairs)) == 1:
        return []
    return [f"channel {c}: number = {_line(s, o)}" for c, (s, o) in enumerate(pairs)]


def _told(one: Folded, name: str) -> str:
    proof = one.proof
    how = "all checked" if proof.exhaustive else "checked at every threshold; each step is monotone"
    parts = [f"{one.place} is `{name}`: {proof.integers:,} integers, {how}"]
    if proof.ties:
        parts.append(f"{proof.ties:,} of them ties, decided as the file says")
    if one.turned:
        parts.append(f"{one.turned} channels with their sign changed")
    if not one.noisy:
        parts.append("float32 sums are exact: equal to the executor's in any order of addition")
    elif not proof.fragile:
        parts.append("float32 sums are inexact, but too little to change a level")
    else:
        examples = ", ".join(f"channel {c} at {n}" for c, n in proof.examples[:_MOST_LISTED])
        parts.append(
            f"float32 sums are inexact: at {proof.fragile:,} integers another order of additions "
            f"could give the executor a neighbouring level, at the worst ({examples}); the exact "
            "sum decides here"
        )
    return "; ".join(parts)


def _weights(imported: Imported) -> tuple[int, int]:
    stored = {
        node.op.weight
        for node in imported.graph.nodes
        if isinstance(node.op, Conv | Linear) and isinstance(node.op.weight, Stored)
    }
    arrays = [imported.arrays[one] for one in stored]
    return sum(a.size for a in arrays), sum(int((a == 0).sum()) for a in arrays)
