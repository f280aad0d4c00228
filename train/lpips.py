"""LPIPS (Zhang et al. 2018) by its own package, on SqueezeNet: a score, never a loss."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from restoration import Photo, image


class Lpips:
    """The perceptual distance of two photos; 0 is equal.

    ``files`` is a folder with SqueezeNet 1.1 and LPIPS's heads, or ``download``: torchvision fetches the network then.
    """

    def __init__(self, files: str | Path) -> None:
        import lpips

        if files == "download":
            self.network = lpips.LPIPS(net="squeeze", verbose=False)
        else:
            heads = Path(files) / "lpips_v0.1_squeeze_lin.pth"
            self.network = lpips.LPIPS(net="squeeze", pnet_rand=True, model_path=str(heads), verbose=False)
            backbone = load_file(Path(files) / "squeezenet1_1_torchvision.fp16.safetensors")
            # lpips cuts torchvision's `features` into slices: features.3 is slice2.3 there.
            own = {name: backbone[f"features.{name.split('.', 1)[1]}"] for name in self.network.net.state_dict()}
            self.network.net.load_state_dict(own)
        self.network.eval()

    @torch.inference_mode()
    def __call__(self, photos: list[Photo], truth: Photo) -> np.ndarray:
        """The distance of each photo to ``truth``, float ``[len(photos)]``."""
        reference = image.to_tensor([truth]).expand(len(photos), -1, -1, -1)
        return self.network(image.to_tensor(photos), reference, normalize=True).flatten().numpy()
