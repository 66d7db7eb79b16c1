"""`kernel absdiff from "kernels.py"` -> an operation; the file is read and never run."""

from pathlib import Path

from tdsl.diagnostics import CompileError
from tdsl.frontend import syntax
from tdsl.frontend.kernel_operators import kernel_operator
from tdsl.frontend.operators import Operator
from tdsl.frontend.reports import Rejected, Reports
from tdsl.frontend.spelling import closest
from tdsl.kernels.files import KernelFile, read_kernels
from tdsl.kernels.specialize import look_over


def declared_kernel(
    kernel: syntax.Kernel, directory: Path, reports: Reports, sources: dict[str, str]
) -> Operator:
    """The operation that a declaration takes in. Raises Rejected after reporting."""
    found = _opened(kernel, directory, reports)
    sources[found.file.name] = found.file.text
    name = kernel.name.text
    if name not in found.names:
        near = closest(name, found.names)
        listed = ", ".join(f"`{one}`" for one in found.names) or "none"
        raise reports.reject(
            "E0201",
            f"`{kernel.path.value}` holds no kernel `{name}`",
            kernel.name.span,
            f"did you mean `{near}`?" if near else "not found",
            notes=(f"its kernels are: {listed}",),
            helps=("a kernel is a function under `@kernel`",),
        )
    try:
        definition = found.find(name)
        look_over(definition)
    except CompileError as error:
        sources.update(error.sources)
        for diagnostic in error.diagnostics:
            reports.add(diagnostic)
        raise Rejected from error
    return kernel_operator(definition, (kernel.alias or kernel.name).text)


def _opened(kernel: syntax.Kernel, directory: Path, reports: Reports) -> KernelFile:
    path = directory / kernel.path.value
    try:
        return read_kernels(path, str(path))
    except SyntaxError as error:
        reason = f"line {error.lineno}: {error.msg}"
    except OSError as error:
        reason = error.strerror or str(error)
    except (ValueError, RuntimeError) as error:
        reason = str(error)
    raise reports.reject(
        "E0206",
        f"`{kernel.path.value}` cannot be used: {reason}",
        kernel.path.span,
        helps=("name a Python file, by its path from the folder of this one",),
    )
