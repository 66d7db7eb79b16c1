"""An operation and its operands -> a checked node of the graph."""

from collections.abc import Callable

from tdsl.frontend.context import Context, join
from tdsl.frontend.reports import Site
from tdsl.frontend.values import Tensor
from tdsl.ir import ops
from tdsl.ir.infer import infer
from tdsl.ir.op_error import OpError
from tdsl.ir.tensor_type import TensorType


def emit(
    c: Context,
    kind: str,
    op: ops.Op,
    operands: tuple[Tensor, ...],
    site: Site,
    verify: Callable[[TensorType], None] = lambda result: None,
) -> Tensor:
    """Add `op` to the graph after checking types and arrays; `verify` sees the result's type.

    Raises Rejected after reporting a type that does not fit. An array that does not fit is
    reported as well.
    """
    try:
        result = infer(op, tuple(operand.type for operand in operands), c.build.where)
        verify(result)
    except OpError as error:
        raise c.refuse(error, site) from error
    try:
        c.build.stores.bind(op)
    except OpError as error:
        # The type is known all the same, so that later mistakes can be found too.
        c.refuse(error, site)
    inputs = tuple(operand.node for operand in operands)
    node = c.build.graph.add(join(c.prefix, kind), op, inputs, result, site.span)
    return Tensor(node, result, site.span)
