"""The flags that several commands share, and what they stand for."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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


def _with_flags(
    command: Callable[..., None], value: str, flags: Mapping[str, Any], made: Callable[[Mapping[str, Any]], Any]
) -> Callable[..., None]:
    """Give a command that wants ``value`` the ``flags`` that it is ``made`` of: their types for Typer, by name."""

    @functools.wraps(command)
    def with_flags(**given: Any) -> None:
        command(**{value: made({name: given.pop(name) for name in flags})}, **given)

    keyword = inspect.Parameter.KEYWORD_ONLY
    hints = inspect.get_annotations(command, eval_str=True)
    own = [each for each in inspect.signature(command).parameters.values() if each.name != value]
    parameters = [each.replace(kind=keyword, annotation=hints[each.name]) for each in own]
    parameters += [inspect.Parameter(name, keyword, default=None, annotation=flag) for name, flag in flags.items()]
    with_flags.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_flags.__annotations__ = {each.name: each.annotation for each in parameters}
    return with_flags


@dataclass(frozen=True, kw_only=True)
class Telling:
    """How much is told, and whether to a person or a program."""

    quiet: bool
    json: bool


def telling_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that wants ``telling: Telling`` the flags that describe it."""
    flags = {
        "quiet": Annotated[bool, typer.Option("--quiet", "-q", help="No progress: what went wrong, and the summary.")],
        "json": Annotated[bool, typer.Option("--json", help="The summary as one JSON object, for programs.")],
    }
    return _with_flags(command, "telling", flags, lambda given: Telling(**{name: bool(given[name]) for name in flags}))


@dataclass(frozen=True, kw_only=True)
class DamageFlags:
    """What the degradation flags ask for: a recipe's degradation, or a preset's draw, with the controls on top."""

    degradation: Degradation | None
    preset: str | None
    seed: int
    size: Size
    fit: image.Fit
    controls: dict[str, float | bool]
    max_pixels: int

    def of(self, index: int) -> tuple[Degradation, int]:
        """The degradation of photo ``index`` and its seed; each photo of a run gets a seed of its own."""
        seed = self.seed + index
        base = preset(self.preset).draw(seed) if self.preset else self.degradation or Degradation(grayscale=True)
        return replace(base, **self.controls), seed  # type: ignore[arg-type]

    def recipe(self, index: int, models: Mapping[str, str]) -> Recipe:
        """The recipe of photo ``index``, with the SHA-256 of the weights of ``models``."""
        degradation, seed = self.of(index)
        return Recipe(size=self.size, fit=self.fit, degradation=degradation, seed=seed, models=models)

    def load(self, path: Path) -> Photo:
        """The undamaged photo at ``path``, at the size that it is to have."""
        return load_at_size(path, self.size, self.fit, self.max_pixels)


def degradation_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that wants ``damage: DamageFlags`` the flags that describe it, one per control."""
    options: dict[str, tuple[Any, Any]] = {
        "preset_": (str, typer.Option("--preset", help=f"Random: {', '.join(PRESETS)} [default: original].")),
        "seed": (int, typer.Option("--seed", help="Of the first photo; the others count on [default: 0].")),
        "recipe": (Path, typer.Option("--recipe", metavar="FILE", help="Replay a recipe's damage and seed.")),
        "size": (
            Literal["own", "128"],
            typer.Option("--size", help="The photo whole, at its own size, or made 128x128 first [default: 128]."),
        ),
        "fit": (image.Fit, typer.Option("--fit", help="How a photo becomes 128x128 [default: crop].")),
        "max_pixels": (
            int,
            typer.Option("--max-pixels", min=16 * 16, help="Of a photo; what is larger is not read [default: 100 MP]."),
        ),
        "grayscale": (bool, typer.Option("--grayscale/--colour", help="Take the colour away [default: yes].")),
    }
    for name, control in CONTROLS.items():
        what = control.help[0].upper() + control.help[1:]
        text = f"{what}: {control.low:g} to {control.high:g}, {control.off:g} is off."
        kind = int if control.step >= 1 else float
        options[name] = (kind, typer.Option(f"--{name.replace('_', '-')}", help=text))

    def made(flags: Mapping[str, Any]) -> DamageFlags:
        controls = {name: flags[name] for name in ("grayscale", *CONTROLS) if flags[name] is not None}
        if flags["recipe"] and flags["preset_"]:
            raise ControlError("recipe_preset")
        recipe = Recipe.read(flags["recipe"]) if flags["recipe"] else Recipe()
        if flags["recipe"] and recipe.degradation is None:
            raise ControlError("recipe_undamaged", path=flags["recipe"])
        by_hand = flags["recipe"] or any(name in CONTROLS for name in controls)
        damage = DamageFlags(
            degradation=recipe.degradation,
            preset=flags["preset_"] or (None if by_hand else "original"),
            seed=(recipe.seed or 0) if flags["seed"] is None else flags["seed"],
            size=size_of(flags["size"]) if flags["size"] else recipe.size,
            fit=flags["fit"] or recipe.fit,
            controls=controls,
            max_pixels=flags["max_pixels"] or image.MAX_SCAN,
        )
        damage.of(0)  # a control out of its range is wrong usage, found before any photo is touched
        return damage

    flags = {name: Annotated[kind | None, option] for name, (kind, option) in options.items()}
    return _with_flags(command, "damage", flags, made)


def make_restorer(device: str, own_weights: list[Path] | None) -> Restorer:
    from ..restorer import Restorer

    return Restorer(device, own_weights or ())


def loaded(device: str, own_weights: list[Path] | None, names: Sequence[str]) -> tuple[Restorer, Mapping[str, str]]:
    """A `Restorer` that has loaded the models of these names, and the SHA-256 of the weights of each."""
    restorer = make_restorer(device, own_weights)
    restorer.prepare(names)
    return restorer, {name: restorer.weights_sha256(name) for name in names}


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
