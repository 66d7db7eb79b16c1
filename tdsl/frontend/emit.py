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

    Raises Rejected after reporting what does not fit.
    """
    try:
        result = infer(op, tuple(operand.type for operand in operands), c.build.where)
        verify(result)
        c.build.stores.bind(op)
    except OpError as error:
        raise c.refuse(error, site) from error
    inputs = tuple(operand.node for operand in operands)
    node = c.build.graph.add(join(c.prefix, kind), op, inputs, result, site.span)
    return Tensor(node, result, site.span)
