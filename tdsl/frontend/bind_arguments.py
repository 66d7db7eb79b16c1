"""Arguments by position and by name -> arguments by parameter, for operations and blocks alike."""

from collections.abc import Sequence

from tdsl.frontend.context import Call, Context, Given
from tdsl.frontend.spelling import closest


def bind_arguments(
    call: Call, parameters: Sequence[str], required: Sequence[str], c: Context
) -> dict[str, Given]:
    """Each given argument under the name of its parameter, in the order of the parameters.

    Raises Rejected after reporting what is unknown, given twice, too many, or missing.
    """
    bound: dict[str, Given] = {}
    positional = [given for given in call.arguments if given.name is None]
    if len(positional) > len(parameters):
        raise c.reject(
            "E0307",
            f"`{call.name}` takes at most {len(parameters)} arguments",
            positional[len(parameters)].whole,
            "this one is too many",
            notes=(_listed(call.name, parameters),),
        )
    for name, given in zip(parameters, positional, strict=False):
        bound[name] = given
    for given in call.arguments:
        if given.name is not None:
            _bind_named(call, given, given.name, parameters, bound, c)
    missing = [name for name in required if name not in bound]
    if missing:
        raise c.reject(
            "E0307",
            f"`{call.name}` needs {' and '.join(f'`{name}`' for name in missing)}",
            call.span,
            "not given here",
            notes=(_listed(call.name, parameters),),
        )
    return {name: bound[name] for name in parameters if name in bound}


def _bind_named(
    call: Call,
    given: Given,
    name: str,
    parameters: Sequence[str],
    bound: dict[str, Given],
    c: Context,
) -> None:
    if name not in parameters:
        near = closest(name, parameters)
        raise c.reject(
            "E0307",
            f"`{call.name}` has no argument called `{name}`",
            given.whole,
            f"did you mean `{near}`?" if near else "not found",
            notes=(_listed(call.name, parameters),),
        )
    if name in bound:
        raise c.reject(
            "E0307", f"`{call.name}` gets its argument `{name}` twice", given.whole, "second time"
        )
    bound[name] = given


def _listed(name: str, parameters: Sequence[str]) -> str:
    return f"the arguments of `{name}` are: {', '.join(parameters) or 'none'}"
