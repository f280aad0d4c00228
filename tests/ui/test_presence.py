"""Whoever leaves holds nobody up."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from glob import glob
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from gradio.context import LocalContext
from PIL import Image

from benchmarks.serving import serve
from restoration.whole import TILE
from tests.conftest import EXAMPLES
from ui.presence import Left, stay


def test_without_an_event_somebody_waits() -> None:
    stay()
    stay(1, 2)


@pytest.mark.parametrize("event", [None, SimpleNamespace(alive=False)])
def test_a_visitor_who_left_is_missed(event: SimpleNamespace | None) -> None:
    waiting = SimpleNamespace(alive=True)
    queue = SimpleNamespace(event_ids_to_events={"waiting": waiting, **({"left": event} if event else {})})
    blocks = LocalContext.blocks.set(SimpleNamespace(_queue=queue))  # type: ignore[arg-type]
    try:
        LocalContext.event_id.set("waiting")
        stay()
        LocalContext.event_id.set("left")
        with pytest.raises(Left):
            stay()
    finally:
        LocalContext.blocks.reset(blocks)
        LocalContext.event_id.set(None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of an app that these tests have to themselves, as they look at what lies there."""
    return tmp_path_factory.mktemp("presence")


@pytest.fixture(scope="module")
def own(folder: Path) -> Iterator[str]:
    """The address of that app."""
    with serve(folder, mcp=False) as url:
        yield url


def test_a_batch_ends_when_its_page_is_closed(own: str, folder: Path) -> None:
    """Of 300 photos it does a few; its archive, which grows beside its place meanwhile, goes away."""
    config = httpx.get(f"{own}/config").json()
    batch_files = next(each["id"] for each in config["components"] if each["props"].get("elem_id") == "batch-files")
    function = next(each for each in config["dependencies"] if batch_files in each["inputs"])
    photo = (EXAMPLES / "coffee.jpg").read_bytes()
    files = [("files", (f"{place}.jpg", photo)) for place in range(300)]
    paths = httpx.post(f"{own}/gradio_api/upload", files=files, timeout=60).json()
    given = [{"path": path, "meta": {"_type": "gradio.FileData"}} for path in paths]
    call = {
        "fn_index": function["id"],
        "data": [given, ["vae", "gan", "cnn"], 128, "crop", 0, False],
        "session_hash": "first",
    }
    httpx.post(f"{own}/gradio_api/queue/join", json=call).raise_for_status()
    with httpx.stream("GET", f"{own}/gradio_api/queue/data?session_hash=first", timeout=60) as stream:
        for line in stream.iter_lines():
            message = json.loads(line[6:]) if line else {}
            assert message.get("msg") != "process_completed", message
            if message.get("msg") == "progress" and message["progress_data"][0]["index"] > 2:
                break
    assert found(folder, ".*.part")
    for _ in range(300):
        if not found(folder, ".*.part"):
            break
        time.sleep(0.1)
    (made,) = found(folder, "restored.zip")
    assert made.stat().st_size == 0  # ended, not done


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
