"""What is known at one point of the check: names, conditions, the graph so far, the way here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from tdsl.diagnostics import Label
from tdsl.frontend import syntax
from tdsl.frontend.graph_builder import GraphBuilder
from tdsl.frontend.operators import Operator
from tdsl.frontend.reports import Rejected, Reports, Site, diagnostic_of
from tdsl.frontend.spelling import closest
from tdsl.frontend.stores import Stores
from tdsl.frontend.values import Library, StoreKey, Value, Word
from tdsl.ir.condition import Where
from tdsl.ir.op_error import OpError
from tdsl.source import Span

WORDS = ("same", "valid")


@dataclass(slots=True)
class FileScope:
    """The declarations of one file, by name."""

    file: str
    constants: dict[str, Value] = field(default_factory=dict[str, Value])
    blocks: dict[str, syntax.Block] = field(default_factory=dict[str, syntax.Block])
    kernels: dict[str, Operator] = field(default_factory=dict[str, Operator])
    networks: dict[str, syntax.Network] = field(default_factory=dict[str, syntax.Network])
    stores: dict[str, str] = field(default_factory=dict[str, str])
    """The names of weights files, and what `Stored.store` calls them."""
    libraries: dict[str, FileScope] = field(default_factory=dict[str, "FileScope"])
    places: dict[str, Span] = field(default_factory=dict[str, Span])
    """Where each name is declared."""
    poisoned: set[str] = field(default_factory=set[str])
    """Names whose declarations have mistakes that are reported already."""


@dataclass(frozen=True, slots=True)
class Build:
    """One network under construction."""

    stores: Stores
    reports: Reports
    graph: GraphBuilder
    where: Where = ()
    store: str | None = None
    """The weights that the steps' names read: `from P`."""
    keys: dict[str, Span] = field(default_factory=dict[str, Span])
    """The parameters that names have bound, and by which operation."""


CallBlock = Callable[["Context", "FileScope", syntax.Block, "Call"], Value]
RunPipe = Callable[[syntax.Pipe, "Context"], Value]
RunCall = Callable[[syntax.Call, "Context"], Value]


@dataclass(frozen=True, slots=True)
class Given:
    """One argument of a call: its value, the span of the value, the span with its name."""

    name: str | None
    value: Value
    use: Span
    whole: Span


@dataclass(frozen=True, slots=True)
class Call:
    """A call of an operation or a block, its arguments evaluated; a piped value comes first."""

    name: str
    span: Span
    arguments: tuple[Given, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One body being checked: a network's, or a block's for one call of it.

    The three functions are the parts of the checker that evaluating an expression leads to; they
    stand here so that no file has to import another in a circle.
    """

    file: FileScope
    build: Build
    run_pipe: RunPipe
    run_call: RunCall
    call_block: CallBlock
    names: dict[str, Value] = field(default_factory=dict[str, Value])
    places: dict[str, Span] = field(default_factory=dict[str, Span])
    poisoned: set[str] = field(default_factory=set[str])
    prefix: str = ""
    """The name that parameters of the present step bind to."""
    calls: tuple[Label, ...] = ()
    """Where the blocks were called that led here, innermost first."""
    stack: tuple[tuple[str, str], ...] = ()
    """The blocks (file, name) being expanded."""

    def named(self, name: str) -> Context:
        """The context of a step called `name` inside this one."""
        return replace(self, prefix=join(self.prefix, name))

    def with_names(self, names: Mapping[str, Value]) -> Context:
        """The context with more names, which the body itself does not see."""
        return replace(self, names={**self.names, **names})

    def reject(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        *,
        secondary: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
        helps: tuple[str, ...] = (),
    ) -> Rejected:
        """Report a mistake; raise what this returns."""
        return self.build.reports.reject(
            code,
            message,
            span,
            label,
            secondary=secondary + self.calls,
            notes=notes,
            helps=helps,
        )

    def refuse(self, error: OpError, site: Site) -> Rejected:
        """Report what an operation refuses; raise what this returns."""
        self.build.reports.add(diagnostic_of(error, site, self.calls, self.build.where))
        return Rejected()


def join(prefix: str, name: str) -> str:
    """`a` and `b` as the dotted name `a.b`."""
    return f"{prefix}.{name}" if prefix else name


def look_up(c: Context, name: str, span: Span, header: str = "") -> Value:
    """The value of `name`; `header` is the declaration in whose types the name stands, if any."""
    if name in c.poisoned or (name not in c.names and name in c.file.poisoned):
        raise Rejected
    if name in c.names:
        return c.names[name]
    if name in c.file.constants:
        return c.file.constants[name]
    if name in c.file.stores:
        return StoreKey(c.file.stores[name])
    if name in c.file.libraries:
        return Library(name)
    if name in WORDS:
        return Word(name)
    raise _undefined(c, name, span, header)


def _undefined(c: Context, name: str, span: Span, header: str) -> Rejected:
    for kind, declared in (("block", c.file.blocks), ("network", c.file.networks)):
        if name in declared:
            use = f"`x -> {name}(...)`" if kind == "block" else f"`check {name}(...) == ...`"
            return c.reject(
                "E0202",
                f"`{name}` is a {kind}, not a value",
                span,
                "it has to be called",
                helps=(f"call it: {use}",),
            )
    if name in c.file.kernels:
        return c.reject(
            "E0202",
            f"`{name}` is a kernel, not a value",
            span,
            "it has to be called",
            helps=(f"call it: `{name}(...)`",),
        )
    known = {*c.names, *c.file.constants, *c.file.stores, *c.file.libraries}
    near = closest(name, known)
    helps: tuple[str, ...] = ()
    if header:
        kind = header.split()[0]
        example = "network net[H, W](...)" if kind == "network" else "block part[H, W](...)"
        helps = (f"a symbolic size is declared after the name: `{example}`",)
    return c.reject(
        "E0202",
        f"`{name}` is not defined",
        span,
        f"did you mean `{near}`?" if near else "not found",
        helps=helps,
    )
