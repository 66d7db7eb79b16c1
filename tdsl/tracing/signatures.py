"""The `def` line of a network -> its inputs and outputs, each with its place."""

import ast
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FunctionType

from tdsl.frontend.check_types import LARGEST_SIZE
from tdsl.frontend.context import Context
from tdsl.ir.size import Size
from tdsl.ir.tensor_type import TensorType
from tdsl.source import Span
from tdsl.tracing.annotations import Annotation, DeclaredSize
from tdsl.tracing.source_files import SourceFile, extent, source_file


@dataclass(frozen=True, slots=True)
class Typed:
    """An input or output: its name, its type, and where it is declared."""

    name: str
    type: TensorType
    span: Span


@dataclass(frozen=True, slots=True)
class Header:
    """The function's `def` in its file, as far as the source is there."""

    function: FunctionType
    file: SourceFile | None
    node: ast.FunctionDef | None

    @property
    def span(self) -> Span:
        """The function's name."""
        code = self.function.__code__
        name, line = code.co_filename, code.co_firstlineno
        if self.file is None or self.node is None:
            return Span(file=name, line=line, column=1, end_line=line, end_column=1)
        line, _, column, _ = extent(self.node)
        start = column + len("def ")
        end = start + len(self.node.name.encode())
        return self.file.extent_span((line, line, start, end))

    def parameter(self, name: str) -> Span:
        """One parameter with its annotation."""
        found = self._arguments().get(name)
        return self.span if found is None or self.file is None else self.file.span(found)

    def parameter_name(self, name: str) -> Span:
        """One parameter without its annotation."""
        found = self._arguments().get(name)
        if found is None or self.file is None:
            return self.span
        line, _, column, _ = extent(found)
        return self.file.extent_span((line, line, column, column + len(name.encode())))

    def annotation(self, name: str) -> Span:
        """The annotation of a parameter, or behind the arrow for `return`."""
        found = None
        if name != "return":
            argument = self._arguments().get(name)
            found = argument.annotation if argument else None
        elif self.node is not None:
            found = self.node.returns
        return self.span if found is None or self.file is None else self.file.span(found)

    def _arguments(self) -> Mapping[str, ast.arg]:
        if self.node is None:
            return {}
        given = self.node.args
        every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
        return {argument.arg: argument for argument in every if argument is not None}


def header_of(function: Callable[..., object]) -> Header:
    """Find the `def` of a function in its file."""
    assert isinstance(function, FunctionType)
    code = function.__code__
    file = source_file(code.co_filename)
    nodes = file.parents if file else ()
    found = next(
        (
            node
            for node in nodes
            if isinstance(node, ast.FunctionDef)
            and node.name == code.co_name
            and min([node.lineno, *(d.lineno for d in node.decorator_list)]) == code.co_firstlineno
        ),
        None,
    )
    return Header(function, file, found)


def inputs_of(header: Header, c: Context) -> list[Typed]:
    """The parameters, each a tensor. Raises Rejected."""
    annotations = _annotations(header, c)
    inputs: list[Typed] = []
    for name, parameter in inspect.signature(header.function).parameters.items():
        plain = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.POSITIONAL_ONLY)
        if not plain or parameter.default is not parameter.empty:
            raise c.reject(
                "N0104",
                "the inputs of a network are tensors without defaults",
                header.parameter(name),
                "this is not one",
                helps=("a `@block` takes numbers and defaults",),
            )
        span = header.annotation(name)
        if name not in annotations:
            raise c.reject(
                "N0104",
                f"input `{name}` of `{header.function.__name__}` has no type",
                header.parameter_name(name),
                "what it holds cannot be known",
                helps=(f"write `{name}: u8[1, 28, 28]`, or sizes from `sizes`",),
            )
        inputs.append(Typed(name, _type(annotations[name], span, c), header.parameter_name(name)))
    return inputs


def outputs_of(
    header: Header, declared: Mapping[str, object] | None, span: Span, c: Context
) -> list[Typed] | None:
    """The outputs that the decorator at `span` declares, if it does. Raises Rejected."""
    if "return" in _annotations(header, c):
        raise c.reject(
            "N0104",
            "the types of a network's outputs stand in its decorator",
            header.annotation("return"),
            "not behind an arrow",
            helps=('`@network(outputs={"scores": i16[10]})`',),
        )
    if declared is None:
        return None
    return [Typed(name, _type(type_, span, c), span) for name, type_ in declared.items()]


def _annotations(header: Header, c: Context) -> dict[str, object]:
    try:
        return inspect.get_annotations(header.function, eval_str=True)
    except Exception as error:
        raise c.reject(
            "N0104",
            f"the types of `{header.function.__name__}` cannot be read",
            header.span,
            f"{type(error).__name__}: {error}",
        ) from error


def _type(annotation: object, span: Span, c: Context) -> TensorType:
    if not isinstance(annotation, Annotation):
        raise c.reject(
            "N0104",
            "this is not the type of a tensor",
            span,
            f"it is a Python `{type(annotation).__name__}`",
            helps=("write element and sizes: `u8[1, 28, 28]`, `trit[16, H, W]`, `i16[10]`",),
        )
    shape = tuple(_size(size, span, c) for size in annotation.sizes)
    if len(shape) not in (1, 3):
        raise c.reject(
            "E0306",
            "a tensor has the sizes [C] or [C, H, W]",
            span,
            f"{len(shape)} sizes are given here",
            helps=("the channels come first; one frame at a time is computed",),
        )
    return TensorType(annotation.element, shape)


def _size(size: object, span: Span, c: Context) -> Size:
    match size:
        case DeclaredSize():
            return size.size
        case int() if not isinstance(size, bool) and 1 <= size < LARGEST_SIZE:
            return size
        case int():
            raise c.reject("E0308", f"a size cannot be {size}", span, "it is a number from 1 on")
        case _:
            name = type(size).__name__
            raise c.reject(
                "E0308",
                f"a size cannot be a Python `{name}`",
                span,
                "it is a number, or a size that `sizes` declares",
            )
