"""The syntax tree of a `.tnn` file: frozen nodes, each with the span it was written at.

Spans take no part in equality: two trees are equal when the same thing is written in both.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from tdsl.source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Anything written in a file."""

    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier(Node):
    """A name where something is named: a declaration, a label, a member, an argument's name."""

    text: str


# ---------------------------------------------------------------- expressions


class UnaryOperator(StrEnum):
    """The operators in front of one operand."""

    NEGATE = "-"
    INVERT = "~"
    NOT = "not"


class BinaryOperator(StrEnum):
    """The operators between two operands."""

    OR = "or"
    AND = "and"
    EQUAL = "=="
    NOT_EQUAL = "!="
    LESS_EQUAL = "<="
    GREATER_EQUAL = ">="
    LESS = "<"
    GREATER = ">"
    BIT_OR = "|"
    BIT_XOR = "^"
    BIT_AND = "&"
    SHIFT_RIGHT = ">>"
    SHIFT_LEFT = "<<"
    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    FLOOR_DIVIDE = "//"
    MODULO = "%"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntLiteral(Node):
    """`96`, `0x5EED`, `0b11`."""

    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatLiteral(Node):
    """`0.5`; only the host has such numbers."""

    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DimsLiteral(Node):
    """`3x5`: height and width of a window."""

    height: int
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StringLiteral(Node):
    """`"text"`; `value` is the text without quotes and escapes."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BoolLiteral(Node):
    """`true` or `false`."""

    value: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementLiteral(Node):
    """`i11`, `trit`: an element type where a value is expected."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Name(Node):
    """A name that is used."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListLiteral(Node):
    """`[1, 2]`."""

    items: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unary(Node):
    """`-x`, `~x`, `not x`."""

    operator: UnaryOperator
    operand: "Expression"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary(Node):
    """`a + b` and every other operator between two operands; comparisons do not chain."""

    operator: BinaryOperator
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute(Node):
    """`P.c1.w`."""

    value: "Expression"
    name: Identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument(Node):
    """`16` or `pad = 2` between the parentheses of a call."""

    name: Identifier | None
    value: "Expression"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Node):
    """`mux(a, b, c)`."""

    function: "Expression"
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Range(Node):
    """`0..8` inside a subscript: from `low` up to, not including, `high`."""

    low: "Expression"
    high: "Expression"


@dataclass(frozen=True, slots=True, kw_only=True)
class All(Node):
    """`*` inside a subscript."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscript(Node):
    """`P["layer1.0.weight"]`, `x[0..8]`."""

    value: "Expression"
    indices: "tuple[Index, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Node):
    """One `-> label: path(arguments) times count if condition` of a pipeline."""

    label: Identifier | None
    path: tuple[Identifier, ...]
    """`conv` is one identifier, `lib.tconv` two."""
    arguments: tuple[Argument, ...]
    times: "Expression | None"
    condition: "Expression | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipe(Node):
    """`x -> conv(16, 3x3) -> ternarize`; at least one step."""

    source: "Expression"
    steps: tuple[Step, ...]


Expression = (
    IntLiteral
    | FloatLiteral
    | DimsLiteral
    | StringLiteral
    | BoolLiteral
    | ElementLiteral
    | Name
    | ListLiteral
    | Unary
    | Binary
    | Attribute
    | Call
    | Subscript
    | Pipe
)
"""A pipe stands only where the grammar lets it: after `=` and `return`, as an argument's
value, and in parentheses. Parentheses themselves leave no node."""

Index = Expression | Range | All


# ---------------------------------------------------------------- types


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorType(Node):
    """`trit[96, H, W]`."""

    element: Identifier
    sizes: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalarType(Node):
    """`int`, `bool`, `dims`, `weights`: what a block's parameter may be besides a tensor."""

    name: Identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter(Node):
    """`x: trit[C, H, W]` or `pool: int = 1`."""

    name: Identifier
    type: TensorType | ScalarType
    default: Expression | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Output(Node):
    """`scores: i16[10]` or `trit[n, H, W]` behind the arrow of a header."""

    name: Identifier | None
    type: TensorType


# ---------------------------------------------------------------- statements


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign(Node):
    """`c1 = x -> conv(16, 5x5)`, `a, b = f(x)`."""

    targets: tuple[Identifier, ...]
    value: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Return(Node):
    """`return a, b`."""

    values: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assert(Node):
    """`assert C % groups == 0, "text with {C}"`."""

    condition: Expression
    message: StringLiteral | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken(Node):
    """A statement or declaration lost to a syntax error that has been reported already."""

    names: tuple[str, ...]
    """What it would have defined, as far as can be told."""


Statement = Assign | Return | Assert | Broken


# ---------------------------------------------------------------- declarations


@dataclass(frozen=True, slots=True, kw_only=True)
class Use(Node):
    """`use "blocks.tnn" as lib`."""

    path: StringLiteral
    alias: Identifier | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel(Node):
    """`kernel absdiff from "kernels.py" as distance`."""

    name: Identifier
    path: StringLiteral
    alias: Identifier | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights(Node):
    """`weights P = "lenet.npz" sha256 "..."`."""

    name: Identifier
    path: StringLiteral
    sha256: StringLiteral | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target(Node):
    """`target array = "machine.toml"`."""

    name: Identifier
    path: StringLiteral


@dataclass(frozen=True, slots=True, kw_only=True)
class Const(Node):
    """`const CH = 96`."""

    name: Identifier
    value: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Block(Node):
    """`block name[C, H](x: trit[C, H], n: int) -> trit[n, H] where n > 0 { ... }`."""

    name: Identifier
    symbols: tuple[Identifier, ...]
    parameters: tuple[Parameter, ...]
    outputs: tuple[Output, ...]
    where: tuple[Expression, ...]
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network(Node):
    """`network name[H, W](img: u8[1, H, W]) -> i16[10] from P where H > 3 { ... }`."""

    name: Identifier
    symbols: tuple[Identifier, ...]
    parameters: tuple[Parameter, ...]
    outputs: tuple[Output, ...]
    weights: Identifier | None
    where: tuple[Expression, ...]
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Node):
    """`check lenet(P.test.img) == P.test.scores`."""

    condition: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout(Node):
    """`layout c1, c2 as pixels`."""

    steps: tuple[Identifier, ...]
    organisation: Identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule(Node):
    """`schedule fast for lenet { layout c1 as pixels }`."""

    name: Identifier
    network: Identifier
    layouts: tuple[Layout, ...]


Declaration = Use | Kernel | Weights | Target | Const | Block | Network | Schedule | Check | Broken


@dataclass(frozen=True, slots=True, kw_only=True)
class Module(Node):
    """A whole file, in the order written."""

    file: str = field(compare=False)
    text: str = field(compare=False, repr=False)
    """What spans of this module point into."""
    version: int
    declarations: tuple[Declaration, ...]
    poisoned: frozenset[str]
    """Names whose definitions were lost to syntax errors; uses of them are not mistakes."""
