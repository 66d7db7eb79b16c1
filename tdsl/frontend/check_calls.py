"""Pipelines and calls -> values: operations become nodes, blocks are expanded."""

from collections.abc import Iterable
from dataclasses import replace

from tdsl.diagnostics import Label
from tdsl.frontend import syntax
from tdsl.frontend.argument_kinds import Argument, ArgumentKind, converted
from tdsl.frontend.bind_arguments import bind_arguments
from tdsl.frontend.check_expressions import evaluate, evaluate_truth
from tdsl.frontend.context import Call, Context, FileScope, Given, join
from tdsl.frontend.emit import emit
from tdsl.frontend.operators import (
    FOREIGN,
    OPERATORS,
    Arguments,
    Operator,
    Required,
    check_accumulator,
)
from tdsl.frontend.reports import Rejected, Site
from tdsl.frontend.spelling import closest
from tdsl.frontend.values import Generated, Number, Tensor, Value, described
from tdsl.ir.op_error import OpError
from tdsl.ir.ops import Stored
from tdsl.source import Span

MOST_COPIES = 4096
AUTOMATON = "ca"


def run_pipe(pipe: syntax.Pipe, c: Context) -> Value:
    """The value at the end of a pipeline."""
    value = evaluate(pipe.source, c)
    use, here = pipe.source.span, c
    first = len(c.build.graph.nodes)
    for step in pipe.steps:
        if step.label is not None:
            if here is not c:
                _name_result(c, value, here, first)
            here, first = c.named(step.label.text), len(c.build.graph.nodes)
        if step.condition is not None and not evaluate_truth(step.condition, here, "`if`"):
            continue
        value = _run_step(step, value, use, here)
        use = _operation_span(step)
    if here is not c:
        _name_result(c, value, here, first)
    return value


def run_call(call: syntax.Call, c: Context) -> Value:
    """The value of `name(...)` inside an expression."""
    path = _path(call.function, c)
    return _call(path, call.span, call.arguments, None, c)


def _run_step(step: syntax.Step, value: Value, use: Span, c: Context) -> Value:
    span = _operation_span(step)
    if step.times is None:
        flow = Given(None, value, use, use)
        return _call(step.path, span, step.arguments, flow, c)
    for index in range(_copies(step.times, c)):
        copy = replace(c, prefix=f"{c.prefix}[{index}]").with_names({"index": Number(index)})
        start = len(c.build.graph.nodes)
        value = _call(step.path, span, step.arguments, Given(None, value, use, use), copy)
        _name_result(c, value, copy, start)
        use = span
    return value


def _copies(times: syntax.Expression, c: Context) -> int:
    value = evaluate(times, c)
    match value:
        case Number(int(count)) if 1 <= count <= MOST_COPIES:
            return count
        case _:
            raise c.reject(
                "E0308",
                f"`times` cannot be {described(value)}",
                times.span,
                f"it takes a number from 1 to {MOST_COPIES}",
                helps=("`if` drops a step: `-> step if condition`",),
            )


def _name_result(c: Context, value: Value, here: Context, first: int) -> None:
    """Give the last node of a named part of a pipeline the name of that part."""
    if isinstance(value, Tensor) and value.node >= first and here.prefix:
        c.build.graph.rename(value.node, here.prefix)


def _call(
    path: tuple[syntax.Identifier, ...],
    span: Span,
    arguments: tuple[syntax.Argument, ...],
    flow: Given | None,
    c: Context,
) -> Value:
    name = ".".join(part.text for part in path)
    target = _resolve(path, name, c)
    c.build.graph.count_call()
    given = tuple(
        Given(
            name=None if argument.name is None else argument.name.text,
            value=evaluate(argument.value, c),
            use=argument.value.span,
            whole=argument.span,
        )
        for argument in arguments
    )
    call = Call(name, span, given if flow is None else (flow, *given))
    match target:
        case Operator():
            return apply_operation(target, call, c)
        case (file, block):
            return c.call_block(c, file, block, call)
        case None:
            return _automaton(call, c)


