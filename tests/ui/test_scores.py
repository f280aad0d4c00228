"""The tables of measures: numbers, words and signs in both languages, and who is best."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from restoration import Photo, Restorer, metrics
from restoration.metrics import Judgement, Metrics
from ui.scores import Row, best, change, helped, table, table_without_original

LANGUAGES = pytest.mark.parametrize("french", [False, True], ids=["en", "fr"])
COLUMNS = ("psnr_luminance", "psnr", "ssim", "ciede2000")
BEFORE = Metrics(
    psnr=20, ssim=0.5, psnr_luminance=22, ssim_luminance=0.6, ciede2000=12, colourfulness=30
)  # fmt: skip
VAE = replace(BEFORE, psnr=21.5, ssim=0.71234, psnr_luminance=25.25, ciede2000=9)
GAN = replace(BEFORE, psnr=19.25, ssim=0.5, psnr_luminance=25.27, ciede2000=13.5)


def lines(html: str) -> list[tuple[str, list[ElementTree.Element]]]:
    """The lines of a table's body: each one's title and cells. What is no XML is no table."""
    body = ElementTree.fromstring(html).find("tbody")
    assert body is not None
    return [("".join(line[0].itertext()), list(line)[1:]) for line in body]


def said(cell: ElementTree.Element) -> str:
    return " ".join("".join(cell.itertext()).split())


def kinds(cell: ElementTree.Element) -> list[str]:
    return [each.get("class", "") for each in cell]


# --- What changed -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "before", "expected"),
    [
        ("psnr", 21, 20, "better"),
        ("psnr", 19, 20, "worse"),
        ("psnr", 20.04, 20, "same"),
        ("psnr", 20.06, 20, "better"),
        ("psnr_luminance", 19.94, 20, "worse"),
        ("ssim", 0.503, 0.5, "better"),
        ("ssim", 0.501, 0.5, "same"),
        ("ciede2000", 9, 12, "better"),  # an error: lower is better
        ("ciede2000", 12, 9, "worse"),
        ("ciede2000", 9, 9, "same"),
        ("psnr", math.inf, 20, "better"),
        ("psnr", 20, math.inf, "worse"),
        ("psnr", math.inf, math.inf, "same"),
    ],
)
def test_a_change_is_judged_by_what_the_measure_means(name: str, value: float, before: float, expected: str) -> None:
    assert change(name, value, before) == expected


@pytest.mark.parametrize("name", COLUMNS)
def test_each_measure_points_the_right_way(name: str, photo: Photo) -> None:
    """More noise is worse by every measure, whichever way its numbers run."""
    noise = np.random.default_rng(0).normal(size=photo.pixels.shape)
    little, much = (
        metrics.compare(Photo(np.clip(photo.pixels + sigma * noise, 0, 255).astype(np.uint8)), photo)
        for sigma in (5, 40)
    )
    assert change(name, getattr(much, name), getattr(little, name)) == "worse"
    worst = replace(BEFORE, **{name: math.inf if name == "ciede2000" else 0})
    assert best(name, [much, little], worst) == {1}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"psnr_luminance": 25, "ciede2000": 9}, "helped_yes"),
        ({"psnr_luminance": 21, "ciede2000": 13}, "helped_no"),
        ({"psnr_luminance": 22, "ciede2000": 12}, "helped_no"),
        ({"psnr_luminance": 25, "ciede2000": 13}, "helped_light"),
        ({"psnr_luminance": 21, "ciede2000": 9}, "helped_colour"),
        ({"psnr_luminance": math.inf, "ciede2000": 0}, "helped_yes"),
    ],
)
def test_whether_it_helped(changes: dict[str, float], expected: str) -> None:
    assert helped(replace(BEFORE, **changes), BEFORE) == expected


def test_equal_photos_were_not_helped() -> None:
    perfect = replace(BEFORE, psnr=math.inf, psnr_luminance=math.inf, ssim=1, ciede2000=0)
    assert helped(perfect, perfect) == "helped_no"


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("psnr", [20, 21, 19], {1}),
        ("ciede2000", [9, 12, 8], {2}),
        ("psnr", [21, 20, 20.98], {0, 2}),  # no smaller step is shown as a change
        ("ciede2000", [8, 12, 8.02], {0, 2}),
        ("psnr", [20, 20.01, 19], set()),  # none is better than before
        ("psnr", [19, 19.5, 18], set()),  # least bad is not best
        ("psnr", [21, 21.01, 21.02], {0, 1, 2}),
        ("psnr", [21], {0}),
        ("psnr", [], set()),
        ("psnr", [math.inf, 20, math.inf], {0, 2}),
        ("psnr", [20, math.inf], {1}),
    ],
)
def test_the_best_are_those_that_are_better_and_that_nothing_tells_apart(
    name: str, values: list[float], expected: set[int]
) -> None:
    assert best(name, [replace(BEFORE, **{name: value}) for value in values], BEFORE) == expected


# --- Against the original ---------------------------------------------------------------------------------------------


@LANGUAGES
def test_the_table_of_measures(french: bool) -> None:
    rows = [Row("VAE", VAE, "30 ms"), Row("GAN", GAN, "40 ms")]
    html = table(Row("Abîmée" if french else "Degraded", BEFORE), rows, french)
    head = ElementTree.fromstring(html).find("thead")
    assert head is not None
    titles = [said(each) for each in head.iter("th")]
    assert all(each.get("scope") == "col" for each in head.iter("th"))
    (first, before), (second, vae), (third, gan) = lines(html)
    assert (first, second, third) == ("Abîmée" if french else "Degraded", "VAE", "GAN")
    for cells in (vae, gan):  # what a narrow screen shows instead of the head
        assert [cell.get("data-label") for cell in cells] == titles[1:]
    if french:
        assert [said(each) for each in before] == ["22,00", "20,00", "0,500", "12,00", "", ""]
        assert said(vae[0]) == "25,25▲ +3,25 mieux"
        assert said(vae[2]) == "0,712▲ +0,212 mieux★ meilleur"
        assert said(vae[3]) == "9,00▲ −3,00 mieux★ meilleur"
        assert said(gan[1]) == "19,25▼ −0,75 moins bien"
        assert said(gan[2]) == "0,500= +0,000 inchangé"
        assert said(gan[3]) == "13,50▼ +1,50 moins bien"
        assert [said(cells[4]) for cells in (vae, gan)] == ["oui", "ombres et lumières : oui ; couleurs : non"]
    else:
        assert [said(each) for each in before] == ["22.00", "20.00", "0.500", "12.00", "", ""]
        assert said(vae[0]) == "25.25▲ +3.25 better"
        assert said(vae[2]) == "0.712▲ +0.212 better★ best"
        assert said(vae[3]) == "9.00▲ −3.00 better★ best"
        assert said(gan[1]) == "19.25▼ −0.75 worse"
        assert said(gan[2]) == "0.500= +0.000 unchanged"
        assert said(gan[3]) == "13.50▼ +1.50 worse"
        assert [said(cells[4]) for cells in (vae, gan)] == ["yes", "light and shade: yes; colours: no"]
    assert [kinds(cell) for cell in vae[:4]] == [["better"], ["better", "best"], ["better", "best"], ["better", "best"]]
    assert [kinds(cell) for cell in gan[:4]] == [["better"], ["worse"], ["same"], ["worse"]]
    assert [said(cells[5]) for cells in (vae, gan)] == ["30 ms", "40 ms"]
    assert all(kinds(cell) == [] for cell in before)  # what nobody restored has no change and is never best


@LANGUAGES
def test_one_model_alone_is_not_the_best(french: bool) -> None:
    html = table(Row("Degraded", BEFORE), [Row("VAE", VAE)], french)
    assert "★" not in html
    assert len(lines(html)) == 2


@LANGUAGES
def test_an_infinite_psnr_is_a_sign(french: bool) -> None:
    perfect = replace(BEFORE, psnr=math.inf, psnr_luminance=math.inf, ssim=1, ciede2000=0)
    html = table(Row("Degraded", BEFORE), [Row("VAE", perfect)], french)
    assert said(lines(html)[1][1][1]) == ("∞▲ mieux" if french else "∞▲ better")
    html = table(Row("Degraded", perfect), [Row("VAE", BEFORE)], french)
    assert said(lines(html)[0][1][0]) == "∞"
    assert said(lines(html)[1][1][0]).endswith("▼ moins bien" if french else "▼ worse")
    html = table(Row("Degraded", perfect), [Row("VAE", perfect)], french)
    assert said(lines(html)[1][1][0]) == ("∞= inchangé" if french else "∞= unchanged")
    assert not re.search(r"\b(inf|nan)\b", html)


def test_a_real_run_is_told_as_it_was(photo: Photo, restorer: Restorer) -> None:
    grey = Photo(np.repeat(photo.pixels[..., 1:2], 3, axis=2))
    before, after = metrics.compare(grey, photo), metrics.compare(restorer.restore(grey, "vae").photo, photo)
    _, (_, cells) = lines(table(Row("", before), [Row("VAE", after)], False))
    for cell, name in zip(cells, COLUMNS, strict=False):
        digits = 3 if name == "ssim" else 2
        assert said(cell).startswith(f"{getattr(after, name):.{digits}f}")
        assert kinds(cell) == [change(name, getattr(after, name), getattr(before, name))]


# --- Without an original ----------------------------------------------------------------------------------------------


@LANGUAGES
def test_the_table_of_looks(french: bool) -> None:
    rough = Judgement(noise=12.34, blur=0.25, contrast=20, colourfulness=3)
    smooth = Judgement(noise=1.5, blur=0.6, contrast=75, colourfulness=45)
    html = table_without_original([Row("A", rough), Row("VAE", smooth, "30 ms")], french)
    (first, one), (second, other) = lines(html)
    assert (first, second) == ("A", "VAE")
    if french:
        assert [said(each) for each in one] == ["fort (12,3)", "nette (0,25)", "plat (20)", "grise (3)", ""]
        assert [said(each) for each in other] == ["un peu (1,5)", "floue (0,60)", "fort (75)", "vive (45)", "30 ms"]
    else:
        assert [said(each) for each in one] == ["strong (12.3)", "sharp (0.25)", "flat (20)", "grey (3)", ""]
        assert [said(each) for each in other[:3]] == ["a little (1.5)", "blurred (0.60)", "strong (75)"]
        assert [said(each) for each in other[3:]] == ["vivid (45)", "30 ms"]
    assert "PSNR" not in html
    assert "★" not in html


def test_each_measure_has_four_words_one_after_the_other() -> None:
    """From the least to the most that a photo may have."""
    told = []
    for step in range(1000):
        looks = Judgement(noise=step / 20, blur=step / 1000, contrast=step / 8, colourfulness=step / 8)
        ((_, cells),) = lines(table_without_original([Row("", looks)], False))
        told.append([said(each).split(" (")[0] for each in cells[:4]])
    for words in zip(*told, strict=True):
        changes = sum(before != after for before, after in pairwise(words))
        assert (len(set(words)), changes) == (4, 3)


def test_words_follow_the_damage(photo: Photo) -> None:
    def cells(pixels: np.ndarray) -> list[str]:
        html = table_without_original([Row("", metrics.judge(Photo(pixels)))], False)
        return [said(each) for each in lines(html)[0][1]]

    grey = np.repeat(photo.pixels[..., 1:2], 3, axis=2)
    noisy = np.clip(photo.pixels + np.random.default_rng(0).normal(0, 30, photo.pixels.shape), 0, 255).astype(np.uint8)
    small = photo.pixels.reshape(16, 8, 16, 8, 3).mean((1, 3)).astype(np.uint8)
    assert cells(grey)[3] == "grey (0)"
    assert cells(noisy)[0].startswith("strong")
    assert cells(np.kron(small, np.ones((8, 8, 1), np.uint8)))[3].split(" (")[0] in ("moderate", "vivid")
    assert cells((photo.pixels // 8 + 100).astype(np.uint8))[2].startswith("flat")
