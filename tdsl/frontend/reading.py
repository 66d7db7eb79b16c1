"""Path -> text of a source file, or a diagnostic of why the file cannot be read."""

from pathlib import Path

from tdsl.diagnostics import CompileError, Diagnostic, Label
from tdsl.source import Span

LARGEST_FILE = 1 << 20
"""Bytes; a larger file is refused unread."""

_OTHER_ENCODINGS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"PK": "a zip archive"}


def read_source(path: Path) -> str:
    """Return the text of a UTF-8 file, without a byte order mark.

    Raises CompileError if the file is missing, empty, too large, or no UTF-8 text.
    """
    data = _read_bytes(path)
    if not data:
        raise _refused(path, "E0114", "the file is empty", help_text="start it with `tnn 1`")
    for lead, kind in _OTHER_ENCODINGS.items():
        if data.startswith(lead):
            raise _refused(path, "E0116", f"the file is {kind}, not UTF-8 text", help_text=_SAVE)
    if b"\0" in data:
        raise _at_byte(path, data, data.index(b"\0"), "E0117", "the file holds a NUL byte")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        offset = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        raise _at_byte(path, data, offset, "E0116", "the file is not UTF-8 text") from None


_SAVE = "save it as UTF-8 text"
_NAME = "give the path of a `.tnn` file that you may read"


def _read_bytes(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise _refused(path, "E0118", "this is a folder, not a file", help_text=_NAME)
        if path.exists() and not path.is_file():
            raise _refused(path, "E0118", "this is a device, not a file", help_text=_NAME)
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise _refused(
                path,
                "E0115",
                f"the file is too large: {size} bytes, at most {LARGEST_FILE} are read",
                help_text="keep weights in `.npz` or `.safetensors` files beside it",
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise _refused(path, "E0118", "there is no such file", help_text=_NAME) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _refused(
            path, "E0118", f"the file cannot be read: {reason}", help_text=_NAME
        ) from None


def _refused(path: Path, code: str, message: str, *, help_text: str = "") -> CompileError:
    top = Span(file=str(path), line=1, column=1, end_line=1, end_column=1)
    helps = (help_text,) if help_text else ()
    return CompileError([Diagnostic(code=code, message=message, primary=Label(top), helps=helps)])


def _at_byte(path: Path, data: bytes, offset: int, code: str, message: str) -> CompileError:
    before = data[:offset].decode("utf-8-sig", errors="replace").split("\n")
    line, column = len(before), len(before[-1]) + 1
    span = Span(file=str(path), line=line, column=column, end_line=line, end_column=column + 1)
    text = data.decode("utf-8-sig", errors="replace")
    return CompileError(
        [
            Diagnostic(
                code=code,
                message=message,
                primary=Label(span, f"byte {offset} is 0x{data[offset]:02X}"),
                helps=(_SAVE,),
            )
        ],
        {str(path): text},
    )
