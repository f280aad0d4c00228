"""The eyes that all models share: EfficientNet-Lite0, which learned on ImageNet what things are.

It is frozen, in ``weights/encoder.safetensors``, so that models differ in what they make of what they see.
`train.encoder` writes the file: batch normalisation folded into the convolutions, and RGB into luminance.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

ENCODER_WEIGHTS = "encoder.safetensors"
CHANNELS = (24, 40, 112, 320)  # of the features at strides 4, 8, 16 and 32 of what the encoder sees
# Expansion, width, blocks, kernel, stride of each stage (Tan and Le 2019, "EfficientNet"; Lite is Google's variant for
# small devices, without squeeze-and-excitation and with ReLU6).
_STAGES = (
    (1, 16, 1, 3, 1),
    (6, 24, 2, 3, 2),
    (6, 40, 2, 5, 2),
    (6, 80, 3, 3, 2),
    (6, 112, 3, 5, 1),
    (6, 192, 4, 5, 2),
    (6, 320, 1, 3, 1),
)
_STEM = 32
_SEEN_AFTER = (1, 2, 4, 6)  # the stages whose features are handed on
_ENLARGED = 1.25
"""By how much a photo is enlarged before it is looked at: 160 pixels for 128, nearer to what ImageNet's photos were."""


class _Convolution(nn.Conv2d):
    """TensorFlow's padding: where a stride leaves an odd number of pixels to add, the odd one is right and below."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(
            inputs, outputs, kernel, stride, padding=(kernel - 1) // 2 if stride == 1 else 0, groups=groups
        )
        self.border = ((kernel - stride) // 2, (kernel - stride + 1) // 2) if stride > 1 else None

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(functional.pad(features, self.border * 2) if self.border else features)


class _Block(nn.Module):
    """MBConv: widen, look around channel by channel, narrow (Sandler et al. 2018, "MobileNetV2")."""

    def __init__(self, inputs: int, outputs: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        wide = expansion * inputs
        self.expand = nn.Sequential(*((_Convolution(inputs, wide, 1), nn.ReLU6()) if expansion > 1 else ()))
        self.depthwise = _Convolution(wide, wide, kernel, stride, groups=wide)
        self.project = _Convolution(wide, outputs, 1)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, features: Tensor) -> Tensor:
        narrow = self.project(functional.relu6(self.depthwise(self.expand(features))))
        return features + narrow if self.residual else narrow


def _stage(inputs: int, expansion: int, width: int, blocks: int, kernel: int, stride: int) -> nn.Sequential:
    layers = [_Block(inputs, width, expansion, kernel, stride)]
    layers += [_Block(width, width, expansion, kernel, 1) for _ in range(blocks - 1)]
    return nn.Sequential(*layers)


class Encoder(nn.Module):
    """``[B, 1, H, W]`` luminance in [0, 1] -> features at strides 4, 8, 16 and 32 of the photo enlarged to the nearest
    multiple of 32 of 1.25 its sides, ``CHANNELS`` wide. Never learns.

    Every photo is brought to the brightness and contrast of the average photo first, as ImageNet shows few faded ones.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Convolution(1, _STEM, 3, 2)
        widths = [_STEM, *(stage[1] for stage in _STAGES)]
        self.stages = nn.ModuleList(_stage(a, *stage) for a, stage in zip(widths, _STAGES, strict=False))
        self.requires_grad_(False)

    def forward(self, y: Tensor) -> list[Tensor]:
        with torch.no_grad():
            size = [max(1, round(_ENLARGED * side / 32)) * 32 for side in y.shape[2:]]
            y = functional.interpolate(y, size=size, mode="bilinear", align_corners=False)
            mean = y.mean((2, 3), keepdim=True)
            deviation = (y - mean).square().mean((2, 3), keepdim=True).sqrt()
            features = functional.relu6(self.stem(0.5 * (y - mean) / (deviation + 0.02)))
            seen: list[Tensor] = []
            for number, stage in enumerate(self.stages):
                features = stage(features)
                if number in _SEEN_AFTER:
                    seen.append(features)
            return seen
