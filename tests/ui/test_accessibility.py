"""The app in Chromium for everyone: large enough, legible, named, by keyboard and by finger, on a desk and a phone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import EXAMPLES
from tests.ui.conftest import Visit
from tests.ui.page import (
    COFFEE,
    DESK,
    PHONE,
    TITLES,
    box,
    expect,
    open_tab,
    press_until,
    run_everything,
    say,
    seen,
    send,
    send_to_laboratory,
    shown,
    unfold,
    wait_for_opening,
    wait_for_run,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

A_PHONE = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
THEMES = pytest.mark.parametrize(("theme", "french"), [("light", False), ("dark", True)], ids=["light-en", "dark-fr"])


# --- How large it is --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("photo", [COFFEE, EXAMPLES / "astronaut.jpg"], ids=["wide", "square"])
@pytest.mark.parametrize(
    ("options", "screen", "least"), [({}, DESK, 600), (A_PHONE, PHONE, 340)], ids=["desk", "phone"]
)
def test_a_result_is_large_and_on_the_first_screen(
    visit: Visit, photo: Any, options: dict[str, Any], screen: dict[str, int], least: int
) -> None:
    page = visit(**options)
    send(page, photo)
    assert page.evaluate("scrollY") == 0
    pair = box(page.locator("#viewer .pair"))
    assert pair["width"] >= least
    assert pair["y"] >= 0
    assert pair["y"] + pair["height"] <= screen["height"]


def test_the_laboratory_is_seen_on_one_screen(visit: Visit) -> None:
    page = visit()
    send_to_laboratory(page)
    page.evaluate("scrollTo(0, 0)")
    pictures = page.locator("#viewer .choices img")
    expect(pictures).to_have_count(2 + len(TITLES))
    notes = page.locator("#viewer .choices small")
    for each in (*pictures.all(), page.locator("#viewer .pair")):
        assert box(each)["width"] >= 300
    for note in notes.all()[1:]:
        expect(note).to_be_visible()
    for each in (*pictures.all(), *notes.all()[1:], page.locator("#viewer .pair")):
        at = box(each)
        assert at["y"] >= 0
        assert at["y"] + at["height"] <= DESK["height"]
    expect(page.locator("#verdict")).to_be_in_viewport()


# --- By keyboard ------------------------------------------------------------------------------------------------------


def test_the_keyboard_is_enough(visit: Visit) -> None:
    page = visit()
    wait_for_opening(page)
    assert press_until(page, "#restore", most=12)
    page.reload()
    wait_for_opening(page)

    press_until(page, "#photo [aria-label='Remove Image']")
    page.keyboard.press("Enter")
    expect(page.locator("#restore")).to_be_disabled()
    page.on("filechooser", lambda chooser: None)  # from now on, so that the first Enter does not come too early
    press_until(page, "#photo button:has(input[type=file])")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(COFFEE)
    wait_for_run(page, "coffee")
    press_until(page, "#mode input")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#viewer .choices label")).to_have_count(2 + len(TITLES))
    wait_for_run(page, "coffee")
    press_until(page, "#preset input")
    before = shown(page)
    page.keyboard.press("ArrowDown")
    expect(page.locator("#preset").get_by_label(say("light"), exact=True)).to_be_checked()
    expect(page.locator("#viewer .after")).not_to_have_attribute("src", before)
    wait_for_run(page, "coffee")
    press_until(page, "#control-gaussian input[type=range]")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#viewer .stale")).to_be_visible()
    press_until(page, "#restore")
    before = shown(page)
    page.keyboard.press("Enter")
    expect(page.locator("#viewer .after")).not_to_have_attribute("src", before)
    wait_for_run(page, "coffee")

    press_until(page, "#viewer input[type=range]")
    press_until(page, "#viewer .choices input", most=1)
    page.keyboard.press("ArrowRight")
    expect(page.locator("#viewer .after")).to_have_attribute("src", re.compile("_gan_"))
    assert page.evaluate("document.activeElement.value") == "gan"
    press_until(page, "#viewer .view", most=1)
    page.keyboard.press("Enter")
    expect(page.locator("#viewer [data-view=one]")).to_have_count(1)
    for selector in ("#viewer .fullscreen", "#save", "#save-all", "#error-maps", "#numbers button"):
        press_until(page, selector, most=1)
    press_until(page, "[role=tab]")


def test_before_and_after_is_a_slider(visit: Visit) -> None:
    page = visit()
    wait_for_opening(page)
    slider = page.locator("#viewer").get_by_role("slider", name=say("viewer_slider"))
    before, pair = page.locator("#viewer .before"), box(page.locator("#viewer .pair"))
    expect(slider).to_have_attribute("aria-valuetext", "50 % before")
    for key, value in (("ArrowRight", 51), ("ArrowLeft", 50), ("Home", 0), ("End", 100)):
        slider.press(key)
        expect(slider).to_have_attribute("aria-valuetext", f"{value} % before")
        clip = before.evaluate("img => getComputedStyle(img).clipPath")
        assert f"{100 - value}%" in clip or (value == 100 and "0" in clip)
    page.mouse.click(pair["x"] + pair["width"] / 4, pair["y"] + pair["height"] / 2)
    assert 22 <= float(slider.input_value()) <= 28


def test_the_full_screen_shows_the_whole_picture(visit: Visit) -> None:
    """Escape, which leaves it, is the browser's own: it reaches no browser without a window."""
    page = visit()
    wait_for_opening(page)
    page.get_by_role("button", name=say("viewer_fullscreen")).click()
    page.wait_for_function("document.fullscreenElement?.matches('.stage')")
    after = page.locator("#viewer .after")
    seen(after)
    assert after.evaluate("img => getComputedStyle(img).objectFit") == "fill"  # so its frame has to have its shape:
    ratio = after.evaluate("img => [img.clientWidth / img.clientHeight, img.naturalWidth / img.naturalHeight]")
    assert ratio[0] == pytest.approx(ratio[1], rel=0.01)
    page.evaluate("document.exitFullscreen()")
    page.wait_for_function("!document.fullscreenElement")
    expect(page.locator("#verdict")).to_be_visible()


