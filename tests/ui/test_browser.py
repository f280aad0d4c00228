"""The app in Chromium, as a visitor meets it; nothing that no test foresees may stand in the browser's console."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from restoration import PRESETS, Degradation, Look, Photo, Recipe, Restorer, image, metrics, pipeline
from restoration.types import Inpainting, drawn_sha256
from tests.conftest import EXAMPLES
from tests.ui.conftest import Visit
from tests.ui.page import (
    COFFEE,
    LANGUAGES,
    TABS,
    TITLES,
    VERDICT,
    box,
    choose,
    contents,
    damage,
    drawn_as,
    drop,
    expect,
    expect_strengths,
    large_photo,
    measures,
    open_tab,
    photo_at,
    pick,
    restore,
    run_everything,
    say,
    seen,
    send,
    send_to_laboratory,
    settings,
    shown,
    shows,
    small,
    table,
    unfold,
    wait_for_opening,
    wait_for_picture,
    wait_for_rest,
    wait_for_run,
)
from tests.ui.words import SENTENCES
from ui import examples
from ui.tabs.restore import LARGE, OPENING
from ui.texts import i18n, number, text

if TYPE_CHECKING:
    from playwright.sync_api import Download, Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def truth() -> Photo:
    """The photo that most tests send, 128x128."""
    return image.fit(image.load(COFFEE))


def choices(page: Page) -> list[str]:
    """The pictures that there are to see."""
    return [str(radio.get_attribute("value")) for radio in page.locator("#viewer .choices input").all()]


def runs_of(page: Page) -> list[str]:
    """What from now on is asked of the server to be restored, as a list that grows."""
    config = page.evaluate("window.gradio_config")
    (button,) = (each["id"] for each in config["components"] if each["props"].get("elem_id") == "restore")
    (function,) = (each["id"] for each in config["dependencies"] if [button, "click"] in each["targets"])
    asked: list[str] = []

    def note(request: object) -> None:
        body = getattr(request, "post_data", None)
        if str(getattr(request, "url", "")).partition("?")[0].endswith("/queue/join") and body:
            asked.extend(body for _ in range(json.loads(body)["fn_index"] == function))

    page.on("request", note)
    return asked


def taken_home(page: Page, button: str) -> Download:
    with page.expect_download() as download:
        page.locator(button).click()
    return download.value


def archive_of(page: Page) -> zipfile.ZipFile:
    """What comes of Everything."""
    return zipfile.ZipFile(taken_home(page, "#save-all").path())


# --- The page, as it opens --------------------------------------------------------------------------------------------


@LANGUAGES
def test_the_page_opens_with_an_example_restored(
    visit: Visit, restorer: Restorer, tmp_path: Path, french: bool
) -> None:
    page = visit(french=french)
    wait_for_opening(page)
    whole = image.load(EXAMPLES / f"{OPENING}.jpg", reduce_to=None)
    given = examples.OLD.apply(whole, examples.NAMES.index(OPENING))
    for each, expected in ((".before", given), (".after", restorer.restore_whole(given, "vae").photo)):
        assert shows(page, page.locator(f"#viewer {each}"), expected, tmp_path)
    assert choices(page) == ["photo", *TITLES]
    expect(page.locator("#verdict")).to_contain_text(say("verdict_unknown", french))
    expect(page.locator("#examples").get_by_label(say(f"example_{OPENING}", french))).to_be_checked()
    expect(page.locator("#mode").get_by_label(say("mode_damaged", french))).to_be_checked()
    assert page.locator("#photo img").evaluate("img => img.src.endsWith('_old.png')")


def test_reloading_the_page_brings_the_example_back(visit: Visit) -> None:
    page = visit()
    send(page)
    page.reload()
    wait_for_opening(page)
    assert f"/{OPENING}_old_vae_" in shown(page)


def test_nothing_is_restored_without_a_photo(visit: Visit) -> None:
    page = visit()
    wait_for_opening(page)
    asked = runs_of(page)
    page.get_by_role("button", name="Remove Image").click()
    expect(page.locator("#restore")).to_be_disabled()
    for each in ("#viewer .stage", "#viewer .choices", "#save", "#save-all"):
        expect(page.locator(each)).to_be_hidden()
    expect(page.locator(VERDICT)).to_be_empty()
    for example in page.locator("#examples input").all():
        expect(example).not_to_be_checked()
    expect(page.get_by_test_id("toast-text")).to_have_count(0)
    drop(page)
    wait_for_run(page, "coffee")
    expect(page.locator("#restore")).to_be_enabled()
    assert len(asked) == 1


# --- A photo that is damaged ------------------------------------------------------------------------------------------


def test_choosing_a_photo_is_enough(visit: Visit, restorer: Restorer, tmp_path: Path) -> None:
    """One choice of a file gives every model's picture, and each but once."""
    page = visit()
    wait_for_opening(page)
    asked = runs_of(page)
    drop(page)
    wait_for_run(page, "coffee")
    whole = image.load(COFFEE, reduce_to=None)
    assert choices(page) == ["photo", *TITLES]
    for example in page.locator("#examples input").all():
        expect(example).not_to_be_checked()
    assert shows(page, small(page, "photo"), whole, tmp_path)
    assert shows(page, page.locator("#viewer .before"), whole, tmp_path)
    for model in TITLES:
        pick(page, model)
        expect(page.locator("#viewer .after")).to_have_attribute("alt", f"{TITLES[model]} 600×400")
        assert shows(page, page.locator("#viewer .after"), restorer.restore_whole(whole, model).photo, tmp_path)
    assert {drawn_as(page.locator(f"#viewer {each}")) for each in (".before", ".after")} == {"auto"}
    page.wait_for_timeout(1000)
    assert len(asked) == 1

    expect(page.locator("#verdict")).to_have_text(re.compile(rf"{say('verdict_unknown')} \w+ is the most vivid\."))
    lines = table(page)
    assert [line[0] for line in lines] == ["Your photo", *TITLES.values()]
    for line in lines:
        assert re.fullmatch(r"(hardly any|a little|visible|strong) \([\d.]+\)", line[1])
        assert re.fullmatch(r"(sharp|a little soft|soft|blurred) \([\d.]+\)", line[2])
    judged = measures(page)
    assert "Its own colours were kept." in judged
    assert "PSNR" not in judged
    assert "SSIM" not in judged
    assert say("fell_back").strip() not in judged  # as nothing was enlarged


