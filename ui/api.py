"""The endpoints for programs: the HTTP API and, with ``--mcp``, the tools of a language model.

They run the same functions as the tabs. Their components are never drawn: they only say what type each parameter has.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, get_args

import gradio as gr
from gradio.components import Component

from restoration import Degradation, Recipe, Run, Upscaling, image, metrics, pipeline, robustness
from restoration.degradations import CONTROLS, PRESETS, preset
from restoration.outputs import finite
from restoration.types import ControlError

from .errors import shown
from .files import publish
from .lab import ENGINES, NETWORK, TITLES, Lab
from .panel import uploaded_file
from .restore import labelled_sheet, pictures

Json = dict[str, Any]


def report(run: Run) -> Json:
    """What a program wants to know of a run: measures, times and the recipe that replays it."""
    photos = {"degraded": run.degraded, **{name: each.photo for name, each in run.restored.items()}}
    return {
        "against": "the original at 128x128" if run.truth else "nothing: the photo came as it is",
        "measures": {
            name: finite(asdict(metrics.compare(photo, run.truth) if run.truth else metrics.judge(photo)))
            for name, photo in photos.items()
        },
        "seconds": {
            **{name: round(each.seconds, 4) for name, each in run.restored.items()},
            **{f"{name}_upscale": round(each.seconds, 4) for name, each in run.enlarged.items()},
        },
        "recipe": run.recipe.to_json(),
    }


def endpoints(lab: Lab) -> None:
    """Register them on the caller's Blocks."""

    def restore(
        photo: str, model: str = "vae", fit: str = "crop", scale: int = 0, engine: str = "auto", recipe: str = "",
        request: gr.Request | None = None,
    ) -> tuple[str, str | None, Json]:  # fmt: skip
        """Restore and colourise a damaged photo with a VAE, a GAN or a CNN, and enlarge the result by Real-ESRGAN.

        Only the luminance is read: colours that the photo still has are taken away and guessed anew. The result is
        128x128 pixels. Nothing says whether it is true: colours and fine detail are plausible guesses.

        Args:
            photo: The damaged photo: JPEG, PNG, WebP, TIFF, BMP or GIF.
            model: Which network restores: vae, gan or cnn.
            fit: How the photo becomes 128x128: crop (the middle square), squash, or pad (mirrored edges).
            scale: 0 for no enlarged copy, 2 for 256x256, 4 for 512x512.
            engine: What enlarges: auto, fast, general, x4plus or bicubic.
            recipe: The JSON of a recipe to replay, its damage included; it replaces all other settings.

        Returns:
            The restored photo, its enlarged copy if there is one, and a report with measures, times and the recipe.
        """
        with shown(request):
            upscaling = Upscaling(scale=scale, engine=engine) if scale else None
            asked = Recipe(fit=fit, models={model: None}, upscaling=upscaling)  # type: ignore[arg-type]
            if recipe:
                asked = Recipe.from_text(recipe)
                if len(asked.models) != 1:
                    raise ControlError(
                        "recipe_one_model", "This endpoint restores by one model; leave one in the recipe, or compare."
                    )
            run = pipeline.run(lab.restorer, lab.load(photo), asked)
            (name,) = run.restored
            files = publish({f"{kind}.png": each for kind, each in pictures(run).items() if kind.startswith(name)})
            restored, *larger = files.values()
            return restored, next(iter(larger), None), report(run)

    def degrade(
        photo: str, damage: str = "original", seed: int = 0, fit: str = "crop", grayscale: bool = True,
        gaussian: float | None = None, salt_pepper: float | None = None, speckle: float | None = None,
        correlated: float | None = None, lines: int | None = None, blur: int | None = None, jpeg: int | None = None,
        request: gr.Request | None = None,
    ) -> tuple[str, str, Json]:  # fmt: skip
        """Damage a photo as the original project made its dataset, to test what restores it.

        Args:
            photo: An undamaged photo: JPEG, PNG, WebP, TIFF, BMP or GIF.
            damage: The preset that the seed draws from: original, light, heavy, or off for none.
            seed: The same seed gives the same damage.
            fit: How the photo becomes 128x128: crop (the middle square), squash, or pad (mirrored edges).
            grayscale: Whether the colour is taken away.
            gaussian: Additive noise instead of the drawn one: its sigma, 0 to 0.3, where 1 is white.
            salt_pepper: Fraction of pixels lost instead of the drawn one, 0 to 0.2.
            speckle: Multiplicative noise instead of the drawn one: its sigma, 0 to 0.5, relative to the pixel.
            correlated: Blotchy noise instead of the drawn one: its sigma, 0 to 0.3, before it is smoothed.
            lines: Vertical lines instead of the drawn ones, 0 to 16.
            blur: Gaussian blur instead of the drawn one: its odd kernel size in pixels, 1 (off) to 21.
            jpeg: JPEG quality instead of the drawn one, 2 to 100 (off).

        Returns:
            The degraded photo, the undamaged one at the same 128x128, and a report with measures and the recipe.
        """
        with shown(request):
            given = {
                "gaussian": gaussian, "salt_pepper": salt_pepper, "speckle": speckle, "correlated": correlated,
                "lines": lines, "blur": blur, "jpeg": jpeg,
            }  # fmt: skip
            drawn = Degradation() if damage == "off" else preset(damage).draw(seed)
            by_hand = {name: strength for name, strength in given.items() if strength is not None}
            degradation = replace(drawn, grayscale=grayscale, **by_hand)  # type: ignore[arg-type]
            run = pipeline.run(
                lab.restorer,
                lab.load(photo),
                Recipe(fit=fit, degradation=degradation, seed=seed),  # type: ignore[arg-type]
            )
            files = publish({f"{kind}.png": each for kind, each in pictures(run).items()})
            return files["degraded.png"], files["original.png"], report(run)

    def compare(
        photo: str, damage: str = "original", seed: int = 0, fit: str = "crop", recipe: str = "",
        request: gr.Request | None = None,
    ) -> tuple[list[str], str, Json]:  # fmt: skip
        """Damage a photo, let the VAE, the GAN and the CNN restore it, and measure each against the original.

        Args:
            photo: An undamaged photo: JPEG, PNG, WebP, TIFF, BMP or GIF.
            damage: The preset that the seed draws from: original, light, heavy, or off where the photo is damaged
                already.
            seed: The same seed gives the same damage.
            fit: How the photo becomes 128x128: crop (the middle square), squash, or pad (mirrored edges).
            recipe: The JSON of a recipe whose damage and fit replace these settings.

        Returns:
            The pictures (original, degraded, then each model's), a labelled sheet, and a report with the measures.
        """
        with shown(request):
            if recipe:
                asked = replace(Recipe.from_text(recipe), models=dict.fromkeys(TITLES), upscaling=None)
            else:
                drawn = None if damage == "off" else preset(damage).draw(seed)
                asked = Recipe(
                    fit=fit,  # type: ignore[arg-type]
                    degradation=drawn,
                    seed=seed if drawn else None,
                    models=dict.fromkeys(TITLES),
                )
            run = pipeline.run(lab.restorer, lab.load(photo), asked)
            files = publish({f"{kind}.png": each for kind, each in pictures(run).items()})
            sheet = publish({"sheet.png": labelled_sheet(run, french=False)})["sheet.png"]
            return list(files.values()), sheet, report(run)

    def upscale(
        photo: str, scale: int = 4, engine: str = "auto", request: gr.Request | None = None
    ) -> tuple[str, Json]:
        """Enlarge a photo 2 or 4 times by Real-ESRGAN, in colour and without restoring it; to 4096x4096 at most.

        Args:
            photo: The photo: JPEG, PNG, WebP, TIFF, BMP or GIF.
            scale: 2 or 4.
            engine: auto, fast, general, x4plus or bicubic.

        Returns:
            The enlarged photo, and a report with the engine that ran, its settings and its time.
        """
        with shown(request):
            source = image.load(photo, reduce_to=None, max_pixels=lab.max_pixels)
            result = lab.restorer.upscale(source, scale, engine=engine)
            path = publish({f"upscaled_x{scale}.png": result.photo})[f"upscaled_x{scale}.png"]
            recipe = Recipe(fit=None, upscaling=result.upscaling)
            return path, {"seconds": round(result.seconds, 4), "recipe": recipe.to_json()}

    def sweep(
        photo: str, control: str = "gaussian", low: float | None = None, high: float | None = None, steps: int = 8,
        measure: str = "psnr_luminance", seed: int = 0, fit: str = "crop", request: gr.Request | None = None,
    ) -> tuple[str, str, str, Json]:  # fmt: skip
        """Stress-test the three networks: damage a photo by one degradation from mild to severe, and measure each step.

        Args:
            photo: An undamaged photo: JPEG, PNG, WebP, TIFF, BMP or GIF.
            control: What to sweep: gaussian, salt_pepper, speckle, correlated, lines, blur or jpeg.
            low: The lowest strength; the control's own where it is left out.
            high: The highest strength; the control's own where it is left out.
            steps: How many strengths, 2 to 32.
            measure: What the plot shows: psnr_luminance, psnr, ssim or ciede2000.
            seed: The same seed gives the same damage.
            fit: How the photo becomes 128x128: crop (the middle square), squash, or pad (mirrored edges).

        Returns:
            The plot, the pictures as a strip, a table of all measures (CSV), and the strengths with a recipe for each.
        """
        with shown(request):
            scale = CONTROLS.get(control)
            at = robustness.strengths(
                control,
                scale.low if scale and low is None else low,  # type: ignore[arg-type]
                scale.high if scale and high is None else high,  # type: ignore[arg-type]
                steps,
            )
            robustness.check_measure(measure)
            truth = image.fit(lab.load(photo), fit)  # type: ignore[arg-type]
            swept = robustness.sweep(lab.restorer, truth, control, at, list(TITLES), seed=seed)
            files = publish(
                {
                    "plot.png": robustness.plot(swept, measure),
                    "strip.png": robustness.strip(swept),
                    "sweep.csv": robustness.table(swept).encode(),
                }
            )
            recipes = [recipe.to_json() for recipe in swept.recipes]
            return *files.values(), {"control": control, "strengths": at, "recipes": recipes}  # type: ignore[return-value]

    for function in (restore, degrade, compare, upscale, sweep):
        inputs = [_component(name) for name in inspect.signature(function).parameters if name != "request"]
        gr.Button(visible=False).click(
            function, inputs, _outputs(function.__name__), api_name=function.__name__, concurrency_id=NETWORK,
            concurrency_limit=1,
        )  # fmt: skip


