"""The Restore tab: a photo, what is done to it, and what the networks make of it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.data_classes import ImageData
from PIL import Image

from restoration import Degradation, Photo, RestorationError, Restorer, image, metrics
from restoration import degradations as presets
from restoration.degradations import CONTROLS, PRESETS
from restoration.metrics import Metrics
from restoration.restorer import Upscaled
from restoration.weights import restorers

from .texts import i18n, text

EXAMPLES = Path(__file__).resolve().parent.parent / "assets" / "examples"
ENGINES = ("auto", "fast", "general", "x4plus", "bicubic")
EXAMPLE_NAMES = ("astronaut", "china", "coffee", "flower", "grace_hopper", "chelsea", "rocket")


# The 128-pixel pictures are shown as large as the 512-pixel ones, pixel by pixel.
CSS = ".result img { width: 100%; height: 100%; object-fit: contain; image-rendering: pixelated; }"


def _uploaded_file(payload: ImageData | None) -> str | None:
    """The path of the upload itself: `restoration.image` is what opens it, not Gradio."""
    if payload is not None and payload.path is None:
        raise gr.Error("A photo must be uploaded as a file.", print_exception=False)
    return payload.path if payload is not None else None


@contextmanager
def _shown_errors() -> Iterator[None]:
    """An error that has a sentence for the visitor is shown, and is no matter for the log."""
    try:
        yield
    except RestorationError as error:
        raise gr.Error(str(error), print_exception=False) from error


def tab() -> None:
    """Lay out and wire the tab, inside the caller's Blocks."""
    models = [entry.model for entry in restorers()]
    restorer = Restorer()  # one for all visitors; networks load at first use
    with gr.Row():
        with gr.Column(scale=1):
            photo = gr.Image(
                label=i18n("photo"), type="filepath", image_mode=None, format="png", height=260,
                sources=["upload", "webcam", "clipboard"],
            )  # fmt: skip
            # Not a subclass: Gradio writes a .pyi file beside the source of each one.
            photo.preprocess = _uploaded_file  # type: ignore[method-assign]
            gr.Examples([[str(EXAMPLES / f"{name}.jpg")] for name in EXAMPLE_NAMES], [photo], label=i18n("examples"))
            model = gr.Radio(
                [("VAE", "vae"), ("GAN", "gan"), ("CNN", "cnn"), (i18n("all"), "all")], value="all", label=i18n("model")
            )
            enlarge = gr.Checkbox(value=True, label=i18n("upscale"))
            engine = gr.Dropdown(
                [(i18n(f"engine_{name}"), name) for name in ENGINES], value="auto", label=i18n("engine")
            )
            denoise = gr.Slider(0, 1, value=1, step=0.05, label=i18n("denoise"), visible=False)
            run = gr.Button(i18n("run"), variant="primary")
            with gr.Accordion(i18n("damage"), open=True):
                names = [*PRESETS, "off"]
                preset = gr.Dropdown([(i18n(name), name) for name in names], value="original", label=i18n("preset"))
                seed = gr.Number(value=0, precision=0, minimum=0, label=i18n("seed"))
                dice = gr.Button(i18n("dice"), size="sm")
                start = PRESETS["original"].draw(0)
                grayscale = gr.Checkbox(value=True, label=i18n("grayscale"))
                sliders = {
                    name: gr.Slider(
                        control.low, control.high, value=getattr(start, name), step=control.step, label=i18n(name)
                    )
                    for name, control in CONTROLS.items()
                }
            fit = gr.Radio([(i18n(how), how) for how in ("crop", "squash", "pad")], value="crop", label=i18n("fit"))
        with gr.Column(scale=3):
            with gr.Row():
                reference = _result_image(i18n("reference"))
                degraded = _result_image(i18n("degraded"))
            pictures: dict[str, tuple[gr.Image, gr.Image]] = {}
            with gr.Row():
                for name in models:
                    with gr.Column(min_width=200):
                        pictures[name] = _result_image(name.upper()), _result_image(f"{name.upper()} ×4")
            table = gr.Markdown()
    gr.Markdown(i18n("credits"))

    controls = {"grayscale": grayscale, **sliders}

    def draw(name: str, seed_: int) -> dict[Any, Any]:
        with _shown_errors():
            degradation = Degradation() if name == "off" else presets.preset(name).draw(seed_)
        return {component: getattr(degradation, control) for control, component in controls.items()}

    def restore(values: Mapping[Any, Any], request: gr.Request) -> dict[Any, Any]:
        if not values[photo]:
            raise gr.Error(text("no_photo", request), print_exception=False)
        with _shown_errors():
            degradation = Degradation(**{name: values[component] for name, component in controls.items()})
            truth = image.fit(image.load(values[photo]), values[fit])
            damaged = degradation.apply(truth, values[seed])
            before = metrics.compare(damaged, truth)
            measured = degradation != Degradation()
            rows = [_row(text("degraded", request), before)]
            ran = ""
            shown: dict[Any, Any] = {reference: _picture(truth), degraded: _picture(damaged)}
            for name, (small, large) in pictures.items():
                if values[model] not in (name, "all"):
                    shown |= {small: gr.update(value=None, visible=False), large: gr.update(value=None, visible=False)}
                    continue
                result = restorer.restore(damaged, name).photo
                shown[small] = gr.update(value=_picture(result), visible=True)
                larger = None
                if values[enlarge]:
                    strength = values[denoise] if values[engine] == "general" else None
                    upscaled = restorer.upscale(result, 4, engine=values[engine], denoise=strength)
                    larger, ran = _picture(upscaled.photo), _engine_that_ran(values[engine], upscaled, request)
                shown[large] = gr.update(value=larger, visible=larger is not None)
                rows.append(_row(name.upper(), metrics.compare(result, truth), before))
        note = text("measures" if measured else "no_truth", request) + ran
        return {**shown, table: f"{_header()}{''.join(rows)}\n{note}" if measured else note}

    def show_denoise(name: str) -> Any:
        return gr.update(visible=name == "general")

    def clear() -> dict[Any, Any]:
        return dict.fromkeys(outputs)

    for event in (preset.change, seed.change):
        event(draw, [preset, seed], list(controls.values()), show_progress="hidden", api_visibility="private")
    dice.click(lambda: random.randrange(1_000_000), None, seed, api_visibility="private")
    engine.change(show_denoise, engine, denoise, show_progress="hidden", api_visibility="private")
    inputs: set[Block] = {photo, fit, seed, model, enlarge, engine, denoise, *controls.values()}
    outputs: list[Block] = [reference, degraded, table, *(each for pair in pictures.values() for each in pair)]
    photo.change(clear, None, outputs, show_progress="hidden", api_visibility="private")  # of another photo
    run.click(restore, inputs, outputs, api_name="restore")