def test_pictures_come_one_by_one(visit: Visit) -> None:
    page = visit()
    wait_for_opening(page)
    page.evaluate("""() => {
      window.counts = [];
      const choices = document.querySelector("#viewer .choices");
      new MutationObserver(() => window.counts.push(choices.children.length)).observe(choices, { childList: true });
    }""")
    drop(page)
    expect(page.locator("#verdict")).to_contain_text(re.compile(r"Restoring - \d"))
    expect(page.locator("#restore")).to_be_hidden()
    wait_for_run(page, "coffee")
    counts = page.evaluate("window.counts")
    assert counts == sorted(counts)
    assert {2, 3, 4} <= {*counts}


def test_another_photo_takes_the_place_of_the_one_that_is_being_restored(visit: Visit, tmp_path: Path) -> None:
    large_photo(tmp_path / "large.png", 1400, 1400)
    page = visit()
    wait_for_opening(page)
    asked = runs_of(page)
    drop(page, tmp_path / "large.png")
    expect(page.locator("#stop")).to_be_visible()
    drop(page)
    wait_for_run(page, "coffee")
    page.wait_for_timeout(1000)
    assert "/coffee_" in shown(page)
    assert len(asked) == 2


def test_a_run_can_be_ended(visit: Visit, tmp_path: Path) -> None:
    """What is finished stays, and Restore is back."""
    large_photo(tmp_path / "large.png", 1400, 1400)
    page = visit()
    wait_for_opening(page)
    drop(page, tmp_path / "large.png")
    expect(page.locator("#viewer .choices label")).to_have_count(2)
    page.locator("#stop").click()
    expect(page.locator("#stop")).to_be_hidden()
    wait_for_run(page, "large", models=1)
    assert choices(page) == ["photo", "vae"]
    assert [line[0] for line in table(page)] == ["Your photo", "VAE"]
    choose(page, "cnn")
    restore(page)
    assert choices(page) == ["photo", "cnn"]


def test_a_large_photo_is_shown_as_a_preview_and_taken_home_whole(
    visit: Visit, restorer: Restorer, tmp_path: Path
) -> None:
    whole = large_photo(tmp_path / "large.png", 2000, 1500)
    assert whole.width * whole.height > LARGE
    page = visit()
    send(page, tmp_path / "large.png")
    expect(page.locator("#viewer .preview")).to_have_text(text("viewer_preview", False, width=2000, height=1500))
    before = photo_at(page, page.locator("#viewer .after"), tmp_path)
    assert 0.95e6 < before.width * before.height < 1.05e6
    pick(page, "cnn")
    file = taken_home(page, "#save")
    assert file.suggested_filename == "large_cnn_2000x1500.png"
    saved = image.load(file.path(), reduce_to=None)
    assert np.array_equal(saved.pixels, restorer.restore_whole(whole, "cnn").photo.pixels)
    expect(page.locator("#viewer .after")).to_have_attribute("alt", "CNN 2000×1500")
    expect(page.locator("#viewer .choices input[value=cnn]")).to_be_checked()
    pick(page, "gan")
    page.get_by_role("button", name=say("viewer_fullscreen")).click()
    expect(page.locator("#viewer .after")).to_have_attribute("alt", "GAN 2000×1500")


