"""The About page says what the manifest and the measurements say, in both languages."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from restoration.weights import manifest, restorers
from tests.conftest import ROOT
from ui import about, diagrams
from ui.texts import text

SVG = "{http://www.w3.org/2000/svg}"
LANGUAGES = pytest.mark.parametrize("french", [False, True], ids=["en", "fr"])


def drawings(french: bool) -> dict[str, str]:
    return {
        entry.model: diagrams.diagram(entry.model, entry.config, lambda key: text(key, french)) for entry in restorers()
    }


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A copy of the measurements that a test may change."""
    shutil.copytree(about.RESULTS / "training", tmp_path / "training")
    shutil.copy(about.RESULTS / "quality.json", tmp_path)
    return tmp_path


@LANGUAGES
def test_the_page_shows_what_was_measured(french: bool) -> None:
    page = about.page(french)
    quality = json.loads((ROOT / "benchmarks" / "results" / "quality.json").read_text(encoding="utf-8"))
    for entry in restorers():
        gain = quality["conditions"]["original"]["scores"][entry.model]["psnr_luminance"]["gain"]
        shown = f"{gain:+.2f}".replace(".", ",") if french else f"{gain:+.2f}"
        parameters = f"{entry.parameters:,}".replace(",", "\u202f" if french else ",")
        log = (about.RESULTS / "training" / f"{entry.model}.jsonl").read_text(encoding="utf-8")
        photos = about.count(json.loads(log.splitlines()[-1])["photos"], french)
        for said in (f"<h3>{entry.title}</h3>", shown, f"<dd>{parameters}</dd>", entry.sha256[:12], f"{photos} photos"):
            assert said in page
    for entry in manifest().values():
        assert entry.name in page
        assert entry.sha256[:12] in page
    assert text("about_licence_weights", french).replace("'", "’" if french else "'") in page
    assert "BSD-3-Clause" in page
    assert "danielbuechele, CC BY 2.0" in page
    assert 'class="stale"' not in page
    assert not re.search(r"\{\w+\}|None|\bnan\b", page)  # nothing left to be filled in
    assert page.count('tabindex="0"') == page.count("<table>") == 3


@LANGUAGES
def test_the_page_is_well_formed(french: bool) -> None:
    page = ElementTree.fromstring(about.page(french))
    identities = [each.get("id") for each in page.iter() if each.get("id")]
    assert len(identities) == len(set(identities))
    assert {link.get("href") for link in page.iter("a")} >= {f"#{each.get('id')}" for each in page.iter("h2")}


@LANGUAGES
def test_each_diagram_has_a_name_and_shows_its_config(french: bool) -> None:
    for name, drawn in drawings(french).items():
        svg = ElementTree.fromstring(drawn)
        title, description = svg.find(f"{SVG}title"), svg.find(f"{SVG}desc")
        assert title is not None
        assert description is not None
        assert name.upper() in (title.text or "")
        assert svg.get("role") == "img"
        assert (svg.get("aria-labelledby"), svg.get("aria-describedby")) == (title.get("id"), description.get("id"))
        said = " ".join(text.text or "" for text in svg.iter(f"{SVG}text"))
        config = manifest()[f"{name}.safetensors"].config
        for part in ("restore", "colour"):
            assert ", ".join(map(str, config[part]["widths"])) in said


def test_a_diagram_follows_the_config() -> None:
    config = {"restore": {"widths": [8, 16, 24]}, "colour": {"widths": [64, 32], "latent": 5}}
    drawn = diagrams.diagram("vae", config, lambda key: text(key, False))
    assert "8, 16, 24 channels" in drawn
    assert "64, 32 channels" in drawn
    assert "5 numbers" in drawn
    assert diagrams.diagram("unheard of", {}, lambda key: text(key, False)) == ""


@LANGUAGES
def test_scores_of_other_weights_are_called_so(french: bool, results: Path) -> None:
    quality = json.loads((results / "quality.json").read_text(encoding="utf-8"))
    quality["weights_sha256"]["gan"] = "0" * 64
    (results / "quality.json").write_text(json.dumps(quality), encoding="utf-8")
    stale = re.search(r'<p class="stale"[^>]*>(.*?)</p>', about.page(french, results))
    assert stale is not None
    assert "GAN" in stale[1]
    assert "VAE" not in stale[1]


@LANGUAGES
def test_a_model_without_scores_or_a_log_is_no_failure(french: bool, results: Path) -> None:
    quality = json.loads((results / "quality.json").read_text(encoding="utf-8"))
    del quality["conditions"]["original"]["scores"]["cnn"], quality["weights_sha256"]["cnn"]
    (results / "quality.json").write_text(json.dumps(quality), encoding="utf-8")
    (results / "training" / "cnn.jsonl").unlink()
    page = about.page(french, results)
    assert f'<th scope="row">CNN</th><td>{text("about_unscored", french)}</td>' in page
    assert text("about_untold", french) in page
    assert 'class="stale"' not in page


def plain(words: str) -> str:
    """Before they were typeset."""
    return re.sub(r"\s", " ", words).replace("’", "'")


@LANGUAGES
def test_a_lead_that_may_be_chance_is_called_so(french: bool, results: Path) -> None:
    quality = json.loads((results / "quality.json").read_text(encoding="utf-8"))
    condition = quality["conditions"]["original"]
    for name, mean in (("vae", 29.0), ("gan", 28.0), ("cnn", 43.21)):
        condition["scores"][name]["psnr_luminance"]["mean"] = mean
    said = plain(text("about_close", french))
    for low, is_close in ((-0.1, True), (0.1, False)):
        condition["differences"]["cnn"]["vae"]["psnr_luminance"] = {"gain": 1.0, "interval": [low, 2.0]}
        (results / "quality.json").write_text(json.dumps(quality), encoding="utf-8")
        (line,) = [each for each in re.findall("<li>(.*?)</li>", about.page(french, results)) if "CNN 43" in each]
        assert (said in plain(line)) == is_close


def test_thousands_are_set_apart_as_the_language_does() -> None:
    assert about.count(1234567, False) == "1,234,567"
    assert about.count(1234567, True) == "1\u202f234\u202f567"


def test_the_citation_has_the_version() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert version is not None
    assert f"version = {{{version[1]}}}" in about.bibtex()
