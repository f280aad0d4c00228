"""Links are the app's own address, with what reopens it."""

from __future__ import annotations

from typing import Any

import gradio as gr
import pytest

from ui.links import link, linked


@pytest.mark.parametrize(
    "page", ["https://a.example/", "https://a.example/?job=old&__theme=dark", "https://a.example/#there"]
)
def test_a_link_is_the_page_without_what_it_was_asked(page: str) -> None:
    assert link(gr.Request(headers={"referer": page}), "job", "b-1") == "https://a.example/?job=b-1"


def test_who_does_not_say_where_the_page_is_gets_what_is_to_be_asked() -> None:
    assert link(None, "job", "1") == link(gr.Request(headers={}), "job", "1") == "?job=1"


@pytest.mark.parametrize(("asked", "found"), [({"job": "1"}, "1"), ({}, None), ({"recipe": "1"}, None)])
def test_what_the_page_was_asked_is_found(asked: dict[str, Any], found: str | None) -> None:
    assert linked(gr.Request(query_params=asked), "job") == found
    assert linked(None, "job") is None
