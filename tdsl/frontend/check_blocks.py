"""A call of a block -> its body expanded in place; and the statements of any body."""

from dataclasses import replace

from tdsl.diagnostics import Label
from tdsl.frontend import syntax
from tdsl.frontend.bind_arguments import bind_arguments
from tdsl.frontend.check_expressions import evaluate
from tdsl.frontend.check_results import check_results
from tdsl.frontend.check_statements import run_body
from tdsl.frontend.check_types import tensor_type
from tdsl.frontend.context import Call, Context, FileScope, Given
from tdsl.frontend.reports import Site, condition_help
from tdsl.frontend.values import (
    Claim,
    Dims,
    Number,
    Several,
    StoreKey,
    Tensor,
    Truth,
    Value,
    described,
)
from tdsl.ir.condition import Truth as Decision
from tdsl.ir.condition import decide, suggest
from tdsl.ir.op_error import OpError
from tdsl.ir.type_rules import contains, same_shape

SCALARS: dict[str, type[Value]] = {"int": Number, "bool": Truth, "dims": Dims, "weights": StoreKey}


def call_block(c: Context, file: FileScope, block: syntax.Block, call: Call) -> Value:
    """Expand one call of `block`; the name of the step is the name of the instance."""
    inner = _enter(c, file, block, call)
    names = [parameter.name.text for parameter in block.parameters]
    required = [p.name.text for p in block.parameters if p.default is None]
    bound = bind_arguments(call, names, required, c)
    _bind_symbols(block, bound, inner, call, c)
    for parameter in block.parameters:
        _bind_parameter(parameter, bound.get(parameter.name.text), block, inner, c)
    for condition in block.where:
        _check_condition(condition, block, inner, call, c)
    start = len(c.build.graph.nodes)
    results = run_body(block.body, inner, block.name)
    tensors = check_results(block.outputs, results, inner, block.name)
    match tensors:
        case (result,):
            if result.node >= start and c.prefix:
                c.build.graph.rename(result.node, c.prefix)
            return replace(result, made=call.span)
        case _:
            return Several(tensors)


def _enter(c: Context, file: FileScope, block: syntax.Block, call: Call) -> Context:
    me = (file.file, block.name.text)
    if me in c.stack:
        raise c.reject(
            "E0205",
            f"block `{block.name.text}` contains itself",
            call.span,
            "this would never end",
            helps=("`-> step times 4` repeats a step",),
        )
    return replace(
        c,
        file=file,
        names={},
        places={},
        poisoned=set(),
        calls=(Label(call.span, f"in this call of `{call.name}`"), *c.calls),
        stack=(*c.stack, me),
    )


def _bind_symbols(
    block: syntax.Block, bound: dict[str, Given], inner: Context, call: Call, c: Context
) -> None:
    """Symbols that stand alone in the type of a tensor take the size (or element) they meet."""
    declared = {symbol.text: symbol for symbol in block.symbols}
    inner.places.update({name: symbol.span for name, symbol in declared.items()})
    for parameter in block.parameters:
        if not isinstance(parameter.type, syntax.TensorType):
            continue
        given = _given_tensor(parameter, bound.get(parameter.name.text), block, inner, c)
        if parameter.type.element.text in declared:
            inner.names.setdefault(parameter.type.element.text, given.type.element)
        for size, actual in zip(parameter.type.sizes, given.type.shape, strict=False):
            if isinstance(size, syntax.Name) and size.text in declared:
                inner.names.setdefault(size.text, Number(actual))
    for name, symbol in declared.items():
        if name not in inner.names:
            raise c.reject(
                "E0208",
                f"nothing says what `{name}` of block `{block.name.text}` is",
                symbol.span,
                "it stands alone in no argument's type",
                secondary=(Label(call.span, "in this call"),),
            )


def _given_tensor(
    parameter: syntax.Parameter,
    given: Given | None,
    block: syntax.Block,
    inner: Context,
    c: Context,
) -> Tensor:
    if given is None:
        raise inner.reject(
            "E0308", "a tensor cannot have a default", parameter.span, "every call gives it"
        )
    if isinstance(given.value, Tensor):
        return given.value
    raise c.reject(
        "E0308",
        f"`{parameter.name.text}` of `{block.name.text}` cannot be {described(given.value)}",
        given.whole,
        "it takes a tensor",
        secondary=(Label(parameter.span, "declared here"),),
    )