def test_what_is_left_out_of_a_photo_is_said(visit: Visit, tmp_path: Path) -> None:
    """Beside the result; and of a photo that the page makes a PNG of first, at once."""
    (tmp_path / "cut.jpg").write_bytes(COFFEE.read_bytes()[:-9000])
    with Image.open(COFFEE) as picture:
        picture.save(tmp_path / "pages.tif", save_all=True, append_images=[picture])
    page = visit()
    wait_for_opening(page)
    drop(page, tmp_path / "cut.jpg")
    wait_for_run(page, "cut")
    expect(page.locator("#verdict")).to_contain_text("The file is cut short or damaged: 9")
    drop(page, tmp_path / "pages.tif")
    expect(page.locator(".toast-body")).to_contain_text("pages that are left out: 1")
    wait_for_run(page, "pages")


def test_a_white_logo_on_nothing_shows(visit: Visit, tmp_path: Path) -> None:
    logo = Image.new("RGBA", (96, 64), (255, 255, 255, 0))
    logo.paste("white", (30, 20, 60, 40))
    logo.save(tmp_path / "logo.png")
    page = visit()
    wait_for_opening(page)
    drop(page, tmp_path / "logo.png")
    wait_for_run(page, "logo")
    shown = np.asarray(Image.open(io.BytesIO(page.locator("#viewer .pair").screenshot())).convert("L"))
    assert (np.percentile(shown, [10, 50]) < 200).all()
    assert (shown > 250).mean() > 0.08


def test_a_photo_that_the_browser_cannot_show_is_restored_too(visit: Visit, tmp_path: Path) -> None:
    pillow_heif.register_heif_opener()
    Image.open(COFFEE).save(tmp_path / "a.heic")
    page = visit()
    wait_for_opening(page)
    asked = runs_of(page)
    drop(page, tmp_path / "a.heic")
    wait_for_run(page, "a")
    seen(page.locator("#photo img"))
    given = image.load(tmp_path / "a.heic", reduce_to=None)
    assert shows(page, page.locator("#viewer .before"), given, tmp_path)
    page.wait_for_timeout(1000)
    assert len(asked) == 1


def test_scratches_are_shown_corrected_and_mended(visit: Visit, restorer: Restorer, tmp_path: Path) -> None:
    whole = image.load(EXAMPLES / "astronaut.jpg", reduce_to=None)
    cracked = Degradation(scratches=6, grayscale=True).apply(whole, 3)
    image.save(cracked, tmp_path / "cracked.png")
    page = visit()
    send(page, tmp_path / "cracked.png")
    unfold(page, "#mending")
    page.locator("#find-scratches").click()
    expect(page.locator("#scratches-told")).to_contain_text("looks damaged")
    expect(page.get_by_label(say("scratches_mend"))).to_be_checked()

    canvas = page.locator("#scratches-editor canvas")
    page.wait_for_function("document.querySelector('#scratches-editor canvas').width === 512")

    def draw(*places: tuple[float, float]) -> None:
        canvas.scroll_into_view_if_needed()
        at = box(canvas)
        page.mouse.move(at["x"] + places[0][0] * at["width"], at["y"] + places[0][1] * at["height"])
        page.mouse.down()
        for x, y in places[1:]:
            page.mouse.move(at["x"] + x * at["width"], at["y"] + y * at["height"], steps=5)
        page.mouse.up()

    draw((0.4, 0.9), (0.6, 0.9))
    page.get_by_label(say("scratches_eraser")).check()
    page.locator("#scratches-editor input[type=range]").fill("10")
    draw(*((x, y / 20) for y in range(9) for x in (0.02, 0.98)))  # nothing of the upper part stays red
    draw((0.4, 0.9), (0.6, 0.9))
    page.get_by_role("button", name=say("scratches_undo")).click()  # but the stroke does
    choose(page, "cnn")
    restore(page)
    expect(page.locator(VERDICT)).to_contain_text("Mended: ")
    assert shows(page, small(page, "photo"), cracked, tmp_path)
    (tmp_path / "mask.png").write_bytes(archive_of(page).read("cracked_mask_512x512.png"))
    mask = image.load(tmp_path / "mask.png", reduce_to=None)
    marked = mask.pixels[..., 0] > 127
    assert not marked[:200].any()
    assert marked[457:464, 210:300].all()
    recipe = Recipe(
        size="own", inpaint=Inpainting(mask=drawn_sha256(mask)), look=Look(colour="auto"), models={"cnn": None}
    )
    expected = pipeline.run(restorer, cracked, recipe, drawn=mask).restored["cnn"].photo
    assert shows(page, page.locator("#viewer .after"), expected, tmp_path)


