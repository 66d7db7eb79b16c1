"""The tensors of a network being traced: methods and operators write down its steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from tdsl.frontend import values
from tdsl.frontend.syntax import BinaryOperator
from tdsl.ir.tensor_type import TensorType
from tdsl.tracing.annotations import DeclaredSize, ElementType, as_size


class Steps(Protocol):
    """What tensors ask of the tracer; every method reports mistakes at the user's line."""

    def method(self, tensor: Tensor, name: str) -> Callable[..., Tensor]:
        """The operation `name` on `tensor`."""
        ...

    def join(self, sign: BinaryOperator, left: object, right: object) -> Tensor:
        """An operator between two values."""
        ...

    def invert(self, tensor: Tensor) -> Tensor:
        """`~tensor`."""
        ...

    def cut(self, tensor: Tensor, index: object) -> Tensor:
        """Some of the channels."""
        ...

    def refuse_value(self, tensor: Tensor, use: str) -> Exception:
        """Report that Python wants to know the tensor's values; raise what this returns."""
        ...

    def refuse_operator(self, sign: str, tensor: Tensor) -> Exception:
        """Report an operator that tensors do not have; raise what this returns."""
        ...


class Tensor:
    """A value that the network computes; known while tracing is its type, not what it holds."""

    def __init__(self, steps: Steps, value: values.Tensor) -> None:
        """Take the tracer and the node."""
        self.steps = steps
        self.value = value

    @property
    def type(self) -> TensorType:
        """Element type and shape."""
        return self.value.type

    @property
    def element(self) -> ElementType:
        """The element type."""
        return ElementType(self.value.type.element)

    @property
    def shape(self) -> tuple[int | DeclaredSize, ...]:
        """The sizes, channels first; numbers where no image decides them."""
        return tuple(as_size(size) for size in self.value.type.shape)

    def __repr__(self) -> str:
        return str(self.type)

    def __getattr__(self, name: str) -> Callable[..., Tensor]:
        if name.startswith("_"):
            raise AttributeError(name)
        return self.steps.method(self, name)

    def __add__(self, other: object) -> Tensor:
        return self.steps.join(BinaryOperator.ADD, self, other)

    def __radd__(self, other: object) -> Tensor:
        return self.steps.join(BinaryOperator.ADD, other, self)

    def __sub__(self, other: object) -> Tensor:
        return self.steps.join(BinaryOperator.SUBTRACT, self, other)

    def __rsub__(self, other: object) -> Tensor:
        return self.steps.join(BinaryOperator.SUBTRACT, other, self)

    def __mul__(self, other: object) -> Tensor:
        return self.steps.join(BinaryOperator.MULTIPLY, self, other)

    def __rmul__(self, other: object) -> Tensor:
        return self.steps.join(BinaryOperator.MULTIPLY, other, self)

    def __floordiv__(self, other: object) -> Tensor:
        return self.steps.join(BinaryOperator.FLOOR_DIVIDE, self, other)

    def __mod__(self, other: object) -> Tensor:
        return self.steps.join(BinaryOperator.MODULO, self, other)

    def __and__(self, other: object) -> Tensor:
        return self.steps.join(BinaryOperator.BIT_AND, self, other)

    def __rand__(self, other: object) -> Tensor:
        return self.steps.join(BinaryOperator.BIT_AND, other, self)

    def __or__(self, other: object) -> Tensor:
        return self.steps.join(BinaryOperator.BIT_OR, self, other)

    def __ror__(self, other: object) -> Tensor:
        return self.steps.join(BinaryOperator.BIT_OR, other, self)

    def __xor__(self, other: object) -> Tensor:
        return self.steps.join(BinaryOperator.BIT_XOR, self, other)

    def __rxor__(self, other: object) -> Tensor:
        return self.steps.join(BinaryOperator.BIT_XOR, other, self)

    def __lshift__(self, other: object) -> Tensor:
        return self.steps.join(BinaryOperator.SHIFT_LEFT, self, other)

    def __rshift__(self, other: object) -> Tensor:
        return self.steps.join(BinaryOperator.SHIFT_RIGHT, self, other)

    def __eq__(self, other: object) -> Tensor:  # type: ignore[override]
        return self.steps.join(BinaryOperator.EQUAL, self, other)

    def __ne__(self, other: object) -> Tensor:  # type: ignore[override]
        return self.steps.join(BinaryOperator.NOT_EQUAL, self, other)

    def __lt__(self, other: object) -> Tensor:
        return self.steps.join(BinaryOperator.LESS, self, other)

    def __le__(self, other: object) -> Tensor:
        return self.steps.join(BinaryOperator.LESS_EQUAL, self, other)

    def __gt__(self, other: object) -> Tensor:
        return self.steps.join(BinaryOperator.GREATER, self, other)

    def __ge__(self, other: object) -> Tensor:
        return self.steps.join(BinaryOperator.GREATER_EQUAL, self, other)

    def __invert__(self) -> Tensor:
        return self.steps.invert(self)

    def __getitem__(self, index: object) -> Tensor:
        return self.steps.cut(self, index)

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        raise self.steps.refuse_value(self, "branch on")

    def __iter__(self) -> Iterator[Any]:
        raise self.steps.refuse_value(self, "loop over")

    def __len__(self) -> int:
        raise self.steps.refuse_value(self, "take the length of")

    def __int__(self) -> int:
        raise self.steps.refuse_value(self, "make a number of")

    def __index__(self) -> int:
        raise self.steps.refuse_value(self, "make a number of")

    def __float__(self) -> float:
        raise self.steps.refuse_value(self, "make a number of")

    def __array__(self, *_: object, **__: object) -> Any:
        raise self.steps.refuse_value(self, "make an array of")

    def __neg__(self) -> Tensor:
        raise self.steps.refuse_operator("-", self)

    def __abs__(self) -> Tensor:
        raise self.steps.refuse_operator("abs", self)

    def __truediv__(self, other: object) -> Tensor:
        raise self.steps.refuse_operator("/", self)

    def __matmul__(self, other: object) -> Tensor:
        raise self.steps.refuse_operator("@", self)

    def __pow__(self, other: object) -> Tensor:
        raise self.steps.refuse_operator("**", self)