# --- On a phone -------------------------------------------------------------------------------------------------------


CUT_OFF = """() => [...document.querySelectorAll("img, button:not([tabindex='-1']), input, table, p")]
  .filter(each => each.checkVisibility() && !each.closest(".wide"))  // what scrolls on its own may be wide
  .filter(each => each.getBoundingClientRect().right > innerWidth + 1)
  .map(each => each.outerHTML.slice(0, 200))"""


@THEMES
def test_a_phone_needs_no_sideways_scrolling(visit: Visit, url: str, theme: str, french: bool) -> None:
    page = visit(f"{url}?__theme={theme}", french=french, viewport={"width": 360, "height": 740})
    assert page.evaluate("document.body.classList.contains('dark')") == (theme == "dark")
    for tab in run_everything(page, french):
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, tab
        assert page.evaluate(CUT_OFF) == [], tab
        if tab == "laboratory":  # the sliders are folded, so that nothing is pushed out of reach
            expect(page.locator("#control-gaussian")).to_be_hidden()


def test_a_finger_on_the_picture_scrolls_the_page_and_moves_the_slider(visit: Visit) -> None:
    page = visit(**A_PHONE)
    wait_for_opening(page)
    slider = page.locator("#viewer input[type=range]")
    assert slider.evaluate("each => getComputedStyle(each).touchAction") == "pan-y"
    at = box(slider)
    x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
    protocol = page.context.new_cdp_session(page)

    def swipe(across: float, down: float) -> None:
        protocol.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        for step in range(1, 11):
            place = {"x": x + across * step / 10, "y": y + down * step / 10}
            protocol.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [place]})
        protocol.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    swipe(100, 0)
    expect(slider).not_to_have_value("50")
    assert page.evaluate("scrollY") == 0
    swipe(0, -200)
    page.wait_for_function("scrollY > 100")