def _component(name: str) -> Component:
    """The component that tells a parameter's type."""
    choices = {
        "model": list(TITLES),
        "fit": list(get_args(image.Fit)),
        "engine": list(ENGINES),
        "damage": [*PRESETS, "off"],
        "control": list(CONTROLS),
        "measure": list(robustness.PLOTTED),
    }
    if name == "photo":
        photo = gr.Image(label=name, type="filepath", image_mode=None, visible=False)
        photo.preprocess = uploaded_file  # type: ignore[method-assign]
        return photo
    if name in choices:
        return gr.Dropdown(choices[name], value=choices[name][0], label=name, visible=False)
    if name == "recipe":
        return gr.Textbox(label=name, visible=False)
    if name == "grayscale":
        return gr.Checkbox(True, label=name, visible=False)
    return gr.Number(label=name, visible=False)


def _outputs(name: str) -> list[Component]:
    """The components that tell an endpoint's results."""
    kinds = {
        "restore": "image image json",
        "degrade": "image image json",
        "compare": "gallery image json",
        "upscale": "image json",
        "sweep": "image image file json",
    }
    make: Mapping[str, Callable[[], Component]] = {
        "image": lambda: gr.Image(format="png", visible=False),
        "gallery": lambda: gr.Gallery(format="png", visible=False),
        "file": lambda: gr.File(visible=False),
        "json": lambda: gr.JSON(visible=False),
    }
    return [make[kind]() for kind in kinds[name].split()]
