"""The declarations of a file, and of the files it uses -> scopes and opened weights."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tdsl.diagnostics import CompileError, Diagnostic, Label
from tdsl.frontend import syntax
from tdsl.frontend.check_expressions import evaluate
from tdsl.frontend.check_kernels import declared_kernel
from tdsl.frontend.check_statements import failed
from tdsl.frontend.context import WORDS, Context, FileScope, join
from tdsl.frontend.operators import OPERATORS
from tdsl.frontend.parser import parse, read_source
from tdsl.frontend.reports import Rejected, Reports
from tdsl.frontend.values import Tensor, described
from tdsl.frontend.weights import WeightsError, WeightsFile, file_sha256, open_weights
from tdsl.source import Span

MakeContext = Callable[[FileScope], Context]


@dataclass(slots=True)
class Program:
    """Every file read so far, with what went wrong."""

    reports: Reports
    make_context: MakeContext
    sources: dict[str, str] = field(default_factory=dict[str, str])
    files: dict[str, WeightsFile | None] = field(default_factory=dict[str, WeightsFile | None])
    paths: dict[str, Path] = field(default_factory=dict[str, Path])
    """The paths of all weights files, by the names that `Stored.store` has."""
    missing: list[Diagnostic] = field(default_factory=list[Diagnostic])
    """Weights files that are not there: reported only if nothing else is wrong."""


def declare(
    module: syntax.Module,
    directory: Path,
    program: Program,
    alias: str = "",
    opened: tuple[Path, ...] = (),
) -> FileScope:
    """The scope of `module`; its mistakes are reported, and their names poisoned."""
    program.sources[module.file] = module.text
    scope = FileScope(module.file, poisoned=set(module.poisoned))
    for declaration in module.declarations:
        if program.reports.enough:
            break
        try:
            _declare(declaration, scope, directory, program, alias, opened)
        except Rejected:
            scope.poisoned.update(_names(declaration))
        except Exception as error:
            failed(program.make_context(scope), declaration.span, error)
            scope.poisoned.update(_names(declaration))
    return scope


def _declare(
    declaration: syntax.Declaration,
    scope: FileScope,
    directory: Path,
    program: Program,
    alias: str,
    opened: tuple[Path, ...],
) -> None:
    match declaration:
        case syntax.Use():
            name = _library_name(declaration, program.reports)
            _claim(name, declaration.path.span, scope, program)
            library = _library(declaration, directory, program, join(alias, name), opened)
            scope.libraries[name] = library
        case syntax.Kernel():
            called = _kernel_name(declaration)
            _claim(called.text, called.span, scope, program)
            scope.kernels[called.text] = declared_kernel(
                declaration, directory, program.reports, program.sources
            )
        case syntax.Weights(name=name):
            _claim(name.text, name.span, scope, program)
            store = join(alias, name.text)
            scope.stores[name.text] = store
            program.paths[store] = directory / declaration.path.value
            program.files[store] = None
            program.files[store] = open_declared(declaration, directory, program)
        case syntax.Const(name=name, value=expression):
            _claim(name.text, name.span, scope, program)
            value = evaluate(expression, program.make_context(scope))
            if isinstance(value, Tensor):
                raise program.reports.reject(
                    "E0308", f"a constant cannot be {described(value)}", expression.span
                )
            scope.constants[name.text] = value
        case syntax.Block(name=name):
            _claim(name.text, name.span, scope, program)
            scope.blocks[name.text] = declaration
        case syntax.Network(name=name):
            _claim(name.text, name.span, scope, program)
            scope.networks[name.text] = declaration
        case syntax.Target(name=name) | syntax.Schedule(name=name):
            _claim(name.text, name.span, scope, program)
        case syntax.Broken(names=names):
            scope.poisoned.update(names)
        case syntax.Check():
            pass


def _names(declaration: syntax.Declaration) -> tuple[str, ...]:
    match declaration:
        case syntax.Use(path=path, alias=alias):
            return (alias.text if alias else Path(path.value).stem,)
        case syntax.Kernel():
            return (_kernel_name(declaration).text,)
        case syntax.Broken() | syntax.Check():
            return ()
        case _:
            return (declaration.name.text,)


def _kernel_name(kernel: syntax.Kernel) -> syntax.Identifier:
    return kernel.name if kernel.alias is None else kernel.alias


def _claim(name: str, span: Span, scope: FileScope, program: Program) -> None:
    """Every name of a file is declared once, and is no operation of the language."""
    first = scope.places.get(name)
    if first is not None or name in OPERATORS or name in WORDS:
        told = "already has a meaning" if first else "is a word of the language"
        raise program.reports.reject(
            "E0204",
            f"`{name}` {told}",
            span,
            "second definition" if first else "choose another name",
            secondary=(Label(first, "first definition"),) if first else (),
        )
    scope.places[name] = span


def _library_name(use: syntax.Use, reports: Reports) -> str:
    name = use.alias.text if use.alias else Path(use.path.value).stem
    if not name.isidentifier():
        raise reports.reject(
            "E0206",
            f"`{name}` cannot be a name",
            use.path.span,
            "the file needs another name here",
            helps=(f'write `use "{use.path.value}" as lib`',),
        )
    return name


def _library(
    use: syntax.Use, directory: Path, program: Program, alias: str, opened: tuple[Path, ...]
) -> FileScope:
    try:
        path = (directory / use.path.value).resolve()
        if path in opened:
            raise program.reports.reject(
                "E0205", f"`{use.path.value}` uses itself", use.path.span, "this would never end"
            )
        file = str(directory / use.path.value)
        text = read_source(Path(file))
    except CompileError as error:
        reason = error.diagnostics[0].message
        raise program.reports.reject(
            "E0206",
            f"`{use.path.value}` cannot be used: {reason}",
            use.path.span,
            helps=("name a `.tnn` file, by its path from the folder of this one",),
        ) from error
    except (OSError, ValueError, RuntimeError) as error:
        raise program.reports.reject(
            "E0206", f"`{use.path.value}` cannot be used: {error}", use.path.span
        ) from error
    module, mistakes = parse(text, file)
    for mistake in mistakes:
        program.reports.add(mistake)
    return declare(module, path.parent, program, alias, (*opened, path))


def open_declared(weights: syntax.Weights, directory: Path, program: Program) -> WeightsFile | None:
    """The opened file, or None after its mistake is noted: names do not suffer from it."""
    span = weights.path.span
    try:
        file = open_weights(directory / weights.path.value)
        if weights.sha256 is not None:
            _check_sha256(weights.sha256, file, program)
        return file
    except WeightsError as error:
        diagnostic = Diagnostic(
            code="E0405",
            message=error.message,
            primary=Label(span),
            notes=(error.note,) if error.note else (),
            helps=(error.help,) if error.help else (),
        )
        if error.missing:
            program.missing.append(diagnostic)
        else:
            program.reports.add(diagnostic)
    except Rejected:
        pass
    return None


def _check_sha256(stated: syntax.StringLiteral, file: WeightsFile, program: Program) -> None:
    if not re.fullmatch("[0-9A-Fa-f]{64}", stated.value):
        raise program.reports.reject(
            "E0406",
            "a SHA-256 is 64 hexadecimal digits",
            stated.span,
            f"these are {len(stated.value)} characters",
            helps=("`sha256sum FILE` prints it",),
        )
    actual = file_sha256(file.path)
    if stated.value.lower() != actual:
        raise program.reports.reject(
            "E0406",
            f"`{file.name}` is not the file that was pinned",
            stated.span,
            "its SHA-256 is another",
            notes=(f"the file has {actual}",),
            helps=("restore the file, or pin this one by writing its SHA-256 here",),
        )
