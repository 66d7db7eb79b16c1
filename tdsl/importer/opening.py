"""A path -> the model in it, if the extra that reads such files is installed."""

from pathlib import Path

from tdsl.importer.model import OnnxModel
from tdsl.refusal import refusal

EXTRA = ("onnx", "google", "onnxruntime")
"""The packages of the extra, as they are imported."""


def open_model(path: Path) -> OnnxModel:
    """Read a model. Raises CompileError: E0901 without the extra, E0902 for a damaged file."""
    try:
        from tdsl.importer.reading import read_model
    except ModuleNotFoundError as error:
        raise missing_extra(error) from error
    return read_model(path)


def missing_extra(error: ModuleNotFoundError) -> Exception:
    """E0901 where a package of the extra is missing; another module is our own mistake."""
    name = (error.name or "").partition(".")[0]
    if name not in EXTRA:
        return error
    return refusal(
        "E0901",
        f"reading ONNX files needs the package `{name}`, which is not installed",
        remedy="pip install 'tdsl[onnx]'",
    )