Target = Operator | tuple[FileScope, syntax.Block] | None


def _resolve(path: tuple[syntax.Identifier, ...], name: str, c: Context) -> Target:
    """The operation or block called `name`; None is the generator of weights."""
    file = c.file
    for part in path[:-1]:
        if part.text in file.poisoned:
            raise Rejected
        if part.text not in file.libraries:
            near = closest(part.text, file.libraries)
            raise c.reject(
                "E0201",
                f"no library is called `{part.text}`",
                part.span,
                f"did you mean `{near}`?" if near else "not found",
                helps=('take a file of blocks in by `use "blocks.tnn" as ' + part.text + "`",),
            )
        file = file.libraries[part.text]
    last = path[-1]
    if last.text in file.poisoned:
        raise Rejected
    if last.text in file.blocks:
        return file, file.blocks[last.text]
    if last.text in file.kernels:
        return file.kernels[last.text]
    if len(path) == 1 and last.text in OPERATORS:
        return OPERATORS[last.text]
    if len(path) == 1 and last.text == AUTOMATON:
        return None
    raise _unknown_operation(path, name, file, c)


def _unknown_operation(
    path: tuple[syntax.Identifier, ...], name: str, file: FileScope, c: Context
) -> Rejected:
    last = path[-1]
    span = replace(last.span, line=path[0].span.line, column=path[0].span.column)
    if last.text in file.networks:
        return c.reject(
            "E0201",
            f"`{name}` is a network and cannot be a step of another",
            span,
            helps=("make the common part a `block`",),
        )
    foreign = FOREIGN.get(last.text.lower().replace("_", "")) if len(path) == 1 else None
    known = (*file.blocks, *file.kernels, *(OPERATORS if len(path) == 1 else ()))
    near = None if foreign else closest(last.text, known)
    inside = sorted(a for a, library in c.file.libraries.items() if last.text in library.blocks)
    helps = (foreign,) if foreign else tuple(f"write `{a}.{last.text}`" for a in inside[:1])
    return c.reject(
        "E0201",
        f"no operation is called `{name}`",
        span,
        f"did you mean `{near}`?" if near else "not found",
        helps=helps,
    )


def apply_operation(operator: Operator, call: Call, c: Context) -> Tensor:
    """One operation of the table. Raises Rejected after reporting what does not fit."""
    if operator.variadic:
        values, site, tensors = _variadic(call, c)
    else:
        values, site, tensors = _bound(operator, call, c)
    arguments = Arguments(
        operator.name,
        values,
        tuple(tensor.type for tensor in tensors),
        lambda role, shape: _own(role, shape, site, call, c),
    )
    try:
        op = operator.build(arguments)
    except OpError as error:
        raise c.refuse(error, site) from error
    if op is None:
        return tensors[0]
    return emit(c, operator.name, op, tensors, site, lambda t: check_accumulator(arguments, op, t))


Converted = tuple[dict[str, Argument], Site, tuple[Tensor, ...]]


def _bound(operator: Operator, call: Call, c: Context) -> Converted:
    names = [p.name for p in operator.parameters]
    required = [p.name for p in operator.parameters if isinstance(p.default, Required)]
    bound = bind_arguments(call, names, required, c)
    tensors = [p.name for p in operator.parameters if p.kind is ArgumentKind.TENSOR]
    site = _site(call, bound, [bound[name] for name in tensors])
    values: dict[str, Argument] = {}
    for parameter in operator.parameters:
        if parameter.name in bound:
            value = bound[parameter.name].value
            values[parameter.name] = _convert(parameter.kind, parameter.name, value, call, site, c)
        elif not isinstance(parameter.default, Required):
            values[parameter.name] = parameter.default
    return values, site, _tensors(values[name] for name in tensors)


