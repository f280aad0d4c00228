"""The flags that several commands share, and what they stand for."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from .. import image, weights
from ..batch.plan import Format, is_file_name
from ..degradations import CONTROLS, PRESETS, Degradation, preset
from ..errors import ControlError
from ..recipe import Recipe
from ..types import Photo, Size

if TYPE_CHECKING:
    from ..restorer import Restorer


Inputs = Annotated[list[Path], typer.Argument(metavar="INPUT", help="Photos, or folders of photos.")]


Out = Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="Result file (.png, .jpg, .webp) or folder.")]


FormatFlag = Annotated[
    Format | None,
    typer.Option(
        "--format", help="Of results in a folder: same [default], a JPEG of a JPEG and a PNG of all else, or one kind."
    ),
]


MaxPixelsFlag = Annotated[
    int, typer.Option("--max-pixels", min=16 * 16, help="Of a photo; what is larger is not read, as it fills memory.")
]


FitFlag = Annotated[image.Fit, typer.Option("--fit", help="How a photo becomes 128x128.")]


DeviceFlag = Annotated[Literal["auto", "cpu", "cuda", "mps"], typer.Option("--device", help="Where the networks run.")]


EngineFlag = Annotated[
    str, typer.Option("--engine", help="Of the upscaling: auto, fast, general, x4plus, x2plus or bicubic.")
]


DenoiseFlag = Annotated[
    float | None, typer.Option("--denoise", help="How much noise the engine general removes: 0 to 1 [default: 1].")
]


TileFlag = Annotated[
    int | None,
    typer.Option(
        "--tile", min=16, max=4096, help="Side of the tiles of a large photo [default: what suits the engine]."
    ),
]


ModelsFlag = Annotated[
    str | None, typer.Option("--models", help="Which, separated by commas [default: all that are released].")
]


WeightsFlag = Annotated[
    list[Path] | None, typer.Option("--weights", metavar="PATH", help="Your own weights, a file or folder; repeatable.")
]


def _with_flags(
    command: Callable[..., None],
    value: str,
    options: Mapping[str, tuple[Any, typer.models.OptionInfo]],
    made: Callable[[Mapping[str, Any]], Any],
) -> Callable[..., None]:
    """Give a command that wants ``value`` the flags that it is ``made`` of."""

    @functools.wraps(command)
    def with_flags(**given: Any) -> None:
        flags = {name: given.pop(name) for name in options}
        given[value] = made(flags)
        command(**given)

    own = [p for p in inspect.signature(command).parameters.values() if p.name != value]
    flags = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option])
        for name, (kind, option) in options.items()
    ]
    hints = inspect.get_annotations(command, eval_str=True)
    own = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[p.name]) for p in own]
    with_flags.__signature__ = inspect.Signature([*own, *flags])  # type: ignore[attr-defined]
    with_flags.__annotations__ = {p.name: p.annotation for p in [*own, *flags]}
    return with_flags


@dataclass(frozen=True, kw_only=True)
class Telling:
    """How much is told, and whether to a person or a program."""

    quiet: bool
    json: bool


def telling_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that wants ``telling: Telling`` the flags that describe it."""
    options: dict[str, tuple[Any, typer.models.OptionInfo]] = {
        "quiet": (bool, typer.Option("--quiet", "-q", help="No progress: what went wrong, and the summary.")),
        "json": (bool, typer.Option("--json", help="The summary as one JSON object, for programs.")),
    }
    return _with_flags(
        command, "telling", options, lambda given: Telling(**{name: bool(each) for name, each in given.items()})
    )


@dataclass(frozen=True, kw_only=True)
class DamageFlags:
    """What the degradation flags ask for: a recipe's, or a preset's draw, with the controls that are set on top."""

    recipe: Recipe | None
    preset: str | None
    seed: int
    size: Size
    fit: image.Fit
    controls: dict[str, float | bool]
    max_pixels: int

    def of(self, index: int) -> tuple[Degradation, int]:
        """The degradation of photo ``index`` and its seed; each photo of a run gets a seed of its own."""
        seed = self.seed + index
        if self.recipe and self.recipe.degradation:
            base = self.recipe.degradation
        elif self.preset:
            base = preset(self.preset).draw(seed)
        else:
            base = Degradation(grayscale=True)
        return replace(base, **self.controls), seed  # type: ignore[arg-type]

    def load(self, path: Path) -> Photo:
        """The undamaged photo at ``path``, at the size that it is to have."""
        return load_at_size(path, self.size, self.fit, self.max_pixels)