def _engine_that_ran(asked: str, upscaled: Upscaled, request: gr.Request) -> str:
    ran = upscaled.upscaling
    if ran.engine == "bicubic":
        return text("ran_bicubic", request)
    said = text("ran", request).format(engine=ran.engine)
    if ran.denoise is not None:
        said += text("ran_denoise", request).format(denoise=ran.denoise)
    return said + (text("fell_back", request) if asked == "auto" and ran.engine == "fast" else "")


def _result_image(label: Any) -> gr.Image:
    return gr.Image(label=label, format="png", interactive=False, height=300, elem_classes="result")


def _picture(photo: Photo) -> Image.Image:
    return Image.fromarray(photo.pixels)


_COLUMNS = {
    "psnr": ("PSNR (dB)", 2),
    "psnr_luminance": ("PSNR Y (dB)", 2),
    "ssim": ("SSIM", 3),
    "ciede2000": ("CIEDE2000", 2),
}


def _header() -> str:
    titles = [title for title, _ in _COLUMNS.values()]
    return f"| | {' | '.join(titles)} |\n|---|{'---|' * len(titles)}\n"


def _row(title: str, measured: Metrics, before: Metrics | None = None) -> str:
    cells = [
        metrics.with_change(getattr(measured, name), getattr(before, name) if before else None, digits)
        for name, (_, digits) in _COLUMNS.items()
    ]
    return f"| **{title}** | {' | '.join(cells)} |\n"
