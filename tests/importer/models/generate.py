# type: ignore
"""Makes the `.onnx` files of this folder and the integers that qonnx computes with them.

Run by hand, not by the tests: `python tests/importer/models/generate.py`, in an environment with
PyTorch 2.13, Brevitas 0.13 (`pip install 'brevitas[export]'`), qonnx 1.0 and onnx 1.17. For each
variant and each of the two exporters it writes `NAME.onnx` and `NAME.npz`, which holds `seed` and
`outputs`: what qonnx computes, in float32, for the 1,000 images that `tests/importer/images.py`
makes of the seed. The networks are untrained. Their batch normalisations have random statistics,
and some factors are negative, one is zero.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import brevitas.nn as qnn
import numpy as np
import onnx
import torch
from brevitas.core.bit_width import BitWidthImplType
from brevitas.core.scaling import ScalingImplType
from brevitas.core.stats import StatsOp
from brevitas.core.zero_point import ZeroZeroPoint
from brevitas.export import export_qonnx
from brevitas.inject import ExtendedInjector
from brevitas.inject.enum import FloatToIntImplType, QuantType, RestrictValueType
from brevitas.quant import (
    SignedBinaryActPerTensorConst,
    SignedBinaryWeightPerTensorConst,
    SignedTernaryActPerTensorConst,
    SignedTernaryWeightPerTensorConst,
)
from brevitas.quant.solver import ActQuantSolver, WeightQuantSolver
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes
from torch import nn

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2]))

from tests.importer.images import images  # noqa: E402

SEED = 20


class Common(ExtendedInjector):
    """What all quantisers share."""

    bit_width_impl_type = BitWidthImplType.CONST
    restrict_scaling_type = RestrictValueType.FP
    float_to_int_impl_type = FloatToIntImplType.ROUND
    zero_point_impl = ZeroZeroPoint
    scaling_per_output_channel = False
    narrow_range = True
    signed = True


class ConstWeight(Common, WeightQuantSolver):
    """Ternary with the constant scale 0.1."""

    quant_type = QuantType.TERNARY
    threshold = 0.5
    scaling_impl_type = ScalingImplType.CONST
    scaling_init = 0.1


class ConstAct(Common, ActQuantSolver):
    """Ternary with the constant scale 1."""

    quant_type = QuantType.TERNARY
    threshold = 0.5
    scaling_impl_type = ScalingImplType.CONST
    scaling_init = 1.0
    min_val = -1.0
    max_val = 1.0


class StatsWeight(ConstWeight):
    """Ternary with the mean of each output channel as scale."""

    scaling_impl_type = ScalingImplType.STATS
    scaling_stats_op = StatsOp.AVE
    scaling_per_output_channel = True


class LearnedWeight(ConstWeight):
    """Ternary with a learned scale a channel."""

    scaling_impl_type = ScalingImplType.PARAMETER_FROM_STATS
    scaling_stats_op = StatsOp.AVE
    scaling_per_output_channel = True


class LearnedAct(ConstAct):
    """Ternary with a learned scale."""

    scaling_impl_type = ScalingImplType.PARAMETER
    scaling_init = 0.73


class Int2Weight(Common, WeightQuantSolver):
    """Two bits, narrow: the same three levels."""

    quant_type = QuantType.INT
    bit_width = 2
    scaling_impl_type = ScalingImplType.STATS
    scaling_stats_op = StatsOp.AVE
    scaling_per_output_channel = True


class Int2Act(Common, ActQuantSolver):
    """Two bits, narrow."""

    quant_type = QuantType.INT
    bit_width = 2
    scaling_impl_type = ScalingImplType.CONST
    scaling_init = 1.0
    min_val = -1.0
    max_val = 1.0


class Int4Weight(Int2Weight):
    """Four bits a channel."""

    bit_width = 4
    scaling_stats_op = StatsOp.MAX


class UintAct(Common, ActQuantSolver):
    """Unsigned, for ReLU."""

    quant_type = QuantType.INT
    signed = False
    narrow_range = False
    scaling_impl_type = ScalingImplType.CONST
    scaling_init = 1.5
    min_val = 0.0
    max_val = 1.5


class Pixels(UintAct):
    """Eight bits for images of 0 to 1."""

    bit_width = 8
    scaling_init = 1.0
    max_val = 1.0


Weight = type[ExtendedInjector]
Act = Callable[[], nn.Module]


def identity(quantiser: type[ExtendedInjector]) -> Act:
    """An activation without ReLU."""
    return lambda: qnn.QuantIdentity(act_quant=quantiser)


def relu(bits: int) -> Act:
    """A ReLU of few bits."""
    return lambda: qnn.QuantReLU(act_quant=UintAct, bit_width=bits)


def plain(weight: Weight, act: Act, *, bias: bool = False) -> nn.Module:
    """Two convolutions, a pooling, and a linear layer."""
    return nn.Sequential(
        qnn.QuantIdentity(act_quant=Pixels),
        qnn.QuantConv2d(1, 8, 3, padding=1, bias=bias, weight_quant=weight),
        nn.BatchNorm2d(8),
        act(),
        nn.MaxPool2d(2),
        qnn.QuantConv2d(8, 8, 3, padding=1, stride=1, bias=bias, weight_quant=weight),
        nn.BatchNorm2d(8),
        act(),
        nn.Flatten(),
        qnn.QuantLinear(8 * 16, 10, bias=bias, weight_quant=weight),
    )


class Branches(nn.Module):
    """A residual sum, a concatenation, grouped weights, an average and a pixel shuffle."""

    def __init__(self) -> None:
        super().__init__()
        self.pixels = qnn.QuantIdentity(act_quant=Pixels)
        self.stem = qnn.QuantConv2d(1, 8, 3, padding=1, bias=False, weight_quant=Int2Weight)
        self.norm = nn.BatchNorm2d(8)
        self.shared = qnn.QuantIdentity(act_quant=Int2Act)
        self.deep = qnn.QuantConv2d(
            8, 8, 3, padding=1, groups=2, bias=False, weight_quant=Int2Weight
        )
        self.deep_norm = nn.BatchNorm2d(8)
        self.sum = qnn.QuantIdentity(act_quant=Int2Act)
        self.wide = qnn.QuantConv2d(16, 8, (3, 2), stride=2, bias=False, weight_quant=Int4Weight)
        self.wide_norm = nn.BatchNorm2d(8)
        self.act = qnn.QuantReLU(act_quant=UintAct, bit_width=4)
        self.shuffle = nn.PixelShuffle(2)
        self.average = nn.AvgPool2d(2)
        self.score = qnn.QuantLinear(2 * 3 * 4, 10, bias=True, weight_quant=Int2Weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores."""
        first = self.shared(self.norm(self.stem(self.pixels(x))))
        second = self.shared(self.deep_norm(self.deep(first)))
        total = self.sum(first + second)
        both = torch.cat([total, first], dim=1)
        small = self.act(self.wide_norm(self.wide(both)))
        return self.score(self.average(self.shuffle(small)).flatten(1))