def degradation_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that wants ``damage: DamageFlags`` the flags that describe it, one per control."""
    options: dict[str, tuple[Any, typer.models.OptionInfo]] = {
        "preset_": (str | None, typer.Option("--preset", help=f"Random: {', '.join(PRESETS)} [default: original].")),
        "seed": (int | None, typer.Option("--seed", help="Of the first photo; the others count on [default: 0].")),
        "recipe": (Path | None, typer.Option("--recipe", metavar="FILE", help="Replay a recipe's damage and seed.")),
        "size": (
            Literal["own", "128"] | None,
            typer.Option("--size", help="The photo whole, at its own size, or made 128x128 first [default: 128]."),
        ),
        "fit": (image.Fit | None, typer.Option("--fit", help="How a photo becomes 128x128 [default: crop].")),
        "max_pixels": (
            int | None,
            typer.Option("--max-pixels", min=16 * 16, help="Of a photo; what is larger is not read [default: 100 MP]."),
        ),
        "grayscale": (bool | None, typer.Option("--grayscale/--colour", help="Take the colour away [default: yes].")),
    }
    for name, control in CONTROLS.items():
        kind = int if control.step >= 1 else float
        what = control.help[0].upper() + control.help[1:]
        text = f"{what}: {control.low:g} to {control.high:g}, {control.off:g} is off."
        options[name] = (kind | None, typer.Option(f"--{name.replace('_', '-')}", help=text))

    def made(flags: Mapping[str, Any]) -> DamageFlags:
        controls = {name: flags[name] for name in ("grayscale", *CONTROLS) if flags[name] is not None}
        if flags["recipe"] and flags["preset_"]:
            raise ControlError("recipe_preset")
        recipe = Recipe.read(flags["recipe"]) if flags["recipe"] else None
        if recipe and recipe.degradation is None:
            raise ControlError("recipe_undamaged", path=flags["recipe"])
        by_hand = any(name in CONTROLS for name in controls)
        named = flags["preset_"] or (None if by_hand or recipe else "original")
        seed = flags["seed"] if flags["seed"] is not None else (recipe and recipe.seed) or 0
        fit = flags["fit"] or (recipe and recipe.fit) or "crop"
        size = size_of(flags["size"]) if flags["size"] else recipe.size if recipe else 128
        damage = DamageFlags(
            recipe=recipe, preset=named, seed=seed, size=size, fit=cast(image.Fit, fit), controls=controls,
            max_pixels=flags["max_pixels"] or image.MAX_SCAN,
        )  # fmt: skip
        damage.of(0)  # a control out of its range is wrong usage, found before any photo is touched
        return damage

    return _with_flags(command, "damage", options, made)


def make_restorer(device: str, own_weights: list[Path] | None) -> Restorer:
    from ..restorer import Restorer

    return Restorer(device, own_weights or ())


def model_names(given: str | None) -> list[str]:
    """Of the models that were asked for, each once."""
    if given is None:
        return [entry.model for entry in weights.restorers()]
    return list(dict.fromkeys(name.strip() for name in given.split(",")))


def load_at_size(path: Path, size: Size, fit: image.Fit, max_pixels: int) -> Photo:
    """The photo at ``path``, at the size that it is to be restored at."""
    if size == "own":
        return image.load(path, reduce_to=None, max_pixels=max_pixels, may_halve=False)
    return image.fit(image.load(path, max_pixels=max_pixels), fit)


def result_format(out: Path, given: Format | None, size: Size) -> Format:
    """Of results: what the laboratory made is for measuring, and loses nothing to JPEG unless that is asked for."""
    if given and is_file_name(out):
        raise ControlError("format_named", out=out)
    return given or ("same" if size == "own" else "png")


def size_of(given: str) -> Size:
    return "own" if given == "own" else 128
