"""Every word of the interface, in English and French, from ``locales``; the errors' are beside the library."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gradio as gr

LOCALES = Path(__file__).with_name("locales")
ENGLISH, FRENCH = (json.loads((LOCALES / f"{language}.json").read_text(encoding="utf-8")) for language in ("en", "fr"))
i18n = gr.I18n(en=ENGLISH, fr=FRENCH)


def is_french(request: gr.Request | None) -> bool:
    """Is French the visitor's first language? Gradio's own texts follow the browser's first language too."""
    accepted = (request.headers.get("accept-language") or "") if request else ""
    return re.match(r"\s*fr\b", accepted, re.IGNORECASE) is not None


def labelled(values: Iterable[Any], prefix: str = "") -> list[tuple[Any, Any]]:
    """Choices of a component: each value with its name, the word called ``prefix`` and the value."""
    return [(i18n(f"{prefix}{value}"), value) for value in values]


def text(key: str, french: bool, **fields: object) -> str:
    """The sentence called ``key``, for what a handler writes."""
    words: str = (FRENCH if french else ENGLISH)[key]
    return words.format(**fields) if fields else words


def number(value: float, digits: int, french: bool, *, sign: bool = False) -> str:
    """``value`` as it is written in the language."""
    written = f"{value:{'+' if sign else ''}.{digits}f}".replace("-", "−").replace("inf", "∞")
    return written.replace(".", ",") if french else written


def duration(seconds: float) -> str:
    """A time as it is written in both languages."""
    return f"{round(seconds * 1000)} ms" if seconds < 10 else f"{round(seconds)} s"
