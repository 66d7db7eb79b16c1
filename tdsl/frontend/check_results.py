"""What a body returns against what its header declares."""

from tdsl.diagnostics import Label
from tdsl.frontend import syntax
from tdsl.frontend.check_statements import Results
from tdsl.frontend.check_types import tensor_type
from tdsl.frontend.context import Context
from tdsl.frontend.reports import Site
from tdsl.frontend.values import Tensor
from tdsl.ir.op_error import OpError
from tdsl.ir.tensor_type import TensorType
from tdsl.ir.type_rules import contains, same_shape
from tdsl.source import Span


def check_results(
    outputs: tuple[syntax.Output, ...], results: Results, c: Context, owner: syntax.Identifier
) -> tuple[Tensor, ...]:
    """The returned tensors, if they are as many as declared and fit the declared types."""
    if len(outputs) != len(results):
        raise c.reject(
            "E0207",
            f"`{owner.text}` declares {_results(len(outputs))} and returns {len(results)}",
            results[0][1],
            "returned here",
            secondary=(Label(outputs[0].span, "declared here"),),
        )
    for output, (tensor, span) in zip(outputs, results, strict=True):
        wanted = tensor_type(output.type, c, owner.text)
        check_result(wanted, output.span, tensor, span, c)
    return tuple(tensor for tensor, _ in results)


def check_result(
    wanted: TensorType, declared_at: Span, tensor: Tensor, span: Span, c: Context
) -> None:
    """Raise Rejected unless `tensor`, returned at `span`, fits the type declared."""
    declared = Label(declared_at, f"declared {wanted}")
    if not contains(wanted.element, tensor.type.element):
        low, high = wanted.element.low, wanted.element.high
        raise c.reject(
            "E0313",
            f"the result is `{tensor.type.element}`, not `{wanted.element}`",
            span,
            f"this is {tensor.type}",
            secondary=(declared,),
            notes=(f"`{wanted.element}` holds {low} to {high}",),
            helps=(
                f"declare `{tensor.type}`",
                f"or cut the values: `clip(..., {wanted.element})`",
            ),
        )
    try:
        same_shape("return", (tensor.type, wanted), c.build.where)
    except OpError as error:
        if error.code == "E0301":
            raise c.reject(
                "E0313",
                f"the result is {tensor.type}, not {wanted}",
                span,
                error.label,
                secondary=(declared,),
            ) from error
        site = Site(span=span, uses=(span, declared_at), made=(tensor.made, declared_at))
        raise c.refuse(error, site) from error


def _results(count: int) -> str:
    return "one result" if count == 1 else f"{count} results"
