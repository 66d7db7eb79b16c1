"""Up-sampling and pixel shuffles -> DotSteps whose results rise: several pixels for each sum."""

from dataclasses import replace

import numpy as np

from tdsl.ir import ops
from tdsl.ir.ops import CompareKind
from tdsl.lowering.linear_form import channels
from tdsl.lowering.port_levels import port_levels
from tdsl.lowering.select_dot import copy_step, dot_step
from tdsl.lowering.steps import DotStep, Raw, Tensor
from tdsl.lowering.terms import Window, identity, terms_over
from tdsl.lowering.walk import Walk


def upsampled(walk: Walk, position: int, factor: int) -> Tensor:
    """The step of the source stores each result `factor` times in both directions."""
    node = walk.node(position)
    source = node.inputs[0]
    step = dot_step(walk, source) if _may_rise(walk, source) else copy_step(walk, source)
    return walk.add(replace(step, name=node.name, out=walk.new(position), rise=factor))


def shuffled(walk: Walk, position: int, factor: int) -> Tensor:
    """Channel block (py, px) goes to the pixels of offset (py, px)."""
    node = walk.node(position)
    inner = channels(walk, node.inputs[0])
    order = np.arange(len(inner)).reshape(-1, factor * factor).T.ravel()
    terms = terms_over(inner, identity(len(inner))[order], Window())
    step = DotStep(
        node.name, walk.new(position), terms, Raw(), rise=factor, shuffle=True, span=node.span
    )
    return walk.add(step)


def _may_rise(walk: Walk, position: int) -> bool:
    """True where a node has one DotStep, which nobody else needs."""
    node = walk.node(position)
    match node.op:
        case ops.Input() | ops.Gate() | ops.Not() | ops.Mux():
            return False
        case ops.Upsample() | ops.PixelShuffle() | ops.Thermometer():
            return False
        case ops.Compare(kind=CompareKind.EQ | CompareKind.NE):
            return False
        case _:
            return walk.private(position) and port_levels(walk, node) is None