def test_the_vae_draws_eight_samples_and_a_map(visit: Visit) -> None:
    page = visit()
    send(page)
    page.get_by_role("button", name=say("samples")).click()
    page.get_by_role("button", name=say("samples_run")).click()
    samples = page.locator(".gallery-container img:visible, .grid-container img:visible")
    expect(samples).to_have_count(8)
    addresses = {seen(picture) for picture in samples.all()}
    assert len({contents(page, address) for address in addresses}) == 8
    assert samples.first.evaluate("img => [img.naturalWidth, img.naturalHeight]") == [128, 128]
    assert [picture.get_attribute("alt") for picture in samples.all()] == [f"sample {place}" for place in range(1, 9)]
    where = page.get_by_role("img", name=say("samples_map"))
    seen(where)
    whole = "img => img.getBoundingClientRect().bottom <= img.closest('.block').getBoundingClientRect().bottom + 1"
    assert where.evaluate(whole)


# --- The laboratory ---------------------------------------------------------------------------------------------------


def test_the_laboratory_damages_restores_and_says_who_won(visit: Visit, restorer: Restorer, truth: Photo,
                                                          tmp_path: Path) -> None:  # fmt: skip
    page = visit()
    send_to_laboratory(page)
    assert choices(page) == ["original", "degraded", *TITLES]
    degraded = PRESETS["original"].draw(0).apply(truth, 0)
    assert shows(page, small(page, "original"), truth, tmp_path)
    assert shows(page, small(page, "degraded"), degraded, tmp_path)
    made = {name: restorer.restore(degraded, name).photo for name in TITLES}
    for name, photo in made.items():
        assert shows(page, small(page, name), photo, tmp_path)
    light = {TITLES[name]: metrics.psnr(photo, truth) for name, photo in made.items()}
    lines = table(page)
    assert [line[0] for line in lines] == ["Damaged", *TITLES.values()]
    for title, *cells in lines[1:]:
        assert ("★ best" in cells[1]) == (max(light.values()) - light[title] < 0.05)  # a smaller lead is none
    gain = max(
        metrics.compare(photo, truth).psnr_luminance - metrics.compare(degraded, truth).psnr_luminance
        for photo in made.values()
    )
    expect(page.locator("#verdict")).to_contain_text(
        re.compile(rf"came closest to the original in light and shade, {gain:.1f} dB closer than the damaged photo\.")
    )
    notes = page.locator("#viewer .choices small")
    for note in notes.all()[1:]:
        expect(note).to_have_text(re.compile(r"^\d+\.\d dB( \([+−]\d+\.\d\))? · SSIM \d\.\d\d · colour error \d+\.\d$"))

    page.locator("#mode").get_by_label(say("mode_damaged")).check()  # and everything is as it was
    expect(page.locator("#viewer .choices label")).to_have_count(1 + len(TITLES))
    for unseen in ("#by-hand", "#preset", "#dice", "#error-maps"):
        expect(page.locator(unseen)).to_be_hidden()
    expect(page.locator("#look")).to_be_visible()
    unfold(page, "#size")
    expect(page.locator("#scale").get_by_label(say("upscale_0"), exact=True)).to_be_checked()


