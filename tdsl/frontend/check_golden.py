"""`check net(P.img) == P.scores` -> the arrays to run and to expect."""

from collections.abc import Mapping

from tdsl.frontend import syntax
from tdsl.frontend.check_expressions import evaluate
from tdsl.frontend.checked import CheckedNetwork, GoldenArray, GoldenCheck
from tdsl.frontend.context import Context
from tdsl.frontend.reports import Rejected
from tdsl.frontend.spelling import closest
from tdsl.frontend.syntax import BinaryOperator
from tdsl.frontend.values import Items, StoreKey, Value, described
from tdsl.ir.ops import Input
from tdsl.ir.tensor_type import TensorType
from tdsl.source import Span


def check_golden(
    check: syntax.Check, networks: Mapping[str, CheckedNetwork], c: Context
) -> tuple[str, GoldenCheck] | None:
    """The network's name and the test; None where the network itself has mistakes."""
    match check.condition:
        case syntax.Binary(
            operator=BinaryOperator.EQUAL,
            left=syntax.Call(function=syntax.Name() as function) as call,
            right=right,
        ):
            name = function.text
        case other:
            raise c.reject(
                "E0317",
                "a check compares a network with arrays",
                other.span,
                "this is something else",
                helps=("write `check net(P.test.img) == P.test.scores`",),
            )
    if name not in c.file.networks:
        raise _no_network(name, function.span, c)
    if name not in networks:
        return None
    network = networks[name]
    inputs = [node for node in network.graph.nodes if isinstance(node.op, Input)]
    given = _arguments(call, [node.name for node in inputs], c)
    expected = evaluate(right, c)
    values = expected.items if isinstance(expected, Items) else (expected,)
    outputs = network.graph.outputs
    if len(values) != len(outputs):
        raise c.reject(
            "E0317",
            f"`{name}` has {len(outputs)} outputs",
            right.span,
            f"{len(values)} arrays are given",
            helps=("several are listed: `== [P.a, P.b]`",),
        )
    return name, GoldenCheck(
        tuple(_array(node.name, node.type, *given[node.name], c) for node in inputs),
        tuple(
            _array(output.name, network.graph.nodes[output.node].type, value, right.span, c)
            for output, value in zip(outputs, values, strict=True)
        ),
        check.span,
    )


def _no_network(name: str, span: Span, c: Context) -> Rejected:
    if name in c.file.poisoned:
        return Rejected()
    near = closest(name, c.file.networks)
    return c.reject(
        "E0202",
        f"no network is called `{name}`",
        span,
        f"did you mean `{near}`?" if near else "not found",
    )


def _arguments(call: syntax.Call, names: list[str], c: Context) -> dict[str, tuple[Value, Span]]:
    given: dict[str, tuple[Value, Span]] = {}
    for position, argument in enumerate(call.arguments):
        name = argument.name.text if argument.name else None
        if name is None and position < len(names):
            name = names[position]
        if name is None or name not in names or name in given:
            raise c.reject(
                "E0307",
                f"the inputs are: {', '.join(names)}",
                argument.span,
                "this is none of them, or one given twice",
            )
        given[name] = (evaluate(argument.value, c), argument.value.span)
    missing = [name for name in names if name not in given]
    if missing:
        raise c.reject("E0307", f"input `{missing[0]}` is missing", call.span, "not given here")
    return given


def _array(name: str, wanted: TensorType, value: Value, span: Span, c: Context) -> GoldenArray:
    if not isinstance(value, StoreKey) or not value.key:
        raise c.reject(
            "E0317",
            f"a check cannot use {described(value)}",
            span,
            "an array such as `P.test.img` is needed",
        )
    file = c.build.stores.files.get(value.store)
    if file is None:
        return GoldenArray(name, None, value.key)
    if value.key not in file.shapes:
        near = closest(value.key, file.shapes)
        raise c.reject(
            "E0401",
            f"`{file.name}` has no array `{value.key}`",
            span,
            f"did you mean `{near}`?" if near else "not found",
            notes=(f"the file holds {len(file.shapes)} arrays",),
        )
    shape = file.shapes[value.key]
    cases = shape[len(shape) - len(wanted.shape) :] if len(shape) > len(wanted.shape) else shape
    sizes = zip(cases, wanted.shape, strict=False)
    fits = len(shape) - len(wanted.shape) in (0, 1)
    if not fits or any(isinstance(size, int) and size != have for have, size in sizes):
        raise c.reject(
            "E0402",
            f"array `{value.key}` does not fit `{name}`",
            span,
            f"it has shape {shape}, {wanted} is needed",
            notes=("one more axis in front counts cases",),
        )
    return GoldenArray(name, file, value.key)
