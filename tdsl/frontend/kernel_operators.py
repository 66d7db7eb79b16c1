"""Kernels as operations of networks: their arguments become tensors and numbers of a call."""

from collections.abc import Callable

from tdsl.diagnostics import CompileError, Diagnostic
from tdsl.frontend.argument_kinds import ArgumentKind
from tdsl.frontend.operators import REQUIRED, Arguments, Operator, Signature
from tdsl.ir import ops
from tdsl.ir.op_error import OpError
from tdsl.kernels.definition import Definition, Parameter
from tdsl.kernels.row_types import ConstType, RowType, TotalType
from tdsl.kernels.specialize import specialize


def kernel_operator(definition: Definition, name: str = "") -> Operator:
    """The operation that applies a kernel; `name` is what the network calls it."""
    parameters = tuple(_signature(parameter) for parameter in definition.parameters)
    return Operator(name or definition.name, parameters, _build(definition))


def _signature(parameter: Parameter) -> Signature:
    match parameter.type:
        case RowType():
            return Signature(parameter.name, ArgumentKind.TENSOR)
        case ConstType():
            default = REQUIRED if parameter.default is None else parameter.default
            return Signature(parameter.name, ArgumentKind.INTEGER, default)


def _build(definition: Definition) -> Callable[[Arguments], ops.Op]:
    def build(arguments: Arguments) -> ops.Op:
        constants = tuple((p.name, arguments.integer(p.name)) for p in definition.constants)
        if len(definition.results) != 1:
            raise OpError(
                code="K0207",
                message=f"kernel `{definition.name}` has {len(definition.results)} results",
                label="an operation of a network has one",
                notes=(f"it is defined at {definition.span}",),
                helps=("write a kernel for each result",),
            )
        try:
            program = specialize(definition, dict(constants))
        except CompileError as error:
            raise _mistake(definition, constants, error.diagnostics[0]) from error
        result = definition.results[0]
        stated = [p.type for p in definition.rows]
        return ops.Kernel(
            program,
            None if isinstance(result, TotalType) else result.element,
            constants,
            all(isinstance(one, RowType) and one.channels is None for one in stated),
            definition.path,
        )

    return build


def _mistake(
    definition: Definition, constants: tuple[tuple[str, int], ...], found: Diagnostic
) -> OpError:
    """What is wrong in the kernel, said where it is called."""
    told = ", ".join(f"{name} = {number}" for name, number in constants)
    condition = f" with {told}" if told else ""
    return OpError(
        code=found.code,
        message=f"kernel `{definition.name}` cannot be compiled{condition}: {found.message}",
        label="called here",
        notes=(f"{found.span}: {found.primary.text}", *found.notes),
        helps=found.helps,
    )
