"""Colour as luminance and chroma, the way JPEG takes it apart (ITU-R BT.601).

Arrays are ``[B, C, H, W]``, or as said, in [0, 1].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
"""What red, green and blue give to the luminance; the original project's weights, too."""


def luminance(images: Any) -> Any:
    """``[B, 3, H, W]`` RGB -> ``[B, 1, H, W]``, of NumPy or of Torch."""
    return LUMA[0] * images[:, 0:1] + LUMA[1] * images[:, 1:2] + LUMA[2] * images[:, 2:3]


def to_ycc(rgb: Tensor) -> Tensor:
    """``[B, 3, H, W]`` RGB -> luminance in [0, 1] and the chroma planes Cb, Cr in [-0.5, 0.5]."""
    import torch

    y = luminance(rgb)
    return torch.cat([y, (rgb[:, 2:3] - y) / 1.772, (rgb[:, 0:1] - y) / 1.402], 1)


def to_rgb(ycc: Tensor) -> Tensor:
    """The inverse of `to_ycc`, not clamped."""
    import torch

    y, cb, cr = ycc.split(1, 1)
    red, blue = y + 1.402 * cr, y + 1.772 * cb
    return torch.cat([red, (y - LUMA[0] * red - LUMA[2] * blue) / LUMA[1], blue], 1)


def in_gamut(y: Tensor, chroma: Tensor) -> Tensor:
    """Luminance ``[B, 1, H, W]`` in [0, 1] and Cb, Cr ``[B, 2, H, W]`` -> RGB in [0, 1] of just this luminance.

    A colour that no screen has is made paler, at its hue; cutting off its channels one by one would change both.
    """
    import torch

    colour = to_rgb(torch.cat([y, chroma], 1)) - y
    room = torch.where(colour > 0, 1 - y, y)
    share = (room / colour.abs().clamp(min=1e-6)).amin(1, keepdim=True).clamp(max=1)
    return (y + share * colour).clamp(0, 1)
