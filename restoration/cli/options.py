"""The flags that several commands share, and what they stand for."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from .. import image, weights
from ..batch.plan import Format, is_file_name
from ..degradations import CONTROLS, PRESETS, Degradation, preset
from ..errors import ControlError
from ..recipe import Recipe
from ..types import Photo, Size

if TYPE_CHECKING:
    from ..restorer import Restorer


def _folder(context: typer.Context, out: Path) -> Path:
    if is_file_name(out):
        raise ControlError("several_files", command=context.info_name, out=out)
    return out


Inputs = Annotated[list[Path], typer.Argument(metavar="INPUT", help="Photos, or folders of photos.")]
GoodPhoto = Annotated[Path, typer.Argument(metavar="INPUT", help="An undamaged photo.")]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="Result file (.png, .jpg, .webp) or folder.")]
OutFolder = Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="Result folder.", callback=_folder)]
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
ModelsFlag = Annotated[
    str | None, typer.Option("--models", help="Which, separated by commas [default: all that are released].")
]
WeightsFlag = Annotated[
    list[Path] | None, typer.Option("--weights", metavar="PATH", help="Your own weights, a file or folder; repeatable.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress: what went wrong, and the summary.")]
AsJson = Annotated[bool, typer.Option("--json", help="The summary as one JSON object, for programs.")]


@dataclass(frozen=True, kw_only=True)
class DamageFlags:
    """What the degradation flags ask for: a recipe's degradation, or a preset's draw, with the controls on top.

    Raises `ControlError` for what goes not together, or is out of range.
    """

    preset: Annotated[str | None, typer.Option(help=f"Random: {', '.join(PRESETS)} [default: original].")]
    seed: Annotated[int | None, typer.Option(help="Of the first photo; the others count on [default: 0].")]
    recipe: Annotated[Path | None, typer.Option(metavar="FILE", help="Replay a recipe's damage and seed.")]
    size: Annotated[
        Literal["own", "128"] | None,
        typer.Option(help="The photo whole, at its own size, or made 128x128 first [default: 128]."),
    ]
    fit: Annotated[image.Fit | None, typer.Option(help="How a photo becomes 128x128 [default: crop].")]
    max_pixels: Annotated[
        int | None, typer.Option(min=16 * 16, help="Of a photo; what is larger is not read [default: 100 MP].")
    ]
    controls: Mapping[str, float | bool]

    def __post_init__(self) -> None:
        if self.recipe and self.preset:
            raise ControlError("recipe_preset")
        if self.recipe and self._replayed.degradation is None:
            raise ControlError("recipe_undamaged", path=self.recipe)
        self.recipe_of(0, {})  # a control out of its range is found before any photo is touched

    @cached_property
    def _replayed(self) -> Recipe:
        return Recipe.read(self.recipe) if self.recipe else Recipe()

    def recipe_of(self, index: int, models: Mapping[str, str]) -> Recipe:
        """The recipe of photo ``index``, with a seed of its own, and the SHA-256 of the weights of ``models``."""
        seed = ((self._replayed.seed or 0) if self.seed is None else self.seed) + index
        if self.preset or not (self.recipe or self.controls.keys() & CONTROLS.keys()):
            degradation = preset(self.preset or "original").draw(seed)
        else:
            degradation = self._replayed.degradation or Degradation(grayscale=True)
        return Recipe(
            size=size_of(self.size) if self.size else self._replayed.size,
            fit=self.fit or self._replayed.fit,
            degradation=replace(degradation, **self.controls),  # type: ignore[arg-type]
            seed=seed,
            models=models,
        )

    def load(self, path: Path) -> Photo:
        """The undamaged photo at ``path``, at the size that it is to have."""
        return load_for(self.recipe_of(0, {}), path, self.max_pixels or image.MAX_SCAN)


def degradation_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that wants ``damage: DamageFlags`` the flags that describe it, one per control."""
    flags = inspect.get_annotations(DamageFlags, eval_str=True)
    del flags["controls"]
    colour = typer.Option("--grayscale/--colour", help="Take the colour away [default: yes].")
    controls = {"grayscale": Annotated[bool | None, colour], **{name: _flag_of(name) for name in CONTROLS}}

    @functools.wraps(command)
    def with_flags(**given: Any) -> None:
        asked = {name: value for name in controls if (value := given.pop(name)) is not None}
        command(damage=DamageFlags(**{name: given.pop(name) for name in flags}, controls=asked), **given)

    keyword = inspect.Parameter.KEYWORD_ONLY
    hints = inspect.get_annotations(command, eval_str=True)
    own = [each for each in inspect.signature(command).parameters.values() if each.name != "damage"]
    parameters = [each.replace(kind=keyword, annotation=hints[each.name]) for each in own]
    for name, flag in {**flags, **controls}.items():
        parameters.append(inspect.Parameter(name, keyword, default=None, annotation=flag))
    with_flags.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_flags.__annotations__ = {each.name: each.annotation for each in parameters}
    return with_flags


def _flag_of(name: str) -> Any:
    """The flag of a control, as a type for Typer."""
    control = CONTROLS[name]
    what = control.help[0].upper() + control.help[1:]
    option = typer.Option(help=f"{what}: {control.low:g} to {control.high:g}, {control.off:g} is off.")
    return Annotated[int | None, option] if control.step >= 1 else Annotated[float | None, option]


def make_restorer(device: str, own_weights: list[Path] | None) -> Restorer:
    from ..restorer import Restorer

    return Restorer(device, own_weights or ())


def loaded(device: str, own_weights: list[Path] | None, names: Sequence[str]) -> tuple[Restorer, Mapping[str, str]]:
    """A `Restorer` that has loaded the models of these names, and the SHA-256 of the weights of each."""
    restorer = make_restorer(device, own_weights)
    restorer.prepare(names)
    restorer.check_own_weights()
    return restorer, {name: restorer.weights_sha256(name) for name in names}


def model_names(given: str | None) -> list[str]:
    """Of the models that were asked for, each once."""
    if given is None:
        return [entry.model for entry in weights.restorers()]
    return list(dict.fromkeys(name.strip() for name in given.split(",")))


def load_for(recipe: Recipe, path: Path, max_pixels: int) -> Photo:
    """The photo at ``path``, at the size that ``recipe`` restores it at."""
    if recipe.size == "own":
        return image.load(path, reduce_to=None, max_pixels=max_pixels, may_halve=False)
    return image.fit(image.load(path, max_pixels=max_pixels), recipe.fit)


def result_format(out: Path, given: Format | None, size: Size) -> Format:
    """Of results: what the laboratory made is for measuring, and loses nothing to JPEG unless that is asked for."""
    if given and is_file_name(out):
        raise ControlError("format_named", out=out)
    return given or ("same" if size == "own" else "png")


def size_of(given: str) -> Size:
    return "own" if given == "own" else 128