@pytest.mark.parametrize("model", TITLES)
def test_one_model_restores_enlarges_and_is_measured(
    visit: Visit, restorer: Restorer, truth: Photo, tmp_path: Path, model: str
) -> None:
    page = visit()
    send_to_laboratory(page)
    choose(page, model, scale=4)
    restore(page)

    assert choices(page) == ["original", "degraded", model]
    degraded = photo_at(page, small(page, "degraded"), tmp_path)
    restored = photo_at(page, small(page, model), tmp_path)
    enlarged = photo_at(page, page.locator("#viewer .after"), tmp_path)
    assert shows(page, page.locator("#viewer .before"), degraded, tmp_path)
    assert np.array_equal(degraded.pixels, PRESETS["original"].draw(0).apply(truth, 0).pixels)
    assert np.array_equal(restored.pixels, restorer.restore(degraded, model).photo.pixels)
    assert (enlarged.width, enlarged.height) == (512, 512)
    rendered = [
        drawn_as(each) for each in (page.locator("#viewer .before"), small(page, model), small(page, "original"))
    ]
    assert rendered == ["pixelated"] * 3
    assert drawn_as(page.locator("#viewer .after")) == "auto"

    before, after = metrics.compare(degraded, truth), metrics.compare(restored, truth)
    first, second = table(page)
    assert first[:3] == ["Damaged", f"{before.psnr_luminance:.2f}", f"{before.psnr:.2f}"]
    assert second[0] == TITLES[model]
    gain = after.psnr_luminance - before.psnr_luminance
    assert second[1].split() == [f"{after.psnr_luminance:.2f}", "▲", f"+{gain:.2f}", "better"]
    error = number(after.ciede2000 - before.ciede2000, 2, False, sign=True)
    assert second[4].split() == [f"{after.ciede2000:.2f}", "▲", error, "better"]
    assert second[5] == "yes"
    assert re.fullmatch(r"\d+ ms, ×4: \d+ ms", second[6])
    head = page.locator("#measures thead th").all_inner_texts()
    assert head[0] == "Photo"
    assert "Did it help?" in head
    assert say("fell_back").strip() in measures(page)  # the better engine is not at hand here

    file = taken_home(page, "#save")
    assert file.suggested_filename == f"coffee_{model}_x4_512x512.png"
    assert file.path().read_bytes() == contents(page, seen(page.locator("#viewer .after")))
    everything = archive_of(page)
    assert everything.filename
    assert sorted(everything.namelist()) == sorted([
        "coffee_original_128x128.png", "coffee_degraded_128x128.png", f"coffee_{model}_128x128.png",
        f"coffee_{model}_x4_512x512.png", "coffee_sheet.png", "coffee_recipe.json",
    ])  # fmt: skip
    assert everything.read(f"coffee_{model}_128x128.png") == contents(page, seen(small(page, model)))
    assert list(json.loads(everything.read("coffee_recipe.json"))["models"]) == [model]


def test_damage_by_hand_is_seen_at_once(visit: Visit, truth: Photo, tmp_path: Path) -> None:
    page = visit()
    send_to_laboratory(page)
    degraded, presets = small(page, "degraded"), page.locator("#preset")
    drawn = PRESETS["original"].draw(0)
    expect_strengths(page, drawn)
    assert shows(page, degraded, drawn.apply(truth, 0), tmp_path)
    expect(presets.get_by_label("original", exact=True)).to_be_checked()

    restored = seen(small(page, "vae"))
    slider = page.locator("#control-gaussian input[type=range]")
    for _ in range(3):
        slider.press("ArrowRight")
    moved = Degradation(**{**drawn.__dict__, "gaussian": 0.06})
    wait_for_picture(page, degraded, moved.apply(truth, 0), tmp_path)
    expect(page.locator("#control-gaussian input[type=number]")).to_have_value("0.06")
    for preset in presets.locator("input").all():  # what is set by hand is no preset's
        expect(preset).not_to_be_checked()
    assert seen(small(page, "vae")) == restored  # which is of the damage before, and so:
    expect(page.locator("#viewer .stale")).to_have_text(say("viewer_stale"))
    expect(page.locator("#viewer .stale")).to_be_visible()

    restore(page)
    expect(page.locator("#viewer .stale")).to_be_hidden()
    assert shows(page, degraded, moved.apply(truth, 0), tmp_path)
    assert seen(small(page, "vae")) != restored


def test_settings_that_changed_dim_what_is_shown(visit: Visit) -> None:
    page = visit()
    wait_for_opening(page)
    stale, pair = page.locator("#viewer .stale"), page.locator("#viewer .pair")
    expect(stale).to_be_hidden()
    opacity = """each => {
      let shown = 1;
      for (; each; each = each.parentElement) shown *= getComputedStyle(each).opacity;
      return shown;
    }"""
    assert pair.evaluate(opacity) == 1
    page.locator("#models").get_by_label("GAN").uncheck()
    expect(stale).to_be_visible()
    assert pair.evaluate(opacity) < 0.5
    restore(page)
    expect(stale).to_be_hidden()
    assert pair.evaluate(opacity) == 1
    assert choices(page) == ["photo", "vae", "cnn"]


def test_presets_and_seeds_set_the_damage(visit: Visit, truth: Photo, tmp_path: Path) -> None:
    page = visit()
    send_to_laboratory(page)
    degraded = small(page, "degraded")
    page.locator("#preset").get_by_label("antique", exact=True).check()
    expect_strengths(page, PRESETS["antique"].draw(0))
    wait_for_picture(page, degraded, PRESETS["antique"].draw(0).apply(truth, 0), tmp_path)

    seed = page.locator("#seed input")
    page.locator("#dice").click()
    expect(seed).not_to_have_value("0")
    rolled = int(seed.input_value())
    expect_strengths(page, PRESETS["antique"].draw(rolled))
    wait_for_picture(page, degraded, PRESETS["antique"].draw(rolled).apply(truth, rolled), tmp_path)

    seed.fill("1234")
    seed.press("Enter")
    expect_strengths(page, PRESETS["antique"].draw(1234))
    wait_for_picture(page, degraded, PRESETS["antique"].draw(1234).apply(truth, 1234), tmp_path)

    page.locator("#preset").get_by_label(say("off"), exact=True).check()
    expect_strengths(page, Degradation())
    wait_for_picture(page, degraded, truth, tmp_path)
    wait_for_run(page, "coffee")
    expect(page.locator("#viewer .stale")).to_be_hidden()


