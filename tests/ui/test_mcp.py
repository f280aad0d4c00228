"""The MCP tools, as a language model's program meets them."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from restoration import PRESETS, Look, Photo, Recipe, Restorer, Upscaling, image, pipeline, robustness
from tests.conftest import EXAMPLES
from ui.api import PARAMETERS
from ui.context import TITLES

pytest.importorskip("mcp", reason="needs the extra gradio[mcp]")

from mcp import ClientSession, types
from mcp.client.streamable_http import streamable_http_client

COFFEE = EXAMPLES / "coffee.jpg"
DATA_URL = f"data:image/jpeg;base64,{base64.b64encode(COFFEE.read_bytes()).decode()}"


class Tools:
    """The server's tools, each call in a session of its own."""

    def __init__(self, url: str, language: str = "en") -> None:
        self.address, self.headers = f"{url}/gradio_api/mcp/", {"Accept-Language": language}

    def list(self) -> dict[str, types.Tool]:
        async def ask(session: ClientSession) -> types.ListToolsResult:
            return await session.list_tools()

        return {tool.name: tool for tool in self._ask(ask).tools}

    def call(self, tool: str, *, with_progress: bool = False, **arguments: Any) -> types.CallToolResult:
        async def tell(*progress: Any) -> None:
            pass

        async def ask(session: ClientSession) -> types.CallToolResult:
            return await session.call_tool(tool, arguments, progress_callback=tell if with_progress else None)

        return self._ask(ask)

    def _ask(self, ask: Any) -> Any:
        async def session() -> Any:
            async with (
                httpx.AsyncClient(headers=self.headers, timeout=60) as client,
                streamable_http_client(self.address, http_client=client) as (read, write, _),
                ClientSession(read, write) as opened,
            ):
                await opened.initialize()
                return await ask(opened)

        return asyncio.run(session())


@pytest.fixture
def tools(url: str) -> Tools:
    return Tools(url)


def photos(result: types.CallToolResult) -> list[np.ndarray]:
    """The pictures of a result, which are lossless."""
    assert not result.isError, result.content
    pictures = [content for content in result.content if isinstance(content, types.ImageContent)]
    assert {picture.mimeType for picture in pictures} == {"image/png"}
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(picture.data)))) for picture in pictures]


def texts(result: types.CallToolResult) -> list[str]:
    return [content.text for content in result.content if isinstance(content, types.TextContent)]


def report(result: types.CallToolResult) -> Any:
    return json.loads(texts(result)[-1])


def equal(found: list[np.ndarray], expected: list[Photo]) -> bool:
    return len(found) == len(expected) and all(map(np.array_equal, found, [photo.pixels for photo in expected]))


def test_a_model_can_tell_what_the_tools_do(tools: Tools) -> None:
    listed = tools.list()
    assert " ".join(listed) == "restore find_scratches degrade compare compare_by_position upscale sweep"
    for tool in listed.values():
        assert tool.description
        assert "Returns: The" in tool.description
        assert tool.inputSchema["required"] == ["photo"]
        for name, schema in tool.inputSchema["properties"].items():
            assert schema["description"] == PARAMETERS[name]["description"]
            assert "type" in schema or "anyOf" in schema
    properties = listed["restore"].inputSchema["properties"]
    assert properties["photo"]["type"] == "string"
    assert properties["model"]["enum"] == list(TITLES)
    assert properties["scale"]["type"] == "integer"
    assert properties["size"]["enum"] == ["own", "128"]
    assert (listed["restore"].description or "").startswith("Restore and colourise a damaged photo")


@pytest.mark.parametrize("with_progress", [False, True])
def test_restore(tools: Tools, restorer: Restorer, with_progress: bool) -> None:
    asked = Recipe(seed=0, models={"gan": None}, upscaling=Upscaling(scale=2, engine="fast"))
    run = pipeline.run(restorer, image.load(COFFEE), asked)
    result = tools.call(
        "restore", photo=DATA_URL, model="gan", size="128", scale=2, engine="fast", with_progress=with_progress
    )
    assert equal(photos(result), [run.restored["gan"].photo, run.enlarged["gan"].photo])
    assert Recipe.from_json(report(result)["recipe"]) == run.recipe


def test_a_photo_is_restored_whole(tools: Tools, restorer: Restorer) -> None:
    expected = restorer.restore_whole(image.load(COFFEE, reduce_to=None), "gan", look=Look(colour="none"))
    result = tools.call("restore", photo=DATA_URL, model="gan", colour="none")
    assert equal(photos(result), [expected.photo])
    assert report(result)["size"] == {"photo": [600, 400], "restored": [600, 400]}
    assert report(result)["colour"] == "none"


def test_sweep(tools: Tools, restorer: Restorer) -> None:
    at = robustness.strengths("lines", *robustness.reach("lines"), 3)
    swept = robustness.sweep(restorer, image.fit(image.load(COFFEE)), "lines", at, list(TITLES))
    result = tools.call("sweep", photo=DATA_URL, control="lines", steps=3)
    assert equal(photos(result), [robustness.plot(swept), robustness.strip(swept)])
    assert report(result)["measured"]["vae"] == [each.psnr_luminance for each in swept.measures["vae"]]
    (table,) = [text for text in texts(result) if text.endswith(".csv")]
    assert httpx.get(table).text == robustness.table(swept)


def test_a_result_goes_into_the_next_tool_by_its_address(tools: Tools, restorer: Restorer) -> None:
    degraded = tools.call("degrade", photo=DATA_URL, damage="heavy", seed=3)
    address = texts(degraded)[0].removeprefix("Image URL: ")
    truth = image.fit(image.load(COFFEE))
    expected = restorer.restore(PRESETS["heavy"].draw(3).apply(truth, 3), "cnn").photo
    assert equal(photos(tools.call("restore", photo=address, model="cnn", size="128")), [expected])
    replayed = tools.call("restore", photo=DATA_URL, recipe={**report(degraded)["recipe"], "models": {"cnn": None}})
    assert equal(photos(replayed), [expected])


def test_an_upload_goes_in_by_its_address(tools: Tools, url: str) -> None:
    """As the tool of `gradio upload-mcp` makes it."""
    path = httpx.post(f"{url}/gradio_api/upload", files={"files": COFFEE.read_bytes()}).json()[0]
    result = tools.call("degrade", photo=f"{url}/gradio_api/file={path}")
    assert np.array_equal(photos(result)[1], image.fit(image.load(COFFEE)).pixels)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "'photo' is a required property"),
        ({"photo": DATA_URL, "model": "dcgan"}, "'dcgan' is not one of ['vae', 'gan', 'cnn']"),
        ({"photo": DATA_URL, "scale": 3}, "3 is not one of [0, 2, 4]"),
        ({"photo": "coffee.jpg"}, "provide a url"),
        ({"photo": "data:image/png;base64,AAAA"}, "is not a picture that can be read here"),
        ({"photo": "https://photos.invalid/a.jpg"}, "check that https://photos.invalid/a.jpg is a public address"),
    ],
    ids=["no photo", "model", "scale", "path", "no picture", "unknown host"],
)
def test_what_cannot_be_done_is_one_sentence(tools: Tools, arguments: dict[str, Any], says: str) -> None:
    result = tools.call("restore", **arguments)
    assert result.isError
    (told,) = texts(result)
    assert says in told
    assert "Traceback" not in told


def test_errors_are_in_french_for_who_asks_for_it(url: str) -> None:
    (told,) = texts(Tools(url, "fr").call("restore", photo="data:image/png;base64,AAAA"))
    assert "n'est pas une image lisible ici" in told
