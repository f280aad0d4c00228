"""The base of every model: luminance is the evidence, colour the guess."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..colour import in_gamut, luminance
from ..types import SIDE
from .encoder import Encoder
from .tone import ToneEstimator, undo


def luminance_features(y: Tensor) -> Tensor:
    """``[B, 1, H, W]`` luminance -> ``[B, 3, H, W]``: the luminance, and each column's mean and deviation.

    These two help a network with a small receptive field to tell a vertical line, along which the column barely varies,
    from a lamp post. Of a photo higher than `SIDE` pixels, as many around each one count as a column.
    """
    mean = _along_columns(y)
    deviation = _along_columns((y - mean).abs())
    return torch.cat([y - 0.5, mean - 0.5, deviation], 1)


def _along_columns(values: Tensor) -> Tensor:
    """The mean of each pixel's column, or of the `SIDE` pixels of it that lie around the pixel."""
    rows = min(SIDE, values.shape[2])
    means = functional.avg_pool2d(values, (rows, 1), stride=1)
    return functional.pad(means, (0, 0, rows // 2, rows - 1 - rows // 2), mode="replicate")


@dataclass(frozen=True, kw_only=True)
class Light:
    """What a network makes of a luminance, not clamped; each ``[B, 1, H, W]``."""

    detail: Tensor  # without noise, blur, scratches and dust, as faded as it came
    restored: Tensor  # ``detail`` with the fading undone. No gradient of it reaches ``detail``
    seen: Sequence[Tensor]  # the encoder's features of ``restored``


class LuminanceNetwork(nn.Module):
    """What every model keeps, whatever its family: ``[B, 3, H, W]`` RGB in [0, 1] to the same, H and W multiples of 16.

    Only the luminance is read. Its detail is restored, as faded as it came; the fading is undone; the shared encoder
    looks at the result, and colours are guessed from what it sees. A whole photo needs each of these at another size.

    The config ``{"restore": {...}, "colour": {...}, "tone_width": 128}`` has the arguments of a family's two modules:

    - ``detail(**restore)`` maps the `luminance_features` of a luminance, ``[B, 3, H, W]``, to the restored one,
      ``[B, 1, H, W]``, as faded as it came.
    - ``colouriser(**colour)`` maps a restored luminance ``[B, 1, H, W]`` in [0, 1], and the encoder's features of it
      (``CHANNELS`` wide, at strides 4, 8, 16 and 32 of a somewhat larger photo), to Cb, Cr ``[B, 2, H, W]``.

    The last layer of each is called ``head``, begins at zero (`zero_init`), so that an untrained network returns grey,
    and learns by an optimiser of its own. Neither's loss reaches the other. The ``encoder`` is one file for all.

    A photo is restored as it is and mirrored, and the mean is the result: closer to the truth, for twice the time
    (geometric self-ensemble; Lim et al. 2017, "Enhanced deep residual networks for single image super-resolution").
    """

    def __init__(
        self,
        detail: Callable[..., nn.Module],
        colouriser: Callable[..., nn.Module],
        *,
        restore: Mapping[str, Any],
        colour: Mapping[str, Any],
        tone_width: int,
    ) -> None:
        super().__init__()
        self.detail = detail(**restore)
        self.colouriser = colouriser(**colour)
        self.tone = ToneEstimator(width=tone_width)
        self.encoder = Encoder()

    def heads(self) -> list[nn.Module]:
        """The last layer of each module that the family supplies."""
        return [part.get_submodule("head") for part in (self.detail, self.colouriser)]

    def light(self, y: Tensor) -> Light:
        """``[B, 1, H, W]`` degraded luminance in [0, 1] -> the restored one, not mirrored: what training looks at."""
        detail = self.detail(luminance_features(y))
        found = detail.detach().clamp(0, 1)
        restored = undo(self.tone(found), found)
        return Light(detail=detail, restored=restored, seen=self.encoder(restored))

    def restored(self, y: Tensor) -> Tensor:
        """``[B, 1, H, W]`` degraded luminance in [0, 1] -> the restored one, in detail and tone, in [0, 1]."""
        detail = flip_ensemble(self.detail, luminance_features(y)).clamp(0, 1)
        return undo(self.tone(detail), detail)

    def chroma(self, y: Tensor) -> Tensor:
        """``[B, 1, H, W]`` restored luminance in [0, 1] -> Cb, Cr ``[B, 2, H, W]`` that it may have had."""
        return flip_ensemble(lambda each: self.colouriser(each, self.encoder(each)), y)

    def forward(self, images: Tensor) -> Tensor:
        y = self.restored(luminance(images))
        return in_gamut(y, self.chroma(y))


class SamplingNetwork(LuminanceNetwork, ABC):
    """A network that knows several answers: its ``SPEC`` declares ``samples``."""

    @abstractmethod
    def draw_chroma(self, y: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """One restored luminance ``[1, 1, H, W]`` -> ``count`` guesses of Cb, Cr, ``[count, 2, H, W]``.

        ``generator`` is on the CPU, so that a seed gives the same guesses on every device.
        """

    def draw(self, image: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """One photo ``[1, 3, H, W]`` in [0, 1] -> ``[count, 3, H, W]``, alike in luminance."""
        y = self.restored(luminance(image))
        return in_gamut(y.expand(count, -1, -1, -1), self.draw_chroma(y, count, generator))


def flip_ensemble(predict: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """The mean of what ``predict`` makes of a batch and, turned back, of its mirror image."""
    both = predict(torch.cat([images, images.flip(3)]))
    half = len(both) // 2  # chunk(2) is what ONNX cannot say of a batch of any size
    return (both[:half] + both[half:].flip(3)) / 2


def convolution(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, dilation: int = 1) -> nn.Conv2d:
    """A convolution padded so that the output's side is the input's, divided by the stride."""
    padding = (dilation * (kernel - 1) - stride + 2) // 2
    return nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation)


def layer(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """A `convolution`, batch normalisation and a leaky ReLU."""
    conv = convolution(inputs, outputs, kernel, stride)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2, inplace=True))


class Residual(nn.Module):
    """Conv, BatchNorm, ReLU, Conv, BatchNorm, add, ReLU: the original project's block."""

    def __init__(self, width: int, dilation: int = 1, momentum: float = 0.1) -> None:
        super().__init__()
        self.first, self.second = convolution(width, width, dilation=dilation), convolution(width, width)
        self.norms = nn.ModuleList([nn.BatchNorm2d(width, momentum=momentum) for _ in range(2)])

    def forward(self, features: Tensor) -> Tensor:
        inner = functional.relu(self.norms[0](self.first(features)), inplace=True)
        return functional.relu(features + self.norms[1](self.second(inner)), inplace=True)


def zero_init(layer: nn.Module) -> nn.Module:
    """A last layer that starts at zero: an untrained network returns its luminance in grey."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


def resized(features: Tensor, like: Tensor) -> Tensor:
    """``features`` at the height and width of ``like``, bilinear."""
    return functional.interpolate(features, size=like.shape[2:], mode="bilinear", align_corners=False)


class SubpixelHead(nn.Module):
    """Features at half size -> planes at full size (Shi et al. 2016, "Real-time single image super-resolution ...")."""

    def __init__(self, inputs: int, planes: int) -> None:
        super().__init__()
        self.conv = zero_init(convolution(inputs, 4 * planes))
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, features: Tensor) -> Tensor:
        return self.shuffle(self.conv(features))
