"""Reconstruction from a drawn latent, plus a KL term that is let in slowly."""

from __future__ import annotations

from torch import Tensor

from ..losses import content, kl_divergence
from . import Objective


class VAEObjective(Objective):
    def losses(self, degraded: Tensor, truth: Tensor, progress: float) -> dict[str, Tensor]:
        prediction, mean, log_variance = self.network.sample(degraded)  # type: ignore[operator]
        beta = self.settings["beta"] * min(1, progress / self.settings["beta_warmup"])
        kl = kl_divergence(mean, log_variance, self.settings["free_nats"])
        return {**content(prediction, truth, self.settings["chroma_weight"]), "kl": beta * kl}


OBJECTIVE = VAEObjective