def _bind_parameter(
    parameter: syntax.Parameter,
    given: Given | None,
    block: syntax.Block,
    inner: Context,
    c: Context,
) -> None:
    name = parameter.name.text
    if name in inner.places:
        raise inner.reject("E0204", f"`{name}` already has a meaning", parameter.name.span)
    inner.places[name] = parameter.name.span
    if given is None:
        assert parameter.default is not None
        value = evaluate(parameter.default, inner)
        given = Given(None, value, parameter.default.span, parameter.default.span)
    value = given.value
    if isinstance(parameter.type, syntax.TensorType):
        inner.names[name] = _tensor(parameter, parameter.type, given, block, inner, c)
        return
    kind = parameter.type.name
    if kind.text not in SCALARS:
        raise inner.reject(
            "E0308",
            f"`{kind.text}` is not a kind of argument",
            kind.span,
            "not found",
            notes=(f"there are tensors and {', '.join(f'`{k}`' for k in SCALARS)}",),
        )
    if not isinstance(value, SCALARS[kind.text]):
        raise c.reject(
            "E0308",
            f"`{name}` of `{block.name.text}` cannot be {described(value)}",
            given.whole,
            f"it takes {_KINDS[kind.text]}",
            secondary=(Label(parameter.span, "declared here"),),
        )
    inner.names[name] = value


_KINDS = {
    "int": "a number",
    "bool": "`true` or `false`",
    "dims": "a window such as `3x3`",
    "weights": "an array such as `P.c1.w`",
}


def _tensor(
    parameter: syntax.Parameter,
    declared: syntax.TensorType,
    given: Given,
    block: syntax.Block,
    inner: Context,
    c: Context,
) -> Tensor:
    """The tensor given for `parameter`, if it has the declared type."""
    name = parameter.name.text
    value = _given_tensor(parameter, given, block, inner, c)
    wanted = tensor_type(declared, inner, f"block {block.name.text}")
    actual = value.type
    if actual.element != wanted.element:
        widen = contains(wanted.element, actual.element)
        raise c.reject(
            "E0305",
            f"`{name}` of `{block.name.text}` takes `{wanted.element}` values",
            given.use,
            f"this is {actual}",
            secondary=(Label(parameter.span, "declared here"),),
            helps=(f"`clip(..., {wanted.element})` widens it",) if widen else (),
        )
    try:
        same_shape(block.name.text, (actual, wanted), c.build.where)
    except OpError as error:
        error.operands = error.operands[:1]
        error.message = error.message.replace("operands of the same shape", f"`{name}`: {wanted}")
        site = Site(span=given.use, uses=(given.use,), made=(value.made,))
        raise c.refuse(error, site) from error
    return replace(value, made=parameter.name.span)


def _check_condition(
    condition: syntax.Expression, block: syntax.Block, inner: Context, call: Call, c: Context
) -> None:
    """A condition of the block's header has to hold for all sizes of the network."""
    value = evaluate(condition, inner)
    if isinstance(value, Claim):
        decision = decide(value.condition, c.build.where)
    elif isinstance(value, Truth):
        decision = Decision.ALWAYS if value.value else Decision.NEVER
    else:
        raise inner.reject("E0315", f"a condition cannot be {described(value)}", condition.span)
    if decision is Decision.ALWAYS:
        return
    helps: tuple[str, ...] = ()
    if isinstance(value, Claim) and decision is Decision.SOMETIMES:
        helps = condition_help(suggest((value.condition,), c.build.where) or (), c.build.where)
    raise c.reject(
        "E0312",
        f"a condition of block `{block.name.text}` does not hold",
        call.span,
        "for this call" if decision is Decision.NEVER else "for some sizes",
        secondary=(Label(condition.span, "this condition"),),
        notes=(_bindings(inner),),
        helps=helps,
    )


def _bindings(c: Context) -> str:
    numbers = [f"{name} = {v.size}" for name, v in c.names.items() if isinstance(v, Number)]
    return "here " + (", ".join(numbers) or "no numbers are given")
