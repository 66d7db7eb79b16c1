"""Row program -> text: one line a value, with its range and its line of the source."""

from typing import assert_never

from tdsl.rows.ir import (
    Binary,
    Border,
    Compare,
    Constant,
    Range,
    Read,
    Relation,
    RowInput,
    RowOp,
    RowOutput,
    RowProgram,
    RowTotal,
    RowValue,
    Scale,
    Select,
    Shift,
    Unary,
    UserOp,
)

_INVERTED = {Relation.LESS: ">=", Relation.EQUAL: "!="}


def print_rows(program: RowProgram) -> str:
    """The text of `program`, the same for equal programs from the same lines."""
    stride = "" if program.stride == (1, 1) else f" stride {program.stride[0]}x{program.stride[1]}"
    lines = [f"rows {program.name}{stride}"]
    lines += [_input_line(one) for one in program.inputs]
    lines += [_value_line(program, n) for n in range(len(program.values))]
    lines += [_result_line(one) for one in program.results]
    return "\n".join(lines) + "\n"


def range_text(found: Range) -> str:
    """A range as it is written: `0 to 255`."""
    return str(found.low) if found.low == found.high else f"{found.low} to {found.high}"


def _input_line(one: RowInput) -> str:
    channels = f" x {one.channels}" if one.channels != 1 else ""
    outside = "nearest pixel" if one.border is Border.EDGE else str(one.pad)
    return f"  input {one.name}: {range_text(one.range)}{channels}, outside {outside}"


def _value_line(program: RowProgram, position: int) -> str:
    value: RowValue = program.values[position]
    text = f"  v{position} = {_operation(program, value.op)}"
    line = f"    ; line {value.span.line}" if value.span.line else ""
    return f"{text:<36} {range_text(value.range)}{line}"


def _operation(program: RowProgram, op: RowOp) -> str:
    match op:
        case Read(input=number, channel=channel):
            one = program.inputs[number]
            return one.name if one.channels == 1 else f"{one.name}[{channel}]"
        case Constant(value=value):
            return str(value)
        case Shift(a=a, dy=dy, dx=dx):
            return f"v{a} at ({dy}, {dx})"
        case Binary(op=arithmetic, a=a, b=b):
            if arithmetic.value.isalpha():
                return f"{arithmetic}(v{a}, v{b})"
            return f"v{a} {arithmetic} v{b}"
        case Unary(op=sole, a=a):
            return f"{sole}(v{a})" if sole.value.isalpha() else f"{sole}v{a}"
        case Scale(a=a, amount=amount):
            return f"v{a} << {amount}" if amount >= 0 else f"v{a} >> {-amount}"
        case Compare(relation=relation, a=a, b=b, inverted=inverted):
            return f"v{a} {_INVERTED[relation] if inverted else relation} v{b}"
        case Select(condition=condition, a=a, b=b):
            return f"mux(v{condition}, v{a}, v{b})"
        case UserOp(name=name, body=body, cycles=cycles):
            return f"uop {name} -> v{body}, {cycles} cycles declared"
    assert_never(op)


def _result_line(one: RowOutput | RowTotal) -> str:
    values = ", ".join(f"v{position}" for position in one.values)
    match one:
        case RowOutput(range=found):
            return f"  output {one.name} = {values} as {range_text(found)}"
        case RowTotal(reduction=reduction):
            return f"  total {one.name} = {reduction} of {values}"
