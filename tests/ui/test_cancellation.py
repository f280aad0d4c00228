"""Whoever leaves holds nobody up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from glob import glob
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from gradio.context import LocalContext
from PIL import Image

from benchmarks.serving import serve
from restoration.whole_photo import TILE
from tests.conftest import EXAMPLES
from ui.cancellation import ClientDisconnected, raise_if_disconnected


def test_without_an_event_somebody_waits() -> None:
    raise_if_disconnected()
    raise_if_disconnected(1, 2)


@pytest.mark.parametrize("event", [None, SimpleNamespace(alive=False)])
def test_a_visitor_who_left_is_missed(event: SimpleNamespace | None) -> None:
    waiting = SimpleNamespace(alive=True)
    queue = SimpleNamespace(event_ids_to_events={"waiting": waiting, **({"left": event} if event else {})})
    blocks = LocalContext.blocks.set(SimpleNamespace(_queue=queue))  # type: ignore[arg-type]
    try:
        LocalContext.event_id.set("waiting")
        raise_if_disconnected()
        LocalContext.event_id.set("left")
        with pytest.raises(ClientDisconnected):
            raise_if_disconnected()
    finally:
        LocalContext.blocks.reset(blocks)
        LocalContext.event_id.set(None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of an app that these tests have to themselves, as they look at what lies there."""
    return tmp_path_factory.mktemp("disconnection")


@pytest.fixture(scope="module")
def own(folder: Path) -> Iterator[str]:
    """The address of that app."""
    with serve(folder, mcp=False) as url:
        yield url


def test_a_whole_photo_is_left_between_two_tiles(own: str, folder: Path, tmp_path: Path) -> None:
    """When the next visitor's turn has come, nothing was made of the rest."""
    Image.open(EXAMPLES / "coffee.jpg").resize((4 * TILE, 320)).save(tmp_path / "large.jpg")
    with (tmp_path / "large.jpg").open("rb") as large:
        (path,) = httpx.post(f"{own}/gradio_api/upload", files={"files": large}, timeout=60).json()
    photo = {"path": path, "meta": {"_type": "gradio.FileData"}}
    chosen = {"damaged": "damaged", "gan": ["gan"], 4: 0}  # of the control that has this choice
    config = httpx.get(f"{own}/config").json()
    function = next(each for each in config["dependencies"] if each["api_name"] == "restore_1")
    components = {each["id"]: each for each in config["components"]}
    values = []
    for each in (components[id] for id in function["inputs"]):
        choices = [choice for _, choice in each["props"].get("choices") or []]
        usual = photo if each["type"] == "image" else each["props"].get("value")
        values.append(next((value for choice, value in chosen.items() if choice in choices), usual))
    call = {"fn_index": function["id"], "data": values, "session_hash": "visitor"}
    httpx.post(f"{own}/gradio_api/queue/join", json=call).raise_for_status()
    with httpx.stream("GET", f"{own}/gradio_api/queue/data?session_hash=visitor", timeout=60) as stream:
        for line in stream.iter_lines():
            message = json.loads(line[6:]) if line else {}
            assert message.get("msg") != "process_completed", message
            if message.get("msg") == "progress" and message["progress_data"][0]["progress"] > 0:
                break
    event = httpx.post(f"{own}/gradio_api/call/v2/degrade", json={"photo": photo}).json()["event_id"]
    assert "complete" in httpx.get(f"{own}/gradio_api/call/degrade/{event}", timeout=60).text
    assert found(folder, "degraded.png")
    assert not found(folder, "large_gan.png")


def found(folder: Path, pattern: str) -> list[Path]:
    """As ``folder.rglob`` does, which ends at a folder that goes away meanwhile."""
    return [folder / each for each in glob(f"**/{pattern}", root_dir=folder, recursive=True)]