# --- Names ------------------------------------------------------------------------------------------------------------


OPERABLE = {"button", "checkbox", "combobox", "link", "radio", "radiogroup", "slider", "spinbutton", "tab", "textbox"}


def unnamed(page: Page) -> list[str]:
    """What a screen reader would call by its kind alone."""
    protocol = page.context.new_cdp_session(page)
    found = []
    for node in protocol.send("Accessibility.getFullAXTree")["nodes"]:
        role = node.get("role", {}).get("value")
        name = str(node.get("name", {}).get("value", "")).strip()
        if role in OPERABLE and not node["ignored"] and not name:
            described = protocol.send("DOM.describeNode", {"backendNodeId": node["backendDOMNodeId"]})["node"]
            found.append(f"{role}: {described['localName']} {described.get('attributes')}")
    return found


WORDLESS = """() => [...document.querySelectorAll("img")]
  .filter(img => img.checkVisibility() && !img.alt && !img.closest("label")?.innerText.trim() && !img.closest("#photo"))
  .map(img => img.outerHTML.slice(0, 200))"""


def test_everything_has_a_name(visit: Visit) -> None:
    page = visit()
    wait_for_opening(page)
    for accordion in ("#mending", "#look", "#size", "#numbers", "#samples", "#recipes"):
        unfold(page, accordion)
    assert unnamed(page) == []
    for tab in run_everything(page, french=False):
        assert unnamed(page) == [], tab
        assert page.evaluate(WORDLESS) == [], tab
    for picture in page.locator(".result img:visible").all():
        assert picture.get_attribute("alt")


# --- Contrast ---------------------------------------------------------------------------------------------------------


FAINT = """() => {
  // WCAG 2.2: 4.5, and 3 for large letters; what cannot be used now is exempt.
  const channels = (colour) => {
    const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const over = (top, bottom, share) => [0, 1, 2].map((at) => top[at] * share + bottom[at] * (1 - share));
  const luminance = (colour) => colour.slice(0, 3).map((each) => each / 255)
    .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4))
    .reduce((sum, each, at) => sum + each * [0.2126, 0.7152, 0.0722][at], 0);
  const background = (element) => {
    if (!element) return [255, 255, 255];
    const colour = channels(getComputedStyle(element).backgroundColor);
    return colour[3] === 1 ? colour : over(colour, background(element.parentElement), colour[3]);
  };
  const opacity = (element) => (element ? getComputedStyle(element).opacity * opacity(element.parentElement) : 1);
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.textContent.trim() || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) ||
        element.closest(":disabled, script, style")) continue;
    const style = getComputedStyle(element), behind = background(element);
    const colour = channels(element.closest("svg") ? style.fill : style.color);
    const letters = over(colour, behind, colour[3] * opacity(element));
    const [dark, light] = [luminance(letters), luminance(behind)].sort((a, b) => a - b);
    const contrast = (light + 0.05) / (dark + 0.05), size = parseFloat(style.fontSize);
    const least = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
    if (contrast < least) found.push(`${contrast.toFixed(2)} ${node.textContent.trim().slice(0, 40)}`);
  }
  return [...new Set(found)];
}"""


@THEMES
def test_all_words_can_be_read(visit: Visit, url: str, theme: str, french: bool) -> None:
    page = visit(f"{url}?__theme={theme}", french=french)
    wait_for_opening(page)
    page.add_style_tag(content="*, *::before, *::after { transition: none !important; animation: none !important }")
    for accordion in ("#mending", "#look", "#size", "#samples", "#recipes"):
        unfold(page, accordion)
    assert page.evaluate(FAINT) == []
    for tab in run_everything(page, french):
        page.mouse.move(0, 0)
        assert page.evaluate(FAINT) == [], tab
    open_tab(page, "tab_restore", french)
    page.locator("#models").get_by_label("GAN").uncheck()
    expect(page.locator("#viewer .stale")).to_be_visible()
    assert page.evaluate(FAINT) == []
