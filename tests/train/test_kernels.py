"""A network with a kernel has no trainable twin, and is told so."""

from pathlib import Path
from typing import Any

import pytest

from tdsl.diagnostics import CompileError

torch: Any = pytest.importorskip("torch")
from tdsl.train import twin  # noqa: E402


def test_a_kernel_has_no_gradient(tmp_path: Path) -> None:
    (tmp_path / "kernels.py").write_text(
        "@kernel\ndef half(a: U8[L]) -> U8[L]:\n    return a >> 1\n", "utf-8"
    )
    file = tmp_path / "net.tnn"
    file.write_text(
        'tnn 1\nkernel half from "kernels.py"\n'
        "network net(img: u8[1, 4, 4]) -> u8[1, 4, 4] {\n    return half(img)\n}\n",
        "utf-8",
    )
    with pytest.raises(CompileError) as caught:
        twin(file)(torch.zeros(1, 1, 4, 4))
    (found,) = caught.value.diagnostics
    assert found.code == "E0803"
    assert "`half`" in found.message