VARIANTS: dict[str, Callable[[], nn.Module]] = {
    "ternary_const": lambda: plain(ConstWeight, identity(ConstAct)),
    "ternary_stats": lambda: plain(StatsWeight, identity(ConstAct), bias=True),
    "ternary_learned": lambda: plain(LearnedWeight, identity(LearnedAct)),
    "int2_narrow": lambda: plain(Int2Weight, identity(Int2Act)),
    "signed_ternary": lambda: plain(
        SignedTernaryWeightPerTensorConst, identity(SignedTernaryActPerTensorConst)
    ),
    "relu2": lambda: plain(Int2Weight, relu(2)),
    "bits4": lambda: plain(Int4Weight, relu(4), bias=True),
    "binary": lambda: plain(
        SignedBinaryWeightPerTensorConst, identity(SignedBinaryActPerTensorConst)
    ),
    "branches": Branches,
}


def randomise(model: nn.Module) -> None:
    """Weights and statistics as training might leave them, some factors negative, one zero."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            module.weight.data[1::3] *= -1
            module.weight.data[3] = 0
            nn.init.uniform_(module.bias, -0.7, 0.7)
            nn.init.normal_(module.running_mean, 0, 0.3)
            nn.init.uniform_(module.running_var, 0.05, 0.4)
        if isinstance(module, qnn.QuantConv2d | qnn.QuantLinear):
            nn.init.normal_(module.weight, 0, 0.12)
            if module.bias is not None:
                nn.init.uniform_(module.bias, -0.3, 0.3)


def executed(path: Path) -> Iterator[np.ndarray]:
    """What qonnx computes for each image."""
    wrapped = ModelWrapper(str(path)).transform(InferShapes())
    name, result = wrapped.graph.input[0].name, wrapped.graph.output[0].name
    constants = {one.name for one in wrapped.graph.initializer}
    name = next(one.name for one in wrapped.graph.input if one.name not in constants)
    for image in images(SEED):
        yield execute_onnx(wrapped, {name: image[None]})[result][0]


def strip(path: Path) -> None:
    """Leave out the exporters' notes about the Python that made each node."""
    model = onnx.load(str(path))
    for one in (*model.graph.node, *model.graph.value_info, *model.graph.input):
        del one.metadata_props[:]
        one.doc_string = ""
    del model.graph.metadata_props[:]
    onnx.save(model, str(path))


def main() -> None:
    """Write the files of the variants named on the command line, or of all."""
    for number, (name, build) in enumerate(VARIANTS.items()):
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        torch.manual_seed(number)
        model = build().eval()
        randomise(model)
        for dynamo in (True, False):
            path = HERE / f"{name}_{'dynamo' if dynamo else 'script'}.onnx"
            export_qonnx(model, torch.zeros(1, 1, 8, 8), str(path), dynamo=dynamo)
            strip(path)
            outputs = np.stack(list(executed(path)))
            np.savez_compressed(path.with_suffix(".npz"), seed=SEED, outputs=outputs)
            print(path.name, path.stat().st_size, outputs.shape, float(np.abs(outputs).max()))


if __name__ == "__main__":
    main()
