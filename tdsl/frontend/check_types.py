"""The type of a tensor as it is written -> the type."""

from tdsl.frontend import syntax
from tdsl.frontend.check_expressions import element, evaluate_size
from tdsl.frontend.context import Context
from tdsl.ir.size import Size
from tdsl.ir.tensor_type import Element, TensorType

LARGEST_SIZE = 1 << 31


def tensor_type(declared: syntax.TensorType, c: Context, header: str) -> TensorType:
    """The type written as `trit[96, H, W]`."""
    bound = c.names.get(declared.element.text)
    if isinstance(bound, Element):
        found = bound
    else:
        found = element(declared.element.text, declared.element.span, c)
    shape = tuple(_size(size, c, header) for size in declared.sizes)
    if len(shape) not in (1, 3):
        raise c.reject(
            "E0306",
            "a tensor has the sizes [C] or [C, H, W]",
            declared.span,
            f"{len(shape)} sizes are given here",
            helps=("the channels come first; one frame at a time is computed",),
        )
    return TensorType(found, shape)


def _size(expression: syntax.Expression, c: Context, header: str) -> Size:
    size = evaluate_size(expression, c, header)
    if isinstance(size, int) and not 1 <= size < LARGEST_SIZE:
        raise c.reject(
            "E0308", f"a size cannot be {size}", expression.span, "it is a number from 1 on"
        )
    return size
