"""The parameters of the layers that a module makes, read from its source: names and shapes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rftgym_triton_kernels.torchstatic import CannotTell, Drawn, Static

Made = dict[str, "Parameter"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: its shape, and around which value it is drawn."""

    shape: tuple[int, ...]
    centre: float = 0.0

    def specification(self) -> dict[str, Any]:
        """As an argument of a case: of such a size that sums over the inputs stay moderate."""
        fan_in = 1
        for size in self.shape[1:]:
            fan_in *= size
        scale = fan_in**-0.5 if len(self.shape) > 1 else 0.2
        said: dict[str, Any] = {"shape": list(self.shape), "scale": round(scale, 4)}
        return {**said, "offset": self.centre} if self.centre else said


_PARAMETERLESS: Final = (
    "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d AvgPool1d "
    "AvgPool2d AvgPool3d BCEWithLogitsLoss CELU ConstantPad1d ConstantPad2d CosineEmbeddingLoss "
    "CosineSimilarity CrossEntropyLoss ELU Flatten GELU GLU Hardshrink Hardsigmoid Hardswish Hardtanh "
    "HingeEmbeddingLoss HuberLoss Identity KLDivLoss L1Loss LeakyReLU LocalResponseNorm LogSigmoid "
    "LogSoftmax MSELoss MarginRankingLoss MaxPool1d MaxPool2d MaxPool3d Mish NLLLoss PairwiseDistance "
    "PixelShuffle ReLU ReLU6 ReflectionPad1d ReflectionPad2d SELU Sigmoid SiLU SmoothL1Loss Softmax "
    "Softmin Softplus Softshrink Softsign Tanh Tanhshrink TripletMarginLoss TripletMarginWithDistanceLoss "
    "Unfold Upsample ZeroPad2d "
)
PARAMETERLESS: Final = frozenset(_PARAMETERLESS.split())
RANDOM: Final = frozenset({"AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "RReLU"})


def _linear(said: Mapping[str, Any]) -> Made:
    wide, tall = said["in_features"], said["out_features"]
    return {"weight": Parameter((tall, wide)), **_bias(said, tall)}


def _convolution(dimensions: int, transposed: bool) -> Callable[[Mapping[str, Any]], Made]:
    def made(said: Mapping[str, Any]) -> Made:
        channels, out, size = said["in_channels"], said["out_channels"], said["kernel_size"]
        window = (size,) * dimensions if isinstance(size, int) else tuple(size)
        groups = said.get("groups", 1)
        first = (channels, out // groups) if transposed else (out, channels // groups)
        return {"weight": Parameter((*first, *window)), **_bias(said, out)}

    return made


def _norm(size: str, default: bool) -> Callable[[Mapping[str, Any]], Made]:
    def made(said: Mapping[str, Any]) -> Made:
        if not said.get("affine", said.get("elementwise_affine", default)):
            return {}
        shape = said[size] if isinstance(said[size], tuple) else (said[size],)
        return {"weight": Parameter(shape, 1.0), **_bias(said, *shape)}

    return made


def _bias(said: Mapping[str, Any], *shape: int) -> Made:
    return {"bias": Parameter(shape)} if said.get("bias", True) else {}


_CONVOLUTION: Final = "in_channels out_channels kernel_size stride padding dilation groups bias padding_mode"
_TRANSPOSED: Final = "in_channels out_channels kernel_size stride padding output_padding groups bias dilation"
LAYERS: Final[dict[str, tuple[str, Callable[[Mapping[str, Any]], Made]]]] = {
    "Linear": ("in_features out_features bias", _linear),
    "LayerNorm": ("normalized_shape eps elementwise_affine bias", _norm("normalized_shape", True)),
    "GroupNorm": ("num_groups num_channels eps affine", _norm("num_channels", True)),
    "Embedding": (
        "num_embeddings embedding_dim",
        lambda said: {"weight": Parameter((said["num_embeddings"], said["embedding_dim"]))},
    ),
    "PReLU": (
        "num_parameters init",
        lambda said: {"weight": Parameter((said.get("num_parameters", 1),), 0.25)},
    ),
    **{f"Conv{n}d": (_CONVOLUTION, _convolution(n, False)) for n in (1, 2, 3)},
    **{f"ConvTranspose{n}d": (_TRANSPOSED, _convolution(n, True)) for n in (1, 2, 3)},
    **{
        f"BatchNorm{n}d": ("num_features eps momentum affine", _norm("num_features", True)) for n in (1, 2, 3)
    },
    **{
        f"InstanceNorm{n}d": ("num_features eps momentum affine", _norm("num_features", False))
        for n in (1, 2, 3)
    },
}
"""Layers with parameters: names of the arguments in order, and the parameters that follow from them."""


def parameters(init: ast.FunctionDef | None, static: Static) -> Made:
    """The parameters that a module's ``__init__`` makes, by their dotted names.

    Args:
        init: the method; None where there is none.
        static: knows its arguments; what it stores in ``self`` is added.

    Raises:
        CannotTell: a layer is unknown or random, or a shape is not understood.
    """
    found: Made = {}
    for statement in init.body if init else []:
        match statement:
            case (
                ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=value)
                | ast.AnnAssign(
                    target=ast.Attribute(value=ast.Name(id="self"), attr=name), value=ast.expr() as value
                )
            ):
                made = _attribute(value, static)
                if made is None:
                    static.names[f"self.{name}"] = static.value(value)
                else:
                    found.update({f"{name}.{key}" if key else name: each for key, each in made.items()})
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                static.names[name] = static.value(value)
            case ast.Expr(value=ast.Constant() | ast.Call(func=ast.Attribute(attr="__init__"))) | ast.Pass():
                continue
            case _:
                raise CannotTell(
                    f"`{ast.unparse(statement).splitlines()[0][:60]}` in __init__ is not understood"
                )
    return found


def _attribute(value: ast.expr, static: Static) -> Made | None:
    """The parameters of what is stored in an attribute; None where it is a plain value."""
    if not isinstance(value, ast.Call):
        return None
    path = ast.unparse(value.func)
    name = path.rpartition(".")[2]
    if path in {"nn.Parameter", "torch.nn.Parameter"}:
        drawn = static.value(value.args[0])
        if not isinstance(drawn, Drawn):
            raise CannotTell("nn.Parameter of something that is not drawn")
        return {"": Parameter(drawn.shape, drawn.offset)}
    if not path.startswith(("nn.", "torch.nn.")):
        return None
    if name in RANDOM:
        raise CannotTell(f"nn.{name} is random")
    if name in PARAMETERLESS:
        return {}
    if name not in LAYERS:
        raise CannotTell(f"nn.{name} is not known here")
    order, made = LAYERS[name]
    said = dict(zip(order.split(), (static.value(each) for each in value.args), strict=False))
    said |= {keyword.arg: static.value(keyword.value) for keyword in value.keywords if keyword.arg}
    try:
        return made(said)
    except (KeyError, TypeError, ZeroDivisionError) as error:
        raise CannotTell(f"the arguments of nn.{name} are not understood") from error
