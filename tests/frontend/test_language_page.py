"""docs/language.md: its files are sound, and it defines every operation with its arguments."""

import re

import pytest

from tdsl.frontend.checker import check_module
from tdsl.frontend.operators import OPERATORS, Operator
from tdsl.frontend.parser import parse
from tests.frontend.expectations import HERE

PAGE = (HERE.parents[1] / "docs" / "language.md").read_text("utf-8")
SNIPPETS = re.findall(r"```tnn\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("text", SNIPPETS)
def test_files_of_the_page_are_sound(text: str) -> None:
    module, mistakes = parse(text, "page.tnn")
    assert not mistakes
    check_module(module, HERE, require_weights=False)


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=lambda operator: operator.name)
def test_every_operation_is_defined_with_its_arguments(operator: Operator) -> None:
    written = re.search(rf"\| `{operator.name}(?:\((.*?)\))?`|, `{operator.name}`", PAGE)
    assert written is not None
    told = [part.partition(" =")[0] for part in (written[1] or "").split(", ") if part]
    wanted = [p.name for p in operator.parameters if p.name != "x"]
    assert told == (["a", "b", "..."] if operator.variadic else wanted)
