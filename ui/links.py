"""Links that reopen the app in a state: with a recipe, or where a job is."""

from __future__ import annotations

import gradio as gr


def link(request: gr.Request | None, name: str, value: str) -> str:
    """The address of the app, asked with ``name=value``."""
    page = (request.headers.get("referer") or "") if request else ""
    return f"{page.split('?')[0].split('#')[0]}?{name}={value}"


def linked(request: gr.Request | None, name: str) -> str | None:
    """What the page's address has under ``name``."""
    value: str | None = dict(request.query_params).get(name) if request else None
    return value
