"""The JSON that replays a run: what was done to a photo, with what, and under which library versions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .degradations import Degradation, checked_seed
from .outputs import read_report
from .types import ControlError, Upscaling

SCHEMA = 2


@cache
def library_versions() -> Mapping[str, str]:
    """The libraries whose versions decide pixels."""
    return {name: version(name) for name in ("torch", "numpy", "pillow")}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One run. ``degradation`` and ``seed`` are None where the photo came damaged already."""

    fit: str = "crop"
    degradation: Degradation | None = None
    seed: int | None = None
    model: str | None = None
    weights_sha256: str | None = None
    upscaling: Upscaling | None = None
    versions: Mapping[str, str] = field(default_factory=library_versions)

    def __post_init__(self) -> None:
        texts = {"fit": self.fit, "model": self.model, "weights_sha256": self.weights_sha256}
        for name, value in texts.items():
            if not isinstance(value, str | None):
                raise ControlError(f"The recipe's {name} must be a text, not {value!r}.")
        if self.seed is not None:
            checked_seed(self.seed)

    def to_json(self) -> dict[str, Any]:
        return {"schema": SCHEMA, **asdict(self), "versions": dict(self.versions)}

    @classmethod
    def from_json(cls, values: Any) -> Recipe:
        """The inverse of `to_json`; `ControlError` for what is no recipe, or one of another schema."""
        if not isinstance(values, dict) or "schema" not in values:
            raise ControlError("This is not a recipe; use the JSON that a report or the app gives.")
        values = dict(values)
        if (schema := values.pop("schema")) != SCHEMA:
            raise ControlError(f"This recipe has schema {schema!r}, but this program reads {SCHEMA}; update it.")
        if unknown := sorted(set(values) - {each.name for each in fields(cls)}):
            raise ControlError(f"This recipe has a field {unknown[0]!r} that this version does not know; update it.")
        degradation = values.pop("degradation", None)
        if degradation is not None:
            if not isinstance(degradation, dict):
                raise ControlError("The recipe's degradation must be an object of control names and numbers.")
            degradation = Degradation.from_mapping(degradation)
        upscaling = values.pop("upscaling", None)
        if upscaling is not None:
            try:
                upscaling = Upscaling(**upscaling)
            except TypeError as error:
                raise ControlError(f"The recipe's upscaling is not one ({error}); use a report's JSON.") from error
            if upscaling.scale not in (2, 4):
                raise ControlError(f"The recipe's scale must be 2 or 4, not {upscaling.scale!r}.")
        return cls(degradation=degradation, upscaling=upscaling, **values)

    @classmethod
    def read(cls, path: Path) -> Recipe:
        """A recipe's JSON, or a report of one photo, which holds one."""
        if path.suffix == ".jsonl":
            entries = {id(entry): entry["recipe"] for entry in read_report(path).values()}
            if len(entries) > 1:
                raise ControlError(f"{path} lists several photos; save the recipe of the one that you mean.")
            return cls.from_json(next(iter(entries.values()), None))
        try:
            return cls.from_json(json.loads(path.read_text(encoding="utf-8")))
        except ControlError:
            raise
        except (OSError, ValueError, RecursionError) as error:
            raise ControlError(f"{path} cannot be read as a recipe ({error}); give a JSON file.") from error
