"""A Python file, read and never run -> the kernels and micro-ops in it."""

import ast
import builtins
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tdsl.diagnostics import CompileError, Diagnostic, Label
from tdsl.kernels.define import define
from tdsl.kernels.definition import Declared, Definition, Missing, Outer, Plain
from tdsl.kernels.source import SourceFile, parsed

_DECORATORS = ("kernel", "uop")


@dataclass(frozen=True, slots=True, eq=False)
class KernelFile:
    """A Python file; its kernels are defined when they are asked for."""

    file: SourceFile
    path: str
    _known: dict[str, Definition] = field(default_factory=dict[str, Definition])

    @property
    def names(self) -> list[str]:
        """The names of its kernels and micro-ops."""
        functions = (one for one in self.file.tree.body if isinstance(one, ast.FunctionDef))
        return [one.name for one in functions if _decorator(one) is not None]

    def find(self, name: str) -> Definition:
        """The kernel or micro-op `name`, one of `names`. Raises CompileError."""
        if name in self._known:
            return self._known[name]
        found = [one for one in self.file.tree.body if _defines(one, name)]
        function = found[-1]
        assert isinstance(function, ast.FunctionDef)
        declared = _declared(self.file, function)
        made = define(self.file, function, self.outside, declared, self.path)
        self._known[name] = made
        return made

    def outside(self, name: str) -> Outer:
        """What a name means in the file, as far as can be told without running it."""
        if name in self.names:
            return self.find(name)
        for statement in reversed(self.file.tree.body):
            value = _assigned(statement, name)
            if value is not None:
                return value
        return Plain(None, name, function=True) if hasattr(builtins, name) else Missing()


def read_kernels(path: Path, shown: str) -> KernelFile:
    """Read a Python file, which spans call `shown`. Raises OSError, SyntaxError, ValueError."""
    return KernelFile(parsed(path.read_text("utf-8"), shown), str(path.resolve()))


def _defines(statement: ast.stmt, name: str) -> bool:
    return isinstance(statement, ast.FunctionDef) and statement.name == name


def _decorator(function: ast.FunctionDef) -> ast.expr | None:
    """The decorator that makes a function a kernel or micro-op."""
    return next((d for d in function.decorator_list if _decorator_name(d) in _DECORATORS), None)


def _decorator_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=function):
            return _decorator_name(function)
        case _:
            return ""


def _declared(file: SourceFile, function: ast.FunctionDef) -> Declared | None:
    """What `@uop(opcode=0x2A, cycles=1, energy=0.5)` says; None for a kernel."""
    decorator = _decorator(function)
    if decorator is None or _decorator_name(decorator) != "uop":
        return None
    words = decorator.keywords if isinstance(decorator, ast.Call) else []
    given = {word.arg: _literal(word.value) for word in words}
    opcode, cycles, energy = given.get("opcode"), given.get("cycles"), given.get("energy", 0.0)
    if isinstance(opcode, int) and isinstance(cycles, int) and isinstance(energy, int | float):
        return Declared(opcode, cycles, round(energy * 1000))
    raise CompileError(
        [
            Diagnostic(
                code="K0117",
                message=f"micro-op `{function.name}` does not say its opcode and cycles",
                primary=Label(file.span(decorator), "they are read here, as written"),
                helps=("write numbers: `@uop(opcode=0x2A, cycles=1, energy=0.5)`",),
            )
        ],
        {file.name: file.text},
    )


def _assigned(statement: ast.stmt, name: str) -> Outer | None:
    """What a statement at the top of a file makes of `name`, if anything."""
    match statement:
        case ast.Assign(targets=targets, value=value) if _names(targets, name):
            return _plain(value)
        case ast.AnnAssign(target=target, value=value) if value and _names([target], name):
            return _plain(value)
        case ast.FunctionDef(name=defined) | ast.ClassDef(name=defined) if defined == name:
            return Plain(None, name, function=True)
        case ast.Import(names=imported) | ast.ImportFrom(names=imported):
            bound = {(one.asname or one.name).partition(".")[0] for one in imported}
            return Plain(None, name, function=True) if name in bound else None
        case _:
            return None


def _names(targets: Sequence[ast.expr], name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def _plain(value: ast.expr) -> Plain:
    return Plain(_literal(value), ast.unparse(value))


def _literal(node: ast.expr) -> object:
    try:
        found: object = ast.literal_eval(node)
    except ValueError:
        return None
    return found
