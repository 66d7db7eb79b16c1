"""Files that cannot be read as text are refused with the place and a remedy."""

from pathlib import Path

import pytest

from tdsl.diagnostics import CompileError, Diagnostic
from tdsl.frontend.parser import parse, read_source
from tdsl.frontend.reading import LARGEST_FILE


def _refused(path: Path) -> Diagnostic:
    with pytest.raises(CompileError) as caught:
        read_source(path)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.span.file == str(path)
    return diagnostic


@pytest.mark.parametrize(
    ("data", "code", "line", "column"),
    [
        (b"", "E0114", 1, 1),
        ("tnn 1\n# größer\n".encode("latin1"), "E0116", 2, 5),
        ("\ufefftnn 1\n# ä ".encode() + b"\xff", "E0116", 2, 5),
        ("tnn 1\n".encode("utf-16"), "E0116", 1, 1),
        (b"tnn 1\n\xe6\x97\xa5\0", "E0117", 2, 2),
        (b"#" * (LARGEST_FILE + 1), "E0115", 1, 1),
    ],
)
def test_bytes_that_are_no_source(
    tmp_path: Path, data: bytes, code: str, line: int, column: int
) -> None:
    path = tmp_path / "net.tnn"
    path.write_bytes(data)
    found = _refused(path)
    assert (found.code, found.span.line, found.span.column) == (code, line, column)


def test_the_offending_byte_is_named(tmp_path: Path) -> None:
    path = tmp_path / "net.tnn"
    path.write_bytes(b"\xef\xbb\xbftnn 1\n# \xff")
    assert _refused(path).primary.text == "byte 11 is 0xFF"


def test_a_large_file_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.tnn"
    path.write_bytes(b"#" * (LARGEST_FILE + 1))

    def opened(*_: object) -> bytes:
        raise AssertionError("the file was read")

    monkeypatch.setattr(Path, "read_bytes", opened)
    assert _refused(path).code == "E0115"


@pytest.mark.parametrize("name", ["missing.tnn", ".", "a\0b", "x" * 5000])
def test_paths_that_lead_to_no_file(tmp_path: Path, name: str) -> None:
    refused = _refused(tmp_path / name)
    assert (refused.code, refused.span.line, refused.span.column) == ("E0118", 1, 1)
    assert refused.helps


def test_the_largest_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "net.tnn"
    path.write_bytes(b"tnn 1\n" + b"#" * (LARGEST_FILE - 6))
    assert parse(read_source(path), path.name)[1] == ()


@pytest.mark.parametrize("data", [b"\xef\xbb\xbftnn 1\nconst A = 3\n", b"tnn 1\r\nconst A = 3\r\n"])
def test_a_byte_order_mark_and_carriage_returns_do_not_matter(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "net.tnn"
    path.write_bytes(data)
    module, diagnostics = parse(read_source(path), path.name)
    assert diagnostics == ()
    assert module.declarations == parse("tnn 1\nconst A = 3", "f")[0].declarations