def test_an_example_is_a_photo_too(visit: Visit, truth: Photo, tmp_path: Path) -> None:
    """An old print of it, or in the laboratory itself."""
    page = visit()
    wait_for_opening(page)
    page.locator("#examples").get_by_label("Coffee").check(force=True)
    wait_for_run(page, "coffee_old")
    whole = image.load(COFFEE, reduce_to=None)
    expected = examples.OLD.apply(whole, examples.NAMES.index("coffee"))
    assert shows(page, page.locator("#viewer .before"), expected, tmp_path)
    damage(page)
    expect(page.locator("#viewer .choices label")).to_have_count(2 + len(TITLES))
    wait_for_run(page, "coffee")
    assert shows(page, small(page, "original"), truth, tmp_path)
    assert shows(page, small(page, "degraded"), PRESETS["original"].draw(0).apply(truth, 0), tmp_path)


def test_a_small_picture_is_seen_large_at_once(visit: Visit) -> None:
    """Nothing is asked of the server but the picture itself."""
    page = visit()
    send_to_laboratory(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/gradio_api/file=" not in request.url else None)
    for kind in ("gan", "cnn", "original"):
        pick(page, kind)
        expect(page.locator("#viewer .after")).to_have_attribute("src", re.compile(rf"/coffee_{kind}_[x\d_]+\.png$"))
        seen(page.locator("#viewer .after"))
        expect(page.locator(f"#viewer .choices input[value={kind}]")).to_be_checked()
    pick(page, "degraded")  # which is beside itself no before and after
    expect(page.locator("#viewer").get_by_role("slider")).to_be_hidden()
    pick(page, "gan")
    for key, arrangement in (("viewer_large", "one"), ("viewer_all", "all")):
        page.get_by_role("button", name=say(key), exact=True).click()
        expect(page.locator(f"#viewer [data-view={arrangement}]")).to_have_count(1)
    assert not asked

    page.locator("#dice").click()  # what was chosen outlasts the run
    wait_for_rest(page)
    expect(page.locator("#viewer .choices input[value=gan]")).to_be_checked()


def test_error_maps_stand_in_the_pictures_places(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    wait_for_opening(page)
    expect(page.locator("#error-maps")).to_be_hidden()
    send_to_laboratory(page)
    before = {kind: photo_at(page, small(page, kind), tmp_path) for kind in choices(page)}
    page.locator("#error-maps").click()
    for kind in ("degraded", *TITLES):
        expect(small(page, kind)).to_have_attribute("src", re.compile(rf"/coffee_{kind}_error\.png$"))
        shown_map = photo_at(page, small(page, kind), tmp_path)
        differs = np.abs(before[kind].pixels.astype(float) - before["original"].pixels).mean(2)
        assert np.array_equal(shown_map.pixels[..., 0], np.rint(np.clip(differs * (255 / 64), 0, 255)))
    page.locator("#error-maps").click()
    for kind in choices(page):
        expect(small(page, kind)).not_to_have_attribute("src", re.compile("_error"))
        assert shows(page, small(page, kind), before[kind], tmp_path)


# --- What is said -----------------------------------------------------------------------------------------------------


@LANGUAGES
def test_a_file_that_is_no_picture_is_one_clear_sentence(visit: Visit, french: bool) -> None:
    """Also where an example was before, which makes Gradio build the component anew."""
    page = visit(french=french)
    wait_for_opening(page)
    text_file = {"name": "photo.png", "mimeType": "image/png", "buffer": b"words " * 40}
    page.locator("#photo input[type=file]").set_input_files(text_file)
    says = "photo.png n'est pas une image lisible" if french else "photo.png is not a picture"
    expect(page.get_by_test_id("toast-text").filter(has_text=says).first).to_be_visible()
    expect(page.locator("#viewer .stage")).to_be_hidden()


@LANGUAGES
def test_what_is_missing_is_said_in_the_visitors_language(visit: Visit, french: bool) -> None:
    page = visit(french=french)
    wait_for_opening(page)
    page.locator("#models input").first.wait_for()
    for box_of_model in page.locator("#models input").all():
        box_of_model.uncheck()
    steps = [("tab_restore", "run", "no_model"), ("tab_robustness", "sweep_run", "no_photo"),
             ("tab_batch", "batch_run", "batch_none")]  # fmt: skip
    for tab, button, says in steps:
        if says == "no_photo":
            page.get_by_role("button", name=re.compile("Remove Image|Supprimer")).click()
            expect(page.locator("#restore")).to_be_disabled()
        open_tab(page, tab, french)
        page.get_by_role("button", name=say(button, french), exact=True).click()
        toast = page.get_by_test_id("toast-text").filter(has_text=say(says, french))
        expect(toast).to_be_visible()
        page.get_by_test_id("toast-close").first.click()
        expect(toast).to_have_count(0)


# --- The other tabs ---------------------------------------------------------------------------------------------------


def test_robustness_draws_a_plot_and_writes_a_table(visit: Visit) -> None:
    page = visit()
    send(page)
    open_tab(page, "tab_robustness")
    for each in ("#photo", "#examples"):
        expect(page.locator(each)).to_be_visible()
    for each in ("#mode", "#restore", "#models"):
        expect(page.locator(each)).to_be_hidden()
    page.locator("#sweep").click()
    seen(page.locator("#plot img"))
    seen(page.locator("#strip img"))
    alt = page.locator("#plot img").get_attribute("alt") or ""
    assert all(title in alt for title in ("Damaged", *TITLES.values()))
    assert page.locator("#strip img").get_attribute("alt")
    address = page.locator(".file-preview:visible a[href$='.csv']").get_attribute("href") or ""
    lines = list(csv.DictReader(io.StringIO(contents(page, address).decode("utf-8-sig"))))
    strengths, candidates = ({line[column] for line in lines} for column in list(lines[0])[:2])
    assert len(lines) == 8 * (1 + len(TITLES))
    assert len(strengths) == 8
    assert candidates == {"Damaged", *TITLES.values()}


def test_a_batch_restores_what_it_can_and_says_what_it_cannot(visit: Visit, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "album.zip", "w") as album:
        album.write(EXAMPLES / "chelsea.jpg", "pets/chelsea.jpg")
    (tmp_path / "notes.txt").write_text("no photo " * 20)
    page = visit()
    open_tab(page, "tab_batch")
    files = page.locator("#batch-files input[type=file]")
    files.set_input_files([COFFEE, tmp_path / "album.zip", tmp_path / "notes.txt"])
    expect(page.locator("#batch-files .file-preview tr")).to_have_count(3)
    page.locator("#batch").click()
    summary = page.locator("#batch-summary")
    expect(summary).to_contain_text("2 of 3 restored.")
    expect(summary.locator("li")).to_have_count(1)
    expect(summary.locator("li")).to_contain_text("notes.txt: notes.txt is not a picture")
    address = page.locator("#batch-zip a").first.get_attribute("href") or ""
    restored = zipfile.ZipFile(io.BytesIO(contents(page, address)))
    assert sorted(restored.namelist()) == ["batch.jsonl", "coffee.jpg", "pets/chelsea.jpg"]
    assert restored.read("coffee.jpg").startswith(b"\xff\xd8")


@LANGUAGES
def test_about_draws_the_networks_and_scores_every_model(visit: Visit, french: bool) -> None:
    page = visit(french=french)
    open_tab(page, "tab_about", french)
    about = page.locator(".about")
    drawn = page.get_by_role("img", name="VAE, GAN, CNN")
    expect(drawn.get_by_text("Photo restaurée" if french else "Restored photo", exact=True)).to_be_visible()
    for title in TITLES.values():
        expect(about.get_by_role("row", name=re.compile(rf"^{title} \d")).first).to_be_visible()


# --- The recipe -------------------------------------------------------------------------------------------------------


def test_a_recipes_link_reopens_the_app_in_the_same_state(visit: Visit) -> None:
    page = visit()
    send_to_laboratory(page)
    page.locator("#preset").get_by_label("heavy", exact=True).check()
    page.locator("#seed input").fill("7")
    page.locator("#seed input").press("Enter")
    expect_strengths(page, PRESETS["heavy"].draw(7))
    page.locator("#fit").get_by_label("pad", exact=True).check()
    choose(page, "vae", "gan", scale=2)
    page.get_by_label(say("engine")).click()
    page.get_by_role("option", name=say("engine_bicubic")).click()
    wait_for_rest(page)
    restore(page)
    unfold(page, "#recipes")
    address = page.locator("#recipe-link textarea, #recipe-link input")
    expect(address).to_have_value(re.compile(r"\?recipe=[\w-]+$"))
    link = address.input_value()

    reopened = visit(link)
    expect(reopened.get_by_text(say("recipe_loaded"))).to_be_visible()
    expect_strengths(reopened, PRESETS["heavy"].draw(7))  # the values come just after the words
    assert settings(reopened) == settings(page)
    expect(reopened.locator("#viewer .stage")).to_be_hidden()
    expect(reopened.locator("#restore")).to_be_disabled()
    drop(reopened)
    wait_for_run(reopened, "coffee", models=2)
    for picture in ("degraded", "vae", "gan"):
        here, there = (seen(small(each, picture)) for each in (page, reopened))
        assert contents(page, here) == contents(reopened, there)
    here, there = (seen(each.locator("#viewer .after")) for each in (page, reopened))
    assert here.endswith("_vae_x2_256x256.png")
    assert contents(page, here) == contents(reopened, there)


def test_a_whole_photos_recipe_sets_how_it_is_to_look(visit: Visit, url: str) -> None:
    look = Look(colour="new", colour_strength=1.5, tone=0.25, sample=5)
    recipe = Recipe(size="own", look=look, seed=11, models={"vae": None})
    page = visit(f"{url}?recipe={recipe.to_link()}")
    expect(page.get_by_text(say("recipe_loaded"))).to_be_visible()
    expect(page.get_by_label(say("mode_damaged"))).to_be_checked()
    expect(page.locator("#by-hand")).to_be_hidden()
    unfold(page, "#look")
    expect(page.get_by_label(say("colour_new"), exact=True)).to_be_checked()
    for label, value in (("look_strength", "1.5"), ("look_tone", "0.25"), ("look_sample", "5")):
        expect(page.locator("#look .block", has_text=say(label)).locator("input[type=number]")).to_have_value(value)
    unfold(page, "#size")
    expect(page.locator("#scale").get_by_label(say("upscale_0"), exact=True)).to_be_checked()


def test_a_link_from_a_stranger_runs_nothing(visit: Visit, url: str) -> None:
    """Its names are shown in messages, of which Gradio makes HTML."""
    tag = '<img src="x" onerror="window.hacked = 1"><script>window.hacked = 1</script>'
    for recipe in (Recipe(models={tag: None}), Recipe(models={"vae": None}, versions={tag: "1"})):
        page = visit(f"{url}?recipe={recipe.to_link()}")
        expect(page.get_by_text("‹img src").first).to_be_visible()
        assert page.evaluate("window.hacked") is None


# --- Words ------------------------------------------------------------------------------------------------------------


WORDS = """() => {
  const said = [document.body.innerText];
  for (const each of document.querySelectorAll("body *"))
    for (const name of ["alt", "aria-label", "aria-valuetext", "placeholder", "title"])
      if (each.hasAttribute(name)) said.push(each.getAttribute(name));
  return said.join("\\n");
}"""


@LANGUAGES
def test_every_tab_speaks_the_visitors_language(visit: Visit, french: bool) -> None:
    page = visit(french=french)
    expect(page.get_by_role("tab")).to_have_text([say(tab, french) for tab in TABS])
    unfold(page, "#recipes")
    keys = {key for key in SENTENCES if "_" in key}
    others = {pair[not french] for pair in SENTENCES.values() if len(pair[0]) > 9 and pair[0] != pair[1]}
    for tab in run_everything(page, french):
        said = page.evaluate(WORDS)
        assert "__i18n__" not in said, tab
        assert "[object Object]" not in said, tab
        assert not re.search(r"\bundefined\b|\bNaN\b", said), tab
        lines = set(said.split("\n"))
        assert not lines & others, tab  # no sentence of the other language
        assert not lines & keys, tab  # no key in the place of its sentence
        if tab in ("restore", "laboratory"):
            head = page.locator("#measures thead th").all_inner_texts()
            assert head[0] == say("photo_column", french)
            assert head[-1] == say("time", french)
        if tab == "laboratory":
            assert head[-2] == say("helped", french)
            for word in ("better", "best"):
                assert say(word, french) in page.locator("#measures tbody").inner_text()


@LANGUAGES
def test_gradio_finds_every_sentence(visit: Visit, french: bool) -> None:
    """A key that is also a section of its own translations would be "[object Object]"; a dot would lead into one."""
    with gr.Blocks() as demo:
        for key in SENTENCES:
            gr.Textbox(label=i18n(key), elem_id=f"sentence-{key}")
        gr.Button(elem_id="restore")  # by which a page is known to be there
    _, address, _ = demo.launch(i18n=i18n, prevent_thread_lock=True, quiet=True)
    try:
        page = visit(address, french=french)
        expect(page.locator("#sentence-run label")).to_have_text(say("run", french))
        labels = "boxes => boxes.map(box => [box.id, box.querySelector('label span').textContent])"
        shown = dict(page.locator("[id^=sentence-]").evaluate_all(labels))
        expected = {f"sentence-{key}": pair[french] for key, pair in SENTENCES.items()}
        assert {key: each.split() for key, each in shown.items()} == {
            key: each.split() for key, each in expected.items()
        }
    finally:
        demo.close()
