"""The About tab: what each network is, its scores, its limits, and where everything comes from.

Its pages are files of their own, in each language; `benchmarks.render` writes what was measured into them.
"""

from __future__ import annotations

import re

import gradio as gr
from gradio.components import Component

from ..context import QUIET
from ..texts import LOCALES, is_french


def layout() -> list[Component]:
    """Lay out the tab, inside the caller's Blocks: where the drawing and the page will be."""
    return [gr.HTML(), gr.Markdown(elem_classes="about")]


def wire(contents: list[Component]) -> None:
    """Have it filled, in the visitor's language, when the page loads."""
    gr.on(None, load, None, contents, **QUIET)  # no trigger: when the page loads


def load(request: gr.Request) -> tuple[str, str]:
    """The drawing and the page."""
    french = is_french(request)
    return drawing(french), page(french)


def drawing(french: bool) -> str:
    """The way of a photo through the networks, as an SVG that holds the words of both languages."""
    svg = (LOCALES / "networks.svg").read_text(encoding="utf-8")
    return f'<div class="{"french" if french else "english"}">{svg}</div>'


def page(french: bool) -> str:
    """The page as Markdown, without the marks between which its tables are written."""
    written = (LOCALES / f"about.{'fr' if french else 'en'}.md").read_text(encoding="utf-8")
    return re.sub(r"<!-- /?\w+ -->\n", "", written)
