"""A network of the syntax tree -> its graph."""

from dataclasses import replace

from tdsl.diagnostics import Label
from tdsl.frontend import syntax
from tdsl.frontend.check_expressions import evaluate
from tdsl.frontend.check_results import check_results
from tdsl.frontend.check_statements import run_body
from tdsl.frontend.check_types import tensor_type
from tdsl.frontend.checked import CheckedNetwork
from tdsl.frontend.context import Context
from tdsl.frontend.reports import Rejected
from tdsl.frontend.spelling import closest
from tdsl.frontend.values import Claim, Number, Tensor, Truth, described
from tdsl.ir.condition import Condition, Where, condition_text, contradictory
from tdsl.ir.graph import Graph, Output
from tdsl.ir.ops import Input
from tdsl.ir.size import symbol


def check_network(network: syntax.Network, c: Context, target: str | None) -> CheckedNetwork:
    """Check one network in a fresh context of its file. Raises Rejected after its mistakes."""
    header = f"network {network.name.text}"
    for name in network.symbols:
        _declare(name, c)
        c.names[name.text] = Number(symbol(name.text))
    for parameter in network.parameters:
        _add_input(parameter, c, header)
    _check_symbols(network, c)
    where = _conditions(network, c)
    c = replace(c, build=replace(c.build, where=where, store=_store(network, c)))
    results = run_body(network.body, c, network.name)
    tensors = check_results(network.outputs, results, c, network.name)
    names = _output_names(network, c)
    outputs = tuple(Output(n, t.node) for n, t in zip(names, tensors, strict=True))
    symbols = tuple(name.text for name in network.symbols)
    nodes = tuple(c.build.graph.nodes)
    return CheckedNetwork(
        graph=Graph(network.name.text, symbols, nodes, outputs, where),
        arrays=c.build.stores.arrays,
        target=target,
        declared=tuple(tensor_type(o.type, c, header) for o in network.outputs),
    )


def _declare(name: syntax.Identifier, c: Context) -> None:
    first = c.places.get(name.text) or c.file.places.get(name.text)
    if first is not None:
        raise c.reject(
            "E0204",
            f"`{name.text}` already has a meaning",
            name.span,
            "second definition",
            secondary=(Label(first, "first definition"),),
            helps=("choose a new name",),
        )
    c.places[name.text] = name.span


def _add_input(parameter: syntax.Parameter, c: Context, header: str) -> None:
    _declare(parameter.name, c)
    if not isinstance(parameter.type, syntax.TensorType) or parameter.default is not None:
        raise c.reject(
            "E0308",
            "the inputs of a network are tensors without defaults",
            parameter.span,
            "this is not one",
            helps=("a `block` takes numbers and defaults; a `const` names a number",),
        )
    type_ = tensor_type(parameter.type, c, header)
    name = parameter.name.text
    node = c.build.graph.add(name, Input(), (), type_, parameter.name.span)
    c.names[name] = Tensor(node, type_, parameter.name.span)


def _check_symbols(network: syntax.Network, c: Context) -> None:
    """Each symbol has to stand alone in the type of an input, which then says what it is."""
    alone = {
        size.text
        for parameter in network.parameters
        if isinstance(parameter.type, syntax.TensorType)
        for size in parameter.type.sizes
        if isinstance(size, syntax.Name)
    }
    for name in network.symbols:
        if name.text not in alone:
            raise c.reject(
                "E0208",
                f"nothing says what `{name.text}` is",
                name.span,
                "it stands alone in no input's type",
            )
    if not network.parameters:
        raise c.reject("E0307", f"network `{network.name.text}` has no input", network.name.span)


def _conditions(network: syntax.Network, c: Context) -> Where:
    conditions: list[Condition] = []
    for expression in network.where:
        value = evaluate(expression, c)
        match value:
            case Claim(condition):
                conditions.append(condition)
            case Truth(True):
                continue
            case Truth(False):
                raise c.reject(
                    "E0312", "this condition never holds", expression.span, "it is false"
                )
            case _:
                raise c.reject(
                    "E0315", f"a condition cannot be {described(value)}", expression.span
                )
    where = tuple(conditions)
    if contradictory(where):
        raise c.reject(
            "E0312",
            "no size fulfils all of these conditions",
            network.where[-1].span,
            notes=(", ".join(map(condition_text, where)),),
        )
    return where


def _store(network: syntax.Network, c: Context) -> str | None:
    if network.weights is None:
        return None
    name = network.weights.text
    if name in c.file.poisoned:
        raise Rejected
    if name not in c.file.stores:
        near = closest(name, c.file.stores)
        raise c.reject(
            "E0202",
            f"no weights are called `{name}`",
            network.weights.span,
            f"did you mean `{near}`?" if near else "not found",
            helps=(f'declare them: `weights {name} = "file.npz"`',),
        )
    return c.file.stores[name]


def _output_names(network: syntax.Network, c: Context) -> tuple[str, ...]:
    """Declared names; `out`, or `out0`, `out1` ..., where there are none."""
    single = len(network.outputs) == 1
    names: list[str] = []
    for number, output in enumerate(network.outputs):
        given = output.name.text if output.name else "out" if single else f"out{number}"
        if given in names:
            raise c.reject("E0204", f"two outputs are called `{given}`", output.span, "second one")
        names.append(given)
    return tuple(names)
