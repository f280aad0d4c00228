"""The models, one file each. A fourth one is one new file with a ``SPEC``."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from ..checkpoints import ORIGINALS
from ..types import ControlError, ModelSpec


@cache
def models() -> Mapping[str, ModelSpec]:
    """Every model of this folder by its id, in alphabetical order."""
    found: dict[str, ModelSpec] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_")):
        spec = importlib.import_module(f"{__name__}.{module}").SPEC
        if spec.id in found:
            raise RuntimeError(f"two files in {__name__} define the model {spec.id!r}")
        found[spec.id] = spec
    return found


def model(name: str) -> ModelSpec:
    """The model called ``name``, ours or the original project's; raises `ControlError` if there is none."""
    if name in ORIGINALS:
        from ._original import SPECS

        return SPECS[name]
    if name not in models():
        choices = ", ".join(models())
        raise ControlError(
            "model_unknown", "There is no model called {name!r}; choose from {choices}.", name=name, choices=choices
        )
    return models()[name]
