"""Whoever leaves holds nobody up."""

from __future__ import annotations

import json
import time
from glob import glob
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from gradio.context import LocalContext

from benchmarks.serving import serve
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


def test_a_batch_ends_when_its_page_is_closed(tmp_path: Path) -> None:
    """Of 300 photos it does a few; its archive, which grows beside its place meanwhile, goes away."""
    with serve(tmp_path, mcp=False) as url:
        config = httpx.get(f"{url}/config").json()
        batch_files = next(each["id"] for each in config["components"] if each["props"].get("elem_id") == "batch-files")
        function = next(each for each in config["dependencies"] if batch_files in each["inputs"])
        photo = (EXAMPLES / "coffee.jpg").read_bytes()
        files = [("files", (f"{place}.jpg", photo)) for place in range(300)]
        paths = httpx.post(f"{url}/gradio_api/upload", files=files, timeout=60).json()
        given = [{"path": path, "meta": {"_type": "gradio.FileData"}} for path in paths]
        call = {
            "fn_index": function["id"],
            "data": [given, ["vae", "gan", "cnn"], "crop", 0],
            "session_hash": "visitor",
        }
        httpx.post(f"{url}/gradio_api/queue/join", json=call).raise_for_status()
        with httpx.stream("GET", f"{url}/gradio_api/queue/data?session_hash=visitor", timeout=60) as stream:
            for line in stream.iter_lines():
                message = json.loads(line[6:]) if line else {}
                assert message.get("msg") != "process_completed", message
                if message.get("msg") == "progress" and message["progress_data"][0]["index"] > 2:
                    break
        assert found(tmp_path, ".*.part")
        for _ in range(300):
            if not found(tmp_path, ".*.part"):
                break
            time.sleep(0.1)
        (made,) = found(tmp_path, "restored.zip")
        assert made.stat().st_size == 0  # ended, not done


def found(folder: Path, pattern: str) -> list[Path]:
    """As ``folder.rglob`` does, which ends at a folder that goes away meanwhile."""
    return [folder / each for each in glob(f"**/{pattern}", root_dir=folder, recursive=True)]