def _variadic(call: Call, c: Context) -> Converted:
    bound = {f"operand {i + 1}": given for i, given in enumerate(call.arguments)}
    named = next((given for given in call.arguments if given.name is not None), None)
    if named is not None or len(bound) < 2:
        raise c.reject(
            "E0307",
            f"`{call.name}` takes two or more tensors",
            call.span if named is None else named.whole,
            f"{len(bound)} given" if named is None else "they have no names",
        )
    site = _site(call, bound, list(bound.values()))
    values = {
        name: _convert(ArgumentKind.TENSOR, name, given.value, call, site, c)
        for name, given in bound.items()
    }
    return values, site, _tensors(values.values())


def _convert(
    kind: ArgumentKind, name: str, value: Value, call: Call, site: Site, c: Context
) -> Argument:
    try:
        return converted(kind, name, value, call.name)
    except OpError as error:
        raise c.refuse(error, site) from error


def _tensors(arguments: Iterable[Argument]) -> tuple[Tensor, ...]:
    return tuple(argument for argument in arguments if isinstance(argument, Tensor))


def _site(call: Call, bound: dict[str, Given], tensors: list[Given]) -> Site:
    return Site(
        span=call.span,
        arguments={name: given.whole for name, given in bound.items()},
        uses=tuple(given.use for given in tensors),
        made=tuple(
            given.value.made if isinstance(given.value, Tensor) else given.use for given in tensors
        ),
    )


def _own(role: str, shape: tuple[int, ...], site: Site, call: Call, c: Context) -> Stored:
    """The parameter that the name of the present step gives to `role`."""
    key = join(c.prefix, role)
    if c.build.store is None:
        raise c.reject(
            "E0408",
            f"`{call.name}` needs the array `{key}`, and this network reads no weights",
            call.span,
            "no file to read it from",
            helps=('declare `weights P = "file.npz"` and write `from P` behind the header',),
        )
    first = c.build.keys.setdefault(key, site.span)
    if first is not site.span:
        raise c.reject(
            "E0203",
            f"two operations need the same parameter `{key}`",
            site.span,
            "second use",
            secondary=(Label(first, "first use"),),
            helps=(
                "name the steps: `-> a: conv(...) -> ternarize -> b: conv(...)`\n"
                f"then the keys become `{join(c.prefix, 'a')}.{role}` "
                f"and `{join(c.prefix, 'b')}.{role}`",
            ),
        )
    return Stored(key, shape, c.build.store)


def _automaton(call: Call, c: Context) -> Generated:
    bound = bind_arguments(call, ("rule", "seed"), ("rule", "seed"), c)
    limits = {"rule": 256, "seed": 1 << 32}
    numbers: dict[str, int] = {}
    for name, given in bound.items():
        match given.value:
            case Number(int(number)) if 0 <= number < limits[name]:
                numbers[name] = number
            case _:
                raise c.reject(
                    "E0308",
                    f"`{name}` of `ca` cannot be {described(given.value)}",
                    given.whole,
                    f"it takes a number from 0 to {limits[name] - 1}",
                )
    return Generated(numbers["rule"], numbers["seed"])


def _path(function: syntax.Expression, c: Context) -> tuple[syntax.Identifier, ...]:
    match function:
        case syntax.Name(text=text):
            return (syntax.Identifier(text=text, span=function.span),)
        case syntax.Attribute(value=value, name=name):
            return (*_path(value, c), name)
        case _:
            raise c.reject("E0315", "this cannot be called", function.span, "not an operation")


def _operation_span(step: syntax.Step) -> Span:
    """A step without its label, `times` and `if`."""
    start = step.path[0].span
    span = replace(step.span, line=start.line, column=start.column)
    if step.times is None and step.condition is None:
        return span
    last = step.arguments[-1].span if step.arguments else step.path[-1].span
    closing = 1 if step.arguments else 0
    return replace(span, end_line=last.end_line, end_column=last.end_column + closing)
