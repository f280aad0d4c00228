"""The networks as ONNX files, for other runtimes and languages; each is compared with PyTorch before it is kept."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import torch

from . import files, image
from .degradations import PRESETS
from .errors import ControlError, WeightsError
from .report import writing
from .restorer import Restorer
from .types import SIDE, Photo

BATCHES = (1, 3)  # sizes that are compared: the file takes any


def to_onnx(restorer: Restorer, model: str, path: Path) -> int:
    """Write ``model`` to ``path``: ``images``, float32 ``[B, 3, 128, 128]``, RGB in [0, 1], to ``restored``, the same.

    Its metadata say which model it is, and the SHA-256 of its weights. ONNX Runtime restores a few pictures first:
    where a pixel differs by more than one level of 255, nothing is written, and `WeightsError` is raised. Raises
    `ControlError` where the packages are missing. Returns by how many levels pixels differ at most.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # a newer one than pyproject.toml allows would tell its makers
    try:
        import onnxruntime
        import onnxscript  # noqa: F401  (by which torch.onnx writes)
    except ImportError as error:
        raise ControlError("onnx_missing", package=error.name) from error
    contents = converted(restorer, model)
    session = onnxruntime.InferenceSession(contents, providers=["CPUExecutionProvider"])
    largest = 0
    for batch in BATCHES:
        squares = _pictures(batch)
        (restored,) = session.run(None, {"images": image.to_tensor(squares).numpy()})
        pairs = zip(restorer.restore_batch(squares, model), image.to_photos(torch.from_numpy(restored)), strict=True)
        for ours, theirs in pairs:
            largest = max(largest, int(np.abs(ours.photo.pixels.astype(int) - theirs.pixels).max()))
    if largest > 1:
        raise WeightsError("onnx_differs", model=model, levels=largest)
    with writing(path):
        files.write_atomically(path, contents)
    return largest


def _pictures(count: int) -> list[Photo]:
    """Soft shapes, damaged: what the networks do most with."""
    shapes = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3), np.uint8)
    return [PRESETS["heavy"].draw(seed).apply(image.fit(Photo(each)), seed) for seed, each in enumerate(shapes)]


def converted(restorer: Restorer, model: str) -> bytes:
    """The file's contents, not compared yet; see `to_onnx`."""
    import onnx

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what their developers want to change one day
        program = torch.onnx.export(
            restorer.network(model),
            (torch.zeros(2, 3, SIDE, SIDE),),
            input_names=["images"],
            output_names=["restored"],
            dynamic_shapes=({0: "batch"},),
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    proto = program.model_proto
    for each in (*proto.graph.node, *proto.graph.input, *proto.graph.output, *proto.graph.value_info):
        del each.metadata_props[:]  # the lines of source that made it, with this machine's paths
    onnx.helper.set_model_props(proto, {"model": model, "weights_sha256": restorer.weights_sha256(model)})
    return proto.SerializeToString()
