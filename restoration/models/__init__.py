"""The models, one file each. A fourth one is one new file with a ``SPEC``."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from ..errors import ControlError
from ..types import ModelSpec
from ..weights.checkpoints import ORIGINALS


@cache
def models() -> Mapping[str, ModelSpec]:
    """Every model of this folder by its id, in alphabetical order; `ControlError` for a file without, or with a known
    one.
    """
    found: dict[str, ModelSpec] = {}
    files: dict[str, str] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_")):
        file, spec = f"{module}.py", getattr(importlib.import_module(f"{__name__}.{module}"), "SPEC", None)
        if not isinstance(spec, ModelSpec):
            raise ControlError("model_spec", file=file)
        if spec.id in found:
            raise ControlError("model_twice", file=file, other=files[spec.id], id=spec.id)
        found[spec.id], files[spec.id] = spec, file
    return found


def model(name: str) -> ModelSpec:
    """The model called ``name``, ours or the original project's; raises `ControlError` if there is none."""
    if name in ORIGINALS:
        from ._original import SPECS

        return SPECS[name]
    if name not in models():
        raise ControlError("model_unknown", name=name, choices=", ".join(models()))
    return models()[name]
