"""The JSON that replays a run: what was done to a photo, with what, and under which library versions."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

from .degradations import Degradation, checked_seed
from .errors import ControlError, RecipeMismatch
from .image import Fit, check_fit
from .report import read_report
from .types import SIDE, Inpainting, Look, Size, Upscaling

SCHEMA = 6
KNOWN_SCHEMAS = (3, 4, 5, SCHEMA)
"""Those that are read. 3 lacks ageing, 5 inpainting: neither is done then. 4 lacks size: a fit of None means own."""
MAX_LINK = 65536  # characters of a recipe's JSON that a link may hold


@cache
def library_versions() -> Mapping[str, str]:
    """The libraries whose versions decide pixels."""
    return {name: version(name) for name in ("torch", "numpy", "pillow")}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One run: as it is asked for or, in a result, as it really ran. Raises `ControlError` for impossible values.

    ``fit`` makes a square where ``size`` is 128. ``inpaint``, at a photo's own size only, is None where scratches stay,
    ``degradation`` where the photo is not damaged first; ``seed`` is the degradation's, and that of a model's samples.
    ``models`` maps each model's id to the SHA-256 of its weights, None where any will do.
    """

    size: Size = 128
    fit: Fit = "crop"
    inpaint: Inpainting | None = None
    look: Look = field(default_factory=Look)
    degradation: Degradation | None = None
    seed: int | None = None
    models: Mapping[str, str | None] = field(default_factory=dict)
    upscaling: Upscaling | None = None
    versions: Mapping[str, str] = field(default_factory=library_versions)

    def __post_init__(self) -> None:
        if self.size not in get_args(Size) or isinstance(self.size, float):  # 128.0 equals 128
            raise ControlError("size_unknown", size=self.size)
        check_fit(self.fit)
        if self.inpaint and self.size == SIDE:
            raise ControlError("inpaint_size")
        for name in ("models", "versions"):
            values = getattr(self, name)
            _check_type(name, values, Mapping)
            for key, value in values.items():
                _check_type(f"{name}: {key}", value, str if name == "versions" else str | None)
        if self.seed is not None:
            checked_seed(self.seed)
        if self.upscaling:
            for each in fields(Upscaling):
                _check_type(f"upscaling: {each.name}", getattr(self.upscaling, each.name), _UPSCALING_TYPES[each.name])

    def ran_on(self, devices: Iterable[str]) -> Recipe:
        """The recipe of a run whose networks ran on ``devices``: "cpu", or "cpu and cuda" where one stood in."""
        return replace(self, versions={**self.versions, "device": " and ".join(sorted(devices))})

    def to_json(self) -> dict[str, Any]:
        return {"schema": SCHEMA, **asdict(self)}

    def to_link(self) -> str:
        """The recipe as a short text that an address can carry; `from_link` reads it."""
        packed = zlib.compress(json.dumps(self.to_json(), separators=(",", ":")).encode(), 9)
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def from_json(cls, values: Any) -> Recipe:
        """The inverse of `to_json`; `ControlError` for what is no recipe, or one of another schema."""
        if not isinstance(values, dict) or "schema" not in values:
            raise ControlError("recipe_none")
        values = dict(values)
        if (schema := values.pop("schema")) not in KNOWN_SCHEMAS:
            raise ControlError("recipe_schema", schema=schema, known=SCHEMA)
        if schema < 5 and values.get("fit", "crop") is None:
            values |= {"size": "own", "fit": "crop"}
        _check_fields(cls, values)
        kinds = {"degradation": Degradation, "inpaint": Inpainting, "look": Look, "upscaling": Upscaling}
        for name, kind in kinds.items():
            part = values.pop(name, None)
            _check_type(name, part, dict | None)
            if kind is Degradation and part is not None:
                values[name] = Degradation.from_mapping(part)
            elif part is not None:
                _check_fields(kind, part)
                missing = {"scale": None, "engine": None} if kind is Upscaling else {}
                values[name] = kind(**missing | part)  # so that `__post_init__` names what is missing
        return cls(**values)

    @classmethod
    def from_text(cls, text: str) -> Recipe:
        """A recipe's JSON as text; raises as `from_json` does."""
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ControlError("recipe_json", reason=error) from error
        return cls.from_json(values)

    @classmethod
    def from_link(cls, text: str) -> Recipe:
        """The inverse of `to_link`; raises as `from_json` does."""
        try:
            packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            unpacker = zlib.decompressobj()
            unpacked = unpacker.decompress(packed, MAX_LINK)
            if not unpacker.eof:
                raise ValueError("cut off, or too long")
        except (ValueError, zlib.error) as error:
            raise ControlError("recipe_link") from error
        return cls.from_text(unpacked.decode(errors="replace"))

    @classmethod
    def read(cls, path: Path) -> Recipe:
        """A recipe's JSON, or a report of one photo, which holds one."""
        if path.suffix == ".jsonl":
            # one entry lists several outputs
            entries = {id(entry): entry["recipe"] for entry in read_report(path).values()}
            if len(entries) > 1:
                raise ControlError("recipe_of_several", path=path)
            return cls.from_json(next(iter(entries.values()), None))
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise ControlError("recipe_unreadable", path=path, reason=error) from error
        return cls.from_text(text)

    def mismatch(self, ran: Recipe) -> RecipeMismatch | None:
        """What is not as it was, where this recipe was replayed as ``ran``: then the pixels may differ."""
        wanted, have = dict(self.models), dict(ran.models)
        for values, recipe, other in ((wanted, self, ran), (have, ran, self)):
            if recipe.inpaint and other.inpaint:
                values["scratches"] = recipe.inpaint.weights_sha256
            if recipe.upscaling and other.upscaling:
                values |= {**recipe.upscaling.weights, "precision": recipe.upscaling.precision}
            values |= recipe.versions
        others = [name for name, value in wanted.items() if value is not None and have.get(name) != value]
        if not others:
            return None
        what = ", ".join(f"{name[:20]} {str(wanted[name])[:12]} → {str(have.get(name))[:12]}" for name in others[:6])
        return RecipeMismatch("recipe_mismatch", what=what + f", and {len(others) - 6} more" * (len(others) > 6))


_UPSCALING_TYPES: Mapping[str, Any] = {
    "scale": int,
    "engine": str,
    "method": str,
    "denoise": float | int | None,
    "precision": str | None,
    "tile": int | None,
    "weights": Mapping,
}


def _check_type(name: str, value: Any, kind: Any) -> None:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ControlError("recipe_field", field=name, value=value)


def _check_fields(kind: Any, values: Mapping[str, Any]) -> None:
    if unknown := sorted(set(values) - {each.name for each in fields(kind)}):
        raise ControlError("recipe_unknown", field=unknown[0])
