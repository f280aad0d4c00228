"""`python tabs.py PHOTO`, where this machine is taken for ZeroGPU: what the page and its tabs do, as JSON."""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path

import spaces

from app import demo
from restoration import Recipe, RestorationError, Restorer, image
from restoration.weights import released
from ui.context import AppContext
from ui.results import publish_run
from ui.tabs.robustness import stress

path = sys.argv[1]
handlers = {each.fn.__name__: each.fn for each in demo.fns.values() if each.fn and each.api_visibility == "private"}
for each in demo.fns.values():
    on_load = any(event == "load" for _, event in each.targets)
    if on_load and each.fn and not inspect.signature(each.fn).parameters:
        each.fn()
lab = AppContext(Restorer("cpu"))
lab.load_networks()
released.FOLDER = Path("/nowhere")  # all that is needed was loaded at the start, not in each process
run = lab.run(image.load(path), Recipe(models={"vae": None}))
pictures, _ = handlers["sample"](publish_run(path, run), 3, None)
truth = image.fit(image.load(path))
told: list[tuple[int, int, str]] = []
swept = stress(
    lab, "a", truth, "gaussian", (0.1, 0.2), "psnr", False, lambda *each: told.append(each), seed=0, fit="crop"
)
try:
    lab.work(Restorer.samples, run.degraded, 1000)
except RestorationError as error:
    raised = [type(error).__name__, str(error), error.code, error.fields]
print(json.dumps([len(pictures), len(swept.files), raised, spaces.calls]))
