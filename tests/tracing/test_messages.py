"""Every message about Python networks: its code, its line and column, its text, its edits."""

import re
from pathlib import Path

import pytest

from tdsl.diagnostics import CompileError
from tdsl.resources import PACKAGE
from tests.conftest import Golden
from tests.frontend.check_files import write_files
from tests.frontend.expectations import Place, places
from tests.tracing.message_cases import CASES
from tests.tracing.sources import traced, untrained

FLAT = [
    pytest.param(code, text, id=f"{code}-{i}")
    for code, texts in CASES.items()
    for i, text in enumerate(texts)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trace")
    write_files(folder)
    return folder


def failure(text: str, folder: Path) -> CompileError:
    with pytest.raises(CompileError) as caught:
        traced(text, folder)
    return caught.value


def marked(text: str) -> tuple[str, int, int]:
    """The text without its mark, and where the mark stood."""
    before, _, after = text.partition("«")
    return before + after, before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1


@pytest.mark.parametrize(("code", "text"), FLAT)
def test_one_mistake_gives_one_message_at_its_place(code: str, text: str, folder: Path) -> None:
    source, line, column = marked(text)
    error = failure(source, folder)
    assert places(error.diagnostics) == [Place(line, column, code)], str(error)


@pytest.mark.parametrize("code", CASES)
def test_messages_read_as_before(code: str, folder: Path, golden: Golden) -> None:
    texts = [str(failure(marked(text)[0], folder)) for text in CASES[code]]
    golden("messages_python", code, "\n\n".join(texts).replace(str(folder), "FOLDER") + "\n")


@pytest.mark.parametrize("number", [0, 1])
def test_suggested_conditions_mend_the_source(number: int, folder: Path) -> None:
    source = marked(CASES["E0302"][number])[0]
    (diagnostic,) = failure(source, folder).diagnostics
    where = re.search(r"`(where=.*)`", diagnostic.helps[-1])
    assert where is not None
    mended = re.sub(r"@network\(.*\)", f"@network({where[1]})", source)
    assert untrained(mended, folder).graph.where


def test_a_suggested_skip_mends_the_source(folder: Path) -> None:
    source = marked(CASES["E0301"][0])[0]
    (diagnostic,) = failure(source, folder).diagnostics
    help_text = re.search(r"`(\..*)`", diagnostic.helps[0])
    assert help_text is not None
    mended = source.replace("f, x)", f"f, x{help_text[1]})")
    assert untrained(mended, folder).graph.nodes[-1].name == "mux"


def test_a_suggested_accumulator_mends_the_source(folder: Path) -> None:
    source = marked(CASES["E0304"][0])[0]
    (diagnostic,) = failure(source, folder).diagnostics
    acc = re.search(r"`(acc=\w+)`", diagnostic.helps[0])
    assert acc is not None
    assert untrained(source.replace("acc=i4", acc[1]).replace("good.npz", "none.npz"), folder)


def test_a_label_mends_a_second_use(folder: Path) -> None:
    source = marked(CASES["E0203"][1])[0].replace("good.npz", "none.npz")
    mended = source.replace("conv(4, 3)", 'conv(4, 3, label=f"a[{i}]")')
    assert [node.name for node in untrained(mended, folder).graph.nodes] == ["x", "a[0]", "c"]


def test_every_code_of_python_networks_has_cases() -> None:
    files = [
        *(PACKAGE / "tracing").glob("*.py"),
        PACKAGE / "decorators.py",
        PACKAGE / "api.py",
    ]
    used = {code for file in files for code in re.findall(r'"(N01\d\d)"', file.read_text("utf-8"))}
    assert used - set(CASES) == {"N0105"}, "code without a source is tested in test_notebooks.py"
