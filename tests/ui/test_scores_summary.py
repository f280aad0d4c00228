"""Who won, in words."""

from __future__ import annotations

import pytest

from restoration.metrics import Judgement, Metrics
from ui.scores import Row, summary, summary_without_original


def row(light: float, colour: float, vivid: float = 10) -> Metrics:
    return Metrics(
        psnr=light, ssim=0.5, psnr_luminance=light, ssim_luminance=0.5, ciede2000=colour, colourfulness=vivid
    )


BEFORE = row(20, 15, 0)


@pytest.mark.parametrize(
    ("after", "says", "french"),
    [
        (
            {"VAE": row(22, 14, 30), "GAN": row(24.5, 12, 50), "CNN": row(23, 9)},
            "GAN came closest to the original in light and shade, 4.5 dB closer than the damaged photo. "
            "In colour, CNN came closest. GAN is the most vivid.",
            "Au plus près de l'original pour l'ombre et la lumière\u00a0: GAN, 4,5 dB de mieux que la photo abîmée. "
            "Pour les couleurs\u00a0: CNN. Le plus vif\u00a0: GAN.",
        ),
        (
            {"VAE": row(24.51, 16), "GAN": row(24.5, 17, 50)},
            "VAE and GAN came closest to the original in light and shade, 4.5 dB closer than the damaged photo. "
            "GAN is the most vivid.",
            "pour l'ombre et la lumière\u00a0: VAE et GAN, 4,5",
        ),
        (
            {"VAE": row(19, 16), "GAN": row(20, 15, 30)},
            "None of them helped: the damaged photo is as close to the original as what was made of it. "
            "GAN is the most vivid. VAE made light and shade worse.",
            "Aucun n'a aidé",
        ),
        (
            {"CNN": row(21, 16)},
            "CNN came closest to the original in light and shade, 1.0 dB closer than the damaged photo.",
            "pour l'ombre et la lumière\u00a0: CNN, 1,0 dB",
        ),
        (
            {"CNN": row(19, 9)},
            "In colour, CNN came closest. CNN made light and shade worse.",
            "Pour les couleurs\u00a0: CNN. CNN a dégradé l'ombre et la lumière.",
        ),
    ],
)
def test_the_closest_is_named(after: dict[str, Metrics], says: str, french: str) -> None:
    rows = [Row(title, measured) for title, measured in after.items()]
    assert summary(Row("", BEFORE), rows, False) == says
    assert french in summary(Row("", BEFORE), rows, True)


def looks(title: str, colourfulness: float) -> Row[Judgement]:
    return Row(title, Judgement(noise=0, blur=0, contrast=0, colourfulness=colourfulness))


VAE, GAN = looks("VAE", 20), looks("GAN", 40)


def test_without_an_original_nobody_is_closest() -> None:
    said = summary_without_original([VAE, GAN], 9.0, False)
    assert said == "There is no original to measure against: your eyes decide. GAN is the most vivid."
    assert "vivid" not in summary_without_original([VAE], 9.0, False)


def test_a_photo_that_needed_little_is_told_of() -> None:
    assert summary_without_original([VAE], 2.9, False).startswith(
        "This photo needed little: hardly anything has changed"
    )
    assert summary_without_original([VAE], 2.9, True).startswith("Cette photo demandait peu")
